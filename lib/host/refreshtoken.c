/* SPDX-License-Identifier: ISC */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "core/name.h"
#include "host/refreshtoken.h"

#define MODE_FILE  0600
#define MAGIC	   "aadssh-refresh "
#define HEAD	   MAGIC "1\n"
#define HEAD_LEN   (sizeof(HEAD) - 1)
#define NONCE_LEN  crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_LEN	   crypto_aead_xchacha20poly1305_ietf_ABYTES
#define SEALED_MIN (HEAD_LEN + NONCE_LEN + TAG_LEN + 1)
#define SEALED_MAX (HEAD_LEN + NONCE_LEN + TAG_LEN + REFRESHTOKEN_MAX)
#define NAME_LEN   (NAME_LOGIN_MAX + 1 + NAME_HEX64_LEN)
#define BOUND_MAX  (HEAD_LEN + HOSTID_LEN + 32 + NAME_LOGIN_MAX)

static const char folder[] = "refresh";

/* Open refresh/; name receives LOGIN.HEX64. */
static int
place(const struct cache *c, const char *login, const uint8_t *key_hash,
    char name[static NAME_LEN + 1], int *fdp)
{
	char hex[NAME_HEX64_LEN + 1];
	int r;

	*fdp = -1;
	if (!name_login_ok(login))
		return AAD_EARG;
	name_hex64(key_hash, hex);
	snprintf(name, NAME_LEN + 1, "%s.%s", login, hex);
	r = file_dir_open(c->dir, folder, c->right, fdp);
	/* NB. no directory at all is not "no refresh token". */
	return r == AAD_ENOENT ? AAD_ESYS : r;
}

/* The additional data; the login, of any length, is its end. */
static size_t
bound(const char *login, const uint8_t *key_hash, const uint8_t *host,
    uint8_t out[static BOUND_MAX])
{
	size_t len = strlen(login);

	memcpy(out, HEAD, HEAD_LEN);
	memcpy(out + HEAD_LEN, host, HOSTID_LEN);
	memcpy(out + HEAD_LEN + HOSTID_LEN, key_hash, 32);
	memcpy(out + HEAD_LEN + HOSTID_LEN + 32, login, len);
	return HEAD_LEN + HOSTID_LEN + 32 + len;
}

int
refreshtoken_store(const struct cache *c, const char *login,
    const uint8_t key_hash[static 32], const uint8_t host[static HOSTID_LEN],
    struct secret *seal, const char *token, size_t len)
{
	uint8_t ad[BOUND_MAX], *buf;
	char name[NAME_LEN + 1];
	size_t ad_len, all = HEAD_LEN + NONCE_LEN + len + TAG_LEN;
	int fd, r;

	if (len > REFRESHTOKEN_MAX)
		return AAD_ETOOBIG;
	if (len == 0 || secret_len(seal) != CACHE_SEAL_LEN)
		return AAD_EARG;
	if ((r = place(c, login, key_hash, name, &fd)) != 0)
		return r;
	if ((buf = malloc(all)) == NULL) {
		close(fd);
		return AAD_ENOMEM;
	}
	ad_len = bound(login, key_hash, host, ad);
	memcpy(buf, HEAD, HEAD_LEN);
	randombytes_buf(buf + HEAD_LEN, NONCE_LEN);
	crypto_aead_xchacha20poly1305_ietf_encrypt(buf + HEAD_LEN + NONCE_LEN,
	    NULL, (const uint8_t *)token, len, ad, ad_len, NULL, buf + HEAD_LEN,
	    secret_bytes(seal));
	r = file_replace(fd, name, buf, all, MODE_FILE);
	file_close(fd);
	free(buf);
	return r;
}

/* Whether the first line is of a format that comes after ours. */
static int
newer(const char *buf)
{
	size_t digits;

	if (strncmp(buf, MAGIC, strlen(MAGIC)) != 0)
		return 0;
	buf += strlen(MAGIC);
	digits = strspn(buf, "0123456789");
	/* NB. "1" comes here too when the rest is too short. */
	return digits > 0 && buf[0] != '0' && strncmp(buf, "1\n", 2) != 0 &&
	       buf[digits] == '\n';
}

