/* SPDX-License-Identifier: ISC */

/* scratch: a test's directory, without a shell for each. */

#ifndef AAD_SCRATCH_H
#define AAD_SCRATCH_H

/*
 * Remove a directory and everything below it, following no link; one that is
 * not there is no error.
 * Returns 0, or -1 with errno.
 */
int scratch_remove(const char *path);

#endif /* AAD_SCRATCH_H */
