#include "ext.h"

#if PY_VERSION_HEX >= 0x030B0000
#include <internal/pycore_code.h>
#include <internal/pycore_frame.h>
#if PY_VERSION_HEX >= 0x030E0000
#include <internal/pycore_interpframe.h>
#endif

typedef struct _PyInterpreterFrame frame;
#ifdef CO_FAST_HIDDEN
#define CO_FAST_HIDDEN_BIT CO_FAST_HIDDEN
#else
#define CO_FAST_HIDDEN_BIT 0
#endif

#if PY_VERSION_HEX >= 0x030E0000
// What a frame holds is tagged, by whether the frame counts as one of its references; integers of loops, of no variable, are no objects at all.
static PyObject *held(_PyStackRef ref) { return PyStackRef_IsNullOrInt(ref) ? NULL : PyStackRef_AsPyObjectBorrow(ref); }
static PyObject *value_at(const struct ext_frame *f, int i) { return held(((const _PyStackRef *)f->values)[i]); }
#else
static PyObject *value_at(const struct ext_frame *f, int i) { return f->values[i]; }
#endif

static PyCodeObject *code_of(const frame *f)
{
#if PY_VERSION_HEX >= 0x030E0000
    PyObject *o = held(f->f_executable);
    return o && PyCode_Check(o) ? (PyCodeObject *)o : NULL;
#elif PY_VERSION_HEX >= 0x030D0000
    return f->f_executable && PyCode_Check(f->f_executable) ? (PyCodeObject *)f->f_executable : NULL;
#else
    return f->f_code;
#endif
}

static bool is_python(const frame *f)
{
#if PY_VERSION_HEX >= 0x030E0000
    if (f->owner >= FRAME_OWNED_BY_INTERPRETER)
        return false;
#elif PY_VERSION_HEX >= 0x030C0000
    if (f->owner == FRAME_OWNED_BY_CSTACK)
        return false;
#endif
    PyCodeObject *code = code_of(f);
    // One that is still being made has no variables yet.
    return code && _PyInterpreterFrame_LASTI((frame *)f) >= code->_co_firsttraceable;
}

static struct ext_frame frame_of(const frame *f, PyCodeObject *code)
{
    return (struct ext_frame){ .code = code, .values = (PyObject **)f->localsplus, .globals = f->f_globals, .at = f };
}

static bool settle(const frame *f, struct ext_frame *ret)
{
    while (f && !is_python(f))
        f = f->previous;
    if (!f)
        return false;
    *ret = frame_of(f, code_of(f));
    return true;
}

int ext_frame_line(const struct ext_frame *f)
{
    const frame *at = f->at;
    if (f->line)
        return f->line;
    return PyCode_Addr2Line(f->code, _PyInterpreterFrame_LASTI((frame *)at) * (int)sizeof(_Py_CODEUNIT));
}

bool ext_frame_find(const struct ext_frame *f, PyObject *name, PyObject **ret)
{
    PyObject *names = f->code->co_localsplusnames;
    for (int i = 0; i < f->code->co_nlocalsplus; i++) {
        if (PyTuple_GET_ITEM(names, i) != name)
            continue;
        uint8_t kind = (uint8_t)PyBytes_AS_STRING(f->code->co_localspluskinds)[i];
        PyObject *value = value_at(f, i);
        if ((kind & (CO_FAST_CELL | CO_FAST_FREE)) && value && PyCell_Check(value))
            value = PyCell_GET(value);
        if (!value && kind & CO_FAST_HIDDEN_BIT)
            return false; // of a comprehension: outside of it the name means another
        *ret = value;
        return true;
    }
    return false;
}

bool ext_frame_first(PyThreadState *ts, struct ext_frame *ret)
{
#if PY_VERSION_HEX >= 0x030D0000
    return settle(ts->current_frame, ret);
#else
    return ts->cframe && settle(ts->cframe->current_frame, ret);
#endif
}

bool ext_frame_next(struct ext_frame *f)
{
    if (f->outer) {
        *f = *f->outer;
        return true;
    }
    return f->at && settle(((const frame *)f->at)->previous, f);
}

static int traced_line(const PyTracebackObject *tb, PyCodeObject *code)
{
    return tb->tb_lineno > 0 ? tb->tb_lineno : PyCode_Addr2Line(code, tb->tb_lasti);
}

int ext_frame_left(const struct ext_frame *f, PyObject *exception)
{
    const PyTracebackObject *tb = (const PyTracebackObject *)((PyBaseExceptionObject *)exception)->traceback;
    if (!tb || !PyTraceBack_Check(tb) || !tb->tb_frame || tb->tb_frame->f_frame != f->at)
        return 0;
    int line = traced_line(tb, f->code);
    return line > 0 ? line : 0;
}

bool ext_frame_traced(const PyTracebackObject *tb, struct ext_frame *ret)
{
    const frame *f = tb->tb_frame ? tb->tb_frame->f_frame : NULL;
    PyCodeObject *code = f ? code_of(f) : NULL;
    if (!code)
        return false;
    *ret = frame_of(f, code);
    ret->line = traced_line(tb, code);
    return true;
}

int ext_frame_names(const struct ext_frame *f) { return f->code->co_nlocalsplus; }

PyObject *ext_frame_value(const struct ext_frame *f, int i)
{
    uint8_t kind = (uint8_t)PyBytes_AS_STRING(f->code->co_localspluskinds)[i];
    PyObject *value = value_at(f, i);
    return (kind & (CO_FAST_CELL | CO_FAST_FREE)) && value && PyCell_Check(value) ? PyCell_GET(value) : value;
}

bool ext_frame_name(const struct ext_frame *f, int i, struct ext_name *ret)
{
    uint8_t kind = (uint8_t)PyBytes_AS_STRING(f->code->co_localspluskinds)[i];
    PyObject *name = PyTuple_GET_ITEM(f->code->co_localsplusnames, i), *value = ext_frame_value(f, i);
    int args = f->code->co_argcount + f->code->co_kwonlyargcount + !!(f->code->co_flags & CO_VARARGS) +
               !!(f->code->co_flags & CO_VARKEYWORDS);
    *ret = (struct ext_name){ name, value,
                              kind & CO_FAST_FREE ? CLEW_VAR_CLOSURE
                              : i < args          ? CLEW_VAR_ARG
                                                  : CLEW_VAR_LOCAL };
    // ".0" of a comprehension; names that a comprehension hides.
    return PyUnicode_GET_LENGTH(name) > 0 && PyUnicode_READ_CHAR(name, 0) != '.' &&
           (value || !(kind & CO_FAST_HIDDEN_BIT));
}
#endif
