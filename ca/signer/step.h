/* SPDX-License-Identifier: ISC */

/*
 * step: what several operations of the signer do alike: the ledger's
 * transactions and words, the directories, times for people.
 */

#ifndef AAD_STEP_H
#define AAD_STEP_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "ca/signer/signer.h"
#include "core/err.h"
#include "core/file.h"
#include "core/reason.h"

#define STEP_DIR_PRIVATE 0700
#define STEP_DIR_PUBLIC	 0755
#define STEP_PUBLIC_FILE 0644
#define STEP_KEY_SUFFIX	 ".key"

/* NO_MEMORY for AAD_ENOMEM, else other; ALLOWED for 0. */
enum reason step_reason(int r, enum reason other);

/* A failure of the ledger, with its words.  Returns why. */
enum reason step_ledger(struct signer *s, enum reason why);

/* What a walk over the ledger returned, whose callback fails with AAD_ENOMEM
 * only, and what the ledger said. */
enum reason step_walked(struct signer *s, int r, enum reason why);

/* What signer_row() and the like returned. */
enum reason step_replied(int r);

/* A failure about a file or directory: its name and what went wrong, errno's
 * words for AAD_ESYS.  Returns the reason. */
enum reason step_file(struct signer *s, int r, enum reason other,
    const char *name);

/* Open the ledger when it is not, and begin; commit. */
enum reason step_begin(struct signer *s);
enum reason step_commit(struct signer *s);

/* Read the keys.  keyring_release() ends *k, whatever was returned. */
enum reason step_keys(struct signer *s, struct keyring *k);

/* RFC 3339, JSON's null for 0; NULL where memory is short. */
json_t *step_time(int64_t t);

/* The fingerprint of a hash; NULL where memory is short. */
json_t *step_fingerprint(const uint8_t hash[static 32]);

/* "TYPE BASE64" of a key.  *outp: the caller frees it; 0 or AAD_ENOMEM. */
int step_key_text(const struct key *k, char **outp) AAD_MUST_CHECK;

/* The running user, as whom everything below DIR is judged. */
struct file_owner step_owner(void);

/*
 * Open a directory below DIR that belongs to the running user.
 * *fdp: -1 unless 0 is returned.  Returns as file_dir_open().
 */
int step_dir(const struct signer *s, const char *name, int *fdp) AAD_MUST_CHECK;

/*
 * Make the directories of an authority that are not there: keys, manifests,
 * locks, tenant and the publication's, which s->publish is then.  The
 * ledger's is the ledger's own.  Nothing that is there is changed.
 * *whichp: the one that failed.  Returns as file_dir_make().
 */
int step_layout(struct signer *s, const char **whichp) AAD_MUST_CHECK;

/* "HEX64.key", the private file of a key; and whether a name is one. */
#define STEP_KEY_NAME_LEN 68
void step_key_name(const uint8_t hash[static 32],
    char out[static STEP_KEY_NAME_LEN + 1]);
bool step_is_key_name(const char *name);

#endif /* AAD_STEP_H */
