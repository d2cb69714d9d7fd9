/* SPDX-License-Identifier: ISC */

/*
 * lib/host, what sign-ins through ssh added: refresh tokens, tombstones,
 * locks, offers, waiting sign-ins, session files and the rekey.  Names carry
 * the ids of attacks.md where a row is what the test is about.
 */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sodium.h>

#include "core/b64.h"
#include "host/cache.h"
#include "host/decision.h"
#include "host/hostid.h"
#include "host/lastrun.h"
#include "host/offer.h"
#include "host/pin.h"
#include "host/refreshtoken.h"
#include "host/rekey.h"
#include "host/session.h"
#include "host/waiting.h"
#include "test/tools/forge.h"
#include "test/unit/fault.h"
#include "test/unit/mutate.h"
#include "test/unit/scratch.h"
#include "test/unit/unit.h"

#define NOW	INT64_C(1800000000)
#define MACHINE "0123456789abcdef0123456789abcdef\n"
#define CONF                                                                   \
	"[idp]\ntenant = " FORGE_TENANT "\nclient_id = " FORGE_CLIENT          \
	"\nauthority = https://login.example.test\n[state]\ndir = %s/state\n"  \
	"[map]\ndomain = contoso.com\nrequire = role:ssh.user\n"
#define TOKEN	 "0.AXoA-refresh-token-of-alice"
#define FILE_CAP 131072

/* One scratch installation, made anew for each test. */
struct world {
	char base[64];
	char run[80];
	char machine_id[96];
	struct conf *conf;
	struct rules *rules;
	struct cache cache;
	struct key key;
	char *key_base64;
	char *token; /* a good ID token of alice */
	uint8_t host[HOSTID_LEN];
};

static struct forge shared_forge; /* a key pair takes a while to make */

static const char *
at(const struct world *w, const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", w->base, name);
	return path;
}

static void
spill(const char *path, const void *buf, size_t len, mode_t mode)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(buf, 1, len, f), len);
	fclose(f);
	assert_int_equal(chmod(path, mode), 0);
}

static char *
slurp(const char *path, size_t *lenp)
{
	char *buf = calloc(1, FILE_CAP + 1);
	FILE *f = fopen(path, "r");

	assert_non_null(buf);
	assert_non_null(f);
	*lenp = fread(buf, 1, FILE_CAP, f);
	fclose(f);
	return buf;
}

static void
shell(const char *cmd)
{
	assert_int_equal(system(cmd), 0);
}

/* The Ed25519 key of a one-byte seed. */
static void
make_key(uint8_t seed, struct key *k)
{
	uint8_t blob[51] = "\0\0\0\x0bssh-ed25519\0\0\0\x20";
	uint8_t seeds[32] = { 0 }, sk[64];
	enum reason why;

	seeds[0] = seed;
	crypto_sign_seed_keypair(blob + 19, sk, seeds);
	assert_int_equal(key_from_blob(blob, sizeof(blob), k, &why), 0);
}

static struct record *
make_record(const struct world *w, const char *login, const struct key *k)
{
	struct record *rec = calloc(1, sizeof(*rec));

	assert_non_null(rec);
	rec->state = RECORD_ACTIVE;
	snprintf(rec->login, sizeof(rec->login), "%s", login);
	memcpy(rec->key_hash, k->hash, sizeof(rec->key_hash));
	rec->generation = 1;
	rec->written = rec->sign_in = rec->renewal_at = NOW;
	rec->confirmed_at = NOW;
	rec->blob_len = k->blob_len;
	assert_non_null(rec->blob = malloc(rec->blob_len));
	memcpy(rec->blob, k->blob, rec->blob_len);
	assert_non_null(rec->id_token = strdup(w->token));
	snprintf(rec->tid, sizeof(rec->tid), "%s", FORGE_TENANT);
	snprintf(rec->oid, sizeof(rec->oid), "%s", FORGE_OID);
	assert_non_null(rec->upn = strdup("alice@contoso.com"));
	assert_non_null(rec->source = strdup("192.0.2.7"));
	rec->renewal = RENEWAL_OK;
	rec->confirmed = CONFIRMED_SESSION;
	return rec;
}

/* Store what a writer would, by the rule for writers. */
static void
store(struct world *w, const struct record *rec)
{
	struct secret *sec;
	int keys, lock;

	assert_int_equal(cache_lock_keys(&w->cache, 0, &keys), 0);
	assert_int_equal(cache_lock(&w->cache, rec->login, &lock), 0);
	assert_int_equal(cache_record_key(&w->cache, &sec), 0);
	assert_int_equal(cache_record_store(&w->cache, rec, w->host, sec), 0);
	secret_free(sec);
	close(lock);
	close(keys);
}

static int
seal_with(struct world *w, const char *login, const uint8_t *hash,
    const char *token, size_t len)
{
	struct cache_seal seal;
	int r = cache_seal_keys(&w->cache, &seal);

	if (r == 0)
		r = refreshtoken_store(&w->cache, login, hash, w->host,
		    seal.key, token, len);
	cache_seal_release(&seal);
	return r;
}

static void
keep(struct world *w, const char *token)
{
	assert_int_equal(seal_with(w, "alice", w->key.hash, token,
			     strlen(token)),
	    0);
}

/* The error of loading; on 0 the token must be want. */
static int
opens_as(struct world *w, const char *login, const uint8_t *hash,
    const char *want)
{
	struct secret *token = NULL;
	struct cache_seal seal;
	int r = cache_seal_keys(&w->cache, &seal);

	if (r == 0)
		r = refreshtoken_load(&w->cache, login, hash, w->host, &seal,
		    &token);
	cache_seal_release(&seal);
	if (r != 0) {
		assert_null(token);
		return r;
	}
	assert_int_equal(secret_len(token), strlen(want));
	assert_memory_equal(secret_bytes(token), want, strlen(want));
	secret_free(token);
	return 0;
}

static int
opens(struct world *w)
{
	return opens_as(w, "alice", w->key.hash, TOKEN);
}

static int
setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	const struct pin pin = { FORGE_TENANT, FORGE_OID, NOW };
	struct record *rec;
	struct jwks *keys;
	struct conf_error err;
	enum reason why;
	char text[1024], *claims;

	assert_non_null(w);
	snprintf(w->base, sizeof(w->base), "%s/aadssh-test-XXXXXX", UNIT_TMP);
	assert_non_null(mkdtemp(w->base));
	snprintf(w->run, sizeof(w->run), "%s/run", w->base);
	assert_int_equal(mkdir(w->run, 0755), 0);
	assert_int_equal(mkdir(at(w, "run/offers"), 02770), 0);
	assert_int_equal(mkdir(at(w, "run/sessions"), 0700), 0);
	snprintf(w->machine_id, sizeof(w->machine_id), "%s/machine-id",
	    w->base);
	spill(w->machine_id, MACHINE, strlen(MACHINE), 0644);
	snprintf(text, sizeof(text), CONF, w->base);
	assert_int_equal(conf_parse(text, strlen(text), &w->conf, &err), 0);
	assert_int_equal(rules_new(w->conf, &w->rules, &err), 0);
	assert_int_equal(cache_open_write(at(w, "state"), geteuid(), &w->cache,
			     &why),
	    0);
	assert_int_equal(hostid_read(w->machine_id, w->host), 0);
	make_key(7, &w->key);
	assert_int_equal(b64_encode(B64_STD, w->key.blob, w->key.blob_len,
			     &w->key_base64),
	    0);
	keys = forge_jwks(&shared_forge, NOW, 0);
	assert_int_equal(cache_tenant_keys_store(&w->cache, keys), 0);
	jwks_free(keys);
	claims = forge_claims(FORGE_OID, "alice@contoso.com", NOW, NOW + 3600,
	    "");
	w->token = forge_token(&shared_forge, NULL, claims);
	free(claims);
	assert_int_equal(pin_create(&w->cache, "alice", &pin), 0);
	rec = make_record(w, "alice", &w->key);
	store(w, rec);
	record_free(rec);
	*state = w;
	return 0;
}

static int
teardown(void **state)
{
	struct world *w = *state;
	fault_disarm();
	fault_behind_openat(NULL);
	if (scratch_remove(w->base) != 0)
		return -1;
	cache_close(&w->cache);
	rules_free(w->rules);
	conf_free(w->conf);
	key_release(&w->key);
	free(w->key_base64);
	free(w->token);
	free(w);
	return 0;
}

static enum reason
answer(const struct world *w)
{
	const struct decision_ask ask = { .conf = w->conf,
		.rules = w->rules,
		.machine_id = w->machine_id,
		.login = "alice",
		.key_type = "ssh-ed25519",
		.key_base64 = w->key_base64,
		.uid = 1001,
		.now = NOW + 10,
		.oracle = verify_nettle };
	struct decision d;
	enum reason why = decide(&ask, &d);

	decision_release(&d);
	return why;
}

#define SAYS(w, code) assert_string_equal(reason_name(answer(w)), code)

/* A child that dies before its k-th system call, as by kill -9. */
static bool
child_dies(struct world *w, unsigned int k, void (*work)(struct world *))
{
	pid_t pid = fork();
	int status;

	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		fault_arm(FAULT_KILL, k, 0);
		work(w);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 137)
		return true;
	assert_int_equal(WEXITSTATUS(status), 0);
	return false;
}

/* Open descriptors; none may be left behind by what failed. */
static size_t
descriptors(void)
{
	size_t n = 0;
	int fd;

	for (fd = 0; fd < 256; fd++)
		if (fcntl(fd, F_GETFD) != -1)
			n++;
	return n;
}

/*
 * Run fn with its k-th call of one kind failing, k = 1, 2, … until none is
 * left to fail: then it must be right; before it must not be, but where an
 * error costs nothing (fn may return 0 then).  check: what holds always.
 */
static void
every_failure(struct world *w, enum fault_kind kind, int err,
    int (*fn)(struct world *), void (*check)(struct world *),
    unsigned int least)
{
	size_t open_before = descriptors();
	unsigned int k;
	bool hit;
	int r;

	for (k = 1;; k++) {
		fault_arm(kind, k, err);
		r = fn(w);
		hit = fault_disarm();
		assert_int_equal(descriptors(), open_before);
		if (check != NULL)
			check(w);
		if (!hit)
			break;
		if (kind == FAULT_ALLOC && r != 0)
			assert_int_equal(r, AAD_ENOMEM);
	}
	assert_int_equal(r, 0);
	assert_true(k > least);
}

/* ---- refresh tokens --------------------------------------------------- */

static void
token_path(const struct world *w, char out[static 256])
{
	char hex[NAME_HEX64_LEN + 1];

	name_hex64(w->key.hash, hex);
	snprintf(out, 256, "%s/state/refresh/alice.%s", w->base, hex);
}

static void
II_L11_refresh_token_on_disk(void **state)
{
	struct world *w = *state;
	char path[256], *file;
	struct stat sb;
	size_t len;

	assert_int_equal(opens(w), AAD_ENOENT);
	keep(w, TOKEN);
	assert_int_equal(opens(w), 0);
	token_path(w, path);
	assert_int_equal(stat(path, &sb), 0);
	assert_int_equal(sb.st_mode & 07777, 0600);
	assert_int_equal(stat(at(w, "state/refresh"), &sb), 0);
	assert_int_equal(sb.st_mode & 07777, 0700);
	assert_int_equal(stat(at(w, "state/keys/seal.key"), &sb), 0);
	assert_int_equal(sb.st_mode & 07777, 0600);
	assert_int_equal(sb.st_size, CACHE_SEAL_LEN);
	/* A backup without keys/ says nothing. */
	file = slurp(path, &len);
	assert_int_equal(len, 17 + 24 + strlen(TOKEN) + 16);
	assert_memory_equal(file, "aadssh-refresh 1\n", 17);
	assert_null(memmem(file, len, "refresh-token-of", 16));
	free(file);
	assert_int_equal(refreshtoken_remove(&w->cache, "alice", w->key.hash),
	    0);
	assert_int_equal(opens(w), AAD_ENOENT);
	assert_int_equal(refreshtoken_remove(&w->cache, "alice", w->key.hash),
	    AAD_ENOENT);
}

/* Two stores of one token share nothing: the nonce is new. */
static void
II_L11_nonce_is_new(void **state)
{
	struct world *w = *state;
	char path[256], *one, *two;
	size_t len;

	token_path(w, path);
	keep(w, TOKEN);
	one = slurp(path, &len);
	keep(w, TOKEN);
	two = slurp(path, &len);
	assert_memory_not_equal(one + 17, two + 17, 24);
	assert_memory_not_equal(one + 41, two + 41, strlen(TOKEN));
	free(one);
	free(two);
}

