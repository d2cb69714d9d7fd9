/* SPDX-License-Identifier: ISC */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/keyword.h"
#include "core/setting.h"
#include "core/text.h"

#define DAY INT64_C(86400)
/* Beyond these a key that was taken, or a person who left, stays too long. */
#define KEYS_MAX_AGE_MAX    (30 * DAY)
#define SIGN_IN_MAX_AGE_MAX (90 * DAY)
#define GRACE_MAX	    (7 * DAY)
#define CONFIRM_MAX	    DAY
/* A code lives 15 minutes; less than 30 s is no time to type it. */
#define PAM_TIMEOUT_MIN 30
#define PAM_TIMEOUT_MAX 900
/* A live check that comes more seldom promises nothing. */
#define CHECK_MIN    60
#define CHECK_MAX    DAY
#define PARALLEL_MAX 256
#define PER_HOST_MAX 4096 /* files that each new sign-in may look at */
/* Hosts are to have read the next key before it signs. */
#define PUBLISH_BEFORE_MAX (30 * DAY)
#define PUBLISH_VALID_MIN  3600
#define PUBLISH_VALID_MAX  (90 * DAY)
#define ROTATE_EVERY_MAX   (3650 * DAY)
#define HOST_TTL_MIN	   60
#define HOST_MAX_TTL_MAX   (366 * DAY)
#define PER_PEER_MAX	   64
#define PROFILE_TTL	   INT64_C(28800)

struct keyword {
	struct conf_keyword pub;
	setting_fn *set;
	size_t offset; /* in struct conf, or its section's own record */
	bool late; /* keyword_finish() knows the default */
};

#define IN(member)	offsetof(struct conf, member)
#define LOGIN(member)	offsetof(struct conf_login, member)
#define PROFILE(member) offsetof(struct conf_profile, member)

