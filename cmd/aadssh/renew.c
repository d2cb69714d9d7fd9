/* SPDX-License-Identifier: ISC */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include <sodium.h>

#include "cmd/aadssh/evict.h"
#include "cmd/aadssh/hold.h"
#include "cmd/aadssh/renew.h"
#include "cmd/aadssh/tenantkeys.h"
#include "cmd/cli/clock.h"
#include "host/denial.h"
#include "host/refreshtoken.h"
#include "idp/grant.h"
#include "net/pool.h"
#include "token/token.h"
#include "token/verify.h"

#define WAIT_MS	  250 /* for answers, before we look around again */
#define RETRY_MAX 30 /* seconds of Retry-After that are waited for */
#define DEAD_MIN  8 /* failures in a row, at least, that end the asking */

struct work {
	struct run *run;
	const struct renew_tools *t;
	struct http_pool *pool; /* NULL: nobody is asked */
	char *claims; /* the claims parameter, or NULL */
	struct sign_in *items;
	size_t n;
	size_t size; /* entries allocated */
	size_t next; /* not visited yet, from here on */
	struct sign_in **waiting; /* at most parallel: asked again later */
	size_t nwaiting;
	int64_t pause_until; /* clock_mono_ms() */
	size_t parallel;
	size_t flying; /* requests under way */
	size_t answers; /* definite ones */
	size_t unreadable; /* refresh tokens */
	size_t failures; /* in a row: network, 5xx, 429 */
	bool dead; /* the provider, that is */
	bool late; /* deadline_ms has passed */
	bool refetched; /* the tenant keys */
};

/* What a look at a record says has to be done. */
enum look {
	LOOK_KEEP = 0, /* nothing */
	LOOK_SWEEP, /* an old tombstone */
	LOOK_STALE,
	LOOK_UNCONFIRMED,
	LOOK_DENIED, /* by the provider, and not ended yet */
	LOOK_ASK
};

static int
add_item(void *arg, const char *login, const uint8_t key_hash[static 32])
{
	struct work *w = arg;
	struct sign_in *s;
	size_t size = w->size == 0 ? 64 : w->size * 2;

	if (w->n == w->size) {
		if ((s = realloc(w->items, size * sizeof(*s))) == NULL)
			return AAD_ENOMEM;
		w->items = s;
		w->size = size;
	}
	s = &w->items[w->n++];
	memset(s, 0, sizeof(*s));
	memcpy(s->login, login, strlen(login) + 1);
	memcpy(s->hash, key_hash, sizeof(s->hash));
	return 0;
}

/* So that no sign-in is always the last one, and no pattern is seen. */
static void
shuffle(struct work *w)
{
	struct sign_in s;
	size_t i, k;

	for (i = w->n; i > 1; i--) {
		k = randombytes_uniform((uint32_t)i);
		s = w->items[k];
		w->items[k] = w->items[i - 1];
		w->items[i - 1] = s;
	}
}

/* Denied by the provider since: a run that was cut short wanted to end it. */
static bool
denied_by_idp(const struct work *w, const struct record *rec)
{
	struct denial d;

	return denial_check(w->run->cache, DENIAL_OID, rec->oid, clock_now(),
		   &d) == DENIAL_IN_FORCE &&
	       strcmp(d.origin, "idp") == 0 && d.at >= rec->sign_in;
}

static enum look
judge(const struct work *w, const struct record *rec)
{
	const struct conf *conf = w->run->conf;
	int64_t now = clock_now();

	if (rec->state == RECORD_ENDED)
		return record_spent(rec, now) ? LOOK_SWEEP : LOOK_KEEP;
	/* Another tenant would know nothing of it and call it gone. */
	if (strcmp(rec->tid, conf->tenant) != 0)
		return LOOK_KEEP;
	if (now - rec->sign_in > conf->sign_in_max_age)
		return LOOK_STALE;
	if (rec->confirmed == CONFIRMED_NO)
		return now - rec->sign_in > conf->confirm ? LOOK_UNCONFIRMED
							  : LOOK_KEEP;
	return denied_by_idp(w, rec) ? LOOK_DENIED : LOOK_ASK;
}

/* Remember which sign-in it is. */
static void
remember(struct sign_in *s, const struct record *rec)
{
	memcpy(s->oid, rec->oid, sizeof(s->oid));
	s->at = rec->sign_in;
	s->renewal = (uint8_t)rec->renewal;
}

/* The refresh token, for LOOK_ASK; without one there is nothing to ask. */
static enum look
load_token(struct work *w, struct sign_in *s, const struct hold *h,
    struct secret **tokenp)
{
	int r;

