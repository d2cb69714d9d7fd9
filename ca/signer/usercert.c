/* SPDX-License-Identifier: ISC */

/*
 * op_sign: from a token and a key to a certificate of a user.  The steps are
 * in the order of aadssh-ca-signer(8); the first that fails decides.
 */

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <sodium.h>

#include "ca/signer/issue.h"
#include "core/file.h"
#include "token/token.h"

#define TOKEN_AGE_MAX 600 /* seconds since iat */
#define HOUR	      3600

struct signing {
	struct signer *s;
	const struct request *rq;
	struct key key;
	struct jwks *keys;
	char *token;
	uint8_t token_hash[32];
	struct claims *claims;
	struct profile_grant grant;
	char *context;
	struct issue issue;
	char *again; /* base64 of the certificate that this request has */
};

static enum reason
step_conf(struct signing *g)
{
	struct conf_error why;
	int r;

	memset(&why, 0, sizeof(why));
	r = profile_check(g->s->conf, g->s->rules, &why);
	if (r == 0)
		return AAD_R_ALLOWED;
	if (r == AAD_ENOMEM)
		return AAD_R_NO_MEMORY;
	return signer_fail(g->s, AAD_R_CONFIG, "%s:%u: %s", g->s->conf_path,
	    why.line, why.text);
}

static enum reason
step_key(struct signing *g)
{
	return issue_key(g->s, g->rq, &g->key);
}

/* The keys belong to whoever owns their directory, which we gave away. */
static enum reason
step_tenant_keys(struct signing *g)
{
	struct file_owner right = { FILE_ANY_OWNER, FILE_ANY_OWNER, false };
	const struct signer *s = g->s;
	struct stat sb;
	char *text = NULL;
	size_t len;
	int r;

	if (s->tenant == -1)
		return AAD_R_NO_TENANT_KEYS;
	if (fstat(s->tenant, &sb) == -1)
		return AAD_R_TENANT_KEYS_UNREADABLE;
	right.owner = sb.st_uid;
	r = file_read(s->tenant, "keys.json", right, JWKS_FILE_MAX, &text,
	    &len);
	if (r == AAD_ENOENT)
		return AAD_R_NO_TENANT_KEYS;
	if (r == 0)
		r = jwks_parse(text, len, NULL, &g->keys);
	free(text);
	if (r == AAD_ENOMEM)
		return AAD_R_NO_MEMORY;
	if (r != 0)
		return AAD_R_TENANT_KEYS_UNREADABLE;
	if (strcmp(g->keys->issuer, s->conf->issuer) != 0)
		return AAD_R_TENANT_KEYS_FOREIGN;
	if (g->keys->fetched_at > s->now + TOKEN_SKEW)
		return AAD_R_CLOCK_BACK;
	if (s->now - g->keys->fetched_at > s->conf->keys_max_age)
		return AAD_R_TENANT_KEYS_STALE;
	return AAD_R_ALLOWED;
}

static enum reason
step_token(struct signing *g)
{
	const struct conf *conf = g->s->conf;
	const struct token_expect want = { .issuer = conf->issuer,
		.audience = conf->client_id,
		.tenant = conf->tenant,
		.now = g->s->now,
		.oracles = { verify_nettle },
		.noracles = 1 };
	enum reason why = AAD_R_UNSET;
	size_t len;
	int r;

	r = request_text(g->rq, REQUEST_L_TOKEN, 0, &g->token);
	if (r != 0)
		return r == AAD_ENOMEM ? AAD_R_NO_MEMORY
				       : AAD_R_REQUEST_MALFORMED;
	len = strlen(g->token);
	r = token_judge(g->token, len, g->keys, &want, &g->claims, NULL, &why);
	if (r == AAD_ENOMEM)
		return AAD_R_NO_MEMORY;
	if (r == AAD_EREFUSED && why == AAD_R_UNKNOWN_KID)
		return signer_fail(g->s, why,
		    "on the host of the authority: aadssh -f %s refresh "
		    "--keys-only",
		    g->s->conf_path);
	if (r != 0)
		return r == AAD_EREFUSED ? why : AAD_R_UNSET;
	if (g->s->now - g->claims->iat > TOKEN_AGE_MAX)
		return AAD_R_TOKEN_AGE;
	crypto_hash_sha256(g->token_hash, (const uint8_t *)g->token, len);
	return AAD_R_ALLOWED;
}

