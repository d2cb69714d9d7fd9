/* SPDX-License-Identifier: ISC */

/*
 * pamheader: what pam_aadssh.so says about a login before anything else.
 * docs/formats.md "Line protocol".
 *
 *	aadssh-pam 1
 *	login NAME
 *	monitor PID START	START: clock ticks since boot
 *	source ADDRESS		left out when unknown
 *	auth METHOD[ TYPE KEY]	session only, each line of SSH_AUTH_INFO_0
 *	identity TID OID	session only, who signed in
 *	(blank line)
 */

#ifndef AAD_PAMHEADER_H
#define AAD_PAMHEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/name.h"

#define PAMHEADER_MAX	   524288 /* bytes, the blank line included */
#define PAMHEADER_AUTH_MAX 16 /* lines */
#define PAMHEADER_AUTH_LEN 16384 /* bytes of one, without "auth " */
#define PAMHEADER_LOGIN	   255 /* bytes of what somebody typed as a login */
#define PAMHEADER_SOURCE   63 /* bytes; an IPv6 address with zone has 62 */

/* A plain record; the strings live until pamheader_release(). */
struct pamheader {
	char *text; /* heap, what the others point into */
	const char *login; /* printable, no blank; maybe no name_login_ok() */
	int64_t monitor; /* pid of sshd's monitor of this connection */
	int64_t start; /* its start, clock ticks since boot */
	const char *source; /* NULL: unknown */
	const char *auth[PAMHEADER_AUTH_MAX]; /* without "auth " */
	size_t nauth;
	char tid[NAME_GUID_LEN + 1]; /* "": no identity line */
	char oid[NAME_GUID_LEN + 1];
};

/*
 * Parse a whole header, printable ASCII in exactly this order.
 *
 * text: len bytes with a NUL behind them, from the first byte to the newline
 * of the blank line.
 * session: whether auth and identity lines may come.
 * *out: zero unless 0 is returned; then the caller releases it.
 * Returns 0; AAD_EFORMAT; AAD_EVERSION; AAD_ETOOBIG; AAD_ENOMEM.
 */
int pamheader_parse(const char *text, size_t len, bool session,
    struct pamheader *out) AAD_MUST_CHECK;

void pamheader_release(struct pamheader *h);

#endif /* AAD_PAMHEADER_H */
