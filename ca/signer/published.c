/* SPDX-License-Identifier: ISC */

#include "ca/signer/published.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ca/signer/step.h"
#include "core/text.h"
#include "ssh/krl.h"
#include "ssh/sshsig.h"

#define STAGED_FOR 3600 /* seconds that a version may wait for its switch */
#define FILE_MAX   KRL_MAX /* bytes of a file of a publication */

void
published_name(uint64_t version, char out[static PUBLISHED_NAME_LEN])
{
	snprintf(out, PUBLISHED_NAME_LEN, "%" PRIu64, version);
}

/* A version's name: decimal, no zero in front. */
static bool
is_version(const char *name, uint64_t *vp)
{
	return name[0] != '0' && text_number(name, MANIFEST_VERSION_MAX, vp);
}

int
published_current(int fd, uint64_t *vp)
{
	char name[PUBLISHED_NAME_LEN + 1];
	ssize_t n = readlinkat(fd, PUBLISHED_CURRENT, name, sizeof(name));

	*vp = 0;
	if (n == -1)
		return errno == ENOENT	 ? AAD_ENOENT
		       : errno == EINVAL ? AAD_EFORMAT
					 : AAD_ESYS;
	if ((size_t)n == sizeof(name))
		return AAD_EFORMAT;
	name[n] = '\0';
	return is_version(name, vp) ? 0 : AAD_EFORMAT;
}

/* The highest version that a directory's names tell of; suffix: what stands
 * behind the number. */
struct highest {
	uint64_t version;
	const char *suffix;
};

static int
higher(void *arg, const char *name)
{
	struct highest *h = arg;
	size_t len = strlen(name), end = strlen(h->suffix);
	char number[PUBLISHED_NAME_LEN];
	uint64_t v;

	if (len <= end || len - end >= sizeof(number) ||
	    strcmp(name + len - end, h->suffix) != 0)
		return 0;
	memcpy(number, name, len - end);
	number[len - end] = '\0';
	if (is_version(number, &v) && v > h->version)
		h->version = v;
	return 0;
}

/* The highest version of the ledger, and whether it was restored since. */
struct told {
	uint64_t version;
	int64_t published, restored; /* seq */
};

static int
tell(void *arg, const struct event *e)
{
	struct told *t = arg;
	json_int_t v = json_integer_value(json_object_get(e->body, "version"));

	if (e->kind == EVENT_RESTORED)
		t->restored = e->seq;
	else
		t->published = e->seq;
	if (e->kind == EVENT_PUBLISHED && v > 0 && (uint64_t)v > t->version)
		t->version = (uint64_t)v;
	return 0;
}

static enum reason
look_told(struct signer *s, struct told *t)
{
	const struct ledger_filter published = { .kind = EVENT_PUBLISHED },
				   restored = { .kind = EVENT_RESTORED };
	enum reason why;

	memset(t, 0, sizeof(*t));
	if (ledger_each(s->ledger, &published, tell, t, &why) != 0 ||
	    ledger_each(s->ledger, &restored, tell, t, &why) != 0)
		return step_ledger(s, why);
	return AAD_R_ALLOWED;
}

/* Does the ledger still have the last row that the manifest knows? */
static enum reason
has_rows(struct signer *s, const struct manifest *m)
{
	uint8_t hash[32];
	struct told t;
	enum reason why;
	bool yes;

	if (ledger_hash(s->ledger, m->length, &yes, hash, &why) != 0)
		return step_ledger(s, why);
	if (yes && memcmp(hash, m->head, sizeof(hash)) == 0)
		return AAD_R_ALLOWED;
	/* NB. only now: it reads every publication's row.  Of a backup one
	 * knows that rows are missing. */
	why = look_told(s, &t);
	if (why != AAD_R_ALLOWED || t.restored > t.published)
		return why;
	return signer_fail(s, AAD_R_LEDGER_ALTERED,
	    "version %" PRIu64 ", which hosts see, knows a row %" PRId64
	    " that is not in the ledger; if the ledger is an older copy, use "
	    "restore instead",
	    m->version, m->length);
}

/* Whether a version's manifest is signed well, by a key of somebody else.
 * Returns 0; what file_read() and sshsig_verify() do. */
