/* SPDX-License-Identifier: ISC */

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "core/b64.h"
#include "ssh/sign.h"
#include "ssh/sshsig.h"
#include "ssh/wire.h"

#define MAGIC	   "SSHSIG"
#define MAGIC_LEN  (sizeof(MAGIC) - 1)
#define VERSION	   1
#define BEGIN_LINE "-----BEGIN SSH SIGNATURE-----\n"
#define END_LINE   "-----END SSH SIGNATURE-----\n"
#define COLUMNS	   70

/* What a signature says, borrowed from its blob. */
struct parsed {
	const uint8_t *key;
	size_t key_len;
	const uint8_t *namespace;
	size_t namespace_len;
	const char *hash; /* one of our own names */
	const uint8_t *sig;
	size_t sig_len;
};

static bool
namespace_ok(const char *namespace)
{
	size_t len = strlen(namespace);

	return len > 0 && len <= SSHSIG_NAMESPACE_MAX;
}

/* PROTOCOL.sshsig: what is signed.  hash: "sha512" or "sha256". */
static int
body(const char *namespace, const char *hash, const uint8_t *message,
    size_t len, uint8_t **outp, size_t *lenp)
{
	uint8_t digest[crypto_hash_sha512_BYTES];
	struct wirebuf b = wirebuf_new();
	size_t digest_len = sizeof(digest);

	if (strcmp(hash, "sha512") == 0) {
		crypto_hash_sha512(digest, message, len);
	} else {
		crypto_hash_sha256(digest, message, len);
		digest_len = crypto_hash_sha256_BYTES;
	}
	wire_put_raw(&b, MAGIC, MAGIC_LEN);
	wire_put_text(&b, namespace);
	wire_put_string(&b, NULL, 0); /* reserved */
	wire_put_text(&b, hash);
	wire_put_string(&b, digest, digest_len);
	return wirebuf_take(&b, outp, lenp);
}

int
sshsig_body(const char *namespace, const uint8_t *message, size_t len,
    uint8_t **outp, size_t *lenp)
{
	*outp = NULL;
	*lenp = 0;
	if (!namespace_ok(namespace))
		return AAD_EARG;
	return body(namespace, "sha512", message, len, outp, lenp);
}

/* ---- the armour ---- */

/* Base64 between the two lines, in lines of COLUMNS. */
static int
armour(const uint8_t *blob, size_t len, char **outp)
{
	char *base64 = NULL, *text = NULL, *to;
	size_t left, n;
	int r = AAD_EINTERNAL;

	*outp = NULL;
	if ((r = b64_encode(B64_STD, blob, len, &base64)) != 0)
		goto out;
	left = strlen(base64);
	n = sizeof(BEGIN_LINE) + left + left / COLUMNS + 1 + sizeof(END_LINE);
	if ((text = malloc(n)) == NULL) {
		r = AAD_ENOMEM;
		goto out;
	}
	to = stpcpy(text, BEGIN_LINE);
	for (const char *from = base64; left > 0; from += n, left -= n) {
		n = left < COLUMNS ? left : COLUMNS;
		memcpy(to, from, n);
		to += n;
		*to++ = '\n';
	}
	memcpy(to, END_LINE, sizeof(END_LINE));
	*outp = text;
	text = NULL; /* now the caller's */
	r = 0;
out:
	free(base64);
	free(text);
	return r;
}

/*
 * The blob of armoured text.  Strict by writing it again: there is one text
 * for each blob.
 */
static int
unarmour(const char *text, size_t len, uint8_t **blobp, size_t *lenp)
{
	const size_t begin = strlen(BEGIN_LINE), end = strlen(END_LINE);
	char *base64 = NULL, *again = NULL;
	size_t i, n = 0;
	int r = AAD_EINTERNAL;

	*blobp = NULL;
	*lenp = 0;
	if (len > SSHSIG_TEXT_MAX || len < begin + end ||
	    memcmp(text, BEGIN_LINE, begin) != 0 ||
	    memcmp(text + len - end, END_LINE, end) != 0)
		return AAD_EFORMAT;
	if ((base64 = malloc(len)) == NULL)
		return AAD_ENOMEM;
	for (i = begin; i < len - end; i++)
		if (text[i] != '\n')
			base64[n++] = text[i];
	base64[n] = '\0';
	if ((r = b64_decode(B64_STD, base64, n, blobp, lenp)) == 0 &&
	    (r = armour(*blobp, *lenp, &again)) == 0 &&
	    (strlen(again) != len || memcmp(again, text, len) != 0))
		r = AAD_EFORMAT;
	free(base64);
	free(again);
	if (r != 0) {
		free(*blobp);
		*blobp = NULL;
	}
	return r;
}

