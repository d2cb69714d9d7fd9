/* SPDX-License-Identifier: ISC */

/*
 * ca/signer: from a token and a key to a certificate, and everything that
 * stands in between.  Names carry the ids of attacks.md where a row is what
 * the test is about.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sodium.h>

#include "ca/signer/backend.h"
#include "ca/signer/issue.h"
#include "core/b64.h"
#include "core/file.h"
#include "core/strictjson.h"
#include "ssh/agent.h"
#include "ssh/sign.h"
#include "test/tools/forge.h"
#include "test/unit/fault.h"
#include "test/unit/lastlog.h"
#include "test/unit/scratch.h"
#include "test/unit/unit.h"

#define NOW INT64_C(1800000000)
#define CONF_HEAD                                                              \
	"[idp]\ntenant = " FORGE_TENANT "\nclient_id = " FORGE_CLIENT          \
	"\nauthority = https://login.example.test\n"                           \
	"[token]\nsign_in_max_age = 12h\nkeys_max_age = 24h\n"                 \
	"[ca]\ncerts_per_hour = 5\n"                                           \
	"[map]\ndomain = contoso.com\nrequire = role:ssh.user\n"
#define CONF                                                                   \
	CONF_HEAD "hosts = *\n"                                                \
		  "[login deploy]\nallow = role:ssh.user\nhosts = web\n"

enum seed {
	SEED_USER_CA = 1,
	SEED_HOST_CA,
	SEED_SUBJECT,
	SEED_OTHER,
	SEED_NEXT_CA
};

/* One scratch authority, made anew for each test. */
struct world {
	char base[64];
	struct conf *conf;
	struct rules *rules;
	struct signer s;
	struct privkey keys[SEED_NEXT_CA + 1];
	char *token;
	FILE *out;
};

static struct forge tenant, foreign; /* key pairs take a while to make */

/* What is asked; zero fields are the usual. */
struct asked {
	const struct key *key; /* NULL: SEED_SUBJECT's */
	const uint8_t *blob; /* instead of key */
	size_t blob_len;
	const char *token; /* NULL: w->token */
	const char *logins[4];
	uint64_t ttl;
	const char *source;
	bool dry;
	bool host; /* op_sign_host() */
	const char *names[4];
};

/* What came back. */
struct got {
	enum reason why;
	json_t *end;
	bool has_cert;
	struct cert cert;
};

static char *
make_token(struct forge *f, int64_t iat, const char *extra)
{
	char *claims = forge_claims(FORGE_OID, "alice@contoso.com", iat,
	    iat + 3600, extra);
	char *token = forge_token(f, NULL, claims);

	free(claims);
	return token;
}

static void
write_tenant_keys(struct world *w, int64_t fetched_at, const char *issuer)
{
	struct jwks *keys = forge_jwks(&tenant, fetched_at, 2);
	char *text;
	size_t len;

	if (issuer != NULL) {
		free(keys->issuer);
		assert_non_null(keys->issuer = strdup(issuer));
	}
	assert_int_equal(jwks_format(keys, &text, &len), 0);
	assert_int_equal(file_replace(w->s.tenant, "keys.json", text, len,
			     0644),
	    0);
	free(text);
	jwks_free(keys);
}

static void
begin(struct world *w)
{
	enum reason why;

	assert_int_equal(ledger_begin(w->s.ledger, &why), 0);
}

static void
commit(struct world *w)
{
	enum reason why;

	assert_int_equal(ledger_commit(w->s.ledger, &why), 0);
}

static void
stage(struct world *w, enum ca_role role, enum ca_stage st, enum seed seed,
    bool in_agent)
{
	enum reason why;

	begin(w);
	assert_int_equal(keyring_append(w->s.ledger, NOW - 100, role, st,
			     &w->keys[seed].pub, in_agent, "test", &why),
	    0);
	commit(w);
}

/* A row about an identity, a login or a key. */
static void
note(struct world *w, enum event_kind kind, const char *oid, const char *login,
    const struct key *k)
{
	struct event e = { .at = NOW - 50, .kind = kind };
	enum reason why;

	if (oid != NULL) {
		snprintf(e.oid, sizeof(e.oid), "%s", oid);
		snprintf(e.tid, sizeof(e.tid), "%s", FORGE_TENANT);
	}
	if (login != NULL)
		snprintf(e.login, sizeof(e.login), "%s", login);
	if (k != NULL) {
		e.has_key = true;
		memcpy(e.key_hash, k->hash, sizeof(e.key_hash));
	}
	assert_non_null(e.body = json_pack("{s:s}", "reason", "test"));
	begin(w);
	assert_int_equal(ledger_append(w->s.ledger, &e, &why), 0);
	commit(w);
	event_release(&e);
}

static void
load_conf(const char *text, struct conf **confp, struct rules **rulesp)
{
	struct conf_error why;

	if (conf_parse(text, strlen(text), confp, &why) != 0 ||
	    rules_new(*confp, rulesp, &why) != 0)
		fail_msg("%u: %s", why.line, why.text);
}

static void
make_authority(struct world *w)
{
	enum reason why;
	char path[80];
	int i;

	w->s.dir = open(w->base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_not_equal(w->s.dir, -1);
	snprintf(path, sizeof(path), "%s/tenant", w->base);
	assert_int_equal(mkdir(path, 0755), 0);
	w->s.tenant = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	write_tenant_keys(w, NOW - 60, NULL);
	assert_int_equal(ledger_create(w->s.dir, &w->s.ledger, &why), 0);
	for (i = SEED_USER_CA; i <= SEED_NEXT_CA; i++) {
		const uint8_t seed[PRIVKEY_SEED_LEN] = { (uint8_t)i };

		assert_int_equal(privkey_of_seed(seed, &w->keys[i]), 0);
	}
	assert_int_equal(keyring_store(w->s.dir, &w->keys[SEED_USER_CA]), 0);
	assert_int_equal(keyring_store(w->s.dir, &w->keys[SEED_HOST_CA]), 0);
	stage(w, CA_ROLE_USER, CA_STAGE_PREPARED, SEED_USER_CA, false);
	stage(w, CA_ROLE_USER, CA_STAGE_ACTIVE, SEED_USER_CA, false);
	stage(w, CA_ROLE_HOST, CA_STAGE_PREPARED, SEED_HOST_CA, false);
	stage(w, CA_ROLE_HOST, CA_STAGE_ACTIVE, SEED_HOST_CA, false);
}

static int
setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	umask(022);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	snprintf(w->base, sizeof(w->base), "%s/aadssh-test-XXXXXX", UNIT_TMP);
	assert_non_null(mkdtemp(w->base));
	load_conf(CONF, &w->conf, &w->rules);
	w->s.conf_path = "test.conf";
	w->s.conf = w->conf;
	w->s.rules = w->rules;
	w->s.now = NOW;
	w->s.publish = w->s.agent = -1;
	make_authority(w);
	w->token = make_token(&tenant, NOW - 5, "");
	*state = w;
	return 0;
}

static int
teardown(void **state)
{
	struct world *w = *state;
	int i;

	ledger_close(w->s.ledger);
	for (i = SEED_USER_CA; i <= SEED_NEXT_CA; i++)
		privkey_release(&w->keys[i]);
	close(w->s.dir);
	if (w->s.tenant != -1)
		close(w->s.tenant);
	if (w->s.agent != -1)
		close(w->s.agent);
	rules_free(w->rules);
	conf_free(w->conf);
	free(w->token);
	assert_int_equal(scratch_remove(w->base), 0);
	free(w);
	return 0;
}

/* ---- asking ----------------------------------------------------------- */

