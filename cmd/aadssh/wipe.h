/* SPDX-License-Identifier: ISC */

/*
 * wipe: jansson copies what it parses, tokens included, into buffers of its
 * own.  From wipe_json() on, each is wiped when it is freed.
 */

#ifndef AAD_WIPE_H
#define AAD_WIPE_H

/* Call once, early; values made before may be freed after. */
void wipe_json(void);

#endif /* AAD_WIPE_H */
