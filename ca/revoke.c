/* SPDX-License-Identifier: ISC */

/* aadssh-ca revoke, unrevoke: and hosts are told at once. */

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/change.h"
#include "ca/find.h"
#include "ca/option.h"
#include "ca/verbs.h"
#include "core/text.h"

struct revoke {
	struct ca_app *app;
	bool lift; /* unrevoke */
	char what; /* which of the options names it; 0: none yet */
	const char *arg;
	const char *reason;
	const char *user_ca; /* the key of the agent that comes next */
	const char *host_ca;
	bool json;
	struct find find;
	uint64_t serial;
	struct key user, host;
};

static int
name_it(struct revoke *r, int c)
{
	const char *allowed = r->lift ? "oup" : "sukoc";

	if (r->what != 0 || strchr(allowed, c) == NULL)
		return -1;
	r->what = (char)c;
	r->arg = optarg;
	return 0;
}

static int
option(struct revoke *r, int c)
{
	switch (c) {
	case 'r':
		r->reason = optarg;
		return 0;
	case 'j':
		r->json = true;
		return 0;
	case 'U':
		r->user_ca = optarg;
		return 0;
	case 'H':
		r->host_ca = optarg;
		return 0;
	case '?':
		return -1;
	default:
		return name_it(r, c);
	}
}

static int
parse(int argc, char **argv, struct revoke *r)
{
	static const struct option longs[] = {
		{ "serial", required_argument, NULL, 's' },
		{ "user", required_argument, NULL, 'u' },
		{ "oid", required_argument, NULL, 'o' },
		{ "key", required_argument, NULL, 'k' },
		{ "ca-key", required_argument, NULL, 'c' },
		{ "pin", required_argument, NULL, 'p' },
		{ "reason", required_argument, NULL, 'r' },
		{ "user-ca", required_argument, NULL, 'U' },
		{ "host-ca", required_argument, NULL, 'H' },
		{ "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	r->lift = strcmp(argv[0], "unrevoke") == 0;
	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1)
		if (option(r, c) != 0)
			return -1;
	if (argc != optind || r->what == 0 || (!r->lift && r->reason == NULL))
		return -1;
	/* NB. what comes next is a question of a key of the authority only. */
	if ((r->user_ca != NULL || r->host_ca != NULL) && r->what != 'c')
		return -1;
	return 0;
}

/* What the option names. */
static int
resolve(struct revoke *r)
{
	int code = EXIT_DONE;

	if ((r->reason != NULL && option_line("reason", r->reason) != 0) ||
	    (r->what == 'u' && option_line("user", r->arg) != 0))
		return EXIT_USAGE;

	if (r->what == 's' && !text_number(r->arg, INT64_MAX, &r->serial))
		return ca_refuse(r->app, AAD_R_UNKNOWN_SERIAL, r->json);
	if (r->what == 'p' && !name_login_ok(r->arg))
		return ca_refuse(r->app, AAD_R_BAD_LOGIN, r->json);
	if (r->what == 'o')
		code = find_oid(&r->find, r->arg);
	if (r->what == 'k' || r->what == 'c')
		code = find_key(r->app, &r->find, r->arg);
	if (code == EXIT_DONE && r->user_ca != NULL)
		code = ca_read_key(r->app, r->user_ca, &r->user);
	if (code == EXIT_DONE && r->host_ca != NULL)
		code = ca_read_key(r->app, r->host_ca, &r->host);
	return code;
}

/* Fields in the order of their labels. */
static void
request(const struct revoke *r, struct wirebuf *rq)
{
	char context[CA_DETAIL_MAX];

	ca_context(r->lift ? "unrevoke" : "revoke", context);
	request_begin(rq, r->lift ? REQUEST_UNREVOKE : REQUEST_REVOKE);
	if (r->what == 'p')
		request_put_text(rq, REQUEST_L_LOGIN, r->arg);
	request_put_text(rq, REQUEST_L_CONTEXT, context);
	if (r->what == 'o')
		request_put_text(rq, REQUEST_L_OID, r->find.oid);
	if (r->what == 'u')
		request_put_text(rq, REQUEST_L_USER, r->arg);
	if (r->what == 'k')
		request_put(rq, REQUEST_L_HASH, r->find.hash, 32);
	if (r->what == 'c')
		request_put(rq, REQUEST_L_CA_HASH, r->find.hash, 32);
	if (r->what == 's')
		request_put_u64(rq, REQUEST_L_SERIAL, r->serial);
	if (r->reason != NULL)
		request_put_text(rq, REQUEST_L_TEXT, r->reason);
	if (r->user_ca != NULL)
		request_put(rq, REQUEST_L_USER_CA, r->user.blob,
		    r->user.blob_len);
	if (r->host_ca != NULL)
		request_put(rq, REQUEST_L_HOST_CA, r->host.blob,
		    r->host.blob_len);
	request_end(rq);
}

static void
tell_revoked(const json_t *end)
{
	char text[ROWS_TEXT_MAX];

	printf("certificates revoked: %s\n", rows_text(end, "revoked", text));
	if (rows_text(end, "oid", text)[0] != '\0')
		printf("%s signs no more until aadssh-ca unrevoke --oid\n",
		    text);
}

static void
tell_lifted(const json_t *end)
{
	char text[ROWS_TEXT_MAX];

	if (rows_text(end, "oid", text)[0] != '\0')
		printf("lifted: %s; serials stay revoked\n", text);
}

int
verb_revoke(void *arg, int argc, char **argv)
{
	struct revoke r = { .app = arg };
	struct change change = { .app = arg, .always = true, .whole = true };
	struct wirebuf rq = wirebuf_new();
	int code;

	if (parse(argc, argv, &r) != 0)
		return ca_usage(arg, argv[0]);
	change.json = r.json;
	change.tell = r.lift ? tell_lifted : tell_revoked;
	if ((code = ca_load(r.app)) == EXIT_DONE &&
	    (code = resolve(&r)) == EXIT_DONE) {
		request(&r, &rq);
		code = change_run(&change, &rq);
	}
	key_release(&r.user);
	key_release(&r.host);
	return code;
}
