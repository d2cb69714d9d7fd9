/* SPDX-License-Identifier: ISC */

#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "cmd/aadssh/hold.h"
#include "cmd/aadssh/settle.h"
#include "cmd/cli/clock.h"
#include "cmd/cli/log.h"
#include "host/denial.h"
#include "host/refreshtoken.h"

bool
run_stopped(const struct run *run)
{
	return *run->stop != 0;
}

void
run_log(int priority, const char *event, enum reason why,
    const struct sign_in *s, const char *upn, const char *detail)
{
	char fp[KEY_FP_LEN + 1];
	const struct log_field fields[] = {
		{ "verdict", reason_verdict(why) },
		{ "reason", reason_name(why) },
		{ "login", s->login },
		{ "key", fp },
		{ "oid", s->oid },
		{ "upn", upn },
		{ "detail", detail },
	};

	key_fingerprint_of(s->hash, fp);
	log_event(priority, event, fields, sizeof(fields) / sizeof(fields[0]));
}

void
run_failed(struct run *run, int r, enum reason why, const struct sign_in *s)
{
	struct refusal no;

	/* NB. only our own signals are caught, so what one ends is a stop. */
	if (run_stopped(run))
		refusal_set(&no, AAD_R_INTERRUPTED, NULL);
	else
		app_state_refusal(run->app, r, why, &no);
	if (run->no.why == AAD_R_UNSET)
		run->no = no;
	if (s != NULL)
		run_log(LOG_ERR, "renew", no.why, s, NULL, no.detail);
}

/* The sign-in that was asked about, and still running? */
static bool
same(const struct run *run, const struct sign_in *s, const struct record *rec)
{
	return rec->state == RECORD_ACTIVE && rec->sign_in == s->at &&
	       strcmp(rec->oid, s->oid) == 0 &&
	       strcmp(rec->tid, run->conf->tenant) == 0;
}

/* Take the locks and read again; *recp is any record that verifies. */
static int
reread(struct run *run, const struct sign_in *s, struct hold *h,
    struct record **recp)
{
	enum reason why = AAD_R_UNSET;
	int r;

	*recp = NULL;
	if ((r = hold_take(run->cache, s->login, h, &why)) == 0) {
		r = cache_record_load(run->cache, s->login, s->hash, run->host,
		    &h->pub, recp, &why);
		/* Forgotten, or damaged since: nothing of ours to change. */
		if (r == AAD_ENOENT || r == AAD_EREFUSED)
			return AAD_EAGAIN;
	}
	if (r != 0)
		run_failed(run, r, why, s);
	return r;
}

/* The same, and it must be the sign-in that was asked about. */
static int
reread_same(struct run *run, const struct sign_in *s, struct hold *h,
    struct record **recp)
{
	int r = reread(run, s, h, recp);

	return r == 0 && !same(run, s, *recp) ? AAD_EAGAIN : r;
}

static bool
denial_or_doubt(const struct run *run, enum denial_kind kind, const char *name)
{
	return denial_check(run->cache, kind, name, clock_now(), NULL) !=
	       DENIAL_NONE;
}

bool
settle_denied(const struct run *run, const struct sign_in *s)
{
	char hash[NAME_HEX64_LEN + 1];

	name_hex64(s->hash, hash);
	return denial_or_doubt(run, DENIAL_LOGIN, s->login) ||
	       denial_or_doubt(run, DENIAL_KEY, hash) ||
	       denial_or_doubt(run, DENIAL_OID, s->oid);
}

/* Store what follows rec, which was just read under the lock. */
static int
store_next(struct run *run, const struct sign_in *s, const struct hold *h,
    struct record *rec, enum record_renewal renewal)
{
	int r;

	rec->generation++;
	rec->written = rec->renewal_at = clock_now();
	rec->renewal = renewal;
	if ((r = cache_record_store(run->cache, rec, run->host,
		 h->record_key)) != 0)
		run_failed(run, r, AAD_R_DISK, s);
	return r;
}

