/* SPDX-License-Identifier: ISC */

/* aadssh-ca sign-host: a certificate of a host, by who owns the authority. */

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/certify.h"
#include "ca/install.h"
#include "ca/keyfile.h"
#include "ca/option.h"
#include "ca/tell.h"
#include "ca/verbs.h"
#include "cmd/cli/clock.h"
#include "cmd/cli/stop.h"
#include "core/text.h"

struct sign_host {
	struct certify c;
	const char *key;
	const char *out;
	const char *names[CA_LIST_MAX];
	bool has_ttl, json;
	int64_t ttl;
	char file[PATH_MAX];
};

static int
option(struct sign_host *s, int c)
{
	switch (c) {
	case 'k':
		s->key = optarg;
		return 0;
	case 'o':
		s->out = optarg;
		return 0;
	case 'n':
		return ca_split(optarg, s->names, &s->c.ask.nnames);
	case 't':
		s->has_ttl = true;
		return option_duration("ttl", optarg, &s->ttl);
	case 'j':
		s->json = true;
		return 0;
	default:
		return -1;
	}
}

static int
parse(int argc, char **argv, struct sign_host *s)
{
	static const struct option longs[] = {
		{ "key", required_argument, NULL, 'k' },
		{ "name", required_argument, NULL, 'n' },
		{ "ttl", required_argument, NULL, 't' },
		{ "out", required_argument, NULL, 'o' },
		{ "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1)
		if (option(s, c) != 0)
			return -1;
	if (s->key == NULL || s->c.ask.nnames == 0 || argc != optind)
		return -1;
	if (s->out == NULL)
		return keyfile_cert_path(s->key, s->file);
	if (strlen(s->out) >= sizeof(s->file))
		return -1;
	memcpy(s->file, s->out, strlen(s->out) + 1);
	return 0;
}

static enum reason
ask(struct sign_host *s)
{
	struct wirebuf rq = wirebuf_new();
	char context[CA_DETAIL_MAX];
	size_t i;

	ca_context("sign-host", context);
	request_begin(&rq, REQUEST_SIGN_HOST);
	request_put(&rq, REQUEST_L_KEY, s->c.key.blob, s->c.key.blob_len);
	if (s->has_ttl)
		request_put_u64(&rq, REQUEST_L_TTL, (uint64_t)s->ttl);
	request_put_text(&rq, REQUEST_L_CONTEXT, context);
	for (i = 0; i < s->c.ask.nnames; i++)
		request_put_text(&rq, REQUEST_L_NAME, s->names[i]);
	request_end(&rq);
	return certify_ask(&s->c, &rq);
}

static int
report(const struct sign_host *s)
{
	const struct tell t = { s->file, s->key, true, false, s->json };
	const char *name = strrchr(s->file, '/');
	int code = tell_signed(&t, &s->c, "signed");

	if (code == EXIT_DONE && !s->json)
		printf("On that host, in sshd_config: HostCertificate "
		       "/etc/ssh/%s\n",
		    name == NULL ? s->file : name + 1);
	return code;
}

static int
run(struct sign_host *s)
{
	struct ca_app *app = s->c.app;
	enum reason why;
	int64_t at;
	int code;

	if ((code = ca_read_key(app, s->key, &s->c.key)) != EXIT_DONE ||
	    (code = ca_load(app)) != EXIT_DONE)
		return code;
	s->c.ask.type = CERT_HOST;
	s->c.ask.key = &s->c.key;
	s->c.ask.names = s->names;
	s->c.ask.ttl = s->has_ttl ? s->ttl : app->conf->host_ttl;
	if (s->has_ttl && s->ttl < 1)
		return ca_refuse(app, AAD_R_TTL, s->json);
	at = trust_over(app, s->file) ? INT64_MAX : clock_now();
	if ((why = trust_load(app, CERT_HOST, &s->c.trust)) == AAD_R_ALLOWED) {
		s->c.ask.cas = s->c.trust.cas;
		s->c.ask.ncas = s->c.trust.n;
		why = install_may(app, s->file, &s->c.key, s->c.trust.cas,
		    s->c.trust.n, at);
	}
	if (why == AAD_R_ALLOWED && (why = ask(s)) == AAD_R_ALLOWED)
		why = install_file(app, s->file, &s->c.cert, s->c.trust.cas,
		    s->c.trust.n, at);
	if (why != AAD_R_ALLOWED)
		return ca_refuse(app, why, s->json);
	return report(s);
}

int
verb_sign_host(void *arg, int argc, char **argv)
{
	struct sign_host *s;
	int code;

	if ((s = calloc(1, sizeof(*s))) == NULL)
		return out_refusal(CA_PROG, AAD_R_NO_MEMORY, NULL);
	s->c.app = arg;
	s->c.stop = stop_catch(0, 0);
	code = parse(argc, argv, s) == 0 ? run(s) : ca_usage(arg, argv[0]);
	certify_release(&s->c);
	free(s);
	return code;
}
