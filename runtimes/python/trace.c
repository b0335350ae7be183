// The trace and span in which the program is at this moment: of OpenTelemetry's SDK (its context variable, in it the current span, in that the span
// context, a tuple of two numbers first) and of Sentry's (the current scope, before 2.0 the top of the current hub's stack; in it the span with its
// ids as hexadecimal text).
#include "ext.h"
#include <internal/pycore_context.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { VARS_MAX = 8 };

// Context variables by the SDKs' names; references, found when probes are placed.
static PyObject *otel[VARS_MAX], *sentry[VARS_MAX], *hubs[VARS_MAX];
static size_t n_otel, n_sentry, n_hubs;
static PyObject *package; // "sentry_sdk": a reference

static void keep(PyObject **list, size_t *n, PyObject *var)
{
    for (size_t i = 0; i < *n; i++)
        if (list[i] == var)
            return;
    if (*n < VARS_MAX)
        list[(*n)++] = Py_NewRef(var);
}

void ext_trace_met(PyObject *o)
{
    PyObject *name = ((PyContextVar *)o)->var_name;
    if (ext_text_is(name, str_z("current_context")))
        keep(otel, &n_otel, o);
    else if (ext_text_is(name, str_z("current_scope")))
        keep(sentry, &n_sentry, o);
    else if (ext_text_is(name, str_z("sentry_current_hub")))
        keep(hubs, &n_hubs, o);
}

// A context variable whose default is no container is unknown to the collector: those of Sentry's SDK are asked of its modules.
void ext_trace_find(void)
{
    static PyObject *names[4]; // references
    static const char *const texts[] = { "sentry_sdk.scope", "_current_scope", "sentry_sdk.hub", "_local" };
    PyObject *modules = PyImport_GetModuleDict();
    if (!package && !(package = PyUnicode_InternFromString("sentry_sdk")))
        PyErr_Clear();
    for (int i = 0; i < 4; i++)
        if (!names[i] && !(names[i] = PyUnicode_InternFromString(texts[i]))) {
            PyErr_Clear();
            return;
        }
    for (int i = 0; i < 4; i += 2) {
        PyObject *module = modules && PyDict_Check(modules) ? ext_dict_name(modules, names[i]) : NULL;
        PyObject *var = module && PyModule_Check(module) ? ext_dict_name(PyModule_GetDict(module), names[i + 1]) : NULL;
        if (var && PyContextVar_CheckExact(var))
            ext_trace_met(var);
    }
}

// Sentry's SDK is loaded, or nobody can tell: rather no event of an error than two.
bool ext_reported(void)
{
    PyObject *modules = PyImport_GetModuleDict(),
             *module = package && modules && PyDict_Check(modules) ? ext_dict_name(modules, package) : NULL;
    return !package || (module && module != Py_None);
}

// The number as n bytes, the most significant first. False: no int, or one that does not fit.
static bool bytes_of_int(PyObject *o, uint8_t *out, size_t n)
{
    if (!o || !PyLong_CheckExact(o))
        return false;
    bool negative;
    const digit *d;
    size_t digits = ext_digits(o, &d, &negative);
    memset(out, 0, n);
    for (size_t bit = 0; bit < digits * PyLong_SHIFT; bit++) {
        if (!(d[bit / PyLong_SHIFT] >> (bit % PyLong_SHIFT) & 1))
            continue;
        if (bit / 8 >= n || negative)
            return false;
        out[n - 1 - bit / 8] |= (uint8_t)(1u << (bit % 8));
    }
    return true;
}

static bool bytes_of_hex(PyObject *o, uint8_t *out, size_t n)
{
    char room[64];
    str text = o ? ext_text(o, room, sizeof room) : (str){ 0 };
    if (text.len != 2 * n)
        return false;
    for (size_t i = 0; i < 2 * n; i++) {
        char c = text.ptr[i];
        unsigned v = c >= '0' && c <= '9' ? (unsigned)(c - '0') : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10) : 16;
        if (v == 16)
            return false;
        out[i / 2] = (uint8_t)(i % 2 ? out[i / 2] | v : v << 4);
    }
    return true;
}

// Borrowed: the context keeps it while the hit lasts. Identity decides; nothing of the program's is compared.
static PyObject *value_of(PyObject *var)
{
    PyObject *value = NULL;
    if (PyContextVar_Get(var, NULL, &value) < 0) {
        PyErr_Clear();
        return NULL;
    }
    Py_XDECREF(value);
    return value;
}

