/* SPDX-License-Identifier: ISC */

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/aadssh/sessions.h"
#include "cmd/aadssh/survey.h"
#include "core/b64.h"
#include "core/text.h"
#include "host/decision.h"
#include "host/hostid.h"

/* What the walks carry with them. */
struct walk {
	const struct app *app;
	const char *login; /* NULL: all */
	struct survey *out;
	int dir; /* RUN/sessions */
	struct cache cache;
	int64_t now;
	uint8_t host[HOSTID_LEN];
	struct record_pub pub;
	bool fresh; /* nobody ever signed in: there is no record key */
};

static bool
wanted(const struct walk *w, const char *login)
{
	return w->login == NULL || strcmp(w->login, login) == 0;
}

/* ---- sessions ------------------------------------------------------ */

static int
each_session(void *arg, const char *name)
{
	struct walk *w = arg;
	struct survey *out = w->out;
	struct session s, *more;
	int r;

	if (sessions_look(w->dir, name, geteuid(), &s, &r) != SESSIONS_LIVE ||
	    !wanted(w, s.login))
		return 0;
	more = realloc(out->sessions, (out->nsessions + 1) * sizeof(*more));
	if (more == NULL)
		return AAD_ENOMEM;
	more[out->nsessions++] = s;
	out->sessions = more;
	return 0;
}

static int
by_opening(const void *a, const void *b)
{
	const struct session *one = a, *two = b;

	if (one->opened != two->opened)
		return one->opened < two->opened ? -1 : 1;
	return one->pid < two->pid ? -1 : one->pid > two->pid;
}

void
survey_sessions(const struct conf *conf, const char *login, struct survey *s)
{
	struct walk w = { .login = login, .out = s, .dir = -1 };
	int r = session_dir_open(conf->run, geteuid(), &w.dir);

	/* NB. before the first session there is no directory. */
	s->sessions_known = r == AAD_ENOENT;
	if (r == 0) {
		s->sessions_known = session_each(w.dir, each_session, &w) == 0;
		close(w.dir);
	}
	if (s->nsessions > 0)
		qsort(s->sessions, s->nsessions, sizeof(*s->sessions),
		    by_opening);
}

/* ---- sign-ins ------------------------------------------------------ */

/* What the hook would say of this record's key now. */
static enum reason
ask(const struct walk *w, const struct record *rec, int64_t *untilp)
{
	struct decision_ask a = { .conf = w->app->conf,
		.rules = w->app->rules,
		.machine_id = APP_MACHINE_ID,
		.login = rec->login,
		.uid = POLICY_UID_UNJUDGED,
		.now = w->now,
		.oracle = verify_nettle };
	const struct passwd *pw = getpwnam(rec->login);
	struct decision d;
	struct key key;
	char *base64 = NULL;
	enum reason why = AAD_R_NO_MEMORY;

	memset(&d, 0, sizeof(d));
	memset(&key, 0, sizeof(key));
	if (pw != NULL)
		a.uid = (int64_t)pw->pw_uid;
	if (key_from_blob(rec->blob, rec->blob_len, &key, &why) == 0 &&
	    b64_encode(B64_STD, key.blob, key.blob_len, &base64) == 0) {
		a.key_type = key_type_name(&key);
		a.key_base64 = base64;
		why = decide(&a, &d);
	}
	*untilp = d.until;
	decision_release(&d);
	free(base64);
	key_release(&key);
	return why;
}

/*
 * Load a record.  A signature that is nobody's may be a rekey's that came
 * after we read the keys, so those are read again once.
 */
static int
load(struct walk *w, const char *login, const uint8_t key_hash[static 32],
    struct record **outp, enum reason *whyp)
{
	enum reason why;
	int r = cache_record_load(&w->cache, login, key_hash, w->host, &w->pub,
	    outp, whyp);

	if (r != AAD_EREFUSED || *whyp != AAD_R_RECORD_SIGNATURE ||
	    cache_record_pub(&w->cache, &w->pub, &why) != 0)
		return r;
	return cache_record_load(&w->cache, login, key_hash, w->host, &w->pub,
	    outp, whyp);
}

static void
clean(const char *text, char *out, size_t outlen)
{
	if (text != NULL)
		text_clean(text, strlen(text), out, outlen);
}

