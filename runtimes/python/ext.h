// The part that runs inside somebody else's Python. It calls none of the program's code: values are read by their
// structure, objects are compared by identity, and nothing here runs bytecode, imports, hashes or compares an object of the program's.
// Everything happens with the GIL held; the hit path allocates nothing.
#pragma once
#define Py_BUILD_CORE_MODULE 1
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <frameobject.h>

#include "old.h"

#include "agent/python/orders.h"
#include "probe/capture.h"
#include "probe/code.h"
#include "probe/redact.h"
#include "probe/ring.h"
#include "probe/value.h"
#include "probe/vm.h"
#include <stdbool.h>

// --- frame.c (3.11 and later) and frame_old.c: the stack as the interpreter has it ---
struct ext_site;
struct ext_frame {
    PyCodeObject *code;            // borrowed
    PyObject **values;             // of locals, cells and free variables; tagged from 3.14 on
    PyObject *globals;             // borrowed
    const void *at;                // the interpreter's own frame
    int line;                      // known already; 0: where it stands
    const struct ext_frame *outer; // next one of a traceback; NULL: the interpreter's
};
// The innermost frame, then its callers; false at the end.
bool ext_frame_first(PyThreadState *ts, struct ext_frame *ret);
bool ext_frame_next(struct ext_frame *f);
bool ext_frame_traced(const PyTracebackObject *tb,
                      struct ext_frame *ret);  // that of a traceback's entry; false: it has none
int ext_frame_line(const struct ext_frame *f); // reads the table of lines: not for every hit
struct ext_name {
    PyObject *name;  // borrowed, a str
    PyObject *value; // borrowed; NULL: not bound now
    enum clew_var_kind kind;
};
int ext_frame_names(const struct ext_frame *f);
bool ext_frame_name(const struct ext_frame *f, int i, struct ext_name *ret); // false: nothing that a person wrote
PyObject *ext_frame_value(const struct ext_frame *f, int i); // of ext_frame_name(), borrowed; NULL: not bound now
// A variable by its interned name. False: the frame has none of that name; *ret NULL: it is not bound now.
bool ext_frame_find(const struct ext_frame *f, PyObject *name, PyObject **ret);

// The line at which an exception has left this frame; 0: not known.
int ext_frame_left(const struct ext_frame *f, PyObject *exception);

// --- calls.c: of the frame that runs ---
void ext_call_begin(void);
int64_t ext_call_end(void); // since then, in ns; -1: not known
void ext_calls_forget(void);
bool ext_exception_is(PyObject *exception,
                      str want); // the type's name, or that of a class that it is built on; "*": any

// An exception that is raised in this code is one that the probe asks for.
bool ext_exception_wanted(const struct ext_site *s, PyCodeObject *code, PyObject *exception);
bool ext_exception_ends(PyObject *exception); // a program or a generator, without a word of an error

// --- uncaught.c: what nobody catches, up to 3.11 ---
bool ext_uncaught_stands_in(PyCodeObject *code); // a function that is called then
PyObject *ext_uncaught_call(struct ext_site *s); // it is; None
// Of these sites, those that ask for it. False: what is at the program's end cannot be seen.
bool ext_uncaught_place(struct ext_site *const *sites, size_t n);

// --- walk.c ---
void ext_walk(struct probe_value_writer *w, PyObject *o);
str ext_text_wide(PyObject *text, char *room, size_t n);
// Of a str, as UTF-8, as far as it fits; empty: it is none.
static inline str ext_text(PyObject *text, char *room, size_t n)
{
    if (text && PyUnicode_Check(text) && PyUnicode_IS_COMPACT_ASCII(text))
        return str_of(PyUnicode_DATA(text), (size_t)PyUnicode_GET_LENGTH(text));
    return ext_text_wide(text, room, n);
}
bool ext_text_is(PyObject *text, str want); // a str, compared unit by unit

size_t ext_digits(PyObject *o, const digit **ret, bool *ret_negative); // of an int

