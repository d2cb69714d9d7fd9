/* SPDX-License-Identifier: ISC */

/* Seeds: the answers of test/vectors/agent. */

#include <stdlib.h>

#include "ssh/agent.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	static uint8_t blob[] = { 0, 0, 0, 1, 'x' };
	const struct key k = { .blob = blob, .blob_len = sizeof(blob) };
	uint8_t *sig;
	size_t siglen;
	int r = agent_read_keys(p, len, &k);

	if (r == 0 && len < 1 + 4 + 4 + sizeof(blob) + 4)
		abort();
	if (agent_read_sign(p, len, &sig, &siglen) == 0 && siglen + 5 != len)
		abort();
	free(sig);
	return 0;
}
