/* SPDX-License-Identifier: ISC */

/*
 * The two signature oracles against each other, over keys and encoded
 * messages that no signing tool makes, and what token_judge() makes of azp.
 */

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nettle/bignum.h>
#include <nettle/knuth-lfib.h>
#include <nettle/sha2.h>
#include <sodium.h>

#include "core/b64.h"
#include "test/tools/forge.h"
#include "test/unit/fault.h"
#include "test/unit/unit.h"
#include "token/token.h"

#define NOW	    INT64_C(1767226200)
#define LEN(a)	    (sizeof(a) / sizeof((a)[0]))
#define SIGNED	    "eyJhbGciOiJSUzI1NiIsImtpZCI6ImsifQ.e30" /* {…} and {} */
#define PRIME_BITS  200 /* small primes are found at once */
#define MODULUS_MAX 520 /* bytes; a little over JWKS_RSA_MAX */
#define PRIMES_MAX  (MODULUS_MAX * 8 / PRIME_BITS + 1)

/* n is a product of many primes: any size of it, and any signature, in no
 * time. */
struct rsa {
	mpz_t n;
	mpz_t d;
	mpz_t primes[PRIMES_MAX];
	size_t nprimes;
	struct jwk pub;
	size_t len; /* bytes of n */
};

static struct knuth_lfib_ctx lfib; /* the same numbers in every run */
static struct forge forge;

static void
random_bits(mpz_t out, unsigned int bits)
{
	uint8_t bytes[MODULUS_MAX + 8];

	knuth_lfib_random(&lfib, sizeof(bytes), bytes);
	nettle_mpz_set_str_256_u(out, sizeof(bytes), bytes);
	mpz_fdiv_r_2exp(out, out, bits);
}

static void
set_number(uint8_t **bytesp, size_t *lenp, const mpz_t x)
{
	*lenp = nettle_mpz_sizeinbase_256_u(x);
	assert_non_null(*bytesp = malloc(*lenp));
	nettle_mpz_get_str_256(*lenp, *bytesp, x);
}

/* A prime from low on for which e has an inverse; into n and lambda. */
static void
add_prime(struct rsa *k, const mpz_t low, const mpz_t e, mpz_t lambda)
{
	mpz_ptr p = k->primes[k->nprimes++];
	mpz_t p1, g;

	assert_true(k->nprimes <= PRIMES_MAX);
	mpz_inits(p1, g, NULL);
	mpz_init_set(p, low);
	do {
		mpz_nextprime(p, p);
		mpz_sub_ui(p1, p, 1);
		mpz_gcd(g, p1, e);
	} while (mpz_cmp_ui(g, 1) != 0);
	mpz_mul(k->n, k->n, p);
	mpz_lcm(lambda, lambda, p1);
	mpz_clears(p1, g, NULL);
}

/* A modulus of exactly so many bits, and an exponent as text in base 10. */
static void
rsa_init(struct rsa *k, unsigned int bits, const char *exponent)
{
	mpz_t e, low, r, lambda;

	memset(&k->pub, 0, sizeof(k->pub));
	k->nprimes = 0;
	snprintf(k->pub.kid, sizeof(k->pub.kid), "k");
	mpz_inits(k->d, low, r, NULL);
	mpz_init_set_ui(k->n, 1);
	mpz_init_set_ui(lambda, 1);
	mpz_init_set_str(e, exponent, 10);
	while (mpz_sizeinbase(k->n, 2) + 2 * PRIME_BITS < bits) {
		random_bits(low, PRIME_BITS - 1);
		mpz_setbit(low, PRIME_BITS - 1);
		add_prime(k, low, e, lambda);
	}
	/* the last one: (2^(bits-1) + r) / n rounded up, r < 2^(bits-3) */
	random_bits(r, bits - 3);
	mpz_setbit(r, bits - 1);
	mpz_cdiv_q(low, r, k->n);
	add_prime(k, low, e, lambda);
	assert_int_equal(mpz_sizeinbase(k->n, 2), bits);
	assert_true(mpz_invert(k->d, e, lambda));
	set_number(&k->pub.n, &k->pub.n_len, k->n);
	set_number(&k->pub.e, &k->pub.e_len, e);
	k->len = k->pub.n_len;
	mpz_clears(e, low, r, lambda, NULL);
}

