/* SPDX-License-Identifier: ISC */

/*
 * aadssh reap: end the sessions of who was denied.
 *
 * Root stays root here, so what it believes matters.  Pids, start times and
 * programs come from RUN/sessions only, which nobody but root can write (in
 * a scratch installation: nobody but the running user).  From the state
 * directory, user aadssh's, it reads whether a name is denied, by the
 * functions that the hook uses, and nothing else.  It writes no file, removes
 * session files only, and uses no network.
 */

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "cmd/aadssh/app.h"
#include "cmd/aadssh/ending.h"
#include "cmd/aadssh/sessions.h"
#include "cmd/aadssh/verbs.h"
#include "cmd/cli/clock.h"
#include "cmd/cli/log.h"
#include "core/text.h"
#include "host/denial.h"

struct options {
	int dry_run;
	int json;
};

struct name {
	char *text; /* heap */
	bool auth; /* of session_auth_each() */
};

struct reap {
	const struct app *app;
	const struct options *o;
	struct cache cache; /* dir -1: denials can't be told */
	int dir; /* RUN/sessions */
	int64_t now;
	struct name *names; /* all, before anything is removed */
	size_t nnames;
	struct ending batch[ENDING_MAX]; /* the denied, not yet dealt with */
	size_t nbatch;
	json_t *list; /* with --json */
	int sessions; /* whose process runs */
	int ended;
	int spared;
	int stale; /* files removed, or to remove */
	int unclear; /* could not be told or done */
};

static int
parse(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
		{ "dry-run", no_argument, NULL, 'n' },
		{ "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	memset(o, 0, sizeof(*o));
	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (c == 'n')
			o->dry_run = 1;
		else if (c == 'j')
			o->json = 1;
		else
			return -1;
	}
	return argc == optind ? 0 : -1;
}

/* ---- what is told of each session ---------------------------------- */

/* result: a word, of ending_word() or "cannot_tell". */
static void
tell(struct reap *rp, const struct session *s, enum reason why,
    const char *result)
{
	char pid[24];
	const struct log_field fields[] = {
		{ "result", result },
		{ "reason", reason_name(why) },
		{ "login", s->login },
		{ "oid", s->oid },
		{ "key", s->key },
		{ "pid", pid },
	};

	snprintf(pid, sizeof(pid), "%" PRId64, s->pid);
	if (!rp->o->dry_run)
		log_event(reason_class(why) == REASON_CANNOT ? LOG_ERR
							     : LOG_NOTICE,
		    "reap", fields, sizeof(fields) / sizeof(fields[0]));
	if (rp->list != NULL)
		json_array_append_new(rp->list,
		    json_pack("{s:s s:s s:s s:s s:s s:I}", "result", result,
			"reason", reason_name(why), "login", s->login, "oid",
			s->oid, "key", s->key, "pid", (json_int_t)s->pid));
	else
		printf("%s  pid %s  %s  %s\n",
		    s->login[0] != '\0' ? s->login : "?", pid, reason_name(why),
		    result);
}

static void
unclear(struct reap *rp, const struct session *s, enum reason why)
{
	rp->unclear++;
	tell(rp, s, why, "cannot_tell");
}

/* ---- files of sessions that have ended ----------------------------- */

/* NB. judged again: sshd may have written a new one of this name. */
static void
remove_stale(struct reap *rp, const char *name)
{
	struct session s;
	int r;

	if (rp->o->dry_run ||
	    sessions_look(rp->dir, name, geteuid(), &s, &r) != SESSIONS_GONE)
		return;
	r = file_remove(rp->dir, name);
	if (r != 0 && r != AAD_ENOENT)
		unclear(rp, &s, AAD_R_DISK);
}

/* ---- who is denied ------------------------------------------------- */

/*
 * Is there a denial, and can it be read?  At the door a denial that does not
 * parse is in force; here that would end everybody's work when a disk fails.
 */
