/* SPDX-License-Identifier: ISC */

/* clock: the only place that reads a clock. */

#ifndef AAD_CLOCK_H
#define AAD_CLOCK_H

#include <signal.h>
#include <stdint.h>

/* Wall time in Unix seconds. */
int64_t clock_now(void);

/* Milliseconds that only go forward, suspend included (CLOCK_BOOTTIME). */
int64_t clock_mono_ms(void);

/* The same clock in nanoseconds since boot. */
int64_t clock_boot_ns(void);

/*
 * Sleep for ms milliseconds, or until *stop becomes non-zero by a signal.
 * stop: may be NULL.
 */
void clock_sleep_ms(int64_t ms, const volatile sig_atomic_t *stop);

#endif /* AAD_CLOCK_H */
