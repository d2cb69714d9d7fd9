/* SPDX-License-Identifier: ISC */

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/aadssh/app.h"
#include "cmd/cli/log.h"
#include "cmd/cli/priv.h"
#include "core/text.h"
#include "policy/policy.h"

#define PUB_MAX	   32768 /* bytes of a FILE.pub; a certificate has 22 kB */
#define UID_MAX	   4294967294ULL
#define STATE_MODE 0750

int
app_usage(const struct app *app, const char *verb)
{
	return verb_usage(app->verbs, APP_USAGE, verb);
}

int
app_key_options(int argc, char **argv, struct app_key_options *o)
{
	static const struct option longs[] = {
		{ "uid", required_argument, NULL, 'u' },
		{ "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	memset(o, 0, sizeof(*o));
	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (c == 'u')
			o->uid = optarg;
		else if (c == 'j')
			o->json = 1;
		else
			return -1;
	}
	if (argc - optind != 2)
		return -1;
	o->login = argv[optind];
	o->file = argv[optind + 1];
	return 0;
}

static int
conf_refused(const struct app *app, int r, const struct conf_error *why)
{
	if (r == AAD_ENOMEM)
		return out_refusal(APP_PROG, AAD_R_NO_MEMORY, NULL);
	if (why->line != 0)
		fprintf(stderr, "%s: %s:%u: %s\n", APP_PROG, app->conf_path,
		    why->line, why->text);
	else
		fprintf(stderr, "%s: %s: %s\n", APP_PROG, app->conf_path,
		    why->text);
	return EXIT_CANNOT;
}

/* Make the state directory for the user we are about to become. */
static int
make_state(const char *dir, const struct passwd *pw)
{
	if (mkdir(dir, 0700) == -1)
		return errno == EEXIST ? 0 : -1;
	if (lchown(dir, pw->pw_uid, pw->pw_gid) == -1 ||
	    chmod(dir, STATE_MODE) == -1)
		return -1;
	return 0;
}

static int
no_account(const struct app *app)
{
	char line[16] = "";

	if (app->conf->user_line != 0)
		snprintf(line, sizeof(line), ":%u", app->conf->user_line);
	fprintf(stderr,
	    "%s: %s%s: [process] user: there is no account named %s\n",
	    APP_PROG, app->conf_path, line, app->conf->user);
	return EXIT_CANNOT;
}

static void
warn_root(const char *why)
{
	fprintf(stderr,
	    "%s: warning: %s keeps all of root's power for a program that "
	    "talks to the network\n",
	    APP_PROG, why);
}

static int
become(const char *name, uid_t uid, gid_t gid)
{
	if (priv_drop(uid, gid) == 0)
		return EXIT_DONE;
	fprintf(stderr, "%s: cannot become %s: %s\n", APP_PROG, name,
	    strerror(errno));
	return EXIT_CANNOT;
}

int
app_become(const struct app *app)
{
	const struct passwd *pw;
	struct stat sb;

	if (geteuid() != 0)
		return EXIT_DONE;
	if ((pw = getpwnam(app->conf->user)) == NULL)
		return no_account(app);
	if (make_state(app->conf->dir, pw) == -1) {
		fprintf(stderr, "%s: %s: %s\n", APP_PROG, app->conf->dir,
		    strerror(errno));
		return EXIT_CANNOT;
	}
	if (pw->pw_uid == 0) {
		if (stat(app->conf->dir, &sb) == -1 || sb.st_uid != 0)
			return out_refusal(APP_PROG, AAD_R_STATE_OWNER,
			    app->conf->dir);
		warn_root("[process] user = root");
		return EXIT_DONE;
	}
	return become(app->conf->user, pw->pw_uid, pw->pw_gid);
}

static const char *
state_fault(int r, int error)
{
	switch (r) {
	case AAD_ESYS:
		return strerror(error);
	case AAD_ENOENT:
		return "it, or something in it, is not there";
	case AAD_EPERM:
		return "it, or something in it, is a link, another user's, or "
		       "writable by others";
	case AAD_EFORMAT:
	case AAD_ETOOBIG:
		return "something in it is damaged";
	default:
		return err_name(r);
	}
}

/* Who fetches an authority's tenant keys, and its signer doesn't. */
static int
tenant_owner(const struct app *app, uid_t *uidp, gid_t *gidp)
{
	int r = cache_tenant_owner(app->conf->dir, uidp, gidp);

	if (r == 0)
		return EXIT_DONE;
	fprintf(stderr, "%s: %s/tenant: %s\n", APP_PROG, app->conf->dir,
	    state_fault(r, errno));
	return EXIT_CANNOT;
}

int
app_become_stateless(const struct app *app)
{
	const char *name = app->conf->user;
	const struct passwd *pw;
	int code;
	uid_t uid;
	gid_t gid;

	if (geteuid() != 0)
		return EXIT_DONE;
	if (app->conf->has_ca) {
		if ((code = tenant_owner(app, &uid, &gid)) != EXIT_DONE)
			return code;
		name = "the owner of its directory tenant";
	} else {
		if ((pw = getpwnam(name)) == NULL)
			return no_account(app);
		uid = pw->pw_uid;
		gid = pw->pw_gid;
	}
	if (uid == 0) {
		warn_root(app->conf->has_ca ? "a directory tenant of root's"
					    : "[process] user = root");
		return EXIT_DONE;
	}
	return become(name, uid, gid);
}

/* What the other verbs read and write, an authority does not have. */
static int
ca_refused(const struct app *app)
{
	fprintf(stderr,
	    "%s: %s is the configuration of a certificate authority, for "
	    "aadssh-ca; here it serves refresh --keys-only, token and check\n",
	    APP_PROG, app->conf_path);
	return EXIT_USAGE;
}

int
app_load(struct app *app)
{
	struct conf_error why;
	int r;

	memset(&why, 0, sizeof(why));
	if ((r = conf_load(app->conf_path, geteuid(), &app->conf, &why)) != 0 ||
	    (r = rules_new(app->conf, &app->rules, &why)) != 0)
		return conf_refused(app, r, &why);
	log_configure(app->conf->log_facility, app->conf->log_level);
	return app->conf->has_ca && !app->ca_too ? ca_refused(app) : EXIT_DONE;
}

int
app_start(struct app *app)
{
	int code = app_load(app);

	return code != EXIT_DONE ? code : app_become(app);
}

void
app_release(struct app *app)
{
	rules_free(app->rules);
	conf_free(app->conf);
	app->rules = NULL;
	app->conf = NULL;
}

bool
app_ca_file_safe(const struct conf *conf)
{
	const struct passwd *pw;
	uid_t self = geteuid();
	struct stat sb;

	/* NB. links are followed: /etc/ssl/certs is full of them.  What can't
	 * be looked at can't be used either, and curl says why. */
	if (conf->ca_file == NULL || stat(conf->ca_file, &sb) == -1)
		return true;
	if (self == 0 && (pw = getpwnam(conf->user)) != NULL)
		self = pw->pw_uid;
	return (sb.st_uid == 0 || sb.st_uid == self) &&
	       (sb.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

/* At most PUB_MAX bytes of a file or stdin, with a NUL behind them. */
static int
read_pub(const char *path, char buf[static PUB_MAX + 1], size_t *lenp)
{
	size_t len = 0;
	ssize_t n;
	int fd = STDIN_FILENO;

	/* NB. O_NONBLOCK: a FIFO must not hang us; files ignore it. */
	if (strcmp(path, "-") != 0)
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd == -1)
		return -1;
	do {
		n = read(fd, buf + len, PUB_MAX + 1 - len);
		if (n > 0)
			len += (size_t)n;
	} while ((n > 0 && len <= PUB_MAX) || (n == -1 && errno == EINTR));
	if (fd != STDIN_FILENO)
		close(fd);
	if (n == -1)
		return -1;
	if (len > PUB_MAX)
		len = 0; /* no public key is that long: refused as malformed */
	buf[len] = '\0';
	*lenp = len;
	return 0;
}

int
app_read_pub(const char *path, struct key *key, struct cert *cert)
{
	char buf[PUB_MAX + 1];
	enum reason why = AAD_R_UNSET;
	size_t len = 0;
	int r;

	if (read_pub(path, buf, &len) == -1) {
		fprintf(stderr, "%s: %s: %s\n", APP_PROG, path,
		    strerror(errno));
		return EXIT_CANNOT;
	}
	r = key_from_pub(buf, len, key, &why);
	if (r == AAD_EREFUSED && why == AAD_R_KEY_CERTIFICATE && cert != NULL)
		r = cert_from_pub(buf, len, cert, &why);
	/* NB. somebody may have named a private key. */
	explicit_bzero(buf, sizeof(buf));
	if (r == 0)
		return EXIT_DONE;
	if (r != AAD_EREFUSED)
		why = r == AAD_ENOMEM ? AAD_R_NO_MEMORY : AAD_R_UNSET;
	return out_refusal(APP_PROG, why, path);
}

int
app_read_key(const char *path, struct key *key)
{
	return app_read_pub(path, key, NULL);
}

int
app_uid(const char *login, const char *arg, int64_t *uidp)
{
	const struct passwd *pw;
	uint64_t uid;

	*uidp = POLICY_UID_UNJUDGED;
	if (arg != NULL) {
		if (!text_number(arg, UID_MAX, &uid)) {
			fprintf(stderr, "%s: --uid takes a number\n", APP_PROG);
			return EXIT_USAGE;
		}
		*uidp = (int64_t)uid;
		return EXIT_DONE;
	}
	if ((pw = getpwnam(login)) != NULL) {
		*uidp = (int64_t)pw->pw_uid;
		return EXIT_DONE;
	}
	fprintf(stderr,
	    "%s: warning: there is no account named %s here, so its uid is "
	    "not judged\n",
	    APP_PROG, login);
	return EXIT_DONE;
}

void
app_state_refusal(const struct app *app, int r, enum reason why,
    struct refusal *no)
{
	char detail[320];
	int saved = errno;

	if (r == AAD_ENOMEM) {
		refusal_set(no, AAD_R_NO_MEMORY, NULL);
		return;
	}
	if (r == AAD_ESYS && (saved == ENOSPC || saved == EROFS ||
				 saved == EDQUOT || saved == EIO))
		why = AAD_R_DISK;
	snprintf(detail, sizeof(detail), "%.200s%s%s", app->conf->dir,
	    r == AAD_EREFUSED ? "" : ": ",
	    r == AAD_EREFUSED ? "" : state_fault(r, saved));
	refusal_set(no, why, detail);
}

int
app_state_error(const struct app *app, int r, enum reason why)
{
	struct refusal no;

	app_state_refusal(app, r, why, &no);
	return out_refusal(APP_PROG, no.why, no.detail);
}

json_t *
app_json_time(int64_t t)
{
	char text[TEXT_TIME_LEN + 1];

	if (t == 0)
		return json_null();
	text_time_format(t, text);
	return json_string(text);
}
