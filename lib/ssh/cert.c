/* SPDX-License-Identifier: ISC */

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/b64.h"
#include "ssh/cert.h"
#include "ssh/wire.h"

#define BASE64_MAX	     ((CERT_BLOB_MAX + 2) / 3 * 4)
#define CERT_NAME(algorithm) algorithm "-cert-v01@openssh.com"

static const struct type {
	const char *name;
	const char *plain; /* the type of the certified key */
	unsigned int fields; /* of that key, each a string on the wire */
} types[] = {
	{ CERT_NAME("ssh-ed25519"), "ssh-ed25519", 1 },
	{ CERT_NAME("ecdsa-sha2-nistp256"), "ecdsa-sha2-nistp256", 2 },
	{ CERT_NAME("ecdsa-sha2-nistp384"), "ecdsa-sha2-nistp384", 2 },
	{ CERT_NAME("ecdsa-sha2-nistp521"), "ecdsa-sha2-nistp521", 2 },
	{ CERT_NAME("ssh-rsa"), "ssh-rsa", 2 },
	{ CERT_NAME("sk-ssh-ed25519"), "sk-ssh-ed25519@openssh.com", 2 },
	{ CERT_NAME("sk-ecdsa-sha2-nistp256"),
	    "sk-ecdsa-sha2-nistp256@openssh.com", 3 },
};

#define NTYPES (sizeof(types) / sizeof(types[0]))

static const struct type *
type_find(const uint8_t *name, size_t len)
{
	size_t i;

	for (i = 0; i < NTYPES; i++)
		if (strlen(types[i].name) == len &&
		    memcmp(types[i].name, name, len) == 0)
			return &types[i];
	return NULL;
}

static int
refuse(enum reason *whyp, enum reason why)
{
	*whyp = why;
	return AAD_EREFUSED;
}

static int
no_memory(enum reason *whyp)
{
	*whyp = AAD_R_NO_MEMORY;
	return AAD_ENOMEM;
}

/* A string of the wire with a NUL behind it; NULL where memory is short. */
static char *
text_of(const uint8_t *p, size_t len)
{
	char *s = malloc(len + 1);

	if (s == NULL)
		return NULL;
	if (len > 0)
		memcpy(s, p, len);
	s[len] = '\0';
	return s;
}

static bool
has_nul(const uint8_t *p, size_t len)
{
	return len > 0 && memchr(p, '\0', len) != NULL;
}

static void
put_string(uint8_t **to, const char *s)
{
	size_t len = strlen(s);
	const uint8_t head[4] = { 0, 0, 0, (uint8_t)len }; /* our own names */

	memcpy(*to, head, sizeof(head));
	memcpy(*to + sizeof(head), s, len);
	*to += sizeof(head) + len;
}

/* How a key inside is judged: key_from_blob() or key_from_known_blob(). */
typedef int key_fn(const uint8_t *blob, size_t len, struct key *k,
    enum reason *whyp);

/* The certified key: its own fields behind the name of the plain type. */
static int
read_key(struct wire *w, const struct type *t, key_fn *key, struct cert *c,
    enum reason *whyp)
{
	const uint8_t *fields = w->p, *unused;
	size_t len, plain_len;
	uint8_t *plain, *to;
	unsigned int i;
	int r;

	for (i = 0; i < t->fields; i++)
		if (wire_string(w, &unused, &len) != 0)
			return refuse(whyp, AAD_R_KEY_MALFORMED);
	len = (size_t)(w->p - fields);
	plain_len = 4 + strlen(t->plain) + len;
	if ((plain = malloc(plain_len)) == NULL)
		return no_memory(whyp);
	to = plain;
	put_string(&to, t->plain);
	memcpy(to, fields, len);
	r = key(plain, plain_len, &c->key, whyp);
	free(plain);
	return r;
}

