/* SPDX-License-Identifier: ISC */

/*
 * lib/host/principals: which principal of a certificate opens a login.  The
 * certificates are put together here, field by field: their signature is
 * sshd's business.
 */

#include "test/unit/scratch.h"
#include "test/unit/unit.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "core/b64.h"
#include "host/cache.h"
#include "host/denial.h"
#include "host/pin.h"
#include "host/principals.h"
#include "test/unit/fault.h"
#include "test/unit/mutate.h"

#define NOW    INT64_C(1800000000)
#define TYPE   "ssh-ed25519-cert-v01@openssh.com"
#define OID    "1c9a52de-7b30-4f86-9e41-6a0d8c35b2f1"
#define OTHER  "83e7d10b-52c4-4a9f-b6d8-0f19e4a7c263"
#define TID    "5e1f0c3a-7d42-4b19-8c55-0a9be2d41f77"
#define KEY_ID "alice@contoso.com oid=" OID " tid=" TID " uti=x"
#define HASH   0x5e /* what a nonce and a signature are made of */

/* ---- certificates ----------------------------------------------------- */

struct bytes {
	uint8_t p[20000];
	size_t len;
};

static void
put_raw(struct bytes *b, const void *p, size_t len)
{
	assert_true(len <= sizeof(b->p) - b->len);
	if (len > 0)
		memcpy(b->p + b->len, p, len);
	b->len += len;
}

static void
put_number(struct bytes *b, uint64_t n, size_t width)
{
	uint8_t p[8];
	size_t i;

	for (i = 0; i < width; i++)
		p[i] = (uint8_t)(n >> (8 * (width - 1 - i)));
	put_raw(b, p, width);
}

static void
put(struct bytes *b, const void *p, size_t len)
{
	put_number(b, len, 4);
	put_raw(b, p, len);
}

static void
put_text(struct bytes *b, const char *s)
{
	put(b, s, strlen(s));
}

/* What one certificate says. */
struct says {
	const char *type;
	uint32_t kind;
	const char *key_id;
	const char *principals; /* one a line */
	uint8_t subject; /* seeds of the two key pairs */
	uint8_t ca;
};

static const struct says usual = { TYPE, 1, KEY_ID, "alice@web\nalice@db", 1,
	2 };

static void
key_pub(uint8_t seed, uint8_t pub[static 32])
{
	uint8_t s[32] = { seed }, sk[64];

	crypto_sign_seed_keypair(pub, sk, s);
}

static void
put_principals(struct bytes *b, const char *lines)
{
	struct bytes *list = calloc(1, sizeof(*list));
	const char *end;

	assert_non_null(list);
	for (; lines != NULL; lines = end == NULL ? NULL : end + 1) {
		end = strchr(lines, '\n');
		put(list, lines,
		    end == NULL ? strlen(lines) : (size_t)(end - lines));
	}
	put(b, list->p, list->len);
	free(list);
}

static void
put_key(struct bytes *b, uint8_t seed)
{
	struct bytes key = { .len = 0 };
	uint8_t pub[32];

	key_pub(seed, pub);
	put_text(&key, "ssh-ed25519");
	put(&key, pub, sizeof(pub));
	put(b, key.p, key.len);
}

static void
build(const struct says *s, struct bytes *b)
{
	struct bytes sig = { .len = 0 };
	uint8_t pub[32], filler[64];

	memset(filler, HASH, sizeof(filler));
	b->len = 0;
	put_text(b, s->type);
	put(b, filler, 32);
	key_pub(s->subject, pub);
	put(b, pub, sizeof(pub));
	put_number(b, 4711, 8);
	put_number(b, s->kind, 4);
	put_text(b, s->key_id);
	put_principals(b, s->principals);
	put_number(b, (uint64_t)NOW - 60, 8);
	put_number(b, (uint64_t)NOW + 3600, 8);
	put_text(b, ""); /* critical options */
	put_text(b, ""); /* extensions */
	put_text(b, ""); /* reserved */
	put_key(b, s->ca);
	put_text(&sig, "ssh-ed25519");
	put(&sig, filler, 64);
	put(b, sig.p, sig.len);
}

/* ---- one scratch host ------------------------------------------------- */

