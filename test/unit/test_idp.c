/* SPDX-License-Identifier: ISC */

/* Whom we ask, what we believe of an answer, what an error means. */

#include "test/unit/unit.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "idp/aadsts.h"
#include "idp/cloud.h"
#include "idp/discovery.h"
#include "idp/grant.h"
#include "test/unit/fault.h"
#include "test/unit/mutate.h"

#define VECTORS	  "test/vectors/entra/"
#define AUTHORITY "https://login.microsoftonline.com"
#define TENANT	  "5e1f0c3a-7d42-4b19-8c55-0a9be2d41f77"
#define ISSUER	  AUTHORITY "/" TENANT "/v2.0"
#define CLIENT	  "b7a4c9d2-31e6-4f08-9d2b-6c5f1e0a83d4"
#define FILE_MAX  65536

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static char *
slurp(const char *name, size_t *lenp)
{
	char path[256], *text = calloc(1, FILE_MAX);
	FILE *f;

	snprintf(path, sizeof(path), "%s%s", VECTORS, name);
	f = fopen(path, "r");
	assert_non_null(f);
	assert_non_null(text);
	*lenp = fread(text, 1, FILE_MAX - 1, f);
	assert_true(*lenp > 0);
	fclose(f);
	return text;
}

/* --- cloud ------------------------------------------------------------- */

