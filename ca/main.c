/* SPDX-License-Identifier: ISC */

/* aadssh-ca: the certificate authority, on its own host. */

#include <stdio.h>
#include <string.h>

#include <jansson.h>
#include <sodium.h>

#include "ca/app.h"
#include "ca/verbs.h"
#include "cmd/cli/priv.h"

static const struct verb verbs[] = {
	{ "init", verb_init,
	    "[--import FILE] [--recovery-out FILE] [--user-ca FILE.pub "
	    "--host-ca FILE.pub] [--json]",
	    "make the authority: its keys, its ledger, its first publication" },
	{ "sign", verb_sign,
	    "[--key FILE.pub] [--out FILE] [--login A,B] [--ttl T] "
	    "[--source-address CIDR,...] [--if-needed] [--min-left T] "
	    "[--quiet] [--add-to-agent] [--dry-run] [--json]",
	    "sign in and get a certificate for your key" },
	{ "sign-host", verb_sign_host,
	    "--key FILE.pub --name FQDN,... [--ttl T] [--out FILE] [--json]",
	    "get a certificate for a host's key" },
	{ "show", verb_show, "FILE|SERIAL [--json]",
	    "show a certificate: of a file, or of the ledger" },
	{ "list", verb_list,
	    "[--user UPN] [--oid GUID] [--key FP|FILE.pub] [--valid] "
	    "[--since TIME|T] [--csv|--json]",
	    "list the certificates of the ledger" },
	{ "verify", verb_verify, "[--json]",
	    "check every row of the ledger, and the manifests against it" },
	{ "keys", verb_keys, "[--json]", "show the keys of the authority" },
	{ "revoke", verb_revoke,
	    "--serial|--user|--oid|--key|--ca-key X --reason TEXT "
	    "[--user-ca FILE.pub] [--host-ca FILE.pub] [--json]",
	    "revoke certificates, and bar who has them; publish that" },
	{ "unrevoke", verb_revoke,
	    "--oid|--user X | --pin LOGIN [--reason TEXT] [--json]",
	    "let a user sign again, or free a login for another" },
	{ "krl", verb_krl, "--out FILE|-", "write the revocation list" },
	{ "rotate", verb_rotate,
	    "[--now] [--dry-run] [--user-ca FILE.pub] [--host-ca FILE.pub] "
	    "[--bundle [--recovery FILE]] [--json]",
	    "do what is due with the authority's keys; for cron" },
	{ "publish", verb_publish, "[--json]",
	    "make what hosts read anew, and switch to it" },
	{ "backup", verb_backup, "--out FILE",
	    "write a backup that only the recovery key opens" },
	{ "restore", verb_restore, "FILE --recovery KEYFILE [--json]",
	    "make the authority from a backup" },
	{ "check", verb_check, "[--json]",
	    "say whether the configuration and the authority are sound" },
	{ NULL, NULL, NULL, NULL },
};

int
main(int argc, char **argv)
{
	struct ca_app app = { .verbs = verbs, .conf_path = CA_CONF };
	int code;

	app.utf8 = priv_utf8();
	priv_variable("SSH_AUTH_SOCK", app.agent, sizeof(app.agent));
	priv_variable("TERM", app.term, sizeof(app.term));
	if (priv_begin() != 0 || priv_signals() != 0 ||
	    priv_clean_environment(NULL) != 0 || sodium_init() == -1) {
		fprintf(stderr, "%s: cannot start\n", CA_PROG);
		return EXIT_CANNOT;
	}
	json_object_seed(randombytes_random() | 1U);
	if (!verb_options(verbs, CA_PROG, CA_USAGE, &app.conf_path, &argc,
		&argv))
		return out_finish(CA_PROG, EXIT_DONE);
	code = verb_dispatch(verbs, CA_USAGE, &app, argc, argv);
	ca_release(&app);
	return out_finish(CA_PROG, code);
}
