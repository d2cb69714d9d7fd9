/* SPDX-License-Identifier: ISC */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/text.h"
#include "net/transfer.h"

#define BODY_FIRST 4096 /* bytes of the first buffer of a body */
#define DATE_MAX   64 /* bytes of a Date header's value */
#define RETRY_MAX  86400 /* seconds; what is longer means the same */

static void
wipe_free(char *p, size_t len)
{
	if (p != NULL)
		explicit_bzero(p, len);
	free(p);
}

/* NB. not realloc(3): it would leave the old copy behind unwiped. */
static int
body_grow(struct transfer *t, size_t need)
{
	struct http_reply *reply = t->reply;
	size_t size = t->size == 0 ? BODY_FIRST : t->size;
	char *p;

	while (size < need)
		size *= 2;
	if (size == t->size)
		return 0;
	if ((p = malloc(size)) == NULL)
		return AAD_ENOMEM;
	if (reply->body != NULL)
		memcpy(p, reply->body, reply->len);
	wipe_free(reply->body, reply->len);
	reply->body = p;
	t->size = size;
	return 0;
}

static size_t
on_body(char *data, size_t one, size_t n, void *arg)
{
	struct transfer *t = arg;
	struct http_reply *reply = t->reply;

	(void)one; /* always 1 */
	if (n > t->cap - reply->len) {
		t->r = AAD_ETOOBIG;
		return 0;
	}
	if ((t->r = body_grow(t, reply->len + n + 1)) != 0)
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
	struct transfer *t = arg;

	(void)one;
	t->header_bytes += n;
	if (t->header_bytes > HTTP_HEADERS_MAX) {
		t->r = AAD_ETOOBIG;
		return 0;
	}
	read_date(data, n, t->reply);
	return n;
}

static int
on_progress(void *arg, curl_off_t dltotal, curl_off_t dlnow, curl_off_t ultotal,
    curl_off_t ulnow)
{
	const struct transfer *t = arg;

	(void)dltotal;
	(void)dlnow;
	(void)ultotal;
	(void)ulnow;
	return t->stop != NULL && *t->stop != 0;
}

#define SET(option, value) curl_easy_setopt(t->curl, option, value) != CURLE_OK

static int
set_peer(struct transfer *t, const struct http_settings *set)
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
set_bounds(struct transfer *t, const struct http_settings *set)
{
	if (SET(CURLOPT_NOSIGNAL, 1L) || SET(CURLOPT_QUICK_EXIT, 1L) ||
	    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)HTTP_CONNECT_MS) ||
	    SET(CURLOPT_TIMEOUT_MS, (long)HTTP_TOTAL_MS) ||
	    SET(CURLOPT_USERAGENT, set->user_agent) ||
	    SET(CURLOPT_HTTPHEADER, t->headers) ||
	    SET(CURLOPT_ERRORBUFFER, t->error) || SET(CURLOPT_NOPROGRESS, 0L) ||
	    SET(CURLOPT_XFERINFOFUNCTION, on_progress) ||
	    SET(CURLOPT_XFERINFODATA, t) ||
	    SET(CURLOPT_WRITEFUNCTION, on_body) || SET(CURLOPT_WRITEDATA, t) ||
	    SET(CURLOPT_HEADERFUNCTION, on_header) ||
	    SET(CURLOPT_HEADERDATA, t))
		return AAD_EINTERNAL;
	return 0;
}

int
transfer_init(struct transfer *t, const struct http_settings *set)
{
	int r;

	t->stop = set->stop;
	if ((t->curl = curl_easy_init()) == NULL ||
	    (t->headers = curl_slist_append(NULL,
		 "Accept: application/json")) == NULL)
		return AAD_ENOMEM;
	if ((r = set_peer(t, set)) != 0)
		return r;
	return set_bounds(t, set);
}

static void
form_drop(struct transfer *t)
{
	if (t->form == NULL)
		return;
	curl_easy_setopt(t->curl, CURLOPT_POSTFIELDS, NULL);
	wipe_free(t->form, t->form_size);
	t->form = NULL;
}

