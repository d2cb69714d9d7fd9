/* SPDX-License-Identifier: ISC */

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "ca/app.h"
#include "ca/keyfile.h"
#include "ca/signer/request.h"
#include "cmd/cli/log.h"
#include "core/file.h"
#include "core/text.h"

static int
conf_refused(const struct ca_app *app, int r, const struct conf_error *why)
{
	if (r == AAD_ENOMEM)
		return out_refusal(CA_PROG, AAD_R_NO_MEMORY, NULL);
	fprintf(stderr, "%s: %s", CA_PROG, app->conf_path);
	if (why->line != 0)
		fprintf(stderr, ":%u", why->line);
	fprintf(stderr, ": %s\n", why->text);
	return EXIT_CANNOT;
}

int
ca_load(struct ca_app *app)
{
	struct conf_error why;
	int r;

	if (app->conf != NULL)
		return EXIT_DONE;
	memset(&why, 0, sizeof(why));
	r = conf_load(app->conf_path, geteuid(), &app->conf, &why);
	if (r == 0 && !app->conf->has_ca)
		r = conf_fail(&why, 0,
		    "there is no [ca] section, so this is no certificate "
		    "authority's configuration");
	if (r != 0)
		return conf_refused(app, r, &why);
	return EXIT_DONE;
}

void
ca_release(struct ca_app *app)
{
	conf_free(app->conf);
	app->conf = NULL;
}

int
ca_usage(const struct ca_app *app, const char *verb)
{
	return verb_usage(app->verbs, CA_USAGE, verb);
}

int
ca_fault(const char *about, const char *what)
{
	char clean[CA_DETAIL_MAX];

	fprintf(stderr, "%s: %s: %s\n", CA_PROG,
	    text_clean(about, strlen(about), clean, sizeof(clean)), what);
	return EXIT_CANNOT;
}

enum reason
ca_detail(struct ca_app *app, enum reason why, const char *fmt, ...)
{
	char raw[CA_DETAIL_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(raw, sizeof(raw), fmt, ap);
	va_end(ap);
	text_clean(raw, strlen(raw), app->detail, sizeof(app->detail));
	return why;
}

/* The signer logs what it refuses; this is for what is refused here, too. */
static void
log_refusal(const struct ca_app *app, enum reason why)
{
	char uid[24];
	const struct log_field fields[] = {
		{ "verdict", reason_verdict(why) },
		{ "reason", reason_name(why) },
		{ "uid", uid },
		{ "detail", app->detail },
	};

	snprintf(uid, sizeof(uid), "%lu", (unsigned long)getuid());
	/* NB. only now: what is fresh has nothing to log, and no time. */
	log_wait_little();
	log_open(CA_PROG, LOG_AUTHPRIV, LOG_INFO);
	if (app->conf != NULL)
		log_configure(app->conf->log_facility, app->conf->log_level);
	log_event(log_priority(why), "refused", fields, 4);
}

int
ca_refuse(const struct ca_app *app, enum reason why, bool json)
{
	out_refusal(CA_PROG, why, app->detail);
	log_refusal(app, why);
	if (json &&
	    out_json(json_pack("{s:i s:b s:s s:s s:s}", "v", 1, "done", 0,
		"reason", reason_name(why), "sentence", reason_sentence(why),
		"detail", app->detail)) != EXIT_DONE)
		return EXIT_CANNOT;
	return request_exit(why);
}

enum reason
ca_owner(struct ca_app *app, struct ca_owner *out)
{
	const char *dir = app->conf->dir;
	const struct passwd *pw;
	struct stat sb;

	if (stat(dir, &sb) == -1)
		return ca_detail(app, AAD_R_NO_CA, "%s: %s", dir,
		    strerror(errno));
	if (!S_ISDIR(sb.st_mode) || (sb.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return ca_detail(app, AAD_R_STATE_OWNER,
		    "%s: it is no directory, or others can write it", dir);
	out->uid = sb.st_uid;
	out->gid = sb.st_gid;
	/* NB. for root, who becomes it: a chown(1) without a group leaves
	 * root's, and that is not what the signer is to have. */
	if (geteuid() == 0 && sb.st_uid != 0) {
		if ((pw = getpwuid(sb.st_uid)) != NULL)
			out->gid = pw->pw_gid;
		if (out->gid == 0)
			return ca_detail(app, AAD_R_STATE_OWNER,
			    "%s: its owner has no group but root's", dir);
	}
	return AAD_R_ALLOWED;
}

int
ca_conf_absolute(const struct ca_app *app, char out[static PATH_MAX])
{
	return realpath(app->conf_path, out) == NULL ? AAD_ESYS : 0;
}

int
ca_read_key(const struct ca_app *app, const char *path, struct key *k)
{
	char clean[CA_DETAIL_MAX];
	enum reason why = AAD_R_UNSET;
	int r;

	(void)app;
	if ((r = keyfile_read(path, k, &why)) == 0)
		return EXIT_DONE;
	if (r == AAD_EREFUSED || r == AAD_ENOMEM)
		return out_refusal(CA_PROG, why,
		    text_clean(path, strlen(path), clean, sizeof(clean)));
	return ca_fault(path, keyfile_fault(r, errno));
}

int
ca_split(char *s, const char *out[static CA_LIST_MAX], size_t *np)
{
	char *comma;

	for (; *np < CA_LIST_MAX; s = comma + 1) {
		if ((comma = strchr(s, ',')) != NULL)
			*comma = '\0';
		if (*s == '\0')
			return AAD_EFORMAT;
		out[(*np)++] = s;
		if (comma == NULL)
			return 0;
	}
	return AAD_ETOOBIG;
}

void
ca_context(const char *via, char out[static CA_DETAIL_MAX])
{
	char host[128], clean[128];

	if (gethostname(host, sizeof(host)) == -1)
		host[0] = '\0';
	host[sizeof(host) - 1] = '\0';
	text_clean(host, strlen(host), clean, sizeof(clean));
	snprintf(out, CA_DETAIL_MAX, "via=%s uid=%u host=%s", via,
	    (unsigned int)getuid(), clean);
}

int
ca_open_published(const struct conf *conf, const struct ca_owner *owner)
{
	struct file_owner right = { owner->uid, 0, false };
	char name[32];
	uint64_t version;
	ssize_t n;
	int dir, fd = -1;

	if (file_dir_open(AT_FDCWD, conf->publish_dir, right, &dir) != 0)
		return -1;
	/* NB. the link is read, not followed: it may name nothing but a
	 * version that lies beside it. */
	n = readlinkat(dir, "current", name, sizeof(name) - 1);
	name[n > 0 ? n : 0] = '\0';
	if (!text_number(name, INT64_MAX, &version) ||
	    file_dir_open(dir, name, right, &fd) != 0)
		fd = -1;
	file_close(dir);
	return fd;
}
