/* SPDX-License-Identifier: ISC */

#include "test/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/conf.h"
#include "policy/policy.h"
#include "policy/rules.h"
#include "test/unit/fault.h"
#include "test/unit/mutate.h"

#define T	"11111111-2222-4333-8444-555555555555"
#define ISS	"https://login.microsoftonline.com/" T "/v2.0"
#define OID	"aaaaaaaa-1111-4222-8333-bbbbbbbbbbbb"
#define STAFF	"12345678-9abc-4def-8123-456789abcdef"
#define OTHER	"fedcba98-7654-4321-8fed-cba987654321"
#define LEN(a)	(sizeof(a) / sizeof((a)[0]))
#define NOT_UID POLICY_UID_UNJUDGED

static const char base[] = "[map]\n"
			   "domain = contoso.com\n"
			   "require = role:ssh.user\n"
			   "require = group:" STAFF "\n"
			   "never = mallory\n"
			   "[login deploy]\n"
			   "allow = role:ssh.deploy\n"
			   "allow = group:" STAFF "\n"
			   "allow = oid:" OID "\n"
			   "options = restrict,pty\n"
			   "[login root]\n"
			   "allow = role:ssh.root\n";

/* A token's claims on the stack; lists end with NULL. */
struct person {
	const char *upn;
	const char *preferred;
	const char *idp;
	enum claims_acct acct;
	const char *roles[4];
	const char *groups[4];
	bool groups_unknown;
	const char *acrs[4];
	const char *oid; /* NULL: one that no rule names */
};

struct world {
	struct conf *conf;
	struct rules *rules;
};

static char *
borrow(const char *s)
{
	union {
		const char *in;
		char *out;
	} u = { s };

	return u.out;
}

static struct claims_list
list(const char *const *items, char **room)
{
	struct claims_list l = { room, 0 };

	for (; l.n < 4 && items[l.n] != NULL; l.n++)
		room[l.n] = borrow(items[l.n]);
	return l;
}

static struct policy_answer
ask(const struct world *w, const struct person *p, const char *login,
    int64_t uid)
{
	char *roles[4], *groups[4], *acrs[4];
	struct policy_answer a;
	struct claims c;

	memset(&c, 0, sizeof(c));
	c.iss = borrow(ISS);
	c.aud = borrow("a");
	c.ver = borrow("2.0");
	strcpy(c.tid, T);
	strcpy(c.oid, p->oid != NULL ? p->oid : OTHER);
	c.upn = borrow(p->upn);
	c.preferred_username = borrow(p->preferred);
	c.idp = borrow(p->idp);
	c.acct = p->acct;
	c.roles = list(p->roles, roles);
	c.groups = list(p->groups, groups);
	c.groups_unknown = p->groups_unknown;
	c.acrs = list(p->acrs, acrs);
	a = policy_decide(&c, login, uid, w->rules);
	assert_int_equal(a.verdict == ALLOW, a.reason == AAD_R_ALLOWED);
	assert_true(a.reason != AAD_R_UNSET);
	assert_true(a.rule[0] != '\0');
	return a;
}

static void
world_make(struct world *w, const char *text)
{
	struct conf_error why;

	assert_int_equal(conf_parse(text, strlen(text), &w->conf, &why), 0);
	if (rules_new(w->conf, &w->rules, &why) != 0)
		fail_msg("%u: %s", why.line, why.text);
}

static void
world_end(struct world *w)
{
	rules_free(w->rules);
	conf_free(w->conf);
}

static int
base_make(void **state)
{
	static struct world w;

	world_make(&w, base);
	*state = &w;
	return 0;
}

static int
base_end(void **state)
{
	world_end(*state);
	return 0;
}

static void
expect_line(const struct policy_answer *a, enum reason reason,
    unsigned int line, const char *rule)
{
	if (a->reason != reason || a->line != line ||
	    strcmp(a->rule, rule) != 0)
		fail_msg("%s, line %u: %s", reason_name(a->reason), a->line,
		    a->rule);
}

static void
refused(const struct world *w, const struct person *p, const char *login,
    enum reason reason)
{
	struct policy_answer a = ask(w, p, login, NOT_UID);

	if (a.reason != reason)
		fail_msg("%s as %s: %s (%s)", p->upn, login,
		    reason_name(a.reason), a.rule);
	assert_int_equal(a.verdict, DENY);
}

static const struct person alice = {
	.upn = "alice@contoso.com",
	.roles = { "ssh.user" },
};

/* ---- yes ---- */

static void
allowed_names_the_rule_and_its_line(void **state)
{
	struct world *w = *state;
	struct person p = alice;
	struct policy_answer a;

	a = ask(w, &p, "alice", 1000);
	expect_line(&a, AAD_R_ALLOWED, 3, "[map] require = role:ssh.user");
	p.roles[0] = NULL;
	p.groups[0] = STAFF;
	a = ask(w, &p, "alice", NOT_UID);
	expect_line(&a, AAD_R_ALLOWED, 4, "[map] require = group:" STAFF);
	a = ask(w, &p, "deploy", 0);
	expect_line(&a, AAD_R_ALLOWED, 8,
	    "[login deploy] allow = group:" STAFF);
	p.groups[0] = NULL;
	p.oid = OID;
	a = ask(w, &p, "deploy", NOT_UID);
	expect_line(&a, AAD_R_ALLOWED, 9, "[login deploy] allow = oid:" OID);
	p.roles[0] = "ssh.root";
	a = ask(w, &p, "root", 0);
	expect_line(&a, AAD_R_ALLOWED, 12,
	    "[login root] allow = role:ssh.root");
}

