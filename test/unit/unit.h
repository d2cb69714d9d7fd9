/* SPDX-License-Identifier: ISC */

/* What every unit test includes first: cmocka and what it needs before. */

#ifndef AAD_UNIT_H
#define AAD_UNIT_H

/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

/*
 * Where a test makes its directory: in memory where that can be had, since a
 * ledger waits for the disk at each step.  Wants <unistd.h>.
 */
#define UNIT_TMP (access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp")

#endif /* AAD_UNIT_H */
