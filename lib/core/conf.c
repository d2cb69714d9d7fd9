/* SPDX-License-Identifier: ISC */

/*
 * inih parses, but it gets no line that it could misread: it cuts lines at
 * 199 bytes and takes the rest as a new line, reads indented lines as the
 * key before, cuts values at " ;", cuts section names at 49 bytes, takes ':'
 * for '=', ignores what stands behind ']', and reports neither sections nor
 * line numbers.  So each line is judged first (line_judge), and what inih
 * then hands over must be what was judged (handle).
 */

#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/conf.h"
#include "core/file.h"
#include "core/keyword.h"
#include "core/name.h"
#include "core/text.h"
#include "core/value.h"

#define SECTIONS_MAX 16 /* names of sections that may stand only once */

struct parse {
	const char *text; /* what is left of the file */
	size_t len;
	unsigned int line; /* the line that inih has */
	char key[CONF_LINE_MAX + 1]; /* of that line, "" when it sets nothing */
	char value[CONF_LINE_MAX + 1];
	char section[CONF_LINE_MAX + 1]; /* as written, "" before the first */
	const char *named; /* in [login NAME] "login", …; else NULL */
	void *record; /* its struct conf_login, …; else NULL */
	char once[SECTIONS_MAX][16]; /* sections that were there */
	size_t nonce;
	unsigned int seen[KEYWORD_MAX]; /* lines of keys, in this section */
	unsigned int idp_line;
	struct conf *c;
	struct conf_error *why;
	int r; /* the first failure */
};

