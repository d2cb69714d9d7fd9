/* SPDX-License-Identifier: ISC */

/*
 * restore: an authority from its backup, where none is.  Everything is
 * opened and judged in memory first.  The files come before the ledger and
 * the ledger before its row of the restore, so that a killed run can be
 * repeated with the same backup, and with no other.
 */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "ca/signer/archive.h"
#include "ca/signer/backup.h"
#include "ca/signer/manifest.h"
#include "ca/signer/published.h"
#include "ca/signer/signer.h"
#include "ca/signer/step.h"
#include "cmd/cli/log.h"
#include "core/name.h"
#include "core/text.h"

#define ENTRIES_MAX 100000
#define RESTORING   "restoring" /* below DIR, until the last row is there */

/* ---- which files ------------------------------------------------------- */

/* "N.json" or "HEX64.bundle", len bytes. */
static bool
is_manifest(const char *name, size_t len)
{
	char text[NAME_HEX64_LEN + 1];
	uint64_t n;

	if (len > 7 && memcmp(name + len - 7, ".bundle", 7) == 0)
		len -= 7;
	else if (len > 5 && memcmp(name + len - 5, ".json", 5) == 0)
		len -= 5;
	else
		return false;
	if (len > NAME_HEX64_LEN)
		return false;
	memcpy(text, name, len);
	text[len] = '\0';
	return name_hex64_ok(text) ||
	       (text[0] != '0' && text_number(text, MANIFEST_VERSION_MAX, &n));
}

bool
backup_holds(const char *name)
{
	size_t len;

	if (strcmp(name, BACKUP_LEDGER) == 0)
		return true;
	if (strncmp(name, "keys/", 5) == 0)
		return step_is_key_name(name + 5);
	if (strncmp(name, "manifests/", 10) != 0)
		return false;
	name += 10;
	len = strlen(name);
	if (len > 4 && strcmp(name + len - 4, ".sig") == 0)
		len -= 4;
	return is_manifest(name, len);
}

/* ---- the archive in memory --------------------------------------------- */

struct entry {
	char *name;
	uint8_t *p;
	size_t len;
};

struct restore {
	struct signer *s;
	struct privkey recovery;
	struct entry *all;
	size_t n, cap;
	const struct entry *ledger;
	/* where it comes from: a file, or the fields of the request */
	int fd;
	const struct request *rq;
	size_t field, at;
};

static void
restore_release(struct restore *t)
{
	for (size_t i = 0; i < t->n; i++) {
		sodium_memzero(t->all[i].p, t->all[i].len);
		free(t->all[i].p);
		free(t->all[i].name);
	}
	free(t->all);
	privkey_release(&t->recovery);
	file_close(t->fd);
}

static int
keep(void *arg, const char *name, uint8_t **pp, size_t len)
{
	struct restore *t = arg;
	struct entry *e;

	if (!backup_holds(name) || t->n == ENTRIES_MAX)
		return AAD_EFORMAT;
	if (t->n == t->cap) {
		size_t cap = t->cap == 0 ? 64 : t->cap * 2;

		if ((e = realloc(t->all, cap * sizeof(*e))) == NULL)
			return AAD_ENOMEM;
		t->all = e;
		t->cap = cap;
	}
	e = &t->all[t->n];
	if ((e->name = strdup(name)) == NULL)
		return AAD_ENOMEM;
	e->p = *pp;
	e->len = len;
	*pp = NULL;
	t->n++;
	return 0;
}

