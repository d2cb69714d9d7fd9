/* SPDX-License-Identifier: ISC */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/signer/ledgerdb.h"
#include "ca/signer/ledgerrow.h"
#include "core/text.h"

/* bytes; of a row, its body with room for what surrounds it */
#define ROW_MAX (4 * LEDGER_BODY_MAX)

/*
 * The schema, as sqlite_schema has it to the byte.  An index for each way
 * that something is looked up; most are partial, so that a row is only in
 * those which it is looked up by.
 */
static const struct thing {
	const char *type, *name, *sql;
} schema[] = {
	{ "table", "event",
	    "CREATE TABLE event (\n"
	    "  seq INTEGER PRIMARY KEY,\n"
	    "  at INTEGER NOT NULL,\n"
	    "  kind TEXT NOT NULL,\n"
	    "  serial INTEGER NOT NULL,\n"
	    "  type TEXT NOT NULL,\n"
	    "  role TEXT NOT NULL,\n"
	    "  stage TEXT NOT NULL,\n"
	    "  ca_hash BLOB,\n"
	    "  key_hash BLOB,\n"
	    "  token_hash BLOB,\n"
	    "  tid TEXT NOT NULL,\n"
	    "  oid TEXT NOT NULL,\n"
	    "  login TEXT NOT NULL,\n"
	    "  valid_before INTEGER NOT NULL,\n"
	    "  body TEXT NOT NULL,\n"
	    "  prev BLOB NOT NULL,\n"
	    "  hash BLOB NOT NULL\n"
	    ") STRICT" },
	{ "index", "event_prepared",
	    "CREATE UNIQUE INDEX event_prepared ON event (serial)"
	    " WHERE kind = 'prepared'" },
	{ "index", "event_serial",
	    "CREATE INDEX event_serial ON event (serial, kind)"
	    " WHERE serial > 0" },
	{ "index", "event_kind", "CREATE INDEX event_kind ON event (kind)" },
	{ "index", "event_at", "CREATE INDEX event_at ON event (at, kind)" },
	{ "index", "event_end",
	    "CREATE INDEX event_end ON event (valid_before, kind)"
	    " WHERE valid_before > 0" },
	{ "index", "event_oid",
	    "CREATE INDEX event_oid ON event (oid, kind, at)"
	    " WHERE oid > ''" },
	{ "index", "event_login",
	    "CREATE INDEX event_login ON event (login, kind)"
	    " WHERE login > ''" },
	{ "index", "event_key",
	    "CREATE INDEX event_key ON event (key_hash, kind)"
	    " WHERE key_hash NOT NULL" },
	{ "index", "event_token",
	    "CREATE INDEX event_token ON event (token_hash, kind)"
	    " WHERE token_hash NOT NULL" },
	{ "index", "event_ca",
	    "CREATE INDEX event_ca ON event (ca_hash, kind, valid_before)"
	    " WHERE ca_hash NOT NULL" },
	{ "trigger", "event_insert",
	    "CREATE TRIGGER event_insert BEFORE INSERT ON event"
	    " WHEN NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM event)"
	    " BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END" },
	{ "trigger", "event_update",
	    "CREATE TRIGGER event_update BEFORE UPDATE ON event"
	    " BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END" },
	{ "trigger", "event_delete",
	    "CREATE TRIGGER event_delete BEFORE DELETE ON event"
	    " BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END" },
};

#define THINGS	     (sizeof(schema) / sizeof(schema[0]))
#define SELECT_EVENT "SELECT " ROW_COLUMNS " FROM event "