static void
write_request(const struct world *w, const struct asked *a, struct wirebuf *b)
{
	const struct key *k = a->key != NULL ? a->key
					     : &w->keys[SEED_SUBJECT].pub;
	size_t i;

	*b = wirebuf_new();
	request_begin(b, a->host ? REQUEST_SIGN_HOST : REQUEST_SIGN);
	if (a->blob != NULL)
		request_put(b, REQUEST_L_KEY, a->blob, a->blob_len);
	else
		request_put(b, REQUEST_L_KEY, k->blob, k->blob_len);
	if (!a->host)
		request_put_text(b, REQUEST_L_TOKEN,
		    a->token != NULL ? a->token : w->token);
	for (i = 0; i < 4 && a->logins[i] != NULL; i++)
		request_put_text(b, REQUEST_L_LOGIN, a->logins[i]);
	if (a->ttl != 0)
		request_put_u64(b, REQUEST_L_TTL, a->ttl);
	if (a->source != NULL)
		request_put_text(b, REQUEST_L_SOURCE, a->source);
	if (a->dry)
		request_put_flag(b, REQUEST_L_DRY_RUN);
	request_put_text(b, REQUEST_L_CONTEXT, "via=test");
	for (i = 0; i < 4 && a->names[i] != NULL; i++)
		request_put_text(b, REQUEST_L_NAME, a->names[i]);
	request_end(b);
	assert_int_equal(b->r, 0);
}

/* The certificate among the replies, when there is one. */
static void
read_replies(const char *path, struct got *g)
{
	static struct request rq;
	enum request_op op;
	enum reason why;
	char *text;
	size_t len, n;

	assert_int_equal(file_read(AT_FDCWD, path,
			     (struct file_owner){
				 FILE_ANY_OWNER, FILE_ANY_OWNER, false },
			     1 << 20, &text, &len),
	    0);
	if (len > 0) {
		const uint8_t *p = (const uint8_t *)text;

		assert_true(len >= REQUEST_HEAD_LEN);
		assert_int_equal(request_head(p, REQUEST_REPLY_MAX, &op, &n),
		    0);
		assert_int_equal(op, REQUEST_CERTIFICATE);
		assert_int_equal(n, len - REQUEST_HEAD_LEN);
		assert_int_equal(request_parse(op, p + REQUEST_HEAD_LEN, n,
				     &rq),
		    0);
		assert_int_equal(cert_from_blob(request_get(&rq, REQUEST_L_KEY,
						    0)
						    ->p,
				     request_get(&rq, REQUEST_L_KEY, 0)->len,
				     &g->cert, &why),
		    0);
		g->has_cert = true;
	}
	free(text);
}

static struct got
ask(struct world *w, const struct asked *a)
{
	static struct request rq;
	struct got g = { AAD_R_UNSET, NULL, false, { .serial = 0 } };
	char path[96];
	struct wirebuf b;

	write_request(w, a, &b);
	assert_int_equal(request_parse(a->host ? REQUEST_SIGN_HOST
					       : REQUEST_SIGN,
			     b.p + REQUEST_HEAD_LEN, b.len - REQUEST_HEAD_LEN,
			     &rq),
	    0);
	snprintf(path, sizeof(path), "%s/out", w->base);
	w->s.out = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_int_not_equal(w->s.out, -1);
	w->s.detail[0] = '\0';
	g.why = (a->host ? op_sign_host : op_sign)(&w->s, &rq, &g.end);
	close(w->s.out);
	read_replies(path, &g);
	wirebuf_release(&b);
	return g;
}

static void
got_release(struct got *g)
{
	json_decref(g->end);
	cert_release(&g->cert);
}

static void
expect_reason(enum reason is, enum reason want, const char *where)
{
	if (is != want)
		fail_msg("%s: %s, not %s", where, reason_name(is),
		    reason_name(want));
}

/* Ask, and only the reason counts; a no brings no certificate. */
static void
expect(struct world *w, const struct asked *a, enum reason want,
    const char *where)
{
	struct got g = ask(w, a);

	expect_reason(g.why, want, where);
	assert_int_equal(g.has_cert, want == AAD_R_ALLOWED && !a->dry);
	got_release(&g);
}

static int
count_one(void *arg, const struct event *e)
{
	(void)e;
	++*(size_t *)arg;
	return 0;
}

static size_t
count(struct world *w, enum event_kind kind)
{
	const struct ledger_filter f = { .kind = kind };
	enum reason why;
	size_t n = 0;

	assert_int_equal(ledger_each(w->s.ledger, &f, count_one, &n, &why), 0);
	return n;
}

static void
text_is(const json_t *o, const char *name, const char *want)
{
	const char *is = json_string_value(json_object_get(o, name));

	if (is == NULL || strcmp(is, want) != 0)
		fail_msg("%s: %s, not %s", name, is != NULL ? is : "nothing",
		    want);
}

/* want: the whole member, as JSON. */
static void
member_is(const json_t *o, const char *name, const char *want)
{
	char *is = strictjson_dump(json_object_get(o, name));

	if (is == NULL || strcmp(is, want) != 0)
		fail_msg("%s: %s, not %s", name, is != NULL ? is : "nothing",
		    want);
	free(is);
}

/* ---- what is given ---------------------------------------------------- */

static void
valid_certificate(void **state)
{
	struct world *w = *state;
	const struct asked a = { .ttl = 3600, .source = "192.0.2.0/24" };
	struct got g = ask(w, &a);
	char serial[24], fp[KEY_FP_LEN + 1];
	uint8_t head[32];
	enum reason why;
	size_t faults;
	int64_t len;

	expect_reason(g.why, AAD_R_ALLOWED, "sign");
	assert_true(g.has_cert);
	assert_int_equal(cert_verify(&g.cert), 0);
	assert_int_equal(g.cert.type, CERT_USER);
	assert_memory_equal(g.cert.ca_hash, w->keys[SEED_USER_CA].pub.hash, 32);
	assert_memory_equal(g.cert.key.hash, w->keys[SEED_SUBJECT].pub.hash,
	    32);
	assert_true(g.cert.serial >= 1 && g.cert.serial <= INT64_MAX);
	assert_int_equal(g.cert.nprincipals, 1);
	assert_string_equal(g.cert.principals[0], "alice");
	assert_int_equal(g.cert.valid_after, NOW - PROFILE_BACKDATE);
	assert_int_equal(g.cert.valid_before, NOW + 3600);
	assert_non_null(strstr(g.cert.key_id, "oid=" FORGE_OID));
	text_is(g.end, "valid_after", "2027-01-15T07:59:00Z");
	text_is(g.end, "valid_before", "2027-01-15T09:00:00Z");
	snprintf(serial, sizeof(serial), "%llu",
	    (unsigned long long)g.cert.serial);
	text_is(g.end, "serial", serial);
	text_is(g.end, "key_id", g.cert.key_id);
	text_is(g.end, "profile", "default");
	key_fingerprint(&w->keys[SEED_SUBJECT].pub, fp);
	text_is(g.end, "fingerprint", fp);
	key_fingerprint(&w->keys[SEED_USER_CA].pub, fp);
	text_is(g.end, "ca", fp);
	assert_null(json_object_get(g.end, "again"));
	assert_int_equal(count(w, EVENT_PREPARED), 1);
	assert_int_equal(count(w, EVENT_ISSUED), 1);
	assert_int_equal(count(w, EVENT_PIN), 1);
	assert_int_equal(count(w, EVENT_FAILED), 0);
	assert_int_equal(ledger_head(w->s.ledger, &len, head, &why), 0);
	assert_int_equal(len, 7);
	assert_non_null(strstr(lastlog, "event=certificate verdict=yes"));
	assert_non_null(strstr(lastlog, "oid=" FORGE_OID));
	assert_non_null(strstr(lastlog, " ledger=7 head="));
	assert_null(strstr(lastlog, strrchr(w->token, '.')));
	assert_int_equal(ledger_verify(w->s.ledger, NULL, NULL, NULL, &faults,
			     &why),
	    0);
	assert_int_equal(faults, 0);
	got_release(&g);
}

static int
prepared_body(void *arg, const struct event *e)
{
	json_t **out = arg;

	*out = json_deep_copy(e->body);
	assert_true(e->has_token && e->has_key && e->has_ca);
	assert_string_equal(e->oid, FORGE_OID);
	assert_string_equal(e->tid, FORGE_TENANT);
	assert_int_equal(e->type, CERT_USER);
	return 0;
}

