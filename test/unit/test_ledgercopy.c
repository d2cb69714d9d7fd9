/* SPDX-License-Identifier: ISC */

/*
 * A copy of the ledger beside those who write: it is what was there at one
 * moment, no commit is lost for it, and nothing is left of it.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sodium.h>

#include "test/unit/fault.h"
#include "test/unit/ledgerworld.h"

#define LISTED ((size_t)5 << 20) /* bytes under one lock */
#define LARGE  3600 /* certificates of a large ledger */
#define COPIES 4 /* beside a writer */

static uint64_t serial;

static void
shell(const struct world *w, const char *cmd)
{
	char text[512];

	snprintf(text, sizeof(text), "cd %s/ledger && %s", w->base, cmd);
	assert_int_equal(system(text), 0);
}

/* The ledger alone is there. */
static void
nothing_is_left(const struct world *w)
{
	DIR *d = opendir(world_at(w, "ledger"));
	const struct dirent *e;

	assert_non_null(d);
	while ((e = readdir(d)) != NULL)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			assert_string_equal(e->d_name, "ledger.db");
	closedir(d);
}

static void
sound(struct ledger *l)
{
	if (world_faults(l) != 0)
		fail_msg("%s", world_fault);
}

static struct ledger *
snapshot(struct ledger *l)
{
	struct ledger *copy;
	enum reason why;

	if (ledger_snapshot(l, &copy, &why) != 0)
		fail_msg("%s: %s", reason_name(why), ledger_error(l));
	return copy;
}

