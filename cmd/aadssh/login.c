/* SPDX-License-Identifier: ISC */

/*
 * aadssh login: a device code sign-in, bound to a login and a key, into this
 * host's cache.  Policy, pin and denials are judged before anything is
 * stored, and again under the login's lock, because minutes pass in between.
 */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include <sodium.h>

#include "cmd/aadssh/app.h"
#include "cmd/aadssh/signin.h"
#include "cmd/aadssh/tenantkeys.h"
#include "cmd/aadssh/ui.h"
#include "cmd/aadssh/verbs.h"
#include "cmd/cli/clock.h"
#include "cmd/cli/log.h"
#include "core/text.h"
#include "host/denial.h"
#include "host/hostid.h"
#include "host/pin.h"
#include "policy/policy.h"

/* Everything that one sign-in opens; work_release() closes it. */
struct work {
	struct app *app;
	struct app_key_options o;
	struct key key;
	char fingerprint[KEY_FP_LEN + 1];
	int64_t uid;
	struct cache cache;
	struct secret *record_key;
	uint8_t host[HOSTID_LEN];
	struct jwks *keys;
	struct signin in;
	struct refusal no;
};

static volatile sig_atomic_t stop;

static void
on_signal(int sig)
{
	(void)sig;
	stop = 1;
}

/* Ctrl-C and the like end the sign-in cleanly, with nothing stored. */
static void
catch_signals(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction sa;
	size_t i;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = on_signal;
	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &sa, NULL);
}

static int
refuse(struct work *w, enum reason why, const char *detail)
{
	refusal_set(&w->no, why, detail);
	return AAD_EREFUSED;
}

/* A failed look at, or write of, the state directory. */
static int
refuse_state(struct work *w, int r, enum reason why)
{
	if (r == AAD_EREFUSED)
		return refuse(w, why, w->app->conf->dir);
	app_state_error(w->app, r, why);
	w->no.why = why;
	return AAD_ESYS; /* said already */
}

/* NB. only our own signals are caught, so a write that one ends is Ctrl-C. */
static int
refuse_write(struct work *w, int r)
{
	return stop ? refuse(w, AAD_R_INTERRUPTED, NULL)
		    : refuse_state(w, r, AAD_R_DISK);
}

static int
no_denial(struct work *w, enum denial_kind kind, const char *name,
    enum reason in_force)
{
	switch (denial_check(&w->cache, kind, name, clock_now(), NULL)) {
	case DENIAL_NONE:
		return 0;
	case DENIAL_IN_FORCE:
		return refuse(w, in_force, NULL);
	case DENIAL_CANNOT_TELL:
		break;
	}
	return refuse(w, AAD_R_DENIALS_UNREADABLE, NULL);
}

/* What needs no sign-in to be refused: better now than after the browser. */
static int
refuse_early(struct work *w)
{
	const struct rules *rules = w->app->rules;
	char hash[NAME_HEX64_LEN + 1];
	int r;

	if (rules_is_mapped(rules, w->o.login)) {
		if (rules_is_never(rules, w->o.login))
			return refuse(w, AAD_R_LOGIN_NEVER, NULL);
		if (!rules_has_map(rules))
			return refuse(w, AAD_R_NO_RULES, NULL);
	}
	name_hex64(w->key.hash, hash);
	if ((r = no_denial(w, DENIAL_LOGIN, w->o.login, AAD_R_LOGIN_DENIED)) !=
	    0)
		return r;
	return no_denial(w, DENIAL_KEY, hash, AAD_R_KEY_DENIED);
}

/* NB. what was read before the lock, a rekey may have replaced. */
static int
read_record_key(struct work *w)
{
	int r;

	secret_free(w->record_key);
	if ((r = cache_record_key(&w->cache, &w->record_key)) != 0)
		return refuse_state(w, r, AAD_R_RECORD_KEY_UNREADABLE);
	return 0;
}