static const char *const texts[STMT_MAX] = {
	[STMT_BEGIN] = "BEGIN IMMEDIATE",
	[STMT_COMMIT] = "COMMIT",
	[STMT_ROLLBACK] = "ROLLBACK",
	[STMT_INSERT] = "INSERT INTO event (" ROW_COLUMNS
			") VALUES (" ROW_PLACES ")",
	[STMT_LAST] = SELECT_EVENT "ORDER BY seq DESC LIMIT 1",
	[STMT_ROW] = SELECT_EVENT "WHERE seq = ?1",
	[STMT_FROM] = SELECT_EVENT "WHERE seq >= ?1 ORDER BY seq LIMIT ?2",
	[STMT_PREPARED] = SELECT_EVENT
	"WHERE serial = ?1 AND kind = 'prepared'",
	[STMT_DONE] = SELECT_EVENT "WHERE serial = ?1 AND serial > 0"
				   " AND kind IN ('issued', 'failed')"
				   " ORDER BY kind DESC, seq LIMIT 1",
	[STMT_REVOKED] = SELECT_EVENT
	"WHERE serial = ?1 AND serial > 0 AND kind = 'revoked'"
	" ORDER BY seq LIMIT 1",
	[STMT_COUNT] = "SELECT count(*) FROM event WHERE oid = ?1"
		       " AND oid > '' AND kind = 'prepared' AND at >= ?2",
	[STMT_DENIED_OID] = SELECT_EVENT "WHERE oid = ?1 AND oid > ''"
					 " AND kind IN ('denied', 'undenied')"
					 " ORDER BY seq DESC LIMIT 1",
	[STMT_DENIED_KEY] = SELECT_EVENT "WHERE key_hash = ?1"
					 " AND kind IN ('denied', 'undenied')"
					 " ORDER BY seq DESC LIMIT 1",
	[STMT_PIN] = SELECT_EVENT "WHERE login = ?1 AND login > ''"
				  " AND kind IN ('pin', 'unpin')"
				  " ORDER BY seq DESC LIMIT 1",
	[STMT_REVOKED_ALL] =
	    "SELECT DISTINCT coalesce(p.ca_hash, r.ca_hash) AS ca, r.serial"
	    " FROM event AS r LEFT JOIN event AS p"
	    " ON p.serial = r.serial AND p.kind = 'prepared'"
	    " WHERE r.kind = 'revoked' AND ca NOT NULL"
	    " AND coalesce(p.valid_before, r.valid_before) > ?1"
	    " ORDER BY ca, r.serial",
	[STMT_LAST_END] = "SELECT max(valid_before) FROM event"
			  " WHERE ca_hash = ?1 AND kind = 'prepared'",
	[STMT_BEFORE] = "SELECT count(*) FROM event"
			" WHERE serial = ?1 AND serial > 0"
			" AND kind = 'prepared' AND seq < ?2",
	[STMT_SCHEMA] = "SELECT type, name, tbl_name, sql FROM sqlite_schema"
			" ORDER BY rowid",
	[STMT_PAGES] = "PRAGMA page_count",
	[STMT_INTEGRITY] = "PRAGMA integrity_check(100)",
};

/*
 * Nothing is left to a default, for a distribution may have changed it.
 * synchronous=EXTRA also flushes the directory once the journal is gone.
 */
static const char
    settings[] = "PRAGMA cell_size_check = ON; PRAGMA trusted_schema = OFF;"
		 "PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY;"
		 "PRAGMA cache_spill = OFF; PRAGMA synchronous = EXTRA;";

/* ---- errors -------------------------------------------------------------- */

static int
meaning(int rc, enum reason *whyp)
{
	*whyp = AAD_R_LEDGER;
	if (rc == SQLITE_IOERR_NOMEM)
		rc = SQLITE_NOMEM;
	switch (rc & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_PROTOCOL:
		*whyp = AAD_R_LEDGER_BUSY;
		return AAD_EAGAIN;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_FORMAT:
	case SQLITE_TOOBIG: /* only a row that we did not write is */
		*whyp = AAD_R_LEDGER_ALTERED;
		return AAD_EFORMAT;
	case SQLITE_NOMEM:
		*whyp = AAD_R_NO_MEMORY;
		return AAD_ENOMEM;
	default:
		return AAD_ESYS;
	}
}

