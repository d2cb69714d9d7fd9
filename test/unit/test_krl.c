/* SPDX-License-Identifier: ISC */

#include "test/unit/unit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nettle/sha1.h>

#include "ssh/krl.h"
#include "ssh/serials.h"
#include "ssh/wire.h"
#include "test/unit/fault.h"
#include "test/unit/mutate.h"

#define VECTORS "test/vectors/krl"
#define LISTS	12

/* ---- vectors ---- */

struct bytes {
	uint8_t p[32768];
	size_t len;
};

static struct bytes
load(const char *path)
{
	struct bytes b = { .len = 0 };
	FILE *f;

	if ((f = fopen(path, "r")) == NULL)
		fail_msg("%s: %s", path, strerror(errno));
	b.len = fread(b.p, 1, sizeof(b.p) - 1, f);
	fclose(f);
	assert_in_range(b.len, 1, sizeof(b.p) - 2);
	return b;
}

static struct bytes
load_list(const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), VECTORS "/good/%s.krl", name);
	return load(path);
}

static struct key
load_key(const char *name)
{
	enum reason why;
	struct bytes b;
	struct key k;
	char path[256];

	snprintf(path, sizeof(path), VECTORS "/%s.pub", name);
	b = load(path);
	b.p[b.len] = '\0';
	assert_int_equal(key_from_pub((char *)b.p, b.len, &k, &why), 0);
	return k;
}

static struct krl *
decoded(const void *p, size_t len)
{
	struct krl *k = NULL;

	assert_int_equal(krl_decode(p, len, &k), 0);
	assert_non_null(k);
	return k;
}

static void
refused(const void *p, size_t len, int want)
{
	struct krl *k = (struct krl *)(uintptr_t)1;

	assert_int_equal(krl_decode(p, len, &k), want);
	assert_null(k);
}

/* ---- what ssh-keygen wrote ---- */

static void
valid_all_that_ssh_keygen_makes(void **state)
{
	char name[32];
	uint64_t version, serials;
	size_t keys;
	struct bytes b;
	struct krl *k;
	int n = 0;
	FILE *f;

	(void)state;
	f = fopen(VECTORS "/good.tsv", "r");
	assert_non_null(f);
	for (; fscanf(f, "%31s %" SCNu64 " %" SCNu64 " %zu", name, &version,
		   &serials, &keys) == 4;
	     n++) {
		b = load_list(name);
		k = decoded(b.p, b.len);
		assert_true(krl_version(k) == version);
		assert_true(krl_count_serials(k) == serials);
		assert_int_equal(krl_count_keys(k), keys);
		assert_in_range(krl_generated(k), 1767225600, 4102444800);
		krl_free(k);
	}
	fclose(f);
	assert_int_equal(n, LISTS);
	krl_free(NULL);
}

/* Answered as ssh-keygen -Q did. */
static void
valid_answers(void **state)
{
	char line[256], *list, *ca, *serial, *id, *verdict, *left;
	struct bytes b;
	struct krl *k;
	struct key key;
	int n = 0;
	FILE *f;

	(void)state;
	f = fopen(VECTORS "/asked.tsv", "r");
	assert_non_null(f);
	for (; fgets(line, sizeof(line), f) != NULL; n++) {
		list = strtok_r(line, "\t\n", &left);
		ca = strtok_r(NULL, "\t\n", &left);
		serial = strtok_r(NULL, "\t\n", &left);
		id = strtok_r(NULL, "\t\n", &left);
		verdict = strtok_r(NULL, "\t\n", &left);
		assert_non_null(verdict);
		b = load_list(list);
		k = decoded(b.p, b.len);
		key = load_key(ca);
		if (krl_has_cert(k, &key, strtoull(serial, NULL, 10), id) !=
		    (strcmp(verdict, "REVOKED") == 0))
			fail_msg("%s: %s of %s, %s: ssh-keygen says %s", list,
			    serial, ca, id, verdict);
		key_release(&key);
		krl_free(k);
	}
	fclose(f);
	assert_in_range(n, 100, 200);
}

static void
assert_keys(const char *list, const char *revoked)
{
	static const char *const all[] = { "ca", "old", "key", "other", "rsaca",
		"ecdsa" };
	struct bytes b = load_list(list);
	struct krl *k = decoded(b.p, b.len);
	struct key key;
	char word[16];
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		key = load_key(all[i]);
		snprintf(word, sizeof(word), " %s ", all[i]);
		assert_int_equal(krl_has_key(k, &key),
		    strstr(revoked, word) != NULL);
		key_release(&key);
	}
	krl_free(k);
}

static void
valid_keys(void **state)
{
	(void)state;
	assert_keys("keys", " key rsaca ecdsa ");
	assert_keys("hashes", " key old ");
	assert_keys("sha1", " key old ");
	assert_keys("all", " other ecdsa rsaca ");
	assert_keys("serials", "");
	assert_keys("empty", "");
}

/* NB. what ssh-keygen -k writes of alternating serials nobody can read. */
static void
I_E3_dense_bitmap_of_ssh_keygen(void **state)
{
	struct bytes b = load(VECTORS "/bad/dense.krl");

	(void)state;
	refused(b.p, b.len, AAD_EFORMAT);
}

/* ---- forging ---- */

static const uint8_t no_bytes[1];

static struct wirebuf
forged_head(uint32_t format, uint64_t flags, const char *reserved,
    const char *comment)
{
	struct wirebuf b = wirebuf_new();

	wire_put_raw(&b, KRL_MAGIC, KRL_MAGIC_LEN);
	wire_put_u32(&b, format);
	wire_put_u64(&b, 3);
	wire_put_u64(&b, 4);
	wire_put_u64(&b, flags);
	wire_put_text(&b, reserved);
	wire_put_text(&b, comment);
	return b;
}

