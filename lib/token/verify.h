/* SPDX-License-Identifier: ISC */

/*
 * verify: the signature oracle, one function, two implementations that
 * share no code: libjwt (verify_jwt.c) where tokens enter, nettle
 * (verify_nettle.c) where they open a door.  Both must accept the same set.
 */

#ifndef AAD_VERIFY_H
#define AAD_VERIFY_H

#include "core/err.h"
#include "token/jwks.h"
#include "token/jws.h"

/*
 * RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518 s.3.3) over what jws_split()
 * took apart.  The key is judged too: JWKS_RSA_MIN..JWKS_RSA_MAX bits, odd
 * modulus, odd exponent >= 3 of JWKS_E_MAX, no leading zero byte, signature
 * exactly as long as the modulus.
 *
 * Returns 0 for a good signature and nothing else; AAD_ESIG for a bad one;
 * AAD_EPERM when the key is unsound or NULL; AAD_ENOMEM.  NB. libjwt parses
 * the payload before it verifies: one that is no JSON object or array is
 * AAD_ESIG there, good signature or not, and so is lack of memory inside
 * libjwt where neither it nor jansson tells.
 */
typedef int verify_fn(const struct jwk *key, const struct jws *j);

verify_fn verify_jwt AAD_MUST_CHECK;
verify_fn verify_nettle AAD_MUST_CHECK;

#endif /* AAD_VERIFY_H */
