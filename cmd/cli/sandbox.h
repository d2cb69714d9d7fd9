/* SPDX-License-Identifier: ISC */

/*
 * sandbox: fences of Linux around a process that reads a few files, writes
 * one answer and ends.  Landlock where the kernel has it, seccomp always.
 */

#ifndef AAD_SANDBOX_H
#define AAD_SANDBOX_H

#include <stddef.h>

#include "core/err.h"

/*
 * From now on only these paths, and what lies below them, can be opened,
 * and only for reading; in the directory open at append, files can also be
 * made and written, but neither read, cut nor removed.  A kernel without
 * Landlock fences nothing here; a path that does not exist is passed over.
 *
 * append: -1 for none.
 * Needs no-new-privs.  Returns 0; AAD_ESYS.
 */
int sandbox_paths(const char *const *paths, size_t n,
    int append) AAD_MUST_CHECK;

/*
 * From now on only the system calls of reading files, memory, the log socket
 * that is already connected, and ending.  All others fail with EPERM: a
 * program, a socket, a process or a file can't be made.  A call of another
 * architecture kills the process.
 *
 * Needs no-new-privs.  Returns 0; AAD_ESYS.
 */
int sandbox_calls(void) AAD_MUST_CHECK;

/*
 * The same two fences with other openings, for a process that keeps files of
 * its own.  In and below the directories open at fds (-1: passed over) it
 * may read, write, make and remove files, directories and symbolic links.
 * Only these system calls are allowed; sendto(2) without an address, when it
 * is among them.
 *
 * Needs no-new-privs.  Return 0; AAD_EARG for more than SANDBOX_CALLS_MAX
 * calls, or none; AAD_ESYS.
 */
#define SANDBOX_CALLS_MAX 100
int sandbox_own(const char *const *paths, size_t n, const int *fds,
    size_t nfds) AAD_MUST_CHECK;
int sandbox_only(const unsigned int *calls, size_t ncalls) AAD_MUST_CHECK;

#endif /* AAD_SANDBOX_H */
