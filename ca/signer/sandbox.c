/* SPDX-License-Identifier: ISC */

#include <stdbool.h>
#include <sys/syscall.h>

#include "ca/signer/sandbox.h"
#include "cmd/cli/sandbox.h"

/* Files of our own, SQLite, memory, the log socket that is connected. */
static const unsigned int calls[] = {
	/* reading and writing */
	SYS_openat,
	SYS_read,
	SYS_write,
	SYS_pread64,
	SYS_pwrite64,
	SYS_lseek,
	SYS_close,
	SYS_fstat,
#ifdef SYS_newfstatat
	SYS_newfstatat,
#endif
/* the same by their older names */
#ifdef SYS_access
	SYS_access,
	SYS_readlink,
	SYS_unlink,
	SYS_rename,
	SYS_mkdir,
	SYS_rmdir,
	SYS_poll,
#endif
	SYS_faccessat,
	SYS_readlinkat,
	SYS_getdents64,
	SYS_getcwd,
	SYS_fcntl,
	SYS_dup,
	SYS_flock,
	SYS_fsync,
	SYS_fdatasync,
	SYS_ftruncate,
	SYS_fchmod,
	SYS_fchmodat,
	SYS_fchown,
	SYS_mkdirat,
	SYS_unlinkat,
	SYS_symlinkat,
#ifdef SYS_renameat
	SYS_renameat,
#endif
	SYS_renameat2,
	SYS_ppoll,
	/* memory, secrets in it */
	SYS_brk,
	SYS_mmap,
	SYS_munmap,
	SYS_mremap,
	SYS_mprotect,
	SYS_madvise,
	SYS_mlock,
	SYS_munlock,
	SYS_futex,
	/* who, when, chance */
	SYS_getpid,
#ifdef SYS_gettid
	SYS_gettid,
#endif
	SYS_getuid,
	SYS_geteuid,
	SYS_getgid,
	SYS_getegid,
	SYS_clock_gettime,
	SYS_gettimeofday,
	SYS_nanosleep,
	SYS_clock_nanosleep,
	SYS_getrandom,
	/* the log, with its bound, and the deadline */
	SYS_sendto,
	SYS_rt_sigaction,
	SYS_rt_sigprocmask,
	SYS_rt_sigreturn,
	SYS_setitimer,
#ifdef SYS_alarm
	SYS_alarm,
#endif
	SYS_exit_group,
};

int
signer_sandbox(int dir, int publish, const char *only_read)
{
	/* SQLite's own chance; without it the clock is all it has. */
	const char *const read[] = { "/dev/urandom", only_read };
	const bool reads = publish != -1 && only_read != NULL;
	const int own[] = { dir, reads ? -1 : publish };

	if (sandbox_own(read, reads ? 2 : 1, own, 2) != 0)
		return AAD_ESYS;
	return sandbox_only(calls, sizeof(calls) / sizeof(calls[0]));
}
