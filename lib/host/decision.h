/* SPDX-License-Identifier: ISC */

/*
 * decision: may this key log in as this login, now?  The seven steps of the
 * design in order; the first failure wins.  aadssh-authkeys and `aadssh
 * explain` call only this, so that what is explained is what is done.
 * Together with ca/signer/issue.c it is the only place where a verdict
 * becomes a yes.
 *
 * Offline and read-only: it opens files below the state directory and the
 * machine-id, nothing else.
 */

#ifndef AAD_DECISION_H
#define AAD_DECISION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/conf.h"
#include "core/err.h"
#include "core/reason.h"
#include "host/cache.h"
#include "host/trace.h"
#include "policy/policy.h"
#include "policy/rules.h"
#include "ssh/key.h"
#include "token/verify.h"

/* What is asked.  Everything is borrowed. */
struct decision_ask {
	const struct conf *conf;
	const struct rules *rules;
	const char *machine_id; /* "/etc/machine-id" outside tests */
	const char *login; /* from outside, not yet judged */
	const char *key_type; /* %t */
	const char *key_base64; /* %k */
	int64_t uid; /* POLICY_UID_UNJUDGED: not judged */
	int64_t now; /* Unix seconds */
	verify_fn *oracle;
	struct trace *trace; /* filled for explain; NULL: nobody asks */
};

/* A plain record; decision_release() frees what it holds. */
struct decision {
	enum reason reason; /* ALLOWED is the only yes */
	struct key key; /* as far as it decoded */
	char fingerprint[KEY_FP_LEN + 1]; /* "" before the key decoded */
	char oid[NAME_GUID_LEN + 1]; /* "" until known and verified */
	char upn[128]; /* clean for a terminal; "" until known */
	char uti[64];
	int64_t until; /* the last moment of a yes, Unix seconds; 0 for a no */
	char *line; /* what sshd gets, heap; NULL unless ALLOWED */
};

/*
 * Decide.
 *
 * *d: filled in every case; the caller releases it.
 * The return value is d->reason.
 */
enum reason decide(const struct decision_ask *ask,
    struct decision *d) AAD_MUST_CHECK;

void decision_release(struct decision *d);

/*
 * Whether a new sign-in with this key could cure the refusal: the key failed
 * at step 3, or at steps 4 and 5 by age.  Never after steps 1 and 2, and
 * never where nothing could be told, or for a key that two people signed in
 * with.  Such a key is an offer (offer.h).
 */
bool decision_curable(enum reason why);

#endif /* AAD_DECISION_H */
