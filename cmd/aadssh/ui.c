/* SPDX-License-Identifier: ISC */

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "cmd/aadssh/ui.h"
#include "core/text.h"

#define FACT_MAX 256 /* bytes of a fact that is shown, with the NUL */

void
ui_init(struct ui *u, FILE *to, const struct ui_facts *facts)
{
	u->to = to;
	u->tty = isatty(fileno(to)) == 1;
	u->open_line = false;
	u->shown = -1;
	u->facts = facts;
}

static void
fact(const struct ui *u, const char *name, const char *value)
{
	char clean[FACT_MAX];

	if (value == NULL)
		return;
	text_clean(value, strlen(value), clean, sizeof(clean));
	fprintf(u->to, "  %-12s %s\n", name, clean);
}

void
ui_code(struct ui *u, const struct device *d)
{
	const struct ui_facts *f = u->facts;

	ui_end(u);
	fputs("Sign in with Azure AD, so that this key may log in:\n", u->to);
	fact(u, "host", f->host);
	fact(u, "login", f->login);
	fact(u, "key", f->key);
	fact(u, "tenant", f->tenant);
	fact(u, "application", f->client_id);
	/* NB. device_parse() let only printable text through. */
	fprintf(u->to,
	    "Only continue if you started this yourself: whoever enters the "
	    "code\nlets that key log in with their account.\n\n"
	    "Open this page in a web browser:\n\n    %s\n\n"
	    "and enter this code:\n\n    %s\n\n",
	    d->url, d->user_code);
	u->shown = -1;
	ui_wait(u, d->life);
}

void
ui_wait(struct ui *u, int64_t left_s)
{
	if (u->tty) {
		if (left_s == u->shown)
			return;
		fprintf(u->to,
		    "\rWaiting for the sign-in, %" PRId64 ":%02" PRId64
		    " left. ",
		    left_s / 60, left_s % 60);
		u->open_line = true;
	} else {
		if (u->shown != -1 && left_s > u->shown - UI_LINE_S)
			return;
		fprintf(u->to, "Waiting for the sign-in, %" PRId64 " s left.\n",
		    left_s);
	}
	u->shown = left_s;
	fflush(u->to);
}

void
ui_note(struct ui *u, const char *text)
{
	ui_end(u);
	fprintf(u->to, "%s\n", text);
	fflush(u->to);
}

void
ui_end(struct ui *u)
{
	if (!u->open_line)
		return;
	fputc('\n', u->to);
	u->open_line = false;
	u->shown = -1;
}
