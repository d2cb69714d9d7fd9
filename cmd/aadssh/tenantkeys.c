/* SPDX-License-Identifier: ISC */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/aadssh/tenantkeys.h"

#define URL_MAX	   512 /* bytes; an issuer has at most 300 */
#define WELL_KNOWN "/.well-known/openid-configuration"

int
tenantkeys_http(const struct conf *conf, const volatile sig_atomic_t *stop,
    struct http **outp)
{
	const struct http_settings set = {
		.ca_file = conf->ca_file,
		.proxy = conf->proxy,
		.user_agent = "aadssh/" AADSSH_VERSION,
		.stop = stop,
	};

	return http_new(&set, outp);
}

int
tenantkeys_discover(struct http *http, const struct conf *conf,
    const volatile sig_atomic_t *stop, struct discovery **outp,
    struct refusal *no)
{
	struct http_reply reply = { 0 };
	char url[URL_MAX];
	const char *why;
	int n, r = AAD_EINTERNAL;

	*outp = NULL;
	n = snprintf(url, sizeof(url), "%s" WELL_KNOWN, conf->issuer);
	if (n < 0 || (size_t)n >= sizeof(url)) {
		refusal_set(no, AAD_R_CONFIG, "[idp] authority is too long.");
		return AAD_EREFUSED;
	}
	if ((r = exchange(http, stop, url, NULL, DISCOVERY_MAX,
		 "the discovery document", &reply, no)) != 0)
		goto out;
	if ((r = discovery_parse(reply.body, reply.len, conf->authority,
		 conf->issuer, outp, &why)) != 0) {
		refusal_set(no,
		    r == AAD_ENOMEM ? AAD_R_NO_MEMORY : AAD_R_DISCOVERY, why);
		r = AAD_EREFUSED;
	}
out:
	http_reply_release(&reply);
	return r;
}

static const char *
jwks_fault(int r)
{
	return r == AAD_ETOOBIG ? "The provider's key set is too large."
				: "The provider's key set is malformed, names "
				  "a key twice or has no usable key.";
}

int
tenantkeys_fetch(struct http *http, const struct conf *conf,
    const struct discovery *d, const volatile sig_atomic_t *stop, int64_t now,
    struct jwks **outp, struct refusal *no)
{
	struct http_reply reply = { 0 };
	int r = AAD_EINTERNAL;

	*outp = NULL;
	if ((r = exchange(http, stop, d->jwks_uri, NULL, JWKS_REPLY_MAX,
		 "the tenant keys", &reply, no)) != 0)
		goto out;
	if ((r = jwks_strip(reply.body, reply.len, conf->issuer, conf->tenant,
		 now, outp)) != 0) {
		if (r == AAD_ENOMEM)
			refusal_set(no, AAD_R_NO_MEMORY, NULL);
		else
			refusal_set(no, AAD_R_PROVIDER, jwks_fault(r));
		r = AAD_EREFUSED;
	}
out:
	http_reply_release(&reply);
	return r;
}

int
keys_fetch(struct http *http, const struct conf *conf,
    const volatile sig_atomic_t *stop, int64_t now, struct jwks **outp,
    struct refusal *no)
{
	struct discovery *d = NULL;
	int r;

	*outp = NULL;
	r = tenantkeys_discover(http, conf, stop, &d, no);
	if (r == 0)
		r = tenantkeys_fetch(http, conf, d, stop, now, outp, no);
	discovery_free(d);
	return r;
}

bool
tenantkeys_due(const struct jwks *keys, const struct conf *conf, int64_t now)
{
	return keys == NULL || strcmp(keys->issuer, conf->issuer) != 0 ||
	       keys->fetched_at > now ||
	       now - keys->fetched_at >= conf->keys_refresh;
}

int
tenantkeys_store(const struct cache *cache, const struct jwks *keys,
    int64_t now)
{
	struct jwks *there = NULL;
	enum reason why;
	int lock, r;

	if ((r = cache_lock(cache, CACHE_LOCK_TENANT_KEYS, &lock)) != 0)
		return r;
	if (cache_tenant_keys_load(cache, NULL, &there, &why) != 0 ||
	    there->fetched_at <= keys->fetched_at || there->fetched_at > now ||
	    strcmp(there->issuer, keys->issuer) != 0)
		r = cache_tenant_keys_store(cache, keys);
	jwks_free(there);
	close(lock);
	return r;
}
