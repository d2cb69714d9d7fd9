/* SPDX-License-Identifier: ISC */

#include "ca/signer/step.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/b64.h"
#include "core/name.h"
#include "core/text.h"

enum reason
step_reason(int r, enum reason other)
{
	if (r == 0)
		return AAD_R_ALLOWED;
	return r == AAD_ENOMEM ? AAD_R_NO_MEMORY : other;
}

enum reason
step_ledger(struct signer *s, enum reason why)
{
	if (why == AAD_R_ALLOWED || s->ledger == NULL)
		return why;
	return signer_fail(s, why, "%s", ledger_error(s->ledger));
}

enum reason
step_walked(struct signer *s, int r, enum reason why)
{
	if (r == 0)
		return AAD_R_ALLOWED;
	return r == AAD_ENOMEM ? AAD_R_NO_MEMORY : step_ledger(s, why);
}

enum reason
step_replied(int r)
{
	return step_reason(r, AAD_R_SIGNER_UNREACHABLE);
}

enum reason
step_file(struct signer *s, int r, enum reason other, const char *name)
{
	const char *what = "cannot be used";

	if (r == 0)
		return AAD_R_ALLOWED;
	if (r == AAD_ENOMEM)
		return AAD_R_NO_MEMORY;
	if (r == AAD_ESYS)
		what = strerror(errno);
	else if (r == AAD_ENOENT)
		what = "is not there";
	else if (r == AAD_EEXIST)
		what = "is there already";
	else if (r == AAD_EPERM)
		what = "has the wrong type, owner, mode or number of links";
	else if (r == AAD_EFORMAT)
		what = "does not follow its format";
	else if (r == AAD_ESIG)
		what = "is not signed by the bundle key";
	else if (r == AAD_ETOOBIG)
		what = "is too large";
	return signer_fail(s, other, "%s: %s", name, what);
}

enum reason
step_begin(struct signer *s)
{
	enum reason why = signer_ledger(s);

	if (why != AAD_R_ALLOWED)
		return why;
	if (ledger_begin(s->ledger, &why) != 0)
		return step_ledger(s, why);
	return AAD_R_ALLOWED;
}

enum reason
step_commit(struct signer *s)
{
	enum reason why;

	if (ledger_commit(s->ledger, &why) != 0)
		return step_ledger(s, why);
	return AAD_R_ALLOWED;
}

enum reason
step_keys(struct signer *s, struct keyring *k)
{
	enum reason why = signer_ledger(s);

	memset(k, 0, sizeof(*k));
	if (why != AAD_R_ALLOWED)
		return why;
	if (keyring_load(s->ledger, s->dir, s->agent, k, &why) != 0)
		return step_ledger(s, why);
	return AAD_R_ALLOWED;
}

json_t *
step_time(int64_t t)
{
	char text[TEXT_TIME_LEN + 1];

	if (t == 0)
		return json_null();
	text_time_format(t, text);
	return json_string(text);
}

json_t *
step_fingerprint(const uint8_t hash[static 32])
{
	char text[KEY_FP_LEN + 1];

	key_fingerprint_of(hash, text);
	return json_string(text);
}

int
step_key_text(const struct key *k, char **outp)
{
	char *base64;
	int r = b64_encode(B64_STD, k->blob, k->blob_len, &base64);

	*outp = NULL;
	if (r != 0)
		return r;
	if (asprintf(outp, "%s %s", key_type_name(k), base64) == -1) {
		*outp = NULL;
		r = AAD_ENOMEM;
	}
	free(base64);
	return r;
}

struct file_owner
step_owner(void)
{
	return (struct file_owner){ geteuid(), FILE_ANY_OWNER, false };
}

int
step_dir(const struct signer *s, const char *name, int *fdp)
{
	return file_dir_open(s->dir, name, step_owner(), fdp);
}

/* The publication's directory, wherever it is; its parent must be there. */
static int
make_publish(struct signer *s)
{
	const char *path = s->conf->publish_dir;
	const char *base = strrchr(path, '/');
	char *parent;
	int fd, saved, r = AAD_ESYS;

	if (s->publish != -1)
		return 0;
	if (base == NULL || base[1] == '\0')
		return AAD_EARG;
	parent = base == path ? strdup("/")
			      : strndup(path, (size_t)(base - path));
	if (parent == NULL)
		return AAD_ENOMEM;
	fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd != -1)
		r = file_dir_make(fd, base + 1, step_owner(), STEP_DIR_PUBLIC,
		    &s->publish);
	saved = errno;
	file_close(fd);
	free(parent);
	errno = saved;
	return r;
}

int
step_layout(struct signer *s, const char **whichp)
{
	static const struct {
		const char *name;
		mode_t mode;
	} dirs[] = {
		{ "keys", STEP_DIR_PRIVATE },
		{ "manifests", STEP_DIR_PRIVATE },
		{ "locks", STEP_DIR_PRIVATE },
		{ "tenant", STEP_DIR_PUBLIC },
	};
	const struct file_owner any = { FILE_ANY_OWNER, FILE_ANY_OWNER, false };
	int r, fd;

	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		bool tenant = dirs[i].mode == STEP_DIR_PUBLIC;

		*whichp = dirs[i].name;
		r = file_dir_make(s->dir, dirs[i].name,
		    tenant ? any : step_owner(), dirs[i].mode, &fd);
		if (r != 0)
			return r;
		file_close(fd);
	}
	*whichp = s->conf->publish_dir;
	return make_publish(s);
}

void
step_key_name(const uint8_t hash[static 32],
    char out[static STEP_KEY_NAME_LEN + 1])
{
	name_hex64(hash, out);
	memcpy(out + NAME_HEX64_LEN, STEP_KEY_SUFFIX, sizeof(STEP_KEY_SUFFIX));
}

bool
step_is_key_name(const char *name)
{
	char hex[NAME_HEX64_LEN + 1];

	if (strlen(name) != STEP_KEY_NAME_LEN ||
	    strcmp(name + NAME_HEX64_LEN, STEP_KEY_SUFFIX) != 0)
		return false;
	memcpy(hex, name, NAME_HEX64_LEN);
	hex[NAME_HEX64_LEN] = '\0';
	return name_hex64_ok(hex);
}
