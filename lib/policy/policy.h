/* SPDX-License-Identifier: ISC */

/*
 * policy: may this identity be this login?  Pure: facts in, verdict and
 * reason out; no file, no clock, no name look-up.
 */

#ifndef AAD_POLICY_H
#define AAD_POLICY_H

#include <stdint.h>

#include "core/reason.h"
#include "policy/rules.h"
#include "token/claims.h"

#define POLICY_UID_UNJUDGED ((int64_t)-1)

enum verdict {
	DENY = 0,
	ALLOW = 1
};

struct policy_answer {
	enum verdict verdict;
	enum reason reason; /* ALLOWED, or why not */
	char rule[240]; /* the rule or claim that decided, for explain */
	unsigned int line; /* in the configuration; 0: no one line */
};

/*
 * c: claims of a token that token_judge() accepted.
 * login: name_login_ok(), judged again here.
 * uid: of the account, POLICY_UID_UNJUDGED when not known or not asked.
 * A login with a [login] section: one of its allow rules must match; group
 * rules against unknown groups deny with GROUPS_UNKNOWN unless another rule
 * allows.  Any other login: not never, uid >= min_uid, no guest mark (idp
 * not iss, acct not 0, "#EXT#"), the UPN's domain (ASCII-folded) listed and
 * its local part the login byte for byte, one require rule met.  acrs always.
 */
struct policy_answer policy_decide(const struct claims *c, const char *login,
    int64_t uid, const struct rules *r);

#endif /* AAD_POLICY_H */
