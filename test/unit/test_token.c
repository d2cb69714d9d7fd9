/* SPDX-License-Identifier: ISC */

#include "test/unit/unit.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "core/b64.h"
#include "core/text.h"
#include "test/tools/forge.h"
#include "test/unit/fault.h"
#include "test/unit/mutate.h"
#include "token/token.h"

#define TOKENS "test/vectors/tokens"
#define ENTRA  "test/vectors/entra"
#define LEN(a) (sizeof(a) / sizeof((a)[0]))

/* The clock of the vectors: test/vectors/tokens/make.mjs, "times". */
#define IAT INT64_C(1767225600)
#define NOW (IAT + 600)
#define EXP (IAT + 3900)

#define ROWS_MAX 1024

/* One line of tokens.tsv. */
struct row {
	char *name;
	enum reason nettle; /* by nettle alone */
	enum reason jwt; /* where libjwt is asked */
	char *token;
	size_t len;
};

static struct row rows[ROWS_MAX];
static size_t nrows;
static struct jwks *listed; /* jwks.json, stripped */
static struct forge forge;

/* ---- loading ---------------------------------------------------------- */

static char *
slurp(const char *path, size_t *lenp)
{
	char *text;
	FILE *f = fopen(path, "rb");
	long n;

	if (f == NULL)
		fail_msg("%s: %s", path, strerror(errno));
	assert_int_equal(fseek(f, 0, SEEK_END), 0);
	n = ftell(f);
	rewind(f);
	text = malloc((size_t)n + 1);
	assert_non_null(text);
	*lenp = fread(text, 1, (size_t)n, f);
	assert_int_equal(*lenp, n);
	text[n] = '\0';
	fclose(f);
	return text;
}

static enum reason
reason_of(const char *name, size_t len)
{
	int i;

	for (i = 0; i < AAD_R_COUNT; i++)
		if (strlen(reason_name((enum reason)i)) == len &&
		    strncmp(reason_name((enum reason)i), name, len) == 0)
			return (enum reason)i;
	fail_msg("no reason %.*s", (int)len, name);
	return AAD_R_UNSET;
}

/* \xHH becomes its byte. */
static char *
unescape(const char *s, size_t *lenp)
{
	char *out = malloc(strlen(s) + 1);
	unsigned int byte;
	size_t n = 0;

	assert_non_null(out);
	while (*s != '\0') {
		if (*s != '\\') {
			out[n++] = *s++;
			continue;
		}
		assert_int_equal(sscanf(s, "\\x%2x", &byte), 1);
		out[n++] = (char)byte;
		s += 4;
	}
	out[n] = '\0';
	*lenp = n;
	return out;
}

static void
load_row(char *line)
{
	char *save, *name = strtok_r(line, "\t", &save);
	char *why = strtok_r(NULL, "\t", &save);
	struct row *r = &rows[nrows++];
	size_t one;

	assert_true(nrows <= ROWS_MAX);
	assert_non_null(why);
	one = strcspn(why, "/");
	r->name = strdup(name);
	r->nettle = reason_of(why, one);
	r->jwt = why[one] == '\0'
		     ? r->nettle
		     : reason_of(why + one + 1, strlen(why + one + 1));
	/* NB. one row is the empty token. */
	r->token = unescape(save, &r->len);
}

static int
load(void **state)
{
	size_t len;
	char *text, *line, *end;

	(void)state;
	if (sodium_init() < 0)
		return -1;
	forge_init(&forge, 1);
	text = slurp(TOKENS "/jwks.json", &len);
	assert_int_equal(jwks_strip(text, len, FORGE_ISSUER, FORGE_TENANT, IAT,
			     &listed),
	    0);
	free(text);
	text = slurp(TOKENS "/tokens.tsv", &len);
	for (line = text; *line != '\0'; line = end + 1) {
		if ((end = strchr(line, '\n')) == NULL)
			break;
		*end = '\0';
		load_row(line);
	}
	free(text);
	return 0;
}

static int
unload(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < nrows; i++) {
		free(rows[i].name);
		free(rows[i].token);
	}
	jwks_free(listed);
	forge_release(&forge);
	return 0;
}

static const struct row *
row_named(const char *name)
{
	size_t i;

	for (i = 0; i < nrows; i++)
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i];
	fail_msg("no row %s", name);
	return NULL;
}

/* ---- judging ---------------------------------------------------------- */

static const struct {
	const char *name;
	bool jwt;
	size_t n;
	verify_fn *fn[TOKEN_ORACLES_MAX];
} sets[] = { { "nettle", false, 1, { verify_nettle } },
	{ "jwt", true, 1, { verify_jwt } },
	{ "jwt and nettle", true, 2, { verify_jwt, verify_nettle } },
	{ "nettle and jwt", true, 2, { verify_nettle, verify_jwt } } };

static struct token_expect
wanted(size_t set)
{
	struct token_expect want = { .issuer = FORGE_ISSUER,
		.audience = FORGE_CLIENT,
		.tenant = FORGE_TENANT,
		.now = NOW };

	want.noracles = sets[set].n;
	memcpy(want.oracles, sets[set].fn, sizeof(want.oracles));
	return want;
}

/*
 * Judge, and hold token_judge() to its contract: claims for a yes and for
 * nothing else, late claims for an expired token and for nothing else.
 * Returns the reason.
 */
static enum reason
judge_by(const struct jwks *keys, const struct token_expect *want,
    const char *token, size_t len, struct claims **outp)
{
	static struct claims poison;
	struct claims *c = &poison, *late = &poison;
	enum reason why = AAD_R_COUNT;
	int r = token_judge(token, len, keys, want, &c, &late, &why);

	if (outp != NULL)
		*outp = NULL;
	assert_true(r == 0 || r == AAD_EREFUSED);
	assert_int_equal(r == 0, c != NULL);
	assert_int_equal(r == 0, why == AAD_R_ALLOWED);
	assert_int_equal(why == AAD_R_TOKEN_EXPIRED, late != NULL);
	assert_true(reason_class(why) != REASON_CANNOT);
	claims_free(late);
	if (outp != NULL)
		*outp = c;
	else
		claims_free(c);
	return why;
}

static enum reason
judge(const char *token, size_t len)
{
	struct token_expect want = wanted(0);

	return judge_by(listed, &want, token, len, NULL);
}

/* ---- the table of hostile tokens -------------------------------------- */

static int
row_fails(const struct row *row)
{
	int fails = 0;
	size_t i;

	for (i = 0; i < LEN(sets); i++) {
		struct token_expect want = wanted(i);
		enum reason due = sets[i].jwt ? row->jwt : row->nettle;
		enum reason why = judge_by(listed, &want, row->token, row->len,
		    NULL);

		if (why == due)
			continue;
		print_error("%s by %s: %s, not %s\n", row->name, sets[i].name,
		    reason_name(why), reason_name(due));
		fails++;
	}
	return fails;
}

/* Every row whose name begins with prefix; there must be at least min. */
static void
table(const char *prefix, size_t min)
{
	size_t i, n = 0;
	int fails = 0;

	for (i = 0; i < nrows; i++) {
		if (strncmp(rows[i].name, prefix, strlen(prefix)) != 0)
			continue;
		fails += row_fails(&rows[i]);
		n++;
	}
	assert_int_equal(fails, 0);
	assert_true(n >= min);
}

#define TABLE(test, prefix, min)                                               \
	static void test(void **state)                                         \
	{                                                                      \
		(void)state;                                                   \
		table(prefix, min);                                            \
	}

TABLE(genuine_tokens, "good_", 24)
TABLE(II_T1_crafted_jws, "II_T1_", 15)
TABLE(II_T2_alg_none, "II_T2_", 5)
TABLE(II_T3_hs256_with_public_key, "II_T3_", 10)
TABLE(II_T4_key_in_the_header, "II_T4_", 9)
TABLE(II_T5_kid, "II_T5_", 20)
TABLE(II_T6_unfit_published_keys, "II_T6_", 25)
TABLE(II_T8_from_the_future, "II_T8_", 6)
TABLE(II_T9_aud_array, "II_T9_", 4)
TABLE(II_T10_other_application, "II_T10_", 10)
TABLE(II_T11_issuer, "II_T11_", 17)
TABLE(II_T16_other_algorithm, "II_T16_", 23)
TABLE(II_T18_nul_utf8_nested_case, "II_T18_", 31)
TABLE(II_T20_graph, "II_T20_", 4)
TABLE(II_P7_groups_and_roles_types, "II_P7_", 10)
TABLE(II_P19_acrs_types, "II_P19_", 4)
TABLE(I_B7_tenant_and_version, "I_B7_", 8)
TABLE(I_B8_jws_tricks, "I_B8_", 180)

