/* SPDX-License-Identifier: ISC */

#include <stdbool.h>
#include <string.h>

#include "token/token.h"

/* Every oracle must say yes to the same key and bytes. */
static int
verify(const struct jws *j, const struct jwks *keys,
    const struct token_expect *want, enum reason *whyp)
{
	const struct jwk *key = jwks_find(keys, j->kid);
	size_t i;
	int r;

	*whyp = AAD_R_UNKNOWN_KID;
	if (key == NULL)
		return AAD_EREFUSED;
	for (i = 0; i < want->noracles; i++) {
		r = want->oracles[i](key, j);
		if (r == 0)
			continue;
		*whyp = r == AAD_EPERM ? AAD_R_TENANT_KEY_UNSOUND
				       : AAD_R_TOKEN_SIGNATURE;
		if (r == AAD_EPERM || r == AAD_ESIG)
			return AAD_EREFUSED;
		return r == AAD_ENOMEM ? r : AAD_EINTERNAL;
	}
	return 0;
}

/* An id token of Entra has no azp; what has one was asked for by that one. */
static bool
asked_by(const struct claims *c, const struct token_expect *want)
{
	const char *client = want->client != NULL ? want->client
						  : want->audience;

	return c->azp == NULL || strcmp(c->azp, client) == 0;
}

/* Who issued it, for whom, when; ALLOWED when all is as wanted. */
static enum reason
judge(const struct claims *c, const struct token_expect *want)
{
	/* Graph's first, for its own sentence: nothing else of it fits. */
	if (strcmp(c->aud, TOKEN_GRAPH_AUD) == 0)
		return AAD_R_TOKEN_GRAPH;
	if (strcmp(c->ver, "2.0") != 0)
		return AAD_R_TOKEN_VERSION;
	if (strcmp(c->iss, want->issuer) != 0)
		return AAD_R_TOKEN_ISSUER;
	if (strcmp(c->tid, want->tenant) != 0)
		return AAD_R_TOKEN_TENANT;
	if (strcmp(c->aud, want->audience) != 0 || !asked_by(c, want))
		return AAD_R_TOKEN_AUDIENCE;
	/* NB. no number here is negative, so no difference overflows. */
	if (c->iat - TOKEN_SKEW > want->now || c->nbf - TOKEN_SKEW > want->now)
		return AAD_R_TOKEN_NOT_YET;
	if (c->exp <= want->now - want->grace)
		return AAD_R_TOKEN_EXPIRED;
	return AAD_R_ALLOWED;
}

int
token_judge_split(const struct jws *j, const struct jwks *keys,
    const struct token_expect *want, struct claims **outp,
    struct claims **latep, enum reason *whyp)
{
	struct claims *c = NULL;
	int r;

	*outp = NULL;
	if (latep != NULL)
		*latep = NULL;
	*whyp = AAD_R_UNSET;
	if (want->noracles < 1 || want->noracles > TOKEN_ORACLES_MAX ||
	    want->now < 0 || want->grace < 0)
		return AAD_EARG;
	if (strcmp(keys->issuer, want->issuer) != 0) {
		*whyp = AAD_R_TENANT_KEYS_FOREIGN;
		return AAD_EREFUSED;
	}
	if ((r = verify(j, keys, want, whyp)) != 0)
		return r;
	if ((r = claims_parse(j->payload, j->payload_len, &c)) != 0) {
		*whyp = AAD_R_TOKEN_CLAIMS;
		return r == AAD_ENOMEM ? r : AAD_EREFUSED;
	}
	*whyp = judge(c, want);
	if (*whyp == AAD_R_ALLOWED) {
		*outp = c;
		return 0;
	}
	if (*whyp == AAD_R_TOKEN_EXPIRED && latep != NULL)
		*latep = c; /* now the caller's */
	else
		claims_free(c);
	return AAD_EREFUSED;
}

int
token_judge(const char *token, size_t len, const struct jwks *keys,
    const struct token_expect *want, struct claims **outp,
    struct claims **latep, enum reason *whyp)
{
	struct jws j;
	int r;

	*outp = NULL;
	if (latep != NULL)
		*latep = NULL;
	if ((r = jws_split(token, len, &j, whyp)) != 0)
		return r;
	r = token_judge_split(&j, keys, want, outp, latep, whyp);
	jws_release(&j);
	return r;
}