static void
II_T14_endpoints_lie_on_the_authority(void **state)
{
	static const struct {
		const char *authority, *url;
		bool ok;
	} rows[] = {
		{ AUTHORITY, AUTHORITY "/t/oauth2/v2.0/token", true },
		{ AUTHORITY, "https://LOGIN.MicrosoftOnline.com/x", true },
		{ AUTHORITY, "https://login.microsoftonline.com:443/x", true },
		{ "https://h:8443", "https://h:8443/x?a=b", true },
		{ "https://[::1]:8443", "https://[::1]:8443/x", true },
		{ AUTHORITY, "http://login.microsoftonline.com/x", false },
		{ AUTHORITY, "HTTPS://login.microsoftonline.com/x", false },
		{ AUTHORITY, "file:///etc/passwd", false },
		{ AUTHORITY, "https://login.microsoftonline.com:8443/x",
		    false },
		{ AUTHORITY, "https://login.microsoftonline.com:/x", false },
		{ AUTHORITY, "https://login.microsoftonline.com:0/x", false },
		{ AUTHORITY, "https://login.microsoftonline.com:65979/x",
		    false },
		{ AUTHORITY, "https://login.microsoftonline.com:4430443/x",
		    false },
		{ AUTHORITY, "https://login.microsoftonline.com.evil.test/x",
		    false },
		{ AUTHORITY, "https://login.microsoftonline.com./x", false },
		{ AUTHORITY, "https://evil.test/login.microsoftonline.com/x",
		    false },
		{ AUTHORITY, "https://login.microsoftonline.com@evil.test/x",
		    false },
		{ AUTHORITY, "https://u:p@login.microsoftonline.com/x", false },
		{ AUTHORITY, "https://evil.test\\@login.microsoftonline.com/x",
		    false },
		{ AUTHORITY, "https://login.microsoftonline.com/x#f", false },
		{ AUTHORITY, "https://login.microsoftonline.com/x y", false },
		{ AUTHORITY, "https://login.microsoftonline.com/\x1b[2J",
		    false },
		{ AUTHORITY, "https://login.microsoftonline.com/\r\nHost: e",
		    false },
		{ AUTHORITY, "https://login.microsoftonline.com/\xc3\xa4",
		    false },
		{ AUTHORITY, "https://login%2emicrosoftonline.com/x", false },
		{ AUTHORITY, "https:///x", false },
		{ AUTHORITY, "https://login.microsoftonline.com", false },
		{ AUTHORITY, "https://login.microsoftonline.com?x", false },
		{ AUTHORITY, "//login.microsoftonline.com/x", false },
		{ AUTHORITY, "", false },
		{ AUTHORITY, "https://microsoftonline.com/x", false },
		{ AUTHORITY, "https://login.microsoft.com/x", false },
		{ "https://[::1]:8443", "https://[::2]:8443/x", false },
		{ "https://[::1]:8443", "https://[::1:8443/x", false },
		{ "https://[::1]", "https://[]/x", false },
		{ "https://h", "https://h:443x/", false },
		{ "", "https://h/", false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++)
		if (cloud_endpoint_ok(rows[i].authority, rows[i].url) !=
		    rows[i].ok)
			fail_msg("%s", rows[i].url);
}

static void
boundary_url_length(void **state)
{
	char url[CLOUD_URL_MAX + 2];

	(void)state;
	memset(url, 'a', sizeof(url));
	memcpy(url, "https://h/", 10);
	url[CLOUD_URL_MAX] = '\0';
	assert_true(cloud_endpoint_ok("https://h", url));
	url[CLOUD_URL_MAX] = 'a';
	url[CLOUD_URL_MAX + 1] = '\0';
	assert_false(cloud_endpoint_ok("https://h", url));
}

static void
I_C20_people_are_sent_to_known_pages_only(void **state)
{
	static const struct {
		const char *authority;
		bool microsoft;
		const char *url;
		bool ok;
	} rows[] = {
		{ AUTHORITY, true, "https://login.microsoft.com/device", true },
		{ AUTHORITY, true, "https://microsoft.com/devicelogin", true },
		{ AUTHORITY, true, "https://www.microsoft.com/link", true },
		{ AUTHORITY, true, "https://aka.ms/devicelogin", true },
		{ AUTHORITY, true, "https://device.login.microsoftonline.us/x",
		    true },
		{ AUTHORITY, true,
		    "https://login.partner.microsoftonline.cn/deviceauth",
		    true },
		{ AUTHORITY, true, "https://MICROSOFT.com/devicelogin", true },
		{ AUTHORITY, true, "https://microsoft.com", true },
		{ "https://idp.test:8443", false, "https://idp.test:8443/d",
		    true },
		{ "https://idp.test:8443", false, "https://idp.test/d", true },
		{ "https://idp.test:8443", false,
		    "https://login.microsoft.com/device", false },
		{ AUTHORITY, true, "http://microsoft.com/devicelogin", false },
		{ AUTHORITY, true, "https://microsoft.com:8443/devicelogin",
		    false },
		{ AUTHORITY, true, "https://evilmicrosoft.com/", false },
		{ AUTHORITY, true, "https://microsoft.com.evil.test/", false },
		{ AUTHORITY, true, "https://evilmicrosoftonline.com/", false },
		{ AUTHORITY, true, "https://.microsoftonline.com/", false },
		{ AUTHORITY, true, "https://x.microsoft.com/", false },
		{ AUTHORITY, true, "https://a@microsoft.com/", false },
		{ AUTHORITY, true, "https://microsoft.com@evil.test/", false },
		{ AUTHORITY, true, "https://microsoft.com/\x1b]8;;x", false },
		{ AUTHORITY, true, "https://microsoft.com/#x", false },
		{ AUTHORITY, true, "javascript:alert(1)", false },
		{ AUTHORITY, true, "", false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++)
		if (cloud_page_ok(rows[i].authority, rows[i].microsoft,
			rows[i].url) != rows[i].ok)
			fail_msg("%s", rows[i].url);
}

/* --- discovery --------------------------------------------------------- */

static int
discover(const char *text, size_t len)
{
	struct discovery *d;
	const char *why;
	int r = discovery_parse(text, len, AUTHORITY, ISSUER, &d, &why);

	if (r == 0) {
		assert_null(why);
		assert_true(cloud_endpoint_ok(AUTHORITY, d->device_endpoint));
		assert_true(cloud_endpoint_ok(AUTHORITY, d->token_endpoint));
		assert_true(cloud_endpoint_ok(AUTHORITY, d->jwks_uri));
	} else {
		assert_null(d);
		assert_true(r == AAD_EREFUSED || r == AAD_ENOMEM);
		assert_non_null(why);
	}
	discovery_free(d);
	return r;
}

static void
valid_discovery(void **state)
{
	struct discovery *d;
	const char *why;
	size_t len;
	char *text = slurp("discovery_tenant_v2.json", &len);

	(void)state;
	assert_int_equal(discovery_parse(text, len, AUTHORITY, ISSUER, &d,
			     &why),
	    0);
	assert_string_equal(d->device_endpoint,
	    AUTHORITY "/" TENANT "/oauth2/v2.0/devicecode");
	assert_string_equal(d->token_endpoint,
	    AUTHORITY "/" TENANT "/oauth2/v2.0/token");
	assert_string_equal(d->jwks_uri,
	    AUTHORITY "/" TENANT "/discovery/v2.0/keys");
	discovery_free(d);
	discovery_free(NULL);
	free(text);
}

static void
II_T14_issuer_is_the_configured_one(void **state)
{
	size_t len;
	char *text = slurp("discovery_common_v2.json", &len);

	(void)state;
	/* NB. its issuer is the literal template {tenantid}. */
	assert_int_equal(discover(text, len), AAD_EREFUSED);
	free(text);
}

#define DISCOVERY(issuer, device, token, jwks)                                 \
	"{\"issuer\":" issuer ",\"device_authorization_endpoint\":" device     \
	",\"token_endpoint\":" token ",\"jwks_uri\":" jwks "}"
#define Q(s)   "\"" s "\""
#define GOOD_D Q(AUTHORITY "/d")
#define GOOD_T Q(AUTHORITY "/t")
#define GOOD_J Q(AUTHORITY "/j")

static void
II_T14_foreign_or_missing_endpoints(void **state)
{
	static const struct {
		const char *text;
		int r;
	} rows[] = {
		{ DISCOVERY(Q(ISSUER), GOOD_D, GOOD_T, GOOD_J), 0 },
		{ DISCOVERY(Q(ISSUER "/"), GOOD_D, GOOD_T, GOOD_J),
		    AAD_EREFUSED },
		{ DISCOVERY(Q("x" ISSUER), GOOD_D, GOOD_T, GOOD_J),
		    AAD_EREFUSED },
		{ DISCOVERY("1", GOOD_D, GOOD_T, GOOD_J), AAD_EREFUSED },
		{ DISCOVERY(Q(ISSUER), Q("https://evil.test/d"), GOOD_T,
		      GOOD_J),
		    AAD_EREFUSED },
		{ DISCOVERY(Q(ISSUER), GOOD_D, Q("https://evil.test/t"),
		      GOOD_J),
		    AAD_EREFUSED },
		{ DISCOVERY(Q(ISSUER), GOOD_D, GOOD_T,
		      Q("https://evil.test/j")),
		    AAD_EREFUSED },
		{ DISCOVERY(Q(ISSUER), GOOD_D, GOOD_T,
		      Q("http://login.microsoftonline.com/j")),
		    AAD_EREFUSED },
		{ DISCOVERY(Q(ISSUER), "null", GOOD_T, GOOD_J), AAD_EREFUSED },
		{ DISCOVERY(Q(ISSUER), GOOD_D, "[]", GOOD_J), AAD_EREFUSED },
		{ DISCOVERY(Q(ISSUER), GOOD_D, GOOD_T, "{}"), AAD_EREFUSED },
		{ DISCOVERY(Q(ISSUER), GOOD_D, GOOD_T,
		      GOOD_J ",\"jwks_uri\":" Q("https://evil.test/j")),
		    AAD_EREFUSED },
		{ DISCOVERY(Q(ISSUER), GOOD_D, GOOD_T,
		      Q(AUTHORITY "/j\\u0000.evil.test")),
		    AAD_EREFUSED },
		{ "{\"issuer\":" Q(ISSUER) "}", AAD_EREFUSED },
		{ "[]", AAD_EREFUSED },
		{ "{}x", AAD_EREFUSED },
		{ "", AAD_EREFUSED },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++)
		if (discover(rows[i].text, strlen(rows[i].text)) != rows[i].r)
			fail_msg("%s", rows[i].text);
}

static void
II_T15_long_and_deep_documents(void **state)
{
	size_t len;
	char *good = slurp("discovery_tenant_v2.json", &len);
	char *text = malloc(DISCOVERY_MAX + 1);

	(void)state;
	assert_non_null(text);
	memset(text, ' ', DISCOVERY_MAX + 1);
	memcpy(text, good, len);
	assert_int_equal(discover(text, DISCOVERY_MAX), 0);
	assert_int_equal(discover(text, DISCOVERY_MAX + 1), AAD_EREFUSED);
	memset(text, '[', DISCOVERY_MAX);
	assert_int_equal(discover(text, DISCOVERY_MAX), AAD_EREFUSED);
	free(text);
	free(good);
}

static void
judge_discovery(const uint8_t *p, size_t len, enum mutation how, size_t at,
    void *arg)
{
	(void)at;
	(void)arg;
	/* A white space behind it is no damage; anything else behind is. */
	if (discover((const char *)p, len) == 0 && how != MUTATE_BIT_FLIP &&
	    !(how == MUTATE_APPEND && p[len - 1] == '\n') &&
	    !(how == MUTATE_TRUNCATE && p[len - 1] == '}'))
		fail_msg("damaged document accepted");
}

static void
damaged_discovery_never_leads_elsewhere(void **state)
{
	static const char text[] = DISCOVERY(Q(ISSUER), GOOD_D, GOOD_T, GOOD_J);

	(void)state;
	mutate_walk(text, sizeof(text) - 1, judge_discovery, NULL);
}

static void
discovery_no_memory_is_said(void **state)
{
	size_t len;
	char *text = slurp("discovery_tenant_v2.json", &len);
	unsigned int k;
	int r;

	(void)state;
	for (k = 1; k < 10000; k++) {
		fault_arm(FAULT_ALLOC, k, ENOMEM);
		r = discover(text, len);
		if (!fault_disarm())
			break;
		assert_int_equal(r, AAD_ENOMEM);
	}
	assert_true(k > 10 && k < 10000);
	assert_int_equal(r, 0);
	free(text);
}

/* --- grant: what is sent ----------------------------------------------- */

static void
forms_hold_what_the_standard_says(void **state)
{
	const char *form[GRANT_FORM_MAX];

	(void)state;
	grant_form_start(form, CLIENT, "openid", NULL);
	assert_string_equal(form[0], "client_id");
	assert_string_equal(form[1], CLIENT);
	assert_string_equal(form[2], "scope");
	assert_string_equal(form[3], "openid");
	assert_null(form[4]);
	grant_form_start(form, CLIENT, "openid", "{}");
	assert_string_equal(form[4], "claims");
	assert_string_equal(form[5], "{}");
	assert_null(form[6]);
	grant_form_poll(form, CLIENT, "DC");
	assert_string_equal(form[0], "grant_type");
	assert_string_equal(form[1],
	    "urn:ietf:params:oauth:grant-type:device_code");
	assert_string_equal(form[2], "client_id");
	assert_string_equal(form[4], "device_code");
	assert_string_equal(form[5], "DC");
	assert_null(form[6]);
	grant_form_refresh(form, CLIENT, "RT", "openid", NULL);
	assert_string_equal(form[0], "grant_type");
	assert_string_equal(form[1], "refresh_token");
	assert_string_equal(form[2], "client_id");
	assert_string_equal(form[3], CLIENT);
	assert_string_equal(form[4], "refresh_token");
	assert_string_equal(form[5], "RT");
	assert_string_equal(form[6], "scope");
	assert_string_equal(form[7], "openid");
	assert_null(form[8]);
	grant_form_refresh(form, CLIENT, "RT", "openid", "{}");
	assert_string_equal(form[8], "claims");
	assert_string_equal(form[9], "{}");
	assert_null(form[10]);
}

static void
claims_ask_for_the_contexts(void **state)
{
	char c1[] = "c1", odd[] = "c\"2\\";
	struct conf_item items[] = { { c1, 1 }, { odd, 2 } };
	struct conf_list list = { items, 0 };
	char *text;

	(void)state;
	assert_int_equal(grant_claims(&list, &text), 0);
	assert_null(text);
	list.n = 1;
	assert_int_equal(grant_claims(&list, &text), 0);
	assert_string_equal(text,
	    "{\"id_token\":{\"acrs\":{\"essential\":true,\"value\":\"c1\"}}}");
	free(text);
	list.n = 2;
	assert_int_equal(grant_claims(&list, &text), 0);
	assert_string_equal(text,
	    "{\"id_token\":{\"acrs\":{\"essential\":true,\"values\":[\"c1\","
	    "\"c\\\"2\\\\\"]}}}");
	free(text);
}

static void
boundary_claims_and_no_memory(void **state)
{
	static char value[121];
	struct conf_item items[CONF_LIST_MAX];
	struct conf_list list = { items, CONF_LIST_MAX };
	unsigned int k;
	char *text;
	size_t i;
	int r;

	(void)state;
	memset(value, 'c', 120);
	for (i = 0; i < CONF_LIST_MAX; i++)
		items[i] = (struct conf_item){ value, 1 };
	assert_int_equal(grant_claims(&list, &text), AAD_ETOOBIG);
	assert_null(text);
	for (list.n = 1; list.n <= 2; list.n++) {
		for (k = 1; k < 1000; k++) {
			fault_arm(FAULT_ALLOC, k, ENOMEM);
			r = grant_claims(&list, &text);
			if (!fault_disarm())
				break;
			assert_int_equal(r, AAD_ENOMEM);
			assert_null(text);
		}
		assert_int_equal(k, 2);
		assert_int_equal(r, 0);
		free(text);
	}
}

/* --- grant: errors ----------------------------------------------------- */

static void
every_recorded_error(void **state)
{
	static const struct {
		const char *file, *error, *suberror;
		long code;
		enum aadsts_class class;
		enum reason why;
	} rows[] = {
		{ "error_pending.json", "authorization_pending", "", 70016,
		    AADSTS_PENDING, AAD_R_SIGNIN_EXPIRED },
		{ "error_declined.json", "authorization_declined", "", 65004,
		    AADSTS_USER, AAD_R_SIGNIN_DECLINED },
		{ "error_expired.json", "expired_token", "", 70020, AADSTS_USER,
		    AAD_R_SIGNIN_EXPIRED },
		{ "error_not_public_client.json", "invalid_client", "", 7000218,
		    AADSTS_CONFIG, AAD_R_PUBLIC_CLIENT_OFF },
		{ "error_refresh_disabled.json", "invalid_grant", "", 50057,
		    AADSTS_DENY, AAD_R_SIGNIN_DISABLED },
		{ "error_refresh_mfa.json", "invalid_grant", "basic_action",
		    50076, AADSTS_USER, AAD_R_SIGNIN_USER },
		{ "error_refresh_revoked.json", "invalid_grant", "bad_token",
		    50173, AADSTS_USER, AAD_R_SIGNIN_USER },
	};
	char detail[AADSTS_DETAIL_MAX], want[32];
	struct aadsts_verdict v;
	struct grant_error e;
	size_t i, len;
	char *text;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		text = slurp(rows[i].file, &len);
		assert_int_equal(grant_error_parse(text, len, &e), 0);
		assert_string_equal(e.error, rows[i].error);
		assert_string_equal(e.suberror, rows[i].suberror);
		assert_int_equal(e.ncodes, 1);
		assert_int_equal(e.codes[0], rows[i].code);
		assert_string_equal(e.correlation_id,
		    "9c8f2e64-0a7d-4b53-b1de-2f6a90c7e815");
		aadsts_judge(&e, &v);
		assert_int_equal(v.class, rows[i].class);
		assert_int_equal(v.why, rows[i].why);
		aadsts_detail(&e, &v, detail);
		snprintf(want, sizeof(want), "(AADSTS%ld, ", rows[i].code);
		assert_non_null(strstr(detail, want));
		assert_non_null(strstr(detail, e.correlation_id));
		assert_null(strstr(detail, "synthetic"));
		free(text);
	}
}

static int
error_of(const char *text, struct grant_error *e)
{
	return grant_error_parse(text, strlen(text), e);
}

static void
errors_of_every_shape(void **state)
{
	struct grant_error e;

	(void)state;
	assert_int_equal(error_of("{\"error\":{\"code\":\"x\"}}", &e), 0);
	assert_string_equal(e.error, "?");
	assert_int_equal(error_of("{\"error\":null}", &e), 0);
	assert_string_equal(e.error, "?");
	assert_int_equal(error_of("{\"error\":\"\"}", &e), 0);
	assert_string_equal(e.error, "?");
	assert_int_equal(error_of("{\"error\":7}", &e), 0);
	assert_string_equal(e.error, "?");
	assert_int_equal(
	    error_of("{\"error\":\"x\",\"error_codes\":[\"7\",-1,0,1.5,"
		     "99999999999,{},50105]}",
		&e),
	    0);
	assert_int_equal(e.ncodes, 1);
	assert_int_equal(e.codes[0], 50105);
	assert_int_equal(
	    error_of("{\"error\":\"x\",\"error_codes\":[1,2,3,4,5,6,7,8,9,"
		     "10]}",
		&e),
	    0);
	assert_int_equal(e.ncodes, GRANT_CODES_MAX);
	assert_int_equal(error_of("{\"error\":\"x\",\"error_codes\":5}", &e),
	    0);
	assert_int_equal(e.ncodes, 0);
	assert_int_equal(
	    error_of("{\"error\":\"x\",\"correlation_id\":\"no guid\"}", &e),
	    0);
	assert_string_equal(e.correlation_id, "");
	assert_int_equal(error_of("{\"user_code\":\"x\"}", &e), AAD_ENOENT);
	assert_int_equal(error_of("[\"error\"]", &e), AAD_EFORMAT);
	assert_int_equal(error_of("\"error\"", &e), AAD_EFORMAT);
	assert_int_equal(error_of("<html>error</html>", &e), AAD_EFORMAT);
	assert_int_equal(error_of("", &e), AAD_EFORMAT);
	assert_int_equal(error_of("{\"error\":\"a\",\"error\":\"b\"}", &e),
	    AAD_EFORMAT);
	assert_int_equal(error_of("{\"error\":\"a\\u0000b\"}", &e),
	    AAD_EFORMAT);
	assert_int_equal(error_of("{\"error\":\"\xff\"}", &e), AAD_EFORMAT);
	assert_int_equal(grant_error_parse("{\"error\":\"a\"}\0", 14, &e),
	    AAD_EFORMAT);
}

static void
I_C20_no_foreign_text_gets_through(void **state)
{
	static const char *const texts[] = {
		"{\"error\":\"\\u001b[2Jinvalid_grant\"}",
		"{\"error\":\"invalid_grant\\r\\nFAKE LOG LINE\"}",
		"{\"error\":\"invalid_grant\","
		"\"error_description\":\"\\u001b]0;x\\u0007AADSTS1: y\","
		"\"suberror\":\"\\u001b[31m\","
		"\"correlation_id\":\"\\u001b[31m-0a7d-4b53-b1de-2f6a90c7e8\"}",
		"{\"error\":\"\xe2\x80\xae\"}",
	};
	char detail[AADSTS_DETAIL_MAX];
	struct aadsts_verdict v;
	struct grant_error e;
	size_t i, k;

	(void)state;
	for (i = 0; i < COUNT(texts); i++) {
		assert_int_equal(error_of(texts[i], &e), 0);
		aadsts_judge(&e, &v);
		aadsts_detail(&e, &v, detail);
		for (k = 0; detail[k] != '\0'; k++)
			assert_true(detail[k] >= ' ' && detail[k] <= '~');
		assert_null(strstr(detail, "FAKE"));
		assert_null(strstr(detail, "AADSTS1"));
	}
}

/* The words of an error: the machine value decides, numbers refine it. */
static void
the_error_decides_and_numbers_refine(void **state)
{
	static const struct {
		const char *error, *suberror;
		long code;
		enum aadsts_class class;
		enum reason why;
	} rows[] = {
		{ "authorization_pending", "", 0, AADSTS_PENDING,
		    AAD_R_SIGNIN_EXPIRED },
		{ "authorization_pending", "", 50057, AADSTS_PENDING,
		    AAD_R_SIGNIN_EXPIRED },
		{ "slow_down", "", 53003, AADSTS_SLOW_DOWN, AAD_R_THROTTLED },
		{ "access_denied", "", 0, AADSTS_USER, AAD_R_SIGNIN_DECLINED },
		{ "access_denied", "", 65004, AADSTS_USER,
		    AAD_R_SIGNIN_DECLINED },
		{ "access_denied", "", 50105, AADSTS_ADMIN,
		    AAD_R_SIGNIN_ADMIN },
		{ "expired_token", "", 53003, AADSTS_USER,
		    AAD_R_SIGNIN_EXPIRED },
		{ "bad_verification_code", "", 70018, AADSTS_CONFIG,
		    AAD_R_PROVIDER },
		{ "invalid_grant", "", 53003, AADSTS_ADMIN,
		    AAD_R_SIGNIN_POLICY },
		{ "invalid_grant", "", 530035, AADSTS_ADMIN,
		    AAD_R_SIGNIN_POLICY },
		{ "invalid_grant", "", 50097, AADSTS_ADMIN,
		    AAD_R_SIGNIN_POLICY },
		{ "invalid_grant", "", 50055, AADSTS_USER, AAD_R_SIGNIN_USER },
		{ "invalid_grant", "", 0, AADSTS_OTHER, AAD_R_SIGNIN_ADMIN },
		{ "invalid_grant", "message_only", 123, AADSTS_ADMIN,
		    AAD_R_SIGNIN_POLICY },
		{ "invalid_grant", "basic_action", 123, AADSTS_USER,
		    AAD_R_SIGNIN_USER },
		{ "invalid_grant", "message_only", 50057, AADSTS_DENY,
		    AAD_R_SIGNIN_DISABLED },
		/* A number alone never makes us ask again. */
		{ "invalid_grant", "", 70016, AADSTS_OTHER,
		    AAD_R_SIGNIN_ADMIN },
		{ "invalid_request", "", 90033, AADSTS_OTHER, AAD_R_PROVIDER },
		{ "invalid_grant", "", 50196, AADSTS_CONFIG, AAD_R_THROTTLED },
		{ "temporarily_unavailable", "", 90055, AADSTS_BUSY,
		    AAD_R_PROVIDER },
		{ "server_error", "", 0, AADSTS_BUSY, AAD_R_PROVIDER },
		{ "invalid_client", "", 7000218, AADSTS_CONFIG,
		    AAD_R_PUBLIC_CLIENT_OFF },
		{ "invalid_client", "", 700025, AADSTS_CONFIG,
		    AAD_R_SIGNIN_CONFIG },
		{ "unauthorized_client", "", 700016, AADSTS_CONFIG,
		    AAD_R_SIGNIN_CONFIG },
		{ "invalid_tenant", "", 90002, AADSTS_CONFIG,
		    AAD_R_WRONG_TENANT },
		{ "invalid_request", "", 50059, AADSTS_CONFIG,
		    AAD_R_WRONG_TENANT },
		{ "invalid_request", "", 900439, AADSTS_CONFIG,
		    AAD_R_WRONG_TENANT },
		{ "invalid_scope", "", 70011, AADSTS_CONFIG,
		    AAD_R_SIGNIN_CONFIG },
		{ "interaction_required", "", 50076, AADSTS_USER,
		    AAD_R_SIGNIN_USER },
		{ "consent_required", "", 65001, AADSTS_ADMIN,
		    AAD_R_SIGNIN_ADMIN },
		{ "toString", "", 0, AADSTS_OTHER, AAD_R_PROVIDER },
		{ "?", "", 0, AADSTS_OTHER, AAD_R_PROVIDER },
	};
	struct aadsts_verdict v;
	struct grant_error e;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		memset(&e, 0, sizeof(e));
		strcpy(e.error, rows[i].error);
		strcpy(e.suberror, rows[i].suberror);
		e.codes[0] = rows[i].code;
		e.ncodes = rows[i].code != 0;
		aadsts_judge(&e, &v);
		if (v.class != rows[i].class || v.why != rows[i].why)
			fail_msg("%s %ld: %d %s", rows[i].error, rows[i].code,
			    (int)v.class, reason_name(v.why));
	}
}

