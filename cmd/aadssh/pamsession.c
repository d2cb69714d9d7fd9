/* SPDX-License-Identifier: ISC */

/*
 * The session phase: sshd has let somebody in, and here it is known how.
 * Denials and pin are judged once more with the real key or certificate, and
 * a sign-in that waited for a login by its key is confirmed: sshd has
 * verified a signature by it.
 *
 * What is not ours (a key of AuthorizedKeysFile, another authority's
 * certificate) is not judged, but for denials of the login and the key; nor
 * is a password, but for denials of the login and of whose it is.
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include <sodium.h>

#include "cmd/aadssh/hold.h"
#include "cmd/aadssh/pam.h"
#include "cmd/cli/clock.h"
#include "cmd/cli/log.h"
#include "core/b64.h"
#include "core/text.h"
#include "host/cache.h"
#include "host/denial.h"
#include "host/hostid.h"
#include "host/pin.h"
#include "ssh/cert.h"
#include "ssh/key.h"

#define NS_S	      INT64_C(1000000000) /* nanoseconds of a second */
#define REKEY_TRIES   3 /* as the hook */
#define CONFIRM_TRIES 3 /* somebody else may write the record, too */
#define CERT_SUFFIX   "-cert-v01@openssh.com"

/* One login.  Strings are "" until known. */
struct visit {
	struct pam *p;
	struct cache cache;
	uint8_t host[HOSTID_LEN];
	struct record_pub pub;
	bool ours; /* a record, a certificate or a sign-in of ours */
	const char *method;
	const char *confirmed; /* "yes", "no", "already"; NULL: no record */
	char tid[NAME_GUID_LEN + 1];
	char oid[NAME_GUID_LEN + 1];
	char upn[128]; /* clean */
	char key[KEY_FP_LEN + 1];
	char serial[24];
};

static int
refuse(struct visit *v, enum reason why)
{
	refusal_set(&v->p->no, why, NULL);
	return AAD_EREFUSED;
}

static int
no_denial(struct visit *v, enum denial_kind kind, const char *name,
    enum reason in_force)
{
	switch (denial_check(&v->cache, kind, name, clock_now(), NULL)) {
	case DENIAL_NONE:
		return 0;
	case DENIAL_IN_FORCE:
		return refuse(v, in_force);
	case DENIAL_CANNOT_TELL:
		break;
	}
	return refuse(v, AAD_R_DENIALS_UNREADABLE);
}

static int
no_key_denial(struct visit *v, const struct key *key)
{
	char hash[NAME_HEX64_LEN + 1];

	name_hex64(key->hash, hash);
	return no_denial(v, DENIAL_KEY, hash, AAD_R_KEY_DENIED);
}

/*
 * Step 6 of the decision.  tid: "" when it is not known, which a pin's is
 * then not compared with.  pinned: whether a mapped login must have a pin.
 */
static int
judge_identity(struct visit *v, const char *tid, const char *oid, bool pinned)
{
	const char *login = v->p->header->login;
	struct pin pin;
	int r;

	if ((r = no_denial(v, DENIAL_OID, oid, AAD_R_IDENTITY_DENIED)) != 0)
		return r;
	switch (pin_load(&v->cache, login, &pin)) {
	case 0:
		if (!pin_names(&pin, tid[0] == '\0' ? pin.tid : tid, oid))
			return refuse(v, AAD_R_PINNED_OTHER);
		return 0;
	case AAD_ENOENT:
		if (pinned && rules_is_mapped(v->p->app->rules, login))
			return refuse(v, AAD_R_NO_PIN);
		return 0;
	default:
		return refuse(v, AAD_R_PIN_UNREADABLE);
	}
}

/*
 * Keep who it is, once: the first that is ours.  NB. before it is judged, so
 * that the log can name who was refused.
 */
static void
remember(struct visit *v, const char *tid, const char *oid, const char *upn,
    size_t upn_len, const struct key *key)
{
	if (v->ours)
		return;
	v->ours = true;
	memcpy(v->tid, tid, sizeof(v->tid));
	memcpy(v->oid, oid, sizeof(v->oid));
	text_clean(upn, upn_len, v->upn, sizeof(v->upn));
	if (key != NULL)
		key_fingerprint(key, v->key);
}

