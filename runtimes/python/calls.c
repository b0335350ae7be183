// Calls of functions whose exit is probed: when they began; and of what type an exception is.
#include "ext.h"

enum { CALLS = 1024 }; // a power of two

// By their frame. One that finds its place taken has no duration.
static struct call_begun {
    const void *frame;
    int64_t ns;
} calls[CALLS];

static struct call_begun *call_of(const void *frame) { return &calls[((uintptr_t)frame >> 4) * 2654435761u % CALLS]; }

void ext_call_begin(void)
{
    struct ext_frame f;
    if (!ext_frame_first(PyThreadState_Get(), &f))
        return;
    struct call_begun *c = call_of(f.at);
    *c = (struct call_begun){ f.at, ext_now_ns() };
}

int64_t ext_call_end(void)
{
    struct ext_frame f;
    if (!ext_frame_first(PyThreadState_Get(), &f))
        return -1;
    struct call_begun *c = call_of(f.at);
    int64_t ns = c->frame == f.at ? ext_now_ns() - c->ns : -1;
    c->frame = NULL;
    return ns;
}

void ext_calls_forget(void) { memset(calls, 0, sizeof calls); }

bool ext_exception_is(PyObject *exception, str want)
{
    PyObject *mro = Py_TYPE(exception)->tp_mro;
    if (str_eq(want, str_z("*")))
        return true;
    for (size_t i = want.len; i > 0; i--) // "module.Type" is known by "Type"
        if (want.ptr[i - 1] == '.') {
            want = str_slice(want, i, want.len);
            break;
        }
    for (Py_ssize_t i = 0; mro && PyTuple_CheckExact(mro) && i < PyTuple_GET_SIZE(mro); i++) {
        const char *name = ((PyTypeObject *)PyTuple_GET_ITEM(mro, i))->tp_name, *dot = strrchr(name, '.');
        if (str_eq(want, str_z(dot ? dot + 1 : name)))
            return true;
    }
    return false;
}

bool ext_exception_wanted(const struct ext_site *s, PyCodeObject *code, PyObject *exception)
{
    return ext_exception_is(exception, ext_site_exception(s)) &&
           (!s->order.function_len || ext_code_is(code, ext_site_function(s))) &&
           (!s->order.file_len || ext_file_is(code->co_filename, ext_site_file(s)));
}

bool ext_exception_ends(PyObject *exception)
{
    PyObject *ends[] = { PyExc_SystemExit, PyExc_KeyboardInterrupt, PyExc_GeneratorExit };
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (PyType_IsSubtype(Py_TYPE(exception), (PyTypeObject *)ends[i]))
            return true;
    return false;
}
