/* SPDX-License-Identifier: ISC */

/*
 * publish: what hosts are told changes in two steps, because ssh-keygen
 * reads the KRL between them, which the signer must not run.  Both hold the
 * ledger's lock from their first look to their last write, so that two at
 * once are one after the other, and "current" only ever gets newer.
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/signer/publication.h"
#include "ca/signer/published.h"
#include "ca/signer/revoked.h"
#include "ca/signer/signer.h"
#include "ca/signer/step.h"
#include "cmd/cli/log.h"
#include "core/name.h"

static enum reason
stage(struct signer *s, struct publication *p)
{
	struct keyring keys;
	uint64_t version, current;
	enum reason why = step_keys(s, &keys);

	if (why == AAD_R_ALLOWED)
		why = published_next(s, &keys, &version);
	/* NB. here, too: where none is ever switched to, each would stay. */
	if (why == AAD_R_ALLOWED &&
	    published_current(s->publish, &current) == 0)
		published_prune(s, current);
	if (why == AAD_R_ALLOWED)
		why = publication_build(s, &keys, version, p);
	if (why == AAD_R_ALLOWED)
		why = published_write(s, p);
	keyring_release(&keys);
	return why;
}

enum reason
op_stage(struct signer *s, const struct request *rq, json_t **endp)
{
	struct publication p = { 0 };
	char name[PUBLISHED_NAME_LEN];
	enum reason why;

	(void)rq;
	*endp = NULL;
	if (s->publish == -1)
		return step_file(s, AAD_ENOENT, AAD_R_PUBLICATION,
		    s->conf->publish_dir);
	if ((why = step_begin(s)) != AAD_R_ALLOWED)
		return why;
	why = stage(s, &p);
	ledger_rollback(s->ledger); /* nothing was appended */
	published_name(p.version, name);
	if (why == AAD_R_ALLOWED) {
		*endp = json_pack("{s:i s:I s:s+++ s:I s:I}", "v", 1, "version",
		    (json_int_t)p.version, "path", s->conf->publish_dir, "/",
		    name, "", "serials", (json_int_t)p.revoked.serials, "keys",
		    (json_int_t)p.revoked.keys);
		if (*endp == NULL)
			why = AAD_R_NO_MEMORY;
	}
	publication_release(&p);
	return why;
}

/* Append the PUBLISHED row, unless it is there. */
static enum reason
record(struct signer *s, const struct manifest *m)
{
	struct event e = { .kind = EVENT_PUBLISHED, .at = s->now };
	char hex[NAME_HEX64_LEN + 1];
	enum reason why;
	bool there;
	int r;

	why = published_recorded(s, m->version, &there);
	if (why != AAD_R_ALLOWED || there)
		return why;
	name_hex64(m->hash, hex);
	e.body = json_pack("{s:I s:s}", "version", (json_int_t)m->version,
	    "manifest", hex);
	if (e.body == NULL)
		return AAD_R_NO_MEMORY;
	r = ledger_append(s->ledger, &e, &why);
	event_release(&e);
	return r == 0 ? AAD_R_ALLOWED : step_ledger(s, why);
}

/*
 * Whether the current version makes this one needless: it is newer, and says
 * at least as much of the ledger.  Another aadssh-ca was faster.
 */
static bool
superseded(struct signer *s, uint64_t current, const struct keyring *keys,
    const struct manifest *m)
{
	struct manifest other;
	bool yes;

	if (m->version >= current ||
	    published_load(s->publish, current, keys, &other) != 0)
		return false;
	yes = other.length >= m->length;
	manifest_release(&other);
	return yes;
}

/* What commit does, and what it says. */
struct committing {
	uint64_t version;
	uint64_t current; /* before */
	bool superseded;
	int64_t length;
	char head[NAME_HEX64_LEN + 1];
};

/* The manifest is of the key that signs now, and not over. */
static enum reason
acceptable(struct signer *s, const struct keyring *keys,
    const struct manifest *m)
{
	const struct keyring_key *bundle;
	uint8_t head[32];
	int64_t length;
	enum reason why;

	bundle = keyring_find(keys, CA_ROLE_BUNDLE, CA_STAGE_ACTIVE);
	if (bundle == NULL || memcmp(bundle->pub.hash, m->bundle_key, 32) != 0)
		return step_file(s, AAD_ESIG, AAD_R_PUBLICATION, MANIFEST_NAME);
	if (m->expires <= s->now)
		return signer_fail(s, AAD_R_PUBLICATION,
		    "the version is over already; publish again");
	if (ledger_head(s->ledger, &length, head, &why) != 0)
		return step_ledger(s, why);
	if (m->length > length)
		return signer_fail(s, AAD_R_LEDGER_ALTERED,
		    "the manifest knows more rows than the ledger has");
	return AAD_R_ALLOWED;
}

