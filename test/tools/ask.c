/* SPDX-License-Identifier: ISC */

/*
 * ask: send one framed request to a command and show its replies as text.
 *
 *	ask [-gks] [-f FILE] [-n COPIES] [-o FILE] [-w FILE] [-r FILE]
 *	    OP [LABEL[=VALUE] ...] -- COMMAND [ARGUMENT ...]
 *
 *	-s	the command's stdin and stdout are one socket; else two pipes
 *	-k	keep our end of its stdin open
 *	-g	go away once the request is sent: read no reply
 *	-f	what is in FILE follows the message
 *	-n	send the message so many times, default 1
 *	-o	what comes as data goes there
 *	-r	send the bytes of FILE instead; OP is then "raw"
 *	-w	write the message to FILE, and start no command
 *
 * OP: sign, init, ..., or a number.  LABEL: as request.h has it, in lower
 * case.  VALUE: text as it is, @FILE for the text of a file; of a number,
 * decimal digits; of key, user_ca and host_ca a FILE.pub or FILE-cert.pub;
 * of hash and ca_hash "SHA256:...".  Fields are sent in the order given.
 *
 * Replies: "row JSON", "certificate TYPE BASE64", "data BYTES", "json JSON",
 * "end CODE REASON TEXT".  Exits with the code of the end; 90 when there was
 * none, and then "signal N" or "exit N" of the command follows; 91 for a
 * reply that is malformed or comes behind the end; 92 for our own faults.
 */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ca/signer/request.h"
#include "core/b64.h"
#include "ssh/key.h"

#define EXIT_NO_END 90
#define EXIT_REPLY  91
#define EXIT_OURS   92

struct name {
	const char *name;
	unsigned int number;
	char form; /* t text, n number, f flag, h hash, k key, b bytes */
};

static const struct name ops[] = {
	{ "sign", REQUEST_SIGN, 0 },
	{ "init", REQUEST_INIT, 0 },
	{ "sign_host", REQUEST_SIGN_HOST, 0 },
	{ "list", REQUEST_LIST, 0 },
	{ "verify", REQUEST_VERIFY, 0 },
	{ "keys", REQUEST_KEYS, 0 },
	{ "revoke", REQUEST_REVOKE, 0 },
	{ "unrevoke", REQUEST_UNREVOKE, 0 },
	{ "krl", REQUEST_KRL, 0 },
	{ "rotate", REQUEST_ROTATE, 0 },
	{ "stage", REQUEST_STAGE, 0 },
	{ "commit", REQUEST_COMMIT, 0 },
	{ "backup", REQUEST_BACKUP, 0 },
	{ "restore", REQUEST_RESTORE, 0 },
	{ "check", REQUEST_CHECK, 0 },
	{ "rotate_bundle", REQUEST_ROTATE_BUNDLE, 0 },
	{ NULL, 0, 0 },
};

static const struct name labels[] = {
	{ "key", REQUEST_L_KEY, 'k' },
	{ "token", REQUEST_L_TOKEN, 't' },
	{ "login", REQUEST_L_LOGIN, 't' },
	{ "ttl", REQUEST_L_TTL, 'n' },
	{ "source", REQUEST_L_SOURCE, 't' },
	{ "dry_run", REQUEST_L_DRY_RUN, 'f' },
	{ "context", REQUEST_L_CONTEXT, 't' },
	{ "name", REQUEST_L_NAME, 't' },
	{ "oid", REQUEST_L_OID, 't' },
	{ "user", REQUEST_L_USER, 't' },
	{ "hash", REQUEST_L_HASH, 'h' },
	{ "ca_hash", REQUEST_L_CA_HASH, 'h' },
	{ "serial", REQUEST_L_SERIAL, 'n' },
	{ "since", REQUEST_L_SINCE, 'n' },
	{ "valid", REQUEST_L_VALID, 'f' },
	{ "text", REQUEST_L_TEXT, 't' },
	{ "now", REQUEST_L_NOW, 'f' },
	{ "import", REQUEST_L_IMPORT, 'b' },
	{ "secret", REQUEST_L_SECRET, 'b' },
	{ "user_ca", REQUEST_L_USER_CA, 'k' },
	{ "host_ca", REQUEST_L_HOST_CA, 'k' },
	{ "version", REQUEST_L_VERSION, 'n' },
	{ "data", REQUEST_L_DATA, 'b' },
	{ "json", REQUEST_L_JSON, 't' },
	{ "code", REQUEST_L_CODE, 'n' },
	{ "reason", REQUEST_L_REASON, 't' },
	{ "length", REQUEST_L_LENGTH, 'n' },
	{ NULL, 0, 0 },
};

