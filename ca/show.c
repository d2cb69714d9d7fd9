/* SPDX-License-Identifier: ISC */

/* aadssh-ca show: one certificate, of a file or of the ledger. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/keyfile.h"
#include "ca/rows.h"
#include "ca/tell.h"
#include "ca/trust.h"
#include "ca/verbs.h"
#include "cmd/cli/clock.h"
#include "core/text.h"

struct show {
	struct ca_app *app;
	const char *what;
	bool json;
};

/* ---- a file ----------------------------------------------------------- */

/* Whether an authority of ours signed it: "yes", "no", or why not known. */
static const char *
signed_by(struct ca_app *app, const struct cert *c)
{
	struct trust t;
	const char *said = "no, not an authority that is published";
	enum reason why;
	size_t i;

	if ((why = trust_load(app, c->type, &t)) != AAD_R_ALLOWED)
		return reason_name(why);
	for (i = 0; i < t.n; i++)
		if (memcmp(t.cas[i].hash, c->ca.hash, sizeof(c->ca.hash)) == 0)
			said = cert_verify(c) == 0
				   ? "yes"
				   : "no, the signature does not verify";
	trust_release(&t);
	if (strcmp(said, "yes") == 0 && trust_revoked(app, c))
		said = "yes, and revoked";
	return said;
}

/* By the clock alone. */
static const char *
state_of(const struct cert *c)
{
	uint64_t now = (uint64_t)clock_now();

	return now < c->valid_after	? "not_yet"
	       : now >= c->valid_before ? "expired"
					: "valid";
}

static json_t *
options_json(struct cert_options left)
{
	const char *name, *value;
	char text[ROWS_TEXT_MAX];
	json_t *list = json_array();
	size_t len, vlen, at;
	bool raw;

	while (cert_option_next(&left, &name, &len, &value, &vlen, &raw)) {
		text_clean(name, len, text, 256);
		at = strlen(text);
		if (value != NULL || raw) {
			text[at++] = '=';
			text_clean(raw ? "?" : value, raw ? 1 : vlen, text + at,
			    sizeof(text) - at);
		}
		json_array_append_new(list, json_string(text));
	}
	return list;
}

static int
show_cert(struct show *s, const struct cert *c)
{
	json_t *o = tell_json(c);
	char text[ROWS_TEXT_MAX];

	if (o == NULL)
		return out_refusal(CA_PROG, AAD_R_NO_MEMORY, NULL);
	json_object_set_new(o, "state", json_string(state_of(c)));
	json_object_set_new(o, "ours", json_string(signed_by(s->app, c)));
	json_object_set_new(o, "critical_options", options_json(c->critical));
	json_object_set_new(o, "extensions", options_json(c->extensions));
	if (s->json)
		return out_json(o);
	text_clean(s->what, strlen(s->what), text, sizeof(text));
	printf("%s: certificate ", text);
	printf("%s of a %s\n", rows_text(o, "serial", text),
	    c->type == CERT_HOST ? "host" : "user");
	json_object_del(o, "serial");
	json_object_del(o, "type");
	rows_object(stdout, o, "  ");
	json_decref(o);
	return EXIT_DONE;
}

static int
show_file(struct show *s)
{
	enum reason why = AAD_R_UNSET, unused;
	struct cert c;
	struct key k;
	size_t len;
	char *text;
	int r, code;

	if ((r = keyfile_slurp(s->what, CA_PUB_MAX, &text, &len)) != 0)
		return ca_fault(s->what, keyfile_fault(r, errno));
	r = cert_from_pub(text, len, &c, &why);
	if (r == AAD_EREFUSED && key_from_pub(text, len, &k, &unused) == 0) {
		key_release(&k);
		why = AAD_R_CERT_PLAIN_KEY;
	} else if (r == AAD_EREFUSED && why == AAD_R_KEY_MALFORMED) {
		why = AAD_R_CERT_MALFORMED;
	}
	explicit_bzero(text, len);
	free(text);
	if (r != 0) {
		ca_detail(s->app, why, "%s", s->what);
		return ca_refuse(s->app, why, s->json);
	}
	code = show_cert(s, &c);
	cert_release(&c);
	return code;
}

/* ---- the ledger ------------------------------------------------------- */

static void
print_row(void *arg, const json_t *row)
{
	(void)arg;
	rows_object(stdout, row, "");
}

static int
show_serial(struct show *s, uint64_t serial)
{
	struct rows r = { .app = s->app, .json = s->json, .print = print_row };
	struct wirebuf rq = wirebuf_new();
	enum reason why;

	request_begin(&rq, REQUEST_LIST);
	request_put_u64(&rq, REQUEST_L_SERIAL, serial);
	request_end(&rq);
	why = rows_ask(&r, &rq, NULL);
	if (why == AAD_R_ALLOWED && r.n == 0)
		why = AAD_R_UNKNOWN_SERIAL;
	return why == AAD_R_ALLOWED ? EXIT_DONE
				    : ca_refuse(s->app, why, s->json);
}

int
verb_show(void *arg, int argc, char **argv)
{
	struct show s = { .app = arg };
	uint64_t serial;
	int code;

	if (verb_json(argc, argv, 1, &s.json) != 0)
		return ca_usage(arg, argv[0]);
	s.what = argv[argc - 1];
	if ((code = ca_load(s.app)) != EXIT_DONE)
		return code;
	/* NB. a file of such a name is ./123. */
	return text_number(s.what, INT64_MAX, &serial) ? show_serial(&s, serial)
						       : show_file(&s);
}
