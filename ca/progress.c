/* SPDX-License-Identifier: ISC */

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "ca/app.h"
#include "ca/progress.h"
#include "cmd/cli/clock.h"

#define FIRST_MS 2000
#define EACH_MS	 500
#define MIB	 (UINT64_C(1) << 20)

void
progress_begin(struct progress *p, const char *verb, uint64_t total)
{
	p->verb = verb;
	p->total = total;
	p->next_ms = isatty(STDERR_FILENO) ? clock_mono_ms() + FIRST_MS : 0;
	p->shown = false;
}

void
progress_at(struct progress *p, uint64_t done)
{
	if (p->next_ms == 0 || clock_mono_ms() < p->next_ms)
		return;
	p->next_ms = clock_mono_ms() + EACH_MS;
	p->shown = true;
	fprintf(stderr, "\r%s: %s: %" PRIu64, CA_PROG, p->verb, done / MIB);
	if (p->total > 0)
		fprintf(stderr, " of %" PRIu64, p->total / MIB);
	fprintf(stderr, " MiB ");
}

void
progress_end(struct progress *p)
{
	if (p->shown)
		fprintf(stderr, "\r%60s\r", "");
	p->shown = false;
	p->next_ms = 0;
}
