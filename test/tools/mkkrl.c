/* SPDX-License-Identifier: ISC */

/*
 * mkkrl >KRL: write a list with our encoder.  Its lines on standard input:
 *
 *	version N | generated N | comment TEXT
 *	ca FILE.pub | ca any	what follows is of this authority
 *	serial N | range LO HI | id TEXT
 *	key FILE.pub | hash SHA256:... | sha1 HEX
 *
 * mkkrl -q KRL FILE.pub...: ask our decoder what ssh-keygen -Q is asked;
 * certificates or plain keys.  Prints "FILE: ok" or "FILE: REVOKED".
 * mkkrl -c KRL: what it counts.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "ssh/cert.h"
#include "ssh/krl.h"

#define CAS_MAX	 16
#define MANY_MAX 4096

struct input {
	struct krl_spec spec;
	struct krl_ca cas[CAS_MAX];
	struct key ca_keys[CAS_MAX];
	size_t room; /* of the last one's ranges */
	const char *ids[CAS_MAX][MANY_MAX];
	struct key keys[MANY_MAX];
	uint8_t hashes[MANY_MAX][32];
	uint8_t sha1s[MANY_MAX][20];
	char comment[KRL_COMMENT_MAX + 2];
};

static void
die(const char *what, const char *about)
{
	fprintf(stderr, "mkkrl: %s: %s\n", what, about);
	exit(2);
}

static void *
load(const char *path, size_t *lenp)
{
	char *p = malloc(KRL_MAX + 1);
	FILE *f = fopen(path, "r");

	if (p == NULL || f == NULL)
		die(path, strerror(errno));
	*lenp = fread(p, 1, KRL_MAX, f);
	p[*lenp] = '\0';
	fclose(f);
	return p;
}

static struct key
load_key(const char *path)
{
	enum reason why;
	struct key k;
	size_t len;
	char *text = load(path, &len);

	if (key_from_pub(text, len, &k, &why) != 0)
		die(path, reason_name(why));
	free(text);
	return k;
}

/* ---- writing ---- */

static void
add_ca(struct input *in, const char *path)
{
	size_t i = in->spec.ncas++;

	if (i == CAS_MAX)
		die("too many", path);
	if (strcmp(path, "any") != 0) {
		in->ca_keys[i] = load_key(path);
		in->cas[i].blob = in->ca_keys[i].blob;
		in->cas[i].blob_len = in->ca_keys[i].blob_len;
	}
	in->cas[i].key_ids = in->ids[i];
	in->room = 0;
}

static void
add_range(struct input *in, struct krl_ca *ca, const char *text)
{
	struct krl_range *r;
	char *end;

	if (ca->nranges == in->room) {
		in->room = in->room > 0 ? 2 * in->room : 1024;
		r = realloc(ca->ranges, in->room * sizeof(*r));
		if (r == NULL)
			die("no memory", text);
		ca->ranges = r;
	}
	r = &ca->ranges[ca->nranges++];
	r->lo = strtoull(text, &end, 10);
	r->hi = *end != '\0' ? strtoull(end, NULL, 10) : r->lo;
}

static void
add_key(struct input *in, const char *word, const char *rest)
{
	struct krl_spec *s = &in->spec;
	size_t n;

	if (s->nkeys == MANY_MAX || s->nkey_hashes == MANY_MAX ||
	    s->nsha1_hashes == MANY_MAX)
		die("too many", rest);
	if (strcmp(word, "key") == 0)
		in->keys[s->nkeys++] = load_key(rest);
	else if (strcmp(word, "sha1") == 0 &&
		 sodium_hex2bin(in->sha1s[s->nsha1_hashes++], 20, rest,
		     strlen(rest), NULL, &n, NULL) == 0)
		return;
	else if (strcmp(word, "hash") != 0 ||
		 key_fingerprint_parse(rest, in->hashes[s->nkey_hashes++]) != 0)
		die("not understood", word);
}

