/* SPDX-License-Identifier: ISC */

/*
 * trace: what a decision judged, step by step, for `aadssh explain`.  Where
 * nobody asks for it (NULL) nothing is written.
 */

#ifndef AAD_TRACE_H
#define AAD_TRACE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/reason.h"

#define TRACE_STEPS_MAX 24
#define TRACE_TEXT_MAX	280 /* bytes of a step's text, with the NUL */

/* One line of the explanation. */
struct trace_step {
	int step; /* from 1 */
	bool passed;
	char text[TRACE_TEXT_MAX]; /* clean for a terminal */
};

/* What was judged, in order; zero before it is asked for. */
struct trace {
	struct trace_step steps[TRACE_STEPS_MAX];
	size_t n;
};

/*
 * Note a step; the text is made like printf(3)'s, cleaned and cut.  t may be
 * NULL; a full trace takes no more.
 */
void trace_note(struct trace *t, int step, bool passed, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/*
 * Note a refusal with its sentence.  Returns why; UNSET for one that is a
 * yes: whatever a step did wrong, a refusal never reads as one.
 */
enum reason trace_refuse(struct trace *t, int step, enum reason why);

#endif /* AAD_TRACE_H */
