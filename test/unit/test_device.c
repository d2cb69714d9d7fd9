/* SPDX-License-Identifier: ISC */

/* The device flow: what a provider may say, and when to ask it again. */

#include "test/unit/unit.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "idp/device.h"
#include "test/unit/fault.h"
#include "test/unit/mutate.h"

#define VECTOR	  "test/vectors/entra/devicecode_response.json"
#define AUTHORITY "https://login.microsoftonline.com"
#define COUNT(a)  (sizeof(a) / sizeof((a)[0]))

/* --- the start response ------------------------------------------------ */

/* Whatever was let through is fit to be shown and to be counted with. */
static void
check_device(const struct device *d)
{
	size_t i;

	assert_true(cloud_page_ok(AUTHORITY, true, d->url));
	assert_true(d->code[0] != '\0');
	assert_in_range(strlen(d->user_code), 1, DEVICE_USER_CODE_MAX);
	for (i = 0; d->user_code[i] != '\0'; i++)
		assert_in_range(d->user_code[i], '!', '~');
	assert_in_range(d->life, 1, DEVICE_LIFE_MAX);
	assert_in_range(d->interval, 1, DEVICE_INTERVAL_MAX);
}

static int
parse(const char *text, size_t len)
{
	struct device d;
	const char *why;
	int r = device_parse(text, len, AUTHORITY, true, &d, &why);

	if (r == 0) {
		check_device(&d);
		assert_null(why);
	} else {
		assert_true(r == AAD_EREFUSED || r == AAD_ENOMEM);
		assert_non_null(why);
		assert_null(d.code);
	}
	device_release(&d);
	return r;
}

static void
valid_start_response(void **state)
{
	char text[4096];
	struct device d;
	const char *why;
	size_t len;
	FILE *f = fopen(VECTOR, "r");

	(void)state;
	assert_non_null(f);
	len = fread(text, 1, sizeof(text), f);
	fclose(f);
	assert_int_equal(device_parse(text, len, AUTHORITY, true, &d, &why), 0);
	assert_string_equal(d.user_code, "K7QHW3ZRT");
	assert_string_equal(d.url, "https://login.microsoft.com/device");
	assert_int_equal(d.life, 900);
	assert_int_equal(d.interval, 5);
	assert_true(strlen(d.code) > 150);
	device_release(&d);
	device_release(&d);
	device_release(NULL);
	/* Microsoft's page is no page of another provider. */
	assert_int_equal(device_parse(text, len, AUTHORITY, false, &d, &why),
	    AAD_EREFUSED);
}

#define START(code, user, url, rest)                                           \
	"{\"device_code\":" code ",\"user_code\":" user                        \
	",\"verification_uri\":" url rest "}"
#define CODE "\"dc\""
#define USER "\"ABCD-1234\""
#define URL  "\"https://microsoft.com/devicelogin\""
#define LIFE ",\"expires_in\":900"

