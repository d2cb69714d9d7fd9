/* SPDX-License-Identifier: ISC */

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/text.h"

#define DURATION_MAX (INT64_C(100) * 366 * 86400) /* seconds */
#define TIME_MAX     INT64_C(253402300799) /* 9999-12-31T23:59:59Z */

static const struct unit {
	char letter;
	int64_t sec;
} units[] = {
	{ 'd', 86400 },
	{ 'h', 3600 },
	{ 'm', 60 },
	{ 's', 1 },
};

bool
text_number(const char *s, uint64_t max, uint64_t *np)
{
	uint64_t n = 0, digit;
	size_t i;

	*np = 0;
	for (i = 0; s[i] >= '0' && s[i] <= '9'; i++) {
		digit = (uint64_t)(s[i] - '0');
		if (digit > max || n > (max - digit) / 10)
			return false;
		n = n * 10 + digit;
	}
	if (i == 0 || s[i] != '\0')
		return false;
	*np = n;
	return true;
}

bool
text_duration(const char *s, int64_t *secp)
{
	char digits[16];
	size_t len = strlen(s), i;
	uint64_t n;

	*secp = 0;
	if (strcmp(s, "0") == 0)
		return true;
	if (len < 2 || len > sizeof(digits))
		return false;
	memcpy(digits, s, len - 1);
	digits[len - 1] = '\0';
	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (s[len - 1] != units[i].letter)
			continue;
		if (!text_number(digits,
			(uint64_t)(DURATION_MAX / units[i].sec), &n))
			return false;
		*secp = (int64_t)n * units[i].sec;
		return true;
	}
	return false;
}

void
text_duration_format(int64_t sec, char out[static TEXT_DURATION_LEN])
{
	size_t i;

	for (i = 0; i < sizeof(units) / sizeof(units[0]) - 1; i++)
		if (sec != 0 && sec % units[i].sec == 0)
			break;
	snprintf(out, TEXT_DURATION_LEN, "%" PRId64 "%c", sec / units[i].sec,
	    units[i].letter);
}

/* n digits at s as a number, or -1. */
static int
digits(const char *s, int n)
{
	int i, v = 0;

	for (i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return -1;
		v = v * 10 + (s[i] - '0');
	}
	return v;
}

bool
text_time(const char *s, int64_t *tp)
{
	char again[TEXT_TIME_LEN + 1];
	struct tm tm;
	int64_t t;

	*tp = 0;
	if (strlen(s) != TEXT_TIME_LEN)
		return false;
	memset(&tm, 0, sizeof(tm));
	tm.tm_year = digits(s, 4) - 1900;
	tm.tm_mon = digits(s + 5, 2) - 1;
	tm.tm_mday = digits(s + 8, 2);
	tm.tm_hour = digits(s + 11, 2);
	tm.tm_min = digits(s + 14, 2);
	tm.tm_sec = digits(s + 17, 2);
	t = (int64_t)timegm(&tm);
	if (t < 0)
		return false;
	/* NB. timegm(3) normalises 31 February; only the same text is one. */
	text_time_format(t, again);
	if (strcmp(s, again) != 0)
		return false;
	*tp = t;
	return true;
}

void
text_time_format(int64_t t, char out[static TEXT_TIME_LEN + 1])
{
	struct tm tm;
	time_t tt;

	if (t < 0)
		t = 0;
	if (t > TIME_MAX)
		t = TIME_MAX;
	tt = (time_t)t;
	gmtime_r(&tt, &tm);
	/* NB. the masks only tell the compiler what gmtime_r(3) keeps. */
	snprintf(out, TEXT_TIME_LEN + 1, "%04u-%02u-%02uT%02u:%02u:%02uZ",
	    (unsigned int)(tm.tm_year + 1900) % 10000U,
	    (unsigned int)(tm.tm_mon + 1) % 100U,
	    (unsigned int)tm.tm_mday % 100U, (unsigned int)tm.tm_hour % 100U,
	    (unsigned int)tm.tm_min % 100U, (unsigned int)tm.tm_sec % 100U);
}

