/* SPDX-License-Identifier: ISC */

/*
 * aadssh-ca-signer: the only reader of the authority's keys and the only
 * writer of its ledger.
 *
 *	aadssh-ca-signer -f CONF
 *
 * It serves one request that comes in on standard input and ends.  Where that
 * is a socket, a stranger may be at the other end, who gets a certificate for
 * a good token and nothing else; where it is a pipe, we were started by
 * ourselves or by root.
 *
 * What it must never do: let a certificate out without its row in the
 * ledger, or a private key at all; believe a stranger about who somebody is;
 * open a network socket; run a program.
 *
 * Exits with the code of the answer; 2 for usage; 3 when it could not begin,
 * or when its time was over.
 */

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include <jansson.h>
#include <sodium.h>

#include "ca/signer/backend.h"
#include "ca/signer/intake.h"
#include "ca/signer/ops.h"
#include "ca/signer/sandbox.h"
#include "cmd/cli/clock.h"
#include "cmd/cli/log.h"
#include "cmd/cli/priv.h"
#include "core/file.h"

#define IDENT	   "aadssh-ca-signer"
#define BEGIN_TIME 60 /* seconds, until an operation has its own */

#define EXIT_USAGE  2
#define EXIT_CANNOT 3

/* The least of what the ledger, libsodium and SQLite need. */
#define FSIZE_MIN  (1UL << 30)
#define AS_MIN	   (256UL << 20)
#define NOFILE_MIN 64UL

/* NB. whatever is under way is whole or not there: the ledger sees to it. */
static void
time_over(int sig)
{
	(void)sig;
	_exit(EXIT_CANNOT);
}

/* Everything that was inherited, before anything is read. */
static int
begin(void)
{
	struct sigaction sa;
	sigset_t alarms;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = time_over;
	sigemptyset(&alarms);
	sigaddset(&alarms, SIGALRM);
	if (priv_begin() != 0 || priv_signals() != 0 || clearenv() != 0 ||
	    sigaction(SIGALRM, &sa, NULL) == -1 ||
	    sigprocmask(SIG_UNBLOCK, &alarms, NULL) == -1)
		return AAD_ESYS;
	alarm(BEGIN_TIME);
	return 0;
}

static enum reason
judge_limit(struct signer *s, const char *name, int r, const struct rlimit *is,
    rlim_t least)
{
	if (r == 0 && (is->rlim_cur == RLIM_INFINITY || is->rlim_cur >= least))
		return AAD_R_ALLOWED;
	return signer_fail(s, AAD_R_LIMITS,
	    "the limit of %s is below the %llu that are needed", name,
	    (unsigned long long)least);
}

static enum reason
judge_limits(struct signer *s)
{
	struct rlimit is = { 0, 0 };
	enum reason why;
	int r;

	r = getrlimit(RLIMIT_FSIZE, &is);
	why = judge_limit(s, "file size", r, &is, FSIZE_MIN);
	if (why != AAD_R_ALLOWED)
		return why;
	r = getrlimit(RLIMIT_AS, &is);
	why = judge_limit(s, "address space", r, &is, AS_MIN);
	if (why != AAD_R_ALLOWED)
		return why;
	r = getrlimit(RLIMIT_NOFILE, &is);
	return judge_limit(s, "open files", r, &is, NOFILE_MIN);
}

/* Configuration and rules.  What profiles mean is asked where they count. */
static enum reason
load_conf(struct signer *s)
{
	struct conf_error why;
	int r;

	memset(&why, 0, sizeof(why));
	if ((r = conf_load(s->conf_path, geteuid(), &s->conf, &why)) != 0 ||
	    (r = rules_new(s->conf, &s->rules, &why)) != 0) {
		if (r == AAD_ENOMEM)
			return AAD_R_NO_MEMORY;
		return signer_fail(s, AAD_R_CONFIG, "%s:%u: %s", s->conf_path,
		    why.line, why.text);
	}
	log_configure(s->conf->log_facility, s->conf->log_level);
	if (!s->conf->has_ca || !s->conf->has_idp)
		return signer_fail(s, AAD_R_CONFIG, "%s: no [%s] section",
		    s->conf_path, s->conf->has_ca ? "idp" : "ca");
	return AAD_R_ALLOWED;
}

/* The state directory; -1 where there is none. */
static enum reason
open_dir(struct signer *s)
{
	const struct file_owner right = { geteuid(), FILE_ANY_OWNER, false };

	switch (file_dir_open(AT_FDCWD, s->conf->dir, right, &s->dir)) {
	case 0:
	case AAD_ENOENT:
		return AAD_R_ALLOWED;
	case AAD_EPERM:
		return signer_fail(s, AAD_R_STATE_OWNER,
		    "%s: it must be a directory of uid %lu that nobody else "
		    "can write to",
		    s->conf->dir, (unsigned long)geteuid());
	default:
		return signer_fail(s, AAD_R_STATE_UNREADABLE, "%s",
		    s->conf->dir);
	}
}

/* A stranger: who, and whether there is room. */
static enum reason
admit(struct signer *s)
{
	if (!s->socket)
		return AAD_R_ALLOWED;
	if (s->dir == -1)
		return AAD_R_NO_CA;
	switch (intake_slot(s->dir, s->peer_uid, s->conf->per_peer)) {
	case 0:
		return AAD_R_ALLOWED;
	case AAD_EAGAIN:
		return AAD_R_SIGNER_BUSY;
	default:
		return signer_fail(s, AAD_R_STATE_UNREADABLE, "%s/locks",
		    s->conf->dir);
	}
}

