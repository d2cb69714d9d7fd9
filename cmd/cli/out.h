/* SPDX-License-Identifier: ISC */

/*
 * out: stdout for data, stderr for people.  Text from outside is cleaned
 * before it gets here.
 */

#ifndef AAD_OUT_H
#define AAD_OUT_H

#include <jansson.h>

#include "core/reason.h"

/*
 * One JSON object on stdout, one line.  o is consumed, NULL is EXIT_CANNOT.
 * Returns EXIT_DONE, or EXIT_CANNOT when stdout could not take it.
 */
int out_json(json_t *o);

/*
 * A refusal for a person: "PROG: sentence (code)" and, when detail is not
 * NULL or "", a second line with it.  Returns the exit code of the reason.
 */
int out_refusal(const char *prog, enum reason why, const char *detail);

/*
 * End of a program: whether everything written to stdout arrived.
 * Returns code, or EXIT_CANNOT with a line on stderr when not.
 */
int out_finish(const char *prog, int code);

#endif /* AAD_OUT_H */
