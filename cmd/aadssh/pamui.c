/* SPDX-License-Identifier: ISC */

#include <stdio.h>
#include <string.h>

#include "cmd/aadssh/pamui.h"
#include "cmd/aadssh/qr.h"

#define TEXT_MAX  400 /* bytes of a sentence with host and login */
#define ANSWER_MS 250 /* how long one look for an answer takes */

static void
say_qr(const struct pamui *u)
{
	struct qr qr;
	size_t i;

	/* Most terminals are dark; asking again exchanges dark and light. */
	if (u->qr == 0 ||
	    qr_render(u->url, u->qr % 2 == 1 ? QR_INK_LIGHT : QR_INK_DARK,
		&qr) != 0)
		return;
	for (i = 0; i < qr.n; i++)
		lines_say(u->lines, 'I', qr.lines[i]);
}

/*
 * NB. the blank behind what a person copies: Dropbear of 2026 shows the lines
 * as one.
 */
static void
say_code(const struct pamui *u)
{
	char line[LINES_LINE_MAX];

	lines_prose(u->lines, 'I',
	    "Open this page in a web browser, on any device:");
	lines_say(u->lines, 'I', "");
	say_qr(u);
	snprintf(line, sizeof(line), "    %.1000s ", u->url);
	lines_say(u->lines, 'I', line);
	lines_say(u->lines, 'I', "");
	lines_prose(u->lines, 'I', "and enter the code:");
	lines_say(u->lines, 'I', "");
	snprintf(line, sizeof(line), "    %s ", u->code);
	lines_say(u->lines, 'I', line);
	lines_say(u->lines, 'I', "");
}

static void
say_key(const struct pamui *u, size_t i)
{
	char fp[KEY_FP_LEN + 1], line[LINES_COLUMNS + 1];
	const struct key *k = u->keys->keys[i];

	key_fingerprint(k, fp);
	if (u->keys->n == 1)
		snprintf(line, sizeof(line), "    %s %s", keychoice_type(k),
		    fp);
	else
		snprintf(line, sizeof(line), "  %c %zu  %s %s",
		    k == u->keys->picked ? '*' : ' ', i + 1, keychoice_type(k),
		    fp);
	lines_say(u->lines, 'I', line);
}

/* Which key the sign-in is for, or that it is for none. */
static void
say_keys(const struct pamui *u)
{
	const struct keychoice *c = u->keys;
	char line[TEXT_MAX];
	size_t i;

	if (c->n == 0) {
		lines_prose(u->lines, 'I', u->no_keys);
		return;
	}
	snprintf(line, sizeof(line), "%s will then open %s on %s:",
	    c->n == 1 ? "This key" : "The key marked *", u->login, u->host);
	lines_prose(u->lines, 'I', line);
	for (i = 0; i < c->n && i < KEYCHOICE_SHOWN; i++)
		say_key(u, i);
	if (c->n > KEYCHOICE_SHOWN) {
		snprintf(line, sizeof(line), "    and %zu more",
		    c->n - KEYCHOICE_SHOWN);
		lines_say(u->lines, 'I', line);
	}
	lines_prose(u->lines, 'I',
	    c->n == 1 ? "(Type 0 to remember none; q shows a QR code.)"
		      : "(Type a number to choose another, 0 to remember none; "
			"q shows a QR code.)");
}

static void
ask(struct pamui *u, const char *first)
{
	char line[TEXT_MAX];

	if (++u->prompts > PAMUI_PROMPTS_MAX) {
		*u->lines->stop = 1;
		return;
	}
	if (first != NULL)
		lines_prose(u->lines, 'I', first);
	snprintf(line, sizeof(line),
	    "Sign in to %s as %s with your Azure AD account.", u->host,
	    u->login);
	lines_prose(u->lines, 'I', line);
	say_code(u);
	lines_prose(u->lines, 'I',
	    "Only continue if you started this login yourself.");
	say_keys(u);
	if (u->keys->n == 0)
		lines_prose(u->lines, 'I', "(q shows a QR code.)");
	lines_say(u->lines, 'P', "Press Enter when you have signed in: ");
	u->up = true;
}

/* Take an answer if one comes within wait_ms. */
static void
look(struct pamui *u, int wait_ms)
{
	char text[LINES_ANSWER_MAX + 1];

	if (lines_answer(u->lines, wait_ms, text) != 0)
		return;
	u->up = false;
	if (u->over)
		return;
	switch (keychoice_take(u->keys, text)) {
	case KEYCHOICE_DONE:
		break;
	case KEYCHOICE_QR:
		u->qr++;
		ask(u, NULL);
		break;
	case KEYCHOICE_JUNK:
		ask(u,
		    u->keys->n == 0
			? "Please answer with Enter, or with q."
			: "Please answer with Enter, a number of the list, 0 "
			  "or q.");
		break;
	}
}

static void
show_code(struct ui *ui, const struct device *d)
{
	struct pamui *u = (struct pamui *)ui;

	/* NB. the device record ends with the flow, maybe before the prompt. */
	memcpy(u->url, d->url, sizeof(u->url));
	memcpy(u->code, d->user_code, sizeof(u->code));
	ask(u, NULL);
}

static void
show_wait(struct ui *ui, int64_t left_s)
{
	(void)left_s;
	look((struct pamui *)ui, 0);
}

/* What is going on can't be shown while a prompt is up. */
static void
show_note(struct ui *ui, const char *text)
{
	(void)ui;
	(void)text;
}

static void
show_end(struct ui *ui)
{
	(void)ui;
}

void
pamui_init(struct pamui *u, struct lines *lines, const char *host,
    const char *login, struct keychoice *keys, const char *no_keys)
{
	static const struct ui face = { show_code, show_wait, show_note,
		show_end };

	memset(u, 0, sizeof(*u));
	u->ui = face;
	u->lines = lines;
	u->host = host;
	u->login = login;
	u->keys = keys;
	u->no_keys = no_keys;
}

void
pamui_finish(struct pamui *u, bool over)
{
	u->over = over;
	while (u->up && *u->lines->stop == 0)
		look(u, ANSWER_MS);
}
