/* SPDX-License-Identifier: ISC */

#include <stdarg.h>
#include <stdio.h>

#include "test/unit/lastlog.h"

char lastlog[LASTLOG_MAX];
int lastlog_priority;

/* What log.o calls instead (-Wl,--wrap): with _FORTIFY_SOURCE, and without. */
void __wrap_syslog(int priority, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void __wrap___syslog_chk(int priority, int flag, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static void caught(int priority, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));

static void
caught(int priority, const char *fmt, va_list ap)
{
	lastlog_priority = priority;
	vsnprintf(lastlog, sizeof(lastlog), fmt, ap);
}

void
__wrap_syslog(int priority, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	caught(priority, fmt, ap);
	va_end(ap);
}

void
__wrap___syslog_chk(int priority, int flag, const char *fmt, ...)
{
	va_list ap;

	(void)flag;
	va_start(ap, fmt);
	caught(priority, fmt, ap);
	va_end(ap);
}
