/* SPDX-License-Identifier: ISC */

/* krl_encode(); what reads is krl.c. */

#include <stdlib.h>
#include <string.h>

#include "ssh/krl.h"
#include "ssh/serials.h"
#include "ssh/wire.h"

#define FORMAT_VERSION 1

/* The numbers of the wire. */
enum section {
	CERTIFICATES = 1,
	EXPLICIT_KEY = 2,
	FINGERPRINT_SHA1 = 3,
	FINGERPRINT_SHA256 = 5,
	CERT_KEY_ID = 0x23
};

/* ---- serials ---- */

static void
put_list(struct wirebuf *b, const struct krl_range *r, size_t n)
{
	uint64_t more;
	size_t i;

	for (i = 0; i < n; i++)
		for (more = 0; more <= r[i].hi - r[i].lo; more++)
			wire_put_u64(b, r[i].lo + more);
}

/* The lowest bit stands for the first serial, and is the last on the wire. */
static void
put_bitmap(struct wirebuf *b, const struct krl_range *r, size_t n)
{
	uint8_t bits[KRL_BITMAP_MAX / 8];
	size_t len = (size_t)(r[n - 1].hi - r[0].lo) / 8 + 1, i, bit, end;

	memset(bits, 0, len);
	for (i = 0; i < n; i++) {
		end = (size_t)(r[i].hi - r[0].lo);
		for (bit = (size_t)(r[i].lo - r[0].lo); bit <= end; bit++)
			bits[len - 1 - bit / 8] |= (uint8_t)(1U << bit % 8);
	}
	wire_put_u64(b, r[0].lo);
	wire_put_mpint(b, bits, len);
}

static int
put_serials(struct wirebuf *b, const struct krl_range *r, size_t n)
{
	struct serials_part *parts;
	size_t i, nparts, at;
	int ret;

	if ((ret = serials_split(r, n, &parts, &nparts)) != 0)
		return ret;
	for (i = 0; i < nparts; i++) {
		const struct krl_range *first = r + parts[i].first;

		wire_put_u8(b, (uint8_t)parts[i].form);
		at = wire_put_begin(b);
		if (parts[i].form == SERIALS_LIST) {
			put_list(b, first, parts[i].n);
		} else if (parts[i].form == SERIALS_BITMAP) {
			put_bitmap(b, first, parts[i].n);
		} else {
			wire_put_u64(b, first->lo);
			wire_put_u64(b, first->hi);
		}
		wire_put_end(b, at);
	}
	free(parts);
	return 0;
}

/* ---- what else a section holds: strings in order, each once ---- */

struct item {
	const uint8_t *p;
	size_t len;
};

static int
compare(const uint8_t *a, size_t alen, const uint8_t *b, size_t blen)
{
	size_t len = alen < blen ? alen : blen;
	int order = len > 0 ? memcmp(a, b, len) : 0;

	return order != 0 ? order : (alen > blen) - (alen < blen);
}

static int
compare_items(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	return compare(x->p, x->len, y->p, y->len);
}

static int
compare_cas(const void *a, const void *b)
{
	const struct krl_ca *x = a, *y = b;

	return compare(x->blob, x->blob_len, y->blob, y->blob_len);
}

/* A section of n things, which item() hands out one by one; none: nothing. */
static int
put_items(struct wirebuf *b, enum section type, const void *things, size_t n,
    struct item (*item)(const void *things, size_t i))
{
	struct item *items;
	size_t i, at;

	if (n == 0)
		return 0;
	if ((items = calloc(n, sizeof(*items))) == NULL)
		return AAD_ENOMEM;
	for (i = 0; i < n; i++)
		items[i] = item(things, i);
	qsort(items, n, sizeof(*items), compare_items);
	wire_put_u8(b, (uint8_t)type);
	at = wire_put_begin(b);
	for (i = 0; i < n; i++)
		if (i == 0 || compare_items(&items[i - 1], &items[i]) != 0)
			wire_put_string(b, items[i].p, items[i].len);
	wire_put_end(b, at);
	free(items);
	return 0;
}

static struct item
key_id_item(const void *things, size_t i)
{
	const char *const *ids = things;
	struct item it = { (const uint8_t *)ids[i], strlen(ids[i]) };

	return it;
}

