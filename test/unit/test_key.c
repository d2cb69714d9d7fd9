/* SPDX-License-Identifier: ISC */

#include "test/unit/unit.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "core/b64.h"
#include "ssh/curve.h"
#include "ssh/key.h"
#include "ssh/wire.h"
#include "test/unit/fault.h"
#include "test/unit/mutate.h"

#define VECTORS "test/vectors/keys"

/* ---- vectors ---- */

struct pub {
	char text[16384]; /* the whole .pub file */
	size_t len;
	char type[64];
	char base64[16384];
};

static struct pub
pub_load(const char *folder, const char *name)
{
	char path[256];
	struct pub p;
	FILE *f;

	memset(&p, 0, sizeof(p));
	snprintf(path, sizeof(path), VECTORS "/%s/%s.pub", folder, name);
	if ((f = fopen(path, "r")) == NULL)
		fail_msg("%s: %s", path, strerror(errno));
	p.len = fread(p.text, 1, sizeof(p.text) - 1, f);
	fclose(f);
	assert_int_equal(sscanf(p.text, "%63s %16383s", p.type, p.base64), 2);
	return p;
}

typedef void row_fn(const char *name, const char *a, const char *b);

/* Call fn for each row of a table; returns how many there were. */
static int
each_row(const char *table, row_fn *fn)
{
	char line[256], name[64], a[64], b[64];
	int n = 0, got;
	FILE *f;

	snprintf(line, sizeof(line), VECTORS "/%s", table);
	if ((f = fopen(line, "r")) == NULL)
		fail_msg("%s: %s", line, strerror(errno));
	while (fgets(line, sizeof(line), f) != NULL) {
		b[0] = '\0';
		got = sscanf(line, "%63s %63s %63s", name, a, b);
		assert_true(got >= 2);
		fn(name, a, b);
		n++;
	}
	fclose(f);
	return n;
}

static struct key
good(const char *name)
{
	struct pub p = pub_load("good", name);
	enum reason why;
	struct key k;

	if (key_from_pub(p.text, p.len, &k, &why) != 0)
		fail_msg("%s: %s", name, reason_name(why));
	return k;
}

static void
assert_same(const struct key *a, const struct key *b)
{
	assert_int_equal(a->kind, b->kind);
	assert_int_equal(a->bits, b->bits);
	assert_int_equal(a->blob_len, b->blob_len);
	assert_memory_equal(a->blob, b->blob, a->blob_len);
	assert_memory_equal(a->hash, b->hash, sizeof(a->hash));
}

static void
assert_empty(const struct key *k)
{
	static const struct key zero;

	assert_memory_equal(k, &zero, sizeof(zero));
}

static void
assert_refused(int r, enum reason why, const struct key *k)
{
	assert_int_equal(r, AAD_EREFUSED);
	assert_true(why == AAD_R_KEY_MALFORMED || why == AAD_R_KEY_TYPE ||
		    why == AAD_R_KEY_WEAK || why == AAD_R_KEY_CERTIFICATE);
	assert_int_equal(reason_class(why), REASON_NO);
	assert_empty(k);
}

/* A key handed in dirty, to see that it is emptied. */
static struct key
dirt(void)
{
	struct key k;

	memset(&k, 0xa5, sizeof(k));
	return k;
}

/* ---- making blobs ---- */

struct buf {
	uint8_t p[16384];
	size_t len;
};

static void
put(struct buf *b, const void *p, size_t len)
{
	uint8_t head[4] = { (uint8_t)(len >> 24), (uint8_t)(len >> 16),
		(uint8_t)(len >> 8), (uint8_t)len };

	assert_true(len + 4 <= sizeof(b->p) - b->len);
	memcpy(b->p + b->len, head, 4);
	memcpy(b->p + b->len + 4, p, len);
	b->len += len + 4;
}

static void
put_text(struct buf *b, const char *s)
{
	put(b, s, strlen(s));
}

static enum reason
judge(const struct buf *b)
{
	struct key k = dirt();
	enum reason why = AAD_R_CONFIG;
	int r;

	r = key_from_blob(b->p, b->len, &k, &why);
	if (r == 0) {
		assert_int_equal(why, AAD_R_UNSET);
		assert_int_equal(k.blob_len, b->len);
		key_release(&k);
		return AAD_R_ALLOWED;
	}
	assert_refused(r, why, &k);
	return why;
}

/* ---- what real ssh-keygen says ---------------------------------------- */

/* The fingerprint and bits that ssh-keygen -l finds in these lines. */
static void
ssh_keygen(const char *lines, unsigned int *bitsp, char fp[KEY_FP_LEN + 2],
    unsigned int *countp)
{
	char path[] = "/tmp/aadssh-test-key-XXXXXX", command[128], out[512];
	int fd = mkstemp(path);
	FILE *f;

	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, lines, strlen(lines)), strlen(lines));
	close(fd);
	snprintf(command, sizeof(command), "ssh-keygen -l -f - <%s", path);
	f = popen(command, "r");
	assert_non_null(f);
	for (*countp = 0; fgets(out, sizeof(out), f) != NULL; (*countp)++)
		assert_int_equal(sscanf(out, "%u %51s", bitsp, fp), 2);
	assert_int_equal(pclose(f), 0);
	unlink(path);
}

static void
assert_openssh_agrees(const struct key *k, const char *line)
{
	char theirs[KEY_FP_LEN + 2], ours[KEY_FP_LEN + 1];
	unsigned int bits = 0, count = 0;

	ssh_keygen(line, &bits, theirs, &count);
	key_fingerprint(k, ours);
	assert_int_equal(count, 1);
	assert_string_equal(ours, theirs);
	assert_int_equal(bits, k->bits);
}

