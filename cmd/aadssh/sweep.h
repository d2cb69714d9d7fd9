/* SPDX-License-Identifier: ISC */

/*
 * sweep: what crashes and ends left behind on this host: temporary files,
 * refresh tokens that no record needs, offers of connections that are over.
 * Tombstones that are old enough go in the walk over the records (renew.h).
 */

#ifndef AAD_SWEEP_H
#define AAD_SWEEP_H

#include "cmd/aadssh/settle.h"

/* Counts into run->counts->swept; an error of this host is in run->no. */
void sweep(struct run *run);

#endif /* AAD_SWEEP_H */
