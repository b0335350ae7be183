// The attributes of an instance, wherever this version of the interpreter keeps them: a dictionary, or values in the object itself that no
// dictionary has been made of yet (and none is made by looking).
#include "ext.h"
#include <structmember.h>

#if PY_VERSION_HEX >= 0x030B0000
#include <internal/pycore_dict.h>
#include <internal/pycore_object.h>
#else
typedef struct no_values PyDictValues; // there are none: each instance has a dictionary
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

// The next of them from *at; false at the end.
static bool values_next(PyObject *o, PyDictValues *values, Py_ssize_t *at, PyObject **ret_name, PyObject **ret_value)
{
#if PY_VERSION_HEX >= 0x030B0000
    PyDictKeysObject *keys = values ? ((PyHeapTypeObject *)Py_TYPE(o))->ht_cached_keys : NULL;
    while (keys && DK_IS_UNICODE(keys) && *at < keys->dk_nentries) {
        Py_ssize_t i = (*at)++;
        *ret_name = DK_UNICODE_ENTRIES(keys)[i].me_key, *ret_value = values->values[i];
        if (*ret_name && *ret_value)
            return true;
    }
#endif
    return false;
}

// Where its attributes are: a dictionary, or values beside the keys that its class shares. Both NULL: it has none.
static void stored(PyObject *o, PyObject **ret_dict, PyDictValues **ret_values)
{
    PyTypeObject *type = Py_TYPE(o);
    *ret_dict = NULL, *ret_values = NULL;
#if PY_VERSION_HEX >= 0x030B0000
    if (type->tp_flags & Py_TPFLAGS_MANAGED_DICT) {
#if PY_VERSION_HEX >= 0x030D0000
        *ret_dict = (PyObject *)_PyObject_ManagedDictPointer(o)->dict;
        if (!*ret_dict && type->tp_flags & Py_TPFLAGS_INLINE_VALUES && _PyObject_InlineValues(o)->valid)
            *ret_values = _PyObject_InlineValues(o);
#elif PY_VERSION_HEX >= 0x030C0000
        PyDictOrValues held = *_PyObject_DictOrValuesPointer(o);
        if (_PyDictOrValues_IsValues(held))
            *ret_values = _PyDictOrValues_GetValues(held);
        else
            *ret_dict = _PyDictOrValues_GetDict(held);
#else
        *ret_values = *_PyObject_ValuesPointer(o);
        *ret_dict = *ret_values ? NULL : *_PyObject_ManagedDictPointer(o);
#endif
    } else
#endif
        if (type->tp_dictoffset > 0) {
        // Of negative offsets (subclasses of int and tuple) nothing comes here: those are read as what they are built on.
        *ret_dict = *(PyObject **)((char *)o + type->tp_dictoffset);
    }
    if (*ret_dict && !PyDict_Check(*ret_dict))
        *ret_dict = NULL;
}

void ext_each_attribute(PyObject *o, bool (*each)(void *ctx, PyObject *name, PyObject *value), void *ctx)
{
    PyObject *dict;
    PyDictValues *values;
    stored(o, &dict, &values);
    PyObject *name, *value;
    Py_ssize_t at = 0;
    while (values_next(o, values, &at, &name, &value))
        if (!each(ctx, name, value))
            return;
    each_of_dict(dict, each, ctx);
}

// The n-th slot that a class statement has made; false: there are no more. It may be empty.
static bool slot_at(PyObject *o, uint64_t n, const char **ret_name, PyObject **ret)
{
    PyObject *mro = Py_TYPE(o)->tp_mro;
    if (!mro || !PyTuple_CheckExact(mro))
        return false;
    for (Py_ssize_t t = 0; t < PyTuple_GET_SIZE(mro) && t < MRO_MAX; t++) {
        PyObject *base = PyTuple_GET_ITEM(mro, t);
        if (!PyType_Check(base) || !(((PyTypeObject *)base)->tp_flags & Py_TPFLAGS_HEAPTYPE))
            continue;
        const PyMemberDef *members = (const PyMemberDef *)((const char *)base + Py_TYPE(base)->tp_basicsize);
        for (Py_ssize_t m = 0; m < Py_SIZE(base); m++)
            if (members[m].type == T_OBJECT_EX && members[m].offset > 0 &&
                members[m].offset + (Py_ssize_t)sizeof(PyObject *) <= Py_TYPE(o)->tp_basicsize && n-- == 0) {
                *ret_name = members[m].name;
                *ret = *(PyObject **)((char *)o + members[m].offset);
                return true;
            }
    }
    return false;
}

