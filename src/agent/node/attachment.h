// What the files of the back end for Node share: see node.c (the set, what comes out) and session.c (the inspector).
#pragma once
#include "agent/node/edit.h"
#include "agent/node/inspector.h"
#include "agent/node/map_files.h"
#include "agent/node/pipe.h"
#include "base/json_tree.h"
#include "probe/probe.h"
#include "probe/redact.h"
#include "probe/series.h"

#include <string.h>

enum {
    NODE_MAJOR_MIN = 18,
    // V8 of Node 18 was seen to run another function than the one that was called, once in some forty changes: it gets breakpoints alone.
    NODE_MAJOR_EDITED = 20,
    PLACED_MAX = 256,      // probes of a process
    SESSION_MS = 900,      // how long the inspector is open, at most, for what waits
    SESSION_END_MS = 5000, // and for what is under way
    SESSION_ARENA = 128 << 20,
    ORDERS_ROOM = 8 << 20,
    FILES_MAX = 64, // edited in one process
    CANDIDATES_MAX = 8,
    WORKERS_MAX = 16,                       // threads of a process that are probed beside its main one, at once
    THREADS_MAX = 512,                      // and in all, as long as the agent is attached
    FIGURES_TABLES = 2 * (WORKERS_MAX + 1), // of a probe: of threads that run, and of ones that have just ended
    PLACED_AT = 512,
};

// What a probe counts stands in memory of the target, a table for each thread, and is read there.
struct figures_table {
    unsigned thread;             // number of the attachment's
    unsigned turn;               // the session that ordered it, or saw it last
    bool called;                 // it saw that the thread calls the probe
    uint64_t mark;               // which it begins with; 0: this element is free
    uint64_t at;                 // where it is; 0: not known
    bool missed;                 // it was looked for in vain
    bool gone;                   // its thread has let go of it
    struct probe_series *series; // as they were read last; own
    size_t n_series;
};
struct figures {
    struct figures_table *tables;         // FIGURES_TABLES; own; NULL: none yet
    struct probe_series_table *all;       // what all of them have counted; own
    struct probe_series_told told;        // of it
    int64_t read_ns, report_ns, still_ns; // when they are read and told again
};

// What became of a probe in one thread, or in the process.
struct verdict {
    char state[24], code[32], message[256];
    str data; // in the session's words, or empty
    uint32_t line;
};

struct thread_counts {
    struct probe_counts counts;
    int state; // 0: none of its hits is known
};

struct placed {                // a probe of the set
    const struct probe *probe; // NULL: it has left the set
    uint32_t revision, slot;
    uint64_t id_hash;
    bool used;                     // this element
    bool refused;                  // never handed over
    bool ordered;                  // some thread of the target may have its function
    bool installed;                // and calls it
    int state;                     // of its threads, the worst: 1 runs, 2 suspended, 3 over
    char told[320];                // state, code and words, as told last
    struct verdict last;           // what the last session came to
    struct probe_counts before;    // of threads that have begun to count again since
    struct probe_counts counts;    // of all threads, and that
    struct thread_counts *threads; // own; by number of the attachment's threads
    size_t n_threads;
    char error[PROBE_ERROR_TEXT];
    struct edit_name *names; // own
    uint32_t n_names;
    char *names_text;
    char at[PLACED_AT];  // where it stands in what was generated, as data of its state; empty: where it says itself
    uint32_t at_line;    // where it was installed
    char stop_note[224]; // in the main thread it stands at a breakpoint; empty: it does not
    struct figures figures;
    // In a session: what has come of it in the threads that are done.
    unsigned in, out;     // threads that call it; that run the file and do not
    struct verdict first; // what came of it in the first of the others
    uint64_t text;        // hash of the file's text in the thread that was first; 0: none yet
    // In the thread that is talked to.
    struct edit_probe *edit;
    bool has;                    // it has the function
    bool here;                   // and calls it
    bool missing;                // a copy of its script is without it
    struct map_candidates *maps; // NULL: a script is called by its file
    struct verdict verdict;
};

struct node_thread {
    char name[64];
    uint64_t id;   // Node's
    unsigned turn; // the session that saw it last
};

enum session_step { SESSION_NONE, SESSION_OPENING, SESSION_TALKING, SESSION_PAUSING, SESSION_CLOSING, SESSION_CLOSED };

// V8 keeps the old text of a changed script as a script of its own, with a new number and the same name, until its collector comes by. Nothing of the
// program runs it, and changing it, too, would double their number. So those of changed files that do run are known by their numbers; of the
// others, the ones that were numbered before the last session's end are such remains.
enum { COPIES_MAX = 256 };
struct script_copies {
    struct {
        uint64_t url_hash;
        int64_t id;
    } live[COPIES_MAX];
    size_t n;
    int64_t until; // the last number that was given when this was known
};

struct session_script {
    str id, url, map_url; // map_url: empty also where the map is inside
    bool native;          // Node's own
    bool mapped;          // it names a source map
    bool changed;         // in this session
};

// A worker thread that the inspector tells of.
struct session_worker {
    char session[24], object[64]; // of the inspector; its __clew, or empty
    char name[64];
    uint64_t id; // Node's
    bool answers, ended, left;
};

