/* SPDX-License-Identifier: ISC */

/*
 * lines: the line protocol between pam_aadssh.so and its child `aadssh pam`,
 * the child's end.  docs/formats.md "Line protocol".  A line is a letter, a
 * blank and text; the module shows it, answers it, or ends by it.
 */

#ifndef AAD_LINES_H
#define AAD_LINES_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

#define LINES_LINE_MAX	 1024 /* bytes of a line, with its newline */
#define LINES_TOTAL_MAX	 65536 /* bytes that the module reads in all */
#define LINES_VERDICT	 4096 /* bytes of that, kept for the last lines */
#define LINES_ANSWER_MAX 256 /* bytes of an answer */
#define LINES_COLUMNS	 74 /* of what people read; plink breaks at 80 */

/* A plain record; lines_init() sets it up, lines_release() empties it. */
struct lines {
	int in;
	int out;
	/* Set to 1 by us too, when the other end is gone. */
	volatile sig_atomic_t *stop;
	char *buf; /* heap, what was read and not yet taken */
	size_t len;
	size_t size;
	size_t written; /* bytes, of LINES_TOTAL_MAX */
};

/* in, out: borrowed descriptors.  stop: non-zero ends every wait. */
void lines_init(struct lines *l, int in, int out, volatile sig_atomic_t *stop);

void lines_release(struct lines *l);

/*
 * Read everything up to and including a blank line, at most max bytes.
 *
 * *textp: NULL unless 0 is returned; then *lenp bytes and a NUL, which the
 * caller frees.
 * Returns 0; AAD_ETOOBIG; AAD_EFORMAT when the input ended before;
 * AAD_EREFUSED when stopped; AAD_ENOMEM; AAD_ESYS.
 */
int lines_header(struct lines *l, size_t max, char **textp,
    size_t *lenp) AAD_MUST_CHECK;

/*
 * Take the next answer, waiting at most wait_ms.
 *
 * out: its text, blanks at both ends cut off.
 * Returns 0; AAD_ENOENT when there is none yet; AAD_EREFUSED when stopped,
 * or when the input ended or is no answer, which stops.
 */
int lines_answer(struct lines *l, int wait_ms,
    char out[static LINES_ANSWER_MAX + 1]) AAD_MUST_CHECK;

/*
 * Write one line.  Control bytes become '?'; bytes over 0x7f pass, so text
 * from outside is cleaned before; what is over the bounds is cut.
 * kind: I, E, P, V, F or R.
 */
void lines_say(struct lines *l, char kind, const char *text);

/* The same for prose, in lines of at most LINES_COLUMNS. */
void lines_prose(struct lines *l, char kind, const char *text);

#endif /* AAD_LINES_H */