static int
foreign(int fd, uint64_t version, const struct keyring *keys, bool *yes)
{
	char name[PUBLISHED_NAME_LEN], *text = NULL, *sig = NULL;
	struct key signer;
	size_t len, siglen;
	int dir, r;

	*yes = false;
	published_name(version, name);
	if ((r = file_dir_open(fd, name, step_owner(), &dir)) != 0)
		return r;
	r = file_read(dir, MANIFEST_NAME, step_owner(), MANIFEST_MAX, &text,
	    &len);
	if (r == 0)
		r = file_read(dir, MANIFEST_SIG, step_owner(), SSHSIG_TEXT_MAX,
		    &sig, &siglen);
	if (r == 0)
		r = sshsig_verify(sig, siglen, MANIFEST_NAMESPACE,
		    (const uint8_t *)text, len, &signer);
	if (r == 0) {
		*yes = keyring_by_hash(keys, signer.hash) == NULL;
		key_release(&signer);
	}
	free(text);
	free(sig);
	file_close(dir);
	return r;
}

/* What hosts see is signed, but by a key that the ledger never had: it is not
 * that of the publication, unless it has published nothing yet. */
static enum reason
knows_signer(struct signer *s, uint64_t version, const struct keyring *keys)
{
	struct told t;
	enum reason why;
	bool yes;
	int r = foreign(s->publish, version, keys, &yes);

	if (r == AAD_ENOMEM)
		return AAD_R_NO_MEMORY;
	if (!yes)
		return AAD_R_ALLOWED;
	why = look_told(s, &t);
	if (why != AAD_R_ALLOWED || t.restored >= t.published)
		return why;
	return signer_fail(s, AAD_R_LEDGER_ALTERED,
	    "version %" PRIu64 ", which hosts see, is signed by a bundle key "
	    "that is not in the ledger; if the ledger is an older copy, use "
	    "restore instead",
	    version);
}

enum reason
published_agrees(struct signer *s, const struct keyring *keys)
{
	struct manifest m;
	uint64_t version;
	enum reason why;
	int r;

	if (published_current(s->publish, &version) != 0)
		return AAD_R_ALLOWED;
	if ((r = published_load(s->publish, version, keys, &m)) == AAD_ESIG)
		return knows_signer(s, version, keys);
	if (r != 0) /* no witness, but for want of memory */
		return r == AAD_ENOMEM ? AAD_R_NO_MEMORY : AAD_R_ALLOWED;
	why = has_rows(s, &m);
	manifest_release(&m);
	return why;
}

enum reason
published_next(struct signer *s, const struct keyring *keys, uint64_t *vp)
{
	struct highest dirs = { 0, "" }, kept = { 0, ".json" };
	struct told t;
	enum reason why;
	int r, fd;

	if ((r = file_dir_each(s->publish, higher, &dirs)) != 0)
		return step_file(s, r, AAD_R_PUBLICATION, s->conf->publish_dir);
	if ((r = step_dir(s, "manifests", &fd)) == 0) {
		r = file_dir_each(fd, higher, &kept);
		file_close(fd);
	}
	if (r != 0)
		return step_file(s, r, AAD_R_PUBLICATION, "manifests");
	if ((why = published_agrees(s, keys)) != AAD_R_ALLOWED ||
	    (why = look_told(s, &t)) != AAD_R_ALLOWED)
		return why;
	*vp = dirs.version > kept.version ? dirs.version : kept.version;
	*vp = *vp > t.version ? *vp : t.version;
	/* What was published after the backup is not known here; hosts know
	 * it and take nothing that is older. */
	*vp += t.restored > t.published ? PUBLISHED_AFTER_RESTORE : 1;
	return *vp <= MANIFEST_VERSION_MAX
		   ? AAD_R_ALLOWED
		   : signer_fail(s, AAD_R_PUBLICATION, "no version is left");
}

struct search {
	uint64_t version;
	bool found;
};

static int
match(void *arg, const struct event *e)
{
	struct search *h = arg;
	json_int_t v = json_integer_value(json_object_get(e->body, "version"));

	h->found = h->found || (v > 0 && (uint64_t)v == h->version);
	return 0;
}

enum reason
published_recorded(struct signer *s, uint64_t version, bool *yes)
{
	const struct ledger_filter f = { .kind = EVENT_PUBLISHED };
	struct search h = { version, false };
	enum reason why;

	*yes = false;
	if (ledger_each(s->ledger, &f, match, &h, &why) != 0)
		return step_ledger(s, why);
	*yes = h.found;
	return AAD_R_ALLOWED;
}

static int
remove_name(void *arg, const char *name)
{
	const int *fd = arg;

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return 0;
	return unlinkat(*fd, name, 0) == 0 ? 0 : AAD_ESYS;
}

