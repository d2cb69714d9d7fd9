/* SPDX-License-Identifier: ISC */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "core/name.h"
#include "host/cache.h"
#include "host/refreshtoken.h"

#define MODE_DIR	  0750
#define MODE_DIR_PRIVATE  0700
#define MODE_FILE	  0640
#define MODE_FILE_PRIVATE 0600
#define MODE_FILE_PUBLIC  0644
#define SWEEP_AGE	  3600 /* seconds; no write of ours takes as long */

static const char records[] = "records";
static const char keys_dir[] = "keys";
static const char record_key[] = "record.key";
static const char record_pub[] = "record.pub";
static const char seal_key[] = "seal.key";
static const char tenant_keys[] = "keys.json";

/* Everything that `aadssh` makes when it is missing, parents first. */
static const struct folder {
	const char *name;
	mode_t mode;
} folders[] = {
	{ "records", MODE_DIR },
	{ "denials", MODE_DIR },
	{ "denials/login", MODE_DIR },
	{ "denials/key", MODE_DIR },
	{ "denials/oid", MODE_DIR },
	{ "pins", MODE_DIR },
	{ "keys", MODE_DIR },
	{ "refresh", MODE_DIR_PRIVATE },
	{ "locks", MODE_DIR_PRIVATE },
};

/* Anchor the right owner at the directory that is open at fd. */
static int
anchor(int fd, struct cache *c)
{
	struct stat sb;

	if (fstat(fd, &sb) == -1) {
		file_close(fd);
		return AAD_ESYS;
	}
	c->dir = fd;
	c->right.owner = sb.st_uid;
	c->right.also = FILE_ANY_OWNER;
	c->tenant_only = false;
	return 0;
}

int
cache_open(const char *path, struct cache *c, enum reason *whyp)
{
	const struct file_owner any = { FILE_ANY_OWNER, FILE_ANY_OWNER,
		.linked = false };
	int fd, r;

	c->dir = -1;
	*whyp = AAD_R_STATE_UNREADABLE;
	if ((r = file_dir_open(AT_FDCWD, path, any, &fd)) != 0)
		return r;
	return anchor(fd, c);
}

static int
make_folders(const struct cache *c)
{
	size_t i;
	int fd, r;

	for (i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		if ((r = file_dir_make(c->dir, folders[i].name, c->right,
			 folders[i].mode, &fd)) != 0)
			return r;
		close(fd);
	}
	return 0;
}

int
cache_open_write(const char *path, uid_t self, struct cache *c,
    enum reason *whyp)
{
	const struct file_owner any = { FILE_ANY_OWNER, FILE_ANY_OWNER,
		.linked = false };
	int fd, r;

	c->dir = -1;
	*whyp = AAD_R_STATE_UNREADABLE;
	if ((r = file_dir_make(AT_FDCWD, path, any, MODE_DIR, &fd)) != 0 ||
	    (r = anchor(fd, c)) != 0)
		return r;
	if (c->right.owner != self) {
		*whyp = AAD_R_STATE_OWNER;
		r = AAD_EREFUSED;
	} else {
		r = make_folders(c);
	}
	if (r != 0)
		cache_close(c);
	return r;
}

/* DIR/tenant, whoever its owner is. */
static int
open_tenant(const char *path, int *fdp)
{
	const struct file_owner any = { FILE_ANY_OWNER, FILE_ANY_OWNER,
		.linked = false };
	int dir, r;

	*fdp = -1;
	if ((r = file_dir_open(AT_FDCWD, path, any, &dir)) != 0)
		return r;
	r = file_dir_open(dir, "tenant", any, fdp);
	file_close(dir);
	return r;
}

int
cache_open_tenant(const char *path, uid_t self, struct cache *c,
    enum reason *whyp)
{
	int fd, r;

	c->dir = -1;
	*whyp = AAD_R_STATE_UNREADABLE;
	if ((r = open_tenant(path, &fd)) != 0 || (r = anchor(fd, c)) != 0)
		return r;
	c->tenant_only = true;
	if (c->right.owner == self)
		return 0;
	*whyp = AAD_R_STATE_OWNER;
	cache_close(c);
	return AAD_EREFUSED;
}

