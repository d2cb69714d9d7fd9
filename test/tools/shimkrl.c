/* SPDX-License-Identifier: ISC */

/* shimkrl: ssh-keygen -k, by lib/ssh/krl. */

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <nettle/sha1.h>
#include <sodium.h>

#include "core/b64.h"
#include "ssh/krl.h"
#include "ssh/wire.h"
#include "test/tools/shim.h"

#define NCAS 16

/* A list that grows; what is in it stays until the process ends. */
struct list {
	void *items;
	size_t n;
};

struct made {
	struct krl_ca cas[NCAS];
	size_t ncas;
	struct list keys, sha256, sha1;
	struct krl_ca *named; /* of -s; NULL: none was given */
};

static void *
grow(struct list *l, size_t size)
{
	if ((l->items = reallocarray(l->items, l->n + 1, size)) == NULL)
		shim_die("out of memory", "list");
	return (char *)l->items + l->n++ * size;
}

static struct krl_ca *
ca_of(struct made *m, const uint8_t *blob, size_t len)
{
	struct krl_ca *ca;
	uint8_t *copy = NULL;
	size_t i;

	for (i = 0; i < m->ncas; i++)
		if (m->cas[i].blob_len == len &&
		    (len == 0 || memcmp(m->cas[i].blob, blob, len) == 0))
			return &m->cas[i];
	if (m->ncas == NCAS)
		shim_die("too many", "authorities");
	if (len > 0 && (copy = malloc(len)) == NULL)
		shim_die("out of memory", "authority");
	if (len > 0)
		memcpy(copy, blob, len);
	ca = &m->cas[m->ncas++];
	memset(ca, 0, sizeof(*ca));
	ca->blob = copy;
	ca->blob_len = len;
	return ca;
}

static void
add_range(struct krl_ca *ca, uint64_t lo, uint64_t hi)
{
	struct list l = { ca->ranges, ca->nranges };
	struct krl_range *r = grow(&l, sizeof(*r));

	*r = (struct krl_range){ lo, hi };
	ca->ranges = l.items;
	ca->nranges = l.n;
}

static void
add_key_id(struct krl_ca *ca, const char *id)
{
	const char **ids = reallocarray((void *)(uintptr_t)ca->key_ids,
	    ca->nkey_ids + 1, sizeof(*ids));

	if (ids == NULL || (ids[ca->nkey_ids++] = strdup(id)) == NULL)
		shim_die("out of memory", id);
	ca->key_ids = ids;
}

static void
add_sha256(struct made *m, const uint8_t *blob, size_t len)
{
	crypto_hash_sha256(grow(&m->sha256, 32), blob, len);
}

static void
add_sha1(struct made *m, const uint8_t *blob, size_t len)
{
	struct sha1_ctx ctx;

	sha1_init(&ctx);
	sha1_update(&ctx, len, blob);
	sha1_digest(&ctx, 20, grow(&m->sha1, 20));
}

/* A plain key; one of a type that lib/ssh doesn't know by its hash. */
static void
add_key(struct made *m, const uint8_t *blob, size_t len)
{
	enum reason why;
	struct key key;

	if (key_from_blob(blob, len, &key, &why) != 0) {
		add_sha256(m, blob, len);
		return;
	}
	*(struct key *)grow(&m->keys, sizeof(key)) = key;
}

static bool
is_cert(const char *type, size_t len)
{
	static const char suffix[] = "-cert-v01@openssh.com", mldsa[] = "-cert";
	size_t n = sizeof(suffix) - 1, k = sizeof(mldsa) - 1;

	return (len > n && memcmp(type + len - n, suffix, n) == 0) ||
	       (len > k && memcmp(type + len - k, mldsa, k) == 0);
}

/*
 * The serial, key id and authority of a certificate that lib/ssh doesn't know,
 * by walking over it.
 */
