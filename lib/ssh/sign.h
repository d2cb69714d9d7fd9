/* SPDX-License-Identifier: ISC */

/*
 * sign: raw signatures in SSH's form, a blob of (string algorithm, string
 * signature).  Made here with Ed25519 only; checked for every type of key
 * that can be an authority.  Sources: RFC 8709 s.6, RFC 8332 s.3, RFC 5656
 * s.3.1.2, OpenSSH PROTOCOL.u2f.
 */

#ifndef AAD_SIGN_H
#define AAD_SIGN_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/secret.h"
#include "ssh/key.h"

#define SIGN_MAX 4096 /* bytes of a signature blob; RSA-16384 has 2.1 kB */

/*
 * secret: 64 bytes of crypto_sign(3): seed and public key.
 * *sigp: NULL unless 0 is returned; then the caller frees it.
 * Returns 0; AAD_EARG for another length; AAD_ENOMEM.
 */
int sign_ed25519(struct secret *secret, const uint8_t *data, size_t len,
    uint8_t **sigp, size_t *siglenp) AAD_MUST_CHECK;

/*
 * Check a signature blob over len bytes.  The algorithm must be the key's
 * own; of RSA only rsa-sha2-256 and rsa-sha2-512 (never SHA-1), the signature
 * as long as the modulus; of ECDSA the hash that belongs to the curve; of a
 * security key its user presence flag must be set.  Nothing may stand behind
 * the last field.
 *
 * Returns 0 for a good signature and nothing else; AAD_ESIG.
 */
int sign_verify(const struct key *k, const uint8_t *data, size_t len,
    const uint8_t *sig, size_t siglen) AAD_MUST_CHECK;

#endif /* AAD_SIGN_H */
