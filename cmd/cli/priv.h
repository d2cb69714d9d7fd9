/* SPDX-License-Identifier: ISC */

/*
 * priv: what a process gives up before it looks at anything from outside.
 * No name look-up here: the hook links this.
 */

#ifndef AAD_PRIV_H
#define AAD_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "core/err.h"

/*
 * Close every descriptor above 2, point missing ones of 0, 1, 2 at
 * /dev/null, umask 077, SIGPIPE ignored, no core dump, not dumpable, no new
 * privileges.
 *
 * Returns 0 or AAD_ESYS.
 */
int priv_begin(void) AAD_MUST_CHECK;

/*
 * The same, but the descriptor keep stays open, close-on-exec.
 * keep: any below 3, -1 too, is as priv_begin().
 */
int priv_begin_keeping(int keep) AAD_MUST_CHECK;

/*
 * Default signal dispositions, but SIGPIPE and SIGXFSZ ignored, and an empty
 * mask: for a program that waits and can be interrupted.  sshd's command
 * inherits both clean and ends by itself.
 *
 * Returns 0 or AAD_ESYS.
 */
int priv_signals(void) AAD_MUST_CHECK;

/*
 * Whether the locale of the environment is one of UTF-8, as setlocale(3)
 * would look: LC_ALL, LC_CTYPE, LANG, the first that is not empty.  To be
 * asked before priv_clean_environment().
 */
bool priv_utf8(void);

/*
 * Copy the value of a variable, or "" when it is not set or longer than
 * len - 1 bytes.  To be asked before priv_clean_environment().
 */
void priv_variable(const char *name, char *out, size_t len);

/*
 * End with the parent: from now on its end is a SIGTERM (PR_SET_PDEATHSIG).
 * Who has no use for an answer any more can't end us otherwise.
 *
 * Returns 0; AAD_ENOENT when it is gone already; AAD_ESYS.
 */
int priv_end_with_parent(void) AAD_MUST_CHECK;

/*
 * Empty the environment but for TERM and the names in keep (NULL-ended, may
 * be NULL), so that no LD_*, proxy, TLS or locale variable steers a library.
 *
 * Returns 0; AAD_ENOMEM.
 */
int priv_clean_environment(const char *const *keep) AAD_MUST_CHECK;

/*
 * Become uid:gid for good, without supplementary groups, and prove it: the
 * way back must fail.
 *
 * Returns 0; AAD_EPERM when a way back is left; AAD_ESYS.
 */
int priv_drop(uid_t uid, gid_t gid) AAD_MUST_CHECK;

#endif /* AAD_PRIV_H */
