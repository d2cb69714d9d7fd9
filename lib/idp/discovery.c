/* SPDX-License-Identifier: ISC */

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "idp/cloud.h"
#include "idp/discovery.h"
#include "idp/reply.h"

static const struct member {
	const char *name;
	size_t offset; /* of the string in struct discovery */
	const char *absent;
	const char *foreign;
} members[] = {
	{ "device_authorization_endpoint",
	    offsetof(struct discovery, device_endpoint),
	    "The provider's discovery document names no "
	    "device_authorization_endpoint: it offers no device code flow.",
	    "The provider's device_authorization_endpoint is not https on "
	    "the host and port of [idp] authority." },
	{ "token_endpoint", offsetof(struct discovery, token_endpoint),
	    "The provider's discovery document names no token_endpoint.",
	    "The provider's token_endpoint is not https on the host and port "
	    "of [idp] authority." },
	{ "jwks_uri", offsetof(struct discovery, jwks_uri),
	    "The provider's discovery document names no jwks_uri.",
	    "The provider's jwks_uri is not https on the host and port of "
	    "[idp] authority." },
};

static int
take(json_t *o, const struct member *m, const char *authority,
    struct discovery *d, const char **whyp)
{
	const char *url = json_string_value(json_object_get(o, m->name));
	char *copy;

	if (url == NULL) {
		*whyp = m->absent;
		return AAD_EREFUSED;
	}
	if (!cloud_endpoint_ok(authority, url)) {
		*whyp = m->foreign;
		return AAD_EREFUSED;
	}
	if ((copy = strdup(url)) == NULL)
		return AAD_ENOMEM;
	memcpy((char *)d + m->offset, &copy, sizeof(copy));
	return 0;
}

int
discovery_parse(const char *text, size_t len, const char *authority,
    const char *issuer, struct discovery **outp, const char **whyp)
{
	struct discovery *d = NULL;
	json_t *o = NULL;
	const char *have;
	size_t i;
	int r = AAD_EINTERNAL;

	*outp = NULL;
	*whyp = "The provider's discovery document is not a JSON object.";
	if (len > DISCOVERY_MAX) {
		*whyp = "The provider's discovery document is too long.";
		return AAD_EREFUSED;
	}
	if ((r = reply_load(text, len, &o)) != 0) {
		r = r == AAD_ENOMEM ? r : AAD_EREFUSED;
		goto out;
	}
	have = json_string_value(json_object_get(o, "issuer"));
	if (have == NULL || strcmp(have, issuer) != 0) {
		*whyp = "The provider's discovery document has another issuer "
			"than AUTHORITY/TENANT/v2.0.";
		r = AAD_EREFUSED;
		goto out;
	}
	if ((d = calloc(1, sizeof(*d))) == NULL) {
		r = AAD_ENOMEM;
		goto out;
	}
	for (i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		if ((r = take(o, &members[i], authority, d, whyp)) != 0)
			goto out;
	*outp = d;
	d = NULL; /* now the caller's */
	*whyp = NULL;
	r = 0;
out:
	discovery_free(d);
	json_decref(o);
	return r;
}

void
discovery_free(struct discovery *d)
{
	if (d == NULL)
		return;
	free(d->device_endpoint);
	free(d->token_endpoint);
	free(d->jwks_uri);
	free(d);
}
