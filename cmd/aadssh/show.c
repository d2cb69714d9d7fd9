/* SPDX-License-Identifier: ISC */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "cmd/aadssh/show.h"
#include "core/text.h"

/* ---- for people ---------------------------------------------------- */

static void
text_sign_in(FILE *f, const struct survey_sign_in *s)
{
	char since[TEXT_TIME_LEN + 1], until[TEXT_TIME_LEN + 1];

	text_time_format(s->sign_in, since);
	text_time_format(s->until, until);
	fprintf(f, "%s  %s  %s  ", s->login, s->key, s->upn);
	if (s->why == AAD_R_ALLOWED)
		fprintf(f, "since %s  until %s\n", since, until);
	else if (s->ended[0] != '\0')
		fprintf(f, "ended: %s\n", s->ended);
	else
		fprintf(f, "no: %s\n", reason_name(s->why));
}

static void
text_session(FILE *f, const struct session *s)
{
	char since[TEXT_TIME_LEN + 1];

	text_time_format(s->opened, since);
	fprintf(f, "session  %s  %s  %s  from %s  since %s  pid %" PRId64 "\n",
	    s->login, s->key[0] != '\0' ? s->key : s->method,
	    s->upn[0] != '\0' ? s->upn : "-",
	    s->source[0] != '\0' ? s->source : "-", since, s->pid);
}

static void
text_waiting(FILE *f, const struct waiting *w)
{
	char since[TEXT_TIME_LEN + 1];

	text_time_format(w->since, since);
	fprintf(f, "signing in  %s  from %s  since %s\n", w->login,
	    w->source[0] != '\0' ? w->source : "-", since);
}

/* Counts that are zero are nobody's news. */
static void
text_lastrun(FILE *f, const struct survey *s)
{
	const struct lastrun *run = &s->lastrun;
	char when[TEXT_TIME_LEN + 1];
	const char *name;
	int64_t value;
	size_t i;

	if (s->lastrun_r == AAD_ENOENT)
		return;
	if (s->lastrun_r != 0) {
		fprintf(f, "Last refresh: its report can't be read.\n");
		return;
	}
	text_time_format(run->at, when);
	fprintf(f, "Last refresh at %s: %s", when,
	    lastrun_result_name(run->result));
	for (i = 0; (name = lastrun_count(&run->counts, i, &value)) != NULL;
	     i++)
		if (value != 0)
			fprintf(f, ", %" PRId64 " %s", value, name);
	fprintf(f, ".\n");
}

static void
text_all(FILE *f, const struct survey *s, const char *login)
{
	char when[TEXT_TIME_LEN + 1];
	size_t i;

	for (i = 0; i < s->nsign_ins; i++)
		text_sign_in(f, &s->sign_ins[i]);
	if (s->nsign_ins == 0)
		fprintf(f, "No sign-ins%s%s.\n", login != NULL ? " of " : "",
		    login != NULL ? login : "");
	for (i = 0; i < s->nsessions; i++)
		text_session(f, &s->sessions[i]);
	if (!s->sessions_known)
		fprintf(f, "Sessions: %s\n",
		    reason_sentence(AAD_R_SESSIONS_UNREADABLE));
	for (i = 0; i < s->nwaiting; i++)
		text_waiting(f, &s->waiting[i]);
	if (!s->waiting_known)
		fprintf(f, "Who is signing in can't be told here.\n");
	text_time_format(s->keys_at, when);
	if (s->keys_why == AAD_R_ALLOWED)
		fprintf(f, "Tenant keys fetched at %s.\n", when);
	else
		fprintf(f, "Tenant keys: %s\n", reason_sentence(s->keys_why));
	text_lastrun(f, s);
}

char *
show_text(const struct survey *s, const char *login)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (f == NULL)
		return NULL;
	text_all(f, s, login);
	/* NB. fclose(3) says whether everything found room. */
	if (fclose(f) == 0)
		return text;
	free(text);
	return NULL;
}

/* ---- for programs -------------------------------------------------- */

static json_t *
json_sign_in(const struct survey_sign_in *s)
{
	json_t *o = json_pack("{s:s s:s s:s s:s s:o s:o s:s}", "login",
	    s->login, "key", s->key, "upn", s->upn, "oid", s->oid, "sign_in",
	    app_json_time(s->sign_in), "until", app_json_time(s->until),
	    "reason", reason_name(s->why));

	if (o != NULL && s->ended[0] != '\0')
		json_object_set_new(o, "ended", json_string(s->ended));
	return o;
}

static json_t *
json_session(const struct session *s)
{
	json_t *o = json_pack("{s:s s:s s:s s:s s:s s:s s:o s:I}", "login",
	    s->login, "key", s->key, "upn", s->upn, "oid", s->oid, "source",
	    s->source, "method", s->method, "opened", app_json_time(s->opened),
	    "pid", (json_int_t)s->pid);
	char serial[24];

	/* NB. 64 bits: a string, since JSON readers round numbers. */
	if (o != NULL && s->has_serial) {
		snprintf(serial, sizeof(serial), "%" PRIu64, s->serial);
		json_object_set_new(o, "serial", json_string(serial));
	}
	return o;
}

static json_t *
json_waiting(const struct waiting *w)
{
	return json_pack("{s:s s:s s:o s:I}", "login", w->login, "source",
	    w->source, "since", app_json_time(w->since), "pid",
	    (json_int_t)w->pid);
}

static json_t *
json_sessions(const struct survey *s)
{
	json_t *list = s->sessions_known ? json_array() : json_null();
	size_t i;

	for (i = 0; i < s->nsessions && s->sessions_known; i++)
		json_array_append_new(list, json_session(&s->sessions[i]));
	return list;
}

static json_t *
json_all_waiting(const struct survey *s)
{
	json_t *list = s->waiting_known ? json_array() : json_null();
	size_t i;

	for (i = 0; i < s->nwaiting && s->waiting_known; i++)
		json_array_append_new(list, json_waiting(&s->waiting[i]));
	return list;
}

static json_t *
json_lastrun(const struct survey *s)
{
	const struct lastrun *run = &s->lastrun;
	const char *name;
	int64_t value;
	json_t *o;
	size_t i;

	if (s->lastrun_r != 0)
		return json_null();
	o = json_pack("{s:o s:s}", "at", app_json_time(run->at), "result",
	    lastrun_result_name(run->result));
	for (i = 0; o != NULL &&
		    (name = lastrun_count(&run->counts, i, &value)) != NULL;
	     i++)
		json_object_set_new(o, name, json_integer(value));
	return o;
}

json_t *
show_json(const struct survey *s)
{
	json_t *sign_ins = json_array();
	size_t i;

	for (i = 0; i < s->nsign_ins; i++)
		json_array_append_new(sign_ins, json_sign_in(&s->sign_ins[i]));
	return json_pack("{s:i s:o s:o s:o s:{s:o s:s} s:o}", "v", 1,
	    "sign_ins", sign_ins, "sessions", json_sessions(s), "signing_in",
	    json_all_waiting(s), "tenant_keys", "fetched_at",
	    app_json_time(s->keys_at), "reason", reason_name(s->keys_why),
	    "last_refresh", json_lastrun(s));
}
