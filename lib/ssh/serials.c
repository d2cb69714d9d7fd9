/* SPDX-License-Identifier: ISC */

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "ssh/serials.h"

/* Bytes: a type and a length, then what is inside. */
#define HEAD_COST   5
#define RANGE_COST  (HEAD_COST + 16)
#define BITMAP_COST (HEAD_COST + 8 + 4 + 1)
#define NEVER	    UINT32_MAX

/*
 * A range of more serials is never in a list: to end the list, to say the
 * range and to begin another list costs less.
 */
#define LIST_MAX ((RANGE_COST + HEAD_COST) / 8)

/* No bitmap reaches over a gap of as many bits as a new one costs. */
#define GAP_MAX (8 * (BITMAP_COST + 2))

/* ---- sorting: by lo, least digit first ---- */

#define DIGITS 8 /* of a serial, a byte each */

static void
count_digits(const struct krl_range *r, size_t n, size_t counts[DIGITS][256])
{
	unsigned int d;
	size_t i;

	memset(counts, 0, DIGITS * sizeof(counts[0]));
	for (i = 0; i < n; i++)
		for (d = 0; d < DIGITS; d++)
			counts[d][r[i].lo >> (8 * d) & 0xff]++;
}

/* Counts become places; whether all have the same digit. */
static bool
place_digits(size_t counts[256], size_t n)
{
	size_t sum = 0, count, i;

	for (i = 0; i < 256; i++) {
		if ((count = counts[i]) == n)
			return true;
		counts[i] = sum;
		sum += count;
	}
	return false;
}

static int
sort(struct krl_range *r, size_t n)
{
	size_t counts[DIGITS][256], i;
	struct krl_range *from = r, *to, *spare;
	unsigned int d;

	if ((spare = calloc(n, sizeof(*spare))) == NULL)
		return AAD_ENOMEM;
	to = spare;
	count_digits(r, n, counts);
	for (d = 0; d < DIGITS; d++) {
		if (place_digits(counts[d], n))
			continue;
		for (i = 0; i < n; i++)
			to[counts[d][from[i].lo >> (8 * d) & 0xff]++] = from[i];
		to = from;
		from = from == r ? spare : r;
	}
	if (from != r)
		memcpy(r, from, n * sizeof(*r));
	free(spare);
	return 0;
}

int
serials_sort(struct krl_range *r, size_t *np)
{
	size_t i, n = *np, last = 0;
	bool sorted = true;
	int ret;

	for (i = 0; i < n; i++) {
		if (r[i].lo == 0 || r[i].hi < r[i].lo)
			return AAD_EARG;
		if (i > 0 && r[i].lo < r[i - 1].lo)
			sorted = false;
	}
	if (!sorted && (ret = sort(r, n)) != 0)
		return ret;
	for (i = 1; i < n; i++) {
		if (r[i].lo - 1 > r[last].hi)
			r[++last] = r[i];
		else if (r[i].hi > r[last].hi)
			r[last].hi = r[i].hi;
	}
	if (n > 0)
		*np = last + 1;
	return 0;
}

/* ---- splitting: the shortest way to the first j ranges, for each j ---- */

/*
 * Where a bitmap that reaches the present range may begin, the cheapest
 * first.  One queue for each value of (lo - 1) % 8: of two beginnings with
 * the same one the rounding to whole bytes is the same, whatever the end, so
 * that the cheaper stays the cheaper.
 */
#define QUEUE_LEN 2048 /* a power of two over KRL_BITMAP_MAX / 8 */

struct queue {
	uint32_t at[QUEUE_LEN]; /* indices of ranges */
	uint32_t head, tail;
};

_Static_assert(QUEUE_LEN > KRL_BITMAP_MAX / 8 + 1, "a queue can hold a bitmap");

/* The way to the first j ranges. */
struct step {
	uint32_t bytes; /* all in all */
	uint32_t first; /* of the last part */
	enum serials_form form; /* of the last part */
};

struct split {
	const struct krl_range *r;
	struct step *steps; /* n + 1; of none: 0 bytes */
	struct queue queues[8];
	uint32_t list_bytes; /* when the last range is in a list, or NEVER */
	uint32_t list_first;
};

/* The bytes of ranges i to j as one bitmap. */
static uint32_t
bitmap_bytes(const struct split *s, size_t i, size_t j)
{
	return (uint32_t)(BITMAP_COST + (s->r[j].hi - (s->r[i].lo - 1)) / 8);
}

