/* SPDX-License-Identifier: ISC */

/*
 * aadssh refresh: the tenant keys when they are due, then the live check of
 * every sign-in (renew.h), and what crashes and ends left behind (sweep.h).
 * With --keys-only just the tenant keys: the old ones stay until new ones are
 * there.
 */

#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include <sodium.h>

#include "cmd/aadssh/app.h"
#include "cmd/aadssh/renew.h"
#include "cmd/aadssh/sweep.h"
#include "cmd/aadssh/tenantkeys.h"
#include "cmd/aadssh/verbs.h"
#include "cmd/cli/clock.h"
#include "cmd/cli/log.h"
#include "cmd/cli/stop.h"
#include "core/text.h"
#include "host/hostid.h"
#include "host/lastrun.h"

#define JITTER_MAX 3600 /* seconds */
#define MARGIN_MAX 60 /* seconds that a run ends before the next begins */

struct options {
	int keys_only;
	int force;
	int json;
	int64_t jitter; /* seconds */
};

/* Everything that one run opens; work_release() closes it. */
struct work {
	struct app *app;
	struct options o;
	struct cache cache;
	struct http *http;
	struct discovery *where;
	struct jwks *keys;
	bool fetched; /* keys are new */
	struct refusal no; /* why the provider did not help */
	/* A run ends cleanly: what was committed stays. */
	const volatile sig_atomic_t *stop;
};

static int
parse(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
		{ "keys-only", no_argument, NULL, 'k' },
		{ "force", no_argument, NULL, 'f' },
		{ "json", no_argument, NULL, 'j' },
		{ "jitter", required_argument, NULL, 't' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	memset(o, 0, sizeof(*o));
	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (c == 'k')
			o->keys_only = 1;
		else if (c == 'f')
			o->force = 1;
		else if (c == 'j')
			o->json = 1;
		else if (c != 't' || !text_duration(optarg, &o->jitter) ||
			 o->jitter < 0 || o->jitter > JITTER_MAX)
			return -1;
	}
	return argc == optind ? 0 : -1;
}

static void
work_release(struct work *w)
{
	http_free(w->http);
	discovery_free(w->where);
	jwks_free(w->keys);
	cache_close(&w->cache);
}

/* ---- the tenant keys ----------------------------------------------------- */

static void
log_keys(const struct work *w)
{
	char when[TEXT_TIME_LEN + 1], count[24];
	const struct log_field fields[] = {
		{ "verdict", "yes" },
		{ "fetched_at", when },
		{ "keys", count },
	};

	text_time_format(w->keys->fetched_at, when);
	snprintf(count, sizeof(count), "%zu", w->keys->n);
	log_event(LOG_INFO, "tenant_keys", fields, 3);
}

static void
log_refusal(const char *event, const struct refusal *no)
{
	const struct log_field fields[] = {
		{ "verdict", reason_verdict(no->why) },
		{ "reason", reason_name(no->why) },
		{ "detail", no->detail },
	};

	log_event(log_priority(no->why), event, fields, 3);
}

static int
refuse(struct work *w, enum reason why, const char *detail)
{
	refusal_set(&w->no, why, detail);
	return AAD_EREFUSED;
}

/* Where the provider is. */
static int
discover(struct work *w)
{
	const struct conf *conf = w->app->conf;

	if (!app_ca_file_safe(conf))
		return refuse(w, AAD_R_CONFIG, APP_CA_FILE_UNSAFE);
	if (tenantkeys_http(conf, w->stop, &w->http) != 0)
		return refuse(w, AAD_R_NO_MEMORY, NULL);
	return tenantkeys_discover(w->http, conf, w->stop, &w->where, &w->no);
}

/* Fetch and keep the keys; the old ones stay otherwise. */
static int
fetch_keys(struct work *w)
{
	const struct conf *conf = w->app->conf;
	struct jwks *keys = NULL;
	int r;

	if ((r = tenantkeys_fetch(w->http, conf, w->where, w->stop, clock_now(),
		 &keys, &w->no)) != 0)
		return r;
	jwks_free(w->keys);
	w->keys = keys;
	if ((r = tenantkeys_store(&w->cache, keys, clock_now())) != 0) {
		app_state_refusal(w->app, r, AAD_R_DISK, &w->no);
		return AAD_EREFUSED;
	}
	w->fetched = true;
	log_keys(w);
	return 0;
}

static bool
keys_due(const struct work *w)
{
	return w->o.force || tenantkeys_due(w->keys, w->app->conf, clock_now());
}

