/* SPDX-License-Identifier: ISC */

/*
 * What follows from the events.  Where one row decides, it is read whole and
 * its hash verified.
 */

#include <stdlib.h>
#include <string.h>

#include "ca/signer/ledgerdb.h"
#include "ca/signer/ledgerrow.h"
#include "core/text.h"

/* What a statement is asked for: its first parameter, and a second number. */
struct ask {
	const char *text;
	const uint8_t *hash;
	int64_t number;
	int64_t second; /* 0: there is none */
};

static int
ask(struct ledger *l, enum ledger_stmt which, const struct ask *a,
    sqlite3_stmt **stp, enum reason *whyp)
{
	int rc, r;

	if ((r = ledgerdb_stmt(l, which, stp, whyp)) != 0)
		return r;
	if (a->text != NULL)
		rc = sqlite3_bind_text(*stp, 1, a->text, -1, SQLITE_STATIC);
	else if (a->hash != NULL)
		rc = sqlite3_bind_blob(*stp, 1, a->hash, 32, SQLITE_STATIC);
	else
		rc = sqlite3_bind_int64(*stp, 1, a->number);
	if (rc == SQLITE_OK && a->second != 0)
		rc = sqlite3_bind_int64(*stp, 2, a->second);
	if (rc == SQLITE_OK)
		return 0;
	r = ledgerdb_fail(l, rc, whyp);
	ledgerdb_done(*stp);
	return r;
}

/* The one row, or *yes false. */
static int
one_row(struct ledger *l, enum ledger_stmt which, const struct ask *a,
    struct row *row, bool *yes, enum reason *whyp)
{
	sqlite3_stmt *st;
	int r;

	*yes = false;
	memset(row, 0, sizeof(*row));
	if ((r = ask(l, which, a, &st, whyp)) != 0)
		return r;
	r = ledgerdb_row(l, st, row, yes, whyp);
	ledgerdb_done(st);
	return r;
}

/* The one number; 0 for NULL. */
static int
one_number(struct ledger *l, enum ledger_stmt which, const struct ask *a,
    int64_t *np, enum reason *whyp)
{
	sqlite3_stmt *st;
	bool yes;
	int r;

	*np = 0;
	if ((r = ask(l, which, a, &st, whyp)) != 0)
		return r;
	r = ledgerdb_step(l, st, &yes, whyp);
	if (r == 0 && yes)
		*np = sqlite3_column_int64(st, 0);
	ledgerdb_done(st);
	return r;
}

/* A number of a serial as SQLite has it; those above are in no ledger. */
static bool
serial_ok(uint64_t serial)
{
	return serial >= 1 && serial <= INT64_MAX;
}

/* ---- single answers ------------------------------------------------- */

int
ledger_has_serial(struct ledger *l, uint64_t serial, bool *yes,
    enum reason *whyp)
{
	const struct ask a = { .number = (int64_t)serial };
	struct row row;
	int r;

	*yes = false;
	*whyp = AAD_R_UNSET;
	if (!serial_ok(serial))
		return 0;
	r = one_row(l, STMT_PREPARED, &a, &row, yes, whyp);
	event_release(&row.e);
	return r;
}

int
ledger_is_revoked(struct ledger *l, uint64_t serial, bool *yes,
    enum reason *whyp)
{
	const struct ask a = { .number = (int64_t)serial };
	struct row row;
	int r;

	*yes = false;
	*whyp = AAD_R_UNSET;
	if (!serial_ok(serial))
		return 0;
	r = one_row(l, STMT_REVOKED, &a, &row, yes, whyp);
	event_release(&row.e);
	return r;
}

int
ledger_hash(struct ledger *l, int64_t seq, bool *yes, uint8_t hash[static 32],
    enum reason *whyp)
{
	const struct ask a = { .number = seq };
	struct row row;
	int r;

	memset(hash, 0, 32);
	*whyp = AAD_R_UNSET;
	if ((r = one_row(l, STMT_ROW, &a, &row, yes, whyp)) == 0)
		memcpy(hash, row.hash, 32);
	event_release(&row.e);
	return r;
}

int
ledger_count(struct ledger *l, const char *oid, int64_t since, int64_t *np,
    enum reason *whyp)
{
	/* No row is of 1970, and 0 would bind nothing. */
	const struct ask a = { .text = oid, .second = since == 0 ? -1 : since };

