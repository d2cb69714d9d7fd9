/* SPDX-License-Identifier: ISC */

/*
 * principals: which principal of this certificate, if any, opens this login
 * on this host?  `aadssh-authkeys --principals` and `aadssh explain` call
 * only this.
 *
 * sshd has found the certificate's authority among its TrustedUserCAKeys and
 * verified the authority's signature before it asks; validity, revocation
 * (RevokedKeys), source addresses and every other option it judges itself,
 * after the answer.  Offline and read-only, as decision.h.
 */

#ifndef AAD_PRINCIPALS_H
#define AAD_PRINCIPALS_H

#include <stdint.h>

#include "core/conf.h"
#include "core/err.h"
#include "core/name.h"
#include "core/reason.h"
#include "core/value.h"
#include "host/trace.h"
#include "ssh/key.h"

/* What is asked.  Everything is borrowed. */
struct principals_ask {
	const struct conf *conf; /* has_idp or not */
	const char *login; /* from outside, not yet judged */
	int64_t uid; /* of the account; -1: it isn't judged */
	const char *key_type; /* %t */
	const char *key_base64; /* %k, the whole certificate */
	int64_t now; /* Unix seconds */
	struct trace *trace; /* filled for explain; NULL: nobody asks */
};

/* A plain record without anything to free. */
struct principals {
	enum reason reason; /* ALLOWED is the only yes */
	char fingerprint[KEY_FP_LEN + 1]; /* the certified key; "" before */
	char ca[KEY_FP_LEN + 1]; /* the authority's key */
	char serial[24]; /* decimal */
	char oid[NAME_GUID_LEN + 1]; /* as the key id says it, or "" */
	char tid[NAME_GUID_LEN + 1];
	char principal[VALUE_PRINCIPAL_MAX + 1]; /* "" unless ALLOWED */
	/* What sshd gets: options in front, a newline; "" unless ALLOWED. */
	char line[CONF_LINE_MAX + 1 + VALUE_PRINCIPAL_MAX + 2];
};

/*
 * Decide.  In this order, the first failure wins: the login is a login name
 * and the certificate a well-formed one of a user, for a sound key; each of
 * its principals is one that ours could have; neither login, certified key,
 * authority's key nor the key id's oid is denied, where [state] dir keeps
 * denials; a pin of the login, where there is one, names the key id's
 * identity; where this host's file has a section [map], the account's uid is
 * not below min_uid, or the login has a section of its own; the certificate
 * lists LOGIN@GROUP for one of [host] groups, or LOGIN itself where accept_all
 * says that this counts.  The options of a [login NAME] section stand in front
 * of the answer: sshd permits what both they and the certificate do.
 *
 * A host without the state directory, or without denials/ or pins/ in it,
 * has none: they may be the authority's business alone; with has_idp they
 * are not.
 *
 * *p: filled in every case.  The return value is p->reason: BAD_LOGIN,
 * CERT_PLAIN_KEY, CERT_MALFORMED, CERT_TYPE, KEY_TYPE, KEY_WEAK,
 * CERT_PRINCIPAL_BAD, LOGIN_DENIED, KEY_DENIED, IDENTITY_DENIED,
 * PINNED_OTHER, UID_TOO_LOW, CERT_PRINCIPAL; for cannot-tell STATE_UNREADABLE,
 * DENIALS_UNREADABLE, PIN_UNREADABLE, NO_MEMORY.
 */
enum reason principals_decide(const struct principals_ask *ask,
    struct principals *p) AAD_MUST_CHECK;

#endif /* AAD_PRINCIPALS_H */
