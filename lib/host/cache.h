/* SPDX-License-Identifier: ISC */

/*
 * cache: the state directory, [state] dir: which file lies where, who may
 * own it, and how it is changed.  Readers take no lock.  A writer takes the
 * login's lock for the moment of the change only, never over the network,
 * and commits only on top of the generation that it read.
 *
 * Right owner of everything below: the owner of the directory itself, read
 * from its descriptor; the judged configuration names it, so it is the
 * anchor.  A writer must be that owner.
 */

#ifndef AAD_CACHE_H
#define AAD_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/err.h"
#include "core/file.h"
#include "core/reason.h"
#include "core/secret.h"
#include "host/record.h"
#include "token/jwks.h"

struct cache {
	int dir; /* -1: closed */
	struct file_owner right;
	/* cache_open_tenant(): keys.json alone, for everybody to read */
	bool tenant_only;
};

/*
 * Open an existing state directory for reading.
 *
 * *c: dir is -1 unless 0 is returned; cache_close() is right in any case.
 * *whyp: STATE_UNREADABLE for every failure.
 * Returns 0; AAD_ENOENT; AAD_EPERM; AAD_ESYS with errno.
 */
int cache_open(const char *path, struct cache *c,
    enum reason *whyp) AAD_MUST_CHECK;

/*
 * Open it for writing: made with everything below it, with the modes of
 * docs/formats.md, when missing.
 *
 * self: geteuid(2); another owner of the directory is STATE_OWNER.
 * Returns as cache_open(), and AAD_EREFUSED for STATE_OWNER.
 */
int cache_open_write(const char *path, uid_t self, struct cache *c,
    enum reason *whyp) AAD_MUST_CHECK;

/*
 * Open DIR/tenant of a certificate authority, which must be there, for the
 * tenant keys alone: of what is below, only cache_sweep(), the calls about
 * tenant keys and their lock work on it.  Everybody may read what is stored,
 * and its readers, the signer, take it from the directory's owner only.
 *
 * path: [state] dir.  self: the owner of DIR/tenant, else STATE_OWNER.
 * Returns as cache_open_write().
 */
int cache_open_tenant(const char *path, uid_t self, struct cache *c,
    enum reason *whyp) AAD_MUST_CHECK;

/*
 * The owner of DIR/tenant.
 * Returns 0; AAD_ENOENT; AAD_EPERM; AAD_ESYS with errno.
 */
int cache_tenant_owner(const char *path, uid_t *uidp,
    gid_t *gidp) AAD_MUST_CHECK;

void cache_close(struct cache *c);

/*
 * The public half of the record key, keys/record.pub; of two record keys
 * during a rekey.
 *
 * NB. a rekey changes it and the records: a reader that holds no lock and
 * finds a signature of neither key reads both files again before it believes
 * that.
 * pub->n is 0 unless 0 is returned.
 * *whyp: RECORD_KEY_UNREADABLE.  Returns 0 or an error of file_read().
 */
int cache_record_pub(const struct cache *c, struct record_pub *pub,
    enum reason *whyp) AAD_MUST_CHECK;

/*
 * The record key, keys/record.key; made, once, when there is none.  The keys'
 * lock must be held, shared at least, until nothing more is signed with it.
 * *outp: NULL unless 0 is returned; then the caller frees it.
 * Returns 0; AAD_EPERM, AAD_EFORMAT, AAD_ENOMEM, AAD_ESYS.
 */
int cache_record_key(const struct cache *c,
    struct secret **outp) AAD_MUST_CHECK;

/* What refresh tokens are sealed with.  A plain record. */
struct cache_seal {
	struct secret *key; /* the current one */
	struct secret
	    *other; /* during a rekey: opens, never seals; else NULL */
};

#define CACHE_SEAL_LEN 32 /* bytes: crypto_aead_xchacha20poly1305_ietf */

/*
 * The seal key, keys/seal.key; made, once, when there is none.  The keys'
 * lock must be held, shared at least, until nothing more is sealed with it.
 *
 * *outp: NULL twice unless 0 is returned; cache_seal_release() is right in
 * any case.
 * Returns 0; AAD_EPERM, AAD_EFORMAT, AAD_ENOMEM, AAD_ESYS.
 */
int cache_seal_keys(const struct cache *c,
    struct cache_seal *outp) AAD_MUST_CHECK;

void cache_seal_release(struct cache_seal *s);

/*
 * Read records/LOGIN/HEX64, its bytes only.
 *
 * *textp: NULL unless 0 is returned; then *lenp bytes and a NUL, which the
 * caller wipes and frees.
 * *whyp: NO_RECORD, RECORD_UNREADABLE, RECORD_OWNER, RECORD_MALFORMED (too
 * long) or NO_MEMORY.
 * Returns 0; AAD_ENOENT for NO_RECORD; AAD_EREFUSED; AAD_ENOMEM; AAD_ESYS
 * for what cannot be told.
 */
int cache_record_read(const struct cache *c, const char *login,
    const uint8_t key_hash[static 32], char **textp, size_t *lenp,
    enum reason *whyp) AAD_MUST_CHECK;

