/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STOWAGE_USERNS_H
#define STOWAGE_USERNS_H

#include <sys/types.h>

/* Starts a child in a new user namespace, without exec; it waits until it is killed, at the latest when the calling
   thread ends. Returns its process number, or -1 and errno. The child touches no memory of its parent. */
pid_t stowage_user_namespace_child(void);

#endif
