/* SPDX-License-Identifier: ISC */

/*
 * child: `aadssh pam`, which does all that needs a network, JSON or a key.
 * It starts with nothing of sshd's: the owner of the state directory as its
 * user, no groups, two pipes and /dev/null, two variables, default signals,
 * no new privileges.  When this process ends, however, it is killed.
 */

#ifndef AAD_PAM_CHILD_H
#define AAD_PAM_CHILD_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "cmd/pam_aadssh/options.h"

struct child {
	pid_t pid; /* 0: none, or gone and reaped */
	int to; /* its standard input; never blocks, closed on exec */
	int from; /* its standard output; likewise */
	struct sigaction chld, pipe, term; /* sshd's own, to be put back */
};

/*
 * Start it.  Until child_end(), which must follow in any case, SIGCHLD is at
 * its default and SIGPIPE ignored; in the auth phase SIGTERM, which is how
 * sshd ends this process at a prompt, first ends the child.
 *
 * session: `aadssh pam session` in place of `aadssh pam`.
 * Returns false with *whyp a text for the log.
 */
bool child_start(struct child *c, const struct options *o, bool session,
    const char **whyp);

/* Close what it reads from. */
void child_hush(struct child *c);

/*
 * Wait ms for its end; true with its wait(2) status when it came, -1 when it
 * can't be known.
 */
bool child_wait(struct child *c, int64_t ms, int *statusp);

/*
 * End it: SIGTERM, a second for its last words, SIGKILL; reaped.  Closes the
 * pipes and puts the signals back.  No-op for what is done already.
 */
void child_end(struct child *c);

#endif /* AAD_PAM_CHILD_H */
