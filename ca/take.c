/* SPDX-License-Identifier: ISC */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ca/keyfile.h"
#include "ca/take.h"
#include "core/file.h"
#include "ssh/krl.h"

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

static enum reason
store(struct ca_app *app, const struct wirebuf *b, const char *path,
    mode_t mode, bool replace)
{
	const char *name;
	int dir, r;

	if (strcmp(path, "-") == 0)
		return fwrite(b->p, 1, b->len, stdout) == b->len ? AAD_R_ALLOWED
								 : AAD_R_DISK;
	if ((dir = keyfile_parent(path, &name)) == -1)
		return ca_detail(app, AAD_R_DISK, "%s: %s", path,
		    strerror(errno));
	if (!replace)
		r = file_create(dir, name, b->p, b->len, mode);
	else if (may_replace(dir, name))
		r = file_replace(dir, name, b->p, b->len, mode);
	else
		r = AAD_EEXIST;
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
		why = store(app, &t.all, path, mode, replace);
	wirebuf_release(&t.all);
	return why;
}
