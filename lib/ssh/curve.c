/* SPDX-License-Identifier: ISC */

#include <gmp.h>
#include <nettle/ecc.h>
#include <nettle/ecc-curve.h>
#include <sodium.h>

#include "ssh/curve.h"

#define E_MAX 8 /* bytes; OpenSSL's bound for large moduli */

static size_t
bit_length(const uint8_t *m, size_t len)
{
	size_t bits = len * 8;
	uint8_t top;

	for (top = m[0]; (top & 0x80) == 0; top = (uint8_t)(top << 1))
		bits--;
	return bits;
}

bool
curve_rsa_sound(const uint8_t *n, size_t nlen, const uint8_t *e, size_t elen,
    unsigned int minbits, unsigned int maxbits, unsigned int *bitsp)
{
	size_t bits;

	*bitsp = 0;
	if (nlen == 0 || n[0] == 0 || nlen > (size_t)maxbits / 8 + 1)
		return false;
	bits = bit_length(n, nlen);
	if (bits < minbits || bits > maxbits || (n[nlen - 1] & 1) == 0)
		return false;
	if (elen == 0 || e[0] == 0 || elen > E_MAX || (e[elen - 1] & 1) == 0)
		return false;
	if (elen == 1 && e[0] < 3)
		return false;
	*bitsp = (unsigned int)bits;
	return true;
}

static const struct ecc_curve *
curve_of(unsigned int bits)
{
	switch (bits) {
	case 256:
		return nettle_get_secp_256r1();
	case 384:
		return nettle_get_secp_384r1();
	case 521:
		return nettle_get_secp_521r1();
	default:
		return NULL;
	}
}

bool
curve_ec_sound(unsigned int bits, const uint8_t *q, size_t qlen)
{
	const struct ecc_curve *curve = curve_of(bits);
	size_t coordinate = ((size_t)bits + 7) / 8;
	struct ecc_point point;
	mpz_t x, y;
	bool ok;

	if (curve == NULL || qlen != 1 + 2 * coordinate || q[0] != 4)
		return false;
	mpz_init(x);
	mpz_init(y);
	mpz_import(x, coordinate, 1, 1, 1, 0, q + 1);
	mpz_import(y, coordinate, 1, 1, 1, 0, q + 1 + coordinate);
	ecc_point_init(&point, curve);
	/* NB. it refuses coordinates >= p, points off the curve, and (0,0). */
	ok = ecc_point_set(&point, x, y) == 1;
	ecc_point_clear(&point);
	mpz_clear(x);
	mpz_clear(y);
	return ok;
}

bool
curve_ed25519_sound(const uint8_t *p, size_t len)
{
	return len == crypto_core_ed25519_BYTES &&
	       crypto_core_ed25519_is_valid_point(p) == 1;
}
