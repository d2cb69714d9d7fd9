/* SPDX-License-Identifier: ISC */

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cmd/aadssh/exchange.h"

void
refusal_set(struct refusal *no, enum reason why, const char *detail)
{
	no->why = why;
	snprintf(no->detail, sizeof(no->detail), "%s",
	    detail == NULL ? "" : detail);
}

void
refusal_of_error(struct refusal *no, const struct grant_error *e, long status)
{
	struct aadsts_verdict v;

	aadsts_judge(e, &v);
	no->why = status == 429 ? AAD_R_THROTTLED : v.why;
	aadsts_detail(e, &v, no->detail);
}

void
refusal_of_http(struct refusal *no, int r, const struct http_reply *reply,
    const char *what, bool stopped)
{
	if (stopped) {
		refusal_set(no, AAD_R_INTERRUPTED, NULL);
	} else if (r == AAD_ENET) {
		no->why = AAD_R_UNREACHABLE;
		snprintf(no->detail, sizeof(no->detail),
		    "Asking for %s failed: %s", what, reply->error);
	} else if (r == AAD_ETOOBIG) {
		no->why = AAD_R_PROVIDER;
		snprintf(no->detail, sizeof(no->detail),
		    "The provider's answer about %s is too long.", what);
	} else {
		refusal_set(no, r == AAD_ENOMEM ? AAD_R_NO_MEMORY : AAD_R_UNSET,
		    NULL);
	}
}

/* An answer that is neither a success nor an error in the standard's form. */
static void
refusal_of_status(struct refusal *no, const struct http_reply *reply,
    const char *what)
{
	no->why = reply->status == 429 ? AAD_R_THROTTLED : AAD_R_PROVIDER;
	snprintf(no->detail, sizeof(no->detail),
	    "The provider answered HTTP %ld when asked for %s%s.",
	    reply->status, what,
	    reply->status >= 300 && reply->status < 400
		? "; redirects are not followed"
		: "");
}

int
exchange(struct http *http, const volatile sig_atomic_t *stop, const char *url,
    const char *const *form, size_t cap, const char *what,
    struct http_reply *reply, struct refusal *no)
{
	struct grant_error e;
	int r;

	refusal_set(no, AAD_R_UNSET, NULL);
	r = form == NULL ? http_get(http, url, cap, reply)
			 : http_post_form(http, url, form, cap, reply);
	if (r != 0) {
		refusal_of_http(no, r, reply, what, stop != NULL && *stop != 0);
		return AAD_EREFUSED;
	}
	r = grant_error_parse(reply->body, reply->len, &e);
	if (r == 0) {
		refusal_of_error(no, &e, reply->status);
		return AAD_EREFUSED;
	}
	if (r == AAD_ENOMEM) {
		refusal_set(no, AAD_R_NO_MEMORY, NULL);
		return AAD_EREFUSED;
	}
	if (reply->status != 200) {
		refusal_of_status(no, reply, what);
		return AAD_EREFUSED;
	}
	return 0;
}
