/* SPDX-License-Identifier: ISC */

/* aadssh-ca restore: the authority from a backup, where there is none. */

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ca/change.h"
#include "ca/keyfile.h"
#include "ca/layout.h"
#include "ca/verbs.h"
#include "core/file.h"

#define BACKUP_MAX   (REQUEST_RESTORE_MAX - 65536) /* beside the key */
#define BACKUP_CHUNK 524288 /* bytes of one field */
#define BESIDE	     "restore.backup" /* below DIR, of a larger one */

struct restore {
	struct ca_app *app;
	const char *file;
	const char *recovery;
	bool json;
	struct secret *secret;
	char *bytes;
	size_t len;
	bool large; /* it lies in DIR, where the signer reads it */
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
	if (r->large)
		request_put(rq, REQUEST_L_DATA, "", 0);
	for (at = 0; at < r->len; at += n) {
		n = r->len - at < BACKUP_CHUNK ? r->len - at : BACKUP_CHUNK;
		request_put(rq, REQUEST_L_DATA, r->bytes + at, n);
	}
	request_end(rq);
	secret_free(r->secret);
	r->secret = NULL;
}

/* ---- a backup that no request holds ----------------------------------- */

static int
copy(int from, int to)
{
	static char buf[65536];
	ssize_t n, w, at;

	while ((n = read(from, buf, sizeof(buf))) > 0)
		for (at = 0; at < n; at += w)
			if ((w = write(to, buf + at, (size_t)(n - at))) <= 0)
				return AAD_ESYS;
	return n == 0 && fsync(to) == 0 ? 0 : AAD_ESYS;
}

/* NB. DIR may be another user's: nothing that is there is followed. */
static int
copy_to(int from, int dir, const struct ca_owner *o)
{
	int to, r;

	if (unlinkat(dir, BESIDE, 0) == -1 && errno != ENOENT)
		return AAD_ESYS;
	to = openat(dir, BESIDE,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (to == -1)
		return AAD_ESYS;
	r = copy(from, to);
	if (r == 0 && o->uid != geteuid() && fchown(to, o->uid, o->gid) == -1)
		r = AAD_ESYS;
	file_close(to);
	return r;
}

static int
put_beside(struct restore *r)
{
	struct ca_owner owner;
	enum reason why = ca_owner(r->app, &owner);
	int from, dir, e = AAD_ESYS;

	if (why != AAD_R_ALLOWED)
		return ca_refuse(r->app, why, r->json);
	from = open(r->file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	dir = open(r->app->conf->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (from != -1 && dir != -1)
		e = copy_to(from, dir, &owner);
	if (e != 0)
		fprintf(stderr, "%s: %s/%s: %s\n", CA_PROG, r->app->conf->dir,
		    BESIDE, strerror(errno));
	r->large = true;
	file_close(from);
	file_close(dir);
	return e == 0 ? EXIT_DONE : EXIT_CANNOT;
}

static void
take_away(const struct restore *r)
{
	int dir = open(r->app->conf->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir != -1)
		(void)!unlinkat(dir, BESIDE, 0);
	file_close(dir);
}

/* ---- the whole -------------------------------------------------------- */

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
	if (e != 0 && e != AAD_ETOOBIG)
		return cannot_read(r->file, e);
	if ((code = layout_make(r->app)) != EXIT_DONE)
		return code;
	if (e == 0 || (code = put_beside(r)) == EXIT_DONE) {
		request(r, &rq);
		code = change_run(&change, &rq);
	}
	if (r->large)
		take_away(r);
	return code;
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
