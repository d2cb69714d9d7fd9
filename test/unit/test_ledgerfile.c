/* SPDX-License-Identifier: ISC */

/*
 * The ledger's file: who may have it, what may stand in it, and what is left
 * of it after kill -9, on a full disk, without memory, or in other hands.
 * Names carry the ids of attacks.md where a row is what the test is about.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>

#include "test/unit/fault.h"
#include "test/unit/ledgerworld.h"
#include "test/unit/scratch.h"

#define KILLS  60
#define ROWS   60 /* of each of two writers */
#define NOBODY 65534

static void
opens_as(struct world *w, int want, enum reason reason)
{
	enum reason why = AAD_R_UNSET;
	int r = world_open(w, &why);

	assert_int_equal(r, want);
	if (r != 0) {
		assert_null(w->l);
		assert_string_equal(reason_name(why), reason_name(reason));
	}
}

static void
close_it(struct world *w)
{
	ledger_close(w->l);
	w->l = NULL;
}

static void
shell(const struct world *w, const char *cmd)
{
	char text[512];

	snprintf(text, sizeof(text), "cd %s/ledger && %s", w->base, cmd);
	assert_int_equal(system(text), 0);
}

/* A ledger, which need not be there; thousands of times, so without rm(1). */
static void
remove_at(const struct world *w, const char *ledger)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/ledger.db", ledger);
	(void)unlink(world_at(w, path));
	assert_true(rmdir(world_at(w, ledger)) == 0 || errno == ENOENT);
}

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

/* ---- made and judged ------------------------------------------------ */

static void
valid_new_ledger(void **state)
{
	struct world *w = *state;
	struct ledger *l;
	enum reason why;
	struct stat sb;

	assert_int_equal(stat(world_at(w, "ledger"), &sb), 0);
	assert_int_equal(sb.st_mode & 07777, 0700);
	assert_int_equal(stat(world_at(w, "ledger/ledger.db"), &sb), 0);
	assert_int_equal(sb.st_mode & 07777, 0600);
	assert_int_equal(ledger_create(w->dir, &l, &why), AAD_EEXIST);
	assert_int_equal(why, AAD_R_CA_EXISTS);
	assert_null(l);
	world_fill(w);
	opens_as(w, 0, AAD_R_UNSET);
	assert_int_equal(world_length(w->l), FULL);
	/* No umask makes the journal readable either. */
	umask(0);
	assert_int_equal(ledger_begin(w->l, &why), 0);
	{
		struct event e = prepared(1);

		assert_int_equal(ledger_append(w->l, &e, &why), 0);
	}
	assert_int_equal(stat(world_at(w, "ledger/ledger.db-journal"), &sb), 0);
	assert_int_equal(sb.st_mode & 07777, 0600);
	ledger_rollback(w->l);
}

static void
no_ledger(void **state)
{
	struct world *w = *state;

	close_it(w);
	shell(w, "rm ledger.db");
	opens_as(w, AAD_ENOENT, AAD_R_NO_CA);
	shell(w, "rmdir ../ledger");
	opens_as(w, AAD_ENOENT, AAD_R_NO_CA);
}

static void
II_C18_ledger_in_other_hands_is_refused(void **state)
{
	static const struct {
		const char *damage, *repair;
	} cases[] = {
		{ "chmod 0640 ledger.db", "chmod 0600 ledger.db" },
		{ "chmod 0604 ledger.db", "chmod 0600 ledger.db" },
		{ "chmod 0620 ledger.db", "chmod 0600 ledger.db" },
		{ "chmod 0750 .", "chmod 0700 ." },
		{ "chmod 0701 .", "chmod 0700 ." },
		{ "chmod 0770 .", "chmod 0700 ." },
		{ "ln ledger.db second", "rm second" },
		{ "mv ledger.db l; ln -s l ledger.db", "mv l ledger.db" },
		{ "mv ledger.db l; mkfifo -m 600 ledger.db", "mv l ledger.db" },
		{ "mv ledger.db l; mkdir -m 700 ledger.db",
		    "rmdir ledger.db; mv l ledger.db" },
		{ "mv ../ledger ../x; ln -s x ../ledger",
		    "cd ..; rm ledger; mv x ledger" },
		{ "touch ledger.db-journal; chmod 0660 ledger.db-journal",
		    "rm -f ledger.db-journal" },
		{ "ln -s x ledger.db-journal", "rm -f ledger.db-journal" },
		{ "mkfifo -m 600 ledger.db-journal",
		    "rm -f ledger.db-journal" },
		{ "touch ledger.db-wal; chmod 0600 ledger.db-wal",
		    "rm -f ledger.db-wal" },
		{ "touch ledger.db-shm; chmod 0600 ledger.db-shm",
		    "rm -f ledger.db-shm" },
		{ "chown 65534 ledger.db", "chown 0 ledger.db" },
		{ "chown 65534 .", "chown 0 ." },
		{ "touch ledger.db-journal; chmod 0600 ledger.db-journal;"
		  "chown 65534 ledger.db-journal",
		    "rm -f ledger.db-journal" },
	};
	struct world *w = *state;
	size_t i, open_before;

	close_it(w);
	open_before = descriptors();
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (geteuid() != 0 && strstr(cases[i].damage, "chown") != NULL)
			continue;
		shell(w, cases[i].damage);
		opens_as(w, AAD_EPERM, AAD_R_LEDGER);
		shell(w, cases[i].repair);
		opens_as(w, 0, AAD_R_UNSET);
		close_it(w);
		assert_int_equal(descriptors(), open_before);
	}
}

