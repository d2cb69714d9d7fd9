/* SPDX-License-Identifier: ISC */

/* The ledger's directory and file: made, judged, opened, copied. */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ca/signer/ledgerdb.h"
#include "core/file.h"

#define MODE_DIR  0700
#define MODE_FILE 0600

static struct file_owner
ourselves(void)
{
	const struct file_owner self = { geteuid(), FILE_ANY_OWNER,
		.linked = false };

	return self;
}

static bool
closed_to_others(const struct stat *sb)
{
	return sb->st_uid == geteuid() && (sb->st_mode & 077) == 0;
}

/*
 * Judge a file in the directory that is open at dir.
 * NB. O_PATH: closing any other descriptor of a file gives up all locks that
 * this process has on it, also SQLite's (fcntl(2)).
 */
static int
judge(int dir, const char *name, struct stat *sb)
{
	int fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC), r = 0;

	if (fd == -1)
		return errno == ENOENT ? AAD_ENOENT : AAD_ESYS;
	if (fstat(fd, sb) == -1)
		r = AAD_ESYS;
	else if (!S_ISREG(sb->st_mode) || sb->st_nlink != 1 ||
		 !closed_to_others(sb))
		r = AAD_EPERM;
	file_close(fd);
	return r;
}

/*
 * What SQLite would act upon beside the file.  A journal of ours is what a
 * crash left behind and is rolled back; there is never a WAL.
 */
static int
judge_beside(int dir)
{
	struct stat sb;
	int r;

	r = judge(dir, LEDGERDB_FILE "-journal", &sb);
	if (r != 0 && r != AAD_ENOENT)
		return r;
	if ((r = judge(dir, LEDGERDB_FILE "-wal", &sb)) == AAD_ENOENT)
		r = judge(dir, LEDGERDB_FILE "-shm", &sb);
	if (r == AAD_ENOENT)
		return 0;
	return r == 0 ? AAD_EPERM : r;
}

int
ledgerdb_folder(int dirfd, bool make, int *fdp)
{
	struct stat sb;
	int r = make ? file_dir_make(dirfd, LEDGERDB_FOLDER, ourselves(),
			   MODE_DIR, fdp)
		     : file_dir_open(dirfd, LEDGERDB_FOLDER, ourselves(), fdp);

	if (r != 0)
		return r;
	if (fstat(*fdp, &sb) == -1)
		r = AAD_ESYS;
	else if (!closed_to_others(&sb))
		r = AAD_EPERM;
	if (r != 0) {
		file_close(*fdp);
		*fdp = -1;
	}
	return r;
}

/* The file that SQLite has open is the one that was judged. */
static int
same_file(struct ledger *l, const struct stat *judged, enum reason *whyp)
{
	struct stat sb;
	int moved = 1, rc, r;

	rc = sqlite3_file_control(l->db, "main", SQLITE_FCNTL_HAS_MOVED,
	    &moved);
	if (rc != SQLITE_OK)
		return ledgerdb_fail(l, rc, whyp);
	*whyp = AAD_R_LEDGER;
	if ((r = judge(l->dir, LEDGERDB_FILE, &sb)) != 0)
		return r;
	if (moved || sb.st_dev != judged->st_dev || sb.st_ino != judged->st_ino)
		return AAD_EPERM;
	return sqlite3_db_readonly(l->db, "main") == 0 ? 0 : AAD_ESYS;
}

/* Connect to what was judged, and look into it. */
static int
attach(int dir, const struct stat *judged, struct ledger **outp,
    enum reason *whyp)
{
	uint8_t head[LEDGERDB_HEADER];
	int r;

	if ((r = ledgerdb_connect(dir, LEDGERDB_FILE, outp, whyp)) != 0)
		return r;
	if ((r = same_file(*outp, judged, whyp)) != 0 ||
	    (r = ledgerdb_read(*outp, 0, head, sizeof(head), whyp)) != 0 ||
	    (r = ledgerdb_header(head, sizeof(head), whyp)) != 0 ||
	    (r = ledgerdb_check(*outp, whyp)) != 0) {
		ledgerdb_close(*outp);
		*outp = NULL;
	}
	return r;
}

int
ledger_open(int dirfd, struct ledger **outp, enum reason *whyp)
{
	struct stat sb;
	int dir = -1, r;

	*outp = NULL;
	*whyp = AAD_R_LEDGER;
	r = ledgerdb_folder(dirfd, false, &dir);
	if (r == 0)
		r = judge(dir, LEDGERDB_FILE, &sb);
	if (r == AAD_ENOENT)
		*whyp = AAD_R_NO_CA;
	if (r == 0)
		r = judge_beside(dir);
	if (r == 0)
		r = attach(dir, &sb, outp, whyp);
	if (r != 0)
		file_close(dir);
	return r;
}

void
ledger_close(struct ledger *l)
{
	int dir;

	if (l == NULL)
		return;
	dir = l->dir;
	ledger_rollback(l);
	ledgerdb_close(l);
	file_close(dir);
}

int
ledgerdb_vacant(int dir)
{
	struct stat sb;
	int r;

	if (judge(dir, LEDGERDB_FILE, &sb) != AAD_ENOENT)
		return AAD_EEXIST;
	/* SQLite would roll an old journal back into the new file. */
	if ((r = judge(dir, LEDGERDB_FILE "-journal", &sb)) == AAD_ENOENT)
		return judge_beside(dir);
	return r == 0 ? AAD_EPERM : r;
}

/*
 * Put a whole ledger where none is.  It appears with file_create(), so a
 * crash leaves none or all of it.
 */
static int
place(int dirfd, const uint8_t *p, size_t len, enum reason *whyp)
{
	int dir = -1, r;

	*whyp = AAD_R_LEDGER;
	if ((r = ledgerdb_folder(dirfd, true, &dir)) != 0)
		return r;
	if ((r = ledgerdb_vacant(dir)) == 0)
		r = file_create(dir, LEDGERDB_FILE, p, len, MODE_FILE);
	if (r == AAD_EEXIST)
		*whyp = AAD_R_CA_EXISTS;
	file_close(dir);
	return r;
}

int
ledger_create(int dirfd, struct ledger **outp, enum reason *whyp)
{
	struct ledger *empty = NULL;
	unsigned char *p = NULL;
	sqlite3_int64 len = 0;
	int r;

	*outp = NULL;
	if ((r = ledgerdb_connect(-1, "", &empty, whyp)) != 0)
		return r;
	if ((r = ledgerdb_make(empty, whyp)) == 0) {
		p = sqlite3_serialize(empty->db, "main", &len, 0);
		r = p != NULL ? place(dirfd, p, (size_t)len, whyp)
			      : ledgerdb_fail(empty, SQLITE_NOMEM, whyp);
	}
	sqlite3_free(p);
	ledgerdb_close(empty);
	return r == 0 ? ledger_open(dirfd, outp, whyp) : r;
}