	if (settle_denied(w->run, s))
		return LOOK_KEEP;
	r = refreshtoken_load(w->run->cache, s->login, s->hash, w->run->host,
	    &h->seal, tokenp);
	if (r == 0)
		return LOOK_ASK;
	if (r != AAD_ENOENT) {
		w->unreadable++;
		w->run->counts->failed++;
		run_log(LOG_WARNING, "renew", AAD_R_REFRESH_TOKEN, s, NULL,
		    err_name(r));
	}
	return LOOK_KEEP;
}

/* Read one record, under the keys' lock only, and see what it needs. */
static enum look
look_at(struct work *w, struct sign_in *s, struct secret **tokenp)
{
	struct record *rec = NULL;
	enum look look = LOOK_KEEP;
	enum reason why = AAD_R_UNSET;
	struct hold h;
	int r;

	*tokenp = NULL;
	if ((r = hold_take(w->run->cache, NULL, &h, &why)) == 0)
		r = cache_record_load(w->run->cache, s->login, s->hash,
		    w->run->host, &h.pub, &rec, &why);
	if (r == 0) {
		look = judge(w, rec);
		if (rec->state == RECORD_ACTIVE)
			remember(s, rec);
		if (look == LOOK_ASK)
			look = load_token(w, s, &h, tokenp);
	} else if (r != AAD_ENOENT && r != AAD_EREFUSED) {
		/* What is damaged or foreign is no fault of this run. */
		w->run->counts->failed++;
		run_failed(w->run, r, why, s);
	}
	record_free(rec);
	hold_release(&h);
	return look;
}

/* Nothing was learned about it: for the brake it was not asked about. */
static void
unreachable(struct work *w, struct sign_in *s)
{
	s->fate = FATE_NONE;
	w->run->counts->unreachable++;
	if (w->t->where == NULL && !w->t->outage)
		return;
	if (s->renewal == RENEWAL_OK &&
	    settle_mark(w->run, s, RENEWAL_UNREACHABLE) == 0)
		run_log(LOG_INFO, "renew", AAD_R_UNREACHABLE, s, NULL, NULL);
}

static void
failed(struct work *w, const struct sign_in *s, enum reason why,
    const char *detail)
{
	w->run->counts->failed++;
	run_log(LOG_WARNING, "renew", why, s, NULL, detail);
}

/* ---- asking -------------------------------------------------------------- */

/* Send the request; the token as a string lives for this call only. */
static int
post(struct work *w, struct sign_in *s, struct secret *token)
{
	const struct conf *conf = w->run->conf;
	const char *form[GRANT_FORM_MAX];
	size_t len = secret_len(token);
	char *text = malloc(len + 1);
	int r;

	if (text == NULL)
		return AAD_ENOMEM;
	memcpy(text, secret_bytes(token), len);
	text[len] = '\0';
	grant_form_refresh(form, conf->client_id, text, conf->scope, w->claims);
	r = http_pool_post(w->pool, w->t->where->token_endpoint, form,
	    GRANT_REPLY_MAX, s);
	sodium_memzero(text, len);
	free(text);
	return r;
}

static void
ask(struct work *w, struct sign_in *s, struct secret *token)
{
	int r;

	if (w->pool == NULL || w->dead || w->late) {
		unreachable(w, s);
		return;
	}
	if ((r = post(w, s, token)) != 0) {
		failed(w, s, r == AAD_ENOMEM ? AAD_R_NO_MEMORY : AAD_R_UNSET,
		    err_name(r));
		return;
	}
	w->flying++;
	s->fate = FATE_ASKED;
	w->run->counts->checked += !s->retried;
}

static void
count_end(struct work *w, const struct sign_in *s, enum reason why,
    const char *event, int64_t *countp)
{
	if (settle_end(w->run, s, event, why, NULL) == 0)
		++*countp;
}

static void
visit(struct work *w, struct sign_in *s)
{
	struct lastrun_counts *c = w->run->counts;
	struct secret *token;

	switch (look_at(w, s, &token)) {
	case LOOK_KEEP:
		break;
	case LOOK_SWEEP:
		c->swept += settle_sweep(w->run, s) == 0;
		break;
	case LOOK_STALE:
		count_end(w, s, AAD_R_SIGN_IN_STALE, "end", &c->ended);
		break;
	case LOOK_UNCONFIRMED:
		count_end(w, s, AAD_R_UNCONFIRMED, "end", &c->ended);
		break;
	case LOOK_DENIED:
		count_end(w, s, AAD_R_IDENTITY_GONE, "evict", &c->evicted);
		break;
	case LOOK_ASK:
		ask(w, s, token);
		break;
	}
	secret_free(token);
}

/* ---- judging an answer --------------------------------------------------- */

static int
judge_token(const struct work *w, const struct grant_reply *reply,
    struct claims **outp, enum reason *whyp)
{
	const struct conf *conf = w->run->conf;
	const struct token_expect want = {
		.issuer = conf->issuer,
		.audience = conf->client_id,
		.tenant = conf->tenant,
		.now = clock_now(),
		.oracles = { verify_jwt, verify_nettle },
		.noracles = 2,
	};

