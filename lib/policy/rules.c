/* SPDX-License-Identifier: ISC */

#include <stdlib.h>
#include <string.h>

#include "core/name.h"
#include "policy/rules.h"

/*
 * Logins that no user name may map to, whatever [map] says: accounts of the
 * system, of services, of first boot images and of automation, whose name
 * somebody could be given, or had before us.  Compared in any case.  A
 * [login NAME] section is the explicit way to give one; [map] never only
 * adds.  The manual lists them all (a test compares).
 */
static const char *const never[] = {
	/* the system */
	"root", "toor", "daemon", "bin", "sys", "sync", "games", "man", "lp",
	"mail", "news", "uucp", "proxy", "www-data", "backup", "list", "irc",
	"gnats", "nobody", "nogroup", "adm", "halt", "shutdown", "operator",
	"ftp", "wheel", "sudo", "staff", "_apt", "messagebus", "dbus", "sshd",
	"ntp", "chrony", "_chrony", "polkitd", "rpc", "statd", "tss", "tcpdump",
	"syslog", "uuidd", "landscape", "dnsmasq", "avahi", "sssd",
	/* services */
	"apache", "nginx", "haproxy", "git", "gitlab", "gitea", "postgres",
	"postgresql", "mysql", "mariadb", "redis", "mongodb", "rabbitmq",
	"elasticsearch", "grafana", "prometheus", "consul", "vault", "etcd",
	"docker", "containerd", "postfix", "dovecot", "exim", "debian-exim",
	"named", "bind", "squid", "ldap", "openldap", "memcache", "zabbix",
	"nagios", "munin", "tomcat", "oracle",
	/* administrators and first boot images */
	"admin", "administrator", "superuser", "ubuntu", "debian", "centos",
	"fedora", "rocky", "almalinux", "rhel", "redhat", "suse", "opensuse",
	"arch", "alpine", "core", "cloud-user", "ec2-user", "azureuser",
	"azure", "opc", "pi", "user", "guest", "test",
	/* automation */
	"ansible", "deploy", "deployer", "vagrant", "jenkins", "puppet", "salt",
	"terraform", "packer", "runner", "ci", "build", "buildbot", "rundeck",
	"service", "monitoring",
	/* ours, on hosts and on the certificate authority */
	"aadssh", "aadssh-hook", "aadssh-ca", "aadssh-issue", "ca"
};

#define NNEVER (sizeof(never) / sizeof(never[0]))

#define NEVER_FAMILY "systemd-" /* what a whole family begins with */

/* A rule and the room for its GUID. */
struct owned {
	struct rule rule;
	char guid[NAME_GUID_LEN + 1];
};

struct ruleset {
	struct owned *items;
	size_t n;
};

struct rules {
	const struct conf *conf;
	struct ruleset require;
	struct ruleset *allow; /* one for each of conf->logins */
	char **domains; /* one for each of conf->domain, lower case */
};

static char
fold(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Whether two names are one but for the case of ASCII letters. */
static bool
same_folded(const char *a, const char *b)
{
	size_t i;

	for (i = 0; a[i] != '\0' && fold(a[i]) == fold(b[i]); i++)
		continue;
	return a[i] == '\0' && b[i] == '\0';
}

/* ---- making ---- */

/* One "kind:value" as written; where names the key in messages. */
static int
rule_make(struct owned *o, const struct conf_item *item, const char *where,
    bool oid_too, struct conf_error *why)
{
	const char *text = item->value, *value = strchr(text, ':');
	struct rule *rule = &o->rule;

	rule->text = text;
	rule->line = item->line;
	value = value == NULL ? "" : value + 1;
	if (strncmp(text, "role:", 5) == 0) {
		if (!name_role_ok(value))
			return conf_fail(why, item->line,
			    "%s: role: needs the value of an app role", where);
		rule->kind = RULE_ROLE;
		rule->value = value;
		return 0;
	}
	if (strncmp(text, "group:", 6) == 0)
		rule->kind = RULE_GROUP;
	else if (oid_too && strncmp(text, "oid:", 4) == 0)
		rule->kind = RULE_OID;
	else
		return conf_fail(why, item->line, "%s: role:VALUE%s expected",
		    where,
		    oid_too ? ", group:GUID or oid:GUID is"
			    : " or group:GUID is");
	if (!name_guid_fold(value, o->guid))
		return conf_fail(why, item->line,
		    "%s: %s needs the GUID of its object id, never a name",
		    where, rule->kind == RULE_GROUP ? "group:" : "oid:");
	rule->value = o->guid;
	return 0;
}

static int
ruleset_make(struct ruleset *set, const struct conf_list *list,
    const char *where, bool oid_too, struct conf_error *why)
{
	int r;

	if (list->n == 0)
		return 0;
	if ((set->items = calloc(list->n, sizeof(*set->items))) == NULL)
		return AAD_ENOMEM;
	for (; set->n < list->n; set->n++)
		if ((r = rule_make(&set->items[set->n], &list->items[set->n],
			 where, oid_too, why)) != 0)
			return r;
	return 0;
}

static int
domains_make(struct rules *r, struct conf_error *why)
{
	const struct conf_list *list = &r->conf->domain;
	size_t i, k;
	char *s;

	if (list->n == 0)
		return 0;
	if ((r->domains = calloc(list->n, sizeof(*r->domains))) == NULL)
		return AAD_ENOMEM;
	for (i = 0; i < list->n; i++) {
		if ((s = strdup(list->items[i].value)) == NULL)
			return AAD_ENOMEM;
		for (k = 0; s[k] != '\0'; k++)
			s[k] = fold(s[k]);
		r->domains[i] = s;
		if (!name_domain_ok(s))
			return conf_fail(why, list->items[i].line,
			    "[map] domain: a whole DNS name is expected, such "
			    "as contoso.com, without '@', '*' or a dot at an "
			    "end");
	}
	if (r->conf->require.n == 0)
		return conf_fail(why, list->items[0].line,
		    "[map] domain without require would let in everybody of "
		    "that domain; add require = role:VALUE or group:GUID");
	return 0;
}

static int
never_check(const struct conf_list *list, struct conf_error *why)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		if (!name_login_ok(list->items[i].value))
			return conf_fail(why, list->items[i].line,
			    "[map] never: one login name is expected");
	return 0;
}

