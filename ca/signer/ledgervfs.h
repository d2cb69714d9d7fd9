/* SPDX-License-Identifier: ISC */

/*
 * ledgervfs: how SQLite reaches the ledger's file: by the path as it is given,
 * and so that who copies the file meanwhile learns which pages were written.
 *
 * Whoever copies makes LEDGERVFS_NOTES beside the ledger and holds its
 * flock(2).  From its next exclusive lock on, each writer appends the number
 * of every page there, four bytes of the host's order, before it writes the
 * page.  One that cannot removes the file instead, as it does with one that a
 * killed copier left; a commit never fails for it.
 */

#ifndef AAD_LEDGERVFS_H
#define AAD_LEDGERVFS_H

#define LEDGERVFS_NAME	"aadssh"
#define LEDGERVFS_NOTES "ledger.db-copying"

/* Before the first connection; again: a no-op.  Returns SQLite's code. */
int ledgervfs_register(void);

#endif /* AAD_LEDGERVFS_H */
