/* SPDX-License-Identifier: ISC */

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <jansson.h>

#include "test/unit/fault.h"

static enum fault_kind armed;
static unsigned int countdown;
static int fault_errno;
static bool reached;
static void (*behind_openat)(void);

/* Whether this call, of one of two sorts, is the one that was armed. */
static bool
due(bool allocation)
{
	if (armed == FAULT_NONE || (armed == FAULT_ALLOC) != allocation)
		return false;
	if (countdown == 0 || --countdown > 0)
		return false;
	reached = true;
	if (armed == FAULT_KILL)
		_exit(137);
	errno = fault_errno;
	return true;
}

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
char *__real_strdup(const char *s);
char *__real_strndup(const char *s, size_t n);
int __real_openat(int dirfd, const char *name, int flags, ...);
ssize_t __real_read(int fd, void *buf, size_t n);
ssize_t __real_write(int fd, const void *buf, size_t n);
int __real_fsync(int fd);
int __real_fchmod(int fd, mode_t mode);
int __real_fstat(int fd, struct stat *sb);
int __real_renameat2(int od, const char *o, int nd, const char *n,
    unsigned int flags);
int __real_unlinkat(int dirfd, const char *name, int flags);
int __real_flock(int fd, int how);
int __real_ftruncate(int fd, off_t len);
ssize_t __real_pread(int fd, void *buf, size_t n, off_t at);
ssize_t __real_pwrite(int fd, const void *buf, size_t n, off_t at);
int __real_mkdirat(int dirfd, const char *name, mode_t mode);

void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
char *__wrap_strdup(const char *s);
char *__wrap_strndup(const char *s, size_t n);
int __wrap_openat(int dirfd, const char *name, int flags, ...);
ssize_t __wrap_read(int fd, void *buf, size_t n);
ssize_t __wrap_write(int fd, const void *buf, size_t n);
int __wrap_fsync(int fd);
int __wrap_fchmod(int fd, mode_t mode);
int __wrap_fstat(int fd, struct stat *sb);
int __wrap_renameat2(int od, const char *o, int nd, const char *n,
    unsigned int flags);
int __wrap_unlinkat(int dirfd, const char *name, int flags);
int __wrap_mkdirat(int dirfd, const char *name, mode_t mode);
int __wrap_flock(int fd, int how);
int __wrap_ftruncate(int fd, off_t len);
ssize_t __wrap_pread(int fd, void *buf, size_t n, off_t at);
ssize_t __wrap_pwrite(int fd, const void *buf, size_t n, off_t at);

void *
__wrap_malloc(size_t n)
{
	return due(true) ? NULL : __real_malloc(n);
}

void *
__wrap_calloc(size_t n, size_t size)
{
	return due(true) ? NULL : __real_calloc(n, size);
}

void *
__wrap_realloc(void *p, size_t n)
{
	return due(true) ? NULL : __real_realloc(p, n);
}

char *
__wrap_strdup(const char *s)
{
	return due(true) ? NULL : __real_strdup(s);
}

char *
__wrap_strndup(const char *s, size_t n)
{
	return due(true) ? NULL : __real_strndup(s, n);
}

int
__wrap_openat(int dirfd, const char *name, int flags, ...)
{
	static bool within;
	mode_t mode;
	va_list ap;
	int fd;

	va_start(ap, flags);
	mode = (flags & 0100) != 0 ? va_arg(ap, mode_t) : 0;
	va_end(ap);
	fd = due(false) ? -1 : __real_openat(dirfd, name, flags, mode);
	if (fd != -1 && behind_openat != NULL && !within) {
		within = true;
		behind_openat();
		within = false;
	}
	return fd;
}

ssize_t
__wrap_read(int fd, void *buf, size_t n)
{
	return due(false) ? -1 : __real_read(fd, buf, n);
}

ssize_t
__wrap_write(int fd, const void *buf, size_t n)
{
	return due(false) ? -1 : __real_write(fd, buf, n);
}

int
__wrap_fsync(int fd)
{
	return due(false) ? -1 : __real_fsync(fd);
}

int
__wrap_fchmod(int fd, mode_t mode)
{
	return due(false) ? -1 : __real_fchmod(fd, mode);
}

int
__wrap_fstat(int fd, struct stat *sb)
{
	return due(false) ? -1 : __real_fstat(fd, sb);
}

int
__wrap_renameat2(int od, const char *o, int nd, const char *n,
    unsigned int flags)
{
	return due(false) ? -1 : __real_renameat2(od, o, nd, n, flags);
}

int
__wrap_unlinkat(int dirfd, const char *name, int flags)
{
	return due(false) ? -1 : __real_unlinkat(dirfd, name, flags);
}

int
__wrap_mkdirat(int dirfd, const char *name, mode_t mode)
{
	return due(false) ? -1 : __real_mkdirat(dirfd, name, mode);
}

int
__wrap_flock(int fd, int how)
{
	return due(false) ? -1 : __real_flock(fd, how);
}

int
__wrap_ftruncate(int fd, off_t len)
{
	return due(false) ? -1 : __real_ftruncate(fd, len);
}

ssize_t
__wrap_pread(int fd, void *buf, size_t n, off_t at)
{
	return due(false) ? -1 : __real_pread(fd, buf, n, at);
}

ssize_t
__wrap_pwrite(int fd, const void *buf, size_t n, off_t at)
{
	return due(false) ? -1 : __real_pwrite(fd, buf, n, at);
}

static void *
json_alloc(size_t n)
{
	return __wrap_malloc(n);
}

void
fault_arm(enum fault_kind kind, unsigned int k, int err)
{
	json_set_alloc_funcs(json_alloc, free);
	reached = false;
	fault_errno = err;
	countdown = k;
	armed = kind;
}

bool
fault_disarm(void)
{
	armed = FAULT_NONE;
	return reached;
}

void
fault_behind_openat(void (*fn)(void))
{
	behind_openat = fn;
}
