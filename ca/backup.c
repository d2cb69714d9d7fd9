/* SPDX-License-Identifier: ISC */

/* aadssh-ca backup: ledger and keys, sealed for the recovery key. */

#include <stdio.h>

#include "ca/option.h"
#include "ca/rows.h"
#include "ca/take.h"
#include "ca/verbs.h"

int
verb_backup(void *arg, int argc, char **argv)
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
	why = take_file(app, REQUEST_BACKUP, argv[0], out, 0600, false, &end);
	if (why == AAD_R_ALLOWED)
		rows_object(stderr, end, "");
	json_decref(end);
	return why == AAD_R_ALLOWED ? EXIT_DONE : ca_refuse(app, why, false);
}
