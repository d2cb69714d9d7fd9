/* SPDX-License-Identifier: ISC */

#include <inttypes.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cmd/aadssh/qr.h"
#include "cmd/aadssh/ui.h"
#include "core/text.h"

#define FACT_MAX  256 /* bytes of a fact that is shown, with the NUL */
#define QR_INDENT 4 /* columns in front of the QR code */
#define QR_AROUND 6 /* lines that must fit below it: code, time left */
/* Black on white, whatever the terminal's own colours are. */
#define QR_COLOUR "\033[30;47m"
#define QR_PLAIN  "\033[0m"

/* End an open line, so that what follows starts on its own. */
static void
end_line(struct ui_tty *u)
{
	if (!u->open_line)
		return;
	fputc('\n', u->to);
	u->open_line = false;
	u->shown = -1;
}

static void
fact(const struct ui_tty *u, const char *name, const char *value)
{
	char clean[FACT_MAX];

	if (value == NULL)
		return;
	text_clean(value, strlen(value), clean, sizeof(clean));
	fprintf(u->to, "  %-12s %s\n", name, clean);
}

/* Whether the terminal has room for it, and for what must be read beside. */
static bool
qr_fits(const struct ui_tty *u, const struct qr *qr)
{
	struct winsize size;

	memset(&size, 0, sizeof(size));
	if (ioctl(fileno(u->to), TIOCGWINSZ, &size) == -1)
		return false;
	return size.ws_col >= qr->columns + QR_INDENT &&
	       size.ws_row >= qr->n + QR_AROUND;
}

static void
show_qr(const struct ui_tty *u, const char *url)
{
	struct qr qr;
	size_t i;

	if (!u->tty || !u->utf8 || qr_render(url, QR_INK_DARK, &qr) != 0 ||
	    !qr_fits(u, &qr))
		return;
	for (i = 0; i < qr.n; i++)
		fprintf(u->to, "%*s" QR_COLOUR "%s" QR_PLAIN "\n", QR_INDENT,
		    "", qr.lines[i]);
	fputc('\n', u->to);
}

static void
show_wait(struct ui *ui, int64_t left_s)
{
	struct ui_tty *u = (struct ui_tty *)ui;

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

/* What is at stake; no login means a certificate. */
static void
show_purpose(const struct ui_tty *u)
{
	const struct ui_facts *f = u->facts;
	bool certificate = f->login == NULL;

	fputs(certificate
		  ? "Sign in with Azure AD, for a certificate of this key:\n"
		  : "Sign in with Azure AD, so that this key may log in:\n",
	    u->to);
	fact(u, certificate ? "authority" : "host", f->host);
	fact(u, "login", f->login);
	fact(u, "key", f->key);
	fact(u, "tenant", f->tenant);
	fact(u, "application", f->client_id);
	fprintf(u->to,
	    "Only continue if you started this yourself: whoever enters the "
	    "code\n%s their account.\n\n",
	    certificate ? "gives that key a certificate of"
			: "lets that key log in with");
}

static void
show_code(struct ui *ui, const struct device *d)
{
	struct ui_tty *u = (struct ui_tty *)ui;

	end_line(u);
	show_purpose(u);
	/* NB. device_parse() let only printable text through. */
	fprintf(u->to, "Open this page in a web browser:\n\n    %s\n\n",
	    d->url);
	show_qr(u, d->url);
	fprintf(u->to, "and enter this code:\n\n    %s\n\n", d->user_code);
	u->shown = -1;
	show_wait(ui, d->life);
}

static void
show_note(struct ui *ui, const char *text)
{
	struct ui_tty *u = (struct ui_tty *)ui;

	end_line(u);
	fprintf(u->to, "%s\n", text);
	fflush(u->to);
}

static void
show_end(struct ui *ui)
{
	end_line((struct ui_tty *)ui);
}

void
ui_tty_init(struct ui_tty *u, FILE *to, bool utf8, const struct ui_facts *facts)
{
	static const struct ui face = { show_code, show_wait, show_note,
		show_end };

	u->ui = face;
	u->to = to;
	u->tty = isatty(fileno(to)) == 1;
	u->utf8 = utf8;
	u->open_line = false;
	u->shown = -1;
	u->facts = facts;
}
