// Values, read by their structure: exact layouts of the interpreter's own types, the dictionary of an instance wherever this version keeps it, and
// the slots of its class. A subclass of int, str, list, dict ... is read as what it is built on; its methods are not asked.
#include "ext.h"
#include <structmember.h>

enum { BIG_DIGITS_MAX = 256, TYPE_ROOM = 200, MRO_MAX = 64 };

bool ext_text_is(PyObject *text, str want)
{
    if (!text || !PyUnicode_Check(text) || (size_t)PyUnicode_GET_LENGTH(text) != want.len)
        return false;
    int kind = (int)PyUnicode_KIND(text);
    const void *data = PyUnicode_DATA(text);
    for (size_t i = 0; i < want.len; i++)
        if (PyUnicode_READ(kind, data, (Py_ssize_t)i) != (unsigned char)want.ptr[i])
            return false;
    return true;
}

str ext_text_wide(PyObject *text, char *room, size_t n)
{
    if (!text || !PyUnicode_Check(text))
        return (str){ 0 };
    size_t len = (size_t)PyUnicode_GET_LENGTH(text);
    int kind = (int)PyUnicode_KIND(text);
    const void *data = PyUnicode_DATA(text);
    size_t at = 0;
    for (size_t i = 0; i < len && at + 4 <= n; i++) {
        Py_UCS4 c = PyUnicode_READ(kind, data, (Py_ssize_t)i);
        if (c < 0x80) {
            room[at++] = (char)c;
        } else if (c < 0x800) {
            room[at++] = (char)(0xc0 | c >> 6), room[at++] = (char)(0x80 | (c & 63));
        } else if (c >= 0xd800 && c < 0xe000) {
            room[at++] = '?';
        } else if (c < 0x10000) {
            room[at++] = (char)(0xe0 | c >> 12), room[at++] = (char)(0x80 | (c >> 6 & 63)),
            room[at++] = (char)(0x80 | (c & 63));
        } else {
            room[at++] = (char)(0xf0 | c >> 18), room[at++] = (char)(0x80 | (c >> 12 & 63));
            room[at++] = (char)(0x80 | (c >> 6 & 63)), room[at++] = (char)(0x80 | (c & 63));
        }
    }
    return str_of(room, at);
}

static str type_name(PyObject *o) { return str_z(Py_TYPE(o)->tp_name); }
// Empty where the kind says it all.
static str type_of(PyObject *o, PyTypeObject *plain) { return Py_TYPE(o) == plain ? (str){ 0 } : type_name(o); }

static void put_text(struct probe_value_writer *w, PyObject *o)
{
    str type = type_of(o, &PyUnicode_Type);
#if PY_VERSION_HEX < 0x030C0000
    if (!PyUnicode_IS_READY(o)) {
        probe_value_missing(w, PROBE_WHY_UNREADABLE, type, -1);
        return;
    }
#endif
    size_t n = (size_t)PyUnicode_GET_LENGTH(o);
    if (PyUnicode_IS_ASCII(o))
        probe_value_text(w, PROBE_VALUE_STR, type, str_of(PyUnicode_DATA(o), n), 0);
    else
        probe_value_wide(w, type, PyUnicode_DATA(o), (unsigned)PyUnicode_KIND(o), n);
}

size_t ext_digits(PyObject *o, const digit **ret, bool *ret_negative)
{
    const PyLongObject *l = (const PyLongObject *)o;
#if PY_VERSION_HEX >= 0x030C0000
    *ret = l->long_value.ob_digit;
    *ret_negative = (l->long_value.lv_tag & 3) == 2;
    return l->long_value.lv_tag >> 3;
#else
    *ret = l->ob_digit;
    *ret_negative = Py_SIZE(l) < 0;
    return (size_t)(Py_SIZE(l) < 0 ? -Py_SIZE(l) : Py_SIZE(l));
#endif
}

static __attribute__((noinline)) void put_big(struct probe_value_writer *w, PyObject *o)
{
    const digit *d;
    bool negative;
    size_t n = ext_digits(o, &d, &negative);
    str type = type_of(o, &PyLong_Type);
    if (n > BIG_DIGITS_MAX) {
        probe_value_missing(w, PROBE_WHY_BYTES, str_z(Py_TYPE(o)->tp_name), -1);
        return;
    }
    // Hexadecimal: exact, and made in one pass.
    char text[BIG_DIGITS_MAX * PyLong_SHIFT / 4 + 8];
    size_t bits = n * PyLong_SHIFT, nibbles = (bits + 3) / 4, at = 0;
    if (negative)
        text[at++] = '-';
    text[at++] = '0', text[at++] = 'x';
    bool leading = true;
    for (size_t i = nibbles; i > 0; i--) {
        unsigned v = 0;
        for (size_t b = 4; b > 0; b--) {
            size_t bit = (i - 1) * 4 + b - 1;
            v = v << 1 | (bit < bits ? d[bit / PyLong_SHIFT] >> (bit % PyLong_SHIFT) & 1 : 0);
        }
        if (v == 0 && leading)
            continue;
        leading = false;
        text[at++] = "0123456789abcdef"[v];
    }
    probe_value_text(w, PROBE_VALUE_BIG, type, str_of(text, at), 0);
}