static enum reason
commit(struct signer *s, const struct keyring *keys, struct committing *c)
{
	struct manifest m;
	enum reason why = published_check(s, c->version, keys, &m);

	if (why != AAD_R_ALLOWED)
		return why;
	c->length = m.length;
	name_hex64(m.head, c->head);
	why = acceptable(s, keys, &m);
	if (why == AAD_R_ALLOWED && c->version < c->current) {
		c->superseded = superseded(s, c->current, keys, &m);
		if (!c->superseded)
			why = signer_fail(s, AAD_R_PUBLICATION,
			    "version %" PRIu64 " is older than the current "
			    "one, %" PRIu64,
			    c->version, c->current);
	} else if (why == AAD_R_ALLOWED) {
		why = published_keep(s, c->version);
		if (why == AAD_R_ALLOWED && c->version > c->current)
			why = published_switch(s, c->version);
		/* NB. after the switch: rotate counts from this row on. */
		if (why == AAD_R_ALLOWED)
			why = record(s, &m);
	}
	manifest_release(&m);
	return why;
}

/* Read which version is current, refuse to go back, commit. */
static enum reason
locked_commit(struct signer *s, struct committing *c)
{
	struct keyring keys;
	enum reason why;
	int r = published_current(s->publish, &c->current);

	if (r != 0 && r != AAD_ENOENT)
		return step_file(s, r, AAD_R_PUBLICATION, PUBLISHED_CURRENT);
	why = step_keys(s, &keys);
	if (why == AAD_R_ALLOWED)
		why = published_agrees(s, &keys);
	if (why == AAD_R_ALLOWED)
		why = commit(s, &keys, c);
	keyring_release(&keys);
	if (why == AAD_R_ALLOWED) {
		published_prune(s, c->superseded ? c->current : c->version);
		why = step_commit(s);
	} else
		ledger_rollback(s->ledger);
	return why;
}

static enum reason
tell_commit(struct signer *s, const struct committing *c, json_t **endp)
{
	uint64_t version = c->superseded ? c->current : c->version;
	char v[PUBLISHED_NAME_LEN], n[PUBLISHED_NAME_LEN];
	const struct log_field fields[] = {
		{ "version", v },
		{ "ledger_length", n },
		{ "ledger_head", c->head },
	};

	published_name(version, v);
	snprintf(n, sizeof(n), "%" PRId64, c->length);
	if (!c->superseded)
		signer_log(s, "publish", AAD_R_ALLOWED, fields, 3);
	*endp = json_pack("{s:i s:I s:b s:I s:s}", "v", 1, "version",
	    (json_int_t)version, "superseded", c->superseded, "length",
	    (json_int_t)c->length, "head", c->head);
	return *endp != NULL ? AAD_R_ALLOWED : AAD_R_NO_MEMORY;
}

enum reason
op_commit(struct signer *s, const struct request *rq, json_t **endp)
{
	struct committing c = { 0 };
	enum reason why;

	*endp = NULL;
	if (request_u64(rq, REQUEST_L_VERSION, &c.version) != 0 ||
	    c.version < 1 || c.version > MANIFEST_VERSION_MAX)
		return AAD_R_REQUEST_MALFORMED;
	if (s->publish == -1)
		return step_file(s, AAD_ENOENT, AAD_R_PUBLICATION,
		    s->conf->publish_dir);
	if ((why = step_begin(s)) != AAD_R_ALLOWED ||
	    (why = locked_commit(s, &c)) != AAD_R_ALLOWED)
		return why;
	return tell_commit(s, &c, endp);
}

/* The KRL as the next publication would hold it. */
enum reason
op_krl(struct signer *s, const struct request *rq, json_t **endp)
{
	struct revoked_count n = { 0, 0 };
	struct keyring keys;
	uint64_t version = 0;
	uint8_t *krl = NULL;
	size_t len = 0;
	enum reason why;

	(void)rq;
	*endp = NULL;
	if (s->publish == -1)
		return step_file(s, AAD_ENOENT, AAD_R_PUBLICATION,
		    s->conf->publish_dir);
	if ((why = step_begin(s)) != AAD_R_ALLOWED)
		return why;
	why = step_keys(s, &keys);
	if (why == AAD_R_ALLOWED)
		why = published_next(s, &keys, &version);
	if (why == AAD_R_ALLOWED)
		why = revoked_krl(s, &keys, version, &krl, &len, &n);
	keyring_release(&keys);
	ledger_rollback(s->ledger);
	if (why == AAD_R_ALLOWED)
		why = step_replied(signer_data(s, krl, len));
	free(krl);
	if (why != AAD_R_ALLOWED)
		return why;
	*endp = json_pack("{s:i s:I s:I s:I s:I}", "v", 1, "version",
	    (json_int_t)version, "serials", (json_int_t)n.serials, "keys",
	    (json_int_t)n.keys, "bytes", (json_int_t)len);
	return *endp != NULL ? AAD_R_ALLOWED : AAD_R_NO_MEMORY;
}
