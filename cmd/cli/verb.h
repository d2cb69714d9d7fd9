/* SPDX-License-Identifier: ISC */

/*
 * verb: one table of subcommands is dispatch, usage and completion at once,
 * so that help cannot drift from what runs.
 */

#ifndef AAD_VERB_H
#define AAD_VERB_H

#include <stdbool.h>

#define EXIT_DONE   0 /* done, or yes */
#define EXIT_NO	    1 /* a definite no, with its reason */
#define EXIT_USAGE  2 /* the command line is wrong */
#define EXIT_CANNOT 3 /* cannot tell now: config, disk, network, provider */

struct verb {
	const char *name;
	/* argv[0] is the verb's name; returns the exit code. */
	int (*run)(void *app, int argc, char **argv);
	const char *args; /* as in usage */
	const char *does; /* one line */
};

/*
 * Take the options in front of the verb: -f CONF, which sets *confp, --version
 * and --help.
 *
 * name: the program's.  argc, argv: as main() has them; what is left begins
 * with the verb, and is nothing when there is no such option.
 * Returns true; false when what was asked for has been printed, to stdout.
 */
bool verb_options(const struct verb *verbs, const char *name, const char *prog,
    const char **confp, int *argcp, char ***argvp);

/*
 * Run the verb that argv[0] names, or print a usage: to stdout and EXIT_DONE
 * for "help", "help VERB" and "VERB --help", to stderr and EXIT_USAGE for an
 * unknown or missing verb.
 *
 * verbs: ended by a row of NULLs.  prog: "aadssh [-f CONF]".
 */
int verb_dispatch(const struct verb *verbs, const char *prog, void *app,
    int argc, char **argv);

/*
 * The command line of a verb that takes --json, and so many words, which lie
 * at argv[argc - words] then.  Returns 0, or -1 for the usage.
 */
int verb_json(int argc, char **argv, int words, bool *jsonp);

/* Print how one verb is called to stderr; returns EXIT_USAGE. */
int verb_usage(const struct verb *verbs, const char *prog, const char *name);

#endif /* AAD_VERB_H */
