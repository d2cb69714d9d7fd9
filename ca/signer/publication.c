/* SPDX-License-Identifier: ISC */

#include "ca/signer/publication.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "ca/signer/manifest.h"
#include "ca/signer/step.h"
#include "core/name.h"
#include "core/strictjson.h"
#include "core/text.h"
#include "ssh/sshsig.h"
#include "ssh/wire.h"

#define STATEMENT_MAX 16384 /* bytes */

/* The next file; p is handed over, and freed when there is no room. */
static int
add(struct publication *p, const char *name, uint8_t *bytes, size_t len)
{
	if (bytes == NULL || p->n == PUBLICATION_FILES) {
		free(bytes);
		return bytes == NULL ? AAD_ENOMEM : AAD_ETOOBIG;
	}
	p->files[p->n++] = (struct publication_file){ name, bytes, len };
	return 0;
}

static bool
trusted(const struct keyring_key *k, enum ca_role role)
{
	return k->role == role &&
	       (k->stage == CA_STAGE_PREPARED || k->stage == CA_STAGE_ACTIVE ||
		   k->stage == CA_STAGE_RETIRED);
}

/* "BEFORE TYPE BASE64BEHIND\n" */
static int
put_line(struct wirebuf *b, const char *before, const struct key *k,
    const char *behind)
{
	char *text;
	int r = step_key_text(k, &text);

	if (r != 0)
		return r;
	wire_put_raw(b, before, strlen(before));
	wire_put_raw(b, text, strlen(text));
	wire_put_raw(b, behind, strlen(behind));
	wire_put_raw(b, "\n", 1);
	free(text);
	return 0;
}

/* Hand the text over as a file; an empty one has a line that says why. */
static int
take(struct publication *p, const char *name, struct wirebuf *b)
{
	static const char none[] = "# no key\n";
	uint8_t *bytes;
	size_t len;
	int r;

	if (b->len == 0)
		wire_put_raw(b, none, sizeof(none) - 1);
	r = wirebuf_take(b, &bytes, &len);
	return r == 0 ? add(p, name, bytes, len) : r;
}

static int
add_keys(struct publication *p, const struct keyring *keys, enum ca_role role,
    const char *name)
{
	struct wirebuf b = wirebuf_new();
	char behind[64];
	int r = 0;

	for (size_t i = 0; i < keys->n && r == 0; i++) {
		const struct keyring_key *k = &keys->keys[i];

		if (!trusted(k, role))
			continue;
		snprintf(behind, sizeof(behind), " aadssh-ca %s %s",
		    ca_role_name(role), ca_stage_name(k->stage));
		r = put_line(&b, "", &k->pub, behind);
	}
	if (r == 0)
		r = take(p, name, &b);
	wirebuf_release(&b);
	return r;
}

static int
add_known_hosts(struct publication *p, const struct keyring *keys)
{
	struct wirebuf b = wirebuf_new();
	int r = 0;

	for (size_t i = 0; i < keys->n && r == 0; i++)
		if (trusted(&keys->keys[i], CA_ROLE_HOST))
			r = put_line(&b, "@cert-authority * ",
			    &keys->keys[i].pub, "");
	if (r == 0)
		r = take(p, "known_hosts", &b);
	wirebuf_release(&b);
	return r;
}

static int
add_bundle_key(struct publication *p, const struct key *k)
{
	struct wirebuf b = wirebuf_new();
	int r = put_line(&b, "", k, " aadssh-ca bundle");

	if (r == 0)
		r = take(p, "bundle_key.pub", &b);
	wirebuf_release(&b);
	return r;
}

void
publication_statement(const uint8_t hash[static 32],
    char out[static PUBLICATION_STATEMENT_LEN])
{
	char hex[NAME_HEX64_LEN + 1];

	name_hex64(hash, hex);
	snprintf(out, PUBLICATION_STATEMENT_LEN, "%s.bundle", hex);
}

/* How this bundle key came after another, when it did. */
static int
add_successor(struct signer *s, struct publication *p, const struct key *k)
{
	char name[PUBLICATION_STATEMENT_LEN],
	    sig[PUBLICATION_STATEMENT_LEN + 4];
	char *text = NULL;
	size_t len;
	int fd, r;

	publication_statement(k->hash, name);
	snprintf(sig, sizeof(sig), "%s.sig", name);
	if ((r = step_dir(s, "manifests", &fd)) != 0)
		return r;
	r = file_read(fd, name, step_owner(), STATEMENT_MAX, &text, &len);
	if (r == AAD_ENOENT) {
		file_close(fd);
		return 0;
	}
	if (r == 0)
		r = add(p, PUBLICATION_SUCCESSOR, (uint8_t *)text, len);
	if (r == 0)
		r = file_read(fd, sig, step_owner(), STATEMENT_MAX, &text,
		    &len);
	if (r == 0)
		r = add(p, PUBLICATION_SUCCESSOR ".sig", (uint8_t *)text, len);
	file_close(fd);
	return r;
}

static json_t *
listed_files(const struct publication *p)
{
	json_t *files = json_object();

	for (size_t i = 0; i < p->n; i++) {
		uint8_t hash[32];
		char hex[NAME_HEX64_LEN + 1];

		crypto_hash_sha256(hash, p->files[i].p, p->files[i].len);
		name_hex64(hash, hex);
		if (json_object_set_new(files, p->files[i].name,
			json_pack("{s:s s:I}", "sha256", hex, "size",
			    (json_int_t)p->files[i].len)) != 0) {
			json_decref(files);
			return NULL;
		}
	}
	return files;
}