static void
rsa_release(struct rsa *k)
{
	while (k->nprimes > 0)
		mpz_clear(k->primes[--k->nprimes]);
	mpz_clears(k->n, k->d, NULL);
	free(k->pub.n);
	free(k->pub.e);
}

/*
 * Both oracles on SIGNED with this signature, as jws_split() would hand it
 * over; they must agree.
 */
static int
ask(const struct jwk *key, const uint8_t *sig, size_t len)
{
	struct jws j = { .signed_len = strlen(SIGNED), .sig_len = len };
	char *text, *token;
	int a, b;

	assert_int_equal(b64_encode(B64_URL, sig, len, &text), 0);
	assert_true(asprintf(&token, SIGNED ".%s", text) > 0);
	assert_non_null(j.sig = malloc(len + 1)); /* ASan sees its end */
	memcpy(j.sig, sig, len);
	j.token = token;
	j.token_len = strlen(token);
	a = verify_nettle(key, &j);
	b = verify_jwt(key, &j);
	if (a != b)
		fail_msg("nettle %d, libjwt %d, n of %zu and e of %zu bytes", a,
		    b, key->n_len, key->e_len);
	free(j.sig);
	free(token);
	free(text);
	return a;
}

static int
ask_number(const struct rsa *k, const mpz_t s)
{
	uint8_t sig[MODULUS_MAX];

	if (nettle_mpz_sizeinbase_256_u(s) > k->len)
		return AAD_ESIG; /* does not fit: another test's business */
	nettle_mpz_get_str_256(k->len, sig, s);
	return ask(&k->pub, sig, k->len);
}

/* ---- encoded messages ------------------------------------------------- */

static const uint8_t info256[] = { 0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60,
	0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04,
	0x20 };

/* 00 01 ff … 00 and what follows; the first of it is at the returned byte. */
static size_t
encode(uint8_t *em, size_t len, const void *tail, size_t tail_len)
{
	size_t at = len - tail_len;

	memset(em, 0xff, len);
	em[0] = 0;
	em[1] = 1;
	em[at - 1] = 0;
	memcpy(em + at, tail, tail_len);
	return at;
}

/* DigestInfo and digest of SIGNED. */
static void
digest_info(uint8_t out[static 51])
{
	struct sha256_ctx sha;

	memcpy(out, info256, sizeof(info256));
	sha256_init(&sha);
	sha256_update(&sha, strlen(SIGNED), (const uint8_t *)SIGNED);
	sha256_digest(&sha, 32, out + sizeof(info256));
}

/* em^d modulo one prime after the other: s is right modulo done. */
static void
sign(const struct rsa *k, const uint8_t *em, mpz_t s)
{
	mpz_t m, p1, d, x, done;
	size_t i;

	mpz_inits(m, p1, d, x, NULL);
	mpz_init_set_ui(done, 1);
	nettle_mpz_set_str_256_u(m, k->len, em);
	mpz_set_ui(s, 0);
	for (i = 0; i < k->nprimes; i++) {
		mpz_sub_ui(p1, k->primes[i], 1);
		mpz_mod(d, k->d, p1);
		mpz_powm(x, m, d, k->primes[i]);
		mpz_sub(x, x, s);
		assert_true(mpz_invert(d, done, k->primes[i]));
		mpz_mul(x, x, d);
		mpz_mod(x, x, k->primes[i]);
		mpz_addmul(s, x, done);
		mpz_mul(done, done, k->primes[i]);
	}
	mpz_clears(m, p1, d, x, done, NULL);
}

static int
ask_em(const struct rsa *k, const uint8_t *em)
{
	mpz_t s;
	int r;

	mpz_init(s);
	sign(k, em, s);
	r = ask_number(k, s);
	mpz_clear(s);
	return r;
}

