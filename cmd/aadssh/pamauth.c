/* SPDX-License-Identifier: ISC */

/*
 * The auth phase: a device code sign-in in sshd's keyboard-interactive
 * prompt, and at most one of the keys that the client offered remembered for
 * it.  An offer is no proof that the client holds the key: the record waits
 * for a login by it (pamsession.c).
 */

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "cmd/aadssh/admit.h"
#include "cmd/aadssh/keychoice.h"
#include "cmd/aadssh/pam.h"
#include "cmd/aadssh/pamui.h"
#include "cmd/cli/clock.h"
#include "cmd/cli/log.h"
#include "core/text.h"
#include "host/lastrun.h"
#include "host/offer.h"
#include "host/waiting.h"
#include "policy/policy.h"

#define NS_S INT64_C(1000000000) /* nanoseconds of a second */

#define NO_KEYS_BIND                                                           \
	"This host remembers no key: each login asks for a sign-in."
#define NO_KEYS_OFFERED                                                        \
	"Your client offered no key that could be remembered: the next login " \
	"asks again."

/* Everything that one sign-in opens; auth_release() closes it. */
struct auth {
	struct pam *p;
	struct admit a;
	int offers_dir; /* -1: closed */
	int slot; /* -1: none */
	struct offers offers;
	struct keychoice keys;
	struct pamui ui;
	char host[HOST_NAME_MAX + 1];
	char fingerprint[KEY_FP_LEN + 1]; /* of the key that is bound, or "" */
};

static int
refuse(struct auth *t, enum reason why, const char *detail)
{
	return admit_refuse(&t->a, why, detail);
}

/* Whether [pam] from lets this connection sign in. */
static bool
from_allowed(const struct conf *conf, const char *source)
{
	size_t i;

	if (conf->pam_from.n == 0)
		return true;
	for (i = 0; source != NULL && i < conf->pam_from.n; i++)
		if (text_cidr_has(conf->pam_from.items[i].value, source))
			return true;
	return false;
}

/* Everything that is refused before Azure AD is asked for anything. */
static int
refuse_before(struct auth *t)
{
	const struct pamheader *h = t->p->header;
	int r;

	if (!name_login_ok(h->login))
		return refuse(t, AAD_R_BAD_LOGIN, NULL);
	if (!from_allowed(t->p->app->conf, h->source))
		return refuse(t, AAD_R_FROM_NOT_ALLOWED, NULL);
	if (app_uid(h->login, NULL, &t->a.uid) != EXIT_DONE ||
	    t->a.uid == POLICY_UID_UNJUDGED)
		return refuse(t, AAD_R_NO_ACCOUNT, NULL);
	if ((r = admit_open(&t->a)) != 0)
		return r;
	return admit_early(&t->a, NULL);
}

static int
take_slot(struct auth *t)
{
	const struct conf *conf = t->p->app->conf;
	const struct pamheader *h = t->p->header;
	int r = waiting_take(&t->a.cache, conf->per_host, conf->per_source,
	    h->login, h->source, (int64_t)getpid(), clock_now(), &t->slot);

	if (r == AAD_EAGAIN || r == AAD_EREFUSED)
		return refuse(t, AAD_R_TOO_MANY_WAITING, NULL);
	return r == 0 ? 0 : admit_refuse_state(&t->a, r, AAD_R_DISK);
}

/* Offers that can't be read bind nothing, which is no reason to refuse. */
static void
log_offers(const struct auth *t, int r)
{
	const struct log_field fields[] = {
		{ "reason", err_name(r) },
		{ "login", t->p->header->login },
		{ "run", t->p->app->conf->run },
	};

	log_event(LOG_WARNING, "offers", fields, 3);
}

static int
read_offers(struct auth *t)
{
	const struct pamheader *h = t->p->header;
	int64_t hertz = sysconf(_SC_CLK_TCK);

	if (t->p->app->conf->pam_bind == CONF_BIND_NONE)
		return 0;
	if (hertz <= 0 || h->start > INT64_MAX / NS_S)
		return AAD_EARG;
	return offer_read(t->offers_dir, h->monitor, h->start * NS_S / hertz,
	    clock_boot_ns(), h->login, &t->offers);
}

/*
 * Which keys are asked about: those that nobody denied, and of these first
 * those that had a sign-in for this login before.
 */
static int
choose_keys(struct auth *t)
{
	const struct key *keys[OFFER_KEYS_MAX];
	bool known[OFFER_KEYS_MAX];
	char hash[NAME_HEX64_LEN + 1];
	size_t i, n = 0;

	for (i = 0; i < t->offers.n && i < OFFER_KEYS_MAX; i++) {
		const struct key *k = &t->offers.items[i].key;

		name_hex64(k->hash, hash);
		switch (denial_check(&t->a.cache, DENIAL_KEY, hash, clock_now(),
		    NULL)) {
		case DENIAL_NONE:
			known[n] = admit_had(&t->a, k);
			keys[n++] = k;
			break;
		case DENIAL_IN_FORCE:
			break;
		case DENIAL_CANNOT_TELL:
			return refuse(t, AAD_R_DENIALS_UNREADABLE, NULL);
		}
	}
	keychoice_begin(&t->keys, keys, known, n);
	return 0;
}

