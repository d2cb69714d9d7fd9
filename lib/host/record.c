/* SPDX-License-Identifier: ISC */

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <sodium.h>

#include "core/b64.h"
#include "core/strictjson.h"
#include "host/record.h"

#define MAGIC	 "aadssh-record "
#define VERSION	 "1"
#define HEAD_MAX 256 /* bytes of the first line; the longest has 178 */
#define TOKEN_BYTES                                                            \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."
#define SIG_LEN 88 /* base64 of 64 bytes */

/* Word <-> number tables of the body's enumerations. */
static const char *const renewal_words[] = { NULL, "ok", "unreachable",
	"sign_in_again" };
static const char *const confirmed_words[] = { NULL, "admin", "session" };

#define NWORDS(w) (sizeof(w) / sizeof((w)[0]))

static int
word_index(const char *const *words, size_t n, const char *s)
{
	size_t i;

	for (i = 1; i < n; i++)
		if (s != NULL && strcmp(words[i], s) == 0)
			return (int)i;
	return 0;
}

/* The lines of the envelope, borrowed from the file's text. */
struct envelope {
	char host[NAME_HEX64_LEN + 1];
	char login[NAME_LOGIN_MAX + 1];
	char key_hash[NAME_HEX64_LEN + 1];
	size_t head_len; /* with its line feed */
	const char *sig;
	const char *rest; /* token line and body: what is signed beside it */
	size_t rest_len;
	const char *token;
	size_t token_len;
	const char *body;
	size_t body_len;
};

/* Copy the field of at most max bytes that ends at the byte end. */
static const char *
field(const char *p, char end, char *out, size_t max)
{
	size_t n = 0;

	while (p[n] != end) {
		if (p[n] == '\0' || p[n] == '\n' || n >= max)
			return NULL;
		out[n] = p[n];
		n++;
	}
	out[n] = '\0';
	return p + n + 1;
}

static int
envelope_parse(const char *text, size_t len, struct envelope *e,
    enum reason *whyp)
{
	char version[12];
	const char *p;

	memset(e, 0, sizeof(*e));
	*whyp = AAD_R_RECORD_MALFORMED;
	if (memchr(text, '\0', len) != NULL || len > RECORD_MAX ||
	    strncmp(text, MAGIC, strlen(MAGIC)) != 0)
		return AAD_EREFUSED;
	p = text + strlen(MAGIC);
	if ((p = field(p, ' ', version, sizeof(version) - 1)) == NULL)
		return AAD_EREFUSED;
	if (strcmp(version, VERSION) != 0) {
		if (version[0] >= '1' && version[0] <= '9' &&
		    strspn(version, "0123456789") == strlen(version))
			*whyp = AAD_R_RECORD_VERSION;
		return AAD_EREFUSED;
	}
	if ((p = field(p, ' ', e->host, NAME_HEX64_LEN)) == NULL ||
	    (p = field(p, ' ', e->login, NAME_LOGIN_MAX)) == NULL ||
	    (p = field(p, '\n', e->key_hash, NAME_HEX64_LEN)) == NULL)
		return AAD_EREFUSED;
	e->head_len = (size_t)(p - text);
	e->sig = p;
	if (strcspn(p, "\n") != SIG_LEN || p[SIG_LEN] != '\n')
		return AAD_EREFUSED;
	e->rest = e->token = p + SIG_LEN + 1;
	e->rest_len = len - (size_t)(e->rest - text);
	e->token_len = strcspn(e->token, "\n");
	if (e->token_len == e->rest_len)
		return AAD_EREFUSED;
	e->body = e->token + e->token_len + 1;
	e->body_len = e->rest_len - e->token_len - 1;
	return 0;
}

/* The signed statement: all but the signature's line, in one piece. */
static int
statement(const char *head, size_t head_len, const char *rest, size_t rest_len,
    uint8_t **outp)
{
	if ((*outp = malloc(head_len + rest_len + 1)) == NULL)
		return AAD_ENOMEM;
	memcpy(*outp, head, head_len);
	memcpy(*outp + head_len, rest, rest_len);
	return 0;
}

