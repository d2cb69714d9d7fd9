/* SPDX-License-Identifier: ISC */

/* aadssh rekey: new keys of this host, and what the old ones made, anew. */

#include <stdbool.h>
#include <stdio.h>
#include <syslog.h>
#include <unistd.h>

#include "cmd/aadssh/app.h"
#include "cmd/aadssh/verbs.h"
#include "cmd/cli/log.h"
#include "host/hostid.h"
#include "host/rekey.h"

static int
report(const struct rekey_count *n, bool json)
{
	char records[24], tokens[24], skipped[24];
	struct log_field fields[] = {
		{ "records", records },
		{ "refresh_tokens", tokens },
		{ "skipped", skipped },
	};

	snprintf(records, sizeof(records), "%zu", n->records);
	snprintf(tokens, sizeof(tokens), "%zu", n->tokens);
	snprintf(skipped, sizeof(skipped), "%zu", n->skipped);
	log_event(LOG_NOTICE, "rekey", fields,
	    sizeof(fields) / sizeof(fields[0]));
	if (json)
		return out_json(json_pack("{s:i s:I s:I s:I}", "v", 1,
		    "records", (json_int_t)n->records, "refresh_tokens",
		    (json_int_t)n->tokens, "skipped", (json_int_t)n->skipped));
	printf("New keys; signed and sealed anew: %s record%s, %s refresh "
	       "token%s.\n",
	    records, n->records == 1 ? "" : "s", tokens,
	    n->tokens == 1 ? "" : "s");
	if (n->skipped > 0)
		printf("Left alone, damaged or not of this host: %s file%s.\n",
		    skipped, n->skipped == 1 ? "" : "s");
	return EXIT_DONE;
}

static int
run(const struct app *app, struct rekey_count *n)
{
	uint8_t host[HOSTID_LEN];
	struct cache cache;
	enum reason why;
	int r;

	if (hostid_read(APP_MACHINE_ID, host) != 0)
		return out_refusal(APP_PROG, AAD_R_NO_MACHINE_ID, NULL);
	if ((r = cache_open_write(app->conf->dir, geteuid(), &cache, &why)) !=
	    0)
		return app_state_error(app, r, why);
	r = rekey(&cache, host, n);
	cache_close(&cache);
	if (r == AAD_EPERM)
		return app_state_error(app, r, AAD_R_STATE_UNREADABLE);
	if (r == AAD_EFORMAT)
		return app_state_error(app, r, AAD_R_RECORD_KEY_UNREADABLE);
	return r == 0 ? EXIT_DONE : app_state_error(app, r, AAD_R_DISK);
}

int
verb_rekey(void *arg, int argc, char **argv)
{
	struct app *app = arg;
	struct rekey_count n;
	bool json;
	int code;

	if (verb_json(argc, argv, 0, &json) != 0)
		return app_usage(app, argv[0]);
	if ((code = app_start(app)) != EXIT_DONE ||
	    (code = run(app, &n)) != EXIT_DONE)
		return code;
	return report(&n, json);
}
