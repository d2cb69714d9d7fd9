/* SPDX-License-Identifier: ISC */

/*
 * archive: a backup: named entries in one stream, that only the recovery key
 * opens and that cannot be changed, cut or reordered unnoticed.
 * docs/formats.md, "Backup".  Pure: bytes go to and come from functions, a
 * chunk at a time, so that an entry may be of any size.
 *
 * The key of the stream (crypto_secretstream_xchacha20poly1305) is sealed
 * (crypto_box_seal) for the X25519 form of the recovery Ed25519 key.
 */

#ifndef AAD_ARCHIVE_H
#define AAD_ARCHIVE_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/secret.h"
#include "ssh/key.h"
#include "ssh/privkey.h"

#define ARCHIVE_MAGIC	  "aadssh-ca backup 2\n"
#define ARCHIVE_CHUNK	  65536 /* bytes of text in a chunk */
#define ARCHIVE_NAME_MAX  128 /* bytes of an entry's name */
#define ARCHIVE_ENTRY_MAX (UINT64_C(1) << 46) /* bytes of an entry */

/* Takes what is written; non-zero ends it and is returned. */
typedef int archive_out_fn(void *arg, const uint8_t *p, size_t len);

struct archive;

/*
 * Begin one that this key can open; out is called from here on.
 * *outp: NULL unless 0 is returned; then archive_free() ends it.
 * Returns 0; AAD_EARG for a key that is not Ed25519; AAD_ENOMEM; out's.
 */
int archive_new(const struct key *recovery, archive_out_fn *out, void *arg,
    struct archive **outp) AAD_MUST_CHECK;

/*
 * Begin an entry of len bytes, which archive_put() then gives, all at once or
 * by and by.
 * Returns 0; AAD_EARG for a name, or when bytes of the entry before are
 * missing (put: when they are more than there should be); AAD_ETOOBIG; out's.
 */
int archive_entry(struct archive *a, const char *name,
    uint64_t len) AAD_MUST_CHECK;
int archive_put(struct archive *a, const uint8_t *p, size_t len) AAD_MUST_CHECK;

/* Both.  Returns as they do. */
int archive_add(struct archive *a, const char *name, const uint8_t *p,
    size_t len) AAD_MUST_CHECK;

/* Without it what was written does not open.  Returns 0; AAD_EARG when bytes
 * of the last entry are missing; out's. */
int archive_end(struct archive *a) AAD_MUST_CHECK;

void archive_free(struct archive *a);

/* Fills exactly len bytes; AAD_ENOENT where there are fewer. */
typedef int archive_in_fn(void *arg, uint8_t *p, size_t len);

/*
 * What becomes of the entries: each begins, its bytes come in pieces of at
 * most ARCHIVE_CHUNK, and it ends.  Non-zero ends the reading and is returned.
 */
struct archive_sink {
	int (*begin)(void *arg, const char *name, uint64_t len);
	int (*bytes)(void *arg, const uint8_t *p, size_t len);
	int (*end)(void *arg);
	void *arg;
};

/*
 * Open one.  Each piece is authentic when it comes, but NB. the end was not
 * seen yet: let nothing count until 0 is returned.
 *
 * Returns 0; AAD_EFORMAT when it is no archive, was changed or cut;
 * AAD_EREFUSED when it is sealed for another key; AAD_EVERSION; AAD_ENOMEM;
 * in's and the sink's.
 */
int archive_read(const struct privkey *recovery, archive_in_fn *in, void *arg,
    const struct archive_sink *sink) AAD_MUST_CHECK;

#endif /* AAD_ARCHIVE_H */