/* ---- good keys ---- */

static void
check_good(const char *name, const char *bits, const char *fp)
{
	struct pub p = pub_load("good", name);
	char ours[KEY_FP_LEN + 1], *line = NULL, want[16500];
	struct key k = dirt(), again = dirt(), third = dirt();
	enum reason why;

	assert_int_equal(key_from_pub(p.text, p.len, &k, &why), 0);
	assert_string_equal(key_type_name(&k), p.type);
	assert_true(strlen(p.type) <= KEY_TYPE_MAX);
	assert_int_equal(k.bits, atoi(bits));
	key_fingerprint(&k, ours);
	assert_string_equal(ours, fp);

	assert_int_equal(key_decode(p.type, p.base64, &again, &why), 0);
	assert_same(&k, &again);
	assert_int_equal(key_from_blob(k.blob, k.blob_len, &third, &why), 0);
	assert_same(&k, &third);
	assert_ptr_not_equal(k.blob, third.blob);

	assert_int_equal(key_line(&k, NULL, &line), 0);
	snprintf(want, sizeof(want), "%s %s\n", p.type, p.base64);
	assert_string_equal(line, want);
	assert_openssh_agrees(&k, line);
	free(line);
	key_release(&k);
	key_release(&again);
	key_release(&third);
	assert_empty(&k);
}

static void
valid_every_plain_type(void **state)
{
	(void)state;
	assert_int_equal(each_row("good.txt", check_good), 9);
}

static void
valid_pub_shapes(void **state)
{
	static const struct {
		const char *between;
		const char *behind;
	} shapes[] = {
		{ " ", "" },
		{ " ", "\n" },
		{ " ", " " },
		{ " ", " \n" }, /* ssh-keygen -C '' */
		{ "\t", "\tcomment\n" },
		{ "  \t ", "  two words \n" },
		{ " ", " \xc3\xa9\n" },
		{ " ", " ssh-rsa AAAA\n" },
	};
	struct pub p = pub_load("good", "ed25519");
	struct key k, want = good("ed25519");
	enum reason why;
	char text[512];
	size_t i;
	int n;

	(void)state;
	for (i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		n = snprintf(text, sizeof(text), "%s%s%.200s%s", p.type,
		    shapes[i].between, p.base64, shapes[i].behind);
		assert_int_equal(key_from_pub(text, (size_t)n, &k, &why), 0);
		assert_same(&k, &want);
		key_release(&k);
	}
	key_release(&want);
}

/* ---- bad keys ---- */

/* The blob alone: only what was wrong outside of it may be good. */
static void
check_bad_blob(const struct pub *p)
{
	struct key k = dirt();
	enum reason why;
	struct wire w;
	uint8_t *blob;
	size_t len;
	int r;

	assert_int_equal(b64_decode(B64_STD, p->base64, strlen(p->base64),
			     &blob, &len),
	    0);
	r = key_from_blob(blob, len, &k, &why);
	w = wire_of(blob, len);
	if (r == 0)
		assert_false(wire_is(&w, p->type));
	else
		assert_refused(r, why, &k);
	key_release(&k);
	free(blob);
}

static void
check_bad(const char *name, const char *reason, const char *unused)
{
	struct pub p = pub_load("bad", name);
	struct key k = dirt();
	enum reason why = AAD_R_UNSET;
	int r;

	(void)unused;
	r = key_from_pub(p.text, p.len, &k, &why);
	if (r != AAD_EREFUSED || strcmp(reason_name(why), reason) != 0)
		fail_msg("%s: %s, %s", name, err_name(r), reason_name(why));
	assert_empty(&k);

	k = dirt();
	why = AAD_R_UNSET;
	r = key_decode(p.type, p.base64, &k, &why);
	/* The hook leaves an Ed25519 point to where the key entered. */
	if (strstr(name, "ed25519_") != NULL &&
	    strcmp(reason, "key_weak") == 0) {
		assert_int_equal(r, 0);
		key_release(&k);
	} else {
		assert_int_equal(r, AAD_EREFUSED);
		assert_string_equal(reason_name(why), reason);
		assert_empty(&k);
	}

	check_bad_blob(&p);
}

/* DSA, RSA 1024, off-curve, low order, even e: I-C9; 4 GB lengths: I-D7. */
static void
I_C9_every_unsound_key(void **state)
{
	(void)state;
	assert_true(each_row("bad.txt", check_bad) >= 60);
}

static void
check_certificate(const char *name, const char *reason, const char *unused)
{
	static const char suffix[] = "-cert-v01@openssh.com";
	struct pub p = pub_load("bad", name);
	char plain[64], *cut;
	struct key k = dirt();
	enum reason why = AAD_R_UNSET;

	(void)unused;
	if (strcmp(reason, "key_certificate") != 0)
		return;
	assert_int_equal(key_decode(p.type, p.base64, &k, &why), AAD_EREFUSED);
	assert_int_equal(why, AAD_R_KEY_CERTIFICATE);
	assert_empty(&k);

	/* the same blob, called what is inside the certificate */
	snprintf(plain, sizeof(plain), "%s", p.type);
	cut = strstr(plain, suffix);
	assert_non_null(cut);
	*cut = '\0';
	assert_int_equal(key_decode(plain, p.base64, &k, &why), AAD_EREFUSED);
	assert_int_equal(why, AAD_R_KEY_MALFORMED);
	assert_empty(&k);
}

