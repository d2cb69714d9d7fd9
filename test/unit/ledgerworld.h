/* SPDX-License-Identifier: ISC */

/* A scratch ledger for its tests, rows to fill it with, and what it says. */

#ifndef AAD_LEDGERWORLD_H
#define AAD_LEDGERWORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ca/signer/ledger.h"
#include "ca/signer/ledgerdb.h"
#include "test/unit/unit.h"

#define NOW  INT64_C(1800000000)
#define TID  "aaaaaaaa-0000-0000-0000-000000000001"
#define OID  "bbbbbbbb-0000-0000-0000-000000000001"
#define OID2 "bbbbbbbb-0000-0000-0000-000000000002"
#define FULL 30 /* rows of world_fill() */

struct world {
	char base[64];
	int dir; /* base, open */
	struct ledger *l; /* empty, but open; NULL: the test closed it */
};

/* Setup and teardown of cmocka; the ledger has just been created. */
int world_setup(void **state);
int world_teardown(void **state);

/* base/name; of the last call. */
const char *world_at(const struct world *w, const char *name);

/* Close what is open, and open again. */
void world_reopen(struct world *w);
int world_open(struct world *w, enum reason *whyp);

/* Rows of one kind, as they must be at least.  Body: NULL. */
struct event prepared(uint64_t serial);
struct event about(enum event_kind kind, uint64_t serial);
struct event denial(enum event_kind kind, const char *oid,
    const uint8_t *key_hash);
struct event pinning(enum event_kind kind, const char *login, const char *oid);
struct event staging(enum ca_role role, enum ca_stage stage, uint8_t key,
    int64_t at);

/* The hash that is 32 times this byte. */
const uint8_t *hash_of(uint8_t byte);

/* Append one row in a transaction of its own. */
int try_add(struct ledger *l, struct event *e, enum reason *whyp);
void add(struct world *w, struct event e);
/* With a body, which it takes. */
void add_body(struct world *w, struct event e, json_t *body);

/* FULL rows, of every kind. */
void world_fill(struct world *w);

/* The SHA-256 of all that the ledger says by each way of asking it. */
void world_digest(struct ledger *l, uint8_t out[static 32]);

/* How many faults; the last one's words. */
size_t world_faults(struct ledger *l);
extern char world_fault[256];

/* Length by ledger_head(). */
int64_t world_length(struct ledger *l);

/* Run SQL on the closed file, as somebody who may write it. */
void world_sql(struct world *w, const char *sql);

/* The file's bytes: read whole, and written whole. */
uint8_t *world_slurp(const struct world *w, size_t *lenp);
void world_spill(const struct world *w, const uint8_t *p, size_t len);

/*
 * Make the k-th allocation of SQLite fail / the k-th system call of SQLite
 * fail, or for err -1 end the process there.  0 disarms; both return whether
 * the call that was armed before was reached.
 */
bool sqlite_fail_alloc(unsigned int k);
bool sqlite_fail_call(unsigned int k, int err);

/*
 * From now on, count what SQLite reads from the world's ledger under one lock
 * of a reader, however many connections there are.  longest: the most bytes
 * since, and all of them.
 */
void sqlite_watch(const struct world *w);
size_t sqlite_longest(size_t *sump);

/* Once, before anything else of SQLite. */
void sqlite_faults(void);

#endif /* AAD_LEDGERWORLD_H */
