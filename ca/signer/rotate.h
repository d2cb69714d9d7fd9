/* SPDX-License-Identifier: ISC */

/*
 * rotate: what rotation.h asks for, read from the ledger and from what was
 * published.
 */

#ifndef AAD_ROTATE_H
#define AAD_ROTATE_H

#include <stddef.h>

#include "ca/signer/keyring.h"
#include "ca/signer/rotation.h"
#include "ca/signer/signer.h"
#include "core/reason.h"

/* A plain record; the members of ask that somebody asked for are false. */
struct rotate_look {
	struct rotation_key keys[KEYRING_MAX];
	size_t n;
	struct rotation_ask ask;
};

/* Look.  ring: as loaded just now. */
enum reason rotate_look(struct signer *s, const struct keyring *ring,
    struct rotate_look *look);

#endif /* AAD_ROTATE_H */
