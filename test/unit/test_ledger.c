/* SPDX-License-Identifier: ISC */

/*
 * The ledger: rows, the chain, and what follows from them.  Names carry the
 * ids of attacks.md where a row is what the test is about.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "test/unit/ledgerworld.h"

/* docs/formats.md, "Ledger" */
#define EXAMPLE_HASH                                                           \
	"ffb708d0ba8a2129b76175c609b5ac7d"                                     \
	"05d15729bd7a3c28d72e67e5595eb882"

static int
count_events(void *arg, const struct event *e)
{
	size_t *n = arg;

	assert_non_null(e->body);
	(*n)++;
	return 0;
}

static size_t
passing(struct world *w, struct ledger_filter f)
{
	enum reason why;
	size_t n = 0;

	assert_int_equal(ledger_each(w->l, &f, count_events, &n, &why), 0);
	return n;
}

/* ---- rows ----------------------------------------------------------- */

static void
valid_names(void **state)
{
	int i;

	(void)state;
	for (i = EVENT_PREPARED; i <= EVENT_RESTORED; i++)
		assert_int_equal(
		    event_kind_find(event_kind_name((enum event_kind)i)), i);
	for (i = CA_ROLE_USER; i <= CA_ROLE_RECOVERY; i++)
		assert_int_equal(ca_role_find(ca_role_name((enum ca_role)i)),
		    i);
	for (i = CA_STAGE_PREPARED; i <= CA_STAGE_REVOKED; i++)
		assert_int_equal(ca_stage_find(ca_stage_name((enum ca_stage)i)),
		    i);
	assert_string_equal(event_kind_name((enum event_kind)99), "");
	assert_string_equal(ca_role_name((enum ca_role)99), "");
	assert_string_equal(ca_stage_name((enum ca_stage)99), "");
	assert_int_equal(event_kind_find("Pin"), EVENT_NONE);
	assert_int_equal(event_kind_find(""), EVENT_NONE);
	assert_int_equal(event_kind_find(NULL), EVENT_NONE);
	assert_int_equal(ca_role_find("root"), CA_ROLE_NONE);
	assert_int_equal(ca_stage_find("gone"), CA_STAGE_NONE);
}

static void
empty_ledger(void **state)
{
	static const uint8_t zero[32];
	struct world *w = *state;
	uint8_t head[32];
	enum reason why;
	int64_t n = 7;
	bool a, b;
	int fd;

	assert_int_equal(ledger_head(w->l, &n, head, &why), 0);
	assert_int_equal(n, 0);
	assert_memory_equal(head, zero, 32);
	assert_int_equal(world_faults(w->l), 0);
	assert_int_equal(passing(w, (struct ledger_filter){ 0 }), 0);
	assert_int_equal(ledger_last_end(w->l, hash_of(1), &n, &why), 0);
	assert_int_equal(n, 0);
	assert_int_equal(ledger_count(w->l, OID, 0, &n, &why), 0);
	assert_int_equal(n, 0);
	assert_int_equal(ledger_denied(w->l, OID, hash_of(1), &a, &b, &why), 0);
	assert_false(a || b);
	assert_string_equal(ledger_error(w->l), "");
	assert_int_equal(ledger_copy(w->l, &fd, &n, &why), 0);
	assert_true(n > 0);
	close(fd);
	ledger_close(NULL);
}

static int
compare_text(void *want, int n, char **columns, char **names)
{
	(void)names;
	assert_int_equal(n, 1);
	assert_string_equal(columns[0], want);
	return 0;
}

/* One value has one text, whatever the order it was made in. */
static void
valid_body_is_sorted(void **state)
{
	static char
	    want[] = "{\"a\":{\"b\":2,\"c\":1},\"z\":[{\"x\":3,\"y\":4}]}";
	struct world *w = *state;

	add_body(w, about(EVENT_RESTORED, 0),
	    json_pack("{s:[{s:i, s:i}], s:{s:i, s:i}}", "z", "y", 4, "x", 3,
		"a", "c", 1, "b", 2));
	assert_int_equal(sqlite3_exec(w->l->db, "SELECT body FROM event",
			     compare_text, want, NULL),
	    SQLITE_OK);
}

struct seen {
	struct event want;
	const char *body;
	bool met;
};

static int
compare(void *arg, const struct event *e)
{
	struct seen *s = arg;
	const struct event *want = &s->want;
	char *text = json_dumps(e->body, JSON_COMPACT | JSON_SORT_KEYS);

	assert_string_equal(text, s->body);
	/* NB. one by one: what lies between the members is nobody's. */
	assert_int_equal(e->seq, want->seq);
	assert_int_equal(e->at, want->at);
	assert_int_equal(e->kind, want->kind);
	assert_int_equal(e->serial, want->serial);
	assert_int_equal(e->type, want->type);
	assert_int_equal(e->role, want->role);
	assert_int_equal(e->stage, want->stage);
	assert_int_equal(e->has_ca, want->has_ca);
	assert_int_equal(e->has_key, want->has_key);
	assert_int_equal(e->has_token, want->has_token);
	assert_memory_equal(e->ca_hash, want->ca_hash, 32);
	assert_memory_equal(e->key_hash, want->key_hash, 32);
	assert_memory_equal(e->token_hash, want->token_hash, 32);
	assert_string_equal(e->tid, want->tid);
	assert_string_equal(e->oid, want->oid);
	assert_string_equal(e->login, want->login);
	assert_int_equal(e->valid_before, want->valid_before);
	s->met = true;
	free(text);
	return 0;
}

