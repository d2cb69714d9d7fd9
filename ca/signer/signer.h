/* SPDX-License-Identifier: ISC */

/*
 * signer: what every operation of the signer works with, and how it answers.
 */

#ifndef AAD_SIGNER_H
#define AAD_SIGNER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <jansson.h>

#include "ca/signer/keyring.h"
#include "ca/signer/ledger.h"
#include "ca/signer/request.h"
#include "core/conf.h"
#include "core/reason.h"
#include "policy/rules.h"

#define SIGNER_DETAIL_MAX 400
#define SIGNER_RESTORING  "restoring" /* below DIR, until a restore's row is */

struct signer {
	const char *conf_path;
	struct conf *conf;
	struct rules *rules;
	bool socket; /* a stranger's request; else a pipe of our own */
	uid_t peer_uid; /* SO_PEERCRED; of a pipe, our own uid */
	pid_t peer_pid;
	int64_t now; /* Unix seconds, read once */
	int dir; /* [state] dir, judged */
	int tenant; /* DIR/tenant, or -1 */
	int publish; /* [ca] publish_dir, or -1 */
	int agent; /* a connected ssh-agent, or -1 */
	struct ledger *ledger; /* NULL: not opened yet */
	bool restores; /* this is a restore, which ends what was killed */
	int in; /* where what follows a request comes from */
	int out; /* where replies go */
	char detail[SIGNER_DETAIL_MAX]; /* the second line; clean */
};

/* An operation: answers rows and the like, then returns the reason of END;
 * s->detail and *endp (a JSON object or NULL, handed over) go with it. */
typedef enum reason signer_fn(struct signer *s, const struct request *rq,
    json_t **endp);

signer_fn op_sign, op_sign_host, op_init, op_list, op_verify, op_keys,
    op_revoke, op_unrevoke, op_krl, op_rotate, op_rotate_bundle, op_stage,
    op_commit, op_backup, op_restore, op_check;

/* Say more; clean text is made of it.  Returns why. */
enum reason signer_fail(struct signer *s, enum reason why, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * Open the ledger if it is not; ALLOWED, or why not.  NO_CA, too, for one that
 * a killed restore put there without its row: what is given out from it would
 * be of an authority that does not know what it lost.
 */
enum reason signer_ledger(struct signer *s);

/*
 * Send a reply.  o is consumed; "v" is put in front of it.
 * Return 0; AAD_ENOMEM, also for NULL as o; AAD_ETOOBIG; AAD_ESYS: the peer
 * went away, which ends an operation that only tells.
 */
int signer_row(struct signer *s, json_t *o) AAD_MUST_CHECK;
int signer_certificate(struct signer *s, const struct cert *c,
    json_t *o) AAD_MUST_CHECK;
int signer_data(struct signer *s, const void *p, size_t len) AAD_MUST_CHECK;

/* The last reply: the reason, its exit code, s->detail and o, which is consumed
 * and may be NULL.  A stranger gets no words about what failed on our side. */
int signer_end(struct signer *s, enum reason why, json_t *o) AAD_MUST_CHECK;

/* One log line, "event=NAME" and fields; peer and reason are added. */
struct log_field;
void signer_log(const struct signer *s, const char *event, enum reason why,
    const struct log_field *fields, size_t n);

#endif /* AAD_SIGNER_H */
