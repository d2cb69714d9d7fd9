/* SPDX-License-Identifier: ISC */

/*
 * ca: what aadssh-ca takes for an answer, what it replaces on disk, which key
 * it chooses, and what it shows.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "ca/app.h"
#include "ca/install.h"
#include "ca/keyfile.h"
#include "ca/reply.h"
#include "ca/rows.h"
#include "ca/tell.h"
#include "ca/trust.h"
#include "ssh/krl.h"
#include "ssh/privkey.h"
#include "ssh/sign.h"
#include "test/unit/fault.h"
#include "test/unit/mutate.h"
#include "test/unit/scratch.h"
#include "test/unit/unit.h"

#define NOW  INT64_C(1800000000)
#define HOUR 3600
#define KEY_ID                                                                 \
	"alice@contoso.com oid=0aa00000-1111-2222-3333-444444444444 "          \
	"tid=11111111-1111-1111-1111-111111111111 uti=x"

static struct privkey ours, foreign, host_ca, subject, other;
static char dir[64];

static void
key_of(uint8_t fill, struct privkey *k)
{
	uint8_t seed[PRIVKEY_SEED_LEN];

	memset(seed, fill, sizeof(seed));
	assert_int_equal(privkey_of_seed(seed, k), 0);
}

/* What the signer gives when "alice" is asked for, for an hour. */
struct given {
	struct cert_spec spec;
	struct privkey *by;
	const char *principals[3];
	struct cert_option critical[3];
};

static void
give(struct given *g)
{
	memset(g, 0, sizeof(*g));
	g->by = &ours;
	g->principals[0] = "alice";
	g->principals[1] = "alice@db";
	g->principals[2] = "alice@web";
	g->spec.key = &subject.pub;
	g->spec.serial = 7;
	g->spec.type = CERT_USER;
	g->spec.key_id = KEY_ID;
	g->spec.principals = g->principals;
	g->spec.nprincipals = 3;
	g->spec.valid_after = NOW - 60;
	g->spec.valid_before = NOW + HOUR;
	g->spec.critical = g->critical;
}

static struct cert
made(struct given *g)
{
	uint8_t *body, *sig;
	size_t len, siglen;
	struct cert c;

	g->spec.ca = &g->by->pub;
	assert_int_equal(cert_encode(&g->spec, &body, &len), 0);
	assert_int_equal(sign_ed25519(g->by->secret, body, len, &sig, &siglen),
	    0);
	assert_int_equal(cert_finish(&g->spec, body, len, sig, siglen, &c), 0);
	free(body);
	free(sig);
	return c;
}

static const char *const alice[] = { "alice" };

static struct reply_ask
asked(void)
{
	struct reply_ask a = { .type = CERT_USER,
		.key = &subject.pub,
		.cas = &ours.pub,
		.ncas = 1,
		.names = alice,
		.nnames = 1,
		.ttl = HOUR,
		.now = NOW };

	return a;
}

/* What reply_check() says, "" for nothing. */
static const char *
fault_of(struct given *g, const struct reply_ask *a)
{
	struct cert c = made(g);
	const char *fault = NULL;
	int r = reply_check(&c, a, &fault);

	cert_release(&c);
	assert_int_equal(r, fault == NULL ? 0 : AAD_EREFUSED);
	return fault == NULL ? "" : fault;
}

/* ---- what comes back ------------------------------------------------ */

static void
valid_reply(void **state)
{
	struct reply_ask a = asked();
	struct given g;

	(void)state;
	give(&g);
	assert_string_equal(fault_of(&g, &a), "");
	a.nnames = 0; /* the own one */
	assert_string_equal(fault_of(&g, &a), "");
	g.critical[0] = (struct cert_option){ "force-command", "/bin/true" };
	g.critical[1] = (struct cert_option){ "source-address", "10.0.0.0/8" };
	g.critical[2] = (struct cert_option){ "verify-required", NULL };
	g.spec.ncritical = 3;
	assert_string_equal(fault_of(&g, &a), "");
	g.spec.nprincipals = 1;
	g.spec.valid_after = NOW - REPLY_BACKDATE_MAX;
	g.spec.valid_before = NOW + 1;
	assert_string_equal(fault_of(&g, &a), "");
	g.spec.valid_after = NOW;
	assert_string_equal(fault_of(&g, &a), "");
}

/* By any of those that are published, the last one too. */
static void
valid_reply_of_the_second(void **state)
{
	struct key cas[2];
	struct reply_ask a = asked();
	struct given g;

	(void)state;
	cas[0] = foreign.pub;
	cas[1] = ours.pub;
	a.cas = cas;
	a.ncas = 2;
	give(&g);
	assert_string_equal(fault_of(&g, &a), "");
	a.ncas = 1;
	assert_string_equal(fault_of(&g, &a),
	    "signed by an authority that is not published");
}

static void
II_L9_someone_elses_key(void **state)
{
	struct reply_ask a = asked();
	struct given g;

	(void)state;
	give(&g);
	g.spec.key = &other.pub;
	assert_string_equal(fault_of(&g, &a), "a certificate of another key");
}

static void
II_L9_host_type(void **state)
{
	struct reply_ask a = asked();
	struct given g;

	(void)state;
	give(&g);
	g.spec.type = CERT_HOST;
	assert_string_equal(fault_of(&g, &a),
	    "a certificate of the other type");
}

static void
II_L9_foreign_authority(void **state)
{
	struct reply_ask a = asked();
	struct given g;

	(void)state;
	give(&g);
	g.by = &foreign;
	assert_string_equal(fault_of(&g, &a),
	    "signed by an authority that is not published");
	g.by = &host_ca;
	assert_string_equal(fault_of(&g, &a),
	    "signed by an authority that is not published");
	a.ncas = 0;
	g.by = &ours;
	assert_string_equal(fault_of(&g, &a),
	    "signed by an authority that is not published");
}

