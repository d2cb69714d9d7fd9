/* SPDX-License-Identifier: ISC */

#include <string.h>

#include "ca/certify.h"
#include "cmd/cli/clock.h"

static enum reason
refused(struct certify *c, const char *fault)
{
	return ca_detail(c->app, AAD_R_SIGNER_REPLY, "%s", fault);
}

static enum reason
on_reply(void *arg, const struct request *reply)
{
	const struct request_field *f;
	struct certify *c = arg;
	const char *fault = NULL;
	enum reason why;
	int r;

	if (reply->op != REQUEST_CERTIFICATE || c->got || c->dry_run ||
	    (f = request_get(reply, REQUEST_L_KEY, 0)) == NULL)
		return refused(c, "it says what nobody asked for");
	if ((r = cert_from_blob(f->p, f->len, &c->cert, &why)) != 0)
		return r == AAD_ENOMEM ? AAD_R_NO_MEMORY
				       : refused(c, "it is no certificate");
	c->ask.now = clock_now();
	if ((r = reply_check(&c->cert, &c->ask, &fault)) == 0) {
		c->got = true;
		return AAD_R_ALLOWED;
	}
	cert_release(&c->cert);
	return r == AAD_ENOMEM ? AAD_R_NO_MEMORY : refused(c, fault);
}

enum reason
certify_ask(struct certify *c, struct wirebuf *rq)
{
	enum reason why;

	why = door_ask(c->app, rq, DOOR_SIGN_MS, c->stop, on_reply, c, &c->end);
	wirebuf_release(rq);
	if (why == AAD_R_ALLOWED && !c->dry_run && !c->got)
		return refused(c, "it says yes, without a certificate");
	return why;
}

void
certify_release(struct certify *c)
{
	cert_release(&c->cert);
	key_release(&c->key);
	trust_release(&c->trust);
	json_decref(c->end);
	c->end = NULL;
}