/* A genuine token is the one kind that opens, and each row has a test. */
static void
table_is_whole(void **state)
{
	static const char *const prefixes[] = { "good_", "II_T1_", "II_T2_",
		"II_T3_", "II_T4_", "II_T5_", "II_T6_", "II_T8_", "II_T9_",
		"II_T10_", "II_T11_", "II_T16_", "II_T18_", "II_T20_", "II_P7_",
		"II_P19_", "I_B7_", "I_B8_" };
	size_t i, k, bad = 0;

	(void)state;
	for (i = 0; i < nrows; i++) {
		for (k = 0; k < LEN(prefixes); k++)
			if (strncmp(rows[i].name, prefixes[k],
				strlen(prefixes[k])) == 0)
				break;
		if (k == LEN(prefixes))
			fail_msg("%s belongs to no test", rows[i].name);
		assert_int_equal(k == 0, rows[i].nettle == AAD_R_ALLOWED);
		assert_int_equal(k == 0, rows[i].jwt == AAD_R_ALLOWED);
		bad += k != 0;
	}
	assert_true(bad >= 400);
}

/* ---- the two oracles -------------------------------------------------- */

/* Rows that the guard lets through. */
static bool
split(const struct row *row, struct jws *j)
{
	enum reason why;

	return jws_split(row->token, row->len, j, &why) == 0;
}

/* Every listed key with every row: equal answers, whoever's key it is. */
static void
oracles_accept_the_same(void **state)
{
	size_t i, k, yes = 0, no = 0;
	struct jws j;
	int a, b;

	(void)state;
	for (i = 0; i < nrows; i++) {
		if (!split(&rows[i], &j))
			continue;
		for (k = 0; k < listed->n; k++) {
			a = verify_nettle(&listed->keys[k], &j);
			b = verify_jwt(&listed->keys[k], &j);
			if (rows[i].nettle != rows[i].jwt && a == 0)
				a = AAD_ESIG; /* what libjwt cannot parse */
			if (a != b)
				fail_msg("%s with key %s: %d and %d",
				    rows[i].name, listed->keys[k].kid, a, b);
			yes += a == 0;
			no += a != 0;
		}
		jws_release(&j);
	}
	assert_true(yes > 100);
	assert_true(no > 2000);
}

struct walk {
	const struct jwk *key;
	size_t reached; /* calls that came to the oracles */
};

static void
signature_flip(const uint8_t *p, size_t len, enum mutation how, size_t at,
    void *arg)
{
	static const struct row *good;
	struct walk *w = arg;
	uint8_t *kept;
	size_t kept_len;
	struct jws j;
	char *text, *token;
	int n;

	(void)how;
	(void)at;
	if (len == 0)
		return;
	good = row_named("good_plain");
	assert_true(split(good, &j));
	kept = j.sig;
	kept_len = j.sig_len;
	assert_int_equal(b64_encode(B64_URL, p, len, &text), 0);
	n = asprintf(&token, "%.*s.%s", (int)j.signed_len, good->token, text);
	assert_true(n > 0);
	if ((j.sig = malloc(len)) == NULL)
		abort();
	memcpy(j.sig, p, len);
	j.sig_len = len;
	j.token = token;
	j.token_len = (size_t)n;
	assert_int_equal(verify_nettle(w->key, &j), AAD_ESIG);
	assert_int_equal(verify_jwt(w->key, &j), AAD_ESIG);
	w->reached++;
	free(j.sig);
	j.sig = kept;
	j.sig_len = kept_len;
	jws_release(&j);
	free(token);
	free(text);
}

/* Every bit of the signature itself, every cut, one byte more. */
static void
I_B8_every_damaged_signature(void **state)
{
	struct walk w = { jwks_find(listed, "main-5Ycmy9wJW7NjtInO2Iyt5"), 0 };
	struct jws j;

	(void)state;
	assert_non_null(w.key);
	assert_true(split(row_named("good_plain"), &j));
	assert_int_equal(verify_nettle(w.key, &j), 0);
	assert_int_equal(verify_jwt(w.key, &j), 0);
	mutate_walk(j.sig, j.sig_len, signature_flip, &w);
	assert_int_equal(w.reached, 2048 + 255 + 3);
	jws_release(&j);
}

static void
token_flip(const uint8_t *p, size_t len, enum mutation how, size_t at,
    void *arg)
{
	size_t *reached = arg, i;
	struct jws j;
	enum reason why;

	(void)how;
	(void)at;
	for (i = 0; i < 2; i++) {
		struct token_expect want = wanted(i);
		char *text = malloc(len + 1);

		assert_non_null(text);
		memcpy(text, p, len + 1);
		why = judge_by(listed, &want, text, len, NULL);
		assert_int_not_equal(why, AAD_R_ALLOWED);
		assert_int_not_equal(why, AAD_R_TOKEN_EXPIRED);
		*reached += why == AAD_R_TOKEN_SIGNATURE;
		/* NB. only the guard's answer is left to compare. */
		if (jws_split(text, len, &j, &why) == 0)
			jws_release(&j);
		else
			assert_null(j.payload);
		free(text);
	}
}

/* Every bit of the token's text, every cut, one byte more: never a yes. */
static void
I_B8_every_damaged_token(void **state)
{
	const struct row *good = row_named("good_no_name");
	size_t reached = 0;

	(void)state;
	assert_int_equal(judge(good->token, good->len), AAD_R_ALLOWED);
	mutate_walk(good->token, good->len, token_flip, &reached);
	assert_true(reached > 5000);
}

/* Both judge the key, whatever parsed it. */
static void
II_T6_oracles_judge_the_key(void **state)
{
	const struct jwk *good = jwks_find(listed,
	    "main-5Ycmy9wJW7NjtInO2Iyt5");
	verify_fn *fn[] = { verify_nettle, verify_jwt };
	uint8_t zero_n[257] = { 0 }, zero_e[] = { 0, 1, 0, 1 }, one[] = { 1 };
	uint8_t long_e[] = { 1, 0, 0, 0, 0, 0, 0, 0, 1 }, two[] = { 2 };
	uint8_t zeros[512] = { 0 }, ones[513];
	struct jwk bad[11];
	struct jws j;
	size_t i, k;

	(void)state;
	memset(ones, 0xff, sizeof(ones));
	memcpy(zero_n + 1, good->n, 256);
	for (i = 0; i < LEN(bad); i++)
		bad[i] = *good;
	bad[0].n = zero_n;
	bad[0].n_len = 257;
	bad[1].n_len = 0;
	bad[2].n_len = 255; /* even, perhaps, and too short */
	bad[3].n = zeros;
	bad[4].n = ones;
	bad[4].n_len = 513;
	bad[5].e = zero_e;
	bad[5].e_len = 4;
	bad[6].e_len = 0;
	bad[7].e = one;
	bad[7].e_len = 1;
	bad[8].e = two;
	bad[8].e_len = 1;
	bad[9].e = long_e;
	bad[9].e_len = 9;
	bad[10].e = zeros;
	assert_true(split(row_named("good_plain"), &j));
	for (k = 0; k < LEN(fn); k++) {
		assert_int_equal(fn[k](good, &j), 0);
		assert_int_equal(fn[k](NULL, &j), AAD_EPERM);
		for (i = 0; i < LEN(bad); i++)
			assert_int_equal(fn[k](&bad[i], &j), AAD_EPERM);
	}
	jws_release(&j);
}

/*
 * What the guard never lets through, put to libjwt behind its back: it finds
 * the signature good, and only our look at the algorithm afterwards says no.
 */
static void
II_T16_libjwt_without_the_guard(void **state)
{
	static const char *const names[] = { "II_T16_rs384", "II_T16_rs512" };
	const struct jwk *key = jwks_find(listed, "main-5Ycmy9wJW7NjtInO2Iyt5");
	const struct row *row;
	const char *dot;
	struct jws j;
	size_t i;

	(void)state;
	for (i = 0; i < LEN(names); i++) {
		row = row_named(names[i]);
		dot = strrchr(row->token, '.');
		memset(&j, 0, sizeof(j));
		j.token = row->token;
		j.token_len = row->len;
		j.signed_len = (size_t)(dot - row->token);
		assert_int_equal(b64_decode(B64_URL, dot + 1, strlen(dot + 1),
				     &j.sig, &j.sig_len),
		    0);
		assert_int_equal(j.sig_len, key->n_len);
		assert_int_equal(verify_nettle(key, &j), AAD_ESIG);
		assert_true(verify_jwt(key, &j) < 0);
		jws_release(&j);
	}
}