static void
II_L9_longer_than_asked(void **state)
{
	static const char longer[] = "it lives longer than asked for";
	struct reply_ask a = asked();
	struct given g;

	(void)state;
	give(&g);
	g.spec.valid_before = NOW + HOUR + 1;
	assert_string_equal(fault_of(&g, &a), longer);
	g.spec.valid_before = UINT64_MAX;
	assert_string_equal(fault_of(&g, &a), longer);
	g.spec.valid_before = NOW;
	assert_string_equal(fault_of(&g, &a), "it has ended already");
}

static void
II_L9_other_times(void **state)
{
	static const char when[] = "it begins at another time than now";
	struct reply_ask a = asked();
	struct given g;

	(void)state;
	give(&g);
	g.spec.valid_after = NOW - REPLY_BACKDATE_MAX - 1;
	assert_string_equal(fault_of(&g, &a), when);
	g.spec.valid_after = 0;
	assert_string_equal(fault_of(&g, &a), when);
	g.spec.valid_after = NOW + 1;
	assert_string_equal(fault_of(&g, &a), when);
}

static void
II_L9_more_principals(void **state)
{
	static const char *const wrong[] = { "deploy", "deploy@web", "root",
		"alice@*", "alice@", "alice@a@b", "alice@We", "*", "", "alic",
		"alicea", "@web", "alice,root", "Alice", " alice", "alice ",
		"alice@web\n", "alice@aaaaaaaaaabbbbbbbbbbccccccccccddd" };
	static const char *const other_logins[] = { "bob@web", "alicia",
		"alyce@web", "alice2", "alic@web" };
	struct reply_ask a = asked();
	struct given g;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		give(&g);
		g.principals[2] = wrong[i];
		assert_string_equal(fault_of(&g, &a),
		    "principals that were not asked for");
	}
	/* None is every login, to an old sshd. */
	give(&g);
	g.spec.nprincipals = 0;
	assert_string_equal(fault_of(&g, &a),
	    "principals that were not asked for");
	/* Where none was asked for, it is one login. */
	give(&g);
	a.nnames = 0;
	for (i = 0; i < sizeof(other_logins) / sizeof(other_logins[0]); i++) {
		g.principals[2] = other_logins[i];
		assert_string_equal(fault_of(&g, &a),
		    "principals that were not asked for");
	}
	g.spec.nprincipals = 0;
	assert_string_equal(fault_of(&g, &a),
	    "principals that were not asked for");
}

static void
II_L9_unknown_critical_option(void **state)
{
	static const struct cert_option wrong[] = {
		{ "aaa@example.com", NULL },
		{ "permit-pty", NULL },
		{ "no-touch-required", NULL },
		{ "verify-required", "yes" },
	};
	struct reply_ask a = asked();
	struct given g;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		give(&g);
		g.critical[0] = wrong[i];
		g.spec.ncritical = 1;
		assert_string_equal(fault_of(&g, &a),
		    "a critical option that nobody knows");
	}
	give(&g);
	g.critical[0] = (struct cert_option){ "force-command", NULL };
	g.spec.ncritical = 1;
	assert_string_equal(fault_of(&g, &a), "a command that is none");
	/* behind one that is known */
	g.critical[0].value = "x";
	g.critical[1] = (struct cert_option){ "permit-pty", NULL };
	g.spec.ncritical = 2;
	assert_string_equal(fault_of(&g, &a),
	    "a critical option that nobody knows");
}

/* What no encoder of ours writes: a value that is no string in its data, and
 * one with a NUL in it. */
static void
II_L9_options_by_hand(void **state)
{
	static const struct {
		const char *name, *data;
		size_t len;
		const char *fault;
	} cases[] = {
		{ "force-command", "x", 1, "a command that is none" },
		{ "source-address", "x", 1,
		    "source addresses wider than asked for" },
		{ "verify-required", "x", 1,
		    "a critical option that nobody knows" },
		{ "source-address", "\0\0\0\01510.1.2.0/24\0,", 17,
		    "source addresses wider than asked for" },
		{ "source-address", "\0\0\0\01310.1.2.0/24", 15, "" },
	};
	static const char *const sources[] = { "10.1.0.0/16" };
	struct reply_ask a = asked();
	struct wirebuf b;
	struct given g;
	struct cert c;
	size_t i;

	(void)state;
	give(&g);
	c = made(&g);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *fault = NULL;

		a.sources = sources;
		a.nsources = cases[i].name[0] == 's';
		b = wirebuf_new();
		wire_put_text(&b, cases[i].name);
		wire_put_string(&b, cases[i].data, cases[i].len);
		c.critical.p = b.p;
		c.critical.len = b.len;
		/* the bytes that are signed are not these */
		(void)!reply_check(&c, &a, &fault);
		assert_int_equal(reply_fresh(&c, &a, 0), fault == NULL);
		if (strcmp(fault != NULL ? fault : "", cases[i].fault) != 0)
			fail_msg("row %zu: %s", i, fault);
		wirebuf_release(&b);
	}
	cert_release(&c);
}

