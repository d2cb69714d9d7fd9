/* SPDX-License-Identifier: ISC */

/*
 * aadssh status: every sign-in on this host with what the hook would say of
 * it now, by the hook's own decision, and the age of the tenant keys.
 */

#include <errno.h>
#include <getopt.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/aadssh/app.h"
#include "cmd/aadssh/verbs.h"
#include "cmd/cli/clock.h"
#include "core/b64.h"
#include "core/text.h"
#include "host/decision.h"
#include "host/hostid.h"

struct options {
	const char *login; /* NULL: all */
	int json;
};

struct report {
	struct app *app;
	struct cache cache;
	const struct options *o;
	int64_t now;
	uint8_t host[HOSTID_LEN];
	struct record_pub pub;
	bool fresh; /* nobody ever signed in: there is no record key */
	json_t *list; /* with --json */
	size_t n;
};

static int
parse(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
		{ "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	memset(o, 0, sizeof(*o));
	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (c != 'j')
			return -1;
		o->json = 1;
	}
	if (argc - optind > 1)
		return -1;
	o->login = argv[optind]; /* NULL behind the last */
	return 0;
}

/* What the hook would say of this record's key now. */
static enum reason
ask(const struct report *rep, const struct record *rec, struct decision *d)
{
	struct decision_ask a = { .conf = rep->app->conf,
		.rules = rep->app->rules,
		.machine_id = APP_MACHINE_ID,
		.login = rec->login,
		.uid = POLICY_UID_UNJUDGED,
		.now = rep->now,
		.oracle = verify_nettle };
	const struct passwd *pw = getpwnam(rec->login);
	struct key key;
	char *base64 = NULL;
	enum reason why = AAD_R_NO_MEMORY;

	memset(d, 0, sizeof(*d));
	memset(&key, 0, sizeof(key));
	if (pw != NULL)
		a.uid = (int64_t)pw->pw_uid;
	if (key_from_blob(rec->blob, rec->blob_len, &key, &why) == 0 &&
	    b64_encode(B64_STD, key.blob, key.blob_len, &base64) == 0) {
		a.key_type = key_type_name(&key);
		a.key_base64 = base64;
		why = decide(&a, d);
	}
	free(base64);
	key_release(&key);
	return why;
}

static void
show(const struct report *rep, const char *login, const char *fp,
    const struct record *rec, enum reason why, int64_t until)
{
	char since[TEXT_TIME_LEN + 1] = "", to[TEXT_TIME_LEN + 1], upn[128];
	int64_t at = rec == NULL ? 0 : rec->sign_in;

	upn[0] = '\0';
	if (rec != NULL && rec->upn != NULL)
		text_clean(rec->upn, strlen(rec->upn), upn, sizeof(upn));
	if (rep->list != NULL) {
		json_array_append_new(rep->list,
		    json_pack("{s:s s:s s:s s:s s:o s:o s:s}", "login", login,
			"key", fp, "upn", upn, "oid",
			rec == NULL ? "" : rec->oid, "sign_in",
			app_json_time(at), "until", app_json_time(until),
			"reason", reason_name(why)));
		return;
	}
	text_time_format(at, since);
	text_time_format(until, to);
	if (why == AAD_R_ALLOWED)
		printf("%s  %s  %s  since %s  until %s\n", login, fp, upn,
		    since, to);
	else
		printf("%s  %s  %s  no: %s\n", login, fp, upn,
		    reason_name(why));
}

/*
 * Load a record.  A signature that is nobody's may be a rekey's that came
 * after we read the keys, so those are read again once.
 */
static int
load(struct report *rep, const char *login, const uint8_t key_hash[static 32],
    struct record **outp, enum reason *whyp)
{
	enum reason why;
	int r = cache_record_load(&rep->cache, login, key_hash, rep->host,
	    &rep->pub, outp, whyp);

	if (r != AAD_EREFUSED || *whyp != AAD_R_RECORD_SIGNATURE ||
	    cache_record_pub(&rep->cache, &rep->pub, &why) != 0)
		return r;
	return cache_record_load(&rep->cache, login, key_hash, rep->host,
	    &rep->pub, outp, whyp);
}

