/* SPDX-License-Identifier: ISC */

/* dial: the only place that connects: to a socket of this host. */

#ifndef AAD_CA_DIAL_H
#define AAD_CA_DIAL_H

/*
 * Connect to the stream socket at path, in at most so many seconds; what is
 * sent there later is bound by them, too.
 * Returns the descriptor; -1 with errno, EAGAIN for a queue that stays full.
 */
int dial(const char *path, int seconds);

#endif /* AAD_CA_DIAL_H */