static void
II_L9_wider_source(void **state)
{
	static const char *const sources[] = { "10.1.0.0/16", "2001:db8::/32",
		"192.0.2.1" };
	static const struct {
		const char *given;
		bool ok;
	} t[] = {
		{ "10.1.0.0/16", true },
		{ "10.1.0.0/16,2001:db8::/32", true },
		{ "10.1.2.0/24", true },
		{ "10.1.2.3", true },
		{ "192.0.2.1", true },
		{ "192.0.2.1/32", true },
		{ "192.0.2.1/31", false },
		{ "2001:db8:1::/48", true },
		{ "10.0.0.0/8", false },
		{ "10.1.0.0/15", false },
		{ "10.2.0.0/16", false },
		{ "10.1.0.0/16,0.0.0.0/0", false },
		{ "10.1.0.0/16,", false },
		{ ",10.1.0.0/16", false },
		{ "", false },
		{ "!10.1.0.0/16", false },
		{ "10.1.*", false },
		{ "2001:db8::/31", false },
		{ "::/0", false },
		{ "::ffff:10.1.0.0/112", false },
	};
	struct reply_ask a = asked();
	struct given g;
	const char *fault;
	size_t i;

	(void)state;
	a.sources = sources;
	a.nsources = 3;
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		give(&g);
		g.critical[0] = (struct cert_option){ "source-address",
			t[i].given };
		g.spec.ncritical = 1;
		fault = fault_of(&g, &a);
		assert_string_equal(fault,
		    t[i].ok ? "" : "source addresses wider than asked for");
	}
	give(&g);
	assert_string_equal(fault_of(&g, &a),
	    "without the source addresses asked for");
}

static void
valid_host_reply(void **state)
{
	static const char *const names[] = { "a.example.com", "b.example.com" };
	struct reply_ask a = asked();
	struct given g;

	(void)state;
	a.type = CERT_HOST;
	a.names = names;
	a.nnames = 2;
	give(&g);
	g.spec.type = CERT_HOST;
	g.principals[0] = names[0];
	g.principals[1] = names[1];
	g.spec.nprincipals = 2;
	assert_string_equal(fault_of(&g, &a), "");
	g.spec.nprincipals = 1;
	assert_string_equal(fault_of(&g, &a), "");
	g.principals[0] = "*.example.com";
	assert_string_equal(fault_of(&g, &a),
	    "principals that were not asked for");
	g.principals[0] = names[0];
	g.critical[0] = (struct cert_option){ "force-command", "x" };
	g.spec.ncritical = 1;
	assert_string_equal(fault_of(&g, &a),
	    "a host certificate with a critical option");
}

/* No damaged one passes: its signature is over all of it. */
static void
judge_damaged(const uint8_t *p, size_t len, enum mutation how, size_t at,
    void *arg)
{
	const struct reply_ask *a = arg;
	const char *fault = NULL;
	enum reason why;
	struct cert c;

	(void)how;
	(void)at;
	if (cert_from_blob(p, len, &c, &why) != 0)
		return;
	assert_int_equal(reply_check(&c, a, &fault), AAD_EREFUSED);
	assert_non_null(fault);
	cert_release(&c);
}

static void
damaged_reply(void **state)
{
	struct reply_ask a = asked();
	struct given g;
	struct cert c;

	(void)state;
	give(&g);
	c = made(&g);
	mutate_walk(c.blob, c.blob_len, judge_damaged, &a);
	cert_release(&c);
}

static void
no_memory_is_no_yes(void **state)
{
	struct reply_ask a = asked();
	const char *fault = NULL;
	struct given g;
	struct cert c;
	unsigned int i;
	int r;

	(void)state;
	give(&g);
	c = made(&g);
	for (i = 1;; i++) {
		fault_arm(FAULT_ALLOC, i, ENOMEM);
		r = reply_check(&c, &a, &fault);
		if (!fault_disarm())
			break;
		assert_int_equal(r, AAD_ENOMEM);
	}
	assert_int_equal(r, 0);
	cert_release(&c);
}

static void
fresh_or_not(void **state)
{
	static const char *const two[] = { "alice", "bob" };
	static const char *const near[] = { "", "alic", "alice2", "alyce",
		"alice@web" };
	struct reply_ask a = asked();
	struct given g;
	struct cert c;
	size_t i;

	(void)state;
	give(&g);
	c = made(&g);
	assert_true(reply_fresh(&c, &a, 0));
	assert_true(reply_fresh(&c, &a, HOUR));
	assert_false(reply_fresh(&c, &a, HOUR + 1));
	a.now = NOW + HOUR;
	assert_false(reply_fresh(&c, &a, 0));
	a.now = NOW - 61;
	assert_false(reply_fresh(&c, &a, 0));
	a.now = -1;
	assert_false(reply_fresh(&c, &a, 0));
	a = asked();
	a.key = &other.pub;
	assert_false(reply_fresh(&c, &a, 0));
	a = asked();
	a.cas = &foreign.pub;
	assert_false(reply_fresh(&c, &a, 0));
	a = asked();
	a.type = CERT_HOST;
	assert_false(reply_fresh(&c, &a, 0));
	a = asked();
	a.now = NOW - 60; /* its first second */
	assert_true(reply_fresh(&c, &a, 0));
	a = asked();
	a.names = two;
	a.nnames = 2;
	assert_false(reply_fresh(&c, &a, 0));
	for (i = 0; i < sizeof(near) / sizeof(near[0]); i++) {
		a.names = &near[i];
		a.nnames = 1;
		assert_false(reply_fresh(&c, &a, 0));
	}
	a.nnames = 0;
	assert_true(reply_fresh(&c, &a, 0));
	a.sources = alice; /* no range */
	a.nsources = 1;
	assert_false(reply_fresh(&c, &a, 0));
	cert_release(&c);
}

