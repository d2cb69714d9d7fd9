/* SPDX-License-Identifier: ISC */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "core/strictjson.h"
#include "host/lastrun.h"

#define MODE_FILE 0640

static const char file_name[] = "refresh.json";

static const char *const results[] = {
	[LASTRUN_FAILED] = "failed",
	[LASTRUN_OK] = "ok",
	[LASTRUN_OUTAGE] = "outage",
	[LASTRUN_TOO_MANY_GONE] = "too_many_gone",
};

#define COUNT_OF(name)                                                         \
	{                                                                      \
#name, offsetof(struct lastrun_counts, name)                   \
	}
static const struct {
	const char *name;
	size_t at;
} fields[] = {
	COUNT_OF(checked),
	COUNT_OF(renewed),
	COUNT_OF(again),
	COUNT_OF(gone),
	COUNT_OF(evicted),
	COUNT_OF(policy),
	COUNT_OF(unreachable),
	COUNT_OF(failed),
	COUNT_OF(ended),
	COUNT_OF(swept),
};

#define RESULTS (sizeof(results) / sizeof(results[0]))
#define FIELDS	(sizeof(fields) / sizeof(fields[0]))

const char *
lastrun_result_name(enum lastrun_result result)
{
	return (size_t)result < RESULTS ? results[result] : results[0];
}

const char *
lastrun_count(const struct lastrun_counts *counts, size_t i, int64_t *valuep)
{
	if (i >= FIELDS)
		return NULL;
	memcpy(valuep, (const char *)counts + fields[i].at, sizeof(*valuep));
	return fields[i].name;
}

/* A whole number that is not negative. */
static int
take_number(const json_t *o, const char *name, void *out)
{
	const json_t *v = json_object_get(o, name);
	int64_t n = (int64_t)json_integer_value(v);

	if (!json_is_integer(v) || n < 0)
		return AAD_EFORMAT;
	memcpy(out, &n, sizeof(n));
	return 0;
}

static int
take_result(const json_t *o, enum lastrun_result *outp)
{
	const char *s = json_string_value(json_object_get(o, "result"));
	size_t i;

	for (i = 0; s != NULL && i < RESULTS; i++)
		if (strcmp(s, results[i]) == 0) {
			*outp = (enum lastrun_result)i;
			return 0;
		}
	return AAD_EFORMAT;
}

static int
read_object(const json_t *o, struct lastrun *run)
{
	size_t i;
	int64_t v;
	int r;

	if (take_number(o, "v", &v) != 0)
		return AAD_EFORMAT;
	if (v != 1)
		return AAD_EVERSION;
	if (json_object_size(o) != FIELDS + 3)
		return AAD_EFORMAT;
	if ((r = take_number(o, "at", &run->at)) != 0 ||
	    (r = take_result(o, &run->result)) != 0)
		return r;
	for (i = 0; i < FIELDS && r == 0; i++)
		r = take_number(o, fields[i].name,
		    (char *)&run->counts + fields[i].at);
	return r;
}

int
lastrun_parse(const char *text, size_t len, struct lastrun *run)
{
	json_t *o;
	int r;

	memset(run, 0, sizeof(*run));
	if ((r = strictjson_load(text, len, &o)) != 0)
		return r;
	if ((r = read_object(o, run)) != 0)
		memset(run, 0, sizeof(*run));
	json_decref(o);
	return r;
}

int
lastrun_load(const struct cache *c, struct lastrun *run)
{
	char *text = NULL;
	size_t len = 0;
	int r;

	memset(run, 0, sizeof(*run));
	r = file_read(c->dir, file_name, c->right, LASTRUN_MAX, &text, &len);
	if (r == 0)
		r = lastrun_parse(text, len, run);
	free(text);
	return r;
}

int
lastrun_store(const struct cache *c, const struct lastrun *run)
{
	char text[1024];
	const char *name;
	int64_t v;
	size_t i, n;
	int k;

	if (run->at < 0 || (size_t)run->result >= RESULTS)
		return AAD_EARG;
	n = (size_t)snprintf(text, sizeof(text),
	    "{\"v\":1,\"at\":%" PRId64 ",\"result\":\"%s\"", run->at,
	    results[run->result]);
	for (i = 0; (name = lastrun_count(&run->counts, i, &v)) != NULL; i++) {
		if (v < 0)
			return AAD_EARG;
		k = snprintf(text + n, sizeof(text) - n, ",\"%s\":%" PRId64,
		    name, v);
		if (k < 0 || (size_t)k + 3 > sizeof(text) - n)
			return AAD_ETOOBIG;
		n += (size_t)k;
	}
	memcpy(text + n, "}\n", 3);
	return file_replace(c->dir, file_name, text, n + 2, MODE_FILE);
}
