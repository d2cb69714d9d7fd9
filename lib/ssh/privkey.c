/* SPDX-License-Identifier: ISC */

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "core/b64.h"
#include "ssh/privkey.h"
#include "ssh/wire.h"

#define BEGIN	   "-----BEGIN OPENSSH PRIVATE KEY-----\n"
#define END	   "-----END OPENSSH PRIVATE KEY-----\n"
#define MAGIC	   "openssh-key-v1" /* with the NUL behind it */
#define LINE_LEN   70 /* digits a line, as ssh-keygen breaks them */
#define BLOCK_LEN  8 /* bytes, of cipher "none" */
#define SECRET_LEN crypto_sign_SECRETKEYBYTES
#define PUBLIC_LEN crypto_sign_PUBLICKEYBYTES

#define TYPE "ssh-ed25519"

/* What stands in the file around the private part.  Borrowed. */
struct envelope {
	const uint8_t *pub; /* a key blob */
	size_t pub_len;
	struct wire private;
	bool encrypted;
};

/*
 * The *np digits between the armour's two lines, without their line feeds.
 * Each line is full but the last, which is not empty.
 */
static int
unarmour(const char *text, size_t len, struct secret **outp, size_t *np)
{
	const size_t begin = strlen(BEGIN), end = strlen(END);
	struct secret *s;
	size_t line;
	int r;

	*outp = NULL;
	*np = 0;
	if (len <= begin + end || memcmp(text, BEGIN, begin) != 0 ||
	    memcmp(text + len - end, END, end) != 0)
		return AAD_EFORMAT;
	text += begin;
	len -= begin + end;
	if ((r = secret_new(len, &s)) != 0)
		return r;
	for (; len > 0; text += line + 1, len -= line + 1) {
		line = len <= LINE_LEN ? len - 1 : LINE_LEN;
		if (line == 0 || text[line] != '\n') {
			secret_free(s);
			return AAD_EFORMAT;
		}
		memcpy(secret_bytes(s) + *np, text, line);
		*np += line;
	}
	*outp = s;
	return 0;
}

/* n digits of base64. */
static int
decode(struct secret *digits, size_t n, struct secret **outp)
{
	const char *p = (const char *)secret_bytes(digits);
	struct secret *s;
	size_t len;
	int r;

	*outp = NULL;
	if (n == 0 || n % 4 != 0)
		return AAD_EFORMAT;
	len = n / 4 * 3 - (p[n - 1] == '=') - (p[n - 2] == '=');
	if ((r = secret_new(len, &s)) != 0)
		return r;
	r = b64_decode_exact(B64_STD, p, n, secret_bytes(s), len);
	if (r != 0)
		secret_free(s);
	else
		*outp = s;
	return r;
}

/* PROTOCOL.key s.1. */
static int
read_envelope(struct secret *file, struct envelope *e)
{
	struct wire w = wire_of(secret_bytes(file), secret_len(file));
	const uint8_t *cipher, *kdf, *options, *p;
	size_t cipher_len, kdf_len, options_len, len;
	uint32_t n;

	if (w.left < sizeof(MAGIC) || memcmp(w.p, MAGIC, sizeof(MAGIC)) != 0)
		return AAD_EFORMAT;
	w = wire_of(w.p + sizeof(MAGIC), w.left - sizeof(MAGIC));
	if (wire_string(&w, &cipher, &cipher_len) != 0 ||
	    wire_string(&w, &kdf, &kdf_len) != 0 ||
	    wire_string(&w, &options, &options_len) != 0 ||
	    wire_u32(&w, &n) != 0 || n != 1 ||
	    wire_string(&w, &e->pub, &e->pub_len) != 0 ||
	    wire_string(&w, &p, &len) != 0)
		return AAD_EFORMAT;
	e->encrypted = cipher_len != 4 || memcmp(cipher, "none", 4) != 0;
	e->private = wire_of(p, len);
	if (e->encrypted)
		return 0; /* some ciphers have a tag behind it */
	if (kdf_len != 4 || memcmp(kdf, "none", 4) != 0 || options_len != 0 ||
	    len % BLOCK_LEN != 0 || !wire_end(&w))
		return AAD_EFORMAT;
	return 0;
}

