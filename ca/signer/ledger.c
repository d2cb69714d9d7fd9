/* SPDX-License-Identifier: ISC */

/* Transactions, the chain's end, and walks over the rows. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ca/signer/ledgerdb.h"
#include "ca/signer/ledgerrow.h"

/* The text of a walk's statement: every member's part once. */
#define WALK_MAX 512

const char *
ledger_error(const struct ledger *l)
{
	return l->error;
}

/* ---- transactions --------------------------------------------------- */

static int
run(struct ledger *l, enum ledger_stmt which, enum reason *whyp)
{
	sqlite3_stmt *st;
	bool yes;
	int r;

	if ((r = ledgerdb_stmt(l, which, &st, whyp)) != 0)
		return r;
	r = ledgerdb_step(l, st, &yes, whyp);
	ledgerdb_done(st);
	return r;
}

int
ledger_begin(struct ledger *l, enum reason *whyp)
{
	sqlite3_stmt *st;
	int r;

	*whyp = AAD_R_UNSET;
	if (!sqlite3_get_autocommit(l->db))
		return AAD_EARG;
	l->tail = 0;
	/* No way in without the way out: there may be no memory then. */
	if ((r = ledgerdb_stmt(l, STMT_ROLLBACK, &st, whyp)) != 0)
		return r;
	return run(l, STMT_BEGIN, whyp);
}

int
ledger_commit(struct ledger *l, enum reason *whyp)
{
	int r;

	*whyp = AAD_R_UNSET;
	if (sqlite3_get_autocommit(l->db))
		return AAD_EARG;
	if ((r = run(l, STMT_COMMIT, whyp)) != 0)
		ledger_rollback(l);
	return r;
}

void
ledger_rollback(struct ledger *l)
{
	enum reason why;

	/* Where even that fails, closing the file does it. */
	if (!sqlite3_get_autocommit(l->db))
		(void)run(l, STMT_ROLLBACK, &why);
}

/* ---- single rows ---------------------------------------------------- */

static int
one(struct ledger *l, sqlite3_stmt *st, bool bare, struct row *row, bool *yes,
    enum reason *whyp)
{
	const char *fault, *body;
	int r;

	memset(row, 0, sizeof(*row));
	if ((r = ledgerdb_step(l, st, yes, whyp)) != 0 || !*yes)
		return r;
	r = bare ? row_check(st, row, &body, &fault)
		 : row_read(st, row, &fault);
	if (r == AAD_EFORMAT)
		return ledgerdb_altered(l, fault, whyp);
	return r == 0 ? 0 : ledgerdb_fail(l, SQLITE_NOMEM, whyp);
}

int
ledgerdb_row(struct ledger *l, sqlite3_stmt *st, struct row *row, bool *yes,
    enum reason *whyp)
{
	return one(l, st, false, row, yes, whyp);
}

static int
last(struct ledger *l, struct row *row, enum reason *whyp)
{
	sqlite3_stmt *st;
	bool yes;
	int r;

	if ((r = ledgerdb_stmt(l, STMT_LAST, &st, whyp)) != 0)
		return r;
	r = ledgerdb_row(l, st, row, &yes, whyp);
	ledgerdb_done(st);
	if (r == 0 && yes && (row->e.seq < 1 || row->e.seq == INT64_MAX)) {
		event_release(&row->e);
		return ledgerdb_altered(l, "the last row's seq is none", whyp);
	}
	return r;
}

int
ledger_head(struct ledger *l, int64_t *lenp, uint8_t head[static 32],
    enum reason *whyp)
{
	struct row row;
	int r;

	*lenp = 0;
	memset(head, 0, 32);
	if ((r = last(l, &row, whyp)) != 0)
		return r;
	*lenp = row.e.seq;
	memcpy(head, row.hash, 32);
	event_release(&row.e);
	return 0;
}

static int
insert(struct ledger *l, const struct event *e, const char *body,
    const uint8_t prev[static 32], enum reason *whyp)
{
	uint8_t hash[32];
	sqlite3_stmt *st;
	int rc, r;

	row_hash(e, body, prev, hash);
	if ((r = ledgerdb_stmt(l, STMT_INSERT, &st, whyp)) != 0)
		return r;
	if ((rc = row_bind(st, e, body, prev, hash)) == SQLITE_OK) {
		errno = 0;
		rc = sqlite3_step(st);
	}
	if (rc == SQLITE_CONSTRAINT_UNIQUE) {
		*whyp = AAD_R_UNSET;
		r = AAD_EEXIST;
	} else if (rc != SQLITE_DONE) {
		r = ledgerdb_fail(l, rc, whyp);
	}
	ledgerdb_done(st);
	if (r == 0) {
		l->tail = e->seq;
		memcpy(l->tail_hash, hash, sizeof(hash));
	}
	return r;
}