static enum reason
step_grant(struct signing *g)
{
	struct profile_ask ask = { .conf = g->s->conf,
		.rules = g->s->rules,
		.claims = g->claims,
		.key = &g->key,
		.now = g->s->now };
	char **logins = NULL, **sources = NULL, fault[PROFILE_FAULT_MAX] = "";
	enum reason why;

	ask.has_ttl = request_u64(g->rq, REQUEST_L_TTL, &ask.ttl) == 0;
	why = issue_texts(g->rq, REQUEST_L_LOGIN, &logins, &ask.nlogins);
	if (why == AAD_R_ALLOWED)
		why = issue_texts(g->rq, REQUEST_L_SOURCE, &sources,
		    &ask.nsources);
	ask.logins = (const char *const *)logins;
	ask.sources = (const char *const *)sources;
	if (why == AAD_R_ALLOWED) {
		why = AAD_R_UNSET; /* a yes is what returns 0, nothing else */
		if (profile_grant(&ask, &g->grant, &why, fault) == 0)
			why = AAD_R_ALLOWED;
		else if (why == AAD_R_ALLOWED)
			why = AAD_R_UNSET;
	}
	issue_texts_free(logins, ask.nlogins);
	issue_texts_free(sources, ask.nsources);
	return fault[0] != '\0' ? signer_fail(g->s, why, "%s", fault) : why;
}

/* ---- in the transaction ----------------------------------------------- */

static enum reason
step_denied(struct signing *g)
{
	return issue_denied(g->s, g->claims->oid, &g->key);
}

/* When the ledger came from a backup, the latest time. */
struct restored {
	int64_t now;
	int64_t at; /* 0: never */
};

static int
look_at_restore(void *arg, const struct event *e)
{
	struct restored *t = arg;

	/* NB. of a clock that was ahead: it would refuse for years. */
	if (e->at <= t->now + TOKEN_AGE_MAX && e->at > t->at)
		t->at = e->at;
	return 0;
}

/* What a token was used for between backup and restore, no row says. */
static enum reason
step_restored(struct signing *g)
{
	const struct ledger_filter f = { .kind = EVENT_RESTORED };
	struct restored t = { g->s->now, 0 };
	enum reason why = AAD_R_UNSET;

	if (ledger_each(g->s->ledger, &f, look_at_restore, &t, &why) != 0)
		return why;
	return t.at != 0 && g->claims->iat <= t.at + TOKEN_SKEW
		   ? AAD_R_TOKEN_RESTORED
		   : AAD_R_ALLOWED;
}

/* What this token was used for before. */
struct uses {
	const struct signing *g;
	bool other; /* another key */
	char *certificate; /* of the same request, good still */
	bool no_memory;
};

static int
look_at_use(void *arg, const struct ledger_cert *c)
{
	struct uses *u = arg;
	const char *request, *base64;

	if (memcmp(c->key_hash, u->g->key.hash, sizeof(c->key_hash)) != 0) {
		u->other = true;
		return 1;
	}
	request = json_string_value(json_object_get(c->prepared, "request"));
	base64 = json_string_value(json_object_get(c->done, "certificate"));
	if (request == NULL || strcmp(request, u->g->issue.request) != 0 ||
	    !c->issued || base64 == NULL || c->revoked_at != 0 ||
	    c->valid_before <= u->g->s->now)
		return 0;
	free(u->certificate);
	u->certificate = strdup(base64);
	u->no_memory = u->certificate == NULL;
	return u->no_memory;
}

/* One token signs for one subject key, ever. */
static enum reason
step_token_use(struct signing *g)
{
	const struct ledger_filter f = { .token_hash = g->token_hash };
	struct uses u = { .g = g };
	enum reason why = AAD_R_UNSET;
	int r;

	r = ledger_certs(g->s->ledger, &f, look_at_use, &u, &why);
	g->again = u.certificate;
	if (u.no_memory)
		return AAD_R_NO_MEMORY;
	if (u.other)
		return AAD_R_TOKEN_USED;
	return r == 0 ? AAD_R_ALLOWED : why;
}

