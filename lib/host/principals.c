/* SPDX-License-Identifier: ISC */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "host/denial.h"
#include "host/pin.h"
#include "host/principals.h"
#include "ssh/cert.h"

/* Everything that one decision opens and parses. */
struct work {
	const struct principals_ask *ask;
	struct principals *p;
	struct cert cert;
	struct cache cache; /* closed: this host keeps no state */
	bool denials; /* it keeps denials */
	bool pins;
};

static enum reason
refuse(const struct work *w, int step, enum reason why)
{
	return trace_refuse(w->ask->trace, step, why);
}

/* The reason of what did not decode: a plain key is a usual sight. */
static enum reason
undecoded(const struct work *w, enum reason why)
{
	enum reason ignored = AAD_R_UNSET;
	struct key key;

	if (why != AAD_R_KEY_TYPE && why != AAD_R_KEY_MALFORMED)
		return why; /* the certified key is weak */
	if (key_decode(w->ask->key_type, w->ask->key_base64, &key, &ignored) ==
	    0) {
		key_release(&key);
		return AAD_R_CERT_PLAIN_KEY;
	}
	return why == AAD_R_KEY_TYPE ? why : AAD_R_CERT_MALFORMED;
}

/* What a log line and an explanation may say of a decoded certificate. */
static void
remember(struct principals *p, const struct cert *c)
{
	key_fingerprint(&c->key, p->fingerprint);
	key_fingerprint_of(c->ca_hash, p->ca);
	snprintf(p->serial, sizeof(p->serial), "%" PRIu64, c->serial);
	/* Other authorities write no identity: "" then. */
	if (cert_key_oid(c, p->oid) != 0 || cert_key_tid(c, p->tid) != 0)
		return;
}

/* Step 1: the login's grammar, the certificate and its key. */
static enum reason
step_input(struct work *w)
{
	enum reason why = AAD_R_UNSET;
	int r;

	if (!name_login_ok(w->ask->login))
		return refuse(w, 1, AAD_R_BAD_LOGIN);
	r = cert_decode(w->ask->key_type, w->ask->key_base64, &w->cert, &why);
	if (r == AAD_ENOMEM)
		return refuse(w, 1, AAD_R_NO_MEMORY);
	if (r != 0)
		return refuse(w, 1, undecoded(w, why));
	remember(w->p, &w->cert);
	if (w->cert.type != CERT_USER)
		return refuse(w, 1, AAD_R_CERT_TYPE);
	trace_note(w->ask->trace, 1, true,
	    "login %s, certificate %s for key %s %s", w->ask->login,
	    w->p->serial, key_type_name(&w->cert.key), w->p->fingerprint);
	return AAD_R_ALLOWED;
}

/*
 * Still step 1: one principal that sshd could read as several, or as a
 * comment, spoils them all, whatever sshd makes of it.
 */
static enum reason
step_grammar(struct work *w)
{
	size_t i;

	for (i = 0; i < w->cert.nprincipals; i++)
		if (!value_principal_ok(w->cert.principals[i]))
			return refuse(w, 1, AAD_R_CERT_PRINCIPAL_BAD);
	return AAD_R_ALLOWED;
}

/* Whether a directory of the state is there; why_not when it is no good. */
static enum reason
is_there(const struct work *w, const char *name, bool *therep,
    enum reason why_not)
{
	int r = file_dir_check(w->cache.dir, name, w->cache.right);

	*therep = r == 0;
	if (r == 0 || r == AAD_ENOENT)
		return AAD_R_ALLOWED;
	return refuse(w, 2, why_not);
}

static enum reason
open_state(struct work *w)
{
	enum reason why = AAD_R_UNSET;
	int r = cache_open(w->ask->conf->dir, &w->cache, &why);

	if (r == AAD_ENOENT && !w->ask->conf->has_idp)
		return AAD_R_ALLOWED;
	if (r != 0)
		return refuse(w, 2, why);
	why = is_there(w, "denials", &w->denials, AAD_R_DENIALS_UNREADABLE);
	/* NB. a host with sign-ins of its own keeps denials, always: where
	 * they are gone, nobody can tell who is denied. */
	if (why == AAD_R_ALLOWED && !w->denials && w->ask->conf->has_idp)
		return refuse(w, 2, AAD_R_DENIALS_UNREADABLE);
	if (why == AAD_R_ALLOWED)
		why = is_there(w, "pins", &w->pins, AAD_R_PIN_UNREADABLE);
	if (why == AAD_R_ALLOWED && !w->pins && w->ask->conf->has_idp)
		return refuse(w, 2, AAD_R_PIN_UNREADABLE);
	return why;
}

static enum reason
no_denial(const struct work *w, enum denial_kind kind, const char *name,
    enum reason in_force)
{
	const struct denial_ask ask = { &w->cache, w->ask->now, w->ask->trace,
		2 };

	return denial_judge(&ask, kind, name, in_force);
}

static enum reason
no_key_denial(const struct work *w, const uint8_t hash[static 32])
{
	char hex[NAME_HEX64_LEN + 1];

	name_hex64(hash, hex);
	return no_denial(w, DENIAL_KEY, hex, AAD_R_KEY_DENIED);
}

