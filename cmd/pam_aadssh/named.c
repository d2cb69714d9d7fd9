/* SPDX-License-Identifier: ISC */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/pam_aadssh/judged.h"
#include "cmd/pam_aadssh/named.h"
#include "cmd/pam_aadssh/registry.h"

/* Whether one of the lines of text is line, blanks at its end apart. */
static bool
has_line(const char *text, const char *line)
{
	size_t len = strlen(line), n;

	for (; *text != '\0'; text += n + (text[n] == '\n')) {
		n = strcspn(text, "\n");
		if (n >= len && strncmp(text, line, len) == 0 &&
		    strspn(text + len, " ") == n - len)
			return true;
	}
	return false;
}

bool
named_login(const char *conf, const char *login)
{
	char line[REGISTRY_LOGIN_LEN + sizeof("[login ]")];
	char *text = malloc(NAMED_CONF_MAX + 1);
	bool named = false;

	snprintf(line, sizeof(line), "[login %s]", login);
	/* NB. the running user is root, or who owns a scratch installation. */
	if (text != NULL && judged_file(AT_FDCWD, conf, geteuid(), text,
				NAMED_CONF_MAX + 1) != -1)
		named = has_line(text, line);
	free(text);
	return named;
}
