/* SPDX-License-Identifier: ISC */

/*
 * The one user of libcurl, against openssl's own TLS server on loopback.
 * What it answers is a text; what it was sent is a file.
 */

#include "test/unit/unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "net/http.h"
#include "net/pool.h"
#include "test/unit/fault.h"

#define CAP 4096 /* bytes of a body, in most tests */

static char dir[64]; /* of certificate, key and what servers were sent */
static char ca[96];
static volatile sig_atomic_t stop;

static int
setup(void **state)
{
	char command[512];

	(void)state;
	strcpy(dir, "/tmp/test_http.XXXXXX");
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(ca, sizeof(ca), "%s/cert.pem", dir);
	snprintf(command, sizeof(command),
	    "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=t "
	    "-addext subjectAltName=IP:127.0.0.1 -keyout %s/key.pem "
	    "-out %s 2>/dev/null",
	    dir, ca);
	return system(command);
}

static int
teardown(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

/* A socket that listens on a port of its own. */
static int
listener(int *portp)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	const struct timeval patience = { 10, 0 };
	socklen_t len = sizeof(sin);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_not_equal(fd, -1);
	assert_int_equal(bind(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	assert_int_equal(listen(fd, 4), 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sin, &len), 0);
	*portp = ntohs(sin.sin_port);
	return fd;
}

struct server {
	pid_t pid;
	int to; /* its stdin: what it answers */
	int port;
	char sent[96]; /* file of what it was sent */
};

static void
exec_server(const struct server *s, int from, const char *extra)
{
	char accept[32], key[96];
	int out = open(s->sent, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	int null = open("/dev/null", O_WRONLY);

	snprintf(accept, sizeof(accept), "127.0.0.1:%d", s->port);
	snprintf(key, sizeof(key), "%s/key.pem", dir);
	dup2(from, 0);
	dup2(out, 1);
	dup2(null, 2);
	execlp("openssl", "openssl", "s_server", "-quiet", "-naccept", "1",
	    "-accept", accept, "-cert", ca, "-key", key, extra, (char *)NULL);
	_exit(127);
}

static bool
listens(int port)
{
	char name[16], line[256];
	FILE *f = fopen("/proc/net/tcp", "r");
	bool found = false;

	snprintf(name, sizeof(name), ":%04X 0", port);
	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		found = found || (strstr(line, name) != NULL &&
				     strstr(line, " 0A ") != NULL);
	if (f != NULL)
		fclose(f);
	return found;
}

/* One connection, answered with text.  extra: an option, or NULL. */
static void
serve(struct server *s, const char *extra, const char *text, size_t len)
{
	const struct timespec pause = { 0, 10000000 };
	int pipefd[2], i, fd = listener(&s->port);

	close(fd);
	snprintf(s->sent, sizeof(s->sent), "%s/sent", dir);
	assert_int_equal(pipe2(pipefd, O_CLOEXEC), 0);
	fcntl(pipefd[1], F_SETPIPE_SZ, 1048576);
	if ((s->pid = fork()) == 0)
		exec_server(s, pipefd[0], extra);
	close(pipefd[0]);
	s->to = pipefd[1];
	for (i = 0; i < 6000 && !listens(s->port); i++)
		nanosleep(&pause, NULL);
	assert_int_equal(write(s->to, text, len), (ssize_t)len);
}

/* End the server; what it was sent, up to size - 1 bytes. */
static void
end(struct server *s, char *sent, size_t size)
{
	const struct timespec pause = { 0, 10000000 };
	FILE *f;
	int i;

	/* It ends by itself, with all it was sent on file, once its client
	 * has gone. */
	for (i = 0; i < 200 && waitpid(s->pid, NULL, WNOHANG) == 0; i++)
		nanosleep(&pause, NULL);
	if (i == 200) {
		kill(s->pid, SIGTERM);
		waitpid(s->pid, NULL, 0);
	}
	close(s->to);
	f = fopen(s->sent, "r");
	assert_non_null(f);
	sent[fread(sent, 1, size - 1, f)] = '\0';
	fclose(f);
}

static struct http *
client(const char *ca_file, const char *proxy)
{
	const struct http_settings set = { ca_file, proxy, "aadssh/test",
		&stop };
	struct http *h;

	stop = 0;
	assert_int_equal(http_new(&set, &h), 0);
	return h;
}

static const char *
url_of(int port)
{
	static char url[64];

	snprintf(url, sizeof(url), "https://127.0.0.1:%d/path?q=1", port);
	return url;
}

/* GET from a server that answers so.  sent: 4,096 bytes, or NULL. */
static int
get(const char *text, size_t len, struct http_reply *reply, char *sent)
{
	char scratch[4096];
	struct server s;
	struct http *h = client(ca, NULL);
	int r;

	serve(&s, NULL, text, len);
	r = http_get(h, url_of(s.port), CAP, reply);
	http_free(h);
	end(&s, sent == NULL ? scratch : sent, sizeof(scratch));
	return r;
}

#define GET(text, reply, sent) get(text, sizeof(text) - 1, reply, sent)

static void
valid_get(void **state)
{
	struct http_reply reply;
	char sent[4096];

	(void)state;
	assert_int_equal(
	    GET("HTTP/1.1 400 No\r\nDate: Thu, 01 Jan 2026 00:00:05 GMT\r\n"
		"Retry-After: 17\r\nSet-Cookie: a=b\r\nContent-Length: 2\r\n"
		"\r\n{}",
		&reply, sent),
	    0);
	assert_int_equal(reply.status, 400);
	assert_int_equal(reply.len, 2);
	assert_string_equal(reply.body, "{}");
	assert_int_equal(reply.retry_after, 17);
	assert_int_equal(reply.date, 1767225605);
	assert_string_equal(reply.error, "");
	http_reply_release(&reply);
	assert_null(reply.body);
	http_reply_release(&reply);
	http_reply_release(NULL);
	assert_ptr_equal(strstr(sent, "GET /path?q=1 HTTP/1.1\r\n"), sent);
	assert_non_null(strstr(sent, "\r\nUser-Agent: aadssh/test\r\n"));
	assert_non_null(strstr(sent, "\r\nAccept: application/json\r\n"));
	assert_null(strcasestr(sent, "accept-encoding"));
	assert_null(strcasestr(sent, "cookie"));
	assert_null(strcasestr(sent, "authorization"));
}

static void
form_is_percent_encoded(void **state)
{
	static const char *const form[] = { "client_id", "a-b.c_~", "scope",
		"api://x/Ssh openid", "claims", "{\"a\":\"&=+%\xc3\xa4\"}",
		"device_code", "", NULL };
	static const char
	    answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
	struct http *h = client(ca, NULL);
	struct http_reply reply;
	struct server s;
	char sent[4096];

	(void)state;
	serve(&s, NULL, answer, sizeof(answer) - 1);
	assert_int_equal(http_post_form(h, url_of(s.port), form, CAP, &reply),
	    0);
	assert_int_equal(reply.len, 0);
	assert_string_equal(reply.body, "");
	assert_int_equal(reply.date, -1);
	assert_int_equal(reply.retry_after, 0);
	http_reply_release(&reply);
	http_free(h);
	end(&s, sent, sizeof(sent));
	assert_ptr_equal(strstr(sent, "POST /path?q=1 HTTP/1.1\r\n"), sent);
	assert_non_null(strstr(sent,
	    "\r\nContent-Type: application/x-www-form-urlencoded\r\n"));
	assert_non_null(strstr(sent,
	    "\r\n\r\nclient_id=a-b.c_~&scope=api%3A%2F%2Fx%2FSsh%20openid&"
	    "claims=%7B%22a%22%3A%22%26%3D%2B%25%C3%A4%22%7D&device_code="));
}

static void
form_too_long(void **state)
{
	char *big = calloc(1, HTTP_FORM_MAX + 2);
	const char *form[] = { "a", big, NULL };
	struct http *h = client(ca, NULL);
	struct http_reply reply;

	(void)state;
	assert_non_null(big);
	memset(big, 'x', HTTP_FORM_MAX - 2);
	assert_int_equal(http_post_form(h, url_of(1), form, CAP, &reply),
	    AAD_ETOOBIG);
	memset(big, 'x', HTTP_FORM_MAX + 1);
	assert_int_equal(http_post_form(h, url_of(1), form, CAP, &reply),
	    AAD_ETOOBIG);
	/* One that just fits gets as far as the network. */
	big[HTTP_FORM_MAX - 3] = '\0';
	assert_int_equal(http_post_form(h, url_of(1), form, CAP, &reply),
	    AAD_ENET);
	http_reply_release(&reply);
	http_free(h);
	free(big);
}

static void
I_B13_body_and_header_caps(void **state)
{
	static const char head[] = "HTTP/1.1 200 OK\r\nConnection: close\r\n"
				   "Content-Length: %d\r\n\r\n";
	char *text = malloc(HTTP_HEADERS_MAX + 8192);
	struct http_reply reply;
	size_t n;
	int i;

	(void)state;
	assert_non_null(text);
	for (i = 0; i <= 1; i++) {
		n = (size_t)sprintf(text, head, CAP + i);
		memset(text + n, 'x', CAP + (size_t)i);
		assert_int_equal(get(text, n + CAP + (size_t)i, &reply, NULL),
		    i == 0 ? 0 : AAD_ETOOBIG);
		if (i == 0)
			assert_int_equal(strlen(reply.body), CAP);
		http_reply_release(&reply);
	}
	/* Many short header lines; none is long. */
	n = (size_t)sprintf(text, "HTTP/1.1 200 OK\r\n");
	while (n < HTTP_HEADERS_MAX)
		n += (size_t)sprintf(text + n, "X-Filler: 0123456789\r\n");
	n += (size_t)sprintf(text + n, "Content-Length: 0\r\n\r\n");
	assert_int_equal(get(text, n, &reply, NULL), AAD_ETOOBIG);
	http_reply_release(&reply);
	free(text);
}

static void
I_B13_redirects_and_encodings_are_left_alone(void **state)
{
	struct http_reply reply;

	(void)state;
	assert_int_equal(GET("HTTP/1.1 307 Go\r\nContent-Length: 0\r\n"
			     "Location: file:///etc/passwd\r\n\r\n",
			     &reply, NULL),
	    0);
	assert_int_equal(reply.status, 307);
	assert_int_equal(reply.len, 0);
	http_reply_release(&reply);
	assert_int_equal(GET("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"
			     "Content-Length: 4\r\n\r\n\x1f\x8b\x08\x00",
			     &reply, NULL),
	    0);
	assert_int_equal(reply.len, 4);
	assert_memory_equal(reply.body, "\x1f\x8b\x08\x00", 4);
	http_reply_release(&reply);
}

static void
I_B13_broken_answers(void **state)
{
	struct http_reply reply;

	(void)state;
	assert_int_equal(GET("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked"
			     "\r\n\r\nffffffffffffffffff\r\nxx",
			     &reply, NULL),
	    AAD_ENET);
	assert_true(reply.error[0] != '\0');
	http_reply_release(&reply);
	assert_int_equal(GET("SSH-2.0-OpenSSH_9.2\r\n", &reply, NULL),
	    AAD_ENET);
	http_reply_release(&reply);
	assert_int_equal(GET("HTTP/1.1 429 \r\nContent-Length: 0\r\n"
			     "Retry-After: 99999999999999999999\r\n"
			     "Date: \x1b[2J\r\n\r\n",
			     &reply, NULL),
	    0);
	assert_in_range(reply.retry_after, 0, 86400);
	assert_int_equal(reply.date, -1);
	http_reply_release(&reply);
}

static void
II_S2_only_https(void **state)
{
	static const char *const urls[] = { "http://127.0.0.1:1/",
		"file:///etc/passwd", "ftp://127.0.0.1/", "127.0.0.1:1/",
		"gopher://127.0.0.1/", "" };
	struct http *h = client(ca, NULL);
	struct http_reply reply;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		assert_int_equal(http_get(h, urls[i], CAP, &reply), AAD_ENET);
		assert_true(reply.error[0] != '\0');
		assert_null(reply.body);
		http_reply_release(&reply);
	}
	http_free(h);
}

static void
II_S2_certificate_and_version(void **state)
{
	static const char
	    answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
	struct http *h = client(NULL, NULL);
	struct http_reply reply;
	char sent[4096], url[64];
	struct server s;

	(void)state;
	/* Not in the system's store. */
	serve(&s, NULL, answer, sizeof(answer) - 1);
	assert_int_equal(http_get(h, url_of(s.port), CAP, &reply), AAD_ENET);
	assert_non_null(strstr(reply.error, "certificate"));
	end(&s, sent, sizeof(sent));
	assert_string_equal(sent, "");
	http_free(h);
	/* Of another name. */
	h = client(ca, NULL);
	serve(&s, NULL, answer, sizeof(answer) - 1);
	snprintf(url, sizeof(url), "https://localhost:%d/", s.port);
	assert_int_equal(http_get(h, url, CAP, &reply), AAD_ENET);
	end(&s, sent, sizeof(sent));
	assert_string_equal(sent, "");
	/* Too old a TLS. */
	serve(&s, "-tls1_1", answer, sizeof(answer) - 1);
	assert_int_equal(http_get(h, url_of(s.port), CAP, &reply), AAD_ENET);
	end(&s, sent, sizeof(sent));
	assert_string_equal(sent, "");
	http_free(h);
	/* A ca_file that is not there is no reason to trust anybody. */
	h = client("/nonexistent", NULL);
	serve(&s, NULL, answer, sizeof(answer) - 1);
	assert_int_equal(http_get(h, url_of(s.port), CAP, &reply), AAD_ENET);
	end(&s, sent, sizeof(sent));
	http_free(h);
}

static void
II_S2_proxy_of_the_settings_only(void **state)
{
	struct http *h;
	struct http_reply reply;
	char proxy[64], got[512] = "";
	int port, fd = listener(&port), peer;
	pid_t pid;

	(void)state;
	snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%d", port);
	setenv("https_proxy", proxy, 1);
	setenv("ALL_PROXY", proxy, 1);
	h = client(ca, NULL);
	assert_int_equal(http_get(h, url_of(1), CAP, &reply), AAD_ENET);
	http_free(h);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	assert_int_equal(accept(fd, NULL, NULL), -1);
	fcntl(fd, F_SETFL, 0);
	unsetenv("https_proxy");
	unsetenv("ALL_PROXY");
	/* And with no_proxy of the environment against the settings. */
	setenv("no_proxy", "*", 1);
	h = client(ca, proxy);
	if ((pid = fork()) == 0) {
		_exit(http_get(h, "https://idp.test/", CAP, &reply) == AAD_ENET
			  ? 0
			  : 1);
	}
	peer = accept(fd, NULL, NULL);
	assert_int_not_equal(peer, -1);
	assert_true(read(peer, got, sizeof(got) - 1) > 0);
	assert_ptr_equal(strstr(got, "CONNECT idp.test:443 HTTP/1.1\r\n"), got);
	dprintf(peer, "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\n"
		      "Content-Length: 0\r\n\r\n");
	close(peer);
	assert_int_equal(waitpid(pid, &peer, 0), pid);
	assert_int_equal(peer, 0);
	unsetenv("no_proxy");
	http_free(h);
	close(fd);
}

static void
on_alarm(int sig)
{
	(void)sig;
	stop = 1;
}

static void
I_B13_stop_ends_a_hanging_exchange(void **state)
{
	const struct itimerval soon = { { 0, 0 }, { 0, 300000 } };
	struct sigaction sa = { .sa_handler = on_alarm };
	struct http *h = client(ca, NULL);
	struct http_reply reply;
	struct timespec a, b;
	int port, fd = listener(&port);

	(void)state;
	/* It takes the connection and says nothing. */
	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &soon, NULL);
	clock_gettime(CLOCK_MONOTONIC, &a);
	assert_int_equal(http_get(h, url_of(port), CAP, &reply), AAD_ENET);
	clock_gettime(CLOCK_MONOTONIC, &b);
	assert_true(stop != 0);
	assert_in_range((b.tv_sec - a.tv_sec) * 1000 +
			    (b.tv_nsec - a.tv_nsec) / 1000000,
	    250, 15000);
	http_reply_release(&reply);
	/* And when it was set before. */
	assert_int_equal(http_get(h, url_of(port), CAP, &reply), AAD_ENET);
	http_reply_release(&reply);
	http_free(h);
	http_free(NULL);
	close(fd);
}