/* Every byte of the one right encoding, changed in three ways. */
static void
every_byte_counts(const struct rsa *k, uint8_t *em, size_t step)
{
	static const uint8_t masks[] = { 0x01, 0x80, 0xff };
	size_t i, m;

	for (i = 0; i < k->len; i += i < 4 || i + 60 > k->len ? 1 : step)
		for (m = 0; m < LEN(masks); m++) {
			/* NB. a message over n would come out as another. */
			if (i == 0 && (em[0] ^ masks[m]) >= k->pub.n[0])
				continue;
			em[i] ^= masks[m];
			assert_int_equal(ask_em(k, em), AAD_ESIG);
			em[i] ^= masks[m];
		}
}

/* Right digest, wrong wrapping: all that lax verifiers have taken. */
static void
odd_encodings(const struct rsa *k)
{
	uint8_t em[MODULUS_MAX], info[51], tail[MODULUS_MAX], zero[32] = { 0 };
	size_t at;

	digest_info(info);
	/* the bare digest */
	encode(em, k->len, info + sizeof(info256), 32);
	assert_int_equal(ask_em(k, em), AAD_ESIG);
	/* no NULL parameters; the lengths made to fit */
	memcpy(tail, info, 15);
	memcpy(tail + 15, info + 17, 34);
	tail[1] = 0x2f;
	tail[3] = 0x0b;
	encode(em, k->len, tail, 49);
	assert_int_equal(ask_em(k, em), AAD_ESIG);
	/* lengths in long form */
	tail[0] = 0x30;
	tail[1] = 0x81;
	memcpy(tail + 2, info + 1, 50);
	encode(em, k->len, tail, 52);
	assert_int_equal(ask_em(k, em), AAD_ESIG);
	/* SHA-384's, SHA-512's, SHA-224's and SHA-1's name over our digest */
	for (tail[0] = 0; tail[0] < 16; tail[0]++) {
		at = encode(em, k->len, info, sizeof(info));
		em[at + 14] = tail[0];
		assert_int_equal(ask_em(k, em), tail[0] == 1 ? 0 : AAD_ESIG);
	}
	/* the digest of nothing, and none */
	memcpy(tail, info256, sizeof(info256));
	memcpy(tail + sizeof(info256), zero, 32);
	encode(em, k->len, tail, 51);
	assert_int_equal(ask_em(k, em), AAD_ESIG);
	encode(em, k->len, info256, sizeof(info256));
	assert_int_equal(ask_em(k, em), AAD_ESIG);
	/* short padding, at the front or the end, zeros for the rest */
	memset(em, 0, k->len);
	memset(em + 2, 0xff, 8);
	em[1] = 1;
	memcpy(em + 11, info, sizeof(info));
	assert_int_equal(ask_em(k, em), AAD_ESIG);
	memset(em, 0, k->len);
	em[k->len - 61] = 1;
	memset(em + k->len - 60, 0xff, 8);
	memcpy(em + k->len - 51, info, sizeof(info));
	assert_int_equal(ask_em(k, em), AAD_ESIG);
	/* a zero within the padding, and no zero behind it */
	encode(em, k->len, info, sizeof(info));
	em[20] = 0;
	assert_int_equal(ask_em(k, em), AAD_ESIG);
	em[20] = 0xff;
	em[k->len - 52] = 0xff;
	assert_int_equal(ask_em(k, em), AAD_ESIG);
	/* one byte to the right, one to the left */
	memmove(em + 1, em, k->len - 1);
	assert_int_equal(ask_em(k, em), AAD_ESIG);
	encode(em, k->len, info, sizeof(info));
	em[k->len - 52] = 0;
	memmove(em + k->len - 53, em + k->len - 52, 52);
	em[k->len - 1] = 0;
	assert_int_equal(ask_em(k, em), AAD_ESIG);
}

