/* SPDX-License-Identifier: ISC */

/*
 * rows: what the signer says of itself, shown: as it came for a script, line
 * by line for a person, as CSV for a spreadsheet.
 */

#ifndef AAD_CA_ROWS_H
#define AAD_CA_ROWS_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <jansson.h>

#include "ca/app.h"
#include "ca/door.h"

#define ROWS_TEXT_MAX 32768 /* bytes of a value; 256 principals fit */

typedef void rows_fn(void *arg, const json_t *row);

struct rows {
	struct ca_app *app;
	const volatile sig_atomic_t *stop; /* or NULL */
	const struct door_more *more; /* what follows the request, or NULL */
	bool json; /* each row and the end as they came, one a line */
	rows_fn *print; /* a row, when not json; may be NULL */
	void *arg;
	size_t n; /* how many rows came */
};

/*
 * Ask (rq is released) and print.  Before END, nothing is known to be whole:
 * what was printed is.
 * *endp: NULL, or END's JSON, which the caller releases; it is printed here
 * when json.
 * Returns as door_ask().
 */
enum reason rows_ask(struct rows *r, struct wirebuf *rq, json_t **endp);

/* A member as clean text: strings, numbers, arrays parted by ", "; "" for
 * none and null.  Returns out. */
const char *rows_text(const json_t *o, const char *name,
    char out[static ROWS_TEXT_MAX]);

/* Every member but "v", "name: value" a line, each line behind indent. */
void rows_object(FILE *f, const json_t *o, const char *indent);

/*
 * One field of RFC 4180: quoted when it has to be, and with a ' in front
 * where a spreadsheet would take it for a formula (=, +, -, @, and the
 * control bytes that lead there).  out: at least 2 * strlen(s) + 4 bytes.
 */
void rows_csv(const char *s, char *out);

/* The longest text that fits rows_csv() into its own buffer. */
#define ROWS_CSV_MAX (2 * ROWS_TEXT_MAX + 4)

#endif /* AAD_CA_ROWS_H */