/* --- many at once --------------------------------------------------------- */

static const char *const small_form[] = { "grant_type", "refresh_token",
	"refresh_token", "s e&c=ret", NULL };

static struct http_pool *
pool(size_t parallel)
{
	const struct http_settings set = { ca, NULL, "aadssh/test", &stop };
	struct http_pool *p;

	stop = 0;
	assert_int_equal(http_pool_new(&set, parallel, &p), 0);
	return p;
}

static int
post(struct http_pool *p, int port, int *tag)
{
	return http_pool_post(p, url_of(port), small_form, CAP, tag);
}

static long
ms_since(const struct timespec *a)
{
	struct timespec b;

	clock_gettime(CLOCK_MONOTONIC, &b);
	return (b.tv_sec - a->tv_sec) * 1000 +
	       (b.tv_nsec - a->tv_nsec) / 1000000;
}

/* The next one done within ten seconds. */
static int
next(struct http_pool *p, struct http_reply *reply, int **tagp)
{
	void *tag;
	int i, r, result;

	for (i = 0; i < 100; i++) {
		r = http_pool_next(p, 100, reply, &tag, &result);
		if (r != AAD_EAGAIN)
			break;
	}
	*tagp = tag;
	return r == 0 ? result : r;
}

static void
pool_uses_a_connection_again(void **state)
{
	static const char *const answers[] = {
		"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none",
		("HTTP/1.1 400 No\r\nContent-Length: 3\r\n"
		 "Retry-After: 7\r\n\r\ntwo"),
		"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
	};
	struct http_pool *p = pool(1);
	struct http_reply reply;
	struct server s;
	char sent[8192], *at;
	int tags[3], *tag, i;
	void *any;

	(void)state;
	/* One connection is all that this server takes. */
	serve(&s, NULL, answers[0], strlen(answers[0]));
	for (i = 0; i < 3; i++) {
		assert_int_equal(post(p, s.port, &tags[i]), 0);
		if (i > 0)
			assert_int_equal(write(s.to, answers[i],
					     strlen(answers[i])),
			    (ssize_t)strlen(answers[i]));
		assert_int_equal(next(p, &reply, &tag), 0);
		assert_ptr_equal(tag, &tags[i]);
		assert_int_equal(reply.status, i == 1 ? 400 : 200);
		assert_string_equal(reply.body, i == 0	 ? "one"
						: i == 1 ? "two"
							 : "");
		assert_int_equal(reply.retry_after, i == 1 ? 7 : 0);
		http_reply_release(&reply);
	}
	assert_int_equal(http_pool_connections(p), 1);
	assert_int_equal(http_pool_next(p, 0, &reply, &any, &i), AAD_ENOENT);
	http_pool_free(p);
	end(&s, sent, sizeof(sent));
	for (i = 0, at = sent; (at = strstr(at, "POST /path?q=1 ")) != NULL;
	     i++)
		at++;
	assert_int_equal(i, 3);
	assert_non_null(strstr(sent,
	    "grant_type=refresh_token&refresh_token=s%20e%26c%3Dret"));
	assert_non_null(strstr(sent, "\r\nUser-Agent: aadssh/test\r\n"));
	assert_null(strcasestr(sent, "expect:"));
}

