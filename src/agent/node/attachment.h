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
    // V8 of Node 18 was seen to run another function than the one that was called, once in some forty changes.
    NODE_MAJOR_MIN = 20,
    PLACED_MAX = 256,      // probes of a process
    SESSION_MS = 900,      // how long the inspector is open, at most, for what waits
    SESSION_END_MS = 5000, // and for what is under way
    SESSION_ARENA = 256 << 20,
    ORDERS_ROOM = 8 << 20,
    FILES_MAX = 64, // edited in one process
    CANDIDATES_MAX = 8,
    WORKERS_MAX = 64,
    PLACED_AT = 512,
};

// What a probe counts stands in memory of the target, and is read there.
struct figures {
    uint64_t mark;                   // which its table begins with
    uint64_t at;                     // where the table is; 0: not known
    bool missed;                     // it was looked for in vain
    struct probe_series_table *copy; // as it was read last; own
    struct probe_series_told told;
    int64_t read_ns, report_ns, still_ns; // when it is read and told again
};

struct placed {                // a probe of the set
    const struct probe *probe; // NULL: it has left the set
    uint32_t revision, slot;
    uint64_t id_hash;
    bool used;      // this element
    bool refused;   // never handed over
    bool ordered;   // the target has its function
    bool installed; // and calls it
    int state;      // of the target: 1 runs, 2 suspended, 3 over
    char told[64];  // state and code, as told last
    struct probe_counts counts;
    char error[PROBE_ERROR_TEXT];
    struct edit_name *names; // own
    uint32_t n_names;
    char *names_text;
    char at[PLACED_AT]; // where it stands in what was generated, as data of its state; empty: where it says itself
    uint32_t at_line;   // where it was installed
    struct figures figures;
    // In a session.
    struct edit_probe *edit;
    bool missing;                // a copy of its script is without it
    struct map_candidates *maps; // NULL: a script is called by its file
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

struct session {
    enum session_step step;
    struct arena arena;
    struct inspector_sockets before;
    struct ws_client *ws;
    unsigned port;
    int descriptor; // of its end of the connection, in the process; -1: not known
    uint64_t inode; // that socket's
    int holder;     // pipe to the process that holds the connection, too; 0: none
    int64_t begun_ns, end_ns, resume_ns;
    int message; // id of the request under way
    void (*then)(struct attachment *a, const struct json_node *result);
    void (*resumed)(struct attachment *a);
    struct arena reply; // the message being read
    struct session_script *scripts;
    size_t n_scripts, cap_scripts;
    int64_t last_script; // the highest number that was told
    str object;          // __clew
    str natives;         // the list of Node's functions
    str elements[32];
    str workers[WORKERS_MAX]; // the files that worker threads began with
    size_t n_workers;
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
    bool dirty, lost, ready;
    bool hopeless; // no session will ever do anything
    int64_t retry_ns;
    unsigned retries;
    uint32_t drop[PLACED_MAX]; // slots that the target is to forget
    size_t n_drop;
    struct node_pipe pipe;
    struct buf in;
    bool skipping; // a line that was too long
    struct probe_policy policy;
    const struct probe_policy *policy_used;
    struct buf policy_block;
    struct probe_space *space;
    struct map_files files;
    struct script_copies copies;
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
void placed_tell(struct attachment *a, struct placed *p, const char *state, const char *code, const char *message,
                 str data, uint32_t line);
// Counters as the target says them.
void placed_counts(struct attachment *a, const struct json_node *record);
