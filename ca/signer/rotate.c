/* SPDX-License-Identifier: ISC */

/*
 * rotate: do what is due, in one transaction.  A killed one has done nothing
 * or all of it, but for the publication, which is due until it is made, and
 * for the private files of keys that are gone, or that no row names yet, which
 * every rotate looks for.
 */

#include "ca/signer/rotate.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/signer/manifest.h"
#include "ca/signer/newkey.h"
#include "ca/signer/published.h"
#include "ca/signer/revoked.h"
#include "ca/signer/step.h"
#include "cmd/cli/log.h"
#include "core/name.h"

#define ROUNDS 4 /* of plan and work: prepare, activate, remove, nothing */

static bool
trusted(enum ca_stage stage)
{
	return stage == CA_STAGE_PREPARED || stage == CA_STAGE_ACTIVE ||
	       stage == CA_STAGE_RETIRED;
}

/* ---- what there is ----------------------------------------------------- */

/* When a publication that lists a prepared key was first switched to. */
struct listing {
	const struct keyring *ring;
	const struct keyring_key *key;
	int manifests; /* directory */
	int64_t now;
	int64_t at;
};

static int
first_listed(void *arg, const struct event *e)
{
	struct listing *l = arg;
	char name[PUBLISHED_NAME_LEN + 8], hex[NAME_HEX64_LEN + 1];
	const char *hash;
	json_int_t version;
	struct manifest m;

	if (l->at != 0 || e->at > l->now)
		return 0;
	hash = json_string_value(json_object_get(e->body, "manifest"));
	version = json_integer_value(json_object_get(e->body, "version"));
	snprintf(name, sizeof(name), "%" PRId64 ".json", (int64_t)version);
	/* NB. without its copy a publication counts for nothing. */
	if (hash == NULL ||
	    published_manifest(l->manifests, name, l->ring, &m) != 0)
		return 0;
	name_hex64(m.hash, hex);
	if (strcmp(hash, hex) == 0 &&
	    trusted(manifest_stage(&m, l->key->role, l->key->pub.hash)))
		l->at = e->at;
	manifest_release(&m);
	return 0;
}

static enum reason
listed_at(struct signer *s, const struct keyring *ring,
    const struct keyring_key *k, int64_t *atp)
{
	/* NB. a clock that was ahead when the key was made was no clock. */
	const struct ledger_filter f = { .kind = EVENT_PUBLISHED,
		.since = k->prepared_at <= s->now ? k->prepared_at : 0 };
	struct listing l = { ring, k, -1, s->now, 0 };
	enum reason why;
	int r = step_dir(s, "manifests", &l.manifests);

	if (r != 0)
		return step_file(s, r, AAD_R_PUBLICATION, "manifests");
	r = ledger_each(s->ledger, &f, first_listed, &l, &why);
	file_close(l.manifests);
	*atp = l.at;
	return r == 0 ? AAD_R_ALLOWED : step_ledger(s, why);
}

static enum reason
look_at_keys(struct signer *s, const struct keyring *ring,
    struct rotate_look *look)
{
	enum reason why = AAD_R_ALLOWED;

	for (size_t i = 0; i < ring->n && why == AAD_R_ALLOWED; i++) {
		const struct keyring_key *k = &ring->keys[i];
		struct rotation_key *out = &look->keys[look->n];

		if ((k->role != CA_ROLE_USER && k->role != CA_ROLE_HOST) ||
		    !trusted(k->stage))
			continue;
		if (look->n == KEYRING_MAX)
			return signer_fail(s, AAD_R_CA_KEY, "more than %d keys",
			    KEYRING_MAX);
		look->n++;
		out->role = k->role;
		out->stage = k->stage;
		out->active_at = k->active_at;
		memcpy(out->hash, k->pub.hash, sizeof(out->hash));
		if (k->stage == CA_STAGE_PREPARED)
			why = listed_at(s, ring, k, &out->listed_at);
		else if (k->stage == CA_STAGE_RETIRED &&
			 ledger_last_end(s->ledger, k->pub.hash, &out->last_end,
			     &why) != 0)
			why = step_ledger(s, why);
		else
			why = AAD_R_ALLOWED;
	}
	return why;
}

