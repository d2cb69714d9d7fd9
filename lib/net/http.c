/* SPDX-License-Identifier: ISC */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

#include "core/text.h"
#include "net/http.h"

#define BODY_FIRST 4096 /* bytes of the first buffer of a body */
#define DATE_MAX   64 /* bytes of a Date header's value */
#define RETRY_MAX  86400 /* seconds; what is longer means the same */

struct http {
	CURL *curl;
	struct curl_slist *headers;
	const volatile sig_atomic_t *stop;
	char error[CURL_ERROR_SIZE];
};

/* What the callbacks of one exchange share. */
struct exchange {
	struct http_reply *reply;
	size_t size; /* bytes allocated for the body */
	size_t cap;
	size_t header_bytes;
	int r; /* why a callback gave up, or 0 */
};

static void
wipe_free(char *p, size_t len)
{
	if (p != NULL)
		explicit_bzero(p, len);
	free(p);
}

/* NB. not realloc(3): it would leave the old copy behind unwiped. */
static int
body_grow(struct exchange *x, size_t need)
{
	struct http_reply *reply = x->reply;
	size_t size = x->size == 0 ? BODY_FIRST : x->size;
	char *p;

	while (size < need)
		size *= 2;
	if (size == x->size)
		return 0;
	if ((p = malloc(size)) == NULL)
		return AAD_ENOMEM;
	if (reply->body != NULL)
		memcpy(p, reply->body, reply->len);
	wipe_free(reply->body, reply->len);
	reply->body = p;
	x->size = size;
	return 0;
}

static size_t
on_body(char *data, size_t one, size_t n, void *arg)
{
	struct exchange *x = arg;
	struct http_reply *reply = x->reply;

	(void)one; /* always 1 */
	if (n > x->cap - reply->len) {
		x->r = AAD_ETOOBIG;
		return 0;
	}
	if ((x->r = body_grow(x, reply->len + n + 1)) != 0)
		return 0;
	memcpy(reply->body + reply->len, data, n);
	reply->len += n;
	return n;
}

static void
read_date(const char *data, size_t n, struct http_reply *reply)
{
	static const char name[] = "Date:";
	char value[DATE_MAX];
	size_t skip = sizeof(name) - 1;

	if (n <= skip || n - skip >= sizeof(value) ||
	    strncasecmp(data, name, skip) != 0)
		return;
	memcpy(value, data + skip, n - skip);
	value[n - skip] = '\0';
	reply->date = (int64_t)curl_getdate(value, NULL);
}

static size_t
on_header(char *data, size_t one, size_t n, void *arg)
{
	struct exchange *x = arg;

	(void)one;
	x->header_bytes += n;
	if (x->header_bytes > HTTP_HEADERS_MAX) {
		x->r = AAD_ETOOBIG;
		return 0;
	}
	read_date(data, n, x->reply);
	return n;
}

static int
on_progress(void *arg, curl_off_t dltotal, curl_off_t dlnow, curl_off_t ultotal,
    curl_off_t ulnow)
{
	const struct http *h = arg;

	(void)dltotal;
	(void)dlnow;
	(void)ultotal;
	(void)ulnow;
	return h->stop != NULL && *h->stop != 0;
}

#define SET(option, value) curl_easy_setopt(h->curl, option, value) != CURLE_OK

static int
set_peer(struct http *h, const struct http_settings *set)
{
	if (SET(CURLOPT_PROTOCOLS_STR, "https") ||
	    SET(CURLOPT_REDIR_PROTOCOLS_STR, "https") ||
	    SET(CURLOPT_FOLLOWLOCATION, 0L) ||
	    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) ||
	    SET(CURLOPT_SSL_VERIFYPEER, 1L) ||
	    SET(CURLOPT_SSL_VERIFYHOST, 2L) ||
	    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) ||
	    SET(CURLOPT_PROXY, set->proxy == NULL ? "" : set->proxy) ||
	    SET(CURLOPT_NOPROXY, "") ||
	    SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L) ||
	    SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED))
		return AAD_EINTERNAL;
	/* NB. without CAPATH the system's directory would be trusted too. */
	if (set->ca_file != NULL &&
	    (SET(CURLOPT_CAINFO, set->ca_file) || SET(CURLOPT_CAPATH, NULL)))
		return AAD_EINTERNAL;
	return 0;
}

static int
set_bounds(struct http *h, const struct http_settings *set)
{
	if (SET(CURLOPT_NOSIGNAL, 1L) || SET(CURLOPT_QUICK_EXIT, 1L) ||
	    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)HTTP_CONNECT_MS) ||
	    SET(CURLOPT_TIMEOUT_MS, (long)HTTP_TOTAL_MS) ||
	    SET(CURLOPT_USERAGENT, set->user_agent) ||
	    SET(CURLOPT_HTTPHEADER, h->headers) ||
	    SET(CURLOPT_ERRORBUFFER, h->error) || SET(CURLOPT_NOPROGRESS, 0L) ||
	    SET(CURLOPT_XFERINFOFUNCTION, on_progress) ||
	    SET(CURLOPT_XFERINFODATA, h) ||
	    SET(CURLOPT_WRITEFUNCTION, on_body) ||
	    SET(CURLOPT_HEADERFUNCTION, on_header))
		return AAD_EINTERNAL;
	return 0;
}