/* A new ledger is not made where an old journal would be rolled back. */
static void
II_C18_no_new_ledger_beside_an_old_journal(void **state)
{
	struct world *w = *state;
	enum reason why;

	close_it(w);
	shell(w, "rm ledger.db; echo old >ledger.db-journal;"
		 "chmod 0600 ledger.db-journal");
	assert_int_equal(ledger_create(w->dir, &w->l, &why), AAD_EPERM);
	assert_int_equal(why, AAD_R_LEDGER);
	assert_null(w->l);
	shell(w, "rm ledger.db-journal; ln -s x ledger.db");
	assert_int_equal(ledger_create(w->dir, &w->l, &why), AAD_EEXIST);
	shell(w, "rm ledger.db; chmod 0770 .");
	assert_int_equal(ledger_create(w->dir, &w->l, &why), AAD_EPERM);
	shell(w, "chmod 0700 .");
	assert_int_equal(ledger_create(w->dir, &w->l, &why), 0);
}

/* The directory may be called something else by now: it is the same one. */
static void
valid_directory_is_renamed(void **state)
{
	struct world *w = *state;

	shell(w, "mv ../ledger ../elsewhere; mkdir -m 700 ../ledger");
	add(w, prepared(1));
	assert_int_equal(world_length(w->l), 1);
	close_it(w);
	opens_as(w, AAD_ENOENT, AAD_R_NO_CA);
	shell(w, "rmdir ../ledger; mv ../elsewhere ../ledger");
	opens_as(w, 0, AAD_R_UNSET);
	assert_int_equal(world_length(w->l), 1);
}

static struct world *swapped;

static void
swap(void)
{
	static int left = 2; /* behind the directory's and the judged file's */

	if (--left == 0)
		shell(swapped, "cp -p ledger.db other; mv other ledger.db");
}

/* Another file takes its place between the judging and SQLite. */
static void
II_C18_ledger_exchanged_while_it_is_opened(void **state)
{
	struct world *w = *state;

	close_it(w);
	swapped = w;
	fault_behind_openat(swap);
	opens_as(w, AAD_EPERM, AAD_R_LEDGER);
	fault_behind_openat(NULL);
	opens_as(w, 0, AAD_R_UNSET);
}

/* ---- what stands in it ---------------------------------------------- */

/* Nothing that somebody wrote into the schema is run, or even accepted. */
static void
II_C13_hostile_schemas(void **state)
{
	static const char *const hostile[] = {
		"CREATE VIEW v AS SELECT 1",
		"CREATE TABLE more (a)",
		"CREATE INDEX more ON event (body)",
		"CREATE INDEX more ON event (abs(at))",
		"CREATE VIRTUAL TABLE f USING fts5 (a)",
		"CREATE TRIGGER t AFTER INSERT ON event BEGIN"
		" SELECT writefile('/tmp/x', 'y'); END",
		"CREATE TRIGGER t AFTER INSERT ON event BEGIN"
		" DELETE FROM event; END",
		"DROP TRIGGER event_delete",
		"DROP INDEX event_prepared",
		"ANALYZE",
		"ALTER TABLE event ADD COLUMN more TEXT",
		"ALTER TABLE event RENAME COLUMN login TO logim",
		"ALTER TABLE event RENAME TO events; CREATE VIEW event AS"
		" SELECT * FROM events",
		"PRAGMA writable_schema = 1; UPDATE sqlite_schema SET sql ="
		" replace(sql, 'STRICT', '') WHERE name = 'event'",
		"PRAGMA writable_schema = 1; UPDATE sqlite_schema SET sql ="
		" 'CREATE INDEX event_kind ON event (at)'"
		" WHERE name = 'event_kind'",
		"PRAGMA writable_schema = 1; UPDATE sqlite_schema SET"
		" rootpage = 3 WHERE name = 'event'",
		"PRAGMA writable_schema = 1; UPDATE sqlite_schema SET"
		" sql = 'junk' WHERE name = 'event'",
		"PRAGMA writable_schema = 1; UPDATE sqlite_schema SET"
		" sql = NULL WHERE name = 'event_kind'",
		"PRAGMA writable_schema = 1; UPDATE sqlite_schema SET"
		" rootpage = 999999 WHERE name = 'event'",
		"PRAGMA writable_schema = 1; DELETE FROM sqlite_schema",
	};
	struct world *w = *state;
	size_t len, i;
	uint8_t *file;

	world_fill(w);
	close_it(w);
	file = world_slurp(w, &len);
	for (i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
		world_spill(w, file, len);
		world_sql(w, hostile[i]);
		if (i == 15) {
			/* Ours to the byte, on another table's page. */
			if (world_open(w, &(enum reason){ 0 }) == 0)
				assert_true(world_faults(w->l) > 0);
			close_it(w);
			continue;
		}
		opens_as(w, AAD_EFORMAT, AAD_R_LEDGER_ALTERED);
	}
	world_spill(w, file, len);
	opens_as(w, 0, AAD_R_UNSET);
	free(file);
}

static void
wrong_versions(void **state)
{
	struct world *w = *state;

	world_sql(w, "PRAGMA user_version = 2");
	opens_as(w, AAD_EVERSION, AAD_R_LEDGER_VERSION);
	world_sql(w, "PRAGMA user_version = 0");
	opens_as(w, AAD_EFORMAT, AAD_R_LEDGER_ALTERED);
	world_sql(w, "PRAGMA user_version = 1; PRAGMA application_id = 1");
	opens_as(w, AAD_EFORMAT, AAD_R_LEDGER_ALTERED);
}

