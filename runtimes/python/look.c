// The program's variables as values of the expression language, read where they are stored. What must not be known is refused by its
// name, its type, its file and its content before the machine sees it, so that no condition can be asked until it gives a secret away.
#include "look.h"

enum { ROOM = 512 };

static int keep(struct look *l, PyObject *o, struct probe_val *ret)
{
    if (l->n_kept < LOOK_KEPT_MAX) {
        l->kept[l->n_kept++] = o;
        ret->extra = l->n_kept;
    }
    return 0;
}

PyObject *look_object(const struct look *l, const struct probe_val *v)
{
    if (v->kind >= PROBE_VAL_LIST && v->kind <= PROBE_VAL_OTHER)
        return (PyObject *)(uintptr_t)v->object;
    if ((v->kind == PROBE_VAL_FLOAT || v->kind == PROBE_VAL_BIG) && v->extra && v->extra <= l->n_kept)
        return l->kept[v->extra - 1];
    return NULL;
}

// Types and sizes are all that may be known of a host in that mode.
static bool shapes(const struct look *l) { return probe_policy_shapes(l->hit->policy); }

static int of_int(struct look *l, PyObject *o, struct probe_val *ret)
{
    const digit *d;
    bool negative;
    size_t n = ext_digits(o, &d, &negative);
    if (n * PyLong_SHIFT < 63 || (n == 3 && d[2] < 8)) {
        uint64_t v = 0;
        for (size_t i = n; i > 0; i--)
            v = v << PyLong_SHIFT | d[i - 1];
        int64_t i = negative ? -(int64_t)v : (int64_t)v;
        *ret = (struct probe_val){ .kind = PROBE_VAL_INT, .i = i };
        return probe_redact_int(l->hit->policy, i) ? PROBE_FAULT_REDACTED : 0;
    }
    double f = 0;
    for (size_t i = n; i > 0 && f < 1e308; i--)
        f = f * (double)(1u << PyLong_SHIFT) + d[i - 1];
    *ret = (struct probe_val){ .kind = PROBE_VAL_BIG, .f = negative ? -f : f };
    return keep(l, o, ret);
}

static size_t utf8_of(const void *units, int kind, size_t n, char *out)
{
    char *p = out;
    for (size_t i = 0; i < n; i++) {
        Py_UCS4 c = PyUnicode_READ(kind, units, (Py_ssize_t)i);
        if (c >= 0xd800 && c < 0xe000)
            c = 0xfffd;
        if (c < 0x80) {
            *p++ = (char)c;
        } else if (c < 0x800) {
            *p++ = (char)(0xc0 | c >> 6), *p++ = (char)(0x80 | (c & 63));
        } else if (c < 0x10000) {
            *p++ = (char)(0xe0 | c >> 12), *p++ = (char)(0x80 | (c >> 6 & 63)), *p++ = (char)(0x80 | (c & 63));
        } else {
            *p++ = (char)(0xf0 | c >> 18), *p++ = (char)(0x80 | (c >> 12 & 63));
            *p++ = (char)(0x80 | (c >> 6 & 63)), *p++ = (char)(0x80 | (c & 63));
        }
    }
    return (size_t)(p - out);
}

static int of_text(struct look *l, PyObject *o, struct probe_val *ret)
{
    size_t n = (size_t)PyUnicode_GET_LENGTH(o), start, end;
    str s;
#if PY_VERSION_HEX < 0x030C0000
    if (!PyUnicode_IS_READY(o))
        return PROBE_FAULT_UNREADABLE;
#endif
    if (PyUnicode_IS_ASCII(o)) {
        s = str_of(PyUnicode_DATA(o), n);
    } else {
        int kind = (int)PyUnicode_KIND(o);
        size_t most = n > EXT_VM_SCRATCH ? SIZE_MAX : n * (kind == 1 ? 2 : kind == 2 ? 3 : 4);
        char *out = most == SIZE_MAX ? NULL : probe_scratch_take(l->scratch, most);
        if (!out)
            return PROBE_FAULT_SPACE;
        s = str_of(out, utf8_of(PyUnicode_DATA(o), kind, n, out));
    }
    *ret = (struct probe_val){ .kind = PROBE_VAL_STR, .s = s };
    // What is captured of a text is looked at as far as it is captured; here all of it may be compared.
    if (s.len > PROBE_VM_TEXT_MAX)
        return PROBE_FAULT_SPACE;
    return probe_redact_text(l->hit->policy, s, 0, &start, &end) ? PROBE_FAULT_REDACTED : 0;
}

