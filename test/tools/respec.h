/* SPDX-License-Identifier: ISC */

/* respec: what a decoded certificate would have been asked for with. */

#ifndef AAD_RESPEC_H
#define AAD_RESPEC_H

#include <stdbool.h>

#include "ssh/cert.h"

#define RESPEC_OPTIONS_MAX 64

struct respec {
	struct cert_spec spec; /* borrows from here and from the certificate */
	struct cert_option critical[RESPEC_OPTIONS_MAX];
	struct cert_option extensions[RESPEC_OPTIONS_MAX];
};

/*
 * Whether a struct cert_spec can say all of it: not a key id or a nonce of
 * no use, a value that is not one string or has a NUL, or a reserved field
 * with something in it.  respec_release() either way.
 */
bool respec_of(const struct cert *c, struct respec *out);

void respec_release(struct respec *r);

#endif /* AAD_RESPEC_H */
