/* SPDX-License-Identifier: ISC */

/*
 * lib/host: records, the state directory, denials, pins, and the decision.
 * Names carry the ids of attacks.md where a row is what the test is about.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sodium.h>

#include "core/b64.h"
#include "host/cache.h"
#include "host/decision.h"
#include "host/denial.h"
#include "host/hostid.h"
#include "host/pin.h"
#include "test/tools/forge.h"
#include "test/unit/fault.h"
#include "test/unit/mutate.h"
#include "test/unit/scratch.h"
#include "test/unit/unit.h"

#define NOW	INT64_C(1800000000)
#define MACHINE "0123456789abcdef0123456789abcdef\n"
#define CONF                                                                   \
	"[idp]\ntenant = " FORGE_TENANT "\nclient_id = " FORGE_CLIENT          \
	"\nauthority = https://login.example.test\n[state]\ndir = %s/state\n"  \
	"[token]\nsign_in_max_age = 12h\nkeys_max_age = 24h\nconfirm = 1h\n"   \
	"grace = 2h\n"                                                         \
	"[map]\ndomain = contoso.com\nrequire = role:ssh.user\n"               \
	"[login deploy]\nallow = role:ssh.user\noptions = restrict,pty\n"

/* One scratch installation, made anew for each test. */
struct world {
	char base[64];
	char machine_id[96];
	struct forge forge;
	struct conf *conf;
	struct rules *rules;
	struct cache cache;
	struct secret *sec;
	struct key key;
	char *key_base64;
	uint8_t host[HOSTID_LEN];
	struct record_pub pub;
};

static struct forge shared_forge; /* a key pair takes a while to make */

static void
put(const char *dir, const char *name, const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_non_null(f = fopen(path, "w"));
	fputs(text, f);
	fclose(f);
	assert_int_equal(chmod(path, 0640), 0);
}

static void
make_key(struct key *k)
{
	uint8_t blob[51] = "\0\0\0\x0bssh-ed25519\0\0\0\x20";
	uint8_t seed[32] = { 7 }, sk[64];
	enum reason why;

	crypto_sign_seed_keypair(blob + 19, sk, seed);
	assert_int_equal(key_from_blob(blob, sizeof(blob), k, &why), 0);
}

static struct record *
make_record(const struct world *w, char *token)
{
	struct record *rec = calloc(1, sizeof(*rec));

	assert_non_null(rec);
	rec->state = RECORD_ACTIVE;
	snprintf(rec->login, sizeof(rec->login), "alice");
	memcpy(rec->key_hash, w->key.hash, sizeof(rec->key_hash));
	rec->generation = 1;
	rec->written = NOW;
	rec->blob_len = w->key.blob_len;
	assert_non_null(rec->blob = malloc(rec->blob_len));
	memcpy(rec->blob, w->key.blob, rec->blob_len);
	rec->id_token = token;
	snprintf(rec->tid, sizeof(rec->tid), "%s", FORGE_TENANT);
	snprintf(rec->oid, sizeof(rec->oid), "%s", FORGE_OID);
	assert_non_null(rec->upn = strdup("alice@contoso.com"));
	assert_non_null(rec->source = strdup("local"));
	rec->sign_in = NOW;
	rec->renewal = RENEWAL_OK;
	rec->renewal_at = NOW;
	rec->confirmed = CONFIRMED_ADMIN;
	rec->confirmed_at = NOW;
	return rec;
}

static char *
good_token(struct world *w, const char *extra)
{
	char *claims = forge_claims(FORGE_OID, "alice@contoso.com", NOW,
	    NOW + 3600, extra);
	char *token = forge_token(&w->forge, NULL, claims);

	free(claims);
	return token;
}

static void
store(struct world *w, struct record *rec)
{
	assert_int_equal(cache_record_store(&w->cache, rec, w->host, w->sec),
	    0);
}

static int
setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	const struct pin pin = { FORGE_TENANT, FORGE_OID, NOW };
	struct record *rec;
	struct jwks *keys;
	struct conf_error err;
	enum reason why;
	char text[2048], dir[128];

	assert_non_null(w);
	snprintf(w->base, sizeof(w->base), "%s/aadssh-test-XXXXXX", UNIT_TMP);
	assert_non_null(mkdtemp(w->base));
	snprintf(w->machine_id, sizeof(w->machine_id), "%s/machine-id",
	    w->base);
	put(w->base, "machine-id", MACHINE);
	snprintf(text, sizeof(text), CONF, w->base);
	assert_int_equal(conf_parse(text, strlen(text), &w->conf, &err), 0);
	assert_int_equal(rules_new(w->conf, &w->rules, &err), 0);
	snprintf(dir, sizeof(dir), "%s/state", w->base);
	assert_int_equal(cache_open_write(dir, geteuid(), &w->cache, &why), 0);
	assert_int_equal(cache_record_key(&w->cache, &w->sec), 0);
	assert_int_equal(cache_record_pub(&w->cache, &w->pub, &why), 0);
	assert_int_equal(hostid_read(w->machine_id, w->host), 0);
	w->forge = shared_forge;
	make_key(&w->key);
	assert_int_equal(b64_encode(B64_STD, w->key.blob, w->key.blob_len,
			     &w->key_base64),
	    0);
	keys = forge_jwks(&w->forge, NOW, 5);
	assert_int_equal(cache_tenant_keys_store(&w->cache, keys), 0);
	jwks_free(keys);
	assert_int_equal(pin_create(&w->cache, "alice", &pin), 0);
	rec = make_record(w, good_token(w, ""));
	store(w, rec);
	record_free(rec);
	*state = w;
	return 0;
}

static int
teardown(void **state)
{
	struct world *w = *state;
	fault_disarm();
	if (scratch_remove(w->base) != 0)
		return -1;
	secret_free(w->sec);
	cache_close(&w->cache);
	rules_free(w->rules);
	conf_free(w->conf);
	key_release(&w->key);
	free(w->key_base64);
	free(w);
	return 0;
}

/* ---- asking ----------------------------------------------------------- */

static struct decision_ask
question(const struct world *w)
{
	const struct decision_ask ask = { .conf = w->conf,
		.rules = w->rules,
		.machine_id = w->machine_id,
		.login = "alice",
		.key_type = "ssh-ed25519",
		.key_base64 = w->key_base64,
		.uid = 1001,
		.now = NOW + 10,
		.oracle = verify_nettle };

	return ask;
}

/* The reason; asserts that a line exists exactly for a yes. */
static enum reason
answer(const struct decision_ask *ask)
{
	struct decision d;
	enum reason why = decide(ask, &d);

	assert_int_equal(why, d.reason);
	if (why == AAD_R_ALLOWED)
		assert_non_null(d.line);
	else
		assert_null(d.line);
	decision_release(&d);
	return why;
}

static const char *
said(const struct world *w)
{
	struct decision_ask ask = question(w);

	return reason_name(answer(&ask));
}

#define SAYS(w, code) assert_string_equal(said(w), code)

