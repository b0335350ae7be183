// Lets test_splice.py splice code: splice(code, lines) -> code or None (line -1: at each return; -2: when an exception leaves it); calls() -> how
// often an inserted function was called; seen() -> what those of returns and exceptions were called with since.
#include "splice.h"

static long calls;

static PyObject *hit(PyObject *self, PyObject *unused)
{
    calls++;
    Py_RETURN_NONE;
}
static PyMethodDef hit_def = { "hit", hit, METH_NOARGS, NULL };

static PyObject *values;

static PyObject *took(PyObject *self, PyObject *value)
{
    calls++;
    if (!values || PyList_GET_SIZE(values) > 1000 || PyList_Append(values, value) < 0)
        PyErr_Clear();
    Py_RETURN_NONE;
}
static PyMethodDef took_def = { "took", took, METH_O, NULL };

static PyObject *test_splice(PyObject *self, PyObject *args)
{
    PyObject *code, *lines, *made = NULL;
    struct splice_site sites[64];
    size_t places = 0;
    if (!PyArg_ParseTuple(args, "O!O!", &PyCode_Type, &code, &PyList_Type, &lines))
        return NULL;
    PyObject *callee = PyCFunction_New(&hit_def, NULL), *taker = PyCFunction_New(&took_def, NULL);
    Py_ssize_t n = PyList_GET_SIZE(lines) > 64 ? 64 : PyList_GET_SIZE(lines);
    for (Py_ssize_t i = 0; i < n; i++) {
        long line = PyLong_AsLong(PyList_GET_ITEM(lines, i));
        sites[i] = line >= 0 ? (struct splice_site){ (int)line, callee, SPLICE_LINE }
                             : (struct splice_site){ 0, taker, line == -1 ? SPLICE_RETURN : SPLICE_RAISE };
    }
    made = (PyObject *)splice_code((PyCodeObject *)code, sites, (size_t)n, &places);
    Py_XDECREF(callee), Py_XDECREF(taker);
    if (!made && !PyErr_Occurred())
        Py_RETURN_NONE;
    return made;
}

static PyObject *test_calls(PyObject *self, PyObject *unused) { return PyLong_FromLong(calls); }

static PyObject *test_seen(PyObject *self, PyObject *unused)
{
    PyObject *was = values ? values : PyList_New(0);
    values = PyList_New(0);
    return was;
}

static PyMethodDef methods[] = {
    { "seen", test_seen, METH_NOARGS, NULL },
    { "splice", test_splice, METH_VARARGS, NULL },
    { "calls", test_calls, METH_NOARGS, NULL },
    { NULL, NULL, 0, NULL },
};
static struct PyModuleDef definition = { PyModuleDef_HEAD_INIT, .m_name = "splice_module", .m_size = -1,
                                         .m_methods = methods };
PyMODINIT_FUNC PyInit_splice_module(void);
PyMODINIT_FUNC PyInit_splice_module(void) { return PyModule_Create(&definition); }
