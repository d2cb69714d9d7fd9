/* SPDX-License-Identifier: ISC */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "core/strictjson.h"
#include "core/text.h"
#include "host/denial.h"

#define MODE_FILE 0640

const char *
denial_kind_name(enum denial_kind kind)
{
	switch (kind) {
	case DENIAL_LOGIN:
		return "login";
	case DENIAL_KEY:
		return "key";
	case DENIAL_OID:
		break;
	}
	return "oid";
}

static bool
name_ok(enum denial_kind kind, const char *name)
{
	switch (kind) {
	case DENIAL_LOGIN:
		return name_login_ok(name);
	case DENIAL_KEY:
		return name_hex64_ok(name);
	case DENIAL_OID:
		break;
	}
	return name_guid_ok(name);
}

/* Open denials/KIND; every failure is one error, never "not there". */
static int
kind_dir(const struct cache *c, enum denial_kind kind, int *fdp)
{
	static const char *const dirs[] = { "denials/login", "denials/key",
		"denials/oid" };
	int r = file_dir_open(c->dir, dirs[kind], c->right, fdp);

	return r == AAD_ENOENT ? AAD_ESYS : r;
}

/* Fill d from the file's text; false when it does not parse. */
static bool
parse(const char *text, size_t len, struct denial *d)
{
	char first[24];
	const char *line = memchr(text, '\n', len), *origin;
	uint64_t until;
	json_t *o;
	bool ok = false;

	if (line == NULL || (size_t)(line - text) >= sizeof(first))
		return false;
	memcpy(first, text, (size_t)(line - text));
	first[line - text] = '\0';
	if (!text_number(first, INT64_MAX, &until))
		return false;
	line++;
	if (strictjson_load(line, len - (size_t)(line - text), &o) != 0)
		return false;
	origin = json_string_value(json_object_get(o, "origin"));
	if (json_integer_value(json_object_get(o, "v")) == 1 &&
	    json_is_integer(json_object_get(o, "at")) && origin != NULL &&
	    (strcmp(origin, "admin") == 0 || strcmp(origin, "idp") == 0)) {
		d->until = (int64_t)until;
		snprintf(d->origin, sizeof(d->origin), "%s", origin);
		d->at = (int64_t)json_integer_value(json_object_get(o, "at"));
		ok = true;
	}
	json_decref(o);
	return ok;
}

enum denial_answer
denial_check(const struct cache *c, enum denial_kind kind, const char *name,
    int64_t now, struct denial *d)
{
	struct denial found = { 0, "?", 0 };
	char *text = NULL;
	size_t len = 0;
	int fd, r;

	if (!name_ok(kind, name) || kind_dir(c, kind, &fd) != 0)
		return DENIAL_CANNOT_TELL;
	r = file_read(fd, name, c->right, DENIAL_MAX, &text, &len);
	close(fd);
	if (r == AAD_ENOENT)
		return DENIAL_NONE;
	if (r == 0 && parse(text, len, &found) && found.until != 0 &&
	    now >= found.until) {
		free(text);
		return DENIAL_NONE;
	}
	free(text);
	if (d != NULL)
		*d = found;
	return DENIAL_IN_FORCE;
}

static void
note(const struct denial_ask *ask, enum denial_kind kind, const char *name,
    enum reason why, const struct denial *found)
{
	char until[TEXT_TIME_LEN + 1] = "";

	if (ask->trace == NULL)
		return;
	if (found->until != 0)
		text_time_format(found->until, until);
	trace_note(ask->trace, ask->step, false, "%s: denials/%s/%s%s%s (%s)",
	    reason_name(why), denial_kind_name(kind), name,
	    until[0] != '\0' ? " until " : "", until, found->origin);
}

enum reason
denial_judge(const struct denial_ask *ask, enum denial_kind kind,
    const char *name, enum reason in_force)
{
	struct denial found;

	switch (denial_check(ask->cache, kind, name, ask->now, &found)) {
	case DENIAL_NONE:
		return AAD_R_ALLOWED;
	case DENIAL_IN_FORCE:
		note(ask, kind, name, in_force, &found);
		return in_force;
	case DENIAL_CANNOT_TELL:
		break;
	}
	return trace_refuse(ask->trace, ask->step, AAD_R_DENIALS_UNREADABLE);
}

int
denial_set(const struct cache *c, enum denial_kind kind, const char *name,
    const struct denial *d)
{
	char text[160];
	int fd, n, r;

	if (!name_ok(kind, name) || d->until < 0)
		return AAD_EARG;
	n = snprintf(text, sizeof(text),
	    "%" PRId64 "\n{\"v\":1,\"origin\":\"%s\",\"at\":%" PRId64 "}\n",
	    d->until, d->origin, d->at);
	if (n < 0 || (size_t)n >= sizeof(text))
		return AAD_EARG;
	if ((r = kind_dir(c, kind, &fd)) != 0)
		return r;
	r = file_replace(fd, name, text, (size_t)n, MODE_FILE);
	close(fd);
	return r;
}

int
denial_lift(const struct cache *c, enum denial_kind kind, const char *name)
{
	int fd, r;

	if (!name_ok(kind, name))
		return AAD_EARG;
	if ((r = kind_dir(c, kind, &fd)) != 0)
		return r;
	r = file_remove(fd, name);
	close(fd);
	return r;
}