int
cache_tenant_owner(const char *path, uid_t *uidp, gid_t *gidp)
{
	struct stat sb;
	int fd, r;

	if ((r = open_tenant(path, &fd)) != 0)
		return r;
	if (fstat(fd, &sb) == -1) {
		r = AAD_ESYS;
	} else {
		*uidp = sb.st_uid;
		*gidp = sb.st_gid;
	}
	file_close(fd);
	return r;
}

void
cache_close(struct cache *c)
{
	file_close(c->dir);
	c->dir = -1;
}

/* The one or two public keys that are the len bytes at buf. */
static int
pub_parse(const char *buf, size_t len, struct record_pub *pub)
{
	if (len != RECORD_PUB_LEN && len != 2 * (size_t)RECORD_PUB_LEN)
		return AAD_EFORMAT;
	memcpy(pub->keys, buf, len);
	pub->n = len / RECORD_PUB_LEN;
	return 0;
}

int
cache_record_pub(const struct cache *c, struct record_pub *pub,
    enum reason *whyp)
{
	char *buf = NULL;
	size_t len;
	int r;

	memset(pub, 0, sizeof(*pub));
	*whyp = AAD_R_RECORD_KEY_UNREADABLE;
	if ((r = file_dir_check(c->dir, keys_dir, c->right)) != 0)
		return r;
	r = file_read(c->dir, "keys/record.pub", c->right, sizeof(pub->keys),
	    &buf, &len);
	if (r == 0)
		r = pub_parse(buf, len, pub);
	free(buf);
	return r;
}

/* Make the pair; another process may win the race, then its key counts. */
static int
record_key_make(int fd, struct secret **outp)
{
	uint8_t pub[RECORD_PUB_LEN];
	int r;

	if ((r = secret_new(RECORD_SEC_LEN, outp)) != 0)
		return r;
	crypto_sign_keypair(pub, secret_bytes(*outp));
	r = file_create(fd, record_key, secret_bytes(*outp), RECORD_SEC_LEN,
	    MODE_FILE_PRIVATE);
	if (r != AAD_EEXIST)
		return r;
	secret_free(*outp);
	return secret_load(fd, record_key, RECORD_SEC_LEN, outp);
}

/*
 * keys/record.pub must name the other half of record.key: a crash between
 * the two writes leaves it missing, and then it is written now.  During a
 * rekey it is either of two.
 */
static int
record_pub_settle(const struct cache *c, int fd, struct secret *sec)
{
	uint8_t mine[RECORD_PUB_LEN];
	struct record_pub pub;
	enum reason why;
	size_t i;
	int r;

	if (crypto_sign_ed25519_sk_to_pk(mine, secret_bytes(sec)) != 0)
		return AAD_EFORMAT;
	r = cache_record_pub(c, &pub, &why);
	if (r == AAD_ENOENT)
		return file_replace(fd, record_pub, mine, sizeof(mine),
		    MODE_FILE);
	for (i = 0; r == 0 && i < pub.n; i++)
		if (memcmp(pub.keys[i], mine, sizeof(mine)) == 0)
			return 0;
	return r == 0 ? AAD_EFORMAT : r;
}

int
cache_record_key(const struct cache *c, struct secret **outp)
{
	struct secret *sec = NULL;
	int fd = -1, r;

	*outp = NULL;
	if ((r = file_dir_open(c->dir, keys_dir, c->right, &fd)) != 0)
		return r;
	r = secret_load(fd, record_key, RECORD_SEC_LEN, &sec);
	if (r == AAD_ENOENT)
		r = record_key_make(fd, &sec);
	if (r == 0)
		r = record_pub_settle(c, fd, sec);
	file_close(fd);
	if (r != 0) {
		secret_free(sec);
		return r;
	}
	*outp = sec;
	return 0;
}

/* Make the key; another process may win the race, then its key counts. */
static int
seal_key_make(int fd, struct secret **outp)
{
	int r;

	if ((r = secret_new(CACHE_SEAL_LEN, outp)) != 0)
		return r;
	crypto_aead_xchacha20poly1305_ietf_keygen(secret_bytes(*outp));
	r = file_create(fd, seal_key, secret_bytes(*outp), CACHE_SEAL_LEN,
	    MODE_FILE_PRIVATE);
	if (r != AAD_EEXIST)
		return r;
	secret_free(*outp);
	return secret_load(fd, seal_key, CACHE_SEAL_LEN, outp);
}

