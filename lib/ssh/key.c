/* SPDX-License-Identifier: ISC */

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "core/b64.h"
#include "core/name.h"
#include "ssh/curve.h"
#include "ssh/key.h"
#include "ssh/wire.h"

#define BASE64_MAX    ((KEY_BLOB_MAX + 2) / 3 * 4)
#define FP_PREFIX     "SHA256:"
#define FP_PREFIX_LEN (sizeof(FP_PREFIX) - 1)
#define CERT_SUFFIX   "-cert-v01@openssh.com"

/*
 * Read a type's own fields.  Returns 0 or AAD_EREFUSED with *whyp; after
 * KEY_WEAK the reader stands behind the fields, too.
 */
typedef int judge_fn(struct wire *w, const char *curve, struct key *k,
    enum reason *whyp);

static judge_fn judge_ed25519, judge_ecdsa, judge_rsa;

static const struct type {
	enum key_kind kind;
	const char *name;
	judge_fn *judge;
	const char *curve; /* RFC 5656 s.6.1, where there is one */
	unsigned int bits; /* 0: the key says */
	bool sk; /* an application follows (PROTOCOL.u2f) */
} types[] = {
	{ KEY_ED25519, "ssh-ed25519", judge_ed25519, NULL, 256, false },
	{ KEY_ECDSA_256, "ecdsa-sha2-nistp256", judge_ecdsa, "nistp256", 256,
	    false },
	{ KEY_ECDSA_384, "ecdsa-sha2-nistp384", judge_ecdsa, "nistp384", 384,
	    false },
	{ KEY_ECDSA_521, "ecdsa-sha2-nistp521", judge_ecdsa, "nistp521", 521,
	    false },
	{ KEY_RSA, "ssh-rsa", judge_rsa, NULL, 0, false },
	{ KEY_SK_ED25519, "sk-ssh-ed25519@openssh.com", judge_ed25519, NULL,
	    256, true },
	{ KEY_SK_ECDSA_256, "sk-ecdsa-sha2-nistp256@openssh.com", judge_ecdsa,
	    "nistp256", 256, true },
};

#define NTYPES (sizeof(types) / sizeof(types[0]))

static bool
equals(const char *name, const void *s, size_t len)
{
	return strlen(name) == len && memcmp(name, s, len) == 0;
}

static const struct type *
type_find(const void *name, size_t len)
{
	size_t i;

	for (i = 0; i < NTYPES; i++)
		if (equals(types[i].name, name, len))
			return &types[i];
	return NULL;
}

static const struct type *
type_of(const struct key *k)
{
	size_t i;

	for (i = 0; i < NTYPES; i++)
		if (types[i].kind == k->kind)
			return &types[i];
	return NULL;
}

static int
refuse(enum reason *whyp, enum reason why)
{
	*whyp = why;
	return AAD_EREFUSED;
}

static bool
is_printable(const uint8_t *s, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (s[i] < ' ' || s[i] > '~')
			return false;
	return true;
}

/* What to call a type that is not one of ours. */
static enum reason
reason_of_name(const uint8_t *name, size_t len)
{
	size_t suffix = strlen(CERT_SUFFIX);

	if (len == 0 || !is_printable(name, len))
		return AAD_R_KEY_MALFORMED;
	if (len > suffix && equals(CERT_SUFFIX, name + (len - suffix), suffix))
		return AAD_R_KEY_CERTIFICATE;
	return AAD_R_KEY_TYPE;
}

/* RFC 8709 s.4: string key. */
static int
judge_ed25519(struct wire *w, const char *curve, struct key *k,
    enum reason *whyp)
{
	const uint8_t *p;
	size_t len;

	(void)curve;
	(void)k;
	if (wire_string(w, &p, &len) != 0 || len != crypto_core_ed25519_BYTES)
		return refuse(whyp, AAD_R_KEY_MALFORMED);
	return 0;
}

/* RFC 5656 s.3.1: string curve, string Q; sshd knows only 04 || X || Y. */
static int
judge_ecdsa(struct wire *w, const char *curve, struct key *k, enum reason *whyp)
{
	const uint8_t *q;
	size_t len;

	if (!wire_is(w, curve) || wire_string(w, &q, &len) != 0 ||
	    len != 1 + 2 * (((size_t)k->bits + 7) / 8) || q[0] != 4)
		return refuse(whyp, AAD_R_KEY_MALFORMED);
	if (!curve_ec_sound(k->bits, q, len))
		return refuse(whyp, AAD_R_KEY_WEAK);
	return 0;
}

