/* SPDX-License-Identifier: ISC */

/*
 * account: is this login denied?  The same question as denial_check() of
 * lib/host/denial.h for a login, answered from the same files with libc
 * alone.  Only ENOENT below an opened directory is "no denial"; a denial
 * that can't be read, or that isn't written as aadssh writes it, is one in
 * force; a missing or unsound directory can't be told.
 */

#ifndef AAD_PAM_ACCOUNT_H
#define AAD_PAM_ACCOUNT_H

#include <stdint.h>

enum account_answer {
	ACCOUNT_CANNOT_TELL = 0, /* zeroed memory lets nobody in */
	ACCOUNT_DENIED = 1,
	ACCOUNT_OPEN = 2
};

/* state: the state directory.  now: Unix seconds. */
enum account_answer account_judge(const char *state, const char *login,
    int64_t now);

#endif /* AAD_PAM_ACCOUNT_H */
