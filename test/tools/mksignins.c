/* SPDX-License-Identifier: ISC */

/*
 * mksignins: many sign-ins without a browser, in a state directory that this
 * user owns or that is made.
 *
 *	mksignins STATE <LINES
 *
 * A line is LOGIN OID UPN REFRESH-TOKEN AGE CONFIRMED: seconds since the
 * sign-in; admin, session or no, or "ended" for a tombstone of that age,
 * "shared" for one of a key that two signed in with.
 * Each gets a key of its own, a pin and a record whose token is a stranger's:
 * the first renewal replaces it.  Prints LOGIN KEYTYPE BASE64, a line each.
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>

#include "core/b64.h"
#include "host/cache.h"
#include "host/pin.h"
#include "host/refreshtoken.h"
#include "test/tools/forge.h"

#define SEED	  1 /* of the throw-away tenant's key */
#define INPUT_MAX 20000

struct line {
	char login[NAME_LOGIN_MAX + 1], oid[NAME_GUID_LEN + 1];
	char upn[100], confirmed[16];
	char token[REFRESHTOKEN_MAX + 1];
	long age;
};

struct state {
	struct cache c;
	struct secret *record_key;
	struct cache_seal seal;
	uint8_t host[HOSTID_LEN];
	struct forge f;
	int64_t now;
};

static void die(const char *what) __attribute__((noreturn));

static void
die(const char *what)
{
	fprintf(stderr, "mksignins: %s\n", what);
	exit(1);
}

static void
state_open(struct state *s, const char *path)
{
	enum reason why = AAD_R_UNSET;
	int lock;

	s->now = time(NULL);
	forge_init(&s->f, SEED);
	if (hostid_read("/etc/machine-id", s->host) != 0 ||
	    cache_open_write(path, geteuid(), &s->c, &why) != 0 ||
	    cache_lock_keys(&s->c, 0, &lock) != 0 ||
	    cache_record_key(&s->c, &s->record_key) != 0 ||
	    cache_seal_keys(&s->c, &s->seal) != 0)
		die(reason_name(why));
}

static void
key_new(struct key *k)
{
	static const uint8_t head[] = "\0\0\0\013ssh-ed25519\0\0\0 ";
	uint8_t blob[51], secret[crypto_sign_SECRETKEYBYTES];
	enum reason why;

	memcpy(blob, head, 19);
	crypto_sign_keypair(blob + 19, secret);
	if (key_from_blob(blob, sizeof(blob), k, &why) != 0)
		die("no key");
}

static void
record_make(const struct state *s, struct line *l, const struct key *k,
    struct record *rec)
{
	static char source[] = "192.0.2.7";
	char *claims = forge_claims(l->oid, l->upn, s->now - 60, s->now + 3600,
	    "");

	memset(rec, 0, sizeof(*rec));
	rec->state = RECORD_ACTIVE;
	snprintf(rec->login, sizeof(rec->login), "%s", l->login);
	memcpy(rec->key_hash, k->hash, sizeof(rec->key_hash));
	rec->generation = 1;
	rec->blob = k->blob;
	rec->blob_len = k->blob_len;
	rec->id_token = forge_token((struct forge *)(uintptr_t)&s->f, NULL,
	    claims);
	strcpy(rec->tid, FORGE_TENANT);
	snprintf(rec->oid, sizeof(rec->oid), "%s", l->oid);
	rec->upn = l->upn;
	rec->written = rec->sign_in = rec->renewal_at = s->now - l->age;
	rec->renewal = RENEWAL_OK;
	rec->confirmed = strcmp(l->confirmed, "no") == 0 ? CONFIRMED_NO
			 : strcmp(l->confirmed, "session") == 0
			     ? CONFIRMED_SESSION
			     : CONFIRMED_ADMIN;
	rec->confirmed_at = rec->confirmed == CONFIRMED_NO ? 0 : rec->sign_in;
	rec->source = source;
	free(claims);
}

static void
sign_in(struct state *s, struct line *l)
{
	struct record rec, *end = NULL;
	struct pin pin = { .at = s->now };
	struct key k;
	char *base64;
	int r;

	key_new(&k);
	record_make(s, l, &k, &rec);
	strcpy(pin.tid, FORGE_TENANT);
	snprintf(pin.oid, sizeof(pin.oid), "%s", l->oid);
	if ((strcmp(l->confirmed, "ended") == 0 &&
		record_end(&rec, AAD_R_SIGN_IN_STALE, rec.sign_in, &end) !=
		    0) ||
	    (strcmp(l->confirmed, "shared") == 0 &&
		record_end(&rec, AAD_R_KEY_SHARED, rec.sign_in, &end) != 0))
		die("no tombstone");
	r = pin_create(&s->c, l->login, &pin);
	if ((r != 0 && r != AAD_EEXIST) ||
	    refreshtoken_store(&s->c, l->login, k.hash, s->host, s->seal.key,
		l->token, strlen(l->token)) != 0 ||
	    cache_record_store(&s->c, end == NULL ? &rec : end, s->host,
		s->record_key) != 0)
		die(l->login);
	if (b64_encode(B64_STD, k.blob, k.blob_len, &base64) != 0)
		die("no memory");
	printf("%s %s %s\n", l->login, key_type_name(&k), base64);
	record_free(end);
	free(base64);
	free(rec.id_token);
	key_release(&k);
}

int
main(int argc, char **argv)
{
	static char text[INPUT_MAX];
	static struct line l;
	static struct state s;

	if (argc != 2 || sodium_init() == -1)
		die("STATE");
	umask(022);
	state_open(&s, argv[1]);
	while (fgets(text, sizeof(text), stdin) != NULL) {
		if (sscanf(text, "%32s %36s %99s %16384s %ld %15s", l.login,
			l.oid, l.upn, l.token, &l.age, l.confirmed) != 6)
			die("a line is not of its form");
		sign_in(&s, &l);
	}
	secret_free(s.record_key);
	cache_seal_release(&s.seal);
	cache_close(&s.c);
	forge_release(&s.f);
	return 0;
}
