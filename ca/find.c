/* SPDX-License-Identifier: ISC */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/find.h"
#include "ca/keyfile.h"

int
find_oid(struct find *f, const char *text)
{
	if (name_guid_fold(text, f->oid))
		return EXIT_DONE;
	fprintf(stderr, "%s: --oid takes an object id, 8-4-4-4-12 digits\n",
	    CA_PROG);
	return EXIT_USAGE;
}

/* The key that a certificate's file certifies. */
static int
certified(const char *path, uint8_t hash[static 32])
{
	enum reason why;
	struct cert c;
	size_t len;
	char *text;
	int r;

	if ((r = keyfile_slurp(path, CA_PUB_MAX, &text, &len)) != 0)
		return r;
	if ((r = cert_from_pub(text, len, &c, &why)) == 0) {
		memcpy(hash, c.key.hash, 32);
		cert_release(&c);
	}
	/* NB. somebody may have named a private key. */
	explicit_bzero(text, len);
	free(text);
	return r;
}

int
find_key(struct ca_app *app, struct find *f, const char *text)
{
	struct key k;
	int code;

	if (key_fingerprint_parse(text, f->hash) == 0 ||
	    certified(text, f->hash) == 0)
		return EXIT_DONE;
	if ((code = ca_read_key(app, text, &k)) == EXIT_DONE)
		memcpy(f->hash, k.hash, 32);
	key_release(&k);
	return code;
}
