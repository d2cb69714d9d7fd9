/* SPDX-License-Identifier: ISC */

/*
 * layout: the directories that must be there before the signer can make
 * anything: [state] dir itself, the tenant keys' and the publication's.
 */

#ifndef AAD_CA_LAYOUT_H
#define AAD_CA_LAYOUT_H

#include "ca/app.h"

/*
 * Make what is missing.  Root makes it for [process] user, who must exist,
 * and tenant/ for the user aadssh, who fetches keys; anybody else for
 * themselves.  What is there keeps its owner and mode.
 * Returns EXIT_DONE, or EXIT_CANNOT with a line.
 */
int layout_make(struct ca_app *app);

#endif /* AAD_CA_LAYOUT_H */
