/* SPDX-License-Identifier: ISC */

/*
 * report: one line of the log an event, "event=NAME key=value …", as
 * cmd/cli/log.h has it, through pam_syslog(3).
 */

#ifndef AAD_PAM_REPORT_H
#define AAD_PAM_REPORT_H

#include <security/pam_modules.h>
#include <stddef.h>

struct report_field {
	const char *name;
	const char *value; /* NULL or "": the field is left out */
};

/* priority: a syslog(3) number. */
void report(const pam_handle_t *pamh, int priority, const char *event,
    const struct report_field *fields, size_t n);

#endif /* AAD_PAM_REPORT_H */