static void
junk_files(void **state)
{
	struct world *w = *state;
	uint8_t *junk = calloc(1, 65536);
	struct stat sb;

	close_it(w);
	world_spill(w, junk, 0);
	opens_as(w, AAD_EFORMAT, AAD_R_LEDGER_ALTERED);
	world_spill(w, junk, 65536);
	opens_as(w, AAD_EFORMAT, AAD_R_LEDGER_ALTERED);
	randombytes_buf(junk, 65536);
	world_spill(w, junk, 65536);
	opens_as(w, AAD_EFORMAT, AAD_R_LEDGER_ALTERED);
	memcpy(junk, "SQLite format 3", 16);
	world_spill(w, junk, 65536);
	opens_as(w, AAD_EFORMAT, AAD_R_LEDGER_ALTERED);
	free(junk);
	/* Another journal mode would leave files that we do not judge. */
	shell(w, "rm ledger.db; sqlite3 ledger.db"
		 " 'PRAGMA journal_mode = WAL; CREATE TABLE event (a)'"
		 " >/dev/null; chmod 0600 *");
	opens_as(w, AAD_EFORMAT, AAD_R_LEDGER_ALTERED);
	assert_int_equal(stat(world_at(w, "ledger/ledger.db-wal"), &sb), -1);
}

/*
 * Whether a byte lies between a page's cell pointers and its cells, where
 * nothing stands (sqlite.org/fileformat2.html s.1.6; no page of this ledger is
 * of another kind).
 */
static bool
in_gap(const uint8_t *file, size_t at)
{
	size_t page = at - at % LEDGERDB_PAGE;
	const uint8_t *p = file + page + (page == 0 ? LEDGERDB_HEADER : 0);
	size_t cells = (size_t)p[3] << 8 | p[4];
	size_t head = (p[0] == 2 || p[0] == 5) ? 12 : 8;

	return file + at >= p + head + 2 * cells &&
	       at - page < ((size_t)p[5] << 8 | p[6]);
}

/* SQLite's own counters: of changes, twice; of schemas; and its version. */
static bool
counts(size_t at)
{
	return (at >= 24 && at < 28) || (at >= 40 && at < 44) ||
	       (at >= 92 && at < 100);
}

/* What is found wrong when one byte is another one. */
static bool
flip_is_found(struct world *w, const uint8_t want[static 32])
{
	uint8_t got[32];
	enum reason why;
	bool found = true;
	int r = world_open(w, &why);

	if (r != 0) {
		assert_true(r == AAD_EFORMAT || r == AAD_EVERSION);
	} else if (world_faults(w->l) == 0) {
		/* One lock for all of it is much faster. */
		assert_int_equal(ledger_begin(w->l, &why), 0);
		world_digest(w->l, got);
		ledger_rollback(w->l);
		assert_memory_equal(want, got, sizeof(got));
		found = false;
	}
	close_it(w);
	return found;
}

/*
 * Every byte of the first 100, every 7th behind them, every 97th where
 * nothing stands: whatever a flipped one changes is found, and what is not
 * found changes nothing.
 */
static void
every_flip_of_the_file(void **state)
{
	struct world *w = *state;
	uint8_t want[32], *file, bad;
	size_t len, i, slack = 0;
	int fd;

	world_fill(w);
	world_digest(w->l, want);
	close_it(w);
	file = world_slurp(w, &len);
	assert_int_equal(len % LEDGERDB_PAGE, 0);
	fd = open(world_at(w, "ledger/ledger.db"), O_WRONLY);
	for (i = 0; i < len; i += i < LEDGERDB_HEADER ? 1
				  : in_gap(file, i)   ? 97
						      : 7) {
		bad = file[i] ^ (uint8_t)(1 << (i / 7 % 8));
		assert_int_equal(pwrite(fd, &bad, 1, (off_t)i), 1);
		if (!flip_is_found(w, want) && !in_gap(file, i) && !counts(i))
			slack++;
		assert_int_equal(pwrite(fd, &file[i], 1, (off_t)i), 1);
	}
	/* Where a page's cells moved, a byte or two may be nobody's. */
	assert_true(slack < 8);
	close(fd);
	free(file);
}

static void
every_truncation_of_the_file(void **state)
{
	struct world *w = *state;
	size_t len, i;
	uint8_t *file;

	world_fill(w);
	close_it(w);
	file = world_slurp(w, &len);
	for (i = 0; i < len; i += i % LEDGERDB_PAGE == 0 ? 1 : 455) {
		assert_int_equal(truncate(world_at(w, "ledger/ledger.db"),
				     (off_t)i),
		    0);
		opens_as(w, AAD_EFORMAT, AAD_R_LEDGER_ALTERED);
		world_spill(w, file, len);
	}
	/* Nor may anything stand behind it. */
	shell(w, "echo more >>ledger.db");
	opens_as(w, AAD_EFORMAT, AAD_R_LEDGER_ALTERED);
	world_spill(w, file, len);
	shell(w, "head -c 4096 /dev/zero >>ledger.db");
	opens_as(w, AAD_EFORMAT, AAD_R_LEDGER_ALTERED);
	free(file);
}

/* ---- backups -------------------------------------------------------- */