static void
I_A10_certificate_is_not_its_inner_key(void **state)
{
	struct buf b = { .len = 0 };

	(void)state;
	each_row("bad.txt", check_certificate);
	/* types that this ssh-keygen cannot certify, or nobody can yet */
	put_text(&b, "sk-ssh-ed25519-cert-v01@openssh.com");
	assert_int_equal(judge(&b), AAD_R_KEY_CERTIFICATE);
	b.len = 0;
	put_text(&b, "new-cert-v01@openssh.com");
	assert_int_equal(judge(&b), AAD_R_KEY_CERTIFICATE);
	b.len = 0;
	put_text(&b, "-cert-v01@openssh.com");
	assert_int_equal(judge(&b), AAD_R_KEY_TYPE);
}

static void
I_A10_type_must_be_the_inner_type(void **state)
{
	static const char *const names[] = { "ed25519", "ecdsa256", "ecdsa384",
		"ecdsa521", "rsa2048", "sk_ed25519", "sk_ecdsa256" };
	static const size_t n = sizeof(names) / sizeof(names[0]);
	struct pub outer, inner;
	struct key k = dirt();
	enum reason why;
	size_t i, j;

	(void)state;
	for (i = 0; i < n; i++) {
		outer = pub_load("good", names[i]);
		for (j = 0; j < n; j++) {
			inner = pub_load("good", names[j]);
			if (i == j)
				continue;
			why = AAD_R_UNSET;
			assert_int_equal(key_decode(outer.type, inner.base64,
					     &k, &why),
			    AAD_EREFUSED);
			assert_int_equal(why, AAD_R_KEY_MALFORMED);
			assert_empty(&k);
		}
	}
}

static void
junk_types(void **state)
{
	static const char *const types[] = { "", " ", "ssh-ed2551",
		"ssh-ed25519 ", " ssh-ed25519", "SSH-ED25519", "ssh-ed25519\n",
		"ssh-ed25519@openssh.com", "ssh-rsa", "none", "*",
		"restrict ssh-ed25519" };
	struct pub p = pub_load("good", "ed25519");
	struct key k = dirt();
	enum reason why;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		why = AAD_R_UNSET;
		assert_int_equal(key_decode(types[i], p.base64, &k, &why),
		    AAD_EREFUSED);
		assert_int_equal(why, AAD_R_KEY_MALFORMED);
		assert_empty(&k);
	}
}

/* The type's name inside, where it is not printable or not one of ours. */
static void
junk_inner_types(void **state)
{
	static const struct {
		const char *name;
		enum reason why;
	} rows[] = {
		{ "", AAD_R_KEY_MALFORMED },
		{ "ssh-ed25519\n", AAD_R_KEY_MALFORMED },
		{ "ssh-\xc3\xa9", AAD_R_KEY_MALFORMED },
		{ "\x1b[2J", AAD_R_KEY_MALFORMED },
		{ "\x7f", AAD_R_KEY_MALFORMED },
		{ "ssh-dss", AAD_R_KEY_TYPE },
		{ "ssh-xmss@openssh.com", AAD_R_KEY_TYPE },
		{ "rsa-sha2-512", AAD_R_KEY_TYPE },
		{ "webauthn-sk-ecdsa-sha2-nistp256@openssh.com",
		    AAD_R_KEY_TYPE },
	};
	struct buf b;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		b.len = 0;
		put_text(&b, rows[i].name);
		assert_int_equal(judge(&b), rows[i].why);
	}
}

static void
junk_base64(void **state)
{
	struct pub p = pub_load("good", "rsa3072");
	char text[sizeof(p.base64) + 16], *huge;
	struct key k = dirt();
	enum reason why = AAD_R_UNSET;
	size_t n = strlen(p.base64);

	(void)state;
	assert_true(n > 8);
	assert_int_equal(p.base64[n - 1], '='); /* the vector has padding */
	snprintf(text, sizeof(text), "%.*s", (int)n - 1, p.base64);
	assert_int_equal(key_decode(p.type, text, &k, &why), AAD_EREFUSED);
	assert_int_equal(why, AAD_R_KEY_MALFORMED);
	snprintf(text, sizeof(text), "%s=", p.base64);
	assert_int_equal(key_decode(p.type, text, &k, &why), AAD_EREFUSED);
	snprintf(text, sizeof(text), "%.8s %s", p.base64, p.base64 + 8);
	assert_int_equal(key_decode(p.type, text, &k, &why), AAD_EREFUSED);
	snprintf(text, sizeof(text), "%.8s\n%s", p.base64, p.base64 + 8);
	assert_int_equal(key_decode(p.type, text, &k, &why), AAD_EREFUSED);
	assert_int_equal(key_decode(p.type, "", &k, &why), AAD_EREFUSED);
	assert_int_equal(why, AAD_R_KEY_MALFORMED);

	huge = malloc(4000001);
	assert_non_null(huge);
	memset(huge, 'A', 4000000);
	huge[4000000] = '\0';
	assert_int_equal(key_decode(p.type, huge, &k, &why), AAD_EREFUSED);
	assert_int_equal(why, AAD_R_KEY_MALFORMED);
	assert_empty(&k);
	free(huge);
}

static void
empty_blob(void **state)
{
	struct buf b = { .len = 0 };

	(void)state;
	assert_int_equal(judge(&b), AAD_R_KEY_MALFORMED);
}

