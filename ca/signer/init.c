/* SPDX-License-Identifier: ISC */

/*
 * init: an authority comes into being.  The ledger is made first and stays
 * empty until everything else is there; its first four rows come in one
 * transaction.  So an empty ledger is an init that was killed, whose keys
 * nobody ever saw, and which the next init begins anew.
 */

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ca/signer/newkey.h"
#include "ca/signer/signer.h"
#include "ca/signer/step.h"
#include "cmd/cli/log.h"
#include "core/file.h"

struct birth {
	struct newkey user;
	struct newkey host;
	struct newkey bundle;
	struct newkey recovery; /* public: its private half is its owner's */
};

static void
birth_release(struct birth *b)
{
	newkey_release(&b->user);
	newkey_release(&b->host);
	newkey_release(&b->bundle);
	newkey_release(&b->recovery);
}

static int
is_key(void *arg, const char *name)
{
	(void)arg;
	return step_is_key_name(name);
}

/* Anything but "." and "..", and what a crash of file_replace() left. */
static int
is_anything(void *arg, const char *name)
{
	(void)arg;
	return name[0] != '.';
}

/*
 * Whether a directory below DIR holds a name that fn says 1 of; a missing
 * directory holds none.  Returns 0, 1 or an error.
 */
static int
holds(const struct signer *s, const char *dir, file_each_fn *fn)
{
	int fd, r = step_dir(s, dir, &fd);

	if (r == AAD_ENOENT)
		return 0;
	if (r != 0)
		return r;
	r = file_dir_each(fd, fn, NULL);
	file_close(fd);
	return r;
}

/* Open the ledger of an init that was killed, or make one. */
static enum reason
empty_ledger(struct signer *s)
{
	enum reason why = signer_ledger(s);
	int r;

	if (why != AAD_R_NO_CA)
		return why;
	r = holds(s, "keys", is_key);
	if (r < 0)
		return step_file(s, r, AAD_R_CA_KEY, "keys");
	if (r > 0)
		return signer_fail(s, AAD_R_CA_EXISTS,
		    "there are keys, but no ledger; restore it from a backup");
	ledger_stage_drop(s->dir); /* of a restore that was killed */
	r = ledger_create(s->dir, &s->ledger, &why);
	if (r == AAD_EEXIST) /* another init, just now */
		return signer_ledger(s);
	return r == 0 ? AAD_R_ALLOWED : why;
}

static int
drop_key(void *arg, const char *name)
{
	const int *fd = arg;

	if (!step_is_key_name(name) && !file_is_temp(name))
		return 0;
	return unlinkat(*fd, name, 0) == 0 ? 0 : AAD_ESYS;
}

/* Within the transaction: nothing was ever done here; keys of an init that
 * was killed go. */
static enum reason
untouched(struct signer *s)
{
	uint8_t head[32];
	enum reason why;
	int64_t len;
	int r, fd;

	if (ledger_head(s->ledger, &len, head, &why) != 0)
		return step_ledger(s, why);
	if (len > 0)
		return AAD_R_CA_EXISTS;
	r = holds(s, "manifests", is_anything);
	if (r > 0)
		return signer_fail(s, AAD_R_CA_EXISTS,
		    "the ledger is empty, but there are manifests; restore "
		    "it from a backup");
	if (r < 0)
		return step_file(s, r, AAD_R_PUBLICATION, "manifests");
	if ((r = step_dir(s, "keys", &fd)) == 0) {
		r = file_dir_each(fd, drop_key, &fd);
		file_close(fd);
	}
	return step_file(s, r, AAD_R_CA_KEY, "keys");
}

/*
 * The key that backups are sealed for.  NB. who asks has made it, and has it
 * on a disk already: were it made here, a caller that is killed before it
 * stores it would leave an authority whose recovery key nobody has.
 */
static enum reason
recovery(struct signer *s, const struct request *rq, struct birth *b)
{
	const struct request_field *f = request_get(rq, REQUEST_L_KEY, 0);
	const struct key *k = &b->recovery.pub;
	enum reason why;

	if (f == NULL)
		return AAD_R_REQUEST_MALFORMED;
	if (key_from_blob(f->p, f->len, &b->recovery.pub, &why) != 0)
		return why;
	return k->kind == KEY_ED25519 ? AAD_R_ALLOWED
				      : signer_fail(s, AAD_R_CA_KEY,
					    "the recovery key is not Ed25519");
}

