/* SPDX-License-Identifier: ISC */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/aadssh/signin.h"
#include "cmd/aadssh/tenantkeys.h"
#include "cmd/cli/clock.h"
#include "idp/device.h"
#include "token/token.h"
#include "token/verify.h"

#define SKEW_S 30 /* seconds between two clocks worth a word */

/* One sign-in under way. */
struct flow {
	const struct signin_tools *t;
	struct jwks **keysp;
	struct signin *out;
	struct refusal *no;
	struct discovery *where;
	struct device device;
	struct device_poll poll;
	bool trouble; /* the last poll got no useful answer */
	int64_t ahead; /* seconds that the provider's clock is ahead of ours */
};

static bool
stopped(const struct flow *f)
{
	return f->t->stop != NULL && *f->t->stop != 0;
}

static int
refuse(struct flow *f, enum reason why, const char *detail)
{
	refusal_set(f->no, why, detail);
	return AAD_EREFUSED;
}

static int
fetch_keys(struct flow *f)
{
	struct jwks *keys = NULL;
	int r;

	if ((r = tenantkeys_fetch(f->t->http, f->t->conf, f->where, f->t->stop,
		 clock_now(), &keys, f->no)) != 0)
		return r;
	jwks_free(*f->keysp);
	*f->keysp = keys;
	f->out->keys_changed = true;
	return 0;
}

/* Where to ask, and keys to judge the answer by, before anybody types. */
static int
prepare(struct flow *f)
{
	const struct signin_tools *t = f->t;
	int r;

	if ((r = tenantkeys_discover(t->http, t->conf, t->stop, &f->where,
		 f->no)) != 0)
		return r;
	if (!tenantkeys_due(*f->keysp, t->conf, clock_now()))
		return 0;
	return fetch_keys(f);
}

/* Ask for a code and show it. */
static int
start(struct flow *f)
{
	const struct conf *conf = f->t->conf;
	const char *form[GRANT_FORM_MAX], *why;
	struct http_reply reply = { 0 };
	char *claims = NULL;
	int r = AAD_EINTERNAL;

	if ((r = grant_claims(&conf->require_acrs, &claims)) != 0)
		return refuse(f,
		    r == AAD_ENOMEM ? AAD_R_NO_MEMORY : AAD_R_CONFIG,
		    "[idp] require_acrs is too long.");
	grant_form_start(form, conf->client_id, conf->scope, claims);
	if ((r = exchange(f->t->http, f->t->stop, f->where->device_endpoint,
		 form, DEVICE_REPLY_MAX, "a code", &reply, f->no)) != 0)
		goto out;
	if ((r = device_parse(reply.body, reply.len, conf->authority,
		 conf->cloud != NULL, &f->device, &why)) != 0) {
		r = refuse(f,
		    r == AAD_ENOMEM ? AAD_R_NO_MEMORY : AAD_R_PROVIDER, why);
		goto out;
	}
	device_begin(&f->poll, &f->device, clock_mono_ms());
	f->t->ui->code(f->t->ui, &f->device);
out:
	http_reply_release(&reply);
	free(claims);
	return r;
}

/* Wait, showing the time left.  AAD_EREFUSED when the person gave up. */
static int
pause_for(struct flow *f, int64_t ms)
{
	int64_t now = clock_mono_ms(), end = now + ms, slice;

	while (now < end && !stopped(f)) {
		slice = end - now < UI_TICK_MS ? end - now : UI_TICK_MS;
		clock_sleep_ms(slice, f->t->stop);
		now = clock_mono_ms();
		f->t->ui->wait(f->t->ui, device_left(&f->poll, now));
	}
	return stopped(f) ? refuse(f, AAD_R_INTERRUPTED, NULL) : 0;
}

/* Words for an answer that is no token; device_next() judges it. */
static void
describe(struct flow *f, const struct http_reply *http,
    const struct grant_reply *reply)
{
	char status[64];

	if (reply->kind == GRANT_ERROR) {
		refusal_of_error(f->no, &reply->error, http->status);
	} else if (http->status == 200) {
		refusal_set(f->no, AAD_R_PROVIDER, reply->why);
	} else {
		snprintf(status, sizeof(status),
		    "The provider's last answer was HTTP %ld.", http->status);
		refusal_set(f->no, AAD_R_PROVIDER, status);
	}
}

/* Ask once for the tokens.  *no holds the words if it ends here. */
static struct device_answer
ask(struct flow *f, struct grant_reply *reply)
{
	struct device_answer a = { DEVICE_REFUSED, 0, AAD_R_UNSET };
	const char *form[GRANT_FORM_MAX];
	struct http_reply http = { 0 };
	int r;

	grant_form_poll(form, f->t->conf->client_id, f->device.code);
	r = http_post_form(f->t->http, f->where->token_endpoint, form,
	    GRANT_REPLY_MAX, &http);
	if (r == 0)
		r = grant_reply_parse(http.status, http.body, http.len, reply);
	if (r == 0) {
		a = device_judge(http.status, http.retry_after, reply);
		describe(f, &http, reply);
		f->ahead = http.date < 0 ? 0 : http.date - clock_now();
	} else {
		refusal_of_http(f->no, r, &http, "the token", stopped(f));
		a.why = f->no->why;
		if (a.why == AAD_R_UNREACHABLE)
			a.event = DEVICE_NETWORK;
	}
	http_reply_release(&http);
	return a;
}

