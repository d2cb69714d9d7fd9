/* SPDX-License-Identifier: ISC */

#include <stdlib.h>
#include <string.h>

#include "ca/signer/option.h"
#include "core/text.h"

#define ADDRESS_LEN_MAX 49 /* addrmatch.c: INET6_ADDRSTRLEN + 3 */

/* In the order of the wire: bytes, so capitals first. */
static const struct extension {
	const char *name;
	bool given; /* where a profile lists none and forces no command */
} extensions[OPTION_EXTENSIONS_MAX] = {
	{ "no-touch-required", false },
	{ "permit-X11-forwarding", false },
	{ "permit-agent-forwarding", false },
	{ "permit-port-forwarding", true },
	{ "permit-pty", true },
	{ "permit-user-rc", false },
};

bool
option_extension_ok(const char *name)
{
	size_t i;

	for (i = 0; i < OPTION_EXTENSIONS_MAX; i++)
		if (strcmp(extensions[i].name, name) == 0)
			return true;
	return false;
}

bool
option_address_ok(const char *cidr)
{
	bool mapped = strchr(cidr, ':') != NULL &&
		      text_cidr_within("0.0.0.0/0", cidr);

	return text_cidr_ok(cidr) && !mapped && strlen(cidr) <= ADDRESS_LEN_MAX;
}

static bool
lists(const struct conf_profile *p, const char *name)
{
	size_t i;

	for (i = 0; i < p->extensions.n; i++)
		if (strcmp(p->extensions.items[i].value, name) == 0)
			return true;
	return false;
}

size_t
option_extensions(const struct conf_profile *p,
    struct cert_option out[static OPTION_EXTENSIONS_MAX])
{
	const struct extension *e;
	size_t i, n = 0;
	bool given;

	for (i = 0; i < OPTION_EXTENSIONS_MAX; i++) {
		e = &extensions[i];
		if (p != NULL && p->has_extensions)
			given = lists(p, e->name);
		else
			given = e->given &&
				(p == NULL || p->force_command == NULL);
		if (given)
			out[n++] = (struct cert_option){ e->name, NULL };
	}
	return n;
}

int
option_join(const char *const *cidrs, size_t n, char **outp)
{
	size_t i, len = 1;
	char *p;

	*outp = NULL;
	for (i = 0; i < n; i++)
		len += strlen(cidrs[i]) + 1;
	if ((*outp = malloc(len)) == NULL)
		return AAD_ENOMEM;
	for (i = 0, p = *outp; i < n; i++) {
		if (i > 0)
			*p++ = ',';
		p = stpcpy(p, cidrs[i]);
	}
	*p = '\0';
	return 0;
}
