/* SPDX-License-Identifier: ISC */

/*
 * request: what aadssh-ca and the signer say to each other, over a pipe or
 * the signer's socket.  Pure: bytes in, fields out, and back.  The only
 * header of the signer that ca/ may include.  docs/formats.md, "Framing".
 *
 * A message: 8 bytes magic, u32 op, u32 length of the rest, then fields.
 * A field: u16 label, u32 length, bytes; labels ascend, and only those of
 * REQUEST_REPEATS may stand several times.  All numbers big endian.
 * A connection carries one request, then replies: any number of ROW and
 * CERTIFICATE and DATA, and one END, behind which nothing comes.  Behind the
 * message of RESTORE, and of no other, come LENGTH bytes: the backup.
 */

#ifndef AAD_REQUEST_H
#define AAD_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/reason.h"
#include "ssh/wire.h"

#define REQUEST_MAGIC	   "aadssh1\n" /* 8 bytes */
#define REQUEST_HEAD_LEN   16 /* bytes: magic, op, length */
#define REQUEST_MAX	   131072 /* bytes behind the head of a request */
#define REQUEST_REPLY_MAX  1048576 /* bytes behind the head of a reply */
#define REQUEST_FIELDS_MAX 600 /* of one message; 256 logins fit */

/* Over the socket only REQUEST_SIGN exists. */
enum request_op {
	REQUEST_NONE = 0,
	REQUEST_SIGN =
	    1, /* KEY TOKEN [LOGIN…] [TTL] [SOURCE…] [DRY_RUN] CONTEXT */
	REQUEST_INIT = 16, /* KEY (recovery) [IMPORT] [USER_CA] [HOST_CA] */
	REQUEST_SIGN_HOST = 17, /* KEY NAME… [TTL] CONTEXT */
	REQUEST_LIST = 18, /* [OID] [USER] [HASH] [SERIAL] [SINCE] [VALID] */
	REQUEST_VERIFY = 19,
	REQUEST_KEYS = 20,
	REQUEST_REVOKE =
	    21, /* one of SERIAL OID USER HASH CA_HASH; TEXT CONTEXT */
	REQUEST_UNREVOKE = 22, /* one of OID USER LOGIN(pin); TEXT CONTEXT */
	REQUEST_KRL = 23,
	REQUEST_ROTATE = 24, /* [NOW] [DRY_RUN] [USER_CA] [HOST_CA] */
	REQUEST_STAGE = 25, /* a publication, made but not switched to */
	REQUEST_COMMIT = 26, /* VERSION */
	REQUEST_BACKUP = 27,
	REQUEST_RESTORE = 28, /* SECRET LENGTH; the backup comes behind it */
	REQUEST_CHECK = 29,
	REQUEST_ROTATE_BUNDLE = 30, /* [SECRET]: the recovery key's text */
	/* replies */
	REQUEST_ROW = 64, /* JSON */
	REQUEST_CERTIFICATE = 65, /* KEY: the certificate's blob; JSON */
	REQUEST_DATA = 66, /* DATA */
	REQUEST_END = 67 /* CODE, REASON, TEXT, [JSON] */
};

