/* SPDX-License-Identifier: ISC */

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

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

/*
 * NB. libsodium 1.0.18 takes every byte over 0x7f for the digit 63, so that
 * many texts would decode to the same bytes.
 */
static bool
is_ascii(const char *text, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if ((text[i] & 0x80) != 0)
			return false;
	return true;
}

/* At most max bytes; all of the text has to be consumed. */
static int
decode(enum b64_kind kind, const char *text, size_t len, uint8_t *out,
    size_t max, size_t *np)
{
	const char *end = NULL;

	if (!is_ascii(text, len) ||
	    sodium_base642bin(out, max, text, len, NULL, np, &end,
		variant(kind)) != 0 ||
	    end != text + len)
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