static int
oracle_yes(const struct jwk *key, const struct jws *j)
{
	return key != NULL && j != NULL ? 0 : AAD_EPERM;
}

static int
oracle_no(const struct jwk *key, const struct jws *j)
{
	return key != NULL && j != NULL ? AAD_ESIG : AAD_EPERM;
}

static int
oracle_odd(const struct jwk *key, const struct jws *j)
{
	return key != NULL && j != NULL ? 1 : 2;
}

/* No oracle, too many, one that says no in any way: no claims. */
static void
II_T17_claims_only_on_success(void **state)
{
	const struct row *good = row_named("good_plain");
	struct token_expect want = wanted(0);
	static struct claims poison;
	struct claims *c = &poison;
	enum reason why = AAD_R_ALLOWED;

	(void)state;
	for (want.noracles = 0; want.noracles < 4; want.noracles += 3) {
		c = &poison;
		why = AAD_R_ALLOWED;
		assert_int_equal(token_judge(good->token, good->len, listed,
				     &want, &c, NULL, &why),
		    AAD_EARG);
		assert_null(c);
		assert_int_not_equal(why, AAD_R_ALLOWED);
	}
	want.noracles = 2;
	want.oracles[0] = oracle_yes;
	want.oracles[1] = oracle_no;
	assert_int_equal(judge_by(listed, &want, good->token, good->len, NULL),
	    AAD_R_TOKEN_SIGNATURE);
	want.oracles[0] = oracle_no;
	want.oracles[1] = oracle_yes;
	assert_int_equal(judge_by(listed, &want, good->token, good->len, NULL),
	    AAD_R_TOKEN_SIGNATURE);
	want.oracles[0] = oracle_yes;
	assert_int_equal(judge_by(listed, &want, good->token, good->len, NULL),
	    AAD_R_ALLOWED);
	want.oracles[1] = oracle_odd;
	c = &poison;
	assert_true(token_judge(good->token, good->len, listed, &want, &c, NULL,
			&why) < 0);
	assert_null(c);
	assert_int_not_equal(why, AAD_R_ALLOWED);
}

/* Keys of another issuer are no keys, whatever signed. */
static void
II_T11_keys_of_another_issuer(void **state)
{
	const struct row *good = row_named("good_plain");
	struct token_expect want = wanted(0);

	(void)state;
	want.issuer = FORGE_ISSUER "/";
	assert_int_equal(judge_by(listed, &want, good->token, good->len, NULL),
	    AAD_R_TENANT_KEYS_FOREIGN);
}

/* ---- times and sizes -------------------------------------------------- */

static enum reason
at(const char *name, int64_t now, int64_t grace)
{
	const struct row *row = row_named(name);
	struct token_expect want = wanted(0);

	want.now = now;
	want.grace = grace;
	return judge_by(listed, &want, row->token, row->len, NULL);
}

static void
I_B8_exp_bounds(void **state)
{
	const int64_t last = INT64_C(253402300799);

	(void)state;
	assert_int_equal(at("good_plain", EXP - 1, 0), AAD_R_ALLOWED);
	assert_int_equal(at("good_plain", EXP, 0), AAD_R_TOKEN_EXPIRED);
	assert_int_equal(at("good_plain", EXP, 1), AAD_R_ALLOWED);
	assert_int_equal(at("good_plain", EXP + 99, 100), AAD_R_ALLOWED);
	assert_int_equal(at("good_plain", EXP + 100, 100), AAD_R_TOKEN_EXPIRED);
	assert_int_equal(at("good_plain", INT64_MAX, 0), AAD_R_TOKEN_EXPIRED);
	assert_int_equal(at("good_plain", INT64_MAX, INT64_MAX), AAD_R_ALLOWED);
	assert_int_equal(at("good_plain", EXP, INT64_MAX), AAD_R_ALLOWED);
	assert_int_equal(at("good_exp_year_9999", last - 1, 0), AAD_R_ALLOWED);
	assert_int_equal(at("good_exp_year_9999", last, 0),
	    AAD_R_TOKEN_EXPIRED);
	assert_int_equal(at("good_exp_year_9999", last, INT64_MAX),
	    AAD_R_ALLOWED);
}

static void
II_T8_skew_bounds(void **state)
{
	(void)state;
	assert_int_equal(at("good_plain", IAT - 60, 0), AAD_R_ALLOWED);
	assert_int_equal(at("good_plain", IAT - 61, 0), AAD_R_TOKEN_NOT_YET);
	assert_int_equal(at("good_no_nbf", IAT - 61, 0), AAD_R_TOKEN_NOT_YET);
	assert_int_equal(at("good_plain", 0, 0), AAD_R_TOKEN_NOT_YET);
	assert_int_equal(at("good_plain", 0, INT64_MAX), AAD_R_TOKEN_NOT_YET);
}

static void
negative_times_break_the_contract(void **state)
{
	const struct row *good = row_named("good_plain");
	struct token_expect want = wanted(0);
	struct claims *c;
	enum reason why;

	(void)state;
	want.now = -1;
	assert_int_equal(token_judge(good->token, good->len, listed, &want, &c,
			     NULL, &why),
	    AAD_EARG);
	assert_null(c);
	want.now = NOW;
	want.grace = INT64_MIN;
	assert_int_equal(token_judge(good->token, good->len, listed, &want, &c,
			     NULL, &why),
	    AAD_EARG);
	assert_null(c);
}

/* The claims of an expired token, for a log, and of no other bad one. */
static void
late_claims(void **state)
{
	const struct row *row = row_named("I_B8_exp_past");
	struct token_expect want = wanted(0);
	struct claims *c, *late;
	enum reason why;

	(void)state;
	assert_int_equal(token_judge(row->token, row->len, listed, &want, &c,
			     &late, &why),
	    AAD_EREFUSED);
	assert_null(c);
	assert_non_null(late);
	assert_string_equal(late->oid, FORGE_OID);
	claims_free(late);
	row = row_named("II_T8_future_and_expired");
	assert_int_equal(token_judge(row->token, row->len, listed, &want, &c,
			     &late, &why),
	    AAD_EREFUSED);
	assert_null(late);
}

/* A token of exactly len bytes, signed by the throw-away tenant. */
static char *
token_of(size_t len)
{
	static const char blanks[] = "   ";
	char header[128], *extra, *claims, *token;
	size_t fill = (len - 1200) / 4 * 3, pad;

	for (; fill < len; fill++) {
		extra = malloc(fill + 16);
		assert_non_null(extra);
		memcpy(extra, ",\"x\":\"", 6);
		memset(extra + 6, 'a', fill);
		memcpy(extra + 6 + fill, "\"", 2);
		claims = forge_claims(FORGE_OID, "alice@contoso.com", IAT, EXP,
		    extra);
		free(extra);
		for (pad = 0; pad < 3; pad++) {
			snprintf(header, sizeof(header),
			    "{\"alg\":\"RS256\",\"kid\":\"%s\"%s}", forge.kid,
			    blanks + pad);
			token = forge_token(&forge, header, claims);
			if (strlen(token) == len) {
				free(claims);
				return token;
			}
			free(token);
		}
		free(claims);
	}
	fail_msg("no token of %zu bytes", len);
	return NULL;
}

/* 64 kB is the last size; what is longer costs nothing. */
static void
I_B8_sizes(void **state)
{
	struct jwks *keys = forge_jwks(&forge, IAT, 5);
	size_t sizes[] = { 65537, 1U << 20, 7U << 20, 9U << 20 }, i, k;
	char *token = token_of(JWS_TOKEN_MAX);

	(void)state;
	for (k = 0; k < LEN(sets); k++) {
		struct token_expect want = wanted(k);

		assert_int_equal(judge_by(keys, &want, token, JWS_TOKEN_MAX,
				     NULL),
		    AAD_R_ALLOWED);
	}
	free(token);
	token = token_of(JWS_TOKEN_MAX + 1);
	assert_int_equal(judge(token, JWS_TOKEN_MAX + 1), AAD_R_TOKEN_SIZE);
	free(token);
	for (i = 0; i < LEN(sizes); i++) {
		token = calloc(1, sizes[i] + 1);
		assert_non_null(token);
		memset(token, 'A', sizes[i]);
		token[9] = token[99] = '.';
		assert_int_equal(judge(token, sizes[i]), AAD_R_TOKEN_SIZE);
		free(token);
	}
	for (i = 0; i < JWS_TOKEN_MIN; i++)
		assert_int_equal(judge("e30.e30.AAAAAAAAAA", i),
		    AAD_R_TOKEN_SIZE);
	jwks_free(keys);
}

