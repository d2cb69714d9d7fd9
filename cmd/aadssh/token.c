/* SPDX-License-Identifier: ISC */

/*
 * aadssh token: one sign-in for a certificate.  aadssh-ca starts it, because
 * it has the network and aadssh-ca has none; what comes of it is an id token
 * on a descriptor, whose worth the signer judges again.  No policy is asked,
 * and nothing is stored.
 */

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "cmd/aadssh/app.h"
#include "cmd/aadssh/signin.h"
#include "cmd/aadssh/tenantkeys.h"
#include "cmd/aadssh/ui.h"
#include "cmd/aadssh/verbs.h"
#include "cmd/cli/log.h"
#include "cmd/cli/stop.h"
#include "core/text.h"

#define FD_MAX 1048576 /* no descriptor of a process is higher */

/* The terminal's face of a sign-in; it also sees when the reader goes. */
struct face {
	struct ui ui;
	struct ui_tty tty;
	int fd;
	volatile sig_atomic_t *stop;
};

/* Everything that one run opens. */
struct work {
	struct app *app;
	const char *file;
	int fd;
	struct key key;
	char fingerprint[KEY_FP_LEN + 1];
	struct signin in;
	struct refusal no;
	volatile sig_atomic_t *stop;
};

/* ---- the descriptor ------------------------------------------------------ */

/* The number in text: 1, or 3 and more; -1 for all else. */
static int
descriptor(const char *text)
{
	uint64_t n;

	if (!text_number(text, FD_MAX, &n) || n < 1 || n == STDERR_FILENO)
		return -1;
	return (int)n;
}

static bool
writable(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags != -1 && (flags & O_PATH) == 0 &&
	       (flags & O_ACCMODE) != O_RDONLY;
}

int
token_descriptor(int argc, char **argv)
{
	int fd = -1, i = 1;

	while (i + 1 < argc && strcmp(argv[i], "-f") == 0)
		i += 2;
	if (i >= argc || strcmp(argv[i], "token") != 0)
		return -1;
	for (i++; i < argc; i++)
		if (strcmp(argv[i], "--fd") == 0 && i + 1 < argc)
			fd = descriptor(argv[++i]);
		else if (strncmp(argv[i], "--fd=", 5) == 0)
			fd = descriptor(argv[i] + 5);
	return fd != -1 && writable(fd) ? fd : -1;
}

