/* SPDX-License-Identifier: ISC */

/*
 * ca/signer: an authority's whole life: init, certificates, revocation,
 * publication, rotation over a clock that is driven, verify, backup, restore,
 * check.  Each operation runs as in a process of its own.  Names carry the
 * ids of attacks.md where a row is what the test is about.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sodium.h>

#include "ca/signer/archive.h"
#include "ca/signer/backup.h"
#include "ca/signer/manifest.h"
#include "ca/signer/published.h"
#include "ca/signer/signer.h"
#include "ca/signer/step.h"
#include "core/b64.h"
#include "core/file.h"
#include "core/name.h"
#include "core/strictjson.h"
#include "ssh/krl.h"
#include "ssh/sshsig.h"
#include "test/tools/forge.h"
#include "test/unit/fault.h"
#include "test/unit/lastlog.h"
#include "test/unit/mutate.h"
#include "test/unit/scratch.h"
#include "test/unit/unit.h"

#define NOW  INT64_C(1800000000)
#define HOUR INT64_C(3600)
#define DAY  (24 * HOUR)
#define CONF                                                                   \
	"[idp]\ntenant = " FORGE_TENANT "\nclient_id = " FORGE_CLIENT          \
	"\nauthority = https://login.example.test\n"                           \
	"[state]\ndir = %s/state\n"                                            \
	"[token]\nsign_in_max_age = 12h\nkeys_max_age = 24h\n"                 \
	"[ca]\ncerts_per_hour = 5\n"                                           \
	"[map]\ndomain = contoso.com\nrequire = role:ssh.user\nhosts = *\n"

/* One scratch authority, made anew for each test. */
struct world {
	char base[64];
	char state[80];
	struct conf *conf;
	struct rules *rules;
	struct signer s;
	struct wirebuf b; /* the request being written */
	enum request_op op;
	struct privkey subject;
	uint8_t *recovery; /* the private text of the last ask_init() */
	size_t recovery_len;
	bool follows; /* what base/in holds comes behind the request */
	int tokens; /* forged so far */
};

/* What an operation answered. */
struct got {
	enum reason why;
	json_t *end;
	json_t *rows; /* an array */
	uint8_t *data;
	size_t len;
	bool has_cert;
	struct cert cert;
};

static struct forge tenant;

/* ---- asking ------------------------------------------------------------ */

static void
request(struct world *w, enum request_op op)
{
	wirebuf_release(&w->b);
	w->b = wirebuf_new();
	w->op = op;
	w->follows = false;
	request_begin(&w->b, op);
}

static void
take_reply(struct got *g, enum request_op op, const struct request *rq)
{
	const struct request_field *f;
	enum reason why;
	json_t *o;

	if (op == REQUEST_ROW) {
		f = request_get(rq, REQUEST_L_JSON, 0);
		assert_int_equal(strictjson_load((const char *)f->p, f->len,
				     &o),
		    0);
		assert_int_equal(json_array_append_new(g->rows, o), 0);
	} else if (op == REQUEST_DATA) {
		f = request_get(rq, REQUEST_L_DATA, 0);
		g->data = realloc(g->data, g->len + f->len + 1);
		assert_non_null(g->data);
		memcpy(g->data + g->len, f->p, f->len);
		g->len += f->len;
	} else {
		assert_int_equal(op, REQUEST_CERTIFICATE);
		f = request_get(rq, REQUEST_L_KEY, 0);
		assert_int_equal(cert_from_blob(f->p, f->len, &g->cert, &why),
		    0);
		g->has_cert = true;
	}
}

static void
read_replies(const char *path, struct got *g)
{
	const struct file_owner any = { FILE_ANY_OWNER, FILE_ANY_OWNER, false };
	static struct request rq;
	enum request_op op;
	size_t len, n, at;
	char *text;

	assert_non_null(g->rows = json_array());
	assert_int_equal(file_read(AT_FDCWD, path, any, 64 << 20, &text, &len),
	    0);
	for (at = 0; at < len; at += REQUEST_HEAD_LEN + n) {
		const uint8_t *p = (const uint8_t *)text + at;

		assert_true(len - at >= REQUEST_HEAD_LEN);
		assert_int_equal(request_head(p, REQUEST_REPLY_MAX, &op, &n),
		    0);
		assert_true(len - at - REQUEST_HEAD_LEN >= n);
		assert_int_equal(request_parse(op, p + REQUEST_HEAD_LEN, n,
				     &rq),
		    0);
		take_reply(g, op, &rq);
	}
	free(text);
}

/* A name in the state directory. */
static const char *
in_state(const struct world *w, const char *name)
{
	static char path[120];

	snprintf(path, sizeof(path), "%s/%s", w->state, name);
	return path;
}

/* Where what follows a request lies. */
static const char *
in_path(const struct world *w)
{
	static char path[96];

	snprintf(path, sizeof(path), "%s/in", w->base);
	return path;
}