static int
logins_make(struct rules *r, struct conf_error *why)
{
	const struct conf *c = r->conf;
	const struct conf_login *login;
	size_t i;
	int e;

	if (c->nlogins == 0)
		return 0;
	if ((r->allow = calloc(c->nlogins, sizeof(*r->allow))) == NULL)
		return AAD_ENOMEM;
	for (i = 0; i < c->nlogins; i++) {
		login = &c->logins[i];
		if (login->allow.n == 0)
			return conf_fail(why, login->line,
			    "[login %s] has no allow, so nobody could ever be "
			    "it",
			    login->name);
		if (login->options != NULL && !name_options_ok(login->options))
			return conf_fail(why, login->options_line,
			    "[login %s] options: unknown option, or one twice, "
			    "or a blank",
			    login->name);
		e = ruleset_make(&r->allow[i], &login->allow, "[login] allow",
		    true, why);
		if (e != 0)
			return e;
	}
	return 0;
}

int
rules_new(const struct conf *c, struct rules **outp, struct conf_error *why)
{
	struct rules *new;
	int r = AAD_EINTERNAL;

	*outp = NULL;
	memset(why, 0, sizeof(*why));
	if ((new = calloc(1, sizeof(*new))) == NULL) {
		r = AAD_ENOMEM;
		goto out;
	}
	new->conf = c;
	if ((r = domains_make(new, why)) != 0 ||
	    (r = ruleset_make(&new->require, &c->require, "[map] require",
		 false, why)) != 0 ||
	    (r = never_check(&c->never, why)) != 0 ||
	    (r = logins_make(new, why)) != 0)
		goto out;
	*outp = new;
	new = NULL; /* now the caller's */
out:
	if (r == AAD_ENOMEM)
		conf_fail(why, 0, "out of memory");
	rules_free(new);
	return r;
}

void
rules_free(struct rules *r)
{
	size_t i;

	if (r == NULL)
		return;
	free(r->require.items);
	if (r->allow != NULL)
		for (i = 0; i < r->conf->nlogins; i++)
			free(r->allow[i].items);
	free(r->allow);
	if (r->domains != NULL)
		for (i = 0; i < r->conf->domain.n; i++)
			free(r->domains[i]);
	free(r->domains);
	free(r);
}

/* ---- asking ---- */

static const struct rule *
ruleset_at(const struct ruleset *set, size_t i)
{
	return i < set->n ? &set->items[i].rule : NULL;
}

bool
rules_is_mapped(const struct rules *r, const char *login)
{
	return conf_login_find(r->conf, login) == NULL;
}

unsigned int
rules_login_line(const struct rules *r, const char *login)
{
	const struct conf_login *l = conf_login_find(r->conf, login);

	return l == NULL ? 0 : l->line;
}

const char *
rules_options(const struct rules *r, const char *login)
{
	const struct conf_login *l = conf_login_find(r->conf, login);

	return l == NULL ? NULL : l->options;
}

const struct rule *
rules_allow(const struct rules *r, const char *login, size_t i)
{
	const struct conf_login *l = conf_login_find(r->conf, login);

	return l == NULL ? NULL : ruleset_at(&r->allow[l - r->conf->logins], i);
}

const struct rule *
rules_require(const struct rules *r, size_t i)
{
	return ruleset_at(&r->require, i);
}

bool
rules_has_map(const struct rules *r)
{
	return r->conf->domain.n > 0;
}

unsigned int
rules_domain(const struct rules *r, const char *domain)
{
	size_t i;

	for (i = 0; i < r->conf->domain.n; i++)
		if (strcmp(r->domains[i], domain) == 0)
			return r->conf->domain.items[i].line;
	return 0;
}

unsigned int
rules_never_line(const struct rules *r, const char *login)
{
	const struct conf_list *list = &r->conf->never;
	size_t i;

	for (i = 0; i < list->n; i++)
		if (same_folded(list->items[i].value, login))
			return list->items[i].line;
	return 0;
}

static bool
is_built_in(const char *login)
{
	char head[sizeof(NEVER_FAMILY)];
	size_t i;

	for (i = 0; i < sizeof(head) - 1 && login[i] != '\0'; i++)
		head[i] = login[i];
	head[i] = '\0';
	if (same_folded(head, NEVER_FAMILY))
		return true;
	for (i = 0; i < NNEVER; i++)
		if (same_folded(never[i], login))
			return true;
	return false;
}

size_t
rules_never_count(void)
{
	return NNEVER + 1;
}

bool
rules_is_never(const struct rules *r, const char *login)
{
	return is_built_in(login) || rules_never_line(r, login) != 0;
}

int64_t
rules_min_uid(const struct rules *r)
{
	return r->conf->min_uid;
}

const char *
rules_acrs(const struct rules *r, size_t i, unsigned int *linep)
{
	const struct conf_list *list = &r->conf->require_acrs;

	if (i >= list->n)
		return NULL;
	if (linep != NULL)
		*linep = list->items[i].line;
	return list->items[i].value;
}
