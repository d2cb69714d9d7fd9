/* SPDX-License-Identifier: ISC */

#include "test/unit/unit.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gmp.h>
#include <sodium.h>

#include "ssh/cert.h"
#include "ssh/privkey.h"
#include "ssh/sign.h"
#include "ssh/wire.h"
#include "test/unit/fault.h"
#include "test/unit/mutate.h"

#define VECTORS "test/vectors/signed/"

/* Signed by ssh-keygen with each kind of key: certificates. */
static const char *const signers[] = { "ed25519", "ecdsa256", "ecdsa384",
	"ecdsa521", "sk_ed25519", "sk_ecdsa256", "rsa2048_sha256",
	"rsa2048_sha512", "rsa3072_sha256", "rsa3072_sha512", "rsa4096_sha256",
	"rsa4096_sha512" };

#define NSIGNERS (sizeof(signers) / sizeof(signers[0]))

static struct cert
load(const char *folder, const char *name)
{
	char path[256], text[8192];
	struct cert c;
	enum reason why;
	size_t len;
	FILE *f;

	snprintf(path, sizeof(path), VECTORS "%s/%s.pub", folder, name);
	if ((f = fopen(path, "r")) == NULL)
		fail_msg("%s: %s", path, strerror(errno));
	len = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[len] = '\0';
	if (cert_from_pub(text, len, &c, &why) != 0)
		fail_msg("%s: %s", path, reason_name(why));
	return c;
}

static int
verify(const struct cert *c, const void *sig, size_t len)
{
	return sign_verify(&c->ca, c->blob, c->signed_len, sig, len);
}

/* ---- what ssh-keygen makes ---- */

static void
valid_every_kind_of_signer(void **state)
{
	struct cert c;
	size_t i;

	(void)state;
	for (i = 0; i < NSIGNERS; i++) {
		c = load("good", signers[i]);
		assert_int_equal(verify(&c, c.signature, c.signature_len), 0);
		cert_release(&c);
	}
}

static void
I_C23_never_sha1(void **state)
{
	struct cert c = load("bad", "rsa_sha1");
	struct wire w = wire_of(c.signature, c.signature_len);

	(void)state;
	assert_true(wire_is(&w, "ssh-rsa"));
	assert_int_equal(verify(&c, c.signature, c.signature_len), AAD_ESIG);
	cert_release(&c);
}

/* The same bytes under another name. */
static int
renamed(const struct cert *c, const char *name)
{
	struct wire w = wire_of(c->signature, c->signature_len);
	struct wirebuf b = wirebuf_new();
	const uint8_t *p;
	size_t len;
	int r;

	assert_int_equal(wire_string(&w, &p, &len), 0);
	wire_put_text(&b, name);
	wire_put_raw(&b, w.p, w.left);
	r = verify(c, b.p, b.len);
	wirebuf_release(&b);
	return r;
}

static void
I_D9_algorithm_must_be_the_keys_own(void **state)
{
	static const char *const names[] = { "", "ssh-ed25519", "ssh-rsa",
		"rsa-sha2-256", "rsa-sha2-512", "ecdsa-sha2-nistp256",
		"ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521",
		"sk-ssh-ed25519@openssh.com",
		"sk-ecdsa-sha2-nistp256@openssh.com",
		"webauthn-sk-ecdsa-sha2-nistp256@openssh.com",
		"ssh-ed25519-cert-v01@openssh.com", "SSH-ED25519",
		"rsa-sha2-512-cert-v01@openssh.com", "none" };
	struct cert c;
	struct wire w;
	size_t i, j;

	(void)state;
	for (i = 0; i < NSIGNERS; i++) {
		c = load("good", signers[i]);
		for (j = 0; j < sizeof(names) / sizeof(names[0]); j++) {
			w = wire_of(c.signature, c.signature_len);
			assert_int_equal(renamed(&c, names[j]),
			    wire_is(&w, names[j]) ? 0 : AAD_ESIG);
		}
		cert_release(&c);
	}
}

