/* SPDX-License-Identifier: ISC */

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ca/keyfile.h"
#include "ca/signlock.h"
#include "core/file.h"

/* Whether the name still leads to what is open: who had it before us may have
 * removed it, and somebody else may have made another. */
static bool
in_place(const struct signlock *l, const struct stat *mine)
{
	struct stat sb;

	return fstatat(l->dir, l->name, &sb, AT_SYMLINK_NOFOLLOW) == 0 &&
	       sb.st_dev == mine->st_dev && sb.st_ino == mine->st_ino;
}

static int
take(struct signlock *l)
{
	struct stat sb;

	/* NB. for writing: NFS locks nothing else. */
	l->fd = openat(l->dir, l->name,
	    O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
	    0600);
	if (l->fd == -1)
		return errno == ELOOP ? AAD_EPERM : AAD_ESYS;
	if (fstat(l->fd, &sb) == -1)
		return AAD_ESYS;
	if (!S_ISREG(sb.st_mode) || sb.st_uid != geteuid())
		return AAD_EPERM;
	if (flock(l->fd, LOCK_EX | LOCK_NB) == -1)
		return errno == EWOULDBLOCK || errno == EINTR ? AAD_EAGAIN : 0;
	return in_place(l, &sb) ? 0 : AAD_EAGAIN;
}

int
signlock_try(struct signlock *l, const char *path)
{
	const char *name;
	int n, r;

	l->fd = -1;
	if ((l->dir = keyfile_parent(path, &name)) == -1)
		return AAD_ESYS;
	n = snprintf(l->name, sizeof(l->name), ".%s.lock", name);
	r = n < 0 || (size_t)n >= sizeof(l->name) ? AAD_ETOOBIG : take(l);
	if (r != 0) {
		file_close(l->fd);
		file_close(l->dir);
		l->fd = l->dir = -1;
	}
	return r;
}

void
signlock_drop(struct signlock *l)
{
	if (l->fd == -1)
		return;
	unlinkat(l->dir, l->name, 0);
	close(l->fd);
	close(l->dir);
	l->fd = l->dir = -1;
}
