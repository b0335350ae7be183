// Monitors: jobs that say when they begin and end, and what is made of those that do not.
//
// A check-in is a record of the source `checks`. This room reads them as they are committed, keeps each job's state in
// `monitors.db`, and writes what nobody else can say: that a job was missed or took too long, as further records, and
// for a job that fails, events of an issue of its own. Over a crash nothing is counted twice: what is read again from the
// log finds its check-in applied, and what was to be written stands in the database until it is.
//
// Threads: all functions from any thread, none from an I/O loop. One thread of the room's own reads and looks at the clock.
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include "monitors/schedule.h"

struct monitors;
struct issues;
struct store;

enum {
    MONITORS_MAX = 10000,
    MONITOR_ENVIRONMENTS_MAX = 100, // of one
    MONITOR_SLUG_MAX = 50,
    MONITOR_TEXT_MAX = 255,
    MONITOR_MARGIN_MAX_S = 7 * 86400,
    MONITOR_RUNTIME_MAX_S = 40 * 86400,
    MONITOR_THRESHOLD_MAX = 720,
    MONITOR_CHECKS_MAX = 500, // of a list
};

// As record.status of a check has it.
enum check_status { CHECK_OK, CHECK_ERROR, CHECK_MISSED, CHECK_LATE, CHECK_TIMEOUT, CHECK_RUNNING, CHECK_STATUSES };
str check_status_word(enum check_status s);

struct monitors_options {
    const char *path; // of the database: "DATA/monitors.db"; made when missing
    struct store *store;
    unsigned lane; // of the store, this room's alone
    struct issues *issues;
    bool manual;          // tests: nothing happens but in monitors_step()
    int64_t (*now)(void); // tests; NULL: clock_unix_ns
};
// The store was opened with CONSUMER_MONITORS and takes no batches yet.
int monitors_open(const struct monitors_options *o, struct monitors **ret_monitors, struct err *err);
void monitors_close(struct monitors *m); // NULL is allowed

struct monitor {
    int64_t id;
    uint32_t project;
    str slug, name;
    bool scheduled; // else it only says what it says
    str crontab;    // as written; of an interval empty
    int64_t every;
    enum schedule_unit unit;
    str timezone; // empty: UTC
    int64_t margin_s, max_runtime_s;
    int64_t failure_threshold, recovery_threshold; // so many in a row open and close an incident
    bool muted, disabled;
    int64_t created;
    str trouble; // why the configuration that came with a check-in is not used, and what to do; empty: it is
};
struct monitor_check {
    uint8_t id[16];
    str environment;
    enum check_status status;
    int64_t time, expected, received; // ns Unix; expected 0: not known
    int64_t duration;                 // ns; -1: not known
    bool has_trace;
    uint8_t trace[16];
};
struct monitor_environment {
    int64_t monitor;
    str name;
    bool any;                           // it has checked in
    enum check_status status;           // of the last check-in
    int64_t last, next, late_from;      // next 0: not scheduled; late_from: then it is missed
    int64_t duration;                   // of the last one that ended; -1
    int64_t failing_since;              // of the incident; 0: none
    int64_t failures;                   // in a row
    str hash;                           // of its issue's group
    const struct monitor_check *checks; // the newest, newest first
    size_t checks_n;
    uint64_t count[CHECK_STATUSES]; // in the range
};
struct monitor_row {
    struct monitor monitor;
    const struct monitor_environment *environments;
    size_t environments_n;
};

// By project and slug; of these projects (ascending). Counts of [from, to), the newest `checks` check-ins of each
// environment. id 0: all.
int monitors_list(struct monitors *m, const uint32_t *projects, size_t projects_n, int64_t id, int64_t from, int64_t to,
                  size_t checks, struct arena *arena, struct monitor_row **ret_rows, size_t *ret_n, struct err *err);
// Newest first, those of before `before` (ns; 0: the newest).
int monitors_checks(struct monitors *m, int64_t id, str environment, int64_t before, size_t n, struct arena *arena,
                    struct monitor_check **ret_checks, size_t *ret_n, struct err *err);

// id 0: a new one. ERR_INVALID, with the member as place; ERR_EXIST: its project has one of this slug; ERR_LIMIT; ERR_NOENT.
int monitors_save(struct monitors *m, const struct monitor *what, int64_t *ret_id, struct err *err);
// monitor.trouble of this one; empty too when there is no such monitor.
int monitors_trouble(struct monitors *m, uint32_t project, str slug, struct arena *arena, str *ret_trouble,
                     struct err *err);
int monitors_remove(struct monitors *m, int64_t id, struct err *err);
bool monitor_slug_ok(str slug);
// Is this the type of the events that a monitor in trouble writes, and so of its issue?
bool monitor_event_type(str type);

struct monitors_stats {
    uint64_t monitors, failing, checks, missed, timeouts; // the last three: since the start
};
void monitors_stats(struct monitors *m, struct monitors_stats *ret_stats);

// Tests and with `manual`: takes what was committed, looks at the clock, writes what is to be written. 1: there was something.
int monitors_step(struct monitors *m, struct err *err);
