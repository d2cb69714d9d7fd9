/* SPDX-License-Identifier: ISC */

/* Every parser that a provider's answer reaches before its signature does. */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "idp/device.h"
#include "idp/discovery.h"

#define AUTHORITY "https://login.microsoftonline.com"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data, *why;
	struct discovery *where;
	struct grant_reply g;
	struct device d;

	if (device_parse(text, size, AUTHORITY, true, &d, &why) == 0 &&
	    !cloud_page_ok(AUTHORITY, true, d.url))
		__builtin_trap();
	device_release(&d);
	if (discovery_parse(text, size, AUTHORITY, AUTHORITY "/t/v2.0", &where,
		&why) == 0)
		discovery_free(where);
	if (grant_reply_parse(200, text, size, &g) == 0) {
		(void)device_judge(200, 0, &g);
		if (g.refresh_token != NULL &&
		    (g.kind != GRANT_TOKEN ||
			strlen(g.refresh_token) != g.refresh_token_len))
			__builtin_trap();
	}
	grant_reply_release(&g);
	return 0;
}