/* The row has all that a later question can need, and no token. */
static void
valid_row(void **state)
{
	static const char *const members[] = { "upn", "uti", "profile",
		"logins", "principals", "key_id", "key_type", "fingerprint",
		"valid_after", "request", "iat", "via", "peer_uid", "context" };
	const struct ledger_filter f = { .kind = EVENT_PREPARED };
	const struct asked a = { .logins = { "deploy" } };
	struct world *w = *state;
	char *text, fp[KEY_FP_LEN + 1];
	json_t *body = NULL;
	enum reason why;
	size_t i;

	expect(w, &a, AAD_R_ALLOWED, "sign");
	assert_int_equal(ledger_each(w->s.ledger, &f, prepared_body, &body,
			     &why),
	    0);
	for (i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		if (json_object_get(body, members[i]) == NULL)
			fail_msg("no %s", members[i]);
	assert_int_equal(json_object_size(body), i);
	assert_non_null(text = strictjson_dump(body));
	assert_null(strstr(text, strrchr(w->token, '.')));
	member_is(body, "principals", "[\"deploy@web\"]");
	member_is(body, "logins", "[\"deploy\"]");
	text_is(body, "upn", "alice@contoso.com");
	text_is(body, "profile", "default");
	text_is(body, "key_type", "ssh-ed25519");
	key_fingerprint(&w->keys[SEED_SUBJECT].pub, fp);
	text_is(body, "fingerprint", fp);
	text_is(body, "via", "pipe");
	text_is(body, "context", "via=test");
	assert_int_equal(json_integer_value(json_object_get(body,
			     "valid_after")),
	    NOW - PROFILE_BACKDATE);
	assert_int_equal(json_integer_value(json_object_get(body, "iat")),
	    NOW - 5);
	assert_int_equal(count(w, EVENT_PIN), 0); /* no mapped login */
	free(text);
	json_decref(body);
}

static void
I_C11_each_key_signs_its_own_kind(void **state)
{
	const struct asked user = { .ttl = 0 }, host = { .host = true,
		.key = NULL,
		.names = { "db.example.org", "web.example.org" } };
	struct world *w = *state;
	struct got g;

	g = ask(w, &host);
	expect_reason(g.why, AAD_R_ALLOWED, "host");
	assert_int_equal(g.cert.type, CERT_HOST);
	assert_int_equal(g.cert.nprincipals, 2);
	assert_int_equal(g.cert.critical.len + g.cert.extensions.len, 0);
	assert_memory_equal(g.cert.ca_hash, w->keys[SEED_HOST_CA].pub.hash, 32);
	assert_int_equal(cert_verify(&g.cert), 0);
	got_release(&g);
	g = ask(w, &user);
	assert_int_equal(g.cert.type, CERT_USER);
	assert_memory_equal(g.cert.ca_hash, w->keys[SEED_USER_CA].pub.hash, 32);
	got_release(&g);
	/* Without a host key no user key steps in, and the reverse. */
	stage(w, CA_ROLE_HOST, CA_STAGE_RETIRED, SEED_HOST_CA, false);
	expect(w, &host, AAD_R_CA_KEY, "host");
	stage(w, CA_ROLE_USER, CA_STAGE_RETIRED, SEED_USER_CA, false);
	stage(w, CA_ROLE_HOST, CA_STAGE_PREPARED, SEED_NEXT_CA, false);
	stage(w, CA_ROLE_HOST, CA_STAGE_ACTIVE, SEED_NEXT_CA, false);
	expect(w, &(const struct asked){ .ttl = 60 }, AAD_R_CA_KEY, "user");
	expect(w, &(const struct asked){ .host = true, .names = { "x" } },
	    AAD_R_HOST_NAME, "a name without a dot");
	assert_string_equal(w->s.detail, "x");
}

/* ---- the order of refusals -------------------------------------------- */

/*
 * Everything that can be wrong at once, and then mended one by one from the
 * front: each time the next reason must come.
 */
enum rung {
	RUNG_CONF,
	RUNG_KEY,
	RUNG_OWN_KEY,
	RUNG_NO_KEYS,
	RUNG_KEYS_JUNK,
	RUNG_KEYS_FOREIGN,
	RUNG_KEYS_AHEAD,
	RUNG_KEYS_STALE,
	RUNG_KID,
	RUNG_TOKEN_SIGNATURE,
	RUNG_TOKEN_AUDIENCE,
	RUNG_TOKEN_AGE,
	RUNG_POLICY,
	RUNG_TTL,
	RUNG_IDENTITY,
	RUNG_KEY_DENIED,
	RUNG_USED,
	RUNG_PIN,
	RUNG_RATE,
	RUNG_NO_ACTIVE,
	RUNG_KEY_FILE,
	RUNG_NONE
};

static const struct {
	enum reason why;
	enum reason_class class;
} rungs[] = {
	[RUNG_CONF] = { AAD_R_CONFIG, REASON_CANNOT },
	[RUNG_KEY] = { AAD_R_KEY_MALFORMED, REASON_NO },
	[RUNG_OWN_KEY] = { AAD_R_KEY_REVOKED, REASON_NO },
	[RUNG_NO_KEYS] = { AAD_R_NO_TENANT_KEYS, REASON_CANNOT },
	[RUNG_KEYS_JUNK] = { AAD_R_TENANT_KEYS_UNREADABLE, REASON_CANNOT },
	[RUNG_KEYS_FOREIGN] = { AAD_R_TENANT_KEYS_FOREIGN, REASON_NO },
	[RUNG_KEYS_AHEAD] = { AAD_R_CLOCK_BACK, REASON_NO },
	[RUNG_KEYS_STALE] = { AAD_R_TENANT_KEYS_STALE, REASON_NO },
	[RUNG_KID] = { AAD_R_UNKNOWN_KID, REASON_NO },
	[RUNG_TOKEN_SIGNATURE] = { AAD_R_TOKEN_SIGNATURE, REASON_NO },
	[RUNG_TOKEN_AUDIENCE] = { AAD_R_TOKEN_AUDIENCE, REASON_NO },
	[RUNG_TOKEN_AGE] = { AAD_R_TOKEN_AGE, REASON_NO },
	[RUNG_POLICY] = { AAD_R_NOT_THIS_LOGIN, REASON_NO },
	[RUNG_TTL] = { AAD_R_TTL, REASON_NO },
	[RUNG_IDENTITY] = { AAD_R_IDENTITY_REVOKED, REASON_NO },
	[RUNG_KEY_DENIED] = { AAD_R_KEY_REVOKED, REASON_NO },
	[RUNG_USED] = { AAD_R_TOKEN_USED, REASON_NO },
	[RUNG_PIN] = { AAD_R_LOGIN_PINNED, REASON_NO },
	[RUNG_RATE] = { AAD_R_CERTS_PER_HOUR, REASON_NO },
	[RUNG_NO_ACTIVE] = { AAD_R_CA_KEY, REASON_CANNOT },
	[RUNG_KEY_FILE] = { AAD_R_CA_KEY, REASON_CANNOT },
	[RUNG_NONE] = { AAD_R_ALLOWED, REASON_YES },
};

/* Tokens by what is wrong with them; the used one is good. */
static char *
token_at(struct world *w, enum rung at)
{
	char *token;

	if (at <= RUNG_KID)
		return make_token(&foreign, NOW - 5, "");
	if (at <= RUNG_TOKEN_SIGNATURE) {
		token = make_token(&tenant, NOW - 5, "");
		/* the first digit: the last has bits that must be zero */
		strrchr(token, '.')[1] ^= 1;
		return token;
	}
	if (at <= RUNG_TOKEN_AUDIENCE) {
		char *claims = forge_claims(FORGE_OID, "alice@contoso.com",
		    NOW - 5, NOW + 3600, "");

		memcpy(strstr(claims, FORGE_CLIENT), FORGE_OID, 36);
		token = forge_token(&tenant, NULL, claims);
		free(claims);
		return token;
	}
	if (at <= RUNG_TOKEN_AGE)
		return make_token(&tenant, NOW - 601, "");
	if (at <= RUNG_USED)
		return strdup(w->token);
	return make_token(&tenant, NOW - 600, "");
}

static void
tenant_keys_at(struct world *w, enum rung at)
{
	if (at <= RUNG_KEYS_JUNK)
		assert_int_equal(file_replace(w->s.tenant, "keys.json", "{", 1,
				     0644),
		    0);
	else if (at <= RUNG_KEYS_FOREIGN)
		write_tenant_keys(w, NOW, "https://login.example.test/x/v2.0");
	else if (at <= RUNG_KEYS_AHEAD)
		write_tenant_keys(w, NOW + 61, NULL);
	else if (at <= RUNG_KEYS_STALE)
		write_tenant_keys(w, NOW - 86401, NULL);
	else
		write_tenant_keys(w, NOW - 86400, NULL);
}

static void
mend_ledger(struct world *w, enum rung done)
{
	if (done == RUNG_IDENTITY)
		note(w, EVENT_UNDENIED, FORGE_OID, NULL, NULL);
	else if (done == RUNG_PIN)
		note(w, EVENT_UNPIN, NULL, "alice", NULL);
	else if (done == RUNG_RATE)
		w->conf->certs_per_hour = 60;
	else if (done == RUNG_NO_ACTIVE)
		stage(w, CA_ROLE_USER, CA_STAGE_ACTIVE, SEED_NEXT_CA, false);
	else if (done == RUNG_KEY_FILE)
		assert_int_equal(keyring_store(w->s.dir,
				     &w->keys[SEED_NEXT_CA]),
		    0);
}

static void
break_ledger(struct world *w)
{
	const struct asked first = { .key = &w->keys[SEED_OTHER].pub };

	expect(w, &first, AAD_R_ALLOWED, "the first use");
	note(w, EVENT_UNPIN, NULL, "alice", NULL);
	note(w, EVENT_PIN, FORGE_OID2, "alice", NULL);
	note(w, EVENT_DENIED, FORGE_OID, NULL, NULL);
	note(w, EVENT_DENIED, NULL, NULL, &w->keys[SEED_SUBJECT].pub);
	stage(w, CA_ROLE_USER, CA_STAGE_RETIRED, SEED_USER_CA, false);
	stage(w, CA_ROLE_USER, CA_STAGE_PREPARED, SEED_NEXT_CA, false);
	w->conf->certs_per_hour = 1;
}

static void
every_reason_in_order(void **state)
{
	static const uint8_t fresh_seed[PRIVKEY_SEED_LEN] = { 99 };
	const int tenant_fd = ((struct world *)*state)->s.tenant;
	struct conf *bad;
	struct rules *bad_rules;
	struct privkey fresh;
	struct world *w = *state;
	enum rung at;

	load_conf(CONF_HEAD, &bad, &bad_rules);
	assert_int_equal(privkey_of_seed(fresh_seed, &fresh), 0);
	break_ledger(w);
	for (at = RUNG_CONF; at <= RUNG_NONE; at++) {
		struct asked a = { .ttl = at <= RUNG_TTL ? UINT64_MAX : 60 };
		char where[16], *token;

		w->s.conf = at <= RUNG_CONF ? bad : w->conf;
		w->s.rules = at <= RUNG_CONF ? bad_rules : w->rules;
		if (at <= RUNG_KEY) {
			a.blob = (const uint8_t *)"junk";
			a.blob_len = 4;
		} else if (at <= RUNG_OWN_KEY) {
			a.key = &w->keys[SEED_HOST_CA].pub;
		} else if (at > RUNG_KEY_DENIED) {
			a.key = &fresh.pub;
		}
		tenant_keys_at(w, at);
		w->s.tenant = at <= RUNG_NO_KEYS ? -1 : tenant_fd;
		if (at <= RUNG_POLICY)
			a.logins[0] = "bob";
		if (at > RUNG_CONF)
			mend_ledger(w, at - 1);
		a.token = token = token_at(w, at);
		snprintf(where, sizeof(where), "rung %d", (int)at);
		expect(w, &a, rungs[at].why, where);
		assert_int_equal(strstr(w->s.detail, "refresh --keys-only") !=
				     NULL,
		    at == RUNG_KID);
		if (at == RUNG_POLICY)
			assert_non_null(strstr(w->s.detail, "bob"));
		assert_int_equal(reason_class(rungs[at].why), rungs[at].class);
		w->s.tenant = tenant_fd;
		free(token);
	}
	/* Only the last refusal came behind a row. */
	assert_int_equal(count(w, EVENT_PREPARED), 3);
	assert_int_equal(count(w, EVENT_FAILED), 1);
	assert_int_equal(count(w, EVENT_ISSUED), 2);
	privkey_release(&fresh);
	rules_free(bad_rules);
	conf_free(bad);
}

/* They belong to whoever owns their directory, and to nobody else. */
static void
tenant_keys_of_somebody_else(void **state)
{
	struct world *w = *state;
	const struct asked a = { .dry = true };

	expect(w, &a, AAD_R_ALLOWED, "ours");
	if (geteuid() != 0)
		return;
	assert_int_equal(fchownat(w->s.tenant, "keys.json", 4242, 0, 0), 0);
	expect(w, &a, AAD_R_TENANT_KEYS_UNREADABLE, "another's");
	assert_int_equal(fchown(w->s.tenant, 4242, 0), 0);
	expect(w, &a, AAD_R_ALLOWED, "its directory's");
}

/* The last second that is taken; the rungs have the first that isn't. */
static void
tenant_keys_at_their_edges(void **state)
{
	struct world *w = *state;
	const struct asked a = { .dry = true };

	write_tenant_keys(w, NOW + 60, NULL);
	expect(w, &a, AAD_R_ALLOWED, "ahead by what clocks may differ");
	write_tenant_keys(w, NOW - 86400, NULL);
	expect(w, &a, AAD_R_ALLOWED, "as old as may be");
	assert_int_equal(unlinkat(w->s.tenant, "keys.json", 0), 0);
	expect(w, &a, AAD_R_NO_TENANT_KEYS, "none");
}

static void
II_C10_what_is_no_user_key(void **state)
{
	struct world *w = *state;
	struct asked a = { .ttl = 60 };
	struct got g = ask(w, &a);

	expect_reason(g.why, AAD_R_ALLOWED, "sign");
	/* a certificate as the subject, a key in its nest */
	a.blob = g.cert.blob;
	a.blob_len = g.cert.blob_len;
	expect(w, &a, AAD_R_KEY_CERTIFICATE, "a certificate");
	a.blob_len = 0;
	expect(w, &a, AAD_R_KEY_MALFORMED, "nothing");
	got_release(&g);
}

/* Any of ours, in whatever role and stage. */
static void
I_C10_no_key_of_our_own(void **state)
{
	struct world *w = *state;
	struct asked a = { .key = &w->keys[SEED_USER_CA].pub };

	expect(w, &a, AAD_R_KEY_REVOKED, "active");
	a.key = &w->keys[SEED_HOST_CA].pub;
	expect(w, &a, AAD_R_KEY_REVOKED, "of the other role");
	stage(w, CA_ROLE_BUNDLE, CA_STAGE_ACTIVE, SEED_NEXT_CA, false);
	a.key = &w->keys[SEED_NEXT_CA].pub;
	expect(w, &a, AAD_R_KEY_REVOKED, "the bundle key");
	stage(w, CA_ROLE_BUNDLE, CA_STAGE_REMOVED, SEED_NEXT_CA, false);
	expect(w, &a, AAD_R_KEY_REVOKED, "one that is removed");
	a.host = true;
	a.names[0] = "web.example.org";
	expect(w, &a, AAD_R_KEY_REVOKED, "for a host");
	assert_int_equal(count(w, EVENT_PREPARED), 0);
}

/* ---- the same token again --------------------------------------------- */

static void
reopen(struct world *w)
{
	enum reason why;

	ledger_close(w->s.ledger);
	assert_int_equal(ledger_open(w->s.dir, &w->s.ledger, &why), 0);
}

static void
I_C18_a_token_replayed(void **state)
{
	struct world *w = *state;
	const struct asked a = { .logins = { "alice", "deploy" }, .ttl = 600 };
	struct asked other = { .key = &w->keys[SEED_OTHER].pub },
		     longer = { .logins = { "alice" }, .ttl = 601 },
		     narrower = { .logins = { "alice", "deploy" },
			     .ttl = 600,
			     .source = "192.0.2.0/24" },
		     fewer = { .logins = { "alice" }, .ttl = 600 };
	struct got first = ask(w, &a), again;

	expect_reason(first.why, AAD_R_ALLOWED, "first");
	member_is(first.end, "logins", "[\"alice\",\"deploy\"]");
	member_is(first.end, "principals", "[\"alice\",\"deploy@web\"]");
	expect(w, &other, AAD_R_TOKEN_USED, "another key");
	reopen(w);
	expect(w, &other, AAD_R_TOKEN_USED, "another key, another process");
	other.dry = true;
	expect(w, &other, AAD_R_TOKEN_USED, "another key, dry");
	again = ask(w, &a);
	expect_reason(again.why, AAD_R_ALLOWED, "again");
	assert_int_equal(again.cert.blob_len, first.cert.blob_len);
	assert_memory_equal(again.cert.blob, first.cert.blob,
	    first.cert.blob_len);
	assert_true(json_is_true(json_object_get(again.end, "again")));
	got_release(&again);
	assert_int_equal(count(w, EVENT_PREPARED), 1);
	/* the same key, another request: another certificate */
	again = ask(w, &longer);
	expect_reason(again.why, AAD_R_ALLOWED, "another request");
	assert_int_not_equal(again.cert.serial, first.cert.serial);
	assert_null(json_object_get(again.end, "again"));
	got_release(&again);
	/* so is one that asks for less: it is not given what was wider */
	again = ask(w, &narrower);
	expect_reason(again.why, AAD_R_ALLOWED, "from one address");
	assert_int_not_equal(again.cert.serial, first.cert.serial);
	assert_true(again.cert.critical.len > 0);
	got_release(&again);
	again = ask(w, &fewer);
	expect_reason(again.why, AAD_R_ALLOWED, "one login of two");
	assert_int_not_equal(again.cert.serial, first.cert.serial);
	assert_true(again.cert.nprincipals < first.cert.nprincipals);
	got_release(&again);
	/* nobody who is denied meanwhile gets it once more */
	note(w, EVENT_DENIED, FORGE_OID, NULL, NULL);
	expect(w, &a, AAD_R_IDENTITY_REVOKED, "denied");
	got_release(&first);
}

/* One field of a request; label 0: none. */
struct put {
	enum request_label label;
	const char *text; /* NULL: a flag */
};

static void
digest_of(const struct put *puts, char out[static NAME_HEX64_LEN + 1])
{
	struct wirebuf b = wirebuf_new();
	static struct request rq;
	size_t i;

	request_begin(&b, REQUEST_SIGN);
	for (i = 0; i < 4 && puts[i].label != 0; i++)
		if (puts[i].text != NULL)
			request_put(&b, puts[i].label, puts[i].text,
			    strlen(puts[i].text));
		else
			request_put_flag(&b, puts[i].label);
	request_end(&b);
	assert_int_equal(request_parse(REQUEST_SIGN, b.p + REQUEST_HEAD_LEN,
			     b.len - REQUEST_HEAD_LEN, &rq),
	    0);
	issue_digest(&rq, out);
	wirebuf_release(&b);
}

/* Two requests are the same one when all that makes a certificate is: what
 * is asked, never who relays it. */
static void
I_C18_what_is_the_same_request(void **state)
{
	static const struct {
		struct put a[4], b[4];
		bool same;
	} cases[] = {
		{ { { REQUEST_L_KEY, "k" } },
		    { { REQUEST_L_KEY, "k" }, { REQUEST_L_TOKEN, "t" },
			{ REQUEST_L_DRY_RUN, NULL },
			{ REQUEST_L_CONTEXT, "c" } },
		    true },
		{ { { REQUEST_L_KEY, "k" } }, { { REQUEST_L_KEY, "l" } },
		    false },
		{ { { REQUEST_L_KEY, "k" } }, { { 0, NULL } }, false },
		{ { { REQUEST_L_LOGIN, "a" } }, { { 0, NULL } }, false },
		{ { { REQUEST_L_TTL, "12345678" } }, { { 0, NULL } }, false },
		{ { { REQUEST_L_SOURCE, "a" } }, { { 0, NULL } }, false },
		{ { { REQUEST_L_NAME, "a" } }, { { 0, NULL } }, false },
		{ { { REQUEST_L_LOGIN, "a" } }, { { REQUEST_L_NAME, "a" } },
		    false },
		{ { { REQUEST_L_LOGIN, "a" } }, { { REQUEST_L_SOURCE, "a" } },
		    false },
		{ { { REQUEST_L_LOGIN, "a" }, { REQUEST_L_LOGIN, "b" } },
		    { { REQUEST_L_LOGIN, "b" }, { REQUEST_L_LOGIN, "a" } },
		    false },
		/* each field has its own end */
		{ { { REQUEST_L_LOGIN, "a" }, { REQUEST_L_LOGIN, "b" } },
		    { { REQUEST_L_LOGIN, "ab" } }, false },
		{ { { REQUEST_L_KEY, "a" }, { REQUEST_L_LOGIN, "bc" } },
		    { { REQUEST_L_KEY, "ab" }, { REQUEST_L_LOGIN, "c" } },
		    false },
	};
	char a[NAME_HEX64_LEN + 1], b[NAME_HEX64_LEN + 1];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		digest_of(cases[i].a, a);
		digest_of(cases[i].b, b);
		if ((strcmp(a, b) == 0) != cases[i].same)
			fail_msg("row %zu: %s %s", i, a, b);
	}
}

