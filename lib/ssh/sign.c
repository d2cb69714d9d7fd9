/* SPDX-License-Identifier: ISC */

#include <stdbool.h>
#include <string.h>

#include <gmp.h>
#include <nettle/ecc-curve.h>
#include <nettle/ecdsa.h>
#include <nettle/rsa.h>
#include <nettle/sha2.h>
#include <sodium.h>

#include "ssh/sign.h"
#include "ssh/wire.h"

#define SK_USER_PRESENT 0x01 /* PROTOCOL.u2f, flags */

/* Some bytes, borrowed. */
struct part {
	const uint8_t *p;
	size_t len;
};

/*
 * key: behind the name of its type.  sig: the string behind the algorithm's
 * name.  Whether it is good.
 */
typedef bool good_fn(struct wire key, struct part data, struct part sig);

static good_fn ed25519_good, p256_good, p384_good, p521_good, rsa_256_good,
    rsa_512_good;

static const struct algorithm {
	enum key_kind kind;
	const char *name;
	good_fn *good;
	unsigned int fields; /* of the key, before a security key's own */
	bool sk;
} algorithms[] = {
	{ KEY_ED25519, "ssh-ed25519", ed25519_good, 1, false },
	{ KEY_ECDSA_256, "ecdsa-sha2-nistp256", p256_good, 2, false },
	{ KEY_ECDSA_384, "ecdsa-sha2-nistp384", p384_good, 2, false },
	{ KEY_ECDSA_521, "ecdsa-sha2-nistp521", p521_good, 2, false },
	/* NB. never "ssh-rsa", which is SHA-1. */
	{ KEY_RSA, "rsa-sha2-256", rsa_256_good, 2, false },
	{ KEY_RSA, "rsa-sha2-512", rsa_512_good, 2, false },
	{ KEY_SK_ED25519, "sk-ssh-ed25519@openssh.com", ed25519_good, 1, true },
	{ KEY_SK_ECDSA_256, "sk-ecdsa-sha2-nistp256@openssh.com", p256_good, 2,
	    true },
};

#define NALGORITHMS (sizeof(algorithms) / sizeof(algorithms[0]))

int
sign_ed25519(struct secret *secret, const uint8_t *data, size_t len,
    uint8_t **sigp, size_t *siglenp)
{
	struct wirebuf b = wirebuf_new();
	uint8_t raw[crypto_sign_BYTES];

	*sigp = NULL;
	*siglenp = 0;
	if (secret_len(secret) != crypto_sign_SECRETKEYBYTES)
		return AAD_EARG;
	crypto_sign_detached(raw, NULL, data, len, secret_bytes(secret));
	wire_put_text(&b, "ssh-ed25519");
	wire_put_string(&b, raw, sizeof(raw));
	return wirebuf_take(&b, sigp, siglenp);
}

static bool
string(struct wire *w, struct part *out)
{
	return wire_string(w, &out->p, &out->len) == 0;
}

/* RFC 8709 s.6; libsodium refuses keys and points of low order. */
static bool
ed25519_good(struct wire key, struct part data, struct part sig)
{
	struct part q;

	return string(&key, &q) && q.len == crypto_sign_PUBLICKEYBYTES &&
	       sig.len == crypto_sign_BYTES &&
	       crypto_sign_verify_detached(sig.p, data.p, data.len, q.p) == 0;
}

static void
import(mpz_t n, const uint8_t *p, size_t len)
{
	mpz_import(n, len, 1, 1, 1, 0, p);
}

/* A magnitude of at most size bytes into n, which is initialized. */
static bool
number(struct wire *w, size_t size, mpz_t n)
{
	const uint8_t *p;
	size_t len;

	if (wire_mpint(w, &p, &len) != 0 || len > size)
		return false;
	import(n, p, len);
	return true;
}

/* The key's point (SEC 1 s.2.3.4) on its curve; size: of a coordinate. */
static bool
read_point(struct wire *key, size_t size, struct ecc_point *point)
{
	struct part curve, q;
	mpz_t x, y;
	bool good;

	if (!string(key, &curve) || !string(key, &q) || q.len != 1 + 2 * size ||
	    q.p[0] != 4)
		return false;
	mpz_init(x);
	mpz_init(y);
	import(x, q.p + 1, size);
	import(y, q.p + 1 + size, size);
	good = ecc_point_set(point, x, y) == 1;
	mpz_clear(x);
	mpz_clear(y);
	return good;
}

/* RFC 5656 s.3.1.2: mpint r, mpint s. */
static bool
ecdsa_good(const struct ecc_curve *curve, size_t size, struct wire key,
    struct part hash, struct part sig)
{
	struct wire w = wire_of(sig.p, sig.len);
	struct dsa_signature rs;
	struct ecc_point point;
	bool good;

	ecc_point_init(&point, curve);
	dsa_signature_init(&rs);
	/* NB. nettle refuses what is not in 1..n-1. */
	good = read_point(&key, size, &point) && number(&w, size, rs.r) &&
	       number(&w, size, rs.s) && wire_end(&w) &&
	       ecdsa_verify(&point, hash.len, hash.p, &rs) == 1;
	dsa_signature_clear(&rs);
	ecc_point_clear(&point);
	return good;
}