static void
I_D9_another_keys_signature(void **state)
{
	struct cert c, other;
	size_t i, j;
	bool same;

	(void)state;
	for (i = 0; i < NSIGNERS; i++) {
		c = load("good", signers[i]);
		for (j = 0; j < NSIGNERS; j++) {
			if (i == j)
				continue;
			other = load("good", signers[j]);
			/* over other data, whoever signed it */
			assert_int_equal(verify(&c, other.signature,
					     other.signature_len),
			    AAD_ESIG);
			same = memcmp(c.ca_hash, other.ca_hash, 32) == 0;
			assert_int_equal(sign_verify(&other.ca, c.blob,
					     c.signed_len, c.signature,
					     c.signature_len),
			    same ? 0 : AAD_ESIG);
			cert_release(&other);
		}
		cert_release(&c);
	}
}

/* ---- damage ---- */

static void
signature_damaged(const uint8_t *p, size_t len, enum mutation how, size_t at,
    void *arg)
{
	(void)how;
	(void)at;
	assert_int_equal(verify(arg, p, len), AAD_ESIG);
}

static void
data_damaged(const uint8_t *p, size_t len, enum mutation how, size_t at,
    void *arg)
{
	const struct cert *c = arg;

	(void)how;
	(void)at;
	assert_int_equal(sign_verify(&c->ca, p, len, c->signature,
			     c->signature_len),
	    AAD_ESIG);
}

static void
I_D1_every_damage_of_a_signature(void **state)
{
	struct cert c;
	size_t i;

	(void)state;
	for (i = 0; i < NSIGNERS; i++) {
		c = load("good", signers[i]);
		mutate_walk(c.signature, c.signature_len, signature_damaged,
		    &c);
		cert_release(&c);
	}
}

static void
I_D1_every_damage_of_the_data(void **state)
{
	static const char *const some[] = { "ed25519", "ecdsa256", "sk_ed25519",
		"rsa2048_sha256" };
	struct cert c;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(some) / sizeof(some[0]); i++) {
		c = load("good", some[i]);
		mutate_walk(c.blob, c.signed_len, data_damaged, &c);
		cert_release(&c);
	}
}

static void
empty_and_too_long(void **state)
{
	static uint8_t longer[SIGN_MAX + 1];
	struct cert c = load("good", "ed25519");
	static const struct key nobodys;
	struct key hollow = c.ca;

	(void)state;
	assert_int_equal(verify(&c, "", 0), AAD_ESIG);
	memcpy(longer, c.signature, c.signature_len);
	assert_int_equal(verify(&c, longer, sizeof(longer)), AAD_ESIG);
	assert_int_equal(verify(&c, longer, sizeof(longer) - 1), AAD_ESIG);
	assert_int_equal(verify(&c, longer, c.signature_len), 0);
	assert_int_equal(sign_verify(&nobodys, c.blob, c.signed_len,
			     c.signature, c.signature_len),
	    AAD_ESIG);
	/* a record that says what its blob is not */
	hollow.kind = KEY_RSA;
	assert_int_equal(sign_verify(&hollow, c.blob, c.signed_len, c.signature,
			     c.signature_len),
	    AAD_ESIG);
	hollow.kind = KEY_NONE;
	assert_int_equal(sign_verify(&hollow, c.blob, c.signed_len, c.signature,
			     c.signature_len),
	    AAD_ESIG);
	cert_release(&c);
}

/* ---- numbers that are no signature ---- */

/* "NAME" and then a string of two mpints, or of whatever stands in raw. */
static int
with_numbers(const struct cert *c, const char *name, const void *raw,
    size_t len)
{
	struct wirebuf b = wirebuf_new();
	int r;

	wire_put_text(&b, name);
	wire_put_string(&b, raw, len);
	r = verify(c, b.p, b.len);
	wirebuf_release(&b);
	return r;
}

