/* SPDX-License-Identifier: ISC */

/* Seeds: the decoded blobs and the .pub files of test/vectors/keys. */

#include <stdlib.h>
#include <string.h>

#include "ssh/key.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	char *text = calloc(1, len + 1), *line;
	enum reason why;
	struct key k;

	if (text != NULL && len > 0)
		memcpy(text, p, len);
	if (key_from_blob(p, len, &k, &why) == 0 &&
	    key_line(&k, NULL, &line) == 0) {
		key_release(&k);
		if (key_from_pub(line, strlen(line), &k, &why) != 0)
			abort();
		free(line);
	}
	key_release(&k);
	if (text != NULL && key_from_pub(text, len, &k, &why) == 0)
		key_release(&k);
	free(text);
	return 0;
}
