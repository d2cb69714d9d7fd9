/* SPDX-License-Identifier: ISC */

/* aadssh check: is the configuration sound, and does it let anybody in? */

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/aadssh/app.h"
#include "cmd/aadssh/verbs.h"

#define WARNINGS_MAX 6

/*
 * Root reads everything, so root would not see it.  A group that is not
 * root's was chosen for the purpose; a file that is not root's is of a
 * scratch installation, where one user runs all.
 */
static bool
root_alone_reads(const char *path)
{
	struct stat sb;

	return stat(path, &sb) == 0 && sb.st_uid == 0 &&
	       (sb.st_mode & S_IROTH) == 0 &&
	       ((sb.st_mode & S_IRGRP) == 0 || sb.st_gid == 0);
}

/* A host that only certificates open needs none of the rest. */
static bool
by_certificate(const struct conf *c)
{
	return !c->has_ca && !c->has_idp &&
	       (c->host_groups.n > 0 || c->accept_all);
}

/* Sound, but surely not what was meant. */
static size_t
warnings(const struct app *app, const char *out[static WARNINGS_MAX])
{
	const struct conf *c = app->conf;
	size_t n = 0;

	if (root_alone_reads(app->conf_path) && c->has_ca)
		out[n++] = "only root can read this file; aadssh-ca, who "
			   "signs, must too, or nobody gets a certificate";
	else if (root_alone_reads(app->conf_path))
		out[n++] = "only root can read this file; aadssh-hook, who "
			   "answers sshd, must too, or nobody can log in";
	if (!app_ca_file_safe(c))
		out[n++] = APP_CA_FILE_UNSAFE;
	if (!c->has_idp && !by_certificate(c))
		out[n++] = "there is no [idp] section, so nobody can sign in";
	if (c->domain.n == 0 && c->nlogins == 0 && !by_certificate(c))
		out[n++] = "there is neither a [map] domain nor a [login] "
			   "section, so nobody can log in";
	if (strcmp(c->user, "root") == 0)
		out[n++] = "[process] user = root keeps all of root's power "
			   "for a program that talks to the network";
	if (c->grace > 0)
		out[n++] = "grace lets a key in after its token ended, while "
			   "Azure AD cannot be reached";
	return n;
}

static int
print(const struct app *app, int r, const struct conf_error *why,
    const char *const *warn, size_t nwarn)
{
	size_t i;

	if (r != 0 && why->line != 0)
		printf("%s:%u: %s\n", app->conf_path, why->line, why->text);
	else if (r != 0)
		printf("%s: %s\n", app->conf_path, why->text);
	for (i = 0; i < nwarn; i++)
		printf("%s: warning: %s\n", app->conf_path, warn[i]);
	if (r == 0)
		printf("%s: sound\n", app->conf_path);
	return EXIT_DONE;
}

static int
print_json(const struct app *app, int r, const struct conf_error *why,
    const char *const *warn, size_t nwarn)
{
	json_t *list = json_array(), *o;
	size_t i;

	for (i = 0; i < nwarn; i++)
		json_array_append_new(list, json_string(warn[i]));
	o = json_pack("{s:i s:s s:b s:o}", "v", 1, "file", app->conf_path,
	    "sound", r == 0, "warnings", list);
	if (r != 0) {
		json_object_set_new(o, "line", json_integer(why->line));
		json_object_set_new(o, "error", json_string(why->text));
	}
	return out_json(o);
}

int
verb_check(void *arg, int argc, char **argv)
{
	struct app *app = arg;
	const char *warn[WARNINGS_MAX];
	struct conf_error why;
	size_t nwarn = 0;
	int r, code;
	bool json;

	if (verb_json(argc, argv, 0, &json) != 0)
		return app_usage(app, argv[0]);
	memset(&why, 0, sizeof(why));
	if ((r = conf_load(app->conf_path, geteuid(), &app->conf, &why)) == 0 &&
	    (r = rules_new(app->conf, &app->rules, &why)) == 0)
		nwarn = warnings(app, warn);
	code = json ? print_json(app, r, &why, warn, nwarn)
		    : print(app, r, &why, warn, nwarn);
	if (code != EXIT_DONE || r == 0)
		return code;
	return r == AAD_EFORMAT || r == AAD_EPERM || r == AAD_ETOOBIG
		   ? EXIT_NO
		   : EXIT_CANNOT;
}