static void
boundary_refresh_token_sizes(void **state)
{
	struct world *w = *state;
	char *big = malloc(REFRESHTOKEN_MAX + 2);

	assert_non_null(big);
	memset(big, 'x', REFRESHTOKEN_MAX + 1);
	big[REFRESHTOKEN_MAX + 1] = '\0';
	assert_int_equal(seal_with(w, "alice", w->key.hash, big,
			     REFRESHTOKEN_MAX + 1),
	    AAD_ETOOBIG);
	assert_int_equal(seal_with(w, "alice", w->key.hash, big, 0), AAD_EARG);
	assert_int_equal(seal_with(w, "../x", w->key.hash, big, 1), AAD_EARG);
	assert_int_equal(opens(w), AAD_ENOENT);
	big[REFRESHTOKEN_MAX] = '\0';
	keep(w, big);
	assert_int_equal(opens_as(w, "alice", w->key.hash, big), 0);
	keep(w, "x");
	assert_int_equal(opens_as(w, "alice", w->key.hash, "x"), 0);
	free(big);
}

/* One file opens under one login, one key, one host and one seal key. */
static void
II_L11_refresh_token_of_another(void **state)
{
	struct world *w = *state;
	char path[256], *file, other[320];
	struct key bobs;
	size_t len;

	keep(w, TOKEN);
	token_path(w, path);
	file = slurp(path, &len);
	snprintf(other, sizeof(other), "%s", path);
	memcpy(strstr(other, "alice."), "alicf.", 6);
	spill(other, file, len, 0600);
	assert_int_equal(opens_as(w, "alicf", w->key.hash, TOKEN), AAD_ESIG);
	make_key(9, &bobs);
	name_hex64(bobs.hash, strstr(other, "alicf.") + 6);
	memcpy(strstr(other, "alicf."), "alice.", 6);
	spill(other, file, len, 0600);
	assert_int_equal(opens_as(w, "alice", bobs.hash, TOKEN), AAD_ESIG);
	key_release(&bobs);
	w->host[0] ^= 1;
	assert_int_equal(opens(w), AAD_ESIG);
	w->host[0] ^= 1;
	assert_int_equal(opens(w), 0);
	spill(at(w, "state/keys/seal.key"), "0123456789abcdef0123456789abcdef",
	    32, 0600);
	assert_int_equal(opens(w), AAD_ESIG);
	free(file);
}

struct walk {
	struct world *w;
	const char *path;
	int dirfd;
	size_t n;
};

static void
damaged_token(const uint8_t *p, size_t len, enum mutation how, size_t where,
    void *arg)
{
	struct walk *walk = arg;
	FILE *f = fopen(walk->path, "w");
	int r;

	(void)how;
	(void)where;
	assert_non_null(f);
	fwrite(p, 1, len, f);
	fclose(f);
	r = opens(walk->w);
	assert_true(r == AAD_ESIG || r == AAD_EFORMAT || r == AAD_EVERSION);
	walk->n++;
}

static void
II_L11_every_bit_of_a_refresh_token(void **state)
{
	char path[256], *good;
	struct walk walk = { *state, path, -1, 0 };
	size_t len;

	keep(walk.w, TOKEN);
	token_path(walk.w, path);
	good = slurp(path, &len);
	mutate_walk(good, len, damaged_token, &walk);
	assert_int_equal(walk.n, 9 * len + 3);
	spill(path, good, len, 0600);
	assert_int_equal(opens(walk.w), 0);
	free(good);
}

static void
junk_refresh_tokens(void **state)
{
	static const struct {
		const char *text;
		int error;
	} rows[] = {
		{ "", AAD_EFORMAT },
		{ "\n", AAD_EFORMAT },
		{ "aadssh-refresh", AAD_EFORMAT },
		{ "aadssh-refresh ", AAD_EFORMAT },
		{ "aadssh-refresh 1\n", AAD_EFORMAT },
		{ "aadssh-refresh 0\n", AAD_EFORMAT },
		{ "aadssh-refresh 01\n", AAD_EFORMAT },
		{ "aadssh-refresh 2", AAD_EFORMAT },
		{ "aadssh-refresh 2\n", AAD_EVERSION },
		{ "aadssh-refresh 10\nxyz", AAD_EVERSION },
		{ "aadssh-record 1 x y z\n", AAD_EFORMAT },
	};
	struct world *w = *state;
	char path[256], *huge = calloc(1, FILE_CAP);
	size_t i;

	assert_non_null(huge);
	token_path(w, path);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		spill(path, rows[i].text, strlen(rows[i].text), 0600);
		assert_int_equal(opens(w), rows[i].error);
	}
	memcpy(huge, "aadssh-refresh 1\n", 17);
	spill(path, huge, FILE_CAP, 0600);
	assert_int_equal(opens(w), AAD_EFORMAT);
	free(huge);
}

static void
II_K3_planted_refresh_tokens(void **state)
{
	struct world *w = *state;
	char path[256], aside[320], dir[256];

	keep(w, TOKEN);
	token_path(w, path);
	snprintf(aside, sizeof(aside), "%s/aside", w->base);
	assert_int_equal(chmod(path, 0620), 0);
	assert_int_equal(opens(w), AAD_EPERM);
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(link(path, aside), 0);
	assert_int_equal(opens(w), AAD_EPERM);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink(aside, path), 0);
	assert_int_equal(opens(w), AAD_EPERM);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(opens(w), AAD_EPERM);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(opens(w), AAD_EPERM);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(rename(aside, path), 0);
	assert_int_equal(opens(w), 0);
	if (geteuid() == 0) {
		assert_int_equal(chown(path, 12345, 12345), 0);
		assert_int_equal(opens(w), AAD_EPERM);
	}
	/* No directory is not "no refresh token", and a link is none. */
	snprintf(dir, sizeof(dir), "%s", at(w, "state/refresh"));
	assert_int_equal(rename(dir, aside), 0);
	assert_int_equal(opens(w), AAD_ESYS);
	assert_int_equal(symlink(aside, dir), 0);
	assert_int_equal(opens(w), AAD_EPERM);
}

static int
count_token(void *arg, const char *login, const uint8_t key_hash[static 32])
{
	char *list = arg;

	(void)key_hash;
	strcat(list, login);
	strcat(list, " ");
	return 0;
}

static int
stop_at_once(void *arg, const char *login, const uint8_t key_hash[static 32])
{
	(void)arg;
	(void)login;
	(void)key_hash;
	return 42;
}

static void
valid_walk_of_refresh_tokens(void **state)
{
	static const char dotted[] = "a.b.tmp.0a1b2c";
	struct world *w = *state;
	char list[256] = "", path[256], name[300];

	assert_int_equal(refreshtoken_each(&w->cache, count_token, list), 0);
	assert_string_equal(list, "");
	assert_int_equal(seal_with(w, dotted, w->key.hash, "x", 1), 0);
	token_path(w, path);
	snprintf(name, sizeof(name), "%s.old", path);
	spill(name, "", 0, 0600);
	snprintf(name, sizeof(name), "%s", path);
	memcpy(strstr(name, "alice."), "-lice.", 6);
	spill(name, "", 0, 0600);
	spill(at(w, "state/refresh/alice"), "", 0, 0600);
	spill(at(w, "state/refresh/.alice.tmp.0a1b2c"), "", 0, 0600);
	assert_int_equal(refreshtoken_each(&w->cache, count_token, list), 0);
	assert_string_equal(list, "a.b.tmp.0a1b2c ");
	assert_int_equal(refreshtoken_each(&w->cache, stop_at_once, NULL), 42);
}

static int
try_keep(struct world *w)
{
	return seal_with(w, "alice", w->key.hash, TOKEN, strlen(TOKEN));
}

static void
old_or_new_token(struct world *w)
{
	assert_int_equal(opens(w), 0);
}

static void
II_O2_storing_a_refresh_token_fails(void **state)
{
	struct world *w = *state;

	keep(w, TOKEN);
	every_failure(w, FAULT_SYSCALL, ENOSPC, try_keep, old_or_new_token, 10);
	every_failure(w, FAULT_SYSCALL, EIO, try_keep, old_or_new_token, 10);
	every_failure(w, FAULT_ALLOC, ENOMEM, try_keep, old_or_new_token, 1);
}

static void
II_O2_loading_a_refresh_token_fails(void **state)
{
	struct world *w = *state;

	keep(w, TOKEN);
	every_failure(w, FAULT_SYSCALL, EIO, opens, NULL, 8);
	every_failure(w, FAULT_SYSCALL, EACCES, opens, NULL, 8);
	every_failure(w, FAULT_ALLOC, ENOMEM, opens, NULL, 2);
}

static void
work_keep(struct world *w)
{
	if (try_keep(w) != 0)
		_exit(1);
}

/* Also while the seal key is made. */
static void
I_B9_kill_while_a_refresh_token_is_stored(void **state)
{
	struct world *w = *state;
	unsigned int k;
	int r;

	for (k = 1; child_dies(w, k, work_keep); k++) {
		r = opens(w);
		assert_true(r == 0 || r == AAD_ENOENT);
	}
	assert_true(k > 10);
	assert_int_equal(opens(w), 0);
}

static void
seal_key_is_made_once(void **state)
{
	struct world *w = *state;
	struct cache_seal one, two;

	assert_int_equal(cache_seal_keys(&w->cache, &one), 0);
	assert_int_equal(cache_seal_keys(&w->cache, &two), 0);
	assert_memory_equal(secret_bytes(one.key), secret_bytes(two.key),
	    CACHE_SEAL_LEN);
	assert_null(two.other);
	cache_seal_release(&two);
	assert_null(two.key);
	spill(at(w, "state/keys/seal.key.other"), secret_bytes(one.key),
	    CACHE_SEAL_LEN, 0600);
	assert_int_equal(cache_seal_keys(&w->cache, &two), 0);
	assert_non_null(two.other);
	cache_seal_release(&two);
	cache_seal_release(&one);
	/* A key that others may read is none. */
	assert_int_equal(chmod(at(w, "state/keys/seal.key.other"), 0640), 0);
	assert_int_equal(cache_seal_keys(&w->cache, &two), AAD_EPERM);
	assert_null(two.key);
	assert_int_equal(unlink(at(w, "state/keys/seal.key.other")), 0);
	spill(at(w, "state/keys/seal.key"), "short", 5, 0600);
	assert_int_equal(cache_seal_keys(&w->cache, &two), AAD_EFORMAT);
}

/* ---- record.pub, tombstones, locks ------------------------------------ */

static void
boundary_record_pub_sizes(void **state)
{
	static const size_t bad[] = { 0, 1, 31, 33, 63, 65, 96 };
	struct world *w = *state;
	struct record_pub pub;
	enum reason why;
	char path[256], buf[96] = { 1 }, *good;
	size_t i, len;

	snprintf(path, sizeof(path), "%s", at(w, "state/keys/record.pub"));
	good = slurp(path, &len);
	assert_int_equal(len, RECORD_PUB_LEN);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		memcpy(buf, good, RECORD_PUB_LEN);
		spill(path, buf, bad[i], 0640);
		assert_int_not_equal(cache_record_pub(&w->cache, &pub, &why),
		    0);
		assert_int_equal(pub.n, 0);
		SAYS(w, "record_key_unreadable");
	}
	/* Either place counts. */
	memset(buf, 0, sizeof(buf));
	memcpy(buf, good, RECORD_PUB_LEN);
	spill(path, buf, 64, 0640);
	SAYS(w, "allowed");
	memset(buf, 0, sizeof(buf));
	memcpy(buf + 32, good, RECORD_PUB_LEN);
	spill(path, buf, 64, 0640);
	SAYS(w, "allowed");
	memset(buf, 0, sizeof(buf));
	spill(path, buf, 64, 0640);
	SAYS(w, "record_signature");
	free(good);
}

/* End alice's record as an eviction does. */
static int
end_it(struct world *w)
{
	struct secret *sec = NULL;
	struct record *rec = NULL;
	struct record_pub pub;
	enum reason why;
	int r;

	if ((r = cache_record_key(&w->cache, &sec)) == 0 &&
	    (r = cache_record_pub(&w->cache, &pub, &why)) == 0 &&
	    (r = cache_record_load(&w->cache, "alice", w->key.hash, w->host,
		 &pub, &rec, &why)) == 0)
		r = cache_record_end(&w->cache, rec, AAD_R_IDENTITY_DENIED,
		    NOW + 5, w->host, sec);
	record_free(rec);
	secret_free(sec);
	return r;
}

static struct record *
load(struct world *w, const char *login, const uint8_t *hash)
{
	struct record *rec;
	struct record_pub pub;
	enum reason why;

	assert_int_equal(cache_record_pub(&w->cache, &pub, &why), 0);
	assert_int_equal(cache_record_load(&w->cache, login, hash, w->host,
			     &pub, &rec, &why),
	    0);
	return rec;
}

