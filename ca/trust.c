/* SPDX-License-Identifier: ISC */

#include <stdlib.h>
#include <string.h>

#include "ca/keyfile.h"
#include "ca/trust.h"
#include "core/file.h"
#include "ssh/krl.h"

/* One file of the current publication. */
static int
read_published(struct ca_app *app, const struct ca_owner *owner,
    const char *name, size_t max, char **bufp, size_t *lenp)
{
	struct file_owner right = { owner->uid, 0, false };
	int dir = ca_open_published(app->conf, owner), r;

	*bufp = NULL;
	*lenp = 0;
	if (dir == -1)
		return AAD_ENOENT;
	r = file_read(dir, name, right, max, bufp, lenp);
	file_close(dir);
	return r;
}

enum reason
trust_load(struct ca_app *app, enum cert_type type, struct trust *t)
{
	const char *name = type == CERT_HOST ? "host_ca.pub" : "user_ca.pub";
	struct ca_owner owner;
	enum reason why;
	char *text;
	size_t len;
	int r;

	memset(t, 0, sizeof(*t));
	if ((why = ca_owner(app, &owner)) != AAD_R_ALLOWED)
		return why;
	r = read_published(app, &owner, name, CA_PUB_MAX, &text, &len);
	if (r == 0)
		r = keyfile_parse_list(text, len, &t->cas, &t->n);
	free(text);
	if (r == 0 && t->n > 0)
		return AAD_R_ALLOWED;
	if (r == AAD_ENOMEM)
		return AAD_R_NO_MEMORY;
	if (r == 0)
		return ca_detail(app, AAD_R_PUBLICATION,
		    "%s/current/%s: no key of the authority signs now; see "
		    "aadssh-ca keys",
		    app->conf->publish_dir, name);
	return ca_detail(app, AAD_R_PUBLICATION,
	    "%s/current/%s: it is not there, not the authority's, or not a "
	    "list of keys",
	    app->conf->publish_dir, name);
}

char *
trust_text(struct ca_app *app, const char *name)
{
	struct ca_owner owner;
	char *text;
	size_t len;

	if (ca_owner(app, &owner) != AAD_R_ALLOWED ||
	    read_published(app, &owner, name, CA_PUB_MAX, &text, &len) != 0)
		return NULL;
	return text;
}

/* The published list; NULL where it can't be read. */
static struct krl *
published_krl(struct ca_app *app)
{
	struct ca_owner owner;
	struct krl *k = NULL;
	char *blob = NULL;
	size_t len;

	if (ca_owner(app, &owner) == AAD_R_ALLOWED &&
	    read_published(app, &owner, "krl", KRL_MAX, &blob, &len) == 0 &&
	    krl_decode((const uint8_t *)blob, len, &k) != 0)
		k = NULL;
	free(blob);
	return k;
}

bool
trust_revoked(struct ca_app *app, const struct cert *c)
{
	struct krl *k = published_krl(app);
	bool yes;

	yes = k != NULL && (krl_has_key(k, &c->key) || krl_has_key(k, &c->ca) ||
			       krl_has_cert(k, &c->ca, c->serial, c->key_id));
	krl_free(k);
	return yes;
}

bool
trust_over(struct ca_app *app, const char *path)
{
	struct krl *k = NULL;
	enum reason why;
	struct cert c;
	char *text;
	size_t len;
	bool yes;

	if (keyfile_slurp(path, CA_PUB_MAX, &text, &len) != 0)
		return false;
	if (cert_from_pub(text, len, &c, &why) != 0) {
		free(text);
		return false;
	}
	free(text);
	k = published_krl(app);
	yes = k != NULL && krl_has_key(k, &c.ca);
	krl_free(k);
	cert_release(&c);
	return yes;
}

void
trust_release(struct trust *t)
{
	keyfile_free_list(t->cas, t->n);
	t->cas = NULL;
	t->n = 0;
}