/* Anything but a NUL is well-formed; only what can be shown is kept. */
static int
read_key_id(struct wire *w, struct cert *c, enum reason *whyp)
{
	const uint8_t *p;
	size_t i, len;

	if (wire_string(w, &p, &len) != 0 || has_nul(p, len))
		return refuse(whyp, AAD_R_KEY_MALFORMED);
	if (len > CERT_KEY_ID_MAX)
		return 0;
	for (i = 0; i < len; i++)
		if (p[i] < ' ' || p[i] > '~')
			return 0;
	if ((c->key_id = text_of(p, len)) == NULL)
		return no_memory(whyp);
	return 0;
}

static int
count_principals(struct wire w, size_t *np)
{
	const uint8_t *p;
	size_t len;

	for (*np = 0; !wire_end(&w); (*np)++)
		if (*np == CERT_PRINCIPALS_MAX ||
		    wire_string(&w, &p, &len) != 0 || has_nul(p, len))
			return AAD_EFORMAT;
	return 0;
}

static int
read_principals(struct wire *w, struct cert *c, enum reason *whyp)
{
	const uint8_t *p;
	struct wire list;
	size_t i, n, len;

	if (wire_string(w, &p, &len) != 0)
		return refuse(whyp, AAD_R_KEY_MALFORMED);
	list = wire_of(p, len);
	if (count_principals(list, &n) != 0)
		return refuse(whyp, AAD_R_KEY_MALFORMED);
	if (n == 0)
		return 0;
	if ((c->principals = calloc(n, sizeof(*c->principals))) == NULL)
		return no_memory(whyp);
	for (i = 0; i < n; i++) {
		if (wire_string(&list, &p, &len) != 0)
			return refuse(whyp, AAD_R_KEY_MALFORMED);
		if ((c->principals[i] = text_of(p, len)) == NULL)
			return no_memory(whyp);
		c->nprincipals++;
	}
	return 0;
}

/* Whether a name stands before b in byte order, a shorter one first. */
static bool
precedes(const uint8_t *a, size_t alen, const uint8_t *b, size_t blen)
{
	int order = memcmp(a, b, alen < blen ? alen : blen);

	return order < 0 || (order == 0 && alen < blen);
}

/* PROTOCOL.certkeys: sorted by name, each at most once. */
static int
read_options(struct wire *w, struct cert_options *o)
{
	const uint8_t *name, *last = NULL, *data;
	size_t len, last_len = 0, data_len;
	struct wire list;

	if (wire_string(w, &o->p, &o->len) != 0)
		return AAD_EFORMAT;
	for (list = wire_of(o->p, o->len); !wire_end(&list);) {
		if (wire_string(&list, &name, &len) != 0 || len == 0 ||
		    has_nul(name, len) ||
		    wire_string(&list, &data, &data_len) != 0)
			return AAD_EFORMAT;
		if (last != NULL && !precedes(last, last_len, name, len))
			return AAD_EFORMAT;
		last = name;
		last_len = len;
	}
	return 0;
}

/* The authority's key, which is no certificate; then its signature. */
static int
read_authority(struct wire *w, key_fn *key, struct cert *c, enum reason *whyp)
{
	const uint8_t *ca;
	size_t ca_len;
	int r;

	if (wire_string(w, &ca, &ca_len) != 0)
		return refuse(whyp, AAD_R_KEY_MALFORMED);
	c->signed_len = c->blob_len - w->left;
	if (wire_string(w, &c->signature, &c->signature_len) != 0 ||
	    c->signature_len == 0)
		return refuse(whyp, AAD_R_KEY_MALFORMED);
	if ((r = key(ca, ca_len, &c->ca, whyp)) != 0) {
		if (*whyp == AAD_R_KEY_CERTIFICATE)
			*whyp = AAD_R_KEY_MALFORMED;
		return r;
	}
	memcpy(c->ca_hash, c->ca.hash, sizeof(c->ca_hash));
	return 0;
}