/* Every column comes back as it went in, also over a close. */
static void
valid_row_comes_back(void **state)
{
	struct world *w = *state;
	const struct ledger_filter all = { 0 };
	struct seen s = { .body = "{\"a\":[1,2.5,null],\"z\":\"\u00e9\"}" };
	struct event e;
	enum reason why;
	json_t *body;

	memset(&s.want, 0, sizeof(s.want));
	e = prepared(INT64_MAX);
	e.type = CERT_HOST;
	e.role = CA_ROLE_HOST;
	e.stage = CA_STAGE_RETIRED;
	e.has_token = true;
	memcpy(e.token_hash, hash_of(0xff), 32);
	snprintf(e.login, sizeof(e.login), "abcdefghijklmnopqrstuvwxyzabcdef");
	e.at = e.valid_before = INT64_MAX;
	body = json_pack("{s:s, s:[i, f, n]}", "z", "\u00e9", "a", 1, 2.5);
	e.body = body;
	assert_int_equal(try_add(w->l, &e, &why), 0);
	assert_int_equal(e.seq, 1);
	json_decref(body);
	e.body = NULL;
	memcpy(&s.want, &e, sizeof(e));
	world_reopen(w);
	assert_int_equal(ledger_each(w->l, &all, compare, &s, &why), 0);
	assert_true(s.met);
	assert_int_equal(world_faults(w->l), 0);
}

/*
 * The first row's hash as a shell makes it: the example of docs/formats.md,
 * "Ledger", computed with printf and sha256sum.
 */
static void
valid_hash_of_the_documentation(void **state)
{
	struct world *w = *state;
	uint8_t head[32];
	char hex[NAME_HEX64_LEN + 1];
	enum reason why;
	int64_t n;

	add_body(w, pinning(EVENT_PIN, "alice", OID),
	    json_pack("{s:s}", "upn", "alice@contoso.com"));
	assert_int_equal(ledger_head(w->l, &n, head, &why), 0);
	name_hex64(head, hex);
	assert_string_equal(hex, EXAMPLE_HASH);
}

static void
wrong_rows_are_not_written(void **state)
{
	struct world *w = *state;
	struct event bad[24];
	enum reason why;
	size_t n = 0, i;

	for (i = 0; i < 8; i++)
		bad[n++] = prepared(5);
	bad[0].serial = 0;
	bad[1].serial = UINT64_C(1) << 63;
	bad[2].type = CERT_NONE;
	bad[3].has_ca = false;
	bad[4].has_key = false;
	bad[5].valid_before = 0;
	bad[6].at = -1;
	bad[7].kind = EVENT_NONE;
	bad[n++] = about(EVENT_ISSUED, 0);
	bad[n++] = about(EVENT_FAILED, 0);
	bad[n++] = about(EVENT_REVOKED, 0);
	bad[n++] = about((enum event_kind)12, 5);
	bad[n++] = denial(EVENT_DENIED, NULL, NULL);
	bad[n++] = denial(EVENT_UNDENIED, NULL, NULL);
	bad[n++] = denial(EVENT_DENIED, "not-a-guid", NULL);
	bad[n++] = pinning(EVENT_PIN, "alice", NULL);
	bad[n++] = pinning(EVENT_PIN, "", OID);
	bad[n++] = pinning(EVENT_PIN, "al ice", OID);
	bad[n++] = pinning(EVENT_UNPIN, "", NULL);
	bad[n++] = staging(CA_ROLE_NONE, CA_STAGE_ACTIVE, 1, NOW);
	bad[n++] = staging(CA_ROLE_USER, CA_STAGE_NONE, 1, NOW);
	bad[n++] = staging((enum ca_role)5, CA_STAGE_ACTIVE, 1, NOW);
	bad[n++] = staging(CA_ROLE_USER, (enum ca_stage)6, 1, NOW);
	assert_int_equal(ledger_begin(w->l, &why), 0);
	for (i = 0; i < n; i++) {
		why = AAD_R_ALLOWED;
		assert_int_equal(ledger_append(w->l, &bad[i], &why), AAD_EARG);
		assert_int_equal(why, AAD_R_UNSET);
	}
	assert_int_equal(ledger_commit(w->l, &why), 0);
	assert_int_equal(world_length(w->l), 0);
}

static int
add_with(struct world *w, json_t *body)
{
	struct event e = about(EVENT_PUBLISHED, 0);
	enum reason why;
	int r;

	e.body = body;
	r = try_add(w->l, &e, &why);
	event_release(&e);
	return r;
}

static json_t *
of_size(size_t n)
{
	char *s = calloc(1, n + 1);
	json_t *o;

	memset(s, 'x', n);
	o = json_pack("{s:s}", "a", s);
	free(s);
	return o;
}

static void
boundary_bodies(void **state)
{
	struct world *w = *state;

	assert_int_equal(add_with(w, NULL), 0);
	assert_int_equal(add_with(w, of_size(LEDGER_BODY_MAX - 8)), 0);
	assert_int_equal(add_with(w, of_size(LEDGER_BODY_MAX - 7)),
	    AAD_ETOOBIG);
	assert_int_equal(add_with(w, json_array()), AAD_EARG);
	assert_int_equal(add_with(w, json_string("a")), AAD_EARG);
	/* It could be written, and never be read again. */
	assert_int_equal(add_with(w,
			     json_pack("{s:o}", "a", json_stringn("a\0b", 3))),
	    AAD_EARG);
	assert_int_equal(world_length(w->l), 2);
	assert_int_equal(passing(w, (struct ledger_filter){ 0 }), 2);
	assert_int_equal(world_faults(w->l), 0);
}

