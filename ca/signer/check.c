/* SPDX-License-Identifier: ISC */

/*
 * check: is the authority in good order?  A row for each thing looked at; it
 * changes nothing.
 */

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ca/signer/manifest.h"
#include "ca/signer/profile.h"
#include "ca/signer/published.h"
#include "ca/signer/rotate.h"
#include "ca/signer/signer.h"
#include "ca/signer/step.h"
#include "core/name.h"
#include "core/text.h"
#include "token/jwks.h"

#define TEXT_MAX 300 /* bytes of a row's sentence */

struct check {
	struct signer *s;
	struct keyring ring;
	size_t rows, faults;
	enum reason why; /* of the first fault */
	int r; /* of the last answer */
	size_t strange;
};

static void say(struct check *c, const char *what, enum reason why,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

static void
say(struct check *c, const char *what, enum reason why, const char *fmt, ...)
{
	char text[TEXT_MAX], clean[TEXT_MAX];
	bool ok = why == AAD_R_ALLOWED;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	text_clean(text, strlen(text), clean, sizeof(clean));
	c->rows++;
	if (!ok && c->faults++ == 0)
		c->why = why;
	if (c->r == 0)
		c->r = signer_row(c->s, json_pack("{s:s s:b s:s}", "check",
					    what, "ok", ok, "text", clean));
}

static void
check_config(struct check *c)
{
	struct conf_error why;

	memset(&why, 0, sizeof(why));
	if (profile_check(c->s->conf, c->s->rules, &why) == 0)
		say(c, "config", AAD_R_ALLOWED, "%s is sound", c->s->conf_path);
	else
		say(c, "config", AAD_R_CONFIG, "%s:%u: %s", c->s->conf_path,
		    why.line, why.text);
}

/*
 * Who can write a directory above can put another one in our place, and sshd
 * looks at no mode of what it trusts.  Returns how many are open to others;
 * a sticky one is not.
 */
static size_t
check_above(struct check *c, const char *path)
{
	char above[PATH_MAX];
	size_t bad = 0;
	struct stat sb;
	char *slash;

	if (strlen(path) >= sizeof(above))
		return 0;
	memcpy(above, path, strlen(path) + 1);
	while ((slash = strrchr(above, '/')) != NULL && above[1] != '\0') {
		slash[slash == above] = '\0';
		if (stat(above, &sb) == 0 &&
		    ((sb.st_mode & (S_IWGRP | S_IWOTH)) == 0 ||
			(sb.st_mode & S_ISVTX) != 0))
			continue;
		bad++;
		say(c, "directories", AAD_R_STATE_OWNER,
		    "%s, which holds %s, can be written by others", above,
		    path);
	}
	return bad;
}

static void
check_directories(struct check *c)
{
	static const struct {
		const char *name;
		mode_t mode;
	} dirs[] = { { "keys", STEP_DIR_PRIVATE },
		{ "ledger", STEP_DIR_PRIVATE },
		{ "manifests", STEP_DIR_PRIVATE },
		{ "locks", STEP_DIR_PRIVATE } };
	size_t bad = 0;
	struct stat sb;

	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		if (fstatat(c->s->dir, dirs[i].name, &sb,
			AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISDIR(sb.st_mode) && sb.st_uid == geteuid() &&
		    (sb.st_mode & 07777) == dirs[i].mode)
			continue;
		bad++;
		say(c, "directories", AAD_R_STATE_UNREADABLE,
		    "%s is not a directory of this user with mode %04o",
		    dirs[i].name, (unsigned int)dirs[i].mode);
	}
	if (c->s->publish == -1) {
		bad++;
		say(c, "directories", AAD_R_STATE_UNREADABLE,
		    "%s cannot be used", c->s->conf->publish_dir);
	}
	bad += check_above(c, c->s->conf->dir);
	bad += check_above(c, c->s->conf->publish_dir);
	if (bad == 0)
		say(c, "directories", AAD_R_ALLOWED,
		    "owners and modes are right");
}

/* Can the private half of each key that may have to sign be used? */
static void
check_keys(struct check *c)
{
	static const uint8_t text[] = "aadssh-ca: this key signs\n";
	size_t bad = 0, n = 0;

	for (size_t i = 0; i < c->ring.n; i++) {
		const struct keyring_key *k = &c->ring.keys[i];
		char fp[KEY_FP_LEN + 1];
		const char *fault = "";
		enum reason why;
		uint8_t *sig;
		size_t len;

		if (k->role == CA_ROLE_RECOVERY ||
		    (k->stage != CA_STAGE_PREPARED &&
			k->stage != CA_STAGE_ACTIVE))
			continue;
		n++;
		if (keyring_sign(&c->ring, k, text, sizeof(text) - 1, &sig,
			&len, &why, &fault) != 0) {
			bad++;
			key_fingerprint(&k->pub, fp);
			say(c, "keys", AAD_R_CA_KEY, "the %s key %s: %s",
			    ca_role_name(k->role), fp, fault);
		}
		free(sig);
	}
	for (enum ca_role r = CA_ROLE_USER; r <= CA_ROLE_RECOVERY; r++) {
		if (keyring_find(&c->ring, r, CA_STAGE_ACTIVE) != NULL)
			continue;
		bad++;
		say(c, "keys", AAD_R_CA_KEY, "no %s key is active",
		    ca_role_name(r));
	}
	if (bad == 0)
		say(c, "keys", AAD_R_ALLOWED, "%zu keys can sign", n);
}

/* The recovery key is of use only where nobody finds it with the rest. */
static void
check_recovery(struct check *c)
{
	const struct keyring_key *k = keyring_find(&c->ring, CA_ROLE_RECOVERY,
	    CA_STAGE_ACTIVE);
	char name[STEP_KEY_NAME_LEN + 1];
	struct stat sb;
	bool lies = false;
	int dir;

	if (k == NULL)
		return;
	step_key_name(k->pub.hash, name);
	if (step_dir(c->s, "keys", &dir) == 0) {
		lies = fstatat(dir, name, &sb, AT_SYMLINK_NOFOLLOW) == 0;
		file_close(dir);
	}
	if (lies)
		say(c, "recovery_key", AAD_R_CA_KEY,
		    "the recovery key lies in keys/; move it offline");
	else
		say(c, "recovery_key", AAD_R_ALLOWED,
		    "the recovery key is not among the keys here");
}

/* ---- files that nobody asked for --------------------------------------- */

static bool
key_named(const struct check *c, const char *name)
{
	char want[STEP_KEY_NAME_LEN + 1];

	for (size_t i = 0; i < c->ring.n; i++) {
		const struct keyring_key *k = &c->ring.keys[i];

		step_key_name(k->pub.hash, want);
		if (!k->in_agent && k->stage < CA_STAGE_REMOVED &&
		    strcmp(name, want) == 0)
			return true;
	}
	return false;
}

static int
look_in_keys(void *arg, const char *name)
{
	struct check *c = arg;

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
	    key_named(c, name))
		return 0;
	c->strange++;
	say(c, "files", AAD_R_CA_KEY,
	    "keys/%.80s belongs to no key of the ledger", name);
	return 0;
}