/* Store the record again with one thing changed. */
#define CHANGED(w, statement)                                                  \
	do {                                                                   \
		struct record *rec = make_record(w, good_token(w, ""));        \
		statement;                                                     \
		store(w, rec);                                                 \
		record_free(rec);                                              \
	} while (0)

static void
record_path(const struct world *w, char out[static 256])
{
	char hex[NAME_HEX64_LEN + 1];

	name_hex64(w->key.hash, hex);
	snprintf(out, 256, "%s/state/records/alice/%s", w->base, hex);
}

static char *
slurp(const char *path, size_t *lenp)
{
	char *buf = calloc(1, RECORD_MAX + 1);
	FILE *f = fopen(path, "r");

	assert_non_null(buf);
	assert_non_null(f);
	*lenp = fread(buf, 1, RECORD_MAX, f);
	fclose(f);
	return buf;
}

static void
spill(const char *path, const void *buf, size_t len)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(buf, 1, len, f), len);
	fclose(f);
	assert_int_equal(chmod(path, 0640), 0);
}

/* ---- the decision ----------------------------------------------------- */

static void
valid_yes_is_the_presented_key(void **state)
{
	struct world *w = *state;
	struct decision_ask ask = question(w);
	struct decision d;
	char want[256];

	assert_int_equal(decide(&ask, &d), AAD_R_ALLOWED);
	snprintf(want, sizeof(want), "ssh-ed25519 %s\n", w->key_base64);
	assert_string_equal(d.line, want);
	assert_string_equal(d.oid, FORGE_OID);
	assert_string_equal(d.upn, "alice@contoso.com");
	assert_int_equal(d.until, NOW + 3600);
	decision_release(&d);
}

/* A yes is one until then, and none behind it. */
static void
until_is_the_last_moment(void **state)
{
	static const struct {
		enum record_renewal renewal;
		int64_t grace, sign_in_max_age, until;
	} cases[] = {
		{ RENEWAL_OK, 7200, 43200, 3600 },
		{ RENEWAL_UNREACHABLE, 7200, 43200, 10800 },
		{ RENEWAL_UNREACHABLE, 0, 43200, 3600 },
		{ RENEWAL_UNREACHABLE, 7200, 10799, 10799 },
		{ RENEWAL_UNREACHABLE, 7200, 10800, 10800 },
		{ RENEWAL_OK, 7200, 600, 600 },
	};
	struct world *w = *state;
	struct decision_ask ask = question(w);
	struct decision d;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CHANGED(w, rec->renewal = cases[i].renewal);
		w->conf->grace = cases[i].grace;
		w->conf->sign_in_max_age = cases[i].sign_in_max_age;
		ask.now = NOW + 10;
		assert_int_equal(decide(&ask, &d), AAD_R_ALLOWED);
		if (d.until != NOW + cases[i].until)
			fail_msg("row %zu: %lld", i,
			    (long long)(d.until - NOW));
		decision_release(&d);
		ask.now = NOW + cases[i].until - 1;
		assert_int_equal(answer(&ask), AAD_R_ALLOWED);
		ask.now = NOW + cases[i].until + 1;
		assert_int_not_equal(answer(&ask), AAD_R_ALLOWED);
	}
}

/* Whose token it was is known of one that has ended, and of no other. */
static void
what_a_log_line_knows(void **state)
{
	struct world *w = *state;
	struct decision_ask ask = question(w);
	char fp[KEY_FP_LEN + 1];
	struct decision d;

	key_fingerprint(&w->key, fp);
	assert_int_equal(decide(&ask, &d), AAD_R_ALLOWED);
	assert_string_equal(d.fingerprint, fp);
	assert_string_equal(d.oid, FORGE_OID);
	assert_string_equal(d.uti, "s7nTheTiCuTi0AAAAAAAAA");
	decision_release(&d);
	ask.now = NOW + 3600;
	assert_int_equal(decide(&ask, &d), AAD_R_TOKEN_EXPIRED);
	assert_string_equal(d.oid, FORGE_OID);
	assert_string_equal(d.upn, "alice@contoso.com");
	assert_int_equal(d.until, 0);
	decision_release(&d);
	ask.now = NOW - 61; /* refused before its claims are believed */
	assert_int_equal(decide(&ask, &d), AAD_R_TOKEN_NOT_YET);
	assert_string_equal(d.oid, "");
	decision_release(&d);
}

static void
valid_options_in_front(void **state)
{
	struct world *w = *state;
	struct decision_ask ask = question(w);
	struct decision d;
	char want[256];

	CHANGED(w, snprintf(rec->login, sizeof(rec->login), "deploy"));
	ask.login = "deploy";
	assert_int_equal(decide(&ask, &d), AAD_R_ALLOWED);
	snprintf(want, sizeof(want), "restrict,pty ssh-ed25519 %s\n",
	    w->key_base64);
	assert_string_equal(d.line, want);
	decision_release(&d);
}

