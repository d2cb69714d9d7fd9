/* SPDX-License-Identifier: ISC */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/rows.h"
#include "core/text.h"

static enum reason
on_reply(void *arg, const struct request *reply)
{
	struct rows *r = arg;
	enum reason why;
	json_t *o;

	if (reply->op != REQUEST_ROW)
		return AAD_R_SIGNER_REPLY;
	if ((why = door_json(reply, &o)) != AAD_R_ALLOWED)
		return why;
	r->n++;
	if (r->json)
		return out_json(o) == EXIT_DONE ? AAD_R_ALLOWED : AAD_R_DISK;
	if (r->print != NULL)
		r->print(r->arg, o);
	json_decref(o);
	return AAD_R_ALLOWED;
}

enum reason
rows_ask(struct rows *r, struct wirebuf *rq, json_t **endp)
{
	json_t *end = NULL;
	enum reason why;

	r->n = 0;
	why = door_ask_more(r->app, rq, r->more, DOOR_LONG_MS, r->stop,
	    on_reply, r, &end);
	wirebuf_release(rq);
	if (end != NULL && r->json) {
		json_object_set_new(end, "v", json_integer(1));
		if (out_json(json_incref(end)) != EXIT_DONE &&
		    why == AAD_R_ALLOWED)
			why = AAD_R_DISK;
	}
	if (endp != NULL)
		*endp = end;
	else
		json_decref(end);
	return why;
}

/* A value that is no container, as text, behind what out has. */
static void
add_value(const json_t *v, char *out, size_t len)
{
	const char *s;

	if ((s = json_string_value(v)) != NULL)
		text_clean(s, json_string_length(v), out, len);
	else if (json_is_integer(v))
		snprintf(out, len, "%" JSON_INTEGER_FORMAT,
		    json_integer_value(v));
	else if (json_is_boolean(v))
		snprintf(out, len, "%s", json_is_true(v) ? "yes" : "no");
}

static const char *
value_text(const json_t *v, char out[static ROWS_TEXT_MAX])
{
	size_t i, at = 0;

	out[0] = '\0';
	if (!json_is_array(v)) {
		add_value(v, out, ROWS_TEXT_MAX);
		return out;
	}
	for (i = 0; i < json_array_size(v) && at + 4 < ROWS_TEXT_MAX; i++) {
		if (i > 0) {
			memcpy(out + at, ", ", 3);
			at += 2;
		}
		add_value(json_array_get(v, i), out + at, ROWS_TEXT_MAX - at);
		at += strlen(out + at);
	}
	return out;
}

const char *
rows_text(const json_t *o, const char *name, char out[static ROWS_TEXT_MAX])
{
	return value_text(json_object_get(o, name), out);
}

void
rows_object(FILE *f, const json_t *o, const char *indent)
{
	char text[ROWS_TEXT_MAX], clean[64];
	const char *name;
	json_t *v, *all = json_deep_copy(o);

	json_object_foreach(all, name, v)
	{
		if (strcmp(name, "v") == 0 || json_is_object(v))
			continue;
		value_text(v, text);
		if (text[0] == '\0')
			continue;
		text_clean(name, strlen(name), clean, sizeof(clean));
		fprintf(f, "%s%s: %s\n", indent, clean, text);
	}
	json_decref(all);
}

void
rows_csv(const char *s, char *out)
{
	bool formula = *s != '\0' && strchr("=+-@\t\r", *s) != NULL;
	bool quote = formula || strpbrk(s, ",\"\r\n") != NULL || *s == ' ' ||
		     (*s != '\0' && s[strlen(s) - 1] == ' ');

	if (quote)
		*out++ = '"';
	if (formula)
		*out++ = '\'';
	for (; *s != '\0'; s++) {
		if (*s == '"')
			*out++ = '"';
		*out++ = *s;
	}
	if (quote)
		*out++ = '"';
	*out = '\0';
}
