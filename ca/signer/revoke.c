/* SPDX-License-Identifier: ISC */

/*
 * revoke: serials, identities, keys, and a key of the authority itself, each
 * in one transaction: a denial without the certificates that it ends, or the
 * reverse, is never there.  And what can be lifted again: a denial can; a
 * serial and a key never.  Who may ask is the pipe's question: over the socket
 * neither operation exists.
 */

#include <stdlib.h>
#include <string.h>

#include "ca/signer/newkey.h"
#include "ca/signer/revoked.h"
#include "ca/signer/signer.h"
#include "ca/signer/step.h"
#include "cmd/cli/log.h"
#include "core/name.h"
#include "core/text.h"

#define WORDS_MAX 400 /* bytes of the reason and of the context */

/* What was asked for, and what came of it. */
struct revocation {
	struct signer *s;
	const char *by; /* "serial", "user", "oid", "key", "ca_key" */
	char *reason; /* "" when none was given */
	char *context;
	char *upn; /* of --user, or NULL */
	char oid[NAME_GUID_LEN + 1];
	const uint8_t *hash; /* of a key, or of the authority's */
	const struct request *rq;
	uint64_t serial;
	bool denied; /* a denial came into force */
	/* the certificates it concerns */
	struct event *certs;
	size_t n, cap;
	bool known; /* any of them, revoked before or not */
	enum reason why; /* of the walk that looks for them */
};

static void
revocation_release(struct revocation *v)
{
	free(v->certs);
	free(v->reason);
	free(v->context);
	free(v->upn);
}

/* A text of the request, "" when there is none. */
static int
words(const struct request *rq, enum request_label label, char **outp)
{
	int r = request_text(rq, label, 0, outp);

	if (r == AAD_ENOENT)
		r = (*outp = strdup("")) != NULL ? 0 : AAD_ENOMEM;
	return r;
}

/* Of a PREPARED row. */
static int
collect(void *arg, const struct event *c)
{
	struct revocation *v = arg;
	enum reason why;
	struct event *e;
	bool revoked;
	int r;

	v->known = true;
	r = ledger_is_revoked(v->s->ledger, c->serial, &revoked, &why);
	if (r != 0)
		v->why = why;
	if (r != 0 || revoked)
		return r;
	if (v->n == v->cap) {
		size_t cap = v->cap == 0 ? 64 : v->cap * 2;

		if ((e = realloc(v->certs, cap * sizeof(*e))) == NULL)
			return AAD_ENOMEM;
		v->certs = e;
		v->cap = cap;
	}
	e = &v->certs[v->n++];
	memset(e, 0, sizeof(*e));
	e->kind = EVENT_REVOKED;
	e->serial = c->serial;
	e->type = c->type;
	e->has_ca = e->has_key = true;
	memcpy(e->ca_hash, c->ca_hash, sizeof(e->ca_hash));
	memcpy(e->key_hash, c->key_hash, sizeof(e->key_hash));
	memcpy(e->oid, c->oid, sizeof(e->oid));
	memcpy(e->tid, c->tid, sizeof(e->tid));
	e->valid_before = c->valid_before;
	return 0;
}

/* Append a row with its body, which is consumed. */
static enum reason
append(struct signer *s, struct event *e, json_t *body)
{
	enum reason why;
	int r;

	if (body == NULL)
		return AAD_R_NO_MEMORY;
	e->at = s->now;
	e->body = body;
	r = ledger_append(s->ledger, e, &why);
	event_release(e);
	return r == 0 ? AAD_R_ALLOWED : step_ledger(s, why);
}

/*
 * Revoke every certificate that passes and is not revoked yet.  NB. in one
 * transaction, for which everybody waits who signs, so that it must be quick:
 * the columns alone are read, and what was given out not at all.
 */
static enum reason
revoke_certs(struct revocation *v, const struct ledger_filter *asked)
{
	struct ledger_filter f = *asked;
	struct signer *s = v->s;
	enum reason why = AAD_R_UNSET;
	int r;

	f.kind = EVENT_PREPARED;
	f.bare = true;
	v->why = AAD_R_UNSET;
	if ((r = ledger_each(s->ledger, &f, collect, v, &why)) != 0)
		return step_walked(s, r, v->why != AAD_R_UNSET ? v->why : why);
	for (size_t i = 0; i < v->n; i++) {
		why = append(s, &v->certs[i],
		    json_pack("{s:s s:s s:s}", "by", v->by, "reason", v->reason,
			"context", v->context));
		if (why != AAD_R_ALLOWED)
			return why;
	}
	return AAD_R_ALLOWED;
}

