/* SPDX-License-Identifier: ISC */

#include <getopt.h>
#include <stddef.h>
#include <stdio.h>

#include "ca/app.h"
#include "ca/option.h"
#include "core/text.h"

int
option_one(int argc, char **argv, const char *name, const char **valuep)
{
	const struct option longs[] = {
		{ name, required_argument, NULL, 'o' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	*valuep = NULL;
	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (c != 'o' || *valuep != NULL)
			return -1;
		*valuep = optarg;
	}
	return argc == optind && *valuep != NULL ? 0 : -1;
}

int
option_duration(const char *name, const char *value, int64_t *secondsp)
{
	if (text_duration(value, secondsp))
		return 0;
	fprintf(stderr, "%s: --%s takes a duration: 90s, 10m, 12h or 30d\n",
	    CA_PROG, name);
	return -1;
}

int
option_line(const char *name, const char *value)
{
	const char *p = value;

	while ((unsigned char)*p >= ' ' && *p != '\177')
		p++;
	if (*p == '\0' && p > value && p - value <= OPTION_LINE_MAX)
		return 0;
	fprintf(stderr,
	    "%s: --%s takes one line of text, at most %d bytes, without "
	    "control characters\n",
	    CA_PROG, name, OPTION_LINE_MAX);
	return -1;
}