struct world {
	char base[64];
	char state[80];
	char web[4], db[4];
	struct conf_item groups[2];
	struct conf conf;
	struct cache cache;
	int64_t uid; /* of every login */
};

static int
setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	enum reason why;

	assert_non_null(w);
	snprintf(w->base, sizeof(w->base), "%s/aadssh-test-XXXXXX", UNIT_TMP);
	assert_non_null(mkdtemp(w->base));
	snprintf(w->state, sizeof(w->state), "%s/state", w->base);
	strcpy(w->web, "web");
	strcpy(w->db, "db");
	w->groups[0].value = w->web;
	w->groups[1].value = w->db;
	w->conf.dir = w->state;
	w->conf.host_groups.items = w->groups;
	w->conf.host_groups.n = 1;
	w->conf.min_uid = 1000;
	w->uid = 1000;
	assert_int_equal(cache_open_write(w->state, geteuid(), &w->cache, &why),
	    0);
	*state = w;
	return 0;
}

static int
teardown(void **state)
{
	struct world *w = *state;
	fault_disarm();
	cache_close(&w->cache);
	if (scratch_remove(w->base) != 0)
		return -1;
	free(w);
	return 0;
}

static void
shell(const struct world *w, const char *command)
{
	char cmd[256];

	snprintf(cmd, sizeof(cmd), "cd %s && %s", w->state, command);
	assert_int_equal(system(cmd), 0);
}

/* ---- asking ----------------------------------------------------------- */

/* A yes has one principal as its line, and no other answer has one. */
static enum reason
ask_blob(const struct world *w, const char *login, const char *type,
    const void *blob, size_t len, struct principals *p)
{
	struct principals_ask ask = { .conf = &w->conf,
		.login = login,
		.uid = w->uid,
		.key_type = type,
		.now = NOW };
	enum reason why;
	char *base64;

	assert_int_equal(b64_encode(B64_STD, blob, len, &base64), 0);
	ask.key_base64 = base64;
	why = principals_decide(&ask, p);
	free(base64);
	assert_int_equal(why, p->reason);
	assert_int_equal(why == AAD_R_ALLOWED, p->line[0] != '\0');
	if (why == AAD_R_ALLOWED)
		assert_ptr_equal(strchr(p->line, '\n'),
		    p->line + strlen(p->line) - 1);
	return why;
}

static enum reason
ask_full(const struct world *w, const char *login, const struct says *s,
    struct principals *p)
{
	struct bytes *b = calloc(1, sizeof(*b));
	enum reason why;

	assert_non_null(b);
	build(s, b);
	why = ask_blob(w, login, TYPE, b->p, b->len, p);
	free(b);
	return why;
}

/* The line without its newline, or the reason's code. */
static const char *
said(const struct world *w, const char *login, const struct says *s)
{
	static struct principals p;

	if (ask_full(w, login, s, &p) != AAD_R_ALLOWED)
		return reason_name(p.reason);
	p.line[strlen(p.line) - 1] = '\0';
	return p.line;
}

static const char *
principals_say(const struct world *w, const char *login, const char *lines)
{
	struct says s = usual;

	s.principals = lines;
	return said(w, login, &s);
}

#define SAYS(w, login, lines, want)                                            \
	assert_string_equal(principals_say(w, login, lines), want)

/* ---- a yes ------------------------------------------------------------ */

static void
valid_login_at_group(void **state)
{
	struct world *w = *state;
	struct principals p;
	char fp[KEY_FP_LEN + 1];

	assert_int_equal(ask_full(w, "alice", &usual, &p), AAD_R_ALLOWED);
	assert_string_equal(p.line, "alice@web\n");
	assert_string_equal(p.serial, "4711");
	assert_string_equal(p.oid, OID);
	assert_string_equal(p.tid, TID);
	memcpy(fp, p.ca, sizeof(fp));
	assert_string_not_equal(p.fingerprint, fp);
	assert_int_equal(strlen(p.fingerprint), KEY_FP_LEN);
	assert_int_equal(strlen(p.ca), KEY_FP_LEN);
}

