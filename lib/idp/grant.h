/* SPDX-License-Identifier: ISC */

/*
 * grant: what is sent to the device authorization and token endpoints, and
 * what the token endpoint answers (RFC 8628 s.3.1, 3.4, 3.5; RFC 6749
 * s.5.1, 5.2; Entra's differences).  Pure: no network, no clock.
 */

#ifndef AAD_GRANT_H
#define AAD_GRANT_H

#include <stdbool.h>
#include <stddef.h>

#include "core/conf.h"
#include "core/err.h"
#include "core/name.h"

#define GRANT_REPLY_MAX	  262144 /* bytes; 200 groups in two tokens are 26 kB */
#define GRANT_TOKEN_MAX	  65536 /* bytes of an id token (JWS_TOKEN_MAX) */
#define GRANT_REFRESH_MAX 16384 /* bytes of a refresh token; 1 or 2 kB today */
#define GRANT_ERROR_LEN	  64 /* bytes of a machine value, with the NUL */
#define GRANT_CODES_MAX	  8 /* AADSTS numbers kept; one is usual */
#define GRANT_CLAIMS_MAX  8192 /* bytes of the claims parameter, at worst */

/* name, value, name, value, …, NULL; the strings are borrowed. */
#define GRANT_FORM_MAX 11

/*
 * An error answer.  Strings are "" when absent or of another type; "?"
 * stands in error for anything that no standard names, such as an object.
 */
struct grant_error {
	char error[GRANT_ERROR_LEN]; /* the machine value */
	char suberror[GRANT_ERROR_LEN];
	char correlation_id[NAME_GUID_LEN + 1]; /* for the sign-in logs */
	long codes[GRANT_CODES_MAX]; /* AADSTS numbers, as they came */
	size_t ncodes;
};

enum grant_kind {
	GRANT_JUNK = 0, /* nothing that the protocol knows */
	GRANT_ERROR,
	GRANT_TOKEN
};

/* A plain record; grant_reply_release() wipes it. */
struct grant_reply {
	enum grant_kind kind;
	struct grant_error error; /* GRANT_ERROR */
	char *id_token; /* GRANT_TOKEN: heap, not verified in any way */
	size_t id_token_len; /* bytes, without the NUL behind them */
	/* GRANT_TOKEN: heap, opaque, printable ASCII; NULL: none came, as
	 * without offline_access in the scope. */
	char *refresh_token;
	size_t refresh_token_len; /* 1..GRANT_REFRESH_MAX bytes, or 0 */
	const char *why; /* GRANT_JUNK: a sentence, static */
};

/* The form that starts a device flow.  claims: NULL or grant_claims(). */
void grant_form_start(const char *form[static GRANT_FORM_MAX],
    const char *client_id, const char *scope, const char *claims);

/* The form that asks for the tokens.  device_code is a secret. */
void grant_form_poll(const char *form[static GRANT_FORM_MAX],
    const char *client_id, const char *device_code);

/*
 * The form that redeems a refresh token, which is a secret (RFC 6749 s.6).
 * scope: as at the sign-in; claims: NULL or grant_claims().
 */
void grant_form_refresh(const char *form[static GRANT_FORM_MAX],
    const char *client_id, const char *refresh_token, const char *scope,
    const char *claims);

/*
 * The claims parameter (OpenID Connect Core s.5.5) that asks for these
 * authentication contexts, name_role_ok(), in the id token's acrs.
 * *outp: NULL when the list is empty, or unless 0 is returned; else the
 * caller frees it.
 * Returns 0; AAD_ETOOBIG over GRANT_CLAIMS_MAX; AAD_ENOMEM.
 */
int grant_claims(const struct conf_list *acrs, char **outp) AAD_MUST_CHECK;

/*
 * Whether a body, of whatever HTTP status, is an error answer: a JSON object
 * with a member error.  Fills *e when it is, else zeroes it.
 *
 * text: len bytes; untrusted.
 * Returns 0 for an error answer; AAD_ENOENT for an object without error;
 * AAD_EFORMAT for anything else; AAD_ENOMEM.
 */
int grant_error_parse(const char *text, size_t len,
    struct grant_error *e) AAD_MUST_CHECK;

/*
 * Judge an answer of the token endpoint.  An error counts before the status,
 * since errors also come with 200.  A success has status 200, token_type
 * Bearer and an id_token; a refresh_token may be missing, but one that is no
 * string of 1 to GRANT_REFRESH_MAX printable characters makes all of it junk.
 * Its access token is not looked at.
 *
 * text: len bytes; untrusted, and may hold tokens: the caller wipes it.
 * *reply: always set; the caller releases it.
 * Returns 0, also for junk; AAD_ENOMEM.
 */
int grant_reply_parse(long status, const char *text, size_t len,
    struct grant_reply *reply) AAD_MUST_CHECK;

/* Wipe and release what *reply holds.  NULL is a no-op. */
void grant_reply_release(struct grant_reply *reply);

#endif /* AAD_GRANT_H */