/* 1, 2, 3… to the end of the last block. */
static bool
is_padding(struct wire w)
{
	size_t i;

	for (i = 0; i < w.left; i++)
		if (w.p[i] != i + 1)
			return false;
	return w.left < BLOCK_LEN;
}

/* PROTOCOL.key s.3: *pub and *secret borrow their bytes. */
static int
read_private(struct wire w, const uint8_t **pub, const uint8_t **secret)
{
	const uint8_t *comment;
	size_t pub_len, secret_len, len;
	uint32_t one, two;

	if (wire_u32(&w, &one) != 0 || wire_u32(&w, &two) != 0 || one != two ||
	    !wire_is(&w, TYPE) || wire_string(&w, pub, &pub_len) != 0 ||
	    pub_len != PUBLIC_LEN ||
	    wire_string(&w, secret, &secret_len) != 0 ||
	    secret_len != SECRET_LEN || wire_string(&w, &comment, &len) != 0 ||
	    !is_padding(w))
		return AAD_EFORMAT;
	return 0;
}

/* Whether the public key is one that we read, and why not. */
static int
judge_public(const struct envelope *e)
{
	struct wire w = wire_of(e->pub, e->pub_len);
	bool ours = wire_is(&w, TYPE);
	enum reason why;
	struct key k;
	int r = key_from_blob(e->pub, e->pub_len, &k, &why);

	key_release(&k);
	if (r == AAD_EREFUSED && (ours || why == AAD_R_KEY_MALFORMED))
		return AAD_EFORMAT;
	if (r != 0)
		return r;
	return ours && !e->encrypted ? 0 : AAD_EREFUSED;
}

static int
read_key(struct secret *file, struct privkey *out)
{
	const uint8_t *pub, *secret;
	struct envelope e;
	struct privkey k;
	int r;

	if ((r = read_envelope(file, &e)) != 0 || (r = judge_public(&e)) != 0 ||
	    (r = read_private(e.private, &pub, &secret)) != 0 ||
	    (r = privkey_of_seed(secret, &k)) != 0)
		return r;
	/* NB. signing with a public half of another key would give it away. */
	if (sodium_memcmp(secret_bytes(k.secret), secret, SECRET_LEN) != 0 ||
	    memcmp(secret + PRIVKEY_SEED_LEN, pub, PUBLIC_LEN) != 0 ||
	    k.pub.blob_len != e.pub_len ||
	    memcmp(k.pub.blob, e.pub, e.pub_len) != 0) {
		privkey_release(&k);
		return AAD_EFORMAT;
	}
	*out = k; /* now the caller's */
	return 0;
}

int
privkey_parse(const char *text, size_t len, struct privkey *out)
{
	struct secret *digits = NULL, *file = NULL;
	size_t n;
	int r;

	memset(out, 0, sizeof(*out));
	if (len > PRIVKEY_TEXT_MAX)
		return AAD_ETOOBIG;
	if ((r = unarmour(text, len, &digits, &n)) == 0 &&
	    (r = decode(digits, n, &file)) == 0)
		r = read_key(file, out);
	secret_free(digits);
	secret_free(file);
	return r;
}

/* The key of a public point. */
static int
make_public(const uint8_t point[static PUBLIC_LEN], struct key *k)
{
	struct wirebuf b = wirebuf_new();
	enum reason why;
	uint8_t *blob;
	size_t len;
	int r;

	wire_put_text(&b, TYPE);
	wire_put_string(&b, point, PUBLIC_LEN);
	if ((r = wirebuf_take(&b, &blob, &len)) != 0)
		return r;
	r = key_from_blob(blob, len, k, &why);
	free(blob);
	return r == AAD_EREFUSED ? AAD_EINTERNAL : r;
}

int
privkey_of_seed(const uint8_t seed[static PRIVKEY_SEED_LEN],
    struct privkey *out)
{
	uint8_t point[PUBLIC_LEN];
	struct privkey k;
	int r;

	memset(out, 0, sizeof(*out));
	memset(&k, 0, sizeof(k));
	if ((r = secret_new(SECRET_LEN, &k.secret)) != 0)
		return r;
	crypto_sign_seed_keypair(point, secret_bytes(k.secret), seed);
	if ((r = make_public(point, &k.pub)) != 0) {
		privkey_release(&k);
		return r;
	}
	*out = k; /* now the caller's */
	return 0;
}