/* ---- writing ---- */

int
sshsig_format(const struct key *signer, const char *namespace,
    const uint8_t *sig, size_t siglen, char **outp)
{
	struct wirebuf b = wirebuf_new();
	uint8_t *blob;
	size_t len;
	int r;

	*outp = NULL;
	if (signer->blob == NULL || !namespace_ok(namespace) || siglen == 0 ||
	    siglen > SIGN_MAX)
		return AAD_EARG;
	wire_put_raw(&b, MAGIC, MAGIC_LEN);
	wire_put_u32(&b, VERSION);
	wire_put_string(&b, signer->blob, signer->blob_len);
	wire_put_text(&b, namespace);
	wire_put_string(&b, NULL, 0); /* reserved */
	wire_put_text(&b, "sha512");
	wire_put_string(&b, sig, siglen);
	if ((r = wirebuf_take(&b, &blob, &len)) != 0)
		return r;
	r = armour(blob, len, outp);
	free(blob);
	return r;
}

/* ---- checking ---- */

static int
parse(struct wire w, struct parsed *p)
{
	uint32_t version;

	if (w.left < MAGIC_LEN || memcmp(w.p, MAGIC, MAGIC_LEN) != 0)
		return AAD_EFORMAT;
	w.p += MAGIC_LEN;
	w.left -= MAGIC_LEN;
	if (wire_u32(&w, &version) != 0 || version != VERSION ||
	    wire_string(&w, &p->key, &p->key_len) != 0 ||
	    wire_string(&w, &p->namespace, &p->namespace_len) != 0 ||
	    p->namespace_len == 0 || p->namespace_len > SSHSIG_NAMESPACE_MAX ||
	    !wire_is(&w, "")) /* reserved */
		return AAD_EFORMAT;
	if (wire_is(&w, "sha512"))
		p->hash = "sha512";
	else if (wire_is(&w, "sha256"))
		p->hash = "sha256";
	else
		return AAD_EFORMAT;
	if (wire_string(&w, &p->sig, &p->sig_len) != 0 || p->sig_len == 0 ||
	    !wire_end(&w))
		return AAD_EFORMAT;
	return 0;
}

static int
judge(struct wire w, const char *namespace, const uint8_t *message, size_t len,
    struct key *signer)
{
	struct parsed p = { 0 };
	uint8_t *signed_bytes;
	size_t signed_len;
	enum reason why;
	int r;

	if (parse(w, &p) != 0)
		return AAD_EFORMAT;
	if ((r = key_from_blob(p.key, p.key_len, signer, &why)) != 0)
		return r == AAD_EREFUSED ? AAD_EFORMAT : r;
	if (p.namespace_len != strlen(namespace) ||
	    memcmp(p.namespace, namespace, p.namespace_len) != 0)
		return AAD_EREFUSED;
	if ((r = body(namespace, p.hash, message, len, &signed_bytes,
		 &signed_len)) != 0)
		return r;
	r = sign_verify(signer, signed_bytes, signed_len, p.sig, p.sig_len);
	free(signed_bytes);
	return r;
}

int
sshsig_verify(const char *text, size_t textlen, const char *namespace,
    const uint8_t *message, size_t len, struct key *signer)
{
	uint8_t *blob;
	size_t blob_len;
	int r;

	memset(signer, 0, sizeof(*signer));
	if ((r = unarmour(text, textlen, &blob, &blob_len)) != 0)
		return r;
	r = judge(wire_of(blob, blob_len), namespace, message, len, signer);
	free(blob);
	if (r != 0)
		key_release(signer);
	return r;
}
