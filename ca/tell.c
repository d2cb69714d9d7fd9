/* SPDX-License-Identifier: ISC */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/keyfile.h"
#include "ca/rows.h"
#include "ca/tell.h"
#include "core/text.h"

#define SHOWN_MAX 320 /* bytes of one principal, clean */

/* Seconds of a certificate as people read them. */
static void
format_time(uint64_t t, char out[static TEXT_TIME_LEN + 1])
{
	text_time_format(t > INT64_MAX ? INT64_MAX : (int64_t)t, out);
}

static void
clean(const char *s, size_t len, char out[static SHOWN_MAX])
{
	text_clean(s, len, out, SHOWN_MAX);
}

static size_t
login_len(const char *principal)
{
	return strcspn(principal, "@");
}

/* Whether a principal before the i-th has the same login. */
static bool
seen(const struct cert *c, size_t i)
{
	size_t j, len = login_len(c->principals[i]);

	for (j = 0; j < i; j++)
		if (login_len(c->principals[j]) == len &&
		    memcmp(c->principals[j], c->principals[i], len) == 0)
			return true;
	return false;
}

static void
tell_login(const struct cert *c, size_t i)
{
	size_t j, len = login_len(c->principals[i]);
	const char *between = " on ";
	char text[SHOWN_MAX];

	clean(c->principals[i], len, text);
	printf("  %s", text);
	for (j = i; j < c->nprincipals; j++) {
		const char *p = c->principals[j];

		if (login_len(p) != len ||
		    memcmp(p, c->principals[i], len) != 0)
			continue;
		clean(p[len] == '@' ? p + len + 1 : "every host",
		    p[len] == '@' ? strlen(p + len + 1) : 10, text);
		printf("%s%s", between, text);
		between = ", ";
	}
	printf("\n");
}

void
tell_principals(const struct cert *c)
{
	char text[SHOWN_MAX];
	size_t i;

	for (i = 0; i < c->nprincipals; i++) {
		if (c->type == CERT_HOST) {
			clean(c->principals[i], strlen(c->principals[i]), text);
			printf("  %s\n", text);
		} else if (!seen(c, i)) {
			tell_login(c, i);
		}
	}
}

json_t *
tell_json(const struct cert *c)
{
	char from[TEXT_TIME_LEN + 1], until[TEXT_TIME_LEN + 1], serial[24],
	    key[KEY_FP_LEN + 1], ca[KEY_FP_LEN + 1], text[SHOWN_MAX];
	json_t *names = json_array();
	size_t i;

	for (i = 0; i < c->nprincipals; i++) {
		clean(c->principals[i], strlen(c->principals[i]), text);
		json_array_append_new(names, json_string(text));
	}
	format_time(c->valid_after, from);
	format_time(c->valid_before, until);
	snprintf(serial, sizeof(serial), "%" PRIu64, c->serial);
	key_fingerprint(&c->key, key);
	key_fingerprint(&c->ca, ca);
	return json_pack("{s:i s:s s:s s:s s:o s:s s:s s:s s:s s:s}", "v", 1,
	    "serial", serial, "type", c->type == CERT_HOST ? "host" : "user",
	    "key_id", c->key_id == NULL ? "" : c->key_id, "principals", names,
	    "valid_after", from, "valid_before", until, "key_type",
	    key_type_name(&c->key), "fingerprint", key, "ca", ca);
}

static void
tell_command(const struct tell *t, const struct cert *c)
{
	char login[SHOWN_MAX], key[PATH_MAX];

	clean(c->principals[0], login_len(c->principals[0]), login);
	if (t->named && keyfile_private_path(t->pub, key) == 0)
		printf("ssh -i %s %s@HOST\n", key, login);
	else
		printf("ssh %s@HOST\n", login);
}

int
tell_signed(const struct tell *t, const struct certify *c, const char *how)
{
	char until[TEXT_TIME_LEN + 1];
	const struct cert *cert = &c->cert;
	json_t *o;

	if (t->json) {
		if ((o = tell_json(cert)) == NULL)
			return EXIT_CANNOT;
		json_object_set_new(o, "done", json_true());
		json_object_set_new(o, "how", json_string(how));
		json_object_set_new(o, "file", json_string(t->file));
		return out_json(o);
	}
	if (t->quiet)
		return EXIT_DONE;
	format_time(cert->valid_before, until);
	printf("%s is valid until %s and %s:\n", t->file, until,
	    cert->type == CERT_HOST ? "names" : "opens");
	tell_principals(cert);
	if (cert->type == CERT_USER)
		tell_command(t, cert);
	return EXIT_DONE;
}

int
tell_dry_run(const struct tell *t, const struct certify *c)
{
	if (t->json) {
		json_t *o = c->end == NULL ? json_object() : json_copy(c->end);

		json_object_set_new(o, "v", json_integer(1));
		json_object_set_new(o, "done", json_false());
		json_object_set_new(o, "dry_run", json_true());
		return out_json(o);
	}
	if (t->quiet)
		return EXIT_DONE;
	printf("This would be signed; nothing was:\n");
	rows_object(stdout, c->end, "  ");
	return EXIT_DONE;
}
