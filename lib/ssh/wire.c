/* SPDX-License-Identifier: ISC */

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
