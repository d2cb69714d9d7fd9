/* SPDX-License-Identifier: ISC */

#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "idp/cloud.h"

#define HTTPS	   "https://"
#define PORT_HTTPS 443U
#define PORT_MAX   65535U

/* Where each part of an https URL lies; borrowed from its text. */
struct parts {
	const char *host;
	size_t host_len;
	unsigned int port;
	bool port_written;
	const char *rest; /* path and query; "" when neither is there */
};

/* Hosts of the pages that Microsoft's clouds have named so far. */
static const char *const pages[] = {
	"login.microsoft.com",
	"microsoft.com",
	"www.microsoft.com",
	"aka.ms",
	"login.windows.net",
	"login.usgovcloudapi.net",
	"login.chinacloudapi.cn",
};

/* And domains whose every host is theirs. */
static const char *const page_domains[] = {
	".microsoftonline.com",
	".microsoftonline.us",
	".microsoftonline.cn",
};

static bool
is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9');
}

/* RFC 3986 s.2 without '#': no blank, quote, backslash or control byte. */
static bool
characters_ok(const char *s)
{
	size_t i;

	for (i = 0; s[i] != '\0'; i++)
		if (!is_alnum(s[i]) &&
		    strchr("-._~:/?[]@!$&'()*+,;=%", s[i]) == NULL)
			return false;
	return i <= CLOUD_URL_MAX;
}

/* A DNS name or IPv4 address, or an IPv6 address in brackets. */
static size_t
host_len(const char *s)
{
	size_t n = 0;

	if (s[0] == '[') {
		n = 1 + strspn(s + 1, "0123456789abcdefABCDEF:.");
		return s[n] == ']' && n > 1 ? n + 1 : 0;
	}
	while (is_alnum(s[n]) || s[n] == '-' || s[n] == '.')
		n++;
	return n;
}

static bool
port_split(const char **sp, struct parts *p)
{
	const char *s = *sp;
	unsigned int port = 0;
	size_t n;

	for (n = 0; n < 5 && s[n] >= '0' && s[n] <= '9'; n++)
		port = port * 10 + (unsigned int)(s[n] - '0');
	if (n == 0 || port == 0 || port > PORT_MAX)
		return false;
	p->port = port;
	p->port_written = true;
	*sp = s + n;
	return true;
}

static bool
split(const char *url, struct parts *p)
{
	const char *s;

	memset(p, 0, sizeof(*p));
	if (!characters_ok(url) || strncmp(url, HTTPS, strlen(HTTPS)) != 0)
		return false;
	s = p->host = url + strlen(HTTPS);
	if ((p->host_len = host_len(s)) == 0)
		return false;
	s += p->host_len;
	p->port = PORT_HTTPS;
	if (*s == ':') {
		s++;
		if (!port_split(&s, p))
			return false;
	}
	p->rest = s;
	return *s == '\0' || *s == '/' || *s == '?';
}

static bool
same_host(const struct parts *a, const struct parts *b)
{
	return a->host_len == b->host_len &&
	       strncasecmp(a->host, b->host, a->host_len) == 0;
}

bool
cloud_endpoint_ok(const char *authority, const char *url)
{
	struct parts want, have;

	return split(authority, &want) && split(url, &have) &&
	       same_host(&want, &have) && want.port == have.port &&
	       have.rest[0] == '/';
}

static bool
microsoft_page(const struct parts *p)
{
	size_t i, n;

	for (i = 0; i < sizeof(pages) / sizeof(pages[0]); i++)
		if (p->host_len == strlen(pages[i]) &&
		    strncasecmp(p->host, pages[i], p->host_len) == 0)
			return true;
	for (i = 0; i < sizeof(page_domains) / sizeof(page_domains[0]); i++) {
		n = strlen(page_domains[i]);
		if (p->host_len > n && strncasecmp(p->host + p->host_len - n,
					   page_domains[i], n) == 0)
			return true;
	}
	return false;
}

bool
cloud_page_ok(const char *authority, bool microsoft, const char *url)
{
	struct parts want, have;

	if (!split(authority, &want) || !split(url, &have))
		return false;
	return same_host(&want, &have) ||
	       (microsoft && !have.port_written && microsoft_page(&have));
}
