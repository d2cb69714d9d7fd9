/* SPDX-License-Identifier: ISC */

/* option: the command line of verbs that take next to nothing. */

#ifndef AAD_CA_OPTION_H
#define AAD_CA_OPTION_H

#include <stdint.h>

#define OPTION_LINE_MAX 400 /* bytes; the signer takes no more */

/*
 * What people wrote for --NAME: one line, of 1 to OPTION_LINE_MAX bytes, and no
 * control byte in it.  Returns 0, or -1 with a line that says so.
 */
int option_line(const char *name, const char *value);

/* A duration.  Returns 0, or -1 with a line that says so. */
int option_duration(const char *name, const char *value, int64_t *secondsp);

/* "--NAME VALUE" alone, required.  Returns 0, or -1 for the usage. */
int option_one(int argc, char **argv, const char *name, const char **valuep);

#endif /* AAD_CA_OPTION_H */
