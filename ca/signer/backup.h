/* SPDX-License-Identifier: ISC */

/*
 * backup: which files a backup holds, for who writes one and who reads it.
 */

#ifndef AAD_BACKUP_H
#define AAD_BACKUP_H

#include <stdbool.h>

#define BACKUP_LEDGER	"ledger.db"
#define BACKUP_FILE_MAX 65536 /* bytes of a key, a manifest, a signature */

/* Whether a backup holds a file of this name: the ledger, "keys/HEX64.key",
 * "manifests/N.json", "manifests/HEX64.bundle", the latter two also with
 * ".sig" behind. */
bool backup_holds(const char *name);

#endif /* AAD_BACKUP_H */
