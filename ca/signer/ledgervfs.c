/* SPDX-License-Identifier: ISC */

#include "ca/signer/ledgervfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include <sqlite3.h>

#include "ca/signer/ledgerdb.h"
#include "core/file.h"

/* What stands behind SQLite's own record of an open database. */
struct noting {
	const char *path; /* of the database; SQLite's, while it is open */
	int fd; /* notes, within an exclusive lock; else -1 */
};

static sqlite3_vfs vfs; /* SQLite keeps it in a list */
static const sqlite3_vfs *own;
static const sqlite3_io_methods *plain; /* SQLite's; the same for all */
static sqlite3_io_methods methods; /* those, but for three */

static struct noting *
noting_of(sqlite3_file *f)
{
	return (struct noting *)(void *)((char *)f + own->szOsFile);
}

/* ---- notes ---------------------------------------------------------- */

/* The notes' path, beside the database; false for what is no ledger. */
static bool
notes_path(const char *path, char *out, size_t size)
{
	const char *base = strrchr(path, '/');
	int n;

	if (base == NULL || strcmp(base + 1, LEDGERDB_FILE) != 0)
		return false;
	n = snprintf(out, size, "%.*s/%s", (int)(base - path), path,
	    LEDGERVFS_NOTES);
	return n > 0 && (size_t)n < size;
}

/* No more notes: those that are there are not all. */
static void
spoil(struct noting *n)
{
	char path[64];

	if (notes_path(n->path, path, sizeof(path)))
		(void)unlinkat(AT_FDCWD, path, 0);
	file_close(n->fd);
	n->fd = -1;
}

/* Whether somebody copies is asked once for each exclusive lock. */
static void
begin_notes(struct noting *n)
{
	char path[64];

	if (n->fd != -1 || !notes_path(n->path, path, sizeof(path)))
		return;
	n->fd = openat(AT_FDCWD, path,
	    O_WRONLY | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (n->fd == -1 && errno == ENOENT)
		return;
	/* Nobody who copies holds it, or it cannot be written. */
	if (n->fd == -1 || flock(n->fd, LOCK_SH | LOCK_NB) == 0 ||
	    errno != EWOULDBLOCK)
		spoil(n);
}

static void
note(struct noting *n, sqlite3_int64 at, int len)
{
	uint32_t page = (uint32_t)(at / LEDGERDB_PAGE) + 1;

	if (n->fd != -1 &&
	    (at % LEDGERDB_PAGE != 0 || len != LEDGERDB_PAGE ||
		write(n->fd, &page, sizeof(page)) != sizeof(page)))
		spoil(n);
}

/* ---- SQLite's calls -------------------------------------------------- */

static int
lock(sqlite3_file *f, int level)
{
	int rc = plain->xLock(f, level), saved = errno;

	if (rc == SQLITE_OK && level == SQLITE_LOCK_EXCLUSIVE)
		begin_notes(noting_of(f));
	errno = saved; /* ledgerdb_fail() looks at it */
	return rc;
}

static int
unlock(sqlite3_file *f, int level)
{
	struct noting *n = noting_of(f);

	file_close(n->fd);
	n->fd = -1;
	return plain->xUnlock(f, level);
}

static int
write_page(sqlite3_file *f, const void *p, int len, sqlite3_int64 at)
{
	note(noting_of(f), at, len);
	return plain->xWrite(f, p, len, at);
}

static int
open_file(sqlite3_vfs *v, const char *path, sqlite3_file *f, int flags,
    int *outp)
{
	int rc = own->xOpen(v, path, f, flags, outp);

	if (rc != SQLITE_OK || (flags & SQLITE_OPEN_MAIN_DB) == 0)
		return rc;
	*noting_of(f) = (struct noting){ path, -1 };
	if (plain == NULL) {
		plain = f->pMethods;
		methods = *plain;
		methods.xLock = lock;
		methods.xUnlock = unlock;
		methods.xWrite = write_page;
	}
	/* It may have chosen others for another kind of file system. */
	if (f->pMethods != plain) {
		(void)f->pMethods->xClose(f);
		f->pMethods = NULL;
		return SQLITE_CANTOPEN;
	}
	f->pMethods = &methods;
	return SQLITE_OK;
}

/*
 * SQLite's own way to the full path follows /proc/self/fd/N and goes on with
 * what the directory is called, which may be another one by then.
 */
static int
path_as_it_is(sqlite3_vfs *v, const char *path, int size, char *out)
{
	int n = snprintf(out, (size_t)size, "%s", path);

	(void)v;
	return n < 0 || n >= size ? SQLITE_CANTOPEN : SQLITE_OK;
}

int
ledgervfs_register(void)
{
	int rc;

	if (vfs.zName != NULL)
		return SQLITE_OK;
	if ((rc = sqlite3_initialize()) != SQLITE_OK)
		return rc;
	if ((own = sqlite3_vfs_find("unix")) == NULL)
		return SQLITE_CANTOPEN;
	vfs = *own;
	vfs.pNext = NULL;
	vfs.zName = LEDGERVFS_NAME;
	vfs.szOsFile += (int)sizeof(struct noting);
	vfs.xOpen = open_file;
	vfs.xFullPathname = path_as_it_is;
	return sqlite3_vfs_register(&vfs, 0);
}