/* A revoked certificate is not given again; nor is one that has ended. */
static void
I_C18_what_is_not_given_again(void **state)
{
	struct world *w = *state;
	const struct asked a = { .ttl = 60 };
	struct got first = ask(w, &a), again;
	struct event e = { .at = NOW, .kind = EVENT_REVOKED };
	enum reason why;

	expect_reason(first.why, AAD_R_ALLOWED, "first");
	e.serial = first.cert.serial;
	assert_non_null(e.body = json_pack("{s:s}", "by", "serial"));
	begin(w);
	assert_int_equal(ledger_append(w->s.ledger, &e, &why), 0);
	commit(w);
	event_release(&e);
	again = ask(w, &a);
	expect_reason(again.why, AAD_R_ALLOWED, "again");
	assert_int_not_equal(again.cert.serial, first.cert.serial);
	got_release(&first);
	w->s.now += 60;
	first = ask(w, &a);
	assert_int_not_equal(again.cert.serial, first.cert.serial);
	got_release(&again);
	got_release(&first);
}

/* ---- serials ----------------------------------------------------------- */

/* What the dice show next, where a serial is drawn; else noise. */
static const uint64_t *dice;

static const char *
dice_name(void)
{
	return "dice";
}

static uint32_t
dice_random(void)
{
	return 4;
}

