// Whether code is the function that somebody has named. From 3.11 on code knows its qualified name; before, only functions do, and the code that makes
// them: it loads the code, the name, and puts them together.
#include "ext.h"

#if PY_VERSION_HEX < 0x030B0000
#include <opcode.h>

struct search {
    PyCodeObject *code;
    str name;
    bool found;
};

static void look(void *ctx, PyObject *o)
{
    struct search *s = ctx;
    if (Py_TYPE(o) == &PyFunction_Type && ((PyFunctionObject *)o)->func_code == (PyObject *)s->code)
        s->found |= ext_text_is(((PyFunctionObject *)o)->func_qualname, s->name);
}

static PyObject *constant(PyCodeObject *code, uint32_t i)
{
    return i < (size_t)PyTuple_GET_SIZE(code->co_consts) ? PyTuple_GET_ITEM(code->co_consts, (Py_ssize_t)i) : NULL;
}

// The name that a function gets which is made of this code in that of another.
static void look_inside(struct search *s, PyCodeObject *maker)
{
    const uint8_t *p = (const uint8_t *)PyBytes_AS_STRING(maker->co_code);
    Py_ssize_t units = PyBytes_GET_SIZE(maker->co_code) / 2;
    PyObject *loaded[2] = { NULL, NULL }; // by the last two instructions
    uint32_t arg = 0;
    for (Py_ssize_t i = 0; i < units && !s->found; i++) {
        uint8_t op = p[2 * i];
        arg = arg << 8 | p[2 * i + 1];
        if (op == EXTENDED_ARG)
            continue;
        if (op == MAKE_FUNCTION && loaded[0] == (PyObject *)s->code)
            s->found = ext_text_is(loaded[1], s->name);
        loaded[0] = loaded[1];
        loaded[1] = op == LOAD_CONST ? constant(maker, arg) : NULL;
        arg = 0;
    }
}

static bool has_constant(PyCodeObject *in, PyCodeObject *code)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(in->co_consts); i++)
        if (PyTuple_GET_ITEM(in->co_consts, i) == (PyObject *)code)
            return true;
    return false;
}

static bool is_qualified(PyCodeObject *code, str name)
{
    struct search s = { .code = code, .name = name };
    size_t at = name.len;
    while (at > 0 && name.ptr[at - 1] != '.')
        at--;
    if (at == 0 || !ext_text_is(code->co_name, str_slice(name, at, name.len)))
        return false;
    const struct ext_weak *met = ext_survey_objects();
    PyObject *o;
    for (size_t i = 0; !s.found && (o = ext_weak_next(met, &i));)
        look(&s, o);
    struct ext_codes *codes;
    for (size_t i = 0; !s.found && (codes = ext_survey_codes(i)); i++)
        for (size_t k = 0; k < codes->n && !s.found; k++)
            if (has_constant(codes->p[k], code))
                look_inside(&s, codes->p[k]);
    if (!s.found && (!met->refs.n || met->failed)) // not while probes are placed
        ext_each_object(look, &s);
    return s.found;
}
#else
static bool is_qualified(PyCodeObject *code, str name) { return ext_text_is(code->co_qualname, name); }
#endif

bool ext_code_is(PyCodeObject *code, str name) { return ext_text_is(code->co_name, name) || is_qualified(code, name); }