int
ledgerdb_fail(struct ledger *l, int rc, enum reason *whyp)
{
	const char *words = sqlite3_errmsg(l->db);
	char clean[160];

	/* The connection may know of another error than the one at hand. */
	if (sqlite3_extended_errcode(l->db) != rc)
		words = sqlite3_errstr(rc);
	snprintf(l->error, sizeof(l->error), "%s (code %d, errno %d)",
	    text_clean(words, strlen(words), clean, sizeof(clean)), rc,
	    sqlite3_system_errno(l->db));
	return meaning(rc, whyp);
}

int
ledgerdb_altered(struct ledger *l, const char *words, enum reason *whyp)
{
	snprintf(l->error, sizeof(l->error), "%s", words);
	*whyp = AAD_R_LEDGER_ALTERED;
	return AAD_EFORMAT;
}

/* ---- statements ------------------------------------------------------------ */

int
ledgerdb_stmt(struct ledger *l, enum ledger_stmt which, sqlite3_stmt **stp,
    enum reason *whyp)
{
	int rc;

	*stp = NULL;
	if (l->stmts[which] == NULL) {
		rc = sqlite3_prepare_v3(l->db, texts[which], -1,
		    SQLITE_PREPARE_PERSISTENT, &l->stmts[which], NULL);
		if (rc != SQLITE_OK)
			return ledgerdb_fail(l, rc, whyp);
	}
	ledgerdb_done(l->stmts[which]);
	*stp = l->stmts[which];
	return 0;
}

int
ledgerdb_step(struct ledger *l, sqlite3_stmt *st, bool *yes, enum reason *whyp)
{
	int rc = sqlite3_step(st);

	*yes = rc == SQLITE_ROW;
	if (rc == SQLITE_ROW || rc == SQLITE_DONE)
		return 0;
	return ledgerdb_fail(l, rc, whyp);
}

void
ledgerdb_done(sqlite3_stmt *st)
{
	/* What reset says is what the last step said. */
	(void)sqlite3_reset(st);
	(void)sqlite3_clear_bindings(st);
}

/* ---- the connection --------------------------------------------------------- */

/*
 * SQLite's own way to the full path follows /proc/self/fd/N and goes on with
 * what the directory is called, which may be another one by then.
 */
static int
path_as_it_is(sqlite3_vfs *vfs, const char *path, int size, char *out)
{
	int n = snprintf(out, (size_t)size, "%s", path);

	(void)vfs;
	return n < 0 || n >= size ? SQLITE_CANTOPEN : SQLITE_OK;
}

static int
register_vfs(void)
{
	static sqlite3_vfs vfs; /* SQLite keeps it in a list */
	const sqlite3_vfs *own;
	int rc;

	if (vfs.zName != NULL)
		return SQLITE_OK;
	if ((rc = sqlite3_initialize()) != SQLITE_OK)
		return rc;
	if ((own = sqlite3_vfs_find("unix")) == NULL)
		return SQLITE_CANTOPEN;
	vfs = *own;
	vfs.pNext = NULL;
	vfs.zName = "aadssh";
	vfs.xFullPathname = path_as_it_is;
	return sqlite3_vfs_register(&vfs, 0);
}

/* No setting of the library and nothing in the file runs code of others. */
static int
configure(struct ledger *l)
{
	static const struct {
		int op, on;
	} flags[] = {
		{ SQLITE_DBCONFIG_DEFENSIVE, 1 },
		{ SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0 },
		{ SQLITE_DBCONFIG_WRITABLE_SCHEMA, 0 },
		{ SQLITE_DBCONFIG_ENABLE_VIEW, 0 },
		{ SQLITE_DBCONFIG_ENABLE_TRIGGER, 1 },
		{ SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0 },
		{ SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, 0 },
		{ SQLITE_DBCONFIG_DQS_DDL, 0 },
		{ SQLITE_DBCONFIG_DQS_DML, 0 },
	};
	size_t i;
	int rc;

	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if ((rc = sqlite3_db_config(l->db, flags[i].op, flags[i].on,
			 NULL)) != SQLITE_OK)
			return rc;
	(void)sqlite3_limit(l->db, SQLITE_LIMIT_LENGTH, ROW_MAX);
	(void)sqlite3_limit(l->db, SQLITE_LIMIT_ATTACHED, 0);
	(void)sqlite3_limit(l->db, SQLITE_LIMIT_WORKER_THREADS, 0);
	return sqlite3_busy_timeout(l->db, LEDGER_WAIT_MS);
}