/* Does the manifest list every key at its stage, and no other? */
static bool
keys_differ(const struct keyring *ring, const struct manifest *m)
{
	size_t n = 0;

	for (size_t i = 0; i < ring->n; i++) {
		const struct keyring_key *k = &ring->keys[i];

		if (k->stage == CA_STAGE_ACTIVE &&
		    ((k->role == CA_ROLE_BUNDLE &&
			 memcmp(k->pub.hash, m->bundle_key, 32) != 0) ||
			(k->role == CA_ROLE_RECOVERY &&
			    memcmp(k->pub.hash, m->recovery_key, 32) != 0)))
			return true;
		if ((k->role != CA_ROLE_USER && k->role != CA_ROLE_HOST) ||
		    !trusted(k->stage))
			continue;
		n++;
		if (manifest_stage(m, k->role, k->pub.hash) != k->stage)
			return true;
	}
	return n !=
	       manifest_keys(m, CA_ROLE_USER) + manifest_keys(m, CA_ROLE_HOST);
}

/* Rows that the publication cannot know. */
struct newer {
	int64_t length;
	bool found;
};

static int
is_newer(void *arg, const struct event *e)
{
	struct newer *n = arg;

	n->found = n->found || e->seq > n->length;
	return 0;
}

static enum reason
rows_differ(struct signer *s, int64_t length, bool *yes)
{
	struct ledger_filter filters[] = {
		{ .kind = EVENT_REVOKED },
		{ .kind = EVENT_DENIED },
		{ .kind = EVENT_UNDENIED },
	};
	struct newer n = { length, false };
	enum reason why = revoked_since(s, &filters[0].valid_after);

	if (why != AAD_R_ALLOWED)
		return why;
	for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++)
		if (ledger_each(s->ledger, &filters[i], is_newer, &n, &why) !=
		    0)
			return step_ledger(s, why);
	*yes = n.found;
	return AAD_R_ALLOWED;
}

/* Whether what hosts see now is what the ledger says. */
static enum reason
look_at_publication(struct signer *s, const struct keyring *ring,
    struct rotation_ask *ask)
{
	struct manifest m;
	uint64_t version;
	bool recorded, newer = false;
	enum reason why;

	ask->stale = true;
	if ((why = published_agrees(s, ring)) != AAD_R_ALLOWED)
		return why;
	if (published_current(s->publish, &version) != 0 ||
	    published_load(s->publish, version, ring, &m) != 0)
		return AAD_R_ALLOWED; /* there is none that counts */
	ask->expires = m.expires;
	why = published_recorded(s, version, &recorded);
	if (why == AAD_R_ALLOWED)
		why = rows_differ(s, m.length, &newer);
	/* NB. of a clock that was ahead: it lacks what seemed to be over. */
	ask->stale = !recorded || newer || keys_differ(ring, &m) ||
		     m.issued > s->now;
	manifest_release(&m);
	return why;
}

static size_t
live(const struct keyring *ring)
{
	size_t n = 0;

	for (size_t i = 0; i < ring->n; i++)
		n += ring->keys[i].stage < CA_STAGE_REMOVED;
	return n;
}

enum reason
rotate_look(struct signer *s, const struct keyring *ring,
    struct rotate_look *look)
{
	enum reason why;

