/* SPDX-License-Identifier: ISC */

#include "test/unit/unit.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "core/b64.h"
#include "ssh/privkey.h"
#include "ssh/sign.h"
#include "ssh/wire.h"
#include "test/unit/fault.h"
#include "test/unit/mutate.h"

#define VECTORS "test/vectors/privkeys/"
#define BEGIN	"-----BEGIN OPENSSH PRIVATE KEY-----\n"
#define END	"-----END OPENSSH PRIVATE KEY-----\n"

struct text {
	char p[PRIVKEY_TEXT_MAX + 2];
	size_t len;
};

static struct text
load(const char *name)
{
	char path[256];
	struct text t;
	FILE *f;

	snprintf(path, sizeof(path), VECTORS "%s", name);
	if ((f = fopen(path, "r")) == NULL)
		fail_msg("%s: %s", path, strerror(errno));
	t.len = fread(t.p, 1, sizeof(t.p) - 1, f);
	t.p[t.len] = '\0';
	fclose(f);
	return t;
}

static void
assert_empty(const struct privkey *k)
{
	static const struct privkey zero;

	assert_memory_equal(k, &zero, sizeof(zero));
}

/* Parse into a dirty record; an error leaves it empty. */
static int
parse(const char *p, size_t len, struct privkey *k)
{
	int r;

	memset(k, 0xa5, sizeof(*k));
	if ((r = privkey_parse(p, len, k)) != 0)
		assert_empty(k);
	return r;
}

static int
verdict(const char *p, size_t len)
{
	struct privkey k;
	int r = parse(p, len, &k);

	privkey_release(&k);
	assert_empty(&k);
	return r;
}

/* ---- taking a file apart, and putting one together ---- */

/* What the armour's base64 says. */
static struct wirebuf
bare(const struct text *t)
{
	struct wirebuf b = wirebuf_new();
	char digits[PRIVKEY_TEXT_MAX];
	const char *from = t->p + strlen(BEGIN);
	const char *end = t->p + t->len - strlen(END);
	size_t n = 0, len;
	uint8_t *bytes;

	for (; from < end; from++)
		if (*from != '\n')
			digits[n++] = *from;
	assert_int_equal(b64_decode(B64_STD, digits, n, &bytes, &len), 0);
	wire_put_raw(&b, bytes, len);
	free(bytes);
	return b;
}

/* Armour around any bytes, in lines of so many digits. */
static struct text
armour(const void *p, size_t len, size_t width)
{
	struct text t = { .len = 0 };
	size_t i, n;
	char *digits;

	assert_int_equal(b64_encode(B64_STD, p, len, &digits), 0);
	n = (size_t)snprintf(t.p, sizeof(t.p), BEGIN);
	for (i = 0; i < strlen(digits); i += width)
		n += (size_t)snprintf(t.p + n, sizeof(t.p) - n, "%.*s\n",
		    (int)width, digits + i);
	n += (size_t)snprintf(t.p + n, sizeof(t.p) - n, END);
	free(digits);
	t.len = n;
	return t;
}

/* What a file is made of; each may be wrong. */
struct file {
	const char *cipher, *kdf, *options;
	uint32_t keys, check[2];
	uint8_t pub[32]; /* in the open part */
	const char *type, *inner_type;
	uint8_t inner_pub[32];
	uint8_t secret[64];
	const char *comment;
	size_t padding; /* bytes */
	uint8_t first; /* of the padding */
	size_t tail; /* bytes behind it all */
};

static const uint8_t seed[PRIVKEY_SEED_LEN] = "a seed of thirty-two bytes, yes";

static struct file
sound(void)
{
	struct file f = { .cipher = "none",
		.kdf = "none",
		.options = "",
		.keys = 1,
		.check = { 7, 7 },
		.type = "ssh-ed25519",
		.inner_type = "ssh-ed25519",
		.comment = "abc",
		.padding = 2,
		.first = 1 };

	crypto_sign_seed_keypair(f.pub, f.secret, seed);
	memcpy(f.inner_pub, f.pub, sizeof(f.pub));
	return f;
}

