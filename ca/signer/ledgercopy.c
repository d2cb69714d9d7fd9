/* SPDX-License-Identifier: ISC */

/*
 * A private copy of the ledger's file as it is at one moment, made beside
 * writers without holding them up: a piece at a time under a lock of its own,
 * then what was written meanwhile, as the writers say (ledgervfs.h), until
 * that is so little that it is read under one lock.
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
#include "ca/signer/ledgervfs.h"
#include "core/file.h"

/* NB. file_is_temp() knows it: it is what a crash leaves behind. */
#define COPY	  "." LEDGERDB_FILE ".tmp.000001"
#define MODE_FILE 0600
#define PIECE	  LEDGER_PIECE_PAGES /* pages under one lock */
#define HOT	  4096 /* pages that were just written, which is in memory */
#define ROUNDS	  1000 /* until the writers are caught up with */
#define TRIES	  20 /* for notes that others remove */
#define NAP	  2 /* ms, between two looks for a lock */
#define NAPS	  10000 /* then it is busy */

struct copying {
	struct ledger *l;
	int fd; /* the copy */
	int notes; /* open for both, and locked */
	int64_t done; /* bytes of notes that are dealt with */
	int64_t pages; /* of the file at the last lock */
	int64_t commits; /* that the notes know of, at most */
	uint32_t first; /* the change counter at the first lock */
	uint8_t *stale; /* a bit for each page that was written since */
	size_t nstale, cap; /* bits; bytes of stale */
	uint8_t *buf; /* HOT pages */
	uint32_t list[HOT]; /* what buf holds, by number */
	size_t n;
	sqlite3_stmt *lock; /* while a reader's lock is held */
	enum reason *whyp;
};

static int
cannot(struct copying *c)
{
	snprintf(c->l->error, sizeof(c->l->error), "a copy of it: %s",
	    strerror(errno));
	*c->whyp = AAD_R_DISK;
	return AAD_ESYS;
}

static int
busy(struct copying *c, const char *words)
{
	snprintf(c->l->error, sizeof(c->l->error), "a copy of it: %s", words);
	*c->whyp = AAD_R_LEDGER_BUSY;
	return AAD_EAGAIN;
}

/* ---- locks ------------------------------------------------------------ */

/* SQLite's own waits grow, and would miss the moment between two commits. */
static int
wait_a_little(void *arg, int n)
{
	(void)arg;
	(void)sqlite3_sleep(NAP);
	return n < NAPS;
}

/* Keep writers from the file, and learn its size. */
static int
hold(struct copying *c)
{
	bool yes;
	int r;

	if ((r = ledgerdb_stmt(c->l, STMT_PAGES, &c->lock, c->whyp)) != 0)
		return r;
	if ((r = ledgerdb_step(c->l, c->lock, &yes, c->whyp)) == 0) {
		c->pages = sqlite3_column_int64(c->lock, 0);
		return 0;
	}
	ledgerdb_done(c->lock);
	c->lock = NULL;
	return r;
}

static void
let_go(struct copying *c)
{
	ledgerdb_done(c->lock);
	c->lock = NULL;
}

/* ---- pages ------------------------------------------------------------ */

/* Read what c->list names; neighbours at once. */
static int
read_pages(struct copying *c)
{
	size_t i, k;
	int r = 0;

	for (i = 0; r == 0 && i < c->n; i += k) {
		for (k = 1; i + k < c->n && c->list[i + k] == c->list[i] + k;)
			k++;
		r = ledgerdb_read(c->l,
		    ((int64_t)c->list[i] - 1) * LEDGERDB_PAGE,
		    c->buf + i * LEDGERDB_PAGE, k * LEDGERDB_PAGE, c->whyp);
	}
	return r;
}

static int
write_pages(struct copying *c)
{
	size_t left = 0;
	const uint8_t *p = c->buf;
	off_t at = 0;
	ssize_t n;

	for (size_t i = 0; i < c->n; i++)
		for (left = LEDGERDB_PAGE,
		    at = ((off_t)c->list[i] - 1) * LEDGERDB_PAGE;
		     left > 0; left -= (size_t)n, p += n, at += n) {
			n = pwrite(c->fd, p, left, at);
			if (n == -1 && errno == EINTR)
				n = 0;
			if (n == -1)
				return cannot(c);
		}
	return 0;
}

