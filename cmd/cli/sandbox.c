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
#define FS_ABI1	     ((1ULL << 13) - 1)
#define FS_REFER     (1ULL << 13) /* ABI 2 */
#define FS_TRUNCATE  (1ULL << 14) /* ABI 3 */
#define FS_IOCTL_DEV (1ULL << 15) /* ABI 5 */
#define FS_READ_FILE (1ULL << 2)
#define FS_READ_DIR  (1ULL << 3)
#define NET_TCP	     3ULL /* bind and connect, ABI 4 */
#define SCOPED	     3ULL /* abstract sockets and signals, ABI 6 */

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

/* Allow reading at and below one path. */
static int
allow_path(int ruleset, const char *path)
{
	struct landlock_path_beneath_attr rule;
	struct stat sb;
	long r;

	rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (rule.parent_fd == -1)
		return errno == ENOENT || errno == EACCES ? 0 : AAD_ESYS;
	rule.allowed_access = FS_READ_FILE;
	if (fstat(rule.parent_fd, &sb) == 0 && S_ISDIR(sb.st_mode))
		rule.allowed_access |= FS_READ_DIR;
	r = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH,
	    &rule, 0U);
	close(rule.parent_fd);
	return r == -1 ? AAD_ESYS : 0;
}

int
sandbox_paths(const char *const *paths, size_t n)
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
	if (r == 0 && syscall(SYS_landlock_restrict_self, fd, 0U) == -1)
		r = AAD_ESYS;
	close(fd);
	return r;
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

#define LOAD(field)                                                            \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define RETURN(what) BPF_STMT(BPF_RET | BPF_K, (what))
#define IF_CALL(nr, what)                                                      \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (nr), 0, 1), RETURN(what)
#define ALLOW_CALL(name) IF_CALL(SYS_##name, SECCOMP_RET_ALLOW)
#define KILL_CALL(name)	 IF_CALL(SYS_##name, SECCOMP_RET_KILL_PROCESS)

int
sandbox_calls(void)
{
	struct sock_filter filter[] = {
		LOAD(arch),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH_NR, 1, 0),
		RETURN(SECCOMP_RET_KILL_PROCESS),
		LOAD(nr),
		ALLOW_CALL(openat),
		ALLOW_CALL(read),
		ALLOW_CALL(write),
		ALLOW_CALL(close),
		ALLOW_CALL(fstat),
#ifdef SYS_newfstatat
		ALLOW_CALL(newfstatat), /* fstat(3) of glibc since 2.33 */
#endif
		ALLOW_CALL(lseek),
		ALLOW_CALL(brk),
		ALLOW_CALL(mmap),
		ALLOW_CALL(munmap),
		ALLOW_CALL(mremap),
		ALLOW_CALL(mprotect),
		ALLOW_CALL(madvise),
		ALLOW_CALL(futex),
		ALLOW_CALL(getpid),
		ALLOW_CALL(gettid),
		ALLOW_CALL(clock_gettime),
		ALLOW_CALL(getrandom),
		ALLOW_CALL(sendto),
		ALLOW_CALL(rt_sigaction),
		ALLOW_CALL(rt_sigprocmask),
		ALLOW_CALL(rt_sigreturn),
		ALLOW_CALL(exit),
		ALLOW_CALL(exit_group),
		KILL_CALL(execve),
		KILL_CALL(execveat),
		KILL_CALL(ptrace),
		KILL_CALL(clone),
		KILL_CALL(clone3),
#ifdef SYS_fork
		KILL_CALL(fork),
		KILL_CALL(vfork),
#endif
		/* NB. sockets fail rather than kill: syslog(3) tries to connect
		 * again when the daemon restarts under us. */
		RETURN(SECCOMP_RET_ERRNO | EPERM),
	};
	struct sock_fprog prog = { sizeof(filter) / sizeof(filter[0]), filter };

	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog, 0, 0) == -1
		   ? AAD_ESYS
		   : 0;
}