	return token_judge(reply->id_token, reply->id_token_len, *w->t->keysp,
	    &want, outp, NULL, whyp);
}

/* Once a run: a kid may be new, but must not make us ask for each token. */
static int
refetch_keys(struct work *w)
{
	struct run *run = w->run;
	struct jwks *keys = NULL;
	struct refusal no;
	int r;

	w->refetched = true;
	if (tenantkeys_fetch(w->t->http, run->conf, w->t->where, run->stop,
		clock_now(), &keys, &no) != 0)
		return AAD_EREFUSED;
	jwks_free(*w->t->keysp);
	*w->t->keysp = keys;
	if ((r = tenantkeys_store(run->cache, keys, clock_now())) != 0)
		run_failed(run, r, AAD_R_DISK, NULL);
	return 0;
}

/* Both oracles, and it must be about the same identity as before. */
static int
verify(struct work *w, const struct sign_in *s, const struct grant_reply *reply,
    struct claims **outp, enum reason *whyp)
{
	int r = judge_token(w, reply, outp, whyp);

	if (r == AAD_EREFUSED && *whyp == AAD_R_UNKNOWN_KID && !w->refetched &&
	    refetch_keys(w) == 0)
		r = judge_token(w, reply, outp, whyp);
	if (r == AAD_ENOMEM)
		*whyp = AAD_R_NO_MEMORY;
	if (r != 0)
		return r;
	if (strcmp((*outp)->oid, s->oid) == 0 &&
	    strcmp((*outp)->tid, w->run->conf->tenant) == 0)
		return 0;
	*whyp = AAD_R_RECORD_MISMATCH;
	return AAD_EREFUSED;
}

static void
take_tokens(struct work *w, struct sign_in *s, const struct grant_reply *reply)
{
	struct claims *claims = NULL;
	enum reason why = AAD_R_UNSET;
	int r;

	if (verify(w, s, reply, &claims, &why) != 0) {
		/* Nothing changes, not even for worse. */
		failed(w, s, why, "the token that came back is not believed");
	} else {
		/* Also when it could not be stored: the provider said yes. */
		s->fate = FATE_RENEWED;
		r = settle_renewed(w->run, s, reply->id_token,
		    claims_upn(claims), reply->refresh_token,
		    reply->refresh_token_len);
		if (r == 0)
			w->run->counts->renewed++;
		else if (r != AAD_EAGAIN)
			w->run->counts->failed++;
	}
	claims_free(claims);
}

static void
take_error(struct work *w, struct sign_in *s, const struct grant_error *e,
    long status)
{
	struct lastrun_counts *c = w->run->counts;
	struct refusal no;

	refusal_of_error(&no, e, status);
	switch (aadsts_renewal(e, status)) {
	case AADSTS_OUTAGE:
		unreachable(w, s);
		return;
	case AADSTS_GONE:
		s->fate = FATE_GONE;
		s->answered = clock_now();
		break;
	case AADSTS_AGAIN:
		if (settle_end(w->run, s, "renew", AAD_R_SIGN_IN_AGAIN,
			no.detail) == 0)
			c->again++;
		break;
	case AADSTS_POLICY:
		c->policy++;
		if (settle_mark(w->run, s, RENEWAL_SIGN_IN_AGAIN) == 0)
			run_log(LOG_WARNING, "renew", AAD_R_RENEWAL_POLICY, s,
			    NULL, no.detail);
		break;
	}
	w->answers++;
}

static void
take_reply(struct work *w, struct sign_in *s, const struct http_reply *http)
{
	struct grant_reply reply;

	if (grant_reply_parse(http->status, http->body, http->len, &reply) !=
	    0) {
		failed(w, s, AAD_R_NO_MEMORY, NULL);
	} else if (reply.kind == GRANT_TOKEN) {
		w->answers++;
		take_tokens(w, s, &reply);
	} else if (reply.kind == GRANT_ERROR) {
		take_error(w, s, &reply.error, http->status);
	} else {
		unreachable(w, s);
	}
	grant_reply_release(&reply);
}

/* Asked to wait a moment, for the first time: all wait, then it is asked. */
static bool
wait_for_it(struct work *w, struct sign_in *s, const struct http_reply *http)
{
	int64_t until = clock_mono_ms() + http->retry_after * 1000;

	if (http->status != 429 || http->retry_after <= 0 ||
	    http->retry_after > RETRY_MAX || s->retried)
		return false;
	s->retried = true;
	w->waiting[w->nwaiting++] = s;
	if (until > w->pause_until)
		w->pause_until = until;
	return true;
}

