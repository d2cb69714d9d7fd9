/* SPDX-License-Identifier: ISC */

/*
 * record: one signed cache entry that binds (login, key) to a token, or the
 * tombstone that such an entry leaves.  docs/formats.md "Record".
 *
 *	aadssh-record 1 HOST LOGIN KEYHASH	hex64, login, hex64
 *	SIGNATURE				base64, Ed25519
 *	TOKEN					compact JWS, or "-"
 *	BODY					JSON
 *
 * The signature, by the record key, is over all but its own line: format,
 * host, login, key, token and body are one statement.  The token stands
 * outside the JSON because the hook would read it character by character
 * there.
 */

#ifndef AAD_RECORD_H
#define AAD_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/name.h"
#include "core/reason.h"
#include "core/secret.h"
#include "host/hostid.h"
#include "ssh/key.h"

#define RECORD_MAX	  98304 /* bytes: a 64 KiB token, a key, and the rest */
#define RECORD_PUB_LEN	  32
#define RECORD_SEC_LEN	  64
#define RECORD_SOURCE_MAX 64 /* an address, or "local" */
#define TOMBSTONE_AGE	  (30 * 24 * 3600) /* seconds; then it is swept */

/*
 * Whose signature counts: the record key's public half, and during a rekey
 * the one that it follows, so that no record stops counting on the way.
 */
struct record_pub {
	uint8_t keys[2][RECORD_PUB_LEN]; /* the current one first */
	size_t n; /* 1 or 2; 0 verifies nothing */
};

enum record_state {
	RECORD_ACTIVE = 1,
	RECORD_ENDED
};

enum record_renewal {
	RENEWAL_OK = 1,
	RENEWAL_UNREACHABLE,
	RENEWAL_SIGN_IN_AGAIN
};

enum record_confirmed {
	CONFIRMED_NO = 0,
	CONFIRMED_ADMIN, /* aadssh login: who ran it named the key */
	CONFIRMED_SESSION /* sshd verified a signature by the key */
};

/*
 * A plain record.  Times are Unix seconds of our clock.  Strings are heap,
 * never NULL in an active record; NULL in an ended one but for reason.
 */
struct record {
	enum record_state state;
	char login[NAME_LOGIN_MAX + 1];
	uint8_t key_hash[32];
	uint64_t generation; /* 1 at the first write, then one more each */
	int64_t written;
	/* active */
	uint8_t *blob; /* the key, wire form */
	size_t blob_len;
	char *id_token;
	char tid[NAME_GUID_LEN + 1];
	char oid[NAME_GUID_LEN + 1];
	char *upn; /* for people; "" when the token has none */
	int64_t sign_in; /* when the flow's first token was verified */
	enum record_renewal renewal;
	int64_t renewal_at;
	enum record_confirmed confirmed;
	int64_t confirmed_at; /* 0 with CONFIRMED_NO */
	char *source;
	/* ended */
	char *ended_reason; /* a reason_name() */
	int64_t ended_at;
};

/*
 * Verify and parse the bytes of a record file.
 *
 * text: len bytes with a NUL behind them.
 * host, login, key_hash: what it must be bound to.
 * pub: either of its keys may have signed.
 * *outp: NULL unless 0 is returned; then the caller frees it.
 * *whyp for AAD_EREFUSED: RECORD_MALFORMED, RECORD_VERSION, FOREIGN_HOST,
 * RECORD_SIGNATURE, RECORD_MISMATCH.  An ended record is no refusal here.
 * Returns 0; AAD_EREFUSED; AAD_ENOMEM.
 */
int record_parse(const char *text, size_t len,
    const uint8_t host[static HOSTID_LEN], const char *login,
    const uint8_t key_hash[static 32], const struct record_pub *pub,
    struct record **outp, enum reason *whyp) AAD_MUST_CHECK;

/*
 * The bytes to store, signed.
 *
 * sec: RECORD_SEC_LEN bytes, libsodium's secret key.
 * *outp: heap, *lenp bytes and a NUL; the caller frees it.
 * Returns 0; AAD_EARG when r is not one that record_parse() would take;
 * AAD_ETOOBIG; AAD_ENOMEM.
 */
int record_format(const struct record *r, const uint8_t host[static HOSTID_LEN],
    struct secret *sec, char **outp, size_t *lenp) AAD_MUST_CHECK;

/*
 * The tombstone that follows rec: no token, one generation more.
 *
 * why: kept as its code.  at: our clock, when it ended.
 * *outp: NULL unless 0 is returned; then the caller frees it.
 * Returns 0; AAD_EARG when no generation is left, or for a time before
 * 1970; AAD_ENOMEM.
 */
int record_end(const struct record *rec, enum reason why, int64_t at,
    struct record **outp) AAD_MUST_CHECK;

/*
 * Why a record that ended lets nobody in: its own reason, where that is a
 * definite no that we know, else RECORD_ENDED.
 */
enum reason record_ended_why(const struct record *r);

/*
 * Whether a tombstone has told everybody and may go: older than
 * TOMBSTONE_AGE.  One of a shared key never: it keeps the key shut until an
 * administrator forgets it.  now: Unix seconds.
 */
bool record_spent(const struct record *r, int64_t now);

/* Wipe the token and release.  NULL is a no-op. */
void record_free(struct record *r);

#endif /* AAD_RECORD_H */
