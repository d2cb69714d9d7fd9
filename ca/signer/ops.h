/* SPDX-License-Identifier: ISC */

/*
 * ops: what the signer can be asked, by whom, and with which fields.  The one
 * way from a request to an operation.
 */

#ifndef AAD_OPS_H
#define AAD_OPS_H

#include "ca/signer/signer.h"

struct op {
	enum request_op op;
	signer_fn *fn;
	bool socket; /* a stranger may ask for it */
	bool makes; /* the state directory may be missing: it is made */
	unsigned int seconds; /* until the process ends, come what may */
	uint32_t needs; /* a bit (1 << label) for each field */
	uint32_t may; /* beside those */
};

/* The operation, NULL for one that is a reply or unknown. */
const struct op *ops_find(enum request_op op);

/*
 * Judge a request: whether it may be asked for here and has its fields and no
 * others.  fault: the words, "" for none.
 * *outp: NULL unless ALLOWED.
 * Returns ALLOWED; REQUEST_REFUSED; REQUEST_MALFORMED.
 */
enum reason ops_judge(const struct request *rq, bool socket,
    const struct op **outp, const char **faultp) AAD_MUST_CHECK;

#endif /* AAD_OPS_H */