static enum reason
judge_pub(const char *text, size_t len)
{
	struct key k = dirt();
	enum reason why = AAD_R_UNSET;
	char *exact = malloc(len + 1);
	int r;

	assert_non_null(exact);
	memcpy(exact, text, len);
	exact[len] = '\0';
	r = key_from_pub(exact, len, &k, &why);
	free(exact);
	if (r == 0) {
		key_release(&k);
		return AAD_R_ALLOWED;
	}
	assert_refused(r, why, &k);
	return why;
}

/* A second line, however it is smuggled in, is refused. */
static void
I_A2_newline_in_a_comment(void **state)
{
	static const char *const tails[] = { " me\nssh-ed25519 AAAA", " me\n\n",
		"\n\n", " me\r\n", "\r\n", "\r", " me\rroot", " me\x0b",
		" me\x1b[2J", "\nssh-ed25519 AAAA evil\n", " me\x7f" };
	struct pub p = pub_load("good", "ed25519");
	char text[512];
	size_t i;
	int n;

	(void)state;
	for (i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
		n = snprintf(text, sizeof(text), "%s %s%s", p.type, p.base64,
		    tails[i]);
		assert_int_equal(judge_pub(text, (size_t)n),
		    AAD_R_KEY_MALFORMED);
	}
	n = snprintf(text, sizeof(text), "%s %s me", p.type, p.base64);
	assert_int_equal(judge_pub(text, (size_t)n), AAD_R_ALLOWED);
	text[n - 1] = '\0';
	assert_int_equal(judge_pub(text, (size_t)n), AAD_R_KEY_MALFORMED);
	/* a NUL between the fields */
	text[strlen(p.type)] = '\0';
	assert_int_equal(judge_pub(text, (size_t)n), AAD_R_KEY_MALFORMED);
}

static void
junk_pub(void **state)
{
	static const char *const junk[] = { "", "\n", " ", "\t", "ssh-ed25519",
		"ssh-ed25519\n", "ssh-ed25519 ", "ssh-ed25519 \n", "# comment",
		"AAAA", "ssh-ed25519 AAAA" };
	struct pub p = pub_load("good", "ed25519");
	char text[512];
	size_t i;
	int n;

	(void)state;
	for (i = 0; i < sizeof(junk) / sizeof(junk[0]); i++)
		assert_int_equal(judge_pub(junk[i], strlen(junk[i])),
		    AAD_R_KEY_MALFORMED);
	n = snprintf(text, sizeof(text), " %s %s\n", p.type, p.base64);
	assert_int_equal(judge_pub(text, (size_t)n), AAD_R_KEY_MALFORMED);
	n = snprintf(text, sizeof(text), "\n%s %s\n", p.type, p.base64);
	assert_int_equal(judge_pub(text, (size_t)n), AAD_R_KEY_MALFORMED);
	/* options in front, an authorized_keys line */
	n = snprintf(text, sizeof(text), "restrict %s %s\n", p.type, p.base64);
	assert_int_equal(judge_pub(text, (size_t)n), AAD_R_KEY_MALFORMED);
	n = snprintf(text, sizeof(text), "cert-authority %s %s\n", p.type,
	    p.base64);
	assert_int_equal(judge_pub(text, (size_t)n), AAD_R_KEY_MALFORMED);
	n = snprintf(text, sizeof(text), "\xef\xbb\xbf%s %s\n", p.type,
	    p.base64);
	assert_int_equal(judge_pub(text, (size_t)n), AAD_R_KEY_MALFORMED);
}

