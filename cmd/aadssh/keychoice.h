/* SPDX-License-Identifier: ISC */

/*
 * keychoice: which of the keys that a client offered a sign-in is remembered
 * for.  One, and the person sees which: keys that had a sign-in here before
 * come first, and the first is meant unless another is asked for.  Pure.
 */

#ifndef AAD_KEYCHOICE_H
#define AAD_KEYCHOICE_H

#include <stdbool.h>
#include <stddef.h>

#include "ssh/key.h"

#define KEYCHOICE_MAX	20 /* keys (offer.h) */
#define KEYCHOICE_SHOWN 9 /* keys that have a number */

/* A plain record. */
struct keychoice {
	const struct key *keys[KEYCHOICE_MAX]; /* borrowed */
	size_t n;
	const struct key *picked; /* NULL: none is remembered */
};

/*
 * keys: n, as offered; those over KEYCHOICE_MAX are passed over.
 * known: n, whether the key had a sign-in for this login before.
 */
void keychoice_begin(struct keychoice *c, const struct key *const *keys,
    const bool *known, size_t n);

enum keychoice_answer {
	KEYCHOICE_JUNK = 0, /* ask again */
	KEYCHOICE_DONE, /* Enter, or a number, which is now picked */
	KEYCHOICE_QR /* the same prompt with the QR code */
};

/* What somebody answered, blanks cut off at both ends. */
enum keychoice_answer keychoice_take(struct keychoice *c, const char *text);

/* "ED25519", "ECDSA-SK", …, as ssh-keygen(1) names the type. */
const char *keychoice_type(const struct key *k);

#endif /* AAD_KEYCHOICE_H */
