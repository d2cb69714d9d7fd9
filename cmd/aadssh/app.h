/* SPDX-License-Identifier: ISC */

/*
 * app: what every verb of aadssh starts with: the configuration, judged;
 * root given up; the account a login names.
 */

#ifndef AAD_APP_H
#define AAD_APP_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "cmd/aadssh/exchange.h"
#include "cmd/cli/out.h"
#include "cmd/cli/verb.h"
#include "core/conf.h"
#include "core/reason.h"
#include "host/cache.h"
#include "policy/rules.h"
#include "ssh/cert.h"
#include "ssh/key.h"

#define APP_PROG       "aadssh"
#define APP_USAGE      "aadssh [-f CONF]"
#define APP_CONF       "/etc/aadssh/aadssh.conf"
#define APP_MACHINE_ID "/etc/machine-id"

struct app {
	const struct verb *verbs;
	const char *conf_path;
	struct conf *conf; /* after app_load() */
	struct rules *rules; /* after app_load() */
	bool utf8; /* the locale of whoever started this is UTF-8 */
	bool ca_too; /* the verb takes an authority's configuration as well */
	int keep; /* the descriptor of token --fd, open for writing; -1 */
};

/*
 * Load and judge the configuration.  Root stays root: what a verb does
 * between this and app_become() it does with root's power.
 * Returns EXIT_DONE, or EXIT_CANNOT with the error printed; EXIT_USAGE for a
 * certificate authority's, unless app->ca_too is set.
 */
int app_load(struct app *app);

/*
 * Root becomes [process] user, for good; anybody else stays who they are.
 * A missing state directory is made with its ownership before that.
 * Returns EXIT_DONE, or EXIT_CANNOT with the error printed.
 */
int app_become(const struct app *app);

/*
 * The same for a verb that needs no state: nothing is made.  With an
 * authority's configuration root becomes the owner of DIR/tenant.
 */
int app_become_stateless(const struct app *app);

/*
 * Load and become, which is right for every verb that does nothing as root.
 * Files that only the caller can read are read before this is called.
 */
int app_start(struct app *app);

void app_release(struct app *app);

/* What a verb over LOGIN FILE.pub is asked; borrowed from argv. */
struct app_key_options {
	const char *login;
	const char *file;
	const char *uid; /* NULL: not given */
	int json;
};

/* "LOGIN FILE.pub [--uid N] [--json]".  Returns 0, or -1 for the usage. */
int app_key_options(int argc, char **argv, struct app_key_options *o);

/* How the verb is called, to stderr; returns EXIT_USAGE. */
int app_usage(const struct app *app, const char *verb);

/*
 * Whether [idp] ca_file, if any, is root's or [process] user's and nobody
 * else's: who can change it can be the provider, with a place in the network.
 */
bool app_ca_file_safe(const struct conf *conf);
#define APP_CA_FILE_UNSAFE                                                     \
	"[idp] ca_file can be changed by others than root and [process] "      \
	"user, so it is not used"

/*
 * Read FILE.pub, as whoever runs the program: a regular file or "-" for
 * stdin, one public key.  Prints what is wrong.
 * Returns EXIT_DONE; EXIT_NO for a key that is refused; EXIT_CANNOT.
 */
int app_read_key(const char *path, struct key *key);

/*
 * The same for a verb that takes a certificate as well: then *cert is filled
 * and *key stays zero, which it has to be before.
 */
int app_read_pub(const char *path, struct key *key, struct cert *cert);

/*
 * The uid that policy judges: of the account named login, or arg when it is
 * not NULL.  After app_start(): a name service is not asked as root.  An
 * unknown account is POLICY_UID_UNJUDGED with a warning line.
 * Returns EXIT_DONE or EXIT_USAGE for a bad arg.
 */
int app_uid(const char *login, const char *arg, int64_t *uidp);

/* An error of the state directory, as a refusal. */
void app_state_refusal(const struct app *app, int r, enum reason why,
    struct refusal *no);

/* The same, printed.  Returns the exit code. */
int app_state_error(const struct app *app, int r, enum reason why);

/* Unix seconds as a JSON string in RFC 3339; null for 0. */
json_t *app_json_time(int64_t t);

#endif /* AAD_APP_H */
