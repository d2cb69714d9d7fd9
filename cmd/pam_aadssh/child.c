/* SPDX-License-Identifier: ISC */

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cmd/pam_aadssh/child.h"
#include "cmd/pam_aadssh/judged.h"
#include "cmd/pam_aadssh/kernel.h"

#ifndef AADSSH_PROG
#define AADSSH_PROG "/usr/libexec/aadssh/aadssh"
#endif
#define LAST_WORDS_MS 1000 /* from SIGTERM to SIGKILL */
#define KILLED_MS     2000 /* one that SIGKILL does not end is left behind */
#define STEP_NS	      50000 /* the first wait for its end; then twice that */
#define STEP_MAX_NS   10000000

/* Whom the handler ends; a process has one child at a time. */
static volatile sig_atomic_t guarded;

/* NB. the handler calls this: only what signal-safety(7) lists. */
static bool
reaped(pid_t pid, int64_t ms, int *statusp)
{
	struct timespec step = { 0, STEP_NS };
	int64_t end = kernel_clock_ms() + ms;
	pid_t got;

	for (;;) {
		got = waitpid(pid, statusp, WNOHANG);
		if (got == pid)
			return true;
		if (got == -1 && errno != EINTR) {
			*statusp = -1;
			return true;
		}
		if (kernel_clock_ms() >= end)
			return false;
		/* NB. its pipe ends a moment before it does: a long first
		 * step would be what most logins wait for. */
		nanosleep(&step, NULL);
		if (step.tv_nsec < STEP_MAX_NS)
			step.tv_nsec *= 2;
	}
}

static void
stop(pid_t pid)
{
	int status;

	kill(pid, SIGTERM);
	if (reaped(pid, LAST_WORDS_MS, &status))
		return;
	kill(pid, SIGKILL);
	reaped(pid, KILLED_MS, &status);
}

/* SIGTERM: the client left at the prompt, or LoginGraceTime is over. */
static void
end_both(int sig)
{
	if (guarded > 0)
		stop((pid_t)guarded);
	guarded = 0;
	signal(sig, SIG_DFL);
	raise(sig); /* as soon as this returns */
}

static void
signals_take(struct child *c, bool session)
{
	struct sigaction sa;

	memset(&sa, 0, sizeof(sa));
	sigemptyset(&sa.sa_mask);
	sa.sa_handler = SIG_DFL;
	sigaction(SIGCHLD, &sa, &c->chld);
	sa.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &sa, &c->pipe);
	sigaction(SIGTERM, NULL, &c->term);
	sa.sa_handler = end_both;
	if (!session && (c->term.sa_flags & SA_SIGINFO) == 0 &&
	    c->term.sa_handler == SIG_DFL)
		sigaction(SIGTERM, &sa, NULL);
}

static void
signals_return(const struct child *c)
{
	sigaction(SIGTERM, &c->term, NULL);
	sigaction(SIGPIPE, &c->pipe, NULL);
	sigaction(SIGCHLD, &c->chld, NULL);
}

/* ---- in the child: any failure ends it -------------------------------- */

static bool
signals_reset(void)
{
	struct sigaction sa;
	sigset_t none;
	int sig;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = SIG_DFL;
	for (sig = 1; sig < NSIG; sig++)
		if (sig != SIGKILL && sig != SIGSTOP)
			sigaction(sig, &sa, NULL);
	sigemptyset(&none);
	return sigprocmask(SIG_SETMASK, &none, NULL) == 0;
}

/* in and out as 0 and 1, /dev/null as 2, and not one more of sshd's. */
static bool
descriptors(int in, int out)
{
	int fd, null;

	/* NB. above 2 first, or one dup2(2) could close another. */
	if ((in = fcntl(in, F_DUPFD, 3)) == -1 ||
	    (out = fcntl(out, F_DUPFD, 3)) == -1 || dup2(in, 0) == -1 ||
	    dup2(out, 1) == -1 || (null = open("/dev/null", O_RDWR)) == -1 ||
	    dup2(null, 2) == -1)
		return false;
	if (syscall(SYS_close_range, 3U, ~0U, 0U) == -1)
		for (fd = 3; fd < 1024; fd++) /* before Linux 5.9 */
			close(fd);
	return true;
}

