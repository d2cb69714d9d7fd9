/* SPDX-License-Identifier: ISC */

/*
 * privkey: an Ed25519 private key in OpenSSH's own file format, unencrypted
 * (PROTOCOL.key): what ssh-keygen -N '' writes.
 */

#ifndef AAD_PRIVKEY_H
#define AAD_PRIVKEY_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/secret.h"
#include "ssh/key.h"

#define PRIVKEY_TEXT_MAX    4096 /* bytes; ssh-keygen's have 411 */
#define PRIVKEY_SEED_LEN    32
#define PRIVKEY_COMMENT_MAX 1024 /* bytes */

/* A plain record; privkey_release() wipes it. */
struct privkey {
	struct key pub;
	struct secret *secret; /* 64 bytes of crypto_sign(3) */
};

/*
 * Read the text of a key file.
 *
 * Strict: the armour's lines, base64, cipher and kdf "none", one key, the two
 * check numbers equal, public halves equal to each other and to the seed,
 * padding 1, 2, 3…, nothing behind.  A comment may be anything.
 *
 * *out: zero unless 0 is returned; then the caller releases it.
 * Returns 0; AAD_EFORMAT; AAD_EREFUSED for a sound file that is encrypted or
 * of another type of key; AAD_ETOOBIG; AAD_ENOMEM.
 */
int privkey_parse(const char *text, size_t len,
    struct privkey *out) AAD_MUST_CHECK;

/*
 * The key of a seed (RFC 8032 s.5.1.5).
 * Returns 0; AAD_ENOMEM.
 */
int privkey_of_seed(const uint8_t seed[static PRIVKEY_SEED_LEN],
    struct privkey *out) AAD_MUST_CHECK;

/*
 * The text of a key file, as ssh-keygen writes it.
 *
 * check: any number; ssh-keygen takes a random one.
 * comment: printable ASCII of at most PRIVKEY_COMMENT_MAX bytes, or NULL.
 * *outp: text without a NUL behind it, wiped when freed.
 * Returns 0; AAD_EARG; AAD_ENOMEM.
 */
int privkey_format(const struct privkey *k, uint32_t check, const char *comment,
    struct secret **outp) AAD_MUST_CHECK;

/* Wipe and release.  A zeroed key is a no-op. */
void privkey_release(struct privkey *k);

#endif /* AAD_PRIVKEY_H */
