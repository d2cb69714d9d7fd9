/* SPDX-License-Identifier: ISC */

/*
 * certify: ask for one certificate and judge what comes (reply.h): what the
 * verbs sign and sign-host share.
 */

#ifndef AAD_CA_CERTIFY_H
#define AAD_CA_CERTIFY_H

#include <signal.h>

#include "ca/app.h"
#include "ca/door.h"
#include "ca/reply.h"
#include "ca/trust.h"

/* certify_release() empties it. */
struct certify {
	struct ca_app *app;
	const volatile sig_atomic_t *stop;
	struct key key; /* the subject */
	struct trust trust;
	struct reply_ask ask; /* now is set here */
	bool dry_run; /* no certificate is wanted */
	bool got; /* cert is one */
	struct cert cert;
	json_t *end; /* what END says, or NULL */
};

/*
 * Send rq, which is released, and take the one certificate that fits.
 * Returns as door_ask(); SIGNER_REPLY with app->detail for one that doesn't.
 */
enum reason certify_ask(struct certify *c, struct wirebuf *rq);

void certify_release(struct certify *c);

#endif /* AAD_CA_CERTIFY_H */
