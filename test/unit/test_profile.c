/* SPDX-License-Identifier: ISC */

#include "test/unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/signer/option.h"
#include "ca/signer/profile.h"
#include "core/text.h"
#include "policy/policy.h"
#include "test/unit/fault.h"

#define T	 "11111111-2222-4333-8444-555555555555"
#define C	 "99999999-aaaa-4bbb-8ccc-dddddddddddd"
#define OID	 "aaaaaaaa-1111-4222-8333-bbbbbbbbbbbb"
#define OTHER	 "fedcba98-7654-4321-8fed-cba987654321"
#define ISS	 "https://login.microsoftonline.com/" T "/v2.0"
#define LOGIN_32 "abcdefghijklmnopqrstuvwxyz012345"
#define NOW	 INT64_C(1800000000)
#define HOUR	 3600
#define DAY	 86400
#define LEN(a)	 (sizeof(a) / sizeof((a)[0]))

static const char base[] = "[ca]\n"
			   "[map]\n"
			   "domain = contoso.com\n"
			   "require = role:ssh.user\n"
			   "hosts = web,db\n"
			   "[login deploy]\n"
			   "allow = role:ssh.deploy\n"
			   "hosts = web\n"
			   "[login root]\n"
			   "allow = role:ssh.root\n"
			   "hosts = *\n"
			   "[login git]\n"
			   "allow = role:ssh.deploy\n"
			   "hosts = *,git\n"
			   "hosts = *\n"
			   "[login nowhere]\n"
			   "allow = role:ssh.deploy\n"
			   "[profile staff]\n"
			   "for = *\n"
			   "ttl = 2h\n"
			   "max_ttl = 10h\n"
			   "[profile ops]\n"
			   "for = deploy,git\n"
			   "ttl = 10m\n"
			   "max_ttl = 1h\n"
			   "key_types = ssh-ed25519\n"
			   "source_address = 192.0.2.0/24,2001:db8::/32\n"
			   "[profile forced]\n"
			   "for = root\n"
			   "force_command = /bin/run --x=\"a b\",c='d' $HOME\n";

struct world {
	struct conf *conf;
	struct rules *rules;
};

static void
world_make(struct world *w, const char *text)
{
	struct conf_error why;

	if (conf_parse(text, strlen(text), &w->conf, &why) != 0 ||
	    rules_new(w->conf, &w->rules, &why) != 0)
		fail_msg("%u: %s", why.line, why.text);
}

static void
world_end(struct world *w)
{
	rules_free(w->rules);
	conf_free(w->conf);
}

/* What is asked, by whom; zero fields are the usual. */
struct
try {
	const char *upn; /* NULL: alice@contoso.com; "": no name at all */
	const char *uti;
	const char *roles[4]; /* none: all three */
	const char *logins[8];
	bool has_ttl;
	uint64_t ttl;
	const char *sources[8];
	enum key_kind kind; /* 0: ed25519 */
	int64_t now; /* 0: NOW */
	int64_t iat; /* 0: now */
};

struct answer {
	int r;
	enum reason why;
	char fault[PROFILE_FAULT_MAX];
	struct profile_grant g;
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

static size_t
count(const char *const *list, size_t max)
{
	size_t n = 0;

	while (n < max && list[n] != NULL)
		n++;
	return n;
}

static void
claims_of(const struct try *t, struct claims *c, char **room)
{
	static const char *const all[] = { "ssh.user", "ssh.deploy",
		"ssh.root" };
	const char *const *roles = t->roles[0] != NULL ? t->roles : all;
	size_t n = t->roles[0] != NULL ? count(t->roles, 4) : LEN(all), i;

	memset(c, 0, sizeof(*c));
	c->iss = borrow(ISS);
	strcpy(c->tid, T);
	strcpy(c->oid, OID);
	c->upn = borrow(t->upn == NULL ? "alice@contoso.com" : t->upn);
	if (c->upn[0] == '\0')
		c->upn = NULL;
	c->uti = borrow(t->uti);
	for (i = 0; i < n; i++)
		room[i] = borrow(roles[i]);
	c->roles = (struct claims_list){ room, n };
}

/* Everything that holds of any grant, asked or not. */
static void
grant_is_sound(const struct profile_grant *g, int64_t now)
{
	size_t i, bytes = 0;

	assert_in_range(g->nprincipals, 1, CERT_PRINCIPALS_MAX);
	for (i = 0; i < g->nprincipals; i++) {
		bytes += strlen(g->principals[i]) + 4;
		if (i > 0)
			assert_true(strcmp(g->principals[i - 1],
					g->principals[i]) < 0);
	}
	assert_in_range(bytes, 1, PROFILE_PRINCIPALS_MAX);
	assert_true(g->valid_after >= 1);
	assert_true(g->valid_after <= (uint64_t)now);
	assert_true((int64_t)g->valid_after >= now - PROFILE_BACKDATE);
	assert_true(g->valid_before > (uint64_t)now);
	assert_true(g->valid_before <= (uint64_t)CLAIMS_TIME_MAX);
	assert_in_range(g->ncritical, 0, PROFILE_OPTIONS_MAX);
	for (i = 1; i < g->ncritical; i++)
		assert_true(strcmp(g->critical[i - 1].name,
				g->critical[i].name) < 0);
	for (i = 0; i < g->nextensions; i++) {
		assert_true(option_extension_ok(g->extensions[i].name));
		assert_null(g->extensions[i].value);
		if (i > 0)
			assert_true(strcmp(g->extensions[i - 1].name,
					g->extensions[i].name) < 0);
	}
	assert_in_range(strlen(g->key_id), 6, CERT_KEY_ID_MAX);
	for (i = 0; g->key_id[i] != '\0'; i++)
		assert_in_range(g->key_id[i], ' ', '~');
	assert_non_null(g->profile);
}

static struct answer
ask_many(const struct world *w, const struct try *t, const char *const *logins,
    size_t nlogins, const char *const *sources, size_t nsources)
{
	struct key key = { .kind = t->kind != 0 ? t->kind : KEY_ED25519 };
	char *room[4];
	struct claims c;
	struct answer a;
	struct profile_ask ask = { w->conf, w->rules, &c, &key, logins, nlogins,
		t->has_ttl, t->ttl, sources, nsources,
		t->now != 0 ? t->now : NOW };
	size_t i;

	claims_of(t, &c, room);
	c.iat = t->iat != 0 ? t->iat : ask.now;
	memset(&a, 0xa5, sizeof(a));
	a.r = profile_grant(&ask, &a.g, &a.why, a.fault);
	assert_true(memchr(a.fault, '\0', sizeof(a.fault)) != NULL);
	for (i = 0; a.fault[i] != '\0'; i++)
		assert_in_range(a.fault[i], ' ', '~');
	if (a.r == 0) {
		assert_int_equal(a.why, AAD_R_UNSET);
		grant_is_sound(&a.g, ask.now);
		for (i = 0; i < a.g.nprincipals; i++)
			assert_true(profile_principal_ok(a.g.principals[i]));
	} else {
		struct profile_grant zero;

		memset(&zero, 0, sizeof(zero));
		assert_memory_equal(&a.g, &zero, sizeof(zero));
	}
	return a;
}

static struct answer
ask_for(const struct world *w, const struct try *t)
{
	return ask_many(w, t, t->logins, count(t->logins, 8), t->sources,
	    count(t->sources, 8));
}

static void
refused(const struct world *w, const struct try *t, enum reason why,
    const char *fault)
{
	struct answer a = ask_for(w, t);

	if (a.r != AAD_EREFUSED || a.why != why ||
	    strstr(a.fault, fault) == NULL)
		fail_msg("%d %s \"%s\", not %s \"%s\"", a.r, reason_name(a.why),
		    a.fault, reason_name(why), fault);
}

static struct answer
granted(const struct world *w, const struct try *t)
{
	struct answer a = ask_for(w, t);

	if (a.r != 0)
		fail_msg("%s \"%s\"", reason_name(a.why), a.fault);
	return a;
}

static void
list_is(char *const *list, size_t n, const char *want)
{
	char got[1024];
	size_t i, at = 0;

	got[0] = '\0';
	for (i = 0; i < n; i++)
		at += (size_t)snprintf(got + at, sizeof(got) - at, "%s%s",
		    i > 0 ? " " : "", list[i]);
	assert_string_equal(got, want);
}

static const char *
option_of(const struct cert_option *list, size_t n, const char *name)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strcmp(list[i].name, name) == 0)
			return list[i].value != NULL ? list[i].value : "";
	return NULL;
}

