/* SPDX-License-Identifier: ISC */

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "cmd/pam_aadssh/judged.h"

static int
refuse(int fd, int err)
{
	close(fd);
	errno = err;
	return -1;
}

int
judged_dir(int dirfd, const char *name, uid_t owner, struct stat *sb)
{
	struct stat own;
	int fd;

	if (sb == NULL)
		sb = &own;
	fd = openat(dirfd, name,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		return -1;
	if (fstat(fd, sb) == -1)
		return refuse(fd, errno);
	if (!S_ISDIR(sb->st_mode) ||
	    (owner != JUDGED_ANY_OWNER && sb->st_uid != owner) ||
	    (sb->st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return refuse(fd, EPERM);
	return fd;
}

static int
open_file(int dirfd, const char *name, uid_t owner)
{
	struct stat sb;
	int fd;

	fd = openat(dirfd, name,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (fd == -1)
		return -1;
	if (fstat(fd, &sb) == -1)
		return refuse(fd, errno);
	if (!S_ISREG(sb.st_mode) || sb.st_nlink != 1 || sb.st_uid != owner ||
	    (sb.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return refuse(fd, EPERM);
	return fd;
}

ssize_t
judged_file(int dirfd, const char *name, uid_t owner, char *buf, size_t size)
{
	size_t have = 0;
	ssize_t n;
	int fd;

	if ((fd = open_file(dirfd, name, owner)) == -1)
		return -1;
	while ((n = read(fd, buf + have, size - have)) != 0) {
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return refuse(fd, errno);
		have += (size_t)n;
		if (have == size)
			return refuse(fd, EFBIG);
	}
	close(fd);
	buf[have] = '\0';
	return (ssize_t)have;
}