/* Takes the buffer over. */
static void
judge(struct wirebuf *b, int want)
{
	struct krl *k = NULL;
	uint8_t *p;
	size_t len;

	assert_int_equal(wirebuf_take(b, &p, &len), 0);
	if (want == 0) {
		k = decoded(p, len);
		krl_free(k);
	} else {
		refused(p, len, want);
	}
	free(p);
}

/* A part within an authority: type, then numbers of 8 bytes, up to 0xdead. */
#define END UINT64_C(0xdead)

static void
put_numbers(struct wirebuf *b, uint8_t type, const uint64_t *n)
{
	size_t at;

	wire_put_u8(b, type);
	at = wire_put_begin(b);
	while (*n != END)
		wire_put_u64(b, *n++);
	wire_put_end(b, at);
}

static void
put_bitmap(struct wirebuf *b, uint64_t lo, const void *bits, size_t len)
{
	size_t at;

	wire_put_u8(b, SERIALS_BITMAP);
	at = wire_put_begin(b);
	wire_put_u64(b, lo);
	wire_put_string(b, bits, len);
	wire_put_end(b, at);
}

/* The beginning of an authority's section: of any. */
static size_t
put_any(struct wirebuf *b)
{
	size_t at;

	wire_put_u8(b, 1);
	at = wire_put_begin(b);
	wire_put_text(b, "");
	wire_put_text(b, "");
	return at;
}

#define NUMBERS(...)                                                           \
	(const uint64_t[])                                                     \
	{                                                                      \
		__VA_ARGS__, END                                               \
	}

static void
wrong_head(void **state)
{
	char longest[KRL_COMMENT_MAX + 2];
	struct wirebuf b = forged_head(1, 0, "", "a comment");

	(void)state;
	judge(&b, 0);
	b = forged_head(2, 0, "", "");
	judge(&b, AAD_EFORMAT);
	b = forged_head(0, 0, "", "");
	judge(&b, AAD_EFORMAT);
	b = forged_head(1, 1, "", "");
	judge(&b, AAD_EFORMAT);
	b = forged_head(1, 0, "x", "");
	judge(&b, AAD_EFORMAT);
	b = forged_head(1, 0, "", "a\nb");
	judge(&b, AAD_EFORMAT);
	b = forged_head(1, 0, "", "caf\xc3\xa9");
	judge(&b, AAD_EFORMAT);
	memset(longest, 'x', sizeof(longest));
	longest[KRL_COMMENT_MAX + 1] = '\0';
	b = forged_head(1, 0, "", longest);
	judge(&b, AAD_EFORMAT);
	longest[KRL_COMMENT_MAX] = '\0';
	b = forged_head(1, 0, "", longest);
	judge(&b, 0);
}

/* What sshd takes for a list that revokes nothing, and what it doesn't. */
static void
I_E1_nothing_is_no_list(void **state)
{
	struct wirebuf b = forged_head(1, 0, "", "");

	(void)state;
	refused(no_bytes, 0, AAD_EFORMAT);
	refused("\n", 1, AAD_EFORMAT);
	refused("# nothing is revoked\n", 21, AAD_EFORMAT);
	refused("<!DOCTYPE html>\n<title>502</title>\n", 36, AAD_EFORMAT);
	refused("SSHKRL\n", 8, AAD_EFORMAT);
	b.p[0] ^= 1;
	judge(&b, AAD_EFORMAT);
}

static void
part(int want, uint8_t type, const uint64_t *numbers)
{
	struct wirebuf b = forged_head(1, 0, "", "");
	size_t at = put_any(&b);

	put_numbers(&b, type, numbers);
	wire_put_end(&b, at);
	judge(&b, want);
}

static void
two_parts(int want, uint8_t a, const uint64_t *first, uint8_t z,
    const uint64_t *last)
{
	struct wirebuf b = forged_head(1, 0, "", "");
	size_t at = put_any(&b);

	put_numbers(&b, a, first);
	put_numbers(&b, z, last);
	wire_put_end(&b, at);
	judge(&b, want);
}

static void
wrong_serials(void **state)
{
	const uint64_t most = UINT64_MAX;

	(void)state;
	part(0, SERIALS_LIST, NUMBERS(1, 2, 3, most));
	part(AAD_EFORMAT, SERIALS_LIST, NUMBERS(1, 3, 2));
	part(AAD_EFORMAT, SERIALS_LIST, NUMBERS(1, 1));
	part(AAD_EFORMAT, SERIALS_LIST, NUMBERS(END));
	part(0, SERIALS_RANGE, NUMBERS(1, most));
	part(0, SERIALS_RANGE, NUMBERS(7, 7));
	part(AAD_EFORMAT, SERIALS_RANGE, NUMBERS(8, 7));
	part(AAD_EFORMAT, SERIALS_RANGE, NUMBERS(7));
	part(AAD_EFORMAT, SERIALS_RANGE, NUMBERS(7, 8, 9));
	part(AAD_EFORMAT, 0x24, NUMBERS(7));
	part(AAD_EFORMAT, 0x39, NUMBERS(7));
	two_parts(0, SERIALS_LIST, NUMBERS(1, 9), SERIALS_RANGE,
	    NUMBERS(10, 12));
	two_parts(AAD_EFORMAT, SERIALS_LIST, NUMBERS(1, 9), SERIALS_RANGE,
	    NUMBERS(9, 12));
	two_parts(AAD_EFORMAT, SERIALS_RANGE, NUMBERS(3, 4), SERIALS_LIST,
	    NUMBERS(1, 2));
}

static void
I_C7_serial_0_is_never_read(void **state)
{
	(void)state;
	part(AAD_EFORMAT, SERIALS_LIST, NUMBERS(0));
	part(AAD_EFORMAT, SERIALS_LIST, NUMBERS(0, 1));
	part(AAD_EFORMAT, SERIALS_RANGE, NUMBERS(0, 1));
	part(AAD_EFORMAT, SERIALS_RANGE, NUMBERS(0, 0));
}

