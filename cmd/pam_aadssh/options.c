/* SPDX-License-Identifier: ISC */

#include <string.h>

#include "cmd/pam_aadssh/clean.h"
#include "cmd/pam_aadssh/options.h"

#define TIMEOUT_MAX 86400 /* seconds */

static bool
path(const char *value, const char **outp)
{
	*outp = value;
	return value[0] == '/' && clean_printable(value);
}

/* Digits and at most one letter of "smh". */
static bool
timeout(const char *value, int64_t *msp)
{
	char digits[8];
	size_t n = strspn(value, "0123456789");
	uint64_t number, unit;

	if (n == 0 || n >= sizeof(digits))
		return false;
	memcpy(digits, value, n);
	digits[n] = '\0';
	if (value[n] == '\0' || strcmp(value + n, "s") == 0)
		unit = 1;
	else if (strcmp(value + n, "m") == 0)
		unit = 60;
	else if (strcmp(value + n, "h") == 0)
		unit = 3600;
	else
		return false;
	if (!clean_number(digits, TIMEOUT_MAX, &number) || number == 0 ||
	    number * unit > TIMEOUT_MAX)
		return false;
	*msp = (int64_t)(number * unit * 1000);
	return true;
}

static bool
option(const char *arg, struct options *o)
{
	const char *value = strchr(arg, '=');
	size_t n;

	if (value == NULL)
		return false;
	n = (size_t)(value++ - arg);
	if (n == 4 && memcmp(arg, "conf", n) == 0)
		return path(value, &o->conf);
	if (n == 5 && memcmp(arg, "state", n) == 0)
		return path(value, &o->state);
	if (n == 3 && memcmp(arg, "run", n) == 0)
		return path(value, &o->run);
	if (n == 7 && memcmp(arg, "timeout", n) == 0)
		return timeout(value, &o->timeout_ms);
	return false;
}

bool
options_parse(int argc, const char **argv, struct options *out,
    const char **badp)
{
	int i;

	out->conf = OPTIONS_CONF;
	out->state = OPTIONS_STATE;
	out->run = OPTIONS_RUN;
	out->timeout_ms = (int64_t)OPTIONS_TIMEOUT * 1000;
	for (i = 0; i < argc; i++) {
		if (!option(argv[i], out)) {
			*badp = argv[i];
			return false;
		}
	}
	return true;
}