static void put_int(struct probe_value_writer *w, PyObject *o)
{
    const digit *d;
    bool negative;
    size_t n = ext_digits(o, &d, &negative);
    if (n < 3 || (n == 3 && d[2] < 8)) {
        uint64_t v = n ? d[0] : 0;
        if (n > 1)
            v |= (uint64_t)d[1] << PyLong_SHIFT;
        if (n > 2)
            v |= (uint64_t)d[2] << 2 * PyLong_SHIFT;
        probe_value_int(w, type_of(o, &PyLong_Type), negative ? -(int64_t)v : (int64_t)v);
    } else {
        put_big(w, o);
    }
}

static void put_sequence(struct probe_value_writer *w, PyObject *o, bool list)
{
    str type = type_of(o, list ? &PyList_Type : &PyTuple_Type);
    if (!probe_value_open(w, list ? PROBE_VALUE_LIST : PROBE_VALUE_TUPLE, type, (uintptr_t)o, Py_SIZE(o)))
        return;
    for (Py_ssize_t i = 0; i < Py_SIZE(o); i++) {
        PyObject *item = list ? PyList_GET_ITEM(o, i) : PyTuple_GET_ITEM(o, i);
        if (!probe_value_item(w))
            break;
        ext_walk(w, item);
    }
    probe_value_close(w);
}

static void put_dict(struct probe_value_writer *w, PyObject *o)
{
    PyObject *key, *value;
    Py_ssize_t at = 0;
    if (!probe_value_open(w, PROBE_VALUE_DICT, type_of(o, &PyDict_Type), (uintptr_t)o, ((PyDictObject *)o)->ma_used))
        return;
    while (PyDict_Next(o, &at, &key, &value)) {
        if (!probe_value_entry(w))
            break;
        ext_walk(w, key);
        ext_walk(w, value);
    }
    probe_value_close(w);
}

static void put_set(struct probe_value_writer *w, PyObject *o)
{
    PySetObject *s = (PySetObject *)o;
    if (!probe_value_open(w, PROBE_VALUE_SET, type_of(o, &PySet_Type), (uintptr_t)o, s->used))
        return;
    for (Py_ssize_t i = 0; i <= s->mask; i++) {
        PyObject *key = s->table[i].key;
        if (!key || s->table[i].hash == -1)
            continue;
        if (!probe_value_item(w))
            break;
        ext_walk(w, key);
    }
    probe_value_close(w);
}

static bool put_field(struct probe_value_writer *w, PyObject *name, PyObject *value)
{
    char room[128];
    if (!value || !PyUnicode_Check(name))
        return true;
    if (!probe_value_field(w, ext_text(name, room, sizeof room)))
        return false;
    ext_walk(w, value);
    return true;
}

struct fields {
    struct probe_value_writer *w;
};

static bool put_attribute(void *ctx, PyObject *name, PyObject *value)
{
    struct fields *f = ctx;
    return put_field(f->w, name, value);
}

static bool has_instance_dict(PyTypeObject *type)
{
#ifdef Py_TPFLAGS_MANAGED_DICT
    if (type->tp_flags & Py_TPFLAGS_MANAGED_DICT)
        return true;
#endif
    return type->tp_dictoffset > 0;
}

// Slots: the table of members that a class statement leaves behind the class. *ret_any: there are some.
static bool put_slots(struct probe_value_writer *w, PyObject *o, bool write, bool *ret_any)
{
    PyObject *mro = Py_TYPE(o)->tp_mro;
    if (!mro || !PyTuple_CheckExact(mro))
        return true;
    for (Py_ssize_t t = 0; t < PyTuple_GET_SIZE(mro) && t < MRO_MAX; t++) {
        PyObject *base = PyTuple_GET_ITEM(mro, t);
        if (!PyType_Check(base) || !(((PyTypeObject *)base)->tp_flags & Py_TPFLAGS_HEAPTYPE))
            continue;
        const PyMemberDef *members = (const PyMemberDef *)((const char *)base + Py_TYPE(base)->tp_basicsize);
        for (Py_ssize_t m = 0; m < Py_SIZE(base); m++) {
            if (members[m].type != T_OBJECT_EX || members[m].offset <= 0 ||
                members[m].offset + (Py_ssize_t)sizeof(PyObject *) > Py_TYPE(o)->tp_basicsize)
                continue;
            *ret_any = true;
            PyObject *value = *(PyObject **)((char *)o + members[m].offset);
            if (!write || !value)
                continue;
            if (!probe_value_field(w, str_z(members[m].name)))
                return false;
            ext_walk(w, value);
        }
    }
    return true;
}

