/* SPDX-License-Identifier: ISC */

#include <string.h>

#include "core/reason.h"

static const struct row {
	const char *name;
	const char *sentence;
	enum reason_class class;
} rows[] = {
#define X(constant, code, class, sentence) { code, sentence, REASON_##class },
	AAD_REASONS(X)
#undef X
};

static const struct row *
row(enum reason r)
{
	unsigned int i = (unsigned int)r;

	return i < AAD_R_COUNT ? &rows[i] : &rows[AAD_R_UNSET];
}

const char *
reason_name(enum reason r)
{
	return row(r)->name;
}

enum reason
reason_find(const char *name)
{
	int i;

	for (i = 0; i < AAD_R_COUNT; i++)
		if (strcmp(rows[i].name, name) == 0)
			return (enum reason)i;
	return AAD_R_UNSET;
}

const char *
reason_sentence(enum reason r)
{
	return row(r)->sentence;
}

enum reason_class
reason_class(enum reason r)
{
	return row(r)->class;
}

const char *
reason_verdict(enum reason r)
{
	switch (row(r)->class) {
	case REASON_YES:
		return "yes";
	case REASON_NO:
		return "no";
	case REASON_CANNOT:
		break;
	}
	return "cannot_tell";
}

int
reason_exit(enum reason r)
{
	switch (row(r)->class) {
	case REASON_YES:
		return 0;
	case REASON_NO:
		return 1;
	case REASON_CANNOT:
		break;
	}
	return 3;
}
