/* SPDX-License-Identifier: ISC */

#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "cmd/aadssh/admit.h"
#include "cmd/aadssh/hold.h"
#include "cmd/aadssh/tenantkeys.h"
#include "cmd/cli/clock.h"
#include "cmd/cli/log.h"
#include "core/text.h"
#include "host/hostid.h"
#include "host/pin.h"
#include "host/refreshtoken.h"
#include "policy/policy.h"
#include "token/token.h"

int
admit_refuse(struct admit *a, enum reason why, const char *detail)
{
	refusal_set(&a->no, why, detail);
	return AAD_EREFUSED;
}

int
admit_refuse_state(struct admit *a, int r, enum reason why)
{
	app_state_refusal(a->app, r, why, &a->no);
	return AAD_EREFUSED;
}

/* NB. only our own signals are caught, so a write that one ends is a stop. */
static int
refuse_write(struct admit *a, int r, enum reason why)
{
	return *a->stop != 0 ? admit_refuse(a, AAD_R_INTERRUPTED, NULL)
			     : admit_refuse_state(a, r, why);
}

static int
no_denial(struct admit *a, enum denial_kind kind, const char *name,
    enum reason in_force)
{
	switch (denial_check(&a->cache, kind, name, clock_now(), NULL)) {
	case DENIAL_NONE:
		return 0;
	case DENIAL_IN_FORCE:
		return admit_refuse(a, in_force, NULL);
	case DENIAL_CANNOT_TELL:
		break;
	}
	return admit_refuse(a, AAD_R_DENIALS_UNREADABLE, NULL);
}

/* That keys/ is in order is better known before the browser than after. */
static int
try_hold(struct admit *a)
{
	enum reason why;
	struct hold h;
	int r;

	if ((r = hold_take(&a->cache, NULL, &h, &why)) != 0)
		r = refuse_write(a, r, why);
	hold_release(&h);
	return r;
}

int
admit_open(struct admit *a)
{
	const struct conf *conf = a->app->conf;
	enum reason why = AAD_R_UNSET;
	int r;

	if (!conf->has_idp)
		return admit_refuse(a, AAD_R_CONFIG,
		    "There is no [idp] section.");
	if (hostid_read(APP_MACHINE_ID, a->host) != 0)
		return admit_refuse(a, AAD_R_NO_MACHINE_ID, NULL);
	if ((r = cache_open_write(conf->dir, geteuid(), &a->cache, &why)) != 0)
		return admit_refuse_state(a, r, why);
	if ((r = try_hold(a)) != 0)
		return r;
	r = cache_tenant_keys_load(&a->cache, NULL, &a->keys, &why);
	/* NB. whatever is wrong with them, the sign-in fetches them anew. */
	return r == AAD_ENOMEM ? admit_refuse(a, AAD_R_NO_MEMORY, NULL) : 0;
}

int
admit_early(struct admit *a, const struct key *key)
{
	const struct rules *rules = a->app->rules;
	char hash[NAME_HEX64_LEN + 1];
	int r;

	if (rules_is_mapped(rules, a->login)) {
		if (rules_is_never(rules, a->login))
			return admit_refuse(a, AAD_R_LOGIN_NEVER, NULL);
		if (!rules_has_map(rules))
			return admit_refuse(a, AAD_R_NO_RULES, NULL);
		if (a->uid != POLICY_UID_UNJUDGED &&
		    a->uid < rules_min_uid(rules))
			return admit_refuse(a, AAD_R_UID_TOO_LOW, NULL);
	}
	r = no_denial(a, DENIAL_LOGIN, a->login, AAD_R_LOGIN_DENIED);
	if (r != 0 || key == NULL)
		return r;
	name_hex64(key->hash, hash);
	return no_denial(a, DENIAL_KEY, hash, AAD_R_KEY_DENIED);
}

static int
keep_tenant_keys(const struct admit *a)
{
	if (!a->in.keys_changed || a->keys == NULL)
		return 0;
	return tenantkeys_store(&a->cache, a->keys, clock_now());
}

int
admit_signin(struct admit *a, struct ui *ui)
{
	const struct conf *conf = a->app->conf;
	struct signin_tools tools = { conf, NULL, ui, a->stop };
	int r, stored;

	if (!app_ca_file_safe(conf))
		return admit_refuse(a, AAD_R_CONFIG, APP_CA_FILE_UNSAFE);
	if (tenantkeys_http(conf, a->stop, &tools.http) != 0)
		return admit_refuse(a, AAD_R_NO_MEMORY, NULL);
	r = signin(&tools, &a->keys, &a->in, &a->no);
	http_free(tools.http);
	stored = keep_tenant_keys(a);
	/* A refusal is the better answer, even if the keys were not stored. */
	return r != 0 || stored == 0 ? r : refuse_write(a, stored, AAD_R_DISK);
}