static void
no_private_key(void **state)
{
	static const char *const keys[] = {
		"-----BEGIN OPENSSH PRIVATE KEY-----\n"
		"b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAA"
		"AAtzc2gtZW\n-----END OPENSSH PRIVATE KEY-----\n",
		"-----BEGIN OPENSSH PRIVATE KEY-----",
		"-----BEGIN RSA PRIVATE KEY-----\nMIIE\n",
		"PuTTY-User-Key-File-3: ssh-ed25519\n",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		assert_int_equal(judge_pub(keys[i], strlen(keys[i])),
		    AAD_R_KEY_MALFORMED);
}

/* ---- bounds ---- */

/* An odd modulus of exactly so many bits: nothing else is asked of it. */
static enum reason
judge_rsa_bits(unsigned int bits)
{
	static const uint8_t e[] = { 1, 0, 1 };
	size_t len = (bits + 7) / 8, sign = bits % 8 == 0 ? 1 : 0;
	struct buf b = { .len = 0 };
	uint8_t n[2100];
	enum reason why;
	struct key k;

	memset(n, 0x55, sizeof(n));
	n[0] = 0;
	n[sign] = (uint8_t)(1U << (bits - 1) % 8);
	put_text(&b, "ssh-rsa");
	put(&b, e, sizeof(e));
	put(&b, n, len + sign);
	if (key_from_blob(b.p, b.len, &k, &why) == 0) {
		assert_int_equal(k.bits, bits);
		key_release(&k);
	}
	return judge(&b);
}

static void
boundary_rsa_bits(void **state)
{
	(void)state;
	assert_int_equal(judge_rsa_bits(512), AAD_R_KEY_WEAK);
	assert_int_equal(judge_rsa_bits(2040), AAD_R_KEY_WEAK);
	assert_int_equal(judge_rsa_bits(2047), AAD_R_KEY_WEAK);
	assert_int_equal(judge_rsa_bits(2048), AAD_R_ALLOWED);
	assert_int_equal(judge_rsa_bits(2049), AAD_R_ALLOWED);
	assert_int_equal(judge_rsa_bits(16384), AAD_R_ALLOWED);
	assert_int_equal(judge_rsa_bits(16385), AAD_R_KEY_WEAK);
	assert_int_equal(judge_rsa_bits(16400), AAD_R_KEY_WEAK);
}

static void
boundary_rsa_exponent(void **state)
{
	static const struct {
		const char *e;
		size_t len;
		bool sound;
	} rows[] = {
		{ "", 0, false },
		{ "\x00", 1, false },
		{ "\x01", 1, false },
		{ "\x02", 1, false },
		{ "\x03", 1, true },
		{ "\x04", 1, false },
		{ "\x01\x00", 2, false },
		{ "\x01\x01", 2, true },
		{ "\x00\x03", 2, false },
		{ "\x01\x00\x01", 3, true },
		{ "\xff\xff\xff\xff\xff\xff\xff\xff", 8, true },
		{ "\x01\x00\x00\x00\x00\x00\x00\x00\x01", 9, false },
	};
	unsigned int bits;
	uint8_t n[256];
	size_t i;

	(void)state;
	memset(n, 0xff, sizeof(n));
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(curve_rsa_sound(n, sizeof(n),
				     (const uint8_t *)rows[i].e, rows[i].len,
				     KEY_RSA_MIN, KEY_RSA_MAX, &bits),
		    rows[i].sound);
	assert_false(curve_rsa_sound(n, 0, n, 1, 0, KEY_RSA_MAX, &bits));
	n[0] = 0;
	assert_false(curve_rsa_sound(n, sizeof(n), (const uint8_t *)"\x03", 1,
	    0, KEY_RSA_MAX, &bits));
	assert_int_equal(bits, 0);
}

static enum reason
judge_application(const void *application, size_t len)
{
	struct key k = good("ed25519");
	struct buf b = { .len = 0 };

	put_text(&b, "sk-ssh-ed25519@openssh.com");
	put(&b, k.blob + k.blob_len - 32, 32);
	put(&b, application, len);
	key_release(&k);
	return judge(&b);
}

static void
boundary_application(void **state)
{
	char s[KEY_APPLICATION_MAX + 1];
	int c;

	(void)state;
	memset(s, '~', sizeof(s));
	assert_int_equal(judge_application(s, 0), AAD_R_KEY_MALFORMED);
	assert_int_equal(judge_application(s, 1), AAD_R_ALLOWED);
	assert_int_equal(judge_application(s, KEY_APPLICATION_MAX),
	    AAD_R_ALLOWED);
	assert_int_equal(judge_application(s, sizeof(s)), AAD_R_KEY_MALFORMED);
	for (c = 0; c < 256; c++) {
		s[2] = (char)c;
		assert_int_equal(judge_application(s, 4),
		    c >= ' ' && c <= '~' ? AAD_R_ALLOWED : AAD_R_KEY_MALFORMED);
	}
}

/* key_decode() of a blob that is one string: an unknown type's name. */
static enum reason
judge_base64_of(size_t len)
{
	struct key k = dirt();
	struct buf b = { .len = 0 };
	enum reason why = AAD_R_UNSET;
	uint8_t big[KEY_BLOB_MAX];
	char *text, name[KEY_BLOB_MAX];
	int r;

	memset(big, 'a', sizeof(big));
	put(&b, big, len - 4);
	memcpy(name, big, len - 4);
	name[len - 4] = '\0';
	assert_int_equal(b64_encode(B64_STD, b.p, b.len, &text), 0);
	r = key_decode(name, text, &k, &why);
	free(text);
	assert_refused(r, why, &k);
	return why;
}

static void
boundary_blob_size(void **state)
{
	struct buf b = { .len = 0 };
	uint8_t big[KEY_BLOB_MAX];

	(void)state;
	memset(big, 'a', sizeof(big));
	put(&b, big, KEY_BLOB_MAX - 4);
	assert_int_equal(b.len, KEY_BLOB_MAX);
	assert_int_equal(judge(&b), AAD_R_KEY_TYPE);
	b.len = 0;
	put(&b, big, KEY_BLOB_MAX - 3);
	assert_int_equal(judge(&b), AAD_R_KEY_MALFORMED);
	assert_int_equal(judge_base64_of(KEY_BLOB_MAX), AAD_R_KEY_TYPE);
	assert_int_equal(judge_base64_of(KEY_BLOB_MAX + 1),
	    AAD_R_KEY_MALFORMED);
}

static void
wrong_points(void **state)
{
	struct key k = good("ecdsa256");
	uint8_t q[133];

	(void)state;
	memcpy(q, k.blob + k.blob_len - 65, 65);
	assert_true(curve_ec_sound(256, q, 65));
	assert_false(curve_ec_sound(256, q, 64));
	assert_false(curve_ec_sound(384, q, 65));
	assert_false(curve_ec_sound(0, q, 65));
	assert_false(curve_ec_sound(255, q, 65));
	assert_false(curve_ec_sound(256, q, 0));
	q[0] = 2;
	assert_false(curve_ec_sound(256, q, 65));
	assert_false(curve_ed25519_sound(q, 0));
	assert_false(curve_ed25519_sound(q, 31));
	assert_false(curve_ed25519_sound(q, 33));
	key_release(&k);
}

/* ---- mutation ---- */

static void
check_damaged_blob(const uint8_t *p, size_t len, enum mutation how, size_t at,
    void *arg)
{
	const struct key *original = arg;
	struct key k = dirt(), again = dirt();
	enum reason why = AAD_R_UNSET;
	char *line;
	int r;

	(void)at;
	r = key_from_blob(p, len, &k, &why);
	if (r != 0) {
		assert_refused(r, why, &k);
		return;
	}
	assert_int_equal(how, MUTATE_BIT_FLIP);
	assert_int_equal(k.blob_len, len);
	assert_memory_equal(k.blob, p, len);
	assert_memory_not_equal(k.hash, original->hash, sizeof(k.hash));

	assert_int_equal(key_line(&k, NULL, &line), 0);
	assert_int_equal(key_from_pub(line, strlen(line), &again, &why), 0);
	assert_same(&k, &again);
	free(line);
	key_release(&k);
	key_release(&again);
}

static void
walk_blob(const char *name, const char *bits, const char *fp)
{
	struct key k = good(name);

	(void)bits;
	(void)fp;
	mutate_walk(k.blob, k.blob_len, check_damaged_blob, &k);
	key_release(&k);
}

static void
II_O4_every_bit_flip(void **state)
{
	(void)state;
	assert_int_equal(each_row("good.txt", walk_blob), 9);
}

static void
walk_bad_blob(const char *name, const char *reason, const char *unused)
{
	struct pub p = pub_load("bad", name);
	struct key none = { .kind = KEY_NONE };
	uint8_t *blob;
	size_t len;

	(void)unused;
	/* RSA and the certificates: long, and the same code as the good ones */
	if (strlen(p.base64) > 200)
		return;
	/* A flip may cure it; then it has to be a key like any other. */
	assert_int_equal(b64_decode(B64_STD, p.base64, strlen(p.base64), &blob,
			     &len),
	    0);
	if (strcmp(reason, "key_malformed") != 0)
		mutate_walk(blob, len, check_damaged_blob, &none);
	free(blob);
}

static void
II_O4_every_bit_flip_of_a_bad_key(void **state)
{
	(void)state;
	each_row("bad.txt", walk_bad_blob);
}

struct text_case {
	struct pub pub;
	struct key key;
	size_t key_end; /* where the base64 ends in the .pub file */
};

static void
check_damaged_base64(const uint8_t *p, size_t len, enum mutation how, size_t at,
    void *arg)
{
	const struct text_case *c = arg;
	struct key k = dirt();
	enum reason why = AAD_R_UNSET;
	int r;

	(void)at;
	if (how == MUTATE_APPEND && p[len - 1] == '\0')
		return; /* the same string */
	r = key_decode(c->pub.type, (const char *)p, &k, &why);
	if (r != 0) {
		assert_refused(r, why, &k);
		return;
	}
	assert_int_equal(how, MUTATE_BIT_FLIP);
	assert_memory_not_equal(k.hash, c->key.hash, sizeof(k.hash));
	key_release(&k);
}

static void
check_damaged_pub(const uint8_t *p, size_t len, enum mutation how, size_t at,
    void *arg)
{
	const struct text_case *c = arg;
	struct key k = dirt();
	enum reason why = AAD_R_UNSET;
	int r;

	r = key_from_pub((const char *)p, len, &k, &why);
	if (r != 0) {
		assert_refused(r, why, &k);
		return;
	}
	/* behind the key there is only the comment */
	if (at >= c->key_end) {
		assert_true(at > c->key_end || how == MUTATE_TRUNCATE);
		assert_same(&k, &c->key);
	} else {
		assert_int_equal(how, MUTATE_BIT_FLIP);
		assert_memory_not_equal(k.hash, c->key.hash, sizeof(k.hash));
	}
	key_release(&k);
}

static void
walk_text(const char *name, const char *bits, const char *fp)
{
	struct text_case c;

	(void)bits;
	(void)fp;
	c.pub = pub_load("good", name);
	c.key = good(name);
	c.key_end = strlen(c.pub.type) + 1 + strlen(c.pub.base64);
	mutate_walk(c.pub.base64, strlen(c.pub.base64), check_damaged_base64,
	    &c);
	mutate_walk(c.pub.text, c.pub.len, check_damaged_pub, &c);
	key_release(&c.key);
}

static void
II_O4_every_damage_of_the_text(void **state)
{
	(void)state;
	assert_int_equal(each_row("good.txt", walk_text), 9);
}

/* ---- the line for sshd ---- */

static void
check_line(const char *name, const char *bits, const char *fp)
{
	static const char *const options[] = { "restrict", "restrict,pty",
		"no-pty,no-port-forwarding,no-agent-forwarding",
		"no-X11-forwarding,no-user-rc", "no-touch-required",
		"verify-required" };
	struct pub p = pub_load("good", name);
	char want[16600], *line;
	struct key k = good(name);
	size_t i;

	(void)bits;
	(void)fp;
	for (i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		assert_int_equal(key_line(&k, options[i], &line), 0);
		snprintf(want, sizeof(want), "%s %s %s\n", options[i], p.type,
		    p.base64);
		assert_string_equal(line, want);
		assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
		assert_openssh_agrees(&k, line);
		free(line);
	}
	key_release(&k);
}

static void
II_O1_line_is_one_that_openssh_reads(void **state)
{
	(void)state;
	assert_int_equal(each_row("good.txt", check_line), 9);
}

static void
I_A3_no_option_is_injected(void **state)
{
	static const char *const hostile[] = { "", " ", ",", "restrict ",
		" restrict", "restrict,", ",restrict", "restrict,,pty",
		"restrict, pty", "restrict,restrict", "cert-authority",
		"command=\"/bin/sh\"", "environment=\"A=b\"", "from=\"*\"",
		"principals=\"root\"", "principals=\",x\"", "restrict\n",
		"restrict\nssh-ed25519 AAAA", "restrict\tpty", "RESTRICT",
		"tunnel=\"1\"", "permitopen=\"*:*\"", "expiry-time=\"2030\"",
		"restrict ssh-ed25519 AAAA #", "pty\r", "restrict#" };
	struct key k = good("ed25519");
	char dirty[] = "dirty", *line;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
		line = dirty;
		assert_int_equal(key_line(&k, hostile[i], &line), AAD_EARG);
		assert_null(line);
	}
	key_release(&k);
}

