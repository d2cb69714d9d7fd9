/* SPDX-License-Identifier: ISC */

/*
 * ledger: the authority's append-only account of everything it did.  One
 * table of events in SQLite, each row hashing the one before; what is valid,
 * revoked, denied or pinned is derived from it.  docs/formats.md, "Ledger".
 *
 * The file is DIR/ledger/ledger.db, 0600, in a directory 0700 of its owner.
 * Journal mode DELETE, synchronous EXTRA: after a commit returns, the row
 * survives a power cut; after kill -9 at any instant, the ledger is what it
 * was before or after a whole transaction.
 */

#ifndef AAD_LEDGER_H
#define AAD_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "core/err.h"
#include "core/name.h"
#include "core/reason.h"
#include "ssh/cert.h"

#define LEDGER_WAIT_MS	 5000 /* for another process's transaction */
#define LEDGER_BODY_MAX	 65536 /* bytes of a row's JSON */
#define LEDGER_LOGIN_MAX NAME_LOGIN_MAX

enum event_kind {
	EVENT_NONE = 0,
	EVENT_PREPARED, /* a certificate is about to be signed */
	EVENT_ISSUED, /* it was, verified; body holds it */
	EVENT_FAILED, /* it was not */
	EVENT_REVOKED, /* a serial */
	EVENT_DENIED, /* an identity or a key */
	EVENT_UNDENIED, /* an identity again */
	EVENT_PIN, /* a login has an owner */
	EVENT_UNPIN,
	EVENT_KEY, /* a key of ours changed its stage */
	EVENT_PUBLISHED, /* a publication was switched to */
	EVENT_RESTORED /* the ledger came from a backup */
};

/* What a key of ours is for, and where it is in its life. */
enum ca_role {
	CA_ROLE_NONE = 0,
	CA_ROLE_USER,
	CA_ROLE_HOST,
	CA_ROLE_BUNDLE,
	CA_ROLE_RECOVERY
};

enum ca_stage {
	CA_STAGE_NONE = 0,
	CA_STAGE_PREPARED, /* published, not signing yet */
	CA_STAGE_ACTIVE,
	CA_STAGE_RETIRED, /* not signing, still trusted */
	CA_STAGE_REMOVED, /* trusted no more, and in the KRL */
	CA_STAGE_REVOKED /* the same at once: it is in the wrong hands */
};

/*
 * One row.  Columns that a kind doesn't use are zero or "" and count in the
 * hash all the same.  A plain record; event_release() frees the body.
 */
struct event {
	int64_t seq; /* 1, 2, …; set by ledger_append() */
	int64_t at; /* Unix seconds, our clock */
	enum event_kind kind;
	uint64_t serial; /* 1..2^63-1, or 0 */
	enum cert_type type; /* of the certificate, CERT_NONE else */
	enum ca_role role; /* EVENT_KEY */
	enum ca_stage stage; /* EVENT_KEY */
	bool has_ca, has_key, has_token; /* which of the hashes are set */
	uint8_t ca_hash[32]; /* of the authority's key */
	uint8_t key_hash[32]; /* of the subject key, or the key of EVENT_KEY */
	uint8_t token_hash[32]; /* SHA-256 of the token's text */
	char tid[NAME_GUID_LEN + 1];
	char oid[NAME_GUID_LEN + 1];
	char login[LEDGER_LOGIN_MAX + 1]; /* EVENT_PIN, EVENT_UNPIN */
	int64_t valid_before; /* Unix seconds, or 0 */
	json_t *body; /* an object; never NULL in a row read */
};

void event_release(struct event *e);

/* Stable names, as the ledger, --json and docs have them; and back (0: none) */
const char *event_kind_name(enum event_kind k);
const char *ca_role_name(enum ca_role r);
const char *ca_stage_name(enum ca_stage s);
enum event_kind event_kind_find(const char *name);
enum ca_role ca_role_find(const char *name);
enum ca_stage ca_stage_find(const char *name);

