/* SPDX-License-Identifier: ISC */

/*
 * pamui: the person's side of a sign-in in a PAM conversation.  The prompt
 * goes out once the code is there, and the flow goes on behind it: Enter
 * before the sign-in means "go on", a sign-in before Enter waits for it.
 * Nothing can be shown in between (sshd holds text back until a prompt), and
 * whether the client shows UTF-8 can't be known: a QR code is asked for.
 */

#ifndef AAD_PAMUI_H
#define AAD_PAMUI_H

#include <stdbool.h>

#include "cmd/aadssh/keychoice.h"
#include "cmd/aadssh/lines.h"
#include "cmd/aadssh/ui.h"

#define PAMUI_PROMPTS_MAX 12 /* then nobody answers who reads */

struct pamui {
	struct ui ui;
	struct lines *lines; /* borrowed, and so are the next three */
	const char *host; /* clean */
	const char *login;
	struct keychoice *keys;
	const char *no_keys; /* why keys is empty, one sentence */
	char url[CLOUD_URL_MAX + 1];
	char code[DEVICE_USER_CODE_MAX + 1];
	int qr; /* how often it was asked for */
	int prompts; /* how many were shown */
	bool up; /* a prompt waits for its answer */
	bool over; /* any answer does: there is nothing left to choose */
};

void pamui_init(struct pamui *u, struct lines *lines, const char *host,
    const char *login, struct keychoice *keys, const char *no_keys);

/*
 * Wait until no prompt is up.
 * over: the sign-in was refused, so that any answer will do.
 */
void pamui_finish(struct pamui *u, bool over);

#endif /* AAD_PAMUI_H */