static void
add_foreign_cert(struct made *m, const uint8_t *blob, size_t len)
{
	struct wire w = wire_of(blob, len);
	const uint8_t *p, *ca, *id;
	size_t n = 0, calen, idlen;
	uint64_t serial, t;
	uint32_t type;
	int i, bad = 0;
	char *text;

	/* Type, nonce, and the key: p, q, g, y of DSA; ML-DSA's is one. */
	bad |= wire_string(&w, &p, &n);
	for (i = n > 7 && memcmp(p, "ssh-dss", 7) == 0 ? 5 : 2; i > 0; i--)
		bad |= wire_string(&w, &p, &n);
	bad |= wire_u64(&w, &serial) | wire_u32(&w, &type);
	bad |= wire_string(&w, &id, &idlen) | wire_string(&w, &p, &n);
	bad |= wire_u64(&w, &t) | wire_u64(&w, &t);
	for (i = 0; i < 3; i++)
		bad |= wire_string(&w, &p, &n);
	bad |= wire_string(&w, &ca, &calen);
	if (bad != 0 || (text = strndup((const char *)id, idlen)) == NULL)
		shim_die("malformed", "certificate");
	if (serial != 0)
		add_range(ca_of(m, ca, calen), serial, serial);
	else
		add_key_id(ca_of(m, ca, calen), text);
	free(text);
}

static void
add_cert(struct made *m, const uint8_t *blob, size_t len)
{
	enum reason why;
	struct cert c;

	if (cert_from_blob(blob, len, &c, &why) != 0) {
		add_foreign_cert(m, blob, len);
		return;
	}
	if (c.serial != 0)
		add_range(ca_of(m, c.ca.blob, c.ca.blob_len), c.serial,
		    c.serial);
	else
		add_key_id(ca_of(m, c.ca.blob, c.ca.blob_len), c.key_id);
	cert_release(&c);
}

enum as {
	AS_ANY,
	AS_KEY,
	AS_SHA1,
	AS_SHA256
};

/* "TYPE BASE64 ..." */
static void
add_line(struct made *m, const char *line, enum as as)
{
	size_t namelen = strcspn(line, " \t"), len;
	const char *base64 = line + namelen + strspn(line + namelen, " \t");
	uint8_t *blob;

	if (b64_decode(B64_STD, base64, strcspn(base64, " \t\r\n"), &blob,
		&len) != 0)
		shim_die("malformed", line);
	if (as == AS_SHA1)
		add_sha1(m, blob, len);
	else if (as == AS_SHA256)
		add_sha256(m, blob, len);
	else if (as == AS_ANY && is_cert(line, namelen))
		add_cert(m, blob, len);
	else
		add_key(m, blob, len);
	free(blob);
}

static struct krl_ca *
named(struct made *m, const char *line)
{
	if (m->named == NULL)
		shim_die("revoking by serial or id needs -s", line);
	return m->named;
}

static void
add_serial(struct made *m, const char *text)
{
	char *end;
	uint64_t lo, hi;

	errno = 0;
	lo = hi = strtoull(text, &end, 0);
	if (*end == '-')
		hi = strtoull(end + 1, &end, 0);
	if (errno != 0 || *end != '\0' || lo == 0 || hi < lo)
		shim_die("bad serial", text);
	add_range(named(m, text), lo, hi);
}

static const char *
behind(const char *line, const char *word)
{
	size_t len = strlen(word);

	if (strncasecmp(line, word, len) != 0)
		return NULL;
	return line + len + strspn(line + len, " \t");
}

static void
spec_line(struct made *m, char *line)
{
	const char *p;

	line += strspn(line, " \t");
	line[strcspn(line, "#\r\n")] = '\0';
	while (line[0] != '\0' && strchr(" \t", line[strlen(line) - 1]) != NULL)
		line[strlen(line) - 1] = '\0';
	if (line[0] == '\0')
		return;
	if ((p = behind(line, "serial:")) != NULL)
		add_serial(m, p);
	else if ((p = behind(line, "id:")) != NULL)
		add_key_id(named(m, line), p);
	else if ((p = behind(line, "key:")) != NULL)
		add_line(m, p, AS_KEY);
	else if ((p = behind(line, "sha1:")) != NULL)
		add_line(m, p, AS_SHA1);
	else if ((p = behind(line, "sha256:")) != NULL)
		add_line(m, p, AS_SHA256);
	else if ((p = behind(line, "hash:")) != NULL) {
		if (key_fingerprint_parse(p, grow(&m->sha256, 32)) != 0)
			shim_die("bad hash", p);
	} else
		add_line(m, line, AS_ANY);
}

