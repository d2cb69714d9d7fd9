/* SPDX-License-Identifier: ISC */

/*
 * strictjson: the one way JSON text becomes a value here, and back: no
 * duplicate member, no NUL in a string, valid UTF-8, nothing behind the
 * value, and nothing lost where memory was short.
 */

#ifndef AAD_STRICTJSON_H
#define AAD_STRICTJSON_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "core/err.h"

/*
 * text: len bytes; RFC 8259, an object or array at the top.
 * *outp: NULL unless 0 is returned; then json_decref() releases it.
 * It sets jansson's allocator to one over malloc(3) that wipes what it
 * frees.
 * Returns 0; AAD_EFORMAT; AAD_ENOMEM.
 */
int strictjson_load(const char *text, size_t len, json_t **outp) AAD_MUST_CHECK;

/*
 * The compact text of a value, or NULL where memory was short; the caller
 * frees it with free(3).  o: NULL gives NULL.
 */
char *strictjson_dump(const json_t *o) AAD_MUST_CHECK;

/* The same with the members of every object in the order of their names'
 * bytes: one text for one value. */
char *strictjson_sorted(const json_t *o) AAD_MUST_CHECK;

/*
 * The same watch over a library that hands text to jansson by itself
 * (libjwt): watch before its call, with the bytes of all that text; short
 * ends it, when the library has freed what jansson made meanwhile, and says
 * whether memory was short.
 * Returns 0; AAD_ENOMEM, and there is nothing to end.
 */
int strictjson_watch(size_t len) AAD_MUST_CHECK;
bool strictjson_short(void);

#endif /* AAD_STRICTJSON_H */