int
conf_fail(struct conf_error *why, unsigned int line, const char *fmt, ...)
{
	char raw[sizeof(why->text)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(raw, sizeof(raw), fmt, ap);
	va_end(ap);
	text_clean(raw, strlen(raw), why->text, sizeof(why->text));
	why->line = line;
	return AAD_EFORMAT;
}

/* ---- sections ---- */

const struct conf_login *
conf_login_find(const struct conf *c, const char *login)
{
	size_t i;

	for (i = 0; i < c->nlogins; i++)
		if (strcmp(c->logins[i].name, login) == 0)
			return &c->logins[i];
	return NULL;
}

const struct conf_profile *
conf_profile_of(const struct conf *c, const char *login)
{
	const struct conf_profile *all = NULL, *p;
	size_t i, k;

	for (i = 0; i < c->nprofiles; i++) {
		p = &c->profiles[i];
		for (k = 0; k < p->logins.n; k++) {
			if (strcmp(p->logins.items[k].value, login) == 0)
				return p;
			if (all == NULL &&
			    strcmp(p->logins.items[k].value, "*") == 0)
				all = p;
		}
	}
	return all;
}

/* A section with a name of its own opens: none of its keys were seen. */
static void
named_open(struct parse *p, const char *table, void *record)
{
	size_t i;

	p->named = table;
	p->record = record;
	for (i = 0; conf_keyword(i) != NULL; i++)
		if (strcmp(conf_keyword(i)->section, table) == 0)
			p->seen[i] = 0;
}

/* [login NAME] opens. */
static int
login_open(struct parse *p, const char *name)
{
	struct conf *c = p->c;
	struct conf_login *logins, *new;
	const struct conf_login *old;

	if (!name_login_ok(name))
		return conf_fail(p->why, p->line,
		    "[login NAME]: the name is not a login name");
	if ((old = conf_login_find(c, name)) != NULL)
		return conf_fail(p->why, p->line,
		    "section [login %s] is there already, in line %u", name,
		    old->line);
	if (c->nlogins >= CONF_LOGIN_MAX)
		return conf_fail(p->why, p->line,
		    "too many [login NAME] sections, %d are the most",
		    CONF_LOGIN_MAX);
	logins = realloc(c->logins, (c->nlogins + 1) * sizeof(*logins));
	if (logins == NULL)
		return AAD_ENOMEM;
	c->logins = logins;
	new = &logins[c->nlogins];
	memset(new, 0, sizeof(*new));
	new->line = p->line;
	if ((new->name = strdup(name)) == NULL)
		return AAD_ENOMEM;
	c->nlogins++;
	named_open(p, "login", new);
	return 0;
}

/* [profile NAME] opens. */
static int
profile_open(struct parse *p, const char *name)
{
	struct conf *c = p->c;
	struct conf_profile *profiles, *new;
	size_t i;

	if (!value_group_ok(name) || strcmp(name, "*") == 0)
		return conf_fail(p->why, p->line,
		    "[profile NAME]: the name is small letters, digits, '_', "
		    "'.', '-', 32 at most");
	for (i = 0; i < c->nprofiles; i++)
		if (strcmp(c->profiles[i].name, name) == 0)
			return conf_fail(p->why, p->line,
			    "section [profile %s] is there already, in line %u",
			    name, c->profiles[i].line);
	if (c->nprofiles >= CONF_PROFILE_MAX)
		return conf_fail(p->why, p->line,
		    "too many [profile NAME] sections, %d are the most",
		    CONF_PROFILE_MAX);
	profiles = realloc(c->profiles, (c->nprofiles + 1) * sizeof(*profiles));
	if (profiles == NULL)
		return AAD_ENOMEM;
	c->profiles = profiles;
	new = &profiles[c->nprofiles];
	memset(new, 0, sizeof(*new));
	new->line = p->line;
	if ((new->name = strdup(name)) == NULL)
		return AAD_ENOMEM;
	c->nprofiles++;
	named_open(p, "profile", new);
	return 0;
}

/* Any other section opens. */
static int
once_open(struct parse *p, const char *name)
{
	size_t i;

	p->named = NULL;
	p->record = NULL;
	if (strcmp(name, "login") == 0)
		return conf_fail(p->why, p->line,
		    "[login NAME] needs the name of a login");
	if (strcmp(name, "profile") == 0)
		return conf_fail(p->why, p->line,
		    "[profile NAME] needs a name");
	if (!keyword_section_ok(name))
		return conf_fail(p->why, p->line, "unknown section [%.40s]",
		    name);
	for (i = 0; i < p->nonce; i++)
		if (strcmp(p->once[i], name) == 0)
			return conf_fail(p->why, p->line,
			    "section [%s] is there already", name);
	if (p->nonce >= SECTIONS_MAX || strlen(name) >= sizeof(p->once[0]))
		return AAD_EINTERNAL;
	strcpy(p->once[p->nonce++], name);
	if (strcmp(name, "idp") == 0) {
		p->c->has_idp = true;
		p->idp_line = p->line;
	}
	if (strcmp(name, "map") == 0)
		p->c->has_map = true;
	if (strcmp(name, "ca") == 0)
		p->c->has_ca = true;
	return 0;
}

/* "[name]", blanks behind it are allowed. */
static int
section_judge(struct parse *p, const char *s, size_t len)
{
	while (s[len - 1] == ' ')
		len--;
	if (len < 3 || s[len - 1] != ']' || strcspn(s + 1, "[]") != len - 2)
		return conf_fail(p->why, p->line,
		    "a section is [name] with nothing behind it");
	memcpy(p->section, s + 1, len - 2);
	p->section[len - 2] = '\0';
	if (strncmp(p->section, "login ", 6) == 0)
		return login_open(p, p->section + 6);
	if (strncmp(p->section, "profile ", 8) == 0)
		return profile_open(p, p->section + 8);
	return once_open(p, p->section);
}

/* ---- lines ---- */

/* "key = value" into p->key and p->value. */
static int
setting_judge(struct parse *p, const char *s, size_t len)
{
	size_t key = strcspn(s, "=:"), value = key + 1;

	if (s[key] != '=')
		return conf_fail(p->why, p->line,
		    "\"key = value\" is expected, with the sign '='");
	while (key > 0 && s[key - 1] == ' ')
		key--;
	while (s[value] == ' ')
		value++;
	while (len > value && s[len - 1] == ' ')
		len--;
	if (key == 0 || strspn(s, "abcdefghijklmnopqrstuvwxyz_") != key)
		return conf_fail(p->why, p->line,
		    "a key is small letters and '_'");
	if (len <= value)
		return conf_fail(p->why, p->line, "%.40s has no value", s);
	if (p->section[0] == '\0')
		return conf_fail(p->why, p->line,
		    "a key before the first section");
	memcpy(p->key, s, key);
	p->key[key] = '\0';
	memcpy(p->value, s + value, len - value);
	p->value[len - value] = '\0';
	return 0;
}

/* Bytes that no line may hold. */
static int
bytes_judge(struct parse *p, const char *s, size_t len, bool comment)
{
	size_t i;
	unsigned char c;

	if (p->line == 1 && len >= 3 && memcmp(s, "\xef\xbb\xbf", 3) == 0)
		return conf_fail(p->why, p->line,
		    "the file starts with a byte order mark; save it without");
	for (i = 0; i < len; i++) {
		c = (unsigned char)s[i];
		if (c == '\r')
			return conf_fail(p->why, p->line,
			    "a carriage return; save the file with Unix line "
			    "ends");
		if (c == 0x7f || (c < ' ' && c != '\t'))
			return conf_fail(p->why, p->line,
			    "a control byte (0x%02x)", c);
		if (!comment && (c == '\t' || c > '~'))
			return conf_fail(p->why, p->line,
			    "outside comments only printable ASCII and blanks "
			    "are allowed, no tab");
		if (!comment && i > 0 && s[i - 1] == ' ' &&
		    (c == ';' || c == '#'))
			return conf_fail(p->why, p->line,
			    "a comment needs a line of its own");
	}
	return 0;
}

/* One line, len bytes with a NUL behind them. */
static int
line_judge(struct parse *p, const char *s, size_t len)
{
	bool comment = s[0] == '#' || s[0] == ';';
	int r;

	p->key[0] = '\0';
	if (len > 0 && (s[0] == ' ' || s[0] == '\t'))
		return conf_fail(p->why, p->line,
		    "a line must not start with a blank");
	if ((r = bytes_judge(p, s, len, comment)) != 0)
		return r;
	if (len == 0 || comment)
		return 0;
	return s[0] == '[' ? section_judge(p, s, len)
			   : setting_judge(p, s, len);
}

/* inih's fgets(3): the next line, judged; NULL at the end or on failure. */
static char *
line_next(char *buf, int size, void *arg)
{
	struct parse *p = arg;
	const char *end;
	size_t len;

	/* NB. inih must have handed over what the line before sets. */
	if (p->r == 0 && p->key[0] != '\0')
		p->r = AAD_EINTERNAL;
	if (p->r != 0 || p->len == 0)
		return NULL;
	p->line++;
	end = memchr(p->text, '\n', p->len);
	if (end == NULL) {
		p->r = conf_fail(p->why, p->line,
		    "the last line has no line end; is the file cut off?");
		return NULL;
	}
	len = (size_t)(end - p->text);
	if (len > CONF_LINE_MAX) {
		p->r = conf_fail(p->why, p->line,
		    "a line of %zu bytes; %d are the most", len, CONF_LINE_MAX);
		return NULL;
	}
	if (size < CONF_LINE_MAX + 2) {
		p->r = AAD_EINTERNAL; /* inih built for shorter lines */
		return NULL;
	}
	memcpy(buf, p->text, len);
	buf[len] = '\0';
	p->text += len + 1;
	p->len -= len + 1;
	if ((p->r = line_judge(p, buf, len)) != 0)
		return NULL;
	buf[len] = '\n';
	buf[len + 1] = '\0';
	return buf;
}

/* inih's handler: 0 stops it at the next line. */
static int
handle(void *arg, const char *section, const char *name, const char *value)
{
	struct parse *p = arg;
	const char *table = p->named != NULL ? p->named : p->section;
	size_t i;

	if (p->r != 0)
		return 0;
	if (strcmp(section, p->section) != 0 || strcmp(name, p->key) != 0 ||
	    strcmp(value, p->value) != 0) {
		p->r = AAD_EINTERNAL;
		return 0;
	}
	p->key[0] = '\0'; /* seen */
	if ((i = keyword_find(table, name)) == KEYWORD_NONE)
		p->r = conf_fail(p->why, p->line,
		    "unknown key %.40s in section [%.40s]", name, section);
	else if (p->seen[i] != 0 && !conf_keyword(i)->list)
		p->r = conf_fail(p->why, p->line,
		    "%s is there already, in line %u", name, p->seen[i]);
	else
		p->r = keyword_set(i, p->c, p->record, value, p->line, p->why);
	if (i != KEYWORD_NONE)
		p->seen[i] = p->line;
	return p->r == 0;
}

/* ---- the whole file ---- */

int
conf_parse(const char *text, size_t len, struct conf **outp,
    struct conf_error *why)
{
	struct parse p;
	int ini, r = AAD_EINTERNAL;

	*outp = NULL;
	memset(why, 0, sizeof(*why));
	memset(&p, 0, sizeof(p));
	p.text = text;
	p.len = len;
	p.why = why;
	if (len > CONF_MAX) {
		conf_fail(why, 0, "more than %d bytes", CONF_MAX);
		return AAD_ETOOBIG;
	}
	if ((p.c = calloc(1, sizeof(*p.c))) == NULL) {
		r = AAD_ENOMEM;
		goto out;
	}
	ini = ini_parse_stream(line_next, &p, handle, &p);
	if ((r = p.r) != 0)
		goto out;
	if (ini == -2) {
		r = AAD_ENOMEM;
		goto out;
	}
	if (ini != 0 || p.len != 0) {
		r = AAD_EINTERNAL;
		goto out;
	}
	if ((r = keyword_finish(p.c, p.seen, p.idp_line, why)) != 0)
		goto out;
	*outp = p.c;
	p.c = NULL; /* now the caller's */
out:
	if (r == AAD_ENOMEM)
		conf_fail(why, 0, "out of memory");
	if (r == AAD_EINTERNAL)
		conf_fail(why, p.line, "inih read this line in another way");
	conf_free(p.c);
	return r;
}

static void
load_why(struct conf_error *why, int r, int err)
{
	switch (r) {
	case AAD_ENOENT:
		conf_fail(why, 0, "there is no such file");
		break;
	case AAD_EPERM:
		conf_fail(why, 0,
		    "it must be a regular file, no symbolic link, owned by "
		    "root or the running user, not writable by group or "
		    "others");
		break;
	case AAD_ETOOBIG:
		conf_fail(why, 0, "more than %d bytes", CONF_MAX);
		break;
	case AAD_EFORMAT:
	case AAD_EAGAIN:
		conf_fail(why, 0, "it changed while it was read");
		break;
	case AAD_ENOMEM:
		conf_fail(why, 0, "out of memory");
		break;
	default:
		conf_fail(why, 0, "it cannot be read: %s", strerror(err));
		break;
	}
}

int
conf_load(const char *path, uid_t self, struct conf **outp,
    struct conf_error *why)
{
	struct file_owner right = { 0, self, .linked = true };
	char *text = NULL;
	size_t len = 0;
	int saved, r;

	*outp = NULL;
	memset(why, 0, sizeof(*why));
	if ((r = file_read(AT_FDCWD, path, right, CONF_MAX, &text, &len)) !=
	    0) {
		saved = errno;
		load_why(why, r, saved);
		errno = saved;
		return r;
	}
	r = conf_parse(text, len, outp, why);
	free(text);
	return r;
}

static void
list_release(struct conf_list *l)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		free(l->items[i].value);
	free(l->items);
}