/* ---- a plain key --------------------------------------------------------- */

/*
 * The record of a key.  AAD_ENOENT: there is none that counts, so this login
 * is not ours: without it the hook did not say yes.
 */
static int
load_record(struct visit *v, const struct key *key, struct record **outp)
{
	const char *login = v->p->header->login;
	enum reason why = AAD_R_UNSET;
	int r, tries = 0;
	char *text;
	size_t len;

	*outp = NULL;
	/* NB. first: without a record nothing else must be in order. */
	r = cache_record_read(&v->cache, login, key->hash, &text, &len, &why);
	if (r == 0) {
		explicit_bzero(text, len);
		free(text);
		if (hostid_read(APP_MACHINE_ID, v->host) != 0)
			return refuse(v, AAD_R_NO_MACHINE_ID);
		/* A whole rekey may come between key and record. */
		do {
			if (cache_record_pub(&v->cache, &v->pub, &why) != 0)
				return refuse(v, why);
			r = cache_record_load(&v->cache, login, key->hash,
			    v->host, &v->pub, outp, &why);
		} while (r == AAD_EREFUSED && why == AAD_R_RECORD_SIGNATURE &&
			 ++tries < REKEY_TRIES);
	}
	if (r == AAD_EREFUSED)
		return AAD_ENOENT;
	return r == 0 || r == AAD_ENOENT ? r : refuse(v, why);
}

/*
 * When sshd took this connection, Unix seconds of our clock; rather a second
 * too early than too late, because what ended since did let this login in.
 */
static int64_t
connected_at(const struct visit *v)
{
	int64_t hertz = sysconf(_SC_CLK_TCK), start = v->p->header->start;
	int64_t now = clock_now(), age;

	if (hertz <= 0 || start > INT64_MAX / NS_S)
		return 0;
	age = clock_boot_ns() - start * NS_S / hertz;
	return now - (age / NS_S + 1);
}

/*
 * Whether a record was over before this login began, so that it is not what
 * let it in: ended, or unconfirmed for too long.
 */
static bool
over_before(const struct visit *v, const struct record *rec)
{
	int64_t at = connected_at(v);

	if (rec->state != RECORD_ACTIVE)
		return rec->ended_at < at;
	return rec->confirmed == CONFIRMED_NO &&
	       at - rec->sign_in > v->p->app->conf->confirm;
}

/*
 * While it is held: the record as it was judged gets its confirmation.
 * Returns 0; AAD_EAGAIN when it is another one now; or why it can't be
 * stored.
 */
static int
confirm_held(struct visit *v, const struct hold *h, const struct key *key,
    uint64_t generation)
{
	struct record *rec;
	enum reason why;
	int r;

	r = cache_record_load(&v->cache, v->p->header->login, key->hash,
	    v->host, &h->pub, &rec, &why);
	if (r == AAD_ENOENT || r == AAD_EREFUSED)
		return AAD_EAGAIN;
	if (r != 0)
		return r;
	if (rec->state == RECORD_ACTIVE && rec->generation == generation) {
		rec->generation++;
		rec->confirmed = CONFIRMED_SESSION;
		rec->written = rec->confirmed_at = clock_now();
		r = cache_record_store(&v->cache, rec, v->host, h->record_key);
	} else {
		r = AAD_EAGAIN;
	}
	record_free(rec);
	return r;
}

static int
confirm(struct visit *v, const struct key *key, uint64_t generation)
{
	enum reason why;
	struct hold h;
	int r;

	if ((r = hold_take(&v->cache, v->p->header->login, &h, &why)) == 0)
		r = confirm_held(v, &h, key, generation);
	hold_release(&h);
	return r;
}

