/* SPDX-License-Identifier: ISC */

/*
 * restore: an authority from its backup, where none is.  Everything goes
 * into temporary files, piece by piece, and gets its name when all of it was
 * judged.  The files come before the ledger and the ledger before its row of
 * the restore, so that a killed run can be repeated with the same backup, and
 * with no other.
 */

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "ca/signer/archive.h"
#include "ca/signer/backup.h"
#include "ca/signer/intake.h"
#include "ca/signer/manifest.h"
#include "ca/signer/published.h"
#include "ca/signer/signer.h"
#include "ca/signer/stage.h"
#include "ca/signer/step.h"
#include "cmd/cli/log.h"
#include "core/name.h"
#include "core/text.h"

/* ---- which files ----------------------------------------------------- */

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

/* ---- the archive ----------------------------------------------------- */

struct restore {
	struct signer *s;
	struct privkey recovery;
	struct stage files;
	uint64_t left; /* bytes of the backup that are to come */
	int ledger; /* the staged one while it is written, else -1 */
	bool begun; /* there is something to clean up */
	bool has_ledger;
	enum reason why; /* of what a callback met, else ALLOWED */
};

/* What a callback returns for a reason; archive_read() hands it on. */
static int
stop(struct restore *t, enum reason why)
{
	t->why = why;
	return why == AAD_R_ALLOWED ? 0 : AAD_EINTERNAL;
}

static int
feed(void *arg, uint8_t *p, size_t len)
{
	struct restore *t = arg;
	int r;

	if (len > t->left)
		return AAD_ENOENT;
	t->left -= len;
	r = intake_more(t->s->in, p, len);
	if (r == AAD_EAGAIN)
		return stop(t, signer_fail(t->s, AAD_R_REQUEST_MALFORMED,
				   "the backup stopped coming"));
	/* NB. its end is where LENGTH says, and nowhere else. */
	return r == AAD_ENOENT ? AAD_EFORMAT : r;
}

/* Whether a run was begun here and did not come to its end. */
static bool
was_begun(const struct signer *s)
{
	struct stat sb;

	return fstatat(s->dir, SIGNER_RESTORING, &sb, AT_SYMLINK_NOFOLLOW) == 0;
}

/* A ledger may be there only behind a killed run. */
static enum reason
begin(struct restore *t)
{
	struct signer *s = t->s;
	enum reason why = signer_ledger(s);

	if (why == AAD_R_ALLOWED && !was_begun(s))
		return AAD_R_CA_EXISTS;
	if (why != AAD_R_ALLOWED && why != AAD_R_NO_CA)
		return why;
	t->begun = true;
	return stage_begin(&t->files, s);
}

static enum reason
begin_ledger(struct restore *t)
{
	struct signer *s = t->s;
	enum reason why;

	if (t->has_ledger)
		return signer_fail(s, AAD_R_BACKUP, "it holds two ledgers");
	t->has_ledger = true;
	if (ledger_stage(s->dir, &t->ledger, &why) != 0)
		return step_file(s, AAD_ESYS, why, BACKUP_LEDGER);
	return AAD_R_ALLOWED;
}

static int
on_begin(void *arg, const char *name, uint64_t len)
{
	struct restore *t = arg;
	enum reason why;
	int r;

	if (!backup_holds(name))
		return AAD_EFORMAT;
	if (!t->begun && (why = begin(t)) != AAD_R_ALLOWED)
		return stop(t, why);
	if (strcmp(name, BACKUP_LEDGER) == 0)
		return stop(t, begin_ledger(t));
	if (len > BACKUP_FILE_MAX)
		return AAD_EFORMAT;
	r = stage_open(&t->files, name);
	if (r == AAD_EEXIST)
		return AAD_EFORMAT;
	return stop(t, step_file(t->s, r, AAD_R_DISK, name));
}

static int
on_bytes(void *arg, const uint8_t *p, size_t len)
{
	struct restore *t = arg;
	struct stage to = { .fd = t->ledger };

	return stop(t,
	    step_file(t->s,
		stage_write(t->ledger != -1 ? &to : &t->files, p, len),
		AAD_R_DISK,
		t->ledger != -1 ? BACKUP_LEDGER
				: "a key or "
				  "manifest"));
}

