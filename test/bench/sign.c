/* SPDX-License-Identifier: ISC */

/*
 * sign: how many certificates a second are built and signed in one process,
 * against libsodium's bare Ed25519 signature over the same number of bytes.
 *
 *	sign SECONDS
 *
 * Three lines, NAME tab RATE: "raw", "built and signed", "and verified",
 * which is what the signer releases.  The three take turns, so that what else
 * the machine does meets all of them.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sodium.h>

#include "ssh/cert.h"
#include "ssh/privkey.h"
#include "ssh/sign.h"

#define TURN 200 /* certificates */

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
must(int r, const char *what)
{
	if (r == 0)
		return;
	fprintf(stderr, "sign: %s: %s\n", what, err_name(r));
	exit(1);
}

static struct privkey ca, user;
static struct cert_spec spec;
static size_t body_len;

static void
raw(void)
{
	static uint8_t bytes[4096], sig[crypto_sign_BYTES];

	crypto_sign_detached(sig, NULL, bytes, body_len,
	    secret_bytes(ca.secret));
}

static uint8_t *
build(uint8_t **sigp, size_t *siglenp)
{
	uint8_t *body;

	randombytes_buf(spec.nonce, sizeof(spec.nonce));
	spec.serial++;
	must(cert_encode(&spec, &body, &body_len), "cert_encode");
	must(sign_ed25519(ca.secret, body, body_len, sigp, siglenp),
	    "sign_ed25519");
	return body;
}

static void
built(void)
{
	uint8_t *sig;
	size_t siglen;

	free(build(&sig, &siglen));
	free(sig);
}

static void
verified(void)
{
	uint8_t *body, *sig;
	struct cert c;
	size_t siglen;

	body = build(&sig, &siglen);
	must(cert_finish(&spec, body, body_len, sig, siglen, &c),
	    "cert_finish");
	cert_release(&c);
	free(body);
	free(sig);
}

int
main(int argc, char **argv)
{
	static const char *const names[] = { "raw", "built and signed",
		"and verified" };
	static void (*const works[])(void) = { raw, built, verified };
	static const char *const principals[] = { "alice@db", "alice@web" };
	static const struct cert_option permits[] = {
		{ "permit-port-forwarding", NULL }, { "permit-pty", NULL }
	};
	static const uint8_t seed[2][PRIVKEY_SEED_LEN] = { { 1 }, { 2 } };
	double spent[3] = { 0, 0, 0 }, from, end;
	long turns = 0;
	int i, w;

	if (argc != 2 || sodium_init() == -1)
		return 2;
	must(privkey_of_seed(seed[0], &ca), "key");
	must(privkey_of_seed(seed[1], &user), "key");
	spec.key = &user.pub;
	spec.ca = &ca.pub;
	spec.type = CERT_USER;
	spec.key_id = "alice@contoso.com oid=1c9a52de-7b30-4f86-9e41-"
		      "6a0d8c35b2f1 tid=5e1f0c3a-7d42-4b19-8c55-0a9be2d41f77 "
		      "uti=s7nTheTiCuTi0AAAAAAAAA";
	spec.principals = principals;
	spec.nprincipals = 2;
	spec.valid_after = 1767225600;
	spec.valid_before = 1767254400;
	spec.extensions = permits;
	spec.nextensions = 2;
	built(); /* how many bytes are signed */
	for (end = now() + atof(argv[1]); now() < end; turns++)
		for (w = 0; w < 3; w++) {
			from = now();
			for (i = 0; i < TURN; i++)
				works[w]();
			spent[w] += now() - from;
		}
	for (w = 0; w < 3; w++)
		printf("%s\t%.0f\n", names[w], (double)turns * TURN / spent[w]);
	return 0;
}
