/* SPDX-License-Identifier: ISC */

/*
 * curve: is this public key sound?  The checks that neither sshd nor the
 * wire format make for us, over nettle and libsodium.
 */

#ifndef AAD_CURVE_H
#define AAD_CURVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * RSA: e odd and >= 3 and of at most 64 bits, n odd, minbits <= n <= maxbits.
 * Big-endian magnitudes without leading zero bytes.
 */
bool curve_rsa_sound(const uint8_t *n, size_t nlen, const uint8_t *e,
    size_t elen, unsigned int minbits, unsigned int maxbits,
    unsigned int *bitsp);

/*
 * An uncompressed point (SEC 1 s.2.3.4: 04 || X || Y) on P-256, P-384 or
 * P-521 (bits), not the point at infinity.
 */
bool curve_ec_sound(unsigned int bits, const uint8_t *q, size_t qlen);

/* 32 bytes: canonical, on the curve, in the main subgroup (RFC 8032). */
bool curve_ed25519_sound(const uint8_t *p, size_t len);

#endif /* AAD_CURVE_H */
