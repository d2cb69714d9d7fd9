/* SPDX-License-Identifier: ISC */

/*
 * revoked: what nobody may trust any more, as the ledger has it, in the two
 * forms that hosts read: the KRL for sshd and the denials for our own hook.
 */

#ifndef AAD_REVOKED_H
#define AAD_REVOKED_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "ca/signer/keyring.h"
#include "ca/signer/signer.h"
#include "core/reason.h"

/*
 * A host whose clock is behind takes a certificate that has ended here, so it
 * is revoked, and stays in the KRL, for this long after its end.
 */
#define REVOKED_AFTER_END 86400 /* seconds */

/*
 * What ended before this counts no more.  Our clock may be ahead, and then
 * what is good still would seem to be over; so it is never later than that
 * long before the last certificate of a user was made, which took a token of
 * its time.
 * *sincep: 0 unless ALLOWED is returned.
 */
enum reason revoked_since(struct signer *s, int64_t *sincep) AAD_MUST_CHECK;

/* How much a KRL holds. */
struct revoked_count {
	size_t serials;
	size_t keys; /* keys of users and of the authority itself */
};

/*
 * The KRL: a section for each key of ours that hosts trust, with the serials
 * that are revoked and not long over; the hash of each denied key, for
 * ever; the hash of each key of ours that is removed or revoked, for ever.
 * Within a transaction, so that it is of one moment.
 *
 * *outp: NULL unless ALLOWED is returned; then the caller frees it.
 */
enum reason revoked_krl(struct signer *s, const struct keyring *keys,
    uint64_t version, uint8_t **outp, size_t *lenp, struct revoked_count *n);

/*
 * denials.json: the identities and keys whose denial is in force.
 * *outp: text, NULL unless ALLOWED is returned; then the caller frees it.
 */
enum reason revoked_denials(struct signer *s, char **outp);

#endif /* AAD_REVOKED_H */
