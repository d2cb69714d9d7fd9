/* SPDX-License-Identifier: ISC */

/*
 * keyfile: which key is meant, and reading key and certificate files as the
 * person who runs this: links are followed, because the home is theirs.
 */

#ifndef AAD_CA_KEYFILE_H
#define AAD_CA_KEYFILE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"
#include "core/reason.h"
#include "core/secret.h"
#include "ssh/cert.h"
#include "ssh/key.h"

/*
 * A whole file that its caller names: regular or not, at most max bytes, not
 * waited for.
 * *bufp: NULL unless 0 is returned; then *lenp bytes and a NUL, which the
 * caller frees.
 * Returns 0; AAD_ENOENT; AAD_ETOOBIG; AAD_ENOMEM; AAD_ESYS with errno.
 */
int keyfile_slurp(const char *path, size_t max, char **bufp,
    size_t *lenp) AAD_MUST_CHECK;

/* The same of something secret, in wiped memory; at most SECRET_MAX. */
int keyfile_secret(const char *path, struct secret **outp) AAD_MUST_CHECK;

/* What keyfile_slurp() could not do, for a person. */
const char *keyfile_fault(int r, int error);

/*
 * One public key from a file.
 * Returns as keyfile_slurp(), and as key_from_pub() with *whyp.
 */
int keyfile_read(const char *path, struct key *k,
    enum reason *whyp) AAD_MUST_CHECK;

/* Every key of a list, one a line, beside lines that begin with #; *keysp: the
 * caller frees each and all. */
int keyfile_parse_list(const char *text, size_t len, struct key **keysp,
    size_t *np) AAD_MUST_CHECK;
void keyfile_free_list(struct key *keys, size_t n);

/*
 * The first of id_ed25519.pub, id_ecdsa.pub, id_rsa.pub, id_ed25519_sk.pub
 * and id_ecdsa_sk.pub that is in HOME/.ssh.
 * Returns 0; AAD_ENOENT when there is none; AAD_ETOOBIG for a long path.
 */
int keyfile_choose(const char *home, char out[static PATH_MAX]) AAD_MUST_CHECK;

/* The home of the running user, from the account; not from $HOME.
 * Returns 0; AAD_ENOENT; AAD_ETOOBIG. */
int keyfile_home(char out[static PATH_MAX]) AAD_MUST_CHECK;

/*
 * Where the certificate of KEY.pub lies, KEY-cert.pub, and KEY itself.
 * Returns 0; AAD_EARG when pub does not end in ".pub", or is only that;
 * AAD_ETOOBIG.
 */
int keyfile_cert_path(const char *pub,
    char out[static PATH_MAX]) AAD_MUST_CHECK;
int keyfile_private_path(const char *pub,
    char out[static PATH_MAX]) AAD_MUST_CHECK;

/*
 * Split the path of a file that is to be written: *namep is the name in it.
 * Returns its directory, open, or -1 with errno.
 */
int keyfile_parent(const char *path, const char **namep);

#endif /* AAD_CA_KEYFILE_H */
