// What /proc says of a process, read once, bounded: nothing of it can be trusted, and it may be gone at any moment.
#pragma once
#include "agent/backend.h"

// Reads pid. The texts are in arena; p->dir is open. ERR_NOENT: there is none (any more), or it is a kernel thread.
int process_read(pid_t pid, struct arena *arena, struct process *ret);
void process_done(struct process *p); // closes dir
// Field 22 of /proc/PID/stat, or 0.
uint64_t process_started(pid_t pid);
// Identity of the executable (device and inode, mixed): changes with exec. 0: unknown.
uint64_t process_exe_key(pid_t pid);