static void
dice_buf(void *const p, const size_t len)
{
	if (len != sizeof(*dice))
		memset(p, 0x5a, len);
	else if (*dice == 99) /* the last one, for ever */
		memcpy(p, dice, len);
	else
		memcpy(p, dice++, len);
}

static struct randombytes_implementation loaded = {
	.implementation_name = dice_name,
	.random = dice_random,
	.buf = dice_buf,
};

/* No serial twice, none that is 0 or that a signed number can't hold. */
static void
I_C7_serials_are_drawn_until_one_is_new(void **state)
{
	static const uint64_t shown[] = { 5, 5, 0, UINT64_C(1) << 63, 5,
		(UINT64_C(1) << 63) + 7, 7, 5, 99 };
	static const uint64_t want[] = { 5, 7, 99 };
	struct world *w = *state;
	struct asked a = { .ttl = 60 };
	struct got g;
	size_t i;

	dice = shown;
	assert_int_equal(randombytes_set_implementation(&loaded), 0);
	for (i = 0; i < 3; i++) {
		a.ttl++;
		g = ask(w, &a);
		expect_reason(g.why, AAD_R_ALLOWED, "a new one");
		assert_int_equal(g.cert.serial, want[i]);
		got_release(&g);
	}
	a.ttl++;
	expect(w, &a, AAD_R_UNSET, "none is new");
	randombytes_set_implementation(&randombytes_sysrandom_implementation);
	assert_int_equal(count(w, EVENT_PREPARED), 3);
	assert_int_equal(count(w, EVENT_ISSUED), 3);
}

