/* SPDX-License-Identifier: ISC */

/*
 * audit: is the account true?  The chain is walked; every manifest that was
 * kept must be signed by a bundle key of the ledger and have been right about
 * its length and head; every certificate must be what its row says, of an
 * authority that signed then.  More it does not claim: who holds the disk and
 * every manifest can write another history.
 */

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/signer/manifest.h"
#include "ca/signer/published.h"
#include "ca/signer/signer.h"
#include "ca/signer/step.h"
#include "core/b64.h"
#include "core/name.h"
#include "core/text.h"

#define FAULT_MAX 300 /* bytes of a sentence */

/* What a manifest says of the chain. */
struct witness {
	uint64_t version;
	int64_t length;
	uint8_t head[32];
};

/* Between which rows a key signed.  NB. rows, not times: a clock that was set
 * back makes no fault. */
struct span {
	enum ca_role role;
	uint8_t hash[32];
	int64_t from, to; /* seq; to 0: it still does */
};

struct audit {
	struct signer *s;
	/* A copy, so that nobody waits for us; the ledger itself where there is
	 * no room for one, and so none to commit */
	struct ledger *l;
	struct span *spans;
	size_t nspans;
	struct keyring ring;
	int manifests; /* directory, or -1 */
	struct witness *w; /* by length */
	size_t nw, cap;
	size_t next; /* the first that is not compared yet */
	int64_t rows;
	uint8_t head[32];
	size_t certificates;
	size_t open; /* prepared, and nobody knows */
	size_t faults;
	bool gone; /* the peer */
};

/* One fault, or with open something that is to be known. */
static void
tell(struct audit *a, int64_t seq, bool open, const char *text)
{
	char clean[FAULT_MAX];
	json_t *o;

	text_clean(text, strlen(text), clean, sizeof(clean));
	o = json_pack("{s:I s:s s:b}", "seq", (json_int_t)seq, "text", clean,
	    "fault", !open);
	if (open)
		a->open++;
	else
		a->faults++;
	if (!a->gone && signer_row(a->s, o) != 0)
		a->gone = true;
	else if (a->gone)
		json_decref(o);
}

