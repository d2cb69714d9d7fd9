/* SPDX-License-Identifier: ISC */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include <libssh/libssh.h>

#include "ca/import.h"
#include "ca/keyfile.h"

/* Whom the terminal belongs to, while it does not echo. */
struct ask {
	const char *path;
	bool asked;
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
	a->asked = true;
	if ((tty = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC)) == -1)
		return -1;
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

/* The text, from libssh's memory into ours. */
static int
take_text(char *text, struct secret **outp)
{
	size_t len = strlen(text);
	int r;

	if ((r = secret_new(len, outp)) == 0)
		memcpy(secret_bytes(*outp), text, len);
	explicit_bzero(text, len);
	return r;
}

int
import_key(const char *path, struct secret **outp, const char **faultp)
{
	struct ask a = { path, false };
	struct secret *file = NULL;
	char *text = NULL, *copy = NULL;
	ssh_key k = NULL;
	int r;

	*outp = NULL;
	*faultp = "it cannot be read";
	if ((r = keyfile_secret(path, &file)) != 0)
		return r;
	/* NB. libssh wants a NUL behind it. */
	r = AAD_ENOMEM;
	if ((copy = calloc(1, secret_len(file) + 1)) == NULL)
		goto out;
	memcpy(copy, secret_bytes(file), secret_len(file));
	r = AAD_EFORMAT;
	*faultp = "it is no private key, or the passphrase is wrong";
	if (ssh_pki_import_privkey_base64(copy, NULL, ask_passphrase, &a, &k) !=
	    SSH_OK) {
		if (a.asked && access("/dev/tty", R_OK) == -1)
			*faultp = "it has a passphrase, and there is no "
				  "terminal to ask on";
		goto out;
	}
	r = AAD_EREFUSED;
	*faultp = "it is not an Ed25519 key";
	if (ssh_key_type(k) != SSH_KEYTYPE_ED25519)
		goto out;
	r = AAD_EFORMAT;
	*faultp = "it cannot be converted";
	if (ssh_pki_export_privkey_base64(k, NULL, NULL, NULL, &text) == SSH_OK)
		r = take_text(text, outp);
out:
	if (copy != NULL)
		explicit_bzero(copy, secret_len(file));
	free(copy);
	ssh_string_free_char(text);
	ssh_key_free(k);
	secret_free(file);
	return r;
}
