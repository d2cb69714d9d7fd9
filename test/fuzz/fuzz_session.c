/* SPDX-License-Identifier: ISC */

/* What parses is bounded, and begins and ends as a session file does. */

#include <stdlib.h>
#include <string.h>

#include "host/session.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	char *text = malloc(len + 1);
	struct session s;

	if (text == NULL)
		return 0;
	memcpy(text, p, len);
	text[len] = '\0';
	if (session_parse(text, len, &s) == 0 &&
	    (len > SESSION_MAX || s.pid < 1 || s.exe[0] != '/' ||
		!name_login_ok(s.login) || s.method[0] == '\0' ||
		strcmp(text + len - 5, "\nend\n") != 0))
		abort();
	free(text);
	return 0;
}