bool ext_has_fields(PyObject *o); // an object whose fields are known

bool ext_walk_known(struct probe_value_writer *w, PyObject *o); // known.c; false: it wrote nothing
bool ext_decimal(PyObject *o, double *ret);                     // a decimal.Decimal, as the nearest float

// --- dict.c: dictionaries, asked without a comparison or a hash of the program's ---
struct ext_key {               // what is looked for
    const struct probe_val *v; // NULL to BYTES
    PyObject *interned;        // a str that is the same, or NULL
};
// 1 and *ret (borrowed), 0: not there, or an enum probe_fault_reason as a negative number: it cannot be known.
int ext_dict_get(PyObject *dict, const struct ext_key *key, struct probe_scratch *scratch, PyObject **ret);
// Of interned names, in what only has such keys in practice.
PyObject *ext_dict_name(PyObject *dict, PyObject *interned); // borrowed, NULL
// The same of what stays where it is: *hint is where it was found.
PyObject *ext_dict_name_again(PyObject *dict, PyObject *interned, Py_ssize_t *hint);
PyObject *ext_dict_int_again(PyObject *dict, int64_t i, Py_ssize_t *hint);

// --- attribute.c ---
enum ext_attribute_found { EXT_ATTRIBUTE, EXT_ATTRIBUTE_NONE, EXT_ATTRIBUTE_UNBOUND, EXT_ATTRIBUTE_COMPUTED };
// Of the instance, its slots, then its classes, as far as it is stored and no descriptor stands in between.
enum ext_attribute_found ext_attribute_find(PyObject *o, PyObject *interned, PyObject **ret);
// The next one from *cursor (0 at first); false at the end.
struct ext_attribute_at {
    const char *slot; // its name, or
    PyObject *name;   // a str
    PyObject *value;
};
bool ext_attribute_next(PyObject *o, uint64_t *cursor, struct ext_attribute_at *ret);
void ext_each_attribute(PyObject *o, bool (*each)(void *ctx, PyObject *name, PyObject *value),
                        void *ctx);             // until each says false
PyObject *ext_attribute(PyObject *o, str name); // borrowed, also a slot; NULL

// --- trace.c ---
void ext_trace_met(PyObject *context_var);
void ext_trace_find(void); // when probes are placed
bool ext_reported(void);
bool ext_trace(uint8_t trace[16], uint8_t span[8]);
uint64_t ext_thread_id(void);
str ext_thread_name(char *room, size_t n); // as the program has named it; empty: not known

// --- names.c: variables of code that is captured again and again ---
enum { EXT_NAMES_MAX = 48 };
struct ext_names {
    PyCodeObject *code; // reference
    uint64_t policy;    // under which it holds
    struct ext_named {
        uint32_t flag;                  // CLEW_WITH_ARGS or CLEW_WITH_LOCALS
        struct probe_capture_name name; // of length 0: ask ext_frame_name()
    } vars[EXT_NAMES_MAX];
};
// NULL: no room for this one.
const struct ext_names *ext_names(const struct probe_capture *c, const struct ext_frame *f);
void ext_names_forget(void);
extern const enum probe_var_kind ext_var_kinds[]; // of enum clew_var_kind

// --- code_name.c ---
bool ext_code_is(PyCodeObject *code, str function); // by its name or its qualified name

// --- lines.c and lines_old.c (up to 3.10): where lines begin in the body of a function (not its head) ---
void ext_lines(PyCodeObject *code, void (*each)(void *ctx, int line), void *ctx);
bool ext_has_line(PyCodeObject *code, int line);

// --- objects.c: everything that the collector knows ---
void ext_each_object(void (*each)(void *ctx, PyObject *o), void *ctx);
// Goes on where it stopped the last time, as far as it gets until then. True: everything that is alive now has been met, some of it more than once.
bool ext_objects_some(void (*each)(void *ctx, PyObject *o), void *ctx, int64_t until_ns);
void ext_objects_end(void); // it need not go on

