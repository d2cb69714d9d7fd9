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

/* Judge an error answer.  Never a yes, and never AAD_R_UNSET. */
void aadsts_judge(const struct grant_error *e, struct aadsts_verdict *v);

/*
 * The advice and what an administrator needs to find the attempt in the
 * sign-in logs: "Do this. (AADSTS50105, correlation id …)".  Returns out.
 */
const char *aadsts_detail(const struct grant_error *e,
    const struct aadsts_verdict *v, char out[static AADSTS_DETAIL_MAX]);

#endif /* AAD_AADSTS_H */