int
cache_seal_keys(const struct cache *c, struct cache_seal *outp)
{
	int fd = -1, r;

	outp->key = outp->other = NULL;
	if ((r = file_dir_open(c->dir, keys_dir, c->right, &fd)) != 0)
		return r;
	r = secret_load(fd, seal_key, CACHE_SEAL_LEN, &outp->key);
	if (r == AAD_ENOENT)
		r = seal_key_make(fd, &outp->key);
	if (r == 0) {
		r = secret_load(fd, "seal.key.other", CACHE_SEAL_LEN,
		    &outp->other);
		if (r == AAD_ENOENT)
			r = 0;
	}
	file_close(fd);
	if (r != 0)
		cache_seal_release(outp);
	return r;
}

void
cache_seal_release(struct cache_seal *s)
{
	int saved = errno;

	secret_free(s->key);
	secret_free(s->other);
	s->key = s->other = NULL;
	errno = saved;
}

/* Open records/LOGIN; make it first when make is set. */
static int
login_dir(const struct cache *c, const char *login, int make, int *fdp)
{
	int fd, r;

	*fdp = -1;
	if (!name_login_ok(login))
		return AAD_EARG;
	if ((r = file_dir_open(c->dir, records, c->right, &fd)) != 0)
		/* NB. no records directory at all is not "no record". */
		return r == AAD_ENOENT ? AAD_ESYS : r;
	r = make ? file_dir_make(fd, login, c->right, MODE_DIR, fdp)
		 : file_dir_open(fd, login, c->right, fdp);
	file_close(fd);
	return r;
}

/* What a failed look for a record file means. */
static int
record_read_error(int r, enum reason *whyp)
{
	switch (r) {
	case AAD_ENOENT:
		*whyp = AAD_R_NO_RECORD;
		return AAD_ENOENT;
	case AAD_EPERM:
		*whyp = AAD_R_RECORD_OWNER;
		return AAD_EREFUSED;
	case AAD_ETOOBIG:
	case AAD_EFORMAT:
		*whyp = AAD_R_RECORD_MALFORMED;
		return AAD_EREFUSED;
	case AAD_ENOMEM:
		*whyp = AAD_R_NO_MEMORY;
		return r;
	default:
		*whyp = AAD_R_RECORD_UNREADABLE;
		return r;
	}
}

int
cache_record_read(const struct cache *c, const char *login,
    const uint8_t key_hash[static 32], char **textp, size_t *lenp,
    enum reason *whyp)
{
	char name[NAME_HEX64_LEN + 1];
	int fd, r;

	*textp = NULL;
	*lenp = 0;
	name_hex64(key_hash, name);
	if ((r = login_dir(c, login, 0, &fd)) != 0)
		return record_read_error(r, whyp);
	r = file_read(fd, name, c->right, RECORD_MAX, textp, lenp);
	file_close(fd);
	return r == 0 ? 0 : record_read_error(r, whyp);
}

int
cache_record_load(const struct cache *c, const char *login,
    const uint8_t key_hash[static 32], const uint8_t host[static HOSTID_LEN],
    const struct record_pub *pub, struct record **outp, enum reason *whyp)
{
	char *text;
	size_t len;
	int r;

	*outp = NULL;
	if ((r = cache_record_read(c, login, key_hash, &text, &len, whyp)) != 0)
		return r;
	r = record_parse(text, len, host, login, key_hash, pub, outp, whyp);
	if (r == AAD_ENOMEM)
		*whyp = AAD_R_NO_MEMORY;
	sodium_memzero(text, len);
	free(text);
	return r;
}

int
cache_record_store(const struct cache *c, const struct record *rec,
    const uint8_t host[static HOSTID_LEN], struct secret *sec)
{
	char name[NAME_HEX64_LEN + 1], *text = NULL;
	size_t len = 0;
	int fd = -1, r;

	if ((r = record_format(rec, host, sec, &text, &len)) != 0)
		return r;
	name_hex64(rec->key_hash, name);
	if ((r = login_dir(c, rec->login, 1, &fd)) == 0)
		r = file_replace(fd, name, text, len, MODE_FILE);
	file_close(fd);
	sodium_memzero(text, len);
	free(text);
	return r;
}

