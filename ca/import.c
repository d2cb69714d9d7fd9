/* SPDX-License-Identifier: ISC */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ca/import.h"
#include "ca/spawn.h"
#include "core/file.h"

#define IMPORT "aadssh-ca-import"

static int
cannot(const char *path, const char *why)
{
	fprintf(stderr, "%s: %s: %s\n", CA_PROG, path, why);
	return EXIT_CANNOT;
}

int
import_key(struct ca_app *app, const char *path,
    const volatile sig_atomic_t *stop, struct secret **outp)
{
	char program[PATH_MAX], file[PATH_MAX], name[] = IMPORT;
	char *argv[] = { name, file, NULL };
	struct spawn s = { program, argv, NULL, -1, -1, 2, -1, false, NULL,
		false };
	int pipes[2], r, code;
	pid_t pid;

	*outp = NULL;
	if (spawn_find(IMPORT, program) != 0)
		return cannot(IMPORT, "it is not beside aadssh-ca or in "
				      "" SPAWN_LIBEXEC);
	if (strlen(path) >= sizeof(file))
		return cannot(path, strerror(ENAMETOOLONG));
	memcpy(file, path, strlen(path) + 1);
	if (pipe2(pipes, O_CLOEXEC) == -1)
		return cannot(IMPORT, strerror(errno));
	s.out = pipes[1];
	r = spawn_start(app, &s, &pid);
	close(pipes[1]);
	if (r == 0)
		r = spawn_take(pipes[0], stop, outp);
	file_close(pipes[0]);
	code = pid == -1 ? -1 : spawn_wait(pid, -1, stop);
	if (code == EXIT_DONE && r == 0 && *outp != NULL)
		return EXIT_DONE;
	secret_free(*outp);
	*outp = NULL;
	if (code == EXIT_NO || code == EXIT_CANNOT)
		return code;
	return cannot(path, "it was not converted");
}