static void
bitmap(int want, uint64_t lo, const void *bits, size_t len)
{
	struct wirebuf b = forged_head(1, 0, "", "");
	size_t at = put_any(&b);

	put_bitmap(&b, lo, bits, len);
	wire_put_end(&b, at);
	judge(&b, want);
}

static void
wrong_bitmaps(void **state)
{
	(void)state;
	bitmap(0, 1, "\x05", 1);
	bitmap(0, 1, "\x00\x81", 2);
	bitmap(AAD_EFORMAT, 0, "\x05", 1);
	bitmap(AAD_EFORMAT, 1, "\x04", 1); /* begins with a clear bit */
	bitmap(AAD_EFORMAT, 1, "", 0);
	bitmap(AAD_EFORMAT, 1, "\x00", 1);
	bitmap(AAD_EFORMAT, 1, "\x00\x01", 2);
	bitmap(AAD_EFORMAT, 1, "\x81", 1); /* negative */
	bitmap(0, UINT64_MAX - 2, "\x05", 1);
	bitmap(AAD_EFORMAT, UINT64_MAX - 1, "\x05", 1); /* wraps */
}

static void
I_E3_bitmap_bound_of_sshd(void **state)
{
	uint8_t bits[KRL_BITMAP_READ / 8 + 2];

	(void)state;
	memset(bits, 0xff, sizeof(bits));
	bits[0] = 0;
	bitmap(0, 1, bits, KRL_BITMAP_READ / 8 + 1);
	bits[0] = 1;
	bitmap(AAD_EFORMAT, 1, bits, KRL_BITMAP_READ / 8 + 1);
}

static void
ids(int want, const char *a, size_t alen, const char *z, size_t zlen,
    bool behind)
{
	struct wirebuf b = forged_head(1, 0, "", "");
	size_t at = put_any(&b), inner;

	wire_put_u8(&b, 0x23);
	inner = wire_put_begin(&b);
	if (a != NULL)
		wire_put_string(&b, a, alen);
	if (z != NULL)
		wire_put_string(&b, z, zlen);
	wire_put_end(&b, inner);
	if (behind)
		put_numbers(&b, SERIALS_LIST, NUMBERS(1));
	wire_put_end(&b, at);
	judge(&b, want);
}

static void
wrong_key_ids(void **state)
{
	(void)state;
	ids(0, "a", 1, "ab", 2, false);
	ids(0, "ab", 2, "b", 1, false);
	ids(AAD_EFORMAT, "ab", 2, "a", 1, false);
	ids(AAD_EFORMAT, "a", 1, "a", 1, false);
	ids(AAD_EFORMAT, "b", 1, "a", 1, false);
	ids(AAD_EFORMAT, "a\0b", 3, NULL, 0, false);
	ids(AAD_EFORMAT, "a", 1, "b\0", 2, false);
	ids(AAD_EFORMAT, NULL, 0, NULL, 0, false);
	ids(AAD_EFORMAT, "a", 1, NULL, 0, true); /* something behind them */
}

static void
put_section(struct wirebuf *b, uint8_t type, const void *s, size_t len)
{
	size_t at;

	wire_put_u8(b, type);
	at = wire_put_begin(b);
	wire_put_string(b, s, len);
	wire_put_end(b, at);
}

static void
sections(int want, uint8_t a, size_t alen, uint8_t z, size_t zlen)
{
	static const uint8_t zeros[64];
	struct wirebuf b = forged_head(1, 0, "", "");

	put_section(&b, a, zeros, alen);
	if (z != 0)
		put_section(&b, z, zeros, zlen);
	judge(&b, want);
}

static void
wrong_sections(void **state)
{
	struct wirebuf b;

	(void)state;
	sections(0, 2, 51, 3, 20);
	sections(0, 3, 20, 5, 32);
	sections(AAD_EFORMAT, 5, 32, 3, 20); /* not in order */
	sections(AAD_EFORMAT, 3, 20, 3, 20);
	sections(AAD_EFORMAT, 3, 32, 0, 0);
	sections(AAD_EFORMAT, 5, 20, 0, 0);
	sections(AAD_EFORMAT, 0, 20, 0, 0);
	sections(AAD_EFORMAT, 6, 20, 0, 0);
	sections(AAD_EFORMAT, 255, 20, 0, 0);
	sections(AAD_EFORMAT, 4, 20, 0, 0); /* a signature */
	b = forged_head(1, 0, "", "");
	wire_put_u8(&b, 5);
	wire_put_text(&b, ""); /* a section with nothing in it */
	judge(&b, AAD_EFORMAT);
	b = forged_head(1, 0, "", "");
	wire_put_u8(&b, 5);
	judge(&b, AAD_EFORMAT);
}

static void
authority(int want, const void *blob, size_t len, const char *reserved,
    int times)
{
	struct wirebuf b = forged_head(1, 0, "", "");
	size_t at;

	while (times-- > 0) {
		wire_put_u8(&b, 1);
		at = wire_put_begin(&b);
		wire_put_string(&b, blob, len);
		wire_put_text(&b, reserved);
		wire_put_end(&b, at);
	}
	judge(&b, want);
}

static void
wrong_authorities(void **state)
{
	struct key ca = load_key("ca");

	(void)state;
	authority(0, ca.blob, ca.blob_len, "", 1);
	authority(0, "", 0, "", 1);
	authority(AAD_EFORMAT, ca.blob, ca.blob_len, "x", 1);
	authority(AAD_EFORMAT, ca.blob, ca.blob_len - 1, "", 1);
	authority(AAD_EFORMAT, "x", 1, "", 1);
	authority(AAD_EFORMAT, ca.blob, ca.blob_len, "", 2); /* twice */
	authority(AAD_EFORMAT, "", 0, "", 2);
	authority(AAD_EFORMAT, "", 0, "", KRL_CAS_MAX); /* not too many */
	authority(AAD_ETOOBIG, "", 0, "", KRL_CAS_MAX + 1);
	key_release(&ca);
}

