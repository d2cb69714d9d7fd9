/* SPDX-License-Identifier: ISC */

/*
 * import: an Ed25519 private key of another program's format, or an encrypted
 * one, as the text of an unencrypted openssh-key-v1 file.  Once, at init; the
 * only user of libssh.
 */

#ifndef AAD_CA_IMPORT_H
#define AAD_CA_IMPORT_H

#include "core/err.h"
#include "core/secret.h"

/*
 * path: read as the caller.  A passphrase is asked for on the terminal,
 * without echo.
 * *outp: NULL unless 0 is returned; then the caller frees it, which wipes it.
 * *faultp: a literal for a person.
 * Returns 0; AAD_EREFUSED for another type of key; AAD_EFORMAT when it can't
 * be read or the passphrase is wrong; AAD_ENOENT; AAD_ESYS; AAD_ENOMEM.
 */
int import_key(const char *path, struct secret **outp,
    const char **faultp) AAD_MUST_CHECK;

#endif /* AAD_CA_IMPORT_H */
