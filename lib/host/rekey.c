/* SPDX-License-Identifier: ISC */

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "host/refreshtoken.h"
#include "host/rekey.h"

#define MODE_PRIVATE 0600
#define MODE_PUBLIC  0640
#define PASSES_MAX   8 /* walks until one finds nothing left to do */

static const char seal_other[] = "seal.key.other";

struct work {
	const struct cache *c;
	const uint8_t *host;
	int keys; /* keys/ */
	struct secret *sec; /* the current record key */
	struct record_pub mine; /* its public half only */
	struct record_pub theirs; /* the one before; none: n is 0 */
	size_t named; /* keys in record.pub */
	struct cache_seal seal;
	size_t changed; /* by one walk */
	size_t skipped; /* by one walk */
};

/* keys/record.pub := first, then second unless it is NULL. */
static int
pub_write(const struct work *w, const uint8_t *first, const uint8_t *second)
{
	uint8_t buf[2 * RECORD_PUB_LEN];
	size_t len = RECORD_PUB_LEN;

	memcpy(buf, first, RECORD_PUB_LEN);
	if (second != NULL) {
		memcpy(buf + len, second, RECORD_PUB_LEN);
		len += RECORD_PUB_LEN;
	}
	return file_replace(w->keys, "record.pub", buf, len, MODE_PUBLIC);
}

/* A record that does not verify is left alone and counted. */
static int
record_skip(struct work *w, int r)
{
	if (r == AAD_ENOENT)
		return 0;
	if (r == AAD_EREFUSED) {
		w->skipped++;
		return 0;
	}
	return r;
}

/* Sign one record anew, unless it is already; its generation stays. */
static int
record_anew(void *arg, const char *login, const uint8_t key_hash[static 32])
{
	struct work *w = arg;
	struct record *rec;
	enum reason why;
	int r;

	r = cache_record_load(w->c, login, key_hash, w->host, &w->mine, &rec,
	    &why);
	record_free(rec);
	if (r != AAD_EREFUSED || why != AAD_R_RECORD_SIGNATURE)
		return record_skip(w, r);
	r = cache_record_load(w->c, login, key_hash, w->host, &w->theirs, &rec,
	    &why);
	if (r != 0)
		return record_skip(w, r);
	if ((r = cache_record_store(w->c, rec, w->host, w->sec)) == 0)
		w->changed++;
	record_free(rec);
	return r;
}

/* One that does not open is left alone and counted. */
static int
token_skip(struct work *w, int r)
{
	if (r == AAD_ENOENT)
		return 0;
	if (r == AAD_ESIG || r == AAD_EPERM || r == AAD_EFORMAT ||
	    r == AAD_EVERSION) {
		w->skipped++;
		return 0;
	}
	return r;
}

/* Seal one refresh token anew, unless it is already. */
static int
token_anew(void *arg, const char *login, const uint8_t key_hash[static 32])
{
	struct work *w = arg;
	const struct cache_seal mine = { w->seal.key, NULL };
	const struct cache_seal theirs = { w->seal.other, NULL };
	struct secret *token;
	int r;

	r = refreshtoken_load(w->c, login, key_hash, w->host, &mine, &token);
	secret_free(token);
	if (r != AAD_ESIG)
		return token_skip(w, r);
	r = refreshtoken_load(w->c, login, key_hash, w->host, &theirs, &token);
	if (r != 0)
		return token_skip(w, r);
	r = refreshtoken_store(w->c, login, key_hash, w->host, w->seal.key,
	    (const char *)secret_bytes(token), secret_len(token));
	if (r == 0)
		w->changed++;
	secret_free(token);
	return r;
}

static int
records_walk(struct work *w)
{
	return cache_record_each(w->c, NULL, record_anew, w);
}

static int
tokens_walk(struct work *w)
{
	return refreshtoken_each(w->c, token_anew, w);
}

/*
 * Walk until nothing is left.  NB. files are replaced under readdir(3), and
 * no standard says that such a walk misses none.
 */
static int
all_anew(struct work *w, int (*walk)(struct work *), size_t *donep,
    size_t *skippedp)
{
	int pass, r;

	for (pass = 0; pass < PASSES_MAX; pass++) {
		w->changed = w->skipped = 0;
		if ((r = walk(w)) != 0)
			return r;
		*donep += w->changed;
		if (w->changed == 0) {
			*skippedp += w->skipped;
			return 0;
		}
	}
	return AAD_EAGAIN;
}