/* Nobody named a login: then the user's own is what is asked for. */
static void
fresh_for_the_own_login(void **state)
{
	struct reply_ask a = asked();
	struct given g;
	struct cert c;

	(void)state;
	a.nnames = 0;
	give(&g);
	g.principals[0] = "deploy@web";
	g.spec.nprincipals = 1;
	c = made(&g);
	assert_false(reply_fresh(&c, &a, 0));
	cert_release(&c);
	give(&g);
	g.principals[0] = "deploy@web";
	g.principals[1] = "alice@web";
	g.spec.nprincipals = 2;
	c = made(&g);
	assert_true(reply_fresh(&c, &a, 0));
	cert_release(&c);
	give(&g);
	g.spec.key_id = "alice2@contoso.com oid=x";
	c = made(&g);
	assert_false(reply_fresh(&c, &a, 0));
	cert_release(&c);
	g.spec.key_id = "";
	c = made(&g);
	assert_false(reply_fresh(&c, &a, 0));
	cert_release(&c);
}

/* ---- what may be replaced ------------------------------------------- */

static char *
line_of(struct given *g, const char *comment)
{
	struct cert c = made(g);
	char *line;

	assert_int_equal(cert_line(&c, comment, &line), 0);
	cert_release(&c);
	return line;
}

static int
judged(struct given *g, const char *comment, int64_t now)
{
	char *line = line_of(g, comment);
	int r = install_judge(line, strlen(line), &subject.pub, &ours.pub, 1,
	    now);

	free(line);
	return r;
}

static void
II_L10_replaces_its_own(void **state)
{
	struct given g;

	(void)state;
	give(&g);
	assert_int_equal(judged(&g, NULL, NOW), 0);
	assert_int_equal(judged(&g, "aadssh-ca 7", NOW + 10 * HOUR), 0);
	/* Its authority is gone: then the mark, the key id and the end. */
	g.by = &foreign;
	assert_int_equal(judged(&g, "aadssh-ca 7", NOW + HOUR), 0);
}

static void
II_L10_nothing_else(void **state)
{
	static const char *const junk[] = { "", "\n", "mine",
		"ssh-ed25519 AAAA", "-----BEGIN OPENSSH PRIVATE KEY-----\n" };
	char *line;
	struct given g;
	size_t i;

	(void)state;
	give(&g);
	g.spec.key = &other.pub;
	assert_int_equal(judged(&g, "aadssh-ca 7", NOW), AAD_EREFUSED);
	assert_int_equal(judged(&g, "aadssh-ca 7", NOW + HOUR), AAD_EREFUSED);
	give(&g);
	g.by = &foreign;
	assert_int_equal(judged(&g, "aadssh-ca 7", NOW), AAD_EREFUSED);
	assert_int_equal(judged(&g, NULL, NOW + HOUR), AAD_EREFUSED);
	assert_int_equal(judged(&g, "alice", NOW + HOUR), AAD_EREFUSED);
	g.spec.key_id = "alice";
	assert_int_equal(judged(&g, "aadssh-ca 7", NOW + HOUR), AAD_EREFUSED);
	for (i = 0; i < sizeof(junk) / sizeof(junk[0]); i++)
		assert_int_equal(install_judge(junk[i], strlen(junk[i]),
				     &subject.pub, &ours.pub, 1, NOW),
		    AAD_EREFUSED);
	assert_int_equal(key_line(&subject.pub, NULL, &line), 0);
	assert_int_equal(install_judge(line, strlen(line), &subject.pub,
			     &ours.pub, 1, NOW),
	    AAD_EREFUSED);
	free(line);
}

static void
judge_damaged_line(const uint8_t *p, size_t len, enum mutation how, size_t at,
    void *arg)
{
	const size_t *end = arg;

	/* NB. the comment and the line's end count for nothing here. */
	if (at >= *end || (how == MUTATE_TRUNCATE && at >= *end))
		return;
	assert_int_equal(install_judge((const char *)p, len, &subject.pub,
			     &ours.pub, 1, NOW),
	    AAD_EREFUSED);
}

static void
II_L10_nothing_damaged(void **state)
{
	struct given g;
	char *line;
	size_t end;

	(void)state;
	give(&g);
	line = line_of(&g, "x");
	end = (size_t)(strrchr(line, ' ') - line);
	mutate_walk(line, strlen(line), judge_damaged_line, &end);
	free(line);
}

static void
no_memory_replaces_nothing(void **state)
{
	struct given g;
	unsigned int i;
	char *line;
	int r;

	(void)state;
	give(&g);
	line = line_of(&g, NULL);
	for (i = 1;; i++) {
		fault_arm(FAULT_ALLOC, i, ENOMEM);
		r = install_judge(line, strlen(line), &subject.pub, &ours.pub,
		    1, NOW);
		if (!fault_disarm())
			break;
		assert_int_equal(r, AAD_ENOMEM);
	}
	assert_int_equal(r, 0);
	free(line);
}

/* ---- files ---------------------------------------------------------- */

static void
path_of(const char *name, char out[static PATH_MAX])
{
	snprintf(out, PATH_MAX, "%s/%s", dir, name);
}

static void
write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static bool
file_is(const char *path, const char *text)
{
	char *got;
	size_t len;
	bool same;

	if (keyfile_slurp(path, CA_PUB_MAX, &got, &len) != 0)
		return false;
	same = len == strlen(text) && memcmp(got, text, len) == 0;
	free(got);
	return same;
}

static enum reason
install(struct given *g, const char *path)
{
	static struct ca_app app;
	struct cert c = made(g);
	enum reason why = install_file(&app, path, &c, &ours.pub, 1, NOW);

	cert_release(&c);
	return why;
}