/* As a process of its own does: everything is opened again. */
static void
open_world(struct world *w)
{
	const struct file_owner self = { geteuid(), FILE_ANY_OWNER, false };

	w->s = (struct signer){ .conf_path = "test.conf",
		.conf = w->conf,
		.rules = w->rules,
		.now = w->s.now,
		.tenant = -1,
		.publish = -1,
		.agent = -1,
		.in = -1,
		.out = -1 };
	if (w->follows)
		w->s.in = open(in_path(w), O_RDONLY | O_CLOEXEC);
	w->s.dir = open(w->state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_not_equal(w->s.dir, -1);
	if (file_dir_open(w->s.dir, "tenant", self, &w->s.tenant) != 0)
		w->s.tenant = -1;
	if (file_dir_open(AT_FDCWD, w->conf->publish_dir, self,
		&w->s.publish) != 0)
		w->s.publish = -1;
}

static void
close_world(struct world *w)
{
	ledger_close(w->s.ledger);
	w->s.ledger = NULL;
	close(w->s.dir);
	file_close(w->s.in);
	file_close(w->s.tenant);
	file_close(w->s.publish);
	w->s.dir = w->s.tenant = w->s.publish = -1;
}

/* Send what request() began.  fault: armed around the operation alone. */
static struct got
answer_with(struct world *w, signer_fn *fn, enum fault_kind kind,
    unsigned int k, int err, bool *reachedp)
{
	static struct request rq;
	struct got g = { .why = AAD_R_UNSET };
	char path[96];

	request_end(&w->b);
	assert_int_equal(w->b.r, 0);
	assert_int_equal(request_parse(w->op, w->b.p + REQUEST_HEAD_LEN,
			     w->b.len - REQUEST_HEAD_LEN, &rq),
	    0);
	open_world(w);
	snprintf(path, sizeof(path), "%s/out", w->base);
	w->s.out = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_int_not_equal(w->s.out, -1);
	if (kind != FAULT_NONE)
		fault_arm(kind, k, err);
	g.why = fn(&w->s, &rq, &g.end);
	if (kind != FAULT_NONE)
		*reachedp = fault_disarm();
	close(w->s.out);
	close_world(w);
	read_replies(path, &g);
	return g;
}

static struct got
answer(struct world *w, signer_fn *fn)
{
	return answer_with(w, fn, FAULT_NONE, 0, 0, NULL);
}

static void
got_release(struct got *g)
{
	json_decref(g->end);
	json_decref(g->rows);
	free(g->data);
	cert_release(&g->cert);
	memset(g, 0, sizeof(*g));
}

static void
expect_why(struct world *w, const struct got *g, enum reason want,
    const char *where)
{
	if (g->why != want)
		fail_msg("%s: %s (%s), not %s", where, reason_name(g->why),
		    w->s.detail, reason_name(want));
}

/* Send it, and only the reason counts. */
static void
expect(struct world *w, signer_fn *fn, enum reason want, const char *where)
{
	struct got g = answer(w, fn);

	expect_why(w, &g, want, where);
	got_release(&g);
}

static int64_t
number(const json_t *o, const char *name)
{
	assert_true(json_is_integer(json_object_get(o, name)));
	return json_integer_value(json_object_get(o, name));
}

static const char *
text(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	if (s == NULL)
		fail_msg("no text \"%s\"", name);
	return s;
}

/* How many rows have this text as a member. */
static size_t
rows_with(const struct got *g, const char *name, const char *value)
{
	size_t n = 0, i;

	for (i = 0; i < json_array_size(g->rows); i++) {
		const char *is = json_string_value(
		    json_object_get(json_array_get(g->rows, i), name));

		n += is != NULL && strcmp(is, value) == 0;
	}
	return n;
}

/* Run a script in the state directory; it must succeed. */
static void
shell(struct world *w, const char *script)
{
	char command[1000];

	assert_true(snprintf(command, sizeof(command), "cd %s && %s", w->state,
			script) < (int)sizeof(command));
	if (system(command) != 0)
		fail_msg("%s", script);
}

/* ---- an authority ------------------------------------------------------ */

/* What aadssh-ca does before it asks: a recovery key, in w->recovery. */
static void
ask_init(struct world *w)
{
	uint8_t seed[PRIVKEY_SEED_LEN];
	struct secret *text;
	struct privkey k;

	randombytes_buf(seed, sizeof(seed));
	assert_int_equal(privkey_of_seed(seed, &k), 0);
	assert_int_equal(privkey_format(&k, 1, "recovery", &text), 0);
	free(w->recovery);
	w->recovery_len = secret_len(text);
	w->recovery = malloc(w->recovery_len);
	assert_non_null(w->recovery);
	memcpy(w->recovery, secret_bytes(text), w->recovery_len);
	secret_free(text);
	request(w, REQUEST_INIT);
	request_put(&w->b, REQUEST_L_KEY, k.pub.blob, k.pub.blob_len);
	privkey_release(&k);
}

static void
init(struct world *w)
{
	ask_init(w);
	expect(w, op_init, AAD_R_ALLOWED, "init");
}

static void
write_tenant_keys(struct world *w)
{
	struct jwks *keys = forge_jwks(&tenant, w->s.now - 60, 2);
	char *p;
	size_t len;

	open_world(w);
	assert_int_equal(jwks_format(keys, &p, &len), 0);
	assert_int_equal(file_replace(w->s.tenant, "keys.json", p, len, 0644),
	    0);
	close_world(w);
	free(p);
	jwks_free(keys);
}

static int64_t
publish(struct world *w)
{
	struct got g;
	int64_t version;

	request(w, REQUEST_STAGE);
	g = answer(w, op_stage);
	expect_why(w, &g, AAD_R_ALLOWED, "stage");
	version = number(g.end, "version");
	got_release(&g);
	request(w, REQUEST_COMMIT);
	request_put_u64(&w->b, REQUEST_L_VERSION, (uint64_t)version);
	expect(w, op_commit, AAD_R_ALLOWED, "commit");
	return version;
}

/* Rows as whoever holds the file could add them. */
static void
append_rows(struct world *w, int n)
{
	struct event e = { .at = w->s.now, .kind = EVENT_UNPIN, .login = "x" };
	enum reason why;

	open_world(w);
	assert_int_equal(signer_ledger(&w->s), AAD_R_ALLOWED);
	assert_int_equal(ledger_begin(w->s.ledger, &why), 0);
	for (; n > 0; n--)
		assert_int_equal(ledger_append(w->s.ledger, &e, &why), 0);
	assert_int_equal(ledger_commit(w->s.ledger, &why), 0);
	close_world(w);
}

static struct cert last_cert; /* of sign_user() */

/* A certificate for alice, or for whoever has the oid. */
static uint64_t
sign_user(struct world *w, const char *oid, const char *upn)
{
	struct got g;
	uint64_t serial;
	char *claims, *token, uti[40];

	snprintf(uti, sizeof(uti), ",\"n\":%d", w->tokens++);
	claims = forge_claims(oid, upn, w->s.now - 5, w->s.now + 3600, uti);
	token = forge_token(&tenant, NULL, claims);
	write_tenant_keys(w);
	request(w, REQUEST_SIGN);
	request_put(&w->b, REQUEST_L_KEY, w->subject.pub.blob,
	    w->subject.pub.blob_len);
	request_put_text(&w->b, REQUEST_L_TOKEN, token);
	request_put_text(&w->b, REQUEST_L_CONTEXT, "via=test");
	g = answer(w, op_sign);
	expect_why(w, &g, AAD_R_ALLOWED, "sign");
	assert_true(g.has_cert);
	serial = g.cert.serial;
	cert_release(&last_cert);
	last_cert = g.cert;
	memset(&g.cert, 0, sizeof(g.cert));
	got_release(&g);
	free(claims);
	free(token);
	return serial;
}

/* With alice's token of this time, for a key. */
static enum reason
try_token(struct world *w, int64_t iat, const struct key *k)
{
	struct got g;
	enum reason why;
	char *claims = forge_claims(FORGE_OID, "alice@contoso.com", iat,
	    iat + 3600, ",\"again\":1");
	char *token = forge_token(&tenant, NULL, claims);

	write_tenant_keys(w);
	request(w, REQUEST_SIGN);
	request_put(&w->b, REQUEST_L_KEY, k->blob, k->blob_len);
	request_put_text(&w->b, REQUEST_L_TOKEN, token);
	request_put_text(&w->b, REQUEST_L_CONTEXT, "via=test");
	g = answer(w, op_sign);
	why = g.why;
	got_release(&g);
	free(claims);
	free(token);
	return why;
}

/* The same, whole: one of alice's. */
static struct cert
user_cert(struct world *w)
{
	uint64_t serial = sign_user(w, FORGE_OID, "alice@contoso.com");
	struct cert c = last_cert;

	assert_int_equal(c.serial, serial);
	memset(&last_cert, 0, sizeof(last_cert));
	return c;
}

static enum reason
try_sign(struct world *w)
{
	return try_token(w, w->s.now - 5, &w->subject.pub);
}

/* For a host certificate, which needs no token; ttl 0: the usual. */
static void
ask_sign_host(struct world *w, uint64_t ttl, bool dry)
{
	request(w, REQUEST_SIGN_HOST);
	request_put(&w->b, REQUEST_L_KEY, w->subject.pub.blob,
	    w->subject.pub.blob_len);
	if (ttl != 0)
		request_put_u64(&w->b, REQUEST_L_TTL, ttl);
	if (dry)
		request_put_flag(&w->b, REQUEST_L_DRY_RUN);
	request_put_text(&w->b, REQUEST_L_CONTEXT, "via=test");
	request_put_text(&w->b, REQUEST_L_NAME, "web1.example.com");
}

static struct cert
sign_host(struct world *w, uint64_t ttl)
{
	struct cert c;
	struct got g;

	ask_sign_host(w, ttl, false);
	g = answer(w, op_sign_host);
	expect_why(w, &g, AAD_R_ALLOWED, "sign-host");
	c = g.cert;
	memset(&g.cert, 0, sizeof(g.cert));
	got_release(&g);
	return c;
}

static void
verify(struct world *w, size_t faults)
{
	struct got g;
	size_t i;

	request(w, REQUEST_VERIFY);
	g = answer(w, op_verify);
	if (g.end == NULL || number(g.end, "faults") != (int64_t)faults) {
		for (i = 0; i < json_array_size(g.rows); i++)
			print_error("%s\n",
			    text(json_array_get(g.rows, i), "text"));
		fail_msg("%s: not %zu faults", reason_name(g.why), faults);
	}
	expect_why(w, &g, faults == 0 ? AAD_R_ALLOWED : AAD_R_LEDGER_ALTERED,
	    "verify");
	got_release(&g);
}

/* The fingerprint of a role's key at a stage, "" when there is none. */
static void
key_at(struct world *w, enum ca_role role, enum ca_stage stage,
    char out[static KEY_FP_LEN + 1])
{
	const struct keyring_key *k;
	struct keyring ring;

	open_world(w);
	assert_int_equal(step_keys(&w->s, &ring), AAD_R_ALLOWED);
	out[0] = '\0';
	if ((k = keyring_find(&ring, role, stage)) != NULL)
		key_fingerprint(&k->pub, out);
	keyring_release(&ring);
	close_world(w);
}

static void
expect_key(struct world *w, enum ca_role role, enum ca_stage stage,
    const char *fp)
{
	char is[KEY_FP_LEN + 1];

	key_at(w, role, stage, is);
	assert_string_equal(is, fp);
}

/* A file of the current publication. */
static char *
current_file(struct world *w, const char *name, size_t *lenp)
{
	const struct file_owner any = { FILE_ANY_OWNER, FILE_ANY_OWNER, false };
	char path[200];
	char *p;

	snprintf(path, sizeof(path), "%s/public/current/%s", w->state, name);
	assert_int_equal(file_read(AT_FDCWD, path, any, 16 << 20, &p, lenp), 0);
	return p;
}

static struct krl *
current_krl(struct world *w)
{
	struct krl *k;
	size_t len;
	char *p = current_file(w, "krl", &len);

	assert_int_equal(krl_decode((uint8_t *)p, len, &k), 0);
	free(p);
	return k;
}

static bool
krl_has(struct world *w, const struct cert *c)
{
	struct krl *k = current_krl(w);
	bool yes = krl_has_cert(k, &c->ca, c->serial, c->key_id) ||
		   krl_has_key(k, &c->ca) || krl_has_key(k, &c->key);

	krl_free(k);
	return yes;
}

/* The version that hosts see, whole, its signature and all; 0: none. */
static uint64_t
current(struct world *w)
{
	struct keyring ring;
	struct manifest m;
	uint64_t v;
	int r;

	open_world(w);
	r = published_current(w->s.publish, &v);
	if (r == AAD_ENOENT) {
		close_world(w);
		return 0;
	}
	assert_int_equal(r, 0);
	assert_int_equal(step_keys(&w->s, &ring), AAD_R_ALLOWED);
	if (published_check(&w->s, v, &ring, &m) != AAD_R_ALLOWED)
		fail_msg("version %d: %s", (int)v, w->s.detail);
	manifest_release(&m);
	keyring_release(&ring);
	close_world(w);
	return v;
}

/* What ssh-keygen says of a certificate and the KRL: 0 good, 1 revoked. */
static int
keygen(struct world *w, const struct cert *c)
{
	char path[120], command[400];
	char *line;
	FILE *f;
	int status;

	snprintf(path, sizeof(path), "%s/q-cert.pub", w->base);
	assert_int_equal(cert_line(c, "test", &line), 0);
	assert_non_null(f = fopen(path, "w"));
	assert_true(fputs(line, f) >= 0);
	assert_int_equal(fclose(f), 0);
	free(line);
	snprintf(command, sizeof(command),
	    "ssh-keygen -Q -f %s/public/current/krl %s >/dev/null 2>&1",
	    w->state, path);
	status = system(command);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int
setup_empty(void **state)
{
	const uint8_t seed[PRIVKEY_SEED_LEN] = { 7 };
	struct world *w = calloc(1, sizeof(*w));
	struct conf_error why;
	char conf[1200];

	assert_non_null(w);
	umask(022);
	signal(SIGPIPE, SIG_IGN);
	/* Thousands of fsyncs are a matter of minutes on a disk. */
	snprintf(w->base, sizeof(w->base), "%s/aadssh-test-XXXXXX", UNIT_TMP);
	assert_non_null(mkdtemp(w->base));
	snprintf(w->state, sizeof(w->state), "%s/state", w->base);
	assert_int_equal(mkdir(w->state, 0755), 0);
	snprintf(conf, sizeof(conf), CONF, w->base);
	if (conf_parse(conf, strlen(conf), &w->conf, &why) != 0 ||
	    rules_new(w->conf, &w->rules, &why) != 0)
		fail_msg("%u: %s", why.line, why.text);
	assert_int_equal(privkey_of_seed(seed, &w->subject), 0);
	w->s.now = NOW;
	w->b = wirebuf_new();
	*state = w;
	return 0;
}

static int
setup(void **state)
{
	setup_empty(state);
	init(*state);
	return 0;
}

static int
teardown(void **state)
{
	struct world *w = *state;
	wirebuf_release(&w->b);
	privkey_release(&w->subject);
	rules_free(w->rules);
	conf_free(w->conf);
	free(w->recovery);
	cert_release(&last_cert);
	assert_int_equal(scratch_remove(w->base), 0);
	free(w);
	return 0;
}

/* ---- init -------------------------------------------------------------- */

static void
expect_mode(struct world *w, const char *name, unsigned int mode)
{
	char path[200];
	struct stat sb;

	snprintf(path, sizeof(path), "%s/%s", w->state, name);
	assert_int_equal(lstat(path, &sb), 0);
	if ((sb.st_mode & 07777) != mode)
		fail_msg("%s: %o", name, sb.st_mode & 07777);
}

static void
valid_init(void **state)
{
	struct world *w = *state;
	char fp[KEY_FP_LEN + 1], is[KEY_FP_LEN + 1];
	struct privkey k;

	expect_mode(w, "keys", 0700);
	expect_mode(w, "ledger", 0700);
	expect_mode(w, "manifests", 0700);
	expect_mode(w, "locks", 0700);
	expect_mode(w, "tenant", 0755);
	expect_mode(w, "public", 0755);
	key_at(w, CA_ROLE_RECOVERY, CA_STAGE_ACTIVE, fp);
	assert_int_equal(privkey_parse((char *)w->recovery, w->recovery_len,
			     &k),
	    0);
	key_at(w, CA_ROLE_RECOVERY, CA_STAGE_ACTIVE, fp);
	key_fingerprint(&k.pub, is);
	assert_string_equal(fp, is);
	privkey_release(&k);
	/* three private keys, and the recovery key is none of them */
	shell(w, "test $(ls keys | wc -l) = 3 && test $(stat -c %a keys/* | "
		 "sort -u) = 600");
	verify(w, 0);
}

static void
duplicate_init(void **state)
{
	struct world *w = *state;
	char before[KEY_FP_LEN + 1];

	key_at(w, CA_ROLE_USER, CA_STAGE_ACTIVE, before);
	ask_init(w);
	expect(w, op_init, AAD_R_CA_EXISTS, "again");
	expect_key(w, CA_ROLE_USER, CA_STAGE_ACTIVE, before);
	/* and where only the ledger is gone */
	shell(w, "rm -r ledger");
	ask_init(w);
	expect(w, op_init, AAD_R_CA_EXISTS, "keys without a ledger");
	shell(w, "test $(ls keys | wc -l) = 3");
}

/* It must be Ed25519, which backups are sealed for, and there. */
static void
recovery_key(void **state)
{
	struct world *w = *state;
	uint8_t junk[64] = { 0 };

	request(w, REQUEST_INIT);
	expect(w, op_init, AAD_R_REQUEST_MALFORMED, "none");
	request(w, REQUEST_INIT);
	request_put(&w->b, REQUEST_L_KEY, junk, sizeof(junk));
	expect(w, op_init, AAD_R_KEY_MALFORMED, "junk");
	request(w, REQUEST_INIT);
	request_put(&w->b, REQUEST_L_KEY, w->subject.pub.blob,
	    w->subject.pub.blob_len - 1);
	expect(w, op_init, AAD_R_KEY_MALFORMED, "cut");
	shell(w, "! ls keys/*.key >/dev/null 2>&1");
	init(w);
}

static void
imported_key(void **state)
{
	static const char junk[] = "-----BEGIN RSA PRIVATE KEY-----\n";
	struct world *w = *state;
	char fp[KEY_FP_LEN + 1], is[KEY_FP_LEN + 1];
	struct secret *key;

	assert_int_equal(privkey_format(&w->subject, 1, "x", &key), 0);
	ask_init(w);
	request_put(&w->b, REQUEST_L_IMPORT, junk, sizeof(junk) - 1);
	expect(w, op_init, AAD_R_CA_KEY, "junk");
	ask_init(w);
	request_put(&w->b, REQUEST_L_USER_CA, w->subject.pub.blob,
	    w->subject.pub.blob_len);
	expect(w, op_init, AAD_R_REQUEST_MALFORMED, "named without agent");
	ask_init(w);
	request_put(&w->b, REQUEST_L_IMPORT, secret_bytes(key),
	    secret_len(key));
	expect(w, op_init, AAD_R_ALLOWED, "import");
	key_fingerprint(&w->subject.pub, fp);
	key_at(w, CA_ROLE_USER, CA_STAGE_ACTIVE, is);
	assert_string_equal(is, fp);
	secret_free(key);
	/* A key of the authority is never a subject's. */
	request(w, REQUEST_SIGN_HOST);
	request_put(&w->b, REQUEST_L_KEY, w->subject.pub.blob,
	    w->subject.pub.blob_len);
	request_put_text(&w->b, REQUEST_L_CONTEXT, "");
	request_put_text(&w->b, REQUEST_L_NAME, "web1.example.com");
	expect(w, op_sign_host, AAD_R_KEY_REVOKED, "own key");
}

/* Run what request() began in a child that is killed at its k-th call. */
static bool
killed(struct world *w, signer_fn *fn, unsigned int k)
{
	pid_t pid = fork();
	int status;

	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		bool reached;
		struct got g = answer_with(w, fn, FAULT_KILL, k, 0, &reached);

		_exit(g.why == AAD_R_ALLOWED ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 137)
		return true;
	assert_int_equal(WEXITSTATUS(status), 0);
	return false;
}

static void
start_over(struct world *w)
{
	assert_int_equal(scratch_remove(w->state), 0);
	assert_int_equal(mkdir(w->state, 0755), 0);
	assert_int_equal(chmod(w->state, 0755), 0);
}

static void
expect_tidy(struct world *w)
{
	struct got g;

	request(w, REQUEST_CHECK);
	g = answer(w, op_check);
	/* nothing is published, no tenant keys; but no file is left over */
	if (rows_with(&g, "text", "no file is there that none knows of") != 1)
		fail_msg("files are left over");
	got_release(&g);
}

static void
init_killed_anywhere(void **state)
{
	struct world *w = *state;
	unsigned int k;

	for (k = 1;; k++) {
		start_over(w);
		ask_init(w);
		if (!killed(w, op_init, k))
			break;
		ask_init(w);
		{
			struct got g = answer(w, op_init);

			/* killed behind its last write: it is done */
			if (g.why != AAD_R_CA_EXISTS)
				expect_why(w, &g, AAD_R_ALLOWED, "once more");
			got_release(&g);
		}
		verify(w, 0);
		expect_tidy(w);
	}
	assert_true(k > 40);
}

/* ---- revocation -------------------------------------------------------- */

static void
revoke_it(struct world *w, enum request_label what, const void *p, size_t len,
    enum reason want, const char *where)
{
	request(w, REQUEST_REVOKE);
	request_put_text(&w->b, REQUEST_L_CONTEXT, "via=test");
	request_put(&w->b, what, p, len);
	request_put_text(&w->b, REQUEST_L_TEXT, "lost");
	expect(w, op_revoke, want, where);
}

static void
revoke_text(struct world *w, enum request_label what, const char *s,
    enum reason want, const char *where)
{
	revoke_it(w, what, s, strlen(s), want, where);
}

static void
revoke_serial(struct world *w, uint64_t serial, enum reason want)
{
	request(w, REQUEST_REVOKE);
	request_put_text(&w->b, REQUEST_L_CONTEXT, "via=test");
	request_put_u64(&w->b, REQUEST_L_SERIAL, serial);
	request_put_text(&w->b, REQUEST_L_TEXT, "lost");
	expect(w, op_revoke, want, "serial");
}

static size_t
count_state(struct world *w, const char *state)
{
	struct got g;
	size_t n;

	request(w, REQUEST_LIST);
	g = answer(w, op_list);
	expect_why(w, &g, AAD_R_ALLOWED, "list");
	n = rows_with(&g, "state", state);
	assert_int_equal(number(g.end, "certificates"),
	    json_array_size(g.rows));
	got_release(&g);
	return n;
}

static void
I_C15_a_serial_revokes_one_certificate(void **state)
{
	struct world *w = *state;
	struct cert a = sign_host(w, 0), b = sign_host(w, 0);

	revoke_serial(w, a.serial, AAD_R_ALLOWED);
	assert_non_null(strstr(lastlog, "event=revoke"));
	revoke_serial(w, a.serial, AAD_R_ALLOWED); /* once is enough */
	assert_int_equal(count_state(w, "revoked"), 1);
	assert_int_equal(count_state(w, "issued"), 1);
	publish(w);
	assert_true(krl_has(w, &a));
	assert_false(krl_has(w, &b));
	assert_int_equal(keygen(w, &a), 1);
	assert_int_equal(keygen(w, &b), 0);
	revoke_serial(w, a.serial ^ b.serial ^ 1, AAD_R_UNKNOWN_SERIAL);
	revoke_serial(w, 0, AAD_R_UNKNOWN_SERIAL);
	revoke_serial(w, UINT64_MAX, AAD_R_UNKNOWN_SERIAL);
	verify(w, 0);
	cert_release(&a);
	cert_release(&b);
}

static void
II_C14_exactly_one_subject(void **state)
{
	struct world *w = *state;

	request(w, REQUEST_REVOKE);
	request_put_text(&w->b, REQUEST_L_CONTEXT, "via=test");
	expect(w, op_revoke, AAD_R_REQUEST_MALFORMED, "none");
	request(w, REQUEST_REVOKE);
	request_put_text(&w->b, REQUEST_L_OID, FORGE_OID);
	request_put_u64(&w->b, REQUEST_L_SERIAL, 5);
	expect(w, op_revoke, AAD_R_REQUEST_MALFORMED, "two");
	request(w, REQUEST_UNREVOKE);
	request_put(&w->b, REQUEST_L_HASH, w->subject.pub.hash, 32);
	expect(w, op_unrevoke, AAD_R_REQUEST_MALFORMED, "a key for ever");
	request(w, REQUEST_UNREVOKE);
	request_put_u64(&w->b, REQUEST_L_SERIAL, 5);
	expect(w, op_unrevoke, AAD_R_REQUEST_MALFORMED, "a serial for ever");
	revoke_text(w, REQUEST_L_OID, "nobody", AAD_R_REQUEST_MALFORMED, "oid");
	verify(w, 0);
}

static void
revoke_because(struct world *w, const char *reason, const char *context,
    enum reason want)
{
	request(w, REQUEST_REVOKE);
	request_put_text(&w->b, REQUEST_L_CONTEXT, context);
	request_put_text(&w->b, REQUEST_L_OID, FORGE_OID);
	request_put_text(&w->b, REQUEST_L_TEXT, reason);
	expect(w, op_revoke, want, reason);
}

/* Words have a bound; a strange encoding keeps nobody from revoking. */
static void
words_of_a_revocation(void **state)
{
	struct world *w = *state;
	char words[402];
	struct got g;

	sign_user(w, FORGE_OID, "alice@contoso.com");
	memset(words, 'x', sizeof(words));
	words[401] = '\0';
	revoke_because(w, words, "", AAD_R_REQUEST_MALFORMED);
	revoke_because(w, "", words, AAD_R_REQUEST_MALFORMED);
	assert_int_equal(count_state(w, "revoked"), 0);
	words[400] = '\0';
	words[0] = '\xff';
	revoke_because(w, words, words, AAD_R_ALLOWED);
	words[0] = '?';
	request(w, REQUEST_LIST);
	g = answer(w, op_list);
	assert_int_equal(rows_with(&g, "revoked_reason", words), 1);
	got_release(&g);
	verify(w, 0);
}

static void
I_C15_an_identity_and_no_other(void **state)
{
	struct world *w = *state;
	struct got g;
	char *p;
	size_t len;

	sign_user(w, FORGE_OID, "alice@contoso.com");
	sign_user(w, FORGE_OID2, "bob@contoso.com");
	revoke_text(w, REQUEST_L_USER, "carol@contoso.com", AAD_R_UNKNOWN_USER,
	    "nobody");
	revoke_text(w, REQUEST_L_USER, "Alice@Contoso.com", AAD_R_ALLOWED,
	    "alice");
	assert_int_equal(count_state(w, "revoked"), 1);
	assert_int_equal(count_state(w, "issued"), 1);
	assert_int_equal(try_sign(w), AAD_R_IDENTITY_REVOKED);
	sign_user(w, FORGE_OID2, "bob@contoso.com");
	publish(w);
	p = current_file(w, "denials.json", &len);
	assert_non_null(strstr(p,
	    "\"oid\":\"" FORGE_OID "\",\"tid\":\"" FORGE_TENANT "\""));
	assert_null(strstr(p, FORGE_OID2));
	free(p);
	/* lifted: she may sign in again, and the serial stays revoked */
	request(w, REQUEST_UNREVOKE);
	request_put_text(&w->b, REQUEST_L_OID, FORGE_OID);
	g = answer(w, op_unrevoke);
	expect_why(w, &g, AAD_R_ALLOWED, "unrevoke");
	assert_string_equal(text(g.end, "oid"), FORGE_OID);
	got_release(&g);
	assert_non_null(strstr(lastlog, "event=unrevoke"));
	assert_non_null(strstr(lastlog, "by=oid"));
	request(w, REQUEST_UNREVOKE);
	request_put_text(&w->b, REQUEST_L_USER, "alice@contoso.com");
	expect(w, op_unrevoke, AAD_R_NOT_REVOKED, "twice");
	request(w, REQUEST_UNREVOKE);
	request_put_text(&w->b, REQUEST_L_USER, "carol@contoso.com");
	expect(w, op_unrevoke, AAD_R_UNKNOWN_USER, "nobody");
	assert_int_equal(try_sign(w), AAD_R_ALLOWED);
	request(w, REQUEST_LIST);
	request_put_text(&w->b, REQUEST_L_OID, FORGE_OID);
	g = answer(w, op_list);
	assert_int_equal(rows_with(&g, "state", "revoked"), 1);
	assert_int_equal(rows_with(&g, "state", "issued"), 1);
	assert_string_equal(text(json_array_get(g.rows, 0), "revoked_reason"),
	    "lost");
	got_release(&g);
	publish(w);
	p = current_file(w, "denials.json", &len);
	assert_null(strstr(p, FORGE_OID));
	free(p);
	/* and what was lifted once can be denied again */
	revoke_text(w, REQUEST_L_OID, FORGE_OID, AAD_R_ALLOWED, "again");
	assert_int_equal(try_sign(w), AAD_R_IDENTITY_REVOKED);
	publish(w);
	p = current_file(w, "denials.json", &len);
	assert_non_null(strstr(p, FORGE_OID));
	free(p);
	verify(w, 0);
}

static void
ambiguous_user(void **state)
{
	struct world *w = *state;
	struct got g;

	sign_user(w, FORGE_OID, "alice@contoso.com");
	request(w, REQUEST_UNREVOKE);
	request_put_text(&w->b, REQUEST_L_LOGIN, "alice");
	g = answer(w, op_unrevoke);
	expect_why(w, &g, AAD_R_ALLOWED, "pin");
	assert_string_equal(text(g.end, "oid"), FORGE_OID);
	got_release(&g);
	assert_non_null(strstr(lastlog, "by=pin"));
	request(w, REQUEST_UNREVOKE);
	request_put_text(&w->b, REQUEST_L_LOGIN, "alice");
	expect(w, op_unrevoke, AAD_R_NOT_REVOKED, "no pin");
	request(w, REQUEST_UNREVOKE);
	request_put_text(&w->b, REQUEST_L_LOGIN, "../etc");
	expect(w, op_unrevoke, AAD_R_BAD_LOGIN, "grammar");
	/* the name went to somebody else */
	sign_user(w, FORGE_OID2, "alice@contoso.com");
	revoke_text(w, REQUEST_L_USER, "alice@contoso.com",
	    AAD_R_AMBIGUOUS_USER, "two");
	assert_non_null(strstr(w->s.detail, FORGE_OID));
	assert_non_null(strstr(w->s.detail, FORGE_OID2));
	assert_int_equal(count_state(w, "revoked"), 0);
}

static void
a_key_is_revoked_for_ever(void **state)
{
	struct world *w = *state;
	char fp[KEY_FP_LEN + 1], *p;
	size_t len;
	struct cert c = sign_host(w, 0);

	revoke_it(w, REQUEST_L_HASH, c.ca_hash, 32, AAD_R_CA_KEY, "our own");
	revoke_it(w, REQUEST_L_HASH, c.key.hash, 32, AAD_R_ALLOWED, "key");
	revoke_it(w, REQUEST_L_HASH, c.key.hash, 32, AAD_R_ALLOWED, "again");
	assert_int_equal(try_sign(w), AAD_R_KEY_REVOKED);
	publish(w);
	key_fingerprint(&c.key, fp);
	p = current_file(w, "denials.json", &len);
	assert_non_null(strstr(p, fp));
	free(p);
	assert_int_equal(keygen(w, &c), 1);
	w->s.now += 400 * DAY;
	publish(w);
	assert_true(krl_has(w, &c));
	verify(w, 0);
	cert_release(&c);
}

/* What the rows of a kind say, against what the certificates do. */
struct told {
	const struct cert *certs;
	size_t n, seen;
	const char *by, *oid, *reason;
};

static int
revoked_row(void *arg, const struct event *e)
{
	struct told *t = arg;
	size_t i;

	assert_string_equal(text(e->body, "by"), t->by);
	assert_string_equal(text(e->body, "reason"), t->reason);
	assert_string_equal(text(e->body, "context"), "via=test");
	assert_string_equal(e->oid, t->oid);
	assert_string_equal(e->tid, t->oid[0] != '\0' ? FORGE_TENANT : "");
	for (i = 0; i < t->n && t->certs[i].serial != e->serial; i++)
		continue;
	assert_in_range(i, 0, t->n - 1);
	assert_int_equal(e->type, t->certs[i].type);
	assert_int_equal(e->valid_before, t->certs[i].valid_before);
	assert_true(e->has_ca && e->has_key);
	assert_memory_equal(e->ca_hash, t->certs[i].ca_hash, 32);
	assert_memory_equal(e->key_hash, t->certs[i].key.hash, 32);
	t->seen++;
	return 0;
}

static int
denied_row(void *arg, const struct event *e)
{
	struct told *t = arg;

	assert_string_equal(text(e->body, "reason"), t->reason);
	assert_string_equal(e->oid, t->oid);
	assert_string_equal(e->tid, t->oid[0] != '\0' ? FORGE_TENANT : "");
	assert_int_equal(e->has_key, t->oid[0] == '\0');
	if (e->has_key)
		assert_memory_equal(e->key_hash, t->certs[0].key.hash, 32);
	t->seen++;
	return 0;
}

static size_t
rows_told(struct world *w, enum event_kind kind, struct told *t)
{
	const struct ledger_filter f = { .kind = kind };
	enum reason why;

	t->seen = 0;
	open_world(w);
	assert_int_equal(signer_ledger(&w->s), AAD_R_ALLOWED);
	assert_int_equal(ledger_each(w->s.ledger, &f,
			     kind == EVENT_REVOKED ? revoked_row : denied_row,
			     t, &why),
	    0);
	close_world(w);
	return t->seen;
}

static int64_t
rows_at_all(struct world *w)
{
	uint8_t head[32];
	enum reason why;
	int64_t n;

	open_world(w);
	assert_int_equal(signer_ledger(&w->s), AAD_R_ALLOWED);
	assert_int_equal(ledger_head(w->s.ledger, &n, head, &why), 0);
	close_world(w);
	return n;
}

/* P17: every certificate of what is revoked has its row, once; whoever is
 * revoked twice has no more rows than once. */
static void
II_P17_every_certificate_is_revoked(void **state)
{
	static const char *const by[] = { "serial", "oid", "user", "key",
		"ca_key" };
	const size_t n = 70; /* more than are collected at once */
	struct cert certs[70];
	struct world *w;
	size_t i, k;

	for (i = 0; i < sizeof(by) / sizeof(by[0]); i++) {
		const size_t many = i == 0 ? 1 : i < 3 ? 3 : n;
		struct told t = { certs, many, 0, by[i],
			i == 1 || i == 2 ? FORGE_OID : "", "lost" };
		char want[40];
		int64_t rows = 0;
		struct got g;

		setup_empty(state);
		w = *state;
		init(w);
		for (k = 0; k < many; k++)
			certs[k] = i == 1 || i == 2 ? user_cert(w)
						    : sign_host(w, 0);
		for (k = 0; k < 2; k++) { /* and once more */
			request(w, REQUEST_REVOKE);
			request_put_text(&w->b, REQUEST_L_CONTEXT, "via=test");
			if (i == 1)
				request_put_text(&w->b, REQUEST_L_OID,
				    FORGE_OID);
			if (i == 2)
				request_put_text(&w->b, REQUEST_L_USER,
				    "alice@contoso.com");
			if (i == 3)
				request_put(&w->b, REQUEST_L_HASH,
				    certs[0].key.hash, 32);
			if (i == 4)
				request_put(&w->b, REQUEST_L_CA_HASH,
				    certs[0].ca_hash, 32);
			if (i == 0)
				request_put_u64(&w->b, REQUEST_L_SERIAL,
				    certs[0].serial);
			request_put_text(&w->b, REQUEST_L_TEXT, "lost");
			g = answer(w, op_revoke);
			expect_why(w, &g, AAD_R_ALLOWED, by[i]);
			assert_int_equal(number(g.end, "revoked"),
			    k == 0 ? many : 0);
			assert_int_equal(json_is_true(json_object_get(g.end,
					     "denied")),
			    k == 0 && i > 0 && i < 4);
			if (t.oid[0] != '\0')
				assert_string_equal(text(g.end, "oid"), t.oid);
			else
				assert_null(json_object_get(g.end, "oid"));
			got_release(&g);
			snprintf(want, sizeof(want), "by=%s ", by[i]);
			assert_non_null(strstr(lastlog, want));
			snprintf(want, sizeof(want), "revoked=%d ",
			    k == 0 ? (int)many : 0);
			assert_non_null(strstr(lastlog, want));
			assert_int_equal(rows_told(w, EVENT_REVOKED, &t), many);
			assert_int_equal(rows_told(w, EVENT_DENIED, &t),
			    i > 0 && i < 4);
			if (k == 0)
				rows = rows_at_all(w);
		}
		assert_int_equal(rows_at_all(w), rows);
		verify(w, 0);
		for (k = 0; k < many; k++)
			cert_release(&certs[k]);
		teardown(state);
	}
}

/* More identities had the name than a line can list. */
static void
many_that_had_one_name(void **state)
{
	struct world *w = *state;
	char oid[] = "0000000a-0000-4000-8000-000000000000";

	for (oid[0] = 'a'; oid[0] <= 'f'; oid[0]++) {
		for (oid[1] = '0'; oid[1] < '3'; oid[1]++) {
			sign_user(w, oid, "alice@contoso.com");
			request(w, REQUEST_UNREVOKE);
			request_put_text(&w->b, REQUEST_L_LOGIN, "alice");
			expect(w, op_unrevoke, AAD_R_ALLOWED, oid);
		}
	}
	revoke_text(w, REQUEST_L_USER, "alice@contoso.com",
	    AAD_R_AMBIGUOUS_USER, "eighteen");
	assert_in_range(strlen(w->s.detail), 300, SIGNER_DETAIL_MAX - 1);
	assert_int_equal(count_state(w, "revoked"), 0);
}

/* ---- serials beside each other ----------------------------------------- */

static uint64_t next_serial;

static const char *
counting_name(void)
{
	return "counting";
}

static uint32_t
counting_random(void)
{
	return 4;
}

/* A serial is drawn as eight bytes, and nothing else is. */
static void
counting_buf(void *const p, const size_t len)
{
	memset(p, 0x5a, len);
	if (len == sizeof(next_serial)) {
		memcpy(p, &next_serial, len);
		next_serial++;
	}
}

static struct randombytes_implementation counting = {
	.implementation_name = counting_name,
	.random = counting_random,
	.buf = counting_buf,
};

/* One that is not revoked between those that are stays good. */
static void
I_E3_neighbours_of_a_revoked_serial(void **state)
{
	static const bool revoked[] = { true, true, false, true, false, false,
		true, true, true };
	struct world *w = *state;
	struct cert c[sizeof(revoked)];
	size_t i;

	next_serial = 5;
	assert_int_equal(randombytes_set_implementation(&counting), 0);
	for (i = 0; i < sizeof(revoked); i++) {
		c[i] = sign_host(w, 0);
		assert_int_equal(c[i].serial, 5 + i);
	}
	randombytes_set_implementation(&randombytes_sysrandom_implementation);
	for (i = sizeof(revoked); i-- > 0;)
		if (revoked[i])
			revoke_serial(w, c[i].serial, AAD_R_ALLOWED);
	publish(w);
	for (i = 0; i < sizeof(revoked); i++) {
		assert_int_equal(krl_has(w, &c[i]), revoked[i]);
		cert_release(&c[i]);
	}
}

static void
I_E8_expired_serials_are_dropped(void **state)
{
	struct world *w = *state;
	struct cert c = sign_host(w, 3600);
	struct krl *k;

	revoke_serial(w, c.serial, AAD_R_ALLOWED);
	publish(w);
	assert_true(krl_has(w, &c));
	w->s.now += 2 * HOUR;
	publish(w);
	assert_true(krl_has(w, &c)); /* a host's clock may be behind */
	w->s.now += DAY;
	publish(w);
	k = current_krl(w);
	assert_int_equal(krl_count_serials(k), 0);
	krl_free(k);
	cert_release(&c);
}

static void
I_E12_a_lost_key_of_the_authority(void **state)
{
	struct world *w = *state;
	struct cert before = sign_host(w, 0), after;
	char lost[KEY_FP_LEN + 1], next[KEY_FP_LEN + 1];
	uint8_t hash[32] = { 1 };
	char path[200], name[STEP_KEY_NAME_LEN + 1];

	revoke_it(w, REQUEST_L_CA_HASH, hash, 32, AAD_R_CA_KEY, "unknown");
	key_at(w, CA_ROLE_BUNDLE, CA_STAGE_ACTIVE, lost);
	assert_int_equal(key_fingerprint_parse(lost, hash), 0);
	revoke_it(w, REQUEST_L_CA_HASH, hash, 32, AAD_R_CA_KEY, "bundle");
	key_at(w, CA_ROLE_HOST, CA_STAGE_ACTIVE, lost);
	revoke_it(w, REQUEST_L_CA_HASH, before.ca_hash, 32, AAD_R_ALLOWED,
	    "host");
	expect_key(w, CA_ROLE_HOST, CA_STAGE_REVOKED, lost);
	key_at(w, CA_ROLE_HOST, CA_STAGE_ACTIVE, next);
	assert_string_not_equal(next, lost);
	assert_string_not_equal(next, "");
	step_key_name(before.ca_hash, name);
	snprintf(path, sizeof(path), "%s/keys/%s", w->state, name);
	assert_int_equal(access(path, F_OK), -1);
	after = sign_host(w, 0);
	publish(w);
	assert_int_equal(keygen(w, &before), 1);
	assert_int_equal(keygen(w, &after), 0);
	assert_int_equal(count_state(w, "revoked"), 1);
	revoke_it(w, REQUEST_L_CA_HASH, before.ca_hash, 32, AAD_R_ALLOWED,
	    "twice");
	expect_key(w, CA_ROLE_HOST, CA_STAGE_ACTIVE, next);
	verify(w, 0);
	expect_tidy(w);
	cert_release(&before);
	cert_release(&after);
}

/* ---- publication ------------------------------------------------------- */

static void
I_E1_a_new_authority_publishes_a_krl(void **state)
{
	struct world *w = *state;
	struct cert c = sign_host(w, 0);
	struct krl *k;
	size_t len;
	char *p;

	assert_int_equal(publish(w), 1);
	assert_int_equal(current(w), 1);
	p = current_file(w, "krl", &len);
	assert_true(len > 44); /* a header, and a section for each key */
	free(p);
	k = current_krl(w);
	assert_int_equal(krl_version(k), 1);
	assert_int_equal(krl_count_serials(k), 0);
	krl_free(k);
	assert_int_equal(keygen(w, &c), 0);
	cert_release(&c);
}

/* Change a byte of a staged file, so that what is on disk isn't signed. */
static void
damage(struct world *w, int64_t version, const char *name, const char *how)
{
	char command[400];

	snprintf(command, sizeof(command), "cd %s/public/%d && %s %s", w->state,
	    (int)version, how, name);
	assert_int_equal(system(command), 0);
}

static int64_t
stage(struct world *w)
{
	struct got g;
	int64_t version;

	request(w, REQUEST_STAGE);
	g = answer(w, op_stage);
	expect_why(w, &g, AAD_R_ALLOWED, "stage");
	version = number(g.end, "version");
	got_release(&g);
	return version;
}

static void
commit(struct world *w, int64_t version, enum reason want, const char *where)
{
	request(w, REQUEST_COMMIT);
	request_put_u64(&w->b, REQUEST_L_VERSION, (uint64_t)version);
	expect(w, op_commit, want, where);
}

static void
I_E2_a_damaged_publication_is_never_switched_to(void **state)
{
	static const struct {
		const char *name, *how;
	} damages[] = {
		{ "krl", "truncate -s 0" },
		{ "krl", "truncate -s -1" },
		{ "krl", "rm" },
		{ "krl", "echo '<html>502 Bad Gateway</html>' >" },
		{ "krl", "echo x >>" },
		{ "user_ca.pub", "truncate -s 0" },
		{ "manifest.json", "echo >>" },
		{ "manifest.json.sig", "truncate -s 0" },
		{ "denials.json", "chmod 666" },
		{ "more", "touch" },
	};
	struct world *w = *state;
	size_t i;

	publish(w);
	for (i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		int64_t v = stage(w);

		damage(w, v, damages[i].name, damages[i].how);
		commit(w, v, AAD_R_PUBLICATION, damages[i].how);
		assert_int_equal(current(w), 1);
	}
	commit(w, 77, AAD_R_PUBLICATION, "never staged");
	commit(w, 0, AAD_R_REQUEST_MALFORMED, "no version");
	verify(w, 0);
}

static void
I_E6_never_an_older_version(void **state)
{
	struct world *w = *state;
	struct cert c = sign_host(w, 0);
	int64_t first = stage(w), second, third;
	struct got g;

	revoke_serial(w, c.serial, AAD_R_ALLOWED);
	second = stage(w);
	assert_true(second > first);
	commit(w, second, AAD_R_ALLOWED, "the newer one");
	assert_true(krl_has(w, &c));
	/* whoever comes late with the older one changes nothing */
	request(w, REQUEST_COMMIT);
	request_put_u64(&w->b, REQUEST_L_VERSION, (uint64_t)first);
	g = answer(w, op_commit);
	expect_why(w, &g, AAD_R_ALLOWED, "the older one");
	assert_true(json_is_true(json_object_get(g.end, "superseded")));
	assert_int_equal(number(g.end, "version"), second);
	got_release(&g);
	assert_int_equal(current(w), second);
	commit(w, second, AAD_R_ALLOWED, "once more");
	third = publish(w);
	assert_true(third > second);
	/* and when the directory is lost, the ledger remembers */
	damage(w, third, "../*", "rm -r");
	assert_true(publish(w) > third);
	assert_true(krl_has(w, &c));
	verify(w, 0);
	cert_release(&c);
}

/* Nothing is published of a ledger that is older than what was told. */
static void
II_R5_an_older_copy_of_the_ledger(void **state)
{
	struct world *w = *state;
	struct cert c = sign_host(w, 0);
	int64_t staged;

	publish(w);
	shell(w, "cp -p ledger/ledger.db kept.db");
	revoke_serial(w, c.serial, AAD_R_ALLOWED);
	staged = stage(w);
	shell(w, "cp -p ledger/ledger.db later.db && "
		 "cp -p kept.db ledger/ledger.db");
	commit(w, staged, AAD_R_LEDGER_ALTERED, "staged of a longer one");
	assert_int_equal(current(w), 1);
	shell(w, "cp -p later.db ledger/ledger.db");
	commit(w, staged, AAD_R_ALLOWED, "of the right one");
	assert_true(krl_has(w, &c));
	shell(w, "cp -p kept.db ledger/ledger.db");
	request(w, REQUEST_STAGE);
	expect(w, op_stage, AAD_R_LEDGER_ALTERED, "published of a longer one");
	request(w, REQUEST_KRL);
	expect(w, op_krl, AAD_R_LEDGER_ALTERED, "a list of it");
	assert_true(krl_has(w, &c));
	shell(w, "cp -p later.db ledger/ledger.db");
	cert_release(&c);
}

/* Nothing is signed from it either: it has forgotten who is denied. */
static void
II_R5_signing_from_an_older_copy(void **state)
{
	struct world *w = *state;
	uint64_t serial;

	/* before the first publication there is no witness */
	serial = sign_user(w, FORGE_OID, "alice@contoso.com");
	publish(w);
	shell(w, "cp -p ledger/ledger.db kept.db");
	revoke_serial(w, serial, AAD_R_ALLOWED);
	publish(w);
	shell(w, "cp -p ledger/ledger.db later.db && "
		 "cp -p kept.db ledger/ledger.db");
	assert_int_equal(try_sign(w), AAD_R_LEDGER_ALTERED);
	assert_non_null(strstr(w->s.detail, "use restore instead"));
	ask_sign_host(w, 0, false);
	expect(w, op_sign_host, AAD_R_LEDGER_ALTERED, "a host's");
	ask_sign_host(w, 0, true);
	expect(w, op_sign_host, AAD_R_LEDGER_ALTERED, "a host's, dry");
	/* a history as long is another one all the same */
	append_rows(w, 9);
	assert_int_equal(try_sign(w), AAD_R_LEDGER_ALTERED);
	shell(w, "cp -p later.db ledger/ledger.db");
	assert_int_equal(try_sign(w), AAD_R_ALLOWED);
}

/* A copy so old that it does not know who signs the publications. */
static void
II_R5_a_copy_from_before_the_bundle_key(void **state)
{
	struct world *w = *state;

	publish(w);
	shell(w, "cp -p ledger/ledger.db kept.db");
	request(w, REQUEST_ROTATE_BUNDLE);
	expect(w, op_rotate_bundle, AAD_R_ALLOWED, "another bundle key");
	/* what the key before signed is still a witness */
	assert_int_equal(try_sign(w), AAD_R_ALLOWED);
	publish(w);
	shell(w, "cp -p kept.db ledger/ledger.db");
	assert_int_equal(try_sign(w), AAD_R_LEDGER_ALTERED);
	assert_non_null(strstr(w->s.detail, "bundle key"));
	request(w, REQUEST_STAGE);
	expect(w, op_stage, AAD_R_LEDGER_ALTERED, "stage");
	request(w, REQUEST_ROTATE);
	expect(w, op_rotate, AAD_R_LEDGER_ALTERED, "rotate");
	/* a signature that is none is no witness */
	shell(w, "echo x >>public/2/manifest.json");
	assert_int_equal(try_sign(w), AAD_R_ALLOWED);
}

/* Another authority's publication, under an authority that is new. */
static void
a_new_authority_under_an_old_publication(void **state)
{
	struct world *w = *state;

	publish(w);
	shell(w, "rm -r ledger keys manifests");
	init(w);
	assert_int_equal(try_sign(w), AAD_R_ALLOWED);
	assert_int_equal(publish(w), 2);
}

/* Where no publication can be read none says that rows are missing: nobody is
 * locked out by that, and check has it. */
static void
signing_without_a_publication(void **state)
{
	static const char *const ways[] = { "rm public/current",
		"echo x >public/$(readlink public/current)/manifest.json",
		"rm -r public", "mkdir public; ln -s 5 public/current",
		"rm -r public; touch public" };
	struct world *w = *state;
	size_t i;

	publish(w);
	for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		struct cert c;

		shell(w, ways[i]);
		c = sign_host(w, 0);
		cert_release(&c);
	}
}

/* A version that waited until it was over is not switched to. */
static void
a_version_that_is_over(void **state)
{
	struct world *w = *state;
	int64_t first = publish(w), staged = stage(w);

	w->s.now += w->conf->publish_valid - 1;
	commit(w, staged, AAD_R_ALLOWED, "a second before");
	staged = stage(w);
	w->s.now += w->conf->publish_valid;
	commit(w, staged, AAD_R_PUBLICATION, "at its end");
	assert_int_equal(current(w), first + 1);
	assert_true(publish(w) > staged);
	verify(w, 0);
}

static void
I_E7_a_manifest_signed_by_ssh_keygens_rules(void **state)
{
	struct world *w = *state;
	char fp[KEY_FP_LEN + 1];
	size_t len;
	char *p;

	publish(w);
	shell(w, "cd public/current && awk '{print \"bundle\", $1, $2}' "
		 "bundle_key.pub >../../../allowed && ssh-keygen -Y verify -f "
		 "../../../allowed -I bundle -n aadssh-bundle -s "
		 "manifest.json.sig <manifest.json >/dev/null && for f in krl "
		 "user_ca.pub host_ca.pub known_hosts denials.json "
		 "bundle_key.pub; do grep -q $(sha256sum <$f | cut -c1-64) "
		 "manifest.json || exit 1; done");
	p = current_file(w, "manifest.json", &len);
	key_at(w, CA_ROLE_BUNDLE, CA_STAGE_ACTIVE, fp);
	assert_non_null(strstr(p, fp));
	key_at(w, CA_ROLE_RECOVERY, CA_STAGE_ACTIVE, fp);
	assert_non_null(strstr(p, fp));
	free(p);
	p = current_file(w, "user_ca.pub", &len);
	assert_non_null(strstr(p, " aadssh-ca user active\n"));
	free(p);
	p = current_file(w, "known_hosts", &len);
	assert_int_equal(strncmp(p, "@cert-authority * ssh-ed25519 ", 30), 0);
	free(p);
}

/* Sign a staged version's manifest anew, with a key file of the authority. */
static void
sign_again(struct world *w, int64_t version, enum ca_role role)
{
	char fp[KEY_FP_LEN + 1], hex[NAME_HEX64_LEN + 1], script[400];
	uint8_t hash[32];

	key_at(w, role, CA_STAGE_ACTIVE, fp);
	assert_int_equal(key_fingerprint_parse(fp, hash), 0);
	name_hex64(hash, hex);
	snprintf(script, sizeof(script),
	    "cd public/%d && rm manifest.json.sig && ssh-keygen -q -Y sign "
	    "-f ../../keys/%s.key -n aadssh-bundle manifest.json 2>/dev/null "
	    "&& chmod 644 manifest.json.sig",
	    (int)version, hex);
	shell(w, script);
}

/* Only the bundle key signs manifests, and each names the key that did. */
static void
I_C11_a_manifest_of_an_authority(void **state)
{
	static const struct {
		enum ca_role named, signs;
	} cases[] = {
		{ CA_ROLE_USER, CA_ROLE_USER },
		{ CA_ROLE_HOST, CA_ROLE_HOST },
		{ CA_ROLE_BUNDLE, CA_ROLE_USER },
		{ CA_ROLE_USER, CA_ROLE_BUNDLE },
	};
	char bundle[KEY_FP_LEN + 1], fp[KEY_FP_LEN + 1], script[400];
	struct world *w = *state;
	int64_t v;
	size_t i;

	publish(w);
	key_at(w, CA_ROLE_BUNDLE, CA_STAGE_ACTIVE, bundle);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		v = stage(w);
		key_at(w, cases[i].named, CA_STAGE_ACTIVE, fp);
		snprintf(script, sizeof(script),
		    "cd public/%d && "
		    "sed -i '/bundle_key/s|\"%s\"|\"%s\"|'"
		    " manifest.json && grep -q 'bundle_key\":\"%s' "
		    "manifest.json",
		    (int)v, bundle, fp, fp);
		shell(w, script);
		sign_again(w, v, cases[i].signs);
		commit(w, v, AAD_R_PUBLICATION, fp);
		assert_int_equal(current(w), 1);
	}
	v = stage(w);
	sign_again(w, v, CA_ROLE_BUNDLE); /* as it should be */
	commit(w, v, AAD_R_ALLOWED, "signed again");
}

