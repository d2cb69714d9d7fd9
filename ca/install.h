/* SPDX-License-Identifier: ISC */

/*
 * install: where a certificate goes: a file beside its key.
 * A file that aadssh-ca did not write is never touched.
 */

#ifndef AAD_CA_INSTALL_H
#define AAD_CA_INSTALL_H

#include <stddef.h>
#include <stdint.h>

#include "ca/app.h"
#include "core/err.h"
#include "core/reason.h"
#include "ssh/cert.h"
#include "ssh/key.h"

/* The comment of our lines begins with it. */
#define INSTALL_MARK "aadssh-ca"

/*
 * Whether a file with this text may be replaced by a certificate of key: it
 * is one of the same key by one of the authorities, or one that we marked,
 * with a key id of our form, that has ended (its authority may be gone).
 * Pure.  Returns 0; AAD_EREFUSED; AAD_ENOMEM.
 */
int install_judge(const char *text, size_t len, const struct key *key,
    const struct key *cas, size_t ncas, int64_t now) AAD_MUST_CHECK;

/*
 * Write it, whole or not at all, 0644.
 * *app's detail: what is wrong.
 * Returns ALLOWED; CERT_FILE; DISK; NO_MEMORY.
 */
enum reason install_file(struct ca_app *app, const char *path,
    const struct cert *c, const struct key *cas, size_t ncas, int64_t now);

/*
 * Whether install_file() would: asked before anybody signs in.
 * Returns as it.
 */
enum reason install_may(struct ca_app *app, const char *path,
    const struct key *key, const struct key *cas, size_t ncas, int64_t now);

#endif /* AAD_CA_INSTALL_H */
