/* SPDX-License-Identifier: ISC */

#include "ca/signer/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "ca/signer/backup.h"
#include "ca/signer/step.h"
#include "core/file.h"

/* NB. file_is_temp() knows ".NAME" and this; `init` removes it, too. */
#define TAIL	 ".tmp.000000"
#define TAIL_LEN (sizeof(TAIL) - 1)
#define LOCK	 "restore"

static const char *const folders[STAGE_FOLDERS] = { "keys", "manifests" };

static int
staged_name(const char *name, char out[static FILE_NAME_MAX + 16])
{
	int n = snprintf(out, FILE_NAME_MAX + 16, ".%s" TAIL, name);

	return n < 0 || n >= FILE_NAME_MAX + 16 ? AAD_ETOOBIG : 0;
}

/* The name that a staged file is to have; false for any other file. */
static bool
final_name(const char *staged, char out[static FILE_NAME_MAX + 1])
{
	size_t len = strlen(staged);

	if (staged[0] != '.' || len < TAIL_LEN + 2 ||
	    len - 1 - TAIL_LEN > FILE_NAME_MAX ||
	    strcmp(staged + len - TAIL_LEN, TAIL) != 0)
		return false;
	memcpy(out, staged + 1, len - 1 - TAIL_LEN);
	out[len - 1 - TAIL_LEN] = '\0';
	return true;
}

/* ---- begin and end --------------------------------------------------- */

static int
remove_one(void *arg, const char *name)
{
	const int *dir = arg;
	char unused[FILE_NAME_MAX + 1];

	if (!final_name(name, unused))
		return 0;
	return unlinkat(*dir, name, 0) == 0 || errno == ENOENT ? 0 : AAD_ESYS;
}