	*whyp = AAD_R_UNSET;
	return one_number(l, STMT_COUNT, &a, np, whyp);
}

static int
in_force(struct ledger *l, enum ledger_stmt which, const struct ask *a,
    bool *yes, enum reason *whyp)
{
	struct row row;
	bool any;
	int r = one_row(l, which, a, &row, &any, whyp);

	*yes = r == 0 && any && row.e.kind == EVENT_DENIED;
	event_release(&row.e);
	return r;
}

int
ledger_denied(struct ledger *l, const char *oid, const uint8_t *key_hash,
    bool *oid_denied, bool *key_denied, enum reason *whyp)
{
	const struct ask by_oid = { .text = oid },
			 by_key = { .hash = key_hash };
	int r = 0;

	*oid_denied = *key_denied = false;
	*whyp = AAD_R_UNSET;
	if (oid != NULL)
		r = in_force(l, STMT_DENIED_OID, &by_oid, oid_denied, whyp);
	if (r == 0 && key_hash != NULL)
		r = in_force(l, STMT_DENIED_KEY, &by_key, key_denied, whyp);
	return r;
}

int
ledger_pin(struct ledger *l, const char *login,
    char tid[static NAME_GUID_LEN + 1], char oid[static NAME_GUID_LEN + 1],
    enum reason *whyp)
{
	const struct ask a = { .text = login };
	struct row row;
	bool yes;
	int r;

	tid[0] = oid[0] = '\0';
	*whyp = AAD_R_UNSET;
	if ((r = one_row(l, STMT_PIN, &a, &row, &yes, whyp)) != 0)
		return r;
	if (yes && row.e.kind == EVENT_PIN) {
		memcpy(tid, row.e.tid, NAME_GUID_LEN + 1);
		memcpy(oid, row.e.oid, NAME_GUID_LEN + 1);
	}
	event_release(&row.e);
	return 0;
}

int
ledger_last_end(struct ledger *l, const uint8_t ca_hash[static 32],
    int64_t *endp, enum reason *whyp)
{
	const struct ask a = { .hash = ca_hash };

	*whyp = AAD_R_UNSET;
	return one_number(l, STMT_LAST_END, &a, endp, whyp);
}

int
ledger_last_user(struct ledger *l, int64_t *atp, enum reason *whyp)
{
	sqlite3_stmt *st;
	struct row row;
	bool yes;
	int r;

	*atp = 0;
	*whyp = AAD_R_UNSET;
	if ((r = ledgerdb_stmt(l, STMT_LAST_USER, &st, whyp)) != 0)
		return r;
	r = ledgerdb_row(l, st, &row, &yes, whyp);
	ledgerdb_done(st);
	if (r == 0 && yes)
		*atp = row.e.at;
	event_release(&row.e);
	return r;
}

/* ---- certificates --------------------------------------------------- */

struct certs {
	struct ledger *l;
	const char *upn; /* or NULL */
	ledger_cert_fn *fn;
	void *arg;
	enum reason *whyp;
};

/* What became of it. */
static int
fate(struct certs *w, const struct event *e, struct row *done,
    struct row *revoked, struct ledger_cert *c)
{
	const struct ask a = { .number = (int64_t)e->serial };
	bool is_done, is_revoked;
	int r;

	if ((r = one_row(w->l, STMT_DONE, &a, done, &is_done, w->whyp)) != 0 ||
	    (r = one_row(w->l, STMT_REVOKED, &a, revoked, &is_revoked,
		 w->whyp)) != 0)
		return r;
	c->issued = is_done && done->e.kind == EVENT_ISSUED;
	c->failed = is_done && done->e.kind == EVENT_FAILED;
	c->done = done->e.body;
	c->revoked_at = is_revoked ? revoked->e.at : 0;
	c->revoked = revoked->e.body;
	return 0;
}

static bool
is_of(const struct event *e, const char *upn)
{
	const char *is = json_string_value(json_object_get(e->body, "upn"));

	return is != NULL && text_same_fold(is, upn);
}

