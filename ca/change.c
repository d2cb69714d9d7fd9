/* SPDX-License-Identifier: ISC */

#include <stdio.h>

#include "ca/change.h"
#include "ca/publish.h"
#include "cmd/cli/stop.h"

static int
publish(const struct change *c, const volatile sig_atomic_t *stop)
{
	json_t *end = NULL;
	enum reason why = publish_run(c->app, stop, &end);
	char text[ROWS_TEXT_MAX];
	int code = EXIT_DONE;

	if (why != AAD_R_ALLOWED) {
		code = ca_refuse(c->app, why, c->json);
		fprintf(stderr,
		    "%s: it is done, but hosts do not know yet; run aadssh-ca "
		    "publish\n",
		    CA_PROG);
		/* NB. the change itself was no refusal. */
		code = code == EXIT_NO ? EXIT_CANNOT : code;
	} else if (c->json) {
		code = out_json(json_incref(end));
	} else {
		printf("published: version %s\n",
		    rows_text(end, "version", text));
	}
	json_decref(end);
	return code;
}

int
change_run(const struct change *c, struct wirebuf *rq)
{
	const volatile sig_atomic_t *caught = stop_catch(0, 0),
				    *stop = c->whole ? NULL : caught;
	struct rows r = { .app = c->app,
		.stop = stop,
		.more = c->more,
		.json = c->json,
		.print = c->print,
		.arg = c->arg };
	json_t *end = NULL;
	enum reason why;
	bool wanted;
	int code = EXIT_DONE, after = EXIT_DONE;

	why = rows_ask(&r, rq, &end);
	if (why != AAD_R_ALLOWED)
		code = ca_refuse(c->app, why, c->json);
	else if (c->app->detail[0] != '\0')
		fprintf(stderr, "%s: %s\n", CA_PROG, c->app->detail);
	if (end != NULL && !c->json && c->tell != NULL)
		c->tell(end);
	wanted = c->always || !json_is_false(json_object_get(end, "publish"));
	if (end != NULL && wanted && !c->never)
		after = publish(c, stop);
	json_decref(end);
	return code != EXIT_DONE ? code : after;
}
