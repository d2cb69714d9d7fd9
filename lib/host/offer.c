/* SPDX-License-Identifier: ISC */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "core/file.h"
#include "core/name.h"
#include "core/text.h"
#include "host/offer.h"

#define MODE_FILE 0640
#define PID_LEN	  10 /* digits of INT32_MAX */

int
offer_dir_open(const char *run, int *fdp)
{
	const struct file_owner any = { FILE_ANY_OWNER, FILE_ANY_OWNER,
		.linked = false };
	char path[PATH_MAX];
	struct stat sb;
	int fd, n, r;

	*fdp = -1;
	n = snprintf(path, sizeof(path), "%s/offers", run);
	if (n < 0 || (size_t)n >= sizeof(path))
		return AAD_ETOOBIG;
	if ((r = file_dir_check(AT_FDCWD, run, any)) != 0)
		return r;
	fd = openat(AT_FDCWD, path,
	    O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1) {
		if (errno == ENOENT)
			return AAD_ENOENT;
		return errno == ENOTDIR || errno == ELOOP ? AAD_EPERM
							  : AAD_ESYS;
	}
	r = fstat(fd, &sb) == -1 ? AAD_ESYS : 0;
	if (r == 0 && (!S_ISDIR(sb.st_mode) || (sb.st_mode & S_IWOTH) != 0))
		r = AAD_EPERM;
	if (r != 0) {
		file_close(fd);
		return r;
	}
	*fdp = fd;
	return 0;
}

/* Whether more than an eighth of all, or than enough, is left. */
static bool
left(uint64_t free, uint64_t all, uint64_t enough)
{
	return free > (all / 8 < enough ? all / 8 : enough);
}

bool
offer_room(int dirfd)
{
	struct statvfs fs;

	if (fstatvfs(dirfd, &fs) == -1 || fs.f_frsize == 0)
		return false;
	/* NB. a file system that counts no files has no bound on them. */
	return left(fs.f_bavail, fs.f_blocks, OFFER_ROOM / fs.f_frsize) &&
	       (fs.f_files == 0 ||
		   left(fs.f_favail, fs.f_files, OFFER_ROOM_FILES));
}

/* The file's name; false for what is no pid. */
static bool
pid_name(int64_t monitor, char out[static PID_LEN + 1])
{
	if (monitor < 1 || monitor > INT32_MAX)
		return false;
	snprintf(out, PID_LEN + 1, "%" PRId32, (int32_t)monitor);
	return true;
}

/* Printable ASCII without a blank, at least one byte. */
static bool
one_word(const char *s)
{
	size_t i;

	for (i = 0; s[i] != '\0'; i++)
		if (s[i] <= ' ' || s[i] > '~')
			return false;
	return i > 0;
}

