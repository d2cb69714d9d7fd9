/* SPDX-License-Identifier: ISC */

/*
 * mkstate: a scratch installation with one stored sign-in, for tests and the
 * bench.  Everything is made by the functions that the programs use; the
 * token is signed by the throw-away tenant of forge.h.
 *
 *	mkstate DIR [--login L] [--uid N] [--pub FILE] [--role R]
 *	    [--groups N] [--exp SECONDS] [--keys N] [--size BYTES]
 *	    [--sign-in SECONDS-AGO]
 *	mkstate DIR --crowd LOGINS RECORDS
 *
 * The first makes DIR/aadssh.conf, DIR/state and DIR/run, and prints the
 * arguments of aadssh-authkeys that get a yes, one a line: -f CONF LOGIN UID
 * TYPE KEY.
 * --role is what the policy requires; the token has ssh.user.
 * The second adds, to such a state, RECORDS empty record files spread over
 * LOGINS logins (no file of ours is ever empty; a reader opens only its own).
 */

#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>

#include "core/b64.h"
#include "host/cache.h"
#include "host/hostid.h"
#include "host/pin.h"
#include "ssh/key.h"
#include "test/tools/forge.h"

#define SEED 1 /* of the throw-away tenant's key */

struct options {
	const char *dir;
	const char *login;
	const char *pub;
	const char *role;
	long uid;
	long groups;
	long exp;
	long keys;
	long size;
	long sign_in;
};

static void die(const char *what) __attribute__((noreturn));

static void
die(const char *what)
{
	fprintf(stderr, "mkstate: %s\n", what);
	exit(1);
}

static long
number(const char *text)
{
	char *end;
	long n = strtol(text, &end, 10);

	if (end == text || *end != '\0')
		die("not a number");
	return n;
}

/* The file's key, or one of a new pair whose private half is dropped. */
static void
key_get(const char *pub, struct key *k)
{
	static const uint8_t head[] = "\0\0\0\013ssh-ed25519\0\0\0 ";
	uint8_t blob[51], secret[crypto_sign_SECRETKEYBYTES];
	enum reason why;
	char text[KEY_BLOB_MAX * 2];
	ssize_t n = 0;
	int fd, r;

	if (pub == NULL) {
		memcpy(blob, head, 19);
		crypto_sign_keypair(blob + 19, secret);
		r = key_from_blob(blob, sizeof(blob), k, &why);
	} else {
		if ((fd = open(pub, O_RDONLY | O_CLOEXEC)) == -1 ||
		    (n = read(fd, text, sizeof(text) - 1)) == -1)
			die(pub);
		close(fd);
		text[n] = '\0';
		r = key_from_pub(text, (size_t)n, k, &why);
	}
	if (r != 0)
		die("no key");
}

/* The claims besides forge_claims()'s own, padded to pad bytes. */
static char *
extra_claims(const struct options *o, size_t pad)
{
	size_t size = (size_t)o->groups * 40 + pad + 200;
	char *out = calloc(1, size), *p = out;
	long i;

	if (out == NULL)
		die("no memory");
	if (o->groups > 0)
		p = stpcpy(p, ",\"groups\":[");
	for (i = 0; i < o->groups; i++)
		p += sprintf(p, "%s\"00000000-0000-4000-8000-%012ld\"",
		    i > 0 ? "," : "", i);
	if (o->groups > 0)
		p = stpcpy(p, "]");
	if (pad > 0) {
		p = stpcpy(p, ",\"name\":\"");
		memset(p, 'x', pad);
		strcpy(p + pad, "\"");
	}
	return out;
}

static char *
token_make(struct forge *f, const struct options *o, const char *upn,
    int64_t now)
{
	char *token = NULL, *claims, *extra;
	size_t pad = 0, len;
	int i;

	/* Once to see how long it is, once with what is missing. */
	for (i = 0; i < 2; i++) {
		free(token);
		extra = extra_claims(o, pad);
		claims = forge_claims(FORGE_OID, upn, now - 60, now + o->exp,
		    extra);
		token = forge_token(f, NULL, claims);
		free(claims);
		free(extra);
		len = strlen(token);
		if (o->size <= 0 || len + 16 >= (size_t)o->size)
			break;
		pad = ((size_t)o->size - len) * 3 / 4 - 10;
	}
	return token;
}

