/* SPDX-License-Identifier: ISC */

/*
 * sandbox: the signer's fence, closed before a byte of the request is
 * believed.  What it may touch from then on are the state directory, the
 * publication directory (a stranger's request may only read it), and the
 * descriptors that are open; it makes no process, runs no program, opens no
 * socket.
 */

#ifndef AAD_SIGNER_SANDBOX_H
#define AAD_SIGNER_SANDBOX_H

#include "core/err.h"

/*
 * dir, publish: open directories, or -1.
 * only_read: publish's path, where it is only to be read; else NULL.
 * Needs no-new-privs.  Returns 0; AAD_ESYS.
 */
int signer_sandbox(int dir, int publish, const char *only_read) AAD_MUST_CHECK;

#endif /* AAD_SIGNER_SANDBOX_H */
