/* SPDX-License-Identifier: ISC */

/* option: the command line of verbs that take next to nothing. */

#ifndef AAD_CA_OPTION_H
#define AAD_CA_OPTION_H

#include <stdbool.h>

/* "[--json]" alone.  Returns 0, or -1 for the usage. */
int option_json(int argc, char **argv, bool *jsonp);

/* "--NAME VALUE" alone, required.  Returns 0, or -1 for the usage. */
int option_one(int argc, char **argv, const char *name, const char **valuep);

#endif /* AAD_CA_OPTION_H */