static void
start_responses_of_every_shape(void **state)
{
	static const struct {
		const char *text;
		int64_t life, interval; /* 0: refused */
	} rows[] = {
		{ START(CODE, USER, URL, LIFE), 900, 5 },
		{ START(CODE, USER, URL, LIFE ",\"interval\":7"), 900, 7 },
		{ START(CODE, USER, URL, ",\"expires_in\":\"60\""), 60, 5 },
		{ START(CODE, USER, URL, LIFE ",\"interval\":\"10\""), 900,
		    10 },
		{ START(CODE, USER, URL, LIFE ",\"interval\":0"), 900, 1 },
		{ START(CODE, USER, URL, LIFE ",\"interval\":300"), 900, 300 },
		{ START(CODE, USER, URL, ",\"expires_in\":1"), 1, 5 },
		{ START(CODE, USER, URL, ",\"expires_in\":86400"),
		    DEVICE_LIFE_MAX, 5 },
		{ START(CODE, USER, URL,
		      LIFE ",\"message\":\"\\u001b[2Jcall 555\","
			   "\"verification_uri_complete\":\"http://evil\""),
		    900, 5 },
		{ START(CODE, USER, URL, ""), 0, 0 },
		{ START(CODE, USER, URL, ",\"expires_in\":0"), 0, 0 },
		{ START(CODE, USER, URL, ",\"expires_in\":-1"), 0, 0 },
		{ START(CODE, USER, URL, ",\"expires_in\":900.5"), 0, 0 },
		{ START(CODE, USER, URL, ",\"expires_in\":null"), 0, 0 },
		{ START(CODE, USER, URL, ",\"expires_in\":\"\""), 0, 0 },
		{ START(CODE, USER, URL, ",\"expires_in\":\"9e2\""), 0, 0 },
		{ START(CODE, USER, URL, ",\"expires_in\":\" 900\""), 0, 0 },
		{ START(CODE, USER, URL, ",\"expires_in\":9223372036854775807"),
		    0, 0 },
		{ START(CODE, USER, URL,
		      ",\"expires_in\":\"99999999999999999999\""),
		    0, 0 },
		{ START(CODE, USER, URL, LIFE ",\"interval\":301"), 0, 0 },
		{ START(CODE, USER, URL, LIFE ",\"interval\":-5"), 0, 0 },
		{ START(CODE, USER, URL, LIFE ",\"interval\":[5]"), 0, 0 },
		{ START("\"\"", USER, URL, LIFE), 0, 0 },
		{ START("5", USER, URL, LIFE), 0, 0 },
		{ START(CODE, "\"\"", URL, LIFE), 0, 0 },
		{ START(CODE, "12345678", URL, LIFE), 0, 0 },
		{ START(CODE, "\"AB CD\"", URL, LIFE), 0, 0 },
		{ START(CODE, "\"123456789012345678901234567890123\"", URL,
		      LIFE),
		    0, 0 },
		{ START(CODE, USER, "null", LIFE), 0, 0 },
		{ START(CODE, USER, URL, LIFE ",\"user_code\":\"B\""), 0, 0 },
		{ "{\"error\":\"invalid_client\"}", 0, 0 },
		{ "{}", 0, 0 },
		{ "[]", 0, 0 },
		{ "", 0, 0 },
	};
	struct device d;
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		int r = device_parse(rows[i].text, strlen(rows[i].text),
		    AUTHORITY, true, &d, &why);
		if ((r == 0) != (rows[i].life != 0))
			fail_msg("%s", rows[i].text);
		assert_int_equal(d.life, rows[i].life);
		assert_int_equal(d.interval, rows[i].interval);
		device_release(&d);
	}
}

static void
I_C20_what_is_shown_is_judged(void **state)
{
	static const char *const texts[] = {
		START(CODE, "\"\\u001b[31mEVIL\"", URL, LIFE),
		START(CODE, "\"A\\u0000B\"", URL, LIFE),
		START(CODE, "\"A\\nB\"", URL, LIFE),
		START(CODE, "\"\\u202eABC\"", URL, LIFE),
		START(CODE, USER, "\"http://microsoft.com/devicelogin\"", LIFE),
		START(CODE, USER, "\"https://evil.test/devicelogin\"", LIFE),
		START(CODE, USER, "\"https://microsoft.com/\\u001b[2J\"", LIFE),
		START(CODE, USER, "\"https://microsoft.com@evil.test/\"", LIFE),
		START(CODE, USER, "\"https://microsoft.com/a b\"", LIFE),
		START(CODE, USER, "\"file:///etc/passwd\"", LIFE),
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(texts); i++)
		if (parse(texts[i], strlen(texts[i])) != AAD_EREFUSED)
			fail_msg("%s", texts[i]);
}