static int
on_end(void *arg)
{
	struct restore *t = arg;

	if (t->ledger == -1)
		return stop(t, step_file(t->s, stage_close(&t->files),
				   AAD_R_DISK, "a key or manifest"));
	file_close(t->ledger); /* flushed when it gets its name */
	t->ledger = -1;
	return 0;
}

static const char *
fault_of(int r)
{
	switch (r) {
	case AAD_EREFUSED:
		return "it is sealed for another recovery key";
	case AAD_EVERSION:
		return "it was made by another version of aadssh-ca, in a "
		       "format that this one does not read";
	case AAD_EFORMAT:
		return "it was cut or changed, or is no backup";
	default:
		return err_name(r);
	}
}

/* All of it, into temporary files. */
static enum reason
take(struct restore *t, const struct request *rq)
{
	const struct archive_sink sink = { on_begin, on_bytes, on_end, t };
	const struct request_field *f = request_get(rq, REQUEST_L_SECRET, 0);
	uint8_t byte;
	int r;

	if (f == NULL || request_u64(rq, REQUEST_L_LENGTH, &t->left) != 0)
		return AAD_R_REQUEST_MALFORMED;
	r = privkey_parse((const char *)f->p, f->len, &t->recovery);
	if (r != 0)
		return step_file(t->s, r, AAD_R_BACKUP, "the recovery key");
	r = archive_read(&t->recovery, feed, t, &sink);
	if (t->why != AAD_R_ALLOWED)
		return t->why;
	if (r == AAD_ENOMEM)
		return AAD_R_NO_MEMORY;
	if (r != 0)
		return signer_fail(t->s, AAD_R_BACKUP, "%s", fault_of(r));
	if (t->left != 0 || intake_more(t->s->in, &byte, 1) != AAD_ENOENT)
		return signer_fail(t->s, AAD_R_REQUEST_MALFORMED,
		    "something stands behind the backup");
	return t->has_ledger
		   ? AAD_R_ALLOWED
		   : signer_fail(t->s, AAD_R_BACKUP, "it holds no ledger");
}

/* ---- onto the disk --------------------------------------------------- */

/* A ledger that is there is the backup's, byte for byte, until its row of the
 * restore; a new one must be good. */
static enum reason
judge_ledger(struct restore *t)
{
	struct signer *s = t->s;
	enum reason why = AAD_R_UNSET;
	bool yes;

	if (s->ledger == NULL)
		return ledger_stage_check(s->dir, &why) == 0 ? AAD_R_ALLOWED
							     : why;
	if (ledger_stage_same(s->dir, s->ledger, &yes, &why) != 0)
		return step_ledger(s, why);
	/* NB. the mark stays: another backup ends nothing; signer_ledger()
	 * knows one that did come to its end. */
	return yes ? AAD_R_ALLOWED : AAD_R_CA_EXISTS;
}

/* From the first name on, an end leaves files without a ledger, which no
 * operation works with but this one. */
static enum reason
place(struct restore *t)
{
	struct signer *s = t->s;
	enum reason no = AAD_R_UNSET, why;
	char what[SIGNER_DETAIL_MAX];
	int r = file_replace(s->dir, SIGNER_RESTORING, "", 0, 0600);

	if (r != 0)
		return step_file(s, r, AAD_R_DISK, SIGNER_RESTORING);
	why = stage_place(&t->files, s);
	if (why == AAD_R_ALLOWED && s->ledger == NULL &&
	    ledger_stage_place(s->dir, &no) != 0)
		why = step_file(s, AAD_ESYS, no, BACKUP_LEDGER);
	if (why != AAD_R_ALLOWED) {
		snprintf(what, sizeof(what), "%s", s->detail);
		return signer_fail(s, why,
		    "%s; restore the same backup again to finish", what);
	}
	return signer_ledger(s);
}

/* ---- what is lost ---------------------------------------------------- */

/* What the publication knows that the backup does not: at least that is
 * lost. */
struct lost {
	int64_t rows; /* -1: there is none that counts */
	int64_t until; /* when it was made, 0 */
};

