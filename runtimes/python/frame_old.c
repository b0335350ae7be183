// frame.c for 3.9 and 3.10, whose frames are objects.
#include "ext.h"

#if PY_VERSION_HEX < 0x030B0000
#if PY_VERSION_HEX >= 0x030A0000
enum { LASTI_BYTES = sizeof(_Py_CODEUNIT) };
#else
enum { LASTI_BYTES = 1 };
#endif

static struct ext_frame of(PyFrameObject *f)
{
    return (struct ext_frame){ .code = f->f_code, .values = f->f_localsplus, .globals = f->f_globals, .at = f };
}

bool ext_frame_first(PyThreadState *ts, struct ext_frame *ret)
{
    if (ts->frame)
        *ret = of(ts->frame);
    return ts->frame;
}

bool ext_frame_next(struct ext_frame *f)
{
    if (f->outer) {
        *f = *f->outer;
        return true;
    }
    PyFrameObject *back = f->at ? ((const PyFrameObject *)f->at)->f_back : NULL;
    if (back)
        *f = of(back);
    return back;
}

int ext_frame_line(const struct ext_frame *f)
{
    return f->line ? f->line : PyCode_Addr2Line(f->code, ((const PyFrameObject *)f->at)->f_lasti * LASTI_BYTES);
}

// --- variables: locals, then cells, then free variables. An argument that closures refer to is in its cell alone ---

static Py_ssize_t cells_of(PyCodeObject *code) { return PyTuple_GET_SIZE(code->co_cellvars); }

int ext_frame_names(const struct ext_frame *f)
{
    return f->code->co_nlocals + (int)cells_of(f->code) + (int)PyTuple_GET_SIZE(f->code->co_freevars);
}

static PyObject *in_cell(const struct ext_frame *f, Py_ssize_t i)
{
    PyObject *cell = f->values[f->code->co_nlocals + i];
    return cell && PyCell_Check(cell) ? PyCell_GET(cell) : NULL;
}

// The cell of a local that is an argument; -1: it has none.
static Py_ssize_t cell_of(PyCodeObject *code, Py_ssize_t local)
{
    for (Py_ssize_t i = 0; code->co_cell2arg && i < cells_of(code); i++)
        if (code->co_cell2arg[i] == local)
            return i;
    return -1;
}

bool ext_frame_name(const struct ext_frame *f, int i, struct ext_name *ret)
{
    PyCodeObject *code = f->code;
    int args = code->co_argcount + code->co_kwonlyargcount + !!(code->co_flags & CO_VARARGS) +
               !!(code->co_flags & CO_VARKEYWORDS);
    Py_ssize_t outside = i - code->co_nlocals, cell = outside < 0 ? cell_of(code, i) : outside;
    if (outside < 0)
        *ret = (struct ext_name){ PyTuple_GET_ITEM(code->co_varnames, i), cell < 0 ? f->values[i] : in_cell(f, cell),
                                  i < args ? CLEW_VAR_ARG : CLEW_VAR_LOCAL };
    else if (outside < cells_of(code))
        *ret = (struct ext_name){ PyTuple_GET_ITEM(code->co_cellvars, outside), in_cell(f, outside), CLEW_VAR_LOCAL };
    else
        *ret = (struct ext_name){ PyTuple_GET_ITEM(code->co_freevars, outside - cells_of(code)), in_cell(f, outside),
                                  CLEW_VAR_CLOSURE };
    bool told = outside >= 0 && outside < cells_of(code) && code->co_cell2arg &&
                code->co_cell2arg[outside] != CO_CELL_NOT_AN_ARG;
    // ".0" of a comprehension.
    return !told && PyUnicode_GET_LENGTH(ret->name) > 0 && PyUnicode_READ_CHAR(ret->name, 0) != '.';
}

PyObject *ext_frame_value(const struct ext_frame *f, int i)
{
    if (i < f->code->co_nlocals && !cells_of(f->code))
        return f->values[i];
    struct ext_name v;
    ext_frame_name(f, i, &v);
    return v.value;
}

bool ext_frame_find(const struct ext_frame *f, PyObject *name, PyObject **ret)
{
    int n = ext_frame_names(f);
    struct ext_name v;
    for (int i = 0; i < n; i++)
        if (ext_frame_name(f, i, &v) && v.name == name) {
            *ret = v.value;
            return true;
        }
    return false;
}

// --- tracebacks ---

int ext_frame_left(const struct ext_frame *f, PyObject *exception)
{
    const PyTracebackObject *tb = (const PyTracebackObject *)((PyBaseExceptionObject *)exception)->traceback;
    return tb && PyTraceBack_Check(tb) && tb->tb_frame == f->at && tb->tb_lineno > 0 ? tb->tb_lineno : 0;
}

bool ext_frame_traced(const PyTracebackObject *tb, struct ext_frame *ret)
{
    if (!tb->tb_frame)
        return false;
    *ret = of(tb->tb_frame);
    ret->line = tb->tb_lineno;
    return true;
}
#endif
