/* SPDX-License-Identifier: ISC */

/*
 * child: a piece of work in a process of its own, so that what it gives up,
 * its user for one, is given up there only.
 */

#ifndef AAD_CHILD_H
#define AAD_CHILD_H

#include "core/err.h"

/*
 * Call fn(arg) in a child and wait for its end.  The child sees this
 * process's memory as it is now; what it changes stays its own.  Both write
 * out what stdio holds: nothing is written twice or lost.
 *
 * *codep: what fn returned, 0 to 255, or 3 when the child's stdout could not
 * take what it wrote; -1 unless 0 is returned.
 * Returns 0; AAD_ESYS when there is no child; AAD_EINTERNAL when a signal
 * ended it.
 */
int child_run(int (*fn)(void *arg), void *arg, int *codep) AAD_MUST_CHECK;

#endif /* AAD_CHILD_H */
