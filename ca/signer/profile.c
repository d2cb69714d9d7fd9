/* SPDX-License-Identifier: ISC */

/*
 * Who may try to get more here than is theirs: a person who asks for logins,
 * a lifetime or addresses that the configuration does not give, whose user
 * name looks like fields of a key id, or whose login looks like a pattern.
 * So nothing that is asked is ever taken over: it is compared with what the
 * configuration gives, and the lesser of both is granted.
 */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/signer/option.h"
#include "ca/signer/profile.h"
#include "core/name.h"
#include "core/text.h"
#include "core/value.h"
#include "policy/policy.h"

#define DAY	      INT64_C(86400)
#define TTL_DEFAULT   INT64_C(28800) /* where no profile is configured */
#define UPN_SHOWN_MAX 128 /* bytes of a user name in a key id */
#define UTI_MAX	      64
#define KEY_ID_HOST   800 /* bytes of names in a host's key id */

/* What is asked for, and what grows of it. */
struct work {
	struct profile_grant *g;
	size_t bytes; /* of the principals, on the wire */
	enum reason *whyp;
	char *fault;
};

static int __attribute__((format(printf, 3, 4)))
refuse(const struct work *w, enum reason why, const char *fmt, ...)
{
	char raw[PROFILE_FAULT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(raw, sizeof(raw), fmt, ap);
	va_end(ap);
	text_clean(raw, strlen(raw), w->fault, PROFILE_FAULT_MAX);
	*w->whyp = why;
	return AAD_EREFUSED;
}

/* ---- principals ---- */

bool
profile_principal_ok(const char *s)
{
	char login[NAME_LOGIN_MAX + 1];
	size_t len = strcspn(s, "@");

	if (len > NAME_LOGIN_MAX)
		return false;
	memcpy(login, s, len);
	login[len] = '\0';
	if (!name_login_ok(login))
		return false;
	return s[len] == '\0' ||
	       (value_group_ok(s + len + 1) && s[len + 1] != '*');
}

/* Add a copy where it belongs in a sorted list, unless it is there. */
static int
insert(char ***listp, size_t *np, const char *s)
{
	size_t i = *np, low = 0, high = *np;
	char **list, *copy;

	while (low < high) {
		i = low + (high - low) / 2;
		if (strcmp((*listp)[i], s) < 0)
			low = i + 1;
		else
			high = i;
	}
	if (low < *np && strcmp((*listp)[low], s) == 0)
		return 0;
	if ((copy = strdup(s)) == NULL)
		return AAD_ENOMEM;
	list = realloc(*listp, (*np + 1) * sizeof(*list));
	if (list == NULL) {
		free(copy);
		return AAD_ENOMEM;
	}
	memmove(&list[low + 1], &list[low], (*np - low) * sizeof(*list));
	list[low] = copy;
	*listp = list;
	++*np;
	return 0;
}

/* why: what it is when a certificate can't hold one more. */
static int
principal_add(struct work *w, const char *s, enum reason why)
{
	struct profile_grant *g = w->g;
	size_t before = g->nprincipals;
	int r;

	if ((r = insert(&g->principals, &g->nprincipals, s)) != 0)
		return r;
	if (g->nprincipals == before)
		return 0;
	w->bytes += 4 + strlen(s);
	if (g->nprincipals > CERT_PRINCIPALS_MAX)
		return refuse(w, why, "more than %d of them",
		    CERT_PRINCIPALS_MAX);
	if (w->bytes > PROFILE_PRINCIPALS_MAX)
		return refuse(w, why, "together they have more than %d bytes",
		    PROFILE_PRINCIPALS_MAX);
	return 0;
}

/* What a login is at the hosts that it opens. */
static int
login_principals(struct work *w, const struct conf *c, const char *login)
{
	const struct conf_login *section = conf_login_find(c, login);
	const struct conf_list *hosts = section != NULL ? &section->hosts
							: &c->map_hosts;
	char principal[NAME_LOGIN_MAX + 1 + VALUE_GROUP_MAX + 1];
	const char *group;
	size_t i;
	int r;

	if (hosts->n == 0)
		return refuse(w, AAD_R_LOGIN_NO_HOSTS, "%s", login);
	for (i = 0; i < hosts->n; i++) {
		group = hosts->items[i].value;
		if (strcmp(group, "*") == 0)
			snprintf(principal, sizeof(principal), "%s", login);
		else
			snprintf(principal, sizeof(principal), "%s@%s", login,
			    group);
		if (!profile_principal_ok(principal))
			return refuse(w, AAD_R_BAD_LOGIN, "%s", principal);
		r = principal_add(w, principal, AAD_R_TOO_MANY_PRINCIPALS);
		if (r != 0)
			return r;
	}
	return 0;
}

/* ---- logins ---- */

static int
login_judge(struct work *w, const struct profile_ask *ask, const char *login)
{
	struct policy_answer a;
	int r;

	if (!name_login_ok(login))
		return refuse(w, AAD_R_BAD_LOGIN, "%.64s", login);
	a = policy_decide(ask->claims, login, POLICY_UID_UNJUDGED, ask->rules);
	if (a.verdict != ALLOW)
		return refuse(w, a.reason, "%s: %s", login, a.rule);
	if ((r = insert(&w->g->logins, &w->g->nlogins, login)) != 0)
		return r;
	if (w->g->nlogins > CERT_PRINCIPALS_MAX)
		return refuse(w, AAD_R_TOO_MANY_PRINCIPALS,
		    "more than %d logins", CERT_PRINCIPALS_MAX);
	return 0;
}

/* The login that [map] gives by the user name, when nobody names one. */
static int
login_own(struct work *w, const struct profile_ask *ask)
{
	const char *upn = claims_upn(ask->claims);
	char login[NAME_LOGIN_MAX + 1];
	size_t len = upn == NULL ? 0 : strcspn(upn, "@");
	int r;

	if (len == 0 || len > NAME_LOGIN_MAX)
		return refuse(w, AAD_R_NO_PRINCIPALS,
		    "the user name is no login");
	memcpy(login, upn, len);
	login[len] = '\0';
	if (!name_login_ok(login))
		return refuse(w, AAD_R_NO_PRINCIPALS,
		    "the user name is no login");
	if (!rules_is_mapped(ask->rules, login))
		return refuse(w, AAD_R_NO_PRINCIPALS,
		    "%s has a section of its own, so it has to be asked for",
		    login);
	r = login_judge(w, ask, login);
	if (r == AAD_EREFUSED)
		return refuse(w, AAD_R_NO_PRINCIPALS, "%s (%.200s)",
		    reason_name(*w->whyp), w->fault);
	return r;
}

/* All of them, their one profile, and what they are at hosts. */
static int
logins_judge(struct work *w, const struct profile_ask *ask,
    const struct conf_profile **profilep)
{
	const struct conf_profile *one;
	struct profile_grant *g = w->g;
	size_t i;
	int r = 0;

	if (ask->nlogins == 0)
		r = login_own(w, ask);
	for (i = 0; i < ask->nlogins && r == 0; i++)
		r = login_judge(w, ask, ask->logins[i]);
	for (i = 0; i < g->nlogins && r == 0; i++) {
		one = conf_profile_of(ask->conf, g->logins[i]);
		if (i > 0 && one != *profilep)
			return refuse(w, AAD_R_TWO_PROFILES, "%s and %s",
			    g->logins[0], g->logins[i]);
		*profilep = one;
	}
	for (i = 0; i < g->nlogins && r == 0; i++)
		r = login_principals(w, ask->conf, g->logins[i]);
	if (r == 0 && (g->nlogins == 0 || g->nprincipals == 0))
		return refuse(w, AAD_R_NO_PRINCIPALS, "%s", "");
	return r;
}

/* ---- key, times, addresses ---- */

static int
key_judge(struct work *w, const struct conf_profile *p, const struct key *key)
{
	const char *name = key_type_name(key);
	size_t i;

	if (key->kind == KEY_NONE)
		return refuse(w, AAD_R_SUBJECT_KEY_TYPE, "%s", name);
	if (p == NULL || p->key_types.n == 0)
		return 0;
	for (i = 0; i < p->key_types.n; i++)
		if (strcmp(p->key_types.items[i].value, name) == 0)
			return 0;
	return refuse(w, AAD_R_SUBJECT_KEY_TYPE, "%s", name);
}

static int64_t
least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/*
 * From now on for the least of what is asked and given, and not past last.
 * now: no clock says less than 1 or more than 9999-12-31.  All sums stay
 * below 2^63: what is added was checked to be within 2^62.
 */
static int
times_set(struct work *w, int64_t now, int64_t ttl, int64_t max, int64_t last)
{
	int64_t end;

	if (now < 1 || now >= CLAIMS_TIME_MAX)
		return refuse(w, AAD_R_TTL, "the clock is wrong");
	end = least(now + least(ttl, max), last);
	end = least(end, CLAIMS_TIME_MAX);
	if (end <= now)
		return refuse(w, AAD_R_TTL, "%s", "");
	w->g->valid_after = now > PROFILE_BACKDATE
				? (uint64_t)(now - PROFILE_BACKDATE)
				: 1;
	w->g->valid_before = (uint64_t)end;
	return 0;
}

/* What is asked as a number that can be added; 0 for what can't be given. */
static int64_t
ttl_asked(bool has_ttl, uint64_t ttl, int64_t otherwise)
{
	if (!has_ttl)
		return otherwise;
	if (ttl > INT64_MAX)
		return 0; /* somebody's negative number */
	return least((int64_t)ttl, CLAIMS_TIME_MAX);
}

static int
times_judge(struct work *w, const struct profile_ask *ask,
    const struct conf_profile *p)
{
	int64_t given = p != NULL ? p->ttl : TTL_DEFAULT;
	int64_t max = p != NULL ? p->max_ttl : DAY;
	int64_t ttl = ttl_asked(ask->has_ttl, ask->ttl, given);
	/* Nobody signed in later than now, or before there was a clock. */
	int64_t signed_in = least(ask->claims->iat, ask->now), last;

	if (ttl < 1)
		return refuse(w, AAD_R_TTL, "%s", "");
	if (signed_in < 0)
		signed_in = 0;
	last = least(signed_in, CLAIMS_TIME_MAX) + ask->conf->sign_in_max_age;
	if (last <= ask->now)
		return refuse(w, AAD_R_SIGN_IN_STALE, "%s", "");
	return times_set(w, ask->now, ttl, max, last);
}

/* Whether a range that is asked for lies within one that the profile has. */
static bool
address_given(const struct conf_profile *p, const char *cidr)
{
	size_t i;

	if (p == NULL || p->source_address.n == 0)
		return true;
	for (i = 0; i < p->source_address.n; i++)
		if (text_cidr_within(p->source_address.items[i].value, cidr))
			return true;
	return false;
}

static int
addresses_judge(struct work *w, const struct profile_ask *ask,
    const struct conf_profile *p)
{
	const char *cidrs[OPTION_ADDRESSES_MAX];
	size_t given = p != NULL ? p->source_address.n : 0, i;
	size_t n = ask->nsources > 0 ? ask->nsources : given;

	if (n > OPTION_ADDRESSES_MAX)
		return refuse(w, AAD_R_SOURCE_ADDRESS, "more than %d of them",
		    OPTION_ADDRESSES_MAX);
	if (n == 0)
		return 0;
	for (i = 0; i < n; i++) {
		cidrs[i] = ask->nsources > 0 ? ask->sources[i]
					     : p->source_address.items[i].value;
		if (!option_address_ok(cidrs[i]) || !address_given(p, cidrs[i]))
			return refuse(w, AAD_R_SOURCE_ADDRESS, "%.64s",
			    cidrs[i]);
	}
	return option_join(cidrs, n, &w->g->source_address);
}

static void
options_set(struct profile_grant *g, const struct conf_profile *p)
{
	if (p != NULL && p->force_command != NULL)
		g->critical[g->ncritical++] = (struct cert_option){
			"force-command", p->force_command
		};
	if (g->source_address != NULL)
		g->critical[g->ncritical++] = (struct cert_option){
			"source-address", g->source_address
		};
	g->nextensions = option_extensions(p, g->extensions);
}

/* ---- the key id ---- */

/* A user name as one word of the key id. */
static void
upn_word(const char *upn, char out[static UPN_SHOWN_MAX + 1])
{
	size_t i;

	if (upn == NULL || upn[0] == '\0')
		upn = "-";
	for (i = 0; i < UPN_SHOWN_MAX && upn[i] != '\0'; i++)
		out[i] = upn[i] > ' ' && upn[i] <= '~' ? upn[i] : '?';
	out[i] = '\0';
}

/* "UPN oid=… tid=… uti=…": cert_key_oid() reads it from the right. */
static int
key_id_set(struct profile_grant *g, const struct claims *c)
{
	char upn[UPN_SHOWN_MAX + 1], id[512];
	const char *uti = c->uti;

	upn_word(claims_upn(c), upn);
	if (uti == NULL || !name_kid_ok(uti) || strlen(uti) > UTI_MAX)
		uti = "-";
	snprintf(id, sizeof(id), "%s oid=%s tid=%s uti=%s", upn, c->oid, c->tid,
	    uti);
	return (g->key_id = strdup(id)) == NULL ? AAD_ENOMEM : 0;
}

/* "host NAME,NAME", and how many more there are when it gets long. */
static int
key_id_set_host(struct profile_grant *g)
{
	char id[KEY_ID_HOST + 64];
	size_t i, n;

	n = (size_t)snprintf(id, sizeof(id), "host %s", g->principals[0]);
	for (i = 1; i < g->nprincipals; i++) {
		if (n + 1 + strlen(g->principals[i]) > KEY_ID_HOST) {
			snprintf(id + n, sizeof(id) - n, " and %zu more",
			    g->nprincipals - i);
			break;
		}
		n += (size_t)snprintf(id + n, sizeof(id) - n, ",%s",
		    g->principals[i]);
	}
	return (g->key_id = strdup(id)) == NULL ? AAD_ENOMEM : 0;
}

/* ---- grants ---- */

static struct work
work_start(struct profile_grant *g, enum reason *whyp, char *fault)
{
	struct work w = { g, 0, whyp, fault };

	memset(g, 0, sizeof(*g));
	*whyp = AAD_R_UNSET;
	fault[0] = '\0';
	return w;
}

static int
work_end(const struct work *w, int r)
{
	if (r == AAD_ENOMEM)
		*w->whyp = AAD_R_NO_MEMORY;
	if (r != 0)
		profile_release(w->g);
	return r;
}

int
profile_grant(const struct profile_ask *ask, struct profile_grant *g,
    enum reason *whyp, char fault[static PROFILE_FAULT_MAX])
{
	struct work w = work_start(g, whyp, fault);
	const struct conf_profile *p = NULL;
	int r;

	if ((r = logins_judge(&w, ask, &p)) != 0 ||
	    (r = key_judge(&w, p, ask->key)) != 0 ||
	    (r = times_judge(&w, ask, p)) != 0 ||
	    (r = addresses_judge(&w, ask, p)) != 0 ||
	    (r = key_id_set(g, ask->claims)) != 0)
		return work_end(&w, r);
	options_set(g, p);
	g->profile = p != NULL ? p->name : "default";
	return 0;
}

/* A DNS name, and not an address that looks like one. */
static bool
host_name_ok(const char *name)
{
	const char *last = strrchr(name, '.');

	return name_domain_ok(name) && last != NULL &&
	       strspn(last + 1, "0123456789") != strlen(last + 1);
}

static int
names_judge(struct work *w, const char *const *names, size_t nnames)
{
	size_t i;
	int r;

	if (nnames == 0)
		return refuse(w, AAD_R_HOST_NAME, "none is named");
	if (nnames > PROFILE_HOST_NAMES)
		return refuse(w, AAD_R_HOST_NAME, "more than %d of them",
		    PROFILE_HOST_NAMES);
	for (i = 0; i < nnames; i++) {
		if (!host_name_ok(names[i]))
			return refuse(w, AAD_R_HOST_NAME, "%.200s", names[i]);
		if ((r = principal_add(w, names[i], AAD_R_HOST_NAME)) != 0)
			return r;
	}
	return 0;
}

int
profile_grant_host(const struct conf *conf, const struct key *key,
    const char *const *names, size_t nnames, bool has_ttl, uint64_t ttl,
    int64_t now, struct profile_grant *g, enum reason *whyp,
    char fault[static PROFILE_FAULT_MAX])
{
	struct work w = work_start(g, whyp, fault);
	int64_t asked = ttl_asked(has_ttl, ttl, conf->host_ttl);
	int r;

	if ((r = names_judge(&w, names, nnames)) != 0)
		return work_end(&w, r);
	if (key->kind == KEY_NONE || key->kind == KEY_SK_ED25519 ||
	    key->kind == KEY_SK_ECDSA_256)
		r = refuse(&w, AAD_R_SUBJECT_KEY_TYPE, "%s",
		    key_type_name(key));
	else if (asked < 1)
		r = refuse(&w, AAD_R_TTL, "%s", "");
	else
		r = times_set(&w, now, asked, conf->host_max_ttl,
		    CLAIMS_TIME_MAX);
	if (r != 0 || (r = key_id_set_host(g)) != 0)
		return work_end(&w, r);
	g->profile = "host";
	return 0;
}

static void
list_free(char **list, size_t n)
{
	while (n > 0)
		free(list[--n]);
	free(list);
}

void
profile_release(struct profile_grant *g)
{
	list_free(g->logins, g->nlogins);
	list_free(g->principals, g->nprincipals);
	free(g->source_address);
	free(g->key_id);
	memset(g, 0, sizeof(*g));
}
