/* SPDX-License-Identifier: ISC */

/* aadssh-ca krl: the revocation list as it is now, for other tools. */

#include <stdio.h>

#include "ca/option.h"
#include "ca/take.h"
#include "ca/verbs.h"

int
verb_krl(void *arg, int argc, char **argv)
{
	struct ca_app *app = arg;
	const char *out;
	json_t *end = NULL;
	enum reason why;
	int code;

	if (option_one(argc, argv, "out", &out) != 0)
		return ca_usage(app, argv[0]);
	if ((code = ca_load(app)) != EXIT_DONE)
		return code;
	why = take_file(app, REQUEST_KRL, argv[0], out, 0644, true, &end);
	json_decref(end);
	return why == AAD_R_ALLOWED ? EXIT_DONE : ca_refuse(app, why, false);
}
