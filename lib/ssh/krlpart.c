/* SPDX-License-Identifier: ISC */

#include <string.h>

#include "ssh/krlpart.h"

static uint64_t
load_u64(const uint8_t *p)
{
	struct wire w = wire_of(p, 8);
	uint64_t n;

	return wire_u64(&w, &n) == 0 ? n : 0;
}

static bool
bit_is_set(const struct krlpart *p, uint64_t bit)
{
	return (p->data[p->len - 1 - bit / 8] >> bit % 8 & 1) != 0;
}

static int
read_list(struct wire *w, struct krlpart *p, uint64_t *np)
{
	uint64_t serial, last = 0;

	p->data = w->p;
	p->len = (uint32_t)w->left;
	for (*np = 0; !wire_end(w); (*np)++) {
		if (wire_u64(w, &serial) != 0 || serial <= last)
			return AAD_EFORMAT;
		last = serial;
	}
	if (*np == 0)
		return AAD_EFORMAT;
	p->lo = load_u64(p->data);
	p->hi = last;
	return 0;
}

static int
read_range(struct wire *w, struct krlpart *p, uint64_t *np)
{
	if (wire_u64(w, &p->lo) != 0 || wire_u64(w, &p->hi) != 0 ||
	    p->lo == 0 || p->hi < p->lo)
		return AAD_EFORMAT;
	*np = p->hi - p->lo + 1; /* lo >= 1: no more than 2^64 - 1 */
	return 0;
}

static int
read_bitmap(struct wire *w, struct krlpart *p, uint64_t *np)
{
	size_t i, len;
	uint64_t last;
	uint8_t byte;

	if (wire_u64(w, &p->lo) != 0 || p->lo == 0 ||
	    wire_mpint(w, &p->data, &len) != 0 || len > KRL_BITMAP_READ / 8)
		return AAD_EFORMAT;
	p->len = (uint32_t)len;
	last = 8 * len - 1;
	while (!bit_is_set(p, last)) /* of an mpint some is */
		last--;
	if (!bit_is_set(p, 0) || last > UINT64_MAX - p->lo)
		return AAD_EFORMAT;
	p->hi = p->lo + last;
	*np = 0;
	for (i = 0; i < len; i++)
		for (byte = p->data[i]; byte != 0; byte &= (uint8_t)(byte - 1))
			(*np)++;
	return 0;
}

int
krlpart_read(uint8_t type, struct wire w, struct krlpart *p, uint64_t *np)
{
	int r = AAD_EFORMAT;

	memset(p, 0, sizeof(*p));
	*np = 0;
	p->form = (enum serials_form)type;
	switch (type) {
	case SERIALS_LIST:
		r = read_list(&w, p, np);
		break;
	case SERIALS_RANGE:
		r = read_range(&w, p, np);
		break;
	case SERIALS_BITMAP:
		r = read_bitmap(&w, p, np);
		break;
	}
	return r == 0 && wire_end(&w) ? 0 : AAD_EFORMAT;
}

bool
krlpart_has(const struct krlpart *p, uint64_t serial)
{
	size_t low = 0, high = p->len / 8, mid;
	uint64_t n;

	if (p->form == SERIALS_RANGE)
		return true;
	if (p->form == SERIALS_BITMAP)
		return bit_is_set(p, serial - p->lo);
	while (low < high) {
		mid = low + (high - low) / 2;
		if ((n = load_u64(p->data + 8 * mid)) == serial)
			return true;
		if (serial < n)
			high = mid;
		else
			low = mid + 1;
	}
	return false;
}
