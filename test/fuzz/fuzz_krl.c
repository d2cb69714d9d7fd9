/* SPDX-License-Identifier: ISC */

/* Seeds: the lists of test/vectors/krl. */

#include <stdlib.h>
#include <string.h>

#include "ssh/krl.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

#define RANGES_MAX 512

/*
 * The input as ranges of one authority: what is written is read, and says
 * the same.
 */
static void
write_and_read(const uint8_t *p, size_t len)
{
	struct krl_range r[RANGES_MAX], given[RANGES_MAX];
	struct krl_ca ca = { .ranges = r };
	struct krl_spec s = { .cas = &ca, .ncas = 1 };
	const struct key any = { .blob = NULL };
	struct krl *k;
	uint64_t at = 1;
	uint8_t *out;
	size_t i, n;

	for (n = 0; n < RANGES_MAX && len >= 4; n++, p += 4, len -= 4) {
		at += (uint64_t)p[0] << (p[1] & 31);
		r[n].lo = at;
		r[n].hi = at + ((uint64_t)p[2] << (p[3] & 15));
	}
	memcpy(given, r, n * sizeof(*r));
	ca.nranges = n;
	if (krl_encode(&s, &out, &len) != 0 || krl_decode(out, len, &k) != 0)
		abort();
	for (i = 0; i < n; i++)
		if (!krl_has_cert(k, &any, given[i].lo, NULL) ||
		    !krl_has_cert(k, &any, given[i].hi, NULL))
			abort();
	krl_free(k);
	free(out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct key any = { .blob = NULL };
	struct krl *k;

	write_and_read(p, len);
	if (krl_decode(p, len, &k) != 0)
		return 0;
	(void)krl_has_key(k, &any);
	(void)krl_has_cert(k, &any, 5, "mira");
	(void)krl_has_cert(k, &any, UINT64_MAX, NULL);
	if (krl_has_cert(k, &any, 0, NULL))
		abort();
	krl_free(k);
	return 0;
}
