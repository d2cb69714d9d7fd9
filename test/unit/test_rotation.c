/* SPDX-License-Identifier: ISC */

/*
 * ca/signer/rotation: the life of the authority's keys over a clock that is
 * walked hour by hour, where whoever does what is due is killed after each
 * action, and often does nothing at all for a while.  Names carry the ids of
 * attacks.md where a row is what the test is about.
 */

#include <stdbool.h>
#include <string.h>

#include "ca/signer/rotation.h"
#include "test/unit/unit.h"

#define NOW  INT64_C(1800000000)
#define HOUR INT64_C(3600)
#define DAY  (24 * HOUR)

static const struct rotation_ask usual = {
	.now = NOW,
	.rotate_every = 90 * DAY,
	.publish_before = DAY,
	.publish_valid = 7 * DAY,
	.expires = NOW + 7 * DAY,
};

static struct rotation_key
a_key(enum ca_role role, enum ca_stage stage, uint8_t name)
{
	struct rotation_key k = { .role = role, .stage = stage };

	memset(k.hash, name, sizeof(k.hash));
	if (stage == CA_STAGE_ACTIVE || stage == CA_STAGE_RETIRED)
		k.active_at = NOW - DAY;
	return k;
}

/* An active key each, young, with room for a third at keys[2]. */
static void
two_keys(struct rotation_key keys[static 3])
{
	memset(keys, 0, 3 * sizeof(*keys));
	keys[0] = a_key(CA_ROLE_USER, CA_STAGE_ACTIVE, 1);
	keys[1] = a_key(CA_ROLE_HOST, CA_STAGE_ACTIVE, 2);
}

/* The action of a kind, NULL when it isn't planned. */
static const struct rotation_action *
planned(const struct rotation_key *keys, size_t n,
    const struct rotation_ask *ask, enum rotation_kind kind)
{
	static struct rotation_action out[ROTATION_ACTIONS_MAX];
	size_t todo = rotation_plan(keys, n, ask, out), i;

	for (i = 0; i < todo; i++)
		if (out[i].kind == kind)
			return &out[i];
	return NULL;
}

static void
nothing_is_due(void **state)
{
	struct rotation_action out[ROTATION_ACTIONS_MAX];
	struct rotation_key keys[3];

	(void)state;
	two_keys(keys);
	assert_int_equal(rotation_plan(keys, 2, &usual, out), 0);
}

static void
boundary_of_age(void **state)
{
	const struct rotation_action *a;
	struct rotation_key keys[3];

	(void)state;
	two_keys(keys);
	keys[0].active_at = NOW - 89 * DAY + 1;
	assert_null(planned(keys, 2, &usual, ROTATION_PREPARE));
	keys[0].active_at = NOW - 89 * DAY;
	a = planned(keys, 2, &usual, ROTATION_PREPARE);
	assert_non_null(a);
	assert_int_equal(a->role, CA_ROLE_USER);
	assert_non_null(planned(keys, 2, &usual, ROTATION_PUBLISH));
	/* a key from the future is a clock's mistake, not an old key */
	keys[0].active_at = NOW + DAY;
	assert_null(planned(keys, 2, &usual, ROTATION_PREPARE));
}

static void
I_E11_a_key_signs_only_when_hosts_had_time(void **state)
{
	const struct rotation_action *a;
	struct rotation_key keys[3];

	(void)state;
	two_keys(keys);
	keys[2] = a_key(CA_ROLE_USER, CA_STAGE_PREPARED, 3);
	a = planned(keys, 3, &usual, ROTATION_WAIT); /* never published */
	assert_non_null(a);
	assert_int_equal(a->due, 0);
	keys[2].listed_at = NOW - DAY + 1;
	a = planned(keys, 3, &usual, ROTATION_WAIT);
	assert_non_null(a);
	assert_int_equal(a->due, NOW + 1);
	assert_memory_equal(a->hash, keys[2].hash, 32);
	assert_null(planned(keys, 3, &usual, ROTATION_ACTIVATE));
	keys[2].listed_at = NOW + DAY; /* the clock was set back */
	assert_null(planned(keys, 3, &usual, ROTATION_ACTIVATE));
	keys[2].listed_at = NOW - DAY;
	a = planned(keys, 3, &usual, ROTATION_ACTIVATE);
	assert_non_null(a);
	assert_memory_equal(a->hash, keys[2].hash, 32);
}