const char *
text_clean(const char *s, size_t len, char *out, size_t outlen)
{
	size_t i, n = 0;
	bool dirty = false;

	if (outlen == 0)
		return out;
	for (i = 0; i < len && n + 1 < outlen; i++) {
		if (s[i] == '\r' || s[i] == '\n') {
			if (n > 0 && out[n - 1] != ' ')
				out[n++] = ' ';
			dirty = false;
		} else if (s[i] < ' ' || s[i] > '~') {
			if (!dirty)
				out[n++] = '?';
			dirty = true;
		} else {
			out[n++] = s[i];
			dirty = false;
		}
	}
	out[n] = '\0';
	return out;
}

static char
fold(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool
text_same_fold(const char *a, const char *b)
{
	while (*a != '\0' && fold(*a) == fold(*b)) {
		a++;
		b++;
	}
	return *a == *b;
}

/* An address: 4 or 16 bytes. */
struct address {
	uint8_t bytes[16];
	size_t len;
};

/* len bytes at s, without a zone; ::ffff:a.b.c.d becomes a.b.c.d. */
static bool
address_parse(const char *s, size_t len, struct address *a)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	char text[INET6_ADDRSTRLEN];

	if (len == 0 || len >= sizeof(text))
		return false;
	memcpy(text, s, len);
	text[len] = '\0';
	a->len = 4;
	if (inet_pton(AF_INET, text, a->bytes) == 1)
		return true;
	a->len = 16;
	if (inet_pton(AF_INET6, text, a->bytes) != 1)
		return false;
	if (memcmp(a->bytes, mapped, sizeof(mapped)) == 0) {
		memmove(a->bytes, a->bytes + sizeof(mapped), 4);
		a->len = 4;
	}
	return true;
}

/* The first bits of a and b. */
static bool
same_prefix(const struct address *a, const struct address *b, uint64_t bits)
{
	size_t whole = (size_t)bits / 8, rest = (size_t)bits % 8;
	unsigned int mask = 0xffU & ~(0xffU >> rest);

	return memcmp(a->bytes, b->bytes, whole) == 0 &&
	       (rest == 0 || ((a->bytes[whole] ^ b->bytes[whole]) & mask) == 0);
}

static bool
cidr_parse(const char *cidr, struct address *a, uint64_t *bitsp)
{
	size_t len = strcspn(cidr, "/"), i;
	struct address zero = { .len = 0 };
	struct address tail;

	if (!address_parse(cidr, len, a))
		return false;
	*bitsp = a->len * 8;
	if (cidr[len] == '/') {
		/* NB. a mapped range counts from the IPv4 part. */
		if (!text_number(cidr + len + 1, 128, bitsp))
			return false;
		if (a->len == 4 && memchr(cidr, ':', len) != NULL) {
			if (*bitsp < 96)
				return false;
			*bitsp -= 96;
		}
		if (*bitsp > a->len * 8)
			return false;
	}
	tail = *a;
	for (i = 0; i < (size_t)*bitsp; i++)
		tail.bytes[i / 8] &= (uint8_t) ~(0x80U >> (i % 8));
	return memcmp(tail.bytes, zero.bytes, a->len) == 0;
}

bool
text_cidr_ok(const char *cidr)
{
	struct address a;
	uint64_t bits;

	return cidr_parse(cidr, &a, &bits);
}

bool
text_cidr_has(const char *cidr, const char *address)
{
	struct address range, a;
	uint64_t bits;

	return cidr_parse(cidr, &range, &bits) &&
	       address_parse(address, strcspn(address, "%"), &a) &&
	       a.len == range.len && same_prefix(&range, &a, bits);
}

bool
text_cidr_within(const char *outer, const char *inner)
{
	struct address a, b;
	uint64_t abits, bbits;

	return cidr_parse(outer, &a, &abits) && cidr_parse(inner, &b, &bbits) &&
	       a.len == b.len && bbits >= abits && same_prefix(&a, &b, abits);
}

bool
text_same_source(const char *a, const char *b)
{
	struct address one, two;

	if (strcmp(a, b) == 0)
		return true;
	if (!address_parse(a, strcspn(a, "%"), &one) ||
	    !address_parse(b, strcspn(b, "%"), &two) || one.len != two.len)
		return false;
	if (one.len == 4)
		return same_prefix(&one, &two, 32);
	return (one.bytes[0] != 0xfe || (one.bytes[1] & 0xc0) != 0x80) &&
	       same_prefix(&one, &two, 64);
}
