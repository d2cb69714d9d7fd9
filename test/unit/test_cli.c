/* SPDX-License-Identifier: ISC */

/* cmd/cli: what a process gives up, its fences, its log lines, its verbs. */

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#include "cmd/cli/child.h"
#include "cmd/cli/clock.h"
#include "cmd/cli/log.h"
#include "cmd/cli/out.h"
#include "cmd/cli/priv.h"
#include "cmd/cli/process.h"
#include "cmd/cli/sandbox.h"
#include "cmd/cli/verb.h"
#include "core/text.h"
#include "test/unit/lastlog.h"
#include "test/unit/unit.h"

/* ---- the log ------------------------------------------------------- */

static void
valid_log_line(void **state)
{
	const struct log_field f[] = {
		{ "verdict", "yes" },
		{ "empty", "" },
		{ "none", NULL },
		{ "key", "SHA256:abc+/9" },
		{ "upn", "alice@contoso.com" },
	};

	(void)state;
	log_event(LOG_INFO, "key", f, 5);
	assert_string_equal(lastlog,
	    "event=key verdict=yes key=SHA256:abc+/9 upn=alice@contoso.com");
	assert_int_equal(lastlog_priority, LOG_INFO);
}

static void
II_O10_log_injection(void **state)
{
	static const char *const values[] = { "a\nevent=key verdict=yes",
		"a verdict=yes", "a\" verdict=yes", "a\\\" b", "\033[2J",
		"a\r\nb", "\xe2\x80\xae", "a=b", "%s%n", "\x7f", "'" };
	struct log_field f = { "v", NULL };
	size_t i, k, quotes;

	(void)state;
	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		f.value = values[i];
		log_event(LOG_INFO, "key", &f, 1);
		assert_memory_equal(lastlog, "event=key v=\"", 13);
		assert_int_equal(lastlog[strlen(lastlog) - 1], '"');
		for (k = quotes = 0; lastlog[k] != '\0'; k++) {
			assert_true(lastlog[k] >= ' ' && lastlog[k] <= '~');
			quotes += lastlog[k] == '"';
		}
		/* One field, quoted once: nothing of it can be another. */
		assert_int_equal(quotes, 2);
	}
}