static int
judge_policy(struct admit *a)
{
	struct policy_answer p = policy_decide(a->in.claims, a->login, a->uid,
	    a->app->rules);
	char rule[sizeof(p.rule)];

	if (p.verdict == ALLOW && p.reason == AAD_R_ALLOWED)
		return 0;
	text_clean(p.rule, strlen(p.rule), rule, sizeof(rule));
	return admit_refuse(a,
	    p.reason == AAD_R_ALLOWED ? AAD_R_UNSET : p.reason, rule);
}

bool
admit_lifts(const struct denial *d, int64_t at, int64_t now)
{
	/* One from this clock's future says nothing about when it was made. */
	return strcmp(d->origin, "idp") == 0 &&
	       (d->at < at || d->at > now + TOKEN_SKEW);
}

/* *liftp: whether a denial is in force that this sign-in ends. */
static int
judge_denial(struct admit *a, bool *liftp)
{
	struct denial d;
	int64_t now = clock_now();

	*liftp = false;
	switch (denial_check(&a->cache, DENIAL_OID, a->in.claims->oid, now,
	    &d)) {
	case DENIAL_NONE:
		return 0;
	case DENIAL_IN_FORCE:
		if (!admit_lifts(&d, a->in.at, now))
			return admit_refuse(a, AAD_R_IDENTITY_DENIED, NULL);
		*liftp = true;
		return 0;
	case DENIAL_CANNOT_TELL:
		break;
	}
	return admit_refuse(a, AAD_R_DENIALS_UNREADABLE, NULL);
}

/* The pin names this user; a mapped login gets its pin now. */
static int
settle_pin(struct admit *a, int make)
{
	const struct claims *c = a->in.claims;
	struct pin p;
	int r = pin_load(&a->cache, a->login, &p);

	if (r == 0)
		return pin_names(&p, c->tid, c->oid)
			   ? 0
			   : admit_refuse(a, AAD_R_PINNED_OTHER, NULL);
	if (r != AAD_ENOENT)
		return admit_refuse(a, AAD_R_PIN_UNREADABLE, NULL);
	if (!make || !rules_is_mapped(a->app->rules, a->login))
		return 0;
	memcpy(p.tid, c->tid, sizeof(p.tid));
	memcpy(p.oid, c->oid, sizeof(p.oid));
	p.at = a->in.at;
	if ((r = pin_create(&a->cache, a->login, &p)) != 0)
		return admit_refuse_state(a, r, AAD_R_DISK);
	return 0;
}

int
admit_judge(struct admit *a)
{
	bool lift;
	int r;

	if ((r = judge_policy(a)) != 0 || (r = judge_denial(a, &lift)) != 0)
		return r;
	return settle_pin(a, 0);
}

/* Azure AD said no to this identity once, and now said yes. */
static int
lift_denial(struct admit *a)
{
	const struct log_field fields[] = {
		{ "oid", a->in.claims->oid },
		{ "by", "signin" },
	};
	bool lift;
	int lock, r;

	if ((r = judge_denial(a, &lift)) != 0 || !lift)
		return r;
	if ((r = cache_lock(&a->cache, CACHE_LOCK_DENIALS, &lock)) != 0)
		return refuse_write(a, r, AAD_R_DISK);
	/* An administrator's may have taken its place. */
	r = judge_denial(a, &lift);
	if (r == 0 && lift) {
		r = denial_lift(&a->cache, DENIAL_OID, a->in.claims->oid);
		if (r == 0)
			log_event(LOG_NOTICE, "undeny", fields, 2);
		else if (r != AAD_ENOENT)
			r = admit_refuse_state(a, r, AAD_R_DISK);
		else
			r = 0;
	}
	close(lock);
	return r;
}

/* ---- a key that two identities signed in with --------------------------- */

/* The logins that have a record of one key, any state. */
struct holders {
	const uint8_t *hash;
	char (*logins)[NAME_LOGIN_MAX + 1]; /* heap */
	size_t n;
};

static int
add_holder(void *arg, const char *login, const uint8_t key_hash[static 32])
{
	struct holders *h = arg;
	void *more;

	if (memcmp(key_hash, h->hash, 32) != 0)
		return 0;
	more = realloc(h->logins, (h->n + 1) * sizeof(h->logins[0]));
	if (more == NULL)
		return AAD_ENOMEM;
	h->logins = more;
	strncpy(h->logins[h->n], login, NAME_LOGIN_MAX);
	h->logins[h->n++][NAME_LOGIN_MAX] = '\0';
	return 0;
}

static bool
ended_shared(const struct record *rec)
{
	return rec->state == RECORD_ENDED &&
	       strcmp(rec->ended_reason, reason_name(AAD_R_KEY_SHARED)) == 0;
}