/* AAD_EAGAIN: the record changed while it was confirmed; judge it again. */
static int
judge_record(struct visit *v, const struct key *key)
{
	struct record *rec;
	int r;

	if ((r = load_record(v, key, &rec)) != 0)
		return r == AAD_ENOENT ? 0 : r;
	if (over_before(v, rec)) {
		r = 0; /* as without a record */
	} else if (rec->state != RECORD_ACTIVE) {
		r = refuse(v, AAD_R_RECORD_ENDED);
	} else {
		remember(v, rec->tid, rec->oid, rec->upn, strlen(rec->upn),
		    key);
		r = judge_identity(v, rec->tid, rec->oid, true);
		if (r == 0 && rec->confirmed == CONFIRMED_NO) {
			r = confirm(v, key, rec->generation);
			v->confirmed = r == 0 ? "yes" : "no";
			/* What can't be stored keeps nobody out. */
			if (r != AAD_EAGAIN)
				r = 0;
		} else if (r == 0) {
			v->confirmed = "already";
		}
	}
	record_free(rec);
	return r;
}

/* One that we never say yes to is not ours, but it may be denied. */
static int
judge_foreign(struct visit *v, const char *base64)
{
	char hex[NAME_HEX64_LEN + 1];
	uint8_t hash[32], *blob;
	size_t len;
	int r;

	r = b64_decode(B64_STD, base64, strlen(base64), &blob, &len);
	if (r != 0)
		return refuse(v,
		    r == AAD_ENOMEM ? AAD_R_NO_MEMORY : AAD_R_KEY_MALFORMED);
	crypto_hash_sha256(hash, blob, len);
	free(blob);
	name_hex64(hash, hex);
	if ((r = no_denial(v, DENIAL_KEY, hex, AAD_R_KEY_DENIED)) != 0)
		key_fingerprint_of(hash, v->key); /* for the log */
	return r;
}

static int
judge_plain(struct visit *v, const char *type, const char *base64)
{
	enum reason why = AAD_R_UNSET;
	struct key key;
	int i, r;

	memset(&key, 0, sizeof(key));
	r = key_decode(type, base64, &key, &why);
	if (r == AAD_EREFUSED)
		return judge_foreign(v, base64);
	if (r != 0)
		return refuse(v, why);
	if ((r = no_key_denial(v, &key)) == 0)
		for (i = 0; i < CONFIRM_TRIES; i++)
			if ((r = judge_record(v, &key)) != AAD_EAGAIN)
				break;
	if (r == AAD_EREFUSED)
		key_fingerprint(&key, v->key); /* for the log */
	key_release(&key);
	return r == AAD_EAGAIN ? 0 : r;
}

/* ---- a certificate ------------------------------------------------------- */

static void
remember_cert(struct visit *v, const struct cert *c, const char *tid,
    const char *oid)
{
	const char *end;

	end = strchr(c->key_id, ' ');
	remember(v, tid, oid, c->key_id,
	    end == NULL ? 0 : (size_t)(end - c->key_id), &c->key);
	snprintf(v->serial, sizeof(v->serial), "%" PRIu64, c->serial);
}

static int
judge_cert(struct visit *v, const char *type, const char *base64)
{
	char tid[NAME_GUID_LEN + 1], oid[NAME_GUID_LEN + 1];
	enum reason why = AAD_R_UNSET;
	struct cert cert;
	bool names;
	int r;

	memset(&cert, 0, sizeof(cert));
	r = cert_decode(type, base64, &cert, &why);
	if (r == AAD_EREFUSED && why != AAD_R_KEY_MALFORMED)
		return 0; /* none that our authority makes */
	if (r != 0)
		return refuse(v, why); /* whose it is can't be told */
	names = cert_key_oid(&cert, oid) == 0;
	if (names) {
		if (cert_key_tid(&cert, tid) != 0)
			tid[0] = '\0';
		remember_cert(v, &cert, tid, oid);
	}
	r = no_key_denial(v, &cert.key);
	if (r == 0 && names)
		r = judge_identity(v, tid, oid, false);
	if (r == AAD_EREFUSED)
		key_fingerprint(&cert.key, v->key); /* for the log */
	cert_release(&cert);
	return r;
}

/* ---- what sshd says ------------------------------------------------------ */

