/* SPDX-License-Identifier: ISC */

/* What stands in the ledger's file beside rows: made once, then compared. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ca/signer/ledgerdb.h"

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

#define THINGS (sizeof(schema) / sizeof(schema[0]))

/*
 * Nothing is left to a default, for a distribution may have changed it.
 * synchronous=EXTRA also flushes the directory once the journal is gone.
 */
static const char
    settings[] = "PRAGMA cell_size_check = ON; PRAGMA trusted_schema = OFF;"
		 "PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY;"
		 "PRAGMA cache_spill = OFF; PRAGMA synchronous = EXTRA;";

static int
run(struct ledger *l, const char *sql, enum reason *whyp)
{
	int rc;

	errno = 0;
	rc = sqlite3_exec(l->db, sql, NULL, NULL, NULL);
	return rc == SQLITE_OK ? 0 : ledgerdb_fail(l, rc, whyp);
}

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
	 * the three constants.  Below: schema format, cache, vacuum, text
	 * encoding, vacuum, id, nothing behind it. */
	static const char begin[] = "SQLite format 3\0"
				    "\x10\0\1\1\0\x40\x20\x20";
	static const uint8_t zero[20];

	*whyp = AAD_R_LEDGER_ALTERED;
	if (len < LEDGERDB_HEADER || memcmp(p, begin, sizeof(begin) - 1) != 0 ||
	    be32(p + 44) != 4 || be32(p + 48) != 0 || be32(p + 52) != 0 ||
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

/* One lock for all of it, and memory for the indexes that are jumped in. */
int
ledgerdb_private(struct ledger *l, enum reason *whyp)
{
	static const char own[] = "PRAGMA locking_mode = EXCLUSIVE;"
				  "PRAGMA cache_size = -65536;";
	int r = run(l, settings, whyp);

	return r == 0 ? run(l, own, whyp) : r;
}
