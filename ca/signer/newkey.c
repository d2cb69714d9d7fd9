/* SPDX-License-Identifier: ISC */

#include "ca/signer/newkey.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "ca/signer/step.h"
#include "core/secret.h"

static int
fresh(struct privkey *out)
{
	struct secret *seed;
	int r;

	memset(out, 0, sizeof(*out));
	if ((r = secret_new(PRIVKEY_SEED_LEN, &seed)) != 0)
		return r;
	randombytes_buf(secret_bytes(seed), PRIVKEY_SEED_LEN);
	r = privkey_of_seed(secret_bytes(seed), out);
	secret_free(seed);
	return r;
}

/* Let it sign once: a key that cannot must not become the authority's. */
static enum reason
prove(struct signer *s, const struct newkey *n)
{
	static const char text[] = "aadssh-ca: this key signs\n";
	struct keyring_key key = { .pub = n->pub, .in_agent = n->in_agent };
	struct keyring ring = { s->dir, s->agent, &key, 1 };
	const char *fault = "";
	enum reason why;
	uint8_t *sig;
	size_t len;
	int r;

	r = keyring_sign(&ring, &key, (const uint8_t *)text, sizeof(text) - 1,
	    &sig, &len, &why, &fault);
	free(sig);
	return r == 0 ? AAD_R_ALLOWED : signer_fail(s, why, "%s", fault);
}

static enum reason
check(struct signer *s, const struct keyring *known, struct newkey *n)
{
	enum reason why;

	if (known != NULL && keyring_by_hash(known, n->pub.hash) != NULL)
		why = signer_fail(s, AAD_R_CA_KEY,
		    "this key has been one of the authority's before");
	else
		why = prove(s, n);
	if (why != AAD_R_ALLOWED)
		newkey_release(n);
	return why;
}

/* Store the private half; the public one becomes *n's. */
static enum reason
keep(struct signer *s, struct privkey *k, struct newkey *n)
{
	int r = keyring_store(s->dir, k);

	if (r != 0)
		return step_file(s, r, AAD_R_CA_KEY, "keys");
	n->pub = k->pub;
	memset(&k->pub, 0, sizeof(k->pub));
	return AAD_R_ALLOWED;
}

enum reason
newkey_make(struct signer *s, struct newkey *n)
{
	struct privkey k;
	enum reason why;

	memset(n, 0, sizeof(*n));
	if (fresh(&k) != 0)
		return AAD_R_NO_MEMORY;
	why = keep(s, &k, n);
	privkey_release(&k);
	return why == AAD_R_ALLOWED ? check(s, NULL, n) : why;
}

enum reason
newkey_import(struct signer *s, const struct keyring *known,
    const struct request_field *text, struct newkey *n)
{
	struct privkey k;
	enum reason why;
	int r;

	memset(n, 0, sizeof(*n));
	r = privkey_parse((const char *)text->p, text->len, &k);
	if (r == AAD_EREFUSED)
		return signer_fail(s, AAD_R_CA_KEY,
		    "the key to import is encrypted or not Ed25519; other "
		    "types can be used from an ssh-agent");
	if (r != 0)
		return step_file(s, r, AAD_R_CA_KEY, "the key to import");
	why = keep(s, &k, n);
	privkey_release(&k);
	return why == AAD_R_ALLOWED ? check(s, known, n) : why;
}

enum reason
newkey_named(struct signer *s, const struct keyring *known,
    const struct request_field *blob, struct newkey *n)
{
	enum reason why;
	int r;

	memset(n, 0, sizeof(*n));
	if (s->conf->ca_agent == NULL)
		return signer_fail(s, AAD_R_REQUEST_MALFORMED,
		    "a key can be named with backend = agent:PATH only");
	r = key_from_blob(blob->p, blob->len, &n->pub, &why);
	if (r != 0)
		return why;
	n->in_agent = true;
	return check(s, known, n);
}

enum reason
newkey_append(struct signer *s, const struct newkey *n, enum ca_role role,
    enum ca_stage stage, const char *text)
{
	enum reason why;

	if (keyring_append(s->ledger, s->now, role, stage, &n->pub, n->in_agent,
		text, &why) != 0)
		return step_ledger(s, why);
	return AAD_R_ALLOWED;
}

void
newkey_release(struct newkey *n)
{
	key_release(&n->pub);
	n->in_agent = false;
}