/* ---- Entra's own shapes ----------------------------------------------- */

#define ENTRA_TENANT "5e1f0c3a-7d42-4b19-8c55-0a9be2d41f77"
#define ENTRA_ISSUER "https://login.microsoftonline.com/" ENTRA_TENANT "/v2.0"
#define ENTRA_CLIENT "b7a4c9d2-31e6-4f08-9d2b-6c5f1e0a83d4"
#define ENTRA_API    "0d93e6f1-8b2a-4c71-a6e5-f4470b1c29ea"

static enum reason
entra(const char *jwks, const char *name, const char *audience,
    struct claims **outp)
{
	struct token_expect want = { .issuer = ENTRA_ISSUER,
		.audience = audience,
		.client = ENTRA_CLIENT, /* azp of the access token */
		.tenant = ENTRA_TENANT,
		.now = NOW,
		.oracles = { verify_jwt, verify_nettle },
		.noracles = 2 };
	struct jwks *keys;
	enum reason why;
	char *text;
	size_t len;

	text = slurp(jwks, &len);
	assert_int_equal(jwks_strip(text, len, ENTRA_ISSUER, ENTRA_TENANT, IAT,
			     &keys),
	    0);
	free(text);
	text = slurp(name, &len);
	while (len > 0 && text[len - 1] == '\n')
		text[--len] = '\0';
	why = judge_by(keys, &want, text, len, outp);
	free(text);
	jwks_free(keys);
	return why;
}

static void
entra_tokens(void **state)
{
	static const char *const jwks[] = { ENTRA "/jwks_tenant_v2.json",
		ENTRA "/jwks_common_v2.json" };
	struct claims *c;
	size_t i;

	(void)state;
	for (i = 0; i < LEN(jwks); i++) {
		assert_int_equal(entra(jwks[i], ENTRA "/id_token_v2.jwt",
				     ENTRA_CLIENT, &c),
		    AAD_R_ALLOWED);
		assert_string_equal(c->oid,
		    "c2f8a1d6-49b3-4e70-b1f2-83d75c60e9aa");
		assert_string_equal(c->tid, ENTRA_TENANT);
		assert_null(c->upn);
		assert_string_equal(claims_upn(c),
		    "mira.okonkwo@fabrikam.example");
		assert_string_equal(c->uti, "s7nTheTiCuTi0AAAAAAAAA");
		assert_true(claims_has(&c->roles, "ssh.admin"));
		assert_false(claims_has(&c->roles, "ssh.admi"));
		assert_int_equal(c->groups.n, 2);
		assert_true(claims_has(&c->groups,
		    "e41c97b5-0d66-4f2a-8b7e-35a1d9f402c8"));
		assert_false(c->groups_unknown);
		assert_int_equal(c->acct, CLAIMS_ACCT_ABSENT);
		assert_int_equal(c->iat, IAT);
		assert_int_equal(c->exp, EXP);
		assert_int_equal(c->auth_time, -1);
		claims_free(c);
	}
	assert_int_equal(entra(jwks[0], ENTRA "/access_token_v2_own_api.jwt",
			     ENTRA_API, &c),
	    AAD_R_ALLOWED);
	assert_int_equal(c->acct, CLAIMS_ACCT_MEMBER);
	claims_free(c);
	assert_int_equal(entra(jwks[0], ENTRA "/access_token_v2_own_api.jwt",
			     ENTRA_CLIENT, NULL),
	    AAD_R_TOKEN_AUDIENCE);
	assert_int_equal(entra(jwks[0], ENTRA "/graph_style_nonce_token.jwt",
			     ENTRA_CLIENT, NULL),
	    AAD_R_TOKEN_GRAPH);
}

static void
II_P6_overage_of_entra(void **state)
{
	struct claims *c;

	(void)state;
	assert_int_equal(entra(ENTRA "/jwks_tenant_v2.json",
			     ENTRA "/id_token_overage.jwt", ENTRA_CLIENT, &c),
	    AAD_R_ALLOWED);
	assert_true(c->groups_unknown);
	assert_int_equal(c->groups.n, 0);
	claims_free(c);
}

/* ---- claims ----------------------------------------------------------- */

#define BASE                                                                   \
	"\"aud\":\"a\",\"iss\":\"i\",\"ver\":\"2.0\",\"iat\":5,\"exp\":9,"     \
	"\"tid\":\"" FORGE_TENANT "\",\"oid\":\"" FORGE_OID "\""

static struct claims *
claims_of(const char *members)
{
	struct claims *c;
	char *text;

	assert_true(asprintf(&text, "{" BASE "%s}", members) > 0);
	assert_int_equal(claims_parse(text, strlen(text), &c), 0);
	free(text);
	return c;
}

static int
claims_fail(const char *members)
{
	static struct claims poison;
	struct claims *c = &poison;
	char *text;
	int r;

	assert_true(asprintf(&text, "{" BASE "%s}", members) > 0);
	r = claims_parse(text, strlen(text), &c);
	free(text);
	assert_null(c);
	return r;
}

static void
claims_absent(void **state)
{
	struct claims *c = claims_of("");

	(void)state;
	assert_null(c->upn);
	assert_null(c->preferred_username);
	assert_null(claims_upn(c));
	assert_null(c->idp);
	assert_null(c->uti);
	assert_int_equal(c->acct, CLAIMS_ACCT_ABSENT);
	assert_int_equal(c->nbf, 5);
	assert_int_equal(c->auth_time, -1);
	assert_int_equal(c->roles.n + c->groups.n + c->acrs.n, 0);
	assert_false(c->groups_unknown);
	assert_false(claims_has(&c->roles, ""));
	claims_free(c);
	claims_free(NULL);
}

static void
claims_present(void **state)
{
	struct claims *c = claims_of(
	    ",\"upn\":\"u\",\"preferred_username\":\"p\",\"idp\":\"live.com\","
	    "\"nbf\":0,\"auth_time\":253402300799,\"roles\":[],"
	    "\"groups\":[\"x\",\"x\"],\"acrs\":[\"c1\",\"c2\"],\"acct\":1");

	(void)state;
	assert_string_equal(claims_upn(c), "u");
	assert_string_equal(c->idp, "live.com");
	assert_int_equal(c->nbf, 0);
	assert_int_equal(c->auth_time, CLAIMS_TIME_MAX);
	assert_int_equal(c->groups.n, 2);
	assert_true(claims_has(&c->acrs, "c2"));
	assert_int_equal(c->acct, CLAIMS_ACCT_GUEST);
	claims_free(c);
}

/* Who is not surely a member is a guest. */
static void
I_B6_acct(void **state)
{
	static const struct {
		const char *text;
		enum claims_acct acct;
	} cases[] = { { "0", CLAIMS_ACCT_MEMBER },
		{ "\"0\"", CLAIMS_ACCT_MEMBER }, { "1", CLAIMS_ACCT_GUEST },
		{ "\"1\"", CLAIMS_ACCT_GUEST }, { "0.0", CLAIMS_ACCT_GUEST },
		{ "-1", CLAIMS_ACCT_GUEST }, { "null", CLAIMS_ACCT_GUEST },
		{ "false", CLAIMS_ACCT_GUEST }, { "[0]", CLAIMS_ACCT_GUEST },
		{ "\"\"", CLAIMS_ACCT_GUEST }, { "\"00\"", CLAIMS_ACCT_GUEST },
		{ "4294967296", CLAIMS_ACCT_GUEST } };
	char members[64];
	struct claims *c;
	size_t i;

	(void)state;
	for (i = 0; i < LEN(cases); i++) {
		snprintf(members, sizeof(members), ",\"acct\":%s",
		    cases[i].text);
		c = claims_of(members);
		if (c->acct != cases[i].acct)
			fail_msg("acct %s", cases[i].text);
		claims_free(c);
	}
}