static void
junk_ecdsa_numbers(void **state)
{
	static const uint8_t order[32] = { 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6,
		0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2,
		0xfc, 0x63, 0x25, 0x51 };
	static const struct {
		const char *p;
		size_t len;
	} rows[] = {
		{ "", 0 }, { "\0\0\0\0\0\0\0\0", 8 }, /* 0, 0 */
		{ "\0\0\0\1\1\0\0\0\0", 9 }, /* 1, 0 */
		{ "\0\0\0\0\0\0\0\1\1", 9 }, /* 0, 1 */
		{ "\0\0\0\1\1\0\0\0\1\1", 10 }, /* 1, 1 */
		{ "\0\0\0\1\xff\0\0\0\1\1", 10 }, /* -1, 1 */
		{ "\0\0\0\2\0\1\0\0\0\1\1", 11 }, /* 01, 1 */
	};
	struct cert c = load("good", "ecdsa256");
	static const uint8_t big[400] = { 1 };
	struct wirebuf b = wirebuf_new();
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(with_numbers(&c, "ecdsa-sha2-nistp256",
				     rows[i].p, rows[i].len),
		    AAD_ESIG);
	wire_put_mpint(&b, order, sizeof(order));
	wire_put_mpint(&b, order, sizeof(order));
	assert_int_equal(with_numbers(&c, "ecdsa-sha2-nistp256", b.p, b.len),
	    AAD_ESIG);
	wirebuf_release(&b);
	wire_put_mpint(&b, big, sizeof(big));
	wire_put_mpint(&b, big, sizeof(big));
	assert_int_equal(with_numbers(&c, "ecdsa-sha2-nistp256", b.p, b.len),
	    AAD_ESIG);
	wirebuf_release(&b);
	cert_release(&c);
}

/* (r, s + n): the same residue, and out of range. */
static void
ecdsa_numbers_are_below_the_order(void **state)
{
	struct cert c = load("good", "ecdsa521");
	struct wire w = wire_of(c.signature, c.signature_len), inner;
	struct wirebuf b = wirebuf_new();
	const uint8_t *p, *r, *s;
	size_t len, rlen, slen, n;
	uint8_t sum[80];
	mpz_t a, order;

	(void)state;
	assert_true(wire_is(&w, "ecdsa-sha2-nistp521"));
	assert_int_equal(wire_string(&w, &p, &len), 0);
	inner = wire_of(p, len);
	assert_int_equal(wire_mpint(&inner, &r, &rlen), 0);
	assert_int_equal(wire_mpint(&inner, &s, &slen), 0);
	mpz_init(a);
	mpz_init_set_str(order,
	    "01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
	    "fffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e9"
	    "1386409",
	    16);
	mpz_import(a, slen, 1, 1, 1, 0, s);
	mpz_add(a, a, order);
	mpz_export(sum, &n, 1, 1, 1, 0, a);
	wire_put_mpint(&b, r, rlen);
	wire_put_mpint(&b, sum, n);
	assert_int_equal(with_numbers(&c, "ecdsa-sha2-nistp521", b.p, b.len),
	    AAD_ESIG);
	wirebuf_release(&b);
	wire_put_mpint(&b, r, rlen);
	wire_put_mpint(&b, s, slen);
	assert_int_equal(with_numbers(&c, "ecdsa-sha2-nistp521", b.p, b.len),
	    0);
	wire_put_u8(&b, 0);
	assert_int_equal(with_numbers(&c, "ecdsa-sha2-nistp521", b.p, b.len),
	    AAD_ESIG);
	wirebuf_release(&b);
	mpz_clear(a);
	mpz_clear(order);
	cert_release(&c);
}

/* The signature's bytes, and the modulus as a number. */
static void
take_rsa(const struct cert *c, const uint8_t **sig, size_t *len, mpz_t n)
{
	struct wire w = wire_of(c->signature, c->signature_len);
	struct wire k = wire_of(c->ca.blob, c->ca.blob_len);
	const uint8_t *p;
	size_t plen;

	assert_true(wire_is(&w, "rsa-sha2-256"));
	assert_int_equal(wire_string(&w, sig, len), 0);
	assert_true(wire_is(&k, "ssh-rsa"));
	assert_int_equal(wire_mpint(&k, &p, &plen), 0);
	assert_int_equal(wire_mpint(&k, &p, &plen), 0);
	mpz_import(n, plen, 1, 1, 1, 0, p);
}

