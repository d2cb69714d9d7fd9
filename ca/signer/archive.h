/* SPDX-License-Identifier: ISC */

/*
 * archive: a backup: named entries in one stream, that only the recovery key
 * opens and that cannot be changed, cut or reordered unnoticed.
 * docs/formats.md, "Backup".  Pure: bytes go to and come from a function.
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

#define ARCHIVE_MAGIC	  "aadssh-ca backup 1\n"
#define ARCHIVE_CHUNK	  65536 /* bytes of text in a chunk */
#define ARCHIVE_NAME_MAX  128 /* bytes of an entry's name */
#define ARCHIVE_ENTRY_MAX (UINT64_C(1) << 30) /* bytes of an entry */

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

/* Add an entry.  Returns 0; AAD_EARG; AAD_ETOOBIG; out's. */
int archive_add(struct archive *a, const char *name, const uint8_t *p,
    size_t len) AAD_MUST_CHECK;

/* Without it what was written does not open.  Returns 0 or out's. */
int archive_end(struct archive *a) AAD_MUST_CHECK;

void archive_free(struct archive *a);

/* Fills exactly len bytes; AAD_ENOENT where there are fewer. */
typedef int archive_in_fn(void *arg, uint8_t *p, size_t len);

/*
 * An entry: p is heap, wiped and freed behind the call unless fn sets *pp to
 * NULL and keeps it.  Non-zero ends the reading and is returned.
 */
typedef int archive_entry_fn(void *arg, const char *name, uint8_t **pp,
    size_t len);

/*
 * Open one.  NB. entries come before the end was seen: act on none of them
 * until 0 is returned.
 *
 * Returns 0; AAD_EFORMAT when it is no archive, was changed or cut;
 * AAD_EREFUSED when it is sealed for another key; AAD_EVERSION; AAD_ETOOBIG;
 * AAD_ENOMEM; in's and fn's.
 */
int archive_read(const struct privkey *recovery, archive_in_fn *in, void *arg,
    archive_entry_fn *fn, void *fnarg) AAD_MUST_CHECK;

#endif /* AAD_ARCHIVE_H */
