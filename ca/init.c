/* SPDX-License-Identifier: ISC */

/* aadssh-ca init: an authority comes into being. */

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "ca/door.h"
#include "ca/import.h"
#include "ca/keyfile.h"
#include "ca/layout.h"
#include "ca/publish.h"
#include "ca/rows.h"
#include "ca/trust.h"
#include "ca/verbs.h"
#include "cmd/cli/stop.h"
#include "core/file.h"
#include "ssh/key.h"
#include "ssh/privkey.h"

#define RECOVERY "./aadssh-recovery-key"
#define HOST_DIR "/etc/ssh/aadssh" /* the publication's place on a host */

struct init {
	struct ca_app *app;
	const char *import;
	const char *recovery; /* where its private half goes */
	const char *user_ca; /* FILE.pub of keys in the agent, or NULL */
	const char *host_ca;
	bool json;
	struct key user, host;
	struct privkey key; /* recovery */
	struct secret *imported;
	int dir; /* the recovery file's, open */
	const char *name; /* in dir */
	const volatile sig_atomic_t *stop;
};

static int
parse(int argc, char **argv, struct init *i)
{
	static const struct option longs[] = {
		{ "import", required_argument, NULL, 'i' },
		{ "recovery-out", required_argument, NULL, 'r' },
		{ "user-ca", required_argument, NULL, 'u' },
		{ "host-ca", required_argument, NULL, 'h' },
		{ "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	i->recovery = RECOVERY;
	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (c == 'i')
			i->import = optarg;
		else if (c == 'r')
			i->recovery = optarg;
		else if (c == 'u')
			i->user_ca = optarg;
		else if (c == 'h')
			i->host_ca = optarg;
		else if (c == 'j')
			i->json = true;
		else
			return -1;
	}
	/* NB. the agent's are named both; a file's is made, or imported. */
	if ((i->user_ca == NULL) != (i->host_ca == NULL) ||
	    (i->user_ca != NULL && i->import != NULL))
		return -1;
	/* A private key is not for the screen. */
	return argc == optind && strcmp(i->recovery, "-") != 0 ? 0 : -1;
}

/* The keys that are named, before anything is made. */
static int
read_keys(struct init *i)
{
	int code;

	if (i->user_ca != NULL &&
	    ((code = ca_read_key(i->app, i->user_ca, &i->user)) != EXIT_DONE ||
		(code = ca_read_key(i->app, i->host_ca, &i->host)) !=
		    EXIT_DONE))
		return code;
	if (i->import == NULL)
		return EXIT_DONE;
	return import_key(i->app, i->import, i->stop, &i->imported);
}

/* A fresh key; *textp: its file. */
static int
fresh(struct privkey *out, struct secret **textp)
{
	struct secret *seed;
	int r = secret_new(PRIVKEY_SEED_LEN, &seed);

	if (r != 0)
		return r;
	randombytes_buf(secret_bytes(seed), PRIVKEY_SEED_LEN);
	r = privkey_of_seed(secret_bytes(seed), out);
	secret_free(seed);
	return r != 0 ? r
		      : privkey_format(out, randombytes_random(),
			    "aadssh-ca recovery", textp);
}

/* The recovery key is on the disk before there is anything that needs it:
 * its file is all that there will ever be of its private half. */
static int
make_recovery(struct init *i)
{
	struct secret *text = NULL;
	int r;

	if (fresh(&i->key, &text) != 0)
		return ca_refuse(i->app, AAD_R_NO_MEMORY, i->json);
	/* NB. the directory stays open: what is removed again must be what
	 * was made, whoever may rename things there. */
	r = AAD_ESYS;
	if ((i->dir = keyfile_parent(i->recovery, &i->name)) != -1)
		r = file_create(i->dir, i->name, secret_bytes(text),
		    secret_len(text), 0600);
	if (r != 0 && r != AAD_EEXIST)
		ca_detail(i->app, AAD_R_DISK, "%s: %s", i->recovery,
		    r == AAD_ESYS ? strerror(errno) : err_name(r));
	secret_free(text);
	if (r == 0)
		return EXIT_DONE;
	if (r != AAD_EEXIST)
		return ca_refuse(i->app, AAD_R_DISK, i->json);
	fprintf(stderr,
	    "%s: %s is there already; nothing was done. If aadssh-ca keys "
	    "knows no authority, an init that was interrupted may have left "
	    "it: remove it then. Else it may be that authority's only recovery "
	    "key.\n",
	    CA_PROG, i->recovery);
	return EXIT_NO;
}

/* A definite no: then that key opens nothing. */
static void
drop_recovery(const struct init *i, enum reason why)
{
	if (why == AAD_R_SIGNER_REPLY || why == AAD_R_SIGNER_UNREACHABLE) {
		fprintf(stderr,
		    "%s: keep %s until aadssh-ca keys says whether there is "
		    "an authority\n",
		    CA_PROG, i->recovery);
		return;
	}
	unlinkat(i->dir, i->name, 0);
}

static enum reason
ask(struct init *i, json_t **endp)
{
	struct wirebuf rq = wirebuf_new();
	char context[CA_DETAIL_MAX];
	enum reason why;

	ca_context("init", context);
	request_begin(&rq, REQUEST_INIT);
	request_put(&rq, REQUEST_L_KEY, i->key.pub.blob, i->key.pub.blob_len);
	request_put_text(&rq, REQUEST_L_CONTEXT, context);
	if (i->imported != NULL)
		request_put(&rq, REQUEST_L_IMPORT, secret_bytes(i->imported),
		    secret_len(i->imported));
	if (i->user_ca != NULL) {
		request_put(&rq, REQUEST_L_USER_CA, i->user.blob,
		    i->user.blob_len);
		request_put(&rq, REQUEST_L_HOST_CA, i->host.blob,
		    i->host.blob_len);
	}
	request_end(&rq);
	secret_free(i->imported);
	i->imported = NULL;
	why = door_ask(i->app, &rq, DOOR_LONG_MS, i->stop, NULL, NULL, endp);
	wirebuf_release(&rq);
	return why;
}

/* The first line of what clients' known_hosts needs, heap, or NULL. */
static char *
known_hosts(struct ca_app *app)
{
	char *text = trust_text(app, "known_hosts");

	if (text != NULL)
		text[strcspn(text, "\n")] = '\0';
	return text;
}

static void
tell(const struct init *i, const json_t *end)
{
	char text[ROWS_TEXT_MAX];
	char *known = known_hosts(i->app);

	printf("The certificate authority is there.\n");
	printf("  user CA       %s\n", rows_text(end, "user_ca", text));
	printf("  host CA       %s\n", rows_text(end, "host_ca", text));
	printf("  bundle key    %s\n", rows_text(end, "bundle_key", text));
	printf("  recovery key  %s\n", rows_text(end, "recovery_key", text));
	printf("\nMove %s offline now: it opens backups, and it is what hosts "
	       "believe\nwhen the bundle key is lost. It is nowhere else.\n",
	    i->recovery);
	/* NB. with these and without the file that RevokedKeys names, sshd
	 * takes no key from anybody. */
	printf("\nIn sshd_config of a host, once it has a copy of %s\n"
	       "as " HOST_DIR ", and not before:\n"
	       "  TrustedUserCAKeys " HOST_DIR "/current/user_ca.pub\n"
	       "  RevokedKeys " HOST_DIR "/current/krl\n"
	       "  AuthorizedPrincipalsCommand "
	       "/usr/libexec/aadssh/aadssh-authkeys --principals %%u %%U %%t "
	       "%%k\n"
	       "  AuthorizedPrincipalsCommandUser aadssh-hook\n",
	    i->app->conf->publish_dir);
	if (known != NULL)
		printf("\nIn known_hosts of who logs in:\n  %s\n", known);
	printf("\nNext: let cron fetch the tenant keys (aadssh -f %s refresh "
	       "--keys-only)\nand run aadssh-ca rotate; then try aadssh-ca "
	       "check and aadssh-ca sign.\n",
	    i->app->conf_path);
	free(known);
}

static int
report(const struct init *i, json_t *end)
{
	char *known;
	json_t *o;

	if (!i->json) {
		tell(i, end);
		return EXIT_DONE;
	}
	known = known_hosts(i->app);
	o = end == NULL ? json_object() : json_copy(end);
	json_object_set_new(o, "v", json_integer(1));
	json_object_set_new(o, "done", json_true());
	json_object_set_new(o, "recovery_file", json_string(i->recovery));
	json_object_set_new(o, "publish_dir",
	    json_string(i->app->conf->publish_dir));
	if (known != NULL)
		json_object_set_new(o, "known_hosts", json_string(known));
	free(known);
	return out_json(o);
}

static int
run(struct init *i)
{
	json_t *end = NULL;
	enum reason why;
	int code;

	if ((code = ca_load(i->app)) != EXIT_DONE ||
	    (code = read_keys(i)) != EXIT_DONE ||
	    (code = make_recovery(i)) != EXIT_DONE)
		return code;
	if ((code = layout_make(i->app)) != EXIT_DONE) {
		unlinkat(i->dir, i->name, 0);
		return code;
	}
	if ((why = ask(i, &end)) != AAD_R_ALLOWED) {
		drop_recovery(i, why);
		json_decref(end);
		return ca_refuse(i->app, why, i->json);
	}
	if ((why = publish_run(i->app, i->stop, NULL)) != AAD_R_ALLOWED)
		code = ca_refuse(i->app, why, false);
	if (code != EXIT_DONE)
		fprintf(stderr,
		    "%s: the authority is there, but nothing is published yet; "
		    "run aadssh-ca publish\n",
		    CA_PROG);
	if (report(i, end) != EXIT_DONE)
		code = EXIT_CANNOT;
	json_decref(end);
	return code;
}

int
verb_init(void *arg, int argc, char **argv)
{
	struct init i = { .app = arg, .dir = -1 };
	int code;

	if (parse(argc, argv, &i) != 0)
		return ca_usage(arg, argv[0]);
	i.stop = stop_catch(0, 0);
	code = run(&i);
	file_close(i.dir);
	privkey_release(&i.key);
	secret_free(i.imported);
	key_release(&i.user);
	key_release(&i.host);
	return code;
}
