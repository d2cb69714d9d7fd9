/* SPDX-License-Identifier: ISC */

#include "test/unit/unit.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ssh/agent.h"
#include "ssh/sign.h"
#include "ssh/wire.h"
#include "test/unit/fault.h"
#include "test/unit/mutate.h"

#define KEYS_ANSWER 12
#define SIGN_ANSWER 14

struct bytes {
	uint8_t p[4096];
	size_t len;
};

static struct bytes
load(const char *name)
{
	struct bytes b = { .len = 0 };
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "test/vectors/agent/%s", name);
	if ((f = fopen(path, "r")) == NULL)
		fail_msg("%s: %s", path, strerror(errno));
	b.len = fread(b.p, 1, sizeof(b.p) - 1, f);
	fclose(f);
	assert_true(b.len > 0);
	return b;
}

static struct key
load_key(const char *name)
{
	enum reason why;
	struct bytes b;
	char file[64];
	struct key k;

	snprintf(file, sizeof(file), "%s.pub", name);
	b = load(file);
	assert_int_equal(key_from_pub((char *)b.p, b.len, &k, &why), 0);
	return k;
}

/* ---- asking ---- */

static void
valid_questions(void **state)
{
	static const uint8_t keys[] = { 0, 0, 0, 1, 11 };
	struct key ed25519 = load_key("ed25519"), rsa = load_key("rsa");
	const struct key *both[] = { &ed25519, &rsa };
	const uint8_t *blob, *data;
	size_t len, bloblen, datalen, i;
	struct wire w;
	uint32_t n;
	uint8_t *p;

	(void)state;
	assert_int_equal(agent_ask_keys(&p, &len), 0);
	assert_int_equal(len, sizeof(keys));
	assert_memory_equal(p, keys, len);
	free(p);
	for (i = 0; i < 2; i++) {
		assert_int_equal(agent_ask_sign(both[i], (const uint8_t *)"abc",
				     3, &p, &len),
		    0);
		assert_int_equal(agent_reply_len(p), len - AGENT_HEAD_LEN);
		assert_int_equal(p[4], 13);
		w = wire_of(p + 5, len - 5);
		assert_int_equal(wire_string(&w, &blob, &bloblen), 0);
		assert_int_equal(bloblen, both[i]->blob_len);
		assert_memory_equal(blob, both[i]->blob, bloblen);
		assert_int_equal(wire_string(&w, &data, &datalen), 0);
		assert_int_equal(datalen, 3);
		assert_memory_equal(data, "abc", 3);
		assert_int_equal(wire_u32(&w, &n), 0);
		assert_int_equal(n, i == 0 ? 0 : 4); /* rsa-sha2-512 */
		assert_true(wire_end(&w));
		free(p);
	}
	key_release(&ed25519);
	key_release(&rsa);
}

static size_t
reply_len(uint32_t n)
{
	struct wirebuf b = wirebuf_new();
	size_t len;

	wire_put_u32(&b, n);
	assert_int_equal(b.r, 0);
	len = agent_reply_len(b.p);
	wirebuf_release(&b);
	return len;
}

static void
boundary_length(void **state)
{
	(void)state;
	assert_int_equal(reply_len(0), 0);
	assert_int_equal(reply_len(1), 1);
	assert_int_equal(reply_len(AGENT_REPLY_MAX), AGENT_REPLY_MAX);
	assert_int_equal(reply_len(AGENT_REPLY_MAX + 1), 0);
	assert_int_equal(reply_len(UINT32_MAX), 0);
}

/* ---- answers ---- */

/* Takes the buffer over. */
static int
keys_verdict(struct wirebuf *b, const struct key *k)
{
	uint8_t *p;
	size_t len;
	int r;

	assert_int_equal(wirebuf_take(b, &p, &len), 0);
	r = agent_read_keys(p, len, k);
	free(p);
	return r;
}

static void
put_key(struct wirebuf *b, const void *blob, size_t len)
{
	wire_put_string(b, blob, len);
	wire_put_text(b, "a comment");
}

static struct wirebuf
keys_answer(uint32_t n)
{
	struct wirebuf b = wirebuf_new();

	wire_put_u8(&b, KEYS_ANSWER);
	wire_put_u32(&b, n);
	return b;
}

