/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "stowage_userns.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static void tell(int report, int step, int error) {
  struct stowage_namespace_report text = {step, error};
  /* Without a reader there is nobody to tell. */
  if (write(report, &text, sizeof text) != (ssize_t)sizeof text) _exit(1);
}

static void fail(int report, int step) {
  tell(report, step, errno);
  _exit(1);
}

static void follow(pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);
}

pid_t stowage_reexecute(const char *path, char *const argv[], char *const envp[], const int report[2],
                        const int gate[2]) {
  pid_t parent = getpid();
  pid_t child = fork();
  if (child != 0) return child;

  char byte;
  ssize_t count;
  follow(parent);
  /* Otherwise the gate would never be closed. */
  close(gate[1]);
  close(report[0]);
  if (unshare(CLONE_NEWUSER) != 0) fail(report[1], STOWAGE_STEP_USER_NAMESPACE);
  tell(report[1], STOWAGE_STEP_READY, 0);
  do count = read(gate[0], &byte, 1);
  while (count == -1 && errno == EINTR);
  if (count != 0) _exit(1);
  if (syscall(SYS_setresgid, 0, 0, 0) != 0 || syscall(SYS_setresuid, 0, 0, 0) != 0)
    fail(report[1], STOWAGE_STEP_IDENTITY);
  if (unshare(CLONE_NEWNS) != 0) fail(report[1], STOWAGE_STEP_MOUNT_NAMESPACE);
  /* A change of identity may have cleared the signal. */
  follow(parent);
  execve(path, argv, envp);
  fail(report[1], STOWAGE_STEP_EXECUTE);
  return -1;
}

/* Who gets the signals; 0 before the child is known. */
static volatile sig_atomic_t forwarded_to;
/* The last signal that came before that. */
static volatile sig_atomic_t early_signal;

static void forward(int number, siginfo_t *information, void *context) {
  (void)context;
  int saved = errno;
  /* Positive codes come from the kernel, that is, from the terminal. */
  if (information->si_code <= 0) {
    if (forwarded_to != 0) kill((pid_t)forwarded_to, number);
    else early_signal = number;
  }
  errno = saved;
}

void stowage_catch_signals(void) {
  static const int numbers[] = {SIGHUP, SIGINT, SIGTERM};
  for (size_t index = 0; index < sizeof numbers / sizeof numbers[0]; index++) {
    struct sigaction action;
    if (sigaction(numbers[index], NULL, &action) == 0 && action.sa_handler == SIG_IGN) continue;
    action.sa_flags = SA_SIGINFO | SA_RESTART;
    sigemptyset(&action.sa_mask);
    action.sa_sigaction = forward;
    sigaction(numbers[index], &action, NULL);
  }
}

void stowage_forward_signals(pid_t child) {
  forwarded_to = child;
  stowage_catch_signals();
  if (early_signal != 0) kill(child, early_signal);
  early_signal = 0;
}
