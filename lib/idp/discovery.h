/* SPDX-License-Identifier: ISC */

/*
 * discovery: the provider's metadata document (OpenID Connect Discovery 1.0
 * s.3, RFC 8628 s.4), believed only as far as it agrees with the
 * configuration.
 */

#ifndef AAD_DISCOVERY_H
#define AAD_DISCOVERY_H

#include <stddef.h>

#include "core/err.h"

#define DISCOVERY_MAX 65536 /* bytes; Entra's has about 1.7 kB */

/* A plain record; all heap strings that cloud_endpoint_ok() said yes to. */
struct discovery {
	char *device_endpoint;
	char *token_endpoint;
	char *jwks_uri;
};

/*
 * Parse a document.  issuer must be exactly the one that tokens will be
 * judged by; device_authorization_endpoint, token_endpoint and jwks_uri must
 * be there and lie on authority.  Other members are ignored, a member that
 * stands twice is not.
 *
 * text: len bytes with a NUL behind them; untrusted.
 * *outp: NULL unless 0 is returned; then the caller frees it.
 * *whyp: for AAD_EREFUSED a sentence, static.
 * Returns 0; AAD_EREFUSED; AAD_ENOMEM.
 */
int discovery_parse(const char *text, size_t len, const char *authority,
    const char *issuer, struct discovery **outp,
    const char **whyp) AAD_MUST_CHECK;

/* Release.  NULL is a no-op. */
void discovery_free(struct discovery *d);

#endif /* AAD_DISCOVERY_H */