static bool
p256_good(struct wire key, struct part data, struct part sig)
{
	uint8_t digest[crypto_hash_sha256_BYTES];
	const struct part hash = { digest, sizeof(digest) };

	crypto_hash_sha256(digest, data.p, data.len);
	return ecdsa_good(nettle_get_secp_256r1(), 32, key, hash, sig);
}

static bool
p384_good(struct wire key, struct part data, struct part sig)
{
	uint8_t digest[SHA384_DIGEST_SIZE];
	const struct part hash = { digest, sizeof(digest) };
	struct sha384_ctx ctx;

	sha384_init(&ctx);
	sha384_update(&ctx, data.len, data.p);
	sha384_digest(&ctx, sizeof(digest), digest);
	return ecdsa_good(nettle_get_secp_384r1(), 48, key, hash, sig);
}

static bool
p521_good(struct wire key, struct part data, struct part sig)
{
	uint8_t digest[crypto_hash_sha512_BYTES];
	const struct part hash = { digest, sizeof(digest) };

	crypto_hash_sha512(digest, data.p, data.len);
	return ecdsa_good(nettle_get_secp_521r1(), 66, key, hash, sig);
}

/* RFC 8332 s.3.  verify: nettle's function for the digest's hash. */
static bool
rsa_good(struct wire key, const uint8_t *digest, struct part sig,
    int (*verify)(const struct rsa_public_key *, const uint8_t *, const mpz_t))
{
	struct rsa_public_key pub;
	bool good;
	mpz_t s;

	rsa_public_key_init(&pub);
	mpz_init(s);
	import(s, sig.p, sig.len);
	/* NB. after a refused prepare nettle would abort in verify. */
	good = number(&key, KEY_RSA_MAX / 8, pub.e) &&
	       number(&key, KEY_RSA_MAX / 8, pub.n) &&
	       rsa_public_key_prepare(&pub) == 1 && sig.len == pub.size &&
	       verify(&pub, digest, s) == 1;
	mpz_clear(s);
	rsa_public_key_clear(&pub);
	return good;
}

static bool
rsa_256_good(struct wire key, struct part data, struct part sig)
{
	uint8_t digest[crypto_hash_sha256_BYTES];

	crypto_hash_sha256(digest, data.p, data.len);
	return rsa_good(key, digest, sig, rsa_sha256_verify_digest);
}

static bool
rsa_512_good(struct wire key, struct part data, struct part sig)
{
	uint8_t digest[crypto_hash_sha512_BYTES];

	crypto_hash_sha512(digest, data.p, data.len);
	return rsa_good(key, digest, sig, rsa_sha512_verify_digest);
}

/*
 * PROTOCOL.u2f: what a security key signs instead of the data: the hash of
 * its application, flags and counter as they stand in the signature, and the
 * data's hash.
 */
#define SK_DATA_LEN (32 + 1 + 4 + 32)

static bool
sk_data(const struct algorithm *a, struct wire key, struct part data,
    struct wire *sig, uint8_t out[static SK_DATA_LEN])
{
	struct part unused, application;
	unsigned int i;

	for (i = 0; i < a->fields; i++)
		if (!string(&key, &unused))
			return false;
	if (!string(&key, &application) || sig->left != 5 ||
	    (sig->p[0] & SK_USER_PRESENT) == 0)
		return false;
	crypto_hash_sha256(out, application.p, application.len);
	memcpy(out + 32, sig->p, 5);
	crypto_hash_sha256(out + 37, data.p, data.len);
	*sig = wire_of(sig->p + 5, 0);
	return true;
}

static const struct algorithm *
algorithm_of(enum key_kind kind, struct wire *sig)
{
	size_t i;

	for (i = 0; i < NALGORITHMS; i++)
		if (algorithms[i].kind == kind &&
		    wire_is(sig, algorithms[i].name))
			return &algorithms[i];
	return NULL;
}

int
sign_verify(const struct key *k, const uint8_t *data, size_t len,
    const uint8_t *sig, size_t siglen)
{
	struct wire key, w = wire_of(sig, siglen);
	struct part what = { data, len }, raw;
	const struct algorithm *a;
	uint8_t instead[SK_DATA_LEN];

	if (k->blob == NULL || siglen > SIGN_MAX)
		return AAD_ESIG;
	key = wire_of(k->blob, k->blob_len);
	if (!wire_is(&key, key_type_name(k)) ||
	    (a = algorithm_of(k->kind, &w)) == NULL || !string(&w, &raw))
		return AAD_ESIG;
	if (a->sk) {
		if (!sk_data(a, key, what, &w, instead))
			return AAD_ESIG;
		what.p = instead;
		what.len = sizeof(instead);
	}
	return wire_end(&w) && a->good(key, what, raw) ? 0 : AAD_ESIG;
}