static int of_bytes(struct look *l, const char *p, Py_ssize_t n, struct probe_val *ret)
{
    size_t start, end;
    *ret = (struct probe_val){ .kind = PROBE_VAL_BYTES, .s = str_of(p, (size_t)n) };
    if (n > PROBE_VM_TEXT_MAX)
        return PROBE_FAULT_SPACE;
    return probe_redact_text(l->hit->policy, ret->s, 0, &start, &end) ? PROBE_FAULT_REDACTED : 0;
}

static int of_object(PyObject *o, enum probe_val_kind kind, struct probe_val *ret)
{
    *ret = (struct probe_val){ .kind = (uint8_t)kind, .object = o };
    return 0;
}

static int scalar(struct look *l, PyObject *o, struct probe_val *ret)
{
    double f;
    if (Py_TYPE(o) == &PyBool_Type)
        *ret = (struct probe_val){ .kind = PROBE_VAL_BOOL, .b = o == Py_True };
    else if (PyLong_Check(o))
        return of_int(l, o, ret);
    else if (PyFloat_Check(o))
        *ret = (struct probe_val){ .kind = PROBE_VAL_FLOAT, .f = PyFloat_AS_DOUBLE(o) };
    else if (PyUnicode_Check(o))
        return of_text(l, o, ret);
    else if (PyBytes_Check(o))
        return of_bytes(l, PyBytes_AS_STRING(o), PyBytes_GET_SIZE(o), ret);
    else if (PyByteArray_Check(o))
        return of_bytes(l, PyByteArray_AS_STRING(o), Py_SIZE(o), ret);
    else if (ext_decimal(o, &f)) {
        *ret = (struct probe_val){ .kind = PROBE_VAL_FLOAT, .f = f };
        return keep(l, o, ret);
    } else
        return -1;
    return 0;
}

static int value_of(struct look *l, PyObject *o, struct probe_val *ret)
{
    if (!o)
        return PROBE_FAULT_UNINITIALIZED;
    if (o == Py_None) {
        *ret = (struct probe_val){ .kind = PROBE_VAL_NULL };
        return 0;
    }
    const struct probe_policy *policy = l->hit->policy;
    if (policy && policy->types.n && probe_redact_type(policy, str_z(Py_TYPE(o)->tp_name)))
        return PROBE_FAULT_REDACTED;
    int rc = scalar(l, o, ret);
    if (rc >= 0)
        return rc == 0 && shapes(l) ? PROBE_FAULT_REDACTED : rc;
    if (PyList_Check(o))
        return of_object(o, PROBE_VAL_LIST, ret);
    if (PyTuple_Check(o))
        return of_object(o, PROBE_VAL_TUPLE, ret);
    if (PyDict_Check(o))
        return of_object(o, PROBE_VAL_DICT, ret);
    if (PyAnySet_Check(o))
        return of_object(o, PROBE_VAL_SET, ret);
    bool plain = Py_TYPE(o) == &PyFunction_Type || PyCFunction_Check(o) || PyMethod_Check(o) || PyType_Check(o) ||
                 PyModule_Check(o) || !ext_has_fields(o);
    return of_object(o, plain ? PROBE_VAL_OTHER : PROBE_VAL_OBJECT, ret);
}

