/* SPDX-License-Identifier: ISC */

/*
 * aadssh pam: the child of pam_aadssh.so, which relays its lines between it
 * and the person.  It runs as the owner of the state directory, with pipes
 * for stdin and stdout and nothing else.
 */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "cmd/aadssh/pam.h"
#include "cmd/aadssh/verbs.h"
#include "cmd/cli/log.h"
#include "cmd/cli/priv.h"
#include "cmd/cli/stop.h"
#include "core/text.h"

#define HEADER_S  20 /* seconds until the header is there */
#define SESSION_S 20 /* seconds for a session: no network, maybe a lock */

static int
read_header(struct lines *lines, bool session, struct pamheader *h)
{
	char *text;
	size_t len;
	int r;

	if ((r = lines_header(lines, PAMHEADER_MAX, &text, &len)) != 0)
		return r;
	r = pamheader_parse(text, len, session, h);
	free(text);
	return r;
}

/* What went wrong before there was anything to judge. */
static void
log_start(const char *what, enum reason why)
{
	const struct log_field fields[] = {
		{ "verdict", reason_verdict(why) },
		{ "reason", reason_name(why) },
		{ "detail", what },
	};

	log_event(log_priority(why), "pam", fields, 3);
}

/*
 * Become ready: the configuration, and nobody's power but the state's owner.
 * root would do everything below as root, or leave root's files behind.
 */
static int
start(struct app *app, struct refusal *no)
{
	uid_t self = geteuid();

	refusal_set(no, AAD_R_CONFIG, NULL);
	if (app_start(app) != EXIT_DONE)
		return AAD_EREFUSED;
	if (geteuid() != self) {
		refusal_set(no, AAD_R_STATE_OWNER, NULL);
		return AAD_EREFUSED;
	}
	return 0;
}

void
phase_say_identity(struct pam *p, const char *tid, const char *oid,
    const char *upn)
{
	char name[128], line[160];

	text_clean(upn == NULL ? "" : upn, upn == NULL ? 0 : strlen(upn), name,
	    sizeof(name));
	snprintf(line, sizeof(line), "AADSSH_OID=%s", oid);
	lines_say(p->lines, 'V', line);
	if (tid[0] != '\0') {
		snprintf(line, sizeof(line), "tid %s", tid);
		lines_say(p->lines, 'F', line);
	}
	snprintf(line, sizeof(line), "oid %s", oid);
	lines_say(p->lines, 'F', line);
	if (name[0] == '\0')
		return;
	snprintf(line, sizeof(line), "AADSSH_UPN=%s", name);
	lines_say(p->lines, 'V', line);
	snprintf(line, sizeof(line), "upn %s", name);
	lines_say(p->lines, 'F', line);
}

/*
 * What is wrong with this host's files, its configuration or its network is
 * for its administrator, in the log: whoever is at the other end may be
 * anybody.
 */
static bool
for_the_log(enum reason why)
{
	switch (why) {
	case AAD_R_CONFIG:
	case AAD_R_DISK:
	case AAD_R_DENIALS_UNREADABLE:
	case AAD_R_PIN_UNREADABLE:
	case AAD_R_RECORD_KEY_UNREADABLE:
	case AAD_R_RECORD_UNREADABLE:
	case AAD_R_REFRESH_TOKEN:
	case AAD_R_STATE_OWNER:
	case AAD_R_STATE_UNREADABLE:
	case AAD_R_UNREACHABLE:
		return true;
	default:
		return false;
	}
}

/* The last lines: why not, for the person, and the verdict. */
static int
answer(struct pam *p, enum pam_verdict verdict)
{
	static const char *const words[] = { "NO", "OK", "UNAVAIL", "IGNORE" };

	if (verdict == PAM_VERDICT_NO || verdict == PAM_VERDICT_UNAVAIL) {
		lines_prose(p->lines, 'E', reason_sentence(p->no.why));
		if (!for_the_log(p->no.why))
			lines_prose(p->lines, 'E', p->no.detail);
	}
	lines_say(p->lines, 'R', words[verdict]);
	return verdict == PAM_VERDICT_OK || verdict == PAM_VERDICT_IGNORE
		   ? EXIT_DONE
		   : EXIT_NO;
}

/* The header is there: everything else. */
static int
run(struct pam *p, bool session)
{
	enum pam_verdict verdict = PAM_VERDICT_NO;

	if (start(p->app, &p->no) != 0) {
		log_start(p->no.detail, p->no.why);
	} else {
		alarm(session ? SESSION_S
			      : (unsigned int)p->app->conf->pam_timeout);
		verdict = session ? phase_session(p) : phase_auth(p);
	}
	return answer(p, verdict);
}

int
verb_pam(void *arg, int argc, char **argv)
{
	struct pamheader header;
	struct lines lines;
	struct pam p = { arg, &header, &lines, NULL, { AAD_R_UNSET, "" } };
	bool session = argc == 2 && strcmp(argv[1], "session") == 0;
	int code = EXIT_NO, r;

	if (argc != 1 && !session)
		return app_usage(p.app, argv[0]);
	/* All that ends a sign-in ends it cleanly, with nothing stored. */
	p.stop = stop_catch(PAM_TIMED_OUT, 0);
	alarm(HEADER_S);
	lines_init(&lines, STDIN_FILENO, STDOUT_FILENO, p.stop);
	memset(&header, 0, sizeof(header));
	if (priv_end_with_parent() != 0) {
		log_start("the parent is gone", AAD_R_INTERRUPTED);
	} else if ((r = read_header(&lines, session, &header)) != 0) {
		log_start(err_name(r), AAD_R_UNSET);
		code = answer(&p, PAM_VERDICT_NO);
	} else {
		code = run(&p, session);
	}
	pamheader_release(&header);
	lines_release(&lines);
	return code;
}
