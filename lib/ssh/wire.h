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

/*
 * Writing the same types into memory that grows.  An error sticks: what is
 * put after it does nothing, and wirebuf_take() reports it, so that a chain
 * of puts needs one check.
 */
#define WIREBUF_MAX (64U << 20) /* bytes; the largest KRL fits many times */

struct wirebuf {
	uint8_t *p; /* heap; NULL while empty */
	size_t len; /* bytes in use */
	size_t cap;
	int r; /* 0, AAD_ENOMEM or AAD_ETOOBIG: the first error */
};

/* A buffer with nothing in it.  wirebuf_release() or wirebuf_take() ends it. */
struct wirebuf wirebuf_new(void);

void wire_put_u8(struct wirebuf *b, uint8_t n);
void wire_put_u32(struct wirebuf *b, uint32_t n);
void wire_put_u64(struct wirebuf *b, uint64_t n);
/* Bytes as they are, without a length. */
void wire_put_raw(struct wirebuf *b, const void *p, size_t len);
/* A string: its length, then the bytes. */
void wire_put_string(struct wirebuf *b, const void *p, size_t len);
/* The same of NUL-terminated text. */
void wire_put_text(struct wirebuf *b, const char *s);
/* A positive mpint of a magnitude; leading zero bytes are dropped. */
void wire_put_mpint(struct wirebuf *b, const uint8_t *p, size_t len);
/*
 * A string whose content is put next: returns where its length stands, which
 * wire_put_end() fills in.  Nests.
 */
size_t wire_put_begin(struct wirebuf *b);
void wire_put_end(struct wirebuf *b, size_t at);

/*
 * Hand over what was written; *b is then as new.
 * *outp: NULL unless 0 is returned; then the caller frees it.
 * Returns 0; AAD_ENOMEM; AAD_ETOOBIG.
 */
int wirebuf_take(struct wirebuf *b, uint8_t **outp,
    size_t *lenp) AAD_MUST_CHECK;

/* Wipe and free.  A new buffer is a no-op. */
void wirebuf_release(struct wirebuf *b);

#endif /* AAD_WIRE_H */