static void
boundary_rsa_signature_is_as_long_as_the_modulus(void **state)
{
	struct cert c = load("good", "rsa2048_sha256");
	static uint8_t other[300];
	const uint8_t *sig;
	size_t len, n;
	mpz_t s, modulus;

	(void)state;
	mpz_init(s);
	mpz_init(modulus);
	take_rsa(&c, &sig, &len, modulus);
	assert_int_equal(len, 256);
	assert_int_equal(with_numbers(&c, "rsa-sha2-256", sig, len), 0);
	/* the same number, a byte longer */
	memcpy(other + 1, sig, len);
	assert_int_equal(with_numbers(&c, "rsa-sha2-256", other, len + 1),
	    AAD_ESIG);
	assert_int_equal(with_numbers(&c, "rsa-sha2-256", other, len),
	    AAD_ESIG);
	assert_int_equal(with_numbers(&c, "rsa-sha2-256", sig, len - 1),
	    AAD_ESIG);
	/* the same residue */
	mpz_import(s, len, 1, 1, 1, 0, sig);
	mpz_add(s, s, modulus);
	mpz_export(other, &n, 1, 1, 1, 0, s);
	assert_int_equal(with_numbers(&c, "rsa-sha2-256", other, n), AAD_ESIG);
	/* 0, 1, n - 1, all ones */
	memset(other, 0, sizeof(other));
	assert_int_equal(with_numbers(&c, "rsa-sha2-256", other, len),
	    AAD_ESIG);
	other[len - 1] = 1;
	assert_int_equal(with_numbers(&c, "rsa-sha2-256", other, len),
	    AAD_ESIG);
	mpz_sub_ui(s, modulus, 1);
	mpz_export(other, &n, 1, 1, 1, 0, s);
	assert_int_equal(with_numbers(&c, "rsa-sha2-256", other, n), AAD_ESIG);
	memset(other, 0xff, sizeof(other));
	assert_int_equal(with_numbers(&c, "rsa-sha2-256", other, len),
	    AAD_ESIG);
	mpz_clear(s);
	mpz_clear(modulus);
	cert_release(&c);
}

/* ---- keys that key_from_blob() would not let through ---- */

static int
unsound(enum key_kind kind, const void *blob, size_t len, const char *name,
    size_t siglen)
{
	struct key k = { .kind = kind, .blob_len = len };
	struct wirebuf b = wirebuf_new();
	static const uint8_t ones[600] = { 1, 1, 1 };
	int r;

	assert_non_null(k.blob = malloc(len));
	memcpy(k.blob, blob, len);
	wire_put_text(&b, name);
	wire_put_string(&b, ones, siglen);
	r = sign_verify(&k, (const uint8_t *)"x", 1, b.p, b.len);
	wirebuf_release(&b);
	free(k.blob);
	return r;
}

/* NB. nettle aborts where a refused preparation is passed over. */
static void
I_C9_unsound_keys_verify_nothing(void **state)
{
	struct wirebuf b = wirebuf_new();
	uint8_t n[256] = { 0x80 }, point[65] = { 4 };
	size_t len;

	(void)state;
	for (len = 1; len <= sizeof(n); len++) {
		wire_put_text(&b, "ssh-rsa");
		wire_put_mpint(&b, (const uint8_t *)"\3", 1);
		wire_put_mpint(&b, n, len); /* even */
		assert_int_equal(unsound(KEY_RSA, b.p, b.len, "rsa-sha2-512",
				     len),
		    AAD_ESIG);
		wirebuf_release(&b);
	}
	wire_put_text(&b, "ssh-rsa");
	assert_int_equal(unsound(KEY_RSA, b.p, b.len, "rsa-sha2-512", 0),
	    AAD_ESIG);
	wirebuf_release(&b);
	wire_put_text(&b, "ecdsa-sha2-nistp256");
	wire_put_text(&b, "nistp256");
	wire_put_string(&b, point, sizeof(point)); /* (0, 0) */
	assert_int_equal(unsound(KEY_ECDSA_256, b.p, b.len,
			     "ecdsa-sha2-nistp256", 0),
	    AAD_ESIG);
	wirebuf_release(&b);
	wire_put_text(&b, "ssh-ed25519");
	wire_put_string(&b, n, 31);
	assert_int_equal(unsound(KEY_ED25519, b.p, b.len, "ssh-ed25519", 64),
	    AAD_ESIG);
	wirebuf_release(&b);
}

