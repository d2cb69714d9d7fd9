/* SPDX-License-Identifier: ISC */

#include "test/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "core/conf.h"
#include "test/unit/fault.h"
#include "test/unit/mutate.h"

#define T "11111111-2222-4333-8444-555555555555"
#define C "99999999-aaaa-4bbb-8ccc-dddddddddddd"
#define G "12345678-9abc-4def-8123-456789abcdef"

#define IDP "[idp]\ntenant = " T "\nclient_id = " C "\n" /* 3 lines */

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

/* Every section and type; the walk below damages each of its bits. */
static const char full[] = "# a comment of any bytes: \xc3\xa4\t;\n"
			   "\n"
			   "[idp]\n"
			   "tenant = 11111111-2222-4333-8444-55555555555A\n"
			   "client_id = " C "\n"
			   "authority = https://login.test:8443\n"
			   "ca_file = /etc/aadssh/my ca.pem\n"
			   "proxy = http://127.0.0.1:3128\n"
			   "scope = openid profile api://x/y\n"
			   "flow = device\n"
			   "require_acrs = c1\n"
			   "require_acrs = c2\n"
			   "[process]\n"
			   "user = root\n"
			   "[state]\n"
			   "dir = /a\n"
			   "run = /b/c\n"
			   "trust = /d\n"
			   "[log]\n"
			   "level = debug\n"
			   "facility = local3\n"
			   "[token]\n"
			   "keys_refresh = 10m\n"
			   "keys_max_age = 2d\n"
			   "sign_in_max_age = 90s\n"
			   "grace = 1m\n"
			   "confirm = 5m\n"
			   "[map]\n"
			   "domain = contoso.com\n"
			   "domain = Fabrikam.example\n"
			   "require=role:ssh.user  \n"
			   "require = group:" G "\n"
			   "never = alice\n"
			   "min_uid = 2000\n"
			   "[login deploy]\n"
			   "allow = role:ssh.deploy\n"
			   "allow = oid:" G "\n"
			   "options = restrict,pty\n"
			   "hosts = web,db\n"
			   "hosts = mail-1\n"
			   "; another comment\n"
			   "[login root]\n"
			   "allow = group:" G "\n"
			   "hosts = *\n"
			   "[pam]\n"
			   "bind = none\n"
			   "from = 192.0.2.0/24\n"
			   "from = 2001:db8::/32\n"
			   "timeout = 2m\n"
			   "per_host = 40\n"
			   "per_source = 3\n"
			   "[refresh]\n"
			   "check = 5m\n"
			   "parallel = 4\n"
			   "[session]\n"
			   "on_denial = terminate\n"
			   "[host]\n"
			   "groups = web,db\n"
			   "groups = jump\n"
			   "accept_all = yes\n";

/* The same of what a certificate authority has. */
static const char authority[] = "[ca]\n"
				"key_type = ed25519\n"
				"backend = agent:/run/a/s\n"
				"publish_dir = /srv/p\n"
				"publish_before = 12h\n"
				"publish_valid = 3d\n"
				"rotate_every = 60d\n"
				"host_ttl = 20d\n"
				"host_max_ttl = 40d\n"
				"certs_per_hour = 7\n"
				"per_peer = 9\n"
				"[map]\n"
				"hosts = web,db\n"
				"[profile ops-1]\n"
				"for = root,deploy\n"
				"for = git\n"
				"ttl = 15m\n"
				"max_ttl = 2h\n"
				"extensions = permit-pty,permit-user-rc\n"
				"force_command = /bin/run --x=\"a b\"\n"
				"source_address = 192.0.2.0/24,2001:db8::/32\n"
				"source_address = 10.0.0.1\n"
				"key_types = ssh-ed25519,ecdsa-sha2-nistp256\n"
				"[profile all]\n"
				"for = *\n"
				"extensions = none\n";

/* From an allocation of its exact size, for AddressSanitizer. */
static int
parse(const char *text, size_t len, struct conf **outp, struct conf_error *why)
{
	char *copy = malloc(len + 1);
	int r;

	assert_non_null(copy);
	memcpy(copy, text, len);
	copy[len] = '\0';
	r = conf_parse(copy, len, outp, why);
	free(copy);
	if (r != 0)
		assert_null(*outp);
	return r;
}

static struct conf *
accepted(const char *text)
{
	struct conf_error why;
	struct conf *c;
	int r = parse(text, strlen(text), &c, &why);

	if (r != 0)
		print_error("%u: %s\n", why.line, why.text);
	assert_int_equal(r, 0);
	assert_non_null(c);
	return c;
}

static void
refused_bytes(const char *text, size_t len, unsigned int line,
    const char *words)
{
	struct conf_error why;
	struct conf *c;

	if (parse(text, len, &c, &why) != AAD_EFORMAT || why.line != line ||
	    strstr(why.text, words) == NULL) {
		print_error("%s\n-> %u: %s\n", text, why.line, why.text);
		fail();
	}
}

static void
refused(const char *text, unsigned int line, const char *words)
{
	refused_bytes(text, strlen(text), line, words);
}

static void
empty_file_is_all_defaults(void **state)
{
	struct conf *c = accepted("");

	(void)state;
	assert_false(c->has_idp);
	assert_false(c->has_map);
	assert_null(c->tenant);
	assert_null(c->authority);
	assert_null(c->issuer);
	assert_null(c->scope);
	assert_string_equal(c->user, "aadssh");
	assert_string_equal(c->dir, "/var/lib/aadssh");
	assert_string_equal(c->run, "/run/aadssh");
	assert_string_equal(c->trust, "/etc/ssh/aadssh");
	assert_int_equal(c->log_level, LOG_INFO);
	assert_int_equal(c->log_facility, LOG_AUTHPRIV);
	assert_int_equal(c->keys_refresh, 3600);
	assert_int_equal(c->keys_max_age, 86400);
	assert_int_equal(c->sign_in_max_age, 43200);
	assert_int_equal(c->grace, 0);
	assert_int_equal(c->confirm, 3600);
	assert_int_equal(c->min_uid, 1000);
	assert_int_equal(c->nlogins, 0);
	conf_free(c);
	conf_free(NULL);
}

static void
item_is(const struct conf_list *l, size_t i, const char *value,
    unsigned int line)
{
	assert_true(i < l->n);
	assert_string_equal(l->items[i].value, value);
	assert_int_equal(l->items[i].line, line);
}

static void
full_file_idp(const struct conf *c)
{
	assert_true(c->has_idp);
	assert_string_equal(c->tenant, "11111111-2222-4333-8444-55555555555a");
	assert_string_equal(c->client_id, C);
	assert_null(c->cloud);
	assert_string_equal(c->authority, "https://login.test:8443");
	assert_string_equal(c->issuer,
	    "https://login.test:8443/11111111-2222-4333-8444-55555555555a/"
	    "v2.0");
	assert_string_equal(c->ca_file, "/etc/aadssh/my ca.pem");
	assert_string_equal(c->proxy, "http://127.0.0.1:3128");
	assert_string_equal(c->scope, "openid profile api://x/y");
	assert_int_equal(c->require_acrs.n, 2);
	item_is(&c->require_acrs, 0, "c1", 11);
	item_is(&c->require_acrs, 1, "c2", 12);
}