bool ext_has_fields(PyObject *o)
{
    bool slots = false;
    if (PyExceptionInstance_Check(o) || has_instance_dict(Py_TYPE(o)))
        return true;
    put_slots(NULL, o, false, &slots);
    return slots;
}

static void put_object(struct probe_value_writer *w, PyObject *o)
{
    if (ext_walk_known(w, o))
        return;
    bool slots = false, exception = PyExceptionInstance_Check(o);
    if (!ext_has_fields(o)) {
        probe_value_missing(w, PROBE_WHY_UNSUPPORTED, type_name(o), -1);
        return;
    }
    if (!probe_value_open(w, PROBE_VALUE_OBJECT, type_name(o), (uintptr_t)o, -1))
        return;
    bool more = true;
    if (exception && ((PyBaseExceptionObject *)o)->args) {
        more = probe_value_field(w, str_z("args"));
        if (more)
            ext_walk(w, ((PyBaseExceptionObject *)o)->args);
    }
    if (more && put_slots(w, o, true, &slots))
        ext_each_attribute(o, put_attribute, &(struct fields){ .w = w });
    probe_value_close(w);
}

static __attribute__((noinline)) void walk_other(struct probe_value_writer *w, PyObject *o)
{
    char room[TYPE_ROOM];
    PyTypeObject *type = Py_TYPE(o);
    // First what one bit of the type says: of the others all bases are looked at.
    if (PyLong_Check(o))
        put_int(w, o);
    else if (PyUnicode_Check(o))
        put_text(w, o);
    else if (PyBytes_Check(o))
        probe_value_text(w, PROBE_VALUE_BYTES, type_of(o, &PyBytes_Type),
                         str_of(PyBytes_AS_STRING(o), (size_t)PyBytes_GET_SIZE(o)), 0);
    else if (PyList_Check(o))
        put_sequence(w, o, true);
    else if (PyTuple_Check(o))
        put_sequence(w, o, false);
    else if (PyDict_Check(o))
        put_dict(w, o);
    else if (type->tp_base == &PyBaseObject_Type && type->tp_flags & Py_TPFLAGS_HEAPTYPE)
        put_object(w, o); // a class on nothing else: of what follows it can be none
    else if (PyFloat_Check(o))
        probe_value_float(w, type_of(o, &PyFloat_Type), PyFloat_AS_DOUBLE(o));
    else if (PyByteArray_Check(o))
        probe_value_text(w, PROBE_VALUE_BYTES, type_name(o), str_of(PyByteArray_AS_STRING(o), (size_t)Py_SIZE(o)), 0);
    else if (PyAnySet_Check(o))
        put_set(w, o);
    else if (type == &PyFunction_Type)
        probe_value_text(w, PROBE_VALUE_FUNC, (str){ 0 },
                         ext_text(((PyFunctionObject *)o)->func_qualname, room, sizeof room), 0);
    else if (PyCFunction_Check(o))
        probe_value_text(w, PROBE_VALUE_FUNC, type_name(o), str_z(((PyCFunctionObject *)o)->m_ml->ml_name), 0);
    else if (PyMethod_Check(o) && PyFunction_Check(PyMethod_GET_FUNCTION(o)))
        probe_value_text(w, PROBE_VALUE_FUNC, type_name(o),
                         ext_text(((PyFunctionObject *)PyMethod_GET_FUNCTION(o))->func_qualname, room, sizeof room), 0);
    else if (PyType_Check(o))
        probe_value_text(w, PROBE_VALUE_CLASS, (str){ 0 }, str_z(((PyTypeObject *)o)->tp_name), 0);
    else if (PyModule_Check(o))
        probe_value_text(w, PROBE_VALUE_MODULE, (str){ 0 }, str_z(PyModule_CheckExact(o) ? "module" : type->tp_name),
                         0);
    else
        put_object(w, o);
}

// Most are of these types, and need no more than their own bytes.
void ext_walk(struct probe_value_writer *w, PyObject *o)
{
    PyTypeObject *type = Py_TYPE(o);
    if (type == &PyLong_Type)
        put_int(w, o);
    else if (type == &PyUnicode_Type)
        put_text(w, o);
    else if (o == Py_None)
        probe_value_null(w, (str){ 0 });
    else if (type == &PyBool_Type)
        probe_value_bool(w, (str){ 0 }, o == Py_True);
    else if (type == &PyFloat_Type)
        probe_value_float(w, (str){ 0 }, PyFloat_AS_DOUBLE(o));
    else
        walk_other(w, o);
}
