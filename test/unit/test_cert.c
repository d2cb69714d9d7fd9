/* SPDX-License-Identifier: ISC */

#include "test/unit/unit.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "core/b64.h"
#include "ssh/cert.h"
#include "ssh/privkey.h"
#include "ssh/sign.h"
#include "ssh/wire.h"
#include "test/tools/respec.h"
#include "test/unit/fault.h"
#include "test/unit/mutate.h"

#define VECTORS "test/vectors/certs"
#define SIGNED	"test/vectors/signed"
#define OID	"1c9a52de-7b30-4f86-9e41-6a0d8c35b2f1"
#define TID	"3f2504e0-4f89-41d3-9a0c-0305e82c3301"

/* ---- vectors ---- */

struct pub {
	char text[32768]; /* the whole .pub file */
	char type[64];
	char base64[32700];
	uint8_t *blob; /* its base64 decoded, heap */
	size_t blob_len;
};

static void
pub_load(const char *folder, const char *name, struct pub *p)
{
	char path[256];
	size_t len;
	FILE *f;

	memset(p, 0, sizeof(*p));
	snprintf(path, sizeof(path), VECTORS "/%s/%s.pub", folder, name);
	if ((f = fopen(path, "r")) == NULL)
		fail_msg("%s: %s", path, strerror(errno));
	len = fread(p->text, 1, sizeof(p->text) - 1, f);
	fclose(f);
	assert_true(len > 0 && len < sizeof(p->text) - 1);
	assert_int_equal(sscanf(p->text, "%63s %32699s", p->type, p->base64),
	    2);
	assert_int_equal(b64_decode(B64_STD, p->base64, strlen(p->base64),
			     &p->blob, &p->blob_len),
	    0);
}

static void
assert_empty(const struct cert *c)
{
	static const struct cert zero;

	assert_memory_equal(c, &zero, sizeof(zero));
}

static void
assert_refused(int r, enum reason why, const struct cert *c)
{
	assert_int_equal(r, AAD_EREFUSED);
	assert_true(why == AAD_R_KEY_MALFORMED || why == AAD_R_KEY_TYPE ||
		    why == AAD_R_KEY_WEAK);
	assert_int_equal(reason_class(why), REASON_NO);
	assert_empty(c);
}

static struct cert dirt(void);

/* Refused; returns why. */
static enum reason
text_refused(const char *type, const char *base64)
{
	struct cert c = dirt();
	enum reason why = AAD_R_UNSET;
	int r = cert_decode(type, base64, &c, &why);

	assert_refused(r, why, &c);
	return why;
}

static enum reason
blob_refused(const void *p, size_t len)
{
	struct cert c = dirt();
	enum reason why = AAD_R_UNSET;
	int r = cert_from_blob(p, len, &c, &why);

	assert_refused(r, why, &c);
	return why;
}

/* A certificate handed in dirty, to see that it is emptied. */
static struct cert
dirt(void)
{
	struct cert c;

	memset(&c, 0xa5, sizeof(c));
	return c;
}

static struct cert
good(const char *name)
{
	struct cert c = dirt();
	enum reason why;
	struct pub p;

	pub_load("good", name, &p);
	if (cert_decode(p.type, p.base64, &c, &why) != 0)
		fail_msg("%s: %s", name, reason_name(why));
	assert_int_equal(why, AAD_R_UNSET);
	free(p.blob);
	return c;
}

static void
assert_same_text(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		assert_true(a == b);
	else
		assert_string_equal(a, b);
}

static void
assert_same(const struct cert *a, const struct cert *b)
{
	size_t i;

	assert_int_equal(a->blob_len, b->blob_len);
	assert_memory_equal(a->blob, b->blob, a->blob_len);
	assert_memory_equal(a->key.hash, b->key.hash, 32);
	assert_memory_equal(a->ca_hash, b->ca_hash, 32);
	assert_memory_equal(a->ca.hash, b->ca.hash, 32);
	assert_int_equal(a->signed_len, b->signed_len);
	assert_int_equal(a->signature_len, b->signature_len);
	assert_true(a->serial == b->serial && a->type == b->type);
	assert_true(a->valid_after == b->valid_after);
	assert_true(a->valid_before == b->valid_before);
	assert_same_text(a->key_id, b->key_id);
	assert_int_equal(a->nprincipals, b->nprincipals);
	for (i = 0; i < a->nprincipals; i++)
		assert_string_equal(a->principals[i], b->principals[i]);
}

/* ---- good certificates: what ssh-keygen -L says of them ---- */

struct row {
	char name[64], type[8], serial[24], after[24], before[24], key[64];
	char ca[64], principals[4096], id[1200];
};

/* "a,b" or "-" of the certificate's principals, as in the table. */
static void
join(const struct cert *c, char *out, size_t outlen)
{
	size_t i, n = 0;

	for (i = 0; i < c->nprincipals; i++)
		n += (size_t)snprintf(out + n, outlen - n, "%s%s",
		    i > 0 ? "," : "", c->principals[i]);
	if (c->nprincipals == 0)
		snprintf(out, outlen, "-");
}

static void
check_row(const struct row *row, const struct cert *c)
{
	char text[4096], fp[KEY_FP_LEN + 1];

	assert_string_equal(c->type == CERT_USER ? "user" : "host", row->type);
	snprintf(text, sizeof(text), "%" PRIu64, c->serial);
	assert_string_equal(text, row->serial);
	snprintf(text, sizeof(text), "%" PRIu64, c->valid_after);
	assert_string_equal(text, row->after);
	snprintf(text, sizeof(text), "%" PRIu64, c->valid_before);
	assert_string_equal(text, row->before);
	key_fingerprint(&c->key, fp);
	assert_string_equal(fp, row->key);
	key_fingerprint_of(c->ca_hash, fp);
	assert_string_equal(fp, row->ca);
	join(c, text, sizeof(text));
	assert_string_equal(text, row->principals);
	assert_string_equal(c->key_id, row->id);
}

static void
check_good(const struct row *row)
{
	struct cert c = good(row->name), again = dirt();
	char plain[64];
	enum reason why;
	struct pub p;

	check_row(row, &c);
	pub_load("good", row->name, &p);
	assert_int_equal(c.blob_len, p.blob_len);
	assert_memory_equal(c.blob, p.blob, p.blob_len);
	/* the plain type in front of -cert-v01@openssh.com */
	snprintf(plain, sizeof(plain), "%.*s%s",
	    (int)(strstr(p.type, "-cert-") - p.type), p.type,
	    strncmp(p.type, "sk-", 3) == 0 ? "@openssh.com" : "");
	assert_string_equal(key_type_name(&c.key), plain);
	assert_int_equal(cert_from_blob(p.blob, p.blob_len, &again, &why), 0);
	assert_same(&c, &again);
	free(p.blob);
	cert_release(&c);
	cert_release(&again);
	assert_empty(&c);
	cert_release(&c);
}

static int
each_row(void (*fn)(const struct row *row))
{
	char line[8192];
	struct row row;
	int n = 0;
	FILE *f;

	if ((f = fopen(VECTORS "/good.tsv", "r")) == NULL)
		fail_msg("good.tsv: %s", strerror(errno));
	for (; fgets(line, sizeof(line), f) != NULL; n++) {
		row.id[0] = '\0';
		assert_true(
		    sscanf(line,
			"%63s %7s %23s %23s %23s %63s %63s %4095s%*1[\t]"
			"%1199[^\n]",
			row.name, row.type, row.serial, row.after, row.before,
			row.key, row.ca, row.principals, row.id) >= 8);
		fn(&row);
	}
	fclose(f);
	return n;
}

static void
valid_all_that_ssh_keygen_makes(void **state)
{
	(void)state;
	assert_int_equal(each_row(check_good), 28);
}

/* ---- forging: a good one taken apart and put together ---- */

struct bytes {
	uint8_t p[20000];
	size_t len;
};

enum part {
	TYPE,
	NONCE,
	KEY, /* an ed25519 key: one string */
	SERIAL,
	KIND,
	KEY_ID,
	PRINCIPALS,
	AFTER,
	BEFORE,
	CRITICAL,
	EXTENSIONS,
	RESERVED,
	CA,
	SIGNATURE,
	NPARTS
};

