/* SPDX-License-Identifier: ISC */

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "ca/signer/ledgerrow.h"
#include "core/strictjson.h"

/* The version is in here, too: other columns are another hash. */
static const char label[] = "aadssh ledger 1";

static const char *const kinds[] = { "", "prepared", "issued", "failed",
	"revoked", "denied", "undenied", "pin", "unpin", "key", "published",
	"restored" };
static const char *const roles[] = { "", "user", "host", "bundle", "recovery" };
static const char *const stages[] = { "", "prepared", "active", "retired",
	"removed", "revoked" };
static const char *const types[] = { "", "user", "host" };

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* The place of a name in a table; 0 when it is not there. */
static unsigned int
find(const char *const *table, size_t n, const char *name)
{
	unsigned int i;

	for (i = 1; name != NULL && i < n; i++)
		if (strcmp(table[i], name) == 0)
			return i;
	return 0;
}

const char *
event_kind_name(enum event_kind k)
{
	return (size_t)k < COUNT(kinds) ? kinds[k] : "";
}

const char *
ca_role_name(enum ca_role r)
{
	return (size_t)r < COUNT(roles) ? roles[r] : "";
}

const char *
ca_stage_name(enum ca_stage s)
{
	return (size_t)s < COUNT(stages) ? stages[s] : "";
}

const char *
row_type_name(enum cert_type t)
{
	return (size_t)t < COUNT(types) ? types[t] : "";
}

enum event_kind
event_kind_find(const char *name)
{
	return (enum event_kind)find(kinds, COUNT(kinds), name);
}

enum ca_role
ca_role_find(const char *name)
{
	return (enum ca_role)find(roles, COUNT(roles), name);
}

enum ca_stage
ca_stage_find(const char *name)
{
	return (enum ca_stage)find(stages, COUNT(stages), name);
}

void
event_release(struct event *e)
{
	json_decref(e->body);
	e->body = NULL;
}

static bool
guid_or_none(const char *s)
{
	return s[0] == '\0' || name_guid_ok(s);
}

/* What every kind may have, and no other value. */
static bool
columns_ok(const struct event *e)
{
	return e->at >= 0 && e->kind > EVENT_NONE &&
	       (size_t)e->kind < COUNT(kinds) && e->serial <= INT64_MAX &&
	       (size_t)e->type < COUNT(types) &&
	       (size_t)e->role < COUNT(roles) &&
	       (size_t)e->stage < COUNT(stages) && guid_or_none(e->tid) &&
	       guid_or_none(e->oid) && e->valid_before >= 0 &&
	       (e->login[0] == '\0' || name_login_ok(e->login));
}

bool
row_event_ok(const struct event *e)
{
	if (!columns_ok(e))
		return false;
	switch (e->kind) {
	case EVENT_PREPARED:
		return e->serial != 0 && e->type != CERT_NONE && e->has_ca &&
		       e->has_key && e->valid_before > 0;
	case EVENT_ISSUED:
	case EVENT_FAILED:
	case EVENT_REVOKED:
		return e->serial != 0;
	case EVENT_DENIED:
	case EVENT_UNDENIED:
		return e->oid[0] != '\0' || e->has_key;
	case EVENT_PIN:
		return e->login[0] != '\0' && e->tid[0] != '\0' &&
		       e->oid[0] != '\0';
	case EVENT_UNPIN:
		return e->login[0] != '\0';
	case EVENT_KEY:
		return e->role != CA_ROLE_NONE && e->stage != CA_STAGE_NONE &&
		       e->has_key;
	case EVENT_PUBLISHED:
	case EVENT_RESTORED:
	case EVENT_NONE:
		break;
	}
	return true;
}

int
row_body(const json_t *body, char **outp)
{
	json_t *back = NULL;
	char *text;
	int r;

	*outp = NULL;
	if (body != NULL && !json_is_object(body))
		return AAD_EARG;
	text = body != NULL ? strictjson_sorted(body) : strdup("{}");
	if (text == NULL)
		return AAD_ENOMEM;
	if (strlen(text) > LEDGER_BODY_MAX)
		r = AAD_ETOOBIG;
	else if ((r = strictjson_load(text, strlen(text), &back)) ==
		 AAD_EFORMAT)
		r = AAD_EARG;
	json_decref(back);
	if (r != 0) {
		free(text);
		return r;
	}
	*outp = text;
	return 0;
}

static void
be(uint64_t n, size_t len, uint8_t *out)
{
	while (len-- > 0) {
		out[len] = (uint8_t)n;
		n >>= 8;
	}
}

