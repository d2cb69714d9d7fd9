/* SPDX-License-Identifier: ISC */

/*
 * fault: make the k-th allocation or system call fail, or end the process
 * there as kill -9 would.  Works by -Wl,--wrap on our own objects' calls
 * (Makefile "wraps") and by json_set_alloc_funcs() for jansson.
 */

#ifndef AAD_FAULT_H
#define AAD_FAULT_H

#include <stdbool.h>

enum fault_kind {
	FAULT_NONE = 0,
	FAULT_ALLOC, /* malloc calloc realloc strdup strndup, jansson's */
	FAULT_SYSCALL, /* openat read write fsync fchmod fstat renameat2
			* unlinkat mkdirat flock ftruncate pread pwrite: -1
			* with err */
	FAULT_KILL /* the same calls: _exit(137) before the call is made */
};

/* Arm: the k-th matching call from now on fails, k = 1, 2, …; only it. */
void fault_arm(enum fault_kind kind, unsigned int k, int err);

/* Disarm; whether the armed call was reached. */
bool fault_disarm(void);

/*
 * Call fn behind every openat(2) that succeeds, until fn is NULL; not for
 * those in fn itself.
 */
void fault_behind_openat(void (*fn)(void));

#endif /* AAD_FAULT_H */