static void
extensions_are(const struct profile_grant *g, const char *want)
{
	char *names[PROFILE_OPTIONS_MAX];
	size_t i;

	for (i = 0; i < g->nextensions; i++)
		names[i] = borrow(g->extensions[i].name);
	list_is(names, g->nextensions, want);
}

/* ---- base: one configuration for most tests ---- */

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
logins_become_principals(void **state)
{
	static const struct row {
		const char *logins[4];
		const char *names;
		const char *principals;
		const char *profile;
	} rows[] = {
		{ { NULL }, "alice", "alice@db alice@web", "staff" },
		{ { "alice" }, "alice", "alice@db alice@web", "staff" },
		{ { "alice", "alice" }, "alice", "alice@db alice@web",
		    "staff" },
		{ { "deploy" }, "deploy", "deploy@web", "ops" },
		{ { "root" }, "root", "root", "forced" },
		{ { "git" }, "git", "git git@git", "ops" },
		{ { "git", "deploy", "git" }, "deploy git",
		    "deploy@web git git@git", "ops" },
	};
	struct answer a;
	struct try t;
	size_t i;

	for (i = 0; i < LEN(rows); i++) {
		memset(&t, 0, sizeof(t));
		memcpy(t.logins, rows[i].logins, sizeof(rows[i].logins));
		a = granted(*state, &t);
		list_is(a.g.logins, a.g.nlogins, rows[i].names);
		list_is(a.g.principals, a.g.nprincipals, rows[i].principals);
		assert_string_equal(a.g.profile, rows[i].profile);
		profile_release(&a.g);
		profile_release(&a.g);
	}
}

static void
every_reason(void **state)
{
	static const struct row {
		struct try t;
		enum reason why;
		const char *fault;
	} rows[] = {
		{ { .logins = { "bob" } }, AAD_R_NOT_THIS_LOGIN, "bob: " },
		{ { .logins = { "root" }, .roles = { "ssh.user" } },
		    AAD_R_NOT_ALLOWED, "root: " },
		{ { .logins = { "alice" }, .roles = { "x" } },
		    AAD_R_REQUIRE_NOT_MET, "alice: " },
		{ { .logins = { "alice", "bob" } }, AAD_R_NOT_THIS_LOGIN,
		    "bob" },
		{ { .logins = { "daemon" }, .upn = "daemon@contoso.com" },
		    AAD_R_LOGIN_NEVER, "daemon" },
		{ { .logins = { "alice" }, .upn = "alice@evil.example" },
		    AAD_R_DOMAIN_NOT_LISTED, "alice" },
		{ { .logins = { "nowhere" } }, AAD_R_LOGIN_NO_HOSTS,
		    "nowhere" },
		{ { .logins = { "alice", "deploy" } }, AAD_R_TWO_PROFILES,
		    "alice and deploy" },
		{ { .logins = { "root", "deploy" } }, AAD_R_TWO_PROFILES,
		    "deploy and root" },
		{ { .logins = { "deploy" }, .kind = KEY_RSA },
		    AAD_R_SUBJECT_KEY_TYPE, "ssh-rsa" },
		{ { .logins = { "deploy" }, .kind = KEY_SK_ED25519 },
		    AAD_R_SUBJECT_KEY_TYPE, "sk-ssh-ed25519" },
		{ { .has_ttl = true }, AAD_R_TTL, "" },
		{ { .iat = NOW - 12 * HOUR }, AAD_R_SIGN_IN_STALE, "" },
		{ { .sources = { "nonsense" } }, AAD_R_SOURCE_ADDRESS,
		    "nonsense" },
		{ { .logins = { "deploy" }, .sources = { "192.0.3.0/24" } },
		    AAD_R_SOURCE_ADDRESS, "192.0.3.0/24" },
		{ { .logins = { "a b" } }, AAD_R_BAD_LOGIN, "a b" },
		{ { .upn = "" }, AAD_R_NO_PRINCIPALS, "no login" },
	};
	size_t i;

	for (i = 0; i < LEN(rows); i++)
		refused(*state, &rows[i].t, rows[i].why, rows[i].fault);
}

/* Of two faults the first of the contract's order is told. */
static void
order_of_the_checks(void **state)
{
	struct try t = { .logins = { "bob", "deploy", "nowhere" },
		.kind = KEY_RSA,
		.has_ttl = true,
		.sources = { "x" } };

	refused(*state, &t, AAD_R_NOT_THIS_LOGIN, "");
	t.logins[0] = "alice";
	refused(*state, &t, AAD_R_TWO_PROFILES, "");
	t.logins[0] = "deploy";
	t.logins[2] = NULL;
	refused(*state, &t, AAD_R_SUBJECT_KEY_TYPE, "");
	t.kind = KEY_ED25519;
	refused(*state, &t, AAD_R_TTL, "");
	t.ttl = 60;
	refused(*state, &t, AAD_R_SOURCE_ADDRESS, "");
}

static void
I_C1_nobody_gets_a_certificate_without_principals(void **state)
{
	static const struct row {
		const char *upn;
		const char *role; /* NULL: all */
		const char *fault;
	} rows[] = {
		{ "", NULL, "no login" },
		{ "@contoso.com", NULL, "no login" },
		{ "*@contoso.com", NULL, "no login" },
		{ "#EXT#@contoso.com", NULL, "no login" },
		{ "abcdefghijklmnopqrstuvwxyz0123456@contoso.com", NULL,
		    "no login" },
		{ "alice@evil.example", NULL, "domain_not_listed" },
		{ "alice", NULL, "no_upn" },
		{ "alice@contoso.com", "x", "require_not_met" },
		{ "daemon@contoso.com", NULL, "login_never" },
		/* It may be deploy, and still has to ask. */
		{ "deploy@contoso.com", NULL, "section of its own" },
		{ "root@contoso.com", NULL, "section of its own" },
	};
	struct try t;
	size_t i;

	for (i = 0; i < LEN(rows); i++) {
		memset(&t, 0, sizeof(t));
		t.upn = rows[i].upn;
		t.roles[0] = rows[i].role;
		refused(*state, &t, AAD_R_NO_PRINCIPALS, rows[i].fault);
	}
}

static void
II_C1_empty_names_and_wildcards_are_no_logins(void **state)
{
	static const char *const bad[] = { "", "*", "?", "a*", "@web", "alice@",
		"alice@*", "alice@web", "." };
	struct try t = { 0 };
	size_t i;

	for (i = 0; i < LEN(bad); i++) {
		t.logins[0] = bad[i];
		t.logins[1] = NULL;
		refused(*state, &t, AAD_R_BAD_LOGIN, "");
		t.logins[0] = "alice";
		t.logins[1] = bad[i];
		refused(*state, &t, AAD_R_BAD_LOGIN, "");
	}
}