static int
judge(int fd, size_t len)
{
	struct stat sb;

	if (fstat(fd, &sb) == -1)
		return AAD_ESYS;
	if (!S_ISREG(sb.st_mode) || sb.st_nlink != 1 ||
	    (sb.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return AAD_EPERM;
	/* NB. nobody else writes at this moment: sshd asks once at a time. */
	return sb.st_size < 0 || sb.st_size > OFFER_FILE_MAX - (off_t)len
		   ? AAD_ETOOBIG
		   : 0;
}

int
offer_append(int dirfd, int64_t monitor, int64_t boottime_ns, const char *login,
    const char *type, const char *base64)
{
	char line[OFFER_LINE_MAX + 1], name[PID_LEN + 1];
	ssize_t written;
	int fd, n, r;

	if (!pid_name(monitor, name) || boottime_ns < 0 ||
	    !name_login_ok(login) || !one_word(type) || !one_word(base64))
		return AAD_EARG;
	n = snprintf(line, sizeof(line), "%" PRId64 " %s %s %s\n", boottime_ns,
	    login, type, base64);
	if (n < 0 || (size_t)n >= sizeof(line))
		return AAD_ETOOBIG;
	fd = openat(dirfd, name,
	    O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK |
		O_CLOEXEC | O_NOCTTY,
	    MODE_FILE);
	if (fd == -1)
		return errno == ELOOP || errno == ENXIO || errno == EISDIR
			   ? AAD_EPERM
			   : AAD_ESYS;
	if ((r = judge(fd, (size_t)n)) == 0) {
		written = write(fd, line, (size_t)n);
		if (written != n)
			r = AAD_ESYS;
	}
	file_close(fd);
	return r;
}

/* The fields of one line, cut in place. */
struct line {
	uint64_t boottime_ns;
	const char *login;
	const char *type;
	const char *base64;
};

/* Cut text at its first blank and return what is behind it. */
static char *
cut(char *text)
{
	char *blank = text == NULL ? NULL : strchr(text, ' ');

	if (blank == NULL)
		return NULL;
	*blank = '\0';
	return blank + 1;
}

/* text: one line, NUL-terminated in place of its line feed. */
static bool
line_parse(char *text, size_t len, struct line *l)
{
	char *login, *type, *base64;

	if (len > OFFER_LINE_MAX || strlen(text) != len)
		return false;
	login = cut(text);
	type = cut(login);
	base64 = cut(type);
	if (base64 == NULL || !text_number(text, INT64_MAX, &l->boottime_ns))
		return false;
	l->login = login;
	l->type = type;
	l->base64 = base64; /* key_decode() refuses a blank in it */
	return true;
}

static bool
have(const struct offers *o, const struct key *key)
{
	size_t i;

	for (i = 0; i < o->n; i++)
		if (memcmp(o->items[i].key.hash, key->hash,
			sizeof(key->hash)) == 0)
			return true;
	return false;
}

/* Take the key of a line unless it is unsound or there already. */
static int
take(const struct line *l, struct offers *out)
{
	struct key fast, sound;
	enum reason why;
	int r;

	memset(&sound, 0, sizeof(sound));
	if ((r = key_decode(l->type, l->base64, &fast, &why)) != 0)
		return r == AAD_EREFUSED ? 0 : r;
	if (!have(out, &fast))
		/* NB. judges more than key_decode(): a key enters here. */
		r = key_from_blob(fast.blob, fast.blob_len, &sound, &why);
	key_release(&fast);
	if (r != 0)
		return r == AAD_EREFUSED ? 0 : r;
	if (sound.kind != KEY_NONE)
		out->items[out->n++].key = sound;
	return 0;
}

static int
take_lines(char *text, size_t len, uint64_t not_before_ns, uint64_t now_ns,
    const char *login, struct offers *out)
{
	char *end, *p = text;
	struct line l;
	int r = 0;

	/* What no line feed ends was not written whole. */
	while (r == 0 && out->n < OFFER_KEYS_MAX &&
	       (end = memchr(p, '\n', len - (size_t)(p - text))) != NULL) {
		*end = '\0';
		if (line_parse(p, (size_t)(end - p), &l) &&
		    l.boottime_ns >= not_before_ns && l.boottime_ns <= now_ns &&
		    strcmp(l.login, login) == 0)
			r = take(&l, out);
		p = end + 1;
	}
	return r;
}

int
offers_parse(char *text, size_t len, int64_t not_before_ns, int64_t now_ns,
    const char *login, struct offers *out)
{
	int r;

	memset(out, 0, sizeof(*out));
	if (not_before_ns < 0 || now_ns < 0 || !name_login_ok(login))
		return AAD_EARG;
	out->items = calloc(OFFER_KEYS_MAX, sizeof(*out->items));
	if (out->items == NULL)
		return AAD_ENOMEM;
	r = take_lines(text, len, (uint64_t)not_before_ns, (uint64_t)now_ns,
	    login, out);
	if (r != 0)
		offers_release(out);
	return r;
}

/* The bytes of a connection's file, judged; AAD_ENOENT for none. */
static int
read_file(int dirfd, const char *name, char **textp, size_t *lenp)
{
	struct file_owner right = { 0, FILE_ANY_OWNER, .linked = false };
	struct stat sb;

	*textp = NULL;
	*lenp = 0;
	if (fstat(dirfd, &sb) == -1)
		return AAD_ESYS;
	right.owner = sb.st_uid;
	return file_read(dirfd, name, right, OFFER_FILE_MAX, textp, lenp);
}

int
offer_read(int dirfd, int64_t monitor, int64_t not_before_ns, int64_t now_ns,
    const char *login, struct offers *out)
{
	char name[PID_LEN + 1], *text;
	size_t len;
	int r;

	memset(out, 0, sizeof(*out));
	if (!pid_name(monitor, name) || not_before_ns < 0 || now_ns < 0 ||
	    !name_login_ok(login))
		return AAD_EARG;
	if ((r = read_file(dirfd, name, &text, &len)) != 0)
		return r == AAD_ENOENT ? 0 : r;
	r = offers_parse(text, len, not_before_ns, now_ns, login, out);
	free(text);
	return r;
}

int
offer_remove(int dirfd, int64_t monitor)
{
	char name[PID_LEN + 1];

	if (!pid_name(monitor, name))
		return AAD_EARG;
	/* NB. not fsynced: RUN does not outlive the system's start. */
	if (unlinkat(dirfd, name, 0) == -1)
		return errno == ENOENT ? AAD_ENOENT : AAD_ESYS;
	return 0;
}

struct walk {
	offer_each_fn *fn;
	void *arg;
};

static int
walk_name(void *arg, const char *name)
{
	const struct walk *w = arg;
	uint64_t n;

	if (name[0] == '0' || !text_number(name, INT32_MAX, &n))
		return 0;
	return w->fn(w->arg, (int64_t)n);
}

int
offer_each(int dirfd, offer_each_fn *fn, void *arg)
{
	struct walk w = { fn, arg };

	return file_dir_each(dirfd, walk_name, &w);
}

void
offers_release(struct offers *o)
{
	size_t i;

	for (i = 0; i < o->n; i++)
		key_release(&o->items[i].key);
	free(o->items);
	o->items = NULL;
	o->n = 0;
}
