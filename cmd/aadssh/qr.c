/* SPDX-License-Identifier: ISC */

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include <qrencode.h>

#include "cmd/aadssh/qr.h"

/* Whether the module in this row and column, from -QR_QUIET on, is dark. */
static bool
dark(const QRcode *q, int row, int column)
{
	if (row < 0 || row >= q->width || column < 0 || column >= q->width)
		return false;
	return (q->data[row * q->width + column] & 1) != 0;
}

/* One line of text: the modules of row and of the one below. */
static void
draw(const QRcode *q, int row, enum qr_ink ink, char *to)
{
	static const char *const blocks[] = { " ", "\xe2\x96\x84",
		"\xe2\x96\x80", "\xe2\x96\x88" }; /* none, lower, upper, both */
	const char *block;
	int column, upper, lower;

	for (column = -QR_QUIET; column < q->width + QR_QUIET; column++) {
		upper = dark(q, row, column) == (ink == QR_INK_DARK);
		lower = dark(q, row + 1, column) == (ink == QR_INK_DARK);
		block = blocks[upper * 2 + lower];
		memcpy(to, block, strlen(block));
		to += strlen(block);
	}
	*to = '\0';
}

int
qr_render(const char *text, enum qr_ink ink, struct qr *out)
{
	QRcode *q;
	int row;

	memset(out, 0, sizeof(*out));
	if (text[0] == '\0')
		return AAD_EARG;
	if ((q = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_L)) == NULL)
		return errno == ERANGE	 ? AAD_ETOOBIG
		       : errno == ENOMEM ? AAD_ENOMEM
					 : AAD_EARG;
	if (q->width < 1 || q->width > QR_MODULES_MAX) {
		QRcode_free(q);
		return AAD_ETOOBIG;
	}
	out->columns = (size_t)q->width + 2 * QR_QUIET;
	for (row = -QR_QUIET; row < q->width + QR_QUIET; row += 2)
		draw(q, row, ink, out->lines[out->n++]);
	QRcode_free(q);
	return 0;
}
