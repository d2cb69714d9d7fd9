/* SPDX-License-Identifier: ISC */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/aadssh/hold.h"
#include "cmd/aadssh/sweep.h"
#include "cmd/cli/clock.h"
#include "host/offer.h"
#include "host/refreshtoken.h"

#define OFFER_AGE 600 /* seconds that a fresh offer is left alone */

struct tokens {
	struct run *run;
	struct record_pub pub; /* as they were when the walk began */
};

/* Whether a refresh token has a record to renew; doubt keeps it. */
static bool
needed(const struct run *run, const char *login,
    const uint8_t key_hash[static 32], const struct record_pub *pub)
{
	struct record *rec;
	enum reason why;
	bool keep;
	int r;

	r = cache_record_load(run->cache, login, key_hash, run->host, pub, &rec,
	    &why);
	if (r == 0)
		keep = rec->state == RECORD_ACTIVE;
	else if (r == AAD_EREFUSED)
		/* Damaged or foreign ones open nothing; a newer version may,
		 * once it is installed again. */
		keep = why == AAD_R_RECORD_VERSION;
	else
		keep = r != AAD_ENOENT;
	record_free(rec);
	return keep;
}

/*
 * NB. judged again under the locks, because a sign-in stores its refresh
 * token before its record.
 */
static int
sweep_token(void *arg, const char *login, const uint8_t key_hash[static 32])
{
	const struct tokens *t = arg;
	struct run *run = t->run;
	struct hold h;
	enum reason why = AAD_R_UNSET;
	int r;

	if (needed(run, login, key_hash, &t->pub))
		return run_stopped(run);
	if ((r = hold_take(run->cache, login, &h, &why)) == 0 &&
	    !needed(run, login, key_hash, &h.pub)) {
		why = AAD_R_DISK;
		r = refreshtoken_remove(run->cache, login, key_hash);
		run->counts->swept += r == 0;
		if (r == AAD_ENOENT)
			r = 0;
	}
	hold_release(&h);
	if (r != 0)
		run_failed(run, r, why, NULL);
	return run_stopped(run);
}

static void
sweep_tokens(struct run *run)
{
	struct tokens t = { .run = run };
	struct hold h;
	enum reason why = AAD_R_UNSET;
	int r;

	r = hold_take(run->cache, NULL, &h, &why);
	t.pub = h.pub;
	hold_release(&h);
	if (r == 0) {
		why = AAD_R_STATE_UNREADABLE;
		r = refreshtoken_each(run->cache, sweep_token, &t);
	}
	if (r < 0)
		run_failed(run, r, why, NULL);
}

/* A process that we may not signal is alive, too. */
static bool
dead(int64_t pid)
{
	return pid > INT_MAX || (kill((pid_t)pid, 0) == -1 && errno == ESRCH);
}

struct offers_at {
	struct run *run;
	int dir;
};

/* NB. young ones stay: we may not see the process that it belongs to. */
static int
sweep_offer(void *arg, int64_t monitor)
{
	struct offers_at *o = arg;
	char name[24];
	struct stat sb;

	snprintf(name, sizeof(name), "%" PRId64, monitor);
	if (fstatat(o->dir, name, &sb, AT_SYMLINK_NOFOLLOW) == 0 &&
	    clock_now() - sb.st_mtime > OFFER_AGE && dead(monitor) &&
	    offer_remove(o->dir, monitor) == 0)
		o->run->counts->swept++;
	return 0;
}

static void
sweep_offers(struct run *run)
{
	struct offers_at o = { run, -1 };

	/* NB. a host without sign-ins through ssh has no such directory. */
	if (offer_dir_open(run->conf->run, &o.dir) != 0)
		return;
	if (offer_each(o.dir, sweep_offer, &o) != 0) {
		/* What stays is found by the next sweep. */
	}
	close(o.dir);
}

void
sweep(struct run *run)
{
	cache_sweep(run->cache, clock_now());
	sweep_tokens(run);
	sweep_offers(run);
}
