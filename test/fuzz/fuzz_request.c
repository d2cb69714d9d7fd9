/* SPDX-License-Identifier: ISC */

/* Seeds: the messages of test/vectors/signer. */

#include <stdlib.h>
#include <string.h>

#include "ca/signer/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

static struct request rq;

/* What was read, written again, is the same bytes. */
static void
again(const uint8_t *p, size_t len)
{
	struct wirebuf b = wirebuf_new();
	size_t i;

	request_begin(&b, rq.op);
	for (i = 0; i < rq.n; i++)
		request_put(&b, rq.fields[i].label, rq.fields[i].p,
		    rq.fields[i].len);
	request_end(&b);
	if (b.r == 0 && (b.len != len || memcmp(b.p, p, len) != 0))
		abort();
	wirebuf_release(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	enum request_op op;
	size_t rest;

	if (len < REQUEST_HEAD_LEN ||
	    request_head(p, REQUEST_REPLY_MAX, &op, &rest) != 0 ||
	    rest != len - REQUEST_HEAD_LEN ||
	    request_parse(op, p + REQUEST_HEAD_LEN, rest, &rq) != 0)
		return 0;
	again(p, len);
	return 0;
}
