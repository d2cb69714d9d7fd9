/* SPDX-License-Identifier: ISC */

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "ssh/agent.h"
#include "ssh/sign.h"
#include "ssh/wire.h"

/* draft-miller-ssh-agent s.6.1, s.6.3 */
#define FAILURE		   5
#define REQUEST_IDENTITIES 11
#define IDENTITIES_ANSWER  12
#define SIGN_REQUEST	   13
#define SIGN_RESPONSE	   14
#define EXTENSION_FAILURE  28
#define SSH2_FAILURE	   30 /* of old agents, which OpenSSH knows */
#define SSH_COM_FAILURE	   102
#define RSA_SHA2_512	   4U

int
agent_ask_keys(uint8_t **outp, size_t *lenp)
{
	struct wirebuf b = wirebuf_new();
	size_t at = wire_put_begin(&b);

	wire_put_u8(&b, REQUEST_IDENTITIES);
	wire_put_end(&b, at);
	return wirebuf_take(&b, outp, lenp);
}

int
agent_ask_sign(const struct key *k, const uint8_t *data, size_t len,
    uint8_t **outp, size_t *lenp)
{
	struct wirebuf b = wirebuf_new();
	size_t at = wire_put_begin(&b);

	wire_put_u8(&b, SIGN_REQUEST);
	wire_put_string(&b, k->blob, k->blob_len);
	wire_put_string(&b, data, len);
	wire_put_u32(&b, k->kind == KEY_RSA ? RSA_SHA2_512 : 0);
	wire_put_end(&b, at);
	return wirebuf_take(&b, outp, lenp);
}

size_t
agent_reply_len(const uint8_t head[static AGENT_HEAD_LEN])
{
	struct wire w = wire_of(head, AGENT_HEAD_LEN);
	uint32_t len;

	if (wire_u32(&w, &len) != 0 || len > AGENT_REPLY_MAX)
		return 0;
	return len;
}

/* The type of a reply, and what follows it. */
static int
open_reply(const uint8_t *reply, size_t len, uint8_t want, struct wire *w)
{
	if (len == 0 || len > AGENT_REPLY_MAX)
		return AAD_EFORMAT;
	*w = wire_of(reply + 1, len - 1);
	if (reply[0] == want)
		return 0;
	switch (reply[0]) {
	case FAILURE:
	case EXTENSION_FAILURE:
	case SSH2_FAILURE:
	case SSH_COM_FAILURE:
		return wire_end(w) ? AAD_EREFUSED : AAD_EFORMAT;
	default:
		return AAD_EFORMAT;
	}
}

int
agent_read_keys(const uint8_t *reply, size_t len, const struct key *k)
{
	const uint8_t *blob, *comment;
	size_t blob_len, comment_len;
	bool found = false;
	struct wire w;
	uint32_t n;
	int r;

	if ((r = open_reply(reply, len, IDENTITIES_ANSWER, &w)) != 0)
		return r;
	if (wire_u32(&w, &n) != 0 || n > AGENT_KEYS_MAX)
		return AAD_EFORMAT;
	for (; n > 0; n--) {
		if (wire_string(&w, &blob, &blob_len) != 0 ||
		    wire_string(&w, &comment, &comment_len) != 0)
			return AAD_EFORMAT;
		if (blob_len > 0 && blob_len == k->blob_len &&
		    memcmp(blob, k->blob, blob_len) == 0)
			found = true;
	}
	if (!wire_end(&w))
		return AAD_EFORMAT;
	return found ? 0 : AAD_ENOENT;
}

int
agent_read_sign(const uint8_t *reply, size_t len, uint8_t **sigp,
    size_t *siglenp)
{
	const uint8_t *sig;
	size_t siglen;
	struct wire w;
	int r;

	*sigp = NULL;
	*siglenp = 0;
	if ((r = open_reply(reply, len, SIGN_RESPONSE, &w)) != 0)
		return r;
	if (wire_string(&w, &sig, &siglen) != 0 || siglen == 0 ||
	    siglen > SIGN_MAX || !wire_end(&w))
		return AAD_EFORMAT;
	if ((*sigp = malloc(siglen)) == NULL)
		return AAD_ENOMEM;
	memcpy(*sigp, sig, siglen);
	*siglenp = siglen;
	return 0;
}
