/* SPDX-License-Identifier: ISC */

/*
 * aadssh status: every sign-in on this host with what the hook would say of
 * it now, by the hook's own decision; open sessions, people who are signing
 * in, the age of the tenant keys and the last refresh.  With --watch again and
 * again.
 *
 * Root reads the session files and then becomes [process] user, each round
 * in a child of its own, so that the next one can read them again.
 */

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <sodium.h>

#include "cmd/aadssh/app.h"
#include "cmd/aadssh/show.h"
#include "cmd/aadssh/survey.h"
#include "cmd/aadssh/verbs.h"
#include "cmd/cli/child.h"
#include "cmd/cli/clock.h"
#include "cmd/cli/stop.h"
#include "core/strictjson.h"
#include "core/text.h"

#define WATCH_DEFAULT 2 /* seconds */
#define WATCH_MAX     3600
#define CLEAR	      "\033[H\033[2J" /* ECMA-48: CUP, ED */

struct options {
	const char *login; /* NULL: all */
	int json;
	int64_t watch; /* seconds from round to round; 0: once */
};

/* What the last round printed, where a child's round can leave it. */
struct seen {
	bool any;
	uint8_t hash[crypto_hash_sha256_BYTES];
};

struct status {
	struct app *app;
	const struct options *o;
	struct seen *seen; /* NULL: print in any case */
	bool became; /* app_become() was called in this process */
};

/* --watch, --watch=5 or --watch 5: no login begins with a digit. */
static int
parse_watch(int argc, char **argv, struct options *o)
{
	const char *text = optarg;
	uint64_t seconds = WATCH_DEFAULT;

	if (text == NULL && optind < argc && argv[optind][0] >= '0' &&
	    argv[optind][0] <= '9')
		text = argv[optind++];
	if (text != NULL &&
	    (!text_number(text, WATCH_MAX, &seconds) || seconds == 0)) {
		fprintf(stderr, "%s: --watch takes 1 to %d seconds\n", APP_PROG,
		    WATCH_MAX);
		return -1;
	}
	o->watch = (int64_t)seconds;
	return 0;
}

static int
parse(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "watch", optional_argument, NULL, 'w' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	memset(o, 0, sizeof(*o));
	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (c == 'j')
			o->json = 1;
		else if (c != 'w' || parse_watch(argc, argv, o) != 0)
			return -1;
	}
	if (argc - optind > 1)
		return -1;
	o->login = argv[optind]; /* NULL behind the last */
	return 0;
}

/* ---- printing ------------------------------------------------------ */

/* Whether the text is another than in the last round; remembers it. */
static bool
is_news(struct seen *seen, const char *text)
{
	uint8_t hash[crypto_hash_sha256_BYTES];

	if (seen == NULL)
		return true;
	crypto_hash_sha256(hash, (const unsigned char *)text, strlen(text));
	if (seen->any && memcmp(hash, seen->hash, sizeof(hash)) == 0)
		return false;
	memcpy(seen->hash, hash, sizeof(hash));
	return true;
}

static int
print_text(const struct status *st, const struct survey *s, int64_t now)
{
	char *text = show_text(s, st->o->login), when[TEXT_TIME_LEN + 1];
	bool first = st->seen == NULL || !st->seen->any;

	if (text == NULL)
		return out_refusal(APP_PROG, AAD_R_NO_MEMORY, NULL);
	if (is_news(st->seen, text)) {
		text_time_format(now, when);
		if (st->seen != NULL)
			printf("%s%s\n",
			    isatty(STDOUT_FILENO) ? CLEAR
			    : first		  ? ""
						  : "\n",
			    when);
		fputs(text, stdout);
	}
	free(text);
	return EXIT_DONE;
}

/* NB. the time is no news: it is set behind the comparison. */
static int
print_json(const struct status *st, const struct survey *s, int64_t now)
{
	json_t *o = show_json(s);
	char *text = o == NULL ? NULL : strictjson_dump(o);
	int code = EXIT_DONE;

	if (text == NULL) {
		json_decref(o);
		return out_refusal(APP_PROG, AAD_R_NO_MEMORY, NULL);
	}
	if (is_news(st->seen, text)) {
		json_object_set_new(o, "at", app_json_time(now));
		code = out_json(json_incref(o));
	}
	free(text);
	json_decref(o);
	return code;
}

/* ---- rounds -------------------------------------------------------- */

static int
one_round(void *arg)
{
	struct status *st = arg;
	struct survey s;
	int64_t now = clock_now();
	int code = EXIT_DONE;

	memset(&s, 0, sizeof(s));
	survey_sessions(st->app->conf, st->o->login, &s);
	if (!st->became)
		code = app_become(st->app);
	st->became = true;
	if (code == EXIT_DONE)
		code = survey_state(st->app, st->o->login, now, &s);
	if (code == EXIT_DONE)
		code = st->o->json ? print_json(st, &s, now)
				   : print_text(st, &s, now);
	if (code == EXIT_DONE && st->seen != NULL)
		st->seen->any = true;
	survey_release(&s);
	return code;
}

/* In a child where a round gives up what the next one needs. */
static int
one_more(struct status *st, bool in_child)
{
	int code;

	if (!in_child) {
		code = one_round(st);
		return fflush(stdout) == 0 ? code : EXIT_CANNOT;
	}
	switch (child_run(one_round, st, &code)) {
	case 0:
		return code;
	case AAD_ESYS:
		perror(APP_PROG);
		break;
	default:
		fprintf(stderr, "%s: a round was killed\n", APP_PROG);
	}
	return EXIT_CANNOT;
}

static int
watch(struct status *st)
{
	/* NB. with user = root nothing is given up, and it is warned once. */
	const volatile sig_atomic_t *stop;
	bool in_child = geteuid() == 0 &&
			strcmp(st->app->conf->user, "root") != 0;
	int code;

	st->seen = mmap(NULL, sizeof(*st->seen), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (st->seen == MAP_FAILED)
		return out_refusal(APP_PROG, AAD_R_NO_MEMORY, NULL);
	stop = stop_catch(0, SA_RESTART); /* a round under way is finished */
	while ((code = one_more(st, in_child)) == EXIT_DONE && *stop == 0)
		clock_sleep_ms(st->o->watch * 1000, stop);
	munmap(st->seen, sizeof(*st->seen));
	return *stop != 0 ? EXIT_DONE : code;
}

int
verb_status(void *arg, int argc, char **argv)
{
	struct options o;
	struct status st = { .app = arg, .o = &o };
	int code;

	if (parse(argc, argv, &o) != 0)
		return app_usage(st.app, argv[0]);
	if (o.login != NULL && !name_login_ok(o.login))
		return out_refusal(APP_PROG, AAD_R_BAD_LOGIN, NULL);
	if ((code = app_load(st.app)) != EXIT_DONE)
		return code;
	return o.watch > 0 ? watch(&st) : one_round(&st);
}