/* Another state directory. */
static int
open_to(const struct world *w)
{
	int fd = open(world_at(w, "to"), O_RDONLY | O_DIRECTORY);

	assert_int_not_equal(fd, -1);
	return fd;
}

/* All that restore does with a ledger. */
static int
load(int fd, const uint8_t *p, size_t len, enum reason *whyp)
{
	int r, to;

	if ((r = ledger_stage(fd, &to, whyp)) == 0) {
		assert_int_equal(write(to, p, len), len);
		close(to);
		if ((r = ledger_stage_check(fd, whyp)) == 0)
			r = ledger_stage_place(fd, whyp);
	}
	ledger_stage_drop(fd);
	return r;
}

static int
load_into(struct world *w, const uint8_t *p, size_t len, enum reason *whyp)
{
	int fd, r;

	assert_int_equal(mkdir(world_at(w, "to"), 0755), 0);
	fd = open_to(w);
	r = load(fd, p, len, whyp);
	close(fd);
	return r;
}

/* What a copy holds, until the next. */
static int
dump(struct ledger *l, uint8_t **outp, size_t *lenp, enum reason *whyp)
{
	static uint8_t bytes[1 << 20]; /* no allocation that could fail */
	int64_t size;
	int fd, r;

	*outp = NULL;
	*lenp = 0;
	if ((r = ledger_copy(l, &fd, &size, whyp)) != 0) {
		assert_int_equal(fd, -1);
		return r;
	}
	assert_true(size < (int64_t)sizeof(bytes));
	*outp = bytes;
	assert_int_equal(pread(fd, *outp, (size_t)size + 1, 0), size);
	assert_int_equal(lseek(fd, 0, SEEK_CUR), 0);
	*lenp = (size_t)size;
	close(fd);
	return 0;
}

static void
valid_copy_and_load(void **state)
{
	struct world *w = *state;
	uint8_t want[32], got[32], *copy;
	struct ledger *l;
	enum reason why;
	size_t len;
	bool same;
	int fd, to;

	world_fill(w);
	world_digest(w->l, want);
	assert_int_equal(dump(w->l, &copy, &len, &why), 0);
	shell(w, "test \"$(ls -A)\" = ledger.db");
	add(w, prepared(1));
	assert_int_equal(load_into(w, copy, len, &why), 0);
	shell(w, "test \"$(ls -A ../to/ledger)\" = ledger.db");
	fd = open_to(w);
	assert_int_equal(load(fd, copy, len, &why), AAD_EEXIST);
	assert_int_equal(why, AAD_R_CA_EXISTS);
	assert_int_equal(ledger_open(fd, &l, &why), 0);
	world_digest(l, got);
	assert_memory_equal(want, got, 32);
	assert_int_equal(world_faults(l), 0);
	/* The staged one, against the one that is there. */
	assert_int_equal(ledger_stage(fd, &to, &why), 0);
	assert_int_equal(write(to, copy, len), len);
	assert_int_equal(ledger_stage_same(fd, l, &same, &why), 0);
	assert_true(same);
	assert_int_equal(pwrite(to, "x", 1, (off_t)len - 1), 1);
	assert_int_equal(ledger_stage_same(fd, l, &same, &why), 0);
	assert_false(same);
	assert_int_equal(ftruncate(to, (off_t)len - 1), 0);
	assert_int_equal(ledger_stage_same(fd, l, &same, &why), 0);
	assert_false(same);
	close(to);
	ledger_stage_drop(fd);
	ledger_close(l);
	close(fd);
}

/* A backup that is not whole is not written. */
static void
wrong_backups_are_not_loaded(void **state)
{
	struct world *w = *state;
	uint8_t *copy, saved;
	enum reason why;
	size_t len, i, found = 0;
	struct stat sb;

	world_fill(w);
	assert_int_equal(dump(w->l, &copy, &len, &why), 0);
	for (i = 0; i < len; i += 1 + i / 64) {
		assert_int_equal(load_into(w, copy, i, &why), AAD_EFORMAT);
		assert_int_equal(why, AAD_R_LEDGER_ALTERED);
		assert_int_equal(rmdir(world_at(w, "to")), 0);
	}
	for (i = 16; i < len; i += 997) {
		saved = copy[i];
		copy[i] ^= 0x5a;
		if (load_into(w, copy, len, &why) != 0) {
			found++;
			assert_int_equal(why, AAD_R_LEDGER_ALTERED);
			assert_int_equal(stat(world_at(w, "to/ledger"), &sb),
			    -1);
		}
		remove_at(w, "to/ledger");
		assert_int_equal(rmdir(world_at(w, "to")), 0);
		copy[i] = saved;
	}
	assert_true(found > 5);
	copy[63] = 2;
	assert_int_equal(load_into(w, copy, len, &why), AAD_EVERSION);
	assert_int_equal(why, AAD_R_LEDGER_VERSION);
}

/* ---- two at once ---------------------------------------------------- */

/* A child that runs fn and exits 0. */
static pid_t
child(struct world *w, void (*fn)(struct world *, int), int arg)
{
	pid_t pid = fork();

	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		fn(w, arg);
		_exit(0);
	}
	return pid;
}

