/* SPDX-License-Identifier: ISC */

/*
 * backend: an ssh-agent that holds keys of the authority, running as our own
 * user (a PKCS#11 module, a TPM, a security key behind it).  It is asked and
 * not believed: who calls verifies what it signed.
 */

#ifndef AAD_BACKEND_H
#define AAD_BACKEND_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/reason.h"
#include "ssh/key.h"

#define BACKEND_WAIT 20 /* seconds for one answer; a person may have to touch */

/*
 * Connect.  The socket and whoever listens on it must be the running user's.
 * *fdp: -1 unless 0 is returned; then the caller closes it.
 * Returns 0; AAD_ENOENT; AAD_EPERM; AAD_ETOOBIG for a path that no socket can
 * have; AAD_ESYS with errno.
 */
int backend_connect(const char *path, int *fdp) AAD_MUST_CHECK;

/*
 * Have it sign.  *sigp: the caller verifies and frees it.
 * agent: -1 when there is none, which is CA_AGENT.
 * *whyp: CA_AGENT, NO_MEMORY.  Returns 0; AAD_ENET; AAD_ENOMEM.
 */
int backend_sign(int agent, const struct key *k, const uint8_t *data,
    size_t len, uint8_t **sigp, size_t *siglenp, enum reason *whyp,
    const char **faultp) AAD_MUST_CHECK;

#endif /* AAD_BACKEND_H */