/* Each has its serials, in whatever order they stand, and stands once. */
static void
authorities_in_any_order(void **state)
{
	static const int orders[][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
		{ 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 }, { 0, 1, 0 }, { 1, 2, 1 },
		{ 2, 0, 2 } };
	struct key cas[] = { load_key("ca"), load_key("old"),
		load_key("rsaca") };
	size_t i, len, at;
	int j, n;

	(void)state;
	for (i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		struct wirebuf b = forged_head(1, 0, "", "");
		struct krl *k;
		uint8_t *p;

		for (j = 0; j < 3; j++) {
			n = orders[i][j];
			wire_put_u8(&b, 1);
			at = wire_put_begin(&b);
			wire_put_string(&b, cas[n].blob, cas[n].blob_len);
			wire_put_text(&b, "");
			put_numbers(&b, SERIALS_LIST, NUMBERS((uint64_t)n + 1));
			wire_put_end(&b, at);
		}
		if (orders[i][0] == orders[i][2]) {
			judge(&b, AAD_EFORMAT);
			continue;
		}
		assert_int_equal(wirebuf_take(&b, &p, &len), 0);
		k = decoded(p, len);
		for (n = 0; n < 3; n++)
			for (j = 0; j < 3; j++)
				assert_int_equal(krl_has_cert(k, &cas[n],
						     (uint64_t)j + 1, NULL),
				    j == n);
		krl_free(k);
		free(p);
	}
	for (j = 0; j < 3; j++)
		key_release(&cas[j]);
}

static void
wrong_size(void **state)
{
	uint8_t *p = calloc(1, KRL_MAX + 1);

	(void)state;
	assert_non_null(p);
	refused(p, KRL_MAX + 1, AAD_ETOOBIG);
	refused(p, KRL_MAX, AAD_EFORMAT);
	free(p);
}

/* What stays readable after damage answers without harm. */
static void
check_damaged(const uint8_t *p, size_t len, enum mutation how, size_t at,
    void *arg)
{
	const struct key *ca = arg;
	struct krl *k;
	int r = krl_decode(p, len, &k);

	(void)at;
	if (r != 0) {
		assert_int_equal(r, AAD_EFORMAT);
		assert_null(k);
		return;
	}
	assert_int_not_equal(how, MUTATE_APPEND);
	(void)krl_has_key(k, ca);
	(void)krl_has_cert(k, ca, 5, "mira");
	(void)krl_has_cert(k, ca, UINT64_MAX, NULL);
	(void)krl_count_serials(k);
	krl_free(k);
}

static void
II_R7_every_damage(void **state)
{
	static const char *const names[] = { "all", "two", "mixed", "bitmap",
		"ids", "hashes" };
	struct key ca = load_key("ca");
	struct bytes b;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		b = load_list(names[i]);
		mutate_walk(b.p, b.len, check_damaged, &ca);
	}
	key_release(&ca);
}

/* ---- encoding ---- */

static uint8_t *
encoded(struct krl_spec *s, size_t *lenp)
{
	uint8_t *p = NULL;

	assert_int_equal(krl_encode(s, &p, lenp), 0);
	assert_non_null(p);
	return p;
}

static void
not_encoded(struct krl_spec *s, int want)
{
	uint8_t *p = (uint8_t *)(uintptr_t)1;
	size_t len = 1;

	assert_int_equal(krl_encode(s, &p, &len), want);
	assert_null(p);
	assert_int_equal(len, 0);
}

static void
II_R3_empty_list(void **state)
{
	struct krl_spec s = { .version = 7, .generated = 1767225600 };
	struct key ca = load_key("ca");
	size_t len;
	uint8_t *p = encoded(&s, &len);
	struct krl *k = decoded(p, len);

	(void)state;
	assert_int_equal(len, 44);
	assert_true(krl_version(k) == 7 && krl_generated(k) == 1767225600);
	assert_true(krl_count_serials(k) == 0 && krl_count_keys(k) == 0);
	assert_false(krl_has_key(k, &ca));
	assert_false(krl_has_cert(k, &ca, 1, "mira"));
	assert_false(krl_has_cert(k, &ca, 0, NULL));
	krl_free(k);
	free(p);
	key_release(&ca);
}

/* One authority's ranges. */
struct one {
	struct krl_ca ca;
	struct krl_spec spec;
};

static struct one *
one_of(struct krl_range *r, size_t n)
{
	struct one *o = calloc(1, sizeof(*o));

	assert_non_null(o);
	o->ca.ranges = r;
	o->ca.nranges = n;
	o->spec.cas = &o->ca;
	o->spec.ncas = 1;
	return o;
}

static void
range_is_refused(uint64_t lo, uint64_t hi)
{
	struct krl_range r[] = { { 4, 5 }, { lo, hi }, { 7, 8 } };
	struct one *o = one_of(r, 3);

	not_encoded(&o->spec, AAD_EARG);
	free(o);
}

static void
I_C7_serial_0_is_never_written(void **state)
{
	struct krl_range all[] = { { 1, UINT64_MAX } };
	struct one *o = one_of(all, 1);
	struct key ca = load_key("ca");
	struct krl *k;
	uint8_t *p;
	size_t len;

	(void)state;
	range_is_refused(0, 0);
	range_is_refused(0, 7);
	p = encoded(&o->spec, &len);
	k = decoded(p, len);
	assert_true(krl_has_cert(k, &ca, 1, NULL));
	assert_true(krl_has_cert(k, &ca, UINT64_MAX, NULL));
	assert_false(krl_has_cert(k, &ca, 0, NULL));
	assert_true(krl_count_serials(k) == UINT64_MAX);
	krl_free(k);
	free(p);
	free(o);
	key_release(&ca);
}

