/* SPDX-License-Identifier: ISC */

/* Every key that an offers file yields is one that may enter, and once. */

#include <stdlib.h>
#include <string.h>

#include "host/offer.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	char *text = malloc(len + 1);
	struct offers o;
	enum reason why;
	struct key k;
	size_t i;

	if (text == NULL)
		return 0;
	memcpy(text, p, len);
	text[len] = '\0';
	if (offers_parse(text, len, 1000, INT64_MAX, "alice", &o) != 0)
		abort();
	for (i = 0; i < o.n; i++) {
		if (key_from_blob(o.items[i].key.blob, o.items[i].key.blob_len,
			&k, &why) != 0 ||
		    (i > 0 && memcmp(k.hash, o.items[i - 1].key.hash, 32) == 0))
			abort();
		key_release(&k);
	}
	offers_release(&o);
	free(text);
	return 0;
}
