/* SPDX-License-Identifier: ISC */

/*
 * cert: one OpenSSH certificate of a user or a host, decoded strictly from
 * what sshd hands over (%t %k of AuthorizedPrincipalsCommand, a line of
 * SSH_AUTH_INFO_0).  Sources: draft-miller-ssh-cert, OpenSSH
 * PROTOCOL.certkeys; PROTOCOL.u2f for security keys.
 *
 * NB. no signature is checked here, nor whether the authority is one that
 * anybody trusts, nor the times: where we see a certificate, sshd has done
 * or does all of that.  What decodes is well-formed, and no more.
 */

#ifndef AAD_CERT_H
#define AAD_CERT_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/name.h"
#include "core/reason.h"
#include "ssh/key.h"

/* bytes; two RSA-16384 keys and all principals, 32 bytes each, fit in */
#define CERT_BLOB_MAX	    16384
#define CERT_PRINCIPALS_MAX 256 /* OpenSSH's own bound */
#define CERT_KEY_ID_MAX	    1024 /* bytes; ours have some 250 */

enum cert_type {
	CERT_NONE = 0,
	CERT_USER = 1, /* the numbers of the wire */
	CERT_HOST = 2
};

/* (name, data) pairs as on the wire; borrowed from the certificate's blob. */
struct cert_options {
	const uint8_t *p;
	size_t len; /* bytes */
};

/* A plain record; the caller owns it, cert_release() empties it. */
struct cert {
	struct key key; /* the certified key, as the plain key it is */
	uint8_t *blob; /* the wire form, heap */
	size_t blob_len; /* bytes */
	uint64_t serial;
	enum cert_type type;
	char *key_id; /* heap; NULL: not of printable ASCII, or too long */
	char **principals; /* heap; no NUL in any, anything else may be */
	size_t nprincipals;
	uint64_t valid_after; /* Unix seconds */
	uint64_t valid_before; /* the first moment after; UINT64_MAX: never */
	struct cert_options critical;
	struct cert_options extensions;
	uint8_t ca_hash[32]; /* SHA-256 of the authority's key blob */
};

/*
 * Decode sshd's pair.  type is one of the wire's certificate names, base64
 * the whole certificate, both NUL-terminated and of any length.
 *
 * The blob's inner type must equal type, be the certificate of a plain type
 * of key.h, have nothing behind its last field and nothing behind the last
 * principal or option, be for users or hosts, have no NUL in key id and
 * principals (one at the end, which sshd drops, included), and its options
 * sorted, each once, none without a name.  The certified key and the
 * authority's must be sound as key_from_blob() means it; the authority's is
 * no certificate.  The reserved field and the nonce may hold anything.
 * A key id that is of no use is no error: other authorities write what they
 * like.
 *
 * *c: zero unless 0 is returned; what it held before is not freed.
 * *whyp: for AAD_EREFUSED KEY_MALFORMED (also when type and blob disagree),
 * KEY_TYPE (a plain key too) or KEY_WEAK; NO_MEMORY for AAD_ENOMEM; else
 * UNSET.
 * Returns 0; AAD_EREFUSED; AAD_ENOMEM.
 */
int cert_decode(const char *type, const char *base64, struct cert *c,
    enum reason *whyp) AAD_MUST_CHECK;

/* The same from the blob alone, its inner type deciding. */
int cert_from_blob(const uint8_t *blob, size_t len, struct cert *c,
    enum reason *whyp) AAD_MUST_CHECK;

/*
 * Who it was issued to, as our own authority writes it into the key id:
 * "UPN oid=GUID tid=GUID uti=...".  Read from the right, because a UPN may
 * look like fields itself: words of the form NAME=VALUE parted by one blank,
 * up to the first that is not; the rightmost of the name counts.
 *
 * out: the GUID in lower case; "" unless 0 is returned.
 * Returns 0; AAD_ENOENT when there is none, or no GUID.
 */
int cert_key_oid(const struct cert *c,
    char out[static NAME_GUID_LEN + 1]) AAD_MUST_CHECK;
int cert_key_tid(const struct cert *c,
    char out[static NAME_GUID_LEN + 1]) AAD_MUST_CHECK;

/* Free what it holds and zero it.  A zeroed certificate is a no-op. */
void cert_release(struct cert *c);

#endif /* AAD_CERT_H */
