// What the agent asks of each runtime: to know its processes, to attach to one, to make a set of probes true in it and to take
// what they capture out of it. One struct backend a runtime; agent/backends.c lists them.
//
// All of it runs in the privileged helper process, on its one thread with one os/loop. A call may block for some milliseconds
// (a stop of the target is such a thing) and never waits for the target's good will: what is not ready is gone on with in
// poll(). What is read from the target (its memory, its files, what its in-process part has written) is hostile: every size is
// checked, every wait ends.
//
// Views in arguments are valid during the call only. Texts that go into events are copied by whoever receives them.
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"

#include <sys/types.h>

struct probe; // probe/probe.h

enum {
    PROCESS_ARGV_MAX = 16 << 10,    // bytes that are read of a command line
    PROCESS_ENVIRON_MAX = 64 << 10, // and of an environment
    PROCESS_PATH_MAX = 4096,
};

// --- processes ---

// A process as /proc shows it. pid and started together name it for good: pids come again. dir keeps /proc/PID open, so
// that openat(dir, "maps") can never be another process' file.
struct process {
    pid_t pid;
    uint64_t started; // clock ticks since boot (field 22 of stat)
    int64_t started_unix_ns;
    uid_t uid;
    gid_t gid;
    uint64_t capabilities; // permitted
    pid_t parent;
    pid_t ns_pid; // its pid in its own namespace: the one that it knows itself by
    int dir;      // descriptor of /proc/PID (O_DIRECTORY)
    str id;       // "PID-STARTED"
    str exe;      // what /proc/PID/exe points to; " (deleted)" taken off, see exe_deleted
    str cwd;      // in its own root
    str argv;     // arguments, each followed by NUL; cut at PROCESS_ARGV_MAX
    str environ;  // NAME=VALUE, each followed by NUL; cut at PROCESS_ENVIRON_MAX; empty when it may not be read
    str cgroup;   // path of its (v2, or first) control group
    bool exe_deleted;
    bool other_root; // another mount namespace than the agent's: open files through /proc/PID/root
    bool other_net;  // another network namespace
    bool shapes;     // the host's policy: types and sizes instead of values, whatever a probe asks
};

// The n-th argument, or an empty text with ptr NULL.
str process_arg(const struct process *p, unsigned n);
// Value of a variable of its environment at start; ptr NULL when there is none.
str process_env(const struct process *p, str name);
// Opens a path as the process sees it: a relative one from where it stands now, links followed as if its root were ours, nothing
// waited for, no terminal taken, with the rights of the process and not of the agent. flags: of open(2), without O_CREAT. The
// descriptor (close on exec), or a code of base/err.h.
int process_open_at(const struct process *p, str path, int flags);
// A regular file, read only; path is absolute. Negative: a code of base/err.h.
int process_open(const struct process *p, str path, int *ret_fd);
// It still is the process that it was.
bool process_alive(const struct process *p);

enum { FACT_CODE = 32, FACT_TEXT = 256 };

// What examine() says. Texts are copied: no pointer outlives the call.
struct process_facts {
    char version[64]; // of the runtime: "3.12.4", "v20.11.1"
    bool attachable;
    char code[FACT_CODE]; // not attachable: a stable code (no_permission, other_debugger, runtime_disabled, musl, ...)
    char message[FACT_TEXT]; // what it is, a sentence
    char hint[FACT_TEXT];    // what to do about it
};

// --- what comes out ---

// Counted since the probe was installed in that process; only ever growing while it is.
struct probe_counts {
    uint64_t hits;     // the place was reached
    uint64_t filtered; // and condition, hit condition or sample said no
    uint64_t captured; // and a capture was made
    struct {
        uint64_t rate, ring, spool, budget, grant; // made nothing, or lost, because of
    } dropped;
    uint64_t errors; // conditions and expressions that failed
    str first_error; // the first one's message
    uint64_t ns;     // time spent in the target
};

// States of probe/probe.h, by name: "installed", "waiting", "mismatch", ... code, message and data may be empty; data is
// a JSON object ({"nearest":[85,90]}). file and line (0: none) say where it was really installed.
struct backend_state {
    str probe;
    int64_t revision;
    str state, code, message, data;
    str file;
    int line;
};

struct backend_events {
    void *ctx;
    void (*state)(void *ctx, const struct backend_state *s);
    // A CAPTURE object of the agent's protocol, complete but for the members "id" and "process", which the agent puts in.
    void (*capture)(void *ctx, str probe, str json);
    void (*counts)(void *ctx, str probe, const struct probe_counts *c);
    // The attachment is over (the process has ended, or the back end gives up): the agent calls detach() soon, never from here.
    void (*lost)(void *ctx, str code, str message);
    // What a metric or timer probe has counted, as CAPTURE (probe/series.h); uses no hit. May be told when it has been removed.
    void (*figures)(void *ctx, str probe, str json);
};

// --- questions of people who place probes ---

enum resolve_what { RESOLVE_FILES, RESOLVE_SOURCE, RESOLVE_LINES, RESOLVE_VARIABLES, RESOLVE_FUNCTIONS };

struct resolve_request {
    enum resolve_what what;
    str path;   // of a file, as the runtime names it; RESOLVE_FILES: a folder, empty for the top
    str prefix; // of names, for completion
    int line;   // RESOLVE_LINES, RESOLVE_VARIABLES
};

// --- a runtime ---

struct attachment; // the back end's own

struct backend {
    const char *runtime; // "python", "node"
    // Whether p is of this runtime (1 and *ret filled, or 0), whether it can be attached to, and if not why. Reads /proc and the
    // executable only, in well under a millisecond for what is not of this runtime. Never changes anything.
    int (*examine)(const struct process *p, struct process_facts *ret);
    // Begins. p is copied by whoever needs it longer. May return before the target is ready: apply() and poll() go on. events stays valid
    // until detach(). Cleans up what an agent that was killed has left in the target. err.slug is the code that people see.
    int (*attach)(const struct process *p, const struct backend_events *events, struct attachment **ret,
                  struct err *err);
    // Makes these the whole set of probes: others are removed, those whose revision has changed are replaced. May be in part:
    // poll() goes on with what waits, and every change of a state is told through events->state, "installed" only after read-back.
    // The probes stay valid until the next apply() or detach().
    int (*apply)(struct attachment *a, const struct probe *const *probes, size_t n, struct err *err);
    // A descriptor that is readable when poll() has something to do; -1: by time alone. May change with any call.
    int (*fd)(const struct attachment *a);
    // Drains captures and counts, goes on with what waits, renews the heartbeat that keeps the in-process part alive. now_ns
    // is monotonic; *ret_next_ns: call again at this time at the latest (at most 1 s from now).
    int (*poll)(struct attachment *a, int64_t now_ns, int64_t *ret_next_ns);
    // Answers with one JSON value (the results of the agent's protocol), from the files of the process alone: nothing is done to
    // it, whether it is attached to or not.
    int (*resolve)(const struct process *p, const struct resolve_request *q, struct json_writer *out, struct err *err);
    // Removes everything from the target, then frees. Bounded in time; also after lost().
    void (*detach)(struct attachment *a);
};

// Every back end of this build, NULL at the end; the first whose examine() says 1 has the process.
extern const struct backend *const agent_backends[];