int
ledgerdb_connect(int dir, struct ledger **outp, enum reason *whyp)
{
	char path[64] = ":memory:";
	struct ledger *l;
	int rc, r;

	*outp = NULL;
	if ((l = calloc(1, sizeof(*l))) == NULL) {
		*whyp = AAD_R_NO_MEMORY;
		return AAD_ENOMEM;
	}
	l->dir = dir;
	if (dir != -1)
		snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", dir,
		    LEDGERDB_FILE);
	if ((rc = register_vfs()) == SQLITE_OK)
		rc = sqlite3_open_v2(path, &l->db,
		    SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX |
			SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_PRIVATECACHE,
		    dir == -1 ? NULL : "aadssh");
	if (rc == SQLITE_OK)
		rc = configure(l);
	if (rc != SQLITE_OK) {
		r = meaning(rc, whyp);
		ledgerdb_close(l);
		return r;
	}
	*outp = l;
	return 0;
}

void
ledgerdb_close(struct ledger *l)
{
	size_t i;

	if (l == NULL)
		return;
	for (i = 0; i < STMT_MAX; i++)
		(void)sqlite3_finalize(l->stmts[i]);
	(void)sqlite3_close(l->db);
	free(l);
}

static int
run(struct ledger *l, const char *sql, enum reason *whyp)
{
	int rc = sqlite3_exec(l->db, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK ? 0 : ledgerdb_fail(l, rc, whyp);
}

/* ---- what is in the file ------------------------------------------------------ */

static uint32_t
be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	       (uint32_t)p[2] << 8 | p[3];
}

int
ledgerdb_header(const uint8_t *p, size_t len, enum reason *whyp)
{
	/* name; page size; read and write format (no WAL), nothing reserved,
	 * the three constants.  Below: schema format, no vacuum twice, text
	 * encoding, id, nothing behind it. */
	static const uint8_t begin[24] = "SQLite format 3\0"
					 "\x10\0\1\1\0\x40\x20\x20";
	static const uint8_t zero[20];

	*whyp = AAD_R_LEDGER_ALTERED;
	if (len < LEDGERDB_HEADER || memcmp(p, begin, sizeof(begin)) != 0 ||
	    be32(p + 44) != 4 || be32(p + 52) != 0 ||
	    be32(p + 56) != SQLITE_UTF8 || be32(p + 64) != 0 ||
	    be32(p + 68) != LEDGERDB_ID ||
	    memcmp(p + 72, zero, sizeof(zero)) != 0 || be32(p + 60) == 0)
		return AAD_EFORMAT;
	if (be32(p + 60) > LEDGERDB_FORMAT) {
		*whyp = AAD_R_LEDGER_VERSION;
		return AAD_EVERSION;
	}
	return 0;
}

int
ledgerdb_make(struct ledger *l, enum reason *whyp)
{
	char sql[160];
	size_t i;
	int r;

	snprintf(sql, sizeof(sql),
	    "PRAGMA page_size = %d; PRAGMA encoding = 'UTF-8';"
	    "PRAGMA application_id = %d; PRAGMA user_version = %d;",
	    LEDGERDB_PAGE, LEDGERDB_ID, LEDGERDB_FORMAT);
	r = run(l, sql, whyp);
	for (i = 0; r == 0 && i < THINGS; i++)
		r = run(l, schema[i].sql, whyp);
	return r;
}

