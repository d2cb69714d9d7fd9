/* SPDX-License-Identifier: ISC */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/pam_aadssh/clean.h"
#include "cmd/pam_aadssh/judged.h"
#include "cmd/pam_aadssh/registry.h"

#define DIRECTORY "sessions"
#define FIRST	  "aadssh-session 1"

void
registry_name(int64_t pid, bool auth, char out[static REGISTRY_NAME_LEN])
{
	snprintf(out, REGISTRY_NAME_LEN, "%" PRId64 "%s", pid,
	    auth ? ".auth" : "");
}

static bool
copy(const char *value, bool ok, char *out, size_t outlen)
{
	if (!ok || strlen(value) >= outlen)
		return false;
	memcpy(out, value, strlen(value) + 1);
	return true;
}

static bool
copy_number(const char *value, int64_t *outp)
{
	uint64_t n;

	if (!clean_number(value, INT64_MAX, &n))
		return false;
	*outp = (int64_t)n;
	return true;
}

/* Where "NAME VALUE" has its value when NAME is name; else NULL. */
static const char *
value_of(const char *line, const char *name)
{
	size_t n = strlen(name);

	if (strncmp(line, name, n) != 0 || line[n] != ' ')
		return NULL;
	return line + n + 1;
}

bool
registry_fact(const char *fact, struct facts *f)
{
	const char *v;
	uint64_t n;

	if ((v = value_of(fact, "tid")) != NULL)
		return copy(v, clean_guid(v), f->tid, sizeof(f->tid));
	if ((v = value_of(fact, "oid")) != NULL)
		return copy(v, clean_guid(v), f->oid, sizeof(f->oid));
	if ((v = value_of(fact, "key")) != NULL)
		return copy(v, clean_fingerprint(v), f->key, sizeof(f->key));
	if ((v = value_of(fact, "serial")) != NULL)
		return copy(v,
		    clean_number(v, UINT64_MAX, &n) &&
			(v[0] != '0' || v[1] == '\0'),
		    f->serial, sizeof(f->serial));
	if ((v = value_of(fact, "upn")) != NULL && *v != '\0')
		clean_ascii(v, f->upn, sizeof(f->upn)); /* a name, no key */
	return true;
}

/* The directory, made when it isn't there; -1 with errno. */
static int
directory(const char *run)
{
	int top, dir, err;

	if ((top = judged_dir(AT_FDCWD, run, geteuid(), NULL)) == -1)
		return -1;
	dir = judged_dir(top, DIRECTORY, geteuid(), NULL);
	if (dir == -1 && errno == ENOENT &&
	    (mkdirat(top, DIRECTORY, 0700) == 0 || errno == EEXIST))
		dir = judged_dir(top, DIRECTORY, geteuid(), NULL);
	err = errno;
	close(top);
	errno = err;
	return dir;
}

/* Append "name value\n" when there is a value; false when it is full. */
static bool
put(char *text, size_t *lenp, const char *name, const char *value)
{
	size_t room = REGISTRY_FILE_MAX - *lenp;
	int n;

	if (value[0] == '\0')
		return true;
	n = snprintf(text + *lenp, room, "%s %s\n", name, value);
	if (n < 0 || (size_t)n >= room)
		return false;
	*lenp += (size_t)n;
	return true;
}

static bool
put_number(char *text, size_t *lenp, const char *name, int64_t value)
{
	char number[24];

	snprintf(number, sizeof(number), "%" PRId64, value);
	return put(text, lenp, name, number);
}

