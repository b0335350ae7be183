// The part that runs inside somebody else's Python. It calls none of the program's code: values are read by their
// structure, objects are compared by identity, and nothing here runs bytecode, imports, hashes or compares an object of the program's.
// Everything happens with the GIL held; the hit path allocates nothing.
#pragma once
#define Py_BUILD_CORE_MODULE 1
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <frameobject.h>

#include "agent/python/orders.h"
#include "probe/capture.h"
#include "probe/redact.h"
#include "probe/ring.h"
#include "probe/value.h"
#include <stdbool.h>

// --- frame.c: the stack as the interpreter has it ---
struct ext_frame {
    PyCodeObject *code; // borrowed
    int line;
    PyObject **values; // of locals, cells and free variables
    const void *at;    // the interpreter's own frame
};
// The innermost frame, then its callers; false at the end.
bool ext_frame_first(PyThreadState *ts, struct ext_frame *ret);
bool ext_frame_next(struct ext_frame *f);
struct ext_name {
    PyObject *name;  // borrowed, a str
    PyObject *value; // borrowed; NULL: not bound now
    enum clew_var_kind kind;
};
int ext_frame_names(const struct ext_frame *f);
bool ext_frame_name(const struct ext_frame *f, int i, struct ext_name *ret); // false: nothing that a person wrote

// --- walk.c ---
void ext_walk(struct probe_value_writer *w, PyObject *o);
str ext_text(PyObject *text, char *room, size_t n); // of a str, as far as it is ASCII; others are replaced by '?'
bool ext_text_is(PyObject *text, str want);         // a str, compared unit by unit

size_t ext_digits(PyObject *o, const digit **ret, bool *ret_negative); // of an int

bool ext_walk_known(struct probe_value_writer *w, PyObject *o); // known.c; false: it wrote nothing

// --- attribute.c ---
void ext_each_attribute(PyObject *o, bool (*each)(void *ctx, PyObject *name, PyObject *value),
                        void *ctx);             // until each says false
PyObject *ext_attribute(PyObject *o, str name); // borrowed, also a slot; NULL

// --- trace.c ---
void ext_trace_find(void);
bool ext_trace(uint8_t trace[16], uint8_t span[8]);

// --- lines.c: where lines begin in the body of a function (not its head) ---
void ext_lines(PyCodeObject *code, void (*each)(void *ctx, int line), void *ctx);
bool ext_has_line(PyCodeObject *code, int line);

// --- find.c: code of a file, and everything that the collector knows ---
enum { EXT_CODES_MAX = 8192 };
struct ext_codes {
    PyCodeObject **p; // references
    size_t n, room;
    bool failed; // no memory, or more than EXT_CODES_MAX
};
bool ext_codes_add(struct ext_codes *c, PyCodeObject *code); // once each; true when it was new
void ext_codes_free(struct ext_codes *c);
// Code of files that end with this path: of functions that are alive, and what is nested in it.
void ext_find(str file, struct ext_codes *ret);
void ext_each_object(void (*each)(void *ctx, PyObject *o), void *ctx);

// --- site.c: one probe ---
struct ext_site {
    struct clew_order order;
    bool dead;              // removed; frames that still run a copy of the code may come here
    char *texts;            // file, function
    PyObject *callee;       // called at the place where code is copied
    struct ext_codes codes; // where it stands: the originals
};
struct ext_site *ext_site_new(const struct clew_order *order, const char *texts);
void ext_site_drop(struct ext_site *s); // freed when its callee is

// --- place_copy.c (3.11) and place_monitor.c (3.12 and later) ---
bool ext_place_start(void);
// Makes these the sites that stand in the program. outcome, places and old_code of each are set.
void ext_place_all(struct ext_site *const *sites, size_t n);
void ext_apply(struct clew_orders *orders, size_t room);

// --- hit.c ---
enum ext_hit { EXT_GO_ON, EXT_STALE };
enum ext_hit ext_hit(const struct ext_site *s); // EXT_STALE: nobody listens any more

struct ext_state {
    bool started;
    uint8_t *mem;
    size_t size;
    struct probe_ring ring;
    struct probe_space space;
    uint8_t *scratch; // CLEW_RECORD_MAX
    uint8_t *policy_bytes;
    uint32_t policy_generation;
};
extern struct ext_state ext;
int64_t ext_now_ns(void);
