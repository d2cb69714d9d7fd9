/* SPDX-License-Identifier: ISC */

/* aadssh forget: remove what a login's sign-ins left, and its pin. */

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "cmd/aadssh/app.h"
#include "cmd/aadssh/verbs.h"
#include "cmd/cli/log.h"
#include "host/pin.h"
#include "host/refreshtoken.h"

struct options {
	const char *login;
	const char *key; /* fingerprint, or NULL: all */
	uint8_t hash[32];
	int pin;
	int json;
};

struct gone {
	const struct cache *cache;
	const struct options *o;
	int records;
	int tokens; /* refresh tokens, also those without a record */
	int pin;
};

static int
parse(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
		{ "key", required_argument, NULL, 'k' },
		{ "pin", no_argument, NULL, 'p' },
		{ "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	memset(o, 0, sizeof(*o));
	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (c == 'k')
			o->key = optarg;
		else if (c == 'p')
			o->pin = 1;
		else if (c == 'j')
			o->json = 1;
		else
			return -1;
	}
	if (argc - optind != 1)
		return -1;
	o->login = argv[optind];
	if (o->key != NULL && key_fingerprint_parse(o->key, o->hash) != 0) {
		fprintf(stderr, "%s: --key takes a fingerprint, SHA256:...\n",
		    APP_PROG);
		return -1;
	}
	return 0;
}

static int
remove_one(void *arg, const char *login, const uint8_t key_hash[static 32])
{
	struct gone *g = arg;
	int r;

	if (g->o->key != NULL &&
	    memcmp(g->o->hash, key_hash, sizeof(g->o->hash)) != 0)
		return 0;
	r = cache_record_remove(g->cache, login, key_hash);
	if (r == 0)
		g->records++;
	return r == AAD_ENOENT ? 0 : r;
}

/* NB. before the records: no record gone leaves its refresh token behind. */
static int
remove_token(void *arg, const char *login, const uint8_t key_hash[static 32])
{
	struct gone *g = arg;
	int r;

	if (strcmp(login, g->o->login) != 0 ||
	    (g->o->key != NULL &&
		memcmp(g->o->hash, key_hash, sizeof(g->o->hash)) != 0))
		return 0;
	r = refreshtoken_remove(g->cache, login, key_hash);
	if (r == 0)
		g->tokens++;
	return r == AAD_ENOENT ? 0 : r;
}

/*
 * Under the login's lock: the refresh tokens, the records, and the pin when
 * asked for.
 */
static int
forget(struct gone *g)
{
	int keys, lock, r;

	if ((r = cache_lock_keys(g->cache, 0, &keys)) != 0)
		return r;
	if ((r = cache_lock(g->cache, g->o->login, &lock)) != 0) {
		close(keys);
		return r;
	}
	r = refreshtoken_each(g->cache, remove_token, g);
	if (r == 0)
		r = cache_record_each(g->cache, g->o->login, remove_one, g);
	if (r == 0 && g->o->pin) {
		r = pin_remove(g->cache, g->o->login);
		g->pin = r == 0;
		if (r == AAD_ENOENT)
			r = 0;
	}
	close(lock);
	close(keys);
	return r;
}

static int
report(const struct gone *g)
{
	char records[16], tokens[16];
	struct log_field fields[] = {
		{ "login", g->o->login },
		{ "key", g->o->key },
		{ "records", records },
		{ "refresh_tokens", tokens },
		{ "pin", g->pin ? "yes" : "no" },
	};
	int nothing = g->records == 0 && g->tokens == 0 && !g->pin;

	snprintf(records, sizeof(records), "%d", g->records);
	snprintf(tokens, sizeof(tokens), "%d", g->tokens);
	log_event(LOG_NOTICE, "forget", fields,
	    sizeof(fields) / sizeof(fields[0]));
	if (g->o->json) {
		int code = out_json(json_pack("{s:i s:s s:i s:i s:b}", "v", 1,
		    "login", g->o->login, "records", g->records,
		    "refresh_tokens", g->tokens, "pin", g->pin));
		return code == EXIT_DONE && nothing ? EXIT_NO : code;
	}
	if (nothing) {
		fprintf(stderr, "%s: there was nothing to forget of %s\n",
		    APP_PROG, g->o->login);
		return EXIT_NO;
	}
	printf("Forgot %d sign-in%s of %s%s.\n", g->records,
	    g->records == 1 ? "" : "s", g->o->login,
	    g->pin ? " and its pin" : "");
	return EXIT_DONE;
}

int
verb_forget(void *arg, int argc, char **argv)
{
	struct app *app = arg;
	struct cache cache;
	struct options o;
	struct gone g = { &cache, &o, 0, 0, 0 };
	enum reason why;
	int code, r;

	if (parse(argc, argv, &o) != 0)
		return app_usage(app, argv[0]);
	if (!name_login_ok(o.login))
		return out_refusal(APP_PROG, AAD_R_BAD_LOGIN, NULL);
	if ((code = app_start(app)) != EXIT_DONE)
		return code;
	if ((r = cache_open_write(app->conf->dir, geteuid(), &cache, &why)) !=
	    0)
		return app_state_error(app, r, why);
	r = forget(&g);
	cache_close(&cache);
	if (r != 0)
		return app_state_error(app, r, AAD_R_DISK);
	return report(&g);
}
