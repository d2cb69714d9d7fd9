/* SPDX-License-Identifier: ISC */

/*
 * hold: what a writer of a record holds while it reads again, judges and
 * writes: the locks, in their order, and what lies in keys/ (cache.h
 * "Locks").  No network while it is held.
 */

#ifndef AAD_HOLD_H
#define AAD_HOLD_H

#include "host/cache.h"

struct hold {
	int keys; /* locks; -1: not taken */
	int login;
	struct secret *record_key;
	struct record_pub pub;
	struct cache_seal seal;
};

/*
 * login: NULL to lock only the keys, for a reader of refresh tokens.
 * *h: hold_release() is right in any case.
 * *whyp: what could not be read, for every failure.
 * Returns 0 or an error of cache_lock(), cache_record_key(),
 * cache_record_pub() or cache_seal_keys().
 */
int hold_take(const struct cache *c, const char *login, struct hold *h,
    enum reason *whyp) AAD_MUST_CHECK;

void hold_release(struct hold *h);

#endif /* AAD_HOLD_H */
