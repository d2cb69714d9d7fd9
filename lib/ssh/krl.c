/* SPDX-License-Identifier: ISC */

/* Reading; krl_encode() is in krlwrite.c. */

#include <stdlib.h>
#include <string.h>

#include <nettle/sha1.h>

#include "ssh/krl.h"
#include "ssh/krlpart.h"
#include "ssh/wire.h"

#define FORMAT_VERSION 1
#define FIRST_CAP      16 /* parts */

/* The numbers of the wire. */
#define CERTIFICATES	   1
#define EXPLICIT_KEY	   2
#define FINGERPRINT_SHA1   3
#define FINGERPRINT_SHA256 5
#define CERT_KEY_ID	   0x23

struct authority {
	const uint8_t *blob;
	size_t blob_len; /* 0: any */
	size_t first; /* of k->parts, in ascending order */
	size_t nparts;
	struct wire key_ids;
};

/* Everything points into blob. */
struct krl {
	uint8_t *blob;
	uint64_t version;
	uint64_t generated;
	struct authority *cas; /* sorted once all are read */
	size_t ncas;
	struct krlpart *parts;
	size_t nparts;
	size_t parts_cap;
	struct wire keys; /* strings, ascending; so are the hashes */
	struct wire sha1;
	struct wire sha256;
	size_t nkeys; /* of all three */
	uint64_t nserials;
};

/* ---- strings ---- */

static int
compare(const uint8_t *a, size_t alen, const uint8_t *b, size_t blen)
{
	size_t len = alen < blen ? alen : blen;
	int order = len > 0 ? memcmp(a, b, len) : 0;

	return order != 0 ? order : (alen > blen) - (alen < blen);
}

/*
 * At least one string, ascending; *np: how many.  want: the length of each,
 * 0: any.
 */
static int
check_strings(struct wire w, size_t want, size_t *np)
{
	const uint8_t *p, *last = NULL;
	size_t len, last_len = 0;

	if (wire_end(&w))
		return AAD_EFORMAT;
	for (*np = 0; !wire_end(&w); (*np)++) {
		if (wire_string(&w, &p, &len) != 0 || (want > 0 && len != want))
			return AAD_EFORMAT;
		if (last != NULL && compare(last, last_len, p, len) >= 0)
			return AAD_EFORMAT;
		last = p;
		last_len = len;
	}
	return 0;
}

static bool
has_nul(struct wire w)
{
	const uint8_t *p;
	size_t len;

	while (wire_string(&w, &p, &len) == 0)
		if (len > 0 && memchr(p, '\0', len) != NULL)
			return true;
	return false;
}

static bool
has_string(struct wire w, const void *s, size_t slen)
{
	const uint8_t *p;
	size_t len;

	while (wire_string(&w, &p, &len) == 0)
		if (len == slen && memcmp(p, s, len) == 0)
			return true;
	return false;
}

