/* SPDX-License-Identifier: ISC */

/*
 * aadssh pam: the header and the lines to and from the module, which key is
 * meant, what the person reads, and the QR code.
 * Names carry the ids of attacks.md where a row is what the test is about.
 */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <qrencode.h>
#include <sodium.h>

#include "cmd/aadssh/keychoice.h"
#include "cmd/aadssh/lines.h"
#include "cmd/aadssh/pamheader.h"
#include "cmd/aadssh/pamui.h"
#include "cmd/aadssh/qr.h"
#include "test/unit/fault.h"
#include "test/unit/mutate.h"
#include "test/unit/unit.h"

#define TID   "5e1f0c3a-7d42-4b19-8c55-0a9be2d41f77"
#define OID   "c2f8a1d6-49b3-4e70-b1f2-83d75c60e9aa"
#define HEAD  "aadssh-pam 1\nlogin alice\nmonitor 3572 166440\n"
#define FROM  "source 192.0.2.7\n"
#define AUTH  "auth publickey ssh-ed25519 AAAA\n"
#define WHO   "identity " TID " " OID "\n"
#define BLANK "\n"

/* ---- the header ------------------------------------------------ */

static int
parse(const char *text, bool session, struct pamheader *h)
{
	return pamheader_parse(text, strlen(text), session, h);
}

static void
valid_header(void **state)
{
	struct pamheader h;

	(void)state;
	assert_int_equal(parse(HEAD FROM BLANK, false, &h), 0);
	assert_string_equal(h.login, "alice");
	assert_int_equal(h.monitor, 3572);
	assert_int_equal(h.start, 166440);
	assert_string_equal(h.source, "192.0.2.7");
	assert_int_equal(h.nauth, 0);
	assert_string_equal(h.oid, "");
	pamheader_release(&h);
	assert_int_equal(parse(HEAD BLANK, true, &h), 0);
	assert_null(h.source);
	pamheader_release(&h);
	assert_int_equal(parse(HEAD FROM AUTH "auth password\n" WHO BLANK, true,
			     &h),
	    0);
	assert_int_equal(h.nauth, 2);
	assert_string_equal(h.auth[0], "publickey ssh-ed25519 AAAA");
	assert_string_equal(h.auth[1], "password");
	assert_string_equal(h.tid, TID);
	assert_string_equal(h.oid, OID);
	pamheader_release(&h);
}

static void
junk_headers(void **state)
{
	static const char *const bad[] = {
		"",
		"\n",
		"aadssh-pam 1\n",
		"aadssh-pam 1\n\n",
		HEAD, /* no blank line */
		HEAD FROM "x",
		HEAD BLANK BLANK,
		HEAD BLANK "more",
		" " HEAD BLANK,
		"aadssh-pam  1\nlogin alice\nmonitor 1 1\n\n",
		"aadssh-pam 1 \nlogin alice\nmonitor 1 1\n\n",
		"aadssh-pam 1\nlogin \nmonitor 1 1\n\n",
		"aadssh-pam 1\nlogin\nmonitor 1 1\n\n",
		"aadssh-pam 1\nlogin a b\nmonitor 1 1\n\n",
		"aadssh-pam 1\nlogin a\tb\nmonitor 1 1\n\n",
		"aadssh-pam 1\nlogin al\xc3\xa9\nmonitor 1 1\n\n",
		"aadssh-pam 1\nmonitor 1 1\nlogin alice\n\n",
		"aadssh-pam 1\nlogin alice\n\n",
		"aadssh-pam 1\nlogin alice\nmonitor 1\n\n",
		"aadssh-pam 1\nlogin alice\nmonitor 0 1\n\n",
		"aadssh-pam 1\nlogin alice\nmonitor -1 1\n\n",
		"aadssh-pam 1\nlogin alice\nmonitor 1 1 1\n\n",
		"aadssh-pam 1\nlogin alice\nmonitor 4194305 1\n\n",
		"aadssh-pam 1\nlogin alice\nmonitor 1 9223372036854775808\n\n",
		"aadssh-pam 1\nlogin alice\nlogin bob\nmonitor 1 1\n\n",
		HEAD FROM FROM BLANK,
		HEAD "source \n" BLANK,
		HEAD "source a b\n" BLANK,
		HEAD "other x\n" BLANK,
		HEAD WHO AUTH BLANK,
		HEAD WHO WHO BLANK,
		HEAD "auth  publickey\n" BLANK,
		HEAD "auth \n" BLANK,
		HEAD "identity " TID "\n" BLANK,
		HEAD "identity " TID " " OID " \n" BLANK,
		HEAD "identity " TID
		     " C2f8a1d6-49b3-4e70-b1f2-83d75c60e9aa\n" BLANK,
	};
	struct pamheader h;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (parse(bad[i], true, &h) != AAD_EFORMAT)
			fail_msg("taken: %s", bad[i]);
		assert_null(h.text);
		assert_null(h.login);
	}
	/* What only a session is told is no part of the other header. */
	assert_int_equal(parse(HEAD AUTH BLANK, false, &h), AAD_EFORMAT);
	assert_int_equal(parse(HEAD WHO BLANK, false, &h), AAD_EFORMAT);
	assert_int_equal(parse("aadssh-pam 2\nlogin alice\nmonitor 1 1\n\n",
			     true, &h),
	    AAD_EVERSION);
	/* A NUL byte ends nothing. */
	assert_int_equal(pamheader_parse(HEAD "\0\n\n", sizeof(HEAD) + 2, true,
			     &h),
	    AAD_EFORMAT);
}