int
cache_record_remove(const struct cache *c, const char *login,
    const uint8_t key_hash[static 32])
{
	char name[NAME_HEX64_LEN + 1];
	int fd, r;

	name_hex64(key_hash, name);
	if ((r = login_dir(c, login, 0, &fd)) != 0)
		return r;
	r = file_remove(fd, name);
	file_close(fd);
	return r;
}

int
cache_record_end(const struct cache *c, const struct record *rec,
    enum reason why, int64_t at, const uint8_t host[static HOSTID_LEN],
    struct secret *sec)
{
	struct record *end;
	int r;

	if ((r = record_end(rec, why, at, &end)) != 0)
		return r;
	/*
	 * NB. in this order: a crash in between leaves a refresh token that
	 * the next sweep finds; the other way round it would leave a record
	 * that opens the door until its token ends, and that no live check
	 * can ask about any more.
	 */
	if ((r = cache_record_store(c, end, host, sec)) == 0)
		r = refreshtoken_remove(c, rec->login, rec->key_hash);
	if (r == AAD_ENOENT)
		r = 0;
	record_free(end);
	return r;
}

/* Walk the names in the directory open at fd, which is consumed. */
static int
each_name(int fd, file_each_fn *fn, void *arg)
{
	int r = file_dir_each(fd, fn, arg);

	file_close(fd);
	return r;
}

struct walk {
	const struct cache *c;
	const char *login;
	cache_each_fn *fn;
	void *arg;
	bool all; /* logins */
};

static int
walk_record(void *arg, const char *name)
{
	const struct walk *w = arg;
	uint8_t hash[32];
	size_t n;

	if (!name_hex64_ok(name) ||
	    sodium_hex2bin(hash, sizeof(hash), name, NAME_HEX64_LEN, NULL, &n,
		NULL) != 0 ||
	    n != sizeof(hash))
		return 0;
	return w->fn(w->arg, w->login, hash);
}

/* Whether what has a login's name in records/ is none of ours. */
static bool
is_foreign(const struct cache *c, const char *name)
{
	bool foreign;
	int fd;

	if (file_dir_open(c->dir, records, c->right, &fd) != 0)
		return false;
	foreign = file_dir_check(fd, name, c->right) == AAD_EPERM;
	file_close(fd);
	return foreign;
}

/*
 * NB. in a walk of all logins what is no directory of ours is passed over: it
 * opens nothing, and one that somebody left there must not end all others'
 * sign-ins.
 */
static int
walk_login(void *arg, const char *name)
{
	struct walk *w = arg;
	int fd, r;

	if (!name_login_ok(name))
		return 0;
	if ((r = login_dir(w->c, name, 0, &fd)) != 0)
		return r == AAD_ENOENT || (w->all && is_foreign(w->c, name))
			   ? 0
			   : r;
	w->login = name;
	return each_name(fd, walk_record, w);
}

int
cache_record_each(const struct cache *c, const char *login, cache_each_fn *fn,
    void *arg)
{
	struct walk w = { c, NULL, fn, arg, login == NULL };
	int fd, r;

	if (login != NULL)
		return walk_login(&w, login);
	if ((r = file_dir_open(c->dir, records, c->right, &fd)) != 0)
		return r;
	return each_name(fd, walk_login, &w);
}

struct sweep {
	const struct cache *c;
	int fd;
	int64_t before; /* what was changed earlier goes */
};

static int
sweep_name(void *arg, const char *name)
{
	const struct sweep *s = arg;
	struct stat sb;

	if (file_is_temp(name) &&
	    fstatat(s->fd, name, &sb, AT_SYMLINK_NOFOLLOW) == 0 &&
	    sb.st_mtime < s->before)
		unlinkat(s->fd, name, S_ISDIR(sb.st_mode) ? AT_REMOVEDIR : 0);
	return 0;
}

