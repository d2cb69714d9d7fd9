/* SPDX-License-Identifier: ISC */

/*
 * hostid: which machine a record belongs to.  It finds accidents, a cache
 * that was cloned or restored elsewhere; it is no secret.
 */

#ifndef AAD_HOSTID_H
#define AAD_HOSTID_H

#include <stdint.h>

#include "core/err.h"

#define HOSTID_LEN 32

/*
 * SHA-256("aadssh host 1" || the 32 lower-case hex digits in path).
 *
 * path: machine-id(5), "/etc/machine-id" outside tests.
 * Returns 0; AAD_ENOENT, AAD_EPERM, AAD_ETOOBIG, AAD_EFORMAT, AAD_ENOMEM or
 * AAD_ESYS when it is missing, unreadable or malformed.
 */
int hostid_read(const char *path, uint8_t id[static HOSTID_LEN]) AAD_MUST_CHECK;

#endif /* AAD_HOSTID_H */