static enum aadsts_renewal
renewal_of(long status, const char *error, const char *suberror, long a, long b)
{
	struct grant_error e;

	memset(&e, 0, sizeof(e));
	strcpy(e.error, error);
	strcpy(e.suberror, suberror);
	if (a != 0)
		e.codes[e.ncodes++] = a;
	if (b != 0)
		e.codes[e.ncodes++] = b;
	return aadsts_renewal(&e, status);
}

/* Every number that a refused refresh token is known to come with. */
static void
renewal_of_every_number(void **state)
{
	static const struct {
		enum aadsts_renewal want;
		long codes[40];
	} rows[] = {
		{ AADSTS_GONE,
		    { 50057, 50034, 50105, 51004, 50020, 50014, 16003 } },
		{ AADSTS_AGAIN,
		    { 50173, 700082, 70008, 70043, 70044, 50089, 50132, 50133,
			50078, 50076, 50079, 50074, 50072, 50203, 500121, 70000,
			50055, 50144, 50126, 16000 } },
		{ AADSTS_POLICY,
		    { 53000, 53001, 53002, 53003, 53004, 53010, 53011, 530032,
			530034, 530035, 530000, 530099, 65001, 7000218, 700016,
			700025, 50097, 50131, 500212, 500213, 50194, 90002,
			70011, 500011, 90009 } },
		{ AADSTS_OUTAGE,
		    { 90033, 90006, 90024, 50033, 50087, 90012, 90055, 50196, 1,
			52999, 53012, 529999, 530100, 70016, 123456 } },
	};
	size_t i, k;
	long code;

	(void)state;
	for (i = 0; i < COUNT(rows); i++)
		for (k = 0; (code = rows[i].codes[k]) != 0; k++)
			if (renewal_of(400, "invalid_grant", "", code, 0) !=
			    rows[i].want)
				fail_msg("%ld", code);
}