/* A tombstone goes after a month; one of a shared key when it is forgotten. */
static void
old_tombstones_are_spent(void **state)
{
	char aged[] = "sign_in_stale", shared[] = "key_shared";
	struct record rec = {
		.state = RECORD_ENDED, .ended_reason = aged, .ended_at = 1000
	};

	(void)state;
	assert_false(record_spent(&rec, 1000));
	assert_false(record_spent(&rec, 1000 + TOMBSTONE_AGE));
	assert_true(record_spent(&rec, 1001 + TOMBSTONE_AGE));
	assert_false(record_spent(&rec, 0));
	rec.ended_reason = shared;
	assert_false(record_spent(&rec, 1001 + TOMBSTONE_AGE));
	rec.ended_reason = aged;
	rec.state = RECORD_ACTIVE;
	assert_false(record_spent(&rec, 1001 + TOMBSTONE_AGE));
}

static void
valid_tombstone(void **state)
{
	struct world *w = *state;
	struct record *rec;
	char hex[NAME_HEX64_LEN + 1], path[256], *file;
	size_t len;

	keep(w, TOKEN);
	assert_int_equal(end_it(w), 0);
	SAYS(w, "identity_denied");
	assert_int_equal(opens(w), AAD_ENOENT);
	rec = load(w, "alice", w->key.hash);
	assert_int_equal(rec->state, RECORD_ENDED);
	assert_int_equal(rec->generation, 2);
	assert_int_equal(rec->written, NOW + 5);
	assert_int_equal(rec->ended_at, NOW + 5);
	assert_string_equal(rec->ended_reason, "identity_denied");
	assert_null(rec->id_token);
	assert_null(rec->blob);
	record_free(rec);
	/* The ID token is gone from the disk too. */
	name_hex64(w->key.hash, hex);
	snprintf(path, sizeof(path), "%s/state/records/alice/%s", w->base, hex);
	file = slurp(path, &len);
	assert_null(strstr(file, w->token));
	free(file);
	/* Ending what has ended is one generation more. */
	assert_int_equal(end_it(w), 0);
	rec = load(w, "alice", w->key.hash);
	assert_int_equal(rec->generation, 3);
	record_free(rec);
}

static void
boundary_tombstone(void **state)
{
	struct world *w = *state;
	struct record *rec = make_record(w, "alice", &w->key), *end;

	rec->generation = INT64_MAX;
	assert_int_equal(record_end(rec, AAD_R_SIGN_IN_STALE, NOW, &end),
	    AAD_EARG);
	assert_null(end);
	rec->generation = INT64_MAX - 1;
	assert_int_equal(record_end(rec, AAD_R_SIGN_IN_STALE, -1, &end),
	    AAD_EARG);
	assert_int_equal(record_end(rec, AAD_R_SIGN_IN_STALE, NOW, &end), 0);
	assert_int_equal(end->generation, INT64_MAX);
	store(w, end);
	record_free(end);
	record_free(rec);
	SAYS(w, "sign_in_stale");
}

/*
 * No record that opens the door without a refresh token to ask about it,
 * whatever happened.  One beside a tombstone is swept.
 */
static void
no_record_outlives_its_token(struct world *w)
{
	struct record *rec = load(w, "alice", w->key.hash);
	int r = opens(w);

	if (rec->state == RECORD_ACTIVE) {
		assert_int_equal(r, 0);
		SAYS(w, "allowed");
	} else {
		assert_true(r == 0 || r == AAD_ENOENT);
		SAYS(w, "identity_denied");
	}
	record_free(rec);
}

static void
work_end(struct world *w)
{
	if (end_it(w) != 0)
		_exit(1);
}

static void
II_L11_refresh_token_goes_with_the_record(void **state)
{
	struct world *w = *state;
	unsigned int k;

	keep(w, TOKEN);
	for (k = 1; child_dies(w, k, work_end); k++)
		no_record_outlives_its_token(w);
	assert_true(k > 10);
	assert_int_equal(opens(w), AAD_ENOENT);
	SAYS(w, "identity_denied");
}

static void
II_O2_ending_a_record_fails(void **state)
{
	struct world *w = *state;

	keep(w, TOKEN);
	every_failure(w, FAULT_SYSCALL, ENOSPC, end_it,
	    no_record_outlives_its_token, 10);
	every_failure(w, FAULT_ALLOC, ENOMEM, end_it,
	    no_record_outlives_its_token, 5);
	SAYS(w, "identity_denied");
}

/* ---- how the last refresh went ------------------------------------------ */

static const struct lastrun some_run = { .at = NOW,
	.result = LASTRUN_OUTAGE,
	.counts = { 50, 1, 2, 3, 4, 5, 6, 7, 8, INT64_MAX } };

static void
valid_lastrun(void **state)
{
	struct world *w = *state;
	struct lastrun run = some_run, got;
	const char *name;
	size_t i;
	int64_t v, sum = 0;

	assert_int_equal(lastrun_load(&w->cache, &got), AAD_ENOENT);
	assert_int_equal(got.result, LASTRUN_FAILED);
	for (run.result = LASTRUN_FAILED; run.result <= LASTRUN_TOO_MANY_GONE;
	     run.result++) {
		assert_int_equal(lastrun_store(&w->cache, &run), 0);
		assert_int_equal(lastrun_load(&w->cache, &got), 0);
		assert_int_equal(got.at, run.at);
		assert_int_equal(got.result, run.result);
		assert_memory_equal(&got.counts, &run.counts,
		    sizeof(run.counts));
	}
	for (i = 0; (name = lastrun_count(&run.counts, i, &v)) != NULL; i++)
		sum += i < 9 ? v : 0;
	assert_int_equal(i, 10);
	assert_int_equal(sum, 86);
	assert_string_equal(lastrun_result_name((enum lastrun_result)99),
	    "failed");
	run.counts.gone = -1;
	run.result = LASTRUN_OK;
	assert_int_equal(lastrun_store(&w->cache, &run), AAD_EARG);
	run.counts.gone = 0;
	run.at = -1;
	assert_int_equal(lastrun_store(&w->cache, &run), AAD_EARG);
	run.at = 0;
	run.result = (enum lastrun_result)4;
	assert_int_equal(lastrun_store(&w->cache, &run), AAD_EARG);
}

static void
junk_lastruns(void **state)
{
	static const char tail[] =
	    "\"checked\":0,\"renewed\":0,\"again\":0,\"gone\":0,\"evicted\":0,"
	    "\"policy\":0,\"unreachable\":0,\"failed\":0,\"ended\":0,";
	static const struct {
		const char *head, *end;
		int want;
	} rows[] = {
		{ "{\"v\":1,\"at\":5,\"result\":\"ok\",", "\"swept\":0}", 0 },
		{ "{\"v\":2,\"at\":5,\"result\":\"ok\",", "\"swept\":0}",
		    AAD_EVERSION },
		{ "{\"v\":1,\"at\":-5,\"result\":\"ok\",", "\"swept\":0}",
		    AAD_EFORMAT },
		{ "{\"v\":1,\"at\":5.5,\"result\":\"ok\",", "\"swept\":0}",
		    AAD_EFORMAT },
		{ "{\"v\":1,\"at\":5,\"result\":\"fine\",", "\"swept\":0}",
		    AAD_EFORMAT },
		{ "{\"v\":1,\"at\":5,\"result\":1,", "\"swept\":0}",
		    AAD_EFORMAT },
		{ "{\"v\":1,\"at\":5,\"result\":\"ok\",", "\"swept\":\"0\"}",
		    AAD_EFORMAT },
		{ "{\"v\":1,\"at\":5,\"result\":\"ok\",", "\"swopt\":0}",
		    AAD_EFORMAT },
		{ "{\"v\":1,\"at\":5,\"result\":\"ok\",",
		    "\"swept\":0,\"more\":0}", AAD_EFORMAT },
		{ "{\"v\":1,\"at\":5,\"result\":\"ok\",",
		    "\"swept\":0,\"swept\":0}", AAD_EFORMAT },
		{ "[", "]", AAD_EFORMAT },
	};
	const struct lastrun_counts none = { 0 };
	struct lastrun run;
	char text[512];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(text, sizeof(text), "%s%s%s", rows[i].head, tail,
		    rows[i].end);
		assert_int_equal(lastrun_parse(text, strlen(text), &run),
		    rows[i].want);
		assert_int_equal(run.at, rows[i].want == 0 ? 5 : 0);
		assert_memory_equal(&run.counts, &none, sizeof(none));
	}
}

/* A damaged file never says outage by a zero, nor anything negative. */
static void
judge_lastrun(const uint8_t *p, size_t len, enum mutation how, size_t byte,
    void *arg)
{
	struct lastrun run;
	int64_t v;
	size_t i;

	(void)how;
	(void)byte;
	(void)arg;
	if (lastrun_parse((const char *)p, len, &run) != 0) {
		assert_int_equal(run.result, LASTRUN_FAILED);
		assert_int_equal(run.at, 0);
		return;
	}
	assert_true(run.at >= 0);
	for (i = 0; lastrun_count(&run.counts, i, &v) != NULL; i++)
		assert_true(v >= 0);
}

static void
every_bit_of_a_lastrun(void **state)
{
	struct world *w = *state;
	size_t len;
	char *text;

	assert_int_equal(lastrun_store(&w->cache, &some_run), 0);
	text = slurp(at(w, "state/refresh.json"), &len);
	mutate_walk(text, len, judge_lastrun, NULL);
	free(text);
}

static int
try_lastrun(struct world *w)
{
	struct lastrun got;
	int r = lastrun_store(&w->cache, &some_run);

	return r == 0 ? lastrun_load(&w->cache, &got) : r;
}

static void
II_O2_storing_a_lastrun_fails(void **state)
{
	struct world *w = *state;

	every_failure(w, FAULT_SYSCALL, ENOSPC, try_lastrun, NULL, 5);
	every_failure(w, FAULT_ALLOC, ENOMEM, try_lastrun, NULL, 5);
}

/* What flock(2) says to somebody else: 0 or EWOULDBLOCK. */
static int
probe(const struct world *w, const char *name, int how)
{
	char path[160];
	int fd, r;

	snprintf(path, sizeof(path), "state/locks/%s", name);
	fd = open(at(w, path), O_RDWR | O_CLOEXEC);
	assert_int_not_equal(fd, -1);
	r = flock(fd, how | LOCK_NB) == 0 ? 0 : errno;
	close(fd);
	return r;
}

static void
II_K10_locks(void **state)
{
	struct world *w = *state;
	int one, two;

	assert_int_equal(cache_try_lock(&w->cache, CACHE_LOCK_REFRESH, &one),
	    0);
	assert_int_equal(cache_try_lock(&w->cache, CACHE_LOCK_REFRESH, &two),
	    AAD_EAGAIN);
	assert_int_equal(two, -1);
	close(one);
	assert_int_equal(cache_try_lock(&w->cache, CACHE_LOCK_REFRESH, &two),
	    0);
	close(two);
	/* Writers share the keys' lock, a rekey does not. */
	assert_int_equal(cache_lock_keys(&w->cache, 0, &one), 0);
	assert_int_equal(cache_lock_keys(&w->cache, 0, &two), 0);
	assert_int_equal(probe(w, "@keys", LOCK_EX), EWOULDBLOCK);
	assert_int_equal(probe(w, "@keys", LOCK_SH), 0);
	close(one);
	close(two);
	assert_int_equal(cache_lock_keys(&w->cache, 1, &one), 0);
	assert_int_equal(probe(w, "@keys", LOCK_SH), EWOULDBLOCK);
	close(one);
	assert_int_equal(probe(w, "@keys", LOCK_EX), 0);
	assert_int_equal(cache_try_lock(&w->cache, "../x", &one), AAD_EARG);
	/* A planted lock locks nothing. */
	assert_int_equal(unlink(at(w, "state/locks/@keys")), 0);
	assert_int_equal(mkfifo(at(w, "state/locks/@keys"), 0600), 0);
	assert_int_equal(cache_lock_keys(&w->cache, 1, &one), AAD_EPERM);
	assert_int_equal(unlink(at(w, "state/locks/@keys")), 0);
	assert_int_equal(symlink("/etc/passwd", at(w, "state/locks/@keys")), 0);
	assert_int_not_equal(cache_lock_keys(&w->cache, 1, &one), 0);
	assert_int_equal(one, -1);
}

/* ---- offers ----------------------------------------------------------- */

#define MONITOR 3572
#define NOW_NS	1000000

static int
offers_open(const struct world *w)
{
	int fd;

	assert_int_equal(offer_dir_open(w->run, &fd), 0);
	return fd;
}

static void
offer_one(int fd, int64_t ns, const char *login, uint8_t seed)
{
	struct key k;
	char *text;

	make_key(seed, &k);
	assert_int_equal(b64_encode(B64_STD, k.blob, k.blob_len, &text), 0);
	assert_int_equal(offer_append(fd, MONITOR, ns, login, "ssh-ed25519",
			     text),
	    0);
	free(text);
	key_release(&k);
}

