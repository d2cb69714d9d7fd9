/* SPDX-License-Identifier: ISC */

/*
 * door: one request to the signer, and its answer.  The owner of [state] dir
 * starts the signer on two pipes; root does too, as that owner; everybody
 * else connects to RUN/signer.sock, whose other side must be root's (systemd
 * listens) or that owner's.
 */

#ifndef AAD_CA_DOOR_H
#define AAD_CA_DOOR_H

#include <signal.h>
#include <stdint.h>
#include <sys/types.h>

#include <jansson.h>

#include "ca/app.h"
#include "ca/signer/request.h"
#include "core/reason.h"
#include "ssh/wire.h"

#define DOOR_SIGN_MS 60000 /* for a whole request of one certificate */
/* For one that walks the ledger: more than the signer gives itself (ops.c). */
#define DOOR_LONG_MS 21660000

/*
 * Called for each ROW, CERTIFICATE and DATA; anything but ALLOWED ends the
 * conversation and is its outcome.
 */
typedef enum reason door_fn(void *arg, const struct request *reply);

/* What follows a message on the pipe: fn fills buf, at most len bytes, and
 * returns how many; 0 at the end, -1 when there are no more to be had. */
typedef ssize_t door_more_fn(void *arg, uint8_t *buf, size_t len);
struct door_more {
	door_more_fn *fn;
	void *arg;
};

/*
 * Send what is in rq, one whole message, then more, and hand the replies to
 * fn.
 *
 * more: NULL, or what follows; not sent to another user's signer, which has
 * no operation that it could be for.
 * stop: NULL, or a flag that ends the wait.
 * endp: NULL, or where END's JSON goes, which the caller releases; NULL when
 * it had none.
 * Returns what END says, its text in app->detail, ALLOWED for code 0;
 * fn's; SIGNER_UNREACHABLE when there is no signer or no answer in time;
 * SIGNER_REPLY when the answer does not follow the protocol or contradicts
 * itself; NO_CA; STATE_OWNER; NO_MEMORY; UNSET for a broken request.
 */
enum reason door_ask_more(struct ca_app *app, struct wirebuf *rq,
    const struct door_more *more, int64_t ms, const volatile sig_atomic_t *stop,
    door_fn *fn, void *arg, json_t **endp);
enum reason door_ask(struct ca_app *app, struct wirebuf *rq, int64_t ms,
    const volatile sig_atomic_t *stop, door_fn *fn, void *arg, json_t **endp);

/*
 * Whether there is a signer that the caller may ask, before anybody signs in
 * for nothing.  It is not asked anything.
 * Returns ALLOWED; SIGNER_UNREACHABLE, NO_CA or STATE_OWNER with app->detail.
 */
enum reason door_there(struct ca_app *app);

/* A JSON object of a reply.  *outp: the caller releases it.
 * Returns ALLOWED; SIGNER_REPLY; NO_MEMORY. */
enum reason door_json(const struct request *reply, json_t **outp);

#endif /* AAD_CA_DOOR_H */
