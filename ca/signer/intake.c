/* SPDX-License-Identifier: ISC */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "ca/signer/intake.h"
#include "cmd/cli/clock.h"
#include "core/file.h"

/* One byte, or its absence; AAD_EAGAIN: the time is over. */
static int
wait_for(int fd, int64_t until)
{
	struct pollfd ready = { fd, POLLIN, 0 };
	int64_t left = until - clock_mono_ms();
	int n;

	n = poll(&ready, 1, left > 0 ? (int)left : 0);
	if (n == -1)
		return errno == EINTR ? 0 : AAD_ESYS;
	return n == 0 ? AAD_EAGAIN : 0;
}

/* Returns 0; AAD_ENOENT at the end of file; AAD_EAGAIN; AAD_ESYS. */
static int
get_all(int fd, uint8_t *p, size_t len, int64_t until)
{
	ssize_t n;
	int r;

	while (len > 0) {
		if ((r = wait_for(fd, until)) != 0)
			return r;
		n = read(fd, p, len);
		if (n == -1 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n == -1)
			return AAD_ESYS;
		if (n == 0)
			return AAD_ENOENT;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Nothing behind the request: a pipe's end, or silence on a socket. */
static bool
is_last(int fd, bool socket, int64_t until)
{
	uint8_t byte;
	int r = get_all(fd, &byte, 1, socket ? 0 : until);

	return r == AAD_ENOENT || (socket && r == AAD_EAGAIN);
}

static const char *
fault_of(int r)
{
	switch (r) {
	case AAD_EAGAIN:
		return "no whole request came in time";
	case AAD_ENOENT:
		return "the request ended in its middle";
	case AAD_ETOOBIG:
		return "the request is too long";
	case AAD_ESYS:
		return "the request cannot be read";
	default:
		return "this is no request";
	}
}

enum reason
intake_read(int fd, bool socket, struct intake *in, const char **faultp)
{
	const int64_t until = clock_mono_ms() + INTAKE_SECONDS * 1000;
	uint8_t head[REQUEST_HEAD_LEN];
	enum request_op op;
	int r;

	*faultp = "";
	if ((r = get_all(fd, head, sizeof(head), until)) == 0 &&
	    (r = request_head(head, REQUEST_MAX, &op, &in->len)) == 0 &&
	    (in->bytes = malloc(in->len + 1)) == NULL)
		return AAD_R_NO_MEMORY;
	if (r == 0 && (r = get_all(fd, in->bytes, in->len, until)) == 0 &&
	    (r = request_parse(op, in->bytes, in->len, &in->rq)) == 0 &&
	    ((op == REQUEST_RESTORE && !socket) || is_last(fd, socket, until)))
		return AAD_R_ALLOWED;
	*faultp = r == 0 ? "something stands behind the request" : fault_of(r);
	return AAD_R_REQUEST_MALFORMED;
}

int
intake_more(int fd, uint8_t *p, size_t len)
{
	return get_all(fd, p, len, clock_mono_ms() + INTAKE_PAUSE * 1000);
}

void
intake_release(struct intake *in)
{
	if (in->bytes != NULL)
		sodium_memzero(in->bytes, in->len);
	free(in->bytes);
	memset(in, 0, sizeof(*in));
}

int
intake_peer(int fd, uid_t *uidp, pid_t *pidp)
{
	struct ucred peer;
	socklen_t len = sizeof(peer), intlen = sizeof(int);
	int domain = 0;

	*uidp = (uid_t)-1;
	*pidp = 0;
	/* Of a network's socket nobody says whose it is. */
	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &intlen) == -1 ||
	    domain != AF_UNIX ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == -1)
		return AAD_ESYS;
	*uidp = peer.uid;
	*pidp = peer.pid;
	return 0;
}

/* Whether place i is ours now; its descriptor stays open until the end. */
static int
take(int locks, uid_t uid, int64_t i)
{
	char name[64];
	int fd, r;

	snprintf(name, sizeof(name), "peer-%lu-%lld", (unsigned long)uid,
	    (long long)i);
	fd = openat(locks, name,
	    O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	if (fd == -1)
		return AAD_ESYS;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	r = errno == EWOULDBLOCK ? AAD_EAGAIN : AAD_ESYS;
	file_close(fd);
	return r;
}

int
intake_slot(int dirfd, uid_t uid, int64_t max)
{
	const struct file_owner right = { geteuid(), FILE_ANY_OWNER, false };
	int64_t i;
	int locks, r;

	r = file_dir_make(dirfd, "locks", right, 0700, &locks);
	if (r != 0)
		return r;
	r = AAD_EAGAIN;
	for (i = 0; i < max && r == AAD_EAGAIN; i++)
		r = take(locks, uid, i);
	file_close(locks);
	return r;
}
