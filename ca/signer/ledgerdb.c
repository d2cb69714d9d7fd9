/* SPDX-License-Identifier: ISC */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/signer/ledgerdb.h"
#include "ca/signer/ledgerrow.h"
#include "core/text.h"

/* bytes; of a row, its body with room for what surrounds it */
#define ROW_MAX (4 * LEDGER_BODY_MAX)

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
	[STMT_LAST_USER] = SELECT_EVENT "WHERE kind = 'prepared'"
					" AND type = 'user'"
					" ORDER BY seq DESC LIMIT 1",
	[STMT_BEFORE] = "SELECT count(*) FROM event"
			" WHERE serial = ?1 AND serial > 0"
			" AND kind = 'prepared' AND seq < ?2",
	[STMT_SCHEMA] = "SELECT type, name, tbl_name, sql FROM sqlite_schema"
			" ORDER BY rowid",
	[STMT_PAGES] = "PRAGMA page_count",
	[STMT_INTEGRITY] = "PRAGMA integrity_check(100)",
};

/* ---- errors --------------------------------------------------------- */

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
	bool unreadable = errno == EIO || errno == ENXIO;
	const char *words = sqlite3_errmsg(l->db);
	char clean[160];

	/* The connection may know of another error than the one at hand. */
	if (sqlite3_extended_errcode(l->db) != rc)
		words = sqlite3_errstr(rc);
	snprintf(l->error, sizeof(l->error), "%s (code %d, errno %d)",
	    text_clean(words, strlen(words), clean, sizeof(clean)), rc,
	    sqlite3_system_errno(l->db));
	/* SQLite calls it corrupt when the disk does not give a page. */
	if ((rc & 0xff) == SQLITE_CORRUPT && unreadable)
		rc = SQLITE_IOERR;
	return meaning(rc, whyp);
}

int
ledgerdb_altered(struct ledger *l, const char *words, enum reason *whyp)
{
	snprintf(l->error, sizeof(l->error), "%s", words);
	*whyp = AAD_R_LEDGER_ALTERED;
	return AAD_EFORMAT;
}

/* ---- statements ----------------------------------------------------- */

int
ledgerdb_stmt(struct ledger *l, enum ledger_stmt which, sqlite3_stmt **stp,
    enum reason *whyp)
{
	int rc;

	*stp = NULL;
	if (l->stmts[which] == NULL) {
		errno = 0;
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
	int rc;

	errno = 0; /* see ledgerdb_fail() */
	rc = sqlite3_step(st);
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

/* ---- the connection ------------------------------------------------- */

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
ledgerdb_connect(int dir, const char *name, struct ledger **outp,
    enum reason *whyp)
{
	const bool writes = dir == -1 || strcmp(name, LEDGERDB_FILE) == 0;
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
		snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", dir, name);
	if ((rc = register_vfs()) == SQLITE_OK)
		rc = sqlite3_open_v2(path, &l->db,
		    (writes ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY) |
			SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
			SQLITE_OPEN_PRIVATECACHE,
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

/* ---- the file below ------------------------------------------------- */

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
ledgerdb_read(struct ledger *l, int64_t at, uint8_t *buf, size_t len,
    enum reason *whyp)
{
	sqlite3_file *f;
	int rc, r;

	if ((r = own_file(l, &f, whyp)) != 0)
		return r;
	rc = f->pMethods->xRead(f, buf, (int)len, at);
	if (rc == SQLITE_IOERR_SHORT_READ)
		return ledgerdb_altered(l, "the file was cut", whyp);
	return rc == SQLITE_OK ? 0 : ledgerdb_fail(l, rc, whyp);
}
