/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "stowage_userns.h"

#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

pid_t stowage_user_namespace_child(void) {
  pid_t parent = getpid();
  pid_t child = (pid_t)syscall(SYS_clone, (unsigned long)(CLONE_NEWUSER | SIGCHLD), 0UL, 0UL, 0UL, 0UL);
  if (child != 0) return child;
  /* Other threads of the parent may have held locks of the C library: nothing but system calls from here on. */
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (syscall(SYS_getppid) != parent) syscall(SYS_exit_group, 0);
  for (;;) pause();
}