/* Bytes on the wire of a part that is no string; 0: it is one. */
static const size_t
    fixed[NPARTS] = { [SERIAL] = 8, [KIND] = 4, [AFTER] = 8, [BEFORE] = 8 };

static struct bytes parts[NPARTS];

static void
put(struct bytes *b, const void *p, size_t len)
{
	const uint8_t head[4] = { (uint8_t)(len >> 24), (uint8_t)(len >> 16),
		(uint8_t)(len >> 8), (uint8_t)len };

	assert_true(len + 4 <= sizeof(b->p) - b->len);
	memcpy(b->p + b->len, head, 4);
	if (len > 0)
		memcpy(b->p + b->len + 4, p, len);
	b->len += len + 4;
}

static void
put_text(struct bytes *b, const char *s)
{
	put(b, s, strlen(s));
}

static void
set(enum part part, const void *p, size_t len)
{
	assert_true(len <= sizeof(parts[part].p));
	if (len > 0)
		memcpy(parts[part].p, p, len);
	parts[part].len = len;
}

static void
take_apart(const struct cert *c)
{
	struct wire w = wire_of(c->blob, c->blob_len);
	const uint8_t *p;
	size_t i, len;

	for (i = 0; i < NPARTS; i++) {
		if (fixed[i] == 0) {
			assert_int_equal(wire_string(&w, &p, &len), 0);
		} else {
			p = w.p;
			len = fixed[i];
			assert_true(len <= w.left);
			w.p += len;
			w.left -= len;
		}
		set((enum part)i, p, len);
	}
	assert_true(wire_end(&w));
}

static void
put_together(struct bytes *b)
{
	size_t i;

	b->len = 0;
	for (i = 0; i < NPARTS; i++) {
		if (fixed[i] == 0) {
			put(b, parts[i].p, parts[i].len);
		} else {
			memcpy(b->p + b->len, parts[i].p, parts[i].len);
			b->len += parts[i].len;
		}
	}
}

/* Start from this good one. */
static void
forge(const char *name)
{
	struct cert c = good(name);

	take_apart(&c);
	cert_release(&c);
}

/* What the parts are, put together; *out empty for a refusal. */
static enum reason
judge(struct cert *out)
{
	static struct bytes b;
	enum reason why = AAD_R_CONFIG;
	int r;

	put_together(&b);
	*out = dirt();
	r = cert_from_blob(b.p, b.len, out, &why);
	if (r == 0) {
		assert_int_equal(why, AAD_R_UNSET);
		return AAD_R_ALLOWED;
	}
	assert_refused(r, why, out);
	return why;
}

/* The same, when only the verdict matters. */
static enum reason
verdict(void)
{
	struct cert c;
	enum reason why = judge(&c);

	cert_release(&c);
	return why;
}

static void
forging_changes_nothing_by_itself(void **state)
{
	struct cert c, want = good("user_ed25519");

	(void)state;
	forge("user_ed25519");
	assert_int_equal(judge(&c), AAD_R_ALLOWED);
	assert_same(&c, &want);
	cert_release(&c);
	cert_release(&want);
}

/* ---- bad ones ---- */

static void
junk_that_ssh_keygen_makes(void **state)
{
	char name[64], reason[64];
	struct pub p;
	int n = 0;
	FILE *f;

	(void)state;
	f = fopen(VECTORS "/bad.txt", "r");
	assert_non_null(f);
	for (; fscanf(f, "%63s %63s", name, reason) == 2; n++) {
		pub_load("bad", name, &p);
		assert_string_equal(reason_name(text_refused(p.type, p.base64)),
		    reason);
		assert_string_equal(reason_name(blob_refused(p.blob,
					p.blob_len)),
		    reason);
		free(p.blob);
	}
	fclose(f);
	assert_int_equal(n, 5);
}

static void
I_A10_type_must_be_the_inner_type(void **state)
{
	static const char *const others[] = { "", "ssh-ed25519",
		"ssh-ed25519-cert-v01@openssh.com ",
		"ssh-ed25519-cert-v01@openssh.co",
		"ssh-rsa-cert-v01@openssh.com",
		"SSH-ED25519-CERT-V01@OPENSSH.COM",
		"sk-ssh-ed25519-cert-v01@openssh.com" };
	struct pub p;
	size_t i;

	(void)state;
	pub_load("good", "user_ed25519", &p);
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		assert_int_equal(text_refused(others[i], p.base64),
		    AAD_R_KEY_MALFORMED);
	}
	free(p.blob);
}

static void
junk_types(void **state)
{
	static const char *const names[] = { "", "ssh-ed25519",
		"ssh-dss-cert-v01@openssh.com", "ssh-rsa-cert-v00@openssh.com",
		"ecdsa-sha2-nistp224-cert-v01@openssh.com",
		"rsa-sha2-512-cert-v01@openssh.com",
		"ssh-ed25519-cert-v01@openssh.com\n" };
	size_t i;

	(void)state;
	forge("user_ed25519");
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		set(TYPE, names[i], strlen(names[i]));
		assert_int_equal(verdict(), AAD_R_KEY_TYPE);
	}
	/* the fields of another kind */
	set(TYPE, "ssh-rsa-cert-v01@openssh.com", 28);
	assert_int_equal(verdict(), AAD_R_KEY_MALFORMED);
	set(TYPE, "ssh-ed25519-cert-v01@openssh.com\0", 33);
	assert_int_equal(verdict(), AAD_R_KEY_TYPE);
}

static void
junk_base64(void **state)
{
	static char longer[32768];
	struct pub p;

	(void)state;
	pub_load("good", "user_ed25519", &p);
	assert_int_equal(text_refused(p.type, ""), AAD_R_KEY_MALFORMED);
	assert_int_equal(text_refused(p.type, "!"), AAD_R_KEY_MALFORMED);
	snprintf(longer, sizeof(longer), "%s\n", p.base64);
	assert_int_equal(text_refused(p.type, longer), AAD_R_KEY_MALFORMED);
	memset(longer, 'A', sizeof(longer) - 1);
	assert_int_equal(text_refused(p.type, longer), AAD_R_KEY_MALFORMED);
	free(p.blob);
}

static void
empty_blob(void **state)
{

	(void)state;
	assert_int_equal(blob_refused("", 0), AAD_R_KEY_MALFORMED);
}

static void
junk_behind_the_last_field(void **state)
{
	struct bytes b;
	struct pub p;

	(void)state;
	pub_load("good", "user_ed25519", &p);
	memcpy(b.p, p.blob, p.blob_len);
	memset(b.p + p.blob_len, 0, 8);
	for (b.len = p.blob_len + 1; b.len <= p.blob_len + 8; b.len++)
		assert_int_equal(blob_refused(b.p, b.len), AAD_R_KEY_MALFORMED);
	free(p.blob);
}

static void
I_D3_wrong_kind(void **state)
{
	static const uint8_t kinds[][4] = { { 0, 0, 0, 0 }, { 0, 0, 0, 3 },
		{ 0xff, 0xff, 0xff, 0xff }, { 1, 0, 0, 1 }, { 0, 0, 1, 1 } };
	size_t i;

	(void)state;
	forge("user_ed25519");
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		set(KIND, kinds[i], 4);
		assert_int_equal(verdict(), AAD_R_KEY_MALFORMED);
	}
}

/* A foreign curve, a weak or crooked key, in both places. */
static void
I_C9_unsound_keys(void **state)
{
	uint8_t zero[32] = { 0 };
	struct bytes ca = { .len = 0 };

	(void)state;
	forge("user_ed25519");
	set(KEY, zero, 32); /* a point of low order */
	assert_int_equal(verdict(), AAD_R_KEY_WEAK);
	set(KEY, zero, 31);
	assert_int_equal(verdict(), AAD_R_KEY_MALFORMED);
	forge("user_ed25519");
	put_text(&ca, "ssh-ed25519");
	put(&ca, zero, 32);
	set(CA, ca.p, ca.len);
	assert_int_equal(verdict(), AAD_R_KEY_WEAK);
	set(CA, ca.p, ca.len - 1);
	assert_int_equal(verdict(), AAD_R_KEY_MALFORMED);
	set(CA, ca.p, 0);
	assert_int_equal(verdict(), AAD_R_KEY_MALFORMED);
}