static void
I_C21_as_many_as_an_hour_allows(void **state)
{
	struct world *w = *state;
	struct asked a = { .ttl = 60 };
	uint64_t i;

	for (i = 0; i < 5; i++) {
		a.ttl = 60 + i;
		expect(w, &a, AAD_R_ALLOWED, "within");
	}
	a.ttl = 66;
	expect(w, &a, AAD_R_CERTS_PER_HOUR, "over");
	assert_int_equal(count(w, EVENT_PREPARED), 5);
	/* what was given before is not new */
	a.ttl = 60;
	expect(w, &a, AAD_R_ALLOWED, "again");
	a.dry = true;
	expect(w, &a, AAD_R_ALLOWED, "again, dry");
	a.ttl = 66;
	expect(w, &a, AAD_R_CERTS_PER_HOUR, "over, dry");
	assert_int_equal(count(w, EVENT_PREPARED), 5);
}

static void
a_pin_belongs_to_who_came_first(void **state)
{
	struct world *w = *state;
	const struct asked a = { .ttl = 60 },
			   deploy = { .logins = { "deploy" } };
	char *claims = forge_claims(FORGE_OID2, "alice@contoso.com", NOW - 5,
	    NOW + 3600, "");
	struct asked second = { .key = &w->keys[SEED_OTHER].pub };
	char *token = forge_token(&tenant, NULL, claims);

	free(claims);
	second.token = token;
	expect(w, &a, AAD_R_ALLOWED, "the first");
	expect(w, &second, AAD_R_LOGIN_PINNED, "a recycled name");
	assert_non_null(strstr(w->s.detail, "alice"));
	/* a login with rules of its own has no owner */
	expect(w, &deploy, AAD_R_ALLOWED, "deploy");
	second.logins[0] = "deploy";
	expect(w, &second, AAD_R_ALLOWED, "deploy by another");
	note(w, EVENT_UNPIN, NULL, "alice", NULL);
	second.logins[0] = NULL;
	expect(w, &second, AAD_R_ALLOWED, "unpinned");
	assert_int_equal(count(w, EVENT_PIN), 2);
	free(token);
}

static int
pin_of(void *arg, const struct event *e)
{
	char **upnp = arg;

	assert_string_equal(e->login, "zoe");
	assert_string_equal(e->oid, FORGE_OID);
	assert_string_equal(e->tid, FORGE_TENANT);
	*upnp = strdup(json_string_value(json_object_get(e->body, "upn")));
	return 0;
}

/* P17: each login that is mapped, wherever it stands; and of the identity
 * tenant and object both count. */
static void
II_P17_every_login_is_pinned(void **state)
{
	const struct ledger_filter f = { .kind = EVENT_PIN };
	struct world *w = *state;
	char *claims = forge_claims(FORGE_OID, "zoe@contoso.com", NOW - 5,
	    NOW + 3600, "");
	char *token = forge_token(&tenant, NULL, claims);
	const struct asked a = {
		.logins = { "zoe", "deploy" }, .token = token, .ttl = 60
	};
	const struct asked longer = {
		.logins = { "zoe", "deploy" }, .token = token, .ttl = 61
	};
	struct event e = { .at = NOW,
		.kind = EVENT_PIN,
		.oid = FORGE_OID,
		.tid = FORGE_OID2,
		.login = "zoe" };
	char *upn = NULL;
	enum reason why;

	expect(w, &a, AAD_R_ALLOWED, "two logins");
	assert_int_equal(ledger_each(w->s.ledger, &f, pin_of, &upn, &why), 0);
	assert_non_null(upn);
	assert_string_equal(upn, "zoe@contoso.com");
	free(upn);
	free(claims);
	note(w, EVENT_UNPIN, NULL, "zoe", NULL);
	assert_non_null(e.body = json_pack("{s:s}", "upn", "x"));
	begin(w);
	assert_int_equal(ledger_append(w->s.ledger, &e, &why), 0);
	commit(w);
	event_release(&e);
	expect(w, &longer, AAD_R_LOGIN_PINNED, "of another tenant");
	free(token);
}

static void
dry_run_leaves_no_row(void **state)
{
	struct world *w = *state;
	const struct asked a = { .dry = true,
		.logins = { "alice" },
		.ttl = 60,
		.source = "192.0.2.0/24" },
			   host = { .dry = true,
				   .host = true,
				   .names = { "a.example.org" } };
	struct got g = ask(w, &a);
	uint8_t head[32];
	enum reason why;
	int64_t len;

	expect_reason(g.why, AAD_R_ALLOWED, "dry");
	assert_false(g.has_cert);
	assert_true(json_is_true(json_object_get(g.end, "dry_run")));
	member_is(g.end, "logins", "[\"alice\"]");
	member_is(g.end, "principals", "[\"alice\"]");
	member_is(g.end, "critical", "{\"source-address\":\"192.0.2.0/24\"}");
	member_is(g.end, "extensions",
	    "{\"permit-port-forwarding\":\"\",\"permit-pty\":\"\"}");
	text_is(g.end, "profile", "default");
	text_is(g.end, "valid_after", "2027-01-15T07:59:00Z");
	text_is(g.end, "valid_before", "2027-01-15T08:01:00Z");
	assert_non_null(strstr(json_string_value(json_object_get(g.end,
				   "key_id")),
	    "oid=" FORGE_OID));
	got_release(&g);
	g = ask(w, &host);
	expect_reason(g.why, AAD_R_ALLOWED, "dry host");
	member_is(g.end, "principals", "[\"a.example.org\"]");
	text_is(g.end, "profile", "host");
	got_release(&g);
	assert_int_equal(ledger_head(w->s.ledger, &len, head, &why), 0);
	assert_int_equal(len, 4); /* the stages of our keys */
	note(w, EVENT_DENIED, NULL, NULL, &w->keys[SEED_SUBJECT].pub);
	expect(w, &host, AAD_R_KEY_REVOKED, "dry host, denied");
	expect(w, &a, AAD_R_KEY_REVOKED, "dry, denied");
}

/* ---- the key of the authority ----------------------------------------- */

static void
key_path(const struct world *w, enum seed seed, char out[static 160])
{
	char hex[NAME_HEX64_LEN + 1];

	name_hex64(w->keys[seed].pub.hash, hex);
	snprintf(out, 160, "%s/keys/%s.key", w->base, hex);
}

static void
put_file(const char *path, const char *text, size_t len)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

