/* SPDX-License-Identifier: ISC */

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "cmd/pam_aadssh/account.h"
#include "cmd/pam_aadssh/clean.h"
#include "cmd/pam_aadssh/judged.h"

#define DENIALS	   "denials/login"
#define DENIAL_MAX 4096 /* bytes of a file */

/* Cut the number at *sp off, up to the text end; false when it is none. */
static bool
number(char **sp, const char *end, uint64_t *np)
{
	char *s = *sp, *stop = strstr(s, end);
	bool ok;

	if (stop == NULL)
		return false;
	*stop = '\0';
	ok = clean_number(s, INT64_MAX, np);
	*sp = stop + strlen(end);
	return ok;
}

static bool
literal(char **sp, const char *text)
{
	size_t n = strlen(text);

	if (strncmp(*sp, text, n) != 0)
		return false;
	*sp += n;
	return true;
}

/*
 * Whether text is a denial that has ended: "UNTIL\n" and then, byte for
 * byte, the object that denial_set() writes.  Anything else is in force.
 */
static bool
ended(char *text, size_t len, int64_t now)
{
	uint64_t until, at;

	if (strlen(text) != len || !number(&text, "\n", &until) ||
	    !literal(&text, "{\"v\":1,\"origin\":\"") ||
	    (!literal(&text, "admin\"") && !literal(&text, "idp\"")) ||
	    !literal(&text, ",\"at\":") || !number(&text, "}\n", &at) ||
	    *text != '\0')
		return false;
	return until != 0 && now >= (int64_t)until;
}

enum account_answer
account_judge(const char *state, const char *login, int64_t now)
{
	char text[DENIAL_MAX + 1];
	struct stat sb;
	ssize_t n;
	int top, dir;
	bool none;

	if (!clean_login(login) ||
	    (top = judged_dir(AT_FDCWD, state, JUDGED_ANY_OWNER, &sb)) == -1)
		return ACCOUNT_CANNOT_TELL;
	dir = judged_dir(top, DENIALS, sb.st_uid, NULL);
	close(top);
	if (dir == -1)
		return ACCOUNT_CANNOT_TELL;
	n = judged_file(dir, login, sb.st_uid, text, sizeof(text));
	none = n == -1 && errno == ENOENT;
	close(dir);
	if (none || (n >= 0 && ended(text, (size_t)n, now)))
		return ACCOUNT_OPEN;
	return ACCOUNT_DENIED;
}
