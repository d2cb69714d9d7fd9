/* SPDX-License-Identifier: ISC */

#include "test/unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "core/b64.h"
#include "ssh/privkey.h"
#include "ssh/sign.h"
#include "ssh/sshsig.h"
#include "ssh/wire.h"
#include "test/unit/fault.h"
#include "test/unit/mutate.h"

#define VECTORS "test/vectors/sshsig"
#define SPACE	"aadssh-bundle"
#define BEGIN	"-----BEGIN SSH SIGNATURE-----\n"
#define END	"-----END SSH SIGNATURE-----\n"

static const char *const names[] = { "ed25519", "ecdsa256", "ecdsa384",
	"ecdsa521", "rsa2048", "sha256" };

#define NNAMES (sizeof(names) / sizeof(names[0]))

struct text {
	char s[SSHSIG_TEXT_MAX + 64];
	size_t len;
};

static struct text
load(const char *format, const char *name)
{
	struct text t = { .len = 0 };
	char path[256], file[64];
	FILE *f;

	snprintf(file, sizeof(file), "%s%s", name, format);
	snprintf(path, sizeof(path), VECTORS "/%s", file);
	if ((f = fopen(path, "r")) == NULL)
		fail_msg("%s: %s", path, strerror(errno));
	t.len = fread(t.s, 1, sizeof(t.s) - 1, f);
	fclose(f);
	assert_true(t.len > 0);
	return t;
}

static struct text
good(const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "good/%s", name);
	return load(".sig", path);
}

/* Handed in dirty; empty unless 0. */
static int
verify(const char *s, size_t len, const char *namespace,
    const struct text *message, struct key *k)
{
	static const struct key zero;
	int r;

	memset(k, 0xa5, sizeof(*k));
	r = sshsig_verify(s, len, namespace, (const uint8_t *)message->s,
	    message->len, k);
	if (r != 0)
		assert_memory_equal(k, &zero, sizeof(zero));
	return r;
}

static int
verdict(const char *s, size_t len)
{
	struct text message = load("", "message");
	struct key k;
	int r = verify(s, len, SPACE, &message, &k);

	key_release(&k);
	return r;
}

static int
verdict_of(const char *s)
{
	return verdict(s, strlen(s));
}

static void
valid_all_that_ssh_keygen_makes(void **state)
{
	struct text message = load("", "message"), sig, pub;
	struct key signer, want;
	enum reason why;
	char path[64];
	size_t i;

	(void)state;
	for (i = 0; i < NNAMES; i++) {
		sig = good(names[i]);
		snprintf(path, sizeof(path), "good/%s", names[i]);
		pub = load(".pub", path);
		assert_int_equal(verify(sig.s, sig.len, SPACE, &message,
				     &signer),
		    0);
		assert_int_equal(key_from_pub(pub.s, pub.len, &want, &why), 0);
		assert_memory_equal(signer.hash, want.hash, 32);
		key_release(&signer);
		key_release(&want);
	}
}

static void
wrong_namespace(void **state)
{
	struct text message = load("", "message"), sig = good("ed25519");
	struct key k;

	(void)state;
	assert_int_equal(verify(sig.s, sig.len, "file", &message, &k),
	    AAD_EREFUSED);
	assert_int_equal(verify(sig.s, sig.len, "", &message, &k),
	    AAD_EREFUSED);
	sig = load(".sig", "bad/namespace");
	assert_int_equal(verdict(sig.s, sig.len), AAD_EREFUSED);
	assert_int_equal(verify(sig.s, sig.len, "file", &message, &k), 0);
	key_release(&k);
	sig = load(".sig", "bad/longer");
	assert_int_equal(verdict(sig.s, sig.len), AAD_EREFUSED);
	sig = load(".sig", "bad/shorter");
	assert_int_equal(verdict(sig.s, sig.len), AAD_EREFUSED);
}

