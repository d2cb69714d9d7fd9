/* SPDX-License-Identifier: ISC */

/*
 * reply: what every answer of the provider has in common: one JSON object
 * without a member that stands twice, numbers that may come as strings.
 */

#ifndef AAD_REPLY_H
#define AAD_REPLY_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "core/err.h"

/*
 * text: len bytes; untrusted; as strictjson_load() wants it.
 * *outp: NULL unless 0 is returned; then the caller releases it.
 * Returns 0; AAD_EFORMAT; AAD_ENOMEM.
 */
int reply_load(const char *text, size_t len, json_t **outp) AAD_MUST_CHECK;

/*
 * A whole number from min to max, as a JSON integer or as a string of
 * decimal digits (Entra's v1 and some proxies send strings).
 * *np: changed only when 0 is returned.
 * Returns 0; AAD_ENOENT when there is no such member; AAD_EFORMAT.
 */
int reply_number(const json_t *o, const char *name, int64_t min, int64_t max,
    int64_t *np) AAD_MUST_CHECK;

#endif /* AAD_REPLY_H */