/* One that is named or imported may be another. */
static enum reason
distinct(struct signer *s, const struct birth *b)
{
	const uint8_t *user = b->user.pub.hash, *host = b->host.pub.hash,
		      *offline = b->recovery.pub.hash;

	if (memcmp(user, host, 32) == 0)
		return signer_fail(s, AAD_R_CA_KEY,
		    "users and hosts need a key each");
	if (memcmp(user, offline, 32) == 0 || memcmp(host, offline, 32) == 0)
		return signer_fail(s, AAD_R_CA_KEY,
		    "the recovery key must be a key of its own");
	return AAD_R_ALLOWED;
}

/* The two keys that sign certificates. */
static enum reason
authorities(struct signer *s, const struct request *rq, struct birth *b)
{
	const struct request_field *import, *user, *host;
	bool agent = s->conf->ca_agent != NULL;
	enum reason why;

	import = request_get(rq, REQUEST_L_IMPORT, 0);
	user = request_get(rq, REQUEST_L_USER_CA, 0);
	host = request_get(rq, REQUEST_L_HOST_CA, 0);
	if (agent && (import != NULL || user == NULL || host == NULL))
		return signer_fail(s, AAD_R_CA_KEY,
		    "with backend = agent:PATH name one of its keys for users "
		    "and one for hosts");
	if (!agent && (user != NULL || host != NULL))
		return signer_fail(s, AAD_R_REQUEST_MALFORMED,
		    "a key can be named with backend = agent:PATH only");
	if (user != NULL)
		why = newkey_named(s, NULL, user, &b->user);
	else if (import != NULL)
		why = newkey_import(s, NULL, import, &b->user);
	else
		why = newkey_make(s, &b->user);
	if (why != AAD_R_ALLOWED)
		return why;
	why = host != NULL ? newkey_named(s, NULL, host, &b->host)
			   : newkey_make(s, &b->host);
	return why == AAD_R_ALLOWED ? distinct(s, b) : why;
}

static enum reason
append_all(struct signer *s, const struct birth *b)
{
	const struct {
		const struct newkey *key;
		enum ca_role role;
	} rows[] = {
		{ &b->user, CA_ROLE_USER },
		{ &b->host, CA_ROLE_HOST },
		{ &b->bundle, CA_ROLE_BUNDLE },
		{ &b->recovery, CA_ROLE_RECOVERY },
	};
	enum reason why = AAD_R_ALLOWED;

	for (size_t i = 0;
	     i < sizeof(rows) / sizeof(rows[0]) && why == AAD_R_ALLOWED; i++)
		why = newkey_append(s, rows[i].key, rows[i].role,
		    CA_STAGE_ACTIVE, "init");
	return why;
}

static enum reason
give_birth(struct signer *s, const struct request *rq, struct birth *b)
{
	enum reason why;

	if ((why = untouched(s)) != AAD_R_ALLOWED ||
	    (why = recovery(s, rq, b)) != AAD_R_ALLOWED ||
	    (why = authorities(s, rq, b)) != AAD_R_ALLOWED ||
	    (why = newkey_make(s, &b->bundle)) != AAD_R_ALLOWED ||
	    (why = append_all(s, b)) != AAD_R_ALLOWED)
		return why;
	return step_commit(s);
}

static json_t *
told(const struct birth *b)
{
	return json_pack("{s:i s:o s:o s:o s:o}", "v", 1, "user_ca",
	    step_fingerprint(b->user.pub.hash), "host_ca",
	    step_fingerprint(b->host.pub.hash), "bundle_key",
	    step_fingerprint(b->bundle.pub.hash), "recovery_key",
	    step_fingerprint(b->recovery.pub.hash));
}

enum reason
op_init(struct signer *s, const struct request *rq, json_t **endp)
{
	struct birth b = { 0 };
	const char *which = "";
	enum reason why;
	int r;

	*endp = NULL;
	if ((why = empty_ledger(s)) != AAD_R_ALLOWED)
		return why;
	if ((r = step_layout(s, &which)) != 0)
		return step_file(s, r, AAD_R_STATE_UNREADABLE, which);
	if ((why = step_begin(s)) != AAD_R_ALLOWED)
		return why;
	why = give_birth(s, rq, &b);
	if (why != AAD_R_ALLOWED)
		ledger_rollback(s->ledger);
	else if ((*endp = told(&b)) == NULL)
		why = AAD_R_NO_MEMORY; /* of the answer only */
	if (why == AAD_R_ALLOWED)
		signer_log(s, "init", why, NULL, 0);
	birth_release(&b);
	return why;
}
