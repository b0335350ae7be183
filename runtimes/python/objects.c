// Everything that the collector knows: at once, or a part of it at a time, while the program goes on in between.
#include "ext.h"

#if PY_VERSION_HEX < 0x030E0000
#include <internal/pycore_gc.h>
#include <internal/pycore_interp.h>

enum { LISTS = NUM_GENERATIONS + 1, LOOK_EVERY = 256 };

// The collector's own lists, the youngest generation first, which only change while something of the program's runs.
static PyGC_Head *list_of(struct _gc_runtime_state *gc, int i)
{
    return i < NUM_GENERATIONS ? &gc->generations[i].head : &gc->permanent_generation.head;
}

static struct _gc_runtime_state *collector(void) { return &PyThreadState_Get()->interp->gc; }

static PyObject *object_of(PyGC_Head *g) { return (PyObject *)(g + 1); }

// From both ends: each step waits for memory, and two such waits pass at once.
void ext_each_object(void (*each)(void *ctx, PyObject *o), void *ctx)
{
    for (int i = 0; i < LISTS; i++) {
        PyGC_Head *head = list_of(collector(), i), *g = _PyGCHead_NEXT(head), *h = _PyGCHead_PREV(head);
        for (; g != head; g = _PyGCHead_NEXT(g), h = _PyGCHead_PREV(h)) {
            each(ctx, object_of(g));
            if (g == h)
                break;
            each(ctx, object_of(h));
            if (_PyGCHead_NEXT(g) == h)
                break;
        }
    }
}
#else
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
#endif

#if PY_VERSION_HEX < 0x030E0000
enum { SLICES_MAX = 500, RESETS_MAX = 3 };

// In each list stands a mark, an object of our own: what is before it has been met. Of the program's objects none is kept over a slice. What is made
// goes to the end of the youngest list, and what a collection leaves to the end of the next older one: always behind the mark there.
static struct walk {
    PyObject *marks[LISTS]; // references; NULL: none is under way
    Py_ssize_t collections[NUM_GENERATIONS];
    const PyGC_Head
        *last_frozen; // of the permanent list: another, and gc.freeze() or gc.unfreeze() has moved everything
    unsigned slices, resets;
} walk;

void ext_objects_end(void)
{
    for (int i = 0; i < LISTS; i++)
        Py_CLEAR(walk.marks[i]); // out of whichever list it is in
    walk = (struct walk){ 0 };
}

static void join(PyGC_Head *first, PyGC_Head *second)
{
    _PyGCHead_SET_NEXT(first, second); // these are statements, up to 3.10
    _PyGCHead_SET_PREV(second, first);
}

static void mark(int i, PyGC_Head *behind)
{
    PyGC_Head *m = (PyGC_Head *)walk.marks[i] - 1;
    if (m == behind)
        return;
    PyGC_Head *next = _PyGCHead_NEXT(m), *prev = _PyGCHead_PREV(m);
    join(prev, next);
    next = _PyGCHead_NEXT(behind);
    join(behind, m);
    join(m, next);
}

// Marks whose list a collection has taken away, or put in another order, begin anew.
static void marks_check(struct _gc_runtime_state *gc)
{
    int oldest = _PyGCHead_PREV(list_of(gc, NUM_GENERATIONS)) == walk.last_frozen ? -1 : NUM_GENERATIONS;
    for (int i = 0; i < NUM_GENERATIONS; i++) {
        if (gc->generation_stats[i].collections != walk.collections[i] && oldest < i)
            oldest = i;
        walk.collections[i] = gc->generation_stats[i].collections;
    }
    for (int i = 0; i <= oldest; i++)
        mark(i, list_of(gc, i));
    walk.resets += oldest >= NUM_GENERATIONS - 1;
}

static bool begin(struct _gc_runtime_state *gc)
{
    for (int i = 0; i < LISTS; i++)
        if (!(walk.marks[i] = PyList_New(0))) {
            PyErr_Clear();
            ext_objects_end();
            return false;
        }
    for (int i = 0; i < LISTS; i++)
        mark(i, list_of(gc, i));
    for (int i = 0; i < NUM_GENERATIONS; i++)
        walk.collections[i] = gc->generation_stats[i].collections;
    walk.last_frozen = _PyGCHead_PREV(list_of(gc, NUM_GENERATIONS));
    return true;
}

bool ext_objects_some(void (*each)(void *ctx, PyObject *o), void *ctx, int64_t until_ns)
{
    struct _gc_runtime_state *gc = collector();
    // A program that collects all the time, or that makes more than can be met meanwhile, is looked at in one go.
    bool whole = walk.slices++ == SLICES_MAX || walk.resets > RESETS_MAX;
    if (gc->collecting && !whole) // a finaliser runs, and lists are being moved
        return false;
    if (whole || (!walk.marks[0] && !begin(gc))) {
        ext_objects_end();
        ext_each_object(each, ctx);
        return true;
    }
    marks_check(gc);
    unsigned n = 0;
    bool more = false;
    for (int i = 0; i < LISTS && !more; i++) {
        PyGC_Head *head = list_of(gc, i), *last = (PyGC_Head *)walk.marks[i] - 1, *g;
        for (; !more && (g = _PyGCHead_NEXT(last)) != head; last = g) {
            each(ctx, object_of(g));
            more = ++n % LOOK_EVERY == 0 && ext_now_ns() >= until_ns;
        }
        mark(i, last);
    }
    walk.last_frozen = _PyGCHead_PREV(list_of(gc, NUM_GENERATIONS));
    if (!more)
        ext_objects_end();
    return !more;
}
#else
void ext_objects_end(void) {}

bool ext_objects_some(void (*each)(void *ctx, PyObject *o), void *ctx, int64_t until_ns)
{
    ext_each_object(each, ctx);
    return true;
}
#endif
