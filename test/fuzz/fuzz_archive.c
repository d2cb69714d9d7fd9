/* SPDX-License-Identifier: ISC */

/*
 * Seeds: the texts of test/vectors/archive.
 *
 * The input as it comes is a stream that nobody sealed.  To get behind the
 * seal it is the text, too, sealed here in chunks of the length that its first
 * byte says: what whoever has the public half of the recovery key can write.
 */

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "ca/signer/archive.h"
#include "ssh/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

#define ABYTES crypto_secretstream_xchacha20poly1305_ABYTES

/* A stream that is read, and what came of it so far. */
struct stream {
	const uint8_t *p;
	size_t len;
	bool open; /* an entry began and did not end */
	uint64_t left; /* of the entry */
	uint64_t sum; /* bytes of all */
};

static int
feed(void *arg, uint8_t *p, size_t len)
{
	struct stream *s = arg;

	if (len > s->len)
		return AAD_ENOENT;
	memcpy(p, s->p, len);
	s->p += len;
	s->len -= len;
	return 0;
}

static int
on_begin(void *arg, const char *name, uint64_t len)
{
	struct stream *s = arg;

	if (s->open || strlen(name) < 1 || strlen(name) > ARCHIVE_NAME_MAX ||
	    len > ARCHIVE_ENTRY_MAX)
		abort();
	s->open = true;
	s->left = len;
	return 0;
}

static int
on_bytes(void *arg, const uint8_t *p, size_t len)
{
	static volatile uint8_t seen;
	struct stream *s = arg;

	if (!s->open || len < 1 || len > ARCHIVE_CHUNK || len > s->left)
		abort();
	seen = (uint8_t)(seen ^ p[0] ^ p[len - 1]);
	s->left -= len;
	s->sum += len;
	return 0;
}

static int
on_end(void *arg)
{
	struct stream *s = arg;

	if (!s->open || s->left != 0)
		abort();
	s->open = false;
	return 0;
}

static int
open_it(const struct privkey *k, const uint8_t *p, size_t len, uint64_t *sum)
{
	struct stream s = { .p = p, .len = len };
	const struct archive_sink sink = { on_begin, on_bytes, on_end, &s };
	int r = archive_read(k, feed, &s, &sink);

	if (r == 0 && (s.open || s.len != 0))
		abort();
	*sum = s.sum;
	return r;
}

/* The front of a stream for this key, and the state that seals it. */
static void
begin(struct wirebuf *b, const struct privkey *k,
    crypto_secretstream_xchacha20poly1305_state *state)
{
	uint8_t key[crypto_secretstream_xchacha20poly1305_KEYBYTES] = { 1 };
	uint8_t sealed[sizeof(key) + crypto_box_SEALBYTES];
	uint8_t header[crypto_secretstream_xchacha20poly1305_HEADERBYTES];
	uint8_t pk[crypto_box_PUBLICKEYBYTES];

	/* the public key is the last string of its blob */
	if (crypto_sign_ed25519_pk_to_curve25519(pk,
		k->pub.blob + k->pub.blob_len - crypto_sign_PUBLICKEYBYTES) !=
		0 ||
	    crypto_box_seal(sealed, key, sizeof(key), pk) != 0 ||
	    crypto_secretstream_xchacha20poly1305_init_push(state, header,
		key) != 0)
		abort();
	wire_put_raw(b, ARCHIVE_MAGIC, sizeof(ARCHIVE_MAGIC) - 1);
	wire_put_raw(b, k->pub.hash, 32);
	wire_put_raw(b, sealed, sizeof(sealed));
	wire_put_raw(b, header, sizeof(header));
}

static void
seal(struct wirebuf *b, const struct privkey *k, const uint8_t *p, size_t len)
{
	crypto_secretstream_xchacha20poly1305_state state;
	const size_t most = len > 0 ? (size_t)p[0] + 1 : 1;
	const size_t front = sizeof(ARCHIVE_MAGIC) - 1 + 32;
	uint8_t chunk[256 + ABYTES];
	bool last = false;

	if (len > 0) {
		p++;
		len--;
	}
	begin(b, k, &state);
	while (!last) {
		size_t n = len < most ? len : most;

		last = n == len;
		(void)crypto_secretstream_xchacha20poly1305_push(&state, chunk,
		    NULL, p, n, b->p, front,
		    last ? crypto_secretstream_xchacha20poly1305_TAG_FINAL : 0);
		wire_put_u32(b, (uint32_t)(n + ABYTES));
		wire_put_raw(b, chunk, n + ABYTES);
		p += n;
		len -= n;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	static const uint8_t seed[PRIVKEY_SEED_LEN] = { 7 };
	static struct privkey k;
	struct wirebuf b = wirebuf_new();
	uint64_t sum;
	int r;

	if (k.secret == NULL &&
	    (sodium_init() == -1 || privkey_of_seed(seed, &k) != 0))
		abort();
	/* nobody sealed this */
	if (open_it(&k, p, len, &sum) == 0)
		abort();
	seal(&b, &k, p, len);
	r = open_it(&k, b.p, b.len, &sum);
	if ((r != 0 && r != AAD_EFORMAT) || sum > len)
		abort();
	/* and cut, it is never whole */
	if (open_it(&k, b.p, b.len - 1, &sum) == 0)
		abort();
	wirebuf_release(&b);
	return 0;
}
