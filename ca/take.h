/* SPDX-License-Identifier: ISC */

/* take: bytes that the signer sends, into a file. */

#ifndef AAD_CA_TAKE_H
#define AAD_CA_TAKE_H

#include <stdbool.h>
#include <sys/types.h>

#include "ca/app.h"
#include "ca/door.h"

/*
 * Ask for op, without any field, and write what comes to path as it comes: a
 * file appears whole or not at all; "-" is stdout, where only a good end says
 * that it was whole.
 * verb: what is shown on a terminal when it takes long.
 * replace: whether a KRL, or an empty file, of this name may be replaced;
 * nothing else ever is, no link, no device.
 * *endp: what END says, or NULL; the caller releases it.
 * Returns as door_ask(); DISK, and CERT_FILE for one that is there and may not
 * be replaced, with app->detail.
 */
enum reason take_file(struct ca_app *app, enum request_op op, const char *verb,
    const char *path, mode_t mode, bool replace, json_t **endp);

#endif /* AAD_CA_TAKE_H */
