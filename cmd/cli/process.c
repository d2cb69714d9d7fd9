/* SPDX-License-Identifier: ISC */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cli/process.h"
#include "core/text.h"

#define DELETED	    " (deleted)"
#define FIELD_STATE 3 /* the first behind the command's name */
#define FIELD_START 22

int
process_parse(const char *text, size_t len, int64_t *startp)
{
	const char *p = text, *word;
	char number[24];
	uint64_t start;
	size_t n;
	int field;

	*startp = -1;
	/* NB. the name may hold ") Z 1 2"; the last ')' ends it. */
	if (strlen(text) != len || (p = strrchr(text, ')')) == NULL)
		return AAD_EFORMAT;
	for (field = FIELD_STATE, p++; field <= FIELD_START; field++) {
		if (*p != ' ')
			return AAD_EFORMAT;
		word = p + 1;
		n = strcspn(word, " \n");
		p = word + n;
		if (n == 0)
			return AAD_EFORMAT;
		if (field == FIELD_STATE && (*word == 'Z' || *word == 'X'))
			return AAD_ENOENT;
	}
	if (n >= sizeof(number))
		return AAD_EFORMAT;
	memcpy(number, word, n);
	number[n] = '\0';
	if (!text_number(number, INT64_MAX, &start))
		return AAD_EFORMAT;
	*startp = (int64_t)start;
	return 0;
}

/* Whether /proc is one: without it every process would seem to be gone. */
static int
gone_or_no_proc(void)
{
	return access("/proc/self/stat", F_OK) == 0 ? AAD_ENOENT : AAD_ESYS;
}

int
process_start(int64_t pid, int64_t *startp)
{
	char path[64], text[PROCESS_STAT_MAX];
	ssize_t n;
	int fd;

	*startp = -1;
	snprintf(path, sizeof(path), "/proc/%" PRId64 "/stat", pid);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		return errno == ENOENT ? gone_or_no_proc() : AAD_ESYS;
	/* NB. the kernel hands the line over in one read. */
	do
		n = read(fd, text, sizeof(text) - 1);
	while (n == -1 && errno == EINTR);
	close(fd);
	if (n == -1)
		return errno == ESRCH ? AAD_ENOENT : AAD_ESYS;
	text[n] = '\0';
	return process_parse(text, (size_t)n, startp);
}

int
process_exe(int64_t pid, char out[static PROCESS_EXE_MAX])
{
	char path[64];
	ssize_t n;

	out[0] = '\0';
	snprintf(path, sizeof(path), "/proc/%" PRId64 "/exe", pid);
	n = readlink(path, out, PROCESS_EXE_MAX);
	if (n == -1) {
		out[0] = '\0';
		return errno == ENOENT || errno == ESRCH ? gone_or_no_proc()
							 : AAD_ESYS;
	}
	if (n == PROCESS_EXE_MAX) {
		out[0] = '\0';
		return AAD_ETOOBIG;
	}
	out[n] = '\0';
	process_undeleted(out);
	return 0;
}

char *
process_undeleted(char *path)
{
	size_t len = strlen(path), tail = strlen(DELETED);

	if (len > tail && strcmp(path + len - tail, DELETED) == 0)
		path[len - tail] = '\0';
	return path;
}
