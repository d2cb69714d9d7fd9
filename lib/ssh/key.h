/* SPDX-License-Identifier: ISC */

/*
 * key: one plain public key, decoded strictly from what sshd hands over
 * (%t %k) or from a .pub file.  Sources: RFC 4253 s.6.6, RFC 5656 s.3.1,
 * RFC 8709 s.4, OpenSSH PROTOCOL.u2f.
 */

#ifndef AAD_KEY_H
#define AAD_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/reason.h"

#define KEY_BLOB_MAX 8192 /* bytes; a 16384 bit RSA key has 2.1 kB */
#define KEY_RSA_MIN  2048 /* bits */
#define KEY_RSA_MAX  16384 /* bits; OpenSSH's own bound */
#define KEY_TYPE_MAX 40 /* bytes; the longest plain name has 34 */
#define KEY_FP_LEN   50 /* "SHA256:" + 43 base64 digits */
/* bytes of a security key's application: "ssh:" and what its owner added */
#define KEY_APPLICATION_MAX 256

enum key_kind {
	KEY_NONE = 0,
	KEY_ED25519,
	KEY_ECDSA_256,
	KEY_ECDSA_384,
	KEY_ECDSA_521,
	KEY_RSA,
	KEY_SK_ED25519,
	KEY_SK_ECDSA_256
};

/* A plain record; the caller owns it, key_release() empties it. */
struct key {
	enum key_kind kind;
	unsigned int bits; /* of the modulus or the field */
	uint8_t *blob; /* the wire form, heap */
	size_t blob_len; /* bytes */
	uint8_t hash[32]; /* SHA-256 of the blob */
};

/*
 * Decode sshd's pair: %t, and %k in strict base64.  type is one of the
 * wire's names, NUL-terminated; so is base64, of any length.
 *
 * The blob's inner type must equal type, be one of the plain types above,
 * have nothing behind its last field, and be sound: RSA of KEY_RSA_MIN to
 * KEY_RSA_MAX bits with an odd exponent >= 3 and odd modulus, EC points
 * uncompressed and on their curve, an sk application of printable ASCII.
 * NB. whether an Ed25519 point is canonical and of the main group takes as
 * long as the rest of a refusal, and sshd asks for each key that a client
 * offers: it is judged where keys enter, by the two functions below.  A key
 * that did not enter has no record.
 *
 * *k: zero unless 0 is returned; what it held before is not freed.
 * *whyp: for AAD_EREFUSED KEY_MALFORMED (also when type and blob disagree),
 * KEY_TYPE, KEY_WEAK or KEY_CERTIFICATE; NO_MEMORY for AAD_ENOMEM; else
 * UNSET.
 * Returns 0; AAD_EREFUSED; AAD_ENOMEM.
 */
int key_decode(const char *type, const char *base64, struct key *k,
    enum reason *whyp) AAD_MUST_CHECK;

/*
 * The same from the blob alone, its inner type deciding, and an Ed25519
 * point must be canonical and of the main group.
 */
int key_from_blob(const uint8_t *blob, size_t len, struct key *k,
    enum reason *whyp) AAD_MUST_CHECK;

/*
 * The same of a key that entered before, so that its point needs no second
 * judgement, which takes as long as a signature.
 */
int key_from_known_blob(const uint8_t *blob, size_t len, struct key *k,
    enum reason *whyp) AAD_MUST_CHECK;

/*
 * One line of a .pub file: "TYPE BASE64 [COMMENT]", one line, an optional
 * line feed at its end, no blank in front, fields parted by blanks or tabs.
 * ssh-keygen -C '' leaves a blank behind the second.  Options in front are
 * KEY_MALFORMED; so is a private key, of which nothing is copied; so is
 * any other control byte, the CR of a file from Windows included.  An
 * Ed25519 point must be canonical and of the main group.
 *
 * len: bytes at text, with a NUL behind them; a NUL within is malformed.
 */
int key_from_pub(const char *text, size_t len, struct key *k,
    enum reason *whyp) AAD_MUST_CHECK;

/*
 * The fields of such a line, undecoded: the type stands at text, the base64
 * at *base64p, borrowed.  What the three hold is of no use unless it is true.
 */
bool key_pub_fields(const char *text, size_t len, size_t *typelenp,
    const char **base64p, size_t *base64lenp);

/* The type's name on the wire: "ssh-ed25519", … ; "none" for KEY_NONE. */
const char *key_type_name(const struct key *k);

/* "SHA256:…" as ssh-keygen -l shows it. */
void key_fingerprint(const struct key *k, char out[static KEY_FP_LEN + 1]);

/* The same from a hash alone. */
void key_fingerprint_of(const uint8_t hash[static 32],
    char out[static KEY_FP_LEN + 1]);

/*
 * "SHA256:…" back to the 32 bytes, which are zero when it is not one.
 * Returns 0 or AAD_EFORMAT.
 */
int key_fingerprint_parse(const char *text,
    uint8_t hash[static 32]) AAD_MUST_CHECK;

/*
 * The one line for sshd, built from the decoded blob only:
 * "[OPTIONS ]TYPE BASE64\n", no comment (sshd(8) AUTHORIZED_KEYS).
 *
 * options: NULL or a name_options_ok() list; never trusted here: a
 * list that is not one is AAD_EARG, and so is a key that nobody decoded.
 * *outp: heap, the caller frees it.
 * Returns 0; AAD_EARG; AAD_ENOMEM.
 */
int key_line(const struct key *k, const char *options,
    char **outp) AAD_MUST_CHECK;

/* Free what it holds and zero it.  A zeroed key is a no-op. */
void key_release(struct key *k);

#endif /* AAD_KEY_H */