/* A key of low order takes a signature of zeros over anything. */
static void
I_C9_low_order_takes_nothing(void **state)
{
	static const uint8_t sig[64] = { 1 }; /* R the neutral point, S 0 */
	struct wirebuf k = wirebuf_new(), s = wirebuf_new();
	struct key key = { .kind = KEY_ED25519 };

	(void)state;
	wire_put_text(&k, "ssh-ed25519");
	wire_put_string(&k, sig, 32);
	wire_put_text(&s, "ssh-ed25519");
	wire_put_string(&s, sig, sizeof(sig));
	key.blob = k.p;
	key.blob_len = k.len;
	assert_int_equal(sign_verify(&key, (const uint8_t *)"x", 1, s.p, s.len),
	    AAD_ESIG);
	wirebuf_release(&k);
	wirebuf_release(&s);
}

/* ---- security keys, by hand ---- */

struct token {
	struct privkey private;
	struct key key; /* what its owner shows */
};

static struct token
token_of(const char *application)
{
	static const uint8_t seed[PRIVKEY_SEED_LEN] = { 7 };
	struct wirebuf b = wirebuf_new();
	struct token t;
	enum reason why;

	assert_int_equal(privkey_of_seed(seed, &t.private), 0);
	wire_put_text(&b, "sk-ssh-ed25519@openssh.com");
	wire_put_string(&b, t.private.pub.blob + t.private.pub.blob_len - 32,
	    32);
	wire_put_text(&b, application);
	assert_int_equal(key_from_blob(b.p, b.len, &t.key, &why), 0);
	wirebuf_release(&b);
	return t;
}

static void
token_release(struct token *t)
{
	privkey_release(&t->private);
	key_release(&t->key);
}

/* What a token that was asked by application signs over "data". */
static struct wirebuf
token_sign(struct token *t, const char *application, uint8_t flags,
    uint32_t counter)
{
	struct wirebuf what = wirebuf_new(), b = wirebuf_new();
	uint8_t hash[32], sig[64];

	crypto_hash_sha256(hash, (const uint8_t *)application,
	    strlen(application));
	wire_put_raw(&what, hash, 32);
	wire_put_u8(&what, flags);
	wire_put_u32(&what, counter);
	crypto_hash_sha256(hash, (const uint8_t *)"data", 4);
	wire_put_raw(&what, hash, 32);
	crypto_sign_detached(sig, NULL, what.p, what.len,
	    secret_bytes(t->private.secret));
	wirebuf_release(&what);
	wire_put_text(&b, "sk-ssh-ed25519@openssh.com");
	wire_put_string(&b, sig, 64);
	wire_put_u8(&b, flags);
	wire_put_u32(&b, counter);
	return b;
}

static int
token_verdict(const char *application, uint8_t flags)
{
	struct token t = token_of("ssh:");
	struct wirebuf b = token_sign(&t, application, flags, 41);
	int r = sign_verify(&t.key, (const uint8_t *)"data", 4, b.p, b.len);

	/* never with one byte more or less */
	assert_int_equal(sign_verify(&t.key, (const uint8_t *)"data", 4, b.p,
			     b.len - 1),
	    AAD_ESIG);
	wire_put_u8(&b, 0);
	assert_int_equal(sign_verify(&t.key, (const uint8_t *)"data", 4, b.p,
			     b.len),
	    AAD_ESIG);
	wirebuf_release(&b);
	token_release(&t);
	return r;
}

