/* SPDX-License-Identifier: ISC */

#include "ca/signer/rotation.h"

#include <string.h>

const char *
rotation_kind_name(enum rotation_kind k)
{
	switch (k) {
	case ROTATION_PREPARE:
		return "prepare";
	case ROTATION_ACTIVATE:
		return "activate";
	case ROTATION_REMOVE:
		return "remove";
	case ROTATION_WAIT:
		return "wait";
	case ROTATION_NAME:
		return "name_a_key";
	case ROTATION_FULL:
		return "no_room";
	case ROTATION_PUBLISH:
		return "publish";
	case ROTATION_NONE:
		break;
	}
	return "none";
}

/* Whether at least `span` seconds went by since `at`; never of a time that is
 * still to come, which is a clock's that was wrong. */
static bool
passed(int64_t now, int64_t at, int64_t span)
{
	return at != 0 && at <= now && now - at >= span;
}

static const struct rotation_key *
find(const struct rotation_key *keys, size_t n, enum ca_role role,
    enum ca_stage stage)
{
	const struct rotation_key *found = NULL;

	for (size_t i = 0; i < n; i++)
		if (keys[i].role == role && keys[i].stage == stage)
			found = &keys[i];
	return found;
}

struct plan {
	const struct rotation_ask *ask;
	struct rotation_action *out;
	size_t n;
	bool changed; /* what is published changes */
};

static void
add(struct plan *p, enum rotation_kind kind, enum ca_role role,
    const struct rotation_key *k, int64_t due)
{
	struct rotation_action *a;

	if (p->n == ROTATION_ACTIONS_MAX)
		return;
	a = &p->out[p->n++];
	memset(a, 0, sizeof(*a));
	a->kind = kind;
	a->role = role;
	a->due = due;
	if (k != NULL)
		memcpy(a->hash, k->hash, sizeof(a->hash));
	if (kind != ROTATION_WAIT && kind != ROTATION_NAME &&
	    kind != ROTATION_FULL)
		p->changed = true;
}

/* Is a new key due, with none prepared? */
static void
prepare(struct plan *p, enum ca_role role, const struct rotation_key *active)
{
	const struct rotation_ask *ask = p->ask;
	bool given = role == CA_ROLE_USER ? ask->user_given : ask->host_given;
	int64_t age = ask->rotate_every - ask->publish_before;
	bool due = active == NULL || passed(ask->now, active->active_at, age);

	if (ask->full && (due || ask->force || (ask->agent && given)))
		add(p, ROTATION_FULL, role, NULL, 0);
	else if (ask->agent && given)
		add(p, ROTATION_PREPARE, role, NULL, 0);
	else if (ask->agent && (due || ask->force))
		add(p, ROTATION_NAME, role, NULL, 0);
	else if (due || ask->force)
		add(p, ROTATION_PREPARE, role, NULL, 0);
}

/* The next key signs when hosts have had the time to hear of it; or at once
 * where nobody signs, as nothing could be refused that wasn't before. */
static void
activate(struct plan *p, const struct rotation_key *next,
    const struct rotation_key *active)
{
	const struct rotation_ask *ask = p->ask;

	if (active == NULL ||
	    passed(ask->now, next->listed_at, ask->publish_before))
		add(p, ROTATION_ACTIVATE, next->role, next, 0);
	else
		add(p, ROTATION_WAIT, next->role, next,
		    next->listed_at == 0
			? 0
			: next->listed_at + ask->publish_before);
}

static void
plan_role(struct plan *p, const struct rotation_key *keys, size_t n,
    enum ca_role role)
{
	const struct rotation_key *next, *active;

	next = find(keys, n, role, CA_STAGE_PREPARED);
	active = find(keys, n, role, CA_STAGE_ACTIVE);
	if (next == NULL)
		prepare(p, role, active);
	else
		activate(p, next, active);
	for (size_t i = 0; i < n; i++)
		if (keys[i].role == role && keys[i].stage == CA_STAGE_RETIRED &&
		    keys[i].last_end < p->ask->now)
			add(p, ROTATION_REMOVE, role, &keys[i], 0);
}

size_t
rotation_plan(const struct rotation_key *keys, size_t n,
    const struct rotation_ask *ask,
    struct rotation_action out[static ROTATION_ACTIONS_MAX])
{
	struct plan p = { ask, out, 0, false };

	plan_role(&p, keys, n, CA_ROLE_USER);
	plan_role(&p, keys, n, CA_ROLE_HOST);
	/* Half a life before its end hosts get a new one. */
	if (p.changed || ask->stale || ask->expires == 0 ||
	    ask->expires - ask->now < ask->publish_valid / 2)
		add(&p, ROTATION_PUBLISH, CA_ROLE_NONE, NULL, 0);
	return p.n;
}