/* The same of what is not long over. */
static enum reason
revoke_good(struct revocation *v, struct ledger_filter *f)
{
	enum reason why = revoked_since(v->s, &f->valid_after);

	return why == AAD_R_ALLOWED ? revoke_certs(v, f) : why;
}

/* End the transaction, well or not. */
static enum reason
settle(struct signer *s, enum reason why)
{
	if (why == AAD_R_ALLOWED)
		return step_commit(s);
	ledger_rollback(s->ledger);
	return why;
}

/* Deny the identity, or the key, unless it is denied. */
static enum reason
deny(struct revocation *v)
{
	struct signer *s = v->s;
	struct event e = { .kind = EVENT_DENIED };
	bool oid_denied, key_denied;
	const char *oid = v->oid[0] == '\0' ? NULL : v->oid;
	enum reason why;

	if (ledger_denied(s->ledger, oid, oid == NULL ? v->hash : NULL,
		&oid_denied, &key_denied, &why) != 0)
		return step_ledger(s, why);
	if (oid_denied || key_denied)
		return AAD_R_ALLOWED;
	if (oid != NULL) {
		memcpy(e.oid, v->oid, sizeof(e.oid));
		if (s->conf->tenant != NULL)
			(void)name_guid_fold(s->conf->tenant, e.tid);
	} else {
		e.has_key = true;
		memcpy(e.key_hash, v->hash, sizeof(e.key_hash));
	}
	v->denied = true;
	return append(s, &e,
	    json_pack("{s:s s:s* s:s}", "reason", v->reason, "upn", v->upn,
		"context", v->context));
}

static enum reason
by_serial(struct revocation *v)
{
	const struct ledger_filter f = { .serial = v->serial };
	enum reason why = step_begin(v->s);

	if (why != AAD_R_ALLOWED)
		return why;
	if ((why = revoke_certs(v, &f)) == AAD_R_ALLOWED && !v->known)
		why = AAD_R_UNKNOWN_SERIAL;
	return settle(v->s, why);
}

static enum reason
by_identity(struct revocation *v)
{
	struct ledger_filter f = { .oid = v->oid };
	enum reason why = step_begin(v->s);

	if (why != AAD_R_ALLOWED)
		return why;
	if ((why = deny(v)) == AAD_R_ALLOWED)
		why = revoke_good(v, &f);
	return settle(v->s, why);
}

static enum reason
by_key(struct revocation *v)
{
	struct ledger_filter f = { .key_hash = v->hash };
	struct keyring ring;
	enum reason why = step_begin(v->s);

	if (why != AAD_R_ALLOWED)
		return why;
	why = step_keys(v->s, &ring);
	if (why == AAD_R_ALLOWED && keyring_by_hash(&ring, v->hash) != NULL)
		why = signer_fail(v->s, AAD_R_CA_KEY,
		    "this is a key of the authority itself; use --ca-key");
	keyring_release(&ring);
	if (why == AAD_R_ALLOWED && (why = deny(v)) == AAD_R_ALLOWED)
		why = revoke_good(v, &f);
	return settle(v->s, why);
}

/* The key that comes after: a new one, or one of the agent that was named;
 * *n is zero where there is none. */
static enum reason
next_key(struct revocation *v, const struct keyring *ring, enum ca_role role,
    struct newkey *n)
{
	const struct request_field *named;

	memset(n, 0, sizeof(*n));
	named = request_get(v->rq,
	    role == CA_ROLE_USER ? REQUEST_L_USER_CA : REQUEST_L_HOST_CA, 0);
	if (named != NULL)
		return newkey_named(v->s, ring, named, n);
	if (v->s->conf->ca_agent == NULL)
		return newkey_make(v->s, n);
	return signer_fail(v->s, AAD_R_ALLOWED,
	    "no key signs for %ss until rotate names one of the agent",
	    ca_role_name(role));
}

/*
 * Somebody must sign from now on: the key that is prepared, or a new one.
 * With an agent there may be none, and then nobody signs until one is named.
 */
