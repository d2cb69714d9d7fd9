/* SPDX-License-Identifier: ISC */

/* Seeds: the signatures of test/vectors/sshsig. */

#include <stdlib.h>

#include "ssh/sshsig.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct key k;

	/* No seed signs this: nothing may verify. */
	if (sshsig_verify((const char *)p, len, "aadssh-bundle",
		(const uint8_t *)"another", 7, &k) == 0)
		abort();
	key_release(&k);
	return 0;
}