bool
admit_had(const struct admit *a, const struct key *key)
{
	struct record_pub pub;
	struct record *rec = NULL;
	enum reason why;
	bool had;

	had = cache_record_pub(&a->cache, &pub, &why) == 0 &&
	      cache_record_load(&a->cache, a->login, key->hash, a->host, &pub,
		  &rec, &why) == 0 &&
	      !ended_shared(rec);
	record_free(rec);
	return had;
}

/* Whose sign-in ended because somebody else signed in with the key. */
static void
log_shared(const struct record *rec)
{
	char fp[KEY_FP_LEN + 1];
	const struct log_field fields[] = {
		{ "verdict", "no" },
		{ "reason", reason_name(AAD_R_KEY_SHARED) },
		{ "login", rec->login },
		{ "key", fp },
		{ "oid", rec->oid },
		{ "upn", rec->upn },
	};

	key_fingerprint_of(rec->key_hash, fp);
	log_event(LOG_WARNING, "end", fields, 6);
}

/*
 * Under login's lock: end its record of the key when it is another
 * identity's.  *sharedp: set when it is, or was ended for that before.
 */
static int
end_other(struct admit *a, const struct hold *h, const char *login,
    const uint8_t hash[static 32], bool *sharedp)
{
	const struct claims *c = a->in.claims;
	struct record *rec = NULL;
	enum reason why = AAD_R_UNSET;
	int r;

	r = cache_record_load(&a->cache, login, hash, a->host, &h->pub, &rec,
	    &why);
	/* None, or one that opens nothing: damaged, foreign. */
	if (r == AAD_ENOENT || r == AAD_EREFUSED)
		return 0;
	if (r != 0)
		return admit_refuse_state(a, r, why);
	if (rec->state == RECORD_ENDED) {
		if (ended_shared(rec))
			*sharedp = true;
	} else if (strcmp(rec->tid, c->tid) != 0 ||
		   strcmp(rec->oid, c->oid) != 0) {
		*sharedp = true;
		if ((r = cache_record_end(&a->cache, rec, AAD_R_KEY_SHARED,
			 clock_now(), a->host, h->record_key)) != 0)
			r = admit_refuse_state(a, r, AAD_R_DISK);
		else
			log_shared(rec);
	}
	record_free(rec);
	return r;
}

/*
 * Refuse a key that is another identity's on this host.
 *
 * The caller holds ADMIT_LOCK_BIND from before this look until its own
 * record is stored, and nothing but admit_store() makes an active record of
 * an identity: renewal, confirmation and rekey only follow one that is
 * there, with the same identity in it.  So no record of a second identity
 * can appear behind this look, and the logins' locks, which those others
 * take, can be taken one after the other: two at once could deadlock.
 */
static int
refuse_shared(struct admit *a, const struct hold *h, const struct key *key)
{
	struct holders all = { key->hash, NULL, 0 };
	bool shared = false;
	size_t i;
	int lock, r;

	r = cache_record_each(&a->cache, NULL, add_holder, &all);
	if (r != 0)
		r = admit_refuse_state(a, r, AAD_R_STATE_UNREADABLE);
	for (i = 0; i < all.n && r == 0; i++) {
		if ((r = cache_lock(&a->cache, all.logins[i], &lock)) != 0) {
			r = refuse_write(a, r, AAD_R_DISK);
			break;
		}
		r = end_other(a, h, all.logins[i], key->hash, &shared);
		close(lock);
	}
	free(all.logins);
	if (r == 0 && shared)
		r = admit_refuse(a, AAD_R_KEY_SHARED, NULL);
	return r;
}

/* ---- the record ---------------------------------------------------------- */

/* The record of this sign-in.  generation: of what is there, 0: nothing. */
static int
make_record(const struct admit *a, const struct key *key, uint64_t generation,
    struct record **outp)
{
	const struct claims *c = a->in.claims;
	const char *upn = claims_upn(c);
	struct record *rec = calloc(1, sizeof(*rec));

	*outp = rec;
	if (rec == NULL)
		return AAD_ENOMEM;
	rec->state = RECORD_ACTIVE;
	memcpy(rec->login, a->login, strlen(a->login) + 1);
	memcpy(rec->key_hash, key->hash, sizeof(rec->key_hash));
	rec->generation = generation + 1;
	rec->written = rec->sign_in = rec->renewal_at = a->in.at;
	rec->renewal = RENEWAL_OK;
	rec->confirmed = a->confirmed;
	rec->confirmed_at = a->confirmed == CONFIRMED_NO ? 0 : a->in.at;
	memcpy(rec->tid, c->tid, sizeof(rec->tid));
	memcpy(rec->oid, c->oid, sizeof(rec->oid));
	rec->blob_len = key->blob_len;
	if ((rec->blob = malloc(rec->blob_len)) == NULL ||
	    (rec->id_token = strdup(a->in.id_token)) == NULL ||
	    (rec->upn = strdup(upn == NULL ? "" : upn)) == NULL ||
	    (rec->source = strdup(a->source)) == NULL)
		return AAD_ENOMEM;
	memcpy(rec->blob, key->blob, rec->blob_len);
	return 0;
}