static void
full_file_live(const struct conf *c)
{
	assert_int_equal(c->pam_bind, CONF_BIND_NONE);
	assert_int_equal(c->pam_from.n, 2);
	item_is(&c->pam_from, 0, "192.0.2.0/24", 47);
	item_is(&c->pam_from, 1, "2001:db8::/32", 48);
	assert_int_equal(c->pam_timeout, 120);
	assert_int_equal(c->per_host, 40);
	assert_int_equal(c->per_source, 3);
	assert_int_equal(c->check, 300);
	assert_int_equal(c->parallel, 4);
	assert_int_equal(c->on_denial, CONF_DENIAL_TERMINATE);
}

static void
full_file_keeps_every_value(void **state)
{
	const struct conf_login *l;
	struct conf *c = accepted(full);

	(void)state;
	full_file_idp(c);
	full_file_live(c);
	assert_string_equal(c->user, "root");
	assert_string_equal(c->dir, "/a");
	assert_string_equal(c->run, "/b/c");
	assert_string_equal(c->trust, "/d");
	assert_int_equal(c->log_level, LOG_DEBUG);
	assert_int_equal(c->log_facility, LOG_LOCAL3);
	assert_int_equal(c->keys_refresh, 600);
	assert_int_equal(c->keys_max_age, 172800);
	assert_int_equal(c->sign_in_max_age, 90);
	assert_int_equal(c->grace, 60);
	assert_int_equal(c->confirm, 300);
	assert_true(c->has_map);
	assert_int_equal(c->domain.n, 2);
	item_is(&c->domain, 1, "Fabrikam.example", 30);
	item_is(&c->require, 0, "role:ssh.user", 31);
	item_is(&c->require, 1, "group:" G, 32);
	item_is(&c->never, 0, "alice", 33);
	assert_int_equal(c->min_uid, 2000);
	assert_int_equal(c->nlogins, 2);
	l = conf_login_find(c, "deploy");
	assert_non_null(l);
	assert_int_equal(l->line, 35);
	assert_int_equal(l->allow.n, 2);
	item_is(&l->allow, 1, "oid:" G, 37);
	assert_string_equal(l->options, "restrict,pty");
	assert_int_equal(l->options_line, 38);
	assert_int_equal(l->hosts.n, 3);
	item_is(&l->hosts, 1, "db", 39);
	item_is(&l->hosts, 2, "mail-1", 40);
	l = conf_login_find(c, "root");
	assert_non_null(l);
	assert_int_equal(l->allow.n, 1);
	assert_null(l->options);
	assert_null(conf_login_find(c, "Deploy"));
	assert_null(conf_login_find(c, "deplo"));
	conf_free(c);
}

static void
host_section_keeps_every_value(void **state)
{
	struct conf *c = accepted(full);

	(void)state;
	assert_int_equal(c->host_groups.n, 3);
	item_is(&c->host_groups, 1, "db", 58);
	item_is(&c->host_groups, 2, "jump", 59);
	assert_true(c->accept_all);
	conf_free(c);
	c = accepted("[host]\naccept_all = no\n");
	assert_int_equal(c->host_groups.n, 0);
	assert_false(c->accept_all);
	conf_free(c);
}

static void
authority_keeps_every_value(void **state)
{
	const struct conf_profile *p;
	struct conf *c = accepted(authority);

	(void)state;
	assert_true(c->has_ca);
	assert_false(c->has_idp);
	assert_string_equal(c->ca_key_type, "ed25519");
	assert_string_equal(c->ca_agent, "/run/a/s");
	assert_string_equal(c->publish_dir, "/srv/p");
	assert_int_equal(c->publish_before, 12 * 3600);
	assert_int_equal(c->publish_valid, 3 * 86400);
	assert_int_equal(c->rotate_every, 60 * 86400);
	assert_int_equal(c->host_ttl, 20 * 86400);
	assert_int_equal(c->host_max_ttl, 40 * 86400);
	assert_int_equal(c->certs_per_hour, 7);
	assert_int_equal(c->per_peer, 9);
	item_is(&c->map_hosts, 1, "db", 13);
	assert_int_equal(c->nprofiles, 2);
	p = &c->profiles[0];
	assert_string_equal(p->name, "ops-1");
	assert_int_equal(p->line, 14);
	assert_int_equal(p->logins.n, 3);
	item_is(&p->logins, 2, "git", 16);
	assert_int_equal(p->ttl, 900);
	assert_int_equal(p->max_ttl, 7200);
	assert_true(p->has_extensions);
	item_is(&p->extensions, 1, "permit-user-rc", 19);
	assert_string_equal(p->force_command, "/bin/run --x=\"a b\"");
	assert_int_equal(p->source_address.n, 3);
	item_is(&p->source_address, 1, "2001:db8::/32", 21);
	item_is(&p->source_address, 2, "10.0.0.1", 22);
	item_is(&p->key_types, 1, "ecdsa-sha2-nistp256", 23);
	p = &c->profiles[1];
	assert_int_equal(p->ttl, 8 * 3600);
	assert_int_equal(p->max_ttl, 86400);
	assert_true(p->has_extensions);
	item_is(&p->extensions, 0, "none", 26);
	assert_null(p->force_command);
	conf_free(c);
}

static void
authority_has_its_own_defaults(void **state)
{
	struct conf *c = accepted("[ca]\n");

	(void)state;
	assert_true(c->has_ca);
	assert_string_equal(c->user, "aadssh-ca");
	assert_int_equal(c->user_line, 0);
	assert_string_equal(c->dir, "/var/lib/aadssh-ca");
	assert_string_equal(c->run, "/run/aadssh-ca");
	assert_string_equal(c->ca_key_type, "ed25519");
	assert_null(c->ca_agent);
	assert_string_equal(c->publish_dir, "/var/lib/aadssh-ca/public");
	assert_int_equal(c->publish_before, 86400);
	assert_int_equal(c->publish_valid, 7 * 86400);
	assert_int_equal(c->rotate_every, 90 * 86400);
	assert_int_equal(c->host_ttl, 30 * 86400);
	assert_int_equal(c->host_max_ttl, 90 * 86400);
	assert_int_equal(c->certs_per_hour, 60);
	assert_int_equal(c->per_peer, 8);
	assert_int_equal(c->nprofiles, 0);
	conf_free(c);
	/* [ca] may stand behind what it gives a default to. */
	c = accepted("[state]\nrun = /r\n[process]\nuser = x\n[ca]\n"
		     "[profile p]\nfor = *\n");
	assert_string_equal(c->dir, "/var/lib/aadssh-ca");
	assert_string_equal(c->run, "/r");
	assert_string_equal(c->user, "x");
	assert_false(c->profiles[0].has_extensions);
	conf_free(c);
	c = accepted("[state]\ndir = /d\n[ca]\nhost_max_ttl = 1d\n"
		     "[profile p]\nfor = a\nmax_ttl = 1h\n"
		     "[profile q]\nfor = b\nttl = 2d\n");
	assert_string_equal(c->publish_dir, "/d/public");
	assert_int_equal(c->host_ttl, 86400);
	assert_int_equal(c->profiles[0].ttl, 3600);
	assert_int_equal(c->profiles[1].max_ttl, 2 * 86400);
	conf_free(c);
	c = accepted("[profile p]\nfor = a\n");
	assert_false(c->has_ca);
	assert_null(c->ca_key_type);
	assert_null(c->publish_dir);
	assert_string_equal(c->dir, "/var/lib/aadssh");
	conf_free(c);
}