static void
I_B2_hostile_logins(void **state)
{
	static const char *const logins[] = { "", "-oX", "..", ".", "a/b",
		"../alice", "alice\n", "alice ", " alice", "al\tice", "a:b",
		"%u", "alice@contoso.com", "0", "1001", "\xc3\xa4", "a\x80",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" };
	struct world *w = *state;
	struct decision_ask ask = question(w);
	size_t i;

	for (i = 0; i < sizeof(logins) / sizeof(logins[0]); i++) {
		ask.login = logins[i];
		assert_int_equal(answer(&ask), AAD_R_BAD_LOGIN);
	}
}

static void
I_B19_login_case_matters(void **state)
{
	struct world *w = *state;
	struct decision_ask ask = question(w);

	ask.login = "Alice";
	assert_int_equal(answer(&ask), AAD_R_NO_RECORD);
}

static void
II_K1_other_login_same_key(void **state)
{
	struct world *w = *state;
	struct decision_ask ask = question(w);

	ask.login = "bob";
	assert_int_equal(answer(&ask), AAD_R_NO_RECORD);
}

static void
I_A10_type_must_match_blob(void **state)
{
	struct world *w = *state;
	struct decision_ask ask = question(w);

	ask.key_type = "ssh-rsa";
	assert_int_equal(answer(&ask), AAD_R_KEY_MALFORMED);
	ask.key_type = "ssh-ed25519-cert-v01@openssh.com";
	assert_int_equal(reason_class(answer(&ask)), REASON_NO);
}

static void
wrong_key_has_no_record(void **state)
{
	struct world *w = *state;
	struct decision_ask ask = question(w);
	uint8_t blob[51], seed[32] = { 9 }, sk[64];
	char *text;

	memcpy(blob, w->key.blob, sizeof(blob));
	crypto_sign_seed_keypair(blob + 19, sk, seed);
	assert_int_equal(b64_encode(B64_STD, blob, sizeof(blob), &text), 0);
	ask.key_base64 = text;
	assert_int_equal(answer(&ask), AAD_R_NO_RECORD);
	free(text);
}

static void
expired_token(void **state)
{
	struct world *w = *state;
	struct decision_ask ask = question(w);

	ask.now = NOW + 3599;
	assert_int_equal(answer(&ask), AAD_R_ALLOWED);
	ask.now = NOW + 3600;
	assert_int_equal(answer(&ask), AAD_R_TOKEN_EXPIRED);
}

static void
II_K9_grace_only_while_unreachable(void **state)
{
	struct world *w = *state;
	struct decision_ask ask = question(w);

	CHANGED(w, rec->renewal = RENEWAL_UNREACHABLE);
	ask.now = NOW + 3600 + 7199;
	assert_int_equal(answer(&ask), AAD_R_ALLOWED);
	ask.now++;
	assert_int_equal(answer(&ask), AAD_R_TOKEN_EXPIRED);
	CHANGED(w, rec->renewal = RENEWAL_SIGN_IN_AGAIN);
	ask.now = NOW + 3600;
	assert_int_equal(answer(&ask), AAD_R_TOKEN_EXPIRED);
}

static void
denial_never_gets_grace(void **state)
{
	struct world *w = *state;
	const struct denial d = { 0, "admin", NOW };
	struct decision_ask ask = question(w);

	CHANGED(w, rec->renewal = RENEWAL_UNREACHABLE);
	assert_int_equal(denial_set(&w->cache, DENIAL_OID, FORGE_OID, &d), 0);
	ask.now = NOW + 3600 + 60;
	assert_int_equal(answer(&ask), AAD_R_IDENTITY_DENIED);
}

/* A key that a step before the record refused is never offered. */
static void
I_B14_only_a_missing_or_old_sign_in_is_an_offer(void **state)
{
	static const enum reason never[] = { AAD_R_UNSET, AAD_R_ALLOWED,
		AAD_R_BAD_LOGIN, AAD_R_KEY_MALFORMED, AAD_R_KEY_TYPE,
		AAD_R_KEY_WEAK, AAD_R_KEY_CERTIFICATE, AAD_R_LOGIN_DENIED,
		AAD_R_KEY_DENIED, AAD_R_IDENTITY_DENIED, AAD_R_TOKEN_SIGNATURE,
		AAD_R_PINNED_OTHER, AAD_R_NOT_ALLOWED, AAD_R_LOGIN_NEVER };
	int r, n = 0;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		assert_false(decision_curable(never[i]));
	for (r = 0; r < AAD_R_COUNT; r++) {
		if (!decision_curable((enum reason)r))
			continue;
		assert_int_equal(reason_class((enum reason)r), REASON_NO);
		n++;
	}
	assert_int_equal(n, 16);
	assert_false(decision_curable(AAD_R_KEY_SHARED));
	assert_true(decision_curable(AAD_R_NO_RECORD));
	assert_true(decision_curable(AAD_R_RECORD_ENDED));
	assert_true(decision_curable(AAD_R_TOKEN_EXPIRED));
}

static void
II_K6_tenant_keys_age(void **state)
{
	struct world *w = *state;
	struct jwks *keys = forge_jwks(&w->forge, NOW - 24 * 3600, 5);
	struct decision_ask ask = question(w);

	assert_int_equal(cache_tenant_keys_store(&w->cache, keys), 0);
	jwks_free(keys);
	ask.now = NOW;
	assert_int_equal(answer(&ask), AAD_R_ALLOWED);
	ask.now = NOW + 1;
	assert_int_equal(answer(&ask), AAD_R_TENANT_KEYS_STALE);
}

static void
I_B10_sign_in_age(void **state)
{
	struct world *w = *state;
	char *claims = forge_claims(FORGE_OID, "alice@contoso.com", NOW,
	    NOW + 86400, "");
	struct decision_ask ask = question(w);

	CHANGED(w, {
		free(rec->id_token);
		rec->id_token = forge_token(&w->forge, NULL, claims);
		rec->renewal_at = NOW;
		rec->sign_in = NOW - 12 * 3600;
	});
	free(claims);
	ask.now = NOW;
	assert_int_equal(answer(&ask), AAD_R_ALLOWED);
	ask.now = NOW + 1;
	assert_int_equal(answer(&ask), AAD_R_SIGN_IN_STALE);
}

static int64_t *
time_of(struct record *rec, size_t i)
{
	int64_t *const times[] = { &rec->written, &rec->sign_in,
		&rec->renewal_at, &rec->confirmed_at };

	return times[i];
}

/* Every time that our clock wrote into a file. */
static void
II_K12_clock_set_back(void **state)
{
	struct world *w = *state;
	struct decision_ask ask = question(w);
	struct jwks *keys;
	int64_t by;
	size_t i;

	ask.now = NOW;
	for (i = 0; i < 4; i++) {
		for (by = 60; by <= 61; by++) {
			CHANGED(w, *time_of(rec, i) = NOW + by);
			assert_int_equal(answer(&ask),
			    by == 60 ? AAD_R_ALLOWED : AAD_R_CLOCK_BACK);
		}
	}
	CHANGED(w, rec->written = NOW);
	keys = forge_jwks(&w->forge, NOW + 60, 5);
	assert_int_equal(cache_tenant_keys_store(&w->cache, keys), 0);
	jwks_free(keys);
	assert_int_equal(answer(&ask), AAD_R_ALLOWED);
	keys = forge_jwks(&w->forge, NOW + 61, 5);
	assert_int_equal(cache_tenant_keys_store(&w->cache, keys), 0);
	jwks_free(keys);
	assert_int_equal(answer(&ask), AAD_R_CLOCK_BACK);
}

static void
I_B11_clock_far_off(void **state)
{
	static const int64_t times[] = { 0, 1, INT64_C(2147483647),
		INT64_C(4294967296), INT64_C(253402300799), INT64_MAX - 100 };
	struct world *w = *state;
	struct decision_ask ask = question(w);
	size_t i;

	for (i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		ask.now = times[i];
		assert_int_not_equal(answer(&ask), AAD_R_ALLOWED);
	}
}

static void
unconfirmed_ends(void **state)
{
	struct world *w = *state;
	struct decision_ask ask = question(w);

	CHANGED(w, {
		rec->confirmed = CONFIRMED_NO;
		rec->confirmed_at = 0;
	});
	ask.now = NOW + 3599;
	assert_int_equal(answer(&ask), AAD_R_ALLOWED);
	/* NB. the token of this record lives as long: ask while it does. */
	w->conf->confirm = 600;
	ask.now = NOW + 600;
	assert_int_equal(answer(&ask), AAD_R_ALLOWED);
	ask.now = NOW + 601;
	assert_int_equal(answer(&ask), AAD_R_UNCONFIRMED);
}

static void
ended_record(void **state)
{
	struct world *w = *state;
	struct record *rec = calloc(1, sizeof(*rec));

	assert_non_null(rec);
	rec->state = RECORD_ENDED;
	snprintf(rec->login, sizeof(rec->login), "alice");
	memcpy(rec->key_hash, w->key.hash, sizeof(rec->key_hash));
	rec->generation = 2;
	rec->written = rec->ended_at = NOW;
	assert_non_null(rec->ended_reason = strdup("sign_in_stale"));
	store(w, rec);
	SAYS(w, "sign_in_stale");
	/* A reason that is no definite no, or none of ours, is not repeated. */
	free(rec->ended_reason);
	assert_non_null(rec->ended_reason = strdup("allowed"));
	store(w, rec);
	SAYS(w, "record_ended");
	free(rec->ended_reason);
	assert_non_null(rec->ended_reason = strdup("from_the_future"));
	store(w, rec);
	SAYS(w, "record_ended");
	record_free(rec);
}

static void
II_K11_foreign_host(void **state)
{
	struct world *w = *state;
	char aside[96];

	put(w->base, "machine-id", "fedcba9876543210fedcba9876543210\n");
	SAYS(w, "foreign_host");
	put(w->base, "machine-id", MACHINE);
	snprintf(aside, sizeof(aside), "%s/aside", w->base);
	assert_int_equal(link(w->machine_id, aside), 0);
	SAYS(w, "allowed"); /* a second link locks nobody out */
	assert_int_equal(unlink(aside), 0);
	put(w->base, "machine-id", "uninitialized\n");
	SAYS(w, "no_machine_id");
	put(w->base, "machine-id", "0123456789ABCDEF0123456789abcdef\n");
	SAYS(w, "no_machine_id");
	put(w->base, "machine-id", "");
	SAYS(w, "no_machine_id");
	assert_int_equal(unlink(w->machine_id), 0);
	SAYS(w, "no_machine_id");
}

static void
I_B6_recycled_upn_does_not_inherit(void **state)
{
	struct world *w = *state;
	char *claims = forge_claims(FORGE_OID2, "alice@contoso.com", NOW,
	    NOW + 3600, "");

	CHANGED(w, {
		free(rec->id_token);
		rec->id_token = forge_token(&w->forge, NULL, claims);
		snprintf(rec->oid, sizeof(rec->oid), "%s", FORGE_OID2);
	});
	free(claims);
	SAYS(w, "pinned_other");
}

static void
record_and_token_name_one_identity(void **state)
{
	struct world *w = *state;

	CHANGED(w, snprintf(rec->oid, sizeof(rec->oid), "%s", FORGE_OID2));
	SAYS(w, "record_mismatch");
	CHANGED(w, snprintf(rec->tid, sizeof(rec->tid), "%s", FORGE_OID2));
	SAYS(w, "record_mismatch");
}

static void
no_pin_for_a_mapped_login(void **state)
{
	struct world *w = *state;

	assert_int_equal(pin_remove(&w->cache, "alice"), 0);
	SAYS(w, "no_pin");
}

static void
junk_pin_cannot_tell(void **state)
{
#define PIN(v, tid, oid, at)                                                   \
	"{\"v\":" v ",\"tid\":\"" tid "\",\"oid\":\"" oid "\",\"at\":" at "}"
	static const char *const junk[] = { "{}",
		PIN("2", FORGE_TENANT, FORGE_OID, "1"),
		PIN("1", "x", FORGE_OID, "1"), PIN("1", FORGE_TENANT, "x", "1"),
		PIN("1", FORGE_TENANT, FORGE_OID, "\"1\""),
		PIN("1", FORGE_TENANT, FORGE_OID, "1,\"more\":1"),
		"{\"v\":1,\"oid\":\"" FORGE_OID "\",\"at\":1,\"more\":1}",
		"{\"v\":1,\"tid\":\"" FORGE_TENANT "\",\"at\":1,\"more\":1}" };
	static const char good[] = PIN("1", FORGE_TENANT, FORGE_OID, "1");
	struct world *w = *state;
	char path[256];
	size_t i;

	snprintf(path, sizeof(path), "%s/state/pins/alice", w->base);
	for (i = 0; i < sizeof(junk) / sizeof(junk[0]); i++) {
		spill(path, junk[i], strlen(junk[i]));
		SAYS(w, "pin_unreadable");
	}
	spill(path, good, strlen(good));
	SAYS(w, "allowed");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	SAYS(w, "pin_unreadable");
}

/* A directory that is walked through is looked at like one that is opened. */
static void
II_P13_directories_walked_through(void **state)
{
	static const struct {
		const char *name, *reason;
	} dirs[] = { { "pins", "pin_unreadable" },
		{ "keys", "record_key_unreadable" } };
	struct world *w = *state;
	size_t i;

	for (i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		assert_int_equal(fchmodat(w->cache.dir, dirs[i].name, 0770, 0),
		    0);
		SAYS(w, dirs[i].reason);
		assert_int_equal(fchmodat(w->cache.dir, dirs[i].name, 0750, 0),
		    0);
		SAYS(w, "allowed");
		assert_int_equal(renameat(w->cache.dir, dirs[i].name,
				     w->cache.dir, "aside"),
		    0);
		assert_int_equal(symlinkat("aside", w->cache.dir, dirs[i].name),
		    0);
		SAYS(w, dirs[i].reason);
		assert_int_equal(unlinkat(w->cache.dir, dirs[i].name, 0), 0);
		if (i == 0)
			SAYS(w, dirs[i].reason);
		assert_int_equal(renameat(w->cache.dir, "aside", w->cache.dir,
				     dirs[i].name),
		    0);
		SAYS(w, "allowed");
	}
}

static void
II_P18_policy_is_judged_every_time(void **state)
{
	struct world *w = *state;
	char *claims = forge_claims(FORGE_OID, "alice@contoso.com", NOW,
	    NOW + 3600, "");
	char *role = strstr(claims, "ssh.user");

	assert_non_null(role);
	memcpy(role, "ssh.gone", 8);
	CHANGED(w, {
		free(rec->id_token);
		rec->id_token = forge_token(&w->forge, NULL, claims);
	});
	free(claims);
	SAYS(w, "require_not_met");
}

static void
uid_below_min_uid(void **state)
{
	struct world *w = *state;
	struct decision_ask ask = question(w);

	ask.uid = 999;
	assert_int_equal(answer(&ask), AAD_R_UID_TOO_LOW);
	ask.uid = 0;
	assert_int_equal(answer(&ask), AAD_R_UID_TOO_LOW);
	ask.uid = POLICY_UID_UNJUDGED;
	assert_int_equal(answer(&ask), AAD_R_ALLOWED);
}

static void
II_T10_token_of_another_application(void **state)
{
	struct world *w = *state;
	char *claims = forge_claims(FORGE_OID, "alice@contoso.com", NOW,
	    NOW + 3600, "");
	char *aud = strstr(claims, FORGE_CLIENT);

	assert_non_null(aud);
	aud[0] = aud[0] == '0' ? '1' : '0';
	CHANGED(w, {
		free(rec->id_token);
		rec->id_token = forge_token(&w->forge, NULL, claims);
	});
	free(claims);
	SAYS(w, "token_audience");
}

static void
II_T5_key_gone_from_the_tenant(void **state)
{
	struct world *w = *state;
	struct jwks *keys = forge_jwks(&w->forge, NOW, 5);

	keys->keys[5].kid[0] = 'X';
	assert_int_equal(cache_tenant_keys_store(&w->cache, keys), 0);
	jwks_free(keys);
	SAYS(w, "unknown_kid");
}

static void
tenant_keys_of_another_tenant(void **state)
{
	struct world *w = *state;
	struct jwks *keys = forge_jwks(&w->forge, NOW, 5);

	free(keys->issuer);
	assert_non_null(keys->issuer = strdup("https://login.example.test/x"));
	assert_int_equal(cache_tenant_keys_store(&w->cache, keys), 0);
	jwks_free(keys);
	SAYS(w, "tenant_keys_foreign");
}

static void
no_tenant_keys_cannot_tell(void **state)
{
	struct world *w = *state;

	assert_int_equal(unlinkat(w->cache.dir, "keys.json", 0), 0);
	SAYS(w, "no_tenant_keys");
	put(w->base, "state/keys.json", "{\"v\":1}");
	SAYS(w, "tenant_keys_unreadable");
}

static void
config_without_idp_cannot_tell(void **state)
{
	struct world *w = *state;

	w->conf->has_idp = false;
	SAYS(w, "config");
	w->conf->has_idp = true;
}

/* ---- record files ----------------------------------------------------- */

static void
II_K5_truncated_and_junk_records(void **state)
{
	struct world *w = *state;
	char path[256];
	size_t len, i;
	char *good;

	record_path(w, path);
	good = slurp(path, &len);
	for (i = 0; i < len; i += i < 400 ? 1 : 97) {
		spill(path, good, i);
		assert_int_equal(reason_class(answer(&(struct decision_ask){
				     .conf = w->conf,
				     .rules = w->rules,
				     .machine_id = w->machine_id,
				     .login = "alice",
				     .key_type = "ssh-ed25519",
				     .key_base64 = w->key_base64,
				     .uid = 1001,
				     .now = NOW,
				     .oracle = verify_nettle })),
		    REASON_NO);
	}
	spill(path, good, len);
	SAYS(w, "allowed");
	free(good);
}

static void
II_K5_future_version_and_huge(void **state)
{
	struct world *w = *state;
	char path[256], *good, *big;
	size_t len;

	record_path(w, path);
	good = slurp(path, &len);
	good[strlen("aadssh-record ")] = '2';
	spill(path, good, len);
	SAYS(w, "record_version");
	good[strlen("aadssh-record ")] = 'x';
	spill(path, good, len);
	SAYS(w, "record_malformed");
	assert_non_null(big = calloc(1, RECORD_MAX + 1));
	memset(big, 'a', RECORD_MAX + 1);
	spill(path, big, RECORD_MAX + 1);
	SAYS(w, "record_malformed");
	free(big);
	free(good);
}

struct walk {
	struct world *w;
	size_t len;
};

static void
damaged_record(const uint8_t *p, size_t len, enum mutation how, size_t at,
    void *arg)
{
	struct walk *walk = arg;
	struct record *rec = NULL;
	enum reason why = AAD_R_UNSET;

	(void)how;
	(void)at;
	assert_int_equal(record_parse((const char *)p, len, walk->w->host,
			     "alice", walk->w->key.hash, &walk->w->pub, &rec,
			     &why),
	    AAD_EREFUSED);
	assert_null(rec);
	assert_int_equal(reason_class(why), REASON_NO);
}

/* No flip of any bit, no cut and no tail is taken. */
static void
II_K4_every_bit_of_a_record(void **state)
{
	struct walk walk = { *state, 0 };
	char path[256], *good;

	record_path(walk.w, path);
	good = slurp(path, &walk.len);
	mutate_walk(good, walk.len, damaged_record, &walk);
	free(good);
}

static void
II_K4_swapped_records(void **state)
{
	struct world *w = *state;
	char path[256], other[320], *good;
	size_t len;
	struct decision_ask ask = question(w);

	record_path(w, path);
	good = slurp(path, &len);
	snprintf(other, sizeof(other), "%s/state/records/deploy", w->base);
	assert_int_equal(mkdir(other, 0750), 0);
	strncat(other, strrchr(path, '/'), sizeof(other) - strlen(other) - 1);
	spill(other, good, len);
	free(good);
	ask.login = "deploy";
	assert_int_equal(answer(&ask), AAD_R_RECORD_MISMATCH);
}

static void
II_K4_record_of_another_record_key(void **state)
{
	struct world *w = *state;
	struct record *rec = make_record(w, good_token(w, ""));
	uint8_t pub[RECORD_PUB_LEN];
	struct secret *other;

	assert_int_equal(secret_new(RECORD_SEC_LEN, &other), 0);
	crypto_sign_keypair(pub, secret_bytes(other));
	assert_int_equal(cache_record_store(&w->cache, rec, w->host, other), 0);
	record_free(rec);
	secret_free(other);
	SAYS(w, "record_signature");
}

static void
II_K3_links_fifos_owners_modes(void **state)
{
	struct world *w = *state;
	char path[256], aside[320];

	record_path(w, path);
	assert_int_equal(chmod(path, 0660), 0);
	SAYS(w, "record_owner");
	assert_int_equal(chmod(path, 0642), 0);
	SAYS(w, "record_owner");
	assert_int_equal(chmod(path, 0640), 0);
	snprintf(aside, sizeof(aside), "%s/aside", w->base);
	assert_int_equal(link(path, aside), 0);
	SAYS(w, "record_owner");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink(aside, path), 0);
	SAYS(w, "record_owner");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0640), 0);
	SAYS(w, "record_owner");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0750), 0);
	SAYS(w, "record_owner");
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(rename(aside, path), 0);
	SAYS(w, "allowed");
	if (geteuid() != 0)
		return;
	assert_int_equal(chown(path, 12345, 12345), 0);
	SAYS(w, "record_owner");
}

