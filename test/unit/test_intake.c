/* SPDX-License-Identifier: ISC */

/*
 * ca/signer/intake: one request from a pipe or a socket, whose it is, and the
 * places of a peer.  The clock is ours: a deadline passes by being asked.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "ca/signer/intake.h"
#include "cmd/cli/clock.h"
#include "test/unit/scratch.h"
#include "test/unit/unit.h"

static struct intake in; /* 14 kB */
static int64_t now, step; /* ms; how long each look at the clock takes */

int64_t
clock_mono_ms(void)
{
	now += step;
	return now;
}

/* ---- one request ------------------------------------------------------- */

/* What stands at the other end before it is read. */
struct sent {
	enum request_op op;
	size_t cut; /* bytes that are missing at the end */
	const char *more; /* bytes behind it */
	bool damaged; /* the first byte */
	bool longer; /* it says that it is over the bound */
	bool repeated; /* a field that may stand once stands twice */
	bool closed;
};

static void
write_sent(int fd, const struct sent *s)
{
	struct wirebuf b = wirebuf_new();

	request_begin(&b, s->op);
	request_put_text(&b, REQUEST_L_CONTEXT, "via=test");
	if (s->repeated)
		request_put_text(&b, REQUEST_L_CONTEXT, "via=test");
	request_end(&b);
	assert_int_equal(b.r, 0);
	if (s->damaged)
		b.p[0] ^= 1;
	if (s->longer)
		b.p[REQUEST_HEAD_LEN - 3] = 3;
	assert_int_equal(write(fd, b.p, b.len - s->cut), b.len - s->cut);
	if (s->more != NULL)
		assert_int_equal(write(fd, s->more, strlen(s->more)),
		    strlen(s->more));
	wirebuf_release(&b);
}

static enum reason
read_sent(const struct sent *s, bool sock, const char **faultp)
{
	enum reason why;
	int fds[2];

	if (sock)
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	else
		assert_int_equal(pipe(fds), 0);
	write_sent(fds[1], s);
	if (s->closed) {
		close(fds[1]);
		fds[1] = -1;
	}
	now = 1000;
	step = s->closed || sock ? 0 : INTAKE_SECONDS * 400;
	memset(&in, 0, sizeof(in));
	why = intake_read(fds[0], sock, &in, faultp);
	close(fds[0]);
	if (fds[1] != -1)
		close(fds[1]);
	return why;
}

static void
exactly_one_request(void **state)
{
	static const char behind[] = "something stands behind the request",
			  middle[] = "the request ended in its middle",
			  late[] = "no whole request came in time",
			  none[] = "this is no request";
	static const struct {
		struct sent s;
		bool sock;
		const char *fault; /* NULL: it is taken */
	} cases[] = {
		{ { .op = REQUEST_SIGN, .closed = true }, false, NULL },
		{ { .op = REQUEST_SIGN, .closed = true }, true, NULL },
		/* a pipe is read to its end, a socket stays open */
		{ { .op = REQUEST_SIGN }, false, behind },
		{ { .op = REQUEST_SIGN }, true, NULL },
		{ { .op = REQUEST_SIGN, .more = "x", .closed = true }, false,
		    behind },
		{ { .op = REQUEST_SIGN, .more = "x", .closed = true }, true,
		    behind },
		{ { .op = REQUEST_SIGN, .more = "x" }, true, behind },
		/* a backup follows, where one can be told of it */
		{ { .op = REQUEST_RESTORE, .more = "x", .closed = true }, false,
		    NULL },
		{ { .op = REQUEST_RESTORE, .more = "x", .closed = true }, true,
		    behind },
		{ { .op = REQUEST_RESTORE }, false, NULL },
		{ { .op = REQUEST_SIGN, .cut = 1, .closed = true }, false,
		    middle },
		{ { .op = REQUEST_SIGN, .cut = 1, .closed = true }, true,
		    middle },
		{ { .op = REQUEST_SIGN, .cut = 20, .closed = true }, false,
		    middle },
		{ { .op = REQUEST_SIGN, .cut = 1 }, false, late },
		{ { .op = REQUEST_SIGN, .damaged = true, .closed = true },
		    false, none },
		{ { .op = REQUEST_SIGN, .repeated = true, .closed = true },
		    false, none },
		{ { .op = REQUEST_SIGN, .longer = true, .closed = true }, false,
		    "the request is too long" },
	};
	const char *fault;
	enum reason why;
	size_t i;
	int fd;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		why = read_sent(&cases[i].s, cases[i].sock, &fault);
		if (cases[i].fault == NULL && why == AAD_R_ALLOWED) {
			assert_int_equal(in.rq.op, cases[i].s.op);
			assert_int_equal(in.rq.n, 1);
			assert_string_equal(fault, "");
		} else if (cases[i].fault == NULL ||
			   why != AAD_R_REQUEST_MALFORMED ||
			   strcmp(fault, cases[i].fault) != 0) {
			fail_msg("row %zu: %s, %s", i, reason_name(why), fault);
		}
		intake_release(&in);
		assert_null(in.bytes);
	}
	assert_int_not_equal(fd = dup(STDIN_FILENO), -1);
	close(fd);
	assert_int_equal(intake_read(fd, false, &in, &fault),
	    AAD_R_REQUEST_MALFORMED);
	assert_string_equal(fault, "the request cannot be read");
}