static void
preferred_username_counts_only_without_upn(void **state)
{
	struct world *w = *state;
	struct person p = alice;

	p.upn = NULL;
	p.preferred = "alice@contoso.com";
	assert_int_equal(ask(w, &p, "alice", 1000).verdict, ALLOW);
	p.upn = "bob@contoso.com";
	refused(w, &p, "alice", AAD_R_NOT_THIS_LOGIN);
	assert_int_equal(ask(w, &p, "bob", 1000).verdict, ALLOW);
}

static void
zeroed_answer_denies(void **state)
{
	struct policy_answer a;

	(void)state;
	memset(&a, 0, sizeof(a));
	assert_int_equal(a.verdict, DENY);
	assert_int_equal(a.reason, AAD_R_UNSET);
	assert_true(reason_exit(a.reason) != 0);
}

/* ---- no ---- */

static void
refusals_name_the_rule_or_the_claim(void **state)
{
	struct world *w = *state;
	struct person p = alice;
	struct policy_answer a;

	a = ask(w, &p, "bob", 1000);
	expect_line(&a, AAD_R_NOT_THIS_LOGIN, 0,
	    "user name alice@contoso.com is not login bob");
	a = ask(w, &p, "mallory", 1000);
	expect_line(&a, AAD_R_LOGIN_NEVER, 5, "[map] never = mallory");
	a = ask(w, &p, "git", 1000);
	expect_line(&a, AAD_R_LOGIN_NEVER, 0, "[map] never, built in: git");
	a = ask(w, &p, "alice", 999);
	expect_line(&a, AAD_R_UID_TOO_LOW, 0,
	    "[map] min_uid = 1000, the account has 999");
	a = ask(w, &p, "deploy", NOT_UID);
	expect_line(&a, AAD_R_NOT_ALLOWED, 6,
	    "[login deploy]: none of its allow rules matches");
	p.roles[0] = "ssh.guest";
	a = ask(w, &p, "alice", 1000);
	expect_line(&a, AAD_R_REQUIRE_NOT_MET, 0,
	    "[map] require: none of its rules matches");
	p.groups_unknown = true;
	a = ask(w, &p, "alice", 1000);
	expect_line(&a, AAD_R_GROUPS_UNKNOWN, 4,
	    "[map] require = group:" STAFF);
	a = ask(w, &p, "deploy", 1000);
	expect_line(&a, AAD_R_GROUPS_UNKNOWN, 8,
	    "[login deploy] allow = group:" STAFF);
	p.upn = "alice@fabrikam.com";
	a = ask(w, &p, "alice", 1000);
	expect_line(&a, AAD_R_DOMAIN_NOT_LISTED, 0,
	    "[map] domain does not list fabrikam.com");
}

static void
II_P3_same_local_part_other_domain(void **state)
{
	static const char *const others[] = { "alice@fabrikam.com",
		"alice@contoso.com.evil.example", "alice@evilcontoso.com",
		"alice@sub.contoso.com", "alice@contoso.co",
		"alice@contoso.comm", "alice@ontoso.com",
		"alice@contoso-com.example" };
	struct person p = alice;
	size_t i;

	for (i = 0; i < LEN(others); i++) {
		p.upn = others[i];
		refused(*state, &p, "alice", AAD_R_DOMAIN_NOT_LISTED);
	}
}

static void
I_B6_user_name_with_no_or_two_at_signs_never_maps(void **state)
{
	static const char *const names[] = { "alice", "alice@", "@contoso.com",
		"alice@@contoso.com", "alice@contoso.com@contoso.com",
		"alice@evil.example@contoso.com",
		"alice@contoso.com@evil.example", "", "@", "@@",
		"alice@contoso.com.", "alice@.contoso.com",
		"alice@contoso..com", "alice@-contoso.com",
		"alice@contoso.com,", "alice@contoso_com",
		"alice contoso.com" };
	struct person p = alice;
	size_t i;

	for (i = 0; i < LEN(names); i++) {
		p.upn = names[i];
		p.preferred = "alice@contoso.com";
		if (p.upn[0] == '\0')
			p.preferred = NULL;
		refused(*state, &p, "alice", AAD_R_NO_UPN);
	}
	p.upn = NULL;
	p.preferred = NULL;
	refused(*state, &p, "alice", AAD_R_NO_UPN);
}

static void
II_P8_case(void **state)
{
	struct world *w = *state;
	struct person p = alice;

	p.upn = "alice@CONTOSO.Com";
	assert_int_equal(ask(w, &p, "alice", 1000).verdict, ALLOW);
	p.upn = "Alice@contoso.com";
	refused(w, &p, "alice", AAD_R_NOT_THIS_LOGIN);
	assert_int_equal(ask(w, &p, "Alice", 1000).verdict, ALLOW);
	p.upn = "alice@contoso.com";
	refused(w, &p, "Alice", AAD_R_NOT_THIS_LOGIN);
	p.upn = "alice.@contoso.com";
	refused(w, &p, "alice", AAD_R_NOT_THIS_LOGIN);
	p.upn = "alice @contoso.com";
	refused(w, &p, "alice", AAD_R_NO_UPN);
	p.upn = "alice@contoso.com ";
	refused(w, &p, "alice", AAD_R_NO_UPN);
	p.roles[0] = "SSH.user";
	p.upn = "alice@contoso.com";
	refused(w, &p, "alice", AAD_R_REQUIRE_NOT_MET);
	p.roles[0] = "SSH.Deploy";
	refused(w, &p, "deploy", AAD_R_NOT_ALLOWED);
}

