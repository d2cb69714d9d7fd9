/* SPDX-License-Identifier: ISC */

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "idp/aadsts.h"
#include "idp/device.h"
#include "idp/reply.h"

#define LIFE_ASKED_MAX INT64_C(31536000) /* a year: more is no lifetime */
#define MS	       1000

static bool
printable(const char *s)
{
	for (; *s != '\0'; s++)
		if (*s <= ' ' || *s > '~')
			return false;
	return true;
}

static int
take_strings(const json_t *o, const char *authority, bool microsoft,
    struct device *d, const char **whyp)
{
	const char *code = json_string_value(json_object_get(o, "device_code"));
	const char *user = json_string_value(json_object_get(o, "user_code"));
	const char *url = json_string_value(json_object_get(o,
	    "verification_uri"));

	if (code == NULL || code[0] == '\0' || strlen(code) > DEVICE_CODE_MAX) {
		*whyp = "The provider's answer has no usable device_code.";
		return AAD_EREFUSED;
	}
	if (user == NULL || user[0] == '\0' ||
	    strlen(user) > DEVICE_USER_CODE_MAX || !printable(user)) {
		*whyp = "The provider's answer has no usable user_code.";
		return AAD_EREFUSED;
	}
	if (url == NULL || !cloud_page_ok(authority, microsoft, url)) {
		*whyp = "The provider's answer sends people to an address that "
			"is not its own; it is not shown.";
		return AAD_EREFUSED;
	}
	strcpy(d->user_code, user);
	strcpy(d->url, url);
	return (d->code = strdup(code)) == NULL ? AAD_ENOMEM : 0;
}

static int
take_numbers(const json_t *o, struct device *d, const char **whyp)
{
	int r;

	if (reply_number(o, "expires_in", 1, LIFE_ASKED_MAX, &d->life) != 0) {
		*whyp = "The provider's answer has no usable expires_in.";
		return AAD_EREFUSED;
	}
	if (d->life > DEVICE_LIFE_MAX)
		d->life = DEVICE_LIFE_MAX;
	d->interval = DEVICE_INTERVAL;
	r = reply_number(o, "interval", 0, DEVICE_INTERVAL_MAX, &d->interval);
	if (r != 0 && r != AAD_ENOENT) {
		*whyp = "The provider's answer has no usable interval.";
		return AAD_EREFUSED;
	}
	if (d->interval == 0)
		d->interval = 1;
	return 0;
}

int
device_parse(const char *text, size_t len, const char *authority,
    bool microsoft, struct device *d, const char **whyp)
{
	json_t *o = NULL;
	int r = AAD_EINTERNAL;

	memset(d, 0, sizeof(*d));
	*whyp = "The provider's answer is not a JSON object.";
	if (len > DEVICE_REPLY_MAX) {
		*whyp = "The provider's answer is too long.";
		return AAD_EREFUSED;
	}
	if ((r = reply_load(text, len, &o)) != 0) {
		r = r == AAD_ENOMEM ? r : AAD_EREFUSED;
		goto out;
	}
	if ((r = take_strings(o, authority, microsoft, d, whyp)) != 0 ||
	    (r = take_numbers(o, d, whyp)) != 0)
		goto out;
	*whyp = NULL;
out:
	if (r != 0)
		device_release(d);
	json_decref(o);
	return r;
}

void
device_release(struct device *d)
{
	if (d == NULL)
		return;
	if (d->code != NULL)
		explicit_bzero(d->code, strlen(d->code));
	free(d->code);
	memset(d, 0, sizeof(*d));
}

/* Whether an error answer says nothing but that the provider is in trouble. */
static bool
judge_error(const struct grant_error *e, struct device_answer *a)
{
	struct aadsts_verdict v;

	aadsts_judge(e, &v);
	a->why = v.why;
	switch (v.class) {
	case AADSTS_PENDING:
		a->event = DEVICE_PENDING;
		break;
	case AADSTS_SLOW_DOWN:
		a->event = DEVICE_SLOW_DOWN;
		break;
	case AADSTS_BUSY:
		a->event = DEVICE_BUSY;
		break;
	default:
		break;
	}
	return v.class == AADSTS_OTHER && v.why == AAD_R_PROVIDER;
}

struct device_answer
device_judge(long status, int64_t retry_after, const struct grant_reply *reply)
{
	struct device_answer a = { DEVICE_REFUSED, retry_after,
		AAD_R_PROVIDER };
	bool vague = reply->kind == GRANT_JUNK;

	if (reply->kind == GRANT_TOKEN)
		a.event = DEVICE_DONE;
	else if (reply->kind == GRANT_ERROR)
		vague = judge_error(&reply->error, &a);
	if (vague && (status == 429 || status >= 500 || retry_after > 0))
		a.event = DEVICE_BUSY;
	if (a.event == DEVICE_BUSY && status == 429)
		a.why = AAD_R_THROTTLED;
	return a;
}

void
device_begin(struct device_poll *p, const struct device *d, int64_t mono_ms)
{
	p->deadline_ms = mono_ms + d->life * MS;
	p->interval_ms = d->interval * MS;
	p->backoff_ms = 0;
	p->trouble = AAD_R_SIGNIN_EXPIRED;
}

/* The pause that this answer asks for. */
static int64_t
pause_ms(struct device_poll *p, const struct device_answer *a)
{
	int64_t ms = p->interval_ms, asked = a->retry_after;

	if (a->event == DEVICE_NETWORK) {
		p->backoff_ms = p->backoff_ms == 0 ? ms : 2 * p->backoff_ms;
		if (p->backoff_ms > DEVICE_BACKOFF_MAX * MS)
			p->backoff_ms = DEVICE_BACKOFF_MAX * MS;
		if (ms < p->backoff_ms)
			ms = p->backoff_ms;
	} else {
		p->backoff_ms = 0;
	}
	if (asked > DEVICE_PAUSE_MAX)
		asked = DEVICE_PAUSE_MAX;
	return ms < asked * MS ? asked * MS : ms;
}

int
device_next(struct device_poll *p, const struct device_answer *a,
    int64_t mono_ms, int64_t *wait_msp, enum reason *whyp)
{
	int64_t ms, left = p->deadline_ms - mono_ms;

	*wait_msp = 0;
	*whyp = AAD_R_UNSET;
	switch (a->event) {
	case DEVICE_DONE:
		return AAD_EEXIST;
	case DEVICE_REFUSED:
		*whyp = a->why;
		return AAD_EREFUSED;
	case DEVICE_SLOW_DOWN:
		p->interval_ms += DEVICE_INTERVAL * MS;
		p->trouble = AAD_R_SIGNIN_EXPIRED;
		break;
	case DEVICE_BUSY:
	case DEVICE_NETWORK:
		p->trouble = a->why;
		break;
	case DEVICE_STARTED:
	case DEVICE_PENDING:
		p->trouble = AAD_R_SIGNIN_EXPIRED;
		break;
	}
	ms = pause_ms(p, a);
	if (a->event == DEVICE_NETWORK && left <= ms)
		ms = p->interval_ms; /* one more try */
	if (left <= ms) {
		/* The code would be dead by then: no use in waiting. */
		*whyp = p->trouble;
		return AAD_EREFUSED;
	}
	*wait_msp = ms;
	return 0;
}

int64_t
device_left(const struct device_poll *p, int64_t mono_ms)
{
	return mono_ms < p->deadline_ms ? (p->deadline_ms - mono_ms) / MS : 0;
}
