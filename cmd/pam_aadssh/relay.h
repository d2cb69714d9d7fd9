/* SPDX-License-Identifier: ISC */

/*
 * relay: the conversation of the child with the person, through sshd.
 * Threat: the child is what an attacker on the network would own first.  It
 * may say yes or no, which is its office; it may not write control bytes to
 * a terminal, choose variables, go on for ever or for nobody, or be taken
 * for saying yes when it was cut short.
 *
 * From the child, one a line:
 *	I TEXT		for the person, in front of the next prompt
 *	E TEXT		for the person, an error
 *	P TEXT		ask; the answer goes back as "A TEXT"
 *	V NAME=VALUE	for the session's environment
 *	F NAME VALUE	for the session file
 *	R VERDICT	the last line; then the child ends
 * VERDICT is OK, NO, UNAVAIL or IGNORE.  OK and IGNORE count only when the
 * child then ends with status 0.
 */

#ifndef AAD_PAM_RELAY_H
#define AAD_PAM_RELAY_H

#include <security/pam_modules.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cmd/pam_aadssh/child.h"
#include "cmd/pam_aadssh/registry.h"

#define RELAY_LINE_MAX	 1024 /* bytes, without the newline */
#define RELAY_TOTAL_MAX	 65536 /* bytes of all lines */
#define RELAY_ANSWER_LEN 257 /* bytes with NUL */
#define RELAY_ENDING_MS	 2000 /* from the verdict to the child's end */

enum verdict {
	VERDICT_FAILED = 0, /* no verdict: nobody is let in */
	VERDICT_OK,
	VERDICT_NO,
	VERDICT_UNAVAIL,
	VERDICT_IGNORE
};

struct relay_job {
	pam_handle_t *pamh;
	bool session; /* no prompts */
	bool silent; /* nothing is shown */
	int client; /* the connection to watch, -1: none */
	int64_t deadline; /* of kernel_clock_ms() */
	const char *header; /* what the child is told first */
	size_t header_len;
};

/* What the child said beside its verdict. */
struct relay_said {
	struct facts facts; /* what was there stays where it says nothing */
	char env_upn[128], env_oid[37]; /* "": not said */
	bool errors; /* the person was told why */
};

/*
 * Relay until the child ended or is not listened to any more.  The caller
 * then calls child_end().
 *
 * *whyp: for VERDICT_FAILED, a text for the log.
 */
enum verdict relay_run(const struct relay_job *job, struct child *c,
    struct relay_said *said, const char **whyp);

/*
 * Whether an answer is what sshd gives in place of the person's when the
 * login may not be: as many bytes of "\b\n\r\177INCORRECT", over and over,
 * as were typed (auth-pam.c).  After a bare Enter it can't be told.
 */
bool relay_junk(const char *answer);

#endif /* AAD_PAM_RELAY_H */
