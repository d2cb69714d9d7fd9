/* SPDX-License-Identifier: ISC */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ca/take.h"
#include "core/file.h"

struct take {
	struct wirebuf all;
};

static enum reason
on_reply(void *arg, const struct request *reply)
{
	const struct request_field *f;
	struct take *t = arg;
	size_t i;

	if (reply->op != REQUEST_DATA)
		return AAD_R_SIGNER_REPLY;
	for (i = 0; (f = request_get(reply, REQUEST_L_DATA, i)) != NULL; i++) {
		if (f->len > TAKE_MAX - t->all.len)
			return AAD_R_SIGNER_REPLY;
		wire_put_raw(&t->all, f->p, f->len);
	}
	return t->all.r == 0 ? AAD_R_ALLOWED : AAD_R_NO_MEMORY;
}

static int
open_dir(const char *path, const char **namep)
{
	const char *slash = strrchr(path, '/');
	char *dir;
	int fd;

	*namep = slash == NULL ? path : slash + 1;
	dir = slash == NULL   ? strdup(".")
	      : slash == path ? strdup("/")
			      : strndup(path, (size_t)(slash - path));
	if (dir == NULL)
		return -1;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(dir);
	return fd;
}

enum reason
take_store(struct ca_app *app, const void *p, size_t len, const char *path,
    mode_t mode, bool replace)
{
	const char *name;
	int dir, r;

	if (strcmp(path, "-") == 0)
		return fwrite(p, 1, len, stdout) == len ? AAD_R_ALLOWED
							: AAD_R_DISK;
	if ((dir = open_dir(path, &name)) == -1)
		return ca_detail(app, AAD_R_DISK, "%s: %s", path,
		    strerror(errno));
	r = replace ? file_replace(dir, name, p, len, mode)
		    : file_create(dir, name, p, len, mode);
	file_close(dir);
	if (r == 0)
		return AAD_R_ALLOWED;
	if (r == AAD_EEXIST)
		return ca_detail(app, AAD_R_CERT_FILE, "%s", path);
	return ca_detail(app, AAD_R_DISK, "%s: %s", path,
	    r == AAD_ESYS ? strerror(errno) : err_name(r));
}

enum reason
take_file(struct ca_app *app, enum request_op op, const char *path, mode_t mode,
    bool replace, json_t **endp)
{
	struct take t = { wirebuf_new() };
	struct wirebuf rq = wirebuf_new();
	enum reason why;

	request_begin(&rq, op);
	request_end(&rq);
	why = door_ask(app, &rq, DOOR_LONG_MS, NULL, on_reply, &t, endp);
	wirebuf_release(&rq);
	if (why == AAD_R_ALLOWED && t.all.len == 0)
		why = AAD_R_SIGNER_REPLY;
	if (why == AAD_R_ALLOWED)
		why = take_store(app, t.all.p, t.all.len, path, mode, replace);
	wirebuf_release(&t.all);
	return why;
}
