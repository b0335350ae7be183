// What 3.9 and 3.10 lack of what the rest is written for, and the layouts that their headers keep to themselves.
#pragma once
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#if PY_VERSION_HEX < 0x030B0000
#include <stdint.h>

#if PY_VERSION_HEX < 0x030A0000
#include <internal/pycore_interp.h>

static inline PyObject *Py_NewRef(PyObject *o)
{
    Py_INCREF(o);
    return o;
}
#define Py_NewRef(o) Py_NewRef((PyObject *)(o))

// Whether it was on.
static inline int PyGC_Disable(void)
{
    int was = PyThreadState_Get()->interp->gc.enabled;
    PyThreadState_Get()->interp->gc.enabled = 0;
    return was;
}
static inline void PyGC_Enable(void) { PyThreadState_Get()->interp->gc.enabled = 1; }
#endif

// A dictionary's table, as Objects/dict-common.h of these versions has it: all keys are of one kind.
typedef struct {
    Py_hash_t me_hash;
    PyObject *me_key, *me_value;
} PyDictKeyEntry;
typedef struct {
    PyObject *me_key, *me_value;
} PyDictUnicodeEntry;
struct _dictkeysobject {
    Py_ssize_t dk_refcnt, dk_size; // a power of two
    void *dk_lookup;
    Py_ssize_t dk_usable, dk_nentries;
    char dk_indices[];
};
enum { DKIX_EMPTY = -1 };

static inline int old_index_bytes(const PyDictKeysObject *keys)
{
    return keys->dk_size <= 0xff ? 1 : keys->dk_size <= 0xffff ? 2 : keys->dk_size <= 0xffffffff ? 4 : 8;
}
static inline PyDictKeyEntry *DK_ENTRIES(PyDictKeysObject *keys)
{
    return (PyDictKeyEntry *)(keys->dk_indices + keys->dk_size * old_index_bytes(keys));
}
#endif