static void
I_C2_hostile_principals(void **state)
{
	static const char *const bad[] = { "alice,root", "alice root",
		"alice\t", " alice", "alice ", "alice#EXT#", "#alice",
		"alice\nroot", "alice\r", "\"alice\"", "'alice'", "alice\\",
		"alice\x7f", "al\303\255ce", "\xd0\xb0lice", "alice\x1b[2J",
		"a/b", "../a", "-alice", "1alice", "a:b", "a;b", "$(id)",
		"abcdefghijklmnopqrstuvwxyz0123456" };
	static const char *const ok[] = { "a", "_a", "A.b-c_d9", "a@w",
		(LOGIN_32 "@" LOGIN_32) };
	char long_name[600], with_group[700];
	struct try t = { 0 };
	size_t i;

	memset(long_name, 'a', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	for (i = 0; i <= LEN(bad); i++) {
		t.logins[0] = i < LEN(bad) ? bad[i] : long_name;
		refused(*state, &t, AAD_R_BAD_LOGIN, "");
		assert_false(profile_principal_ok(t.logins[0]));
		snprintf(with_group, sizeof(with_group), "%s@web", t.logins[0]);
		assert_false(profile_principal_ok(with_group));
		snprintf(with_group, sizeof(with_group), "alice@%s",
		    t.logins[0]);
		if (strcmp(t.logins[0], "1alice") != 0)
			assert_false(profile_principal_ok(with_group));
	}
	for (i = 0; i < LEN(ok); i++)
		assert_true(profile_principal_ok(ok[i]));
	assert_false(profile_principal_ok(""));
	assert_false(profile_principal_ok("*"));
	assert_false(profile_principal_ok("a@"));
	assert_false(profile_principal_ok("a@*"));
	assert_false(profile_principal_ok("a@b@c"));
	assert_false(profile_principal_ok("@b"));
}

static void
I_C3_the_caller_can_only_narrow(void **state)
{
	struct try t = { .logins = { "deploy" } };
	struct answer a;

	/* Nothing asked: what the profile says. */
	a = granted(*state, &t);
	assert_int_equal(a.g.valid_before, NOW + 600);
	assert_string_equal(option_of(a.g.critical, a.g.ncritical,
				"source-address"),
	    "192.0.2.0/24,2001:db8::/32");
	profile_release(&a.g);
	/* Less. */
	t.has_ttl = true;
	t.ttl = 1;
	t.sources[0] = "2001:db8:1::/48";
	t.sources[1] = "192.0.2.7";
	a = granted(*state, &t);
	assert_int_equal(a.g.valid_before, NOW + 1);
	assert_string_equal(option_of(a.g.critical, a.g.ncritical,
				"source-address"),
	    "2001:db8:1::/48,192.0.2.7");
	profile_release(&a.g);
	/* More: never longer, and never from elsewhere. */
	t.ttl = 30 * DAY;
	t.sources[0] = NULL;
	a = granted(*state, &t);
	assert_int_equal(a.g.valid_before, NOW + HOUR);
	extensions_are(&a.g, "permit-port-forwarding permit-pty");
	profile_release(&a.g);
	t.sources[0] = "192.0.2.0/23";
	refused(*state, &t, AAD_R_SOURCE_ADDRESS, "192.0.2.0/23");
	t.sources[0] = "0.0.0.0/0";
	refused(*state, &t, AAD_R_SOURCE_ADDRESS, "");
	t.sources[0] = "192.0.2.1";
	t.sources[1] = "::/0";
	refused(*state, &t, AAD_R_SOURCE_ADDRESS, "::/0");
}

static void
two_logins_of_one_profile_share_a_certificate(void **state)
{
	struct try t = { .logins = { "git", "deploy" } };
	struct answer a = granted(*state, &t);

	assert_int_equal(a.g.nlogins, 2);
	profile_release(&a.g);
	t.logins[2] = "root";
	refused(*state, &t, AAD_R_TWO_PROFILES, "root");
}

static void
I_C6_lifetimes_that_nobody_gets(void **state)
{
	static const uint64_t none[] = { 0, (uint64_t)INT64_MAX + 1,
		UINT64_MAX - 1, UINT64_MAX };
	static const uint64_t cut[] = { 10 * HOUR, 10 * HOUR + 1, 100 * DAY,
		(uint64_t)INT64_MAX - NOW, (uint64_t)INT64_MAX - 1, INT64_MAX };
	struct try t = { .has_ttl = true };
	struct answer a;
	size_t i;

	for (i = 0; i < LEN(none); i++) {
		t.ttl = none[i];
		refused(*state, &t, AAD_R_TTL, "");
	}
	for (i = 0; i < LEN(cut); i++) {
		t.ttl = cut[i];
		a = granted(*state, &t);
		assert_int_equal(a.g.valid_before, NOW + 10 * HOUR);
		profile_release(&a.g);
	}
}

static void
II_C3_clocks_at_the_ends_of_time(void **state)
{
	static const int64_t bad[] = { -1, INT64_MIN, INT64_MAX, INT64_MAX - 60,
		CLAIMS_TIME_MAX, CLAIMS_TIME_MAX + 1 };
	static const int64_t good[] = { 1, 59, 60, 61, 120, NOW,
		CLAIMS_TIME_MAX - 1 };
	struct try t = { 0 };
	struct answer a;
	size_t i;

	for (i = 0; i < LEN(bad); i++) {
		t.now = bad[i];
		t.iat = bad[i];
		a = ask_for(*state, &t);
		assert_int_equal(a.r, AAD_EREFUSED);
		assert_true(a.why == AAD_R_TTL || a.why == AAD_R_SIGN_IN_STALE);
		t.iat = INT64_MIN;
		assert_int_equal(ask_for(*state, &t).r, AAD_EREFUSED);
		t.iat = INT64_MAX;
		assert_int_equal(ask_for(*state, &t).r, AAD_EREFUSED);
	}
	for (i = 0; i < LEN(good); i++) {
		t.now = good[i];
		t.iat = good[i];
		a = granted(*state, &t);
		assert_true(a.g.valid_before <= (uint64_t)good[i] + 2 * HOUR);
		profile_release(&a.g);
	}
}

static void
II_C4_back_dated_for_clocks_that_are_behind(void **state)
{
	struct try t = { 0 };
	struct answer a = granted(*state, &t);

	assert_int_equal(a.g.valid_after, NOW - 60);
	profile_release(&a.g);
	/* Its end is not moved by it. */
	t.has_ttl = true;
	t.ttl = 5;
	a = granted(*state, &t);
	assert_int_equal(a.g.valid_after, NOW - 60);
	assert_int_equal(a.g.valid_before, NOW + 5);
	profile_release(&a.g);
}

static void
I_F7_back_dating_never_passes_the_epoch(void **state)
{
	struct try t = { .now = 30, .iat = 30 };
	struct answer a = granted(*state, &t);

	/* NB. 0 would be "always" to ssh-keygen. */
	assert_int_equal(a.g.valid_after, 1);
	profile_release(&a.g);
}

static void
II_C20_no_certificate_outlives_the_sign_in(void **state)
{
	struct try t = { .has_ttl = true, .ttl = 10 * HOUR };
	struct answer a;

	t.iat = NOW - 12 * HOUR + 1;
	a = granted(*state, &t);
	assert_int_equal(a.g.valid_before, NOW + 1);
	profile_release(&a.g);
	t.iat = NOW - 12 * HOUR;
	refused(*state, &t, AAD_R_SIGN_IN_STALE, "");
	t.iat = NOW - 3 * HOUR;
	a = granted(*state, &t);
	assert_int_equal(a.g.valid_before, NOW + 9 * HOUR);
	profile_release(&a.g);
	/* A sign-in in our future gives nothing more. */
	t.iat = NOW + 50;
	t.ttl = 30 * DAY;
	a = granted(*state, &t);
	assert_int_equal(a.g.valid_before, NOW + 10 * HOUR);
	profile_release(&a.g);
}

static void
I_F1_nothing_but_a_terminal_and_ports_by_default(void **state)
{
	struct try t = { 0 };
	struct answer a = granted(*state, &t);

	extensions_are(&a.g, "permit-port-forwarding permit-pty");
	assert_int_equal(a.g.ncritical, 0);
	profile_release(&a.g);
}

static void
extensions_as_the_profile_lists_them(void **state)
{
	static const char *const rows[][2] = {
		{ "none", "" },
		{ "permit-pty", "permit-pty" },
		{ "permit-pty,permit-X11-forwarding,permit-user-rc,"
		  "permit-agent-forwarding,permit-port-forwarding,"
		  "no-touch-required",
		    "no-touch-required permit-X11-forwarding "
		    "permit-agent-forwarding permit-port-forwarding permit-pty "
		    "permit-user-rc" },
		{ "permit-pty,permit-pty", "permit-pty" },
	};
	struct try t = { 0 };
	struct answer a;
	struct world w;
	char text[512];
	size_t i;

	(void)state;
	for (i = 0; i < LEN(rows); i++) {
		snprintf(text, sizeof(text),
		    "[ca]\n[map]\ndomain = contoso.com\nrequire = "
		    "role:ssh.user\nhosts = *\n[profile p]\nfor = *\n"
		    "extensions = %s\n",
		    rows[i][0]);
		world_make(&w, text);
		a = granted(&w, &t);
		extensions_are(&a.g, rows[i][1]);
		profile_release(&a.g);
		world_end(&w);
	}
}

static void
II_C5_a_forced_command_is_bytes(void **state)
{
	struct try t = { .logins = { "root" } };
	struct answer a = granted(*state, &t);

	assert_int_equal(a.g.ncritical, 1);
	assert_string_equal(a.g.critical[0].name, "force-command");
	assert_string_equal(a.g.critical[0].value,
	    "/bin/run --x=\"a b\",c='d' $HOME");
	profile_release(&a.g);
}

static void
II_C6_a_forced_command_comes_without_permits(void **state)
{
	static const char text[] = "[ca]\n[login root]\nallow = role:ssh.root\n"
				   "hosts = *\n[profile p]\nfor = root\n"
				   "force_command = /bin/x\n"
				   "source_address = 10.0.0.0/8\n"
				   "extensions = permit-pty\n";
	struct try t = { .logins = { "root" } };
	struct answer a = granted(*state, &t);
	struct world w;

	extensions_are(&a.g, "");
	profile_release(&a.g);
	/* Unless the profile says which. */
	world_make(&w, text);
	a = granted(&w, &t);
	extensions_are(&a.g, "permit-pty");
	assert_int_equal(a.g.ncritical, 2);
	assert_string_equal(a.g.critical[0].name, "force-command");
	assert_string_equal(a.g.critical[1].name, "source-address");
	profile_release(&a.g);
	world_end(&w);
}

static void
II_C7_source_addresses(void **state)
{
	static const char *const good[] = { "192.0.2.0/24", "192.0.2.1",
		"0.0.0.0/0", "::/0", "2001:db8::1", "2001:db8::/127",
		"2001:0db8:0000:0000:0000:0000:0000:0001/128" };
	static const char *const bad[] = { "", "*", "!10.0.0.1", "10.0.0.1/8",
		"10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0/8",
		"10.0.0.0/8,11.0.0.0/8", " 10.0.0.1", "10.0.0.1 ", "10.0.0.1\n",
		"2001:db8::1/32", "2001:db8::/129", "fe80::1%eth0",
		"::ffff:10.0.0.0/104", "::ffff:10.0.0.1", "::ffff:a00:1",
		"::ffff:0:0/96", "::ffff:10.0.0.1/8", "host.example",
		"10.0.0.0/00000000000000000000000000000000000000000008",
		"0x0a.0.0.1", "010.0.0.1", "10.1" };
	struct try t = { 0 };
	struct answer a;
	size_t i;

	for (i = 0; i < LEN(good); i++) {
		t.sources[0] = good[i];
		a = granted(*state, &t);
		assert_string_equal(option_of(a.g.critical, a.g.ncritical,
					"source-address"),
		    good[i]);
		profile_release(&a.g);
	}
	for (i = 0; i < LEN(bad); i++) {
		t.sources[0] = bad[i];
		t.sources[1] = NULL;
		refused(*state, &t, AAD_R_SOURCE_ADDRESS, "");
		t.sources[0] = "192.0.2.1";
		t.sources[1] = bad[i];
		refused(*state, &t, AAD_R_SOURCE_ADDRESS, "");
	}
}

static void
II_C7_a_thousand_addresses(void **state)
{
	static char room[1000][16];
	const char *sources[1000];
	struct try t = { 0 };
	struct answer a;
	size_t i;

	for (i = 0; i < LEN(sources); i++) {
		snprintf(room[i], sizeof(room[i]), "10.0.%zu.%zu", i / 250,
		    i % 250);
		sources[i] = room[i];
	}
	a = ask_many(*state, &t, NULL, 0, sources, 64);
	assert_int_equal(a.r, 0);
	assert_non_null(strstr(a.g.source_address, ",10.0.0.63"));
	profile_release(&a.g);
	for (i = 65; i <= LEN(sources); i += 85) {
		a = ask_many(*state, &t, NULL, 0, sources, i);
		assert_int_equal(a.r, AAD_EREFUSED);
		assert_int_equal(a.why, AAD_R_SOURCE_ADDRESS);
	}
}

static void
ranges_within_ranges(void **state)
{
	static const struct row {
		const char *outer;
		const char *inner;
		bool within;
	} rows[] = {
		{ "10.0.0.0/8", "10.0.0.0/8", true },
		{ "10.0.0.0/8", "10.255.255.255", true },
		{ "10.0.0.0/8", "10.128.0.0/9", true },
		{ "10.0.0.0/8", "11.0.0.0/8", false },
		{ "10.0.0.0/8", "10.0.0.0/7", false },
		{ "10.0.0.0/8", "0.0.0.0/0", false },
		{ "0.0.0.0/0", "0.0.0.0/0", true },
		{ "0.0.0.0/0", "::/0", false },
		{ "::/0", "10.0.0.1", false },
		{ "::/0", "2001:db8::1", true },
		{ "2001:db8::/33", "2001:db8:8000::/33", false },
		{ "2001:db8::/32", "2001:db8:8000::/33", true },
		{ "10.0.0.1", "10.0.0.1/32", true },
		{ "10.0.0.1", "10.0.0.0/31", false },
		{ "::ffff:10.0.0.0/104", "10.1.2.3", true },
		{ "10.0.0.0/8", "::ffff:10.1.2.3", true },
		{ "10.0.0.0/8", "10.0.0.1/24", false },
		{ "x", "10.0.0.1", false },
		{ "10.0.0.0/8", "", false },
		{ "", "", false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < LEN(rows); i++)
		if (text_cidr_within(rows[i].outer, rows[i].inner) !=
		    rows[i].within)
			fail_msg("%s in %s", rows[i].inner, rows[i].outer);
}

static void
II_C8_only_options_that_every_sshd_knows(void **state)
{
	static const char *const known[] = { "no-touch-required",
		"permit-X11-forwarding", "permit-agent-forwarding",
		"permit-port-forwarding", "permit-pty", "permit-user-rc" };
	static const char *const unknown[] = { "", "none", "Permit-pty",
		"permit-pty ", "permit-PTY", "force-command", "source-address",
		"verify-required", "x@example.com", "permit-x11-forwarding" };
	size_t i;

	(void)state;
	assert_int_equal(LEN(known), OPTION_EXTENSIONS_MAX);
	for (i = 0; i < LEN(known); i++)
		assert_true(option_extension_ok(known[i]));
	for (i = 0; i < LEN(unknown); i++)
		assert_false(option_extension_ok(unknown[i]));
}

/* ---- the key id ---- */

static void
key_id_is(const struct world *w, const struct try *t, const char *want)
{
	char guid[NAME_GUID_LEN + 1];
	struct answer a = granted(w, t);
	struct cert c;

	if (want != NULL)
		assert_string_equal(a.g.key_id, want);
	memset(&c, 0, sizeof(c));
	c.key_id = a.g.key_id;
	assert_int_equal(cert_key_oid(&c, guid), 0);
	assert_string_equal(guid, OID);
	assert_int_equal(cert_key_tid(&c, guid), 0);
	assert_string_equal(guid, T);
	profile_release(&a.g);
}

#define IDS " oid=" OID " tid=" T

static void
I_C8_key_id_names_the_identity_whatever_its_name(void **state)
{
	static const char *const names[] = { "", " ", "-", "a b", "oid=" OTHER,
		"alice oid=" OTHER, "x tid=" OTHER " oid=" OTHER " uti=y",
		"oid=" OTHER " ", "uti=a tid=" OTHER, "=",
		"oid=", "\x1b]0;x\x07", "a\nb", "al\303\255ce", "\xff\xfe" };
	char long_name[1024];
	struct try t = { .logins = { "deploy" }, .uti = "abc_-XYZ019" };
	size_t i;

	key_id_is(*state, &t, "alice@contoso.com" IDS " uti=abc_-XYZ019");
	for (i = 0; i < LEN(names); i++) {
		t.upn = names[i];
		key_id_is(*state, &t, NULL);
	}
	t.upn = "alice oid=" OTHER;
	key_id_is(*state, &t, "alice?oid=" OTHER IDS " uti=abc_-XYZ019");
	t.upn = "";
	key_id_is(*state, &t, "-" IDS " uti=abc_-XYZ019");
	memset(long_name, 'a', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	t.upn = long_name;
	key_id_is(*state, &t, NULL);
}

static void
I_C12_claims_are_no_templates(void **state)
{
	static const char *const utis[] = { "", "a b", "a=b", ("x oid=" OTHER),
		"a\nb", "a\"b", "{{.}}", "${x}", "%s%n",
		(LOGIN_32 LOGIN_32 "a") };
	static const char *const upns[] = { "%s%n%s@contoso.com",
		"{\"a\":1}@contoso.com", "{{ toJson . }}@contoso.com",
		"$(id)@contoso.com", "`id`@contoso.com" };
	struct try t = { .logins = { "deploy" } };
	struct answer a;
	size_t i;

	for (i = 0; i < LEN(utis); i++) {
		t.uti = utis[i];
		key_id_is(*state, &t, "alice@contoso.com" IDS " uti=-");
	}
	t.uti = NULL;
	key_id_is(*state, &t, "alice@contoso.com" IDS " uti=-");
	for (i = 0; i < LEN(upns); i++) {
		t.upn = upns[i];
		a = granted(*state, &t);
		list_is(a.g.principals, a.g.nprincipals, "deploy@web");
		assert_null(strchr(a.g.key_id, '\n'));
		profile_release(&a.g);
	}
	t.upn = "%s%n@contoso.com";
	key_id_is(*state, &t, "%s%n@contoso.com" IDS " uti=-");
}

static void
I_C13_names_expand_to_nothing_more(void **state)
{
	static const char *const upns[] = { "alice,root@contoso.com",
		"alice,alice@contoso.com", "*@contoso.com", "a*@contoso.com",
		"alice/root@contoso.com", "?lice@contoso.com",
		"alice|root@contoso.com", "alice@root@contoso.com",
		"alice@contoso.com,root@contoso.com",
		"{alice,root}@contoso.com", "alice;root@contoso.com",
		"[a]lice@contoso.com" };
	struct try t = { 0 };
	size_t i;

	for (i = 0; i < LEN(upns); i++) {
		t.upn = upns[i];
		t.logins[0] = NULL;
		refused(*state, &t, AAD_R_NO_PRINCIPALS, "");
		t.logins[0] = "alice";
		assert_int_equal(ask_for(*state, &t).r, AAD_EREFUSED);
	}
}

/* ---- many ---- */

/* A configuration with n logins, each at every one of its hosts. */
static char *
many_logins(size_t n, const char *hosts)
{
	char *text = malloc(CONF_MAX);
	size_t i, at;

	assert_non_null(text);
	at = (size_t)snprintf(text, CONF_MAX, "[ca]\n");
	for (i = 0; i < n; i++)
		at += (size_t)snprintf(text + at, CONF_MAX - at,
		    "[login l%03zu]\nallow = role:ssh.deploy\nhosts = %s\n", i,
		    hosts);
	assert_true(at < CONF_MAX);
	return text;
}

static struct answer
ask_all(const struct world *w, size_t n)
{
	static char room[256][8];
	const char *logins[256];
	struct try t = { 0 };
	size_t i;

	for (i = 0; i < n; i++) {
		snprintf(room[i], sizeof(room[i]), "l%03zu", n - 1 - i);
		logins[i] = room[i];
	}
	return ask_many(w, &t, logins, n, NULL, 0);
}

static void
II_C2_more_principals_than_a_certificate_holds(void **state)
{
	char *text = many_logins(256, "*"), group[80];
	struct answer a;
	struct world w;

	(void)state;
	world_make(&w, text);
	a = ask_all(&w, 256);
	assert_int_equal(a.r, 0);
	assert_int_equal(a.g.nprincipals, 256);
	assert_string_equal(a.g.principals[255], "l255");
	profile_release(&a.g);
	world_end(&w);
	free(text);
	text = many_logins(129, "web,db");
	world_make(&w, text);
	a = ask_all(&w, 128);
	assert_int_equal(a.r, 0);
	assert_int_equal(a.g.nprincipals, 256);
	profile_release(&a.g);
	a = ask_all(&w, 129);
	assert_int_equal(a.r, AAD_EREFUSED);
	assert_int_equal(a.why, AAD_R_TOO_MANY_PRINCIPALS);
	world_end(&w);
	/* 257 of 129 logins: one too many. */
	text[strlen(text) - strlen(",db\n")] = '\0';
	strcat(text, "\n");
	world_make(&w, text);
	a = ask_all(&w, 129);
	assert_int_equal(a.r, AAD_EREFUSED);
	assert_int_equal(a.why, AAD_R_TOO_MANY_PRINCIPALS);
	world_end(&w);
	free(text);
	/* Few enough, but too long together. */
	memset(group, 'g', 32);
	group[32] = '\0';
	text = many_logins(250, group);
	world_make(&w, text);
	a = ask_all(&w, 200);
	assert_int_equal(a.r, 0);
	profile_release(&a.g);
	a = ask_all(&w, 250);
	assert_int_equal(a.r, AAD_EREFUSED);
	assert_int_equal(a.why, AAD_R_TOO_MANY_PRINCIPALS);
	world_end(&w);
	free(text);
}

/* More logins than a certificate has principals: mapped ones by sections. */
static void
many_times_the_same_login(void **state)
{
	const char *logins[1000];
	struct try t = { 0 };
	struct answer a;
	size_t i;

	for (i = 0; i < LEN(logins); i++)
		logins[i] = "alice";
	a = ask_many(*state, &t, logins, LEN(logins), NULL, 0);
	assert_int_equal(a.r, 0);
	assert_int_equal(a.g.nlogins, 1);
	profile_release(&a.g);
	logins[999] = "bob";
	a = ask_many(*state, &t, logins, LEN(logins), NULL, 0);
	assert_int_equal(a.why, AAD_R_NOT_THIS_LOGIN);
}

static void
no_profile_is_the_built_in_one(void **state)
{
	static const char text[] = "[ca]\n[map]\ndomain = contoso.com\n"
				   "require = role:ssh.user\nhosts = *\n"
				   "[token]\nsign_in_max_age = 2d\n";
	struct try t = { 0 };
	struct answer a;
	struct world w;

	(void)state;
	world_make(&w, text);
	a = granted(&w, &t);
	assert_string_equal(a.g.profile, "default");
	assert_int_equal(a.g.valid_before, NOW + 8 * HOUR);
	list_is(a.g.principals, a.g.nprincipals, "alice");
	extensions_are(&a.g, "permit-port-forwarding permit-pty");
	profile_release(&a.g);
	t.has_ttl = true;
	t.ttl = 40 * HOUR;
	a = granted(&w, &t);
	assert_int_equal(a.g.valid_before, NOW + 24 * HOUR);
	profile_release(&a.g);
	world_end(&w);
}

static void
no_memory_gives_nothing(void **state)
{
	struct try t = { .logins = { "git", "deploy" },
		.sources = { "192.0.2.1", "2001:db8::/48" } };
	struct answer a;
	unsigned int k;

	for (k = 1;; k++) {
		fault_arm(FAULT_ALLOC, k, ENOMEM);
		a = ask_for(*state, &t);
		if (!fault_disarm())
			break;
		assert_int_equal(a.r, AAD_ENOMEM);
		assert_int_equal(a.why, AAD_R_NO_MEMORY);
	}
	assert_int_equal(a.r, 0);
	assert_true(k > 8);
	profile_release(&a.g);
}

/* ---- hosts ---- */

static struct answer
ask_host(const struct world *w, enum key_kind kind, const char *const *names,
    size_t n, bool has_ttl, uint64_t ttl, int64_t now)
{
	struct key key = { .kind = kind };
	struct answer a;

	memset(&a, 0xa5, sizeof(a));
	a.r = profile_grant_host(w->conf, &key, names, n, has_ttl, ttl, now,
	    &a.g, &a.why, a.fault);
	if (a.r == 0) {
		grant_is_sound(&a.g, now);
		assert_int_equal(a.g.ncritical, 0);
		assert_int_equal(a.g.nextensions, 0);
		assert_int_equal(a.g.nlogins, 0);
	} else {
		assert_int_equal(a.g.nprincipals, 0);
		assert_null(a.g.principals);
	}
	return a;
}

static void
host_names(void **state)
{
	static const char *const good[] = { "web1.contoso.com", "a.b",
		"xn--bcher-kva.example", "1.2.3.4.example.com", "10.example" };
	static const char *const bad[] = { "", "web1", "*", "*.contoso.com",
		"web?.contoso.com", "Web1.contoso.com", "web1.contoso.com.",
		".contoso.com", "web1,web2.contoso.com", "web1.contoso.com,x.y",
		"192.0.2.1", "1.2", "::1", "2001:db8::1", "web1.contoso.com\n",
		"web 1.contoso.com", "!web1.contoso.com", "[web1]:22",
		"web1.contoso.com:22", "web_1.contoso.com", "-a.b", "a-.b",
		"w\xc3\xa4.b", "a..b" };
	const char *names[2];
	struct answer a;
	size_t i;

	for (i = 0; i < LEN(good); i++) {
		a = ask_host(*state, KEY_ED25519, &good[i], 1, false, 0, NOW);
		assert_int_equal(a.r, 0);
		list_is(a.g.principals, a.g.nprincipals, good[i]);
		assert_string_equal(a.g.profile, "host");
		profile_release(&a.g);
	}
	for (i = 0; i < LEN(bad); i++) {
		names[0] = good[0];
		names[1] = bad[i];
		a = ask_host(*state, KEY_ED25519, names, 2, false, 0, NOW);
		assert_int_equal(a.r, AAD_EREFUSED);
		assert_int_equal(a.why, AAD_R_HOST_NAME);
	}
	a = ask_host(*state, KEY_ED25519, NULL, 0, false, 0, NOW);
	assert_int_equal(a.why, AAD_R_HOST_NAME);
}

static void
host_certificates_end(void **state)
{
	static const char *const name[] = { "web1.contoso.com" };
	static const struct row {
		bool has_ttl;
		uint64_t ttl;
		int64_t lasts; /* 0: refused */
	} rows[] = {
		{ false, 0, 30 * DAY },
		{ true, 1, 1 },
		{ true, 90 * DAY, 90 * DAY },
		{ true, 91 * DAY, 90 * DAY },
		{ true, INT64_MAX, 90 * DAY },
		{ true, 0, 0 },
		{ true, UINT64_MAX, 0 },
	};
	struct answer a;
	size_t i;

	for (i = 0; i < LEN(rows); i++) {
		a = ask_host(*state, KEY_RSA, name, 1, rows[i].has_ttl,
		    rows[i].ttl, NOW);
		if (rows[i].lasts == 0) {
			assert_int_equal(a.why, AAD_R_TTL);
			continue;
		}
		assert_int_equal(a.r, 0);
		assert_int_equal(a.g.valid_after, NOW - 60);
		assert_int_equal(a.g.valid_before, NOW + rows[i].lasts);
		assert_string_equal(a.g.key_id, "host web1.contoso.com");
		profile_release(&a.g);
	}
	a = ask_host(*state, KEY_RSA, name, 1, false, 0, -1);
	assert_int_equal(a.why, AAD_R_TTL);
	a = ask_host(*state, KEY_RSA, name, 1, false, 0, INT64_MAX);
	assert_int_equal(a.why, AAD_R_TTL);
	for (i = 0; i < 3; i++) {
		static const enum key_kind sk[] = { KEY_SK_ED25519,
			KEY_SK_ECDSA_256, KEY_NONE };

		a = ask_host(*state, sk[i], name, 1, false, 0, NOW);
		assert_int_equal(a.why, AAD_R_SUBJECT_KEY_TYPE);
	}
}

static void
hosts_of_many_names(void **state)
{
	static char room[65][254];
	const char *names[65];
	struct answer a;
	unsigned int k;
	size_t i;

	for (i = 0; i < LEN(names); i++) {
		snprintf(room[i], sizeof(room[i]), "h%02zu.contoso.com", i);
		names[i] = room[i];
	}
	a = ask_host(*state, KEY_ED25519, names, 64, false, 0, NOW);
	assert_int_equal(a.r, 0);
	assert_int_equal(a.g.nprincipals, 64);
	assert_non_null(strstr(a.g.key_id, "host h00.contoso.com,h01."));
	assert_non_null(strstr(a.g.key_id, " more"));
	profile_release(&a.g);
	a = ask_host(*state, KEY_ED25519, names, 65, false, 0, NOW);
	assert_int_equal(a.why, AAD_R_HOST_NAME);
	for (k = 1;; k++) {
		fault_arm(FAULT_ALLOC, k, ENOMEM);
		a = ask_host(*state, KEY_ED25519, names, 3, false, 0, NOW);
		if (!fault_disarm())
			break;
		assert_int_equal(a.r, AAD_ENOMEM);
		assert_int_equal(a.why, AAD_R_NO_MEMORY);
	}
	profile_release(&a.g);
	/* The longest names are too long together. */
	for (i = 0; i < LEN(names); i++) {
		memset(room[i], 'a', 253);
		room[i][60] = room[i][120] = room[i][180] = '.';
		snprintf(room[i] + 236, 18, "a%02zu.contoso.examp", i);
		assert_int_equal(strlen(room[i]), 253);
	}
	a = ask_host(*state, KEY_ED25519, names, 30, false, 0, NOW);
	assert_int_equal(a.r, 0);
	profile_release(&a.g);
	a = ask_host(*state, KEY_ED25519, names, 64, false, 0, NOW);
	assert_int_equal(a.why, AAD_R_HOST_NAME);
}

/* ---- profile_check ---- */

static void
check_is(const char *text, unsigned int line, const char *words)
{
	struct conf_error why;
	struct world w;
	int r;

	world_make(&w, text);
	r = profile_check(w.conf, w.rules, &why);
	if (words == NULL) {
		if (r != 0)
			fail_msg("%u: %s", why.line, why.text);
	} else if (r != AAD_EFORMAT || why.line != line ||
		   strstr(why.text, words) == NULL) {
		fail_msg("%s\n-> %u: %s", text, why.line, why.text);
	}
	world_end(&w);
}

static void
what_an_authority_must_say(void **state)
{
	(void)state;
	check_is("[ca]\n", 0, NULL);
	check_is("[map]\n", 0, "no section [ca]");
	check_is("[ca]\n[login a]\nallow = role:x\nhosts = *\n", 0, NULL);
	check_is("[ca]\n[login a]\nallow = role:x\n", 2, "has no hosts");
	check_is("[ca]\n[login a]\nallow = role:x\nhosts = *\n[login b]\n"
		 "allow = role:x\n",
	    5, "b] has no hosts");
	check_is("[ca]\n[map]\ndomain = a.com\nrequire = role:x\n", 3,
	    "no hosts");
	check_is("[ca]\n[map]\ndomain = a.com\nrequire = role:x\nhosts = w\n",
	    0, NULL);
	check_is("[ca]\n[profile p]\nfor = a,*\n[profile q]\nfor = b\n", 0,
	    NULL);
	check_is("[ca]\n[profile p]\nfor = a,b\n[profile q]\nfor = c\nfor = "
		 "d,b\n",
	    6, "b is in [profile p] already");
	check_is("[ca]\n[profile p]\nfor = *\n[profile q]\nfor = *\n", 5,
	    "* is in [profile p] already");
	check_is("[ca]\n[profile p]\nfor = a\n[profile q]\nfor = b\n"
		 "[profile r]\nfor = b\n",
	    7, "b is in [profile q] already");
	check_is("[ca]\n[profile p]\nfor = *\nextensions = none\n", 0, NULL);
	check_is("[ca]\n[profile p]\nfor = *\nextensions = permit-tun\n", 4,
	    "permit-tun");
	check_is("[ca]\n[profile p]\nfor = *\nextensions = "
		 "none,permit-pty\n",
	    4, "extensions: none");
	check_is("[ca]\n[profile p]\nfor = *\nextensions = permit-pty\n"
		 "extensions = permit-tun\n",
	    5, "permit-tun");
	check_is("[ca]\n[profile p]\nfor = *\nkey_types = ssh-ed25519,ssh-rsa,"
		 "ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521\n"
		 "key_types = sk-ssh-ed25519@openssh.com\n"
		 "key_types = sk-ecdsa-sha2-nistp256@openssh.com\n",
	    0, NULL);
	check_is("[ca]\n[profile p]\nfor = *\nkey_types = ssh-dss\n", 4,
	    "ssh-dss");
	check_is("[ca]\n[profile p]\nfor = *\nkey_types = none\n", 4, "none");
	check_is("[ca]\n[profile p]\nfor = *\nkey_types = ssh-rsa\n"
		 "key_types = ssh-dss\n",
	    5, "ssh-dss");
	check_is("[ca]\n[profile p]\nfor = *\nsource_address = "
		 "10.0.0.0/8,::ffff:10.0.0.0/104\n",
	    4, "write IPv4 as IPv4");
	check_is("[ca]\n[profile p]\nfor = a\n[profile q]\nfor = b\n"
		 "key_types = x\n",
	    6, "[profile q] key_types");
}

static void
a_profile_has_64_addresses_at_most(void **state)
{
	char text[4096];
	size_t at, i;

	(void)state;
	at = (size_t)snprintf(text, sizeof(text),
	    "[ca]\n[profile p]\nfor = *\n");
	for (i = 0; i < 64; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at,
		    "source_address = 10.0.0.%zu\n", i);
	check_is(text, 0, NULL);
	snprintf(text + at, sizeof(text) - at, "source_address = 10.0.0.64\n");
	check_is(text, 68, "64 are the most");
}

/* ---- any configuration, anything asked ---- */

static uint64_t seed = UINT64_C(0x9e3779b97f4a7c15);

static uint64_t
dice(uint64_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % n;
}

#define PICK(list) (list)[dice(LEN(list))]

static const char *const some_logins[] = { "alice", "bob", "deploy", "git",
	"root", "*", "", "a b" };
static const char *const some_hosts[] = { "*", "web", "web,db", "*,db",
	"a,b,c,d" };
static const char *const some_ttls[] = { "1m", "1h", "8h", "30d" };
static const char *const some_ranges[] = { "10.0.0.0/8", "10.1.0.0/16",
	"192.0.2.1", "::/0", "2001:db8::/32", "0.0.0.0/0" };
static const char *const some_extensions[] = { "none", "permit-pty",
	"permit-user-rc,permit-X11-forwarding" };

static void
random_profile(char *text, size_t size, size_t i, const char *logins)
{
	const char *ttl = PICK(some_ttls);
	size_t at = strlen(text);

	at += (size_t)snprintf(text + at, size - at,
	    "[profile p%zu]\nfor = %s\nttl = %s\nmax_ttl = %s\n", i, logins,
	    ttl, dice(2) != 0 ? ttl : "30d");
	if (dice(2) != 0)
		at += (size_t)snprintf(text + at, size - at,
		    "source_address = %s\n", PICK(some_ranges));
	if (dice(3) == 0)
		at += (size_t)snprintf(text + at, size - at,
		    "force_command = /bin/x\n");
	if (dice(2) != 0)
		at += (size_t)snprintf(text + at, size - at,
		    "extensions = %s\n", PICK(some_extensions));
	if (dice(4) == 0)
		snprintf(text + at, size - at, "key_types = ssh-ed25519\n");
}

static void
random_world(struct world *w)
{
	static const char *const mine[] = { "deploy", "git", "root", "alice" };
	char text[4096];
	size_t at, i;

	at = (size_t)snprintf(text, sizeof(text),
	    "[ca]\n[token]\nsign_in_max_age = %s\n[map]\n"
	    "domain = contoso.com\nrequire = role:ssh.user\nhosts = %s\n",
	    dice(2) != 0 ? "12h" : "30d", PICK(some_hosts));
	for (i = 0; i < LEN(mine); i++)
		if (dice(3) != 0)
			at += (size_t)snprintf(text + at, sizeof(text) - at,
			    "[login %s]\nallow = role:ssh.deploy\nhosts = %s\n",
			    mine[i], PICK(some_hosts));
	if (dice(2) != 0)
		random_profile(text, sizeof(text), 0, "*");
	if (dice(2) != 0)
		random_profile(text, sizeof(text), 1, "deploy,git");
	if (dice(2) != 0)
		random_profile(text, sizeof(text), 2, "root,alice");
	world_make(w, text);
}

static void
random_try(struct try *t)
{
	static const char *const sources[] = { "10.1.2.3", "10.1.0.0/16",
		"10.0.0.0/8", "0.0.0.0/0", "2001:db8::1", "x", "192.0.2.1" };
	static const uint64_t ttls[] = { 0, 1, 59, 3600, 86400, 86400 * 365,
		INT64_MAX, UINT64_MAX };
	static const int64_t clocks[] = { 1, 59, 61, NOW, CLAIMS_TIME_MAX - 1,
		INT64_MAX, -5 };
	size_t i, n;

	memset(t, 0, sizeof(*t));
	for (i = 0, n = dice(4); i < n; i++)
		t->logins[i] = dice(4) == 0 ? PICK(some_logins)
					    : some_logins[dice(5)];
	for (i = 0, n = dice(2) * dice(4); i < n; i++)
		t->sources[i] = PICK(sources);
	t->has_ttl = dice(2) != 0;
	t->ttl = dice(2) != 0 ? PICK(ttls) : dice(100000);
	t->now = dice(4) == 0 ? PICK(clocks) : NOW;
	if (dice(2) != 0 && t->now == NOW)
		t->iat = NOW - (int64_t)dice(40 * DAY);
	if (dice(4) == 0)
		t->kind = KEY_RSA;
	if (dice(4) == 0)
		t->roles[0] = dice(2) != 0 ? "ssh.user" : "ssh.deploy";
}

/* Every principal is one that a granted login has at its hosts. */
static void
principals_are_given(const struct world *w, const struct profile_grant *g)
{
	const struct conf_login *section;
	const struct conf_list *hosts;
	char want[80];
	size_t i, k, m;
	bool found;

	for (i = 0; i < g->nprincipals; i++) {
		found = false;
		for (k = 0; k < g->nlogins; k++) {
			section = conf_login_find(w->conf, g->logins[k]);
			hosts = section != NULL ? &section->hosts
						: &w->conf->map_hosts;
			for (m = 0; m < hosts->n; m++) {
				snprintf(want, sizeof(want), "%s@%s",
				    g->logins[k], hosts->items[m].value);
				if (strcmp(hosts->items[m].value, "*") == 0)
					*strchr(want, '@') = '\0';
				found |= strcmp(want, g->principals[i]) == 0;
			}
		}
		assert_true(found);
	}
}

static void
logins_are_given(const struct world *w, const struct try *t,
    const struct profile_grant *g)
{
	struct claims c;
	char *room[4];
	size_t i, k;
	bool found;

	claims_of(t, &c, room);
	assert_true(g->nlogins > 0);
	for (i = 0; i < g->nlogins; i++) {
		found = t->logins[0] == NULL &&
			strcmp(g->logins[i], "alice") == 0 &&
			rules_is_mapped(w->rules, "alice");
		for (k = 0; t->logins[k] != NULL; k++)
			found |= strcmp(t->logins[k], g->logins[i]) == 0;
		assert_true(found);
		assert_int_equal(policy_decide(&c, g->logins[i],
				     POLICY_UID_UNJUDGED, w->rules)
				     .verdict,
		    ALLOW);
		assert_ptr_equal(conf_profile_of(w->conf, g->logins[i]),
		    conf_profile_of(w->conf, g->logins[0]));
	}
}

static void
bounds_hold(const struct world *w, const struct try *t,
    const struct profile_grant *g)
{
	const struct conf_profile *p = conf_profile_of(w->conf, g->logins[0]);
	int64_t now = t->now, iat = t->iat != 0 ? t->iat : now;
	int64_t end = (int64_t)g->valid_before;
	const char *source = option_of(g->critical, g->ncritical,
	    "source-address");
	const char *command = option_of(g->critical, g->ncritical,
	    "force-command");

	assert_true(end <= now + (p != NULL ? p->max_ttl : 24 * HOUR));
	assert_true(end <= iat + w->conf->sign_in_max_age);
	if (t->has_ttl)
		assert_true((uint64_t)(end - now) <= t->ttl);
	else
		assert_true(end <= now + (p != NULL ? p->ttl : 8 * HOUR));
	assert_int_equal(command != NULL,
	    p != NULL && p->force_command != NULL);
	if (p != NULL && p->force_command != NULL && !p->has_extensions)
		assert_int_equal(g->nextensions, 0);
	if (t->sources[0] != NULL || (p != NULL && p->source_address.n > 0))
		assert_non_null(source);
	else
		assert_null(source);
	if (p != NULL && p->key_types.n > 0)
		assert_int_equal(t->kind, 0);
}

static void
sources_are_given(const struct world *w, const struct profile_grant *g)
{
	const struct conf_profile *p = conf_profile_of(w->conf, g->logins[0]);
	const char *s = g->source_address;
	char one[64];
	size_t len;

	if (s == NULL || p == NULL || p->source_address.n == 0)
		return;
	for (;; s += len + 1) {
		len = strcspn(s, ",");
		snprintf(one, sizeof(one), "%.*s", (int)len, s);
		assert_true(text_cidr_within(p->source_address.items[0].value,
		    one));
		if (s[len] == '\0')
			return;
	}
}

static void
I_C3_any_grant_is_within_all_bounds(void **state)
{
	struct world w;
	struct answer a;
	struct try t;
	size_t i, k, yes = 0, no = 0;

	(void)state;
	for (i = 0; i < 400; i++) {
		random_world(&w);
		for (k = 0; k < 100; k++) {
			random_try(&t);
			a = ask_for(&w, &t);
			if (a.r != 0) {
				no++;
				continue;
			}
			yes++;
			logins_are_given(&w, &t, &a.g);
			principals_are_given(&w, &a.g);
			bounds_hold(&w, &t, &a.g);
			sources_are_given(&w, &a.g);
			profile_release(&a.g);
		}
		world_end(&w);
	}
	assert_true(yes > 2000);
	assert_true(no > 2000);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(logins_become_principals),
		cmocka_unit_test(every_reason),
		cmocka_unit_test(order_of_the_checks),
		cmocka_unit_test(
		    I_C1_nobody_gets_a_certificate_without_principals),
		cmocka_unit_test(II_C1_empty_names_and_wildcards_are_no_logins),
		cmocka_unit_test(I_C2_hostile_principals),
		cmocka_unit_test(I_C3_the_caller_can_only_narrow),
		cmocka_unit_test(two_logins_of_one_profile_share_a_certificate),
		cmocka_unit_test(I_C6_lifetimes_that_nobody_gets),
		cmocka_unit_test(II_C3_clocks_at_the_ends_of_time),
		cmocka_unit_test(II_C4_back_dated_for_clocks_that_are_behind),
		cmocka_unit_test(I_F7_back_dating_never_passes_the_epoch),
		cmocka_unit_test(II_C20_no_certificate_outlives_the_sign_in),
		cmocka_unit_test(
		    I_F1_nothing_but_a_terminal_and_ports_by_default),
		cmocka_unit_test(extensions_as_the_profile_lists_them),
		cmocka_unit_test(II_C5_a_forced_command_is_bytes),
		cmocka_unit_test(II_C6_a_forced_command_comes_without_permits),
		cmocka_unit_test(II_C7_source_addresses),
		cmocka_unit_test(II_C7_a_thousand_addresses),
		cmocka_unit_test(ranges_within_ranges),
		cmocka_unit_test(II_C8_only_options_that_every_sshd_knows),
		cmocka_unit_test(
		    I_C8_key_id_names_the_identity_whatever_its_name),
		cmocka_unit_test(I_C12_claims_are_no_templates),
		cmocka_unit_test(I_C13_names_expand_to_nothing_more),
		cmocka_unit_test(
		    II_C2_more_principals_than_a_certificate_holds),
		cmocka_unit_test(many_times_the_same_login),
		cmocka_unit_test(no_profile_is_the_built_in_one),
		cmocka_unit_test(no_memory_gives_nothing),
		cmocka_unit_test(host_names),
		cmocka_unit_test(host_certificates_end),
		cmocka_unit_test(hosts_of_many_names),
		cmocka_unit_test(what_an_authority_must_say),
		cmocka_unit_test(a_profile_has_64_addresses_at_most),
		cmocka_unit_test(I_C3_any_grant_is_within_all_bounds),
	};

	return cmocka_run_group_tests(tests, base_make, base_end);
}
