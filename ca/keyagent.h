/* SPDX-License-Identifier: ISC */

/*
 * keyagent: the ssh-agent of whoever runs this (SSH_AUTH_SOCK).  What it is
 * asked here; what it is told goes through ssh-add, which reads the private
 * key: we never do.
 */

#ifndef AAD_CA_KEYAGENT_H
#define AAD_CA_KEYAGENT_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "ca/app.h"
#include "core/err.h"
#include "ssh/cert.h"

/*
 * Whether it holds this certificate.
 * Returns 0; AAD_ENOENT when it does not; AAD_ENET when it does not answer in
 * time, or not sensibly; AAD_ENOMEM.
 */
int keyagent_holds(const struct ca_app *app,
    const struct cert *c) AAD_MUST_CHECK;

/*
 * Hand it the private key and the certificate beside it, for so many seconds,
 * through ssh-add.
 * ask: ssh-add may ask for a passphrase, on the terminal, and wait for it;
 * else it says nothing, and a key with a passphrase is not added.
 * Returns 0; AAD_ENOENT without an agent; AAD_ENET when ssh-add fails.
 */
int keyagent_add(struct ca_app *app, const char *private_key, int64_t seconds,
    bool ask, const volatile sig_atomic_t *stop) AAD_MUST_CHECK;

/*
 * Take the certificate of this file out of it again, or each new one would be
 * offered to sshd behind all those before it.  That it was not there, or
 * can't be taken out, is nothing to tell.
 */
void keyagent_forget(struct ca_app *app, const char *cert,
    const volatile sig_atomic_t *stop);

#endif /* AAD_CA_KEYAGENT_H */
