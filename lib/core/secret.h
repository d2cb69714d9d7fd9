/* SPDX-License-Identifier: ISC */

/*
 * secret: bytes that must not be swapped, dumped or left behind.
 * Storage is sodium_malloc(3): guard pages, mlock(2) where the limit allows
 * (libsodium does not fail when it does not), wiped when freed.
 */

#ifndef AAD_SECRET_H
#define AAD_SECRET_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

#define SECRET_MAX 65536 /* bytes; the largest token reply we keep */

struct secret;

/*
 * len zero bytes, 1..SECRET_MAX.
 * *outp: NULL unless 0 is returned; then the caller owns it.
 * Returns 0; AAD_ETOOBIG; AAD_ENOMEM.
 */
int secret_new(size_t len, struct secret **outp) AAD_MUST_CHECK;

/*
 * Read a key file of exactly len bytes: a regular file of the running user
 * (geteuid(2)) with one link and no bit for group or others, O_NOFOLLOW.
 *
 * Returns 0; AAD_ENOENT; AAD_EPERM; AAD_EFORMAT when the size differs;
 * AAD_ETOOBIG; AAD_ENOMEM; AAD_ESYS with errno.
 */
int secret_load(int dirfd, const char *name, size_t len,
    struct secret **outp) AAD_MUST_CHECK;

/* Borrow the bytes: valid until secret_free(s). */
uint8_t *secret_bytes(struct secret *s);

size_t secret_len(const struct secret *s);

/* Wipe and release.  NULL is a no-op. */
void secret_free(struct secret *s);

#endif /* AAD_SECRET_H */
