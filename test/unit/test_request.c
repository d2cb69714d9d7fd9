/* SPDX-License-Identifier: ISC */

/*
 * ca/signer/request: the framing of a request and its replies.
 */

#include <stdlib.h>
#include <string.h>

#include "ca/signer/request.h"
#include "test/unit/fault.h"
#include "test/unit/mutate.h"
#include "test/unit/unit.h"

#define HASH "0123456789abcdef0123456789abcdef"

static struct request rq; /* 14 kB */

/* A whole message of what a request for a certificate holds. */
static void
write_good(struct wirebuf *b)
{
	*b = wirebuf_new();
	request_begin(b, REQUEST_SIGN);
	request_put(b, REQUEST_L_KEY, "\0\xff\nkey", 6);
	request_put_text(b, REQUEST_L_TOKEN, "a.b.c");
	request_put_text(b, REQUEST_L_LOGIN, "alice");
	request_put_text(b, REQUEST_L_LOGIN, "deploy");
	request_put_u64(b, REQUEST_L_TTL, 3600);
	request_put_text(b, REQUEST_L_SOURCE, "192.0.2.0/24");
	request_put_flag(b, REQUEST_L_DRY_RUN);
	request_put_text(b, REQUEST_L_CONTEXT, "via=sign");
	request_end(b);
}

static int
parse(const struct wirebuf *b)
{
	enum request_op op;
	size_t len;
	int r;

	assert_int_equal(b->r, 0);
	if ((r = request_head(b->p, REQUEST_REPLY_MAX, &op, &len)) != 0)
		return r;
	assert_int_equal(len, b->len - REQUEST_HEAD_LEN);
	return request_parse(op, b->p + REQUEST_HEAD_LEN, len, &rq);
}

static void
valid_message(void **state)
{
	struct wirebuf b;
	uint64_t n;
	char *s;

	(void)state;
	write_good(&b);
	assert_int_equal(parse(&b), 0);
	assert_int_equal(rq.op, REQUEST_SIGN);
	assert_int_equal(rq.n, 8);
	assert_int_equal(request_get(&rq, REQUEST_L_KEY, 0)->len, 6);
	assert_null(request_get(&rq, REQUEST_L_KEY, 1));
	assert_null(request_get(&rq, REQUEST_L_NAME, 0));
	assert_int_equal(request_text(&rq, REQUEST_L_LOGIN, 1, &s), 0);
	assert_string_equal(s, "deploy");
	free(s);
	assert_int_equal(request_text(&rq, REQUEST_L_LOGIN, 2, &s), AAD_ENOENT);
	assert_null(s);
	assert_int_equal(request_u64(&rq, REQUEST_L_TTL, &n), 0);
	assert_int_equal(n, 3600);
	assert_int_equal(request_u64(&rq, REQUEST_L_SERIAL, &n), AAD_ENOENT);
	assert_int_equal(n, 0);
	wirebuf_release(&b);

	b = wirebuf_new();
	request_begin(&b, REQUEST_VERIFY);
	request_end(&b);
	assert_int_equal(parse(&b), 0);
	assert_int_equal(rq.n, 0);
	wirebuf_release(&b);
}

