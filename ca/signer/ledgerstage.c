/* SPDX-License-Identifier: ISC */

/* A ledger from a backup, of any size. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ca/signer/ledgerdb.h"
#include "core/file.h"

/* NB. file_is_temp() knows it: it is what a crash leaves behind. */
#define STAGED	  "." LEDGERDB_FILE ".tmp.000000"
#define MODE_FILE 0600
#define PIECE	  65536 /* bytes */

/* A new file of this name, open for both. */
static int
make(int dir, const char *name)
{
	int fd;

	if (unlinkat(dir, name, 0) == -1 && errno != ENOENT)
		return -1;
	fd = openat(dir, name,
	    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, MODE_FILE);
	if (fd != -1 && fchmod(fd, MODE_FILE) == -1) {
		file_close(fd);
		return -1;
	}
	return fd;
}

int
ledger_stage(int dirfd, int *fdp, enum reason *whyp)
{
	int dir, r;

	*fdp = -1;
	*whyp = AAD_R_LEDGER;
	if ((r = ledgerdb_folder(dirfd, true, &dir)) != 0)
		return r;
	if ((*fdp = make(dir, STAGED)) == -1)
		r = AAD_ESYS;
	file_close(dir);
	return r;
}

/* Let SQLite read it, and look at everything. */
static int
inspect(struct ledger *l, enum reason *whyp)
{
	uint8_t head[LEDGERDB_HEADER];
	size_t faults = 0;
	int r;

	if ((r = ledgerdb_read(l, 0, head, sizeof(head), whyp)) != 0 ||
	    (r = ledgerdb_header(head, sizeof(head), whyp)) != 0 ||
	    (r = ledgerdb_check(l, whyp)) != 0 ||
	    (r = ledger_verify(l, NULL, NULL, NULL, &faults, whyp)) != 0)
		return r;
	return faults == 0 ? 0
			   : ledgerdb_altered(l, "it does not verify", whyp);
}

int
ledger_stage_check(int dirfd, enum reason *whyp)
{
	struct ledger *l = NULL;
	int dir, r;

	*whyp = AAD_R_LEDGER;
	if ((r = ledgerdb_folder(dirfd, false, &dir)) != 0)
		return r;
	if ((r = ledgerdb_connect(dir, STAGED, &l, whyp)) == 0)
		r = inspect(l, whyp);
	ledgerdb_close(l);
	file_close(dir);
	return r;
}

/* len bytes at this place of both. */
static int
compare(struct ledger *l, int fd, int64_t at, uint8_t *p, size_t len, bool *yes,
    enum reason *whyp)
{
	uint8_t *q = p + PIECE;
	ssize_t n;
	int r;

	if ((r = ledgerdb_read(l, at, p, len, whyp)) != 0)
		return r;
	n = pread(fd, q, len, at);
	if (n == -1) {
		*whyp = AAD_R_LEDGER;
		return AAD_ESYS;
	}
	*yes = (size_t)n == len && memcmp(p, q, len) == 0;
	return 0;
}

static int
compare_all(struct ledger *l, int fd, bool *yes, enum reason *whyp)
{
	struct stat sb;
	int64_t size, at;
	uint8_t *p;
	size_t n;
	int r;

	if ((r = ledgerdb_size(l, &size, whyp)) != 0)
		return r;
	*whyp = AAD_R_LEDGER;
	if (fstat(fd, &sb) == -1)
		return AAD_ESYS;
	*whyp = AAD_R_NO_MEMORY;
	if ((p = malloc((size_t)2 * PIECE)) == NULL)
		return AAD_ENOMEM;
	*yes = sb.st_size == size;
	for (at = 0; r == 0 && *yes && at < size; at += (int64_t)n) {
		n = size - at < PIECE ? (size_t)(size - at) : PIECE;
		r = compare(l, fd, at, p, n, yes, whyp);
	}
	free(p);
	return r;
}

int
ledger_stage_same(int dirfd, struct ledger *l, bool *yes, enum reason *whyp)
{
	int dir, fd, r;

	*yes = false;
	*whyp = AAD_R_LEDGER;
	if ((r = ledgerdb_folder(dirfd, false, &dir)) != 0)
		return r;
	fd = openat(dir, STAGED, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		r = AAD_ESYS;
	else if ((r = ledger_begin(l, whyp)) == 0) {
		r = compare_all(l, fd, yes, whyp);
		ledger_rollback(l);
	}
	file_close(fd);
	file_close(dir);
	return r;
}

/* All of it is on the disk before it has its name. */
static int
give_name(int dir)
{
	int fd = openat(dir, STAGED, O_RDONLY | O_NOFOLLOW | O_CLOEXEC), r = 0;

	if (fd == -1 || fsync(fd) == -1)
		r = AAD_ESYS;
	else if (renameat2(dir, STAGED, dir, LEDGERDB_FILE, RENAME_NOREPLACE) ==
		 -1)
		r = errno == EEXIST ? AAD_EEXIST : AAD_ESYS;
	else if (fsync(dir) == -1)
		r = AAD_ESYS;
	file_close(fd);
	return r;
}

int
ledger_stage_place(int dirfd, enum reason *whyp)
{
	int dir, r;

	*whyp = AAD_R_LEDGER;
	if ((r = ledgerdb_folder(dirfd, false, &dir)) != 0)
		return r;
	if ((r = ledgerdb_vacant(dir)) == 0)
		r = give_name(dir);
	if (r == AAD_EEXIST)
		*whyp = AAD_R_CA_EXISTS;
	file_close(dir);
	return r;
}

void
ledger_stage_drop(int dirfd)
{
	int dir, saved = errno;

	if (ledgerdb_folder(dirfd, false, &dir) == 0) {
		unlinkat(dir, STAGED, 0);
		file_close(dir);
		unlinkat(dirfd, LEDGERDB_FOLDER, AT_REMOVEDIR);
	}
	errno = saved;
}
