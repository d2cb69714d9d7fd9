/* SPDX-License-Identifier: ISC */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ca/dial.h"
#include "ca/door.h"
#include "ca/spawn.h"
#include "cmd/cli/clock.h"
#include "core/file.h"
#include "core/strictjson.h"
#include "core/text.h"

#define SIGNER	  "aadssh-ca-signer"
#define SOCKET	  "signer.sock"
#define CONNECT_S 10 /* seconds */
#define PIECE	  65536 /* bytes of what follows a message */

/* A conversation. */
struct door {
	struct ca_app *app;
	int to, from; /* of a socket, the same */
	pid_t pid; /* of our own signer, else -1 */
	int64_t end_ms;
	const volatile sig_atomic_t *stop;
	bool spoke; /* a byte came */
	uint8_t *buf; /* the reply, heap */
	size_t cap;
	int code; /* of END */
};

/* ---- bytes ------------------------------------------------------------ */

/* Until fd is ready.  false: the deadline, or a signal that stops us. */
static bool
ready(const struct door *d, int fd, short events)
{
	struct pollfd p = { fd, events, 0 };
	int64_t left;

	for (;;) {
		left = d->end_ms - clock_mono_ms();
		if (left <= 0 || (d->stop != NULL && *d->stop != 0))
			return false;
		/* NB. short, for a signal that comes just before poll(2). */
		if (poll(&p, 1, left > 500 ? 500 : (int)left) > 0)
			return true;
	}
}

/* NB. one that refuses early reads no further; what it answers is what
 * counts. */
static bool
send_all(const struct door *d, const uint8_t *p, size_t len)
{
	ssize_t n;

	while (len > 0) {
		if (!ready(d, d->to, POLLOUT))
			return false;
		n = write(d->to, p, len);
		if (n == -1 && errno != EINTR && errno != EAGAIN)
			return false;
		if (n > 0) {
			p += n;
			len -= (size_t)n;
		}
	}
	return true;
}

/* NB. nothing comes back before all of it is there: neither waits for the
 * other. */
static void
send_more(const struct door *d, const struct door_more *more)
{
	uint8_t *buf = malloc(PIECE);
	ssize_t n = -1;

	while (buf != NULL && (n = more->fn(more->arg, buf, PIECE)) > 0)
		if (!send_all(d, buf, (size_t)n))
			break;
	free(buf);
}

/* len bytes; 0, or AAD_ENOENT for an end before the first, or AAD_EFORMAT
 * for one within, AAD_ENET else. */
static int
take(struct door *d, uint8_t *p, size_t len)
{
	size_t have = 0;
	ssize_t n;

	while (have < len) {
		if (!ready(d, d->from, POLLIN))
			return AAD_ENET;
		n = read(d->from, p + have, len - have);
		/* NB. one that answers before it has read all of the request
		 * resets the line; what it said comes before that. */
		if (n == 0 || (n == -1 && errno == ECONNRESET))
			return have == 0 ? AAD_ENOENT : AAD_EFORMAT;
		if (n == -1 && errno != EINTR && errno != EAGAIN)
			return AAD_ENET;
		if (n > 0) {
			have += (size_t)n;
			d->spoke = true;
		}
	}
	return 0;
}

/* ---- reaching it ------------------------------------------------------ */

static void
close_pipes(int a[2], int b[2])
{
	file_close(a[0]);
	file_close(a[1]);
	file_close(b[0]);
	file_close(b[1]);
}

static enum reason
no_signer(struct ca_app *app)
{
	return ca_detail(app, AAD_R_SIGNER_UNREACHABLE,
	    "there is no %s beside aadssh-ca or in %s", SIGNER, SPAWN_LIBEXEC);
}

static enum reason
start_signer(struct door *d, const struct ca_owner *owner)
{
	char path[PATH_MAX], conf[PATH_MAX], name[] = SIGNER, f[] = "-f";
	char *argv[] = { name, f, conf, NULL };
	struct spawn s = { path, argv, owner, -1, -1, 2, -1, true, NULL,
		false };
	int in[2] = { -1, -1 }, out[2] = { -1, -1 };
	int r;

	if (spawn_find(SIGNER, path) != 0)
		return no_signer(d->app);
	if (ca_conf_absolute(d->app, conf) != 0)
		return ca_detail(d->app, AAD_R_SIGNER_UNREACHABLE, "%s: %s",
		    d->app->conf_path, strerror(errno));
	r = AAD_ESYS;
	if (pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0 &&
	    fcntl(in[1], F_SETFL, O_NONBLOCK) == 0) {
		s.in = in[0];
		s.out = out[1];
		r = spawn_start(d->app, &s, &d->pid);
	}
	if (r != 0) {
		close_pipes(in, out);
		return ca_detail(d->app, AAD_R_SIGNER_UNREACHABLE, "%s: %s",
		    path, strerror(errno));
	}
	close(in[0]);
	close(out[1]);
	d->to = in[1];
	d->from = out[0];
	return AAD_R_ALLOWED;
}

