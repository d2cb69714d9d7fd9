/* SPDX-License-Identifier: ISC */

/*
 * denial: a definite no, remembered: denials/login/NAME, denials/key/HEX64,
 * denials/oid/GUID.  docs/formats.md "Denial".  The first line is the time
 * in decimal Unix seconds until which it holds, 0 for ever; JSON follows.
 */

#ifndef AAD_DENIAL_H
#define AAD_DENIAL_H

#include <stdint.h>

#include "core/err.h"
#include "core/name.h"
#include "host/cache.h"
#include "host/trace.h"

#define DENIAL_MAX 4096 /* bytes of a file */

enum denial_kind {
	DENIAL_LOGIN,
	DENIAL_KEY,
	DENIAL_OID
};

enum denial_answer {
	DENIAL_CANNOT_TELL = 0, /* zeroed memory lets nobody in */
	DENIAL_IN_FORCE = 1,
	DENIAL_NONE = 2
};

struct denial {
	int64_t until; /* Unix seconds, 0: for ever */
	char origin[16]; /* "admin" or "idp"; "?" when unreadable */
	int64_t at; /* when it was made; 0 when unreadable */
};

/*
 * Is there a denial?  Opened by name, never listed.
 *
 * name: a login, 64 hex digits of the key's SHA-256, or a lower-case GUID;
 * one outside its grammar cannot be told.
 * d: filled for DENIAL_IN_FORCE; may be NULL.
 * Only ENOENT below an opened directory is DENIAL_NONE; a file that cannot
 * be read or does not parse is a denial in force; a missing or unreadable
 * directory is DENIAL_CANNOT_TELL.
 */
enum denial_answer denial_check(const struct cache *c, enum denial_kind kind,
    const char *name, int64_t now, struct denial *d);

/* Where and when a decision asks.  Borrowed. */
struct denial_ask {
	const struct cache *cache;
	int64_t now; /* Unix seconds */
	struct trace *trace; /* a denial is noted; may be NULL */
	int step;
};

/*
 * denial_check() for a decision, noted.  in_force: the reason of a denial.
 * Returns ALLOWED when there certainly is none; in_force;
 * DENIALS_UNREADABLE.
 */
enum reason denial_judge(const struct denial_ask *ask, enum denial_kind kind,
    const char *name, enum reason in_force) AAD_MUST_CHECK;

/*
 * Make or replace a denial.  The lock CACHE_LOCK_DENIALS must be held.
 * Returns 0; AAD_EARG for a bad name; AAD_EPERM, AAD_ENOMEM, AAD_ESYS.
 */
int denial_set(const struct cache *c, enum denial_kind kind, const char *name,
    const struct denial *d) AAD_MUST_CHECK;

/* Lift it.  Returns 0; AAD_ENOENT; AAD_EARG; AAD_EPERM; AAD_ESYS. */
int denial_lift(const struct cache *c, enum denial_kind kind,
    const char *name) AAD_MUST_CHECK;

/* "login", "key" or "oid". */
const char *denial_kind_name(enum denial_kind kind);

#endif /* AAD_DENIAL_H */
