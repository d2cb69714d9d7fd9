/* SPDX-License-Identifier: ISC */

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/text.h"
#include "host/session.h"

#define MAGIC	"aadssh-session "
#define VERSION "1"
#define AUTH	".auth"

/* What is left of the text; lines are cut off its front. */
struct lines {
	char *p;
	char *value; /* of the line that was taken last */
};

/* Whether the next line is "name value"; it is taken then. */
static bool
take(struct lines *l, const char *name)
{
	size_t len = strlen(name);
	char *end;

	if (strncmp(l->p, name, len) != 0 || l->p[len] != ' ')
		return false;
	if ((end = strchr(l->p, '\n')) == NULL)
		return false;
	*end = '\0';
	l->value = l->p + len + 1;
	l->p = end + 1;
	return l->value[0] != '\0';
}

/* A line that must be there, its value copied; size with the NUL. */
static bool
need(struct lines *l, const char *name, char *out, size_t size)
{
	size_t len;

	if (!take(l, name) || (len = strlen(l->value)) >= size)
		return false;
	memcpy(out, l->value, len + 1);
	return true;
}

/* The same for one that may be left out. */
static bool
may(struct lines *l, const char *name, char *out, size_t size)
{
	size_t len = strlen(name);

	if (strncmp(l->p, name, len) != 0 || l->p[len] != ' ')
		return true;
	return need(l, name, out, size);
}

/* Decimal in its shortest form. */
static bool
number(const char *s, uint64_t max, uint64_t *np)
{
	return (s[0] != '0' || s[1] == '\0') && text_number(s, max, np);
}

static bool
need_number(struct lines *l, const char *name, int64_t min, int64_t max,
    int64_t *np)
{
	uint64_t n;

	if (!take(l, name) || !number(l->value, (uint64_t)max, &n))
		return false;
	*np = (int64_t)n;
	return *np >= min;
}

static bool
may_serial(struct lines *l, struct session *s)
{
	char text[21] = "";

	if (!may(l, "serial", text, sizeof(text)))
		return false;
	s->has_serial = text[0] != '\0';
	return !s->has_serial || number(text, UINT64_MAX, &s->serial);
}

static bool
method_ok(const char *s)
{
	return strcmp(s, "publickey") == 0 ||
	       strcmp(s, "keyboard-interactive") == 0 ||
	       strcmp(s, "other") == 0;
}

/* Whether what was copied is of its kind; "" is what was left out. */
static bool
sane(const struct session *s)
{
	uint8_t hash[32];

	return s->exe[0] == '/' && name_login_ok(s->login) &&
	       strchr(s->source, ' ') == NULL &&
	       (s->tid[0] == '\0' || name_guid_ok(s->tid)) &&
	       (s->oid[0] == '\0' || name_guid_ok(s->oid)) &&
	       (s->key[0] == '\0' ||
		   key_fingerprint_parse(s->key, hash) == 0) &&
	       method_ok(s->method);
}

static bool
body_parse(char *text, struct session *s)
{
	struct lines l = { text, NULL };

	return need_number(&l, "pid", 1, INT32_MAX, &s->pid) &&
	       need_number(&l, "start", 0, INT64_MAX, &s->start) &&
	       need(&l, "exe", s->exe, sizeof(s->exe)) &&
	       need_number(&l, "opened", 0, INT64_MAX, &s->opened) &&
	       need(&l, "login", s->login, sizeof(s->login)) &&
	       may(&l, "source", s->source, sizeof(s->source)) &&
	       may(&l, "tid", s->tid, sizeof(s->tid)) &&
	       may(&l, "oid", s->oid, sizeof(s->oid)) &&
	       may(&l, "upn", s->upn, sizeof(s->upn)) &&
	       may(&l, "key", s->key, sizeof(s->key)) && may_serial(&l, s) &&
	       need(&l, "method", s->method, sizeof(s->method)) &&
	       strcmp(l.p, "end\n") == 0 && sane(s);
}