struct ledger;

/*
 * Make a new, empty ledger below the directory open at dirfd, which belongs
 * to the running user.  It appears whole or not at all.
 * *outp: NULL unless 0 is returned; then the caller closes it.
 * *whyp: CA_EXISTS for AAD_EEXIST; LEDGER for AAD_EPERM (also when a journal
 * lies there without its ledger) and AAD_ESYS; NO_MEMORY.
 * Returns 0; AAD_EEXIST; AAD_EPERM; AAD_ENOMEM; AAD_ESYS.
 */
int ledger_create(int dirfd, struct ledger **outp,
    enum reason *whyp) AAD_MUST_CHECK;

/*
 * Open it: the directory and the file are judged (owner the running user,
 * nobody else may read or write, one link) before SQLite sees them, and the
 * file that SQLite has open must be the one that was judged.
 *
 * The schema must be ours to the byte and the file whole; rows are not
 * looked at before somebody asks for them (ledger_verify() does for all).
 *
 * *whyp: NO_CA, LEDGER, LEDGER_BUSY, LEDGER_ALTERED, LEDGER_VERSION or
 * NO_MEMORY.
 * Returns 0; AAD_ENOENT; AAD_EPERM; AAD_EFORMAT; AAD_EVERSION; AAD_EAGAIN;
 * AAD_ENOMEM; AAD_ESYS.
 */
int ledger_open(int dirfd, struct ledger **outp,
    enum reason *whyp) AAD_MUST_CHECK;

void ledger_close(struct ledger *l); /* rolls back what is open; NULL: no-op */

/*
 * One transaction at a time.  begin takes the write lock at once, so that
 * what is read within it stays true until commit.  Every function below that
 * touches the file returns 0 or: AAD_EAGAIN with LEDGER_BUSY; AAD_ESYS with
 * LEDGER (disk full, read-only, broken) ; AAD_EFORMAT with LEDGER_ALTERED;
 * AAD_ENOMEM with NO_MEMORY; *whyp says which.  AAD_EARG with UNSET where
 * the contract is broken: a transaction within one, or none where one must be
 * (SQLite ends one by itself when the disk fails).
 * A commit that fails is rolled back.  NB. with LEDGER its rows may be there
 * all the same, when only the last flush of the directory failed.
 */
int ledger_begin(struct ledger *l, enum reason *whyp) AAD_MUST_CHECK;
int ledger_commit(struct ledger *l, enum reason *whyp) AAD_MUST_CHECK;
void ledger_rollback(struct ledger *l);

/* Words of the last failure, for a log: SQLite's own, clean; never a row. */
const char *ledger_error(const struct ledger *l);

/*
 * Append one row; within a transaction.  Sets e->seq.  The hash of the row
 * before is read in the same transaction and its own hash verified, so that
 * nothing is built on an altered end; once, for what follows is our own.
 * A body of NULL is an empty object.
 * Beside the above, with UNSET: AAD_EEXIST when a PREPARED's serial is there
 * already (the transaction goes on); AAD_EARG when a column that the kind
 * needs is missing or malformed, or the body is not an object that reads
 * back; AAD_ETOOBIG when the body is over LEDGER_BODY_MAX.
 */
int ledger_append(struct ledger *l, struct event *e,
    enum reason *whyp) AAD_MUST_CHECK;

/* Length (the last seq, 0 when empty) and head (zero when empty). */
int ledger_head(struct ledger *l, int64_t *lenp, uint8_t head[static 32],
    enum reason *whyp) AAD_MUST_CHECK;

/* The hash of one row; *yes: there is such a row, and it is sound. */
int ledger_hash(struct ledger *l, int64_t seq, bool *yes,
    uint8_t hash[static 32], enum reason *whyp) AAD_MUST_CHECK;

/* Non-zero ends the walk and is returned by it. */
typedef int ledger_event_fn(void *arg, const struct event *e);

