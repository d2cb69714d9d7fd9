/* SPDX-License-Identifier: ISC */

/*
 * aadssh-authkeys: sshd's AuthorizedKeysCommand, and, with --principals, its
 * AuthorizedPrincipalsCommand.
 *
 *	aadssh-authkeys [-f CONF] [--principals] LOGIN UID KEYTYPE KEY
 *
 * What it must never do: print a key that decide() did not allow or a
 * principal that principals_decide() did not, print half a line, open a
 * network socket, run a program, write to a file but that of the offers of
 * this connection.  Its stdout is the yes; sshd throws it away unless the
 * exit is 0.
 *
 *	yes		one line, written once, exit 0
 *	no		nothing, exit 0
 *	cannot tell	nothing, exit 3
 *	usage		nothing, exit 2
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include <jansson.h>

#include "cmd/cli/clock.h"
#include "cmd/cli/log.h"
#include "cmd/cli/priv.h"
#include "cmd/cli/sandbox.h"
#include "core/conf.h"
#include "core/text.h"
#include "host/decision.h"
#include "host/offer.h"
#include "host/principals.h"

#define IDENT	   "aadssh-authkeys"
#define CONF_PATH  "/etc/aadssh/aadssh.conf"
#define MACHINE_ID "/etc/machine-id"
#define UID_MAX	   4294967294ULL /* (uid_t)-1 is no user */

#define EXIT_ANSWERED 0
#define EXIT_USAGE    2
#define EXIT_CANNOT   3

struct args {
	const char *conf;
	const char *login;
	const char *key_type;
	const char *key;
	uint64_t uid;
	bool principals;
};

/*
 * Fixed positions, no getopt(3): a login may begin with '-'.  How many there
 * are says which there are.
 */
static int
args_parse(int argc, char **argv, struct args *a)
{
	int i = 1;

	a->conf = CONF_PATH;
	if (argc >= 7 && strcmp(argv[1], "-f") == 0) {
		a->conf = argv[2];
		i = 3;
	}
	a->principals = argc == i + 5 && strcmp(argv[i], "--principals") == 0;
	if (a->principals)
		i++;
	if (argc != i + 4)
		return AAD_EARG;
	a->login = argv[i];
	a->key_type = argv[i + 2];
	a->key = argv[i + 3];
	if (strlen(argv[i + 1]) > 10 ||
	    !text_number(argv[i + 1], UID_MAX, &a->uid))
		return AAD_EARG;
	return 0;
}

static void
log_answer(const struct args *a, const struct decision *d)
{
	struct log_field fields[] = {
		{ "verdict", reason_verdict(d->reason) },
		{ "reason", reason_name(d->reason) },
		{ "login", a->login },
		{ "key", d->fingerprint },
		{ "oid", d->oid },
		{ "upn", d->upn },
		{ "uti", d->uti },
	};

	log_event(log_priority(d->reason), "key", fields,
	    sizeof(fields) / sizeof(fields[0]));
}

static void
log_principals(const struct args *a, const struct principals *p)
{
	struct log_field fields[] = {
		{ "verdict", reason_verdict(p->reason) },
		{ "reason", reason_name(p->reason) },
		{ "login", a->login },
		{ "key", p->fingerprint },
		{ "serial", p->serial },
		{ "oid", p->oid },
		{ "ca", p->ca },
	};

	log_event(log_priority(p->reason), "principals", fields,
	    sizeof(fields) / sizeof(fields[0]));
}

static void
log_failure(const struct args *a, enum reason why, const char *detail)
{
	struct log_field fields[] = {
		{ "verdict", reason_verdict(why) },
		{ "reason", reason_name(why) },
		{ "login", a->login },
		{ "detail", detail },
	};

	log_event(LOG_ERR, a->principals ? "principals" : "key", fields,
	    sizeof(fields) / sizeof(fields[0]));
}

/* The authority's own keeps no denials, and no host's groups. */
static int
not_of_a_ca(const struct conf *conf, struct conf_error *why)
{
	if (!conf->has_ca)
		return 0;
	return conf_fail(why, 0, "this is a certificate authority's");
}

/* Configuration and rules; one log line when they can't be used. */
static int
load(const struct args *a, struct conf **confp, struct rules **rulesp)
{
	struct conf_error why;
	char detail[280];
	int r;

	memset(&why, 0, sizeof(why));
	*rulesp = NULL;
	if ((r = conf_load(a->conf, geteuid(), confp, &why)) == 0 &&
	    (r = not_of_a_ca(*confp, &why)) == 0 &&
	    (r = rules_new(*confp, rulesp, &why)) == 0) {
		log_open(IDENT, (*confp)->log_facility, (*confp)->log_level);
		return 0;
	}
	log_open(IDENT, LOG_AUTHPRIV, LOG_INFO);
	snprintf(detail, sizeof(detail), "%s:%u: %s", a->conf, why.line,
	    why.text);
	log_failure(a, r == AAD_ENOMEM ? AAD_R_NO_MEMORY : AAD_R_CONFIG,
	    detail);
	return r;
}