static void
renewal_is_read_with_care(void **state)
{
	static const struct {
		long status;
		const char *error, *suberror;
		long a, b;
		enum aadsts_renewal want;
	} rows[] = {
		/* The provider in trouble says nothing about anybody. */
		{ 429, "invalid_grant", "", 50057, 0, AADSTS_OUTAGE },
		{ 500, "invalid_grant", "", 50057, 0, AADSTS_OUTAGE },
		{ 503, "invalid_grant", "bad_token", 50173, 0, AADSTS_OUTAGE },
		{ 400, "temporarily_unavailable", "", 50057, 0, AADSTS_OUTAGE },
		{ 400, "server_error", "", 50057, 0, AADSTS_OUTAGE },
		{ 400, "slow_down", "", 50173, 0, AADSTS_OUTAGE },
		{ 400, "authorization_pending", "", 50057, 0, AADSTS_OUTAGE },
		{ 400, "?", "", 50057, 0, AADSTS_OUTAGE },
		{ 400, "account_disabled", "", 50057, 0, AADSTS_OUTAGE },
		/* Unknown. */
		{ 400, "invalid_grant", "", 0, 0, AADSTS_OUTAGE },
		{ 400, "invalid_grant", "", 4711, 0, AADSTS_OUTAGE },
		{ 400, "invalid_grant", "new_thing", 4711, 0, AADSTS_OUTAGE },
		{ 400, "access_denied", "", 0, 0, AADSTS_OUTAGE },
		/* Without a known number. */
		{ 400, "invalid_grant", "bad_token", 0, 0, AADSTS_AGAIN },
		{ 400, "invalid_grant", "token_expired", 4711, 0,
		    AADSTS_AGAIN },
		{ 400, "invalid_grant", "basic_action", 4711, 0, AADSTS_AGAIN },
		{ 400, "invalid_grant", "message_only", 4711, 0,
		    AADSTS_POLICY },
		{ 400, "interaction_required", "", 0, 0, AADSTS_AGAIN },
		{ 400, "interaction_required", "message_only", 0, 0,
		    AADSTS_POLICY },
		{ 400, "login_required", "", 0, 0, AADSTS_AGAIN },
		{ 400, "consent_required", "", 0, 0, AADSTS_POLICY },
		{ 401, "invalid_client", "", 0, 0, AADSTS_POLICY },
		{ 400, "unauthorized_client", "", 700016, 0, AADSTS_POLICY },
		{ 400, "invalid_scope", "", 0, 0, AADSTS_POLICY },
		/* The number before the suberror. */
		{ 200, "invalid_grant", "message_only", 50057, 0, AADSTS_GONE },
		{ 400, "interaction_required", "basic_action", 50076, 0,
		    AADSTS_AGAIN },
		{ 400, "access_denied", "", 50105, 0, AADSTS_GONE },
		/* An error about the request is not about the person. */
		{ 401, "invalid_client", "", 50057, 0, AADSTS_POLICY },
		{ 400, "invalid_request", "", 50173, 0, AADSTS_POLICY },
		{ 400, "invalid_request", "", 90033, 0, AADSTS_OUTAGE },
		/* Several numbers: the mildest. */
		{ 400, "invalid_grant", "", 50057, 50034, AADSTS_GONE },
		{ 400, "invalid_grant", "", 50057, 50173, AADSTS_AGAIN },
		{ 400, "invalid_grant", "", 50173, 50057, AADSTS_AGAIN },
		{ 400, "invalid_grant", "", 50057, 53003, AADSTS_POLICY },
		{ 400, "invalid_grant", "", 53003, 50173, AADSTS_POLICY },
		{ 400, "invalid_grant", "", 50057, 90033, AADSTS_OUTAGE },
		{ 400, "invalid_grant", "", 50057, 4711, AADSTS_AGAIN },
		{ 400, "invalid_grant", "", 4711, 53003, AADSTS_POLICY },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++)
		if (renewal_of(rows[i].status, rows[i].error, rows[i].suberror,
			rows[i].a, rows[i].b) != rows[i].want)
			fail_msg("row %zu: %s %s %ld %ld", i, rows[i].error,
			    rows[i].suberror, rows[i].a, rows[i].b);
}

