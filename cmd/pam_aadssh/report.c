/* SPDX-License-Identifier: ISC */

#include <security/pam_ext.h>
#include <stdio.h>
#include <string.h>

#include "cmd/pam_aadssh/clean.h"
#include "cmd/pam_aadssh/report.h"

#define LINE_LEN  900 /* bytes; RFC 3164 daemons cut at 1024 */
#define VALUE_LEN 320

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
	pam_syslog(pamh, priority, "%s", line);
}