static void
valid_one_of_several(void **state)
{
	struct world *w = *state;

	SAYS(w, "alice", "alice@web\nalice@db", "alice@web");
	SAYS(w, "alice", "bob@web\ndeploy@db\nalice@web", "alice@web");
	w->conf.host_groups.n = 2;
	SAYS(w, "alice", "alice@db\nalice@web", "alice@web");
	SAYS(w, "alice", "alice@db", "alice@db");
	w->conf.host_groups.n = 0;
	SAYS(w, "alice", "alice@web", "cert_principal");
}

static void
bare_login_needs_accept_all(void **state)
{
	struct world *w = *state;

	SAYS(w, "alice", "alice", "cert_principal");
	w->conf.accept_all = true;
	SAYS(w, "alice", "alice", "alice");
	SAYS(w, "alice", "alice\nalice@web", "alice@web");
	SAYS(w, "alice", "alice@db", "cert_principal");
	SAYS(w, "alice", "bob", "cert_principal");
	w->conf.host_groups.n = 0;
	SAYS(w, "alice", "alice", "alice");
}

static void
I_D4_a_certificate_without_principals(void **state)
{
	struct world *w = *state;

	SAYS(w, "alice", NULL, "cert_principal");
	w->conf.accept_all = true;
	SAYS(w, "alice", NULL, "cert_principal");
}

static void
wrong_login_or_group(void **state)
{
	struct world *w = *state;

	SAYS(w, "bob", "alice@web", "cert_principal");
	SAYS(w, "Alice", "alice@web", "cert_principal");
	SAYS(w, "alic", "alice@web", "cert_principal");
	SAYS(w, "alice", "alice@web2", "cert_principal");
	SAYS(w, "alice", "alice@we", "cert_principal");
	SAYS(w, "alice", "web@alice", "cert_principal");
}

/* ---- step 1 ----------------------------------------------------------- */

static void
I_A4_a_principal_outside_the_grammar_spoils_all(void **state)
{
	static const char *const bad[] = { "alice,root", "alice@web,root",
		"root,alice@web", ",", "alice ", " alice", "alice root",
		"alice\troot", "alice\rroot", "#alice", "alice#root",
		"alice@web#", "alice\"", "alice'", "alice\\", "*", "alice@*",
		"*@web", "alice@", "@web", "@", "alice@web@db", "alice@@web",
		"alice@Web", "alice@-web", "alice@web/x", "-alice", "1alice",
		".", "..", "alice@.", "alice:web", "alice/web", "a\x80",
		"\xc3\xa4lice", "alice@w\xc3\xa4", "cert-authority alice",
		"restrict alice@web", "command=\"id\"", "alice\x7f",
		"alice\x01", "alice$",
		"bob_gmail.com#EXT#@contoso.onmicrosoft.com",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		"a@aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" };
	struct world *w = *state;
	char lines[200];
	size_t i;

	w->conf.accept_all = true;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		SAYS(w, "alice", bad[i], "cert_principal_bad");
		snprintf(lines, sizeof(lines), "alice@web\n%s", bad[i]);
		SAYS(w, "alice", lines, "cert_principal_bad");
		snprintf(lines, sizeof(lines), "%s\nalice@web", bad[i]);
		SAYS(w, "alice", lines, "cert_principal_bad");
	}
}

static void
I_A5_an_empty_principal_spoils_all(void **state)
{
	struct world *w = *state;

	w->conf.accept_all = true;
	SAYS(w, "alice", "", "cert_principal_bad");
	SAYS(w, "alice", "\nalice@web", "cert_principal_bad");
	SAYS(w, "alice", "alice@web\n", "cert_principal_bad");
	SAYS(w, "alice", "alice@web\n\nbob@web", "cert_principal_bad");
}

static void
boundary_longest_principal(void **state)
{
	static char group[] = "gggggggggggggggggggggggggggggggg";
	static const char login[] = "llllllllllllllllllllllllllllllll";
	struct world *w = *state;
	char line[80];

	w->groups[0].value = group;
	snprintf(line, sizeof(line), "%s@%s", login, group);
	assert_int_equal(strlen(line), VALUE_PRINCIPAL_MAX);
	SAYS(w, login, line, line);
}

