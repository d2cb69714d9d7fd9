/* SPDX-License-Identifier: ISC */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "ca/signer/issue.h"
#include "ca/signer/published.h"
#include "ca/signer/step.h"
#include "cmd/cli/log.h"
#include "core/b64.h"
#include "core/text.h"

#define SERIAL_TRIES 16
#define SHOW_MAX     256

/* ---- what is asked ---------------------------------------------------- */

enum reason
issue_key(struct signer *s, const struct request *rq, struct key *k)
{
	const struct request_field *f = request_get(rq, REQUEST_L_KEY, 0);
	enum reason why = AAD_R_UNSET;
	struct keyring ring;

	memset(k, 0, sizeof(*k));
	if (f == NULL)
		return AAD_R_REQUEST_MALFORMED;
	if (key_from_blob(f->p, f->len, k, &why) != 0)
		return why;
	if ((why = signer_ledger(s)) != AAD_R_ALLOWED) {
		key_release(k);
		return why;
	}
	why = AAD_R_UNSET; /* a ring that is not read says nothing of the key */
	if (keyring_load(s->ledger, s->dir, s->agent, &ring, &why) == 0) {
		why = AAD_R_ALLOWED;
		if (keyring_by_hash(&ring, k->hash) != NULL)
			why = signer_fail(s, AAD_R_KEY_REVOKED,
			    "it is a key of the authority itself");
		keyring_release(&ring);
	}
	if (why != AAD_R_ALLOWED)
		key_release(k);
	return why;
}

enum reason
issue_texts(const struct request *rq, enum request_label label, char ***outp,
    size_t *np)
{
	char **texts = calloc(REQUEST_FIELDS_MAX + 1, sizeof(*texts));
	int r = AAD_ENOMEM;
	size_t n = 0;

	*outp = NULL;
	*np = 0;
	if (texts != NULL)
		while (n < REQUEST_FIELDS_MAX &&
		       (r = request_text(rq, label, n, &texts[n])) == 0)
			n++;
	if (r == AAD_ENOMEM) {
		issue_texts_free(texts, n);
		return AAD_R_NO_MEMORY;
	}
	*outp = texts;
	*np = n;
	return AAD_R_ALLOWED;
}

void
issue_texts_free(char **texts, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		free(texts[i]);
	free(texts);
}

void
issue_digest(const struct request *rq, char out[static NAME_HEX64_LEN + 1])
{
	const uint32_t counts = UINT32_C(1) << REQUEST_L_KEY |
				UINT32_C(1) << REQUEST_L_LOGIN |
				UINT32_C(1) << REQUEST_L_TTL |
				UINT32_C(1) << REQUEST_L_SOURCE |
				UINT32_C(1) << REQUEST_L_NAME;
	crypto_hash_sha256_state sha;
	const struct request_field *f;
	uint8_t head[5], hash[32];
	size_t i;

	crypto_hash_sha256_init(&sha);
	for (i = 0; i < rq->n; i++) {
		f = &rq->fields[i];
		if ((counts & UINT32_C(1) << f->label) == 0)
			continue;
		head[0] = (uint8_t)f->label;
		head[1] = (uint8_t)(f->len >> 24);
		head[2] = (uint8_t)(f->len >> 16);
		head[3] = (uint8_t)(f->len >> 8);
		head[4] = (uint8_t)f->len;
		crypto_hash_sha256_update(&sha, head, sizeof(head));
		crypto_hash_sha256_update(&sha, f->p, f->len);
	}
	crypto_hash_sha256_final(&sha, hash);
	name_hex64(hash, out);
}

enum reason
issue_begin(struct signer *s)
{
	struct keyring ring;
	enum reason why = step_begin(s);

	if (why != AAD_R_ALLOWED)
		return why;
	if ((why = step_keys(s, &ring)) == AAD_R_ALLOWED)
		why = published_agrees(s, &ring);
	keyring_release(&ring);
	if (why != AAD_R_ALLOWED)
		ledger_rollback(s->ledger);
	return why;
}