static void
I_D2_no_certificate_as_an_authority(void **state)
{
	struct pub p;

	(void)state;
	pub_load("good", "by_ecdsa256", &p);
	forge("user_ed25519");
	set(CA, p.blob, p.blob_len);
	assert_int_equal(verdict(), AAD_R_KEY_MALFORMED);
	free(p.blob);
}

static void
no_signature(void **state)
{
	struct cert c;

	(void)state;
	forge("user_ed25519");
	set(SIGNATURE, "", 0);
	assert_int_equal(verdict(), AAD_R_KEY_MALFORMED);
	/* NB. any other is not looked at: sshd has verified it. */
	set(SIGNATURE, "x", 1);
	assert_int_equal(judge(&c), AAD_R_ALLOWED);
	assert_int_equal(cert_verify(&c), AAD_ESIG);
	cert_release(&c);
}

static void
nonce_and_reserved_may_hold_anything(void **state)
{
	(void)state;
	forge("user_ed25519");
	set(NONCE, "", 0);
	set(RESERVED, "\0\0\0\1x", 5);
	assert_int_equal(verdict(), AAD_R_ALLOWED);
}

/* ---- principals ---- */

static void
boundary_principals(void **state)
{
	struct bytes list = { .len = 0 };
	struct cert c;
	size_t i;

	(void)state;
	forge("user_ed25519");
	for (i = 0; i < CERT_PRINCIPALS_MAX; i++)
		put_text(&list, i == 0 ? "" : "x");
	set(PRINCIPALS, list.p, list.len);
	assert_int_equal(judge(&c), AAD_R_ALLOWED);
	assert_int_equal(c.nprincipals, CERT_PRINCIPALS_MAX);
	assert_string_equal(c.principals[0], "");
	assert_string_equal(c.principals[CERT_PRINCIPALS_MAX - 1], "x");
	cert_release(&c);
	put_text(&list, "x");
	set(PRINCIPALS, list.p, list.len);
	assert_int_equal(verdict(), AAD_R_KEY_MALFORMED);
}

static void
junk_principals(void **state)
{
	struct bytes list = { .len = 0 };

	(void)state;
	forge("user_ed25519");
	put(&list, "root", 5); /* the NUL that sshd drops */
	set(PRINCIPALS, list.p, list.len);
	assert_int_equal(verdict(), AAD_R_KEY_MALFORMED);
	list.len = 0;
	put(&list, "a\0b", 3);
	set(PRINCIPALS, list.p, list.len);
	assert_int_equal(verdict(), AAD_R_KEY_MALFORMED);
	list.len = 0;
	put_text(&list, "alice");
	set(PRINCIPALS, list.p, list.len - 1);
	assert_int_equal(verdict(), AAD_R_KEY_MALFORMED);
	memset(list.p + list.len, 0, 3);
	set(PRINCIPALS, list.p, list.len + 3);
	assert_int_equal(verdict(), AAD_R_KEY_MALFORMED);
	set(PRINCIPALS, "\xff\xff\xff\xff", 4);
	assert_int_equal(verdict(), AAD_R_KEY_MALFORMED);
}

/* ---- options ---- */

/* NAMES with blanks between, each with empty data, as a part. */
static enum reason
judge_options(enum part part, const char *names)
{
	struct bytes list = { .len = 0 };
	size_t len;

	for (;; names += len + 1) {
		len = strcspn(names, " ");
		put(&list, names, len);
		put(&list, "", 0);
		if (names[len] == '\0')
			break;
	}
	set(part, list.p, list.len);
	return verdict();
}

static void
duplicate_and_unsorted_options(void **state)
{
	static const enum part where[] = { CRITICAL, EXTENSIONS };
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		forge("user_ed25519");
		assert_int_equal(judge_options(where[i], "a"), AAD_R_ALLOWED);
		assert_int_equal(judge_options(where[i], "B a aa b"),
		    AAD_R_ALLOWED);
		assert_int_equal(judge_options(where[i], "a a"),
		    AAD_R_KEY_MALFORMED);
		assert_int_equal(judge_options(where[i], "a b a"),
		    AAD_R_KEY_MALFORMED);
		assert_int_equal(judge_options(where[i], "b a"),
		    AAD_R_KEY_MALFORMED);
		assert_int_equal(judge_options(where[i], "aa a"),
		    AAD_R_KEY_MALFORMED);
		assert_int_equal(judge_options(where[i], ""),
		    AAD_R_KEY_MALFORMED);
	}
}

static void
junk_options(void **state)
{
	struct bytes list = { .len = 0 };
	struct cert c;

	(void)state;
	forge("user_ed25519");
	put_text(&list, "force-command");
	set(CRITICAL, list.p, list.len); /* no data */
	assert_int_equal(verdict(), AAD_R_KEY_MALFORMED);
	put(&list, "\0\0\0\2ls", 6);
	set(CRITICAL, list.p, list.len);
	assert_int_equal(judge(&c), AAD_R_ALLOWED);
	assert_int_equal(c.critical.len, list.len);
	assert_memory_equal(c.critical.p, list.p, list.len);
	assert_true(c.critical.p > c.blob);
	cert_release(&c);
	set(CRITICAL, list.p, list.len - 1);
	assert_int_equal(verdict(), AAD_R_KEY_MALFORMED);
	list.len = 0;
	put(&list, "pty", 4); /* a NUL at its end */
	put(&list, "", 0);
	set(CRITICAL, "", 0);
	set(EXTENSIONS, list.p, list.len);
	assert_int_equal(verdict(), AAD_R_KEY_MALFORMED);
}

/* ---- the key id ---- */

static struct cert
with_key_id(const void *id, size_t len)
{
	struct cert c;

	forge("user_ed25519");
	set(KEY_ID, id, len);
	assert_int_equal(judge(&c), AAD_R_ALLOWED);
	return c;
}

static void
key_id_of_no_use_is_no_error(void **state)
{
	static const char *const useless[] = { "a\nb", "a\tb", "\x7f",
		"\xc3\xa9", ("\x1b[2J oid=" OID) };
	char id[CERT_KEY_ID_MAX + 2], out[NAME_GUID_LEN + 1];
	struct cert c;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(useless) / sizeof(useless[0]); i++) {
		c = with_key_id(useless[i], strlen(useless[i]));
		assert_null(c.key_id);
		assert_int_equal(cert_key_oid(&c, out), AAD_ENOENT);
		assert_string_equal(out, "");
		cert_release(&c);
	}
	c = with_key_id(" ~", 2);
	assert_string_equal(c.key_id, " ~");
	cert_release(&c);
	memset(id, 'x', sizeof(id));
	memcpy(id + sizeof(id) - 42, " oid=" OID, 41);
	c = with_key_id(id, CERT_KEY_ID_MAX + 1);
	assert_null(c.key_id);
	cert_release(&c);
	c = with_key_id(id + 1, CERT_KEY_ID_MAX);
	assert_int_equal(strlen(c.key_id), CERT_KEY_ID_MAX);
	assert_int_equal(cert_key_oid(&c, out), 0);
	assert_string_equal(out, OID);
	cert_release(&c);
	/* what sshd itself refuses */
	forge("user_ed25519");
	set(KEY_ID, "alice", 6);
	assert_int_equal(verdict(), AAD_R_KEY_MALFORMED);
}

#define OTHER "00000000-0000-4000-8000-000000000000"

