/* SPDX-License-Identifier: ISC */

/*
 * evict: identities that the provider says are gone: a denial, and the end of
 * every sign-in of theirs on this host.  With a brake: a provider, or a way
 * to it, that says so of many at once is not believed without --force.
 */

#ifndef AAD_EVICT_H
#define AAD_EVICT_H

#include <stddef.h>

#include "cmd/aadssh/settle.h"

#define EVICT_MAX	  3 /* identities that may always be gone at once */
#define EVICT_MAX_PERCENT 20 /* of those answered for; more is too many */

/*
 * s: the n sign-ins of a run; the order is changed.
 * force: without the brake.
 * An identity that was renewed under one key is not gone, whatever was said
 * under another; nor one that signed in after it was said.
 * Returns 0; AAD_EREFUSED when the brake holds, nothing is committed then;
 * AAD_ENOMEM, AAD_ESYS and others with run->no.
 */
int evict(struct run *run, struct sign_in *s, size_t n,
    bool force) AAD_MUST_CHECK;

#endif /* AAD_EVICT_H */