static int
each_record(void *arg, const char *login, const uint8_t key_hash[static 32])
{
	struct walk *w = arg;
	struct survey *out = w->out;
	struct survey_sign_in *more, *s;
	struct record *rec = NULL;

	more = realloc(out->sign_ins, (out->nsign_ins + 1) * sizeof(*more));
	if (more == NULL)
		return AAD_ENOMEM;
	out->sign_ins = more;
	s = &more[out->nsign_ins++];
	memset(s, 0, sizeof(*s));
	snprintf(s->login, sizeof(s->login), "%s", login);
	key_fingerprint_of(key_hash, s->key);
	if (load(w, login, key_hash, &rec, &s->why) != 0)
		return 0;
	memcpy(s->oid, rec->oid, sizeof(s->oid));
	s->sign_in = rec->sign_in;
	clean(rec->upn, s->upn, sizeof(s->upn));
	clean(rec->ended_reason, s->ended, sizeof(s->ended));
	s->why = rec->state == RECORD_ENDED ? record_ended_why(rec)
					    : ask(w, rec, &s->until);
	record_free(rec);
	return 0;
}

static int
by_login(const void *a, const void *b)
{
	const struct survey_sign_in *one = a, *two = b;
	int order = strcmp(one->login, two->login);

	return order != 0 ? order : strcmp(one->key, two->key);
}

/* ---- who is signing in --------------------------------------------- */

static int
each_waiting(void *arg, const struct waiting *who)
{
	struct walk *w = arg;
	struct survey *out = w->out;
	struct waiting *more;

	if (!wanted(w, who->login))
		return 0;
	more = realloc(out->waiting, (out->nwaiting + 1) * sizeof(*more));
	if (more == NULL)
		return AAD_ENOMEM;
	more[out->nwaiting++] = *who;
	out->waiting = more;
	return 0;
}

static int
by_waiting(const void *a, const void *b)
{
	const struct waiting *one = a, *two = b;

	if (one->since != two->since)
		return one->since < two->since ? -1 : 1;
	return one->pid < two->pid ? -1 : one->pid > two->pid;
}

/* ---- the state directory ------------------------------------------- */

static int
open_state(struct walk *w)
{
	enum reason why = AAD_R_UNSET;
	int r;

	if ((r = cache_open(w->app->conf->dir, &w->cache, &why)) != 0)
		return app_state_error(w->app, r, why);
	if (hostid_read(APP_MACHINE_ID, w->host) != 0)
		return out_refusal(APP_PROG, AAD_R_NO_MACHINE_ID, NULL);
	r = cache_record_pub(&w->cache, &w->pub, &why);
	/* NB. before the first sign-in there is no key, and no record. */
	w->fresh = r == AAD_ENOENT;
	if (r != 0 && !w->fresh)
		return app_state_error(w->app, r, why);
	return EXIT_DONE;
}

/* When the tenant keys were fetched, and whether they are good. */
static void
look_at_keys(const struct walk *w)
{
	struct survey *out = w->out;
	struct jwks *keys = NULL;

	if (cache_tenant_keys_load(&w->cache, NULL, &keys, &out->keys_why) != 0)
		return;
	out->keys_at = keys->fetched_at;
	out->keys_why = w->now - out->keys_at > w->app->conf->keys_max_age
			    ? AAD_R_TENANT_KEYS_STALE
			    : AAD_R_ALLOWED;
	jwks_free(keys);
}

static int
walk_state(struct walk *w)
{
	struct survey *out = w->out;
	int r = cache_record_each(&w->cache, w->login, each_record, w);

	if (r != 0 && w->fresh && errno == ENOENT)
		r = 0; /* the folder is made when it is needed */
	if (r != 0)
		return app_state_error(w->app, r, AAD_R_STATE_UNREADABLE);
	/* NB. the locks are their owner's alone, and a disk that can't be
	 * written has none; who else may read the state is told the rest. */
	r = waiting_each(&w->cache, each_waiting, w);
	if (r == AAD_ENOMEM)
		return app_state_error(w->app, r, AAD_R_NO_MEMORY);
	out->waiting_known = r == 0 || r == AAD_ENOENT ||
			     (r == AAD_ESYS && errno == ENOENT);
	if (out->nsign_ins > 0)
		qsort(out->sign_ins, out->nsign_ins, sizeof(*out->sign_ins),
		    by_login);
	if (out->nwaiting > 0)
		qsort(out->waiting, out->nwaiting, sizeof(*out->waiting),
		    by_waiting);
	look_at_keys(w);
	out->lastrun_r = lastrun_load(&w->cache, &out->lastrun);
	return EXIT_DONE;
}

int
survey_state(const struct app *app, const char *login, int64_t now,
    struct survey *s)
{
	struct walk w = { .app = app,
		.login = login,
		.out = s,
		.cache = { .dir = -1 },
		.now = now };
	int code;

	if ((code = open_state(&w)) == EXIT_DONE)
		code = walk_state(&w);
	cache_close(&w.cache);
	return code;
}

void
survey_release(struct survey *s)
{
	free(s->sessions);
	free(s->sign_ins);
	free(s->waiting);
	memset(s, 0, sizeof(*s));
}