static void
II_K2_modes_do_not_depend_on_the_umask(void **state)
{
	static const struct {
		const char *name;
		mode_t mode;
	} want[] = { { "", 0750 }, { "records", 0750 },
		{ "records/alice", 0750 }, { "denials", 0750 },
		{ "denials/login", 0750 }, { "denials/key", 0750 },
		{ "denials/oid", 0750 }, { "pins", 0750 },
		{ "pins/alice", 0640 }, { "keys", 0750 },
		{ "keys/record.key", 0600 }, { "keys/record.pub", 0640 },
		{ "keys.json", 0640 }, { "locks", 0700 } };
	struct world *w = *state;
	char path[256];
	struct stat sb;
	size_t i;

	for (i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		snprintf(path, sizeof(path), "%s/state/%s", w->base,
		    want[i].name);
		assert_int_equal(stat(path, &sb), 0);
		assert_int_equal(sb.st_mode & 07777, want[i].mode);
	}
	record_path(w, path);
	assert_int_equal(stat(path, &sb), 0);
	assert_int_equal(sb.st_mode & 07777, 0640);
}

/* ---- what cannot be told ---------------------------------------------- */

static void
II_P9_denials_unreadable(void **state)
{
	static const char *const names[] = { "denials/login", "denials/key",
		"denials/oid" };
	struct world *w = *state;
	char aside[] = "aside";
	size_t i;

	for (i = 0; i < 3; i++) {
		assert_int_equal(renameat(w->cache.dir, names[i], w->cache.dir,
				     aside),
		    0);
		SAYS(w, "denials_unreadable");
		assert_int_equal(symlinkat("/", w->cache.dir, names[i]), 0);
		SAYS(w, "denials_unreadable");
		assert_int_equal(unlinkat(w->cache.dir, names[i], 0), 0);
		assert_int_equal(renameat(w->cache.dir, aside, w->cache.dir,
				     names[i]),
		    0);
	}
	assert_int_equal(renameat(w->cache.dir, "denials", w->cache.dir, aside),
	    0);
	SAYS(w, "denials_unreadable");
}