static int
report_keys(const struct work *w)
{
	char when[TEXT_TIME_LEN + 1];

	text_time_format(w->keys->fetched_at, when);
	if (w->o.json)
		return out_json(json_pack("{s:i s:b s:s s:I}", "v", 1,
		    "fetched", w->fetched, "fetched_at", when, "keys",
		    (json_int_t)w->keys->n));
	printf(w->fetched ? "Fetched %zu tenant keys at %s.\n"
			  : "The %zu tenant keys of %s are fresh enough.\n",
	    w->keys->n, when);
	return EXIT_DONE;
}

static int
refresh_keys(struct work *w)
{
	int r = 0;

	cache_sweep(&w->cache, clock_now());
	if (keys_due(w) && (r = discover(w)) == 0)
		r = fetch_keys(w);
	if (r == 0)
		return report_keys(w);
	log_refusal("tenant_keys", &w->no);
	return out_refusal(APP_PROG, w->no.why, w->no.detail);
}

/* ---- the live check ------------------------------------------------------ */

/* Keys that a new token can be judged by. */
static bool
keys_usable(const struct work *w)
{
	const struct conf *conf = w->app->conf;
	int64_t now = clock_now();

	return w->keys != NULL && strcmp(w->keys->issuer, conf->issuer) == 0 &&
	       w->keys->fetched_at <= now &&
	       now - w->keys->fetched_at <= conf->keys_max_age;
}

/* Can anybody be asked?  Old keys do while they have not aged. */
static int
reach_provider(struct work *w)
{
	int r;

	if ((r = discover(w)) == 0 && keys_due(w) && (r = fetch_keys(w)) != 0) {
		log_refusal("tenant_keys", &w->no);
		if (keys_usable(w))
			r = 0;
	}
	return r;
}

/* Nobody is to blame but the provider and the way there. */
static bool
is_outage(enum reason why)
{
	return why == AAD_R_UNREACHABLE || why == AAD_R_THROTTLED ||
	       why == AAD_R_PROVIDER;
}

static json_t *
json_of(const struct work *w, const struct lastrun *run)
{
	json_t *o = json_pack("{s:i s:s s:o s:b}", "v", 1, "result",
	    lastrun_result_name(run->result), "at", app_json_time(run->at),
	    "fetched", w->fetched);
	const char *name;
	int64_t v;
	size_t i;

	for (i = 0; (name = lastrun_count(&run->counts, i, &v)) != NULL; i++)
		if (o != NULL && json_object_set_new(o, name,
				     json_integer((json_int_t)v)) != 0) {
			json_decref(o);
			o = NULL;
		}
	return o;
}

/* "checked 12, renewed 11, again 1": what is not 0, for people. */
static void
print_counts(const struct lastrun_counts *counts)
{
	const char *name, *sep = "";
	int64_t v;
	size_t i;

	for (i = 0; (name = lastrun_count(counts, i, &v)) != NULL; i++) {
		if (v == 0 && i > 0)
			continue;
		printf("%s%s %" PRId64, sep, name, v);
		sep = ", ";
	}
	putchar('\n');
}

static void
log_run(const struct lastrun *run, enum reason why, const char *detail)
{
	char numbers[16][24];
	struct log_field fields[20] = {
		{ "verdict", reason_verdict(why) },
		{ "result", lastrun_result_name(run->result) },
		{ "reason", why == AAD_R_ALLOWED ? NULL : reason_name(why) },
		{ "detail", detail },
	};
	const char *name;
	size_t i, n = 4;
	int64_t v;

	for (i = 0; i < 16; i++, n++) {
		if ((name = lastrun_count(&run->counts, i, &v)) == NULL)
			break;
		snprintf(numbers[i], sizeof(numbers[i]), "%" PRId64, v);
		fields[n].name = name;
		fields[n].value = numbers[i];
	}
	log_event(why == AAD_R_ALLOWED ? LOG_INFO : log_priority(why),
	    "refresh", fields, n);
}

/* Why a run that is not ok is not. */
static void
explain(const struct work *w, const struct run *run, const struct lastrun *last,
    struct refusal *no)
{
	if (last->result == LASTRUN_OK)
		refusal_set(no, AAD_R_ALLOWED, NULL);
	else if (last->result == LASTRUN_TOO_MANY_GONE)
		refusal_set(no, AAD_R_TOO_MANY_GONE, NULL);
	else if (run->no.why != AAD_R_UNSET)
		*no = run->no;
	else if (w->where == NULL || w->no.why != AAD_R_UNSET)
		*no = w->no;
	else
		refusal_set(no, AAD_R_UNREACHABLE,
		    "No sign-in could be asked about.");
}