static int
from_file(struct restore *t, uint8_t *p, size_t len)
{
	while (len > 0) {
		ssize_t n = read(t->fd, p, len);

		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			return n == 0 ? AAD_ENOENT : AAD_ESYS;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

static int
feed(void *arg, uint8_t *p, size_t len)
{
	struct restore *t = arg;
	const struct request_field *f;

	if (t->fd != -1)
		return from_file(t, p, len);
	while (len > 0) {
		size_t n;

		f = request_get(t->rq, REQUEST_L_DATA, t->field);
		if (f == NULL)
			return AAD_ENOENT;
		n = f->len - t->at < len ? f->len - t->at : len;
		memcpy(p, f->p + t->at, n);
		p += n;
		len -= n;
		t->at += n;
		if (t->at == f->len) {
			t->field++;
			t->at = 0;
		}
	}
	return 0;
}

/* An empty field stands for the file beside. */
static enum reason
open_source(struct restore *t)
{
	const struct request_field *f = request_get(t->rq, REQUEST_L_DATA, 0);
	struct stat sb;

	if (f == NULL)
		return AAD_R_REQUEST_MALFORMED;
	if (f->len > 0)
		return AAD_R_ALLOWED;
	t->fd = openat(t->s->dir, BACKUP_BESIDE,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (t->fd == -1 || fstat(t->fd, &sb) == -1)
		return step_file(t->s, AAD_ESYS, AAD_R_BACKUP, BACKUP_BESIDE);
	if (!S_ISREG(sb.st_mode) || sb.st_uid != geteuid())
		return step_file(t->s, AAD_EPERM, AAD_R_BACKUP, BACKUP_BESIDE);
	return AAD_R_ALLOWED;
}

static enum reason
open_archive(struct restore *t)
{
	const struct request_field *f = request_get(t->rq, REQUEST_L_SECRET, 0);
	enum reason why = open_source(t);
	int r;

	if (why != AAD_R_ALLOWED)
		return why;
	if (f == NULL)
		return AAD_R_REQUEST_MALFORMED;
	r = privkey_parse((const char *)f->p, f->len, &t->recovery);
	if (r != 0)
		return step_file(t->s, r, AAD_R_BACKUP, "the recovery key");
	r = archive_read(&t->recovery, feed, t, keep, t);
	if (r == AAD_EREFUSED)
		return signer_fail(t->s, AAD_R_BACKUP,
		    "it is sealed for another recovery key");
	if (r != 0)
		return step_file(t->s, r, AAD_R_BACKUP, "the backup");
	for (size_t i = 0; i < t->n; i++)
		if (strcmp(t->all[i].name, BACKUP_LEDGER) == 0)
			t->ledger = &t->all[i];
	return t->ledger != NULL
		   ? AAD_R_ALLOWED
		   : signer_fail(t->s, AAD_R_BACKUP, "it holds no ledger");
}

/* ---- onto the disk ----------------------------------------------------- */

/* Is a file below DIR one of the archive's, with the same bytes? */
static bool
same(struct restore *t, int dir, const char *folder, const char *name)
{
	char full[ARCHIVE_NAME_MAX + 1];
	bool yes = false;
	size_t len;
	char *p;

	if (snprintf(full, sizeof(full), "%s/%s", folder, name) >=
	    (int)sizeof(full))
		return false;
	if (file_read(dir, name, step_owner(), BACKUP_FILE_MAX, &p, &len) != 0)
		return false;
	for (size_t i = 0; i < t->n && !yes; i++)
		yes = strcmp(t->all[i].name, full) == 0 &&
		      t->all[i].len == len && memcmp(t->all[i].p, p, len) == 0;
	sodium_memzero(p, len);
	free(p);
	return yes;
}

/* What a killed run left half-written goes. */
static bool
left_over(int dir, const char *name)
{
	return file_is_temp(name) && unlinkat(dir, name, 0) == 0;
}

struct foreign {
	struct restore *t;
	const char *folder;
	int dir;
};

static int
is_foreign(void *arg, const char *name)
{
	const struct foreign *f = arg;

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
	    left_over(f->dir, name))
		return 0;
	return !same(f->t, f->dir, f->folder, name);
}

/* Nothing may be there but what a killed run of this backup left. */
static enum reason
is_empty(struct restore *t, const char *folder)
{
	struct foreign f = { t, folder, -1 };
	int r = step_dir(t->s, folder, &f.dir);

	if (r == AAD_ENOENT)
		return AAD_R_ALLOWED;
	if (r == 0) {
		r = file_dir_each(f.dir, is_foreign, &f);
		file_close(f.dir);
	}
	if (r > 0)
		return signer_fail(t->s, AAD_R_CA_EXISTS,
		    "%s holds files that are not of this backup", folder);
	return step_file(t->s, r, AAD_R_STATE_UNREADABLE, folder);
}

/* Whether a run was begun here and did not come to its end. */
static bool
was_begun(const struct signer *s)
{
	struct stat sb;

	return fstatat(s->dir, RESTORING, &sb, AT_SYMLINK_NOFOLLOW) == 0;
}

/* A ledger may be there only behind a killed run, and is the backup's byte
 * for byte until its row of the restore. */
static enum reason
judge_ledger(struct restore *t)
{
	struct signer *s = t->s;
	enum reason why = signer_ledger(s);
	uint8_t *p;
	size_t len;
	bool yes;

	if (why == AAD_R_NO_CA)
		return AAD_R_ALLOWED;
	if (why != AAD_R_ALLOWED)
		return why;
	if (!was_begun(s))
		return AAD_R_CA_EXISTS;
	if (ledger_dump(s->ledger, &p, &len, &why) != 0)
		return step_ledger(s, why);
	yes = len == t->ledger->len && memcmp(p, t->ledger->p, len) == 0;
	free(p);
	if (!yes) /* it did come to its end */
		(void)!file_remove(s->dir, RESTORING);
	return yes ? AAD_R_ALLOWED : AAD_R_CA_EXISTS;
}

static enum reason
write_entry(struct restore *t, const struct entry *e)
{
	const char *name = strchr(e->name, '/');
	char folder[16] = "";
	int dir, r;

	if (name == NULL) /* the ledger */
		return AAD_R_ALLOWED;
	memcpy(folder, e->name, (size_t)(name - e->name));
	name++;
	if ((r = step_dir(t->s, folder, &dir)) == 0) {
		r = file_create(dir, name, e->p, e->len, 0600);
		if (r == AAD_EEXIST && same(t, dir, folder, name))
			r = 0;
		file_close(dir);
	}
	return step_file(t->s, r, AAD_R_DISK, e->name);
}

static enum reason
write_all(struct restore *t)
{
	struct signer *s = t->s;
	const char *which = "";
	enum reason why = AAD_R_ALLOWED;
	int r = step_layout(s, &which);

	if (r != 0)
		return step_file(s, r, AAD_R_STATE_UNREADABLE, which);
	if ((r = file_replace(s->dir, RESTORING, "", 0, 0600)) != 0)
		return step_file(s, r, AAD_R_DISK, RESTORING);
	for (size_t i = 0; i < t->n && why == AAD_R_ALLOWED; i++)
		why = write_entry(t, &t->all[i]);
	if (why != AAD_R_ALLOWED || s->ledger != NULL)
		return why;
	/* It verifies the whole chain before it puts it there. */
	if (ledger_load(s->dir, t->ledger->p, t->ledger->len, &why) != 0)
		return why;
	return signer_ledger(s);
}

/* ---- what is lost ------------------------------------------------------ */

/* How many rows the publication knows that the backup does not. */
static int64_t
lost_rows(struct signer *s, int64_t length)
{
	struct keyring ring;
	struct manifest m;
	uint64_t version;
	int64_t lost = -1;

	if (step_keys(s, &ring) == AAD_R_ALLOWED && s->publish != -1 &&
	    published_current(s->publish, &version) == 0 &&
	    published_load(s->publish, version, &ring, &m) == 0) {
		lost = m.length > length ? m.length - length : 0;
		manifest_release(&m);
	}
	keyring_release(&ring);
	return lost;
}

static enum reason
append_restored(struct signer *s, int64_t length, const char *head)
{
	struct event e = { .kind = EVENT_RESTORED, .at = s->now };
	enum reason why = step_begin(s);

	if (why != AAD_R_ALLOWED)
		return why;
	e.body = json_pack("{s:I s:s}", "from_length", (json_int_t)length,
	    "head", head);
	if (e.body == NULL)
		why = AAD_R_NO_MEMORY;
	else if (ledger_append(s->ledger, &e, &why) != 0)
		why = step_ledger(s, why);
	else
		why = step_commit(s);
	event_release(&e);
	if (why != AAD_R_ALLOWED)
		ledger_rollback(s->ledger);
	return why;
}

static enum reason
tell(struct signer *s, int64_t length, const char *head, json_t **endp)
{
	char n[24];
	const struct log_field fields[] = { { "ledger_length", n },
		{ "ledger_head", head } };
	int64_t lost = lost_rows(s, length);

	snprintf(n, sizeof(n), "%" PRId64, length);
	signer_log(s, "restore", AAD_R_ALLOWED, fields, 2);
	*endp = json_pack("{s:i s:I s:s s:o s:s}", "v", 1, "from_length",
	    (json_int_t)length, "head", head, "lost_rows",
	    lost < 0 ? json_null() : json_integer(lost), "advice",
	    "Certificates and revocations after the backup are not in the "
	    "ledger: revoke again what was revoked since, and revoke both "
	    "keys with revoke --ca-key if a certificate may be in the wrong "
	    "hands, else rotate them with rotate --now.");
	return *endp != NULL ? AAD_R_ALLOWED : AAD_R_NO_MEMORY;
}

static enum reason
restore(struct restore *t, json_t **endp)
{
	struct signer *s = t->s;
	char hex[NAME_HEX64_LEN + 1];
	uint8_t head[32];
	int64_t length;
	enum reason why;

	if ((why = open_archive(t)) != AAD_R_ALLOWED ||
	    (why = judge_ledger(t)) != AAD_R_ALLOWED ||
	    (why = is_empty(t, "keys")) != AAD_R_ALLOWED ||
	    (why = is_empty(t, "manifests")) != AAD_R_ALLOWED ||
	    (why = write_all(t)) != AAD_R_ALLOWED)
		return why;
	if (ledger_head(s->ledger, &length, head, &why) != 0)
		return step_ledger(s, why);
	name_hex64(head, hex);
	why = append_restored(s, length, hex);
	if (why == AAD_R_ALLOWED)
		(void)!file_remove(s->dir, RESTORING);
	if (why == AAD_R_ALLOWED && t->fd != -1)
		(void)!file_remove(s->dir, BACKUP_BESIDE);
	return why == AAD_R_ALLOWED ? tell(s, length, hex, endp) : why;
}

enum reason
op_restore(struct signer *s, const struct request *rq, json_t **endp)
{
	struct restore t = { .s = s, .rq = rq, .fd = -1 };
	enum reason why;

	*endp = NULL;
	why = restore(&t, endp);
	restore_release(&t);
	return why;
}
