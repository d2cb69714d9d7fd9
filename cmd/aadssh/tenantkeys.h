/* SPDX-License-Identifier: ISC */

/*
 * tenantkeys: the provider's discovery document and its JWK set, fetched and
 * stripped.  Nothing is stored here.
 */

#ifndef AAD_TENANTKEYS_H
#define AAD_TENANTKEYS_H

#include <stdbool.h>
#include <stdint.h>

#include "cmd/aadssh/exchange.h"
#include "core/conf.h"
#include "host/cache.h"
#include "idp/discovery.h"
#include "token/jwks.h"

/*
 * An http handle as the configuration wants it: ca_file, proxy, and the user
 * agent "aadssh/VERSION".  conf and stop are borrowed until http_free().
 * Returns 0; AAD_ENOMEM; AAD_EINTERNAL.
 */
int tenantkeys_http(const struct conf *conf, const volatile sig_atomic_t *stop,
    struct http **outp) AAD_MUST_CHECK;

/*
 * Where the provider's endpoints are.
 * stop: as in http_settings; may be NULL.
 * *outp: NULL unless 0 is returned; then the caller frees it.
 * Returns 0; AAD_EREFUSED with *no.
 */
int tenantkeys_discover(struct http *http, const struct conf *conf,
    const volatile sig_atomic_t *stop, struct discovery **outp,
    struct refusal *no) AAD_MUST_CHECK;

/*
 * The tenant keys behind a discovery document.
 * now: Unix seconds, becomes fetched_at.
 * *outp: NULL unless 0 is returned; then the caller frees it.
 * Returns 0; AAD_EREFUSED with *no.
 */
int tenantkeys_fetch(struct http *http, const struct conf *conf,
    const struct discovery *d, const volatile sig_atomic_t *stop, int64_t now,
    struct jwks **outp, struct refusal *no) AAD_MUST_CHECK;

/* Both in one, for refresh --keys-only. */
int keys_fetch(struct http *http, const struct conf *conf,
    const volatile sig_atomic_t *stop, int64_t now, struct jwks **outp,
    struct refusal *no) AAD_MUST_CHECK;

/*
 * Whether keys are due for a fetch at the time now: none, of another issuer,
 * keys_refresh old, or from the clock's future.
 */
bool tenantkeys_due(const struct jwks *keys, const struct conf *conf,
    int64_t now);

/*
 * Keep fetched keys, under their lock, unless somebody stored newer ones
 * meanwhile.  now: Unix seconds; keys from its future are no newer.
 * Returns 0 or an error of cache_lock() or cache_tenant_keys_store().
 */
int tenantkeys_store(const struct cache *cache, const struct jwks *keys,
    int64_t now) AAD_MUST_CHECK;

#endif /* AAD_TENANTKEYS_H */
