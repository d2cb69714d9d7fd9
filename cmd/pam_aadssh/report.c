/* SPDX-License-Identifier: ISC */

#include <security/pam_ext.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>

#include "cmd/pam_aadssh/clean.h"
#include "cmd/pam_aadssh/report.h"

#define LINE_LEN  900 /* bytes; RFC 3164 daemons cut at 1024 */
#define VALUE_LEN 320
#define TICK_S	  1

static void
tick(int sig)
{
	(void)sig;
}

/*
 * A log daemon that hangs must not hold up sshd: a line that waits is lost
 * after two ticks, for syslog(3) sends twice.  NB. SIGALRM is sshd's, for
 * LoginGraceTime, which then comes later by as much.
 */
static void
send_bounded(const pam_handle_t *pamh, int priority, const char *line)
{
	const struct itimerval each = { { TICK_S, 0 }, { TICK_S, 0 } },
			       none = { { 0, 0 }, { 0, 0 } };
	struct itimerval timer;
	struct sigaction sa, was;
	sigset_t alarm_set, mask;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = tick; /* no SA_RESTART: send(2) must fail */
	sigemptyset(&alarm_set);
	sigaddset(&alarm_set, SIGALRM);
	setitimer(ITIMER_REAL, &each, &timer);
	sigaction(SIGALRM, &sa, &was);
	sigprocmask(SIG_UNBLOCK, &alarm_set, &mask);
	pam_syslog(pamh, priority, "%s", line);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	setitimer(ITIMER_REAL, &none, NULL);
	sigaction(SIGALRM, &was, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
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
append(char *line, size_t size, size_t len, const struct report_field *f)
{
	char value[VALUE_LEN];
	char *p;
	int n;

	clean_ascii(f->value, value, sizeof(value));
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
report(const pam_handle_t *pamh, int priority, const char *event,
    const struct report_field *fields, size_t n)
{
	char line[LINE_LEN];
	size_t i, len;

	len = (size_t)snprintf(line, sizeof(line), "event=%.32s", event);
	for (i = 0; i < n; i++)
		if (fields[i].value != NULL && fields[i].value[0] != '\0')
			len = append(line, sizeof(line), len, &fields[i]);
	send_bounded(pamh, priority, line);
}
