/* SPDX-License-Identifier: ISC */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "core/text.h"
#include "host/decision.h"
#include "host/denial.h"
#include "host/hostid.h"
#include "host/pin.h"
#include "token/token.h"

#define RECORD_TRIES 3 /* reads before a signature is believed to be wrong */

/* Everything that one decision opens and parses. */
struct work {
	const struct decision_ask *ask;
	struct decision *d;
	struct cache cache;
	struct record *record;
	struct jwks *keys;
	struct claims *claims;
};

/* A time for a note; where nobody listens, gmtime(3) need not be asked. */
static const char *
moment(const struct work *w, int64_t t, char out[static TEXT_TIME_LEN + 1])
{
	out[0] = '\0';
	if (w->ask->trace != NULL)
		text_time_format(t, out);
	return out;
}

/* A refusal: note it with its sentence and hand the reason on. */
static enum reason
refuse(const struct work *w, int step, enum reason why)
{
	return trace_refuse(w->ask->trace, step, why);
}

/* Step 1: the login's grammar and the key. */
static enum reason
step_input(struct work *w)
{
	enum reason why = AAD_R_UNSET;
	int r;

	if (!name_login_ok(w->ask->login))
		return refuse(w, 1, AAD_R_BAD_LOGIN);
	r = key_decode(w->ask->key_type, w->ask->key_base64, &w->d->key, &why);
	if (r == AAD_ENOMEM)
		return refuse(w, 1, AAD_R_NO_MEMORY);
	if (r != 0)
		return refuse(w, 1, why);
	key_fingerprint(&w->d->key, w->d->fingerprint);
	trace_note(w->ask->trace, 1, true, "login %s, key %s %s", w->ask->login,
	    key_type_name(&w->d->key), w->d->fingerprint);
	return AAD_R_ALLOWED;
}

/* Is there a denial of this kind?  ALLOWED when there certainly is none. */
static enum reason
no_denial(const struct work *w, int step, enum denial_kind kind,
    const char *name, enum reason in_force)
{
	const struct denial_ask ask = { &w->cache, w->ask->now, w->ask->trace,
		step };

	return denial_judge(&ask, kind, name, in_force);
}

/* Step 2: no denial for the login or the key. */
static enum reason
step_denials(struct work *w)
{
	char hash[NAME_HEX64_LEN + 1];
	enum reason why = AAD_R_UNSET;

	if (cache_open(w->ask->conf->dir, &w->cache, &why) != 0)
		return refuse(w, 2, why);
	why = no_denial(w, 2, DENIAL_LOGIN, w->ask->login, AAD_R_LOGIN_DENIED);
	if (why != AAD_R_ALLOWED)
		return why;
	name_hex64(w->d->key.hash, hash);
	why = no_denial(w, 2, DENIAL_KEY, hash, AAD_R_KEY_DENIED);
	if (why != AAD_R_ALLOWED)
		return why;
	trace_note(w->ask->trace, 2, true, "neither login nor key is denied");
	return AAD_R_ALLOWED;
}

/* The record's bytes, then whose they are. */
static enum reason
read_record(struct work *w)
{
	uint8_t host[HOSTID_LEN];
	struct record_pub pub;
	enum reason why = AAD_R_UNSET;
	char *text;
	size_t len;
	int r;

	/* NB. first, because no record is the common answer. */
	if (cache_record_read(&w->cache, w->ask->login, w->d->key.hash, &text,
		&len, &why) != 0)
		return why;
	if (hostid_read(w->ask->machine_id, host) != 0)
		why = AAD_R_NO_MACHINE_ID;
	else if (cache_record_pub(&w->cache, &pub, &why) == 0) {
		r = record_parse(text, len, host, w->ask->login, w->d->key.hash,
		    &pub, &w->record, &why);
		if (r == 0)
			why = AAD_R_ALLOWED;
		else if (r == AAD_ENOMEM)
			why = AAD_R_NO_MEMORY;
	}
	sodium_memzero(text, len);
	free(text);
	return why;
}

/*
 * A refusal is noted.  NB. a rekey signs the record anew and then changes the
 * keys: between our two reads both may have happened.
 */
static enum reason
load_record(struct work *w)
{
	enum reason why = AAD_R_RECORD_SIGNATURE;
	int tries;

	for (tries = 0; why == AAD_R_RECORD_SIGNATURE && tries < RECORD_TRIES;
	     tries++)
		why = read_record(w);
	return why == AAD_R_ALLOWED ? why : refuse(w, 3, why);
}