/* Without a record key no sign-in can be kept: better known now. */
static int
try_record_key(struct work *w)
{
	int keys, r;

	if ((r = cache_lock_keys(&w->cache, 0, &keys)) != 0)
		return refuse_write(w, r);
	r = read_record_key(w);
	close(keys);
	return r;
}

static int
open_state(struct work *w)
{
	enum reason why = AAD_R_UNSET;
	int r;

	if (hostid_read(APP_MACHINE_ID, w->host) != 0)
		return refuse(w, AAD_R_NO_MACHINE_ID, NULL);
	if ((r = cache_open_write(w->app->conf->dir, geteuid(), &w->cache,
		 &why)) != 0)
		return refuse_state(w, r, why);
	if ((r = try_record_key(w)) != 0)
		return r;
	r = cache_tenant_keys_load(&w->cache, NULL, &w->keys, &why);
	/* NB. whatever is wrong with them, the sign-in fetches them anew. */
	return r == AAD_ENOMEM ? refuse(w, AAD_R_NO_MEMORY, NULL) : 0;
}

static int
keep_tenant_keys(const struct work *w)
{
	if (!w->in.keys_changed || w->keys == NULL)
		return 0;
	return tenantkeys_store(&w->cache, w->keys, clock_now());
}

static int
ask_azure(struct work *w)
{
	char host[256], key[KEY_TYPE_MAX + KEY_FP_LEN + 2];
	struct ui_facts facts = { host, w->o.login, key, w->app->conf->tenant,
		w->app->conf->client_id };
	struct ui_tty ui;
	struct signin_tools tools = { w->app->conf, NULL, &ui.ui, &stop };
	int r, stored;

	if (gethostname(host, sizeof(host)) == -1)
		host[0] = '\0';
	host[sizeof(host) - 1] = '\0';
	snprintf(key, sizeof(key), "%s %s", key_type_name(&w->key),
	    w->fingerprint);
	if (!app_ca_file_safe(w->app->conf))
		return refuse(w, AAD_R_CONFIG, APP_CA_FILE_UNSAFE);
	ui_tty_init(&ui, stderr, w->app->utf8, &facts);
	if (tenantkeys_http(w->app->conf, &stop, &tools.http) != 0)
		return refuse(w, AAD_R_NO_MEMORY, NULL);
	r = signin(&tools, &w->keys, &w->in, &w->no);
	http_free(tools.http);
	stored = keep_tenant_keys(w);
	/* A refusal is the better answer, even if the keys were not stored. */
	return r != 0 || stored == 0 ? r : refuse_write(w, stored);
}

static int
judge_policy(struct work *w)
{
	struct policy_answer a = policy_decide(w->in.claims, w->o.login, w->uid,
	    w->app->rules);
	char rule[sizeof(a.rule)];

	if (a.verdict == ALLOW && a.reason == AAD_R_ALLOWED)
		return 0;
	text_clean(a.rule, strlen(a.rule), rule, sizeof(rule));
	return refuse(w, a.reason == AAD_R_ALLOWED ? AAD_R_UNSET : a.reason,
	    rule);
}

/* The pin names this user; a mapped login gets its pin now. */
static int
settle_pin(struct work *w, int make)
{
	const struct claims *c = w->in.claims;
	struct pin p;
	int r = pin_load(&w->cache, w->o.login, &p);

	if (r == 0)
		return pin_names(&p, c->tid, c->oid)
			   ? 0
			   : refuse(w, AAD_R_PINNED_OTHER, NULL);
	if (r != AAD_ENOENT)
		return refuse(w, AAD_R_PIN_UNREADABLE, NULL);
	if (!make || !rules_is_mapped(w->app->rules, w->o.login))
		return 0;
	memcpy(p.tid, c->tid, sizeof(p.tid));
	memcpy(p.oid, c->oid, sizeof(p.oid));
	p.at = w->in.at;
	if ((r = pin_create(&w->cache, w->o.login, &p)) != 0)
		return refuse_state(w, r, AAD_R_DISK);
	return 0;
}