static bool
signed_by(const struct record_pub *pub, const uint8_t *sig, const uint8_t *msg,
    size_t len)
{
	size_t i;

	for (i = 0; i < pub->n; i++)
		if (crypto_sign_verify_detached(sig, msg, len, pub->keys[i]) ==
		    0)
			return true;
	return false;
}

static int
envelope_verify(const char *text, const struct envelope *e,
    const struct record_pub *pub, enum reason *whyp)
{
	uint8_t *sig = NULL, *msg = NULL;
	size_t sig_len;
	int r;

	*whyp = AAD_R_RECORD_MALFORMED;
	if ((r = b64_decode(B64_STD, e->sig, SIG_LEN, &sig, &sig_len)) != 0) {
		if (r == AAD_EFORMAT)
			r = AAD_EREFUSED;
		goto out;
	}
	if (sig_len != crypto_sign_BYTES) {
		r = AAD_EREFUSED;
		goto out;
	}
	if ((r = statement(text, e->head_len, e->rest, e->rest_len, &msg)) != 0)
		goto out;
	if (!signed_by(pub, sig, msg, e->head_len + e->rest_len)) {
		*whyp = AAD_R_RECORD_SIGNATURE;
		r = AAD_EREFUSED;
	}
out:
	if (msg != NULL)
		sodium_memzero(msg, e->head_len + e->rest_len);
	free(msg);
	free(sig);
	return r;
}

static int
take_string(const json_t *o, const char *name, size_t max, char **outp)
{
	const json_t *v = json_object_get(o, name);

	if (!json_is_string(v) || json_string_length(v) > max)
		return AAD_EFORMAT;
	*outp = strdup(json_string_value(v));
	return *outp == NULL ? AAD_ENOMEM : 0;
}

static int
take_guid(const json_t *o, const char *name, char out[static NAME_GUID_LEN + 1])
{
	const char *s = json_string_value(json_object_get(o, name));

	if (s == NULL || !name_guid_ok(s))
		return AAD_EFORMAT;
	memcpy(out, s, NAME_GUID_LEN + 1);
	return 0;
}

static int
take_time(const json_t *o, const char *name, int64_t *tp)
{
	const json_t *v = json_object_get(o, name);

	if (!json_is_integer(v) || json_integer_value(v) < 0)
		return AAD_EFORMAT;
	*tp = (int64_t)json_integer_value(v);
	return 0;
}

/* {"at": time, "WORD": one of words} below name; absent is 0 if optional. */
static int
take_stamp(const json_t *o, const char *name, const char *word,
    const char *const *words, size_t n, int *whichp, int64_t *tp)
{
	const json_t *v = json_object_get(o, name);

	if (!json_is_object(v) || json_object_size(v) != 2)
		return AAD_EFORMAT;
	*whichp = word_index(words, n,
	    json_string_value(json_object_get(v, word)));
	return *whichp == 0 ? AAD_EFORMAT : take_time(v, "at", tp);
}

static int
take_key(const json_t *o, struct record *rec)
{
	const json_t *v = json_object_get(o, "key");
	uint8_t hash[32];
	int r;

	if (!json_is_string(v))
		return AAD_EFORMAT;
	if ((r = b64_decode(B64_STD, json_string_value(v),
		 json_string_length(v), &rec->blob, &rec->blob_len)) != 0)
		return r;
	crypto_hash_sha256(hash, rec->blob, rec->blob_len);
	return memcmp(hash, rec->key_hash, sizeof(hash)) == 0 ? 0 : AAD_EFORMAT;
}

