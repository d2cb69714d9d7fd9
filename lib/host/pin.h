/* SPDX-License-Identifier: ISC */

/*
 * pin: login <-> identity, pins/LOGIN, made at the first mapped sign-in, so
 * that a recycled user name does not inherit an account.  docs/formats.md
 * "Pin".
 */

#ifndef AAD_PIN_H
#define AAD_PIN_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "core/name.h"
#include "host/cache.h"

#define PIN_MAX 4096 /* bytes of a file */

struct pin {
	char tid[NAME_GUID_LEN + 1];
	char oid[NAME_GUID_LEN + 1];
	int64_t at; /* when it was made */
};

/*
 * Returns 0; AAD_ENOENT when the login has none, and only then; AAD_EPERM,
 * AAD_EFORMAT, AAD_ETOOBIG, AAD_ENOMEM, AAD_ESYS when it cannot be told.
 */
int pin_load(const struct cache *c, const char *login,
    struct pin *p) AAD_MUST_CHECK;

/* Make it.  Returns 0; AAD_EEXIST; AAD_EARG; AAD_EPERM; AAD_ESYS. */
int pin_create(const struct cache *c, const char *login,
    const struct pin *p) AAD_MUST_CHECK;

/* Returns 0; AAD_ENOENT; AAD_EARG; AAD_EPERM; AAD_ESYS. */
int pin_remove(const struct cache *c, const char *login) AAD_MUST_CHECK;

bool pin_names(const struct pin *p, const char *tid, const char *oid);

#endif /* AAD_PIN_H */
