/* SPDX-License-Identifier: ISC */

#include "ca/signer/archive.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "ssh/wire.h"

#define MAGIC_LEN  (sizeof(ARCHIVE_MAGIC) - 1)
#define FORMAT_AT  (MAGIC_LEN - 2) /* the version's digit */
#define FRONT_LEN  (MAGIC_LEN + 32) /* and the hash of the recovery key */
#define KEY_LEN	   crypto_secretstream_xchacha20poly1305_KEYBYTES
#define HEADER_LEN crypto_secretstream_xchacha20poly1305_HEADERBYTES
#define SEALED_LEN (KEY_LEN + crypto_box_SEALBYTES)
#define ABYTES	   crypto_secretstream_xchacha20poly1305_ABYTES
#define TAG_FINAL  crypto_secretstream_xchacha20poly1305_TAG_FINAL

struct archive {
	archive_out_fn *out;
	void *arg;
	crypto_secretstream_xchacha20poly1305_state state;
	uint8_t front[FRONT_LEN]; /* authenticated with every chunk */
	uint8_t text[ARCHIVE_CHUNK];
	size_t n; /* bytes in text */
	uint64_t left; /* bytes of the entry that are to come */
	uint8_t sealed[4 + ARCHIVE_CHUNK + ABYTES];
};

/* The X25519 form of an Ed25519 key (libsodium's own conversion). */
static int
box_key(const struct key *k, uint8_t out[static crypto_box_PUBLICKEYBYTES])
{
	struct wire w = wire_of(k->blob, k->blob_len);
	const uint8_t *p;
	size_t len;

	if (k->kind != KEY_ED25519 || !wire_is(&w, "ssh-ed25519") ||
	    wire_string(&w, &p, &len) != 0 ||
	    len != crypto_sign_PUBLICKEYBYTES ||
	    crypto_sign_ed25519_pk_to_curve25519(out, p) != 0)
		return AAD_EARG;
	return 0;
}

static void
put_u32(uint8_t out[static 4], uint32_t n)
{
	out[0] = (uint8_t)(n >> 24);
	out[1] = (uint8_t)(n >> 16);
	out[2] = (uint8_t)(n >> 8);
	out[3] = (uint8_t)n;
}

static int
begin(struct archive *a, const uint8_t box[static crypto_box_PUBLICKEYBYTES])
{
	uint8_t key[KEY_LEN], sealed[SEALED_LEN], header[HEADER_LEN];
	int r = AAD_EINTERNAL;

	crypto_secretstream_xchacha20poly1305_keygen(key);
	if (crypto_box_seal(sealed, key, sizeof(key), box) == 0 &&
	    crypto_secretstream_xchacha20poly1305_init_push(&a->state, header,
		key) == 0)
		r = 0;
	sodium_memzero(key, sizeof(key));
	if (r == 0 && (r = a->out(a->arg, a->front, FRONT_LEN)) == 0 &&
	    (r = a->out(a->arg, sealed, sizeof(sealed))) == 0)
		r = a->out(a->arg, header, sizeof(header));
	return r;
}

int
archive_new(const struct key *recovery, archive_out_fn *out, void *arg,
    struct archive **outp)
{
	uint8_t box[crypto_box_PUBLICKEYBYTES];
	struct archive *a;
	int r;

	*outp = NULL;
	if ((r = box_key(recovery, box)) != 0)
		return r;
	if ((a = calloc(1, sizeof(*a))) == NULL)
		return AAD_ENOMEM;
	a->out = out;
	a->arg = arg;
	memcpy(a->front, ARCHIVE_MAGIC, MAGIC_LEN);
	memcpy(a->front + MAGIC_LEN, recovery->hash, 32);
	if ((r = begin(a, box)) != 0) {
		archive_free(a);
		return r;
	}
	*outp = a;
	return 0;
}

/* Seal what is there as one chunk: its length, then its bytes. */
static int
flush(struct archive *a, uint8_t tag)
{
	unsigned long long len;

	if (crypto_secretstream_xchacha20poly1305_push(&a->state, a->sealed + 4,
		&len, a->text, a->n, a->front, FRONT_LEN, tag) != 0)
		return AAD_EINTERNAL;
	put_u32(a->sealed, (uint32_t)len);
	a->n = 0;
	return a->out(a->arg, a->sealed, 4 + (size_t)len);
}