static void
wrong_order_of_transactions(void **state)
{
	struct world *w = *state;
	struct event e = prepared(1);
	enum reason why;
	int64_t n;
	int fd;

	assert_int_equal(ledger_append(w->l, &e, &why), AAD_EARG);
	assert_int_equal(ledger_commit(w->l, &why), AAD_EARG);
	ledger_rollback(w->l);
	assert_int_equal(ledger_begin(w->l, &why), 0);
	assert_int_equal(ledger_begin(w->l, &why), AAD_EARG);
	assert_int_equal(ledger_copy(w->l, &fd, &n, &why), AAD_EARG);
	assert_int_equal(why, AAD_R_UNSET);
	assert_int_equal(fd, -1);
	assert_int_equal(ledger_append(w->l, &e, &why), 0);
	ledger_rollback(w->l);
	assert_int_equal(world_length(w->l), 0);
	/* What is not committed is gone with the ledger. */
	assert_int_equal(ledger_begin(w->l, &why), 0);
	assert_int_equal(ledger_append(w->l, &e, &why), 0);
	assert_int_equal(e.seq, 1);
	world_reopen(w);
	assert_int_equal(world_length(w->l), 0);
}

/* ---- serials and tokens --------------------------------------------- */

static void
I_C7_serial_repeated(void **state)
{
	struct world *w = *state;
	struct event e = prepared(7), other = prepared(8);
	enum reason why;
	bool yes;

	add(w, prepared(7));
	other.type = CERT_HOST;
	memcpy(e.ca_hash, hash_of(0xcc), 32);
	world_reopen(w);
	assert_int_equal(ledger_begin(w->l, &why), 0);
	assert_int_equal(ledger_has_serial(w->l, 7, &yes, &why), 0);
	assert_true(yes);
	/* Another authority's, too. */
	assert_int_equal(ledger_append(w->l, &e, &why), AAD_EEXIST);
	assert_int_equal(ledger_has_serial(w->l, 8, &yes, &why), 0);
	assert_false(yes);
	assert_int_equal(ledger_append(w->l, &other, &why), 0);
	assert_int_equal(other.seq, 2);
	assert_int_equal(ledger_commit(w->l, &why), 0);
	assert_int_equal(world_length(w->l), 2);
	assert_int_equal(world_faults(w->l), 0);
}

static void
II_C9_serials_at_their_bounds(void **state)
{
	struct world *w = *state;
	enum reason why;
	bool yes = true;

	assert_int_equal(ledger_has_serial(w->l, 0, &yes, &why), 0);
	assert_false(yes);
	add(w, prepared(1));
	add(w, prepared(INT64_MAX));
	assert_int_equal(ledger_has_serial(w->l, INT64_MAX, &yes, &why), 0);
	assert_true(yes);
	assert_int_equal(ledger_has_serial(w->l, UINT64_MAX, &yes, &why), 0);
	assert_false(yes);
	assert_int_equal(ledger_has_serial(w->l, UINT64_C(1) << 63, &yes, &why),
	    0);
	assert_false(yes);
	assert_int_equal(passing(w,
			     (struct ledger_filter){ .serial = UINT64_MAX }),
	    0);
}

static int
note_revoked(void *arg, const struct ledger_cert *c)
{
	uint64_t *sum = arg;

	if (c->revoked_at != 0)
		*sum += c->serial;
	return 0;
}

/* What is revoked is a serial, which one certificate has. */
static void
I_C8_revoking_one_serial_hits_no_other(void **state)
{
	struct world *w = *state;
	const struct ledger_filter all = { 0 };
	enum reason why;
	uint64_t sum = 0;

	add_body(w, prepared(21), json_pack("{s:s}", "key_id", "same"));
	add_body(w, prepared(22), json_pack("{s:s}", "key_id", "same"));
	add(w, prepared(INT64_MAX));
	add(w, about(EVENT_REVOKED, 22));
	assert_int_equal(ledger_certs(w->l, &all, note_revoked, &sum, &why), 0);
	assert_int_equal(sum, 22);
}

static void
I_C18_token_is_known_after_a_restart(void **state)
{
	struct world *w = *state;
	struct ledger_filter f = { .kind = EVENT_PREPARED,
		.token_hash = hash_of(0x55) };
	struct event e = prepared(1);

	e.has_token = true;
	memcpy(e.token_hash, hash_of(0x55), 32);
	add(w, e);
	world_reopen(w);
	assert_int_equal(passing(w, f), 1);
	f.token_hash = hash_of(0x56);
	assert_int_equal(passing(w, f), 0);
}

/* ---- walks ---------------------------------------------------------- */

static void
valid_filters(void **state)
{
	struct world *w = *state;
	const struct {
		struct ledger_filter f;
		size_t n;
	} cases[] = {
		{ { 0 }, FULL },
		{ { .kind = EVENT_PREPARED }, 9 },
		{ { .kind = EVENT_PIN }, 2 },
		{ { .serial = 1003 }, 3 },
		{ { .serial = 1003, .kind = EVENT_REVOKED }, 1 },
		{ { .serial = 5 }, 0 },
		{ { .oid = OID }, 12 },
		{ { .oid = OID, .kind = EVENT_PREPARED }, 9 },
		{ { .oid = OID2 }, 1 },
		{ { .oid = "" }, 0 },
		{ { .oid = "' OR 1 --" }, 0 },
		{ { .login = "bob" }, 2 },
		{ { .login = "bob", .kind = EVENT_UNPIN }, 1 },
		{ { .login = "" }, 0 },
		{ { .key_hash = hash_of(0xca) }, 1 },
		{ { .key_hash = hash_of((uint8_t)1003) }, 1 },
		{ { .ca_hash = hash_of(0xca) }, 9 },
		{ { .ca_hash = hash_of(0xcb) }, 0 },
		{ { .token_hash = hash_of((uint8_t)(1003 + 64)) }, 1 },
		{ { .since = NOW + 1 }, 19 },
		{ { .since = NOW + 3 }, 0 },
		{ { .since = NOW + 1, .kind = EVENT_ISSUED }, 8 },
		{ { .valid_after = NOW + 3599 }, 9 },
		{ { .valid_after = NOW + 3600 }, 0 },
		{ { .valid_after = -5 }, 9 },
		{ { .valid_after = NOW,
		      .ca_hash = hash_of(0xca),
		      .kind = EVENT_PREPARED },
		    9 },
	};
	size_t i;

	world_fill(w);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (passing(w, cases[i].f) != cases[i].n)
			fail_msg("case %zu: %zu", i, passing(w, cases[i].f));
}

