/* SPDX-License-Identifier: ISC */

/*
 * mktoken: tokens and tenant keys of the throw-away tenant of forge.h.
 *
 *	mktoken keys [SECONDS-AGO] >keys.json
 *	mktoken token [SECONDS-AGO [OID [UPN [MEMBERS]]]]
 *
 * MEMBERS: of the claims, each with a comma in front.  The token's times, and
 * when the keys were fetched, are that long ago.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "test/tools/forge.h"

#define SEED 1 /* as mkstate's */

int
main(int argc, char **argv)
{
	const int64_t at = time(NULL) - (argc > 2 ? atol(argv[2]) : 0);
	char *text, *claims;
	struct jwks *keys;
	struct forge f;
	size_t len;

	if (argc < 2)
		return 2;
	forge_init(&f, SEED);
	if (strcmp(argv[1], "keys") == 0) {
		keys = forge_jwks(&f, at, 2);
		if (jwks_format(keys, &text, &len) != 0)
			return 1;
		fwrite(text, 1, len, stdout);
		return 0;
	}
	claims = forge_claims(argc > 3 ? argv[3] : FORGE_OID,
	    argc > 4 ? argv[4] : "alice@contoso.com", at, at + 3600,
	    argc > 5 ? argv[5] : "");
	puts(forge_token(&f, NULL, claims));
	return 0;
}