static void
a_security_key_says_that_somebody_was_there(void **state)
{
	unsigned int flags;

	(void)state;
	for (flags = 0; flags < 256; flags++)
		assert_int_equal(token_verdict("ssh:", (uint8_t)flags),
		    (flags & 1) != 0 ? 0 : AAD_ESIG);
}

static void
wrong_application(void **state)
{
	(void)state;
	assert_int_equal(token_verdict("ssh:", 1), 0);
	assert_int_equal(token_verdict("ssh", 1), AAD_ESIG);
	assert_int_equal(token_verdict("ssh:x", 1), AAD_ESIG);
	assert_int_equal(token_verdict("https://example.com", 1), AAD_ESIG);
}

/* A plain signature is none of a security key, and the reverse. */
static void
I_D9_security_keys_and_others_apart(void **state)
{
	struct token t = token_of("ssh:");
	struct wirebuf b = token_sign(&t, "ssh:", 1, 1);
	uint8_t *sig;
	size_t len;

	(void)state;
	assert_int_equal(sign_ed25519(t.private.secret, (const uint8_t *)"data",
			     4, &sig, &len),
	    0);
	assert_int_equal(sign_verify(&t.private.pub, (const uint8_t *)"data", 4,
			     sig, len),
	    0);
	assert_int_equal(sign_verify(&t.key, (const uint8_t *)"data", 4, sig,
			     len),
	    AAD_ESIG);
	assert_int_equal(sign_verify(&t.key, (const uint8_t *)"data", 4, b.p,
			     b.len),
	    0);
	assert_int_equal(sign_verify(&t.private.pub, (const uint8_t *)"data", 4,
			     b.p, b.len),
	    AAD_ESIG);
	free(sig);
	wirebuf_release(&b);
	token_release(&t);
}

/* ---- signing ---- */

/* RFC 8032 s.7.1, TEST 2. */
static const uint8_t rfc_seed[32] = { 0x4c, 0xcd, 0x08, 0x9b, 0x28, 0xff, 0x96,
	0xda, 0x9d, 0xb6, 0xc3, 0x46, 0xec, 0x11, 0x4e, 0x0f, 0x5b, 0x8a, 0x31,
	0x9f, 0x35, 0xab, 0xa6, 0x24, 0xda, 0x8c, 0xf6, 0xed, 0x4f, 0xb8, 0xa6,
	0xfb };
static const uint8_t rfc_sig[64] = { 0x92, 0xa0, 0x09, 0xa9, 0xf0, 0xd4, 0xca,
	0xb8, 0x72, 0x0e, 0x82, 0x0b, 0x5f, 0x64, 0x25, 0x40, 0xa2, 0xb2, 0x7b,
	0x54, 0x16, 0x50, 0x3f, 0x8f, 0xb3, 0x76, 0x22, 0x23, 0xeb, 0xdb, 0x69,
	0xda, 0x08, 0x5a, 0xc1, 0xe4, 0x3e, 0x15, 0x99, 0x6e, 0x45, 0x8f, 0x36,
	0x13, 0xd0, 0xf1, 0x1d, 0x8c, 0x38, 0x7b, 0x2e, 0xae, 0xb4, 0x30, 0x2a,
	0xee, 0xb0, 0x0d, 0x29, 0x16, 0x12, 0xbb, 0x0c, 0x00 };

