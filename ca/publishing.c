/* SPDX-License-Identifier: ISC */

/* aadssh-ca publish: what hosts read, made anew. */

#include <stdio.h>

#include "ca/publish.h"
#include "ca/rows.h"
#include "ca/verbs.h"
#include "cmd/cli/stop.h"

int
verb_publish(void *arg, int argc, char **argv)
{
	struct ca_app *app = arg;
	char text[ROWS_TEXT_MAX];
	json_t *end = NULL;
	enum reason why;
	bool json;
	int code;

	if (verb_json(argc, argv, 0, &json) != 0)
		return ca_usage(app, argv[0]);
	if ((code = ca_load(app)) != EXIT_DONE)
		return code;
	why = publish_run(app, stop_catch(0, 0), &end);
	if (why != AAD_R_ALLOWED)
		code = ca_refuse(app, why, json);
	else if (json)
		code = out_json(json_incref(end));
	else
		printf("published: version %s\n",
		    rows_text(end, "version", text));
	json_decref(end);
	return code;
}