/* The row that the next one follows; within a transaction. */
static int
end_of(struct ledger *l, int64_t *seqp, uint8_t hash[static 32],
    enum reason *whyp)
{
	if (l->tail == 0)
		return ledger_head(l, seqp, hash, whyp);
	*seqp = l->tail;
	memcpy(hash, l->tail_hash, 32);
	return 0;
}

int
ledger_append(struct ledger *l, struct event *e, enum reason *whyp)
{
	char *body = NULL;
	uint8_t end[32];
	int64_t seq;
	int r;

	*whyp = AAD_R_UNSET;
	if (sqlite3_get_autocommit(l->db) || !row_event_ok(e))
		return AAD_EARG;
	if ((r = row_body(e->body, &body)) != 0) {
		if (r == AAD_ENOMEM)
			*whyp = AAD_R_NO_MEMORY;
		return r;
	}
	if ((r = end_of(l, &seq, end, whyp)) == 0) {
		e->seq = seq + 1;
		r = insert(l, e, body, end, whyp);
	}
	free(body);
	return r;
}

/* ---- walks ---------------------------------------------------------- */

/*
 * The rows that pass, by their seq alone: a walk holds no lock while what it
 * calls works (or waits for a terminal), and rows once written stay as they
 * are.
 */
struct picked {
	int64_t *seqs;
	size_t n, cap;
};

static void
add(char text[static WALK_MAX], bool asked, const char *part)
{
	size_t at = strlen(text);

	if (asked)
		memcpy(text + at, part, strlen(part) + 1);
}

/*
 * Every part names the condition of its index, too.  A unary plus keeps
 * SQLite, which has no idea how many rows a kind has, from the index of
 * kinds (and from the whole table, for its order) where another is narrower.
 */
static void
walk_text(const struct ledger_filter *f, char out[static WALK_MAX])
{
	bool equal = f->serial != 0 || f->oid != NULL || f->login != NULL ||
		     f->key_hash != NULL || f->ca_hash != NULL ||
		     f->token_hash != NULL;
	bool range = f->since != 0 || f->valid_after != 0;
	bool kind = f->kind != EVENT_NONE;

	out[0] = '\0';
	add(out, true, "SELECT seq FROM event WHERE 1");
	add(out, kind && (equal || !range), " AND kind = ?1");
	add(out, kind && range && !equal, " AND +kind = ?1");
	add(out, f->serial != 0, " AND serial = ?2 AND serial > 0");
	add(out, f->oid != NULL, " AND oid = ?3 AND oid > ''");
	add(out, f->login != NULL, " AND login = ?4 AND login > ''");
	add(out, f->key_hash != NULL, " AND key_hash = ?5");
	add(out, f->ca_hash != NULL, " AND ca_hash = ?6");
	add(out, f->token_hash != NULL, " AND token_hash = ?7");
	add(out, f->since != 0, " AND at >= ?8");
	add(out, f->valid_after != 0,
	    " AND valid_before > ?9 AND valid_before > 0");
	add(out, equal || range, " ORDER BY +seq");
	add(out, !equal && !range, " ORDER BY seq");
}

/* Numbers that the text does not have are out of range, which is no error. */
static int
walk_bind(sqlite3_stmt *st, const struct ledger_filter *f)
{
	const struct {
		const void *p;
		int at;
		bool text;
	} values[] = {
		{ f->kind == EVENT_NONE ? NULL : event_kind_name(f->kind), 1,
		    true },
		{ f->oid, 3, true },
		{ f->login, 4, true },
		{ f->key_hash, 5, false },
		{ f->ca_hash, 6, false },
		{ f->token_hash, 7, false },
	};
	const int64_t numbers[3] = { (int64_t)f->serial, f->since,
		f->valid_after };
	static const int at[3] = { 2, 8, 9 };
	size_t i;
	int rc = SQLITE_OK;

	for (i = 0; rc == SQLITE_OK && i < sizeof(values) / sizeof(values[0]);
	     i++)
		if (values[i].p != NULL)
			rc = values[i].text
				 ? sqlite3_bind_text(st, values[i].at,
				       values[i].p, -1, SQLITE_STATIC)
				 : sqlite3_bind_blob(st, values[i].at,
				       values[i].p, 32, SQLITE_STATIC);
	for (i = 0; rc == SQLITE_OK && i < 3; i++)
		if (numbers[i] != 0)
			rc = sqlite3_bind_int64(st, at[i], numbers[i]);
	return rc;
}