static void
fields_of_a_key_id(void **state)
{
	static const struct {
		const char *id;
		const char *oid; /* NULL: none */
		const char *tid;
	} rows[] = {
		{ "alice@contoso.com oid=" OID " tid=" TID " uti=Zm9v-_", OID,
		    TID },
		{ "oid=" OID, OID, NULL },
		{ "x tid=" TID " oid=" OID, OID, TID },
		{ "x oid=1C9A52DE-7B30-4F86-9E41-6A0D8C35B2F1", OID, NULL },
		/* a name that looks like fields */
		{ "oid=" OTHER " oid=" OID " tid=" TID " uti=a", OID, TID },
		{ "a oid=" OTHER " b oid=" OID " tid=" TID, OID, TID },
		{ "oid=" OTHER " alice", NULL, NULL },
		{ "oid=" OTHER " tid=" TID " x uti=a", NULL, NULL },
		{ "oid=" OTHER "  uti=a", NULL, NULL }, /* two blanks */
		{ "oid=" OID " ", NULL, NULL },
		/* no GUID, whatever stands further left */
		{ "oid=" OID " oid=1234", NULL, NULL },
		{ "oid=" OID " oid=", NULL, NULL },
		{ "oid=" OID "0", NULL, NULL },
		{ "xoid=" OID, NULL, NULL },
		{ "OID=" OID, NULL, NULL },
		{ "oid=" OID ",tid=" TID, NULL, NULL },
		{ "bob in room 7", NULL, NULL },
		{ " ", NULL, NULL },
		{ "=", NULL, NULL },
		{ "", NULL, NULL },
	};
	char out[NAME_GUID_LEN + 1];
	struct cert c;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		c = with_key_id(rows[i].id, strlen(rows[i].id));
		assert_string_equal(c.key_id, rows[i].id);
		assert_int_equal(cert_key_oid(&c, out),
		    rows[i].oid != NULL ? 0 : AAD_ENOENT);
		assert_string_equal(out,
		    rows[i].oid != NULL ? rows[i].oid : "");
		assert_int_equal(cert_key_tid(&c, out),
		    rows[i].tid != NULL ? 0 : AAD_ENOENT);
		assert_string_equal(out,
		    rows[i].tid != NULL ? rows[i].tid : "");
		cert_release(&c);
	}
}

/* ---- sizes ---- */

static void
boundary_blob_size(void **state)
{
	static struct bytes b, pad;
	char *text;
	struct cert c;
	enum reason why;

	(void)state;
	forge("user_ed25519");
	set(NONCE, "", 0);
	put_together(&b);
	pad.len = CERT_BLOB_MAX - b.len;
	set(NONCE, pad.p, pad.len);
	assert_int_equal(judge(&c), AAD_R_ALLOWED);
	assert_int_equal(b64_encode(B64_STD, c.blob, c.blob_len, &text), 0);
	cert_release(&c);
	assert_int_equal(cert_decode("ssh-ed25519-cert-v01@openssh.com", text,
			     &c, &why),
	    0);
	assert_int_equal(c.blob_len, CERT_BLOB_MAX);
	free(text);
	cert_release(&c);
	set(NONCE, pad.p, pad.len + 1);
	assert_int_equal(verdict(), AAD_R_KEY_MALFORMED);
	put_together(&b);
	assert_int_equal(b64_encode(B64_STD, b.p, b.len, &text), 0);
	assert_int_equal(text_refused("ssh-ed25519-cert-v01@openssh.com", text),
	    AAD_R_KEY_MALFORMED);
	free(text);
}

static void
I_D7_numbers_have_eight_bytes(void **state)
{
	static const uint8_t bytes[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };
	struct wire w = wire_of(bytes, 7);
	uint64_t n = 7;

	(void)state;
	assert_int_equal(wire_u64(&w, &n), AAD_EFORMAT);
	assert_true(n == 0);
	assert_ptr_equal(w.p, bytes);
	assert_int_equal(w.left, 7);
	w = wire_of(bytes, 9);
	assert_int_equal(wire_u64(&w, &n), 0);
	assert_true(n == UINT64_C(0x0102030405060708));
	assert_int_equal(w.left, 1);
}

/* ---- mutation ---- */

static void
check_damaged(const uint8_t *p, size_t len, enum mutation how, size_t at,
    void *arg)
{
	const struct cert *original = arg;
	struct cert c = dirt();
	enum reason why = AAD_R_UNSET;
	char out[NAME_GUID_LEN + 1];
	int r;

	(void)at;
	r = cert_from_blob(p, len, &c, &why);
	if (r != 0) {
		assert_refused(r, why, &c);
		return;
	}
	/* never cut short, never with something behind it */
	assert_int_equal(how, MUTATE_BIT_FLIP);
	assert_int_equal(c.blob_len, original->blob_len);
	assert_memory_not_equal(c.blob, original->blob, c.blob_len);
	assert_true(c.nprincipals <= CERT_PRINCIPALS_MAX);
	if (cert_key_oid(&c, out) == 0)
		assert_true(name_guid_ok(out));
	cert_release(&c);
}

/* Whether a certificate of this sort, of these two keys, was seen before. */
static bool
seen(char list[static 1024], const struct cert *c)
{
	char sort[128];

	snprintf(sort, sizeof(sort), " %s/%s/%d ", key_type_name(&c->key),
	    key_type_name(&c->ca), c->type);
	if (strstr(list, sort) != NULL)
		return true;
	assert_true(strlen(list) + strlen(sort) < 1024);
	memcpy(list + strlen(list), sort, strlen(sort) + 1);
	return false;
}

/* All of the first of its sort, an eighth of the next, by turns. */
static void
walk_blob(const struct row *row)
{
	static char sorts[1024];
	static unsigned int turn;
	struct cert c;

	/* long, and the same code as the others */
	if (strcmp(row->name, "many_principals") == 0)
		return;
	c = good(row->name);
	if (seen(sorts, &c))
		mutate_sample(c.blob, c.blob_len, turn++, check_damaged, &c);
	else
		mutate_walk(c.blob, c.blob_len, check_damaged, &c);
	cert_release(&c);
}

static void
II_O4_every_bit_flip(void **state)
{
	(void)state;
	each_row(walk_blob);
}

static const char *walked_type;

static void
check_damaged_text(const uint8_t *p, size_t len, enum mutation how, size_t at,
    void *arg)
{
	struct cert c = dirt();
	enum reason why = AAD_R_UNSET;
	int r;

	(void)at;
	(void)arg;
	if (how == MUTATE_APPEND && p[len - 1] == '\0')
		return; /* the same string */
	r = cert_decode(walked_type, (const char *)p, &c, &why);
	if (r != 0) {
		assert_refused(r, why, &c);
		return;
	}
	assert_int_equal(how, MUTATE_BIT_FLIP);
	cert_release(&c);
}

static void
II_O4_every_damage_of_the_text(void **state)
{
	struct pub p;

	(void)state;
	pub_load("good", "all_options", &p);
	walked_type = p.type;
	mutate_walk(p.base64, strlen(p.base64), check_damaged_text, NULL);
	free(p.blob);
}

/* ---- failing allocations ---- */

static void
starve(const char *name, bool text, unsigned int allocations)
{
	struct cert c;
	enum reason why;
	unsigned int i;
	struct pub p;
	bool hit;
	int r;

	pub_load("good", name, &p);
	for (i = 1;; i++) {
		c = dirt();
		fault_arm(FAULT_ALLOC, i, ENOMEM);
		r = text ? cert_decode(p.type, p.base64, &c, &why)
			 : cert_from_blob(p.blob, p.blob_len, &c, &why);
		hit = fault_disarm();
		if (!hit)
			break;
		assert_int_equal(r, AAD_ENOMEM);
		assert_int_equal(why, AAD_R_NO_MEMORY);
		assert_empty(&c);
	}
	assert_int_equal(r, 0);
	assert_int_equal(i, allocations + 1); /* each fault was felt */
	cert_release(&c);
	free(p.blob);
}

static void
no_memory(void **state)
{
	(void)state;
	/* blob, plain key, its copy, key id, list, 2 principals, authority */
	starve("two_principals", true, 8);
	starve("two_principals", false, 8);
	starve("no_principals", true, 5);
	starve("user_rsa2048", true, 7);
}

/* ---- a line of a file ---- */

static int
from_pub(const char *text, size_t len, struct cert *c)
{
	enum reason why = AAD_R_UNSET;
	int r;

	*c = dirt();
	r = cert_from_pub(text, len, c, &why);
	if (r != 0)
		assert_refused(r, why, c);
	return r;
}

static void
valid_lines(void **state)
{
	struct cert c, want = good("two_principals");
	static char text[33000];
	struct pub p;
	size_t i, len;

	(void)state;
	pub_load("good", "two_principals", &p);
	assert_int_equal(from_pub(p.text, strlen(p.text), &c), 0);
	assert_same(&c, &want);
	cert_release(&c);
	for (i = 0; i < 3; i++) {
		len = (size_t)snprintf(text, sizeof(text), "%s\t %s%s", p.type,
		    p.base64,
		    i == 0   ? ""
		    : i == 1 ? " "
			     : " a comment\n");
		assert_int_equal(from_pub(text, len, &c), 0);
		assert_same(&c, &want);
		cert_release(&c);
	}
	free(p.blob);
	cert_release(&want);
}

