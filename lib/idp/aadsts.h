/* SPDX-License-Identifier: ISC */

/*
 * aadsts: what an error answer means and what to do about it.  The machine
 * value `error` decides; the AADSTS numbers only choose the reason and the
 * words for errors that stand for many things (invalid_grant and its like).
 * error_description is never read: Microsoft changes it without notice.
 */

#ifndef AAD_AADSTS_H
#define AAD_AADSTS_H

#include <stddef.h>

#include "core/reason.h"
#include "idp/grant.h"

#define AADSTS_DETAIL_MAX 480 /* bytes, with the NUL */

enum aadsts_class {
	AADSTS_OTHER = 0, /* not known: a refusal without a reason */
	AADSTS_PENDING, /* ask again */
	AADSTS_SLOW_DOWN, /* ask again, and from now on less often */
	AADSTS_BUSY, /* the provider is in trouble: ask again later */
	AADSTS_USER, /* the person can cure it */
	AADSTS_ADMIN, /* an administrator of the tenant can */
	AADSTS_DENY, /* the account is disabled or gone */
	AADSTS_CONFIG /* our configuration or the app registration */
};

struct aadsts_verdict {
	enum aadsts_class class;
	enum reason why;
	const char *advice; /* what to do next, one sentence, static */
	long code; /* the AADSTS number that it is about, or 0 */
};

/* What the refusal of a refresh token says about a sign-in. */
enum aadsts_renewal {
	AADSTS_OUTAGE = 0, /* nothing: the provider is in trouble, or the
			    * answer is not one that we know */
	AADSTS_GONE, /* this identity is disabled, deleted or unassigned */
	AADSTS_AGAIN, /* the person has to sign in again */
	AADSTS_POLICY /* a policy or our registration: no renewal, no blame */
};

/* Judge an error answer.  Never a yes, and never AAD_R_UNSET. */
void aadsts_judge(const struct grant_error *e, struct aadsts_verdict *v);

/*
 * The advice and what an administrator needs to find the attempt in the
 * sign-in logs: "Do this. (AADSTS50105, correlation id …)".  Returns out.
 */
const char *aadsts_detail(const struct grant_error *e,
    const struct aadsts_verdict *v, char out[static AADSTS_DETAIL_MAX]);

/*
 * Judge the refusal of a refresh token.  Status 429 and 5xx are an outage,
 * whatever the body says, and so is an error that no standard names.  Else
 * the AADSTS numbers decide, then the suberror, then the error; what none of
 * them knows is an outage.  Of several numbers the mildest counts (outage,
 * policy, again, gone); gone needs them all to say so, and one that is not
 * known makes it again: the record ends, but nothing is held against anyone.
 * An error about our registration or request is never more than policy.
 */
enum aadsts_renewal aadsts_renewal(const struct grant_error *e, long status);

#endif /* AAD_AADSTS_H */