static void
II_K9_state_missing_cannot_tell(void **state)
{
	struct world *w = *state;
	char cmd[256];

	snprintf(cmd, sizeof(cmd), "mv %s/state %s/gone", w->base, w->base);
	assert_int_equal(system(cmd), 0);
	SAYS(w, "state_unreadable");
}

static void
records_directory_missing_cannot_tell(void **state)
{
	struct world *w = *state;

	assert_int_equal(renameat(w->cache.dir, "records", w->cache.dir,
			     "aside"),
	    0);
	SAYS(w, "record_unreadable");
}

/* Each system call that the decision makes fails once: never a yes. */
static void
II_O2_every_system_call_fails(void **state)
{
	static const int errors[] = { EIO, EACCES, EMFILE, ENOMEM };
	struct world *w = *state;
	struct decision_ask ask = question(w);
	struct decision d;
	unsigned int k;
	size_t e;
	bool hit;

	for (e = 0; e < sizeof(errors) / sizeof(errors[0]); e++) {
		for (k = 1;; k++) {
			fault_arm(FAULT_SYSCALL, k, errors[e]);
			enum reason why = decide(&ask, &d);
			hit = fault_disarm();
			if (!hit) {
				assert_int_equal(why, AAD_R_ALLOWED);
				decision_release(&d);
				break;
			}
			assert_int_not_equal(why, AAD_R_ALLOWED);
			assert_null(d.line);
			decision_release(&d);
		}
		assert_true(k > 20);
	}
}