static const char *
socket_fault(int error)
{
	switch (error) {
	case EACCES:
		return "only members of its group may ask for certificates";
	case EAGAIN:
		return "too many ask at once; try again in a moment";
	case ECONNREFUSED:
	case ENOENT:
		return "nobody listens; is aadssh-ca-signer.socket started?";
	default:
		return strerror(error);
	}
}

/* Whether we start it ourselves. */
static bool
starts_it(const struct ca_owner *owner)
{
	return geteuid() == owner->uid || geteuid() == 0;
}

enum reason
door_there(struct ca_app *app)
{
	char path[PATH_MAX];
	struct ca_owner owner;
	enum reason why;

	if ((why = ca_owner(app, &owner)) != AAD_R_ALLOWED)
		return why;
	if (starts_it(&owner))
		return spawn_find(SIGNER, path) == 0 ? AAD_R_ALLOWED
						     : no_signer(app);
	if (snprintf(path, sizeof(path), "%s/" SOCKET, app->conf->run) <
		PATH_MAX &&
	    faccessat(AT_FDCWD, path, R_OK | W_OK, AT_EACCESS) == -1)
		return ca_detail(app, AAD_R_SIGNER_UNREACHABLE, "%s: %s", path,
		    socket_fault(errno));
	return AAD_R_ALLOWED;
}

static enum reason
connect_signer(struct door *d, const struct ca_owner *owner)
{
	char path[PATH_MAX];
	struct ucred peer;
	socklen_t len = sizeof(peer);
	int fd = -1, n;

	n = snprintf(path, sizeof(path), "%s/" SOCKET, d->app->conf->run);
	errno = ENAMETOOLONG;
	if (n < 0 || (size_t)n >= sizeof(path) ||
	    (fd = dial(path, CONNECT_S)) == -1 ||
	    fcntl(fd, F_SETFL, O_NONBLOCK) == -1 ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == -1) {
		ca_detail(d->app, AAD_R_UNSET, "%s: %s", path,
		    socket_fault(errno));
		file_close(fd);
		return AAD_R_SIGNER_UNREACHABLE;
	}
	d->to = d->from = fd;
	/* NB. a token must not go to whoever made a socket there. */
	if (peer.uid != 0 && peer.uid != owner->uid)
		return ca_detail(d->app, AAD_R_SIGNER_UNREACHABLE,
		    "%s: it is uid %u's, who has no part in this", path,
		    (unsigned int)peer.uid);
	return AAD_R_ALLOWED;
}

static void
hang_up(struct door *d)
{
	if (d->from != d->to)
		file_close(d->from);
	file_close(d->to);
	d->to = d->from = -1;
	spawn_end(d->pid);
	d->pid = -1;
	free(d->buf);
	d->buf = NULL;
}

/* ---- what it says ----------------------------------------------------- */

enum reason
door_json(const struct request *reply, json_t **outp)
{
	const struct request_field *f = request_get(reply, REQUEST_L_JSON, 0);
	int r;

	*outp = NULL;
	if (f == NULL)
		return AAD_R_SIGNER_REPLY;
	r = strictjson_load((const char *)f->p, f->len, outp);
	if (r == AAD_ENOMEM)
		return AAD_R_NO_MEMORY;
	if (r == 0 && json_is_object(*outp))
		return AAD_R_ALLOWED;
	json_decref(*outp);
	*outp = NULL;
	return AAD_R_SIGNER_REPLY;
}

/* END: a code and a reason that belong together. */
static enum reason
read_end(struct door *d, const struct request *reply, json_t **endp)
{
	char *name = NULL, *text = NULL;
	enum reason why, said = AAD_R_SIGNER_REPLY;
	uint64_t code;

	if (request_u64(reply, REQUEST_L_CODE, &code) != 0 ||
	    request_text(reply, REQUEST_L_REASON, 0, &name) != 0)
		goto out;
	why = reason_find(name);
	if (code != (uint64_t)request_exit(why) ||
	    (code == 0 && why != AAD_R_ALLOWED))
		goto out;
	d->code = (int)code;
	if (request_text(reply, REQUEST_L_TEXT, 0, &text) == 0)
		ca_detail(d->app, why, "%s", text);
	if (endp != NULL && request_get(reply, REQUEST_L_JSON, 0) != NULL &&
	    door_json(reply, endp) != AAD_R_ALLOWED)
		goto out;
	said = why;
out:
	free(name);
	free(text);
	return said;
}