/* Any form of the two markers is "unknown"; only their absence is "none". */
static void
II_P6_overage_markers(void **state)
{
	static const struct {
		const char *text;
		bool unknown;
	} cases[] = { { ",\"_claim_names\":{\"groups\":\"src1\"}", true },
		{ ",\"_claim_names\":{\"groups\":null}", true },
		{ ",\"_claim_names\":{\"Groups\":\"src1\"}", true },
		{ ",\"_claim_names\":\"groups\"", true },
		{ ",\"_claim_names\":[\"groups\"]", true },
		{ ",\"_claim_names\":null", true },
		{ ",\"_claim_names\":{\"photo\":\"src1\"}", false },
		{ ",\"_claim_names\":{}", false },
		{ ",\"_claim_sources\":{\"src1\":{}}", false },
		{ ",\"hasgroups\":true", true },
		{ ",\"hasgroups\":\"true\"", true },
		{ ",\"hasgroups\":1", true }, { ",\"hasgroups\":null", true },
		{ ",\"hasgroups\":false", false },
		{ ",\"groups\":[\"g\"],\"hasgroups\":true", true },
		{ ",\"groups\":[]", false } };
	struct claims *c;
	size_t i;

	(void)state;
	for (i = 0; i < LEN(cases); i++) {
		c = claims_of(cases[i].text);
		if (c->groups_unknown != cases[i].unknown)
			fail_msg("%s", cases[i].text);
		claims_free(c);
	}
}

/* Absent, empty and of the wrong type are three things. */
static void
II_P19_acrs(void **state)
{
	struct claims *c = claims_of(",\"acrs\":[]");

	(void)state;
	assert_int_equal(c->acrs.n, 0);
	claims_free(c);
	c = claims_of(",\"acrs\":\"c1\"");
	assert_int_equal(c->acrs.n, 1);
	assert_true(claims_has(&c->acrs, "c1"));
	assert_false(claims_has(&c->acrs, "c"));
	claims_free(c);
	c = claims_of(",\"amr\":[\"mfa\"],\"acr\":\"1\"");
	assert_int_equal(c->acrs.n, 0);
	claims_free(c);
	assert_int_equal(claims_fail(",\"acrs\":true"), AAD_EFORMAT);
	assert_int_equal(claims_fail(",\"acrs\":[[\"c1\"]]"), AAD_EFORMAT);
}

/* {NAME: [n strings of len bytes]} behind the others. */
static char *
many(const char *name, size_t n, size_t len)
{
	size_t i, size = n * (len + 3) + 64, used;
	char *out = malloc(size);

	assert_non_null(out);
	used = (size_t)snprintf(out, size, ",\"%s\":[", name);
	for (i = 0; i < n; i++) {
		out[used++] = '"';
		memset(out + used, 'g', len);
		used += len;
		out[used++] = '"';
		out[used++] = i + 1 < n ? ',' : ']';
	}
	out[used] = '\0';
	return out;
}

static void
II_P7_list_bounds(void **state)
{
	static const char *const names[] = { "roles", "groups", "acrs" };
	struct claims *c;
	char *text;
	size_t i;

	(void)state;
	for (i = 0; i < LEN(names); i++) {
		text = many(names[i], CLAIMS_LIST_MAX, 1);
		c = claims_of(text);
		assert_int_equal(c->roles.n + c->groups.n + c->acrs.n,
		    CLAIMS_LIST_MAX);
		claims_free(c);
		free(text);
		text = many(names[i], CLAIMS_LIST_MAX + 1, 1);
		assert_int_equal(claims_fail(text), AAD_ETOOBIG);
		free(text);
		text = many(names[i], 10000, 1);
		assert_int_equal(claims_fail(text), AAD_ETOOBIG);
		free(text);
		text = many(names[i], 1, CLAIMS_TEXT_MAX);
		claims_free(claims_of(text));
		free(text);
		text = many(names[i], 1, CLAIMS_TEXT_MAX + 1);
		assert_int_equal(claims_fail(text), AAD_ETOOBIG);
		free(text);
	}
}

static const char walked[] = "{" BASE ",\"roles\":[\"r\"],\"acct\":0,"
			     "\"upn\":\"a@b.c\",\"groups\":[\"g\"]}";

static void
claims_flip(const uint8_t *p, size_t len, enum mutation how, size_t where,
    void *arg)
{
	struct claims *c = NULL;
	size_t *parsed = arg;
	int r = claims_parse((const char *)p, len, &c);

	(void)how;
	(void)where;
	assert_true(r == 0 || r == AAD_EFORMAT || r == AAD_ETOOBIG);
	assert_int_equal(r == 0, c != NULL);
	if (c != NULL) {
		(*parsed)++;
		assert_true(name_guid_ok(c->tid) && name_guid_ok(c->oid));
		assert_non_null(c->iss);
		assert_non_null(c->aud);
		assert_non_null(c->ver);
		assert_true(c->exp >= 0 && c->exp <= CLAIMS_TIME_MAX);
	}
	claims_free(c);
}

static void
II_T18_every_damaged_payload(void **state)
{
	size_t parsed = 0;

	(void)state;
	mutate_walk(walked, sizeof(walked) - 1, claims_flip, &parsed);
	assert_true(parsed > 100); /* a flip within a string */
	assert_true(parsed < sizeof(walked) * 5);
}

/* Another case of any claim that is read, beside it or alone. */
static void
II_T18_case_twins(void **state)
{
	static const char *const names[] = { "Iss", "aUd", "aZp", "veR", "Tid",
		"Oid", "Upn", "preferred_Username", "Idp", "Uti", "Acct", "Iat",
		"Exp", "Nbf", "auth_Time", "Roles", "Groups", "acrS",
		"_claim_Names", "hasGroups" };
	char members[64];
	size_t i;

	(void)state;
	for (i = 0; i < LEN(names); i++) {
		snprintf(members, sizeof(members), ",\"%s\":0", names[i]);
		assert_int_equal(claims_fail(members), AAD_EFORMAT);
	}
}

static void
folding_asks_no_locale(void **state)
{
	(void)state;
	assert_true(text_same_fold("iss", "ISS"));
	assert_true(text_same_fold("", ""));
	assert_true(text_same_fold("aZ@[`{", "Az@[`{"));
	assert_false(text_same_fold("@", "`"));
	assert_false(text_same_fold("[", "{"));
	assert_false(text_same_fold("iss", "issx"));
	assert_false(text_same_fold("issx", "iss"));
	assert_false(text_same_fold("k", "\xe2\x84\xaa"));
	assert_false(text_same_fold("\xe4", "\xc4"));
}

/* ---- tenant keys ------------------------------------------------------ */

static int
strip(const char *text, struct jwks **outp)
{
	return jwks_strip(text, strlen(text), FORGE_ISSUER, FORGE_TENANT, 7,
	    outp);
}

/* What is kept of the provider's set, by name and in order. */
static void
II_T6_stripped_set(void **state)
{
	static const char *const kids[] = { "main-5Ycmy9wJW7NjtInO2Iyt5",
		"other", "e3", "rsa3072", "rsa4096", "rsa512", "rsa1024",
		"rsa2047", "even-n", "e1", "e2", "even-e", "huge-even-e" };
	size_t i;

	(void)state;
	assert_int_equal(listed->n, LEN(kids));
	for (i = 0; i < LEN(kids); i++)
		assert_string_equal(listed->keys[i].kid, kids[i]);
	assert_string_equal(listed->issuer, FORGE_ISSUER);
	assert_int_equal(listed->fetched_at, IAT);
	assert_null(jwks_find(listed, "nobody"));
	assert_null(jwks_find(listed, ""));
	assert_int_equal(listed->keys[0].n_len, 256);
	assert_int_equal(listed->keys[0].e_len, 3);
}

#define KEY(kid)                                                               \
	"{\"kty\":\"RSA\",\"kid\":\"" kid "\",\"n\":\"xw\",\"e\":\"AQAB\"}"

static void
II_T15_provider_sets(void **state)
{
	static const char *const bad[] = { "", "{}", "[]", "null", "\"x\"",
		"{\"keys\":null}", "{\"keys\":{}}", "{\"keys\":[]}",
		"{\"keys\":[{}]}", "{\"keys\":[null]}", "{\"keys\":\"x\"}",
		"[" KEY("a") "]", "{\"Keys\":[" KEY("a") "]}",
		"{\"keys\":[" KEY("a") "," KEY("a") "]}",
		"{\"keys\":[" KEY("a") "," KEY("b") "," KEY("a") "]}",
		"{\"keys\":[" KEY("a") "],\"keys\":[" KEY("a") "]}",
		"{\"keys\":[" KEY("a") "]}x", "{\"keys\":[" KEY("a") "]",
		"{\"keys\":[{\"kid\":\"a\",\"kty\":\"EC\"}," KEY("a") "]}",
		"\xef\xbb\xbf{\"keys\":[" KEY("a") "]}",
		"<html><body>Service Unavailable</body></html>" };
	struct jwks *s;
	size_t i;

	(void)state;
	for (i = 0; i < LEN(bad); i++) {
		if (strip(bad[i], &s) != AAD_EFORMAT)
			fail_msg("%s", bad[i]);
		assert_null(s);
	}
	assert_int_equal(strip("{\"keys\":[" KEY("a") "],\"x\":[]}", &s), 0);
	assert_int_equal(s->n, 1);
	jwks_free(s);
	jwks_free(NULL);
}

