/* SPDX-License-Identifier: ISC */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cli/out.h"
#include "cmd/cli/verb.h"
#include "core/strictjson.h"

int
out_json(json_t *o)
{
	char *text = o == NULL ? NULL : strictjson_dump(o);
	int r = EXIT_CANNOT;

	if (text != NULL && puts(text) != EOF)
		r = EXIT_DONE;
	free(text);
	json_decref(o);
	return r;
}

int
out_refusal(const char *prog, enum reason why, const char *detail)
{
	fprintf(stderr, "%s: %s (%s)\n", prog, reason_sentence(why),
	    reason_name(why));
	if (detail != NULL && detail[0] != '\0')
		fprintf(stderr, "  %s\n", detail);
	return reason_exit(why);
}

int
out_finish(const char *prog, int code)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return code;
	fprintf(stderr, "%s: cannot write the output: %s\n", prog,
	    strerror(errno));
	return EXIT_CANNOT;
}
