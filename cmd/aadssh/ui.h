/* SPDX-License-Identifier: ISC */

/*
 * ui: the person's side of a sign-in: what it is about, where to go, which
 * code, how long it lasts.  No colour, no cursor movement but a carriage
 * return, and that only on a terminal.
 *
 * Whoever enters the code gives this key their account, and a code can be
 * sent to anybody (RFC 8628 s.5.4).  So what it is for comes first.
 */

#ifndef AAD_UI_H
#define AAD_UI_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "idp/device.h"

#define UI_LINE_S 60 /* seconds between lines where there is no terminal */

/* What the sign-in is for.  Borrowed; cleaned when shown. */
struct ui_facts {
	const char *host; /* this host's name */
	const char *login;
	const char *key; /* "ssh-ed25519 SHA256:…" */
	const char *tenant;
	const char *client_id;
};

struct ui {
	FILE *to;
	bool tty;
	bool open_line; /* a line without its newline is on the terminal */
	int64_t shown; /* seconds left when time was last shown, -1: never */
	const struct ui_facts *facts;
};

/* to: stderr.  facts are borrowed as long as *u is used. */
void ui_init(struct ui *u, FILE *to, const struct ui_facts *facts);

/* What it is for, then URL and code, each on a line of its own. */
void ui_code(struct ui *u, const struct device *d);

/* So many seconds are left: in place each second, or a line a minute. */
void ui_wait(struct ui *u, int64_t left_s);

/* One line about what is going on; clean text. */
void ui_note(struct ui *u, const char *text);

/* End an open line, so that what follows starts on its own. */
void ui_end(struct ui *u);

#endif /* AAD_UI_H */
