/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STOWAGE_USERNS_H
#define STOWAGE_USERNS_H

#include <sys/types.h>

/* Starts a child in a new user namespace, without exec; it waits until it is killed, at the latest when the calling
   thread ends. Returns its process number, or -1 and errno. The child touches no memory of its parent. */
pid_t stowage_user_namespace_child(void);

/* What a child of stowage_reexecute reports through its pipe. */
enum stowage_namespace_step {
  /* In the user namespace, waiting for the gate. */
  STOWAGE_STEP_READY = 0,
  /* Failed steps. */
  STOWAGE_STEP_USER_NAMESPACE = 1,
  STOWAGE_STEP_IDENTITY = 2,
  STOWAGE_STEP_MOUNT_NAMESPACE = 3,
  STOWAGE_STEP_EXECUTE = 4,
};

struct stowage_namespace_report {
  int step;
  int error; /* errno of a failed step */
};

/* Forks a child that enters a new user namespace, reports STOWAGE_STEP_READY through the pipe `report`, waits until the
   caller closes its writing end of the pipe `gate`, becomes user and group 0, enters a new mount namespace and executes
   `path`. A failed step is reported before the child ends with status 1; the end of the pipe after READY means success.
   Both ends of both pipes (reader first) are open and close-on-exec. The child makes nothing but system calls, and ends
   when its parent does. */
pid_t stowage_reexecute(const char *path, char *const argv[], char *const envp[], const int report[2],
                        const int gate[2]);

/* From now on the last of SIGHUP, SIGINT and SIGTERM that a process sends to this one waits for stowage_forward_signals. */
void stowage_catch_signals(void);

/* From now on SIGHUP, SIGINT and SIGTERM that a process sends to this one go to `child` and have no other effect. Those
   that the terminal sends have none at all: the child is in the same process group and gets them itself. Ignored signals
   stay ignored. */
void stowage_forward_signals(pid_t child);

#endif