static void
II_L10_files(void **state)
{
	char path[PATH_MAX], to[PATH_MAX], *line;
	struct stat sb;
	struct given g;

	(void)state;
	give(&g);
	line = line_of(&g, "aadssh-ca 7");
	path_of("id-cert.pub", path);
	path_of("elsewhere", to);
	umask(0);
	assert_int_equal(install(&g, path), AAD_R_ALLOWED);
	umask(077);
	assert_true(file_is(path, line));
	assert_int_equal(stat(path, &sb), 0);
	assert_int_equal(sb.st_mode & 07777, 0644);
	assert_int_equal(install(&g, path), AAD_R_ALLOWED);
	assert_true(file_is(path, line));
	/* a link, even to one of ours */
	assert_int_equal(rename(path, to), 0);
	assert_int_equal(symlink(to, path), 0);
	assert_int_equal(install(&g, path), AAD_R_CERT_FILE);
	assert_int_equal(unlink(path), 0);
	assert_true(file_is(to, line));
	assert_int_equal(symlink("nowhere", path), 0);
	assert_int_equal(install(&g, path), AAD_R_CERT_FILE);
	assert_int_equal(unlink(path), 0);
	/* a pipe, a directory, somebody's file */
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(install(&g, path), AAD_R_CERT_FILE);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(install(&g, path), AAD_R_CERT_FILE);
	assert_int_equal(rmdir(path), 0);
	write_file(path, "mine\n");
	assert_int_equal(install(&g, path), AAD_R_CERT_FILE);
	assert_true(file_is(path, "mine\n"));
	assert_int_equal(unlink(path), 0);
	path_of("none/id-cert.pub", path);
	assert_int_equal(install(&g, path), AAD_R_DISK);
	assert_int_equal(unlink(to), 0);
	free(line);
}

/* Whichever call fails, the file is the old one or the new one. */
static void
II_L10_whole_or_not(void **state)
{
	char path[PATH_MAX], *before, *after;
	struct given g, newer;
	enum reason why;
	unsigned int i;

	(void)state;
	give(&g);
	give(&newer);
	newer.spec.serial = 8;
	before = line_of(&g, "aadssh-ca 7");
	after = line_of(&newer, "aadssh-ca 8");
	path_of("id-cert.pub", path);
	for (i = 1;; i++) {
		write_file(path, before);
		fault_arm(FAULT_SYSCALL, i, EIO);
		why = install(&newer, path);
		if (!fault_disarm())
			break;
		assert_true(file_is(path, before) || file_is(path, after));
		assert_true(why == AAD_R_DISK || why == AAD_R_CERT_FILE);
	}
	assert_int_equal(why, AAD_R_ALLOWED);
	assert_true(i > 4);
	assert_true(file_is(path, after));
	assert_int_equal(unlink(path), 0);
	free(before);
	free(after);
}

/* ---- what is published on this host ---------------------------------- */

/* A publication of ours, with one authority and a list of nothing. */
struct host {
	struct conf conf;
	struct ca_app app;
	char state[PATH_MAX], public[PATH_MAX];
};

static void
published(struct host *h, const char *name, const void *p, size_t len)
{
	char path[PATH_MAX];
	FILE *f;

	assert_true(snprintf(path, sizeof(path), "%s/4/%s", h->public, name) <
		    (int)sizeof(path));
	assert_non_null(f = fopen(path, "w"));
	assert_int_equal(fwrite(p, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, 0644), 0);
}

static void
published_keys(struct host *h, const char *name, const struct key *k)
{
	char *line;

	assert_int_equal(key_line(k, NULL, &line), 0);
	published(h, name, line, strlen(line));
	free(line);
}

/* serial: of ours, 0 for none; hash: of a key, or NULL. */
static void
published_list(struct host *h, uint64_t serial, const struct key *revoked)
{
	struct krl_range range = { serial, serial };
	struct krl_ca ca = { ours.pub.blob, ours.pub.blob_len, &range,
		serial != 0, NULL, 0 };
	uint8_t hash[1][32], *p;
	struct krl_spec s = { .cas = &ca,
		.ncas = 1,
		.key_hashes = (const uint8_t(*)[32])hash,
		.nkey_hashes = revoked != NULL };
	size_t len;

	if (revoked != NULL)
		memcpy(hash[0], revoked->hash, 32);
	assert_int_equal(krl_encode(&s, &p, &len), 0);
	published(h, "krl", p, len);
	free(p);
}

static void
host_begin(struct host *h)
{
	char path[PATH_MAX];

	memset(h, 0, sizeof(*h));
	path_of("state", h->state);
	path_of("public", h->public);
	h->conf.dir = h->state;
	h->conf.publish_dir = h->public;
	h->app.conf = &h->conf;
	umask(022);
	assert_int_equal(mkdir(h->state, 0755), 0);
	assert_int_equal(mkdir(h->public, 0755), 0);
	path_of("public/4", path);
	assert_int_equal(mkdir(path, 0755), 0);
	path_of("public/current", path);
	assert_int_equal(symlink("4", path), 0);
	published_keys(h, "user_ca.pub", &ours.pub);
	published_keys(h, "host_ca.pub", &host_ca.pub);
	published_list(h, 0, NULL);
}

static void
host_end(void)
{
	char path[PATH_MAX];

	path_of("state", path);
	assert_int_equal(scratch_remove(path), 0);
	path_of("public", path);
	assert_int_equal(scratch_remove(path), 0);
}

static void
expect_trust(struct host *h, enum cert_type type, enum reason want,
    const struct key *k)
{
	struct trust t;

	assert_int_equal(trust_load(&h->app, type, &t), want);
	assert_int_equal(t.n, k != NULL);
	if (k != NULL)
		assert_memory_equal(t.cas[0].hash, k->hash, 32);
	trust_release(&t);
	assert_int_equal(t.n, 0);
}