/* The seeds of alice's offered keys as digits, or the error's name. */
static const char *
offered(int fd, int64_t not_before)
{
	static char out[64];
	struct offers o;
	struct key k;
	size_t i, n = 0;
	uint8_t seed;
	int r = offer_read(fd, MONITOR, not_before, NOW_NS, "alice", &o);

	if (r != 0) {
		assert_null(o.items);
		return err_name(r);
	}
	for (i = 0; i < o.n; i++) {
		out[n] = '?';
		for (seed = 1; seed < 10; seed++) {
			make_key(seed, &k);
			if (memcmp(k.hash, o.items[i].key.hash, 32) == 0)
				out[n] = (char)('0' + seed);
			key_release(&k);
		}
		n++;
	}
	out[n] = '\0';
	offers_release(&o);
	assert_null(o.items);
	return out;
}

#define OFFERED(fd, since, want) assert_string_equal(offered(fd, since), want)

static void
valid_offers_in_order_once(void **state)
{
	struct world *w = *state;
	struct stat sb;
	int fd = offers_open(w);

	OFFERED(fd, 0, "");
	offer_one(fd, 1000, "alice", 3);
	offer_one(fd, 1001, "alice", 1);
	offer_one(fd, 1002, "bob", 4);
	offer_one(fd, 1003, "alice", 3);
	offer_one(fd, 1004, "alice", 2);
	OFFERED(fd, 1000, "312");
	assert_int_equal(stat(at(w, "run/offers/3572"), &sb), 0);
	assert_int_equal(sb.st_mode & 07777, 0640);
	assert_int_equal(offer_remove(fd, MONITOR), 0);
	assert_int_equal(offer_remove(fd, MONITOR), AAD_ENOENT);
	OFFERED(fd, 0, "");
	close(fd);
}

/*
 * A pid comes again: what an earlier connection under this one left, or
 * somebody planted under a pid to come, is older than the monitor.
 */
static void
II_K16_stale_offers_bind_nothing(void **state)
{
	struct world *w = *state;
	int fd = offers_open(w);

	offer_one(fd, 1000, "alice", 1);
	offer_one(fd, 5000, "alice", 2);
	OFFERED(fd, 5000, "2");
	OFFERED(fd, 5001, "");
	OFFERED(fd, 1001, "2");
	/* Where RUN outlived a boot: of a time to come. */
	offer_one(fd, NOW_NS + 1, "alice", 3);
	offer_one(fd, NOW_NS, "alice", 4);
	OFFERED(fd, 5001, "4");
	close(fd);
}

static void
boundary_offers(void **state)
{
	struct world *w = *state;
	char *long_text = malloc(OFFER_LINE_MAX + 1);
	int fd = offers_open(w), i, n;
	struct offers o;
	struct stat sb;

	assert_non_null(long_text);
	memset(long_text, 'A', OFFER_LINE_MAX);
	long_text[OFFER_LINE_MAX] = '\0';
	assert_int_equal(offer_append(fd, MONITOR, 1, "alice", "ssh-rsa",
			     long_text),
	    AAD_ETOOBIG);
	long_text[OFFER_LINE_MAX - (int)strlen("1 alice ssh-rsa \n")] = '\0';
	for (n = 0;
	     offer_append(fd, MONITOR, 1, "alice", "ssh-rsa", long_text) == 0;
	     n++)
		;
	assert_int_equal(n, OFFER_FILE_MAX / OFFER_LINE_MAX);
	assert_int_equal(offer_append(fd, MONITOR, 1, "alice", "ssh-rsa",
			     long_text),
	    AAD_ETOOBIG);
	free(long_text);
	OFFERED(fd, 0, "");
	assert_int_equal(truncate(at(w, "run/offers/3572"), OFFER_FILE_MAX), 0);
	OFFERED(fd, 0, "");
	assert_int_equal(truncate(at(w, "run/offers/3572"), OFFER_FILE_MAX + 1),
	    0);
	OFFERED(fd, 0, "ETOOBIG");
	assert_int_equal(offer_remove(fd, MONITOR), 0);
	/* The first twenty of thirty keys. */
	for (i = 1; i <= 30; i++)
		offer_one(fd, i, "alice", (uint8_t)i);
	assert_int_equal(offer_read(fd, MONITOR, 0, NOW_NS, "alice", &o), 0);
	assert_int_equal(o.n, OFFER_KEYS_MAX);
	offers_release(&o);
	/* What no line feed ends is torn. */
	assert_int_equal(offer_remove(fd, MONITOR), 0);
	offer_one(fd, 1, "alice", 1);
	offer_one(fd, 2, "alice", 2);
	assert_int_equal(stat(at(w, "run/offers/3572"), &sb), 0);
	assert_int_equal(truncate(at(w, "run/offers/3572"), sb.st_size - 1), 0);
	OFFERED(fd, 0, "1");
	close(fd);
}

static void
wrong_offers_are_not_written(void **state)
{
	static const struct {
		int64_t monitor, ns;
		const char *login, *type, *text;
	} rows[] = {
		{ 0, 1, "alice", "ssh-rsa", "AAAA" },
		{ -1, 1, "alice", "ssh-rsa", "AAAA" },
		{ INT64_C(2147483648), 1, "alice", "ssh-rsa", "AAAA" },
		{ MONITOR, -1, "alice", "ssh-rsa", "AAAA" },
		{ MONITOR, 1, "al ice", "ssh-rsa", "AAAA" },
		{ MONITOR, 1, "", "ssh-rsa", "AAAA" },
		{ MONITOR, 1, "../x", "ssh-rsa", "AAAA" },
		{ MONITOR, 1, "alice", "", "AAAA" },
		{ MONITOR, 1, "alice", "ssh rsa", "AAAA" },
		{ MONITOR, 1, "alice", "ssh-rsa", "" },
		{ MONITOR, 1, "alice", "ssh-rsa", "AA\nAA" },
		{ MONITOR, 1, "alice", "ssh-rsa", "AA AA" },
		{ MONITOR, 1, "alice", "ssh-rsa", "AA\x7f" },
		{ MONITOR, 1, "alice", "ssh-rsa", "AA\xc3\xa4" },
	};
	struct world *w = *state;
	int fd = offers_open(w);
	struct offers o;
	struct stat sb;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(offer_append(fd, rows[i].monitor, rows[i].ns,
				     rows[i].login, rows[i].type, rows[i].text),
		    AAD_EARG);
	assert_int_equal(stat(at(w, "run/offers/3572"), &sb), -1);
	assert_int_equal(offer_read(fd, 0, 0, NOW_NS, "alice", &o), AAD_EARG);
	assert_int_equal(offer_read(fd, MONITOR, -1, NOW_NS, "alice", &o),
	    AAD_EARG);
	assert_int_equal(offer_read(fd, MONITOR, 0, NOW_NS, "-x", &o),
	    AAD_EARG);
	assert_int_equal(offer_remove(fd, -5), AAD_EARG);
	close(fd);
}

/* Each malformed line is passed over; the one behind it counts. */
static void
II_K16_junk_offers_bind_nothing(void **state)
{
	struct world *w = *state;
	/* A point of small order: key_decode() does not look that closely. */
	static const char
	    weak[] = "AAAAC3NzaC1lZDI1NTE5AAAAIAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
		     "AAAAAAAAAAAA";
	static const char *const junk[] = { "", " ", "1 alice ssh-ed25519",
		"1 alice ssh-ed25519 ", "1 alice ssh-ed25519 AAAA",
		"1  alice ssh-ed25519 %s", " 1 alice ssh-ed25519 %s",
		"1 alice ssh-ed25519 %s ", "1 alice ssh-ed25519 %s\r",
		"1 alice ssh-ed25519 %s x", "1 alice ssh-rsa %s",
		"1 Alice ssh-ed25519 %s", "1 alic ssh-ed25519 %s",
		"-1 alice ssh-ed25519 %s", "+1 alice ssh-ed25519 %s",
		"x alice ssh-ed25519 %s", "1. alice ssh-ed25519 %s",
		"99999999999999999999 alice ssh-ed25519 %s",
		"1\talice\tssh-ed25519\t%s", "alice ssh-ed25519 %s 1" };
	char line[512], file[2048];
	int fd = offers_open(w);
	size_t i, len;

	offer_one(fd, 1, "alice", 2);
	char *good = slurp(at(w, "run/offers/3572"), &len);
	for (i = 0; i <= sizeof(junk) / sizeof(junk[0]); i++) {
		if (i == sizeof(junk) / sizeof(junk[0]))
			snprintf(line, sizeof(line), "1 alice ssh-ed25519 %s",
			    weak);
		else if (strchr(junk[i], '%') != NULL)
			snprintf(line, sizeof(line), "%.*s%s%s",
			    (int)strcspn(junk[i], "%"), junk[i], w->key_base64,
			    strchr(junk[i], '%') + 2);
		else
			snprintf(line, sizeof(line), "%s", junk[i]);
		snprintf(file, sizeof(file), "%s\n%s", line, good);
		spill(at(w, "run/offers/3572"), file, strlen(file), 0640);
		OFFERED(fd, 0, "2");
	}
	/* A NUL is no end of a line. */
	snprintf(file, sizeof(file), "1 alice ssh-ed25519 %s", w->key_base64);
	i = strlen(file) + 1;
	file[i++] = '\n';
	memcpy(file + i, good, len);
	spill(at(w, "run/offers/3572"), file, i + len, 0640);
	OFFERED(fd, 0, "2");
	free(good);
	close(fd);
}

/* What damage leaves is a key that could enter anywhere, or nothing. */
static void
damaged_offers(const uint8_t *p, size_t len, enum mutation how, size_t where,
    void *arg)
{
	struct walk *walk = arg;
	char *copy = malloc(len + 1);
	struct offers o;
	enum reason why;
	struct key k;
	size_t i;

	(void)where;
	assert_non_null(copy);
	memcpy(copy, p, len + 1);
	assert_int_equal(offers_parse(copy, len, 1000, NOW_NS, "alice", &o), 0);
	assert_true(o.n <= 2);
	if (how == MUTATE_TRUNCATE)
		assert_true(o.n < 2);
	for (i = 0; i < o.n; i++) {
		assert_int_equal(key_from_blob(o.items[i].key.blob,
				     o.items[i].key.blob_len, &k, &why),
		    0);
		assert_memory_equal(k.hash, o.items[i].key.hash, 32);
		key_release(&k);
	}
	offers_release(&o);
	free(copy);
	walk->n++;
}

static void
II_K16_every_bit_of_an_offers_file(void **state)
{
	struct walk walk = { *state, NULL, offers_open(*state), 0 };
	char *good;
	size_t len;

	offer_one(walk.dirfd, 1000, "alice", 1);
	offer_one(walk.dirfd, 1001, "alice", 2);
	good = slurp(at(walk.w, "run/offers/3572"), &len);
	mutate_walk(good, len, damaged_offers, &walk);
	assert_int_equal(walk.n, 9 * len + 3);
	free(good);
	close(walk.dirfd);
}

static int
append_here(int fd, const struct world *w)
{
	return offer_append(fd, MONITOR, 2, "alice", "ssh-ed25519",
	    w->key_base64);
}

static void
II_K3_planted_offers(void **state)
{
	struct world *w = *state;
	int fd = offers_open(w), reader;
	char path[256], aside[256];

	snprintf(path, sizeof(path), "%s", at(w, "run/offers/3572"));
	snprintf(aside, sizeof(aside), "%s", at(w, "run/aside"));
	/* A FIFO hangs neither side, read by somebody or not. */
	assert_int_equal(mkfifo(path, 0640), 0);
	assert_int_equal(append_here(fd, w), AAD_EPERM);
	OFFERED(fd, 0, "EPERM");
	reader = open(path, O_RDONLY | O_NONBLOCK);
	assert_int_not_equal(reader, -1);
	assert_int_equal(append_here(fd, w), AAD_EPERM);
	close(reader);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink(aside, path), 0);
	assert_int_equal(append_here(fd, w), AAD_EPERM);
	OFFERED(fd, 0, "EPERM");
	assert_int_equal(access(aside, F_OK), -1);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0750), 0);
	assert_int_equal(append_here(fd, w), AAD_EPERM);
	OFFERED(fd, 0, "EPERM");
	assert_int_equal(rmdir(path), 0);
	spill(aside, "", 0, 0640);
	assert_int_equal(link(aside, path), 0);
	assert_int_equal(append_here(fd, w), AAD_EPERM);
	OFFERED(fd, 0, "EPERM");
	assert_int_equal(unlink(path), 0);
	offer_one(fd, 1, "alice", 1);
	OFFERED(fd, 0, "1");
	assert_int_equal(chmod(path, 0660), 0);
	assert_int_equal(append_here(fd, w), AAD_EPERM);
	OFFERED(fd, 0, "EPERM");
	assert_int_equal(chmod(path, 0642), 0);
	OFFERED(fd, 0, "EPERM");
	assert_int_equal(chmod(path, 0640), 0);
	OFFERED(fd, 0, "1");
	/* Who may remove files there may make some, but not offers. */
	if (geteuid() == 0) {
		assert_int_equal(chown(path, 12345, 12345), 0);
		OFFERED(fd, 0, "EPERM");
		assert_int_equal(chown(at(w, "run/offers"), 12345, 12345), 0);
		OFFERED(fd, 0, "1");
	}
	close(fd);
}

