/* SPDX-License-Identifier: ISC */

/*
 * admit: what a sign-in stores, what it is refused for, and what of both is
 * true when it is killed, fails or meets another one.
 * Names carry the ids of attacks.md where a row is what the test is about.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>

#include "cmd/aadssh/admit.h"
#include "host/denial.h"
#include "host/pin.h"
#include "host/refreshtoken.h"
#include "policy/policy.h"
#include "test/tools/forge.h"
#include "test/unit/fault.h"
#include "test/unit/scratch.h"
#include "test/unit/unit.h"

#define ALICE FORGE_OID
#define BOB   FORGE_OID2
#define TOKEN "an opaque refresh token"
#define CONF                                                                   \
	"[idp]\ntenant = " FORGE_TENANT "\nclient_id = " FORGE_CLIENT          \
	"\nauthority = https://login.example.test\n[state]\ndir = %s/state\n"  \
	"[map]\ndomain = contoso.com\nrequire = role:ssh.user\n"               \
	"[login deploy]\nallow = role:ssh.user\n"

/* One scratch installation, made anew for each test. */
struct world {
	char base[64];
	struct app app;
	struct cache cache;
	uint8_t host[HOSTID_LEN];
	struct key key;
	int64_t now;
};

static volatile sig_atomic_t stop;

static void
make_key(struct key *k, uint8_t number)
{
	uint8_t blob[51] = "\0\0\0\x0bssh-ed25519\0\0\0\x20";
	uint8_t seed[32] = { number }, sk[64];
	enum reason why;

	crypto_sign_seed_keypair(blob + 19, sk, seed);
	assert_int_equal(key_from_blob(blob, sizeof(blob), k, &why), 0);
}

static int
setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct conf_error err;
	enum reason why;
	char text[1024];

	assert_non_null(w);
	snprintf(w->base, sizeof(w->base), "%s/aadssh-test-XXXXXX", UNIT_TMP);
	assert_non_null(mkdtemp(w->base));
	snprintf(text, sizeof(text), CONF, w->base);
	assert_int_equal(conf_parse(text, strlen(text), &w->app.conf, &err), 0);
	assert_int_equal(rules_new(w->app.conf, &w->app.rules, &err), 0);
	assert_int_equal(cache_open_write(w->app.conf->dir, geteuid(),
			     &w->cache, &why),
	    0);
	memset(w->host, 7, sizeof(w->host));
	make_key(&w->key, 1);
	w->now = (int64_t)time(NULL);
	stop = 0;
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
	cache_close(&w->cache);
	rules_free(w->app.rules);
	conf_free(w->app.conf);
	key_release(&w->key);
	free(w);
	return 0;
}

/* A sign-in of oid, called upn, that wants to be login: up to the store. */
static void
signed_in(struct world *w, struct admit *a, const char *login, const char *oid,
    const char *upn)
{
	char *text = forge_claims(oid, upn, w->now, w->now + 3600, "");
	enum reason why;

	memset(a, 0, sizeof(*a));
	a->app = &w->app;
	a->login = login;
	a->uid = 1001;
	a->via = "pam";
	a->source = "192.0.2.7";
	a->stop = &stop;
	assert_int_equal(cache_open_write(w->app.conf->dir, geteuid(),
			     &a->cache, &why),
	    0);
	memcpy(a->host, w->host, sizeof(a->host));
	assert_int_equal(claims_parse(text, strlen(text), &a->in.claims), 0);
	free(text);
	a->in.at = w->now;
	assert_non_null(a->in.id_token = strdup("e30.e30.c2ln"));
	a->in.id_token_len = strlen(a->in.id_token);
	assert_non_null(a->in.refresh_token = strdup(TOKEN));
	a->in.refresh_token_len = strlen(TOKEN);
}

