/* SPDX-License-Identifier: ISC */

/*
 * keyring: the keys of the authority: which are there, from the ledger, and
 * signing with the active one of a role, by the backend that holds it.
 * The only reader of private keys.  Files: DIR/keys/HEX64.key, HEX64 being
 * the SHA-256 of the public blob, openssh-key-v1, 0600, directory 0700.
 */

#ifndef AAD_KEYRING_H
#define AAD_KEYRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ca/signer/ledger.h"
#include "core/err.h"
#include "core/reason.h"
#include "ssh/key.h"
#include "ssh/privkey.h"

#define KEYRING_MAX  64 /* keys that are not removed */
#define KEYRING_FULL 60 /* from here on rotation adds none */

struct keyring_key {
	enum ca_role role;
	enum ca_stage stage;
	struct key pub;
	bool in_agent; /* else a file */
	int64_t prepared_at, active_at, retired_at, removed_at;
};

/* Keys in the order of the ledger, removed and revoked ones too. */
struct keyring {
	int dirfd; /* DIR; borrowed */
	int agent; /* a connected socket, or -1; borrowed */
	struct keyring_key *keys;
	size_t n;
};

/*
 * Read the keys from the ledger; opens no private key.
 * *k: zero unless 0 is returned; keyring_release() frees it.
 * Returns as the ledger's functions.
 */
int keyring_load(struct ledger *l, int dirfd, int agent, struct keyring *k,
    enum reason *whyp) AAD_MUST_CHECK;

void keyring_release(struct keyring *k);

/* The key of a role at a stage, the latest, or NULL. */
const struct keyring_key *keyring_find(const struct keyring *k,
    enum ca_role role, enum ca_stage stage);
const struct keyring_key *keyring_by_hash(const struct keyring *k,
    const uint8_t hash[static 32]);

/*
 * Sign with one of them; the private half is opened, compared with the
 * public one, used, wiped, and the signature verified.
 * *sigp: the caller frees it.
 * *whyp: CA_KEY, CA_AGENT, SIGNATURE_BAD, NO_MEMORY; fault has the words.
 * Returns 0; AAD_ENOENT; AAD_EPERM; AAD_EFORMAT; AAD_ESIG; AAD_ENET for the
 * agent; AAD_ENOMEM; AAD_ESYS.
 */
int keyring_sign(const struct keyring *k, const struct keyring_key *key,
    const uint8_t *data, size_t len, uint8_t **sigp, size_t *siglenp,
    enum reason *whyp, const char **faultp) AAD_MUST_CHECK;

/*
 * Store a private key, whole or not at all, and forget it; a file of this
 * name with the same key is no error.  The caller appends the EVENT_KEY
 * after it, so that a kill in between leaves a key that no row names.
 * Returns 0; AAD_EPERM; AAD_ENOMEM; AAD_ESYS.
 */
int keyring_store(int dirfd, const struct privkey *k) AAD_MUST_CHECK;

/* Append the row of a stage; within a transaction. */
int keyring_append(struct ledger *l, int64_t now, enum ca_role role,
    enum ca_stage stage, const struct key *pub, bool in_agent, const char *why,
    enum reason *whyp) AAD_MUST_CHECK;

/* Remove the private file of a key that is removed or revoked.  Returns 0;
 * AAD_ENOENT; AAD_ESYS. */
int keyring_destroy(int dirfd, const uint8_t hash[static 32]) AAD_MUST_CHECK;

/*
 * Remove what a kill within or behind keyring_store() left: each private file
 * that is of no key of the ring, and each temporary one.  Only such as
 * keyring_store() makes them; others are passed over.  Within the transaction
 * that the ring was read in, for who stores a key holds it until its row.
 * told: called for each; r: 0, or why it is still there.
 * Returns 0; AAD_ENOENT; AAD_EPERM; AAD_ESYS.
 */
typedef void keyring_swept_fn(void *arg, const char *name, int r);
int keyring_sweep(const struct keyring *k, keyring_swept_fn *told,
    void *arg) AAD_MUST_CHECK;

#endif /* AAD_KEYRING_H */
