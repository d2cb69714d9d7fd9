/* SPDX-License-Identifier: ISC */

/* The whole chain, row by row. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/signer/ledgerdb.h"
#include "ca/signer/ledgerrow.h"
#include "core/text.h"

#define AT_ONCE	   256 /* rows; others may write between two lots */
#define FAULT_TEXT 200 /* bytes of a sentence */

struct check {
	struct ledger *l;
	ledger_fault_fn *fault;
	ledger_hash_fn *hash_at;
	void *arg;
	size_t faults;
	int64_t next; /* the seq to come */
	uint8_t prev[32]; /* what it must name */
	enum reason *whyp;
};

static void
complain(struct check *c, int64_t seq, const char *text)
{
	c->faults++;
	if (c->fault != NULL)
		c->fault(c->arg, seq, text);
}

/* An error that says the file is bad is a fault, and the walk goes on. */
static int
unless_altered(struct check *c, int r)
{
	if (r != AAD_EFORMAT)
		return r;
	complain(c, 0, c->l->error);
	return 0;
}

/* Pages, and that each index has each row, as SQLite itself sees it. */
static int
check_file(struct check *c)
{
	char text[FAULT_TEXT];
	sqlite3_stmt *st;
	const char *s;
	bool yes;
	int r;

	if ((r = unless_altered(c, ledgerdb_check(c->l, c->whyp))) != 0 ||
	    (r = ledgerdb_stmt(c->l, STMT_INTEGRITY, &st, c->whyp)) != 0)
		return unless_altered(c, r);
	while ((r = ledgerdb_step(c->l, st, &yes, c->whyp)) == 0 && yes) {
		s = (const char *)sqlite3_column_text(st, 0);
		if (s == NULL) {
			r = ledgerdb_fail(c->l, SQLITE_NOMEM, c->whyp);
			break;
		}
		if (strcmp(s, "ok") != 0)
			complain(c, 0,
			    text_clean(s, strlen(s), text, sizeof(text)));
	}
	ledgerdb_done(st);
	return unless_altered(c, r);
}

/* A certificate's rows: PREPARED once, and before what became of it. */
static int
check_serial(struct check *c, const struct event *e)
{
	sqlite3_stmt *st;
	int64_t before = 0;
	bool yes;
	int rc, r;

	if (e->kind != EVENT_PREPARED && e->kind != EVENT_ISSUED &&
	    e->kind != EVENT_FAILED)
		return 0;
	if ((r = ledgerdb_stmt(c->l, STMT_BEFORE, &st, c->whyp)) != 0)
		return r;
	if ((rc = sqlite3_bind_int64(st, 1, (int64_t)e->serial)) != SQLITE_OK ||
	    (rc = sqlite3_bind_int64(st, 2, e->seq)) != SQLITE_OK)
		r = ledgerdb_fail(c->l, rc, c->whyp);
	else
		r = ledgerdb_step(c->l, st, &yes, c->whyp);
	if (r == 0)
		before = sqlite3_column_int64(st, 0);
	ledgerdb_done(st);
	if (r != 0)
		return r;
	if (e->kind == EVENT_PREPARED && before != 0)
		complain(c, e->seq, "its serial was prepared before");
	if (e->kind != EVENT_PREPARED && before != 1)
		complain(c, e->seq, "its serial was not prepared before");
	return 0;
}

/* How a row follows the one before it. */
static void
check_link(struct check *c, const struct row *row)
{
	if (row->e.seq != c->next)
		complain(c, row->e.seq, "rows before it are missing");
	else if (memcmp(row->prev, c->prev, sizeof(c->prev)) != 0)
		complain(c, row->e.seq, "it does not follow the row before");
	if (c->hash_at != NULL)
		c->hash_at(c->arg, row->e.seq, row->hash);
	memcpy(c->prev, row->hash, sizeof(c->prev));
	c->next = row->e.seq == INT64_MAX ? INT64_MAX : row->e.seq + 1;
}

/* What a statement stands on. */
static int
check_row(struct check *c, sqlite3_stmt *st)
{
	const char *fault;
	struct row row;
	int r = row_read(st, &row, &fault);

	if (r == AAD_ENOMEM)
		return ledgerdb_fail(c->l, SQLITE_NOMEM, c->whyp);
	check_link(c, &row);
	if (r != 0)
		complain(c, row.e.seq, fault);
	else
		r = check_serial(c, &row.e);
	event_release(&row.e);
	return r == AAD_EFORMAT ? 0 : r;
}

/* The next rows; *more: there were any. */
static int
check_some(struct check *c, int64_t from, bool *more)
{
	sqlite3_stmt *st;
	bool yes;
	int rc, r;

	*more = false;
	if ((r = ledgerdb_stmt(c->l, STMT_FROM, &st, c->whyp)) != 0)
		return r;
	if ((rc = sqlite3_bind_int64(st, 1, from)) != SQLITE_OK ||
	    (rc = sqlite3_bind_int64(st, 2, AT_ONCE)) != SQLITE_OK)
		r = ledgerdb_fail(c->l, rc, c->whyp);
	while (r == 0 && (r = ledgerdb_step(c->l, st, &yes, c->whyp)) == 0 &&
	       yes) {
		*more = true;
		r = check_row(c, st);
	}
	ledgerdb_done(st);
	return r;
}

int
ledger_verify(struct ledger *l, ledger_fault_fn *fault, ledger_hash_fn *hash_at,
    void *arg, size_t *faultsp, enum reason *whyp)
{
	struct check c = { .l = l,
		.fault = fault,
		.hash_at = hash_at,
		.arg = arg,
		.next = 1,
		.whyp = whyp };
	bool more = true;
	int64_t from = INT64_MIN;
	int r;

	*faultsp = 0;
	*whyp = AAD_R_UNSET;
	r = check_file(&c);
	while (r == 0 && more) {
		r = check_some(&c, from, &more);
		if (c.next <= from)
			break; /* the last seq there can be, or no order */
		from = c.next;
	}
	r = unless_altered(&c, r);
	*faultsp = c.faults;
	return r;
}
