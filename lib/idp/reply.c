/* SPDX-License-Identifier: ISC */

#include <string.h>

#include "core/text.h"
#include "idp/reply.h"

int
reply_load(const char *text, size_t len, json_t **outp)
{
	json_error_t err;
	json_t *o;

	*outp = NULL;
	memset(&err, 0, sizeof(err));
	o = json_loadb(text, len, JSON_REJECT_DUPLICATES, &err);
	if (o == NULL) {
		/* NB. jansson words no error when an allocation fails. */
		return err.text[0] == '\0' ||
			       json_error_code(&err) == json_error_out_of_memory
			   ? AAD_ENOMEM
			   : AAD_EFORMAT;
	}
	if (!json_is_object(o)) {
		json_decref(o);
		return AAD_EFORMAT;
	}
	*outp = o;
	return 0;
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
