/* SPDX-License-Identifier: ISC */

/*
 * ledgerdb: SQLite as the ledger uses it: one connection that runs nothing
 * which stands in the file, the one schema, every statement, and what
 * SQLite's codes mean to us.
 *
 * Threat: the file is the worst that somebody who could write it once could
 * make it (a backup, a moment as the ledger's user).  It may lie, and then it
 * is found or refused; it must not make SQLite do anything.
 */

#ifndef AAD_LEDGERDB_H
#define AAD_LEDGERDB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

#include "ca/signer/ledger.h"
#include "ca/signer/ledgerrow.h"
#include "core/err.h"
#include "core/reason.h"

#define LEDGERDB_FOLDER "ledger"
#define LEDGERDB_FILE	"ledger.db"
#define LEDGERDB_ID	0x61436131 /* "aCa1", PRAGMA application_id */
#define LEDGERDB_FORMAT 1 /* PRAGMA user_version */
#define LEDGERDB_PAGE	4096 /* bytes */
#define LEDGERDB_HEADER 100 /* bytes; sqlite.org/fileformat2.html s.1.3 */

/* Every statement whose text is always the same; the texts: ledgerdb.c. */
enum ledger_stmt {
	STMT_BEGIN = 0,
	STMT_COMMIT,
	STMT_ROLLBACK,
	STMT_INSERT,
	STMT_LAST, /* the last row */
	STMT_ROW, /* by seq */
	STMT_FROM, /* rows from a seq on, at most so many */
	STMT_PREPARED, /* by serial */
	STMT_DONE, /* ISSUED or FAILED, ISSUED first, by serial */
	STMT_REVOKED, /* the first, by serial */
	STMT_COUNT, /* PREPAREDs, by oid, since */
	STMT_DENIED_OID, /* the last DENIED or UNDENIED */
	STMT_DENIED_KEY,
	STMT_PIN, /* the last PIN or UNPIN, by login */
	STMT_REVOKED_ALL, /* authority and serial, by their end */
	STMT_LAST_END, /* by authority */
	STMT_LAST_USER, /* the last PREPARED of a user */
	STMT_BEFORE, /* PREPAREDs of a serial before a seq */
	STMT_SCHEMA,
	STMT_PAGES,
	STMT_INTEGRITY,
	STMT_MAX
};

struct ledger {
	sqlite3 *db;
	int dir; /* the judged DIR/ledger; -1: the database is in memory */
	sqlite3_stmt *stmts[STMT_MAX]; /* prepared when first asked for */
	int64_t tail; /* the row that this transaction appended last, or 0 */
	uint8_t tail_hash[32];
	char error[256];
};

/*
 * Connect: to the file of this name in the directory that is open at dir,
 * which must stay open, or for -1 to a new database in memory.  Of files, only
 * ledger.db can be written through it.  What is in it is not looked at.
 * *outp: NULL unless 0 is returned; then ledgerdb_close() ends it, but not
 * dir.
 * Returns as ledger_begin().
 */
int ledgerdb_connect(int dir, const char *name, struct ledger **outp,
    enum reason *whyp) AAD_MUST_CHECK;

void ledgerdb_close(struct ledger *l); /* NULL: a no-op */

/*
 * Whether a file that begins like this is a ledger of our format.
 * Returns 0; AAD_EFORMAT; AAD_EVERSION when it is of a newer one.
 */
int ledgerdb_header(const uint8_t *p, size_t len,
    enum reason *whyp) AAD_MUST_CHECK;

/*
 * Make our schema in an empty database / compare what there is with it, and
 * the pages with the file's size.
 * Return as ledger_begin().
 */
int ledgerdb_make(struct ledger *l, enum reason *whyp) AAD_MUST_CHECK;
int ledgerdb_check(struct ledger *l, enum reason *whyp) AAD_MUST_CHECK;

/* Settings of a connection to a file that is ours alone and is only read.
 * Returns as ledger_begin(). */
int ledgerdb_private(struct ledger *l, enum reason *whyp) AAD_MUST_CHECK;

/* SQLite's own descriptor of the file, through its functions. */
int ledgerdb_size(struct ledger *l, int64_t *sizep,
    enum reason *whyp) AAD_MUST_CHECK;
int ledgerdb_read(struct ledger *l, int64_t at, uint8_t *buf, size_t len,
    enum reason *whyp) AAD_MUST_CHECK;

/*
 * Open DIR/ledger below dirfd, or make it, judged; the caller closes *fdp.
 * Returns 0; AAD_ENOENT; AAD_EPERM; AAD_ESYS.
 */
int ledgerdb_folder(int dirfd, bool make, int *fdp) AAD_MUST_CHECK;

/*
 * Whether a ledger may get its name in the directory open at dir: neither one
 * nor anything that SQLite would act upon is there.
 * Returns 0; AAD_EEXIST; AAD_EPERM; AAD_ESYS.
 */
int ledgerdb_vacant(int dir) AAD_MUST_CHECK;

/* What SQLite's (extended) code is to us; keeps its words in l->error. */
int ledgerdb_fail(struct ledger *l, int rc, enum reason *whyp);

/* The same for what SQLite took for good. */
int ledgerdb_altered(struct ledger *l, const char *words, enum reason *whyp);

/* A statement, reset and without bindings; borrowed until l is closed. */
int ledgerdb_stmt(struct ledger *l, enum ledger_stmt which, sqlite3_stmt **stp,
    enum reason *whyp) AAD_MUST_CHECK;

/* One step; *yes: it stands on a row.  Returns as ledger_begin(). */
int ledgerdb_step(struct ledger *l, sqlite3_stmt *st, bool *yes,
    enum reason *whyp) AAD_MUST_CHECK;

/* The same of a statement that selects ROW_COLUMNS: *row is read, or zero
 * where there is none. */
int ledgerdb_row(struct ledger *l, sqlite3_stmt *st, struct row *row, bool *yes,
    enum reason *whyp) AAD_MUST_CHECK;

/* Give it back: its locks, its row and its bindings.  NULL: a no-op. */
void ledgerdb_done(sqlite3_stmt *st);

#endif /* AAD_LEDGERDB_H */