/* The reason that admit_judge() and admit_store() end with. */
static const char *
admitted(struct world *w, const char *login, const char *oid, const char *upn,
    const struct key *key)
{
	struct admit a;
	enum reason why = AAD_R_ALLOWED;

	signed_in(w, &a, login, oid, upn);
	if (admit_judge(&a) != 0 || admit_store(&a, key) != 0)
		why = a.no.why;
	admit_release(&a);
	return reason_name(why);
}

#define ADMITTED(w, login, oid, upn, key, code)                                \
	assert_string_equal(admitted(w, login, oid, upn, key), code)

/* What is stored for the world's key; NULL for nothing. */
static struct record *
stored(const struct world *w, const char *login, const struct key *key)
{
	struct record_pub pub;
	struct record *rec;
	enum reason why;
	int r;

	if (cache_record_pub(&w->cache, &pub, &why) != 0)
		return NULL;
	r = cache_record_load(&w->cache, login, key->hash, w->host, &pub, &rec,
	    &why);
	assert_true(r == 0 || r == AAD_ENOENT);
	return rec;
}

/* Its state: RECORD_ACTIVE, RECORD_ENDED or 0. */
static int
state_of(const struct world *w, const char *login)
{
	struct record *rec = stored(w, login, &w->key);
	int s = rec == NULL ? 0 : (int)rec->state;

	record_free(rec);
	return s;
}

/* Whether the refresh token of a login is there and opens. */
static bool
renewable(const struct world *w, const char *login)
{
	struct cache_seal seal;
	struct secret *token = NULL;
	bool is;

	assert_int_equal(cache_seal_keys(&w->cache, &seal), 0);
	is = refreshtoken_load(&w->cache, login, w->key.hash, w->host, &seal,
		 &token) == 0;
	if (is) {
		assert_int_equal(secret_len(token), strlen(TOKEN));
		assert_memory_equal(secret_bytes(token), TOKEN, strlen(TOKEN));
	}
	secret_free(token);
	cache_seal_release(&seal);
	return is;
}

/* Its record and pin, as if it had never signed in. */
static void
forget(const struct world *w, const char *login)
{
	int r = cache_record_remove(&w->cache, login, w->key.hash);

	assert_true(r == 0 || r == AAD_ENOENT);
	r = pin_remove(&w->cache, login);
	assert_true(r == 0 || r == AAD_ENOENT);
}

static void
deny(const struct world *w, const char *origin, int64_t at)
{
	struct denial d = { 0, "", at };

	snprintf(d.origin, sizeof(d.origin), "%s", origin);
	assert_int_equal(denial_set(&w->cache, DENIAL_OID, ALICE, &d), 0);
}

static bool
denied(const struct world *w)
{
	return denial_check(&w->cache, DENIAL_OID, ALICE, w->now, NULL) !=
	       DENIAL_NONE;
}

/* ---- what is stored ---------------------------------------------- */

static void
valid_sign_in(void **state)
{
	struct world *w = *state;
	struct record *rec;
	struct pin pin;

	ADMITTED(w, "alice", ALICE, "alice@contoso.com", &w->key, "allowed");
	rec = stored(w, "alice", &w->key);
	assert_non_null(rec);
	assert_int_equal(rec->state, RECORD_ACTIVE);
	assert_int_equal(rec->generation, 1);
	assert_int_equal(rec->confirmed, CONFIRMED_NO);
	assert_int_equal(rec->confirmed_at, 0);
	assert_string_equal(rec->source, "192.0.2.7");
	assert_string_equal(rec->oid, ALICE);
	record_free(rec);
	assert_true(renewable(w, "alice"));
	assert_int_equal(pin_load(&w->cache, "alice", &pin), 0);
	assert_true(pin_names(&pin, FORGE_TENANT, ALICE));
	/* The next one follows it. */
	ADMITTED(w, "alice", ALICE, "alice@contoso.com", &w->key, "allowed");
	rec = stored(w, "alice", &w->key);
	assert_int_equal(rec->generation, 2);
	record_free(rec);
}

