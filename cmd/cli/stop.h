/* SPDX-License-Identifier: ISC */

/* stop: the signals that ask a program which waits to end cleanly. */

#ifndef AAD_STOP_H
#define AAD_STOP_H

#include <signal.h>

/*
 * From now on SIGINT, SIGTERM and SIGHUP are noted instead of ending the
 * process; so is also, a signal, unless it is 0.
 *
 * flags: of sigaction(2), such as SA_RESTART.
 * Returns where it is noted: 0, then the number of the first that came.
 * There is one such place in a process; who has another reason to stop may
 * write there, too.
 */
volatile sig_atomic_t *stop_catch(int also, int flags);

#endif /* AAD_STOP_H */
