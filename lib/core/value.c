/* SPDX-License-Identifier: ISC */

#include <string.h>
#include <syslog.h>

#include "core/text.h"
#include "core/value.h"

#define HOST_MAX  253 /* RFC 1035 s.2.3.4, without the root's dot */
#define LABEL_MAX 63

struct number {
	const char *name;
	int value;
};

static const struct number levels[] = {
	{ "err", LOG_ERR },
	{ "warning", LOG_WARNING },
	{ "notice", LOG_NOTICE },
	{ "info", LOG_INFO },
	{ "debug", LOG_DEBUG },
	{ NULL, -1 },
};

static const struct number facilities[] = {
	{ "auth", LOG_AUTH },
	{ "authpriv", LOG_AUTHPRIV },
	{ "daemon", LOG_DAEMON },
	{ "user", LOG_USER },
	{ "local0", LOG_LOCAL0 },
	{ "local1", LOG_LOCAL1 },
	{ "local2", LOG_LOCAL2 },
	{ "local3", LOG_LOCAL3 },
	{ "local4", LOG_LOCAL4 },
	{ "local5", LOG_LOCAL5 },
	{ "local6", LOG_LOCAL6 },
	{ "local7", LOG_LOCAL7 },
	{ NULL, -1 },
};

static bool
is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* The length of the host name that s starts with, 0 when there is none. */
static size_t
host_len(const char *s)
{
	size_t i, label = 0;

	for (i = 0; is_alnum(s[i]) || s[i] == '-' || s[i] == '.'; i++) {
		if (s[i] == '.' && (label == 0 || s[i - 1] == '-'))
			return 0;
		if (s[i] == '-' && label == 0)
			return 0;
		label = s[i] == '.' ? 0 : label + 1;
		if (i >= HOST_MAX || label > LABEL_MAX)
			return 0;
	}
	return label > 0 && s[i - 1] != '-' ? i : 0;
}

/* 1 to 65535, written in one way only. */
static bool
port_ok(const char *s)
{
	uint64_t port;

	return s[0] != '0' && text_number(s, 65535, &port);
}

/* What stands behind a literal prefix, or NULL. */
static const char *
behind(const char *s, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(s, prefix, len) == 0 ? s + len : NULL;
}

bool
value_authority_ok(const char *s)
{
	const char *host = behind(s, "https://");
	size_t len;

	if (host == NULL || (len = host_len(host)) == 0)
		return false;
	return host[len] == '\0' ||
	       (host[len] == ':' && port_ok(host + len + 1));
}

bool
value_proxy_ok(const char *s)
{
	const char *host = behind(s, "http://");
	size_t len;

	if (host == NULL || (len = host_len(host)) == 0)
		return false;
	return host[len] == ':' && port_ok(host + len + 1);
}

bool
value_path_ok(const char *s)
{
	size_t len;

	do {
		if (*s++ != '/')
			return false;
		len = strcspn(s, "/");
		if (len == 0 || (len == 1 && s[0] == '.') ||
		    (len == 2 && s[0] == '.' && s[1] == '.'))
			return false;
		s += len;
	} while (*s != '\0');
	return true;
}

/* RFC 6749 appendix A.4: no blank, '"' or '\'. */
static bool
scope_byte(char c)
{
	return c > ' ' && c <= '~' && c != '"' && c != '\\';
}

bool
value_scope_ok(const char *s)
{
	bool openid = false;
	size_t len, i;

	for (;; s += len + 1) {
		len = strcspn(s, " ");
		if (len == 0)
			return false;
		for (i = 0; i < len; i++)
			if (!scope_byte(s[i]))
				return false;
		if (len == 6 && memcmp(s, "openid", 6) == 0)
			openid = true;
		if (s[len] == '\0')
			return openid;
	}
}

bool
value_group_ok(const char *s)
{
	size_t i;

	if (strcmp(s, "*") == 0)
		return true;
	if (!is_alnum(s[0]))
		return false;
	for (i = 1; s[i] != '\0'; i++)
		if (i >= VALUE_GROUP_MAX || (!is_alnum(s[i]) && s[i] != '_' &&
						s[i] != '.' && s[i] != '-'))
			return false;
	return true;
}

bool
value_principal_ok(const char *s)
{
	char login[NAME_LOGIN_MAX + 1];
	const char *at = strchr(s, '@');
	size_t len = at == NULL ? strlen(s) : (size_t)(at - s);

	if (len > NAME_LOGIN_MAX)
		return false;
	memcpy(login, s, len);
	login[len] = '\0';
	return name_login_ok(login) &&
	       (at == NULL ||
		   (value_group_ok(at + 1) && strcmp(at + 1, "*") != 0));
}

static int
number_find(const struct number *n, const char *s)
{
	while (n->name != NULL && strcmp(n->name, s) != 0)
		n++;
	return n->value;
}

int
value_log_level(const char *s)
{
	return number_find(levels, s);
}

int
value_log_facility(const char *s)
{
	return number_find(facilities, s);
}