static str text_of(PyObject *interned)
{
    return PyUnicode_IS_COMPACT_ASCII(interned)
               ? str_of(PyUnicode_DATA(interned), (size_t)PyUnicode_GET_LENGTH(interned))
               : (str){ 0 };
}

// What a class says that is no descriptor: with one, the answer would be a computation.
static enum ext_attribute_found of_classes(PyObject *mro, PyObject *interned, PyObject **ret)
{
    for (Py_ssize_t t = 0; mro && PyTuple_CheckExact(mro) && t < PyTuple_GET_SIZE(mro) && t < MRO_MAX; t++) {
        PyObject *base = PyTuple_GET_ITEM(mro, t);
        PyObject *dict = PyType_Check(base) ? ((PyTypeObject *)base)->tp_dict : NULL;
        PyObject *value = dict ? ext_dict_name(dict, interned) : NULL;
        if (!value)
            continue;
        *ret = value;
        return Py_TYPE(value)->tp_descr_get ? EXT_ATTRIBUTE_COMPUTED : EXT_ATTRIBUTE;
    }
    return EXT_ATTRIBUTE_NONE;
}

enum ext_attribute_found ext_attribute_find(PyObject *o, PyObject *interned, PyObject **ret)
{
    PyObject *dict, *value = NULL;
    PyDictValues *values;
    PyTypeObject *type = Py_TYPE(o);
    bool plain = type->tp_base == &PyBaseObject_Type && type->tp_flags & Py_TPFLAGS_HEAPTYPE; // no class, no module
    if (!plain && PyType_Check(o))
        return of_classes(((PyTypeObject *)o)->tp_mro, interned, ret);
    if (!plain && PyModule_Check(o)) {
        dict = PyModule_GetDict(o); // borrowed, no code of the module's
        *ret = dict ? ext_dict_name(dict, interned) : NULL;
        return *ret ? EXT_ATTRIBUTE : EXT_ATTRIBUTE_NONE;
    }
    stored(o, &dict, &values);
    if (dict)
        value = ext_dict_name(dict, interned);
    PyObject *met, *its;
    for (Py_ssize_t at = 0; !value && values_next(o, values, &at, &met, &its);)
        if (met == interned)
            value = its;
    if (value) {
        *ret = value;
        return EXT_ATTRIBUTE;
    }
    if (PyExceptionInstance_Check(o) && ((PyBaseExceptionObject *)o)->args && ext_text_is(interned, str_z("args"))) {
        *ret = ((PyBaseExceptionObject *)o)->args;
        return EXT_ATTRIBUTE;
    }
    const char *name;
    str want = text_of(interned);
    for (uint64_t n = 0; slot_at(o, n, &name, &value); n++)
        if (want.len && str_eq(str_z(name), want)) {
            *ret = value;
            return value ? EXT_ATTRIBUTE : EXT_ATTRIBUTE_UNBOUND;
        }
    return of_classes(Py_TYPE(o)->tp_mro, interned, ret);
}

#define IN_ATTRIBUTES (1ull << 62)

bool ext_attribute_next(PyObject *o, uint64_t *cursor, struct ext_attribute_at *ret)
{
    *ret = (struct ext_attribute_at){ 0 };
    while (!(*cursor & IN_ATTRIBUTES)) {
        if (!slot_at(o, *cursor, &ret->slot, &ret->value))
            *cursor = IN_ATTRIBUTES;
        else if (++*cursor, ret->value)
            return true;
    }
    PyObject *dict;
    PyDictValues *values;
    stored(o, &dict, &values);
    ret->slot = NULL;
    Py_ssize_t at = (Py_ssize_t)(*cursor & ~IN_ATTRIBUTES);
    bool found = values_next(o, values, &at, &ret->name, &ret->value);
    while (dict && !found && PyDict_Next(dict, &at, &ret->name, &ret->value))
        found = PyUnicode_Check(ret->name);
    *cursor = IN_ATTRIBUTES | (uint64_t)at;
    return found;
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
    const char *slot;
    PyObject *value;
    for (uint64_t n = 0; !s.found && slot_at(o, n, &slot, &value); n++)
        if (str_eq(str_z(slot), name))
            s.found = value;
    return s.found;
}