/* In the order of the manual.  clang-format would tear the rows apart. */
/* clang-format off */
static const struct keyword keywords[] = {
	{ { "idp", "tenant", "guid", false, NULL },
	    setting_guid, IN(tenant), false },
	{ { "idp", "client_id", "guid", false, NULL },
	    setting_guid, IN(client_id), false },
	{ { "idp", "cloud", "cloud", false, "public" },
	    setting_cloud, IN(cloud), true },
	{ { "idp", "authority", "authority", false, NULL },
	    setting_authority, IN(authority), false },
	{ { "idp", "ca_file", "path", false, NULL },
	    setting_path, IN(ca_file), false },
	{ { "idp", "proxy", "proxy", false, NULL },
	    setting_proxy, IN(proxy), false },
	{ { "idp", "scope", "scopes", false,
	      "api://CLIENT_ID/Ssh.Login openid profile offline_access" },
	    setting_scope, IN(scope), true },
	{ { "idp", "flow", "flow", false, "device" },
	    setting_flow, 0, false },
	{ { "idp", "require_acrs", "acr", true, NULL },
	    setting_acr, IN(require_acrs), false },
	{ { "process", "user", "login", false, "aadssh" },
	    setting_login, IN(user), true },
	{ { "state", "dir", "path", false, "/var/lib/aadssh" },
	    setting_path, IN(dir), true },
	{ { "state", "run", "path", false, "/run/aadssh" },
	    setting_path, IN(run), true },
	{ { "state", "trust", "path", false, "/etc/ssh/aadssh" },
	    setting_path, IN(trust), false },
	{ { "log", "level", "level", false, "info" },
	    setting_level, IN(log_level), false },
	{ { "log", "facility", "facility", false, "authpriv" },
	    setting_facility, IN(log_facility), false },
	{ { "token", "keys_refresh", "duration", false, "1h" },
	    setting_duration, IN(keys_refresh), true },
	{ { "token", "keys_max_age", "duration", false, "24h" },
	    setting_duration, IN(keys_max_age), false },
	{ { "token", "sign_in_max_age", "duration", false, "12h" },
	    setting_duration, IN(sign_in_max_age), false },
	{ { "token", "grace", "duration", false, "0" },
	    setting_duration, IN(grace), false },
	{ { "token", "confirm", "duration", false, "1h" },
	    setting_duration, IN(confirm), false },
	{ { "map", "domain", "domain", true, NULL },
	    setting_list, IN(domain), false },
	{ { "map", "require", "rule", true, NULL },
	    setting_list, IN(require), false },
	{ { "map", "never", "login", true, NULL },
	    setting_list, IN(never), false },
	{ { "map", "min_uid", "uid", false, "1000" },
	    setting_uid, IN(min_uid), false },
	{ { "map", "hosts", "hosts", true, NULL },
	    setting_hosts, IN(map_hosts), false },
	{ { "pam", "bind", "bind", false, "first" },
	    setting_bind, IN(pam_bind), false },
	{ { "pam", "from", "cidr", true, NULL },
	    setting_cidr, IN(pam_from), false },
	{ { "pam", "timeout", "duration", false, "4m" },
	    setting_duration, IN(pam_timeout), false },
	{ { "pam", "per_host", "count", false, "64" },
	    setting_count, IN(per_host), false },
	{ { "pam", "per_source", "count", false, "8" },
	    setting_count, IN(per_source), false },
	{ { "refresh", "check", "duration", false, "15m" },
	    setting_duration, IN(check), false },
	{ { "refresh", "parallel", "count", false, "16" },
	    setting_count, IN(parallel), false },
	{ { "session", "on_denial", "on_denial", false, "none" },
	    setting_on_denial, IN(on_denial), false },
	{ { "login", "allow", "rule", true, NULL },
	    setting_list, LOGIN(allow), false },
	{ { "login", "options", "options", false, NULL },
	    setting_options, LOGIN(options), false },
	{ { "login", "hosts", "hosts", true, NULL },
	    setting_hosts, LOGIN(hosts), false },
	{ { "host", "groups", "groups", true, NULL },
	    setting_groups, IN(host_groups), false },
	{ { "host", "accept_all", "switch", false, "no" },
	    setting_switch, IN(accept_all), false },
	{ { "ca", "key_type", "algorithm", false, "ed25519" },
	    setting_algorithm, IN(ca_key_type), true },
	{ { "ca", "backend", "backend", false, "file" },
	    setting_backend, IN(ca_agent), true },
	{ { "ca", "publish_dir", "path", false, "/var/lib/aadssh-ca/public" },
	    setting_path, IN(publish_dir), true },
	{ { "ca", "publish_before", "duration", false, "24h" },
	    setting_duration, IN(publish_before), false },
	{ { "ca", "publish_valid", "duration", false, "7d" },
	    setting_duration, IN(publish_valid), false },
	{ { "ca", "rotate_every", "duration", false, "90d" },
	    setting_duration, IN(rotate_every), false },
	{ { "ca", "host_ttl", "duration", false, "30d" },
	    setting_duration, IN(host_ttl), true },
	{ { "ca", "host_max_ttl", "duration", false, "90d" },
	    setting_duration, IN(host_max_ttl), false },
	{ { "ca", "certs_per_hour", "count", false, "60" },
	    setting_count, IN(certs_per_hour), false },
	{ { "ca", "per_peer", "count", false, "8" },
	    setting_count, IN(per_peer), false },
	{ { "profile", "for", "logins", true, NULL },
	    setting_logins, PROFILE(logins), false },
	{ { "profile", "ttl", "duration", false, "8h" },
	    setting_ttl, PROFILE(ttl), true },
	{ { "profile", "max_ttl", "duration", false, "24h" },
	    setting_ttl, PROFILE(max_ttl), true },
	{ { "profile", "extensions", "extensions", true,
	      "permit-pty,permit-port-forwarding" },
	    setting_words, PROFILE(extensions), true },
	{ { "profile", "force_command", "command", false, NULL },
	    setting_command, PROFILE(force_command), false },
	{ { "profile", "source_address", "cidrs", true, NULL },
	    setting_cidrs, PROFILE(source_address), false },
	{ { "profile", "key_types", "key_types", true, NULL },
	    setting_words, PROFILE(key_types), false },
};
/* clang-format on */

#define NKEYWORDS (sizeof(keywords) / sizeof(keywords[0]))

_Static_assert(NKEYWORDS <= KEYWORD_MAX, "callers keep a line for each");

const struct conf_keyword *
conf_keyword(size_t i)
{
	return i < NKEYWORDS ? &keywords[i].pub : NULL;
}

