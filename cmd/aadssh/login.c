/* SPDX-License-Identifier: ISC */

/*
 * aadssh login: a device code sign-in, bound to a login and a key, into this
 * host's cache, by whoever may run this.
 */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/aadssh/admit.h"
#include "cmd/aadssh/app.h"
#include "cmd/aadssh/ui.h"
#include "cmd/aadssh/verbs.h"
#include "cmd/cli/stop.h"
#include "core/text.h"

/* Everything that one sign-in opens; work_release() closes it. */
struct work {
	struct app_key_options o;
	struct key key;
	char fingerprint[KEY_FP_LEN + 1];
	struct admit a;
};

static int
ask_azure(struct work *w)
{
	const struct conf *conf = w->a.app->conf;
	char host[256], key[KEY_TYPE_MAX + KEY_FP_LEN + 2];
	struct ui_facts facts = { host, w->o.login, key, conf->tenant,
		conf->client_id };
	struct ui_tty ui;

	if (gethostname(host, sizeof(host)) == -1)
		host[0] = '\0';
	host[sizeof(host) - 1] = '\0';
	snprintf(key, sizeof(key), "%s %s", key_type_name(&w->key),
	    w->fingerprint);
	ui_tty_init(&ui, stderr, w->a.app->utf8, &facts);
	return admit_signin(&w->a, &ui.ui);
}

static int64_t
until(const struct work *w)
{
	int64_t end = w->a.in.at + w->a.app->conf->sign_in_max_age;

	return w->a.in.claims->exp < end ? w->a.in.claims->exp : end;
}

static int
report(const struct work *w)
{
	const struct claims *c = w->a.in.claims;
	const char *upn = claims_upn(c) == NULL ? "" : claims_upn(c);
	char when[TEXT_TIME_LEN + 1], who[128];

	text_time_format(until(w), when);
	text_clean(upn, strlen(upn), who, sizeof(who));
	if (w->o.json)
		return out_json(
		    json_pack("{s:i s:b s:s s:s s:s s:s s:s s:s s:o s:s}", "v",
			1, "done", 1, "login", w->o.login, "key_type",
			key_type_name(&w->key), "key", w->fingerprint, "upn",
			who, "oid", c->oid, "tid", c->tid, "sign_in",
			app_json_time(w->a.in.at), "until", when));
	printf("%s%s%s may log in as %s with the key %s until %s.\n",
	    who[0] != '\0' ? who : "oid ", who[0] != '\0' ? "" : c->oid, "",
	    w->o.login, w->fingerprint, when);
	return EXIT_DONE;
}

/* Say why not, to the person and to a script. */
static int
report_refusal(const struct work *w)
{
	const struct refusal *no = &w->a.no;

	out_refusal(APP_PROG, no->why, no->detail);
	if (w->o.json &&
	    out_json(json_pack("{s:i s:b s:s s:s s:s s:s}", "v", 1, "done", 0,
		"login", w->o.login, "reason", reason_name(no->why), "sentence",
		reason_sentence(no->why), "detail", no->detail)) != EXIT_DONE)
		return EXIT_CANNOT;
	return reason_exit(no->why);
}

static int
run(struct work *w)
{
	int r;

	if ((r = admit_open(&w->a)) != 0 ||
	    (r = admit_early(&w->a, &w->key)) != 0 || (r = ask_azure(w)) != 0 ||
	    (r = admit_judge(&w->a)) != 0)
		return r;
	return admit_store(&w->a, &w->key);
}

int
verb_login(void *arg, int argc, char **argv)
{
	struct work w;
	int code, r;

	memset(&w, 0, sizeof(w));
	w.a.app = arg;
	w.a.via = "login";
	w.a.source = "local";
	/* Whoever may run this named the key. */
	w.a.confirmed = CONFIRMED_ADMIN;
	w.a.cache.dir = -1;
	if (app_key_options(argc, argv, &w.o) != 0)
		return app_usage(w.a.app, argv[0]);
	if (!name_login_ok(w.o.login))
		return out_refusal(APP_PROG, AAD_R_BAD_LOGIN, NULL);
	w.a.login = w.o.login;
	if ((code = app_read_key(w.o.file, &w.key)) != EXIT_DONE ||
	    (code = app_start(w.a.app)) != EXIT_DONE ||
	    (code = app_uid(w.o.login, w.o.uid, &w.a.uid)) != EXIT_DONE)
		goto out;
	key_fingerprint(&w.key, w.fingerprint);
	w.a.stop = stop_catch(0, 0); /* ends with nothing stored */
	r = run(&w);
	admit_log(&w.a, r, w.fingerprint);
	code = r == 0 ? report(&w) : report_refusal(&w);
out:
	admit_release(&w.a);
	key_release(&w.key);
	return code;
}
