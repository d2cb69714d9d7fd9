/* SPDX-License-Identifier: ISC */

/*
 * clean: what text must be before it comes near a terminal, an environment,
 * a log or a session file.  The child is not trusted to have seen to it: it
 * is the side that speaks to the network.
 */

#ifndef AAD_PAM_CLEAN_H
#define AAD_PAM_CLEAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Copy a line for a person: printable ASCII and UTF-8 as they are; control
 * bytes, C1 controls, invisible and direction characters and each byte of
 * what is not UTF-8 become '?'.
 *
 * s: len bytes, may hold NUL.  out: always NUL-terminated; a sequence that
 * doesn't fit whole ends the copy.  Returns the bytes written.
 */
size_t clean_text(const char *s, size_t len, char *out, size_t outlen);

/* Copy at most outlen - 1 bytes; all but printable ASCII becomes '?'. */
void clean_ascii(const char *s, char *out, size_t outlen);

/* Copy at most outlen - 1 bytes of printable ASCII, the rest left out. */
void clean_answer(const char *s, char *out, size_t outlen);

/* Whether every byte is printable ASCII. */
bool clean_printable(const char *s);

/* [A-Za-z_][A-Za-z0-9_.-]{0,31}, as lib/core/name has it. */
bool clean_login(const char *s);

/* 8-4-4-4-12 lower-case hex digits. */
bool clean_guid(const char *s);

/* "SHA256:" and 32 bytes in base64 without padding. */
bool clean_fingerprint(const char *s);

/* Decimal digits only, at most max; *np is 0 when it is anything else. */
bool clean_number(const char *s, uint64_t max, uint64_t *np);

#endif /* AAD_PAM_CLEAN_H */