size_t
keyword_find(const char *section, const char *name)
{
	size_t i;

	for (i = 0; i < NKEYWORDS; i++)
		if (strcmp(keywords[i].pub.section, section) == 0 &&
		    strcmp(keywords[i].pub.name, name) == 0)
			return i;
	return KEYWORD_NONE;
}

bool
keyword_section_ok(const char *section)
{
	size_t i;

	for (i = 0; i < NKEYWORDS; i++)
		if (strcmp(keywords[i].pub.section, section) == 0)
			return true;
	return false;
}

int
keyword_set(size_t i, struct conf *c, void *record, const char *value,
    unsigned int line, struct conf_error *why)
{
	const struct keyword *k = &keywords[i];
	struct setting s = { k->pub.section, k->pub.name, value, line,
		strcmp(k->pub.section, "login") == 0 ? record : NULL, why };
	char *base = record != NULL ? record : (char *)c;

	return k->set(&s, base + k->offset);
}

static unsigned int
seen_line(const unsigned int *seen, const char *section, const char *name)
{
	return seen[keyword_find(section, name)];
}

/* Cloud, authority, issuer and scope follow from each other. */
static int
finish_idp(struct conf *c, const unsigned int *seen, unsigned int idp_line,
    struct conf_error *why)
{
	unsigned int a = seen_line(seen, "idp", "authority");
	unsigned int b = seen_line(seen, "idp", "cloud");

	if (c->tenant == NULL)
		return conf_fail(why, idp_line, "[idp] has no tenant");
	if (c->client_id == NULL)
		return conf_fail(why, idp_line, "[idp] has no client_id");
	if (a != 0 && b != 0)
		return conf_fail(why, a > b ? a : b,
		    "[idp] cloud and authority exclude each other");
	if (a == 0) {
		if (b == 0 && (c->cloud = strdup("public")) == NULL)
			return AAD_ENOMEM;
		c->authority = strdup(setting_authority_of(c->cloud));
		if (c->authority == NULL)
			return AAD_ENOMEM;
	}
	return 0;
}

/* A scope with each CLIENT_ID replaced, or NULL without memory. */
static char *
scope_expand(const char *scope, const char *client_id)
{
	static const char mark[] = "CLIENT_ID";
	const char *p, *next;
	char *out, *o;
	size_t n = 0;

	for (p = scope; (p = strstr(p, mark)) != NULL; p += strlen(mark))
		n++;
	out = malloc(strlen(scope) + n * strlen(client_id) + 1);
	if (out == NULL)
		return NULL;
	for (p = scope, o = out; (next = strstr(p, mark)) != NULL;
	     p = next + strlen(mark)) {
		o = mempcpy(o, p, (size_t)(next - p));
		o = stpcpy(o, client_id);
	}
	stpcpy(o, p);
	return out;
}

static int
finish_urls(struct conf *c)
{
	const char *scope = c->scope;
	char *expanded;
	size_t len = strlen(c->authority) + strlen(c->tenant) +
		     sizeof("//v2.0");

	if ((c->issuer = malloc(len)) == NULL)
		return AAD_ENOMEM;
	snprintf(c->issuer, len, "%s/%s/v2.0", c->authority, c->tenant);
	if (scope == NULL)
		scope = conf_keyword(keyword_find("idp", "scope"))->fallback;
	expanded = scope_expand(scope, c->client_id);
	if (expanded == NULL)
		return AAD_ENOMEM;
	free(c->scope);
	c->scope = expanded;
	return 0;
}

static int
within(int64_t sec, int64_t min, int64_t max, const unsigned int *seen,
    const char *section, const char *name, struct conf_error *why)
{
	char low[TEXT_DURATION_LEN], high[TEXT_DURATION_LEN];

	if (sec >= min && sec <= max)
		return 0;
	text_duration_format(min, low);
	text_duration_format(max, high);
	return conf_fail(why, seen_line(seen, section, name),
	    "[%s] %s: %s to %s is allowed", section, name, low, high);
}

