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

#endif /* AAD_UNIT_H */
