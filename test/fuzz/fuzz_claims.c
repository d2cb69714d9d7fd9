/* SPDX-License-Identifier: ISC */

/* Bytes as a payload: claims come out only whole and within their bounds. */
#include <stdlib.h>
#include <string.h>

#include "token/claims.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct claims *c = NULL;
	char *text = calloc(1, len + 1);

	if (text != NULL && len > 0)
		memcpy(text, data, len);
	if (text != NULL && claims_parse(text, len, &c) == 0 &&
	    (c->iss == NULL || c->exp < 0 || !name_guid_ok(c->oid) ||
		c->groups.n > CLAIMS_LIST_MAX))
		abort();
	claims_free(c);
	free(text);
	return 0;
}
