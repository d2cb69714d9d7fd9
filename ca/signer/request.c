/* SPDX-License-Identifier: ISC */

#include <stdlib.h>
#include <string.h>

#include "ca/signer/request.h"

#define LENGTH_AT 12 /* where the head holds the length of the rest */
#define HASH_LEN  32

/* What the bytes of a field may be. */
enum form {
	FORM_NONE = 0, /* no label of ours */
	FORM_BYTES,
	FORM_TEXT, /* no control byte */
	FORM_JSON, /* the same, but DEL may stand in it */
	FORM_LINES, /* of a file: line ends and tabs may stand in it */
	FORM_NUMBER, /* 8 bytes */
	FORM_FLAG, /* none */
	FORM_HASH /* 32 bytes */
};

static const struct {
	enum form form;
	bool repeats;
} labels[REQUEST_L_MAX + 1] = {
	[REQUEST_L_KEY] = { FORM_BYTES, false },
	[REQUEST_L_TOKEN] = { FORM_TEXT, false },
	[REQUEST_L_LOGIN] = { FORM_TEXT, true },
	[REQUEST_L_TTL] = { FORM_NUMBER, false },
	[REQUEST_L_SOURCE] = { FORM_TEXT, true },
	[REQUEST_L_DRY_RUN] = { FORM_FLAG, false },
	[REQUEST_L_CONTEXT] = { FORM_TEXT, false },
	[REQUEST_L_NAME] = { FORM_TEXT, true },
	[REQUEST_L_OID] = { FORM_TEXT, false },
	[REQUEST_L_USER] = { FORM_TEXT, false },
	[REQUEST_L_HASH] = { FORM_HASH, false },
	[REQUEST_L_CA_HASH] = { FORM_HASH, false },
	[REQUEST_L_SERIAL] = { FORM_NUMBER, false },
	[REQUEST_L_SINCE] = { FORM_NUMBER, false },
	[REQUEST_L_VALID] = { FORM_FLAG, false },
	[REQUEST_L_TEXT] = { FORM_TEXT, false },
	[REQUEST_L_NOW] = { FORM_FLAG, false },
	[REQUEST_L_IMPORT] = { FORM_LINES, false },
	[REQUEST_L_SECRET] = { FORM_LINES, false },
	[REQUEST_L_USER_CA] = { FORM_BYTES, false },
	[REQUEST_L_HOST_CA] = { FORM_BYTES, false },
	[REQUEST_L_VERSION] = { FORM_NUMBER, false },
	[REQUEST_L_DATA] = { FORM_BYTES, true },
	[REQUEST_L_JSON] = { FORM_JSON, false },
	[REQUEST_L_CODE] = { FORM_NUMBER, false },
	[REQUEST_L_REASON] = { FORM_TEXT, false },
	[REQUEST_L_LENGTH] = { FORM_NUMBER, false },
};

int
request_head(const uint8_t head[static REQUEST_HEAD_LEN], size_t max,
    enum request_op *opp, size_t *lenp)
{
	const size_t magic = strlen(REQUEST_MAGIC);
	struct wire w = wire_of(head + magic, REQUEST_HEAD_LEN - magic);
	uint32_t op, len;

	*opp = REQUEST_NONE;
	*lenp = 0;
	if (memcmp(head, REQUEST_MAGIC, magic) != 0 || wire_u32(&w, &op) != 0 ||
	    wire_u32(&w, &len) != 0 || op > REQUEST_END)
		return AAD_EFORMAT;
	if (len > max)
		return AAD_ETOOBIG;
	*opp = (enum request_op)op;
	*lenp = len;
	return 0;
}

static bool
text_ok(enum form form, const uint8_t *p, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (form == FORM_LINES &&
		    (p[i] == '\n' || p[i] == '\r' || p[i] == '\t'))
			continue;
		if (p[i] < 0x20 || (p[i] == 0x7f && form != FORM_JSON))
			return false;
	}
	return true;
}

