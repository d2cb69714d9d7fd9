/* SPDX-License-Identifier: ISC */

/*
 * offer: keys that sshd refused for a reason that a sign-in cures, left by
 * the hook for the sign-in of the same connection: RUN/offers/PID, PID being
 * sshd's monitor.  docs/formats.md "Offers".
 *
 *	BOOTTIME_NS LOGIN KEYTYPE BASE64	one line a key
 *
 * An offer proves nothing: it says which key the client presented, not that
 * it holds it.  Pids come again, so a reader takes no line older than the
 * monitor itself.
 *
 * The directory is group writable (the hook's user makes the files, the
 * group of `aadssh` removes them), so its owner is the right owner of the
 * files, and they are writable by nobody else.
 */

#ifndef AAD_OFFER_H
#define AAD_OFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "ssh/key.h"

#define OFFER_FILE_MAX	 65536 /* bytes of a file */
#define OFFER_LINE_MAX	 12288 /* bytes; KEY_BLOB_MAX in base64 is 10924 */
#define OFFER_KEYS_MAX	 20 /* keys of one connection; ssh itself offers 6 */
#define OFFER_ROOM	 16777216 /* bytes that RUN keeps for others */
#define OFFER_ROOM_FILES 1024 /* and files */

struct offer {
	struct key key;
};

/* A plain record; offers_release() empties it. */
struct offers {
	struct offer *items; /* heap */
	size_t n;
};

/*
 * Open RUN/offers, by O_PATH: it is only a place for the calls below.
 *
 * run: [state] run, itself a directory that only its owner can write.
 * *fdp: -1 unless 0 is returned; then the caller closes it.
 * Returns 0; AAD_ENOENT; AAD_EPERM when either is no directory, a link or
 * writable by others; AAD_ETOOBIG for a path over PATH_MAX; AAD_ESYS.
 */
int offer_dir_open(const char *run, int *fdp) AAD_MUST_CHECK;

/*
 * Whether there is room for one more file, or for a longer one: anybody who
 * reaches sshd makes them, and sessions are registered on the same file
 * system.  An eighth of it is kept free, or OFFER_ROOM and OFFER_ROOM_FILES
 * where that is less.
 */
bool offer_room(int dirfd);

/*
 * Add one key.  Runs in the hook: openat, fstat, write and close, no
 * allocation.  The file is made 0640 under a umask that allows it.
 *
 * monitor: a pid.  boottime_ns: CLOCK_BOOTTIME now, nanoseconds.
 * login, type, base64: as key_decode() took them.
 * Returns 0; AAD_EARG for what would not be one line of its grammar;
 * AAD_ETOOBIG when line or file would be over its bound; AAD_EPERM when the
 * name is no regular file with one link, writable by its owner only;
 * AAD_ESYS, also when only a part was written (a reader passes it over).
 */
int offer_append(int dirfd, int64_t monitor, int64_t boottime_ns,
    const char *login, const char *type, const char *base64) AAD_MUST_CHECK;

/*
 * The keys offered by one connection for one login, in order of appearance,
 * each once, at most OFFER_KEYS_MAX.
 *
 * not_before_ns: CLOCK_BOOTTIME when the monitor was started.  now_ns: the
 * same now; what is later is of an earlier boot, where RUN outlived it.
 * *out: empty unless 0 is returned; then the caller releases it.
 * A line that is malformed, older, later, of another login or whose key is
 * unsound is passed over: it binds nothing.  No file is no offers.
 * Returns 0; AAD_EARG for a bad monitor or login; AAD_EPERM, AAD_ETOOBIG,
 * AAD_EFORMAT, AAD_EAGAIN for a file that file_read() refuses; AAD_ENOMEM;
 * AAD_ESYS.
 */
int offer_read(int dirfd, int64_t monitor, int64_t not_before_ns,
    int64_t now_ns, const char *login, struct offers *out) AAD_MUST_CHECK;

/*
 * The same of a file's bytes.
 *
 * text: len bytes, which are cut in place.
 * Returns 0; AAD_EARG; AAD_ENOMEM.
 */
int offers_parse(char *text, size_t len, int64_t not_before_ns, int64_t now_ns,
    const char *login, struct offers *out) AAD_MUST_CHECK;

/* Remove a connection's file.  Returns 0; AAD_ENOENT; AAD_EARG; AAD_ESYS. */
int offer_remove(int dirfd, int64_t monitor) AAD_MUST_CHECK;

/* Called for each file; a non-zero return ends the walk. */
typedef int offer_each_fn(void *arg, int64_t monitor);

/*
 * Walk the files in no order; names that are no pid's are passed over.  fn
 * may remove the one it is called for.
 * Returns 0, the callback's value, or AAD_ESYS.
 */
int offer_each(int dirfd, offer_each_fn *fn, void *arg) AAD_MUST_CHECK;

/* Free what it holds and empty it. */
void offers_release(struct offers *o);

#endif /* AAD_OFFER_H */