/* One line of SSH_AUTH_INFO_0: only "publickey TYPE KEY" says who it is. */
static int
judge_line(struct visit *v, const char *line)
{
	static const char method[] = "publickey ";
	char type[128];
	const char *base64;
	size_t len;

	if (strncmp(line, method, sizeof(method) - 1) != 0)
		return 0;
	v->method = "publickey";
	line += sizeof(method) - 1;
	if ((base64 = strchr(line, ' ')) == NULL)
		return refuse(v, AAD_R_KEY_MALFORMED);
	len = (size_t)(base64 - line);
	if (len == 0 || len >= sizeof(type))
		return refuse(v, AAD_R_KEY_MALFORMED);
	memcpy(type, line, len);
	type[len] = '\0';
	base64++;
	if (len > strlen(CERT_SUFFIX) &&
	    strcmp(type + len - strlen(CERT_SUFFIX), CERT_SUFFIX) == 0)
		return judge_cert(v, type, base64);
	return judge_plain(v, type, base64);
}

/*
 * No key and no sign-in: a password, asked for by the module behind ours
 * while Azure AD is out.  It says nothing about who it is, but the login's
 * pin says whose it is.
 */
static int
judge_owner(struct visit *v)
{
	struct pin pin;

	switch (pin_load(&v->cache, v->p->header->login, &pin)) {
	case 0:
		return no_denial(v, DENIAL_OID, pin.oid, AAD_R_IDENTITY_DENIED);
	case AAD_ENOENT:
		return 0;
	default:
		return refuse(v, AAD_R_PIN_UNREADABLE);
	}
}

static int
judge(struct visit *v)
{
	const struct pamheader *h = v->p->header;
	enum reason why;
	size_t i;
	int r;

	if (!name_login_ok(h->login))
		return refuse(v, AAD_R_BAD_LOGIN);
	if (cache_open(v->p->app->conf->dir, &v->cache, &why) != 0)
		return refuse(v, AAD_R_DENIALS_UNREADABLE);
	if ((r = no_denial(v, DENIAL_LOGIN, h->login, AAD_R_LOGIN_DENIED)) != 0)
		return r;
	for (i = 0; i < h->nauth; i++)
		if ((r = judge_line(v, h->auth[i])) != 0)
			return r;
	if (h->oid[0] == '\0')
		return v->method == NULL ? judge_owner(v) : 0;
	if (v->method == NULL)
		v->method = "keyboard-interactive";
	remember(v, h->tid, h->oid, "", 0, NULL);
	return judge_identity(v, h->tid, h->oid, true);
}

static void
log_login(const struct visit *v, int r)
{
	const struct pamheader *h = v->p->header;
	enum reason why = r == 0 ? AAD_R_ALLOWED : v->p->no.why;
	const struct log_field fields[] = {
		{ "verdict", reason_verdict(why) },
		{ "reason", reason_name(why) },
		{ "login", h->login },
		{ "upn", v->upn },
		{ "oid", v->oid },
		{ "key", v->key },
		{ "serial", v->serial },
		{ "source", h->source },
		{ "confirmed", v->confirmed },
		{ "method", v->method },
	};

	log_event(r == 0 ? LOG_NOTICE : log_priority(why), "login", fields,
	    sizeof(fields) / sizeof(fields[0]));
}

static void
say_facts(struct visit *v)
{
	char line[64];

	phase_say_identity(v->p, v->tid, v->oid, v->upn);
	if (v->key[0] != '\0') {
		snprintf(line, sizeof(line), "key %s", v->key);
		lines_say(v->p->lines, 'F', line);
	}
	if (v->serial[0] != '\0') {
		snprintf(line, sizeof(line), "serial %s", v->serial);
		lines_say(v->p->lines, 'F', line);
	}
}

enum pam_verdict
phase_session(struct pam *p)
{
	struct visit v;
	int r;

	memset(&v, 0, sizeof(v));
	v.p = p;
	v.cache.dir = -1;
	r = judge(&v);
	if (r == 0 && !v.ours) {
		cache_close(&v.cache);
		return PAM_VERDICT_IGNORE;
	}
	log_login(&v, r);
	if (r == 0)
		say_facts(&v);
	cache_close(&v.cache);
	return r == 0 ? PAM_VERDICT_OK : PAM_VERDICT_NO;
}
