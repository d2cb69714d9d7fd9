/* SPDX-License-Identifier: ISC */

/*
 * aadssh-ca sign: a device code sign-in, and a certificate beside the key.
 *
 * NB. --if-needed stands in front of every ssh: what says "fresh" opens the
 * configuration, the key, the certificate and two published files, and starts
 * nothing.
 */

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ca/certify.h"
#include "ca/install.h"
#include "ca/keyagent.h"
#include "ca/keyfile.h"
#include "ca/option.h"
#include "ca/signin.h"
#include "ca/signlock.h"
#include "ca/tell.h"
#include "ca/verbs.h"
#include "cmd/cli/clock.h"
#include "cmd/cli/stop.h"
#include "core/text.h"

#define MIN_LEFT     (15 * 60) /* seconds */
#define BACKDATED    60 /* seconds before its signing that a life begins */
#define LOCK_STEP_MS 100
#define LOCK_WAIT_MS (20 * 60 * 1000) /* a device code lives 15 minutes */

struct sign {
	struct certify c;
	struct tell tell;
	const char *key; /* as named, or NULL */
	const char *out;
	const char *logins[CA_LIST_MAX];
	const char *sources[CA_LIST_MAX];
	bool has_ttl, has_min_left, if_needed, quiet, agent, dry_run, json;
	int64_t ttl, min_left; /* seconds */
	char pub[PATH_MAX];
	char file[PATH_MAX]; /* the certificate's */
	struct signlock lock;
};

/* ---- what is asked ---------------------------------------------------- */

static const struct option longs[] = {
	{ "key", required_argument, NULL, 'k' },
	{ "out", required_argument, NULL, 'o' },
	{ "login", required_argument, NULL, 'l' },
	{ "ttl", required_argument, NULL, 't' },
	{ "source-address", required_argument, NULL, 's' },
	{ "if-needed", no_argument, NULL, 'n' },
	{ "min-left", required_argument, NULL, 'm' },
	{ "quiet", no_argument, NULL, 'q' },
	{ "add-to-agent", no_argument, NULL, 'a' },
	{ "dry-run", no_argument, NULL, 'd' },
	{ "json", no_argument, NULL, 'j' },
	{ NULL, 0, NULL, 0 },
};

static int
flag(struct sign *s, int c)
{
	switch (c) {
	case 'n':
		s->if_needed = true;
		return 0;
	case 'q':
		s->quiet = true;
		return 0;
	case 'a':
		s->agent = true;
		return 0;
	case 'd':
		s->dry_run = true;
		return 0;
	case 'j':
		s->json = true;
		return 0;
	default:
		return -1;
	}
}

static int
option(struct sign *s, int c)
{
	switch (c) {
	case 'k':
		s->key = optarg;
		return 0;
	case 'o':
		s->out = optarg;
		return 0;
	case 'l':
		s->c.ask.names = s->logins;
		return ca_split(optarg, s->logins, &s->c.ask.nnames);
	case 's':
		s->c.ask.sources = s->sources;
		return ca_split(optarg, s->sources, &s->c.ask.nsources);
	case 't':
		s->has_ttl = true;
		return option_duration("ttl", optarg, &s->ttl);
	case 'm':
		s->has_min_left = true;
		return option_duration("min-left", optarg, &s->min_left);
	default:
		return flag(s, c);
	}
}

static int
parse(int argc, char **argv, struct sign *s)
{
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1)
		if (option(s, c) != 0)
			return -1;
	/* NB. ssh-add takes the certificate from beside the key only. */
	if (s->agent && (s->out != NULL || s->dry_run))
		return -1;
	return argc == optind ? 0 : -1;
}

/* What any signer would refuse, before anybody signs in for nothing. */
static enum reason
judge_asked(struct sign *s)
{
	size_t i;

	for (i = 0; i < s->c.ask.nnames; i++)
		if (!name_login_ok(s->logins[i]))
			return ca_detail(s->c.app, AAD_R_BAD_LOGIN, "%s",
			    s->logins[i]);
	for (i = 0; i < s->c.ask.nsources; i++)
		if (!text_cidr_ok(s->sources[i]))
			return ca_detail(s->c.app, AAD_R_SOURCE_ADDRESS, "%s",
			    s->sources[i]);
	return s->has_ttl && s->ttl < 1 ? AAD_R_TTL : AAD_R_ALLOWED;
}

