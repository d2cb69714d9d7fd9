/* SPDX-License-Identifier: ISC */

#include <string.h>

#include "cmd/aadssh/sessions.h"
#include "cmd/cli/process.h"
#include "core/text.h"

#define NUMBER_MAX 19 /* digits of an int64_t */

/* The pid in front of a name that session_each() gave. */
static int64_t
pid_of(const char *name)
{
	char digits[NUMBER_MAX + 1];
	size_t n = strspn(name, "0123456789");
	uint64_t pid;

	if (n > NUMBER_MAX)
		return -1;
	memcpy(digits, name, n);
	digits[n] = '\0';
	return text_number(digits, INT64_MAX, &pid) ? (int64_t)pid : -1;
}

enum sessions_look
sessions_look(int dirfd, const char *name, uid_t self, struct session *out,
    int *rp)
{
	int64_t pid = pid_of(name), start;

	*rp = session_load(dirfd, name, self, out);
	if (*rp == AAD_ENOENT)
		return SESSIONS_NONE;
	if (*rp != 0) {
		out->pid = pid;
		return process_start(pid, &start) == AAD_ENOENT
			   ? SESSIONS_GONE
			   : SESSIONS_CANNOT_TELL;
	}
	*rp = process_start(pid, &start);
	if (*rp == AAD_ENOENT || (*rp == 0 && start != out->start))
		return SESSIONS_GONE;
	return *rp == 0 ? SESSIONS_LIVE : SESSIONS_CANNOT_TELL;
}
