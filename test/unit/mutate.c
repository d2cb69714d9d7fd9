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

static void
flip(const void *good, size_t len, size_t at, size_t bit, mutate_fn *fn,
    void *arg)
{
	uint8_t *p = copy(good, len, len);

	p[at] = (uint8_t)(p[at] ^ (1U << bit));
	fn(p, len, MUTATE_BIT_FLIP, at, arg);
	free(p);
}

/* Every truncation, and a byte more. */
static void
resize(const void *good, size_t len, mutate_fn *fn, void *arg)
{
	static const uint8_t tails[] = { 0x00, 0x0a, 0xff };
	uint8_t *p;
	size_t i;

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

void
mutate_walk(const void *good, size_t len, mutate_fn *fn, void *arg)
{
	size_t i, bit;

	for (i = 0; i < len; i++)
		for (bit = 0; bit < 8; bit++)
			flip(good, len, i, bit, fn, arg);
	resize(good, len, fn, arg);
}

void
mutate_sample(const void *good, size_t len, unsigned int turn, mutate_fn *fn,
    void *arg)
{
	size_t i;

	for (i = 0; i < len; i++)
		flip(good, len, i, (i + turn) % 8, fn, arg);
	resize(good, len, fn, arg);
}