/* The whole request has ten seconds, not each of its bytes. */
static void
a_slow_peer(void **state)
{
	const struct sent s = { .op = REQUEST_SIGN, .cut = 1 };
	const char *fault;
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	write_sent(fds[1], &s);
	now = 1000;
	step = INTAKE_SECONDS * 334; /* head, body, and then it is over */
	assert_int_equal(intake_read(fds[0], true, &in, &fault),
	    AAD_R_REQUEST_MALFORMED);
	assert_string_equal(fault, "no whole request came in time");
	intake_release(&in);
	close(fds[0]);
	close(fds[1]);
}

static void
what_follows(void **state)
{
	uint8_t got[4];
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], "abcdef", 6), 6);
	step = 0;
	assert_int_equal(intake_more(fds[0], got, 4), 0);
	assert_memory_equal(got, "abcd", 4);
	step = INTAKE_PAUSE * 600;
	assert_int_equal(intake_more(fds[0], got, 4), AAD_EAGAIN);
	close(fds[1]);
	step = 0;
	assert_int_equal(intake_more(fds[0], got, 4), AAD_ENOENT);
	close(fds[0]);
	assert_int_equal(intake_more(fds[0], got, 4), AAD_ESYS);
}

/* ---- whose ------------------------------------------------------------- */

static void
only_a_local_socket_says_whose(void **state)
{
	int fds[2], net;
	uid_t uid;
	pid_t pid;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_int_equal(intake_peer(fds[0], &uid, &pid), 0);
	assert_int_equal(uid, geteuid());
	assert_int_equal(pid, getpid());
	close(fds[0]);
	close(fds[1]);
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(intake_peer(fds[0], &uid, &pid), AAD_ESYS);
	assert_int_equal(uid, (uid_t)-1);
	assert_int_equal(pid, 0);
	close(fds[0]);
	close(fds[1]);
	net = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_not_equal(net, -1);
	assert_int_equal(intake_peer(net, &uid, &pid), AAD_ESYS);
	assert_int_equal(uid, (uid_t)-1);
	close(net);
}

/* ---- places ------------------------------------------------------------ */

static void
as_many_as_there_are_places(void **state)
{
	char base[64], path[96];
	struct stat sb;
	int dir;

	(void)state;
	snprintf(base, sizeof(base), "%s/aadssh-test-XXXXXX", UNIT_TMP);
	assert_non_null(mkdtemp(base));
	dir = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_not_equal(dir, -1);
	assert_int_equal(intake_slot(dir, 7, 0), AAD_EAGAIN);
	assert_int_equal(intake_slot(dir, 7, 2), 0);
	assert_int_equal(intake_slot(dir, 7, 2), 0);
	assert_int_equal(intake_slot(dir, 7, 2), AAD_EAGAIN);
	assert_int_equal(intake_slot(dir, 7, 3), 0);
	assert_int_equal(intake_slot(dir, 8, 1), 0); /* somebody else */
	assert_int_equal(fstatat(dir, "locks", &sb, 0), 0);
	assert_int_equal(sb.st_mode & 07777, 0700);
	/* what is no place of ours is not taken for a full house */
	snprintf(path, sizeof(path), "%s/locks/peer-9-0", base);
	assert_int_equal(symlink("peer-8-0", path), 0);
	assert_int_equal(intake_slot(dir, 9, 2), AAD_ESYS);
	snprintf(path, sizeof(path), "%s/locks", base);
	assert_int_equal(chmod(path, 0770), 0);
	assert_int_equal(intake_slot(dir, 10, 1), AAD_EPERM);
	close(dir);
	assert_int_equal(scratch_remove(base), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exactly_one_request),
		cmocka_unit_test(a_slow_peer),
		cmocka_unit_test(what_follows),
		cmocka_unit_test(only_a_local_socket_says_whose),
		cmocka_unit_test(as_many_as_there_are_places),
	};

	if (sodium_init() == -1)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
