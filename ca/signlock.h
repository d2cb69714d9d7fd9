/* SPDX-License-Identifier: ISC */

/*
 * signlock: one sign-in for one certificate's file at a time.
 *
 * What is locked is .NAME.lock beside it, 0600 of who signs in: nobody else
 * can open it, and so nobody else can hold them up.  Who has it removes it;
 * one that a crash left behind holds up nobody.
 */

#ifndef AAD_CA_SIGNLOCK_H
#define AAD_CA_SIGNLOCK_H

#include <limits.h>

#include "core/err.h"

struct signlock {
	int dir, fd; /* -1, -1: not held */
	char name[NAME_MAX + 1];
};

/*
 * Take it, without waiting, for the certificate at path.
 * Returns 0, also on a file system that has no locks; AAD_EAGAIN when
 * somebody has it, or had it a moment ago; AAD_EPERM when what lies there is
 * not the caller's own file; AAD_ETOOBIG; AAD_ESYS with errno.
 */
int signlock_try(struct signlock *l, const char *path) AAD_MUST_CHECK;

/* Give it back.  What is not held is a no-op. */
void signlock_drop(struct signlock *l);

#endif /* AAD_CA_SIGNLOCK_H */
