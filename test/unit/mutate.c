/* SPDX-License-Identifier: ISC */

#include <stdlib.h>
#include <string.h>

#include "test/unit/mutate.h"

static uint8_t *
copy(const void *good, size_t have, size_t want)
{
	uint8_t *p;

	if ((p = malloc(want + 1)) == NULL)
		abort();
	memcpy(p, good, have < want ? have : want);
	p[want] = '\0';
	return p;
}

void
mutate_walk(const void *good, size_t len, mutate_fn *fn, void *arg)
{
	static const uint8_t tails[] = { 0x00, 0x0a, 0xff };
	uint8_t *p;
	size_t i, bit;

	for (i = 0; i < len; i++) {
		for (bit = 0; bit < 8; bit++) {
			p = copy(good, len, len);
			p[i] = (uint8_t)(p[i] ^ (1U << bit));
			fn(p, len, MUTATE_BIT_FLIP, i, arg);
			free(p);
		}
	}
	for (i = 0; i < len; i++) {
		p = copy(good, len, i);
		fn(p, i, MUTATE_TRUNCATE, i, arg);
		free(p);
	}
	for (i = 0; i < sizeof(tails); i++) {
		p = copy(good, len, len + 1);
		p[len] = tails[i];
		fn(p, len + 1, MUTATE_APPEND, len, arg);
		free(p);
	}
}
