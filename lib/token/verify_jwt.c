/* SPDX-License-Identifier: ISC */

/*
 * libjwt as a signature oracle, and as nothing else.  What it accepts by
 * itself is far too much (no key, HMAC with the public key, lax base64), so
 * it sees only what the guard let through, with a key that we built, and
 * its yes counts only when it says RS256 afterwards too.
 */

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <jwt.h>
#include <sodium.h>

#include "core/b64.h"
#include "core/strictjson.h"
#include "token/verify.h"

#ifdef JWT_VERSION_MAJOR
#error "libjwt 3 has another interface; write verify_jwt3.c for it"
#endif

#define DER_MAX 1024 /* bytes; a 4096 bit key has 550 */

/* rsaEncryption with NULL parameters (RFC 8017 A.1, RFC 5280 s.4.1.2.7). */
static const uint8_t algorithm[] = { 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48,
	0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00 };

/* DER is written from its end to its start, so that lengths are known. */
struct der {
	uint8_t buf[DER_MAX];
	size_t at; /* the first byte written so far */
};

static int
der_bytes(struct der *d, const uint8_t *p, size_t len)
{
	if (len > d->at)
		return AAD_ETOOBIG;
	d->at -= len;
	memcpy(d->buf + d->at, p, len);
	return 0;
}

static int
der_byte(struct der *d, uint8_t b)
{
	return der_bytes(d, &b, 1);
}

/* Tag and length of what was written since end. */
static int
der_wrap(struct der *d, uint8_t tag, size_t end)
{
	size_t len = end - d->at;
	int r;

	if (len < 0x80)
		return (r = der_byte(d, (uint8_t)len)) != 0 ? r
							    : der_byte(d, tag);
	if ((r = der_byte(d, (uint8_t)(len & 0xff))) != 0 ||
	    (r = der_byte(d, (uint8_t)(len >> 8))) != 0 ||
	    (r = der_byte(d, 0x82)) != 0)
		return r;
	return der_byte(d, tag);
}

static int
der_integer(struct der *d, const uint8_t *p, size_t len)
{
	size_t end = d->at;
	int r;

	if ((r = der_bytes(d, p, len)) != 0 ||
	    ((p[0] & 0x80) != 0 && (r = der_byte(d, 0)) != 0))
		return r;
	return der_wrap(d, 0x02, end);
}

/*
 * SubjectPublicKeyInfo of n and e.  NB. der_wrap() writes a two byte length
 * for 128..255 too; no structure here is of that size.
 */
static int
der_key(struct der *d, const struct jwk *key)
{
	size_t end = sizeof(d->buf);
	int r;

	d->at = end;
	if ((r = der_integer(d, key->e, key->e_len)) != 0 ||
	    (r = der_integer(d, key->n, key->n_len)) != 0 ||
	    (r = der_wrap(d, 0x30, end)) != 0 || (r = der_byte(d, 0)) != 0 ||
	    (r = der_wrap(d, 0x03, end)) != 0 ||
	    (r = der_bytes(d, algorithm, sizeof(algorithm))) != 0)
		return r;
	return der_wrap(d, 0x30, end);
}

/* RFC 7468: the same as text, lines of 64. */
static int
pem_key(const struct jwk *key, char **outp)
{
	static const char head[] = "-----BEGIN PUBLIC KEY-----\n";
	static const char tail[] = "-----END PUBLIC KEY-----\n";
	struct der d;
	char *text = NULL, *p;
	size_t len, i;
	int r;

	*outp = NULL;
	if ((r = der_key(&d, key)) != 0 ||
	    (r = b64_encode(B64_STD, d.buf + d.at, sizeof(d.buf) - d.at,
		 &text)) != 0)
		return r;
	len = strlen(text);
	p = malloc(sizeof(head) + len + len / 64 + 1 + sizeof(tail));
	if (p == NULL) {
		free(text);
		return AAD_ENOMEM;
	}
	*outp = p;
	memcpy(p, head, sizeof(head) - 1);
	p += sizeof(head) - 1;
	for (i = 0; i < len; i++) {
		*p++ = text[i];
		if (i % 64 == 63 || i + 1 == len)
			*p++ = '\n';
	}
	memcpy(p, tail, sizeof(tail));
	free(text);
	return 0;
}

/* Bits of a big-endian number without leading zero byte. */
static size_t
bits(const uint8_t *p, size_t len)
{
	size_t n = len * 8;
	uint8_t mask;

	for (mask = 0x80; mask != 0 && (p[0] & mask) == 0; mask >>= 1)
		n--;
	return n;
}

static int
key_sound(const struct jwk *k)
{
	return k != NULL && k->n_len > 0 && k->e_len > 0 &&
	       k->e_len <= JWKS_E_MAX && k->n[0] != 0 && k->e[0] != 0 &&
	       bits(k->n, k->n_len) >= JWKS_RSA_MIN &&
	       bits(k->n, k->n_len) <= JWKS_RSA_MAX &&
	       (k->n[k->n_len - 1] & 1) != 0 && (k->e[k->e_len - 1] & 1) != 0 &&
	       !(k->e_len == 1 && k->e[0] < 3);
}

/*
 * libjwt's answer.  NB. under a watch: jansson without memory writes past
 * its end, and to libjwt it is EINVAL or nothing.
 */
static int
decode(const char *token, size_t token_len, const char *pem)
{
	jwt_t *jwt = NULL;
	size_t len = strlen(pem);
	int r, rc;

	/* NB. a NULL key or a length <= 0 would mean "do not verify". */
	if (len == 0 || len > INT_MAX)
		return AAD_EINTERNAL;
	if ((r = strictjson_watch(token_len)) != 0)
		return r;
	rc = jwt_decode(&jwt, token, (const unsigned char *)pem, (int)len);
	r = AAD_ESIG;
	if (rc == 0 && jwt != NULL && jwt_get_alg(jwt) == JWT_ALG_RS256)
		r = 0;
	else if (rc == 0 || rc == ENOMEM)
		/* NB. 1.10 reports success when it couldn't copy the key. */
		r = AAD_ENOMEM;
	jwt_free(jwt);
	return strictjson_short() ? AAD_ENOMEM : r;
}

int
verify_jwt(const struct jwk *key, const struct jws *j)
{
	char *pem = NULL;
	int r;

	if (!key_sound(key))
		return AAD_EPERM;
	if (j->sig_len != key->n_len)
		return AAD_ESIG;
	if ((r = pem_key(key, &pem)) != 0)
		return r;
	r = decode(j->token, j->token_len, pem);
	free(pem);
	return r;
}