/* The same among strings of one length, which are looked up by halves. */
static bool
has_hash(struct wire w, const uint8_t *hash, size_t len)
{
	size_t each = 4 + len, low = 0, high = w.left / each, mid;
	int order;

	while (low < high) {
		mid = low + (high - low) / 2;
		order = memcmp(hash, w.p + mid * each + 4, len);
		if (order == 0)
			return true;
		if (order < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return false;
}

/* ---- serials ---- */

/* One part, which must lie behind all that the authority has. */
static int
read_serials(struct krl *k, struct authority *ca, uint8_t type, struct wire w)
{
	struct krlpart *p, *grown;
	size_t cap;
	uint64_t n;

	if (k->nparts == k->parts_cap) {
		cap = k->parts_cap > 0 ? 2 * k->parts_cap : FIRST_CAP;
		if ((grown = realloc(k->parts, cap * sizeof(*grown))) == NULL)
			return AAD_ENOMEM;
		k->parts = grown;
		k->parts_cap = cap;
	}
	p = &k->parts[k->nparts];
	if (krlpart_read(type, w, p, &n) != 0 ||
	    (ca->nparts > 0 && p->lo <= p[-1].hi))
		return AAD_EFORMAT;
	k->nparts++;
	ca->nparts++;
	k->nserials = n > UINT64_MAX - k->nserials ? UINT64_MAX
						   : k->nserials + n;
	return 0;
}

static bool
has_serial(const struct krl *k, const struct authority *ca, uint64_t serial)
{
	size_t low = ca->first, high = ca->first + ca->nparts, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (serial < k->parts[mid].lo)
			high = mid;
		else if (serial > k->parts[mid].hi)
			low = mid + 1;
		else
			return krlpart_has(&k->parts[mid], serial);
	}
	return false;
}

/* ---- sections ---- */

static int
read_u8(struct wire *w, uint8_t *np)
{
	if (w->left == 0)
		return AAD_EFORMAT;
	*np = *w->p++;
	w->left--;
	return 0;
}

static int
read_part(struct wire *w, uint8_t *typep, struct wire *insidep)
{
	const uint8_t *p;
	size_t len;

	if (read_u8(w, typep) != 0 || wire_string(w, &p, &len) != 0)
		return AAD_EFORMAT;
	*insidep = wire_of(p, len);
	return 0;
}

/* The key, or nothing for any, and what is reserved. */
static int
read_authority(struct wire *w, struct authority *ca)
{
	enum reason why;
	struct key key;
	int r;

	if (wire_string(w, &ca->blob, &ca->blob_len) != 0 || !wire_is(w, ""))
		return AAD_EFORMAT;
	if (ca->blob_len == 0) {
		ca->blob = NULL;
		return 0;
	}
	r = key_from_blob(ca->blob, ca->blob_len, &key, &why);
	key_release(&key);
	return r == AAD_EREFUSED ? AAD_EFORMAT : r;
}

static int
read_certificates(struct krl *k, struct wire w)
{
	struct authority *ca = &k->cas[k->ncas];
	struct wire inside;
	uint8_t type;
	size_t n;
	int r;

	memset(ca, 0, sizeof(*ca));
	ca->first = k->nparts;
	if ((r = read_authority(&w, ca)) != 0)
		return r;
	while (!wire_end(&w)) {
		if (read_part(&w, &type, &inside) != 0)
			return AAD_EFORMAT;
		if (type != CERT_KEY_ID) {
			if ((r = read_serials(k, ca, type, inside)) != 0)
				return r;
			continue;
		}
		if (check_strings(inside, 0, &n) != 0 || has_nul(inside) ||
		    !wire_end(&w))
			return AAD_EFORMAT;
		ca->key_ids = inside;
	}
	k->ncas++;
	return 0;
}

static int
read_keys(struct krl *k, struct wire w, size_t want, struct wire *to)
{
	size_t n;

	if (check_strings(w, want, &n) != 0)
		return AAD_EFORMAT;
	*to = w;
	k->nkeys += n;
	return 0;
}

static int
read_section(struct krl *k, uint8_t type, struct wire inside)
{
	switch (type) {
	case CERTIFICATES:
		return read_certificates(k, inside);
	case EXPLICIT_KEY:
		return read_keys(k, inside, 0, &k->keys);
	case FINGERPRINT_SHA1:
		return read_keys(k, inside, SHA1_DIGEST_SIZE, &k->sha1);
	case FINGERPRINT_SHA256:
		return read_keys(k, inside, 32, &k->sha256);
	default:
		return AAD_EFORMAT;
	}
}

static int
read_head(struct krl *k, struct wire *w)
{
	const uint8_t *comment;
	uint32_t format;
	uint64_t flags;
	size_t i, len;

	if (w->left < KRL_MAGIC_LEN ||
	    memcmp(w->p, KRL_MAGIC, KRL_MAGIC_LEN) != 0)
		return AAD_EFORMAT;
	w->p += KRL_MAGIC_LEN;
	w->left -= KRL_MAGIC_LEN;
	if (wire_u32(w, &format) != 0 || format != FORMAT_VERSION ||
	    wire_u64(w, &k->version) != 0 || wire_u64(w, &k->generated) != 0 ||
	    wire_u64(w, &flags) != 0 || flags != 0 || !wire_is(w, "") ||
	    wire_string(w, &comment, &len) != 0 || len > KRL_COMMENT_MAX)
		return AAD_EFORMAT;
	for (i = 0; i < len; i++)
		if (comment[i] < ' ' || comment[i] > '~')
			return AAD_EFORMAT;
	return 0;
}

/* How many authorities there are, so that they get their room at once. */
static int
count_cas(struct wire w, size_t *np)
{
	struct wire inside;
	uint8_t type;

	for (*np = 0; !wire_end(&w);) {
		if (read_part(&w, &type, &inside) != 0)
			return AAD_EFORMAT;
		if (type == CERTIFICATES && ++*np > KRL_CAS_MAX)
			return AAD_ETOOBIG;
	}
	return 0;
}

static int
compare_cas(const void *a, const void *b)
{
	const struct authority *x = a, *y = b;

	return compare(x->blob, x->blob_len, y->blob, y->blob_len);
}

static int
sort_cas(struct krl *k)
{
	size_t i;

	if (k->ncas > 1)
		qsort(k->cas, k->ncas, sizeof(*k->cas), compare_cas);
	for (i = 1; i < k->ncas; i++)
		if (compare_cas(&k->cas[i - 1], &k->cas[i]) == 0)
			return AAD_EFORMAT;
	return 0;
}

static int
read_all(struct krl *k, struct wire w)
{
	uint8_t type, last = CERTIFICATES;
	struct wire inside;
	size_t n;
	int r;

	if ((r = read_head(k, &w)) != 0 || (r = count_cas(w, &n)) != 0)
		return r;
	if (n > 0 && (k->cas = calloc(n, sizeof(*k->cas))) == NULL)
		return AAD_ENOMEM;
	for (; !wire_end(&w); last = type) {
		if (read_part(&w, &type, &inside) != 0 || type < last ||
		    (type == last && type != CERTIFICATES))
			return AAD_EFORMAT;
		if ((r = read_section(k, type, inside)) != 0)
			return r;
	}
	return sort_cas(k);
}

int
krl_decode(const uint8_t *blob, size_t len, struct krl **outp)
{
	struct krl *k;
	int r;

	*outp = NULL;
	if (len > KRL_MAX)
		return AAD_ETOOBIG;
	if (len < KRL_MAGIC_LEN)
		return AAD_EFORMAT;
	if ((k = calloc(1, sizeof(*k))) == NULL)
		return AAD_ENOMEM;
	if ((k->blob = malloc(len)) == NULL) {
		krl_free(k);
		return AAD_ENOMEM;
	}
	memcpy(k->blob, blob, len);
	if ((r = read_all(k, wire_of(k->blob, len))) != 0) {
		krl_free(k);
		return r;
	}
	*outp = k;
	return 0;
}

void
krl_free(struct krl *k)
{
	if (k == NULL)
		return;
	free(k->cas);
	free(k->parts);
	free(k->blob);
	free(k);
}

/* ---- questions ---- */

uint64_t
krl_version(const struct krl *k)
{
	return k->version;
}

uint64_t
krl_generated(const struct krl *k)
{
	return k->generated;
}

uint64_t
krl_count_serials(const struct krl *k)
{
	return k->nserials;
}

size_t
krl_count_keys(const struct krl *k)
{
	return k->nkeys;
}

bool
krl_has_key(const struct krl *k, const struct key *key)
{
	uint8_t sha1[SHA1_DIGEST_SIZE];
	struct sha1_ctx ctx;

	if (has_hash(k->sha256, key->hash, sizeof(key->hash)) ||
	    has_string(k->keys, key->blob, key->blob_len))
		return true;
	if (wire_end(&k->sha1))
		return false;
	sha1_init(&ctx);
	sha1_update(&ctx, key->blob_len, key->blob);
	sha1_digest(&ctx, sizeof(sha1), sha1);
	return has_hash(k->sha1, sha1, sizeof(sha1));
}

static bool
ca_has_cert(const struct krl *k, const uint8_t *blob, size_t len,
    uint64_t serial, const char *key_id)
{
	const struct authority wanted = { .blob = blob, .blob_len = len };
	const struct authority *ca;

	if (k->ncas == 0)
		return false;
	ca = bsearch(&wanted, k->cas, k->ncas, sizeof(*k->cas), compare_cas);
	if (ca == NULL)
		return false;
	return has_serial(k, ca, serial) ||
	       (key_id != NULL &&
		   has_string(ca->key_ids, key_id, strlen(key_id)));
}

bool
krl_has_cert(const struct krl *k, const struct key *ca, uint64_t serial,
    const char *key_id)
{
	return ca_has_cert(k, ca->blob, ca->blob_len, serial, key_id) ||
	       ca_has_cert(k, NULL, 0, serial, key_id);
}

/* ---- everything ---- */

static int
each_serial(const struct krlpart *p, const struct authority *ca,
    const struct krl_visit *v)
{
	struct wire list = wire_of(p->data, p->len);
	uint64_t at, n;
	int r = 0;

	if (p->form == SERIALS_RANGE)
		return v->serials(v->arg, ca->blob, ca->blob_len, p->lo, p->hi);
	if (p->form == SERIALS_LIST) {
		while (r == 0 && wire_u64(&list, &n) == 0)
			r = v->serials(v->arg, ca->blob, ca->blob_len, n, n);
		return r;
	}
	for (at = 0; r == 0 && at <= p->hi - p->lo; at++)
		if (krlpart_has(p, p->lo + at))
			r = v->serials(v->arg, ca->blob, ca->blob_len,
			    p->lo + at, p->lo + at);
	return r;
}

static int
each_key_id(const struct authority *ca, const struct krl_visit *v)
{
	struct wire w = ca->key_ids;
	const uint8_t *p;
	size_t len;
	char *id;
	int r;

	while (wire_string(&w, &p, &len) == 0) {
		if ((id = malloc(len + 1)) == NULL)
			return AAD_ENOMEM;
		if (len > 0)
			memcpy(id, p, len);
		id[len] = '\0';
		r = v->key_id(v->arg, ca->blob, ca->blob_len, id);
		free(id);
		if (r != 0)
			return r;
	}
	return 0;
}

static int
each_string(struct wire w, void *arg,
    int (*fn)(void *arg, const uint8_t *p, size_t len))
{
	const uint8_t *p;
	size_t len;
	int r = 0;

	while (r == 0 && wire_string(&w, &p, &len) == 0)
		r = fn(arg, p, len);
	return r;
}

int
krl_each(const struct krl *k, const struct krl_visit *v)
{
	const struct authority *ca;
	size_t i, j;
	int r;

	for (i = 0; i < k->ncas; i++) {
		ca = &k->cas[i];
		for (j = 0; j < ca->nparts; j++)
			if ((r = each_serial(&k->parts[ca->first + j], ca,
				 v)) != 0)
				return r;
		if ((r = each_key_id(ca, v)) != 0)
			return r;
	}
	if ((r = each_string(k->keys, v->arg, v->key)) != 0 ||
	    (r = each_string(k->sha1, v->arg, v->hash)) != 0)
		return r;
	return each_string(k->sha256, v->arg, v->hash);
}
