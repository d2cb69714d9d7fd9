/* SPDX-License-Identifier: ISC */

/* aadssh-ca rotate: what is due with the authority's keys; for cron. */

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/change.h"
#include "ca/keyfile.h"
#include "ca/verbs.h"

struct rotate {
	struct ca_app *app;
	bool now, dry_run, json, bundle;
	const char *recovery;
	const char *user_ca;
	const char *host_ca;
	struct key user, host;
	struct secret *secret;
};

static int
option(struct rotate *r, int c)
{
	switch (c) {
	case 'n':
		r->now = true;
		return 0;
	case 'd':
		r->dry_run = true;
		return 0;
	case 'j':
		r->json = true;
		return 0;
	case 'b':
		r->bundle = true;
		return 0;
	case 'r':
		r->recovery = optarg;
		return 0;
	case 'u':
		r->user_ca = optarg;
		return 0;
	case 'h':
		r->host_ca = optarg;
		return 0;
	default:
		return -1;
	}
}

static int
parse(int argc, char **argv, struct rotate *r)
{
	static const struct option longs[] = {
		{ "now", no_argument, NULL, 'n' },
		{ "dry-run", no_argument, NULL, 'd' },
		{ "bundle", no_argument, NULL, 'b' },
		{ "recovery", required_argument, NULL, 'r' },
		{ "user-ca", required_argument, NULL, 'u' },
		{ "host-ca", required_argument, NULL, 'h' },
		{ "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1)
		if (option(r, c) != 0)
			return -1;
	if (argc != optind || (r->recovery != NULL && !r->bundle))
		return -1;
	/* NB. the bundle key changes at once, when somebody says so. */
	return r->bundle && (r->now || r->dry_run || r->user_ca != NULL ||
				r->host_ca != NULL)
		   ? -1
		   : 0;
}

static int
read_all(struct rotate *r)
{
	int code = EXIT_DONE, e;

	if (r->user_ca != NULL)
		code = ca_read_key(r->app, r->user_ca, &r->user);
	if (code == EXIT_DONE && r->host_ca != NULL)
		code = ca_read_key(r->app, r->host_ca, &r->host);
	if (code != EXIT_DONE || r->recovery == NULL)
		return code;
	if ((e = keyfile_secret(r->recovery, &r->secret)) == 0)
		return EXIT_DONE;
	return ca_fault(r->recovery, keyfile_fault(e, errno));
}

static void
request(struct rotate *r, struct wirebuf *rq)
{
	char context[CA_DETAIL_MAX];

	ca_context("rotate", context);
	request_begin(rq, r->bundle ? REQUEST_ROTATE_BUNDLE : REQUEST_ROTATE);
	if (r->dry_run)
		request_put_flag(rq, REQUEST_L_DRY_RUN);
	request_put_text(rq, REQUEST_L_CONTEXT, context);
	if (r->now)
		request_put_flag(rq, REQUEST_L_NOW);
	if (r->secret != NULL)
		request_put(rq, REQUEST_L_SECRET, secret_bytes(r->secret),
		    secret_len(r->secret));
	if (r->user_ca != NULL)
		request_put(rq, REQUEST_L_USER_CA, r->user.blob,
		    r->user.blob_len);
	if (r->host_ca != NULL)
		request_put(rq, REQUEST_L_HOST_CA, r->host.blob,
		    r->host.blob_len);
	request_end(rq);
	secret_free(r->secret);
	r->secret = NULL;
}

/* NB. nothing at all when nothing is done: cron mails what is printed. */
static void
print_action(void *arg, const json_t *row)
{
	static const char *const names[] = { "action", "role", "fingerprint",
		"due" };
	const struct rotate *r = arg;
	char text[ROWS_TEXT_MAX];
	size_t i;

	if (!r->dry_run && strcmp(rows_text(row, "action", text), "wait") == 0)
		return;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (rows_text(row, names[i], text)[0] != '\0')
			printf("%s%s", i == 0 ? "" : " ", text);
	printf("\n");
}

static void
tell_due(const json_t *end)
{
	if (json_integer_value(json_object_get(end, "actions")) == 0)
		printf("Nothing is due.\n");
}

static void
tell_bundle(const json_t *end)
{
	char text[ROWS_TEXT_MAX];

	printf("The bundle key is now %s.\nThe next publication names it, "
	       "with a statement by the key before it or the recovery key.\n",
	    rows_text(end, "bundle_key", text));
}

int
verb_rotate(void *arg, int argc, char **argv)
{
	struct rotate r = { .app = arg };
	struct change change = { .app = arg, .print = print_action };
	struct wirebuf rq = wirebuf_new();
	int code;

	if (parse(argc, argv, &r) != 0)
		return ca_usage(arg, argv[0]);
	change.arg = &r;
	change.json = r.json;
	change.never = r.dry_run;
	change.tell = r.dry_run ? tell_due : NULL;
	if (r.bundle) {
		change.always = true;
		change.tell = tell_bundle;
	}
	if ((code = ca_load(r.app)) == EXIT_DONE &&
	    (code = read_all(&r)) == EXIT_DONE) {
		request(&r, &rq);
		code = change_run(&change, &rq);
	}
	key_release(&r.user);
	key_release(&r.host);
	secret_free(r.secret);
	return code;
}