static struct lost
look_for_lost(struct signer *s, int64_t length)
{
	struct lost lost = { -1, 0 };
	struct keyring ring;
	struct manifest m;
	uint64_t version;

	if (step_keys(s, &ring) == AAD_R_ALLOWED && s->publish != -1 &&
	    published_current(s->publish, &version) == 0 &&
	    published_load(s->publish, version, &ring, &m) == 0) {
		lost.rows = m.length > length ? m.length - length : 0;
		lost.until = lost.rows > 0 ? m.issued : 0;
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

/* NB. serials of after the backup are unknown, so --serial finds none. */
static const char advice[] =
    "What was given, revoked or denied after the backup is not in the ledger. "
    "Revoke again whom and what was revoked since. Certificates that were "
    "given since are not found by --user, --oid or --serial: bar them by "
    "their key, with revoke --key (the log has it, event=certificate), or "
    "all of them with revoke --ca-key for both keys; do that if one may be in "
    "the wrong hands. Else let the keys go soon, with rotate --now. A sign-in "
    "counts from a minute after the restore on. Before hosts get anything of "
    "it: is bundle_key the one that was noted? Sealing is no signature.";

/* Whose authority it is.  NB. whoever has the public half of the recovery key
 * can seal another one for it; the keys tell them apart. */
static enum reason
add_keys(struct signer *s, json_t *end)
{
	static const struct {
		enum ca_role role;
		const char *name;
	} keys[] = { { CA_ROLE_USER, "user_ca" }, { CA_ROLE_HOST, "host_ca" },
		{ CA_ROLE_BUNDLE, "bundle_key" },
		{ CA_ROLE_RECOVERY, "recovery_key" } };
	const struct keyring_key *k;
	struct keyring ring;
	enum reason why = step_keys(s, &ring);

	for (size_t i = 0;
	     i < sizeof(keys) / sizeof(keys[0]) && why == AAD_R_ALLOWED; i++) {
		k = keyring_find(&ring, keys[i].role, CA_STAGE_ACTIVE);
		if (json_object_set_new(end, keys[i].name,
			k != NULL ? step_fingerprint(k->pub.hash)
				  : json_null()) != 0)
			why = AAD_R_NO_MEMORY;
	}
	keyring_release(&ring);
	return why;
}

static enum reason
tell(struct signer *s, int64_t length, const char *head, json_t **endp)
{
	char n[24];
	const struct log_field fields[] = { { "ledger_length", n },
		{ "ledger_head", head } };
	struct lost lost = look_for_lost(s, length);

	snprintf(n, sizeof(n), "%" PRId64, length);
	signer_log(s, "restore", AAD_R_ALLOWED, fields, 2);
	*endp = json_pack("{s:i s:I s:s s:o s:o s:s}", "v", 1, "from_length",
	    (json_int_t)length, "head", head, "lost_rows",
	    lost.rows < 0 ? json_null() : json_integer(lost.rows), "lost_until",
	    step_time(lost.until), "advice", advice);
	return *endp != NULL ? AAD_R_ALLOWED : AAD_R_NO_MEMORY;
}

static enum reason
restore(struct restore *t, const struct request *rq, json_t **endp)
{
	struct signer *s = t->s;
	char hex[NAME_HEX64_LEN + 1];
	uint8_t head[32];
	int64_t length;
	enum reason why;

	if ((why = take(t, rq)) != AAD_R_ALLOWED ||
	    (why = judge_ledger(t)) != AAD_R_ALLOWED ||
	    (why = stage_judge(&t->files, s)) != AAD_R_ALLOWED ||
	    (why = place(t)) != AAD_R_ALLOWED)
		return why;
	if (ledger_head(s->ledger, &length, head, &why) != 0)
		return step_ledger(s, why);
	name_hex64(head, hex);
	why = append_restored(s, length, hex);
	if (why == AAD_R_ALLOWED)
		(void)!file_remove(s->dir, SIGNER_RESTORING);
	if (why == AAD_R_ALLOWED)
		why = tell(s, length, hex, endp);
	return why == AAD_R_ALLOWED ? add_keys(s, *endp) : why;
}

enum reason
op_restore(struct signer *s, const struct request *rq, json_t **endp)
{
	struct restore t = {
		.s = s, .files = STAGE_NONE, .ledger = -1, .why = AAD_R_ALLOWED
	};
	enum reason why;

	*endp = NULL;
	s->restores = true;
	why = restore(&t, rq, endp);
	file_close(t.ledger);
	if (t.has_ledger)
		ledger_stage_drop(s->dir);
	stage_drop(&t.files);
	privkey_release(&t.recovery);
	return why;
}
