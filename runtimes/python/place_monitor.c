// From 3.12: sys.monitoring, for the one code object only. Lines of it that are not wanted are switched off when they are first reached; other
// tools' ids and events are left alone. Taking it back switches the events of the code object off.
#include "ext.h"

#if PY_VERSION_HEX >= 0x030C0000
enum { EVENT_PY_START = 1 << 0, EVENT_LINE = 1 << 5, TOOL_FIRST = 3, TOOL_LAST = 4 };

static int tool = -1;
static PyObject *monitoring, *disable; // references
static struct ext_site *const *current;
static size_t n_current;
static struct ext_codes marked; // code objects whose events are on

static PyObject *call(const char *name, PyObject *args)
{
    PyObject *f = args ? PyObject_GetAttrString(monitoring, name) : NULL, *r = f ? PyObject_Call(f, args, NULL) : NULL;
    Py_XDECREF(f), Py_XDECREF(args);
    return r;
}

static struct ext_site *next_site(PyObject *code, int line, size_t *at)
{
    for (; *at < n_current; ++*at) {
        struct ext_site *s = current[*at];
        if (s->dead || (line ? s->order.at != CLEW_AT_LINE || s->order.line != line : s->order.at != CLEW_AT_ENTRY))
            continue;
        for (size_t k = 0; k < s->codes.n; k++)
            if ((PyObject *)s->codes.p[k] == code) {
                ++*at;
                return s;
            }
    }
    return NULL;
}

static PyObject *reached(PyObject *code, int line)
{
    size_t at = 0;
    struct ext_site *s = next_site(code, line, &at);
    bool any = false;
    for (; s; s = next_site(code, line, &at))
        any |= ext_hit(s) != EXT_STALE;
    return Py_NewRef(any ? Py_None : disable);
}

static PyObject *on_line(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    return reached(args[0], n > 1 ? (int)PyLong_AsLong(args[1]) : -1);
}
static PyObject *on_start(PyObject *self, PyObject *const *args, Py_ssize_t n) { return reached(args[0], 0); }

static PyMethodDef line_def = { "line", (PyCFunction)(void (*)(void))on_line, METH_FASTCALL, NULL };
static PyMethodDef start_def = { "start", (PyCFunction)(void (*)(void))on_start, METH_FASTCALL, NULL };

static bool register_callback(int event, PyMethodDef *def)
{
    PyObject *f = PyCFunction_New(def, NULL),
             *r = f ? call("register_callback", Py_BuildValue("(iiO)", tool, event, f)) : NULL;
    Py_XDECREF(f), Py_XDECREF(r);
    return r;
}

bool ext_place_start(void)
{
    if (tool >= 0)
        return true;
    monitoring = PySys_GetObject("monitoring"); // borrowed
    if (!monitoring)
        return false;
    Py_INCREF(monitoring);
    disable = PyObject_GetAttrString(monitoring, "DISABLE");
    for (int id = TOOL_FIRST; disable && tool < 0 && id <= TOOL_LAST; id++) {
        PyObject *r = call("use_tool_id", Py_BuildValue("(is)", id, "clew"));
        if (r)
            tool = id;
        Py_XDECREF(r);
        PyErr_Clear();
    }
    if (tool >= 0 && register_callback(EVENT_LINE, &line_def) && register_callback(EVENT_PY_START, &start_def))
        return true;
    PyErr_Clear();
    return false;
}

static bool set_events(PyCodeObject *code, int events)
{
    PyObject *r = call("set_local_events", Py_BuildValue("(iOi)", tool, code, events));
    Py_XDECREF(r);
    PyErr_Clear();
    return r;
}

void ext_place_all(struct ext_site *const *sites, size_t n)
{
    for (size_t i = 0; i < marked.n; i++)
        set_events(marked.p[i], 0);
    ext_codes_free(&marked);
    current = sites, n_current = n;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < sites[i]->codes.n; k++) {
            // Both kinds when both are wanted: a code object has one set.
            int events = 0;
            for (size_t j = 0; j < n; j++)
                for (size_t c = 0; c < sites[j]->codes.n; c++)
                    if (sites[j]->codes.p[c] == sites[i]->codes.p[k])
                        events |= sites[j]->order.at == CLEW_AT_ENTRY ? EVENT_PY_START : EVENT_LINE;
            bool done = set_events(sites[i]->codes.p[k], events);
            sites[i]->order.outcome = done ? CLEW_INSTALLED : CLEW_FAILED;
            sites[i]->order.places += done;
            if (done)
                ext_codes_add(&marked, sites[i]->codes.p[k]);
        }
    // Places that were switched off while nobody wanted them are looked at again.
    PyObject *r = n ? call("restart_events", PyTuple_New(0)) : NULL;
    Py_XDECREF(r);
    PyErr_Clear();
}
#endif