static int
look_in_public(void *arg, const char *name)
{
	struct check *c = arg;
	uint64_t v;

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
	    strcmp(name, PUBLISHED_CURRENT) == 0 ||
	    text_number(name, MANIFEST_VERSION_MAX, &v))
		return 0;
	c->strange++;
	say(c, "files", AAD_R_CA_KEY, "%s/%.80s is no version",
	    c->s->conf->publish_dir, name);
	return 0;
}

static void
check_files(struct check *c)
{
	int dir, r = step_dir(c->s, "keys", &dir);

	if (r == 0) {
		r = file_dir_each(dir, look_in_keys, c);
		file_close(dir);
	}
	if (r == 0 && c->s->publish != -1)
		r = file_dir_each(c->s->publish, look_in_public, c);
	if (r != 0)
		say(c, "files", AAD_R_CA_KEY, "the directories cannot be read");
	else if (c->strange == 0)
		say(c, "files", AAD_R_ALLOWED,
		    "no file is there that none knows of");
}

/* ---- the ledger, the publication --------------------------------------- */

static void
check_ledger(struct check *c)
{
	char hex[NAME_HEX64_LEN + 1];
	uint8_t head[32];
	int64_t length;
	enum reason why;

	if (ledger_head(c->s->ledger, &length, head, &why) != 0) {
		say(c, "ledger", AAD_R_LEDGER, "%s %s", reason_sentence(why),
		    ledger_error(c->s->ledger));
		return;
	}
	name_hex64(head, hex);
	say(c, "ledger", AAD_R_ALLOWED,
	    "%" PRId64 " rows, head %s; aadssh-ca verify "
	    "walks it all",
	    length, hex);
}

static void
check_manifest(struct check *c, const struct manifest *m)
{
	char until[TEXT_TIME_LEN + 1];
	int64_t left = m->expires - c->s->now;

	text_time_format(m->expires, until);
	if (m->issued > c->s->now + 60)
		say(c, "publication", AAD_R_PUBLICATION,
		    "version %" PRIu64 " is of the future; check the clock",
		    m->version);
	else if (left <= 0)
		say(c, "publication", AAD_R_PUBLICATION,
		    "version %" PRIu64 " ended at %s; run aadssh-ca rotate",
		    m->version, until);
	else if (left < c->s->conf->publish_valid / 4)
		say(c, "publication", AAD_R_PUBLICATION,
		    "version %" PRIu64 " ends at %s, and aadssh-ca rotate did "
		    "not make another",
		    m->version, until);
	else
		say(c, "publication", AAD_R_ALLOWED,
		    "version %" PRIu64 " is good until %s", m->version, until);
}

static void
check_publication(struct check *c)
{
	struct manifest m;
	uint64_t version;
	enum reason why;
	int r;

	if (c->s->publish == -1)
		return;
	r = published_current(c->s->publish, &version);
	if (r != 0) {
		say(c, "publication", AAD_R_PUBLICATION,
		    r == AAD_ENOENT
			? "nothing is published; run aadssh-ca publish"
			: "current is not a link to a version");
		return;
	}
	why = published_check(c->s, version, &c->ring, &m);
	if (why != AAD_R_ALLOWED) {
		say(c, "publication", AAD_R_PUBLICATION,
		    "version %" PRIu64 ": %s", version, c->s->detail);
		c->s->detail[0] = '\0';
		return;
	}
	check_manifest(c, &m);
	manifest_release(&m);
}