static json_t *
listed_keys(const struct keyring *keys, enum ca_role role)
{
	json_t *list = json_array();

	for (size_t i = 0; i < keys->n; i++) {
		const struct keyring_key *k = &keys->keys[i];

		if (trusted(k, role) &&
		    json_array_append_new(list,
			json_pack("{s:o s:s}", "fingerprint",
			    step_fingerprint(k->pub.hash), "stage",
			    ca_stage_name(k->stage))) != 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static char *
manifest_text(const struct signer *s, const struct keyring *keys,
    const struct publication *p, const struct keyring_key *bundle,
    const struct keyring_key *recovery)
{
	char head[NAME_HEX64_LEN + 1];
	json_t *doc;
	char *text;

	name_hex64(p->head, head);
	doc = json_pack("{s:i s:I s:o s:o s:o s:{s:I s:s} s:o s:o s:o s:o}",
	    "v", 1, "version", (json_int_t)p->version, "issued",
	    step_time(s->now), "expires",
	    step_time(s->now + s->conf->publish_valid), "files",
	    listed_files(p), "ledger", "length", (json_int_t)p->length, "head",
	    head, "user_ca", listed_keys(keys, CA_ROLE_USER), "host_ca",
	    listed_keys(keys, CA_ROLE_HOST), "bundle_key",
	    step_fingerprint(bundle->pub.hash), "recovery_key",
	    step_fingerprint(recovery->pub.hash));
	text = strictjson_dump(doc);
	json_decref(doc);
	return text;
}

/* The bundle key's signature over the manifest, which is the last file. */
static enum reason
sign(struct signer *s, const struct keyring *keys,
    const struct keyring_key *bundle, struct publication *p)
{
	const struct publication_file *m = &p->files[p->n - 1];
	uint8_t *body = NULL, *sig = NULL;
	const char *fault = "";
	size_t len, siglen;
	char *text = NULL;
	enum reason why;
	int r;

	r = sshsig_body(MANIFEST_NAMESPACE, m->p, m->len, &body, &len);
	if (r != 0)
		return step_reason(r, AAD_R_PUBLICATION);
	r = keyring_sign(keys, bundle, body, len, &sig, &siglen, &why, &fault);
	free(body);
	if (r != 0)
		return signer_fail(s, why, "%s", fault);
	r = sshsig_format(&bundle->pub, MANIFEST_NAMESPACE, sig, siglen, &text);
	free(sig);
	if (r == 0)
		r = add(p, MANIFEST_SIG, (uint8_t *)text, strlen(text));
	return step_reason(r, AAD_R_PUBLICATION);
}

static enum reason
add_revoked(struct signer *s, const struct keyring *keys, struct publication *p)
{
	uint8_t *krl;
	char *denials;
	size_t len;
	enum reason why;
	int r;

	why = revoked_krl(s, keys, p->version, &krl, &len, &p->revoked);
	if (why != AAD_R_ALLOWED)
		return why;
	if ((r = add(p, "krl", krl, len)) != 0)
		return step_reason(r, AAD_R_PUBLICATION);
	if ((why = revoked_denials(s, &denials)) != AAD_R_ALLOWED)
		return why;
	r = add(p, "denials.json", (uint8_t *)denials, strlen(denials));
	return step_reason(r, AAD_R_PUBLICATION);
}

static enum reason
add_manifest(struct signer *s, const struct keyring *keys,
    const struct keyring_key *bundle, struct publication *p)
{
	const struct keyring_key *recovery;
	enum reason why;
	char *text;

	recovery = keyring_find(keys, CA_ROLE_RECOVERY, CA_STAGE_ACTIVE);
	if (recovery == NULL)
		return signer_fail(s, AAD_R_CA_KEY, "there is no recovery key");
	if (ledger_head(s->ledger, &p->length, p->head, &why) != 0)
		return step_ledger(s, why);
	text = manifest_text(s, keys, p, bundle, recovery);
	if (text == NULL ||
	    add(p, MANIFEST_NAME, (uint8_t *)text, strlen(text)) != 0)
		return AAD_R_NO_MEMORY;
	return sign(s, keys, bundle, p);
}

enum reason
publication_build(struct signer *s, const struct keyring *keys,
    uint64_t version, struct publication *p)
{
	const struct keyring_key *bundle;
	enum reason why;
	int r;

	memset(p, 0, sizeof(*p));
	p->version = version;
	bundle = keyring_find(keys, CA_ROLE_BUNDLE, CA_STAGE_ACTIVE);
	if (bundle == NULL)
		return signer_fail(s, AAD_R_CA_KEY, "there is no bundle key");
	if ((r = add_keys(p, keys, CA_ROLE_USER, "user_ca.pub")) != 0 ||
	    (r = add_keys(p, keys, CA_ROLE_HOST, "host_ca.pub")) != 0 ||
	    (r = add_known_hosts(p, keys)) != 0 ||
	    (r = add_bundle_key(p, &bundle->pub)) != 0 ||
	    (r = add_successor(s, p, &bundle->pub)) != 0)
		return step_file(s, r, AAD_R_PUBLICATION, "manifests");
	why = add_revoked(s, keys, p);
	return why == AAD_R_ALLOWED ? add_manifest(s, keys, bundle, p) : why;
}

void
publication_release(struct publication *p)
{
	for (size_t i = 0; i < p->n; i++)
		free(p->files[i].p);
	memset(p, 0, sizeof(*p));
}