/* Numbers next to the signature, and next to the modulus. */
static void
odd_numbers(const struct rsa *k, const mpz_t s)
{
	mpz_t x;
	int i;

	mpz_init_set(x, s);
	/* s + n, s + 2n …: where n's top byte is small they fit */
	for (i = 0; i < 300; i++) {
		mpz_add(x, x, k->n);
		if (nettle_mpz_sizeinbase_256_u(x) > k->len)
			break;
		assert_int_equal(ask_number(k, x), AAD_ESIG);
	}
	assert_true(i > 0 || k->pub.n[0] >= 0x80);
	mpz_sub(x, k->n, s);
	assert_int_equal(ask_number(k, x), AAD_ESIG);
	mpz_add_ui(x, s, 1);
	assert_int_equal(ask_number(k, x), AAD_ESIG);
	mpz_sub_ui(x, s, 1);
	assert_int_equal(ask_number(k, x), AAD_ESIG);
	mpz_set(x, k->n);
	assert_int_equal(ask_number(k, x), AAD_ESIG);
	mpz_sub_ui(x, k->n, 1);
	assert_int_equal(ask_number(k, x), AAD_ESIG);
	mpz_add_ui(x, k->n, 1);
	assert_int_equal(ask_number(k, x), AAD_ESIG);
	mpz_set_ui(x, 0);
	assert_int_equal(ask_number(k, x), AAD_ESIG);
	mpz_set_ui(x, 1);
	assert_int_equal(ask_number(k, x), AAD_ESIG);
	mpz_gcd(x, k->n, s); /* 1, or a divisor of n */
	assert_int_equal(ask_number(k, x), AAD_ESIG);
	mpz_clear(x);
}

/* The right number with a byte less or more on either side. */
static void
odd_lengths(const struct rsa *k, const mpz_t s)
{
	uint8_t sig[MODULUS_MAX + 2] = { 0 };

	nettle_mpz_get_str_256(k->len, sig + 1, s);
	assert_int_equal(ask(&k->pub, sig + 1, k->len), 0);
	assert_int_equal(ask(&k->pub, sig, k->len + 1), AAD_ESIG);
	assert_int_equal(ask(&k->pub, sig + 1, k->len + 1), AAD_ESIG);
	assert_int_equal(ask(&k->pub, sig + 1, k->len - 1), AAD_ESIG);
	assert_int_equal(ask(&k->pub, sig + 2, k->len - 1), AAD_ESIG);
}

#define E64	 "18446744073709551557" /* the last prime below 2^64 */
#define E63	 "9223372036854775837" /* 2^63 + 29 */
#define E_FERMAT "65537"

/* Sizes that are no multiple of eight, both ends, exponents of 1 to 8 bytes. */
static void
I_D1_oracles_over_sound_keys(void **state)
{
	static const struct {
		unsigned int bits;
		const char *e;
		size_t step; /* through the padding's bytes */
	} keys[] = { { 2048, E_FERMAT, 1 }, { 2048, "3", 16 },
		{ 2048, E64, 64 }, { 2049, E_FERMAT, 16 }, { 2049, "3", 64 },
		{ 2050, "5", 64 }, { 2055, "17", 64 }, { 2056, "257", 64 },
		{ 3071, E63, 64 }, { 3072, E64, 64 }, { 3073, E64, 64 },
		{ 3080, "3", 64 }, { 4089, E_FERMAT, 256 },
		{ 4095, "4294967311", 256 }, { 4096, E_FERMAT, 256 },
		{ 4096, "3", 256 }, { 4096, E64, 256 } };
	uint8_t em[MODULUS_MAX], info[51];
	struct rsa k;
	size_t i;
	mpz_t s;

	(void)state;
	digest_info(info);
	for (i = 0; i < LEN(keys); i++) {
		rsa_init(&k, keys[i].bits, keys[i].e);
		encode(em, k.len, info, sizeof(info));
		assert_int_equal(ask_em(&k, em), 0);
		every_byte_counts(&k, em, keys[i].step);
		odd_encodings(&k);
		mpz_init(s);
		encode(em, k.len, info, sizeof(info));
		sign(&k, em, s);
		odd_numbers(&k, s);
		odd_lengths(&k, s);
		mpz_clear(s);
		rsa_release(&k);
	}
}

/* A right signature by a key that is none of ours. */
static void
II_T6_oracles_over_unsound_keys(void **state)
{
	static const struct {
		unsigned int bits;
		const char *e;
	} keys[] = { { 1024, E_FERMAT }, { 2040, E_FERMAT }, { 2047, E_FERMAT },
		{ 2047, "3" }, { 4097, E_FERMAT }, { 4104, "3" }, { 2048, "1" },
		{ 2048, "18446744073709551629" } };
	uint8_t em[MODULUS_MAX], info[51];
	struct rsa k;
	size_t i;

	(void)state;
	digest_info(info);
	for (i = 0; i < LEN(keys); i++) {
		rsa_init(&k, keys[i].bits, keys[i].e);
		encode(em, k.len, info, sizeof(info));
		assert_int_equal(ask_em(&k, em), AAD_EPERM);
		rsa_release(&k);
	}
}

