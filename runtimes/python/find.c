#include "ext.h"

#if PY_VERSION_HEX < 0x030C0000
#include <internal/pycore_gc.h>
#include <internal/pycore_interp.h>
#endif

enum { NEST_MAX = 32, FILES_CACHED = 8 };

bool ext_codes_add(struct ext_codes *c, PyCodeObject *code)
{
    for (size_t i = 0; i < c->n; i++)
        if (c->p[i] == code)
            return false;
    if (c->n == c->room) {
        size_t room = c->room ? c->room * 2 : 64;
        PyCodeObject **p = room <= EXT_CODES_MAX ? PyMem_RawRealloc(c->p, room * sizeof *p) : NULL;
        if (!p) {
            c->failed = true;
            return false;
        }
        c->p = p, c->room = room;
    }
    Py_INCREF(code);
    c->p[c->n++] = code;
    return true;
}

void ext_codes_free(struct ext_codes *c)
{
    for (size_t i = 0; i < c->n; i++)
        Py_DECREF(c->p[i]);
    PyMem_RawFree(c->p);
    *c = (struct ext_codes){ 0 };
}

#if PY_VERSION_HEX >= 0x030C0000
struct visit {
    void (*each)(void *ctx, PyObject *o);
    void *ctx;
};

static int visited(PyObject *o, void *arg)
{
    struct visit *v = arg;
    v->each(v->ctx, o);
    return 1;
}

void ext_each_object(void (*each)(void *ctx, PyObject *o), void *ctx)
{
    struct visit v = { each, ctx };
    PyUnstable_GC_VisitObjects(visited, &v);
}
#else
static void each_of(PyGC_Head *head, void (*each)(void *ctx, PyObject *o), void *ctx)
{
    for (PyGC_Head *g = _PyGCHead_NEXT(head); g != head; g = _PyGCHead_NEXT(g))
        each(ctx, (PyObject *)(g + 1));
}

// The collector's own lists, which only change when objects are made or freed: nothing here does.
void ext_each_object(void (*each)(void *ctx, PyObject *o), void *ctx)
{
    struct _gc_runtime_state *gc = &PyThreadState_Get()->interp->gc;
    for (int i = 0; i < NUM_GENERATIONS; i++)
        each_of(&gc->generations[i].head, each, ctx);
    each_of(&gc->permanent_generation.head, each, ctx);
}
#endif

struct search {
    str file;
    struct ext_codes *codes;
    // Files are compared once: all code of a module refers to one text.
    PyObject *seen[FILES_CACHED];
    bool match[FILES_CACHED];
    unsigned next;
};

bool ext_file_is(PyObject *file, str want)
{
    char room[4096];
    str path = ext_text(file, room, sizeof room);
    return want.len && str_ends(path, want) &&
           (path.len == want.len || path.ptr[path.len - want.len - 1] == '/' || want.ptr[0] == '/');
}

static bool file_matches(struct search *s, PyObject *name)
{
    for (unsigned i = 0; i < FILES_CACHED; i++)
        if (s->seen[i] == name)
            return s->match[i];
    bool match = ext_file_is(name, s->file);
    s->seen[s->next % FILES_CACHED] = name;
    s->match[s->next++ % FILES_CACHED] = match;
    return match;
}

static void add_nested(struct search *s, PyCodeObject *code, int depth)
{
    if (!ext_codes_add(s->codes, code) || depth == NEST_MAX)
        return;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(code->co_consts); i++)
        if (PyCode_Check(PyTuple_GET_ITEM(code->co_consts, i)))
            add_nested(s, (PyCodeObject *)PyTuple_GET_ITEM(code->co_consts, i), depth + 1);
}

static void look(void *ctx, PyObject *o)
{
    struct search *s = ctx;
    if (Py_TYPE(o) != &PyFunction_Type)
        return;
    PyCodeObject *code = (PyCodeObject *)((PyFunctionObject *)o)->func_code;
    if (code && file_matches(s, code->co_filename))
        add_nested(s, code, 0);
}

void ext_find(str file, struct ext_codes *ret)
{
    *ret = (struct ext_codes){ 0 };
    struct search s = { .file = file, .codes = ret };
    ext_each_object(look, &s);
}
