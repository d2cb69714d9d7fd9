/* SPDX-License-Identifier: ISC */

/*
 * mutate: walk every small damage of a good input through a parser.  Each
 * variant lives in an allocation of its exact size plus one NUL, so that
 * AddressSanitizer sees a read behind it.
 */

#ifndef AAD_MUTATE_H
#define AAD_MUTATE_H

#include <stddef.h>
#include <stdint.h>

enum mutation {
	MUTATE_BIT_FLIP,
	MUTATE_TRUNCATE,
	MUTATE_APPEND
};

/*
 * Called with len bytes and a NUL behind them.  at: the byte that was
 * changed, cut or added.  The callee asserts.
 */
typedef void mutate_fn(const uint8_t *p, size_t len, enum mutation how,
    size_t at, void *arg);

/*
 * Every bit flip, every truncation (0 to len - 1 bytes), and one byte of
 * 0x00, 0x0a and 0xff appended.
 */
void mutate_walk(const void *good, size_t len, mutate_fn *fn, void *arg);

/*
 * The same, but of each byte one bit alone: that of number (at + turn) mod 8.
 * For inputs that differ little from one that was walked, turn by turn.
 */
void mutate_sample(const void *good, size_t len, unsigned int turn,
    mutate_fn *fn, void *arg);

#endif /* AAD_MUTATE_H */
