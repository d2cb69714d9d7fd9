/* SPDX-License-Identifier: ISC */

/*
 * wire: reading the SSH data types of RFC 4251 s.5 from memory.  A reader
 * borrows the bytes; lengths are compared with what is left, never added.
 */

#ifndef AAD_WIRE_H
#define AAD_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

struct wire {
	const uint8_t *p; /* the next byte */
	size_t left; /* bytes from p */
};

/* Start reading len bytes at p. */
struct wire wire_of(const uint8_t *p, size_t len);

/* A uint32, big endian.  Returns 0 or AAD_EFORMAT. */
int wire_u32(struct wire *w, uint32_t *np) AAD_MUST_CHECK;

/* A uint64, big endian.  Returns 0 or AAD_EFORMAT. */
int wire_u64(struct wire *w, uint64_t *np) AAD_MUST_CHECK;

/*
 * A string: *p borrows *lenp bytes of the reader's memory.
 * Returns 0 or AAD_EFORMAT (cut short).
 */
int wire_string(struct wire *w, const uint8_t **p, size_t *lenp) AAD_MUST_CHECK;

/*
 * A positive mpint in its one canonical form: *p borrows the magnitude
 * without the sign byte.  Returns 0, or AAD_EFORMAT when it is cut short,
 * zero, negative, or has a needless leading byte.
 */
int wire_mpint(struct wire *w, const uint8_t **p, size_t *lenp) AAD_MUST_CHECK;

/* Whether the next string equals this literal; it is consumed if so. */
bool wire_is(struct wire *w, const char *literal);

/* Whether everything was read.  Trailing bytes are an error everywhere. */
bool wire_end(const struct wire *w);

#endif /* AAD_WIRE_H */