static void
I_C22_key_files_that_are_refused(void **state)
{
	struct world *w = *state;
	const struct asked a = { .ttl = 60 };
	char path[160], other[160], dir[96];
	struct secret *text;

	key_path(w, SEED_USER_CA, path);
	key_path(w, SEED_HOST_CA, other);
	snprintf(dir, sizeof(dir), "%s/keys", w->base);
	w->conf->certs_per_hour = 60;

	assert_int_equal(chmod(path, 0640), 0);
	expect(w, &a, AAD_R_CA_KEY, "0640");
	assert_int_equal(chmod(path, 0604), 0);
	expect(w, &a, AAD_R_CA_KEY, "0604");
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(chmod(dir, 0750), 0);
	expect(w, &a, AAD_R_CA_KEY, "a directory of 0750");
	assert_int_equal(chmod(dir, 0700), 0);
	assert_int_equal(unlink(path), 0);
	expect(w, &a, AAD_R_CA_KEY, "missing");
	assert_int_equal(symlink(other, path), 0);
	expect(w, &a, AAD_R_CA_KEY, "a link");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(link(other, path), 0);
	expect(w, &a, AAD_R_CA_KEY, "two links");
	assert_int_equal(unlink(path), 0);
	/* another key under this name, whole and sound */
	assert_int_equal(privkey_format(&w->keys[SEED_HOST_CA], 1, NULL, &text),
	    0);
	put_file(path, (const char *)secret_bytes(text), secret_len(text));
	assert_int_equal(chmod(path, 0600), 0);
	expect(w, &a, AAD_R_CA_KEY, "another key");
	put_file(path, (const char *)secret_bytes(text), secret_len(text) / 2);
	expect(w, &a, AAD_R_CA_KEY, "half a key");
	put_file(path, "", 0);
	expect(w, &a, AAD_R_CA_KEY, "empty");
	assert_int_equal(truncate(path, PRIVKEY_TEXT_MAX + 1), 0);
	expect(w, &a, AAD_R_CA_KEY, "too large");
	secret_free(text);
	/* each left its row, and none a certificate */
	assert_int_equal(count(w, EVENT_PREPARED), 10);
	assert_int_equal(count(w, EVENT_FAILED), 10);
	assert_int_equal(count(w, EVENT_ISSUED), 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(keyring_store(w->s.dir, &w->keys[SEED_USER_CA]), 0);
	expect(w, &a, AAD_R_ALLOWED, "mended");
}

static void
keys_are_stored_once_and_destroyed(void **state)
{
	struct world *w = *state;
	const uint8_t *hash = w->keys[SEED_NEXT_CA].pub.hash;
	const struct privkey *k = &w->keys[SEED_NEXT_CA];
	char path[160];
	struct stat sb;

	assert_int_equal(keyring_destroy(w->s.dir, hash), AAD_ENOENT);
	assert_int_equal(keyring_store(w->s.dir, k), 0);
	key_path(w, SEED_NEXT_CA, path);
	assert_int_equal(stat(path, &sb), 0);
	assert_int_equal(sb.st_mode & 07777, 0600);
	assert_int_equal(keyring_store(w->s.dir, k), 0);
	put_file(path, "junk", 4);
	assert_int_equal(keyring_store(w->s.dir, k), AAD_EPERM);
	assert_int_equal(keyring_destroy(w->s.dir, hash), 0);
	assert_int_equal(stat(path, &sb), -1);
	assert_int_equal(keyring_store(w->s.dir, k), 0);
}

static void
the_ring_is_what_the_ledger_says(void **state)
{
	struct world *w = *state;
	const struct keyring_key *k;
	struct keyring ring;
	enum reason why;

	stage(w, CA_ROLE_USER, CA_STAGE_PREPARED, SEED_NEXT_CA, true);
	assert_int_equal(keyring_load(w->s.ledger, w->s.dir, 7, &ring, &why),
	    0);
	assert_int_equal(ring.n, 3);
	assert_int_equal(ring.agent, 7);
	k = keyring_find(&ring, CA_ROLE_USER, CA_STAGE_ACTIVE);
	assert_memory_equal(k->pub.hash, w->keys[SEED_USER_CA].pub.hash, 32);
	assert_false(k->in_agent);
	assert_int_equal(k->active_at, NOW - 100);
	k = keyring_find(&ring, CA_ROLE_USER, CA_STAGE_PREPARED);
	assert_memory_equal(k->pub.hash, w->keys[SEED_NEXT_CA].pub.hash, 32);
	assert_true(k->in_agent);
	assert_null(keyring_find(&ring, CA_ROLE_HOST, CA_STAGE_PREPARED));
	assert_null(keyring_by_hash(&ring, w->keys[SEED_OTHER].pub.hash));
	keyring_release(&ring);
}

/* ---- an agent that holds the key -------------------------------------- */

enum mood {
	MOOD_HONEST,
	MOOD_OTHER_KEY, /* signs with another one */
	MOOD_OTHER_DATA, /* signs something else */
	MOOD_DAMAGED,
	MOOD_REFUSES,
	MOOD_JUNK,
	MOOD_ENDLESS, /* a reply over the bound */
	MOOD_SHORT, /* goes away in the middle */
	MOOD_GONE,
	/* what an administrator does meanwhile */
	MOOD_DENIES, /* the identity */
	MOOD_DENIES_KEY, /* SEED_OTHER's */
	MOOD_REVOKES, /* the serial that was prepared last */
	MOOD_REVOKES_CA /* the key that signs */
};

static size_t
get(int fd, uint8_t *p, size_t len)
{
	size_t have = 0;
	ssize_t n;

	while (have < len && (n = read(fd, p + have, len - have)) > 0)
		have += (size_t)n;
	return have;
}

static void
put(int fd, const void *p, size_t len)
{
	if (write(fd, p, len) != (ssize_t)len)
		_exit(1);
}

/* In the child: what the agent answers to the one question about data. */
static void
agent_answer(struct world *w, int fd, enum mood mood, const uint8_t *data,
    size_t len)
{
	const enum seed seed = mood == MOOD_OTHER_KEY ? SEED_OTHER
						      : SEED_NEXT_CA;
	struct wirebuf b = wirebuf_new();
	uint8_t *sig;
	size_t siglen, at;

	if (mood == MOOD_REFUSES) {
		put(fd, "\0\0\0\1\5", 5);
		return;
	}
	if (mood == MOOD_JUNK) {
		put(fd, "\0\0\0\4\16\0\0\1", 8);
		return;
	}
	if (mood == MOOD_ENDLESS) {
		put(fd, "\177\377\377\377", 4);
		return;
	}
	if (sign_ed25519(w->keys[seed].secret, data,
		mood == MOOD_OTHER_DATA ? len - 1 : len, &sig, &siglen) != 0)
		_exit(1);
	if (mood == MOOD_DAMAGED)
		sig[siglen - 1] ^= 1;
	at = wire_put_begin(&b);
	wire_put_u8(&b, 14); /* SSH_AGENT_SIGN_RESPONSE */
	wire_put_string(&b, sig, siglen);
	wire_put_end(&b, at);
	put(fd, b.p, mood == MOOD_SHORT ? b.len - 3 : b.len);
}

static int
see_serial(void *arg, const struct ledger_cert *c)
{
	uint64_t *serial = arg;

	if (c->done == NULL)
		*serial = c->serial;
	return 0;
}

static void
revoke_prepared(struct world *w)
{
	const struct ledger_filter all = { .serial = 0 };
	struct event e = { .at = NOW, .kind = EVENT_REVOKED };
	enum reason why;

	if (ledger_certs(w->s.ledger, &all, see_serial, &e.serial, &why) != 0 ||
	    e.serial == 0)
		_exit(1);
	assert_non_null(e.body = json_pack("{s:s}", "by", "serial"));
	begin(w);
	assert_int_equal(ledger_append(w->s.ledger, &e, &why), 0);
	commit(w);
}

static void
administrator(struct world *w, enum mood mood)
{
	enum reason why;

	if (mood < MOOD_DENIES)
		return;
	/* NB. a connection of its own: SQLite's must not be shared. */
	if (ledger_open(w->s.dir, &w->s.ledger, &why) != 0)
		_exit(1);
	if (mood == MOOD_DENIES)
		note(w, EVENT_DENIED, FORGE_OID, NULL, NULL);
	else if (mood == MOOD_DENIES_KEY)
		note(w, EVENT_DENIED, NULL, NULL, &w->keys[SEED_OTHER].pub);
	else if (mood == MOOD_REVOKES)
		revoke_prepared(w);
	else
		stage(w, CA_ROLE_USER, CA_STAGE_REVOKED, SEED_NEXT_CA, true);
}

static void
agent_child(struct world *w, int fd, enum mood mood)
{
	uint8_t head[4], *p;
	const uint8_t *blob, *data;
	size_t len, n, m;
	struct wire q;

	if (mood == MOOD_GONE || get(fd, head, sizeof(head)) != sizeof(head))
		_exit(0);
	len = agent_reply_len(head);
	if ((p = malloc(len + 1)) == NULL || get(fd, p, len) != len)
		_exit(1);
	q = wire_of(p + 1, len - 1); /* SSH_AGENTC_SIGN_REQUEST */
	if (wire_string(&q, &blob, &n) != 0 || wire_string(&q, &data, &m) != 0)
		_exit(1);
	administrator(w, mood);
	agent_answer(w, fd, mood, data, m);
	_exit(0);
}

/* Start one that answers once; the signer's end is w->s.agent. */
static pid_t
agent_start(struct world *w, enum mood mood)
{
	int fds[2];
	pid_t pid;

	if (w->s.agent != -1)
		close(w->s.agent);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
			     fds),
	    0);
	w->s.agent = fds[0];
	assert_int_not_equal(pid = fork(), -1);
	if (pid == 0) {
		close(fds[0]);
		agent_child(w, fds[1], mood);
	}
	close(fds[1]);
	return pid;
}

