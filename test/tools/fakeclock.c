/* SPDX-License-Identifier: ISC */

/*
 * fakeclock.so: the time of day of every program that is linked with libc at
 * run time, moved by the seconds that /etc/fakeclock holds when it starts.
 * Tests name it in /etc/ld.so.preload of their sandbox; no program of ours
 * knows of it.  Files are as old as they are.
 */

#include <dlfcn.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define FAKECLOCK "/etc/fakeclock"

static int (*real)(clockid_t, struct timespec *);
static int (*real_fstatat)(int, const char *, struct stat *, int);
static long offset;

/* NB. before main: what a program may open later is its own business. */
__attribute__((constructor)) static void
begin(void)
{
	FILE *f = fopen(FAKECLOCK, "re");

	*(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
	*(void **)&real_fstatat = dlsym(RTLD_NEXT, "fstatat");
	if (f == NULL)
		return;
	if (fscanf(f, "%ld", &offset) != 1)
		offset = 0;
	fclose(f);
}

/* A constructor of another library may ask before ours has run. */
static int
ask(clockid_t which, struct timespec *now)
{
	return real != NULL ? real(which, now)
			    : (int)syscall(SYS_clock_gettime, which, now);
}

int
clock_gettime(clockid_t which, struct timespec *now)
{
	int r = ask(which, now);

	if (r == 0 && (which == CLOCK_REALTIME ||
			  which == CLOCK_REALTIME_COARSE || which == CLOCK_TAI))
		now->tv_sec += offset;
	return r;
}

time_t
time(time_t *out)
{
	struct timespec now;

	if (clock_gettime(CLOCK_REALTIME, &now) != 0)
		return (time_t)-1;
	if (out != NULL)
		*out = now.tv_sec;
	return now.tv_sec;
}

int
gettimeofday(struct timeval *restrict tv, void *restrict zone)
{
	struct timespec now;
	int r = clock_gettime(CLOCK_REALTIME, &now);

	(void)zone;
	if (r == 0) {
		tv->tv_sec = now.tv_sec;
		tv->tv_usec = now.tv_nsec / 1000;
	}
	return r;
}

int
timespec_get(struct timespec *now, int base)
{
	return base == TIME_UTC && clock_gettime(CLOCK_REALTIME, now) == 0
		   ? base
		   : 0;
}

/* The one way in which programs of ours learn how old a file is. */
int
fstatat(int fd, const char *restrict path, struct stat *restrict sb, int flags)
{
	int r;

	if (real_fstatat == NULL)
		begin();
	r = real_fstatat(fd, path, sb, flags);
	if (r == 0)
		sb->st_mtim.tv_sec += offset;
	return r;
}