// The name as this program has it: looked up once.
static const struct ext_program_name *known(const struct look *l, str name)
{
    const struct ext_program *p = l->program;
    for (unsigned i = 0; i < p->code.n_names; i++)
        if (p->names[i].at == name.ptr)
            return &p->names[i];
    return NULL;
}

static int variable(struct look *l, const struct ext_frame *f, bool secret_file, const struct ext_program_name *n,
                    struct probe_val *ret)
{
    PyObject *value;
    if (!n || n->rule || secret_file)
        return n ? PROBE_FAULT_REDACTED : PROBE_FAULT_UNREADABLE;
    if (!n->interned)
        return PROBE_FAULT_NOT_IN_SCOPE;
    if (ext_frame_find(f, n->interned, &value))
        return value_of(l, value, ret);
    value = f->globals && PyDict_Check(f->globals) ? ext_dict_name(f->globals, n->interned) : NULL;
    return value ? value_of(l, value, ret) : PROBE_FAULT_NOT_IN_SCOPE;
}

static int host_name(void *ctx, unsigned slot, str name, struct probe_val *ret)
{
    struct look *l = ctx;
    return variable(l, &l->frame, l->secret_file, &l->program->names[slot], ret);
}

static int host_frame(void *ctx, unsigned n, str name, struct probe_val *ret)
{
    struct look *l = ctx;
    struct ext_frame f = l->frame;
    char room[ROOM];
    for (; n > 0; n--)
        if (!ext_frame_next(&f))
            return PROBE_FAULT_NOT_IN_SCOPE;
    bool secret = probe_redact_file(l->hit->policy, ext_text(f.code->co_filename, room, sizeof room));
    return variable(l, &f, secret, known(l, name), ret);
}

static int host_statics(void *ctx, str name, struct probe_val *ret)
{
    struct look *l = ctx;
    const struct ext_program_name *n = known(l, name);
    PyObject *o =
        n && n->interned && PyDict_Check(l->frame.globals) ? ext_dict_name(l->frame.globals, n->interned) : NULL;
    if (n && n->rule)
        return PROBE_FAULT_REDACTED;
    return o && (PyType_Check(o) || PyModule_Check(o)) ? value_of(l, o, ret) : PROBE_FAULT_NOT_IN_SCOPE;
}

static int host_field(void *ctx, const struct probe_val *of, str name, struct probe_val *ret)
{
    struct look *l = ctx;
    const struct ext_program_name *n = known(l, name);
    PyObject *value = NULL;
    if (!n || n->rule)
        return n ? PROBE_FAULT_REDACTED : PROBE_FAULT_UNREADABLE;
    if (!n->interned)
        return PROBE_FAULT_MISSING;
    switch (ext_attribute_find((PyObject *)(uintptr_t)of->object, n->interned, &value)) {
    case EXT_ATTRIBUTE:
        return value_of(l, value, ret);
    case EXT_ATTRIBUTE_UNBOUND:
        return PROBE_FAULT_UNINITIALIZED;
    case EXT_ATTRIBUTE_COMPUTED:
        return PROBE_FAULT_UNREADABLE;
    default:
        return PROBE_FAULT_MISSING;
    }
}

static int host_index(void *ctx, const struct probe_val *of, const struct probe_val *key, struct probe_val *ret)
{
    struct look *l = ctx;
    PyObject *o = (PyObject *)(uintptr_t)of->object, *value = NULL;
    if (of->kind == PROBE_VAL_LIST || of->kind == PROBE_VAL_TUPLE) {
        if (key->kind != PROBE_VAL_INT)
            return PROBE_FAULT_TYPE;
        int64_t i = key->i < 0 ? key->i + Py_SIZE(o) : key->i; // from the end, as Python has it
        if (i < 0 || i >= Py_SIZE(o))
            return PROBE_FAULT_RANGE;
        return value_of(l, of->kind == PROBE_VAL_LIST ? PyList_GET_ITEM(o, i) : PyTuple_GET_ITEM(o, i), ret);
    }
    if (of->kind != PROBE_VAL_DICT)
        return PROBE_FAULT_TYPE;
    if (key->kind == PROBE_VAL_STR && probe_redact_name(l->hit->policy, key->s))
        return PROBE_FAULT_REDACTED;
    int rc = ext_dict_get(o, &(struct ext_key){ .v = key }, l->scratch, &value);
    return rc < 0 ? -rc : rc == 0 ? PROBE_FAULT_MISSING : value_of(l, value, ret);
}