static void
II_O2_every_allocation_fails(void **state)
{
	struct world *w = *state;
	struct decision_ask ask = question(w);
	struct decision d;
	unsigned int k;
	bool hit;

	for (k = 1;; k++) {
		fault_arm(FAULT_ALLOC, k, ENOMEM);
		enum reason why = decide(&ask, &d);
		hit = fault_disarm();
		if (!hit) {
			assert_int_equal(why, AAD_R_ALLOWED);
			decision_release(&d);
			break;
		}
		assert_int_not_equal(why, AAD_R_ALLOWED);
		/* Out of memory is no definite no. */
		assert_int_equal(reason_class(why), REASON_CANNOT);
		assert_null(d.line);
		decision_release(&d);
	}
	assert_true(k > 20);
}

/* ---- denials ---------------------------------------------------------- */

static void
II_P12_denials_win(void **state)
{
	struct world *w = *state;
	const struct denial d = { 0, "admin", NOW };
	char hex[NAME_HEX64_LEN + 1];

	name_hex64(w->key.hash, hex);
	assert_int_equal(denial_set(&w->cache, DENIAL_LOGIN, "alice", &d), 0);
	SAYS(w, "login_denied");
	assert_int_equal(denial_lift(&w->cache, DENIAL_LOGIN, "alice"), 0);
	assert_int_equal(denial_set(&w->cache, DENIAL_KEY, hex, &d), 0);
	SAYS(w, "key_denied");
	assert_int_equal(denial_lift(&w->cache, DENIAL_KEY, hex), 0);
	assert_int_equal(denial_set(&w->cache, DENIAL_OID, FORGE_OID, &d), 0);
	SAYS(w, "identity_denied");
	assert_int_equal(denial_lift(&w->cache, DENIAL_OID, FORGE_OID), 0);
	SAYS(w, "allowed");
	assert_int_equal(denial_lift(&w->cache, DENIAL_OID, FORGE_OID),
	    AAD_ENOENT);
}

static void
boundary_denial_until(void **state)
{
	struct world *w = *state;
	const struct denial d = { NOW + 100, "admin", NOW };
	struct decision_ask ask = question(w);

	assert_int_equal(denial_set(&w->cache, DENIAL_LOGIN, "alice", &d), 0);
	ask.now = NOW + 99;
	assert_int_equal(answer(&ask), AAD_R_LOGIN_DENIED);
	ask.now = NOW + 100;
	assert_int_equal(answer(&ask), AAD_R_ALLOWED);
}

static void
II_P9_junk_denial_is_in_force(void **state)
{
	static const char *const junk[] = { "", "\n", "0", "0\n", "x\n{}\n",
		"-1\n{\"v\":1,\"origin\":\"admin\",\"at\":1}\n",
		"1 \n{\"v\":1,\"origin\":\"admin\",\"at\":1}\n",
		"1\n{\"v\":2,\"origin\":\"admin\",\"at\":1}\n",
		"1\n{\"v\":1,\"origin\":\"nobody\",\"at\":1}\n",
		"1\n{\"v\":1,\"origin\":\"admin\"}\n",
		"1\n{\"v\":1,\"at\":1}\n",
		"00000000000000000000000000000000000000000000001\n{\"v\":1,"
		"\"origin\":\"admin\",\"at\":1}\n",
		("99999999999999999999\n{\"v\":1,\"origin\":\"admin\","
		 "\"at\":1}\n") };
	static const char
	    past[] = "1\n{\"v\":1,\"origin\":\"admin\",\"at\":1}\n",
	    idp[] = "1\n{\"v\":1,\"origin\":\"idp\",\"at\":1}\n";
	struct world *w = *state;
	char path[256];
	size_t i;

	snprintf(path, sizeof(path), "%s/state/denials/login/alice", w->base);
	for (i = 0; i < sizeof(junk) / sizeof(junk[0]); i++) {
		spill(path, junk[i], strlen(junk[i]));
		SAYS(w, "login_denied");
	}
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/nonexistent", path), 0);
	SAYS(w, "login_denied");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0640), 0);
	SAYS(w, "login_denied");
	assert_int_equal(unlink(path), 0);
	/* In the past, and well-formed but for the NUL behind it. */
	spill(path, past, sizeof(past));
	SAYS(w, "login_denied");
	spill(path, past, sizeof(past) - 1);
	SAYS(w, "allowed");
	spill(path, idp, sizeof(idp) - 1);
	SAYS(w, "allowed");
}

/* What is told of a denial is what was written; of junk nothing is. */
static void
what_a_denial_says(void **state)
{
	struct world *w = *state;
	const struct denial d = { NOW + 100, "idp", NOW - 5 };
	struct denial found;
	char path[256];

	assert_int_equal(denial_set(&w->cache, DENIAL_LOGIN, "bob", &d), 0);
	assert_int_equal(denial_check(&w->cache, DENIAL_LOGIN, "bob", NOW,
			     &found),
	    DENIAL_IN_FORCE);
	assert_int_equal(found.until, d.until);
	assert_int_equal(found.at, d.at);
	assert_string_equal(found.origin, "idp");
	snprintf(path, sizeof(path), "%s/state/denials/login/bob", w->base);
	spill(path, "x", 1);
	assert_int_equal(denial_check(&w->cache, DENIAL_LOGIN, "bob", NOW,
			     &found),
	    DENIAL_IN_FORCE);
	assert_int_equal(found.until, 0);
	assert_string_equal(found.origin, "?");
}

