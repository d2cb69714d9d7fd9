/* SPDX-License-Identifier: ISC */

/* show: a survey as text for people, or as JSON. */

#ifndef AAD_SHOW_H
#define AAD_SHOW_H

#include <jansson.h>

#include "cmd/aadssh/survey.h"

/*
 * The text, lines of printable ASCII; the caller frees it.
 * login: whose it is; NULL: everybody's.
 * Returns NULL where memory was short.
 */
char *show_text(const struct survey *s, const char *login);

/* The object; NULL where memory was short. */
json_t *show_json(const struct survey *s);

#endif /* AAD_SHOW_H */
