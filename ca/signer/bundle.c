/* SPDX-License-Identifier: ISC */

/*
 * bundle: another bundle key.  Hosts pin the one they know and the recovery
 * key's, and take a new one only on a statement that one of these signed:
 * {"v":1,"old":FP,"new":FP,"key":"TYPE BASE64","at":TIME}.  The statement is
 * written before the ledger hears of the key, under the key's own name, so
 * that one of a killed run is never published; every later publication of
 * this key holds it.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/signer/newkey.h"
#include "ca/signer/publication.h"
#include "ca/signer/signer.h"
#include "ca/signer/step.h"
#include "cmd/cli/log.h"
#include "core/strictjson.h"
#include "ssh/sign.h"
#include "ssh/sshsig.h"

/* Who vouches for the new key. */
struct voucher {
	const struct keyring *ring;
	const struct keyring_key *old; /* NULL where there is none */
	bool recovery; /* the key below, else the old one */
	struct privkey key;
};

/* The recovery key that was handed in must be ours. */
static enum reason
read_recovery(struct signer *s, const struct request *rq, struct voucher *v)
{
	const struct request_field *f = request_get(rq, REQUEST_L_SECRET, 0);
	const struct keyring_key *ours;
	int r;

	if (f == NULL)
		return v->old != NULL
			   ? AAD_R_ALLOWED
			   : signer_fail(s, AAD_R_CA_KEY,
				 "no bundle key vouches for the next: "
				 "give the recovery key");
	r = privkey_parse((const char *)f->p, f->len, &v->key);
	if (r != 0)
		return step_file(s, r, AAD_R_CA_KEY, "the recovery key");
	v->recovery = true;
	ours = keyring_find(v->ring, CA_ROLE_RECOVERY, CA_STAGE_ACTIVE);
	if (ours == NULL || memcmp(ours->pub.hash, v->key.pub.hash, 32) != 0)
		return signer_fail(s, AAD_R_CA_KEY,
		    "this is not the recovery key of this authority");
	return AAD_R_ALLOWED;
}

static int
statement(const struct signer *s, const struct voucher *v,
    const struct key *next, char **outp)
{
	char *line;
	json_t *doc;
	int r = step_key_text(next, &line);

	*outp = NULL;
	if (r != 0)
		return r;
	doc = json_pack("{s:i s:o s:o s:s s:o}", "v", 1, "old",
	    v->old != NULL ? step_fingerprint(v->old->pub.hash) : json_null(),
	    "new", step_fingerprint(next->hash), "key", line, "at",
	    step_time(s->now));
	*outp = strictjson_dump(doc);
	json_decref(doc);
	free(line);
	return *outp != NULL ? 0 : AAD_ENOMEM;
}

static enum reason
sign_statement(struct signer *s, struct voucher *v, const char *text,
    char **outp)
{
	const char *fault = "";
	uint8_t *body, *sig = NULL;
	size_t len, siglen;
	enum reason why = AAD_R_ALLOWED;
	int r;

	*outp = NULL;
	r = sshsig_body(PUBLICATION_SUCCESSOR_NAMESPACE, (const uint8_t *)text,
	    strlen(text), &body, &len);
	if (r != 0)
		return step_reason(r, AAD_R_PUBLICATION);
	if (v->recovery)
		why = step_reason(sign_ed25519(v->key.secret, body, len, &sig,
				      &siglen),
		    AAD_R_CA_KEY);
	else if (keyring_sign(v->ring, v->old, body, len, &sig, &siglen, &why,
		     &fault) == 0)
		why = AAD_R_ALLOWED;
	else
		why = signer_fail(s, why, "%s", fault);
	free(body);
	if (why == AAD_R_ALLOWED)
		why = step_reason(sshsig_format(v->recovery ? &v->key.pub
							    : &v->old->pub,
				      PUBLICATION_SUCCESSOR_NAMESPACE, sig,
				      siglen, outp),
		    AAD_R_PUBLICATION);
	free(sig);
	return why;
}