/* Whether a bitmap from range a on ends cheaper, or as cheap, as from b. */
static bool
no_dearer(const struct split *s, uint32_t a, uint32_t b)
{
	uint64_t more = (s->r[a].lo - s->r[b].lo) / 8;

	return s->steps[a].bytes <= s->steps[b].bytes + more;
}

static void
queue_put(struct split *s, uint32_t j)
{
	struct queue *q = &s->queues[(s->r[j].lo - 1) % 8];

	while (q->head != q->tail &&
	       no_dearer(s, j, q->at[(q->tail - 1) % QUEUE_LEN]))
		q->tail--;
	q->at[q->tail++ % QUEUE_LEN] = j;
}

/* Drop the beginnings that are too far from range j. */
static void
queue_trim(const struct split *s, struct queue *q, uint32_t j)
{
	while (q->head != q->tail &&
	       s->r[j].hi - s->r[q->at[q->head % QUEUE_LEN]].lo >=
		   KRL_BITMAP_MAX)
		q->head++;
}

static void
better(struct step *to, enum serials_form form, uint32_t bytes, uint32_t first)
{
	if (bytes < to->bytes) {
		to->bytes = bytes;
		to->first = first;
		to->form = form;
	}
}

static void
try_list(struct split *s, uint32_t j)
{
	uint64_t more = s->r[j].hi - s->r[j].lo;
	uint32_t fresh = s->steps[j].bytes + HEAD_COST;

	if (more >= LIST_MAX) {
		s->list_bytes = NEVER;
		return;
	}
	if (fresh < s->list_bytes) {
		s->list_bytes = fresh;
		s->list_first = j;
	}
	s->list_bytes += 8 * ((uint32_t)more + 1);
	better(&s->steps[j + 1], SERIALS_LIST, s->list_bytes, s->list_first);
}

static void
try_bitmaps(struct split *s, uint32_t j)
{
	bool near = j > 0 && s->r[j].lo - s->r[j - 1].hi <= GAP_MAX;
	uint32_t first;
	struct queue *q;
	unsigned int k;

	for (k = 0; !near && k < 8; k++)
		s->queues[k].head = s->queues[k].tail;
	queue_put(s, j);
	for (k = 0; k < 8; k++) {
		q = &s->queues[k];
		queue_trim(s, q, j);
		if (q->head == q->tail)
			continue;
		first = q->at[q->head % QUEUE_LEN];
		better(&s->steps[j + 1], SERIALS_BITMAP,
		    s->steps[first].bytes + bitmap_bytes(s, first, j), first);
	}
}

/* The parts of the way to all n, which the steps tell from the end. */
static int
collect(const struct step *steps, uint32_t n, struct serials_part **partsp,
    size_t *npartsp)
{
	struct serials_part *p;
	size_t count = 0;
	uint32_t j;

	for (j = n; j > 0; j = steps[j].first)
		count++;
	if ((p = calloc(count, sizeof(*p))) == NULL)
		return AAD_ENOMEM;
	*partsp = p;
	*npartsp = count;
	for (j = n, p += count; j > 0; j = steps[j].first) {
		p--;
		p->form = steps[j].form;
		p->first = steps[j].first;
		p->n = j - steps[j].first;
	}
	return 0;
}

int
serials_split(const struct krl_range *r, size_t n, struct serials_part **partsp,
    size_t *npartsp)
{
	struct split *s;
	uint32_t j;
	int ret;

	*partsp = NULL;
	*npartsp = 0;
	if (n == 0)
		return 0;
	/* none takes less than a bit and the one that parts it from the next */
	if (n > (size_t)KRL_MAX * 4)
		return AAD_ETOOBIG;
	if ((s = calloc(1, sizeof(*s))) == NULL)
		return AAD_ENOMEM;
	if ((s->steps = calloc(n + 1, sizeof(*s->steps))) == NULL) {
		free(s);
		return AAD_ENOMEM;
	}
	s->r = r;
	s->list_bytes = NEVER;
	for (j = 0; j < n; j++) {
		s->steps[j + 1].bytes = NEVER;
		better(&s->steps[j + 1], SERIALS_RANGE,
		    s->steps[j].bytes + RANGE_COST, j);
		try_list(s, j);
		try_bitmaps(s, j);
	}
	ret = s->steps[n].bytes > KRL_MAX
		  ? AAD_ETOOBIG
		  : collect(s->steps, j, partsp, npartsp);
	free(s->steps);
	free(s);
	return ret;
}
