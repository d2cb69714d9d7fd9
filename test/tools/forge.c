/* SPDX-License-Identifier: ISC */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nettle/bignum.h>
#include <nettle/knuth-lfib.h>
#include <nettle/sha2.h>

#include "core/b64.h"
#include "test/tools/forge.h"

#define BITS 2048

/* NB. a generator for tests: the same seed gives the same key. */
static void
lfib(void *ctx, size_t n, uint8_t *out)
{
	knuth_lfib_random(ctx, n, out);
}

void
forge_init(struct forge *f, unsigned int seed)
{
	struct knuth_lfib_ctx ctx;

	knuth_lfib_init(&ctx, seed);
	rsa_public_key_init(&f->pub);
	rsa_private_key_init(&f->key);
	mpz_set_ui(f->pub.e, 65537);
	if (!rsa_generate_keypair(&f->pub, &f->key, &ctx, lfib, NULL, NULL,
		BITS, 0))
		abort();
	snprintf(f->kid, sizeof(f->kid), "forged-key-%u", seed);
}

void
forge_release(struct forge *f)
{
	rsa_public_key_clear(&f->pub);
	rsa_private_key_clear(&f->key);
}

static char *
encode(const uint8_t *p, size_t len)
{
	char *out;

	if (b64_encode(B64_URL, p, len, &out) != 0)
		abort();
	return out;
}

char *
forge_token(struct forge *f, const char *header, const char *claims)
{
	char plain[96], *parts[3], *out;
	struct sha256_ctx sha;
	uint8_t sig[BITS / 8];
	size_t size, n;
	mpz_t s;

	if (header == NULL) {
		snprintf(plain, sizeof(plain),
		    "{\"typ\":\"JWT\",\"alg\":\"RS256\",\"kid\":\"%s\"}",
		    f->kid);
		header = plain;
	}
	parts[0] = encode((const uint8_t *)header, strlen(header));
	parts[1] = encode((const uint8_t *)claims, strlen(claims));
	size = strlen(parts[0]) + strlen(parts[1]) + 400;
	if ((out = malloc(size)) == NULL)
		abort();
	n = (size_t)snprintf(out, size, "%s.%s", parts[0], parts[1]);
	sha256_init(&sha);
	sha256_update(&sha, n, (const uint8_t *)out);
	mpz_init(s);
	if (!rsa_sha256_sign(&f->key, &sha, s))
		abort();
	nettle_mpz_get_str_256(sizeof(sig), sig, s);
	mpz_clear(s);
	parts[2] = encode(sig, sizeof(sig));
	snprintf(out + n, size - n, ".%s", parts[2]);
	free(parts[0]);
	free(parts[1]);
	free(parts[2]);
	return out;
}

char *
forge_claims(const char *oid, const char *upn, int64_t iat, int64_t exp,
    const char *extra)
{
	size_t size = strlen(extra) + 1024;
	char *out = malloc(size);

	if (out == NULL)
		abort();
	snprintf(out, size,
	    "{\"aud\":\"" FORGE_CLIENT "\",\"iss\":\"" FORGE_ISSUER
	    "\",\"iat\":%" PRId64 ",\"nbf\":%" PRId64 ",\"exp\":%" PRId64
	    ",\"oid\":\"%s\",\"preferred_username\":\"%s\",\"roles\":"
	    "[\"ssh.user\"],\"tid\":\"" FORGE_TENANT
	    "\",\"uti\":\"s7nTheTiCuTi0AAAAAAAAA\",\"ver\":\"2.0\"%s}",
	    iat, iat, exp, oid, upn, extra);
	return out;
}

/* Fill one row; the modulus of another key is n + 2 * i: odd, unused. */
static void
fill(struct jwk *k, struct forge *f, size_t i, const char *kid)
{
	static const uint8_t e[] = { 1, 0, 1 };
	mpz_t n;

	snprintf(k->kid, sizeof(k->kid), "%s", kid);
	mpz_init_set(n, f->pub.n);
	mpz_add_ui(n, n, 2 * (unsigned long)i);
	k->n_len = BITS / 8;
	if ((k->n = malloc(k->n_len)) == NULL ||
	    (k->e = malloc(sizeof(e))) == NULL)
		abort();
	nettle_mpz_get_str_256(k->n_len, k->n, n);
	memcpy(k->e, e, sizeof(e));
	k->e_len = sizeof(e);
	mpz_clear(n);
}

struct jwks *
forge_jwks(struct forge *f, int64_t fetched_at, size_t nother)
{
	struct jwks *s = calloc(1, sizeof(*s));
	char kid[40];
	size_t i;

	if (s == NULL || (s->issuer = strdup(FORGE_ISSUER)) == NULL ||
	    (s->keys = calloc(nother + 1, sizeof(*s->keys))) == NULL)
		abort();
	for (i = 0; i < nother; i++) {
		snprintf(kid, sizeof(kid), "another-key-%zu", i);
		fill(&s->keys[i], f, i + 1, kid);
	}
	fill(&s->keys[nother], f, 0, f->kid);
	s->n = nother + 1;
	s->fetched_at = fetched_at;
	return s;
}
