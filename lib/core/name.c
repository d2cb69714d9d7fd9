/* SPDX-License-Identifier: ISC */

#include <string.h>

#include <sodium.h>

#include "core/name.h"

/* No <ctype.h>: it asks the locale, and a byte over 0x7f must never pass. */
static bool
is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_alpha(char c)
{
	return is_lower(c) || (c >= 'A' && c <= 'Z');
}

static bool
is_hex_lower(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f');
}

bool
name_login_ok(const char *s)
{
	size_t i;

	if (!is_alpha(s[0]) && s[0] != '_')
		return false;
	for (i = 1; s[i] != '\0'; i++) {
		if (i >= NAME_LOGIN_MAX)
			return false;
		if (!is_alpha(s[i]) && !is_digit(s[i]) && s[i] != '_' &&
		    s[i] != '.' && s[i] != '-')
			return false;
	}
	return true;
}

bool
name_guid_ok(const char *s)
{
	size_t i;

	for (i = 0; i < NAME_GUID_LEN; i++) {
		if (i == 8 || i == 13 || i == 18 || i == 23) {
			if (s[i] != '-')
				return false;
		} else if (!is_hex_lower(s[i])) {
			return false;
		}
	}
	return s[i] == '\0';
}

bool
name_guid_fold(const char *s, char out[static NAME_GUID_LEN + 1])
{
	size_t i;

	for (i = 0; i < NAME_GUID_LEN && s[i] != '\0'; i++) {
		out[i] = s[i];
		if (s[i] >= 'A' && s[i] <= 'F')
			out[i] = (char)(s[i] - 'A' + 'a');
	}
	out[i] = '\0';
	if (s[i] == '\0' && name_guid_ok(out))
		return true;
	out[0] = '\0';
	return false;
}

bool
name_hex64_ok(const char *s)
{
	size_t i;

	for (i = 0; i < NAME_HEX64_LEN; i++)
		if (!is_hex_lower(s[i]))
			return false;
	return s[i] == '\0';
}

void
name_hex64(const uint8_t bytes[static 32], char out[static NAME_HEX64_LEN + 1])
{
	sodium_bin2hex(out, NAME_HEX64_LEN + 1, bytes, 32);
}

bool
name_kid_ok(const char *s)
{
	size_t i;

	for (i = 0; s[i] != '\0'; i++) {
		if (i >= NAME_KID_MAX)
			return false;
		if (!is_alpha(s[i]) && !is_digit(s[i]) && s[i] != '_' &&
		    s[i] != '-')
			return false;
	}
	return i > 0;
}

bool
name_role_ok(const char *s)
{
	size_t i;

	for (i = 0; s[i] != '\0'; i++)
		if (i >= NAME_ROLE_MAX || s[i] <= ' ' || s[i] > '~')
			return false;
	return i > 0;
}

bool
name_domain_ok(const char *s)
{
	size_t i, label = 0, dots = 0;

	for (i = 0; s[i] != '\0'; i++) {
		if (i >= 253)
			return false;
		if (s[i] == '.') {
			if (label == 0 || s[i - 1] == '-')
				return false;
			label = 0;
			dots++;
			continue;
		}
		if (!is_lower(s[i]) && !is_digit(s[i]) &&
		    (s[i] != '-' || label == 0))
			return false;
		if (++label > 63)
			return false;
	}
	return dots > 0 && label > 0 && s[i - 1] != '-';
}

static const char *const options[] = { "restrict", "pty", "no-pty",
	"port-forwarding", "no-port-forwarding", "agent-forwarding",
	"no-agent-forwarding", "X11-forwarding", "no-X11-forwarding", "user-rc",
	"no-user-rc", "no-touch-required", "verify-required" };

#define NOPTIONS (sizeof(options) / sizeof(options[0]))

static size_t
option_index(const char *s, size_t len)
{
	size_t i;

	for (i = 0; i < NOPTIONS; i++)
		if (strlen(options[i]) == len &&
		    memcmp(options[i], s, len) == 0)
			break;
	return i;
}

bool
name_options_ok(const char *s)
{
	unsigned int seen = 0;
	size_t len, i;

	for (;; s += len + 1) {
		len = strcspn(s, ",");
		i = option_index(s, len);
		if (i == NOPTIONS || (seen & 1U << i) != 0)
			return false;
		seen |= 1U << i;
		if (s[len] == '\0')
			return true;
	}
}
