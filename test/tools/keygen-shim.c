/* SPDX-License-Identifier: ISC */

/*
 * keygen-shim: stands in for ssh-keygen(1) in OpenSSH's own tests, so that
 * they judge our encoders: -s (sign) and -k (make or update a KRL) are done
 * here, by lib/ssh; everything else, and every DSA and ML-DSA key, which
 * lib/ssh doesn't know, by the real one.
 *
 *	keygen-shim --signed-part CERT		hex of what is signed
 *	keygen-shim --like CERT -s ...		with CERT's nonce
 *
 * NB. ssh-keygen signs what nobody should; aadssh-ca never can, because what
 * may be asked is judged in ca/signer/profile.c, not in the encoder.
 */

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "test/tools/shim.h"

#define REAL "/usr/bin/ssh-keygen"

_Noreturn void
shim_die(const char *what, const char *name)
{
	fprintf(stderr, "keygen-shim: %s: %s\n", what, name);
	exit(255);
}

/* Let the real one do it; why: for the log. */
static _Noreturn void
delegate(char **argv, const char *why)
{
	char *log = getenv("KEYGEN_SHIM_LOG");
	FILE *f;
	int i;

	if (log != NULL && (f = fopen(log, "a")) != NULL) {
		fputs(why, f);
		for (i = 1; argv[i] != NULL; i++)
			fprintf(f, " %s", argv[i]);
		fputc('\n', f);
		fclose(f);
	}
	argv[0] = (char[]){ REAL };
	execv(REAL, argv);
	shim_die("cannot start", REAL);
}

static void
log_ours(char **argv)
{
	char *log = getenv("KEYGEN_SHIM_LOG");
	FILE *f;

	if (log == NULL || (f = fopen(log, "a")) == NULL)
		return;
	fputs("ours", f);
	for (; *argv != NULL; argv++)
		fprintf(f, " %s", *argv);
	fputc('\n', f);
	fclose(f);
}

void
shim_cert(const char *path, struct cert *c)
{
	enum reason why;
	size_t len;
	char *text = shim_read(path, &len);

	if (cert_from_pub(text, len, c, &why) != 0)
		shim_die(reason_name(why), path);
	free(text);
}

char *
shim_read(const char *path, size_t *lenp)
{
	FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "r");
	char *text = NULL;
	size_t cap = 0, n;

	*lenp = 0;
	if (f == NULL)
		shim_die(strerror(errno), path);
	do {
		cap += 65536;
		if ((text = realloc(text, cap + 1)) == NULL)
			shim_die("out of memory", path);
		n = fread(text + *lenp, 1, cap - *lenp, f);
		*lenp += n;
	} while (*lenp == cap);
	text[*lenp] = '\0';
	if (f != stdin)
		fclose(f);
	return text;
}

static int
signed_part(const char *path)
{
	struct cert c;
	size_t i;

	shim_cert(path, &c);
	for (i = 0; i < c.signed_len; i++)
		printf("%02x", c.blob[i]);
	putchar('\n');
	cert_release(&c);
	return 0;
}

/* Which of ssh-keygen's options this reads; the rest is the real one's. */
static void
options(int argc, char **argv, struct shim *s)
{
	int c;

	opterr = 0;
	/* "+": ssh-keygen stops at the first name, too. */
	while ((c = getopt(argc, argv,
		    "+ABHKLQUXceghiklopquvyC:D:E:F:I:M:N:O:P:R:V:Y:Z:a:b:f:g:m:"
		    "n:r:s:t:w:z:")) != -1) {
		switch (c) {
		case 's':
			s->ca = optarg;
			break;
		case 'k':
			s->krl = 1;
			break;
		case 'Q':
			s->other = 1;
			break;
		case 'L':
			s->other = 1;
			break;
		case 'Y':
			s->other = 1;
			break;
		case 'D':
			s->other = 1;
			break;
		case 'h':
			s->host = 1;
			break;
		case 'u':
			s->update = 1;
			break;
		case 'I':
			s->key_id = optarg;
			break;
		case 'n':
			s->principals = optarg;
			break;
		case 'V':
			s->validity = optarg;
			break;
		case 'z':
			s->serial = optarg;
			break;
		case 'f':
			s->file = optarg;
			break;
		case 't':
			s->type = optarg;
			break;
		case 'O':
			if (s->noptions == SHIM_OPTIONS)
				shim_die("too many", "-O");
			s->options[s->noptions++] = optarg;
			break;
		case 'q':
			break;
		default:
			s->other |= c == '?';
			break;
		}
	}
	s->args = argv + optind;
}

int
main(int argc, char **argv)
{
	struct shim s;
	int skip = 0;

	memset(&s, 0, sizeof(s));
	if (sodium_init() == -1)
		return 255;
	if (argc == 3 && strcmp(argv[1], "--signed-part") == 0)
		return signed_part(argv[2]);
	if (argc > 3 && strcmp(argv[1], "--like") == 0) {
		s.like = argv[2];
		skip = 2;
	}
	options(argc - skip, argv + skip, &s);
	if (!s.other && s.krl && s.file != NULL) {
		log_ours(argv + 1);
		return shim_krl(&s);
	}
	if (!s.other && !s.krl && s.ca != NULL && s.key_id != NULL) {
		if (shim_sign_foreign(&s))
			delegate(argv + skip, "foreign");
		log_ours(argv + 1);
		return shim_sign(&s);
	}
	delegate(argv + skip, "real");
}
