/* SPDX-License-Identifier: ISC */

#include <getopt.h>
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

static void
usage_of(const struct verb *v, const char *prog, FILE *to)
{
	fprintf(to, "usage: %s %s %s\n", prog, v->name, v->args);
}

static bool
asks_help(const char *arg)
{
	return strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0;
}

int
verb_usage(const struct verb *verbs, const char *prog, const char *name)
{
	const struct verb *v = find(verbs, name);

	if (v != NULL)
		usage_of(v, prog, stderr);
	return EXIT_USAGE;
}

int
verb_json(int argc, char **argv, int words, bool *jsonp)
{
	static const struct option longs[] = {
		{ "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	*jsonp = false;
	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (c != 'j')
			return -1;
		*jsonp = true;
	}
	return argc - optind == words ? 0 : -1;
}

bool
verb_options(const struct verb *verbs, const char *name, const char *prog,
    const char **confp, int *argcp, char ***argvp)
{
	char **argv = *argvp + 1;
	int argc = *argcp - 1;

	for (; argc > 0 && argv[0][0] == '-'; argc--, argv++) {
		if (strcmp(argv[0], "-f") == 0 && argc > 1) {
			*confp = argv[1];
			argc--;
			argv++;
		} else if (strcmp(argv[0], "--version") == 0) {
			printf("%s " AADSSH_VERSION "\n", name);
			return false;
		} else if (asks_help(argv[0])) {
			usage(verbs, prog, stdout);
			return false;
		} else {
			argc = 0;
			break;
		}
	}
	*argcp = argc;
	*argvp = argv;
	return true;
}

static int
help(const struct verb *v, const char *prog)
{
	usage_of(v, prog, stdout);
	printf("      %s\n", v->does);
	return EXIT_DONE;
}

int
verb_dispatch(const struct verb *verbs, const char *prog, void *app, int argc,
    char **argv)
{
	const struct verb *v;

	if (argc == 1 && strcmp(argv[0], "help") == 0) {
		usage(verbs, prog, stdout);
		return EXIT_DONE;
	}
	if (argc == 2 && strcmp(argv[0], "help") == 0 &&
	    (v = find(verbs, argv[1])) != NULL)
		return help(v, prog);
	if (argc > 0 && (v = find(verbs, argv[0])) != NULL)
		return argc > 1 && asks_help(argv[1]) ? help(v, prog)
						      : v->run(app, argc, argv);
	usage(verbs, prog, stderr);
	return EXIT_USAGE;
}
