/* SPDX-License-Identifier: ISC */

/*
 * cmd/pam_aadssh: the parts that need no sshd.  What does is in
 * test/e2e/pam_module.sh and pam_hostile.sh.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/pam_aadssh/account.h"
#include "cmd/pam_aadssh/clean.h"
#include "cmd/pam_aadssh/header.h"
#include "cmd/pam_aadssh/kernel.h"
#include "cmd/pam_aadssh/named.h"
#include "cmd/pam_aadssh/options.h"
#include "cmd/pam_aadssh/registry.h"
#include "cmd/pam_aadssh/relay.h"
#include "host/denial.h"
#include "host/session.h"
#include "test/unit/fault.h"
#include "test/unit/mutate.h"
#include "test/unit/unit.h"

#define NOW 1795514400
#define OID "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"

/* A state directory, and RUN beside it, for one test. */
struct world {
	char base[64], state[80], run[80], denial[128];
	struct cache cache;
};

static int
setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	enum reason why;

	assert_non_null(w);
	snprintf(w->base, sizeof(w->base), "/tmp/test_pam.XXXXXX");
	assert_non_null(mkdtemp(w->base));
	snprintf(w->state, sizeof(w->state), "%s/state", w->base);
	snprintf(w->run, sizeof(w->run), "%s/run", w->base);
	snprintf(w->denial, sizeof(w->denial), "%s/denials/login/alice",
	    w->state);
	assert_int_equal(mkdir(w->run, 0755), 0);
	assert_int_equal(cache_open_write(w->state, geteuid(), &w->cache, &why),
	    0);
	*state = w;
	return 0;
}

static int
teardown(void **state)
{
	struct world *w = *state;
	char command[128];

	cache_close(&w->cache);
	snprintf(command, sizeof(command), "rm -rf %s", w->base);
	assert_int_equal(system(command), 0);
	free(w);
	return 0;
}

/* ---- options ----------------------------------------------------------- */

static bool
parsed(const char *arg, struct options *o)
{
	const char *argv[] = { arg }, *bad = NULL;
	bool ok = options_parse(1, argv, o, &bad);

	if (!ok)
		assert_ptr_equal(bad, arg);
	return ok;
}

static void
valid_options(void **state)
{
	struct options o;
	const char *bad;

	(void)state;
	assert_true(options_parse(0, NULL, &o, &bad));
	assert_string_equal(o.conf, "/etc/aadssh/aadssh.conf");
	assert_string_equal(o.state, "/var/lib/aadssh");
	assert_string_equal(o.run, "/run/aadssh");
	assert_int_equal(o.timeout_ms, 270000);
	assert_true(parsed("conf=/a", &o));
	assert_string_equal(o.conf, "/a");
	assert_true(parsed("state=/b", &o));
	assert_string_equal(o.state, "/b");
	assert_true(parsed("run=/c", &o));
	assert_string_equal(o.run, "/c");
	assert_true(parsed("timeout=1", &o));
	assert_int_equal(o.timeout_ms, 1000);
	assert_true(parsed("timeout=90s", &o));
	assert_int_equal(o.timeout_ms, 90000);
	assert_true(parsed("timeout=4m", &o));
	assert_int_equal(o.timeout_ms, 240000);
	assert_true(parsed("timeout=24h", &o));
	assert_int_equal(o.timeout_ms, 86400000);
}

static void
wrong_options(void **state)
{
	static const char *const wrong[] = { "", "=", "debug", "conf",
		"conf=", "conf=a", "conf=/a\n", "Conf=/a", "confx=/a",
		"state=.", "run=", "timeout=", "timeout=0", "timeout=0s",
		"timeout=-1", "timeout=1d", "timeout=1ss", "timeout= 1",
		"timeout=25h", "timeout=86401", "timeout=1441m",
		"timeout=9999999", "timeout=99999999999999999999",
		"min_uid=1000", "use_first_pass" };
	struct options o;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (parsed(wrong[i], &o))
			fail_msg("\"%s\" is taken", wrong[i]);
}

/* ---- text -------------------------------------------------------------- */

