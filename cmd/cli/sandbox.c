/* SPDX-License-Identifier: ISC */

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>

#include "cmd/cli/sandbox.h"

/*
 * Rights of Landlock ABI 1 to 7, by number: Debian 12's headers end at ABI 2.
 * Sources: landlock(7), the kernel's include/uapi/linux/landlock.h.
 */
#define FS_ABI1	      ((1ULL << 13) - 1)
#define FS_REFER      (1ULL << 13) /* ABI 2 */
#define FS_TRUNCATE   (1ULL << 14) /* ABI 3 */
#define FS_IOCTL_DEV  (1ULL << 15) /* ABI 5 */
#define FS_WRITE_FILE (1ULL << 1)
#define FS_READ_FILE  (1ULL << 2)
#define FS_READ_DIR   (1ULL << 3)
#define FS_REMOVE     (3ULL << 4) /* directories, and everything else */
#define FS_MAKE_DIR   (1ULL << 7)
#define FS_MAKE_REG   (1ULL << 8)
#define FS_MAKE_SYM   (1ULL << 12)
/* Files, directories and links, in every way but running them. */
#define FS_OWN                                                                 \
	(FS_WRITE_FILE | FS_READ_FILE | FS_READ_DIR | FS_REMOVE |              \
	    FS_MAKE_DIR | FS_MAKE_REG | FS_MAKE_SYM | FS_REFER | FS_TRUNCATE)
#define NET_TCP 3ULL /* bind and connect, ABI 4 */
#define SCOPED	3ULL /* abstract sockets and signals, ABI 6 */

struct ruleset {
	uint64_t handled_access_fs;
	uint64_t handled_access_net; /* ABI 4 */
	uint64_t scoped; /* ABI 6 */
};

static size_t
ruleset_of(long abi, struct ruleset *rs)
{
	rs->handled_access_fs = FS_ABI1;
	rs->handled_access_net = 0;
	rs->scoped = 0;
	if (abi >= 2)
		rs->handled_access_fs |= FS_REFER;
	if (abi >= 3)
		rs->handled_access_fs |= FS_TRUNCATE;
	if (abi >= 5)
		rs->handled_access_fs |= FS_IOCTL_DEV;
	if (abi >= 4)
		rs->handled_access_net = NET_TCP;
	if (abi >= 6)
		rs->scoped = SCOPED;
	if (abi >= 6)
		return sizeof(*rs);
	return abi >= 4 ? offsetof(struct ruleset, scoped)
			: offsetof(struct ruleset, handled_access_net);
}

static int
add_rule(int ruleset, const struct landlock_path_beneath_attr *rule)
{
	return syscall(SYS_landlock_add_rule, ruleset,
		   LANDLOCK_RULE_PATH_BENEATH, rule, 0U) == -1
		   ? AAD_ESYS
		   : 0;
}

/* Allow reading at and below one path. */
static int
allow_path(int ruleset, const char *path)
{
	struct landlock_path_beneath_attr rule;
	struct stat sb;
	int r;

	rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (rule.parent_fd == -1)
		return errno == ENOENT || errno == EACCES ? 0 : AAD_ESYS;
	rule.allowed_access = FS_READ_FILE;
	if (fstat(rule.parent_fd, &sb) == 0 && S_ISDIR(sb.st_mode))
		rule.allowed_access |= FS_READ_DIR;
	r = add_rule(ruleset, &rule);
	close(rule.parent_fd);
	return r;
}

/* Allow more than reading at and below a directory that is open. */
static int
allow_open(int ruleset, int fd, uint64_t access)
{
	const struct landlock_path_beneath_attr rule = {
		.allowed_access = access, .parent_fd = fd
	};

	return fd == -1 ? 0 : add_rule(ruleset, &rule);
}

/* access: what of FS_* the directories open at fds get. */
static int
fence(const char *const *paths, size_t n, const int *fds, size_t nfds,
    uint64_t access)
{
	struct ruleset rs;
	size_t i, size;
	long abi;
	int fd, r = 0;

	abi = syscall(SYS_landlock_create_ruleset, NULL, (size_t)0,
	    LANDLOCK_CREATE_RULESET_VERSION);
	if (abi < 1)
		return errno == ENOSYS || errno == EOPNOTSUPP ? 0 : AAD_ESYS;
	size = ruleset_of(abi, &rs);
	fd = (int)syscall(SYS_landlock_create_ruleset, &rs, size, 0U);
	if (fd == -1)
		return AAD_ESYS;
	for (i = 0; i < n && r == 0; i++)
		r = allow_path(fd, paths[i]);
	for (i = 0; i < nfds && r == 0; i++)
		r = allow_open(fd, fds[i], access & rs.handled_access_fs);
	if (r == 0 && syscall(SYS_landlock_restrict_self, fd, 0U) == -1)
		r = AAD_ESYS;
	close(fd);
	return r;
}

int
sandbox_paths(const char *const *paths, size_t n, int append)
{
	return fence(paths, n, &append, 1, FS_WRITE_FILE | FS_MAKE_REG);
}

int
sandbox_own(const char *const *paths, size_t n, const int *fds, size_t nfds)
{
	return fence(paths, n, fds, nfds, FS_OWN);
}

