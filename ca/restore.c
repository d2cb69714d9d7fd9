/* SPDX-License-Identifier: ISC */

/* aadssh-ca restore: the authority from a backup, where there is none. */

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/change.h"
#include "ca/keyfile.h"
#include "ca/layout.h"
#include "ca/verbs.h"

#define BACKUP_MAX   (REQUEST_RESTORE_MAX - 65536) /* beside the key */
#define BACKUP_CHUNK 524288 /* bytes of one field */

struct restore {
	struct ca_app *app;
	const char *file;
	const char *recovery;
	bool json;
	struct secret *secret;
	char *bytes;
	size_t len;
};

static int
parse(int argc, char **argv, struct restore *r)
{
	static const struct option longs[] = {
		{ "recovery", required_argument, NULL, 'r' },
		{ "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (c == 'r')
			r->recovery = optarg;
		else if (c == 'j')
			r->json = true;
		else
			return -1;
	}
	if (argc - optind != 1 || r->recovery == NULL)
		return -1;
	r->file = argv[optind];
	return 0;
}

static int
cannot_read(const char *path, int r)
{
	fprintf(stderr, "%s: %s: %s\n", CA_PROG, path, keyfile_fault(r, errno));
	return EXIT_CANNOT;
}

static void
request(struct restore *r, struct wirebuf *rq)
{
	char context[CA_DETAIL_MAX];
	size_t at, n;

	ca_context("restore", context);
	request_begin(rq, REQUEST_RESTORE);
	request_put_text(rq, REQUEST_L_CONTEXT, context);
	request_put(rq, REQUEST_L_SECRET, secret_bytes(r->secret),
	    secret_len(r->secret));
	for (at = 0; at < r->len; at += n) {
		n = r->len - at < BACKUP_CHUNK ? r->len - at : BACKUP_CHUNK;
		request_put(rq, REQUEST_L_DATA, r->bytes + at, n);
	}
	request_end(rq);
	secret_free(r->secret);
	r->secret = NULL;
}

static void
tell_restored(const json_t *end)
{
	printf("The authority is there again.\n");
	rows_object(stdout, end, "  ");
}

static int
run(struct restore *r)
{
	struct change change = { .app = r->app,
		.json = r->json,
		.always = true,
		.tell = tell_restored };
	struct wirebuf rq = wirebuf_new();
	int code, e;

	if ((code = ca_load(r->app)) != EXIT_DONE)
		return code;
	if ((e = keyfile_secret(r->recovery, &r->secret)) != 0)
		return cannot_read(r->recovery, e);
	e = keyfile_slurp(r->file, BACKUP_MAX, &r->bytes, &r->len);
	if (e != 0)
		return cannot_read(r->file, e);
	if ((code = layout_make(r->app)) != EXIT_DONE)
		return code;
	request(r, &rq);
	return change_run(&change, &rq);
}

int
verb_restore(void *arg, int argc, char **argv)
{
	struct restore r = { .app = arg };
	int code;

	if (parse(argc, argv, &r) != 0)
		return ca_usage(arg, argv[0]);
	code = run(&r);
	secret_free(r.secret);
	free(r.bytes);
	return code;
}