static void
clean_utf8(void **state)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{ "", "" },
		{ "plain ~", "plain ~" },
		{ "\x1b[2J\t\r\n\x7f", "?[2J????" },
		{ "\xe2\x96\x88\xe2\x96\x84", "\xe2\x96\x88\xe2\x96\x84" },
		{ "J\xc3\xbcrgen \xf0\x90\x80\x80",
		    "J\xc3\xbcrgen \xf0\x90\x80\x80" },
		/* C1 controls, also bare */
		{ "\xc2\x9b"
		  "1m",
		    "?1m" },
		{ "\x9b"
		  "1m",
		    "?1m" },
		/* directions, joiners, a byte order mark, a tag */
		{ "a\xe2\x80\xae"
		  "b\xe2\x81\xa6\xe2\x80\x8d\xef\xbb\xbf",
		    "a?b???" },
		{ "\xf3\xa0\x81\x81", "?" },
		/* overlong, surrogates, above U+10FFFF, cut, stray */
		{ "\xc0\x8a", "??" },
		{ "\xe0\x80\x8a", "???" },
		{ "\xed\xa0\x80", "?" },
		{ "\xf4\x90\x80\x80", "????" },
		{ "\xf8\x88\x80\x80\x80", "?????" },
		{ "\xe2\x96", "??" },
		{ "\xe2\x96x", "??x" },
		{ "\x80", "?" },
	};
	char out[64];
	size_t i, n;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		n = clean_text(rows[i].in, strlen(rows[i].in), out,
		    sizeof(out));
		assert_string_equal(out, rows[i].out);
		assert_int_equal(n, strlen(rows[i].out));
	}
	assert_int_equal(clean_text("a\0b", 3, out, sizeof(out)), 3);
	assert_string_equal(out, "a?b");
}

/* A sequence that does not fit is left out whole; nothing is overrun. */
static void
clean_bounds(void **state)
{
	static const char text[] = "ab\xe2\x96\x88"
				   "c";
	char *out;
	size_t n, i;

	(void)state;
	for (n = 1; n < 10; n++) {
		assert_non_null(out = malloc(n));
		i = clean_text(text, strlen(text), out, n);
		assert_int_equal(i, strlen(out));
		assert_true(i < n);
		assert_true(strncmp(out, text, i) == 0);
		assert_true(i != 3 && i != 4);
		free(out);
	}
}

static void
clean_grammars(void **state)
{
	uint64_t n;
	char out[8];

	(void)state;
	assert_true(clean_login("alice"));
	assert_true(clean_login("_a.B-9"));
	assert_true(clean_login("a2345678901234567890123456789012"));
	assert_false(clean_login("a23456789012345678901234567890123"));
	assert_false(clean_login(""));
	assert_false(clean_login("-x"));
	assert_false(clean_login(".."));
	assert_false(clean_login("9a"));
	assert_false(clean_login("a/b"));
	assert_false(clean_login("a b"));
	assert_true(clean_guid(OID));
	assert_false(clean_guid("AAAAAAAA-bbbb-4ccc-8ddd-eeeeeeeeeeee"));
	assert_false(clean_guid("aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeee"));
	assert_false(clean_guid(OID "0"));
	assert_false(clean_guid("aaaaaaaa+bbbb-4ccc-8ddd-eeeeeeeeeeee"));
	assert_true(clean_fingerprint(
	    "SHA256:0123456789012345678901234567890123456789010"));
	assert_false(clean_fingerprint("SHA256:"));
	assert_false(clean_fingerprint("SHA25"));
	assert_false(clean_fingerprint(
	    "SHA256:012345678901234567890123456789012345678901="));
	assert_true(clean_number("18446744073709551615", UINT64_MAX, &n));
	assert_true(n == UINT64_MAX);
	assert_false(clean_number("18446744073709551616", UINT64_MAX, &n));
	assert_false(clean_number("11", 10, &n));
	assert_true(clean_number("0", 0, &n));
	assert_false(clean_number("", 10, &n));
	assert_false(clean_number("+1", 10, &n));
	clean_answer("a\x01\xc3\xbc"
		     "bcdefghijk",
	    out, sizeof(out));
	assert_string_equal(out, "abcdefg");
	clean_ascii("a\x01\xc3\xbc"
		    "bcdefghijk",
	    out, sizeof(out));
	assert_string_equal(out, "a???bcd");
}

