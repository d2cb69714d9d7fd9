/* SPDX-License-Identifier: ISC */

/* aadssh: sign in, and look after what sign-ins left on this host. */

#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include <jansson.h>
#include <sodium.h>

#include "cmd/aadssh/app.h"
#include "cmd/aadssh/verbs.h"
#include "cmd/cli/log.h"
#include "cmd/cli/priv.h"

static const struct verb verbs[] = {
	{ "login", verb_login, "LOGIN FILE.pub [--uid N] [--json]",
	    "sign in with a device code; remember the token for this key" },
	{ "status", verb_status, "[LOGIN] [--watch [SECONDS]] [--json]",
	    "show the sign-ins of this host, and who is on it" },
	{ "explain", verb_explain, "LOGIN FILE.pub [--uid N] [--json]",
	    "say, step by step, what sshd would be told about this key" },
	{ "refresh", verb_refresh,
	    "[--keys-only] [--force] [--jitter T] [--json]",
	    "fetch the tenant keys when due; check every sign-in live" },
	{ "deny", verb_deny, "--oid|--key|--login X [--until T] [--json]",
	    "refuse an identity, a key or a login from now on" },
	{ "undeny", verb_deny, "--oid|--key|--login X [--json]",
	    "lift such a denial" },
	{ "forget", verb_forget, "LOGIN [--key SHA256:...] [--pin] [--json]",
	    "remove the sign-ins of a login, and its pin" },
	{ "rekey", verb_rekey, "[--json]",
	    "make new keys of this host, and sign and seal with them anew" },
	{ "reap", verb_reap, "[--dry-run] [--json]",
	    "end the sessions of who is denied" },
	{ "check", verb_check, "[--json]",
	    "say whether the configuration is sound" },
	{ "token", verb_token, "--key FILE.pub --fd N",
	    "sign in for a certificate; the token goes to descriptor N" },
	{ "pam", verb_pam, "[session]",
	    "the child of pam_aadssh.so, which starts it; not for people" },
	{ NULL, NULL, NULL, NULL },
};

int
main(int argc, char **argv)
{
	struct app app = { .verbs = verbs, .conf_path = APP_CONF };
	int code;

	app.utf8 = priv_utf8();
	app.keep = token_descriptor(argc, argv);
	if (priv_begin_keeping(app.keep) != 0 || priv_signals() != 0 ||
	    priv_clean_environment(NULL) != 0 || sodium_init() == -1) {
		fprintf(stderr, "%s: cannot start\n", APP_PROG);
		return EXIT_CANNOT;
	}
	json_object_seed(randombytes_random() | 1U);
	/* A log daemon that hangs must not hold up a login, nor a lock. */
	log_wait_little();
	log_open(APP_PROG, LOG_AUTHPRIV, LOG_INFO);
	if (!verb_options(verbs, APP_PROG, APP_USAGE, &app.conf_path, &argc,
		&argv))
		return out_finish(APP_PROG, EXIT_DONE);
	code = verb_dispatch(verbs, APP_USAGE, &app, argc, argv);
	app_release(&app);
	return out_finish(APP_PROG, code);
}
