/* SPDX-License-Identifier: ISC */

/*
 * manifest: what a publication says of itself, signed by the bundle key: its
 * version, its times, the hash of each of its files, how long the ledger was
 * and its head.  docs/formats.md, "Manifest".  Pure.
 */

#ifndef AAD_MANIFEST_H
#define AAD_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "ca/signer/keyring.h"
#include "core/err.h"

#define MANIFEST_NAME	     "manifest.json"
#define MANIFEST_SIG	     "manifest.json.sig"
#define MANIFEST_NAMESPACE   "aadssh-bundle"
#define MANIFEST_MAX	     65536 /* bytes; 64 keys and ten files fit */
#define MANIFEST_VERSION_MAX ((uint64_t)INT64_MAX)

/* A plain record; manifest_release() empties it. */
struct manifest {
	uint64_t version;
	int64_t issued; /* Unix seconds */
	int64_t expires;
	int64_t length; /* of the ledger */
	uint8_t head[32];
	uint8_t bundle_key[32]; /* hash of the key that signed it */
	uint8_t recovery_key[32];
	uint8_t hash[32]; /* SHA-256 of the text */
	json_t *doc; /* the whole */
};

/*
 * Read the text.  *m: zero unless 0 is returned.
 * Returns 0; AAD_EFORMAT; AAD_EVERSION; AAD_ETOOBIG; AAD_ENOMEM.
 */
int manifest_parse(const char *text, size_t len,
    struct manifest *m) AAD_MUST_CHECK;

/*
 * The same, and sig (armoured text) must be of the bundle key that it names,
 * which must be one that the ledger knows.
 * Also AAD_ESIG; AAD_EREFUSED for a signature in another namespace.
 */
int manifest_verify(const char *text, size_t len, const char *sig,
    size_t siglen, const struct keyring *keys,
    struct manifest *m) AAD_MUST_CHECK;

/* The stage it lists a key at, CA_STAGE_NONE when it does not. */
enum ca_stage manifest_stage(const struct manifest *m, enum ca_role role,
    const uint8_t hash[static 32]);

/* How many keys of a role it lists. */
size_t manifest_keys(const struct manifest *m, enum ca_role role);

/*
 * Whether it lists the file with these bytes; and how many files it lists.
 */
bool manifest_has_file(const struct manifest *m, const char *name,
    const uint8_t *bytes, size_t len);
size_t manifest_files(const struct manifest *m);

void manifest_release(struct manifest *m);

#endif /* AAD_MANIFEST_H */
