/* SPDX-License-Identifier: ISC */

/*
 * lastrun: how the last run of `aadssh refresh` went, refresh.json.
 * docs/formats.md "Last run".  `aadssh pam` asks it whether Azure AD can be
 * reached at all; people and monitoring read the counts.
 */

#ifndef AAD_LASTRUN_H
#define AAD_LASTRUN_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "host/cache.h"

#define LASTRUN_MAX 4096 /* bytes of the file */

enum lastrun_result {
	LASTRUN_FAILED = 0, /* neither of the others; zeroed memory */
	LASTRUN_OK,
	LASTRUN_OUTAGE, /* Azure AD could not be asked about anybody */
	LASTRUN_TOO_MANY_GONE /* the brake: evictions were not committed */
};

/* Sign-ins, unless said. */
struct lastrun_counts {
	int64_t checked; /* that Azure AD was asked about */
	int64_t renewed;
	int64_t again; /* ended: a new sign-in is wanted */
	int64_t gone; /* identities that Azure AD says are gone */
	int64_t evicted; /* ended because of that */
	int64_t policy; /* not renewed, by policy or configuration */
	int64_t unreachable; /* nothing was learned about them */
	int64_t failed; /* an answer not believed, a token not readable */
	int64_t ended; /* by age */
	int64_t swept; /* files that a crash or an end left */
};

struct lastrun {
	int64_t at; /* our clock, Unix seconds, when it ended */
	enum lastrun_result result;
	struct lastrun_counts counts;
};

/* "failed", "ok", "outage", "too_many_gone". */
const char *lastrun_result_name(enum lastrun_result result);

/* The i-th count's name and value; NULL behind the last. */
const char *lastrun_count(const struct lastrun_counts *counts, size_t i,
    int64_t *valuep);

/*
 * *run: zeroed unless 0 is returned.
 * text: len bytes with a NUL behind them.
 * Returns 0; AAD_EFORMAT; AAD_EVERSION; AAD_ENOMEM.
 */
int lastrun_parse(const char *text, size_t len,
    struct lastrun *run) AAD_MUST_CHECK;

/*
 * Load refresh.json.
 * *run: zeroed unless 0 is returned.
 * Returns 0; AAD_ENOENT when there never was a run; an error of file_read()
 * or lastrun_parse().
 */
int lastrun_load(const struct cache *c, struct lastrun *run) AAD_MUST_CHECK;

/* Returns 0; AAD_EARG for a negative number; AAD_ETOOBIG; AAD_ESYS. */
int lastrun_store(const struct cache *c,
    const struct lastrun *run) AAD_MUST_CHECK;

#endif /* AAD_LASTRUN_H */