/* Whoever signed it: a list that sshd refuses locks everybody out, an empty
 * one and an older one let those in who are revoked. */
static void
II_R1_a_bad_krl_that_is_signed(void **state)
{
	static const char *const made[] = { ": >krl", "echo x >>krl",
		"cp ../1/krl krl" };
	struct world *w = *state;
	char script[600];
	size_t i;

	publish(w);
	for (i = 0; i < sizeof(made) / sizeof(made[0]); i++) {
		int64_t v = stage(w);

		snprintf(script, sizeof(script),
		    "cd public/%d && was=$(sha256sum <krl | cut -c1-64) && "
		    "%s && is=$(sha256sum <krl | cut -c1-64) && sed -i "
		    "\"s/$was\\\",\\\"size\\\":[0-9]*/$is\\\",\\\"size\\\":"
		    "$(stat -c %%s krl)/\" manifest.json && "
		    "grep -q $is manifest.json",
		    (int)v, made[i]);
		shell(w, script);
		sign_again(w, v, CA_ROLE_BUNDLE);
		commit(w, v, AAD_R_PUBLICATION, made[i]);
		assert_int_equal(current(w), 1);
	}
}

static void
expect_versions(struct world *w, const char *want)
{
	char script[200];

	snprintf(script, sizeof(script),
	    "test \"$(cd public && ls | sort -n | tr '\\n' ' ')\" = "
	    "'current %s '",
	    want);
	shell(w, script);
}