static void
no_key_stores_the_pin_only(void **state)
{
	struct world *w = *state;
	struct pin pin;

	ADMITTED(w, "alice", ALICE, "alice@contoso.com", NULL, "allowed");
	assert_int_equal(state_of(w, "alice"), 0);
	assert_false(renewable(w, "alice"));
	assert_int_equal(pin_load(&w->cache, "alice", &pin), 0);
	ADMITTED(w, "deploy", ALICE, "alice@contoso.com", NULL, "allowed");
	assert_int_equal(pin_load(&w->cache, "deploy", &pin), AAD_ENOENT);
}

static void
no_refresh_token_leaves_none_behind(void **state)
{
	struct world *w = *state;
	struct admit a;

	ADMITTED(w, "alice", ALICE, "alice@contoso.com", &w->key, "allowed");
	assert_true(renewable(w, "alice"));
	signed_in(w, &a, "alice", ALICE, "alice@contoso.com");
	free(a.in.refresh_token);
	a.in.refresh_token = NULL;
	assert_int_equal(admit_store(&a, &w->key), 0);
	admit_release(&a);
	assert_false(renewable(w, "alice"));
	assert_int_equal(state_of(w, "alice"), RECORD_ACTIVE);
}

static void
I_C19_somebody_else_stores_nothing(void **state)
{
	struct world *w = *state;
	struct pin pin;

	ADMITTED(w, "alice", BOB, "bob@contoso.com", &w->key, "not_this_login");
	assert_int_equal(state_of(w, "alice"), 0);
	assert_int_equal(pin_load(&w->cache, "alice", &pin), AAD_ENOENT);
	ADMITTED(w, "alice", ALICE, "alice@contoso.com", NULL, "allowed");
	/* Another who bears the name now. */
	ADMITTED(w, "alice", BOB, "alice@contoso.com", &w->key, "pinned_other");
	assert_int_equal(state_of(w, "alice"), 0);
	assert_false(renewable(w, "alice"));
}

static void
stopped_stores_nothing(void **state)
{
	struct world *w = *state;
	struct pin pin;

	stop = 1;
	ADMITTED(w, "alice", ALICE, "alice@contoso.com", &w->key,
	    "interrupted");
	assert_int_equal(state_of(w, "alice"), 0);
	assert_int_equal(pin_load(&w->cache, "alice", &pin), AAD_ENOENT);
}

/* ---- what is refused before -------------------------------------- */

static void
refused_early(void **state)
{
	static const struct {
		const char *login;
		int64_t uid;
		const char *code;
	} rows[] = {
		{ "alice", 1001, "allowed" }, { "alice", 1000, "allowed" },
		{ "alice", 999, "uid_too_low" }, { "alice", 0, "uid_too_low" },
		{ "alice", POLICY_UID_UNJUDGED, "allowed" },
		{ "root", 0, "login_never" },
		{ "root", POLICY_UID_UNJUDGED, "login_never" },
		{ "deploy", 500, "allowed" }, /* a section of its own */
	};
	struct world *w = *state;
	const struct denial d = { 0, "admin", w->now };
	char hash[NAME_HEX64_LEN + 1];
	struct admit a;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		signed_in(w, &a, rows[i].login, ALICE, "alice@contoso.com");
		a.uid = rows[i].uid;
		if (admit_early(&a, NULL) == 0)
			a.no.why = AAD_R_ALLOWED;
		assert_string_equal(reason_name(a.no.why), rows[i].code);
		admit_release(&a);
	}
	signed_in(w, &a, "alice", ALICE, "alice@contoso.com");
	name_hex64(w->key.hash, hash);
	assert_int_equal(denial_set(&w->cache, DENIAL_KEY, hash, &d), 0);
	assert_int_equal(admit_early(&a, NULL), 0);
	assert_int_equal(admit_early(&a, &w->key), AAD_EREFUSED);
	assert_int_equal(a.no.why, AAD_R_KEY_DENIED);
	/* It came while somebody was in the browser. */
	assert_int_equal(admit_store(&a, &w->key), AAD_EREFUSED);
	assert_int_equal(a.no.why, AAD_R_KEY_DENIED);
	assert_int_equal(denial_set(&w->cache, DENIAL_LOGIN, "alice", &d), 0);
	assert_int_equal(admit_early(&a, NULL), AAD_EREFUSED);
	assert_int_equal(a.no.why, AAD_R_LOGIN_DENIED);
	admit_release(&a);
	assert_int_equal(state_of(w, "alice"), 0);
}

