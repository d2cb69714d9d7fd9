/* SPDX-License-Identifier: ISC */

/* Seeds: the manifests of test/vectors/manifest. */

#include <stdlib.h>
#include <string.h>

#include "ca/signer/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

/* What is read is within its bounds, and no key has two stages. */
static void
judge(const struct manifest *m)
{
	static const uint8_t none[32];

	if (m->version < 1 || m->version > MANIFEST_VERSION_MAX ||
	    m->length < 0 || m->doc == NULL || manifest_files(m) == 0)
		abort();
	if (manifest_has_file(m, "../krl", none, 0) ||
	    manifest_has_file(m, ".krl", none, 0))
		abort();
	for (enum ca_role r = CA_ROLE_USER; r <= CA_ROLE_HOST; r++)
		if (manifest_keys(m, r) == 0 &&
		    manifest_stage(m, r, m->bundle_key) != CA_STAGE_NONE)
			abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	static const struct keyring nobody = { .dirfd = -1, .agent = -1 };
	struct manifest m, again;

	/* of a keyring without a key nothing is signed */
	if (manifest_verify((const char *)p, len, (const char *)p, len, &nobody,
		&m) == 0)
		abort();
	if (manifest_parse((const char *)p, len, &m) != 0) {
		if (m.doc != NULL || m.version != 0)
			abort();
		return 0;
	}
	judge(&m);
	if (manifest_parse((const char *)p, len, &again) != 0 ||
	    again.version != m.version ||
	    memcmp(again.head, m.head, sizeof(m.head)) != 0)
		abort();
	manifest_release(&again);
	manifest_release(&m);
	return 0;
}