static void
agent_signs(struct world *w)
{
	w->conf->certs_per_hour = 60;
	stage(w, CA_ROLE_USER, CA_STAGE_RETIRED, SEED_USER_CA, false);
	stage(w, CA_ROLE_USER, CA_STAGE_PREPARED, SEED_NEXT_CA, true);
	stage(w, CA_ROLE_USER, CA_STAGE_ACTIVE, SEED_NEXT_CA, true);
}

/* Ask while an agent is in that mood. */
static void
expect_of_agent(struct world *w, const struct asked *a, enum mood mood,
    enum reason want)
{
	char where[24];
	int status;
	pid_t pid;

	snprintf(where, sizeof(where), "mood %d", (int)mood);
	reopen(w);
	pid = agent_start(w, mood);
	expect(w, a, want, where);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void
I_D9_an_agent_that_lies(void **state)
{
	static const struct {
		enum mood mood;
		enum reason why;
	} rows[] = {
		{ MOOD_OTHER_KEY, AAD_R_SIGNATURE_BAD },
		{ MOOD_OTHER_DATA, AAD_R_SIGNATURE_BAD },
		{ MOOD_DAMAGED, AAD_R_SIGNATURE_BAD },
		{ MOOD_REFUSES, AAD_R_CA_AGENT },
		{ MOOD_JUNK, AAD_R_CA_AGENT },
		{ MOOD_ENDLESS, AAD_R_CA_AGENT },
		{ MOOD_SHORT, AAD_R_CA_AGENT },
		{ MOOD_GONE, AAD_R_CA_AGENT },
		{ MOOD_HONEST, AAD_R_ALLOWED },
		{ MOOD_DENIES, AAD_R_IDENTITY_REVOKED },
	};
	struct world *w = *state;
	struct asked a = { .ttl = 60 };
	size_t i;

	agent_signs(w);
	expect(w, &a, AAD_R_CA_AGENT, "no agent");
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		a.ttl = 60 + i;
		expect_of_agent(w, &a, rows[i].mood, rows[i].why);
	}
	assert_int_equal(count(w, EVENT_PREPARED), 11);
	assert_int_equal(count(w, EVENT_FAILED), 10);
	assert_int_equal(count(w, EVENT_ISSUED), 1);
}

/* What was signed while it was revoked is not given. */
static void
II_C20_revoked_while_it_is_signed(void **state)
{
	struct world *w = *state;
	struct asked a = { .ttl = 60 },
		     other = { .key = &w->keys[SEED_OTHER].pub, .ttl = 61 };
	char *token;

	other.token = token = make_token(&tenant, NOW - 5, ",\"n\":2");
	agent_signs(w);
	expect_of_agent(w, &a, MOOD_REVOKES, AAD_R_IDENTITY_REVOKED);
	/* that was one certificate, and no denial */
	expect_of_agent(w, &a, MOOD_HONEST, AAD_R_ALLOWED);
	expect_of_agent(w, &other, MOOD_DENIES_KEY, AAD_R_KEY_REVOKED);
	a.ttl = 62;
	expect_of_agent(w, &a, MOOD_REVOKES_CA, AAD_R_CA_KEY);
	assert_int_equal(count(w, EVENT_PREPARED), 4);
	assert_int_equal(count(w, EVENT_FAILED), 3);
	assert_int_equal(count(w, EVENT_ISSUED), 1);
	free(token);
}

static void
only_an_agent_of_our_own(void **state)
{
	struct world *w = *state;
	char path[96], longer[200];
	int fd;

	snprintf(path, sizeof(path), "%s/agent", w->base);
	assert_int_equal(backend_connect(path, &fd), AAD_ENOENT);
	put_file(path, "x", 1);
	assert_int_equal(backend_connect(path, &fd), AAD_EPERM);
	assert_int_equal(fd, -1);
	memset(longer, 'a', sizeof(longer));
	longer[0] = '/';
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(backend_connect(longer, &fd), AAD_ETOOBIG);
}

/* ---- the disk, memory ------------------------------------------------- */

/* A ledger that takes no row gives no certificate. */
static void
II_C13_a_full_disk(void **state)
{
	struct world *w = *state;
	const struct asked a = { .ttl = 60 };
	struct rlimit was, full;
	struct stat sb;
	char path[96];

	snprintf(path, sizeof(path), "%s/ledger/ledger.db", w->base);
	assert_int_equal(stat(path, &sb), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	full = was;
	full.rlim_cur = 512; /* the journal fits in no more */
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &full), 0);
	expect(w, &a, AAD_R_LEDGER, "full");
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	reopen(w);
	assert_int_equal(count(w, EVENT_PREPARED), 0);
	expect(w, &a, AAD_R_ALLOWED, "room again");
}

static void
no_memory(void **state)
{
	struct world *w = *state;
	struct asked a = { .ttl = 60, .logins = { "alice", "deploy" } };
	unsigned int k;
	struct got g;

	w->conf->certs_per_hour = 1000000;
	for (k = 1; k < 5000; k++) {
		static struct request rq;
		struct wirebuf b;
		bool reached;
		char path[96], extra[32], *token;

		/* NB. one token each: its uses before are read, too. */
		snprintf(extra, sizeof(extra), ",\"n\":%u", k);
		a.token = token = make_token(&tenant, NOW - 5, extra);
		memset(&g, 0, sizeof(g));
		write_request(w, &a, &b);
		assert_int_equal(request_parse(REQUEST_SIGN,
				     b.p + REQUEST_HEAD_LEN,
				     b.len - REQUEST_HEAD_LEN, &rq),
		    0);
		snprintf(path, sizeof(path), "%s/out", w->base);
		w->s.out = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC,
		    0600);
		w->s.detail[0] = '\0';
		fault_arm(FAULT_ALLOC, k, 0);
		g.why = op_sign(&w->s, &rq, &g.end);
		reached = fault_disarm();
		close(w->s.out);
		read_replies(path, &g);
		wirebuf_release(&b);
		if (reached && g.why == AAD_R_ALLOWED && g.end == NULL)
			fail_msg("%u: allowed without its summary", k);
		if (reached && g.why != AAD_R_ALLOWED &&
		    g.why != AAD_R_NO_MEMORY)
			fail_msg("%u: %s", k, reason_name(g.why));
		if (g.why != AAD_R_ALLOWED)
			assert_null(g.end);
		got_release(&g);
		free(token);
		if (!reached)
			break;
	}
	assert_int_equal(g.why, AAD_R_ALLOWED);
	assert_true(k > 100 && k < 5000);
}

static int
forge_all(void **state)
{
	(void)state;
	if (sodium_init() == -1)
		return -1;
	forge_init(&tenant, 1);
	forge_init(&foreign, 2);
	return 0;
}

static int
forge_end(void **state)
{
	(void)state;
	forge_release(&tenant);
	forge_release(&foreign);
	return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(valid_certificate),
		TEST(valid_row),
		TEST(I_C11_each_key_signs_its_own_kind),
		TEST(every_reason_in_order),
		TEST(tenant_keys_of_somebody_else),
		TEST(tenant_keys_at_their_edges),
		TEST(II_C10_what_is_no_user_key),
		TEST(I_C10_no_key_of_our_own),
		TEST(I_C18_a_token_replayed),
		TEST(I_C18_what_is_not_given_again),
		cmocka_unit_test(I_C18_what_is_the_same_request),
		TEST(I_C7_serials_are_drawn_until_one_is_new),
		TEST(I_C21_as_many_as_an_hour_allows),
		TEST(a_pin_belongs_to_who_came_first),
		TEST(II_P17_every_login_is_pinned),
		TEST(dry_run_leaves_no_row),
		TEST(I_C22_key_files_that_are_refused),
		TEST(keys_are_stored_once_and_destroyed),
		TEST(the_ring_is_what_the_ledger_says),
		TEST(I_D9_an_agent_that_lies),
		TEST(II_C20_revoked_while_it_is_signed),
		TEST(only_an_agent_of_our_own),
		TEST(II_C13_a_full_disk),
		TEST(no_memory),
	};

	return cmocka_run_group_tests(tests, forge_all, forge_end);
}