/* A piece from this page on, or less at the end. */
static int
copy_piece(struct copying *c, int64_t from)
{
	int r;

	if ((r = hold(c)) != 0)
		return r;
	for (c->n = 0; c->n < PIECE && from + (int64_t)c->n <= c->pages; c->n++)
		c->list[c->n] = (uint32_t)from + (uint32_t)c->n;
	r = read_pages(c);
	let_go(c);
	return r == 0 ? write_pages(c) : r;
}

/* ---- what others write meanwhile -------------------------------------- */

/* Room for a bit for each page that there is by now. */
static int
make_room(struct copying *c)
{
	size_t need = (size_t)c->pages / 8 + 1;
	uint8_t *more;

	if (need <= c->cap)
		return 0;
	need += need / 8;
	if ((more = realloc(c->stale, need)) == NULL) {
		*c->whyp = AAD_R_NO_MEMORY;
		return AAD_ENOMEM;
	}
	memset(more + c->cap, 0, need - c->cap);
	c->stale = more;
	c->cap = need;
	return 0;
}

static void
mark(struct copying *c, uint32_t page)
{
	uint8_t bit = (uint8_t)(1 << page % 8);

	c->commits += page == 1;
	/* Else of what was rolled back. */
	if (page < 1 || page > c->pages || (c->stale[page / 8] & bit) != 0)
		return;
	c->stale[page / 8] |= bit;
	c->nstale++;
}

/* All that was noted since the last time. */
static int
read_notes(struct copying *c)
{
	struct stat sb;
	ssize_t len;
	int r;

	if ((r = make_room(c)) != 0)
		return r;
	do {
		len = pread(c->notes, c->list, sizeof(c->list), c->done);
		if (len == -1 || fstat(c->notes, &sb) == -1)
			return cannot(c);
		if (sb.st_nlink == 0 || len % 4 != 0)
			return busy(c, "somebody wrote and could not say what");
		for (ssize_t i = 0; i < len / 4; i++)
			mark(c, c->list[i]);
		c->done += len;
	} while (len > 0);
	return 0;
}

/* As many of the marked ones as there is room for. */
static void
pick_stale(struct copying *c)
{
	uint32_t page;

	c->n = 0;
	for (size_t i = 0; c->nstale > 0 && i < c->cap; i++)
		for (page = (uint32_t)i * 8; c->stale[i] != 0 && c->n < HOT;
		     page++)
			if ((c->stale[i] & 1 << page % 8) != 0) {
				c->stale[i] &= (uint8_t) ~(1 << page % 8);
				c->nstale--;
				c->list[c->n++] = page;
			}
}

static int
counter(struct copying *c, uint32_t *np)
{
	uint8_t p[4];
	int r = ledgerdb_read(c->l, 24, p, sizeof(p), c->whyp);

	if (r == 0)
		*np = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
		      (uint32_t)p[2] << 8 | p[3];
	return r;
}

/* With the lock under which the last notes were read: this is the moment. */
static int
check_commits(struct copying *c)
{
	uint32_t now = 0;
	int r = counter(c, &now);

	if (r == 0 && now - c->first > c->commits)
		return busy(c, "somebody wrote and did not say what");
	return r;
}

static int
catch_up(struct copying *c)
{
	bool all = false;
	int i, r = 0;

	for (i = 0; r == 0 && !all; i++) {
		if (i == ROUNDS)
			return busy(c, "others write faster than it is made");
		if ((r = hold(c)) != 0)
			return r;
		if ((r = read_notes(c)) == 0) {
			pick_stale(c);
			all = c->nstale == 0;
			r = read_pages(c);
		}
		if (r == 0 && all)
			r = check_commits(c);
		let_go(c);
		if (r == 0)
			r = write_pages(c);
	}
	return r;
}

/* ---- the files -------------------------------------------------------- */

/*
 * The notes: empty, ours alone, and there under their name.  Whoever else
 * copies is waited for.
 */