static void
conf_write(const struct options *o, const char *path, const char *state)
{
	FILE *f = fopen(path, "we");

	if (f == NULL)
		die(path);
	fprintf(f,
	    "[idp]\n"
	    "tenant = " FORGE_TENANT "\n"
	    "client_id = " FORGE_CLIENT "\n"
	    "authority = https://login.example.test\n"
	    "%s"
	    "[state]\n"
	    "dir = %s\n"
	    "run = %s/run\n"
	    "[map]\n"
	    "domain = contoso.com\n"
	    "require = role:%s\n"
	    "min_uid = %ld\n",
	    geteuid() == 0 ? "[process]\nuser = root\n" : "", state, o->dir,
	    o->role, o->uid < 1000 ? o->uid : 1000);
	if (fclose(f) != 0 || chmod(path, 0644) != 0)
		die(path);
}

static void
record_store(const struct options *o, const struct cache *c,
    const struct key *k, char *upn, char *token, int64_t now)
{
	struct record rec;
	struct secret *sec;
	uint8_t host[HOSTID_LEN];
	char source[] = "local";
	int keys, lock;

	memset(&rec, 0, sizeof(rec));
	rec.state = RECORD_ACTIVE;
	snprintf(rec.login, sizeof(rec.login), "%s", o->login);
	memcpy(rec.key_hash, k->hash, sizeof(rec.key_hash));
	rec.generation = 1;
	rec.written = now;
	rec.blob = k->blob;
	rec.blob_len = k->blob_len;
	rec.id_token = token;
	strcpy(rec.tid, FORGE_TENANT);
	strcpy(rec.oid, FORGE_OID);
	rec.upn = upn;
	rec.sign_in = now - o->sign_in;
	rec.renewal = RENEWAL_OK;
	rec.renewal_at = rec.sign_in;
	rec.confirmed = CONFIRMED_ADMIN;
	rec.confirmed_at = rec.sign_in;
	rec.source = source;
	if (hostid_read("/etc/machine-id", host) != 0)
		die("no machine-id");
	if (cache_lock_keys(c, 0, &keys) != 0 ||
	    cache_lock(c, o->login, &lock) != 0 ||
	    cache_record_key(c, &sec) != 0 ||
	    cache_record_store(c, &rec, host, sec) != 0)
		die("the record could not be stored");
	close(lock);
	close(keys);
	secret_free(sec);
}

/* What tmpfiles.d makes on a host, as one user: where offers grow. */
static void
run_make(const char *dir)
{
	char path[PATH_MAX + 20];

	snprintf(path, sizeof(path), "%s/run", dir);
	if (mkdir(path, 0755) == -1)
		die(path);
	snprintf(path, sizeof(path), "%s/run/offers", dir);
	if (mkdir(path, 0770) == -1)
		die(path);
	snprintf(path, sizeof(path), "%s/run/sessions", dir);
	if (mkdir(path, 0700) == -1)
		die(path);
}

static void
state_make(const struct options *o, const char *state)
{
	char upn[100], *token, *base64;
	int64_t now = time(NULL);
	struct pin pin;
	struct cache c;
	struct forge f;
	struct jwks *keys;
	struct key k;
	enum reason why;

	if (!name_login_ok(o->login) || !name_role_ok(o->role))
		die("not a login or not a role");
	snprintf(upn, sizeof(upn), "%s@contoso.com", o->login);
	forge_init(&f, SEED);
	key_get(o->pub, &k);
	if (cache_open_write(state, geteuid(), &c, &why) != 0)
		die(reason_name(why));
	keys = forge_jwks(&f, now, (size_t)o->keys - 1);
	if (cache_tenant_keys_store(&c, keys) != 0)
		die("the tenant keys could not be stored");
	token = token_make(&f, o, upn, now);
	record_store(o, &c, &k, upn, token, now);
	memset(&pin, 0, sizeof(pin));
	strcpy(pin.tid, FORGE_TENANT);
	strcpy(pin.oid, FORGE_OID);
	pin.at = now;
	if (pin_create(&c, o->login, &pin) != 0)
		die("the pin could not be made");
	if (b64_encode(B64_STD, k.blob, k.blob_len, &base64) != 0)
		die("no memory");
	printf("-f\n%s/aadssh.conf\n%s\n%ld\n%s\n%s\n", o->dir, o->login,
	    o->uid, key_type_name(&k), base64);
	fprintf(stderr, "mkstate: token %zu bytes, %zu tenant keys\n",
	    strlen(token), keys->n);
	free(base64);
	free(token);
	jwks_free(keys);
	key_release(&k);
	forge_release(&f);
	cache_close(&c);
}

