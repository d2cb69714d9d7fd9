/* SPDX-License-Identifier: ISC */

/*
 * verb: one table of subcommands is dispatch, usage and completion at once,
 * so that help cannot drift from what runs.
 */

#ifndef AAD_VERB_H
#define AAD_VERB_H

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
 * Run the verb that argv[0] names, or print the usage: to stdout and
 * EXIT_DONE for "help", to stderr and EXIT_USAGE for an unknown or missing
 * verb.
 *
 * verbs: ended by a row of NULLs.  prog: "aadssh [-f CONF]".
 */
int verb_dispatch(const struct verb *verbs, const char *prog, void *app,
    int argc, char **argv);

/* Print how one verb is called to stderr; returns EXIT_USAGE. */
int verb_usage(const struct verb *verbs, const char *prog, const char *name);

#endif /* AAD_VERB_H */
