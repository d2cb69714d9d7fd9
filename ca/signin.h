/* SPDX-License-Identifier: ISC */

/*
 * signin: a fresh id token, from `aadssh token`, which speaks to Azure AD and
 * to the person on stderr.  Neither the network nor libcurl is in this
 * process.
 */

#ifndef AAD_CA_SIGNIN_H
#define AAD_CA_SIGNIN_H

#include <signal.h>

#include "ca/app.h"
#include "core/secret.h"

/*
 * *tokenp: NULL unless EXIT_DONE is returned; then the caller frees it.
 * Returns EXIT_DONE; what the child exits with, which has told why; or
 * EXIT_CANNOT with a line.
 */
int signin_token(struct ca_app *app, const char *pub,
    const volatile sig_atomic_t *stop, struct secret **tokenp);

#endif /* AAD_CA_SIGNIN_H */
