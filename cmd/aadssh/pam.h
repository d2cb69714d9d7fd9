/* SPDX-License-Identifier: ISC */

/*
 * pam: what the two phases of `aadssh pam` share: the header that the module
 * sent, the lines to it, and why the answer is no.
 */

#ifndef AAD_PAM_H
#define AAD_PAM_H

#include <signal.h>

#include "cmd/aadssh/app.h"
#include "cmd/aadssh/exchange.h"
#include "cmd/aadssh/lines.h"
#include "cmd/aadssh/pamheader.h"

/* What stop holds: why everything ends; another signal's number, too. */
#define PAM_STOPPED   SIGHUP /* nobody is there any more */
#define PAM_TIMED_OUT SIGALRM

enum pam_verdict {
	PAM_VERDICT_NO = 0, /* zeroed memory lets nobody in */
	PAM_VERDICT_OK,
	PAM_VERDICT_UNAVAIL, /* Azure AD is out, and not only for us */
	PAM_VERDICT_IGNORE /* not ours to judge */
};

/* Borrowed by the phases. */
struct pam {
	struct app *app; /* after app_start() */
	const struct pamheader *header;
	struct lines *lines;
	volatile sig_atomic_t *stop;
	struct refusal no; /* for PAM_VERDICT_NO and UNAVAIL */
};

/* Sign somebody in.  Logs event=signin. */
enum pam_verdict phase_auth(struct pam *p);

/* Judge and confirm who was let in.  Logs event=login. */
enum pam_verdict phase_session(struct pam *p);

/* Tell the module who it is: variables of the session, facts of its file. */
void phase_say_identity(struct pam *p, const char *tid, const char *oid,
    const char *upn);

#endif /* AAD_PAM_H */