static void
who_is_trusted(void **state)
{
	char path[PATH_MAX], *text;
	struct host h;

	(void)state;
	host_begin(&h);
	expect_trust(&h, CERT_USER, AAD_R_ALLOWED, &ours.pub);
	expect_trust(&h, CERT_HOST, AAD_R_ALLOWED, &host_ca.pub);
	assert_non_null(text = trust_text(&h.app, "user_ca.pub"));
	assert_non_null(strstr(text, "ssh-ed25519 "));
	free(text);
	assert_null(trust_text(&h.app, "none.pub"));
	published(&h, "user_ca.pub", "# none\n", 7);
	expect_trust(&h, CERT_USER, AAD_R_PUBLICATION, NULL);
	assert_non_null(strstr(h.app.detail, "no key of the authority signs"));
	published(&h, "user_ca.pub", "junk\n", 5);
	expect_trust(&h, CERT_USER, AAD_R_PUBLICATION, NULL);
	assert_non_null(strstr(h.app.detail, "not a list of keys"));
	published_keys(&h, "user_ca.pub", &ours.pub);
	path_of("public/4/user_ca.pub", path);
	assert_int_equal(chmod(path, 0664), 0);
	expect_trust(&h, CERT_USER, AAD_R_PUBLICATION, NULL);
	assert_int_equal(chmod(path, 0644), 0);
	if (geteuid() == 0) {
		assert_int_equal(chown(path, 4242, 0), 0);
		expect_trust(&h, CERT_USER, AAD_R_PUBLICATION, NULL);
		assert_null(trust_text(&h.app, "user_ca.pub"));
		assert_int_equal(chown(path, 0, 0), 0);
	}
	path_of("public/current", path);
	assert_int_equal(unlink(path), 0);
	expect_trust(&h, CERT_USER, AAD_R_PUBLICATION, NULL);
	assert_int_equal(symlink("../public/4", path), 0);
	expect_trust(&h, CERT_USER, AAD_R_PUBLICATION, NULL);
	assert_int_equal(chmod(h.state, 0775), 0);
	expect_trust(&h, CERT_USER, AAD_R_STATE_OWNER, NULL);
	assert_null(trust_text(&h.app, "host_ca.pub"));
	assert_int_equal(rmdir(h.state), 0);
	expect_trust(&h, CERT_USER, AAD_R_NO_CA, NULL);
	host_end();
}

/* The list decides; one that can't be read revokes nothing here. */
static void
what_is_revoked(void **state)
{
	const struct {
		uint64_t serial;
		const struct key *key;
		bool revoked, over;
	} cases[] = {
		{ 0, NULL, false, false },
		{ 8, NULL, false, false },
		{ 7, NULL, true, false },
		{ 0, &subject.pub, true, false },
		{ 0, &other.pub, false, false },
		{ 0, &ours.pub, true, true },
	};
	char path[PATH_MAX], *line;
	struct given g;
	struct cert c;
	struct host h;
	size_t i;

	(void)state;
	host_begin(&h);
	give(&g);
	c = made(&g);
	line = line_of(&g, "x");
	path_of("id-cert.pub", path);
	write_file(path, line);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		published_list(&h, cases[i].serial, cases[i].key);
		if (trust_revoked(&h.app, &c) != cases[i].revoked ||
		    trust_over(&h.app, path) != cases[i].over)
			fail_msg("row %zu", i);
	}
	write_file(path, "junk\n");
	assert_false(trust_over(&h.app, path));
	assert_int_equal(unlink(path), 0);
	assert_false(trust_over(&h.app, path));
	published(&h, "krl", "junk", 4);
	assert_false(trust_revoked(&h.app, &c));
	host_end();
	assert_false(trust_revoked(&h.app, &c));
	cert_release(&c);
	free(line);
}

/* A certificate of ours whose authority was revoked may be replaced, though
 * it has not ended; asking first says the same as writing. */
static void
II_L10_a_revoked_authority(void **state)
{
	const struct {
		const char *comment;
		const struct key *revoked;
		enum reason why;
	} cases[] = {
		{ "aadssh-ca 7", NULL, AAD_R_CERT_FILE },
		{ "aadssh-ca 7", &other.pub, AAD_R_CERT_FILE },
		{ "mine", &ours.pub, AAD_R_CERT_FILE },
		{ "aadssh-ca 7", &ours.pub, AAD_R_ALLOWED },
	};
	char path[PATH_MAX], *line;
	struct given g, next;
	struct cert c;
	struct host h;
	size_t i;

	(void)state;
	host_begin(&h);
	give(&g);
	give(&next);
	next.by = &foreign;
	c = made(&next);
	path_of("id-cert.pub", path);
	assert_int_equal(install_may(&h.app, path, &subject.pub, &foreign.pub,
			     1, NOW),
	    AAD_R_ALLOWED);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		line = line_of(&g, cases[i].comment);
		write_file(path, line);
		published_list(&h, 0, cases[i].revoked);
		h.app.detail[0] = '\0';
		if (install_may(&h.app, path, &subject.pub, &foreign.pub, 1,
			NOW) != cases[i].why)
			fail_msg("row %zu, asked", i);
		assert_int_equal(h.app.detail[0] == '\0',
		    cases[i].why == AAD_R_ALLOWED);
		if (install_file(&h.app, path, &c, &foreign.pub, 1, NOW) !=
		    cases[i].why)
			fail_msg("row %zu, written", i);
		assert_int_equal(file_is(path, line),
		    cases[i].why != AAD_R_ALLOWED);
		free(line);
	}
	assert_int_equal(unlink(path), 0);
	path_of("none/id-cert.pub", path);
	assert_int_equal(install_may(&h.app, path, &subject.pub, &foreign.pub,
			     1, NOW),
	    AAD_R_DISK);
	cert_release(&c);
	host_end();
}