static int
finish_token(struct conf *c, const unsigned int *seen, struct conf_error *why)
{
	unsigned int refresh = seen_line(seen, "token", "keys_refresh");
	int r;

	if ((r = within(c->keys_max_age, 1, KEYS_MAX_AGE_MAX, seen, "token",
		 "keys_max_age", why)) != 0 ||
	    (r = within(c->sign_in_max_age, 1, SIGN_IN_MAX_AGE_MAX, seen,
		 "token", "sign_in_max_age", why)) != 0 ||
	    (r = within(c->grace, 0, GRACE_MAX, seen, "token", "grace", why)) !=
		0 ||
	    (r = within(c->confirm, 1, CONFIRM_MAX, seen, "token", "confirm",
		 why)) != 0)
		return r;
	if (refresh == 0)
		c->keys_refresh = c->keys_max_age < 3600 ? c->keys_max_age
							 : 3600;
	if (c->keys_refresh < 1 || c->keys_refresh > c->keys_max_age)
		return conf_fail(why, refresh,
		    "[token] keys_refresh: more than 0 and not more than "
		    "keys_max_age is allowed");
	if (c->grace > c->sign_in_max_age)
		return conf_fail(why, seen_line(seen, "token", "grace"),
		    "[token] grace: not more than sign_in_max_age is allowed");
	return 0;
}

/* Sign-ins through ssh and the live check. */
static int
finish_live(struct conf *c, const unsigned int *seen, struct conf_error *why)
{
	int r;

	if ((r = within(c->pam_timeout, PAM_TIMEOUT_MIN, PAM_TIMEOUT_MAX, seen,
		 "pam", "timeout", why)) != 0 ||
	    (r = within(c->check, CHECK_MIN, CHECK_MAX, seen, "refresh",
		 "check", why)) != 0)
		return r;
	if (c->per_host > PER_HOST_MAX)
		return conf_fail(why, seen_line(seen, "pam", "per_host"),
		    "[pam] per_host: not more than %d is allowed",
		    PER_HOST_MAX);
	if (c->parallel > PARALLEL_MAX)
		return conf_fail(why, seen_line(seen, "refresh", "parallel"),
		    "[refresh] parallel: not more than %d is allowed",
		    PARALLEL_MAX);
	return 0;
}

/* Where things are; an authority beside a host has its own places. */
static int
finish_places(struct conf *c)
{
	if (c->user == NULL)
		c->user = strdup(c->has_ca ? "aadssh-ca" : "aadssh");
	if (c->dir == NULL)
		c->dir = strdup(c->has_ca ? "/var/lib/aadssh-ca"
					  : "/var/lib/aadssh");
	if (c->run == NULL)
		c->run = strdup(c->has_ca ? "/run/aadssh-ca" : "/run/aadssh");
	return c->user == NULL || c->dir == NULL || c->run == NULL ? AAD_ENOMEM
								   : 0;
}

/* Whether path is dir or lies below it. */
static bool
is_below(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	return strncmp(path, dir, len) == 0 &&
	       (path[len] == '\0' || path[len] == '/');
}

/* What everybody may read is never what nobody may. */
static int
publish_dir_judge(const struct conf *c, unsigned int line,
    struct conf_error *why)
{
	static const char *const inner[] = { "keys", "ledger", "manifests",
		"locks", "tenant" };
	const char *rest;
	size_t i;

	if (is_below(c->dir, c->publish_dir))
		return conf_fail(why, line,
		    "[ca] publish_dir: it must not be or hold [state] dir");
	if (!is_below(c->publish_dir, c->dir))
		return 0;
	rest = c->publish_dir + strlen(c->dir) + 1;
	for (i = 0; i < sizeof(inner) / sizeof(inner[0]); i++)
		if (is_below(rest, inner[i]))
			return conf_fail(why, line,
			    "[ca] publish_dir: folder %s of [state] dir is not "
			    "for it",
			    inner[i]);
	return 0;
}

static int
finish_publish_dir(struct conf *c, const unsigned int *seen,
    struct conf_error *why)
{
	size_t len = strlen(c->dir) + sizeof("/public");

	if (c->publish_dir == NULL) {
		if ((c->publish_dir = malloc(len)) == NULL)
			return AAD_ENOMEM;
		snprintf(c->publish_dir, len, "%s/public", c->dir);
	}
	return publish_dir_judge(c, seen_line(seen, "ca", "publish_dir"), why);
}

/* Lifetimes of host certificates; the line to blame may be either's. */
static int
finish_host_ttl(struct conf *c, const unsigned int *seen,
    struct conf_error *why)
{
	unsigned int line = seen_line(seen, "ca", "host_ttl");
	int r;

