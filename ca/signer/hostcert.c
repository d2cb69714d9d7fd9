/* SPDX-License-Identifier: ISC */

/* op_sign_host: a certificate of a host, for root on the authority's host. */

#include <stdlib.h>

#include "ca/signer/issue.h"

static enum reason
grant(struct signer *s, const struct request *rq, const struct key *k,
    struct profile_grant *g)
{
	char **names = NULL, fault[PROFILE_FAULT_MAX] = "";
	enum reason why;
	uint64_t ttl;
	size_t n = 0;
	const bool has_ttl = request_u64(rq, REQUEST_L_TTL, &ttl) == 0;

	why = issue_texts(rq, REQUEST_L_NAME, &names, &n);
	if (why == AAD_R_ALLOWED &&
	    profile_grant_host(s->conf, k, (const char *const *)names, n,
		has_ttl, ttl, s->now, g, &why, fault) == 0)
		why = AAD_R_ALLOWED;
	issue_texts_free(names, n);
	return fault[0] != '\0' ? signer_fail(s, why, "%s", fault) : why;
}

/* NB. no token, no pin, no rate: who can start us could sign by himself. */
static enum reason
decide(struct signer *s, const struct request *rq, const struct issue *is,
    json_t **endp)
{
	enum reason why = issue_begin(s);

	if (why != AAD_R_ALLOWED)
		return why;
	why = issue_denied(s, NULL, is->key);
	if (why == AAD_R_ALLOWED &&
	    request_get(rq, REQUEST_L_DRY_RUN, 0) == NULL)
		return issue_certificate(s, is, endp);
	ledger_rollback(s->ledger);
	return why == AAD_R_ALLOWED ? issue_dry(is->grant, endp) : why;
}

enum reason
op_sign_host(struct signer *s, const struct request *rq, json_t **endp)
{
	struct profile_grant g = { 0 };
	struct issue is = { .role = CA_ROLE_HOST, .grant = &g };
	char *context = NULL;
	enum reason why;
	struct key k;

	if ((why = issue_key(s, rq, &k)) == AAD_R_ALLOWED &&
	    (why = grant(s, rq, &k, &g)) == AAD_R_ALLOWED) {
		is.key = &k;
		issue_digest(rq, is.request);
		if (request_text(rq, REQUEST_L_CONTEXT, 0, &context) ==
		    AAD_ENOMEM)
			why = AAD_R_NO_MEMORY;
		is.context = context != NULL ? context : "";
	}
	if (why == AAD_R_ALLOWED)
		why = decide(s, rq, &is, endp);
	free(context);
	profile_release(&g);
	key_release(&k);
	return why;
}
