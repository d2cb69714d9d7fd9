/* SPDX-License-Identifier: ISC */

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ca/app.h"
#include "ca/keyfile.h"

/* At most max bytes of a file; more is AAD_ETOOBIG. */
static int
read_some(const char *path, char *buf, size_t max, size_t *lenp)
{
	size_t len = 0;
	ssize_t n;
	int fd, saved;

	/* NB. O_NONBLOCK: a FIFO must not hang us; files ignore it. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd == -1)
		return errno == ENOENT ? AAD_ENOENT : AAD_ESYS;
	do {
		n = read(fd, buf + len, max + 1 - len);
		if (n > 0)
			len += (size_t)n;
	} while ((n > 0 && len <= max) || (n == -1 && errno == EINTR));
	saved = errno;
	close(fd);
	errno = saved;
	*lenp = len;
	return n == -1 ? AAD_ESYS : len > max ? AAD_ETOOBIG : 0;
}

int
keyfile_slurp(const char *path, size_t max, char **bufp, size_t *lenp)
{
	char *buf;
	int r;

	*bufp = NULL;
	*lenp = 0;
	if ((buf = malloc(max + 2)) == NULL)
		return AAD_ENOMEM;
	if ((r = read_some(path, buf, max, lenp)) != 0) {
		/* NB. somebody may have named a private key. */
		explicit_bzero(buf, max + 2);
		free(buf);
		*lenp = 0;
		return r;
	}
	buf[*lenp] = '\0';
	*bufp = buf;
	return 0;
}

int
keyfile_secret(const char *path, struct secret **outp)
{
	struct secret *s = NULL, *fit = NULL;
	size_t len = 0;
	int r;

	*outp = NULL;
	if ((r = secret_new(SECRET_MAX, &s)) != 0)
		return r;
	r = read_some(path, (char *)secret_bytes(s), SECRET_MAX - 1, &len);
	if (r == 0 && len == 0)
		r = AAD_EFORMAT;
	if (r == 0 && (r = secret_new(len, &fit)) == 0)
		memcpy(secret_bytes(fit), secret_bytes(s), len);
	secret_free(s);
	*outp = fit;
	return r;
}

const char *
keyfile_fault(int r, int error)
{
	switch (r) {
	case AAD_ENOENT:
		return "there is no such file";
	case AAD_ESYS:
		return strerror(error);
	case AAD_ETOOBIG:
		return "it is too large to be what was asked for";
	case AAD_EFORMAT:
		return "it is not what was asked for";
	default:
		return err_name(r);
	}
}

int
keyfile_read(const char *path, struct key *k, enum reason *whyp)
{
	size_t len;
	char *buf;
	int r;

	memset(k, 0, sizeof(*k));
	*whyp = AAD_R_UNSET;
	if ((r = keyfile_slurp(path, CA_PUB_MAX, &buf, &len)) != 0) {
		if (r == AAD_ENOMEM)
			*whyp = AAD_R_NO_MEMORY;
		return r;
	}
	r = key_from_pub(buf, len, k, whyp);
	explicit_bzero(buf, len);
	free(buf);
	return r;
}

static int
parse_line(const char *line, size_t len, struct key *k)
{
	enum reason why;
	char *copy;
	int r;

	if ((copy = strndup(line, len)) == NULL)
		return AAD_ENOMEM;
	r = key_from_pub(copy, len, k, &why);
	free(copy);
	return r == AAD_EREFUSED ? AAD_EFORMAT : r;
}

static int
add_line(const char *line, size_t len, struct key **keysp, size_t *np)
{
	struct key *more = realloc(*keysp, (*np + 1) * sizeof(*more));
	int r;

	if (more == NULL)
		return AAD_ENOMEM;
	*keysp = more;
	if ((r = parse_line(line, len, &more[*np])) == 0)
		(*np)++;
	return r;
}

int
keyfile_parse_list(const char *text, size_t len, struct key **keysp, size_t *np)
{
	const char *end;
	size_t line;
	int r = 0;

	*keysp = NULL;
	*np = 0;
	while (len > 0 && r == 0) {
		end = memchr(text, '\n', len);
		line = end == NULL ? len : (size_t)(end - text);
		if (*text != '#')
			r = add_line(text, line, keysp, np);
		line += end != NULL;
		text += line;
		len -= line;
	}
	if (r != 0) {
		keyfile_free_list(*keysp, *np);
		*keysp = NULL;
		*np = 0;
	}
	return r;
}

void
keyfile_free_list(struct key *keys, size_t n)
{
	while (n > 0)
		key_release(&keys[--n]);
	free(keys);
}

int
keyfile_choose(const char *home, char out[static PATH_MAX])
{
	static const char *const names[] = { "id_ed25519", "id_ecdsa", "id_rsa",
		"id_ed25519_sk", "id_ecdsa_sk" };
	struct stat sb;
	size_t i;
	int n;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		n = snprintf(out, PATH_MAX, "%s/.ssh/%s.pub", home, names[i]);
		if (n < 0 || n >= PATH_MAX)
			return AAD_ETOOBIG;
		if (stat(out, &sb) == 0 && S_ISREG(sb.st_mode))
			return 0;
	}
	out[0] = '\0';
	return AAD_ENOENT;
}

int
keyfile_home(char out[static PATH_MAX])
{
	const struct passwd *pw = getpwuid(getuid());
	size_t len;

	if (pw == NULL || pw->pw_dir == NULL || pw->pw_dir[0] != '/')
		return AAD_ENOENT;
	if ((len = strlen(pw->pw_dir)) >= PATH_MAX)
		return AAD_ETOOBIG;
	memcpy(out, pw->pw_dir, len + 1);
	return 0;
}

static int
swap_suffix(const char *pub, const char *suffix, char out[static PATH_MAX])
{
	size_t len = strlen(pub), more = strlen(suffix);

	out[0] = '\0';
	if (len < 5 || strcmp(pub + len - 4, ".pub") != 0 ||
	    pub[len - 5] == '/')
		return AAD_EARG;
	if (len - 4 + more >= PATH_MAX)
		return AAD_ETOOBIG;
	memcpy(out, pub, len - 4);
	memcpy(out + len - 4, suffix, more + 1);
	return 0;
}

int
keyfile_cert_path(const char *pub, char out[static PATH_MAX])
{
	return swap_suffix(pub, "-cert.pub", out);
}

int
keyfile_private_path(const char *pub, char out[static PATH_MAX])
{
	return swap_suffix(pub, "", out);
}

int
keyfile_parent(const char *path, const char **namep)
{
	const char *slash = strrchr(path, '/');
	char dir[PATH_MAX];
	size_t len = slash == NULL ? 1 : (size_t)(slash - path);

	*namep = slash == NULL ? path : slash + 1;
	if (len == 0)
		len = 1; /* the root */
	if (len >= sizeof(dir) || **namep == '\0') {
		errno = len >= sizeof(dir) ? ENAMETOOLONG : EISDIR;
		return -1;
	}
	memcpy(dir, slash == NULL ? "." : path, len);
	dir[len] = '\0';
	return open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}
