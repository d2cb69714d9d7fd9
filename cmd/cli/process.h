/* SPDX-License-Identifier: ISC */

/*
 * process: what the kernel says of a process, proc(5).  A process is a pid and
 * its start time together: the pid alone may be another's by now.
 */

#ifndef AAD_PROCESS_H
#define AAD_PROCESS_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

#define PROCESS_STAT_MAX 4096 /* bytes; the line has some 350 */
#define PROCESS_EXE_MAX	 4096 /* bytes, PATH_MAX */

/*
 * From the text of /proc/PID/stat, len bytes with a NUL behind them: the
 * start time, field 22, in clock ticks since boot.  The command's name in
 * front may hold anything, blanks and parentheses too.
 *
 * *startp: -1 unless 0 is returned.
 * Returns 0; AAD_ENOENT for a process that has ended and that nobody waited
 * for (state Z or X); AAD_EFORMAT.
 */
int process_parse(const char *text, size_t len, int64_t *startp) AAD_MUST_CHECK;

/*
 * The same of a living process.
 * Returns 0; AAD_ENOENT when there is none of this pid; AAD_EFORMAT;
 * AAD_ESYS, also when there is no /proc to ask.
 */
int process_start(int64_t pid, int64_t *startp) AAD_MUST_CHECK;

/*
 * The program that it runs, /proc/PID/exe, without the " (deleted)" of one
 * that was replaced meanwhile.
 * Returns 0; AAD_ENOENT; AAD_ETOOBIG; AAD_ESYS.
 */
int process_exe(int64_t pid, char out[static PROCESS_EXE_MAX]) AAD_MUST_CHECK;

/* Cut a " (deleted)" off the end of a path; returns path. */
char *process_undeleted(char *path);

#endif /* AAD_PROCESS_H */
