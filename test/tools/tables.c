/* SPDX-License-Identifier: ISC */

/*
 * tables: what the programs know, one line a row, for scripts that compare
 * it with the documents.
 *
 *	reason CODE CLASS
 *	keyword SECTION NAME TYPE list|single DEFAULT
 *
 * DEFAULT is the rest of the line, "-" for none.
 */

#include <stdio.h>

#include "core/conf.h"
#include "core/reason.h"

int
main(void)
{
	static const char *const classes[] = { "cannot", "no", "yes" };
	const struct conf_keyword *k;
	size_t i;
	int r;

	for (r = 0; r < AAD_R_COUNT; r++)
		printf("reason %s %s\n", reason_name((enum reason)r),
		    classes[reason_class((enum reason)r)]);
	for (i = 0; (k = conf_keyword(i)) != NULL; i++)
		printf("keyword %s %s %s %s %s\n", k->section, k->name, k->type,
		    k->list ? "list" : "single",
		    k->fallback != NULL ? k->fallback : "-");
	return ferror(stdout) != 0 || fflush(stdout) != 0;
}