static void
wrong_message(void **state)
{
	struct text message = load("", "message"), other = message, sig;
	struct key k;
	size_t i;

	(void)state;
	for (i = 0; i < NNAMES; i++) {
		sig = good(names[i]);
		other = message;
		other.s[0] ^= 1;
		assert_int_equal(verify(sig.s, sig.len, SPACE, &other, &k),
		    AAD_ESIG);
		other = message;
		other.len--;
		assert_int_equal(verify(sig.s, sig.len, SPACE, &other, &k),
		    AAD_ESIG);
		other.len = 0;
		assert_int_equal(verify(sig.s, sig.len, SPACE, &other, &k),
		    AAD_ESIG);
	}
}

static void
wrong_signers(void **state)
{
	struct text sig = load(".sig", "bad/weak");

	(void)state;
	assert_int_equal(verdict(sig.s, sig.len), AAD_EFORMAT);
	sig = load(".sig", "bad/certificate");
	assert_int_equal(verdict(sig.s, sig.len), AAD_EFORMAT);
}

/* ---- the armour ---- */

/* What a line of ssh-keygen's text may not be instead. */
static void
junk_armour(void **state)
{
	static char longest[SSHSIG_TEXT_MAX + 64];
	struct text sig = good("ed25519");
	const char *body = strchr(sig.s, '\n') + 1;
	char other[SSHSIG_TEXT_MAX + 200];
	char *footer = strstr(sig.s, END);

	(void)state;
	assert_int_equal(verdict(sig.s, sig.len), 0);
	assert_int_equal(verdict_of(""), AAD_EFORMAT);
	assert_int_equal(verdict_of(BEGIN), AAD_EFORMAT);
	assert_int_equal(verdict_of(BEGIN END), AAD_EFORMAT);
	assert_int_equal(verdict_of(BEGIN "\n" END), AAD_EFORMAT);
	assert_int_equal(verdict_of("-----BEGIN SSH SIGNATURE-----\n"
				    "END SSH SIGNATURE-----\n"),
	    AAD_EFORMAT);
	snprintf(other, sizeof(other), "\n%s", sig.s);
	assert_int_equal(verdict_of(other), AAD_EFORMAT);
	snprintf(other, sizeof(other), "%s\n", sig.s);
	assert_int_equal(verdict_of(other), AAD_EFORMAT);
	assert_int_equal(verdict(sig.s, sig.len - 1), AAD_EFORMAT);
	/* lines of another length, an empty one, a CR, a blank */
	snprintf(other, sizeof(other), "%s%.60s\n%s", BEGIN, body, body + 60);
	assert_int_equal(verdict_of(other), AAD_EFORMAT);
	snprintf(other, sizeof(other), "%s\n%s", BEGIN, body);
	assert_int_equal(verdict_of(other), AAD_EFORMAT);
	snprintf(other, sizeof(other), "%s%.70s\r%s", BEGIN, body, body + 70);
	assert_int_equal(verdict_of(other), AAD_EFORMAT);
	snprintf(other, sizeof(other), "%s %s", BEGIN, body);
	assert_int_equal(verdict_of(other), AAD_EFORMAT);
	snprintf(other, sizeof(other), "%.*s\n%s", (int)(footer - sig.s), sig.s,
	    footer);
	assert_int_equal(verdict_of(other), AAD_EFORMAT);
	/* a line that is one byte short, and the next one longer for it */
	memcpy(other, sig.s, sig.len + 1);
	other[body - sig.s + 69] = '\n';
	other[body - sig.s + 70] = body[69];
	assert_int_equal(verdict_of(other), AAD_EFORMAT);
	/* a NUL within */
	memcpy(other, sig.s, sig.len);
	other[100] = '\0';
	assert_int_equal(verdict(other, sig.len), AAD_EFORMAT);
	memset(longest, '\n', sizeof(longest));
	assert_int_equal(verdict(longest, SSHSIG_TEXT_MAX + 1), AAD_EFORMAT);
}

/* ---- the blob ---- */

struct blob {
	uint8_t *p;
	size_t len;
};