static void
I_B19_case_of_a_reserved_name_does_not_matter(void **state)
{
	static const char *const names[] = { "Root", "ROOT", "rOOt", "Admin",
		"ADMINISTRATOR", "Systemd-Network", "SYSTEMD-x", "GIT",
		"Mallory", "MALLORY", "Debian-exim" };
	char upn[64];
	struct person p = alice;
	size_t i;

	for (i = 0; i < LEN(names); i++) {
		snprintf(upn, sizeof(upn), "%s@contoso.com", names[i]);
		p.upn = upn;
		refused(*state, &p, names[i], AAD_R_LOGIN_NEVER);
	}
}

/* NFC and NFD twins, look-alikes, full width, zero width, right to left,
 * what case folding turns into ASCII, overlong and broken UTF-8. */
static const char *const unicode[] = { "\xd0\xb0lice", "alic\xd0\xb5",
	"al\xd1\x96"
	"ce",
	"ali\xd1\x81"
	"e",
	"\xc3\xa0lice", "a\xcc\x80lice", "\xef\xbd\x81lice", "\xef\xbc\xa1lice",
	"al\xc4\xb1"
	"ce",
	"al\xc4\xb0"
	"ce",
	"ALI\xc4\xb0"
	"CE",
	"ali\xc5\xbf", "\xc5\xbflice", "\xe2\x84\xaa", "ali\xe2\x84\xaa",
	"alice\xc3\x9f", "alice\xe1\xba\x9e", "alice\xe2\x80\x8b",
	"\xe2\x80\x8b"
	"alice",
	"al\xe2\x80\x8cice", "al\xe2\x80\x8dice", "al\xc2\xadice",
	"\xe2\x80\xae"
	"ecila",
	"\xe2\x80\x8f"
	"alice",
	"\xef\xbb\xbf"
	"alice",
	"alice\xc2\xa0", "alice\xe3\x80\x80",
	"al\xe2\x85\xb0"
	"ce",
	"al\xef\xbd\x89"
	"ce",
	"\xce\xb1lice",
	"\xe2\x8d\xba"
	"lice",
	"\xc9\x91lice", "alic\xd2\xbd", "alic\xe2\x84\xae", "\xc3\x85lice",
	"A\xcc\x8alice",
	"\xe2\x84\xab"
	"lice",
	"\xc7\x85", "\xef\xac\x80",
	"\xf0\x9d\x90\x9a"
	"lice",
	"\xf0\x9f\x85\xb0lice", "\xf3\xa0\x81\xa1lice",
	"\xc1\xa1"
	"lice",
	"\xe0\x81\xa1"
	"lice",
	"\xed\xa0\x80"
	"alice",
	"alice\xff", "alice\x80", "alice\xc3",
	"\x7f"
	"alice",
	"al\x01ice", "alice\n", "alice\r", "alice\t", "\xe1\x8e\xaelice" };

static void
I_B3_unicode_upn_never_maps(void **state)
{
	char upn[128];
	struct person p = alice;
	struct policy_answer a;
	size_t i, k;

	assert_true(LEN(unicode) >= 40);
	for (i = 0; i < LEN(unicode); i++) {
		snprintf(upn, sizeof(upn), "%s@contoso.com", unicode[i]);
		p.upn = upn;
		refused(*state, &p, "alice", AAD_R_NO_UPN);
		a = ask(*state, &p, "alice", NOT_UID);
		for (k = 0; a.rule[k] != '\0'; k++)
			assert_in_range(a.rule[k], ' ', '~');
		/* the login itself, as sshd would hand it over */
		refused(*state, &p, unicode[i], AAD_R_BAD_LOGIN);
		snprintf(upn, sizeof(upn), "alice@%s.com", unicode[i]);
		refused(*state, &p, "alice", AAD_R_NO_UPN);
		snprintf(upn, sizeof(upn), "alice@contoso.com%s", unicode[i]);
		refused(*state, &p, "alice", AAD_R_NO_UPN);
	}
}

static void
I_B3_unicode_under_a_turkish_locale(void **state)
{
	if (setlocale(LC_ALL, "tr_TR.UTF-8") == NULL)
		(void)setlocale(LC_ALL, "C.UTF-8");
	I_B3_unicode_upn_never_maps(state);
	II_P8_case(state);
	setlocale(LC_ALL, "C");
}

static uint32_t seed = 20240229;

static uint32_t
next(uint32_t below)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % below;
}

/* A name from few letters, so that near misses are common. */
static void
random_name(char *out, size_t max)
{
	static const char letters[] = "aab.-_A#1";
	size_t n = 1 + next((uint32_t)max), i;

	for (i = 0; i < n; i++)
		out[i] = letters[next(sizeof(letters) - 1)];
	out[n] = '\0';
}

/* With one domain a login is given to at most one user name, and a user
 * name gives at most one login: the same bytes. */
static void
I_B4_injective_mapping(void **state)
{
	char one[48], two[48], upn[96], login[48];
	struct person p = alice;
	unsigned int i, yes = 0;
	bool first, second;

	for (i = 0; i < 200000; i++) {
		random_name(one, i % 7 == 0 ? 40 : 3);
		random_name(two, i % 7 == 0 ? 40 : 3);
		random_name(login, i % 7 == 0 ? 40 : 3);
		if (i % 2 == 0)
			strcpy(login, one);
		p.upn = upn;
		snprintf(upn, sizeof(upn), "%s@contoso.com", one);
		first = ask(*state, &p, login, NOT_UID).verdict == ALLOW;
		snprintf(upn, sizeof(upn), "%s@contoso.com", two);
		second = ask(*state, &p, login, NOT_UID).verdict == ALLOW;
		if (first && second)
			assert_string_equal(one, two);
		if (first)
			assert_string_equal(one, login);
		yes += first;
	}
	assert_in_range(yes, 1000, 199999);
}

