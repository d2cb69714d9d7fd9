/* SPDX-License-Identifier: ISC */

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "core/strictjson.h"
#include "test/unit/fault.h"
#include "test/unit/ledgerworld.h"
#include "test/unit/scratch.h"

#define FILE_CAP (4U << 20)

char world_fault[256];

const char *
world_at(const struct world *w, const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", w->base, name);
	return path;
}

int
world_setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	enum reason why;

	assert_non_null(w);
	snprintf(w->base, sizeof(w->base), "%s/aadssh-test-XXXXXX", UNIT_TMP);
	assert_non_null(mkdtemp(w->base));
	assert_int_equal(chmod(w->base, 0755), 0);
	w->dir = open(w->base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_not_equal(w->dir, -1);
	assert_int_equal(ledger_create(w->dir, &w->l, &why), 0);
	*state = w;
	return 0;
}

int
world_teardown(void **state)
{
	struct world *w = *state;
	fault_disarm();
	(void)sqlite_fail_alloc(0);
	(void)sqlite_fail_call(0, 0);
	ledger_close(w->l);
	close(w->dir);
	if (scratch_remove(w->base) != 0)
		return -1;
	free(w);
	return 0;
}

int
world_open(struct world *w, enum reason *whyp)
{
	ledger_close(w->l);
	return ledger_open(w->dir, &w->l, whyp);
}

void
world_reopen(struct world *w)
{
	enum reason why;

	assert_int_equal(world_open(w, &why), 0);
}

/* ---- rows ----------------------------------------------------------- */

const uint8_t *
hash_of(uint8_t byte)
{
	static uint8_t hashes[256][32];

	memset(hashes[byte], byte, 32);
	return hashes[byte];
}

struct event
prepared(uint64_t serial)
{
	struct event e = { .at = NOW,
		.kind = EVENT_PREPARED,
		.serial = serial,
		.type = CERT_USER,
		.has_ca = true,
		.has_key = true,
		.tid = TID,
		.oid = OID,
		.valid_before = NOW + 3600 };

	memcpy(e.ca_hash, hash_of(0xca), 32);
	memcpy(e.key_hash, hash_of((uint8_t)serial), 32);
	return e;
}

struct event
about(enum event_kind kind, uint64_t serial)
{
	struct event e = { .at = NOW + 1, .kind = kind, .serial = serial };

	return e;
}

struct event
denial(enum event_kind kind, const char *oid, const uint8_t *key_hash)
{
	struct event e = { .at = NOW + 2, .kind = kind };

	if (oid != NULL) {
		snprintf(e.tid, sizeof(e.tid), "%s", TID);
		snprintf(e.oid, sizeof(e.oid), "%s", oid);
	}
	if (key_hash != NULL) {
		e.has_key = true;
		memcpy(e.key_hash, key_hash, 32);
	}
	return e;
}

struct event
pinning(enum event_kind kind, const char *login, const char *oid)
{
	struct event e = denial(kind, oid, NULL);

	snprintf(e.login, sizeof(e.login), "%s", login);
	return e;
}

struct event
staging(enum ca_role role, enum ca_stage stage, uint8_t key, int64_t at)
{
	struct event e = { .at = at,
		.kind = EVENT_KEY,
		.role = role,
		.stage = stage,
		.has_key = true };

	memcpy(e.key_hash, hash_of(key), 32);
	return e;
}

int
try_add(struct ledger *l, struct event *e, enum reason *whyp)
{
	int r = ledger_begin(l, whyp);

	if (r == 0 && (r = ledger_append(l, e, whyp)) == 0)
		return ledger_commit(l, whyp);
	ledger_rollback(l);
	return r;
}

void
add(struct world *w, struct event e)
{
	enum reason why;

	assert_int_equal(try_add(w->l, &e, &why), 0);
}

void
add_body(struct world *w, struct event e, json_t *body)
{
	assert_non_null(body);
	e.body = body;
	add(w, e);
	event_release(&e);
}

