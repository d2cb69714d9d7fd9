/* SPDX-License-Identifier: ISC */

/* Seeds: the decoded blobs and the .pub files of test/vectors/certs and of
 * test/vectors/signed. */

#include <stdlib.h>
#include <string.h>

#include "core/b64.h"
#include "ssh/cert.h"
#include "test/tools/respec.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

/* What decodes once decodes again, and its key is one by itself. */
static void
look(const struct cert *c)
{
	char oid[NAME_GUID_LEN + 1], *base64;
	enum reason why;
	struct cert again;
	struct key k;

	if (cert_key_oid(c, oid) == 0 && !name_guid_ok(oid))
		abort();
	if (key_from_blob(c->key.blob, c->key.blob_len, &k, &why) != 0)
		abort();
	key_release(&k);
	if (b64_encode(B64_STD, c->blob, c->blob_len, &base64) != 0)
		return;
	if (cert_decode("", base64, &again, &why) == 0)
		abort();
	free(base64);
}

/* What can be asked for is written as it was read. */
static void
write_again(const struct cert *c)
{
	struct respec s;
	uint8_t *body;
	size_t len;

	if (respec_of(c, &s)) {
		if (cert_encode(&s.spec, &body, &len) != 0 ||
		    len != c->signed_len || memcmp(body, c->blob, len) != 0)
			abort();
		free(body);
	}
	respec_release(&s);
}

/* No more than an answer is asked of a signature. */
static void
verify(const struct cert *c)
{
	int r = cert_verify(c);

	if (r != 0 && r != AAD_ESIG)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	enum reason why;
	struct cert c;

	if (cert_from_blob(p, len, &c, &why) == 0) {
		look(&c);
		write_again(&c);
		verify(&c);
	}
	cert_release(&c);
	return 0;
}
