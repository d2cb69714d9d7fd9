/* SPDX-License-Identifier: ISC */

/*
 * admit: what stands around a sign-in, for `aadssh login` and `aadssh pam`:
 * what is refused before anybody is asked, whether the identity that signed
 * in may be this login, and what is stored then.  Everything is judged again
 * under the locks, because minutes pass in between.
 */

#ifndef AAD_ADMIT_H
#define AAD_ADMIT_H

#include <signal.h>
#include <stdint.h>

#include "cmd/aadssh/app.h"
#include "cmd/aadssh/exchange.h"
#include "cmd/aadssh/signin.h"
#include "cmd/aadssh/ui.h"
#include "host/cache.h"
#include "host/denial.h"
#include "ssh/key.h"

/* Held while a key is bound, so that no two sign-ins bind one at once. */
#define ADMIT_LOCK_BIND "@bind"

/* One sign-in.  The first part is the caller's and borrowed. */
struct admit {
	struct app *app; /* after app_start() */
	const char *login; /* name_login_ok() */
	int64_t uid; /* of the account, or POLICY_UID_UNJUDGED */
	const char *via; /* "login" or "pam", for the log */
	const char *source; /* for record and log: an address, or "local" */
	enum record_confirmed confirmed; /* what a new record is */
	const volatile sig_atomic_t *stop;
	/* admit_open() and on; admit_release() frees it */
	struct cache cache;
	uint8_t host[HOSTID_LEN];
	struct jwks *keys;
	struct signin in; /* after admit_signin() */
	struct refusal no; /* for AAD_EREFUSED */
};

/*
 * All of these return 0, or AAD_EREFUSED with a->no.  The caller has zeroed
 * *a but for its part, and cache.dir is -1.
 */

/* The state directory, this host's identity, the keys that will be needed. */
int admit_open(struct admit *a) AAD_MUST_CHECK;

/*
 * What needs no sign-in to be refused: a login that no rule gives, a uid
 * that policy refuses, a denial of the login or the key.
 * key: NULL when there is none, or none yet.
 */
int admit_early(struct admit *a, const struct key *key) AAD_MUST_CHECK;

/* The device code sign-in itself; tenant keys that were fetched are kept. */
int admit_signin(struct admit *a, struct ui *ui) AAD_MUST_CHECK;

/*
 * Whether the identity that signed in may be this login: policy, denials,
 * pin.  A denial that Azure AD's refusal made, before this sign-in, does not
 * count: admit_store() lifts it.  An administrator's does.
 */
int admit_judge(struct admit *a) AAD_MUST_CHECK;

/*
 * Judge again and store, all or nothing but for the pin: the end of an idp
 * denial, the pin of a mapped login, the refresh token, the record.
 *
 * key: NULL to remember none; then no record is made.
 * KEY_SHARED: another identity has, or had, this key on this host.  Then
 * nothing is stored, and the other's records of this key end.
 */
int admit_store(struct admit *a, const struct key *key) AAD_MUST_CHECK;

/* One line about the sign-in: r, a->no.  fingerprint: NULL for no key. */
void admit_log(const struct admit *a, int r, const char *fingerprint);

void admit_release(struct admit *a);

/*
 * Whether a key had a sign-in for this login before, running or ended, but
 * for one that ended because the key is shared.  Only the order of a
 * question hangs on it: what can't be read counts as none.
 */
bool admit_had(const struct admit *a, const struct key *key);

/* Fill a->no; returns AAD_EREFUSED. */
int admit_refuse(struct admit *a, enum reason why, const char *detail);

/* The same for a failed look at, or write of, the state directory. */
int admit_refuse_state(struct admit *a, int r, enum reason why);

/* Whether a denial that is in force ends by a sign-in at the time at. */
bool admit_lifts(const struct denial *d, int64_t at, int64_t now);

#endif /* AAD_ADMIT_H */
