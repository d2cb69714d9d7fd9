/* SPDX-License-Identifier: ISC */

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "net/pool.h"
#include "net/transfer.h"

#define SLICE_MS 250 /* how often the stop flag is looked at, at least */

/* A request under way, or a handle that waits for one. */
struct slot {
	struct transfer t; /* curl is NULL before the first use */
	struct http_reply reply;
	void *tag;
	bool busy;
};

struct http_pool {
	struct http_settings set;
	CURLM *multi;
	struct slot *slots;
	size_t n;
	size_t busy;
	size_t connections;
};

#define SET(option, value)                                                     \
	curl_multi_setopt(p->multi, option, value) != CURLM_OK

int
http_pool_new(const struct http_settings *set, size_t parallel,
    struct http_pool **outp)
{
	struct http_pool *p;
	long n = (long)parallel;
	int r = AAD_ENOMEM;

	*outp = NULL;
	if (parallel == 0 || parallel > HTTP_POOL_MAX)
		return AAD_EARG;
	if ((p = calloc(1, sizeof(*p))) == NULL)
		return AAD_ENOMEM;
	p->set = *set;
	p->n = parallel;
	if ((p->multi = curl_multi_init()) == NULL ||
	    (p->slots = calloc(parallel, sizeof(*p->slots))) == NULL)
		goto out;
	r = AAD_EINTERNAL;
	if (SET(CURLMOPT_MAX_HOST_CONNECTIONS, n) ||
	    SET(CURLMOPT_MAX_TOTAL_CONNECTIONS, n) ||
	    SET(CURLMOPT_MAXCONNECTS, n) ||
	    SET(CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING))
		goto out;
	*outp = p;
	p = NULL; /* now the caller's */
	r = 0;
out:
	http_pool_free(p);
	return r;
}

void
http_pool_free(struct http_pool *p)
{
	size_t i;

	if (p == NULL)
		return;
	for (i = 0; p->slots != NULL && i < p->n; i++) {
		if (p->slots[i].busy)
			curl_multi_remove_handle(p->multi, p->slots[i].t.curl);
		transfer_release(&p->slots[i].t);
		http_reply_release(&p->slots[i].reply);
	}
	free(p->slots);
	curl_multi_cleanup(p->multi);
	free(p);
}

/* A slot that is free, its handle ready. */
static int
slot_get(struct http_pool *p, struct slot **outp)
{
	struct slot *s = p->slots;
	int r;

	if (p->busy == p->n)
		return AAD_EAGAIN;
	while (s->busy)
		s++;
	*outp = s;
	if (s->t.curl != NULL)
		return 0;
	if ((r = transfer_init(&s->t, &p->set)) != 0)
		transfer_release(&s->t);
	return r;
}

int
http_pool_post(struct http_pool *p, const char *url, const char *const *form,
    size_t cap, void *tag)
{
	struct slot *s;
	int r;

	if ((r = slot_get(p, &s)) != 0 ||
	    (r = transfer_begin(&s->t, url, form, cap, &s->reply)) != 0)
		return r;
	if (curl_multi_add_handle(p->multi, s->t.curl) != CURLM_OK) {
		r = transfer_end(&s->t, CURLE_FAILED_INIT);
		http_reply_release(&s->reply);
		return r == AAD_ENOMEM ? r : AAD_EINTERNAL;
	}
	s->tag = tag;
	s->busy = true;
	p->busy++;
	return 0;
}

/* Hand one slot's result to the caller. */
static void
slot_done(struct http_pool *p, struct slot *s, CURLcode code,
    struct http_reply *reply, void **tagp, int *rp)
{
	long made = 0;

	curl_easy_getinfo(s->t.curl, CURLINFO_NUM_CONNECTS, &made);
	p->connections += (size_t)made;
	curl_multi_remove_handle(p->multi, s->t.curl);
	*rp = transfer_end(&s->t, code);
	*reply = s->reply; /* now the caller's */
	memset(&s->reply, 0, sizeof(s->reply));
	*tagp = s->tag;
	s->busy = false;
	p->busy--;
}

static struct slot *
slot_of(struct http_pool *p, const CURL *curl)
{
	struct slot *s = p->slots;

	while (s->t.curl != curl)
		s++;
	return s;
}

/* One that is done, or, when all has to stop, one that is not. */
static bool
take(struct http_pool *p, struct http_reply *reply, void **tagp, int *rp)
{
	struct slot *s = p->slots;
	CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(p->multi, &left)) != NULL)
		if (m->msg == CURLMSG_DONE) {
			slot_done(p, slot_of(p, m->easy_handle), m->data.result,
			    reply, tagp, rp);
			return true;
		}
	if (p->set.stop == NULL || *p->set.stop == 0)
		return false;
	while (!s->busy)
		s++;
	slot_done(p, s, CURLE_ABORTED_BY_CALLBACK, reply, tagp, rp);
	return true;
}

int
http_pool_next(struct http_pool *p, int timeout_ms, struct http_reply *reply,
    void **tagp, int *rp)
{
	int running, slice;

	memset(reply, 0, sizeof(*reply));
	*tagp = NULL;
	*rp = AAD_EINTERNAL;
	if (p->busy == 0)
		return AAD_ENOENT;
	for (;;) {
		if (curl_multi_perform(p->multi, &running) != CURLM_OK)
			return AAD_EINTERNAL;
		if (take(p, reply, tagp, rp))
			return 0;
		if (timeout_ms <= 0)
			return AAD_EAGAIN;
		slice = timeout_ms < SLICE_MS ? timeout_ms : SLICE_MS;
		timeout_ms -= slice;
		if (curl_multi_poll(p->multi, NULL, 0, slice, NULL) != CURLM_OK)
			return AAD_EINTERNAL;
	}
}

size_t
http_pool_connections(const struct http_pool *p)
{
	return p->connections;
}
