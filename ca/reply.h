/* SPDX-License-Identifier: ISC */

/*
 * reply: whether a certificate that came is the one that was asked for, or a
 * narrower one.  Nobody is trusted here, the signer neither.  Pure.
 */

#ifndef AAD_CA_REPLY_H
#define AAD_CA_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "ssh/cert.h"
#include "ssh/key.h"

#define REPLY_BACKDATE_MAX 120 /* seconds; the signer takes 60 */

/* What was asked.  Borrowed. */
struct reply_ask {
	enum cert_type type;
	const struct key *key;
	const struct key *cas; /* published authorities of this type */
	size_t ncas;
	const char *const *names; /* logins, or a host's names; none: one own */
	size_t nnames;
	int64_t ttl; /* seconds that it may live at most from now on */
	const char *const *sources; /* CIDRs; none: as it comes */
	size_t nsources;
	int64_t now; /* Unix seconds, read behind the answer */
};

/*
 * Is it: signed, by a published authority, of this type, for this key; of
 * principals that are logins asked for, alone or at a host group (of one
 * login when none was asked for), or a host's names asked for; within ttl,
 * and not from the future; with the source addresses asked for or narrower
 * ones; without a critical option that we don't know, for a host without any.
 *
 * *faultp: a literal that says what is wrong.
 * Returns 0; AAD_EREFUSED; AAD_ENOMEM.
 */
int reply_check(const struct cert *c, const struct reply_ask *ask,
    const char **faultp) AAD_MUST_CHECK;

/*
 * Whether a certificate that is there still does what is asked for: for this
 * key, by a published authority, of this type, valid now and for min_left
 * seconds more, with a principal of each login asked for (of none: of the one
 * that the user name in its key id maps to), and no wider than the source
 * addresses asked for.  No signature is checked: it costs more
 * than the rest, and a wrong yes is a login that sshd refuses.
 */
bool reply_fresh(const struct cert *c, const struct reply_ask *ask,
    int64_t min_left);

/* Whether every address of inner is one of outer; both text_cidr_ok(). */
bool reply_cidr_within(const char *outer, const char *inner);

#endif /* AAD_CA_REPLY_H */