static int
open_notes(struct copying *c)
{
	struct stat sb;
	int i;

	for (i = 0; i < TRIES; i++) {
		c->notes = openat(c->l->dir, LEDGERVFS_NOTES,
		    O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC,
		    MODE_FILE);
		if (c->notes == -1 || flock(c->notes, LOCK_EX) == -1 ||
		    fstat(c->notes, &sb) == -1)
			return cannot(c);
		if (sb.st_nlink == 1)
			return ftruncate(c->notes, 0) == 0 ? 0 : cannot(c);
		file_close(c->notes);
		c->notes = -1;
	}
	return busy(c, "the list of what is written does not stay");
}

/* The copy.  NB. who holds the notes owns its name, too. */
static int
open_copy(struct copying *c)
{
	if (unlinkat(c->l->dir, COPY, 0) == -1 && errno != ENOENT)
		return cannot(c);
	c->fd = openat(c->l->dir, COPY,
	    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, MODE_FILE);
	if (c->fd == -1 || fchmod(c->fd, MODE_FILE) == -1)
		return cannot(c);
	return 0;
}

static int
copy(struct copying *c)
{
	int64_t from, pages;
	int r;

	if ((r = open_notes(c)) != 0 || (r = open_copy(c)) != 0 ||
	    (r = hold(c)) != 0)
		return r;
	pages = c->pages;
	r = counter(c, &c->first);
	let_go(c);
	for (from = 1; r == 0 && from <= pages; from += PIECE)
		r = copy_piece(c, from);
	if (r == 0)
		r = catch_up(c);
	return r;
}

/* Let SQLite have it, under its name, for it does not follow links. */
static int
open_ledger(struct copying *c, struct ledger **outp)
{
	int dir = fcntl(c->l->dir, F_DUPFD_CLOEXEC, 0), r;

	if (dir == -1)
		return cannot(c);
	if ((r = ledgerdb_connect(dir, COPY, outp, c->whyp)) != 0) {
		file_close(dir);
		return r;
	}
	if ((r = ledgerdb_private(*outp, c->whyp)) != 0) {
		memcpy(c->l->error, (*outp)->error, sizeof(c->l->error));
		ledger_close(*outp);
		*outp = NULL;
	}
	return r;
}

/* Both, or with outp NULL the file alone. */
static int
make(struct copying *c, struct ledger **outp)
{
	int r = AAD_ENOMEM;

	*c->whyp = AAD_R_NO_MEMORY;
	(void)sqlite3_busy_handler(c->l->db, wait_a_little, NULL);
	if ((c->buf = malloc((size_t)HOT * LEDGERDB_PAGE)) != NULL)
		r = copy(c);
	(void)sqlite3_busy_timeout(c->l->db, LEDGER_WAIT_MS);
	if (r == 0 && outp != NULL)
		r = open_ledger(c, outp);
	if (c->fd != -1)
		(void)unlinkat(c->l->dir, COPY, 0);
	if (c->notes != -1)
		(void)unlinkat(c->l->dir, LEDGERVFS_NOTES, 0);
	file_close(c->notes);
	free(c->buf);
	free(c->stale);
	if (r != 0) {
		file_close(c->fd);
		c->fd = -1;
	}
	return r;
}

static int
copy_to(struct ledger *l, struct ledger **outp, int *fdp, int64_t *sizep,
    enum reason *whyp)
{
	struct copying *c;
	int r;

	*whyp = AAD_R_UNSET;
	if (!sqlite3_get_autocommit(l->db) || l->dir == -1)
		return AAD_EARG;
	if ((c = calloc(1, sizeof(*c))) == NULL) {
		*whyp = AAD_R_NO_MEMORY;
		return AAD_ENOMEM;
	}
	c->l = l;
	c->fd = c->notes = -1;
	c->whyp = whyp;
	r = make(c, outp);
	*fdp = c->fd;
	*sizep = c->pages * LEDGERDB_PAGE;
	free(c);
	return r;
}

int
ledger_copy(struct ledger *l, int *fdp, int64_t *sizep, enum reason *whyp)
{
	*fdp = -1;
	*sizep = 0;
	return copy_to(l, NULL, fdp, sizep, whyp);
}

int
ledger_snapshot(struct ledger *l, struct ledger **outp, enum reason *whyp)
{
	int64_t size;
	int fd = -1, r;

	*outp = NULL;
	r = copy_to(l, outp, &fd, &size, whyp);
	file_close(fd);
	return r;
}
