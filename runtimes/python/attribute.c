// The attributes of an instance, wherever this version of the interpreter keeps them: a dictionary, or values in the object itself that no
// dictionary has been made of yet (and none is made by looking).
#include "ext.h"
#include <structmember.h>

#if PY_VERSION_HEX >= 0x030B0000
#include <internal/pycore_dict.h>
#include <internal/pycore_object.h>
#endif

enum { MRO_MAX = 64 };

static void each_of_dict(PyObject *dict, bool (*each)(void *ctx, PyObject *name, PyObject *value), void *ctx)
{
    PyObject *key, *value;
    Py_ssize_t at = 0;
    while (dict && PyDict_Check(dict) && PyDict_Next(dict, &at, &key, &value))
        if (!each(ctx, key, value))
            return;
}

#if PY_VERSION_HEX >= 0x030B0000
static void each_of_values(PyObject *o, PyDictValues *values, bool (*each)(void *ctx, PyObject *name, PyObject *value),
                           void *ctx)
{
    PyDictKeysObject *keys = ((PyHeapTypeObject *)Py_TYPE(o))->ht_cached_keys;
    if (!keys || !DK_IS_UNICODE(keys))
        return;
    for (Py_ssize_t i = 0; i < keys->dk_nentries; i++) {
        PyObject *name = DK_UNICODE_ENTRIES(keys)[i].me_key;
        if (name && values->values[i] && !each(ctx, name, values->values[i]))
            return;
    }
}
#endif

void ext_each_attribute(PyObject *o, bool (*each)(void *ctx, PyObject *name, PyObject *value), void *ctx)
{
    PyTypeObject *type = Py_TYPE(o);
#if PY_VERSION_HEX >= 0x030B0000
    if (type->tp_flags & Py_TPFLAGS_MANAGED_DICT) {
        PyObject *dict;
        PyDictValues *values = NULL;
#if PY_VERSION_HEX >= 0x030D0000
        dict = (PyObject *)_PyObject_ManagedDictPointer(o)->dict;
        if (!dict && type->tp_flags & Py_TPFLAGS_INLINE_VALUES && _PyObject_InlineValues(o)->valid)
            values = _PyObject_InlineValues(o);
#elif PY_VERSION_HEX >= 0x030C0000
        PyDictOrValues held = *_PyObject_DictOrValuesPointer(o);
        dict = _PyDictOrValues_IsValues(held) ? NULL : _PyDictOrValues_GetDict(held);
        values = dict || !_PyDictOrValues_IsValues(held) ? NULL : _PyDictOrValues_GetValues(held);
#else
        values = *_PyObject_ValuesPointer(o);
        dict = values ? NULL : *_PyObject_ManagedDictPointer(o);
#endif
        if (values)
            each_of_values(o, values, each, ctx);
        else
            each_of_dict(dict, each, ctx);
        return;
    }
#endif
    // Of negative offsets (subclasses of int and tuple) nothing comes here: those are read as what they are built on.
    if (type->tp_dictoffset > 0)
        each_of_dict(*(PyObject **)((char *)o + type->tp_dictoffset), each, ctx);
}

struct search {
    str name;
    PyObject *found;
};

static bool look(void *ctx, PyObject *name, PyObject *value)
{
    struct search *s = ctx;
    if (ext_text_is(name, s->name))
        s->found = value;
    return !s->found;
}

PyObject *ext_attribute(PyObject *o, str name)
{
    struct search s = { .name = name };
    ext_each_attribute(o, look, &s);
    PyObject *mro = Py_TYPE(o)->tp_mro;
    for (Py_ssize_t t = 0; !s.found && mro && PyTuple_CheckExact(mro) && t < PyTuple_GET_SIZE(mro) && t < MRO_MAX;
         t++) {
        PyObject *base = PyTuple_GET_ITEM(mro, t);
        if (!PyType_Check(base) || !(((PyTypeObject *)base)->tp_flags & Py_TPFLAGS_HEAPTYPE))
            continue;
        const PyMemberDef *members = (const PyMemberDef *)((const char *)base + Py_TYPE(base)->tp_basicsize);
        for (Py_ssize_t m = 0; !s.found && m < Py_SIZE(base); m++)
            if (members[m].type == T_OBJECT_EX && members[m].offset > 0 &&
                members[m].offset + (Py_ssize_t)sizeof(PyObject *) <= Py_TYPE(o)->tp_basicsize &&
                str_eq(str_z(members[m].name), name))
                s.found = *(PyObject **)((char *)o + members[m].offset);
    }
    return s.found;
}