/* sshd gives as many of these bytes as were typed (auth-pam.c). */
static void
junk_answers(void **state)
{
	static const char junk[] = "\b\n\r\177INCORRECT\b\n\r\177INCORRECT\b\n";
	char text[sizeof(junk)];
	size_t n;

	(void)state;
	for (n = 1; n < sizeof(junk); n++) {
		memcpy(text, junk, n);
		text[n] = '\0';
		assert_true(relay_junk(text));
		text[n - 1] = 'x';
		assert_false(relay_junk(text));
	}
	assert_false(relay_junk(""));
	assert_false(relay_junk("1"));
	assert_false(relay_junk("INCORRECT"));
}

/* ---- the kernel's word ------------------------------------------------- */

static void
start_of_a_process(void **state)
{
	static const char rest[] = " S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 "
				   "17 18 166440 20 21\n";
	char text[256];
	int64_t start, self;

	(void)state;
	snprintf(text, sizeof(text), "42 (sshd)%s", rest);
	assert_true(kernel_start_parse(text, &start));
	assert_int_equal(start, 166440);
	/* a name that looks like the fields behind it */
	snprintf(text, sizeof(text), "42 (a) R 9 9 9 9 9 9 9 9 (b))%s", rest);
	assert_true(kernel_start_parse(text, &start));
	assert_int_equal(start, 166440);
	assert_false(kernel_start_parse("", &start));
	assert_false(kernel_start_parse("42 (sshd", &start));
	assert_false(kernel_start_parse("42 (sshd) S 1 2 3", &start));
	assert_int_equal(start, 0);
	assert_false(
	    kernel_start_parse("42 (sshd) S 1 2 3 4 5 6 7 8 9 10 11 12 "
			       "13 14 15 16 17 18 -5 20",
		&start));
	assert_true(kernel_start(getpid(), &self));
	assert_true(self > 0);
	assert_false(kernel_start(-1, &self));
}

static void
title_of_a_process(void **state)
{
	(void)state;
	assert_true(kernel_titled(""));
	assert_true(kernel_titled("test_pam"));
	assert_false(kernel_titled("test_pa"));
	assert_false(kernel_titled(": unknown [pam]"));
}

static void
addresses(void **state)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{ "192.0.2.7 50000 10.0.0.1 22", "192.0.2.7" },
		{ "2001:db8::1 1 ::1 22", "2001:db8::1" },
		{ "fe80::1%eth0 1 ::1 22", "fe80::1%eth0" },
		{ "fe80::1%e\x1b 1 ::1 22", "" },
		{ "::ffff:192.0.2.7", "::ffff:192.0.2.7" },
		{ "UNKNOWN 65535 UNKNOWN 65535", "" },
		{ "host.example.test", "" },
		{ "192.0.2.7%eth0", "" },
		{ "192.0.2", "" },
		{ "", "" },
		{ " 192.0.2.7", "" },
		{ "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000"
		  ":0000",
		    "" },
	};
	char out[KERNEL_ADDRESS_LEN];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		kernel_address(rows[i].in, out);
		assert_string_equal(out, rows[i].out);
	}
}

/*
 * A connection from client to server address of family af, as sshd has it;
 * name: what SSH_CONNECTION calls the client.
 */
