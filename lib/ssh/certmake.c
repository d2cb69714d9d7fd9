/* SPDX-License-Identifier: ISC */

/*
 * The functions of cert.h that write a certificate or check its signature:
 * apart, because the hook does neither and shall not link them.
 */

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/b64.h"
#include "ssh/cert.h"
#include "ssh/sign.h"
#include "ssh/wire.h"

int
cert_verify(const struct cert *c)
{
	return sign_verify(&c->ca, c->blob, c->signed_len, c->signature,
	    c->signature_len);
}

static bool
is_printable(const char *s)
{
	for (; *s != '\0'; s++)
		if (*s < ' ' || *s > '~')
			return false;
	return true;
}

/* PROTOCOL.certkeys: sorted by name, each at most once. */
static bool
in_order(const struct cert_option *o, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (o[i].name == NULL || o[i].name[0] == '\0' ||
		    (i > 0 && strcmp(o[i - 1].name, o[i].name) >= 0))
			return false;
	return true;
}

static bool
can_be_said(const struct cert_spec *s)
{
	size_t i;

	for (i = 0; i < s->nprincipals && i < CERT_PRINCIPALS_MAX; i++)
		if (s->principals[i] == NULL)
			return false;
	return cert_type_name(s->key) != NULL &&
	       cert_type_name(s->ca) != NULL &&
	       (s->type == CERT_USER || s->type == CERT_HOST) &&
	       s->key_id != NULL && strlen(s->key_id) <= CERT_KEY_ID_MAX &&
	       is_printable(s->key_id) &&
	       s->nprincipals <= CERT_PRINCIPALS_MAX &&
	       in_order(s->critical, s->ncritical) &&
	       in_order(s->extensions, s->nextensions);
}

/* The key's own fields: all that is behind its type's name. */
static void
put_key(struct wirebuf *b, const struct key *k)
{
	const size_t name = 4 + strlen(key_type_name(k));

	wire_put_raw(b, k->blob + name, k->blob_len - name);
}

static void
put_principals(struct wirebuf *b, const struct cert_spec *s)
{
	size_t i, at = wire_put_begin(b);

	for (i = 0; i < s->nprincipals; i++)
		wire_put_text(b, s->principals[i]);
	wire_put_end(b, at);
}

/* NB. a value is a string within the data, which is a string itself. */
static void
put_options(struct wirebuf *b, const struct cert_option *o, size_t n)
{
	size_t i, data, all = wire_put_begin(b);

	for (i = 0; i < n; i++) {
		wire_put_text(b, o[i].name);
		data = wire_put_begin(b);
		if (o[i].value != NULL)
			wire_put_text(b, o[i].value);
		wire_put_end(b, data);
	}
	wire_put_end(b, all);
}

int
cert_encode(const struct cert_spec *s, uint8_t **outp, size_t *lenp)
{
	struct wirebuf b = wirebuf_new();

	*outp = NULL;
	*lenp = 0;
	if (!can_be_said(s))
		return AAD_EARG;
	wire_put_text(&b, cert_type_name(s->key));
	wire_put_string(&b, s->nonce, sizeof(s->nonce));
	put_key(&b, s->key);
	wire_put_u64(&b, s->serial);
	wire_put_u32(&b, (uint32_t)s->type);
	wire_put_text(&b, s->key_id);
	put_principals(&b, s);
	wire_put_u64(&b, s->valid_after);
	wire_put_u64(&b, s->valid_before);
	put_options(&b, s->critical, s->ncritical);
	put_options(&b, s->extensions, s->nextensions);
	wire_put_text(&b, ""); /* reserved */
	wire_put_string(&b, s->ca->blob, s->ca->blob_len);
	if (b.r == 0 && b.len > CERT_BLOB_MAX)
		b.r = AAD_ETOOBIG;
	return wirebuf_take(&b, outp, lenp);
}

static bool
equals(const char *want, const char *have, size_t len)
{
	if (want == NULL || have == NULL)
		return want == NULL && have == NULL;
	return strlen(want) == len && memcmp(want, have, len) == 0;
}