static void
hash_bytes(crypto_hash_sha256_state *h, const void *p, size_t len)
{
	uint8_t n[4];

	be(len, sizeof(n), n);
	crypto_hash_sha256_update(h, n, sizeof(n));
	crypto_hash_sha256_update(h, p, len);
}

static void
hash_text(crypto_hash_sha256_state *h, const char *s)
{
	hash_bytes(h, s, strlen(s));
}

static void
hash_number(crypto_hash_sha256_state *h, uint64_t number)
{
	uint8_t n[8];

	be(number, sizeof(n), n);
	hash_bytes(h, n, sizeof(n));
}

void
row_hash(const struct event *e, const char *body, const uint8_t prev[static 32],
    uint8_t out[static 32])
{
	crypto_hash_sha256_state h;

	crypto_hash_sha256_init(&h);
	crypto_hash_sha256_update(&h, (const uint8_t *)label, sizeof(label));
	crypto_hash_sha256_update(&h, prev, 32);
	hash_number(&h, (uint64_t)e->seq);
	hash_number(&h, (uint64_t)e->at);
	hash_text(&h, event_kind_name(e->kind));
	hash_number(&h, e->serial);
	hash_text(&h, row_type_name(e->type));
	hash_text(&h, ca_role_name(e->role));
	hash_text(&h, ca_stage_name(e->stage));
	hash_bytes(&h, e->ca_hash, e->has_ca ? 32 : 0);
	hash_bytes(&h, e->key_hash, e->has_key ? 32 : 0);
	hash_bytes(&h, e->token_hash, e->has_token ? 32 : 0);
	hash_text(&h, e->tid);
	hash_text(&h, e->oid);
	hash_text(&h, e->login);
	hash_number(&h, (uint64_t)e->valid_before);
	hash_text(&h, body);
	crypto_hash_sha256_final(&h, out);
}

/* ---- to SQLite ------------------------------------------------------ */

static int
bind_text(sqlite3_stmt *st, int at, const char *s)
{
	return sqlite3_bind_text(st, at, s, -1, SQLITE_STATIC);
}

static int
bind_hash(sqlite3_stmt *st, int at, bool has, const uint8_t *hash)
{
	return has ? sqlite3_bind_blob(st, at, hash, 32, SQLITE_STATIC)
		   : sqlite3_bind_null(st, at);
}

int
row_bind(sqlite3_stmt *st, const struct event *e, const char *body,
    const uint8_t prev[static 32], const uint8_t hash[static 32])
{
	int rc;

	if ((rc = sqlite3_bind_int64(st, 1, e->seq)) != SQLITE_OK ||
	    (rc = sqlite3_bind_int64(st, 2, e->at)) != SQLITE_OK ||
	    (rc = bind_text(st, 3, event_kind_name(e->kind))) != SQLITE_OK ||
	    (rc = sqlite3_bind_int64(st, 4, (sqlite3_int64)e->serial)) !=
		SQLITE_OK ||
	    (rc = bind_text(st, 5, row_type_name(e->type))) != SQLITE_OK ||
	    (rc = bind_text(st, 6, ca_role_name(e->role))) != SQLITE_OK ||
	    (rc = bind_text(st, 7, ca_stage_name(e->stage))) != SQLITE_OK ||
	    (rc = bind_hash(st, 8, e->has_ca, e->ca_hash)) != SQLITE_OK ||
	    (rc = bind_hash(st, 9, e->has_key, e->key_hash)) != SQLITE_OK ||
	    (rc = bind_hash(st, 10, e->has_token, e->token_hash)) !=
		SQLITE_OK ||
	    (rc = bind_text(st, 11, e->tid)) != SQLITE_OK ||
	    (rc = bind_text(st, 12, e->oid)) != SQLITE_OK ||
	    (rc = bind_text(st, 13, e->login)) != SQLITE_OK ||
	    (rc = sqlite3_bind_int64(st, 14, e->valid_before)) != SQLITE_OK ||
	    (rc = bind_text(st, 15, body)) != SQLITE_OK ||
	    (rc = bind_hash(st, 16, true, prev)) != SQLITE_OK ||
	    (rc = bind_hash(st, 17, true, hash)) != SQLITE_OK)
		return rc;
	return SQLITE_OK;
}

/* ---- from SQLite ---------------------------------------------------- */

/* A row being read, column after column; the first error sticks. */
struct reader {
	sqlite3_stmt *st;
	int r;
};

static int64_t
get_number(struct reader *d, int at)
{
	if (sqlite3_column_type(d->st, at) != SQLITE_INTEGER) {
		d->r = d->r == 0 ? AAD_EFORMAT : d->r;
		return 0;
	}
	return sqlite3_column_int64(d->st, at);
}

