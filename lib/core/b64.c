/* SPDX-License-Identifier: ISC */

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <nettle/base64.h>
#include <sodium.h>

#include "core/b64.h"

#define ENCODE_MAX (16U << 20) /* bytes; far over anything we encode */

static int
variant(enum b64_kind kind)
{
	switch (kind) {
	case B64_URL:
		return sodium_base64_VARIANT_URLSAFE_NO_PADDING;
	case B64_STD_BARE:
		return sodium_base64_VARIANT_ORIGINAL_NO_PADDING;
	case B64_STD:
		break;
	}
	return sodium_base64_VARIANT_ORIGINAL;
}

/* Whether c is a digit of this kind's alphabet; no blank, no padding. */
static bool
is_digit(enum b64_kind kind, char c)
{
	if ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	    (c >= '0' && c <= '9'))
		return true;
	return kind == B64_URL ? c == '-' || c == '_' : c == '+' || c == '/';
}

/* The number of digits in front of right padding; len + 1 when wrong. */
static size_t
count_digits(enum b64_kind kind, const char *text, size_t len)
{
	size_t digits = 0, padding;

	while (digits < len && is_digit(kind, text[digits]))
		digits++;
	padding = kind == B64_STD ? (4 - digits % 4) % 4 : 0;
	if (digits % 4 == 1 || len - digits != padding ||
	    strncmp(text + digits, "==", padding) != 0)
		return len + 1;
	return digits;
}

/*
 * At most max bytes.
 *
 * NB. nettle's decoder, because libsodium's takes a dozen times as long (it
 * hides which digits it sees; nothing decoded here is a secret from this
 * machine) and 1.0.18 takes every byte over 0x7f for the digit 63.  nettle
 * passes over blanks and padding, so those are judged before; it refuses
 * non-zero trailing bits when it is given the padding that the text lacks.
 */
static int
decode(enum b64_kind kind, const char *text, size_t len, uint8_t *out,
    size_t max, size_t *np)
{
	struct base64_decode_ctx ctx;
	size_t digits = count_digits(kind, text, len), n;
	uint8_t none[4];

	*np = 0;
	if (digits > len || digits / 4 * 3 + digits % 4 * 6 / 8 > max)
		return AAD_EFORMAT;
	if (kind == B64_URL)
		base64url_decode_init(&ctx);
	else
		base64_decode_init(&ctx);
	if (!base64_decode_update(&ctx, np, out, digits, text) ||
	    !base64_decode_update(&ctx, &n, none, (4 - digits % 4) % 4, "==") ||
	    n != 0 || !base64_decode_final(&ctx))
		return AAD_EFORMAT;
	return 0;
}

int
b64_decode(enum b64_kind kind, const char *text, size_t len, uint8_t **outp,
    size_t *outlenp)
{
	size_t max = len / 4 * 3 + 3, n = 0;
	uint8_t *out;
	int r;

	*outp = NULL;
	*outlenp = 0;
	if ((out = malloc(max + 1)) == NULL)
		return AAD_ENOMEM;
	if ((r = decode(kind, text, len, out, max, &n)) != 0) {
		free(out);
		return r;
	}
	out[n] = '\0';
	*outp = out;
	*outlenp = n;
	return 0;
}

int
b64_decode_exact(enum b64_kind kind, const char *text, size_t len, uint8_t *out,
    size_t outlen)
{
	size_t n = 0;

	if (decode(kind, text, len, out, outlen, &n) == 0 && n == outlen)
		return 0;
	memset(out, 0, outlen);
	return AAD_EFORMAT;
}

int
b64_encode(enum b64_kind kind, const uint8_t *bytes, size_t len, char **outp)
{
	size_t need;

	*outp = NULL;
	if (len > ENCODE_MAX)
		return AAD_ETOOBIG;
	need = sodium_base64_encoded_len(len, variant(kind));
	if ((*outp = malloc(need)) == NULL)
		return AAD_ENOMEM;
	sodium_bin2base64(*outp, need, bytes, len, variant(kind));
	return 0;
}