	memset(look, 0, sizeof(*look));
	look->ask = (struct rotation_ask){ .now = s->now,
		.rotate_every = s->conf->rotate_every,
		.publish_before = s->conf->publish_before,
		.publish_valid = s->conf->publish_valid,
		.agent = s->conf->ca_agent != NULL,
		.full = live(ring) >= KEYRING_FULL };
	if (s->publish == -1)
		return step_file(s, AAD_ENOENT, AAD_R_PUBLICATION,
		    s->conf->publish_dir);
	why = look_at_keys(s, ring, look);
	return why == AAD_R_ALLOWED ? look_at_publication(s, ring, &look->ask)
				    : why;
}

/* ---- what is done ------------------------------------------------------ */

struct rotation {
	struct signer *s;
	const struct request *rq;
	bool dry;
	bool publish;
	bool waits; /* a new key was asked for, and one waits already */
	bool full; /* a new key was due, and there is no room for it */
	bool witness; /* hosts see a publication that the ledger agrees with */
	json_t *rows; /* what was done, told once it is committed */
};

/* Remember what to tell. */
static enum reason
note(struct rotation *t, const struct rotation_action *a, const uint8_t *hash)
{
	json_t *o = json_pack("{s:s}", "action", rotation_kind_name(a->kind));
	bool ok = o != NULL;

	if (a->role != CA_ROLE_NONE)
		ok = ok && json_object_set_new(o, "role",
			       json_string(ca_role_name(a->role))) == 0;
	if (hash != NULL)
		ok = ok && json_object_set_new(o, "fingerprint",
			       step_fingerprint(hash)) == 0;
	if (a->kind == ROTATION_WAIT)
		ok = ok &&
		     json_object_set_new(o, "due", step_time(a->due)) == 0;
	if (ok && json_array_append(t->rows, o) != 0)
		ok = false;
	json_decref(o);
	return ok ? AAD_R_ALLOWED : AAD_R_NO_MEMORY;
}

/* Append the row of another stage of a key that is there. */
static enum reason
move(struct rotation *t, const struct keyring_key *k, enum ca_stage stage)
{
	const struct newkey known = { k->pub, k->in_agent };

	return newkey_append(t->s, &known, k->role, stage, "rotate");
}

static enum reason
do_prepare(struct rotation *t, const struct keyring *ring,
    const struct rotation_action *a)
{
	const struct request_field *named;
	struct newkey n;
	enum reason why;

	if (t->dry)
		return note(t, a, NULL);
	named = request_get(t->rq,
	    a->role == CA_ROLE_USER ? REQUEST_L_USER_CA : REQUEST_L_HOST_CA, 0);
	why = named != NULL ? newkey_named(t->s, ring, named, &n)
			    : newkey_make(t->s, &n);
	if (why != AAD_R_ALLOWED)
		return why;
	why = newkey_append(t->s, &n, a->role, CA_STAGE_PREPARED, "rotate");
	if (why == AAD_R_ALLOWED)
		why = note(t, a, n.pub.hash);
	newkey_release(&n);
	return why;
}

static enum reason
do_activate(struct rotation *t, const struct keyring *ring,
    const struct rotation_action *a)
{
	const struct keyring_key *next = keyring_by_hash(ring, a->hash);
	enum reason why = note(t, a, a->hash);

	if (t->dry || why != AAD_R_ALLOWED)
		return why;
	why = next == NULL ? AAD_R_CA_KEY : move(t, next, CA_STAGE_ACTIVE);
	for (size_t i = 0; i < ring->n && why == AAD_R_ALLOWED; i++) {
		const struct keyring_key *k = &ring->keys[i];

		if (k->role == a->role && k->stage == CA_STAGE_ACTIVE)
			why = move(t, k, CA_STAGE_RETIRED);
	}
	return why;
}

static enum reason
do_remove(struct rotation *t, const struct keyring *ring,
    const struct rotation_action *a)
{
	const struct keyring_key *k = keyring_by_hash(ring, a->hash);
	enum reason why = note(t, a, a->hash);

	if (t->dry || why != AAD_R_ALLOWED)
		return why;
	return k == NULL ? AAD_R_CA_KEY : move(t, k, CA_STAGE_REMOVED);
}