static int host_length(void *ctx, const struct probe_val *of, uint64_t *ret)
{
    PyObject *o = (PyObject *)(uintptr_t)of->object;
    uint64_t cursor = 0;
    struct ext_attribute_at at;
    switch (of->kind) {
    case PROBE_VAL_LIST:
    case PROBE_VAL_TUPLE:
        *ret = (uint64_t)Py_SIZE(o);
        return 0;
    case PROBE_VAL_DICT:
        *ret = (uint64_t)((PyDictObject *)o)->ma_used;
        return 0;
    case PROBE_VAL_SET:
        *ret = (uint64_t)((PySetObject *)o)->used;
        return 0;
    case PROBE_VAL_OBJECT:
        for (*ret = 0; ext_attribute_next(o, &cursor, &at); ++*ret)
            continue;
        return 0;
    default:
        return PROBE_FAULT_TYPE;
    }
}

// Of a pair or a field: a sensitive name takes its value away.
static int paired(struct look *l, str name, PyObject *value, struct probe_val *ret_value)
{
    if (!ret_value)
        return 0;
    return name.len && probe_redact_name(l->hit->policy, name) ? PROBE_FAULT_REDACTED : value_of(l, value, ret_value);
}

static int next_of_object(struct look *l, PyObject *o, uint64_t *cursor, struct probe_val *ret_key,
                          struct probe_val *ret_value)
{
    struct ext_attribute_at at;
    if (!ext_attribute_next(o, cursor, &at))
        return -1;
    int rc = 0;
    if (at.slot)
        *ret_key = (struct probe_val){ .kind = PROBE_VAL_STR, .s = str_z(at.slot) };
    else
        rc = of_text(l, at.name, ret_key);
    return rc ? rc : paired(l, ret_key->s, at.value, ret_value);
}

static int host_item(void *ctx, const struct probe_val *of, uint64_t *cursor, struct probe_val *ret_key,
                     struct probe_val *ret_value)
{
    struct look *l = ctx;
    PyObject *o = (PyObject *)(uintptr_t)of->object, *key = NULL, *value = NULL;
    Py_ssize_t at = (Py_ssize_t)*cursor;
    int rc = 0;
    switch (of->kind) {
    case PROBE_VAL_LIST:
    case PROBE_VAL_TUPLE:
        if (at >= Py_SIZE(o))
            return -1;
        ++*cursor;
        value = of->kind == PROBE_VAL_LIST ? PyList_GET_ITEM(o, at) : PyTuple_GET_ITEM(o, at);
        return ret_value ? value_of(l, value, ret_value) : 0;
    case PROBE_VAL_SET: {
        PySetObject *s = (PySetObject *)o;
        while (at <= s->mask && (!s->table[at].key || s->table[at].hash == -1))
            at++;
        if (at > s->mask)
            return -1;
        *cursor = (uint64_t)at + 1;
        return ret_value ? value_of(l, s->table[at].key, ret_value) : 0;
    }
    case PROBE_VAL_DICT:
        if (!PyDict_Next(o, &at, &key, &value))
            return -1;
        *cursor = (uint64_t)at;
        rc = value_of(l, key, ret_key);
        return rc ? rc : paired(l, ret_key->kind == PROBE_VAL_STR ? ret_key->s : (str){ 0 }, value, ret_value);
    case PROBE_VAL_OBJECT:
        return next_of_object(l, o, cursor, ret_key, ret_value);
    default:
        return PROBE_FAULT_TYPE;
    }
}

