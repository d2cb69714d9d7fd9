/* SPDX-License-Identifier: ISC */

/*
 * newkey: a key that is to become one of the authority's: made, imported, or
 * named among those of the agent.  It is stored and has signed once before
 * the ledger hears of it.
 */

#ifndef AAD_NEWKEY_H
#define AAD_NEWKEY_H

#include <stdbool.h>

#include "ca/signer/keyring.h"
#include "ca/signer/request.h"
#include "ca/signer/signer.h"
#include "core/reason.h"
#include "ssh/privkey.h"

/* A plain record; newkey_release() empties it. */
struct newkey {
	struct key pub;
	bool in_agent;
};

/*
 * known: the keys that it may not be, whatever became of them; or NULL.
 * Each fills *n, zero unless ALLOWED is returned.
 */
enum reason newkey_make(struct signer *s, struct newkey *n);
/* text: a key file, as privkey_parse() reads it. */
enum reason newkey_import(struct signer *s, const struct keyring *known,
    const struct request_field *text, struct newkey *n);
/* blob: a public key, which the agent must hold. */
enum reason newkey_named(struct signer *s, const struct keyring *known,
    const struct request_field *blob, struct newkey *n);

/* Append the row of its stage; within a transaction. */
enum reason newkey_append(struct signer *s, const struct newkey *n,
    enum ca_role role, enum ca_stage stage, const char *why);

void newkey_release(struct newkey *n);

#endif /* AAD_NEWKEY_H */
