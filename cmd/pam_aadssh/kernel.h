/* SPDX-License-Identifier: ISC */

/*
 * kernel: what the kernel knows: the time, a process's start, the program that
 * runs, the connection that sshd serves.
 */

#ifndef AAD_PAM_KERNEL_H
#define AAD_PAM_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define KERNEL_EXE_LEN	   256 /* bytes with NUL */
#define KERNEL_ADDRESS_LEN 64

/* Unix seconds. */
int64_t kernel_now(void);

/* Milliseconds since boot, sleep included. */
int64_t kernel_clock_ms(void);

/*
 * When pid started, in clock ticks since boot: field 22 of /proc/PID/stat
 * (proc(5)).  With the pid it names a process for as long as the host is up.
 * Returns false when it can't be told; *startp is then 0.
 */
bool kernel_start(pid_t pid, int64_t *startp);

/* The same of the text of such a file; the name in it may hold anything. */
bool kernel_start_parse(const char *stat, int64_t *startp);

/*
 * The program of this process, without the mark of one that was replaced
 * since.  Returns false when it is unknown, too long or not printable.
 */
bool kernel_exe(char out[static KERNEL_EXE_LEN]);

/*
 * Whether the title of this process, as ps(1) shows it, ends in end.  False
 * when it can't be told.
 */
bool kernel_titled(const char *end);

/*
 * The descriptor, 3 to 255, of the TCP connection with the client that
 * SSH_CONNECTION names ("ADDRESS PORT …", may be NULL), or -1.  sshd's own.
 */
int kernel_connection(const char *ssh_connection);

/* Whether the other side of fd has gone; false for -1. */
bool kernel_gone(int fd);

/*
 * Copy s up to its first blank when that is an IPv4 or IPv6 address, which
 * may have a %zone; else out is "".
 */
void kernel_address(const char *s, char out[static KERNEL_ADDRESS_LEN]);

#endif /* AAD_PAM_KERNEL_H */