static void
add_line(struct input *in, const char *word, const char *rest)
{
	struct krl_ca *ca = NULL;

	if (in->spec.ncas > 0)
		ca = &in->cas[in->spec.ncas - 1];
	if (strcmp(word, "version") == 0)
		in->spec.version = strtoull(rest, NULL, 10);
	else if (strcmp(word, "generated") == 0)
		in->spec.generated = strtoull(rest, NULL, 10);
	else if (strcmp(word, "comment") == 0)
		snprintf(in->comment, sizeof(in->comment), "%s", rest);
	else if (strcmp(word, "ca") == 0)
		add_ca(in, rest);
	else if (ca != NULL &&
		 (strcmp(word, "serial") == 0 || strcmp(word, "range") == 0))
		add_range(in, ca, rest);
	else if (ca != NULL && strcmp(word, "id") == 0 &&
		 ca->nkey_ids < MANY_MAX)
		in->ids[in->spec.ncas - 1][ca->nkey_ids++] = strdup(rest);
	else
		add_key(in, word, rest);
}

static int
write_list(void)
{
	static struct input in;
	char line[2048], *rest;
	uint8_t *blob;
	size_t len;
	int r;

	in.spec.comment = in.comment;
	in.spec.cas = in.cas;
	in.spec.keys = in.keys;
	in.spec.key_hashes = (const uint8_t(*)[32])in.hashes;
	in.spec.sha1_hashes = (const uint8_t(*)[20])in.sha1s;
	while (fgets(line, sizeof(line), stdin) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if ((rest = strchr(line, ' ')) == NULL)
			die("not understood", line);
		*rest++ = '\0';
		add_line(&in, line, rest);
	}
	if ((r = krl_encode(&in.spec, &blob, &len)) != 0)
		die("krl_encode", err_name(r));
	if (fwrite(blob, 1, len, stdout) != len || fflush(stdout) != 0)
		die("standard output", strerror(errno));
	free(blob);
	return 0;
}

/* ---- reading ---- */

static struct krl *
open_list(const char *path)
{
	struct krl *k;
	size_t len;
	void *blob = load(path, &len);
	int r = krl_decode(blob, len, &k);

	if (r != 0)
		die(path, err_name(r));
	free(blob);
	return k;
}

static bool
is_revoked(const struct krl *k, const char *path)
{
	struct cert c;
	enum reason why;
	struct key key;
	size_t len;
	char *text = load(path, &len);
	bool revoked;

	if (strstr(text, "-cert-v01@openssh.com ") == NULL) {
		free(text);
		key = load_key(path);
		revoked = krl_has_key(k, &key);
		key_release(&key);
		return revoked;
	}
	if (cert_from_pub(text, len, &c, &why) != 0)
		die(path, reason_name(why));
	revoked = krl_has_key(k, &c.key) || krl_has_key(k, &c.ca) ||
		  krl_has_cert(k, &c.ca, c.serial, c.key_id);
	cert_release(&c);
	free(text);
	return revoked;
}

int
main(int argc, char **argv)
{
	struct krl *k;
	int i;

	if (sodium_init() == -1)
		die("sodium_init", "no");
	if (argc == 1)
		return write_list();
	if (argc < 3)
		die("usage", "mkkrl | mkkrl -q KRL FILE... | mkkrl -c KRL");
	k = open_list(argv[2]);
	if (strcmp(argv[1], "-c") == 0)
		printf("version %" PRIu64 " generated %" PRIu64
		       " serials %" PRIu64 " keys %zu\n",
		    krl_version(k), krl_generated(k), krl_count_serials(k),
		    krl_count_keys(k));
	for (i = 3; i < argc; i++)
		printf("%s: %s\n", argv[i],
		    is_revoked(k, argv[i]) ? "REVOKED" : "ok");
	krl_free(k);
	return 0;
}
