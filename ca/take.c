/* SPDX-License-Identifier: ISC */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ca/keyfile.h"
#include "ca/progress.h"
#include "ca/take.h"
#include "cmd/cli/stop.h"
#include "core/file.h"
#include "ssh/krl.h"

struct take {
	struct ca_app *app;
	const char *path;
	bool to_stdout;
	int dir;
	const char *name; /* in it */
	struct file_new file;
	uint64_t len; /* bytes so far */
	struct progress progress;
};

static enum reason
cannot_write(struct take *t, int r)
{
	return ca_detail(t->app, AAD_R_DISK, "%s: %s", t->path,
	    r == AAD_ESYS ? strerror(errno) : err_name(r));
}

/* Whether an open file begins as a KRL does, or is empty. */
static bool
is_krl(int fd)
{
	char head[KRL_MAGIC_LEN];
	ssize_t n = read(fd, head, sizeof(head));

	return n == 0 || (n == (ssize_t)sizeof(head) &&
			     memcmp(head, KRL_MAGIC, sizeof(head)) == 0);
}

/* NB. root may say /dev/null, or type the name of another file. */
static bool
may_replace(int dir, const char *name)
{
	struct stat sb;
	bool yes;
	int fd;

	if (fstatat(dir, name, &sb, AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT;
	if (!S_ISREG(sb.st_mode))
		return false;
	fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	yes = fd != -1 && is_krl(fd);
	file_close(fd);
	return yes;
}

/* What can be known to fail fails before the signer is asked. */
static enum reason
begin(struct take *t, bool replace)
{
	struct stat sb;
	int r;

	if (t->to_stdout)
		return AAD_R_ALLOWED;
	if ((t->dir = keyfile_parent(t->path, &t->name)) == -1)
		return cannot_write(t, AAD_ESYS);
	if (replace ? !may_replace(t->dir, t->name)
		    : fstatat(t->dir, t->name, &sb, AT_SYMLINK_NOFOLLOW) == 0)
		return ca_detail(t->app, AAD_R_CERT_FILE, "%s", t->path);
	r = file_new_open(t->dir, t->name, &t->file);
	return r == 0 ? AAD_R_ALLOWED : cannot_write(t, r);
}

static enum reason
finish(struct take *t, mode_t mode, bool replace)
{
	int r;

	if (t->to_stdout)
		return fflush(stdout) == 0 ? AAD_R_ALLOWED
					   : cannot_write(t, AAD_ESYS);
	r = file_new_keep(&t->file, t->name, mode, replace);
	if (r == AAD_EEXIST)
		return ca_detail(t->app, AAD_R_CERT_FILE, "%s", t->path);
	return r == 0 ? AAD_R_ALLOWED : cannot_write(t, r);
}

static struct take
take_to(struct ca_app *app, const char *path)
{
	return (struct take){ .app = app,
		.path = path,
		.to_stdout = strcmp(path, "-") == 0,
		.dir = -1,
		.file = { .fd = -1 } };
}

static enum reason
put(struct take *t, const void *p, size_t len)
{
	int r;

	if (t->to_stdout)
		r = fwrite(p, 1, len, stdout) == len ? 0 : AAD_ESYS;
	else
		r = file_new_write(&t->file, p, len);
	if (r != 0)
		return cannot_write(t, r);
	t->len += len;
	return AAD_R_ALLOWED;
}

static enum reason
on_reply(void *arg, const struct request *reply)
{
	const struct request_field *f;
	struct take *t = arg;
	enum reason why;
	size_t i;

	if (reply->op != REQUEST_DATA)
		return AAD_R_SIGNER_REPLY;
	for (i = 0; (f = request_get(reply, REQUEST_L_DATA, i)) != NULL; i++)
		if ((why = put(t, f->p, f->len)) != AAD_R_ALLOWED)
			return why;
	progress_at(&t->progress, t->len);
	return AAD_R_ALLOWED;
}

enum reason
take_file(struct ca_app *app, enum request_op op, const char *verb,
    const char *path, mode_t mode, bool replace, json_t **endp)
{
	struct take t = take_to(app, path);
	const volatile sig_atomic_t *stop = stop_catch(0, 0);
	struct wirebuf rq = wirebuf_new();
	enum reason why;

	*endp = NULL;
	if ((why = begin(&t, replace)) == AAD_R_ALLOWED) {
		request_begin(&rq, op);
		request_end(&rq);
		progress_begin(&t.progress, verb, 0);
		why = door_ask(app, &rq, DOOR_LONG_MS, stop, on_reply, &t,
		    endp);
		progress_end(&t.progress);
	}
	wirebuf_release(&rq);
	if (why == AAD_R_ALLOWED && t.len == 0)
		why = AAD_R_SIGNER_REPLY;
	if (why == AAD_R_ALLOWED)
		why = finish(&t, mode, replace);
	file_new_drop(&t.file);
	file_close(t.dir);
	return why;
}
