/* SPDX-License-Identifier: ISC */

/*
 * app: what every verb of aadssh-ca starts with: the configuration, judged,
 * and whose authority it is.  aadssh-ca itself never gives up a privilege: it
 * reads files as its caller, and everything that needs the authority is the
 * signer's, which runs as the authority's owner.
 */

#ifndef AAD_CA_APP_H
#define AAD_CA_APP_H

#include <jansson.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "cmd/cli/out.h"
#include "cmd/cli/verb.h"
#include "core/conf.h"
#include "core/reason.h"
#include "ssh/key.h"

#define CA_PROG	      "aadssh-ca"
#define CA_USAGE      "aadssh-ca [-f CONF]"
#define CA_CONF	      "/etc/aadssh/aadssh-ca.conf"
#define CA_PUB_MAX    65536 /* bytes of a .pub file or a list of them */
#define CA_DETAIL_MAX 400
#define CA_ENV_MAX    256 /* bytes of a variable that is handed on */
#define CA_LIST_MAX   256 /* elements of a comma separated option */

struct ca_app {
	const struct verb *verbs;
	const char *conf_path;
	struct conf *conf; /* after ca_load() */
	bool utf8; /* the locale of whoever started this is UTF-8 */
	char agent[CA_ENV_MAX]; /* their SSH_AUTH_SOCK, or "" */
	char term[CA_ENV_MAX]; /* their TERM, or "" */
	char detail[CA_DETAIL_MAX]; /* the second line of a refusal */
};

/* Whose authority it is. */
struct ca_owner {
	uid_t uid;
	gid_t gid;
};

/*
 * Load and judge the configuration, which must have a [ca] section.
 * Returns EXIT_DONE, or EXIT_CANNOT with the error printed.
 */
int ca_load(struct ca_app *app);

void ca_release(struct ca_app *app);

/* How the verb is called, to stderr; returns EXIT_USAGE. */
int ca_usage(const struct ca_app *app, const char *verb);

/*
 * "aadssh-ca: ABOUT: what" to stderr; about, a file that somebody named, is
 * cleaned.  Returns EXIT_CANNOT.
 */
int ca_fault(const char *about, const char *what);

/* The second line of the next refusal; cleaned.  Returns why. */
enum reason ca_detail(struct ca_app *app, enum reason why, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * Print a refusal with app->detail, and log it; as JSON too when json: {"v":1,
 * "done":false,"reason","sentence","detail"}.  Returns its exit code.
 */
int ca_refuse(const struct ca_app *app, enum reason why, bool json);

/*
 * The owner of [state] dir; for root the group is the account's.
 * Returns ALLOWED; NO_CA when it is not there; STATE_OWNER when it is no
 * directory, others can write it, or its owner has root's group only.
 */
enum reason ca_owner(struct ca_app *app, struct ca_owner *out);

/* conf_path as an absolute path, for a child.  Returns 0 or AAD_ESYS. */
int ca_conf_absolute(const struct ca_app *app,
    char out[static PATH_MAX]) AAD_MUST_CHECK;

/*
 * Read FILE.pub as the caller; prints what is wrong.
 * *k: zero unless EXIT_DONE is returned.
 * Returns EXIT_DONE; EXIT_NO for a key that is refused; EXIT_CANNOT.
 */
int ca_read_key(const struct ca_app *app, const char *path, struct key *k);

/*
 * Part a comma separated option in place: no element may be empty.
 * out: borrows s.  *np: how many are in it already, of the same option.
 * Returns 0; AAD_EFORMAT; AAD_ETOOBIG over CA_LIST_MAX.
 */
int ca_split(char *s, const char *out[static CA_LIST_MAX],
    size_t *np) AAD_MUST_CHECK;

/* "uid=N host=NAME", who asks, for the ledger: via is the verb. */
void ca_context(const char *via, char out[static CA_DETAIL_MAX]);

/* The absolute, judged [ca] publish_dir/current, or -1 with errno. */
int ca_open_published(const struct conf *conf, const struct ca_owner *owner);

#endif /* AAD_CA_APP_H */
