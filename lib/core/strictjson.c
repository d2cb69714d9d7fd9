/* SPDX-License-Identifier: ISC */

#include <stdbool.h>
#include <stdlib.h>

#include "core/strictjson.h"

/*
 * NB. jansson's lexer ignores a failed allocation and goes on with a string
 * that has lost characters: "ssh.users-without-shell" could become
 * "ssh.users".  jansson has one hook for that, its allocator, and no place
 * to hang a context on it; so this is the one variable that lib/ keeps, for
 * the length of one call and one thread.
 */
static _Thread_local bool out_of_memory;

static void *
watched_malloc(size_t n)
{
	void *p = malloc(n);

	if (p == NULL)
		out_of_memory = true;
	return p;
}

int
strictjson_load(const char *text, size_t len, json_t **outp)
{
	json_set_alloc_funcs(watched_malloc, free);
	out_of_memory = false;
	*outp = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	if (out_of_memory) {
		json_decref(*outp);
		*outp = NULL;
		return AAD_ENOMEM;
	}
	return *outp == NULL ? AAD_EFORMAT : 0;
}
