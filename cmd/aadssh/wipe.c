/* SPDX-License-Identifier: ISC */

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "cmd/aadssh/wipe.h"

static void
wipe_free(void *p)
{
	if (p != NULL)
		explicit_bzero(p, malloc_usable_size(p));
	free(p);
}

void
wipe_json(void)
{
	json_set_alloc_funcs(malloc, wipe_free);
}
