/* SPDX-License-Identifier: ISC */

/*
 * forge: a throw-away tenant for tests: an RSA key that lives as long as the
 * process, its JWK set, and tokens signed with it.  Aborts on failure.
 */

#ifndef AAD_FORGE_H
#define AAD_FORGE_H

#include <stddef.h>
#include <stdint.h>

#include <nettle/rsa.h>

#include "token/jwks.h"

#define FORGE_TENANT "5e1f0c3a-7d42-4b19-8c55-0a9be2d41f77"
#define FORGE_CLIENT "b7a4c9d2-31e6-4f08-9d2b-6c5f1e0a83d4"
#define FORGE_ISSUER "https://login.example.test/" FORGE_TENANT "/v2.0"
#define FORGE_OID    "c2f8a1d6-49b3-4e70-b1f2-83d75c60e9aa"
#define FORGE_OID2   "0b3f2c11-9d5e-4a77-8f10-2c6de8b41a55"

struct forge {
	struct rsa_public_key pub;
	struct rsa_private_key key;
	char kid[32];
};

/* A key of 2048 bits; the same seed makes the same key. */
void forge_init(struct forge *f, unsigned int seed);

void forge_release(struct forge *f);

/* A compact JWS, heap; header NULL: {"typ":"JWT","alg":"RS256","kid":…}. */
char *forge_token(struct forge *f, const char *header, const char *claims);

/*
 * Claims of alice@contoso.com with role ssh.user, heap.  extra: members to
 * add, each with a leading comma, or "".
 */
char *forge_claims(const char *oid, const char *upn, int64_t iat, int64_t exp,
    const char *extra);

/* The stripped set with nother more, unused, keys in front.  Heap. */
struct jwks *forge_jwks(struct forge *f, int64_t fetched_at, size_t nother);

#endif /* AAD_FORGE_H */
