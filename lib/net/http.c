/* SPDX-License-Identifier: ISC */

#include <stdlib.h>

#include "net/http.h"
#include "net/transfer.h"

struct http {
	struct transfer t;
};

int
http_new(const struct http_settings *set, struct http **outp)
{
	struct http *h;
	int r;

	*outp = NULL;
	if ((h = calloc(1, sizeof(*h))) == NULL)
		return AAD_ENOMEM;
	if ((r = transfer_init(&h->t, set)) != 0) {
		http_free(h);
		return r;
	}
	*outp = h;
	return 0;
}

void
http_free(struct http *h)
{
	if (h == NULL)
		return;
	transfer_release(&h->t);
	free(h);
}

static int
run(struct http *h, const char *url, const char *const *form, size_t cap,
    struct http_reply *reply)
{
	int r = transfer_begin(&h->t, url, form, cap, reply);

	if (r != 0)
		return r;
	return transfer_end(&h->t, curl_easy_perform(h->t.curl));
}

int
http_get(struct http *h, const char *url, size_t cap, struct http_reply *reply)
{
	return run(h, url, NULL, cap, reply);
}

int
http_post_form(struct http *h, const char *url, const char *const *form,
    size_t cap, struct http_reply *reply)
{
	return run(h, url, form, cap, reply);
}