/* ---- denials of the identity ------------------------------------- */

static void
idp_denials_are_lifted(void **state)
{
	static const struct {
		const char *origin;
		int64_t at; /* from the sign-in */
		bool lifted;
	} rows[] = {
		{ "idp", -1, true },
		{ "idp", -86400, true },
		{ "idp", 0, false }, /* no telling which was first */
		{ "idp", 30, false }, /* newer than the sign-in */
		{ "idp", 600, true }, /* from this clock's future */
		{ "admin", -86400, false },
		{ "admin", 600, false },
	};
	struct world *w = *state;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		deny(w, rows[i].origin, w->now + rows[i].at);
		ADMITTED(w, "alice", ALICE, "alice@contoso.com", &w->key,
		    rows[i].lifted ? "allowed" : "identity_denied");
		assert_int_equal(denied(w), !rows[i].lifted);
		assert_int_equal(state_of(w, "alice"),
		    rows[i].lifted ? RECORD_ACTIVE : 0);
		if (rows[i].lifted)
			assert_int_equal(cache_record_remove(&w->cache, "alice",
					     w->key.hash),
			    0);
	}
	assert_int_equal(denial_lift(&w->cache, DENIAL_OID, ALICE), 0);
	/* Lifted also where no key is remembered. */
	deny(w, "idp", w->now - 60);
	ADMITTED(w, "alice", ALICE, "alice@contoso.com", NULL, "allowed");
	assert_false(denied(w));
	/* Who may not be this login lifts nothing. */
	deny(w, "idp", w->now - 60);
	ADMITTED(w, "bob", ALICE, "alice@contoso.com", NULL, "not_this_login");
	assert_true(denied(w));
}

static void
denials_that_cannot_be_read_refuse(void **state)
{
	struct world *w = *state;
	struct admit a;
	char path[128];

	signed_in(w, &a, "alice", ALICE, "alice@contoso.com");
	snprintf(path, sizeof(path), "%s/state/denials/oid", w->base);
	assert_int_equal(chmod(path, 0777), 0);
	assert_int_equal(admit_judge(&a), AAD_EREFUSED);
	assert_int_equal(a.no.why, AAD_R_DENIALS_UNREADABLE);
	assert_int_equal(admit_store(&a, &w->key), AAD_EREFUSED);
	assert_int_equal(a.no.why, AAD_R_DENIALS_UNREADABLE);
	admit_release(&a);
	assert_int_equal(state_of(w, "alice"), 0);
}

/* ---- a key of two identities ------------------------------------- */

