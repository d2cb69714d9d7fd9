/* SPDX-License-Identifier: ISC */

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <sodium.h>

#include "core/b64.h"
#include "core/strictjson.h"
#include "core/text.h"
#include "token/jws.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

/* Members that would change what is verified, or with which key. */
static const char *const forbidden[] = { "crit", "b64", "jwk", "jku", "x5u",
	"x5c", "zip", "cty", "enc", "epk" };

/* A member that differs from one of these or those in case only is refused:
 * another reader might take it for the other. */
static const char *const known[] = { "alg", "typ", "kid", "nonce" };

/* The two dots of exactly three parts. */
static int
find_dots(const char *token, size_t len, size_t *firstp, size_t *secondp)
{
	const char *a = memchr(token, '.', len), *b;

	if (a == NULL)
		return AAD_EFORMAT;
	b = memchr(a + 1, '.', len - (size_t)(a + 1 - token));
	if (b == NULL ||
	    memchr(b + 1, '.', len - (size_t)(b + 1 - token)) != NULL)
		return AAD_EFORMAT;
	*firstp = (size_t)(a - token);
	*secondp = (size_t)(b - token);
	return 0;
}

static bool
is_among(const char *name, const char *const *list, size_t n, bool twin)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (text_same_fold(name, list[i]) &&
		    !(twin && strcmp(name, list[i]) == 0))
			return true;
	return false;
}

/* Whether every member's name is one that may stand in a header. */
static bool
members_ok(const json_t *o)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)o, name, value)
	{
		if (is_among(name, forbidden, LEN(forbidden), false) ||
		    is_among(name, known, LEN(known), true))
			return false;
	}
	return true;
}

static int
judge_header(const json_t *o, struct jws *j, enum reason *whyp)
{
	const char *alg = json_string_value(json_object_get(o, "alg"));
	const json_t *typ = json_object_get(o, "typ");
	const char *kid = json_string_value(json_object_get(o, "kid"));

	*whyp = AAD_R_TOKEN_ALG;
	if (alg == NULL || strcmp(alg, "RS256") != 0)
		return AAD_EREFUSED;
	*whyp = AAD_R_TOKEN_HEADER;
	if (!members_ok(o) ||
	    (typ != NULL &&
		(!json_is_string(typ) ||
		    !text_same_fold(json_string_value(typ), "JWT"))))
		return AAD_EREFUSED;
	*whyp = AAD_R_TOKEN_GRAPH;
	if (json_object_get(o, "nonce") != NULL)
		return AAD_EREFUSED;
	*whyp = AAD_R_TOKEN_KID;
	if (kid == NULL || !name_kid_ok(kid))
		return AAD_EREFUSED;
	memcpy(j->kid, kid, strlen(kid) + 1);
	return 0;
}

static int
parse_header(const uint8_t *text, size_t len, struct jws *j, enum reason *whyp)
{
	json_t *o;
	int r;

	*whyp = AAD_R_TOKEN_HEADER;
	if (len > JWS_HEADER_MAX)
		return AAD_EREFUSED;
	r = strictjson_load((const char *)text, len, &o);
	if (r != 0)
		return r == AAD_ENOMEM ? r : AAD_EREFUSED;
	if (json_is_object(o))
		r = judge_header(o, j, whyp);
	else
		r = AAD_EREFUSED;
	json_decref(o);
	return r;
}

/* Decode one part; a bad or empty one is TOKEN_FORMAT. */
static int
decode(const char *text, size_t len, uint8_t **outp, size_t *outlenp)
{
	int r = b64_decode(B64_URL, text, len, outp, outlenp);

	if (r == 0 && *outlenp == 0)
		r = AAD_EFORMAT;
	return r == AAD_EFORMAT ? AAD_EREFUSED : r;
}

int
jws_split(const char *token, size_t len, struct jws *j, enum reason *whyp)
{
	uint8_t *header = NULL, *payload = NULL;
	size_t header_len = 0, a, b;
	int r;

	memset(j, 0, sizeof(*j));
	*whyp = AAD_R_TOKEN_SIZE;
	if (len < JWS_TOKEN_MIN || len > JWS_TOKEN_MAX)
		return AAD_EREFUSED;
	*whyp = AAD_R_TOKEN_FORMAT;
	if (memchr(token, '\0', len) != NULL ||
	    find_dots(token, len, &a, &b) != 0)
		return AAD_EREFUSED;
	if ((r = decode(token, a, &header, &header_len)) != 0 ||
	    (r = decode(token + a + 1, b - a - 1, &payload, &j->payload_len)) !=
		0 ||
	    (r = decode(token + b + 1, len - b - 1, &j->sig, &j->sig_len)) != 0)
		goto out;
	if (j->sig_len > JWS_SIG_MAX) {
		r = AAD_EREFUSED;
		goto out;
	}
	if ((r = parse_header(header, header_len, j, whyp)) != 0)
		goto out;
	j->token = token;
	j->token_len = len;
	j->signed_len = b;
	j->payload = (char *)payload;
	payload = NULL; /* now j's */
out:
	free(header);
	free(payload);
	if (r != 0)
		jws_release(j);
	return r;
}

void
jws_release(struct jws *j)
{
	if (j->payload != NULL)
		sodium_memzero(j->payload, j->payload_len);
	free(j->payload);
	free(j->sig);
	memset(j, 0, sizeof(*j));
}