static enum reason
succeed(struct revocation *v, const struct keyring *ring, enum ca_role role)
{
	static const char text[] = "the key before was revoked";
	const struct keyring_key *next;
	struct newkey n;
	enum reason why;

	next = keyring_find(ring, role, CA_STAGE_PREPARED);
	if (next != NULL) {
		struct newkey known = { next->pub, next->in_agent };

		return newkey_append(v->s, &known, role, CA_STAGE_ACTIVE, text);
	}
	why = next_key(v, ring, role, &n);
	if (why != AAD_R_ALLOWED || n.pub.kind == KEY_NONE)
		return why;
	why = newkey_append(v->s, &n, role, CA_STAGE_PREPARED, text);
	if (why == AAD_R_ALLOWED)
		why = newkey_append(v->s, &n, role, CA_STAGE_ACTIVE, text);
	newkey_release(&n);
	return why;
}

static enum reason
revoke_authority(struct revocation *v, const struct keyring *ring)
{
	const struct keyring_key *k = keyring_by_hash(ring, v->hash);
	struct newkey known;
	enum reason why;

	if (k == NULL)
		return signer_fail(v->s, AAD_R_CA_KEY,
		    "the authority has no such key; aadssh-ca keys lists them");
	if (k->role != CA_ROLE_USER && k->role != CA_ROLE_HOST)
		return signer_fail(v->s, AAD_R_CA_KEY,
		    "this key signs no certificates; see rotate --bundle");
	if (k->stage == CA_STAGE_REVOKED)
		return AAD_R_ALLOWED;
	known = (struct newkey){ k->pub, k->in_agent };
	why = newkey_append(v->s, &known, k->role, CA_STAGE_REVOKED, v->reason);
	if (why == AAD_R_ALLOWED && k->stage == CA_STAGE_ACTIVE)
		why = succeed(v, ring, k->role);
	return why;
}

static enum reason
by_authority(struct revocation *v)
{
	struct ledger_filter f = { .ca_hash = v->hash };
	struct keyring ring;
	enum reason why = step_begin(v->s);

	if (why != AAD_R_ALLOWED)
		return why;
	why = step_keys(v->s, &ring);
	if (why == AAD_R_ALLOWED)
		why = revoke_authority(v, &ring);
	keyring_release(&ring);
	if (why == AAD_R_ALLOWED)
		why = revoke_good(v, &f);
	return settle(v->s, why);
}

/* The identities that had a user principal name. */
struct lookup {
	const char *upn;
	json_t *oids; /* an object: oid -> true */
};

static int
look(void *arg, const struct event *e)
{
	struct lookup *l = arg;
	const char *upn = json_string_value(json_object_get(e->body, "upn"));

	if (upn == NULL || upn[0] == '\0' || e->oid[0] == '\0' ||
	    !text_same_fold(upn, l->upn))
		return 0;
	return json_object_set_new(l->oids, e->oid, json_true()) == 0
		   ? 0
		   : AAD_ENOMEM;
}

/* What the ledger knows of the name: exactly one identity, or a refusal that
 * lists them. */
static enum reason
find_user(struct signer *s, const char *upn, char oid[static NAME_GUID_LEN + 1])
{
	const struct ledger_filter f = { .kind = EVENT_PREPARED };
	struct lookup l = { upn, json_object() };
	enum reason why = AAD_R_UNSET;
	char all[SIGNER_DETAIL_MAX] = "";
	const char *key;
	json_t *value;
	size_t n;
	int r;

	if (l.oids == NULL)
		return AAD_R_NO_MEMORY;
	if ((r = ledger_each(s->ledger, &f, look, &l, &why)) != 0) {
		json_decref(l.oids);
		return step_walked(s, r, why);
	}
	n = json_object_size(l.oids);
	json_object_foreach(l.oids, key, value)
	{
		size_t used = strlen(all);

		memcpy(oid, key, NAME_GUID_LEN + 1);
		if (sizeof(all) - used > NAME_GUID_LEN + 2) {
			all[used] = ' ';
			memcpy(all + used + 1, key, NAME_GUID_LEN + 1);
		}
	}
	json_decref(l.oids);
	if (n == 0)
		return AAD_R_UNKNOWN_USER;
	return n == 1 ? AAD_R_ALLOWED
		      : signer_fail(s, AAD_R_AMBIGUOUS_USER, "%s", all + 1);
}

