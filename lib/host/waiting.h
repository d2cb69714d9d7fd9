/* SPDX-License-Identifier: ISC */

/*
 * waiting: how many sign-ins may be under way, on this host and from one
 * address.  Each holds one slot, locks/@flow.N, by flock(2) for its life: the
 * kernel ends what a crash would leave.  docs/formats.md "Waiting sign-ins".
 *
 *	UNIXTIME PID LOGIN SOURCE	of who took it last, "-": unknown
 *
 * A slot rests for WAITING_REST after it was taken, so that nobody gets a
 * new code each second by giving up the one before.
 */

#ifndef AAD_WAITING_H
#define AAD_WAITING_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/name.h"
#include "host/cache.h"

#define WAITING_REST	   60 /* seconds from one taking to the next */
#define WAITING_SLOTS_MAX  4096
#define WAITING_SOURCE_MAX 63 /* bytes; an address with its zone */

/* Somebody who waits.  A plain record. */
struct waiting {
	int64_t since; /* Unix seconds */
	int64_t pid; /* for people; never signalled */
	char login[NAME_LOGIN_MAX + 1];
	char source[WAITING_SOURCE_MAX + 1]; /* "" when unknown */
};

/*
 * Take a slot.  Blocks only while others look for one.
 *
 * per_host: 1 to WAITING_SLOTS_MAX.  per_source: 1 or more; those whose
 * source is unknown count as of one source, and so do addresses that
 * text_same_source().
 * source: printable ASCII without blank, 1 to WAITING_SOURCE_MAX bytes, or
 * NULL for unknown.
 * now: Unix seconds; a slot taken in this clock's future does not rest.
 * *fdp: -1 unless 0 is returned; then close(2) gives the slot back.  NB. so
 * does the end of the process, if no child of its inherited it.
 * Returns 0; AAD_EREFUSED when this source has as many slots that are held
 * or rest as it may; AAD_EAGAIN when no slot is free; AAD_EARG; AAD_EPERM;
 * AAD_ESYS.
 */
int waiting_take(const struct cache *c, int64_t per_host, int64_t per_source,
    const char *login, const char *source, int64_t pid, int64_t now,
    int *fdp) AAD_MUST_CHECK;

/*
 * Give a slot back that need not rest, because the person did sign in: an
 * office behind one address is no flood.  Failing to say so only makes the
 * slot rest.  fd: of waiting_take(), closed here; -1 is a no-op.
 */
void waiting_done(int fd);

/* Called for each who waits; a non-zero return ends the walk. */
typedef int waiting_each_fn(void *arg, const struct waiting *w);

/*
 * Walk the slots that are held, in no order.  One whose text is not of its
 * grammar is passed over.
 * Returns 0, the callback's value, or AAD_EPERM, AAD_ENOMEM, AAD_ESYS.
 */
int waiting_each(const struct cache *c, waiting_each_fn *fn,
    void *arg) AAD_MUST_CHECK;

#endif /* AAD_WAITING_H */