/* Numbers that make no key, or a strange one: the same answer from both. */
static void
II_T6_oracles_over_random_keys(void **state)
{
	size_t i, permitted = 0;
	uint8_t sig[MODULUS_MAX], size[8];
	struct jwk k;
	mpz_t n;
	int r;

	(void)state;
	mpz_init(n);
	for (i = 0; i < 400; i++) {
		memset(&k, 0, sizeof(k));
		knuth_lfib_random(&lfib, sizeof(size), size);
		random_bits(n, (i % 2 ? 2040U : 4090U) + size[0] % 12);
		if (size[1] % 8 != 0)
			mpz_setbit(n, 0);
		set_number(&k.n, &k.n_len, n);
		k.e_len = 1 + size[2] % 9;
		assert_non_null(k.e = malloc(k.e_len));
		knuth_lfib_random(&lfib, k.e_len, k.e);
		if (size[3] % 4 == 0)
			k.e[0] = 0;
		if (size[3] % 8 > 2)
			k.e[k.e_len - 1] |= 1;
		knuth_lfib_random(&lfib, sizeof(sig), sig);
		r = ask(&k, sig, k.n_len);
		assert_true(r == AAD_EPERM || r == AAD_ESIG);
		permitted += r == AAD_ESIG;
		free(k.n);
		free(k.e);
	}
	assert_true(permitted > 50 && permitted < 350);
	mpz_clear(n);
}

/* ---- azp -------------------------------------------------------------- */

static enum reason
judge(const char *extra, const char *client)
{
	struct token_expect want = { .issuer = FORGE_ISSUER,
		.audience = FORGE_CLIENT,
		.client = client,
		.tenant = FORGE_TENANT,
		.now = NOW,
		.oracles = { verify_jwt, verify_nettle },
		.noracles = 2 };
	char *claims = forge_claims(FORGE_OID, "alice@contoso.com", NOW,
	    NOW + 3600, extra);
	char *token = forge_token(&forge, NULL, claims);
	struct jwks *keys = forge_jwks(&forge, NOW, 2);
	struct claims *c;
	enum reason why;
	int r;

	r = token_judge(token, strlen(token), keys, &want, &c, NULL, &why);
	assert_int_equal(r, why == AAD_R_ALLOWED ? 0 : AAD_EREFUSED);
	assert_int_equal(r == 0, c != NULL);
	claims_free(c);
	jwks_free(keys);
	free(token);
	free(claims);
	return why;
}

#define API "0d93e6f1-8b2a-4c71-a6e5-f4470b1c29ea"

/* An access token that another application got for ours has our aud. */
static void
II_T10_asked_for_by_another_application(void **state)
{
	static const struct {
		const char *extra;
		const char *client;
		enum reason why;
	} cases[] = { { "", NULL, AAD_R_ALLOWED }, { "", API, AAD_R_ALLOWED },
		{ ",\"azp\":\"" FORGE_CLIENT "\"", NULL, AAD_R_ALLOWED },
		{ ",\"azp\":\"" API "\"", API, AAD_R_ALLOWED },
		{ ",\"azp\":\"" API "\"", NULL, AAD_R_TOKEN_AUDIENCE },
		{ ",\"azp\":\"" FORGE_CLIENT "\"", API, AAD_R_TOKEN_AUDIENCE },
		{ ",\"azp\":\"" API "\",\"azpacr\":\"0\",\"scp\":\"Ssh.Login\"",
		    NULL, AAD_R_TOKEN_AUDIENCE },
		{ ",\"azp\":\"\"", NULL, AAD_R_TOKEN_AUDIENCE },
		{ ",\"azp\":\"" FORGE_CLIENT "0\"", NULL,
		    AAD_R_TOKEN_AUDIENCE },
		{ ",\"azp\":null", NULL, AAD_R_TOKEN_CLAIMS },
		{ ",\"azp\":1", NULL, AAD_R_TOKEN_CLAIMS },
		{ ",\"azp\":[\"" FORGE_CLIENT "\"]", NULL, AAD_R_TOKEN_CLAIMS },
		{ ",\"AZP\":\"" API "\"", NULL, AAD_R_TOKEN_CLAIMS } };
	size_t i;

	(void)state;
	for (i = 0; i < LEN(cases); i++)
		if (judge(cases[i].extra, cases[i].client) != cases[i].why)
			fail_msg("%s", cases[i].extra);
}

