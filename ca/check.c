/* SPDX-License-Identifier: ISC */

/*
 * aadssh-ca check: is the configuration sound, is the authority, and is what
 * hosts read?  What only the signer can see, it says.
 */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ca/rows.h"
#include "ca/spawn.h"
#include "ca/trust.h"
#include "ca/verbs.h"

static void
print_row(void *arg, const json_t *row)
{
	char text[ROWS_TEXT_MAX];

	(void)arg;
	if (rows_text(row, "text", text)[0] != '\0')
		printf("%s  %s\n",
		    json_is_false(json_object_get(row, "ok")) ? "NO" : "ok",
		    text);
	else
		rows_object(stdout, row, "");
}

/* What is started, and with what; the first that is missing is told. */
static enum reason
programs(struct ca_app *app)
{
	static const char *const ours[] = { "aadssh", "aadssh-ca-signer" };
	char path[PATH_MAX];
	size_t i;

	for (i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		if (spawn_find(ours[i], path) != 0)
			return ca_detail(app, AAD_R_SIGNER_UNREACHABLE,
			    "there is no %s beside aadssh-ca or in %s that "
			    "nobody else can write",
			    ours[i], SPAWN_LIBEXEC);
	if (access(SPAWN_SSH_KEYGEN, X_OK) == -1)
		return ca_detail(app, AAD_R_KRL_REFUSED, "there is no %s",
		    SPAWN_SSH_KEYGEN);
	return AAD_R_ALLOWED;
}

int
verb_check(void *arg, int argc, char **argv)
{
	struct ca_app *app = arg;
	struct rows r = { .app = app, .print = print_row };
	struct wirebuf rq = wirebuf_new();
	struct trust t;
	enum reason why;
	int code;

	if (verb_json(argc, argv, 0, &r.json) != 0)
		return ca_usage(app, argv[0]);
	if ((code = ca_load(app)) != EXIT_DONE)
		return code;
	if ((why = programs(app)) != AAD_R_ALLOWED)
		return ca_refuse(app, why, r.json);
	request_begin(&rq, REQUEST_CHECK);
	request_end(&rq);
	why = rows_ask(&r, &rq, NULL);
	if (why == AAD_R_ALLOWED) {
		why = trust_load(app, CERT_USER, &t);
		trust_release(&t);
	}
	if (why != AAD_R_ALLOWED)
		return ca_refuse(app, why, r.json);
	if (!r.json)
		printf("%s: sound\n", app->conf_path);
	return EXIT_DONE;
}