/* A directory of ours, made where it is missing and may be. */
static int
own_dir(const char *path, bool make, int *fdp)
{
	const struct file_owner right = { geteuid(), FILE_ANY_OWNER, false };

	return make ? file_dir_make(AT_FDCWD, path, right, 0755, fdp)
		    : file_dir_open(AT_FDCWD, path, right, fdp);
}

/* What lies beside the ledger: who needs it says so when it is missing. */
static enum reason
open_rest(struct signer *s, const struct op *op)
{
	const struct file_owner any = { FILE_ANY_OWNER, FILE_ANY_OWNER, false };

	if (s->dir == -1 && !op->makes)
		return AAD_R_NO_CA;
	if (s->dir == -1 && own_dir(s->conf->dir, true, &s->dir) != 0)
		return signer_fail(s, AAD_R_STATE_UNREADABLE,
		    "%s cannot be made", s->conf->dir);
	if (file_dir_open(s->dir, "tenant", any, &s->tenant) != 0)
		s->tenant = -1;
	if (own_dir(s->conf->publish_dir, op->makes, &s->publish) != 0)
		s->publish = -1;
	if (s->conf->ca_agent != NULL &&
	    backend_connect(s->conf->ca_agent, &s->agent) != 0)
		s->agent = -1;
	return AAD_R_ALLOWED;
}

/* Where the ledger failed, what it said, unless more is told already. */
static enum reason
with_detail(struct signer *s, enum reason why)
{
	if (s->ledger != NULL && s->detail[0] == '\0' &&
	    (why == AAD_R_LEDGER || why == AAD_R_LEDGER_BUSY ||
		why == AAD_R_LEDGER_ALTERED))
		return signer_fail(s, why, "%s", ledger_error(s->ledger));
	return why;
}

static enum reason
dispatch(struct signer *s, const struct request *rq, json_t **endp)
{
	const struct op *op;
	const char *fault;
	enum reason why;

	why = ops_judge(rq, s->socket, &op, &fault);
	if (why != AAD_R_ALLOWED)
		return signer_fail(s, why, "%s", fault);
	alarm(op->seconds);
	if ((why = open_rest(s, op)) != AAD_R_ALLOWED)
		return why;
	if (signer_sandbox(s->dir, s->publish,
		s->socket ? s->conf->publish_dir : NULL) != 0)
		return AAD_R_SANDBOX;
	s->now = clock_now();
	return with_detail(s, op->fn(s, rq, endp));
}

static enum reason
serve(struct signer *s, struct intake *in, json_t **endp)
{
	const char *fault;
	enum reason why;

	if ((why = judge_limits(s)) != AAD_R_ALLOWED ||
	    (why = load_conf(s)) != AAD_R_ALLOWED ||
	    (why = open_dir(s)) != AAD_R_ALLOWED ||
	    (why = admit(s)) != AAD_R_ALLOWED)
		return why;
	why = intake_read(STDIN_FILENO, s->socket, in, &fault);
	if (why != AAD_R_ALLOWED)
		return signer_fail(s, why, "%s", fault);
	return dispatch(s, &in->rq, endp);
}

static void
set_up(struct signer *s, const char *conf)
{
	struct stat sb;

	memset(s, 0, sizeof(*s));
	s->conf_path = conf;
	s->dir = s->tenant = s->publish = s->agent = -1;
	s->socket = fstat(STDIN_FILENO, &sb) == 0 && S_ISSOCK(sb.st_mode);
	s->in = STDIN_FILENO;
	s->out = s->socket ? STDIN_FILENO : STDOUT_FILENO;
	s->peer_uid = geteuid();
	s->peer_pid = getppid();
}

static int
usage(void)
{
	static const char text[] = "usage: aadssh-ca-signer -f CONF\n";

	if (write(STDERR_FILENO, text, sizeof(text) - 1) == -1)
		return EXIT_USAGE;
	return EXIT_USAGE;
}

int
main(int argc, char **argv)
{
	static struct intake in; /* 14 kB */
	struct signer s;
	json_t *end = NULL;
	enum reason why;

	if (begin() != 0 || sodium_init() == -1)
		_exit(EXIT_CANNOT);
	if (argc != 3 || strcmp(argv[1], "-f") != 0)
		_exit(usage());
	json_object_seed(0); /* or it opens /dev/urandom inside the fence */
	log_wait_little();
	log_open(IDENT, LOG_AUTHPRIV, LOG_INFO);
	set_up(&s, argv[2]);
	if (s.socket &&
	    intake_peer(STDIN_FILENO, &s.peer_uid, &s.peer_pid) != 0)
		_exit(EXIT_CANNOT);
	why = serve(&s, &in, &end);
	/* The operation is over, whether or not somebody hears of it. */
	ledger_close(s.ledger);
	if (reason_class(why) != REASON_YES)
		signer_log(&s, "signer", why, NULL, 0);
	if (why == AAD_R_LIMITS)
		dprintf(STDERR_FILENO, "%s: %s: %s\n", IDENT, reason_name(why),
		    s.detail);
	if (signer_end(&s, why, end) != 0)
		signer_log(&s, "unheard", why, NULL, 0);
	intake_release(&in);
	_exit(request_exit(why));
}