static char walk_sql[512];

static int
trace(unsigned int what, void *arg, void *st, void *text)
{
	(void)what;
	(void)arg;
	(void)text;
	if (strncmp(sqlite3_sql(st), "SELECT seq FROM", 15) == 0)
		snprintf(walk_sql, sizeof(walk_sql), "%s", sqlite3_sql(st));
	return 0;
}

/* The plan that SQLite has for the walk by a filter names this index. */
static void
served_by(struct world *w, struct ledger_filter f, const char *index)
{
	char sql[600];
	sqlite3_stmt *st;
	bool named = false;

	sqlite3_trace_v2(w->l->db, SQLITE_TRACE_STMT, trace, NULL);
	(void)passing(w, f);
	sqlite3_trace_v2(w->l->db, 0, NULL, NULL);
	snprintf(sql, sizeof(sql), "EXPLAIN QUERY PLAN %s", walk_sql);
	assert_int_equal(sqlite3_prepare_v2(w->l->db, sql, -1, &st, NULL), 0);
	while (sqlite3_step(st) == SQLITE_ROW)
		named = named ||
			strstr((const char *)sqlite3_column_text(st, 3),
			    index) != NULL;
	sqlite3_finalize(st);
	if (!named)
		fail_msg("not by %s: %s", index, walk_sql);
}

static void
every_filter_has_its_index(void **state)
{
	struct world *w = *state;
	enum event_kind k;
	int i;

	for (i = 0; i < 2; i++) {
		k = i == 0 ? EVENT_NONE : EVENT_PREPARED;
		served_by(w, (struct ledger_filter){ .kind = k, .serial = 1 },
		    "event_serial (serial=?");
		served_by(w, (struct ledger_filter){ .kind = k, .oid = OID },
		    "event_oid (oid=?");
		served_by(w, (struct ledger_filter){ .kind = k, .login = "a" },
		    "event_login (login=?");
		served_by(w,
		    (struct ledger_filter){ .kind = k, .key_hash = hash_of(1) },
		    "event_key (key_hash=?");
		served_by(w,
		    (struct ledger_filter){ .kind = k, .ca_hash = hash_of(1) },
		    "event_ca (ca_hash=?");
		served_by(w,
		    (struct ledger_filter){
			.kind = k, .token_hash = hash_of(1) },
		    "event_token (token_hash=?");
		served_by(w, (struct ledger_filter){ .kind = k, .since = 1 },
		    "event_at (at>?");
		served_by(w,
		    (struct ledger_filter){ .kind = k, .valid_after = 1 },
		    "event_end (valid_before>?");
	}
	served_by(w, (struct ledger_filter){ .kind = EVENT_KEY },
	    "event_kind (kind=?");
}

struct order {
	int64_t last;
	int64_t stop;
	struct world *w;
};

static int
in_order(void *arg, const struct event *e)
{
	struct order *o = arg;
	struct event more = about(EVENT_RESTORED, 0);
	enum reason why;

	assert_true(e->seq > o->last);
	o->last = e->seq;
	/* A walk may be left, and what it calls may use the ledger. */
	if (o->w != NULL)
		assert_int_equal(try_add(o->w->l, &more, &why), 0);
	return e->seq == o->stop ? 42 : 0;
}

static void
valid_walks_in_order(void **state)
{
	struct world *w = *state;
	const struct ledger_filter all = { 0 }, certs = { .oid = OID };
	struct order o = { 0, 0, NULL };
	enum reason why;

	world_fill(w);
	assert_int_equal(ledger_each(w->l, &all, in_order, &o, &why), 0);
	assert_int_equal(o.last, FULL);
	o.last = 0;
	assert_int_equal(ledger_each(w->l, &certs, in_order, &o, &why), 0);
	o = (struct order){ 0, 12, NULL };
	assert_int_equal(ledger_each(w->l, &all, in_order, &o, &why), 42);
	assert_int_equal(o.last, 12);
	o = (struct order){ 0, 0, w };
	assert_int_equal(ledger_each(w->l, &all, in_order, &o, &why), 0);
	assert_int_equal(o.last, FULL);
	assert_int_equal(world_length(w->l), 2 * FULL);
}

/* ---- what follows --------------------------------------------------- */