/* Which key, and where its certificate goes. */
static int
choose(struct sign *s)
{
	char home[PATH_MAX];

	if (s->key == NULL) {
		if (keyfile_home(home) != 0 ||
		    keyfile_choose(home, s->pub) != 0)
			return ca_refuse(s->c.app, AAD_R_NO_KEY_FILE, s->json);
	} else if (strlen(s->key) >= sizeof(s->pub)) {
		return ca_usage(s->c.app, "sign");
	} else {
		memcpy(s->pub, s->key, strlen(s->key) + 1);
	}
	if (keyfile_cert_path(s->pub, s->file) != 0 && s->out == NULL) {
		fprintf(stderr,
		    "%s: %s: a public key's file ends in .pub; else say with "
		    "--out where the certificate goes\n",
		    CA_PROG, s->pub);
		return EXIT_USAGE;
	}
	if (s->out != NULL) {
		if (strlen(s->out) >= sizeof(s->file))
			return ca_usage(s->c.app, "sign");
		memcpy(s->file, s->out, strlen(s->out) + 1);
	}
	return ca_read_key(s->c.app, s->pub, &s->c.key);
}

/* ---- is it needed? ---------------------------------------------------- */

/* How long one must live on to do: never more than half of its whole life,
 * or a short one would never do. */
static int64_t
min_left(const struct sign *s, const struct cert *c)
{
	uint64_t life = c->valid_before - c->valid_after;

	if (s->has_min_left)
		return s->min_left;
	life = life > BACKDATED ? (life - BACKDATED) / 2 : 0;
	return life < MIN_LEFT ? (int64_t)life : MIN_LEFT;
}

/* Whether the file there does; then s->c.cert is it. */
static bool
fresh(struct sign *s)
{
	char *text = NULL;
	enum reason why;
	struct cert c;
	size_t len;
	bool yes = false;

	if (keyfile_slurp(s->file, CA_PUB_MAX, &text, &len) == 0 &&
	    cert_from_pub(text, len, &c, &why) == 0) {
		s->c.ask.now = clock_now();
		yes = reply_fresh(&c, &s->c.ask, min_left(s, &c)) &&
		      !trust_revoked(s->c.app, &c);
		if (yes)
			s->c.cert = c;
		else
			cert_release(&c);
	}
	free(text);
	return yes;
}

/* ---- the agent -------------------------------------------------------- */

/* What is known to be in vain, before anybody signs in for it. */
static int
may_add(const struct sign *s)
{
	char private_key[PATH_MAX];

	if (s->c.app->agent[0] == '\0')
		return ca_fault(s->pub,
		    "there is no ssh-agent (SSH_AUTH_SOCK) to add to; nothing "
		    "was done");
	if (keyfile_private_path(s->pub, private_key) != 0 ||
	    access(private_key, F_OK) == -1)
		return ca_fault(s->pub,
		    "there is no private key beside it to add to the "
		    "ssh-agent; nothing was done. Without --add-to-agent, ssh "
		    "takes the certificate from its file");
	return EXIT_DONE;
}

static int
not_added(const char *had, const char *why)
{
	fprintf(stderr, "%s: the certificate %s, but %s\n", CA_PROG, had, why);
	return EXIT_CANNOT;
}

/* had: what became of the certificate before. */
static int
to_agent(struct sign *s, const char *had)
{
	bool ask = isatty(STDERR_FILENO) != 0;
	int64_t left = (int64_t)s->c.cert.valid_before - clock_now();
	char private_key[PATH_MAX];
	int r;

	r = keyfile_private_path(s->pub, private_key);
	if (r == 0)
		r = keyagent_add(s->c.app, private_key, left, ask, s->c.stop);
	if (r == 0)
		return EXIT_DONE;
	return not_added(had,
	    ask ? "ssh-add did not add it"
		: "ssh-add did not add it; if the key has a passphrase, do "
		  "this once where standard error is a terminal");
}

/* One that is there and does may have to go into an agent that was started
 * since. */