/* Which key a kid means must be plain, also when only one of two is usable. */
static void
II_T5_kid_twice_in_a_set(void **state)
{
	static const char *const twice[] = {
		"{\"keys\":[" KEY("a") "," KEY("a") "]}",
		"{\"keys\":[" KEY("b") "," KEY("a") "," KEY("b") "]}",
		"{\"keys\":[{\"kid\":\"a\",\"kty\":\"EC\"}," KEY("a") "]}",
		"{\"keys\":[" KEY("a") ",{\"kid\":\"a\",\"kty\":\"oct\"}]}"
	};
	struct jwks *s;
	size_t i;

	(void)state;
	for (i = 0; i < LEN(twice); i++) {
		assert_int_equal(strip(twice[i], &s), AAD_EFORMAT);
		assert_null(s);
	}
}

/* A set of n keys, followed by blanks up to size bytes (0: none). */
static char *
set_of(size_t n, size_t size)
{
	size_t room = size > n * 80 + 64 ? size : n * 80 + 64, used, i;
	char *out = malloc(room + 1);

	assert_non_null(out);
	used = (size_t)snprintf(out, room, "{\"keys\":[");
	for (i = 0; i < n; i++)
		used += (size_t)snprintf(out + used, room - used,
		    "%s{\"kty\":\"RSA\",\"kid\":\"k%zu\",\"n\":\"xw\","
		    "\"e\":\"AQAB\"}",
		    i == 0 ? "" : ",", i);
	used += (size_t)snprintf(out + used, room - used, "]}");
	while (used < size)
		out[used++] = ' ';
	out[used] = '\0';
	return out;
}

static void
II_T15_bounds(void **state)
{
	struct jwks *s;
	char *text = set_of(JWKS_KEYS_MAX, JWKS_REPLY_MAX);
	size_t i;

	(void)state;
	assert_int_equal(strlen(text), JWKS_REPLY_MAX);
	assert_int_equal(strip(text, &s), 0);
	assert_int_equal(s->n, JWKS_KEYS_MAX);
	jwks_free(s);
	free(text);
	text = set_of(1, JWKS_REPLY_MAX + 1);
	assert_int_equal(strip(text, &s), AAD_ETOOBIG);
	assert_null(s);
	free(text);
	text = set_of(JWKS_KEYS_MAX + 1, 0);
	assert_int_equal(strip(text, &s), AAD_ETOOBIG);
	assert_null(s);
	/* nothing but brackets, as many as fit */
	text = realloc(text, JWKS_REPLY_MAX + 1);
	assert_non_null(text);
	for (i = 0; i < JWKS_REPLY_MAX; i++)
		text[i] = '[';
	text[i] = '\0';
	assert_int_equal(strip(text, &s), AAD_EFORMAT);
	assert_null(s);
	free(text);
}

/* The per-key issuer, with the template in its place and elsewhere. */
static void
II_T11_issuer_of_a_key(void **state)
{
	static const struct {
		const char *issuer;
		bool fits;
	} cases[] = { { "\"" FORGE_ISSUER "\"", true },
		{ "\"https://login.example.test/{tenantid}/v2.0\"", true },
		{ "\"https://login.example.test/{tenantId}/v2.0\"", false },
		{ "\"https://login.example.test/{tenantid}/v2.0/\"", false },
		{ "\"https://login.example.test/{tenantid}\"", false },
		{ "\"https://evil.test/{tenantid}/v2.0\"", false },
		{ "\"{tenantid}\"", false }, { "\"\"", false },
		{ "\"https://login.example.test/9188040d-6c67-4c5b-b112-"
		  "36a304b66dad/v2.0\"",
		    false },
		{ "null", false }, { "[]", false }, { "1", false } };
	struct jwks *s;
	char text[512];
	size_t i;

	(void)state;
	for (i = 0; i < LEN(cases); i++) {
		snprintf(text, sizeof(text),
		    "{\"keys\":[" KEY(
			"a") ",{\"kty\":\"RSA\",\"kid\":\"b\",\"n\":\"xw\","
			     "\"e\":\"AQAB\",\"issuer\":%s}]}",
		    cases[i].issuer);
		assert_int_equal(strip(text, &s), 0);
		if ((jwks_find(s, "b") != NULL) != cases[i].fits)
			fail_msg("%s", cases[i].issuer);
		jwks_free(s);
	}
}

/* Each piece around the template counts, also where no length differs. */
static void
II_T11_template_piece_by_piece(void **state)
{
	static const char keys[] = "{\"keys\":[" KEY(
	    "a") ",{\"kty\":\"RSA\","
		 "\"kid\":\"b\",\"n\":\"xw\",\"e\":\"AQAB\",\"issuer\":"
		 "\"https://i.test/{tenantid}/v2.0\"}]}";
	static const struct {
		const char *issuer;
		const char *tenant;
		bool fits;
	} cases[] = { { "https://i.test/ten/v2.0", "ten", true },
		{ "https://j.test/ten/v2.0", "ten", false },
		{ "https://i.test/net/v2.0", "ten", false },
		{ "https://i.test/ten/v1.0", "ten", false },
		{ "https://i.test/ten/v2.0", "net", false },
		{ "https://i.test/ten/v2.0", "te", false },
		{ "https://i.test/ten/v2.0", "tenx", false },
		{ "https://i.test/{tenantid}/v2.0", "ten", false } };
	struct jwks *s;
	size_t i;

	(void)state;
	for (i = 0; i < LEN(cases); i++) {
		assert_int_equal(jwks_strip(keys, sizeof(keys) - 1,
				     cases[i].issuer, cases[i].tenant, 7, &s),
		    0);
		assert_int_equal(jwks_find(s, "b") != NULL, cases[i].fits);
		jwks_free(s);
	}
}

static void
keys_file_round_trip(void **state)
{
	struct jwks *s;
	char *text, *again;
	size_t len, i;

	(void)state;
	assert_int_equal(jwks_format(listed, &text, &len), 0);
	assert_int_equal(len, strlen(text));
	assert_int_equal(jwks_parse(text, len, NULL, &s), 0);
	assert_int_equal(s->n, listed->n);
	assert_int_equal(s->fetched_at, listed->fetched_at);
	assert_string_equal(s->issuer, listed->issuer);
	for (i = 0; i < s->n; i++) {
		assert_string_equal(s->keys[i].kid, listed->keys[i].kid);
		assert_int_equal(s->keys[i].n_len, listed->keys[i].n_len);
		assert_memory_equal(s->keys[i].n, listed->keys[i].n,
		    s->keys[i].n_len);
		assert_int_equal(s->keys[i].e_len, listed->keys[i].e_len);
		assert_memory_equal(s->keys[i].e, listed->keys[i].e,
		    s->keys[i].e_len);
	}
	assert_int_equal(jwks_format(s, &again, &len), 0);
	assert_string_equal(again, text);
	jwks_free(s);
	free(again);
	free(text);
}

#define KEY1 "{\"kid\":\"a\",\"n\":\"xw\",\"e\":\"AQAB\"}"
#define FILE1(v, at, keys)                                                     \
	"{\"v\":" v ",\"issuer\":\"i\",\"fetched_at\":" at "}\n" keys
#define K1 KEY1 "\n"