static int
look_at_cert(void *arg, const struct ledger_cert *c)
{
	size_t *n = arg;
	const char *by;

	(*n)++;
	assert_int_equal(c->at, NOW);
	assert_int_equal(c->valid_before, NOW + 3600);
	assert_int_equal(c->type, CERT_USER);
	assert_string_equal(c->oid, OID);
	assert_string_equal(c->tid, TID);
	assert_memory_equal(c->ca_hash, hash_of(0xca), 32);
	assert_memory_equal(c->key_hash, hash_of((uint8_t)c->serial), 32);
	assert_non_null(c->prepared);
	assert_non_null(c->done);
	if (c->serial == INT64_MAX) {
		assert_true(c->failed && !c->issued);
		return 0;
	}
	assert_true(c->issued && !c->failed);
	assert_string_equal(json_string_value(json_object_get(c->done,
				"certificate")),
	    "AAAA");
	assert_int_equal(c->revoked_at,
	    c->serial == 1001 || c->serial == 1003 ? NOW + 1 : 0);
	assert_true((c->revoked != NULL) == (c->revoked_at != 0));
	by = json_string_value(json_object_get(c->revoked, "by"));
	assert_true((c->serial == 1003) == (by != NULL));
	return 0;
}

static int
only_prepared(void *arg, const struct ledger_cert *c)
{
	(void)arg;
	assert_true(!c->issued && !c->failed && c->done == NULL &&
		    c->revoked == NULL && c->revoked_at == 0);
	return 7;
}

static void
valid_certificates(void **state)
{
	struct world *w = *state;
	struct ledger_filter f = { .kind = EVENT_KEY };
	enum reason why;
	size_t n = 0;

	world_fill(w);
	assert_int_equal(ledger_certs(w->l, &f, look_at_cert, &n, &why), 0);
	assert_int_equal(n, 9);
	n = 0;
	f.serial = 1002;
	assert_int_equal(ledger_certs(w->l, &f, look_at_cert, &n, &why), 0);
	assert_int_equal(n, 1);
	add(w, prepared(5));
	f.serial = 5;
	assert_int_equal(ledger_certs(w->l, &f, only_prepared, NULL, &why), 7);
}

struct serials {
	size_t n;
	uint8_t ca[8];
	uint64_t serial[8];
};

static int
note_serial(void *arg, const uint8_t ca_hash[static 32], uint64_t serial)
{
	struct serials *s = arg;

	assert_true(s->n < 8);
	s->ca[s->n] = ca_hash[0];
	s->serial[s->n++] = serial;
	return serial == 99 ? 42 : 0;
}

static void
valid_revoked(void **state)
{
	struct world *w = *state;
	struct event e;
	struct serials s = { 0 };
	enum reason why;

	world_fill(w);
	e = prepared(4);
	memcpy(e.ca_hash, hash_of(0x01), 32);
	e.valid_before = NOW + 10;
	add(w, e);
	add(w, about(EVENT_REVOKED, 4));
	add(w, about(EVENT_REVOKED, 1001)); /* again */
	add(w, about(EVENT_REVOKED, 12345)); /* of nobody knows which */
	e = about(EVENT_REVOKED, 12346); /* what a backup does not have */
	e.has_ca = true;
	memcpy(e.ca_hash, hash_of(0xff), 32);
	e.valid_before = NOW + 50;
	add(w, e);
	assert_int_equal(ledger_revoked(w->l, NOW, note_serial, &s, &why), 0);
	assert_int_equal(s.n, 4);
	assert_true(s.ca[0] == 0x01 && s.serial[0] == 4);
	assert_true(s.ca[1] == 0xca && s.serial[1] == 1001);
	assert_true(s.ca[2] == 0xca && s.serial[2] == 1003);
	assert_true(s.ca[3] == 0xff && s.serial[3] == 12346);
	s.n = 0;
	assert_int_equal(ledger_revoked(w->l, NOW + 10, note_serial, &s, &why),
	    0);
	assert_int_equal(s.n, 3);
	s.n = 0;
	assert_int_equal(ledger_revoked(w->l, NOW + 3600, note_serial, &s,
			     &why),
	    0);
	assert_int_equal(s.n, 0);
	add(w, prepared(99));
	add(w, about(EVENT_REVOKED, 99));
	assert_int_equal(ledger_revoked(w->l, NOW, note_serial, &s, &why), 42);
}

static void
denied_is(struct world *w, const char *oid, const uint8_t *key, bool by_oid,
    bool by_key)
{
	enum reason why;
	bool a = !by_oid, b = !by_key;

	assert_int_equal(ledger_denied(w->l, oid, key, &a, &b, &why), 0);
	assert_int_equal(a, by_oid);
	assert_int_equal(b, by_key);
}

static void
valid_denials(void **state)
{
	struct world *w = *state;

	add(w, prepared(1));
	denied_is(w, OID, hash_of(1), false, false);
	add(w, denial(EVENT_DENIED, OID, NULL));
	denied_is(w, OID, hash_of(1), true, false);
	denied_is(w, OID2, NULL, false, false);
	add(w, denial(EVENT_DENIED, NULL, hash_of(1)));
	denied_is(w, OID, hash_of(1), true, true);
	denied_is(w, NULL, hash_of(1), false, true);
	add(w, denial(EVENT_UNDENIED, OID, NULL));
	denied_is(w, OID, hash_of(1), false, true);
	add(w, denial(EVENT_DENIED, OID, NULL));
	add(w, prepared(2));
	denied_is(w, OID, NULL, true, false);
	add(w, denial(EVENT_UNDENIED, NULL, hash_of(1)));
	denied_is(w, OID, hash_of(1), true, false);
	denied_is(w, NULL, NULL, false, false);
	denied_is(w, "", NULL, false, false);
}

static void
pin_is(struct world *w, const char *login, const char *want)
{
	char tid[NAME_GUID_LEN + 1], oid[NAME_GUID_LEN + 1];
	enum reason why;

	assert_int_equal(ledger_pin(w->l, login, tid, oid, &why), 0);
	assert_string_equal(oid, want);
	assert_string_equal(tid, want[0] == '\0' ? "" : TID);
}

