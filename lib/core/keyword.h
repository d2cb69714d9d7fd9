/* SPDX-License-Identifier: ISC */

/*
 * keyword: what every key of the configuration means: its section, type,
 * default and place in struct conf.  conf.c reads lines and calls this.
 */

#ifndef AAD_KEYWORD_H
#define AAD_KEYWORD_H

#include <stddef.h>

#include "core/conf.h"
#include "core/err.h"

#define KEYWORD_NONE ((size_t)-1)
#define KEYWORD_MAX  64 /* more than the table has; checked when built */

/* The index of a key, KEYWORD_NONE when there is no such. */
size_t keyword_find(const char *section, const char *name);

/*
 * Whether a section of this name exists; "login" and "profile" stand for
 * [login NAME] and [profile NAME].
 */
bool keyword_section_ok(const char *section);

/*
 * Check a value and store it: in c, or for a key of a section with a name of
 * its own in record, its struct conf_login or conf_profile.
 * line: where it stands.
 * Returns 0; AAD_EFORMAT with *why; AAD_ENOMEM.
 */
int keyword_set(size_t i, struct conf *c, void *record, const char *value,
    unsigned int line, struct conf_error *why) AAD_MUST_CHECK;

/*
 * Fill in defaults and check what one line alone can't show.
 * seen: by index, the line of each key, 0 when it was not written.
 * idp_line: of the section [idp], 0 when there is none.
 * Returns 0; AAD_EFORMAT with *why; AAD_ENOMEM.
 */
int keyword_finish(struct conf *c, const unsigned int seen[static KEYWORD_MAX],
    unsigned int idp_line, struct conf_error *why) AAD_MUST_CHECK;

#endif /* AAD_KEYWORD_H */