static bool
has_options(struct cert_options have, const struct cert_option *want, size_t n)
{
	const char *name, *value;
	size_t i, namelen, valuelen;
	bool raw;

	for (i = 0; i < n; i++)
		if (!cert_option_next(&have, &name, &namelen, &value, &valuelen,
			&raw) ||
		    raw || !equals(want[i].name, name, namelen) ||
		    !equals(want[i].value, value, valuelen))
			return false;
	return have.len == 0;
}

static bool
has_key(const struct key *have, const struct key *want)
{
	return have->kind == want->kind && have->blob_len == want->blob_len &&
	       memcmp(have->blob, want->blob, have->blob_len) == 0;
}

/* The nonce and the reserved field, which decoding passes over. */
static bool
has_silent_fields(const struct cert *c, const struct cert_spec *s)
{
	struct wire w = wire_of(c->blob, c->signed_len), tail;
	const size_t ca = 4 + s->ca->blob_len;
	const uint8_t *p;
	size_t len;

	if (c->signed_len < ca + 4)
		return false;
	tail = wire_of(c->blob + (c->signed_len - ca - 4), 4);
	return wire_is(&w, cert_type_name(s->key)) &&
	       wire_string(&w, &p, &len) == 0 && len == sizeof(s->nonce) &&
	       memcmp(p, s->nonce, len) == 0 && wire_is(&tail, "");
}

/* Whether every field says what was asked. */
static bool
is_as_asked(const struct cert *c, const struct cert_spec *s)
{
	size_t i;

	if (c->nprincipals != s->nprincipals)
		return false;
	for (i = 0; i < c->nprincipals; i++)
		if (strcmp(c->principals[i], s->principals[i]) != 0)
			return false;
	return has_key(&c->key, s->key) && has_key(&c->ca, s->ca) &&
	       has_silent_fields(c, s) && c->serial == s->serial &&
	       c->type == s->type && c->key_id != NULL &&
	       strcmp(c->key_id, s->key_id) == 0 &&
	       c->valid_after == s->valid_after &&
	       c->valid_before == s->valid_before &&
	       has_options(c->critical, s->critical, s->ncritical) &&
	       has_options(c->extensions, s->extensions, s->nextensions);
}

int
cert_finish(const struct cert_spec *s, const uint8_t *body, size_t bodylen,
    const uint8_t *sig, size_t siglen, struct cert *out)
{
	struct wirebuf b = wirebuf_new();
	enum reason why;
	uint8_t *blob;
	size_t len;
	int r;

	memset(out, 0, sizeof(*out));
	if (siglen == 0)
		return AAD_ESIG;
	wire_put_raw(&b, body, bodylen);
	wire_put_string(&b, sig, siglen);
	if ((r = wirebuf_take(&b, &blob, &len)) != 0)
		return r;
	if (len > CERT_BLOB_MAX)
		r = AAD_ETOOBIG;
	else
		/* is_as_asked(): with the keys of s, which were judged */
		r = cert_from_known_blob(blob, len, out, &why);
	free(blob);
	if (r == AAD_EREFUSED)
		return AAD_EINTERNAL;
	if (r != 0)
		return r;
	if (!can_be_said(s) || out->signed_len != bodylen ||
	    !is_as_asked(out, s))
		r = AAD_EINTERNAL;
	else
		r = cert_verify(out);
	if (r != 0)
		cert_release(out);
	return r;
}

int
cert_line(const struct cert *c, const char *comment, char **outp)
{
	const char *name = cert_type_name(&c->key);
	char *base64, *line;
	size_t len;
	int r;

	*outp = NULL;
	if (comment == NULL)
		comment = "";
	if (name == NULL || c->blob == NULL || !is_printable(comment))
		return AAD_EARG;
	if ((r = b64_encode(B64_STD, c->blob, c->blob_len, &base64)) != 0)
		return r;
	/* a blank, a blank, a line feed, a NUL */
	len = strlen(name) + strlen(base64) + strlen(comment) + 4;
	line = malloc(len);
	if (line != NULL)
		snprintf(line, len, "%s %s%s%s\n", name, base64,
		    *comment != '\0' ? " " : "", comment);
	free(base64);
	*outp = line; /* now the caller's */
	return line != NULL ? 0 : AAD_ENOMEM;
}
