/* SPDX-License-Identifier: ISC */

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "cmd/aadssh/hold.h"

int
hold_take(const struct cache *c, const char *login, struct hold *h,
    enum reason *whyp)
{
	int r;

	memset(h, 0, sizeof(*h));
	h->login = -1;
	*whyp = AAD_R_DISK;
	if ((r = cache_lock_keys(c, 0, &h->keys)) != 0 ||
	    (login != NULL && (r = cache_lock(c, login, &h->login)) != 0))
		return r;
	*whyp = AAD_R_RECORD_KEY_UNREADABLE;
	if ((r = cache_record_key(c, &h->record_key)) != 0 ||
	    (r = cache_record_pub(c, &h->pub, whyp)) != 0)
		return r;
	*whyp = AAD_R_REFRESH_TOKEN;
	return cache_seal_keys(c, &h->seal);
}

void
hold_release(struct hold *h)
{
	int saved = errno;

	secret_free(h->record_key);
	cache_seal_release(&h->seal);
	if (h->login != -1)
		close(h->login);
	if (h->keys != -1)
		close(h->keys);
	h->login = h->keys = -1;
	h->record_key = NULL;
	errno = saved;
}