static void
II_K3_planted_offers_directory(void **state)
{
	struct world *w = *state;
	char dir[256], aside[256], long_path[PATH_MAX + 2];
	int fd;

	snprintf(dir, sizeof(dir), "%s", at(w, "run/offers"));
	snprintf(aside, sizeof(aside), "%s", at(w, "run/aside"));
	assert_int_equal(chmod(dir, 02772), 0);
	assert_int_equal(offer_dir_open(w->run, &fd), AAD_EPERM);
	assert_int_equal(fd, -1);
	assert_int_equal(chmod(dir, 02770), 0);
	assert_int_equal(chmod(w->run, 0775), 0);
	assert_int_equal(offer_dir_open(w->run, &fd), AAD_EPERM);
	assert_int_equal(chmod(w->run, 0755), 0);
	assert_int_equal(rename(dir, aside), 0);
	assert_int_equal(offer_dir_open(w->run, &fd), AAD_ENOENT);
	assert_int_equal(symlink(aside, dir), 0);
	assert_int_equal(offer_dir_open(w->run, &fd), AAD_EPERM);
	assert_int_equal(unlink(dir), 0);
	spill(dir, "", 0, 0640);
	assert_int_equal(offer_dir_open(w->run, &fd), AAD_EPERM);
	assert_int_equal(offer_dir_open("/nonexistent", &fd), AAD_ENOENT);
	memset(long_path, 'x', sizeof(long_path) - 1);
	long_path[sizeof(long_path) - 1] = '\0';
	assert_int_equal(offer_dir_open(long_path, &fd), AAD_ETOOBIG);
}

static int
sum_monitors(void *arg, int64_t monitor)
{
	int64_t *sum = arg;

	*sum += monitor;
	return 0;
}

static int
remove_monitor(void *arg, int64_t monitor)
{
	const int *fd = arg;

	return offer_remove(*fd, monitor);
}

static void
valid_walk_of_offers(void **state)
{
	static const char *const names[] = { "1", "20", "2147483647", "0", "01",
		"-1", "2147483648", "1x", ".1", "99999999999999999999" };
	struct world *w = *state;
	int fd = offers_open(w);
	int64_t sum = 0;
	char name[64];
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(name, sizeof(name), "run/offers/%s", names[i]);
		spill(at(w, name), "", 0, 0640);
	}
	assert_int_equal(offer_each(fd, sum_monitors, &sum), 0);
	assert_int_equal(sum, INT64_C(2147483647) + 21);
	assert_int_equal(offer_each(fd, remove_monitor, &fd), 0);
	sum = 0;
	assert_int_equal(offer_each(fd, sum_monitors, &sum), 0);
	assert_int_equal(sum, 0);
	assert_int_equal(access(at(w, "run/offers/0"), F_OK), 0);
	close(fd);
}

static int
try_append(struct world *w)
{
	int fd, r;

	if ((r = offer_dir_open(w->run, &fd)) != 0)
		return r;
	r = append_here(fd, w);
	close(fd);
	return r;
}

static int
try_offers(struct world *w)
{
	struct offers o;
	int fd, r;

	if ((r = offer_dir_open(w->run, &fd)) != 0)
		return r;
	r = offer_read(fd, MONITOR, 0, NOW_NS, "alice", &o);
	if (r != 0)
		assert_null(o.items);
	offers_release(&o);
	close(fd);
	return r;
}

static void
II_O2_offers_fail(void **state)
{
	struct world *w = *state;

	every_failure(w, FAULT_SYSCALL, ENOSPC, try_append, NULL, 4);
	every_failure(w, FAULT_SYSCALL, EACCES, try_append, NULL, 4);
	every_failure(w, FAULT_SYSCALL, EIO, try_offers, NULL, 4);
	/* The hook has no memory to ask for. */
	every_failure(w, FAULT_ALLOC, ENOMEM, try_append, NULL, 0);
	every_failure(w, FAULT_ALLOC, ENOMEM, try_offers, NULL, 3);
	assert_true(strchr(offered(offers_open(w), 0), '7') != NULL);
}

/* ---- waiting sign-ins ------------------------------------------------- */

static int
wait_from(struct world *w, const char *source, int64_t now, int *fdp)
{
	return waiting_take(&w->cache, 4, 2, "alice", source, 100, now, fdp);
}

static int
list_waiting(void *arg, const struct waiting *one)
{
	char *list = arg;

	sprintf(list + strlen(list), "%" PRId64 " %" PRId64 " %s %s;",
	    one->since - NOW, one->pid, one->login, one->source);
	return 0;
}

static const char *
who_waits(struct world *w)
{
	static char list[1024];

	list[0] = '\0';
	assert_int_equal(waiting_each(&w->cache, list_waiting, list), 0);
	return list;
}

static void
valid_waiting_slot_rests(void **state)
{
	struct world *w = *state;
	struct stat sb;
	int fd, fd2;

	assert_string_equal(who_waits(w), "");
	assert_int_equal(wait_from(w, "192.0.2.7", NOW, &fd), 0);
	assert_string_equal(who_waits(w), "0 100 alice 192.0.2.7;");
	assert_int_equal(stat(at(w, "state/locks/@flow.0"), &sb), 0);
	assert_int_equal(sb.st_mode & 07777, 0600);
	/* A longer text before it leaves nothing of itself. */
	close(fd);
	assert_string_equal(who_waits(w), "");
	assert_int_equal(wait_from(w, NULL, NOW + WAITING_REST, &fd), 0);
	assert_string_equal(who_waits(w), "60 100 alice ;");
	assert_int_equal(access(at(w, "state/locks/@flow.1"), F_OK), 0);
	close(fd);
	/* At rest until its minute is over, by this clock. */
	assert_int_equal(waiting_take(&w->cache, 1, 9, "bob", "a", 1,
			     NOW + 2 * WAITING_REST - 1, &fd),
	    AAD_EAGAIN);
	assert_int_equal(fd, -1);
	assert_int_equal(waiting_take(&w->cache, 1, 9, "bob", "a", 1,
			     NOW + 2 * WAITING_REST, &fd),
	    0);
	/* Held, whatever the time says. */
	assert_int_equal(waiting_take(&w->cache, 1, 9, "bob", "a", 1,
			     NOW + 9999, &fd2),
	    AAD_EAGAIN);
	close(fd);
	/* Taken in this clock's future: it does not rest. */
	assert_int_equal(waiting_take(&w->cache, 1, 9, "bob", "a", 1, NOW, &fd),
	    0);
	close(fd);
}

static void
II_L2_waiting_limits(void **state)
{
	struct world *w = *state;
	int fd[4], no, i;

	assert_int_equal(wait_from(w, "192.0.2.7", NOW, &fd[0]), 0);
	assert_int_equal(wait_from(w, "192.0.2.7", NOW, &fd[1]), 0);
	assert_int_equal(wait_from(w, "192.0.2.7", NOW, &no), AAD_EREFUSED);
	assert_int_equal(wait_from(w, NULL, NOW, &fd[2]), 0);
	/* The refused one holds nothing: one slot is left. */
	assert_int_equal(wait_from(w, "2001:db8::1%eth0", NOW, &fd[3]), 0);
	assert_int_equal(wait_from(w, "198.51.100.1", NOW, &no), AAD_EAGAIN);
	assert_int_equal(wait_from(w, "192.0.2.7", NOW, &no), AAD_EREFUSED);
	/* Who gives up still counts until the minute is over. */
	close(fd[0]);
	assert_int_equal(wait_from(w, "192.0.2.7", NOW + 59, &no),
	    AAD_EREFUSED);
	assert_int_equal(wait_from(w, "192.0.2.7", NOW + 60, &fd[0]), 0);
	/* Who signed in makes room at once. */
	waiting_done(fd[0]);
	assert_int_equal(wait_from(w, "192.0.2.7", NOW + 60, &fd[0]), 0);
	waiting_done(-1);
	for (i = 0; i < 4; i++)
		close(fd[i]);
	/* One machine can have as many addresses as it wants. */
	assert_int_equal(wait_from(w, "2001:db8::1", NOW + 600, &fd[0]), 0);
	assert_int_equal(wait_from(w, "2001:db8::2", NOW + 600, &fd[1]), 0);
	assert_int_equal(wait_from(w, "2001:db8::3", NOW + 600, &no),
	    AAD_EREFUSED);
	assert_int_equal(wait_from(w, "2001:db8:0:1::1", NOW + 600, &fd[2]), 0);
	for (i = 0; i < 3; i++)
		close(fd[i]);
}

static void
wrong_waiting_arguments(void **state)
{
	struct world *w = *state;
	char source[WAITING_SOURCE_MAX + 2];
	int fd;

#define TAKE(host, per, login, from, pid, now)                                 \
	assert_int_equal(waiting_take(&w->cache, host, per, login, from, pid,  \
			     now, &fd),                                        \
	    AAD_EARG)
	TAKE(0, 1, "a", "x", 1, 0);
	TAKE(WAITING_SLOTS_MAX + 1, 1, "a", "x", 1, 0);
	TAKE(1, 0, "a", "x", 1, 0);
	TAKE(1, 1, "", "x", 1, 0);
	TAKE(1, 1, "a", "", 1, 0);
	TAKE(1, 1, "a", "-", 1, 0);
	TAKE(1, 1, "a", "x y", 1, 0);
	TAKE(1, 1, "a", "x\n", 1, 0);
	TAKE(1, 1, "a", "x", 0, 0);
	TAKE(1, 1, "a", "x", 1, -1);
	memset(source, 'x', sizeof(source));
	source[WAITING_SOURCE_MAX + 1] = '\0';
	TAKE(1, 1, "a", source, 1, 0);
#undef TAKE
	source[WAITING_SOURCE_MAX] = '\0';
	assert_int_equal(waiting_take(&w->cache, 1, 1,
			     "abcdefghijklmnopqrstuvwxyzabcdef", source,
			     INT32_MAX, INT64_MAX, &fd),
	    0);
	assert_true(strstr(who_waits(w), source) != NULL);
	close(fd);
}

static void
II_K3_planted_waiting_slots(void **state)
{
	struct world *w = *state;
	int fd;

	/* Nothing planted is a slot: the last of four is the one left. */
	assert_int_equal(mkfifo(at(w, "state/locks/@flow.0"), 0600), 0);
	assert_int_equal(symlink("/tmp", at(w, "state/locks/@flow.1")), 0);
	spill(at(w, "state/locks/@flow.2"), "", 0, 0660);
	assert_int_equal(wait_from(w, "x", NOW, &fd), 0);
	assert_string_equal(who_waits(w), "0 100 alice x;");
	assert_int_equal(access(at(w, "state/locks/@flow.3"), F_OK), 0);
	close(fd);
}

static void
junk_in_a_waiting_slot(void **state)
{
	static const char *const junk[] = { "", "x", "\n", "1 2 alice x",
		"1 2 alice\n", "1 2 alice x\nmore", "1 2 al/ice x\n",
		"-1 2 alice x\n", "1 2 alice  x\n", "1 2 alice \n",
		"99999999999999999999 2 alice x\n" };
	struct world *w = *state;
	size_t i;
	int fd, holder;

	for (i = 0; i < sizeof(junk) / sizeof(junk[0]); i++) {
		spill(at(w, "state/locks/@flow.0"), junk[i], strlen(junk[i]),
		    0600);
		/* Held: nobody's that could be named.  Free: free. */
		holder = open(at(w, "state/locks/@flow.0"), O_RDWR | O_CLOEXEC);
		assert_int_not_equal(holder, -1);
		assert_int_equal(flock(holder, LOCK_EX | LOCK_NB), 0);
		assert_string_equal(who_waits(w), "");
		close(holder);
		assert_int_equal(waiting_take(&w->cache, 1, 1, "alice", "x", 1,
				     NOW, &fd),
		    0);
		close(fd);
	}
}

static void
damaged_slot(const uint8_t *p, size_t len, enum mutation how, size_t where,
    void *arg)
{
	struct walk *walk = arg;
	char list[1024] = "", *again;

	(void)how;
	(void)where;
	assert_int_equal(ftruncate(walk->dirfd, 0), 0);
	assert_int_equal(pwrite(walk->dirfd, p, len, 0), len);
	/* What is reported is clean enough for a terminal. */
	assert_int_equal(waiting_each(&walk->w->cache, list_waiting, list), 0);
	for (again = list; *again != '\0'; again++)
		assert_true(*again >= ' ' && *again <= '~');
	walk->n++;
}