static int
each_cert(void *arg, const struct event *e)
{
	struct certs *w = arg;
	struct row done = { .e = { 0 } }, revoked = { .e = { 0 } };
	struct ledger_cert c;
	int r;

	if (w->upn != NULL && !is_of(e, w->upn))
		return 0;
	memset(&c, 0, sizeof(c));
	c.serial = e->serial;
	c.type = e->type;
	c.at = e->at;
	c.valid_before = e->valid_before;
	memcpy(c.ca_hash, e->ca_hash, sizeof(c.ca_hash));
	memcpy(c.key_hash, e->key_hash, sizeof(c.key_hash));
	memcpy(c.oid, e->oid, sizeof(c.oid));
	memcpy(c.tid, e->tid, sizeof(c.tid));
	c.prepared = e->body;
	if ((r = fate(w, e, &done, &revoked, &c)) == 0)
		r = w->fn(w->arg, &c);
	event_release(&done.e);
	event_release(&revoked.e);
	return r;
}

int
ledger_certs(struct ledger *l, const struct ledger_filter *f,
    ledger_cert_fn *fn, void *arg, enum reason *whyp)
{
	struct certs w = { l, f->upn, fn, arg, whyp };
	struct ledger_filter prepared = *f;

	prepared.kind = EVENT_PREPARED;
	return ledger_each(l, &prepared, each_cert, &w, whyp);
}

int
ledger_revoked(struct ledger *l, int64_t after, ledger_serial_fn *fn, void *arg,
    enum reason *whyp)
{
	const struct ask a = { .number = after };
	sqlite3_stmt *st;
	const uint8_t *ca;
	bool yes;
	int r;

	*whyp = AAD_R_UNSET;
	if ((r = ask(l, STMT_REVOKED_ALL, &a, &st, whyp)) != 0)
		return r;
	while ((r = ledgerdb_step(l, st, &yes, whyp)) == 0 && yes) {
		ca = sqlite3_column_blob(st, 0);
		if (sqlite3_column_bytes(st, 0) != 32 ||
		    sqlite3_column_int64(st, 1) < 1) {
			r = ledgerdb_altered(l, "a serial is not of its form",
			    whyp);
			break;
		}
		if ((r = fn(arg, ca, (uint64_t)sqlite3_column_int64(st, 1))) !=
		    0)
			break;
	}
	ledgerdb_done(st);
	return r;
}

/* ---- keys of ours --------------------------------------------------- */

struct keys {
	struct held {
		struct ledger_key k;
		json_t *body; /* k.body is const */
	} * all;
	size_t n;
	enum reason *whyp;
};

/* The key of a row, a new one at the end. */
static struct held *
key_of(struct keys *w, const struct event *e)
{
	struct held *more;
	size_t i;

	for (i = 0; i < w->n; i++)
		if (w->all[i].k.role == e->role &&
		    memcmp(w->all[i].k.hash, e->key_hash, 32) == 0)
			return &w->all[i];
	if ((more = realloc(w->all, (w->n + 1) * sizeof(*more))) == NULL)
		return NULL;
	w->all = more;
	more += w->n++;
	memset(more, 0, sizeof(*more));
	more->k.role = e->role;
	memcpy(more->k.hash, e->key_hash, 32);
	return more;
}

static int
each_key(void *arg, const struct event *e)
{
	struct keys *w = arg;
	struct held *h = key_of(w, e);
	int64_t *began = NULL;

	if (h == NULL) {
		*w->whyp = AAD_R_NO_MEMORY;
		return AAD_ENOMEM;
	}
	switch (e->stage) {
	case CA_STAGE_PREPARED:
		began = &h->k.prepared_at;
		break;
	case CA_STAGE_ACTIVE:
		began = &h->k.active_at;
		break;
	case CA_STAGE_RETIRED:
		began = &h->k.retired_at;
		break;
	case CA_STAGE_REMOVED:
	case CA_STAGE_REVOKED:
	case CA_STAGE_NONE:
		began = &h->k.removed_at;
		break;
	}
	if (*began == 0)
		*began = e->at;
	h->k.stage = e->stage;
	json_decref(h->body);
	h->body = json_incref(e->body);
	h->k.body = h->body;
	return 0;
}

int
ledger_keys(struct ledger *l, ledger_key_fn *fn, void *arg, enum reason *whyp)
{
	const struct ledger_filter f = { .kind = EVENT_KEY };
	struct keys w = { NULL, 0, whyp };
	size_t i;
	int r;

	r = ledger_each(l, &f, each_key, &w, whyp);
	for (i = 0; r == 0 && i < w.n; i++)
		r = fn(arg, &w.all[i].k);
	for (i = 0; i < w.n; i++)
		json_decref(w.all[i].body);
	free(w.all);
	return r;
}
