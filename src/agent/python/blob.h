// The code that is placed in a process to call one function on its main thread, and its data. The code saves the whole state of
// the thread on the thread's own stack (below the red zone), decides, calls, restores, and goes on where the thread was: from the moment
// its registers point here it needs nobody. So an agent may be killed at any time.
#pragma once
#include <stddef.h>
#include <stdint.h>

enum {
    BLOB_CODE_BYTES = 4096,
    BLOB_BYTES = 4 * 4096,      // code, then data
    BLOB_ARGS_BYTES = 2 * 4096, // room for what the call points to
};

enum blob_flags {
    BLOB_PARKED =
        1, // the thread is in a system call that waits: the call may be made here if the thread does not hold the GIL
    BLOB_WITH_GIL = 2, // PyGILState_Ensure and _Release around the call
};

enum blob_verdict {
    BLOB_UNDECIDED,
    BLOB_RAN,      // called at once
    BLOB_QUEUED,   // will be called by the interpreter between two instructions
    BLOB_HOLDS,    // waits in a system call with the GIL held: no place to call anything
    BLOB_NO_STATE, // no thread of Python
    BLOB_FULL,     // the interpreter's queue is full
};

struct blob_data {
    uint64_t resume;     // where the thread goes on
    uint64_t xsave_size; // bytes of the processor's extended state
    uint64_t thread_state, current_state, add_pending, ensure, release;
    uint64_t fn, arg[3];
    uint64_t result;
    uint32_t flags, verdict;
    uint32_t claim;        // 0: the call is to be made; whoever sets it to 1 makes it. Written last
    uint32_t status;       // 1: it was made
    uint32_t queued, came; // calls given to the interpreter's queue, and come back from there
    uint64_t spare[17];
    uint8_t args[BLOB_ARGS_BYTES];
};
_Static_assert(offsetof(struct blob_data, args) == 256, "the code below knows these offsets");
_Static_assert(sizeof(struct blob_data) <= BLOB_BYTES - BLOB_CODE_BYTES, "fits behind the code");

extern const uint8_t blob_code[], blob_code_end[]; // position-independent; begins with its entry

// One system call from a place that is executed once in a program's life (its _start), then on as if nothing had been: the
// registers that change are taken off a frame below the red zone.
extern const uint8_t blob_syscall[], blob_syscall_end[];
enum { BLOB_SYSCALL_RETURN = 2 }; // offset of the instruction behind `syscall`

struct blob_frame { // what blob_syscall takes off the stack; lies right below the red zone
    uint64_t rdi, rsi, rdx, r10, r8, r9, r11, rcx, rax, flags, rip;
};
enum { BLOB_RED_ZONE = 128 };
