/* SPDX-License-Identifier: ISC */

#include "ca/signer/ops.h"

#define L(label) (UINT32_C(1) << REQUEST_L_##label)
#define SHORT	 60 /* seconds */
#define LONG	 3600 /* of what walks over the ledger by an index */
#define WHOLE	 21600 /* of what reads all of it: millions of certificates */
/* What is recorded, and no operation is refused for. */
#define SAID (L(CONTEXT) | L(TEXT))
#define CAS  (L(USER_CA) | L(HOST_CA))

_Static_assert(REQUEST_L_MAX < 32, "labels are bits of a uint32_t");

/* op, function, socket, makes, seconds, needs, may */
static const struct op ops[] = {
	{ REQUEST_SIGN, op_sign, true, false, SHORT, L(KEY) | L(TOKEN),
	    L(LOGIN) | L(TTL) | L(SOURCE) | L(DRY_RUN) },
	{ REQUEST_INIT, op_init, false, true, SHORT, L(KEY), L(IMPORT) | CAS },
	{ REQUEST_SIGN_HOST, op_sign_host, false, false, SHORT,
	    L(KEY) | L(NAME), L(TTL) | L(DRY_RUN) },
	{ REQUEST_LIST, op_list, false, false, WHOLE, 0,
	    L(OID) | L(USER) | L(HASH) | L(SERIAL) | L(SINCE) | L(VALID) },
	{ REQUEST_VERIFY, op_verify, false, false, WHOLE, 0, 0 },
	{ REQUEST_KEYS, op_keys, false, false, SHORT, 0, 0 },
	{ REQUEST_REVOKE, op_revoke, false, false, LONG, 0,
	    L(SERIAL) | L(OID) | L(USER) | L(HASH) | L(CA_HASH) | CAS },
	{ REQUEST_UNREVOKE, op_unrevoke, false, false, LONG, 0,
	    L(OID) | L(USER) | L(LOGIN) },
	{ REQUEST_KRL, op_krl, false, false, LONG, 0, 0 },
	{ REQUEST_ROTATE, op_rotate, false, false, LONG, 0,
	    L(NOW) | L(DRY_RUN) | CAS },
	{ REQUEST_STAGE, op_stage, false, false, LONG, 0, 0 },
	{ REQUEST_COMMIT, op_commit, false, false, LONG, L(VERSION), 0 },
	{ REQUEST_BACKUP, op_backup, false, false, WHOLE, 0, 0 },
	{ REQUEST_RESTORE, op_restore, false, true, WHOLE,
	    L(SECRET) | L(LENGTH), 0 },
	{ REQUEST_CHECK, op_check, false, false, WHOLE, 0, 0 },
	{ REQUEST_ROTATE_BUNDLE, op_rotate_bundle, false, false, LONG, 0,
	    L(SECRET) },
};

const struct op *
ops_find(enum request_op op)
{
	size_t i;

	for (i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
		if (ops[i].op == op)
			return &ops[i];
	return NULL;
}

enum reason
ops_judge(const struct request *rq, bool socket, const struct op **outp,
    const char **faultp)
{
	const struct op *op = ops_find(rq->op);
	uint32_t has = 0;
	size_t i;

	*outp = NULL;
	*faultp = "";
	if (socket && (op == NULL || !op->socket))
		return AAD_R_REQUEST_REFUSED;
	if (op == NULL) {
		*faultp = "there is no such operation";
		return AAD_R_REQUEST_MALFORMED;
	}
	for (i = 0; i < rq->n; i++)
		has |= UINT32_C(1) << rq->fields[i].label;
	if ((has & op->needs) != op->needs)
		*faultp = "a field is missing";
	else if ((has & ~(op->needs | op->may | SAID)) != 0)
		*faultp = "a field has no place in this operation";
	if ((*faultp)[0] != '\0')
		return AAD_R_REQUEST_MALFORMED;
	*outp = op;
	return AAD_R_ALLOWED;
}
