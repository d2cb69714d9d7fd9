/* SPDX-License-Identifier: ISC */

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cmd/aadssh/ending.h"
#include "cmd/cli/clock.h"
#include "cmd/cli/process.h"

const char *
ending_word(enum ending_result result)
{
	switch (result) {
	case ENDING_OTHER:
		return "other_program";
	case ENDING_VANISHED:
		return "vanished";
	case ENDING_ENDED:
		return "ended";
	case ENDING_KILLED:
		return "killed";
	case ENDING_SPARED:
		return "would_end";
	case ENDING_FAILED:
		break;
	}
	return "failed";
}

/*
 * Judge the process that has the session's pid while its pidfd is open: one
 * of this start time can only be the one that the file was written for.
 */
static enum ending_result
judge(const struct session *s)
{
	char exe[PROCESS_EXE_MAX], want[sizeof(s->exe)];
	int64_t start;
	int r;

	if ((r = process_start(s->pid, &start)) != 0)
		return r == AAD_ENOENT ? ENDING_VANISHED : ENDING_FAILED;
	if (start != s->start)
		return ENDING_VANISHED;
	if ((r = process_exe(s->pid, exe)) != 0)
		return r == AAD_ENOENT ? ENDING_VANISHED : ENDING_FAILED;
	memcpy(want, s->exe, sizeof(want));
	return strcmp(exe, process_undeleted(want)) == 0 ? ENDING_ENDED
							 : ENDING_OTHER;
}

static int
signal_to(int pidfd, int sig)
{
	return (int)syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0U);
}

/* A pidfd of a process that was judged and sent SIGTERM; else -1. */
static int
begin(struct ending *e)
{
	int fd = (int)syscall(SYS_pidfd_open, (pid_t)e->session.pid, 0U);

	e->result = ENDING_FAILED;
	if (fd == -1) {
		if (errno == ESRCH)
			e->result = ENDING_VANISHED;
		return -1;
	}
	e->result = judge(&e->session);
	if (e->result == ENDING_ENDED) {
		if (signal_to(fd, SIGTERM) == 0)
			return fd;
		e->result = errno == ESRCH ? ENDING_VANISHED : ENDING_FAILED;
	}
	close(fd);
	return -1;
}

/* Close those that have ended; whether any is left. */
static bool
any_left(struct pollfd *fds, size_t n)
{
	bool any = false;
	size_t i;

	for (i = 0; i < n; i++) {
		if (fds[i].fd == -1)
			continue;
		if ((fds[i].revents & (POLLIN | POLLHUP)) == 0) {
			any = true;
			continue;
		}
		close(fds[i].fd);
		fds[i].fd = -1;
	}
	return any;
}

/* Wait at most so long for the ends of all. */
static void
wait_for(struct pollfd *fds, size_t n, int64_t ms)
{
	int64_t until = clock_mono_ms() + ms, left;

	while (any_left(fds, n) && (left = until - clock_mono_ms()) > 0)
		/* NB. poll(2) passes over descriptors below 0. */
		if (poll(fds, n, (int)left) == -1 && errno != EINTR)
			return;
}

void
ending_all(struct ending *list, size_t n)
{
	struct pollfd fds[ENDING_MAX];
	size_t i;

	memset(fds, 0, sizeof(fds));
	for (i = 0; i < n; i++) {
		fds[i].fd = begin(&list[i]);
		fds[i].events = POLLIN;
	}
	wait_for(fds, n, ENDING_GRACE_MS);
	for (i = 0; i < n; i++)
		if (fds[i].fd != -1) {
			/* NB. it may have ended by SIGTERM just now. */
			if (signal_to(fds[i].fd, SIGKILL) == 0)
				list[i].result = ENDING_KILLED;
			else if (errno != ESRCH)
				list[i].result = ENDING_FAILED;
		}
	wait_for(fds, n, ENDING_WAIT_MS);
	for (i = 0; i < n; i++)
		if (fds[i].fd != -1) {
			list[i].result = ENDING_FAILED;
			close(fds[i].fd);
		}
}