static struct blob
blob_of(const char *name)
{
	struct text sig = good(name);
	struct blob b = { NULL, 0 };
	char base64[SSHSIG_TEXT_MAX], *to = base64, *from;

	for (from = sig.s + strlen(BEGIN); *from != '-'; from++)
		if (*from != '\n')
			*to++ = *from;
	assert_int_equal(b64_decode(B64_STD, base64, (size_t)(to - base64),
			     &b.p, &b.len),
	    0);
	return b;
}

/* Armoured as it must be; the caller frees it. */
static char *
armoured(const uint8_t *p, size_t len)
{
	char *base64, *text;
	size_t i, n;

	assert_int_equal(b64_encode(B64_STD, p, len, &base64), 0);
	text = malloc(2 * strlen(base64) + 100);
	assert_non_null(text);
	n = (size_t)sprintf(text, BEGIN);
	for (i = 0; i < strlen(base64); i += 70)
		n += (size_t)sprintf(text + n, "%.70s\n", base64 + i);
	sprintf(text + n, END);
	free(base64);
	return text;
}

/* A blob put together by hand over a good signature's key and signature;
 * asked about in its own namespace. */
static int
forged_in(const char *space, const char *magic, uint32_t version,
    const char *reserved, const char *hash, const char *tail)
{
	struct text message = load("", "message");
	struct key k;
	struct blob b = blob_of("ed25519");
	struct wire w = wire_of(b.p + 10, b.len - 10);
	const uint8_t *key, *field, *sig;
	size_t keylen, len, siglen;
	struct wirebuf out = wirebuf_new();
	char *text;
	int r;

	assert_int_equal(wire_string(&w, &key, &keylen), 0);
	assert_int_equal(wire_string(&w, &field, &len), 0);
	assert_int_equal(wire_string(&w, &field, &len), 0);
	assert_int_equal(wire_string(&w, &field, &len), 0);
	assert_int_equal(wire_string(&w, &sig, &siglen), 0);
	wire_put_raw(&out, magic, strlen(magic));
	wire_put_u32(&out, version);
	wire_put_string(&out, key, keylen);
	wire_put_text(&out, space);
	wire_put_text(&out, reserved);
	wire_put_text(&out, hash);
	wire_put_string(&out, sig, siglen);
	wire_put_raw(&out, tail, strlen(tail));
	assert_int_equal(out.r, 0);
	text = armoured(out.p, out.len);
	r = verify(text, strlen(text), space, &message, &k);
	key_release(&k);
	free(text);
	wirebuf_release(&out);
	free(b.p);
	return r;
}

static int
forged(const char *magic, uint32_t version, const char *reserved,
    const char *hash, const char *tail)
{
	return forged_in(SPACE, magic, version, reserved, hash, tail);
}

static void
boundary_namespace(void **state)
{
	char space[SSHSIG_NAMESPACE_MAX + 2];

	(void)state;
	memset(space, 'x', sizeof(space));
	space[SSHSIG_NAMESPACE_MAX + 1] = '\0';
	assert_int_equal(forged_in(space, "SSHSIG", 1, "", "sha512", ""),
	    AAD_EFORMAT);
	space[SSHSIG_NAMESPACE_MAX] = '\0';
	assert_int_equal(forged_in(space, "SSHSIG", 1, "", "sha512", ""),
	    AAD_ESIG);
	assert_int_equal(forged_in("", "SSHSIG", 1, "", "sha512", ""),
	    AAD_EFORMAT);
}

static void
wrong_fields(void **state)
{
	(void)state;
	assert_int_equal(forged("SSHSIG", 1, "", "sha512", ""), 0);
	assert_int_equal(forged("SSHSIGN", 1, "", "sha512", ""), AAD_EFORMAT);
	assert_int_equal(forged("sshsig", 1, "", "sha512", ""), AAD_EFORMAT);
	assert_int_equal(forged("SSHSIG", 0, "", "sha512", ""), AAD_EFORMAT);
	assert_int_equal(forged("SSHSIG", 2, "", "sha512", ""), AAD_EFORMAT);
	assert_int_equal(forged("SSHSIG", 1, "x", "sha512", ""), AAD_EFORMAT);
	assert_int_equal(forged("SSHSIG", 1, "", "sha1", ""), AAD_EFORMAT);
	assert_int_equal(forged("SSHSIG", 1, "", "", ""), AAD_EFORMAT);
	assert_int_equal(forged("SSHSIG", 1, "", "sha512", "x"), AAD_EFORMAT);
	/* another hash than was signed */
	assert_int_equal(forged("SSHSIG", 1, "", "sha256", ""), AAD_ESIG);
}