// --- weak.c: functions that are remembered while the program goes on, and that live no longer for it; up to 3.11, later none is remembered ---
struct ext_set { // of pointers
    const void **table;
    size_t n, room;
};
enum ext_added { EXT_ADDED, EXT_KNOWN, EXT_NO_ROOM };
enum ext_added ext_set_add(struct ext_set *s, const void *p);
void ext_set_free(struct ext_set *s);
struct ext_weak {
    struct ext_set refs; // references
    bool failed;         // no memory: they are not all there
};
void ext_weak_add(struct ext_weak *w, PyObject *o);
// The next one that is alive, borrowed; *at 0 at first. NULL: there are no more.
PyObject *ext_weak_next(const struct ext_weak *w, size_t *at);
void ext_weak_free(struct ext_weak *w);

// --- find.c: code of a file ---
enum { EXT_CODES_MAX = 8192 };
struct ext_codes {
    PyCodeObject **p; // references
    size_t n, room;
    bool failed; // no memory, or more than EXT_CODES_MAX
};
bool ext_codes_add(struct ext_codes *c, PyCodeObject *code); // once each; true when it was new
void ext_codes_free(struct ext_codes *c);
// Begins to look at everything that is alive, for code of files that end with one of these paths (of functions, and what is nested in it) and
// for the SDKs' context variables; n 0: at nothing. The paths' bytes stay until ext_survey_end().
void ext_survey(const str *files, size_t n);
// Goes on until then (CLOCK_MONOTONIC), at the most. True: all has been seen, and what was found holds until ext_survey_end(), while nothing of the program's runs.
bool ext_survey_some(int64_t until_ns);
const struct ext_codes *ext_survey_file(str file);
struct ext_codes *ext_survey_codes(size_t i);    // of each file; NULL: there are no more
const struct ext_weak *ext_survey_objects(void); // up to 3.11: functions of such code
void ext_survey_end(void);

// --- program.c: the expressions of a probe ---
struct ext_program {
    struct probe_code code; // verified, of memory that is ours alone
    str text;
    uint32_t role, index; // enum clew_role
    struct ext_program_name {
        const char *at;     // of the code's text
        PyObject *interned; // reference; NULL: no name that Python could have
        uint8_t rule;       // enum probe_rule, of the policy below
    } * names;
    uint32_t policy_generation; // for which rules were looked up
    uint64_t *changed;          // code.n_changed words
};

struct ext_site;
struct ext_event;
struct ext_hit {
    const struct ext_site *site;
    uint64_t number;
    int64_t begun, ended; // 0: not known yet
    int64_t own;          // of what the thread had of a processor when it began; 0: not asked
    const struct probe_policy *policy;
    bool trace_known, traced;
    uint8_t trace[16], span[8];
    const struct ext_event *event;
};
bool ext_hit_trace(struct ext_hit *h);
// Reads what stands behind an order's texts. False: these are no programs that may be run.
bool ext_programs_read(struct ext_site *s, uint8_t *p, size_t n);
void ext_programs_free(struct ext_site *s);
// 0, or a reason with its message in text.
int ext_program_test(struct ext_program *p, struct ext_hit *h, bool *ret, char *text, size_t room, size_t *ret_len);
// Evaluates, and writes the value or the error as expression `index` of the capture. False: it failed; text as above.
bool ext_program_put(struct ext_program *p, struct ext_hit *h, struct probe_capture *c, uint32_t index, char *text,
                     size_t room, size_t *ret_len);

// Evaluates to a value that has no parts: *ret of the kinds up to STR. 0, or a reason; text as above.
int ext_program_scalar(struct ext_program *p, struct ext_hit *h, struct probe_val *ret, char *text, size_t room,
                       size_t *ret_len);

// --- figures.c: a hit of a probe that counts. False: it failed, which was noted. *ret_slow: it took long to know.
bool ext_count(struct ext_site *s, struct ext_hit *h, bool *ret_slow);

