/* SPDX-License-Identifier: ISC */

/*
 * transfer: one easy handle of libcurl, set up the only way that we use one
 * (http.h has the list), and one exchange at a time over it.  Shared by
 * http.c, which performs it alone, and pool.c, which performs many.
 */

#ifndef AAD_TRANSFER_H
#define AAD_TRANSFER_H

#include <signal.h>
#include <stddef.h>

#include <curl/curl.h>

#include "net/http.h"

struct transfer {
	CURL *curl;
	struct curl_slist *headers;
	const volatile sig_atomic_t *stop;
	char error[CURL_ERROR_SIZE];
	/* the exchange under way */
	struct http_reply *reply; /* borrowed from begin to end */
	char *form; /* encoded; heap, wiped by transfer_end() */
	size_t form_size;
	size_t size; /* bytes allocated for the body */
	size_t cap;
	size_t header_bytes;
	int r; /* why a callback gave up, or 0 */
};

/*
 * t: zeroed; the settings are borrowed until transfer_release(), which is
 * right in any case.
 * Returns 0; AAD_ENOMEM; AAD_EINTERNAL when libcurl lacks what we need.
 */
int transfer_init(struct transfer *t,
    const struct http_settings *set) AAD_MUST_CHECK;

void transfer_release(struct transfer *t);

/*
 * Make it ready to be performed: GET, or POST when form is not NULL.
 * *reply: zeroed, then borrowed until transfer_end(), which must follow when
 * 0 is returned.
 * Returns 0; AAD_ETOOBIG for the form; AAD_ENOMEM.
 */
int transfer_begin(struct transfer *t, const char *url, const char *const *form,
    size_t cap, struct http_reply *reply) AAD_MUST_CHECK;

/*
 * It was performed with this code: complete the reply, wipe what was sent.
 * Returns as http_get().
 */
int transfer_end(struct transfer *t, CURLcode code) AAD_MUST_CHECK;

#endif /* AAD_TRANSFER_H */