/* Of a million numbers only those few can take anybody's access away. */
static void
no_other_number_evicts(void **state)
{
	long code, gone = 0;

	(void)state;
	for (code = 1; code < 10000000; code++)
		gone += renewal_of(400, "invalid_grant", "", code, 0) ==
			AADSTS_GONE;
	assert_int_equal(gone, 7);
}

static void
renewal_of_recorded_errors(void **state)
{
	static const struct {
		const char *file;
		enum aadsts_renewal want;
	} rows[] = {
		{ "error_refresh_disabled.json", AADSTS_GONE },
		{ "error_refresh_mfa.json", AADSTS_AGAIN },
		{ "error_refresh_revoked.json", AADSTS_AGAIN },
		{ "error_not_public_client.json", AADSTS_POLICY },
	};
	struct grant_error e;
	size_t i, len;
	char *text;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		text = slurp(rows[i].file, &len);
		assert_int_equal(grant_error_parse(text, len, &e), 0);
		assert_int_equal(aadsts_renewal(&e, 400), rows[i].want);
		assert_int_equal(aadsts_renewal(&e, 502), AADSTS_OUTAGE);
		free(text);
	}
}

/* Every number there could be: an answer, never a yes, words that fit. */
static void
no_error_is_a_yes(void **state)
{
	static const char *const names[] = { "invalid_grant", "access_denied",
		"interaction_required", "invalid_client", "slow_down", "?" };
	char detail[AADSTS_DETAIL_MAX];
	struct aadsts_verdict v;
	struct grant_error e;
	long code;
	size_t i;

	(void)state;
	memset(&e, 0, sizeof(e));
	strcpy(e.correlation_id, TENANT);
	e.ncodes = 1;
	for (i = 0; i < COUNT(names); i++) {
		strcpy(e.error, names[i]);
		for (code = 1; code < 1000000; code += i == 0 ? 1 : 97) {
			e.codes[0] = code;
			aadsts_judge(&e, &v);
			assert_true(reason_class(v.why) != REASON_YES);
			assert_true(v.why != AAD_R_UNSET);
			assert_non_null(v.advice);
			aadsts_detail(&e, &v, detail);
			assert_int_equal(detail[strlen(detail) - 1], ')');
		}
	}
}