static void
I_E11_force_makes_one_key_and_no_haste(void **state)
{
	struct rotation_ask ask = usual;
	struct rotation_key keys[3];

	(void)state;
	two_keys(keys);
	ask.force = true;
	assert_non_null(planned(keys, 2, &ask, ROTATION_PREPARE));
	keys[2] = a_key(CA_ROLE_USER, CA_STAGE_PREPARED, 3);
	keys[2].listed_at = NOW - HOUR;
	assert_non_null(planned(keys, 3, &ask, ROTATION_WAIT));
	assert_null(planned(keys, 3, &ask, ROTATION_ACTIVATE));
}

static void
nobody_signs(void **state)
{
	struct rotation_key keys[3];

	(void)state;
	two_keys(keys);
	keys[0] = a_key(CA_ROLE_USER, CA_STAGE_PREPARED, 3);
	assert_non_null(planned(keys, 2, &usual, ROTATION_ACTIVATE));
	assert_non_null(planned(keys + 1, 1, &usual, ROTATION_PREPARE));
}

static void
I_E12_the_last_certificate_ends_first(void **state)
{
	const struct rotation_action *a;
	struct rotation_key keys[3];

	(void)state;
	two_keys(keys);
	keys[2] = a_key(CA_ROLE_HOST, CA_STAGE_RETIRED, 4);
	keys[2].last_end = NOW;
	assert_null(planned(keys, 3, &usual, ROTATION_REMOVE));
	keys[2].last_end = NOW - 1;
	a = planned(keys, 3, &usual, ROTATION_REMOVE);
	assert_non_null(a);
	assert_int_equal(a->role, CA_ROLE_HOST);
	assert_memory_equal(a->hash, keys[2].hash, 32);
	keys[2].last_end = 0; /* it never signed */
	assert_non_null(planned(keys, 3, &usual, ROTATION_REMOVE));
}

static void
keys_of_an_agent_are_named(void **state)
{
	struct rotation_ask ask = usual;
	struct rotation_key keys[3];

	(void)state;
	two_keys(keys);
	ask.agent = true;
	assert_null(planned(keys, 2, &ask, ROTATION_NAME));
	keys[1].active_at = NOW - 100 * DAY;
	assert_non_null(planned(keys, 2, &ask, ROTATION_NAME));
	assert_null(planned(keys, 2, &ask, ROTATION_PREPARE));
	assert_null(planned(keys, 2, &ask, ROTATION_PUBLISH));
	ask.host_given = true;
	assert_non_null(planned(keys, 2, &ask, ROTATION_PREPARE));
	assert_null(planned(keys, 2, &ask, ROTATION_NAME));
	ask.host_given = false;
	ask.user_given = true; /* before it is due: somebody wants it now */
	assert_int_equal(planned(keys, 2, &ask, ROTATION_PREPARE)->role,
	    CA_ROLE_USER);
}

/* Where there is no room for a key, none is made, and it is said whenever one
 * would have been. */
static void
no_room_for_another(void **state)
{
	static const struct {
		bool due, force, agent, user, host, said;
	} cases[] = {
		{ false, false, false, false, false, false },
		{ true, false, false, false, false, true },
		{ false, true, false, false, false, true },
		{ false, false, true, false, false, false },
		{ false, false, true, true, false, true },
		{ false, false, true, false, true, true },
		{ false, false, false, true, true, false },
		{ true, false, true, false, false, true },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct rotation_action *a;
		struct rotation_ask ask = usual;
		struct rotation_key keys[3];

		two_keys(keys);
		ask.full = true;
		ask.force = cases[i].force;
		ask.agent = cases[i].agent;
		ask.user_given = cases[i].user;
		ask.host_given = cases[i].host;
		if (cases[i].due)
			keys[1].active_at = NOW - 100 * DAY;
		a = planned(keys, 2, &ask, ROTATION_FULL);
		if ((a != NULL) != cases[i].said)
			fail_msg("row %zu", i);
		if (a != NULL && (cases[i].due || cases[i].host))
			assert_int_equal(a->role, CA_ROLE_HOST);
		assert_null(planned(keys, 2, &ask, ROTATION_PREPARE));
		assert_null(planned(keys, 2, &ask, ROTATION_NAME));
		assert_null(planned(keys, 2, &ask, ROTATION_PUBLISH));
	}
}