struct options {
	bool socket, keep, leave;
	int copies;
	const char *follow, *out, *raw, *write;
	FILE *data;
};

static _Noreturn void
die(const char *what)
{
	fprintf(stderr, "ask: %s: %s\n", what, strerror(errno));
	exit(EXIT_OURS);
}

static char *
slurp(const char *path, size_t *lenp)
{
	FILE *f = fopen(path, "rb");
	size_t size = 0, n;
	char *p = NULL;

	*lenp = 0;
	if (f == NULL)
		die(path);
	do {
		size += 65536;
		if ((p = realloc(p, size + 1)) == NULL)
			die(path);
		n = fread(p + *lenp, 1, size - *lenp, f);
		*lenp += n;
	} while (n != 0 && *lenp == size);
	fclose(f);
	p[*lenp] = '\0';
	return p;
}

/* A text, or the text of @FILE without its last line feed unless raw. */
static void
put_text(struct wirebuf *b, unsigned int label, const char *value, bool raw)
{
	size_t len = strlen(value);
	char *p = NULL;

	if (value[0] == '@') {
		p = slurp(value + 1, &len);
		if (!raw && len > 0 && p[len - 1] == '\n')
			len--;
		value = p;
	}
	request_put(b, label, value, len);
	free(p);
}

/* What is no key goes as the bytes that the base64 of its line holds. */
static void
put_key(struct wirebuf *b, unsigned int label, const char *path)
{
	uint8_t *blob = NULL;
	size_t len, n;
	char *text = slurp(path, &len), *word;

	if ((word = strchr(text, ' ')) == NULL)
		die(path);
	word++;
	if (b64_decode(B64_STD, word, strcspn(word, " \n"), &blob, &n) != 0)
		die(path);
	request_put(b, label, blob, n);
	free(blob);
	free(text);
}

static void
put_field(struct wirebuf *b, char *arg)
{
	char *value = strchr(arg, '=');
	const struct name *l = labels;
	uint8_t hash[32];

	if (value != NULL)
		*value++ = '\0';
	else
		value = arg + strlen(arg);
	while (l->name != NULL && strcmp(l->name, arg) != 0)
		l++;
	if (l->name == NULL)
		die(arg);
	switch (l->form) {
	case 'k':
		put_key(b, l->number, value);
		break;
	case 'n':
		request_put_u64(b, l->number, strtoull(value, NULL, 10));
		break;
	case 'f':
		request_put_flag(b, l->number);
		break;
	case 'h':
		if (key_fingerprint_parse(value, hash) != 0)
			die(value);
		request_put(b, l->number, hash, sizeof(hash));
		break;
	default:
		put_text(b, l->number, value, l->form == 'b');
		break;
	}
}

static unsigned int
op_of(const char *word)
{
	const struct name *o = ops;

	while (o->name != NULL && strcmp(o->name, word) != 0)
		o++;
	return o->name != NULL ? o->number
			       : (unsigned int)strtoul(word, NULL, 10);
}

static void
child(char **argv, int in, int out)
{
	signal(SIGPIPE, SIG_DFL);
	if (dup2(in, 0) == -1 || dup2(out, 1) == -1)
		_exit(EXIT_OURS);
	/* NB. what else is open stays open: the command must not mind. */
	execv(argv[0], argv);
	perror(argv[0]);
	_exit(EXIT_OURS);
}

