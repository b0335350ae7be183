// Source text with the calls of probes in it, and without.
#pragma once
#include "agent/node/scan.h"
#include "base/buf.h"
#include "probe/probe.h"

struct probe_policy;
struct map_view;

enum { EDIT_NAMES_MAX = 96, EDIT_LINE_PROBES = 16 };

struct edit_name {
    str name;     // in the text
    str original; // in the source that the text was made of, and so for people
    uint8_t kind; // enum probe_var_kind
    bool taken;   // it is part of the snapshot, and not only of an expression
};

// What a probe needs at its place. Texts are views of the source or of the probe.
struct edit_probe {
    const struct probe *probe;
    uint32_t slot;
    const struct map_view *view; // the file and line that are meant are those of a source of a map; NULL: of the text
    uint32_t source;             // which one
    uint32_t moved;              // the line that its own has become; 0: it is where the probe says
    uint32_t line;               // in what is meant; 0: none
    const struct scan_place *place; // NULL: none, it stands in no file
    uint32_t function;              // whose exits are probed; 0: none, the place is
    struct edit_name names[EDIT_NAMES_MAX];
    uint32_t n_names;
    bool is_in;           // the text that runs has it
    bool left_out;        // of the text that is made
    const char *hindered; // why the text is not changed for it; NULL: it is
    bool stopped;         // it stands at a breakpoint instead
    uint64_t mark, owner; // of a probe that counts: its table's
};

// Takes out what edit_write() has put in. ret is in the arena.
int edit_strip(str source, struct arena *arena, str *ret);
// What edit_write() has put in, from *at on. False: nothing more.
bool edit_piece_next(str text, size_t *at, size_t *ret_end);
// Whether it has put something in for the probe with this slot.
bool edit_is_in(str source, uint32_t slot);
// The probe says exits of a function, or exceptions that leave it.
bool edit_is_exit(const struct probe *p);
// Finds the place of e->probe and the names that it can read; where a call cannot stand there, e->hindered says why. ERR_NOENT: no code there (err.slug is
// the code).
int edit_place(const struct scan *scan, struct edit_probe *e, const struct probe_policy *policy, struct arena *arena,
               struct err *err);
// Whether there is room for it in its line beside those that stand there already. ERR_UNSUPPORTED, ERR_LIMIT.
int edit_fits(const struct scan *scan, struct edit_probe *const *others, size_t n, struct edit_probe *e,
              struct err *err);
// The function that is called there, as an element of the order's list (see walk.js).
int edit_order(const struct scan *scan, struct edit_probe *e, const struct probe_policy *policy, struct arena *arena,
               struct buf *out, struct err *err);
// The whole text with the calls of all of them that are not left out. Lines stay where they are.
int edit_write(const struct scan *scan, struct edit_probe *const *probes, size_t n, struct buf *out);
// Lines with code before and behind, as {"nearest":[..]}.
void edit_nearest(const struct scan *scan, const struct edit_probe *e, struct buf *out);