/* Every label, with what its form may hold and may not. */
static void
junk_forms(void **state)
{
	static const struct {
		enum request_label label;
		const char *p;
		size_t len;
		int r;
	} rows[] = {
		{ REQUEST_L_KEY, "\0\n\x7f", 3, 0 },
		{ REQUEST_L_TOKEN, "a\0b", 3, AAD_EFORMAT },
		{ REQUEST_L_LOGIN, "a\nb", 3, AAD_EFORMAT },
		{ REQUEST_L_LOGIN, "a\x1b[0m", 5, AAD_EFORMAT },
		{ REQUEST_L_LOGIN, "a\x7f", 2, AAD_EFORMAT },
		{ REQUEST_L_LOGIN, "", 0, 0 },
		{ REQUEST_L_TTL, "1234567", 7, AAD_EFORMAT },
		{ REQUEST_L_TTL, "12345678", 8, 0 },
		{ REQUEST_L_TTL, "123456789", 9, AAD_EFORMAT },
		{ REQUEST_L_SOURCE, "10.0.0.0/8\t", 11, AAD_EFORMAT },
		{ REQUEST_L_DRY_RUN, "", 0, 0 },
		{ REQUEST_L_DRY_RUN, "1", 1, AAD_EFORMAT },
		{ REQUEST_L_CONTEXT, "a\rb", 3, AAD_EFORMAT },
		{ REQUEST_L_NAME, "\1", 1, AAD_EFORMAT },
		{ REQUEST_L_OID, "\0", 1, AAD_EFORMAT },
		{ REQUEST_L_USER, "\xc3\xa4", 2, 0 },
		{ REQUEST_L_HASH, HASH, 32, 0 },
		{ REQUEST_L_HASH, HASH, 31, AAD_EFORMAT },
		{ REQUEST_L_CA_HASH, HASH "x", 33, AAD_EFORMAT },
		{ REQUEST_L_SERIAL, "", 0, AAD_EFORMAT },
		{ REQUEST_L_SINCE, "1234", 4, AAD_EFORMAT },
		{ REQUEST_L_VALID, "\0", 1, AAD_EFORMAT },
		{ REQUEST_L_TEXT, "a\vb", 3, AAD_EFORMAT },
		{ REQUEST_L_NOW, "x", 1, AAD_EFORMAT },
		{ REQUEST_L_IMPORT, "a\r\n\tb", 5, 0 },
		{ REQUEST_L_IMPORT, "a\0b", 3, AAD_EFORMAT },
		{ REQUEST_L_SECRET, "a\x1b", 2, AAD_EFORMAT },
		{ REQUEST_L_USER_CA, "\0", 1, 0 },
		{ REQUEST_L_HOST_CA, "\n", 1, 0 },
		{ REQUEST_L_VERSION, "12", 2, AAD_EFORMAT },
		{ REQUEST_L_DATA, "\0\1", 2, 0 },
		{ REQUEST_L_JSON, "{\"a\":\"\x7f\"}", 9, 0 },
		{ REQUEST_L_JSON, "{\n}", 3, AAD_EFORMAT },
		{ REQUEST_L_CODE, "", 0, AAD_EFORMAT },
		{ REQUEST_L_REASON, "a\n", 2, AAD_EFORMAT },
		{ 0, "", 0, AAD_EFORMAT },
		{ REQUEST_L_MAX + 1, "", 0, AAD_EFORMAT },
		{ 0x0101, "", 0, AAD_EFORMAT },
	};
	struct wirebuf b;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		b = wirebuf_new();
		request_begin(&b, REQUEST_SIGN);
		request_put(&b, rows[i].label, rows[i].p, rows[i].len);
		request_end(&b);
		if (parse(&b) != rows[i].r)
			fail_msg("row %zu", i);
		assert_int_equal(rq.n, rows[i].r == 0 ? 1 : 0);
		wirebuf_release(&b);
	}
}

/* Labels ascend; only some may stand twice. */
static void
wrong_order(void **state)
{
	unsigned int label, next;
	size_t repeat = 0;
	struct wirebuf b;
	int r;

	(void)state;
	for (label = 1; label <= REQUEST_L_MAX; label++)
		for (next = 1; next <= label; next++) {
			static const uint8_t value[32];
			const size_t lens[] = { 0, 8, 32 };
			size_t i, k;

			for (i = 0; i < 3; i++)
				for (k = 0; k < 3; k++) {
					b = wirebuf_new();
					request_begin(&b, REQUEST_LIST);
					request_put(&b, label, value, lens[i]);
					request_put(&b, next, value, lens[k]);
					request_end(&b);
					r = parse(&b);
					if (r == 0 && label != next)
						fail_msg("%u %u", label, next);
					repeat += r == 0 && i == 0 && k == 0;
					wirebuf_release(&b);
				}
		}
	/* LOGIN, SOURCE, NAME, DATA */
	assert_int_equal(repeat, 4);
}

static void
boundary_fields(void **state)
{
	struct wirebuf b;
	int i;

	(void)state;
	b = wirebuf_new();
	request_begin(&b, REQUEST_SIGN);
	for (i = 0; i < REQUEST_FIELDS_MAX; i++)
		request_put_text(&b, REQUEST_L_LOGIN, "a");
	request_end(&b);
	assert_int_equal(parse(&b), 0);
	assert_int_equal(rq.n, REQUEST_FIELDS_MAX);
	request_put_text(&b, REQUEST_L_LOGIN, "a");
	request_end(&b);
	assert_int_equal(parse(&b), AAD_ETOOBIG);
	assert_int_equal(rq.n, 0);
	wirebuf_release(&b);
}

