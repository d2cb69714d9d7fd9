/* SPDX-License-Identifier: ISC */

/*
 * refreshtoken: what renews a record's token, sealed, refresh/LOGIN.HEX64.
 * docs/formats.md "Refresh token".
 *
 *	"aadssh-refresh 1\n"
 *	nonce			24 bytes
 *	ciphertext, tag		XChaCha20-Poly1305 (libsodium's _ietf)
 *
 * Bound as additional data: the first line, host id, key hash, login; so a
 * file opens only under its own name and on its own host.  The seal protects
 * a copy of the file (a backup, a stolen disk without keys/); who can read
 * keys/seal.key can open it.
 */

#ifndef AAD_REFRESHTOKEN_H
#define AAD_REFRESHTOKEN_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/secret.h"
#include "host/cache.h"
#include "host/hostid.h"

#define REFRESHTOKEN_MAX 16384 /* bytes of a token; Entra's have 1 to 2 kB */

/*
 * Seal and store, in place of the one before.  The keys' lock, shared, and
 * the login's lock must be held.
 *
 * seal: the current key, struct cache_seal's.
 * token: len bytes, 1 to REFRESHTOKEN_MAX.
 * Returns 0; AAD_EARG for a login outside its grammar, no token or a key of
 * another length; AAD_ETOOBIG; AAD_EPERM; AAD_ENOMEM; AAD_ESYS.
 */
int refreshtoken_store(const struct cache *c, const char *login,
    const uint8_t key_hash[static 32], const uint8_t host[static HOSTID_LEN],
    struct secret *seal, const char *token, size_t len) AAD_MUST_CHECK;

/*
 * Load and open, with either key.
 *
 * *outp: NULL unless 0 is returned; then the token, secret_len() bytes
 * without a NUL, which the caller frees.
 * Returns 0; AAD_ENOENT when there certainly is none; AAD_ESIG when it does
 * not open (another key, host, login or byte); AAD_EPERM; AAD_EFORMAT when
 * it is none of ours; AAD_EVERSION; AAD_EARG; AAD_ENOMEM; AAD_ESYS.
 */
int refreshtoken_load(const struct cache *c, const char *login,
    const uint8_t key_hash[static 32], const uint8_t host[static HOSTID_LEN],
    const struct cache_seal *seal, struct secret **outp) AAD_MUST_CHECK;

/*
 * Remove it.  The login's lock must be held.  That its bytes are overwritten
 * is not promised.
 * Returns 0; AAD_ENOENT; AAD_EARG; AAD_EPERM; AAD_ESYS.
 */
int refreshtoken_remove(const struct cache *c, const char *login,
    const uint8_t key_hash[static 32]) AAD_MUST_CHECK;

/*
 * Walk the refresh token files in no order.  Names that are no refresh
 * token's are passed over.  fn may remove or replace the one it is called
 * for.
 * Returns 0, the callback's value, or AAD_EPERM, AAD_ESYS.
 */
int refreshtoken_each(const struct cache *c, cache_each_fn *fn,
    void *arg) AAD_MUST_CHECK;

#endif /* AAD_REFRESHTOKEN_H */