static int host_type(void *ctx, const struct probe_val *of, str *ret)
{
    const char *name = Py_TYPE((PyObject *)(uintptr_t)of->object)->tp_name, *dot = strrchr(name, '.');
    *ret = str_z(dot ? dot + 1 : name);
    return 0;
}

static int text(struct look *l, str s, struct probe_val *ret)
{
    char *p = probe_scratch_take(l->scratch, s.len);
    if (!p)
        return PROBE_FAULT_SPACE;
    memcpy(p, s.ptr, s.len);
    *ret = (struct probe_val){ .kind = PROBE_VAL_STR, .s = str_of(p, s.len) };
    return 0;
}

static int id_text(struct look *l, const uint8_t *id, size_t n, struct probe_val *ret)
{
    char hex[32];
    if (!ext_hit_trace(l->hit)) {
        *ret = (struct probe_val){ .kind = PROBE_VAL_NULL };
        return 0;
    }
    for (size_t i = 0; i < n; i++) {
        hex[2 * i] = "0123456789abcdef"[id[i] >> 4];
        hex[2 * i + 1] = "0123456789abcdef"[id[i] & 15];
    }
    return text(l, str_of(hex, 2 * n), ret);
}

static int host_special(void *ctx, enum probe_special which, struct probe_val *ret)
{
    struct look *l = ctx;
    const struct clew_order *o = &l->hit->site->order;
    const char *service = (const char *)l->hit->site->texts + o->file_len + o->function_len + o->exception_len;
    char room[ROOM];
    str s;
    *ret = (struct probe_val){ .kind = PROBE_VAL_NULL };
    switch (which) {
    case PROBE_SPECIAL_HIT:
        *ret = (struct probe_val){ .kind = PROBE_VAL_INT, .i = (int64_t)l->hit->number };
        return 0;
    case PROBE_SPECIAL_DURATION:
        *ret = (struct probe_val){ .kind = PROBE_VAL_INT, .i = l->hit->event->duration_ns };
        return l->hit->event->duration_ns < 0 ? PROBE_FAULT_NOT_IN_SCOPE : 0;
    case PROBE_SPECIAL_RETURN:
        return l->hit->event->returned ? value_of(l, l->hit->event->returned, ret) : PROBE_FAULT_NOT_IN_SCOPE;
    case PROBE_SPECIAL_EXCEPTION:
        return l->hit->event->exception ? value_of(l, l->hit->event->exception, ret) : PROBE_FAULT_NOT_IN_SCOPE;
    case PROBE_SPECIAL_THREAD:
        s = ext_thread_name(room, sizeof room);
        return s.len ? text(l, s, ret) : 0;
    case PROBE_SPECIAL_TRACE_ID:
        return id_text(l, l->hit->trace, 16, ret);
    case PROBE_SPECIAL_SPAN_ID:
        return id_text(l, l->hit->span, 8, ret);
    case PROBE_SPECIAL_SERVICE:
        *ret = (struct probe_val){ .kind = o->service_len ? PROBE_VAL_STR : PROBE_VAL_NULL,
                                   .s = str_of(service, o->service_len) };
        return 0;
    case PROBE_SPECIAL_HOST:
        *ret = (struct probe_val){ .kind = o->host_len ? PROBE_VAL_STR : PROBE_VAL_NULL,
                                   .s = str_of(service + o->service_len, o->host_len) };
        return 0;
    default:
        return PROBE_FAULT_UNSUPPORTED;
    }
}

static bool host_late(void *ctx)
{
    struct look *l = ctx;
    int64_t now = ext_now_ns();
    if (!l->deadline) {
        l->hit->begun = now; // what is asked for the time is no short one, and charged
        l->deadline = now + PROBE_CONDITION_NS_MAX;
    }
    return now > l->deadline;
}

const struct probe_host look_host = {
    .name = host_name,
    .field = host_field,
    .index = host_index,
    .length = host_length,
    .item = host_item,
    .type = host_type,
    .special = host_special,
    .frame = host_frame,
    .statics = host_statics,
    .late = host_late,
};