void
world_fill(struct world *w)
{
	struct event e;
	uint64_t serial;

	add(w, staging(CA_ROLE_USER, CA_STAGE_ACTIVE, 0xca, NOW));
	add(w, staging(CA_ROLE_HOST, CA_STAGE_PREPARED, 0xcb, NOW));
	add(w, pinning(EVENT_PIN, "alice", OID));
	add(w, pinning(EVENT_PIN, "bob", OID2));
	add(w, pinning(EVENT_UNPIN, "bob", NULL));
	for (serial = 1001; serial < 1009; serial++) {
		e = prepared(serial);
		e.has_token = true;
		memcpy(e.token_hash, hash_of((uint8_t)(serial + 64)), 32);
		add_body(w, e,
		    json_pack("{s:s, s:[s, s], s:s}", "upn",
			"alice@contoso.com", "logins", "alice", "al", "profile",
			"default"));
		add_body(w, about(EVENT_ISSUED, serial),
		    json_pack("{s:s}", "certificate", "AAAA"));
	}
	add(w, prepared(UINT64_C(0x7fffffffffffffff)));
	add(w, about(EVENT_FAILED, UINT64_C(0x7fffffffffffffff)));
	add_body(w, about(EVENT_REVOKED, 1003),
	    json_pack("{s:s}", "by", "oid"));
	add(w, about(EVENT_REVOKED, 1001));
	add(w, denial(EVENT_DENIED, OID, NULL));
	add(w, denial(EVENT_UNDENIED, OID, NULL));
	add(w, denial(EVENT_DENIED, NULL, hash_of(5)));
	add_body(w, about(EVENT_PUBLISHED, 0),
	    json_pack("{s:i}", "version", 1));
	add(w, about(EVENT_RESTORED, 0));
	assert_int_equal(world_length(w->l), FULL);
}

/* ---- what it says --------------------------------------------------- */

static void
take(crypto_hash_sha256_state *h, const void *p, size_t len)
{
	crypto_hash_sha256_update(h, p, len);
}

static void
take_json(crypto_hash_sha256_state *h, const json_t *o)
{
	char *text = o == NULL ? strdup("-") : strictjson_sorted(o);

	assert_non_null(text);
	take(h, text, strlen(text) + 1);
	free(text);
}

static int
take_event(void *arg, const struct event *e)
{
	struct event flat = *e;

	flat.body = NULL;
	take(arg, &flat, sizeof(flat));
	take_json(arg, e->body);
	return 0;
}

static int
take_cert(void *arg, const struct ledger_cert *c)
{
	struct ledger_cert flat = *c;

	flat.prepared = flat.done = flat.revoked = NULL;
	take(arg, &flat, sizeof(flat));
	take_json(arg, c->prepared);
	take_json(arg, c->done);
	take_json(arg, c->revoked);
	return 0;
}

static int
take_key(void *arg, const struct ledger_key *k)
{
	struct ledger_key flat = *k;

	flat.body = NULL;
	take(arg, &flat, sizeof(flat));
	take_json(arg, k->body);
	return 0;
}

static int
take_serial(void *arg, const uint8_t ca_hash[static 32], uint64_t serial)
{
	take(arg, ca_hash, 32);
	take(arg, &serial, sizeof(serial));
	return 0;
}

static void
take_answers(crypto_hash_sha256_state *h, struct ledger *l)
{
	char tid[NAME_GUID_LEN + 1] = "", oid[NAME_GUID_LEN + 1] = "";
	enum reason why;
	int64_t n;
	bool a, b;

	assert_int_equal(ledger_denied(l, OID, hash_of(5), &a, &b, &why), 0);
	take(h, &a, sizeof(a));
	take(h, &b, sizeof(b));
	assert_int_equal(ledger_pin(l, "alice", tid, oid, &why), 0);
	take(h, oid, strlen(oid));
	assert_int_equal(ledger_pin(l, "bob", tid, oid, &why), 0);
	take(h, oid, strlen(oid));
	assert_int_equal(ledger_count(l, OID, NOW, &n, &why), 0);
	take(h, &n, sizeof(n));
	assert_int_equal(ledger_last_end(l, hash_of(0xca), &n, &why), 0);
	take(h, &n, sizeof(n));
	assert_int_equal(ledger_has_serial(l, 1002, &a, &why), 0);
	take(h, &a, sizeof(a));
}

