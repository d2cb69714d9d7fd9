/* SPDX-License-Identifier: ISC */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ca/door.h"
#include "ca/publish.h"
#include "ca/spawn.h"
#include "cmd/cli/clock.h"
#include "core/text.h"

#define KEYGEN_MS 120000 /* a KRL of a million serials takes it seconds */
#define SAID_MAX  8192 /* bytes of its output */

static bool
ends_with(const char *line, size_t len, const char *tail)
{
	size_t n = strlen(tail);

	return len >= n && memcmp(line + len - n, tail, n) == 0;
}

/* One line, which says that the key is not revoked. */
static bool
is_ok(const char *said)
{
	const char *end = strchr(said, '\n');

	return end != NULL && end[1] == '\0' &&
	       ends_with(said, (size_t)(end - said), ": ok");
}

/* Its verdict on the one key, for which it must read the whole list. */
static enum reason
run_keygen(struct ca_app *app, const struct ca_owner *owner, char *const *argv,
    const volatile sig_atomic_t *stop)
{
	struct spawn s = { SPAWN_SSH_KEYGEN, argv, NULL, -1, -1, 2, -1, true,
		NULL, false };
	int64_t end_ms = clock_mono_ms() + KEYGEN_MS;
	char said[SAID_MAX] = "";
	int pipes[2], code = -1, r;
	size_t len = 0;
	pid_t pid;

	if (geteuid() == 0)
		s.become = owner;
	if (pipe2(pipes, O_CLOEXEC) == -1)
		return ca_detail(app, AAD_R_KRL_REFUSED, "%s", strerror(errno));
	s.out = pipes[1];
	r = spawn_start(app, &s, &pid);
	close(pipes[1]);
	if (r == 0)
		r = spawn_read(pipes[0], said, SAID_MAX - 1, end_ms, stop,
		    &len);
	close(pipes[0]);
	/* NB. one that says too much, or nothing for too long, is ended. */
	if (pid != -1)
		code = spawn_wait(pid, r == 0 ? end_ms : 0, stop);
	if (r == 0 && code == 0 && is_ok(said))
		return AAD_R_ALLOWED;
	return ca_detail(app, AAD_R_KRL_REFUSED, "%s -Q: exit %d: %s",
	    SPAWN_SSH_KEYGEN, code, r == AAD_EAGAIN ? "it hangs" : said);
}

/*
 * ssh-keygen -Q -f DIR/krl DIR/bundle_key.pub: any key will do to see whether
 * the list can be read, and this one is always there; after a revocation the
 * files of the authorities may hold none.
 */
static enum reason
keygen_reads(struct ca_app *app, const char *dir,
    const volatile sig_atomic_t *stop)
{
	char krl[PATH_MAX], key[PATH_MAX], name[] = "ssh-keygen", q[] = "-Q",
					   f[] = "-f";
	char *argv[] = { name, q, f, krl, key, NULL };
	struct ca_owner owner;
	enum reason why;

	if ((why = ca_owner(app, &owner)) != AAD_R_ALLOWED)
		return why;
	if (snprintf(krl, PATH_MAX, "%s/krl", dir) >= PATH_MAX ||
	    snprintf(key, PATH_MAX, "%s/bundle_key.pub", dir) >= PATH_MAX)
		return AAD_R_KRL_REFUSED;
	return run_keygen(app, &owner, argv, stop);
}

/* What STAGE made. */
static enum reason
staged(struct ca_app *app, json_t *end, const char **dirp, uint64_t *versionp)
{
	json_int_t version = json_integer_value(json_object_get(end,
	    "version"));

	*dirp = json_string_value(json_object_get(end, "path"));
	*versionp = (uint64_t)version;
	if (*dirp == NULL || (*dirp)[0] != '/' || version < 1)
		return ca_detail(app, AAD_R_SIGNER_REPLY,
		    "it does not say what it made");
	return AAD_R_ALLOWED;
}

enum reason
publish_run(struct ca_app *app, const volatile sig_atomic_t *stop,
    json_t **endp)
{
	struct wirebuf rq = wirebuf_new();
	json_t *end = NULL;
	const char *dir;
	enum reason why;
	uint64_t version;

	if (endp != NULL)
		*endp = NULL;
	request_begin(&rq, REQUEST_STAGE);
	request_end(&rq);
	if ((why = door_ask(app, &rq, DOOR_LONG_MS, stop, NULL, NULL, &end)) !=
		AAD_R_ALLOWED ||
	    (why = staged(app, end, &dir, &version)) != AAD_R_ALLOWED ||
	    (why = keygen_reads(app, dir, stop)) != AAD_R_ALLOWED)
		goto out;
	wirebuf_release(&rq);
	request_begin(&rq, REQUEST_COMMIT);
	request_put_u64(&rq, REQUEST_L_VERSION, version);
	request_end(&rq);
	why = door_ask(app, &rq, DOOR_LONG_MS, stop, NULL, NULL, endp);
out:
	json_decref(end);
	wirebuf_release(&rq);
	return why;
}