static void
valid_pins(void **state)
{
	struct world *w = *state;

	pin_is(w, "alice", "");
	add(w, pinning(EVENT_PIN, "alice", OID));
	add(w, pinning(EVENT_PIN, "bob", OID2));
	pin_is(w, "alice", OID);
	pin_is(w, "bob", OID2);
	pin_is(w, "Alice", "");
	add(w, pinning(EVENT_UNPIN, "alice", NULL));
	pin_is(w, "alice", "");
	add(w, pinning(EVENT_PIN, "alice", OID2));
	pin_is(w, "alice", OID2);
	pin_is(w, "", "");
}

struct keys {
	size_t n;
	struct ledger_key k[4];
	const char *why[4];
};

static int
note_key(void *arg, const struct ledger_key *k)
{
	struct keys *s = arg;

	assert_true(s->n < 4);
	assert_non_null(k->body);
	s->k[s->n++] = *k;
	return k->hash[0] == 3 ? 42 : 0;
}

static void
valid_keys(void **state)
{
	struct world *w = *state;
	struct keys s = { 0 };
	enum reason why;

	add(w, staging(CA_ROLE_USER, CA_STAGE_PREPARED, 1, NOW));
	add(w, staging(CA_ROLE_HOST, CA_STAGE_ACTIVE, 2, NOW));
	add(w, staging(CA_ROLE_USER, CA_STAGE_ACTIVE, 1, NOW + 1));
	add(w, staging(CA_ROLE_USER, CA_STAGE_RETIRED, 1, NOW + 2));
	add(w, staging(CA_ROLE_USER, CA_STAGE_REMOVED, 1, NOW + 3));
	add(w, staging(CA_ROLE_HOST, CA_STAGE_REVOKED, 2, NOW + 4));
	assert_int_equal(ledger_keys(w->l, note_key, &s, &why), 0);
	assert_int_equal(s.n, 2);
	assert_int_equal(s.k[0].role, CA_ROLE_USER);
	assert_int_equal(s.k[0].stage, CA_STAGE_REMOVED);
	assert_memory_equal(s.k[0].hash, hash_of(1), 32);
	assert_int_equal(s.k[0].prepared_at, NOW);
	assert_int_equal(s.k[0].active_at, NOW + 1);
	assert_int_equal(s.k[0].retired_at, NOW + 2);
	assert_int_equal(s.k[0].removed_at, NOW + 3);
	assert_int_equal(s.k[1].role, CA_ROLE_HOST);
	assert_int_equal(s.k[1].stage, CA_STAGE_REVOKED);
	assert_int_equal(s.k[1].prepared_at, 0);
	assert_int_equal(s.k[1].removed_at, NOW + 4);
	s.n = 0;
	add(w, staging(CA_ROLE_BUNDLE, CA_STAGE_ACTIVE, 3, NOW));
	assert_int_equal(ledger_keys(w->l, note_key, &s, &why), 42);
}

static void
valid_counts(void **state)
{
	struct world *w = *state;
	enum reason why;
	struct event e;
	int64_t n;

	world_fill(w);
	e = prepared(3);
	e.at = NOW + 100;
	e.valid_before = NOW + 9000;
	add(w, e);
	assert_int_equal(ledger_count(w->l, OID, 0, &n, &why), 0);
	assert_int_equal(n, 10);
	assert_int_equal(ledger_count(w->l, OID, NOW + 1, &n, &why), 0);
	assert_int_equal(n, 1);
	assert_int_equal(ledger_count(w->l, OID, NOW + 101, &n, &why), 0);
	assert_int_equal(n, 0);
	assert_int_equal(ledger_count(w->l, OID2, 0, &n, &why), 0);
	assert_int_equal(n, 0);
	assert_int_equal(ledger_last_end(w->l, hash_of(0xca), &n, &why), 0);
	assert_int_equal(n, NOW + 9000);
	assert_int_equal(ledger_last_end(w->l, hash_of(0xcb), &n, &why), 0);
	assert_int_equal(n, 0);
}

/* ---- the chain ------------------------------------------------------ */

#define DROP                                                                   \
	"DROP TRIGGER event_insert; DROP TRIGGER event_update;"                \
	"DROP TRIGGER event_delete;"
#define BARRED " BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;"
#define RESTORE                                                                 \
	"CREATE TRIGGER event_insert BEFORE INSERT ON event"                    \
	" WHEN NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM event)" BARRED \
	"CREATE TRIGGER event_update BEFORE UPDATE ON event" BARRED             \
	"CREATE TRIGGER event_delete BEFORE DELETE ON event" BARRED

/* Change the filled ledger as somebody can who may write the file. */
static void
tamper(struct world *w, const char *sql)
{
	char text[2048];

	snprintf(text, sizeof(text), "%s%s;%s", DROP, sql, RESTORE);
	world_sql(w, text);
	world_reopen(w);
}

