/* SPDX-License-Identifier: ISC */

/*
 * aadssh-ca-import FILE: an Ed25519 private key of another program's format,
 * or an encrypted one, as the text of an unencrypted openssh-key-v1 file on
 * stdout, which must be a pipe.  aadssh-ca init starts it; the only user of
 * libssh, and a process of its own, because nobody else needs libssh, nor
 * should wait for it to be loaded.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include <libssh/libssh.h>
#include <sodium.h>

#include "cmd/cli/priv.h"
#include "cmd/cli/stop.h"
#include "cmd/cli/verb.h"
#include "core/b64.h"
#include "core/secret.h"
#include "ssh/privkey.h"
#include "ssh/wire.h"

#define PROG "aadssh-ca-import"

/* Whom the terminal belongs to, while it does not echo. */
struct ask {
	const char *path;
	bool no_terminal;
};

/* A line from the terminal, without its end; nothing is echoed. */
static int
read_line(int tty, char *buf, size_t len)
{
	size_t n = 0;
	char c;

	while (n + 1 < len && read(tty, &c, 1) == 1 && c != '\n' && c != '\r')
		buf[n++] = c;
	buf[n] = '\0';
	explicit_bzero(&c, 1);
	return n == 0 ? -1 : 0;
}

static int
ask_passphrase(const char *prompt, char *buf, size_t len, int echo, int verify,
    void *arg)
{
	struct ask *a = arg;
	struct termios old, quiet;
	int tty, r = -1;

	(void)prompt;
	(void)echo;
	(void)verify;
	if ((tty = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC)) == -1) {
		a->no_terminal = true;
		return -1;
	}
	/* NB. what is asked goes to the terminal, too: stderr may be a file. */
	if (tcgetattr(tty, &old) == 0) {
		quiet = old;
		quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
		quiet.c_lflag |= ICANON;
		if (tcsetattr(tty, TCSAFLUSH, &quiet) == 0) {
			dprintf(tty, "Passphrase of %s: ", a->path);
			r = read_line(tty, buf, len);
			tcsetattr(tty, TCSAFLUSH, &old);
			dprintf(tty, "\n");
		}
	}
	close(tty);
	return r;
}

static int
fail(const char *path, const char *why, int code)
{
	fprintf(stderr, "%s: %s: %s\n", PROG, path, why);
	return code;
}

/* All of the file, and a NUL behind it, which libssh wants. */
static int
read_key(const char *path, uint8_t *p, size_t max)
{
	size_t len = 0;
	ssize_t n = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd == -1)
		return fail(path, strerror(errno), EXIT_CANNOT);
	while (len < max && (n = read(fd, p + len, max - len)) > 0)
		len += (size_t)n;
	if (n == -1)
		return fail(path, strerror(errno), EXIT_CANNOT);
	close(fd);
	if (len == max)
		return fail(path, "it is too large to be a key", EXIT_CANNOT);
	p[len] = '\0';
	return EXIT_DONE;
}

/* Whole, to the pipe. */
static int
write_text(const char *path, struct secret *text)
{
	const uint8_t *p = secret_bytes(text);
	size_t left = secret_len(text);
	ssize_t n = 0;

	while (left > 0 && (n = write(STDOUT_FILENO, p, left)) > 0) {
		p += n;
		left -= (size_t)n;
	}
	return left == 0 ? EXIT_DONE : fail(path, "nobody reads", EXIT_CANNOT);
}

/*
 * The seed in what libssh exports: openssh-key-v1 without encryption
 * (PROTOCOL.key), on one line, and padded further than ssh-keygen does.
 */