static void
wrong_specs(void **state)
{
	char longest[KRL_COMMENT_MAX + 2];
	struct krl_ca twice[2], many = { .blob = NULL };
	struct krl_spec s = { .comment = "a\tb" };
	struct key ca = load_key("ca");
	uint8_t *p;
	size_t len;

	(void)state;
	range_is_refused(5, 4);
	not_encoded(&s, AAD_EARG);
	memset(longest, '~', sizeof(longest));
	longest[KRL_COMMENT_MAX + 1] = '\0';
	s.comment = longest;
	not_encoded(&s, AAD_EARG);
	longest[0] = ' ';
	longest[1] = '\x7f';
	longest[2] = '\0';
	not_encoded(&s, AAD_EARG);
	longest[1] = longest[2] = '~';
	longest[KRL_COMMENT_MAX] = '\0';
	p = encoded(&s, &len);
	krl_free(decoded(p, len));
	free(p);

	memset(twice, 0, sizeof(twice));
	s.cas = twice;
	s.ncas = 2;
	not_encoded(&s, AAD_EARG); /* any authority, twice */
	twice[0].blob = twice[1].blob = ca.blob;
	twice[0].blob_len = twice[1].blob_len = ca.blob_len;
	not_encoded(&s, AAD_EARG);
	twice[0].blob_len--; /* no key */
	not_encoded(&s, AAD_EARG);
	twice[0].blob_len = 0;
	not_encoded(&s, AAD_EARG);
	s.cas = &many;
	s.ncas = KRL_CAS_MAX + 1;
	not_encoded(&s, AAD_ETOOBIG);
	key_release(&ca);
}

/* Sections in order, each thing once; the same list whatever the order. */
static void
valid_sorted(void **state)
{
	static const char *const ids1[] = { "b", "a", "b", "ab" };
	static const char *const ids2[] = { "ab", "b", "a" };
	struct key keys[] = { load_key("rsaca"), load_key("key"),
		load_key("ecdsa"), load_key("key") };
	struct key turned[] = { keys[1], keys[2], keys[0] };
	uint8_t hashes[3][32] = { { 9 }, { 1 }, { 9 } };
	uint8_t sorted[2][32] = { { 1 }, { 9 } };
	struct krl_ca cas[2] = { { .key_ids = ids1, .nkey_ids = 4 },
		{ .blob = keys[0].blob, .blob_len = keys[0].blob_len } };
	struct krl_ca mirror[2] = { cas[1],
		{ .key_ids = ids2, .nkey_ids = 3 } };
	struct krl_spec a = { .cas = cas,
		.ncas = 2,
		.keys = keys,
		.nkeys = 4,
		.key_hashes = (const uint8_t(*)[32])hashes,
		.nkey_hashes = 3 };
	struct krl_spec z = { .cas = mirror,
		.ncas = 2,
		.keys = turned,
		.nkeys = 3,
		.key_hashes = (const uint8_t(*)[32])sorted,
		.nkey_hashes = 2 };
	size_t alen, zlen, i;
	uint8_t *p = encoded(&a, &alen), *q = encoded(&z, &zlen);
	struct krl *k = decoded(p, alen);

	(void)state;
	assert_int_equal(alen, zlen);
	assert_memory_equal(p, q, alen);
	assert_int_equal(krl_count_keys(k), 5);
	assert_true(krl_has_key(k, &keys[0]) && krl_has_key(k, &keys[2]));
	assert_true(krl_has_cert(k, &keys[0], 0, "ab"));
	assert_false(krl_has_cert(k, &keys[0], 0, "abc"));
	krl_free(k);
	free(p);
	free(q);
	for (i = 0; i < 4; i++)
		key_release(&keys[i]);
}

static void
valid_hashes(void **state)
{
	struct key key = load_key("key"), other = load_key("other");
	struct krl_spec s = { .key_hashes = (const uint8_t(*)[32]) & key.hash,
		.nkey_hashes = 1 };
	uint8_t sha1[2][20] = { { 0xff }, { 0 } };
	size_t len;
	uint8_t *p = encoded(&s, &len);
	struct krl *k = decoded(p, len);

	(void)state;
	assert_true(krl_has_key(k, &key));
	assert_false(krl_has_key(k, &other));
	krl_free(k);
	free(p);
	s.sha1_hashes = (const uint8_t(*)[20])sha1;
	s.nsha1_hashes = 2;
	p = encoded(&s, &len);
	k = decoded(p, len);
	assert_int_equal(krl_count_keys(k), 3);
	assert_true(krl_has_key(k, &key));
	assert_false(krl_has_key(k, &other));
	krl_free(k);
	free(p);
	key_release(&key);
	key_release(&other);
}

/* A key of no kind, for what is asked by hash alone. */
static struct key
key_of(uint8_t *blob, uint8_t n)
{
	struct key k = { .blob = blob, .blob_len = 1 };

	*blob = n;
	memset(k.hash, n, sizeof(k.hash));
	return k;
}

