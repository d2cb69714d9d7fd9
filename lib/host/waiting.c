/* SPDX-License-Identifier: ISC */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/text.h"
#include "host/waiting.h"

#define MODE_FILE 0600
#define PREFIX	  "@flow."
#define SLOT_LEN  (sizeof(PREFIX) - 1 + 4) /* digits of WAITING_SLOTS_MAX */
#define TEXT_MAX  160 /* bytes of a slot's line; the longest has 128 */

/* Printable ASCII without a blank, within its bound; "-" is not a source. */
static bool
source_ok(const char *s)
{
	size_t i;

	for (i = 0; s[i] != '\0'; i++)
		if (s[i] <= ' ' || s[i] > '~' || i >= WAITING_SOURCE_MAX)
			return false;
	return i > 0 && strcmp(s, "-") != 0;
}

/* The line's field up to the byte end, cut in place. */
static char *
field(char **pp, char end)
{
	char *start = *pp, *p = strchr(start, end);

	if (p == NULL)
		return NULL;
	*p = '\0';
	*pp = p + 1;
	return start;
}

static bool
line_parse(char *text, struct waiting *w)
{
	char *since, *pid, *login, *source;
	uint64_t t, p;

	memset(w, 0, sizeof(*w));
	if ((since = field(&text, ' ')) == NULL ||
	    (pid = field(&text, ' ')) == NULL ||
	    (login = field(&text, ' ')) == NULL ||
	    (source = field(&text, '\n')) == NULL || *text != '\0' ||
	    !text_number(since, INT64_MAX, &t) ||
	    !text_number(pid, INT32_MAX, &p) || !name_login_ok(login))
		return false;
	if (strcmp(source, "-") != 0) {
		if (!source_ok(source))
			return false;
		memcpy(w->source, source, strlen(source) + 1);
	}
	w->since = (int64_t)t;
	w->pid = (int64_t)p;
	memcpy(w->login, login, strlen(login) + 1);
	return true;
}

/* Who took the slot that is open at fd; false when it does not say. */
static bool
slot_read(int fd, struct waiting *w)
{
	char text[TEXT_MAX + 1];
	ssize_t n;

	memset(w, 0, sizeof(*w));
	n = pread(fd, text, TEXT_MAX, 0);
	if (n <= 0)
		return false;
	text[n] = '\0';
	return strlen(text) == (size_t)n && line_parse(text, w);
}

/* Replace a slot's text.  A crash in between leaves a slot at rest never. */
static int
slot_write(int fd, const char *login, const char *source, int64_t pid,
    int64_t now)
{
	char text[TEXT_MAX + 1];
	int n;

	n = snprintf(text, sizeof(text), "%" PRId64 " %" PRId64 " %s %s\n", now,
	    pid, login, source == NULL ? "-" : source);
	if (n < 0 || (size_t)n >= sizeof(text))
		return AAD_EINTERNAL;
	if (ftruncate(fd, 0) == -1 ||
	    pwrite(fd, text, (size_t)n, 0) != (ssize_t)n)
		return AAD_ESYS;
	return 0;
}

void
waiting_done(int fd)
{
	if (fd == -1)
		return;
	/* NB. a slot without text does not rest. */
	if (ftruncate(fd, 0) == -1) {
		/* As said. */
	}
	close(fd);
}

/* Open a slot, judged.  O_CREAT or 0 in make. */
static int
slot_open(int dir, const char *name, uid_t owner, int make, int *fdp)
{
	struct stat sb;
	int fd, r = 0;

	*fdp = -1;
	fd = openat(dir, name,
	    O_RDWR | make | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY,
	    MODE_FILE);
	if (fd == -1)
		return errno == ELOOP || errno == ENXIO || errno == EISDIR
			   ? AAD_EPERM
			   : AAD_ESYS;
	if (fstat(fd, &sb) == -1)
		r = AAD_ESYS;
	else if (!S_ISREG(sb.st_mode) || sb.st_nlink != 1 ||
		 sb.st_uid != owner || (sb.st_mode & (S_IRWXG | S_IRWXO)) != 0)
		r = AAD_EPERM;
	if (r != 0) {
		file_close(fd);
		return r;
	}
	*fdp = fd;
	return 0;
}

/* Lock the slot that is open at fd; AAD_EAGAIN when somebody holds it. */
static int
slot_lock(int fd)
{
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	return errno == EWOULDBLOCK ? AAD_EAGAIN : AAD_ESYS;
}

struct look {
	const struct cache *c;
	int dir; /* locks/ */
	const char *source;
	int64_t now;
	int64_t same; /* slots of the same source that are not free */
	int free; /* the first free slot, locked; -1: none yet */
};

