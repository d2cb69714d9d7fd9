/* SPDX-License-Identifier: ISC */

/*
 * sessions: the session files that the PAM module leaves in RUN/sessions,
 * and the processes that they name.  A file speaks for the process of its
 * pid and start time only: a pid alone may be another's by now.
 */

#ifndef AAD_SESSIONS_H
#define AAD_SESSIONS_H

#include <stdint.h>
#include <sys/types.h>

#include "core/err.h"
#include "host/session.h"

enum sessions_look {
	SESSIONS_CANNOT_TELL = 0,
	SESSIONS_LIVE, /* its process runs */
	SESSIONS_GONE, /* it has ended, whoever has its pid now */
	SESSIONS_NONE /* there is no such file (any more) */
};

/*
 * Look at one file and its process.
 *
 * dirfd: of session_dir_open(); name: of session_each() or
 * session_auth_each(); self: the owner that a file must have.
 * *out: the file, where it could be read; else its pid alone.
 * *rp: what was wrong with it for SESSIONS_CANNOT_TELL: an AAD_E*.
 * A file that can't be read is gone, too, when no process has its pid.
 */
enum sessions_look sessions_look(int dirfd, const char *name, uid_t self,
    struct session *out, int *rp);

#endif /* AAD_SESSIONS_H */
