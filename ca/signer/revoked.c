/* SPDX-License-Identifier: ISC */

#include "ca/signer/revoked.h"

#include <stdlib.h>
#include <string.h>

#include "ca/signer/step.h"
#include "core/strictjson.h"
#include "ssh/krl.h"

/* One authority's serials; they come in order. */
struct section {
	const struct key *ca;
	struct krl_range *ranges;
	size_t n, cap;
};

struct sections {
	struct section all[KEYRING_MAX];
	size_t n;
	size_t serials;
};

static bool
trusted(enum ca_stage stage)
{
	return stage == CA_STAGE_PREPARED || stage == CA_STAGE_ACTIVE ||
	       stage == CA_STAGE_RETIRED;
}

enum reason
revoked_since(struct signer *s, int64_t *sincep)
{
	int64_t then, now = s->now;
	enum reason why;

	*sincep = 0;
	if (ledger_last_user(s->ledger, &then, &why) != 0)
		return step_ledger(s, why);
	if (then != 0 && then < now)
		now = then;
	if (now > REVOKED_AFTER_END)
		*sincep = now - REVOKED_AFTER_END;
	return AAD_R_ALLOWED;
}

static bool
certifies(const struct keyring_key *k)
{
	return k->role == CA_ROLE_USER || k->role == CA_ROLE_HOST;
}

/* A serial of one authority.  One of a key that is removed or revoked is
 * revoked by that key's own hash. */
static int
add_serial(void *arg, const uint8_t ca_hash[static 32], uint64_t serial)
{
	struct sections *all = arg;
	struct section *c = NULL;
	struct krl_range *last;

	for (size_t i = 0; i < all->n && c == NULL; i++)
		if (memcmp(all->all[i].ca->hash, ca_hash, 32) == 0)
			c = &all->all[i];
	if (c == NULL)
		return 0;
	all->serials++;
	last = c->n == 0 ? NULL : &c->ranges[c->n - 1];
	if (last != NULL && last->hi != UINT64_MAX && last->hi + 1 == serial) {
		last->hi = serial;
		return 0;
	}
	if (c->n == c->cap) {
		size_t cap = c->cap == 0 ? 256 : c->cap * 2;

		last = realloc(c->ranges, cap * sizeof(*last));
		if (last == NULL)
			return AAD_ENOMEM;
		c->ranges = last;
		c->cap = cap;
	}
	c->ranges[c->n++] = (struct krl_range){ serial, serial };
	return 0;
}

/* Hashes of keys, each once or several times: the encoder sorts. */
struct hashes {
	uint8_t (*p)[32];
	size_t n, cap;
};

static int
add_hash(struct hashes *h, const uint8_t hash[static 32])
{
	if (h->n == h->cap) {
		size_t cap = h->cap == 0 ? 64 : h->cap * 2;
		uint8_t(*p)[32] = realloc(h->p, cap * sizeof(*p));

		if (p == NULL)
			return AAD_ENOMEM;
		h->p = p;
		h->cap = cap;
	}
	memcpy(h->p[h->n++], hash, 32);
	return 0;
}

static int
add_denied(void *arg, const struct event *e)
{
	return e->has_key ? add_hash(arg, e->key_hash) : 0;
}

/* Sections for what hosts trust, hashes for what they must not. */
static int
sort_keys(const struct keyring *keys, struct sections *all, struct hashes *h)
{
	int r = 0;

	for (size_t i = 0; i < keys->n && r == 0; i++) {
		const struct keyring_key *k = &keys->keys[i];

		if (!certifies(k))
			continue;
		if (!trusted(k->stage))
			r = add_hash(h, k->pub.hash);
		else if (all->n == KEYRING_MAX)
			r = AAD_ETOOBIG;
		else
			all->all[all->n++].ca = &k->pub;
	}
	return r;
}

static int
encode(struct signer *s, const struct sections *all, const struct hashes *h,
    uint64_t version, uint8_t **outp, size_t *lenp)
{
	struct krl_ca cas[KEYRING_MAX];
	struct krl_spec spec = { .version = version,
		.generated = (uint64_t)s->now,
		.comment = "aadssh-ca",
		.cas = cas,
		.ncas = all->n,
		.key_hashes = (const uint8_t(*)[32])h->p,
		.nkey_hashes = h->n };

	for (size_t i = 0; i < all->n; i++)
		cas[i] = (struct krl_ca){ all->all[i].ca->blob,
			all->all[i].ca->blob_len, all->all[i].ranges,
			all->all[i].n, NULL, 0 };
	return krl_encode(&spec, outp, lenp);
}

