/* SPDX-License-Identifier: ISC */

#include <string.h>

#include "cmd/aadssh/keychoice.h"
#include "core/text.h"

void
keychoice_begin(struct keychoice *c, const struct key *const *keys,
    const bool *known, size_t n)
{
	size_t i;
	int pass;

	memset(c, 0, sizeof(*c));
	for (pass = 0; pass < 2; pass++)
		for (i = 0; i < n; i++)
			if (known[i] == (pass == 0) && c->n < KEYCHOICE_MAX)
				c->keys[c->n++] = keys[i];
	if (c->n > 0)
		c->picked = c->keys[0];
}

enum keychoice_answer
keychoice_take(struct keychoice *c, const char *text)
{
	size_t max = c->n < KEYCHOICE_SHOWN ? c->n : KEYCHOICE_SHOWN;
	uint64_t number;

	if (text[0] == '\0')
		return KEYCHOICE_DONE;
	if (text_same_fold(text, "q"))
		return KEYCHOICE_QR;
	if (strlen(text) != 1 || !text_number(text, max, &number))
		return KEYCHOICE_JUNK;
	c->picked = number == 0 ? NULL : c->keys[number - 1];
	return KEYCHOICE_DONE;
}

const char *
keychoice_type(const struct key *k)
{
	switch (k->kind) {
	case KEY_ED25519:
		return "ED25519";
	case KEY_ECDSA_256:
	case KEY_ECDSA_384:
	case KEY_ECDSA_521:
		return "ECDSA";
	case KEY_RSA:
		return "RSA";
	case KEY_SK_ED25519:
		return "ED25519-SK";
	case KEY_SK_ECDSA_256:
		return "ECDSA-SK";
	case KEY_NONE:
		break;
	}
	return "none";
}
