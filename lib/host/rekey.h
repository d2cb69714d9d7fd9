/* SPDX-License-Identifier: ISC */

/*
 * rekey: a new record key and a new seal key, and everything that the old
 * ones signed and sealed made anew.
 *
 * It may be ended at any instant.  keys/record.pub names both record keys
 * from before the new one is used until after the last record of the old one
 * is gone, and keys/seal.key.other is the old seal key for as long; so the
 * hook accepts every record throughout, and the next rekey finishes what it
 * finds begun before it begins.
 */

#ifndef AAD_REKEY_H
#define AAD_REKEY_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "host/cache.h"
#include "host/hostid.h"

struct rekey_count {
	size_t records; /* signed with the new key, tombstones too */
	size_t tokens; /* sealed with the new key */
	size_t skipped; /* neither: damaged, foreign or of an unknown key */
};

/*
 * Replace both keys.  Waits for every writer, and every writer waits for it.
 *
 * *out: zero unless 0 is returned.
 * Returns 0, and then no key is in use that this call did not make.  Else
 * the old keys, or both, still count: AAD_EPERM, AAD_EFORMAT for keys or
 * directories that are not as they must be; AAD_EAGAIN when files change
 * under its hands; AAD_ENOMEM; AAD_ESYS.
 */
int rekey(const struct cache *c, const uint8_t host[static HOSTID_LEN],
    struct rekey_count *out) AAD_MUST_CHECK;

#endif /* AAD_REKEY_H */
