/* SPDX-License-Identifier: ISC */

/*
 * ui: the person's side of a sign-in: what it is about, where to go, which
 * code, how long it lasts.  An interface with two faces: a terminal or file,
 * here, and a PAM conversation, lines.h.
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

/* What a sign-in calls; each face begins with one. */
struct ui {
	/* What it is for, then URL and code, each on a line of its own. */
	void (*code)(struct ui *u, const struct device *d);
	/* So many seconds are left; called about each UI_TICK_MS. */
	void (*wait)(struct ui *u, int64_t left_s);
	/* One line about what is going on; clean text. */
	void (*note)(struct ui *u, const char *text);
	/* The flow is over, whatever came of it. */
	void (*end)(struct ui *u);
};

#define UI_TICK_MS 250

/* What the sign-in is for.  Borrowed; cleaned when shown. */
struct ui_facts {
	const char *host; /* this host's name */
	const char *login; /* NULL: for a certificate of the key */
	const char *key; /* "ssh-ed25519 SHA256:…" */
	const char *tenant;
	const char *client_id;
};

/*
 * The face of `aadssh login`: no cursor movement but a carriage return, no
 * colour but that of the QR code, and all that only on a terminal.
 */
struct ui_tty {
	struct ui ui;
	FILE *to;
	bool tty;
	bool utf8;
	bool open_line; /* a line without its newline is on the terminal */
	int64_t shown; /* seconds left when time was last shown, -1: never */
	const struct ui_facts *facts;
};

/*
 * to: stderr.  utf8: whether the person's locale says so; a terminal that is
 * large enough then shows the URL as a QR code too.
 * facts are borrowed as long as *u is used.
 */
void ui_tty_init(struct ui_tty *u, FILE *to, bool utf8,
    const struct ui_facts *facts);

#endif /* AAD_UI_H */