/* ---- memory short ----------------------------------------------------- */

/* Ours, and jansson's inside libjwt: lack of memory is no bad signature. */
static void
II_K9_no_memory_is_no_refusal(void **state)
{
	uint8_t em[MODULUS_MAX], info[51], sig[MODULUS_MAX];
	struct jws j = { .signed_len = strlen(SIGNED), .sig = sig };
	unsigned int n;
	char *text, *token;
	struct rsa k;
	mpz_t s;
	bool hit;
	int r;

	(void)state;
	digest_info(info);
	rsa_init(&k, 2048, E_FERMAT);
	encode(em, k.len, info, sizeof(info));
	mpz_init(s);
	sign(&k, em, s);
	nettle_mpz_get_str_256(k.len, sig, s);
	j.sig_len = k.len;
	assert_int_equal(b64_encode(B64_URL, sig, k.len, &text), 0);
	assert_true(asprintf(&token, SIGNED ".%s", text) > 0);
	j.token = token;
	j.token_len = strlen(token);
	for (n = 1, hit = true; hit; n++) {
		fault_arm(FAULT_ALLOC, n, ENOMEM);
		r = verify_jwt(&k.pub, &j);
		hit = fault_disarm();
		assert_int_equal(r, hit ? AAD_ENOMEM : 0);
	}
	assert_true(n > 10);
	/* a bad one stays a bad one after a short one */
	token[strlen(token) - 9] ^= 1;
	assert_int_equal(verify_jwt(&k.pub, &j), AAD_ESIG);
	free(token);
	free(text);
	mpz_clear(s);
	rsa_release(&k);
}

/*
 * Strings of every length around the sizes by which jansson's buffer grows:
 * one that loses its closing quote would be copied past its end, and this
 * before any signature is looked at.
 */
static void
II_T15_no_memory_within_a_string(void **state)
{
	struct jwks *keys = forge_jwks(&forge, NOW, 0);
	char claims[256], *token;
	enum reason why;
	struct jws j;
	unsigned int n;
	bool hit;
	int len, r;

	(void)state;
	for (len = 8; len < 140; len++) {
		snprintf(claims, sizeof(claims),
		    "{\"x\":[{\"%0*d\":\"%0*d\"}]}", len, 0, 140 - len, 0);
		token = forge_token(&forge, NULL, claims);
		assert_int_equal(jws_split(token, strlen(token), &j, &why), 0);
		for (n = 1, hit = true; hit; n++) {
			fault_arm(FAULT_ALLOC, n, ENOMEM);
			r = verify_jwt(&keys->keys[0], &j);
			hit = fault_disarm();
			assert_int_equal(r, hit ? AAD_ENOMEM : 0);
		}
		assert_true(n > 20);
		jws_release(&j);
		free(token);
	}
	jwks_free(keys);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(I_D1_oracles_over_sound_keys),
		cmocka_unit_test(II_T6_oracles_over_unsound_keys),
		cmocka_unit_test(II_T6_oracles_over_random_keys),
		cmocka_unit_test(II_T10_asked_for_by_another_application),
		cmocka_unit_test(II_K9_no_memory_is_no_refusal),
		cmocka_unit_test(II_T15_no_memory_within_a_string),
	};
	int failed;

	if (sodium_init() == -1)
		return 1;
	knuth_lfib_init(&lfib, 4711);
	forge_init(&forge, 1);
	failed = cmocka_run_group_tests_name("verify", tests, NULL, NULL);
	forge_release(&forge);
	return failed;
}
