// Everything that the collector knows: at once, or a part of it at a time, while the program goes on in between.
#include "collector.h"

enum { LOOK_EVERY = 256, SLICES_MAX = 500, RESETS_MAX = 3, YOUNG = 0, FROZEN = COLLECTOR_LISTS - 1 };

static PyObject *object_of(PyGC_Head *g) { return (PyObject *)(g + 1); }

#if PY_VERSION_HEX < 0x030E0000
// From both ends: each step waits for memory, and two such waits pass at once.
void ext_each_object(void (*each)(void *ctx, PyObject *o), void *ctx)
{
    struct ext_collector gc;
    ext_collector(&gc);
    for (int i = 0; i < COLLECTOR_LISTS; i++) {
        PyGC_Head *head = gc.lists[i], *g = _PyGCHead_NEXT(head), *h = _PyGCHead_PREV(head);
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
static void space_set(PyGC_Head *m, unsigned space) {}
static unsigned space_of(const PyGC_Head *m) { return 0; }
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

// Of each object the incremental collector knows which of its old lists it is in, or will go to; with generations it is 0.
static void space_set(PyGC_Head *m, unsigned space) { m->_gc_next = (m->_gc_next & _PyGC_PREV_MASK) | space; }
static unsigned space_of(const PyGC_Head *m) { return m->_gc_next & _PyGC_NEXT_MASK_OLD_SPACE_1; }
#endif

// In each list stands a mark, an object of our own: what is before it has been met. Of the program's objects none is kept over a slice. What is made
// goes to the end of the youngest list, and what a collection moves to the end of an older one: always behind the mark there.
static struct walk {
    PyObject *marks[COLLECTOR_LISTS]; // references; NULL: none is under way
    PyObject *guard;                  // the first of the permanent list, or gc.unfreeze() has been there
    Py_ssize_t collections[COLLECTOR_GENERATIONS];
    const PyGC_Head
        *last_frozen; // of the permanent list: another, and gc.freeze() or gc.unfreeze() has moved everything
    int visited;
    unsigned slices, resets;
} walk;

void ext_objects_end(void)
{
    for (int i = 0; i < COLLECTOR_LISTS; i++)
        Py_CLEAR(walk.marks[i]); // out of whichever list it is in
    Py_CLEAR(walk.guard);
    walk = (struct walk){ 0 };
}

static PyGC_Head *head_of(PyObject *o) { return (PyGC_Head *)o - 1; }
static PyGC_Head *mark_of(int i) { return head_of(walk.marks[i]); }

static void join(PyGC_Head *first, PyGC_Head *second)
{
    _PyGCHead_SET_NEXT(first, second); // these are statements, up to 3.10
    _PyGCHead_SET_PREV(second, first);
}

static void put(PyGC_Head *m, PyGC_Head *behind)
{
    if (m == behind)
        return;
    PyGC_Head *next = _PyGCHead_NEXT(m), *prev = _PyGCHead_PREV(m);
    join(prev, next);
    next = _PyGCHead_NEXT(behind);
    join(behind, m);
    join(m, next);
}

// To the beginning of its list: all of it is to be met (again).
static void mark_begin(const struct ext_collector *gc, int i)
{
    // As long as something is frozen an incremental collector's old lists do not change places.
    unsigned visited = gc->visited ? (unsigned)*gc->visited : 0, space = !gc->visited || i == FROZEN ? visited
                                                                         : i == YOUNG                ? 1u ^ visited
                                                                                                     : (unsigned)i - 1;
    put(mark_of(i), gc->lists[i]);
    space_set(mark_of(i), space);
    if (i == FROZEN) {
        put(head_of(walk.guard), gc->lists[i]);
        space_set(head_of(walk.guard), space);
    }
}

static bool is_frozen(const struct ext_collector *gc)
{
    PyGC_Head *head = gc->lists[FROZEN];
    return _PyGCHead_PREV(head) != walk.last_frozen || _PyGCHead_NEXT(head) != head_of(walk.guard);
}

static void walk_keep(const struct ext_collector *gc)
{
    for (int i = 0; i < COLLECTOR_GENERATIONS; i++)
        walk.collections[i] = gc->stats[i].collections;
    walk.last_frozen = _PyGCHead_PREV(gc->lists[FROZEN]);
    walk.visited = gc->visited ? *gc->visited : 0;
}

static Py_ssize_t collected(const struct ext_collector *gc, int generation)
{
    return gc->stats[generation].collections - walk.collections[generation];
}

// The oldest list whose mark a collection has taken away, or put in another order; -1: none.
static int taken_of_generations(const struct ext_collector *gc)
{
    for (int i = COLLECTOR_GENERATIONS - 1; i >= 0; i--)
        if (collected(gc, i))
            return i;
    return -1;
}

// A step takes away from the beginning of the one old list, and its mark, too, some day; it says so itself, since it is told to be of the other list then.
// That says nothing after two steps, or when the other mark was moved as well: then all has been joined, and the next round has begun.
static int taken_of_steps(const struct ext_collector *gc)
{
    int from = 1 + !walk.visited, to = 1 + walk.visited;
    if (collected(gc, 2) || collected(gc, 1) > 1 || space_of(mark_of(to)) != (unsigned)walk.visited)
        return COLLECTOR_GENERATIONS - 1;
    if (space_of(mark_of(from)) == (unsigned)walk.visited)
        mark_begin(gc, from);
    return collected(gc, 0) || collected(gc, 1) ? YOUNG : -1;
}

// Marks whose list a collection has taken away, or put in another order, begin anew.
static void marks_check(const struct ext_collector *gc)
{
    int oldest = is_frozen(gc) ? FROZEN : gc->visited ? taken_of_steps(gc) : taken_of_generations(gc);
    for (int i = 0; i <= oldest; i++)
        mark_begin(gc, i);
    walk.resets += oldest >= COLLECTOR_GENERATIONS - 1;
}

static bool begin(const struct ext_collector *gc)
{
    walk.guard = PyList_New(0);
    for (int i = 0; i < COLLECTOR_LISTS; i++)
        if (!(walk.marks[i] = PyList_New(0)) || !walk.guard) {
            PyErr_Clear();
            return false;
        }
    // What is new says of which kind the collector is, too.
    if (gc->visited && space_of(mark_of(YOUNG)) != (1u ^ (unsigned)*gc->visited))
        return false;
    for (int i = 0; i < COLLECTOR_LISTS; i++)
        mark_begin(gc, i);
    walk_keep(gc);
    return true;
}

bool ext_objects_some(void (*each)(void *ctx, PyObject *o), void *ctx, int64_t until_ns)
{
    struct ext_collector gc;
    // A program that collects all the time, or that makes more than can be met meanwhile, is looked at in one go.
    bool whole = !ext_collector(&gc) || walk.slices++ == SLICES_MAX || walk.resets > RESETS_MAX;
    if (!whole && *gc.collecting) // a finaliser runs, and lists are being moved
        return false;
    if (whole || (!walk.marks[0] && !begin(&gc))) {
        ext_objects_end();
        ext_each_object(each, ctx);
        return true;
    }
    marks_check(&gc);
    unsigned n = 0;
    bool more = false;
    for (int i = 0; i < COLLECTOR_LISTS && !more; i++) {
        PyGC_Head *head = gc.lists[i], *last = mark_of(i), *g;
        for (; !more && (g = _PyGCHead_NEXT(last)) != head; last = g) {
            each(ctx, object_of(g));
            more = ++n % LOOK_EVERY == 0 && ext_now_ns() >= until_ns;
        }
        put(mark_of(i), last);
    }
    walk_keep(&gc);
    if (!more)
        ext_objects_end();
    return !more;
}
