/* SPDX-License-Identifier: ISC */

#include <errno.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd/cli/child.h"
#include "cmd/cli/verb.h"

int
child_run(int (*fn)(void *arg), void *arg, int *codep)
{
	int code, status;
	pid_t pid, got;

	*codep = -1;
	fflush(stdout);
	fflush(stderr);
	if ((pid = fork()) == -1)
		return AAD_ESYS;
	if (pid == 0) {
		code = fn(arg);
		if (fflush(stdout) != 0 || ferror(stdout))
			code = EXIT_CANNOT;
		fflush(stderr);
		/* NB. not exit(3): what is registered there is our parent's. */
		_exit(code);
	}
	do
		got = waitpid(pid, &status, 0);
	while (got == -1 && errno == EINTR);
	if (got != pid)
		return AAD_ESYS;
	if (!WIFEXITED(status))
		return AAD_EINTERNAL;
	*codep = WEXITSTATUS(status);
	return 0;
}
