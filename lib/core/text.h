/* SPDX-License-Identifier: ISC */

/*
 * text: what people type and read: durations, times, and text from outside
 * that must not reach a terminal, a log or a prompt as it came.
 */

#ifndef AAD_TEXT_H
#define AAD_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TEXT_TIME_LEN	  20 /* "2026-01-01T00:00:05Z" */
#define TEXT_DURATION_LEN 32

/*
 * A duration of one unit: "90s", "10m", "12h", "30d", or "0".
 * Returns false when it is anything else or over 100 years; *secp is then 0.
 */
bool text_duration(const char *s, int64_t *secp);

/* The same written back, largest whole unit: 43200 -> "12h". */
void text_duration_format(int64_t sec, char out[static TEXT_DURATION_LEN]);

/*
 * RFC 3339 in UTC, "YYYY-MM-DDTHH:MM:SSZ", 1970 to 9999.
 * Returns false when it is anything else; *tp is then 0.
 */
bool text_time(const char *s, int64_t *tp);

/* Unix seconds as RFC 3339 UTC; out of range becomes the nearest bound. */
void text_time_format(int64_t t, char out[static TEXT_TIME_LEN + 1]);

/*
 * Decimal digits only, no sign or blank, at most max.
 * Returns false when it is anything else; *np is then 0.
 */
bool text_number(const char *s, uint64_t max, uint64_t *np);

/*
 * Copy text from outside for showing: at most outlen - 1 bytes, printable
 * ASCII only, each run of other bytes as one '?' (CR and LF as a blank).
 * Always NUL-terminated; returns out.
 */
const char *text_clean(const char *s, size_t len, char *out, size_t outlen);

/*
 * ADDRESS or ADDRESS/BITS, IPv4 or IPv6 as inet_pton(3) reads them
 * (RFC 4632, RFC 4291 s.2.3), no bit set behind the prefix.
 */
bool text_cidr_ok(const char *cidr);

/*
 * Whether an address, as text, lies within a range that text_cidr_ok().  A
 * zone ("%eth0") does not count; an IPv4 address in IPv6 (::ffff:192.0.2.1)
 * is the IPv4 one, on both sides.  False for anything that is no address.
 */
bool text_cidr_has(const char *cidr, const char *address);

/*
 * Whether every address of the range inner lies within the range outer, both
 * text_cidr_ok(); false for anything that is no range.  An IPv4 range in IPv6
 * is the IPv4 one, on both sides, and lies in no range of IPv6.
 */
bool text_cidr_within(const char *outer, const char *inner);

/*
 * Whether two addresses, as text, are one customer's: equal, or of the same
 * /64 of IPv6, which one machine can have whole (RFC 4291 s.2.5.4).
 * Neighbours on one link (fe80::/10) are many.
 */
bool text_same_source(const char *a, const char *b);

/* Whether a and b are equal when A-Z counts as a-z; no locale is asked. */
bool text_same_fold(const char *a, const char *b);

#endif /* AAD_TEXT_H */