static int
put(struct archive *a, const uint8_t *p, size_t len)
{
	int r = 0;

	while (len > 0 && r == 0) {
		size_t room = sizeof(a->text) - a->n;
		size_t n = len < room ? len : room;

		memcpy(a->text + a->n, p, n);
		a->n += n;
		p += n;
		len -= n;
		if (a->n == sizeof(a->text))
			r = flush(a, 0);
	}
	return r;
}

int
archive_entry(struct archive *a, const char *name, uint64_t len)
{
	size_t name_len = strlen(name);
	uint8_t number[4];
	int r;

	if (a->left != 0 || name_len < 1 || name_len > ARCHIVE_NAME_MAX)
		return AAD_EARG;
	if (len > ARCHIVE_ENTRY_MAX)
		return AAD_ETOOBIG;
	put_u32(number, (uint32_t)name_len);
	if ((r = put(a, number, 4)) != 0 ||
	    (r = put(a, (const uint8_t *)name, name_len)) != 0)
		return r;
	put_u32(number, (uint32_t)(len >> 32));
	if ((r = put(a, number, 4)) != 0)
		return r;
	put_u32(number, (uint32_t)len);
	a->left = len;
	return put(a, number, 4);
}

int
archive_put(struct archive *a, const uint8_t *p, size_t len)
{
	if (len > a->left)
		return AAD_EARG;
	a->left -= len;
	return put(a, p, len);
}

int
archive_add(struct archive *a, const char *name, const uint8_t *p, size_t len)
{
	int r = archive_entry(a, name, len);

	return r != 0 ? r : archive_put(a, p, len);
}

int
archive_end(struct archive *a)
{
	return a->left != 0 ? AAD_EARG : flush(a, TAG_FINAL);
}

void
archive_free(struct archive *a)
{
	if (a == NULL)
		return;
	sodium_memzero(a, sizeof(*a));
	free(a);
}

/* ---- reading --------------------------------------------------------- */

struct reading {
	archive_in_fn *in;
	void *arg;
	crypto_secretstream_xchacha20poly1305_state state;
	uint8_t front[FRONT_LEN];
	uint8_t sealed[ARCHIVE_CHUNK + ABYTES];
	uint8_t text[ARCHIVE_CHUNK];
	size_t at, n; /* what of text is not read yet */
	bool final; /* the last chunk was seen */
};

/* Fewer bytes than there must be: it was cut. */
static int
need(struct reading *g, uint8_t *p, size_t len)
{
	int r = g->in(g->arg, p, len);

	return r == AAD_ENOENT ? AAD_EFORMAT : r;
}

static int
read_front(struct reading *g, const struct privkey *recovery)
{
	int r = need(g, g->front, FRONT_LEN);

	if (r != 0)
		return r;
	if (memcmp(g->front, ARCHIVE_MAGIC, FORMAT_AT) != 0)
		return AAD_EFORMAT;
	if (memcmp(g->front, ARCHIVE_MAGIC, MAGIC_LEN) != 0)
		return AAD_EVERSION;
	return memcmp(g->front + MAGIC_LEN, recovery->pub.hash, 32) == 0
		   ? 0
		   : AAD_EREFUSED;
}

static int
open_stream(struct reading *g, const struct privkey *recovery)
{
	uint8_t sealed[SEALED_LEN], header[HEADER_LEN], key[KEY_LEN];
	uint8_t pk[crypto_box_PUBLICKEYBYTES], sk[crypto_box_SECRETKEYBYTES];
	int r;

	if ((r = need(g, sealed, sizeof(sealed))) != 0 ||
	    (r = need(g, header, sizeof(header))) != 0 ||
	    (r = box_key(&recovery->pub, pk)) != 0)
		return r;
	if (crypto_sign_ed25519_sk_to_curve25519(sk,
		secret_bytes(recovery->secret)) != 0 ||
	    crypto_box_seal_open(key, sealed, sizeof(sealed), pk, sk) != 0 ||
	    crypto_secretstream_xchacha20poly1305_init_pull(&g->state, header,
		key) != 0)
		r = AAD_EFORMAT;
	sodium_memzero(sk, sizeof(sk));
	sodium_memzero(key, sizeof(key));
	return r;
}

