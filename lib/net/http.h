/* SPDX-License-Identifier: ISC */

/*
 * http: libcurl, which this folder is the only user of (transfer.c sets it
 * up, pool.h does many requests).  One request at a time, https only, TLS
 * 1.2 or newer with the peer and its name verified, HTTP/1.1, no redirects,
 * no cookies, no netrc, no alt-svc, no content decoding, a total deadline, a
 * cap on body and headers, and a proxy only if the settings name one.
 *
 * NB. libcurl and OpenSSL read the environment (SSLKEYLOGFILE,
 * OPENSSL_CONF); what decides is set here, but the program must have emptied
 * its environment before http_new().
 */

#ifndef AAD_HTTP_H
#define AAD_HTTP_H

#include <signal.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

#define HTTP_HEADERS_MAX 65536 /* bytes of all header lines of an answer */
#define HTTP_FORM_MAX	 65536 /* bytes of an encoded form */
#define HTTP_ERROR_LEN	 256 /* bytes, with the NUL */
#define HTTP_CONNECT_MS	 10000 /* for name, connection and TLS */
#define HTTP_TOTAL_MS	 30000 /* for the whole exchange */

struct http;

/* Strings borrowed until http_free(). */
struct http_settings {
	const char *ca_file; /* trust only this; NULL: the system's */
	const char *proxy; /* http://host:port; NULL: none at all */
	const char *user_agent;
	/* When it becomes non-zero a running exchange ends within a second.
	 * NULL: never. */
	const volatile sig_atomic_t *stop;
};

/* A plain record; http_reply_release() wipes it. */
struct http_reply {
	long status; /* 0 when no answer came */
	char *body; /* heap, a NUL behind it; when 0 was returned */
	size_t len; /* bytes */
	int64_t retry_after; /* seconds, 0 for none */
	int64_t date; /* the peer's clock, Unix seconds; -1 for none */
	char error[HTTP_ERROR_LEN]; /* for AAD_ENET, clean, no secrets */
};

/*
 * *outp: NULL unless 0 is returned; then the caller frees it.
 * Returns 0; AAD_ENOMEM; AAD_EINTERNAL when libcurl lacks what we need.
 */
int http_new(const struct http_settings *set,
    struct http **outp) AAD_MUST_CHECK;

/* Release.  NULL is a no-op. */
void http_free(struct http *h);

/*
 * GET url; an answer of any status is a success.
 *
 * cap: bytes that the body may have.
 * *reply: always set; the caller releases it.
 * Returns 0; AAD_ENET with reply->error, also when stopped; AAD_ETOOBIG over
 * a cap; AAD_ENOMEM.
 */
int http_get(struct http *h, const char *url, size_t cap,
    struct http_reply *reply) AAD_MUST_CHECK;

/*
 * The same as POST, application/x-www-form-urlencoded.
 *
 * form: name, value, name, value, …, NULL; values may be secrets.
 */
int http_post_form(struct http *h, const char *url, const char *const *form,
    size_t cap, struct http_reply *reply) AAD_MUST_CHECK;

/* Wipe and release what *reply holds.  NULL is a no-op. */
void http_reply_release(struct http_reply *reply);

#endif /* AAD_HTTP_H */
