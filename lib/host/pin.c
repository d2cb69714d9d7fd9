/* SPDX-License-Identifier: ISC */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "core/strictjson.h"
#include "host/pin.h"

#define MODE_FILE 0640

/* Open pins/; a missing directory is an error, never "no pin". */
static int
pins_dir(const struct cache *c, const char *login, int *fdp)
{
	int r;

	*fdp = -1;
	if (!name_login_ok(login))
		return AAD_EARG;
	r = file_dir_open(c->dir, "pins", c->right, fdp);
	return r == AAD_ENOENT ? AAD_ESYS : r;
}

static int
parse(const char *text, size_t len, struct pin *p)
{
	const char *tid, *oid;
	json_t *o, *at;
	int r;

	if ((r = strictjson_load(text, len, &o)) != 0)
		return r;
	r = AAD_EFORMAT;
	tid = json_string_value(json_object_get(o, "tid"));
	oid = json_string_value(json_object_get(o, "oid"));
	at = json_object_get(o, "at");
	if (json_integer_value(json_object_get(o, "v")) == 1 && tid != NULL &&
	    oid != NULL && name_guid_ok(tid) && name_guid_ok(oid) &&
	    json_is_integer(at) && json_object_size(o) == 4) {
		memcpy(p->tid, tid, sizeof(p->tid));
		memcpy(p->oid, oid, sizeof(p->oid));
		p->at = (int64_t)json_integer_value(at);
		r = 0;
	}
	json_decref(o);
	return r;
}

int
pin_load(const struct cache *c, const char *login, struct pin *p)
{
	char name[sizeof("pins/") + NAME_LOGIN_MAX], *text = NULL;
	size_t len = 0;
	int r;

	memset(p, 0, sizeof(*p));
	if (!name_login_ok(login))
		return AAD_EARG;
	if ((r = file_dir_check(c->dir, "pins", c->right)) != 0)
		/* NB. no pins directory at all is not "no pin". */
		return r == AAD_ENOENT ? AAD_ESYS : r;
	snprintf(name, sizeof(name), "pins/%s", login);
	r = file_read(c->dir, name, c->right, PIN_MAX, &text, &len);
	if (r == 0)
		r = parse(text, len, p);
	free(text);
	return r;
}

int
pin_create(const struct cache *c, const char *login, const struct pin *p)
{
	char text[200];
	int fd, n, r;

	if (!name_guid_ok(p->tid) || !name_guid_ok(p->oid))
		return AAD_EARG;
	n = snprintf(text, sizeof(text),
	    "{\"v\":1,\"tid\":\"%s\",\"oid\":\"%s\",\"at\":%" PRId64 "}\n",
	    p->tid, p->oid, p->at);
	if (n < 0 || (size_t)n >= sizeof(text))
		return AAD_EINTERNAL;
	if ((r = pins_dir(c, login, &fd)) != 0)
		return r;
	r = file_create(fd, login, text, (size_t)n, MODE_FILE);
	close(fd);
	return r;
}

int
pin_remove(const struct cache *c, const char *login)
{
	int fd, r;

	if ((r = pins_dir(c, login, &fd)) != 0)
		return r;
	r = file_remove(fd, login);
	close(fd);
	return r;
}

bool
pin_names(const struct pin *p, const char *tid, const char *oid)
{
	return strcmp(p->tid, tid) == 0 && strcmp(p->oid, oid) == 0;
}
