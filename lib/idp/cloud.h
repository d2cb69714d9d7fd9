/* SPDX-License-Identifier: ISC */

/*
 * cloud: where a provider may send us, and where it may send a person.
 *
 * What is sent to an endpoint is a secret (the device code) and what comes
 * back decides who logs in, so an endpoint lies on the configured authority
 * and nowhere else, whatever a discovery document says.  The address that a
 * person is told to open comes from the same peer: it is shown only if it is
 * the authority's host, or a page of Microsoft's when the authority is one
 * of Microsoft's clouds.
 */

#ifndef AAD_CLOUD_H
#define AAD_CLOUD_H

#include <stdbool.h>

#define CLOUD_URL_MAX 2048 /* bytes; Entra's have about 120 */

/*
 * Whether url is https on exactly the host and port of authority: host
 * without regard to ASCII case, port 443 when none is written, then a path.
 * No user-info, no fragment, only the characters of RFC 3986 s.2.
 *
 * authority: conf->authority, "https://host[:port]".
 */
bool cloud_endpoint_ok(const char *authority, const char *url);

/*
 * Whether a person may be told to open url: https, the same characters, and
 * the authority's host with any port, or, if microsoft, one of the hosts
 * that Microsoft's clouds name, without a port.
 *
 * microsoft: whether authority is a built-in cloud (conf->cloud != NULL).
 */
bool cloud_page_ok(const char *authority, bool microsoft, const char *url);

#endif /* AAD_CLOUD_H */