static struct wirebuf
build(const struct file *f)
{
	struct wirebuf b = wirebuf_new();
	size_t i, at;

	wire_put_raw(&b, "openssh-key-v1", 15);
	wire_put_text(&b, f->cipher);
	wire_put_text(&b, f->kdf);
	wire_put_text(&b, f->options);
	wire_put_u32(&b, f->keys);
	at = wire_put_begin(&b);
	wire_put_text(&b, f->type);
	wire_put_string(&b, f->pub, 32);
	wire_put_end(&b, at);
	at = wire_put_begin(&b);
	wire_put_u32(&b, f->check[0]);
	wire_put_u32(&b, f->check[1]);
	wire_put_text(&b, f->inner_type);
	wire_put_string(&b, f->inner_pub, 32);
	wire_put_string(&b, f->secret, 64);
	wire_put_text(&b, f->comment);
	for (i = 0; i < f->padding; i++)
		wire_put_u8(&b, (uint8_t)(f->first + i));
	wire_put_end(&b, at);
	for (i = 0; i < f->tail; i++)
		wire_put_u8(&b, 0);
	return b;
}

static int
judge(const struct file *f)
{
	struct wirebuf b = build(f);
	struct text t = armour(b.p, b.len, 70);

	wirebuf_release(&b);
	return verdict(t.p, t.len);
}

static void
building_changes_nothing_by_itself(void **state)
{
	struct file f = sound();

	(void)state;
	assert_int_equal(judge(&f), 0);
}

/* ---- what ssh-keygen makes ---- */

static int
number_of(const char *result)
{
	static const int all[] = { AAD_EREFUSED, AAD_EFORMAT };
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (strcmp(err_name(all[i]), result) == 0)
			return all[i];
	return 0;
}

/* The file again from what was read of it. */
static void
check_format(const struct text *t, const struct privkey *k)
{
	struct wirebuf b = bare(t);
	const size_t head = 15 + 8 + 8 + 4 + 4 + 4 + 51 + 4;
	struct wire w = wire_of(b.p + head, b.len - head);
	char comment[64] = "";
	const uint8_t *p;
	struct secret *again;
	uint32_t check, i;
	size_t len;

	assert_int_equal(wire_u32(&w, &check), 0);
	assert_int_equal(wire_u32(&w, &i), 0);
	for (i = 0; i < 4; i++)
		assert_int_equal(wire_string(&w, &p, &len), 0);
	memcpy(comment, p, len);
	wirebuf_release(&b);
	if ((comment[len > 0 ? len - 1 : 0] & 0x80) != 0 ||
	    strchr(comment, '\xc3') != NULL) {
		assert_int_equal(privkey_format(k, check, comment, &again),
		    AAD_EARG);
		return;
	}
	assert_int_equal(privkey_format(k, check, comment, &again), 0);
	assert_int_equal(secret_len(again), t->len);
	assert_memory_equal(secret_bytes(again), t->p, t->len);
	secret_free(again);
}

static void
valid_all_that_ssh_keygen_makes(void **state)
{
	char name[64], result[32], want[64], fp[KEY_FP_LEN + 1];
	struct privkey k;
	struct text t;
	uint8_t *sig;
	size_t len;
	int n, r;
	FILE *f;

	(void)state;
	assert_non_null(f = fopen(VECTORS "privkeys.txt", "r"));
	for (n = 0; fscanf(f, "%63s %31s %63s", name, result, want) == 3; n++) {
		t = load(name);
		r = parse(t.p, t.len, &k);
		if (r != number_of(result))
			fail_msg("%s: %s", name, err_name(r));
		if (r != 0)
			continue;
		key_fingerprint(&k.pub, fp);
		assert_string_equal(fp, want);
		check_format(&t, &k);
		assert_int_equal(sign_ed25519(k.secret, (const uint8_t *)"x", 1,
				     &sig, &len),
		    0);
		assert_int_equal(sign_verify(&k.pub, (const uint8_t *)"x", 1,
				     sig, len),
		    0);
		free(sig);
		privkey_release(&k);
	}
	fclose(f);
	assert_int_equal(n, 18);
}

/* ---- what no ssh-keygen makes ---- */