static bool
rests(const struct waiting *w, int64_t now)
{
	return w->since <= now && now - w->since < WAITING_REST;
}

/* Look at one slot: keep it if it is free, count it if it is ours. */
static int
look_at(struct look *l, int64_t i)
{
	char name[SLOT_LEN + 1];
	struct waiting w;
	bool known;
	int fd, r;

	snprintf(name, sizeof(name), PREFIX "%u", (unsigned int)i % 10000U);
	r = slot_open(l->dir, name, l->c->right.owner, O_CREAT, &fd);
	if (r != 0)
		/* NB. what is planted there is not free, and nobody's. */
		return r == AAD_EPERM ? 0 : r;
	known = slot_read(fd, &w);
	r = slot_lock(fd);
	if (r == 0 && !(known && rests(&w, l->now)) && l->free == -1) {
		l->free = fd;
		return 0;
	}
	if (known && (r == AAD_EAGAIN || rests(&w, l->now)) &&
	    text_same_source(w.source, l->source == NULL ? "" : l->source))
		l->same++;
	file_close(fd);
	return r == AAD_EAGAIN ? 0 : r;
}

/* All slots, while nobody else looks: what is counted stays so. */
static int
look(struct look *l, int64_t per_host, int64_t per_source)
{
	int64_t i;
	int r = 0;

	for (i = 0; r == 0 && i < per_host; i++)
		r = look_at(l, i);
	if (r == 0 && l->same >= per_source)
		r = AAD_EREFUSED;
	if (r == 0 && l->free == -1)
		r = AAD_EAGAIN;
	return r;
}

int
waiting_take(const struct cache *c, int64_t per_host, int64_t per_source,
    const char *login, const char *source, int64_t pid, int64_t now, int *fdp)
{
	struct look l = { c, -1, source, now, 0, -1 };
	int guard, r;

	*fdp = -1;
	if (per_host < 1 || per_host > WAITING_SLOTS_MAX || per_source < 1 ||
	    !name_login_ok(login) || (source != NULL && !source_ok(source)) ||
	    pid < 1 || pid > INT32_MAX || now < 0)
		return AAD_EARG;
	if ((r = cache_lock(c, CACHE_LOCK_WAITING, &guard)) != 0)
		return r;
	if ((r = file_dir_open(c->dir, "locks", c->right, &l.dir)) == 0 &&
	    (r = look(&l, per_host, per_source)) == 0)
		r = slot_write(l.free, login, source, pid, now);
	file_close(l.dir);
	file_close(guard);
	if (r != 0) {
		file_close(l.free);
		return r;
	}
	*fdp = l.free;
	return 0;
}

/* Those who wait, copied, so that nobody is kept out while fn works. */
struct walk {
	const struct cache *c;
	int dir;
	struct waiting *found; /* heap */
	size_t n;
};

static int
keep(struct walk *w, const struct waiting *one)
{
	struct waiting *more;

	more = realloc(w->found, (w->n + 1) * sizeof(*more));
	if (more == NULL)
		return AAD_ENOMEM;
	w->found = more;
	w->found[w->n++] = *one;
	return 0;
}

static int
walk_slot(void *arg, const char *name)
{
	struct walk *w = arg;
	struct waiting one;
	uint64_t n;
	bool known;
	int fd, r;

	if (strncmp(name, PREFIX, strlen(PREFIX)) != 0 ||
	    !text_number(name + strlen(PREFIX), WAITING_SLOTS_MAX - 1, &n))
		return 0;
	r = slot_open(w->dir, name, w->c->right.owner, 0, &fd);
	if (r == AAD_EPERM)
		return 0; /* planted, and nobody's */
	if (r != 0)
		return errno == ENOENT ? 0 : r;
	known = slot_read(fd, &one);
	r = slot_lock(fd);
	file_close(fd);
	if (r != AAD_EAGAIN)
		return r;
	return known ? keep(w, &one) : 0;
}

int
waiting_each(const struct cache *c, waiting_each_fn *fn, void *arg)
{
	struct walk w = { c, -1, NULL, 0 };
	int guard, r;
	size_t i;

	/* So that nobody who looks for a slot takes our look for a holder. */
	if ((r = cache_lock(c, CACHE_LOCK_WAITING, &guard)) != 0)
		return r;
	if ((r = file_dir_open(c->dir, "locks", c->right, &w.dir)) == 0)
		r = file_dir_each(w.dir, walk_slot, &w);
	file_close(w.dir);
	file_close(guard);
	for (i = 0; r == 0 && i < w.n; i++)
		r = fn(arg, &w.found[i]);
	free(w.found);
	return r;
}
