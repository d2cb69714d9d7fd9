/* SPDX-License-Identifier: ISC */

/*
 * aadssh refresh --keys-only: fetch the tenant keys when they are due, and
 * sweep up what a crash left.  The old keys stay until new ones are there.
 */

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "cmd/aadssh/app.h"
#include "cmd/aadssh/tenantkeys.h"
#include "cmd/aadssh/verbs.h"
#include "cmd/cli/clock.h"
#include "cmd/cli/log.h"
#include "core/text.h"

struct options {
	int keys_only;
	int force;
	int json;
};

static int
parse(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
		{ "keys-only", no_argument, NULL, 'k' },
		{ "force", no_argument, NULL, 'f' },
		{ "json", no_argument, NULL, 'j' },
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
		else
			return -1;
	}
	return argc == optind && o->keys_only ? 0 : -1;
}

static int
report(const struct options *o, const struct jwks *keys, int fetched)
{
	char when[TEXT_TIME_LEN + 1], count[24];
	struct log_field fields[] = {
		{ "verdict", "yes" },
		{ "fetched_at", when },
		{ "keys", count },
	};

	text_time_format(keys->fetched_at, when);
	snprintf(count, sizeof(count), "%zu", keys->n);
	if (fetched)
		log_event(LOG_INFO, "tenant_keys", fields, 3);
	if (o->json)
		return out_json(json_pack("{s:i s:b s:s s:I}", "v", 1,
		    "fetched", fetched, "fetched_at", when, "keys",
		    (json_int_t)keys->n));
	printf(fetched ? "Fetched %s tenant keys at %s.\n"
		       : "The %s tenant keys of %s are fresh enough.\n",
	    count, when);
	return EXIT_DONE;
}

static int
refused(const struct refusal *no)
{
	struct log_field fields[] = {
		{ "verdict", reason_verdict(no->why) },
		{ "reason", reason_name(no->why) },
		{ "detail", no->detail },
	};

	log_event(log_priority(no->why), "tenant_keys", fields, 3);
	return out_refusal(APP_PROG, no->why, no->detail);
}

static int
store(const struct app *app, const struct cache *cache, const struct jwks *keys)
{
	int r = tenantkeys_store(cache, keys, clock_now());

	return r == 0 ? EXIT_DONE : app_state_error(app, r, AAD_R_DISK);
}

static int
refresh(const struct app *app, const struct cache *cache,
    const struct options *o)
{
	struct jwks *keys = NULL;
	struct http *http = NULL;
	struct refusal no;
	enum reason why;
	int code, fetched = 0;

	if (cache_tenant_keys_load(cache, NULL, &keys, &why) == AAD_ENOMEM)
		return out_refusal(APP_PROG, AAD_R_NO_MEMORY, NULL);
	if (o->force || tenantkeys_due(keys, app->conf, clock_now())) {
		jwks_free(keys);
		keys = NULL;
		if (!app_ca_file_safe(app->conf)) {
			refusal_set(&no, AAD_R_CONFIG, APP_CA_FILE_UNSAFE);
			return refused(&no);
		}
		if (tenantkeys_http(app->conf, NULL, &http) != 0)
			return out_refusal(APP_PROG, AAD_R_NO_MEMORY, NULL);
		code = keys_fetch(http, app->conf, NULL, clock_now(), &keys,
			   &no) == 0
			   ? store(app, cache, keys)
			   : refused(&no);
		http_free(http);
		fetched = 1;
	} else {
		code = EXIT_DONE;
	}
	if (code == EXIT_DONE)
		code = report(o, keys, fetched);
	jwks_free(keys);
	return code;
}

int
verb_refresh(void *arg, int argc, char **argv)
{
	struct app *app = arg;
	struct cache cache;
	struct options o;
	enum reason why;
	int code, r;

	if (parse(argc, argv, &o) != 0)
		return app_usage(app, argv[0]);
	if ((code = app_start(app)) != EXIT_DONE)
		return code;
	if (!app->conf->has_idp)
		return out_refusal(APP_PROG, AAD_R_CONFIG,
		    "There is no [idp] section.");
	if ((r = cache_open_write(app->conf->dir, geteuid(), &cache, &why)) !=
	    0)
		return app_state_error(app, r, why);
	cache_sweep(&cache, clock_now());
	code = refresh(app, &cache, &o);
	cache_close(&cache);
	return code;
}
