// The way to the inspector of a Node process: is a signal safe, which socket is its, a connection that nobody else has.
#pragma once
#include "agent/backend.h"
#include "net/ws_client.h"

enum { INSPECTOR_SOCKETS_MAX = 256, INSPECTOR_MESSAGE_MAX = 32 << 20 };

// Sockets of the process that listen, by inode, and a sum over all that it has; 0: none was made.
struct inspector_sockets {
    uint64_t inodes[INSPECTOR_SOCKETS_MAX];
    size_t n;
    uint64_t sum;
};

// 0: SIGUSR1 opens the inspector, on the loopback. ERR_DENIED, ERR_UNSUPPORTED with code and words: it was told not to, or listens elsewhere, or has a debugger
// already. Reads /proc only.
int inspector_allowed(const struct process *p, struct err *err);
// The program has no handler of its own for SIGUSR1 (libuv's table of them, in its memory). ERR_DENIED: it has; ERR_UNSUPPORTED: that cannot be known.
int inspector_signal_is_free(const struct process *p, struct err *err);
// Where it listens, or would. FREE: nobody does. LEFT: it does, and nobody is connected (a session that was cut off, for the program was not started with it).
// TAKEN: a debugger is connected to it, or another process listens there.
enum inspector_port { INSPECTOR_FREE, INSPECTOR_LEFT, INSPECTOR_TAKEN };
// ret_own: the sockets that are not the inspector's.
enum inspector_port inspector_port_state(const struct process *p, uint64_t *ret_inode,
                                         struct inspector_sockets *ret_own);
// The port of a socket that listens now and did not before. 0: none yet.
unsigned inspector_opened(const struct process *p, const struct inspector_sockets *before, uint64_t *ret_inode);
// The process has that socket still.
bool inspector_has(const struct process *p, uint64_t inode);
// Connects, in the process' network. Blocks for some milliseconds: another thread of the process answers, not the program's.
int inspector_connect(const struct process *p, unsigned port, struct ws_client **ret, struct err *err);
// The process' end of that connection, by its descriptor there. -1: not found.
int inspector_descriptor(const struct process *p, int ours, uint64_t *ret_inode);