/* Step 2: no denial for the login, a key or the identity. */
static enum reason
step_denials(struct work *w)
{
	enum reason why;

	if ((why = open_state(w)) != AAD_R_ALLOWED)
		return why;
	if (!w->denials) {
		trace_note(w->ask->trace, 2, true,
		    "this host keeps no denials");
		return AAD_R_ALLOWED;
	}
	if ((why = no_denial(w, DENIAL_LOGIN, w->ask->login,
		 AAD_R_LOGIN_DENIED)) != AAD_R_ALLOWED ||
	    (why = no_key_denial(w, w->cert.key.hash)) != AAD_R_ALLOWED ||
	    (why = no_key_denial(w, w->cert.ca_hash)) != AAD_R_ALLOWED)
		return why;
	if (w->p->oid[0] != '\0' &&
	    (why = no_denial(w, DENIAL_OID, w->p->oid,
		 AAD_R_IDENTITY_DENIED)) != AAD_R_ALLOWED)
		return why;
	trace_note(w->ask->trace, 2, true,
	    "neither login, keys nor identity are denied");
	return AAD_R_ALLOWED;
}

/* Step 3: a pin that exists names the identity of the key id. */
static enum reason
step_pin(struct work *w)
{
	struct pin pin;
	int r = AAD_ENOENT;

	if (w->pins)
		r = pin_load(&w->cache, w->ask->login, &pin);
	if (r == AAD_ENOENT) {
		trace_note(w->ask->trace, 3, true, "the login has no pin here");
		return AAD_R_ALLOWED;
	}
	if (r != 0)
		return refuse(w, 3,
		    r == AAD_ENOMEM ? AAD_R_NO_MEMORY : AAD_R_PIN_UNREADABLE);
	if (!pin_names(&pin, w->p->tid, w->p->oid)) {
		trace_note(w->ask->trace, 3, false,
		    "pinned_other: %s is pinned to oid %s, this is %s",
		    w->ask->login, pin.oid,
		    w->p->oid[0] != '\0' ? w->p->oid : "nobody");
		return AAD_R_PINNED_OTHER;
	}
	trace_note(w->ask->trace, 3, true, "the login's pin names this user");
	return AAD_R_ALLOWED;
}

static bool
lists(const struct cert *c, const char *principal)
{
	size_t i;

	for (i = 0; i < c->nprincipals; i++)
		if (strcmp(c->principals[i], principal) == 0)
			return true;
	return false;
}

/* Answer with this principal if the certificate lists it. */
static bool
answer(struct work *w, const struct conf_login *section, const char *group)
{
	const char *options = section != NULL ? section->options : NULL;
	struct principals *p = w->p;
	int n;

	n = snprintf(p->principal, sizeof(p->principal), "%s%s%s",
	    w->ask->login, group != NULL ? "@" : "",
	    group != NULL ? group : "");
	if (n < 0 || (size_t)n >= sizeof(p->principal) ||
	    !value_principal_ok(p->principal) || !lists(&w->cert, p->principal))
		return false;
	n = snprintf(p->line, sizeof(p->line), "%s%s%s\n",
	    options != NULL ? options : "", options != NULL ? " " : "",
	    p->principal);
	if (n < 0 || (size_t)n >= sizeof(p->line))
		return false;
	trace_note(w->ask->trace, 4, true, "principal %s counts here",
	    p->principal);
	return true;
}

/* Step 4: the account, as this host's own file has it, and the principal. */
static enum reason
step_principal(struct work *w)
{
	const struct conf *conf = w->ask->conf;
	const struct conf_login *section = conf_login_find(conf, w->ask->login);
	size_t i;

	/* NB. the authority has no accounts to look at, so it is ours to see
	 * that a user name is not a system account's. */
	if (section == NULL && conf->has_map && w->ask->uid >= 0 &&
	    w->ask->uid < conf->min_uid)
		return refuse(w, 4, AAD_R_UID_TOO_LOW);
	for (i = 0; i < conf->host_groups.n; i++)
		if (answer(w, section, conf->host_groups.items[i].value))
			return AAD_R_ALLOWED;
	if (conf->accept_all && answer(w, section, NULL))
		return AAD_R_ALLOWED;
	return refuse(w, 4, AAD_R_CERT_PRINCIPAL);
}

enum reason
principals_decide(const struct principals_ask *ask, struct principals *p)
{
	static enum reason (*const steps[])(struct work *) = { step_input,
		step_grammar, step_denials, step_pin, step_principal };
	struct work w = { .ask = ask, .p = p, .cache = { .dir = -1 } };
	enum reason why = AAD_R_UNSET;
	size_t i;

	memset(p, 0, sizeof(*p));
	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if ((why = steps[i](&w)) != AAD_R_ALLOWED)
			break;
	if (why != AAD_R_ALLOWED)
		p->line[0] = p->principal[0] = '\0';
	p->reason = why;
	cert_release(&w.cert);
	cache_close(&w.cache);
	return why;
}
