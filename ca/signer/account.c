/* SPDX-License-Identifier: ISC */

/*
 * account: the certificates and the keys, as the ledger has them, a row at a
 * time.
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/signer/signer.h"
#include "ca/signer/step.h"
#include "core/name.h"

/* What is asked for, and where it goes. */
struct listing {
	struct signer *s;
	struct ledger_filter f;
	char *user; /* a UPN, or NULL */
	char oid[NAME_GUID_LEN + 1];
	bool valid; /* only what a host would take */
	size_t n;
};

static const char *
state_of(const struct signer *s, const struct ledger_cert *c)
{
	if (c->revoked_at != 0)
		return "revoked";
	if (c->failed)
		return "failed";
	if (c->valid_before <= s->now)
		return "expired";
	return c->issued ? "issued" : "prepared";
}

/* A member of a body under its own name; null when it has none. */
static bool
copy(json_t *to, const json_t *body, const char *name)
{
	json_t *value = json_object_get(body, name);

	return json_object_set_new(to, name,
		   value != NULL ? json_incref(value) : json_null()) == 0;
}

/* Copies of what the row says, and the hash of the authority's key. */
static bool
add_body(json_t *o, const struct ledger_cert *c)
{
	static const char *const names[] = { "upn", "logins", "principals",
		"profile", "key_type", "fingerprint", "key_id" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!copy(o, c->prepared, names[i]))
			return false;
	if (c->revoked_at == 0)
		return true;
	return json_object_set_new(o, "revoked_at", step_time(c->revoked_at)) ==
		   0 &&
	       json_object_set_new(o, "revoked_reason",
		   json_incref(json_object_get(c->revoked, "reason"))) == 0;
}

static json_t *
row_of(const struct signer *s, const struct ledger_cert *c)
{
	const json_t *after = json_object_get(c->prepared, "valid_after");
	char serial[24];
	json_t *o;

	snprintf(serial, sizeof(serial), "%" PRIu64, c->serial);
	o = json_pack("{s:s s:s s:s s:o s:o s:o s:s s:s s:o}", "serial", serial,
	    "type", c->type == CERT_HOST ? "host" : "user", "state",
	    state_of(s, c), "issued_at", step_time(c->at), "valid_after",
	    step_time(json_integer_value(after)), "valid_before",
	    step_time(c->valid_before), "oid", c->oid, "tid", c->tid, "ca",
	    step_fingerprint(c->ca_hash));
	if (o != NULL && !add_body(o, c)) {
		json_decref(o);
		o = NULL;
	}
	return o;
}

static int
list_one(void *arg, const struct ledger_cert *c)
{
	struct listing *l = arg;

	if (l->valid && (c->revoked_at != 0 || c->failed || !c->issued))
		return 0;
	l->n++;
	return signer_row(l->s, row_of(l->s, c));
}

static enum reason
read_hash(const struct request *rq, struct listing *l)
{
	const struct request_field *f = request_get(rq, REQUEST_L_HASH, 0);

	if (f != NULL && f->len != 32)
		return AAD_R_REQUEST_MALFORMED;
	if (f != NULL)
		l->f.key_hash = f->p;
	return AAD_R_ALLOWED;
}

/* A number of the request that a filter can take; absent is 0. */
static bool
number(const struct request *rq, enum request_label label, int64_t *np)
{
	uint64_t n;
	bool there = request_u64(rq, label, &n) == 0;

	*np = (int64_t)n;
	/* 0 would not limit, and nothing has it. */
	return n <= INT64_MAX && (!there || n > 0);
}

static enum reason
read_filter(const struct request *rq, struct listing *l)
{
	char *oid = NULL;
	int64_t serial;
	bool ok;
	int r;

	if (!number(rq, REQUEST_L_SERIAL, &serial) ||
	    !number(rq, REQUEST_L_SINCE, &l->f.since))
		return AAD_R_REQUEST_MALFORMED;
	l->f.serial = (uint64_t)serial;
	l->valid = request_get(rq, REQUEST_L_VALID, 0) != NULL;
	if (l->valid)
		l->f.valid_after = l->s->now;
	r = request_text(rq, REQUEST_L_USER, 0, &l->user);
	l->f.upn = l->user;
	if (r == 0 || r == AAD_ENOENT)
		r = request_text(rq, REQUEST_L_OID, 0, &oid);
	if (r == 0) {
		ok = name_guid_fold(oid, l->oid);
		free(oid);
		if (!ok)
			return AAD_R_REQUEST_MALFORMED;
		l->f.oid = l->oid;
	}
	if (r != 0 && r != AAD_ENOENT)
		return step_reason(r, AAD_R_REQUEST_MALFORMED);
	return read_hash(rq, l);
}

/* Of a walk whose callback answers: the peer may have gone. */
static enum reason
walked(struct signer *s, int r, enum reason why)
{
	if (r == AAD_ESYS && why == AAD_R_UNSET)
		return step_replied(r);
	return step_walked(s, r, why);
}

enum reason
op_list(struct signer *s, const struct request *rq, json_t **endp)
{
	struct listing l = { .s = s };
	enum reason why = signer_ledger(s);
	int r;

	*endp = NULL;
	if (why == AAD_R_ALLOWED)
		why = read_filter(rq, &l);
	if (why == AAD_R_ALLOWED) {
		r = ledger_certs(s->ledger, &l.f, list_one, &l, &why);
		why = walked(s, r, why);
	}
	free(l.user);
	if (why != AAD_R_ALLOWED)
		return why;
	*endp = json_pack("{s:i s:I}", "v", 1, "certificates", (json_int_t)l.n);
	return *endp != NULL ? AAD_R_ALLOWED : AAD_R_NO_MEMORY;
}

/* ---- keys -------------------------------------------------------------- */

static int
key_row(struct signer *s, const struct keyring_key *k)
{
	int64_t until = 0;
	enum reason why;
	char *line;
	json_t *o;
	int r;

	if ((k->role == CA_ROLE_USER || k->role == CA_ROLE_HOST) &&
	    (r = ledger_last_end(s->ledger, k->pub.hash, &until, &why)) != 0)
		return r;
	if ((r = step_key_text(&k->pub, &line)) != 0)
		return r;
	o = json_pack("{s:s s:s s:o s:s s:s s:o s:o s:o s:o s:o}", "role",
	    ca_role_name(k->role), "stage", ca_stage_name(k->stage),
	    "fingerprint", step_fingerprint(k->pub.hash), "public", line,
	    "backend", k->in_agent ? "agent" : "file", "prepared_at",
	    step_time(k->prepared_at), "active_at", step_time(k->active_at),
	    "retired_at", step_time(k->retired_at), "removed_at",
	    step_time(k->removed_at), "certificates_until", step_time(until));
	free(line);
	return signer_row(s, o);
}

enum reason
op_keys(struct signer *s, const struct request *rq, json_t **endp)
{
	struct keyring ring;
	enum reason why = step_keys(s, &ring);
	size_t n = ring.n;

	(void)rq;
	*endp = NULL;
	for (size_t i = 0; i < ring.n && why == AAD_R_ALLOWED; i++)
		why = step_replied(key_row(s, &ring.keys[i]));
	keyring_release(&ring);
	if (why == AAD_R_ALLOWED && n == 0)
		why = signer_fail(s, AAD_R_NO_CA,
		    "an init that did not end left it; run aadssh-ca init "
		    "again");
	if (why != AAD_R_ALLOWED)
		return why;
	*endp = json_pack("{s:i s:I}", "v", 1, "keys", (json_int_t)n);
	return *endp != NULL ? AAD_R_ALLOWED : AAD_R_NO_MEMORY;
}