/* However many hashes there are, each is found and no other. */
static void
every_hash_is_found(void **state)
{
	uint8_t sha256[17][32], sha1[17][20], blob, first;
	struct sha1_ctx ctx;
	struct krl_spec s;
	struct krl *k;
	struct key key;
	size_t len;
	uint8_t *p, n, i;
	int form;

	(void)state;
	for (i = 0; i < 17; i++) {
		blob = (uint8_t)(2 * i + 1);
		memset(sha256[i], blob, 32);
		sha1_init(&ctx);
		sha1_update(&ctx, 1, &blob);
		sha1_digest(&ctx, 20, sha1[i]);
	}
	for (n = 1; n <= 17; n++) {
		for (form = 0; form < 2; form++) {
			s = (struct krl_spec){ .version = 1 };
			if (form == 0) {
				s.key_hashes = (const uint8_t(*)[32])sha256;
				s.nkey_hashes = n;
			} else {
				s.sha1_hashes = (const uint8_t(*)[20])sha1;
				s.nsha1_hashes = n;
			}
			p = encoded(&s, &len);
			k = decoded(p, len);
			for (i = 0; i <= 2 * n; i++) {
				key = key_of(&first, i);
				if (krl_has_key(k, &key) != (i % 2 == 1))
					fail_msg("%d of %d", i, n);
			}
			krl_free(k);
			free(p);
		}
	}
}

static void
I_E5_an_authority_is_its_own(void **state)
{
	struct key ca = load_key("ca"), old = load_key("old");
	struct key rsaca = load_key("rsaca");
	struct krl_range r1[] = { { 5, 5 } }, r2[] = { { 6, 9 } };
	const char *ids1[] = { "mira" };
	struct krl_ca cas[] = { { ca.blob, ca.blob_len, r1, 1, ids1, 1 },
		{ old.blob, old.blob_len, r2, 1, NULL, 0 },
		{ rsaca.blob, rsaca.blob_len, NULL, 0, NULL, 0 } };
	struct krl_spec s = { .cas = cas, .ncas = 3 };
	size_t len;
	uint8_t *p = encoded(&s, &len);
	struct krl *k = decoded(p, len);

	(void)state;
	assert_true(krl_has_cert(k, &ca, 5, NULL));
	assert_false(krl_has_cert(k, &ca, 6, NULL));
	assert_true(krl_has_cert(k, &old, 6, NULL));
	assert_false(krl_has_cert(k, &old, 5, NULL));
	assert_false(krl_has_cert(k, &rsaca, 5, "mira"));
	assert_true(krl_has_cert(k, &ca, 1, "mira"));
	assert_false(krl_has_cert(k, &old, 1, "mira"));
	assert_true(krl_count_serials(k) == 5);
	krl_free(k);
	free(p);
	key_release(&ca);
	key_release(&old);
	key_release(&rsaca);
}

/* The count of all serials ends at its top. */
static void
boundary_count(void **state)
{
	struct key ca = load_key("ca");
	struct krl_range r1[] = { { 1, UINT64_MAX } }, r2[] = { { 5, 6 } };
	struct krl_ca cas[] = { { ca.blob, ca.blob_len, r1, 1, NULL, 0 },
		{ NULL, 0, r2, 1, NULL, 0 } };
	struct krl_spec s = { .cas = cas, .ncas = 2 };
	size_t len;
	uint8_t *p = encoded(&s, &len);
	struct krl *k = decoded(p, len);

	(void)state;
	assert_true(krl_count_serials(k) == UINT64_MAX);
	krl_free(k);
	free(p);
	key_release(&ca);
}

/* ---- shortest ---- */

static uint64_t seed;

/* Below n; the same at each run (xorshift64*). */
static uint64_t
below(uint64_t n)
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return (seed * UINT64_C(2685821657736338717) >> 11) % n;
}

static uint64_t
cheapest(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* The fewest bytes for n sorted ranges, by trying each last part. */
static uint64_t
fewest(const struct krl_range *r, size_t n)
{
	uint64_t best[600] = { 0 }, count;
	size_t i, j;

	assert_in_range(n, 0, 599);
	for (j = 0; j < n; j++) {
		best[j + 1] = best[j] + 21;
		for (count = 0, i = j + 1; i-- > 0;) {
			count += r[i].hi - r[i].lo + 1;
			if (count < 10000)
				best[j + 1] = cheapest(best[j + 1],
				    best[i] + 5 + 8 * count);
			if (r[j].hi - r[i].lo < KRL_BITMAP_MAX)
				best[j + 1] = cheapest(best[j + 1],
				    best[i] + 18 + (r[j].hi - r[i].lo + 1) / 8);
		}
	}
	return best[n];
}

static bool
is_in(const struct krl_range *r, size_t n, uint64_t serial)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (serial >= r[i].lo && serial <= r[i].hi)
			return true;
	return false;
}

/* As many bytes as said, no bitmap too long, every serial and its neighbours
 * answered as the ranges have it. */
static void
check_ranges(const struct krl_range *given, size_t n)
{
	struct krl_range *r = calloc(n, sizeof(*r));
	struct key ca = load_key("ca");
	struct serials_part *parts;
	struct one *o = one_of(r, n);
	size_t len, i, nparts;
	struct krl *k;
	uint8_t *p;

	memcpy(r, given, n * sizeof(*r));
	p = encoded(&o->spec, &len);
	assert_int_equal(len, 44 + 13 + fewest(r, o->ca.nranges));
	assert_int_equal(serials_split(r, o->ca.nranges, &parts, &nparts), 0);
	for (i = 0; i < nparts; i++)
		if (parts[i].form == SERIALS_BITMAP)
			assert_in_range(r[parts[i].first + parts[i].n - 1].hi -
					    r[parts[i].first].lo,
			    0, KRL_BITMAP_MAX - 1);
	free(parts);
	k = decoded(p, len);
	for (i = 0; i < n; i++) {
		assert_true(krl_has_cert(k, &ca, given[i].lo, NULL));
		assert_true(krl_has_cert(k, &ca, given[i].hi, NULL));
		assert_int_equal(krl_has_cert(k, &ca, given[i].lo - 1, NULL),
		    is_in(given, n, given[i].lo - 1));
		assert_int_equal(krl_has_cert(k, &ca, given[i].hi + 1, NULL),
		    is_in(given, n, given[i].hi + 1));
	}
	krl_free(k);
	free(p);
	free(o);
	free(r);
	key_release(&ca);
}

