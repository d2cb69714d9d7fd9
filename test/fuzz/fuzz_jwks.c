/* SPDX-License-Identifier: ISC */

/* Bytes as a provider's set and as ours: what is kept can be read back. */
#include <stdlib.h>
#include <string.h>

#include "token/jwks.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct jwks *s = NULL, *again = NULL;
	char *text = calloc(1, len + 1), *kept = NULL;
	size_t n;

	if (text == NULL)
		return 0;
	if (len > 0)
		memcpy(text, data, len);
	if (jwks_parse(text, len, NULL, &s) != 0 &&
	    jwks_strip(text, len, "https://i/t/v2.0", "t", 0, &s) != 0)
		goto out;
	if (jwks_format(s, &kept, &n) != 0 ||
	    jwks_parse(kept, n, NULL, &again) != 0 || again->n != s->n)
		abort();
out:
	jwks_free(again);
	jwks_free(s);
	free(kept);
	free(text);
	return 0;
}