static void
shared_keys_open_nothing(void **state)
{
	struct world *w = *state;
	struct record *rec;
	struct key other;

	memset(&other, 0, sizeof(other));
	make_key(&other, 2);
	/* The same identity may use one key for several logins. */
	ADMITTED(w, "alice", ALICE, "alice@contoso.com", &w->key, "allowed");
	ADMITTED(w, "deploy", ALICE, "alice@contoso.com", &w->key, "allowed");
	ADMITTED(w, "bob", BOB, "bob@contoso.com", &other, "allowed");
	ADMITTED(w, "bob", BOB, "bob@contoso.com", &w->key, "key_shared");
	assert_int_equal(state_of(w, "bob"), 0);
	assert_int_equal(state_of(w, "alice"), RECORD_ENDED);
	assert_int_equal(state_of(w, "deploy"), RECORD_ENDED);
	assert_false(renewable(w, "alice"));
	assert_false(renewable(w, "deploy"));
	rec = stored(w, "alice", &w->key);
	assert_string_equal(rec->ended_reason, "key_shared");
	record_free(rec);
	/* Bob's own key is not touched. */
	rec = stored(w, "bob", &other);
	assert_int_equal(rec->state, RECORD_ACTIVE);
	record_free(rec);
	key_release(&other);
	/* It stays so, for the first one, too, until somebody forgets it. */
	ADMITTED(w, "alice", ALICE, "alice@contoso.com", &w->key, "key_shared");
	assert_int_equal(cache_record_remove(&w->cache, "alice", w->key.hash),
	    0);
	ADMITTED(w, "bob", BOB, "bob@contoso.com", &w->key, "key_shared");
	assert_int_equal(cache_record_remove(&w->cache, "deploy", w->key.hash),
	    0);
	ADMITTED(w, "bob", BOB, "bob@contoso.com", &w->key, "allowed");
}

static void
other_ends_share_nothing(void **state)
{
	struct world *w = *state;
	struct secret *sec = NULL;
	struct record *rec;
	struct admit a;

	ADMITTED(w, "alice", ALICE, "alice@contoso.com", &w->key, "allowed");
	signed_in(w, &a, "alice", ALICE, "alice@contoso.com");
	assert_true(admit_had(&a, &w->key));
	rec = stored(w, "alice", &w->key);
	assert_int_equal(cache_record_key(&w->cache, &sec), 0);
	assert_int_equal(cache_record_end(&w->cache, rec, AAD_R_SIGN_IN_STALE,
			     w->now, w->host, sec),
	    0);
	record_free(rec);
	assert_true(admit_had(&a, &w->key));
	/* Handed on to somebody else after the sign-in ended. */
	ADMITTED(w, "bob", BOB, "bob@contoso.com", &w->key, "allowed");
	assert_int_equal(state_of(w, "bob"), RECORD_ACTIVE);
	secret_free(sec);
	ADMITTED(w, "alice", ALICE, "alice@contoso.com", &w->key, "key_shared");
	assert_int_equal(state_of(w, "bob"), RECORD_ENDED);
	admit_release(&a);
	signed_in(w, &a, "bob", BOB, "bob@contoso.com");
	assert_false(admit_had(&a, &w->key));
	admit_release(&a);
}

/* Two at the same moment: never an active record of both. */
static void
racing_sign_ins(void **state)
{
	struct world *w = *state;
	int round, i, status, yes;
	pid_t pid[2];

	for (round = 0; round < 30; round++) {
		for (i = 0; i < 2; i++) {
			if ((pid[i] = fork()) != 0)
				continue;
			_exit(strcmp(i == 0 ? admitted(w, "alice", ALICE,
						  "alice@contoso.com", &w->key)
					    : admitted(w, "bob", BOB,
						  "bob@contoso.com", &w->key),
				  "allowed") == 0
				  ? 0
				  : 1);
		}
		for (i = yes = 0; i < 2; i++) {
			assert_int_equal(waitpid(pid[i], &status, 0), pid[i]);
			yes += status == 0;
		}
		/* One came first, and the other ended that. */
		assert_int_equal(yes, 1);
		assert_int_not_equal(state_of(w, "alice"), RECORD_ACTIVE);
		assert_int_not_equal(state_of(w, "bob"), RECORD_ACTIVE);
		assert_int_equal((state_of(w, "alice") == 0) +
				     (state_of(w, "bob") == 0),
		    1);
		forget(w, "alice");
		forget(w, "bob");
	}
}

/* ---- faults ------------------------------------------------------ */