int
published_remove(int fd, const char *name)
{
	int dir, r = file_dir_open(fd, name, step_owner(), &dir);

	if (r != 0)
		return r;
	r = file_dir_each(dir, remove_name, &dir);
	file_close(dir);
	if (r == 0 && unlinkat(fd, name, AT_REMOVEDIR) == -1)
		r = AAD_ESYS;
	return r;
}

static int
write_files(int dir, const struct publication *p)
{
	int r = 0;

	for (size_t i = 0; i < p->n && r == 0; i++)
		r = file_create(dir, p->files[i].name, p->files[i].p,
		    p->files[i].len, STEP_PUBLIC_FILE);
	return r;
}

enum reason
published_write(struct signer *s, const struct publication *p)
{
	static const char staging[] = ".staging";
	char name[PUBLISHED_NAME_LEN];
	int dir, r;

	published_name(p->version, name);
	r = published_remove(s->publish, staging); /* of a crash */
	if (r == 0 || r == AAD_ENOENT)
		r = file_dir_make(s->publish, staging, step_owner(),
		    STEP_DIR_PUBLIC, &dir);
	if (r != 0)
		return step_file(s, r, AAD_R_PUBLICATION, staging);
	if ((r = write_files(dir, p)) == 0 &&
	    (renameat2(s->publish, staging, s->publish, name,
		 RENAME_NOREPLACE) == -1 ||
		fsync(s->publish) == -1))
		r = AAD_ESYS;
	file_close(dir);
	return step_file(s, r, AAD_R_PUBLICATION, name);
}

int
published_manifest(int dirfd, const char *name, const struct keyring *keys,
    struct manifest *m)
{
	char signame[FILE_NAME_MAX + 8];
	char *text = NULL, *sig = NULL;
	size_t len, siglen;
	int r;

	memset(m, 0, sizeof(*m));
	snprintf(signame, sizeof(signame), "%s.sig", name);
	r = file_read(dirfd, name, step_owner(), MANIFEST_MAX, &text, &len);
	if (r == 0)
		r = file_read(dirfd, signame, step_owner(), SSHSIG_TEXT_MAX,
		    &sig, &siglen);
	if (r == 0)
		r = manifest_verify(text, len, sig, siglen, keys, m);
	free(text);
	free(sig);
	return r;
}

int
published_load(int fd, uint64_t version, const struct keyring *keys,
    struct manifest *m)
{
	char name[PUBLISHED_NAME_LEN];
	int dir, r;

	memset(m, 0, sizeof(*m));
	published_name(version, name);
	if ((r = file_dir_open(fd, name, step_owner(), &dir)) != 0)
		return r;
	r = published_manifest(dir, MANIFEST_NAME, keys, m);
	file_close(dir);
	if (r == 0 && m->version != version) {
		manifest_release(m);
		r = AAD_EFORMAT;
	}
	return r;
}

/* The walk over a version's files. */
struct reading {
	int dir;
	const struct manifest *m;
	size_t n; /* files that the manifest lists */
	bool krl;
	char bad[64]; /* the file that is not as listed */
};

/* A KRL that sshd would refuse locks everybody out; an empty one, which it
 * takes, lets everybody in. */
static bool
krl_ok(const struct reading *g, const char *bytes, size_t len)
{
	struct krl *k;
	bool ok;

	if (krl_decode((const uint8_t *)bytes, len, &k) != 0)
		return false;
	ok = krl_version(k) == g->m->version;
	krl_free(k);
	return ok;
}

static int
read_one(void *arg, const char *name)
{
	struct reading *g = arg;
	char *bytes;
	size_t len;
	int r;

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
	    strcmp(name, MANIFEST_NAME) == 0 || strcmp(name, MANIFEST_SIG) == 0)
		return 0;
	snprintf(g->bad, sizeof(g->bad), "%.60s", name);
	r = file_read(g->dir, name, step_owner(), FILE_MAX, &bytes, &len);
	if (r != 0)
		return r;
	if (!manifest_has_file(g->m, name, (uint8_t *)bytes, len))
		r = AAD_EFORMAT;
	if (r == 0 && strcmp(name, "krl") == 0) {
		g->krl = krl_ok(g, bytes, len);
		r = g->krl ? 0 : AAD_EFORMAT;
	}
	g->n++;
	free(bytes);
	return r;
}

enum reason
published_check(struct signer *s, uint64_t version, const struct keyring *keys,
    struct manifest *m)
{
	char name[PUBLISHED_NAME_LEN];
	struct reading g = { .m = m };
	int r;

