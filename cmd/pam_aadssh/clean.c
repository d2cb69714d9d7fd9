/* SPDX-License-Identifier: ISC */

#include <string.h>

#include "cmd/pam_aadssh/clean.h"

#define ALNUM                                                                  \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZ"                                           \
	"abcdefghijklmnopqrstuvwxyz"                                           \
	"0123456789"
#define LOGIN_MAX	  32
#define FINGERPRINT_START "SHA256:"
#define FINGERPRINT_LEN	  50 /* with its start */

/*
 * Code points that a terminal acts on or that a reader can't see: C1
 * controls, soft hyphen, joiners, marks of direction, separators, tags.
 */
static const struct {
	uint32_t first, last;
} unseen[] = {
	{ 0x80, 0x9f },
	{ 0xad, 0xad },
	{ 0x61c, 0x61c },
	{ 0x115f, 0x1160 },
	{ 0x17b4, 0x17b5 },
	{ 0x180b, 0x180f },
	{ 0x200b, 0x200f },
	{ 0x2028, 0x202e },
	{ 0x2060, 0x206f },
	{ 0x3164, 0x3164 },
	{ 0xd800, 0xf8ff }, /* surrogates, private use */
	{ 0xfe00, 0xfe0f },
	{ 0xfeff, 0xfeff },
	{ 0xfff0, 0xffff },
	{ 0xe0000, 0x10ffff },
};

static bool
seen(uint32_t c)
{
	size_t i;

	for (i = 0; i < sizeof(unseen) / sizeof(unseen[0]); i++)
		if (c >= unseen[i].first && c <= unseen[i].last)
			return false;
	return true;
}

/*
 * The length of the sequence at s, 0 when it is none (RFC 3629 s.4: no
 * overlong forms, nothing above U+10FFFF); *cp is its code point.
 */
static size_t
sequence(const unsigned char *s, size_t left, uint32_t *cp)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint32_t c = s[0];
	size_t n, i;

	if (c >= 0xc2 && c <= 0xdf)
		n = 2;
	else if (c >= 0xe0 && c <= 0xef)
		n = 3;
	else if (c >= 0xf0 && c <= 0xf4)
		n = 4;
	else
		return 0;
	if (left < n)
		return 0;
	c &= 0x7fU >> n;
	for (i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3fU);
	}
	if (c < least[n] || c > 0x10ffff)
		return 0;
	*cp = c;
	return n;
}

static bool
printable(unsigned char c)
{
	return c >= 0x20 && c <= 0x7e;
}

size_t
clean_text(const char *s, size_t len, char *out, size_t outlen)
{
	const unsigned char *in = (const unsigned char *)s;
	size_t i = 0, o = 0, n;
	uint32_t c = 0;

	while (i < len && o + 1 < outlen) {
		n = in[i] < 0x80 ? 0 : sequence(in + i, len - i, &c);
		if (n != 0 && seen(c)) {
			if (n >= outlen - o)
				break;
			memcpy(out + o, in + i, n);
			o += n;
		} else {
			out[o++] = printable(in[i]) ? (char)in[i] : '?';
		}
		i += n != 0 ? n : 1;
	}
	out[o] = '\0';
	return o;
}

void
clean_ascii(const char *s, char *out, size_t outlen)
{
	size_t o;

	for (o = 0; s[o] != '\0' && o + 1 < outlen; o++)
		out[o] = printable((unsigned char)s[o]) ? s[o] : '?';
	out[o] = '\0';
}

void
clean_answer(const char *s, char *out, size_t outlen)
{
	size_t o = 0;

	for (; *s != '\0' && o + 1 < outlen; s++)
		if (printable((unsigned char)*s))
			out[o++] = *s;
	out[o] = '\0';
}

bool
clean_printable(const char *s)
{
	while (*s != '\0')
		if (!printable((unsigned char)*s++))
			return false;
	return true;
}

bool
clean_login(const char *s)
{
	size_t n = strlen(s);

	return n >= 1 && n <= LOGIN_MAX &&
	       strchr("0123456789.-", s[0]) == NULL &&
	       strspn(s, ALNUM "_.-") == n;
}

bool
clean_guid(const char *s)
{
	static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
	size_t i;

	if (strlen(s) != sizeof(form) - 1)
		return false;
	for (i = 0; form[i] != '\0'; i++)
		if (form[i] == '-' ? s[i] != '-'
				   : strchr("0123456789abcdef", s[i]) == NULL)
			return false;
	return true;
}

bool
clean_fingerprint(const char *s)
{
	const size_t start = strlen(FINGERPRINT_START);

	/* NB. of the last digit only four bits are used (RFC 4648 s.3.5). */
	return strlen(s) == FINGERPRINT_LEN &&
	       memcmp(s, FINGERPRINT_START, start) == 0 &&
	       s[start + strspn(s + start, ALNUM "+/")] == '\0' &&
	       strchr("AEIMQUYcgkosw048", s[FINGERPRINT_LEN - 1]) != NULL;
}

bool
clean_number(const char *s, uint64_t max, uint64_t *np)
{
	uint64_t n = 0, digit;

	*np = 0;
	if (*s == '\0')
		return false;
	for (; *s != '\0'; s++) {
		if (*s < '0' || *s > '9')
			return false;
		digit = (uint64_t)(*s - '0');
		if (n > max / 10 || n * 10 > max - digit)
			return false;
		n = n * 10 + digit;
	}
	*np = n;
	return true;
}
