// From 3.12: sys.monitoring, for the one code object only. Lines of it that are not wanted are switched off when they are first reached; other
// tools' ids and events are left alone. Taking it back switches the events of the code object off. What leaves a function by an exception, and
// what raises one, the interpreter tells of all code or none: those events are on only while a probe asks for them.
#include "ext.h"

#if PY_VERSION_HEX >= 0x030C0000
enum {
    EVENT_PY_START = 1 << 0,
    EVENT_PY_RETURN = 1 << 2,
    EVENT_LINE = 1 << 5,
#if PY_VERSION_HEX >= 0x030E0000 // which has two kinds of branches
    EVENT_RAISE = 1 << 11,
    EVENT_PY_UNWIND = 1 << 13,
#else
    EVENT_RAISE = 1 << 10, // these two: of all code
    EVENT_PY_UNWIND = 1 << 12,
#endif
    TOOL_FIRST = 3,
    TOOL_LAST = 4,
};

static int tool = -1;
static PyObject *monitoring, *disable, *thread_name, *runner_name; // references; names are interned
static struct ext_site *const *current;
static size_t n_current;
static struct ext_codes marked; // code objects whose events are on

static PyObject *call(const char *name, PyObject *args)
{
    PyObject *f = args ? PyObject_GetAttrString(monitoring, name) : NULL, *r = f ? PyObject_Call(f, args, NULL) : NULL;
    Py_XDECREF(f), Py_XDECREF(args);
    return r;
}

static bool stands_in(const struct ext_site *s, PyObject *code)
{
    for (size_t k = 0; k < s->codes.n; k++)
        if ((PyObject *)s->codes.p[k] == code)
            return true;
    return false;
}

static bool measures(const struct ext_site *s) { return s->order.at == CLEW_AT_EXIT || s->order.at == CLEW_AT_THROW; }

static const struct ext_event nothing = { .duration_ns = -1 };

// The probes of this place are hit. False: nobody listens any more.
static bool reached(PyObject *code, enum clew_at at, int line, const struct ext_event *e)
{
    bool any = false;
    for (size_t i = 0; i < n_current; i++) {
        struct ext_site *s = current[i];
        if (!s->dead && s->order.at == at && (at != CLEW_AT_LINE || s->order.line == line) && stands_in(s, code))
            any |= ext_hit(s, e) != EXT_STALE;
    }
    return any;
}

static PyObject *on_line(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    bool any = reached(args[0], CLEW_AT_LINE, n > 1 ? (int)PyLong_AsLong(args[1]) : -1, &nothing);
    return Py_NewRef(any ? Py_None : disable);
}

static PyObject *on_start(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    bool any = reached(args[0], CLEW_AT_ENTRY, 0, &nothing), timed = false;
    for (size_t i = 0; i < n_current && !timed; i++)
        timed = measures(current[i]) && stands_in(current[i], args[0]);
    if (timed)
        ext_call_begin();
    return Py_NewRef(any || timed ? Py_None : disable);
}

static PyObject *on_return(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    struct ext_event e = { .returned = n > 2 ? args[2] : NULL, .duration_ns = ext_call_end() };
    return Py_NewRef(reached(args[0], CLEW_AT_EXIT, 0, &e) ? Py_None : disable);
}

// Told in every frame that an exception passes through: the first is the one whose traceback has one entry.
static bool is_new(PyObject *exception)
{
    PyObject *trace = ((PyBaseExceptionObject *)exception)->traceback;
    return trace && PyTraceBack_Check(trace) && !((PyTracebackObject *)trace)->tb_next;
}

// Probes of exceptions of this type, which is raised in this code.
static void thrown(PyCodeObject *code, enum clew_at at, const struct ext_event *e)
{
    for (size_t i = 0; i < n_current; i++) {
        struct ext_site *s = current[i];
        if (!s->dead && s->order.at == at && ext_exception_wanted(s, code, e->exception))
            ext_hit(s, e);
    }
}

static PyObject *on_raise(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    if (n < 3 || !PyExceptionInstance_Check(args[2]) || !PyCode_Check(args[0]) || !is_new(args[2]))
        Py_RETURN_NONE;
    thrown((PyCodeObject *)args[0], CLEW_AT_RAISE, &(struct ext_event){ .exception = args[2], .duration_ns = -1 });
    Py_RETURN_NONE;
}

// Nobody is left that could catch what leaves the running frame: the program's main module (or what runs one by its name), or what a
// thread runs. A function that C calls without a frame of Python's below is not known to be one: C may catch it.
static bool is_last(void)
{
    struct ext_frame f, caller;
    if (!ext_frame_first(PyThreadState_Get(), &f))
        return false;
    caller = f;
    if (ext_frame_next(&caller))
        return caller.code->co_name == thread_name && ext_file_is(caller.code->co_filename, str_z("threading.py"));
    return !(f.code->co_flags & CO_OPTIMIZED) || f.code->co_name == runner_name;
}

