/* SPDX-License-Identifier: ISC */

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "core/strictjson.h"
#include "core/text.h"
#include "token/claims.h"

/*
 * Claims we read.  A member that differs from one in case only is refused:
 * another parser might take it for the claim (facts: Microsoft's own
 * validator refuses two variants of tid).
 */
static const char *const known[] = { "iss", "aud", "azp", "ver", "tid", "oid",
	"upn", "preferred_username", "idp", "uti", "acct", "iat", "exp", "nbf",
	"auth_time", "roles", "groups", "acrs", "_claim_names", "hasgroups" };

static int
refuse_twins(const json_t *o)
{
	const char *name;
	json_t *value;
	size_t i;

	json_object_foreach((json_t *)(uintptr_t)o, name, value)
	{
		for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
			if (text_same_fold(name, known[i]) &&
			    strcmp(name, known[i]) != 0)
				return AAD_EFORMAT;
	}
	return 0;
}

/* A string member into the heap; absent is NULL and right if optional. */
static int
take_string(const json_t *o, const char *name, bool required, char **outp)
{
	const json_t *v = json_object_get(o, name);

	if (v == NULL)
		return required ? AAD_EFORMAT : 0;
	if (!json_is_string(v))
		return AAD_EFORMAT;
	if (json_string_length(v) > CLAIMS_TEXT_MAX)
		return AAD_ETOOBIG;
	*outp = strdup(json_string_value(v));
	return *outp == NULL ? AAD_ENOMEM : 0;
}

static int
take_guid(const json_t *o, const char *name, char out[static NAME_GUID_LEN + 1])
{
	const char *s = json_string_value(json_object_get(o, name));

	return s != NULL && name_guid_fold(s, out) ? 0 : AAD_EFORMAT;
}

/* NumericDate as Entra writes it, an integer (RFC 7519 s.2). */
static int
take_time(const json_t *o, const char *name, int64_t fallback, int64_t *tp)
{
	const json_t *v = json_object_get(o, name);

	*tp = fallback;
	if (v == NULL)
		return fallback == INT64_MIN ? AAD_EFORMAT : 0;
	if (!json_is_integer(v) || json_integer_value(v) < 0 ||
	    json_integer_value(v) > CLAIMS_TIME_MAX)
		return AAD_EFORMAT;
	*tp = (int64_t)json_integer_value(v);
	return 0;
}

static int
list_add(struct claims_list *list, const json_t *v)
{
	if (!json_is_string(v))
		return AAD_EFORMAT;
	if (json_string_length(v) > CLAIMS_TEXT_MAX)
		return AAD_ETOOBIG;
	if ((list->items[list->n] = strdup(json_string_value(v))) == NULL)
		return AAD_ENOMEM;
	list->n++;
	return 0;
}

/* An array of strings; a lone string counts as one where lone is set. */
static int
take_list(const json_t *o, const char *name, bool lone,
    struct claims_list *list)
{
	const json_t *v = json_object_get(o, name);
	size_t i, n = json_array_size(v);
	int r = 0;

	if (v == NULL)
		return 0;
	if (lone && json_is_string(v))
		n = 1;
	else if (!json_is_array(v))
		return AAD_EFORMAT;
	if (n > CLAIMS_LIST_MAX)
		return AAD_ETOOBIG;
	if (n == 0)
		return 0;
	if ((list->items = calloc(n, sizeof(*list->items))) == NULL)
		return AAD_ENOMEM;
	if (json_is_string(v))
		return list_add(list, v);
	for (i = 0; i < n && r == 0; i++)
		r = list_add(list, json_array_get(v, i));
	return r;
}

/* 0 is a member; anything else that is there is taken for a guest. */
static void
take_acct(const json_t *o, struct claims *c)
{
	const json_t *v = json_object_get(o, "acct");

	if (v == NULL)
		c->acct = CLAIMS_ACCT_ABSENT;
	else if ((json_is_integer(v) && json_integer_value(v) == 0) ||
		 (json_is_string(v) && strcmp(json_string_value(v), "0") == 0))
		c->acct = CLAIMS_ACCT_MEMBER;
	else
		c->acct = CLAIMS_ACCT_GUEST;
}