void
transfer_release(struct transfer *t)
{
	form_drop(t);
	curl_easy_cleanup(t->curl);
	curl_slist_free_all(t->headers);
	memset(t, 0, sizeof(*t));
}

/* Add text, percent-encoded, to the NUL-terminated form. */
static int
form_append(struct transfer *t, const char *sep, const char *text)
{
	size_t len = strlen(t->form), n;
	char *enc;
	int r = AAD_ETOOBIG;

	/* NB. length 0 would mean strlen(3), which is what it is here. */
	if ((enc = curl_easy_escape(t->curl, text, 0)) == NULL)
		return AAD_ENOMEM;
	n = strlen(enc);
	if (len + strlen(sep) + n < t->form_size) {
		memcpy(t->form + len, sep, strlen(sep));
		memcpy(t->form + len + strlen(sep), enc, n + 1);
		r = 0;
	}
	explicit_bzero(enc, n);
	curl_free(enc);
	return r;
}

/* Room for it at worst, three bytes for each; never over the cap. */
static int
form_alloc(struct transfer *t, const char *const *form)
{
	size_t i, len;

	t->form_size = 1;
	for (i = 0; form[i] != NULL; i++) {
		if ((len = strlen(form[i])) > HTTP_FORM_MAX)
			return AAD_ETOOBIG;
		t->form_size += 3 * len + 1;
	}
	if (t->form_size > HTTP_FORM_MAX)
		t->form_size = HTTP_FORM_MAX;
	t->form = calloc(1, t->form_size);
	return t->form == NULL ? AAD_ENOMEM : 0;
}

static int
form_make(struct transfer *t, const char *const *form)
{
	size_t i;
	int r;

	if ((r = form_alloc(t, form)) != 0)
		return r;
	for (i = 0; form[i] != NULL && r == 0; i++)
		r = form_append(t,
		    i == 0	 ? ""
		    : i % 2 == 1 ? "="
				 : "&",
		    form[i]);
	if (r != 0)
		return r;
	if (SET(CURLOPT_POST, 1L) || SET(CURLOPT_POSTFIELDS, t->form) ||
	    SET(CURLOPT_POSTFIELDSIZE, (long)strlen(t->form)))
		return AAD_ENOMEM;
	return 0;
}

int
transfer_begin(struct transfer *t, const char *url, const char *const *form,
    size_t cap, struct http_reply *reply)
{
	int r;

	memset(reply, 0, sizeof(*reply));
	reply->date = -1;
	t->reply = reply;
	t->size = t->header_bytes = 0;
	t->cap = cap;
	t->r = 0;
	t->error[0] = '\0';
	if (form == NULL)
		r = SET(CURLOPT_HTTPGET, 1L) ? AAD_ENOMEM : 0;
	else
		r = form_make(t, form);
	if (r == 0 && SET(CURLOPT_URL, url))
		r = AAD_ENOMEM;
	if (r != 0)
		form_drop(t);
	return r;
}

static void
set_error(const struct transfer *t, CURLcode code)
{
	struct http_reply *reply = t->reply;
	const char *text = t->error[0] != '\0' ? t->error
					       : curl_easy_strerror(code);

	text_clean(text, strlen(text), reply->error, sizeof(reply->error));
}

int
transfer_end(struct transfer *t, CURLcode code)
{
	struct http_reply *reply = t->reply;
	curl_off_t pause = 0;

	form_drop(t);
	if (t->r != 0)
		return t->r;
	if (code == CURLE_OUT_OF_MEMORY)
		return AAD_ENOMEM;
	if (code != CURLE_OK) {
		set_error(t, code);
		return AAD_ENET;
	}
	if (body_grow(t, reply->len + 1) != 0)
		return AAD_ENOMEM;
	reply->body[reply->len] = '\0';
	curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &reply->status);
	curl_easy_getinfo(t->curl, CURLINFO_RETRY_AFTER, &pause);
	if (pause > 0)
		reply->retry_after = pause > RETRY_MAX ? RETRY_MAX : pause;
	return 0;
}

void
http_reply_release(struct http_reply *reply)
{
	if (reply == NULL)
		return;
	wipe_free(reply->body, reply->len);
	memset(reply, 0, sizeof(*reply));
}
