/* SPDX-License-Identifier: ISC */

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "ca/signer/backend.h"
#include "core/file.h"
#include "ssh/agent.h"

/* Who listens: another process may have taken the path meanwhile. */
static int
judge_peer(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == -1)
		return AAD_ESYS;
	return peer.uid == geteuid() ? 0 : AAD_EPERM;
}

int
backend_connect(const char *path, int *fdp)
{
	const struct timeval wait = { BACKEND_WAIT, 0 };
	struct sockaddr_un to;
	struct stat sb;
	int fd, r = AAD_ESYS;

	*fdp = -1;
	memset(&to, 0, sizeof(to));
	to.sun_family = AF_UNIX;
	if (strlen(path) >= sizeof(to.sun_path))
		return AAD_ETOOBIG;
	memcpy(to.sun_path, path, strlen(path));
	if (lstat(path, &sb) == -1)
		return errno == ENOENT ? AAD_ENOENT : AAD_ESYS;
	if (!S_ISSOCK(sb.st_mode) || sb.st_uid != geteuid())
		return AAD_EPERM;
	if ((fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) == -1)
		return AAD_ESYS;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) ==
		-1 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) ==
		-1 ||
	    connect(fd, (const struct sockaddr *)&to, sizeof(to)) == -1 ||
	    (r = judge_peer(fd)) != 0) {
		file_close(fd);
		return r;
	}
	*fdp = fd;
	return 0;
}

/* Write or read len bytes. */
static int
transfer(int fd, bool out, uint8_t *p, size_t len)
{
	ssize_t n;

	while (len > 0) {
		n = out ? write(fd, p, len) : read(fd, p, len);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			return AAD_ENET;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

/* One question, which is freed, and its answer, which the caller frees. */
static int
exchange(int fd, uint8_t *ask, size_t asklen, uint8_t **outp, size_t *lenp)
{
	uint8_t head[AGENT_HEAD_LEN], *p = NULL;
	size_t len;
	int r;

	*outp = NULL;
	*lenp = 0;
	r = fd == -1 ? AAD_ENET : transfer(fd, true, ask, asklen);
	free(ask);
	if (r != 0 || (r = transfer(fd, false, head, sizeof(head))) != 0)
		return r;
	if ((len = agent_reply_len(head)) == 0)
		return AAD_ENET;
	if ((p = malloc(len)) == NULL)
		return AAD_ENOMEM;
	if ((r = transfer(fd, false, p, len)) != 0) {
		free(p);
		return r;
	}
	*outp = p;
	*lenp = len;
	return 0;
}

/* What a failure is called; what is not memory is the agent's. */
static int
fault(int r, const char *text, enum reason *whyp, const char **faultp)
{
	*whyp = r == AAD_ENOMEM ? AAD_R_NO_MEMORY : AAD_R_CA_AGENT;
	*faultp = r == AAD_ENOMEM ? "" : text;
	return r == AAD_ENOMEM ? r : AAD_ENET;
}

int
backend_sign(int agent, const struct key *k, const uint8_t *data, size_t len,
    uint8_t **sigp, size_t *siglenp, enum reason *whyp, const char **faultp)
{
	uint8_t *ask, *reply = NULL;
	size_t n, m;
	int r;

	*sigp = NULL;
	*siglenp = 0;
	*faultp = "";
	if ((r = agent_ask_sign(k, data, len, &ask, &n)) != 0 ||
	    (r = exchange(agent, ask, n, &reply, &m)) != 0)
		return fault(r, "it does not answer", whyp, faultp);
	r = agent_read_sign(reply, m, sigp, siglenp);
	free(reply);
	if (r != 0)
		return fault(r, "it does not sign with this key", whyp, faultp);
	*whyp = AAD_R_ALLOWED;
	return 0;
}