static void
profile_free(struct conf_profile *p)
{
	free(p->name);
	list_release(&p->logins);
	list_release(&p->extensions);
	free(p->force_command);
	list_release(&p->source_address);
	list_release(&p->key_types);
}

void
conf_free(struct conf *c)
{
	size_t i;

	if (c == NULL)
		return;
	free(c->tenant);
	free(c->client_id);
	free(c->cloud);
	free(c->authority);
	free(c->issuer);
	free(c->ca_file);
	free(c->proxy);
	free(c->scope);
	list_release(&c->require_acrs);
	free(c->user);
	free(c->dir);
	free(c->run);
	free(c->trust);
	list_release(&c->domain);
	list_release(&c->require);
	list_release(&c->never);
	list_release(&c->pam_from);
	for (i = 0; i < c->nlogins; i++) {
		free(c->logins[i].name);
		list_release(&c->logins[i].allow);
		free(c->logins[i].options);
		list_release(&c->logins[i].hosts);
	}
	free(c->logins);
	list_release(&c->host_groups);
	free(c->ca_key_type);
	free(c->ca_agent);
	free(c->publish_dir);
	list_release(&c->map_hosts);
	for (i = 0; i < c->nprofiles; i++)
		profile_free(&c->profiles[i]);
	free(c->profiles);
	free(c);
}