enum reason
issue_denied(struct signer *s, const char *oid, const struct key *k)
{
	enum reason why = AAD_R_UNSET;
	bool identity = true, key = true;

	if (ledger_denied(s->ledger, oid, k->hash, &identity, &key, &why) != 0)
		return why;
	if (identity && oid != NULL)
		return AAD_R_IDENTITY_REVOKED;
	return key ? AAD_R_KEY_REVOKED : AAD_R_ALLOWED;
}

/* ---- JSON ------------------------------------------------------------- */

static json_t *
array_of(char *const *texts, size_t n)
{
	json_t *a = json_array();
	size_t i;

	for (i = 0; a != NULL && i < n; i++)
		if (json_array_append_new(a, json_string(texts[i])) != 0) {
			json_decref(a);
			a = NULL;
		}
	return a;
}

/* Set a member; false where memory was short.  v is consumed. */
static bool
put(json_t *o, const char *name, json_t *v)
{
	return v != NULL && json_object_set_new(o, name, v) == 0;
}

static bool
put_text(json_t *o, const char *name, const char *s)
{
	char clean[SHOW_MAX];

	text_clean(s, strlen(s), clean, sizeof(clean));
	return put(o, name, json_string(clean));
}

static bool
put_time(json_t *o, const char *name, uint64_t t)
{
	char text[TEXT_TIME_LEN + 1];

	text_time_format(t > INT64_MAX ? INT64_MAX : (int64_t)t, text);
	return put(o, name, json_string(text));
}

/* What the answer says of a certificate beside the certificate. */
static json_t *
summary_of(const struct cert *c, const struct profile_grant *g)
{
	char serial[24], key[KEY_FP_LEN + 1], ca[KEY_FP_LEN + 1];
	json_t *o = json_object();

	snprintf(serial, sizeof(serial), "%" PRIu64, c->serial);
	key_fingerprint(&c->key, key);
	key_fingerprint(&c->ca, ca);
	if (o != NULL && put_text(o, "serial", serial) &&
	    put(o, "key_id", json_string(c->key_id)) &&
	    put_text(o, "profile", g->profile != NULL ? g->profile : "") &&
	    put(o, "logins", array_of(g->logins, g->nlogins)) &&
	    put(o, "principals", array_of(c->principals, c->nprincipals)) &&
	    put_time(o, "valid_after", c->valid_after) &&
	    put_time(o, "valid_before", c->valid_before) &&
	    put_text(o, "fingerprint", key) && put_text(o, "ca", ca))
		return o;
	json_decref(o);
	return NULL;
}

static json_t *
options_of(const struct cert_option *options, size_t n)
{
	json_t *o = json_object();
	size_t i;

	for (i = 0; o != NULL && i < n; i++)
		if (!put(o, options[i].name,
			json_string(options[i].value != NULL ? options[i].value
							     : ""))) {
			json_decref(o);
			o = NULL;
		}
	return o;
}

enum reason
issue_dry(const struct profile_grant *g, json_t **endp)
{
	json_t *o = json_object();

	if (o != NULL && put(o, "dry_run", json_true()) &&
	    put(o, "key_id", json_string(g->key_id)) &&
	    put_text(o, "profile", g->profile != NULL ? g->profile : "") &&
	    put(o, "logins", array_of(g->logins, g->nlogins)) &&
	    put(o, "principals", array_of(g->principals, g->nprincipals)) &&
	    put_time(o, "valid_after", g->valid_after) &&
	    put_time(o, "valid_before", g->valid_before) &&
	    put(o, "critical", options_of(g->critical, g->ncritical)) &&
	    put(o, "extensions", options_of(g->extensions, g->nextensions))) {
		*endp = o;
		return AAD_R_ALLOWED;
	}
	json_decref(o);
	return AAD_R_NO_MEMORY;
}

