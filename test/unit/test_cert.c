/* SPDX-License-Identifier: ISC */

#include "test/unit/unit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "core/b64.h"
#include "ssh/cert.h"
#include "ssh/wire.h"
#include "test/unit/fault.h"
#include "test/unit/mutate.h"

#define VECTORS "test/vectors/certs"
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
wrong_kind(void **state)
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
no_certificate_as_an_authority(void **state)
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
	(void)state;
	forge("user_ed25519");
	set(SIGNATURE, "", 0);
	assert_int_equal(verdict(), AAD_R_KEY_MALFORMED);
	/* NB. any other is not looked at: sshd has verified it. */
	set(SIGNATURE, "x", 1);
	assert_int_equal(verdict(), AAD_R_ALLOWED);
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

static void
walk_blob(const struct row *row)
{
	struct cert c;

	/* long, and the same code as the others */
	if (strcmp(row->name, "many_principals") == 0)
		return;
	c = good(row->name);
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
		cmocka_unit_test(wrong_kind),
		cmocka_unit_test(I_C9_unsound_keys),
		cmocka_unit_test(no_certificate_as_an_authority),
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
	};

	if (sodium_init() == -1)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