static void
boundary_header(void **state)
{
	static char text[PAMHEADER_MAX + 2], line[PAMHEADER_AUTH_LEN + 64];
	struct pamheader h;
	int i, n;

	(void)state;
	/* One line as long as it may be, and one byte more. */
	for (n = PAMHEADER_AUTH_LEN; n <= PAMHEADER_AUTH_LEN + 1; n++) {
		memset(line, 'x', sizeof(line));
		memcpy(line, "auth ", 5);
		line[5 + n] = '\n';
		line[6 + n] = '\0';
		snprintf(text, sizeof(text), "%s%s\n", HEAD, line);
		assert_int_equal(parse(text, true, &h),
		    n == PAMHEADER_AUTH_LEN ? 0 : AAD_ETOOBIG);
		pamheader_release(&h);
	}
	/* As many lines as there may be, and one more. */
	for (n = PAMHEADER_AUTH_MAX; n <= PAMHEADER_AUTH_MAX + 1; n++) {
		snprintf(text, sizeof(text), "%s", HEAD);
		for (i = 0; i < n; i++)
			strcat(text, "auth x\n");
		strcat(text, "\n");
		assert_int_equal(parse(text, true, &h),
		    n == PAMHEADER_AUTH_MAX ? 0 : AAD_ETOOBIG);
		pamheader_release(&h);
	}
	memset(text, 'x', sizeof(text));
	assert_int_equal(pamheader_parse(text, PAMHEADER_MAX + 1, true, &h),
	    AAD_ETOOBIG);
}

/* Whatever is damaged: no read behind the text, and what is taken is sane. */
static void
mutated(const uint8_t *p, size_t len, enum mutation how, size_t at, void *arg)
{
	struct pamheader h;

	(void)at;
	(void)arg;
	if (pamheader_parse((const char *)p, len, true, &h) != 0) {
		assert_null(h.text);
		return;
	}
	assert_int_equal(how, MUTATE_BIT_FLIP);
	assert_true(strlen(h.login) <= PAMHEADER_LOGIN);
	assert_null(strpbrk(h.login, " \n"));
	assert_true(h.monitor > 0 && h.start >= 0);
	assert_true(h.nauth <= PAMHEADER_AUTH_MAX);
	if (h.oid[0] != '\0')
		assert_true(name_guid_ok(h.tid) && name_guid_ok(h.oid));
	pamheader_release(&h);
}

static void
mutated_headers(void **state)
{
	static const char good[] = HEAD FROM AUTH AUTH WHO BLANK;

	(void)state;
	mutate_walk(good, sizeof(good) - 1, mutated, NULL);
}

static void
header_without_memory(void **state)
{
	struct pamheader h;

	(void)state;
	fault_arm(FAULT_ALLOC, 1, 0);
	assert_int_equal(parse(HEAD BLANK, false, &h), AAD_ENOMEM);
	assert_true(fault_disarm());
	assert_null(h.text);
}

/* ---- lines ------------------------------------------------ */

static volatile sig_atomic_t stop;

/* A child's two ends, and the module's. */
struct wire {
	struct lines lines;
	int to, from; /* the module's: what it writes, what it reads */
	int in, out; /* the child's */
};

