/* SPDX-License-Identifier: ISC */

/*
 * setting: check one value of the configuration and store it in its field.
 * One function a type of the manual; what *field is stands beside it.
 */

#ifndef AAD_SETTING_H
#define AAD_SETTING_H

#include "core/conf.h"
#include "core/err.h"

struct setting {
	const char *section;
	const char *name;
	const char *value; /* printable ASCII, not empty */
	unsigned int line;
	struct conf_login *login; /* of a [login NAME] key, else NULL */
	struct conf_error *why;
};

/*
 * Each stores a copy that conf_free() releases, and returns 0; AAD_EFORMAT
 * with *why; AAD_ENOMEM.
 */
typedef int setting_fn(const struct setting *s, void *field);

setting_fn setting_guid; /* char *, folded to lower case */
setting_fn setting_cloud; /* char * */
setting_fn setting_authority; /* char * */
setting_fn setting_proxy; /* char * */
setting_fn setting_path; /* char * */
setting_fn setting_scope; /* char * */
setting_fn setting_flow; /* nothing */
setting_fn setting_login; /* char * */
setting_fn setting_level; /* int */
setting_fn setting_facility; /* int */
setting_fn setting_duration; /* int64_t */
setting_fn setting_uid; /* int64_t */
setting_fn setting_count; /* int64_t */
setting_fn setting_bind; /* int, enum conf_bind */
setting_fn setting_on_denial; /* int, enum conf_denial */
setting_fn setting_cidr; /* struct conf_list, grows by one */
setting_fn setting_list; /* struct conf_list, grows by one */
setting_fn setting_acr; /* struct conf_list, grows by one */
setting_fn setting_hosts; /* struct conf_list, grows by each between commas */
setting_fn setting_options; /* char *; the line too */
setting_fn setting_switch; /* bool */
setting_fn setting_algorithm; /* char * */
setting_fn setting_backend; /* char *: the agent's socket; NULL for a file */
setting_fn setting_ttl; /* int64_t, of a certificate; never 0 */
setting_fn setting_command; /* char * */
/* Lists in one line too, with commas: struct conf_list, as setting_hosts. */
setting_fn setting_groups; /* no "*" */
setting_fn setting_logins; /* or "*" */
setting_fn setting_cidrs;
setting_fn setting_words; /* what they mean is judged later */

/* The authority of a cloud by name, NULL when there is no such. */
const char *setting_authority_of(const char *cloud);

#endif /* AAD_SETTING_H */