/* Names as a host with many people would have them. */
static void
crowd_make(const char *state, long logins, long records)
{
	char name[PATH_MAX + 100], hex[NAME_HEX64_LEN + 1];
	uint8_t hash[32];
	long i, j, id = 0;
	int fd, dir;

	for (i = 0; i < logins; i++) {
		snprintf(name, sizeof(name), "%s/records/user%04ld", state, i);
		if (mkdir(name, 0750) == -1 ||
		    (dir = open(name, O_PATH | O_CLOEXEC)) == -1)
			die(name);
		for (j = 0; j < records / logins; j++, id++) {
			crypto_hash_sha256(hash, (const uint8_t *)&id,
			    sizeof(id));
			name_hex64(hash, hex);
			fd = openat(dir, hex, O_WRONLY | O_CREAT | O_CLOEXEC,
			    0640);
			if (fd == -1)
				die(name);
			close(fd);
		}
		close(dir);
	}
}

static void
options_parse(int argc, char **argv, struct options *o)
{
	static const struct option names[] = {
		{ "login", required_argument, NULL, 'l' },
		{ "uid", required_argument, NULL, 'u' },
		{ "pub", required_argument, NULL, 'p' },
		{ "role", required_argument, NULL, 'r' },
		{ "groups", required_argument, NULL, 'g' },
		{ "exp", required_argument, NULL, 'e' },
		{ "keys", required_argument, NULL, 'k' },
		{ "size", required_argument, NULL, 's' },
		{ "sign-in", required_argument, NULL, 'i' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
		switch (c) {
		case 'l':
			o->login = optarg;
			break;
		case 'u':
			o->uid = number(optarg);
			break;
		case 'p':
			o->pub = optarg;
			break;
		case 'r':
			o->role = optarg;
			break;
		case 'g':
			o->groups = number(optarg);
			break;
		case 'e':
			o->exp = number(optarg);
			break;
		case 'k':
			o->keys = number(optarg);
			break;
		case 's':
			o->size = number(optarg);
			break;
		case 'i':
			o->sign_in = number(optarg);
			break;
		default:
			exit(2);
		}
	}
	if (optind != argc || o->groups < 0 || o->keys < 1)
		die("arguments");
}

int
main(int argc, char **argv)
{
	struct options o = { .login = "alice",
		.uid = 1001,
		.role = "ssh.user",
		.exp = 3600,
		.keys = 6 };
	char dir[PATH_MAX], state[PATH_MAX + 10], conf[PATH_MAX + 20];

	if (argc < 2 || sodium_init() == -1)
		die("mkstate DIR [OPTIONS]");
	umask(022);
	if (mkdir(argv[1], 0755) == -1 && access(argv[1], W_OK) == -1)
		die(argv[1]);
	if (realpath(argv[1], dir) == NULL)
		die(argv[1]);
	o.dir = dir;
	snprintf(state, sizeof(state), "%s/state", dir);
	snprintf(conf, sizeof(conf), "%s/aadssh.conf", dir);
	if (argc == 5 && strcmp(argv[2], "--crowd") == 0) {
		crowd_make(state, number(argv[3]), number(argv[4]));
		return 0;
	}
	options_parse(argc - 1, argv + 1, &o);
	run_make(dir);
	conf_write(&o, conf, state);
	state_make(&o, state);
	return 0;
}
