/* SPDX-License-Identifier: ISC */

/*
 * ledgerrow: one row of the ledger as SQLite has it, and as its hash has it.
 * docs/formats.md, "Ledger", is the source of both.
 */

#ifndef AAD_LEDGERROW_H
#define AAD_LEDGERROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

#include "ca/signer/ledger.h"
#include "core/err.h"

/* What every statement that row_read() reads from selects, in this order. */
#define ROW_COLUMNS                                                            \
	"seq, at, kind, serial, type, role, stage, ca_hash, key_hash, "        \
	"token_hash, tid, oid, login, valid_before, body, prev, hash"
#define ROW_PLACES "?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17"

struct row {
	struct event e;
	uint8_t prev[32]; /* the hash of the row before; zero in the first */
	uint8_t hash[32]; /* its own */
};

/* Whether a row of this kind has what the kind must have, well-formed. */
bool row_event_ok(const struct event *e);

/*
 * The body as the row holds it: compact, sorted, and such that it reads back;
 * "{}" for NULL.
 * *outp: NULL unless 0 is returned; then the caller frees it.
 * Returns 0; AAD_EARG when it is no object or does not read back;
 * AAD_ETOOBIG over LEDGER_BODY_MAX; AAD_ENOMEM.
 */
int row_body(const json_t *body, char **outp) AAD_MUST_CHECK;

/* The hash of a row; its seq is e->seq. */
void row_hash(const struct event *e, const char *body,
    const uint8_t prev[static 32], uint8_t out[static 32]);

/*
 * Bind ROW_PLACES.  Everything is borrowed until the statement is reset.
 * Returns SQLite's code.
 */
int row_bind(sqlite3_stmt *st, const struct event *e, const char *body,
    const uint8_t prev[static 32],
    const uint8_t hash[static 32]) AAD_MUST_CHECK;

/*
 * Read what a statement stands on, which selects ROW_COLUMNS: every column of
 * the right type and form, and the hash that of the others.
 *
 * *row: the caller releases row->e on 0; else its body is NULL, and seq and
 * hash are what the columns have, as far as they have it.
 * *faultp: for AAD_EFORMAT, half a sentence of what is wrong.
 * Returns 0; AAD_EFORMAT; AAD_ENOMEM.
 */
int row_read(sqlite3_stmt *st, struct row *row,
    const char **faultp) AAD_MUST_CHECK;

/*
 * The same but for the body, which counts in the hash and stays NULL.
 * *bodyp: its text, borrowed until the statement moves.
 */
int row_check(sqlite3_stmt *st, struct row *row, const char **bodyp,
    const char **faultp) AAD_MUST_CHECK;

/* "", "user" or "host". */
const char *row_type_name(enum cert_type t);

#endif /* AAD_LEDGERROW_H */