static void
II_K5_keys_file(void **state)
{
	static const struct {
		const char *text;
		int r;
	} cases[] = { { FILE1("1", "0", K1), 0 },
		{ FILE1("1", "9223372036854775807", K1), 0 },
		{ FILE1("2", "0", K1), AAD_EVERSION },
		{ "{\"v\":99,\"new\":true}", AAD_EVERSION },
		{ FILE1("0", "0", K1), AAD_EFORMAT },
		{ FILE1("-1", "0", K1), AAD_EFORMAT },
		{ FILE1("1.0", "0", K1), AAD_EFORMAT },
		{ FILE1("\"1\"", "0", K1), AAD_EFORMAT },
		{ FILE1("null", "0", K1), AAD_EFORMAT },
		{ FILE1("1", "-1", K1), AAD_EFORMAT },
		{ FILE1("1", "0.5", K1), AAD_EFORMAT },
		{ FILE1("1", "\"0\"", K1), AAD_EFORMAT },
		{ FILE1("1", "9223372036854775808", K1), AAD_EFORMAT },
		{ FILE1("1", "0,\"x\":1", K1), AAD_EFORMAT },
		{ FILE1("1", "0,\"v\":1", K1), AAD_EFORMAT },
		{ FILE1("1", "0", ""), AAD_EFORMAT },
		{ FILE1("1", "0", "\n"), AAD_EFORMAT },
		{ FILE1("1", "0", "{}\n"), AAD_EFORMAT },
		{ FILE1("1", "0", "null\n"), AAD_EFORMAT },
		{ FILE1("1", "0", "[" KEY1 "]\n"), AAD_EFORMAT },
		{ FILE1("1", "0", K1 K1), AAD_EFORMAT },
		{ FILE1("1", "0", KEY1), AAD_EFORMAT },
		{ FILE1("1", "0", K1 "\n"), AAD_EFORMAT },
		{ FILE1("1", "0", K1 "x"), AAD_EFORMAT },
		{ FILE1("1", "0", " " K1), AAD_EFORMAT },
		{ FILE1("1", "0", KEY1 "x\n"), AAD_EFORMAT },
		{ FILE1("1", "0",
		      "{\"kid\":\"a\",\"n\":\"xw\",\"e\":\"AQAB\",\"d\":"
		      "\"x\"}\n"),
		    AAD_EFORMAT },
		{ FILE1("1", "0", "{\"kid\":\"a\",\"n\":\"xw\"}\n"),
		    AAD_EFORMAT },
		{ FILE1("1", "0", "{\"n\":\"xw\",\"kid\":\"a\"}\n"),
		    AAD_EFORMAT },
		{ FILE1("1", "0",
		      "{\"kid\":\"a\",\"kid\":\"b\",\"n\":\"xw\",\"e\":"
		      "\"AQAB\"}\n"),
		    AAD_EFORMAT },
		{ FILE1("1", "0",
		      "{\"kid\":\"a/b\",\"n\":\"xw\",\"e\":\"AQAB\"}\n"),
		    AAD_EFORMAT },
		{ FILE1("1", "0",
		      "{\"kid\":\"a\",\"n\":\"AAEB\",\"e\":\"AQAB\"}\n"),
		    AAD_EFORMAT },
		{ FILE1("1", "0", "{\"kid\":\"a\",\"n\":\"\",\"e\":\"AQ\"}\n"),
		    AAD_EFORMAT },
		{ FILE1("1", "0",
		      "{\"kid\":\"a\",\"n\":\"xx\",\"e\":\"AQ\"}\n"),
		    AAD_EFORMAT },
		{ "[1]", AAD_EFORMAT }, { "", AAD_EFORMAT },
		{ "{}", AAD_EFORMAT } };
	struct jwks *s;
	char *text;
	size_t i;

	(void)state;
	for (i = 0; i < LEN(cases); i++) {
		if (jwks_parse(cases[i].text, strlen(cases[i].text), NULL,
			&s) != cases[i].r)
			fail_msg("%s", cases[i].text);
		assert_int_equal(s != NULL, cases[i].r == 0);
		jwks_free(s);
	}
	text = calloc(1, JWKS_FILE_MAX + 2);
	assert_non_null(text);
	/* blanks, which JSON allows, up to the bound and one beyond */
	memset(text, ' ', JWKS_FILE_MAX + 1);
	memcpy(text, FILE1("1", "0", KEY1), strlen(FILE1("1", "0", KEY1)));
	text[JWKS_FILE_MAX - 1] = '\n';
	assert_int_equal(jwks_parse(text, JWKS_FILE_MAX, NULL, &s), 0);
	jwks_free(s);
	assert_int_equal(jwks_parse(text, JWKS_FILE_MAX + 1, NULL, &s),
	    AAD_ETOOBIG);
	assert_null(s);
	free(text);
}

/* The hook's way: one key of several, and the others looked at all the same. */
static void
II_K5_one_key_of_the_file(void **state)
{
	static const char good[] = FILE1("1", "0",
	    K1 "{\"kid\":\"b\",\"n\":\"xg\",\"e\":\"AQAB\"}\n");
	static const char *const bad[] = {
		FILE1("1", "0", K1 "{\"kid\":\"a\",\"n\":\"xg\"}\n"),
		FILE1("1", "0", K1 "junk\n"),
		FILE1("1", "0", K1 "{\"kid\":\"b/c\"}\n"),
		FILE1("1", "0", K1 "{\"kid\":\"b\",\"n\":\"xg\""),
		FILE1("1", "0",
		    "{\"kid\":\"a\",\"n\":\"xw\",\"e\":\"AQAB\",\"x\":1}\n"),
	};
	struct jwks *s;
	size_t i;

	(void)state;
	assert_int_equal(jwks_parse(good, strlen(good), "b", &s), 0);
	assert_int_equal(s->n, 1);
	assert_non_null(jwks_find(s, "b"));
	assert_null(jwks_find(s, "a"));
	jwks_free(s);
	assert_int_equal(jwks_parse(good, strlen(good), "c", &s), 0);
	assert_int_equal(s->n, 0);
	jwks_free(s);
	for (i = 0; i < LEN(bad); i++) {
		assert_int_equal(jwks_parse(bad[i], strlen(bad[i]), "a", &s),
		    AAD_EFORMAT);
		assert_null(s);
	}
}

/* As many keys as may be, and one more. */
static void
II_K5_keys_file_bounds(void **state)
{
	size_t n, i, used, room = (JWKS_KEYS_MAX + 2) * 64;
	char *text = malloc(room);
	struct jwks *s;

	(void)state;
	assert_non_null(text);
	for (n = JWKS_KEYS_MAX; n <= JWKS_KEYS_MAX + 1; n++) {
		used = (size_t)snprintf(text, room,
		    "{\"v\":1,\"issuer\":\"i\",\"fetched_at\":0}\n");
		for (i = 0; i < n; i++)
			used += (size_t)snprintf(text + used, room - used,
			    "{\"kid\":\"k%zu\",\"n\":\"xw\",\"e\":\"AQAB\"}\n",
			    i);
		assert_true(used < room);
		assert_int_equal(jwks_parse(text, used, NULL, &s),
		    n > JWKS_KEYS_MAX ? AAD_ETOOBIG : 0);
		assert_int_equal(s == NULL, n > JWKS_KEYS_MAX);
		jwks_free(s);
	}
	free(text);
}

struct keys_walk {
	const struct jwks *good;
	char *token;
	size_t yes;
};

static bool
same_key(const struct jwks *a, const struct jwks *b)
{
	const struct jwk *x = &a->keys[0], *y = &b->keys[0];

	return strcmp(a->issuer, b->issuer) == 0 &&
	       strcmp(x->kid, y->kid) == 0 && x->n_len == y->n_len &&
	       x->e_len == y->e_len && memcmp(x->n, y->n, x->n_len) == 0 &&
	       memcmp(x->e, y->e, x->e_len) == 0;
}

/* A damaged file that still opens is one whose key is the same. */
static void
keys_flip(const uint8_t *p, size_t len, enum mutation how, size_t where,
    void *arg)
{
	struct keys_walk *w = arg;
	struct token_expect want = wanted(0);
	struct jwks *s = NULL;
	int r = jwks_parse((const char *)p, len, NULL, &s);

	(void)how;
	(void)where;
	assert_int_equal(r == 0, s != NULL);
	assert_true(r == 0 || r == AAD_EFORMAT || r == AAD_EVERSION ||
		    r == AAD_ETOOBIG);
	if (s != NULL && judge_by(s, &want, w->token, strlen(w->token), NULL) ==
			     AAD_R_ALLOWED) {
		assert_true(same_key(s, w->good));
		w->yes++;
	}
	jwks_free(s);
}

static void
II_K5_every_damaged_keys_file(void **state)
{
	struct jwks *good = forge_jwks(&forge, IAT, 0);
	char *claims = forge_claims(FORGE_OID, "alice@contoso.com", IAT, EXP,
	    "");
	struct keys_walk w = { good, forge_token(&forge, NULL, claims), 0 };
	char *text;
	size_t len;

	(void)state;
	assert_int_equal(jwks_format(good, &text, &len), 0);
	mutate_walk(text, len, keys_flip, &w);
	/* only the ten digits of fetched_at and a newline behind may differ */
	assert_true(w.yes > 10 && w.yes < 81);
	free(text);
	free(w.token);
	free(claims);
	jwks_free(good);
}