static enum reason
lost(struct door *d, int r)
{
	if (d->stop != NULL && *d->stop != 0)
		return ca_detail(d->app, AAD_R_SIGNER_UNREACHABLE,
		    "interrupted");
	if (r == AAD_ENET)
		return ca_detail(d->app, AAD_R_SIGNER_UNREACHABLE,
		    "no answer in time");
	if (!d->spoke)
		return ca_detail(d->app, AAD_R_SIGNER_UNREACHABLE,
		    "it ended without an answer");
	return ca_detail(d->app, AAD_R_SIGNER_REPLY,
	    "the answer ends in its middle");
}

/* One message into *reply, which borrows d->buf. */
static enum reason
receive(struct door *d, struct request *reply)
{
	uint8_t head[REQUEST_HEAD_LEN], *more;
	enum request_op op;
	size_t len;
	int r;

	if ((r = take(d, head, sizeof(head))) != 0)
		return lost(d, r);
	if (request_head(head, REQUEST_REPLY_MAX, &op, &len) != 0)
		return AAD_R_SIGNER_REPLY;
	if (len >= d->cap) {
		if ((more = realloc(d->buf, len + 1)) == NULL)
			return AAD_R_NO_MEMORY;
		d->buf = more;
		d->cap = len + 1;
	}
	if (len > 0 && (r = take(d, d->buf, len)) != 0)
		return lost(d, r == AAD_ENOENT ? AAD_EFORMAT : r);
	if (request_parse(op, d->buf, len, reply) != 0)
		return AAD_R_SIGNER_REPLY;
	return AAD_R_ALLOWED;
}

/* Behind END: nothing, and an exit that says the same. */
static enum reason
check_end(struct door *d, enum reason said)
{
	uint8_t byte;
	int code;

	if (take(d, &byte, 1) != AAD_ENOENT)
		return ca_detail(d->app, AAD_R_SIGNER_REPLY,
		    "it does not end where it ends");
	if (d->pid == -1)
		return said;
	code = spawn_wait(d->pid, d->end_ms, d->stop);
	d->pid = -1;
	if (code != d->code)
		return ca_detail(d->app, AAD_R_SIGNER_REPLY,
		    "its exit %d contradicts its answer, %d", code, d->code);
	return said;
}

static enum reason
converse(struct door *d, door_fn *fn, void *arg, json_t **endp)
{
	struct request *reply;
	enum reason said;

	if ((reply = calloc(1, sizeof(*reply))) == NULL)
		return AAD_R_NO_MEMORY;
	while ((said = receive(d, reply)) == AAD_R_ALLOWED) {
		if (reply->op == REQUEST_END) {
			if ((said = read_end(d, reply, endp)) !=
			    AAD_R_SIGNER_REPLY)
				said = check_end(d, said);
			break;
		}
		if (fn == NULL || (reply->op != REQUEST_ROW &&
				      reply->op != REQUEST_CERTIFICATE &&
				      reply->op != REQUEST_DATA)) {
			said = AAD_R_SIGNER_REPLY;
			break;
		}
		if ((said = fn(arg, reply)) != AAD_R_ALLOWED)
			break;
	}
	free(reply);
	return said;
}

enum reason
door_ask(struct ca_app *app, struct wirebuf *rq, int64_t ms,
    const volatile sig_atomic_t *stop, door_fn *fn, void *arg, json_t **endp)
{
	return door_ask_more(app, rq, NULL, ms, stop, fn, arg, endp);
}

enum reason
door_ask_more(struct ca_app *app, struct wirebuf *rq,
    const struct door_more *more, int64_t ms, const volatile sig_atomic_t *stop,
    door_fn *fn, void *arg, json_t **endp)
{
	struct door d = { .app = app, .to = -1, .from = -1, .pid = -1 };
	struct ca_owner owner;
	enum reason said;

	if (endp != NULL)
		*endp = NULL;
	app->detail[0] = '\0';
	if (rq->r != 0)
		return rq->r == AAD_ENOMEM ? AAD_R_NO_MEMORY : AAD_R_UNSET;
	if ((said = ca_owner(app, &owner)) != AAD_R_ALLOWED)
		return said;
	d.stop = stop;
	d.end_ms = clock_mono_ms() + ms;
	said = starts_it(&owner) ? start_signer(&d, &owner)
				 : connect_signer(&d, &owner);
	if (said == AAD_R_ALLOWED) {
		if (send_all(&d, rq->p, rq->len) && more != NULL &&
		    d.from != d.to)
			send_more(&d, more);
		/* NB. nothing but the one request: it may read to the end. */
		if (d.from != d.to) {
			file_close(d.to);
			d.to = -1;
		} else {
			shutdown(d.to, SHUT_WR);
		}
		said = converse(&d, fn, arg, endp);
	}
	hang_up(&d);
	if (said != AAD_R_ALLOWED && endp != NULL &&
	    said == AAD_R_SIGNER_REPLY) {
		json_decref(*endp);
		*endp = NULL;
	}
	return said;
}