/* RFC 4253 s.6.6: mpint e, mpint n. */
static int
judge_rsa(struct wire *w, const char *curve, struct key *k, enum reason *whyp)
{
	const uint8_t *e, *n;
	size_t elen, nlen;

	(void)curve;
	if (wire_mpint(w, &e, &elen) != 0 || wire_mpint(w, &n, &nlen) != 0)
		return refuse(whyp, AAD_R_KEY_MALFORMED);
	if (!curve_rsa_sound(n, nlen, e, elen, KEY_RSA_MIN, KEY_RSA_MAX,
		&k->bits))
		return refuse(whyp, AAD_R_KEY_WEAK);
	return 0;
}

/* PROTOCOL.u2f: string application, "ssh:…". */
static bool
application_ok(struct wire *w)
{
	const uint8_t *s;
	size_t len;

	return wire_string(w, &s, &len) == 0 && len > 0 &&
	       len <= KEY_APPLICATION_MAX && is_printable(s, len);
}

/*
 * Judge a whole blob; fills in kind and bits.
 * name: what the type inside must be; NULL: it decides.
 */
static int
judge(const uint8_t *blob, size_t len, const char *name, size_t namelen,
    struct key *k, enum reason *whyp)
{
	struct wire w = wire_of(blob, len);
	const struct type *t;
	const uint8_t *inner;
	size_t innerlen;
	int r;

	if (len > KEY_BLOB_MAX || wire_string(&w, &inner, &innerlen) != 0)
		return refuse(whyp, AAD_R_KEY_MALFORMED);
	if (name != NULL &&
	    (innerlen != namelen || memcmp(inner, name, namelen) != 0))
		return refuse(whyp, AAD_R_KEY_MALFORMED);
	if ((t = type_find(inner, innerlen)) == NULL)
		return refuse(whyp, reason_of_name(inner, innerlen));
	k->kind = t->kind;
	k->bits = t->bits;
	r = t->judge(&w, t->curve, k, whyp);
	if (r != 0 && *whyp != AAD_R_KEY_WEAK)
		return r;
	/* weak and malformed is malformed */
	if ((t->sk && !application_ok(&w)) || !wire_end(&w))
		return refuse(whyp, AAD_R_KEY_MALFORMED);
	return r;
}

/* The point of an Ed25519 blob that judge() took; others have been judged. */
static int
judge_point(const uint8_t *blob, size_t len, enum key_kind kind,
    enum reason *whyp)
{
	struct wire w = wire_of(blob, len);
	const uint8_t *p;
	size_t plen;

	if (kind != KEY_ED25519 && kind != KEY_SK_ED25519)
		return 0;
	if (wire_string(&w, &p, &plen) != 0 ||
	    wire_string(&w, &p, &plen) != 0 || !curve_ed25519_sound(p, plen))
		return refuse(whyp, AAD_R_KEY_WEAK);
	return 0;
}

/*
 * Takes the blob over: it becomes the key's, or is freed.
 * enters: by a sign-in, so that an Ed25519 point is judged too.
 */
static int
adopt(uint8_t *blob, size_t len, const char *name, size_t namelen, bool enters,
    struct key *k, enum reason *whyp)
{
	struct key fresh;
	int r;

	memset(&fresh, 0, sizeof(fresh));
	r = judge(blob, len, name, namelen, &fresh, whyp);
	if (r == 0 && enters)
		r = judge_point(blob, len, fresh.kind, whyp);
	if (r != 0) {
		free(blob);
		return r;
	}
	fresh.blob = blob;
	fresh.blob_len = len;
	crypto_hash_sha256(fresh.hash, blob, len);
	*k = fresh; /* with the blob */
	return 0;
}

static int
decode(const char *name, size_t namelen, const char *base64, size_t len,
    bool enters, struct key *k, enum reason *whyp)
{
	uint8_t *blob;
	size_t blob_len;
	int r;

	memset(k, 0, sizeof(*k));
	*whyp = AAD_R_UNSET;
	if (len > BASE64_MAX)
		return refuse(whyp, AAD_R_KEY_MALFORMED);
	r = b64_decode(B64_STD, base64, len, &blob, &blob_len);
	if (r == AAD_EFORMAT)
		return refuse(whyp, AAD_R_KEY_MALFORMED);
	if (r != 0) {
		*whyp = AAD_R_NO_MEMORY;
		return r;
	}
	return adopt(blob, blob_len, name, namelen, enters, k, whyp);
}

int
key_decode(const char *type, const char *base64, struct key *k,
    enum reason *whyp)
{
	return decode(type, strlen(type), base64, strlen(base64), false, k,
	    whyp);
}

static int
from_blob(const uint8_t *blob, size_t len, bool enters, struct key *k,
    enum reason *whyp)
{
	uint8_t *copy;

