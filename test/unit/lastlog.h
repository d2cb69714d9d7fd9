/* SPDX-License-Identifier: ISC */

/* lastlog: the log of a test, caught before it leaves the process. */

#ifndef AAD_LASTLOG_H
#define AAD_LASTLOG_H

#define LASTLOG_MAX 2048 /* more than log.c makes of one line */

/* The last line, and its priority. */
extern char lastlog[LASTLOG_MAX];
extern int lastlog_priority;

#endif /* AAD_LASTLOG_H */
