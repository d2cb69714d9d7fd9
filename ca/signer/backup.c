/* SPDX-License-Identifier: ISC */

/*
 * backup: everything that cannot be made anew, sealed for the recovery key.
 * Manifests first, then the ledger, then the keys: no manifest knows a row
 * that the ledger hasn't, and no key that the ledger has is missing.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "ca/signer/archive.h"
#include "ca/signer/backup.h"
#include "ca/signer/signer.h"
#include "ca/signer/step.h"
#include "cmd/cli/log.h"
#include "core/name.h"

struct backup {
	struct signer *s;
	struct archive *a;
	const char *folder; /* being walked */
	int dir;
	size_t bytes, keys, manifests;
};

static int
send(void *arg, const uint8_t *p, size_t len)
{
	struct backup *b = arg;

	b->bytes += len;
	return signer_data(b->s, p, len);
}

/* Add a file of the folder, when it is one that a backup holds. */
static int
add_file(void *arg, const char *name)
{
	struct backup *b = arg;
	char full[ARCHIVE_NAME_MAX + 1];
	char *p = NULL;
	size_t len;
	int r;

	if (strlen(b->folder) + 1 + strlen(name) >= sizeof(full))
		return 0;
	strcpy(stpcpy(stpcpy(full, b->folder), "/"), name);
	if (!backup_holds(full))
		return 0;
	r = file_read(b->dir, name, step_owner(), BACKUP_FILE_MAX, &p, &len);
	if (r == AAD_ENOENT)
		return 0; /* removed meanwhile */
	if (r != 0)
		return r;
	r = archive_add(b->a, full, (uint8_t *)p, len);
	sodium_memzero(p, len);
	free(p);
	if (strcmp(b->folder, "keys") == 0)
		b->keys++;
	else
		b->manifests++;
	return r;
}

static enum reason
add_folder(struct backup *b, const char *folder)
{
	int r = step_dir(b->s, folder, &b->dir);

	b->folder = folder;
	if (r != 0)
		return step_file(b->s, r, AAD_R_STATE_UNREADABLE, folder);
	r = file_dir_each(b->dir, add_file, b);
	file_close(b->dir);
	return step_file(b->s, r, AAD_R_STATE_UNREADABLE, folder);
}

/* What was copied, piece by piece. */
static int
put_copy(struct backup *b, int fd, int64_t size)
{
	uint8_t *p = malloc(ARCHIVE_CHUNK);
	int r = p == NULL ? AAD_ENOMEM : 0;

	while (r == 0 && size > 0) {
		ssize_t n = read(fd, p, ARCHIVE_CHUNK);

		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0 || n > size)
			r = n == -1 ? AAD_ESYS : AAD_EFORMAT;
		else
			r = archive_put(b->a, p, (size_t)n);
		size -= n;
	}
	free(p);
	return r;
}

static enum reason
add_ledger(struct backup *b)
{
	enum reason why;
	int64_t size;
	int fd, r;

	if (ledger_copy(b->s->ledger, &fd, &size, &why) != 0)
		return step_ledger(b->s, why);
	r = archive_entry(b->a, BACKUP_LEDGER, (uint64_t)size);
	if (r == 0)
		r = put_copy(b, fd, size);
	file_close(fd);
	return step_file(b->s, r, AAD_R_LEDGER, BACKUP_LEDGER);
}

static enum reason
write_all(struct backup *b, const struct keyring_key *recovery)
{
	enum reason why;
	int r = archive_new(&recovery->pub, send, b, &b->a);

	if (r != 0)
		return r == AAD_EARG
			   ? signer_fail(b->s, AAD_R_CA_KEY,
				 "nothing can be sealed for the recovery key")
			   : step_replied(r);
	if ((why = add_folder(b, "manifests")) == AAD_R_ALLOWED &&
	    (why = add_ledger(b)) == AAD_R_ALLOWED &&
	    (why = add_folder(b, "keys")) == AAD_R_ALLOWED)
		why = step_replied(archive_end(b->a));
	archive_free(b->a);
	return why;
}

static enum reason
tell(struct backup *b, const struct keyring *ring,
    const struct keyring_key *recovery, json_t **endp)
{
	size_t agent = 0;

	for (size_t i = 0; i < ring->n; i++)
		if (ring->keys[i].in_agent &&
		    ring->keys[i].stage < CA_STAGE_REMOVED)
			agent++;
	signer_log(b->s, "backup", AAD_R_ALLOWED, NULL, 0);
	*endp = json_pack("{s:i s:I s:I s:I s:I s:o}", "v", 1, "bytes",
	    (json_int_t)b->bytes, "keys", (json_int_t)b->keys, "agent_keys",
	    (json_int_t)agent, "manifests", (json_int_t)b->manifests,
	    "recovery_key", step_fingerprint(recovery->pub.hash));
	return *endp != NULL ? AAD_R_ALLOWED : AAD_R_NO_MEMORY;
}

enum reason
op_backup(struct signer *s, const struct request *rq, json_t **endp)
{
	const struct keyring_key *recovery = NULL;
	struct backup b = { .s = s, .dir = -1 };
	struct keyring ring;
	enum reason why = step_keys(s, &ring);

	(void)rq;
	*endp = NULL;
	if (why == AAD_R_ALLOWED) {
		recovery = keyring_find(&ring, CA_ROLE_RECOVERY,
		    CA_STAGE_ACTIVE);
		why = recovery != NULL ? write_all(&b, recovery)
				       : signer_fail(s, AAD_R_CA_KEY,
					     "there is no recovery key");
	}
	if (why == AAD_R_ALLOWED)
		why = tell(&b, &ring, recovery, endp);
	keyring_release(&ring);
	return why;
}
