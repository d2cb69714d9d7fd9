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
#define KRL_BITMAP_MAX	16000U /* bits we write */
#define KRL_BITMAP_READ 16384U /* bits that sshd reads */
#define KRL_COMMENT_MAX 256
#define KRL_CAS_MAX	4096 /* far over anything that rotates */
#define KRL_MAGIC	"SSHKRL\n" /* and its NUL */
#define KRL_MAGIC_LEN	sizeof(KRL_MAGIC)

/* Serials lo to hi, both included; lo >= 1. */
struct krl_range {
	uint64_t lo;
	uint64_t hi;
};

/* What is revoked of one authority.  Borrowed. */
struct krl_ca {
	const uint8_t *blob; /* its key; NULL with len 0: of any authority */
	size_t blob_len;
	/* any order, may overlap; sorted and joined in place */
	struct krl_range *ranges;
	size_t nranges;
	const char *const *key_ids;
	size_t nkey_ids;
};

/* A whole list.  Borrowed. */
struct krl_spec {
	uint64_t version;
	uint64_t generated; /* Unix seconds */
	const char *comment; /* printable ASCII, or NULL */
	struct krl_ca *cas; /* each authority once; sorted in place */
	size_t ncas; /* an authority without entries keeps its section */
	const uint8_t (*key_hashes)[32]; /* SHA-256 of key blobs */
	size_t nkey_hashes;
	const uint8_t (*sha1_hashes)[20]; /* for the shim; ours have none */
	size_t nsha1_hashes;
	const struct key *keys; /* whole keys, decoded */
	size_t nkeys;
};

/*
 * Encode: serials as lists, ranges or bitmaps, whichever is shortest; one
 * section an authority; sections, key ids, hashes and keys sorted, each once.
 *
 * *outp: NULL unless 0 is returned; then the caller frees it.
 * Returns 0; AAD_EARG for a range with lo 0 or hi < lo, an authority that is
 * there twice or whose key is none that sshd would read, a comment that is
 * too long or not printable; AAD_ETOOBIG over KRL_MAX or KRL_CAS_MAX;
 * AAD_ENOMEM.
 */
int krl_encode(struct krl_spec *s, uint8_t **outp, size_t *lenp) AAD_MUST_CHECK;

struct krl;

/*
 * Decode strictly: magic, format 1, no flags, reserved empty, known sections
 * only, in the order in which ssh-keygen and krl_encode() write them: the
 * authorities, each once, then at the most one section each of keys, SHA-1
 * and SHA-256 hashes.  Within an authority the serials ascend from part to
 * part, none is 0, a bitmap begins with a bit that is set and is not over
 * sshd's bound; key ids, without a NUL, stand in one part at the end.  Key
 * ids, keys and hashes ascend.  No part is empty, nothing stands behind the
 * last section.  A list with a signature section is refused.
 *
 * *outp: NULL unless 0 is returned; then the caller frees it.
 * Returns 0; AAD_EFORMAT; AAD_ETOOBIG; AAD_ENOMEM.
 */
int krl_decode(const uint8_t *blob, size_t len,
    struct krl **outp) AAD_MUST_CHECK;

uint64_t krl_version(const struct krl *k);
uint64_t krl_generated(const struct krl *k);

/* Whether this plain key, or an authority's, is revoked as a key, be it the
 * whole key or a hash of it. */
bool krl_has_key(const struct krl *k, const struct key *key);

/*
 * Whether a certificate of this authority, serial and key id is revoked as
 * such: by what is said of its authority or of any.  Its key and its
 * authority's are krl_has_key()'s question.
 *
 * serial: as sshd has it, 0 is a certificate without one, of which only the
 * key id counts.  key_id: NULL for one that is not known.
 */
bool krl_has_cert(const struct krl *k, const struct key *ca, uint64_t serial,
    const char *key_id);

/* How many serials of all authorities, UINT64_MAX if more, and how many
 * hashes and keys, it revokes. */
uint64_t krl_count_serials(const struct krl *k);
size_t krl_count_keys(const struct krl *k);

/*
 * What a list holds, piece by piece, as it was read; a callback that returns
 * other than 0 ends the walk with that.  Everything is borrowed from the list
 * but key ids, which are for the call.  ca: NULL with calen 0: of any.
 */
struct krl_visit {
	void *arg;
	int (*serials)(void *arg, const uint8_t *ca, size_t calen, uint64_t lo,
	    uint64_t hi);
	int (*key_id)(void *arg, const uint8_t *ca, size_t calen,
	    const char *id);
	int (*key)(void *arg, const uint8_t *blob, size_t len);
	int (*hash)(void *arg, const uint8_t *hash, size_t len); /* 20 or 32 */
};

/* Returns 0; a callback's value; AAD_ENOMEM. */
int krl_each(const struct krl *k, const struct krl_visit *v) AAD_MUST_CHECK;

void krl_free(struct krl *k);

#endif /* AAD_KRL_H */
