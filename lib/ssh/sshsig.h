/* SPDX-License-Identifier: ISC */

/*
 * sshsig: a signature over a file, OpenSSH PROTOCOL.sshsig; what ssh-keygen
 * -Y sign makes and -Y verify checks.
 */

#ifndef AAD_SSHSIG_H
#define AAD_SSHSIG_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "ssh/key.h"

#define SSHSIG_TEXT_MAX	     16384 /* bytes of armoured text */
#define SSHSIG_NAMESPACE_MAX 128

/*
 * What is to be signed for a message: the preamble, namespace, "sha512" and
 * the message's SHA-512.
 * *outp: the caller frees it.  Returns 0; AAD_EARG for an empty or too long
 * namespace; AAD_ENOMEM.
 */
int sshsig_body(const char *namespace, const uint8_t *message, size_t len,
    uint8_t **outp, size_t *lenp) AAD_MUST_CHECK;

/*
 * The armoured text around a signature blob (sign.h).
 * *outp: NUL-terminated, the caller frees it.
 * Returns 0; AAD_EARG; AAD_ENOMEM.
 */
int sshsig_format(const struct key *signer, const char *namespace,
    const uint8_t *sig, size_t siglen, char **outp) AAD_MUST_CHECK;

/*
 * Check armoured text over a message: strict in every byte, version 1, this
 * namespace, reserved empty, hash sha512 or sha256, signature good.
 *
 * *signer: who signed, zero unless 0 is returned; the caller compares it with
 * the key that it trusts, and releases it.
 * Returns 0; AAD_EFORMAT; AAD_EREFUSED for another namespace; AAD_ESIG;
 * AAD_ENOMEM.
 */
int sshsig_verify(const char *text, size_t textlen, const char *namespace,
    const uint8_t *message, size_t len, struct key *signer) AAD_MUST_CHECK;

#endif /* AAD_SSHSIG_H */
