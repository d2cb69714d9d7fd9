/* SPDX-License-Identifier: ISC */

/*
 * value: the grammars of what a configuration key may hold beside names and
 * durations.  Bytes only, no locale: what is not listed is refused.
 */

#ifndef AAD_VALUE_H
#define AAD_VALUE_H

#include <stdbool.h>

#include "core/name.h"

#define VALUE_GROUP_MAX 32 /* bytes of a host group's name */
/* bytes of LOGIN@GROUP */
#define VALUE_PRINCIPAL_MAX (NAME_LOGIN_MAX + 1 + VALUE_GROUP_MAX)

/*
 * https://HOST[:PORT] and nothing behind it: no path, slash, query, user
 * information, or upper case (an issuer is compared byte for byte).
 */
bool value_authority_ok(const char *s);

/* http://HOST:PORT, of a proxy that is asked to CONNECT. */
bool value_proxy_ok(const char *s);

/*
 * An absolute path of at least one component; no component empty, "." or
 * "..", so also no slash at the end.
 */
bool value_path_ok(const char *s);

/*
 * OAuth scopes (RFC 6749 s.3.3), one blank between two, "openid" among
 * them: without it there is no id token.
 */
bool value_scope_ok(const char *s);

/* A host group: [a-z0-9][a-z0-9_.-]{0,31}, or "*" for every host. */
bool value_group_ok(const char *s);

/*
 * A principal of a user certificate, LOGIN or LOGIN@GROUP: a login name, a
 * host group but "*".  Nothing else is in a certificate of ours.
 */
bool value_principal_ok(const char *s);

/* A syslog(3) level from "debug" to "err", or -1. */
int value_log_level(const char *s);

/* A syslog(3) facility: auth authpriv daemon user local0 to local7, or -1. */
int value_log_facility(const char *s);

#endif /* AAD_VALUE_H */
