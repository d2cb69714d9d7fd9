/* SPDX-License-Identifier: ISC */

/*
 * settle: what a live check changes about one sign-in.  Every change takes
 * the locks, reads the record again and is made only when it is still the
 * sign-in that was asked about: seconds or minutes pass over the network, in
 * which a person signs in again, a session confirms the key, or an
 * administrator denies or forgets.
 */

#ifndef AAD_SETTLE_H
#define AAD_SETTLE_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "cmd/aadssh/app.h"
#include "cmd/aadssh/exchange.h"
#include "host/lastrun.h"

/* What one run of `aadssh refresh` works with; borrowed but for no. */
struct run {
	const struct app *app;
	const struct conf *conf;
	const struct cache *cache;
	const uint8_t *host; /* HOSTID_LEN bytes */
	const volatile sig_atomic_t *stop;
	struct lastrun_counts *counts;
	struct refusal no; /* the first thing that went wrong on this host */
};

enum fate {
	FATE_NONE = 0,
	FATE_ASKED, /* and nothing known yet, or neither of these */
	FATE_RENEWED,
	FATE_GONE
};

/* A sign-in, and all that is remembered of it during a run. */
struct sign_in {
	char login[NAME_LOGIN_MAX + 1];
	uint8_t hash[32]; /* of the key */
	char oid[NAME_GUID_LEN + 1];
	int64_t at; /* the record's sign_in; which one it is */
	int64_t answered; /* FATE_GONE: when the provider said so */
	uint8_t renewal; /* enum record_renewal, as it was read */
	uint8_t fate; /* enum fate */
	bool retried;
};

/*
 * All of these return 0 when it was done; AAD_EAGAIN when it is no longer
 * that sign-in, or nothing is to be changed; or an error, which is in
 * run->no by then (unless an earlier one is) and in the log.
 */

/*
 * The answer was good: keep its tokens.  Nothing is kept when the login, the
 * key or the identity is denied by now.
 * token: verified, this identity's.  refresh: NULL keeps the old one.
 */
int settle_renewed(struct run *run, const struct sign_in *s, const char *token,
    const char *upn, const char *refresh, size_t refresh_len) AAD_MUST_CHECK;

/*
 * Note why it was not renewed.  NB. unreachable never takes the place of
 * sign_in_again: an outage must not give grace to whom a policy refused.
 */
int settle_mark(struct run *run, const struct sign_in *s,
    enum record_renewal renewal) AAD_MUST_CHECK;

/*
 * End it, one line in the log; on a full disk by removing it, which is an
 * error in run->no all the same.  why UNCONFIRMED: unless it was confirmed
 * meanwhile.
 * event, detail: for the log; detail may be NULL.
 */
int settle_end(struct run *run, const struct sign_in *s, const char *event,
    enum reason why, const char *detail) AAD_MUST_CHECK;

/* Remove its tombstone, if it is one and old enough. */
int settle_sweep(struct run *run, const struct sign_in *s) AAD_MUST_CHECK;

/* Is the login, the key or the identity denied, or can that not be told? */
bool settle_denied(const struct run *run, const struct sign_in *s);

/* Keep an error of this host: the first in run->no, each in the log. */
void run_failed(struct run *run, int r, enum reason why,
    const struct sign_in *s);

/* One line about a sign-in. */
void run_log(int priority, const char *event, enum reason why,
    const struct sign_in *s, const char *upn, const char *detail);

bool run_stopped(const struct run *run);

#endif /* AAD_SETTLE_H */