/* Text of at most max bytes without a NUL; "" after an error. */
static const char *
get_text(struct reader *d, int at, size_t max)
{
	const char *s;
	size_t len;

	if (d->r != 0)
		return "";
	if (sqlite3_column_type(d->st, at) != SQLITE_TEXT) {
		d->r = AAD_EFORMAT;
		return "";
	}
	s = (const char *)sqlite3_column_text(d->st, at);
	len = (size_t)sqlite3_column_bytes(d->st, at);
	if (s == NULL)
		d->r = AAD_ENOMEM;
	else if (len > max || strlen(s) != len)
		d->r = AAD_EFORMAT;
	return d->r == 0 ? s : "";
}

/* A name of a table; 0 for "", which is an error unless it may be empty. */
static unsigned int
get_name(struct reader *d, int at, const char *const *table, size_t n,
    bool empty)
{
	const char *s = get_text(d, at, 16);
	unsigned int i = find(table, n, s);

	if (i == 0 && d->r == 0 && (!empty || s[0] != '\0'))
		d->r = AAD_EFORMAT;
	return i;
}

static void
get_copy(struct reader *d, int at, char *out, size_t max)
{
	const char *s = get_text(d, at, max);

	memcpy(out, s, strlen(s) + 1);
}

/* 32 bytes, or NULL where that may be. */
static bool
get_hash(struct reader *d, int at, bool null, uint8_t out[static 32])
{
	const void *p;

	if (null && sqlite3_column_type(d->st, at) == SQLITE_NULL)
		return false;
	if (sqlite3_column_type(d->st, at) != SQLITE_BLOB ||
	    sqlite3_column_bytes(d->st, at) != 32) {
		d->r = d->r == 0 ? AAD_EFORMAT : d->r;
		return false;
	}
	/* The bytes lie in the row already, so this allocates nothing. */
	p = sqlite3_column_blob(d->st, at);
	if (p != NULL)
		memcpy(out, p, 32);
	else if (d->r == 0)
		d->r = AAD_ENOMEM;
	return p != NULL;
}

static void
get_columns(struct reader *d, struct row *row)
{
	struct event *e = &row->e;
	int64_t serial;

	e->seq = get_number(d, 0);
	(void)get_hash(d, 16, false, row->hash);
	(void)get_hash(d, 15, false, row->prev);
	e->at = get_number(d, 1);
	e->kind = (enum event_kind)get_name(d, 2, kinds, COUNT(kinds), false);
	if ((serial = get_number(d, 3)) < 0 && d->r == 0)
		d->r = AAD_EFORMAT;
	e->serial = (uint64_t)serial;
	e->type = (enum cert_type)get_name(d, 4, types, COUNT(types), true);
	e->role = (enum ca_role)get_name(d, 5, roles, COUNT(roles), true);
	e->stage = (enum ca_stage)get_name(d, 6, stages, COUNT(stages), true);
	e->has_ca = get_hash(d, 7, true, e->ca_hash);
	e->has_key = get_hash(d, 8, true, e->key_hash);
	e->has_token = get_hash(d, 9, true, e->token_hash);
	get_copy(d, 10, e->tid, NAME_GUID_LEN);
	get_copy(d, 11, e->oid, NAME_GUID_LEN);
	get_copy(d, 12, e->login, LEDGER_LOGIN_MAX);
	e->valid_before = get_number(d, 13);
}

int
row_check(sqlite3_stmt *st, struct row *row, const char **bodyp,
    const char **faultp)
{
	struct reader d = { st, 0 };
	uint8_t hash[32];

	memset(row, 0, sizeof(*row));
	*faultp = "a column is not of its form";
	get_columns(&d, row);
	*bodyp = get_text(&d, 14, LEDGER_BODY_MAX);
	if (d.r != 0)
		return d.r;
	row_hash(&row->e, *bodyp, row->prev, hash);
	if (memcmp(hash, row->hash, sizeof(hash)) != 0) {
		*faultp = "its hash is not that of what it says";
		return AAD_EFORMAT;
	}
	return row_event_ok(&row->e) ? 0 : AAD_EFORMAT;
}

int
row_read(sqlite3_stmt *st, struct row *row, const char **faultp)
{
	const char *body;
	int r = row_check(st, row, &body, faultp);

	if (r != 0)
		return r;
	if ((r = strictjson_load(body, strlen(body), &row->e.body)) != 0 ||
	    !json_is_object(row->e.body)) {
		event_release(&row->e);
		*faultp = "its body is not a JSON object";
		return r == 0 ? AAD_EFORMAT : r;
	}
	return 0;
}
