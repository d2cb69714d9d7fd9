/* SPDX-License-Identifier: ISC */

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "core/b64.h"
#include "core/strictjson.h"
#include "token/jwks.h"

#define VERSION	 1
#define KEY_HEAD "{\"kid\":\""
#define TEMPLATE "{tenantid}"

/* A base64url unsigned number without leading zero byte (RFC 7518 s.2). */
static int
take_number(const json_t *o, const char *name, size_t max, uint8_t **outp,
    size_t *lenp)
{
	const json_t *v = json_object_get(o, name);
	int r;

	if (!json_is_string(v) || json_string_length(v) > max / 3 * 4 + 4)
		return AAD_EFORMAT;
	r = b64_decode(B64_URL, json_string_value(v), json_string_length(v),
	    outp, lenp);
	if (r != 0)
		return r;
	return *lenp == 0 || *lenp > max || (*outp)[0] == 0 ? AAD_EFORMAT : 0;
}

/* kid, n and e of one key into *k, which is released on failure. */
static int
take_key(const json_t *o, struct jwk *k)
{
	const char *kid = json_string_value(json_object_get(o, "kid"));
	int r;

	memset(k, 0, sizeof(*k));
	if (kid == NULL || !name_kid_ok(kid))
		return AAD_EFORMAT;
	memcpy(k->kid, kid, strlen(kid) + 1);
	if ((r = take_number(o, "n", JWKS_RSA_MAX / 8, &k->n, &k->n_len)) !=
		0 ||
	    (r = take_number(o, "e", JWKS_E_MAX, &k->e, &k->e_len)) != 0) {
		free(k->n);
		free(k->e);
		memset(k, 0, sizeof(*k));
	}
	return r;
}

/* Whether text, its "{tenantid}" replaced by tenant, is issuer. */
static bool
issuer_fits(const char *text, const char *issuer, const char *tenant)
{
	const char *at = strstr(text, TEMPLATE);
	size_t head, tail = strlen(tenant);

	if (at == NULL)
		return strcmp(text, issuer) == 0;
	head = (size_t)(at - text);
	return strncmp(text, issuer, head) == 0 &&
	       strncmp(issuer + head, tenant, tail) == 0 &&
	       strcmp(at + strlen(TEMPLATE), issuer + head + tail) == 0;
}

/* A string member is absent, or one of these two. */
static bool
is_or_absent(const json_t *o, const char *name, const char *value)
{
	const json_t *v = json_object_get(o, name);

	return v == NULL ||
	       (json_is_string(v) && strcmp(json_string_value(v), value) == 0);
}

/* Whether a provider's key is one that may sign tokens of this issuer. */
static bool
usable(const json_t *o, const char *issuer, const char *tenant)
{
	static const char *const private_members[] = { "d", "p", "q", "dp",
		"dq", "qi", "oth", "k" };
	const json_t *own = json_object_get(o, "issuer");
	const char *kty = json_string_value(json_object_get(o, "kty"));
	size_t i;

	if (!json_is_object(o) || kty == NULL || strcmp(kty, "RSA") != 0 ||
	    !is_or_absent(o, "use", "sig") || !is_or_absent(o, "alg", "RS256"))
		return false;
	for (i = 0; i < sizeof(private_members) / sizeof(private_members[0]);
	     i++)
		if (json_object_get(o, private_members[i]) != NULL)
			return false;
	return own == NULL ||
	       (json_is_string(own) &&
		   issuer_fits(json_string_value(own), issuer, tenant));
}

static int
set_new(const char *issuer, int64_t fetched_at, size_t max, struct jwks **outp)
{
	struct jwks *s = calloc(1, sizeof(*s));

	*outp = s;
	if (s == NULL)
		return AAD_ENOMEM;
	s->fetched_at = fetched_at;
	if ((s->issuer = strdup(issuer)) == NULL ||
	    (s->keys = calloc(max, sizeof(*s->keys))) == NULL)
		return AAD_ENOMEM;
	return 0;
}

/* Whether a kid stands twice in the provider's set, usable or not. */
static bool
kid_repeated(const json_t *keys, size_t i)
{
	const char *kid = json_string_value(json_object_get(json_array_get(keys,
								i),
		       "kid")),
		   *other;
	size_t k;

	for (k = 0; kid != NULL && k < i; k++) {
		other = json_string_value(json_object_get(json_array_get(keys,
							      k),
		    "kid"));
		if (other != NULL && strcmp(kid, other) == 0)
			return true;
	}
	return false;
}

