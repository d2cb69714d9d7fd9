/* SPDX-License-Identifier: ISC */

/*
 * device: the device authorization response (RFC 8628 s.3.2) and when to ask
 * next (s.3.5), pure: time comes in, a decision goes out.
 *
 * The code's life is counted on a monotonic clock from the moment the
 * response came: a wall clock that jumps neither ends nor prolongs it.
 */

#ifndef AAD_DEVICE_H
#define AAD_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/reason.h"
#include "idp/cloud.h"
#include "idp/grant.h"

#define DEVICE_REPLY_MAX     65536 /* bytes; Entra's has about 500 */
#define DEVICE_CODE_MAX	     8192 /* bytes of device_code; Entra's have 200 */
#define DEVICE_USER_CODE_MAX 32 /* characters; Entra's have 9 */
#define DEVICE_INTERVAL	     5 /* seconds, when the answer names none (s.3.2) */
#define DEVICE_INTERVAL_MAX  300 /* seconds; more would leave no time to ask */
#define DEVICE_LIFE_MAX	     3600 /* seconds that we wait at most */
#define DEVICE_PAUSE_MAX     3600 /* seconds of a Retry-After that we honour */
#define DEVICE_BACKOFF_MAX   30 /* seconds, while the net is down */

/* A plain record; device_release() wipes the device code. */
struct device {
	char *code; /* device_code, a secret */
	char user_code[DEVICE_USER_CODE_MAX + 1]; /* printable, no blank */
	char url[CLOUD_URL_MAX + 1]; /* cloud_page_ok() */
	int64_t life; /* seconds from the response, 1..DEVICE_LIFE_MAX */
	int64_t interval; /* seconds, 1..DEVICE_INTERVAL_MAX */
};

/*
 * Parse a successful answer of the device authorization endpoint: device_code,
 * user_code, verification_uri and expires_in are required; message and
 * verification_uri_complete are not looked at.
 *
 * text: len bytes; untrusted.  authority, microsoft: as cloud_page_ok().
 * *d: zero unless 0 is returned; then the caller releases it.
 * *whyp: for AAD_EREFUSED a sentence, static.
 * Returns 0; AAD_EREFUSED; AAD_ENOMEM.
 */
int device_parse(const char *text, size_t len, const char *authority,
    bool microsoft, struct device *d, const char **whyp) AAD_MUST_CHECK;

/* Wipe and release what *d holds.  NULL is a no-op. */
void device_release(struct device *d);

enum device_event {
	DEVICE_STARTED, /* the first step, before any poll */
	DEVICE_PENDING,
	DEVICE_SLOW_DOWN,
	DEVICE_BUSY, /* 429, 5xx, or Retry-After with no definite answer */
	DEVICE_NETWORK, /* no answer at all */
	DEVICE_DONE, /* the tokens are here */
	DEVICE_REFUSED /* any other answer */
};

/* What one poll brought. */
struct device_answer {
	enum device_event event;
	int64_t retry_after; /* seconds, 0 for none */
	enum reason why; /* DEVICE_REFUSED, DEVICE_BUSY, DEVICE_NETWORK */
};

/*
 * What an answer of the token endpoint, already parsed, means for polling.
 * retry_after: seconds, 0 for none.
 */
struct device_answer device_judge(long status, int64_t retry_after,
    const struct grant_reply *reply);

/* The state between polls; device_begin() sets it up. */
struct device_poll {
	int64_t deadline_ms; /* monotonic */
	int64_t interval_ms; /* never shorter than the provider asked */
	int64_t backoff_ms; /* the last pause of a network fault, or 0 */
	enum reason trouble; /* what ends the wait if nothing better comes */
};

void device_begin(struct device_poll *p, const struct device *d,
    int64_t mono_ms);

/*
 * What to do after an answer.
 * *wait_msp: 0 unless 0 is returned; then pause so many milliseconds, which
 * end before the deadline, and poll.
 * *whyp: for AAD_EREFUSED why polling ends: what the answer refused, or, when
 * the code would be dead after the pause, the last trouble.
 * Returns 0: pause and poll; AAD_EEXIST: the tokens are here; AAD_EREFUSED.
 */
int device_next(struct device_poll *p, const struct device_answer *a,
    int64_t mono_ms, int64_t *wait_msp, enum reason *whyp) AAD_MUST_CHECK;

/* Whole seconds left of the code's life, 0 when it is over. */
int64_t device_left(const struct device_poll *p, int64_t mono_ms);

#endif /* AAD_DEVICE_H */