static void
II_C13_every_change_of_a_row_is_found(void **state)
{
	static const char *const changes[] = {
		"UPDATE event SET at = at + 1 WHERE seq = 12",
		"UPDATE event SET kind = 'failed' WHERE seq = 13",
		"UPDATE event SET serial = 77 WHERE seq = 12",
		"UPDATE event SET type = 'host' WHERE seq = 12",
		"UPDATE event SET role = 'host' WHERE seq = 1",
		"UPDATE event SET stage = 'revoked' WHERE seq = 1",
		"UPDATE event SET ca_hash = zeroblob(32) WHERE seq = 12",
		"UPDATE event SET ca_hash = NULL WHERE seq = 12",
		"UPDATE event SET key_hash = zeroblob(32) WHERE seq = 12",
		"UPDATE event SET token_hash = zeroblob(32) WHERE seq = 12",
		"UPDATE event SET token_hash = x'00' WHERE seq = 12",
		"UPDATE event SET tid = oid WHERE seq = 12",
		"UPDATE event SET oid = tid WHERE seq = 12",
		"UPDATE event SET login = 'carol' WHERE seq = 3",
		"UPDATE event SET login = 'a b' WHERE seq = 3",
		"UPDATE event SET valid_before = 1 WHERE seq = 12",
		"UPDATE event SET body = '{}' WHERE seq = 12",
		"UPDATE event SET body = '' WHERE seq = 12",
		"UPDATE event SET body = body || ' ' WHERE seq = 12",
		"UPDATE event SET body = body || char(0) WHERE seq = 12",
		"UPDATE event SET body = zeroblob(70000) || '' WHERE seq = 12",
		"UPDATE event SET prev = zeroblob(32) WHERE seq = 12",
		"UPDATE event SET prev = x'' WHERE seq = 12",
		"UPDATE event SET hash = zeroblob(32) WHERE seq = 12",
		"UPDATE event SET hash = zeroblob(31) WHERE seq = 12",
		"UPDATE event SET kind = 'Prepared' WHERE seq = 12",
		"UPDATE event SET kind = '' WHERE seq = 12",
		"UPDATE event SET serial = -1 WHERE seq = 12",
		"UPDATE event SET seq = 1000 WHERE seq = 12",
		"UPDATE event SET seq = -5 WHERE seq = 12",
		"UPDATE event SET seq = 9223372036854775807 WHERE seq = 30",
		"UPDATE event SET seq = -9223372036854775808 WHERE seq = 1",
		"DELETE FROM event WHERE seq = 12",
		"DELETE FROM event WHERE seq = 1",
		"UPDATE event SET hash = zeroblob(32) WHERE seq = 30",
		"INSERT INTO event SELECT 31, at, kind, serial, type, role,"
		" stage, ca_hash, key_hash, token_hash, tid, oid, login,"
		" valid_before, body, prev, hash FROM event WHERE seq = 30",
	};
	struct world *w = *state;
	uint8_t *file;
	size_t len, i;

	world_fill(w);
	ledger_close(w->l);
	w->l = NULL;
	file = world_slurp(w, &len);
	for (i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		world_spill(w, file, len);
		tamper(w, changes[i]);
		if (world_faults(w->l) == 0)
			fail_msg("not found: %s", changes[i]);
		ledger_close(w->l);
		w->l = NULL;
	}
	free(file);
}

/* A row that tells another story is not read, and nothing follows it. */
static void
II_C13_an_altered_row_is_not_used(void **state)
{
	struct world *w = *state;
	const struct ledger_filter all = { 0 };
	struct event e = prepared(44);
	enum reason why;
	uint8_t head[32];
	int64_t len;
	bool a, b;
	size_t n = 0;

	world_fill(w);
	tamper(w, "UPDATE event SET kind = 'undenied' WHERE seq = 28");
	assert_int_equal(ledger_denied(w->l, OID, hash_of(5), &a, &b, &why),
	    AAD_EFORMAT);
	assert_int_equal(why, AAD_R_LEDGER_ALTERED);
	assert_false(a || b);
	assert_string_equal(ledger_error(w->l),
	    "its hash is not that of what it says");
	assert_int_equal(ledger_each(w->l, &all, count_events, &n, &why),
	    AAD_EFORMAT);
	assert_int_equal(n, 27);
	assert_int_equal(try_add(w->l, &e, &why), 0);
	tamper(w, "UPDATE event SET at = at + 1 WHERE seq = 31");
	e.serial = 45;
	assert_int_equal(try_add(w->l, &e, &why), AAD_EFORMAT);
	assert_int_equal(why, AAD_R_LEDGER_ALTERED);
	assert_int_equal(ledger_head(w->l, &len, head, &why), AAD_EFORMAT);
}

static int
no_body(void *arg, const struct event *e)
{
	size_t *n = arg;

	assert_null(e->body);
	++*n;
	return 0;
}

/* Rows without their bodies, which are hashed all the same. */
static void
II_C13_an_altered_body_that_is_not_asked_for(void **state)
{
	struct world *w = *state;
	const struct ledger_filter bare = { .bare = true };
	enum reason why;
	size_t n = 0;

	world_fill(w);
	assert_int_equal(ledger_each(w->l, &bare, no_body, &n, &why), 0);
	assert_int_equal(n, FULL);
	n = 0;
	tamper(w, "UPDATE event SET body = '{\"x\":1}' WHERE seq = 28");
	assert_int_equal(ledger_each(w->l, &bare, no_body, &n, &why),
	    AAD_EFORMAT);
	assert_int_equal(why, AAD_R_LEDGER_ALTERED);
	assert_int_equal(n, 27);
}