static enum denial_answer
look_up(const struct reap *rp, enum denial_kind kind, const char *name)
{
	struct denial d;
	enum denial_answer a;

	if (rp->cache.dir == -1)
		return DENIAL_CANNOT_TELL;
	a = denial_check(&rp->cache, kind, name, rp->now, &d);
	if (a == DENIAL_IN_FORCE && strcmp(d.origin, "?") == 0)
		return DENIAL_CANNOT_TELL;
	return a;
}

/* Login, key, identity: the first denial wins over what can't be told. */
static enum reason
judge(const struct reap *rp, const struct session *s)
{
	static const enum reason why[] = { AAD_R_LOGIN_DENIED, AAD_R_KEY_DENIED,
		AAD_R_IDENTITY_DENIED };
	enum denial_answer a[3] = { DENIAL_NONE, DENIAL_NONE, DENIAL_NONE };
	char hex[NAME_HEX64_LEN + 1];
	uint8_t hash[32];
	size_t i;

	a[0] = look_up(rp, DENIAL_LOGIN, s->login);
	if (s->key[0] != '\0') {
		a[1] = DENIAL_CANNOT_TELL;
		if (key_fingerprint_parse(s->key, hash) == 0) {
			name_hex64(hash, hex);
			a[1] = look_up(rp, DENIAL_KEY, hex);
		}
	}
	if (s->oid[0] != '\0')
		a[2] = look_up(rp, DENIAL_OID, s->oid);
	for (i = 0; i < 3; i++)
		if (a[i] == DENIAL_IN_FORCE)
			return why[i];
	for (i = 0; i < 3; i++)
		if (a[i] != DENIAL_NONE)
			return AAD_R_DENIALS_UNREADABLE;
	return AAD_R_ALLOWED;
}

/* ---- the end of the denied ----------------------------------------- */

static void
settle(struct reap *rp, const struct ending *e)
{
	char name[32];

	snprintf(name, sizeof(name), "%" PRId64, e->session.pid);
	switch (e->result) {
	case ENDING_ENDED:
	case ENDING_KILLED:
		rp->ended++;
		remove_stale(rp, name);
		break;
	case ENDING_VANISHED:
		rp->stale++;
		remove_stale(rp, name);
		break;
	case ENDING_SPARED:
		rp->spared++;
		break;
	case ENDING_OTHER:
	case ENDING_FAILED:
		rp->unclear++;
	}
}

static void
finish_batch(struct reap *rp)
{
	bool spare = rp->o->dry_run ||
		     rp->app->conf->on_denial != CONF_DENIAL_TERMINATE;
	struct ending *e;
	size_t i;

	if (!spare)
		ending_all(rp->batch, rp->nbatch);
	for (i = 0; i < rp->nbatch; i++) {
		e = &rp->batch[i];
		if (spare)
			e->result = ENDING_SPARED;
		tell(rp, &e->session, e->why, ending_word(e->result));
		settle(rp, e);
	}
	rp->nbatch = 0;
}

static void
consider(struct reap *rp, const struct session *s)
{
	enum reason why = judge(rp, s);

	rp->sessions++;
	if (why == AAD_R_ALLOWED)
		return;
	if (reason_class(why) == REASON_CANNOT) {
		unclear(rp, s, why);
		return;
	}
	rp->batch[rp->nbatch].session = *s;
	rp->batch[rp->nbatch].why = why;
	if (++rp->nbatch == ENDING_MAX)
		finish_batch(rp);
}

/* A file of a session, or with auth of one that has yet to open. */
static void
look(struct reap *rp, const char *name, bool auth)
{
	struct session s;
	int r;

	switch (sessions_look(rp->dir, name, geteuid(), &s, &r)) {
	case SESSIONS_LIVE:
		if (!auth)
			consider(rp, &s);
		break;
	case SESSIONS_GONE:
		rp->stale++;
		remove_stale(rp, name);
		break;
	case SESSIONS_CANNOT_TELL:
		unclear(rp, &s, AAD_R_SESSIONS_UNREADABLE);
		break;
	case SESSIONS_NONE:
		break;
	}
}