static void fault(struct audit *a, int64_t seq, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void
fault(struct audit *a, int64_t seq, const char *fmt, ...)
{
	char text[FAULT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	tell(a, seq, false, text);
}

/* ---- manifests --------------------------------------------------------- */

static int
remember(struct audit *a, const struct manifest *m)
{
	struct witness *w;

	if (a->nw == a->cap) {
		size_t cap = a->cap == 0 ? 64 : a->cap * 2;

		if ((w = realloc(a->w, cap * sizeof(*w))) == NULL)
			return AAD_ENOMEM;
		a->w = w;
		a->cap = cap;
	}
	w = &a->w[a->nw++];
	w->version = m->version;
	w->length = m->length;
	memcpy(w->head, m->head, sizeof(w->head));
	return 0;
}

/* Read one kept manifest: "N.json". */
static int
read_manifest(void *arg, const char *name)
{
	struct audit *a = arg;
	size_t len = strlen(name);
	char want[PUBLISHED_NAME_LEN + 8];
	struct manifest m;
	int r;

	if (name[0] == '.' || len < 6 || strcmp(name + len - 5, ".json") != 0)
		return 0;
	r = published_manifest(a->manifests, name, &a->ring, &m);
	if (r == AAD_ENOMEM)
		return r;
	if (r != 0) {
		fault(a, 0, "manifests/%.60s %s", name,
		    r == AAD_ESIG || r == AAD_EREFUSED
			? "is not signed by a bundle key of the ledger"
			: "cannot be read");
		return 0;
	}
	snprintf(want, sizeof(want), "%" PRIu64 ".json", m.version);
	if (strcmp(name, want) != 0)
		fault(a, 0, "manifests/%.60s is of version %" PRIu64, name,
		    m.version);
	r = remember(a, &m);
	manifest_release(&m);
	return r;
}

static int
by_length(const void *a, const void *b)
{
	const struct witness *x = a, *y = b;

	return x->length < y->length ? -1 : x->length > y->length;
}

static enum reason
read_manifests(struct audit *a)
{
	int r = step_dir(a->s, "manifests", &a->manifests);

	if (r == 0)
		r = file_dir_each(a->manifests, read_manifest, a);
	if (r != 0)
		return step_file(a->s, r, AAD_R_PUBLICATION, "manifests");
	if (a->nw > 0)
		qsort(a->w, a->nw, sizeof(*a->w), by_length);
	return AAD_R_ALLOWED;
}

static void
on_fault(void *arg, int64_t seq, const char *text)
{
	tell(arg, seq, false, text);
}

/* The hash of a row: what any manifest of this length must name. */
static void
on_hash(void *arg, int64_t seq, const uint8_t hash[static 32])
{
	struct audit *a = arg;

	a->rows = seq;
	memcpy(a->head, hash, sizeof(a->head));
	for (; a->next < a->nw && a->w[a->next].length <= seq; a->next++) {
		const struct witness *w = &a->w[a->next];

		if (w->length == seq && memcmp(w->head, hash, 32) != 0)
			fault(a, seq,
			    "the manifest of version %" PRIu64
			    " knows another row here",
			    w->version);
		else if (w->length < seq)
			fault(a, w->length,
			    "the manifest of version %" PRIu64
			    " ends at a row that is not there",
			    w->version);
	}
}

/* What the walk did not come to. */
static void
rest_of_manifests(struct audit *a)
{
	for (; a->next < a->nw; a->next++)
		fault(a, a->w[a->next].length,
		    "the manifest of version %" PRIu64 " knows %" PRId64
		    " rows, and the ledger has %" PRId64,
		    a->w[a->next].version, a->w[a->next].length, a->rows);
}

/* ---- certificates ------------------------------------------------------ */

/* The same strings in the same order. */
static bool
same_strings(const json_t *list, char *const *strings, size_t n)
{
	if (json_array_size(list) != n)
		return false;
	for (size_t i = 0; i < n; i++) {
		const char *is = json_string_value(json_array_get(list, i));

		if (is == NULL || strcmp(is, strings[i]) != 0)
			return false;
	}
	return true;
}

/* What is not as the row says, NULL when all is. */
static const char *
differs(const struct ledger_cert *row, const struct cert *c)
{
	const json_t *body = row->prepared;
	const char *id = json_string_value(json_object_get(body, "key_id"));
	const json_t *after = json_object_get(body, "valid_after");

	if (c->serial != row->serial)
		return "serial";
	if (c->type != row->type)
		return "type";
	if (memcmp(c->key.hash, row->key_hash, 32) != 0)
		return "key";
	if (memcmp(c->ca_hash, row->ca_hash, 32) != 0)
		return "authority";
	if (c->valid_before != (uint64_t)row->valid_before)
		return "end";
	if (!json_is_integer(after) ||
	    c->valid_after != (uint64_t)json_integer_value(after))
		return "beginning";
	if (id == NULL || c->key_id == NULL || strcmp(id, c->key_id) != 0)
		return "key id";
	if (!same_strings(json_object_get(body, "principals"), c->principals,
		c->nprincipals))
		return "list of principals";
	return NULL;
}

/* The certificate that an ISSUED row holds. */
static int
decode(const struct ledger_cert *row, struct cert *c)
{
	const char *base64 = json_string_value(json_object_get(row->done,
	    "certificate"));
	enum reason why;
	uint8_t *blob;
	size_t len;
	int r;

	memset(c, 0, sizeof(*c));
	if (base64 == NULL)
		return AAD_EFORMAT;
	r = b64_decode(B64_STD, base64, strlen(base64), &blob, &len);
	if (r != 0)
		return r;
	r = cert_from_blob(blob, len, c, &why);
	free(blob);
	return r;
}

static int
check_cert(struct audit *a, const struct ledger_cert *row)
{
	const char *what;
	struct cert c;
	int r = decode(row, &c);

	if (r == AAD_ENOMEM)
		return r;
	if (r != 0) {
		fault(a, 0, "serial %" PRIu64 ": its certificate is damaged",
		    row->serial);
		return 0;
	}
	if ((what = differs(row, &c)) != NULL)
		fault(a, 0, "serial %" PRIu64 ": another %s than prepared",
		    row->serial, what);
	else if ((r = cert_verify(&c)) == AAD_ESIG)
		fault(a, 0, "serial %" PRIu64 ": its signature is bad",
		    row->serial);
	cert_release(&c);
	return r == AAD_ENOMEM ? r : 0;
}

static int
on_cert(void *arg, const struct ledger_cert *row)
{
	struct audit *a = arg;
	char text[FAULT_MAX];

	a->certificates++;
	if (a->gone)
		return AAD_ESYS;
	if (row->issued)
		return check_cert(a, row);
	if (!row->failed) {
		snprintf(text, sizeof(text),
		    "serial %" PRIu64 " was prepared, and what became of it "
		    "is not known; no certificate was given out",
		    row->serial);
		tell(a, 0, true, text);
	}
	return 0;
}

/* ---- who signed when --------------------------------------------------- */

static struct span *
span_of(struct audit *a, enum ca_role role, const uint8_t hash[static 32])
{
	for (size_t i = a->nspans; i > 0; i--)
		if (a->spans[i - 1].role == role &&
		    memcmp(a->spans[i - 1].hash, hash, 32) == 0)
			return &a->spans[i - 1];
	return NULL;
}

static int
on_key(void *arg, const struct event *e)
{
	struct audit *a = arg;
	struct span *sp = span_of(a, e->role, e->key_hash);

	if (e->stage != CA_STAGE_ACTIVE) {
		if (sp != NULL && sp->to == 0 && e->stage != CA_STAGE_PREPARED)
			sp->to = e->seq;
		return 0;
	}
	sp = realloc(a->spans, (a->nspans + 1) * sizeof(*sp));
	if (sp == NULL)
		return AAD_ENOMEM;
	a->spans = sp;
	sp = &a->spans[a->nspans++];
	memset(sp, 0, sizeof(*sp));
	sp->role = e->role;
	sp->from = e->seq;
	memcpy(sp->hash, e->key_hash, sizeof(sp->hash));
	return 0;
}

static int
on_prepared(void *arg, const struct event *e)
{
	struct audit *a = arg;
	const struct span *sp = span_of(a,
	    e->type == CERT_HOST ? CA_ROLE_HOST : CA_ROLE_USER, e->ca_hash);

	if (!e->has_ca || sp == NULL || e->seq < sp->from ||
	    (sp->to != 0 && e->seq > sp->to))
		fault(a, e->seq,
		    "serial %" PRIu64 ": its authority did not sign then",
		    e->serial);
	return a->gone ? AAD_ESYS : 0;
}

/* ---- all of it --------------------------------------------------------- */

/* A walk that ended early: the peer is gone, or a row is unreadable, which is
 * one more fault. */
static enum reason
ended(struct audit *a, int r, enum reason why, const char *what)
{
	if (a->gone)
		return AAD_R_SIGNER_UNREACHABLE;
	if (r == 0 || why != AAD_R_LEDGER_ALTERED)
		return step_walked(a->s, r, why);
	fault(a, 0, "the %s cannot be read to the end: %s", what,
	    ledger_error(a->l));
	return AAD_R_ALLOWED;
}

static enum reason
read_ledger(struct audit *a)
{
	enum reason why = AAD_R_UNSET;

	if (ledger_snapshot(a->s->ledger, &a->l, &why) == 0)
		return AAD_R_ALLOWED;
	if (why != AAD_R_DISK)
		return step_ledger(a->s, why);
	a->l = a->s->ledger;
	return AAD_R_ALLOWED;
}

static enum reason
walk(struct audit *a)
{
	const struct ledger_filter all = { 0 }, keys = { .kind = EVENT_KEY },
				   prepared = { .kind = EVENT_PREPARED };
	struct ledger *l = a->l;
	size_t faults;
	enum reason why = AAD_R_UNSET;
	int r;

	if (ledger_verify(l, on_fault, on_hash, a, &faults, &why) != 0)
		return signer_fail(a->s, why, "%s", ledger_error(l));
	rest_of_manifests(a);
	r = ledger_each(l, &keys, on_key, a, &why);
	if ((why = ended(a, r, why, "keys")) != AAD_R_ALLOWED)
		return why;
	r = ledger_each(l, &prepared, on_prepared, a, &why);
	if ((why = ended(a, r, why, "rows")) != AAD_R_ALLOWED)
		return why;
	r = ledger_certs(l, &all, on_cert, a, &why);
	return ended(a, r, why, "certificates");
}

static enum reason
end(struct audit *a, json_t **endp)
{
	char head[NAME_HEX64_LEN + 1];

	name_hex64(a->head, head);
	*endp = json_pack("{s:i s:I s:I s:I s:I s:I s:s}", "v", 1, "rows",
	    (json_int_t)a->rows, "certificates", (json_int_t)a->certificates,
	    "manifests", (json_int_t)a->nw, "open", (json_int_t)a->open,
	    "faults", (json_int_t)a->faults, "head", head);
	if (*endp == NULL)
		return AAD_R_NO_MEMORY;
	return a->faults == 0 ? AAD_R_ALLOWED : AAD_R_LEDGER_ALTERED;
}

enum reason
op_verify(struct signer *s, const struct request *rq, json_t **endp)
{
	struct audit a = { .s = s, .manifests = -1 };
	enum reason why;

	(void)rq;
	*endp = NULL;
	why = step_keys(s, &a.ring);
	if (why == AAD_R_LEDGER_ALTERED && s->ledger == NULL) {
		fault(&a, 0,
		    "the ledger's file is cut short or damaged; nothing in it "
		    "can be read");
		return end(&a, endp);
	}
	if (why == AAD_R_LEDGER_ALTERED) {
		/* The rows of the keys are what is wrong: say so, go on. */
		fault(&a, 0, "the keys cannot be read: %s",
		    ledger_error(s->ledger));
		why = AAD_R_ALLOWED;
	}
	if (why == AAD_R_ALLOWED)
		why = read_manifests(&a);
	/* Behind them, for they are never newer than the ledger. */
	if (why == AAD_R_ALLOWED)
		why = read_ledger(&a);
	if (why == AAD_R_ALLOWED)
		why = walk(&a);
	if (why == AAD_R_ALLOWED)
		why = end(&a, endp);
	if (a.l != s->ledger)
		ledger_close(a.l);
	file_close(a.manifests);
	free(a.w);
	free(a.spans);
	keyring_release(&a.ring);
	return why;
}
