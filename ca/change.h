/* SPDX-License-Identifier: ISC */

/*
 * change: a request that changes what is published: it is done, then
 * published, and told.
 */

#ifndef AAD_CA_CHANGE_H
#define AAD_CA_CHANGE_H

#include <stdbool.h>

#include "ca/rows.h"

struct change {
	struct ca_app *app;
	bool json;
	bool always; /* publish, even when nothing seems to have changed */
	bool never; /* of a dry run */
	/* Once asked, a signal no longer ends it: a revocation of which nobody
	 * knows whether it is one must not be */
	bool whole;
	const struct door_more *more; /* what follows the request, or NULL */
	rows_fn *print; /* a row, for people */
	void *arg; /* its */
	void (*tell)(const json_t *end); /* the end, for people; or NULL */
};

/*
 * Ask (rq is released), print rows and END, then publish: unless END's
 * "publish" is false.  An END with JSON says that it was done, whatever its
 * code: then hosts hear of it.  A change that can't be published is done all
 * the same, and is said to be; it is an exit of 3.
 * Returns the exit code, the first that is not 0.
 */
int change_run(const struct change *c, struct wirebuf *rq);

#endif /* AAD_CA_CHANGE_H */