static void
every_bit_of_a_waiting_slot(void **state)
{
	struct walk walk = { *state, NULL, -1, 0 };
	char *good;
	size_t len;

	assert_int_equal(wait_from(walk.w, "192.0.2.7", NOW, &walk.dirfd), 0);
	good = slurp(at(walk.w, "state/locks/@flow.0"), &len);
	mutate_walk(good, len, damaged_slot, &walk);
	assert_int_equal(walk.n, 9 * len + 3);
	free(good);
	close(walk.dirfd);
}

/* Many at once from one address: as many as may, and no more. */
static void
II_L2_waiting_race(void **state)
{
	struct world *w = *state;
	int ready[2], go[2], i, yes = 0, status, fd;
	const int all = 16;
	char c;

	assert_int_equal(pipe(ready), 0);
	assert_int_equal(pipe(go), 0);
	for (i = 0; i < all; i++) {
		pid_t pid = fork();

		assert_int_not_equal(pid, -1);
		if (pid == 0) {
			close(go[1]);
			int r = waiting_take(&w->cache, 64, 5, "alice", "x",
			    getpid(), NOW, &fd);
			if (write(ready[1], "x", 1) != 1 ||
			    read(go[0], &c, 1) != 0)
				_exit(9);
			_exit(r == 0 ? 0 : r == AAD_EREFUSED ? 1 : 2);
		}
	}
	for (i = 0; i < all; i++)
		assert_int_equal(read(ready[0], &c, 1), 1);
	close(go[1]);
	for (i = 0; i < all; i++) {
		assert_int_not_equal(wait(&status), -1);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 2);
		yes += WEXITSTATUS(status) == 0;
	}
	assert_int_equal(yes, 5);
	/* They are gone, and so are their locks; their rest is not. */
	assert_string_equal(who_waits(w), "");
	assert_int_equal(waiting_take(&w->cache, 64, 5, "alice", "x", 1, NOW,
			     &fd),
	    AAD_EREFUSED);
	close(ready[0]);
	close(ready[1]);
	close(go[0]);
}

static int64_t taken_at; /* each try a minute later than the one before */

static int
try_wait(struct world *w)
{
	int fd, r;

	taken_at += WAITING_REST;
	r = wait_from(w, "x", taken_at, &fd);
	if (r == 0)
		close(fd);
	else
		assert_int_equal(fd, -1);
	return r;
}

static int
try_who_waits(struct world *w)
{
	char list[1024] = "";

	return waiting_each(&w->cache, list_waiting, list);
}

static void
nobody_waits(struct world *w)
{
	assert_string_equal(who_waits(w), "");
}

static void
II_O2_waiting_fails(void **state)
{
	struct world *w = *state;
	int fd;

	taken_at = NOW;
	every_failure(w, FAULT_SYSCALL, EIO, try_wait, nobody_waits, 10);
	every_failure(w, FAULT_SYSCALL, ENOSPC, try_wait, nobody_waits, 10);
	assert_int_equal(wait_from(w, "x", NOW * 2, &fd), 0);
	every_failure(w, FAULT_SYSCALL, EIO, try_who_waits, NULL, 8);
	every_failure(w, FAULT_ALLOC, ENOMEM, try_who_waits, NULL, 1);
	close(fd);
}

static void
work_wait(struct world *w)
{
	int fd;

	if (wait_from(w, "x", taken_at, &fd) != 0)
		_exit(1);
}

static void
I_B9_kill_while_a_slot_is_taken(void **state)
{
	struct world *w = *state;
	unsigned int k;

	for (k = 1, taken_at = NOW; child_dies(w, k, work_wait); k++) {
		nobody_waits(w);
		taken_at += WAITING_REST;
	}
	assert_true(k > 10);
	nobody_waits(w);
}

/* ---- session files ---------------------------------------------------- */

static const char full_session[] = "aadssh-session 1\n"
				   "pid 3572\n"
				   "start 166440\n"
				   "exe /usr/sbin/sshd\n"
				   "opened 1800000000\n"
				   "login alice\n"
				   "source 192.0.2.7\n"
				   "tid " FORGE_TENANT "\n"
				   "oid " FORGE_OID "\n"
				   "upn alice@contoso.com\n"
				   "key SHA256:nE7qMhK5h+Eapf7lu1x0JwShgAndO4V/"
				   "qrVlW7F5OJU\n"
				   "serial 18446744073709551615\n"
				   "method publickey\n"
				   "end\n";
static const char least_session[] = "aadssh-session 1\n"
				    "pid 1\n"
				    "start 0\n"
				    "exe /x\n"
				    "opened 0\n"
				    "login a\n"
				    "method other\n"
				    "end\n";

/* The one text of a session; what parses must be it. */
static void
session_text(const struct session *s, char out[static SESSION_MAX + 1])
{
	int n = snprintf(out, SESSION_MAX + 1,
	    "aadssh-session 1\npid %" PRId64 "\nstart %" PRId64
	    "\nexe %s\nopened %" PRId64 "\nlogin %s\n",
	    s->pid, s->start, s->exe, s->opened, s->login);

#define MAY(name)                                                              \
	if (s->name[0] != '\0')                                                \
	n += snprintf(out + n, (size_t)(SESSION_MAX + 1 - n), #name " %s\n",   \
	    s->name)
	MAY(source);
	MAY(tid);
	MAY(oid);
	MAY(upn);
	MAY(key);
#undef MAY
	if (s->has_serial)
		n += snprintf(out + n, (size_t)(SESSION_MAX + 1 - n),
		    "serial %" PRIu64 "\n", s->serial);
	snprintf(out + n, (size_t)(SESSION_MAX + 1 - n), "method %s\nend\n",
	    s->method);
}

static void
valid_sessions(void **state)
{
	struct session s;
	char text[SESSION_MAX + 1];

	(void)state;
	assert_int_equal(session_parse(full_session, strlen(full_session), &s),
	    0);
	assert_int_equal(s.pid, 3572);
	assert_int_equal(s.start, 166440);
	assert_int_equal(s.opened, NOW);
	assert_string_equal(s.exe, "/usr/sbin/sshd");
	assert_string_equal(s.login, "alice");
	assert_string_equal(s.oid, FORGE_OID);
	assert_true(s.has_serial);
	assert_true(s.serial == UINT64_MAX);
	session_text(&s, text);
	assert_string_equal(text, full_session);
	assert_int_equal(session_parse(least_session, strlen(least_session),
			     &s),
	    0);
	assert_string_equal(s.source, "");
	assert_false(s.has_serial);
	session_text(&s, text);
	assert_string_equal(text, least_session);
}

static int
parse_error(const char *text)
{
	struct session s, zero;
	int r = session_parse(text, strlen(text), &s);

	memset(&zero, 0, sizeof(zero));
	if (r != 0)
		assert_memory_equal(&s, &zero, sizeof(s));
	return r;
}

#define LINES 14

/* The lines of the full text in this order; LINES leaves one out. */
static void
session_of(const size_t *order, size_t n, char out[static SESSION_MAX + 1])
{
	const char *lines[LINES + 1], *p = full_session;
	size_t i, len = 0;

	for (i = 0; i < LINES; i++) {
		lines[i] = p;
		assert_non_null(p = strchr(p, '\n'));
		p++;
	}
	assert_string_equal(p, "");
	lines[LINES] = p;
	for (i = 0; i < n; i++) {
		if (order[i] == LINES)
			continue;
		p = lines[order[i]];
		memcpy(out + len, p, (size_t)(lines[order[i] + 1] - p));
		len += (size_t)(lines[order[i] + 1] - p);
	}
	out[len] = '\0';
}

/* Each line left out, twice, and before the one before it. */
static void
junk_session_order(void **state)
{
	/* source tid oid upn key, serial: lines 6 to 11 */
	size_t order[LINES + 1], i, k;
	char text[SESSION_MAX + 1];

	(void)state;
	for (i = 0; i < LINES; i++) {
		for (k = 0; k < LINES; k++)
			order[k] = k == i ? LINES : k;
		session_of(order, LINES, text);
		assert_int_equal(parse_error(text),
		    i >= 6 && i <= 11 ? 0 : AAD_EFORMAT);
		for (k = 0; k <= LINES; k++)
			order[k] = k <= i ? k : k - 1;
		session_of(order, LINES + 1, text);
		assert_int_equal(parse_error(text), AAD_EFORMAT);
		if (i == 0)
			continue;
		for (k = 0; k < LINES; k++)
			order[k] = k == i ? i - 1 : k == i - 1 ? i : k;
		session_of(order, LINES, text);
		assert_int_equal(parse_error(text), AAD_EFORMAT);
	}
}

static void
junk_sessions(void **state)
{
	static const struct {
		const char *line, *instead;
		int error;
	} rows[] = {
		{ "aadssh-session 1", "aadssh-session 2", AAD_EVERSION },
		{ "aadssh-session 1", "aadssh-session 11", AAD_EVERSION },
		{ "aadssh-session 1", "aadssh-session 01", AAD_EFORMAT },
		{ "aadssh-session 1", "aadssh-session 0", AAD_EFORMAT },
		{ "aadssh-session 1", "aadssh-session ", AAD_EFORMAT },
		{ "aadssh-session 1", "aadssh-session 1 ", AAD_EFORMAT },
		{ "aadssh-session 1", "aadssh-record 1", AAD_EFORMAT },
		{ "pid 3572", "pid 0", AAD_EFORMAT },
		{ "pid 3572", "pid -1", AAD_EFORMAT },
		{ "pid 3572", "pid 03572", AAD_EFORMAT },
		{ "pid 3572", "pid 3572 ", AAD_EFORMAT },
		{ "pid 3572", "pid  3572", AAD_EFORMAT },
		{ "pid 3572", "pid", AAD_EFORMAT },
		{ "pid 3572", "pid ", AAD_EFORMAT },
		{ "pid 3572", "pid 2147483647", 0 },
		{ "pid 3572", "pid 2147483648", AAD_EFORMAT },
		{ "start 166440", "start 9223372036854775807", 0 },
		{ "start 166440", "start 9223372036854775808", AAD_EFORMAT },
		{ "exe /usr/sbin/sshd", "exe usr/sbin/sshd", AAD_EFORMAT },
		{ "exe /usr/sbin/sshd", "exe /usr/s bin/sshd", 0 },
		{ "login alice", "login ../x", AAD_EFORMAT },
		{ "login alice", "login abcdefghijklmnopqrstuvwxyzabcdefg",
		    AAD_EFORMAT },
		{ "source 192.0.2.7", "source 192.0.2.7 x", AAD_EFORMAT },
		{ "source 192.0.2.7", "source ", AAD_EFORMAT },
		{ "tid " FORGE_TENANT, "tid x", AAD_EFORMAT },
		{ "oid " FORGE_OID, "oid C2F8A1D6-49B3-4E70-B1F2-83D75C60E9AA",
		    AAD_EFORMAT },
		{ "upn alice@contoso.com", "upn \xc3\xa4", AAD_EFORMAT },
		{ "upn alice@contoso.com", "upn a\tb", AAD_EFORMAT },
		{ "upn alice@contoso.com", "upn \x1b[2J", AAD_EFORMAT },
		{ "upn alice@contoso.com", "upn a\rb", AAD_EFORMAT },
		{ "key SHA256", "key SHA255", AAD_EFORMAT },
		{ "serial 18446744073709551615", "serial 0", 0 },
		{ "serial 18446744073709551615", "serial 18446744073709551616",
		    AAD_EFORMAT },
		{ "serial 18446744073709551615", "serial 00", AAD_EFORMAT },
		{ "method publickey", "method password", AAD_EFORMAT },
		{ "method publickey", "method keyboard-interactive", 0 },
		{ "method publickey", "more x\nmethod publickey", AAD_EFORMAT },
		{ "end\n", "end", AAD_EFORMAT },
		{ "end\n", "end \n", AAD_EFORMAT },
		{ "end\n", "end\n\n", AAD_EFORMAT },
		{ "end\n", "end\nx", AAD_EFORMAT },
	};
	char text[1024], long_text[SESSION_MAX + 2];
	const char *where;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_non_null(where = strstr(full_session, rows[i].line));
		snprintf(text, sizeof(text), "%.*s%s%s",
		    (int)(where - full_session), full_session, rows[i].instead,
		    where + strlen(rows[i].line));
		assert_int_equal(parse_error(text), rows[i].error);
	}
	assert_int_equal(parse_error(""), AAD_EFORMAT);
	memset(long_text, 'x', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	assert_int_equal(parse_error(long_text), AAD_EFORMAT);
}

/* The bounds of each text, to the byte. */
static void
boundary_session_texts(void **state)
{
	static const struct {
		const char *line;
		size_t max;
	} rows[] = { { "exe /usr/sbin/sshd", SESSION_EXE_MAX },
		{ "source 192.0.2.7", SESSION_SOURCE_MAX },
		{ "upn alice@contoso.com", SESSION_UPN_MAX } };
	char text[2048], value[512];
	const char *where;
	size_t i, over;

	(void)state;
	memset(value, '/', sizeof(value));
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (over = 0; over < 2; over++) {
			where = strstr(full_session, rows[i].line);
			snprintf(text, sizeof(text), "%.*s%.*s %.*s%s",
			    (int)(where - full_session), full_session,
			    (int)strcspn(rows[i].line, " "), rows[i].line,
			    (int)(rows[i].max + over), value,
			    where + strlen(rows[i].line));
			assert_int_equal(parse_error(text),
			    over ? AAD_EFORMAT : 0);
		}
	}
}