/* Say once that the provider is in trouble, not at every poll. */
static void
tell_trouble(struct flow *f, const struct device_answer *a)
{
	bool now = a->event == DEVICE_NETWORK || a->event == DEVICE_BUSY;

	if (now && !f->trouble)
		f->t->ui->note(f->t->ui,
		    a->event == DEVICE_NETWORK
			? "Azure AD cannot be reached just now; still trying."
			: "Azure AD is busy just now; still trying.");
	f->trouble = now;
}

/* Ask until there are tokens or there is no use. */
static int
poll_tokens(struct flow *f, struct grant_reply *reply)
{
	struct device_answer a = { DEVICE_STARTED, 0, AAD_R_UNSET };
	enum reason why;
	int64_t ms;
	int r;

	while ((r = device_next(&f->poll, &a, clock_mono_ms(), &ms, &why)) ==
	       0) {
		tell_trouble(f, &a);
		if ((r = pause_for(f, ms)) != 0)
			return r;
		grant_reply_release(reply);
		a = ask(f, reply);
	}
	if (r == AAD_EEXIST)
		return 0;
	/* The words are of the last answer; one that only said "not yet" has
	 * nothing to add. */
	if (a.event != DEVICE_REFUSED && a.event != DEVICE_BUSY &&
	    a.event != DEVICE_NETWORK)
		f->no->detail[0] = '\0';
	f->no->why = why;
	return AAD_EREFUSED;
}

static int
judge(struct flow *f, const struct grant_reply *reply, enum reason *whyp)
{
	const struct conf *conf = f->t->conf;
	const struct token_expect want = {
		.issuer = conf->issuer,
		.audience = conf->client_id,
		.tenant = conf->tenant,
		.now = f->out->at,
		.grace = 0,
		.oracles = { verify_jwt, verify_nettle },
		.noracles = 2,
	};

	return token_judge(reply->id_token, reply->id_token_len, *f->keysp,
	    &want, &f->out->claims, NULL, whyp);
}

/* A kid may be new, but asking for it must not become a habit. */
static bool
may_refetch(const struct flow *f)
{
	int64_t fetched = (*f->keysp)->fetched_at;

	return fetched > f->out->at || f->out->at - fetched >= SIGNIN_REFETCH;
}

static int
refuse_token(struct flow *f, enum reason why)
{
	char detail[128] = "";

	if ((why == AAD_R_TOKEN_NOT_YET || why == AAD_R_TOKEN_EXPIRED) &&
	    (f->ahead > SKEW_S || f->ahead < -SKEW_S))
		snprintf(detail, sizeof(detail),
		    "This host's clock is %" PRId64
		    " s %s the provider's; set it right.",
		    f->ahead > 0 ? f->ahead : -f->ahead,
		    f->ahead > 0 ? "behind" : "ahead of");
	return refuse(f, why, detail);
}

/* Both oracles, and every claim that does not depend on policy. */
static int
verify(struct flow *f, struct grant_reply *reply)
{
	enum reason why = AAD_R_UNSET;
	int r;

	f->out->at = clock_now();
	r = judge(f, reply, &why);
	if (r == AAD_EREFUSED && why == AAD_R_UNKNOWN_KID && may_refetch(f)) {
		if ((r = fetch_keys(f)) != 0)
			return r;
		r = judge(f, reply, &why);
	}
	if (r == AAD_EREFUSED)
		return refuse_token(f, why);
	if (r != 0)
		return refuse(f,
		    r == AAD_ENOMEM ? AAD_R_NO_MEMORY : AAD_R_UNSET, NULL);
	f->out->id_token = reply->id_token;
	f->out->id_token_len = reply->id_token_len;
	f->out->refresh_token = reply->refresh_token;
	f->out->refresh_token_len = reply->refresh_token_len;
	reply->id_token = reply->refresh_token = NULL; /* now the caller's */
	return 0;
}

int
signin(const struct signin_tools *t, struct jwks **keysp, struct signin *out,
    struct refusal *no)
{
	struct flow f = { .t = t, .keysp = keysp, .out = out, .no = no };
	struct grant_reply reply = { 0 };
	bool changed;
	int r = AAD_EINTERNAL;

	memset(out, 0, sizeof(*out));
	refusal_set(no, AAD_R_UNSET, NULL);
	if ((r = prepare(&f)) != 0 || (r = start(&f)) != 0 ||
	    (r = poll_tokens(&f, &reply)) != 0 || (r = verify(&f, &reply)) != 0)
		goto out;
	refusal_set(no, AAD_R_UNSET, NULL);
out:
	t->ui->end(t->ui);
	if (r != 0) {
		changed = out->keys_changed;
		signin_release(out);
		out->keys_changed = changed;
	}
	grant_reply_release(&reply);
	device_release(&f.device);
	discovery_free(f.where);
	return r;
}

void
signin_release(struct signin *s)
{
	if (s == NULL)
		return;
	if (s->id_token != NULL)
		explicit_bzero(s->id_token, s->id_token_len);
	free(s->id_token);
	if (s->refresh_token != NULL)
		explicit_bzero(s->refresh_token, s->refresh_token_len);
	free(s->refresh_token);
	claims_free(s->claims);
	memset(s, 0, sizeof(*s));
}
