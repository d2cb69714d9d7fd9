/* SPDX-License-Identifier: ISC */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "cmd/aadssh/evict.h"
#include "cmd/aadssh/hold.h"
#include "cmd/cli/log.h"
#include "host/denial.h"

/* One identity that is gone. */
struct gone {
	char oid[NAME_GUID_LEN + 1];
	int64_t at; /* its latest sign-in that was asked about */
	int64_t answered; /* when the provider said so */
	bool back; /* it has signed in since */
	bool denied; /* its denial is stored */
};

struct work {
	struct run *run;
	struct gone *gone; /* sorted by oid */
	size_t n;
	size_t asked; /* identities */
	struct sign_in *victims; /* heap: all their sign-ins on this host */
	size_t nvictims;
	struct record_pub pub;
	int r; /* the first error of many steps, or 0 */
};

static int
by_oid(const void *a, const void *b)
{
	const struct sign_in *x = a, *y = b;

	return strcmp(x->oid, y->oid);
}

static int
find_oid(const void *key, const void *item)
{
	const struct gone *g = item;

	return strcmp(key, g->oid);
}

/* The sign-ins s[0..k-1] are one identity's. */
static void
judge_identity(struct work *w, const struct sign_in *s, size_t k)
{
	struct gone g = { .at = 0, .answered = INT64_MAX };
	bool asked = false, gone = false, renewed = false;
	size_t i;

	for (i = 0; i < k; i++) {
		if (s[i].fate == FATE_NONE)
			continue;
		asked = true;
		renewed = renewed || s[i].fate == FATE_RENEWED;
		if (s[i].at > g.at)
			g.at = s[i].at;
		if (s[i].fate == FATE_GONE) {
			gone = true;
			if (s[i].answered < g.answered)
				g.answered = s[i].answered;
		}
	}
	w->asked += asked;
	if (!gone || renewed)
		return;
	memcpy(g.oid, s[0].oid, sizeof(g.oid));
	w->gone[w->n++] = g;
}

static int
count_gone(struct work *w, struct sign_in *s, size_t n)
{
	size_t i, k;

	if ((w->gone = calloc(n, sizeof(*w->gone))) == NULL)
		return AAD_ENOMEM;
	qsort(s, n, sizeof(*s), by_oid);
	for (i = 0; i < n; i += k) {
		for (k = 1; i + k < n && by_oid(&s[i], &s[i + k]) == 0; k++)
			continue;
		judge_identity(w, &s[i], k);
	}
	return 0;
}

static bool
too_many(const struct work *w)
{
	return w->n > EVICT_MAX && w->n * 100 > w->asked * EVICT_MAX_PERCENT;
}

static void
log_brake(const struct work *w)
{
	char gone[24], asked[24];
	const struct log_field fields[] = {
		{ "verdict", reason_verdict(AAD_R_TOO_MANY_GONE) },
		{ "reason", reason_name(AAD_R_TOO_MANY_GONE) },
		{ "gone", gone },
		{ "asked", asked },
	};

	snprintf(gone, sizeof(gone), "%zu", w->n);
	snprintf(asked, sizeof(asked), "%zu", w->asked);
	log_event(LOG_ERR, "evict", fields, 4);
}

static int
add_victim(struct work *w, const struct record *rec)
{
	struct sign_in *more, *s;

	more = realloc(w->victims, (w->nvictims + 1) * sizeof(*more));
	if (more == NULL)
		return AAD_ENOMEM;
	w->victims = more;
	s = &more[w->nvictims++];
	memset(s, 0, sizeof(*s));
	memcpy(s->login, rec->login, sizeof(s->login));
	memcpy(s->hash, rec->key_hash, sizeof(s->hash));
	memcpy(s->oid, rec->oid, sizeof(s->oid));
	s->at = rec->sign_in;
	return 0;
}