static void
junk_lines(void **state)
{
	static const struct {
		const char *before, *between, *behind;
	} rows[] = {
		{ " ", " ", "" },
		{ "", "", "" },
		{ "", "\n", "" },
		{ "", " ", "\n\n" },
		{ "", " ", "\r\n" },
		{ "", " ", "\nx" },
		{ "", " ", "=" },
		{ "x", " ", "" },
		{ "cert-authority ", " ", "" },
	};
	static char text[33000];
	struct cert c;
	struct pub p;
	size_t i, len;

	(void)state;
	pub_load("good", "two_principals", &p);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		len = (size_t)snprintf(text, sizeof(text), "%s%s%s%s%s",
		    rows[i].before, p.type, rows[i].between, p.base64,
		    rows[i].behind);
		assert_int_equal(from_pub(text, len, &c), AAD_EREFUSED);
	}
	assert_int_equal(from_pub("", 0, &c), AAD_EREFUSED);
	len = (size_t)snprintf(text, sizeof(text), "%s %s x", p.type, p.base64);
	text[len - 1] = '\0';
	assert_int_equal(from_pub(text, len, &c), AAD_EREFUSED);
	free(p.blob);
	/* a plain key */
	pub_load("bad", "plain", &p);
	assert_int_equal(from_pub(p.text, strlen(p.text), &c), AAD_EREFUSED);
	free(p.blob);
}

/* ---- the signature ---- */

/* Call fn with each certificate of a folder; returns how many. */
static int
each_of(const char *folder, void (*fn)(const char *path, struct cert *c))
{
	static char text[33000];
	char path[600];
	struct dirent *e;
	struct cert c;
	DIR *d;
	FILE *f;
	size_t len;
	int n = 0;

	assert_non_null(d = opendir(folder));
	while ((e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
		assert_non_null(f = fopen(path, "r"));
		len = fread(text, 1, sizeof(text) - 1, f);
		fclose(f);
		text[len] = '\0';
		assert_int_equal(from_pub(text, len, &c), 0);
		fn(path, &c);
		cert_release(&c);
		n++;
	}
	closedir(d);
	return n;
}

static void
verifies(const char *path, struct cert *c)
{
	(void)path;
	assert_int_equal(cert_verify(c), 0);
	assert_ptr_equal(c->signature, c->blob + c->signed_len + 4);
	assert_int_equal(c->signed_len + 4 + c->signature_len, c->blob_len);
	assert_memory_equal(c->ca.hash, c->ca_hash, 32);
}

static void
fails(const char *path, struct cert *c)
{
	(void)path;
	assert_int_equal(cert_verify(c), AAD_ESIG);
}

static void
valid_signatures_of_every_authority(void **state)
{
	(void)state;
	assert_int_equal(each_of(VECTORS "/good", verifies), 28);
	assert_int_equal(each_of(SIGNED "/good", verifies), 12);
	assert_int_equal(each_of(SIGNED "/options", verifies), 18);
}

static void
II_C11_an_authority_that_signs_with_sha1(void **state)
{
	(void)state;
	assert_int_equal(each_of(SIGNED "/bad", fails), 1);
}

/* Not decoded, or not verified: whatever was changed. */
static void
check_forged(const uint8_t *p, size_t len, enum mutation how, size_t at,
    void *arg)
{
	enum reason why;
	struct cert c;

	(void)how;
	(void)at;
	(void)arg;
	if (cert_from_blob(p, len, &c, &why) == 0)
		assert_int_equal(cert_verify(&c), AAD_ESIG);
	cert_release(&c);
}

static void
walk_forged(const char *path, struct cert *c)
{
	/* the larger ones take long, and are of the same code */
	if (strstr(path, "/rsa3") == NULL && strstr(path, "/rsa4") == NULL &&
	    strstr(path, "84") == NULL && strstr(path, "521") == NULL)
		mutate_walk(c->blob, c->blob_len, check_forged, NULL);
}

static void
I_D1_every_forged_bit(void **state)
{
	(void)state;
	each_of(SIGNED "/good", walk_forged);
}

/* ---- options one by one ---- */

static void
I_C4_options_one_by_one(void **state)
{
	static const struct {
		const char *data;
		size_t len;
		const char *value;
		size_t value_len;
		bool raw;
	} rows[] = {
		{ "", 0, NULL, 0, false },
		{ "\0\0\0\0", 4, "", 0, false },
		{ "\0\0\0\2ls", 6, "ls", 2, false },
		{ "\0\0\0\2l\0", 6, "l\0", 2, false },
		/* what is no string, or more than one */
		{ "ls", 2, NULL, 0, true },
		{ "force", 5, NULL, 0, true },
		{ "\0\0\0\2l", 5, NULL, 0, true },
		{ "\0\0\0\2lsx", 7, NULL, 0, true },
		{ "\0\0\0\1l\0\0\0\1s", 10, NULL, 0, true },
	};
	const size_t n = sizeof(rows) / sizeof(rows[0]);
	struct bytes list = { .len = 0 };
	struct cert_options left;
	const char *name, *value;
	size_t i, namelen, valuelen;
	char label[2] = "a";
	struct cert c;
	bool raw;

	(void)state;
	forge("user_ed25519");
	for (i = 0; i < n; i++, label[0]++) {
		put_text(&list, label);
		put(&list, rows[i].data, rows[i].len);
	}
	set(CRITICAL, list.p, list.len);
	assert_int_equal(judge(&c), AAD_R_ALLOWED);
	left = c.critical;
	for (i = 0; i < n; i++) {
		assert_true(cert_option_next(&left, &name, &namelen, &value,
		    &valuelen, &raw));
		assert_int_equal(namelen, 1);
		assert_int_equal(name[0], 'a' + (int)i);
		assert_int_equal(raw, rows[i].raw);
		assert_int_equal(valuelen, rows[i].value_len);
		assert_int_equal(value == NULL, rows[i].value == NULL);
		if (valuelen > 0)
			assert_memory_equal(value, rows[i].value, valuelen);
	}
	for (i = 0; i < 2; i++) {
		assert_false(cert_option_next(&left, &name, &namelen, &value,
		    &valuelen, &raw));
		assert_null(name);
		assert_null(value);
		assert_false(raw);
	}
	cert_release(&c);
}

/* ---- writing ---- */

static void
writes_the_same(const char *path, struct cert *c)
{
	struct respec again;
	uint8_t *body;
	size_t len;

	(void)path;
	assert_true(respec_of(c, &again));
	assert_int_equal(cert_encode(&again.spec, &body, &len), 0);
	assert_int_equal(len, c->signed_len);
	assert_memory_equal(body, c->blob, len);
	free(body);
	respec_release(&again);
}

/* NB. the names of extensions in upper case come first, as ssh-keygen has
 * them. */
static void
I_C4_byte_for_byte_as_ssh_keygen(void **state)
{
	(void)state;
	assert_int_equal(each_of(SIGNED "/options", writes_the_same), 18);
	assert_int_equal(each_of(SIGNED "/good", writes_the_same), 12);
	assert_int_equal(each_of(VECTORS "/good", writes_the_same), 28);
}

static void
line_is_the_files(const char *path, struct cert *c)
{
	char text[33000], *line;
	const char *comment;
	size_t len;
	FILE *f;

	assert_non_null(f = fopen(path, "r"));
	len = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[len] = '\0';
	comment = strchr(strchr(text, ' ') + 1, ' ') + 1;
	text[len - 1] = '\0'; /* the line feed */
	assert_int_equal(cert_line(c, comment, &line), 0);
	text[len - 1] = '\n';
	assert_string_equal(line, text);
	free(line);
}

static void
lines_as_ssh_keygen_writes_them(void **state)
{
	static const struct cert nobodys;
	struct cert c = good("user_rsa2048"), again;
	char *line = (char *)&c;

	(void)state;
	assert_int_equal(each_of(VECTORS "/good", line_is_the_files), 28);
	assert_int_equal(cert_line(&c, NULL, &line), 0);
	assert_null(strchr(strchr(line, ' ') + 1, ' '));
	assert_int_equal(from_pub(line, strlen(line), &again), 0);
	assert_same(&c, &again);
	cert_release(&again);
	free(line);
	assert_int_equal(cert_line(&c, "a\nb", &line), AAD_EARG);
	assert_null(line);
	assert_int_equal(cert_line(&c, "Zo\xc3\xab", &line), AAD_EARG);
	assert_int_equal(cert_line(&nobodys, "x", &line), AAD_EARG);
	cert_release(&c);
}

/* An authority, a subject, and what is asked for. */
struct making {
	struct privkey ca;
	struct privkey subject;
	const char *principals[CERT_PRINCIPALS_MAX + 1];
	struct cert_option critical[4], extensions[4];
	struct cert_spec spec;
};

static void
make(struct making *m)
{
	static const uint8_t one[32] = { 1 }, two[32] = { 2 };

	memset(m, 0, sizeof(*m));
	assert_int_equal(privkey_of_seed(one, &m->ca), 0);
	assert_int_equal(privkey_of_seed(two, &m->subject), 0);
	m->principals[0] = "alice";
	m->principals[1] = "alice@web";
	m->critical[0].name = "force-command";
	m->critical[0].value = "/bin/true";
	m->critical[1].name = "verify-required";
	m->extensions[0].name = "permit-X11-forwarding";
	m->extensions[1].name = "permit-pty";
	m->spec.key = &m->subject.pub;
	m->spec.ca = &m->ca.pub;
	memset(m->spec.nonce, 0x5a, sizeof(m->spec.nonce));
	m->spec.serial = 42;
	m->spec.type = CERT_USER;
	m->spec.key_id = "alice@contoso.com oid=" OID " tid=" TID " uti=a";
	m->spec.principals = m->principals;
	m->spec.nprincipals = 2;
	m->spec.valid_after = 1000;
	m->spec.valid_before = 2000;
	m->spec.critical = m->critical;
	m->spec.ncritical = 2;
	m->spec.extensions = m->extensions;
	m->spec.nextensions = 2;
}

static void
made(struct making *m)
{
	privkey_release(&m->ca);
	privkey_release(&m->subject);
}

static int
encode(struct making *m, uint8_t **bodyp, size_t *lenp)
{
	int r;

	*bodyp = (uint8_t *)m;
	*lenp = 1;
	r = cert_encode(&m->spec, bodyp, lenp);
	if (r != 0) {
		assert_null(*bodyp);
		assert_int_equal(*lenp, 0);
	}
	return r;
}

/* The verdict of cert_encode() alone. */
static int
encodes(struct making *m)
{
	uint8_t *body;
	size_t len;
	int r = encode(m, &body, &len);

	free(body);
	return r;
}

static int
finish(const struct cert_spec *s, const uint8_t *body, size_t len,
    struct secret *secret, struct cert *c)
{
	uint8_t *sig;
	size_t siglen;
	int r;

	assert_int_equal(sign_ed25519(secret, body, len, &sig, &siglen), 0);
	*c = dirt();
	r = cert_finish(s, body, len, sig, siglen, c);
	free(sig);
	if (r != 0)
		assert_empty(c);
	return r;
}

/* Both, and the certificate. */
static struct cert
issue(struct making *m)
{
	uint8_t *body;
	struct cert c;
	size_t len;

	assert_int_equal(encode(m, &body, &len), 0);
	assert_int_equal(finish(&m->spec, body, len, m->ca.secret, &c), 0);
	assert_int_equal(c.signed_len, len);
	assert_memory_equal(c.blob, body, len);
	free(body);
	return c;
}

static void
assert_options(struct cert_options have, const struct cert_option *want,
    size_t n)
{
	const char *name, *value;
	size_t i, namelen, valuelen;
	bool raw;

	for (i = 0; i < n; i++) {
		assert_true(cert_option_next(&have, &name, &namelen, &value,
		    &valuelen, &raw));
		assert_false(raw);
		assert_int_equal(namelen, strlen(want[i].name));
		assert_memory_equal(name, want[i].name, namelen);
		assert_int_equal(value == NULL, want[i].value == NULL);
		if (value == NULL)
			continue;
		assert_int_equal(valuelen, strlen(want[i].value));
		assert_memory_equal(value, want[i].value, valuelen);
	}
	assert_false(cert_option_next(&have, &name, &namelen, &value, &valuelen,
	    &raw));
}

/* Every field of the certificate is what was asked for. */
static void
assert_as_asked(const struct cert *c, const struct cert_spec *s)
{
	size_t i;

	assert_memory_equal(c->key.hash, s->key->hash, 32);
	assert_int_equal(c->key.kind, s->key->kind);
	assert_memory_equal(c->ca.hash, s->ca->hash, 32);
	assert_true(c->serial == s->serial);
	assert_int_equal(c->type, s->type);
	assert_string_equal(c->key_id, s->key_id);
	assert_int_equal(c->nprincipals, s->nprincipals);
	for (i = 0; i < s->nprincipals; i++)
		assert_string_equal(c->principals[i], s->principals[i]);
	assert_true(c->valid_after == s->valid_after);
	assert_true(c->valid_before == s->valid_before);
	assert_options(c->critical, s->critical, s->ncritical);
	assert_options(c->extensions, s->extensions, s->nextensions);
	assert_int_equal(cert_verify(c), 0);
}

static void
valid_certificate(void **state)
{
	char oid[NAME_GUID_LEN + 1];
	struct making m;
	struct cert c;

	(void)state;
	make(&m);
	c = issue(&m);
	assert_as_asked(&c, &m.spec);
	assert_int_equal(cert_key_oid(&c, oid), 0);
	assert_string_equal(oid, OID);
	cert_release(&c);
	made(&m);
}

/* Of every plain type that can be certified. */
static void
valid_every_subject(void **state)
{
	static const char *const names[] = { "ed25519", "ecdsa256", "ecdsa384",
		"ecdsa521", "rsa2048", "sk_ed25519", "sk_ecdsa256" };
	char name[64];
	struct making m;
	struct cert c, from;
	size_t i;

	(void)state;
	make(&m);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(name, sizeof(name), "user_%s", names[i]);
		from = good(name);
		m.spec.key = &from.key;
		m.spec.type = i % 2 == 0 ? CERT_USER : CERT_HOST;
		c = issue(&m);
		assert_as_asked(&c, &m.spec);
		cert_release(&c);
		cert_release(&from);
	}
	made(&m);
}