static enum reason
act(struct rotation *t, const struct keyring *ring,
    const struct rotation_action *a, bool *changed)
{
	*changed = *changed || a->kind == ROTATION_PREPARE ||
		   a->kind == ROTATION_ACTIVATE || a->kind == ROTATION_REMOVE;
	switch (a->kind) {
	case ROTATION_PREPARE:
		return do_prepare(t, ring, a);
	case ROTATION_ACTIVATE:
		return do_activate(t, ring, a);
	case ROTATION_REMOVE:
		return do_remove(t, ring, a);
	case ROTATION_PUBLISH:
		t->publish = true;
		return AAD_R_ALLOWED;
	case ROTATION_FULL:
		t->full = true;
		return AAD_R_ALLOWED;
	default:
		return AAD_R_ALLOWED;
	}
}

/* One look and what it asks for.  *changed: there may be more now. */
static enum reason
one_round(struct rotation *t, bool first, struct rotate_look *look,
    bool *changed)
{
	struct rotation_action todo[ROTATION_ACTIONS_MAX];
	struct rotation_ask *ask = &look->ask;
	struct keyring ring;
	enum reason why = step_keys(t->s, &ring);
	size_t n = 0;

	*changed = t->full = false;
	if (why == AAD_R_ALLOWED)
		why = rotate_look(t->s, &ring, look);
	if (why == AAD_R_ALLOWED) {
		t->witness = ask->expires != 0;
		ask->force = first &&
			     request_get(t->rq, REQUEST_L_NOW, 0) != NULL;
		ask->user_given = first && request_get(t->rq, REQUEST_L_USER_CA,
					       0) != NULL;
		ask->host_given = first && request_get(t->rq, REQUEST_L_HOST_CA,
					       0) != NULL;
		n = rotation_plan(look->keys, look->n, ask, todo);
	}
	for (size_t i = 0; i < n && why == AAD_R_ALLOWED; i++) {
		bool tells = todo[i].kind == ROTATION_WAIT ||
			     todo[i].kind == ROTATION_NAME;

		if (first && tells)
			why = note(t, &todo[i],
			    todo[i].kind == ROTATION_WAIT ? todo[i].hash
							  : NULL);
		else
			why = act(t, &ring, &todo[i], changed);
		t->waits = t->waits || (todo[i].kind == ROTATION_WAIT &&
					   (ask->force || ask->user_given ||
					       ask->host_given));
	}
	keyring_release(&ring);
	return why;
}

/* Private files of keys that are gone, also of a rotate that was killed. */
static enum reason
sweep(struct signer *s)
{
	struct keyring ring;
	enum reason why = step_keys(s, &ring);

	for (size_t i = 0; i < ring.n && why == AAD_R_ALLOWED; i++) {
		const struct keyring_key *k = &ring.keys[i];
		int r;

		if (k->in_agent || k->stage == CA_STAGE_NONE ||
		    trusted(k->stage))
			continue;
		r = keyring_destroy(s->dir, k->pub.hash);
		if (r != 0 && r != AAD_ENOENT)
			why = step_file(s, r, AAD_R_CA_KEY,
			    "the file of a removed key");
	}
	keyring_release(&ring);
	return why;
}

static void
tell_swept(void *arg, const char *name, int r)
{
	const struct log_field fields[] = { { "action", "sweep" },
		{ "file", name } };

	signer_log(arg, "rotate", step_reason(r, AAD_R_CA_KEY), fields, 2);
}

/*
 * Within the transaction: private files that no row names, of a run that was
 * killed.  NB. of a ledger that is an older copy they would be those of the
 * right one; that none is told by a publication only.  What fails here stays
 * for the next time, and check names it.
 */
static void
sweep_unnamed(struct rotation *t)
{
	struct keyring ring;

	if (t->witness && step_keys(t->s, &ring) == AAD_R_ALLOWED) {
		(void)!keyring_sweep(&ring, tell_swept, t->s);
		keyring_release(&ring);
	}
}

