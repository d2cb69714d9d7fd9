/* SPDX-License-Identifier: ISC */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "ca/signer/backend.h"
#include "ca/signer/keyring.h"
#include "core/b64.h"
#include "core/file.h"
#include "core/name.h"
#include "core/secret.h"
#include "ssh/sign.h"

#define DIR_MODE  0700
#define FILE_MODE 0600
#define NAME_SIZE (NAME_HEX64_LEN + sizeof(".key"))

static const char keys_dir[] = "keys";
static const char comment[] = "aadssh-ca";

/* ---- what the ledger says --------------------------------------------- */

struct loading {
	struct keyring *k;
	size_t live;
	int r;
	enum reason why;
};

static int
stop(struct loading *ld, int r, enum reason why)
{
	ld->r = r;
	ld->why = why;
	return 1;
}

/* The public key of a row's body, which must be the one the row is of. */
static int
public_of(const struct ledger_key *row, struct key *out, enum reason *whyp)
{
	const char *text = json_string_value(json_object_get(row->body,
	    "public"));
	int r;

	memset(out, 0, sizeof(*out));
	*whyp = AAD_R_LEDGER_ALTERED;
	if (text == NULL)
		return AAD_EFORMAT;
	if ((r = key_from_pub(text, strlen(text), out, whyp)) == AAD_ENOMEM)
		return r;
	*whyp = AAD_R_LEDGER_ALTERED;
	if (r != 0 || memcmp(out->hash, row->hash, sizeof(row->hash)) != 0) {
		key_release(out);
		return AAD_EFORMAT;
	}
	return 0;
}

static int
load_one(void *arg, const struct ledger_key *row)
{
	struct loading *ld = arg;
	const char *backend = json_string_value(json_object_get(row->body,
	    "backend"));
	struct keyring_key *grown, *k;
	enum reason why;
	int r;

	if (row->stage < CA_STAGE_REMOVED && ++ld->live > KEYRING_MAX)
		return stop(ld, AAD_EFORMAT, AAD_R_LEDGER_ALTERED);
	grown = realloc(ld->k->keys, (ld->k->n + 1) * sizeof(*grown));
	if (grown == NULL)
		return stop(ld, AAD_ENOMEM, AAD_R_NO_MEMORY);
	ld->k->keys = grown;
	k = &grown[ld->k->n];
	memset(k, 0, sizeof(*k));
	if (backend == NULL)
		return stop(ld, AAD_EFORMAT, AAD_R_LEDGER_ALTERED);
	if ((r = public_of(row, &k->pub, &why)) != 0)
		return stop(ld, r, why);
	k->role = row->role;
	k->stage = row->stage;
	k->in_agent = strcmp(backend, "agent") == 0;
	k->prepared_at = row->prepared_at;
	k->active_at = row->active_at;
	k->retired_at = row->retired_at;
	k->removed_at = row->removed_at;
	ld->k->n++;
	return 0;
}

int
keyring_load(struct ledger *l, int dirfd, int agent, struct keyring *k,
    enum reason *whyp)
{
	struct loading ld = { k, 0, 0, AAD_R_UNSET };
	int r;

	memset(k, 0, sizeof(*k));
	k->dirfd = dirfd;
	k->agent = agent;
	r = ledger_keys(l, load_one, &ld, whyp);
	if (ld.r != 0) {
		r = ld.r;
		*whyp = ld.why;
	}
	if (r != 0)
		keyring_release(k);
	return r;
}

void
keyring_release(struct keyring *k)
{
	size_t i;

	for (i = 0; i < k->n; i++)
		key_release(&k->keys[i].pub);
	free(k->keys);
	memset(k, 0, sizeof(*k));
	k->dirfd = k->agent = -1;
}

static int64_t
since(const struct keyring_key *k)
{
	switch (k->stage) {
	case CA_STAGE_PREPARED:
		return k->prepared_at;
	case CA_STAGE_ACTIVE:
		return k->active_at;
	case CA_STAGE_RETIRED:
		return k->retired_at;
	case CA_STAGE_REMOVED:
	case CA_STAGE_REVOKED:
		return k->removed_at;
	case CA_STAGE_NONE:
		break;
	}
	return 0;
}

