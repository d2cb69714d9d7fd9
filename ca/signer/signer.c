/* SPDX-License-Identifier: ISC */

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ca/signer/signer.h"
#include "cmd/cli/log.h"
#include "core/file.h"
#include "core/strictjson.h"
#include "core/text.h"

#define CHUNK	   524288 /* bytes of one REQUEST_DATA */
#define FIELDS_MAX 24

/* ---- replies ---------------------------------------------------------- */

static int
put_all(int fd, const uint8_t *p, size_t len)
{
	struct pollfd ready = { fd, POLLOUT, 0 };
	ssize_t n;

	while (len > 0) {
		n = write(fd, p, len);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 && errno == EAGAIN) {
			/* NB. who started us may have made it so. */
			poll(&ready, 1, 1000);
			continue;
		}
		if (n <= 0)
			return AAD_ESYS;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Finish a message and send it. */
static int
send_message(const struct signer *s, struct wirebuf *b)
{
	uint8_t *p;
	size_t len;
	int r;

	request_end(b);
	if ((r = wirebuf_take(b, &p, &len)) != 0) {
		wirebuf_release(b);
		return r;
	}
	r = len > REQUEST_HEAD_LEN + REQUEST_REPLY_MAX
		? AAD_ETOOBIG
		: put_all(s->out, p, len);
	free(p);
	return r;
}

/* The text of {"v": 1, …}, heap, NULL where memory was short. */
static char *
versioned(json_t *o)
{
	json_t *out = json_pack("{s:i}", "v", 1);
	char *text = NULL;

	if (out != NULL && o != NULL && json_object_update(out, o) == 0)
		text = strictjson_dump(out);
	json_decref(out);
	json_decref(o);
	return text;
}

int
signer_row(struct signer *s, json_t *o)
{
	struct wirebuf b = wirebuf_new();
	char *text = versioned(o);

	if (text == NULL)
		return AAD_ENOMEM;
	request_begin(&b, REQUEST_ROW);
	request_put_text(&b, REQUEST_L_JSON, text);
	free(text);
	return send_message(s, &b);
}

int
signer_certificate(struct signer *s, const struct cert *c, json_t *o)
{
	struct wirebuf b = wirebuf_new();
	char *text = versioned(o);

	if (text == NULL)
		return AAD_ENOMEM;
	request_begin(&b, REQUEST_CERTIFICATE);
	request_put(&b, REQUEST_L_KEY, c->blob, c->blob_len);
	request_put_text(&b, REQUEST_L_JSON, text);
	free(text);
	return send_message(s, &b);
}

int
signer_data(struct signer *s, const void *p, size_t len)
{
	const uint8_t *from = p;
	struct wirebuf b;
	size_t n;
	int r;

	do {
		n = len < CHUNK ? len : CHUNK;
		b = wirebuf_new();
		request_begin(&b, REQUEST_DATA);
		request_put(&b, REQUEST_L_DATA, from, n);
		if ((r = send_message(s, &b)) != 0)
			return r;
		from += n;
		len -= n;
	} while (len > 0);
	return 0;
}

int
signer_end(struct signer *s, enum reason why, json_t *o)
{
	struct wirebuf b = wirebuf_new();
	const bool hide = s->socket && reason_class(why) == REASON_CANNOT;
	char *text = o != NULL ? versioned(o) : NULL;

	/* An answer without its object is not the answer. */
	if (o != NULL && text == NULL && reason_class(why) == REASON_YES)
		why = AAD_R_NO_MEMORY;
	request_begin(&b, REQUEST_END);
	request_put_text(&b, REQUEST_L_TEXT,
	    hide ? "its log on the host of the authority says more"
		 : s->detail);
	if (text != NULL)
		request_put_text(&b, REQUEST_L_JSON, text);
	request_put_u64(&b, REQUEST_L_CODE, (uint64_t)request_exit(why));
	request_put_text(&b, REQUEST_L_REASON, reason_name(why));
	free(text);
	return send_message(s, &b);
}

/* ---- what operations share -------------------------------------------- */

enum reason
signer_fail(struct signer *s, enum reason why, const char *fmt, ...)
{
	char text[SIGNER_DETAIL_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	text_clean(text, strlen(text), s->detail, sizeof(s->detail));
	return why;
}

static int
look_at_restored(void *arg, const struct event *e)
{
	int64_t *seq = arg;

	*seq = e->seq;
	return 0;
}

/* Whether the mark of a restore is there, or that cannot be told. */
static bool
is_restoring(const struct signer *s)
{
	const struct file_owner self = { geteuid(), FILE_ANY_OWNER, false };
	char *text;
	size_t len;
	int r = file_read(s->dir, SIGNER_RESTORING, self, 0, &text, &len);

	free(text);
	return r != AAD_ENOENT;
}

/* The mark is there: is the row, which nothing can have come behind yet? */
static enum reason
end_restore(struct signer *s)
{
	const struct ledger_filter restored = { .kind = EVENT_RESTORED };
	int64_t length, seq = 0;
	uint8_t head[32];
	enum reason why;

	if (ledger_head(s->ledger, &length, head, &why) != 0 ||
	    ledger_each(s->ledger, &restored, look_at_restored, &seq, &why) !=
		0)
		return signer_fail(s, why, "%s", ledger_error(s->ledger));
	if (seq == 0 || seq != length)
		return signer_fail(s, AAD_R_NO_CA,
		    "a restore did not come to its end; run it again, with the "
		    "same backup");
	return file_remove(s->dir, SIGNER_RESTORING) != AAD_ESYS
		   ? AAD_R_ALLOWED
		   : signer_fail(s, AAD_R_DISK, SIGNER_RESTORING);
}

enum reason
signer_ledger(struct signer *s)
{
	enum reason why = AAD_R_UNSET;

	if (s->ledger != NULL)
		return AAD_R_ALLOWED;
	if (s->dir == -1)
		return AAD_R_NO_CA;
	if (ledger_open(s->dir, &s->ledger, &why) != 0)
		return why;
	why = s->restores || !is_restoring(s) ? AAD_R_ALLOWED : end_restore(s);
	if (why != AAD_R_ALLOWED) {
		ledger_close(s->ledger);
		s->ledger = NULL;
	}
	return why;
}

void
signer_log(const struct signer *s, const char *event, enum reason why,
    const struct log_field *fields, size_t n)
{
	struct log_field all[FIELDS_MAX];
	char uid[24], pid[24];
	size_t k = 0, i;

	snprintf(uid, sizeof(uid), "%lu", (unsigned long)s->peer_uid);
	snprintf(pid, sizeof(pid), "%ld", (long)s->peer_pid);
	all[k++] = (struct log_field){ "verdict", reason_verdict(why) };
	all[k++] = (struct log_field){ "reason", reason_name(why) };
	all[k++] = (struct log_field){ "via", s->socket ? "socket" : "pipe" };
	all[k++] = (struct log_field){ "peer_uid", uid };
	all[k++] = (struct log_field){ "peer_pid", pid };
	for (i = 0; i < n && k < FIELDS_MAX - 1; i++)
		all[k++] = fields[i];
	all[k++] = (struct log_field){ "detail", s->detail };
	log_event(log_priority(why), event, all, k);
}
