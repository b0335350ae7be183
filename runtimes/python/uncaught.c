// Up to 3.11: exceptions that nobody catches. What ends a thread is looked at where `threading` makes ready to call its hook; what ends the program,
// which Python keeps as sys.last_value, where it begins to wait for its threads, or else among the first things at the exit. The hooks themselves are the
// program's. From 3.12 on place_monitor.c sees both as they happen.
#include "ext.h"

#if PY_VERSION_HEX < 0x030C0000
#include <internal/pycore_interp.h>

static const char HOOKS[] = "_make_invoke_excepthook.<locals>.invoke_excepthook", WAITS[] = "_shutdown";

static struct ext_site *const *current;
static size_t n_current;
static PyObject *at_exit; // reference

bool ext_uncaught_stands_in(PyCodeObject *code)
{
    return ext_code_is(code, str_z(HOOKS)) || ext_code_is(code, str_z(WAITS));
}

static PyObject *last_value(void) // borrowed, NULL
{
    static PyObject *name;
    PyObject *sys = PyThreadState_Get()->interp->sysdict;
    if (!name)
        name = PyUnicode_InternFromString("last_value");
    PyObject *o = name && sys && PyDict_Check(sys) ? ext_dict_name(sys, name) : NULL;
    return o && PyExceptionInstance_Check(o) ? o : NULL;
}

static void met(struct ext_site *s, PyObject *exception)
{
    struct ext_event e = { .exception = exception, .duration_ns = -1 };
    if (!exception || s->dead || ext_exception_ends(exception))
        return;
    e.frame = ext_frame_raised(exception, &e.cut);
    if (e.frame && ext_exception_wanted(s, e.frame->code, exception))
        ext_hit(s, &e);
}

static void met_last(struct ext_site *s)
{
    PyObject *last = last_value();
    if (last != s->told)
        met(s, last);
    s->told = last;
}

PyObject *ext_uncaught_call(struct ext_site *s)
{
    struct ext_frame f;
    if (!ext_frame_first(PyThreadState_Get(), &f))
        Py_RETURN_NONE;
    if (ext_text_is(f.code->co_name, str_z(WAITS))) {
        met_last(s);
        Py_RETURN_NONE;
    }
    PyObject *type, *handled, *trace;
    PyErr_GetExcInfo(&type, &handled, &trace);
    if (handled && PyExceptionInstance_Check(handled))
        met(s, handled);
    Py_XDECREF(type), Py_XDECREF(handled), Py_XDECREF(trace);
    Py_RETURN_NONE;
}

static PyObject *exits(PyObject *self, PyObject *unused)
{
    for (size_t i = 0; i < n_current; i++)
        if (current[i]->order.at == CLEW_AT_UNCAUGHT)
            met_last(current[i]);
    Py_RETURN_NONE;
}
static PyMethodDef exits_def = { "clew_exit", exits, METH_NOARGS, NULL };

#if PY_VERSION_HEX >= 0x030A0000
static struct atexit_state *exit_state(void) { return &PyThreadState_Get()->interp->atexit; }
static bool exit_alone(bool wanted) { return !wanted; }
#else
// 3.9: the state of the module atexit (Modules/atexitmodule.c), where the program has it.
typedef struct {
    PyObject *func, *args, *kwargs;
} atexit_callback;

struct atexit_state {
    atexit_callback **callbacks;
    int ncallbacks, callback_len;
};

static struct atexit_state *exit_state(void)
{
    PyObject *module = PyThreadState_Get()->interp->pyexitmodule;
    const PyModuleDef *def = module && PyModule_Check(module) ? PyModule_GetDef(module) : NULL;
    return def && strcmp(def->m_name, "atexit") == 0 ? PyModule_GetState(module) : NULL;
}

static void exits_alone(PyObject *unused) { Py_DECREF(exits(NULL, NULL)); }

// Where it has not: that module, when it comes, takes our place.
static bool exit_alone(bool wanted)
{
    PyInterpreterState *interp = PyThreadState_Get()->interp;
    if (interp->pyexitfunc && interp->pyexitfunc != exits_alone)
        return !wanted;
    interp->pyexitfunc = wanted ? exits_alone : NULL;
    return true;
}
#endif

// The list of what is called at the exit, as the module atexit keeps it: that module's own functions compare what is in it, and may be the program's.
static bool exit_add(struct atexit_state *state)
{
    atexit_callback *made = PyMem_Malloc(sizeof *made);
    PyObject *args = PyTuple_New(0);
    bool room = state->callbacks && made && args;
    if (room && state->ncallbacks >= state->callback_len) {
        int more = state->callback_len + 16;
        atexit_callback **p = PyMem_Realloc(state->callbacks, sizeof *p * (size_t)more);
        room = p;
        if (p)
            state->callbacks = p, state->callback_len = more;
    }
    if (!room) {
        PyMem_Free(made);
        Py_XDECREF(args);
        return false;
    }
    *made = (atexit_callback){ .func = Py_NewRef(at_exit), .args = args };
    state->callbacks[state->ncallbacks++] = made;
    return true;
}

static void exit_remove(struct atexit_state *state, int i)
{
    atexit_callback *c = state->callbacks[i];
    state->callbacks[i] = NULL;
    if (i == state->ncallbacks - 1)
        state->ncallbacks--;
    Py_DECREF(c->func), Py_DECREF(c->args);
    PyMem_Free(c);
}

bool ext_uncaught_place(struct ext_site *const *sites, size_t n)
{
    struct atexit_state *state = exit_state();
    int at = -1;
    bool wanted = false;
    current = sites, n_current = n;
    for (size_t i = 0; i < n; i++)
        if (sites[i]->order.at == CLEW_AT_UNCAUGHT && !sites[i]->order.outcome) {
            wanted = true;
            sites[i]->told = last_value(); // of before
        }
    if (!state)
        return exit_alone(wanted);
    for (int i = 0; state->callbacks && i < state->ncallbacks; i++)
        if (at_exit && state->callbacks[i] && state->callbacks[i]->func == at_exit)
            at = i;
    if (wanted && !at_exit)
        at_exit = PyCFunction_New(&exits_def, NULL);
    if (!wanted && at >= 0)
        exit_remove(state, at);
    return !wanted || at >= 0 || (at_exit && exit_add(state));
}
#endif
