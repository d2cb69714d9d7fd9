/* SPDX-License-Identifier: ISC */

/*
 * qr: a URL as a QR code (ISO/IEC 18004) of text: each character is one
 * module wide and two high, by the half blocks of Unicode.  The only user of
 * libqrencode.
 */

#ifndef AAD_QR_H
#define AAD_QR_H

#include <stddef.h>

#include "core/err.h"

#define QR_QUIET       2 /* light modules around it; the standard asks for 4 */
#define QR_MODULES_MAX 57 /* version 10: 271 bytes of text */
#define QR_LINES_MAX   ((QR_MODULES_MAX + 2 * QR_QUIET + 1) / 2)
#define QR_LINE_SIZE   ((QR_MODULES_MAX + 2 * QR_QUIET) * 3 + 1) /* UTF-8 */

/* Which modules the blocks paint; the others show the background. */
enum qr_ink {
	QR_INK_DARK, /* for dark text on a light ground */
	QR_INK_LIGHT /* for light text on a dark ground */
};

/* A plain record. */
struct qr {
	size_t columns; /* of each line, quiet zone included */
	size_t n; /* lines */
	char lines[QR_LINES_MAX][QR_LINE_SIZE]; /* UTF-8, no newline */
};

/*
 * text: ASCII, not "".
 * *out: zero unless 0 is returned.
 * Returns 0; AAD_ETOOBIG when it does not fit; AAD_EARG; AAD_ENOMEM.
 */
int qr_render(const char *text, enum qr_ink ink, struct qr *out) AAD_MUST_CHECK;

#endif /* AAD_QR_H */