static void
a_publication_is_renewed(void **state)
{
	struct rotation_ask ask = usual;
	struct rotation_key keys[3];

	(void)state;
	two_keys(keys);
	ask.expires = NOW + 84 * HOUR;
	assert_null(planned(keys, 2, &ask, ROTATION_PUBLISH));
	ask.expires--;
	assert_non_null(planned(keys, 2, &ask, ROTATION_PUBLISH));
	ask.expires = 0;
	assert_non_null(planned(keys, 2, &ask, ROTATION_PUBLISH));
	ask = usual;
	ask.stale = true;
	assert_non_null(planned(keys, 2, &ask, ROTATION_PUBLISH));
}

static void
names_are_stable(void **state)
{
	(void)state;
	assert_string_equal(rotation_kind_name(ROTATION_NONE), "none");
	assert_string_equal(rotation_kind_name(ROTATION_PREPARE), "prepare");
	assert_string_equal(rotation_kind_name(ROTATION_ACTIVATE), "activate");
	assert_string_equal(rotation_kind_name(ROTATION_REMOVE), "remove");
	assert_string_equal(rotation_kind_name(ROTATION_WAIT), "wait");
	assert_string_equal(rotation_kind_name(ROTATION_NAME), "name_a_key");
	assert_string_equal(rotation_kind_name(ROTATION_FULL), "no_room");
	assert_string_equal(rotation_kind_name(ROTATION_PUBLISH), "publish");
}

/* ---- years, hour by hour ----------------------------------------------- */

#define KEYS 64

/* An authority without disk: the keys, and what hosts were told of them. */
struct model {
	struct rotation_key keys[KEYS];
	enum ca_stage told[KEYS]; /* as the current publication has it */
	int64_t heard[KEYS]; /* hosts trust it since */
	size_t n;
	int64_t now;
	int64_t expires;
	bool stale;
	size_t activated, removed, published;
};

static struct rotation_key *
signs(struct model *m, enum ca_role role)
{
	struct rotation_key *found = NULL;
	size_t i;

	for (i = 0; i < m->n; i++)
		if (m->keys[i].role == role &&
		    m->keys[i].stage == CA_STAGE_ACTIVE) {
			assert_null(found); /* never two */
			found = &m->keys[i];
		}
	assert_non_null(found); /* never none */
	return found;
}

static void
make(struct model *m, enum ca_role role, enum ca_stage stage)
{
	struct rotation_key *k = &m->keys[m->n];

	assert_true(m->n < KEYS);
	*k = a_key(role, stage, (uint8_t)(m->n + 1));
	k->active_at = stage == CA_STAGE_ACTIVE ? m->now : 0;
	m->n++;
	m->stale = true;
}

static void
publish(struct model *m)
{
	size_t i;

	for (i = 0; i < m->n; i++) {
		m->told[i] = m->keys[i].stage;
		if (m->keys[i].listed_at == 0)
			m->keys[i].listed_at = m->heard[i] = m->now;
	}
	m->expires = m->now + usual.publish_valid;
	m->stale = false;
	m->published++;
}

static size_t
index_of(const struct model *m, const uint8_t hash[static 32])
{
	size_t i;

	for (i = 0; i < m->n; i++)
		if (memcmp(m->keys[i].hash, hash, 32) == 0)
			return i;
	fail_msg("no such key");
	return 0;
}

static void
activate(struct model *m, const struct rotation_action *a)
{
	size_t i = index_of(m, a->hash);

	assert_int_equal(m->keys[i].stage, CA_STAGE_PREPARED);
	/* I-E11: every host had publish_before to hear of it */
	assert_true(m->heard[i] != 0);
	assert_true(m->now - m->heard[i] >= usual.publish_before);
	signs(m, a->role)->stage = CA_STAGE_RETIRED;
	m->keys[i].stage = CA_STAGE_ACTIVE;
	m->keys[i].active_at = m->now;
	m->stale = true;
	m->activated++;
}