static bool of_otel(PyObject *context, uint8_t *trace, uint8_t *span)
{
    PyObject *key, *value;
    Py_ssize_t at = 0;
    char room[64];
    while (context && PyDict_Check(context) && PyDict_Next(context, &at, &key, &value)) {
        if (!PyUnicode_Check(key) || !str_starts(ext_text(key, room, sizeof room), str_z("current-span")))
            continue;
        PyObject *ids = ext_attribute(value, str_z("_context"));
        return ids && PyTuple_Check(ids) && PyTuple_GET_SIZE(ids) >= 2 &&
               bytes_of_int(PyTuple_GET_ITEM(ids, 0), trace, 16) && bytes_of_int(PyTuple_GET_ITEM(ids, 1), span, 8);
    }
    return false;
}

static bool of_sentry(PyObject *scope, uint8_t *trace, uint8_t *span)
{
    PyObject *at = scope && scope != Py_None ? ext_attribute(scope, str_z("_span")) : NULL;
    if (!at || at == Py_None)
        return false;
    PyObject *trace_id = ext_attribute(at, str_z("_trace_id")), *span_id = ext_attribute(at, str_z("_span_id"));
    if (!trace_id)
        trace_id = ext_attribute(at, str_z("trace_id"));
    if (!span_id)
        span_id = ext_attribute(at, str_z("span_id"));
    return bytes_of_hex(trace_id, trace, 16) && bytes_of_hex(span_id, span, 8);
}

// [(client, scope), ..]
static PyObject *scope_of_hub(PyObject *hub)
{
    PyObject *stack = hub && hub != Py_None ? ext_attribute(hub, str_z("_stack")) : NULL;
    PyObject *top = stack && PyList_Check(stack) && PyList_GET_SIZE(stack)
                        ? PyList_GET_ITEM(stack, PyList_GET_SIZE(stack) - 1)
                        : NULL;
    return top && PyTuple_Check(top) && PyTuple_GET_SIZE(top) == 2 ? PyTuple_GET_ITEM(top, 1) : NULL;
}

bool ext_trace(uint8_t trace[16], uint8_t span[8])
{
    static const uint8_t none[16];
    for (size_t i = 0; i < n_otel; i++)
        if (of_otel(value_of(otel[i]), trace, span) && memcmp(trace, none, 16) != 0)
            return true;
    for (size_t i = 0; i < n_sentry; i++)
        if (of_sentry(value_of(sentry[i]), trace, span))
            return true;
    for (size_t i = 0; i < n_hubs; i++)
        if (of_sentry(scope_of_hub(value_of(hubs[i])), trace, span))
            return true;
    return false;
}

// The interpreter's own note is not renewed by a fork everywhere: of the thread that started us the kernel was asked.
uint64_t ext_thread_id(void)
{
    const PyThreadState *ts = PyThreadState_Get();
#if PY_VERSION_HEX >= 0x030B0000
    return ts == ext.starter ? ext.starter_id : ts->native_thread_id;
#else // which make no note
    return ts == ext.starter ? ext.starter_id : (uint64_t)syscall(SYS_gettid);
#endif
}

// threading._active is a dictionary of the threads by their number, a thread has its name in `_name`. Nobody is asked.
str ext_thread_name(char *room, size_t n)
{
    enum { THREADS_HINTED = 16 };
    static PyObject *names[3]; // references: "threading", "_active", "_name"
    static Py_ssize_t module_at, active_at, thread_at[THREADS_HINTED];
    static const char *const texts[] = { "threading", "_active", "_name" };
    for (int i = 0; i < 3; i++)
        if (!names[i] && !(names[i] = PyUnicode_InternFromString(texts[i]))) {
            PyErr_Clear();
            return (str){ 0 };
        }
    PyObject *modules = PyImport_GetModuleDict(), *active = NULL, *thread = NULL, *name = NULL;
    PyObject *module = modules && PyDict_Check(modules) ? ext_dict_name_again(modules, names[0], &module_at) : NULL;
    unsigned long id = PyThread_get_thread_ident();
    if (module && PyModule_Check(module))
        active = ext_dict_name_again(PyModule_GetDict(module), names[1], &active_at);
    if (active && PyDict_Check(active))
        thread = ext_dict_int_again(active, (int64_t)id, &thread_at[(id >> 12) % THREADS_HINTED]);
    if (!thread || ext_attribute_find(thread, names[2], &name) != EXT_ATTRIBUTE)
        return ext_thread_id() == ext.pid ? str_z("MainThread") : (str){ 0 };
    return ext_text(name, room, n);
}