static int
read_type(struct wire *w, struct cert *c)
{
	uint32_t type;

	if (wire_u64(w, &c->serial) != 0 || wire_u32(w, &type) != 0 ||
	    (type != CERT_USER && type != CERT_HOST))
		return AAD_EFORMAT;
	c->type = (enum cert_type)type;
	return 0;
}

/* All fields in the order of the wire, behind the name of the type. */
static int
read_fields(struct wire *w, const struct type *t, key_fn *key, struct cert *c,
    enum reason *whyp)
{
	const uint8_t *unused;
	size_t len;
	int r;

	if (wire_string(w, &unused, &len) != 0) /* nonce */
		return refuse(whyp, AAD_R_KEY_MALFORMED);
	if ((r = read_key(w, t, key, c, whyp)) != 0)
		return r;
	if (read_type(w, c) != 0)
		return refuse(whyp, AAD_R_KEY_MALFORMED);
	if ((r = read_key_id(w, c, whyp)) != 0 ||
	    (r = read_principals(w, c, whyp)) != 0)
		return r;
	if (wire_u64(w, &c->valid_after) != 0 ||
	    wire_u64(w, &c->valid_before) != 0 ||
	    read_options(w, &c->critical) != 0 ||
	    read_options(w, &c->extensions) != 0 ||
	    wire_string(w, &unused, &len) != 0) /* reserved */
		return refuse(whyp, AAD_R_KEY_MALFORMED);
	if ((r = read_authority(w, key, c, whyp)) != 0)
		return r;
	return wire_end(w) ? 0 : refuse(whyp, AAD_R_KEY_MALFORMED);
}

/*
 * Takes the blob over.  name: what the type inside must be; NULL: it
 * decides.
 */
static int
adopt(uint8_t *blob, size_t len, const char *name, size_t namelen, key_fn *key,
    struct cert *c, enum reason *whyp)
{
	struct wire w = wire_of(blob, len);
	const struct type *t;
	const uint8_t *inner;
	size_t innerlen;
	int r;

	c->blob = blob;
	c->blob_len = len;
	if (wire_string(&w, &inner, &innerlen) != 0 ||
	    (name != NULL &&
		(namelen != innerlen || memcmp(name, inner, innerlen) != 0)))
		r = refuse(whyp, AAD_R_KEY_MALFORMED);
	else if ((t = type_find(inner, innerlen)) == NULL)
		r = refuse(whyp, AAD_R_KEY_TYPE);
	else
		r = read_fields(&w, t, key, c, whyp);
	if (r != 0)
		cert_release(c);
	return r;
}

static int
decode(const char *name, size_t namelen, const char *base64, size_t len,
    struct cert *c, enum reason *whyp)
{
	size_t blob_len;
	uint8_t *blob;
	int r;

	memset(c, 0, sizeof(*c));
	*whyp = AAD_R_UNSET;
	if (len > BASE64_MAX)
		return refuse(whyp, AAD_R_KEY_MALFORMED);
	r = b64_decode(B64_STD, base64, len, &blob, &blob_len);
	if (r == AAD_ENOMEM)
		return no_memory(whyp);
	if (r != 0)
		return refuse(whyp, AAD_R_KEY_MALFORMED);
	if (blob_len > CERT_BLOB_MAX) {
		free(blob);
		return refuse(whyp, AAD_R_KEY_MALFORMED);
	}
	return adopt(blob, blob_len, name, namelen, key_from_blob, c, whyp);
}

int
cert_decode(const char *type, const char *base64, struct cert *c,
    enum reason *whyp)
{
	return decode(type, strlen(type), base64, strlen(base64), c, whyp);
}

int
cert_from_pub(const char *text, size_t len, struct cert *c, enum reason *whyp)
{
	const char *base64;
	size_t namelen, base64len;

	memset(c, 0, sizeof(*c));
	*whyp = AAD_R_UNSET;
	if (!key_pub_fields(text, len, &namelen, &base64, &base64len))
		return refuse(whyp, AAD_R_KEY_MALFORMED);
	return decode(text, namelen, base64, base64len, c, whyp);
}