/* Ten stay, in whatever order the directory names them. */
static void
old_versions_are_pruned(void **state)
{
	static const char *const orders[] = { "sort -n", "sort -rn" };
	struct world *w = *state;
	char script[200];
	int i;

	for (i = 0; i < 13; i++)
		assert_int_equal(publish(w), i + 1);
	expect_versions(w, "4 5 6 7 8 9 10 11 12 13");
	shell(w, "test $(ls manifests | wc -l) = 26");
	for (i = 0; i < 2; i++) {
		snprintf(script, sizeof(script),
		    "cd public && for v in $(ls | grep -v current | %s); do "
		    "mv $v ../moved && mv ../moved $v || exit 1; done",
		    orders[i]);
		shell(w, script);
		assert_int_equal(publish(w), 14 + i);
	}
	expect_versions(w, "6 7 8 9 10 11 12 13 14 15");
	expect_tidy(w);
	verify(w, 0);
}

/* Where no version can be switched to (ssh-keygen refuses it, or is gone),
 * cron makes one an hour: they must not fill the disk of the ledger. */
static void
I_C21_versions_that_are_never_switched_to(void **state)
{
	struct world *w = *state;
	char touch[64];
	int i;

	publish(w);
	for (i = 0; i < 5; i++) {
		assert_int_equal(stage(w), i + 2);
		w->s.now += HOUR;
		snprintf(touch, sizeof(touch), "touch -d @%lld public/%d",
		    (long long)w->s.now - HOUR, i + 2);
		shell(w, touch);
		w->s.now += 1;
	}
	/* What may still be switched to stays: all of the last hour. */
	stage(w);
	shell(w, "test \"$(ls public | sort -n | tr '\\n' ' ')\" = "
		 "'current 1 7 '");
	assert_int_equal(current(w), 1);
	assert_int_equal(publish(w), 8);
}

/* A version that somebody staged may still be switched to, for an hour. */
static void
staged_versions_are_pruned(void **state)
{
	struct world *w = *state;
	char script[200];
	int i;

	for (i = 0; i < 4; i++)
		stage(w);
	snprintf(script, sizeof(script),
	    "cd public && touch -d @%lld 2 4 && touch -d @%lld 1 3",
	    (long long)(NOW - HOUR), (long long)(NOW - HOUR - 1));
	shell(w, script);
	commit(w, 2, AAD_R_ALLOWED, "the second");
	expect_versions(w, "1 2 4");
	commit(w, 4, AAD_R_ALLOWED, "the last");
	expect_versions(w, "1 2 4");
}