static void
connection(int af, const char *listen_at, const char *connect_to,
    const char *name)
{
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_storage at;
	struct sockaddr *any = (struct sockaddr *)&at;
	socklen_t len = sizeof(at);
	int server, client, conn,
	    off = 0, to = strchr(connect_to, ':') ? AF_INET6 : AF_INET;
	in_port_t port;
	char text[128];

	server = socket(af, SOCK_STREAM, 0);
	if (server == -1 && errno == EAFNOSUPPORT)
		return;
	assert_int_not_equal(server, -1);
	if (af == AF_INET6) {
		setsockopt(server, IPPROTO_IPV6, IPV6_V6ONLY, &off,
		    sizeof(off));
		inet_pton(af, listen_at, &v6.sin6_addr);
		if (bind(server, (struct sockaddr *)&v6, sizeof(v6)) == -1) {
			close(server); /* no IPv6 here */
			return;
		}
	} else {
		inet_pton(af, listen_at, &v4.sin_addr);
		assert_int_equal(bind(server, (struct sockaddr *)&v4,
				     sizeof(v4)),
		    0);
	}
	assert_int_equal(listen(server, 1), 0);
	assert_int_equal(getsockname(server, any, &len), 0);
	port = af == AF_INET6 ? ((struct sockaddr_in6 *)any)->sin6_port
			      : ((struct sockaddr_in *)any)->sin_port;
	client = socket(to, SOCK_STREAM, 0);
	v4.sin_port = v6.sin6_port = port;
	if (to == AF_INET6) {
		inet_pton(to, connect_to, &v6.sin6_addr);
		assert_int_equal(connect(client, (struct sockaddr *)&v6,
				     sizeof(v6)),
		    0);
	} else {
		inet_pton(to, connect_to, &v4.sin_addr);
		assert_int_equal(connect(client, (struct sockaddr *)&v4,
				     sizeof(v4)),
		    0);
	}
	len = sizeof(at);
	assert_int_equal(getsockname(client, any, &len), 0);
	port = to == AF_INET6 ? ((struct sockaddr_in6 *)any)->sin6_port
			      : ((struct sockaddr_in *)any)->sin_port;
	assert_int_not_equal(conn = accept(server, NULL, NULL), -1);

	snprintf(text, sizeof(text), "%s %d 10.0.0.1 22", name, ntohs(port));
	assert_int_equal(kernel_connection(text), conn);
	assert_false(kernel_gone(conn));
	snprintf(text, sizeof(text), "%s %d 10.0.0.1 22", name,
	    ntohs(port) ^ 1);
	assert_int_equal(kernel_connection(text), -1);
	snprintf(text, sizeof(text), "192.0.2.1 %d 10.0.0.1 22", ntohs(port));
	assert_int_equal(kernel_connection(text), -1);
	close(client);
	assert_true(kernel_gone(conn));
	close(conn);
	close(server);
}

static void
the_clients_connection(void **state)
{
	(void)state;
	connection(AF_INET, "127.0.0.1", "127.0.0.1", "127.0.0.1");
	connection(AF_INET6, "::1", "::1", "::1");
	connection(AF_INET6, "::", "127.0.0.1", "127.0.0.1");
	assert_int_equal(kernel_connection(NULL), -1);
	assert_int_equal(kernel_connection(""), -1);
	assert_int_equal(kernel_connection("127.0.0.1"), -1);
	assert_int_equal(kernel_connection("127.0.0.1 99999 x"), -1);
	assert_int_equal(kernel_connection("UNKNOWN 65535 UNKNOWN 65535"), -1);
	assert_false(kernel_gone(-1));
}

/* ---- what the child is told -------------------------------------------- */

static void
headers(void **state)
{
	struct header h = { "alice", 3572, 166440, "192.0.2.7",
		"publickey ssh-ed25519 AAAA\nkeyboard-interactive/pam\n", "tid",
		"oid" };
	char *text, line[HEADER_AUTH_LINE_MAX + 3], many[17 * 2 + 1];
	size_t len, i;

	(void)state;
	assert_non_null(text = header_format(&h, &len));
	assert_string_equal(text,
	    "aadssh-pam 1\nlogin alice\nmonitor 3572 166440\n"
	    "source 192.0.2.7\nauth publickey ssh-ed25519 AAAA\n"
	    "auth keyboard-interactive/pam\nidentity tid oid\n\n");
	assert_int_equal(len, strlen(text));
	free(text);
	h.source = h.oid = "";
	h.auth_info = NULL;
	assert_non_null(text = header_format(&h, &len));
	assert_string_equal(text,
	    "aadssh-pam 1\nlogin alice\nmonitor 3572 166440\n\n");
	free(text);

	memset(line, 'a', sizeof(line));
	line[HEADER_AUTH_LINE_MAX] = '\0';
	h.auth_info = line;
	assert_non_null(text = header_format(&h, &len));
	free(text);
	line[HEADER_AUTH_LINE_MAX] = 'a';
	line[HEADER_AUTH_LINE_MAX + 1] = '\0';
	assert_null(header_format(&h, &len));
	h.auth_info = "publickey a\x1b";
	assert_null(header_format(&h, &len));
	for (i = 0; i < 17; i++)
		memcpy(many + 2 * i, "a\n", 3);
	h.auth_info = many;
	assert_null(header_format(&h, &len));
	h.auth_info = many + 2;
	assert_non_null(text = header_format(&h, &len));
	free(text);
}

