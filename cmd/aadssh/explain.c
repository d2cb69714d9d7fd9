/* SPDX-License-Identifier: ISC */

/*
 * aadssh explain: the hook's own decision, step by step; of a certificate,
 * what it tells sshd about principals.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/aadssh/app.h"
#include "cmd/aadssh/verbs.h"
#include "cmd/cli/clock.h"
#include "core/b64.h"
#include "core/text.h"
#include "host/decision.h"
#include "host/principals.h"
#include "ssh/wire.h"

static void
print_steps(const struct trace *t)
{
	size_t i;

	for (i = 0; i < t->n; i++)
		printf("%d %s %s\n", t->steps[i].step,
		    t->steps[i].passed ? "ok  " : "NO  ", t->steps[i].text);
}

static void
print_no(enum reason why)
{
	printf("%s (%s)\n",
	    reason_class(why) == REASON_NO ? "no" : "cannot tell",
	    reason_name(why));
}

static json_t *
json_steps(const struct trace *t)
{
	json_t *steps = json_array();
	size_t i;

	for (i = 0; i < t->n; i++)
		json_array_append_new(steps,
		    json_pack("{s:i s:b s:s}", "step", t->steps[i].step,
			"passed", (int)t->steps[i].passed, "text",
			t->steps[i].text));
	return steps;
}

/* ---- a key ------------------------------------------------------------- */

static void
print_text(const struct decision *d, const struct trace *t)
{
	char until[TEXT_TIME_LEN + 1];

	print_steps(t);
	if (d->reason != AAD_R_ALLOWED) {
		print_no(d->reason);
		return;
	}
	text_time_format(d->until, until);
	printf("yes (allowed) until %s\n", until);
	printf("sshd gets: %s", d->line);
}

static int
print_json(const struct decision *d, const struct trace *t, const char *login)
{
	return out_json(json_pack("{s:i s:s s:s s:s s:s s:s s:s s:s s:o s:o}",
	    "v", 1, "verdict", reason_verdict(d->reason), "reason",
	    reason_name(d->reason), "sentence", reason_sentence(d->reason),
	    "login", login, "key", d->fingerprint, "oid", d->oid, "upn", d->upn,
	    "until", app_json_time(d->until), "steps", json_steps(t)));
}

static int
explain_key(struct app *app, const struct app_key_options *o,
    const struct key *key)
{
	struct trace trace = { .n = 0 };
	struct decision_ask ask = { .machine_id = APP_MACHINE_ID,
		.login = o->login,
		.key_type = key_type_name(key),
		.oracle = verify_nettle,
		.trace = &trace };
	struct decision d;
	char *base64 = NULL;
	int code;

	if ((code = app_start(app)) != EXIT_DONE ||
	    (code = app_uid(o->login, o->uid, &ask.uid)) != EXIT_DONE)
		return code;
	if (b64_encode(B64_STD, key->blob, key->blob_len, &base64) != 0)
		return out_refusal(APP_PROG, AAD_R_NO_MEMORY, NULL);
	ask.conf = app->conf;
	ask.rules = app->rules;
	ask.key_base64 = base64;
	ask.now = clock_now();
	code = reason_exit(decide(&ask, &d));
	if (!o->json)
		print_text(&d, &trace);
	else if (print_json(&d, &trace, o->login) != EXIT_DONE)
		code = EXIT_CANNOT;
	decision_release(&d);
	free(base64);
	return code;
}

/* ---- a certificate ------------------------------------------------------- */

static void
print_principals(const struct principals *p, const struct trace *t)
{
	print_steps(t);
	if (p->reason == AAD_R_ALLOWED)
		printf("yes (allowed), as far as this is asked\n"
		       "sshd gets: %s",
		    p->line);
	else
		print_no(p->reason);
	puts("The authority, the time, revocation and the certificate's "
	     "options are sshd's to judge.");
}

static int
json_principals(const struct principals *p, const struct trace *t,
    const char *login)
{
	return out_json(json_pack(
	    "{s:i s:s s:s s:s s:s s:s s:s s:s s:s s:s s:o}", "v", 1, "verdict",
	    reason_verdict(p->reason), "reason", reason_name(p->reason),
	    "sentence", reason_sentence(p->reason), "login", login, "key",
	    p->fingerprint, "serial", p->serial, "oid", p->oid, "ca", p->ca,
	    "principal", p->principal, "steps", json_steps(t)));
}

/* The name of its type, as sshd passes it; "" can't be. */
static void
type_of(const struct cert *c, char out[static KEY_TYPE_MAX + 32])
{
	struct wire w = wire_of(c->blob, c->blob_len);
	const uint8_t *p;
	size_t len;

	out[0] = '\0';
	if (wire_string(&w, &p, &len) == 0 && len < KEY_TYPE_MAX + 32) {
		memcpy(out, p, len);
		out[len] = '\0';
	}
}

/* NB. on a host of certificates alone there is no state to be made. */
static int
explain_certificate(struct app *app, const struct app_key_options *o,
    const struct cert *cert)
{
	char type[KEY_TYPE_MAX + 32];
	struct trace trace = { .n = 0 };
	struct principals_ask ask = {
		.login = o->login, .key_type = type, .trace = &trace
	};
	struct principals p;
	char *base64 = NULL;
	int code;

	if ((code = app_load(app)) != EXIT_DONE ||
	    (code = app_become_stateless(app)) != EXIT_DONE ||
	    (code = app_uid(o->login, o->uid, &ask.uid)) != EXIT_DONE)
		return code;
	if (b64_encode(B64_STD, cert->blob, cert->blob_len, &base64) != 0)
		return out_refusal(APP_PROG, AAD_R_NO_MEMORY, NULL);
	type_of(cert, type);
	ask.conf = app->conf;
	ask.key_base64 = base64;
	ask.now = clock_now();
	code = reason_exit(principals_decide(&ask, &p));
	if (!o->json)
		print_principals(&p, &trace);
	else if (json_principals(&p, &trace, o->login) != EXIT_DONE)
		code = EXIT_CANNOT;
	free(base64);
	return code;
}

int
verb_explain(void *arg, int argc, char **argv)
{
	struct app *app = arg;
	struct app_key_options o;
	struct cert cert;
	struct key key;
	int code;

	memset(&key, 0, sizeof(key));
	memset(&cert, 0, sizeof(cert));
	if (app_key_options(argc, argv, &o) != 0)
		return app_usage(app, argv[0]);
	code = app_read_pub(o.file, &key, &cert);
	if (code == EXIT_DONE)
		code = cert.blob != NULL ? explain_certificate(app, &o, &cert)
					 : explain_key(app, &o, &key);
	key_release(&key);
	cert_release(&cert);
	return code;
}
