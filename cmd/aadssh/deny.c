/* SPDX-License-Identifier: ISC */

/* aadssh deny, undeny: a definite no of the administrator, and its end. */

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "cmd/aadssh/app.h"
#include "cmd/aadssh/verbs.h"
#include "cmd/cli/clock.h"
#include "cmd/cli/log.h"
#include "core/text.h"
#include "host/denial.h"

struct options {
	int lift; /* undeny */
	enum denial_kind kind;
	const char *what; /* as typed */
	char name[NAME_HEX64_LEN + 1]; /* as the file is named */
	int64_t until;
	int json;
};

/* The file name for what was typed; -1 when it is not of its grammar. */
static int
settle_name(struct options *o)
{
	uint8_t hash[32];

	switch (o->kind) {
	case DENIAL_LOGIN:
		if (!name_login_ok(o->what))
			break;
		memcpy(o->name, o->what, strlen(o->what) + 1);
		return 0;
	case DENIAL_KEY:
		if (key_fingerprint_parse(o->what, hash) != 0)
			break;
		name_hex64(hash, o->name);
		return 0;
	case DENIAL_OID:
		if (name_guid_fold(o->what, o->name))
			return 0;
		break;
	}
	fprintf(stderr, "%s: --%s takes %s\n", APP_PROG,
	    denial_kind_name(o->kind),
	    o->kind == DENIAL_LOGIN ? "a login name"
	    : o->kind == DENIAL_KEY ? "a fingerprint, SHA256:..."
				    : "an object id, a GUID");
	return -1;
}

/* A time (RFC 3339, UTC) or a duration from now. */
static int
settle_until(struct options *o, const char *text)
{
	int64_t now = clock_now(), span;

	if (text_duration(text, &span) && span > 0)
		o->until = now + span;
	else if (!text_time(text, &o->until) || o->until <= now) {
		fprintf(stderr,
		    "%s: --until takes a time to come, 2030-01-31T12:00:00Z, "
		    "or a duration, 30d\n",
		    APP_PROG);
		return -1;
	}
	return 0;
}

static int
parse(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
		{ "login", required_argument, NULL, 'l' },
		{ "key", required_argument, NULL, 'k' },
		{ "oid", required_argument, NULL, 'o' },
		{ "until", required_argument, NULL, 'u' },
		{ "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 },
	};
	const char *until = NULL;
	int c, names = 0;

	memset(o, 0, sizeof(*o));
	o->lift = strcmp(argv[0], "undeny") == 0;
	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (c == 'l' || c == 'k' || c == 'o') {
			o->kind = c == 'l'   ? DENIAL_LOGIN
				  : c == 'k' ? DENIAL_KEY
					     : DENIAL_OID;
			o->what = optarg;
			names++;
		} else if (c == 'u') {
			until = optarg;
		} else if (c == 'j') {
			o->json = 1;
		} else {
			return -1;
		}
	}
	if (names != 1 || argc != optind || (o->lift && until != NULL) ||
	    settle_name(o) != 0)
		return -1;
	return until == NULL ? 0 : settle_until(o, until);
}

/* Make or lift it under the lock of the denials. */
static int
change(const struct cache *cache, const struct options *o)
{
	const struct denial d = { o->until, "admin", clock_now() };
	int lock, r;

	if ((r = cache_lock(cache, CACHE_LOCK_DENIALS, &lock)) != 0)
		return r;
	r = o->lift ? denial_lift(cache, o->kind, o->name)
		    : denial_set(cache, o->kind, o->name, &d);
	close(lock);
	return r;
}

static int
report(const struct options *o)
{
	char until[TEXT_TIME_LEN + 1];
	struct log_field fields[] = {
		{ denial_kind_name(o->kind), o->what },
		{ "until", NULL },
	};

	if (o->until != 0) {
		text_time_format(o->until, until);
		fields[1].value = until;
	}
	log_event(LOG_NOTICE, o->lift ? "undeny" : "deny", fields, 2);
	if (o->json)
		return out_json(json_pack("{s:i s:s s:s s:s s:o}", "v", 1,
		    "done", o->lift ? "undenied" : "denied", "kind",
		    denial_kind_name(o->kind), "name", o->what, "until",
		    app_json_time(o->until)));
	if (o->lift)
		printf("%s %s is no longer denied.\n",
		    denial_kind_name(o->kind), o->what);
	else if (o->until != 0)
		printf("%s %s is denied until %s.\n", denial_kind_name(o->kind),
		    o->what, until);
	else
		printf("%s %s is denied.\n", denial_kind_name(o->kind),
		    o->what);
	return EXIT_DONE;
}

int
verb_deny(void *arg, int argc, char **argv)
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
	if ((r = cache_open_write(app->conf->dir, geteuid(), &cache, &why)) !=
	    0)
		return app_state_error(app, r, why);
	r = change(&cache, &o);
	cache_close(&cache);
	if (r == AAD_ENOENT) {
		fprintf(stderr, "%s: %s %s is not denied\n", APP_PROG,
		    denial_kind_name(o.kind), o.what);
		return EXIT_NO;
	}
	if (r != 0)
		return app_state_error(app, r, AAD_R_DISK);
	return report(&o);
}
