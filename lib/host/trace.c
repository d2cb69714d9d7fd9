/* SPDX-License-Identifier: ISC */

#include <stdarg.h>
#include <stdio.h>

#include "core/text.h"
#include "host/trace.h"

void
trace_note(struct trace *t, int step, bool passed, const char *fmt, ...)
{
	char raw[TRACE_TEXT_MAX];
	struct trace_step *s;
	va_list ap;
	int n;

	if (t == NULL || t->n >= TRACE_STEPS_MAX)
		return;
	s = &t->steps[t->n++];
	s->step = step;
	s->passed = passed;
	va_start(ap, fmt);
	n = vsnprintf(raw, sizeof(raw), fmt, ap);
	va_end(ap);
	if (n < 0)
		n = 0;
	if ((size_t)n >= sizeof(raw))
		n = (int)sizeof(raw) - 1;
	text_clean(raw, (size_t)n, s->text, sizeof(s->text));
}

enum reason
trace_refuse(struct trace *t, int step, enum reason why)
{
	if (reason_class(why) == REASON_YES)
		why = AAD_R_UNSET;
	trace_note(t, step, false, "%s: %s", reason_name(why),
	    reason_sentence(why));
	return why;
}