static int
parse(int argc, char **argv, struct work *w)
{
	static const struct option longs[] = {
		{ "key", required_argument, NULL, 'k' },
		{ "fd", required_argument, NULL, 'd' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (c == 'k')
			w->file = optarg;
		else if (c != 'd' || (w->fd = descriptor(optarg)) == -1)
			return -1;
	}
	return argc == optind && w->file != NULL && w->fd != -1 ? 0 : -1;
}

/* All of it, or AAD_EREFUSED with the words. */
static int
deliver(struct work *w)
{
	const char *p = w->in.id_token;
	size_t left = w->in.id_token_len;
	struct pollfd room = { .fd = w->fd, .events = POLLOUT };
	ssize_t n;

	while (left > 0 && *w->stop == 0) {
		n = write(w->fd, p, left);
		if (n > 0) {
			p += n;
			left -= (size_t)n;
		} else if (n == -1 && errno == EAGAIN) {
			poll(&room, 1, UI_TICK_MS);
		} else if (n == -1 && errno != EINTR) {
			break;
		}
	}
	if (left == 0)
		return 0;
	refusal_set(&w->no, AAD_R_INTERRUPTED,
	    *w->stop != 0 ? NULL : "Nobody took the token.");
	return AAD_EREFUSED;
}

/* ---- the sign-in --------------------------------------------------------- */

static void
show_code(struct ui *ui, const struct device *d)
{
	struct face *f = (struct face *)ui;

	f->tty.ui.code(&f->tty.ui, d);
}

static void
show_wait(struct ui *ui, int64_t left_s)
{
	struct face *f = (struct face *)ui;
	struct pollfd reader = { .fd = f->fd, .events = 0 };

	/* Nobody wants the token any more: the code must not stay open. */
	if (poll(&reader, 1, 0) == 1 &&
	    (reader.revents & (POLLERR | POLLHUP | POLLNVAL)) != 0)
		*f->stop = SIGPIPE;
	f->tty.ui.wait(&f->tty.ui, left_s);
}

static void
show_note(struct ui *ui, const char *text)
{
	struct face *f = (struct face *)ui;

	f->tty.ui.note(&f->tty.ui, text);
}

static void
show_end(struct ui *ui)
{
	struct face *f = (struct face *)ui;

	f->tty.ui.end(&f->tty.ui);
}

/* With keys of this very sign-in: there is no state to take any from. */
static int
ask_azure(struct work *w)
{
	const struct conf *conf = w->app->conf;
	char host[256], key[KEY_TYPE_MAX + KEY_FP_LEN + 2];
	const struct ui_facts facts = { host, NULL, key, conf->tenant,
		conf->client_id };
	struct face face = { .ui = { show_code, show_wait, show_note,
				 show_end },
		.fd = w->fd,
		.stop = w->stop };
	struct signin_tools tools = { conf, NULL, &face.ui, w->stop };
	struct jwks *keys = NULL;
	int r;

	if (gethostname(host, sizeof(host)) == -1)
		host[0] = '\0';
	host[sizeof(host) - 1] = '\0';
	snprintf(key, sizeof(key), "%s %s", key_type_name(&w->key),
	    w->fingerprint);
	ui_tty_init(&face.tty, stderr, w->app->utf8, &facts);
	if (tenantkeys_http(conf, w->stop, &tools.http) != 0) {
		refusal_set(&w->no, AAD_R_NO_MEMORY, NULL);
		return AAD_EREFUSED;
	}
	r = signin(&tools, &keys, &w->in, &w->no);
	http_free(tools.http);
	jwks_free(keys);
	return r;
}

static void
log_token(const struct work *w, int r)
{
	const struct claims *c = w->in.claims;
	enum reason why = r == 0 ? AAD_R_ALLOWED : w->no.why;
	const struct log_field fields[] = {
		{ "verdict", reason_verdict(why) },
		{ "reason", reason_name(why) },
		{ "key", w->fingerprint },
		{ "oid", c == NULL ? NULL : c->oid },
		{ "upn", c == NULL ? NULL : claims_upn(c) },
		{ "uti", c == NULL ? NULL : c->uti },
		{ "detail", r == 0 ? NULL : w->no.detail },
	};

	log_event(r == 0 ? LOG_NOTICE : log_priority(why), "token", fields,
	    sizeof(fields) / sizeof(fields[0]));
}

static int
run(struct work *w)
{
	const struct conf *conf = w->app->conf;
	int r;

	if (!conf->has_idp)
		return out_refusal(APP_PROG, AAD_R_CONFIG,
		    "There is no [idp] section.");
	if (!app_ca_file_safe(conf))
		return out_refusal(APP_PROG, AAD_R_CONFIG, APP_CA_FILE_UNSAFE);
	w->stop = stop_catch(0, 0);
	if ((r = ask_azure(w)) == 0)
		r = deliver(w);
	log_token(w, r);
	return r == 0 ? EXIT_DONE
		      : out_refusal(APP_PROG, w->no.why, w->no.detail);
}

int
verb_token(void *arg, int argc, char **argv)
{
	struct work w;
	int code;

	memset(&w, 0, sizeof(w));
	w.app = arg;
	w.fd = -1;
	if (parse(argc, argv, &w) != 0)
		return app_usage(w.app, argv[0]);
	if (w.fd != w.app->keep) {
		fprintf(stderr, "%s: --fd %d is not open for writing\n",
		    APP_PROG, w.fd);
		return EXIT_USAGE;
	}
	w.app->ca_too = true;
	if ((code = app_read_key(w.file, &w.key)) != EXIT_DONE ||
	    (code = app_load(w.app)) != EXIT_DONE ||
	    (code = app_become_stateless(w.app)) != EXIT_DONE)
		goto out;
	key_fingerprint(&w.key, w.fingerprint);
	code = run(&w);
out:
	signin_release(&w.in);
	key_release(&w.key);
	return code;
}