/* Certificates with bodies as they have them, in one transaction. */
static void
fill_large(struct world *w, int n)
{
	char text[6000];
	struct event e;
	enum reason why;
	int i;

	memset(text, 'A', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(ledger_begin(w->l, &why), 0);
	for (i = 0; i < n; i++) {
		e = prepared((uint64_t)randombytes_uniform(0x7fffffff) << 16 |
			     (uint64_t)i);
		e.has_token = true;
		randombytes_buf(e.key_hash, 32);
		randombytes_buf(e.token_hash, 32);
		e.body = json_pack("{s:s%}", "upn", text, (size_t)500);
		assert_int_equal(ledger_append(w->l, &e, &why), 0);
		event_release(&e);
		e = about(i % 4 == 0 ? EVENT_REVOKED : EVENT_ISSUED, e.serial);
		e.body = json_pack("{s:s}", "certificate", text);
		assert_int_equal(ledger_append(w->l, &e, &why), 0);
		event_release(&e);
	}
	assert_int_equal(ledger_commit(w->l, &why), 0);
}

/* ---- what it is ----------------------------------------------------- */

static void
valid_snapshot(void **state)
{
	struct world *w = *state;
	uint8_t want[32], got[32];
	struct event e = prepared(7);
	struct ledger *copy;
	enum reason why;

	world_fill(w);
	world_digest(w->l, want);
	copy = snapshot(w->l);
	nothing_is_left(w);
	add(w, prepared(8));
	world_digest(copy, got);
	assert_memory_equal(want, got, 32);
	assert_int_equal(world_length(copy), FULL);
	sound(copy);
	/* Nobody writes to it. */
	assert_int_not_equal(try_add(copy, &e, &why), 0);
	assert_int_equal(why, AAD_R_LEDGER);
	ledger_close(copy);
	assert_int_equal(world_length(w->l), FULL + 1);
}

static void
valid_copy_is_byte_for_byte(void **state)
{
	struct world *w = *state;
	struct stat sb;
	enum reason why;
	uint8_t *file, *copy;
	int64_t size;
	size_t len;
	int fd;

	world_fill(w);
	assert_int_equal(ledger_copy(w->l, &fd, &size, &why), 0);
	ledger_close(w->l); /* closing the file drops its locks */
	w->l = NULL;
	file = world_slurp(w, &len);
	assert_int_equal(size, len);
	assert_non_null(copy = malloc(len + 1));
	assert_int_equal(read(fd, copy, len + 1), len);
	assert_memory_equal(file, copy, len);
	assert_int_equal(fstat(fd, &sb), 0);
	assert_int_equal(sb.st_mode & 07777, 0600);
	assert_int_equal(sb.st_nlink, 0);
	close(fd);
	free(copy);
	free(file);
}

static void
wrong_calls(void **state)
{
	struct world *w = *state;
	struct ledger *copy;
	enum reason why;
	int64_t size;
	int fd;

	assert_int_equal(ledger_begin(w->l, &why), 0);
	assert_int_equal(ledger_snapshot(w->l, &copy, &why), AAD_EARG);
	assert_null(copy);
	assert_int_equal(ledger_copy(w->l, &fd, &size, &why), AAD_EARG);
	assert_int_equal(fd, -1);
	ledger_rollback(w->l);
}

/* A damaged one is copied as it is, and verifying the copy finds it. */
static void
II_C13_damage_is_in_the_copy(void **state)
{
	struct world *w = *state;
	struct ledger *copy;
	uint8_t *file;
	size_t len;

	world_fill(w);
	ledger_close(w->l);
	w->l = NULL;
	file = world_slurp(w, &len);
	file[len - 5] ^= 1;
	world_spill(w, file, len);
	world_reopen(w);
	copy = snapshot(w->l);
	assert_true(world_faults(copy) > 0);
	assert_int_equal(world_faults(copy), world_faults(w->l));
	ledger_close(copy);
	free(file);
}

/* ---- who writes meanwhile ------------------------------------------- */

/* What a killed copier left is used again. */
static void
II_C13_what_a_killed_copier_left(void **state)
{
	struct world *w = *state;
	struct ledger *copy;

	world_fill(w);
	shell(w, "seq 100000 >.ledger.db.tmp.000001");
	copy = snapshot(w->l);
	assert_int_equal(world_length(copy), FULL);
	sound(copy);
	ledger_close(copy);
	nothing_is_left(w);
}

/* What two processes tell each other. */
static struct shared {
	volatile int stop, commits, waits, failed;
} * shared;

/* Counts instead of waiting: how often one commit was refused in a row. */
static int
count_waits(void *arg, int n)
{
	(void)arg;
	if (n > shared->waits)
		shared->waits = n;
	usleep(1000);
	return n < 5000;
}

static void
write_on(struct world *w)
{
	struct ledger *l;
	struct event e;
	enum reason why;

	alarm(60); /* not for ever, if the test dies */
	serial = UINT64_C(1) << 61;
	if (ledger_open(w->dir, &l, &why) != 0 ||
	    sqlite3_busy_handler(l->db, count_waits, NULL) != SQLITE_OK)
		_exit(1);
	while (!shared->stop) {
		e = prepared(++serial);
		randombytes_buf(e.key_hash, 32);
		if (try_add(l, &e, &why) != 0)
			shared->failed++;
		shared->commits++;
		usleep(2000);
	}
	_exit(0);
}

/* Every copy is of one moment, and no commit is refused for it. */
static void
II_C13_copies_beside_a_writer(void **state)
{
	struct world *w = *state;
	struct ledger *copy;
	int64_t before;
	int i, status;
	pid_t pid;

	fill_large(w, LARGE / 4);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(shared, MAP_FAILED);
	ledger_close(w->l); /* SQLite does not like fork(2) */
	w->l = NULL;
	assert_int_not_equal(pid = fork(), -1);
	if (pid == 0)
		write_on(w);
	world_reopen(w);
	for (i = 0; i < COPIES; i++) {
		before = world_length(w->l);
		copy = snapshot(w->l);
		assert_true(world_length(copy) >= before);
		sound(copy);
		ledger_close(copy);
	}
	shared->stop = 1;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(shared->failed, 0);
	assert_true(shared->commits > 0);
	nothing_is_left(w);
	sound(w->l);
	munmap(shared, sizeof(*shared));
}

static void
copy_on(struct world *w)
{
	struct ledger *l, *copy;
	enum reason why;
	int i;

	if (ledger_open(w->dir, &l, &why) != 0)
		_exit(1);
	for (i = 0; i < COPIES; i++) {
		if (ledger_snapshot(l, &copy, &why) != 0)
			_exit(2);
		if (world_length(copy) != 2 * LARGE / 8)
			_exit(3);
		ledger_close(copy);
	}
	_exit(0);
}

static void
valid_two_copiers(void **state)
{
	struct world *w = *state;
	pid_t pids[2];
	int i, status;

	fill_large(w, LARGE / 8);
	ledger_close(w->l);
	w->l = NULL;
	for (i = 0; i < 2; i++) {
		assert_int_not_equal(pids[i] = fork(), -1);
		if (pids[i] == 0)
			copy_on(w);
	}
	for (i = 0; i < 2; i++) {
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	nothing_is_left(w);
}

/* ---- how much under one lock ---------------------------------------- */

static int
take_cert(void *arg, const struct ledger_cert *c)
{
	assert_non_null(c->prepared);
	++*(int *)arg;
	return 0;
}

/* A list of everything lets others commit all the time. */
static void
II_C13_no_lock_while_all_is_listed(void **state)
{
	const struct ledger_filter all = { 0 };
	struct world *w = *state;
	size_t sum, longest;
	enum reason why;
	int n = 0;

	fill_large(w, LARGE);
	world_reopen(w);
	sqlite_watch(w);
	assert_int_equal(ledger_certs(w->l, &all, take_cert, &n, &why), 0);
	assert_int_equal(n, LARGE);
	longest = sqlite_longest(&sum);
	assert_true(sum > 4 * LISTED);
	if (longest > LISTED)
		fail_msg("%zu of %zu bytes", longest, sum);
}

/* ---- what fails ----------------------------------------------------- */

static size_t
descriptors(void)
{
	size_t n = 0;
	int fd;

	for (fd = 0; fd < 256; fd++)
		if (fcntl(fd, F_GETFD) != -1)
			n++;
	return n;
}

/* kind: of our calls or allocations; FAULT_NONE with err: of SQLite's calls,
 * without: of SQLite's allocations. */
static bool
fails_once(struct world *w, enum fault_kind kind, unsigned int k, int err)
{
	size_t before;
	struct ledger *copy;
	enum reason why = AAD_R_UNSET;
	bool reached;
	int r;

	world_reopen(w);
	before = descriptors();
	if (kind != FAULT_NONE)
		fault_arm(kind, k, err);
	else if (err != 0)
		(void)sqlite_fail_call(k, err);
	else
		(void)sqlite_fail_alloc(k);
	r = ledger_snapshot(w->l, &copy, &why);
	reached = kind != FAULT_NONE ? fault_disarm()
		  : err != 0	     ? sqlite_fail_call(0, 0)
				     : sqlite_fail_alloc(0);
	if (r == 0) {
		assert_int_equal(world_length(copy), FULL);
		sound(copy);
	} else {
		assert_null(copy);
		assert_true((r == AAD_ENOMEM && why == AAD_R_NO_MEMORY) ||
			    (r == AAD_ESYS &&
				(why == AAD_R_DISK || why == AAD_R_LEDGER)) ||
			    (r == AAD_EAGAIN && why == AAD_R_LEDGER_BUSY));
	}
	ledger_close(copy);
	assert_int_equal(descriptors(), before);
	if (access(world_at(w, "ledger/.ledger.db.tmp.000001"), F_OK) == 0)
		ledger_close(snapshot(w->l)); /* and this the copy */
	nothing_is_left(w);
	return reached;
}

static void
II_O2_everything_fails(void **state)
{
	static const struct {
		enum fault_kind kind;
		int err;
	} all[] = { { FAULT_ALLOC, ENOMEM }, { FAULT_SYSCALL, EIO },
		{ FAULT_NONE, EIO }, { FAULT_NONE, 0 } };
	struct world *w = *state;
	uint8_t *file;
	unsigned int k;
	size_t i, len;

	world_fill(w);
	ledger_close(w->l);
	w->l = NULL;
	file = world_slurp(w, &len);
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		for (k = 1; fails_once(w, all[i].kind, k, all[i].err); k++) {
			ledger_close(w->l);
			w->l = NULL;
			world_spill(w, file, len);
		}
		assert_true(k > 2);
		ledger_close(w->l);
		w->l = NULL;
		world_spill(w, file, len);
	}
	free(file);
}

static void
II_C13_kill_9_while_it_is_copied(void **state)
{
	struct world *w = *state;
	struct ledger *l, *copy;
	enum reason why;
	int k, status = 1;
	pid_t pid;

	world_fill(w);
	ledger_close(w->l);
	w->l = NULL;
	for (k = 1; status != 0; k++) {
		assert_int_not_equal(pid = fork(), -1);
		if (pid == 0) {
			if (ledger_open(w->dir, &l, &why) != 0)
				_exit(1);
			fault_arm(FAULT_KILL, (unsigned int)k, 0);
			_exit(ledger_snapshot(l, &copy, &why) != 0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(status == 0 || WEXITSTATUS(status) == 137);
	}
	assert_true(k > 5);
	world_reopen(w);
	copy = snapshot(w->l);
	sound(copy);
	ledger_close(copy);
	nothing_is_left(w);
}

static void
II_C13_no_room_for_a_copy(void **state)
{
	const struct rlimit none = { 4096, 4096 };
	struct world *w = *state;
	struct ledger *copy;
	enum reason why;
	int status;
	pid_t pid;

	world_fill(w);
	ledger_close(w->l);
	w->l = NULL;
	assert_int_not_equal(pid = fork(), -1);
	if (pid == 0) {
		signal(SIGXFSZ, SIG_IGN);
		if (ledger_open(w->dir, &w->l, &why) != 0 ||
		    setrlimit(RLIMIT_FSIZE, &none) != 0)
			_exit(1);
		if (ledger_snapshot(w->l, &copy, &why) != AAD_ESYS ||
		    why != AAD_R_DISK ||
		    strstr(ledger_error(w->l), "File too large") == NULL)
			_exit(2);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	nothing_is_left(w);
	world_reopen(w);
}

#define T(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(valid_snapshot),
		T(valid_copy_is_byte_for_byte),
		T(wrong_calls),
		T(II_C13_damage_is_in_the_copy),
		T(II_C13_what_a_killed_copier_left),
		T(II_C13_copies_beside_a_writer),
		T(valid_two_copiers),
		T(II_C13_no_lock_while_all_is_listed),
		T(II_O2_everything_fails),
		T(II_C13_kill_9_while_it_is_copied),
		T(II_C13_no_room_for_a_copy),
	};

	if (sodium_init() == -1)
		return 1;
	umask(0);
	sqlite_faults();
	return cmocka_run_group_tests_name("ledgercopy", tests, NULL, NULL);
}
