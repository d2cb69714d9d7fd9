/* SPDX-License-Identifier: ISC */

/*
 * token: everything about one id token, in order: guard, key, signature,
 * claims.  The only way from a token's text to its claims, shared by host
 * and certificate authority.
 */

#ifndef AAD_TOKEN_H
#define AAD_TOKEN_H

#include <stdint.h>

#include "core/err.h"
#include "core/reason.h"
#include "token/claims.h"
#include "token/jwks.h"
#include "token/verify.h"

#define TOKEN_SKEW	  60 /* seconds that nbf, iat may be ahead of us */
#define TOKEN_ORACLES_MAX 2
#define TOKEN_GRAPH_AUD	  "00000003-0000-0000-c000-000000000000"

/* What the token must be.  Strings borrowed, required but for client. */
struct token_expect {
	const char *issuer;
	const char *audience; /* client_id, lower-case GUID */
	const char *client; /* azp, where the token has one; NULL: audience */
	const char *tenant; /* lower-case GUID */
	int64_t now; /* Unix seconds, >= 0 */
	int64_t grace; /* seconds added to exp, >= 0; 0 almost always */
	verify_fn *oracles[TOKEN_ORACLES_MAX]; /* every one must say yes */
	size_t noracles; /* at least one */
};

/*
 * Judge a token: keys of this issuer, the guard, the key by its kid, every
 * oracle, the claims' form; then a Graph audience, ver, iss, tid, aud, azp
 * (OIDC Core s.3.1.3.7: an access token that another application holds for
 * ours has our aud and its own azp), nbf and iat (at most TOKEN_SKEW ahead),
 * exp.  NB. exp is judged last, so that *whyp is TOKEN_EXPIRED only for a
 * token that was good.
 *
 * token: len bytes with a NUL behind them.
 * *outp: NULL unless 0 is returned; then the caller frees it.  When the only
 * fault is TOKEN_EXPIRED, *latep (may be NULL) gets the claims instead, so
 * that a log can say whose token it was; else NULL.
 * *whyp: for AAD_EREFUSED one of the TOKEN_* reasons, UNKNOWN_KID,
 * TENANT_KEY_UNSOUND or TENANT_KEYS_FOREIGN; ALLOWED for 0; else UNSET or
 * how far it came.
 * Returns 0; AAD_EREFUSED; AAD_EARG without oracle or with a negative
 * time; AAD_ENOMEM.
 */
int token_judge(const char *token, size_t len, const struct jwks *keys,
    const struct token_expect *want, struct claims **outp,
    struct claims **latep, enum reason *whyp) AAD_MUST_CHECK;

/*
 * The same of a token that jws_split() took apart, for who must know its kid
 * before the keys are loaded.
 */
int token_judge_split(const struct jws *j, const struct jwks *keys,
    const struct token_expect *want, struct claims **outp,
    struct claims **latep, enum reason *whyp) AAD_MUST_CHECK;

#endif /* AAD_TOKEN_H */
