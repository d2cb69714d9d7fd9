/* SPDX-License-Identifier: ISC */

/*
 * exchange: one question to the provider that has to be answered now, and
 * why it was not: the network, an interruption, an error answer.
 */

#ifndef AAD_EXCHANGE_H
#define AAD_EXCHANGE_H

#include <stddef.h>

#include "core/reason.h"
#include "idp/aadsts.h"
#include "net/http.h"

/* A definite no or a cannot-tell, with what to do next. */
struct refusal {
	enum reason why;
	char detail[AADSTS_DETAIL_MAX]; /* clean, one sentence or "" */
};

/* Fill *no.  detail: clean, or NULL. */
void refusal_set(struct refusal *no, enum reason why, const char *detail);

/* The reason and the words of an error answer. */
void refusal_of_error(struct refusal *no, const struct grant_error *e,
    long status);

/*
 * Why http_get() or http_post_form() returned r, for what was asked ("the
 * tenant keys").  stopped: whether the person interrupted it.
 */
void refusal_of_http(struct refusal *no, int r, const struct http_reply *reply,
    const char *what, bool stopped);

/*
 * Ask once: GET, or POST when form is not NULL.  Only a body that came with
 * status 200 and is no error answer is a success.
 *
 * what: what is asked for, for the words.  cap: bytes.
 * *reply: always set; the caller releases it.
 * Returns 0; AAD_EREFUSED with *no.
 */
int exchange(struct http *http, const volatile sig_atomic_t *stop,
    const char *url, const char *const *form, size_t cap, const char *what,
    struct http_reply *reply, struct refusal *no) AAD_MUST_CHECK;

#endif /* AAD_EXCHANGE_H */
