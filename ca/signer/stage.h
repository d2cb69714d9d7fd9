/* SPDX-License-Identifier: ISC */

/*
 * stage: the files of a backup on their way into DIR/keys and DIR/manifests.
 * Each is written beside its name; when all are there and the ledger has
 * verified, they get their names.  Any end before that, kill -9 too, leaves
 * temporary files that nothing reads, and the next restore removes.
 */

#ifndef AAD_STAGE_H
#define AAD_STAGE_H

#include <stddef.h>
#include <stdint.h>

#include "ca/signer/signer.h"
#include "core/err.h"
#include "core/reason.h"

#define STAGE_FOLDERS 2

struct stage {
	int dirs[STAGE_FOLDERS]; /* keys, manifests */
	int lock; /* no other restore is under way */
	int fd; /* the file that is being written, or -1 */
};

/* What stage_drop() takes before stage_begin(), too. */
#define STAGE_NONE                                                             \
	{                                                                      \
		.dirs = { -1, -1 }, .lock = -1, .fd = -1                       \
	}

/*
 * Make the directories that are missing, lock, and clean up.
 * Returns ALLOWED; LEDGER_BUSY when another restore runs;
 * STATE_UNREADABLE; DISK; NO_MEMORY.
 */
enum reason stage_begin(struct stage *st, struct signer *s);

/*
 * A file "FOLDER/NAME", its bytes, its end.
 * Return 0; AAD_EEXIST for one that was there before; AAD_EARG for another
 * folder; AAD_ETOOBIG; AAD_ESYS with errno.
 */
int stage_open(struct stage *st, const char *full) AAD_MUST_CHECK;
int stage_write(struct stage *st, const uint8_t *p, size_t len) AAD_MUST_CHECK;
int stage_close(struct stage *st) AAD_MUST_CHECK;

/*
 * Whether nothing is in the way: every file that is there must be one of
 * these, with the same bytes, as a killed run of this backup leaves it.
 * Returns ALLOWED; CA_EXISTS; STATE_UNREADABLE; NO_MEMORY.
 */
enum reason stage_judge(const struct stage *st, struct signer *s);

/* Give each its name.  Returns ALLOWED; DISK: some may have theirs. */
enum reason stage_place(const struct stage *st, struct signer *s);

/* Remove what has not got its name, and unlock. */
void stage_drop(struct stage *st);

#endif /* AAD_STAGE_H */
