/* SPDX-License-Identifier: ISC */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "core/secret.h"

struct secret {
	uint8_t *data; /* sodium_malloc; byte-aligned only */
	size_t len;
};

int
secret_new(size_t len, struct secret **outp)
{
	struct secret *s;

	*outp = NULL;
	if (len < 1 || len > SECRET_MAX)
		return AAD_ETOOBIG;
	if ((s = calloc(1, sizeof(*s))) == NULL)
		return AAD_ENOMEM;
	if ((s->data = sodium_malloc(len)) == NULL) {
		free(s);
		return AAD_ENOMEM;
	}
	sodium_memzero(s->data, len);
	s->len = len;
	*outp = s;
	return 0;
}

static int
read_exact(int fd, struct secret *s)
{
	size_t have = 0;
	ssize_t n;

	while (have < s->len) {
		n = read(fd, s->data + have, s->len - have);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return AAD_ESYS;
		if (n == 0)
			return AAD_EFORMAT;
		have += (size_t)n;
	}
	return 0;
}

int
secret_load(int dirfd, const char *name, size_t len, struct secret **outp)
{
	struct secret *s = NULL;
	struct stat sb;
	int fd, saved, r = AAD_EINTERNAL;

	*outp = NULL;
	fd = openat(dirfd, name,
	    O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	if (fd == -1) {
		if (errno == ENOENT)
			return AAD_ENOENT;
		return errno == ELOOP || errno == ENXIO ? AAD_EPERM : AAD_ESYS;
	}
	if (fstat(fd, &sb) == -1) {
		r = AAD_ESYS;
		goto out;
	}
	if (!S_ISREG(sb.st_mode) || sb.st_nlink != 1 ||
	    sb.st_uid != geteuid() || (sb.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
		r = AAD_EPERM;
		goto out;
	}
	if (sb.st_size < 0 || (uintmax_t)sb.st_size != len) {
		r = AAD_EFORMAT;
		goto out;
	}
	if ((r = secret_new(len, &s)) != 0 || (r = read_exact(fd, s)) != 0)
		goto out;
	*outp = s;
	s = NULL; /* now the caller's */
out:
	saved = errno;
	secret_free(s);
	close(fd);
	errno = saved;
	return r;
}

uint8_t *
secret_bytes(struct secret *s)
{
	return s->data;
}

size_t
secret_len(const struct secret *s)
{
	return s->len;
}

void
secret_free(struct secret *s)
{
	if (s == NULL)
		return;
	sodium_free(s->data);
	free(s);
}
