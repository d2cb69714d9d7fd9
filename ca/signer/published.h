/* SPDX-License-Identifier: ISC */

/*
 * published: the directory of publications on disk: a directory for each
 * version, the link "current" to one of them, and the copies of the manifests
 * that the ledger is held against.  Whoever calls holds the ledger's lock, so
 * that nobody else writes here.
 */

#ifndef AAD_PUBLISHED_H
#define AAD_PUBLISHED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ca/signer/keyring.h"
#include "ca/signer/manifest.h"
#include "ca/signer/publication.h"
#include "ca/signer/signer.h"
#include "core/err.h"
#include "core/reason.h"

#define PUBLISHED_KEPT		10 /* versions */
#define PUBLISHED_CURRENT	"current"
#define PUBLISHED_NAME_LEN	24 /* a version in decimal */
#define PUBLISHED_AFTER_RESTORE 1000 /* versions that a backup may not know */

/* The decimal name of a version. */
void published_name(uint64_t version, char out[static PUBLISHED_NAME_LEN]);

/*
 * The version that hosts see.
 * *vp: 0 unless 0 is returned.  Returns 0; AAD_ENOENT; AAD_EFORMAT when
 * "current" is not a link to a version; AAD_ESYS.
 */
int published_current(int fd, uint64_t *vp) AAD_MUST_CHECK;

/*
 * The version for the next publication: above every one that the directory,
 * the kept manifests or the ledger know.  Also what published_agrees() says.
 */
enum reason published_next(struct signer *s, const struct keyring *keys,
    uint64_t *vp);

/* Whether the ledger has the row of this version's switch. */
enum reason published_recorded(struct signer *s, uint64_t version, bool *yes);

/*
 * Whether the ledger has all that hosts were told: one that was put back to
 * an older state would publish a list without what was revoked since, and sign
 * for who is denied.  One that does not know the bundle key that signed what
 * hosts see is older, too.  After a restore that is known, and no version that
 * counts is no witness.  One row is read, not the chain.
 * Returns ALLOWED; LEDGER_ALTERED; NO_MEMORY; the reasons of the ledger.
 */
enum reason published_agrees(struct signer *s, const struct keyring *keys);

/* Write the version's directory, whole or not at all; not current yet. */
enum reason published_write(struct signer *s, const struct publication *p);

/*
 * Read a manifest and its signature below the directory at dirfd.
 * Returns as file_read() and manifest_verify().
 */
int published_manifest(int dirfd, const char *name, const struct keyring *keys,
    struct manifest *m) AAD_MUST_CHECK;

/* The manifest of a version of the directory. */
int published_load(int fd, uint64_t version, const struct keyring *keys,
    struct manifest *m) AAD_MUST_CHECK;

/*
 * Read a version back as hosts will: its manifest, every file that it lists
 * and no other, the KRL.  *m: to be released when ALLOWED is returned.
 */
enum reason published_check(struct signer *s, uint64_t version,
    const struct keyring *keys, struct manifest *m);

/* Copy the version's manifest and signature to manifests/. */
enum reason published_keep(struct signer *s, uint64_t version);

/* Point "current" at it. */
enum reason published_switch(struct signer *s, uint64_t version);

/* Remove a version, or what a crash left of one. */
int published_remove(int fd, const char *name) AAD_MUST_CHECK;

/* Remove all but the last PUBLISHED_KEPT up to the current version, and what
 * was never switched to and is older than an hour.  As far as it goes. */
void published_prune(struct signer *s, uint64_t current);

#endif /* AAD_PUBLISHED_H */
