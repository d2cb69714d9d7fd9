/* SPDX-License-Identifier: ISC */

/*
 * nofence: linked into a hook of its own for callgrind, which lives in the
 * process that it counts and would be fenced in with it: the seccomp filter
 * is not set (--wrap=prctl).  Everything else is the hook's.
 */

#include <stdarg.h>
#include <sys/prctl.h>

int __real_prctl(int option, ...);
int __wrap_prctl(int option, ...);

int
__wrap_prctl(int option, ...)
{
	unsigned long arg[4];
	va_list ap;
	int i;

	va_start(ap, option);
	for (i = 0; i < 4; i++)
		arg[i] = va_arg(ap, unsigned long);
	va_end(ap);
	if (option == PR_SET_SECCOMP)
		return 0;
	return __real_prctl(option, arg[0], arg[1], arg[2], arg[3]);
}