static int
next_chunk(struct reading *g)
{
	unsigned long long len;
	uint8_t number[4], tag;
	uint32_t n;
	int r;

	if (g->final)
		return AAD_EFORMAT;
	if ((r = need(g, number, sizeof(number))) != 0)
		return r;
	n = (uint32_t)number[0] << 24 | (uint32_t)number[1] << 16 |
	    (uint32_t)number[2] << 8 | number[3];
	if (n < ABYTES || n > sizeof(g->sealed))
		return AAD_EFORMAT;
	if ((r = need(g, g->sealed, n)) != 0)
		return r;
	if (crypto_secretstream_xchacha20poly1305_pull(&g->state, g->text, &len,
		&tag, g->sealed, n, g->front, FRONT_LEN) != 0)
		return AAD_EFORMAT;
	g->at = 0;
	g->n = (size_t)len;
	g->final = tag == TAG_FINAL;
	return g->final || g->n > 0 ? 0 : AAD_EFORMAT;
}

static int
get(struct reading *g, uint8_t *p, size_t len)
{
	int r;

	while (len > 0) {
		size_t n = len < g->n ? len : g->n;

		memcpy(p, g->text + g->at, n);
		g->at += n;
		g->n -= n;
		p += n;
		len -= n;
		if (len > 0 && (r = next_chunk(g)) != 0)
			return r;
	}
	return 0;
}

static int
get_u32(struct reading *g, uint32_t *np)
{
	uint8_t b[4];
	int r = get(g, b, sizeof(b));

	*np = r != 0 ? 0
		     : (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 |
			   (uint32_t)b[2] << 8 | b[3];
	return r;
}

/* Whether an entry comes; the last chunk may be empty. */
static int
more(struct reading *g, bool *yes)
{
	int r;

	while (g->n == 0 && !g->final)
		if ((r = next_chunk(g)) != 0)
			return r;
	*yes = g->n > 0;
	return 0;
}

/* The bytes of an entry, as they lie in the chunks. */
static int
read_bytes(struct reading *g, uint64_t len, const struct archive_sink *sink)
{
	int r;

	while (len > 0) {
		size_t n = len < g->n ? (size_t)len : g->n;

		if (n > 0 &&
		    (r = sink->bytes(sink->arg, g->text + g->at, n)) != 0)
			return r;
		g->at += n;
		g->n -= n;
		len -= n;
		if (len > 0 && (r = next_chunk(g)) != 0)
			return r;
	}
	return 0;
}

static int
read_entry(struct reading *g, const struct archive_sink *sink)
{
	char name[ARCHIVE_NAME_MAX + 1];
	uint32_t name_len, high, low;
	uint64_t len;
	int r;

	if ((r = get_u32(g, &name_len)) != 0)
		return r;
	if (name_len < 1 || name_len > ARCHIVE_NAME_MAX)
		return AAD_EFORMAT;
	if ((r = get(g, (uint8_t *)name, name_len)) != 0 ||
	    (r = get_u32(g, &high)) != 0 || (r = get_u32(g, &low)) != 0)
		return r;
	name[name_len] = '\0';
	len = (uint64_t)high << 32 | low;
	if (memchr(name, '\0', name_len) != NULL || len > ARCHIVE_ENTRY_MAX)
		return AAD_EFORMAT;
	if ((r = sink->begin(sink->arg, name, len)) != 0 ||
	    (r = read_bytes(g, len, sink)) != 0)
		return r;
	return sink->end(sink->arg);
}

int
archive_read(const struct privkey *recovery, archive_in_fn *in, void *arg,
    const struct archive_sink *sink)
{
	struct reading *g = calloc(1, sizeof(*g));
	bool yes = true;
	uint8_t byte;
	int r;

	if (g == NULL)
		return AAD_ENOMEM;
	g->in = in;
	g->arg = arg;
	if ((r = read_front(g, recovery)) == 0)
		r = open_stream(g, recovery);
	while (r == 0 && yes)
		if ((r = more(g, &yes)) == 0 && yes)
			r = read_entry(g, sink);
	/* Nothing stands behind the end. */
	if (r == 0 && (r = in(arg, &byte, 1)) == AAD_ENOENT)
		r = 0;
	else if (r == 0)
		r = AAD_EFORMAT;
	sodium_memzero(g, sizeof(*g));
	free(g);
	return r;
}