static PyObject *on_unwind(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    bool wanted = false, uncaught = false;
    if (n < 3 || !PyExceptionInstance_Check(args[2]))
        Py_RETURN_NONE;
    for (size_t i = 0; i < n_current; i++) {
        wanted |= measures(current[i]) && stands_in(current[i], args[0]);
        uncaught |= current[i]->order.at == CLEW_AT_UNCAUGHT;
    }
    if (wanted) {
        struct ext_event e = { .exception = args[2], .duration_ns = ext_call_end() };
        reached(args[0], CLEW_AT_EXIT, 0, &e);
        reached(args[0], CLEW_AT_THROW, 0, &e);
    }
    if (uncaught && is_last() && !ext_exception_ends(args[2])) {
        struct ext_event e = { .exception = args[2], .duration_ns = -1 };
        e.frame = ext_frame_raised(args[2], &e.cut);
        thrown(e.frame ? e.frame->code : (PyCodeObject *)args[0], CLEW_AT_UNCAUGHT, &e);
    }
    Py_RETURN_NONE;
}

#define FAST(f) ((PyCFunction)(void (*)(void))(f))
static PyMethodDef line_def = { "line", FAST(on_line), METH_FASTCALL, NULL };
static PyMethodDef start_def = { "start", FAST(on_start), METH_FASTCALL, NULL };
static PyMethodDef return_def = { "return", FAST(on_return), METH_FASTCALL, NULL };
static PyMethodDef unwind_def = { "unwind", FAST(on_unwind), METH_FASTCALL, NULL };
static PyMethodDef raise_def = { "raise", FAST(on_raise), METH_FASTCALL, NULL };

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
    thread_name = PyUnicode_InternFromString("_bootstrap_inner");
    runner_name = PyUnicode_InternFromString("_run_module_as_main"); // python -m
    for (int id = TOOL_FIRST; disable && thread_name && runner_name && tool < 0 && id <= TOOL_LAST; id++) {
        PyObject *r = call("use_tool_id", Py_BuildValue("(is)", id, "clew"));
        if (r)
            tool = id;
        Py_XDECREF(r);
        PyErr_Clear();
    }
    if (tool >= 0 && register_callback(EVENT_LINE, &line_def) && register_callback(EVENT_PY_START, &start_def) &&
        register_callback(EVENT_PY_RETURN, &return_def) && register_callback(EVENT_PY_UNWIND, &unwind_def) &&
        register_callback(EVENT_RAISE, &raise_def))
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

static bool set_global_events(int events)
{
    static int on;
    if (events == on)
        return true;
    PyObject *r = call("set_events", Py_BuildValue("(ii)", tool, events));
    Py_XDECREF(r);
    PyErr_Clear();
    if (r)
        on = events;
    return r;
}

size_t ext_place_files(str *out, size_t most) { return 0; }

static int local_events(const struct ext_site *s)
{
    switch (s->order.at) {
    case CLEW_AT_LINE:
        return EVENT_LINE;
    case CLEW_AT_ENTRY:
        return EVENT_PY_START;
    case CLEW_AT_EXIT:
        return EVENT_PY_START | EVENT_PY_RETURN;
    default:
        return EVENT_PY_START;
    }
}

bool ext_place_names_code(enum clew_at at) { return at != CLEW_AT_RAISE && at != CLEW_AT_UNCAUGHT; }

str ext_place_file(const struct ext_site *s) { return ext_site_file(s); }
bool ext_uncaught_stands_in(PyCodeObject *code) { return false; }

static int global_event(const struct ext_site *s)
{
    if (s->order.outcome == CLEW_BAD_PROGRAM)
        return 0;
    if (s->order.at == CLEW_AT_RAISE)
        return EVENT_RAISE;
    return s->order.at == CLEW_AT_UNCAUGHT || (measures(s) && s->codes.n) ? EVENT_PY_UNWIND : 0;
}

void ext_place_all(struct ext_site *const *sites, size_t n)
{
    int global = 0;
    for (size_t i = 0; i < marked.n; i++)
        set_events(marked.p[i], 0);
    ext_codes_free(&marked);
    current = sites, n_current = n;
    ext_calls_forget();
    ext_names_forget();
    for (size_t i = 0; i < n; i++)
        global |= global_event(sites[i]);
    bool told = set_global_events(global);
    for (size_t i = 0; i < n; i++) {
        if (!ext_place_names_code(sites[i]->order.at) && !sites[i]->order.outcome)
            sites[i]->order.outcome = told ? CLEW_INSTALLED : CLEW_FAILED, sites[i]->order.places = 1;
        for (size_t k = 0; k < sites[i]->codes.n; k++) {
            // All kinds that are wanted: a code object has one set.
            int events = 0;
            for (size_t j = 0; j < n; j++)
                events |= stands_in(sites[j], (PyObject *)sites[i]->codes.p[k]) ? local_events(sites[j]) : 0;
            bool done = set_events(sites[i]->codes.p[k], events) && (told || !measures(sites[i]));
            sites[i]->order.outcome = done ? CLEW_INSTALLED : CLEW_FAILED;
            sites[i]->order.places += done;
            if (done)
                ext_codes_add(&marked, sites[i]->codes.p[k]);
        }
    }
    // Places that were switched off while nobody wanted them are looked at again.
    PyObject *r = n ? call("restart_events", PyTuple_New(0)) : NULL;
    Py_XDECREF(r);
    PyErr_Clear();
}

bool ext_place_count(int64_t until_ns) { return true; } // nothing goes on in other code
void ext_place_count_end(void) {}
#endif