/* What a walk is limited to; zero members do not limit. */
struct ledger_filter {
	enum event_kind kind;
	uint64_t serial;
	const char *oid;
	const char *login;
	const uint8_t *key_hash; /* 32 bytes */
	const uint8_t *ca_hash;
	const uint8_t *token_hash;
	const char *upn; /* of the body, any case; ledger_certs() alone */
	int64_t since; /* at >= */
	int64_t valid_after; /* valid_before > */
	bool bare; /* bodies are not parsed, but hashed: NULL, for speed */
};

/*
 * Every row that passes, oldest first.  An index serves each member but upn.
 * Which rows pass is found first; then each is read by itself and its hash
 * verified, and no lock is held while fn works, which may use the ledger.
 */
int ledger_each(struct ledger *l, const struct ledger_filter *f,
    ledger_event_fn *fn, void *arg, enum reason *whyp) AAD_MUST_CHECK;

/* Whether a serial is revoked. */
int ledger_is_revoked(struct ledger *l, uint64_t serial, bool *yes,
    enum reason *whyp) AAD_MUST_CHECK;

/* Whether a serial was ever prepared. */
int ledger_has_serial(struct ledger *l, uint64_t serial, bool *yes,
    enum reason *whyp) AAD_MUST_CHECK;

/* How many certificates were prepared for an identity since then. */
int ledger_count(struct ledger *l, const char *oid, int64_t since, int64_t *np,
    enum reason *whyp) AAD_MUST_CHECK;

/* Is a denial of this identity, or of this key, in force?  oid or key_hash
 * may be NULL. */
int ledger_denied(struct ledger *l, const char *oid, const uint8_t *key_hash,
    bool *oid_denied, bool *key_denied, enum reason *whyp) AAD_MUST_CHECK;

/* The identity that a login is pinned to; "" twice when it has none. */
int ledger_pin(struct ledger *l, const char *login,
    char tid[static NAME_GUID_LEN + 1], char oid[static NAME_GUID_LEN + 1],
    enum reason *whyp) AAD_MUST_CHECK;

/* The state of one certificate, derived. */
struct ledger_cert {
	uint64_t serial;
	enum cert_type type;
	int64_t at; /* prepared */
	int64_t valid_before;
	bool issued, failed;
	int64_t revoked_at; /* 0: not revoked */
	uint8_t ca_hash[32];
	uint8_t key_hash[32];
	char oid[NAME_GUID_LEN + 1];
	char tid[NAME_GUID_LEN + 1];
	const json_t *prepared; /* its bodies; borrowed for the call */
	const json_t *done; /* of ISSUED or FAILED, or NULL */
	const json_t *revoked; /* of REVOKED, or NULL */
};
typedef int ledger_cert_fn(void *arg, const struct ledger_cert *c);

/*
 * Every certificate whose PREPARED row passes (kind is ignored), oldest
 * first, without holding more than one in memory.
 */
int ledger_certs(struct ledger *l, const struct ledger_filter *f,
    ledger_cert_fn *fn, void *arg, enum reason *whyp) AAD_MUST_CHECK;

/*
 * Serials that are revoked and end after a time, per authority, ascending;
 * fast over a million rows.
 */
typedef int ledger_serial_fn(void *arg, const uint8_t ca_hash[static 32],
    uint64_t serial);
int ledger_revoked(struct ledger *l, int64_t after, ledger_serial_fn *fn,
    void *arg, enum reason *whyp) AAD_MUST_CHECK;

/* A key of ours as it stands now: its last EVENT_KEY, and when each stage
 * began (0: never). */
struct ledger_key {
	enum ca_role role;
	enum ca_stage stage;
	uint8_t hash[32];
	int64_t prepared_at, active_at, retired_at, removed_at;
	const json_t *body; /* {"public": "TYPE BASE64", "backend": …} */
};
typedef int ledger_key_fn(void *arg, const struct ledger_key *k);
int ledger_keys(struct ledger *l, ledger_key_fn *fn, void *arg,
    enum reason *whyp) AAD_MUST_CHECK;

