/* SPDX-License-Identifier: ISC */

/*
 * tables: what the programs know, one line a row, for scripts that compare
 * it with the documents.
 *
 *	reason CODE CLASS
 *	keyword SECTION NAME TYPE list|single DEFAULT
 *	authority SECTION NAME DEFAULT
 *
 * DEFAULT is the rest of the line, "-" for none; that of an authority is
 * another than the keyword's.
 */

#include <stdio.h>

#include "core/conf.h"
#include "core/reason.h"

/* What [ca] alone changes elsewhere. */
static int
authority(void)
{
	static const char text[] = "[ca]\n";
	struct conf_error why;
	struct conf *c;

	if (conf_parse(text, sizeof(text) - 1, &c, &why) != 0)
		return -1;
	printf("authority process user %s\n", c->user);
	printf("authority state dir %s\n", c->dir);
	printf("authority state run %s\n", c->run);
	conf_free(c);
	return 0;
}

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
	if (authority() != 0)
		return 1;
	return ferror(stdout) != 0 || fflush(stdout) != 0;
}
