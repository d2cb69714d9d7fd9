/* SPDX-License-Identifier: ISC */

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include "ca/dial.h"
#include "core/file.h"

int
dial(const char *path, int seconds)
{
	const struct timeval wait = { seconds, 0 };
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	size_t len = strlen(path);
	int fd;

	if (len >= sizeof(un.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(un.sun_path, path, len);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	/* NB. with a full queue connect(2) waits, for ever if it may. */
	if (fd == -1 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) ==
		-1 ||
	    connect(fd, (const struct sockaddr *)&un, sizeof(un)) == -1) {
		file_close(fd);
		return -1;
	}
	return fd;
}