static void
check_damaged_text(const uint8_t *p, size_t len, enum mutation how, size_t at,
    void *arg)
{
	int r = verdict((const char *)p, len);

	(void)how;
	(void)at;
	(void)arg;
	assert_true(r == AAD_EFORMAT || r == AAD_EREFUSED || r == AAD_ESIG);
}

static void
check_damaged_blob(const uint8_t *p, size_t len, enum mutation how, size_t at,
    void *arg)
{
	char *text = armoured(p, len);

	check_damaged_text((uint8_t *)text, strlen(text), how, at, arg);
	free(text);
}

static void
every_damage(void **state)
{
	struct text sig = good("ed25519");
	struct blob b = blob_of("ecdsa256");

	(void)state;
	mutate_walk(sig.s, sig.len, check_damaged_text, NULL);
	mutate_walk(b.p, b.len, check_damaged_blob, NULL);
	free(b.p);
}

/* ---- writing ---- */

static struct privkey
signer_of(uint8_t n)
{
	uint8_t seed[PRIVKEY_SEED_LEN] = { n };
	struct privkey k;

	assert_int_equal(privkey_of_seed(seed, &k), 0);
	return k;
}

static char *
signed_text(const struct privkey *k, const struct text *message)
{
	uint8_t *body, *sig;
	size_t len, siglen;
	char *text;

	assert_int_equal(sshsig_body(SPACE, (const uint8_t *)message->s,
			     message->len, &body, &len),
	    0);
	assert_int_equal(sign_ed25519(k->secret, body, len, &sig, &siglen), 0);
	assert_int_equal(sshsig_format(&k->pub, SPACE, sig, siglen, &text), 0);
	free(body);
	free(sig);
	return text;
}

static void
valid_round_trip(void **state)
{
	struct text message = load("", "message");
	struct privkey k = signer_of(1);
	char *text = signed_text(&k, &message);
	struct key who;

	(void)state;
	assert_int_equal(verify(text, strlen(text), SPACE, &message, &who), 0);
	assert_memory_equal(who.hash, k.pub.hash, 32);
	key_release(&who);
	free(text);
	message.len = 0; /* nothing can be signed, too */
	text = signed_text(&k, &message);
	assert_int_equal(verify(text, strlen(text), SPACE, &message, &who), 0);
	key_release(&who);
	free(text);
	privkey_release(&k);
}

static int
run(const char *command)
{
	return system(command); /* NOLINT: a test's own words */
}

/* ssh-keygen takes ours for its own. */
static void
valid_for_ssh_keygen(void **state)
{
	struct text message = load("", "message");
	struct privkey k = signer_of(7);
	char dir[] = "/tmp/sshsig.XXXXXX", path[64], command[512];
	char *text = signed_text(&k, &message), *line;
	FILE *f;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/sig", dir);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	snprintf(path, sizeof(path), "%s/allowed", dir);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(key_line(&k.pub, NULL, &line), 0);
	fprintf(f, "ca %s", line);
	fclose(f);
	snprintf(command, sizeof(command),
	    "ssh-keygen -q -Y verify -f %s/allowed -I ca -n " SPACE
	    " -s %s/sig <" VECTORS "/message >/dev/null",
	    dir, dir);
	assert_int_equal(run(command), 0);
	snprintf(command, sizeof(command),
	    "ssh-keygen -q -Y verify -f %s/allowed -I ca -n " SPACE
	    " -s %s/sig <" VECTORS "/make.sh >/dev/null 2>&1",
	    dir, dir);
	assert_int_not_equal(run(command), 0);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	assert_int_equal(run(command), 0);
	free(line);
	free(text);
	privkey_release(&k);
}