/* Sweep the directory open at fd, which is consumed. */
static void
sweep_dir(struct sweep *s, int fd)
{
	s->fd = fd;
	if (each_name(fd, sweep_name, s) != 0) {
		/* What stays is found by the next sweep. */
	}
}

static int
sweep_login(void *arg, const char *name)
{
	struct sweep *s = arg;
	int fd;

	if (name_login_ok(name) && login_dir(s->c, name, 0, &fd) == 0)
		sweep_dir(s, fd);
	return 0;
}

void
cache_sweep(const struct cache *c, int64_t now)
{
	struct sweep s = { c, -1, now - SWEEP_AGE };
	size_t i;
	int fd;

	for (i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		if (file_dir_open(c->dir, folders[i].name, c->right, &fd) == 0)
			sweep_dir(&s, fd);
	if (file_dir_open(c->dir, ".", c->right, &fd) == 0)
		sweep_dir(&s, fd);
	if (file_dir_open(c->dir, records, c->right, &fd) == 0 &&
	    each_name(fd, sweep_login, &s) != 0) {
		/* As above. */
	}
}

int
cache_tenant_keys_load(const struct cache *c, const char *only,
    struct jwks **outp, enum reason *whyp)
{
	char *text = NULL;
	size_t len = 0;
	int r;

	*outp = NULL;
	r = file_read(c->dir, tenant_keys, c->right, JWKS_FILE_MAX, &text,
	    &len);
	*whyp = r == AAD_ENOENT ? AAD_R_NO_TENANT_KEYS
				: AAD_R_TENANT_KEYS_UNREADABLE;
	if (r == 0)
		r = jwks_parse(text, len, only, outp);
	free(text);
	if (r == AAD_EPERM || r == AAD_EFORMAT || r == AAD_EVERSION ||
	    r == AAD_ETOOBIG)
		r = AAD_EREFUSED;
	return r;
}

int
cache_tenant_keys_store(const struct cache *c, const struct jwks *keys)
{
	char *text;
	size_t len;
	int r;

	if ((r = jwks_format(keys, &text, &len)) != 0)
		return r;
	r = file_replace(c->dir, tenant_keys, text, len,
	    c->tenant_only ? MODE_FILE_PUBLIC : MODE_FILE);
	free(text);
	return r;
}

/* locks/NAME, which is made when it is missing. */
static int
open_lock(const struct cache *c, const char *name, int *fdp)
{
	struct stat sb;
	int dir, fd, r;

	*fdp = -1;
	if ((r = file_dir_open(c->dir, "locks", c->right, &dir)) != 0)
		return r;
	fd = openat(dir, name,
	    O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC,
	    MODE_FILE_PRIVATE);
	file_close(dir);
	if (fd == -1)
		return AAD_ESYS;
	if (fstat(fd, &sb) == -1 || !S_ISREG(sb.st_mode) ||
	    sb.st_uid != c->right.owner) {
		file_close(fd);
		return AAD_EPERM;
	}
	*fdp = fd;
	return 0;
}

/* flock(2) what stands for NAME: where there is one file only, all of it. */
static int
lock(const struct cache *c, const char *name, int how, int *fdp)
{
	int fd, r;

	*fdp = -1;
	if (!name_login_ok(name) && name[0] != '@')
		return AAD_EARG;
	r = c->tenant_only ? file_dir_open(c->dir, ".", c->right, &fd)
			   : open_lock(c, name, &fd);
	if (r != 0)
		return r;
	if (flock(fd, how) == -1) {
		r = errno == EWOULDBLOCK ? AAD_EAGAIN : AAD_ESYS;
		file_close(fd);
		return r;
	}
	*fdp = fd;
	return 0;
}

int
cache_lock(const struct cache *c, const char *name, int *fdp)
{
	return lock(c, name, LOCK_EX, fdp);
}

int
cache_try_lock(const struct cache *c, const char *name, int *fdp)
{
	return lock(c, name, LOCK_EX | LOCK_NB, fdp);
}

int
cache_lock_keys(const struct cache *c, int exclusive, int *fdp)
{
	return lock(c, CACHE_LOCK_KEYS, exclusive ? LOCK_EX : LOCK_SH, fdp);
}