/* The first line; *restp is what is behind it. */
static int
head_parse(const char *text, const char **restp)
{
	size_t digits;

	if (strncmp(text, MAGIC, strlen(MAGIC)) != 0)
		return AAD_EFORMAT;
	text += strlen(MAGIC);
	digits = strspn(text, "0123456789");
	if (digits == 0 || text[0] == '0' || text[digits] != '\n')
		return AAD_EFORMAT;
	if (digits != strlen(VERSION) || text[0] != VERSION[0])
		return AAD_EVERSION;
	*restp = text + digits + 1;
	return 0;
}

int
session_parse(const char *text, size_t len, struct session *out)
{
	char copy[SESSION_MAX + 1];
	const char *rest;
	size_t i;
	int r;

	memset(out, 0, sizeof(*out));
	if (len > SESSION_MAX)
		return AAD_EFORMAT;
	for (i = 0; i < len; i++)
		if (text[i] != '\n' && (text[i] < ' ' || text[i] > '~'))
			return AAD_EFORMAT;
	if ((r = head_parse(text, &rest)) != 0)
		return r;
	memcpy(copy, rest, len - (size_t)(rest - text) + 1);
	if (body_parse(copy, out))
		return 0;
	memset(out, 0, sizeof(*out));
	return AAD_EFORMAT;
}

int
session_dir_open(const char *run, uid_t self, int *fdp)
{
	const struct file_owner any = { FILE_ANY_OWNER, FILE_ANY_OWNER,
		.linked = false };
	const struct file_owner own = { self, FILE_ANY_OWNER, .linked = false };
	char path[PATH_MAX];
	int n, r;

	*fdp = -1;
	n = snprintf(path, sizeof(path), "%s/sessions", run);
	if (n < 0 || (size_t)n >= sizeof(path))
		return AAD_ETOOBIG;
	if ((r = file_dir_check(AT_FDCWD, run, any)) != 0)
		return r;
	return file_dir_open(AT_FDCWD, path, own, fdp);
}

/* The pid that name begins with; tail must be all that follows it. */
static bool
pid_of(const char *name, const char *tail, uint64_t *pidp)
{
	char digits[11];
	size_t len = strcspn(name, ".");

	if (len == 0 || len >= sizeof(digits) || name[0] == '0' ||
	    strcmp(name + len, tail) != 0)
		return false;
	memcpy(digits, name, len);
	digits[len] = '\0';
	return text_number(digits, INT32_MAX, pidp);
}

int
session_load(int dirfd, const char *name, uid_t self, struct session *out)
{
	const struct file_owner own = { self, FILE_ANY_OWNER, .linked = false };
	char *text;
	uint64_t pid;
	size_t len;
	int r;

	memset(out, 0, sizeof(*out));
	if (!pid_of(name, "", &pid) && !pid_of(name, AUTH, &pid))
		return AAD_EARG;
	r = file_read(dirfd, name, own, SESSION_MAX, &text, &len);
	if (r != 0)
		return r == AAD_ETOOBIG ? AAD_EFORMAT : r;
	r = session_parse(text, len, out);
	free(text);
	if (r == 0 && (uint64_t)out->pid != pid) {
		memset(out, 0, sizeof(*out));
		r = AAD_EFORMAT;
	}
	return r;
}

struct walk {
	file_each_fn *fn;
	void *arg;
	const char *tail;
};

static int
walk_name(void *arg, const char *name)
{
	const struct walk *w = arg;
	uint64_t pid;

	return pid_of(name, w->tail, &pid) ? w->fn(w->arg, name) : 0;
}

int
session_each(int dirfd, file_each_fn *fn, void *arg)
{
	struct walk w = { fn, arg, "" };

	return file_dir_each(dirfd, walk_name, &w);
}

int
session_auth_each(int dirfd, file_each_fn *fn, void *arg)
{
	struct walk w = { fn, arg, AUTH };

	return file_dir_each(dirfd, walk_name, &w);
}