static void
strip_flip(const uint8_t *p, size_t len, enum mutation how, size_t where,
    void *arg)
{
	struct jwks *s = NULL;
	size_t *kept = arg;
	int r = jwks_strip((const char *)p, len, ENTRA_ISSUER, ENTRA_TENANT, 7,
	    &s);

	(void)how;
	(void)where;
	assert_true(r == 0 || r == AAD_EFORMAT);
	assert_int_equal(r == 0, s != NULL);
	if (s != NULL) {
		assert_true(s->n >= 1 && s->n <= 3);
		(*kept)++;
	}
	jwks_free(s);
}

static void
II_T15_every_damaged_provider_set(void **state)
{
	size_t len, kept = 0;
	char *text = slurp(ENTRA "/jwks_tenant_v2.json", &len);

	(void)state;
	mutate_walk(text, len, strip_flip, &kept);
	assert_true(kept > len);
	free(text);
}

/* ---- memory short ----------------------------------------------------- */

/*
 * libjwt takes text that jansson had no memory for as malformed, or loses
 * characters of its own copy of the claims, which nobody reads.  So either
 * it refuses, or the claims that come out are ours and whole.
 */
static bool
libjwt_was_short(const struct row *row, int r, enum reason why,
    const struct claims *c)
{
	if (r == AAD_EREFUSED)
		return why == AAD_R_TOKEN_SIGNATURE;
	return r == 0 && row->jwt == AAD_R_ALLOWED &&
	       strcmp(c->oid, FORGE_OID) == 0 &&
	       strcmp(c->tid, FORGE_TENANT) == 0 && c->exp == EXP &&
	       strcmp(c->upn != NULL ? c->upn : c->preferred_username,
		   "alice@contoso.com") == 0 &&
	       c->roles.n == 1 && claims_has(&c->roles, "ssh.user") &&
	       c->groups.n == 0;
}

/*
 * Fail each allocation in turn, jansson's within libjwt too: AAD_ENOMEM and
 * nothing in hand, until the call runs through.
 */
static void
judge_short(size_t set, const struct row *row)
{
	struct token_expect want = wanted(set);
	static struct claims poison;
	struct claims *c, *late;
	enum reason why;
	unsigned int k;
	bool hit = true;
	int r = 0;

	for (k = 1; hit; k++) {
		c = late = &poison;
		why = AAD_R_UNSET;
		fault_arm(FAULT_ALLOC, k, ENOMEM);
		r = token_judge(row->token, row->len, listed, &want, &c, &late,
		    &why);
		hit = fault_disarm();
		if (!hit)
			break;
		if (r != AAD_ENOMEM &&
		    !(sets[set].jwt && libjwt_was_short(row, r, why, c)))
			fail_msg("%s by %s, allocation %u: %d, %s", row->name,
			    sets[set].name, k, r, reason_name(why));
		assert_int_equal(r == 0, c != NULL);
		assert_int_equal(r == 0, why == AAD_R_ALLOWED);
		assert_null(late);
		claims_free(c);
	}
	assert_int_equal(why, row->nettle);
	assert_int_equal(r, row->nettle == AAD_R_ALLOWED ? 0 : AAD_EREFUSED);
	claims_free(c);
	claims_free(late);
	assert_true(k > 30);
}

static void
II_T17_memory_short_while_judging(void **state)
{
	(void)state;
	judge_short(0, row_named("good_plain"));
	judge_short(0, row_named("good_groups_200"));
	judge_short(0, row_named("I_B8_exp_past"));
	judge_short(2, row_named("good_plain"));
}

static void
memory_short_over_keys(void **state)
{
	size_t len, text_len;
	char *text = slurp(TOKENS "/jwks.json", &len), *out;
	struct jwks *s;
	unsigned int k;
	bool hit;
	int r;

	(void)state;
	for (k = 1, hit = true; hit; k++) {
		fault_arm(FAULT_ALLOC, k, ENOMEM);
		r = jwks_strip(text, len, FORGE_ISSUER, FORGE_TENANT, 7, &s);
		hit = fault_disarm();
		assert_int_equal(r, hit ? AAD_ENOMEM : 0);
		assert_int_equal(s == NULL, hit);
		jwks_free(s);
	}
	assert_true(k > 100);
	free(text);
	for (k = 1, hit = true; hit; k++) {
		fault_arm(FAULT_ALLOC, k, ENOMEM);
		r = jwks_format(listed, &out, &text_len);
		hit = fault_disarm();
		assert_int_equal(r, hit ? AAD_ENOMEM : 0);
		assert_int_equal(out == NULL, hit);
		if (hit)
			assert_int_equal(text_len, 0);
		else
			text = out;
	}
	assert_true(k > 30);
	for (k = 1, hit = true; hit; k++) {
		fault_arm(FAULT_ALLOC, k, ENOMEM);
		r = jwks_parse(text, text_len, NULL, &s);
		hit = fault_disarm();
		assert_int_equal(r, hit ? AAD_ENOMEM : 0);
		assert_int_equal(s == NULL, hit);
		jwks_free(s);
	}
	assert_true(k > 50);
	free(text);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(genuine_tokens),
		cmocka_unit_test(II_T1_crafted_jws),
		cmocka_unit_test(II_T2_alg_none),
		cmocka_unit_test(II_T3_hs256_with_public_key),
		cmocka_unit_test(II_T4_key_in_the_header),
		cmocka_unit_test(II_T5_kid),
		cmocka_unit_test(II_T6_unfit_published_keys),
		cmocka_unit_test(II_T8_from_the_future),
		cmocka_unit_test(II_T9_aud_array),
		cmocka_unit_test(II_T10_other_application),
		cmocka_unit_test(II_T11_issuer),
		cmocka_unit_test(II_T16_other_algorithm),
		cmocka_unit_test(II_T18_nul_utf8_nested_case),
		cmocka_unit_test(II_T20_graph),
		cmocka_unit_test(II_P7_groups_and_roles_types),
		cmocka_unit_test(II_P19_acrs_types),
		cmocka_unit_test(I_B7_tenant_and_version),
		cmocka_unit_test(I_B8_jws_tricks),
		cmocka_unit_test(table_is_whole),
		cmocka_unit_test(oracles_accept_the_same),
		cmocka_unit_test(I_B8_every_damaged_signature),
		cmocka_unit_test(I_B8_every_damaged_token),
		cmocka_unit_test(II_T6_oracles_judge_the_key),
		cmocka_unit_test(II_T16_libjwt_without_the_guard),
		cmocka_unit_test(II_T17_claims_only_on_success),
		cmocka_unit_test(II_T11_keys_of_another_issuer),
		cmocka_unit_test(I_B8_exp_bounds),
		cmocka_unit_test(II_T8_skew_bounds),
		cmocka_unit_test(negative_times_break_the_contract),
		cmocka_unit_test(late_claims),
		cmocka_unit_test(I_B8_sizes),
		cmocka_unit_test(entra_tokens),
		cmocka_unit_test(II_P6_overage_of_entra),
		cmocka_unit_test(claims_absent),
		cmocka_unit_test(claims_present),
		cmocka_unit_test(I_B6_acct),
		cmocka_unit_test(II_P6_overage_markers),
		cmocka_unit_test(II_P19_acrs),
		cmocka_unit_test(II_P7_list_bounds),
		cmocka_unit_test(II_T18_every_damaged_payload),
		cmocka_unit_test(II_T18_case_twins),
		cmocka_unit_test(folding_asks_no_locale),
		cmocka_unit_test(II_T6_stripped_set),
		cmocka_unit_test(II_T5_kid_twice_in_a_set),
		cmocka_unit_test(II_T15_provider_sets),
		cmocka_unit_test(II_T15_bounds),
		cmocka_unit_test(II_T11_issuer_of_a_key),
		cmocka_unit_test(II_T11_template_piece_by_piece),
		cmocka_unit_test(keys_file_round_trip),
		cmocka_unit_test(II_K5_keys_file),
		cmocka_unit_test(II_K5_one_key_of_the_file),
		cmocka_unit_test(II_K5_keys_file_bounds),
		cmocka_unit_test(II_K5_every_damaged_keys_file),
		cmocka_unit_test(II_T15_every_damaged_provider_set),
		cmocka_unit_test(II_T17_memory_short_while_judging),
		cmocka_unit_test(memory_short_over_keys),
	};

	return cmocka_run_group_tests_name("token", tests, load, unload);
}