/* The current record key, and the one that record.pub names beside it. */
static int
record_keys_load(struct work *w)
{
	struct record_pub pub;
	enum reason why;
	size_t i;
	int r;

	secret_free(w->sec);
	if ((r = cache_record_key(w->c, &w->sec)) != 0 ||
	    (r = cache_record_pub(w->c, &pub, &why)) != 0)
		return r;
	if (crypto_sign_ed25519_sk_to_pk(w->mine.keys[0],
		secret_bytes(w->sec)) != 0)
		return AAD_EFORMAT;
	w->mine.n = 1;
	w->theirs.n = 0;
	for (i = 0; i < pub.n; i++)
		if (memcmp(pub.keys[i], w->mine.keys[0], RECORD_PUB_LEN) != 0) {
			memcpy(w->theirs.keys[0], pub.keys[i], RECORD_PUB_LEN);
			w->theirs.n = 1;
		}
	w->named = pub.n;
	return 0;
}

/*
 * Whatever record.pub names beside the current key: nothing may be left of
 * it, then it goes.  One that was never used goes the same way.
 */
static int
records_finish(struct work *w, struct rekey_count *out)
{
	int r;

	if ((r = record_keys_load(w)) != 0 || w->named == 1)
		return r;
	if (w->theirs.n == 1 &&
	    ((r = pub_write(w, w->mine.keys[0], w->theirs.keys[0])) != 0 ||
		(r = all_anew(w, records_walk, &out->records, &out->skipped)) !=
		    0))
		return r;
	return pub_write(w, w->mine.keys[0], NULL);
}

/* The same of the seal keys. */
static int
tokens_finish(struct work *w, struct rekey_count *out)
{
	int r;

	cache_seal_release(&w->seal);
	if ((r = cache_seal_keys(w->c, &w->seal)) != 0)
		return r;
	if (w->seal.other == NULL)
		return 0;
	if ((r = all_anew(w, tokens_walk, &out->tokens, &out->skipped)) != 0)
		return r;
	return file_remove(w->keys, seal_other);
}

/* NB. named in record.pub before anything can be signed with it. */
static int
record_key_begin(struct work *w)
{
	uint8_t pub[RECORD_PUB_LEN];
	struct secret *sec;
	int r;

	if ((r = secret_new(RECORD_SEC_LEN, &sec)) != 0)
		return r;
	crypto_sign_keypair(pub, secret_bytes(sec));
	if ((r = pub_write(w, w->mine.keys[0], pub)) == 0)
		r = file_replace(w->keys, "record.key", secret_bytes(sec),
		    RECORD_SEC_LEN, MODE_PRIVATE);
	secret_free(sec);
	return r;
}

/* NB. the old key is kept aside before it is replaced. */
static int
seal_key_begin(struct work *w)
{
	struct secret *sec;
	int r;

	if ((r = secret_new(CACHE_SEAL_LEN, &sec)) != 0)
		return r;
	crypto_aead_xchacha20poly1305_ietf_keygen(secret_bytes(sec));
	r = file_create(w->keys, seal_other, secret_bytes(w->seal.key),
	    CACHE_SEAL_LEN, MODE_PRIVATE);
	if (r == 0)
		r = file_replace(w->keys, "seal.key", secret_bytes(sec),
		    CACHE_SEAL_LEN, MODE_PRIVATE);
	secret_free(sec);
	return r;
}

/*
 * NB. what was begun is finished first and counts for nothing: its new key
 * may be as old, and as known to others, as the one it followed.
 */
static int
steps(struct work *w, struct rekey_count *out)
{
	struct rekey_count before = { 0, 0, 0 };
	int r;

	if ((r = records_finish(w, &before)) != 0 ||
	    (r = tokens_finish(w, &before)) != 0 ||
	    (r = record_key_begin(w)) != 0 || (r = seal_key_begin(w)) != 0 ||
	    (r = records_finish(w, out)) != 0)
		return r;
	return tokens_finish(w, out);
}

int
rekey(const struct cache *c, const uint8_t host[static HOSTID_LEN],
    struct rekey_count *out)
{
	struct work w = { .c = c, .host = host, .keys = -1 };
	int lock, saved, r;

	memset(out, 0, sizeof(*out));
	if ((r = cache_lock_keys(c, 1, &lock)) != 0)
		return r;
	if ((r = file_dir_open(c->dir, "keys", c->right, &w.keys)) == 0)
		r = steps(&w, out);
	if (r != 0)
		memset(out, 0, sizeof(*out));
	saved = errno;
	secret_free(w.sec);
	cache_seal_release(&w.seal);
	file_close(w.keys);
	file_close(lock);
	errno = saved;
	return r;
}
