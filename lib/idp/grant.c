/* SPDX-License-Identifier: ISC */

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <jansson.h>

#include "idp/grant.h"
#include "idp/reply.h"

#define DEVICE_GRANT "urn:ietf:params:oauth:grant-type:device_code"

static void
form_add(const char *form[static GRANT_FORM_MAX], const char *name,
    const char *value)
{
	size_t n;

	if (value == NULL)
		return;
	for (n = 0; form[n] != NULL; n += 2)
		continue;
	form[n] = name;
	form[n + 1] = value;
	form[n + 2] = NULL;
}

void
grant_form_start(const char *form[static GRANT_FORM_MAX], const char *client_id,
    const char *scope, const char *claims)
{
	form[0] = NULL;
	form_add(form, "client_id", client_id);
	form_add(form, "scope", scope);
	form_add(form, "claims", claims);
}

void
grant_form_poll(const char *form[static GRANT_FORM_MAX], const char *client_id,
    const char *device_code)
{
	form[0] = NULL;
	form_add(form, "grant_type", DEVICE_GRANT);
	form_add(form, "client_id", client_id);
	form_add(form, "device_code", device_code);
}

void
grant_form_refresh(const char *form[static GRANT_FORM_MAX],
    const char *client_id, const char *refresh_token, const char *scope,
    const char *claims)
{
	form[0] = NULL;
	form_add(form, "grant_type", "refresh_token");
	form_add(form, "client_id", client_id);
	form_add(form, "refresh_token", refresh_token);
	form_add(form, "scope", scope);
	form_add(form, "claims", claims);
}

/* NB. by hand: json_dumps(3) loses characters where memory is short. */
static char *
put(char *p, const char *s)
{
	while (*s != '\0')
		*p++ = *s++;
	*p = '\0';
	return p;
}

/* A JSON string of printable ASCII. */
static char *
put_string(char *p, const char *s)
{
	*p++ = '"';
	for (; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\')
			*p++ = '\\';
		*p++ = *s;
	}
	return put(p, "\"");
}

#define CLAIMS_HEAD "{\"id_token\":{\"acrs\":{\"essential\":true,"
#define CLAIMS_TAIL "}}}"

int
grant_claims(const struct conf_list *acrs, char **outp)
{
	size_t size = sizeof(CLAIMS_HEAD "\"values\":[]" CLAIMS_TAIL), i;
	char *text, *p;

	*outp = NULL;
	if (acrs->n == 0)
		return 0;
	for (i = 0; i < acrs->n; i++)
		size += 2 * strlen(acrs->items[i].value) + sizeof("\"\"");
	if (size > GRANT_CLAIMS_MAX)
		return AAD_ETOOBIG;
	if ((text = malloc(size)) == NULL)
		return AAD_ENOMEM;
	/* One is "value", several "values" (OpenID Connect Core s.5.5.1). */
	p = put(text, CLAIMS_HEAD);
	p = put(p, acrs->n == 1 ? "\"value\":" : "\"values\":[");
	for (i = 0; i < acrs->n; i++) {
		p = put(p, i == 0 ? "" : ",");
		p = put_string(p, acrs->items[i].value);
	}
	p = put(p, acrs->n == 1 ? "" : "]");
	put(p, CLAIMS_TAIL);
	*outp = text;
	return 0;
}

/* A machine value: short, lower-case letters, digits and '_'. */
static void
copy_value(const json_t *v, char out[static GRANT_ERROR_LEN])
{
	static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz0123456789_";
	const char *s = json_string_value(v);
	size_t len = s == NULL ? 0 : strlen(s);

	out[0] = '\0';
	if (len > 0 && len < GRANT_ERROR_LEN && strspn(s, alphabet) == len)
		memcpy(out, s, len + 1);
}

static void
copy_codes(const json_t *codes, struct grant_error *e)
{
	const json_t *v;
	json_int_t n;
	size_t i;

	for (i = 0; i < json_array_size(codes) && e->ncodes < GRANT_CODES_MAX;
	     i++) {
		v = json_array_get(codes, i);
		n = json_integer_value(v); /* 0 for another type */
		if (n > 0 && n <= INT_MAX)
			e->codes[e->ncodes++] = (long)n;
	}
}

