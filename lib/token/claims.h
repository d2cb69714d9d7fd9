/* SPDX-License-Identifier: ISC */

/*
 * claims: what a v2.0 id token says, from our own strict parse.  A name of
 * it authorises nobody; tid and oid do (design: "identity").
 */

#ifndef AAD_CLAIMS_H
#define AAD_CLAIMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/name.h"

#define CLAIMS_LIST_MAX 1024 /* roles or groups; Entra stops at 200 groups */
#define CLAIMS_TEXT_MAX 1024 /* bytes of any one string that we keep */
#define CLAIMS_TIME_MAX INT64_C(253402300799) /* 9999-12-31; RFC 3339's end */

enum claims_acct {
	CLAIMS_ACCT_ABSENT = 0,
	CLAIMS_ACCT_MEMBER, /* 0 */
	CLAIMS_ACCT_GUEST /* anything else */
};

struct claims_list {
	char **items; /* heap strings */
	size_t n;
};

/* A plain record; strings are NULL when the claim is absent, unless said. */
struct claims {
	char *iss; /* never NULL */
	char *aud; /* never NULL; an array is refused */
	char *azp; /* the application that asked for it (OIDC Core s.2) */
	char *ver; /* never NULL */
	char tid[NAME_GUID_LEN + 1]; /* lower case GUID */
	char oid[NAME_GUID_LEN + 1]; /* lower case GUID */
	char *upn;
	char *preferred_username;
	char *idp; /* who the user signed in with, when not iss */
	char *uti; /* the token's id in the sign-in log */
	enum claims_acct acct;
	int64_t iat;
	int64_t exp;
	int64_t nbf; /* iat when absent */
	int64_t auth_time; /* -1 when absent; recorded, never judged */
	struct claims_list roles;
	struct claims_list groups;
	bool groups_unknown; /* overage: _claim_names.groups or hasgroups */
	struct claims_list acrs;
};

/*
 * Parse the payload that a signature was checked over.
 *
 * JSON object, no duplicate members, also none that differ only in ASCII
 * case for the claims above; no NUL in a string; strings where strings are
 * due (iss aud tid oid ver required), integers 0 to CLAIMS_TIME_MAX for iat
 * exp (required) nbf auth_time; acct integer or string; roles groups acrs
 * arrays of strings (an acrs string counts as an array of one).  Everything
 * else is ignored.  Groups that are not GUIDs are kept as they are: no rule
 * can name them.
 *
 * text: len bytes with a NUL behind them.
 * *outp: NULL unless 0 is returned; then the caller frees it.
 * Returns 0; AAD_EFORMAT; AAD_ETOOBIG for a bound; AAD_ENOMEM.
 */
int claims_parse(const char *text, size_t len,
    struct claims **outp) AAD_MUST_CHECK;

/* upn, else preferred_username, else NULL.  Borrowed. */
const char *claims_upn(const struct claims *c);

bool claims_has(const struct claims_list *list, const char *value);

void claims_free(struct claims *c);

#endif /* AAD_CLAIMS_H */