	published_name(version, name);
	if ((r = published_load(s->publish, version, keys, m)) != 0)
		return step_file(s, r, AAD_R_PUBLICATION, MANIFEST_NAME);
	r = file_dir_open(s->publish, name, step_owner(), &g.dir);
	if (r == 0) {
		r = file_dir_each(g.dir, read_one, &g);
		file_close(g.dir);
	}
	if (r == 0 && (g.n != manifest_files(m) || !g.krl)) {
		snprintf(g.bad, sizeof(g.bad), "a file of the manifest");
		r = AAD_ENOENT;
	}
	if (r != 0)
		manifest_release(m);
	return step_file(s, r, AAD_R_PUBLICATION, g.bad);
}

/* One file of a version to its kept copy; the same there already is fine. */
static int
copy(int from, const char *name, int to, const char *as)
{
	char *bytes;
	size_t len;
	int r = file_read(from, name, step_owner(), MANIFEST_MAX, &bytes, &len);

	if (r != 0)
		return r;
	r = file_replace(to, as, bytes, len, 0600);
	free(bytes);
	return r;
}

enum reason
published_keep(struct signer *s, uint64_t version)
{
	char name[PUBLISHED_NAME_LEN], kept[PUBLISHED_NAME_LEN + 16];
	int from, to, r;

	published_name(version, name);
	snprintf(kept, sizeof(kept), "%s", name);
	if ((r = step_dir(s, "manifests", &to)) != 0)
		return step_file(s, r, AAD_R_PUBLICATION, "manifests");
	r = file_dir_open(s->publish, name, step_owner(), &from);
	if (r == 0) {
		/* The signature first: a manifest always has one. */
		snprintf(kept, sizeof(kept), "%s.json.sig", name);
		r = copy(from, MANIFEST_SIG, to, kept);
		snprintf(kept, sizeof(kept), "%s.json", name);
		if (r == 0)
			r = copy(from, MANIFEST_NAME, to, kept);
		file_close(from);
	}
	file_close(to);
	return step_file(s, r, AAD_R_PUBLICATION, kept);
}

enum reason
published_switch(struct signer *s, uint64_t version)
{
	static const char temp[] = ".current";
	char name[PUBLISHED_NAME_LEN];
	int r = 0;

	published_name(version, name);
	if ((unlinkat(s->publish, temp, 0) == -1 && errno != ENOENT) ||
	    symlinkat(name, s->publish, temp) == -1 ||
	    renameat2(s->publish, temp, s->publish, PUBLISHED_CURRENT, 0) ==
		-1 ||
	    fsync(s->publish) == -1)
		r = AAD_ESYS;
	return step_file(s, r, AAD_R_PUBLICATION, PUBLISHED_CURRENT);
}

/* The versions up to the current one, the highest PUBLISHED_KEPT of them. */
struct pruning {
	struct signer *s;
	uint64_t current;
	uint64_t kept[PUBLISHED_KEPT]; /* descending */
	size_t n;
};

static int
keep_highest(void *arg, const char *name)
{
	struct pruning *g = arg;
	uint64_t v;
	size_t at;

	if (!is_version(name, &v) || v > g->current)
		return 0;
	for (at = g->n; at > 0 && g->kept[at - 1] < v; at--)
		if (at < PUBLISHED_KEPT)
			g->kept[at] = g->kept[at - 1];
	if (at < PUBLISHED_KEPT)
		g->kept[at] = v;
	if (g->n < PUBLISHED_KEPT)
		g->n++;
	return 0;
}

/* Was it made long ago, and never switched to? */
static bool
forgotten(const struct pruning *g, const char *name)
{
	struct stat sb;

	return fstatat(g->s->publish, name, &sb, AT_SYMLINK_NOFOLLOW) == 0 &&
	       sb.st_mtime < g->s->now - STAGED_FOR;
}

static int
prune_one(void *arg, const char *name)
{
	const struct pruning *g = arg;
	uint64_t v;
	bool old = file_is_temp(name); /* nobody else writes here now */

	if (is_version(name, &v))
		old = v > g->current ? forgotten(g, name)
				     : g->n > 0 && v < g->kept[g->n - 1];
	if (old && published_remove(g->s->publish, name) != 0)
		return 0; /* the next time */
	return 0;
}

void
published_prune(struct signer *s, uint64_t current)
{
	struct pruning g = { .s = s, .current = current };

	if (file_dir_each(s->publish, keep_highest, &g) == 0)
		(void)!file_dir_each(s->publish, prune_one, &g);
}
