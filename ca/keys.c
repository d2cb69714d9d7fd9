/* SPDX-License-Identifier: ISC */

/* aadssh-ca keys: the keys of the authority, and where they are in life. */

#include <stdio.h>

#include "ca/rows.h"
#include "ca/verbs.h"

static void
print_when(const json_t *row, const char *name, const char *label)
{
	char text[ROWS_TEXT_MAX];

	if (rows_text(row, name, text)[0] != '\0')
		printf("  %s %s", label, text);
}

static void
print_key(void *arg, const json_t *row)
{
	char text[ROWS_TEXT_MAX];

	(void)arg;
	printf("%-8s", rows_text(row, "role", text));
	printf("  %-8s", rows_text(row, "stage", text));
	printf("  %s", rows_text(row, "fingerprint", text));
	printf("  %s", rows_text(row, "backend", text));
	print_when(row, "prepared_at", "prepared");
	print_when(row, "active_at", "active");
	print_when(row, "retired_at", "retired");
	print_when(row, "removed_at", "removed");
	print_when(row, "certificates_until", "certificates until");
	printf("\n");
}

int
verb_keys(void *arg, int argc, char **argv)
{
	struct ca_app *app = arg;
	struct rows r = { .app = app, .print = print_key };
	struct wirebuf rq = wirebuf_new();
	enum reason why;
	int code;

	if (verb_json(argc, argv, 0, &r.json) != 0)
		return ca_usage(app, argv[0]);
	if ((code = ca_load(app)) != EXIT_DONE)
		return code;
	request_begin(&rq, REQUEST_KEYS);
	request_end(&rq);
	why = rows_ask(&r, &rq, NULL);
	return why == AAD_R_ALLOWED ? EXIT_DONE : ca_refuse(app, why, r.json);
}