static int
fresh_to_agent(struct sign *s)
{
	int r = s->c.app->agent[0] == '\0'
		    ? AAD_ENOENT
		    : keyagent_holds(s->c.app, &s->c.cert);
	int code;

	if (r == 0)
		return EXIT_DONE;
	if (r != AAD_ENOENT)
		return not_added("is fresh",
		    "the ssh-agent (SSH_AUTH_SOCK) does not say what it holds");
	if ((code = may_add(s)) != EXIT_DONE)
		return code;
	return to_agent(s, "is fresh");
}

/* It is not needed to sign in. */
static int
done_fresh(struct sign *s)
{
	int code = EXIT_DONE;

	if (!s->if_needed || s->json)
		code = tell_signed(&s->tell, &s->c, "fresh");
	return code == EXIT_DONE && s->agent ? fresh_to_agent(s) : code;
}

/* ---- the whole -------------------------------------------------------- */

/* When the certificate that is there is looked at: one whose authority was
 * revoked has ended. */
static int64_t
judged_at(const struct sign *s)
{
	return trust_over(s->c.app, s->file) ? INT64_MAX : clock_now();
}

static void
request(const struct sign *s, struct secret *token, struct wirebuf *rq)
{
	char context[CA_DETAIL_MAX];
	size_t i;

	ca_context("sign", context);
	request_begin(rq, REQUEST_SIGN);
	request_put(rq, REQUEST_L_KEY, s->c.key.blob, s->c.key.blob_len);
	request_put(rq, REQUEST_L_TOKEN, secret_bytes(token),
	    secret_len(token));
	for (i = 0; i < s->c.ask.nnames; i++)
		request_put_text(rq, REQUEST_L_LOGIN, s->logins[i]);
	if (s->has_ttl)
		request_put_u64(rq, REQUEST_L_TTL, (uint64_t)s->ttl);
	for (i = 0; i < s->c.ask.nsources; i++)
		request_put_text(rq, REQUEST_L_SOURCE, s->sources[i]);
	if (s->dry_run)
		request_put_flag(rq, REQUEST_L_DRY_RUN);
	request_put_text(rq, REQUEST_L_CONTEXT, context);
	request_end(rq);
}

static int
interrupted(const struct sign *s)
{
	if (!s->quiet)
		fprintf(stderr, "%s: interrupted; nothing was stored\n",
		    CA_PROG);
	return EXIT_CANNOT;
}

static int
store(struct sign *s)
{
	enum reason why;

	if (*s->c.stop != 0)
		return interrupted(s);
	if (s->agent)
		keyagent_forget(s->c.app, s->file, s->c.stop);
	why = install_file(s->c.app, s->file, &s->c.cert, s->c.trust.cas,
	    s->c.trust.n, judged_at(s));
	return why == AAD_R_ALLOWED ? EXIT_DONE
				    : ca_refuse(s->c.app, why, s->json);
}

/* Sign in, ask, store. */
static int
sign_in(struct sign *s)
{
	struct wirebuf rq = wirebuf_new();
	struct secret *token = NULL;
	enum reason why;
	int code;

	code = signin_token(s->c.app, s->pub, s->c.stop, &token);
	if (code != EXIT_DONE)
		return *s->c.stop != 0 ? interrupted(s) : code;
	request(s, token, &rq);
	secret_free(token);
	if ((why = certify_ask(&s->c, &rq)) != AAD_R_ALLOWED)
		return *s->c.stop != 0 ? interrupted(s)
				       : ca_refuse(s->c.app, why, s->json);
	if (s->dry_run)
		return tell_dry_run(&s->tell, &s->c);
	if ((code = store(s)) != EXIT_DONE ||
	    (code = tell_signed(&s->tell, &s->c, "signed")) != EXIT_DONE)
		return code;
	return s->agent ? to_agent(s, "was stored") : EXIT_DONE;
}

/* Whether a sign-in would be for something. */
static enum reason
may_sign(struct sign *s)
{
	enum reason why = door_there(s->c.app);

	if (why != AAD_R_ALLOWED || s->dry_run)
		return why;
	return install_may(s->c.app, s->file, &s->c.key, s->c.trust.cas,
	    s->c.trust.n, judged_at(s));
}

