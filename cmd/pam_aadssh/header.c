/* SPDX-License-Identifier: ISC */

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/pam_aadssh/header.h"

static bool
line_ok(const char *s, size_t n)
{
	size_t i;

	if (n > HEADER_AUTH_LINE_MAX)
		return false;
	for (i = 0; i < n; i++)
		if (s[i] < 0x20 || s[i] > 0x7e)
			return false;
	return true;
}

static bool
auth_lines(FILE *f, const char *s)
{
	size_t n;
	int lines = 0;

	for (; *s != '\0'; s += n + (s[n] == '\n')) {
		n = strcspn(s, "\n");
		if (n == 0)
			continue;
		if (++lines > HEADER_AUTH_MAX || !line_ok(s, n))
			return false;
		fprintf(f, "auth %.*s\n", (int)n, s);
	}
	return true;
}

char *
header_format(const struct header *h, size_t *lenp)
{
	char *text = NULL;
	FILE *f = open_memstream(&text, lenp);
	bool ok = true;

	if (f == NULL)
		return NULL;
	fprintf(f, "aadssh-pam 1\nlogin %s\nmonitor %" PRId64 " %" PRId64 "\n",
	    h->login, h->monitor, h->start);
	if (h->source[0] != '\0')
		fprintf(f, "source %s\n", h->source);
	if (h->auth_info != NULL)
		ok = auth_lines(f, h->auth_info);
	if (h->tid != NULL && h->oid != NULL && h->tid[0] != '\0' &&
	    h->oid[0] != '\0')
		fprintf(f, "identity %s %s\n", h->tid, h->oid);
	fputc('\n', f);
	if (fclose(f) != 0 || !ok) {
		free(text);
		return NULL;
	}
	return text;
}
