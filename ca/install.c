/* SPDX-License-Identifier: ISC */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ca/install.h"
#include "ca/keyfile.h"
#include "ca/trust.h"
#include "core/file.h"

static bool
same_key(const struct key *a, const struct key *b)
{
	return a->blob_len == b->blob_len &&
	       memcmp(a->blob, b->blob, a->blob_len) == 0;
}

/* The third field of a line begins with our mark. */
static bool
marked(const char *text)
{
	const char *p = strchr(text, ' ');

	p = p == NULL ? NULL : strchr(p + 1, ' ');
	return p != NULL &&
	       strncmp(p + 1, INSTALL_MARK, strlen(INSTALL_MARK)) == 0;
}

int
install_judge(const char *text, size_t len, const struct key *key,
    const struct key *cas, size_t ncas, int64_t now)
{
	char oid[NAME_GUID_LEN + 1];
	enum reason why;
	struct cert c;
	bool ours = false;
	size_t i;
	int r;

	if ((r = cert_from_pub(text, len, &c, &why)) != 0)
		return r == AAD_ENOMEM ? r : AAD_EREFUSED;
	for (i = 0; i < ncas; i++)
		ours = ours || same_key(&cas[i], &c.ca);
	ours = ours ||
	       (marked(text) && now > 0 && c.valid_before <= (uint64_t)now &&
		   (c.type == CERT_HOST || cert_key_oid(&c, oid) == 0));
	ours = ours && same_key(&c.key, key);
	r = ours ? cert_verify(&c) : AAD_EREFUSED;
	cert_release(&c);
	return r == AAD_ESIG ? AAD_EREFUSED : r;
}

/* A certificate of an authority of ours that was revoked has ended, too. */
static int
judge_text(struct ca_app *app, const char *text, size_t len,
    const struct key *key, const struct key *cas, size_t ncas, int64_t now)
{
	int r = install_judge(text, len, key, cas, ncas, now);
	enum reason why;
	struct cert c;

	if (r != AAD_EREFUSED || cert_from_pub(text, len, &c, &why) != 0)
		return r;
	if (trust_revoked(app, &c))
		r = install_judge(text, len, key, cas, ncas, INT64_MAX);
	cert_release(&c);
	return r;
}

/* *newp: there is no such file yet. */
static enum reason
judge_file(struct ca_app *app, int dir, const char *name, const struct key *key,
    const struct key *cas, size_t ncas, int64_t now, bool *newp)
{
	struct stat sb;
	char *text = NULL, path[64];
	size_t len = 0;
	int r, fd;

	*newp = false;
	/* NB. a link would be replaced, not followed; it is not ours. */
	if (fstatat(dir, name, &sb, AT_SYMLINK_NOFOLLOW) == -1) {
		*newp = errno == ENOENT;
		return *newp ? AAD_R_ALLOWED : AAD_R_DISK;
	}
	if (!S_ISREG(sb.st_mode))
		return AAD_R_CERT_FILE;
	fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1)
		return AAD_R_CERT_FILE;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	r = keyfile_slurp(path, CA_PUB_MAX, &text, &len);
	close(fd);
	if (r == 0)
		r = judge_text(app, text, len, key, cas, ncas, now);
	free(text);
	return r == 0		 ? AAD_R_ALLOWED
	       : r == AAD_ENOMEM ? AAD_R_NO_MEMORY
				 : AAD_R_CERT_FILE;
}

static enum reason
disk(struct ca_app *app, const char *path)
{
	return ca_detail(app, AAD_R_DISK, "%s: %s", path, strerror(errno));
}

enum reason
install_may(struct ca_app *app, const char *path, const struct key *key,
    const struct key *cas, size_t ncas, int64_t now)
{
	const char *name;
	enum reason why;
	bool fresh;
	int dir;

	if ((dir = keyfile_parent(path, &name)) == -1)
		return disk(app, path);
	why = judge_file(app, dir, name, key, cas, ncas, now, &fresh);
	if (why == AAD_R_ALLOWED &&
	    faccessat(dir, ".", W_OK | X_OK, AT_EACCESS) == -1)
		why = AAD_R_DISK;
	if (why != AAD_R_ALLOWED)
		ca_detail(app, why, "%s%s%s", path,
		    why == AAD_R_DISK ? ": " : "",
		    why == AAD_R_DISK ? strerror(errno) : "");
	file_close(dir);
	return why;
}

enum reason
install_file(struct ca_app *app, const char *path, const struct cert *c,
    const struct key *cas, size_t ncas, int64_t now)
{
	char comment[64], *line = NULL;
	const char *name;
	enum reason why;
	bool fresh;
	int dir, r;

	if ((dir = keyfile_parent(path, &name)) == -1)
		return disk(app, path);
	snprintf(comment, sizeof(comment), INSTALL_MARK " %" PRIu64, c->serial);
	why = judge_file(app, dir, name, &c->key, cas, ncas, now, &fresh);
	if (why != AAD_R_ALLOWED) {
		ca_detail(app, why, "%s", path);
		goto out;
	}
	if ((r = cert_line(c, comment, &line)) != 0) {
		why = r == AAD_ENOMEM ? AAD_R_NO_MEMORY : AAD_R_UNSET;
		goto out;
	}
	/* NB. where there was none, none may have come meanwhile. */
	r = fresh ? file_create(dir, name, line, strlen(line), 0644)
		  : file_replace(dir, name, line, strlen(line), 0644);
	if (r == AAD_EEXIST)
		why = ca_detail(app, AAD_R_CERT_FILE, "%s", path);
	else if (r != 0)
		why = disk(app, path);
out:
	free(line);
	file_close(dir);
	return why;
}
