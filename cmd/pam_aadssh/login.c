/* SPDX-License-Identifier: ISC */

#include <pwd.h>
#include <security/pam_modutil.h>
#include <string.h>

#include "cmd/pam_aadssh/clean.h"
#include "cmd/pam_aadssh/login.h"

bool
login_find(pam_handle_t *pamh, char name[static REGISTRY_LOGIN_LEN],
    uid_t *uidp)
{
	const struct passwd *pw;
	const void *user = NULL;

	if (pam_get_item(pamh, PAM_USER, &user) != PAM_SUCCESS || user == NULL)
		return false;
	/* NB. not getpwnam(3), whose memory may be in use by sshd. */
	pw = pam_modutil_getpwnam(pamh, user);
	if (pw == NULL || !clean_login(pw->pw_name))
		return false;
	memcpy(name, pw->pw_name, strlen(pw->pw_name) + 1);
	*uidp = pw->pw_uid;
	return true;
}
