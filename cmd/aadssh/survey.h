/* SPDX-License-Identifier: ISC */

/*
 * survey: what is on this host now: sign-ins with what the hook would say of
 * each, open sessions, people who are signing in, tenant keys, the last
 * refresh.  Plain data, for status to show.
 */

#ifndef AAD_SURVEY_H
#define AAD_SURVEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cmd/aadssh/app.h"
#include "core/name.h"
#include "core/reason.h"
#include "host/lastrun.h"
#include "host/session.h"
#include "host/waiting.h"

/* One record, and the hook's decision about its key. */
struct survey_sign_in {
	char login[NAME_LOGIN_MAX + 1];
	char key[KEY_FP_LEN + 1];
	char upn[128]; /* clean for a terminal */
	char oid[NAME_GUID_LEN + 1];
	int64_t sign_in;
	int64_t until; /* 0 for a no */
	enum reason why;
	char ended[64]; /* why a record ended, a reason's name; "" */
};

struct survey {
	bool sessions_known; /* false: they can't be read by us */
	struct session *sessions; /* whose process runs */
	size_t nsessions;
	struct survey_sign_in *sign_ins;
	size_t nsign_ins;
	bool waiting_known; /* false: the slots can't be looked at by us */
	struct waiting *waiting;
	size_t nwaiting;
	int64_t keys_at; /* when the tenant keys were fetched, 0: none */
	enum reason keys_why; /* ALLOWED: they are good */
	int lastrun_r; /* of lastrun_load(): 0, AAD_ENOENT: never, … */
	struct lastrun lastrun;
};

/*
 * The open sessions, as whoever we are: root's files, so this comes before
 * app_become().  Files that can't be read are passed over; `aadssh reap`
 * tells of them.
 *
 * login: NULL for all.  *s: zeroed; survey_release() is right in any case.
 */
void survey_sessions(const struct conf *conf, const char *login,
    struct survey *s);

/*
 * Everything else, from the state directory, each list sorted.
 * Returns EXIT_DONE, or another code with the error printed.
 */
int survey_state(const struct app *app, const char *login, int64_t now,
    struct survey *s);

void survey_release(struct survey *s);

#endif /* AAD_SURVEY_H */