static void
the_krl_alone(void **state)
{
	struct world *w = *state;
	struct cert c = sign_host(w, 0);
	struct krl *k;
	struct got g;

	revoke_serial(w, c.serial, AAD_R_ALLOWED);
	request(w, REQUEST_KRL);
	g = answer(w, op_krl);
	expect_why(w, &g, AAD_R_ALLOWED, "krl");
	assert_int_equal(krl_decode(g.data, g.len, &k), 0);
	assert_true(krl_has_cert(k, &c.ca, c.serial, c.key_id));
	assert_int_equal(number(g.end, "serials"), 1);
	assert_int_equal(number(g.end, "keys"), 0);
	assert_int_equal(number(g.end, "bytes"), g.len);
	krl_free(k);
	got_release(&g);
	revoke_it(w, REQUEST_L_HASH, c.key.hash, 32, AAD_R_ALLOWED, "key");
	request(w, REQUEST_KRL);
	g = answer(w, op_krl);
	assert_int_equal(number(g.end, "keys"), 1);
	got_release(&g);
	cert_release(&c);
}

/* The next allocation or call to fail: the first ones each, then some. */
static unsigned int
after(unsigned int k)
{
	return k < 100 ? k + 1 : k + 13 + k / 20;
}

/* Send it with one call failing after another, until none does.  Whatever
 * happens, what hosts see is whole and not older. */
static void
fail_publish(struct world *w, enum fault_kind kind, int err)
{
	uint64_t seen = current(w);
	bool reached = true;
	unsigned int k;

	for (k = 1; reached; k = after(k)) {
		int64_t version = 0;
		struct got g;

		request(w, REQUEST_STAGE);
		g = answer_with(w, op_stage, kind, k, err, &reached);
		if (g.end != NULL)
			version = number(g.end, "version");
		if (!reached)
			expect_why(w, &g, AAD_R_ALLOWED, "stage");
		got_release(&g);
		assert_int_equal(current(w), seen);
		if (version == 0)
			version = stage(w);
		request(w, REQUEST_COMMIT);
		request_put_u64(&w->b, REQUEST_L_VERSION, (uint64_t)version);
		g = answer_with(w, op_commit, kind, k, err, &reached);
		if (g.why == AAD_R_ALLOWED)
			assert_int_equal(current(w), version);
		assert_true(current(w) >= seen);
		seen = current(w);
		got_release(&g);
	}
	assert_true(k > 50);
	publish(w);
	verify(w, 0);
	expect_tidy(w);
}

static void
II_R1_system_calls_fail(void **state)
{
	publish(*state);
	fail_publish(*state, FAULT_SYSCALL, EIO);
}

static void
II_R1_memory_is_short(void **state)
{
	publish(*state);
	fail_publish(*state, FAULT_ALLOC, 0);
}

static void
II_R8_killed_between_write_and_switch(void **state)
{
	struct world *w = *state;
	struct cert c = sign_host(w, 0);
	uint64_t seen;
	unsigned int k;

	publish(w);
	seen = current(w);
	revoke_serial(w, c.serial, AAD_R_ALLOWED);
	for (k = 1;; k++) {
		int64_t version;
		bool more;

		request(w, REQUEST_STAGE);
		more = killed(w, op_stage, k);
		assert_int_equal(current(w), seen);
		version = stage(w);
		request(w, REQUEST_COMMIT);
		request_put_u64(&w->b, REQUEST_L_VERSION, (uint64_t)version);
		more = killed(w, op_commit, k) || more;
		assert_true(current(w) >= seen);
		seen = current(w);
		/* once it was switched to, the revocation stays */
		if (seen > 1)
			assert_true(krl_has(w, &c));
		if (!more)
			break;
	}
	assert_true(k > 50);
	publish(w);
	verify(w, 0);
	expect_tidy(w);
	cert_release(&c);
}

/* ---- rotation ---------------------------------------------------------- */

static struct got
rotate(struct world *w, bool now)
{
	struct got g;

	request(w, REQUEST_ROTATE);
	if (now)
		request_put_flag(&w->b, REQUEST_L_NOW);
	g = answer(w, op_rotate);
	if (g.why == AAD_R_ALLOWED &&
	    json_is_true(json_object_get(g.end, "publish")))
		publish(w);
	return g;
}

/* As cron does it, and nothing is due behind it. */
static void
cron(struct world *w)
{
	struct got g = rotate(w, false);

	expect_why(w, &g, AAD_R_ALLOWED, "rotate");
	got_release(&g);
	g = rotate(w, false);
	expect_why(w, &g, AAD_R_ALLOWED, "rotate again");
	assert_true(json_is_false(json_object_get(g.end, "publish")));
	assert_int_equal(rows_with(&g, "action", "prepare"), 0);
	assert_int_equal(rows_with(&g, "action", "activate"), 0);
	got_release(&g);
}

static void
I_E11_a_life_of_two_keys(void **state)
{
	struct world *w = *state;
	char first[KEY_FP_LEN + 1], second[KEY_FP_LEN + 1];
	struct cert old, young, last;
	struct krl *k;

	cron(w);
	key_at(w, CA_ROLE_HOST, CA_STAGE_ACTIVE, first);
	expect_key(w, CA_ROLE_HOST, CA_STAGE_PREPARED, "");
	w->s.now = NOW + 88 * DAY;
	cron(w);
	expect_key(w, CA_ROLE_HOST, CA_STAGE_PREPARED, "");
	w->s.now = NOW + 89 * DAY;
	cron(w);
	key_at(w, CA_ROLE_HOST, CA_STAGE_PREPARED, second);
	assert_string_not_equal(second, "");
	w->s.now += 23 * HOUR;
	cron(w);
	expect_key(w, CA_ROLE_HOST, CA_STAGE_ACTIVE, first);
	old = sign_host(w, 0);
	w->s.now += HOUR;
	cron(w);
	expect_key(w, CA_ROLE_HOST, CA_STAGE_ACTIVE, second);
	expect_key(w, CA_ROLE_HOST, CA_STAGE_RETIRED, first);
	young = sign_host(w, 0);
	assert_memory_not_equal(old.ca_hash, young.ca_hash, 32);
	assert_int_equal(keygen(w, &old), 0);
	assert_int_equal(keygen(w, &young), 0);
	/* I-E12: its last certificate is over, and it is gone for good */
	w->s.now += 29 * DAY;
	cron(w);
	expect_key(w, CA_ROLE_HOST, CA_STAGE_RETIRED, first);
	w->s.now += DAY;
	cron(w);
	expect_key(w, CA_ROLE_HOST, CA_STAGE_REMOVED, first);
	assert_int_equal(keygen(w, &old), 1);
	assert_int_equal(keygen(w, &young), 0);
	k = current_krl(w);
	assert_true(krl_has_key(k, &old.ca));
	krl_free(k);
	last = sign_host(w, 0);
	assert_memory_equal(last.ca_hash, young.ca_hash, 32);
	verify(w, 0);
	expect_tidy(w);
	cert_release(&old);
	cert_release(&young);
	cert_release(&last);
}

static void
I_E11_now_is_not_at_once(void **state)
{
	struct world *w = *state;
	char first[KEY_FP_LEN + 1];
	struct got g;

	cron(w);
	key_at(w, CA_ROLE_USER, CA_STAGE_ACTIVE, first);
	g = rotate(w, true);
	expect_why(w, &g, AAD_R_ALLOWED, "now");
	assert_int_equal(rows_with(&g, "action", "prepare"), 2);
	got_release(&g);
	g = rotate(w, true);
	expect_why(w, &g, AAD_R_PUBLISHED_TOO_LATE, "now, again");
	got_release(&g);
	expect_key(w, CA_ROLE_USER, CA_STAGE_ACTIVE, first);
	/* A publication that hosts cannot have seen counts for nothing. */
	w->s.now += 2 * DAY;
	g = rotate(w, false);
	assert_int_equal(rows_with(&g, "action", "activate"), 2);
	got_release(&g);
	verify(w, 0);
}

/* The key that is prepared steps in; no third one is made. */
static void
I_E12_the_next_key_steps_in(void **state)
{
	struct world *w = *state;
	char first[KEY_FP_LEN + 1], next[KEY_FP_LEN + 1];
	uint8_t hash[32];
	struct got g;

	cron(w);
	g = rotate(w, true);
	got_release(&g);
	key_at(w, CA_ROLE_USER, CA_STAGE_ACTIVE, first);
	key_at(w, CA_ROLE_USER, CA_STAGE_PREPARED, next);
	assert_string_not_equal(next, "");
	assert_int_equal(key_fingerprint_parse(first, hash), 0);
	revoke_it(w, REQUEST_L_CA_HASH, hash, 32, AAD_R_ALLOWED, "lost");
	expect_key(w, CA_ROLE_USER, CA_STAGE_REVOKED, first);
	expect_key(w, CA_ROLE_USER, CA_STAGE_ACTIVE, next);
	expect_key(w, CA_ROLE_USER, CA_STAGE_PREPARED, "");
	/* and one that is only prepared is nobody's loss */
	key_at(w, CA_ROLE_HOST, CA_STAGE_ACTIVE, first);
	key_at(w, CA_ROLE_HOST, CA_STAGE_PREPARED, next);
	assert_int_equal(key_fingerprint_parse(next, hash), 0);
	revoke_it(w, REQUEST_L_CA_HASH, hash, 32, AAD_R_ALLOWED, "unborn");
	expect_key(w, CA_ROLE_HOST, CA_STAGE_ACTIVE, first);
	expect_key(w, CA_ROLE_HOST, CA_STAGE_PREPARED, "");
	verify(w, 0);
}

static void
I_E11_a_publication_without_its_copy(void **state)
{
	struct world *w = *state;
	char first[KEY_FP_LEN + 1];
	struct got g;

	cron(w);
	key_at(w, CA_ROLE_USER, CA_STAGE_ACTIVE, first);
	g = rotate(w, true);
	got_release(&g);
	shell(w, "rm manifests/2.json");
	w->s.now += 2 * DAY;
	g = rotate(w, false);
	assert_int_equal(rows_with(&g, "action", "activate"), 0);
	assert_int_equal(rows_with(&g, "action", "wait"), 2);
	got_release(&g);
	expect_key(w, CA_ROLE_USER, CA_STAGE_ACTIVE, first);
}

static void
dry_rotate(void **state)
{
	struct world *w = *state;
	struct got g;

	cron(w);
	request(w, REQUEST_ROTATE);
	request_put_flag(&w->b, REQUEST_L_DRY_RUN);
	request_put_flag(&w->b, REQUEST_L_NOW);
	g = answer(w, op_rotate);
	expect_why(w, &g, AAD_R_ALLOWED, "dry");
	assert_int_equal(rows_with(&g, "action", "prepare"), 2);
	got_release(&g);
	expect_key(w, CA_ROLE_USER, CA_STAGE_PREPARED, "");
	request(w, REQUEST_ROTATE);
	request_put(&w->b, REQUEST_L_USER_CA, w->subject.pub.blob,
	    w->subject.pub.blob_len);
	expect(w, op_rotate, AAD_R_REQUEST_MALFORMED, "named without agent");
}

/* A key that is made while the clock is ahead waits no longer than others. */
static void
a_clock_that_was_ahead(void **state)
{
	struct world *w = *state;
	char next[KEY_FP_LEN + 1];
	struct got g;

	w->s.now += 3650 * DAY;
	g = rotate(w, true);
	got_release(&g);
	key_at(w, CA_ROLE_USER, CA_STAGE_PREPARED, next);
	w->s.now -= 3650 * DAY;
	publish(w);
	w->s.now += 23 * HOUR;
	g = rotate(w, false);
	got_release(&g);
	expect_key(w, CA_ROLE_USER, CA_STAGE_PREPARED, next);
	w->s.now += 2 * HOUR;
	g = rotate(w, false);
	got_release(&g);
	expect_key(w, CA_ROLE_USER, CA_STAGE_ACTIVE, next);
}

/* Keys come faster than the certificates of those before end. */
static void
more_keys_than_there_is_room(void **state)
{
	struct world *w = *state;
	struct cert c;
	struct got g;
	int half, full = 0;

	w->s.conf->rotate_every = 3 * HOUR;
	w->s.conf->publish_before = HOUR;
	/* prepare, activate; and on when there is no room */
	for (half = 0; half < 150 && full < 5; half++) {
		g = rotate(w, false);
		full += g.why == AAD_R_CA_KEY;
		if (g.why != AAD_R_ALLOWED && g.why != AAD_R_CA_KEY)
			fail_msg("%d: %s (%s)", half, reason_name(g.why),
			    w->s.detail);
		got_release(&g);
		if (half % 2 == 0) { /* what keeps a key that retires */
			c = sign_host(w, 90 * (uint64_t)DAY);
			cert_release(&c);
		}
		w->s.now += 2 * HOUR;
	}
	assert_int_equal(full, 5);
	verify(w, 0);
	/* and when the first are over it goes on */
	w->s.now += 91 * DAY;
	g = rotate(w, false);
	expect_why(w, &g, AAD_R_ALLOWED, "rotate");
	assert_true(rows_with(&g, "action", "remove") > 50);
	got_release(&g);
}

/* What was published then lacks what seemed to be over; it does not stay. */
static void
a_publication_of_a_clock_that_was_ahead(void **state)
{
	struct world *w = *state;
	struct cert c = sign_host(w, 0);
	struct got g;

	revoke_serial(w, c.serial, AAD_R_ALLOWED);
	w->s.now += 60 * DAY;
	publish(w);
	assert_false(krl_has(w, &c));
	w->s.now -= 60 * DAY;
	g = rotate(w, false);
	expect_why(w, &g, AAD_R_ALLOWED, "rotate");
	got_release(&g);
	assert_true(krl_has(w, &c));
	cert_release(&c);
}

/* Whose certificates seem to be over, and are not: they are revoked, and in
 * the list, at once and when the clock is right again. */
static void
II_C4_a_revocation_with_a_clock_that_is_ahead(void **state)
{
	struct world *w = *state;
	struct krl *k;

	(void)sign_user(w, FORGE_OID, "alice@contoso.com");
	w->s.now += 3650 * DAY;
	revoke_text(w, REQUEST_L_OID, FORGE_OID, AAD_R_ALLOWED, "oid");
	assert_int_equal(count_state(w, "revoked"), 1);
	for (int i = 0; i < 2; i++) {
		publish(w);
		k = current_krl(w);
		assert_int_equal(krl_count_serials(k), 1);
		krl_free(k);
		w->s.now = NOW;
	}
	/* and where the time really went by, it is over */
	w->s.now += 2 * DAY;
	(void)sign_user(w, FORGE_OID2, "bob@contoso.com");
	publish(w);
	k = current_krl(w);
	assert_int_equal(krl_count_serials(k), 0);
	krl_free(k);
}

/* Rotation that is killed at each of its calls, at each of its stages. */
static void
II_C19_rotate_killed_anywhere(void **state)
{
	static const int64_t stages[] = { 89 * DAY, 90 * DAY, 121 * DAY };
	struct world *w = *state;
	struct cert c;
	size_t i;
	unsigned int k;

	cron(w);
	for (i = 0; i < 3; i++) {
		w->s.now = NOW + stages[i];
		for (k = 1; k < 400; k++) {
			request(w, REQUEST_ROTATE);
			if (!killed(w, op_rotate, k))
				break;
		}
		cron(w);
		c = sign_host(w, 3600);
		assert_int_equal(keygen(w, &c), 0);
		cert_release(&c);
		verify(w, 0);
	}
	key_at(w, CA_ROLE_HOST, CA_STAGE_REMOVED, (char[KEY_FP_LEN + 1]){ 0 });
	open_world(w);
	{
		struct keyring ring;

		assert_int_equal(step_keys(&w->s, &ring), AAD_R_ALLOWED);
		assert_int_equal(ring.n, 6); /* two of users, two of hosts */
		keyring_release(&ring);
	}
	close_world(w);
	/* nor is a file left of a run that was killed before its row */
	shell(w, "test $(ls -A keys | wc -l) = 3");
	expect_tidy(w);
}

/* A private file as a killed rotate leaves it, of the seed's key. */
static void
leave_key(struct world *w, uint8_t first, const char *as)
{
	const uint8_t seed[PRIVKEY_SEED_LEN] = { first };
	struct secret *text;
	struct privkey k;
	int fd;

	assert_int_equal(privkey_of_seed(seed, &k), 0);
	open_world(w);
	if (as == NULL) {
		assert_int_equal(keyring_store(w->s.dir, &k), 0);
	} else {
		assert_int_equal(step_dir(&w->s, "keys", &fd), 0);
		assert_int_equal(privkey_format(&k, 1, "x", &text), 0);
		assert_int_equal(file_create(fd, as, secret_bytes(text),
				     secret_len(text), 0600),
		    0);
		secret_free(text);
		close(fd);
	}
	close_world(w);
	privkey_release(&k);
}

