// Brings the in-process part into a process and calls it there: memory shared with it, the object by memfd, then calls on the main
// thread whenever that is possible. Everything is done in small steps by load_step(), which never waits.
#pragma once
#include "agent/python/inject.h"
#include "agent/python/objects.h"
#include "probe/ring.h"

struct clew_orders;

enum load_phase { LOAD_PREPARE, LOAD_OPEN, LOAD_START, LOAD_READY, LOAD_FAILED };

struct load {
    enum load_phase phase;
    struct inject inject;
    const struct python_object *object;
    char name[48];     // of the object's memfd, with a hash of its bytes: found again in the process by it
    bool found;        // it was there already
    int calling;       // 1: a call is under way
    bool more;         // orders are not all applied: to be called again
    int64_t called_ns; // when it began
    int64_t again_ns;  // when to look whether it hangs in a queue
    int64_t next_ns;   // nothing to do before
    int64_t backoff_ns;
    bool leaving;    // the last call: nobody comes back for it, so that it is tried again soon, however often
    uint64_t number; // of the orders that were handed over last
    uint64_t start_at, apply_at;
    uint8_t *shared; // orders, tables of series, then the ring
    size_t shared_size;
    struct probe_ring ring;
    char waiting[32];  // why it does not go on: "busy_in_native", ...
    struct err failed; // of LOAD_FAILED
};

// ERR_UNSUPPORTED "no_object": this build has none for that version. Others as inject_open().
int load_begin(struct load *l, pid_t pid, const struct interp *interp, struct err *err);
// Goes on. Returns 1 when an apply that was asked for has come back, 0 otherwise, ERR_NOENT when the process has ended,
// other codes when it cannot be loaded (l->failed says why).
int load_step(struct load *l, int64_t now_ns);
// Where orders are written (CLEW_ORDERS_BYTES); only while no call is under way.
struct clew_orders *load_orders(struct load *l);
// Asks for them to be applied, in place of what is not applied yet of those from before; goes on in load_step(). ERR_AGAIN as inject_begin().
int load_apply(struct load *l, int64_t now_ns);
// Whether the thread is held, or about to be, since it did not stop in time. wanted: a step to come uses that; else it is let go.
bool load_held(struct load *l, bool wanted);
void load_end(struct load *l);
