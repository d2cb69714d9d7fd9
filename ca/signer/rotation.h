/* SPDX-License-Identifier: ISC */

/*
 * rotation: what is due in the life of the authority's keys.  Pure: the keys,
 * the times and the settings go in, what to do comes out.
 *
 *   prepared   published, so that hosts trust it, but it doesn't sign yet
 *   active     signs
 *   retired    signs no more, but what it signed is still good
 *   removed    trusted no more, and in the KRL
 *
 * A key signs only when every host had publish_before to hear of it, and goes
 * only when the last certificate it signed has ended.
 */

#ifndef AAD_ROTATION_H
#define AAD_ROTATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ca/signer/ledger.h"

#define ROTATION_ACTIONS_MAX 136 /* of KEYRING_MAX keys, and a few */

struct rotation_key {
	enum ca_role role; /* of users or of hosts; others are passed over */
	enum ca_stage stage;
	uint8_t hash[32];
	int64_t active_at; /* Unix seconds, 0: never */
	int64_t listed_at; /* a publication that lists it was switched to; 0 */
	int64_t last_end; /* of what it was prepared to sign, 0: nothing */
};

struct rotation_ask {
	int64_t now; /* Unix seconds */
	int64_t rotate_every; /* seconds */
	int64_t publish_before;
	int64_t publish_valid;
	int64_t expires; /* of the current publication, 0: there is none */
	bool stale; /* it doesn't say what the ledger does */
	bool force; /* a new key now */
	bool user_given, host_given; /* a key of the agent was named */
	bool agent; /* keys are made by somebody else */
	bool full; /* there is no room for another key */
};

enum rotation_kind {
	ROTATION_NONE = 0,
	ROTATION_PREPARE, /* a new key of the role */
	ROTATION_ACTIVATE, /* this prepared one; what is active retires */
	ROTATION_REMOVE, /* this retired one */
	ROTATION_WAIT, /* this prepared one was not published long enough */
	ROTATION_NAME, /* a key is due, and one of the agent must be named */
	ROTATION_FULL, /* a key is due, and there is no room for it */
	ROTATION_PUBLISH
};

struct rotation_action {
	enum rotation_kind kind;
	enum ca_role role;
	uint8_t hash[32];
	int64_t due; /* ROTATION_WAIT: when it may sign; 0: not known */
};

/* Stable names, as --json has them. */
const char *rotation_kind_name(enum rotation_kind k);

/*
 * What is due.  Doing a part of it, in order, and asking again gives the
 * rest, so that whoever is killed between two steps has lost nothing.
 * Returns how many were written to out.
 */
size_t rotation_plan(const struct rotation_key *keys, size_t n,
    const struct rotation_ask *ask,
    struct rotation_action out[static ROTATION_ACTIONS_MAX]);

#endif /* AAD_ROTATION_H */
