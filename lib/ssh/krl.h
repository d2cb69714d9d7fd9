/* SPDX-License-Identifier: ISC */

/*
 * krl: a key revocation list, OpenSSH PROTOCOL.krl, format version 1,
 * unsigned inside (the bundle is signed as a whole).
 *
 * NB. sshd reads no bitmap over 16384 bits: a dense one that is longer locks
 * everybody out.  The encoder splits.
 */

#ifndef AAD_KRL_H
#define AAD_KRL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "ssh/key.h"

#define KRL_MAX		(16U << 20) /* bytes of a list */
#define KRL_BITMAP_MAX	16000U /* bits we write; sshd reads 16384 */
#define KRL_COMMENT_MAX 256

/* Serials lo to hi, both included; lo >= 1. */
struct krl_range {
	uint64_t lo;
	uint64_t hi;
};

/* What is revoked of one authority.  Borrowed. */
struct krl_ca {
	const uint8_t *blob; /* its key; NULL with len 0: of any authority */
	size_t blob_len;
	struct krl_range *ranges; /* any order, may overlap; sorted in place */
	size_t nranges;
	const char *const *key_ids;
	size_t nkey_ids;
};

/* A whole list.  Borrowed. */
struct krl_spec {
	uint64_t version;
	uint64_t generated; /* Unix seconds */
	const char *comment; /* printable ASCII, or NULL */
	struct krl_ca *cas;
	size_t ncas; /* an authority without entries keeps its section */
	const uint8_t (*key_hashes)[32]; /* SHA-256 of key blobs */
	size_t nkey_hashes;
	const uint8_t (*sha1_hashes)[20]; /* for the shim; ours have none */
	size_t nsha1_hashes;
	const struct key *keys; /* whole keys */
	size_t nkeys;
};

/*
 * Encode: serials as lists, ranges or bitmaps, whichever is shortest, hashes
 * and keys sorted, each once.
 *
 * *outp: NULL unless 0 is returned; then the caller frees it.
 * Returns 0; AAD_EARG for a range with lo 0 or hi < lo; AAD_ETOOBIG;
 * AAD_ENOMEM.
 */
int krl_encode(struct krl_spec *s, uint8_t **outp, size_t *lenp) AAD_MUST_CHECK;

struct krl;

/*
 * Decode strictly: magic, format 1, reserved empty, known sections only,
 * ordered serial lists, no serial 0, no bitmap over sshd's bound, nothing
 * behind the last section.  A list with a signature section is refused.
 *
 * *outp: NULL unless 0 is returned; then the caller frees it.
 * Returns 0; AAD_EFORMAT; AAD_ETOOBIG; AAD_ENOMEM.
 */
int krl_decode(const uint8_t *blob, size_t len,
    struct krl **outp) AAD_MUST_CHECK;

uint64_t krl_version(const struct krl *k);
uint64_t krl_generated(const struct krl *k);

/* Whether this plain key, or an authority's, is revoked as a key. */
bool krl_has_key(const struct krl *k, const struct key *key);

/*
 * Whether a certificate of this authority, serial and key id is revoked as
 * such; its key and its authority's are krl_has_key()'s question.
 */
bool krl_has_cert(const struct krl *k, const struct key *ca, uint64_t serial,
    const char *key_id);

/* How many serials, and how many hashes and keys, it revokes. */
uint64_t krl_count_serials(const struct krl *k);
size_t krl_count_keys(const struct krl *k);

void krl_free(struct krl *k);

#endif /* AAD_KRL_H */
