/* SPDX-License-Identifier: ISC */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ca/dial.h"
#include "ca/keyagent.h"
#include "ca/spawn.h"
#include "cmd/cli/clock.h"
#include "core/file.h"
#include "ssh/agent.h"

#define ANSWER_S  3 /* seconds, for the agent to say what it holds */
#define FORGET_MS 5000 /* for the agent to forget a certificate */
#define ADD_MS	  10000 /* for ssh-add, when it has nobody to ask */

/* ---- asking ----------------------------------------------------------- */

/* All of len bytes, in time. */
static bool
take(int fd, uint8_t *p, size_t len, int64_t end_ms)
{
	size_t n;

	return spawn_read(fd, p, len, end_ms, NULL, &n) == AAD_ETOOBIG &&
	       n == len;
}

/* What it says to a question of one small message; the caller frees it. */
static int
answer(int fd, const uint8_t *ask, size_t asklen, uint8_t **outp, size_t *lenp)
{
	int64_t end = clock_mono_ms() + ANSWER_S * INT64_C(1000);
	uint8_t head[AGENT_HEAD_LEN], *p;

	*outp = NULL;
	if (write(fd, ask, asklen) != (ssize_t)asklen ||
	    !take(fd, head, sizeof(head), end) ||
	    (*lenp = agent_reply_len(head)) == 0)
		return AAD_ENET;
	if ((p = malloc(*lenp)) == NULL)
		return AAD_ENOMEM;
	if (!take(fd, p, *lenp, end)) {
		free(p);
		return AAD_ENET;
	}
	*outp = p;
	return 0;
}

int
keyagent_holds(const struct ca_app *app, const struct cert *c)
{
	/* NB. to an agent a certificate is a key with another blob. */
	const struct key k = { .blob = c->blob, .blob_len = c->blob_len };
	uint8_t *ask, *reply = NULL;
	size_t asklen, len;
	int fd, r;

	if ((r = agent_ask_keys(&ask, &asklen)) != 0)
		return r;
	fd = dial(app->agent, ANSWER_S);
	r = fd == -1 ? AAD_ENET : answer(fd, ask, asklen, &reply, &len);
	free(ask);
	file_close(fd);
	if (r != 0)
		return r;
	r = agent_read_keys(reply, len, &k);
	free(reply);
	return r == 0 || r == AAD_ENOENT ? r : AAD_ENET;
}

/* ---- telling ---------------------------------------------------------- */

int
keyagent_add(struct ca_app *app, const char *private_key, int64_t seconds,
    bool ask, const volatile sig_atomic_t *stop)
{
	char life[32], name[] = "ssh-add", q[] = "-q", t[] = "-t", end[] = "--",
		       file[PATH_MAX];
	char *argv[] = { name, q, t, life, end, file, NULL };
	struct spawn s = { SPAWN_SSH_ADD, argv, NULL, ask ? 0 : -1,
		ask ? 2 : -1, ask ? 2 : -1, -1, false, app->agent, !ask };
	size_t len = strlen(private_key);
	pid_t pid;

	if (app->agent[0] == '\0')
		return AAD_ENOENT;
	if (seconds < 1 || len >= sizeof(file))
		return AAD_EARG;
	snprintf(life, sizeof(life), "%" PRId64, seconds);
	memcpy(file, private_key, len + 1);
	if (spawn_start(app, &s, &pid) != 0)
		return AAD_ESYS;
	return spawn_wait(pid, ask ? -1 : clock_mono_ms() + ADD_MS, stop) == 0
		   ? 0
		   : AAD_ENET;
}

void
keyagent_forget(struct ca_app *app, const char *cert,
    const volatile sig_atomic_t *stop)
{
	/* NB. no -k, which from OpenSSH 10 on is: plain keys only. */
	char name[] = "ssh-add", qd[] = "-qd", end[] = "--", file[PATH_MAX];
	char *argv[] = { name, qd, end, file, NULL };
	struct spawn s = { SPAWN_SSH_ADD, argv, NULL, -1, -1, -1, -1, false,
		app->agent, true };
	size_t len = strlen(cert);
	pid_t pid;

	if (app->agent[0] == '\0' || len >= sizeof(file))
		return;
	memcpy(file, cert, len + 1);
	if (access(file, F_OK) == 0 && spawn_start(app, &s, &pid) == 0)
		(void)!spawn_wait(pid, clock_mono_ms() + FORGET_MS, stop);
}
