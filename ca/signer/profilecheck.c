/* SPDX-License-Identifier: ISC */

/* profile_check(): what a configuration must say before anybody asks. */

#include <string.h>

#include "ca/signer/option.h"
#include "ca/signer/profile.h"

static bool
key_type_ok(const char *name)
{
	struct key key;
	int kind;

	memset(&key, 0, sizeof(key));
	for (kind = KEY_NONE + 1; kind <= KEY_SK_ECDSA_256; kind++) {
		key.kind = (enum key_kind)kind;
		if (strcmp(key_type_name(&key), name) == 0)
			return true;
	}
	return false;
}

/* A login, or "*", that an earlier profile speaks for. */
static int
logins_check(const struct conf *c, size_t at, struct conf_error *why)
{
	const struct conf_profile *p = &c->profiles[at], *other;
	const struct conf_item *item;
	size_t i, k, m;

	for (i = 0; i < p->logins.n; i++) {
		item = &p->logins.items[i];
		for (k = 0; k < at; k++) {
			other = &c->profiles[k];
			for (m = 0; m < other->logins.n; m++)
				if (strcmp(other->logins.items[m].value,
					item->value) == 0)
					return conf_fail(why, item->line,
					    "[profile %s] for: %s is in "
					    "[profile %s] already",
					    p->name, item->value, other->name);
		}
	}
	return 0;
}

static int
extensions_check(const struct conf_profile *p, struct conf_error *why)
{
	const struct conf_item *item;
	size_t i;

	for (i = 0; i < p->extensions.n; i++) {
		item = &p->extensions.items[i];
		if (strcmp(item->value, "none") == 0 && p->extensions.n == 1)
			return 0;
		if (!option_extension_ok(item->value))
			return conf_fail(why, item->line,
			    "[profile %s] extensions: %.40s is none that can "
			    "be given, or does not stand alone",
			    p->name, item->value);
	}
	return 0;
}

static int
keys_check(const struct conf_profile *p, struct conf_error *why)
{
	const struct conf_item *item;
	size_t i;

	for (i = 0; i < p->key_types.n; i++) {
		item = &p->key_types.items[i];
		if (!key_type_ok(item->value))
			return conf_fail(why, item->line,
			    "[profile %s] key_types: %.40s is no type of a key",
			    p->name, item->value);
	}
	return 0;
}

static int
addresses_check(const struct conf_profile *p, struct conf_error *why)
{
	const struct conf_item *item;
	size_t i;

	for (i = 0; i < p->source_address.n; i++) {
		item = &p->source_address.items[i];
		if (i >= OPTION_ADDRESSES_MAX)
			return conf_fail(why, item->line,
			    "[profile %s] source_address: %d are the most",
			    p->name, OPTION_ADDRESSES_MAX);
		if (!option_address_ok(item->value))
			return conf_fail(why, item->line,
			    "[profile %s] source_address: %.50s is none that "
			    "sshd matches; write IPv4 as IPv4",
			    p->name, item->value);
	}
	return 0;
}

/* Whoever may be a login must find a host to be it at. */
static int
hosts_check(const struct conf *c, struct conf_error *why)
{
	size_t i;

	for (i = 0; i < c->nlogins; i++)
		if (c->logins[i].hosts.n == 0)
			return conf_fail(why, c->logins[i].line,
			    "[login %s] has no hosts; write their groups, or "
			    "hosts = *",
			    c->logins[i].name);
	if (c->domain.n > 0 && c->map_hosts.n == 0)
		return conf_fail(why, c->domain.items[0].line,
		    "[map] has a domain and no hosts; write their groups, or "
		    "hosts = *");
	return 0;
}

int
profile_check(const struct conf *c, const struct rules *r,
    struct conf_error *why)
{
	size_t i;
	int e;

	(void)r;
	memset(why, 0, sizeof(*why));
	if (!c->has_ca)
		return conf_fail(why, 0, "there is no section [ca]");
	for (i = 0; i < c->nprofiles; i++)
		if ((e = logins_check(c, i, why)) != 0 ||
		    (e = extensions_check(&c->profiles[i], why)) != 0 ||
		    (e = keys_check(&c->profiles[i], why)) != 0 ||
		    (e = addresses_check(&c->profiles[i], why)) != 0)
			return e;
	return hosts_check(c, why);
}