/* The body of PREPARED. */
static json_t *
body_of(const struct signer *s, const struct issue *is)
{
	const struct profile_grant *g = is->grant;
	const struct claims *c = is->claims;
	char fingerprint[KEY_FP_LEN + 1];
	json_t *o = json_object();
	const char *upn = c != NULL ? claims_upn(c) : NULL;

	key_fingerprint(is->key, fingerprint);
	if (o != NULL &&
	    (c == NULL ||
		(put_text(o, "upn", upn != NULL ? upn : "") &&
		    put_text(o, "uti", c->uti != NULL ? c->uti : "") &&
		    put(o, "iat", json_integer((json_int_t)c->iat)))) &&
	    put_text(o, "profile", g->profile != NULL ? g->profile : "") &&
	    put(o, "logins", array_of(g->logins, g->nlogins)) &&
	    put(o, "principals", array_of(g->principals, g->nprincipals)) &&
	    put(o, "key_id", json_string(g->key_id)) &&
	    put_text(o, "key_type", key_type_name(is->key)) &&
	    put_text(o, "fingerprint", fingerprint) &&
	    put(o, "valid_after", json_integer((json_int_t)g->valid_after)) &&
	    put_text(o, "request", is->request) &&
	    put_text(o, "via", s->socket ? "socket" : "pipe") &&
	    put(o, "peer_uid", json_integer((json_int_t)s->peer_uid)) &&
	    put_text(o, "context", is->context))
		return o;
	json_decref(o);
	return NULL;
}

/* ---- the two rows ----------------------------------------------------- */

/* A certificate under way. */
struct making {
	struct signer *s;
	const struct issue *is;
	struct keyring ring;
	const struct keyring_key *ca;
	struct event row; /* of PREPARED, without its body */
	struct cert cert;
};

/* 1 to 2^63 - 1, and never one that was there. */
static enum reason
draw_serial(struct signer *s, uint64_t *serialp)
{
	enum reason why = AAD_R_UNSET;
	bool taken = true;
	int i;

	for (i = 0; i < SERIAL_TRIES && taken; i++) {
		randombytes_buf(serialp, sizeof(*serialp));
		*serialp &= INT64_MAX;
		if (*serialp == 0)
			continue;
		if (ledger_has_serial(s->ledger, *serialp, &taken, &why) != 0)
			return why;
	}
	return taken ? AAD_R_UNSET : AAD_R_ALLOWED;
}

/* The row of a kind about this certificate; body is consumed. */
static int
append(struct making *m, enum event_kind kind, json_t *body, enum reason *whyp)
{
	struct event e = m->row;
	int r = AAD_ENOMEM;

	e.kind = kind;
	e.body = body;
	*whyp = AAD_R_NO_MEMORY;
	if (body != NULL)
		r = ledger_append(m->s->ledger, &e, whyp);
	event_release(&e);
	return r;
}

static void
fill_row(struct making *m)
{
	const struct issue *is = m->is;
	struct event *e = &m->row;

	e->at = m->s->now;
	e->type = is->role == CA_ROLE_USER ? CERT_USER : CERT_HOST;
	e->valid_before = (int64_t)is->grant->valid_before;
	e->has_ca = e->has_key = true;
	memcpy(e->ca_hash, m->ca->pub.hash, sizeof(e->ca_hash));
	memcpy(e->key_hash, is->key->hash, sizeof(e->key_hash));
	if (is->token_hash != NULL) {
		e->has_token = true;
		memcpy(e->token_hash, is->token_hash, sizeof(e->token_hash));
	}
	if (is->claims != NULL) {
		memcpy(e->tid, is->claims->tid, sizeof(e->tid));
		memcpy(e->oid, is->claims->oid, sizeof(e->oid));
	}
}

static enum reason
prepare(struct making *m)
{
	struct signer *s = m->s;
	enum reason why = AAD_R_UNSET;

	if (keyring_load(s->ledger, s->dir, s->agent, &m->ring, &why) != 0)
		return why;
	m->ca = keyring_find(&m->ring, m->is->role, CA_STAGE_ACTIVE);
	if (m->ca == NULL)
		return signer_fail(s, AAD_R_CA_KEY, "no %s key is active",
		    ca_role_name(m->is->role));
	fill_row(m);
	if ((why = draw_serial(s, &m->row.serial)) != AAD_R_ALLOWED)
		return why;
	if (append(m, EVENT_PREPARED, body_of(s, m->is), &why) != 0 ||
	    ledger_commit(s->ledger, &why) != 0)
		return why;
	return AAD_R_ALLOWED;
}