/* 32 bytes are a login, 33 are none; nothing is cut to fit. */
static void
I_B4_no_truncation(void **state)
{
	static const char l32[] = "abcdefghijklmnopqrstuvwxyz012345";
	struct person p = alice;
	char upn[64], l33[40];

	snprintf(upn, sizeof(upn), "%s@contoso.com", l32);
	p.upn = upn;
	assert_int_equal(ask(*state, &p, l32, 1000).verdict, ALLOW);
	snprintf(l33, sizeof(l33), "%s6", l32);
	refused(*state, &p, l33, AAD_R_BAD_LOGIN);
	snprintf(upn, sizeof(upn), "%s6@contoso.com", l32);
	refused(*state, &p, l32, AAD_R_NOT_THIS_LOGIN);
	refused(*state, &p, l33, AAD_R_BAD_LOGIN);
}

static void
I_B5_reserved_names(void **state)
{
	static const char *const names[] = { "toor", "daemon", "bin", "sys",
		"sync", "games", "man", "lp", "mail", "news", "uucp", "proxy",
		"www-data", "backup", "list", "irc", "gnats", "nobody", "sshd",
		"systemd-network", "systemd-timesync", "systemd-", "_apt",
		"messagebus", "git", "postgres", "mysql", "redis", "admin",
		"administrator", "ubuntu", "debian", "centos", "fedora",
		"ec2-user", "azureuser", "ansible", "vagrant", "jenkins",
		"aadssh", "aadssh-hook", "aadssh-ca", "ca" };
	struct world *w = *state;
	struct person p = alice;
	char upn[64];
	size_t i;

	for (i = 0; i < LEN(names); i++) {
		snprintf(upn, sizeof(upn), "%s@contoso.com", names[i]);
		p.upn = upn;
		refused(w, &p, names[i], AAD_R_LOGIN_NEVER);
		assert_true(rules_is_never(w->rules, names[i]));
	}
	/* [login NAME] speaks for root and deploy, never [map] */
	p.upn = "root@contoso.com";
	refused(w, &p, "root", AAD_R_NOT_ALLOWED);
	p.upn = "deploy@contoso.com";
	refused(w, &p, "deploy", AAD_R_NOT_ALLOWED);
	assert_true(rules_is_never(w->rules, "deploy"));
	assert_false(rules_is_mapped(w->rules, "deploy"));
	assert_false(rules_is_never(w->rules, "alice"));
	assert_false(rules_is_never(w->rules, "rootx"));
	assert_false(rules_is_never(w->rules, "systemd"));
	assert_false(rules_is_never(w->rules, ""));
}

static void
I_B5_uid_floor(void **state)
{
	static const int64_t low[] = { 0, 1, 999, -2, INT64_MIN, 4294967295,
		INT64_MAX };
	static const int64_t high[] = { 1000, 1001, 65534, 4294967294,
		NOT_UID };
	struct world *w = *state;
	size_t i;

	for (i = 0; i < LEN(low); i++)
		assert_int_equal(ask(w, &alice, "alice", low[i]).reason,
		    AAD_R_UID_TOO_LOW);
	for (i = 0; i < LEN(high); i++)
		assert_int_equal(ask(w, &alice, "alice", high[i]).verdict,
		    ALLOW);
}

static void
I_B2_login_grammar(void **state)
{
	static const char *const names[] = { "", ".", "..", "-x", "a/b", "../a",
		"a b", "a\n", "a%", "a:b", "a@b", "a,b", "a\"", "1a", "a#",
		"a\\b", "*", "\x7f" };
	size_t i;

	for (i = 0; i < LEN(names); i++)
		refused(*state, &alice, names[i], AAD_R_BAD_LOGIN);
}

static void
II_P5_guest_marks(void **state)
{
	static const char *const names[] = { "alice#EXT#@contoso.com",
		"alice_fabrikam.com#EXT#@contoso.com", "a#ext#@contoso.com",
		"a#Ext#@contoso.com", "#EXT#@contoso.com" };
	static const char *const near[] = { "aEXT#@contoso.com",
		"a#XT#@contoso.com", "a#AXT#@contoso.com", "a#ET#@contoso.com",
		"a#EAT#@contoso.com", "a#EX#@contoso.com", "a#EXA#@contoso.com",
		"a#EXT@contoso.com", "a#EXTA@contoso.com" };
	struct world *w = *state;
	struct person p = alice;
	size_t i;

	for (i = 0; i < LEN(names); i++) {
		p = alice;
		p.upn = names[i];
		refused(w, &p, "alice", AAD_R_GUEST);
		p.upn = "alice@contoso.com";
		p.preferred = names[i];
		refused(w, &p, "alice", AAD_R_GUEST);
		p.upn = NULL;
		refused(w, &p, "alice", AAD_R_GUEST);
	}
	for (i = 0; i < LEN(near); i++) {
		p = alice;
		p.upn = near[i];
		refused(w, &p, "alice", AAD_R_NOT_THIS_LOGIN);
	}
	p = alice;
	p.acct = CLAIMS_ACCT_GUEST;
	refused(w, &p, "alice", AAD_R_GUEST);
	p.acct = (enum claims_acct)7;
	refused(w, &p, "alice", AAD_R_GUEST);
	p.acct = CLAIMS_ACCT_MEMBER;
	assert_int_equal(ask(w, &p, "alice", 1000).verdict, ALLOW);
	p.idp = "https://sts.windows.net/" T "/";
	refused(w, &p, "alice", AAD_R_GUEST);
	p.idp = "";
	refused(w, &p, "alice", AAD_R_GUEST);
	p.idp = ISS;
	assert_int_equal(ask(w, &p, "alice", 1000).verdict, ALLOW);
	/* a [login] section may name a guest */
	p.idp = "live.com";
	p.acct = CLAIMS_ACCT_GUEST;
	p.roles[0] = "ssh.deploy";
	assert_int_equal(ask(w, &p, "deploy", 1000).verdict, ALLOW);
}

