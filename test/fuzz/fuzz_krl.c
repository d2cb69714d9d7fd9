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

struct counts {
	const struct krl *k;
	uint64_t parts;
	size_t keys;
};

/* What the walk shows is revoked, too; not of any authority but its own. */
static int
see_serials(void *arg, const uint8_t *ca, size_t calen, uint64_t lo,
    uint64_t hi)
{
	static uint8_t copy[KEY_BLOB_MAX];
	const struct key key = { .blob = copy, .blob_len = calen };
	struct counts *c = arg;

	if (calen > 0)
		memcpy(copy, ca, calen);
	if (lo == 0 || hi < lo || !krl_has_cert(c->k, &key, lo, NULL) ||
	    !krl_has_cert(c->k, &key, hi, NULL))
		abort();
	return ++c->parts < 4096 ? 0 : 1;
}

static int
see_key_id(void *arg, const uint8_t *ca, size_t calen, const char *id)
{
	(void)arg;
	(void)ca;
	(void)calen;
	return strlen(id) > KRL_MAX;
}

static int
see_key(void *arg, const uint8_t *p, size_t len)
{
	struct counts *c = arg;

	(void)p;
	(void)len;
	c->keys++;
	return 0;
}

static void
walk(const struct krl *k)
{
	struct counts c = { .k = k };
	const struct krl_visit v = { &c, see_serials, see_key_id, see_key,
		see_key };

	if (krl_each(k, &v) == 0 && c.keys != krl_count_keys(k))
		abort();
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
	walk(k);
	krl_free(k);
	return 0;
}
