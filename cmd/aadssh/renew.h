/* SPDX-License-Identifier: ISC */

/*
 * renew: the live check.  Every confirmed sign-in of this host is asked
 * about by redeeming its refresh token, whatever the life that its token has
 * left, in random order and [refresh] parallel at once; what is over by age
 * ends.  Memory is bounded by the window: beyond it only a short entry for
 * each sign-in is kept, never a token or an answer.
 */

#ifndef AAD_RENEW_H
#define AAD_RENEW_H

#include "cmd/aadssh/settle.h"
#include "idp/discovery.h"
#include "token/jwks.h"

struct renew_tools {
	/* NULL when nobody can be asked: then what is over ends all the same,
	 * and the rest is unreachable. */
	const struct discovery *where;
	bool outage; /* and that is the provider's fault, so grace applies */
	struct http *http; /* for tenant keys with a kid that is new */
	struct jwks **keysp; /* not NULL with where; may be replaced */
	int64_t deadline_ms; /* clock_mono_ms(); from then on nobody is asked */
	bool force; /* evict without the brake */
};

/*
 * Check all, end what is over, evict who is gone; run->counts tells.
 *
 * Returns LASTRUN_FAILED with run->no for an error of this host, an
 * interruption, or when the time did not suffice.
 */
enum lastrun_result renew(struct run *run, const struct renew_tools *tools);

#endif /* AAD_RENEW_H */