static void
ends_well(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void
write_rows(struct world *w, int which)
{
	struct event e;
	enum reason why;
	struct ledger *l;
	uint64_t i;

	if (ledger_open(w->dir, &l, &why) != 0)
		_exit(1);
	for (i = 1; i <= ROWS; i++) {
		e = prepared((uint64_t)which * 1000 + i);
		if (try_add(l, &e, &why) != 0)
			_exit(2);
	}
	ledger_close(l);
}

static void
two_writers_lose_no_row(void **state)
{
	struct world *w = *state;
	enum reason why;
	uint64_t i;
	pid_t a, b;
	bool yes;

	close_it(w);
	a = child(w, write_rows, 1);
	b = child(w, write_rows, 2);
	ends_well(a);
	ends_well(b);
	opens_as(w, 0, AAD_R_UNSET);
	assert_int_equal(world_length(w->l), 2 * ROWS);
	assert_int_equal(world_faults(w->l), 0);
	for (i = 0; i < 2 * ROWS; i++) {
		assert_int_equal(ledger_has_serial(w->l,
				     (i / ROWS + 1) * 1000 + i % ROWS + 1, &yes,
				     &why),
		    0);
		assert_true(yes);
	}
}

/* Hold a lock by this SQL, say so, and wait for the end of the pipe. */
static int hold[2], held[2];

static void
hold_lock(struct world *w, int exclusive)
{
	struct ledger *l;
	enum reason why;
	char c;

	close(hold[1]);
	if (ledger_open(w->dir, &l, &why) != 0 ||
	    sqlite3_exec(l->db,
		exclusive ? "BEGIN EXCLUSIVE"
			  : "BEGIN; SELECT count(*) FROM event",
		NULL, NULL, NULL) != SQLITE_OK ||
	    write(held[1], "x", 1) != 1)
		_exit(1);
	(void)!read(hold[0], &c, 1);
	ledger_close(l);
}

static pid_t
lock_by_another(struct world *w, int exclusive)
{
	pid_t pid;
	char c;

	assert_int_equal(pipe(hold), 0);
	assert_int_equal(pipe(held), 0);
	pid = child(w, hold_lock, exclusive);
	assert_int_equal(read(held[0], &c, 1), 1);
	return pid;
}

static void
let_go(pid_t pid)
{
	close(hold[1]);
	ends_well(pid);
	close(hold[0]);
	close(held[0]);
	close(held[1]);
}

static void
II_C13_a_ledger_that_another_holds(void **state)
{
	struct world *w = *state;
	struct timespec from, to;
	struct ledger *l;
	uint8_t head[32];
	enum reason why;
	int64_t n;
	pid_t pid;

	pid = lock_by_another(w, 1);
	clock_gettime(CLOCK_MONOTONIC, &from);
	assert_int_equal(ledger_begin(w->l, &why), AAD_EAGAIN);
	clock_gettime(CLOCK_MONOTONIC, &to);
	assert_int_equal(why, AAD_R_LEDGER_BUSY);
	assert_true((to.tv_sec - from.tv_sec) * 1000 +
			(to.tv_nsec - from.tv_nsec) / 1000000 >=
		    LEDGER_WAIT_MS - 100);
	sqlite3_busy_timeout(w->l->db, 20);
	assert_int_equal(ledger_head(w->l, &n, head, &why), AAD_EAGAIN);
	assert_int_equal(why, AAD_R_LEDGER_BUSY);
	assert_int_equal(ledger_open(w->dir, &l, &why), AAD_EAGAIN);
	assert_int_equal(why, AAD_R_LEDGER_BUSY);
	let_go(pid);
	assert_int_equal(ledger_begin(w->l, &why), 0);
	ledger_rollback(w->l);
}

/* Who reads holds up a commit, which then leaves nothing behind. */
static void
II_C13_a_commit_that_a_reader_holds_up(void **state)
{
	struct world *w = *state;
	struct event e = prepared(1);
	enum reason why;
	pid_t pid = lock_by_another(w, 0);

	sqlite3_busy_timeout(w->l->db, 20);
	assert_int_equal(ledger_begin(w->l, &why), 0);
	assert_int_equal(ledger_append(w->l, &e, &why), 0);
	assert_int_equal(ledger_commit(w->l, &why), AAD_EAGAIN);
	assert_int_equal(why, AAD_R_LEDGER_BUSY);
	assert_true(strlen(ledger_error(w->l)) > 0);
	let_go(pid);
	assert_int_equal(world_length(w->l), 0);
	add(w, e);
}

/* ---- kill -9 -------------------------------------------------------- */

static int told[2];

static void
append_and_tell(struct world *w, int first)
{
	struct event e;
	struct ledger *l;
	enum reason why;
	uint64_t serial = (uint64_t)first;

	if (ledger_open(w->dir, &l, &why) != 0)
		_exit(1);
	for (;; serial++) {
		e = prepared(serial);
		if (try_add(l, &e, &why) != 0)
			_exit(2);
		e = about(EVENT_ISSUED, serial);
		if (try_add(l, &e, &why) != 0 ||
		    write(told[1], &e.seq, sizeof(e.seq)) != sizeof(e.seq))
			_exit(3);
	}
}

static void
II_C13_kill_9_at_random(void **state)
{
	struct world *w = *state;
	int64_t seq, last = 0, length;
	int i, status;
	pid_t pid;

	close_it(w);
	for (i = 0; i < KILLS; i++) {
		assert_int_equal(pipe(told), 0);
		pid = child(w, append_and_tell, (i + 1) * 100000);
		/* From its first row on, so that it is at work. */
		assert_int_equal(read(told[0], &seq, sizeof(seq)), sizeof(seq));
		assert_true(seq > last);
		last = seq;
		usleep(randombytes_uniform(10000));
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		close(told[1]);
		while (read(told[0], &seq, sizeof(seq)) == sizeof(seq))
			last = seq;
		close(told[0]);
		opens_as(w, 0, AAD_R_UNSET);
		length = world_length(w->l);
		assert_true(length >= last);
		assert_int_equal(world_faults(w->l), 0);
		last = length;
		close_it(w);
	}
	assert_true(last >= 2 * KILLS);
}

static void
one_transaction(struct world *w, int k)
{
	struct ledger *l;
	struct event e = prepared((uint64_t)k),
		     end = about(EVENT_ISSUED, (uint64_t)k);
	enum reason why;

	(void)sqlite_fail_call((unsigned int)k, -1);
	if (ledger_open(w->dir, &l, &why) != 0 || ledger_begin(l, &why) != 0 ||
	    ledger_append(l, &e, &why) != 0 ||
	    ledger_append(l, &end, &why) != 0 || ledger_commit(l, &why) != 0)
		_exit(1);
	ledger_close(l);
}

/* Before each system call that SQLite makes, one after the other. */
static void
II_C13_kill_9_at_every_step(void **state)
{
	struct world *w = *state;
	int64_t length, before = 0;
	int k, status = 1;
	pid_t pid;

	close_it(w);
	for (k = 1; status != 0; k++) {
		pid = child(w, one_transaction, k);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		assert_true(status == 0 || WEXITSTATUS(status) == 137);
		opens_as(w, 0, AAD_R_UNSET);
		length = world_length(w->l);
		assert_true(length == before || length == before + 2);
		assert_int_equal(world_faults(w->l), 0);
		before = length;
		close_it(w);
	}
	assert_true(k > 40);
}

static void
create_dies(struct world *w, int k)
{
	struct ledger *l;
	enum reason why;

	fault_arm(FAULT_KILL, (unsigned int)k, 0);
	if (ledger_create(w->dir, &l, &why) != 0)
		_exit(1);
}

static void
II_C13_kill_9_while_it_is_made(void **state)
{
	struct world *w = *state;
	enum reason why;
	int k, status = 1, r;
	pid_t pid;

	close_it(w);
	for (k = 1; status != 0; k++) {
		assert_int_equal(scratch_remove(world_at(w, "ledger")), 0);
		pid = child(w, create_dies, k);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(status == 0 || WEXITSTATUS(status) == 137);
		r = world_open(w, &why);
		if (r == AAD_ENOENT)
			r = ledger_create(w->dir, &w->l, &why);
		assert_int_equal(r, 0);
		assert_int_equal(world_faults(w->l), 0);
		close_it(w);
	}
	assert_true(k > 8);
}

/* ---- a disk that refuses -------------------------------------------- */

static int
transaction(struct ledger *l, uint64_t serial, enum reason *whyp)
{
	struct event e = prepared(serial), end = about(EVENT_ISSUED, serial);
	int r;

	if ((r = ledger_begin(l, whyp)) != 0)
		return r;
	if ((r = ledger_append(l, &e, whyp)) != 0 ||
	    (r = ledger_append(l, &end, whyp)) != 0) {
		ledger_rollback(l);
		return r;
	}
	return ledger_commit(l, whyp);
}

/* Each system call of SQLite's fails once; both rows are there or none. */
static void
each_call_fails(struct world *w, int err)
{
	int64_t before = world_length(w->l), length;
	enum reason why;
	unsigned int k;
	bool reached = true;
	int r = -1;

	for (k = 1; reached; k++) {
		why = AAD_R_UNSET;
		(void)sqlite_fail_call(k, err);
		r = transaction(w->l, (uint64_t)(err * 10000) + k, &why);
		reached = sqlite_fail_call(0, 0);
		if (r != 0 && !(r == AAD_ESYS && why == AAD_R_LEDGER) &&
		    !(r == AAD_EAGAIN && why == AAD_R_LEDGER_BUSY))
			fail_msg("%u: %d %s: %s", k, r, reason_name(why),
			    ledger_error(w->l));
		length = world_length(w->l);
		assert_true(length == before || length == before + 2);
		if (r == 0)
			assert_int_equal(length, before + 2);
		assert_int_equal(world_faults(w->l), 0);
		before = length;
	}
	assert_int_equal(r, 0);
	assert_true(k > 20);
}

static void
II_C13_every_call_of_the_disk_fails(void **state)
{
	struct world *w = *state;

	add(w, prepared(1));
	sqlite3_busy_timeout(w->l->db, 1);
	each_call_fails(w, EIO);
	each_call_fails(w, ENOSPC);
	each_call_fails(w, EACCES);
	world_reopen(w);
	assert_int_equal(world_faults(w->l), 0);
}

static void
open_with_failures(struct world *w)
{
	size_t before = descriptors();
	enum reason why;
	unsigned int k;
	bool reached = true;
	int r = -1;

	for (k = 1; reached; k++) {
		(void)sqlite_fail_call(k, EIO);
		r = ledger_open(w->dir, &w->l, &why);
		reached = sqlite_fail_call(0, 0);
		close_it(w);
		assert_int_equal(descriptors(), before);
		assert_true(r == 0 || (r == AAD_ESYS && why == AAD_R_LEDGER) ||
			    (r == AAD_EAGAIN && why == AAD_R_LEDGER_BUSY));
	}
	assert_int_equal(r, 0);
}

static void
II_O2_opening_fails(void **state)
{
	struct world *w = *state;
	size_t before;
	enum reason why;
	unsigned int k;
	bool reached = true;
	int r = -1;

	close_it(w);
	open_with_failures(w);
	before = descriptors();
	for (k = 1; reached; k++) {
		fault_arm(FAULT_SYSCALL, k, EIO);
		r = ledger_open(w->dir, &w->l, &why);
		reached = fault_disarm();
		close_it(w);
		assert_int_equal(descriptors(), before);
		if (r != 0 && (r != AAD_ESYS || why != AAD_R_LEDGER))
			fail_msg("%u: %d %s", k, r, reason_name(why));
	}
	assert_int_equal(r, 0);
	assert_true(k > 5);
}

static void
fill_up(struct world *w, int unused)
{
	struct rlimit limit;
	struct stat sb;
	enum reason why = AAD_R_UNSET;
	int64_t length;
	uint64_t serial;
	int r = 0;

	(void)unused;
	if (ledger_open(w->dir, &w->l, &why) != 0)
		_exit(1);
	signal(SIGXFSZ, SIG_IGN);
	if (stat(world_at(w, "ledger/ledger.db"), &sb) != 0)
		_exit(2);
	limit.rlim_cur = limit.rlim_max = (rlim_t)sb.st_size + 4096;
	if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
		_exit(3);
	for (serial = 1; r == 0 && serial < 1000; serial++)
		r = transaction(w->l, serial, &why);
	if (r != AAD_ESYS || why != AAD_R_LEDGER ||
	    strlen(ledger_error(w->l)) == 0)
		_exit(4);
	length = world_length(w->l);
	if (length != 2 * ((int64_t)serial - 2) || world_faults(w->l) != 0)
		_exit(5);
}

static void
II_C13_full_disk(void **state)
{
	struct world *w = *state;

	close_it(w);
	ends_well(child(w, fill_up, 0));
	opens_as(w, 0, AAD_R_UNSET);
	assert_true(world_length(w->l) > 0);
	assert_int_equal(world_faults(w->l), 0);
	add(w, about(EVENT_RESTORED, 0));
}

/* No byte may be written at all: not one row, and the ledger still reads. */
static void
no_byte(struct world *w, int unused)
{
	const struct rlimit none = { 0, 0 };
	enum reason why;

	(void)unused;
	signal(SIGXFSZ, SIG_IGN);
	if (setrlimit(RLIMIT_FSIZE, &none) != 0 ||
	    ledger_open(w->dir, &w->l, &why) != 0)
		_exit(1);
	if (transaction(w->l, 1, &why) != AAD_ESYS || why != AAD_R_LEDGER)
		_exit(2);
	if (world_length(w->l) != 0 || world_faults(w->l) != 0)
		_exit(3);
}

static void
II_C13_no_byte_of_room(void **state)
{
	struct world *w = *state;

	close_it(w);
	ends_well(child(w, no_byte, 0));
	opens_as(w, 0, AAD_R_UNSET);
	assert_int_equal(world_length(w->l), 0);
}

static void
read_only(struct world *w, int file)
{
	enum reason why = AAD_R_UNSET;
	int r;

	if (geteuid() == 0 && setresuid(NOBODY, NOBODY, NOBODY) != 0)
		_exit(1);
	r = ledger_open(w->dir, &w->l, &why);
	if (!file && r == 0)
		r = transaction(w->l, 1, &why);
	if (r != AAD_ESYS || why != AAD_R_LEDGER)
		_exit(2);
	if (!file && world_length(w->l) != 0)
		_exit(3);
}

static void
II_C13_read_only(void **state)
{
	struct world *w = *state;

	close_it(w);
	if (geteuid() == 0)
		shell(w, "chown -R 65534 .");
	shell(w, "chmod 0500 .");
	ends_well(child(w, read_only, 0));
	shell(w, "chmod 0700 .; chmod 0400 ledger.db");
	ends_well(child(w, read_only, 1));
	if (geteuid() == 0)
		shell(w, "chown -R 0 .");
	shell(w, "chmod 0600 ledger.db");
	opens_as(w, 0, AAD_R_UNSET);
}

/* ---- without memory ------------------------------------------------- */

static struct event spare; /* what try_append() appends */

static int
try_open(struct world *w, enum reason *whyp)
{
	close_it(w);
	return ledger_open(w->dir, &w->l, whyp);
}

static int
try_append(struct world *w, enum reason *whyp)
{
	spare = prepared(spare.serial + 1);
	return transaction(w->l, spare.serial, whyp);
}

static int
nothing_event(void *arg, const struct event *e)
{
	(void)arg;
	(void)e;
	return 0;
}

static int
nothing_cert(void *arg, const struct ledger_cert *c)
{
	(void)arg;
	(void)c;
	return 0;
}

static int
nothing_key(void *arg, const struct ledger_key *k)
{
	(void)arg;
	(void)k;
	return 0;
}

static int
nothing_serial(void *arg, const uint8_t ca_hash[static 32], uint64_t serial)
{
	(void)arg;
	(void)ca_hash;
	(void)serial;
	return 0;
}

static int
try_walks(struct world *w, enum reason *whyp)
{
	const struct ledger_filter all = { 0 };
	int r;

	if ((r = ledger_each(w->l, &all, nothing_event, NULL, whyp)) != 0 ||
	    (r = ledger_certs(w->l, &all, nothing_cert, NULL, whyp)) != 0 ||
	    (r = ledger_keys(w->l, nothing_key, NULL, whyp)) != 0)
		return r;
	return ledger_revoked(w->l, NOW, nothing_serial, NULL, whyp);
}

static int
try_answers(struct world *w, enum reason *whyp)
{
	char tid[NAME_GUID_LEN + 1], oid[NAME_GUID_LEN + 1];
	int64_t n;
	bool a, b;
	int r;

	if ((r = ledger_denied(w->l, OID, hash_of(5), &a, &b, whyp)) != 0 ||
	    (r = ledger_pin(w->l, "alice", tid, oid, whyp)) != 0 ||
	    (r = ledger_count(w->l, OID, NOW, &n, whyp)) != 0 ||
	    (r = ledger_has_serial(w->l, 1002, &a, whyp)) != 0)
		return r;
	return ledger_last_end(w->l, hash_of(0xca), &n, whyp);
}

static int
try_verify(struct world *w, enum reason *whyp)
{
	size_t faults;
	int r = ledger_verify(w->l, NULL, NULL, NULL, &faults, whyp);

	if (r == 0)
		assert_int_equal(faults, 0);
	return r;
}

static int
try_copy(struct world *w, enum reason *whyp)
{
	uint8_t *copy;
	size_t len;
	int r = dump(w->l, &copy, &len, whyp);

	if (r != 0)
		return r;
	r = load_into(w, copy, len, whyp);
	remove_at(w, "to/ledger");
	assert_int_equal(rmdir(world_at(w, "to")), 0);
	return r;
}

static int
try_create(struct world *w, enum reason *whyp)
{
	close_it(w);
	remove_at(w, "ledger");
	return ledger_create(w->dir, &w->l, whyp);
}

/*
 * fn with its k-th allocation failing, SQLite's or ours, k = 1, 2, … until
 * none is left.  Each time with a new connection, which has to prepare.
 */
static void
every_allocation(struct world *w, int (*fn)(struct world *, enum reason *),
    bool sqlite)
{
	enum reason why;
	unsigned int k;
	bool reached = true;
	int r = -1;

	for (k = 1; reached; k++) {
		if (fn != try_create)
			world_reopen(w);
		why = AAD_R_UNSET;
		if (sqlite)
			(void)sqlite_fail_alloc(k);
		else
			fault_arm(FAULT_ALLOC, k, ENOMEM);
		r = fn(w, &why);
		reached = sqlite ? sqlite_fail_alloc(0) : fault_disarm();
		if (r != 0) {
			if (r != AAD_ENOMEM || why != AAD_R_NO_MEMORY)
				fail_msg("%u: %d %s: %s", k, r,
				    reason_name(why),
				    w->l != NULL ? ledger_error(w->l) : "");
		}
	}
	assert_int_equal(r, 0);
	assert_true(k > 2);
}

/* One row of each sort: what allocates for one does so for the next. */
static void
fill_a_little(struct world *w)
{
	struct event e = prepared(1001);

	add(w, staging(CA_ROLE_USER, CA_STAGE_ACTIVE, 0xca, NOW));
	add(w, pinning(EVENT_PIN, "alice", OID));
	e.has_token = true;
	memcpy(e.token_hash, hash_of(7), 32);
	add_body(w, e, json_pack("{s:s}", "upn", "alice@contoso.com"));
	add_body(w, about(EVENT_ISSUED, 1001),
	    json_pack("{s:s}", "certificate", "AAAA"));
	add(w, about(EVENT_REVOKED, 1001));
	add(w, denial(EVENT_DENIED, OID, NULL));
	add(w, denial(EVENT_DENIED, NULL, hash_of(5)));
}

static void
II_O2_no_memory(void **state)
{
	static int (*const all[])(struct world *, enum reason *) = { try_open,
		try_append, try_walks, try_answers, try_verify, try_copy };
	struct world *w = *state;
	size_t i;

	fill_a_little(w);
	spare.serial = 500000;
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		every_allocation(w, all[i], true);
		if (all[i] != try_answers)
			every_allocation(w, all[i], false);
		assert_int_equal(world_faults(w->l), 0);
	}
	every_allocation(w, try_create, true);
	every_allocation(w, try_create, false);
}