void
world_digest(struct ledger *l, uint8_t out[static 32])
{
	const struct ledger_filter all = { .kind = EVENT_NONE },
				   of_user = { .oid = OID },
				   valid = { .valid_after = NOW };
	crypto_hash_sha256_state h;
	enum reason why;

	crypto_hash_sha256_init(&h);
	assert_int_equal(ledger_each(l, &all, take_event, &h, &why), 0);
	assert_int_equal(ledger_each(l, &valid, take_event, &h, &why), 0);
	assert_int_equal(ledger_certs(l, &of_user, take_cert, &h, &why), 0);
	assert_int_equal(ledger_keys(l, take_key, &h, &why), 0);
	assert_int_equal(ledger_revoked(l, NOW, take_serial, &h, &why), 0);
	take_answers(&h, l);
	crypto_hash_sha256_final(&h, out);
}

static void
note(void *arg, int64_t seq, const char *text)
{
	(void)arg;
	assert_true(strlen(text) > 3);
	snprintf(world_fault, sizeof(world_fault), "%lld: %s", (long long)seq,
	    text);
}

size_t
world_faults(struct ledger *l)
{
	enum reason why;
	size_t n = 0;

	world_fault[0] = '\0';
	assert_int_equal(ledger_verify(l, note, NULL, NULL, &n, &why), 0);
	return n;
}

int64_t
world_length(struct ledger *l)
{
	uint8_t head[32];
	enum reason why;
	int64_t n;

	assert_int_equal(ledger_head(l, &n, head, &why), 0);
	return n;
}

void
world_sql(struct world *w, const char *sql)
{
	sqlite3 *db;
	char *words = NULL;

	ledger_close(w->l);
	w->l = NULL;
	assert_int_equal(sqlite3_open(world_at(w, "ledger/ledger.db"), &db),
	    SQLITE_OK);
	assert_int_equal(sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 0,
			     NULL),
	    SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, &words) != SQLITE_OK)
		fail_msg("%s: %s", sql, words);
	sqlite3_close(db);
}

uint8_t *
world_slurp(const struct world *w, size_t *lenp)
{
	uint8_t *p = calloc(1, FILE_CAP);
	FILE *f = fopen(world_at(w, "ledger/ledger.db"), "r");

	assert_non_null(p);
	assert_non_null(f);
	*lenp = fread(p, 1, FILE_CAP, f);
	fclose(f);
	return p;
}

void
world_spill(const struct world *w, const uint8_t *p, size_t len)
{
	FILE *f = fopen(world_at(w, "ledger/ledger.db"), "w");

	assert_non_null(f);
	assert_int_equal(fwrite(p, 1, len, f), len);
	fclose(f);
}

/* ---- SQLite's own allocations and system calls ---------------------- */

static struct {
	unsigned int left;
	int err;
	bool reached;
} calls, allocs;
static sqlite3_mem_methods memory;

bool
sqlite_fail_alloc(unsigned int k)
{
	bool was = allocs.reached;

	allocs.left = k;
	allocs.reached = false;
	return was;
}

bool
sqlite_fail_call(unsigned int k, int err)
{
	bool was = calls.reached;

	calls.left = k;
	calls.err = err;
	calls.reached = false;
	return was;
}

static bool
alloc_due(void)
{
	if (allocs.left == 0 || --allocs.left > 0)
		return false;
	allocs.reached = true;
	return true;
}

static bool
call_due(void)
{
	if (calls.left == 0 || --calls.left > 0)
		return false;
	calls.reached = true;
	if (calls.err == -1)
		_exit(137);
	errno = calls.err;
	return true;
}

static void *
fail_malloc(int n)
{
	return alloc_due() ? NULL : memory.xMalloc(n);
}

static void *
fail_realloc(void *p, int n)
{
	return alloc_due() ? NULL : memory.xRealloc(p, n);
}

static int
fail_open(const char *path, int flags, int mode)
{
	return call_due() ? -1 : open(path, flags, mode);
}

static int
fail_fstat(int fd, struct stat *sb)
{
	return call_due() ? -1 : fstat(fd, sb);
}

static int
fail_ftruncate(int fd, off_t len)
{
	return call_due() ? -1 : ftruncate(fd, len);
}

/* What is read under a lock. */
static struct {
	dev_t dev;
	ino_t ino;
	size_t now, longest, sum;
} watched;