static void
valid_signature(void **state)
{
	static const uint8_t data[] = { 0x72 };
	struct wirebuf want = wirebuf_new();
	struct privkey k;
	uint8_t *sig;
	size_t len;

	(void)state;
	assert_int_equal(privkey_of_seed(rfc_seed, &k), 0);
	assert_int_equal(sign_ed25519(k.secret, data, 1, &sig, &len), 0);
	wire_put_text(&want, "ssh-ed25519");
	wire_put_string(&want, rfc_sig, sizeof(rfc_sig));
	assert_int_equal(len, want.len);
	assert_memory_equal(sig, want.p, len);
	assert_int_equal(sign_verify(&k.pub, data, 1, sig, len), 0);
	assert_int_equal(sign_verify(&k.pub, data, 0, sig, len), AAD_ESIG);
	free(sig);
	wirebuf_release(&want);
	privkey_release(&k);
}

static void
valid_any_data(void **state)
{
	static uint8_t data[3000];
	uint8_t seed[32], *sig;
	struct privkey k;
	size_t i, n, len;

	(void)state;
	for (i = 0; i < 100; i++) {
		randombytes_buf(seed, sizeof(seed));
		n = randombytes_uniform(sizeof(data) + 1);
		randombytes_buf(data, n);
		assert_int_equal(privkey_of_seed(seed, &k), 0);
		assert_int_equal(sign_ed25519(k.secret, data, n, &sig, &len),
		    0);
		assert_int_equal(sign_verify(&k.pub, data, n, sig, len), 0);
		free(sig);
		privkey_release(&k);
	}
}

static void
wrong_length_of_a_secret(void **state)
{
	static const size_t lens[] = { 1, 32, 63, 65, 128 };
	uint8_t *sig = (uint8_t *)&state;
	struct secret *s;
	size_t i, len = 1;

	(void)state;
	for (i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		assert_int_equal(secret_new(lens[i], &s), 0);
		assert_int_equal(sign_ed25519(s, (const uint8_t *)"x", 1, &sig,
				     &len),
		    AAD_EARG);
		assert_null(sig);
		assert_int_equal(len, 0);
		secret_free(s);
	}
}

static void
no_memory(void **state)
{
	struct privkey k;
	unsigned int i;
	uint8_t *sig;
	size_t len;
	int r;

	(void)state;
	assert_int_equal(privkey_of_seed(rfc_seed, &k), 0);
	for (i = 1;; i++) {
		fault_arm(FAULT_ALLOC, i, ENOMEM);
		r = sign_ed25519(k.secret, (const uint8_t *)"x", 1, &sig, &len);
		if (!fault_disarm())
			break;
		assert_int_equal(r, AAD_ENOMEM);
		assert_null(sig);
		assert_int_equal(len, 0);
	}
	assert_int_equal(r, 0);
	assert_int_equal(i, 2);
	/* a check asks for none */
	fault_arm(FAULT_ALLOC, 1, ENOMEM);
	r = sign_verify(&k.pub, (const uint8_t *)"x", 1, sig, len);
	assert_false(fault_disarm());
	assert_int_equal(r, 0);
	free(sig);
	privkey_release(&k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(valid_every_kind_of_signer),
		cmocka_unit_test(I_C23_never_sha1),
		cmocka_unit_test(I_D9_algorithm_must_be_the_keys_own),
		cmocka_unit_test(I_D9_another_keys_signature),
		cmocka_unit_test(I_D1_every_damage_of_a_signature),
		cmocka_unit_test(I_D1_every_damage_of_the_data),
		cmocka_unit_test(empty_and_too_long),
		cmocka_unit_test(junk_ecdsa_numbers),
		cmocka_unit_test(ecdsa_numbers_are_below_the_order),
		cmocka_unit_test(
		    boundary_rsa_signature_is_as_long_as_the_modulus),
		cmocka_unit_test(I_C9_unsound_keys_verify_nothing),
		cmocka_unit_test(I_C9_low_order_takes_nothing),
		cmocka_unit_test(a_security_key_says_that_somebody_was_there),
		cmocka_unit_test(wrong_application),
		cmocka_unit_test(I_D9_security_keys_and_others_apart),
		cmocka_unit_test(valid_signature),
		cmocka_unit_test(valid_any_data),
		cmocka_unit_test(wrong_length_of_a_secret),
		cmocka_unit_test(no_memory),
	};

	if (sodium_init() == -1)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