static void
boundary_log_line_is_bounded(void **state)
{
	char big[5000];
	struct log_field f[8];
	size_t i;

	(void)state;
	memset(big, 'a', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	for (i = 0; i < 8; i++) {
		f[i].name = "field";
		f[i].value = big;
	}
	log_event(LOG_INFO, big, f, 8);
	assert_true(strlen(lastlog) < 1000);
}

static void
reasons_and_loudness(void **state)
{
	(void)state;
	assert_int_equal(log_priority(AAD_R_ALLOWED), LOG_INFO);
	assert_int_equal(log_priority(AAD_R_NO_RECORD), LOG_INFO);
	assert_int_equal(log_priority(AAD_R_DENIALS_UNREADABLE), LOG_ERR);
}

/* ---- what a process gives up --------------------------------------- */

/* Run in a child; its exit status, or 256 + signal. */
static int
in_child(int (*fn)(void))
{
	pid_t pid = fork();
	int status;

	assert_int_not_equal(pid, -1);
	if (pid == 0)
		_exit(fn());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? 256 + WTERMSIG(status)
				   : WEXITSTATUS(status);
}

#define CHECK(what)                                                            \
	do {                                                                   \
		if (!(what)) {                                                 \
			dprintf(2, "%s:%d: %s\n", __FILE__, __LINE__, #what);  \
			return 1;                                              \
		}                                                              \
	} while (0)

static int
begin_child(void)
{
	struct sigaction sa;
	struct rlimit rl;
	sigset_t mask;

	CHECK(dup2(1, 77) == 77);
	sigfillset(&mask);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	signal(SIGTERM, SIG_IGN);
	umask(0);
	CHECK(priv_begin() == 0 && priv_signals() == 0);
	CHECK(fcntl(77, F_GETFD) == -1 && errno == EBADF);
	CHECK(umask(0) == 077);
	CHECK(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
	CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	CHECK(getrlimit(RLIMIT_CORE, &rl) == 0 && rl.rlim_max == 0);
	CHECK(sigprocmask(SIG_SETMASK, NULL, &mask) == 0);
	CHECK(!sigismember(&mask, SIGTERM));
	CHECK(sigaction(SIGTERM, NULL, &sa) == 0 && sa.sa_handler == SIG_DFL);
	CHECK(sigaction(SIGPIPE, NULL, &sa) == 0 && sa.sa_handler == SIG_IGN);
	CHECK(sigaction(SIGXFSZ, NULL, &sa) == 0 && sa.sa_handler == SIG_IGN);
	return 0;
}

static int
closed_child(void)
{
	close(0);
	close(1);
	close(2);
	CHECK(priv_begin() == 0);
	/* A file opened next must not become somebody's stdout. */
	return open("/dev/null", O_RDONLY) > 2 ? 0 : 1;
}

/* One descriptor stays, wherever it is, and only that one. */
static int
keeping_child(void)
{
	const int others[] = { 3, 4, 6, 7, 900 };
	size_t i;

	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		CHECK(dup2(2, others[i]) == others[i]);
	CHECK(dup2(2, 5) == 5);
	CHECK(priv_begin_keeping(5) == 0);
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		CHECK(fcntl(others[i], F_GETFD) == -1);
	CHECK(fcntl(5, F_GETFD) == FD_CLOEXEC);
	CHECK(dup2(2, 3) == 3 && dup2(2, 4) == 4);
	CHECK(priv_begin_keeping(3) == 0);
	CHECK(fcntl(3, F_GETFD) == FD_CLOEXEC);
	CHECK(fcntl(4, F_GETFD) == -1 && fcntl(5, F_GETFD) == -1);
	CHECK(priv_begin_keeping(2) == 0);
	CHECK(fcntl(2, F_GETFD) == 0 && fcntl(3, F_GETFD) == -1);
	return priv_begin_keeping(77) == AAD_ESYS ? 0 : 1;
}

static void
II_O9_descriptors_signals_limits(void **state)
{
	(void)state;
	assert_int_equal(in_child(keeping_child), 0);
	assert_int_equal(in_child(begin_child), 0);
	assert_int_equal(in_child(closed_child), 0);
}

static int
environment_child(void)
{
	static const char *const keep[] = { "LANG", NULL };

	setenv("LD_PRELOAD", "/tmp/x.so", 1);
	setenv("https_proxy", "http://evil", 1);
	setenv("SSL_CERT_FILE", "/tmp/ca", 1);
	setenv("SSLKEYLOGFILE", "/tmp/keys", 1);
	setenv("OPENSSL_CONF", "/tmp/o", 1);
	setenv("TERM", "xterm", 1);
	setenv("LANG", "C.UTF-8", 1);
	CHECK(priv_clean_environment(NULL) == 0);
	CHECK(getenv("LD_PRELOAD") == NULL && getenv("https_proxy") == NULL);
	CHECK(getenv("SSL_CERT_FILE") == NULL && getenv("LANG") == NULL);
	CHECK(getenv("SSLKEYLOGFILE") == NULL && getenv("PATH") == NULL);
	CHECK(strcmp(getenv("TERM"), "xterm") == 0);
	setenv("LANG", "C.UTF-8", 1);
	CHECK(priv_clean_environment(keep) == 0);
	CHECK(strcmp(getenv("LANG"), "C.UTF-8") == 0);
	return 0;
}

static void
I_B12_environment_is_emptied(void **state)
{
	(void)state;
	assert_int_equal(in_child(environment_child), 0);
}

static int
drop_child(void)
{
	gid_t groups[2] = { 4, 27 };
	uid_t r, e, s;

	if (geteuid() != 0)
		return 77;
	CHECK(setgroups(2, groups) == 0);
	CHECK(priv_drop(65534, 65534) == 0);
	CHECK(getresuid(&r, &e, &s) == 0 && r == 65534 && e == 65534 &&
	      s == 65534);
	CHECK(getresgid(&r, &e, &s) == 0 && r == 65534 && e == 65534 &&
	      s == 65534);
	CHECK(getgroups(2, groups) == 0);
	CHECK(setuid(0) == -1);
	CHECK(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
	return 0;
}

static void
II_O7_no_way_back(void **state)
{
	int r = in_child(drop_child);

	(void)state;
	if (r == 77)
		skip();
	assert_int_equal(r, 0);
}

static int
drop_unprivileged_child(void)
{
	if (geteuid() == 0)
		CHECK(priv_drop(65534, 65534) == 0);
	CHECK(priv_drop(0, 0) != 0);
	return 0;
}

static void
wrong_drop_is_an_error(void **state)
{
	(void)state;
	assert_int_equal(in_child(drop_unprivileged_child), 0);
}

/*
 * AddressSanitizer itself needs files and system calls that the fences take
 * away; the plain builds of both compilers run these.
 */
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif

#ifndef SANITIZED
/* ---- fences -------------------------------------------------------- */

static int
paths_child(void)
{
	static const char *const allowed[] = { "/usr", "/nonexistent",
		"/etc/hostname" };

	CHECK(priv_begin() == 0);
	CHECK(sandbox_paths(allowed, 3, -1) == 0);
	if (open("/etc/passwd", O_RDONLY) != -1)
		return 77; /* no Landlock in this kernel */
	CHECK(errno == EACCES);
	CHECK(open("/usr/bin/env", O_RDONLY) != -1);
	CHECK(open("/usr/bin/env", O_WRONLY) == -1 && errno == EACCES);
	CHECK(open("/tmp/aadssh-test-fence", O_WRONLY | O_CREAT, 0600) == -1);
	CHECK(open("/root", O_RDONLY | O_DIRECTORY) == -1);
	return 0;
}

#define APPEND (O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW)

/* In the directory of the offers files are made and grow, and that is all. */
static int
append_child(void)
{
	static const char *const allowed[] = { "/usr" };
	char dir[] = "/tmp/aadssh-fence-XXXXXX";
	int at, fd;

	CHECK(priv_begin() == 0);
	CHECK(mkdtemp(dir) != NULL);
	CHECK((at = open(dir, O_RDONLY | O_DIRECTORY)) != -1);
	CHECK((fd = openat(at, "old", APPEND, 0600)) != -1);
	CHECK(write(fd, "x", 1) == 1);
	CHECK(sandbox_paths(allowed, 1, at) == 0);
	if (open("/etc/passwd", O_RDONLY) != -1)
		return 77; /* no Landlock in this kernel */
	CHECK((fd = openat(at, "new", APPEND, 0600)) != -1);
	CHECK(write(fd, "x", 1) == 1);
	CHECK(openat(at, "old", APPEND, 0600) != -1);
	CHECK(openat(at, "old", O_RDONLY) == -1 && errno == EACCES);
	CHECK(openat(at, ".", O_RDONLY | O_DIRECTORY) == -1);
	CHECK(unlinkat(at, "old", 0) == -1);
	CHECK(mkdirat(at, "d", 0700) == -1);
	CHECK(symlinkat("old", at, "s") == -1);
	CHECK(openat(at, "../aadssh-outside", APPEND, 0600) == -1);
	return 0;
}

static void
I_B18_landlock_lets_offers_grow(void **state)
{
	int r = in_child(append_child);

	(void)state;
	if (system("rm -rf /tmp/aadssh-fence-*") != 0)
		fail();
	if (r == 77)
		skip();
	assert_int_equal(r, 0);
}

static void
I_B18_landlock_fences_paths(void **state)
{
	int r = in_child(paths_child);

	(void)state;
	if (r == 77)
		skip();
	assert_int_equal(r, 0);
}

static int
calls_child(void)
{
	char byte;

	CHECK(priv_begin() == 0 && sandbox_calls() == 0);
	CHECK(socket(AF_INET, SOCK_STREAM, 0) == -1 && errno == EPERM);
	CHECK(unlink("/tmp/aadssh-nothing") == -1 && errno == EPERM);
	CHECK(mkdir("/tmp/aadssh-nothing", 0700) == -1 && errno == EPERM);
	CHECK(setuid(getuid()) == -1 && errno == EPERM);
	CHECK(read(open("/dev/zero", O_RDONLY | O_CLOEXEC), &byte, 1) == 1);
	return 0;
}

/* The log's socket reaches the log, and no other socket of this host. */
static int
sendto_child(void)
{
	struct sockaddr_un log = { .sun_family = AF_UNIX }, other = log;
	int in, out;

	/* NB. abstract names: a test beside this one has other numbers. */
	snprintf(log.sun_path + 1, 40, "aadssh-test-log-%d", getpid());
	snprintf(other.sun_path + 1, 40, "aadssh-test-other-%d", getpid());
	CHECK(priv_begin() == 0);
	CHECK((in = socket(AF_UNIX, SOCK_DGRAM, 0)) != -1);
	CHECK(bind(in, (struct sockaddr *)&log, sizeof(log)) == 0);
	CHECK((in = socket(AF_UNIX, SOCK_DGRAM, 0)) != -1);
	CHECK(bind(in, (struct sockaddr *)&other, sizeof(other)) == 0);
	CHECK((out = socket(AF_UNIX, SOCK_DGRAM, 0)) != -1);
	CHECK(connect(out, (struct sockaddr *)&log, sizeof(log)) == 0);
	CHECK(sendto(out, "x", 1, 0, (struct sockaddr *)&other,
		  sizeof(other)) == 1);
	CHECK(sandbox_calls() == 0);
	CHECK(send(out, "x", 1, MSG_NOSIGNAL) == 1);
	CHECK(sendto(out, "x", 1, 0, (struct sockaddr *)&other,
		  sizeof(other)) == -1 &&
	      errno == EPERM);
	CHECK(sendto(out, "x", 1, 0, (struct sockaddr *)(1ULL << 32),
		  sizeof(other)) == -1 &&
	      errno == EPERM);
	return 0;
}

static int
exec_child(void)
{
	if (priv_begin() != 0 || sandbox_calls() != 0)
		return 1;
	execl("/bin/true", "true", (char *)NULL);
	return errno == EPERM ? 0 : 2;
}

static int
fork_child(void)
{
	if (priv_begin() != 0 || sandbox_calls() != 0)
		return 1;
	return fork() == -1 && errno == EPERM ? 0 : 2;
}

/* Every number beyond the allowed ones is refused, the newest too. */
static int
numbers_child(void)
{
	static const long refused[] = { SYS_execve, SYS_execveat, SYS_ptrace,
		SYS_clone, SYS_clone3, SYS_socket, SYS_connect, SYS_bind,
		SYS_sendmsg, SYS_renameat2, SYS_unlinkat, SYS_mkdirat,
		SYS_setuid, SYS_kill, SYS_prctl, SYS_memfd_create,
		SYS_pidfd_open, SYS_io_uring_setup, SYS_openat2, SYS_bpf,
		SYS_ioctl, SYS_fcntl, SYS_dup, SYS_pwrite64, SYS_writev, 319,
		320, 321, 449, 511, 512, 1000000 };
	size_t i;

	if (priv_begin() != 0 || sandbox_calls() != 0)
		return 1;
	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		errno = 0;
		if (syscall(refused[i], -1L, 0L, 0L, 0L, 0L, 0L) != -1 ||
		    errno != EPERM)
			return 2;
	}
	return 0;
}

static void
seccomp_fences_calls(void **state)
{
	(void)state;
	assert_int_equal(in_child(calls_child), 0);
	assert_int_equal(in_child(sendto_child), 0);
	assert_int_equal(in_child(exec_child), 0);
	assert_int_equal(in_child(fork_child), 0);
	assert_int_equal(in_child(numbers_child), 0);
}

#endif /* SANITIZED */

/* ---- verbs --------------------------------------------------------- */

static int
verb_ran(void *app, int argc, char **argv)
{
	*(int *)app = argc;
	return strcmp(argv[0], "go") == 0 ? 42 : 43;
}

static const struct verb verbs[] = {
	{ "go", verb_ran, "X", "goes" },
	{ NULL, NULL, NULL, NULL },
};

/* What a command line gives; what it prints is in *said. */
static int
run_line(const char *words, char said[static 4096])
{
	char copy[128], *argv[8], **rest = argv;
	const char *conf = "/etc/conf";
	int fds[2], out, err, argc = 0, n = 0, r = -1;
	ssize_t len;

	snprintf(copy, sizeof(copy), "%s", words);
	for (argv[0] = strtok(copy, " "); argv[argc] != NULL;)
		argv[++argc] = strtok(NULL, " ");
	fflush(stdout);
	out = dup(1);
	err = dup(2);
	assert_int_equal(pipe(fds), 0);
	dup2(fds[1], 1);
	dup2(fds[1], 2);
	if (verb_options(verbs, "prog", "prog [-f CONF]", &conf, &argc, &rest))
		r = verb_dispatch(verbs, "prog [-f CONF]", &n, argc, rest);
	fflush(stdout);
	fprintf(stderr, "%s %d", conf, n);
	dup2(out, 1);
	dup2(err, 2);
	close(out);
	close(err);
	close(fds[1]);
	len = read(fds[0], said, 4095);
	close(fds[0]);
	said[len > 0 ? len : 0] = '\0';
	return r;
}

static void
valid_and_wrong_verbs(void **state)
{
#define ALL "usage: prog [-f CONF] VERB ...\n  go X\n      goes\n"
#define GO  "usage: prog [-f CONF] go X\n      goes\n"
	static const struct {
		const char *words;
		int code; /* -1: it was printed already */
		const char *said;
	} lines[] = {
		{ "prog go", 42, "/etc/conf 1" },
		{ "prog go a -f", 42, "/etc/conf 3" },
		{ "prog go a --help", 42, "/etc/conf 3" },
		{ "prog -f mine go a", 42, "mine 2" },
		{ "prog -f a -f b go", 42, "b 1" },
		{ "prog help", EXIT_DONE, ALL "/etc/conf 0" },
		{ "prog help go", EXIT_DONE, GO "/etc/conf 0" },
		{ "prog go --help", EXIT_DONE, GO "/etc/conf 0" },
		{ "prog go -h", EXIT_DONE, GO "/etc/conf 0" },
		{ "prog --help", -1, ALL "/etc/conf 0" },
		{ "prog -h go", -1, ALL "/etc/conf 0" },
		{ "prog --version", -1,
		    "prog " AADSSH_VERSION "\n/etc/conf 0" },
		{ "prog help gone", EXIT_USAGE, ALL "/etc/conf 0" },
		{ "prog gone", EXIT_USAGE, ALL "/etc/conf 0" },
		{ "prog g", EXIT_USAGE, ALL "/etc/conf 0" },
		{ "prog", EXIT_USAGE, ALL "/etc/conf 0" },
		{ "prog -f", EXIT_USAGE, ALL "/etc/conf 0" },
		{ "prog -x go", EXIT_USAGE, ALL "/etc/conf 0" },
		{ "prog --json go", EXIT_USAGE, ALL "/etc/conf 0" },
	};
	char said[4096];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		assert_int_equal(run_line(lines[i].words, said), lines[i].code);
		assert_string_equal(said, lines[i].said);
	}
#undef ALL
#undef GO
}

static void
clock_goes_forward_and_stops(void **state)
{
	volatile sig_atomic_t stop = 1;
	int64_t before = clock_mono_ms();

	(void)state;
	clock_sleep_ms(60000, &stop);
	clock_sleep_ms(0, NULL);
	clock_sleep_ms(-5, NULL);
	clock_sleep_ms(2, NULL);
	assert_true(clock_mono_ms() >= before + 2);
	assert_true(clock_now() > 1700000000);
}

/* ---- work in a child ----------------------------------------------- */

static int
returns(void *arg)
{
	int *code = arg;
	int value = *code;

	*code = 99;
	return value;
}

static int
dies(void *arg)
{
	raise(*(const int *)arg);
	return 0;
}

static int
gives_up_output(void *arg)
{
	(void)arg;
	if (freopen("/dev/full", "w", stdout) == NULL)
		return 7;
	printf("lost\n");
	return 0;
}

static void
child_codes(void **state)
{
	int code, want, left;

	(void)state;
	for (want = 0; want <= 3; want++) {
		left = want;
		assert_int_equal(child_run(returns, &left, &code), 0);
		assert_int_equal(code, want);
		assert_int_equal(left, want); /* its memory is its own */
	}
	want = SIGKILL;
	assert_int_equal(child_run(dies, &want, &code), AAD_EINTERNAL);
	assert_int_equal(code, -1);
	assert_int_equal(child_run(gives_up_output, NULL, &code), 0);
	assert_int_equal(code, EXIT_CANNOT);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* none is left */
}

static int
fails_to_fork(void *arg)
{
	const struct rlimit none = { 0, 0 };
	int code, want = 0;

	(void)arg;
	if (setrlimit(RLIMIT_NPROC, &none) == -1 ||
	    (geteuid() == 0 && setresuid(65534, 65534, 65534) == -1))
		return 9;
	return child_run(returns, &want, &code) == AAD_ESYS && code == -1 ? 5
									  : 6;
}

static void
no_child(void **state)
{
	int code;

	(void)state;
	assert_int_equal(child_run(fails_to_fork, NULL, &code), 0);
	assert_int_equal(code, 5);
}

/* ---- what the kernel says of a process ----------------------------- */

#define STAT_TAIL                                                              \
	" 1 10 10 0 -1 4194560 1 0 0 0 1 2 0 0 20 0 1 0 4711 9 9 18446744073"

static void
valid_start_times(void **state)
{
	static const char *const lines[] = { "10 (sshd) S" STAT_TAIL,
		"10 (a) Z 1 (b) R" STAT_TAIL, "10 () ) T" STAT_TAIL "\n",
		"10 (sshd: x) S 1\n) S" STAT_TAIL };
	int64_t start;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		assert_int_equal(process_parse(lines[i], strlen(lines[i]),
				     &start),
		    0);
		assert_int_equal(start, 4711);
	}
}

static void
junk_start_times(void **state)
{
	static const char *const junk[] = { "", "10", "10 (sshd", "10 (sshd)",
		"10 (sshd) S", "10 (sshd) S 1 10 10 0 -1 41 1 0 0 0 1 2 0 0 20",
		"10 (x) S 1 10 10 0 -1 41 1 0 0 0 1 2 0 0 20 0 1 0 -4711 9 9",
		"10 (x) S 1 10 10 0 -1 41 1 0 0 0 1 2 0 0 20 0 1 0 4711x 9 9",
		"10 (x) S 1 10 10 0 -1 41 1 0 0 0 1 2 0 0 20 0 1 0  4711 9 9",
		"10 (x) S 1 10 10 0 -1 41 1 0 0 0 1 2 0 0 20 0 1 0 "
		"92233720368547758070 9 9",
		"10 (x) S 1 10 10 0 -1 41 1 0 0 0 1 2 0 0 20 0 1 0 "
		"000000000000000000000000000004711 9 9" };
	static const char dead[] = "10 (x) Z" STAT_TAIL,
			  dying[] = "10 (x) X" STAT_TAIL,
			  nul[] = "10 (x) S\0" STAT_TAIL;
	int64_t start = 1;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(junk) / sizeof(junk[0]); i++) {
		assert_int_equal(process_parse(junk[i], strlen(junk[i]),
				     &start),
		    AAD_EFORMAT);
		assert_int_equal(start, -1);
	}
	assert_int_equal(process_parse(dead, strlen(dead), &start), AAD_ENOENT);
	assert_int_equal(process_parse(dying, strlen(dying), &start),
	    AAD_ENOENT);
	assert_int_equal(process_parse(nul, sizeof(nul) - 1, &start),
	    AAD_EFORMAT);
}