static void
pool_window_is_kept(void **state)
{
	static const char
	    answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
	struct http_pool *p = pool(3);
	struct http_reply reply;
	struct server s;
	char sent[4096];
	int port, fd = listener(&port), tags[4], *tag, got;
	void *any;

	(void)state;
	/* Two that hang, and one that is answered in spite of them. */
	assert_int_equal(post(p, port, &tags[0]), 0);
	assert_int_equal(post(p, port, &tags[1]), 0);
	serve(&s, NULL, answer, sizeof(answer) - 1);
	assert_int_equal(post(p, s.port, &tags[2]), 0);
	assert_int_equal(post(p, port, &tags[3]), AAD_EAGAIN);
	assert_int_equal(next(p, &reply, &tag), 0);
	assert_ptr_equal(tag, &tags[2]);
	assert_string_equal(reply.body, "{}");
	http_reply_release(&reply);
	end(&s, sent, sizeof(sent));
	/* Now there is room for one, and the peer sees no more than three. */
	assert_int_equal(post(p, port, &tags[3]), 0);
	assert_int_equal(post(p, port, &tags[2]), AAD_EAGAIN);
	assert_int_equal(http_pool_next(p, 300, &reply, &any, &got),
	    AAD_EAGAIN);
	got = 0;
	fcntl(fd, F_SETFL, O_NONBLOCK);
	while (accept(fd, NULL, NULL) != -1)
		got++;
	assert_int_equal(got, 3);
	/* With requests under way. */
	http_pool_free(p);
	http_pool_free(NULL);
	close(fd);
}

