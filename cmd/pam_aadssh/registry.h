/* SPDX-License-Identifier: ISC */

/*
 * registry: RUN/sessions, one file for each session that sshd has open, for
 * whoever must end it; and NAME.auth, which the auth phase leaves there for
 * the session phase, another process.  Only root may enter; nothing that the
 * child says gets in before it was judged: whoever could make a file that
 * session_parse() of lib/host/session.h refuses would hide a session.
 *
 * Names are the decimal pid of the monitor, or that and ".auth".
 */

#ifndef AAD_PAM_REGISTRY_H
#define AAD_PAM_REGISTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "cmd/pam_aadssh/kernel.h"

#define REGISTRY_NAME_LEN  32
#define REGISTRY_FILE_MAX  4096 /* bytes */
#define REGISTRY_LOGIN_LEN 33

/* Who signed in, as the child says; "" where it didn't. */
struct facts {
	char tid[37], oid[37]; /* GUIDs, lower case */
	char upn[128]; /* printable ASCII */
	char key[51]; /* "SHA256:…" */
	char serial[21]; /* a number below 2^64 */
};

struct entry {
	int64_t pid, start; /* of the monitor; clock ticks since boot */
	int64_t opened; /* Unix seconds */
	char exe[KERNEL_EXE_LEN];
	char login[REGISTRY_LOGIN_LEN];
	char source[KERNEL_ADDRESS_LEN]; /* an address, or "" */
	struct facts facts;
	char method[24]; /* publickey, keyboard-interactive or other */
};

/* "PID" or "PID.auth". */
void registry_name(int64_t pid, bool auth, char out[static REGISTRY_NAME_LEN]);

/*
 * Take the fact "NAME VALUE" of the child into f.  One whose name isn't known
 * is passed over.  Returns false when the value is not what it must be.
 */
bool registry_fact(const char *fact, struct facts *f);

/*
 * Write the file whole or not at all.  A missing directory is made.
 * Returns false with errno.
 */
bool registry_write(const char *run, const char *name, const struct entry *e);

/*
 * Read what registry_write() wrote.  Returns false when it isn't there, is
 * not root's alone or does not parse; *out is then zero.
 */
bool registry_read(const char *run, const char *name, struct entry *out);

/* Gone afterwards, or never there; true unless it can't be removed. */
bool registry_remove(const char *run, const char *name);

#endif /* AAD_PAM_REGISTRY_H */
