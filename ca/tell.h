/* SPDX-License-Identifier: ISC */

/* tell: what a certificate opens, until when, and how to use it. */

#ifndef AAD_CA_TELL_H
#define AAD_CA_TELL_H

#include <stdbool.h>

#include "ca/certify.h"

struct tell {
	const char *file; /* where the certificate is */
	const char *pub; /* of which key */
	bool named; /* ssh must be told which */
	bool quiet;
	bool json;
};

/* how: "signed", or "fresh" for one that was there.  Returns EXIT_DONE or
 * EXIT_CANNOT. */
int tell_signed(const struct tell *t, const struct certify *c, const char *how);

/* What would be given, as END has it. */
int tell_dry_run(const struct tell *t, const struct certify *c);

/* A certificate as a JSON object: {"v":1,…}; NULL without memory. */
json_t *tell_json(const struct cert *c);

/* Which logins, or hosts, on which groups; a line each behind two blanks. */
void tell_principals(const struct cert *c);

#endif /* AAD_CA_TELL_H */