static void
wire_open(struct wire *w)
{
	int a[2], b[2];

	assert_int_equal(pipe2(a, O_CLOEXEC), 0);
	assert_int_equal(pipe2(b, O_CLOEXEC), 0);
	/* Room for everything that one conversation may write. */
	assert_true(fcntl(b[1], F_SETPIPE_SZ, 2 * LINES_TOTAL_MAX) > 0);
	w->in = a[0];
	w->to = a[1];
	w->from = b[0];
	w->out = b[1];
	stop = 0;
	lines_init(&w->lines, w->in, w->out, &stop);
}

static void
wire_close(struct wire *w)
{
	lines_release(&w->lines);
	close(w->in);
	close(w->out);
	close(w->from);
	if (w->to != -1)
		close(w->to);
}

static void
tell(const struct wire *w, const char *text)
{
	assert_int_equal(write(w->to, text, strlen(text)), strlen(text));
}

/* Everything that was written since. */
static const char *
heard(const struct wire *w)
{
	static char text[2 * LINES_TOTAL_MAX + 1];
	ssize_t n;

	assert_int_equal(fcntl(w->from, F_SETFL, O_NONBLOCK), 0);
	n = read(w->from, text, sizeof(text) - 1);
	text[n < 0 ? 0 : n] = '\0';
	return text;
}

static void
valid_answers(void **state)
{
	char text[LINES_ANSWER_MAX + 1], *header;
	struct wire w;
	size_t len;

	(void)state;
	wire_open(&w);
	tell(&w, HEAD BLANK "A \nA  2  \nA q");
	assert_int_equal(lines_header(&w.lines, PAMHEADER_MAX, &header, &len),
	    0);
	assert_string_equal(header, HEAD BLANK);
	assert_int_equal(len, strlen(header));
	free(header);
	assert_int_equal(lines_answer(&w.lines, 0, text), 0);
	assert_string_equal(text, "");
	assert_int_equal(lines_answer(&w.lines, 0, text), 0);
	assert_string_equal(text, "2");
	assert_int_equal(lines_answer(&w.lines, 0, text), AAD_ENOENT);
	tell(&w, "\n");
	assert_int_equal(lines_answer(&w.lines, 0, text), 0);
	assert_string_equal(text, "q");
	assert_int_equal(stop, 0);
	close(w.to);
	w.to = -1;
	assert_int_equal(lines_answer(&w.lines, 0, text), AAD_EREFUSED);
	assert_int_equal(stop, 1);
	wire_close(&w);
}

static void
junk_answers(void **state)
{
	static const char *const bad[] = { "\n", "A\n", "B x\n", "A  x\nB\n" };
	char text[LINES_ANSWER_MAX + 1], longest[LINES_ANSWER_MAX + 8];
	struct wire w;
	size_t i, n;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		wire_open(&w);
		tell(&w, bad[i]);
		if (i == 3)
			assert_int_equal(lines_answer(&w.lines, 0, text), 0);
		assert_int_equal(lines_answer(&w.lines, 0, text), AAD_EREFUSED);
		assert_int_equal(stop, 1);
		assert_int_equal(lines_answer(&w.lines, 0, text), AAD_EREFUSED);
		wire_close(&w);
	}
	for (n = LINES_ANSWER_MAX; n <= LINES_ANSWER_MAX + 1; n++) {
		wire_open(&w);
		memset(longest, 'x', sizeof(longest));
		memcpy(longest, "A ", 2);
		longest[2 + n] = '\n';
		longest[3 + n] = '\0';
		tell(&w, longest);
		assert_int_equal(lines_answer(&w.lines, 0, text),
		    n == LINES_ANSWER_MAX ? 0 : AAD_EREFUSED);
		wire_close(&w);
	}
}

static void
junk_header_input(void **state)
{
	static char much[8192];
	char *header;
	struct wire w;
	size_t len;

	(void)state;
	wire_open(&w);
	tell(&w, "aadssh-pam 1\n");
	close(w.to);
	w.to = -1;
	assert_int_equal(lines_header(&w.lines, PAMHEADER_MAX, &header, &len),
	    AAD_EFORMAT);
	assert_null(header);
	wire_close(&w);
	wire_open(&w);
	memset(much, 'x', sizeof(much) - 1);
	tell(&w, much);
	assert_int_equal(lines_header(&w.lines, 4000, &header, &len),
	    AAD_ETOOBIG);
	wire_close(&w);
	wire_open(&w);
	stop = 1;
	assert_int_equal(lines_header(&w.lines, 4000, &header, &len),
	    AAD_EREFUSED);
	wire_close(&w);
}

