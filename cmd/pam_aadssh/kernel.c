/* SPDX-License-Identifier: ISC */

#include <arpa/inet.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "cmd/pam_aadssh/clean.h"
#include "cmd/pam_aadssh/kernel.h"

#define STAT_MAX    2048 /* bytes; 52 numbers and a name of 64 */
#define TITLE_MAX   256
#define START_FIELD 22
#define FD_FIRST    3
#define FD_LAST	    255
#define REPLACED    " (deleted)"

/* One end of a connection, IPv4 in its mapped form (RFC 4291 s.2.5.5.2). */
struct end {
	struct in6_addr address;
	uint16_t port;
};

int64_t
kernel_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec;
}

int64_t
kernel_clock_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

bool
kernel_start_parse(const char *stat, int64_t *startp)
{
	const char *p = strrchr(stat, ')');
	char word[24];
	uint64_t start;
	size_t n;
	int field;

	*startp = 0;
	if (p == NULL)
		return false;
	/* NB. behind the name comes field 3. */
	for (p++, field = 3; field < START_FIELD; field++) {
		p += strspn(p, " ");
		p += strcspn(p, " ");
	}
	p += strspn(p, " ");
	n = strcspn(p, " \n");
	if (n == 0 || n >= sizeof(word))
		return false;
	memcpy(word, p, n);
	word[n] = '\0';
	if (!clean_number(word, INT64_MAX, &start))
		return false;
	*startp = (int64_t)start;
	return true;
}

/* A file of /proc as a string, cut where text is full. */
static bool
proc_read(const char *path, char *text, size_t size)
{
	size_t have = 0;
	ssize_t n;
	int fd;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)) == -1)
		return false;
	while ((n = read(fd, text + have, size - 1 - have)) > 0)
		have += (size_t)n;
	close(fd);
	text[have] = '\0';
	return n != -1;
}

bool
kernel_start(pid_t pid, int64_t *startp)
{
	char path[40], text[STAT_MAX];

	*startp = 0;
	snprintf(path, sizeof(path), "/proc/%jd/stat", (intmax_t)pid);
	return proc_read(path, text, sizeof(text)) &&
	       kernel_start_parse(text, startp);
}

bool
kernel_titled(const char *end)
{
	char text[TITLE_MAX];
	size_t len, n = strlen(end);

	if (!proc_read("/proc/self/cmdline", text, sizeof(text)))
		return false;
	len = strlen(text);
	return len >= n && strcmp(text + len - n, end) == 0;
}

bool
kernel_exe(char out[static KERNEL_EXE_LEN])
{
	const size_t mark = strlen(REPLACED);
	ssize_t n = readlink("/proc/self/exe", out, KERNEL_EXE_LEN);
	size_t len;

	if (n <= 0 || n >= KERNEL_EXE_LEN) {
		out[0] = '\0';
		return false;
	}
	len = (size_t)n;
	out[len] = '\0';
	if (len > mark && strcmp(out + len - mark, REPLACED) == 0)
		out[len - mark] = '\0';
	return out[0] == '/' && clean_printable(out);
}

/* The first n bytes of s as an address; a %zone is passed over. */
static bool
address(const char *s, size_t n, struct in6_addr *out)
{
	char text[KERNEL_ADDRESS_LEN];
	struct in_addr v4;
	char *zone;

	if (n == 0 || n >= sizeof(text))
		return false;
	memcpy(text, s, n);
	text[n] = '\0';
	if ((zone = strchr(text, '%')) != NULL)
		*zone = '\0';
	if (inet_pton(AF_INET6, text, out) == 1)
		return true;
	if (zone != NULL || inet_pton(AF_INET, text, &v4) != 1)
		return false;
	memset(out, 0, sizeof(*out));
	out->s6_addr[10] = out->s6_addr[11] = 0xff;
	memcpy(out->s6_addr + 12, &v4, sizeof(v4));
	return true;
}

void
kernel_address(const char *s, char out[static KERNEL_ADDRESS_LEN])
{
	size_t n = strcspn(s, " ");
	struct in6_addr ignored;

	out[0] = '\0';
	if (!address(s, n, &ignored))
		return;
	memcpy(out, s, n);
	out[n] = '\0';
	/* NB. a zone is the name of an interface, which may hold anything. */
	if (!clean_printable(out))
		out[0] = '\0';
}

/* "ADDRESS PORT …" */
static bool
end_parse(const char *s, struct end *out)
{
	size_t n = strcspn(s, " ");
	char word[8];
	uint64_t port;

	if (!address(s, n, &out->address))
		return false;
	s += n;
	s += strspn(s, " ");
	n = strcspn(s, " ");
	if (n == 0 || n >= sizeof(word))
		return false;
	memcpy(word, s, n);
	word[n] = '\0';
	if (!clean_number(word, UINT16_MAX, &port))
		return false;
	out->port = (uint16_t)port;
	return true;
}

/* Who is at the other side of fd. */
static bool
end_of(int fd, struct end *out)
{
	union {
		struct sockaddr sa;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
		struct sockaddr_storage any;
	} peer;
	socklen_t len = sizeof(peer);

	if (getpeername(fd, &peer.sa, &len) == -1)
		return false;
	memset(&out->address, 0, sizeof(out->address));
	if (peer.sa.sa_family == AF_INET) {
		out->address.s6_addr[10] = out->address.s6_addr[11] = 0xff;
		memcpy(out->address.s6_addr + 12, &peer.v4.sin_addr,
		    sizeof(peer.v4.sin_addr));
		out->port = ntohs(peer.v4.sin_port);
		return true;
	}
	if (peer.sa.sa_family == AF_INET6) {
		out->address = peer.v6.sin6_addr;
		out->port = ntohs(peer.v6.sin6_port);
		return true;
	}
	return false;
}

int
kernel_connection(const char *ssh_connection)
{
	struct end want, got;
	int fd;

	if (ssh_connection == NULL || !end_parse(ssh_connection, &want))
		return -1;
	for (fd = FD_FIRST; fd <= FD_LAST; fd++)
		if (end_of(fd, &got) && got.port == want.port &&
		    memcmp(&got.address, &want.address, sizeof(want.address)) ==
			0)
			return fd;
	return -1;
}

bool
kernel_gone(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLRDHUP };

	return fd != -1 && poll(&p, 1, 0) == 1 &&
	       (p.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}
