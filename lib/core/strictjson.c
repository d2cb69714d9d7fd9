/* SPDX-License-Identifier: ISC */

#include <malloc.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/strictjson.h"

/*
 * NB. jansson's lexer ignores a failed allocation and goes on with a string
 * that has lost characters: "ssh.users-without-shell" could become
 * "ssh.users", and without its closing quote it is read past its end.  So
 * jansson never sees a failure here: it lives on a reserve that was taken
 * before, its input ends, and what it made is thrown away.  jansson has one
 * hook for that, its allocator, and no place to hang a context on it; so
 * this is the one variable that lib/ keeps, for the length of one call and
 * one thread.
 */
static _Thread_local struct parse {
	const char *text; /* not read yet */
	size_t len; /* bytes of it */
	char *reserve;
	size_t size; /* bytes of the reserve, a multiple of ALIGN */
	size_t used;
	bool out_of_memory;
} parse;

#define ALIGN 16
/*
 * What jansson can want after the first failure, when its input has ended:
 * for the bytes that it was fed and has not used, at most 256 each ("[[[["
 * makes an array a byte), and for the string that it is collecting, which
 * grows by doubling.
 */
#define FEED_MAX      64 /* bytes at a time; small, so the reserve is */
#define RESERVE_AHEAD (FEED_MAX * 256)
#define RESERVE_TIMES 4
#define WATCH_TIMES   256 /* where the input cannot be ended; seldom touched */

static void *
watched_malloc(size_t n)
{
	void *p = malloc(n);

	if (p != NULL)
		return p;
	parse.out_of_memory = true;
	if (n > parse.size - parse.used)
		return NULL;
	p = parse.reserve + parse.used;
	parse.used += (n + ALIGN - 1) / ALIGN * ALIGN;
	return p;
}

/* jansson copies what it reads, tokens included, more than once. */
static void
wiping_free(void *p)
{
	const char *c = p;

	if (p == NULL || (parse.reserve != NULL && c >= parse.reserve &&
			     c < parse.reserve + parse.size))
		return;
	explicit_bzero(p, malloc_usable_size(p));
	free(p);
}

/* Up to max bytes of the text; none once memory was short. */
static size_t
feed(void *buffer, size_t max, void *arg)
{
	size_t n = parse.len < max ? parse.len : max;

	(void)arg;
	if (n > FEED_MAX)
		n = FEED_MAX;
	if (parse.out_of_memory || n == 0)
		return 0;
	memcpy(buffer, parse.text, n);
	parse.text += n;
	parse.len -= n;
	return n;
}

static void
end_parse(void)
{
	if (parse.reserve != NULL)
		explicit_bzero(parse.reserve, parse.used);
	free(parse.reserve);
	parse = (struct parse){ 0 };
}

int
strictjson_load(const char *text, size_t len, json_t **outp)
{
	size_t size = RESERVE_AHEAD + RESERVE_TIMES * (len + ALIGN);
	int r = AAD_EFORMAT;

	*outp = NULL;
	size -= size % ALIGN;
	parse = (struct parse){ text, len, malloc(size), size, 0, false };
	if (parse.reserve == NULL)
		return AAD_ENOMEM;
	json_set_alloc_funcs(watched_malloc, wiping_free);
	*outp = json_load_callback(feed, NULL, JSON_REJECT_DUPLICATES, NULL);
	if (parse.out_of_memory) {
		json_decref(*outp);
		*outp = NULL;
		r = AAD_ENOMEM;
	}
	end_parse();
	return *outp == NULL ? r : 0;
}

int
strictjson_watch(size_t len)
{
	size_t size = WATCH_TIMES * (len + ALIGN);

	parse = (struct parse){ .reserve = malloc(size), .size = size };
	if (parse.reserve == NULL)
		return AAD_ENOMEM;
	json_set_alloc_funcs(watched_malloc, wiping_free);
	return 0;
}

bool
strictjson_short(void)
{
	bool was = parse.out_of_memory;

	end_parse();
	return was;
}

static char *
dump(const json_t *o, size_t flags)
{
	char *text;

	if (o == NULL)
		return NULL;
	/* NB. no reserve: the text must be the caller's to free, and a failed
	 * allocation is noticed here. */
	parse = (struct parse){ 0 };
	json_set_alloc_funcs(watched_malloc, wiping_free);
	text = json_dumps(o, JSON_COMPACT | flags);
	if (strictjson_short()) {
		free(text);
		text = NULL;
	}
	return text;
}

char *
strictjson_dump(const json_t *o)
{
	return dump(o, 0);
}

char *
strictjson_sorted(const json_t *o)
{
	return dump(o, JSON_SORT_KEYS);
}