static void
lines_say_what_a_terminal_may_see(void **state)
{
	static char long_text[LINES_LINE_MAX + 100];
	struct wire w;
	const char *text;

	(void)state;
	wire_open(&w);
	lines_say(&w.lines, 'I', "a\nR OK\033[2J\177b\xe2\x96\x88");
	assert_string_equal(heard(&w), "I a?R OK?[2J?b\xe2\x96\x88\n");
	lines_say(&w.lines, 'I', "");
	assert_string_equal(heard(&w), "I \n");
	memset(long_text, 'x', sizeof(long_text) - 1);
	lines_say(&w.lines, 'E', long_text);
	text = heard(&w);
	assert_int_equal(strlen(text), LINES_LINE_MAX);
	assert_int_equal(strchr(text, '\n') - text, LINES_LINE_MAX - 1);
	lines_prose(&w.lines, 'E', "");
	assert_string_equal(heard(&w), "");
	/* Whatever was said before, the verdict still fits. */
	while (w.lines.written < 2 * LINES_TOTAL_MAX) {
		size_t before = w.lines.written;

		lines_say(&w.lines, 'I', long_text);
		if (w.lines.written == before)
			break;
	}
	(void)heard(&w);
	lines_say(&w.lines, 'R', "NO");
	assert_string_equal(heard(&w), "R NO\n");
	assert_true(w.lines.written <= LINES_TOTAL_MAX);
	wire_close(&w);
}

static void
prose_breaks_at_blanks(void **state)
{
	struct wire w;

	(void)state;
	wire_open(&w);
	lines_prose(&w.lines, 'E',
	    "This sentence is a good deal longer than one line of a terminal, "
	    "so that it has to go on.");
	assert_string_equal(heard(&w),
	    "E This sentence is a good deal longer than one line of a "
	    "terminal, so that\nE it has to go on.\n");
	/* A word that has no blank is cut. */
	lines_prose(&w.lines, 'E',
	    "12345678901234567890123456789012345678901234567890123456789012345"
	    "678901234567890");
	assert_string_equal(heard(&w),
	    "E 123456789012345678901234567890123456789012345678901234567890"
	    "12345678901234\nE 567890\n");
	wire_close(&w);
}

static void
nobody_listens(void **state)
{
	struct wire w;

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	wire_open(&w);
	close(w.from);
	w.from = -1;
	lines_say(&w.lines, 'I', "x");
	assert_int_equal(stop, 1);
	wire_close(&w);
}

/* ---- which key ------------------------------------------------ */

/* n different keys. */
static void
make_keys(struct key *keys, const struct key **list, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		memset(&keys[i], 0, sizeof(keys[i]));
		keys[i].kind = i % 2 == 0 ? KEY_ED25519 : KEY_SK_ECDSA_256;
		randombytes_buf(keys[i].hash, sizeof(keys[i].hash));
		list[i] = &keys[i];
	}
}

static void
known_keys_come_first(void **state)
{
	const bool known[] = { false, true, false, true };
	const struct key *list[4];
	struct key keys[4];
	struct keychoice c;

	(void)state;
	make_keys(keys, list, 4);
	keychoice_begin(&c, list, known, 4);
	assert_int_equal(c.n, 4);
	assert_ptr_equal(c.keys[0], &keys[1]);
	assert_ptr_equal(c.keys[1], &keys[3]);
	assert_ptr_equal(c.keys[2], &keys[0]);
	assert_ptr_equal(c.keys[3], &keys[2]);
	assert_ptr_equal(c.picked, &keys[1]);
	keychoice_begin(&c, list, known, 1);
	assert_ptr_equal(c.picked, &keys[0]);
	keychoice_begin(&c, list, known, 0);
	assert_int_equal(c.n, 0);
	assert_null(c.picked);
}

