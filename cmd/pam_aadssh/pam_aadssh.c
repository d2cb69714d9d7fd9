/* SPDX-License-Identifier: ISC */

/*
 * pam_aadssh: sign-ins with Azure AD in sshd's keyboard-interactive dialogue.
 *
 * It runs as root, in three processes of sshd (M is the monitor): the auth
 * phase and the account phase behind it in a child of M; the account phase
 * of a key login and the session phase in M itself.  Hence it does little,
 * links only libpam and libc, and leaves the sign-in to a child without
 * privileges.  Whatever goes wrong here lets nobody in.
 */

#include <security/pam_ext.h>
#include <security/pam_modules.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "cmd/pam_aadssh/account.h"
#include "cmd/pam_aadssh/child.h"
#include "cmd/pam_aadssh/header.h"
#include "cmd/pam_aadssh/kernel.h"
#include "cmd/pam_aadssh/login.h"
#include "cmd/pam_aadssh/named.h"
#include "cmd/pam_aadssh/options.h"
#include "cmd/pam_aadssh/registry.h"
#include "cmd/pam_aadssh/relay.h"
#include "cmd/pam_aadssh/report.h"

#define EXPORT	   __attribute__((visibility("default")))
#define SESSION_MS 30000 /* the child's time in the session phase */

/* One call of libpam. */
struct call {
	pam_handle_t *pamh;
	const char *phase;
	bool silent;
	struct options opt;
	char login[REGISTRY_LOGIN_LEN];
	uid_t uid;
	const char *connection; /* SSH_CONNECTION, NULL: none */
	char source[KERNEL_ADDRESS_LEN]; /* "": unknown */
	int64_t monitor, start;
};

/* What went wrong, or why not; reason: one of docs/reasons.md, or NULL. */
static void
note_reason(const struct call *c, int priority, const char *reason,
    const char *why)
{
	const struct report_field fields[] = {
		{ "phase", c->phase },
		{ "reason", reason },
		{ "login", c->login },
		{ "source", c->source },
		{ "why", why },
	};

	report(c->pamh, priority, "pam", fields,
	    sizeof(fields) / sizeof(fields[0]));
}

static void
note(const struct call *c, int priority, const char *why)
{
	note_reason(c, priority, NULL, why);
}

static void
say(const struct call *c, const char *text)
{
	if (!c->silent)
		pam_error(c->pamh, "%s", text);
}

static void
find_source(struct call *c)
{
	const void *rhost = NULL;

	c->connection = pam_getenv(c->pamh, "SSH_CONNECTION");
	if (c->connection != NULL)
		kernel_address(c->connection, c->source);
	else if (pam_get_item(c->pamh, PAM_RHOST, &rhost) == PAM_SUCCESS &&
		 rhost != NULL)
		kernel_address(rhost, c->source);
}

/* PAM_SUCCESS when it may go on. */
static int
begin(struct call *c, pam_handle_t *pamh, const char *phase, int flags,
    int argc, const char **argv)
{
	const char *bad = NULL;

	memset(c, 0, sizeof(*c));
	c->pamh = pamh;
	c->phase = phase;
	c->silent = ((unsigned int)flags & PAM_SILENT) != 0;
	if (!options_parse(argc, argv, &c->opt, &bad)) {
		const struct report_field fields[] = { { "phase", phase },
			{ "why", "an option that is unknown or malformed" },
			{ "option", bad } };

		report(pamh, LOG_ERR, "pam", fields, 3);
		return PAM_SERVICE_ERR;
	}
	find_source(c);
	if (!login_find(pamh, c->login, &c->uid)) {
		note(c, LOG_INFO, "no such account");
		return PAM_USER_UNKNOWN;
	}
	return PAM_SUCCESS;
}

static bool
find_monitor(struct call *c, pid_t pid)
{
	c->monitor = pid;
	if (kernel_start(pid, &c->start))
		return true;
	note(c, LOG_ERR, "the monitor's start is not known");
	return false;
}

/* Start the child, relay, end it. */
static enum verdict
talk(const struct call *c, struct relay_job *job, const struct header *h,
    struct relay_said *said, const char **whyp)
{
	enum verdict v = VERDICT_FAILED;
	struct child child;
	char *text;

	*whyp = "how they came in can't be told";
	if ((text = header_format(h, &job->header_len)) == NULL)
		return VERDICT_FAILED;
	job->header = text;
	if (child_start(&child, &c->opt, job->session, whyp))
		v = relay_run(job, &child, said, whyp);
	child_end(&child);
	free(text);
	return v;
}