static int
each(void *arg, const char *login, const uint8_t key_hash[static 32])
{
	struct report *rep = arg;
	char fp[KEY_FP_LEN + 1];
	struct record *rec = NULL;
	struct decision d;
	enum reason why;

	memset(&d, 0, sizeof(d));
	key_fingerprint_of(key_hash, fp);
	if (load(rep, login, key_hash, &rec, &why) == 0)
		why = rec->state == RECORD_ENDED ? AAD_R_RECORD_ENDED
						 : ask(rep, rec, &d);
	show(rep, login, fp, rec, why, d.until);
	decision_release(&d);
	record_free(rec);
	rep->n++;
	return 0;
}

/* When the tenant keys were fetched; 0 when there are none. */
static int64_t
keys_fetched(const struct report *rep, enum reason *whyp)
{
	struct jwks *keys = NULL;
	int64_t at;

	if (cache_tenant_keys_load(&rep->cache, NULL, &keys, whyp) != 0)
		return 0;
	at = keys->fetched_at;
	*whyp = rep->now - at > rep->app->conf->keys_max_age
		    ? AAD_R_TENANT_KEYS_STALE
		    : AAD_R_ALLOWED;
	jwks_free(keys);
	return at;
}

static int
finish(struct report *rep)
{
	char when[TEXT_TIME_LEN + 1];
	enum reason why = AAD_R_UNSET;
	int64_t at = keys_fetched(rep, &why);

	if (rep->list != NULL) {
		json_t *o = json_pack("{s:i s:O s:{s:o s:s}}", "v", 1,
		    "sign_ins", rep->list, "tenant_keys", "fetched_at",
		    app_json_time(at), "reason", reason_name(why));
		return out_json(o);
	}
	if (rep->n == 0)
		printf("No sign-ins%s%s.\n", rep->o->login ? " of " : "",
		    rep->o->login ? rep->o->login : "");
	text_time_format(at, when);
	if (why == AAD_R_ALLOWED)
		printf("Tenant keys fetched at %s.\n", when);
	else
		printf("Tenant keys: %s\n", reason_sentence(why));
	return EXIT_DONE;
}

static int
open_state(struct report *rep)
{
	enum reason why = AAD_R_UNSET;
	int r;

	if ((r = cache_open(rep->app->conf->dir, &rep->cache, &why)) != 0)
		return app_state_error(rep->app, r, why);
	if (hostid_read(APP_MACHINE_ID, rep->host) != 0)
		return out_refusal(APP_PROG, AAD_R_NO_MACHINE_ID, NULL);
	r = cache_record_pub(&rep->cache, &rep->pub, &why);
	/* NB. before the first sign-in there is no key, and no record. */
	rep->fresh = r == AAD_ENOENT;
	if (r != 0 && !rep->fresh)
		return app_state_error(rep->app, r, why);
	return EXIT_DONE;
}

int
verb_status(void *arg, int argc, char **argv)
{
	struct app *app = arg;
	struct options o;
	struct report rep = { .app = app, .cache = { .dir = -1 }, .o = &o };
	int code, r;

	if (parse(argc, argv, &o) != 0)
		return app_usage(app, argv[0]);
	if (o.login != NULL && !name_login_ok(o.login))
		return out_refusal(APP_PROG, AAD_R_BAD_LOGIN, NULL);
	if ((code = app_start(app)) != EXIT_DONE)
		return code;
	rep.now = clock_now();
	if (o.json)
		rep.list = json_array();
	if ((code = open_state(&rep)) == EXIT_DONE) {
		r = cache_record_each(&rep.cache, o.login, each, &rep);
		if (r != 0 && rep.fresh && errno == ENOENT)
			r = 0; /* the folder is made when it is needed */
		code = r == 0 ? finish(&rep)
			      : app_state_error(app, r, AAD_R_STATE_UNREADABLE);
	}
	json_decref(rep.list);
	cache_close(&rep.cache);
	return code;
}
