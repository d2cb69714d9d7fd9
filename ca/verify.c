/* SPDX-License-Identifier: ISC */

/* aadssh-ca verify: every row of the ledger, against itself and manifests. */

#include <stdio.h>
#include <string.h>

#include "ca/rows.h"
#include "ca/verbs.h"

/* What is open is to be known, and no fault. */
static void
print_row(void *arg, const json_t *row)
{
	bool open = json_is_false(json_object_get(row, "fault"));
	char seq[ROWS_TEXT_MAX], text[ROWS_TEXT_MAX];

	(void)arg;
	rows_text(row, "seq", seq);
	rows_text(row, "text", text);
	if (strcmp(seq, "0") == 0)
		printf("%s: %s\n", open ? "open" : "fault", text);
	else
		printf("row %s: %s\n", seq, text);
}

int
verb_verify(void *arg, int argc, char **argv)
{
	struct ca_app *app = arg;
	struct rows r = { .app = app, .print = print_row };
	struct wirebuf rq = wirebuf_new();
	json_t *end = NULL;
	enum reason why;
	int code;

	if (verb_json(argc, argv, 0, &r.json) != 0)
		return ca_usage(app, argv[0]);
	if ((code = ca_load(app)) != EXIT_DONE)
		return code;
	request_begin(&rq, REQUEST_VERIFY);
	request_end(&rq);
	why = rows_ask(&r, &rq, &end);
	/* NB. a fault is a fault, whatever END calls it. */
	if (why == AAD_R_ALLOWED &&
	    json_integer_value(json_object_get(end, "faults")) != 0)
		why = AAD_R_LEDGER_ALTERED;
	if (!r.json)
		rows_object(stdout, end, "");
	json_decref(end);
	return why == AAD_R_ALLOWED ? EXIT_DONE : ca_refuse(app, why, r.json);
}