static int
judge_identity(struct work *w)
{
	int r;

	if ((r = judge_policy(w)) != 0 ||
	    (r = no_denial(w, DENIAL_OID, w->in.claims->oid,
		 AAD_R_IDENTITY_DENIED)) != 0)
		return r;
	return settle_pin(w, 0);
}

/*
 * The record of this sign-in.  generation: of what is there, 0 for nothing.
 * Strings are borrowed from w but for the heap ones that record_free() wants.
 */
static int
make_record(const struct work *w, uint64_t generation, struct record **outp)
{
	const struct claims *c = w->in.claims;
	const char *upn = claims_upn(c);
	struct record *rec = calloc(1, sizeof(*rec));

	*outp = rec;
	if (rec == NULL)
		return AAD_ENOMEM;
	rec->state = RECORD_ACTIVE;
	memcpy(rec->login, w->o.login, strlen(w->o.login) + 1);
	memcpy(rec->key_hash, w->key.hash, sizeof(rec->key_hash));
	rec->generation = generation + 1;
	rec->written = rec->sign_in = rec->renewal_at = rec->confirmed_at =
	    w->in.at;
	rec->renewal = RENEWAL_OK;
	/* Whoever may run this named the key. */
	rec->confirmed = CONFIRMED_ADMIN;
	memcpy(rec->tid, c->tid, sizeof(rec->tid));
	memcpy(rec->oid, c->oid, sizeof(rec->oid));
	rec->blob_len = w->key.blob_len;
	if ((rec->blob = malloc(rec->blob_len)) == NULL ||
	    (rec->id_token = strdup(w->in.id_token)) == NULL ||
	    (rec->upn = strdup(upn == NULL ? "" : upn)) == NULL ||
	    (rec->source = strdup("local")) == NULL)
		return AAD_ENOMEM;
	memcpy(rec->blob, w->key.blob, rec->blob_len);
	return 0;
}

/*
 * Under the login's lock.  A fresh sign-in is built on nothing of the record
 * before it, so it follows whatever generation is there.
 */
static int
store_locked(struct work *w)
{
	struct record *old = NULL, *rec = NULL;
	struct record_pub pub;
	enum reason why = AAD_R_UNSET;
	int r;

	if ((r = refuse_early(w)) != 0 || (r = judge_identity(w)) != 0 ||
	    (r = settle_pin(w, 1)) != 0)
		return r;
	if ((r = read_record_key(w)) != 0)
		return r;
	if ((r = cache_record_pub(&w->cache, &pub, &why)) != 0)
		return refuse_state(w, r, why);
	if (cache_record_load(&w->cache, w->o.login, w->key.hash, w->host, &pub,
		&old, &why) != 0)
		old = NULL; /* none, or one that no longer counts */
	r = make_record(w, old == NULL ? 0 : old->generation, &rec);
	if (r == 0)
		r = cache_record_store(&w->cache, rec, w->host, w->record_key);
	record_free(old);
	record_free(rec);
	return r == 0 ? 0 : refuse_state(w, r, AAD_R_DISK);
}

static int
store(struct work *w)
{
	int keys, lock, r;

	if ((r = cache_lock_keys(&w->cache, 0, &keys)) != 0)
		return refuse_write(w, r);
	if ((r = cache_lock(&w->cache, w->o.login, &lock)) != 0) {
		r = refuse_write(w, r);
		close(keys);
		return r;
	}
	/* The last moment to give up: from here on it is all or nothing. */
	r = stop ? refuse(w, AAD_R_INTERRUPTED, NULL) : store_locked(w);
	close(lock);
	close(keys);
	return r;
}

static int64_t
until(const struct work *w)
{
	int64_t end = w->in.at + w->app->conf->sign_in_max_age;

	return w->in.claims->exp < end ? w->in.claims->exp : end;
}

