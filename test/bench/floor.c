/* SPDX-License-Identifier: ISC */

/*
 * floor: the least that a process can be: no libc, no loader, one system
 * call.  What is above this in the bench is somebody's code.
 */

void _start(void) __attribute__((noreturn));

void
_start(void)
{
#if defined(__x86_64__)
	__asm__ volatile("xorl %%edi, %%edi\n\tmovl $60, %%eax\n\tsyscall" ::
			     : "rax", "rdi", "rcx", "r11", "memory");
#elif defined(__aarch64__)
	__asm__ volatile("mov x0, #0\n\tmov x8, #93\n\tsvc #0" ::
			     : "x0", "x8", "memory");
#else
#error "exit(2) of this architecture"
#endif
	__builtin_unreachable();
}