/* Start the command; *in and *out are our ends. */
static pid_t
start(const struct options *o, char **argv, int *in, int *out)
{
	int there[2], back[2];
	pid_t pid;

	if (o->socket) {
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, there) ==
		    -1)
			die("socketpair");
		back[1] = there[1];
		*in = *out = there[0];
	} else {
		if (pipe2(there, O_CLOEXEC) == -1 ||
		    pipe2(back, O_CLOEXEC) == -1)
			die("pipe");
		*in = there[1];
		*out = back[0];
		there[1] = there[0]; /* the child's end */
	}
	if ((pid = fork()) == -1)
		die("fork");
	if (pid == 0)
		child(argv, there[1], back[1]);
	close(there[1]);
	if (!o->socket)
		close(back[1]);
	return pid;
}

/* What the command doesn't read any more is its business. */
static void
send_all(int fd, const uint8_t *p, size_t len)
{
	ssize_t n;

	while (len > 0 && (n = write(fd, p, len)) > 0) {
		p += n;
		len -= (size_t)n;
	}
}

static void
send_file(int fd, const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t buf[65536];
	size_t n;

	if (f == NULL)
		die(path);
	while ((n = fread(buf, 1, sizeof(buf), f)) > 0)
		send_all(fd, buf, n);
	fclose(f);
}

static size_t
receive(int fd, uint8_t *p, size_t len)
{
	size_t have = 0;
	ssize_t n;

	while (have < len && (n = read(fd, p + have, len - have)) > 0)
		have += (size_t)n;
	return have;
}

static void
show_text(const char *what, const struct request *rq, enum request_label label)
{
	char *s;

	if (request_text(rq, label, 0, &s) == 0)
		printf("%s%s", what, s);
	free(s);
}

static void
show_certificate(const struct request *rq)
{
	const struct request_field *f = request_get(rq, REQUEST_L_KEY, 0);
	struct wire w;
	const uint8_t *type;
	size_t len;
	char *text;

	if (f != NULL) {
		w = wire_of(f->p, f->len);
		if (wire_string(&w, &type, &len) != 0 ||
		    b64_encode(B64_STD, f->p, f->len, &text) != 0)
			die("certificate");
		printf("certificate %.*s %s\n", (int)len, (const char *)type,
		    text);
		free(text);
	}
	show_text("json ", rq, REQUEST_L_JSON);
	putchar('\n');
}

/* Returns the code of an end, or -1. */
static int
show(const struct options *o, const struct request *rq)
{
	const struct request_field *f;
	uint64_t code;

	switch (rq->op) {
	case REQUEST_ROW:
		show_text("row ", rq, REQUEST_L_JSON);
		putchar('\n');
		return -1;
	case REQUEST_CERTIFICATE:
		show_certificate(rq);
		return -1;
	case REQUEST_DATA:
		f = request_get(rq, REQUEST_L_DATA, 0);
		printf("data %zu\n", f != NULL ? f->len : 0);
		if (f != NULL && o->data != NULL)
			fwrite(f->p, 1, f->len, o->data);
		return -1;
	case REQUEST_END:
		if (request_get(rq, REQUEST_L_JSON, 0) != NULL) {
			show_text("json ", rq, REQUEST_L_JSON);
			putchar('\n');
		}
		if (request_u64(rq, REQUEST_L_CODE, &code) != 0)
			return EXIT_REPLY;
		printf("end %" PRIu64, code);
		show_text(" ", rq, REQUEST_L_REASON);
		show_text(" ", rq, REQUEST_L_TEXT);
		putchar('\n');
		return (int)code;
	default:
		printf("op %d\n", (int)rq->op);
		return EXIT_REPLY;
	}
}