static void
answers_choose(void **state)
{
	static const struct {
		size_t n; /* keys */
		const char *answer;
		enum keychoice_answer what;
		int picked; /* -1: none, -2: as before */
	} rows[] = {
		{ 0, "", KEYCHOICE_DONE, -1 },
		{ 0, "0", KEYCHOICE_DONE, -1 },
		{ 0, "1", KEYCHOICE_JUNK, -1 },
		{ 0, "q", KEYCHOICE_QR, -1 },
		{ 1, "", KEYCHOICE_DONE, 0 },
		{ 1, "1", KEYCHOICE_DONE, 0 },
		{ 1, "0", KEYCHOICE_DONE, -1 },
		{ 1, "2", KEYCHOICE_JUNK, 0 },
		{ 1, "Q", KEYCHOICE_QR, 0 },
		{ 8, "8", KEYCHOICE_DONE, 7 },
		{ 8, "9", KEYCHOICE_JUNK, 0 },
		{ 9, "9", KEYCHOICE_DONE, 8 },
		{ 12, "9", KEYCHOICE_DONE, 8 },
		{ 12, "10", KEYCHOICE_JUNK, 0 },
		{ 12, "01", KEYCHOICE_JUNK, 0 },
		{ 12, "-1", KEYCHOICE_JUNK, 0 },
		{ 12, "+1", KEYCHOICE_JUNK, 0 },
		{ 12, "1 2", KEYCHOICE_JUNK, 0 },
		{ 12, "yes", KEYCHOICE_JUNK, 0 },
		{ 12, "INCORRECT", KEYCHOICE_JUNK, 0 },
	};
	const bool known[KEYCHOICE_MAX] = { false };
	const struct key *list[KEYCHOICE_MAX];
	struct key keys[KEYCHOICE_MAX];
	struct keychoice c;
	size_t i;

	(void)state;
	make_keys(keys, list, KEYCHOICE_MAX);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		keychoice_begin(&c, list, known, rows[i].n);
		assert_int_equal(keychoice_take(&c, rows[i].answer),
		    rows[i].what);
		if (rows[i].picked == -1)
			assert_null(c.picked);
		else
			assert_ptr_equal(c.picked, &keys[rows[i].picked]);
	}
}

/* ---- what the person reads ------------------------------------- */

#define HOST64                                                                 \
	"a-host-name-that-is-as-long-as-linux-allows-it-to-be-1234567890.x"
#define LOGIN32 "login_that_is_as_long_as_allowed"
#define URL	"https://microsoft.com/devicelogin"

static void
device(struct device *d)
{
	memset(d, 0, sizeof(*d));
	snprintf(d->url, sizeof(d->url), "%s", URL);
	snprintf(d->user_code, sizeof(d->user_code), "ABCD-EFGH");
	d->life = 900;
}

/* Characters, not bytes, of UTF-8. */
static size_t
columns(const char *s, size_t len)
{
	size_t i, n = 0;

	for (i = 0; i < len; i++)
		n += ((unsigned char)s[i] & 0xc0) != 0x80;
	return n;
}

/* Each line under 75 columns; how many lines. */
static size_t
check_width(const char *text)
{
	size_t n = 0, len;

	for (; *text != '\0'; text += len + 1, n++) {
		len = strcspn(text, "\n");
		assert_true(len >= 2);
		if (columns(text + 2, len - 2) > LINES_COLUMNS)
			fail_msg("too wide: %.*s", (int)len, text);
	}
	return n;
}

static void
II_L1_prompts_fit_and_name_what_they_are_for(void **state)
{
	const bool known[KEYCHOICE_MAX] = { false };
	const struct key *list[KEYCHOICE_MAX];
	struct key keys[KEYCHOICE_MAX];
	char fp[KEY_FP_LEN + 1];
	struct keychoice c;
	struct device d;
	struct pamui ui;
	struct wire w;
	const char *text;
	size_t n;

	(void)state;
	make_keys(keys, list, KEYCHOICE_MAX);
	device(&d);
	for (n = 0; n <= KEYCHOICE_MAX; n++) {
		wire_open(&w);
		keychoice_begin(&c, list, known, n);
		pamui_init(&ui, &w.lines, HOST64, LOGIN32, &c, "No keys.");
		ui.ui.code(&ui.ui, &d);
		text = heard(&w);
		assert_true(check_width(text) > 10);
		/* Address and code stand on lines of their own. */
		assert_non_null(strstr(text, "\nI     " URL " \n"));
		assert_non_null(strstr(text, "\nI     ABCD-EFGH \n"));
		assert_non_null(strstr(text, HOST64));
		assert_non_null(strstr(text, LOGIN32));
		assert_non_null(strstr(text, "\nI Only continue if you"));
		assert_non_null(strstr(text, "\nP Press Enter"));
		assert_true(n > 0 || strstr(text, "I No keys.\n") != NULL);
		if (n > 0) {
			key_fingerprint(&keys[n > 9 ? 8 : n - 1], fp);
			assert_non_null(strstr(text, fp));
		}
		assert_int_equal(strstr(text, " more\n") != NULL, n > 9);
		assert_int_equal(strstr(text, "  * 1  ") != NULL, n > 1);
		wire_close(&w);
	}
}