struct session {
    enum session_step step;
    struct arena arena;
    struct inspector_sockets before;
    struct ws_client *ws;
    unsigned port;
    uint64_t listener; // its socket
    int descriptor;    // of its end of the connection, in the process; -1: not known
    uint64_t inode;    // that socket's
    int holder;        // pipe to the process that holds the connection, too; 0: none
    int64_t begun_ns, end_ns, resume_ns, linger_ns;
    int message_first, message; // ids of the requests under way
    void (*then)(struct attachment *a, const struct json_node *result);
    void (*resumed)(struct attachment *a);
    struct arena reply; // the message being read
    uint64_t messages;  // that have come
    struct session_script *scripts;
    size_t n_scripts, cap_scripts;
    int64_t last_script; // the highest number that was told
    str object;          // __clew
    str natives;         // the list of Node's functions
    str elements[32];
    // Threads, one after the other: see workers.c.
    bool passing;                  // states are of a thread, and not told yet
    bool stops;                    // no further thread is talked to
    bool asked;                    // the inspector tells of workers
    bool leaving;                  // all threads had their turn
    struct session_worker *worker; // that is talked to; NULL: the main thread
    struct session_worker workers[WORKERS_MAX];
    size_t n_workers;
    bool calling;               // which of them answer
    bool complete;              // all were asked for, and talked to or counted here:
    unsigned unknown, too_many; // that do not answer; that are too many
    char why[256];              // of the first that could not be looked at
    int64_t asked_ns, workers_ns;
    int64_t pace_ns; // what the main thread took: the measure of what a worker may
    char main_object[64];
    int main_pipe; // its descriptor there
    struct buf wrapped;
    struct arena words;        // of verdicts
    unsigned thread;           // number of the thread that is talked to
    bool ready;                // it has the pipe open
    uint32_t drop[PLACED_MAX]; // slots that it is to forget
    size_t n_drop;
    struct script_copies copies;
    size_t n_elements, element;
    struct buf out, orders, text;
    size_t script; // being edited
    bool again;    // something waits
    // The script's.
    str source, original, path;
    struct scan scan;
    struct map_view *view; // of its map; NULL: not read, or see view_err
    struct err view_err;
    str base, script_path; // when there is a view
    struct edit_probe **edits;
    size_t n_edits, cursor;
    struct edit_probe **breaks;      // to be breakpoints
    size_t n_breaks, n_hindered;     // of those, in front, the ones that no change was tried for
    const char *out_code, *out_text; // of the edits that are left out
    bool one_by_one, cleared;
    char *edited[FILES_MAX]; // URLs of files that hold calls, or may
    size_t n_edited;
    str unclean; // of those, one that could not be taken back
};

struct attachment {
    uint32_t magic;
    struct process process; // its texts are in arena
    struct arena arena;
    const struct backend_events *events;
    struct placed placed[PLACED_MAX];
    uint32_t next_slot;
    bool dirty, lost;
    bool hopeless; // no session will ever do anything
    bool unedited; // breakpoints alone
    bool required; // its modules come by `require` alone
    int64_t retry_ns;
    unsigned retries;
    struct node_pipe pipe;
    int pipe_end;         // the main thread's descriptor of it
    int64_t pipe_look_ns; // when it is looked whether that is still so
    struct buf in;
    bool skipping; // a line that was too long
    struct probe_policy policy;
    const struct probe_policy *policy_used;
    struct buf policy_block;
    struct probe_space *space;
    struct map_files files;
    struct node_thread *threads; // own; the first is the main one
    size_t n_threads;
    unsigned turn; // sessions so far, this one included
    struct {
        pid_t *ids; // own; the kernel's, when the last session began
        size_t n;
        int64_t next_ns, look_ns;
        unsigned looks, after; // so far; and that are due though no thread has come
    } seen;
    struct session session;
};

// session.c
int session_begin(struct attachment *a, int64_t now, struct err *err);
void session_step(struct attachment *a, int64_t now);
void session_abort(struct attachment *a);
bool session_runs(const struct attachment *a);
void session_free(struct attachment *a);
// node.c
// Exceptions that nobody catches: no text of a file is changed for them.
bool placed_without_file(const struct probe *p);
// In a session: what became of it in the thread that is talked to. Otherwise it is told.
void placed_tell(struct attachment *a, struct placed *p, const char *state, const char *code, const char *message,
                 str data, uint32_t line);
void placed_say(struct attachment *a, struct placed *p, const struct verdict *v);
// Counters as the target says them.
void placed_counts(struct attachment *a, const struct json_node *record);

// threads.c
// Threads are numbered as they are met; the main one is 0.
str threads_name(const struct attachment *a, size_t thread);
// A number for one more; 0: there are too many.
unsigned threads_add(struct attachment *a, const char *name, uint64_t id);
// As Node numbers them.
uint64_t threads_id(const struct attachment *a, size_t thread);
// A thread begins to count again; what it has counted stays in the sum.
void threads_anew(struct placed *p, size_t thread);
// The counters of a probe as a thread says them.
void threads_count(struct attachment *a, struct placed *p, size_t thread, const struct probe_counts *c, int state);
// Tells whether the worst of its threads is suspended, where that has changed.
void threads_suspension(struct attachment *a, struct placed *p);
// Which threads the kernel knows, before a session begins; and whether more have come since, so that it is worth looking again.
void threads_note(struct attachment *a);
bool threads_came(struct attachment *a, int64_t now);