static enum reason
store_statement(struct signer *s, const struct key *next, const char *text,
    const char *sig)
{
	char name[PUBLICATION_STATEMENT_LEN];
	char signame[PUBLICATION_STATEMENT_LEN + 4];
	int fd, r = step_dir(s, "manifests", &fd);

	publication_statement(next->hash, name);
	snprintf(signame, sizeof(signame), "%s.sig", name);
	if (r == 0) {
		r = file_replace(fd, signame, sig, strlen(sig), 0600);
		if (r == 0)
			r = file_replace(fd, name, text, strlen(text), 0600);
		file_close(fd);
	}
	return step_file(s, r, AAD_R_PUBLICATION, "manifests");
}

static enum reason
vouch(struct signer *s, struct voucher *v, const struct key *next)
{
	char *text, *sig = NULL;
	enum reason why = step_reason(statement(s, v, next, &text),
	    AAD_R_PUBLICATION);

	if (why == AAD_R_ALLOWED)
		why = sign_statement(s, v, text, &sig);
	if (why == AAD_R_ALLOWED)
		why = store_statement(s, next, text, sig);
	free(text);
	free(sig);
	return why;
}

/* Within the transaction. */
static enum reason
replace(struct signer *s, struct voucher *v, struct newkey *next)
{
	enum reason why = newkey_make(s, next);

	if (why == AAD_R_ALLOWED)
		why = vouch(s, v, &next->pub);
	if (why == AAD_R_ALLOWED)
		why = newkey_append(s, next, CA_ROLE_BUNDLE, CA_STAGE_ACTIVE,
		    v->recovery ? "signed by the recovery key"
				: "signed by the bundle key before");
	if (why == AAD_R_ALLOWED && v->old != NULL) {
		const struct newkey old = { v->old->pub, v->old->in_agent };

		why = newkey_append(s, &old, CA_ROLE_BUNDLE, CA_STAGE_REMOVED,
		    "another came after it");
	}
	return why;
}

static enum reason
tell(struct signer *s, const struct voucher *v, const struct newkey *next,
    json_t **endp)
{
	char fp[KEY_FP_LEN + 1];
	const struct log_field fields[] = {
		{ "key", fp },
		{ "signed_by", v->recovery ? "recovery" : "bundle" },
	};

	key_fingerprint_of(next->pub.hash, fp);
	signer_log(s, "rotate_bundle", AAD_R_ALLOWED, fields, 2);
	*endp = json_pack("{s:i s:s s:s s:b}", "v", 1, "bundle_key", fp,
	    "signed_by", v->recovery ? "recovery" : "bundle", "publish", 1);
	return *endp != NULL ? AAD_R_ALLOWED : AAD_R_NO_MEMORY;
}

enum reason
op_rotate_bundle(struct signer *s, const struct request *rq, json_t **endp)
{
	struct keyring ring = { 0 };
	struct voucher v = { .ring = &ring };
	struct newkey next = { 0 };
	enum reason why;

	*endp = NULL;
	if ((why = step_begin(s)) != AAD_R_ALLOWED)
		return why;
	if ((why = step_keys(s, &ring)) == AAD_R_ALLOWED) {
		v.old = keyring_find(&ring, CA_ROLE_BUNDLE, CA_STAGE_ACTIVE);
		why = read_recovery(s, rq, &v);
	}
	if (why == AAD_R_ALLOWED)
		why = replace(s, &v, &next);
	if (why == AAD_R_ALLOWED)
		why = step_commit(s);
	else
		ledger_rollback(s->ledger);
	if (why == AAD_R_ALLOWED)
		why = tell(s, &v, &next, endp);
	if (why == AAD_R_ALLOWED && v.old != NULL) {
		int r = keyring_destroy(s->dir, v.old->pub.hash);

		if (r != 0 && r != AAD_ENOENT)
			why = step_file(s, r, AAD_R_CA_KEY,
			    "the file of the bundle key before");
	}
	privkey_release(&v.key);
	newkey_release(&next);
	keyring_release(&ring);
	return why;
}