static void
I_A1_no_cert_authority_line(void **state)
{
	struct key k = good("ed25519");
	char *line;

	(void)state;
	assert_int_equal(key_line(&k, "cert-authority", &line), AAD_EARG);
	assert_int_equal(key_line(&k, "restrict,cert-authority", &line),
	    AAD_EARG);
	key_release(&k);
}

static void
no_key_has_no_line(void **state)
{
	struct key k = { .kind = KEY_NONE }, other;
	char *line;

	(void)state;
	assert_string_equal(key_type_name(&k), "none");
	assert_int_equal(key_line(&k, NULL, &line), AAD_EARG);
	assert_null(line);
	k.kind = KEY_RSA;
	assert_int_equal(key_line(&k, NULL, &line), AAD_EARG);
	key_release(&k);
	key_release(&k);
	/* a kind that is not the blob's */
	other = good("ed25519");
	other.kind = KEY_SK_ED25519;
	assert_int_equal(key_line(&other, NULL, &line), AAD_EARG);
	other.kind = (enum key_kind)99;
	assert_int_equal(key_line(&other, NULL, &line), AAD_EARG);
	assert_string_equal(key_type_name(&other), "none");
	key_release(&other);
}

/* ---- fingerprints ---- */

static void
valid_fingerprints(void **state)
{
	char text[KEY_FP_LEN + 1];
	uint8_t hash[32], again[32];
	struct key k = good("rsa2048");
	int i;

	(void)state;
	for (i = 0; i < 256; i++) {
		memset(hash, i, sizeof(hash));
		key_fingerprint_of(hash, text);
		assert_int_equal(strlen(text), KEY_FP_LEN);
		assert_int_equal(key_fingerprint_parse(text, again), 0);
		assert_memory_equal(hash, again, sizeof(hash));
	}
	key_fingerprint(&k, text);
	assert_int_equal(key_fingerprint_parse(text, hash), 0);
	assert_memory_equal(hash, k.hash, sizeof(hash));
	key_release(&k);
}