static void
wrong_names_are_no_path(void **state)
{
	struct world *w = *state;
	const struct denial d = { 0, "admin", NOW };
	const struct pin good = { FORGE_TENANT, FORGE_OID, NOW };
	struct pin p;

	assert_int_equal(denial_set(&w->cache, DENIAL_LOGIN, "../x", &d),
	    AAD_EARG);
	assert_int_equal(denial_set(&w->cache, DENIAL_OID, "x", &d), AAD_EARG);
	assert_int_equal(denial_set(&w->cache, DENIAL_KEY, "..", &d), AAD_EARG);
	assert_int_equal(denial_check(&w->cache, DENIAL_KEY, "..", NOW, NULL),
	    DENIAL_CANNOT_TELL);
	assert_int_equal(denial_lift(&w->cache, DENIAL_LOGIN, "../x"),
	    AAD_EARG);
	assert_int_equal(pin_load(&w->cache, "../x", &p), AAD_EARG);
	assert_int_equal(pin_remove(&w->cache, "../x"), AAD_EARG);
	assert_int_equal(pin_create(&w->cache, "../x", &good), AAD_EARG);
}

/* What no reader would take is not written either. */
static void
no_junk_is_written(void **state)
{
	static const struct pin bad[] = { { "x", FORGE_OID, NOW },
		{ FORGE_TENANT, "", NOW } };
	struct world *w = *state;
	const struct denial before = { -1, "admin", NOW };
	struct denial found;
	struct pin p;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(pin_create(&w->cache, "bob", &bad[i]),
		    AAD_EARG);
	assert_int_equal(pin_load(&w->cache, "bob", &p), AAD_ENOENT);
	assert_int_equal(denial_set(&w->cache, DENIAL_LOGIN, "bob", &before),
	    AAD_EARG);
	assert_int_equal(denial_check(&w->cache, DENIAL_LOGIN, "bob", NOW,
			     &found),
	    DENIAL_NONE);
}

/* A directory that is gone is never "not there". */
static void
directories_that_are_gone(void **state)
{
	struct world *w = *state;
	const struct denial d = { 0, "admin", NOW };
	const struct pin good = { FORGE_TENANT, FORGE_OID, NOW };
	char path[256];
	struct pin p;

	snprintf(path, sizeof(path), "%s/state/denials/oid", w->base);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(denial_set(&w->cache, DENIAL_OID, FORGE_OID, &d),
	    AAD_ESYS);
	assert_int_equal(denial_lift(&w->cache, DENIAL_OID, FORGE_OID),
	    AAD_ESYS);
	SAYS(w, "denials_unreadable");
	assert_int_equal(pin_remove(&w->cache, "alice"), 0);
	snprintf(path, sizeof(path), "%s/state/pins", w->base);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(pin_create(&w->cache, "alice", &good), AAD_ESYS);
	assert_int_equal(pin_load(&w->cache, "alice", &p), AAD_ESYS);
	assert_int_equal(pin_remove(&w->cache, "alice"), AAD_ESYS);
}

/* ---- writing ---------------------------------------------------------- */

static void
valid_pin_is_made_once(void **state)
{
	struct world *w = *state;
	struct pin other = { FORGE_TENANT, FORGE_OID2, NOW };
	struct pin p;

	assert_int_equal(pin_create(&w->cache, "alice", &other), AAD_EEXIST);
	assert_int_equal(pin_load(&w->cache, "alice", &p), 0);
	assert_true(pin_names(&p, FORGE_TENANT, FORGE_OID));
	assert_false(pin_names(&p, FORGE_TENANT, FORGE_OID2));
	assert_int_equal(pin_load(&w->cache, "bob", &p), AAD_ENOENT);
}

/* A child that dies before its k-th system call, as by kill -9. */
static bool
child_dies(struct world *w, unsigned int k, void (*work)(struct world *))
{
	pid_t pid = fork();
	int status;

	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		fault_arm(FAULT_KILL, k, 0);
		work(w);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) && WEXITSTATUS(status) == 137;
}

static struct record *next_record; /* what the child stores */

static void
work_store(struct world *w)
{
	if (cache_record_store(&w->cache, next_record, w->host, w->sec) != 0)
		_exit(1);
}

static void
work_deny(struct world *w)
{
	const struct denial d = { 0, "admin", NOW };

	if (denial_set(&w->cache, DENIAL_LOGIN, "alice", &d) != 0)
		_exit(1);
}

static void
work_keys(struct world *w)
{
	struct jwks *keys = forge_jwks(&w->forge, NOW + 1, 5);

	if (cache_tenant_keys_store(&w->cache, keys) != 0)
		_exit(1);
}

static void
work_pin(struct world *w)
{
	const struct pin p = { FORGE_TENANT, FORGE_OID, NOW };

	if (pin_create(&w->cache, "carol", &p) != 0)
		_exit(1);
}

static void
I_B9_kill_during_every_write(void **state)
{
	struct world *w = *state;
	struct pin p;
	unsigned int k;
	int r;

	next_record = make_record(w, good_token(w, ""));
	next_record->generation = 2;
	for (k = 1; child_dies(w, k, work_store); k++)
		SAYS(w, "allowed");
	assert_true(k > 5);
	SAYS(w, "allowed");
	record_free(next_record);
	for (k = 1; child_dies(w, k, work_keys); k++)
		SAYS(w, "allowed");
	assert_true(k > 4);
	for (k = 1; child_dies(w, k, work_pin); k++) {
		r = pin_load(&w->cache, "carol", &p);
		assert_true(r == 0 || r == AAD_ENOENT);
		if (r == 0)
			break;
	}
	assert_true(k > 4);
	for (k = 1; child_dies(w, k, work_deny); k++) {
		const char *now = said(w);
		assert_true(strcmp(now, "allowed") == 0 ||
			    strcmp(now, "login_denied") == 0);
	}
	SAYS(w, "login_denied");
}

/* A write that fails leaves the old file and no temporary one. */
static void
II_K13_failed_writes_change_nothing(void **state)
{
	struct world *w = *state;
	char path[256], *before, *after;
	size_t len, len2;
	unsigned int k;
	struct record *rec = make_record(w, good_token(w, ""));
	bool hit;
	int r;

	rec->generation = 7;
	record_path(w, path);
	for (k = 1;; k++) {
		before = slurp(path, &len);
		fault_arm(FAULT_SYSCALL, k, ENOSPC);
		r = cache_record_store(&w->cache, rec, w->host, w->sec);
		hit = fault_disarm();
		after = slurp(path, &len2);
		if (!hit) {
			assert_int_equal(r, 0);
			free(before);
			free(after);
			break;
		}
		assert_int_not_equal(r, 0);
		/* NB. the last call is the fsync of the directory: by then
		 * the new file is there, whole. */
		if (len == len2 && memcmp(before, after, len) == 0)
			SAYS(w, "allowed");
		free(before);
		free(after);
		SAYS(w, "allowed");
	}
	assert_true(k > 5);
	record_free(rec);
}