static enum reason
sign(struct making *m)
{
	const struct profile_grant *g = m->is->grant;
	struct cert_spec spec = { .key = m->is->key,
		.ca = &m->ca->pub,
		.serial = m->row.serial,
		.type = m->row.type,
		.key_id = g->key_id,
		.principals = (const char *const *)g->principals,
		.nprincipals = g->nprincipals,
		.valid_after = g->valid_after,
		.valid_before = g->valid_before,
		.critical = g->critical,
		.ncritical = g->ncritical,
		.extensions = g->extensions,
		.nextensions = g->nextensions };
	uint8_t *body = NULL, *sig = NULL;
	size_t len, siglen;
	const char *fault = "";
	enum reason why = AAD_R_UNSET;
	int r;

	randombytes_buf(spec.nonce, sizeof(spec.nonce));
	if ((r = cert_encode(&spec, &body, &len)) == 0 &&
	    (r = keyring_sign(&m->ring, m->ca, body, len, &sig, &siglen, &why,
		 &fault)) == 0) {
		why = AAD_R_ALLOWED;
		r = cert_finish(&spec, body, len, sig, siglen, &m->cert);
		if (r == AAD_ESIG)
			why = AAD_R_SIGNATURE_BAD;
	}
	free(body);
	free(sig);
	if (r == AAD_ENOMEM)
		return AAD_R_NO_MEMORY;
	if (r != 0 && (why == AAD_R_ALLOWED || why == AAD_R_UNSET))
		return signer_fail(m->s, AAD_R_UNSET,
		    "the certificate cannot be written: %s", err_name(r));
	return fault[0] != '\0' ? signer_fail(m->s, why, "%s", fault) : why;
}

static int
revoked(void *arg, const struct ledger_cert *c)
{
	bool *yes = arg;

	*yes = *yes || c->revoked_at != 0;
	return 0;
}

/* What an administrator may have done while the key was signing. */
static enum reason
still_good(struct making *m)
{
	const struct ledger_filter f = { .serial = m->row.serial };
	const struct keyring_key *ca;
	struct keyring ring;
	enum reason why = AAD_R_UNSET;
	bool gone = false;

	why = issue_denied(m->s, m->row.oid[0] != '\0' ? m->row.oid : NULL,
	    m->is->key);
	if (why != AAD_R_ALLOWED)
		return why;
	if (ledger_certs(m->s->ledger, &f, revoked, &gone, &why) != 0 ||
	    keyring_load(m->s->ledger, m->s->dir, -1, &ring, &why) != 0)
		return why;
	ca = keyring_by_hash(&ring, m->row.ca_hash);
	why = AAD_R_ALLOWED;
	if (ca == NULL || ca->stage > CA_STAGE_RETIRED)
		why = signer_fail(m->s, AAD_R_CA_KEY,
		    "the key was revoked meanwhile");
	else if (gone)
		why = signer_fail(m->s,
		    m->is->claims != NULL ? AAD_R_IDENTITY_REVOKED
					  : AAD_R_KEY_REVOKED,
		    "the certificate was revoked before it was given");
	keyring_release(&ring);
	return why;
}

static enum reason
record(struct making *m)
{
	enum reason why = AAD_R_UNSET;
	char *base64 = NULL;

	if (ledger_begin(m->s->ledger, &why) != 0 ||
	    (why = still_good(m)) != AAD_R_ALLOWED)
		return why;
	if (b64_encode(B64_STD, m->cert.blob, m->cert.blob_len, &base64) != 0)
		return AAD_R_NO_MEMORY;
	if (append(m, EVENT_ISSUED, json_pack("{s:s}", "certificate", base64),
		&why) == 0 &&
	    ledger_commit(m->s->ledger, &why) == 0)
		why = AAD_R_ALLOWED;
	free(base64);
	return why;
}

