/* SPDX-License-Identifier: ISC */

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "core/file.h"
#include "host/hostid.h"

#define DIGITS	 32
#define FILE_MAX 64 /* bytes: the digits and a line feed, and room to see */

static const char label[] = "aadssh host 1";

int
hostid_read(const char *path, uint8_t id[static HOSTID_LEN])
{
	const struct file_owner any = { FILE_ANY_OWNER, FILE_ANY_OWNER,
		.linked = true };
	crypto_hash_sha256_state sha;
	char *text;
	size_t len;
	int r;

	memset(id, 0, HOSTID_LEN);
	if ((r = file_read(AT_FDCWD, path, any, FILE_MAX, &text, &len)) != 0)
		return r;
	if (strspn(text, "0123456789abcdef") != DIGITS ||
	    (len != DIGITS && (len != DIGITS + 1 || text[DIGITS] != '\n'))) {
		free(text);
		return AAD_EFORMAT;
	}
	crypto_hash_sha256_init(&sha);
	crypto_hash_sha256_update(&sha, (const uint8_t *)label,
	    sizeof(label) - 1);
	crypto_hash_sha256_update(&sha, (const uint8_t *)text, DIGITS);
	crypto_hash_sha256_final(&sha, id);
	free(text);
	return 0;
}
