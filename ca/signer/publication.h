/* SPDX-License-Identifier: ISC */

/*
 * publication: everything that hosts are told, made from the ledger at one
 * moment and still in memory: the authority's keys, the KRL, the denials, and
 * the signed manifest over them.  docs/formats.md, "Publication".
 */

#ifndef AAD_PUBLICATION_H
#define AAD_PUBLICATION_H

#include <stddef.h>
#include <stdint.h>

#include "ca/signer/keyring.h"
#include "ca/signer/revoked.h"
#include "ca/signer/signer.h"
#include "core/reason.h"

#define PUBLICATION_FILES     10
#define PUBLICATION_SUCCESSOR "bundle_successor.json"
/* The namespace of a successor's signature; nothing else has it. */
#define PUBLICATION_SUCCESSOR_NAMESPACE "aadssh-bundle-successor"

struct publication_file {
	const char *name; /* static storage */
	uint8_t *p; /* heap */
	size_t len;
};

/* A plain record; publication_release() empties it. */
struct publication {
	uint64_t version;
	struct publication_file files[PUBLICATION_FILES];
	size_t n;
	struct revoked_count revoked;
	int64_t length; /* of the ledger */
	uint8_t head[32];
};

/*
 * Make it.  Within a transaction.
 * keys: as loaded within the same one.
 * *p: to be released whatever is returned.
 */
enum reason publication_build(struct signer *s, const struct keyring *keys,
    uint64_t version, struct publication *p);

void publication_release(struct publication *p);

/* The name below manifests/ of the statement that made a bundle key the
 * successor of another; ".sig" behind it is its signature's. */
#define PUBLICATION_STATEMENT_LEN 80
void publication_statement(const uint8_t hash[static 32],
    char out[static PUBLICATION_STATEMENT_LEN]);

#endif /* AAD_PUBLICATION_H */