static void
boundary_head(void **state)
{
	uint8_t head[REQUEST_HEAD_LEN] = "aadssh1\n\0\0\0\1\0\2\0";
	enum request_op op;
	size_t len;

	(void)state;
	head[15] = 0; /* 131072 */
	assert_int_equal(request_head(head, REQUEST_MAX, &op, &len), 0);
	assert_int_equal(len, REQUEST_MAX);
	assert_int_equal(op, REQUEST_SIGN);
	head[15] = 1;
	assert_int_equal(request_head(head, REQUEST_MAX, &op, &len),
	    AAD_ETOOBIG);
	assert_int_equal(len, 0);
	assert_int_equal(op, REQUEST_NONE);
	memset(head + 12, 0xff, 4);
	assert_int_equal(request_head(head, REQUEST_REPLY_MAX, &op, &len),
	    AAD_ETOOBIG);
	memset(head + 12, 0, 4);
	head[11] = REQUEST_END;
	assert_int_equal(request_head(head, 0, &op, &len), 0);
	assert_int_equal(op, REQUEST_END);
	head[11] = REQUEST_END + 1;
	assert_int_equal(request_head(head, 0, &op, &len), AAD_EFORMAT);
	head[8] = 0x80;
	assert_int_equal(request_head(head, 0, &op, &len), AAD_EFORMAT);
}

/* A damaged length field must not count from where the bytes end. */
static void
walk(const uint8_t *p, size_t len, enum mutation how, size_t at, void *arg)
{
	size_t i, *accepted = arg;

	(void)at;
	if (request_parse(REQUEST_SIGN, p, len, &rq) != 0) {
		assert_int_equal(rq.n, 0);
		return;
	}
	assert_int_not_equal(how, MUTATE_APPEND);
	for (i = 0; i < rq.n; i++) {
		assert_true(rq.fields[i].p >= p);
		assert_true(rq.fields[i].p + rq.fields[i].len <= p + len);
	}
	(*accepted)++;
}

static void
I_D7_every_small_damage(void **state)
{
	struct wirebuf b;
	size_t accepted = 0;

	(void)state;
	write_good(&b);
	mutate_walk(b.p + REQUEST_HEAD_LEN, b.len - REQUEST_HEAD_LEN, walk,
	    &accepted);
	assert_true(accepted > 0); /* flips inside a text are another text */
	wirebuf_release(&b);
}

static void
no_memory(void **state)
{
	struct wirebuf b;
	uint8_t *out;
	unsigned int k;
	size_t len;
	char *s;
	int r;

	(void)state;
	for (k = 1;; k++) {
		fault_arm(FAULT_ALLOC, k, 0);
		write_good(&b);
		r = wirebuf_take(&b, &out, &len);
		if (!fault_disarm())
			break;
		assert_int_equal(r, AAD_ENOMEM);
		wirebuf_release(&b);
	}
	assert_int_equal(r, 0);
	assert_int_equal(request_parse(REQUEST_SIGN, out + REQUEST_HEAD_LEN,
			     len - REQUEST_HEAD_LEN, &rq),
	    0);
	fault_arm(FAULT_ALLOC, 1, 0);
	r = request_text(&rq, REQUEST_L_TOKEN, 0, &s);
	assert_true(fault_disarm());
	assert_int_equal(r, AAD_ENOMEM);
	assert_null(s);
	free(out);
}

/* The one code that is another one here. */
static void
codes(void **state)
{
	(void)state;
	assert_int_equal(request_exit(AAD_R_ALLOWED), 0);
	assert_int_equal(request_exit(AAD_R_TOKEN_USED), 1);
	assert_int_equal(request_exit(AAD_R_LEDGER), 3);
	assert_int_equal(reason_exit(AAD_R_UNKNOWN_KID), 1);
	assert_int_equal(request_exit(AAD_R_UNKNOWN_KID), 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(valid_message),
		cmocka_unit_test(junk_forms),
		cmocka_unit_test(wrong_order),
		cmocka_unit_test(boundary_fields),
		cmocka_unit_test(boundary_head),
		cmocka_unit_test(I_D7_every_small_damage),
		cmocka_unit_test(no_memory),
		cmocka_unit_test(codes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