/* ---- root only where root's own file names it --------------------------- */

static void
II_P14_root_only_where_the_configuration_names_it(void **state)
{
	static const struct {
		const char *text;
		bool named;
	} rows[] = {
		{ "[login root]\nallow = role:x\n", true },
		{ "[map]\n[login root]  \n", true },
		{ "[map]\n[login root]", true },
		{ "", false },
		{ "[map]\nrequire = role:root\n", false },
		{ "#[login root]\n", false },
		{ " [login root]\n", false },
		{ "[login root] x\n", false },
		{ "[login root2]\n[login roo]\n[login Root]\n", false },
		{ "[login alice]\n", false },
		{ "# x\r[login root]\n", false },
	};
	const struct world *w = *state;
	char path[112], other[112];
	size_t i;
	FILE *f;

	snprintf(path, sizeof(path), "%s/conf", w->base);
	snprintf(other, sizeof(other), "%s/other", w->base);
	assert_false(named_login(path, "root"));
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_non_null(f = fopen(path, "w"));
		assert_int_not_equal(fputs(rows[i].text, f), EOF);
		assert_int_equal(fclose(f), 0);
		assert_int_equal(chmod(path, 0644), 0);
		assert_int_equal(named_login(path, "root"), rows[i].named);
	}
	assert_non_null(f = fopen(path, "w"));
	assert_int_not_equal(fputs("[login root]\n", f), EOF);
	assert_int_equal(fclose(f), 0);
	assert_true(named_login(path, "root"));
	assert_false(named_login(path, "alice"));
	assert_int_equal(symlink(path, other), 0);
	assert_false(named_login(other, "root"));
	assert_int_equal(chmod(path, 0666), 0);
	assert_false(named_login(path, "root"));
	assert_int_equal(truncate(path, NAMED_CONF_MAX + 1), 0);
	assert_int_equal(chmod(path, 0644), 0);
	assert_false(named_login(path, "root"));
}

/* ---- denials: the same answer as the hook's ---------------------------- */

