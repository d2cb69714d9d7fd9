/* SPDX-License-Identifier: ISC */

/* options: what stands behind pam_aadssh.so in a line of pam.d(5). */

#ifndef AAD_PAM_OPTIONS_H
#define AAD_PAM_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#define OPTIONS_CONF	"/etc/aadssh/aadssh.conf"
#define OPTIONS_STATE	"/var/lib/aadssh"
#define OPTIONS_RUN	"/run/aadssh"
#define OPTIONS_TIMEOUT 270 /* seconds; below the drop-in's LoginGraceTime */

struct options {
	const char *conf; /* conf=: the child's; named.h looks for root in it */
	const char *state; /* state=: whose owner the child becomes */
	const char *run; /* run=: has the directory of session files */
	int64_t timeout_ms; /* timeout=: when a sign-in is ended, whatever it
			     * does */
};

/*
 * argc, argv: as libpam hands them on; the paths stay borrowed from there.
 * Paths are absolute; timeout is 1 s to 1 d, "270", "270s", "4m" or "1h".
 *
 * Returns false with *badp the option that is unknown or malformed.
 */
bool options_parse(int argc, const char **argv, struct options *out,
    const char **badp);

#endif /* AAD_PAM_OPTIONS_H */