static enum reason
build(struct signer *s, const struct keyring *keys, uint64_t version,
    struct sections *all, struct hashes *h, uint8_t **outp, size_t *lenp)
{
	const struct ledger_filter denied = { .kind = EVENT_DENIED };
	enum reason why;
	int64_t since;
	int r;

	if ((r = sort_keys(keys, all, h)) != 0)
		return step_file(s, r, AAD_R_PUBLICATION, "the list of keys");
	if ((why = revoked_since(s, &since)) != AAD_R_ALLOWED)
		return why;
	if ((r = ledger_revoked(s->ledger, since, add_serial, all, &why)) !=
		0 ||
	    (r = ledger_each(s->ledger, &denied, add_denied, h, &why)) != 0)
		return step_walked(s, r, why);
	r = encode(s, all, h, version, outp, lenp);
	return step_file(s, r, AAD_R_PUBLICATION, "the KRL");
}

enum reason
revoked_krl(struct signer *s, const struct keyring *keys, uint64_t version,
    uint8_t **outp, size_t *lenp, struct revoked_count *n)
{
	struct sections *all = calloc(1, sizeof(*all));
	struct hashes h = { NULL, 0, 0 };
	enum reason why;

	*outp = NULL;
	*lenp = 0;
	if (all == NULL)
		return AAD_R_NO_MEMORY;
	why = build(s, keys, version, all, &h, outp, lenp);
	n->serials = all->serials;
	n->keys = h.n;
	for (size_t i = 0; i < all->n; i++)
		free(all->all[i].ranges);
	free(all);
	free(h.p);
	return why;
}

/* Denials of identities that are in force, by oid; and of keys. */
struct denials {
	json_t *identities; /* oid -> entry, with "seq" for now */
	json_t *keys;
};

static int
deny(void *arg, const struct event *e)
{
	struct denials *d = arg;
	json_t *o;

	if (e->has_key)
		return json_array_append_new(d->keys,
			   step_fingerprint(e->key_hash)) == 0
			   ? 0
			   : AAD_ENOMEM;
	if (e->oid[0] == '\0')
		return 0;
	o = json_pack("{s:I s:s s:s* s:o s:s*}", "seq", (json_int_t)e->seq,
	    "oid", e->oid, "tid", e->tid[0] == '\0' ? NULL : e->tid, "since",
	    step_time(e->at), "reason",
	    json_string_value(json_object_get(e->body, "reason")));
	return json_object_set_new(d->identities, e->oid, o) == 0 ? 0
								  : AAD_ENOMEM;
}

static int
undeny(void *arg, const struct event *e)
{
	struct denials *d = arg;
	const json_t *o = json_object_get(d->identities, e->oid);

	if (o != NULL && json_integer_value(json_object_get(o, "seq")) < e->seq)
		(void)json_object_del(d->identities, e->oid);
	return 0;
}

/* The entries as a list, without what was only needed to find them. */
static json_t *
listed(json_t *identities)
{
	json_t *list = json_array(), *o;
	const char *oid;

	json_object_foreach(identities, oid, o)
	{
		(void)json_object_del(o, "seq");
		if (json_array_append(list, o) != 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

enum reason
revoked_denials(struct signer *s, char **outp)
{
	const struct ledger_filter denied = { .kind = EVENT_DENIED },
				   lifted = { .kind = EVENT_UNDENIED };
	struct denials d = { json_object(), json_array() };
	enum reason why = AAD_R_UNSET;
	json_t *doc = NULL;
	int r = AAD_ENOMEM;

	*outp = NULL;
	if (d.identities != NULL && d.keys != NULL &&
	    (r = ledger_each(s->ledger, &denied, deny, &d, &why)) == 0 &&
	    (r = ledger_each(s->ledger, &lifted, undeny, &d, &why)) == 0) {
		doc = json_pack("{s:i s:o s:O}", "v", 1, "identities",
		    listed(d.identities), "keys", d.keys);
		if ((*outp = strictjson_dump(doc)) == NULL)
			r = AAD_ENOMEM;
	}
	json_decref(doc);
	json_decref(d.identities);
	json_decref(d.keys);
	return step_walked(s, r, why);
}
