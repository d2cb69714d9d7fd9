/* SPDX-License-Identifier: ISC */

#include "core/strictjson.h"
#include "core/text.h"
#include "idp/reply.h"

int
reply_load(const char *text, size_t len, json_t **outp)
{
	int r;

	if ((r = strictjson_load(text, len, outp)) != 0)
		return r;
	if (json_is_object(*outp))
		return 0;
	json_decref(*outp);
	*outp = NULL;
	return AAD_EFORMAT;
}

int
reply_number(const json_t *o, const char *name, int64_t min, int64_t max,
    int64_t *np)
{
	const json_t *v = json_object_get(o, name);
	uint64_t u;
	int64_t n;

	if (v == NULL)
		return AAD_ENOENT;
	if (json_is_integer(v)) {
		n = (int64_t)json_integer_value(v);
	} else if (json_is_string(v) &&
		   text_number(json_string_value(v), INT64_MAX, &u)) {
		n = (int64_t)u;
	} else {
		return AAD_EFORMAT;
	}
	if (n < min || n > max)
		return AAD_EFORMAT;
	*np = n;
	return 0;
}