/* The identity of OID or USER, "" when neither is asked for. */
static enum reason
identity(struct signer *s, const struct request *rq, char **upnp,
    char oid[static NAME_GUID_LEN + 1])
{
	char *text = NULL;
	enum reason why = AAD_R_ALLOWED;
	int r = request_text(rq, REQUEST_L_OID, 0, &text);

	oid[0] = '\0';
	*upnp = NULL;
	if (r == 0) {
		if (!name_guid_fold(text, oid))
			why = AAD_R_REQUEST_MALFORMED;
		free(text);
		return why;
	}
	if (r == AAD_ENOENT)
		r = request_text(rq, REQUEST_L_USER, 0, upnp);
	if (r != 0)
		return r == AAD_ENOENT ? AAD_R_ALLOWED : AAD_R_NO_MEMORY;
	return find_user(s, *upnp, oid);
}

/* One of the labels, exactly; NONE when there are none or several. */
static enum request_label
only(const struct request *rq, const enum request_label *labels, size_t n)
{
	enum request_label found = 0;

	for (size_t i = 0; i < n; i++) {
		if (request_get(rq, labels[i], 0) == NULL)
			continue;
		if (found != 0 || request_get(rq, labels[i], 1) != NULL)
			return 0;
		found = labels[i];
	}
	return found;
}

/* No JSON can hold another encoding, and nothing must keep anybody from
 * revoking. */
static void
as_utf8(char *words)
{
	size_t len = strlen(words);
	json_t *o = json_stringn(words, len);

	if (o == NULL)
		text_clean(words, len, words, len + 1);
	json_decref(o);
}

/* The words that go into the rows, within their bounds. */
static enum reason
read_words(struct revocation *v, const struct request *rq)
{
	int r;

	if ((r = words(rq, REQUEST_L_TEXT, &v->reason)) != 0 ||
	    (r = words(rq, REQUEST_L_CONTEXT, &v->context)) != 0)
		return step_reason(r, AAD_R_REQUEST_MALFORMED);
	as_utf8(v->reason);
	as_utf8(v->context);
	if (strlen(v->reason) > WORDS_MAX || strlen(v->context) > WORDS_MAX)
		return signer_fail(v->s, AAD_R_REQUEST_MALFORMED,
		    "a reason has at most %d bytes", WORDS_MAX);
	return AAD_R_ALLOWED;
}

static enum reason
dispatch(struct revocation *v, const struct request *rq,
    enum request_label what)
{
	const struct request_field *f = request_get(rq, what, 0);
	enum reason why;

	switch (what) {
	case REQUEST_L_SERIAL:
		v->by = "serial";
		if (request_u64(rq, what, &v->serial) != 0 || v->serial == 0 ||
		    v->serial > INT64_MAX)
			return AAD_R_UNKNOWN_SERIAL;
		return by_serial(v);
	case REQUEST_L_HASH:
	case REQUEST_L_CA_HASH:
		if (f->len != 32)
			return AAD_R_REQUEST_MALFORMED;
		v->hash = f->p;
		v->by = what == REQUEST_L_HASH ? "key" : "ca_key";
		return what == REQUEST_L_HASH ? by_key(v) : by_authority(v);
	default:
		v->by = what == REQUEST_L_OID ? "oid" : "user";
		why = identity(v->s, rq, &v->upn, v->oid);
		return why == AAD_R_ALLOWED ? by_identity(v) : why;
	}
}

static void
tell_log(const struct revocation *v, const char *event)
{
	char serial[24], hash[KEY_FP_LEN + 1] = "", n[24];
	const struct log_field fields[] = {
		{ "by", v->by },
		{ "serial", v->serial != 0 ? serial : NULL },
		{ "oid", v->oid },
		{ "key", hash },
		{ "revoked", n },
		{ "context", v->context },
	};

	snprintf(serial, sizeof(serial), "%llu", (unsigned long long)v->serial);
	snprintf(n, sizeof(n), "%zu", v->n);
	if (v->hash != NULL)
		key_fingerprint_of(v->hash, hash);
	signer_log(v->s, event, AAD_R_ALLOWED, fields,
	    sizeof(fields) / sizeof(fields[0]));
}

/* A key in the wrong hands has nothing to do here any more. */
static enum reason
destroy(struct revocation *v)
{
	int r = keyring_destroy(v->s->dir, v->hash);

	return r == 0 || r == AAD_ENOENT
		   ? AAD_R_ALLOWED
		   : step_file(v->s, r, AAD_R_CA_KEY, "the revoked key's file");
}