static void
wrong_fields(void **state)
{
	struct file f;

	(void)state;
	f = sound();
	f.keys = 0;
	assert_int_equal(judge(&f), AAD_EFORMAT);
	f.keys = 2;
	assert_int_equal(judge(&f), AAD_EFORMAT);
	f = sound();
	f.check[1] = 8;
	assert_int_equal(judge(&f), AAD_EFORMAT);
	f = sound();
	f.kdf = "bcrypt";
	assert_int_equal(judge(&f), AAD_EFORMAT);
	f = sound();
	f.options = "x";
	assert_int_equal(judge(&f), AAD_EFORMAT);
	f = sound();
	f.cipher = "None";
	assert_int_equal(judge(&f), AAD_EREFUSED); /* some cipher */
	f = sound();
	f.type = "ssh-ed25518";
	assert_int_equal(judge(&f), AAD_EREFUSED); /* some key */
	f.type = "";
	assert_int_equal(judge(&f), AAD_EFORMAT);
	f = sound();
	f.inner_type = "ssh-ed25518";
	assert_int_equal(judge(&f), AAD_EFORMAT);
	f = sound();
	f.tail = 1;
	assert_int_equal(judge(&f), AAD_EFORMAT);
}

/* Each half that stands there twice must be one, and the seed's. */
static void
wrong_halves(void **state)
{
	struct file f, other = sound();

	(void)state;
	crypto_sign_keypair(other.pub, other.secret);
	f = sound();
	memcpy(f.pub, other.pub, 32);
	assert_int_equal(judge(&f), AAD_EFORMAT);
	f = sound();
	memcpy(f.inner_pub, other.pub, 32);
	assert_int_equal(judge(&f), AAD_EFORMAT);
	f = sound();
	memcpy(f.secret + 32, other.pub, 32);
	assert_int_equal(judge(&f), AAD_EFORMAT);
	f = sound();
	memcpy(f.secret, other.secret, 32);
	assert_int_equal(judge(&f), AAD_EFORMAT);
	/* all three public halves of another key than the seed's */
	f = sound();
	memcpy(f.pub, other.pub, 32);
	memcpy(f.inner_pub, other.pub, 32);
	memcpy(f.secret + 32, other.pub, 32);
	assert_int_equal(judge(&f), AAD_EFORMAT);
	/* a point of low order */
	f = sound();
	memset(f.pub, 0, 32);
	assert_int_equal(judge(&f), AAD_EFORMAT);
}

static void
wrong_padding(void **state)
{
	struct file f = sound();

	(void)state;
	for (f.padding = 0; f.padding < 12; f.padding++)
		assert_int_equal(judge(&f), f.padding == 2 ? 0 : AAD_EFORMAT);
	f.padding = 2;
	for (f.first = 0; f.first < 4; f.first++)
		assert_int_equal(judge(&f), f.first == 1 ? 0 : AAD_EFORMAT);
	f = sound();
	f.comment = "abcde"; /* the block is full */
	for (f.padding = 0; f.padding < 12; f.padding++)
		assert_int_equal(judge(&f), f.padding == 0 ? 0 : AAD_EFORMAT);
}

static void
wrong_armour(void **state)
{
	struct file f = sound();
	struct wirebuf b = build(&f);
	struct text t = armour(b.p, b.len, 70), u;
	size_t width;
	char *p;

	(void)state;
	assert_int_equal(verdict(t.p, t.len), 0);
	for (width = 60; width < 80; width++) {
		u = armour(b.p, b.len, width);
		assert_int_equal(verdict(u.p, u.len),
		    width == 70 ? 0 : AAD_EFORMAT);
	}
	assert_int_equal(verdict("", 0), AAD_EFORMAT);
	assert_int_equal(verdict(BEGIN END, strlen(BEGIN END)), AAD_EFORMAT);
	assert_int_equal(verdict(BEGIN "\n" END, strlen(BEGIN "\n" END)),
	    AAD_EFORMAT);
	assert_int_equal(verdict(BEGIN "AAAA\n" END,
			     strlen(BEGIN "AAAA\n" END)),
	    AAD_EFORMAT);
	/* no line feed at the end, blank lines, a CR, a NUL and more */
	assert_int_equal(verdict(t.p, t.len - 1), AAD_EFORMAT);
	assert_int_equal(verdict(t.p + 1, t.len - 1), AAD_EFORMAT);
	u = t;
	u.p[u.len++] = '\n';
	assert_int_equal(verdict(u.p, u.len), AAD_EFORMAT);
	u = t;
	p = u.p + strlen(BEGIN) + 10;
	*p = '\r';
	assert_int_equal(verdict(u.p, u.len), AAD_EFORMAT);
	*p = '\0';
	assert_int_equal(verdict(u.p, u.len), AAD_EFORMAT);
	*p = '\n';
	assert_int_equal(verdict(u.p, u.len), AAD_EFORMAT);
	wirebuf_release(&b);
}