static void
boundary_lengths_of_a_start_response(void **state)
{
	char *text = malloc(DEVICE_REPLY_MAX + 2), *code;
	size_t len;
	int i;

	(void)state;
	code = calloc(1, DEVICE_CODE_MAX + 2);
	assert_non_null(text);
	assert_non_null(code);
	for (i = 0; i <= 1; i++) {
		memset(code, 'x', DEVICE_CODE_MAX + (size_t)i);
		len = (size_t)snprintf(text, DEVICE_REPLY_MAX,
		    START("\"%s\"", USER, URL, LIFE), code);
		assert_int_equal(parse(text, len), i == 0 ? 0 : AAD_EREFUSED);
	}
	memset(text, ' ', DEVICE_REPLY_MAX + 2);
	memcpy(text, START(CODE, USER, URL, LIFE),
	    sizeof(START(CODE, USER, URL, LIFE)) - 1);
	assert_int_equal(parse(text, DEVICE_REPLY_MAX), 0);
	assert_int_equal(parse(text, DEVICE_REPLY_MAX + 1), AAD_EREFUSED);
	free(code);
	free(text);
}

static void
judge_start(const uint8_t *p, size_t len, enum mutation how, size_t at,
    void *arg)
{
	int r = parse((const char *)p, len); /* asserts what gets through */

	(void)at;
	(void)arg;
	if (how == MUTATE_TRUNCATE)
		assert_int_equal(r, AAD_EREFUSED);
	if (how == MUTATE_APPEND && p[len - 1] != '\n')
		assert_int_equal(r, AAD_EREFUSED);
}

static void
damaged_start_response_is_fit_or_refused(void **state)
{
	static const char text[] = START(CODE, USER, URL,
	    LIFE ",\"interval\":\"5\"");

	(void)state;
	mutate_walk(text, sizeof(text) - 1, judge_start, NULL);
}

static void
start_no_memory_is_said(void **state)
{
	static const char text[] = START(CODE, USER, URL,
	    LIFE ",\"interval\":5");
	unsigned int k;
	int r;

	(void)state;
	for (k = 1; k < 1000; k++) {
		fault_arm(FAULT_ALLOC, k, ENOMEM);
		r = parse(text, sizeof(text) - 1);
		if (!fault_disarm())
			break;
		assert_int_equal(r, AAD_ENOMEM);
	}
	assert_true(k > 5 && k < 1000);
	assert_int_equal(r, 0);
}

/* --- what an answer means for polling ---------------------------------- */

