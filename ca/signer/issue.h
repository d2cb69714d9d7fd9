/* SPDX-License-Identifier: ISC */

/*
 * issue: the one way to a certificate of ours: its row first, then the
 * signature, then the row that says so, then the answer.  What may be signed
 * was decided before, by profile.h; who may ask is op_sign()'s and
 * op_sign_host()'s question.
 */

#ifndef AAD_ISSUE_H
#define AAD_ISSUE_H

#include "ca/signer/profile.h"
#include "ca/signer/signer.h"
#include "core/name.h"
#include "ssh/cert.h"
#include "ssh/key.h"

/* A certificate that was granted.  Borrowed. */
struct issue {
	enum ca_role role; /* which of our keys signs: CA_ROLE_USER, _HOST */
	const struct key *key; /* the subject */
	const struct profile_grant *grant;
	const struct claims *claims; /* NULL of a host */
	const uint8_t *token_hash; /* 32 bytes, NULL of a host */
	char request[NAME_HEX64_LEN + 1]; /* issue_digest() */
	const char *context; /* "" for none */
};

/*
 * The subject key of a request: sound, and none of our own.  Opens the
 * ledger.  *k: zero unless ALLOWED; then the caller releases it.
 * Returns ALLOWED; REQUEST_MALFORMED, the reasons of key_from_blob(),
 * KEY_REVOKED, those of the ledger.
 */
enum reason issue_key(struct signer *s, const struct request *rq,
    struct key *k) AAD_MUST_CHECK;

/*
 * The texts of a label as a list, which issue_texts_free() frees.
 * Returns ALLOWED; NO_MEMORY.
 */
enum reason issue_texts(const struct request *rq, enum request_label label,
    char ***outp, size_t *np) AAD_MUST_CHECK;
void issue_texts_free(char **texts, size_t n);

/* What was asked for, in 64 hex digits: the same request has the same. */
void issue_digest(const struct request *rq,
    char out[static NAME_HEX64_LEN + 1]);

/*
 * Begin the transaction in which everything is judged, of a ledger that has
 * what hosts were told: an older copy has forgotten denials and used tokens.
 * Returns ALLOWED; LEDGER_ALTERED, those of the ledger: then none is open.
 */
enum reason issue_begin(struct signer *s) AAD_MUST_CHECK;

/* Whether identity and key may still have anything; in a transaction. */
enum reason issue_denied(struct signer *s, const char *oid,
    const struct key *k) AAD_MUST_CHECK;

/*
 * Make it, with the transaction open in which everything was judged; it is
 * over in any case.  Answers with the certificate.
 * *endp: the summary.  Returns ALLOWED, or why not.
 */
enum reason issue_certificate(struct signer *s, const struct issue *is,
    json_t **endp) AAD_MUST_CHECK;

/* Answer with a certificate of the ledger once more. */
enum reason issue_again(struct signer *s, const char *base64,
    const struct profile_grant *g, json_t **endp) AAD_MUST_CHECK;

/* What would be given.  *endp: the summary.  Returns ALLOWED; NO_MEMORY. */
enum reason issue_dry(const struct profile_grant *g,
    json_t **endp) AAD_MUST_CHECK;

#endif /* AAD_ISSUE_H */
