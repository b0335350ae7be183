// What the variables of a code object are called, as captures write it, and whether that is secret: made at the first hit of a few of them, and
// forgotten when probes are placed anew. What a variable is at a hit is no part of it.
#include "ext.h"

enum { CODES = 16, TRIES = 4, NAME_BYTES = 256 };

static struct ext_names known[CODES];

const enum probe_var_kind ext_var_kinds[] = { PROBE_VAR_ARG, PROBE_VAR_LOCAL, PROBE_VAR_CLOSURE };

static void make(struct ext_names *k, const struct probe_capture *c, const struct ext_frame *f)
{
    char room[NAME_BYTES];
    int n = ext_frame_names(f);
    for (int i = 0; i < EXT_NAMES_MAX; i++) {
        struct ext_name v;
        k->vars[i].name.len = 0;
        // What no person wrote has none; nor has a long one that is not ASCII, of which the room would keep a part.
        if (i >= n || !ext_frame_name(f, i, &v) || PyUnicode_GET_LENGTH(v.name) * 4 + 4 > NAME_BYTES)
            continue;
        k->vars[i].flag = v.kind == CLEW_VAR_ARG ? CLEW_WITH_ARGS : CLEW_WITH_LOCALS;
        if (!probe_capture_name(c, ext_var_kinds[v.kind], ext_text(v.name, room, sizeof room), &k->vars[i].name))
            k->vars[i].name.len = 0;
    }
    k->policy = c->w.space->names_policy;
}

const struct ext_names *ext_names(const struct probe_capture *c, const struct ext_frame *f)
{
    for (size_t i = 0, at = (uintptr_t)f->code >> 5; i < TRIES; i++, at++) {
        struct ext_names *k = &known[at % CODES];
        if (k->code == f->code && k->policy == c->w.space->names_policy)
            return k;
        if (k->code && k->code != f->code)
            continue;
        if (!k->code) // nothing is put out at a hit, which could end the last reference
            k->code = (PyCodeObject *)Py_NewRef((PyObject *)f->code);
        make(k, c, f);
        return k;
    }
    return NULL;
}

void ext_names_forget(void)
{
    for (size_t i = 0; i < CODES; i++)
        Py_CLEAR(known[i].code);
}