/* --- grant: tokens ----------------------------------------------------- */

static int
reply_of(long status, const char *text, struct grant_reply *g)
{
	return grant_reply_parse(status, text, strlen(text), g);
}

static void
valid_tokens(void **state)
{
	struct grant_reply g;
	size_t len, jwt_len;
	char *text = slurp("token_success.json", &len);
	char *jwt = slurp("id_token_v2.jwt", &jwt_len);

	(void)state;
	while (jwt_len > 0 && isspace((unsigned char)jwt[jwt_len - 1]))
		jwt[--jwt_len] = '\0';
	assert_int_equal(grant_reply_parse(200, text, len, &g), 0);
	assert_int_equal(g.kind, GRANT_TOKEN);
	assert_int_equal(g.id_token_len, strlen(g.id_token));
	assert_string_equal(g.id_token, jwt);
	assert_non_null(g.refresh_token);
	assert_int_equal(strncmp(g.refresh_token, "1.AXsA", 6), 0);
	assert_int_equal(g.refresh_token_len, strlen(g.refresh_token));
	grant_reply_release(&g);
	assert_null(g.id_token);
	assert_null(g.refresh_token);
	grant_reply_release(&g);
	grant_reply_release(NULL);
	/* The same body with another status is no success. */
	assert_int_equal(grant_reply_parse(400, text, len, &g), 0);
	assert_int_equal(g.kind, GRANT_JUNK);
	grant_reply_release(&g);
	free(jwt);
	free(text);
}