static void
II_R9_a_process_is_pid_and_start(void **state)
{
	int64_t start, child_start;
	char exe[PROCESS_EXE_MAX], own[PROCESS_EXE_MAX];
	ssize_t n = readlink("/proc/self/exe", own, sizeof(own) - 1);
	pid_t pid;

	(void)state;
	assert_true(n > 0);
	own[n] = '\0';
	assert_int_equal(process_start(getpid(), &start), 0);
	assert_true(start > 0);
	assert_int_equal(process_exe(getpid(), exe), 0);
	assert_string_equal(exe, own);
	usleep(30000); /* ticks are of 10 ms */
	if ((pid = fork()) == 0)
		_exit(0);
	assert_true(pid > 0);
	while (process_start(pid, &child_start) == 0) {
		assert_true(child_start > start);
		usleep(1000);
	}
	/* ended, but nobody has waited: it is gone all the same */
	assert_int_equal(kill(pid, 0), 0);
	assert_int_equal(process_start(pid, &child_start), AAD_ENOENT);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(process_start(pid, &child_start), AAD_ENOENT);
	assert_int_equal(child_start, -1);
	assert_int_equal(process_exe(pid, exe), AAD_ENOENT);
	assert_string_equal(exe, "");
	assert_int_equal(process_start(-1, &start), AAD_ENOENT);
	assert_int_equal(process_start(INT64_MAX, &start), AAD_ENOENT);
}

