/* SPDX-License-Identifier: ISC */

#include <string.h>

#include "cmd/cli/stop.h"

static volatile sig_atomic_t stop;

static void
on_signal(int sig)
{
	if (stop == 0)
		stop = sig;
}

volatile sig_atomic_t *
stop_catch(int also, int flags)
{
	const int signals[] = { SIGINT, SIGTERM, SIGHUP, also };
	struct sigaction sa;
	size_t i;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = on_signal;
	sa.sa_flags = flags;
	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		if (signals[i] != 0)
			sigaction(signals[i], &sa, NULL);
	return &stop;
}
