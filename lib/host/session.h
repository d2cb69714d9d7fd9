/* SPDX-License-Identifier: ISC */

/*
 * session: what the PAM module leaves in RUN/sessions for each login that is
 * open, so that `aadssh reap` and `aadssh status` know whose it is.
 * docs/formats.md "Sessions".
 *
 * The directory and its files belong to root and are writable by nobody
 * else; a reader judges that, because a signal follows from what it reads.
 * Even so a pid is only a hint: who acts on it compares start and exe with
 * the process that has the pid now.
 */

#ifndef AAD_SESSION_H
#define AAD_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/err.h"
#include "core/file.h"
#include "core/name.h"
#include "ssh/key.h"

#define SESSION_MAX	   4096 /* bytes of a file */
#define SESSION_EXE_MAX	   255 /* bytes of a path */
#define SESSION_SOURCE_MAX 63 /* bytes; an address with its zone */
#define SESSION_UPN_MAX	   127

/* A plain record.  Strings are printable ASCII, "" when left out. */
struct session {
	int64_t pid; /* sshd's monitor, 1 or more */
	int64_t start; /* field 22 of /proc/PID/stat, clock ticks */
	int64_t opened; /* Unix seconds */
	char exe[SESSION_EXE_MAX + 1]; /* absolute */
	char login[NAME_LOGIN_MAX + 1];
	char source[SESSION_SOURCE_MAX + 1]; /* optional, no blank */
	char tid[NAME_GUID_LEN + 1]; /* optional */
	char oid[NAME_GUID_LEN + 1]; /* optional */
	char upn[SESSION_UPN_MAX + 1]; /* optional; for people */
	char key[KEY_FP_LEN + 1]; /* optional, "SHA256:…" */
	char method[32]; /* "publickey", "keyboard-interactive", "other" */
	uint64_t serial; /* of a certificate */
	bool has_serial;
};

/*
 * Parse a session file, strictly: each line once, in order, nothing behind
 * the last.
 *
 * text: len bytes with a NUL behind them.
 * *out: zero unless 0 is returned.
 * Returns 0; AAD_EFORMAT; AAD_EVERSION for a later version.
 */
int session_parse(const char *text, size_t len,
    struct session *out) AAD_MUST_CHECK;

/*
 * Open RUN/sessions.
 *
 * self: the right owner, geteuid(2) of the caller.
 * *fdp: -1 unless 0 is returned; then the caller closes it.
 * Returns 0; AAD_ENOENT; AAD_EPERM when RUN or the directory is a link, no
 * directory or writable by others, or the directory is another's;
 * AAD_ETOOBIG for a path over PATH_MAX; AAD_ESYS.
 */
int session_dir_open(const char *run, uid_t self, int *fdp) AAD_MUST_CHECK;

/*
 * Load one file of that directory.
 *
 * name: a pid in decimal, or that and ".auth"; it must be the file's own.
 * *out: zero unless 0 is returned.
 * Returns 0; AAD_ENOENT; AAD_EPERM; AAD_EFORMAT; AAD_EVERSION; AAD_EARG for
 * another name; AAD_ENOMEM; AAD_ESYS.
 */
int session_load(int dirfd, const char *name, uid_t self,
    struct session *out) AAD_MUST_CHECK;

/*
 * Walk the sessions (names that are a pid), or what authentications left
 * (a pid and ".auth"), in no order.  fn may remove the one it is called for.
 * Returns 0, the callback's value, or AAD_ESYS.
 */
int session_each(int dirfd, file_each_fn *fn, void *arg) AAD_MUST_CHECK;
int session_auth_each(int dirfd, file_each_fn *fn, void *arg) AAD_MUST_CHECK;

#endif /* AAD_SESSION_H */