static void
q_shows_the_code_both_ways(void **state)
{
	const bool known[1] = { false };
	const struct key *list[1];
	struct key keys[1];
	struct keychoice c;
	struct device d;
	struct pamui ui;
	struct wire w;
	struct qr qr;
	const char *text;

	(void)state;
	make_keys(keys, list, 1);
	device(&d);
	wire_open(&w);
	keychoice_begin(&c, list, known, 1);
	pamui_init(&ui, &w.lines, "host", "alice", &c, "");
	ui.ui.code(&ui.ui, &d);
	assert_null(strchr(heard(&w), '\xe2'));
	tell(&w, "A q\n");
	ui.ui.wait(&ui.ui, 800);
	text = heard(&w);
	check_width(text);
	assert_int_equal(qr_render(URL, QR_INK_LIGHT, &qr), 0);
	assert_non_null(strstr(text, qr.lines[4]));
	assert_true(strstr(text, qr.lines[4]) < strstr(text, "    " URL));
	tell(&w, "A q\n");
	ui.ui.wait(&ui.ui, 800);
	assert_int_equal(qr_render(URL, QR_INK_DARK, &qr), 0);
	assert_non_null(strstr(heard(&w), qr.lines[4]));
	assert_true(ui.up);
	tell(&w, "A 0\n");
	ui.ui.wait(&ui.ui, 800);
	assert_false(ui.up);
	assert_null(c.picked);
	assert_string_equal(heard(&w), "");
	wire_close(&w);
}

/* Who answers without reading is not asked for ever. */
static void
junk_answers_end(void **state)
{
	struct keychoice c;
	struct device d;
	struct pamui ui;
	struct wire w;
	int i;

	(void)state;
	device(&d);
	wire_open(&w);
	keychoice_begin(&c, NULL, NULL, 0);
	pamui_init(&ui, &w.lines, "host", "alice", &c, "No keys.");
	ui.ui.code(&ui.ui, &d);
	for (i = 0; i < 2 * PAMUI_PROMPTS_MAX && stop == 0; i++) {
		tell(&w, "A INCORRECT\n");
		ui.ui.wait(&ui.ui, 800);
	}
	assert_int_equal(stop, 1);
	assert_int_equal(i, PAMUI_PROMPTS_MAX);
	assert_true(w.lines.written < LINES_TOTAL_MAX - LINES_VERDICT);
	wire_close(&w);
	/* QR codes, the longest that there is to say, all fit. */
	wire_open(&w);
	pamui_init(&ui, &w.lines, "host", "alice", &c, "No keys.");
	ui.ui.code(&ui.ui, &d);
	for (i = 0; i < 2 * PAMUI_PROMPTS_MAX && stop == 0; i++) {
		tell(&w, "A q\n");
		ui.ui.wait(&ui.ui, 800);
	}
	assert_int_equal(stop, 1);
	assert_true(w.lines.written < LINES_TOTAL_MAX - LINES_VERDICT);
	wire_close(&w);
}

static void
finish_waits_for_the_answer(void **state)
{
	const bool known[2] = { false, false };
	const struct key *list[2];
	struct key keys[2];
	struct keychoice c;
	struct device d;
	struct pamui ui;
	struct wire w;

	(void)state;
	make_keys(keys, list, 2);
	device(&d);
	wire_open(&w);
	keychoice_begin(&c, list, known, 2);
	pamui_init(&ui, &w.lines, "host", "alice", &c, "");
	/* Nothing is up: nothing to wait for. */
	pamui_finish(&ui, false);
	ui.ui.code(&ui.ui, &d);
	tell(&w, "A x\nA 2\n");
	pamui_finish(&ui, false);
	assert_false(ui.up);
	assert_int_equal(ui.prompts, 2);
	assert_ptr_equal(c.picked, &keys[1]);
	wire_close(&w);
	/* After a refusal any answer will do. */
	wire_open(&w);
	pamui_init(&ui, &w.lines, "host", "alice", &c, "");
	ui.ui.code(&ui.ui, &d);
	tell(&w, "A x\n");
	pamui_finish(&ui, true);
	assert_false(ui.up);
	assert_int_equal(ui.prompts, 1);
	wire_close(&w);
	/* And nobody at all is no reason to wait. */
	wire_open(&w);
	pamui_init(&ui, &w.lines, "host", "alice", &c, "");
	ui.ui.code(&ui.ui, &d);
	close(w.to);
	w.to = -1;
	pamui_finish(&ui, false);
	assert_int_equal(stop, 1);
	wire_close(&w);
}