static void
answers_of_the_token_endpoint(void **state)
{
	static const struct {
		long status;
		int64_t retry_after;
		const char *text;
		enum device_event event;
		enum reason why; /* 0: not looked at */
	} rows[] = {
		{ 400, 0, "{\"error\":\"authorization_pending\"}",
		    DEVICE_PENDING, 0 },
		{ 200, 0, "{\"error\":\"authorization_pending\"}",
		    DEVICE_PENDING, 0 },
		{ 400, 0, "{\"error\":\"slow_down\"}", DEVICE_SLOW_DOWN, 0 },
		{ 429, 0, "{\"error\":\"slow_down\"}", DEVICE_SLOW_DOWN, 0 },
		{ 429, 9, "{\"error\":\"temporarily_unavailable\"}",
		    DEVICE_BUSY, AAD_R_THROTTLED },
		{ 503, 0, "{\"error\":\"temporarily_unavailable\"}",
		    DEVICE_BUSY, AAD_R_PROVIDER },
		{ 200, 0, "{\"error\":\"server_error\"}", DEVICE_BUSY,
		    AAD_R_PROVIDER },
		{ 429, 0, "", DEVICE_BUSY, AAD_R_THROTTLED },
		{ 500, 0, "<html>", DEVICE_BUSY, AAD_R_PROVIDER },
		{ 502, 0, "{\"error\":{\"code\":\"BadGateway\"}}", DEVICE_BUSY,
		    AAD_R_PROVIDER },
		{ 400, 3, "<html>", DEVICE_BUSY, AAD_R_PROVIDER },
		{ 400, 0, "<html>", DEVICE_REFUSED, AAD_R_PROVIDER },
		{ 302, 0, "", DEVICE_REFUSED, AAD_R_PROVIDER },
		{ 200, 0, "{}", DEVICE_REFUSED, AAD_R_PROVIDER },
		{ 200, 0, "{\"token_type\":\"Bearer\",\"access_token\":\"x\"}",
		    DEVICE_REFUSED, AAD_R_PROVIDER },
		{ 200, 0, "{\"token_type\":\"Bearer\",\"id_token\":\"x\"}",
		    DEVICE_DONE, 0 },
		{ 200, 60, "{\"token_type\":\"Bearer\",\"id_token\":\"x\"}",
		    DEVICE_DONE, 0 },
		{ 503, 0, "{\"token_type\":\"Bearer\",\"id_token\":\"x\"}",
		    DEVICE_BUSY, AAD_R_PROVIDER },
		/* A definite no stays one, whatever else is said. */
		{ 503, 9, "{\"error\":\"authorization_declined\"}",
		    DEVICE_REFUSED, AAD_R_SIGNIN_DECLINED },
		{ 429, 9,
		    "{\"error\":\"invalid_grant\",\"error_codes\":[53003]}",
		    DEVICE_REFUSED, AAD_R_SIGNIN_POLICY },
		{ 400, 9, "{\"error\":\"bad_verification_code\"}",
		    DEVICE_REFUSED, AAD_R_PROVIDER },
		{ 400, 0, "{\"error\":\"access_denied\"}", DEVICE_REFUSED,
		    AAD_R_SIGNIN_DECLINED },
		{ 400, 0, "{\"error\":\"expired_token\"}", DEVICE_REFUSED,
		    AAD_R_SIGNIN_EXPIRED },
		{ 401, 0,
		    "{\"error\":\"invalid_client\",\"error_codes\":[7000218]}",
		    DEVICE_REFUSED, AAD_R_PUBLIC_CLIENT_OFF },
		{ 200, 0,
		    "{\"error\":\"invalid_client\",\"error_codes\":[7000218]}",
		    DEVICE_REFUSED, AAD_R_PUBLIC_CLIENT_OFF },
		{ 400, 0,
		    "{\"error\":\"invalid_grant\",\"error_codes\":[70016]}",
		    DEVICE_REFUSED, AAD_R_SIGNIN_ADMIN },
		{ 400, 0, "{\"error\":\"\"}", DEVICE_REFUSED, AAD_R_PROVIDER },
	};
	struct device_answer a;
	struct grant_reply g;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		assert_int_equal(grant_reply_parse(rows[i].status, rows[i].text,
				     strlen(rows[i].text), &g),
		    0);
		a = device_judge(rows[i].status, rows[i].retry_after, &g);
		if (a.event != rows[i].event ||
		    (rows[i].why != 0 && a.why != rows[i].why))
			fail_msg("%ld %s: %d %s", rows[i].status, rows[i].text,
			    (int)a.event, reason_name(a.why));
		assert_int_equal(a.retry_after, rows[i].retry_after);
		grant_reply_release(&g);
	}
}

/* --- the state machine ------------------------------------------------- */

struct step {
	enum device_event event;
	int64_t retry_after;
	enum reason why;
	int64_t wait_ms; /* -1: refused with end; -2: done */
	enum reason end;
};

static void
walk(int64_t life, int64_t interval, const struct step *steps, size_t n)
{
	const struct device d = { .life = life, .interval = interval };
	int64_t now = 123456789, wait;
	struct device_answer a;
	struct device_poll p;
	enum reason why;
	size_t i;
	int r;

	device_begin(&p, &d, now);
	for (i = 0; i < n; i++) {
		a = (struct device_answer){ steps[i].event,
			steps[i].retry_after, steps[i].why };
		r = device_next(&p, &a, now, &wait, &why);
		if (steps[i].wait_ms == -1) {
			assert_int_equal(r, AAD_EREFUSED);
			assert_int_equal(why, steps[i].end);
		} else if (steps[i].wait_ms == -2) {
			assert_int_equal(r, AAD_EEXIST);
		} else {
			assert_int_equal(r, 0);
			if (wait != steps[i].wait_ms)
				fail_msg("step %zu: %ld", i, (long)wait);
		}
		assert_true(r == 0 || wait == 0);
		now += wait;
		assert_true(now < p.deadline_ms || r != 0);
	}
}