static void
profile_of_a_login(void **state)
{
	struct conf *c = accepted("[profile all]\nfor = *\n"
				  "[profile some]\nfor = root,git\n");

	(void)state;
	assert_string_equal(conf_profile_of(c, "alice")->name, "all");
	assert_string_equal(conf_profile_of(c, "git")->name, "some");
	assert_string_equal(conf_profile_of(c, "Git")->name, "all");
	assert_string_equal(conf_profile_of(c, "")->name, "all");
	conf_free(c);
	c = accepted("[profile some]\nfor = root,git\n");
	assert_null(conf_profile_of(c, "alice"));
	conf_free(c);
}

/* What is for everybody to read must not lie where secrets do. */
static void
publish_dir_is_apart(void **state)
{
	static const char *const good[] = { "/srv/p", "/d/ca/public",
		"/d/ca/keysx", "/d/ca/other/keys", "/d/cax", "/d/c",
		"/d/ca/public/keys" };
	static const char *const bad[] = { "/d/ca", "/d", "/d/ca/keys",
		"/d/ca/keys/x", "/d/ca/ledger", "/d/ca/manifests",
		"/d/ca/locks/x", "/d/ca/tenant" };
	char text[128];
	size_t i;

	(void)state;
	for (i = 0; i < LEN(good); i++) {
		snprintf(text, sizeof(text),
		    "[state]\ndir = /d/ca\n[ca]\npublish_dir = %s\n", good[i]);
		conf_free(accepted(text));
	}
	for (i = 0; i < LEN(bad); i++) {
		snprintf(text, sizeof(text),
		    "[state]\ndir = /d/ca\n[ca]\npublish_dir = %s\n", bad[i]);
		refused(text, 4, "[ca] publish_dir");
		snprintf(text, sizeof(text),
		    "[ca]\npublish_dir = %s\n[state]\ndir = /d/ca\n", bad[i]);
		refused(text, 2, "[ca] publish_dir");
	}
}

static void
cloud_names_the_authority(void **state)
{
	static const char *const rows[][2] = {
		{ "", "https://login.microsoftonline.com" },
		{ "cloud = public\n", "https://login.microsoftonline.com" },
		{ "cloud = usgov\n", "https://login.microsoftonline.us" },
		{ "cloud = china\n",
		    "https://login.partner.microsoftonline.cn" },
	};
	char text[512], issuer[256];
	struct conf *c;
	size_t i;

	(void)state;
	for (i = 0; i < LEN(rows); i++) {
		snprintf(text, sizeof(text), "%s%s", IDP, rows[i][0]);
		c = accepted(text);
		assert_string_equal(c->authority, rows[i][1]);
		snprintf(issuer, sizeof(issuer), "%s/" T "/v2.0", rows[i][1]);
		assert_string_equal(c->issuer, issuer);
		assert_string_equal(c->scope,
		    "api://" C "/Ssh.Login openid profile offline_access");
		assert_non_null(c->cloud);
		conf_free(c);
	}
}

/* Each [login NAME] starts anew, and ends where any section starts. */
static void
sections_do_not_run_into_each_other(void **state)
{
	struct conf *c;

	(void)state;
	c = accepted("[login x]\nallow = role:a\noptions = pty\n"
		     "[login y]\noptions = restrict\nallow = role:b\n"
		     "[map]\ndomain = a.com\n"
		     "[login z]\nallow = role:c\n");
	assert_int_equal(c->nlogins, 3);
	assert_string_equal(c->logins[0].options, "pty");
	assert_string_equal(c->logins[1].options, "restrict");
	item_is(&c->logins[1].allow, 0, "role:b", 6);
	item_is(&c->domain, 0, "a.com", 8);
	item_is(&c->logins[2].allow, 0, "role:c", 10);
	assert_null(c->logins[2].options);
	conf_free(c);
	refused("[login x]\nallow = role:a\n[map]\nallow = role:b\n", 4,
	    "unknown key allow");
}

static void
scope_names_the_client(void **state)
{
	struct conf *c;

	(void)state;
	c = accepted(IDP "scope = CLIENT_ID/.default CLIENT_ID openid\n");
	assert_string_equal(c->scope, C "/.default " C " openid");
	conf_free(c);
	c = accepted(IDP "scope = openid api://client_id/CLIENT_I\n");
	assert_string_equal(c->scope, "openid api://client_id/CLIENT_I");
	conf_free(c);
}

struct trap {
	const char *text;
	unsigned int line;
	const char *words;
};

