/* SPDX-License-Identifier: ISC */

/* login: which account libpam was started for. */

#ifndef AAD_PAM_LOGIN_H
#define AAD_PAM_LOGIN_H

#include <security/pam_modules.h>
#include <stdbool.h>
#include <sys/types.h>

#include "cmd/pam_aadssh/registry.h"

/*
 * The account of PAM_USER, by the name that the system has for it: denials,
 * records and sshd's %u know no other.
 *
 * Returns false when there is none, or when that name is outside the grammar
 * of logins.
 */
bool login_find(pam_handle_t *pamh, char name[static REGISTRY_LOGIN_LEN],
    uid_t *uidp);

#endif /* AAD_PAM_LOGIN_H */