static int
active_parse(const json_t *o, struct record *rec)
{
	int which = 0, r;

	if ((r = take_key(o, rec)) != 0 ||
	    (r = take_guid(o, "tid", rec->tid)) != 0 ||
	    (r = take_guid(o, "oid", rec->oid)) != 0 ||
	    (r = take_string(o, "upn", RECORD_MAX, &rec->upn)) != 0 ||
	    (r = take_string(o, "source", RECORD_SOURCE_MAX, &rec->source)) !=
		0 ||
	    (r = take_time(o, "sign_in", &rec->sign_in)) != 0 ||
	    (r = take_stamp(o, "renewal", "result", renewal_words,
		 NWORDS(renewal_words), &which, &rec->renewal_at)) != 0)
		return r;
	rec->renewal = (enum record_renewal)which;
	if (json_object_get(o, "confirmed") == NULL)
		return json_object_size(o) == 11 ? 0 : AAD_EFORMAT;
	if ((r = take_stamp(o, "confirmed", "by", confirmed_words,
		 NWORDS(confirmed_words), &which, &rec->confirmed_at)) != 0)
		return r;
	rec->confirmed = (enum record_confirmed)which;
	return json_object_size(o) == 12 ? 0 : AAD_EFORMAT;
}

static int
ended_parse(const json_t *o, struct record *rec)
{
	int r;

	if ((r = take_string(o, "reason", 64, &rec->ended_reason)) != 0 ||
	    (r = take_time(o, "at", &rec->ended_at)) != 0)
		return r;
	return json_object_size(o) == 6 ? 0 : AAD_EFORMAT;
}

static int
body_parse(const struct envelope *e, struct record *rec, enum reason *whyp)
{
	bool no_token = e->token_len == 1 && e->token[0] == '-';
	const char *state;
	int64_t generation = 0;
	json_t *o;
	int r;

	*whyp = AAD_R_RECORD_MALFORMED;
	if ((r = strictjson_load(e->body, e->body_len, &o)) != 0)
		return r;
	r = AAD_EFORMAT;
	if (json_integer_value(json_object_get(o, "v")) > 1) {
		*whyp = AAD_R_RECORD_VERSION;
		goto out;
	}
	if (json_integer_value(json_object_get(o, "v")) != 1 ||
	    take_time(o, "generation", &generation) != 0 || generation < 1 ||
	    take_time(o, "written", &rec->written) != 0)
		goto out;
	rec->generation = (uint64_t)generation;
	state = json_string_value(json_object_get(o, "state"));
	if (state != NULL && strcmp(state, "active") == 0 && !no_token) {
		rec->state = RECORD_ACTIVE;
		rec->id_token = strndup(e->token, e->token_len);
		r = rec->id_token == NULL ? AAD_ENOMEM : active_parse(o, rec);
	} else if (state != NULL && strcmp(state, "ended") == 0 && no_token) {
		rec->state = RECORD_ENDED;
		r = ended_parse(o, rec);
	}
out:
	json_decref(o);
	return r;
}

int
record_parse(const char *text, size_t len,
    const uint8_t host[static HOSTID_LEN], const char *login,
    const uint8_t key_hash[static 32], const struct record_pub *pub,
    struct record **outp, enum reason *whyp)
{
	char host_hex[NAME_HEX64_LEN + 1], hash_hex[NAME_HEX64_LEN + 1];
	struct record *rec = NULL;
	struct envelope e;
	int r = AAD_EINTERNAL;

	*outp = NULL;
	name_hex64(host, host_hex);
	name_hex64(key_hash, hash_hex);
	if ((r = envelope_parse(text, len, &e, whyp)) != 0)
		goto out;
	if (strcmp(e.host, host_hex) != 0) {
		*whyp = AAD_R_FOREIGN_HOST;
		r = AAD_EREFUSED;
		goto out;
	}
	if ((r = envelope_verify(text, &e, pub, whyp)) != 0)
		goto out;
	if (strcmp(e.login, login) != 0 || strcmp(e.key_hash, hash_hex) != 0) {
		*whyp = AAD_R_RECORD_MISMATCH;
		r = AAD_EREFUSED;
		goto out;
	}
	if ((rec = calloc(1, sizeof(*rec))) == NULL) {
		r = AAD_ENOMEM;
		goto out;
	}
	memcpy(rec->login, e.login, sizeof(rec->login));
	memcpy(rec->key_hash, key_hash, sizeof(rec->key_hash));
	if ((r = body_parse(&e, rec, whyp)) != 0) {
		if (r == AAD_EFORMAT)
			r = AAD_EREFUSED;
		goto out;
	}
	*outp = rec;
	rec = NULL; /* now the caller's */
out:
	record_free(rec);
	return r;
}