int
http_new(const struct http_settings *set, struct http **outp)
{
	struct http *h = NULL;
	int r = AAD_ENOMEM;

	*outp = NULL;
	if ((h = calloc(1, sizeof(*h))) == NULL)
		return AAD_ENOMEM;
	h->stop = set->stop;
	if ((h->curl = curl_easy_init()) == NULL ||
	    (h->headers = curl_slist_append(NULL,
		 "Accept: application/json")) == NULL)
		goto out;
	if ((r = set_peer(h, set)) != 0 || (r = set_bounds(h, set)) != 0)
		goto out;
	*outp = h;
	h = NULL; /* now the caller's */
out:
	http_free(h);
	return r;
}

void
http_free(struct http *h)
{
	if (h == NULL)
		return;
	curl_easy_cleanup(h->curl);
	curl_slist_free_all(h->headers);
	free(h);
}

static void
set_error(const struct http *h, CURLcode code, struct http_reply *reply)
{
	const char *text = h->error[0] != '\0' ? h->error
					       : curl_easy_strerror(code);

	text_clean(text, strlen(text), reply->error, sizeof(reply->error));
}

static int
finish(struct http *h, struct exchange *x, CURLcode code)
{
	struct http_reply *reply = x->reply;
	curl_off_t pause = 0;

	if (x->r != 0)
		return x->r;
	if (code == CURLE_OUT_OF_MEMORY)
		return AAD_ENOMEM;
	if (code != CURLE_OK) {
		set_error(h, code, reply);
		return AAD_ENET;
	}
	if (body_grow(x, reply->len + 1) != 0)
		return AAD_ENOMEM;
	reply->body[reply->len] = '\0';
	curl_easy_getinfo(h->curl, CURLINFO_RESPONSE_CODE, &reply->status);
	curl_easy_getinfo(h->curl, CURLINFO_RETRY_AFTER, &pause);
	if (pause > 0)
		reply->retry_after = pause > RETRY_MAX ? RETRY_MAX : pause;
	return 0;
}

/* The url and, for a POST, the form are set: exchange. */
static int
run(struct http *h, const char *url, size_t cap, struct http_reply *reply)
{
	struct exchange x = { reply, 0, cap, 0, 0 };

	memset(reply, 0, sizeof(*reply));
	reply->date = -1;
	h->error[0] = '\0';
	if (SET(CURLOPT_URL, url) || SET(CURLOPT_WRITEDATA, &x) ||
	    SET(CURLOPT_HEADERDATA, &x))
		return AAD_ENOMEM;
	return finish(h, &x, curl_easy_perform(h->curl));
}

int
http_get(struct http *h, const char *url, size_t cap, struct http_reply *reply)
{
	memset(reply, 0, sizeof(*reply));
	if (SET(CURLOPT_HTTPGET, 1L))
		return AAD_ENOMEM;
	return run(h, url, cap, reply);
}

/* Add text, percent-encoded, to the NUL-terminated body. */
static int
form_append(struct http *h, char *body, const char *sep, const char *text)
{
	size_t len = strlen(body), n;
	char *enc;
	int r = AAD_ETOOBIG;

	if (strlen(text) > HTTP_FORM_MAX)
		return AAD_ETOOBIG;
	/* NB. length 0 would mean strlen(3), which is what it is here. */
	if ((enc = curl_easy_escape(h->curl, text, 0)) == NULL)
		return AAD_ENOMEM;
	n = strlen(enc);
	if (len + strlen(sep) + n < HTTP_FORM_MAX) {
		memcpy(body + len, sep, strlen(sep));
		memcpy(body + len + strlen(sep), enc, n + 1);
		r = 0;
	}
	explicit_bzero(enc, n);
	curl_free(enc);
	return r;
}

int
http_post_form(struct http *h, const char *url, const char *const *form,
    size_t cap, struct http_reply *reply)
{
	char *body;
	size_t i;
	int r = 0;

	memset(reply, 0, sizeof(*reply));
	if ((body = calloc(1, HTTP_FORM_MAX)) == NULL)
		return AAD_ENOMEM;
	for (i = 0; form[i] != NULL && r == 0; i++)
		r = form_append(h, body,
		    i == 0	 ? ""
		    : i % 2 == 1 ? "="
				 : "&",
		    form[i]);
	if (r != 0)
		goto out;
	if (SET(CURLOPT_POST, 1L) || SET(CURLOPT_POSTFIELDS, body) ||
	    SET(CURLOPT_POSTFIELDSIZE, (long)strlen(body))) {
		r = AAD_ENOMEM;
		goto out;
	}
	r = run(h, url, cap, reply);
out:
	curl_easy_setopt(h->curl, CURLOPT_POSTFIELDS, NULL);
	wipe_free(body, HTTP_FORM_MAX);
	return r;
}

void
http_reply_release(struct http_reply *reply)
{
	if (reply == NULL)
		return;
	wipe_free(reply->body, reply->len);
	memset(reply, 0, sizeof(*reply));
}
