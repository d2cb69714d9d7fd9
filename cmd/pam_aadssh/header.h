/* SPDX-License-Identifier: ISC */

/* header: what the child is told before it says anything. */

#ifndef AAD_PAM_HEADER_H
#define AAD_PAM_HEADER_H

#include <stddef.h>
#include <stdint.h>

#define HEADER_AUTH_MAX	     16 /* lines of SSH_AUTH_INFO_0 */
#define HEADER_AUTH_LINE_MAX 16384 /* bytes of one */

struct header {
	const char *login;
	int64_t monitor, start; /* pid; clock ticks since boot */
	const char *source; /* "": unknown */
	const char *auth_info; /* SSH_AUTH_INFO_0; NULL: none */
	const char *tid, *oid; /* who signed in; NULL or "": unknown */
};

/*
 *	aadssh-pam 1
 *	login LOGIN
 *	monitor PID START
 *	source ADDRESS
 *	auth METHOD …		each line of auth_info
 *	identity TID OID
 *	(an empty line)
 *
 * Returns the text, the caller's, with its length; NULL when auth_info has
 * more or longer lines than above, or bytes that aren't printable: then
 * nobody knows how the person came in; or when memory is short.
 */
char *header_format(const struct header *h, size_t *lenp);

#endif /* AAD_PAM_HEADER_H */