#define SOME_HEX                                                               \
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* What rotate itself would have made goes, and nothing else does. */
static void
private_files_that_no_row_names(void **state)
{
	struct world *w = *state;
	struct got g;

	/* without a witness nobody knows whose they are */
	leave_key(w, 50, NULL);
	request(w, REQUEST_ROTATE);
	expect(w, op_rotate, AAD_R_ALLOWED, "nothing is published");
	shell(w, "test $(ls -A keys | wc -l) = 4");
	publish(w);
	leave_key(w, 51, "." SOME_HEX ".key.tmp.0123ab");
	/* not the key of its name; not a name of ours; open to others; a link;
	 * of two names */
	leave_key(w, 52, SOME_HEX ".key");
	leave_key(w, 53, "old.key");
	leave_key(w, 54, ".old.key.tmp.0123ab");
	leave_key(w, 55, NULL);
	shell(w,
	    "cd keys && chmod 0640 $(ls -t | head -n 1) &&"
	    " ln -s old.key .$(echo " SOME_HEX " | tr 0 1).key.tmp.0123ab");
	request(w, REQUEST_ROTATE);
	request_put_flag(&w->b, REQUEST_L_DRY_RUN);
	expect(w, op_rotate, AAD_R_ALLOWED, "dry");
	shell(w, "test $(ls -A keys | wc -l) = 10");
	request(w, REQUEST_ROTATE);
	g = answer(w, op_rotate);
	expect_why(w, &g, AAD_R_ALLOWED, "rotate");
	got_release(&g);
	assert_non_null(strstr(lastlog, "event=rotate"));
	assert_non_null(strstr(lastlog, "action=sweep"));
	shell(w, "test $(ls -A keys | wc -l) = 8 && cd keys &&"
		 " test -e old.key && test -e .old.key.tmp.0123ab &&"
		 " test -e " SOME_HEX ".key && test $(find . -perm 0640 |"
		 " wc -l) = 1 && test $(find . -type l | wc -l) = 1");
	request(w, REQUEST_CHECK);
	expect(w, op_check, AAD_R_CA_KEY, "files that rotate did not make");
}

/* The keys of a ledger that is not here are not those of nobody. */
static void
private_files_under_an_older_copy(void **state)
{
	struct world *w = *state;
	struct got g;

	publish(w);
	shell(w, "cp -p ledger/ledger.db kept.db");
	g = rotate(w, true);
	got_release(&g);
	shell(w,
	    "test $(ls keys | wc -l) = 5 && cp -p kept.db ledger/ledger.db");
	request(w, REQUEST_ROTATE);
	expect(w, op_rotate, AAD_R_LEDGER_ALTERED, "of an older copy");
	shell(w, "rm public/current");
	request(w, REQUEST_ROTATE);
	expect(w, op_rotate, AAD_R_ALLOWED, "with no witness");
	shell(w, "test $(ls keys | wc -l) = 5");
}

static void
memory_is_short_for_all(void **state)
{
	static const struct {
		enum request_op op;
		signer_fn *fn;
	} ops[] = {
		{ REQUEST_LIST, op_list },
		{ REQUEST_KEYS, op_keys },
		{ REQUEST_VERIFY, op_verify },
		{ REQUEST_KRL, op_krl },
		{ REQUEST_CHECK, op_check },
		{ REQUEST_BACKUP, op_backup },
		{ REQUEST_ROTATE, op_rotate },
		{ REQUEST_ROTATE_BUNDLE, op_rotate_bundle },
	};
	struct world *w = *state;
	struct cert c = sign_host(w, 0);
	size_t i;

	write_tenant_keys(w);
	sign_user(w, FORGE_OID, "alice@contoso.com");
	revoke_serial(w, c.serial, AAD_R_ALLOWED);
	revoke_text(w, REQUEST_L_OID, FORGE_OID, AAD_R_ALLOWED, "oid");
	publish(w);
	for (i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		bool reached = true;
		unsigned int k;

		for (k = 1; reached; k = after(k)) {
			struct got g;

			request(w, ops[i].op);
			g = answer_with(w, ops[i].fn, FAULT_ALLOC, k, 0,
			    &reached);
			if (!reached && g.why != AAD_R_ALLOWED &&
			    ops[i].op != REQUEST_CHECK)
				fail_msg("%d: %s %s", (int)ops[i].op,
				    reason_name(g.why), w->s.detail);
			if (g.why == AAD_R_ALLOWED)
				assert_non_null(g.end);
			got_release(&g);
		}
		assert_true(k > 20);
	}
	publish(w);
	verify(w, 0);
	cert_release(&c);
}

/* ---- the bundle key ---------------------------------------------------- */

static void
expect_statement(struct world *w, const char *old, const struct key *signer)
{
	char now[KEY_FP_LEN + 1];
	size_t len, siglen;
	char *p = current_file(w, PUBLICATION_SUCCESSOR, &len);
	char *sig = current_file(w, PUBLICATION_SUCCESSOR ".sig", &siglen);
	json_t *o;
	struct key is;

	key_at(w, CA_ROLE_BUNDLE, CA_STAGE_ACTIVE, now);
	assert_int_equal(strictjson_load(p, len, &o), 0);
	assert_string_equal(text(o, "old"), old);
	assert_string_equal(text(o, "new"), now);
	json_decref(o);
	/* it is no manifest, whoever signed it */
	assert_int_equal(sshsig_verify(sig, siglen, MANIFEST_NAMESPACE,
			     (uint8_t *)p, len, &is),
	    AAD_EREFUSED);
	assert_int_equal(sshsig_verify(sig, siglen,
			     PUBLICATION_SUCCESSOR_NAMESPACE, (uint8_t *)p, len,
			     &is),
	    0);
	if (signer != NULL)
		assert_memory_equal(is.hash, signer->hash, 32);
	key_release(&is);
	free(p);
	free(sig);
}

static void
another_bundle_key(void **state)
{
	struct world *w = *state;
	char first[KEY_FP_LEN + 1], second[KEY_FP_LEN + 1];
	struct privkey recovery;
	struct secret *other;
	int64_t staged;

	publish(w);
	key_at(w, CA_ROLE_BUNDLE, CA_STAGE_ACTIVE, first);
	staged = stage(w);
	request(w, REQUEST_ROTATE_BUNDLE);
	expect(w, op_rotate_bundle, AAD_R_ALLOWED, "by the old key");
	commit(w, staged, AAD_R_PUBLICATION, "signed by the key before");
	expect_key(w, CA_ROLE_BUNDLE, CA_STAGE_REMOVED, first);
	publish(w);
	expect_statement(w, first, NULL);
	publish(w);
	expect_statement(w, first, NULL); /* in every later one */
	key_at(w, CA_ROLE_BUNDLE, CA_STAGE_ACTIVE, second);
	/* the recovery key, and only the recovery key */
	assert_int_equal(privkey_format(&w->subject, 1, "x", &other), 0);
	request(w, REQUEST_ROTATE_BUNDLE);
	request_put(&w->b, REQUEST_L_SECRET, secret_bytes(other),
	    secret_len(other));
	expect(w, op_rotate_bundle, AAD_R_CA_KEY, "another key");
	secret_free(other);
	expect_key(w, CA_ROLE_BUNDLE, CA_STAGE_ACTIVE, second);
	request(w, REQUEST_ROTATE_BUNDLE);
	request_put(&w->b, REQUEST_L_SECRET, w->recovery, w->recovery_len);
	expect(w, op_rotate_bundle, AAD_R_ALLOWED, "by the recovery key");
	publish(w);
	assert_int_equal(privkey_parse((char *)w->recovery, w->recovery_len,
			     &recovery),
	    0);
	expect_statement(w, second, &recovery.pub);
	privkey_release(&recovery);
	verify(w, 0);
	expect_tidy(w);
}

static void
bundle_killed_anywhere(void **state)
{
	struct world *w = *state;
	unsigned int k;

	publish(w);
	for (k = 1;; k++) {
		request(w, REQUEST_ROTATE_BUNDLE);
		if (!killed(w, op_rotate_bundle, k))
			break;
		if (k % 8 == 0) {
			publish(w);
			verify(w, 0);
		}
	}
	assert_true(k > 20);
	publish(w);
	verify(w, 0);
}

/* ---- verify ------------------------------------------------------------ */

/* Append a row by hand; body is consumed. */
static void
append(struct world *w, struct event *e, json_t *body)
{
	enum reason why;

	open_world(w);
	assert_int_equal(signer_ledger(&w->s), AAD_R_ALLOWED);
	assert_int_equal(ledger_begin(w->s.ledger, &why), 0);
	e->at = w->s.now;
	e->body = body;
	assert_non_null(body);
	assert_int_equal(ledger_append(w->s.ledger, e, &why), 0);
	assert_int_equal(ledger_commit(w->s.ledger, &why), 0);
	event_release(e);
	close_world(w);
}

static json_t *
certificate_body(const struct cert *c)
{
	char *base64;
	json_t *o;

	assert_int_equal(b64_encode(B64_STD, c->blob, c->blob_len, &base64), 0);
	o = json_pack("{s:s}", "certificate", base64);
	free(base64);
	return o;
}

static json_t *
prepared_body(const struct cert *c, const char *principal)
{
	return json_pack("{s:s s:[s] s:I}", "key_id", c->key_id, "principals",
	    principal, "valid_after", (json_int_t)c->valid_after);
}

/* The row of a certificate as if it had been prepared under another serial. */
static struct event
row_like(const struct cert *c, uint64_t serial)
{
	struct event e = { .kind = EVENT_PREPARED,
		.serial = serial,
		.type = c->type,
		.has_ca = true,
		.has_key = true,
		.valid_before = (int64_t)c->valid_before };

	memcpy(e.ca_hash, c->ca_hash, 32);
	memcpy(e.key_hash, c->key.hash, 32);
	return e;
}

static void
verify_finds_a_certificate_that_is_not_its_rows(void **state)
{
	struct world *w = *state;
	struct cert c = sign_host(w, 0);
	struct event e = row_like(&c, 7);
	struct got g;

	append(w, &e, prepared_body(&c, "web1.example.com"));
	request(w, REQUEST_VERIFY); /* prepared, no outcome: told, no fault */
	g = answer(w, op_verify);
	expect_why(w, &g, AAD_R_ALLOWED, "open");
	assert_int_equal(number(g.end, "open"), 1);
	assert_int_equal(number(g.end, "certificates"), 2);
	got_release(&g);
	e = row_like(&c, 7);
	e.kind = EVENT_ISSUED;
	append(w, &e, certificate_body(&c)); /* another serial */
	verify(w, 1);
	e = row_like(&c, 8);
	memset(e.ca_hash, 1, 32); /* nobody's authority */
	append(w, &e, prepared_body(&c, "web1.example.com"));
	verify(w, 2);
	e = row_like(&c, 8);
	e.kind = EVENT_ISSUED;
	append(w, &e, json_pack("{s:s}", "certificate", "AAAA"));
	verify(w, 3);
	cert_release(&c);
}

static void
verify_finds_a_key_that_did_not_sign_then(void **state)
{
	struct world *w = *state;
	struct cert c = sign_host(w, 0);
	struct event e;

	revoke_it(w, REQUEST_L_CA_HASH, c.ca_hash, 32, AAD_R_ALLOWED, "lost");
	e = row_like(&c, 9);
	append(w, &e, prepared_body(&c, "web1.example.com"));
	verify(w, 1);
	w->s.now -= DAY; /* a clock that was set back is no fault */
	cert_release(&c);
	c = sign_host(w, 0);
	verify(w, 1);
	cert_release(&c);
}

static void
verify_finds_a_manifest_that_disagrees(void **state)
{
	struct world *w = *state;

	publish(w);
	publish(w);
	shell(w,
	    "cd manifests && cp 1.json 3.json && cp 1.json.sig 3.json.sig");
	verify(w, 1); /* a copy under another number */
	shell(w, "cd manifests && rm 3.json* && echo >>2.json");
	verify(w, 1); /* not what was signed */
	shell(w, "cd manifests && rm 2.json.sig");
	verify(w, 1);
}

/* An older ledger under newer manifests: rows were cut off. */
static void
verify_finds_a_ledger_that_was_cut(void **state)
{
	struct world *w = *state;
	struct cert c;

	shell(w, "cp ledger/ledger.db ../old.db");
	c = sign_host(w, 0);
	cert_release(&c);
	publish(w);
	verify(w, 0);
	shell(w, "cp ../old.db ledger/ledger.db");
	verify(w, 1);
	/* grown again, it is another chain */
	append_rows(w, 2);
	verify(w, 1);
	/* and nothing is published from it, however long it gets */
	request(w, REQUEST_STAGE);
	expect(w, op_stage, AAD_R_LEDGER_ALTERED, "stage");
	request(w, REQUEST_ROTATE);
	expect(w, op_rotate, AAD_R_LEDGER_ALTERED, "rotate");
	append_rows(w, 16);
	request(w, REQUEST_STAGE);
	expect(w, op_stage, AAD_R_LEDGER_ALTERED, "stage, longer");
	request(w, REQUEST_COMMIT);
	request_put_u64(&w->b, REQUEST_L_VERSION, 1);
	expect(w, op_commit, AAD_R_LEDGER_ALTERED, "commit");
}

/* ---- account ----------------------------------------------------------- */

static void
list_filters(void **state)
{
	struct world *w = *state;
	struct cert c = sign_host(w, 3600);
	struct got g;
	uint64_t serial;
	char name[24];

	serial = sign_user(w, FORGE_OID, "alice@contoso.com");
	snprintf(name, sizeof(name), "%llu", (unsigned long long)serial);
	request(w, REQUEST_LIST);
	request_put_text(&w->b, REQUEST_L_USER, "ALICE@contoso.com");
	g = answer(w, op_list);
	assert_int_equal(json_array_size(g.rows), 1);
	assert_string_equal(text(json_array_get(g.rows, 0), "serial"), name);
	assert_string_equal(text(json_array_get(g.rows, 0), "type"), "user");
	assert_string_equal(text(json_array_get(g.rows, 0), "oid"), FORGE_OID);
	assert_string_equal(text(json_array_get(g.rows, 0), "issued_at"),
	    "2027-01-15T08:00:00Z");
	assert_int_equal(json_array_size(json_object_get(json_array_get(g.rows,
							     0),
			     "principals")),
	    1);
	got_release(&g);
	request(w, REQUEST_LIST);
	request_put_u64(&w->b, REQUEST_L_SERIAL, c.serial);
	g = answer(w, op_list);
	assert_int_equal(rows_with(&g, "type", "host"), 1);
	assert_int_equal(json_array_size(g.rows), 1);
	got_release(&g);
	request(w, REQUEST_LIST);
	request_put(&w->b, REQUEST_L_HASH, w->subject.pub.hash, 32);
	g = answer(w, op_list);
	assert_int_equal(json_array_size(g.rows), 2);
	got_release(&g);
	w->s.now += 2 * HOUR;
	request(w, REQUEST_LIST);
	request_put_flag(&w->b, REQUEST_L_VALID);
	g = answer(w, op_list);
	assert_int_equal(json_array_size(g.rows), 1);
	got_release(&g);
	assert_int_equal(count_state(w, "expired"), 1);
	request(w, REQUEST_LIST);
	request_put_u64(&w->b, REQUEST_L_SINCE, (uint64_t)w->s.now);
	g = answer(w, op_list);
	assert_int_equal(json_array_size(g.rows), 0);
	got_release(&g);
	request(w, REQUEST_LIST);
	request_put_text(&w->b, REQUEST_L_OID, "x");
	expect(w, op_list, AAD_R_REQUEST_MALFORMED, "oid");
	request(w, REQUEST_KEYS);
	g = answer(w, op_keys);
	assert_int_equal(json_array_size(g.rows), 4);
	assert_int_equal(rows_with(&g, "stage", "active"), 4);
	assert_int_equal(rows_with(&g, "role", "recovery"), 1);
	got_release(&g);
	cert_release(&c);
}

