/* SPDX-License-Identifier: ISC */

/*
 * err: the one error idiom.  A function that can fail returns 0 or one of
 * these; what a person should know about a refusal is a reason (reason.h).
 */

#ifndef AAD_ERR_H
#define AAD_ERR_H

#define AAD_MUST_CHECK __attribute__((warn_unused_result))

enum {
	AAD_EINTERNAL = -1, /* a bug, or a result never assigned */
	AAD_ENOMEM = -2,
	AAD_ESYS = -3, /* a system call failed; errno says why */
	AAD_ENOENT = -4, /* it is not there, and that is certain */
	AAD_EEXIST = -5, /* it is there already */
	AAD_EPERM = -6, /* wrong type, owner, mode or link count */
	AAD_ETOOBIG = -7, /* over a stated bound */
	AAD_EFORMAT = -8, /* the bytes do not follow their format */
	AAD_EVERSION = -9, /* a format version newer than ours */
	AAD_ESIG = -10, /* a signature does not verify */
	AAD_EARG = -11, /* the caller broke the contract */
	AAD_EREFUSED = -12, /* a definite no; the reason says which */
	AAD_ENET = -13, /* the network or the peer failed */
	AAD_EAGAIN = -14, /* somebody else changed it meanwhile */
};

/* The constant's name without AAD_, "EUNKNOWN" for any other number. */
const char *err_name(int r);

#endif /* AAD_ERR_H */
