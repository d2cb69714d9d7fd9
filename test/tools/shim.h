/* SPDX-License-Identifier: ISC */

/* shim: the parts of keygen-shim. */

#ifndef AAD_SHIM_H
#define AAD_SHIM_H

#include <stddef.h>

#include "ssh/cert.h"
#include "ssh/key.h"

#define SHIM_OPTIONS 32

struct shim {
	const char *ca, *key_id, *principals, *validity, *serial, *file, *type;
	const char *like;
	const char *options[SHIM_OPTIONS];
	size_t noptions;
	int krl, host, update, other;
	char **args;
};

/* What can't be done ends the program, 255. */
_Noreturn void shim_die(const char *what, const char *name);

/* A whole file, a NUL behind it; the caller frees it. */
char *shim_read(const char *path, size_t *lenp);

void shim_cert(const char *path, struct cert *c);

/* Whether a key of this request is one that lib/ssh doesn't know. */
int shim_sign_foreign(const struct shim *s);

/* ssh-keygen -s, and -k; return the exit status. */
int shim_sign(const struct shim *s);
int shim_krl(const struct shim *s);

#endif /* AAD_SHIM_H */