/*
 * When the last certificate of a user was prepared, 0: never.  NB. of all
 * times in the ledger this is one that a clock of somebody else's stands for:
 * it cannot be much later than the token's iat was.
 */
int ledger_last_user(struct ledger *l, int64_t *atp,
    enum reason *whyp) AAD_MUST_CHECK;

/* The latest valid_before of what an authority's key was prepared to sign. */
int ledger_last_end(struct ledger *l, const uint8_t ca_hash[static 32],
    int64_t *endp, enum reason *whyp) AAD_MUST_CHECK;

/*
 * Walk the whole chain: every row's hash, order and form, and that no two
 * PREPARED share a serial.  fault is called for each thing wrong, with the
 * row's seq (0: the file) and one clean sentence; the walk goes on.
 * The hash of row seq is handed to hash_at for comparing with manifests; may
 * be NULL.
 * SQLite's own check of pages and indexes comes first, under a reader's lock:
 * who commits meanwhile waits for its end (seconds per 100 000 rows), so where
 * others work, verify what ledger_snapshot() gives.
 * Returns 0 also when faults were found; *faultsp counts them.  fault may be
 * NULL, too.
 */
typedef void ledger_fault_fn(void *arg, int64_t seq, const char *text);
typedef void ledger_hash_fn(void *arg, int64_t seq,
    const uint8_t hash[static 32]);
int ledger_verify(struct ledger *l, ledger_fault_fn *fault,
    ledger_hash_fn *hash_at, void *arg, size_t *faultsp,
    enum reason *whyp) AAD_MUST_CHECK;

/*
 * The whole file as it is at one moment before this returns, byte for byte, in
 * a file beside it that has no name: *fdp at its beginning, which the caller
 * closes, and its size.  It needs as much room on the disk.  Who commits waits
 * while it is copied, a second or two per GiB; one copier at a time, the next
 * one waits.
 *
 * snapshot: the copy as a ledger that can only be read, which nobody changes;
 * the caller closes it.  Its rows and its schema have not been looked at.
 *
 * Not within a transaction.  Return as ledger_begin(), and AAD_ESYS with DISK.
 */
int ledger_copy(struct ledger *l, int *fdp, int64_t *sizep,
    enum reason *whyp) AAD_MUST_CHECK;
int ledger_snapshot(struct ledger *l, struct ledger **outp,
    enum reason *whyp) AAD_MUST_CHECK;

/*
 * A ledger from a backup.  It is written to a temporary file beside, one for
 * each directory, and gets its name when it has verified as a whole: it
 * appears whole or not at all.  One caller at a time.
 *
 * stage: make the file, empty, and DIR/ledger where it is missing; what a
 * killed run left goes.  The caller writes to *fdp and closes it.
 * check: that it is ours and verifies.
 * same: whether it is the ledger that is there, byte for byte.
 * place: give it its name, when there is none.
 * drop: remove it, and DIR/ledger when it is empty.
 * Return as ledger_create(); AAD_EFORMAT with LEDGER_ALTERED, AAD_EVERSION
 * with LEDGER_VERSION, AAD_EAGAIN with LEDGER_BUSY.
 */
int ledger_stage(int dirfd, int *fdp, enum reason *whyp) AAD_MUST_CHECK;
int ledger_stage_check(int dirfd, enum reason *whyp) AAD_MUST_CHECK;
int ledger_stage_same(int dirfd, struct ledger *l, bool *yes,
    enum reason *whyp) AAD_MUST_CHECK;
int ledger_stage_place(int dirfd, enum reason *whyp) AAD_MUST_CHECK;
void ledger_stage_drop(int dirfd);

#endif /* AAD_LEDGER_H */