static void
a_peer_that_went_away(void **state)
{
	static struct request rq;
	struct world *w = *state;
	struct cert c = sign_host(w, 0);
	json_t *end;
	int pipes[2];

	rq.op = REQUEST_LIST;
	rq.n = 0;
	assert_int_equal(pipe(pipes), 0);
	close(pipes[0]);
	open_world(w);
	w->s.out = pipes[1];
	assert_int_equal(op_list(&w->s, &rq, &end), AAD_R_SIGNER_UNREACHABLE);
	assert_int_equal(op_keys(&w->s, &rq, &end), AAD_R_SIGNER_UNREACHABLE);
	assert_int_equal(op_backup(&w->s, &rq, &end), AAD_R_SIGNER_UNREACHABLE);
	close(pipes[1]);
	close_world(w);
	cert_release(&c);
}

/* ---- backup ------------------------------------------------------------ */

static struct got
backup(struct world *w)
{
	struct got g;

	request(w, REQUEST_BACKUP);
	g = answer(w, op_backup);
	expect_why(w, &g, AAD_R_ALLOWED, "backup");
	return g;
}

/* The bytes behind a request for a restore that says it has so many. */
static void
ask_restore_of(struct world *w, const uint8_t *p, size_t len, uint64_t said)
{
	FILE *f = fopen(in_path(w), "w");

	assert_non_null(f);
	assert_int_equal(fwrite(p, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
	request(w, REQUEST_RESTORE);
	w->follows = true;
	request_put(&w->b, REQUEST_L_SECRET, w->recovery, w->recovery_len);
	request_put_u64(&w->b, REQUEST_L_LENGTH, said);
}

static void
ask_restore(struct world *w, const struct got *from)
{
	ask_restore_of(w, from->data, from->len, from->len);
}

/* Nothing of an authority is there, nor of a restore. */
static void
expect_nothing(struct world *w)
{
	shell(w, "test ! -e ledger && test ! -e restoring &&"
		 " test -z \"$(find . -type f ! -path './locks/*'"
		 " ! -path './tenant/*')\"");
}

static void
refused(struct world *w, const uint8_t *p, size_t len, uint64_t said,
    enum reason want, const char *where)
{
	ask_restore_of(w, p, len, said);
	expect(w, op_restore, want, where);
	expect_nothing(w);
}

static void
valid_backup(void **state)
{
	struct world *w = *state;
	char before[KEY_FP_LEN + 1], bundle[KEY_FP_LEN + 1];
	struct cert c, lost;
	struct got b, g;

	c = sign_host(w, 0);
	revoke_serial(w, c.serial, AAD_R_ALLOWED);
	publish(w);
	key_at(w, CA_ROLE_USER, CA_STAGE_ACTIVE, before);
	key_at(w, CA_ROLE_BUNDLE, CA_STAGE_ACTIVE, bundle);
	b = backup(w);
	assert_int_equal(number(b.end, "keys"), 3);
	/* nothing of it is readable */
	assert_null(memmem(b.data, b.len, "OPENSSH", 7));
	assert_null(memmem(b.data, b.len, "SQLite", 6));
	ask_restore(w, &b);
	expect(w, op_restore, AAD_R_CA_EXISTS, "over an authority");
	start_over(w);
	ask_restore(w, &b);
	g = answer(w, op_restore);
	expect_why(w, &g, AAD_R_ALLOWED, "restore");
	assert_int_equal(number(g.end, "from_length"), 8);
	assert_true(json_is_null(json_object_get(g.end, "lost_rows")));
	assert_true(json_is_null(json_object_get(g.end, "lost_until")));
	/* Sealing is no signature: whose authority it is, the keys say. */
	assert_string_equal(text(g.end, "user_ca"), before);
	assert_string_equal(text(g.end, "bundle_key"), bundle);
	key_at(w, CA_ROLE_RECOVERY, CA_STAGE_ACTIVE, bundle);
	assert_string_equal(text(g.end, "recovery_key"), bundle);
	got_release(&g);
	expect_key(w, CA_ROLE_USER, CA_STAGE_ACTIVE, before);
	verify(w, 0);
	/* I-E6: hosts may know versions that the backup does not */
	assert_true(publish(w) > 1000);
	assert_true(krl_has(w, &c));
	lost = sign_host(w, 0);
	publish(w);
	verify(w, 0);
	got_release(&b);
	cert_release(&c);
	cert_release(&lost);
}

/* The publication outlived the ledger: it tells how much is missing. */
static void
restore_counts_what_is_lost(void **state)
{
	struct world *w = *state;
	struct got b = backup(w), g;
	struct cert c = sign_host(w, 0);

	publish(w);
	shell(w, "rm -r ledger keys manifests");
	ask_restore(w, &b);
	g = answer(w, op_restore);
	expect_why(w, &g, AAD_R_ALLOWED, "restore");
	assert_int_equal(number(g.end, "lost_rows"), 2);
	assert_string_equal(text(g.end, "lost_until"), "2027-01-15T08:00:00Z");
	assert_non_null(strstr(text(g.end, "advice"), "revoke --key"));
	assert_non_null(strstr(text(g.end, "advice"), "revoke --ca-key"));
	assert_non_null(strstr(text(g.end, "advice"), "rotate --now"));
	got_release(&g);
	got_release(&b);
	cert_release(&c);
}

/* The rows of tokens that were used after the backup are gone. */
static void
I_C18_tokens_of_before_a_restore(void **state)
{
	const uint8_t seed[PRIVKEY_SEED_LEN] = { 8 };
	struct world *w = *state;
	struct privkey other;
	struct got b;

	assert_int_equal(privkey_of_seed(seed, &other), 0);
	publish(w);
	b = backup(w);
	assert_int_equal(try_token(w, NOW - 5, &w->subject.pub), AAD_R_ALLOWED);
	assert_int_equal(try_token(w, NOW - 5, &other.pub), AAD_R_TOKEN_USED);
	start_over(w);
	w->s.now = NOW + 10;
	ask_restore(w, &b);
	expect(w, op_restore, AAD_R_ALLOWED, "restore");
	/* also of a clock that is ahead of ours as far as it may be */
	w->s.now = NOW + 200;
	assert_int_equal(try_token(w, NOW - 5, &other.pub),
	    AAD_R_TOKEN_RESTORED);
	assert_int_equal(try_token(w, NOW - 5, &w->subject.pub),
	    AAD_R_TOKEN_RESTORED);
	assert_int_equal(try_token(w, NOW + 10 + 60, &other.pub),
	    AAD_R_TOKEN_RESTORED);
	assert_int_equal(try_token(w, NOW + 10 + 61, &other.pub),
	    AAD_R_ALLOWED);
	got_release(&b);
	privkey_release(&other);
}

/* A clock that was far ahead during the restore locks nobody out for years;
 * one that was a little ahead lets no token through. */
static void
a_restore_with_a_clock_that_was_ahead(void **state)
{
	static const struct {
		int64_t ahead;
		enum reason want;
	} clocks[] = {
		{ 0, AAD_R_TOKEN_RESTORED },
		{ 600, AAD_R_TOKEN_RESTORED },
		{ 601, AAD_R_ALLOWED },
		{ 3650 * DAY, AAD_R_ALLOWED },
	};
	struct world *w = *state;
	struct got b = backup(w);

	for (size_t i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++) {
		start_over(w);
		w->s.now = NOW + clocks[i].ahead;
		ask_restore(w, &b);
		expect(w, op_restore, AAD_R_ALLOWED, "restore");
		w->s.now = NOW;
		assert_int_equal(try_sign(w), clocks[i].want);
	}
	got_release(&b);
}

/* A backup of several chunks: a ledger with long rows. */
static struct got
long_backup(struct world *w)
{
	struct event e = { .at = w->s.now, .kind = EVENT_PUBLISHED };
	char pad[60001];
	enum reason why;

	memset(pad, 'x', sizeof(pad) - 1);
	pad[sizeof(pad) - 1] = '\0';
	assert_non_null(e.body = json_pack("{s:s}", "pad", pad));
	open_world(w);
	assert_int_equal(signer_ledger(&w->s), AAD_R_ALLOWED);
	assert_int_equal(ledger_begin(w->s.ledger, &why), 0);
	for (int i = 0; i < 5; i++)
		assert_int_equal(ledger_append(w->s.ledger, &e, &why), 0);
	assert_int_equal(ledger_commit(w->s.ledger, &why), 0);
	close_world(w);
	event_release(&e);
	return backup(w);
}

#define FRONT  155 /* bytes in front of the first chunk */
#define CHUNKS 32

/* Where each chunk begins, and the end. */
static size_t
chunks_of(const struct got *b, size_t at[static CHUNKS])
{
	size_t n = 0, i = FRONT;

	while (i < b->len && n < CHUNKS - 1) {
		at[n++] = i;
		i += 4 + ((size_t)b->data[i] << 24 |
			     (size_t)b->data[i + 1] << 16 |
			     (size_t)b->data[i + 2] << 8 | b->data[i + 3]);
	}
	assert_int_equal(i, b->len);
	at[n] = i;
	return n;
}

/* Of every cut, flipped byte and order of the chunks nothing comes. */
static void
damaged_backup_leaves_nothing(void **state)
{
	struct world *w = *state;
	struct got b = long_backup(w);
	size_t at[CHUNKS], n = chunks_of(&b, at), i, len;
	uint8_t *p = malloc(b.len + 1);

	assert_non_null(p);
	assert_true(n >= 5);
	start_over(w);
	for (i = 0; i <= n; i++) {
		len = i == n ? FRONT - 24 : at[i];
		refused(w, b.data, len, len, AAD_R_BACKUP, "cut");
		refused(w, b.data, len, b.len, AAD_R_BACKUP, "cut on its way");
		refused(w, b.data, b.len, len, AAD_R_BACKUP, "said less");
	}
	for (i = 0; i < n; i++) {
		memcpy(p, b.data, b.len);
		p[at[i] + (at[i + 1] - at[i]) / 2] ^= 1;
		refused(w, p, b.len, b.len, AAD_R_BACKUP, "flipped");
		memcpy(p, b.data, b.len);
		p[at[i] + 3] ^= 1;
		refused(w, p, b.len, b.len, AAD_R_BACKUP, "another length");
	}
	for (i = 0; i + 2 < n; i++) {
		len = at[i + 1] - at[i];
		assert_int_equal(len, at[i + 2] - at[i + 1]);
		memcpy(p, b.data, b.len);
		memcpy(p + at[i], b.data + at[i + 1], len);
		memcpy(p + at[i + 1], b.data + at[i], len);
		refused(w, p, b.len, b.len, AAD_R_BACKUP, "swapped");
		memcpy(p + at[i], b.data + at[i + 2], b.len - at[i + 2]);
		refused(w, p, b.len - 2 * len, b.len - 2 * len, AAD_R_BACKUP,
		    "two are missing");
	}
	memcpy(p, b.data, b.len);
	p[b.len] = 0;
	refused(w, p, b.len + 1, b.len + 1, AAD_R_BACKUP, "more at its end");
	refused(w, p, b.len + 1, b.len, AAD_R_REQUEST_MALFORMED,
	    "more on the pipe");
	refused(w, p, b.len, b.len + 1, AAD_R_BACKUP, "said more");
	ask_restore(w, &b);
	expect(w, op_restore, AAD_R_ALLOWED, "the whole");
	verify(w, 0);
	free(p);
	got_release(&b);
}

static void
backup_of_another_format(void **state)
{
	struct world *w = *state;
	struct got b = backup(w);

	start_over(w);
	b.data[17] = '1';
	refused(w, b.data, b.len, b.len, AAD_R_BACKUP, "format 1");
	assert_non_null(strstr(w->s.detail, "another version of aadssh-ca"));
	b.data[0] = 'A';
	refused(w, b.data, b.len, b.len, AAD_R_BACKUP, "no backup");
	assert_non_null(strstr(w->s.detail, "is no backup"));
	refused(w, b.data, 0, 0, AAD_R_BACKUP, "empty");
	got_release(&b);
}

/* Each call fails once, as on a full disk: nothing is left, or what is left
 * says how to go on; and another run succeeds. */
static void
restore_on_a_full_disk(void **state)
{
	struct world *w = *state;
	struct got b = long_backup(w), g;
	bool reached = true;
	unsigned int k;

	for (k = 1; reached; k++) {
		start_over(w);
		ask_restore(w, &b);
		g = answer_with(w, op_restore, FAULT_SYSCALL, k, ENOSPC,
		    &reached);
		if (g.why == AAD_R_ALLOWED) {
			got_release(&g);
			verify(w, 0);
			continue;
		}
		shell(w, "test -z \"$(find . -name '.*.tmp.000000')\"");
		if (access(in_state(w, "restoring"), F_OK) == -1)
			expect_nothing(w);
		got_release(&g);
		ask_restore(w, &b);
		expect(w, op_restore, AAD_R_ALLOWED, "with room");
		verify(w, 0);
		expect_tidy(w);
	}
	assert_true(k > 60);
	got_release(&b);
}

/* Who gives up after a killed restore, and begins anew. */
static void
init_behind_a_killed_restore(void **state)
{
	struct world *w = *state;
	unsigned int k;

	for (k = 20; k < 40; k += 3) {
		struct got b = backup(w);

		start_over(w);
		ask_restore(w, &b);
		got_release(&b);
		assert_true(killed(w, op_restore, k));
		if (access(in_state(w, "restoring"), F_OK) == 0)
			break;
		init(w);
		shell(w, "test \"$(ls -A ledger)\" = ledger.db &&"
			 " test -z \"$(find keys -type f -name '.*')\"");
	}
	assert_true(k > 20);
}

/* What a killed backup leaves is empty, and goes with the next. */
static void
copy_without_a_name(void **state)
{
	struct world *w = *state;
	struct got b;

	shell(w, "touch ledger/.ledger.db.tmp.000001");
	b = backup(w);
	shell(w, "test \"$(ls -A ledger)\" = ledger.db");
	got_release(&b);
}

static void
wrong_recovery_key(void **state)
{
	struct world *w = *state;
	struct got b = backup(w);
	struct secret *other;

	start_over(w);
	assert_int_equal(privkey_format(&w->subject, 1, "x", &other), 0);
	ask_restore(w, &b);
	request(w, REQUEST_RESTORE);
	w->follows = true;
	request_put(&w->b, REQUEST_L_SECRET, secret_bytes(other),
	    secret_len(other));
	request_put_u64(&w->b, REQUEST_L_LENGTH, b.len);
	expect(w, op_restore, AAD_R_BACKUP, "another key");
	expect_nothing(w);
	request(w, REQUEST_RESTORE);
	w->follows = true;
	request_put(&w->b, REQUEST_L_SECRET, "x", 1);
	request_put_u64(&w->b, REQUEST_L_LENGTH, b.len);
	expect(w, op_restore, AAD_R_BACKUP, "no key");
	expect_nothing(w);
	ask_restore(w, &b);
	expect(w, op_restore, AAD_R_ALLOWED, "nothing was left behind");
	secret_free(other);
	got_release(&b);
}

static void
restore_killed_anywhere(void **state)
{
	struct world *w = *state;
	struct got b, other;
	unsigned int k;

	publish(w);
	b = backup(w);
	other = backup(w);
	for (k = 1;; k++) {
		struct got g;

		start_over(w);
		ask_restore(w, &b);
		if (!killed(w, op_restore, k))
			break;
		ask_restore(w, &b);
		g = answer(w, op_restore);
		if (g.why != AAD_R_CA_EXISTS) /* killed behind its row */
			expect_why(w, &g, AAD_R_ALLOWED, "once more");
		got_release(&g);
		verify(w, 0);
		expect_tidy(w);
	}
	assert_true(k > 40);
	got_release(&b);
	got_release(&other);
}

/* The door is open all the while: what is given out between a kill and the
 * next run must not make of the backup an authority that knows nothing of a
 * restore, and publishes versions again that hosts have. */
static void
II_R5_signed_behind_a_killed_restore(void **state)
{
	struct world *w = *state;
	unsigned int k, refused_n = 0, given = 0, others = 0;
	struct got b, other;
	struct cert c;

	publish(w);
	b = backup(w);
	c = sign_host(w, 0);
	other = backup(w);
	for (k = 1;; k++) {
		struct got g;
		bool there;

		start_over(w);
		ask_restore(w, &b);
		if (!killed(w, op_restore, k))
			break;
		if (access(in_state(w, "ledger/ledger.db"), F_OK) == 0) {
			ask_restore(w, &other);
			expect(w, op_restore, AAD_R_CA_EXISTS, "of another");
			others++;
		}
		request(w, REQUEST_SIGN_HOST);
		request_put(&w->b, REQUEST_L_KEY, w->subject.pub.blob,
		    w->subject.pub.blob_len);
		request_put_text(&w->b, REQUEST_L_NAME, "web1.example.com");
		g = answer(w, op_sign_host);
		there = g.why == AAD_R_ALLOWED;
		if (!there)
			assert_int_equal(g.why, AAD_R_NO_CA);
		given += there;
		refused_n += !there;
		got_release(&g);
		ask_restore(w, &b);
		g = answer(w, op_restore);
		if (there)
			expect_why(w, &g, AAD_R_CA_EXISTS, "it was there");
		else if (g.why != AAD_R_CA_EXISTS)
			expect_why(w, &g, AAD_R_ALLOWED, "once more");
		got_release(&g);
		assert_true(publish(w) > PUBLISHED_AFTER_RESTORE);
		verify(w, 0);
	}
	assert_true(refused_n > 20 && given > 0 && others > given);
	cert_release(&c);
	got_release(&b);
	got_release(&other);
}

/* ---- the archive alone ------------------------------------------------- */

struct bytes {
	uint8_t p[4096];
	size_t n, at;
};

static int
collect(void *arg, const uint8_t *p, size_t len)
{
	struct bytes *b = arg;

	assert_true(len <= sizeof(b->p) - b->n);
	memcpy(b->p + b->n, p, len);
	b->n += len;
	return 0;
}

static int
supply(void *arg, uint8_t *p, size_t len)
{
	struct bytes *b = arg;

	if (len > b->n - b->at)
		return AAD_ENOENT;
	memcpy(p, b->p + b->at, len);
	b->at += len;
	return 0;
}

/* An archive of the one entry "keys/a" that is "hello". */
struct seen {
	size_t begun, bytes, ended;
};

static int
entry_begins(void *arg, const char *name, uint64_t len)
{
	struct seen *seen = arg;

	assert_string_equal(name, "keys/a");
	assert_int_equal(len, 5);
	seen->begun++;
	return 0;
}

static int
entry_bytes(void *arg, const uint8_t *p, size_t len)
{
	struct seen *seen = arg;

	assert_true(len <= 5 - seen->bytes);
	assert_memory_equal(p, &"hello"[seen->bytes], len);
	seen->bytes += len;
	return 0;
}

static int
entry_ends(void *arg)
{
	struct seen *seen = arg;

	assert_int_equal(seen->bytes, 5);
	seen->ended++;
	return 0;
}

static int
read_archive(const struct privkey *k, struct bytes *b, struct seen *seen)
{
	const struct archive_sink sink = { entry_begins, entry_bytes,
		entry_ends, seen };

	return archive_read(k, supply, b, &sink);
}

static void
damaged_archive(const uint8_t *p, size_t len, enum mutation how, size_t at,
    void *arg)
{
	const struct privkey *k = arg;
	struct bytes b = { .n = len };
	struct seen seen = { 0, 0, 0 };
	int r;

	(void)how;
	(void)at;
	memcpy(b.p, p, len);
	r = read_archive(k, &b, &seen);
	assert_true(r == AAD_EFORMAT || r == AAD_EREFUSED || r == AAD_EVERSION);
}

static void
mutated_archive(void **state)
{
	struct world *w = *state;
	struct bytes b = { .n = 0 };
	struct seen seen = { 0, 0, 0 };
	struct archive *a;

	assert_int_equal(archive_new(&w->subject.pub, collect, &b, &a), 0);
	assert_int_equal(archive_entry(a, "keys/a", 5), 0);
	assert_int_equal(archive_put(a, (const uint8_t *)"hel", 3), 0);
	assert_int_equal(archive_entry(a, "keys/b", 5), AAD_EARG);
	assert_int_equal(archive_end(a), AAD_EARG);
	assert_int_equal(archive_put(a, (const uint8_t *)"lo!", 3), AAD_EARG);
	assert_int_equal(archive_put(a, (const uint8_t *)"lo", 2), 0);
	assert_int_equal(archive_add(a, "", NULL, 0), AAD_EARG);
	assert_int_equal(archive_entry(a, "x", UINT64_MAX), AAD_ETOOBIG);
	assert_int_equal(archive_end(a), 0);
	archive_free(a);
	assert_int_equal(read_archive(&w->subject, &b, &seen), 0);
	assert_int_equal(seen.begun, 1);
	assert_int_equal(seen.ended, 1);
	mutate_walk(b.p, b.n, damaged_archive, &w->subject);
}

static void
names_in_a_backup(void **state)
{
	(void)state;
	assert_true(backup_holds("ledger.db"));
	assert_true(backup_holds("manifests/12.json"));
	assert_true(backup_holds("manifests/12.json.sig"));
	assert_false(backup_holds("manifests/012.json"));
	assert_false(backup_holds("manifests/../keys/x"));
	assert_false(backup_holds("manifests/.json"));
	assert_false(backup_holds("manifests/.sig"));
	assert_false(backup_holds("keys/x.key"));
	assert_false(backup_holds("/etc/passwd"));
	assert_false(backup_holds("ledger.db/"));
	assert_false(backup_holds(""));
}

static void
damaged_manifest(const uint8_t *p, size_t len, enum mutation how, size_t at,
    void *arg)
{
	struct manifest m;
	int r = manifest_parse((const char *)p, len, &m);

	(void)how;
	(void)at;
	(void)arg;
	if (r == 0)
		manifest_release(&m); /* a digit, a letter of a name */
	else
		assert_true(r == AAD_EFORMAT || r == AAD_EVERSION);
}

static void
mutated_manifest(void **state)
{
	struct world *w = *state;
	size_t len;
	char *p;

	publish(w);
	p = current_file(w, MANIFEST_NAME, &len);
	mutate_walk(p, len, damaged_manifest, NULL);
	free(p);
}

/* Exactly the members that a host relies on, and each of its own kind. */
static void
manifests_that_say_too_little(void **state)
{
	static const struct {
		const char *from, *to;
		int r;
	} cases[] = {
		{ "\"v\":1", "\"v\":2", AAD_EVERSION },
		{ "\"v\":1", "\"v\":0", AAD_EFORMAT },
		{ "\"version\":1", "\"version\":0", AAD_EFORMAT },
		{ "\"version\":1", "\"version\":\"1\"", AAD_EFORMAT },
		{ "\"issued\":\"", "\"issued\":\"x", AAD_EFORMAT },
		{ "\"expires\":\"", "\"expires\":\"x", AAD_EFORMAT },
		{ "\"length\":", "\"length\":-", AAD_EFORMAT },
		{ "\"head\":\"", "\"head\":\"A", AAD_EFORMAT },
		{ "\"bundle_key\":\"", "\"bundle_key\":\"x", AAD_EFORMAT },
		{ "\"recovery_key\":\"", "\"recovery_key\":\"x", AAD_EFORMAT },
		{ "\"krl\":{", "\"../krl\":{", AAD_EFORMAT },
		{ "\"krl\":{", "\"..\":{", AAD_EFORMAT },
		{ "\"krl\":{", "\"\":{", AAD_EFORMAT },
		{ "\"sha256\":\"", "\"sha256\":\"A", AAD_EFORMAT },
		{ "\"size\":", "\"size\":-", AAD_EFORMAT },
		{ "\"files\":{", "\"files\":{},\"more\":{", AAD_EFORMAT },
		{ "\"files\":{", "\"files\":[],\"more\":{", AAD_EFORMAT },
		{ "\"user_ca\":[", "\"user_ca\":{},\"more\":[", AAD_EFORMAT },
		{ "\"host_ca\":[", "\"host_ca\":{},\"more\":[", AAD_EFORMAT },
		{ "\"stage\":\"active\"", "\"stage\":\"none\"", AAD_EFORMAT },
		{ "\"stage\":\"active\"", "\"stage\":1", AAD_EFORMAT },
		{ "\"fingerprint\":\"", "\"fingerprint\":\"x", AAD_EFORMAT },
	};
	struct world *w = *state;
	struct manifest m;
	char *p, *at, *q;
	size_t len, i;

	publish(w);
	p = current_file(w, MANIFEST_NAME, &len);
	assert_int_equal(manifest_parse(p, len, &m), 0);
	manifest_release(&m);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if ((at = strstr(p, cases[i].from)) == NULL)
			fail_msg("no %s in %s", cases[i].from, p);
		assert_true(asprintf(&q, "%.*s%s%s", (int)(at - p), p,
				cases[i].to, at + strlen(cases[i].from)) > 0);
		if (manifest_parse(q, strlen(q), &m) != cases[i].r)
			fail_msg("%s", cases[i].to);
		free(q);
	}
	assert_non_null(q = calloc(1, MANIFEST_MAX + 1));
	assert_int_equal(manifest_parse(q, MANIFEST_MAX + 1, &m), AAD_ETOOBIG);
	free(q);
	free(p);
}

/* What "current" may be: a link to a version, in its one spelling. */
static void
what_is_current(void **state)
{
	static const struct {
		const char *make;
		int r;
	} cases[] = {
		{ "true", AAD_ENOENT },
		{ "touch current", AAD_EFORMAT },
		{ "ln -s 01 current", AAD_EFORMAT },
		{ "ln -s 0 current", AAD_EFORMAT },
		{ "ln -s ./1 current", AAD_EFORMAT },
		{ "ln -s 99999999999999999999999999999999999999999999 "
		  "current",
		    AAD_EFORMAT },
		{ "ln -s 7 current", 0 },
	};
	struct world *w = *state;
	char script[200];
	uint64_t v;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(script, sizeof(script),
		    "cd public && rm -f current && %s", cases[i].make);
		shell(w, script);
		open_world(w);
		if (published_current(w->s.publish, &v) != cases[i].r ||
		    v != (cases[i].r == 0 ? 7 : 0))
			fail_msg("%s", cases[i].make);
		close_world(w);
	}
}

