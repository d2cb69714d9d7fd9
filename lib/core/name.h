/* SPDX-License-Identifier: ISC */

/*
 * name: the grammars of everything that becomes part of a path, a rule or a
 * line for sshd.  Bytes only, no locale: what is not listed is refused.
 */

#ifndef AAD_NAME_H
#define AAD_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NAME_LOGIN_MAX 32 /* bytes; LOGIN_NAME_MAX of useradd(8) */
#define NAME_GUID_LEN  36 /* characters, without the NUL */
#define NAME_HEX64_LEN 64
#define NAME_KID_MAX   128 /* characters; Entra's have 27 */
#define NAME_ROLE_MAX  120 /* characters; Entra's bound on an app role value */

/* [A-Za-z_][A-Za-z0-9_.-]{0,31}; never "." or "..", which cannot match. */
bool name_login_ok(const char *s);

/* 8-4-4-4-12 lower-case hex digits: the form that Entra sends. */
bool name_guid_ok(const char *s);

/*
 * The same in either case, written in lower case to out.
 * Returns false and an empty out when it is not a GUID.
 */
bool name_guid_fold(const char *s, char out[static NAME_GUID_LEN + 1]);

/* Exactly 64 lower-case hex digits. */
bool name_hex64_ok(const char *s);

/* The 64 lower-case hex digits of 32 bytes. */
void name_hex64(const uint8_t bytes[static 32],
    char out[static NAME_HEX64_LEN + 1]);

/* [A-Za-z0-9_-]{1,128}: compared, never part of a path (RFC 7515 s.4.1.4). */
bool name_kid_ok(const char *s);

/*
 * An app role value or authentication context: printable ASCII without
 * blank, 1 to NAME_ROLE_MAX.
 */
bool name_role_ok(const char *s);

/*
 * A DNS name that a user principal name may end in: labels of
 * [a-z0-9-], at least two, 1 to 253 characters, lower case.
 */
bool name_domain_ok(const char *s);

/*
 * A comma separated list of authorized_keys options without a value that
 * sshd 9.2 knows: restrict; pty, port-forwarding, agent-forwarding,
 * X11-forwarding, user-rc, each also with "no-" in front;
 * no-touch-required, verify-required.  Each at most once, no empty element,
 * no blank: an unknown option or a blank makes sshd drop the whole line.
 */
bool name_options_ok(const char *s);

#endif /* AAD_NAME_H */