// --- site.c: one probe ---
struct ext_site {
    struct clew_order order;
    bool dead;      // removed; frames that still run a copy of the code may come here
    uint8_t *texts; // file, function, programs: a copy of what the agent wrote
    struct ext_program *programs;
    size_t n_programs;
    struct ext_program *condition;       // one of them, or NULL
    uint64_t passed;                     // hits whose condition was true
    uint32_t doubted;                    // hits to come that are measured by the thread's own clock, too
    PyObject *callee;                    // called at the place where code is copied, and where it is about exits:
    PyObject *begins, *returns, *raises; // at the entry, with what is returned, with what is raised; or NULL
    struct ext_codes codes;              // where it stands: the originals
    const PyObject *told;                // the exception that was at the program's end
    struct probe_series_table *series;   // of one that counts
};
struct ext_site *ext_site_new(const struct clew_order *order, const uint8_t *texts, size_t n);
void ext_site_drop(struct ext_site *s); // freed when its callee is

// --- place_copy.c (up to 3.11) and place_monitor.c (3.12 and later) ---
bool ext_place_start(void);
bool ext_place_names_code(enum clew_at at);   // else it is placed without code objects
str ext_place_file(const struct ext_site *s); // whose code is looked for
// Files in which something stands that has to be found again to be taken out. Returns how many, at most `most`.
size_t ext_place_files(str *out, size_t most);
// Makes these the sites that stand in the program. outcome, places and old_code of each are set.
void ext_place_all(struct ext_site *const *sites, size_t n);
// Adds generators to old_code, until then at the most, as long as these are the sites. True: all are counted.
bool ext_place_count(int64_t until_ns);
void ext_place_count_end(void); // it need not go on
void ext_apply(struct clew_orders *orders, size_t room);

// --- hit.c ---
enum ext_outcome { EXT_GO_ON, EXT_STALE };
struct ext_event {                  // what is known at an exit
    PyObject *returned, *exception; // borrowed, or NULL
    int64_t duration_ns;            // -1: not known
    const struct ext_frame *frame;  // where it happened; NULL: in the frame that runs
    uint32_t cut;                   // frames that are not among its callers
};
// raised.c
bool ext_event_frame(const struct ext_event *e, struct ext_frame *ret);
// The frames that an exception has left, as its traceback has kept them, from where it was raised to that in which it is now or was caught, and
// then its callers. NULL: it has no traceback. Holds until the next call. *ret_cut: how many of the outer ones are left out.
const struct ext_frame *ext_frame_raised(PyObject *exception, uint32_t *ret_cut);
enum ext_outcome ext_hit(struct ext_site *s, const struct ext_event *e); // EXT_STALE: nobody listens any more
str ext_site_file(const struct ext_site *s);
str ext_site_function(const struct ext_site *s);
str ext_site_exception(const struct ext_site *s);
bool ext_file_is(PyObject *file, str want); // ends with it, at a border of a path

enum { EXT_VM_SCRATCH = 160 << 10 }; // of each expression: the largest text, and what is made of it
struct ext_state {
    bool started;
    volatile uint8_t *mine; // 0 in a process that was forked off since: what is mapped there is its parent's
    uint32_t pid;
    const PyThreadState *starter; // the main thread, whose number the kernel was asked for
    uint64_t starter_id;
    uint8_t *mem;
    size_t size;
    struct probe_ring ring;
    struct probe_space space;
    uint8_t *scratch;           // CLEW_RECORD_MAX
    uint8_t *vm_scratch;        // EXT_VM_SCRATCH for each expression of one hit, which nothing interrupts
    uint8_t *policy_bytes;      // PROBE_POLICY_ROOM twice: what .policy looks into, and what comes
    struct probe_policy policy; // verified once, not at each hit
    bool has_policy;
    uint32_t policy_generation;
};
extern struct ext_state ext;
int64_t ext_now_ns(void);
int64_t ext_own_ns(void); // what the thread has had of a processor; a system call