static void
I_B13_stop_ends_a_whole_pool(void **state)
{
	const struct itimerval soon = { { 0, 0 }, { 0, 300000 } };
	struct sigaction sa = { .sa_handler = on_alarm };
	struct http_pool *p = pool(16);
	struct http_reply reply;
	struct timespec a;
	int port, fd = listener(&port), tags[16], *tag, i;

	(void)state;
	for (i = 0; i < 16; i++)
		assert_int_equal(post(p, port, &tags[i]), 0);
	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &soon, NULL);
	clock_gettime(CLOCK_MONOTONIC, &a);
	for (i = 0; i < 16; i++) {
		assert_int_equal(next(p, &reply, &tag), AAD_ENET);
		assert_true(reply.error[0] != '\0');
		assert_in_range((tag - tags), 0, 15);
		http_reply_release(&reply);
	}
	assert_true(stop != 0);
	assert_in_range(ms_since(&a), 250, 15000);
	assert_int_equal(next(p, &reply, &tag), AAD_ENOENT);
	http_pool_free(p);
	close(fd);
}

static void
I_B13_pool_has_the_same_fences(void **state)
{
	static const char redirect
	    [] = "HTTP/1.1 307 Go\r\nContent-Length: 0\r\n"
		 "Location: http://127.0.0.1/\r\nConnection: close\r\n\r\n";
	static const char
	    big[] = "HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n";
	const struct http_settings untrusting = { NULL, NULL, "t", NULL };
	char *filler = calloc(1, HTTP_FORM_MAX + 2);
	const char *big_form[] = { "a", filler, NULL };
	char sent[4096], text[sizeof(big) + CAP + 1];
	struct http_pool *p = pool(1);
	struct http_reply reply;
	struct server s;
	int x, *tag;

	(void)state;
	assert_non_null(filler);
	serve(&s, NULL, redirect, sizeof(redirect) - 1);
	assert_int_equal(post(p, s.port, &x), 0);
	assert_int_equal(next(p, &reply, &tag), 0);
	assert_int_equal(reply.status, 307);
	http_reply_release(&reply);
	end(&s, sent, sizeof(sent));
	/* The cap of a body. */
	strcpy(text, big);
	memset(text + sizeof(big) - 1, 'x', CAP + 1);
	serve(&s, NULL, text, sizeof(big) - 1 + CAP + 1);
	assert_int_equal(post(p, s.port, &x), 0);
	assert_int_equal(next(p, &reply, &tag), AAD_ETOOBIG);
	http_reply_release(&reply);
	end(&s, sent, sizeof(sent));
	/* A form that is too long leaves the window as it was. */
	memset(filler, 'x', HTTP_FORM_MAX + 1);
	assert_int_equal(http_pool_post(p, url_of(1), big_form, CAP, &x),
	    AAD_ETOOBIG);
	/* Nobody there; not https. */
	assert_int_equal(post(p, 1, &x), 0);
	assert_int_equal(next(p, &reply, &tag), AAD_ENET);
	http_reply_release(&reply);
	assert_int_equal(http_pool_post(p, "http://127.0.0.1:1/", small_form,
			     CAP, &x),
	    0);
	assert_int_equal(next(p, &reply, &tag), AAD_ENET);
	http_reply_release(&reply);
	http_pool_free(p);
	/* A certificate that is not trusted. */
	assert_int_equal(http_pool_new(&untrusting, 1, &p), 0);
	serve(&s, NULL, redirect, sizeof(redirect) - 1);
	assert_int_equal(post(p, s.port, &x), 0);
	assert_int_equal(next(p, &reply, &tag), AAD_ENET);
	http_reply_release(&reply);
	end(&s, sent, sizeof(sent));
	assert_string_equal(sent, "");
	http_pool_free(p);
	free(filler);
}