static int
read_error(const json_t *o, struct grant_error *e)
{
	const json_t *error = json_object_get(o, "error");
	const char *id;

	memset(e, 0, sizeof(*e));
	if (error == NULL)
		return AAD_ENOENT;
	copy_value(error, e->error);
	if (e->error[0] == '\0')
		strcpy(e->error, "?");
	copy_value(json_object_get(o, "suberror"), e->suberror);
	copy_codes(json_object_get(o, "error_codes"), e);
	id = json_string_value(json_object_get(o, "correlation_id"));
	if (id != NULL && !name_guid_fold(id, e->correlation_id))
		e->correlation_id[0] = '\0';
	return 0;
}

int
grant_error_parse(const char *text, size_t len, struct grant_error *e)
{
	json_t *o;
	int r;

	memset(e, 0, sizeof(*e));
	if ((r = reply_load(text, len, &o)) != 0)
		return r;
	r = read_error(o, e);
	json_decref(o);
	return r;
}

/* Whether a refresh token is one that can be sealed and sent again. */
static bool
refresh_ok(const json_t *token)
{
	const char *s = json_string_value(token);
	size_t i, len = json_string_length(token);

	for (i = 0; i < len; i++)
		if (s[i] <= ' ' || s[i] > '~')
			return false;
	return len > 0 && len <= GRANT_REFRESH_MAX;
}

static int
take_tokens(const json_t *o, struct grant_reply *reply)
{
	const char *type = json_string_value(json_object_get(o, "token_type"));
	const json_t *token = json_object_get(o, "id_token");
	const json_t *refresh = json_object_get(o, "refresh_token");
	size_t len = json_string_length(token);

	if (type == NULL || strcasecmp(type, "Bearer") != 0) {
		reply->why = "The provider issued tokens of another type than "
			     "Bearer.";
		return 0;
	}
	if (len == 0) {
		reply->why = "The provider issued no id token; [idp] scope "
			     "must contain openid.";
		return 0;
	}
	if (len > GRANT_TOKEN_MAX) {
		reply->why = "The provider issued an id token that is too "
			     "long.";
		return 0;
	}
	if (refresh != NULL && !refresh_ok(refresh)) {
		reply->why = "The provider issued a malformed refresh token.";
		return 0;
	}
	if ((reply->id_token = strdup(json_string_value(token))) == NULL)
		return AAD_ENOMEM;
	reply->id_token_len = len;
	if (refresh != NULL) {
		reply->refresh_token = strdup(json_string_value(refresh));
		if (reply->refresh_token == NULL)
			return AAD_ENOMEM;
		reply->refresh_token_len = json_string_length(refresh);
	}
	reply->kind = GRANT_TOKEN;
	return 0;
}

int
grant_reply_parse(long status, const char *text, size_t len,
    struct grant_reply *reply)
{
	json_t *o;
	int r;

	memset(reply, 0, sizeof(*reply));
	reply->why = "The provider's answer is not a JSON object.";
	if (len > GRANT_REPLY_MAX) {
		reply->why = "The provider's answer is too long.";
		return 0;
	}
	if ((r = reply_load(text, len, &o)) != 0)
		return r == AAD_ENOMEM ? r : 0;
	if (read_error(o, &reply->error) == 0)
		reply->kind = GRANT_ERROR;
	else if (status != 200)
		reply->why = "The provider refused without saying why.";
	else
		r = take_tokens(o, reply);
	json_decref(o);
	return r;
}

void
grant_reply_release(struct grant_reply *reply)
{
	if (reply == NULL)
		return;
	if (reply->id_token != NULL)
		explicit_bzero(reply->id_token, reply->id_token_len);
	free(reply->id_token);
	if (reply->refresh_token != NULL)
		explicit_bzero(reply->refresh_token, reply->refresh_token_len);
	free(reply->refresh_token);
	memset(reply, 0, sizeof(*reply));
}