static void
replaced_programs(void **state)
{
	static const char *const rows[][2] = {
		{ "/usr/sbin/sshd (deleted)", "/usr/sbin/sshd" },
		{ "/usr/sbin/sshd", "/usr/sbin/sshd" },
		{ "/x (deleted) (deleted)", "/x (deleted)" },
		{ " (deleted)", " (deleted)" },
		{ "", "" },
	};
	char path[64];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(path, sizeof(path), "%s", rows[i][0]);
		assert_string_equal(process_undeleted(path), rows[i][1]);
	}
}

/* ---- the locale, the parent ------------------------------------------- */

static void
utf8_as_setlocale_would_say(void **state)
{
	static const struct {
		const char *values[3]; /* LC_ALL, LC_CTYPE, LANG */
		bool utf8;
	} rows[] = {
		{ { NULL, NULL, NULL }, false },
		{ { NULL, NULL, "en_GB.UTF-8" }, true },
		{ { NULL, NULL, "C.utf8" }, true },
		{ { NULL, NULL, "de_DE.UTF-8@euro" }, true },
		{ { NULL, NULL, "en_GB" }, false },
		{ { NULL, NULL, "en_GB.ISO-8859-1" }, false },
		{ { NULL, NULL, "UTF-8" }, false },
		{ { NULL, "C", "en_GB.UTF-8" }, false },
		{ { NULL, "C.UTF-8", "C" }, true },
		{ { "C", "C.UTF-8", "C.UTF-8" }, false },
		{ { "", "", "C.UTF-8" }, true },
		{ { "C.UTF-8", "C", "C" }, true },
	};
	static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };
	size_t i, j;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (j = 0; j < 3; j++) {
			unsetenv(names[j]);
			if (rows[i].values[j] != NULL)
				setenv(names[j], rows[i].values[j], 1);
		}
		assert_int_equal(priv_utf8(), rows[i].utf8);
	}
}