/* What a row follows is remembered within a transaction, and no longer. */
static void
rows_of_one_transaction(void **state)
{
	struct world *w = *state;
	struct event a = prepared(44), b = about(EVENT_ISSUED, 44);
	enum reason why;
	bool yes;

	assert_int_equal(ledger_begin(w->l, &why), 0);
	assert_int_equal(ledger_append(w->l, &a, &why), 0);
	assert_int_equal(ledger_append(w->l, &b, &why), 0);
	assert_int_equal(b.seq, 2);
	ledger_rollback(w->l);
	assert_int_equal(ledger_begin(w->l, &why), 0);
	assert_int_equal(ledger_append(w->l, &a, &why), 0);
	assert_int_equal(a.seq, 1);
	assert_int_equal(ledger_append(w->l, &a, &why), AAD_EEXIST);
	assert_int_equal(ledger_append(w->l, &b, &why), 0);
	assert_int_equal(b.seq, 2);
	assert_int_equal(ledger_commit(w->l, &why), 0);
	assert_int_equal(world_faults(w->l), 0);
	assert_int_equal(world_length(w->l), 2);
	assert_int_equal(ledger_is_revoked(w->l, 44, &yes, &why), 0);
	assert_false(yes);
	add(w, about(EVENT_REVOKED, 44));
	assert_int_equal(ledger_is_revoked(w->l, 44, &yes, &why), 0);
	assert_true(yes);
	assert_int_equal(ledger_is_revoked(w->l, 0, &yes, &why), 0);
	assert_false(yes);
	assert_int_equal(world_faults(w->l), 0);
}

static int64_t hashes_seen;
static uint8_t hashes[FULL + 1][32];

static void
keep_hash(void *arg, int64_t seq, const uint8_t hash[static 32])
{
	(void)arg;
	hashes_seen++;
	assert_true(seq >= 1 && seq <= FULL);
	memcpy(hashes[seq], hash, 32);
}

/* Rows cut from the end leave a sound chain: a kept head finds it. */
static void
II_C13_a_cut_tail_is_seen_by_a_kept_head(void **state)
{
	struct world *w = *state;
	uint8_t head[32], now[32];
	enum reason why;
	int64_t len, then;
	size_t faults;

	world_fill(w);
	assert_int_equal(ledger_head(w->l, &len, head, &why), 0);
	assert_int_equal(ledger_verify(w->l, NULL, keep_hash, NULL, &faults,
			     &why),
	    0);
	assert_int_equal(faults, 0);
	assert_int_equal(hashes_seen, FULL);
	assert_memory_equal(hashes[FULL], head, 32);
	tamper(w, "DELETE FROM event WHERE seq > 20");
	assert_int_equal(world_faults(w->l), 0);
	assert_int_equal(ledger_head(w->l, &then, now, &why), 0);
	assert_true(then < len);
	/* Whoever fills it up again gets other hashes. */
	while (world_length(w->l) < FULL)
		add(w, about(EVENT_RESTORED, 0));
	assert_int_equal(world_faults(w->l), 0);
	hashes_seen = 0;
	assert_int_equal(ledger_verify(w->l, NULL, keep_hash, NULL, &faults,
			     &why),
	    0);
	assert_int_equal(hashes_seen, FULL);
	assert_memory_not_equal(hashes[FULL], head, 32);
}

/* A chain that hashes well, and still says what cannot be. */
static void
I_C7_certificates_that_were_never_prepared(void **state)
{
	struct world *w = *state;

	add(w, about(EVENT_ISSUED, 5));
	assert_int_equal(world_faults(w->l), 1);
	assert_string_equal(world_fault,
	    "1: its serial was not prepared before");
	add(w, prepared(6));
	add(w, about(EVENT_ISSUED, 6));
	assert_int_equal(world_faults(w->l), 1);
}

/* What the schema bars even from the sqlite3 command line. */
static void
valid_append_only(void **state)
{
	static const char *const barred[] = {
		"UPDATE event SET at = 0",
		"DELETE FROM event",
		"INSERT OR REPLACE INTO event SELECT * FROM event"
		" WHERE seq = 3",
		"INSERT INTO event SELECT seq + 100, at, kind, 0, type, role,"
		" stage, ca_hash, key_hash, token_hash, tid, oid, login,"
		" valid_before, body, prev, hash FROM event WHERE seq = 1",
	};
	struct world *w = *state;
	size_t i;

	world_fill(w);
	for (i = 0; i < sizeof(barred) / sizeof(barred[0]); i++) {
		assert_int_equal(sqlite3_exec(w->l->db, barred[i], NULL, NULL,
				     NULL),
		    SQLITE_CONSTRAINT_TRIGGER);
		assert_string_equal(sqlite3_errmsg(w->l->db),
		    "the ledger is append-only");
	}
	assert_int_equal(world_faults(w->l), 0);
	assert_int_equal(world_length(w->l), FULL);
}

#define T(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(valid_names),
		T(empty_ledger),
		T(valid_row_comes_back),
		T(valid_body_is_sorted),
		T(valid_hash_of_the_documentation),
		T(wrong_rows_are_not_written),
		T(boundary_bodies),
		T(wrong_order_of_transactions),
		T(I_C7_serial_repeated),
		T(II_C9_serials_at_their_bounds),
		T(I_C8_revoking_one_serial_hits_no_other),
		T(I_C18_token_is_known_after_a_restart),
		T(valid_filters),
		T(every_filter_has_its_index),
		T(valid_walks_in_order),
		T(valid_certificates),
		T(valid_revoked),
		T(valid_denials),
		T(valid_pins),
		T(valid_keys),
		T(valid_counts),
		T(II_C13_every_change_of_a_row_is_found),
		T(II_C13_an_altered_row_is_not_used),
		T(II_C13_an_altered_body_that_is_not_asked_for),
		T(rows_of_one_transaction),
		T(II_C13_a_cut_tail_is_seen_by_a_kept_head),
		T(I_C7_certificates_that_were_never_prepared),
		T(valid_append_only),
	};

	if (sodium_init() == -1)
		return 1;
	return cmocka_run_group_tests_name("ledger", tests, NULL, NULL);
}
