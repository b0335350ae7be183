// Dictionaries, looked up as the interpreter does (Objects/dictobject.c: open addressing, perturbed), but for what it would do with keys of equal hash:
// it would call their __eq__. Here texts are compared as texts and integers as integers; any other key is not the one.
#include "ext.h"
#if PY_VERSION_HEX >= 0x030B0000
#include <internal/pycore_dict.h>
#endif
#if PY_VERSION_HEX >= 0x030E0000
#define _Py_HashBytes Py_HashBuffer
#elif PY_VERSION_HEX >= 0x030D0000
#include <internal/pycore_pyhash.h>
#endif

enum { PERTURB = 5, SCAN_MAX = 4096, PROBES_MAX = 4096 };

#if PY_VERSION_HEX < 0x030B0000
static size_t size_of(const PyDictKeysObject *keys) { return (size_t)keys->dk_size; }

static Py_ssize_t index_at(PyDictKeysObject *keys, size_t i)
{
    const void *at = keys->dk_indices;
    switch (old_index_bytes(keys)) {
    case 1:
        return ((const int8_t *)at)[i];
    case 2:
        return ((const int16_t *)at)[i];
    case 4:
        return ((const int32_t *)at)[i];
    default:
        return (Py_ssize_t)((const int64_t *)at)[i];
    }
}

static PyObject *value_at(PyDictObject *d, Py_ssize_t i)
{
    return d->ma_values ? d->ma_values[i] : DK_ENTRIES(d->ma_keys)[i].me_value;
}

static PyObject *key_at(PyDictKeysObject *keys, Py_ssize_t i) { return DK_ENTRIES(keys)[i].me_key; }
#else
static size_t size_of(const PyDictKeysObject *keys) { return (size_t)1 << keys->dk_log2_size; }

static Py_ssize_t index_at(PyDictKeysObject *keys, size_t i)
{
    const void *at = keys->dk_indices;
    if (keys->dk_log2_size < 8)
        return ((const int8_t *)at)[i];
    if (keys->dk_log2_size < 16)
        return ((const int16_t *)at)[i];
    if (keys->dk_log2_size < 32)
        return ((const int32_t *)at)[i];
    return (Py_ssize_t)((const int64_t *)at)[i];
}

static PyObject *value_at(PyDictObject *d, Py_ssize_t i)
{
    if (d->ma_values)
        return d->ma_values->values[i];
    return DK_IS_UNICODE(d->ma_keys) ? DK_UNICODE_ENTRIES(d->ma_keys)[i].me_value : DK_ENTRIES(d->ma_keys)[i].me_value;
}

static PyObject *key_at(PyDictKeysObject *keys, Py_ssize_t i)
{
    return DK_IS_UNICODE(keys) ? DK_UNICODE_ENTRIES(keys)[i].me_key : DK_ENTRIES(keys)[i].me_key;
}
#endif

// A text as the interpreter would keep it: units as narrow as they can be.
struct text {
    const void *units;
    int kind;
    size_t n;
};

static int text_of(str s, struct probe_scratch *scratch, struct text *ret)
{
    uint32_t most = 0;
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++)
        if (((uint8_t)s.ptr[i] & 0xc0) != 0x80)
            n++, most = (uint8_t)s.ptr[i] > most ? (uint8_t)s.ptr[i] : most;
    if (most < 0x80) {
        *ret = (struct text){ s.ptr, PyUnicode_1BYTE_KIND, s.len };
        return 0;
    }
    int kind = most < 0xc4 ? PyUnicode_1BYTE_KIND : most < 0xf0 ? PyUnicode_2BYTE_KIND : PyUnicode_4BYTE_KIND;
    void *units = probe_scratch_take(scratch, n * (size_t)kind);
    if (!units)
        return -PROBE_FAULT_SPACE;
    size_t at = 0;
    for (size_t i = 0; i < s.len && at < n;) {
        uint8_t c = (uint8_t)s.ptr[i];
        unsigned more = c < 0x80 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
        uint32_t v = more == 0 ? c : c & (0x3fu >> more);
        for (i++; more && i < s.len && ((uint8_t)s.ptr[i] & 0xc0) == 0x80; more--, i++)
            v = v << 6 | ((uint8_t)s.ptr[i] & 0x3f);
        PyUnicode_WRITE((enum PyUnicode_Kind)kind, units, at, v);
        at++;
    }
    *ret = (struct text){ units, kind, at };
    return 0;
}

static Py_hash_t hash_of_int(int64_t i)
{
    uint64_t v = i < 0 ? 0 - (uint64_t)i : (uint64_t)i;
    Py_hash_t h = (Py_hash_t)(v % (((uint64_t)1 << 61) - 1));
    h = i < 0 ? -h : h;
    return h == -1 ? -2 : h;
}

static bool is_int(PyObject *o, int64_t want)
{
    if (!PyLong_CheckExact(o))
        return false;
    const digit *d;
    bool negative;
    size_t n = ext_digits(o, &d, &negative);
    uint64_t v = 0;
    if (n > 3 || (n == 3 && d[2] >= 8))
        return false;
    for (size_t i = n; i > 0; i--)
        v = v << PyLong_SHIFT | d[i - 1];
    return (negative ? 0 - v : v) == (uint64_t)want && negative == (want < 0);
}