static bool
drop(uid_t uid, gid_t gid)
{
	const struct rlimit none = { 0, 0 };

	umask(077);
	return chdir("/") == 0 && setrlimit(RLIMIT_CORE, &none) == 0 &&
	       setgroups(0, NULL) == 0 && setresgid(gid, gid, gid) == 0 &&
	       setresuid(uid, uid, uid) == 0 &&
	       (uid == 0 || (setuid(0) == -1 && seteuid(0) == -1));
}

static _Noreturn void
become(const struct options *o, bool session, const struct stat *owner, int in,
    int out, pid_t parent)
{
	static char name[] = "aadssh", flag[] = "-f", verb[] = "pam",
		    phase[] = "session", path[] = "PATH=/usr/bin:/bin",
		    lang[] = "LANG=C";
	char *argv[] = { name, flag, NULL, verb, session ? phase : NULL, NULL };
	char *env[] = { path, lang, NULL };

	/* NB. the death signal is forgotten at a change of uid; whoever died
	 * before it was set is no longer our parent. */
	if (!signals_reset() || !descriptors(in, out) ||
	    !drop(owner->st_uid, owner->st_gid) ||
	    prctl(PR_SET_PDEATHSIG, SIGKILL) == -1 || getppid() != parent ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
	    (argv[2] = strdup(o->conf)) == NULL)
		_exit(126);
	execve(AADSSH_PROG, argv, env);
	_exit(127);
}

/* ---- in sshd ------------------------------------------------------------ */

static void
close_both(int fds[2])
{
	if (fds[0] != -1)
		close(fds[0]);
	if (fds[1] != -1)
		close(fds[1]);
	fds[0] = fds[1] = -1;
}

/*
 * Fork with SIGTERM held back, so that it finds either no child or one that
 * it knows of.
 */
static pid_t
fork_guarded(const struct options *o, bool session, const struct stat *owner,
    const int in[2], const int out[2])
{
	pid_t parent = getpid(), pid;
	sigset_t term, old;

	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, &old);
	if ((pid = fork()) == 0)
		become(o, session, owner, in[0], out[1], parent);
	guarded = pid > 0 ? (sig_atomic_t)pid : 0;
	sigprocmask(SIG_SETMASK, &old, NULL);
	return pid;
}

bool
child_start(struct child *c, const struct options *o, bool session,
    const char **whyp)
{
	int dir, in[2] = { -1, -1 }, out[2] = { -1, -1 };
	struct stat owner;
	pid_t pid = -1;

	c->pid = 0;
	c->to = c->from = -1;
	signals_take(c, session);
	dir = judged_dir(AT_FDCWD, o->state, JUDGED_ANY_OWNER, &owner);
	if (dir == -1) {
		*whyp = "no sound state directory";
		return false;
	}
	close(dir);
	*whyp = "no process for aadssh pam";
	if (pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0 &&
	    fcntl(in[1], F_SETFL, O_NONBLOCK) == 0 &&
	    fcntl(out[0], F_SETFL, O_NONBLOCK) == 0)
		pid = fork_guarded(o, session, &owner, in, out);
	if (pid > 0) {
		c->pid = pid;
		c->to = in[1];
		c->from = out[0];
		in[1] = out[0] = -1; /* now the child's record's */
	}
	close_both(in);
	close_both(out);
	return pid > 0;
}

void
child_hush(struct child *c)
{
	if (c->to != -1)
		close(c->to);
	c->to = -1;
}

bool
child_wait(struct child *c, int64_t ms, int *statusp)
{
	*statusp = -1;
	if (c->pid == 0 || !reaped(c->pid, ms, statusp))
		return c->pid == 0;
	guarded = 0;
	c->pid = 0;
	return true;
}

void
child_end(struct child *c)
{
	child_hush(c);
	if (c->from != -1)
		close(c->from);
	c->from = -1;
	if (c->pid > 0)
		stop(c->pid);
	guarded = 0;
	c->pid = 0;
	signals_return(c);
}