/* ---- random specs ---- */

/* At most max bytes of printable text; heap. */
static char *
any_text(size_t max, bool empty)
{
	size_t i, len = randombytes_uniform((uint32_t)max) + (empty ? 0 : 1);
	char *s = malloc(len + 1);

	assert_non_null(s);
	for (i = 0; i < len; i++)
		s[i] = (char)(' ' + randombytes_uniform(95));
	s[len] = '\0';
	return s;
}

static int
by_name(const void *a, const void *b)
{
	const struct cert_option *x = a, *y = b;

	return strcmp(x->name, y->name);
}

/* Sorted, each once, with values or without. */
static size_t
any_options(struct cert_option *o, size_t max)
{
	size_t i, n = randombytes_uniform((uint32_t)max + 1), kept = 0;

	for (i = 0; i < n; i++) {
		o[i].name = any_text(20, false);
		o[i].value = i % 3 == 0 ? NULL : any_text(60, true);
	}
	qsort(o, n, sizeof(*o), by_name);
	for (i = 0; i < n; i++) {
		if (kept > 0 && strcmp(o[kept - 1].name, o[i].name) == 0) {
			free((void *)(uintptr_t)o[i].name);
			free((void *)(uintptr_t)o[i].value);
			continue;
		}
		o[kept++] = o[i];
	}
	return kept;
}

static uint64_t
any_number(void)
{
	uint64_t n;

	randombytes_buf(&n, sizeof(n));
	return n >> randombytes_uniform(64);
}

static void
drop_options(const struct cert_option *o, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		free((void *)(uintptr_t)o[i].name);
		free((void *)(uintptr_t)o[i].value);
	}
}

