/* SPDX-License-Identifier: ISC */

/* aadssh explain: the hook's own decision, step by step. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/aadssh/app.h"
#include "cmd/aadssh/verbs.h"
#include "cmd/cli/clock.h"
#include "core/b64.h"
#include "core/text.h"
#include "host/decision.h"

static void
print_text(const struct decision *d, const struct trace *t)
{
	char until[TEXT_TIME_LEN + 1];
	size_t i;

	for (i = 0; i < t->n; i++)
		printf("%d %s %s\n", t->steps[i].step,
		    t->steps[i].passed ? "ok  " : "NO  ", t->steps[i].text);
	if (d->reason == AAD_R_ALLOWED) {
		text_time_format(d->until, until);
		printf("yes (allowed) until %s\n", until);
		printf("sshd gets: %s", d->line);
	} else {
		printf("%s (%s)\n",
		    reason_class(d->reason) == REASON_NO ? "no" : "cannot tell",
		    reason_name(d->reason));
	}
}

static int
print_json(const struct decision *d, const struct trace *t, const char *login)
{
	json_t *steps = json_array(), *o;
	size_t i;

	for (i = 0; i < t->n; i++)
		json_array_append_new(steps,
		    json_pack("{s:i s:b s:s}", "step", t->steps[i].step,
			"passed", (int)t->steps[i].passed, "text",
			t->steps[i].text));
	o = json_pack("{s:i s:s s:s s:s s:s s:s s:s s:s s:o s:o}", "v", 1,
	    "verdict", reason_verdict(d->reason), "reason",
	    reason_name(d->reason), "sentence", reason_sentence(d->reason),
	    "login", login, "key", d->fingerprint, "oid", d->oid, "upn", d->upn,
	    "until", app_json_time(d->until), "steps", steps);
	return out_json(o);
}

int
verb_explain(void *arg, int argc, char **argv)
{
	struct app *app = arg;
	struct app_key_options o;
	struct decision_ask ask;
	struct trace trace;
	struct decision d;
	struct key key;
	char *base64 = NULL;
	int code;

	memset(&key, 0, sizeof(key));
	memset(&trace, 0, sizeof(trace));
	if (app_key_options(argc, argv, &o) != 0)
		return app_usage(app, argv[0]);
	memset(&ask, 0, sizeof(ask));
	if ((code = app_read_key(o.file, &key)) != EXIT_DONE ||
	    (code = app_start(app)) != EXIT_DONE ||
	    (code = app_uid(o.login, o.uid, &ask.uid)) != EXIT_DONE)
		goto out;
	if (b64_encode(B64_STD, key.blob, key.blob_len, &base64) != 0) {
		code = out_refusal(APP_PROG, AAD_R_NO_MEMORY, NULL);
		goto out;
	}
	ask.conf = app->conf;
	ask.rules = app->rules;
	ask.machine_id = APP_MACHINE_ID;
	ask.login = o.login;
	ask.key_type = key_type_name(&key);
	ask.key_base64 = base64;
	ask.now = clock_now();
	ask.oracle = verify_nettle;
	ask.trace = &trace;
	code = reason_exit(decide(&ask, &d));
	if (!o.json)
		print_text(&d, &trace);
	else if (print_json(&d, &trace, o.login) != EXIT_DONE)
		code = EXIT_CANNOT;
	decision_release(&d);
out:
	free(base64);
	key_release(&key);
	return code;
}