const struct keyring_key *
keyring_find(const struct keyring *k, enum ca_role role, enum ca_stage stage)
{
	const struct keyring_key *found = NULL;
	size_t i;

	for (i = 0; i < k->n; i++)
		if (k->keys[i].role == role && k->keys[i].stage == stage &&
		    (found == NULL || since(&k->keys[i]) >= since(found)))
			found = &k->keys[i];
	return found;
}

const struct keyring_key *
keyring_by_hash(const struct keyring *k, const uint8_t hash[static 32])
{
	size_t i;

	for (i = 0; i < k->n; i++)
		if (memcmp(k->keys[i].pub.hash, hash, 32) == 0)
			return &k->keys[i];
	return NULL;
}

/* ---- files ------------------------------------------------------------ */

static void
file_name(const uint8_t hash[static 32], char out[static NAME_SIZE])
{
	char hex[NAME_HEX64_LEN + 1];

	name_hex64(hash, hex);
	snprintf(out, NAME_SIZE, "%s.key", hex);
}

/* keys/, ours and closed to everybody else. */
static int
open_dir(int dirfd, bool make, int *fdp)
{
	const struct file_owner right = { geteuid(), FILE_ANY_OWNER, false };
	struct stat sb;
	int r;

	r = make ? file_dir_make(dirfd, keys_dir, right, DIR_MODE, fdp)
		 : file_dir_open(dirfd, keys_dir, right, fdp);
	if (r == 0 &&
	    (fstat(*fdp, &sb) == -1 || (sb.st_mode & (S_IRWXG | S_IRWXO)))) {
		file_close(*fdp);
		*fdp = -1;
		r = AAD_EPERM;
	}
	return r;
}

static int
load_file(int dirfd, const uint8_t hash[static 32], struct privkey *out)
{
	struct secret *text = NULL;
	char name[NAME_SIZE];
	struct stat sb;
	int fd, r;

	memset(out, 0, sizeof(*out));
	file_name(hash, name);
	if ((r = open_dir(dirfd, false, &fd)) != 0)
		return r;
	/* The size only: secret_load() judges what it opens. */
	if (fstatat(fd, name, &sb, AT_SYMLINK_NOFOLLOW) == -1)
		r = errno == ENOENT ? AAD_ENOENT : AAD_ESYS;
	else if (sb.st_size < 1 || sb.st_size > PRIVKEY_TEXT_MAX)
		r = AAD_EFORMAT;
	else
		r = secret_load(fd, name, (size_t)sb.st_size, &text);
	file_close(fd);
	if (r == 0)
		r = privkey_parse((const char *)secret_bytes(text),
		    secret_len(text), out);
	secret_free(text);
	if (r == 0 && memcmp(out->pub.hash, hash, 32) != 0) {
		privkey_release(out);
		r = AAD_EFORMAT;
	}
	return r;
}

int
keyring_store(int dirfd, const struct privkey *k)
{
	struct privkey there;
	struct secret *text = NULL;
	char name[NAME_SIZE];
	int fd = -1, r;

	file_name(k->pub.hash, name);
	if ((r = privkey_format(k, randombytes_random(), comment, &text)) ==
		0 &&
	    (r = open_dir(dirfd, true, &fd)) == 0)
		r = file_create(fd, name, secret_bytes(text), secret_len(text),
		    FILE_MODE);
	secret_free(text);
	file_close(fd);
	if (r != AAD_EEXIST)
		return r;
	/* Left by somebody who was killed before the row, or by a backup. */
	if ((r = load_file(dirfd, k->pub.hash, &there)) == 0)
		privkey_release(&there);
	return r == 0 || r == AAD_ENOMEM || r == AAD_ESYS ? r : AAD_EPERM;
}

