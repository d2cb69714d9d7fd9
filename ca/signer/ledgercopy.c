/* SPDX-License-Identifier: ISC */

/*
 * A private copy of the ledger's file as it is at one moment.  Readers and
 * the preparing of transactions go on meanwhile, commits wait: a gigabyte,
 * some 400,000 certificates, takes a second or two of LEDGER_WAIT_MS.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ca/signer/ledgerdb.h"
#include "core/file.h"

/* NB. file_is_temp() knows it: it is what a crash leaves behind. */
#define COPY	  "." LEDGERDB_FILE ".tmp.000001"
#define MODE_FILE 0600
#define PIECE	  ((size_t)1 << 20) /* bytes, whole pages */
#define TRIES	  20 /* for a name that others remove */

static int
cannot(struct ledger *l, enum reason *whyp)
{
	snprintf(l->error, sizeof(l->error), "a copy of it: %s",
	    strerror(errno));
	*whyp = AAD_R_DISK;
	return AAD_ESYS;
}

/*
 * The copy: empty, ours alone, and there under its name.  Whoever else makes
 * one is waited for; what a killed one left is used again.
 */
static int
open_copy(struct ledger *l, int *fdp, enum reason *whyp)
{
	struct stat sb;
	int i;

	for (i = 0; i < TRIES; i++) {
		*fdp = openat(l->dir, COPY,
		    O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC,
		    MODE_FILE);
		if (*fdp == -1 || flock(*fdp, LOCK_EX) == -1 ||
		    fstat(*fdp, &sb) == -1)
			return cannot(l, whyp);
		if (sb.st_nlink == 1)
			return fchmod(*fdp, MODE_FILE) == 0 &&
				       ftruncate(*fdp, 0) == 0
				   ? 0
				   : cannot(l, whyp);
		file_close(*fdp);
		*fdp = -1;
	}
	snprintf(l->error, sizeof(l->error), "a copy of it does not stay");
	*whyp = AAD_R_LEDGER_BUSY;
	return AAD_EAGAIN;
}

static int
write_all(int fd, const uint8_t *p, size_t len, int64_t at)
{
	ssize_t n;

	for (; len > 0; p += n, len -= (size_t)n, at += n) {
		n = pwrite(fd, p, len, at);
		if (n == -1 && errno == EINTR)
			n = 0;
		if (n == -1)
			return -1;
	}
	return 0;
}

/* All of it, through SQLite's own descriptor: closing another one of the same
 * file would drop its locks (fcntl(2)). */
static int
copy_pages(struct ledger *l, int fd, int64_t size, enum reason *whyp)
{
	uint8_t *buf = malloc(PIECE);
	int64_t at;
	size_t n;
	int r = 0;

	if (buf == NULL) {
		*whyp = AAD_R_NO_MEMORY;
		return AAD_ENOMEM;
	}
	for (at = 0; r == 0 && at < size; at += (int64_t)n) {
		n = size - at < (int64_t)PIECE ? (size_t)(size - at) : PIECE;
		if ((r = ledgerdb_read(l, at, buf, n, whyp)) == 0 &&
		    write_all(fd, buf, n, at) == -1)
			r = cannot(l, whyp);
	}
	free(buf);
	return r;
}

/* Under a reader's lock, with which nobody else commits. */
static int
copy(struct ledger *l, int fd, int64_t *sizep, enum reason *whyp)
{
	sqlite3_stmt *lock;
	bool yes;
	int r;

	if ((r = ledgerdb_stmt(l, STMT_PAGES, &lock, whyp)) != 0)
		return r;
	if ((r = ledgerdb_step(l, lock, &yes, whyp)) == 0) {
		*sizep = sqlite3_column_int64(lock, 0) * LEDGERDB_PAGE;
		r = copy_pages(l, fd, *sizep, whyp);
	}
	ledgerdb_done(lock);
	return r;
}

/* Let SQLite have it, under its name, for it does not follow links. */
static int
open_ledger(struct ledger *l, struct ledger **outp, enum reason *whyp)
{
	int dir = fcntl(l->dir, F_DUPFD_CLOEXEC, 0), r;

	if (dir == -1)
		return cannot(l, whyp);
	if ((r = ledgerdb_connect(dir, COPY, outp, whyp)) != 0) {
		file_close(dir);
		return r;
	}
	if ((r = ledgerdb_private(*outp, whyp)) != 0) {
		memcpy(l->error, (*outp)->error, sizeof(l->error));
		ledger_close(*outp);
		*outp = NULL;
	}
	return r;
}

/* Both, or with outp NULL the file alone. */
static int
make(struct ledger *l, struct ledger **outp, int *fdp, int64_t *sizep,
    enum reason *whyp)
{
	int r;

	*fdp = -1;
	*sizep = 0;
	*whyp = AAD_R_UNSET;
	if (!sqlite3_get_autocommit(l->db) || l->dir == -1)
		return AAD_EARG;
	if ((r = open_copy(l, fdp, whyp)) == 0) {
		if ((r = copy(l, *fdp, sizep, whyp)) == 0 && outp != NULL)
			r = open_ledger(l, outp, whyp);
		(void)unlinkat(l->dir, COPY, 0); /* who has it, owns its name */
	}
	if (r != 0) {
		file_close(*fdp);
		*fdp = -1;
		*sizep = 0;
	}
	return r;
}

int
ledger_copy(struct ledger *l, int *fdp, int64_t *sizep, enum reason *whyp)
{
	return make(l, NULL, fdp, sizep, whyp);
}

int
ledger_snapshot(struct ledger *l, struct ledger **outp, enum reason *whyp)
{
	int64_t size;
	int fd, r;

	*outp = NULL;
	r = make(l, outp, &fd, &size, whyp);
	file_close(fd);
	return r;
}