static bool
column_is(sqlite3_stmt *st, int at, const char *want)
{
	const char *s = (const char *)sqlite3_column_text(st, at);

	return s != NULL && strcmp(s, want) == 0 &&
	       (size_t)sqlite3_column_bytes(st, at) == strlen(want);
}

static int
check_schema(struct ledger *l, enum reason *whyp)
{
	sqlite3_stmt *st;
	bool yes, same = true;
	size_t i;
	int r;

	if ((r = ledgerdb_stmt(l, STMT_SCHEMA, &st, whyp)) != 0)
		return r;
	for (i = 0; (r = ledgerdb_step(l, st, &yes, whyp)) == 0 && yes; i++)
		same = same && i < THINGS && column_is(st, 0, schema[i].type) &&
		       column_is(st, 1, schema[i].name) &&
		       column_is(st, 2, "event") &&
		       column_is(st, 3, schema[i].sql);
	ledgerdb_done(st);
	if (r == 0 && sqlite3_errcode(l->db) == SQLITE_NOMEM)
		return ledgerdb_fail(l, SQLITE_NOMEM, whyp);
	if (r == 0 && (!same || i != THINGS))
		return ledgerdb_altered(l, "the schema is not ours", whyp);
	return r;
}

/* The file is whole pages, and as many as it says. */
static int
check_size(struct ledger *l, enum reason *whyp)
{
	int64_t size = 0, pages = 0;
	sqlite3_stmt *st;
	bool yes;
	int r;

	if ((r = ledgerdb_stmt(l, STMT_PAGES, &st, whyp)) != 0)
		return r;
	if ((r = ledgerdb_step(l, st, &yes, whyp)) == 0 && yes)
		pages = sqlite3_column_int64(st, 0);
	/* Its lock is held until here, so nobody makes the file longer. */
	if (r == 0)
		r = ledgerdb_size(l, &size, whyp);
	ledgerdb_done(st);
	if (r == 0 && size != pages * LEDGERDB_PAGE)
		return ledgerdb_altered(l, "the file was cut", whyp);
	return r;
}

int
ledgerdb_check(struct ledger *l, enum reason *whyp)
{
	int r;

	if ((r = run(l, settings, whyp)) != 0 ||
	    (r = check_schema(l, whyp)) != 0)
		return r;
	return check_size(l, whyp);
}

/* ---- the file below --------------------------------------------------------------- */

static int
own_file(struct ledger *l, sqlite3_file **fp, enum reason *whyp)
{
	int rc = sqlite3_file_control(l->db, "main", SQLITE_FCNTL_FILE_POINTER,
	    fp);

	if (rc == SQLITE_OK && (*fp)->pMethods == NULL)
		rc = SQLITE_IOERR;
	return rc == SQLITE_OK ? 0 : ledgerdb_fail(l, rc, whyp);
}

int
ledgerdb_size(struct ledger *l, int64_t *sizep, enum reason *whyp)
{
	sqlite3_int64 size = 0;
	sqlite3_file *f;
	int rc, r;

	*sizep = 0;
	if ((r = own_file(l, &f, whyp)) != 0)
		return r;
	if ((rc = f->pMethods->xFileSize(f, &size)) != SQLITE_OK)
		return ledgerdb_fail(l, rc, whyp);
	*sizep = size;
	return 0;
}

int
ledgerdb_read(struct ledger *l, uint8_t *buf, size_t len, enum reason *whyp)
{
	sqlite3_file *f;
	int rc, r;

	if ((r = own_file(l, &f, whyp)) != 0)
		return r;
	rc = f->pMethods->xRead(f, buf, (int)len, 0);
	if (rc == SQLITE_IOERR_SHORT_READ)
		return ledgerdb_altered(l, "the file was cut", whyp);
	return rc == SQLITE_OK ? 0 : ledgerdb_fail(l, rc, whyp);
}
