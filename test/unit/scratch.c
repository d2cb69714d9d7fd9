/* SPDX-License-Identifier: ISC */

#include <errno.h>
#include <ftw.h>
#include <stdio.h>

#include "test/unit/scratch.h"

static int
remove_one(const char *path, const struct stat *sb, int type, struct FTW *at)
{
	(void)sb;
	(void)type;
	(void)at;
	return remove(path);
}

int
scratch_remove(const char *path)
{
	int r = nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);

	return r == -1 && errno == ENOENT ? 0 : r;
}
