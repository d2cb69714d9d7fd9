/* SPDX-License-Identifier: ISC */

/*
 * krlpart: one subsection of revoked serials as it lies in a list, PROTOCOL.krl
 * s.2: read once, then asked.  Nothing is unpacked: what dense bitmaps of 16
 * MiB say would fill a gigabyte.
 */

#ifndef AAD_KRLPART_H
#define AAD_KRLPART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "ssh/serials.h"
#include "ssh/wire.h"

/* Serials lo to hi, of which data says more, unless it is a range. */
struct krlpart {
	uint64_t lo;
	uint64_t hi;
	const uint8_t *data; /* borrowed; of a list 8 bytes each, else bits */
	uint32_t len; /* bytes */
	enum serials_form form;
};

/*
 * Read the whole of w as a part of this type; strict as krl_decode() says.
 * *np: how many serials.
 * Returns 0 or AAD_EFORMAT, also for an unknown type.
 */
int krlpart_read(uint8_t type, struct wire w, struct krlpart *p,
    uint64_t *np) AAD_MUST_CHECK;

/* Whether it has this serial, which is lo to hi. */
bool krlpart_has(const struct krlpart *p, uint64_t serial);

#endif /* AAD_KRLPART_H */
