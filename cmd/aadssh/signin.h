/* SPDX-License-Identifier: ISC */

/*
 * signin: one device code sign-in (RFC 8628), from the discovery document to
 * an id token that both signature oracles said yes to.  Whether its owner
 * may be anybody here is not asked: no policy, and nothing is stored.
 */

#ifndef AAD_SIGNIN_H
#define AAD_SIGNIN_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cmd/aadssh/exchange.h"
#include "cmd/aadssh/ui.h"
#include "core/conf.h"
#include "net/http.h"
#include "token/claims.h"
#include "token/jwks.h"

#define SIGNIN_REFETCH 300 /* seconds between fetches for an unknown kid */

/* Borrowed for the call. */
struct signin_tools {
	const struct conf *conf; /* has_idp */
	struct http *http; /* tenantkeys_http() with the same stop */
	struct ui *ui;
	/* Non-zero ends the sign-in within a second; may be NULL. */
	const volatile sig_atomic_t *stop;
};

/* A plain record; signin_release() wipes it. */
struct signin {
	char *id_token; /* heap, verified */
	size_t id_token_len; /* bytes, without the NUL behind them */
	struct claims *claims; /* of id_token */
	char *refresh_token; /* heap; NULL when the provider gave none */
	size_t refresh_token_len; /* bytes, without the NUL behind them */
	int64_t at; /* Unix seconds, our clock, when it was verified */
	bool keys_changed; /* *keysp is new and worth storing, also on a no */
};

/*
 * Sign somebody in.  Blocks until the code's life is over at most.
 *
 * *keysp: the tenant keys as stored, or NULL.  They are fetched when they
 * are due (tenantkeys_due()), before a code is shown, and once more for a
 * token whose kid they lack, unless fetched SIGNIN_REFETCH ago or later; the
 * old ones are then freed and replaced.
 * *out: zero but for keys_changed unless 0 is returned; the caller releases
 * it.
 * *no: for AAD_EREFUSED.
 * Returns 0; AAD_EREFUSED.
 */
int signin(const struct signin_tools *t, struct jwks **keysp,
    struct signin *out, struct refusal *no) AAD_MUST_CHECK;

/* Wipe and release what *s holds.  NULL is a no-op. */
void signin_release(struct signin *s);

#endif /* AAD_SIGNIN_H */
