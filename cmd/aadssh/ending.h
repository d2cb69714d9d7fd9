/* SPDX-License-Identifier: ISC */

/*
 * ending: end the process of a session, and no other one.  The pidfd is
 * opened first and the process judged behind it: from then on nothing that
 * gets its pid can be meant.
 */

#ifndef AAD_ENDING_H
#define AAD_ENDING_H

#include <stddef.h>

#include "core/reason.h"
#include "host/session.h"

#define ENDING_MAX	64 /* sessions ended at once: one descriptor each */
#define ENDING_GRACE_MS 3000 /* between SIGTERM and SIGKILL */
#define ENDING_WAIT_MS	1000 /* for the end by SIGKILL */

enum ending_result {
	ENDING_FAILED = 0, /* it could not be signalled, or did not end */
	ENDING_OTHER, /* it runs another program now: not touched */
	ENDING_VANISHED, /* it had ended by itself */
	ENDING_ENDED, /* by SIGTERM */
	ENDING_KILLED, /* by SIGKILL */
	ENDING_SPARED /* nobody asked for its end */
};

struct ending {
	struct session session;
	enum reason why; /* LOGIN_DENIED, KEY_DENIED or IDENTITY_DENIED */
	enum ending_result result;
};

/*
 * SIGTERM to each of n, at most ENDING_MAX; SIGKILL to those that are there
 * after ENDING_GRACE_MS.  Sets the result of each.
 */
void ending_all(struct ending *list, size_t n);

/* The word for logs and JSON: "ended", … */
const char *ending_word(enum ending_result result);

#endif /* AAD_ENDING_H */
