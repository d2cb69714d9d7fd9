/* SPDX-License-Identifier: ISC */

/* shimsign: ssh-keygen -s, by lib/ssh/cert and, for its signature, lib/ssh/sign
 * or an ssh-agent. */

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>

#include "ssh/agent.h"
#include "ssh/privkey.h"
#include "ssh/sign.h"
#include "ssh/wire.h"
#include "test/tools/shim.h"

static const char *const all_permits[] = { "permit-X11-forwarding",
	"permit-agent-forwarding", "permit-port-forwarding", "permit-pty",
	"permit-user-rc" };
#define NPERMITS (sizeof(all_permits) / sizeof(all_permits[0]))

/* The options of one certificate, as they are collected. */
struct made {
	bool permits[NPERMITS];
	struct cert_option critical[SHIM_OPTIONS];
	struct cert_option extensions[SHIM_OPTIONS + NPERMITS];
	size_t ncritical, nextensions;
};

/* "id_x" or "id_x.pub", as ssh-keygen takes either; *c: is it there? */
static char *
pub_path(const char *name)
{
	size_t len = strlen(name);
	char *path = malloc(len + 5);

	if (path == NULL)
		shim_die("out of memory", name);
	strcpy(path, name);
	if (len < 4 || strcmp(name + len - 4, ".pub") != 0)
		strcpy(path + len, ".pub");
	return path;
}

static bool
is_foreign(const char *name)
{
	static const char mldsa[] = "ssh-mldsa44-ed25519 ";
	char *path = pub_path(name), *text;
	size_t len;
	bool foreign;

	text = shim_read(path, &len);
	foreign = strncmp(text, "ssh-dss ", 8) == 0 ||
		  strncmp(text, mldsa, sizeof(mldsa) - 1) == 0;
	free(text);
	free(path);
	return foreign;
}

int
shim_sign_foreign(const struct shim *s)
{
	char **a;

	if (is_foreign(s->ca))
		return 1;
	for (a = s->args; *a != NULL; a++)
		if (is_foreign(*a))
			return 1;
	return 0;
}

static void
read_pub(const char *name, struct key *k, char **commentp)
{
	char *path = pub_path(name), *text, *p;
	enum reason why;
	size_t len;

	text = shim_read(path, &len);
	if (key_from_pub(text, len, k, &why) != 0)
		shim_die(reason_name(why), path);
	if (commentp != NULL) {
		text[strcspn(text, "\r\n")] = '\0';
		p = strchr(text, ' ');
		p = p != NULL ? strchr(p + 1, ' ') : NULL;
		*commentp = strdup(p != NULL ? p + 1 : "");
	}
	free(text);
	free(path);
}

/* --- times --- */

static uint64_t
relative(const char *s)
{
	char *end;
	unsigned long n;
	int64_t t = 0;

	for (const char *p = s + 1; *p != '\0'; p = end) {
		n = strtoul(p, &end, 10);
		switch (*end) {
		case 'w':
			n *= 7; /* fallthrough */
		case 'd':
			n *= 24; /* fallthrough */
		case 'h':
			n *= 60; /* fallthrough */
		case 'm':
			n *= 60; /* fallthrough */
		case 's':
			end++;
			break;
		case '\0':
			break;
		default:
			shim_die("bad time", s);
		}
		t += (int64_t)n;
	}
	return (uint64_t)(time(NULL) + (*s == '-' ? -t : t));
}

static uint64_t
instant(const char *s)
{
	struct tm tm;
	const char *end = NULL;
	bool utc = s[0] != '\0' && s[strlen(s) - 1] == 'Z';

	if (strcmp(s, "always") == 0)
		return 0;
	if (strcmp(s, "forever") == 0)
		return UINT64_MAX;
	if (s[0] == '+' || s[0] == '-')
		return relative(s);
	if (strncmp(s, "0x", 2) == 0)
		return strtoull(s, NULL, 16);
	memset(&tm, 0, sizeof(tm));
	tm.tm_isdst = -1;
	switch (strlen(s) - utc) {
	case 8:
		end = strptime(s, "%Y%m%d", &tm);
		break;
	case 12:
		end = strptime(s, "%Y%m%d%H%M", &tm);
		break;
	case 14:
		end = strptime(s, "%Y%m%d%H%M%S", &tm);
		break;
	}
	if (end == NULL || (*end != '\0' && *end != 'Z'))
		shim_die("bad time", s);
	return (uint64_t)(utc ? timegm(&tm) : mktime(&tm));
}

