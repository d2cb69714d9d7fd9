/* SPDX-License-Identifier: ISC */

/*
 * trust: the authorities that are published on this host: what a certificate
 * must be signed by to be ours.
 */

#ifndef AAD_CA_TRUST_H
#define AAD_CA_TRUST_H

#include <stddef.h>

#include "ca/app.h"
#include "core/reason.h"
#include "ssh/cert.h"
#include "ssh/key.h"

struct trust {
	struct key *cas; /* prepared, active and retired ones */
	size_t n;
};

/*
 * Read publish_dir/current/user_ca.pub, or host_ca.pub.
 * *t: zero unless ALLOWED is returned; trust_release() empties it.
 * Returns ALLOWED; PUBLICATION with app->detail; NO_CA; STATE_OWNER;
 * NO_MEMORY.
 */
enum reason trust_load(struct ca_app *app, enum cert_type type,
    struct trust *t);

/*
 * A file of the current publication as text, at most CA_PUB_MAX bytes.
 * Returns NULL when it can't be read; the caller frees it.
 */
char *trust_text(struct ca_app *app, const char *name);

/*
 * Whether a certificate is revoked by publish_dir/current/krl: itself, its
 * key, or its authority.  A list that can't be read revokes nothing here:
 * sshd, who refuses all then, is who decides.
 */
bool trust_revoked(struct ca_app *app, const struct cert *c);

/*
 * Whether the certificate in a file is of an authority that the same list
 * revokes: it is over, whatever it says.
 */
bool trust_over(struct ca_app *app, const char *path);

void trust_release(struct trust *t);

#endif /* AAD_CA_TRUST_H */
