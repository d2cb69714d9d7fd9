/* SPDX-License-Identifier: ISC */

/*
 * rules: the [map] and [login NAME] sections with their meaning checked.
 * Default deny: what no rule gives, nobody has.
 */

#ifndef AAD_RULES_H
#define AAD_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/conf.h"
#include "core/err.h"

enum rule_kind {
	RULE_ROLE, /* role:VALUE, byte for byte a value of claim roles */
	RULE_GROUP, /* group:GUID, an object id in claim groups */
	RULE_OID /* oid:GUID */
};

struct rule {
	enum rule_kind kind;
	const char *value; /* lower-case GUID, or the role */
	const char *text; /* as written */
	unsigned int line; /* in the configuration */
};

struct rules;

/*
 * Give meaning to a configuration.
 *
 * c: borrowed as long as *outp lives.
 * Checked: every allow and require is role:, group:GUID or oid:GUID (require:
 * no oid); every domain a DNS name; a [map] with a domain has a require; a
 * [login] section has at least one allow; options are
 * name_options_ok(); never names are login names.
 * Returns 0; AAD_EFORMAT with *why; AAD_ENOMEM.
 */
int rules_new(const struct conf *c, struct rules **outp,
    struct conf_error *why) AAD_MUST_CHECK;

void rules_free(struct rules *r);

/* Whether login has no [login] section, so that [map] speaks for it. */
bool rules_is_mapped(const struct rules *r, const char *login);

/* The options for this login's authorized_keys line, or NULL.  Borrowed. */
const char *rules_options(const struct rules *r, const char *login);

/* The i-th allow rule of a [login] section, NULL behind the last. */
const struct rule *rules_allow(const struct rules *r, const char *login,
    size_t i);

/* The i-th [map] require rule, NULL behind the last. */
const struct rule *rules_require(const struct rules *r, size_t i);

/* The line of the [map] domain that equals this one, 0 when none does. */
unsigned int rules_domain(const struct rules *r, const char *domain);

/* Whether a login is never mapped: built in, or listed in never. */
bool rules_is_never(const struct rules *r, const char *login);

/* The line of the [map] never that lists this login, 0 when none does. */
unsigned int rules_never_line(const struct rules *r, const char *login);

int64_t rules_min_uid(const struct rules *r);

/* How many logins are built in as never, the systemd- family as one. */
size_t rules_never_count(void);

/* Whether [map] gives anybody anything: it has a domain. */
bool rules_has_map(const struct rules *r);

/* The line of a login's [login NAME] section, 0 when it has none. */
unsigned int rules_login_line(const struct rules *r, const char *login);

/*
 * Every value that claim acrs must hold; NULL behind the last.
 * linep: its line in the configuration, or NULL.
 */
const char *rules_acrs(const struct rules *r, size_t i, unsigned int *linep);

#endif /* AAD_RULES_H */
