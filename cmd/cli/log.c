/* SPDX-License-Identifier: ISC */

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <syslog.h>
#include <time.h>

#include "cmd/cli/log.h"
#include "core/text.h"

#define LINE_MAX_LEN 1000 /* bytes; RFC 3164 daemons cut at 1024 */
#define VALUE_MAX    320

/* syslog(3) sends twice: the second try may have to be ended, too. */
static const struct itimerval each = { { LOG_WAIT_MAX / 2, 0 },
	{ LOG_WAIT_MAX / 2, 0 } };

static const char *log_ident = "aadssh";
static bool bounded; /* by bound_begin() and bound_end(), call by call */

/* What SIGALRM was used for before a call that may block. */
struct bound {
	struct sigaction sa;
	struct itimerval timer;
};

static void
tick(int sig)
{
	(void)sig;
}

static void
bound_begin(struct bound *b)
{
	struct sigaction sa;

	if (!bounded)
		return;
	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = tick; /* NB. no SA_RESTART: send(2) must fail */
	setitimer(ITIMER_REAL, &each, &b->timer);
	sigaction(SIGALRM, &sa, &b->sa);
}

/* NB. a deadline that was set comes later by what the call took. */
static void
bound_end(const struct bound *b)
{
	const struct itimerval none = { { 0, 0 }, { 0, 0 } };

	if (!bounded)
		return;
	setitimer(ITIMER_REAL, &none, NULL);
	sigaction(SIGALRM, &b->sa, NULL);
	setitimer(ITIMER_REAL, &b->timer, NULL);
}

/* Connects; where daemons listen on a stream that may block, too. */
static void
open_bounded(int facility, int level)
{
	struct bound b;

	bound_begin(&b);
	openlog(log_ident, LOG_PID | LOG_NDELAY, facility);
	bound_end(&b);
	setlogmask(LOG_UPTO(level));
}

void
log_open(const char *ident, int facility, int level)
{
	log_ident = ident;
	tzset(); /* or syslog(3) reads /etc/localtime inside the fence */
	open_bounded(facility, level);
}

void
log_configure(int facility, int level)
{
	/* NB. openlog(3) again keeps the connected socket. */
	open_bounded(facility, level);
}

void
log_wait_little(void)
{
	bounded = true;
}

int
log_never_wait(void)
{
	struct sigaction sa;
	sigset_t mask;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = tick; /* NB. no SA_RESTART: send(2) must fail */
	sigemptyset(&mask);
	sigaddset(&mask, SIGALRM);
	if (sigaction(SIGALRM, &sa, NULL) == -1 ||
	    sigprocmask(SIG_UNBLOCK, &mask, NULL) == -1 ||
	    setitimer(ITIMER_REAL, &each, NULL) == -1)
		return AAD_ESYS;
	return 0;
}

/* Whether a value can stand bare. */
static int
plain(const char *s)
{
	return s[strspn(s,
		   "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		   "0123456789_.:/@+,-")] == '\0';
}

/* Append " name=value"; returns the new length, at most size - 1. */
static size_t
append(char *line, size_t size, size_t len, const struct log_field *f)
{
	char value[VALUE_MAX];
	char *p;
	int n;

	text_clean(f->value, strlen(f->value), value, sizeof(value));
	for (p = value; *p != '\0'; p++)
		if (*p == '"' || *p == '\\')
			*p = '\'';
	n = snprintf(line + len, size - len,
	    plain(value) ? " %s=%s" : " %s=\"%s\"", f->name, value);
	if (n < 0)
		return len;
	return len + (size_t)n < size ? len + (size_t)n : size - 1;
}

void
log_event(int priority, const char *event, const struct log_field *fields,
    size_t n)
{
	char line[LINE_MAX_LEN];
	struct bound b;
	size_t i, len;

	len = (size_t)snprintf(line, sizeof(line), "event=%.32s", event);
	for (i = 0; i < n; i++)
		if (fields[i].value != NULL && fields[i].value[0] != '\0')
			len = append(line, sizeof(line), len, &fields[i]);
	bound_begin(&b);
	syslog(priority, "%s", line);
	bound_end(&b);
}

int
log_priority(enum reason r)
{
	return reason_class(r) == REASON_CANNOT ? LOG_ERR : LOG_INFO;
}
