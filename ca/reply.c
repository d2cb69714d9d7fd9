/* SPDX-License-Identifier: ISC */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/reply.h"
#include "core/name.h"
#include "core/text.h"
#include "core/value.h"

#define CIDR_LEN_MAX 64 /* bytes of one range in text */

/* ---- principals ------------------------------------------------------- */

/* LOGIN or LOGIN@GROUP: the bytes of LOGIN, 0 when it is neither. */
static size_t
login_len(const char *principal)
{
	const char *at = strchr(principal, '@');
	size_t len = at == NULL ? strlen(principal) : (size_t)(at - principal);
	char login[NAME_LOGIN_MAX + 1];

	if (len == 0 || len > NAME_LOGIN_MAX)
		return 0;
	memcpy(login, principal, len);
	login[len] = '\0';
	if (!name_login_ok(login))
		return 0;
	if (at != NULL && (!value_group_ok(at + 1) || strcmp(at + 1, "*") == 0))
		return 0;
	return len;
}

static bool
is_name(const char *name, const char *p, size_t len)
{
	return strlen(name) == len && memcmp(name, p, len) == 0;
}

/* Whether the first len bytes are a name asked for; of those of nobody, the
 * login of the first principal. */
static bool
asked_for(const struct cert *c, const struct reply_ask *ask, const char *p,
    size_t len)
{
	size_t i;

	if (ask->nnames == 0)
		return login_len(c->principals[0]) == len &&
		       memcmp(c->principals[0], p, len) == 0;
	for (i = 0; i < ask->nnames; i++)
		if (is_name(ask->names[i], p, len))
			return true;
	return false;
}

static bool
principals_ok(const struct cert *c, const struct reply_ask *ask)
{
	const char *p;
	size_t i, len;

	for (i = 0; i < c->nprincipals; i++) {
		p = c->principals[i];
		len = ask->type == CERT_HOST ? strlen(p) : login_len(p);
		if (len == 0 || !asked_for(c, ask, p, len))
			return false;
	}
	return c->nprincipals > 0;
}

/* ---- addresses -------------------------------------------------------- */

/* The address in front of the prefix, and the prefix's bits. */
static bool
cidr_part(const char *cidr, char address[static CIDR_LEN_MAX], uint64_t *bitsp)
{
	const char *slash = strchr(cidr, '/');
	size_t len = slash == NULL ? strlen(cidr) : (size_t)(slash - cidr);

	if (len >= CIDR_LEN_MAX)
		return false;
	memcpy(address, cidr, len);
	address[len] = '\0';
	*bitsp = strchr(address, ':') == NULL ? 32 : 128;
	return slash == NULL || text_number(slash + 1, *bitsp, bitsp);
}

bool
reply_cidr_within(const char *outer, const char *inner)
{
	char a[CIDR_LEN_MAX], b[CIDR_LEN_MAX];
	uint64_t abits, bbits;

	/* NB. ::ffff:192.0.2.0/120 and 192.0.2.0/24 are the same to sshd, but
	 * nobody has to write both: the forms must agree, too. */
	return text_cidr_ok(outer) && text_cidr_ok(inner) &&
	       cidr_part(outer, a, &abits) && cidr_part(inner, b, &bbits) &&
	       (strchr(a, ':') == NULL) == (strchr(b, ':') == NULL) &&
	       bbits >= abits && text_cidr_has(outer, b);
}

/* One range of the certificate's list, len bytes. */
static bool
source_ok(const struct reply_ask *ask, const char *p, size_t len)
{
	char cidr[CIDR_LEN_MAX];
	size_t i;

	if (len == 0 || len >= sizeof(cidr) || memchr(p, '\0', len) != NULL)
		return false;
	memcpy(cidr, p, len);
	cidr[len] = '\0';
	for (i = 0; i < ask->nsources; i++)
		if (reply_cidr_within(ask->sources[i], cidr))
			return true;
	return false;
}

static bool
sources_ok(const struct reply_ask *ask, const char *list, size_t len)
{
	const char *comma;
	size_t n;

	if (ask->nsources == 0)
		return true;
	for (;;) {
		comma = memchr(list, ',', len);
		n = comma == NULL ? len : (size_t)(comma - list);
		if (!source_ok(ask, list, n))
			return false;
		if (comma == NULL)
			return true;
		list += n + 1;
		len -= n + 1;
	}
}