static void
II_R6_shortest_of_random_lists(void **state)
{
	static const uint64_t steps[] = { 2, 3, 9, 40, 100, 200, 400, 3000,
		40000, UINT64_C(1) << 55 };
	static const uint64_t lengths[] = { 1, 2, 3, 4, 5, 30, 20000 };
	struct krl_range r[500], spare;
	size_t i, n, round, other;
	uint64_t at, step, length;

	(void)state;
	seed = 88172645463325252;
	for (round = 0; round < 600; round++) {
		n = 1 + below(round % 10 == 0 ? 500 : 40);
		step = steps[below(10)];
		length = lengths[below(7)];
		at = 1 + below(1000);
		for (i = 0; i < n; i++) {
			if (below(20) == 0)
				step = steps[below(9)];
			if (below(30) == 0)
				length = lengths[below(7)];
			r[i].lo = at + below(step);
			r[i].hi = r[i].lo + below(length);
			at = r[i].hi + (below(8) == 0 ? 0 : 1);
		}
		for (i = 0; i < n; i++) { /* shuffled */
			other = below(n);
			spare = r[i];
			r[i] = r[other];
			r[other] = spare;
		}
		check_ranges(r, n);
	}
}

static void
boundary_ranges(void **state)
{
	const struct krl_range top[] = { { UINT64_MAX, UINT64_MAX },
		{ UINT64_MAX - 2, UINT64_MAX - 2 },
		{ UINT64_MAX - 4, UINT64_MAX - 4 }, { 1, 1 } };
	const struct krl_range touching[] = { { 5, 9 }, { 10, 12 }, { 1, 4 } };
	const struct krl_range nested[] = { { 5, 90 }, { 10, 12 }, { 90, 91 } };
	struct krl_range joined[3];
	size_t n = 3;

	(void)state;
	check_ranges(top, 4);
	check_ranges(touching, 3);
	check_ranges(nested, 3);
	memcpy(joined, touching, sizeof(joined));
	assert_int_equal(serials_sort(joined, &n), 0);
	assert_int_equal(n, 1);
	assert_true(joined[0].lo == 1 && joined[0].hi == 12);
}

/* Every other serial, up to several bitmaps. */
static void
I_E3_alternating_serials(void **state)
{
	static const size_t counts[] = { 1, 2, 3, 4, 5, 16, 7999, 8000, 8001,
		8192, 8193, 16000, 16001, 50000, 100000 };
	struct krl_range *r = calloc(100000, sizeof(*r));
	struct key ca = load_key("ca");
	struct krl *k;
	uint64_t serial;
	struct one *o;
	size_t c, i, len;
	uint8_t *p;

	(void)state;
	assert_non_null(r);
	for (c = 0; c < sizeof(counts) / sizeof(counts[0]); c++) {
		for (i = 0; i < counts[c]; i++)
			r[i].lo = r[i].hi = 2 * i + 1;
		o = one_of(r, counts[c]);
		p = encoded(&o->spec, &len);
		k = decoded(p, len); /* no bitmap over the bound */
		assert_true(krl_count_serials(k) == counts[c]);
		for (serial = 1; serial <= 2 * counts[c] + 1; serial++)
			assert_int_equal(krl_has_cert(k, &ca, serial, NULL),
			    serial % 2 == 1 && serial < 2 * counts[c]);
		krl_free(k);
		free(p);
		free(o);
	}
	free(r);
	key_release(&ca);
}

/* Two million serials far apart are over 16 MiB; one and a half are not. */
static void
boundary_size(void **state)
{
	const size_t n = KRL_MAX / 8 + 1;
	struct krl_range *r = calloc(n, sizeof(*r));
	struct one *o = one_of(r, n);
	struct krl *k;
	size_t i, len;
	uint8_t *p;

	(void)state;
	assert_non_null(r);
	for (i = 0; i < n; i++)
		r[i].lo = r[i].hi = 1 + (i * 7919 % n) * 1000000007;
	not_encoded(&o->spec, AAD_ETOOBIG);
	o->ca.nranges = 1500000;
	p = encoded(&o->spec, &len);
	assert_int_equal(len, 44 + 13 + 5 + 8 * 1500000);
	k = decoded(p, len);
	assert_true(krl_count_serials(k) == 1500000);
	krl_free(k);
	free(p);
	free(o);
	free(r);
}

/* ---- every piece ---- */

struct seen {
	char text[1024]; /* "5-7 mira key hash32 " */
	uint64_t serials;
	size_t keys;
	int any; /* pieces of any authority */
	int left; /* calls until one returns 77 */
};

static int
see(struct seen *s, const char *what)
{
	size_t len = strlen(s->text);

	snprintf(s->text + len, sizeof(s->text) - len, "%s ", what);
	return s->left > 0 && --s->left == 0 ? 77 : 0;
}

static int
see_serials(void *arg, const uint8_t *ca, size_t calen, uint64_t lo,
    uint64_t hi)
{
	struct seen *s = arg;
	char what[64];

	assert_int_equal(ca == NULL, calen == 0);
	s->any += ca == NULL;
	s->serials += hi - lo + 1;
	snprintf(what, sizeof(what), "%" PRIu64 "-%" PRIu64, lo, hi);
	return see(s, what);
}

static int
see_key_id(void *arg, const uint8_t *ca, size_t calen, const char *id)
{
	struct seen *s = arg;

	assert_int_equal(ca == NULL, calen == 0);
	s->any += ca == NULL;
	return see(s, id);
}

static int
see_key(void *arg, const uint8_t *blob, size_t len)
{
	struct seen *s = arg;

	assert_true(blob != NULL && len > 0);
	s->keys++;
	return see(s, "key");
}

static int
see_hash(void *arg, const uint8_t *hash, size_t len)
{
	struct seen *s = arg;

	assert_non_null(hash);
	s->keys++;
	return see(s, len == 20 ? "sha1" : len == 32 ? "sha256" : "what");
}