static void
record_key_is_made_once(void **state)
{
	struct world *w = *state;
	struct secret *again;

	assert_int_equal(cache_record_key(&w->cache, &again), 0);
	assert_memory_equal(secret_bytes(again), secret_bytes(w->sec),
	    RECORD_SEC_LEN);
	secret_free(again);
	/* A crash between the two files. */
	assert_int_equal(unlinkat(w->cache.dir, "keys/record.pub", 0), 0);
	SAYS(w, "record_key_unreadable");
	assert_int_equal(cache_record_key(&w->cache, &again), 0);
	secret_free(again);
	SAYS(w, "allowed");
	/* Halves that do not belong together are an error, not a repair. */
	assert_int_equal(unlinkat(w->cache.dir, "keys/record.pub", 0), 0);
	put(w->base, "state/keys/record.pub",
	    "01234567890123456789012345678901");
	assert_int_equal(cache_record_key(&w->cache, &again), AAD_EFORMAT);
	assert_null(again);
}

static void
state_of_another_user(void **state)
{
	struct world *w = *state;
	struct cache c;
	char dir[128];
	enum reason why;

	snprintf(dir, sizeof(dir), "%s/state", w->base);
	assert_int_equal(cache_open_write(dir, geteuid() + 1, &c, &why),
	    AAD_EREFUSED);
	assert_int_equal(why, AAD_R_STATE_OWNER);
	cache_close(&c);
	assert_int_equal(chmod(dir, 0770), 0);
	assert_int_equal(cache_open(dir, &c, &why), AAD_EPERM);
	SAYS(w, "state_unreadable");
}

static int
count_one(void *arg, const char *login, const uint8_t key_hash[static 32])
{
	int *n = arg;

	(void)key_hash;
	assert_string_equal(login, "alice");
	(*n)++;
	return 0;
}

static void
valid_walk_and_remove(void **state)
{
	struct world *w = *state;
	int n = 0;

	put(w->base, "state/records/alice/junk", "");
	put(w->base, "state/records/junk~", "");
	assert_int_equal(cache_record_each(&w->cache, NULL, count_one, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(cache_record_each(&w->cache, "bob", count_one, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(cache_record_remove(&w->cache, "alice", w->key.hash),
	    0);
	assert_int_equal(cache_record_remove(&w->cache, "alice", w->key.hash),
	    AAD_ENOENT);
	SAYS(w, "no_record");
}

static void
sweep_takes_only_old_leftovers(void **state)
{
	struct world *w = *state;
	struct stat sb;
	char path[256];

	put(w->base, "state/pins/.alice.tmp.0a1b2c", "");
	put(w->base, "state/records/alice/.x.tmp.0a1b2c", "");
	snprintf(path, sizeof(path), "%s/state/pins/.alice.tmp.0a1b2c",
	    w->base);
	assert_int_equal(stat(path, &sb), 0);
	cache_sweep(&w->cache, sb.st_mtime + 3600);
	assert_int_equal(stat(path, &sb), 0);
	cache_sweep(&w->cache, sb.st_mtime + 3700);
	assert_int_equal(stat(path, &sb), -1);
	snprintf(path, sizeof(path), "%s/state/records/alice/.x.tmp.0a1b2c",
	    w->base);
	assert_int_equal(stat(path, &sb), -1);
	SAYS(w, "allowed");
}

static void
wrong_record_is_not_written(void **state)
{
	struct world *w = *state;
	struct record *rec = make_record(w, good_token(w, ""));
	char *text;
	size_t len;

	rec->generation = 0;
	assert_int_equal(record_format(rec, w->host, w->sec, &text, &len),
	    AAD_EARG);
	rec->generation = 1;
	rec->key_hash[0] ^= 1;
	assert_int_equal(record_format(rec, w->host, w->sec, &text, &len),
	    AAD_EARG);
	rec->key_hash[0] ^= 1;
	snprintf(rec->oid, sizeof(rec->oid), "nobody");
	assert_int_equal(record_format(rec, w->host, w->sec, &text, &len),
	    AAD_EARG);
	record_free(rec);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(valid_yes_is_the_presented_key),
		T(until_is_the_last_moment),
		T(what_a_log_line_knows),
		T(valid_options_in_front),
		T(I_B2_hostile_logins),
		T(I_B19_login_case_matters),
		T(II_K1_other_login_same_key),
		T(I_A10_type_must_match_blob),
		T(wrong_key_has_no_record),
		T(expired_token),
		T(II_K9_grace_only_while_unreachable),
		T(denial_never_gets_grace),
		T(I_B14_only_a_missing_or_old_sign_in_is_an_offer),
		T(II_K6_tenant_keys_age),
		T(I_B10_sign_in_age),
		T(II_K12_clock_set_back),
		T(I_B11_clock_far_off),
		T(unconfirmed_ends),
		T(ended_record),
		T(II_K11_foreign_host),
		T(I_B6_recycled_upn_does_not_inherit),
		T(record_and_token_name_one_identity),
		T(no_pin_for_a_mapped_login),
		T(junk_pin_cannot_tell),
		T(II_P13_directories_walked_through),
		T(II_P18_policy_is_judged_every_time),
		T(uid_below_min_uid),
		T(II_T10_token_of_another_application),
		T(II_T5_key_gone_from_the_tenant),
		T(tenant_keys_of_another_tenant),
		T(no_tenant_keys_cannot_tell),
		T(config_without_idp_cannot_tell),
		T(II_K5_truncated_and_junk_records),
		T(II_K5_future_version_and_huge),
		T(II_K4_every_bit_of_a_record),
		T(II_K4_swapped_records),
		T(II_K4_record_of_another_record_key),
		T(II_K3_links_fifos_owners_modes),
		T(II_K2_modes_do_not_depend_on_the_umask),
		T(II_P9_denials_unreadable),
		T(II_K9_state_missing_cannot_tell),
		T(records_directory_missing_cannot_tell),
		T(II_O2_every_system_call_fails),
		T(II_O2_every_allocation_fails),
		T(II_P12_denials_win),
		T(boundary_denial_until),
		T(II_P9_junk_denial_is_in_force),
		T(what_a_denial_says),
		T(wrong_names_are_no_path),
		T(no_junk_is_written),
		T(directories_that_are_gone),
		T(valid_pin_is_made_once),
		T(I_B9_kill_during_every_write),
		T(II_K13_failed_writes_change_nothing),
		T(record_key_is_made_once),
		T(state_of_another_user),
		T(valid_walk_and_remove),
		T(sweep_takes_only_old_leftovers),
		T(wrong_record_is_not_written),
	};
	int failed;

	if (sodium_init() == -1)
		return 1;
	umask(0);
	forge_init(&shared_forge, 1);
	failed = cmocka_run_group_tests_name("host", tests, NULL, NULL);
	forge_release(&shared_forge);
	return failed;
}
