/* SPDX-License-Identifier: ISC */

/*
 * intake: who asks, and the one request of a connection.  A stranger may be
 * at the other end: bytes have a ceiling, time has one, and so has how many
 * of one user are served at once.
 */

#ifndef AAD_INTAKE_H
#define AAD_INTAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "ca/signer/request.h"
#include "core/err.h"
#include "core/reason.h"

#define INTAKE_SECONDS 10 /* for the whole request */
#define INTAKE_PAUSE   60 /* seconds; of what follows one, for the next bytes */

/* A request and the bytes that it borrows, which hold secrets. */
struct intake {
	uint8_t *bytes;
	size_t len;
	struct request rq;
};

/*
 * Read exactly one request: of a pipe up to its end, of a socket so that
 * nothing more has arrived.  What follows RESTORE on a pipe is left there.
 *
 * in: zero; intake_release() in any case.
 * *faultp: what is wrong, for the second line.
 * Returns ALLOWED; REQUEST_MALFORMED; NO_MEMORY.
 */
enum reason intake_read(int fd, bool socket, struct intake *in,
    const char **faultp) AAD_MUST_CHECK;

/*
 * len bytes of what follows the request, waiting INTAKE_PAUSE for them.
 * Returns 0; AAD_ENOENT at the end of file; AAD_EAGAIN when none came in
 * time; AAD_ESYS.
 */
int intake_more(int fd, uint8_t *p, size_t len) AAD_MUST_CHECK;

/* Wipe and free. */
void intake_release(struct intake *in);

/* The peer of a connected Unix socket (SO_PEERCRED).  Returns 0; AAD_ESYS. */
int intake_peer(int fd, uid_t *uidp, pid_t *pidp) AAD_MUST_CHECK;

/*
 * Take one of the max places of a user, DIR/locks/peer-UID-N, until the
 * process ends.
 * Returns 0; AAD_EAGAIN when all are taken; AAD_EPERM; AAD_ESYS.
 */
int intake_slot(int dirfd, uid_t uid, int64_t max) AAD_MUST_CHECK;

#endif /* AAD_INTAKE_H */
