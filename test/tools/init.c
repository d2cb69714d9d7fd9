/* SPDX-License-Identifier: ISC */

/*
 * init: process 1 of a test sandbox.
 *
 *	init LOGFILE COMMAND [ARGUMENT ...]
 *
 * It raises the loopback interface, stands behind /dev/log as a syslog
 * daemon would (datagrams; control bytes written as #ooo; one line each,
 * its <priority> kept), reaps what sshd and its children leave behind and
 * ends with COMMAND's exit status; the kernel then ends the rest.  Ctrl-C
 * is COMMAND's own: process 1 gets no signal that it does not ask for.
 */

#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOG_SOCKET  "/dev/log"
#define MESSAGE_MAX 8192 /* bytes; rsyslog's own default limit */
#define EXIT_SIGNAL 128 /* + signal number, as sh(1) tells it */

static void
loopback_up(void)
{
	struct ifreq ifr;
	int fd;

	memset(&ifr, 0, sizeof(ifr));
	memcpy(ifr.ifr_name, "lo", sizeof("lo"));
	if ((fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) == -1)
		err(1, "socket");
	if (ioctl(fd, SIOCGIFFLAGS, &ifr) == -1)
		err(1, "lo: read flags");
	if ((ifr.ifr_flags & IFF_UP) == 0) {
		ifr.ifr_flags = (short)(ifr.ifr_flags | IFF_UP);
		if (ioctl(fd, SIOCSIFFLAGS, &ifr) == -1)
			err(1, "lo: raise");
	}
	close(fd);
}

static int
log_socket(void)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd;

	memcpy(sa.sun_path, LOG_SOCKET, sizeof(LOG_SOCKET));
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		err(1, "socket");
	if (bind(fd, (struct sockaddr *)&sa, sizeof(sa)) == -1 ||
	    chmod(LOG_SOCKET, 0666) == -1)
		err(1, "%s", LOG_SOCKET);
	return fd;
}

/* Write what waits in the socket; a line stays a line whatever it holds. */
static void
log_drain(int sock, FILE *file)
{
	unsigned char msg[MESSAGE_MAX];
	ssize_t n, i;

	while ((n = recv(sock, msg, sizeof(msg), 0)) >= 0) {
		while (n > 0 && (msg[n - 1] == '\n' || msg[n - 1] == '\0'))
			n--;
		for (i = 0; i < n; i++) {
			if (msg[i] < 0x20 || msg[i] == 0x7f)
				fprintf(file, "#%03o", (unsigned)msg[i]);
			else
				putc(msg[i], file);
		}
		putc('\n', file);
	}
	fflush(file);
}

static pid_t
command_start(char **argv, const sigset_t *mask)
{
	pid_t pid = fork();

	if (pid == -1)
		err(1, "fork");
	if (pid == 0) {
		sigprocmask(SIG_UNBLOCK, mask, NULL);
		execvp(argv[0], argv);
		err(127, "%s", argv[0]);
	}
	return pid;
}

/* Reap all that ended; true with COMMAND's status when it was among them. */
static int
reap(pid_t command, int *statusp)
{
	int status, done = 0;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != command)
			continue;
		*statusp = WIFEXITED(status) ? WEXITSTATUS(status)
					     : EXIT_SIGNAL + WTERMSIG(status);
		done = 1;
	}
	return done;
}

/* Serve until COMMAND ends or a signal tells us to. */
static int
serve(int sock, int sigs, FILE *file, pid_t command)
{
	struct pollfd p[2] = {
		{ .fd = sock, .events = POLLIN },
		{ .fd = sigs, .events = POLLIN },
	};
	struct signalfd_siginfo si;
	int status = 0;

	for (;;) {
		if (poll(p, 2, -1) == -1 && errno != EINTR)
			err(1, "poll");
		log_drain(sock, file);
		if (read(sigs, &si, sizeof(si)) != (ssize_t)sizeof(si))
			continue;
		if (si.ssi_signo != SIGCHLD)
			return EXIT_SIGNAL + (int)si.ssi_signo;
		if (reap(command, &status)) {
			log_drain(sock, file);
			return status;
		}
	}
}

int
main(int argc, char **argv)
{
	sigset_t mask;
	FILE *file;
	int sock, sigs;

	if (argc < 3) {
		fprintf(stderr, "usage: init LOGFILE COMMAND [ARGUMENT ...]\n");
		return 2;
	}
	if ((file = fopen(argv[1], "ae")) == NULL)
		err(1, "%s", argv[1]);
	loopback_up();
	sock = log_socket();

	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	sigaddset(&mask, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &mask, NULL) == -1 ||
	    (sigs = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK)) == -1)
		err(1, "signals");

	return serve(sock, sigs, file, command_start(argv + 2, &mask));
}
