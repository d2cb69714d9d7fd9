/* SPDX-License-Identifier: ISC */

/*
 * jwks: the tenant keys.  From the provider comes a JWK set (RFC 7517); what
 * is kept, in memory and on disk, is stripped to what a verifier needs, with
 * the issuer it belongs to and the time our clock fetched it.
 */

#ifndef AAD_JWKS_H
#define AAD_JWKS_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/name.h"

#define JWKS_REPLY_MAX 524288 /* bytes of a provider's answer */
#define JWKS_FILE_MAX  262144 /* bytes of keys.json */
#define JWKS_KEYS_MAX  64 /* Entra publishes 5 to 10 */
#define JWKS_RSA_MIN   2048 /* bits */
#define JWKS_RSA_MAX   4096 /* bits */
#define JWKS_E_MAX     8 /* bytes; OpenSSL's bound for keys over 3072 bits */

struct jwk {
	char kid[NAME_KID_MAX + 1];
	uint8_t *n; /* big endian, no leading zero byte */
	size_t n_len;
	uint8_t *e;
	size_t e_len;
};

struct jwks {
	char *issuer; /* exactly what iss must be */
	int64_t fetched_at; /* Unix seconds, our clock */
	struct jwk *keys;
	size_t n;
};

/*
 * Strip a provider's answer.  Kept are RSA keys with use absent or "sig",
 * alg absent or "RS256", no private member, a sound kid, n and e (whether
 * they make a sound key is judged when it is used), whose own issuer, if it
 * names one, is exactly issuer or becomes it when "{tenantid}" is replaced
 * by tenant.  Others are skipped, key_ops and x5c not read.
 * A kid that stands twice, or a set with no key left, is an error.
 *
 * text: len bytes with a NUL behind them; untrusted.
 * *outp: NULL unless 0 is returned; then the caller frees it.
 * Returns 0; AAD_ETOOBIG; AAD_EFORMAT; AAD_ENOMEM.
 */
int jwks_strip(const char *text, size_t len, const char *issuer,
    const char *tenant, int64_t fetched_at, struct jwks **outp) AAD_MUST_CHECK;

/*
 * Our own form, docs/formats.md "Tenant keys": what jwks_format() wrote, one
 * line of JSON for the set and one for each key.
 *
 * only: a kid; the other keys' lines are looked at, not parsed, and *outp
 * has that key or none.  A JSON parser takes a key character by character,
 * and the hook needs one.  NULL: all.
 * Returns 0; AAD_EVERSION; AAD_ETOOBIG; AAD_EFORMAT; AAD_ENOMEM.
 */
int jwks_parse(const char *text, size_t len, const char *only,
    struct jwks **outp) AAD_MUST_CHECK;

/* The text to keep; the caller frees it.  Returns 0 or AAD_ENOMEM. */
int jwks_format(const struct jwks *s, char **outp, size_t *lenp) AAD_MUST_CHECK;

/* The key of this kid, or NULL.  Borrowed from s. */
const struct jwk *jwks_find(const struct jwks *s, const char *kid);

void jwks_free(struct jwks *s);

#endif /* AAD_JWKS_H */