/*
 * Load and verify records/LOGIN/HEX64.
 *
 * *outp: NULL unless 0 is returned; then the caller frees it.
 * *whyp: NO_RECORD, RECORD_UNREADABLE, RECORD_OWNER, RECORD_MALFORMED or one
 * of record_parse()'s.
 * Returns 0; AAD_ENOENT for NO_RECORD; AAD_EREFUSED; AAD_ENOMEM; AAD_ESYS
 * for what cannot be told.
 */
int cache_record_load(const struct cache *c, const char *login,
    const uint8_t key_hash[static 32], const uint8_t host[static HOSTID_LEN],
    const struct record_pub *pub, struct record **outp,
    enum reason *whyp) AAD_MUST_CHECK;

/*
 * Sign and store a record in place of the one it was built on.  The login's
 * lock must be held.
 * Returns 0 or an error of record_format() or file_replace().
 */
int cache_record_store(const struct cache *c, const struct record *rec,
    const uint8_t host[static HOSTID_LEN], struct secret *sec) AAD_MUST_CHECK;

/*
 * Remove one record.  The login's lock must be held.
 * Returns 0; AAD_ENOENT; AAD_ESYS.
 */
int cache_record_remove(const struct cache *c, const char *login,
    const uint8_t key_hash[static 32]) AAD_MUST_CHECK;

/*
 * End a record: its tombstone takes its place, then its refresh token is
 * removed.  The login's lock must be held, and rec be what is stored now.
 *
 * why, at: as in record_end().  host, sec: as for cache_record_store().
 * Returns 0 or an error of record_end(), cache_record_store() or, but for
 * AAD_ENOENT, refreshtoken_remove(); then it may have ended already, which
 * ending it again does not mind, and a refresh token that stays is swept by
 * the next `aadssh refresh`.
 */
int cache_record_end(const struct cache *c, const struct record *rec,
    enum reason why, int64_t at, const uint8_t host[static HOSTID_LEN],
    struct secret *sec) AAD_MUST_CHECK;

/* Called for each record file; a non-zero return ends the walk. */
typedef int cache_each_fn(void *arg, const char *login,
    const uint8_t key_hash[static 32]);

/*
 * Walk the record files of one login, or of all when login is NULL, in no
 * order.  Names that are no record's are passed over; of all, also what is
 * no directory of the right owner, as somebody's copy.
 * Returns 0, the callback's value, or AAD_EPERM, AAD_ESYS.
 */
int cache_record_each(const struct cache *c, const char *login,
    cache_each_fn *fn, void *arg) AAD_MUST_CHECK;

/*
 * Remove what a crash left behind: temporary files below the state directory
 * that are older than an hour, so that no writer at work is disturbed.
 */
void cache_sweep(const struct cache *c, int64_t now);

/*
 * The tenant keys, keys.json.
 * only: as in jwks_parse().
 * *whyp: NO_TENANT_KEYS, TENANT_KEYS_UNREADABLE.
 * Returns 0; AAD_ENOENT for none; AAD_EREFUSED when they are damaged or not
 * of the right owner; AAD_ENOMEM; AAD_ESYS.
 */
int cache_tenant_keys_load(const struct cache *c, const char *only,
    struct jwks **outp, enum reason *whyp) AAD_MUST_CHECK;

/* Returns 0 or an error of jwks_format() or file_replace(). */
int cache_tenant_keys_store(const struct cache *c,
    const struct jwks *keys) AAD_MUST_CHECK;

/*
 * Locks.  The rule for every writer of a record or a refresh token, no
 * network inside:
 *
 *	cache_lock_keys(c, 0, &kfd), then cache_lock(c, login, &lfd);
 *	load the record key or the seal keys;
 *	read again, judge, write;
 *	close(lfd), close(kfd).
 *
 * A rekey holds the keys' lock alone from its first step to its last, so
 * that nobody signs or seals with a key that is on its way out.
 *
 * Take a lock, locks/NAME: name is a login, or one of the names below,
 * which no login can have.  Blocks; no network is ever used under it.  A
 * signal that is caught without SA_RESTART ends the wait, with EINTR.
 *
 * *fdp: close(2) releases it; -1 unless 0 is returned.
 * Returns 0; AAD_EPERM; AAD_ESYS.
 */
#define CACHE_LOCK_TENANT_KEYS "@tenant-keys"
#define CACHE_LOCK_DENIALS     "@denials"
#define CACHE_LOCK_REFRESH     "@refresh" /* one run at a time */
#define CACHE_LOCK_WAITING     "@flow" /* while a slot is looked for */
#define CACHE_LOCK_KEYS	       "@keys" /* by cache_lock_keys() only */
int cache_lock(const struct cache *c, const char *name,
    int *fdp) AAD_MUST_CHECK;

/* The same, and AAD_EAGAIN when somebody holds it; never blocks. */
int cache_try_lock(const struct cache *c, const char *name,
    int *fdp) AAD_MUST_CHECK;

/*
 * The keys' lock: shared for a writer, exclusive for a rekey.  Blocks; *fdp
 * and errors as for cache_lock().
 */
int cache_lock_keys(const struct cache *c, int exclusive,
    int *fdp) AAD_MUST_CHECK;

#endif /* AAD_CACHE_H */