/* One of the two keys must open it; token has the room. */
static int
open_sealed(const char *buf, size_t len, const uint8_t *ad, size_t ad_len,
    const struct cache_seal *seal, struct secret *token)
{
	struct secret *const keys[] = { seal->key, seal->other };
	const uint8_t *nonce = (const uint8_t *)buf + HEAD_LEN;
	size_t i, at = HEAD_LEN + NONCE_LEN;

	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (keys[i] != NULL && secret_len(keys[i]) == CACHE_SEAL_LEN &&
		    crypto_aead_xchacha20poly1305_ietf_decrypt(
			secret_bytes(token), NULL, NULL, nonce + NONCE_LEN,
			len - at, ad, ad_len, nonce,
			secret_bytes(keys[i])) == 0)
			return 0;
	return AAD_ESIG;
}

int
refreshtoken_load(const struct cache *c, const char *login,
    const uint8_t key_hash[static 32], const uint8_t host[static HOSTID_LEN],
    const struct cache_seal *seal, struct secret **outp)
{
	char name[NAME_LEN + 1], *buf = NULL;
	struct secret *token = NULL;
	uint8_t ad[BOUND_MAX];
	size_t len = 0;
	int fd, r;

	*outp = NULL;
	if ((r = place(c, login, key_hash, name, &fd)) != 0)
		return r;
	r = file_read(fd, name, c->right, SEALED_MAX, &buf, &len);
	file_close(fd);
	if (r != 0)
		return r == AAD_ETOOBIG ? AAD_EFORMAT : r;
	r = AAD_EFORMAT;
	if (len < SEALED_MIN || memcmp(buf, HEAD, HEAD_LEN) != 0) {
		if (newer(buf))
			r = AAD_EVERSION;
	} else if ((r = secret_new(len - HEAD_LEN - NONCE_LEN - TAG_LEN,
			&token)) == 0) {
		r = open_sealed(buf, len, ad, bound(login, key_hash, host, ad),
		    seal, token);
	}
	free(buf);
	if (r != 0) {
		secret_free(token);
		return r;
	}
	*outp = token;
	return 0;
}

int
refreshtoken_remove(const struct cache *c, const char *login,
    const uint8_t key_hash[static 32])
{
	char name[NAME_LEN + 1];
	int fd, r;

	if ((r = place(c, login, key_hash, name, &fd)) != 0)
		return r;
	r = file_remove(fd, name);
	file_close(fd);
	return r;
}

struct walk {
	cache_each_fn *fn;
	void *arg;
};

static int
walk_name(void *arg, const char *name)
{
	const struct walk *w = arg;
	char login[NAME_LOGIN_MAX + 1];
	size_t len = strlen(name), n;
	const char *hex;
	uint8_t hash[32];

	if (len < NAME_HEX64_LEN + 2 || len > NAME_LEN)
		return 0;
	/* NB. a login may hold dots; the hash never does. */
	hex = name + len - NAME_HEX64_LEN;
	if (hex[-1] != '.' || !name_hex64_ok(hex))
		return 0;
	n = (size_t)(hex - name) - 1;
	memcpy(login, name, n);
	login[n] = '\0';
	if (!name_login_ok(login) ||
	    sodium_hex2bin(hash, sizeof(hash), hex, NAME_HEX64_LEN, NULL, &n,
		NULL) != 0 ||
	    n != sizeof(hash))
		return 0;
	return w->fn(w->arg, login, hash);
}

int
refreshtoken_each(const struct cache *c, cache_each_fn *fn, void *arg)
{
	struct walk w = { fn, arg };
	int fd, r;

	if ((r = file_dir_open(c->dir, folder, c->right, &fd)) != 0)
		return r == AAD_ENOENT ? AAD_ESYS : r;
	r = file_dir_each(fd, walk_name, &w);
	file_close(fd);
	return r;
}