/* The whole answer in one write(2); a short one must not count as a yes. */
static int
answer(const char *line)
{
	size_t len = strlen(line);

	return write(STDOUT_FILENO, line, len) == (ssize_t)len ? EXIT_ANSWERED
							       : EXIT_CANNOT;
}

/*
 * Leave a refused key for the sign-in that may follow on this connection.
 * NB. whether that works changes neither answer nor exit.
 */
static void
offer(const struct args *a, int offers, int64_t monitor)
{
	if (offers != -1 && offer_append(offers, monitor, clock_boot_ns(),
				a->login, a->key_type, a->key) != 0)
		return;
}

static int
judge_principals(const struct args *a, const struct conf *conf)
{
	const struct principals_ask ask = { .conf = conf,
		.login = a->login,
		.uid = (int64_t)a->uid,
		.key_type = a->key_type,
		.key_base64 = a->key,
		.now = clock_now() };
	enum reason_class verdict;
	struct principals p;

	verdict = reason_class(principals_decide(&ask, &p));
	log_principals(a, &p);
	if (verdict == REASON_CANNOT)
		return EXIT_CANNOT;
	return verdict == REASON_YES ? answer(p.line) : EXIT_ANSWERED;
}

static int
judge(const struct args *a, const struct conf *conf, const struct rules *rules,
    int offers, int64_t monitor)
{
	const struct decision_ask ask = { .conf = conf,
		.rules = rules,
		.machine_id = MACHINE_ID,
		.login = a->login,
		.key_type = a->key_type,
		.key_base64 = a->key,
		.uid = (int64_t)a->uid,
		.now = clock_now(),
		.oracle = verify_nettle };
	struct decision d;

	switch (reason_class(decide(&ask, &d))) {
	case REASON_YES:
		log_answer(a, &d);
		return d.line != NULL ? answer(d.line) : EXIT_CANNOT;
	case REASON_NO:
		if (decision_curable(d.reason))
			offer(a, offers, monitor);
		log_answer(a, &d);
		return EXIT_ANSWERED;
	case REASON_CANNOT:
		break;
	}
	log_answer(a, &d);
	return EXIT_CANNOT;
}

int
main(int argc, char **argv)
{
	const int64_t monitor = getppid(); /* sshd's, for this connection */
	const char *paths[2];
	struct conf *conf = NULL;
	struct rules *rules = NULL;
	unsigned int seed;
	struct stat sb;
	struct args a;
	int offers;

	/*
	 * NB. no sodium_init(3): it asks the processor what it can do, which
	 * in a virtual machine takes longer than all the rest of a no.  It is
	 * for randomness, threads and functions that come in several makes;
	 * the hook has one thread, and of libsodium only Ed25519 verification,
	 * SHA-256, hex and memzero, which have one.
	 */
	if (priv_begin() != 0 || clearenv() != 0 || log_never_wait() != 0 ||
	    getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
		_exit(EXIT_CANNOT);
	/* Or jansson opens /dev/urandom by itself, inside the fence. */
	json_object_seed(seed | 1U);
	if (args_parse(argc, argv, &a) != 0) {
		static const char usage[] =
		    "usage: aadssh-authkeys [-f CONF] [--principals] LOGIN UID "
		    "KEYTYPE KEY\n";
		if (write(STDERR_FILENO, usage, sizeof(usage) - 1) == -1)
			_exit(EXIT_USAGE);
		_exit(EXIT_USAGE);
	}
	if (load(&a, &conf, &rules) != 0)
		_exit(EXIT_CANNOT);
	/*
	 * Root may only serve its own scratch installation: as sshd's command
	 * it would be a root process that parses what strangers present.
	 */
	if (geteuid() == 0 && stat(conf->dir, &sb) == 0 && sb.st_uid != 0) {
		log_failure(&a, AAD_R_HOOK_ROOT, "");
		_exit(EXIT_CANNOT);
	}
	/* None on a host without sign-ins through ssh. */
	if (a.principals || offer_dir_open(conf->run, &offers) != 0 ||
	    !offer_room(offers))
		offers = -1;
	umask(027); /* aadssh reads the offers, by their group */
	paths[0] = conf->dir;
	paths[1] = MACHINE_ID;
	if (sandbox_paths(paths, 2, offers) != 0 || sandbox_calls() != 0) {
		log_failure(&a, AAD_R_SANDBOX, "");
		_exit(EXIT_CANNOT);
	}
	/* NB. no clean-up: the process ends, and the hook is on a hot path. */
	_exit(a.principals ? judge_principals(&a, conf)
			   : judge(&a, conf, rules, offers, monitor));
}