static void
II_P10_one_bad_line_refuses_the_file_and_is_named(void **state)
{
	static const struct trap traps[] = {
		/* sections */
		{ "[nonsense]\n", 1, "unknown section" },
		{ "[Map]\n", 1, "unknown section" },
		{ "[map ]\n", 1, "unknown section" },
		{ "[Pam]\n", 1, "unknown section" },
		{ "[refresh x]\n", 1, "unknown section" },
		{ "[sessions]\n", 1, "unknown section" },
		{ "[hosts]\n", 1, "unknown section" },
		{ "[trust a]\n", 1, "unknown section" },
		{ "[CA]\n", 1, "unknown section" },
		{ "[ca]\n[ca]\n", 2, "there already" },
		{ "[profile]\n", 1, "needs a name" },
		{ "[profile *]\n", 1, "[profile NAME]" },
		{ "[profile A]\n", 1, "[profile NAME]" },
		{ "[profile a b]\n", 1, "[profile NAME]" },
		{ "[profile ../a]\n", 1, "[profile NAME]" },
		{ "[profile ]\n", 1, "[profile NAME]" },
		{ "[profile a]\nfor = x\n[map]\n[profile a]\n", 4,
		    "there already, in line 1" },
		{ "[profile a]\nfor = x\nallow = role:x\n", 3,
		    "unknown key allow" },
		{ "[login a]\nttl = 1h\n", 2, "unknown key ttl" },
		{ "[profile a]\nttl = 1h\nttl = 1h\n", 3,
		    "there already, in line 2" },
		{ "[map]\n[profile a]\nttl = 1h\n", 2, "has no for" },
		{ "[]\n", 1, "a section is" },
		{ "[map\n", 1, "a section is" },
		{ "[\n", 1, "a section is" },
		{ "[map] x\n", 1, "a section is" },
		{ "[map]]\n", 1, "a section is" },
		{ "[[map]\n", 1, "a section is" },
		{ "[map] # x\n", 1, "line of its own" },
		{ "[map] ; x\n", 1, "line of its own" },
		{ "[map]\n[map]\n", 2, "there already" },
		{ "[map]\n[log]\nlevel = info\n[map]\n", 4, "there already" },
		{ IDP "[idp]\n", 4, "there already" },
		{ "[login]\n", 1, "needs the name" },
		{ "[login ]\n", 1, "not a login name" },
		{ "[login  x]\n", 1, "not a login name" },
		{ "[login x ]\n", 1, "not a login name" },
		{ "[login x y]\n", 1, "not a login name" },
		{ "[login ../x]\n", 1, "not a login name" },
		{ "[login -x]\n", 1, "not a login name" },
		{ "[login 1x]\n", 1, "not a login name" },
		{ "[login x*]\n", 1, "not a login name" },
		{ "[login abcdefghijklmnopqrstuvwxyz0123456]\n", 1,
		    "not a login name" },
		{ "[login x]\nallow = role:a\n[login y]\nallow = role:a\n"
		  "[login x]\n",
		    5, "there already, in line 1" },
		/* keys */
		{ "level = info\n", 1, "before the first section" },
		{ "[log]\nlevle = info\n", 2, "unknown key levle" },
		{ "[log]\ndomain = a.com\n", 2, "unknown key domain" },
		{ "[map]\nallow = role:x\n", 2, "unknown key allow" },
		{ "[login x]\ndomain = a.com\n", 2, "unknown key domain" },
		{ "[log]\nLevel = info\n", 2, "a key is small letters" },
		{ "[log]\nlevel x = info\n", 2, "a key is small letters" },
		{ "[log]\n= info\n", 2, "a key is small letters" },
		{ "[log]\nlevel[] = info\n", 2, "a key is small letters" },
		{ "[log]\nlevel = info\nlevel = info\n", 3,
		    "there already, in line 2" },
		{ "[login x]\noptions = pty\noptions = pty\n", 3,
		    "there already, in line 2" },
		{ "[log]\nlevel\n", 2, "is expected, with the sign" },
		{ "[log]\nlevel: info\n", 2, "is expected, with the sign" },
		{ "[log]\nlevel:info = x\n", 2, "is expected, with the sign" },
		{ "[login x]\nallow: role:x\n", 2, "with the sign '='" },
		{ "[log]\nlevel =\n", 2, "has no value" },
		{ "[log]\nlevel =   \n", 2, "has no value" },
		{ "[map]\ndomain =\n", 2, "has no value" },
		/* bytes */
		{ "\xef\xbb\xbf[log]\n", 1, "byte order mark" },
		{ "[log]\n\xef\xbb\xbf[map]\n", 2, "printable ASCII" },
		{ "[log]\r\n", 1, "carriage return" },
		{ "# x\r\n", 1, "carriage return" },
		{ "[log]\n level = info\n", 2, "start with a blank" },
		{ "[log]\n\tlevel = info\n", 2, "start with a blank" },
		{ "[log]\n [map]\n", 2, "start with a blank" },
		{ "[log]\n   \n", 2, "start with a blank" },
		{ "[log]\n # x\n", 2, "start with a blank" },
		{ "[log]\nlevel\t= info\n", 2, "printable ASCII" },
		{ "[log]\nlevel = info\t\n", 2, "printable ASCII" },
		{ "[log]\nlevel = inf\xc3\xb6\n", 2, "printable ASCII" },
		{ "[log]\nlevel = info\xff\n", 2, "printable ASCII" },
		{ "[log]\nlevel = info\x1b[m\n", 2, "control byte (0x1b)" },
		{ "[log]\nlevel = info\v\n", 2, "control byte (0x0b)" },
		{ "[log]\nlevel = info\f\n", 2, "control byte (0x0c)" },
		{ "[log]\nlevel = info\x7f\n", 2, "control byte (0x7f)" },
		{ "# \x1b]0;x\n", 1, "control byte (0x1b)" },
		{ "[log]\nlevel = info", 2, "no line end" },
		{ "#", 1, "no line end" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < LEN(traps); i++)
		refused(traps[i].text, traps[i].line, traps[i].words);
	refused_bytes("[log]\nlevel = \0info\n", 20, 2, "control byte (0x00)");
	refused_bytes("[log]\n#\0\n", 9, 2, "control byte (0x00)");
	refused_bytes("\0\n", 2, 1, "control byte (0x00)");
	refused_bytes("[log]\nlevel = info\n\0", 20, 3, "no line end");
}

/* inih 55 cut a line at 199 bytes and took the rest for a line of its own. */
static void
II_P10_long_line_never_opens_a_section(void **state)
{
	static const char *const heads[] = { "allow = role:", "# ", "; " };
	static const char tail[] = "[login root]";
	char text[512];
	size_t i, at, n, head = strlen("[login x]\n");

	(void)state;
	for (i = 0; i < LEN(heads); i++) {
		for (at = 185; at < 210; at++) {
			n = (size_t)snprintf(text, sizeof(text),
			    "[login x]\n%s", heads[i]);
			memset(text + n, 'a', head + at - n);
			snprintf(text + head + at, sizeof(text) - head - at,
			    "%s\nallow = role:a\n", tail);
			refused(text, 2, "190 are the most");
		}
	}
}

static void
boundary_line_of_190_bytes(void **state)
{
	char text[256];
	struct conf *c;

	(void)state;
	memset(text, 'a', sizeof(text));
	memcpy(text, "[state]\ndir = /", 15);
	memcpy(text + 8 + 190, "\n", 2);
	c = accepted(text);
	assert_int_equal(strlen(c->dir), 190 - 6);
	conf_free(c);
	memcpy(text + 8 + 190, "a\n", 3);
	refused(text, 2, "a line of 191 bytes");
	memset(text, '#', 190);
	memcpy(text + 190, "\n", 2);
	conf_free(accepted(text));
	memcpy(text + 190, "#\n", 3);
	refused(text, 1, "a line of 191 bytes");
}

/* inih cuts a value at " ;"; nothing may be cut, or kept, in silence. */
static void
II_P5_comment_signs_and_quotes_in_values(void **state)
{
	static const char *const kept[] = { "role:a#b", "role:a;b",
		"role:#EXT#", "role:\"a\"", "role:a=b", "role:a:b", "role:'",
		"role:[x]", "role:%s%n", "role:\\" };
	static const char *const cut[] = { "role:a ;b", "role:a ; b",
		"role:a #b", "role:a # b", ";x", "#x" };
	char text[128];
	struct conf *c;
	size_t i;

	(void)state;
	for (i = 0; i < LEN(kept); i++) {
		snprintf(text, sizeof(text), "[login x]\nallow = %s\n",
		    kept[i]);
		c = accepted(text);
		item_is(&c->logins[0].allow, 0, kept[i], 2);
		conf_free(c);
		snprintf(text, sizeof(text), "[login x]\nallow=%s  \n",
		    kept[i]);
		c = accepted(text);
		item_is(&c->logins[0].allow, 0, kept[i], 2);
		conf_free(c);
	}
	for (i = 0; i < LEN(cut); i++) {
		snprintf(text, sizeof(text), "[login x]\nallow = %s\n", cut[i]);
		refused(text, 2, "line of its own");
	}
	c = accepted("[login x]\nallow =;x\n");
	item_is(&c->logins[0].allow, 0, ";x", 2);
	conf_free(c);
}

/* key, then good values, NULL, bad values, NULL */
struct values {
	const char *section;
	const char *key;
	const char *values[40];
};

static const struct values values[] = {
	{ "idp", "authority",
	    { "https://a", "https://login.test", "https://a.b:1",
		"https://127.0.0.1:65535", "https://localhost:8443", NULL,
		"http://a", "HTTPS://a", "https://", "https://A", "https://a/",
		"https://a/b", "https://a?b", "https://a#b", "https://u@a",
		"https://u:p@a", "https://a:", "https://a:0", "https://a:01",
		"https://a:65536", "https://a:-1", "https://a:+1",
		"https://a:1/", "https://.a", "https://a.", "https://a..b",
		"https://-a", "https://a-", "https://a_b", "https://[::1]",
		"https://a b", "https://a%2fb", "https://a\\b", "a", NULL } },
	{ "idp", "proxy",
	    { "http://proxy:3128", "http://10.0.0.1:1", NULL, "http://proxy",
		"https://proxy:3128", "socks5://proxy:1", "proxy:3128",
		"http://u:p@proxy:1", "http://proxy:3128/", "http://:1",
		"http://proxy:x", NULL } },
	{ "idp", "ca_file",
	    { "/a", "/a/b.pem", "/a b/c", "/..a", "/a..", "/...", NULL, "a",
		"./a", "/", "//", "//a", "/a/", "/a//b", "/a/./b", "/a/../b",
		"/..", "/.", "/a/..", "/a/.", "~/a", NULL } },
	{ "idp", "scope",
	    { "openid", "openid profile", "api://x/S openid", NULL, "profile",
		"OpenID", "openidx", "openid  profile", "openid \"",
		"openid \\", "api://x/.default", NULL } },
	{ "idp", "flow",
	    { "device", NULL, "browser", "Device", "none", NULL } },
	{ "idp", "cloud",
	    { "public", "usgov", "china", NULL, "Public", "germany", "us",
		"public,usgov", NULL } },
	{ "idp", "require_acrs", { "c1", "c99", NULL, "c1 c2", NULL } },
	{ "process", "user",
	    { "aadssh", "_x", "root", NULL, "-x", "0", "1000", "a b", "a:b",
		"a/b", NULL } },
	{ "state", "dir", { "/x", NULL, "x", "/x/", "/x/../y", NULL } },
	{ "state", "run", { "/x", NULL, "x", "/x/", "/x/../y", NULL } },
	{ "state", "trust", { "/x", NULL, "x", "/x/", "/x/../y", NULL } },
	{ "log", "level",
	    { "err", "warning", "notice", "info", "debug", NULL, "INFO", "6",
		"none", "emerg", NULL } },
	{ "log", "facility",
	    { "auth", "authpriv", "daemon", "user", "local0", "local7", NULL,
		"local8", "kern", "AUTH", "10", NULL } },
	{ "token", "keys_max_age",
	    { "1h", "30d", "1s", NULL, "0", "31d", "1", "h", "-1h", "1 h",
		"1h30m", "1H", "1w", "1.5h", "99999999999999999999d", NULL } },
	{ "token", "keys_refresh",
	    { "1s", "24h", NULL, "0", "25h", "2d", NULL } },
	{ "token", "sign_in_max_age",
	    { "1s", "90d", NULL, "0", "91d", "12", "forever", NULL } },
	{ "token", "grace", { "0", "12h", NULL, "13h", "8d", "-1s", NULL } },
	{ "token", "confirm", { "1s", "24h", NULL, "0", "25h", NULL } },
	{ "map", "min_uid",
	    { "1", "1000", "4294967294", NULL, "0", "4294967295", "-1", "0x10",
		"1e3", "1,000", "+1", "18446744073709551617", NULL } },
	{ "pam", "bind", { "first", "none", NULL, "First", "all", "1", NULL } },
	{ "pam", "from",
	    { "192.0.2.1", "192.0.2.0/24", "0.0.0.0/0", "::/0", "2001:db8::/32",
		"::1", "::ffff:192.0.2.0/120", NULL, "192.0.2.1/24",
		"192.0.2.0/33", "192.0.2.0/", "/24", "192.0.2/24",
		"192.0.2.0/24,10.0.0.0/8", "2001:db8::1/32", "::/129",
		"::ffff:192.0.2.0/24", "localhost", "any", "*", "fe80::1%eth0",
		"192.0.2.0/-1", "0x7f.0.0.1", NULL } },
	{ "pam", "timeout", { "30s", "15m", NULL, "29s", "16m", "0", NULL } },
	{ "pam", "per_host", { "1", "4096", NULL, "0", "4097", "-1", NULL } },
	{ "pam", "per_source", { "1", "64", NULL, "0", "many", NULL } },
	{ "refresh", "check", { "1m", "1d", NULL, "59s", "2d", "0", NULL } },
	{ "refresh", "parallel", { "1", "256", NULL, "0", "257", NULL } },
	{ "session", "on_denial",
	    { "none", "terminate", NULL, "kill", "None", "yes", NULL } },
	{ "login x", "hosts",
	    { "web", "web,db", "*", "a.b-c_d", "0", NULL, ",", "web,", ",web",
		"web,,db", "web, db", "Web", "-web", "a@b", "**", "w*",
		"abcdefghijklmnopqrstuvwxyz0123456", NULL } },
	{ "map", "hosts", { "web,db", "*", NULL, "web,", "Web", NULL } },
	{ "host", "groups",
	    { "web", "web,db", NULL, "*", "web,*", "web,,db", "Web", NULL } },
	{ "host", "accept_all",
	    { "yes", "no", NULL, "Yes", "true", "1", "on", NULL } },
	{ "ca", "key_type", { "ed25519", NULL, "rsa", "ssh-ed25519", NULL } },
	{ "ca", "backend",
	    { "file", "agent:/a", "agent:/run/a b", NULL, "File", "agent:",
		"agent:a", "agent:/a/../b", "agent", "/a", "agent: /a",
		"agent:/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		NULL } },
	{ "ca", "publish_dir", { "/x", NULL, "x", "/x/", "/", NULL } },
	{ "ca", "publish_before", { "0", "30d", NULL, "31d", "-1s", NULL } },
	{ "ca", "publish_valid",
	    { "1h", "90d", NULL, "0", "59m", "91d", NULL } },
	{ "ca", "rotate_every",
	    { "25h", "3650d", NULL, "0", "24h", "1h", "3651d", NULL } },
	{ "ca", "host_ttl", { "1m", "90d", NULL, "0", "59s", "91d", NULL } },
	{ "ca", "host_max_ttl",
	    { "1m", "366d", NULL, "0", "59s", "367d", NULL } },
	{ "ca", "certs_per_hour",
	    { "1", "10000", NULL, "0", "10001", "-1", NULL } },
	{ "ca", "per_peer", { "1", "64", NULL, "0", "65", NULL } },
	{ "profile x", "for",
	    { "a", "a,b", "*", "a,*", NULL, "", "a,", "a b", "-x", "a@b", "**",
		"a#EXT#", NULL } },
	{ "profile x", "ttl",
	    { "1m", "24h", "30d", NULL, "0", "59s", "31d", "-1h", NULL } },
	{ "profile x", "max_ttl",
	    { "1m", "30d", NULL, "0", "59s", "31d", NULL } },
	{ "profile x", "extensions",
	    { "none", "permit-pty", "permit-pty,permit-user-rc", NULL, ",",
		"permit-pty,", "permit-pty, permit-user-rc", NULL } },
	{ "profile x", "force_command", { "/bin/true", "a b=c,\"d\"", NULL } },
	{ "profile x", "source_address",
	    { "192.0.2.1", "192.0.2.0/24,::/0", NULL, "192.0.2.1/24",
		"192.0.2.0/24, ::/0", "!192.0.2.1", "*", "localhost", NULL } },
	{ "profile x", "key_types",
	    { "ssh-ed25519", "sk-ssh-ed25519@openssh.com", NULL, "a,,b",
		NULL } },
};

/* "[x]\n" and what else its section can't be without. */
static const char *
section_head(const char *section)
{
	static char head[64];

	if (strcmp(section, "idp") == 0)
		return IDP;
	snprintf(head, sizeof(head), "[%s]\n", section);
	return head;
}

static const char *
section_tail(const struct values *v)
{
	return strcmp(v->section, "profile x") == 0 &&
		       strcmp(v->key, "for") != 0
		   ? "for = *\n"
		   : "";
}

static void
each_type_has_its_grammar(void **state)
{
	const struct values *v;
	char text[512];
	size_t i, k, line;

	(void)state;
	for (i = 0; i < LEN(values); i++) {
		v = &values[i];
		line = strcmp(v->section, "idp") == 0 ? 4 : 2;
		for (k = 0; v->values[k] != NULL; k++) {
			snprintf(text, sizeof(text), "%s%s = %s\n%s",
			    section_head(v->section), v->key, v->values[k],
			    section_tail(v));
			conf_free(accepted(text));
		}
		for (k++; v->values[k] != NULL; k++) {
			snprintf(text, sizeof(text), "%s%s = %s\n%s",
			    section_head(v->section), v->key, v->values[k],
			    section_tail(v));
			refused(text, (unsigned int)line, v->key);
		}
		assert_true(k > 2);
	}
}

static void
ids_are_guids_and_not_those_of_everybody(void **state)
{
	static const char *const bad[][2] = {
		{ "contoso.com", "a GUID is expected" },
		{ "common", "a GUID is expected" },
		{ "organizations", "a GUID is expected" },
		{ "{" T "}", "a GUID is expected" },
		{ T "0", "a GUID is expected" },
		{ "00000000-0000-0000-0000-000000000000", "placeholder" },
		{ "9188040d-6c67-4c5b-b112-36a304b66dad", "personal" },
		{ "9188040D-6C67-4C5B-B112-36A304B66DAD", "personal" },
		{ "00000003-0000-0000-c000-000000000000", "Graph" },
		{ "00000003-0000-0000-C000-000000000000", "Graph" },
		{ "00000002-0000-0000-c000-000000000000", "Graph" },
	};
	char text[256];
	size_t i;

	(void)state;
	for (i = 0; i < LEN(bad); i++) {
		snprintf(text, sizeof(text),
		    "[idp]\ntenant = %s\nclient_id = " C "\n", bad[i][0]);
		refused(text, 2, bad[i][1]);
		snprintf(text, sizeof(text),
		    "[idp]\ntenant = " T "\nclient_id = %s\n", bad[i][0]);
		refused(text, 3, bad[i][1]);
	}
}

static void
what_one_line_alone_cannot_show(void **state)
{
	static const struct trap traps[] = {
		{ "[idp]\n", 1, "[idp] has no tenant" },
		{ "[log]\n[idp]\nclient_id = " C "\n", 2, "has no tenant" },
		{ "[idp]\ntenant = " T "\n", 1, "[idp] has no client_id" },
		{ IDP "cloud = public\nauthority = https://a\n", 5, "exclude" },
		{ IDP "authority = https://a\ncloud = public\n", 5, "exclude" },
		{ "[token]\nkeys_refresh = 2h\nkeys_max_age = 1h\n", 2,
		    "keys_refresh" },
		{ "[token]\ngrace = 2h\nsign_in_max_age = 1h\n", 2, "grace" },
		{ "[ca]\nrotate_every = 1h\npublish_before = 1h\n", 2,
		    "rotate_every" },
		{ "[ca]\nhost_ttl = 2h\nhost_max_ttl = 1h\n", 2, "host_ttl" },
		{ "[ca]\n[profile x]\nfor = a\nttl = 2h\nmax_ttl = 1h\n", 2,
		    "[profile x] ttl" },
		{ "[ca]\n[profile x]\n", 2, "[profile x] has no for" },
	};
	struct conf *c;
	size_t i;

	(void)state;
	for (i = 0; i < LEN(traps); i++)
		refused(traps[i].text, traps[i].line, traps[i].words);
	c = accepted("[token]\nkeys_max_age = 5m\n");
	assert_int_equal(c->keys_refresh, 300);
	conf_free(c);
}

/* head, then n lines of "fmt" with its number. */
static char *
repeat(const char *head, const char *fmt_head, const char *fmt_tail, size_t n)
{
	char *text = malloc(CONF_MAX * 2);
	size_t i, at;

	assert_non_null(text);
	at = (size_t)snprintf(text, CONF_MAX, "%s", head);
	for (i = 0; i < n; i++)
		at += (size_t)snprintf(text + at, 256, "%s%zu%s", fmt_head, i,
		    fmt_tail);
	return text;
}

static void
boundary_counts(void **state)
{
	struct conf_error why;
	struct conf *c;
	char *text;

	(void)state;
	text = repeat("[map]\n", "never = a", "\n", 256);
	c = accepted(text);
	assert_int_equal(c->never.n, 256);
	conf_free(c);
	free(text);
	text = repeat("[map]\n", "never = a", "\n", 257);
	refused(text, 258, "too many lines");
	free(text);
	text = repeat("", "[login a", "]\n", 256);
	c = accepted(text);
	assert_int_equal(c->nlogins, 256);
	conf_free(c);
	free(text);
	text = repeat("", "[login a", "]\n", 257);
	refused(text, 257, "too many [login NAME]");
	free(text);
	text = repeat("", "[profile a", "]\nfor = *\n", 64);
	c = accepted(text);
	assert_int_equal(c->nprofiles, 64);
	conf_free(c);
	free(text);
	text = repeat("", "[profile a", "]\nfor = *\n", 65);
	refused(text, 129, "too many [profile NAME]");
	free(text);
	text = repeat("[profile x]\n", "for = a", "\n", 257);
	refused(text, 258, "too many values");
	free(text);
	text = malloc(CONF_MAX + 2);
	assert_non_null(text);
	memset(text, '\n', CONF_MAX + 1);
	assert_int_equal(parse(text, CONF_MAX, &c, &why), 0);
	conf_free(c);
	assert_int_equal(parse(text, CONF_MAX + 1, &c, &why), AAD_ETOOBIG);
	free(text);
}

/* ---- damage ---- */

/* The n-th line of a text, without its end. */
static const char *
line_at(const char *text, size_t len, unsigned int n, size_t *lenp)
{
	const char *p = text, *nl;

	for (;;) {
		nl = memchr(p, '\n', len - (size_t)(p - text));
		assert_non_null(nl);
		if (--n == 0)
			break;
		p = nl + 1;
	}
	*lenp = (size_t)(nl - p);
	return p;
}

/*
 * What conf says of a line is what a person reads there: the section above
 * it, the key in front and the whole value.
 */
static void
stands_there(const char *text, size_t len, const char *section, const char *key,
    const struct conf_item *item)
{
	char head[64], want[256];
	size_t n, got;
	const char *p;
	unsigned int i;

	p = line_at(text, len, item->line, &n);
	assert_memory_equal(p, key, strlen(key));
	while (p[n - 1] == ' ')
		n--;
	got = strlen(item->value);
	snprintf(want, sizeof(want), "%s", item->value);
	assert_true(n > got);
	if (strcmp(key, "hosts") != 0 && strcmp(section, "host") != 0 &&
	    strncmp(section, "profile", 7) != 0) {
		assert_memory_equal(p + n - got, want, got);
		assert_true(p[n - got - 1] == ' ' || p[n - got - 1] == '=');
	}
	for (i = item->line; p[0] != '['; i--)
		p = line_at(text, len, i, &n);
	snprintf(head, sizeof(head), "[%s]", section);
	assert_memory_equal(p, head, strlen(head));
}

static void
list_stands_there(const char *text, size_t len, const char *section,
    const char *key, const struct conf_list *l)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		stands_there(text, len, section, key, &l->items[i]);
}

static void
profiles_stand_there(const char *text, size_t len, const struct conf *c)
{
	const struct conf_profile *p;
	char section[64];
	size_t i;

	for (i = 0; i < c->nprofiles; i++) {
		p = &c->profiles[i];
		snprintf(section, sizeof(section), "profile %s", p->name);
		list_stands_there(text, len, section, "for", &p->logins);
		list_stands_there(text, len, section, "extensions",
		    &p->extensions);
		list_stands_there(text, len, section, "source_address",
		    &p->source_address);
		list_stands_there(text, len, section, "key_types",
		    &p->key_types);
		assert_in_range(p->ttl, 60, p->max_ttl);
		assert_in_range(p->max_ttl, 60, 30 * 86400);
	}
	assert_true(c->rotate_every > c->publish_before);
	assert_in_range(c->host_ttl, 60, c->host_max_ttl);
}

static void
damaged(const uint8_t *p, size_t len, enum mutation how, size_t at, void *arg)
{
	const char *text = (const char *)p;
	unsigned int *countp = arg;
	struct conf_error why;
	struct conf *c;
	char section[64];
	size_t i;
	int r = conf_parse(text, len, &c, &why);

	if (how == MUTATE_TRUNCATE && at > 0 && text[at - 1] != '\n')
		assert_int_equal(r, AAD_EFORMAT);
	if (r != 0) {
		assert_int_equal(r, AAD_EFORMAT);
		assert_null(c);
		assert_true(why.line > 0);
		assert_true(why.text[0] != '\0');
		for (i = 0; why.text[i] != '\0'; i++)
			assert_in_range(why.text[i], ' ', '~');
		return;
	}
	++*countp;
	profiles_stand_there(text, len, c);
	list_stands_there(text, len, "host", "groups", &c->host_groups);
	list_stands_there(text, len, "map", "hosts", &c->map_hosts);
	list_stands_there(text, len, "map", "domain", &c->domain);
	list_stands_there(text, len, "map", "require", &c->require);
	list_stands_there(text, len, "map", "never", &c->never);
	list_stands_there(text, len, "idp", "require_acrs", &c->require_acrs);
	for (i = 0; i < c->nlogins; i++) {
		snprintf(section, sizeof(section), "login %s",
		    c->logins[i].name);
		list_stands_there(text, len, section, "allow",
		    &c->logins[i].allow);
		list_stands_there(text, len, section, "hosts",
		    &c->logins[i].hosts);
	}
	conf_free(c);
}

static void
damaged_file_means_what_it_says_or_nothing(void **state)
{
	unsigned int count = 0;

	(void)state;
	mutate_walk(full, strlen(full), damaged, &count);
	assert_in_range(count, 50, strlen(full) * 8);
	count = 0;
	mutate_walk(authority, strlen(authority), damaged, &count);
	assert_in_range(count, 50, strlen(authority) * 8);
}

static void
no_memory_for(const char *text)
{
	struct conf_error why;
	struct conf *c;
	unsigned int k;
	int r;

	for (k = 1;; k++) {
		fault_arm(FAULT_ALLOC, k, ENOMEM);
		r = conf_parse(text, strlen(text), &c, &why);
		if (!fault_disarm())
			break;
		assert_int_equal(r, AAD_ENOMEM);
		assert_null(c);
		assert_string_equal(why.text, "out of memory");
	}
	assert_int_equal(r, 0);
	assert_true(k > 5);
	conf_free(c);
}

static void
no_memory_is_said(void **state)
{
	(void)state;
	no_memory_for(full);
	no_memory_for(authority);
	no_memory_for("[ca]\n");
}

/* ---- files ---- */

static char dir[] = "/tmp/test_conf.XXXXXX";
static char path[64];

static int
folder_make(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/aadssh.conf", dir);
	return 0;
}

static int
folder_remove(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(dir);
}

static void
put(const char *text, size_t len, mode_t mode)
{
	int fd;

	unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(fd != -1);
	assert_int_equal(write(fd, text, len), len);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void
load_is(int want, const char *words)
{
	struct conf_error why;
	struct conf *c;

	assert_int_equal(conf_load(path, geteuid(), &c, &why), want);
	if (want == 0) {
		assert_non_null(c);
	} else {
		assert_null(c);
		assert_non_null(strstr(why.text, words));
	}
	conf_free(c);
}

static void
II_P13_rule_file_writable(void **state)
{
	static const mode_t bad[] = { 0620, 0602, 0660, 0666, 0664, 0777 };
	static const mode_t good[] = { 0400, 0600, 0644, 0640, 0755, 0444 };
	size_t i;

	(void)state;
	for (i = 0; i < LEN(bad); i++) {
		put(full, strlen(full), bad[i]);
		load_is(AAD_EPERM, "not writable by group or others");
	}
	for (i = 0; i < LEN(good); i++) {
		put(full, strlen(full), good[i]);
		load_is(0, "");
	}
}

static void
II_P13_rule_file_of_somebody_else(void **state)
{
	struct conf_error why;
	struct conf *c;

	(void)state;
	put(full, strlen(full), 0644);
	if (geteuid() == 0) {
		assert_int_equal(chown(path, 4242, 0), 0);
		load_is(AAD_EPERM, "owned by root or the running user");
		assert_int_equal(conf_load(path, 4242, &c, &why), 0);
		conf_free(c);
		assert_int_equal(chown(path, 0, 0), 0);
		assert_int_equal(conf_load(path, 4242, &c, &why), 0);
		conf_free(c);
	} else {
		assert_int_equal(conf_load(path, geteuid() + 1, &c, &why),
		    AAD_EPERM);
		assert_null(c);
	}
}

static void
II_P13_rule_file_is_a_link_or_no_file(void **state)
{
	char other[80];

	(void)state;
	snprintf(other, sizeof(other), "%s/other", dir);
	put(full, strlen(full), 0644);
	assert_int_equal(rename(path, other), 0);
	assert_int_equal(symlink(other, path), 0);
	load_is(AAD_EPERM, "a regular file");
	unlink(path);
	assert_int_equal(link(other, path), 0);
	/* A local user's second name for it must not lock everybody out. */
	load_is(0, "");
	unlink(path);
	unlink(other);
	assert_int_equal(mkfifo(path, 0600), 0);
	load_is(AAD_EPERM, "a regular file");
	unlink(path);
	assert_int_equal(mkdir(path, 0755), 0);
	load_is(AAD_EPERM, "a regular file");
	rmdir(path);
	load_is(AAD_ENOENT, "no such file");
}

static void
file_too_big_or_empty(void **state)
{
	char *text = malloc(CONF_MAX + 1);

	(void)state;
	assert_non_null(text);
	memset(text, '\n', CONF_MAX + 1);
	put(text, CONF_MAX, 0600);
	load_is(0, "");
	put(text, CONF_MAX + 1, 0600);
	load_is(AAD_ETOOBIG, "more than 65536 bytes");
	put(text, 0, 0600);
	load_is(0, "");
	put("[nonsense]\n", 11, 0600);
	load_is(AAD_EFORMAT, "unknown section");
	free(text);
}

static void
II_P9_unreadable_is_no_empty_file(void **state)
{
	struct conf_error why;
	struct conf *c;
	unsigned int k;
	int r;

	(void)state;
	put(full, strlen(full), 0600);
	for (k = 1;; k++) {
		fault_arm(FAULT_SYSCALL, k, EIO);
		r = conf_load(path, geteuid(), &c, &why);
		if (!fault_disarm())
			break;
		assert_int_equal(r, AAD_ESYS);
		assert_int_equal(errno, EIO);
		assert_null(c);
		assert_non_null(strstr(why.text, "cannot be read"));
	}
	assert_int_equal(r, 0);
	assert_true(k > 3);
	conf_free(c);
	for (k = 1;; k++) {
		fault_arm(FAULT_ALLOC, k, ENOMEM);
		r = conf_load(path, geteuid(), &c, &why);
		if (!fault_disarm())
			break;
		assert_int_equal(r, AAD_ENOMEM);
		assert_null(c);
	}
	assert_int_equal(r, 0);
	conf_free(c);
}

/* ---- the shipped file and the manual ---- */

static char *
slurp(const char *name)
{
	char *text;
	size_t len;
	int fd = open(name, O_RDONLY | O_CLOEXEC), r;
	struct stat sb;

	assert_true(fd != -1);
	assert_int_equal(fstat(fd, &sb), 0);
	len = (size_t)sb.st_size;
	text = calloc(1, len + 1);
	assert_non_null(text);
	r = (int)read(fd, text, len);
	assert_int_equal(r, len);
	close(fd);
	return text;
}

static unsigned int
line_of(const char *text, const char *what)
{
	const char *at = strstr(text, what), *p;
	unsigned int line = 1;

	assert_non_null(at);
	for (p = text; p < at; p++)
		line += *p == '\n';
	return line;
}

/* A shipped file with the two ids filled in, which it can't do without. */
static struct conf *
shipped(const char *name)
{
	static const char nil[] = "00000000-0000-0000-0000-000000000000";
	char *text = slurp(name), *at;
	struct conf *c;

	refused(text, line_of(text, "\ntenant =") + 1, "write your own");
	at = strstr(text, nil);
	assert_non_null(at);
	memcpy(at, T, strlen(T));
	refused(text, line_of(text, "\nclient_id =") + 1, "write your own");
	at = strstr(text, nil);
	assert_non_null(at);
	memcpy(at, C, strlen(C));
	c = accepted(text);
	free(text);
	return c;
}

static void
shipped_file_wants_two_ids_and_nothing_else(void **state)
{
	struct conf *c = shipped("conf/aadssh.conf");
	struct conf *d = accepted(IDP);

	(void)state;
	assert_string_equal(c->issuer, d->issuer);
	assert_string_equal(c->scope, d->scope);
	assert_int_equal(c->domain.n, 0);
	assert_int_equal(c->nlogins, 0);
	assert_int_equal(c->host_groups.n, 0);
	assert_false(c->has_ca);
	conf_free(c);
	conf_free(d);
}

static void
shipped_file_of_an_authority(void **state)
{
	struct conf *c = shipped("conf/aadssh-ca.conf");
	struct conf *d = accepted(IDP "[ca]\n");

	(void)state;
	assert_true(c->has_ca);
	assert_string_equal(c->issuer, d->issuer);
	assert_string_equal(c->dir, d->dir);
	assert_string_equal(c->publish_dir, d->publish_dir);
	assert_int_equal(c->nlogins, 0);
	assert_int_equal(c->nprofiles, 0);
	conf_free(c);
	conf_free(d);
}

/* A line of its section in a shipped file. */
static void
shows(const char *name, const char *text, const struct conf_keyword *k)
{
	const char *section;
	char want[256];
	size_t n;

	snprintf(want, sizeof(want), "[%s", k->section);
	section = strstr(text, want);
	assert_non_null(section);
	n = (size_t)snprintf(want, sizeof(want), "\n#%s = ", k->name);
	if (k->fallback != NULL)
		snprintf(want + n, sizeof(want) - n, "%s\n", k->fallback);
	if (strcmp(k->name, "tenant") == 0 || strcmp(k->name, "client_id") == 0)
		snprintf(want, sizeof(want), "\n%s = ", k->name);
	if (strstr(section, want) == NULL)
		fail_msg("%s lacks %s", name, want);
}

static void
shipped_files_and_manuals_name_every_key(void **state)
{
	static const char *const names[2][2] = {
		{ "conf/aadssh.conf", "docs/aadssh.conf.5" },
		{ "conf/aadssh-ca.conf", "docs/aadssh-ca.conf.5" },
	};
	char *conf[2], *man[2], want[256];
	const struct conf_keyword *k;
	size_t i, which;

	(void)state;
	for (i = 0; i < 2; i++) {
		conf[i] = slurp(names[i][0]);
		man[i] = slurp(names[i][1]);
	}
	for (i = 0; (k = conf_keyword(i)) != NULL; i++) {
		which = strcmp(k->section, "ca") == 0 ||
			strcmp(k->section, "profile") == 0;
		shows(names[which][0], conf[which], k);
		snprintf(want, sizeof(want), "\n.It Ic %s Ns = Ns Ar %s\n",
		    k->name, k->type);
		if (strstr(man[which], want) == NULL)
			fail_msg("%s lacks %s", names[which][1], want);
	}
	assert_in_range(i, 50, 64);
	for (i = 0; i < 2; i++) {
		free(conf[i]);
		free(man[i]);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_file_is_all_defaults),
		cmocka_unit_test(full_file_keeps_every_value),
		cmocka_unit_test(host_section_keeps_every_value),
		cmocka_unit_test(authority_keeps_every_value),
		cmocka_unit_test(authority_has_its_own_defaults),
		cmocka_unit_test(profile_of_a_login),
		cmocka_unit_test(publish_dir_is_apart),
		cmocka_unit_test(cloud_names_the_authority),
		cmocka_unit_test(sections_do_not_run_into_each_other),
		cmocka_unit_test(scope_names_the_client),
		cmocka_unit_test(
		    II_P10_one_bad_line_refuses_the_file_and_is_named),
		cmocka_unit_test(II_P10_long_line_never_opens_a_section),
		cmocka_unit_test(boundary_line_of_190_bytes),
		cmocka_unit_test(II_P5_comment_signs_and_quotes_in_values),
		cmocka_unit_test(each_type_has_its_grammar),
		cmocka_unit_test(ids_are_guids_and_not_those_of_everybody),
		cmocka_unit_test(what_one_line_alone_cannot_show),
		cmocka_unit_test(boundary_counts),
		cmocka_unit_test(damaged_file_means_what_it_says_or_nothing),
		cmocka_unit_test(no_memory_is_said),
		cmocka_unit_test(II_P13_rule_file_writable),
		cmocka_unit_test(II_P13_rule_file_of_somebody_else),
		cmocka_unit_test(II_P13_rule_file_is_a_link_or_no_file),
		cmocka_unit_test(file_too_big_or_empty),
		cmocka_unit_test(II_P9_unreadable_is_no_empty_file),
		cmocka_unit_test(shipped_file_wants_two_ids_and_nothing_else),
		cmocka_unit_test(shipped_file_of_an_authority),
		cmocka_unit_test(shipped_files_and_manuals_name_every_key),
	};

	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