static void
check_damaged_fingerprint(const uint8_t *p, size_t len, enum mutation how,
    size_t at, void *arg)
{
	const struct key *k = arg;
	uint8_t hash[32], zero[32] = { 0 };

	(void)at;
	if (how == MUTATE_APPEND && p[len - 1] == '\0')
		return;
	if (key_fingerprint_parse((const char *)p, hash) == 0) {
		assert_int_equal(how, MUTATE_BIT_FLIP);
		assert_memory_not_equal(hash, k->hash, sizeof(hash));
	} else {
		assert_memory_equal(hash, zero, sizeof(hash));
	}
}

static void
junk_fingerprints(void **state)
{
	static const char *const junk[] = { "", "SHA256:", "MD5:aa:bb",
		"sha256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB",
		"SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
		"SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
		"SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA-_",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" };
	char text[KEY_FP_LEN + 1];
	struct key k = good("ed25519");
	uint8_t hash[32];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(junk) / sizeof(junk[0]); i++)
		assert_int_equal(key_fingerprint_parse(junk[i], hash),
		    AAD_EFORMAT);
	key_fingerprint(&k, text);
	mutate_walk(text, KEY_FP_LEN, check_damaged_fingerprint, &k);
	key_release(&k);
}

/* ---- the wire ---- */

static void
I_D7_lengths_are_compared_with_what_is_left(void **state)
{
	static const uint8_t huge[] = { 0xff, 0xff, 0xff, 0xff, 'a' },
			     one_over[] = { 0, 0, 0, 2, 'a' },
			     exact[] = { 0, 0, 0, 1, 'a' };
	struct wire w = wire_of(huge, sizeof(huge));
	const uint8_t *p = huge;
	size_t len = 7;
	uint32_t n = 7;

	(void)state;
	assert_int_equal(wire_string(&w, &p, &len), AAD_EFORMAT);
	assert_null(p);
	assert_int_equal(len, 0);
	assert_ptr_equal(w.p, huge);
	assert_int_equal(w.left, sizeof(huge));
	w = wire_of(one_over, sizeof(one_over));
	assert_int_equal(wire_string(&w, &p, &len), AAD_EFORMAT);
	for (len = 0; len < 4; len++) {
		w = wire_of(exact, len);
		assert_int_equal(wire_u32(&w, &n), AAD_EFORMAT);
		assert_int_equal(n, 0);
		assert_int_equal(w.left, len);
	}
	w = wire_of(exact, sizeof(exact));
	assert_int_equal(wire_string(&w, &p, &len), 0);
	assert_int_equal(len, 1);
	assert_ptr_equal(p, exact + 4);
	assert_true(wire_end(&w));
	assert_int_equal(wire_string(&w, &p, &len), AAD_EFORMAT);
	w = wire_of(NULL, 0);
	assert_true(wire_end(&w));
	assert_int_equal(wire_u32(&w, &n), AAD_EFORMAT);
}