	memset(k, 0, sizeof(*k));
	*whyp = AAD_R_UNSET;
	if (len == 0 || len > KEY_BLOB_MAX)
		return refuse(whyp, AAD_R_KEY_MALFORMED);
	if ((copy = malloc(len)) == NULL) {
		*whyp = AAD_R_NO_MEMORY;
		return AAD_ENOMEM;
	}
	memcpy(copy, blob, len);
	return adopt(copy, len, NULL, 0, enters, k, whyp);
}

int
key_from_blob(const uint8_t *blob, size_t len, struct key *k, enum reason *whyp)
{
	return from_blob(blob, len, true, k, whyp);
}

int
key_from_known_blob(const uint8_t *blob, size_t len, struct key *k,
    enum reason *whyp)
{
	return from_blob(blob, len, false, k, whyp);
}

/* Whether it is one line of text: no control byte but tabs, no NUL. */
static bool
is_line(const char *s, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (((unsigned char)s[i] < ' ' && s[i] != '\t') || s[i] == 0x7f)
			return false;
	return true;
}

bool
key_pub_fields(const char *text, size_t len, size_t *typelenp,
    const char **base64p, size_t *base64lenp)
{
	size_t gap;

	if (len > 0 && text[len - 1] == '\n')
		len--;
	if (!is_line(text, len))
		return false;
	/* NB. is_line(): the fields end at '\n' or NUL at the latest. */
	*typelenp = strcspn(text, " \t\n");
	gap = strspn(text + *typelenp, " \t");
	*base64p = text + *typelenp + gap;
	*base64lenp = strcspn(*base64p, " \t\n");
	return *typelenp > 0 && gap > 0;
}

int
key_from_pub(const char *text, size_t len, struct key *k, enum reason *whyp)
{
	const char *base64;
	size_t namelen, base64len;

	memset(k, 0, sizeof(*k));
	*whyp = AAD_R_UNSET;
	if (!key_pub_fields(text, len, &namelen, &base64, &base64len))
		return refuse(whyp, AAD_R_KEY_MALFORMED);
	return decode(text, namelen, base64, base64len, true, k, whyp);
}

const char *
key_type_name(const struct key *k)
{
	const struct type *t = type_of(k);

	return t != NULL ? t->name : "none";
}

void
key_fingerprint_of(const uint8_t hash[static 32],
    char out[static KEY_FP_LEN + 1])
{
	memcpy(out, FP_PREFIX, FP_PREFIX_LEN);
	sodium_bin2base64(out + FP_PREFIX_LEN, KEY_FP_LEN + 1 - FP_PREFIX_LEN,
	    hash, 32, sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
}

void
key_fingerprint(const struct key *k, char out[static KEY_FP_LEN + 1])
{
	key_fingerprint_of(k->hash, out);
}

int
key_fingerprint_parse(const char *text, uint8_t hash[static 32])
{
	memset(hash, 0, 32);
	if (strlen(text) != KEY_FP_LEN ||
	    memcmp(text, FP_PREFIX, FP_PREFIX_LEN) != 0)
		return AAD_EFORMAT;
	return b64_decode_exact(B64_STD_BARE, text + FP_PREFIX_LEN,
	    KEY_FP_LEN - FP_PREFIX_LEN, hash, 32);
}

int
key_line(const struct key *k, const char *options, char **outp)
{
	const struct type *t = type_of(k);
	char *base64 = NULL, *line = NULL;
	struct wire w;
	size_t len;
	int r = AAD_EINTERNAL;

	*outp = NULL;
	if (t == NULL || k->blob == NULL)
		return AAD_EARG;
	w = wire_of(k->blob, k->blob_len);
	if (!wire_is(&w, t->name) ||
	    (options != NULL && !name_options_ok(options)))
		return AAD_EARG;
	if ((r = b64_encode(B64_STD, k->blob, k->blob_len, &base64)) != 0)
		goto out;
	/* a blank, a blank, a line feed, a NUL */
	len = (options != NULL ? strlen(options) : 0) + strlen(t->name) +
	      strlen(base64) + 4;
	if ((line = malloc(len)) == NULL) {
		r = AAD_ENOMEM;
		goto out;
	}
	snprintf(line, len, "%s%s%s %s\n", options != NULL ? options : "",
	    options != NULL ? " " : "", t->name, base64);
	*outp = line;
	line = NULL; /* now the caller's */
	r = 0;
out:
	free(base64);
	free(line);
	return r;
}

void
key_release(struct key *k)
{
	free(k->blob);
	memset(k, 0, sizeof(*k));
}
