/* SPDX-License-Identifier: ISC */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ca/signin.h"
#include "ca/spawn.h"
#include "core/file.h"

static int
cannot(const char *what)
{
	fprintf(stderr, "%s: the sign-in cannot be started: %s\n", CA_PROG,
	    what);
	return EXIT_CANNOT;
}

int
signin_token(struct ca_app *app, const char *pub,
    const volatile sig_atomic_t *stop, struct secret **tokenp)
{
	char path[PATH_MAX], conf[PATH_MAX], key[PATH_MAX],
	    name[] = "aadssh", f[] = "-f", verb[] = "token", k[] = "--key",
	    fd[] = "--fd", three[] = "3";
	char *argv[] = { name, f, conf, verb, k, key, fd, three, NULL };
	struct spawn s = { path, argv, NULL, 0, -1, 2, -1, false, NULL, false };
	int pipes[2], r, code;
	pid_t pid;

	*tokenp = NULL;
	if (spawn_find("aadssh", path) != 0)
		return cannot("there is no aadssh beside aadssh-ca or in "
			      "" SPAWN_LIBEXEC);
	if (ca_conf_absolute(app, conf) != 0 || realpath(pub, key) == NULL ||
	    pipe2(pipes, O_CLOEXEC) == -1)
		return cannot(strerror(errno));
	s.extra = pipes[1];
	r = spawn_start(app, &s, &pid);
	close(pipes[1]);
	if (r != 0) {
		close(pipes[0]);
		return cannot(strerror(errno));
	}
	r = spawn_take(pipes[0], stop, tokenp);
	close(pipes[0]);
	code = spawn_wait(pid, -1, stop);
	if (code == EXIT_DONE && r == 0 && *tokenp != NULL)
		return EXIT_DONE;
	secret_free(*tokenp);
	*tokenp = NULL;
	if (code == EXIT_NO || code == EXIT_USAGE || code == EXIT_CANNOT)
		return code == EXIT_USAGE ? EXIT_CANNOT : code;
	if (stop != NULL && *stop != 0)
		return EXIT_CANNOT;
	return cannot(code == 127 ? "aadssh cannot be run"
				  : "it ended without a token");
}
