/* SPDX-License-Identifier: ISC */

#include "test/unit/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ssh/wire.h"
#include "test/unit/fault.h"

/* What b holds is these bytes; takes it. */
static void
assert_written(struct wirebuf *b, const void *want, size_t len)
{
	uint8_t *p;
	size_t n;

	assert_int_equal(wirebuf_take(b, &p, &n), 0);
	assert_int_equal(n, len);
	assert_non_null(p);
	assert_memory_equal(p, want, len);
	free(p);
}

static void
assert_new(const struct wirebuf *b)
{
	assert_null(b->p);
	assert_int_equal(b->len, 0);
	assert_int_equal(b->cap, 0);
	assert_int_equal(b->r, 0);
}

static void
valid_every_type(void **state)
{
	static const uint8_t want[] = "\x07" /* u8 */
				      "\x01\x02\x03\x04" /* u32 */
				      "\x01\x02\x03\x04\x05\x06\x07\x08"
				      "raw"
				      "\0\0\0\3a\0b"
				      "\0\0\0\4text"
				      "\0\0\0\0";
	struct wirebuf b = wirebuf_new();

	(void)state;
	assert_new(&b);
	wire_put_u8(&b, 7);
	wire_put_u32(&b, 0x01020304);
	wire_put_u64(&b, UINT64_C(0x0102030405060708));
	wire_put_raw(&b, "raw", 3);
	wire_put_string(&b, "a\0b", 3);
	wire_put_text(&b, "text");
	wire_put_string(&b, NULL, 0);
	assert_written(&b, want, sizeof(want) - 1);
	assert_new(&b);
}

static void
empty_is_handed_over_too(void **state)
{
	struct wirebuf b = wirebuf_new();

	(void)state;
	wire_put_raw(&b, NULL, 0);
	assert_written(&b, "", 0);
	wirebuf_release(&b);
	assert_new(&b);
}

static void
I_D7_mpints_are_written_in_one_form(void **state)
{
	static const struct {
		const char *magnitude;
		size_t len;
		const char *want;
		size_t want_len;
	} rows[] = {
		{ "", 0, "\0\0\0\0", 4 },
		{ "\0\0", 2, "\0\0\0\0", 4 },
		{ "\x01", 1, "\0\0\0\1\x01", 5 },
		{ "\0\0\x7f\0", 4, "\0\0\0\2\x7f\0", 6 },
		{ "\x80", 1, "\0\0\0\2\0\x80", 6 },
		{ "\0\xff\x01", 3, "\0\0\0\3\0\xff\x01", 7 },
	};
	struct wirebuf b = wirebuf_new();
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		wire_put_mpint(&b, (const uint8_t *)rows[i].magnitude,
		    rows[i].len);
		assert_written(&b, rows[i].want, rows[i].want_len);
	}
}

static void
strings_nest(void **state)
{
	static const char want[] = "\0\0\0\x0d"
				   "\0\0\0\1a"
				   "\0\0\0\4"
				   "\0\0\0\0"
				   "\xff";
	struct wirebuf b = wirebuf_new();
	size_t outer, inner, innermost;

	(void)state;
	outer = wire_put_begin(&b);
	wire_put_text(&b, "a");
	inner = wire_put_begin(&b);
	innermost = wire_put_begin(&b);
	wire_put_end(&b, innermost);
	wire_put_end(&b, inner);
	wire_put_end(&b, outer);
	wire_put_u8(&b, 0xff);
	assert_written(&b, want, sizeof(want) - 1);
}

/* Grown byte by byte, so that each size is met, and read again. */
static void
what_is_written_survives_growth(void **state)
{
	struct wirebuf b = wirebuf_new();
	struct wire w;
	uint32_t n, i;

	(void)state;
	for (i = 0; i < 20000; i++)
		wire_put_u32(&b, i);
	assert_int_equal(b.r, 0);
	w = wire_of(b.p, b.len);
	for (i = 0; i < 20000; i++) {
		assert_int_equal(wire_u32(&w, &n), 0);
		assert_int_equal(n, i);
	}
	assert_true(wire_end(&w));
	wirebuf_release(&b);
	assert_new(&b);
}

/* Everything that can be put does nothing behind an error. */
static void
put_all(struct wirebuf *b)
{
	size_t at;

	wire_put_u8(b, 1);
	wire_put_u32(b, 1);
	wire_put_u64(b, 1);
	wire_put_raw(b, "x", 1);
	wire_put_string(b, "x", 1);
	wire_put_text(b, "x");
	wire_put_mpint(b, (const uint8_t *)"\xff", 1);
	at = wire_put_begin(b);
	wire_put_end(b, at);
}

static void
boundary_too_big(void **state)
{
	struct wirebuf b = wirebuf_new();
	static uint8_t most[1U << 20];
	uint8_t *p = most;
	size_t i, n = 1;

	(void)state;
	for (i = 0; i < WIREBUF_MAX / sizeof(most); i++)
		wire_put_raw(&b, most, sizeof(most));
	assert_int_equal(b.r, 0);
	assert_int_equal(b.len, WIREBUF_MAX);
	wire_put_u8(&b, 0);
	assert_int_equal(b.r, AAD_ETOOBIG);
	put_all(&b);
	assert_int_equal(b.len, WIREBUF_MAX);
	assert_int_equal(wirebuf_take(&b, &p, &n), AAD_ETOOBIG);
	assert_null(p);
	assert_int_equal(n, 0);
	assert_new(&b);
	/* a length that wraps */
	wire_put_u8(&b, 0);
	wire_put_raw(&b, most, SIZE_MAX);
	assert_int_equal(b.r, AAD_ETOOBIG);
	wirebuf_release(&b);
#if SIZE_MAX > UINT32_MAX
	wire_put_string(&b, most, (size_t)UINT32_MAX + 2);
	assert_int_equal(wirebuf_take(&b, &p, &n), AAD_ETOOBIG);
#endif
}

static void
no_memory(void **state)
{
	struct wirebuf b;
	unsigned int k;
	uint8_t *p;
	size_t n;
	int i, r;

	(void)state;
	for (k = 1;; k++) {
		b = wirebuf_new();
		fault_arm(FAULT_ALLOC, k, ENOMEM);
		for (i = 0; i < 40; i++)
			put_all(&b);
		r = wirebuf_take(&b, &p, &n);
		if (!fault_disarm())
			break;
		assert_int_equal(r, AAD_ENOMEM);
		assert_null(p);
		assert_int_equal(n, 0);
		assert_new(&b);
	}
	assert_int_equal(r, 0);
	assert_int_equal(k, 5); /* 256, 512, 1024, 2048 */
	free(p);
	fault_arm(FAULT_ALLOC, 1, ENOMEM);
	r = wirebuf_take(&b, &p, &n);
	assert_true(fault_disarm());
	assert_int_equal(r, AAD_ENOMEM);
	assert_null(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(valid_every_type),
		cmocka_unit_test(empty_is_handed_over_too),
		cmocka_unit_test(I_D7_mpints_are_written_in_one_form),
		cmocka_unit_test(strings_nest),
		cmocka_unit_test(what_is_written_survives_growth),
		cmocka_unit_test(boundary_too_big),
		cmocka_unit_test(no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