static int
report(const struct work *w)
{
	const struct claims *c = w->in.claims;
	const char *upn = claims_upn(c) == NULL ? "" : claims_upn(c);
	char when[TEXT_TIME_LEN + 1], who[128];

	text_time_format(until(w), when);
	text_clean(upn, strlen(upn), who, sizeof(who));
	if (w->o.json)
		return out_json(json_pack(
		    "{s:i s:b s:s s:s s:s s:s s:s s:s s:o s:s}", "v", 1, "done",
		    1, "login", w->o.login, "key_type", key_type_name(&w->key),
		    "key", w->fingerprint, "upn", who, "oid", c->oid, "tid",
		    c->tid, "sign_in", app_json_time(w->in.at), "until", when));
	printf("%s%s%s may log in as %s with the key %s until %s.\n",
	    who[0] != '\0' ? who : "oid ", who[0] != '\0' ? "" : c->oid, "",
	    w->o.login, w->fingerprint, when);
	return EXIT_DONE;
}

static void
log_signin(const struct work *w, int r)
{
	const struct claims *c = w->in.claims;
	enum reason why = r == 0 ? AAD_R_ALLOWED : w->no.why;
	struct log_field fields[] = {
		{ "verdict", reason_verdict(why) },
		{ "reason", reason_name(why) },
		{ "login", w->o.login },
		{ "key", w->fingerprint },
		{ "oid", c == NULL ? NULL : c->oid },
		{ "upn", c == NULL ? NULL : claims_upn(c) },
		{ "uti", c == NULL ? NULL : c->uti },
		{ "detail", r == 0 ? NULL : w->no.detail },
	};

	log_event(r == 0 ? LOG_NOTICE : log_priority(why), "signin", fields,
	    sizeof(fields) / sizeof(fields[0]));
}

/* Say why not, to the person and to a script. */
static int
report_refusal(const struct work *w, int r)
{
	if (r == AAD_EREFUSED)
		out_refusal(APP_PROG, w->no.why, w->no.detail);
	if (w->o.json &&
	    out_json(json_pack("{s:i s:b s:s s:s s:s s:s}", "v", 1, "done", 0,
		"login", w->o.login, "reason", reason_name(w->no.why),
		"sentence", reason_sentence(w->no.why), "detail",
		w->no.detail)) != EXIT_DONE)
		return EXIT_CANNOT;
	return reason_exit(w->no.why);
}

static void
work_release(struct work *w)
{
	signin_release(&w->in);
	jwks_free(w->keys);
	secret_free(w->record_key);
	cache_close(&w->cache);
	key_release(&w->key);
}

static int
run(struct work *w)
{
	int r;

	if (!w->app->conf->has_idp)
		return refuse(w, AAD_R_CONFIG, "There is no [idp] section.");
	if ((r = open_state(w)) != 0 || (r = refuse_early(w)) != 0 ||
	    (r = ask_azure(w)) != 0 || (r = judge_identity(w)) != 0)
		return r;
	return store(w);
}

int
verb_login(void *arg, int argc, char **argv)
{
	struct work w;
	int code, r;

	memset(&w, 0, sizeof(w));
	w.app = arg;
	w.cache.dir = -1;
	if (app_key_options(argc, argv, &w.o) != 0)
		return app_usage(w.app, argv[0]);
	if (!name_login_ok(w.o.login))
		return out_refusal(APP_PROG, AAD_R_BAD_LOGIN, NULL);
	if ((code = app_read_key(w.o.file, &w.key)) != EXIT_DONE ||
	    (code = app_start(w.app)) != EXIT_DONE ||
	    (code = app_uid(w.o.login, w.o.uid, &w.uid)) != EXIT_DONE)
		goto out;
	key_fingerprint(&w.key, w.fingerprint);
	catch_signals();
	r = run(&w);
	log_signin(&w, r);
	code = r == 0 ? report(&w) : report_refusal(&w, r);
out:
	work_release(&w);
	return code;
}