static void
I_C5_random_certificates_read_back(void **state)
{
	struct cert_option critical[12], extensions[12];
	char *key_id, *names[32];
	struct making m;
	struct cert c;
	size_t i, round;

	(void)state;
	make(&m);
	for (round = 0; round < 300; round++) {
		randombytes_buf(m.spec.nonce, sizeof(m.spec.nonce));
		m.spec.serial = any_number();
		m.spec.type = round % 2 == 0 ? CERT_USER : CERT_HOST;
		m.spec.key_id = key_id = any_text(CERT_KEY_ID_MAX, true);
		m.spec.nprincipals = randombytes_uniform(33);
		for (i = 0; i < m.spec.nprincipals; i++)
			m.principals[i] = names[i] = any_text(40, true);
		m.spec.valid_after = any_number();
		m.spec.valid_before = any_number();
		m.spec.critical = critical;
		m.spec.ncritical = any_options(critical, 12);
		m.spec.extensions = extensions;
		m.spec.nextensions = any_options(extensions, 12);
		c = issue(&m);
		assert_as_asked(&c, &m.spec);
		cert_release(&c);
		for (i = 0; i < m.spec.nprincipals; i++)
			free(names[i]);
		free(key_id);
		drop_options(critical, m.spec.ncritical);
		drop_options(extensions, m.spec.nextensions);
	}
	made(&m);
}

/* ---- what is not written ---- */

static void
I_C5_options_unsorted_repeated_nameless(void **state)
{
	static const char *const bad[][2] = { { "b", "a" }, { "a", "a" },
		{ "aa", "a" }, { "", "a" }, { "a", "" }, { NULL, "a" },
		{ "permit-pty", "permit-X11-forwarding" } };
	struct making m;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		make(&m);
		m.critical[0].name = bad[i][0];
		m.critical[1].name = bad[i][1];
		assert_int_equal(encodes(&m), AAD_EARG);
		made(&m);
		make(&m);
		m.extensions[0].name = bad[i][0];
		m.extensions[1].name = bad[i][1];
		assert_int_equal(encodes(&m), AAD_EARG);
		made(&m);
	}
}

static void
I_D4_principals_from_none_to_too_many(void **state)
{
	struct making m;
	struct cert c;
	size_t i;

	(void)state;
	make(&m);
	m.spec.nprincipals = 0;
	m.spec.principals = NULL;
	c = issue(&m);
	assert_int_equal(c.nprincipals, 0);
	assert_null(c.principals);
	cert_release(&c);
	for (i = 0; i <= CERT_PRINCIPALS_MAX; i++)
		m.principals[i] = "x";
	m.spec.principals = m.principals;
	m.spec.nprincipals = CERT_PRINCIPALS_MAX;
	c = issue(&m);
	assert_int_equal(c.nprincipals, CERT_PRINCIPALS_MAX);
	cert_release(&c);
	m.spec.nprincipals++;
	assert_int_equal(encodes(&m), AAD_EARG);
	m.spec.nprincipals = 2;
	m.principals[1] = NULL;
	assert_int_equal(encodes(&m), AAD_EARG);
	made(&m);
}

static void
I_C5_boundary_key_id(void **state)
{
	char id[CERT_KEY_ID_MAX + 2];
	struct making m;
	struct cert c;

	(void)state;
	make(&m);
	memset(id, 'x', sizeof(id));
	id[CERT_KEY_ID_MAX] = '\0';
	m.spec.key_id = id;
	c = issue(&m);
	assert_string_equal(c.key_id, id);
	cert_release(&c);
	id[CERT_KEY_ID_MAX] = 'x';
	id[CERT_KEY_ID_MAX + 1] = '\0';
	assert_int_equal(encodes(&m), AAD_EARG);
	m.spec.key_id = "a\nb";
	assert_int_equal(encodes(&m), AAD_EARG);
	m.spec.key_id = "Zo\xc3\xab";
	assert_int_equal(encodes(&m), AAD_EARG);
	m.spec.key_id = "\x7f";
	assert_int_equal(encodes(&m), AAD_EARG);
	m.spec.key_id = " ~";
	assert_int_equal(encodes(&m), 0);
	m.spec.key_id = NULL;
	assert_int_equal(encodes(&m), AAD_EARG);
	m.spec.key_id = "";
	assert_int_equal(encodes(&m), 0);
	made(&m);
}

static void
wrong_arguments(void **state)
{
	static const struct key nobodys;
	struct key hollow;
	struct making m;

	(void)state;
	make(&m);
	m.spec.type = CERT_NONE;
	assert_int_equal(encodes(&m), AAD_EARG);
	m.spec.type = (enum cert_type)3;
	assert_int_equal(encodes(&m), AAD_EARG);
	m.spec.type = CERT_HOST;
	assert_int_equal(encodes(&m), 0);
	m.spec.key = &nobodys;
	assert_int_equal(encodes(&m), AAD_EARG);
	m.spec.key = &m.subject.pub;
	m.spec.ca = &nobodys;
	assert_int_equal(encodes(&m), AAD_EARG);
	/* a record that says what its blob is not */
	hollow = m.ca.pub;
	hollow.kind = KEY_RSA;
	m.spec.ca = &hollow;
	assert_int_equal(encodes(&m), AAD_EARG);
	hollow = m.ca.pub;
	hollow.blob_len = 3;
	m.spec.ca = &hollow;
	assert_int_equal(encodes(&m), AAD_EARG);
	made(&m);
}

/* Values are bytes with a length: nothing in them parts or ends anything. */
static void
II_C5_values_are_not_taken_apart(void **state)
{
	static const char *const values[] = { "", " ", "=", "a=b c",
		"\"a\" 'b'", "a,b;c", "one\ntwo", "\\", "$(id)", "Zo\xc3\xab",
		"\x01\x7f\xff", "force-command=x", "verify-required" };
	struct making m;
	struct cert c;
	size_t i;

	(void)state;
	make(&m);
	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		m.critical[0].value = values[i];
		c = issue(&m);
		assert_as_asked(&c, &m.spec);
		cert_release(&c);
	}
	made(&m);
}

static void
boundary_body_size(void **state)
{
	static char value[CERT_BLOB_MAX];
	uint8_t *body, *sig;
	struct making m;
	struct cert c;
	size_t len, siglen;

	(void)state;
	make(&m);
	m.critical[0].value = value;
	assert_int_equal(encode(&m, &body, &len), 0);
	free(body);
	memset(value, 'x', CERT_BLOB_MAX - len);
	assert_int_equal(encode(&m, &body, &len), 0);
	assert_int_equal(len, CERT_BLOB_MAX);
	/* no room for a signature */
	assert_int_equal(sign_ed25519(m.ca.secret, body, len, &sig, &siglen),
	    0);
	c = dirt();
	assert_int_equal(cert_finish(&m.spec, body, len, sig, siglen, &c),
	    AAD_ETOOBIG);
	assert_empty(&c);
	free(body);
	free(sig);
	value[strlen(value)] = 'x';
	assert_int_equal(encodes(&m), AAD_ETOOBIG);
	/* just enough */
	value[strlen(value) - siglen - 5] = '\0';
	c = issue(&m);
	assert_int_equal(c.blob_len, CERT_BLOB_MAX);
	cert_release(&c);
	made(&m);
}

/* ---- finishing ---- */

static void
I_D9_signed_by_another_key(void **state)
{
	struct making m;
	uint8_t *body, *sig;
	struct cert c;
	size_t len, siglen;

	(void)state;
	make(&m);
	assert_int_equal(encode(&m, &body, &len), 0);
	assert_int_equal(finish(&m.spec, body, len, m.subject.secret, &c),
	    AAD_ESIG);
	/* of the right key, over something else */
	assert_int_equal(sign_ed25519(m.ca.secret, body, len - 1, &sig,
			     &siglen),
	    0);
	assert_int_equal(cert_finish(&m.spec, body, len, sig, siglen, &c),
	    AAD_ESIG);
	assert_empty(&c);
	assert_int_equal(cert_finish(&m.spec, body, len, sig, 0, &c), AAD_ESIG);
	assert_int_equal(cert_finish(&m.spec, body, len, sig, 1, &c), AAD_ESIG);
	free(sig);
	free(body);
	made(&m);
}

/* What the body says against what was asked: the n-th difference. */
static bool
differ(struct making *m, unsigned int n)
{
	struct cert_spec *s = &m->spec;

	if (n == 0)
		s->key = &m->ca.pub;
	else if (n == 1)
		s->ca = &m->subject.pub;
	else if (n == 2)
		s->nonce[31] ^= 1;
	else if (n == 3)
		s->serial++;
	else if (n == 4)
		s->type = CERT_HOST;
	else if (n == 5)
		s->key_id = "alice";
	else if (n == 6)
		s->key_id = NULL;
	else if (n == 7)
		m->principals[1] = "bob";
	else if (n == 8)
		s->valid_after--;
	else if (n == 9)
		s->valid_before++;
	else if (n < 13) /* fewer, none, more */
		s->nprincipals = n == 12 ? 3 : n - 10;
	else
		return false;
	m->principals[2] = "bob";
	return true;
}

