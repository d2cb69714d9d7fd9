/* SPDX-License-Identifier: ISC */

/* aadssh-ca list: every certificate of the ledger, or those asked for. */

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/find.h"
#include "ca/option.h"
#include "ca/rows.h"
#include "ca/verbs.h"
#include "cmd/cli/clock.h"
#include "core/name.h"
#include "core/text.h"

enum form {
	FORM_TEXT = 0,
	FORM_CSV,
	FORM_JSON
};

struct list {
	struct ca_app *app;
	const char *user;
	const char *oid;
	const char *key;
	const char *since;
	bool valid;
	enum form form;
	struct find find;
	int64_t from;
};

static int
option(struct list *l, int c)
{
	switch (c) {
	case 'u':
		l->user = optarg;
		return 0;
	case 'o':
		l->oid = optarg;
		return 0;
	case 'k':
		l->key = optarg;
		return 0;
	case 's':
		l->since = optarg;
		return 0;
	case 'v':
		l->valid = true;
		return 0;
	case 'c':
	case 'j':
		if (l->form != FORM_TEXT)
			return -1;
		l->form = c == 'c' ? FORM_CSV : FORM_JSON;
		return 0;
	default:
		return -1;
	}
}

static int
parse(int argc, char **argv, struct list *l)
{
	static const struct option longs[] = {
		{ "user", required_argument, NULL, 'u' },
		{ "oid", required_argument, NULL, 'o' },
		{ "key", required_argument, NULL, 'k' },
		{ "since", required_argument, NULL, 's' },
		{ "valid", no_argument, NULL, 'v' },
		{ "csv", no_argument, NULL, 'c' },
		{ "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 },
	};
	int64_t ago;
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1)
		if (option(l, c) != 0)
			return -1;
	if (argc != optind ||
	    (l->user != NULL && option_line("user", l->user) != 0))
		return -1;
	if (l->since == NULL || text_time(l->since, &l->from))
		return 0;
	if (!text_duration(l->since, &ago)) {
		fprintf(stderr,
		    "%s: --since takes a time such as 2026-01-31T12:00:00Z, or "
		    "a duration such as 7d\n",
		    CA_PROG);
		return -1;
	}
	l->from = clock_now() - ago;
	return 0;
}

static const char *const columns[] = { "serial", "type", "state", "issued_at",
	"valid_after", "valid_before", "upn", "oid", "tid", "logins",
	"principals", "profile", "key_type", "fingerprint", "ca", "revoked_at",
	"revoked_reason", "key_id" };
#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

static void
print_csv(void *arg, const json_t *row)
{
	char text[ROWS_TEXT_MAX], field[ROWS_CSV_MAX];
	size_t i;

	(void)arg;
	for (i = 0; i < COLUMNS; i++) {
		rows_csv(rows_text(row, columns[i], text), field);
		printf("%s%s", field, i + 1 < COLUMNS ? "," : "\r\n");
	}
}

static void
csv_head(void)
{
	size_t i;

	for (i = 0; i < COLUMNS; i++)
		printf("%s%s", columns[i], i + 1 < COLUMNS ? "," : "\r\n");
}

static void
print_text(void *arg, const json_t *row)
{
	char text[ROWS_TEXT_MAX];

	(void)arg;
	printf("%-19s", rows_text(row, "serial", text));
	printf("  %-8s", rows_text(row, "state", text));
	printf("  %s", rows_text(row, "issued_at", text));
	printf("  until %s", rows_text(row, "valid_before", text));
	rows_text(row, "upn", text);
	if (text[0] == '\0')
		rows_text(row, "type", text);
	printf("  %s", text);
	printf("  %s", rows_text(row, "principals", text));
	printf("  %s", rows_text(row, "fingerprint", text));
	rows_text(row, "revoked_reason", text);
	printf("%s%s\n", text[0] == '\0' ? "" : "  revoked: ", text);
}

static int
run(struct list *l)
{
	struct rows r = { .app = l->app,
		.json = l->form == FORM_JSON,
		.print = l->form == FORM_CSV ? print_csv : print_text };
	struct wirebuf rq = wirebuf_new();
	enum reason why;
	int code;

	if ((code = ca_load(l->app)) != EXIT_DONE ||
	    (l->oid != NULL &&
		(code = find_oid(&l->find, l->oid)) != EXIT_DONE) ||
	    (l->key != NULL &&
		(code = find_key(l->app, &l->find, l->key)) != EXIT_DONE))
		return code;
	request_begin(&rq, REQUEST_LIST);
	if (l->oid != NULL)
		request_put_text(&rq, REQUEST_L_OID, l->find.oid);
	if (l->user != NULL)
		request_put_text(&rq, REQUEST_L_USER, l->user);
	if (l->key != NULL)
		request_put(&rq, REQUEST_L_HASH, l->find.hash, 32);
	if (l->since != NULL)
		request_put_u64(&rq, REQUEST_L_SINCE,
		    l->from < 0 ? 0 : (uint64_t)l->from);
	if (l->valid)
		request_put_flag(&rq, REQUEST_L_VALID);
	request_end(&rq);
	if (l->form == FORM_CSV)
		csv_head();
	why = rows_ask(&r, &rq, NULL);
	return why == AAD_R_ALLOWED
		   ? EXIT_DONE
		   : ca_refuse(l->app, why, l->form == FORM_JSON);
}

int
verb_list(void *arg, int argc, char **argv)
{
	struct list l = { .app = arg };

	if (parse(argc, argv, &l) != 0)
		return ca_usage(arg, argv[0]);
	return run(&l);
}