static int
strip_keys(const json_t *keys, const char *tenant, struct jwks *s)
{
	const json_t *o;
	size_t i;
	int r;

	for (i = 0; i < json_array_size(keys); i++) {
		o = json_array_get(keys, i);
		if (kid_repeated(keys, i))
			return AAD_EFORMAT;
		if (!usable(o, s->issuer, tenant))
			continue;
		r = take_key(o, &s->keys[s->n]);
		if (r == AAD_ENOMEM)
			return r;
		if (r == 0)
			s->n++;
	}
	return s->n == 0 ? AAD_EFORMAT : 0;
}

int
jwks_strip(const char *text, size_t len, const char *issuer, const char *tenant,
    int64_t fetched_at, struct jwks **outp)
{
	struct jwks *s = NULL;
	const json_t *keys;
	json_t *o = NULL;
	int r;

	*outp = NULL;
	if (len > JWKS_REPLY_MAX)
		return AAD_ETOOBIG;
	if ((r = strictjson_load(text, len, &o)) != 0)
		return r;
	keys = json_object_get(o, "keys");
	if (!json_is_array(keys) || json_array_size(keys) == 0) {
		r = AAD_EFORMAT;
		goto out;
	}
	if (json_array_size(keys) > JWKS_KEYS_MAX) {
		r = AAD_ETOOBIG;
		goto out;
	}
	if ((r = set_new(issuer, fetched_at, json_array_size(keys), &s)) != 0 ||
	    (r = strip_keys(keys, tenant, s)) != 0)
		goto out;
	*outp = s;
	s = NULL; /* now the caller's */
out:
	jwks_free(s);
	json_decref(o);
	return r;
}

/* One line of our own form; its line feed is not counted. */
struct line {
	const char *p;
	size_t len;
};

/* Take the next line off *text; a last one without line feed is none. */
static bool
next_line(struct line *text, struct line *out)
{
	const char *end = memchr(text->p, '\n', text->len);

	if (end == NULL)
		return false;
	out->p = text->p;
	out->len = (size_t)(end - text->p);
	text->p += out->len + 1;
	text->len -= out->len + 1;
	return true;
}

/* The first line: version, issuer, time, and no other member. */
static int
parse_head(const struct line *l, size_t max, struct jwks **sp)
{
	const json_t *version, *at;
	const char *issuer;
	json_t *o;
	int r;

	if ((r = strictjson_load(l->p, l->len, &o)) != 0)
		return r;
	version = json_object_get(o, "v");
	at = json_object_get(o, "fetched_at");
	issuer = json_string_value(json_object_get(o, "issuer"));
	if (json_is_integer(version) && json_integer_value(version) > VERSION)
		r = AAD_EVERSION;
	else if (json_integer_value(version) != VERSION || issuer == NULL ||
		 !json_is_integer(at) || json_integer_value(at) < 0 ||
		 json_object_size(o) != 3)
		r = AAD_EFORMAT;
	else
		r = set_new(issuer, (int64_t)json_integer_value(at), max, sp);
	json_decref(o);
	return r;
}

/* The kid that a key's line begins with. */
static int
line_kid(const struct line *l, char kid[static NAME_KID_MAX + 1])
{
	const char *p = l->p + strlen(KEY_HEAD), *end;

	if (l->len <= strlen(KEY_HEAD) ||
	    memcmp(l->p, KEY_HEAD, strlen(KEY_HEAD)) != 0 ||
	    (end = memchr(p, '"', l->len - strlen(KEY_HEAD))) == NULL ||
	    end - p > NAME_KID_MAX)
		return AAD_EFORMAT;
	memcpy(kid, p, (size_t)(end - p));
	kid[end - p] = '\0';
	return name_kid_ok(kid) ? 0 : AAD_EFORMAT;
}

static int
parse_key(const struct line *l, const char *kid, struct jwks *s)
{
	json_t *o;
	int r;

	if ((r = strictjson_load(l->p, l->len, &o)) != 0)
		return r;
	r = AAD_EFORMAT;
	if (json_object_size(o) == 3 &&
	    (r = take_key(o, &s->keys[s->n])) == 0) {
		/* NB. what was read as bytes and as JSON must agree. */
		r = strcmp(s->keys[s->n].kid, kid) == 0 ? 0 : AAD_EFORMAT;
		s->n++;
	}
	json_decref(o);
	return r;
}