static struct item
sha256_item(const void *things, size_t i)
{
	const uint8_t(*hashes)[32] = things;
	struct item it = { hashes[i], sizeof(hashes[i]) };

	return it;
}

static struct item
sha1_item(const void *things, size_t i)
{
	const uint8_t(*hashes)[20] = things;
	struct item it = { hashes[i], sizeof(hashes[i]) };

	return it;
}

static struct item
key_item(const void *things, size_t i)
{
	const struct key *keys = things;
	struct item it = { keys[i].blob, keys[i].blob_len };

	return it;
}

/* ---- the whole ---- */

/* NB. sshd reads no list with a key in it that it can't read. */
static int
check_ca(const struct krl_ca *ca)
{
	enum reason why;
	struct key k;
	int r;

	if (ca->blob_len == 0)
		return ca->blob == NULL ? 0 : AAD_EARG;
	r = key_from_blob(ca->blob, ca->blob_len, &k, &why);
	key_release(&k);
	return r == AAD_EREFUSED ? AAD_EARG : r;
}

static int
put_ca(struct wirebuf *b, struct krl_ca *ca)
{
	size_t at;
	int r;

	if ((r = check_ca(ca)) != 0 ||
	    (r = serials_sort(ca->ranges, &ca->nranges)) != 0)
		return r;
	wire_put_u8(b, CERTIFICATES);
	at = wire_put_begin(b);
	wire_put_string(b, ca->blob, ca->blob_len);
	wire_put_string(b, NULL, 0); /* reserved */
	if ((r = put_serials(b, ca->ranges, ca->nranges)) != 0 ||
	    (r = put_items(b, CERT_KEY_ID, ca->key_ids, ca->nkey_ids,
		 key_id_item)) != 0)
		return r;
	wire_put_end(b, at);
	return 0;
}

static int
put_cas(struct wirebuf *b, struct krl_ca *cas, size_t n)
{
	size_t i;
	int r;

	if (n > KRL_CAS_MAX)
		return AAD_ETOOBIG;
	if (n > 1)
		qsort(cas, n, sizeof(*cas), compare_cas);
	for (i = 0; i < n; i++) {
		if (i > 0 && compare_cas(&cas[i - 1], &cas[i]) == 0)
			return AAD_EARG;
		if ((r = put_ca(b, &cas[i])) != 0)
			return r;
	}
	return 0;
}

static int
put_head(struct wirebuf *b, const struct krl_spec *s)
{
	const char *comment = s->comment != NULL ? s->comment : "", *p;

	for (p = comment; *p != '\0'; p++)
		if (*p < ' ' || *p > '~' || p - comment >= KRL_COMMENT_MAX)
			return AAD_EARG;
	wire_put_raw(b, KRL_MAGIC, KRL_MAGIC_LEN);
	wire_put_u32(b, FORMAT_VERSION);
	wire_put_u64(b, s->version);
	wire_put_u64(b, s->generated);
	wire_put_u64(b, 0); /* flags */
	wire_put_string(b, NULL, 0); /* reserved */
	wire_put_text(b, comment);
	return 0;
}

int
krl_encode(struct krl_spec *s, uint8_t **outp, size_t *lenp)
{
	struct wirebuf b = wirebuf_new();
	int r = AAD_EINTERNAL;

	*outp = NULL;
	*lenp = 0;
	if ((r = put_head(&b, s)) != 0 ||
	    (r = put_cas(&b, s->cas, s->ncas)) != 0 ||
	    (r = put_items(&b, EXPLICIT_KEY, s->keys, s->nkeys, key_item)) !=
		0 ||
	    (r = put_items(&b, FINGERPRINT_SHA1, s->sha1_hashes,
		 s->nsha1_hashes, sha1_item)) != 0 ||
	    (r = put_items(&b, FINGERPRINT_SHA256, s->key_hashes,
		 s->nkey_hashes, sha256_item)) != 0)
		goto out;
	r = b.len > KRL_MAX ? AAD_ETOOBIG : wirebuf_take(&b, outp, lenp);
out:
	wirebuf_release(&b);
	return r;
}