#define T(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(valid_new_ledger),
		T(no_ledger),
		T(II_C18_ledger_in_other_hands_is_refused),
		T(II_C18_no_new_ledger_beside_an_old_journal),
		T(valid_directory_is_renamed),
		T(II_C18_ledger_exchanged_while_it_is_opened),
		T(II_C13_hostile_schemas),
		T(wrong_versions),
		T(junk_files),
		T(every_flip_of_the_file),
		T(every_truncation_of_the_file),
		T(valid_copy_and_load),
		T(wrong_backups_are_not_loaded),
		T(two_writers_lose_no_row),
		T(II_C13_a_ledger_that_another_holds),
		T(II_C13_a_commit_that_a_reader_holds_up),
		T(II_C13_kill_9_at_random),
		T(II_C13_kill_9_at_every_step),
		T(II_C13_kill_9_while_it_is_made),
		T(II_C13_every_call_of_the_disk_fails),
		T(II_O2_opening_fails),
		T(II_C13_full_disk),
		T(II_C13_no_byte_of_room),
		T(II_C13_read_only),
		T(II_O2_no_memory),
	};

	if (sodium_init() == -1)
		return 1;
	umask(0);
	sqlite_faults();
	return cmocka_run_group_tests_name("ledgerfile", tests, NULL, NULL);
}