/* Whole groups behind a NUL, where a string would end. */
static void
nothing_hides_behind_a_nul(void **state)
{
	struct text t = load("ed25519"), u = t;
	const size_t tail = strlen(END);

	(void)state;
	/* the last line has room for a group, or two */
	memcpy(u.p + t.len - tail - 1, "\0AAA\n" END, 5 + tail);
	u.len = t.len + 4;
	assert_int_equal(verdict(u.p, u.len), AAD_EFORMAT);
}

static void
boundary_too_big(void **state)
{
	static struct text t;

	(void)state;
	memset(t.p, 'A', sizeof(t.p));
	assert_int_equal(verdict(t.p, PRIVKEY_TEXT_MAX + 1), AAD_ETOOBIG);
	assert_int_equal(verdict(t.p, PRIVKEY_TEXT_MAX), AAD_EFORMAT);
}

/* ---- damage ---- */

/* Refused, or the same key and nothing else. */
static void
assert_harmless(const char *p, size_t len, const struct privkey *want)
{
	struct privkey k;
	int r = parse(p, len, &k);

	if (r != 0) {
		assert_true(r == AAD_EFORMAT || r == AAD_EREFUSED);
		return;
	}
	assert_int_equal(k.pub.blob_len, want->pub.blob_len);
	assert_memory_equal(k.pub.blob, want->pub.blob, k.pub.blob_len);
	assert_memory_equal(secret_bytes(k.secret), secret_bytes(want->secret),
	    64);
	privkey_release(&k);
}

static void
text_damaged(const uint8_t *p, size_t len, enum mutation how, size_t at,
    void *arg)
{
	(void)at;
	if (how != MUTATE_BIT_FLIP)
		assert_int_equal(verdict((const char *)p, len), AAD_EFORMAT);
	else
		assert_harmless((const char *)p, len, arg);
}

static void
bytes_damaged(const uint8_t *p, size_t len, enum mutation how, size_t at,
    void *arg)
{
	struct text t = armour(p, len, 70);

	(void)at;
	if (how != MUTATE_BIT_FLIP)
		assert_int_equal(verdict(t.p, t.len), AAD_EFORMAT);
	else
		assert_harmless(t.p, t.len, arg);
}

static void
II_O4_every_damage_of_a_file(void **state)
{
	static const char *const names[] = { "ed25519", "comment_0",
		"comment_5" };
	struct privkey k;
	struct wirebuf b;
	struct text t;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		t = load(names[i]);
		assert_int_equal(parse(t.p, t.len, &k), 0);
		mutate_walk(t.p, t.len, text_damaged, &k);
		b = bare(&t);
		mutate_walk(b.p, b.len, bytes_damaged, &k);
		wirebuf_release(&b);
		privkey_release(&k);
	}
}

/* ---- making ---- */

/* RFC 8032 s.7.1, TEST 1. */
static void
valid_seed(void **state)
{
	static const uint8_t rfc_seed[32] = { 0x9d, 0x61, 0xb1, 0x9d, 0xef,
		0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c,
		0xc4, 0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70,
		0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60 };
	static const uint8_t want[32] = { 0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1,
		0x0a, 0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a,
		0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6, 0x23, 0x25, 0xaf, 0x02,
		0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a };
	struct privkey k;

	(void)state;
	assert_int_equal(privkey_of_seed(rfc_seed, &k), 0);
	assert_int_equal(k.pub.kind, KEY_ED25519);
	assert_memory_equal(k.pub.blob + k.pub.blob_len - 32, want, 32);
	assert_int_equal(secret_len(k.secret), 64);
	assert_memory_equal(secret_bytes(k.secret), rfc_seed, 32);
	assert_memory_equal(secret_bytes(k.secret) + 32, want, 32);
	privkey_release(&k);
	assert_empty(&k);
	privkey_release(&k);
}