static int
from_blob(const uint8_t *blob, size_t len, key_fn *key, struct cert *c,
    enum reason *whyp)
{
	uint8_t *copy;

	memset(c, 0, sizeof(*c));
	*whyp = AAD_R_UNSET;
	if (len == 0 || len > CERT_BLOB_MAX)
		return refuse(whyp, AAD_R_KEY_MALFORMED);
	if ((copy = malloc(len)) == NULL)
		return no_memory(whyp);
	memcpy(copy, blob, len);
	return adopt(copy, len, NULL, 0, key, c, whyp);
}

int
cert_from_blob(const uint8_t *blob, size_t len, struct cert *c,
    enum reason *whyp)
{
	return from_blob(blob, len, key_from_blob, c, whyp);
}

int
cert_from_known_blob(const uint8_t *blob, size_t len, struct cert *c,
    enum reason *whyp)
{
	return from_blob(blob, len, key_from_known_blob, c, whyp);
}

const char *
cert_type_name(const struct key *k)
{
	struct wire w = wire_of(k->blob, k->blob_len);
	size_t i;

	if (k->blob == NULL || !wire_is(&w, key_type_name(k)))
		return NULL;
	for (i = 0; i < NTYPES; i++)
		if (strcmp(types[i].plain, key_type_name(k)) == 0)
			return types[i].name;
	return NULL;
}

bool
cert_option_next(struct cert_options *left, const char **namep,
    size_t *namelenp, const char **valuep, size_t *valuelenp, bool *rawp)
{
	struct wire w = wire_of(left->p, left->len), inside;
	const uint8_t *name, *data, *value;
	size_t len;

	*namep = *valuep = NULL;
	*namelenp = *valuelenp = 0;
	*rawp = false;
	if (wire_end(&w) || wire_string(&w, &name, namelenp) != 0 ||
	    wire_string(&w, &data, &len) != 0)
		return false;
	left->p = w.p;
	left->len = w.left;
	*namep = (const char *)name;
	if (len == 0)
		return true;
	inside = wire_of(data, len);
	*rawp = wire_string(&inside, &value, valuelenp) != 0 ||
		!wire_end(&inside);
	if (*rawp)
		*valuelenp = 0;
	else
		*valuep = (const char *)value;
	return true;
}

/* The value of field "NAME=" as a GUID; name includes the '='. */
static int
key_id_guid(const struct cert *c, const char *name,
    char out[static NAME_GUID_LEN + 1])
{
	char value[NAME_GUID_LEN + 1];
	const char *id = c->key_id, *word, *end;
	size_t len, skip = strlen(name);

	out[0] = '\0';
	if (id == NULL)
		return AAD_ENOENT;
	for (end = id + strlen(id);; end = word - 1) {
		for (word = end; word > id && word[-1] != ' ';)
			word--;
		len = (size_t)(end - word);
		if (len >= skip && memcmp(word, name, skip) == 0)
			break;
		if (word == id || memchr(word, '=', len) == NULL)
			return AAD_ENOENT;
	}
	if (len - skip != NAME_GUID_LEN)
		return AAD_ENOENT;
	memcpy(value, word + skip, NAME_GUID_LEN);
	value[NAME_GUID_LEN] = '\0';
	return name_guid_fold(value, out) ? 0 : AAD_ENOENT;
}

int
cert_key_oid(const struct cert *c, char out[static NAME_GUID_LEN + 1])
{
	return key_id_guid(c, "oid=", out);
}

int
cert_key_tid(const struct cert *c, char out[static NAME_GUID_LEN + 1])
{
	return key_id_guid(c, "tid=", out);
}

void
cert_release(struct cert *c)
{
	size_t i;

	for (i = 0; i < c->nprincipals; i++)
		free(c->principals[i]);
	free(c->principals);
	free(c->key_id);
	free(c->blob);
	key_release(&c->key);
	key_release(&c->ca);
	memset(c, 0, sizeof(*c));
}