static void
token_replies_of_every_shape(void **state)
{
	static const struct {
		const char *text;
		enum grant_kind kind;
	} rows[] = {
		{ "{\"token_type\":\"bEARER\",\"id_token\":\"x\"}",
		    GRANT_TOKEN },
		{ "{\"token_type\":\"Bearer\",\"id_token\":\"x\","
		  "\"expires_in\":\"3599\",\"access_token\":5}",
		    GRANT_TOKEN },
		{ "{\"token_type\":\"Bearer\",\"id_token\":\"x\","
		  "\"refresh_token\":\"!~\"}",
		    GRANT_TOKEN },
		{ "{\"token_type\":\"Bearer\",\"id_token\":\"x\","
		  "\"refresh_token\":\"\"}",
		    GRANT_JUNK },
		{ "{\"token_type\":\"Bearer\",\"id_token\":\"x\","
		  "\"refresh_token\":null}",
		    GRANT_JUNK },
		{ "{\"token_type\":\"Bearer\",\"id_token\":\"x\","
		  "\"refresh_token\":[\"y\"]}",
		    GRANT_JUNK },
		{ "{\"token_type\":\"Bearer\",\"id_token\":\"x\","
		  "\"refresh_token\":\"a b\"}",
		    GRANT_JUNK },
		{ "{\"token_type\":\"Bearer\",\"id_token\":\"x\","
		  "\"refresh_token\":\"a\\nb\"}",
		    GRANT_JUNK },
		{ "{\"token_type\":\"Bearer\",\"id_token\":\"x\","
		  "\"refresh_token\":\"a\\u00e4\"}",
		    GRANT_JUNK },
		{ "{\"token_type\":\"Bearer\",\"id_token\":\"x\","
		  "\"refresh_token\":\"a\\u007f\"}",
		    GRANT_JUNK },
		{ "{\"token_type\":\"Bearer\",\"refresh_token\":\"x\"}",
		    GRANT_JUNK },
		{ "{\"token_type\":\"pop\",\"id_token\":\"x\"}", GRANT_JUNK },
		{ "{\"token_type\":\"ssh-cert\",\"id_token\":\"x\"}",
		    GRANT_JUNK },
		{ "{\"token_type\":\"Bearer \",\"id_token\":\"x\"}",
		    GRANT_JUNK },
		{ "{\"id_token\":\"x\"}", GRANT_JUNK },
		{ "{\"token_type\":1,\"id_token\":\"x\"}", GRANT_JUNK },
		{ "{\"token_type\":\"Bearer\"}", GRANT_JUNK },
		{ "{\"token_type\":\"Bearer\",\"id_token\":\"\"}", GRANT_JUNK },
		{ "{\"token_type\":\"Bearer\",\"id_token\":null}", GRANT_JUNK },
		{ "{\"token_type\":\"Bearer\",\"id_token\":[\"x\"]}",
		    GRANT_JUNK },
		{ "{\"token_type\":\"Bearer\",\"access_token\":\"x\"}",
		    GRANT_JUNK },
		{ "{\"token_type\":\"Bearer\",\"id_token\":\"x\","
		  "\"id_token\":\"y\"}",
		    GRANT_JUNK },
		{ "{\"token_type\":\"Bearer\",\"id_token\":\"x\\u0000y\"}",
		    GRANT_JUNK },
		{ "{\"token_type\":\"Bearer\",\"id_token\":\"x\","
		  "\"error\":\"invalid_client\"}",
		    GRANT_ERROR },
		{ "{\"error\":\"authorization_pending\"}", GRANT_ERROR },
		{ "{}", GRANT_JUNK },
		{ "[]", GRANT_JUNK },
		{ "", GRANT_JUNK },
		{ "null", GRANT_JUNK },
		{ "<html></html>", GRANT_JUNK },
	};
	struct grant_reply g;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		assert_int_equal(reply_of(200, rows[i].text, &g), 0);
		if (g.kind != rows[i].kind)
			fail_msg("%s", rows[i].text);
		if (g.kind == GRANT_JUNK)
			assert_non_null(g.why);
		assert_true((g.kind == GRANT_TOKEN) == (g.id_token != NULL));
		assert_true(g.kind == GRANT_TOKEN || g.refresh_token == NULL);
		assert_true((g.refresh_token != NULL) ==
			    (g.refresh_token_len > 0));
		grant_reply_release(&g);
	}
}

static void
I_B13_oversize_replies(void **state)
{
	static const char head[] = "{\"token_type\":\"Bearer\",\"id_token\":\"";
	char *text = malloc(GRANT_REPLY_MAX + 2);
	size_t n = sizeof(head) - 1;
	struct grant_reply g;

	(void)state;
	assert_non_null(text);
	memset(text, 'a', GRANT_REPLY_MAX + 2);
	memcpy(text, head, n);
	memcpy(text + n + GRANT_TOKEN_MAX, "\"}", 2);
	assert_int_equal(grant_reply_parse(200, text, n + GRANT_TOKEN_MAX + 2,
			     &g),
	    0);
	assert_int_equal(g.kind, GRANT_TOKEN);
	assert_int_equal(g.id_token_len, GRANT_TOKEN_MAX);
	grant_reply_release(&g);
	memcpy(text + n + GRANT_TOKEN_MAX, "a\"}", 3);
	assert_int_equal(grant_reply_parse(200, text, n + GRANT_TOKEN_MAX + 3,
			     &g),
	    0);
	assert_int_equal(g.kind, GRANT_JUNK);
	grant_reply_release(&g);
	memset(text, ' ', GRANT_REPLY_MAX + 2);
	memcpy(text, "{\"error\":\"slow_down\"}", 21);
	assert_int_equal(grant_reply_parse(400, text, GRANT_REPLY_MAX, &g), 0);
	assert_int_equal(g.kind, GRANT_ERROR);
	assert_int_equal(grant_reply_parse(400, text, GRANT_REPLY_MAX + 1, &g),
	    0);
	assert_int_equal(g.kind, GRANT_JUNK);
	free(text);
}