static enum reason
lock(struct stage *st, struct signer *s)
{
	int locks, r = step_dir(s, "locks", &locks);

	if (r != 0)
		return step_file(s, r, AAD_R_STATE_UNREADABLE, "locks");
	st->lock = openat(locks, LOCK,
	    O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	file_close(locks);
	if (st->lock == -1)
		return step_file(s, AAD_ESYS, AAD_R_DISK, "locks/" LOCK);
	if (flock(st->lock, LOCK_EX | LOCK_NB) == 0)
		return AAD_R_ALLOWED;
	if (errno != EWOULDBLOCK)
		return step_file(s, AAD_ESYS, AAD_R_DISK, "locks/" LOCK);
	return signer_fail(s, AAD_R_LEDGER_BUSY, "another restore is running");
}

enum reason
stage_begin(struct stage *st, struct signer *s)
{
	const char *which = "";
	enum reason why;
	int r = step_layout(s, &which);

	if (r != 0)
		return step_file(s, r, AAD_R_STATE_UNREADABLE, which);
	if ((why = lock(st, s)) != AAD_R_ALLOWED)
		return why;
	for (size_t i = 0; i < STAGE_FOLDERS; i++) {
		if ((r = step_dir(s, folders[i], &st->dirs[i])) == 0)
			r = file_dir_each(st->dirs[i], remove_one,
			    &st->dirs[i]);
		if (r != 0)
			return step_file(s, r, AAD_R_STATE_UNREADABLE,
			    folders[i]);
	}
	return AAD_R_ALLOWED;
}

void
stage_drop(struct stage *st)
{
	int saved = errno;

	file_close(st->fd);
	for (size_t i = 0; i < STAGE_FOLDERS; i++) {
		if (st->dirs[i] != -1)
			(void)!file_dir_each(st->dirs[i], remove_one,
			    &st->dirs[i]);
		file_close(st->dirs[i]);
	}
	file_close(st->lock);
	*st = (struct stage)STAGE_NONE;
	errno = saved;
}

/* ---- a file ---------------------------------------------------------- */

int
stage_open(struct stage *st, const char *full)
{
	char name[FILE_NAME_MAX + 16];
	const char *slash = strchr(full, '/');
	size_t i;

	for (i = 0; i < STAGE_FOLDERS; i++)
		if (slash != NULL &&
		    strlen(folders[i]) == (size_t)(slash - full) &&
		    strncmp(full, folders[i], (size_t)(slash - full)) == 0)
			break;
	if (i == STAGE_FOLDERS)
		return AAD_EARG;
	if (staged_name(slash + 1, name) != 0)
		return AAD_ETOOBIG;
	st->fd = openat(st->dirs[i], name,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (st->fd == -1)
		return errno == EEXIST ? AAD_EEXIST : AAD_ESYS;
	return fchmod(st->fd, 0600) == -1 ? AAD_ESYS : 0;
}

int
stage_write(struct stage *st, const uint8_t *p, size_t len)
{
	while (len > 0) {
		ssize_t n = write(st->fd, p, len);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return AAD_ESYS;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int
stage_close(struct stage *st)
{
	int r = fsync(st->fd) == -1 ? AAD_ESYS : 0;

	file_close(st->fd);
	st->fd = -1;
	return r;
}

/* ---- their names ----------------------------------------------------- */

/* A walk through one of the folders. */
struct walk {
	int dir;
	size_t n; /* how many were renamed */
};

/* Is a file that is there what is staged for its name? */
static int
is_foreign(void *arg, const char *name)
{
	const struct walk *w = arg;
	char staged[FILE_NAME_MAX + 16], *p = NULL, *q = NULL;
	size_t n, m;
	int r;

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
	    file_is_temp(name))
		return 0;
	if (staged_name(name, staged) != 0)
		return 1;
	r = file_read(w->dir, staged, step_owner(), BACKUP_FILE_MAX, &p, &n);
	if (r == 0)
		r = file_read(w->dir, name, step_owner(), BACKUP_FILE_MAX, &q,
		    &m);
	if (r == 0)
		r = n != m || memcmp(p, q, n) != 0;
	else if (r != AAD_ENOMEM)
		r = 1;
	if (p != NULL)
		sodium_memzero(p, n);
	if (q != NULL)
		sodium_memzero(q, m);
	free(p);
	free(q);
	return r;
}

enum reason
stage_judge(const struct stage *st, struct signer *s)
{
	for (size_t i = 0; i < STAGE_FOLDERS; i++) {
		struct walk w = { st->dirs[i], 0 };
		int r = file_dir_each(w.dir, is_foreign, &w);

		if (r > 0)
			return signer_fail(s, AAD_R_CA_EXISTS,
			    "%s holds files that are not of this backup",
			    folders[i]);
		if (r != 0)
			return step_file(s, r, AAD_R_STATE_UNREADABLE,
			    folders[i]);
	}
	return AAD_R_ALLOWED;
}

static int
rename_one(void *arg, const char *staged)
{
	struct walk *w = arg;
	char name[FILE_NAME_MAX + 1];

	if (!final_name(staged, name))
		return 0;
	/* What has the name is the same: see is_foreign(). */
	if (renameat2(w->dir, staged, w->dir, name, 0) == -1)
		return errno == ENOENT ? 0 : AAD_ESYS;
	w->n++;
	return 0;
}

enum reason
stage_place(const struct stage *st, struct signer *s)
{
	/* NB. the keys last but for the ledger: no manifest is missing when
	 * there is something that signs. */
	for (size_t i = STAGE_FOLDERS; i > 0; i--) {
		struct walk w = { st->dirs[i - 1], 0 };
		int r;

		/* A walk may not see what moves while it walks. */
		do {
			w.n = 0;
			r = file_dir_each(w.dir, rename_one, &w);
		} while (r == 0 && w.n > 0);
		if (r == 0 && fsync(w.dir) == -1)
			r = AAD_ESYS;
		if (r != 0)
			return step_file(s, r, AAD_R_DISK, folders[i - 1]);
	}
	return AAD_R_ALLOWED;
}