#if defined(__x86_64__)
#define ARCH_NR AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH_NR AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define ARCH_NR AUDIT_ARCH_RISCV64
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
#define ARCH_NR AUDIT_ARCH_PPC64LE
#elif defined(__s390x__)
#define ARCH_NR AUDIT_ARCH_S390X
#else
#error "name this architecture's AUDIT_ARCH_ value here"
#endif

/* Reading files, memory, the log socket that is connected, and the end. */
static const unsigned int allowed[] = {
	SYS_openat,
	SYS_read,
	SYS_write,
	SYS_close,
	SYS_fstat,
#ifdef SYS_newfstatat
	SYS_newfstatat, /* fstat(3) of glibc since 2.33 */
#endif
	SYS_lseek,
	SYS_brk,
	SYS_mmap,
	SYS_munmap,
	SYS_mremap,
	SYS_mprotect,
	SYS_madvise,
	SYS_futex,
	SYS_getpid,
	SYS_clock_gettime,
	SYS_getrandom,
	SYS_sendto,
	SYS_rt_sigreturn, /* log_never_wait() */
	SYS_exit_group,
};

#define NALLOWED   (sizeof(allowed) / sizeof(allowed[0]))
#define FILTER_MAX (4 + 2 * SANDBOX_CALLS_MAX + 1 + 9)

_Static_assert(NALLOWED <= SANDBOX_CALLS_MAX, "the hook's calls are few");

_Static_assert(FILTER_MAX <= UINT8_MAX, "a jump has eight bits");

static void
emit(struct sock_fprog *prog, unsigned int code, uint32_t k, size_t yes,
    size_t no)
{
	struct sock_filter *f = &prog->filter[prog->len++];

	f->code = (uint16_t)code;
	f->k = k;
	f->jt = (uint8_t)yes;
	f->jf = (uint8_t)no;
}

/* The n allowed numbers, the highest first, each once; returns how many. */
static size_t
sort_down(const unsigned int *calls, size_t n,
    unsigned int out[static SANDBOX_CALLS_MAX])
{
	size_t i, k, used = 0;

	for (i = 0; i < n; i++) {
		for (k = used; k > 0 && out[k - 1] < calls[i]; k--)
			out[k] = out[k - 1];
		if (k > 0 && out[k - 1] == calls[i]) {
			/* There already: close the gap again. */
			for (; k < used; k++)
				out[k] = out[k + 1];
			continue;
		}
		out[k] = calls[i];
		used++;
	}
	return used;
}

/*
 * From the highest number down, one comparison where a run of allowed ones
 * ends and one where it begins: "from here on: no", "from here on: yes", ….
 *
 * NB. the kernel runs a new filter for every number there is and compiles
 * it; a list of equals would take it longer than the hook takes for all the
 * rest of a no.
 */
static size_t
runs(const unsigned int *nr, size_t len,
    uint32_t at[static 2 * SANDBOX_CALLS_MAX])
{
	size_t i, n = 0;

	for (i = 0; i < len; i++) {
		if (i == 0 || nr[i - 1] != nr[i] + 1)
			at[n++] = nr[i] + 1; /* from here on: no */
		if (i + 1 == len || nr[i + 1] != nr[i] - 1)
			at[n++] = nr[i]; /* from here on: yes */
	}
	return n;
}

/*
 * The yes, behind which the number is still loaded: sendto(2) must name no
 * address, or the log's socket reaches every other one of this host.
 */
static void
emit_yes(struct sock_fprog *prog)
{
	const size_t address = offsetof(struct seccomp_data, args[4]);
	size_t half;

	emit(prog, BPF_JMP | BPF_JEQ | BPF_K, SYS_sendto, 1, 0);
	emit(prog, BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
	for (half = 0; half < 2; half++) {
		emit(prog, BPF_LD | BPF_W | BPF_ABS,
		    (uint32_t)(address + 4 * half), 0, 0);
		emit(prog, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0);
		emit(prog, BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM, 0, 0);
	}
	emit(prog, BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
}

int
sandbox_calls(void)
{
	return sandbox_only(allowed, NALLOWED);
}

int
sandbox_only(const unsigned int *calls, size_t ncalls)
{
	struct sock_filter filter[FILTER_MAX];
	struct sock_fprog prog = { 0, filter };
	unsigned int nr[SANDBOX_CALLS_MAX];
	uint32_t at[2 * SANDBOX_CALLS_MAX];
	size_t i, n;

	if (ncalls < 1 || ncalls > SANDBOX_CALLS_MAX)
		return AAD_EARG;
	n = runs(nr, sort_down(calls, ncalls, nr), at);
	emit(&prog, BPF_LD | BPF_W | BPF_ABS,
	    offsetof(struct seccomp_data, arch), 0, 0);
	emit(&prog, BPF_JMP | BPF_JEQ | BPF_K, ARCH_NR, 1, 0);
	emit(&prog, BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS, 0, 0);
	emit(&prog, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr),
	    0, 0);
	/* The n comparisons are followed by no, then yes. */
	for (i = 0; i < n; i++)
		emit(&prog, BPF_JMP | BPF_JGE | BPF_K, at[i],
		    n - 1 - i + (i % 2), 0);
	emit(&prog, BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM, 0, 0);
	emit_yes(&prog);
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog, 0, 0) == -1
		   ? AAD_ESYS
		   : 0;
}