/* A mapped login belongs to who came first. */
static enum reason
pin_one(struct signing *g, const char *login)
{
	char tid[NAME_GUID_LEN + 1], oid[NAME_GUID_LEN + 1];
	struct event e = { .at = g->s->now, .kind = EVENT_PIN };
	enum reason why = AAD_R_UNSET;
	int r;

	if (ledger_pin(g->s->ledger, login, tid, oid, &why) != 0)
		return why;
	if (oid[0] != '\0') {
		if (strcmp(oid, g->claims->oid) == 0 &&
		    strcmp(tid, g->claims->tid) == 0)
			return AAD_R_ALLOWED;
		return signer_fail(g->s, AAD_R_LOGIN_PINNED, "%s", login);
	}
	memcpy(e.tid, g->claims->tid, sizeof(e.tid));
	memcpy(e.oid, g->claims->oid, sizeof(e.oid));
	memcpy(e.login, login, strlen(login) + 1); /* name_login_ok() */
	e.body = json_pack("{s:s}", "upn", claims_upn(g->claims));
	if (e.body == NULL)
		return AAD_R_NO_MEMORY;
	r = ledger_append(g->s->ledger, &e, &why);
	event_release(&e);
	return r == 0 ? AAD_R_ALLOWED : why;
}

static enum reason
step_pins(struct signing *g)
{
	enum reason why = AAD_R_ALLOWED;
	size_t i;

	for (i = 0; i < g->grant.nlogins && why == AAD_R_ALLOWED; i++)
		if (rules_is_mapped(g->s->rules, g->grant.logins[i]))
			why = pin_one(g, g->grant.logins[i]);
	return why;
}

static enum reason
step_rate(struct signing *g)
{
	enum reason why = AAD_R_UNSET;
	int64_t n;

	if (ledger_count(g->s->ledger, g->claims->oid, g->s->now - HOUR, &n,
		&why) != 0)
		return why;
	return n >= g->s->conf->certs_per_hour ? AAD_R_CERTS_PER_HOUR
					       : AAD_R_ALLOWED;
}

/* Everything that the ledger decides, then the certificate. */
static enum reason
decide(struct signing *g, json_t **endp)
{
	const bool dry = request_get(g->rq, REQUEST_L_DRY_RUN, 0) != NULL;
	enum reason why = issue_begin(g->s);

	if (why != AAD_R_ALLOWED)
		return why;
	if ((why = step_denied(g)) == AAD_R_ALLOWED &&
	    (why = step_restored(g)) == AAD_R_ALLOWED &&
	    (why = step_token_use(g)) == AAD_R_ALLOWED && g->again == NULL &&
	    (why = step_pins(g)) == AAD_R_ALLOWED &&
	    (why = step_rate(g)) == AAD_R_ALLOWED && !dry)
		return issue_certificate(g->s, &g->issue, endp);
	ledger_rollback(g->s->ledger);
	if (why != AAD_R_ALLOWED)
		return why;
	return dry ? issue_dry(&g->grant, endp)
		   : issue_again(g->s, g->again, &g->grant, endp);
}

static void
release(struct signing *g)
{
	key_release(&g->key);
	jwks_free(g->keys);
	if (g->token != NULL)
		sodium_memzero(g->token, strlen(g->token));
	free(g->token);
	claims_free(g->claims);
	profile_release(&g->grant);
	free(g->context);
	free(g->again);
}

static enum reason
prepare_issue(struct signing *g)
{
	struct issue *is = &g->issue;

	if (request_text(g->rq, REQUEST_L_CONTEXT, 0, &g->context) ==
	    AAD_ENOMEM)
		return AAD_R_NO_MEMORY;
	is->role = CA_ROLE_USER;
	is->key = &g->key;
	is->grant = &g->grant;
	is->claims = g->claims;
	is->token_hash = g->token_hash;
	is->context = g->context != NULL ? g->context : "";
	issue_digest(g->rq, is->request);
	return AAD_R_ALLOWED;
}

enum reason
op_sign(struct signer *s, const struct request *rq, json_t **endp)
{
	struct signing g = { .s = s, .rq = rq };
	enum reason why;

	if ((why = step_conf(&g)) == AAD_R_ALLOWED &&
	    (why = step_key(&g)) == AAD_R_ALLOWED &&
	    (why = step_tenant_keys(&g)) == AAD_R_ALLOWED &&
	    (why = step_token(&g)) == AAD_R_ALLOWED &&
	    (why = step_grant(&g)) == AAD_R_ALLOWED &&
	    (why = prepare_issue(&g)) == AAD_R_ALLOWED)
		why = decide(&g, endp);
	release(&g);
	return why;
}