/* All keys' lines; only the wanted key is parsed when one is wanted. */
static int
parse_keys(struct line text, const char *only, struct jwks *s)
{
	char kids[JWKS_KEYS_MAX][NAME_KID_MAX + 1];
	struct line l;
	size_t n, i;
	int r = 0;

	for (n = 0; r == 0 && next_line(&text, &l); n++) {
		if (n == JWKS_KEYS_MAX)
			return AAD_ETOOBIG;
		if (line_kid(&l, kids[n]) != 0)
			return AAD_EFORMAT;
		for (i = 0; i < n; i++)
			if (strcmp(kids[i], kids[n]) == 0)
				return AAD_EFORMAT;
		if (only == NULL || strcmp(only, kids[n]) == 0)
			r = parse_key(&l, kids[n], s);
	}
	if (r == 0 && (n == 0 || text.len != 0))
		r = AAD_EFORMAT;
	return r;
}

int
jwks_parse(const char *text, size_t len, const char *only, struct jwks **outp)
{
	struct line rest = { text, len }, head = { text, len };
	struct jwks *s = NULL;
	bool whole;
	int r;

	*outp = NULL;
	if (len > JWKS_FILE_MAX)
		return AAD_ETOOBIG;
	whole = next_line(&rest, &head);
	if ((r = parse_head(&head, only == NULL ? JWKS_KEYS_MAX : 1, &s)) == 0)
		r = whole ? parse_keys(rest, only, s) : AAD_EFORMAT;
	if (r != 0) {
		jwks_free(s);
		return r;
	}
	*outp = s;
	return 0;
}

/* A value as one line, heap. */
static char *
line_of(json_t *o)
{
	char *text = strictjson_dump(o), *line = NULL;

	json_decref(o);
	if (text != NULL && (line = malloc(strlen(text) + 2)) != NULL)
		snprintf(line, strlen(text) + 2, "%s\n", text);
	free(text);
	return line;
}

static char *
key_line(const struct jwk *k)
{
	char *n = NULL, *e = NULL, *line = NULL;

	/* NB. kid first: line_kid() reads it there. */
	if (b64_encode(B64_URL, k->n, k->n_len, &n) == 0 &&
	    b64_encode(B64_URL, k->e, k->e_len, &e) == 0)
		line = line_of(json_pack("{s:s s:s s:s}", "kid", k->kid, "n", n,
		    "e", e));
	free(n);
	free(e);
	return line;
}

/* Put text behind *outp, which grows.  text is consumed, NULL is no memory. */
static int
append(char **outp, size_t *lenp, char *text)
{
	size_t more = text == NULL ? 0 : strlen(text);
	char *p = text == NULL ? NULL : realloc(*outp, *lenp + more + 1);

	if (p != NULL) {
		memcpy(p + *lenp, text, more + 1);
		*outp = p;
		*lenp += more;
	}
	free(text);
	return p == NULL ? AAD_ENOMEM : 0;
}

int
jwks_format(const struct jwks *s, char **outp, size_t *lenp)
{
	size_t i;
	int r;

	*outp = NULL;
	*lenp = 0;
	r = append(outp, lenp,
	    line_of(json_pack("{s:i s:s s:I}", "v", VERSION, "issuer",
		s->issuer, "fetched_at", (json_int_t)s->fetched_at)));
	for (i = 0; r == 0 && i < s->n; i++)
		r = append(outp, lenp, key_line(&s->keys[i]));
	if (r != 0) {
		free(*outp);
		*outp = NULL;
		*lenp = 0;
	}
	return r;
}

const struct jwk *
jwks_find(const struct jwks *s, const char *kid)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		if (strcmp(s->keys[i].kid, kid) == 0)
			return &s->keys[i];
	return NULL;
}

void
jwks_free(struct jwks *s)
{
	size_t i;

	if (s == NULL)
		return;
	for (i = 0; i < s->n; i++) {
		free(s->keys[i].n);
		free(s->keys[i].e);
	}
	free(s->keys);
	free(s->issuer);
	free(s);
}
