/* SPDX-License-Identifier: ISC */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "core/file.h"

/*
 * ".NAME.tmp.XXXXXX", X a hex digit.  NB. the leading '.' keeps it apart from
 * every name of ours: "alice.tmp.0a1b2c" is a login, and its denial must not
 * be taken for rubbish.
 */
#define TEMP_MARK   ".tmp."
#define TEMP_DIGITS 6
#define TEMP_TRIES  8
#define READ_TRIES  8 /* a writer that beats us more often has us refuse */

static bool
owner_right(uid_t uid, struct file_owner right)
{
	return right.owner == FILE_ANY_OWNER || uid == right.owner ||
	       (right.also != FILE_ANY_OWNER && uid == right.also);
}

/* Judge what is open at fd: a plain file that only its owner can change. */
static int
judge(int fd, struct file_owner right, size_t max, size_t *lenp)
{
	struct stat sb;

	if (fstat(fd, &sb) == -1)
		return AAD_ESYS;
	if (S_ISREG(sb.st_mode) && sb.st_nlink == 0)
		return AAD_EAGAIN; /* replaced or removed since it was opened */
	if (!S_ISREG(sb.st_mode) || (sb.st_nlink != 1 && !right.linked) ||
	    !owner_right(sb.st_uid, right) ||
	    (sb.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return AAD_EPERM;
	if (sb.st_size < 0 || (uintmax_t)sb.st_size > max)
		return AAD_ETOOBIG;
	*lenp = (size_t)sb.st_size;
	return 0;
}

/*
 * Exactly len bytes and then the end of the file, into len + 1: one byte
 * more is asked for, and a regular file gives less only at its end.
 */
static int
read_full(int fd, char *buf, size_t len)
{
	size_t have = 0;
	ssize_t n;

	for (;;) {
		n = read(fd, buf + have, len + 1 - have);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return AAD_ESYS;
		have += (size_t)n;
		if (have > len || (n == 0 && have < len))
			return AAD_EFORMAT;
		if (have == len)
			return 0;
	}
}

static int
open_error(void)
{
	switch (errno) {
	case ENOENT:
		return AAD_ENOENT;
	case ELOOP: /* a link */
	case ENXIO: /* a socket, or a FIFO that nobody holds */
	case ENOTDIR: /* O_DIRECTORY on something else */
		return AAD_EPERM;
	default:
		return AAD_ESYS;
	}
}

void
file_close(int fd)
{
	int saved = errno;

	if (fd != -1)
		close(fd);
	errno = saved;
}

/* Open what name is now and judge it; *fdp is -1 unless 0 is returned. */
static int
open_judged(int dirfd, const char *name, struct file_owner right, size_t max,
    int *fdp, size_t *lenp)
{
	int fd, tries, r = AAD_EAGAIN;

	*fdp = -1;
	for (tries = 0; r == AAD_EAGAIN && tries < READ_TRIES; tries++) {
		fd = openat(dirfd, name,
		    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
		if (fd == -1)
			return open_error();
		if ((r = judge(fd, right, max, lenp)) == 0)
			*fdp = fd;
		else
			file_close(fd);
	}
	return r;
}

int
file_read(int dirfd, const char *name, struct file_owner right, size_t max,
    char **bufp, size_t *lenp)
{
	char *buf = NULL;
	size_t len = 0;
	int fd, r = AAD_EINTERNAL;

	*bufp = NULL;
	*lenp = 0;
	if ((r = open_judged(dirfd, name, right, max, &fd, &len)) != 0)
		return r;
	if ((buf = malloc(len + 1)) == NULL) {
		r = AAD_ENOMEM;
		goto out;
	}
	if ((r = read_full(fd, buf, len)) != 0)
		goto out;
	buf[len] = '\0';
	*bufp = buf;
	*lenp = len;
	buf = NULL; /* now the caller's */
out:
	file_close(fd);
	free(buf);
	return r;
}

static int
write_full(int fd, const char *buf, size_t len)
{
	ssize_t n;

	while (len > 0) {
		n = write(fd, buf, len);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return AAD_ESYS;
		buf += n;
		len -= (size_t)n;
	}
	return 0;
}

/* name may be a path; its temporary twin is in the same directory. */
static int
temp_name(const char *name, char temp[NAME_MAX + 1])
{
	const char *slash = strrchr(name, '/');
	int n, folder = slash != NULL ? (int)(slash - name) + 1 : 0;

	n = snprintf(temp, NAME_MAX + 1, "%.*s.%s" TEMP_MARK "%0*x", folder,
	    name, name + folder, TEMP_DIGITS,
	    (unsigned int)(randombytes_random() & 0xffffff));
	return n < 0 || n > NAME_MAX ? AAD_ETOOBIG : 0;
}

/* Open a new temporary file beside name; temp receives its name. */
static int
temp_open(int dirfd, const char *name, char temp[NAME_MAX + 1], int *fdp)
{
	int tries;

	for (tries = 0; tries < TEMP_TRIES; tries++) {
		if (temp_name(name, temp) != 0)
			return AAD_ETOOBIG;
		*fdp = openat(dirfd, temp,
		    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (*fdp != -1)
			return 0;
		if (errno != EEXIST)
			return AAD_ESYS;
	}
	return AAD_ESYS;
}

int
file_new_open(int dirfd, const char *name, struct file_new *f)
{
	int r;

	f->dirfd = dirfd;
	f->fd = -1;
	if ((r = temp_open(dirfd, name, f->temp, &f->fd)) != 0)
		f->temp[0] = '\0';
	return r;
}

int
file_new_write(struct file_new *f, const void *buf, size_t len)
{
	return write_full(f->fd, buf, len);
}

/* Give it a name that there is not. */
static int
name_anew(const struct file_new *f, const char *name)
{
	if (renameat2(f->dirfd, f->temp, f->dirfd, name, RENAME_NOREPLACE) == 0)
		return 0;
	/* NB. NFS has no such rename; a second name is new or none, too. */
	if (errno != EINVAL ||
	    linkat(f->dirfd, f->temp, f->dirfd, name, 0) == -1)
		return -1;
	unlinkat(f->dirfd, f->temp, 0);
	return 0;
}

int
file_new_keep(struct file_new *f, const char *name, mode_t mode, bool replace)
{
	if (fchmod(f->fd, mode) == -1 || fsync(f->fd) == -1)
		return AAD_ESYS;
	if (replace ? renameat2(f->dirfd, f->temp, f->dirfd, name, 0) == -1
		    : name_anew(f, name) == -1)
		return errno == EEXIST && !replace ? AAD_EEXIST : AAD_ESYS;
	f->temp[0] = '\0';
	return fsync(f->dirfd) == -1 ? AAD_ESYS : 0;
}

void
file_new_drop(struct file_new *f)
{
	int saved = errno;

	if (f->fd != -1 && f->temp[0] != '\0')
		unlinkat(f->dirfd, f->temp, 0);
	errno = saved;
	file_close(f->fd);
	f->fd = -1;
}

static int
put(int dirfd, const char *name, const void *buf, size_t len, mode_t mode,
    bool replace)
{
	struct file_new f;
	int r = file_new_open(dirfd, name, &f);

	if (r == 0 && (r = file_new_write(&f, buf, len)) == 0)
		r = file_new_keep(&f, name, mode, replace);
	file_new_drop(&f);
	return r;
}

int
file_replace(int dirfd, const char *name, const void *buf, size_t len,
    mode_t mode)
{
	return put(dirfd, name, buf, len, mode, true);
}

int
file_create(int dirfd, const char *name, const void *buf, size_t len,
    mode_t mode)
{
	return put(dirfd, name, buf, len, mode, false);
}

int
file_remove(int dirfd, const char *name)
{
	if (unlinkat(dirfd, name, 0) == -1)
		return errno == ENOENT ? AAD_ENOENT : AAD_ESYS;
	return fsync(dirfd) == -1 ? AAD_ESYS : 0;
}

bool
file_is_temp(const char *name)
{
	size_t len = strlen(name), tail = strlen(TEMP_MARK) + TEMP_DIGITS;
	const char *mark;

	if (name[0] != '.' || len < 2 + tail)
		return false;
	mark = name + (len - tail);
	return strncmp(mark, TEMP_MARK, strlen(TEMP_MARK)) == 0 &&
	       strspn(mark + strlen(TEMP_MARK), "0123456789abcdef") ==
		   TEMP_DIGITS;
}

static int
judge_dir(const struct stat *sb, struct file_owner right)
{
	return S_ISDIR(sb->st_mode) && owner_right(sb->st_uid, right) &&
		       (sb->st_mode & (S_IWGRP | S_IWOTH)) == 0
		   ? 0
		   : AAD_EPERM;
}

int
file_dir_open(int dirfd, const char *name, struct file_owner right, int *fdp)
{
	struct stat sb;
	int fd, r;

	*fdp = -1;
	fd = openat(dirfd, name,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		return open_error();
	r = fstat(fd, &sb) == -1 ? AAD_ESYS : judge_dir(&sb, right);
	if (r != 0) {
		file_close(fd);
		return r;
	}
	*fdp = fd;
	return 0;
}

int
file_dir_check(int dirfd, const char *name, struct file_owner right)
{
	struct stat sb;

	if (fstatat(dirfd, name, &sb, AT_SYMLINK_NOFOLLOW) == -1)
		return open_error();
	return judge_dir(&sb, right);
}

/* An empty directory appears with exactly this mode, or not at all. */
static int
dir_create(int dirfd, const char *name, mode_t mode)
{
	char temp[NAME_MAX + 1];
	int fd, saved, r;

	if ((r = temp_name(name, temp)) != 0)
		return r;
	if (mkdirat(dirfd, temp, 0700) == -1)
		return AAD_ESYS;
	fd = openat(dirfd, temp,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1 || fchmod(fd, mode) == -1 || fsync(fd) == -1 ||
	    renameat2(dirfd, temp, dirfd, name, RENAME_NOREPLACE) == -1) {
		saved = errno;
		r = errno == EEXIST ? AAD_EEXIST : AAD_ESYS;
		unlinkat(dirfd, temp, AT_REMOVEDIR);
		errno = saved;
	} else if (dirfd != AT_FDCWD && fsync(dirfd) == -1) {
		r = AAD_ESYS;
	}
	file_close(fd);
	return r;
}

int
file_dir_make(int dirfd, const char *name, struct file_owner right, mode_t mode,
    int *fdp)
{
	int r;

	*fdp = -1;
	if ((r = file_dir_open(dirfd, name, right, fdp)) != AAD_ENOENT)
		return r;
	r = dir_create(dirfd, name, mode);
	if (r != 0 && r != AAD_EEXIST)
		return r;
	return file_dir_open(dirfd, name, right, fdp);
}

int
file_dir_each(int dirfd, file_each_fn *fn, void *arg)
{
	struct dirent *ent;
	DIR *d;
	int fd, saved, r = 0;

	fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return AAD_ESYS;
	if ((d = fdopendir(fd)) == NULL) {
		file_close(fd);
		return AAD_ESYS;
	}
	while (r == 0) {
		errno = 0;
		if ((ent = readdir(d)) == NULL) {
			r = errno == 0 ? 0 : AAD_ESYS;
			break;
		}
		r = fn(arg, ent->d_name);
	}
	saved = errno;
	closedir(d);
	errno = saved;
	return r;
}