/*
 * The refresh token first: a record without one is never renewed, one
 * without record is swept up.  None came: what an older sign-in left goes.
 */
static int
store_token(const struct admit *a, const struct hold *h, const struct key *key)
{
	int r;

	if (a->in.refresh_token == NULL) {
		r = refreshtoken_remove(&a->cache, a->login, key->hash);
		return r == AAD_ENOENT ? 0 : r;
	}
	return refreshtoken_store(&a->cache, a->login, key->hash, a->host,
	    h->seal.key, a->in.refresh_token, a->in.refresh_token_len);
}

/*
 * A fresh sign-in is built on nothing of the record before it, so it follows
 * whatever generation is there.
 */
static int
store_record(struct admit *a, const struct hold *h, const struct key *key)
{
	struct record *old = NULL, *rec = NULL;
	enum reason why = AAD_R_UNSET;
	int r;

	if (cache_record_load(&a->cache, a->login, key->hash, a->host, &h->pub,
		&old, &why) != 0)
		old = NULL; /* none, or one that no longer counts */
	r = make_record(a, key, old == NULL ? 0 : old->generation, &rec);
	if (r == 0)
		r = store_token(a, h, key);
	if (r == 0)
		r = cache_record_store(&a->cache, rec, a->host, h->record_key);
	record_free(old);
	record_free(rec);
	return r == 0 ? 0 : admit_refuse_state(a, r, AAD_R_DISK);
}

/* Under the login's lock. */
static int
store_locked(struct admit *a, const struct hold *h, const struct key *key)
{
	bool lift;
	int r;

	if ((r = admit_early(a, key)) != 0 || (r = admit_judge(a)) != 0 ||
	    (r = judge_denial(a, &lift)) != 0)
		return r;
	if (lift) /* made since it was lifted; then it is a new one */
		return admit_refuse(a, AAD_R_IDENTITY_DENIED, NULL);
	if ((r = settle_pin(a, 1)) != 0 || key == NULL)
		return r;
	return store_record(a, h, key);
}

/* Under the keys' lock, and the one of binding when there is a key. */
static int
store_with(struct admit *a, const struct hold *h, const struct key *key)
{
	int lock, r;

	if ((r = admit_early(a, key)) != 0 || (r = admit_judge(a)) != 0)
		return r;
	/* The last moment to give up: from here on it is all or nothing. */
	if (*a->stop != 0)
		return admit_refuse(a, AAD_R_INTERRUPTED, NULL);
	if ((key != NULL && (r = refuse_shared(a, h, key)) != 0) ||
	    (r = lift_denial(a)) != 0)
		return r;
	if ((r = cache_lock(&a->cache, a->login, &lock)) != 0)
		return refuse_write(a, r, AAD_R_DISK);
	r = *a->stop != 0 ? admit_refuse(a, AAD_R_INTERRUPTED, NULL)
			  : store_locked(a, h, key);
	close(lock);
	return r;
}

int
admit_store(struct admit *a, const struct key *key)
{
	enum reason why;
	struct hold h;
	int bind = -1, r;

	if ((r = hold_take(&a->cache, NULL, &h, &why)) != 0)
		r = refuse_write(a, r, why);
	else if (key != NULL &&
		 (r = cache_lock(&a->cache, ADMIT_LOCK_BIND, &bind)) != 0)
		r = refuse_write(a, r, AAD_R_DISK);
	else
		r = store_with(a, &h, key);
	if (bind != -1)
		close(bind);
	hold_release(&h);
	return r;
}

void
admit_log(const struct admit *a, int r, const char *fingerprint)
{
	const struct claims *c = a->in.claims;
	enum reason why = r == 0 ? AAD_R_ALLOWED : a->no.why;
	const struct log_field fields[] = {
		{ "verdict", reason_verdict(why) },
		{ "reason", reason_name(why) },
		{ "via", a->via },
		{ "login", a->login },
		{ "key", fingerprint },
		{ "source", a->source },
		{ "oid", c == NULL ? NULL : c->oid },
		{ "upn", c == NULL ? NULL : claims_upn(c) },
		{ "uti", c == NULL ? NULL : c->uti },
		{ "detail", r == 0 ? NULL : a->no.detail },
	};

	log_event(r == 0 ? LOG_NOTICE : log_priority(why), "signin", fields,
	    sizeof(fields) / sizeof(fields[0]));
}

void
admit_release(struct admit *a)
{
	signin_release(&a->in);
	jwks_free(a->keys);
	a->keys = NULL;
	cache_close(&a->cache);
}