static void
valid_keys(void **state)
{
	struct key k = load_key("ed25519"), other = load_key("rsa");
	struct wirebuf b = keys_answer(0);

	(void)state;
	assert_int_equal(keys_verdict(&b, &k), AAD_ENOENT);
	b = keys_answer(3);
	put_key(&b, other.blob, other.blob_len);
	put_key(&b, k.blob, k.blob_len);
	put_key(&b, "\0\0\0\7ssh-dss", 11);
	assert_int_equal(keys_verdict(&b, &k), 0);
	b = keys_answer(3);
	put_key(&b, other.blob, other.blob_len);
	put_key(&b, "", 0);
	put_key(&b, k.blob, k.blob_len - 1);
	assert_int_equal(keys_verdict(&b, &k), AAD_ENOENT);
	key_release(&k);
	key_release(&other);
}

/* What a real one answered; its signatures are good. */
static void
valid_answers_of_ssh_agent(void **state)
{
	static const char *const names[] = { "ed25519", "rsa" };
	struct bytes keys = load("keys.reply"), none = load("none.reply");
	struct bytes no = load("failure.reply"), message = load("message"), b;
	struct key k;
	char file[64];
	uint8_t *sig;
	size_t i, len;

	(void)state;
	for (i = 0; i < 2; i++) {
		k = load_key(names[i]);
		assert_int_equal(agent_read_keys(keys.p, keys.len, &k), 0);
		assert_int_equal(agent_read_keys(none.p, none.len, &k),
		    AAD_ENOENT);
		snprintf(file, sizeof(file), "sign_%s.reply", names[i]);
		b = load(file);
		assert_int_equal(agent_read_sign(b.p, b.len, &sig, &len), 0);
		assert_int_equal(sign_verify(&k, message.p, message.len, sig,
				     len),
		    0);
		free(sig);
		assert_int_equal(agent_read_sign(no.p, no.len, &sig, &len),
		    AAD_EREFUSED);
		assert_int_equal(agent_read_keys(b.p, b.len, &k), AAD_EFORMAT);
		key_release(&k);
	}
}

static void
wrong_keys(void **state)
{
	struct key k = load_key("ed25519");
	struct wirebuf b = keys_answer(2);
	unsigned int i;

	(void)state;
	put_key(&b, k.blob, k.blob_len); /* one is missing */
	assert_int_equal(keys_verdict(&b, &k), AAD_EFORMAT);
	b = keys_answer(0);
	put_key(&b, k.blob, k.blob_len); /* one too many */
	assert_int_equal(keys_verdict(&b, &k), AAD_EFORMAT);
	b = keys_answer(1);
	wire_put_string(&b, k.blob, k.blob_len); /* no comment */
	assert_int_equal(keys_verdict(&b, &k), AAD_EFORMAT);
	b = keys_answer(UINT32_MAX);
	assert_int_equal(keys_verdict(&b, &k), AAD_EFORMAT);
	b = keys_answer(AGENT_KEYS_MAX);
	for (i = 0; i < AGENT_KEYS_MAX; i++)
		put_key(&b, k.blob, k.blob_len);
	assert_int_equal(keys_verdict(&b, &k), 0);
	b = keys_answer(AGENT_KEYS_MAX + 1);
	for (i = 0; i < AGENT_KEYS_MAX + 1; i++)
		put_key(&b, k.blob, k.blob_len);
	assert_int_equal(keys_verdict(&b, &k), AAD_EFORMAT);
	assert_int_equal(agent_read_keys((const uint8_t *)"", 0, &k),
	    AAD_EFORMAT);
	assert_int_equal(agent_read_keys((const uint8_t *)"\x0c", 1, &k),
	    AAD_EFORMAT);
	key_release(&k);
}

static int
sign_verdict(const void *p, size_t len)
{
	uint8_t *sig = (uint8_t *)(uintptr_t)1;
	size_t siglen = 1;
	int r = agent_read_sign(p, len, &sig, &siglen);

	if (r != 0) {
		assert_null(sig);
		assert_int_equal(siglen, 0);
	}
	free(sig);
	return r;
}

static int
signed_verdict(size_t len, const char *tail)
{
	static const uint8_t sig[SIGN_MAX + 1];
	struct wirebuf b = wirebuf_new();
	int r;

	wire_put_u8(&b, SIGN_ANSWER);
	wire_put_string(&b, sig, len);
	wire_put_raw(&b, tail, strlen(tail));
	r = sign_verdict(b.p, b.len);
	wirebuf_release(&b);
	return r;
}

static void
valid_signature(void **state)
{
	static const uint8_t reply[] = { SIGN_ANSWER, 0, 0, 0, 3, 'a', 'b',
		'c' };
	uint8_t *sig;
	size_t len;

	(void)state;
	assert_int_equal(agent_read_sign(reply, sizeof(reply), &sig, &len), 0);
	assert_int_equal(len, 3);
	assert_memory_equal(sig, "abc", 3);
	free(sig);
}