/* Whether _claim_names says that groups are to be had somewhere else. */
static bool
groups_elsewhere(const json_t *names)
{
	const char *name;
	json_t *value;

	if (!json_is_object(names))
		return names != NULL;
	json_object_foreach((json_t *)(uintptr_t)names, name, value)
	{
		if (text_same_fold(name, "groups"))
			return true;
	}
	return false;
}

/*
 * Overage: the groups are somewhere else, so they are unknown, not none.
 * Any form of the two markers counts (facts: 200 in a JWT, 5 when implicit).
 */
static void
take_overage(const json_t *o, struct claims *c)
{
	const json_t *has = json_object_get(o, "hasgroups");

	c->groups_unknown = groups_elsewhere(json_object_get(o,
				"_claim_names")) ||
			    (has != NULL && !json_is_false(has));
}

static int
take_all(const json_t *o, struct claims *c)
{
	int r;

	if ((r = refuse_twins(o)) != 0 ||
	    (r = take_string(o, "iss", true, &c->iss)) != 0 ||
	    (r = take_string(o, "aud", true, &c->aud)) != 0 ||
	    (r = take_string(o, "azp", false, &c->azp)) != 0 ||
	    (r = take_string(o, "ver", true, &c->ver)) != 0 ||
	    (r = take_guid(o, "tid", c->tid)) != 0 ||
	    (r = take_guid(o, "oid", c->oid)) != 0 ||
	    (r = take_string(o, "upn", false, &c->upn)) != 0 ||
	    (r = take_string(o, "preferred_username", false,
		 &c->preferred_username)) != 0 ||
	    (r = take_string(o, "idp", false, &c->idp)) != 0 ||
	    (r = take_string(o, "uti", false, &c->uti)) != 0 ||
	    (r = take_time(o, "iat", INT64_MIN, &c->iat)) != 0 ||
	    (r = take_time(o, "exp", INT64_MIN, &c->exp)) != 0 ||
	    (r = take_time(o, "nbf", c->iat, &c->nbf)) != 0 ||
	    (r = take_time(o, "auth_time", -1, &c->auth_time)) != 0 ||
	    (r = take_list(o, "roles", false, &c->roles)) != 0 ||
	    (r = take_list(o, "groups", false, &c->groups)) != 0 ||
	    (r = take_list(o, "acrs", true, &c->acrs)) != 0)
		return r;
	take_acct(o, c);
	take_overage(o, c);
	return 0;
}

int
claims_parse(const char *text, size_t len, struct claims **outp)
{
	struct claims *c = NULL;
	json_t *o;
	int r;

	*outp = NULL;
	if ((r = strictjson_load(text, len, &o)) != 0)
		return r;
	if (!json_is_object(o))
		r = AAD_EFORMAT;
	else if ((c = calloc(1, sizeof(*c))) == NULL)
		r = AAD_ENOMEM;
	else
		r = take_all(o, c);
	json_decref(o);
	if (r != 0) {
		claims_free(c);
		return r;
	}
	*outp = c;
	return 0;
}

const char *
claims_upn(const struct claims *c)
{
	return c->upn != NULL ? c->upn : c->preferred_username;
}

bool
claims_has(const struct claims_list *list, const char *value)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		if (strcmp(list->items[i], value) == 0)
			return true;
	return false;
}

static void
list_free(struct claims_list *list)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		free(list->items[i]);
	free(list->items);
}

void
claims_free(struct claims *c)
{
	if (c == NULL)
		return;
	free(c->iss);
	free(c->aud);
	free(c->azp);
	free(c->ver);
	free(c->upn);
	free(c->preferred_username);
	free(c->idp);
	free(c->uti);
	list_free(&c->roles);
	list_free(&c->groups);
	list_free(&c->acrs);
	free(c);
}