/* ---- the QR code ------------------------------------------------ */

/* The next character: 0 paints nothing, 1 the lower half, 2 the upper, 3. */
static int
painted(const char **sp)
{
	static const char *const blocks[] = { " ", "\xe2\x96\x84",
		"\xe2\x96\x80", "\xe2\x96\x88" };
	int i;

	for (i = 0; i < 4; i++)
		if (strncmp(*sp, blocks[i], strlen(blocks[i])) == 0) {
			*sp += strlen(blocks[i]);
			return i;
		}
	fail_msg("no block: %s", *sp);
	return 0;
}

static int
dark(const QRcode *q, int row, int column)
{
	return row >= 0 && row < q->width && column >= 0 && column < q->width &&
	       (q->data[row * q->width + column] & 1) != 0;
}

/* Read the modules back from the text: they are the library's. */
static void
check_qr(const QRcode *q, const struct qr *qr, enum qr_ink ink)
{
	const char *s;
	int line, x, row, p;

	assert_int_equal(qr->columns, q->width + 2 * QR_QUIET);
	assert_int_equal(qr->n, (qr->columns + 1) / 2);
	for (line = 0; line < (int)qr->n; line++) {
		s = qr->lines[line];
		row = line * 2 - QR_QUIET;
		for (x = -QR_QUIET; x < q->width + QR_QUIET; x++) {
			p = painted(&s);
			if (ink == QR_INK_LIGHT)
				p = 3 - p;
			assert_int_equal(p / 2, dark(q, row, x));
			assert_int_equal(p % 2, dark(q, row + 1, x));
		}
		assert_int_equal(*s, '\0');
	}
}

static void
qr_is_what_the_library_made(void **state)
{
	static const char *const texts[] = { URL, "x",
		"https://login.microsoftonline.us/common/oauth2/deviceauth" };
	struct qr qr;
	QRcode *q;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		q = QRcode_encodeString8bit(texts[i], 0, QR_ECLEVEL_L);
		assert_non_null(q);
		assert_int_equal(qr_render(texts[i], QR_INK_DARK, &qr), 0);
		check_qr(q, &qr, QR_INK_DARK);
		assert_int_equal(qr_render(texts[i], QR_INK_LIGHT, &qr), 0);
		check_qr(q, &qr, QR_INK_LIGHT);
		QRcode_free(q);
	}
}

static void
boundary_qr(void **state)
{
	char text[3000];
	struct qr qr;
	size_t n;

	(void)state;
	assert_int_equal(qr_render("", QR_INK_DARK, &qr), AAD_EARG);
	for (n = 1; n < sizeof(text); n += n < 300 ? 1 : 100) {
		memset(text, 'x', n);
		text[n] = '\0';
		assert_int_equal(qr_render(text, QR_INK_DARK, &qr),
		    n <= 271 ? 0 : AAD_ETOOBIG);
		assert_true(qr.n <= QR_LINES_MAX);
		assert_int_equal(qr.n == 0, n > 271);
	}
}

#define T(f) cmocka_unit_test(f)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(valid_header),
		T(junk_headers),
		T(boundary_header),
		T(mutated_headers),
		T(header_without_memory),
		T(valid_answers),
		T(junk_answers),
		T(junk_header_input),
		T(lines_say_what_a_terminal_may_see),
		T(prose_breaks_at_blanks),
		T(nobody_listens),
		T(known_keys_come_first),
		T(answers_choose),
		T(II_L1_prompts_fit_and_name_what_they_are_for),
		T(q_shows_the_code_both_ways),
		T(junk_answers_end),
		T(finish_waits_for_the_answer),
		T(qr_is_what_the_library_made),
		T(boundary_qr),
	};

	if (sodium_init() == -1)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
