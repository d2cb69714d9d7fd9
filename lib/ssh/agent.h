/* SPDX-License-Identifier: ISC */

/*
 * agent: the messages to and from an ssh-agent that holds keys
 * (draft-miller-ssh-agent).  Pure: who speaks to the socket is the caller.
 */

#ifndef AAD_AGENT_H
#define AAD_AGENT_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "ssh/key.h"

#define AGENT_REPLY_MAX 262144 /* bytes, OpenSSH's own bound */
#define AGENT_KEYS_MAX	256
#define AGENT_HEAD_LEN	4 /* bytes in front of each message: its length */

/*
 * Whole messages with their length in front.  *outp: the caller frees it.
 * Return 0; AAD_ENOMEM.
 */
int agent_ask_keys(uint8_t **outp, size_t *lenp) AAD_MUST_CHECK;
/* For an RSA key the flag that asks for rsa-sha2-512 is set. */
int agent_ask_sign(const struct key *k, const uint8_t *data, size_t len,
    uint8_t **outp, size_t *lenp) AAD_MUST_CHECK;

/* The length that the first AGENT_HEAD_LEN bytes of a reply announce, 0 when
 * it is 0 or over AGENT_REPLY_MAX. */
size_t agent_reply_len(const uint8_t head[static AGENT_HEAD_LEN]);

/*
 * Replies without their length in front.
 *
 * agent_read_keys(): whether the agent holds k: 0; AAD_ENOENT when it does
 * not; AAD_EREFUSED when it says no; AAD_EFORMAT.  Keys of other types are
 * passed over.  Of k its blob is compared, which may be a certificate's.
 * agent_read_sign(): *sigp, a signature blob the caller frees and verifies
 * (an agent may sign with another key): 0; AAD_EREFUSED; AAD_EFORMAT;
 * AAD_ENOMEM.
 */
int agent_read_keys(const uint8_t *reply, size_t len,
    const struct key *k) AAD_MUST_CHECK;
int agent_read_sign(const uint8_t *reply, size_t len, uint8_t **sigp,
    size_t *siglenp) AAD_MUST_CHECK;

#endif /* AAD_AGENT_H */