static void
boundary_refresh_token(void **state)
{
	static const char head[] = "{\"token_type\":\"Bearer\",\"id_token\":"
				   "\"x\",\"refresh_token\":\"";
	char *text = malloc(sizeof(head) + GRANT_REFRESH_MAX + 8);
	size_t n = sizeof(head) - 1, len;
	struct grant_reply g;
	int i;

	(void)state;
	assert_non_null(text);
	for (i = 0; i <= 1; i++) {
		len = GRANT_REFRESH_MAX + (size_t)i;
		memcpy(text, head, n);
		memset(text + n, 'r', len);
		memcpy(text + n + len, "\"}", 3);
		assert_int_equal(reply_of(200, text, &g), 0);
		assert_int_equal(g.kind, i == 0 ? GRANT_TOKEN : GRANT_JUNK);
		assert_int_equal(g.refresh_token_len, i == 0 ? len : 0);
		grant_reply_release(&g);
	}
	free(text);
}

static void
judge_reply(const uint8_t *p, size_t len, enum mutation how, size_t at,
    void *arg)
{
	struct grant_reply g;
	size_t i;

	(void)how;
	(void)at;
	(void)arg;
	assert_int_equal(grant_reply_parse(200, (const char *)p, len, &g), 0);
	if (g.kind == GRANT_TOKEN) {
		assert_true(g.id_token_len > 0);
		assert_int_equal(strlen(g.id_token), g.id_token_len);
		for (i = 0; i < g.refresh_token_len; i++)
			assert_true(g.refresh_token[i] > ' ' &&
				    g.refresh_token[i] <= '~');
		assert_true(g.refresh_token == NULL ||
			    (i > 0 && g.refresh_token[i] == '\0'));
	} else if (g.kind == GRANT_ERROR) {
		assert_true(g.error.error[0] != '\0');
		for (i = 0; g.error.error[i] != '\0'; i++)
			assert_true(strchr("abcdefghijklmnopqrstuvwxyz"
					   "0123456789_?",
					g.error.error[i]) != NULL);
		assert_true(g.error.ncodes <= GRANT_CODES_MAX);
	} else {
		assert_non_null(g.why);
	}
	grant_reply_release(&g);
}

static void
damaged_replies_stay_in_bounds(void **state)
{
	static const char tokens[] =
	    "{\"token_type\":\"Bearer\",\"id_token\":\"aGVhZA.Ym9keQ.c2ln\","
	    "\"refresh_token\":\"1.AXsA\",\"expires_in\":4311}";
	static const char
	    error[] = "{\"error\":\"invalid_grant\",\"error_codes\":[50076],"
		      "\"suberror\":\"basic_action\",\"correlation_id\":"
		      "\"9c8f2e64-0a7d-4b53-b1de-2f6a90c7e815\"}";

	(void)state;
	mutate_walk(tokens, sizeof(tokens) - 1, judge_reply, NULL);
	mutate_walk(error, sizeof(error) - 1, judge_reply, NULL);
}

static void
reply_no_memory_is_said(void **state)
{
	static const char *const files[] = { "token_success.json",
		"error_refresh_mfa.json" };
	struct grant_reply g;
	unsigned int k;
	size_t i, len;
	char *text;
	int r;

	(void)state;
	for (i = 0; i < COUNT(files); i++) {
		text = slurp(files[i], &len);
		for (k = 1; k < 10000; k++) {
			fault_arm(FAULT_ALLOC, k, ENOMEM);
			r = grant_reply_parse(200, text, len, &g);
			if (!fault_disarm())
				break;
			assert_int_equal(r, AAD_ENOMEM);
			assert_int_equal(g.kind, GRANT_JUNK);
			grant_reply_release(&g);
		}
		assert_true(k > 10 && k < 10000);
		assert_int_equal(r, 0);
		grant_reply_release(&g);
		free(text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(II_T14_endpoints_lie_on_the_authority),
		cmocka_unit_test(boundary_url_length),
		cmocka_unit_test(I_C20_people_are_sent_to_known_pages_only),
		cmocka_unit_test(valid_discovery),
		cmocka_unit_test(II_T14_issuer_is_the_configured_one),
		cmocka_unit_test(II_T14_foreign_or_missing_endpoints),
		cmocka_unit_test(II_T15_long_and_deep_documents),
		cmocka_unit_test(damaged_discovery_never_leads_elsewhere),
		cmocka_unit_test(discovery_no_memory_is_said),
		cmocka_unit_test(forms_hold_what_the_standard_says),
		cmocka_unit_test(claims_ask_for_the_contexts),
		cmocka_unit_test(boundary_claims_and_no_memory),
		cmocka_unit_test(every_recorded_error),
		cmocka_unit_test(errors_of_every_shape),
		cmocka_unit_test(I_C20_no_foreign_text_gets_through),
		cmocka_unit_test(the_error_decides_and_numbers_refine),
		cmocka_unit_test(no_error_is_a_yes),
		cmocka_unit_test(renewal_of_every_number),
		cmocka_unit_test(renewal_is_read_with_care),
		cmocka_unit_test(no_other_number_evicts),
		cmocka_unit_test(renewal_of_recorded_errors),
		cmocka_unit_test(valid_tokens),
		cmocka_unit_test(token_replies_of_every_shape),
		cmocka_unit_test(I_B13_oversize_replies),
		cmocka_unit_test(boundary_refresh_token),
		cmocka_unit_test(damaged_replies_stay_in_bounds),
		cmocka_unit_test(reply_no_memory_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