/* What parses, damaged or not, is the one text of what it says. */
static void
damaged_session(const uint8_t *p, size_t len, enum mutation how, size_t where,
    void *arg)
{
	struct walk *walk = arg;
	char text[SESSION_MAX + 1];
	struct session s;

	(void)where;
	if (session_parse((const char *)p, len, &s) == 0) {
		assert_int_equal(how, MUTATE_BIT_FLIP);
		session_text(&s, text);
		assert_int_equal(strlen(text), len);
		assert_memory_equal(text, p, len);
	}
	walk->n++;
}

static void
every_bit_of_a_session(void **state)
{
	struct walk walk = { *state, NULL, -1, 0 };

	mutate_walk(full_session, strlen(full_session), damaged_session, &walk);
	mutate_walk(least_session, strlen(least_session), damaged_session,
	    &walk);
	assert_int_equal(walk.n,
	    9 * (strlen(full_session) + strlen(least_session)) + 6);
}

static int
session_error(struct world *w, const char *name)
{
	struct session s;
	int fd, r;

	assert_int_equal(session_dir_open(w->run, geteuid(), &fd), 0);
	r = session_load(fd, name, geteuid(), &s);
	close(fd);
	if (r != 0)
		assert_int_equal(s.pid, 0);
	return r;
}

static void
valid_session_files(void **state)
{
	struct world *w = *state;

	assert_int_equal(session_error(w, "3572"), AAD_ENOENT);
	spill(at(w, "run/sessions/3572"), full_session, strlen(full_session),
	    0600);
	spill(at(w, "run/sessions/3572.auth"), full_session,
	    strlen(full_session), 0600);
	assert_int_equal(session_error(w, "3572"), 0);
	assert_int_equal(session_error(w, "3572.auth"), 0);
	/* A file under another's pid is nobody's. */
	spill(at(w, "run/sessions/3573"), full_session, strlen(full_session),
	    0600);
	assert_int_equal(session_error(w, "3573"), AAD_EFORMAT);
	assert_int_equal(session_error(w, "03572"), AAD_EARG);
	assert_int_equal(session_error(w, "../sessions/3572"), AAD_EARG);
	assert_int_equal(session_error(w, ".3572.tmp"), AAD_EARG);
	assert_int_equal(session_error(w, "3572.auth.auth"), AAD_EARG);
	assert_int_equal(session_error(w, "3572.x"), AAD_EARG);
	assert_int_equal(session_error(w, ""), AAD_EARG);
}

static int
list_name(void *arg, const char *name)
{
	char *list = arg;

	strcat(list, name);
	strcat(list, " ");
	return 0;
}

static void
valid_walk_of_sessions(void **state)
{
	static const char *const names[] = { ".7.tmp", ".7.auth.tmp", "0", "x",
		"7x", "7.auth", "2147483648", "12", "7.authx" };
	struct world *w = *state;
	char list[64] = "", name[64];
	size_t i;
	int fd;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(name, sizeof(name), "run/sessions/%s", names[i]);
		spill(at(w, name), "", 0, 0600);
	}
	assert_int_equal(session_dir_open(w->run, geteuid(), &fd), 0);
	assert_int_equal(session_each(fd, list_name, list), 0);
	assert_string_equal(list, "12 ");
	list[0] = '\0';
	assert_int_equal(session_auth_each(fd, list_name, list), 0);
	assert_string_equal(list, "7.auth ");
	close(fd);
}

/* What root would signal for must be root's, file and directory. */
static void
II_K3_planted_sessions(void **state)
{
	struct world *w = *state;
	char path[256], aside[256], dir[256];
	int fd;

	snprintf(path, sizeof(path), "%s", at(w, "run/sessions/3572"));
	snprintf(aside, sizeof(aside), "%s", at(w, "run/aside"));
	snprintf(dir, sizeof(dir), "%s", at(w, "run/sessions"));
	spill(path, full_session, strlen(full_session), 0620);
	assert_int_equal(session_error(w, "3572"), AAD_EPERM);
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(link(path, aside), 0);
	assert_int_equal(session_error(w, "3572"), AAD_EPERM);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink(aside, path), 0);
	assert_int_equal(session_error(w, "3572"), AAD_EPERM);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(session_error(w, "3572"), AAD_EPERM);
	assert_int_equal(unlink(path), 0);
	spill(path, least_session, strlen(least_session), 0600);
	assert_int_equal(session_error(w, "3572"), AAD_EFORMAT);
	assert_int_equal(truncate(path, SESSION_MAX + 1), 0);
	assert_int_equal(session_error(w, "3572"), AAD_EFORMAT);
	if (geteuid() == 0) {
		spill(path, full_session, strlen(full_session), 0600);
		assert_int_equal(chown(path, 12345, 12345), 0);
		assert_int_equal(session_error(w, "3572"), AAD_EPERM);
	}
	assert_int_equal(session_dir_open(w->run, geteuid() + 1, &fd),
	    AAD_EPERM);
	assert_int_equal(fd, -1);
	assert_int_equal(chmod(dir, 0770), 0);
	assert_int_equal(session_dir_open(w->run, geteuid(), &fd), AAD_EPERM);
	assert_int_equal(chmod(dir, 0700), 0);
	assert_int_equal(chmod(w->run, 0777), 0);
	assert_int_equal(session_dir_open(w->run, geteuid(), &fd), AAD_EPERM);
	assert_int_equal(chmod(w->run, 0755), 0);
	assert_int_equal(unlink(aside), 0);
	assert_int_equal(rename(dir, aside), 0);
	assert_int_equal(session_dir_open(w->run, geteuid(), &fd), AAD_ENOENT);
	assert_int_equal(symlink(aside, dir), 0);
	assert_int_equal(session_dir_open(w->run, geteuid(), &fd), AAD_EPERM);
}

static int
try_session(struct world *w)
{
	struct session s;
	int fd, r;

	if ((r = session_dir_open(w->run, geteuid(), &fd)) != 0)
		return r;
	r = session_load(fd, "3572", geteuid(), &s);
	close(fd);
	return r;
}

static void
II_O2_loading_a_session_fails(void **state)
{
	struct world *w = *state;

	spill(at(w, "run/sessions/3572"), full_session, strlen(full_session),
	    0600);
	every_failure(w, FAULT_SYSCALL, EIO, try_session, NULL, 4);
	every_failure(w, FAULT_ALLOC, ENOMEM, try_session, NULL, 1);
}

/* ---- rekey ------------------------------------------------------------ */

/*
 * What a host has beside alice's record: a second key of hers, a tombstone
 * of bob's, refresh tokens of both her keys, and one without a record.
 */
static void
crowd(struct world *w)
{
	struct record *rec, *end;
	struct key other;

	make_key(9, &other);
	rec = make_record(w, "alice", &other);
	store(w, rec);
	record_free(rec);
	rec = make_record(w, "bob", &w->key);
	assert_int_equal(record_end(rec, AAD_R_SIGN_IN_STALE, NOW, &end), 0);
	store(w, end);
	record_free(end);
	record_free(rec);
	keep(w, TOKEN);
	assert_int_equal(seal_with(w, "alice", other.hash, "second", 6), 0);
	assert_int_equal(seal_with(w, "carol", w->key.hash, "orphan", 6), 0);
	key_release(&other);
}

/* Everything of the crowd counts, now, for hook and refresh. */
static void
all_count(struct world *w)
{
	struct record *rec;
	struct key other;

	SAYS(w, "allowed");
	make_key(9, &other);
	rec = load(w, "alice", other.hash);
	assert_int_equal(rec->state, RECORD_ACTIVE);
	assert_int_equal(rec->generation, 1);
	assert_string_equal(rec->id_token, w->token);
	record_free(rec);
	rec = load(w, "bob", w->key.hash);
	assert_int_equal(rec->state, RECORD_ENDED);
	record_free(rec);
	assert_int_equal(opens(w), 0);
	assert_int_equal(opens_as(w, "alice", other.hash, "second"), 0);
	assert_int_equal(opens_as(w, "carol", w->key.hash, "orphan"), 0);
	key_release(&other);
}

/* The keys' bytes, to be compared: record.key, seal.key. */
static void
keys_now(struct world *w, uint8_t out[static 96])
{
	struct cache_seal seal;
	struct secret *sec;

	assert_int_equal(cache_record_key(&w->cache, &sec), 0);
	assert_int_equal(cache_seal_keys(&w->cache, &seal), 0);
	memcpy(out, secret_bytes(sec), 64);
	memcpy(out + 64, secret_bytes(seal.key), 32);
	secret_free(sec);
	cache_seal_release(&seal);
}

/* One key of each kind is left, and neither is one of before. */
static void
keys_are_new(struct world *w, const uint8_t before[static 96])
{
	struct cache_seal seal;
	struct record_pub pub;
	enum reason why;
	uint8_t now[96];

	keys_now(w, now);
	assert_memory_not_equal(now, before, 64);
	assert_memory_not_equal(now + 64, before + 64, 32);
	assert_int_equal(cache_record_pub(&w->cache, &pub, &why), 0);
	assert_int_equal(pub.n, 1);
	assert_memory_equal(pub.keys[0], now + 32, 32);
	assert_int_equal(cache_seal_keys(&w->cache, &seal), 0);
	assert_null(seal.other);
	cache_seal_release(&seal);
}

static void
record_file(const struct world *w, char out[static 256])
{
	char hex[NAME_HEX64_LEN + 1];

	name_hex64(w->key.hash, hex);
	snprintf(out, 256, "%s/state/records/alice/%s", w->base, hex);
}

/* A file as it was before, its signature's line apart. */
static void
only_the_signature_differs(const char *old, const char *new)
{
	size_t head = strcspn(old, "\n") + 1;

	assert_memory_equal(old, new, head);
	assert_memory_not_equal(old + head, new + head, 88);
	assert_string_equal(old + head + 88, new + head + 88);
}

static void
valid_rekey(void **state)
{
	struct world *w = *state;
	struct rekey_count n;
	uint8_t before[96];
	char path[256], *old, *new, token[256], *sealed;
	size_t len, sealed_len;

	crowd(w);
	keys_now(w, before);
	record_file(w, path);
	old = slurp(path, &len);
	token_path(w, token);
	sealed = slurp(token, &sealed_len);
	assert_int_equal(rekey(&w->cache, w->host, &n), 0);
	assert_int_equal(n.records, 3);
	assert_int_equal(n.tokens, 3);
	assert_int_equal(n.skipped, 0);
	all_count(w);
	keys_are_new(w, before);
	new = slurp(path, &len);
	only_the_signature_differs(old, new);
	/* What the old keys made opens nothing any more. */
	spill(path, old, strlen(old), 0640);
	SAYS(w, "record_signature");
	spill(token, sealed, sealed_len, 0600);
	assert_int_equal(opens(w), AAD_ESIG);
	free(old);
	free(new);
	free(sealed);
}

static void
rekey_of_an_empty_host(void **state)
{
	struct world *w = *state;
	struct rekey_count n;
	uint8_t before[96];

	assert_int_equal(cache_record_remove(&w->cache, "alice", w->key.hash),
	    0);
	assert_int_equal(unlink(at(w, "state/keys/record.key")), 0);
	assert_int_equal(unlink(at(w, "state/keys/record.pub")), 0);
	assert_int_equal(rekey(&w->cache, w->host, &n), 0);
	assert_int_equal(n.records + n.tokens + n.skipped, 0);
	keys_now(w, before);
	assert_int_equal(rekey(&w->cache, w->host, &n), 0);
	keys_are_new(w, before);
}

static void
rekey_leaves_alone_what_does_not_verify(void **state)
{
	struct world *w = *state;
	struct rekey_count n;
	char path[256], *file, token[256];
	size_t len, i;

	crowd(w);
	record_file(w, path);
	file = slurp(path, &len);
	file[len - 5] ^= 1;
	spill(path, file, len, 0640);
	token_path(w, token);
	spill(token, "junk", 4, 0600);
	spill(at(w, "state/refresh/dave.0000000000000000000000000000000000000"
		    "000000000000000000000000000"),
	    "aadssh-refresh 2\n", 17, 0600);
	assert_int_equal(rekey(&w->cache, w->host, &n), 0);
	assert_int_equal(n.records, 2);
	assert_int_equal(n.tokens, 2);
	assert_int_equal(n.skipped, 3);
	char *after = slurp(path, &i);
	assert_int_equal(i, len);
	assert_memory_equal(after, file, len);
	free(after);
	free(file);
	SAYS(w, "record_signature");
}