static json_t *
active_json(const struct record *rec)
{
	json_t *o = NULL;
	char *key = NULL;

	if (b64_encode(B64_STD, rec->blob, rec->blob_len, &key) != 0)
		return NULL;
	o = json_pack("{s:i s:s s:I s:I s:s s:s s:s s:s s:s s:I s:{s:I s:s}}",
	    "v", 1, "state", "active", "generation",
	    (json_int_t)rec->generation, "written", (json_int_t)rec->written,
	    "key", key, "tid", rec->tid, "oid", rec->oid, "upn", rec->upn,
	    "source", rec->source, "sign_in", (json_int_t)rec->sign_in,
	    "renewal", "at", (json_int_t)rec->renewal_at, "result",
	    renewal_words[rec->renewal]);
	free(key);
	if (o != NULL && rec->confirmed != CONFIRMED_NO &&
	    json_object_set_new(o, "confirmed",
		json_pack("{s:I s:s}", "at", (json_int_t)rec->confirmed_at,
		    "by", confirmed_words[rec->confirmed])) != 0) {
		json_decref(o);
		o = NULL;
	}
	return o;
}

static json_t *
ended_json(const struct record *rec)
{
	return json_pack("{s:i s:s s:I s:I s:s s:I}", "v", 1, "state", "ended",
	    "generation", (json_int_t)rec->generation, "written",
	    (json_int_t)rec->written, "reason", rec->ended_reason, "at",
	    (json_int_t)rec->ended_at);
}

/* Whether it is one that record_parse() would take. */
static int
sane(const struct record *rec)
{
	uint8_t hash[32];

	if (!name_login_ok(rec->login) || rec->generation < 1 ||
	    rec->generation > INT64_MAX || rec->written < 0)
		return 0;
	if (rec->state == RECORD_ENDED)
		return rec->ended_reason != NULL && rec->ended_at >= 0;
	if (rec->state != RECORD_ACTIVE || rec->blob == NULL ||
	    rec->id_token == NULL || rec->upn == NULL || rec->source == NULL ||
	    !name_guid_ok(rec->tid) || !name_guid_ok(rec->oid) ||
	    rec->sign_in < 0 || rec->renewal_at < 0 || rec->confirmed_at < 0 ||
	    rec->renewal < RENEWAL_OK || rec->renewal > RENEWAL_SIGN_IN_AGAIN)
		return 0;
	if (rec->id_token[strspn(rec->id_token, TOKEN_BYTES)] != '\0' ||
	    strchr(rec->id_token, '.') == NULL)
		return 0;
	crypto_hash_sha256(hash, rec->blob, rec->blob_len);
	return memcmp(hash, rec->key_hash, sizeof(hash)) == 0;
}

/* The signature's text over head and rest; heap. */
static int
sign(const char *head, size_t head_len, const char *rest, size_t rest_len,
    struct secret *sec, char **outp)
{
	uint8_t sig[crypto_sign_BYTES], *msg;
	int r;

	if ((r = statement(head, head_len, rest, rest_len, &msg)) != 0)
		return r;
	crypto_sign_detached(sig, NULL, msg, head_len + rest_len,
	    secret_bytes(sec));
	sodium_memzero(msg, head_len + rest_len);
	free(msg);
	return b64_encode(B64_STD, sig, sizeof(sig), outp);
}