static void
wrong_arguments(void **state)
{
	char space[SSHSIG_NAMESPACE_MAX + 2], *text = space;
	static const uint8_t sig[SIGN_MAX + 1];
	struct privkey k = signer_of(1);
	struct key none = { 0 };
	uint8_t *body = (uint8_t *)space;
	size_t len = 1;

	(void)state;
	memset(space, 'x', sizeof(space));
	space[SSHSIG_NAMESPACE_MAX + 1] = '\0';
	assert_int_equal(sshsig_body(space, sig, 3, &body, &len), AAD_EARG);
	assert_null(body);
	assert_int_equal(len, 0);
	assert_int_equal(sshsig_body("", sig, 3, &body, &len), AAD_EARG);
	assert_int_equal(sshsig_format(&k.pub, space, sig, 80, &text),
	    AAD_EARG);
	assert_null(text);
	assert_int_equal(sshsig_format(&k.pub, "", sig, 80, &text), AAD_EARG);
	assert_int_equal(sshsig_format(&none, SPACE, sig, 80, &text), AAD_EARG);
	assert_int_equal(sshsig_format(&k.pub, SPACE, sig, 0, &text), AAD_EARG);
	assert_int_equal(sshsig_format(&k.pub, SPACE, sig, SIGN_MAX + 1, &text),
	    AAD_EARG);
	space[SSHSIG_NAMESPACE_MAX] = '\0';
	assert_int_equal(sshsig_body(space, sig, 3, &body, &len), 0);
	free(body);
	assert_int_equal(sshsig_format(&k.pub, space, sig, SIGN_MAX, &text), 0);
	free(text);
	privkey_release(&k);
}

/* ---- failing allocations ---- */

static void
no_memory(void **state)
{
	struct text message = load("", "message"), sig = good("ed25519");
	struct privkey k = signer_of(1);
	char *text = NULL;
	uint8_t *body = NULL;
	struct key who;
	unsigned int i;
	size_t len;
	int r;

	(void)state;
	for (i = 1;; i++) {
		fault_arm(FAULT_ALLOC, i, ENOMEM);
		r = verify(sig.s, sig.len, SPACE, &message, &who);
		if (!fault_disarm())
			break;
		assert_int_equal(r, AAD_ENOMEM);
	}
	assert_int_equal(r, 0);
	assert_in_range(i, 6, 12);
	key_release(&who);
	for (i = 1;; i++) {
		fault_arm(FAULT_ALLOC, i, ENOMEM);
		r = sshsig_format(&k.pub, SPACE, (const uint8_t *)"sig", 3,
		    &text);
		if (!fault_disarm())
			break;
		assert_int_equal(r, AAD_ENOMEM);
		assert_null(text);
	}
	assert_int_equal(r, 0);
	assert_int_equal(i, 4);
	free(text);
	fault_arm(FAULT_ALLOC, 1, ENOMEM);
	r = sshsig_body(SPACE, NULL, 0, &body, &len);
	assert_true(fault_disarm());
	assert_int_equal(r, AAD_ENOMEM);
	assert_null(body);
	privkey_release(&k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(valid_all_that_ssh_keygen_makes),
		cmocka_unit_test(wrong_namespace),
		cmocka_unit_test(wrong_message),
		cmocka_unit_test(wrong_signers),
		cmocka_unit_test(junk_armour),
		cmocka_unit_test(boundary_namespace),
		cmocka_unit_test(wrong_fields),
		cmocka_unit_test(every_damage),
		cmocka_unit_test(valid_round_trip),
		cmocka_unit_test(valid_for_ssh_keygen),
		cmocka_unit_test(wrong_arguments),
		cmocka_unit_test(no_memory),
	};

	if (sodium_init() == -1)
		return 1;
	return cmocka_run_group_tests_name("sshsig", tests, NULL, NULL);
}
