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

#include <jansson.h>

#include "ca/app.h"
#include "ca/signer/request.h"
#include "core/reason.h"
#include "ssh/wire.h"

#define DOOR_SIGN_MS 60000 /* for a whole request of one certificate */
#define DOOR_LONG_MS 600000 /* for one that walks the ledger */

/*
 * Called for each ROW, CERTIFICATE and DATA; anything but ALLOWED ends the
 * conversation and is its outcome.
 */
typedef enum reason door_fn(void *arg, const struct request *reply);

/*
 * Send what is in rq, one whole message, and hand the replies to fn.
 *
 * stop: NULL, or a flag that ends the wait.
 * endp: NULL, or where END's JSON goes, which the caller releases; NULL when
 * it had none.
 * Returns what END says, its text in app->detail, ALLOWED for code 0;
 * fn's; SIGNER_UNREACHABLE when there is no signer or no answer in time;
 * SIGNER_REPLY when the answer does not follow the protocol or contradicts
 * itself; NO_CA; STATE_OWNER; NO_MEMORY; UNSET for a broken request.
 */
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