/* First line, signature, and the rest: *outp is heap, *lenp bytes. */
static int
assemble(const struct record *rec, const uint8_t *host, struct secret *sec,
    const char *rest, char **outp, size_t *lenp)
{
	char head[HEAD_MAX], host_hex[NAME_HEX64_LEN + 1];
	char hash_hex[NAME_HEX64_LEN + 1], *sig = NULL;
	size_t rest_len = strlen(rest);
	int n, r;

	name_hex64(host, host_hex);
	name_hex64(rec->key_hash, hash_hex);
	n = snprintf(head, sizeof(head), MAGIC VERSION " %s %s %s\n", host_hex,
	    rec->login, hash_hex);
	if (n < 0 || (size_t)n >= sizeof(head))
		return AAD_EINTERNAL;
	*lenp = (size_t)n + SIG_LEN + 1 + rest_len;
	if (*lenp > RECORD_MAX)
		return AAD_ETOOBIG;
	if ((r = sign(head, (size_t)n, rest, rest_len, sec, &sig)) != 0)
		return r;
	if ((*outp = malloc(*lenp + 1)) == NULL)
		r = AAD_ENOMEM;
	else
		snprintf(*outp, *lenp + 1, "%s%s\n%s", head, sig, rest);
	free(sig);
	return r;
}

/* Token line and body; heap. */
static int
make_rest(const struct record *rec, char **outp)
{
	bool active = rec->state == RECORD_ACTIVE;
	json_t *o = active ? active_json(rec) : ended_json(rec);
	const char *token = active ? rec->id_token : "-";
	char *body = strictjson_dump(o);
	size_t size;

	*outp = NULL;
	json_decref(o);
	if (body == NULL)
		return AAD_ENOMEM;
	size = strlen(token) + 1 + strlen(body) + 1;
	if ((*outp = malloc(size)) != NULL)
		snprintf(*outp, size, "%s\n%s", token, body);
	free(body);
	return *outp == NULL ? AAD_ENOMEM : 0;
}

int
record_format(const struct record *rec, const uint8_t host[static HOSTID_LEN],
    struct secret *sec, char **outp, size_t *lenp)
{
	char *rest;
	int r;

	*outp = NULL;
	*lenp = 0;
	if (!sane(rec) || secret_len(sec) != RECORD_SEC_LEN)
		return AAD_EARG;
	if ((r = make_rest(rec, &rest)) != 0)
		return r;
	r = assemble(rec, host, sec, rest, outp, lenp);
	sodium_memzero(rest, strlen(rest));
	free(rest);
	return r;
}

int
record_end(const struct record *rec, enum reason why, int64_t at,
    struct record **outp)
{
	struct record *end;

	*outp = NULL;
	if (rec->generation >= INT64_MAX || at < 0)
		return AAD_EARG;
	if ((end = calloc(1, sizeof(*end))) == NULL ||
	    (end->ended_reason = strdup(reason_name(why))) == NULL) {
		record_free(end);
		return AAD_ENOMEM;
	}
	end->state = RECORD_ENDED;
	memcpy(end->login, rec->login, sizeof(end->login));
	memcpy(end->key_hash, rec->key_hash, sizeof(end->key_hash));
	end->generation = rec->generation + 1;
	end->written = end->ended_at = at;
	*outp = end;
	return 0;
}

enum reason
record_ended_why(const struct record *rec)
{
	enum reason why = reason_find(rec->ended_reason);

	return reason_class(why) == REASON_NO ? why : AAD_R_RECORD_ENDED;
}

bool
record_spent(const struct record *rec, int64_t now)
{
	return rec->state == RECORD_ENDED &&
	       now - rec->ended_at > TOMBSTONE_AGE &&
	       strcmp(rec->ended_reason, reason_name(AAD_R_KEY_SHARED)) != 0;
}

void
record_free(struct record *rec)
{
	if (rec == NULL)
		return;
	if (rec->id_token != NULL)
		sodium_memzero(rec->id_token, strlen(rec->id_token));
	free(rec->id_token);
	free(rec->blob);
	free(rec->upn);
	free(rec->source);
	free(rec->ended_reason);
	free(rec);
}
