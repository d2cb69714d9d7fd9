/* SPDX-License-Identifier: ISC */

/* find: how an identity or a key is named on the command line. */

#ifndef AAD_CA_FIND_H
#define AAD_CA_FIND_H

#include <stdint.h>

#include "ca/app.h"
#include "core/name.h"

struct find {
	char oid[NAME_GUID_LEN + 1];
	uint8_t hash[32]; /* SHA-256 of a key's blob */
};

/* A GUID, in either case.  Returns EXIT_DONE, or EXIT_USAGE with a line. */
int find_oid(struct find *f, const char *text);

/*
 * "SHA256:…", or a FILE.pub, or a certificate's file: then the certified key.
 * Returns EXIT_DONE; EXIT_NO; EXIT_CANNOT; with a line.
 */
int find_key(struct ca_app *app, struct find *f, const char *text);

#endif /* AAD_CA_FIND_H */