static void
validity(const char *v, struct cert_spec *spec)
{
	char *from, *to;

	spec->valid_before = UINT64_MAX;
	if (v == NULL)
		return;
	if ((from = strdup(v)) == NULL)
		shim_die("out of memory", v);
	if ((to = strchr(from, ':')) == NULL) {
		/* ssh-keygen begins a minute ago, on the minute */
		spec->valid_after = (uint64_t)(time(NULL) - 59);
		spec->valid_after -= spec->valid_after % 60;
		spec->valid_before = instant(v);
	} else {
		*to++ = '\0';
		spec->valid_after = instant(from);
		spec->valid_before = instant(to);
	}
	free(from);
}

/* --- options --- */

static void
add(struct cert_option *list, size_t *n, const char *name, const char *value)
{
	size_t i = *n;

	/* sorted by name: the encoder takes nothing else */
	for (; i > 0 && strcmp(list[i - 1].name, name) > 0; i--)
		list[i] = list[i - 1];
	list[i] = (struct cert_option){ name, value };
	(*n)++;
}

/* "extension:NAME[=VALUE]" behind the colon. */
static void
add_named(struct cert_option *list, size_t *n, const char *text)
{
	char *name = strdup(text), *eq;

	if (name == NULL)
		shim_die("out of memory", text);
	if ((eq = strchr(name, '=')) != NULL)
		*eq++ = '\0';
	add(list, n, name, eq); /* kept: the process is short */
}

static void
permit(struct made *m, const char *text)
{
	bool on = strncmp(text, "no-", 3) != 0;
	const char *name = on ? text + 7 : text + 3; /* "permit-" */
	size_t i;

	for (i = 0; i < NPERMITS; i++)
		if (strcasecmp(name, all_permits[i] + 7) == 0) {
			m->permits[i] = on;
			return;
		}
	shim_die("unknown option", text);
}

static void
option(struct made *m, const char *o)
{
	if (strcmp(o, "clear") == 0)
		memset(m->permits, 0, sizeof(m->permits));
	else if (strncmp(o, "force-command=", 14) == 0)
		add(m->critical, &m->ncritical, "force-command", o + 14);
	else if (strncmp(o, "source-address=", 15) == 0)
		add(m->critical, &m->ncritical, "source-address", o + 15);
	else if (strcmp(o, "verify-required") == 0)
		add(m->critical, &m->ncritical, o, NULL);
	else if (strcmp(o, "no-touch-required") == 0)
		add(m->extensions, &m->nextensions, o, NULL);
	else if (strncmp(o, "extension:", 10) == 0)
		add_named(m->extensions, &m->nextensions, o + 10);
	else if (strncmp(o, "critical:", 9) == 0)
		add_named(m->critical, &m->ncritical, o + 9);
	else
		permit(m, o);
}

static void
collect(const struct shim *s, struct made *m)
{
	size_t i;

	memset(m, 0, sizeof(*m));
	memset(m->permits, 1, sizeof(m->permits));
	for (i = 0; i < s->noptions; i++)
		option(m, s->options[i]);
	for (i = 0; i < NPERMITS && !s->host; i++)
		if (m->permits[i])
			add(m->extensions, &m->nextensions, all_permits[i],
			    NULL);
}

/* --- the signature --- */

static void
full(int fd, void *buf, size_t len, bool out)
{
	uint8_t *p = buf;
	ssize_t n;

	for (; len > 0; p += n, len -= (size_t)n)
		if ((n = out ? write(fd, p, len) : read(fd, p, len)) <= 0)
			shim_die("ssh-agent", "no answer");
}

static int
agent_connect(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), tries;

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	for (tries = 0; tries < 200; tries++) {
		if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == 0)
			return fd;
		usleep(10000);
	}
	shim_die("ssh-agent", "does not listen");
}

static pid_t
start(const char *const *argv, const char *sock)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	if (sock != NULL)
		setenv("SSH_AUTH_SOCK", sock, 1);
	if (freopen("/dev/null", "w", stdout) == NULL ||
	    freopen("/dev/null", "w", stderr) == NULL)
		_exit(127);
	execvp(argv[0], (char *const *)(uintptr_t)argv);
	_exit(127);
}

/* By an ssh-agent of our own: for what lib/ssh only verifies. */
static void
sign_by_agent(const struct shim *s, const struct key *ca, const uint8_t *body,
    size_t len, uint8_t **sigp, size_t *siglenp)
{
	char dir[] = "/tmp/shim.XXXXXX", sock[64];
	uint8_t *ask, head[AGENT_HEAD_LEN], *reply;
	size_t n;
	pid_t agent;
	int fd, status;

	if (mkdtemp(dir) == NULL)
		shim_die(strerror(errno), dir);
	snprintf(sock, sizeof(sock), "%s/s", dir);
	agent = start((const char *const[]){ "ssh-agent", "-D", "-P", "*", "-a",
			  sock, NULL },
	    NULL);
	fd = agent_connect(sock);
	if (waitpid(start((const char *const[]){ "ssh-add", "-q", s->ca, NULL },
			sock),
		&status, 0) == -1 ||
	    status != 0)
		shim_die("ssh-add", s->ca);
	if (agent_ask_sign(ca, body, len, &ask, &n) != 0)
		shim_die("cannot ask", s->ca);
	if (s->type != NULL && strcmp(s->type, "rsa-sha2-256") == 0)
		ask[n - 1] = 2; /* SSH_AGENT_RSA_SHA2_256 */
	full(fd, ask, n, true);
	full(fd, head, sizeof(head), false);
	n = agent_reply_len(head);
	if (n == 0 || (reply = malloc(n)) == NULL)
		shim_die("ssh-agent", "bad answer");
	full(fd, reply, n, false);
	if (agent_read_sign(reply, n, sigp, siglenp) != 0)
		shim_die("ssh-agent", "did not sign");
	free(reply);
	free(ask);
	close(fd);
	kill(agent, SIGTERM);
	waitpid(agent, NULL, 0);
	unlink(sock);
	rmdir(dir);
}

