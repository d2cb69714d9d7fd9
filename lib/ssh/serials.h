/* SPDX-License-Identifier: ISC */

/*
 * serials: how the revoked serials of one authority are said in the fewest
 * bytes (PROTOCOL.krl s.2: a list, a range, a bitmap).  Pure arithmetic; who
 * writes the bytes is krl_encode().
 */

#ifndef AAD_SERIALS_H
#define AAD_SERIALS_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "ssh/krl.h"

enum serials_form {
	SERIALS_LIST = 0x20, /* the numbers of the wire */
	SERIALS_RANGE = 0x21,
	SERIALS_BITMAP = 0x22
};

/* One subsection: n ranges from the first on. */
struct serials_part {
	enum serials_form form;
	size_t first;
	size_t n;
};

/*
 * Sort, join what overlaps or touches; in place.  *np: how many there are.
 * Returns 0; AAD_EARG for a range with lo 0 or hi < lo; AAD_ENOMEM.
 */
int serials_sort(struct krl_range *r, size_t *np) AAD_MUST_CHECK;

/*
 * Split n ranges that serials_sort() left into parts that need the fewest
 * bytes: a range is 21, a list 5 and 8 for each serial, a bitmap 18 and one
 * for each 8 bits; no bitmap has more than KRL_BITMAP_MAX bits.  A range is
 * never split.  Takes time in proportion to n.
 *
 * *partsp: NULL unless 0 is returned with n > 0; then the caller frees it.
 * Returns 0; AAD_ETOOBIG when it would be over KRL_MAX; AAD_ENOMEM.
 */
int serials_split(const struct krl_range *r, size_t n,
    struct serials_part **partsp, size_t *npartsp) AAD_MUST_CHECK;

#endif /* AAD_SERIALS_H */
