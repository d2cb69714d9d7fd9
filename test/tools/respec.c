/* SPDX-License-Identifier: ISC */

#include <stdlib.h>
#include <string.h>

#include "ssh/wire.h"
#include "test/tools/respec.h"

static char *
copy(const char *p, size_t len)
{
	char *s = malloc(len + 1);

	if (s == NULL)
		abort();
	if (len > 0)
		memcpy(s, p, len);
	s[len] = '\0';
	return s;
}

static bool
take_options(struct cert_options from, struct cert_option *to, size_t *np)
{
	const char *name, *value;
	size_t namelen, valuelen;
	bool raw;

	while (cert_option_next(&from, &name, &namelen, &value, &valuelen,
	    &raw)) {
		if (raw || *np == RESPEC_OPTIONS_MAX ||
		    (valuelen > 0 && memchr(value, '\0', valuelen) != NULL))
			return false;
		to[*np].name = copy(name, namelen);
		to[*np].value = value != NULL ? copy(value, valuelen) : NULL;
		(*np)++;
	}
	return true;
}

/* The nonce, and whether the reserved field is empty. */
static bool
take_silent(const struct cert *c, uint8_t nonce[static 32])
{
	static const uint8_t empty[4];
	struct wire w = wire_of(c->blob, c->blob_len);
	const uint8_t *p;
	size_t len;

	if (wire_string(&w, &p, &len) != 0 || wire_string(&w, &p, &len) != 0 ||
	    len != 32)
		return false;
	memcpy(nonce, p, len);
	p = c->extensions.p + c->extensions.len;
	return memcmp(p, empty, sizeof(empty)) == 0;
}

bool
respec_of(const struct cert *c, struct respec *out)
{
	struct cert_spec *s = &out->spec;

	memset(out, 0, sizeof(*out));
	s->key = &c->key;
	s->ca = &c->ca;
	s->serial = c->serial;
	s->type = c->type;
	s->key_id = c->key_id;
	s->principals = (const char *const *)c->principals;
	s->nprincipals = c->nprincipals;
	s->valid_after = c->valid_after;
	s->valid_before = c->valid_before;
	s->critical = out->critical;
	s->extensions = out->extensions;
	return take_options(c->critical, out->critical, &s->ncritical) &&
	       take_options(c->extensions, out->extensions, &s->nextensions) &&
	       take_silent(c, s->nonce) && c->key_id != NULL;
}

static void
drop(struct cert_option *o, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		free((void *)(uintptr_t)o[i].name);
		free((void *)(uintptr_t)o[i].value);
	}
}

void
respec_release(struct respec *r)
{
	drop(r->critical, r->spec.ncritical);
	drop(r->extensions, r->spec.nextensions);
	memset(r, 0, sizeof(*r));
}