static int
replies(const struct options *o, int fd)
{
	static struct request rq;
	uint8_t head[REQUEST_HEAD_LEN], *p;
	enum request_op op;
	size_t len, have;
	int end = -1;

	while ((have = receive(fd, head, sizeof(head))) == sizeof(head)) {
		if (end != -1 ||
		    request_head(head, REQUEST_REPLY_MAX, &op, &len) != 0 ||
		    (p = malloc(len + 1)) == NULL)
			return EXIT_REPLY;
		if (receive(fd, p, len) != len ||
		    request_parse(op, p, len, &rq) != 0)
			return EXIT_REPLY;
		end = show(o, &rq);
		free(p);
	}
	if (have != 0)
		return EXIT_REPLY;
	return end == -1 ? EXIT_NO_END : end;
}

static int
ask(const struct options *o, const uint8_t *p, size_t len, char **argv)
{
	int in, out, status, end = 0;
	pid_t pid = start(o, argv, &in, &out);

	/* NB. in one write: what comes later may come too late to be seen. */
	send_all(in, p, len * (size_t)o->copies);
	if (o->follow != NULL)
		send_file(in, o->follow);
	if (o->leave) {
		close(in);
		close(out);
	} else {
		if (o->socket && !o->keep)
			shutdown(in, SHUT_WR);
		else if (!o->keep)
			close(in);
		end = replies(o, out);
	}
	if (waitpid(pid, &status, 0) == -1)
		die("waitpid");
	if (WIFSIGNALED(status))
		printf("signal %d\n", WTERMSIG(status));
	else if (o->leave || end >= EXIT_NO_END || WEXITSTATUS(status) != end)
		printf("exit %d\n", WEXITSTATUS(status));
	return end;
}

static int
usage(void)
{
	fprintf(stderr,
	    "usage: ask [-gks] [-f FILE] [-n COPIES] [-o FILE] "
	    "[-r FILE] [-w FILE] OP [LABEL[=VALUE] ...] -- COMMAND ...\n");
	return EXIT_OURS;
}

int
main(int argc, char **argv)
{
	struct options o = { .copies = 1 };
	struct wirebuf b = wirebuf_new();
	uint8_t *p = NULL;
	size_t len = 0;
	int c, i, n;

	while ((c = getopt(argc, argv, "+f:gkn:o:r:sw:")) != -1)
		switch (c) {
		case 'f':
			o.follow = optarg;
			break;
		case 'g':
			o.leave = true;
			break;
		case 'k':
			o.keep = true;
			break;
		case 'n':
			o.copies = atoi(optarg);
			break;
		case 'o':
			o.out = optarg;
			break;
		case 'r':
			o.raw = optarg;
			break;
		case 's':
			o.socket = true;
			break;
		case 'w':
			o.write = optarg;
			break;
		default:
			return usage();
		}
	if (optind == argc)
		return usage();
	signal(SIGPIPE, SIG_IGN);
	request_begin(&b, op_of(argv[optind]));
	for (i = optind + 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		put_field(&b, argv[i]);
	request_end(&b);
	if (wirebuf_take(&b, &p, &len) != 0)
		die("message");
	if (o.raw != NULL) {
		free(p);
		p = (uint8_t *)slurp(o.raw, &len);
	}
	if (o.write != NULL) {
		FILE *f = fopen(o.write, "wb");

		if (f == NULL || fwrite(p, 1, len, f) != len || fclose(f) != 0)
			die(o.write);
		return 0;
	}
	/* NB. a message of no bytes is one, too. */
	if (o.copies < 1 ||
	    (p = realloc(p, (size_t)o.copies * len + 1)) == NULL)
		die("copies");
	for (n = 1; n < o.copies; n++)
		memcpy(p + (size_t)n * len, p, len);
	if (o.out != NULL && (o.data = fopen(o.out, "wb")) == NULL)
		die(o.out);
	if (i + 1 >= argc)
		return usage();
	c = ask(&o, p, len, argv + i + 1);
	if (o.data != NULL && fclose(o.data) != 0)
		die(o.out);
	free(p);
	return c;
}