static enum reason
work(struct rotation *t)
{
	struct rotate_look *look = malloc(sizeof(*look));
	enum reason why = AAD_R_ALLOWED;
	bool more = true;

	if (look == NULL)
		return AAD_R_NO_MEMORY;
	for (int i = 0; i < ROUNDS && more && why == AAD_R_ALLOWED; i++) {
		why = one_round(t, i == 0, look, &more);
		more = more && !t->dry;
	}
	free(look);
	return why;
}

static void
tell_log(const struct signer *s, const json_t *row)
{
	const struct log_field fields[] = {
		{ "action", json_string_value(json_object_get(row, "action")) },
		{ "role", json_string_value(json_object_get(row, "role")) },
		{ "key",
		    json_string_value(json_object_get(row, "fingerprint")) },
	};

	signer_log(s, "rotate", AAD_R_ALLOWED, fields, 3);
}

/* Say what was done. */
static enum reason
tell(struct rotation *t, json_t **endp)
{
	size_t n = json_array_size(t->rows);
	enum reason why;

	for (size_t i = 0; i < n; i++) {
		json_t *row = json_array_get(t->rows, i);

		if (!t->dry)
			tell_log(t->s, row);
		why = step_replied(signer_row(t->s, json_incref(row)));
		if (why != AAD_R_ALLOWED)
			return why;
	}
	*endp = json_pack("{s:i s:b s:b s:I}", "v", 1, "publish", t->publish,
	    "dry_run", t->dry, "actions", (json_int_t)n);
	if (*endp == NULL)
		return AAD_R_NO_MEMORY;
	if (t->full)
		return signer_fail(t->s, AAD_R_CA_KEY,
		    "a new key is due, but %d are trusted still; one of them "
		    "must be over first: rotate less often, or sign for less "
		    "time",
		    KEYRING_FULL);
	return t->waits ? AAD_R_PUBLISHED_TOO_LATE : AAD_R_ALLOWED;
}

/* One key of the agent for both roles: the ring of one round does not show
 * the second what the first took. */
static bool
same_named(const struct request *rq)
{
	const struct request_field *user, *host;

	user = request_get(rq, REQUEST_L_USER_CA, 0);
	host = request_get(rq, REQUEST_L_HOST_CA, 0);
	return user != NULL && host != NULL && user->len == host->len &&
	       memcmp(user->p, host->p, user->len) == 0;
}

enum reason
op_rotate(struct signer *s, const struct request *rq, json_t **endp)
{
	struct rotation t = { .s = s, .rq = rq };
	enum reason why;

	*endp = NULL;
	t.dry = request_get(rq, REQUEST_L_DRY_RUN, 0) != NULL;
	if (s->conf->ca_agent == NULL &&
	    (request_get(rq, REQUEST_L_USER_CA, 0) != NULL ||
		request_get(rq, REQUEST_L_HOST_CA, 0) != NULL))
		return signer_fail(s, AAD_R_REQUEST_MALFORMED,
		    "a key can be named with backend = agent:PATH only");
	if (same_named(rq))
		return signer_fail(s, AAD_R_CA_KEY,
		    "users and hosts need a key each");
	if ((t.rows = json_array()) == NULL)
		return AAD_R_NO_MEMORY;
	if ((why = step_begin(s)) == AAD_R_ALLOWED) {
		why = work(&t);
		if (why == AAD_R_ALLOWED && !t.dry) {
			sweep_unnamed(&t);
			why = step_commit(s);
		} else
			ledger_rollback(s->ledger);
	}
	if (why == AAD_R_ALLOWED && !t.dry)
		why = sweep(s);
	if (why == AAD_R_ALLOWED)
		why = tell(&t, endp);
	json_decref(t.rows);
	return why;
}
