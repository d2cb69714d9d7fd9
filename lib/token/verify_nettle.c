/* SPDX-License-Identifier: ISC */

#include <nettle/bignum.h>
#include <nettle/rsa.h>
#include <nettle/sha2.h>

#include "token/verify.h"

/* Whether the numbers make a key that may verify anything. */
static int
key_sound(struct rsa_public_key *pub)
{
	size_t bits = mpz_sizeinbase(pub->n, 2);

	if (bits < JWKS_RSA_MIN || bits > JWKS_RSA_MAX || mpz_even_p(pub->n) ||
	    mpz_even_p(pub->e) || mpz_cmp_ui(pub->e, 3) < 0 ||
	    mpz_cmp(pub->e, pub->n) >= 0)
		return 0;
	/* NB. after a refused prepare nettle would abort in verify. */
	return rsa_public_key_prepare(pub);
}

int
verify_nettle(const struct jwk *key, const struct jws *j)
{
	struct rsa_public_key pub;
	struct sha256_ctx sha;
	mpz_t sig;
	int r;

	if (key == NULL || key->n_len == 0 || key->e_len == 0 ||
	    key->e_len > JWKS_E_MAX || key->n[0] == 0 || key->e[0] == 0)
		return AAD_EPERM;
	rsa_public_key_init(&pub);
	nettle_mpz_set_str_256_u(pub.n, key->n_len, key->n);
	nettle_mpz_set_str_256_u(pub.e, key->e_len, key->e);
	if (!key_sound(&pub)) {
		r = AAD_EPERM;
	} else if (j->sig_len != pub.size) {
		r = AAD_ESIG;
	} else {
		sha256_init(&sha);
		sha256_update(&sha, j->signed_len, (const uint8_t *)j->token);
		nettle_mpz_init_set_str_256_u(sig, j->sig_len, j->sig);
		r = rsa_sha256_verify(&pub, &sha, sig) == 1 ? 0 : AAD_ESIG;
		mpz_clear(sig);
	}
	rsa_public_key_clear(&pub);
	return r;
}
