/* SPDX-License-Identifier: ISC */

/*
 * publish: make what the authority publishes current: staged by the signer,
 * read by ssh-keygen, whose word on a KRL is sshd's, and switched to by the
 * signer.
 */

#ifndef AAD_CA_PUBLISH_H
#define AAD_CA_PUBLISH_H

#include <signal.h>

#include "ca/app.h"
#include "core/reason.h"

/*
 * *endp: NULL, or what COMMIT says of it, which the caller releases.
 * Returns ALLOWED, or why not, with app->detail: the one before is current
 * then.
 */
enum reason publish_run(struct ca_app *app, const volatile sig_atomic_t *stop,
    json_t **endp);

#endif /* AAD_CA_PUBLISH_H */
