/* SPDX-License-Identifier: ISC */

#include <stdlib.h>
#include <string.h>

#include "ssh/wire.h"

struct wire
wire_of(const uint8_t *p, size_t len)
{
	struct wire w = { p, len };

	return w;
}

int
wire_u32(struct wire *w, uint32_t *np)
{
	*np = 0;
	if (w->left < 4)
		return AAD_EFORMAT;
	*np = (uint32_t)w->p[0] << 24 | (uint32_t)w->p[1] << 16 |
	      (uint32_t)w->p[2] << 8 | (uint32_t)w->p[3];
	w->p += 4;
	w->left -= 4;
	return 0;
}

int
wire_u64(struct wire *w, uint64_t *np)
{
	struct wire ahead = *w;
	uint32_t high, low;

	*np = 0;
	if (wire_u32(&ahead, &high) != 0 || wire_u32(&ahead, &low) != 0)
		return AAD_EFORMAT;
	*np = (uint64_t)high << 32 | low;
	*w = ahead;
	return 0;
}

int
wire_string(struct wire *w, const uint8_t **p, size_t *lenp)
{
	struct wire ahead = *w;
	uint32_t len;

	*p = NULL;
	*lenp = 0;
	if (wire_u32(&ahead, &len) != 0 || len > ahead.left)
		return AAD_EFORMAT;
	*p = ahead.p;
	*lenp = len;
	w->p = ahead.p + len;
	w->left = ahead.left - len;
	return 0;
}

int
wire_mpint(struct wire *w, const uint8_t **p, size_t *lenp)
{
	struct wire ahead = *w;
	const uint8_t *m;
	size_t len;

	*p = NULL;
	*lenp = 0;
	if (wire_string(&ahead, &m, &len) != 0 || len == 0)
		return AAD_EFORMAT;
	if ((m[0] & 0x80) != 0)
		return AAD_EFORMAT; /* negative */
	if (m[0] == 0) {
		/* only in front of a byte that would look like a sign */
		if (len < 2 || (m[1] & 0x80) == 0)
			return AAD_EFORMAT;
		m++;
		len--;
	}
	*p = m;
	*lenp = len;
	*w = ahead;
	return 0;
}

bool
wire_is(struct wire *w, const char *literal)
{
	struct wire ahead = *w;
	const uint8_t *s;
	size_t len;

	if (wire_string(&ahead, &s, &len) != 0 || len != strlen(literal) ||
	    memcmp(s, literal, len) != 0)
		return false;
	*w = ahead;
	return true;
}

bool
wire_end(const struct wire *w)
{
	return w->left == 0;
}

#define FIRST_CAP 256 /* bytes */

struct wirebuf
wirebuf_new(void)
{
	struct wirebuf b = { NULL, 0, 0, 0 };

	return b;
}

/*
 * Room for len more bytes; NULL when there is none, with the error kept.
 * NB. not realloc(3): it would leave a copy behind that nobody wipes.
 */
static uint8_t *
room(struct wirebuf *b, size_t len)
{
	uint8_t *p;
	size_t cap;

	if (b->r != 0)
		return NULL;
	if (len > WIREBUF_MAX - b->len) {
		b->r = AAD_ETOOBIG;
		return NULL;
	}
	if (len > b->cap - b->len) {
		cap = b->cap > 0 ? b->cap : FIRST_CAP;
		while (cap - b->len < len)
			cap *= 2; /* at most 2 * WIREBUF_MAX */
		if ((p = malloc(cap)) == NULL) {
			b->r = AAD_ENOMEM;
			return NULL;
		}
		if (b->len > 0)
			memcpy(p, b->p, b->len);
		if (b->p != NULL)
			explicit_bzero(b->p, b->len);
		free(b->p);
		b->p = p;
		b->cap = cap;
	}
	p = b->p + b->len;
	b->len += len;
	return p;
}

static void
store_u32(uint8_t *p, uint32_t n)
{
	p[0] = (uint8_t)(n >> 24);
	p[1] = (uint8_t)(n >> 16);
	p[2] = (uint8_t)(n >> 8);
	p[3] = (uint8_t)n;
}

void
wire_put_u8(struct wirebuf *b, uint8_t n)
{
	wire_put_raw(b, &n, 1);
}

void
wire_put_u32(struct wirebuf *b, uint32_t n)
{
	uint8_t *p = room(b, 4);

	if (p != NULL)
		store_u32(p, n);
}

void
wire_put_u64(struct wirebuf *b, uint64_t n)
{
	wire_put_u32(b, (uint32_t)(n >> 32));
	wire_put_u32(b, (uint32_t)n);
}

void
wire_put_raw(struct wirebuf *b, const void *p, size_t len)
{
	uint8_t *to;

	if (len > 0 && (to = room(b, len)) != NULL)
		memcpy(to, p, len);
}

void
wire_put_string(struct wirebuf *b, const void *p, size_t len)
{
	/* NB. what doesn't fit in a length doesn't fit in the buffer. */
	wire_put_u32(b, (uint32_t)len);
	wire_put_raw(b, p, len);
}

void
wire_put_text(struct wirebuf *b, const char *s)
{
	wire_put_string(b, s, strlen(s));
}

void
wire_put_mpint(struct wirebuf *b, const uint8_t *p, size_t len)
{
	size_t at = wire_put_begin(b);

	for (; len > 0 && p[0] == 0; len--)
		p++;
	if (len > 0 && (p[0] & 0x80) != 0)
		wire_put_u8(b, 0); /* else it would be negative */
	wire_put_raw(b, p, len);
	wire_put_end(b, at);
}

size_t
wire_put_begin(struct wirebuf *b)
{
	size_t at = b->len;

	wire_put_u32(b, 0);
	return at;
}

void
wire_put_end(struct wirebuf *b, size_t at)
{
	if (b->r == 0)
		store_u32(b->p + at, (uint32_t)(b->len - at - 4));
}

int
wirebuf_take(struct wirebuf *b, uint8_t **outp, size_t *lenp)
{
	int r = b->r;

	*outp = NULL;
	*lenp = 0;
	/* nothing written is still something to hand over */
	if (r == 0 && b->p == NULL && (b->p = malloc(1)) == NULL)
		r = AAD_ENOMEM;
	if (r == 0) {
		*outp = b->p;
		*lenp = b->len;
		b->p = NULL; /* now the caller's */
	}
	wirebuf_release(b);
	return r;
}

void
wirebuf_release(struct wirebuf *b)
{
	if (b->p != NULL)
		explicit_bzero(b->p, b->len);
	free(b->p);
	*b = wirebuf_new();
}
