// Up to 3.11: the functions that were met. A reference to one of them would keep it, and what it refers to, beyond its time, and its end, with finalisers of the
// program's, would come in a call of ours. Weak references without a callback do neither; the one that the function has already is shared. (Not of generators:
// their finalisers run Python when their weak references are cleared already, and one that is made meanwhile is left dangling.)
#include "ext.h"

#if PY_VERSION_HEX < 0x030C0000
enum { ROOM_MIN = 256 };

static const void **place_of(const void **table, size_t room, const void *p)
{
    size_t i = ((uintptr_t)p >> 4) * 0x9e3779b97f4a7c15u >> 20;
    while (table[i % room] && table[i % room] != p)
        i++;
    return &table[i % room];
}

static bool grow(struct ext_set *s)
{
    size_t room = s->room ? s->room * 2 : ROOM_MIN;
    const void **table = PyMem_RawCalloc(room, sizeof *table);
    if (!table)
        return false;
    for (size_t i = 0; i < s->room; i++)
        if (s->table[i])
            *place_of(table, room, s->table[i]) = s->table[i];
    PyMem_RawFree(s->table);
    s->table = table, s->room = room;
    return true;
}

enum ext_added ext_set_add(struct ext_set *s, const void *p)
{
    if (s->n * 2 >= s->room && !grow(s))
        return EXT_NO_ROOM;
    const void **at = place_of(s->table, s->room, p);
    if (*at)
        return EXT_KNOWN;
    *at = p, s->n++;
    return EXT_ADDED;
}

void ext_set_free(struct ext_set *s)
{
    PyMem_RawFree(s->table);
    *s = (struct ext_set){ 0 };
}

void ext_weak_add(struct ext_weak *w, PyObject *o)
{
    PyObject *ref = PyWeakref_NewRef(o, NULL);
    PyErr_Clear();
    enum ext_added added = ref ? ext_set_add(&w->refs, ref) : EXT_NO_ROOM;
    if (added != EXT_ADDED) // what a collection moved is met again
        Py_XDECREF(ref);
    w->failed |= added == EXT_NO_ROOM;
}

PyObject *ext_weak_next(const struct ext_weak *w, size_t *at)
{
    while (*at < w->refs.room) {
        PyObject *ref = (PyObject *)w->refs.table[(*at)++], *o = ref ? PyWeakref_GET_OBJECT(ref) : Py_None;
        if (o != Py_None)
            return o;
    }
    return NULL;
}

void ext_weak_free(struct ext_weak *w)
{
    for (size_t i = 0; i < w->refs.room; i++)
        Py_XDECREF((PyObject *)w->refs.table[i]);
    ext_set_free(&w->refs);
    w->failed = false;
}
#else
void ext_weak_add(struct ext_weak *w, PyObject *o) {}
void ext_weak_free(struct ext_weak *w) {}
#endif