static void
say_action(struct check *c, const struct rotation_action *a)
{
	const char *role = ca_role_name(a->role);

	if (a->kind == ROTATION_NAME)
		say(c, "rotation", AAD_R_PUBLICATION,
		    "a %s key is due; name one of the agent with rotate", role);
	else if (a->kind == ROTATION_FULL)
		say(c, "rotation", AAD_R_CA_KEY,
		    "a %s key is due, but %d are trusted still", role,
		    KEYRING_FULL);
	else if (a->kind != ROTATION_WAIT)
		say(c, "rotation", AAD_R_PUBLICATION,
		    "due: %s%s%s; aadssh-ca rotate does it, from cron",
		    rotation_kind_name(a->kind),
		    a->role == CA_ROLE_NONE ? "" : " ",
		    a->role == CA_ROLE_NONE ? "" : role);
}

static void
check_rotation(struct check *c)
{
	struct rotation_action todo[ROTATION_ACTIONS_MAX];
	struct rotate_look *look;
	size_t n, faults = c->faults;
	enum reason why;

	if (c->s->publish == -1 || (look = malloc(sizeof(*look))) == NULL)
		return;
	if ((why = rotate_look(c->s, &c->ring, look)) != AAD_R_ALLOWED) {
		say(c, "rotation", why, "it cannot be told what is due%s%s",
		    c->s->detail[0] != '\0' ? ": " : "", c->s->detail);
	} else {
		n = rotation_plan(look->keys, look->n, &look->ask, todo);
		for (size_t i = 0; i < n; i++)
			say_action(c, &todo[i]);
		if (c->faults == faults)
			say(c, "rotation", AAD_R_ALLOWED, "nothing is due");
	}
	free(look);
}

/* ---- the tenant's keys ------------------------------------------------- */

/* Read as signing reads them.  *keysp: NULL unless 0 is returned. */
static int
tenant_keys(const struct signer *s, struct jwks **keysp)
{
	struct file_owner right = { FILE_ANY_OWNER, FILE_ANY_OWNER, false };
	struct stat sb;
	char *text;
	size_t len;
	int r;

	*keysp = NULL;
	if (s->tenant == -1)
		return AAD_ENOENT;
	if (fstat(s->tenant, &sb) == -1)
		return AAD_ESYS;
	right.owner = sb.st_uid;
	r = file_read(s->tenant, "keys.json", right, JWKS_FILE_MAX, &text,
	    &len);
	if (r != 0)
		return r;
	r = jwks_parse(text, len, NULL, keysp);
	free(text);
	return r;
}

static void
check_tenant(struct check *c)
{
	char age[TEXT_DURATION_LEN];
	struct jwks *keys;
	int64_t old;
	int r = tenant_keys(c->s, &keys);

	if (r != 0) {
		say(c, "tenant_keys",
		    r == AAD_ENOENT ? AAD_R_NO_TENANT_KEYS
				    : AAD_R_TENANT_KEYS_UNREADABLE,
		    "%s; run aadssh -f %s refresh --keys-only",
		    r == AAD_ENOENT ? "there are no tenant keys"
				    : "the tenant keys cannot be used",
		    c->s->conf_path);
		return;
	}
	old = c->s->now - keys->fetched_at;
	text_duration_format(old < 0 ? 0 : old, age);
	if (old > c->s->conf->keys_max_age)
		say(c, "tenant_keys", AAD_R_TENANT_KEYS_STALE,
		    "the tenant keys are %s old, too old to sign", age);
	else
		say(c, "tenant_keys", AAD_R_ALLOWED,
		    "the tenant keys are %s old", age);
	jwks_free(keys);
}

enum reason
op_check(struct signer *s, const struct request *rq, json_t **endp)
{
	struct check c = { .s = s };
	enum reason why = signer_ledger(s);

	(void)rq;
	*endp = NULL;
	if (why == AAD_R_ALLOWED)
		why = step_keys(s, &c.ring);
	if (why != AAD_R_ALLOWED)
		return why;
	check_config(&c);
	check_directories(&c);
	check_ledger(&c);
	check_keys(&c);
	check_recovery(&c);
	check_files(&c);
	check_publication(&c);
	check_rotation(&c);
	check_tenant(&c);
	keyring_release(&c.ring);
	if (c.r != 0)
		return step_replied(c.r);
	*endp = json_pack("{s:i s:I s:I}", "v", 1, "checks", (json_int_t)c.rows,
	    "faults", (json_int_t)c.faults);
	if (*endp == NULL)
		return AAD_R_NO_MEMORY;
	s->detail[0] = '\0';
	return c.faults == 0 ? AAD_R_ALLOWED
			     : signer_fail(s, c.why, "%zu of %zu checks failed",
				   c.faults, c.rows);
}
