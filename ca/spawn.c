/* SPDX-License-Identifier: ISC */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ca/spawn.h"
#include "cmd/cli/clock.h"
#include "cmd/cli/priv.h"

#define LAST_WORDS_MS 2000 /* from SIGTERM to SIGKILL */
#define STEP_MS	      1 /* the first wait for its end; then twice that */
#define STEP_MAX_MS   20
#define POLL_MS	      500 /* how late a stop may be seen */
#define CANNOT_START  126
#define CANNOT_EXEC   127

/* ---- where our programs are ------------------------------------------- */

/* Root's or ours, and nobody else can write it. */
static bool
trusted(const char *path, mode_t type)
{
	struct stat sb;

	return stat(path, &sb) == 0 && (sb.st_mode & S_IFMT) == type &&
	       (sb.st_uid == 0 || sb.st_uid == geteuid()) &&
	       (sb.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

static bool
beside(const char *dir, const char *name, char out[static PATH_MAX])
{
	int n = snprintf(out, PATH_MAX, "%s/%s", dir, name);

	return n > 0 && n < PATH_MAX && trusted(out, S_IFREG) &&
	       access(out, X_OK) == 0;
}

int
spawn_find(const char *name, char out[static PATH_MAX])
{
	char self[PATH_MAX], *slash;
	ssize_t n;

	n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	self[n > 0 ? n : 0] = '\0';
	if (n > 0 && trusted(self, S_IFREG) &&
	    (slash = strrchr(self, '/')) != NULL && slash != self) {
		*slash = '\0';
		if (trusted(self, S_IFDIR) && beside(self, name, out))
			return 0;
	}
	if (trusted(SPAWN_LIBEXEC, S_IFDIR) && beside(SPAWN_LIBEXEC, name, out))
		return 0;
	out[0] = '\0';
	return AAD_ENOENT;
}

/* ---- in the child: any failure ends it -------------------------------- */

/* fd, or /dev/null, as a number that nothing is dup2(2)ed over. */
static int
high(int fd, int flags)
{
	int null, up;

	if (fd != -1)
		return fcntl(fd, F_DUPFD, 10);
	if ((null = open("/dev/null", flags)) == -1)
		return -1;
	up = fcntl(null, F_DUPFD, 10);
	close(null);
	return up;
}

/* Whether it is to be somebody else than we are. */
static bool
becomes(const struct spawn *s)
{
	return s->become != NULL && s->become->uid != geteuid();
}

static bool
descriptors(const struct spawn *s)
{
	unsigned int first = s->extra == -1 ? 3 : 4;
	int in, out, err, extra = -1, fd;
	/* NB. a terminal can be read by its stderr, too. */
	bool hide = becomes(s) && isatty(s->err) == 1;

	if ((in = high(s->in, O_RDONLY)) == -1 ||
	    (out = high(s->out, O_WRONLY)) == -1 ||
	    (err = high(hide ? -1 : s->err, O_WRONLY)) == -1 ||
	    (s->extra != -1 && (extra = high(s->extra, 0)) == -1) ||
	    dup2(in, 0) == -1 || dup2(out, 1) == -1 || dup2(err, 2) == -1 ||
	    (extra != -1 && dup2(extra, 3) == -1))
		return false;
	if (syscall(SYS_close_range, first, ~0U, 0U) == -1)
		for (fd = (int)first; fd < 1024; fd++) /* before Linux 5.9 */
			close(fd);
	return true;
}

static bool
become(const struct spawn *s)
{
	return !becomes(s) || priv_drop(s->become->uid, s->become->gid) == 0;
}

static _Noreturn void
child(const struct ca_app *app, const struct spawn *s, pid_t parent)
{
	char term[CA_ENV_MAX + 8], agent[CA_ENV_MAX + 16],
	    path[] = "PATH=/usr/bin:/bin", c[] = "LANG=C",
	    utf8[] = "LANG=C.UTF-8";
	char *env[] = { path, app->utf8 ? utf8 : c, NULL, NULL, NULL };
	size_t n = 2;

	if (app->term[0] != '\0') {
		snprintf(term, sizeof(term), "TERM=%s", app->term);
		env[n++] = term;
	}
	if (s->agent != NULL) {
		snprintf(agent, sizeof(agent), "SSH_AUTH_SOCK=%s", s->agent);
		env[n++] = agent;
	}
	/* NB. leave the session before a signal to our group would end us, and
	 * with it the terminal, in which another user would type as its owner
	 * (TIOCSTI).  The death signal is forgotten at a change of uid; whoever
	 * died before it was set is no longer our parent. */
	if (((s->apart || s->mute) && setsid() == -1) || priv_signals() != 0 ||
	    signal(SIGPIPE, SIG_DFL) == SIG_ERR || !descriptors(s) ||
	    (s->apart && chdir("/") == -1) || !become(s) ||
	    prctl(PR_SET_PDEATHSIG, SIGTERM) == -1 || getppid() != parent)
		_exit(CANNOT_START);
	execve(s->path, s->argv, env);
	_exit(CANNOT_EXEC);
}

/* ---- in aadssh-ca ----------------------------------------------------- */

int
spawn_start(const struct ca_app *app, const struct spawn *s, pid_t *pidp)
{
	pid_t parent = getpid();

	*pidp = -1;
	fflush(stdout);
	fflush(stderr);
	if ((*pidp = fork()) == 0)
		child(app, s, parent);
	return *pidp == -1 ? AAD_ESYS : 0;
}

static bool
reaped(pid_t pid, int64_t end_ms, const volatile sig_atomic_t *stop,
    int *statusp)
{
	int64_t step = STEP_MS;
	pid_t got;

	for (;;) {
		got = waitpid(pid, statusp, WNOHANG);
		if (got == pid)
			return true;
		if (got == -1 && errno != EINTR) {
			*statusp = -1;
			return true;
		}
		if ((end_ms >= 0 && clock_mono_ms() >= end_ms) ||
		    (stop != NULL && *stop != 0))
			return false;
		clock_sleep_ms(step, stop);
		if (step < STEP_MAX_MS)
			step *= 2;
	}
}

void
spawn_end(pid_t pid)
{
	int status;

	if (pid <= 0)
		return;
	/* NB. kill(2) fails for a child that became another user's: then
	 * the closed pipe has to do. */
	kill(pid, SIGTERM);
	if (reaped(pid, clock_mono_ms() + LAST_WORDS_MS, NULL, &status))
		return;
	kill(pid, SIGKILL);
	reaped(pid, clock_mono_ms() + LAST_WORDS_MS, NULL, &status);
}

int
spawn_wait(pid_t pid, int64_t end_ms, const volatile sig_atomic_t *stop)
{
	int status;

	if (!reaped(pid, end_ms, stop, &status)) {
		spawn_end(pid);
		return -1;
	}
	return status != -1 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Until fd can be read.  NB. short waits, for a signal that comes just before
 * poll(2). */
static int
readable(int fd, int64_t end_ms, const volatile sig_atomic_t *stop)
{
	struct pollfd p = { fd, POLLIN, 0 };

	for (;;) {
		if (stop != NULL && *stop != 0)
			return AAD_ESYS;
		if (end_ms >= 0 && clock_mono_ms() >= end_ms)
			return AAD_EAGAIN;
		if (poll(&p, 1, POLL_MS) > 0)
			return 0;
	}
}

int
spawn_read(int fd, void *buf, size_t max, int64_t end_ms,
    const volatile sig_atomic_t *stop, size_t *lenp)
{
	uint8_t *p = buf;
	ssize_t n;
	int r;

	for (*lenp = 0; *lenp < max;) {
		if ((r = readable(fd, end_ms, stop)) != 0)
			return r;
		n = read(fd, p + *lenp, max - *lenp);
		if (n == 0)
			return 0;
		if (n == -1 && errno != EINTR)
			return AAD_ESYS;
		if (n > 0)
			*lenp += (size_t)n;
	}
	return AAD_ETOOBIG;
}

int
spawn_take(int fd, const volatile sig_atomic_t *stop, struct secret **outp)
{
	struct secret *all = NULL, *fit = NULL;
	size_t len = 0;
	int r;

	*outp = NULL;
	if ((r = secret_new(SECRET_MAX, &all)) != 0)
		return r;
	r = spawn_read(fd, secret_bytes(all), SECRET_MAX, -1, stop, &len);
	if (r == 0 && len > 0 && (r = secret_new(len, &fit)) == 0)
		memcpy(secret_bytes(fit), secret_bytes(all), len);
	secret_free(all);
	*outp = fit;
	return r;
}
