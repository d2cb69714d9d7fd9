/* SPDX-License-Identifier: ISC */

#include <stdlib.h>
#include <string.h>

#include "cmd/aadssh/pamheader.h"
#include "core/text.h"

#define PID_MAX 4194304 /* Linux's PID_MAX_LIMIT */

/* Where the next line begins; NULL behind the last. */
struct cursor {
	char *next;
};

/*
 * Cut off the next line when it begins with name and a blank, and return
 * what follows, which is not empty; NULL, and nothing cut, when it does not.
 */
static char *
take(struct cursor *c, const char *name)
{
	size_t len = strlen(name);
	char *end, *value = c->next;

	if (strncmp(value, name, len) != 0 || value[len] != ' ' ||
	    (end = strchr(value, '\n')) == NULL || end == value + len + 1)
		return NULL;
	*end = '\0';
	c->next = end + 1;
	return value + len + 1;
}

/* Split value at its one blank; false when there is none, or another. */
static bool
split(char *value, char **secondp)
{
	char *blank = strchr(value, ' ');

	if (blank == NULL || strchr(blank + 1, ' ') != NULL)
		return false;
	*blank = '\0';
	*secondp = blank + 1;
	return true;
}

/* One word of at most max bytes. */
static bool
word(const char *value, size_t max)
{
	return value != NULL && strlen(value) <= max &&
	       strchr(value, ' ') == NULL;
}

static bool
parse_monitor(char *value, struct pamheader *h)
{
	uint64_t pid, start;
	char *second;

	if (value == NULL || !split(value, &second) ||
	    !text_number(value, PID_MAX, &pid) || pid == 0 ||
	    !text_number(second, INT64_MAX, &start))
		return false;
	h->monitor = (int64_t)pid;
	h->start = (int64_t)start;
	return true;
}

static bool
parse_identity(char *value, struct pamheader *h)
{
	char *second;

	if (!split(value, &second) || !name_guid_ok(value) ||
	    !name_guid_ok(second))
		return false;
	memcpy(h->tid, value, sizeof(h->tid));
	memcpy(h->oid, second, sizeof(h->oid));
	return true;
}

/* What only the session phase is told. */
static int
parse_session(struct cursor *c, struct pamheader *h)
{
	char *value;

	while ((value = take(c, "auth")) != NULL) {
		if (h->nauth == PAMHEADER_AUTH_MAX ||
		    strlen(value) > PAMHEADER_AUTH_LEN)
			return AAD_ETOOBIG;
		if (value[0] == ' ')
			return AAD_EFORMAT;
		h->auth[h->nauth++] = value;
	}
	if ((value = take(c, "identity")) != NULL && !parse_identity(value, h))
		return AAD_EFORMAT;
	return 0;
}

static int
parse(char *text, bool session, struct pamheader *h)
{
	struct cursor c = { text };
	char *version = take(&c, "aadssh-pam");
	uint64_t number;
	int r;

	if (version == NULL || !text_number(version, UINT32_MAX, &number))
		return AAD_EFORMAT;
	if (strcmp(version, "1") != 0)
		return AAD_EVERSION;
	h->login = take(&c, "login");
	if (!word(h->login, PAMHEADER_LOGIN) ||
	    !parse_monitor(take(&c, "monitor"), h))
		return AAD_EFORMAT;
	h->source = take(&c, "source");
	if (h->source != NULL && !word(h->source, PAMHEADER_SOURCE))
		return AAD_EFORMAT;
	if (session && (r = parse_session(&c, h)) != 0)
		return r;
	/* Nothing but the blank line is left. */
	return strcmp(c.next, "\n") == 0 ? 0 : AAD_EFORMAT;
}

static bool
clean(const char *text, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (text[i] != '\n' && (text[i] < ' ' || text[i] > '~'))
			return false;
	return true;
}

int
pamheader_parse(const char *text, size_t len, bool session,
    struct pamheader *out)
{
	int r;

	memset(out, 0, sizeof(*out));
	if (len > PAMHEADER_MAX)
		return AAD_ETOOBIG;
	if (!clean(text, len))
		return AAD_EFORMAT;
	if ((out->text = malloc(len + 1)) == NULL)
		return AAD_ENOMEM;
	memcpy(out->text, text, len);
	out->text[len] = '\0';
	if ((r = parse(out->text, session, out)) != 0)
		pamheader_release(out);
	return r;
}

void
pamheader_release(struct pamheader *h)
{
	free(h->text);
	memset(h, 0, sizeof(*h));
}
