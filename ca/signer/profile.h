/* SPDX-License-Identifier: ISC */

/*
 * profile: what a certificate may say.  Pure: the configuration, the claims
 * and what was asked go in; logins, principals, times and options come out.
 * What was asked can only narrow.
 */

#ifndef AAD_PROFILE_H
#define AAD_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/conf.h"
#include "core/err.h"
#include "core/reason.h"
#include "policy/rules.h"
#include "ssh/cert.h"
#include "token/claims.h"

#define PROFILE_BACKDATE       60 /* seconds; hosts' clocks may be behind */
#define PROFILE_HOST_NAMES     64 /* of one host certificate */
#define PROFILE_OPTIONS_MAX    16
#define PROFILE_PRINCIPALS_MAX 9216 /* bytes on the wire */
#define PROFILE_FAULT_MAX      256

/*
 * What the configuration says of an authority, beyond conf_load(): every
 * login has at most one profile; every [login] section and a [map] with a
 * domain have hosts; extensions, key types and addresses are known; there is
 * a section [ca].
 * Returns 0; AAD_EFORMAT with *why.
 */
int profile_check(const struct conf *c, const struct rules *r,
    struct conf_error *why) AAD_MUST_CHECK;

/* What is asked.  Borrowed. */
struct profile_ask {
	const struct conf *conf;
	const struct rules *rules;
	const struct claims *claims; /* token_judge() accepted them */
	const struct key *key;
	const char *const *logins; /* none: the own mapped login */
	size_t nlogins;
	bool has_ttl;
	uint64_t ttl; /* seconds, as asked */
	const char *const *sources; /* CIDRs; none: as the profile has it */
	size_t nsources;
	int64_t now; /* Unix seconds */
};

/*
 * What may be signed.  A plain record; profile_release() frees it.  It refers
 * to strings of the configuration, which must live as long.
 */
struct profile_grant {
	const char *profile; /* its name; "default" when none is configured */
	char **logins; /* those that the principals open, each once */
	size_t nlogins;
	char **principals; /* sorted, each once, 1..CERT_PRINCIPALS_MAX */
	size_t nprincipals;
	uint64_t valid_after;
	uint64_t valid_before;
	struct cert_option critical[PROFILE_OPTIONS_MAX];
	size_t ncritical;
	struct cert_option extensions[PROFILE_OPTIONS_MAX];
	size_t nextensions;
	char *source_address; /* heap; what critical refers to */
	char *key_id; /* "UPN oid=… tid=… uti=…", printable ASCII, bounded */
};

/*
 * Judge what is asked: each login by policy_decide() with
 * POLICY_UID_UNJUDGED, its profile, the key's type, then times, addresses.
 * The end is the least of now + ttl asked, now + the profile's (ttl when
 * nothing is asked, else max_ttl), and iat + sign_in_max_age.  A ttl of 0, or
 * over what a signed number holds, is refused.  Together the principals have
 * at most PROFILE_PRINCIPALS_MAX bytes, or no certificate could hold them.
 *
 * *g: zero unless 0 is returned.
 * *whyp: the policy's reasons, NO_PRINCIPALS, LOGIN_NO_HOSTS, TWO_PROFILES,
 * TOO_MANY_PRINCIPALS, SUBJECT_KEY_TYPE, TTL, SOURCE_ADDRESS, BAD_LOGIN,
 * SIGN_IN_STALE; NO_MEMORY.
 * fault: which login or address, clean, or "".
 * Returns 0; AAD_EREFUSED; AAD_ENOMEM.
 */
int profile_grant(const struct profile_ask *ask, struct profile_grant *g,
    enum reason *whyp, char fault[static PROFILE_FAULT_MAX]) AAD_MUST_CHECK;

/*
 * The same for a host: names are what the certificate lists, each a DNS name
 * of two labels or more and no address; host_ttl and host_max_ttl bound it.
 * *whyp: HOST_NAME, TTL, SUBJECT_KEY_TYPE (sk- keys are no host keys).
 */
int profile_grant_host(const struct conf *conf, const struct key *key,
    const char *const *names, size_t nnames, bool has_ttl, uint64_t ttl,
    int64_t now, struct profile_grant *g, enum reason *whyp,
    char fault[static PROFILE_FAULT_MAX]) AAD_MUST_CHECK;

void profile_release(struct profile_grant *g);

/*
 * Whether a principal is one of ours: LOGIN or LOGIN@GROUP, the grammars of
 * name.h and value.h, never "*".
 */
bool profile_principal_ok(const char *s);

#endif /* AAD_PROFILE_H */