	if ((r = within(c->host_max_ttl, HOST_TTL_MIN, HOST_MAX_TTL_MAX, seen,
		 "ca", "host_max_ttl", why)) != 0)
		return r;
	if (line == 0)
		c->host_ttl = c->host_max_ttl < 30 * DAY ? c->host_max_ttl
							 : 30 * DAY;
	if (c->host_ttl < HOST_TTL_MIN || c->host_ttl > c->host_max_ttl)
		return conf_fail(why, line,
		    "[ca] host_ttl: at least 1m and not more than host_max_ttl "
		    "is allowed");
	return 0;
}

static int
finish_ca(struct conf *c, const unsigned int *seen, struct conf_error *why)
{
	unsigned int every = seen_line(seen, "ca", "rotate_every");
	int r;

	if ((r = within(c->publish_before, 0, PUBLISH_BEFORE_MAX, seen, "ca",
		 "publish_before", why)) != 0 ||
	    (r = within(c->publish_valid, PUBLISH_VALID_MIN, PUBLISH_VALID_MAX,
		 seen, "ca", "publish_valid", why)) != 0 ||
	    (r = within(c->rotate_every, 1, ROTATE_EVERY_MAX, seen, "ca",
		 "rotate_every", why)) != 0 ||
	    (r = finish_host_ttl(c, seen, why)) != 0)
		return r;
	if (c->rotate_every <= c->publish_before)
		return conf_fail(why,
		    every != 0 ? every
			       : seen_line(seen, "ca", "publish_before"),
		    "[ca] rotate_every: more than publish_before is needed");
	if (c->per_peer > PER_PEER_MAX)
		return conf_fail(why, seen_line(seen, "ca", "per_peer"),
		    "[ca] per_peer: not more than %d is allowed", PER_PEER_MAX);
	if (!c->has_ca)
		return 0;
	if (c->ca_key_type == NULL &&
	    (c->ca_key_type = strdup("ed25519")) == NULL)
		return AAD_ENOMEM;
	return finish_publish_dir(c, seen, why);
}

static int
finish_profile(struct conf_profile *p, struct conf_error *why)
{
	if (p->logins.n == 0)
		return conf_fail(why, p->line,
		    "[profile %s] has no for, so it speaks for nobody",
		    p->name);
	p->has_extensions = p->extensions.n > 0;
	if (p->ttl == 0)
		p->ttl = p->max_ttl != 0 && p->max_ttl < PROFILE_TTL
			     ? p->max_ttl
			     : PROFILE_TTL;
	if (p->max_ttl == 0)
		p->max_ttl = p->ttl > DAY ? p->ttl : DAY;
	if (p->ttl > p->max_ttl)
		return conf_fail(why, p->line,
		    "[profile %s] ttl: not more than max_ttl is allowed",
		    p->name);
	return 0;
}

/* Everything of the certificate authority. */
static int
finish_authority(struct conf *c, const unsigned int *seen,
    struct conf_error *why)
{
	size_t i;
	int r;

	if ((r = finish_places(c)) != 0 || (r = finish_ca(c, seen, why)) != 0)
		return r;
	for (i = 0; i < c->nprofiles; i++)
		if ((r = finish_profile(&c->profiles[i], why)) != 0)
			return r;
	return 0;
}

int
keyword_finish(struct conf *c, const unsigned int seen[static KEYWORD_MAX],
    unsigned int idp_line, struct conf_error *why)
{
	const struct keyword *k;
	size_t i;
	int r;

	for (i = 0; i < NKEYWORDS; i++) {
		k = &keywords[i];
		if (seen[i] != 0 || k->late || k->pub.fallback == NULL)
			continue;
		r = keyword_set(i, c, NULL, k->pub.fallback, 0, why);
		if (r != 0)
			return r;
	}
	if (c->has_idp && ((r = finish_idp(c, seen, idp_line, why)) != 0 ||
			      (r = finish_urls(c)) != 0))
		return r;
	c->user_line = seen_line(seen, "process", "user");
	if ((r = finish_token(c, seen, why)) != 0 ||
	    (r = finish_live(c, seen, why)) != 0)
		return r;
	return finish_authority(c, seen, why);
}