/* ---- options ---------------------------------------------------------- */

/* NULL, or what is wrong with the critical options. */
static const char *
criticals_fault(const struct cert *c, const struct reply_ask *ask)
{
	struct cert_options left = c->critical;
	const char *name, *value;
	size_t len, vlen;
	bool raw, narrowed = ask->nsources == 0;

	while (cert_option_next(&left, &name, &len, &value, &vlen, &raw)) {
		if (ask->type == CERT_HOST)
			return "a host certificate with a critical option";
		if (is_name("source-address", name, len)) {
			if (raw || value == NULL ||
			    !sources_ok(ask, value, vlen))
				return "source addresses wider than asked for";
			narrowed = true;
		} else if (is_name("force-command", name, len)) {
			if (raw || value == NULL)
				return "a command that is none";
		} else if (!is_name("verify-required", name, len) || raw ||
			   value != NULL) {
			return "a critical option that nobody knows";
		}
	}
	return narrowed ? NULL : "without the source addresses asked for";
}

/* ---- the whole -------------------------------------------------------- */

static bool
same_key(const struct key *a, const struct key *b)
{
	return a->kind != KEY_NONE && a->blob_len == b->blob_len &&
	       memcmp(a->blob, b->blob, a->blob_len) == 0;
}

static bool
published(const struct cert *c, const struct reply_ask *ask)
{
	size_t i;

	for (i = 0; i < ask->ncas; i++)
		if (same_key(&ask->cas[i], &c->ca))
			return true;
	return false;
}

static const char *
times_fault(const struct cert *c, const struct reply_ask *ask)
{
	uint64_t now = ask->now < 0 ? 0 : (uint64_t)ask->now;
	uint64_t ttl = ask->ttl < 0 ? 0 : (uint64_t)ask->ttl;

	if (c->valid_before > now + ttl)
		return "it lives longer than asked for";
	if (c->valid_before <= now)
		return "it has ended already";
	if (c->valid_after + REPLY_BACKDATE_MAX < now || c->valid_after > now)
		return "it begins at another time than now";
	return NULL;
}

int
reply_check(const struct cert *c, const struct reply_ask *ask,
    const char **faultp)
{
	int r;

	if (c->type != ask->type)
		*faultp = "a certificate of the other type";
	else if (!same_key(&c->key, ask->key))
		*faultp = "a certificate of another key";
	else if (!published(c, ask))
		*faultp = "signed by an authority that is not published";
	else if (!principals_ok(c, ask))
		*faultp = "principals that were not asked for";
	else if ((*faultp = times_fault(c, ask)) == NULL)
		*faultp = criticals_fault(c, ask);
	if (*faultp != NULL)
		return AAD_EREFUSED;
	if ((r = cert_verify(c)) == 0 || r == AAD_ENOMEM)
		return r;
	*faultp = "the signature is not the authority's";
	return AAD_EREFUSED;
}

/* Whether it opens this login, of len bytes, somewhere. */
static bool
opens(const struct cert *c, const char *login, size_t len)
{
	size_t i;

	for (i = 0; len > 0 && i < c->nprincipals; i++)
		if (login_len(c->principals[i]) == len &&
		    memcmp(c->principals[i], login, len) == 0)
			return true;
	return false;
}

/* Whether it opens the login that its user's name maps to. */
static bool
opens_own(const struct cert *c)
{
	return c->key_id != NULL &&
	       opens(c, c->key_id, strcspn(c->key_id, "@ "));
}

bool
reply_fresh(const struct cert *c, const struct reply_ask *ask, int64_t min_left)
{
	uint64_t now = ask->now < 0 ? 0 : (uint64_t)ask->now;
	uint64_t left = min_left < 0 ? 0 : (uint64_t)min_left;
	size_t i;

	if (c->type != ask->type || !same_key(&c->key, ask->key) ||
	    !published(c, ask) || c->valid_after > now ||
	    c->valid_before <= now || c->valid_before - now < left)
		return false;
	if (ask->nnames == 0 && !opens_own(c))
		return false;
	for (i = 0; i < ask->nnames; i++)
		if (!opens(c, ask->names[i], strlen(ask->names[i])))
			return false;
	return criticals_fault(c, ask) == NULL;
}
