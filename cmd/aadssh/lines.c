/* SPDX-License-Identifier: ISC */

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/aadssh/lines.h"

#define CHUNK	4096 /* bytes that one read(2) takes */
#define WAIT_MS 250 /* how late a stop may be seen when a signal races */

void
lines_init(struct lines *l, int in, int out, volatile sig_atomic_t *stop)
{
	memset(l, 0, sizeof(*l));
	l->in = in;
	l->out = out;
	l->stop = stop;
}

void
lines_release(struct lines *l)
{
	free(l->buf);
	l->buf = NULL;
	l->len = l->size = 0;
}

/* Nobody is there any more: what still runs has no purpose. */
static int
gone(struct lines *l)
{
	*l->stop = 1;
	return AAD_EREFUSED;
}

static int
grow(struct lines *l)
{
	size_t size = l->size == 0 ? 2 * CHUNK : 2 * l->size;
	char *buf;

	if (l->size - l->len > CHUNK)
		return 0;
	if ((buf = realloc(l->buf, size)) == NULL)
		return AAD_ENOMEM;
	l->buf = buf;
	l->size = size;
	return 0;
}

/*
 * Read what comes within wait_ms.
 * Returns 0; AAD_ENOENT for nothing; AAD_EFORMAT for the end; AAD_ENOMEM;
 * AAD_ESYS.
 */
static int
fill(struct lines *l, int wait_ms)
{
	struct pollfd p = { l->in, POLLIN, 0 };
	ssize_t n;
	int r;

	if ((r = poll(&p, 1, wait_ms)) == 0 || (r == -1 && errno == EINTR))
		return AAD_ENOENT;
	if (r == -1)
		return AAD_ESYS;
	if ((r = grow(l)) != 0)
		return r;
	n = read(l->in, l->buf + l->len, CHUNK);
	if (n == -1)
		return errno == EINTR || errno == EAGAIN ? AAD_ENOENT
							 : AAD_ESYS;
	l->len += (size_t)n;
	return n == 0 ? AAD_EFORMAT : 0;
}

/* Take n bytes off the front. */
static void
drop(struct lines *l, size_t n)
{
	l->len -= n;
	memmove(l->buf, l->buf + n, l->len);
}

int
lines_header(struct lines *l, size_t max, char **textp, size_t *lenp)
{
	const char *end;
	size_t len;
	int r = AAD_ENOENT;

	*textp = NULL;
	*lenp = 0;
	while ((end = l->len == 0 ? NULL : memmem(l->buf, l->len, "\n\n", 2)) ==
	       NULL) {
		if (l->len > max)
			return AAD_ETOOBIG;
		if (*l->stop != 0)
			return AAD_EREFUSED;
		if ((r = fill(l, WAIT_MS)) != 0 && r != AAD_ENOENT)
			return r;
	}
	len = (size_t)(end - l->buf) + 2;
	if (len > max)
		return AAD_ETOOBIG;
	if ((*textp = malloc(len + 1)) == NULL)
		return AAD_ENOMEM;
	memcpy(*textp, l->buf, len);
	(*textp)[len] = '\0';
	*lenp = len;
	drop(l, len);
	return 0;
}

/* Copy an answer's text without the blanks around it. */
static void
trim(const char *text, size_t len, char out[static LINES_ANSWER_MAX + 1])
{
	while (len > 0 && text[len - 1] == ' ')
		len--;
	while (len > 0 && text[0] == ' ') {
		text++;
		len--;
	}
	memcpy(out, text, len);
	out[len] = '\0';
}

int
lines_answer(struct lines *l, int wait_ms,
    char out[static LINES_ANSWER_MAX + 1])
{
	const char *end = NULL;
	size_t len;
	int r;

	out[0] = '\0';
	if (*l->stop != 0)
		return AAD_EREFUSED;
	if (l->len != 0)
		end = memchr(l->buf, '\n', l->len);
	if (end == NULL) {
		r = fill(l, wait_ms);
		if (r != 0)
			return r == AAD_ENOENT ? r : gone(l);
		end = memchr(l->buf, '\n', l->len);
	}
	len = end == NULL ? l->len : (size_t)(end - l->buf);
	if (len > LINES_ANSWER_MAX + 2)
		return gone(l);
	if (end == NULL)
		return AAD_ENOENT;
	if (len < 2 || memcmp(l->buf, "A ", 2) != 0)
		return gone(l);
	trim(l->buf + 2, len - 2, out);
	drop(l, len + 1);
	return 0;
}

static void
put(struct lines *l, const char *line, size_t len)
{
	ssize_t n;

	l->written += len;
	while (len > 0) {
		n = write(l->out, line, len);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1) {
			gone(l);
			return;
		}
		line += n;
		len -= (size_t)n;
	}
}

void
lines_say(struct lines *l, char kind, const char *text)
{
	char line[LINES_LINE_MAX];
	size_t i, max = LINES_TOTAL_MAX, len = strlen(text);

	/* The last lines must always fit. */
	if (kind == 'I' || kind == 'P')
		max -= LINES_VERDICT;
	if (len > sizeof(line) - 3)
		len = sizeof(line) - 3;
	if (l->written + len + 3 > max)
		return;
	line[0] = kind;
	line[1] = ' ';
	for (i = 0; i < len; i++)
		line[i + 2] = (unsigned char)text[i] < ' ' || text[i] == '\177'
				  ? '?'
				  : text[i];
	line[len + 2] = '\n';
	put(l, line, len + 3);
}

void
lines_prose(struct lines *l, char kind, const char *text)
{
	char line[LINES_COLUMNS + 1];
	size_t len, cut;

	while (text[0] != '\0') {
		cut = len = strlen(text);
		if (len > LINES_COLUMNS) {
			for (cut = LINES_COLUMNS; cut > 0; cut--)
				if (text[cut] == ' ')
					break;
			if (cut == 0)
				cut = LINES_COLUMNS;
		}
		memcpy(line, text, cut);
		line[cut] = '\0';
		lines_say(l, kind, line);
		text += cut;
		while (text[0] == ' ')
			text++;
	}
}