/* What must be true whenever somebody looks. */
static void
check_state(const struct world *w)
{
	struct record *alice = stored(w, "alice", &w->key);
	struct record *bob = stored(w, "bob", &w->key);
	struct pin pin;

	if (alice != NULL && alice->state == RECORD_ACTIVE) {
		assert_string_equal(alice->oid, ALICE);
		assert_int_equal(pin_load(&w->cache, "alice", &pin), 0);
		assert_true(pin_names(&pin, FORGE_TENANT, ALICE));
	}
	if (bob != NULL && bob->state == RECORD_ACTIVE) {
		assert_int_equal(pin_load(&w->cache, "bob", &pin), 0);
		assert_true(renewable(w, "bob"));
		assert_true(alice == NULL || alice->state != RECORD_ACTIVE);
	}
	record_free(alice);
	record_free(bob);
}

/* Bob's sign-in, with the k-th call failing; whether it was reached. */
static bool
faulty(struct world *w, enum fault_kind kind, unsigned int k, int err,
    const char **codep)
{
	struct admit a;
	enum reason why = AAD_R_ALLOWED;
	bool reached;

	signed_in(w, &a, "bob", BOB, "bob@contoso.com");
	fault_arm(kind, k, err);
	if (admit_judge(&a) != 0 || admit_store(&a, &w->key) != 0)
		why = a.no.why;
	reached = fault_disarm();
	admit_release(&a);
	*codep = reason_name(why);
	return reached;
}

static void
no_fault_breaks_the_state(void **state)
{
	static const enum fault_kind kinds[] = { FAULT_ALLOC, FAULT_SYSCALL };
	struct world *w = *state;
	const char *code;
	unsigned int k;
	size_t i;
	bool more;

	/* The keys are made once, and not counted. */
	ADMITTED(w, "alice", ALICE, "alice@contoso.com", NULL, "allowed");
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		for (k = 1, more = true; more; k++) {
			more = faulty(w, kinds[i], k, ENOSPC, &code);
			if (!more)
				assert_string_equal(code, "allowed");
			check_state(w);
			forget(w, "bob");
		}
}

static void
killed_at_any_call(void **state)
{
	struct world *w = *state;
	unsigned int k;
	const char *code;
	int status;
	pid_t pid;

	ADMITTED(w, "alice", ALICE, "alice@contoso.com", NULL, "allowed");
	for (k = 1;; k++) {
		if ((pid = fork()) == 0)
			_exit(faulty(w, FAULT_KILL, k, 0, &code) ? 1 : 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		check_state(w);
		if (status == 0)
			break;
		assert_int_equal(WEXITSTATUS(status), 137);
		forget(w, "bob");
	}
	assert_true(k > 20);
	assert_int_equal(state_of(w, "bob"), RECORD_ACTIVE);
}

/* The same with a key that is Alice's already. */
static void
shared_key_killed_at_any_call(void **state)
{
	struct world *w = *state;
	unsigned int k;
	const char *code;
	int status;
	pid_t pid;

	for (k = 1;; k++) {
		forget(w, "alice");
		ADMITTED(w, "alice", ALICE, "alice@contoso.com", &w->key,
		    "allowed");
		if ((pid = fork()) == 0)
			_exit(faulty(w, FAULT_KILL, k, 0, &code) ? 1 : 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(state_of(w, "bob"), 0);
		check_state(w);
		if (status == 0)
			break;
	}
	assert_true(k > 20);
	assert_int_equal(state_of(w, "alice"), RECORD_ENDED);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(valid_sign_in),
		T(no_key_stores_the_pin_only),
		T(no_refresh_token_leaves_none_behind),
		T(I_C19_somebody_else_stores_nothing),
		T(stopped_stores_nothing),
		T(refused_early),
		T(idp_denials_are_lifted),
		T(denials_that_cannot_be_read_refuse),
		T(shared_keys_open_nothing),
		T(other_ends_share_nothing),
		T(racing_sign_ins),
		T(no_fault_breaks_the_state),
		T(killed_at_any_call),
		T(shared_key_killed_at_any_call),
	};

	if (sodium_init() == -1)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
