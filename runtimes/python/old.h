// What 3.9 and 3.10 lack of what the rest is written for, and the layouts that their headers keep to themselves.
#pragma once
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#if PY_VERSION_HEX < 0x030B0000
#include <stdint.h>

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