enum reason
op_revoke(struct signer *s, const struct request *rq, json_t **endp)
{
	static const enum request_label labels[] = { REQUEST_L_SERIAL,
		REQUEST_L_OID, REQUEST_L_USER, REQUEST_L_HASH,
		REQUEST_L_CA_HASH };
	struct revocation v = { .s = s, .rq = rq, .by = "" };
	enum request_label what = only(rq, labels, 5);
	enum reason why;

	*endp = NULL;
	if (what == 0)
		return AAD_R_REQUEST_MALFORMED;
	if ((why = read_words(&v, rq)) == AAD_R_ALLOWED &&
	    (why = signer_ledger(s)) == AAD_R_ALLOWED)
		why = dispatch(&v, rq, what);
	if (why == AAD_R_ALLOWED) {
		tell_log(&v, "revoke");
		*endp = json_pack("{s:i s:I s:b s:s*}", "v", 1, "revoked",
		    (json_int_t)v.n, "denied", v.denied, "oid",
		    v.oid[0] == '\0' ? NULL : v.oid);
		if (*endp == NULL)
			why = AAD_R_NO_MEMORY;
		else if (what == REQUEST_L_CA_HASH)
			why = destroy(&v);
	}
	revocation_release(&v);
	return why;
}

static enum reason
unpin(struct revocation *v, const struct request *rq)
{
	struct event e = { .kind = EVENT_UNPIN };
	char *login;
	enum reason why;
	int r = request_text(rq, REQUEST_L_LOGIN, 0, &login);

	if (r != 0)
		return step_reason(r, AAD_R_REQUEST_MALFORMED);
	if (!name_login_ok(login)) {
		free(login);
		return AAD_R_BAD_LOGIN;
	}
	memcpy(e.login, login, strlen(login) + 1);
	free(login);
	if (ledger_pin(v->s->ledger, e.login, e.tid, e.oid, &why) != 0)
		return step_ledger(v->s, why);
	if (e.oid[0] == '\0')
		return AAD_R_NOT_REVOKED;
	memcpy(v->oid, e.oid, sizeof(v->oid));
	return append(v->s, &e,
	    json_pack("{s:s s:s}", "reason", v->reason, "context", v->context));
}

static enum reason
undeny(struct revocation *v)
{
	struct event e = { .kind = EVENT_UNDENIED };
	bool oid_denied, key_denied;
	enum reason why;

	if (ledger_denied(v->s->ledger, v->oid, NULL, &oid_denied, &key_denied,
		&why) != 0)
		return step_ledger(v->s, why);
	if (!oid_denied)
		return AAD_R_NOT_REVOKED;
	memcpy(e.oid, v->oid, sizeof(e.oid));
	if (v->s->conf->tenant != NULL)
		(void)name_guid_fold(v->s->conf->tenant, e.tid);
	return append(v->s, &e,
	    json_pack("{s:s s:s* s:s}", "reason", v->reason, "upn", v->upn,
		"context", v->context));
}

enum reason
op_unrevoke(struct signer *s, const struct request *rq, json_t **endp)
{
	static const enum request_label labels[] = { REQUEST_L_OID,
		REQUEST_L_USER, REQUEST_L_LOGIN };
	struct revocation v = { .s = s };
	enum request_label what = only(rq, labels, 3);
	enum reason why;

	*endp = NULL;
	if (what == 0)
		return AAD_R_REQUEST_MALFORMED;
	v.by = what == REQUEST_L_LOGIN ? "pin"
	       : what == REQUEST_L_OID ? "oid"
				       : "user";
	if ((why = read_words(&v, rq)) == AAD_R_ALLOWED &&
	    (why = signer_ledger(s)) == AAD_R_ALLOWED &&
	    what != REQUEST_L_LOGIN)
		why = identity(s, rq, &v.upn, v.oid);
	if (why == AAD_R_ALLOWED && (why = step_begin(s)) == AAD_R_ALLOWED)
		why = settle(s,
		    what == REQUEST_L_LOGIN ? unpin(&v, rq) : undeny(&v));
	if (why == AAD_R_ALLOWED) {
		tell_log(&v, "unrevoke");
		*endp = json_pack("{s:i s:s}", "v", 1, "oid", v.oid);
		if (*endp == NULL)
			why = AAD_R_NO_MEMORY;
	}
	revocation_release(&v);
	return why;
}
