/* SPDX-License-Identifier: ISC */

#include <stdlib.h>

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

int
b64_decode(enum b64_kind kind, const char *text, size_t len, uint8_t **outp,
    size_t *outlenp)
{
	size_t max = len / 4 * 3 + 3, n = 0;
	const char *end = NULL;
	uint8_t *out;

	*outp = NULL;
	*outlenp = 0;
	if ((out = malloc(max + 1)) == NULL)
		return AAD_ENOMEM;
	if (sodium_base642bin(out, max, text, len, NULL, &n, &end,
		variant(kind)) != 0 ||
	    end != text + len) {
		free(out);
		return AAD_EFORMAT;
	}
	out[n] = '\0';
	*outp = out;
	*outlenp = n;
	return 0;
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