static void
wrong_logins(void **state)
{
	static const char *const logins[] = { "", "-oX", ".", "..", "a/b",
		"alice@web", "alice\n", "alice ", "alice,root", "#alice", "*",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" };
	struct world *w = *state;
	size_t i;

	w->conf.accept_all = true;
	for (i = 0; i < sizeof(logins) / sizeof(logins[0]); i++)
		SAYS(w, logins[i], "alice\nalice@web", "bad_login");
}

static void
I_D3_a_certificate_of_a_host(void **state)
{
	struct world *w = *state;
	struct says s = usual;

	s.kind = 2;
	assert_string_equal(said(w, "alice", &s), "cert_type");
	s.kind = 0;
	assert_string_equal(said(w, "alice", &s), "cert_malformed");
	s.kind = 3;
	assert_string_equal(said(w, "alice", &s), "cert_malformed");
}

static void
wrong_type_and_plain_keys(void **state)
{
	struct world *w = *state;
	struct bytes b = { .len = 0 };
	struct says s = usual;
	struct principals p;
	uint8_t pub[32];

	s.type = "ssh-rsa-cert-v01@openssh.com";
	assert_string_equal(said(w, "alice", &s), "cert_malformed");
	key_pub(1, pub);
	put_text(&b, "ssh-ed25519");
	put(&b, pub, sizeof(pub));
	assert_int_equal(ask_blob(w, "alice", "ssh-ed25519", b.p, b.len, &p),
	    AAD_R_CERT_PLAIN_KEY);
	assert_int_equal(ask_blob(w, "alice", TYPE, b.p, b.len, &p),
	    AAD_R_CERT_MALFORMED);
	build(&usual, &b);
	assert_int_equal(ask_blob(w, "alice", "ssh-ed25519", b.p, b.len, &p),
	    AAD_R_CERT_MALFORMED);
	assert_int_equal(ask_blob(w, "alice", TYPE, b.p, b.len - 1, &p),
	    AAD_R_CERT_MALFORMED);
	assert_int_equal(ask_blob(w, "alice", "none", "\0\0\0\4none", 8, &p),
	    AAD_R_KEY_TYPE);
	assert_string_equal(p.fingerprint, "");
	assert_string_equal(p.serial, "");
}

/* The authority's key is a certificate itself. */
static void
II_9_1_a_certificate_as_authority(void **state)
{
	struct world *w = *state;
	struct bytes inner = { .len = 0 }, outer = { .len = 0 };
	struct principals p;
	size_t tail;

	build(&usual, &inner);
	build(&usual, &outer);
	/* behind the reserved field: the authority's key and a signature */
	tail = 4 + 51 + 4 + 4 + 11 + 4 + 64;
	outer.len -= tail;
	put(&outer, inner.p, inner.len);
	put_text(&outer, "signature");
	assert_int_equal(ask_blob(w, "alice", TYPE, outer.p, outer.len, &p),
	    AAD_R_CERT_MALFORMED);
}

/* ---- step 2 ----------------------------------------------------------- */

static void
deny(const struct world *w, enum denial_kind kind, const char *name)
{
	const struct denial d = { 0, "admin", NOW };

	assert_int_equal(denial_set(&w->cache, kind, name, &d), 0);
}

static void
lift(const struct world *w, enum denial_kind kind, const char *name)
{
	assert_int_equal(denial_lift(&w->cache, kind, name), 0);
	assert_string_equal(said(w, "alice", &usual), "alice@web");
}

static void
key_hex(uint8_t seed, char out[static NAME_HEX64_LEN + 1])
{
	struct bytes b = { .len = 0 };
	uint8_t hash[32];

	put_key(&b, seed);
	crypto_hash_sha256(hash, b.p + 4, b.len - 4);
	name_hex64(hash, out);
}

static void
denials_win(void **state)
{
	struct world *w = *state;
	char hex[NAME_HEX64_LEN + 1];

	deny(w, DENIAL_LOGIN, "alice");
	assert_string_equal(said(w, "alice", &usual), "login_denied");
	lift(w, DENIAL_LOGIN, "alice");
	key_hex(usual.subject, hex);
	deny(w, DENIAL_KEY, hex);
	assert_string_equal(said(w, "alice", &usual), "key_denied");
	lift(w, DENIAL_KEY, hex);
	deny(w, DENIAL_OID, OTHER);
	assert_string_equal(said(w, "alice", &usual), "alice@web");
	deny(w, DENIAL_OID, OID);
	assert_string_equal(said(w, "alice", &usual), "identity_denied");
	lift(w, DENIAL_OID, OID);
}

static void
I_D6_a_denied_authority(void **state)
{
	struct world *w = *state;
	char hex[NAME_HEX64_LEN + 1];

	key_hex(usual.ca, hex);
	deny(w, DENIAL_KEY, hex);
	assert_string_equal(said(w, "alice", &usual), "key_denied");
	lift(w, DENIAL_KEY, hex);
}

/* The rightmost field of the key id is ours; a user name can hold others. */
static void
identity_is_read_from_the_right(void **state)
{
	struct world *w = *state;
	struct says s = usual;

	deny(w, DENIAL_OID, OID);
	s.key_id = "oid=" OTHER "@contoso.com oid=" OID " tid=" TID " uti=x";
	assert_string_equal(said(w, "alice", &s), "identity_denied");
	s.key_id = "oid=" OID " x oid=" OTHER " tid=" TID " uti=x";
	assert_string_equal(said(w, "alice", &s), "alice@web");
}

static void
unreadable_denials_cannot_tell(void **state)
{
	struct world *w = *state;

	shell(w, "chmod 0777 denials/oid");
	assert_string_equal(said(w, "alice", &usual), "denials_unreadable");
	shell(w, "chmod 0750 denials/oid && chmod 0770 denials/login");
	assert_string_equal(said(w, "alice", &usual), "denials_unreadable");
	shell(w, "chmod 0750 denials/login && rmdir denials/key");
	assert_string_equal(said(w, "alice", &usual), "denials_unreadable");
	shell(w,
	    "mkdir -m 0750 denials/key && mv denials d && ln -s d denials");
	assert_string_equal(said(w, "alice", &usual), "denials_unreadable");
	shell(w, "rm denials && >denials");
	assert_string_equal(said(w, "alice", &usual), "denials_unreadable");
	shell(w, "rm denials && mv d denials && chmod 0777 .");
	assert_string_equal(said(w, "alice", &usual), "state_unreadable");
	shell(w, "chmod 0750 .");
	assert_string_equal(said(w, "alice", &usual), "alice@web");
}

static void
damaged_denial_is_in_force(void **state)
{
	struct world *w = *state;

	shell(w, "echo junk >denials/login/alice");
	assert_string_equal(said(w, "alice", &usual), "login_denied");
}

/* A host with sign-ins of its own keeps denials and pins. */
static void
missing_denials_or_pins_cannot_tell(void **state)
{
	struct world *w = *state;

	w->conf.has_idp = true;
	assert_string_equal(said(w, "alice", &usual), "alice@web");
	shell(w, "mv denials d");
	assert_string_equal(said(w, "alice", &usual), "denials_unreadable");
	shell(w, "mv d denials && mv pins p");
	assert_string_equal(said(w, "alice", &usual), "pin_unreadable");
	shell(w, "mv p pins && mv ../state ../aside");
	assert_string_equal(said(w, "alice", &usual), "state_unreadable");
	w->conf.has_idp = false;
	assert_string_equal(said(w, "alice", &usual), "alice@web");
}

static void
valid_host_without_state(void **state)
{
	struct world *w = *state;

	shell(w, "rm -r denials");
	assert_string_equal(said(w, "alice", &usual), "alice@web");
	shell(w, "rm -r pins");
	assert_string_equal(said(w, "alice", &usual), "alice@web");
	shell(w, "rm -r ../state");
	assert_string_equal(said(w, "alice", &usual), "alice@web");
	SAYS(w, "bob", "alice@web", "cert_principal");
}

/* ---- step 3 ----------------------------------------------------------- */

static void
a_pin_must_name_the_identity(void **state)
{
	const struct pin right = { TID, OID, NOW }, other = { TID, OTHER, NOW },
			 foreign = { OTHER, OID, NOW };
	struct world *w = *state;
	struct says s = usual;

	assert_int_equal(pin_create(&w->cache, "alice", &right), 0);
	assert_string_equal(said(w, "alice", &usual), "alice@web");
	s.key_id = "";
	assert_string_equal(said(w, "alice", &s), "pinned_other");
	s.key_id = "alice@contoso.com oid=" OID;
	assert_string_equal(said(w, "alice", &s), "pinned_other");
	assert_int_equal(pin_remove(&w->cache, "alice"), 0);
	assert_string_equal(said(w, "alice", &s), "alice@web");
	assert_int_equal(pin_create(&w->cache, "alice", &other), 0);
	assert_string_equal(said(w, "alice", &usual), "pinned_other");
	assert_int_equal(pin_remove(&w->cache, "alice"), 0);
	assert_int_equal(pin_create(&w->cache, "alice", &foreign), 0);
	assert_string_equal(said(w, "alice", &usual), "pinned_other");
}

static void
unreadable_pin_cannot_tell(void **state)
{
	struct world *w = *state;

	shell(w, "echo junk >pins/alice");
	assert_string_equal(said(w, "alice", &usual), "pin_unreadable");
	shell(w, "rm pins/alice && chmod 0777 pins");
	assert_string_equal(said(w, "alice", &usual), "pin_unreadable");
}

/* ---- step 4: what this host's own file says of the account ------------ */

static void
a_system_account_needs_a_section(void **state)
{
	char name[] = "alice";
	struct conf_login section = { .name = name };
	struct world *w = *state;

	w->uid = 999;
	SAYS(w, "alice", "alice@web", "alice@web"); /* no [map] here */
	w->conf.has_map = true;
	SAYS(w, "alice", "alice@web", "uid_too_low");
	w->uid = 0;
	SAYS(w, "alice", "alice@web", "uid_too_low");
	SAYS(w, "alice", "alice@db", "uid_too_low");
	w->uid = 1000;
	SAYS(w, "alice", "alice@web", "alice@web");
	w->uid = -1; /* explain: there is no such account */
	SAYS(w, "alice", "alice@web", "alice@web");
	w->uid = 0;
	w->conf.logins = &section;
	w->conf.nlogins = 1;
	SAYS(w, "alice", "alice@web", "alice@web");
	SAYS(w, "bob", "bob@web", "uid_too_low");
}

static void
I_E16_the_options_of_a_section_stand_in_front(void **state)
{
	char name[] = "alice";
	struct conf_login section = { .name = name };
	char options[] = "restrict,pty", longest[CONF_LINE_MAX + 1] = "";
	struct world *w = *state;
	struct principals p;

	w->conf.logins = &section;
	w->conf.nlogins = 1;
	SAYS(w, "alice", "alice@web", "alice@web");
	section.options = options;
	SAYS(w, "alice", "alice@web", "restrict,pty alice@web");
	assert_int_equal(ask_full(w, "alice", &usual, &p), AAD_R_ALLOWED);
	assert_string_equal(p.principal, "alice@web");
	SAYS(w, "bob", "bob@web", "bob@web");
	SAYS(w, "alice", "alice@db", "cert_principal");
	/* Never a principal without them. */
	memset(longest, 'o', sizeof(longest) - 1);
	section.options = longest;
	assert_int_equal(ask_full(w, "alice", &usual, &p), AAD_R_ALLOWED);
	assert_int_equal(strlen(p.line), CONF_LINE_MAX + 1 + 9 + 1);
	assert_memory_equal(p.line, longest, CONF_LINE_MAX);
}

/* ---- damage ----------------------------------------------------------- */

/* Whatever a byte becomes, a yes is for the principal that was asked for. */
static void
check_damaged(const uint8_t *p, size_t len, enum mutation how, size_t at,
    void *arg)
{
	const struct world *w = arg;
	struct principals out;

	(void)at;
	if (ask_blob(w, "alice", TYPE, p, len, &out) == AAD_R_ALLOWED) {
		assert_int_equal(how, MUTATE_BIT_FLIP);
		assert_string_equal(out.line, "alice@web\n");
	} else {
		assert_int_equal(reason_class(out.reason), REASON_NO);
	}
}

static void
every_damaged_certificate(void **state)
{
	struct bytes b = { .len = 0 };
	struct says s = usual;

	s.principals = "alice@web";
	build(&s, &b);
	mutate_walk(b.p, b.len, check_damaged, *state);
}

static void
every_system_call_fails(void **state)
{
	static const int errors[] = { EACCES, EIO, EMFILE, ENOMEM };
	struct world *w = *state;
	const struct pin right = { TID, OID, NOW };
	struct principals p;
	unsigned int k;
	size_t e;
	bool hit;

	assert_int_equal(pin_create(&w->cache, "alice", &right), 0);
	for (e = 0; e < sizeof(errors) / sizeof(errors[0]); e++) {
		for (k = 1, hit = true; hit; k++) {
			fault_arm(FAULT_SYSCALL, k, errors[e]);
			enum reason why = ask_full(w, "alice", &usual, &p);
			hit = fault_disarm();
			if (hit && why != AAD_R_ALLOWED)
				assert_int_not_equal(reason_class(why),
				    REASON_YES);
			if (!hit)
				assert_int_equal(why, AAD_R_ALLOWED);
		}
		assert_true(k > 10);
	}
}

static void
every_allocation_fails(void **state)
{
	struct principals_ask ask = {
		.login = "alice", .key_type = TYPE, .now = NOW
	};
	const struct pin right = { TID, OID, NOW };
	struct bytes b = { .len = 0 };
	struct world *w = *state;
	struct principals p;
	char *base64;
	unsigned int k;
	bool hit = true;

	assert_int_equal(pin_create(&w->cache, "alice", &right), 0);
	build(&usual, &b);
	assert_int_equal(b64_encode(B64_STD, b.p, b.len, &base64), 0);
	ask.conf = &w->conf;
	ask.key_base64 = base64;
	for (k = 1; hit; k++) {
		fault_arm(FAULT_ALLOC, k, ENOMEM);
		enum reason why = principals_decide(&ask, &p);
		hit = fault_disarm();
		if (!hit) {
			assert_int_equal(why, AAD_R_ALLOWED);
			break;
		}
		assert_int_equal(reason_class(why), REASON_CANNOT);
		assert_string_equal(p.line, "");
	}
	free(base64);
	assert_true(k > 5);
}

/* ---- explain ---------------------------------------------------------- */

static void
valid_trace(void **state)
{
	struct principals_ask ask = {
		.login = "alice", .key_type = TYPE, .now = NOW
	};
	struct bytes b = { .len = 0 };
	struct world *w = *state;
	struct trace t = { .n = 0 };
	struct principals p;
	char *base64;
	size_t i;

	build(&usual, &b);
	assert_int_equal(b64_encode(B64_STD, b.p, b.len, &base64), 0);
	ask.conf = &w->conf;
	ask.key_base64 = base64;
	ask.trace = &t;
	assert_int_equal(principals_decide(&ask, &p), AAD_R_ALLOWED);
	assert_int_equal(t.n, 4);
	for (i = 0; i < t.n; i++) {
		assert_true(t.steps[i].passed);
		assert_int_equal(t.steps[i].step, i + 1);
	}
	assert_string_equal(t.steps[3].text, "principal alice@web counts here");
	t.n = 0;
	ask.login = "bob";
	assert_int_equal(principals_decide(&ask, &p), AAD_R_CERT_PRINCIPAL);
	assert_int_equal(t.n, 4);
	assert_false(t.steps[3].passed);
	free(base64);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(valid_login_at_group),
		T(valid_one_of_several),
		T(bare_login_needs_accept_all),
		T(I_D4_a_certificate_without_principals),
		T(wrong_login_or_group),
		T(I_A4_a_principal_outside_the_grammar_spoils_all),
		T(I_A5_an_empty_principal_spoils_all),
		T(boundary_longest_principal),
		T(wrong_logins),
		T(I_D3_a_certificate_of_a_host),
		T(wrong_type_and_plain_keys),
		T(II_9_1_a_certificate_as_authority),
		T(denials_win),
		T(I_D6_a_denied_authority),
		T(identity_is_read_from_the_right),
		T(unreadable_denials_cannot_tell),
		T(missing_denials_or_pins_cannot_tell),
		T(damaged_denial_is_in_force),
		T(valid_host_without_state),
		T(a_pin_must_name_the_identity),
		T(unreadable_pin_cannot_tell),
		T(a_system_account_needs_a_section),
		T(I_E16_the_options_of_a_section_stand_in_front),
		T(every_damaged_certificate),
		T(every_system_call_fails),
		T(every_allocation_fails),
		T(valid_trace),
	};

	if (sodium_init() == -1)
		return 1;
	umask(0);
	return cmocka_run_group_tests_name("principals", tests, NULL, NULL);
}