static void
waits_before_the_first_poll_and_between(void **state)
{
	static const struct step steps[] = {
		{ DEVICE_STARTED, 0, 0, 5000, 0 },
		{ DEVICE_PENDING, 0, 0, 5000, 0 },
		{ DEVICE_PENDING, 0, 0, 5000, 0 },
		{ DEVICE_DONE, 0, 0, -2, 0 },
	};

	(void)state;
	walk(900, 5, steps, COUNT(steps));
}

static void
slow_down_adds_five_seconds_for_good(void **state)
{
	static const struct step steps[] = {
		{ DEVICE_STARTED, 0, 0, 5000, 0 },
		{ DEVICE_SLOW_DOWN, 0, 0, 10000, 0 },
		{ DEVICE_PENDING, 0, 0, 10000, 0 },
		{ DEVICE_SLOW_DOWN, 0, 0, 15000, 0 },
		{ DEVICE_NETWORK, 0, AAD_R_UNREACHABLE, 15000, 0 },
		{ DEVICE_PENDING, 0, 0, 15000, 0 },
	};

	(void)state;
	walk(900, 5, steps, COUNT(steps));
}

static void
retry_after_is_honoured_and_capped(void **state)
{
	static const struct step steps[] = {
		{ DEVICE_STARTED, 0, 0, 5000, 0 },
		{ DEVICE_BUSY, 60, AAD_R_THROTTLED, 60000, 0 },
		{ DEVICE_BUSY, 2, AAD_R_THROTTLED, 5000, 0 },
		{ DEVICE_BUSY, 0, AAD_R_PROVIDER, 5000, 0 },
		{ DEVICE_PENDING, 30, 0, 30000, 0 },
		{ DEVICE_PENDING, 0, 0, 5000, 0 },
		/* Longer than the code lives: no use in waiting. */
		{ DEVICE_BUSY, 86400, AAD_R_THROTTLED, -1, AAD_R_THROTTLED },
	};

	(void)state;
	walk(DEVICE_LIFE_MAX, 5, steps, COUNT(steps));
}

static void
a_dead_network_is_asked_less_and_less(void **state)
{
	static const struct step steps[] = {
		{ DEVICE_STARTED, 0, 0, 5000, 0 },
		{ DEVICE_NETWORK, 0, AAD_R_UNREACHABLE, 5000, 0 },
		{ DEVICE_NETWORK, 0, AAD_R_UNREACHABLE, 10000, 0 },
		{ DEVICE_NETWORK, 0, AAD_R_UNREACHABLE, 20000, 0 },
		{ DEVICE_NETWORK, 0, AAD_R_UNREACHABLE, 30000, 0 },
		{ DEVICE_NETWORK, 0, AAD_R_UNREACHABLE, 30000, 0 },
		{ DEVICE_PENDING, 0, 0, 5000, 0 },
		{ DEVICE_NETWORK, 0, AAD_R_UNREACHABLE, 5000, 0 },
	};

	(void)state;
	walk(900, 5, steps, COUNT(steps));
}