/* Who it was that may not, for the person at the other end. */
static int
name_identity(struct auth *t, int r)
{
	const struct claims *c = t->a.in.claims;
	const char *upn = c == NULL ? NULL : claims_upn(c);
	char who[128], detail[AADSTS_DETAIL_MAX];

	if (r == 0 || upn == NULL)
		return r;
	text_clean(upn, strlen(upn), who, sizeof(who));
	snprintf(detail, sizeof(detail), "You signed in as %s.%s%.300s", who,
	    t->a.no.detail[0] == '\0' ? "" : " ", t->a.no.detail);
	return refuse(t, t->a.no.why, detail);
}

/* Why it stopped, in the words of who waits. */
static int
stopped(struct auth *t)
{
	char span[TEXT_DURATION_LEN], detail[96];

	if (*t->p->stop != PAM_TIMED_OUT)
		return refuse(t, AAD_R_INTERRUPTED, NULL);
	text_duration_format(t->p->app->conf->pam_timeout, span);
	snprintf(detail, sizeof(detail), "Nobody signed in within %s.", span);
	return refuse(t, AAD_R_SIGNIN_EXPIRED, detail);
}

/* From the code to an identity that may be this login. */
static int
sign_in(struct auth *t)
{
	int r;

	if (gethostname(t->host, sizeof(t->host)) == -1)
		t->host[0] = '\0';
	t->host[sizeof(t->host) - 1] = '\0';
	text_clean(t->host, strlen(t->host), t->host, sizeof(t->host));
	pamui_init(&t->ui, t->p->lines, t->host, t->a.login, &t->keys,
	    t->p->app->conf->pam_bind == CONF_BIND_NONE ? NO_KEYS_BIND
							: NO_KEYS_OFFERED);
	if ((r = admit_signin(&t->a, &t->ui.ui)) == 0)
		r = name_identity(t, admit_judge(&t->a));
	/* NB. the answer to a prompt that is up comes before anything else is
	 * shown, and it may still choose the key. */
	pamui_finish(&t->ui, r != 0);
	if (*t->p->stop != 0 && (r == 0 || t->a.no.why == AAD_R_INTERRUPTED))
		return stopped(t);
	return r;
}

static int
run(struct auth *t)
{
	int opened, r;

	/* NB. opened whatever comes: they are removed at the end. */
	opened = offer_dir_open(t->p->app->conf->run, &t->offers_dir);
	if ((r = refuse_before(t)) != 0)
		return r;
	if ((r = opened) != 0 || (r = read_offers(t)) != 0)
		log_offers(t, r);
	if ((r = choose_keys(t)) != 0 || (r = take_slot(t)) != 0 ||
	    (r = sign_in(t)) != 0)
		return r;
	if (t->keys.picked != NULL)
		key_fingerprint(t->keys.picked, t->fingerprint);
	return admit_store(&t->a, t->keys.picked);
}

/*
 * Whether the next module may ask for something else: only when Azure AD is
 * out for more than this connection, as the last live check saw too.  Who
 * can cut one connection must not choose the weaker door by it, nor who has
 * a code and with it a say in what is answered about it.
 */
static bool
outage(const struct auth *t)
{
	enum reason why = t->a.no.why;
	int64_t now = clock_now();
	struct lastrun run;

	if ((why != AAD_R_UNREACHABLE && why != AAD_R_PROVIDER) ||
	    t->ui.prompts > 0 || t->a.cache.dir == -1 ||
	    lastrun_load(&t->a.cache, &run) != 0)
		return false;
	return run.result == LASTRUN_OUTAGE && run.at <= now &&
	       now - run.at <= 2 * t->p->app->conf->check;
}

static enum pam_verdict
verdict(const struct auth *t, int r)
{
	if (r == 0)
		return PAM_VERDICT_OK;
	return outage(t) ? PAM_VERDICT_UNAVAIL : PAM_VERDICT_NO;
}

/* NB. after UNAVAIL the client may come again on the same connection. */
static void
auth_release(struct auth *t, enum pam_verdict v)
{
	if (t->offers_dir != -1) {
		if (v != PAM_VERDICT_UNAVAIL &&
		    offer_remove(t->offers_dir, t->p->header->monitor) != 0) {
			/* None, or the next sweep finds it. */
		}
		close(t->offers_dir);
	}
	offers_release(&t->offers);
	admit_release(&t->a);
	if (v == PAM_VERDICT_OK)
		waiting_done(t->slot);
	else if (t->slot != -1)
		close(t->slot);
}

enum pam_verdict
phase_auth(struct pam *p)
{
	struct auth t;
	enum pam_verdict v;
	int r;

	memset(&t, 0, sizeof(t));
	t.p = p;
	t.offers_dir = t.slot = -1;
	t.a.app = p->app;
	t.a.login = p->header->login;
	t.a.via = "pam";
	t.a.source = p->header->source == NULL ? "unknown" : p->header->source;
	t.a.confirmed = CONFIRMED_NO;
	t.a.stop = p->stop;
	t.a.cache.dir = -1;
	r = run(&t);
	admit_log(&t.a, r, t.fingerprint);
	v = verdict(&t, r);
	p->no = t.a.no;
	if (r == 0)
		phase_say_identity(p, t.a.in.claims->tid, t.a.in.claims->oid,
		    claims_upn(t.a.in.claims));
	auth_release(&t, v);
	return v;
}