static int
walk(const char *list, struct seen *s, int left)
{
	const struct krl_visit v = { s, see_serials, see_key_id, see_key,
		see_hash };
	struct bytes b = load_list(list);
	struct krl *k = decoded(b.p, b.len);
	int r;

	memset(s, 0, sizeof(*s));
	s->left = left;
	r = krl_each(k, &v);
	if (r == 0) {
		assert_true(s->serials == krl_count_serials(k));
		assert_int_equal(s->keys, krl_count_keys(k));
	}
	krl_free(k);
	return r;
}

static void
valid_every_piece(void **state)
{
	static const char *const lists[] = { "empty", "serials", "range",
		"bitmap", "mixed", "ids", "any", "keys", "hashes", "sha1",
		"all", "two" };
	struct seen s;
	size_t i;
	int left;

	(void)state;
	for (i = 0; i < LISTS; i++)
		assert_int_equal(walk(lists[i], &s, 0), 0);
	assert_int_equal(walk("serials", &s, 0), 0);
	assert_string_equal(s.text,
	    "5-5 1000000-1000000 9000000000000000000-9000000000000000000 "
	    "18446744073709551615-18446744073709551615 ");
	assert_int_equal(s.any, 0);
	assert_int_equal(walk("any", &s, 0), 0);
	assert_true(s.any > 0);
	assert_int_equal(walk("all", &s, 0), 0);
	assert_non_null(strstr(s.text, "mira key sha1 sha256 "));
	for (left = 1; walk("all", &s, left) != 0; left++)
		assert_in_range(left, 1, 7);
	assert_in_range(left, 6, 8); /* each piece could end the walk */
}

static void
no_memory_for_a_key_id(void **state)
{
	struct seen s = { .left = 0 };
	const struct krl_visit v = { &s, see_serials, see_key_id, see_key,
		see_hash };
	struct bytes b = load_list("ids");
	struct krl *k = decoded(b.p, b.len);

	(void)state;
	fault_arm(FAULT_ALLOC, 2, ENOMEM);
	assert_int_equal(krl_each(k, &v), AAD_ENOMEM);
	assert_true(fault_disarm());
	assert_string_equal(s.text, "a ");
	krl_free(k);
}

/* ---- failing allocations ---- */

static void
no_memory(void **state)
{
	struct key ca = load_key("ca");
	uint8_t hash[1][32] = { { 1 } };
	const char *key_ids[] = { "a" };
	struct krl_range r[3];
	struct krl_ca cas[] = { { ca.blob, ca.blob_len, r, 0, key_ids, 1 } };
	struct krl_spec s = { .cas = cas,
		.ncas = 1,
		.keys = &ca,
		.nkeys = 1,
		.key_hashes = (const uint8_t(*)[32])hash,
		.nkey_hashes = 1 };
	struct krl *k = NULL;
	uint8_t *p = NULL;
	unsigned int i;
	size_t len;
	int ret;

	(void)state;
	for (i = 1;; i++) {
		r[0].lo = r[0].hi = 900;
		r[1].lo = r[1].hi = 5;
		r[2].lo = r[2].hi = 7;
		cas[0].nranges = 3;
		fault_arm(FAULT_ALLOC, i, ENOMEM);
		ret = krl_encode(&s, &p, &len);
		if (!fault_disarm())
			break;
		assert_int_equal(ret, AAD_ENOMEM);
		assert_null(p);
	}
	assert_int_equal(ret, 0);
	assert_int_equal(i, 10); /* each fault was felt */
	for (i = 1;; i++) {
		fault_arm(FAULT_ALLOC, i, ENOMEM);
		ret = krl_decode(p, len, &k);
		if (!fault_disarm())
			break;
		assert_int_equal(ret, AAD_ENOMEM);
		assert_null(k);
	}
	assert_int_equal(ret, 0);
	assert_int_equal(i, 6); /* list, blob, authorities, key, parts */
	krl_free(k);
	free(p);
	key_release(&ca);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(valid_all_that_ssh_keygen_makes),
		cmocka_unit_test(valid_answers),
		cmocka_unit_test(valid_keys),
		cmocka_unit_test(I_E3_dense_bitmap_of_ssh_keygen),
		cmocka_unit_test(wrong_head),
		cmocka_unit_test(I_E1_nothing_is_no_list),
		cmocka_unit_test(wrong_serials),
		cmocka_unit_test(I_C7_serial_0_is_never_read),
		cmocka_unit_test(wrong_bitmaps),
		cmocka_unit_test(I_E3_bitmap_bound_of_sshd),
		cmocka_unit_test(wrong_key_ids),
		cmocka_unit_test(wrong_sections),
		cmocka_unit_test(wrong_authorities),
		cmocka_unit_test(authorities_in_any_order),
		cmocka_unit_test(wrong_size),
		cmocka_unit_test(II_R7_every_damage),
		cmocka_unit_test(II_R3_empty_list),
		cmocka_unit_test(I_C7_serial_0_is_never_written),
		cmocka_unit_test(wrong_specs),
		cmocka_unit_test(valid_sorted),
		cmocka_unit_test(valid_hashes),
		cmocka_unit_test(every_hash_is_found),
		cmocka_unit_test(I_E5_an_authority_is_its_own),
		cmocka_unit_test(boundary_count),
		cmocka_unit_test(II_R6_shortest_of_random_lists),
		cmocka_unit_test(boundary_ranges),
		cmocka_unit_test(I_E3_alternating_serials),
		cmocka_unit_test(boundary_size),
		cmocka_unit_test(valid_every_piece),
		cmocka_unit_test(no_memory_for_a_key_id),
		cmocka_unit_test(no_memory),
	};

	return cmocka_run_group_tests_name("krl", tests, NULL, NULL);
}
