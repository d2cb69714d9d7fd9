/* SPDX-License-Identifier: ISC */

/*
 * bench: what commands cost, against each other, in one run.
 *
 *	bench ROUNDS [OFFERS] <CASES
 *
 * CASES, one a line, fields parted by tabs: NAME BASE ANSWER ARGV...
 * BASE: the name of an earlier case, or its own.  ANSWER: yes, the command
 * prints something; no, it prints nothing; -, not judged.  Each must exit 0.
 * With a first ARGV of "<PATH" the command reads PATH.N, its N-th run, from 0.
 *
 * OFFERS: where the hook leaves what the connection of its parent, which is
 * bench, has offered.  Removed before each run: a connection offers a few
 * keys and not hundreds, for which there is no room.
 *
 * Every round runs each case once, in an order of its own, since what ran
 * before leaves its caches behind; what is compared is the ratio of two runs
 * of the same round.  Prints for each
 * case: NAME, median in us, median ratio to BASE, peak KiB, with tabs.
 *
 * NB. linked statically: a child's peak begins with that of its parent.
 */

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CASES_MAX  24
#define ARGS_MAX   16
#define ROUNDS_MAX 5000

struct bench_case {
	char *name;
	size_t base;
	char *answer;
	char *argv[ARGS_MAX];
	char *input; /* NULL: standard input is bench's own */
	unsigned int runs;
	double us[ROUNDS_MAX];
	long peak;
};

static struct bench_case cases[CASES_MAX];
static size_t ncases;
static char offers[4096]; /* "": none */

/* What sshd(8) leaves to an AuthorizedKeysCommand. */
static char env_path[] = "PATH=/usr/bin:/bin";
static char env_user[] = "USER=aadssh-hook";
static char *const env[] = { env_path, env_user, NULL };

static void die(const char *what, const char *which) __attribute__((noreturn));

static void
die(const char *what, const char *which)
{
	fprintf(stderr, "bench: %s: %s\n", which, what);
	exit(1);
}

static void
cases_read(void)
{
	char *line = NULL, *rest, *field;
	size_t size = 0, n;
	struct bench_case *c;

	while (getline(&line, &size, stdin) > 0) {
		line[strcspn(line, "\n")] = '\0';
		if (ncases == CASES_MAX || (rest = strdup(line)) == NULL)
			die("too many cases", line);
		c = &cases[ncases];
		c->name = strsep(&rest, "\t");
		if ((field = strsep(&rest, "\t")) == NULL ||
		    (c->answer = strsep(&rest, "\t")) == NULL)
			die("three fields and a command", c->name);
		if (rest != NULL && rest[0] == '<')
			c->input = strsep(&rest, "\t") + 1;
		for (n = 0; rest != NULL && n < ARGS_MAX - 1; n++)
			c->argv[n] = strsep(&rest, "\t");
		if (n == 0)
			die("no command", c->name);
		ncases++;
		for (n = 0; strcmp(cases[n].name, field) != 0; n++)
			if (n == ncases - 1)
				die("unknown base", field);
		c->base = n;
	}
	free(line);
}

/* One run with stdout on fd; microseconds from start to end. */
static double
run(struct bench_case *c, int fd)
{
	struct timespec a, b;
	struct rusage ru;
	posix_spawn_file_actions_t acts;
	char input[4096];
	int status;
	pid_t pid;

	if (offers[0] != '\0' && unlink(offers) == -1 && errno != ENOENT)
		die("cannot remove", offers);
	posix_spawn_file_actions_init(&acts);
	posix_spawn_file_actions_adddup2(&acts, fd, STDOUT_FILENO);
	if (c->input != NULL) {
		snprintf(input, sizeof(input), "%s.%u", c->input, c->runs++);
		posix_spawn_file_actions_addopen(&acts, STDIN_FILENO, input,
		    O_RDONLY, 0);
	}
	clock_gettime(CLOCK_MONOTONIC, &a);
	if (posix_spawn(&pid, c->argv[0], &acts, NULL, c->argv, env) != 0)
		die("cannot start", c->argv[0]);
	while (wait4(pid, &status, 0, &ru) == -1)
		if (errno != EINTR)
			die("wait4", c->name);
	clock_gettime(CLOCK_MONOTONIC, &b);
	posix_spawn_file_actions_destroy(&acts);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		die("did not exit 0", c->name);
	if (ru.ru_maxrss > c->peak)
		c->peak = ru.ru_maxrss;
	return (double)(b.tv_sec - a.tv_sec) * 1e6 +
	       (double)(b.tv_nsec - a.tv_nsec) / 1e3;
}

/* A measurement of the wrong answer would be worth nothing. */
static void
check(struct bench_case *c)
{
	char byte;
	ssize_t n;
	int fd[2];

	if (strcmp(c->answer, "-") == 0)
		return;
	if (pipe2(fd, O_CLOEXEC) == -1)
		die("pipe", c->name);
	run(c, fd[1]);
	close(fd[1]);
	n = read(fd[0], &byte, 1);
	close(fd[0]);
	if ((n == 1) != (strcmp(c->answer, "yes") == 0))
		die("gave the other answer", c->name);
}

static int
compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double
median(double *v, size_t n)
{
	qsort(v, n, sizeof(*v), compare);
	return n % 2 == 1 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

/* The same orders in every run of the bench. */
static void
shuffle(size_t *order, size_t n)
{
	static uint64_t x = 88172645463325252U; /* xorshift64, Marsaglia 2003 */
	size_t i, j, swap;

	for (i = n - 1; i > 0; i--) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		j = x % (i + 1);
		swap = order[i];
		order[i] = order[j];
		order[j] = swap;
	}
}

int
main(int argc, char **argv)
{
	static double ratio[CASES_MAX][ROUNDS_MAX];
	size_t order[CASES_MAX], rounds, i, r;
	int null;

	rounds = argc == 2 || argc == 3 ? (size_t)strtoul(argv[1], NULL, 10)
					: 0;
	null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (rounds < 1 || rounds > ROUNDS_MAX || null == -1)
		die("bench ROUNDS [OFFERS] <CASES", "usage");
	if (argc == 3)
		snprintf(offers, sizeof(offers), "%s/%ld", argv[2],
		    (long)getpid());
	cases_read();
	if (ncases == 0)
		die("no cases", "bench");
	for (i = 0; i < ncases; i++)
		check(&cases[i]);
	for (i = 0; i < ncases; i++)
		order[i] = i;
	for (r = 0; r < rounds; r++) {
		shuffle(order, ncases);
		for (i = 0; i < ncases; i++)
			cases[order[i]].us[r] = run(&cases[order[i]], null);
	}
	for (i = 0; i < ncases; i++)
		for (r = 0; r < rounds; r++)
			ratio[i][r] = cases[i].us[r] /
				      cases[cases[i].base].us[r];
	for (i = 0; i < ncases; i++)
		printf("%s\t%.0f\t%.3f\t%ld\n", cases[i].name,
		    median(cases[i].us, rounds), median(ratio[i], rounds),
		    cases[i].peak);
	return fflush(stdout) != 0;
}
