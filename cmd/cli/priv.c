/* SPDX-License-Identifier: ISC */

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cmd/cli/priv.h"

#define KEEP_MAX  8
#define VALUE_MAX 256 /* bytes of a variable that is kept */

/* Close the descriptors from first to last, both included. */
static void
close_all(unsigned int first, unsigned int last)
{
	unsigned int fd;

	if (first > last || syscall(SYS_close_range, first, last, 0U) == 0)
		return;
	/* NB. before Linux 5.9: sshd's own closefrom(3) did it. */
	for (fd = first; fd <= last && fd < 1024; fd++)
		close((int)fd);
}

static int
settle_descriptors(int keep)
{
	int fd;

	if (keep < 3) {
		close_all(3, ~0U);
	} else {
		close_all(3, (unsigned int)keep - 1);
		close_all((unsigned int)keep + 1, ~0U);
		if (fcntl(keep, F_SETFD, FD_CLOEXEC) == -1)
			return AAD_ESYS;
	}
	for (fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) == -1 && errno == EBADF &&
		    open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY) != fd)
			return AAD_ESYS;
	return 0;
}

int
priv_begin_keeping(int keep)
{
	const struct rlimit none = { 0, 0 };
	int r;

	if ((r = settle_descriptors(keep)) != 0)
		return r;
	/* A reader that went away is a failed write, not an end. */
	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		return AAD_ESYS;
	umask(077);
	if (setrlimit(RLIMIT_CORE, &none) == -1 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return AAD_ESYS;
	return 0;
}

int
priv_begin(void)
{
	return priv_begin_keeping(-1);
}

int
priv_signals(void)
{
	struct sigaction sa;
	sigset_t none;
	int sig;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = SIG_DFL;
	for (sig = 1; sig < 32; sig++) {
		/* A reader that went away, or a file that may not grow, is a
		 * failed write. */
		sa.sa_handler = sig == SIGPIPE || sig == SIGXFSZ ? SIG_IGN
								 : SIG_DFL;
		if (sig != SIGKILL && sig != SIGSTOP)
			sigaction(sig, &sa, NULL);
	}
	sigemptyset(&none);
	return sigprocmask(SIG_SETMASK, &none, NULL) == -1 ? AAD_ESYS : 0;
}

/* Whether a locale's name says UTF-8 behind its dot. */
static bool
names_utf8(const char *locale)
{
	const char *set = strchr(locale, '.');

	return set != NULL && (strncasecmp(set, ".utf-8", 6) == 0 ||
				  strncasecmp(set, ".utf8", 5) == 0);
}

bool
priv_utf8(void)
{
	static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };
	const char *value;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if ((value = getenv(names[i])) != NULL && value[0] != '\0')
			return names_utf8(value);
	return false;
}

int
priv_end_with_parent(void)
{
	pid_t parent = getppid();

	if (prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0) == -1)
		return AAD_ESYS;
	/* NB. it may have ended before we asked. */
	return getppid() == parent ? 0 : AAD_ENOENT;
}

void
priv_variable(const char *name, char *out, size_t len)
{
	const char *value = getenv(name);

	out[0] = '\0';
	if (value != NULL && strlen(value) < len)
		memcpy(out, value, strlen(value) + 1);
}

int
priv_clean_environment(const char *const *keep)
{
	static const char *const nothing[] = { NULL };
	char term[VALUE_MAX], values[KEEP_MAX][VALUE_MAX];
	size_t i, n;

	if (keep == NULL)
		keep = nothing;
	priv_variable("TERM", term, sizeof(term));
	for (n = 0; keep[n] != NULL && n < KEEP_MAX; n++)
		priv_variable(keep[n], values[n], VALUE_MAX);
	clearenv();
	if (term[0] != '\0' && setenv("TERM", term, 1) == -1)
		return AAD_ENOMEM;
	for (i = 0; i < n; i++)
		if (values[i][0] != '\0' && setenv(keep[i], values[i], 1) == -1)
			return AAD_ENOMEM;
	return 0;
}

int
priv_drop(uid_t uid, gid_t gid)
{
	if (setgroups(0, NULL) == -1 || setresgid(gid, gid, gid) == -1 ||
	    setresuid(uid, uid, uid) == -1)
		return AAD_ESYS;
	if (uid != 0 && (setuid(0) == 0 || seteuid(0) == 0))
		return AAD_EPERM;
	/* NB. a change of uid made the process dumpable again. */
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1 ? AAD_ESYS : 0;
}