static void
write_denial(const struct world *w, const char *text, size_t len)
{
	FILE *f;

	unlink(w->denial);
	assert_non_null(f = fopen(w->denial, "w"));
	assert_int_equal(fwrite(text, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(w->denial, 0640), 0);
}

static void
same_answer(const struct world *w, const char *login)
{
	enum denial_answer want;

	want = denial_check(&w->cache, DENIAL_LOGIN, login, NOW, NULL);
	assert_int_equal((int)account_judge(w->state, login, NOW), (int)want);
}

static void
denials_as_the_hook_sees_them(void **state)
{
	const struct world *w = *state;
	const struct denial d[] = { { 0, "admin", NOW }, { NOW, "idp", 1 },
		{ NOW - 1, "admin", 0 }, { NOW + 1, "idp", NOW },
		{ INT64_MAX, "admin", 5 } };
	char dir[112], link_to[160];
	size_t i;

	same_answer(w, "alice");
	assert_int_equal(account_judge(w->state, "alice", NOW), ACCOUNT_OPEN);
	for (i = 0; i < sizeof(d) / sizeof(d[0]); i++) {
		assert_int_equal(denial_set(&w->cache, DENIAL_LOGIN, "alice",
				     &d[i]),
		    0);
		same_answer(w, "alice");
		same_answer(w, "bob");
	}
	same_answer(w, "..");
	same_answer(w, "a/b");
	same_answer(w, "");
	snprintf(dir, sizeof(dir), "%s/denials/login", w->state);
	snprintf(link_to, sizeof(link_to), "%s/bob", dir);
	write_denial(w, "1\n{\"v\":1,\"origin\":\"idp\",\"at\":1}\n", 33);
	assert_int_equal(link(w->denial, link_to), 0);
	same_answer(w, "alice");
	unlink(link_to);
	assert_int_equal(chmod(w->denial, 0660), 0);
	same_answer(w, "alice");
	unlink(w->denial);
	assert_int_equal(mkfifo(w->denial, 0640), 0);
	same_answer(w, "alice");
	unlink(w->denial);
	assert_int_equal(symlink("bob", w->denial), 0);
	same_answer(w, "alice");
	unlink(w->denial);
	assert_int_equal(chmod(dir, 0770), 0);
	same_answer(w, "alice");
	assert_int_equal(rmdir(dir), 0);
	same_answer(w, "alice");
	assert_int_equal(account_judge(w->state, "alice", NOW),
	    ACCOUNT_CANNOT_TELL);
	assert_int_equal(account_judge("/nonexistent", "alice", NOW),
	    ACCOUNT_CANNOT_TELL);
}

/* A damaged denial never opens what the hook keeps shut. */
static void
damaged(const uint8_t *p, size_t len, enum mutation how, size_t at, void *arg)
{
	const struct world *w = arg;

	(void)how;
	(void)at;
	write_denial(w, (const char *)p, len);
	if (denial_check(&w->cache, DENIAL_LOGIN, "alice", NOW, NULL) !=
	    DENIAL_NONE)
		assert_int_equal(account_judge(w->state, "alice", NOW),
		    ACCOUNT_DENIED);
}

static void
damaged_denials(void **state)
{
	static const char text[] = "1795514399\n{\"v\":1,\"origin\":\"admin\","
				   "\"at\":1}\n";

	write_denial(*state, text, strlen(text));
	assert_int_equal(account_judge(((struct world *)*state)->state, "alice",
			     NOW),
	    ACCOUNT_OPEN);
	mutate_walk(text, strlen(text), damaged, *state);
}

/* ---- session files ----------------------------------------------------- */

static const struct entry full = {
	.pid = 4194304,
	.start = INT64_MAX,
	.opened = NOW,
	.exe = "/usr/sbin/sshd",
	.login = "alice",
	.source = "2001:db8::1",
	.facts = { .tid = OID,
	    .oid = OID,
	    .upn = "alice@contoso.com = x",
	    .key = "SHA256:0123456789012345678901234567890123456789010",
	    .serial = "18446744073709551615" },
	.method = "publickey",
};

static void
session_files(void **state)
{
	const struct world *w = *state;
	struct entry e, none;
	char path[128];
	struct stat sb;

	memset(&none, 0, sizeof(none));
	assert_false(registry_read(w->run, "42", &e));
	assert_true(registry_remove(w->run, "42"));
	assert_true(registry_write(w->run, "42", &full));
	assert_true(registry_write(w->run, "42", &full));
	snprintf(path, sizeof(path), "%s/sessions/42", w->run);
	assert_int_equal(stat(path, &sb), 0);
	assert_int_equal(sb.st_mode & 07777, 0600);
	assert_true(registry_read(w->run, "42", &e));
	assert_memory_equal(&e, &full, sizeof(e));
	assert_int_equal(chmod(path, 0620), 0);
	assert_false(registry_read(w->run, "42", &e));
	assert_memory_equal(&e, &none, sizeof(e));
	assert_true(registry_remove(w->run, "42"));
	assert_false(registry_read(w->run, "42", &e));
	assert_int_equal(chmod(w->run, 0775), 0);
	assert_false(registry_write(w->run, "42", &full));
}

/* Written whole or not at all, whichever call fails. */
static void
session_file_faults(void **state)
{
	const struct world *w = *state;
	struct entry e;
	char path[128];
	unsigned int k;
	bool ok, hit;

	assert_true(registry_write(w->run, "1", &full));
	snprintf(path, sizeof(path), "%s/sessions/.42.tmp", w->run);
	for (k = 1;; k++) {
		fault_arm(FAULT_SYSCALL, k, ENOSPC);
		ok = registry_write(w->run, "42", &full);
		hit = fault_disarm();
		assert_int_equal(ok, registry_read(w->run, "42", &e));
		assert_true(ok || e.pid == 0);
		if (!hit)
			break;
		registry_remove(w->run, "42");
	}
	assert_true(ok);
	assert_true(k > 5);
	assert_int_equal(access(path, F_OK), -1);
}

static void
facts(void **state)
{
	struct facts f;

	(void)state;
	memset(&f, 0, sizeof(f));
	assert_true(registry_fact("oid " OID, &f));
	assert_string_equal(f.oid, OID);
	assert_true(registry_fact("upn a\x1b\xc3\xbc", &f));
	assert_string_equal(f.upn, "a???");
	assert_true(registry_fact("upn ", &f));
	assert_string_equal(f.upn, "a???");
	assert_true(registry_fact("other x", &f));
	assert_true(registry_fact("", &f));
	assert_true(registry_fact("oid", &f));
	assert_true(registry_fact("oidx y", &f));
	assert_false(registry_fact("oid x", &f));
	assert_false(registry_fact("oid ", &f));
	assert_false(registry_fact("oid  " OID, &f));
	assert_false(registry_fact("tid " OID " ", &f));
	assert_false(registry_fact("key x", &f));
	assert_false(registry_fact("serial -1", &f));
	assert_string_equal(f.oid, OID);
}

/* The readers of session files take what the module writes. */
static void
readable(const struct world *w, const struct entry *e, struct session *s)
{
	int dir;

	assert_true(registry_write(w->run, "42", e));
	assert_int_equal(session_dir_open(w->run, geteuid(), &dir), 0);
	assert_int_equal(session_load(dir, "42.auth", geteuid(), s),
	    AAD_ENOENT);
	assert_true(registry_write(w->run, "42.auth", e));
	assert_int_equal(session_load(dir, "42.auth", geteuid(), s), 0);
	assert_int_equal(session_load(dir, "42", geteuid(), s), 0);
	assert_true(registry_remove(w->run, "42.auth"));
	close(dir);
}

static void
sessions_as_their_readers_see_them(void **state)
{
	struct entry e = full;
	struct session s;

	e.pid = 42;
	readable(*state, &e, &s);
	assert_int_equal(s.start, INT64_MAX);
	assert_int_equal(s.opened, NOW);
	assert_string_equal(s.exe, e.exe);
	assert_string_equal(s.login, e.login);
	assert_string_equal(s.source, e.source);
	assert_string_equal(s.tid, e.facts.tid);
	assert_string_equal(s.oid, e.facts.oid);
	assert_string_equal(s.upn, e.facts.upn);
	assert_string_equal(s.key, e.facts.key);
	assert_true(s.has_serial && s.serial == UINT64_MAX);
	assert_string_equal(s.method, "publickey");
	memset(&e.facts, 0, sizeof(e.facts));
	e.source[0] = '\0';
	readable(*state, &e, &s);
	assert_string_equal(s.upn, "");
}

/* No fact that the module takes hides a session from them. */
static void
damaged_fact(const uint8_t *p, size_t len, enum mutation how, size_t at,
    void *arg)
{
	struct entry e = full;
	struct session s;

	(void)how;
	(void)at;
	(void)len;
	e.pid = 42;
	if (registry_fact((const char *)p, &e.facts))
		readable(arg, &e, &s);
}

static void
damaged_facts(void **state)
{
	static const char *const said[] = {
		"tid " OID,
		"oid " OID,
		"upn alice@contoso.com",
		"key SHA256:0123456789012345678901234567890123456789010",
		"serial 1844674407370955161",
		"serial 10",
		"serial 010",
		"serial 00",
	};
	size_t i;

	for (i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
		damaged_fact((const uint8_t *)said[i], strlen(said[i]), 0, 0,
		    *state);
		mutate_walk(said[i], strlen(said[i]), damaged_fact, *state);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(valid_options),
		cmocka_unit_test(wrong_options),
		cmocka_unit_test(clean_utf8),
		cmocka_unit_test(clean_bounds),
		cmocka_unit_test(clean_grammars),
		cmocka_unit_test(junk_answers),
		cmocka_unit_test(start_of_a_process),
		cmocka_unit_test(title_of_a_process),
		cmocka_unit_test(addresses),
		cmocka_unit_test(the_clients_connection),
		cmocka_unit_test(headers),
		cmocka_unit_test_setup_teardown(
		    II_P14_root_only_where_the_configuration_names_it, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(denials_as_the_hook_sees_them,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(damaged_denials, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(session_files, setup, teardown),
		cmocka_unit_test_setup_teardown(session_file_faults, setup,
		    teardown),
		cmocka_unit_test(facts),
		cmocka_unit_test_setup_teardown(
		    sessions_as_their_readers_see_them, setup, teardown),
		cmocka_unit_test_setup_teardown(damaged_facts, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
