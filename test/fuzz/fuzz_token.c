/* SPDX-License-Identifier: ISC */

/* Bytes as a token: the guard, then both oracles with the same answer. */
#include <stdlib.h>
#include <string.h>

#include "token/verify.h"

static uint8_t n[256] = { [0] = 0xc7, [100] = 0x5a, [255] = 0x01 };
static uint8_t e[] = { 1, 0, 1 };
static const struct jwk key = { "k", n, sizeof(n), e, sizeof(e) };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *text = calloc(1, len + 1);
	enum reason why;
	struct jws j;

	if (text != NULL && len > 0)
		memcpy(text, data, len);
	/* NB. nobody has the private exponent of this key. */
	if (text != NULL && jws_split(text, len, &j, &why) == 0) {
		if (verify_nettle(&key, &j) == 0 || verify_jwt(&key, &j) == 0)
			abort();
		jws_release(&j);
	}
	free(text);
	return 0;
}
