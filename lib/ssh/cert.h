/* SPDX-License-Identifier: ISC */

/*
 * cert: one OpenSSH certificate of a user or a host, decoded strictly from
 * what sshd hands over (%t %k of AuthorizedPrincipalsCommand, a line of
 * SSH_AUTH_INFO_0), or made (certmake.c).  Sources: draft-miller-ssh-cert,
 * OpenSSH PROTOCOL.certkeys; PROTOCOL.u2f for security keys.
 *
 * NB. nothing but cert_verify() and cert_finish() checks a signature, and
 * nothing whether the authority is one that anybody trusts, or the times:
 * where we see a certificate, sshd has done or does all of that.  What
 * decodes is well-formed, and no more.
 */

#ifndef AAD_CERT_H
#define AAD_CERT_H

#include <stdbool.h>
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
	struct key ca; /* the authority's key */
	const uint8_t *signature; /* borrowed from blob */
	size_t signature_len; /* bytes */
	size_t signed_len; /* bytes of blob that the signature is over */
	uint8_t ca_hash[32]; /* SHA-256 of the authority's key blob */
};

/* One (name, data) pair; data as it lies inside, without its own length. */
struct cert_option {
	const char *name;
	const char *value; /* NULL: a flag, empty data; else one string */
};

/* What is to be certified.  Everything is borrowed. */
struct cert_spec {
	const struct key *key; /* the subject */
	const struct key *ca;
	uint8_t nonce[32];
	uint64_t serial;
	enum cert_type type;
	const char *key_id;
	const char *const *principals;
	size_t nprincipals;
	uint64_t valid_after;
	uint64_t valid_before;
	const struct cert_option *critical; /* sorted by name, each once */
	size_t ncritical;
	const struct cert_option *extensions; /* the same */
	size_t nextensions;
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
 * The same of a certificate whose two keys are known to be sound
 * (key_from_known_blob()): who calls this compares them with those.
 */
int cert_from_known_blob(const uint8_t *blob, size_t len, struct cert *c,
    enum reason *whyp) AAD_MUST_CHECK;

/*
 * The wire's name of a certificate of such a key; NULL for a key that nobody
 * decoded.
 */
const char *cert_type_name(const struct key *k);

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

/*
 * One line of a -cert.pub file: "TYPE BASE64 [COMMENT]", as key_from_pub()
 * reads a key's.  Returns as cert_decode().
 */
int cert_from_pub(const char *text, size_t len, struct cert *c,
    enum reason *whyp) AAD_MUST_CHECK;

/*
 * Whether the signature is c->ca's over what it must be over; who may sign is
 * the caller's question.  Returns 0; AAD_ESIG.
 */
int cert_verify(const struct cert *c) AAD_MUST_CHECK;

/*
 * Step over the pairs of c->critical or c->extensions: *left is a copy that
 * moves on.  A value is what lies in the data as one string; data that is
 * neither empty nor one string gives *valuep NULL and *rawp true.
 * Borrowed from the certificate, not NUL-terminated.
 * Returns true; false at the end.
 */
bool cert_option_next(struct cert_options *left, const char **namep,
    size_t *namelenp, const char **valuep, size_t *valuelenp, bool *rawp);

/*
 * Write all that a signature is over (PROTOCOL.certkeys): everything up to
 * and with the authority's key.  It is built as asked; what may be asked is
 * its caller's business, but for what no certificate can say: AAD_EARG for
 * unsorted, repeated or nameless options, more than CERT_PRINCIPALS_MAX
 * principals, a key id that cert_decode() would not keep, a type that is
 * none, a key or authority that nobody decoded.
 *
 * *outp: NULL unless 0 is returned; then the caller frees it.
 * Returns 0; AAD_EARG; AAD_ETOOBIG over CERT_BLOB_MAX; AAD_ENOMEM.
 */
int cert_encode(const struct cert_spec *s, uint8_t **outp,
    size_t *lenp) AAD_MUST_CHECK;

/*
 * Put the signature (a signature blob, sign.h) behind what cert_encode()
 * wrote, and read the whole back: every field must be what s says, and the
 * signature verify.
 *
 * *out: zero unless 0 is returned; then the caller releases it.
 * Returns 0; AAD_ESIG; AAD_EINTERNAL when it reads back otherwise;
 * AAD_ETOOBIG; AAD_ENOMEM.
 */
int cert_finish(const struct cert_spec *s, const uint8_t *body, size_t bodylen,
    const uint8_t *sig, size_t siglen, struct cert *out) AAD_MUST_CHECK;

/*
 * The line of a -cert.pub file, "TYPE BASE64 COMMENT\n".
 * comment: printable ASCII, or NULL.  *outp: heap, the caller frees it.
 * Returns 0; AAD_EARG; AAD_ENOMEM.
 */
int cert_line(const struct cert *c, const char *comment,
    char **outp) AAD_MUST_CHECK;

/* Free what it holds and zero it.  A zeroed certificate is a no-op. */
void cert_release(struct cert *c);

#endif /* AAD_CERT_H */