static bool is_text(PyObject *o, const struct text *want)
{
    return PyUnicode_Check(o) && (int)PyUnicode_KIND(o) == want->kind && (size_t)PyUnicode_GET_LENGTH(o) == want->n &&
           memcmp(PyUnicode_DATA(o), want->units, want->n * (size_t)want->kind) == 0;
}

static bool same(PyObject *o, const struct probe_val *v)
{
    switch (v->kind) {
    case PROBE_VAL_NULL:
        return o == Py_None;
    case PROBE_VAL_BOOL:
        return o == (v->b ? Py_True : Py_False);
    case PROBE_VAL_FLOAT:
        return (PyFloat_CheckExact(o) && PyFloat_AS_DOUBLE(o) == v->f) ||
               (v->f >= -9007199254740992.0 && v->f <= 9007199254740992.0 && (double)(int64_t)v->f == v->f &&
                is_int(o, (int64_t)v->f));
    case PROBE_VAL_BYTES:
        return PyBytes_CheckExact(o) && (size_t)PyBytes_GET_SIZE(o) == v->s.len &&
               memcmp(PyBytes_AS_STRING(o), v->s.ptr, v->s.len) == 0;
    default:
        return false;
    }
}

// Keys whose hash is not worth knowing here.
static int scan(PyObject *dict, const struct probe_val *v, PyObject **ret)
{
    PyObject *key, *value;
    Py_ssize_t at = 0;
    for (int n = 0; PyDict_Next(dict, &at, &key, &value); n++) {
        if (n == SCAN_MAX)
            return -PROBE_FAULT_STEPS;
        if (same(key, v)) {
            *ret = value;
            return 1;
        }
    }
    return 0;
}

// *hint: where it was found the last time, and now; NULL: nobody remembers.
static int probe(PyDictObject *d, Py_hash_t hash, const struct text *text, int64_t i, PyObject *interned,
                 Py_ssize_t *hint, PyObject **ret)
{
    PyDictKeysObject *keys = d->ma_keys;
    size_t mask = size_of(keys) - 1, perturb = (size_t)hash, at = (size_t)hash & mask;
    for (int n = 0; n < PROBES_MAX; n++) {
        Py_ssize_t entry = index_at(keys, at);
        if (entry == DKIX_EMPTY)
            return 0;
        if (entry >= 0) {
            PyObject *key = key_at(keys, entry);
            if (key && (key == interned || (text ? is_text(key, text) : !interned && is_int(key, i)))) {
                *ret = value_at(d, entry);
                if (hint)
                    *hint = entry;
                return *ret != NULL;
            }
        }
        perturb >>= PERTURB;
        at = (at * 5 + perturb + 1) & mask;
    }
    return -PROBE_FAULT_STEPS;
}

int ext_dict_get(PyObject *dict, const struct ext_key *key, struct probe_scratch *scratch, PyObject **ret)
{
    PyDictObject *d = (PyDictObject *)dict;
    const struct probe_val *v = key->v;
    struct text text;
    int rc;
    switch (v->kind) {
    case PROBE_VAL_STR:
        rc = text_of(v->s, scratch, &text);
        return rc < 0 ? rc
                      : probe(d, _Py_HashBytes(text.units, (Py_ssize_t)(text.n * (size_t)text.kind)), &text, 0,
                              key->interned, NULL, ret);
    case PROBE_VAL_INT:
        // A float or a bool of the same number is another key here, as it is another value in the language (but for floats).
        return probe(d, hash_of_int(v->i), NULL, v->i, NULL, NULL, ret);
    case PROBE_VAL_BIG:
        return -PROBE_FAULT_UNSUPPORTED;
    default:
        return scan(dict, v, ret);
    }
}

// The key of the entry there, if the table has one now.
static PyObject *key_hinted(PyDictObject *d, Py_ssize_t hint)
{
    return hint >= 0 && hint < d->ma_keys->dk_nentries ? key_at(d->ma_keys, hint) : NULL;
}

PyObject *ext_dict_name_again(PyObject *dict, PyObject *interned, Py_ssize_t *hint)
{
    PyObject *ret = NULL;
    if (hint && key_hinted((PyDictObject *)dict, *hint) == interned)
        return value_at((PyDictObject *)dict, *hint);
    Py_hash_t hash = ((PyASCIIObject *)interned)->hash;
    struct text text = { PyUnicode_DATA(interned), (int)PyUnicode_KIND(interned),
                         (size_t)PyUnicode_GET_LENGTH(interned) };
    return probe((PyDictObject *)dict, hash, &text, 0, interned, hint, &ret) == 1 ? ret : NULL;
}

PyObject *ext_dict_name(PyObject *dict, PyObject *interned) { return ext_dict_name_again(dict, interned, NULL); }

PyObject *ext_dict_int_again(PyObject *dict, int64_t i, Py_ssize_t *hint)
{
    PyDictObject *d = (PyDictObject *)dict;
    PyObject *key = key_hinted(d, *hint), *ret = NULL;
    if (key && is_int(key, i))
        return value_at(d, *hint);
    return probe(d, hash_of_int(i), NULL, i, NULL, hint, &ret) == 1 ? ret : NULL;
}
