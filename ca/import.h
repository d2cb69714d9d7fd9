/* SPDX-License-Identifier: ISC */

/*
 * import: a foreign private key, by the program aadssh-ca-import, which asks
 * for a passphrase on the terminal and alone knows libssh.
 */

#ifndef AAD_CA_IMPORT_H
#define AAD_CA_IMPORT_H

#include <signal.h>

#include "ca/app.h"
#include "core/secret.h"

/*
 * path: read as the caller.
 * *outp: the text of an unencrypted openssh-key-v1 file, without a NUL; NULL
 * unless EXIT_DONE is returned; then the caller frees it, which wipes it.
 * Returns EXIT_DONE; EXIT_NO for another type of key; EXIT_CANNOT; the child,
 * or we, have told why.
 */
int import_key(struct ca_app *app, const char *path,
    const volatile sig_atomic_t *stop, struct secret **outp);

#endif /* AAD_CA_IMPORT_H */