static int
find_seed(const uint8_t *p, size_t len, uint8_t seed[static PRIVKEY_SEED_LEN])
{
	static const char magic[] = "openssh-key-v1"; /* and its NUL */
	const uint8_t *string;
	struct wire w;
	uint32_t n;
	size_t slen;

	if (len < sizeof(magic) || memcmp(p, magic, sizeof(magic)) != 0)
		return AAD_EFORMAT;
	w = wire_of(p + sizeof(magic), len - sizeof(magic));
	if (!wire_is(&w, "none") || !wire_is(&w, "none") || !wire_is(&w, "") ||
	    wire_u32(&w, &n) != 0 || n != 1 ||
	    wire_string(&w, &string, &slen) != 0 ||
	    wire_string(&w, &string, &slen) != 0 || !wire_end(&w))
		return AAD_EFORMAT;
	w = wire_of(string, slen);
	if (wire_u32(&w, &n) != 0 || wire_u32(&w, &n) != 0 ||
	    !wire_is(&w, "ssh-ed25519") ||
	    wire_string(&w, &string, &slen) != 0 || slen != 32 ||
	    wire_string(&w, &string, &slen) != 0 || slen != 64)
		return AAD_EFORMAT;
	memcpy(seed, string, PRIVKEY_SEED_LEN);
	return 0;
}

/* libssh's text as ssh-keygen would write it. */
static int
rewrite(char *text, struct secret **outp)
{
	static const char end[] = "\n-----END ";
	char *from = strchr(text, '\n'), *to;
	uint8_t seed[PRIVKEY_SEED_LEN], *bytes = NULL;
	struct privkey k;
	size_t len = 0;
	int r = AAD_EFORMAT;

	*outp = NULL;
	if (from != NULL && (to = strstr(from, end)) != NULL)
		r = b64_decode(B64_STD, from + 1, (size_t)(to - from - 1),
		    &bytes, &len);
	if (r == 0 && (r = find_seed(bytes, len, seed)) == 0 &&
	    (r = privkey_of_seed(seed, &k)) == 0) {
		r = privkey_format(&k, randombytes_random(), NULL, outp);
		privkey_release(&k);
	}
	explicit_bzero(seed, sizeof(seed));
	if (bytes != NULL)
		explicit_bzero(bytes, len);
	free(bytes);
	explicit_bzero(text, strlen(text));
	return r;
}

static int
convert(const char *path, const char *key)
{
	struct ask a = { path, false };
	ssh_key k = NULL;
	char *text = NULL;
	struct secret *ours = NULL;
	int code;

	if (ssh_pki_import_privkey_base64(key, NULL, ask_passphrase, &a, &k) !=
	    SSH_OK)
		code = fail(path,
		    a.no_terminal
			? "it has a passphrase, and there is no terminal to "
			  "ask on"
			: "it is no private key, or the passphrase is wrong",
		    EXIT_CANNOT);
	else if (ssh_key_type(k) != SSH_KEYTYPE_ED25519)
		code = fail(path, "it is not an Ed25519 key", EXIT_NO);
	else if (ssh_pki_export_privkey_base64(k, NULL, NULL, NULL, &text) !=
		     SSH_OK ||
		 rewrite(text, &ours) != 0)
		code = fail(path,
		    "it cannot be converted; only OpenSSH's format is",
		    EXIT_CANNOT);
	else
		code = write_text(path, ours);
	secret_free(ours);
	ssh_string_free_char(text);
	ssh_key_free(k);
	return code;
}

int
main(int argc, char **argv)
{
	struct secret *key = NULL;
	int code;

	if (priv_begin() != 0 || priv_signals() != 0 ||
	    priv_clean_environment(NULL) != 0 || sodium_init() == -1)
		return EXIT_CANNOT;
	/* NB. a private key belongs on no terminal. */
	if (argc != 2 || isatty(STDOUT_FILENO)) {
		fprintf(stderr, "usage: %s FILE | ...\n", PROG);
		return EXIT_USAGE;
	}
	stop_catch(0, 0); /* the terminal echoes again, whatever happens */
	if (secret_new(SECRET_MAX, &key) != 0)
		return fail(argv[1], "out of memory", EXIT_CANNOT);
	code = read_key(argv[1], secret_bytes(key), SECRET_MAX - 1);
	if (code == EXIT_DONE)
		code = convert(argv[1], (const char *)secret_bytes(key));
	secret_free(key);
	return code;
}
