/* SPDX-License-Identifier: ISC */

#include <stdlib.h>
#include <string.h>

#include "core/name.h"
#include "core/setting.h"
#include "core/text.h"
#include "core/value.h"

#define UID_LAST  4294967294 /* (uid_t)-1 is nobody's */
#define COUNT_MAX 10000 /* of anything that is done at once */

#define TTL_MIN		INT64_C(60) /* seconds; of a user's certificate */
#define TTL_MAX		INT64_C(2592000) /* 30 d */
#define SOCKET_PATH_MAX 107 /* unix(7), without the NUL */

#define GUID_NIL      "00000000-0000-0000-0000-000000000000"
#define GUID_PERSONAL "9188040d-6c67-4c5b-b112-36a304b66dad"
#define GUID_GRAPH    "00000003-0000-0000-c000-000000000000"
#define GUID_AD_GRAPH "00000002-0000-0000-c000-000000000000"

static const struct cloud {
	const char *name;
	const char *authority;
} clouds[] = {
	{ "public", "https://login.microsoftonline.com" },
	{ "usgov", "https://login.microsoftonline.us" },
	{ "china", "https://login.partner.microsoftonline.cn" },
};

#define NCLOUDS (sizeof(clouds) / sizeof(clouds[0]))

const char *
setting_authority_of(const char *cloud)
{
	size_t i;

	for (i = 0; i < NCLOUDS; i++)
		if (strcmp(clouds[i].name, cloud) == 0)
			return clouds[i].authority;
	return NULL;
}

static int
bad(const struct setting *s, const char *what)
{
	return conf_fail(s->why, s->line, "[%s] %s: %s", s->section, s->name,
	    what);
}

static int
text(const struct setting *s, void *field)
{
	char **p = field;

	return (*p = strdup(s->value)) == NULL ? AAD_ENOMEM : 0;
}

int
setting_guid(const struct setting *s, void *field)
{
	char guid[NAME_GUID_LEN + 1];
	struct setting folded = *s;

	if (!name_guid_fold(s->value, guid))
		return bad(s,
		    "a GUID is expected, 8-4-4-4-12 hexadecimal digits");
	if (strcmp(guid, GUID_NIL) == 0)
		return bad(s,
		    "write your own; this is the placeholder as shipped");
	if (strcmp(guid, GUID_PERSONAL) == 0)
		return bad(s,
		    "this is the tenant of personal accounts, where anybody "
		    "can sign up");
	if (strcmp(guid, GUID_GRAPH) == 0 || strcmp(guid, GUID_AD_GRAPH) == 0)
		return bad(s,
		    "this is Microsoft Graph, whose tokens prove nothing; "
		    "register an application of your own");
	folded.value = guid;
	return text(&folded, field);
}

int
setting_cloud(const struct setting *s, void *field)
{
	if (setting_authority_of(s->value) == NULL)
		return bad(s, "public, usgov or china is expected");
	return text(s, field);
}

int
setting_authority(const struct setting *s, void *field)
{
	if (!value_authority_ok(s->value))
		return bad(s,
		    "https://host or https://host:port is expected, in lower "
		    "case, with nothing behind it");
	return text(s, field);
}

int
setting_proxy(const struct setting *s, void *field)
{
	if (!value_proxy_ok(s->value))
		return bad(s, "http://host:port is expected, in lower case");
	return text(s, field);
}

int
setting_path(const struct setting *s, void *field)
{
	if (!value_path_ok(s->value))
		return bad(s,
		    "an absolute path is expected, without \".\", \"..\", "
		    "\"//\" or a slash at the end");
	return text(s, field);
}

int
setting_scope(const struct setting *s, void *field)
{
	if (!value_scope_ok(s->value))
		return bad(s,
		    "scopes with one blank between two are expected, openid "
		    "among them");
	return text(s, field);
}

int
setting_flow(const struct setting *s, void *field)
{
	(void)field;
	if (strcmp(s->value, "device") != 0)
		return bad(s, "only device is known");
	return 0;
}

int
setting_login(const struct setting *s, void *field)
{
	if (!name_login_ok(s->value))
		return bad(s, "a login name is expected");
	return text(s, field);
}

int
setting_level(const struct setting *s, void *field)
{
	int *p = field;

	if ((*p = value_log_level(s->value)) == -1)
		return bad(s, "err, warning, notice, info or debug is "
			      "expected");
	return 0;
}

int
setting_facility(const struct setting *s, void *field)
{
	int *p = field;

	if ((*p = value_log_facility(s->value)) == -1)
		return bad(s, "auth, authpriv, daemon, user or local0 to "
			      "local7 is expected");
	return 0;
}

int
setting_duration(const struct setting *s, void *field)
{
	int64_t *p = field;

	if (!text_duration(s->value, p))
		return bad(s,
		    "a duration is expected: 0, or digits and one of s, m, "
		    "h, d");
	return 0;
}

int
setting_uid(const struct setting *s, void *field)
{
	int64_t *p = field;
	uint64_t n;

	if (!text_number(s->value, UID_LAST, &n) || n == 0)
		return bad(s, "a number from 1 to 4294967294 is expected");
	*p = (int64_t)n;
	return 0;
}

int
setting_count(const struct setting *s, void *field)
{
	int64_t *p = field;
	uint64_t n;

	if (!text_number(s->value, COUNT_MAX, &n) || n == 0)
		return bad(s, "a number from 1 to 10000 is expected");
	*p = (int64_t)n;
	return 0;
}

