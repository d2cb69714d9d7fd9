/* SPDX-License-Identifier: ISC */

/*
 * option: the critical options and extensions that a certificate of ours may
 * have, ssh-keygen(1) CERTIFICATES.  No other is ever written: sshd refuses a
 * critical option that it does not know, and passes over an extension.
 */

#ifndef AAD_OPTION_H
#define AAD_OPTION_H

#include <stdbool.h>
#include <stddef.h>

#include "core/conf.h"
#include "core/err.h"
#include "ssh/cert.h"

#define OPTION_ADDRESSES_MAX  64 /* in source-address */
#define OPTION_EXTENSIONS_MAX 6 /* that there are */

/* Whether a name is one that extensions of a profile may list, not "none". */
bool option_extension_ok(const char *name);

/*
 * Whether sshd reads a range as we do: text_cidr_ok(), short enough for it,
 * and not an IPv4 range in IPv6, which sshd would match with nothing.
 */
bool option_address_ok(const char *cidr);

/*
 * The extensions of a profile, NULL for the default one: sorted by name,
 * each once.  Without a list of its own a profile has permit-pty and
 * permit-port-forwarding, and with a forced command none.
 * Returns how many.
 */
size_t option_extensions(const struct conf_profile *p,
    struct cert_option out[static OPTION_EXTENSIONS_MAX]);

/*
 * Up to OPTION_ADDRESSES_MAX ranges with a comma between two, as sshd takes
 * them.  *outp: heap, the caller frees it; NULL unless 0 is returned.
 * Returns 0; AAD_ENOMEM.
 */
int option_join(const char *const *cidrs, size_t n, char **outp) AAD_MUST_CHECK;

#endif /* AAD_OPTION_H */