/* One sign-in for one certificate at a time.  *waitedp: somebody else had it.
 * Returns as signlock_try(); AAD_EAGAIN when we are stopped; AAD_ENET when it
 * takes too long. */
static int
lock(struct sign *s, bool *waitedp)
{
	int64_t end = clock_mono_ms() + LOCK_WAIT_MS;
	int r;

	*waitedp = false;
	while ((r = signlock_try(&s->lock, s->file)) == AAD_EAGAIN) {
		if (!*waitedp)
			fprintf(stderr,
			    "%s: another sign-in for this key is under way; "
			    "waiting for it\n",
			    CA_PROG);
		*waitedp = true;
		clock_sleep_ms(LOCK_STEP_MS, s->c.stop);
		if (*s->c.stop != 0)
			return AAD_EAGAIN;
		if (clock_mono_ms() >= end)
			return AAD_ENET;
	}
	return r;
}

static int
not_locked(const struct sign *s, int r)
{
	const char *why = strerror(errno);

	if (r == AAD_EAGAIN)
		return interrupted(s);
	if (r == AAD_ENET)
		why = "another sign-in has taken too long";
	else if (r == AAD_EPERM)
		why = "what lies there is not yours";
	else if (r != AAD_ESYS)
		why = err_name(r);
	fprintf(stderr, "%s: %s: its .lock: %s; nothing was stored\n", CA_PROG,
	    s->file, why);
	return EXIT_CANNOT;
}

/* With the lock: somebody may have done it meanwhile. */
static int
sign_locked(struct sign *s)
{
	enum reason why;
	bool waited;
	int r;

	if ((r = lock(s, &waited)) != 0)
		return not_locked(s, r);
	if ((waited || s->if_needed) && fresh(s))
		return done_fresh(s);
	return (why = may_sign(s)) == AAD_R_ALLOWED
		   ? sign_in(s)
		   : ca_refuse(s->c.app, why, s->json);
}

static int
run(struct sign *s)
{
	enum reason why;
	int code;

	if ((why = judge_asked(s)) != AAD_R_ALLOWED)
		return ca_refuse(s->c.app, why, s->json);
	if ((code = choose(s)) != EXIT_DONE ||
	    (code = ca_load(s->c.app)) != EXIT_DONE)
		return code;
	s->c.ask.key = &s->c.key;
	/* No certificate outlives the sign-in that it came from. */
	s->c.ask.ttl = s->c.app->conf->sign_in_max_age;
	if (s->has_ttl && s->ttl < s->c.ask.ttl)
		s->c.ask.ttl = s->ttl;
	if ((why = trust_load(s->c.app, CERT_USER, &s->c.trust)) !=
	    AAD_R_ALLOWED)
		return ca_refuse(s->c.app, why, s->json);
	s->c.ask.cas = s->c.trust.cas;
	s->c.ask.ncas = s->c.trust.n;
	if (s->if_needed && fresh(s))
		return done_fresh(s);
	if (s->if_needed && !isatty(STDERR_FILENO))
		return ca_refuse(s->c.app, AAD_R_SIGN_IN_NEEDED, s->json);
	if (s->agent && (code = may_add(s)) != EXIT_DONE)
		return code;
	if ((why = may_sign(s)) != AAD_R_ALLOWED)
		return ca_refuse(s->c.app, why, s->json);
	s->c.stop = stop_catch(0, 0); /* ends with nothing stored */
	/* NB. a dry run leaves nothing for who comes second. */
	return s->dry_run ? sign_in(s) : sign_locked(s);
}

int
verb_sign(void *arg, int argc, char **argv)
{
	struct sign *s;
	int code;

	if ((s = calloc(1, sizeof(*s))) == NULL)
		return out_refusal(CA_PROG, AAD_R_NO_MEMORY, NULL);
	s->c.app = arg;
	s->c.ask.type = CERT_USER;
	s->lock.dir = s->lock.fd = -1;
	if (parse(argc, argv, s) != 0) {
		code = ca_usage(arg, argv[0]);
		goto out;
	}
	s->c.dry_run = s->dry_run;
	s->tell = (struct tell){ s->file, s->pub, s->key != NULL, s->quiet,
		s->json };
	code = run(s);
out:
	signlock_drop(&s->lock);
	certify_release(&s->c);
	free(s);
	return code;
}