static void
II_P6_overage_denies(void **state)
{
	struct world *w = *state;
	struct person p = alice;

	p.groups_unknown = true;
	assert_int_equal(ask(w, &p, "alice", 1000).verdict, ALLOW);
	p.roles[0] = NULL;
	refused(w, &p, "alice", AAD_R_GROUPS_UNKNOWN);
	p.groups[0] = STAFF; /* a part of a list is no list */
	refused(w, &p, "alice", AAD_R_GROUPS_UNKNOWN);
	refused(w, &p, "deploy", AAD_R_GROUPS_UNKNOWN);
	refused(w, &p, "root", AAD_R_NOT_ALLOWED);
	p.oid = OID;
	assert_int_equal(ask(w, &p, "deploy", 1000).verdict, ALLOW);
}

static void
II_P7_groups_by_the_whole_value(void **state)
{
	static const char *const near[] = { "", "12345678",
		"12345678-9abc-4def-8123-456789abcdeF",
		"12345678-9abc-4def-8123-456789abcdef ",
		"12345678-9abc-4def-8123-456789abcdef0",
		"12345678-9abc-4def-8123-456789abcde", "role:ssh.user",
		("group:" STAFF) };
	struct person p = { .upn = "alice@contoso.com" };
	size_t i;

	for (i = 0; i < LEN(near); i++) {
		p.groups[0] = near[i];
		p.roles[0] = STAFF; /* a role never counts as a group */
		refused(*state, &p, "alice", AAD_R_REQUIRE_NOT_MET);
	}
	p.groups[0] = "ssh.user"; /* nor a group as a role */
	refused(*state, &p, "alice", AAD_R_REQUIRE_NOT_MET);
}

static void
II_P17_every_value_is_compared(void **state)
{
	struct person p = { .upn = "alice@contoso.com",
		.roles = { "x", "y", "ssh.user" } };

	assert_int_equal(ask(*state, &p, "alice", 1000).verdict, ALLOW);
	p.roles[2] = "z";
	refused(*state, &p, "alice", AAD_R_REQUIRE_NOT_MET);
	p.groups[0] = OTHER;
	p.groups[1] = STAFF;
	assert_int_equal(ask(*state, &p, "alice", 1000).verdict, ALLOW);
}

/* What a person asks for never widens what the rules give. */
static void
II_P16_asking_for_another_login_gives_nothing(void **state)
{
	static const char *const logins[] = { "bob", "root", "deploy", "alice2",
		"alic", "Alice", "admin" };
	size_t i;

	for (i = 0; i < LEN(logins); i++)
		assert_int_equal(ask(*state, &alice, logins[i], NOT_UID)
				     .verdict,
		    DENY);
}

static void
II_P2_oid_and_not_the_name_in_a_login_section(void **state)
{
	struct person p = { .upn = "deploy@contoso.com",
		.preferred = OID,
		.roles = { "oid:" OID, OID },
		.groups = { OID } };

	refused(*state, &p, "deploy", AAD_R_NOT_ALLOWED);
	p.oid = OID;
	p.upn = NULL;
	p.preferred = NULL;
	assert_int_equal(ask(*state, &p, "deploy", 1000).verdict, ALLOW);
}

static void
II_P14_nothing_configured_is_nobody(void **state)
{
	static const char *const texts[] = { "", "[map]\n",
		"[map]\nrequire = role:ssh.user\n", "[map]\nmin_uid = 1\n" };
	struct world w;
	size_t i;

	(void)state;
	for (i = 0; i < LEN(texts); i++) {
		world_make(&w, texts[i]);
		refused(&w, &alice, "alice", AAD_R_NO_RULES);
		refused(&w, &alice, "root", AAD_R_NO_RULES);
		world_end(&w);
	}
}

static void
II_P19_acrs(void **state)
{
	struct world w;
	struct person p = alice;
	struct policy_answer a;
	char text[1024];

	(void)state;
	snprintf(text, sizeof(text),
	    "[idp]\ntenant = " T "\nclient_id = " OTHER "\n"
	    "require_acrs = c1\nrequire_acrs = c2\n%s",
	    base);
	world_make(&w, text);
	a = ask(&w, &p, "alice", 1000);
	expect_line(&a, AAD_R_ACRS_MISSING, 4, "[idp] require_acrs = c1");
	p.acrs[0] = "c1";
	a = ask(&w, &p, "alice", 1000);
	expect_line(&a, AAD_R_ACRS_MISSING, 5, "[idp] require_acrs = c2");
	p.acrs[1] = "C2";
	refused(&w, &p, "alice", AAD_R_ACRS_MISSING);
	p.acrs[1] = "c2 ";
	refused(&w, &p, "alice", AAD_R_ACRS_MISSING);
	p.acrs[1] = "c1,c2";
	refused(&w, &p, "alice", AAD_R_ACRS_MISSING);
	p.acrs[1] = "c2";
	assert_int_equal(ask(&w, &p, "alice", 1000).verdict, ALLOW);
	/* sections of one login too, and whatever else the token says */
	p.roles[0] = "ssh.deploy";
	assert_int_equal(ask(&w, &p, "deploy", 1000).verdict, ALLOW);
	p.acrs[0] = "c3";
	refused(&w, &p, "deploy", AAD_R_ACRS_MISSING);
	p.roles[0] = "c1";
	p.oid = OID;
	refused(&w, &p, "deploy", AAD_R_ACRS_MISSING);
	world_end(&w);
}

