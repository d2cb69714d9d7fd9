/* SPDX-License-Identifier: ISC */

/*
 * judged: directories and files that count only when they belong to whom
 * they should and nobody else can change them.  Judged by fstat(2) on the
 * descriptor, as lib/core/file does it.
 */

#ifndef AAD_PAM_JUDGED_H
#define AAD_PAM_JUDGED_H

#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

#define JUDGED_ANY_OWNER ((uid_t)-1)

/*
 * Open a directory below dirfd (or AT_FDCWD): no link, owner's, not writable
 * by group or others.
 *
 * sb: what fstat(2) says of it; may be NULL.
 * Returns the descriptor, the caller's, or -1 with errno: ENOENT when the
 * name isn't there, EPERM when it is not as it should be, and others.
 */
int judged_dir(int dirfd, const char *name, uid_t owner, struct stat *sb);

/*
 * Read a whole file of at most size - 1 bytes below dirfd: regular, no link,
 * one name, owner's, not writable by group or others.  buf ends in NUL.
 *
 * Returns its length, or -1 with errno as above; EFBIG when it is longer.
 */
ssize_t judged_file(int dirfd, const char *name, uid_t owner, char *buf,
    size_t size);

#endif /* AAD_PAM_JUDGED_H */