static void
wrong_signature(void **state)
{
	uint8_t *most = calloc(1, AGENT_REPLY_MAX + 1);

	(void)state;
	assert_int_equal(signed_verdict(1, ""), 0);
	assert_int_equal(signed_verdict(SIGN_MAX, ""), 0);
	assert_int_equal(signed_verdict(SIGN_MAX + 1, ""), AAD_EFORMAT);
	assert_int_equal(signed_verdict(0, ""), AAD_EFORMAT);
	assert_int_equal(signed_verdict(9, "x"), AAD_EFORMAT);
	assert_int_equal(sign_verdict("", 0), AAD_EFORMAT);
	assert_int_equal(sign_verdict("\x0e", 1), AAD_EFORMAT);
	assert_non_null(most);
	most[0] = SIGN_ANSWER;
	assert_int_equal(sign_verdict(most, AGENT_REPLY_MAX + 1), AAD_EFORMAT);
	free(most);
}

/* A no is one byte; anything else that was not asked for is nonsense. */
static void
wrong_type(void **state)
{
	struct key k = load_key("ed25519");
	unsigned int type;
	uint8_t reply[2] = { 0, 0 };
	bool no;

	(void)state;
	for (type = 0; type < 256; type++) {
		reply[0] = (uint8_t)type;
		no = type == 5 || type == 28 || type == 30 || type == 102;
		assert_int_equal(agent_read_keys(reply, 1, &k),
		    no ? AAD_EREFUSED : AAD_EFORMAT);
		assert_int_equal(sign_verdict(reply, 1),
		    no ? AAD_EREFUSED : AAD_EFORMAT);
		assert_int_equal(agent_read_keys(reply, 2, &k), AAD_EFORMAT);
		assert_int_equal(sign_verdict(reply, 2), AAD_EFORMAT);
	}
	key_release(&k);
}

static void
check_damaged(const uint8_t *p, size_t len, enum mutation how, size_t at,
    void *arg)
{
	const struct key *k = arg;
	uint8_t *sig;
	size_t siglen;
	int r = agent_read_keys(p, len, k);

	(void)at;
	if (how != MUTATE_BIT_FLIP)
		assert_int_equal(r, AAD_EFORMAT);
	else
		assert_true(r == 0 || r == AAD_ENOENT || r == AAD_EFORMAT);
	if (agent_read_sign(p, len, &sig, &siglen) == 0)
		free(sig);
}

static void
every_damage(void **state)
{
	struct key k = load_key("ed25519");
	struct wirebuf b = keys_answer(2);

	(void)state;
	put_key(&b, "blob", 4);
	put_key(&b, k.blob, k.blob_len);
	assert_int_equal(agent_read_keys(b.p, b.len, &k), 0);
	mutate_walk(b.p, b.len, check_damaged, &k);
	wirebuf_release(&b);
	b = wirebuf_new();
	wire_put_u8(&b, SIGN_ANSWER);
	wire_put_string(&b, "abc", 3);
	mutate_walk(b.p, b.len, check_damaged, &k);
	wirebuf_release(&b);
	key_release(&k);
}

static void
no_memory(void **state)
{
	static const uint8_t reply[] = { SIGN_ANSWER, 0, 0, 0, 1, 'a' };
	struct key k = load_key("ed25519");
	uint8_t *p = (uint8_t *)(uintptr_t)1;
	size_t len;

	(void)state;
	fault_arm(FAULT_ALLOC, 1, ENOMEM);
	assert_int_equal(agent_ask_keys(&p, &len), AAD_ENOMEM);
	assert_true(fault_disarm());
	assert_null(p);
	fault_arm(FAULT_ALLOC, 1, ENOMEM);
	assert_int_equal(agent_ask_sign(&k, reply, 6, &p, &len), AAD_ENOMEM);
	assert_true(fault_disarm());
	assert_null(p);
	fault_arm(FAULT_ALLOC, 1, ENOMEM);
	assert_int_equal(agent_read_sign(reply, sizeof(reply), &p, &len),
	    AAD_ENOMEM);
	assert_true(fault_disarm());
	assert_null(p);
	key_release(&k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(valid_questions),
		cmocka_unit_test(boundary_length),
		cmocka_unit_test(valid_keys),
		cmocka_unit_test(valid_answers_of_ssh_agent),
		cmocka_unit_test(wrong_keys),
		cmocka_unit_test(valid_signature),
		cmocka_unit_test(wrong_signature),
		cmocka_unit_test(wrong_type),
		cmocka_unit_test(every_damage),
		cmocka_unit_test(no_memory),
	};

	return cmocka_run_group_tests_name("agent", tests, NULL, NULL);
}