/* ---- rules ---- */

struct trap {
	const char *text;
	unsigned int line;
	const char *words;
};

static void
traps_refused(const struct trap *traps, size_t n)
{
	struct conf_error why;
	struct rules *r;
	struct conf *c;
	size_t i;

	for (i = 0; i < n; i++) {
		assert_int_equal(conf_parse(traps[i].text,
				     strlen(traps[i].text), &c, &why),
		    0);
		if (rules_new(c, &r, &why) != AAD_EFORMAT ||
		    why.line != traps[i].line ||
		    strstr(why.text, traps[i].words) == NULL)
			fail_msg("%s-> %u: %s", traps[i].text, why.line,
			    why.text);
		assert_null(r);
		conf_free(c);
	}
}

#define REQUIRE "[map]\nrequire = role:u\n"

static void
II_P4_empty_domain(void **state)
{
	static const struct trap traps[] = {
		{ REQUIRE "domain = *\n", 3, "whole DNS name" },
		{ REQUIRE "domain = *.com\n", 3, "whole DNS name" },
		{ REQUIRE "domain = .\n", 3, "whole DNS name" },
		{ REQUIRE "domain = com\n", 3, "whole DNS name" },
		{ REQUIRE "domain = .contoso.com\n", 3, "whole DNS name" },
		{ REQUIRE "domain = contoso.com.\n", 3, "whole DNS name" },
		{ REQUIRE "domain = @contoso.com\n", 3, "whole DNS name" },
		{ REQUIRE "domain = a.com,b.com\n", 3, "whole DNS name" },
		{ REQUIRE "domain = a.com b.com\n", 3, "whole DNS name" },
		{ REQUIRE "domain = \"\"\n", 3, "whole DNS name" },
		{ REQUIRE "domain = ok.com\ndomain = ?\n", 4, "whole DNS" },
		{ "[map]\ndomain = contoso.com\n", 2, "without require" },
	};
	struct conf_item empty = { borrow(""), 7 };
	struct conf_error why;
	struct rules *r;
	struct conf c;

	(void)state;
	traps_refused(traps, LEN(traps));
	memset(&c, 0, sizeof(c));
	c.domain.items = &empty;
	c.domain.n = 1;
	assert_int_equal(rules_new(&c, &r, &why), AAD_EFORMAT);
	assert_int_equal(why.line, 7);
	assert_null(r);
}

static void
II_P1_group_by_name_refused(void **state)
{
	static const struct trap traps[] = {
		{ REQUIRE "require = group:Admins\n", 3, "never a name" },
		{ REQUIRE "require = group:\n", 3, "never a name" },
		{ REQUIRE "require = group:*\n", 3, "never a name" },
		{ REQUIRE "require = group:" STAFF "0\n", 3, "never a name" },
		{ REQUIRE "require = group: " STAFF "\n", 3, "never a name" },
		{ "[login x]\nallow = group:Admins\n", 2, "never a name" },
		{ "[login x]\nallow = oid:alice@contoso.com\n", 2,
		    "never a name" },
		{ "[login x]\nallow = oid:\n", 2, "never a name" },
	};

	(void)state;
	traps_refused(traps, LEN(traps));
}

static void
II_P10_one_bad_rule_refuses_all_and_is_named(void **state)
{
	static const struct trap traps[] = {
		{ "[login x]\n", 1, "has no allow" },
		{ "[login y]\nallow = role:a\n[login x]\nhosts = web\n", 3,
		    "[login x] has no allow" },
		{ "[login x]\nallow = alice@contoso.com\n", 2, "role:VALUE" },
		{ "[login x]\nallow = *\n", 2, "role:VALUE" },
		{ "[login x]\nallow = any\n", 2, "role:VALUE" },
		{ "[login x]\nallow = Role:a\n", 2, "role:VALUE" },
		{ "[login x]\nallow = upn:a\n", 2, "role:VALUE" },
		{ "[login x]\nallow = role\n", 2, "role:VALUE" },
		{ "[login x]\nallow = role:\n", 2, "app role" },
		{ "[login x]\nallow = role: a\n", 2, "app role" },
		{ "[login x]\nallow = role:a b\n", 2, "app role" },
		{ "[login x]\nallow = role:a\nallow = rolf:b\n", 3,
		    "role:VALUE" },
		{ REQUIRE "require = oid:" OID "\n", 3, "or group:GUID" },
		{ REQUIRE "require = any\n", 3, "or group:GUID" },
		{ "[map]\nnever = a*\n", 2, "one login name" },
		{ "[map]\nnever = a,b\n", 2, "one login name" },
		{ "[map]\nnever = ok\nnever = a b\n", 3, "one login name" },
		{ "[login x]\nallow = role:a\noptions = restrict, pty\n", 3,
		    "options" },
		{ "[login x]\nallow = role:a\noptions = cert-authority\n", 3,
		    "options" },
		{ "[login x]\nallow = role:a\noptions = command=\"sh\"\n", 3,
		    "options" },
	};

	(void)state;
	traps_refused(traps, LEN(traps));
}