/* Step 3: a signed record for this login, key and host, still running. */
static enum reason
step_record(struct work *w)
{
	const struct key *key = &w->d->key;
	char when[TEXT_TIME_LEN + 1];
	const struct record *rec;
	enum reason why;

	if ((why = load_record(w)) != AAD_R_ALLOWED)
		return why;
	rec = w->record;
	if (rec->state != RECORD_ACTIVE) {
		why = record_ended_why(rec);
		trace_note(w->ask->trace, 3, false, "%s: ended at %s (%s). %s",
		    reason_name(why), moment(w, rec->ended_at, when),
		    rec->ended_reason, reason_sentence(why));
		return why;
	}
	if (rec->blob_len != key->blob_len ||
	    memcmp(rec->blob, key->blob, key->blob_len) != 0)
		return refuse(w, 3, AAD_R_RECORD_MISMATCH);
	if (rec->confirmed == CONFIRMED_NO &&
	    w->ask->now - rec->sign_in > w->ask->conf->confirm)
		return refuse(w, 3, AAD_R_UNCONFIRMED);
	trace_note(w->ask->trace, 3, true, "record of the sign-in at %s by %s",
	    moment(w, rec->sign_in, when),
	    rec->upn[0] != '\0' ? rec->upn : rec->oid);
	return AAD_R_ALLOWED;
}

/* Keep what a log line and an explanation may say of a verified token. */
static void
remember(struct decision *d, const struct claims *c)
{
	const char *upn = claims_upn(c);

	memcpy(d->oid, c->oid, sizeof(d->oid));
	if (upn != NULL)
		text_clean(upn, strlen(upn), d->upn, sizeof(d->upn));
	if (c->uti != NULL)
		text_clean(c->uti, strlen(c->uti), d->uti, sizeof(d->uti));
}

static enum reason
load_tenant_keys(struct work *w, const char *kid)
{
	enum reason why = AAD_R_UNSET;
	int r = cache_tenant_keys_load(&w->cache, kid, &w->keys, &why);

	if (r == AAD_ENOMEM)
		return refuse(w, 4, AAD_R_NO_MEMORY);
	if (r != 0)
		return refuse(w, 4, why);
	if (strcmp(w->keys->issuer, w->ask->conf->issuer) != 0)
		return refuse(w, 4, AAD_R_TENANT_KEYS_FOREIGN);
	return AAD_R_ALLOWED;
}

/* Guard, key, signature, claims; the token's owner is remembered. */
static enum reason
judge_token(struct work *w, int64_t grace)
{
	const struct conf *conf = w->ask->conf;
	const char *token = w->record->id_token;
	const struct token_expect want = { .issuer = conf->issuer,
		.audience = conf->client_id,
		.tenant = conf->tenant,
		.now = w->ask->now,
		.grace = grace,
		.oracles = { w->ask->oracle },
		.noracles = 1 };
	struct claims *late = NULL;
	enum reason why = AAD_R_UNSET, keys;
	struct jws j;
	int r;

	if ((r = jws_split(token, strlen(token), &j, &why)) == 0) {
		if ((keys = load_tenant_keys(w, j.kid)) != AAD_R_ALLOWED) {
			jws_release(&j);
			return keys; /* noted */
		}
		r = token_judge_split(&j, w->keys, &want, &w->claims, &late,
		    &why);
		jws_release(&j);
	}
	if (late != NULL)
		remember(w->d, late);
	claims_free(late);
	if (r == AAD_ENOMEM)
		return refuse(w, 4, AAD_R_NO_MEMORY);
	if (r != 0)
		return refuse(w, 4, r == AAD_EREFUSED ? why : AAD_R_UNSET);
	return AAD_R_ALLOWED;
}

/* Step 4: the token, all of it. */
static enum reason
step_token(struct work *w)
{
	const struct record *rec = w->record;
	int64_t grace = 0;
	enum reason why;

	if (rec->renewal == RENEWAL_UNREACHABLE)
		grace = w->ask->conf->grace;
	if ((why = judge_token(w, grace)) != AAD_R_ALLOWED)
		return why;
	if (strcmp(w->claims->tid, rec->tid) != 0 ||
	    strcmp(w->claims->oid, rec->oid) != 0)
		return refuse(w, 4, AAD_R_RECORD_MISMATCH);
	remember(w->d, w->claims);
	w->d->until = w->claims->exp + grace; /* neither is near 2^63 */
	trace_note(w->ask->trace, 4, true,
	    "token of %s (oid %s), tenant and application right",
	    w->d->upn[0] != '\0' ? w->d->upn : "a user without name",
	    w->d->oid);
	return AAD_R_ALLOWED;
}

/* Step 5: freshness, and no file from this clock's future. */
static enum reason
step_fresh(struct work *w)
{
	const struct conf *conf = w->ask->conf;
	const struct record *rec = w->record;
	int64_t now = w->ask->now, ahead = now + TOKEN_SKEW;
	char until[TEXT_TIME_LEN + 1];

	if (rec->written > ahead || rec->sign_in > ahead ||
	    rec->renewal_at > ahead || rec->confirmed_at > ahead ||
	    w->keys->fetched_at > ahead)
		return refuse(w, 5, AAD_R_CLOCK_BACK);
	if (now - w->keys->fetched_at > conf->keys_max_age)
		return refuse(w, 5, AAD_R_TENANT_KEYS_STALE);
	if (now - rec->sign_in > conf->sign_in_max_age)
		return refuse(w, 5, AAD_R_SIGN_IN_STALE);
	if (rec->sign_in + conf->sign_in_max_age < w->d->until)
		w->d->until = rec->sign_in + conf->sign_in_max_age;
	trace_note(w->ask->trace, 5, true, "fresh until %s",
	    moment(w, w->d->until, until));
	return AAD_R_ALLOWED;
}

