/* SPDX-License-Identifier: ISC */

/*
 * log: one structured syslog(3) line an event, "event=NAME key=value …".
 * Values that hold anything but a plain word are quoted and cleaned, so that
 * no text from outside can add a field or a line.  Never a token.
 */

#ifndef AAD_LOG_H
#define AAD_LOG_H

#include <stddef.h>

#include "core/err.h"
#include "core/reason.h"

struct log_field {
	const char *name;
	const char *value; /* NULL or "": the field is left out */
};

/*
 * Connect to the system's log now, while files may still be opened.
 * ident: static storage.  facility, level: syslog(3) numbers.
 */
void log_open(const char *ident, int facility, int level);

/* Change facility and level once the configuration is known. */
void log_configure(int facility, int level);

/*
 * From now on no line waits more than LOG_WAIT_MAX seconds for a daemon that
 * hangs: it is lost instead.  A tick of SIGALRM ends the call that blocks, so
 * this is for a process that blocks in nothing else.
 *
 * Returns 0 or AAD_ESYS.
 */
#define LOG_WAIT_MAX 2
int log_never_wait(void) AAD_MUST_CHECK;

/*
 * The same bound for a process that uses SIGALRM itself, to be called before
 * log_open(): what a line or the connection takes too long is cut off by a
 * timer of that call, after which timer and handler are what they were.
 */
void log_wait_little(void);

/* Write one line of at most 1,000 bytes. */
void log_event(int priority, const char *event, const struct log_field *fields,
    size_t n);

/*
 * How loud a reason is: LOG_INFO for yes and no, LOG_ERR for cannot tell.
 */
int log_priority(enum reason r);

#endif /* AAD_LOG_H */
