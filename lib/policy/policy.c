/* SPDX-License-Identifier: ISC */

/*
 * Who may try to get in here, and what stands against it: a person whose
 * user name looks like another's (bytes only, one '@', nothing but ASCII), a
 * guest whose name is chosen elsewhere, a person who was given the name of
 * one who left (pins, lib/host), a group list that is not whole (unknown is
 * not none).  Every answer starts as DENY; one line in one place says ALLOW.
 */

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/name.h"
#include "core/text.h"
#include "policy/policy.h"

#define DOMAIN_MAX 253 /* RFC 1035 s.2.3.4 */
#define UID_LAST   INT64_C(4294967294)

/* What is asked; the answer grows in *a. */
struct question {
	const struct claims *c;
	const char *login;
	int64_t uid;
	const struct rules *r;
	struct policy_answer *a;
};

/* Which rules hold: the first that matches, the first that can't be told. */
struct match {
	const struct rule *yes;
	const struct rule *unknown;
};

static bool refuse(const struct question *q, enum reason reason,
    unsigned int line, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

static void __attribute__((format(printf, 3, 0)))
rule_text(struct policy_answer *a, unsigned int line, const char *fmt,
    va_list ap)
{
	char raw[sizeof(a->rule)];

	vsnprintf(raw, sizeof(raw), fmt, ap);
	text_clean(raw, strlen(raw), a->rule, sizeof(a->rule));
	a->line = line;
}

/* Write down a no; returns false for the caller to pass on. */
static bool
refuse(const struct question *q, enum reason reason, unsigned int line,
    const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	rule_text(q->a, line, fmt, ap);
	va_end(ap);
	q->a->verdict = DENY;
	q->a->reason = reason;
	return false;
}

/* Name the rule that holds; it takes policy_decide() to make it a yes. */
static bool __attribute__((format(printf, 3, 4)))
holds(const struct question *q, unsigned int line, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	rule_text(q->a, line, fmt, ap);
	va_end(ap);
	return true;
}

/* ---- rules ---- */

/* Compare with rules one by one; mapped: the require rules of [map]. */
static struct match
rules_match(const struct question *q, bool mapped)
{
	struct match m = { NULL, NULL };
	const struct claims *c = q->c;
	const struct rule *rule;
	bool yes;
	size_t i;

	for (i = 0; m.yes == NULL; i++) {
		rule = mapped ? rules_require(q->r, i)
			      : rules_allow(q->r, q->login, i);
		if (rule == NULL)
			break;
		yes = false;
		switch (rule->kind) {
		case RULE_ROLE:
			yes = claims_has(&c->roles, rule->value);
			break;
		case RULE_GROUP:
			if (!c->groups_unknown)
				yes = claims_has(&c->groups, rule->value);
			else if (m.unknown == NULL)
				m.unknown = rule;
			break;
		case RULE_OID:
			yes = strcmp(c->oid, rule->value) == 0;
			break;
		}
		if (yes)
			m.yes = rule;
	}
	return m;
}

static bool
section_decide(const struct question *q)
{
	struct match m = rules_match(q, false);

	if (m.yes != NULL)
		return holds(q, m.yes->line, "[login %s] allow = %s", q->login,
		    m.yes->text);
	if (m.unknown != NULL)
		return refuse(q, AAD_R_GROUPS_UNKNOWN, m.unknown->line,
		    "[login %s] allow = %s", q->login, m.unknown->text);
	return refuse(q, AAD_R_NOT_ALLOWED, rules_login_line(q->r, q->login),
	    "[login %s]: none of its allow rules matches", q->login);
}

/* ---- the user name ---- */

/* Whether a name has "#EXT#" in it, in any case. */
static bool
has_ext(const char *name)
{
	size_t i;

	for (i = 0; name != NULL && name[i] != '\0'; i++)
		if (name[i] == '#' && (name[i + 1] | 0x20) == 'e' &&
		    (name[i + 2] | 0x20) == 'x' &&
		    (name[i + 3] | 0x20) == 't' && name[i + 4] == '#')
			return true;
	return false;
}

static bool
guest_judge(const struct question *q)
{
	const struct claims *c = q->c;

	if (c->idp != NULL && strcmp(c->idp, c->iss) != 0)
		return refuse(q, AAD_R_GUEST, 0, "claim idp is not the issuer");
	if (c->acct != CLAIMS_ACCT_ABSENT && c->acct != CLAIMS_ACCT_MEMBER)
		return refuse(q, AAD_R_GUEST, 0, "claim acct is not 0");
	if (has_ext(c->upn) || has_ext(c->preferred_username))
		return refuse(q, AAD_R_GUEST, 0, "#EXT# in the user name");
	return true;
}

/*
 * Split "local@domain" at its only '@', the domain folded to lower case.
 * *locallenp: of the part before it.
 */
static bool
upn_split(const struct question *q, const char *upn, size_t *locallenp,
    char domain[static DOMAIN_MAX + 1])
{
	const char *at;
	size_t i;

	if (upn == NULL || upn[0] == '\0')
		return refuse(q, AAD_R_NO_UPN, 0,
		    "claims upn and preferred_username are absent");
	for (i = 0; upn[i] != '\0'; i++)
		if (upn[i] <= ' ' || upn[i] > '~')
			return refuse(q, AAD_R_NO_UPN, 0,
			    "the user name has a blank or a byte that is not "
			    "ASCII");
	at = strchr(upn, '@');
	if (at == NULL || at == upn || strchr(at + 1, '@') != NULL)
		return refuse(q, AAD_R_NO_UPN, 0,
		    "user name %s is not NAME@DOMAIN", upn);
	*locallenp = (size_t)(at - upn);
	for (i = 0, at++; at[i] != '\0' && i < DOMAIN_MAX; i++)
		domain[i] = at[i] >= 'A' && at[i] <= 'Z'
				? (char)(at[i] - 'A' + 'a')
				: at[i];
	domain[i] = '\0';
	if (at[i] != '\0' || !name_domain_ok(domain))
		return refuse(q, AAD_R_NO_UPN, 0,
		    "user name %s does not end in a DNS name", upn);
	return true;
}

static bool
upn_judge(const struct question *q)
{
	const char *upn = claims_upn(q->c);
	char domain[DOMAIN_MAX + 1];
	size_t len = 0;

	if (!upn_split(q, upn, &len, domain))
		return false;
	if (rules_domain(q->r, domain) == 0)
		return refuse(q, AAD_R_DOMAIN_NOT_LISTED, 0,
		    "[map] domain does not list %s", domain);
	if (strlen(q->login) != len || memcmp(q->login, upn, len) != 0)
		return refuse(q, AAD_R_NOT_THIS_LOGIN, 0,
		    "user name %s is not login %s", upn, q->login);
	return true;
}

/* ---- [map] ---- */

/* What stands against mapping this account, whoever asks. */
static bool
login_judge(const struct question *q)
{
	int64_t min = rules_min_uid(q->r);
	unsigned int line;

	if (!rules_has_map(q->r))
		return refuse(q, AAD_R_NO_RULES, 0,
		    "no [login %s] section, and no domain in [map]", q->login);
	line = rules_never_line(q->r, q->login);
	if (line != 0)
		return refuse(q, AAD_R_LOGIN_NEVER, line, "[map] never = %s",
		    q->login);
	if (rules_is_never(q->r, q->login))
		return refuse(q, AAD_R_LOGIN_NEVER, 0,
		    "[map] never, built in: %s", q->login);
	if (q->uid != POLICY_UID_UNJUDGED &&
	    (q->uid < min || q->uid > UID_LAST))
		return refuse(q, AAD_R_UID_TOO_LOW, 0,
		    "[map] min_uid = %" PRId64 ", the account has %" PRId64,
		    min, q->uid);
	return true;
}

static bool
map_decide(const struct question *q)
{
	struct match m;

	if (!login_judge(q) || !guest_judge(q) || !upn_judge(q))
		return false;
	m = rules_match(q, true);
	if (m.yes != NULL)
		return holds(q, m.yes->line, "[map] require = %s", m.yes->text);
	if (m.unknown != NULL)
		return refuse(q, AAD_R_GROUPS_UNKNOWN, m.unknown->line,
		    "[map] require = %s", m.unknown->text);
	return refuse(q, AAD_R_REQUIRE_NOT_MET, 0,
	    "[map] require: none of its rules matches");
}

/* Every configured authentication context is in the token. */
static bool
acrs_judge(const struct question *q)
{
	const char *acr;
	unsigned int line = 0;
	size_t i;

	for (i = 0; (acr = rules_acrs(q->r, i, &line)) != NULL; i++)
		if (!claims_has(&q->c->acrs, acr))
			return refuse(q, AAD_R_ACRS_MISSING, line,
			    "[idp] require_acrs = %s", acr);
	return true;
}

struct policy_answer
policy_decide(const struct claims *c, const char *login, int64_t uid,
    const struct rules *r)
{
	struct policy_answer a;
	struct question q = { c, login, uid, r, &a };

	memset(&a, 0, sizeof(a));
	if (!name_login_ok(login)) {
		refuse(&q, AAD_R_BAD_LOGIN, 0, "the grammar of login names");
		return a;
	}
	if (!(rules_is_mapped(r, login) ? map_decide(&q)
					: section_decide(&q)) ||
	    !acrs_judge(&q))
		return a;
	a.verdict = ALLOW;
	a.reason = AAD_R_ALLOWED;
	return a;
}