static void
ends_with_its_parent(void **state)
{
	int fds[2], status;
	char byte;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	if ((pid = fork()) == 0) {
		if (fork() == 0) {
			close(fds[0]);
			if (priv_end_with_parent() == 0 &&
			    write(fds[1], "x", 1) == 1)
				sleep(20);
			_exit(1);
		}
		close(fds[1]);
		_exit(read(fds[0], &byte, 1) == 1 ? 0 : 1);
	}
	close(fds[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	/* The grandchild's end closes the pipe. */
	alarm(10);
	assert_int_equal(read(fds[0], &byte, 1), 0);
	alarm(0);
	close(fds[0]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(valid_log_line),
		cmocka_unit_test(II_O10_log_injection),
		cmocka_unit_test(boundary_log_line_is_bounded),
		cmocka_unit_test(reasons_and_loudness),
		cmocka_unit_test(II_O9_descriptors_signals_limits),
		cmocka_unit_test(I_B12_environment_is_emptied),
		cmocka_unit_test(II_O7_no_way_back),
		cmocka_unit_test(wrong_drop_is_an_error),
#ifndef SANITIZED
		cmocka_unit_test(I_B18_landlock_fences_paths),
		cmocka_unit_test(I_B18_landlock_lets_offers_grow),
		cmocka_unit_test(seccomp_fences_calls),
#endif
		cmocka_unit_test(valid_and_wrong_verbs),
		cmocka_unit_test(clock_goes_forward_and_stops),
		cmocka_unit_test(child_codes),
		cmocka_unit_test(no_child),
		cmocka_unit_test(valid_start_times),
		cmocka_unit_test(junk_start_times),
		cmocka_unit_test(II_R9_a_process_is_pid_and_start),
		cmocka_unit_test(replaced_programs),
		cmocka_unit_test(utf8_as_setlocale_would_say),
		cmocka_unit_test(ends_with_its_parent),
	};

	return cmocka_run_group_tests_name("cli", tests, NULL, NULL);
}
