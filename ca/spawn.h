/* SPDX-License-Identifier: ISC */

/*
 * spawn: the only place that starts another program: by its absolute path,
 * with an environment made here, only the descriptors that are named, default
 * signals, and an end together with ours.  A secret goes through a pipe,
 * never through an argument or a variable.
 */

#ifndef AAD_CA_SPAWN_H
#define AAD_CA_SPAWN_H

#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "ca/app.h"
#include "core/err.h"
#include "core/secret.h"

#define SPAWN_SSH_KEYGEN "/usr/bin/ssh-keygen"
#define SPAWN_SSH_ADD	 "/usr/bin/ssh-add"
#define SPAWN_LIBEXEC	 "/usr/libexec/aadssh"

struct spawn {
	const char *path;
	char *const *argv; /* NULL-ended */
	/* NULL: stay who we are.  Somebody else gets no terminal as err. */
	const struct ca_owner *become;
	int in, out, err; /* its 0, 1, 2; -1: /dev/null */
	int extra; /* its 3; -1: none */
	/* starts in "/", in a session of its own, without our terminal: what
	 * Ctrl-C means is ours to judge; not for what asks the person */
	bool apart;
	const char *agent; /* its SSH_AUTH_SOCK, or NULL */
	bool mute; /* has no terminal, so that it can't ask anybody */
};

/*
 * Find a program of ours: beside our own executable when that file, its
 * directory and the program are root's or the running user's and nobody else
 * can write them; else in SPAWN_LIBEXEC.
 * Returns 0; AAD_ENOENT.
 */
int spawn_find(const char *name, char out[static PATH_MAX]) AAD_MUST_CHECK;

/*
 * Start it.  *pidp: -1 unless 0 is returned; then spawn_wait() or
 * spawn_end() ends it.  What can't be done in the child, or exec'd, is its
 * exit with 126 or 127.
 * Returns 0; AAD_ESYS.
 */
int spawn_start(const struct ca_app *app, const struct spawn *s,
    pid_t *pidp) AAD_MUST_CHECK;

/*
 * Wait for its end until end_ms (clock_mono_ms(); -1: as long as it takes)
 * or *stop; then it is ended, SIGTERM first.
 * Returns its exit status; -1 when a signal ended it, or we did.
 */
int spawn_wait(pid_t pid, int64_t end_ms, const volatile sig_atomic_t *stop);

/* End it: SIGTERM, and SIGKILL when it stays. */
void spawn_end(pid_t pid);

/*
 * What a child writes to a pipe until it closes it, until end_ms (as
 * spawn_wait()) or *stop.
 * *lenp: bytes that came, at most max.
 * Returns 0; AAD_ETOOBIG when there is no room for another byte; AAD_EAGAIN
 * when the time is over; AAD_ESYS, also for a signal that stops us.
 */
int spawn_read(int fd, void *buf, size_t max, int64_t end_ms,
    const volatile sig_atomic_t *stop, size_t *lenp) AAD_MUST_CHECK;

/*
 * What a child writes to a pipe until it closes it, at most SECRET_MAX bytes,
 * which are nobody else's.
 * *outp: NULL for nothing; else the caller frees it.
 * Returns 0; AAD_ETOOBIG; AAD_ENOMEM; AAD_ESYS, also for a signal that stops
 * us.
 */
int spawn_take(int fd, const volatile sig_atomic_t *stop,
    struct secret **outp) AAD_MUST_CHECK;

#endif /* AAD_CA_SPAWN_H */