static void
valid_round_trips(void **state)
{
	char comment[PRIVKEY_COMMENT_MAX + 1];
	uint8_t any[PRIVKEY_SEED_LEN];
	struct privkey k, again;
	struct secret *text;
	size_t i, j, len;

	(void)state;
	for (i = 0; i < 200; i++) {
		randombytes_buf(any, sizeof(any));
		len = i == 0 ? PRIVKEY_COMMENT_MAX : randombytes_uniform(200);
		for (j = 0; j < len; j++)
			comment[j] = (char)(' ' + randombytes_uniform(95));
		comment[len] = '\0';
		assert_int_equal(privkey_of_seed(any, &k), 0);
		assert_int_equal(privkey_format(&k, randombytes_random(),
				     comment, &text),
		    0);
		assert_int_equal(parse((char *)secret_bytes(text),
				     secret_len(text), &again),
		    0);
		assert_memory_equal(again.pub.hash, k.pub.hash, 32);
		assert_memory_equal(secret_bytes(again.secret),
		    secret_bytes(k.secret), 64);
		secret_free(text);
		privkey_release(&k);
		privkey_release(&again);
	}
}

static void
wrong_arguments(void **state)
{
	char longer[PRIVKEY_COMMENT_MAX + 2];
	static const struct privkey nobodys;
	struct secret *text = (struct secret *)&state;
	struct privkey k, half;

	(void)state;
	assert_int_equal(privkey_format(&nobodys, 1, "x", &text), AAD_EARG);
	assert_null(text);
	assert_int_equal(privkey_of_seed(seed, &k), 0);
	half = k;
	half.secret = NULL;
	assert_int_equal(privkey_format(&half, 1, "x", &text), AAD_EARG);
	assert_int_equal(secret_new(32, &half.secret), 0);
	assert_int_equal(privkey_format(&half, 1, "x", &text), AAD_EARG);
	secret_free(half.secret);
	half = k;
	half.pub.kind = KEY_RSA;
	assert_int_equal(privkey_format(&half, 1, "x", &text), AAD_EARG);
	assert_int_equal(privkey_format(&k, 1, "a\nb", &text), AAD_EARG);
	assert_int_equal(privkey_format(&k, 1, "\x7f", &text), AAD_EARG);
	memset(longer, 'x', sizeof(longer));
	longer[PRIVKEY_COMMENT_MAX + 1] = '\0';
	assert_int_equal(privkey_format(&k, 1, longer, &text), AAD_EARG);
	assert_null(text);
	assert_int_equal(privkey_format(&k, 1, NULL, &text), 0);
	assert_int_equal(verdict((char *)secret_bytes(text), secret_len(text)),
	    0);
	secret_free(text);
	privkey_release(&k);
}

static void
no_memory(void **state)
{
	struct text t = load("ed25519");
	struct secret *text;
	struct privkey k;
	unsigned int i;
	int r;

	(void)state;
	for (i = 1;; i++) {
		fault_arm(FAULT_ALLOC, i, ENOMEM);
		r = parse(t.p, t.len, &k);
		if (!fault_disarm())
			break;
		assert_int_equal(r, AAD_ENOMEM);
	}
	assert_int_equal(r, 0);
	/* digits, bytes, a public key, secret, a blob, a public key */
	assert_int_equal(i, 7);
	for (i = 1;; i++) {
		fault_arm(FAULT_ALLOC, i, ENOMEM);
		r = privkey_format(&k, 1, "x", &text);
		if (!fault_disarm())
			break;
		assert_int_equal(r, AAD_ENOMEM);
		assert_null(text);
	}
	assert_int_equal(r, 0);
	assert_int_equal(i, 5);
	secret_free(text);
	privkey_release(&k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(building_changes_nothing_by_itself),
		cmocka_unit_test(valid_all_that_ssh_keygen_makes),
		cmocka_unit_test(wrong_fields),
		cmocka_unit_test(wrong_halves),
		cmocka_unit_test(wrong_padding),
		cmocka_unit_test(wrong_armour),
		cmocka_unit_test(nothing_hides_behind_a_nul),
		cmocka_unit_test(boundary_too_big),
		cmocka_unit_test(II_O4_every_damage_of_a_file),
		cmocka_unit_test(valid_seed),
		cmocka_unit_test(valid_round_trips),
		cmocka_unit_test(wrong_arguments),
		cmocka_unit_test(no_memory),
	};

	if (sodium_init() == -1)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