/* ---- the verb ------------------------------------------------------ */

static int
remember(struct reap *rp, const char *text, bool auth)
{
	struct name *more = realloc(rp->names,
	    (rp->nnames + 1) * sizeof(*more));

	if (more == NULL)
		return AAD_ENOMEM;
	rp->names = more;
	more[rp->nnames].auth = auth;
	if ((more[rp->nnames].text = strdup(text)) == NULL)
		return AAD_ENOMEM;
	rp->nnames++;
	return 0;
}

static int
each_session(void *arg, const char *name)
{
	return remember(arg, name, false);
}

static int
each_auth(void *arg, const char *name)
{
	return remember(arg, name, true);
}

/* RUN/sessions, and the names in it; a missing one has none. */
static int
open_sessions(struct reap *rp)
{
	char path[320];
	int r = session_dir_open(rp->app->conf->run, geteuid(), &rp->dir);

	if (r == AAD_ENOENT)
		return EXIT_DONE;
	if (r == 0 && (r = session_each(rp->dir, each_session, rp)) == 0)
		r = session_auth_each(rp->dir, each_auth, rp);
	if (r == 0)
		return EXIT_DONE;
	snprintf(path, sizeof(path), "%.300s/sessions", rp->app->conf->run);
	return out_refusal(APP_PROG,
	    r == AAD_ENOMEM ? AAD_R_NO_MEMORY : AAD_R_SESSIONS_UNREADABLE,
	    path);
}

static int
finish(struct reap *rp)
{
	int code = rp->unclear > 0 ? EXIT_CANNOT : EXIT_DONE;

	if (rp->list != NULL) {
		json_t *o = json_pack("{s:i s:O s:i s:i s:i s:i s:i}", "v", 1,
		    "denied", rp->list, "sessions", rp->sessions, "ended",
		    rp->ended, "would_end", rp->spared, "stale", rp->stale,
		    "cannot_tell", rp->unclear);
		return out_json(o) == EXIT_DONE ? code : EXIT_CANNOT;
	}
	printf("%d open, %d ended, %d to end, %d stale, %d unclear.\n",
	    rp->sessions, rp->ended, rp->spared, rp->stale, rp->unclear);
	return code;
}

static int
run(struct reap *rp)
{
	enum reason why;
	size_t i;
	int code;

	if ((code = open_sessions(rp)) != EXIT_DONE)
		return code;
	/* NB. where denials can't be read, what is stale goes all the same. */
	if (cache_open(rp->app->conf->dir, &rp->cache, &why) != 0)
		rp->cache.dir = -1;
	for (i = 0; i < rp->nnames; i++)
		look(rp, rp->names[i].text, rp->names[i].auth);
	finish_batch(rp);
	return finish(rp);
}

int
verb_reap(void *arg, int argc, char **argv)
{
	struct app *app = arg;
	struct options o;
	struct reap *rp;
	size_t i;
	int code;

	if (parse(argc, argv, &o) != 0)
		return app_usage(app, argv[0]);
	if ((code = app_load(app)) != EXIT_DONE)
		return code;
	if ((rp = calloc(1, sizeof(*rp))) == NULL)
		return out_refusal(APP_PROG, AAD_R_NO_MEMORY, NULL);
	rp->app = app;
	rp->o = &o;
	rp->cache.dir = rp->dir = -1;
	rp->now = clock_now();
	if (o.json)
		rp->list = json_array();
	code = run(rp);
	for (i = 0; i < rp->nnames; i++)
		free(rp->names[i].text);
	free(rp->names);
	json_decref(rp->list);
	cache_close(&rp->cache);
	if (rp->dir != -1)
		close(rp->dir);
	free(rp);
	return code;
}