static void
rules_answer_what_was_written(void **state)
{
	struct world *w = *state, v;
	const struct rule *rule;
	unsigned int line = 0;

	assert_string_equal(rules_options(w->rules, "deploy"), "restrict,pty");
	assert_null(rules_options(w->rules, "root"));
	assert_null(rules_options(w->rules, "alice"));
	assert_int_equal(rules_login_line(w->rules, "root"), 11);
	assert_int_equal(rules_login_line(w->rules, "alice"), 0);
	rule = rules_allow(w->rules, "deploy", 2);
	assert_non_null(rule);
	assert_int_equal(rule->kind, RULE_OID);
	assert_string_equal(rule->text, "oid:" OID);
	assert_null(rules_allow(w->rules, "deploy", 3));
	assert_null(rules_allow(w->rules, "alice", 0));
	assert_null(rules_require(w->rules, 2));
	assert_int_equal(rules_min_uid(w->rules), 1000);
	assert_null(rules_acrs(w->rules, 0, &line));
	assert_int_equal(rules_domain(w->rules, "contoso.com"), 2);
	assert_int_equal(rules_domain(w->rules, ""), 0);
	assert_int_equal(rules_never_line(w->rules, "Mallory"), 5);
	assert_int_equal(rules_never_line(w->rules, "root"), 0);
	rules_free(NULL);
	world_make(&v,
	    "[map]\ndomain = Contoso.COM\n"
	    "require = group:12345678-9ABC-4DEF-8123-456789ABCDEF\n");
	assert_int_equal(rules_domain(v.rules, "contoso.com"), 2);
	rule = rules_require(v.rules, 0);
	assert_non_null(rule);
	assert_string_equal(rule->value, STAFF);
	world_end(&v);
}

/* P17: no list of the configuration is read at its first value only. */
static void
II_P17_the_last_value_of_every_list(void **state)
{
	static const char text[] = "[map]\ndomain = contoso.com\n"
				   "domain = fabrikam.com\n"
				   "domain = zabrze.example\n"
				   "require = role:x\nrequire = role:y\n"
				   "require = group:" STAFF "\n"
				   "never = mallory\nnever = trudy\n"
				   "never = Zorro\n"
				   "[login a]\nallow = role:x\n"
				   "[login deploy]\nallow = role:x\n"
				   "allow = role:y\nallow = oid:" OID "\n";
	struct person p = { .groups = { OTHER, STAFF } };
	static const char *const upns[] = { "alice@contoso.com",
		"alice@fabrikam.com", "alice@zabrze.example",
		"alice@ZABRZE.example" };
	struct world w;
	size_t i;

	(void)state;
	world_make(&w, text);
	for (i = 0; i < LEN(upns); i++) {
		p.upn = upns[i];
		assert_int_equal(ask(&w, &p, "alice", 1000).verdict, ALLOW);
		refused(&w, &p, "deploy", AAD_R_NOT_ALLOWED);
	}
	p.upn = "trudy@contoso.com";
	refused(&w, &p, "trudy", AAD_R_LOGIN_NEVER);
	p.upn = "ZORRO@contoso.com";
	refused(&w, &p, "ZORRO", AAD_R_LOGIN_NEVER);
	p.upn = "a~b@contoso.com"; /* printable, if no login */
	refused(&w, &p, "alice", AAD_R_NOT_THIS_LOGIN);
	p.groups[1] = NULL;
	p.roles[0] = "y";
	p.upn = "alice@contoso.com";
	assert_int_equal(ask(&w, &p, "alice", 1000).verdict, ALLOW);
	assert_int_equal(ask(&w, &p, "deploy", 1000).verdict, ALLOW);
	refused(&w, &p, "a", AAD_R_NOT_ALLOWED);
	p.roles[0] = NULL;
	p.oid = OID;
	assert_int_equal(ask(&w, &p, "deploy", 1000).verdict, ALLOW);
	refused(&w, &p, "alice", AAD_R_REQUIRE_NOT_MET);
	world_end(&w);
}

/* ---- damage ---- */

/* Who has no rule gets nothing from any damaged file, and who has one gets
 * no other login. */
static void
damaged(const uint8_t *p, size_t len, enum mutation how, size_t at, void *arg)
{
	static const struct person nobody = { .upn = "carol@evil.example",
		.roles = { "other" } };
	static const char *const logins[] = { "root", "deploy", "carol",
		"alice", "bob", "mallory", "git", "contoso" };
	unsigned int *countp = arg;
	struct conf_error why;
	struct world w;
	size_t i;
	int r;

	(void)how;
	(void)at;
	if (conf_parse((const char *)p, len, &w.conf, &why) != 0)
		return;
	r = rules_new(w.conf, &w.rules, &why);
	if (r == 0) {
		++*countp;
		for (i = 0; i < LEN(logins); i++) {
			assert_int_equal(ask(&w, &nobody, logins[i], NOT_UID)
					     .verdict,
			    DENY);
			if (strcmp(logins[i], "alice") != 0)
				assert_int_equal(ask(&w, &alice, logins[i],
						     NOT_UID)
						     .verdict,
				    DENY);
		}
	} else {
		assert_int_equal(r, AAD_EFORMAT);
		assert_true(why.line > 0);
		assert_null(w.rules);
	}
	world_end(&w);
}

static void
damaged_file_gives_no_new_login(void **state)
{
	unsigned int count = 0;

	(void)state;
	mutate_walk(base, strlen(base), damaged, &count);
	assert_in_range(count, 50, strlen(base) * 8);
}

static void
no_memory_is_said(void **state)
{
	struct world *w = *state;
	struct conf_error why;
	struct rules *r;
	unsigned int k;
	int e;

	for (k = 1;; k++) {
		fault_arm(FAULT_ALLOC, k, ENOMEM);
		e = rules_new(w->conf, &r, &why);
		if (!fault_disarm())
			break;
		assert_int_equal(e, AAD_ENOMEM);
		assert_null(r);
		assert_string_equal(why.text, "out of memory");
	}
	assert_int_equal(e, 0);
	assert_true(k > 5);
	rules_free(r);
}

