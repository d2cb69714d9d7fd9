/* SPDX-License-Identifier: ISC */

/*
 * pool: many requests at once to one provider, with everything that http.h
 * promises for each.  At most `parallel` are under way, over at most as many
 * connections, which are used again; handles are, too.  So memory is bounded
 * by the window, whatever the number of requests.
 */

#ifndef AAD_POOL_H
#define AAD_POOL_H

#include <stddef.h>

#include "net/http.h"

#define HTTP_POOL_MAX 10000 /* requests at once */

struct http_pool;

/*
 * parallel: 1 to HTTP_POOL_MAX.
 * *outp: NULL unless 0 is returned; then the caller frees it.
 * Returns 0; AAD_EARG for another parallel; AAD_ENOMEM; AAD_EINTERNAL when
 * libcurl lacks what we need.
 */
int http_pool_new(const struct http_settings *set, size_t parallel,
    struct http_pool **outp) AAD_MUST_CHECK;

/* Drop what is under way and release.  NULL is a no-op. */
void http_pool_free(struct http_pool *p);

/*
 * Begin a POST, application/x-www-form-urlencoded; nothing blocks.
 *
 * form: as for http_post_form(); copied, and the copy is wiped.
 * tag: the caller's, handed back by http_pool_next(); not looked at.
 * Returns 0; AAD_EAGAIN when `parallel` are under way; AAD_ETOOBIG for the
 * form; AAD_ENOMEM; AAD_EINTERNAL.
 */
int http_pool_post(struct http_pool *p, const char *url,
    const char *const *form, size_t cap, void *tag) AAD_MUST_CHECK;

/*
 * Work for at most timeout_ms, or until one request is done.
 *
 * *reply: always set; the caller releases it.
 * *tagp, *rp: for 0; *rp is what http_post_form() would have returned.  Once
 * the stop of the settings is non-zero, what is under way is done within a
 * second, with AAD_ENET.
 * Returns 0; AAD_EAGAIN when none is done yet; AAD_ENOENT when none is under
 * way; AAD_EINTERNAL.
 */
int http_pool_next(struct http_pool *p, int timeout_ms,
    struct http_reply *reply, void **tagp, int *rp) AAD_MUST_CHECK;

/* How many connections were made so far. */
size_t http_pool_connections(const struct http_pool *p);

#endif /* AAD_POOL_H */