/* Keys that do not belong together stop it before anything is changed. */
static void
rekey_refuses_keys_of_two_hosts(void **state)
{
	struct world *w = *state;
	struct rekey_count n;
	char path[256], *pub;
	size_t len;

	snprintf(path, sizeof(path), "%s", at(w, "state/keys/record.pub"));
	pub = slurp(path, &len);
	pub[0] ^= 1;
	spill(path, pub, len, 0640);
	assert_int_equal(rekey(&w->cache, w->host, &n), AAD_EFORMAT);
	assert_int_equal(n.records, 0);
	pub[0] ^= 1;
	spill(path, pub, len, 0640);
	free(pub);
	SAYS(w, "allowed");
	assert_int_equal(chmod(at(w, "state/keys/record.key"), 0640), 0);
	assert_int_equal(rekey(&w->cache, w->host, &n), AAD_EPERM);
	SAYS(w, "allowed");
}

static void
work_rekey(struct world *w)
{
	struct rekey_count n;

	if (rekey(&w->cache, w->host, &n) != 0)
		_exit(1);
}

static void
snapshot(struct world *w, const char *from, const char *to)
{
	char cmd[256];

	snprintf(cmd, sizeof(cmd), "rm -rf %s/%s && cp -a %s/%s %s/%s", w->base,
	    to, w->base, from, w->base, to);
	shell(cmd);
	if (strcmp(to, "state") == 0) {
		enum reason why;

		cache_close(&w->cache);
		assert_int_equal(cache_open_write(at(w, "state"), geteuid(),
				     &w->cache, &why),
		    0);
	}
}

/* Ended at any instant: all counts, and the next one ends what it began. */
static void
II_K5_kill_9_at_every_step_of_a_rekey(void **state)
{
	struct world *w = *state;
	struct rekey_count n;
	uint8_t before[96];
	unsigned int k;

	crowd(w);
	keys_now(w, before);
	snapshot(w, "state", "saved");
	for (k = 1; child_dies(w, k, work_rekey); k++) {
		all_count(w);
		assert_int_equal(rekey(&w->cache, w->host, &n), 0);
		assert_int_equal(n.records, 3);
		assert_int_equal(n.tokens, 3);
		assert_int_equal(n.skipped, 0);
		all_count(w);
		keys_are_new(w, before);
		snapshot(w, "saved", "state");
	}
	assert_true(k > 200);
	all_count(w);
	keys_are_new(w, before);
}

/* Crash upon crash, each one a call later, nothing repaired in between. */
static void
II_K5_kill_9_again_and_again(void **state)
{
	struct world *w = *state;
	uint8_t before[96];
	unsigned int k;

	crowd(w);
	keys_now(w, before);
	for (k = 1; child_dies(w, k, work_rekey); k++)
		all_count(w);
	assert_true(k > 200);
	all_count(w);
	keys_are_new(w, before);
}

/* A writer at work on what a crashed rekey left: also what it writes counts. */
static void
II_K5_writers_behind_a_crashed_rekey(void **state)
{
	struct world *w = *state;
	struct rekey_count n;
	struct record *rec;
	struct key third;
	unsigned int k;

	crowd(w);
	make_key(3, &third);
	rec = make_record(w, "alice", &third);
	for (k = 1; child_dies(w, k, work_rekey); k += 3) {
		rec->generation++;
		store(w, rec);
		keep(w, TOKEN);
		assert_int_equal(seal_with(w, "alice", third.hash, "third", 5),
		    0);
		record_free(load(w, "alice", third.hash));
		all_count(w);
	}
	assert_int_equal(rekey(&w->cache, w->host, &n), 0);
	assert_int_equal(n.records, 4);
	assert_int_equal(n.tokens, 4);
	record_free(load(w, "alice", third.hash));
	assert_int_equal(opens_as(w, "alice", third.hash, "third"), 0);
	all_count(w);
	record_free(rec);
	key_release(&third);
}

static int
try_rekey(struct world *w)
{
	struct rekey_count n;
	int r = rekey(&w->cache, w->host, &n);

	if (r != 0)
		assert_int_equal(n.records + n.tokens + n.skipped, 0);
	return r;
}

static void
II_K13_rekey_on_a_full_disk(void **state)
{
	struct world *w = *state;

	crowd(w);
	every_failure(w, FAULT_SYSCALL, ENOSPC, try_rekey, all_count, 200);
}

static void
II_O2_rekey_fails(void **state)
{
	struct world *w = *state;

	crowd(w);
	every_failure(w, FAULT_SYSCALL, EINTR, try_rekey, all_count, 200);
	every_failure(w, FAULT_ALLOC, ENOMEM, try_rekey, all_count, 100);
}

static struct world *rekeyed; /* for what has no argument */
static unsigned int rekey_in; /* openat(2) calls from now */

static void
rekey_behind(void)
{
	struct rekey_count n;

	if (rekey_in > 0 && --rekey_in == 0)
		assert_int_equal(rekey(&rekeyed->cache, rekeyed->host, &n), 0);
}

/* A whole rekey between any two of the hook's reads: it still is a yes. */
static void
II_K10_rekey_while_the_hook_reads(void **state)
{
	struct world *w = *state;
	unsigned int k;

	rekeyed = w;
	for (k = 1;; k++) {
		rekey_in = k;
		fault_behind_openat(rekey_behind);
		SAYS(w, "allowed");
		fault_behind_openat(NULL);
		if (rekey_in > 0)
			break;
	}
	assert_true(k > 5);
}

/* No writer begins while a rekey is under way, and the other way round. */
static void
II_K10_rekey_waits_for_writers(void **state)
{
	struct world *w = *state;
	int keys, status;
	pid_t pid;

	assert_int_equal(cache_lock_keys(&w->cache, 0, &keys), 0);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		close(keys);
		work_rekey(w);
		_exit(0);
	}
	usleep(100000);
	assert_int_equal(waitpid(pid, &status, WNOHANG), 0);
	close(keys);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	SAYS(w, "allowed");
}

/* ---- the tenant keys of an authority ----------------------------------- */

static void
tenant_is(const struct world *w, int r, const char *code)
{
	enum reason why = AAD_R_UNSET;
	struct cache c;

	assert_int_equal(cache_open_tenant(at(w, "ca"), geteuid(), &c, &why),
	    r);
	assert_string_equal(reason_name(why), code);
	assert_int_equal(c.dir, -1);
}

static void
valid_tenant_directory(void **state)
{
	struct world *w = *state;
	struct jwks *keys, *back;
	enum reason why;
	struct cache c;
	struct stat sb;
	int lock, again;
	uid_t uid;
	gid_t gid;

	assert_int_equal(mkdir(at(w, "ca"), 0755), 0);
	assert_int_equal(mkdir(at(w, "ca/tenant"), 0755), 0);
	assert_int_equal(cache_tenant_owner(at(w, "ca"), &uid, &gid), 0);
	assert_int_equal(uid, geteuid());
	assert_int_equal(cache_open_tenant(at(w, "ca"), uid, &c, &why), 0);
	assert_int_equal(cache_tenant_keys_load(&c, NULL, &back, &why),
	    AAD_ENOENT);
	assert_int_equal(cache_lock(&c, CACHE_LOCK_TENANT_KEYS, &lock), 0);
	assert_int_equal(cache_try_lock(&c, CACHE_LOCK_TENANT_KEYS, &again),
	    AAD_EAGAIN);
	close(lock);
	assert_int_equal(cache_try_lock(&c, CACHE_LOCK_TENANT_KEYS, &again), 0);
	close(again);
	keys = forge_jwks(&shared_forge, NOW, 1);
	assert_int_equal(cache_tenant_keys_store(&c, keys), 0);
	assert_int_equal(stat(at(w, "ca/tenant/keys.json"), &sb), 0);
	assert_int_equal(sb.st_mode & 07777, 0644);
	assert_int_equal(cache_tenant_keys_load(&c, NULL, &back, &why), 0);
	assert_int_equal(back->n, keys->n);
	cache_sweep(&c, NOW);
	assert_int_equal(stat(at(w, "ca/tenant/keys.json"), &sb), 0);
	jwks_free(keys);
	jwks_free(back);
	cache_close(&c);
}

static void
II_K3_planted_tenant_directory(void **state)
{
	struct world *w = *state;
	enum reason why;
	struct cache c;
	uid_t uid;
	gid_t gid;

	tenant_is(w, AAD_ENOENT, "state_unreadable");
	assert_int_equal(cache_tenant_owner(at(w, "ca"), &uid, &gid),
	    AAD_ENOENT);
	assert_int_equal(mkdir(at(w, "ca"), 0755), 0);
	tenant_is(w, AAD_ENOENT, "state_unreadable");
	assert_int_equal(mkdir(at(w, "other"), 0755), 0);
	assert_int_equal(symlink("../other", at(w, "ca/tenant")), 0);
	tenant_is(w, AAD_EPERM, "state_unreadable");
	assert_int_equal(cache_tenant_owner(at(w, "ca"), &uid, &gid),
	    AAD_EPERM);
	assert_int_equal(unlink(at(w, "ca/tenant")), 0);
	assert_int_equal(mkdir(at(w, "ca/tenant"), 0755), 0);
	assert_int_equal(chmod(at(w, "ca/tenant"), 0775), 0);
	tenant_is(w, AAD_EPERM, "state_unreadable");
	assert_int_equal(chmod(at(w, "ca/tenant"), 0755), 0);
	assert_int_equal(chmod(at(w, "ca"), 0777), 0);
	tenant_is(w, AAD_EPERM, "state_unreadable");
	assert_int_equal(chmod(at(w, "ca"), 0755), 0);
	assert_int_equal(cache_open_tenant(at(w, "ca"), geteuid() + 1, &c,
			     &why),
	    AAD_EREFUSED);
	assert_int_equal(why, AAD_R_STATE_OWNER);
	assert_int_equal(c.dir, -1);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(II_L11_refresh_token_on_disk),
		T(II_L11_nonce_is_new),
		T(boundary_refresh_token_sizes),
		T(II_L11_refresh_token_of_another),
		T(II_L11_every_bit_of_a_refresh_token),
		T(junk_refresh_tokens),
		T(II_K3_planted_refresh_tokens),
		T(valid_walk_of_refresh_tokens),
		T(II_O2_storing_a_refresh_token_fails),
		T(II_O2_loading_a_refresh_token_fails),
		T(I_B9_kill_while_a_refresh_token_is_stored),
		T(seal_key_is_made_once),
		T(boundary_record_pub_sizes),
		T(old_tombstones_are_spent),
		T(valid_tombstone),
		T(boundary_tombstone),
		T(II_L11_refresh_token_goes_with_the_record),
		T(II_O2_ending_a_record_fails),
		T(valid_tenant_directory),
		T(II_K3_planted_tenant_directory),
		T(valid_lastrun),
		T(junk_lastruns),
		T(every_bit_of_a_lastrun),
		T(II_O2_storing_a_lastrun_fails),
		T(II_K10_locks),
		T(valid_offers_in_order_once),
		T(II_K16_stale_offers_bind_nothing),
		T(boundary_offers),
		T(wrong_offers_are_not_written),
		T(II_K16_junk_offers_bind_nothing),
		T(II_K16_every_bit_of_an_offers_file),
		T(II_K3_planted_offers),
		T(II_K3_planted_offers_directory),
		T(valid_walk_of_offers),
		T(II_O2_offers_fail),
		T(valid_waiting_slot_rests),
		T(II_L2_waiting_limits),
		T(wrong_waiting_arguments),
		T(II_K3_planted_waiting_slots),
		T(junk_in_a_waiting_slot),
		T(every_bit_of_a_waiting_slot),
		T(II_L2_waiting_race),
		T(II_O2_waiting_fails),
		T(I_B9_kill_while_a_slot_is_taken),
		T(valid_sessions),
		T(junk_session_order),
		T(junk_sessions),
		T(boundary_session_texts),
		T(every_bit_of_a_session),
		T(valid_session_files),
		T(valid_walk_of_sessions),
		T(II_K3_planted_sessions),
		T(II_O2_loading_a_session_fails),
		T(valid_rekey),
		T(rekey_of_an_empty_host),
		T(rekey_leaves_alone_what_does_not_verify),
		T(rekey_refuses_keys_of_two_hosts),
		T(II_K5_kill_9_at_every_step_of_a_rekey),
		T(II_K5_kill_9_again_and_again),
		T(II_K5_writers_behind_a_crashed_rekey),
		T(II_K13_rekey_on_a_full_disk),
		T(II_O2_rekey_fails),
		T(II_K10_rekey_while_the_hook_reads),
		T(II_K10_rekey_waits_for_writers),
	};
	int failed;

	if (sodium_init() == -1)
		return 1;
	umask(0);
	forge_init(&shared_forge, 1);
	failed = cmocka_run_group_tests_name("state", tests, NULL, NULL);
	forge_release(&shared_forge);
	return failed;
}