static enum verdict
consult(const struct call *c, const char *auth_info, struct relay_said *said)
{
	const bool session = strcmp(c->phase, "session") == 0;
	const struct header h = { c->login, c->monitor, c->start, c->source,
		auth_info, said->facts.tid, said->facts.oid };
	struct relay_job job = {
		.pamh = c->pamh,
		.session = session,
		.silent = c->silent,
		.client = session ? -1 : kernel_connection(c->connection),
		.deadline = kernel_clock_ms(),
	};
	const char *why = NULL;
	enum verdict v;

	job.deadline += session && c->opt.timeout_ms > SESSION_MS
			    ? SESSION_MS
			    : c->opt.timeout_ms;
	v = talk(c, &job, &h, said, &why);
	if (v != VERDICT_FAILED)
		return v;
	note(c, LOG_ERR, why);
	if (!said->errors && !kernel_gone(job.client))
		say(c, "This host can't judge your sign-in now.");
	return v;
}

/* What goes to the person's environment. */
static bool export(const struct call *c, const struct relay_said *said)
{
	char text[160];

	if (said->env_upn[0] != '\0') {
		snprintf(text, sizeof(text), "AADSSH_UPN=%s", said->env_upn);
		if (pam_putenv(c->pamh, text) != PAM_SUCCESS)
			return false;
	}
	if (said->env_oid[0] != '\0') {
		snprintf(text, sizeof(text), "AADSSH_OID=%s", said->env_oid);
		if (pam_putenv(c->pamh, text) != PAM_SUCCESS)
			return false;
	}
	return true;
}

/* Leave a session file; facts as the child said them. */
static bool
register_entry(const struct call *c, bool auth, const struct facts *facts,
    const char *method)
{
	char name[REGISTRY_NAME_LEN];
	struct entry e;

	memset(&e, 0, sizeof(e));
	e.pid = c->monitor;
	e.start = c->start;
	e.opened = kernel_now();
	snprintf(e.login, sizeof(e.login), "%s", c->login);
	snprintf(e.source, sizeof(e.source), "%s", c->source);
	snprintf(e.method, sizeof(e.method), "%s", method);
	e.facts = *facts;
	registry_name(c->monitor, auth, name);
	return kernel_exe(e.exe) && registry_write(c->opt.run, name, &e);
}

static int
auth_code(enum verdict v)
{
	switch (v) {
	case VERDICT_OK:
		return PAM_SUCCESS;
	case VERDICT_NO:
		return PAM_MAXTRIES; /* or the client asks three times */
	case VERDICT_UNAVAIL:
		return PAM_AUTHINFO_UNAVAIL;
	case VERDICT_IGNORE:
		return PAM_IGNORE;
	case VERDICT_FAILED:
		break;
	}
	return PAM_AUTH_ERR;
}

/*
 * In keyboard-interactive the caller is a child of the monitor, which leads
 * the session.  A leader is the monitor itself, with a password to check:
 * it would spend a sign-in on each guess.
 */
static bool
interactive(const struct call *c)
{
	if (getsid(0) != getpid())
		return true;
	note(c, LOG_ERR, "this is not keyboard-interactive");
	return false;
}

/*
 * For a login that its settings deny sshd asks all the same, and hands junk
 * on in place of the answers, which for a bare Enter is as empty.  But it
 * calls that login unknown in the title of this process.
 */
static bool
hopeless(const struct call *c)
{
	if (!kernel_titled(": unknown [pam]") ||
	    strcmp(c->login, "unknown") == 0)
		return false;
	note(c, LOG_INFO, "sshd does not let this login in");
	return true;
}

EXPORT int
pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	char name[REGISTRY_NAME_LEN];
	struct relay_said said;
	struct call c;
	enum verdict v;
	int rc;

	if ((rc = begin(&c, pamh, "auth", flags, argc, argv)) != PAM_SUCCESS)
		return rc;
	if (hopeless(&c))
		return PAM_USER_UNKNOWN;
	/* Or a broken child, which is user aadssh, could become root. */
	if (c.uid == 0 && !named_login(c.opt.conf, c.login)) {
		note_reason(&c, LOG_INFO, "login_never", NULL);
		return PAM_USER_UNKNOWN;
	}
	if (!interactive(&c) || !find_monitor(&c, getppid()))
		return PAM_AUTH_ERR;
	registry_name(c.monitor, true, name);
	registry_remove(c.opt.run, name);
	memset(&said, 0, sizeof(said));
	v = consult(&c, NULL, &said);
	if (v == VERDICT_OK &&
	    (!register_entry(&c, true, &said.facts, "keyboard-interactive") ||
		!export(&c, &said))) {
		note(&c, LOG_ERR, "who signed in can't be stored");
		v = VERDICT_FAILED;
	}
	return auth_code(v);
}

