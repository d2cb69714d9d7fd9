/* SPDX-License-Identifier: ISC */

#include <stdio.h>
#include <string.h>

#include "cmd/cli/verb.h"

static const struct verb *
find(const struct verb *verbs, const char *name)
{
	for (; verbs->name != NULL; verbs++)
		if (strcmp(verbs->name, name) == 0)
			return verbs;
	return NULL;
}

static void
usage(const struct verb *verbs, const char *prog, FILE *to)
{
	const struct verb *v;

	fprintf(to, "usage: %s VERB ...\n", prog);
	for (v = verbs; v->name != NULL; v++)
		fprintf(to, "  %s %s\n      %s\n", v->name, v->args, v->does);
}

int
verb_usage(const struct verb *verbs, const char *prog, const char *name)
{
	const struct verb *v = find(verbs, name);

	if (v != NULL)
		fprintf(stderr, "usage: %s %s %s\n", prog, v->name, v->args);
	return EXIT_USAGE;
}

int
verb_dispatch(const struct verb *verbs, const char *prog, void *app, int argc,
    char **argv)
{
	const struct verb *v;

	if (argc > 0 && strcmp(argv[0], "help") == 0) {
		usage(verbs, prog, stdout);
		return EXIT_DONE;
	}
	if (argc > 0 && (v = find(verbs, argv[0])) != NULL)
		return v->run(app, argc, argv);
	usage(verbs, prog, stderr);
	return EXIT_USAGE;
}
