/* SPDX-License-Identifier: ISC */

/* progress: how far something long is, on a terminal and nowhere else. */

#ifndef AAD_CA_PROGRESS_H
#define AAD_CA_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
	const char *verb;
	uint64_t total; /* bytes; 0: not known */
	int64_t next_ms; /* when it is shown again; 0: never */
	bool shown; /* a line is there */
};

/* Nothing is shown before it takes two seconds, nor when stderr is no
 * terminal. */
void progress_begin(struct progress *p, const char *verb, uint64_t total);

/* done bytes are. */
void progress_at(struct progress *p, uint64_t done);

/* Take the line away.  Of a zero record, a no-op. */
void progress_end(struct progress *p);

#endif /* AAD_CA_PROGRESS_H */