static int
keep(struct ledger *l, struct picked *p, int64_t seq, enum reason *whyp)
{
	size_t cap = p->cap == 0 ? 64 : p->cap * 2;
	int64_t *more;

	if (p->n == p->cap) {
		if ((more = realloc(p->seqs, cap * sizeof(*more))) == NULL)
			return ledgerdb_fail(l, SQLITE_NOMEM, whyp);
		p->seqs = more;
		p->cap = cap;
	}
	p->seqs[p->n++] = seq;
	return 0;
}

static int
pick(struct ledger *l, const struct ledger_filter *f, struct picked *p,
    enum reason *whyp)
{
	char text[WALK_MAX];
	sqlite3_stmt *st = NULL;
	bool yes;
	int rc, r;

	walk_text(f, text);
	errno = 0; /* see ledgerdb_fail() */
	if ((rc = sqlite3_prepare_v2(l->db, text, -1, &st, NULL)) !=
		SQLITE_OK ||
	    (rc = walk_bind(st, f)) != SQLITE_OK)
		r = ledgerdb_fail(l, rc, whyp);
	else
		r = 0;
	while (r == 0 && (r = ledgerdb_step(l, st, &yes, whyp)) == 0 && yes)
		r = keep(l, p, sqlite3_column_int64(st, 0), whyp);
	(void)sqlite3_finalize(st);
	return r;
}

static bool
same_hash(const uint8_t *want, bool has, const uint8_t *hash)
{
	return want == NULL || (has && memcmp(want, hash, 32) == 0);
}

/* An index may have led to a wrong row. */
static bool
passes(const struct ledger_filter *f, const struct event *e)
{
	return (f->kind == EVENT_NONE || e->kind == f->kind) &&
	       (f->serial == 0 || e->serial == f->serial) &&
	       (f->oid == NULL || strcmp(f->oid, e->oid) == 0) &&
	       (f->login == NULL || strcmp(f->login, e->login) == 0) &&
	       same_hash(f->key_hash, e->has_key, e->key_hash) &&
	       same_hash(f->ca_hash, e->has_ca, e->ca_hash) &&
	       same_hash(f->token_hash, e->has_token, e->token_hash) &&
	       (f->since == 0 || e->at >= f->since) &&
	       (f->valid_after == 0 || e->valid_before > f->valid_after);
}

static int
fetch(struct ledger *l, int64_t seq, const struct ledger_filter *f,
    struct row *row, enum reason *whyp)
{
	sqlite3_stmt *st;
	bool yes;
	int rc, r;

	if ((r = ledgerdb_stmt(l, STMT_ROW, &st, whyp)) != 0)
		return r;
	if ((rc = sqlite3_bind_int64(st, 1, seq)) != SQLITE_OK)
		r = ledgerdb_fail(l, rc, whyp);
	else
		r = one(l, st, f->bare, row, &yes, whyp);
	ledgerdb_done(st);
	if (r == 0 && (!yes || !passes(f, &row->e))) {
		event_release(&row->e);
		return ledgerdb_altered(l, "an index leads to a wrong row",
		    whyp);
	}
	return r;
}

int
ledger_each(struct ledger *l, const struct ledger_filter *f,
    ledger_event_fn *fn, void *arg, enum reason *whyp)
{
	struct picked p = { NULL, 0, 0 };
	struct row row;
	size_t i;
	int r;

	*whyp = AAD_R_UNSET;
	r = pick(l, f, &p, whyp);
	for (i = 0; r == 0 && i < p.n; i++) {
		if ((r = fetch(l, p.seqs[i], f, &row, whyp)) != 0)
			break;
		r = fn(arg, &row.e);
		event_release(&row.e);
	}
	free(p.seqs);
	return r;
}