int
setting_bind(const struct setting *s, void *field)
{
	int *p = field;

	if (strcmp(s->value, "first") == 0)
		*p = CONF_BIND_FIRST;
	else if (strcmp(s->value, "none") == 0)
		*p = CONF_BIND_NONE;
	else
		return bad(s, "first or none is expected");
	return 0;
}

int
setting_on_denial(const struct setting *s, void *field)
{
	int *p = field;

	if (strcmp(s->value, "none") == 0)
		*p = CONF_DENIAL_NONE;
	else if (strcmp(s->value, "terminate") == 0)
		*p = CONF_DENIAL_TERMINATE;
	else
		return bad(s, "none or terminate is expected");
	return 0;
}

static int
list_add(struct conf_list *l, const char *value, size_t len, unsigned int line)
{
	struct conf_item *items;
	char *copy;

	items = realloc(l->items, (l->n + 1) * sizeof(*items));
	if (items == NULL)
		return AAD_ENOMEM;
	l->items = items;
	if ((copy = strndup(value, len)) == NULL)
		return AAD_ENOMEM;
	items[l->n].value = copy;
	items[l->n].line = line;
	l->n++;
	return 0;
}

int
setting_list(const struct setting *s, void *field)
{
	struct conf_list *l = field;

	if (l->n >= CONF_LIST_MAX)
		return bad(s, "too many lines of this key, 256 are the most");
	return list_add(l, s->value, strlen(s->value), s->line);
}

int
setting_cidr(const struct setting *s, void *field)
{
	if (!text_cidr_ok(s->value))
		return bad(s,
		    "an address or a range is expected, such as 192.0.2.0/24 "
		    "or 2001:db8::/32, without a bit set behind the prefix");
	return setting_list(s, field);
}

int
setting_acr(const struct setting *s, void *field)
{
	if (!name_role_ok(s->value))
		return bad(s,
		    "one authentication context is expected, such as c1");
	return setting_list(s, field);
}

/* A list in one line too, "web,db": each element must be ok(). */
static int
list_split(const struct setting *s, struct conf_list *l,
    bool (*ok)(const char *), const char *what)
{
	const char *p = s->value;
	size_t len;
	int r;

	for (;; p += len + 1) {
		len = strcspn(p, ",");
		if (l->n >= CONF_LIST_MAX)
			return bad(s, "too many values, 256 are the most");
		if ((r = list_add(l, p, len, s->line)) != 0)
			return r;
		if (!ok(l->items[l->n - 1].value))
			return bad(s, what);
		if (p[len] == '\0')
			return 0;
	}
}

int
setting_hosts(const struct setting *s, void *field)
{
	return list_split(s, field, value_group_ok,
	    "host groups with a comma between two are expected, such as "
	    "web,db; or *");
}

static bool
is_all(const char *s)
{
	return strcmp(s, "*") == 0;
}

static bool
group_ok(const char *s)
{
	return value_group_ok(s) && !is_all(s);
}

int
setting_groups(const struct setting *s, void *field)
{
	return list_split(s, field, group_ok,
	    "host groups with a comma between two are expected, such as "
	    "web,db");
}

static bool
login_ok(const char *s)
{
	return name_login_ok(s) || is_all(s);
}

int
setting_logins(const struct setting *s, void *field)
{
	return list_split(s, field, login_ok,
	    "logins with a comma between two are expected, such as alice,bob; "
	    "or *");
}

int
setting_cidrs(const struct setting *s, void *field)
{
	return list_split(s, field, text_cidr_ok,
	    "addresses or ranges with a comma between two are expected, such "
	    "as 192.0.2.0/24,2001:db8::/32, without a bit set behind the "
	    "prefix");
}

int
setting_words(const struct setting *s, void *field)
{
	return list_split(s, field, name_role_ok,
	    "words with a comma and no blank between two are expected");
}

int
setting_switch(const struct setting *s, void *field)
{
	bool *p = field;

	*p = strcmp(s->value, "yes") == 0;
	if (!*p && strcmp(s->value, "no") != 0)
		return bad(s, "yes or no is expected");
	return 0;
}

int
setting_algorithm(const struct setting *s, void *field)
{
	if (strcmp(s->value, "ed25519") != 0)
		return bad(s, "only ed25519 is known");
	return text(s, field);
}

int
setting_backend(const struct setting *s, void *field)
{
	static const char agent[] = "agent:";
	struct setting path = *s;

	if (strcmp(s->value, "file") == 0)
		return 0;
	path.value += sizeof(agent) - 1;
	if (strncmp(s->value, agent, sizeof(agent) - 1) != 0 ||
	    !value_path_ok(path.value))
		return bad(s, "file or agent:/PATH/OF/A/SOCKET is expected");
	if (strlen(path.value) > SOCKET_PATH_MAX)
		return bad(s, "the path of a socket has at most 107 bytes");
	return text(&path, field);
}

int
setting_ttl(const struct setting *s, void *field)
{
	int64_t *p = field;
	int r;

	if ((r = setting_duration(s, field)) != 0)
		return r;
	if (*p < TTL_MIN || *p > TTL_MAX)
		return bad(s, "1m to 30d is allowed");
	return 0;
}

/* Printable and without a line end: nothing else gets here. */
int
setting_command(const struct setting *s, void *field)
{
	return text(s, field);
}

int
setting_options(const struct setting *s, void *field)
{
	s->login->options_line = s->line;
	return text(s, field);
}