static void
drop(struct model *m, const struct rotation_action *a)
{
	size_t i = index_of(m, a->hash);

	assert_int_equal(m->keys[i].stage, CA_STAGE_RETIRED);
	assert_true(m->keys[i].last_end < m->now);
	m->keys[i].stage = CA_STAGE_REMOVED;
	m->stale = true;
	m->removed++;
}

static void
perform(struct model *m, const struct rotation_action *a)
{
	if (a->kind == ROTATION_PREPARE)
		make(m, a->role, CA_STAGE_PREPARED);
	else if (a->kind == ROTATION_ACTIVATE)
		activate(m, a);
	else if (a->kind == ROTATION_REMOVE)
		drop(m, a);
	else if (a->kind == ROTATION_PUBLISH)
		publish(m);
}

/* Certificates of a day for users, of thirty for hosts. */
static void
sign(struct model *m)
{
	struct rotation_key *user = signs(m, CA_ROLE_USER);
	struct rotation_key *host = signs(m, CA_ROLE_HOST);

	user->last_end = m->now + DAY;
	host->last_end = m->now + 30 * DAY;
}

/* Nothing that is good is refused by a host that reads every publication. */
static void
hosts_agree(const struct model *m)
{
	size_t i;

	for (i = 0; i < m->n; i++) {
		const struct rotation_key *k = &m->keys[i];

		if (k->last_end > m->now) {
			assert_true(m->told[i] == CA_STAGE_PREPARED ||
				    m->told[i] == CA_STAGE_ACTIVE ||
				    m->told[i] == CA_STAGE_RETIRED);
		}
	}
}

/* One run of cron that is killed behind `actions` of what is due. */
static void
run(struct model *m, size_t actions)
{
	struct rotation_action out[ROTATION_ACTIONS_MAX];
	struct rotation_ask ask = usual;
	size_t n, i, done = 0;

	ask.now = m->now;
	ask.expires = m->expires;
	ask.stale = m->stale;
	n = rotation_plan(m->keys, m->n, &ask, out);
	for (i = 0; i < n && done < actions; i++) {
		perform(m, &out[i]);
		done += out[i].kind != ROTATION_WAIT;
	}
}

static void
walk(size_t actions, int every)
{
	struct model m;
	int hour;

	memset(&m, 0, sizeof(m));
	m.now = NOW;
	make(&m, CA_ROLE_USER, CA_STAGE_ACTIVE);
	make(&m, CA_ROLE_HOST, CA_STAGE_ACTIVE);
	publish(&m);
	for (hour = 0; hour < 3 * 365 * 24; hour++) {
		m.now += HOUR;
		if (hour % every == 0)
			run(&m, actions);
		sign(&m);
		hosts_agree(&m);
		assert_true(m.now - signs(&m, CA_ROLE_USER)->active_at <=
			    usual.rotate_every + (every + 6) * HOUR);
	}
	assert_true(m.activated >= 22);
	assert_true(m.removed >= 20);
	assert_true(m.published >= 3 * 365 / 4);
}

static void
II_C19_years_of_rotation_killed_after_each_action(void **state)
{
	size_t actions;

	(void)state;
	for (actions = 1; actions <= 4; actions++)
		walk(actions, 1);
	walk(ROTATION_ACTIONS_MAX, 1);
	walk(ROTATION_ACTIONS_MAX, 7); /* cron that runs now and then */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_due),
		cmocka_unit_test(boundary_of_age),
		cmocka_unit_test(I_E11_a_key_signs_only_when_hosts_had_time),
		cmocka_unit_test(I_E11_force_makes_one_key_and_no_haste),
		cmocka_unit_test(nobody_signs),
		cmocka_unit_test(I_E12_the_last_certificate_ends_first),
		cmocka_unit_test(keys_of_an_agent_are_named),
		cmocka_unit_test(no_room_for_another),
		cmocka_unit_test(a_publication_is_renewed),
		cmocka_unit_test(names_are_stable),
		cmocka_unit_test(
		    II_C19_years_of_rotation_killed_after_each_action),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