/* At the end of the code's life the last trouble says why. */
static void
expiry_by_our_own_clock(void **state)
{
	static const struct step quiet[] = {
		{ DEVICE_STARTED, 0, 0, 5000, 0 },
		{ DEVICE_NETWORK, 0, AAD_R_UNREACHABLE, 5000, 0 },
		{ DEVICE_PENDING, 0, 0, -1, AAD_R_SIGNIN_EXPIRED },
	};
	static const struct step dead[] = {
		{ DEVICE_STARTED, 0, 0, 5000, 0 },
		{ DEVICE_NETWORK, 0, AAD_R_UNREACHABLE, 5000, 0 },
		{ DEVICE_NETWORK, 0, AAD_R_UNREACHABLE, -1, AAD_R_UNREACHABLE },
	};
	static const struct step last[] = {
		{ DEVICE_STARTED, 0, 0, 5000, 0 },
		{ DEVICE_NETWORK, 0, AAD_R_UNREACHABLE, 5000, 0 },
		{ DEVICE_NETWORK, 0, AAD_R_UNREACHABLE, 5000, 0 },
		{ DEVICE_DONE, 0, 0, -2, 0 },
	};
	static const struct step busy[] = {
		{ DEVICE_STARTED, 0, 0, 5000, 0 },
		{ DEVICE_BUSY, 0, AAD_R_PROVIDER, 5000, 0 },
		{ DEVICE_BUSY, 0, AAD_R_THROTTLED, -1, AAD_R_THROTTLED },
	};
	static const struct step never[] = {
		{ DEVICE_STARTED, 0, 0, -1, AAD_R_SIGNIN_EXPIRED },
	};

	(void)state;
	walk(14, 5, quiet, COUNT(quiet));
	walk(14, 5, dead, COUNT(dead));
	walk(16, 5, last, COUNT(last));
	walk(14, 5, busy, COUNT(busy));
	walk(5, 5, never, COUNT(never));
}

static void
every_refusal_ends_it_with_its_reason(void **state)
{
	const struct device d = { .life = 900, .interval = 5 };
	struct device_answer a = { DEVICE_REFUSED, 60, 0 };
	struct device_poll p;
	enum reason why;
	int64_t wait;
	int r;

	(void)state;
	for (r = AAD_R_SIGNIN_DECLINED; r < AAD_R_COUNT; r++) {
		a.why = (enum reason)r;
		device_begin(&p, &d, 0);
		assert_int_equal(device_next(&p, &a, 0, &wait, &why),
		    AAD_EREFUSED);
		assert_int_equal(why, r);
		assert_int_equal(wait, 0);
	}
}

/* Only the monotonic time that is handed in counts; it may start anywhere. */
static void
time_left_counts_down_to_zero(void **state)
{
	const struct device d = { .life = 900, .interval = 5 };
	struct device_poll p;

	(void)state;
	device_begin(&p, &d, INT64_C(9000000000000));
	assert_int_equal(device_left(&p, INT64_C(9000000000000)), 900);
	assert_int_equal(device_left(&p, INT64_C(9000000000001)), 899);
	assert_int_equal(device_left(&p, INT64_C(9000000899001)), 0);
	assert_int_equal(device_left(&p, INT64_C(9000000900000)), 0);
	assert_int_equal(device_left(&p, INT64_MAX), 0);
	device_begin(&p, &d, 0);
	assert_int_equal(device_left(&p, 0), 900);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(valid_start_response),
		cmocka_unit_test(start_responses_of_every_shape),
		cmocka_unit_test(I_C20_what_is_shown_is_judged),
		cmocka_unit_test(boundary_lengths_of_a_start_response),
		cmocka_unit_test(damaged_start_response_is_fit_or_refused),
		cmocka_unit_test(start_no_memory_is_said),
		cmocka_unit_test(answers_of_the_token_endpoint),
		cmocka_unit_test(waits_before_the_first_poll_and_between),
		cmocka_unit_test(slow_down_adds_five_seconds_for_good),
		cmocka_unit_test(retry_after_is_honoured_and_capped),
		cmocka_unit_test(a_dead_network_is_asked_less_and_less),
		cmocka_unit_test(expiry_by_our_own_clock),
		cmocka_unit_test(every_refusal_ends_it_with_its_reason),
		cmocka_unit_test(time_left_counts_down_to_zero),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