static void
spec_file(struct made *m, const char *path)
{
	size_t len;
	char *text = shim_read(path, &len), *p = text, *line;

	while ((line = strsep(&p, "\n")) != NULL)
		spec_line(m, line);
	free(text);
}

/* --- what an updated list holds already --- */

static int
old_serials(void *arg, const uint8_t *ca, size_t len, uint64_t lo, uint64_t hi)
{
	add_range(ca_of(arg, ca, len), lo, hi);
	return 0;
}

static int
old_key_id(void *arg, const uint8_t *ca, size_t len, const char *id)
{
	add_key_id(ca_of(arg, ca, len), id);
	return 0;
}

static int
old_key(void *arg, const uint8_t *blob, size_t len)
{
	add_key(arg, blob, len);
	return 0;
}

static int
old_hash(void *arg, const uint8_t *hash, size_t len)
{
	struct made *m = arg;

	memcpy(grow(len == 20 ? &m->sha1 : &m->sha256, len), hash, len);
	return 0;
}

static void
load_old(struct made *m, const char *path)
{
	const struct krl_visit visit = { m, old_serials, old_key_id, old_key,
		old_hash };
	size_t len;
	char *text = shim_read(path, &len);
	struct krl *k;
	int r = krl_decode((uint8_t *)text, len, &k);

	if (r != 0 || (r = krl_each(k, &visit)) != 0)
		shim_die(err_name(r), path);
	krl_free(k);
	free(text);
}

static void
name_ca(struct made *m, const char *ca)
{
	enum reason why;
	struct key key;
	size_t len;
	char *text, path[4096];

	if (strcasecmp(ca, "none") == 0) {
		m->named = ca_of(m, NULL, 0);
		return;
	}
	snprintf(path, sizeof(path), "%s%s", ca,
	    strlen(ca) > 4 && strcmp(ca + strlen(ca) - 4, ".pub") == 0
		? ""
		: ".pub");
	text = shim_read(path, &len);
	if (key_from_pub(text, len, &key, &why) != 0)
		shim_die(reason_name(why), path);
	m->named = ca_of(m, key.blob, key.blob_len);
	key_release(&key);
	free(text);
}

int
shim_krl(const struct shim *s)
{
	struct made m;
	struct krl_spec spec;
	uint8_t *blob;
	size_t len;
	FILE *f;
	char **a;
	int r;

	memset(&m, 0, sizeof(m));
	memset(&spec, 0, sizeof(spec));
	if (s->update)
		load_old(&m, s->file);
	if (s->ca != NULL)
		name_ca(&m, s->ca);
	for (a = s->args; *a != NULL; a++)
		spec_file(&m, *a);
	spec.version = s->serial != NULL ? strtoull(s->serial, NULL, 10) : 0;
	spec.generated = (uint64_t)time(NULL);
	spec.cas = m.cas;
	spec.ncas = m.ncas;
	spec.keys = m.keys.items;
	spec.nkeys = m.keys.n;
	spec.key_hashes = m.sha256.items;
	spec.nkey_hashes = m.sha256.n;
	spec.sha1_hashes = m.sha1.items;
	spec.nsha1_hashes = m.sha1.n;
	if ((r = krl_encode(&spec, &blob, &len)) != 0)
		shim_die(err_name(r), s->file);
	if ((f = fopen(s->file, "w")) == NULL ||
	    fwrite(blob, 1, len, f) != len || fclose(f) == EOF)
		shim_die(strerror(errno), s->file);
	free(blob);
	return 0;
}