static void
boundary_pool_and_no_memory(void **state)
{
	const struct http_settings set = { ca, NULL, "t", NULL };
	struct http_pool *p;
	unsigned int k;
	int r;

	(void)state;
	assert_int_equal(http_pool_new(&set, 0, &p), AAD_EARG);
	assert_int_equal(http_pool_new(&set, HTTP_POOL_MAX + 1, &p), AAD_EARG);
	assert_null(p);
	for (k = 1; k < 10; k++) {
		fault_arm(FAULT_ALLOC, k, ENOMEM);
		r = http_pool_new(&set, 2, &p);
		if (r == 0)
			r = http_pool_post(p, url_of(1), small_form, CAP, NULL);
		http_pool_free(p);
		if (!fault_disarm())
			break;
		assert_int_equal(r, AAD_ENOMEM);
	}
	assert_in_range(k, 3, 9);
	assert_int_equal(r, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(valid_get),
		cmocka_unit_test(form_is_percent_encoded),
		cmocka_unit_test(form_too_long),
		cmocka_unit_test(I_B13_body_and_header_caps),
		cmocka_unit_test(I_B13_redirects_and_encodings_are_left_alone),
		cmocka_unit_test(I_B13_broken_answers),
		cmocka_unit_test(II_S2_only_https),
		cmocka_unit_test(II_S2_certificate_and_version),
		cmocka_unit_test(II_S2_proxy_of_the_settings_only),
		cmocka_unit_test(I_B13_stop_ends_a_hanging_exchange),
		cmocka_unit_test(pool_uses_a_connection_again),
		cmocka_unit_test(pool_window_is_kept),
		cmocka_unit_test(I_B13_stop_ends_a_whole_pool),
		cmocka_unit_test(I_B13_pool_has_the_same_fences),
		cmocka_unit_test(boundary_pool_and_no_memory),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, setup, teardown);
}