static void
key_choice(void **state)
{
	static const char *const order[] = { "id_ecdsa_sk", "id_ed25519_sk",
		"id_rsa", "id_ecdsa", "id_ed25519" };
	char path[PATH_MAX], got[PATH_MAX], name[64];
	size_t i;

	(void)state;
	assert_int_equal(keyfile_choose(dir, got), AAD_ENOENT);
	path_of(".ssh", path);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(keyfile_choose(dir, got), AAD_ENOENT);
	assert_string_equal(got, "");
	path_of(".ssh/id_dsa.pub", path);
	write_file(path, "x");
	path_of(".ssh/id_ed25519", path);
	write_file(path, "x");
	assert_int_equal(keyfile_choose(dir, got), AAD_ENOENT);
	for (i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		snprintf(name, sizeof(name), ".ssh/%s.pub", order[i]);
		path_of(name, path);
		write_file(path, "x");
		assert_int_equal(keyfile_choose(dir, got), 0);
		assert_string_equal(got, path);
	}
	/* NB. a directory of that name is no key. */
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(keyfile_choose(dir, got), 0);
	assert_non_null(strstr(got, "id_ecdsa.pub"));
}

static void
key_paths(void **state)
{
	static const char *const none[] = { "", ".pub", "id", "a/.pub",
		"id.pub/", "id.PUB", "pub" };
	char out[PATH_MAX], longest[PATH_MAX + 8];
	size_t i;

	(void)state;
	assert_int_equal(keyfile_cert_path("a/id.pub", out), 0);
	assert_string_equal(out, "a/id-cert.pub");
	assert_int_equal(keyfile_private_path("a/id.pub", out), 0);
	assert_string_equal(out, "a/id");
	for (i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		assert_int_equal(keyfile_cert_path(none[i], out), AAD_EARG);
		assert_string_equal(out, "");
	}
	memset(longest, 'a', sizeof(longest));
	memcpy(longest + PATH_MAX - 6, ".pub", 5);
	assert_int_equal(keyfile_cert_path(longest, out), AAD_ETOOBIG);
}

static void
key_files(void **state)
{
	char path[PATH_MAX], *buf;
	enum reason why;
	struct key k;
	size_t len;

	(void)state;
	path_of("f", path);
	assert_int_equal(keyfile_slurp(path, 4, &buf, &len), AAD_ENOENT);
	assert_int_equal(keyfile_read(path, &k, &why), AAD_ENOENT);
	write_file(path, "12345");
	assert_int_equal(keyfile_slurp(path, 4, &buf, &len), AAD_ETOOBIG);
	assert_null(buf);
	assert_int_equal(keyfile_slurp(path, 5, &buf, &len), 0);
	assert_int_equal(len, 5);
	assert_string_equal(buf, "12345");
	free(buf);
	assert_int_equal(keyfile_read(path, &k, &why), AAD_EREFUSED);
	assert_int_equal(why, AAD_R_KEY_MALFORMED);
	assert_int_equal(keyfile_slurp(dir, 5, &buf, &len), AAD_ESYS);
	assert_int_equal(unlink(path), 0);
}

