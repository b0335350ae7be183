// Lets test_objects.py walk in parts: some() -> whether all has been met, after the shortest part that there is; met() -> the addresses of the functions
// that were met since; strayed() -> whether what is no object was met, ever; end(). And what is taken for a collector: read(size, collecting, version, youngest) -> None, "incremental" or "generations".
#include "collector.h"

static struct {
    PyObject **p;
    size_t n, room;
} functions;

int64_t ext_now_ns(void) { return 1; } // later than any part may last

static bool strayed; // from one list into another, over the head of it

static void met(void *ctx, PyObject *o)
{
    struct ext_collector c;
    for (int i = 0; ext_collector(&c) && i < COLLECTOR_LISTS; i++)
        if ((PyGC_Head *)o - 1 == c.lists[i]) {
            strayed = true;
            return;
        }
    if (Py_TYPE(o) != &PyFunction_Type)
        return;
    if (functions.n == functions.room) {
        functions.room = functions.room ? 2 * functions.room : 1024;
        functions.p = realloc(functions.p, functions.room * sizeof *functions.p);
        if (!functions.p)
            abort();
    }
    functions.p[functions.n++] = o;
}

static PyObject *test_some(PyObject *self, PyObject *unused)
{
    int collects = PyGC_Disable();
    bool done = ext_objects_some(met, NULL, 0);
    if (collects)
        PyGC_Enable();
    return PyBool_FromLong(done);
}

static PyObject *test_met(PyObject *self, PyObject *unused)
{
    PyObject *all = PySet_New(NULL);
    for (size_t i = 0; all && i < functions.n; i++) {
        PyObject *address = PyLong_FromVoidPtr(functions.p[i]);
        if (!address || PySet_Add(all, address) < 0)
            Py_CLEAR(all);
        Py_XDECREF(address);
    }
    functions.n = 0;
    return all;
}

static PyObject *test_strayed(PyObject *self, PyObject *unused) { return PyBool_FromLong(strayed); }

static PyObject *test_end(PyObject *self, PyObject *unused)
{
    ext_objects_end();
    functions.n = 0;
    Py_RETURN_NONE;
}

#if PY_VERSION_HEX >= 0x030E0000
static PyObject *test_read(PyObject *self, PyObject *args)
{
    unsigned long long size, collecting;
    unsigned long version;
    int space, youngest;
    if (!PyArg_ParseTuple(args, "KKkii", &size, &collecting, &version, &space, &youngest))
        return NULL;
    static struct ext_collector_layout gc;
    struct ext_collector c;
    for (int i = 0; i < COLLECTOR_LISTS; i++)
        gc.lists[i].head._gc_next = gc.lists[i].head._gc_prev = (uintptr_t)&gc.lists[i].head;
    gc.visited_space = space;
    gc.youngest = youngest < 0 ? NULL : &gc.lists[youngest].head;
    if (!ext_collector_read(&gc, size, collecting, version, &c))
        Py_RETURN_NONE;
    return PyUnicode_FromString(c.visited ? "incremental" : "generations");
}
#endif

static PyMethodDef methods[] = {
    { "some", test_some, METH_NOARGS, NULL },
    { "met", test_met, METH_NOARGS, NULL },
    { "strayed", test_strayed, METH_NOARGS, NULL },
    { "end", test_end, METH_NOARGS, NULL },
#if PY_VERSION_HEX >= 0x030E0000
    { "read", test_read, METH_VARARGS, NULL },
#endif
    { NULL, NULL, 0, NULL },
};
static struct PyModuleDef definition = { PyModuleDef_HEAD_INIT, .m_name = "objects_module", .m_size = -1,
                                         .m_methods = methods };
PyMODINIT_FUNC PyInit_objects_module(void);
PyMODINIT_FUNC PyInit_objects_module(void) { return PyModule_Create(&definition); }