EXPORT int
pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)pamh;
	(void)flags;
	(void)argc;
	(void)argv;
	return PAM_SUCCESS;
}

EXPORT int
pam_sm_acct_mgmt(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	struct call c;
	int rc;

	if ((rc = begin(&c, pamh, "account", flags, argc, argv)) != PAM_SUCCESS)
		return rc;
	switch (account_judge(c.opt.state, c.login, kernel_now())) {
	case ACCOUNT_OPEN:
		return PAM_SUCCESS;
	case ACCOUNT_DENIED:
		note_reason(&c, LOG_INFO, "login_denied", NULL);
		say(&c, "This login is denied on this host.");
		return PAM_ACCT_EXPIRED;
	case ACCOUNT_CANNOT_TELL:
		break;
	}
	note_reason(&c, LOG_ERR, "denials_unreadable", NULL);
	say(&c, "This host can't tell now whether this login is denied.");
	return PAM_ACCT_EXPIRED;
}

/* Who signed in by keyboard-interactive on this connection, if anybody. */
static void
take_auth(const struct call *c, struct facts *f)
{
	char name[REGISTRY_NAME_LEN];
	struct entry e;

	registry_name(c->monitor, true, name);
	if (registry_read(c->opt.run, name, &e) && e.pid == c->monitor &&
	    e.start == c->start && strcmp(e.login, c->login) == 0) {
		memcpy(f->tid, e.facts.tid, sizeof(f->tid));
		memcpy(f->oid, e.facts.oid, sizeof(f->oid));
		memcpy(f->upn, e.facts.upn, sizeof(f->upn));
	}
	registry_remove(c->opt.run, name);
}

/* What sshd took, by the lines of SSH_AUTH_INFO_0. */
static const char *
method_of(const char *auth_info)
{
	const char *s = auth_info;
	bool asked = false;

	while (s != NULL && *s != '\0') {
		if (strncmp(s, "publickey ", 10) == 0)
			return "publickey";
		asked |= strncmp(s, "keyboard-interactive", 20) == 0;
		s = strchr(s, '\n');
		s = s != NULL ? s + 1 : NULL;
	}
	return asked ? "keyboard-interactive" : "other";
}

EXPORT int
pam_sm_open_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	struct relay_said said;
	const char *auth_info;
	struct call c;
	enum verdict v;

	if (begin(&c, pamh, "session", flags, argc, argv) != PAM_SUCCESS ||
	    !find_monitor(&c, getpid()))
		return PAM_SESSION_ERR;
	auth_info = pam_getenv(pamh, "SSH_AUTH_INFO_0");
	memset(&said, 0, sizeof(said));
	take_auth(&c, &said.facts);
	v = consult(&c, auth_info, &said);
	if ((v != VERDICT_OK && v != VERDICT_IGNORE) || !export(&c, &said))
		return PAM_SESSION_ERR;
	/* NB. a full /run keeps nobody out; but then nothing ends the session
	 * when its person is denied. */
	if (!register_entry(&c, false, &said.facts, method_of(auth_info)))
		note(&c, LOG_ERR, "the session is not registered");
	return PAM_SUCCESS;
}

EXPORT int
pam_sm_close_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	char name[REGISTRY_NAME_LEN];
	struct entry e;
	struct call c;
	int rc = begin(&c, pamh, "session", flags, argc, argv);

	/* An account may go while its session is open. */
	if ((rc != PAM_SUCCESS && rc != PAM_USER_UNKNOWN) ||
	    !find_monitor(&c, getpid()))
		return PAM_SESSION_ERR;
	registry_name(c.monitor, false, name);
	if (registry_read(c.opt.run, name, &e) && e.start == c.start) {
		const struct report_field fields[] = {
			{ "login", e.login },
			{ "oid", e.facts.oid },
			{ "upn", e.facts.upn },
			{ "key", e.facts.key },
			{ "source", e.source },
		};

		report(pamh, LOG_INFO, "logout", fields,
		    sizeof(fields) / sizeof(fields[0]));
	}
	return registry_remove(c.opt.run, name) ? PAM_SUCCESS : PAM_SESSION_ERR;
}

EXPORT int
pam_sm_chauthtok(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)pamh;
	(void)flags;
	(void)argc;
	(void)argv;
	return PAM_IGNORE;
}
