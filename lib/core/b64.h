/* SPDX-License-Identifier: ISC */

/*
 * b64: base64 over nettle's and libsodium's codecs, strict: no white space,
 * no missing or extra padding, no other alphabet, no non-zero trailing bits.
 */

#ifndef AAD_B64_H
#define AAD_B64_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

enum b64_kind {
	B64_STD, /* RFC 4648 s.4, padded: ssh keys, our own files */
	B64_STD_BARE, /* the same without padding: fingerprints */
	B64_URL /* RFC 4648 s.5, unpadded: JOSE (RFC 7515 s.2) */
};

/*
 * Decode len characters.
 * *outp: NULL unless 0 is returned; then *outlenp bytes and one NUL behind
 * them; the caller frees it with free(3).
 * Returns 0; AAD_EFORMAT; AAD_ENOMEM.
 */
int b64_decode(enum b64_kind kind, const char *text, size_t len, uint8_t **outp,
    size_t *outlenp) AAD_MUST_CHECK;

/*
 * Decode len characters into exactly outlen bytes at out, without
 * allocating.  out is zero unless 0 is returned.
 * Returns 0 or AAD_EFORMAT, also when there are fewer bytes or more.
 */
int b64_decode_exact(enum b64_kind kind, const char *text, size_t len,
    uint8_t *out, size_t outlen) AAD_MUST_CHECK;

/*
 * Encode len bytes into a NUL-terminated string that the caller frees.
 * Returns 0; AAD_ETOOBIG over 16 MiB; AAD_ENOMEM.
 */
int b64_encode(enum b64_kind kind, const uint8_t *bytes, size_t len,
    char **outp) AAD_MUST_CHECK;

#endif /* AAD_B64_H */