static int
report(struct work *w, struct run *run, struct lastrun *last)
{
	struct refusal no;
	int code, r;

	/* A run that was interrupted tells nothing about the provider. */
	if (*w->stop == 0 && (r = lastrun_store(&w->cache, last)) != 0) {
		run_failed(run, r, AAD_R_DISK, NULL);
		last->result = LASTRUN_FAILED;
	}
	explain(w, run, last, &no);
	log_run(last, no.why, no.detail);
	code = no.why == AAD_R_ALLOWED
		   ? EXIT_DONE
		   : out_refusal(APP_PROG, no.why, no.detail);
	if (w->o.json) {
		if (out_json(json_of(w, last)) != EXIT_DONE)
			return EXIT_CANNOT;
	} else {
		print_counts(&last->counts);
	}
	return code == EXIT_DONE ? EXIT_DONE : EXIT_CANNOT;
}

static int64_t
deadline(const struct conf *conf)
{
	int64_t margin = conf->check / 2;

	if (margin > MARGIN_MAX)
		margin = MARGIN_MAX;
	return clock_mono_ms() + (conf->check - margin) * 1000;
}

/* Under the lock of all runs. */
static int
check_all(struct work *w)
{
	uint8_t host[HOSTID_LEN];
	struct lastrun last = { .result = LASTRUN_FAILED };
	struct run run = { w->app, w->app->conf, &w->cache, host, w->stop,
		&last.counts, { AAD_R_UNSET, "" } };
	struct renew_tools tools = { .keysp = &w->keys,
		.deadline_ms = deadline(w->app->conf),
		.force = w->o.force };

	if (hostid_read(APP_MACHINE_ID, host) != 0)
		return out_refusal(APP_PROG, AAD_R_NO_MACHINE_ID, NULL);
	refusal_set(&w->no, AAD_R_UNSET, NULL);
	if (reach_provider(w) == 0) {
		refusal_set(&w->no, AAD_R_UNSET, NULL);
		tools.where = w->where;
		tools.http = w->http;
	}
	tools.outage = is_outage(w->no.why);
	sweep(&run);
	last.result = renew(&run, &tools);
	last.at = clock_now();
	return report(w, &run, &last);
}

static int
already_running(const struct work *w)
{
	if (w->o.json)
		return out_json(json_pack("{s:i s:s}", "v", 1, "result",
		    reason_name(AAD_R_REFRESH_RUNNING)));
	printf("%s\n", reason_sentence(AAD_R_REFRESH_RUNNING));
	return EXIT_DONE;
}

static int
refresh_all(struct work *w)
{
	int code, lock, r;

	if (w->o.jitter > 0)
		clock_sleep_ms((int64_t)
				   randombytes_uniform((uint32_t)w->o.jitter *
						       1000),
		    w->stop);
	r = cache_try_lock(&w->cache, CACHE_LOCK_REFRESH, &lock);
	if (r == AAD_EAGAIN)
		return already_running(w);
	if (r != 0)
		return app_state_error(w->app, r, AAD_R_DISK);
	code = check_all(w);
	close(lock);
	return code;
}

/* Where the keys are kept: the state, or what an authority has of it. */
static int
open_state(struct work *w)
{
	const struct conf *conf = w->app->conf;
	enum reason why;
	int code, r;

	code = conf->has_ca ? app_become_stateless(w->app) : app_become(w->app);
	if (code != EXIT_DONE)
		return code;
	if (!conf->has_idp)
		return out_refusal(APP_PROG, AAD_R_CONFIG,
		    "There is no [idp] section.");
	r = conf->has_ca
		? cache_open_tenant(conf->dir, geteuid(), &w->cache, &why)
		: cache_open_write(conf->dir, geteuid(), &w->cache, &why);
	return r == 0 ? EXIT_DONE : app_state_error(w->app, r, why);
}

int
verb_refresh(void *arg, int argc, char **argv)
{
	struct work w = { .app = arg, .cache = { .dir = -1 } };
	enum reason why;
	int code;

	if (parse(argc, argv, &w.o) != 0)
		return app_usage(w.app, argv[0]);
	w.app->ca_too = w.o.keys_only != 0;
	if ((code = app_load(w.app)) != EXIT_DONE ||
	    (code = open_state(&w)) != EXIT_DONE)
		return code;
	w.stop = stop_catch(0, 0);
	if (cache_tenant_keys_load(&w.cache, NULL, &w.keys, &why) == AAD_ENOMEM)
		code = out_refusal(APP_PROG, AAD_R_NO_MEMORY, NULL);
	else
		code = w.o.keys_only ? refresh_keys(&w) : refresh_all(&w);
	work_release(&w);
	return code;
}
