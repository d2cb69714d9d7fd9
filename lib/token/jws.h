/* SPDX-License-Identifier: ISC */

/*
 * jws: the guard.  A compact JWS (RFC 7515 s.3.1) is taken apart and its
 * header judged before any verifier sees it; whoever verifies it and whoever
 * reads its payload work on these bytes only.
 */

#ifndef AAD_JWS_H
#define AAD_JWS_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/name.h"
#include "core/reason.h"

#define JWS_TOKEN_MIN  16
#define JWS_TOKEN_MAX  65536 /* bytes; 200 groups make about 12 kB */
#define JWS_HEADER_MAX 4096 /* decoded bytes; Entra's has about 100 */
#define JWS_SIG_MAX    512 /* bytes: RSA-4096 */

/* A plain record.  jws_release() frees what it holds. */
struct jws {
	const char *token; /* borrowed, NUL-terminated */
	size_t token_len; /* bytes */
	size_t signed_len; /* the signed bytes are token[0..signed_len) */
	char kid[NAME_KID_MAX + 1];
	char *payload; /* decoded, heap, a NUL behind it */
	size_t payload_len;
	uint8_t *sig; /* decoded, heap */
	size_t sig_len;
};

/*
 * Size, exactly three parts, strict base64url, a JSON object without
 * duplicate members as header; alg exactly "RS256"; typ absent or "JWT"
 * (case-insensitive); none of crit b64 jwk jku x5u x5c zip cty enc epk and
 * none of these names in another case; no nonce (only tokens for Microsoft
 * Graph and its like have one, signed over other bytes than they show);
 * kid a string of NAME_KID_MAX.  x5t is tolerated and never read.
 *
 * token: len bytes with a NUL behind them; borrowed as long as *j lives.
 * *j: zero unless 0 is returned.  *whyp for AAD_EREFUSED: TOKEN_SIZE,
 * TOKEN_FORMAT, TOKEN_HEADER, TOKEN_ALG, TOKEN_GRAPH, TOKEN_KID.
 * Returns 0; AAD_EREFUSED; AAD_ENOMEM.
 */
int jws_split(const char *token, size_t len, struct jws *j,
    enum reason *whyp) AAD_MUST_CHECK;

void jws_release(struct jws *j);

#endif /* AAD_JWS_H */