static void
answer(struct work *w, struct sign_in *s, int r, const struct http_reply *http)
{
	size_t limit = w->parallel * 2;

	w->flying--;
	if (run_stopped(w->run))
		return;
	if (r == AAD_ENET ||
	    (r == 0 && (http->status == 429 || http->status >= 500)))
		w->failures++;
	else
		w->failures = 0;
	if (w->failures >= (limit > DEAD_MIN ? limit : DEAD_MIN))
		w->dead = true;
	if (r == 0 && wait_for_it(w, s, http))
		return;
	if (r == 0)
		take_reply(w, s, http);
	else if (r == AAD_ENOMEM)
		failed(w, s, AAD_R_NO_MEMORY, NULL);
	else
		unreachable(w, s);
}

/* ---- the run ------------------------------------------------------------- */

/* Visit one more; false when there is none, or none may be asked now. */
static bool
feed(struct work *w)
{
	bool asking = w->pool != NULL && !w->dead && !w->late;

	if (run_stopped(w->run) ||
	    (asking &&
		(w->flying == w->parallel || clock_mono_ms() < w->pause_until)))
		return false;
	if (w->nwaiting > 0)
		visit(w, w->waiting[--w->nwaiting]);
	else if (w->next < w->n)
		visit(w, &w->items[w->next++]);
	else
		return false;
	return true;
}

static bool
all_visited(const struct work *w)
{
	return w->next == w->n && w->nwaiting == 0;
}

static int
walk(struct work *w)
{
	struct http_reply reply;
	void *s;
	bool more;
	int r, result;

	for (;;) {
		w->late = w->late || clock_mono_ms() >= w->t->deadline_ms;
		more = feed(w);
		if (w->flying == 0) {
			if (!more && (all_visited(w) || run_stopped(w->run)))
				return 0;
			if (!more)
				clock_sleep_ms(WAIT_MS, w->run->stop);
			continue;
		}
		r = http_pool_next(w->pool, more ? 0 : WAIT_MS, &reply, &s,
		    &result);
		if (r == 0)
			answer(w, s, result, &reply);
		http_reply_release(&reply);
		if (r != 0 && r != AAD_EAGAIN)
			return r;
	}
}

static int
prepare(struct work *w)
{
	const struct conf *conf = w->run->conf;
	const struct http_settings set = {
		.ca_file = conf->ca_file,
		.proxy = conf->proxy,
		.user_agent = "aadssh/" AADSSH_VERSION,
		.stop = w->run->stop,
	};
	int r;

	w->parallel = (size_t)conf->parallel;
	if ((r = cache_record_each(w->run->cache, NULL, add_item, w)) != 0)
		return r;
	shuffle(w);
	if (w->t->where == NULL || w->n == 0)
		return 0;
	if ((w->waiting = calloc(w->parallel, sizeof(w->waiting[0]))) == NULL)
		return AAD_ENOMEM;
	if ((r = grant_claims(&conf->require_acrs, &w->claims)) != 0)
		return r;
	return http_pool_new(&set, w->parallel, &w->pool);
}

static enum lastrun_result
result(struct work *w, int r)
{
	const struct lastrun_counts *c = w->run->counts;

	if (r == AAD_EREFUSED)
		return LASTRUN_TOO_MANY_GONE;
	if (r != 0 || w->run->no.why != AAD_R_UNSET)
		return LASTRUN_FAILED;
	if (w->t->where == NULL)
		return w->t->outage ? LASTRUN_OUTAGE : LASTRUN_FAILED;
	if (w->dead || (c->unreachable > 0 && w->answers == 0))
		return LASTRUN_OUTAGE;
	/* The key that opens them is lost, most likely: nobody is asked. */
	if (w->unreadable > 0 && c->checked == 0) {
		refusal_set(&w->run->no, AAD_R_REFRESH_TOKEN, NULL);
		return LASTRUN_FAILED;
	}
	if (w->late && c->unreachable > 0) {
		refusal_set(&w->run->no, AAD_R_UNREACHABLE,
		    "There was no time to ask about every sign-in; raise "
		    "[refresh] check or parallel.");
		return LASTRUN_FAILED;
	}
	return LASTRUN_OK;
}

enum lastrun_result
renew(struct run *run, const struct renew_tools *tools)
{
	struct work w = { .run = run, .t = tools };
	int r;

	if ((r = prepare(&w)) == 0)
		r = walk(&w);
	if (r != 0)
		run_failed(run, r, AAD_R_STATE_UNREADABLE, NULL);
	else if (run_stopped(run))
		refusal_set(&run->no, AAD_R_INTERRUPTED, NULL);
	else
		r = evict(run, w.items, w.n, tools->force);
	http_pool_free(w.pool);
	free(w.waiting);
	free(w.claims);
	free(w.items);
	return result(&w, r);
}
