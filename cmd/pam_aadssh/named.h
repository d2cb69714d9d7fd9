/* SPDX-License-Identifier: ISC */

/*
 * named: whether the configuration names a login.
 *
 * The child judges policy, and the child could be broken.  It may then open
 * any account that policy gives to somebody, but it shall not become root:
 * for root the module itself looks whether root's own file speaks of it.
 */

#ifndef AAD_PAM_NAMED_H
#define AAD_PAM_NAMED_H

#include <stdbool.h>

#define NAMED_CONF_MAX 65536 /* bytes of a configuration, as CONF_MAX */

/*
 * Whether the file conf, root's and nobody else's to change, has the line
 * "[login LOGIN]" (aadssh.conf(5)).  False also when it can't be read.
 */
bool named_login(const char *conf, const char *login);

#endif /* AAD_PAM_NAMED_H */