enum request_label {
	REQUEST_L_KEY = 1, /* a public key or certificate blob */
	REQUEST_L_TOKEN = 2, /* an id token */
	REQUEST_L_LOGIN = 3, /* repeats; text */
	REQUEST_L_TTL = 4, /* u64 seconds */
	REQUEST_L_SOURCE = 5, /* repeats; a CIDR */
	REQUEST_L_DRY_RUN = 6, /* empty */
	REQUEST_L_CONTEXT = 7, /* text, "via=sign uid=0 host=…"; recorded */
	REQUEST_L_NAME = 8, /* repeats; a host's name */
	REQUEST_L_OID = 9, /* a GUID */
	REQUEST_L_USER = 10, /* a UPN */
	REQUEST_L_HASH = 11, /* 32 bytes, SHA-256 of a key blob */
	REQUEST_L_CA_HASH = 12, /* the same of an authority's key */
	REQUEST_L_SERIAL = 13, /* u64 */
	REQUEST_L_SINCE = 14, /* u64 Unix seconds */
	REQUEST_L_VALID = 15, /* empty */
	REQUEST_L_TEXT = 16, /* text for people, one line */
	REQUEST_L_NOW = 17, /* empty */
	REQUEST_L_IMPORT = 18, /* text of an unencrypted key file; secret */
	REQUEST_L_SECRET = 19, /* the same, of the recovery key */
	REQUEST_L_USER_CA = 20, /* a public key blob: this key of the agent */
	REQUEST_L_HOST_CA = 21, /* the same */
	REQUEST_L_VERSION = 22, /* u64 */
	REQUEST_L_DATA = 23, /* repeats; bytes */
	REQUEST_L_JSON = 24, /* one JSON object */
	REQUEST_L_CODE = 25, /* u64: the exit code */
	REQUEST_L_REASON = 26, /* a code of reason.h */
	REQUEST_L_LENGTH = 27, /* u64: bytes behind the message */
	REQUEST_L_MAX = 27
};

struct request_field {
	enum request_label label;
	const uint8_t *p; /* borrowed from the message */
	size_t len;
};

/* A message taken apart; borrows the bytes it was read from. */
struct request {
	enum request_op op;
	struct request_field fields[REQUEST_FIELDS_MAX];
	size_t n;
};

/*
 * The op and the length of what follows, from the REQUEST_HEAD_LEN bytes in
 * front.  max: REQUEST_MAX or REQUEST_REPLY_MAX.
 * Returns 0; AAD_EFORMAT for another magic; AAD_ETOOBIG.
 */
int request_head(const uint8_t head[static REQUEST_HEAD_LEN], size_t max,
    enum request_op *opp, size_t *lenp) AAD_MUST_CHECK;

/*
 * Take the len bytes behind the head apart.  Refused: an unknown label, one
 * out of order or repeated that may not, a text with a control byte or a
 * NUL, a number that isn't 8 bytes, a flag that isn't empty, bytes behind the
 * last field.  Whether the op needs the field is its reader's question.
 * Returns 0; AAD_EFORMAT; AAD_ETOOBIG for too many fields.
 */
int request_parse(enum request_op op, const uint8_t *p, size_t len,
    struct request *out) AAD_MUST_CHECK;

/* The i-th field of a label, NULL when there is none. */
const struct request_field *request_get(const struct request *r,
    enum request_label label, size_t i);

/* A number of a label.  Returns 0; AAD_ENOENT; *np is then 0. */
int request_u64(const struct request *r, enum request_label label,
    uint64_t *np) AAD_MUST_CHECK;

/*
 * A text of a label as a NUL-terminated copy that the caller frees.
 * *outp: NULL unless 0 is returned.  Returns 0; AAD_ENOENT; AAD_ENOMEM.
 */
int request_text(const struct request *r, enum request_label label, size_t i,
    char **outp) AAD_MUST_CHECK;

/*
 * Writing: begin, the fields in ascending order, end.  An error sticks in the
 * buffer, as wire.h has it.
 */
void request_begin(struct wirebuf *b, enum request_op op);
void request_put(struct wirebuf *b, enum request_label label, const void *p,
    size_t len);
void request_put_text(struct wirebuf *b, enum request_label label,
    const char *s);
void request_put_u64(struct wirebuf *b, enum request_label label, uint64_t n);
void request_put_flag(struct wirebuf *b, enum request_label label);
/* Fills in the length.  Of a buffer with one message. */
void request_end(struct wirebuf *b);

/*
 * The exit code of a reason, in END and of both programs: reason_exit()'s but
 * for one.  A token whose key we do not have yet may be a good one, so here
 * that is no definite no.
 */
int request_exit(enum reason why);

#endif /* AAD_REQUEST_H */