static void
I_D7_mpints_have_one_form(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		size_t magnitude; /* 0: refused */
	} rows[] = {
		{ "", 0, 0 }, /* zero */
		{ "\x00", 1, 0 },
		{ "\x01", 1, 1 },
		{ "\x7f", 1, 1 },
		{ "\x80", 1, 0 }, /* negative */
		{ "\xff\xff", 2, 0 },
		{ "\x00\x7f", 2, 0 }, /* needless byte */
		{ "\x00\x80", 2, 1 },
		{ "\x00\x00\x80", 3, 0 },
		{ "\x01\x00", 2, 2 },
	};
	struct buf b;
	struct wire w;
	const uint8_t *p;
	size_t i, len;
	int r;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		b.len = 0;
		put(&b, rows[i].bytes, rows[i].len);
		w = wire_of(b.p, b.len);
		r = wire_mpint(&w, &p, &len);
		assert_int_equal(r, rows[i].magnitude == 0 ? AAD_EFORMAT : 0);
		assert_int_equal(len, rows[i].magnitude);
		assert_int_equal(w.left, r == 0 ? 0 : b.len);
		if (r == 0)
			assert_ptr_equal(p + len, b.p + b.len);
	}
}

static void
wrong_literal_is_not_consumed(void **state)
{
	struct buf b = { .len = 0 };
	struct wire w;

	(void)state;
	put_text(&b, "nistp256");
	w = wire_of(b.p, b.len);
	assert_false(wire_is(&w, "nistp25"));
	assert_false(wire_is(&w, "nistp2566"));
	assert_false(wire_is(&w, ""));
	assert_int_equal(w.left, b.len);
	assert_true(wire_is(&w, "nistp256"));
	assert_true(wire_end(&w));
	assert_false(wire_is(&w, "nistp256"));
}

/* ---- failing allocations ---- */

enum way {
	WAY_DECODE,
	WAY_BLOB,
	WAY_PUB,
	WAY_LINE
};

static int
go(enum way way, const struct pub *p, const struct key *from, struct key *k,
    enum reason *whyp, char **linep)
{
	switch (way) {
	case WAY_DECODE:
		return key_decode(p->type, p->base64, k, whyp);
	case WAY_BLOB:
		return key_from_blob(from->blob, from->blob_len, k, whyp);
	case WAY_PUB:
		return key_from_pub(p->text, p->len, k, whyp);
	case WAY_LINE:
		break;
	}
	*whyp = AAD_R_NO_MEMORY;
	return key_line(from, "restrict", linep);
}

static void
starve(enum way way, unsigned int allocations)
{
	struct pub p = pub_load("good", "ecdsa521");
	struct key from = good("ecdsa521"), k;
	enum reason why;
	unsigned int i;
	char *line;
	bool hit;
	int r;

	for (i = 1;; i++) {
		line = NULL;
		k = way == WAY_LINE ? (struct key){ .kind = KEY_NONE } : dirt();
		fault_arm(FAULT_ALLOC, i, ENOMEM);
		r = go(way, &p, &from, &k, &why, &line);
		hit = fault_disarm();
		if (!hit)
			break;
		assert_int_equal(r, AAD_ENOMEM);
		assert_int_equal(why, AAD_R_NO_MEMORY);
		assert_null(line);
		assert_empty(&k);
	}
	assert_int_equal(r, 0);
	assert_int_equal(i, allocations + 1); /* the fault was felt */
	free(line);
	key_release(&k);
	key_release(&from);
}

static void
no_memory(void **state)
{
	(void)state;
	starve(WAY_DECODE, 1);
	starve(WAY_BLOB, 1);
	starve(WAY_PUB, 1);
	starve(WAY_LINE, 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(valid_every_plain_type),
		cmocka_unit_test(valid_pub_shapes),
		cmocka_unit_test(valid_fingerprints),
		cmocka_unit_test(I_C9_every_unsound_key),
		cmocka_unit_test(I_A10_certificate_is_not_its_inner_key),
		cmocka_unit_test(I_A10_type_must_be_the_inner_type),
		cmocka_unit_test(junk_types),
		cmocka_unit_test(junk_inner_types),
		cmocka_unit_test(junk_base64),
		cmocka_unit_test(junk_pub),
		cmocka_unit_test(junk_fingerprints),
		cmocka_unit_test(empty_blob),
		cmocka_unit_test(no_private_key),
		cmocka_unit_test(I_A2_newline_in_a_comment),
		cmocka_unit_test(boundary_rsa_bits),
		cmocka_unit_test(boundary_rsa_exponent),
		cmocka_unit_test(boundary_application),
		cmocka_unit_test(boundary_blob_size),
		cmocka_unit_test(wrong_points),
		cmocka_unit_test(II_O4_every_bit_flip),
		cmocka_unit_test(II_O4_every_bit_flip_of_a_bad_key),
		cmocka_unit_test(II_O4_every_damage_of_the_text),
		cmocka_unit_test(II_O1_line_is_one_that_openssh_reads),
		cmocka_unit_test(I_A3_no_option_is_injected),
		cmocka_unit_test(I_A1_no_cert_authority_line),
		cmocka_unit_test(no_key_has_no_line),
		cmocka_unit_test(I_D7_lengths_are_compared_with_what_is_left),
		cmocka_unit_test(I_D7_mpints_have_one_form),
		cmocka_unit_test(wrong_literal_is_not_consumed),
		cmocka_unit_test(no_memory),
	};

	if (sodium_init() == -1)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