/* ---- the shipped file and the manual ---- */

static char *
slurp(const char *name, size_t *lenp)
{
	char *text = calloc(1, CONF_MAX + 1);
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	assert_non_null(text);
	assert_true(fd != -1);
	n = read(fd, text, CONF_MAX);
	assert_in_range(n, 1, CONF_MAX - 1);
	close(fd);
	*lenp = (size_t)n;
	return text;
}

/* conf/aadssh.conf with every example switched on and the ids filled in. */
static void
shipped_examples_work(void **state)
{
	char *text, *p, *nil;
	size_t len;
	struct world w;
	struct person p1 = alice;

	(void)state;
	text = slurp("conf/aadssh.conf", &len);
	while ((nil = strstr(text, "00000000-0000")) != NULL)
		memcpy(nil, T, strlen(T));
	for (p = text; (p = strchr(p, '\n')) != NULL; p++)
		if (p[1] == '#' &&
		    (p[2] == '[' || (p[2] >= 'a' && p[2] <= 'z')))
			memmove(p + 1, p + 2, strlen(p + 2) + 1);
	nil = strstr(text, "\ncloud =");
	assert_non_null(nil);
	nil[1] = '#';
	world_make(&w, text);
	assert_int_equal(w.conf->nlogins, 1);
	assert_int_equal(w.conf->never.n, 1);
	refused(&w, &p1, "alice", AAD_R_LOGIN_NEVER);
	p1.upn = "bob@contoso.com";
	refused(&w, &p1, "bob", AAD_R_ACRS_MISSING);
	p1.acrs[0] = "c1";
	assert_int_equal(ask(&w, &p1, "bob", 1000).verdict, ALLOW);
	world_end(&w);
	free(text);
}

/* Every example file of the manual is one that loads. */
static void
manual_examples_work(void **state)
{
	static const char head[] = ".Bd -literal -offset indent\n";
	char *man, *p, *end;
	struct world w;
	unsigned int n = 0;
	size_t len;

	(void)state;
	man = slurp("docs/aadssh.conf.5", &len);
	p = strstr(man, ".Sh EXAMPLES");
	assert_non_null(p);
	while ((p = strstr(p, head)) != NULL) {
		p += strlen(head);
		end = strstr(p, ".Ed\n");
		assert_non_null(end);
		*end = '\0';
		world_make(&w, p);
		assert_true(w.conf->has_idp);
		world_end(&w);
		p = end + 1;
		n++;
	}
	assert_in_range(n, 2, 20);
	free(man);
}

/* The manual's list of logins that are never mapped is true and whole. */
static void
manual_lists_the_reserved_logins(void **state)
{
	struct world *w = *state;
	char *man, *p, *end, *name, *save = NULL;
	unsigned int n = 0;
	size_t len;

	man = slurp("docs/aadssh.conf.5", &len);
	p = strstr(man, "\n.\\\" never: begin\n");
	assert_non_null(p);
	p = strstr(p + 1, "\n") + 1;
	end = strstr(p, ".\\\" never: end\n");
	assert_non_null(end);
	*end = '\0';
	for (name = strtok_r(p, " \n,", &save); name != NULL;
	     name = strtok_r(NULL, " \n,", &save)) {
		if (!rules_is_never(w->rules, name))
			fail_msg("%s is not built in", name);
		n++;
	}
	assert_int_equal(n, rules_never_count());
	free(man);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(allowed_names_the_rule_and_its_line),
		cmocka_unit_test(preferred_username_counts_only_without_upn),
		cmocka_unit_test(zeroed_answer_denies),
		cmocka_unit_test(refusals_name_the_rule_or_the_claim),
		cmocka_unit_test(II_P3_same_local_part_other_domain),
		cmocka_unit_test(
		    I_B6_user_name_with_no_or_two_at_signs_never_maps),
		cmocka_unit_test(II_P8_case),
		cmocka_unit_test(I_B19_case_of_a_reserved_name_does_not_matter),
		cmocka_unit_test(I_B3_unicode_upn_never_maps),
		cmocka_unit_test(I_B3_unicode_under_a_turkish_locale),
		cmocka_unit_test(I_B4_injective_mapping),
		cmocka_unit_test(I_B4_no_truncation),
		cmocka_unit_test(I_B5_reserved_names),
		cmocka_unit_test(I_B5_uid_floor),
		cmocka_unit_test(I_B2_login_grammar),
		cmocka_unit_test(II_P5_guest_marks),
		cmocka_unit_test(II_P6_overage_denies),
		cmocka_unit_test(II_P7_groups_by_the_whole_value),
		cmocka_unit_test(II_P17_every_value_is_compared),
		cmocka_unit_test(II_P16_asking_for_another_login_gives_nothing),
		cmocka_unit_test(II_P2_oid_and_not_the_name_in_a_login_section),
		cmocka_unit_test(II_P14_nothing_configured_is_nobody),
		cmocka_unit_test(II_P19_acrs),
		cmocka_unit_test(II_P4_empty_domain),
		cmocka_unit_test(II_P1_group_by_name_refused),
		cmocka_unit_test(II_P10_one_bad_rule_refuses_all_and_is_named),
		cmocka_unit_test(rules_answer_what_was_written),
		cmocka_unit_test(II_P17_the_last_value_of_every_list),
		cmocka_unit_test(damaged_file_gives_no_new_login),
		cmocka_unit_test(no_memory_is_said),
		cmocka_unit_test(shipped_examples_work),
		cmocka_unit_test(manual_examples_work),
		cmocka_unit_test(manual_lists_the_reserved_logins),
	};

	return cmocka_run_group_tests(tests, base_make, base_end);
}