/*
 * Everything of the file but the secret, for which it leaves zeros: what
 * grows on the heap never holds it.  *atp: where it belongs.
 */
static int
write_file(const struct key *pub, uint32_t check, const char *comment,
    uint8_t **outp, size_t *lenp, size_t *atp)
{
	static const uint8_t none[SECRET_LEN];
	const uint8_t *point = pub->blob + pub->blob_len - PUBLIC_LEN;
	struct wirebuf b = wirebuf_new();
	size_t private;
	uint8_t i;

	wire_put_raw(&b, MAGIC, sizeof(MAGIC));
	wire_put_text(&b, "none");
	wire_put_text(&b, "none");
	wire_put_text(&b, "");
	wire_put_u32(&b, 1);
	wire_put_string(&b, pub->blob, pub->blob_len);
	private = wire_put_begin(&b);
	wire_put_u32(&b, check);
	wire_put_u32(&b, check);
	wire_put_text(&b, TYPE);
	wire_put_string(&b, point, PUBLIC_LEN);
	wire_put_string(&b, none, SECRET_LEN);
	*atp = b.len - SECRET_LEN;
	wire_put_text(&b, comment);
	for (i = 1; b.r == 0 && (b.len - private - 4) % BLOCK_LEN != 0; i++)
		wire_put_u8(&b, i);
	wire_put_end(&b, private);
	return wirebuf_take(&b, outp, lenp);
}

/* Base64 of a whole file. */
static int
encode(struct secret *file, struct secret **outp)
{
	const size_t len = sodium_base64_ENCODED_LEN(secret_len(file),
	    sodium_base64_VARIANT_ORIGINAL);
	int r;

	if ((r = secret_new(len, outp)) != 0)
		return r;
	sodium_bin2base64((char *)secret_bytes(*outp), len, secret_bytes(file),
	    secret_len(file), sodium_base64_VARIANT_ORIGINAL);
	return 0;
}

static int
armour(struct secret *digits, struct secret **outp)
{
	const size_t n = secret_len(digits) - 1; /* without the NUL */
	const uint8_t *from = secret_bytes(digits);
	size_t i, line;
	uint8_t *to;
	int r;

	r = secret_new(strlen(BEGIN) + n + (n + LINE_LEN - 1) / LINE_LEN +
			   strlen(END),
	    outp);
	if (r != 0)
		return r;
	to = secret_bytes(*outp);
	memcpy(to, BEGIN, strlen(BEGIN));
	to += strlen(BEGIN);
	for (i = 0; i < n; i += line) {
		line = n - i < LINE_LEN ? n - i : LINE_LEN;
		memcpy(to, from + i, line);
		to[line] = '\n';
		to += line + 1;
	}
	memcpy(to, END, strlen(END));
	return 0;
}

static bool
is_sound(const struct privkey *k, const char *comment)
{
	const char *c;

	for (c = comment; *c != '\0'; c++)
		if (*c < ' ' || *c > '~')
			return false;
	return c - comment <= PRIVKEY_COMMENT_MAX && k->secret != NULL &&
	       secret_len(k->secret) == SECRET_LEN &&
	       k->pub.kind == KEY_ED25519 && k->pub.blob_len > PUBLIC_LEN;
}

int
privkey_format(const struct privkey *k, uint32_t check, const char *comment,
    struct secret **outp)
{
	struct secret *file = NULL, *digits = NULL;
	uint8_t *most = NULL;
	size_t len, at;
	int r;

	*outp = NULL;
	if (comment == NULL)
		comment = "";
	if (!is_sound(k, comment))
		return AAD_EARG;
	r = write_file(&k->pub, check, comment, &most, &len, &at);
	if (r != 0 || (r = secret_new(len, &file)) != 0)
		goto out;
	memcpy(secret_bytes(file), most, len);
	memcpy(secret_bytes(file) + at, secret_bytes(k->secret), SECRET_LEN);
	if ((r = encode(file, &digits)) == 0)
		r = armour(digits, outp);
out:
	free(most);
	secret_free(file);
	secret_free(digits);
	return r;
}

void
privkey_release(struct privkey *k)
{
	key_release(&k->pub);
	secret_free(k->secret);
	memset(k, 0, sizeof(*k));
}
