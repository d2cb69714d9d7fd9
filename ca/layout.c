/* SPDX-License-Identifier: ISC */

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ca/layout.h"
#include "core/file.h"

#define TENANT	    "tenant"
#define TENANT_USER "aadssh"

static int
cannot(const char *what, const char *why)
{
	fprintf(stderr, "%s: %s: %s\n", CA_PROG, what, why);
	return EXIT_CANNOT;
}

static const char *
fault(int r)
{
	return r == AAD_EPERM ? "it is there and belongs to root; remove it if "
				"it is empty, or give it to who is to have it"
			      : strerror(errno);
}

/* The account's ids; for who is not root, our own. */
static int
owner_of(const char *user, struct ca_owner *out)
{
	const struct passwd *pw;

	out->uid = geteuid();
	out->gid = getegid();
	if (out->uid != 0)
		return 0;
	if ((pw = getpwnam(user)) == NULL)
		return AAD_ENOENT;
	out->uid = pw->pw_uid;
	out->gid = pw->pw_gid;
	return 0;
}

/*
 * What is there already, and root's, while root makes it for somebody else: by
 * hand, or by an init that was killed in its middle.  Nobody is to find out
 * later that the signer runs as root.
 */
static int
judge_old(int dir, const char *name, const struct ca_owner *o)
{
	struct stat sb;

	if (geteuid() != 0 || o->uid == 0)
		return 0;
	if (fstatat(dir, name, &sb, 0) == -1)
		return AAD_ESYS;
	return sb.st_uid == 0 ? AAD_EPERM : 0;
}

/* Make name below the directory open at dir, for o, unless it is there.
 * NB. dir may be another user's: nothing is followed.
 * Returns 0; AAD_EPERM when it is there and root's; AAD_ESYS. */
static int
make(int dir, const char *name, const struct ca_owner *o)
{
	struct stat sb;
	int fd, r = 0;

	if (mkdirat(dir, name, 0700) == -1)
		return errno == EEXIST ? judge_old(dir, name, o) : AAD_ESYS;
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		return AAD_ESYS;
	/* Only what we made is empty and ours. */
	if (fstat(fd, &sb) == -1 || sb.st_uid != geteuid() ||
	    (sb.st_uid != o->uid && fchown(fd, o->uid, o->gid) == -1) ||
	    fchmod(fd, 0755) == -1)
		r = AAD_ESYS;
	file_close(fd);
	return r;
}

/* The parent of path, open, and the name within. */
static int
open_parent(const char *path, const char **namep)
{
	char parent[PATH_MAX];
	const char *slash = strrchr(path, '/');
	size_t len;

	*namep = "";
	if (slash == NULL || (len = (size_t)(slash - path)) >= sizeof(parent)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	*namep = slash + 1;
	memcpy(parent, len == 0 ? "/" : path, len == 0 ? 1 : len);
	parent[len == 0 ? 1 : len] = '\0';
	return open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int
make_path(const char *path, const struct ca_owner *o)
{
	const char *name;
	int dir = open_parent(path, &name), r = AAD_ESYS;

	if (dir == -1 || (r = make(dir, name, o)) != 0)
		r = cannot(path, fault(r));
	file_close(dir);
	return r;
}

static int
make_tenant(const struct conf *conf, const struct ca_owner *o)
{
	struct ca_owner fetcher;
	int dir, r;

	if (owner_of(TENANT_USER, &fetcher) != 0) {
		fprintf(stderr,
		    "%s: warning: there is no account named %s, so %s/%s is "
		    "%s's\n",
		    CA_PROG, TENANT_USER, conf->dir, TENANT, conf->user);
		fetcher = *o;
	}
	dir = open(conf->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = AAD_ESYS;
	if (dir == -1 || (r = make(dir, TENANT, &fetcher)) != 0)
		r = cannot(r == AAD_EPERM ? TENANT : conf->dir, fault(r));
	file_close(dir);
	return r;
}

int
layout_make(struct ca_app *app)
{
	const struct conf *conf = app->conf;
	struct ca_owner o, there;
	int code;

	if (owner_of(conf->user, &o) != 0) {
		fprintf(stderr,
		    "%s: %s: [process] user: there is no account named %s\n",
		    CA_PROG, app->conf_path, conf->user);
		return EXIT_CANNOT;
	}
	if ((code = make_path(conf->dir, &o)) != EXIT_DONE)
		return code;
	/* What was there already has the last word on whose it is. */
	if (geteuid() == 0 && ca_owner(app, &there) == AAD_R_ALLOWED)
		o = there;
	if ((code = make_tenant(conf, &o)) != EXIT_DONE)
		return code;
	return make_path(conf->publish_dir, &o);
}