static int
look_at(void *arg, const char *login, const uint8_t key_hash[static 32])
{
	struct work *w = arg;
	struct run *run = w->run;
	struct record *rec;
	struct gone *g = NULL;
	enum reason why;
	int r;

	r = cache_record_load(run->cache, login, key_hash, run->host, &w->pub,
	    &rec, &why);
	if (r == AAD_ENOMEM)
		return r;
	/* What does not verify opens nothing. */
	if (r == 0 && rec->state == RECORD_ACTIVE &&
	    strcmp(rec->tid, run->conf->tenant) == 0)
		g = bsearch(rec->oid, w->gone, w->n, sizeof(*g), find_oid);
	r = 0;
	if (g != NULL && rec->sign_in > g->at && rec->sign_in >= g->answered)
		g->back = true;
	else if (g != NULL)
		r = add_victim(w, rec);
	record_free(rec);
	return r;
}

/* All sign-ins of theirs, not only those that were asked about. */
static int
find_victims(struct work *w)
{
	struct hold h;
	enum reason why = AAD_R_UNSET;
	int r;

	if ((r = hold_take(w->run->cache, NULL, &h, &why)) == 0) {
		w->pub = h.pub;
		why = AAD_R_STATE_UNREADABLE;
		r = cache_record_each(w->run->cache, NULL, look_at, w);
	}
	hold_release(&h);
	if (r != 0)
		run_failed(w->run, r, why, NULL);
	return r;
}

/* A denial, unless an administrator's is there. */
static int
deny(struct work *w, const struct gone *g)
{
	const struct denial d = { 0, "idp", g->answered };
	const struct log_field fields[] = {
		{ "oid", g->oid },
		{ "origin", d.origin },
		{ "reason", reason_name(AAD_R_IDENTITY_GONE) },
	};
	struct denial there;
	int lock, r;

	if ((r = cache_lock(w->run->cache, CACHE_LOCK_DENIALS, &lock)) != 0)
		return r;
	if (denial_check(w->run->cache, DENIAL_OID, g->oid, g->answered,
		&there) == DENIAL_IN_FORCE &&
	    strcmp(there.origin, "idp") != 0) {
		close(lock);
		return 0;
	}
	r = denial_set(w->run->cache, DENIAL_OID, g->oid, &d);
	if (r == 0)
		log_event(LOG_NOTICE, "deny", fields, 3);
	close(lock);
	return r;
}

static void
keep_error(struct work *w, int r)
{
	if (w->r == 0)
		w->r = r;
}

/* Every denial that is not stored yet. */
static void
deny_all(struct work *w)
{
	struct gone *g;
	size_t i;
	int r;

	for (i = 0; i < w->n; i++) {
		g = &w->gone[i];
		if (g->back || g->denied)
			continue;
		if ((r = deny(w, g)) != 0) {
			run_failed(w->run, r, AAD_R_DISK, NULL);
			keep_error(w, r);
		}
		g->denied = r == 0;
	}
}

static void
count_denied(struct work *w)
{
	size_t i;

	for (i = 0; i < w->n; i++)
		w->run->counts->gone += !w->gone[i].back;
}

static void
end_all(struct work *w)
{
	const struct gone *g;
	size_t i;
	int r;

	for (i = 0; i < w->nvictims; i++) {
		g = bsearch(w->victims[i].oid, w->gone, w->n, sizeof(*g),
		    find_oid);
		if (g == NULL || g->back)
			continue;
		r = settle_end(w->run, &w->victims[i], "evict",
		    AAD_R_IDENTITY_GONE, NULL);
		if (r == 0)
			w->run->counts->evicted++;
		else if (r != AAD_EAGAIN)
			keep_error(w, r);
	}
}

int
evict(struct run *run, struct sign_in *s, size_t n, bool force)
{
	struct work w = { .run = run };
	int r;

	if (n == 0)
		return 0;
	if ((r = count_gone(&w, s, n)) != 0) {
		run_failed(run, r, AAD_R_NO_MEMORY, NULL);
		goto out;
	}
	if (!force && too_many(&w)) {
		run->counts->gone += (int64_t)w.n;
		log_brake(&w);
		r = AAD_EREFUSED;
		goto out;
	}
	if (w.n == 0 || (r = find_victims(&w)) != 0)
		goto out;
	count_denied(&w);
	/* First the denials: from then on the hook refuses, whatever comes. */
	deny_all(&w);
	end_all(&w);
	/*
	 * NB. what found no room may find that of the sign-ins now; no later
	 * run asks about who has none left, and open sessions end by it.
	 */
	deny_all(&w);
	r = w.r;
out:
	free(w.gone);
	free(w.victims);
	return r;
}