/* It will not be; the row says why.  Without the row it stays prepared. */
static void
give_up(struct making *m, enum reason why)
{
	enum reason no = AAD_R_UNSET;

	ledger_rollback(m->s->ledger);
	if (ledger_begin(m->s->ledger, &no) == 0 &&
	    append(m, EVENT_FAILED,
		json_pack("{s:s}", "reason", reason_name(why)), &no) == 0 &&
	    ledger_commit(m->s->ledger, &no) == 0)
		return;
	ledger_rollback(m->s->ledger);
	signer_log(m->s, "failed_unrecorded", no, NULL, 0);
}

/* ---- the answer ------------------------------------------------------- */

static void
log_it(const struct making *m, enum reason why)
{
	const struct claims *c = m->is->claims;
	const char *upn = c != NULL ? claims_upn(c) : NULL;
	char serial[24], key[KEY_FP_LEN + 1], ca[KEY_FP_LEN + 1], length[24];
	char head[NAME_HEX64_LEN + 1], until[TEXT_TIME_LEN + 1];
	uint8_t hash[32] = { 0 };
	int64_t n = 0;
	enum reason no;

	snprintf(serial, sizeof(serial), "%" PRIu64, m->row.serial);
	key_fingerprint(m->is->key, key);
	key_fingerprint_of(m->row.ca_hash, ca);
	text_time_format(m->row.valid_before, until);
	if (ledger_head(m->s->ledger, &n, hash, &no) != 0)
		n = 0;
	snprintf(length, sizeof(length), "%" PRId64, n);
	name_hex64(hash, head);
	signer_log(m->s, "certificate", why,
	    (const struct log_field[]){
		{ "type", m->row.type == CERT_USER ? "user" : "host" },
		{ "serial", serial }, { "oid", m->row.oid }, { "upn", upn },
		{ "uti", c != NULL ? c->uti : NULL },
		{ "key_id", c == NULL ? m->is->grant->key_id : NULL },
		{ "key", key }, { "ca", ca }, { "until", until },
		{ "ledger", length }, { "head", head },
		{ "context", m->is->context }, /* a stranger's words: last */
	    },
	    12);
}

/* Both replies; a peer that went away has its certificate in the ledger. */
static enum reason
answer(struct signer *s, const struct cert *c, const struct profile_grant *g,
    bool again, json_t **endp)
{
	json_t *o = summary_of(c, g);

	if (o == NULL || (again && !put(o, "again", json_true()))) {
		json_decref(o);
		return AAD_R_NO_MEMORY;
	}
	if (signer_certificate(s, c, json_incref(o)) == AAD_ENOMEM) {
		json_decref(o);
		return AAD_R_NO_MEMORY;
	}
	*endp = o;
	return AAD_R_ALLOWED;
}

enum reason
issue_certificate(struct signer *s, const struct issue *is, json_t **endp)
{
	struct making m = { .s = s, .is = is };
	enum reason why;

	if ((why = prepare(&m)) != AAD_R_ALLOWED) {
		ledger_rollback(s->ledger);
	} else if ((why = sign(&m)) != AAD_R_ALLOWED ||
		   (why = record(&m)) != AAD_R_ALLOWED) {
		give_up(&m, why);
		log_it(&m, why);
	} else {
		log_it(&m, why);
		why = answer(s, &m.cert, is->grant, false, endp);
	}
	cert_release(&m.cert);
	keyring_release(&m.ring);
	return why;
}

enum reason
issue_again(struct signer *s, const char *base64, const struct profile_grant *g,
    json_t **endp)
{
	enum reason why = AAD_R_LEDGER_ALTERED;
	uint8_t *blob = NULL;
	struct cert c;
	size_t len;
	int r;

	memset(&c, 0, sizeof(c));
	if ((r = b64_decode(B64_STD, base64, strlen(base64), &blob, &len)) ==
		0 &&
	    (r = cert_from_blob(blob, len, &c, &why)) == 0)
		why = answer(s, &c, g, true, endp);
	else
		why = r == AAD_ENOMEM ? AAD_R_NO_MEMORY : AAD_R_LEDGER_ALTERED;
	free(blob);
	cert_release(&c);
	return why;
}
