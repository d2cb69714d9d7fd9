/* SPDX-License-Identifier: ISC */

/* Seeds: the files of test/vectors/privkeys. */

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "ssh/privkey.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return sodium_init() == -1;
}

/* What is read is one key, and its file reads as the same. */
static void
look(const struct privkey *k)
{
	struct privkey again;
	struct secret *text;

	if (secret_len(k->secret) != 64 || k->pub.kind != KEY_ED25519 ||
	    memcmp(secret_bytes(k->secret) + 32,
		k->pub.blob + k->pub.blob_len - 32, 32) != 0)
		abort();
	if (privkey_format(k, 1, "x", &text) != 0)
		abort();
	if (privkey_parse((const char *)secret_bytes(text), secret_len(text),
		&again) != 0 ||
	    memcmp(again.pub.hash, k->pub.hash, 32) != 0)
		abort();
	secret_free(text);
	privkey_release(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct privkey k;

	if (privkey_parse((const char *)p, len, &k) == 0)
		look(&k);
	privkey_release(&k);
	return 0;
}