static bool
format(const struct entry *e, char text[static REGISTRY_FILE_MAX], size_t *lenp)
{
	int n = snprintf(text, REGISTRY_FILE_MAX, "%s\n", FIRST);

	*lenp = (size_t)n;
	if (!put_number(text, lenp, "pid", e->pid) ||
	    !put_number(text, lenp, "start", e->start) ||
	    !put(text, lenp, "exe", e->exe) ||
	    !put_number(text, lenp, "opened", e->opened) ||
	    !put(text, lenp, "login", e->login) ||
	    !put(text, lenp, "source", e->source) ||
	    !put(text, lenp, "tid", e->facts.tid) ||
	    !put(text, lenp, "oid", e->facts.oid) ||
	    !put(text, lenp, "upn", e->facts.upn) ||
	    !put(text, lenp, "key", e->facts.key) ||
	    !put(text, lenp, "serial", e->facts.serial) ||
	    !put(text, lenp, "method", e->method) ||
	    *lenp + 4 > REGISTRY_FILE_MAX)
		return false;
	memcpy(text + *lenp, "end\n", 4);
	*lenp += 4;
	return true;
}

static bool
write_all(int fd, const char *text, size_t len)
{
	ssize_t n;

	while (len > 0) {
		n = write(fd, text, len);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		text += n;
		len -= (size_t)n;
	}
	return true;
}

bool
registry_write(const char *run, const char *name, const struct entry *e)
{
	char text[REGISTRY_FILE_MAX], temp[REGISTRY_NAME_LEN + 8];
	int dir, fd, err;
	size_t len;
	bool ok = false;

	if (!format(e, text, &len)) {
		errno = EFBIG;
		return false;
	}
	if ((dir = directory(run)) == -1)
		return false;
	snprintf(temp, sizeof(temp), ".%s.tmp", name);
	unlinkat(dir, temp, 0);
	fd = openat(dir, temp,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd != -1) {
		/* NB. the umask is sshd's. */
		ok = fchmod(fd, 0600) == 0 && write_all(fd, text, len) &&
		     renameat(dir, temp, dir, name) == 0;
		err = errno;
		close(fd);
		if (!ok)
			unlinkat(dir, temp, 0);
		errno = err;
	}
	err = errno;
	close(dir);
	errno = err;
	return ok;
}

static bool
parse_line(const char *line, struct entry *e)
{
	const char *v;

	if ((v = value_of(line, "pid")) != NULL)
		return copy_number(v, &e->pid);
	if ((v = value_of(line, "start")) != NULL)
		return copy_number(v, &e->start);
	if ((v = value_of(line, "opened")) != NULL)
		return copy_number(v, &e->opened);
	if ((v = value_of(line, "exe")) != NULL)
		return copy(v, clean_printable(v), e->exe, sizeof(e->exe));
	if ((v = value_of(line, "login")) != NULL)
		return copy(v, clean_login(v), e->login, sizeof(e->login));
	if ((v = value_of(line, "source")) != NULL)
		return copy(v, clean_printable(v), e->source,
		    sizeof(e->source));
	if ((v = value_of(line, "method")) != NULL)
		return copy(v, clean_printable(v), e->method,
		    sizeof(e->method));
	return registry_fact(line, &e->facts);
}

/* The lines of text, of which the first and the last are fixed. */
static bool
parse(char *text, size_t len, struct entry *e)
{
	char *line, *next;
	bool first = true;

	if (strlen(text) != len)
		return false;
	for (line = text; (next = strchr(line, '\n')) != NULL; line = next) {
		*next++ = '\0';
		if (first && strcmp(line, FIRST) != 0)
			return false;
		if (!first && strcmp(line, "end") == 0)
			return *next == '\0';
		if (!first && !parse_line(line, e))
			return false;
		first = false;
	}
	return false;
}

bool
registry_read(const char *run, const char *name, struct entry *out)
{
	char text[REGISTRY_FILE_MAX + 1];
	ssize_t n;
	int dir;

	memset(out, 0, sizeof(*out));
	if ((dir = directory(run)) == -1)
		return false;
	n = judged_file(dir, name, geteuid(), text, sizeof(text));
	close(dir);
	if (n == -1)
		return false;
	if (!parse(text, (size_t)n, out)) {
		memset(out, 0, sizeof(*out));
		return false;
	}
	return true;
}

bool
registry_remove(const char *run, const char *name)
{
	int dir, err;

	if ((dir = directory(run)) == -1)
		return errno == ENOENT;
	err = unlinkat(dir, name, 0) == -1 ? errno : 0;
	close(dir);
	return err == 0 || err == ENOENT;
}