/* Put the new token into the record. */
static int
replace_token(struct record *rec, const char *token, const char *upn)
{
	char *t = strdup(token), *u = strdup(upn == NULL ? "" : upn);

	if (t == NULL || u == NULL) {
		free(t);
		free(u);
		return AAD_ENOMEM;
	}
	explicit_bzero(rec->id_token, strlen(rec->id_token));
	free(rec->id_token);
	free(rec->upn);
	rec->id_token = t;
	rec->upn = u;
	return 0;
}

int
settle_renewed(struct run *run, const struct sign_in *s, const char *token,
    const char *upn, const char *refresh, size_t refresh_len)
{
	struct record *rec;
	struct hold h;
	int r;

	if ((r = reread_same(run, s, &h, &rec)) != 0)
		goto out;
	if (rec->confirmed == CONFIRMED_NO || settle_denied(run, s)) {
		r = AAD_EAGAIN;
		goto out;
	}
	/* First: if all ends here, the next run still has one that works. */
	if (refresh != NULL &&
	    (r = refreshtoken_store(run->cache, s->login, s->hash, run->host,
		 h.seal.key, refresh, refresh_len)) != 0) {
		run_failed(run, r, AAD_R_DISK, s);
		goto out;
	}
	if ((r = replace_token(rec, token, upn)) != 0) {
		run_failed(run, r, AAD_R_NO_MEMORY, s);
		goto out;
	}
	r = store_next(run, s, &h, rec, RENEWAL_OK);
out:
	record_free(rec);
	hold_release(&h);
	return r;
}

int
settle_mark(struct run *run, const struct sign_in *s,
    enum record_renewal renewal)
{
	struct record *rec;
	struct hold h;
	int r;

	if ((r = reread_same(run, s, &h, &rec)) == 0) {
		if (rec->renewal == renewal ||
		    (renewal == RENEWAL_UNREACHABLE &&
			rec->renewal == RENEWAL_SIGN_IN_AGAIN))
			r = AAD_EAGAIN;
		else
			r = store_next(run, s, &h, rec, renewal);
	}
	record_free(rec);
	hold_release(&h);
	return r;
}

/*
 * NB. a full disk must not keep a door open: what cannot be replaced by its
 * tombstone is removed, which needs no room.
 */
static int
end_or_remove(struct run *run, const struct sign_in *s,
    const struct record *rec, enum reason why, const struct hold *h)
{
	int r = cache_record_end(run->cache, rec, why, clock_now(), run->host,
	    h->record_key);

	if (r == 0)
		return 0;
	run_failed(run, r, AAD_R_DISK, s);
	if (cache_record_remove(run->cache, s->login, s->hash) != 0)
		return r;
	r = refreshtoken_remove(run->cache, s->login, s->hash);
	return r == AAD_ENOENT ? 0 : r;
}

int
settle_end(struct run *run, const struct sign_in *s, const char *event,
    enum reason why, const char *detail)
{
	struct record *rec;
	struct hold h;
	int r;

	if ((r = reread_same(run, s, &h, &rec)) == 0 &&
	    why == AAD_R_UNCONFIRMED && rec->confirmed != CONFIRMED_NO)
		r = AAD_EAGAIN;
	if (r == 0 && (r = end_or_remove(run, s, rec, why, &h)) == 0)
		run_log(LOG_NOTICE, event, why, s, rec->upn, detail);
	record_free(rec);
	hold_release(&h);
	return r;
}

bool
settle_is_old(const struct record *rec, int64_t now)
{
	return rec->state == RECORD_ENDED &&
	       now - rec->ended_at > TOMBSTONE_AGE &&
	       strcmp(rec->ended_reason, reason_name(AAD_R_KEY_SHARED)) != 0;
}

int
settle_sweep(struct run *run, const struct sign_in *s)
{
	struct record *rec;
	struct hold h;
	int r;

	if ((r = reread(run, s, &h, &rec)) == 0) {
		if (!settle_is_old(rec, clock_now()))
			r = AAD_EAGAIN;
		else if ((r = cache_record_remove(run->cache, s->login,
			      s->hash)) != 0)
			run_failed(run, r, AAD_R_DISK, s);
	}
	record_free(rec);
	hold_release(&h);
	return r;
}