static bool
differ_in_options(struct making *m, unsigned int n)
{
	struct cert_spec *s = &m->spec;

	m->critical[2].name = m->extensions[2].name = "x";
	if (n == 0)
		m->critical[0].value = "/bin/sh";
	else if (n == 1)
		m->critical[0].value = NULL;
	else if (n == 2)
		m->critical[1].value = "";
	else if (n == 3)
		m->critical[1].name = "w";
	else if (n == 4) /* an extension where an option was meant */
		s->critical = m->extensions;
	else if (n == 5)
		s->ncritical = 0;
	else if (n == 6)
		s->ncritical = 1;
	else if (n == 7)
		s->ncritical = 3;
	else if (n == 8)
		s->nextensions = 1;
	else if (n == 9)
		s->nextensions = 3;
	else
		return false;
	return true;
}

static unsigned int
each_difference(bool (*change)(struct making *m, unsigned int n))
{
	struct making asked, other;
	uint8_t *body;
	struct cert c;
	size_t len;
	unsigned int n;

	make(&asked);
	assert_int_equal(encode(&asked, &body, &len), 0);
	for (n = 0;; n++) {
		make(&other);
		if (!change(&other, n))
			break;
		assert_int_equal(finish(&other.spec, body, len, asked.ca.secret,
				     &c),
		    AAD_EINTERNAL);
		made(&other);
	}
	made(&other);
	free(body);
	made(&asked);
	return n;
}

static void
another_body_than_asked(void **state)
{
	(void)state;
	assert_int_equal(each_difference(differ), 13);
}

static void
I_C4_other_options_than_asked(void **state)
{
	(void)state;
	assert_int_equal(each_difference(differ_in_options), 10);
}

/* The reserved field, which decoding passes over; and no body at all. */
static void
I_C5_reserved_is_empty(void **state)
{
	struct wirebuf b = wirebuf_new();
	struct making m;
	uint8_t *body;
	struct cert c;
	size_t len, at;

	(void)state;
	make(&m);
	assert_int_equal(encode(&m, &body, &len), 0);
	at = len - 4 - m.ca.pub.blob_len - 4;
	wire_put_raw(&b, body, at);
	wire_put_text(&b, "reserved");
	wire_put_raw(&b, body + at + 4, len - at - 4);
	assert_int_equal(finish(&m.spec, b.p, b.len, m.ca.secret, &c),
	    AAD_EINTERNAL);
	assert_int_equal(finish(&m.spec, body, len - 1, m.ca.secret, &c),
	    AAD_EINTERNAL);
	assert_int_equal(finish(&m.spec, body, 0, m.ca.secret, &c),
	    AAD_EINTERNAL);
	assert_int_equal(finish(&m.spec, body, len, m.ca.secret, &c), 0);
	cert_release(&c);
	wirebuf_release(&b);
	free(body);
	made(&m);
}

/* Any damage to a body is seen, even where the key has signed it. */
static void
check_body(const uint8_t *p, size_t len, enum mutation how, size_t at,
    void *arg)
{
	struct making *m = arg;
	struct cert c;

	(void)how;
	(void)at;
	assert_int_equal(finish(&m->spec, p, len, m->ca.secret, &c),
	    AAD_EINTERNAL);
}

static void
every_damage_of_a_body(void **state)
{
	struct making m;
	uint8_t *body;
	size_t len;

	(void)state;
	make(&m);
	assert_int_equal(encode(&m, &body, &len), 0);
	mutate_walk(body, len, check_body, &m);
	free(body);
	made(&m);
}

static void
no_memory_to_write(void **state)
{
	uint8_t *body, *sig;
	char *line;
	struct making m;
	unsigned int i;
	size_t len, siglen;
	struct cert c;
	int r;

	(void)state;
	make(&m);
	for (i = 1;; i++) {
		fault_arm(FAULT_ALLOC, i, ENOMEM);
		r = encode(&m, &body, &len);
		if (!fault_disarm())
			break;
		assert_int_equal(r, AAD_ENOMEM);
	}
	assert_int_equal(r, 0);
	assert_int_equal(i, 3);
	assert_int_equal(sign_ed25519(m.ca.secret, body, len, &sig, &siglen),
	    0);
	for (i = 1;; i++) {
		c = dirt();
		fault_arm(FAULT_ALLOC, i, ENOMEM);
		r = cert_finish(&m.spec, body, len, sig, siglen, &c);
		if (!fault_disarm())
			break;
		assert_int_equal(r, AAD_ENOMEM);
		assert_empty(&c);
	}
	assert_int_equal(r, 0);
	/* the blob as it grows, twice; what decoding takes, eight times */
	assert_int_equal(i, 11);
	for (i = 1;; i++) {
		fault_arm(FAULT_ALLOC, i, ENOMEM);
		r = cert_line(&c, "x", &line);
		if (!fault_disarm())
			break;
		assert_int_equal(r, AAD_ENOMEM);
		assert_null(line);
	}
	assert_int_equal(r, 0);
	assert_int_equal(i, 3);
	free(line);
	cert_release(&c);
	free(body);
	free(sig);
	made(&m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(valid_all_that_ssh_keygen_makes),
		cmocka_unit_test(forging_changes_nothing_by_itself),
		cmocka_unit_test(junk_that_ssh_keygen_makes),
		cmocka_unit_test(I_A10_type_must_be_the_inner_type),
		cmocka_unit_test(junk_types),
		cmocka_unit_test(junk_base64),
		cmocka_unit_test(empty_blob),
		cmocka_unit_test(junk_behind_the_last_field),
		cmocka_unit_test(I_D3_wrong_kind),
		cmocka_unit_test(I_C9_unsound_keys),
		cmocka_unit_test(I_D2_no_certificate_as_an_authority),
		cmocka_unit_test(no_signature),
		cmocka_unit_test(nonce_and_reserved_may_hold_anything),
		cmocka_unit_test(boundary_principals),
		cmocka_unit_test(junk_principals),
		cmocka_unit_test(duplicate_and_unsorted_options),
		cmocka_unit_test(junk_options),
		cmocka_unit_test(key_id_of_no_use_is_no_error),
		cmocka_unit_test(fields_of_a_key_id),
		cmocka_unit_test(boundary_blob_size),
		cmocka_unit_test(I_D7_numbers_have_eight_bytes),
		cmocka_unit_test(II_O4_every_bit_flip),
		cmocka_unit_test(II_O4_every_damage_of_the_text),
		cmocka_unit_test(no_memory),
		cmocka_unit_test(valid_lines),
		cmocka_unit_test(junk_lines),
		cmocka_unit_test(valid_signatures_of_every_authority),
		cmocka_unit_test(II_C11_an_authority_that_signs_with_sha1),
		cmocka_unit_test(I_D1_every_forged_bit),
		cmocka_unit_test(I_C4_options_one_by_one),
		cmocka_unit_test(I_C4_byte_for_byte_as_ssh_keygen),
		cmocka_unit_test(lines_as_ssh_keygen_writes_them),
		cmocka_unit_test(valid_certificate),
		cmocka_unit_test(valid_every_subject),
		cmocka_unit_test(I_C5_random_certificates_read_back),
		cmocka_unit_test(I_C5_options_unsorted_repeated_nameless),
		cmocka_unit_test(I_D4_principals_from_none_to_too_many),
		cmocka_unit_test(I_C5_boundary_key_id),
		cmocka_unit_test(wrong_arguments),
		cmocka_unit_test(II_C5_values_are_not_taken_apart),
		cmocka_unit_test(boundary_body_size),
		cmocka_unit_test(I_D9_signed_by_another_key),
		cmocka_unit_test(another_body_than_asked),
		cmocka_unit_test(I_C4_other_options_than_asked),
		cmocka_unit_test(I_C5_reserved_is_empty),
		cmocka_unit_test(every_damage_of_a_body),
		cmocka_unit_test(no_memory_to_write),
	};

	if (sodium_init() == -1)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
