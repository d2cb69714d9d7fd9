/* SPDX-License-Identifier: ISC */

#include <time.h>

#include "cmd/cli/clock.h"

#define SLICE_MS 200 /* how late a stop may be seen when a signal races */

int64_t
clock_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec;
}

int64_t
clock_boot_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

int64_t
clock_mono_ms(void)
{
	return clock_boot_ns() / 1000000;
}

void
clock_sleep_ms(int64_t ms, const volatile sig_atomic_t *stop)
{
	int64_t end = clock_mono_ms() + ms, left;
	struct timespec ts;

	while ((left = end - clock_mono_ms()) > 0) {
		if (stop != NULL && *stop != 0)
			return;
		if (left > SLICE_MS)
			left = SLICE_MS;
		ts.tv_sec = 0;
		ts.tv_nsec = (long)left * 1000000;
		nanosleep(&ts, NULL);
	}
}