static void
sign(const struct shim *s, const struct key *ca, const uint8_t *body,
    size_t len, uint8_t **sigp, size_t *siglenp)
{
	struct privkey priv;
	size_t textlen;
	char *text;

	if (ca->kind != KEY_ED25519) {
		sign_by_agent(s, ca, body, len, sigp, siglenp);
		return;
	}
	text = shim_read(s->ca, &textlen);
	if (privkey_parse(text, textlen, &priv) != 0)
		shim_die("no private key", s->ca);
	if (sign_ed25519(priv.secret, body, len, sigp, siglenp) != 0)
		shim_die("cannot sign with", s->ca);
	privkey_release(&priv);
	free(text);
}

/* --- one certificate --- */

static void
write_cert(const char *name, const struct cert *c, const char *comment)
{
	char *path = pub_path(name), *line;
	size_t len = strlen(path) - 4;
	FILE *f;

	if ((path = realloc(path, len + 10)) == NULL)
		shim_die("out of memory", name);
	strcpy(path + len, "-cert.pub");
	if (cert_line(c, comment, &line) != 0)
		shim_die("cannot write", path);
	if ((f = fopen(path, "w")) == NULL || fputs(line, f) == EOF ||
	    fclose(f) == EOF)
		shim_die(strerror(errno), path);
	free(line);
	free(path);
}

static void
certify(const struct shim *s, struct cert_spec *spec, const char *name)
{
	uint8_t *body, *sig;
	size_t len, siglen;
	struct key key;
	struct cert c;
	char *comment;
	int r;

	read_pub(name, &key, &comment);
	spec->key = &key;
	if (s->like != NULL) {
		struct wire w;
		const uint8_t *p;
		size_t n;

		shim_cert(s->like, &c);
		w = wire_of(c.blob, c.blob_len);
		if (wire_string(&w, &p, &n) != 0 ||
		    wire_string(&w, &p, &n) != 0 || n != sizeof(spec->nonce))
			shim_die("nonce", s->like);
		memcpy(spec->nonce, p, n);
		cert_release(&c);
	} else {
		randombytes_buf(spec->nonce, sizeof(spec->nonce));
	}
	if ((r = cert_encode(spec, &body, &len)) != 0)
		shim_die(err_name(r), name);
	sign(s, spec->ca, body, len, &sig, &siglen);
	if ((r = cert_finish(spec, body, len, sig, siglen, &c)) != 0)
		shim_die(err_name(r), name);
	write_cert(name, &c, comment);
	cert_release(&c);
	key_release(&key);
	free(body);
	free(sig);
	free(comment);
}

int
shim_sign(const struct shim *s)
{
	const char *principals[CERT_PRINCIPALS_MAX];
	struct cert_spec spec;
	struct made m;
	struct key ca;
	char **a, *p, *list = NULL;

	memset(&spec, 0, sizeof(spec));
	read_pub(s->ca, &ca, NULL);
	collect(s, &m);
	spec.ca = &ca;
	spec.type = s->host ? CERT_HOST : CERT_USER;
	spec.key_id = s->key_id;
	spec.serial = s->serial != NULL ? strtoull(s->serial, NULL, 10) : 0;
	validity(s->validity, &spec);
	if (s->principals != NULL && (list = strdup(s->principals)) == NULL)
		shim_die("out of memory", s->principals);
	while (list != NULL && (p = strsep(&list, ",")) != NULL) {
		if (spec.nprincipals == CERT_PRINCIPALS_MAX)
			shim_die("too many", "principals");
		principals[spec.nprincipals++] = p;
	}
	spec.principals = principals;
	spec.critical = m.critical;
	spec.ncritical = m.ncritical;
	spec.extensions = m.extensions;
	spec.nextensions = m.nextensions;
	for (a = s->args; *a != NULL; a++)
		certify(s, &spec, *a);
	key_release(&ca);
	return 0;
}