static bool
form_ok(enum form form, const uint8_t *p, size_t len)
{
	switch (form) {
	case FORM_BYTES:
		return true;
	case FORM_TEXT:
	case FORM_JSON:
	case FORM_LINES:
		return text_ok(form, p, len);
	case FORM_NUMBER:
		return len == sizeof(uint64_t);
	case FORM_FLAG:
		return len == 0;
	case FORM_HASH:
		return len == HASH_LEN;
	case FORM_NONE:
		break;
	}
	return false;
}

static int
read_label(struct wire *w, unsigned int *outp)
{
	if (w->left < 2)
		return AAD_EFORMAT;
	*outp = (unsigned int)w->p[0] << 8 | w->p[1];
	w->p += 2;
	w->left -= 2;
	return 0;
}

int
request_parse(enum request_op op, const uint8_t *p, size_t len,
    struct request *out)
{
	struct wire w = wire_of(p, len);
	unsigned int label, before = 0;
	struct request_field *f;

	out->op = op;
	out->n = 0;
	while (!wire_end(&w)) {
		if (out->n == REQUEST_FIELDS_MAX)
			goto many;
		f = &out->fields[out->n];
		if (read_label(&w, &label) != 0 || label == 0 ||
		    label > REQUEST_L_MAX || label < before ||
		    (label == before && !labels[label].repeats) ||
		    wire_string(&w, &f->p, &f->len) != 0 ||
		    !form_ok(labels[label].form, f->p, f->len))
			goto malformed;
		f->label = (enum request_label)label;
		before = label;
		out->n++;
	}
	return 0;
many:
	out->n = 0;
	return AAD_ETOOBIG;
malformed:
	out->n = 0;
	return AAD_EFORMAT;
}

const struct request_field *
request_get(const struct request *r, enum request_label label, size_t i)
{
	size_t k;

	for (k = 0; k < r->n; k++)
		if (r->fields[k].label == label && i-- == 0)
			return &r->fields[k];
	return NULL;
}

int
request_u64(const struct request *r, enum request_label label, uint64_t *np)
{
	const struct request_field *f = request_get(r, label, 0);
	struct wire w;

	*np = 0;
	if (f == NULL)
		return AAD_ENOENT;
	w = wire_of(f->p, f->len);
	return wire_u64(&w, np);
}

int
request_text(const struct request *r, enum request_label label, size_t i,
    char **outp)
{
	const struct request_field *f = request_get(r, label, i);

	*outp = NULL;
	if (f == NULL)
		return AAD_ENOENT;
	if ((*outp = malloc(f->len + 1)) == NULL)
		return AAD_ENOMEM;
	memcpy(*outp, f->p, f->len);
	(*outp)[f->len] = '\0';
	return 0;
}

void
request_begin(struct wirebuf *b, enum request_op op)
{
	wire_put_raw(b, REQUEST_MAGIC, strlen(REQUEST_MAGIC));
	wire_put_u32(b, (uint32_t)op);
	wire_put_u32(b, 0); /* the length, by request_end() */
}

void
request_put(struct wirebuf *b, enum request_label label, const void *p,
    size_t len)
{
	wire_put_u8(b, (uint8_t)((unsigned int)label >> 8));
	wire_put_u8(b, (uint8_t)label);
	wire_put_string(b, p, len);
}

void
request_put_text(struct wirebuf *b, enum request_label label, const char *s)
{
	request_put(b, label, s, strlen(s));
}

void
request_put_u64(struct wirebuf *b, enum request_label label, uint64_t n)
{
	uint8_t bytes[8];
	size_t i;

	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(n >> (8 * (sizeof(bytes) - 1 - i)));
	request_put(b, label, bytes, sizeof(bytes));
}

void
request_put_flag(struct wirebuf *b, enum request_label label)
{
	request_put(b, label, "", 0);
}

void
request_end(struct wirebuf *b)
{
	size_t len, i;

	if (b->r != 0 || b->len < REQUEST_HEAD_LEN)
		return;
	len = b->len - REQUEST_HEAD_LEN; /* <= WIREBUF_MAX */
	for (i = 0; i < 4; i++)
		b->p[LENGTH_AT + i] = (uint8_t)(len >> (8 * (3 - i)));
}

int
request_exit(enum reason why)
{
	return reason_exit(why == AAD_R_UNKNOWN_KID ? AAD_R_UNSET : why);
}