/* Step 6: no denial for the identity, and the login's pin names it. */
static enum reason
step_identity(struct work *w)
{
	bool mapped = rules_is_mapped(w->ask->rules, w->ask->login);
	struct pin pin;
	enum reason why;

	why = no_denial(w, 6, DENIAL_OID, w->claims->oid,
	    AAD_R_IDENTITY_DENIED);
	if (why != AAD_R_ALLOWED)
		return why;
	switch (pin_load(&w->cache, w->ask->login, &pin)) {
	case 0:
		if (!pin_names(&pin, w->claims->tid, w->claims->oid)) {
			trace_note(w->ask->trace, 6, false,
			    "pinned_other: %s is pinned to oid %s",
			    w->ask->login, pin.oid);
			return AAD_R_PINNED_OTHER;
		}
		trace_note(w->ask->trace, 6, true,
		    "not denied; the login's pin names this user");
		return AAD_R_ALLOWED;
	case AAD_ENOENT:
		if (mapped)
			return refuse(w, 6, AAD_R_NO_PIN);
		trace_note(w->ask->trace, 6, true,
		    "not denied; the login needs no pin");
		return AAD_R_ALLOWED;
	default:
		return refuse(w, 6, AAD_R_PIN_UNREADABLE);
	}
}

/* Step 7: policy. */
static enum reason
step_policy(struct work *w)
{
	struct policy_answer a = policy_decide(w->claims, w->ask->login,
	    w->ask->uid, w->ask->rules);

	if (a.verdict != ALLOW || a.reason != AAD_R_ALLOWED) {
		if (a.reason == AAD_R_ALLOWED)
			a.reason = AAD_R_UNSET;
		trace_note(w->ask->trace, 7, false, "%s: %s%s%s",
		    reason_name(a.reason), reason_sentence(a.reason),
		    a.rule[0] != '\0' ? " " : "", a.rule);
		return a.reason;
	}
	if (a.line != 0)
		trace_note(w->ask->trace, 7, true, "allowed by %s (line %u)",
		    a.rule, a.line);
	else
		trace_note(w->ask->trace, 7, true, "allowed by %s", a.rule);
	return AAD_R_ALLOWED;
}

static enum reason
build_line(struct work *w)
{
	const char *options = rules_options(w->ask->rules, w->ask->login);
	int r = key_line(&w->d->key, options, &w->d->line);

	if (r == 0)
		return AAD_R_ALLOWED;
	return r == AAD_ENOMEM ? AAD_R_NO_MEMORY : AAD_R_CONFIG;
}

enum reason
decide(const struct decision_ask *ask, struct decision *d)
{
	static enum reason (*const steps[])(struct work *) = { step_input,
		step_denials, step_record, step_token, step_fresh,
		step_identity, step_policy, build_line };
	struct work w = { .ask = ask, .d = d, .cache = { .dir = -1 } };
	enum reason why = AAD_R_UNSET;
	size_t i;

	memset(d, 0, sizeof(*d));
	if (!ask->conf->has_idp) {
		d->reason = refuse(&w, 1, AAD_R_CONFIG);
		return d->reason;
	}
	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if ((why = steps[i](&w)) != AAD_R_ALLOWED)
			break;
	if (why != AAD_R_ALLOWED) {
		d->until = 0;
		free(d->line);
		d->line = NULL;
	}
	d->reason = why;
	claims_free(w.claims);
	jwks_free(w.keys);
	record_free(w.record);
	cache_close(&w.cache);
	return why;
}

void
decision_release(struct decision *d)
{
	key_release(&d->key);
	free(d->line);
	memset(d, 0, sizeof(*d));
}

bool
decision_curable(enum reason why)
{
	switch (why) {
	/* step 3: no record that counts */
	case AAD_R_NO_RECORD:
	case AAD_R_RECORD_OWNER:
	case AAD_R_RECORD_MALFORMED:
	case AAD_R_RECORD_VERSION:
	case AAD_R_RECORD_SIGNATURE:
	case AAD_R_RECORD_MISMATCH:
	case AAD_R_FOREIGN_HOST:
	case AAD_R_RECORD_ENDED:
	case AAD_R_IDENTITY_GONE:
	case AAD_R_SIGN_IN_AGAIN:
	case AAD_R_UNCONFIRMED:
	/* step 4: too old, or signed by a key that the tenant gave up */
	case AAD_R_TOKEN_EXPIRED:
	case AAD_R_UNKNOWN_KID:
	/* step 5 */
	case AAD_R_SIGN_IN_STALE:
	case AAD_R_TENANT_KEYS_STALE:
	case AAD_R_CLOCK_BACK:
		return true;
	default:
		return false;
	}
}
