/* SPDX-License-Identifier: ISC */

/* Bytes as a configuration file; libFuzzer's have no NUL behind them. */
#include <stdlib.h>
#include <string.h>

#include "ca/signer/profile.h"
#include "policy/rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct rules *rules = NULL;
	struct conf *c = NULL;
	struct conf_error why;
	char *text = calloc(1, len + 1);

	if (text != NULL && len > 0)
		memcpy(text, data, len);
	if (text != NULL && conf_parse(text, len, &c, &why) == 0 &&
	    rules_new(c, &rules, &why) == 0) {
		rules_is_never(rules, rules_is_mapped(rules, "x") ? "x" : "y");
		if (profile_check(c, rules, &why) == 0)
			conf_profile_of(c, "x");
	}
	rules_free(rules);
	conf_free(c);
	free(text);
	return 0;
}