void
sqlite_watch(const struct world *w)
{
	struct stat sb;

	assert_int_equal(stat(world_at(w, "ledger/ledger.db"), &sb), 0);
	memset(&watched, 0, sizeof(watched));
	watched.dev = sb.st_dev;
	watched.ino = sb.st_ino;
}

size_t
sqlite_longest(size_t *sump)
{
	*sump = watched.sum;
	return watched.longest;
}

static bool
is_watched(int fd)
{
	struct stat sb;

	return watched.ino != 0 && fstat(fd, &sb) == 0 &&
	       sb.st_dev == watched.dev && sb.st_ino == watched.ino;
}

/* A reader's lock is on these bytes (sqlite3 os.h, SHARED_FIRST). */
static void
see_lock(int fd, int op, const struct flock *lk)
{
	if (op == F_SETLK && lk->l_start <= 0x40000002 && is_watched(fd) &&
	    (lk->l_type == F_UNLCK || lk->l_start == 0x40000002))
		watched.now = 0;
}

static void
see_read(int fd, ssize_t n)
{
	if (n <= 0 || !is_watched(fd))
		return;
	watched.sum += (size_t)n;
	watched.now += (size_t)n;
	if (watched.now > watched.longest)
		watched.longest = watched.now;
}

static int
fail_fcntl(int fd, int op, ...)
{
	va_list ap;
	void *arg;

	va_start(ap, op);
	arg = va_arg(ap, void *);
	va_end(ap);
	if (call_due())
		return -1;
	see_lock(fd, op, arg);
	return fcntl(fd, op, arg);
}

static ssize_t
fail_read(int fd, void *p, size_t n)
{
	return call_due() ? -1 : read(fd, p, n);
}

static ssize_t
fail_pread(int fd, void *p, size_t n, off_t at)
{
	ssize_t done = call_due() ? -1 : pread(fd, p, n, at);

	see_read(fd, done);
	return done;
}

static ssize_t
fail_write(int fd, const void *p, size_t n)
{
	return call_due() ? -1 : write(fd, p, n);
}

static ssize_t
fail_pwrite(int fd, const void *p, size_t n, off_t at)
{
	return call_due() ? -1 : pwrite(fd, p, n, at);
}

static int
fail_unlink(const char *path)
{
	return call_due() ? -1 : unlink(path);
}

void
sqlite_faults(void)
{
	static const struct {
		const char *name;
		sqlite3_syscall_ptr fn;
	} table[] = {
		{ "open", (sqlite3_syscall_ptr)fail_open },
		{ "fstat", (sqlite3_syscall_ptr)fail_fstat },
		{ "ftruncate", (sqlite3_syscall_ptr)fail_ftruncate },
		{ "fcntl", (sqlite3_syscall_ptr)fail_fcntl },
		{ "read", (sqlite3_syscall_ptr)fail_read },
		{ "pread", (sqlite3_syscall_ptr)fail_pread },
		{ "pread64", (sqlite3_syscall_ptr)fail_pread },
		{ "write", (sqlite3_syscall_ptr)fail_write },
		{ "pwrite", (sqlite3_syscall_ptr)fail_pwrite },
		{ "pwrite64", (sqlite3_syscall_ptr)fail_pwrite },
		{ "unlink", (sqlite3_syscall_ptr)fail_unlink },
	};
	sqlite3_mem_methods wrapped;
	sqlite3_vfs *vfs;
	size_t i;

	/* Lookaside memory never fails. */
	assert_int_equal(sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0), 0);
	assert_int_equal(sqlite3_config(SQLITE_CONFIG_GETMALLOC, &memory), 0);
	wrapped = memory;
	wrapped.xMalloc = fail_malloc;
	wrapped.xRealloc = fail_realloc;
	assert_int_equal(sqlite3_config(SQLITE_CONFIG_MALLOC, &wrapped), 0);
	assert_int_equal(sqlite3_initialize(), 0);
	vfs = sqlite3_vfs_find("unix");
	assert_non_null(vfs);
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (vfs->xGetSystemCall(vfs, table[i].name) != NULL)
			assert_int_equal(vfs->xSetSystemCall(vfs, table[i].name,
					     table[i].fn),
			    SQLITE_OK);
}