static void
key_lists(void **state)
{
	char *one, *two, text[1024];
	struct key *keys;
	unsigned int i;
	size_t n;
	int r;

	(void)state;
	assert_int_equal(key_line(&ours.pub, NULL, &one), 0);
	assert_int_equal(key_line(&foreign.pub, NULL, &two), 0);
	snprintf(text, sizeof(text), "%s%.*s aadssh-ca user retired\n", one,
	    (int)strlen(two) - 1, two);
	assert_int_equal(keyfile_parse_list(text, strlen(text), &keys, &n), 0);
	assert_int_equal(n, 2);
	assert_memory_equal(keys[0].hash, ours.pub.hash, 32);
	assert_memory_equal(keys[1].hash, foreign.pub.hash, 32);
	keyfile_free_list(keys, n);
	for (i = 1;; i++) {
		fault_arm(FAULT_ALLOC, i, ENOMEM);
		r = keyfile_parse_list(text, strlen(text), &keys, &n);
		if (!fault_disarm())
			break;
		assert_int_equal(r, AAD_ENOMEM);
		assert_null(keys);
		assert_int_equal(n, 0);
	}
	assert_int_equal(r, 0);
	keyfile_free_list(keys, n);
	/* One bad line spoils it: nobody trusts half a list. */
	snprintf(text, sizeof(text), "%s\n%s", one, two);
	assert_int_equal(keyfile_parse_list(text, strlen(text), &keys, &n),
	    AAD_EFORMAT);
	assert_null(keys);
	assert_int_equal(keyfile_parse_list("# no key\n", 9, &keys, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(keyfile_parse_list("", 0, &keys, &n), 0);
	assert_int_equal(n, 0);
	free(one);
	free(two);
}

/* ---- the command line and what is shown ----------------------------- */

static void
comma_lists(void **state)
{
	const char *out[CA_LIST_MAX];
	char good[] = "a,b,c", one[] = "a", none[] = "", twice[] = "a,,b",
	     behind[] = "a,", front[] = ",a", many[2 * CA_LIST_MAX + 2];
	size_t n = 0;

	(void)state;
	assert_int_equal(ca_split(good, out, &n), 0);
	assert_int_equal(n, 3);
	assert_string_equal(out[2], "c");
	/* The same option again adds to it. */
	assert_int_equal(ca_split(one, out, &n), 0);
	assert_int_equal(n, 4);
	assert_string_equal(out[2], "c");
	assert_string_equal(out[3], "a");
	assert_int_equal(ca_split(none, out, &n), AAD_EFORMAT);
	assert_int_equal(ca_split(twice, out, &n), AAD_EFORMAT);
	assert_int_equal(ca_split(behind, out, &n), AAD_EFORMAT);
	assert_int_equal(ca_split(front, out, &n), AAD_EFORMAT);
	for (n = 0; n < sizeof(many) - 1; n++)
		many[n] = n % 2 == 0 ? 'a' : ',';
	many[sizeof(many) - 1] = '\0';
	n = 0;
	assert_int_equal(ca_split(many, out, &n), AAD_ETOOBIG);
}

static void
csv_fields(void **state)
{
	static const struct {
		const char *in, *out;
	} t[] = {
		{ "", "" },
		{ "alice@contoso.com", "alice@contoso.com" },
		{ "a, b", "\"a, b\"" },
		{ "say \"x\"", "\"say \"\"x\"\"\"" },
		{ "a\nb", "\"a\nb\"" },
		{ " a", "\" a\"" },
		{ "a ", "\"a \"" },
		{ "=1+1", "\"'=1+1\"" },
		{ "+1", "\"'+1\"" },
		{ "-1", "\"'-1\"" },
		{ "@x", "\"'@x\"" },
		{ "\tx", "\"'\tx\"" },
		{ "=cmd|'/c \"x\"'!A1", "\"'=cmd|'/c \"\"x\"\"'!A1\"" },
		{ "a=1", "a=1" },
	};
	char out[ROWS_CSV_MAX];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		rows_csv(t[i].in, out);
		assert_string_equal(out, t[i].out);
	}
}

#define LONGEST                                                                \
	"abcdefghijklmnopqrstuvwxyzabcdef@abcdefghijklmnopqrstuvwxyzabcdef"

static void
values_shown(void **state)
{
	json_t *o = json_pack("{s:s s:[s,s] s:i s:b s:n s:{}}", "s",
	    "a\033[31m\n", "l", "a", "b", "n", 7, "b", 1, "z", "o");
	json_t *many = json_array();
	char text[ROWS_TEXT_MAX];
	int i;

	(void)state;
	assert_string_equal(rows_text(o, "s", text), "a?[31m ");
	assert_string_equal(rows_text(o, "l", text), "a, b");
	assert_string_equal(rows_text(o, "n", text), "7");
	assert_string_equal(rows_text(o, "b", text), "yes");
	assert_string_equal(rows_text(o, "z", text), "");
	assert_string_equal(rows_text(o, "o", text), "");
	assert_string_equal(rows_text(o, "none", text), "");
	assert_string_equal(rows_text(NULL, "none", text), "");
	/* The most and longest principals that a certificate may list. */
	for (i = 0; i < 256; i++)
		json_array_append_new(many, json_string(LONGEST));
	json_object_set_new(o, "many", many);
	rows_text(o, "many", text);
	assert_int_equal(strlen(text), 256 * (sizeof(LONGEST) - 1 + 2) - 2);
	for (i = 0; i < 3000; i++)
		json_array_append_new(many, json_string(LONGEST));
	rows_text(o, "many", text);
	assert_true(strlen(text) < ROWS_TEXT_MAX);
	json_decref(o);
}

static int
set_up(void **state)
{
	(void)state;
	if (sodium_init() == -1)
		return -1;
	key_of(1, &ours);
	key_of(2, &foreign);
	key_of(3, &host_ca);
	key_of(4, &subject);
	key_of(5, &other);
	snprintf(dir, sizeof(dir), "/tmp/test_ca.XXXXXX");
	return mkdtemp(dir) == NULL ? -1 : 0;
}

static int
tear_down(void **state)
{
	char command[128];

	(void)state;
	privkey_release(&ours);
	privkey_release(&foreign);
	privkey_release(&host_ca);
	privkey_release(&subject);
	privkey_release(&other);
	snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	return system(command);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(valid_reply),
		cmocka_unit_test(valid_reply_of_the_second),
		cmocka_unit_test(II_L9_someone_elses_key),
		cmocka_unit_test(II_L9_host_type),
		cmocka_unit_test(II_L9_foreign_authority),
		cmocka_unit_test(II_L9_longer_than_asked),
		cmocka_unit_test(II_L9_other_times),
		cmocka_unit_test(II_L9_more_principals),
		cmocka_unit_test(II_L9_unknown_critical_option),
		cmocka_unit_test(II_L9_options_by_hand),
		cmocka_unit_test(II_L9_wider_source),
		cmocka_unit_test(valid_host_reply),
		cmocka_unit_test(damaged_reply),
		cmocka_unit_test(no_memory_is_no_yes),
		cmocka_unit_test(fresh_or_not),
		cmocka_unit_test(fresh_for_the_own_login),
		cmocka_unit_test(II_L10_replaces_its_own),
		cmocka_unit_test(II_L10_nothing_else),
		cmocka_unit_test(II_L10_nothing_damaged),
		cmocka_unit_test(no_memory_replaces_nothing),
		cmocka_unit_test(II_L10_files),
		cmocka_unit_test(II_L10_whole_or_not),
		cmocka_unit_test(who_is_trusted),
		cmocka_unit_test(what_is_revoked),
		cmocka_unit_test(II_L10_a_revoked_authority),
		cmocka_unit_test(key_choice),
		cmocka_unit_test(key_paths),
		cmocka_unit_test(key_files),
		cmocka_unit_test(key_lists),
		cmocka_unit_test(comma_lists),
		cmocka_unit_test(csv_fields),
		cmocka_unit_test(values_shown),
	};

	return cmocka_run_group_tests_name("ca", tests, set_up, tear_down);
}