static int
open_to_wipe(int fd, const char *name, int *filep)
{
	*filep = openat(fd, name,
	    O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (*filep == -1)
		return errno == ENOENT ? AAD_ENOENT : AAD_ESYS;
	return 0;
}

/* NB. what a journal or a snapshot of the disk has is out of reach. */
static int
wipe(int file)
{
	static const uint8_t zeros[PRIVKEY_TEXT_MAX];
	struct stat sb;
	size_t len;

	if (fstat(file, &sb) == -1)
		return AAD_ESYS;
	len = sb.st_size < PRIVKEY_TEXT_MAX ? (size_t)sb.st_size : 0;
	return write(file, zeros, len) == -1 || fsync(file) == -1 ? AAD_ESYS
								  : 0;
}

static int
overwrite(int fd, const char *name)
{
	int file, r = open_to_wipe(fd, name, &file);

	if (r == 0) {
		r = wipe(file);
		file_close(file);
	}
	return r;
}

int
keyring_destroy(int dirfd, const uint8_t hash[static 32])
{
	char name[NAME_SIZE];
	int fd, r;

	file_name(hash, name);
	if ((r = open_dir(dirfd, false, &fd)) != 0)
		return r;
	if ((r = overwrite(fd, name)) != AAD_ENOENT)
		r = file_remove(fd, name);
	file_close(fd);
	return r;
}

/* ---- what nobody knows ------------------------------------------------ */

struct sweep {
	const struct keyring *k;
	int fd; /* keys/ */
	keyring_swept_fn *told;
	void *arg;
	size_t n; /* how many went */
};

/* "HEX64.key", len bytes; *hash is of its digits. */
static bool
is_key_name(const char *name, size_t len, uint8_t hash[static 32])
{
	char hex[NAME_HEX64_LEN + 1];

	if (len != NAME_SIZE - 1 ||
	    strncmp(name + NAME_HEX64_LEN, ".key", 4) != 0)
		return false;
	memcpy(hex, name, NAME_HEX64_LEN);
	hex[NAME_HEX64_LEN] = '\0';
	return name_hex64_ok(hex) && sodium_hex2bin(hash, 32, hex,
					 NAME_HEX64_LEN, NULL, NULL, NULL) == 0;
}

/* A temporary file of a private one, as it was begun. */
static bool
is_begun(int fd, const char *name)
{
	uint8_t hash[32];
	struct stat sb;

	return file_is_temp(name) && strlen(name) > NAME_SIZE &&
	       is_key_name(name + 1, NAME_SIZE - 1, hash) &&
	       name[NAME_SIZE] == '.' &&
	       fstatat(fd, name, &sb, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISREG(sb.st_mode) && sb.st_nlink == 1 &&
	       sb.st_uid == geteuid() &&
	       (sb.st_mode & (S_IRWXG | S_IRWXO)) == 0;
}

/* A whole one of a key that no row ever named. */
static bool
is_unknown(const struct keyring *k, const char *name)
{
	uint8_t hash[32];
	struct privkey key;

	if (!is_key_name(name, strlen(name), hash) ||
	    keyring_by_hash(k, hash) != NULL ||
	    load_file(k->dirfd, hash, &key) != 0)
		return false;
	privkey_release(&key);
	return true;
}

static int
sweep_one(void *arg, const char *name)
{
	struct sweep *w = arg;
	int file, r;

	if (!is_begun(w->fd, name) && !is_unknown(w->k, name))
		return 0;
	/* The name first: wiped, it would be nothing that we know again. */
	if ((r = open_to_wipe(w->fd, name, &file)) == 0) {
		if ((r = file_remove(w->fd, name)) == 0)
			r = wipe(file);
		file_close(file);
	}
	w->n += r == 0;
	w->told(w->arg, name, r);
	return 0;
}

int
keyring_sweep(const struct keyring *k, keyring_swept_fn *told, void *arg)
{
	struct sweep w = { .k = k, .told = told, .arg = arg };
	int r = open_dir(k->dirfd, false, &w.fd);

	if (r != 0)
		return r;
	/* A walk may not see all when files go while it walks. */
	do {
		w.n = 0;
		r = file_dir_each(w.fd, sweep_one, &w);
	} while (r == 0 && w.n > 0);
	file_close(w.fd);
	return r;
}

/* ---- signing ---------------------------------------------------------- */

static const char *
file_fault(int r)
{
	switch (r) {
	case AAD_ENOENT:
		return "the file of the private key is missing";
	case AAD_EPERM:
		return "the file of the private key, or its directory, has "
		       "another owner or is open to others";
	case AAD_EFORMAT:
	case AAD_EREFUSED:
	case AAD_ETOOBIG:
		return "the file of the private key holds another key, or "
		       "none that is unencrypted Ed25519";
	default:
		return "the file of the private key cannot be read";
	}
}

static int
sign_file(const struct keyring *k, const struct keyring_key *key,
    const uint8_t *data, size_t len, uint8_t **sigp, size_t *siglenp,
    enum reason *whyp, const char **faultp)
{
	struct privkey priv;
	int r;

	if ((r = load_file(k->dirfd, key->pub.hash, &priv)) == 0) {
		r = sign_ed25519(priv.secret, data, len, sigp, siglenp);
		privkey_release(&priv);
	}
	if (r == 0)
		return 0;
	*whyp = r == AAD_ENOMEM ? AAD_R_NO_MEMORY : AAD_R_CA_KEY;
	*faultp = r == AAD_ENOMEM ? "" : file_fault(r);
	/* The bounds of a file, to the caller, are its format. */
	return r == AAD_ETOOBIG || r == AAD_EREFUSED ? AAD_EFORMAT : r;
}

int
keyring_sign(const struct keyring *k, const struct keyring_key *key,
    const uint8_t *data, size_t len, uint8_t **sigp, size_t *siglenp,
    enum reason *whyp, const char **faultp)
{
	int r;

	*sigp = NULL;
	*siglenp = 0;
	*faultp = "";
	r = key->in_agent
		? backend_sign(k->agent, &key->pub, data, len, sigp, siglenp,
		      whyp, faultp)
		: sign_file(k, key, data, len, sigp, siglenp, whyp, faultp);
	if (r != 0)
		return r;
	if ((r = sign_verify(&key->pub, data, len, *sigp, *siglenp)) == 0) {
		*whyp = AAD_R_ALLOWED;
		return 0;
	}
	free(*sigp);
	*sigp = NULL;
	*siglenp = 0;
	*whyp = r == AAD_ENOMEM ? AAD_R_NO_MEMORY : AAD_R_SIGNATURE_BAD;
	*faultp = "the key made a signature that is not its own";
	return r;
}

/* ---- stages ----------------------------------------------------------- */

/* "TYPE BASE64" as the ledger has it, heap, or NULL. */
static char *
public_text(const struct key *k)
{
	const char *type = key_type_name(k);
	char *base64, *out = NULL;
	size_t size;

	if (b64_encode(B64_STD, k->blob, k->blob_len, &base64) != 0)
		return NULL;
	size = strlen(type) + 1 + strlen(base64) + 1;
	if ((out = malloc(size)) != NULL)
		snprintf(out, size, "%s %s", type, base64);
	free(base64);
	return out;
}

int
keyring_append(struct ledger *l, int64_t now, enum ca_role role,
    enum ca_stage stage, const struct key *pub, bool in_agent, const char *why,
    enum reason *whyp)
{
	struct event e = { .at = now,
		.kind = EVENT_KEY,
		.role = role,
		.stage = stage,
		.has_key = true };
	char *text = public_text(pub);
	int r;

	memcpy(e.key_hash, pub->hash, sizeof(e.key_hash));
	if (text != NULL)
		e.body = json_pack("{s:s, s:s, s:s}", "public", text, "backend",
		    in_agent ? "agent" : "file", "why", why);
	free(text);
	if (e.body == NULL) {
		*whyp = AAD_R_NO_MEMORY;
		return AAD_ENOMEM;
	}
	r = ledger_append(l, &e, whyp);
	event_release(&e);
	return r;
}
