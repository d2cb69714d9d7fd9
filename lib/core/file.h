/* SPDX-License-Identifier: ISC */

/*
 * file: how every file that decides something is read and written.
 *
 * Read: openat(2) O_NOFOLLOW|O_NONBLOCK|O_CLOEXEC, then everything is judged
 * by fstat(2) on the descriptor: a regular file, one link, the right owner,
 * not writable by group or others, not over its size cap.
 * Write: a new temporary file beside it, fchmod, write, fsync, rename, fsync
 * of the directory.  A crash at any instant leaves the old file or the new.
 */

#ifndef AAD_FILE_H
#define AAD_FILE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/err.h"

#define FILE_ANY_OWNER ((uid_t)-1) /* read: the owner does not matter */
#define FILE_NAME_MAX  243 /* bytes; NAME_MAX less what a temporary adds */

/* Who may own a file: owner, or also, or neither when any. */
struct file_owner {
	uid_t owner; /* FILE_ANY_OWNER: do not judge */
	uid_t also; /* a second right owner; FILE_ANY_OWNER: none */
	/*
	 * More links than one are no fault.  Below a directory of ours a second
	 * link is a trick; to a file in /etc anybody may make one where
	 * fs.protected_hardlinks is 0, and must not lock everybody out by it.
	 */
	bool linked;
};

/*
 * Read a whole file.
 *
 * dirfd: directory that name is relative to, or AT_FDCWD.
 * max: bytes; a larger file is refused.  Empty files are read as 0 bytes.
 * *bufp: NULL unless 0 is returned; then the caller frees it with free(3).
 * It holds *lenp bytes and one NUL behind them that *lenp does not count.
 *
 * Returns 0; AAD_ENOENT when there is no such name; AAD_EPERM when it is not
 * a regular file with one link, a right owner and no write bit for group or
 * others (a symbolic link is that too); AAD_ETOOBIG; AAD_EFORMAT when it
 * changed its size while it was read; AAD_EAGAIN when each time that it was
 * opened another file had taken its place; AAD_ENOMEM; AAD_ESYS with errno.
 */
int file_read(int dirfd, const char *name, struct file_owner right, size_t max,
    char **bufp, size_t *lenp) AAD_MUST_CHECK;

/*
 * Replace or create a file with these bytes, crash-safe.
 *
 * dirfd: an open directory, never AT_FDCWD (it is fsynced).
 * name: at most FILE_NAME_MAX bytes; one component, else the fsync goes to
 * the wrong directory.
 * mode: exact permission bits; the umask does not matter.
 * The temporary file is .NAME.tmp.XXXXXX in the same directory, removed on
 * every failure; file_is_temp() knows one that a crash left behind.
 *
 * Returns 0; AAD_ETOOBIG when the name is too long; AAD_ESYS with errno.
 * After AAD_ESYS the name holds what it held, or, when only the last fsync
 * failed, the new bytes.
 */
int file_replace(int dirfd, const char *name, const void *buf, size_t len,
    mode_t mode) AAD_MUST_CHECK;

/*
 * The same, but the name must not exist: it appears whole or not at all
 * (renameat2(2) RENAME_NOREPLACE; where that is unknown, as on NFS, link(2),
 * and a crash may leave the temporary name, too).
 *
 * Returns as file_replace(), and AAD_EEXIST.
 */
int file_create(int dirfd, const char *name, const void *buf, size_t len,
    mode_t mode) AAD_MUST_CHECK;

/*
 * The same for what does not fit into memory: a temporary file beside the
 * name, written piece by piece, then kept or dropped.
 */
struct file_new {
	int dirfd; /* borrowed */
	int fd; /* -1: there is none */
	char temp[NAME_MAX + 1];
};

/* Returns 0; AAD_ETOOBIG; AAD_ESYS with errno.  file_new_drop() ends it in
 * any case. */
int file_new_open(int dirfd, const char *name,
    struct file_new *f) AAD_MUST_CHECK;
/* Returns 0; AAD_ESYS with errno. */
int file_new_write(struct file_new *f, const void *buf,
    size_t len) AAD_MUST_CHECK;
/* Give it its name; replace: also where the name exists.  Returns as
 * file_replace() or file_create(). */
int file_new_keep(struct file_new *f, const char *name, mode_t mode,
    bool replace) AAD_MUST_CHECK;
/* Close it, and remove what was not kept; errno stays. */
void file_new_drop(struct file_new *f);

/*
 * Remove a name and fsync the directory.
 * Returns 0; AAD_ENOENT when there was none; AAD_ESYS with errno.
 */
int file_remove(int dirfd, const char *name) AAD_MUST_CHECK;

/*
 * Whether a name is one that file_replace() or file_create() made up.  It
 * begins with '.', which no login, GUID, hash or file name of ours does.
 */
bool file_is_temp(const char *name);

/*
 * Open a directory below dirfd, O_NOFOLLOW, judged on the descriptor.
 *
 * *fdp: -1 unless 0 is returned; then the caller closes it.
 * Returns 0; AAD_ENOENT; AAD_EPERM when it is no directory, is a link, has
 * another owner, or is writable by group or others; AAD_ESYS with errno.
 */
int file_dir_open(int dirfd, const char *name, struct file_owner right,
    int *fdp) AAD_MUST_CHECK;

/*
 * The same look without opening it, for a directory that only its right
 * owner could exchange before it is walked through.
 */
int file_dir_check(int dirfd, const char *name,
    struct file_owner right) AAD_MUST_CHECK;

/*
 * The same, and a missing directory is made first: it appears with exactly
 * this mode or not at all, whatever the umask and whenever the process ends,
 * and is fsynced into dirfd (not for AT_FDCWD).  A crash may leave an empty
 * directory that file_is_temp() knows.  The mode of one that is there
 * already is not touched.
 *
 * Returns as file_dir_open(), without AAD_ENOENT for name itself; and
 * AAD_ETOOBIG when the name is too long.
 */
int file_dir_make(int dirfd, const char *name, struct file_owner right,
    mode_t mode, int *fdp) AAD_MUST_CHECK;

/* Called for each name, "." and ".." too; non-zero ends the walk. */
typedef int file_each_fn(void *arg, const char *name);

/*
 * Walk the names in the directory that is open at dirfd, which stays open
 * and may be O_PATH, in no order.  A name that is replaced meanwhile may
 * come twice.
 * Returns 0, the callback's value, or AAD_ESYS with errno.
 */
int file_dir_each(int dirfd, file_each_fn *fn, void *arg) AAD_MUST_CHECK;

/* close(2) on the way out of an error: errno stays, -1 is a no-op. */
void file_close(int fd);

#endif /* AAD_FILE_H */
