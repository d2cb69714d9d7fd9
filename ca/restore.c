/* SPDX-License-Identifier: ISC */

/* aadssh-ca restore: the authority from a backup, where there is none. */

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ca/change.h"
#include "ca/keyfile.h"
#include "ca/layout.h"
#include "ca/progress.h"
#include "ca/verbs.h"
#include "core/file.h"

struct restore {
	struct ca_app *app;
	const char *file;
	const char *recovery;
	bool json;
	struct secret *secret;
	int fd; /* file, open */
	uint64_t len, sent; /* bytes of it */
	struct progress progress;
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
	return ca_fault(path, keyfile_fault(r, errno));
}

/* Its length is told in advance, so it must be known. */
static int
open_file(struct restore *r)
{
	struct stat sb;

	r->fd = open(r->file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (r->fd == -1 || fstat(r->fd, &sb) == -1)
		return cannot_read(r->file,
		    errno == ENOENT ? AAD_ENOENT : AAD_ESYS);
	if (!S_ISREG(sb.st_mode))
		return ca_fault(r->file, "it must be a regular file");
	r->len = (uint64_t)sb.st_size;
	return EXIT_DONE;
}

/* The file, as it comes from the disk. */
static ssize_t
more(void *arg, uint8_t *buf, size_t len)
{
	struct restore *r = arg;
	ssize_t n;

	if (len > r->len - r->sent)
		len = (size_t)(r->len - r->sent);
	do {
		n = read(r->fd, buf, len);
	} while (n == -1 && errno == EINTR);
	if (n == -1)
		(void)cannot_read(r->file, AAD_ESYS);
	else
		r->sent += (uint64_t)n;
	progress_at(&r->progress, r->sent);
	if (n <= 0 && r->progress.shown) {
		progress_end(&r->progress);
		fprintf(stderr, "%s: it is read, and now checked\n", CA_PROG);
	}
	return n;
}

static void
request(struct restore *r, struct wirebuf *rq)
{
	char context[CA_DETAIL_MAX];

	ca_context("restore", context);
	request_begin(rq, REQUEST_RESTORE);
	request_put_text(rq, REQUEST_L_CONTEXT, context);
	request_put(rq, REQUEST_L_SECRET, secret_bytes(r->secret),
	    secret_len(r->secret));
	request_put_u64(rq, REQUEST_L_LENGTH, r->len);
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
	const struct door_more file = { more, r };
	struct change change = { .app = r->app,
		.json = r->json,
		.always = true,
		.more = &file,
		.tell = tell_restored };
	struct wirebuf rq = wirebuf_new();
	int code, e;

	if ((code = ca_load(r->app)) != EXIT_DONE)
		return code;
	if ((e = keyfile_secret(r->recovery, &r->secret)) != 0)
		return cannot_read(r->recovery, e);
	if ((code = open_file(r)) != EXIT_DONE ||
	    (code = layout_make(r->app)) != EXIT_DONE)
		return code;
	request(r, &rq);
	progress_begin(&r->progress, "restore", r->len);
	return change_run(&change, &rq);
}

int
verb_restore(void *arg, int argc, char **argv)
{
	struct restore r = { .app = arg, .fd = -1 };
	int code;

	if (parse(argc, argv, &r) != 0)
		return ca_usage(arg, argv[0]);
	code = run(&r);
	progress_end(&r.progress);
	secret_free(r.secret);
	file_close(r.fd);
	return code;
}