/* ---- check ------------------------------------------------------------- */

static void
sound_and_not(void **state)
{
	struct world *w = *state;
	struct got g;

	write_tenant_keys(w);
	publish(w);
	request(w, REQUEST_CHECK);
	g = answer(w, op_check);
	expect_why(w, &g, AAD_R_ALLOWED, "sound");
	assert_int_equal(number(g.end, "faults"), 0);
	assert_true(json_array_size(g.rows) >= 8);
	got_release(&g);
	shell(w, "chmod 755 manifests && mkdir public/extra && rm "
		 "tenant/keys.json");
	w->s.now += 6 * DAY;
	request(w, REQUEST_CHECK);
	g = answer(w, op_check);
	expect_why(w, &g, AAD_R_STATE_UNREADABLE, "not");
	/* modes, a file, the publication, rotation, tenant keys */
	assert_int_equal(number(g.end, "faults"), 5);
	got_release(&g);
}

static void
no_authority(void **state)
{
	static const struct {
		enum request_op op;
		signer_fn *fn;
	} ops[] = {
		{ REQUEST_LIST, op_list },
		{ REQUEST_KEYS, op_keys },
		{ REQUEST_VERIFY, op_verify },
		{ REQUEST_CHECK, op_check },
		{ REQUEST_BACKUP, op_backup },
		{ REQUEST_ROTATE, op_rotate },
		{ REQUEST_ROTATE_BUNDLE, op_rotate_bundle },
	};
	struct world *w = *state;
	size_t i;

	for (i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		request(w, ops[i].op);
		expect(w, ops[i].fn, AAD_R_NO_CA, "nothing there");
	}
	revoke_serial(w, 5, AAD_R_NO_CA);
	request(w, REQUEST_STAGE);
	expect(w, op_stage, AAD_R_PUBLICATION, "nowhere to publish");
}

static int
forge_all(void **state)
{
	(void)state;
	if (sodium_init() == -1)
		return -1;
	forge_init(&tenant, 1);
	return 0;
}

static int
release_all(void **state)
{
	(void)state;
	forge_release(&tenant);
	return 0;
}

#define WITH(test)  cmocka_unit_test_setup_teardown(test, setup, teardown)
#define EMPTY(test) cmocka_unit_test_setup_teardown(test, setup_empty, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		EMPTY(no_authority),
		WITH(valid_init),
		WITH(duplicate_init),
		EMPTY(imported_key),
		EMPTY(recovery_key),
		EMPTY(init_killed_anywhere),
		WITH(I_C15_a_serial_revokes_one_certificate),
		WITH(II_C14_exactly_one_subject),
		cmocka_unit_test(II_P17_every_certificate_is_revoked),
		WITH(many_that_had_one_name),
		WITH(words_of_a_revocation),
		WITH(I_C15_an_identity_and_no_other),
		WITH(ambiguous_user),
		WITH(a_key_is_revoked_for_ever),
		WITH(I_E3_neighbours_of_a_revoked_serial),
		WITH(I_E8_expired_serials_are_dropped),
		WITH(I_E12_a_lost_key_of_the_authority),
		WITH(I_E1_a_new_authority_publishes_a_krl),
		WITH(I_E2_a_damaged_publication_is_never_switched_to),
		WITH(I_E6_never_an_older_version),
		WITH(II_R5_an_older_copy_of_the_ledger),
		WITH(II_R5_signing_from_an_older_copy),
		WITH(II_R5_a_copy_from_before_the_bundle_key),
		WITH(a_new_authority_under_an_old_publication),
		WITH(signing_without_a_publication),
		WITH(a_version_that_is_over),
		WITH(I_E7_a_manifest_signed_by_ssh_keygens_rules),
		WITH(I_C11_a_manifest_of_an_authority),
		WITH(II_R1_a_bad_krl_that_is_signed),
		WITH(old_versions_are_pruned),
		WITH(I_C21_versions_that_are_never_switched_to),
		WITH(staged_versions_are_pruned),
		WITH(the_krl_alone),
		WITH(II_R1_system_calls_fail),
		WITH(II_R1_memory_is_short),
		WITH(II_R8_killed_between_write_and_switch),
		WITH(I_E11_a_life_of_two_keys),
		WITH(I_E11_now_is_not_at_once),
		WITH(I_E12_the_next_key_steps_in),
		WITH(I_E11_a_publication_without_its_copy),
		WITH(dry_rotate),
		WITH(a_clock_that_was_ahead),
		WITH(more_keys_than_there_is_room),
		WITH(a_publication_of_a_clock_that_was_ahead),
		WITH(II_C4_a_revocation_with_a_clock_that_is_ahead),
		WITH(II_C19_rotate_killed_anywhere),
		WITH(private_files_that_no_row_names),
		WITH(private_files_under_an_older_copy),
		WITH(memory_is_short_for_all),
		WITH(another_bundle_key),
		WITH(bundle_killed_anywhere),
		WITH(verify_finds_a_certificate_that_is_not_its_rows),
		WITH(verify_finds_a_key_that_did_not_sign_then),
		WITH(verify_finds_a_manifest_that_disagrees),
		WITH(verify_finds_a_ledger_that_was_cut),
		WITH(list_filters),
		WITH(a_peer_that_went_away),
		WITH(valid_backup),
		WITH(restore_counts_what_is_lost),
		WITH(I_C18_tokens_of_before_a_restore),
		WITH(a_restore_with_a_clock_that_was_ahead),
		WITH(damaged_backup_leaves_nothing),
		WITH(backup_of_another_format),
		WITH(restore_on_a_full_disk),
		WITH(init_behind_a_killed_restore),
		WITH(copy_without_a_name),
		WITH(wrong_recovery_key),
		WITH(restore_killed_anywhere),
		WITH(II_R5_signed_behind_a_killed_restore),
		EMPTY(mutated_archive),
		EMPTY(names_in_a_backup),
		WITH(mutated_manifest),
		WITH(manifests_that_say_too_little),
		WITH(what_is_current),
		WITH(sound_and_not),
	};

	return cmocka_run_group_tests(tests, forge_all, release_all);
}
