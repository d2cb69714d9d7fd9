/* SPDX-License-Identifier: ISC */

#include "ca/signer/manifest.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "core/name.h"
#include "core/strictjson.h"
#include "core/text.h"
#include "ssh/sshsig.h"

#define FORMAT 1 /* "v" */

static bool
read_time(const json_t *o, const char *name, int64_t *tp)
{
	const char *text = json_string_value(json_object_get(o, name));

	return text != NULL && text_time(text, tp);
}

static bool
read_count(const json_t *o, const char *name, int64_t *np)
{
	const json_t *n = json_object_get(o, name);

	*np = json_integer_value(n);
	return json_is_integer(n) && *np >= 0;
}

static bool
read_fingerprint(const json_t *o, const char *name, uint8_t hash[static 32])
{
	const char *text = json_string_value(json_object_get(o, name));

	return text != NULL && key_fingerprint_parse(text, hash) == 0;
}

static bool
read_hex(const json_t *o, const char *name, uint8_t hash[static 32])
{
	const char *text = json_string_value(json_object_get(o, name));

	return text != NULL && name_hex64_ok(text) &&
	       sodium_hex2bin(hash, 32, text, NAME_HEX64_LEN, NULL, NULL,
		   NULL) == 0;
}

/* Every file has its hash and size. */
static bool
files_ok(const json_t *doc)
{
	json_t *files = json_object_get(doc, "files");
	const char *name;
	json_t *file;
	uint8_t hash[32];
	int64_t size;

	if (!json_is_object(files) || json_object_size(files) == 0)
		return false;
	json_object_foreach(files, name, file)
	{
		if (name[0] == '\0' || name[0] == '.' ||
		    strchr(name, '/') != NULL ||
		    !read_hex(file, "sha256", hash) ||
		    !read_count(file, "size", &size))
			return false;
	}
	return true;
}

static bool
keys_ok(const json_t *doc, const char *role)
{
	json_t *keys = json_object_get(doc, role), *key;
	uint8_t hash[32];
	size_t i;

	if (!json_is_array(keys))
		return false;
	json_array_foreach(keys, i, key)
	{
		const char *stage = json_string_value(json_object_get(key,
		    "stage"));

		if (!read_fingerprint(key, "fingerprint", hash) ||
		    stage == NULL || ca_stage_find(stage) == CA_STAGE_NONE)
			return false;
	}
	return true;
}

static int
read_all(struct manifest *m)
{
	const json_t *doc = m->doc, *ledger = json_object_get(doc, "ledger");
	int64_t v, version;

	if (!read_count(doc, "v", &v) || v < FORMAT)
		return AAD_EFORMAT;
	if (v > FORMAT)
		return AAD_EVERSION;
	if (!read_count(doc, "version", &version) || version < 1 ||
	    !read_time(doc, "issued", &m->issued) ||
	    !read_time(doc, "expires", &m->expires) ||
	    !read_count(ledger, "length", &m->length) ||
	    !read_hex(ledger, "head", m->head) ||
	    !read_fingerprint(doc, "bundle_key", m->bundle_key) ||
	    !read_fingerprint(doc, "recovery_key", m->recovery_key) ||
	    !files_ok(doc) || !keys_ok(doc, "user_ca") ||
	    !keys_ok(doc, "host_ca"))
		return AAD_EFORMAT;
	m->version = (uint64_t)version;
	return 0;
}

int
manifest_parse(const char *text, size_t len, struct manifest *m)
{
	int r;

	memset(m, 0, sizeof(*m));
	if (len > MANIFEST_MAX)
		return AAD_ETOOBIG;
	if ((r = strictjson_load(text, len, &m->doc)) != 0)
		return r;
	crypto_hash_sha256(m->hash, (const uint8_t *)text, len);
	if ((r = read_all(m)) != 0)
		manifest_release(m);
	return r;
}

int
manifest_verify(const char *text, size_t len, const char *sig, size_t siglen,
    const struct keyring *keys, struct manifest *m)
{
	const struct keyring_key *k;
	struct key signer;
	int r;

	memset(m, 0, sizeof(*m));
	r = sshsig_verify(sig, siglen, MANIFEST_NAMESPACE,
	    (const uint8_t *)text, len, &signer);
	if (r != 0)
		return r;
	k = keyring_by_hash(keys, signer.hash);
	if (k == NULL || k->role != CA_ROLE_BUNDLE)
		r = AAD_ESIG;
	if (r == 0)
		r = manifest_parse(text, len, m);
	if (r == 0 && memcmp(m->bundle_key, signer.hash, 32) != 0) {
		manifest_release(m);
		r = AAD_ESIG;
	}
	key_release(&signer);
	return r;
}

static const json_t *
role_keys(const struct manifest *m, enum ca_role role)
{
	return json_object_get(m->doc,
	    role == CA_ROLE_USER ? "user_ca" : "host_ca");
}

enum ca_stage
manifest_stage(const struct manifest *m, enum ca_role role,
    const uint8_t hash[static 32])
{
	const json_t *keys = role_keys(m, role);
	char want[KEY_FP_LEN + 1];

	key_fingerprint_of(hash, want);
	for (size_t i = 0; i < json_array_size(keys); i++) {
		const json_t *key = json_array_get(keys, i);
		const char *is = json_string_value(json_object_get(key,
		    "fingerprint"));

		if (is != NULL && strcmp(is, want) == 0)
			return ca_stage_find(
			    json_string_value(json_object_get(key, "stage")));
	}
	return CA_STAGE_NONE;
}

size_t
manifest_keys(const struct manifest *m, enum ca_role role)
{
	return json_array_size(role_keys(m, role));
}

bool
manifest_has_file(const struct manifest *m, const char *name,
    const uint8_t *bytes, size_t len)
{
	const json_t *file = json_object_get(json_object_get(m->doc, "files"),
	    name);
	uint8_t want[32], is[32];
	int64_t size;

	if (!read_hex(file, "sha256", want) ||
	    !read_count(file, "size", &size) || (uint64_t)size != len)
		return false;
	crypto_hash_sha256(is, bytes, len);
	return memcmp(is, want, sizeof(is)) == 0;
}

size_t
manifest_files(const struct manifest *m)
{
	return json_object_size(json_object_get(m->doc, "files"));
}

void
manifest_release(struct manifest *m)
{
	json_decref(m->doc);
	memset(m, 0, sizeof(*m));
}
