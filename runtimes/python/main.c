// The ways in: called by the agent on the main thread, with the GIL, at a place where calls are safe. What goes wrong is an answer, never an exception.
#include "ext.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
EXPORT int64_t clew_python_start(const struct clew_start *start);
EXPORT int64_t clew_python_apply(void);

// Touched as far as it is used: a record, the host's policy, and what each expression of a hit makes.
static const size_t OWN_SIZE =
    CLEW_RECORD_MAX + 2 * PROBE_POLICY_ROOM + (size_t)EXT_VM_SCRATCH * (1 + PROBE_CAPTURE_EXPRS_MAX);

enum {
    PAGE = 4096,
    SLICE_NS = 250 * 1000, // of looking for code: the program goes on in between
    // Moments for it are rare: each is used for longer, so that somebody who waits for the probe does so for a second at the most.
    LATE_NS = 300 * 1000000,
    LATE_SLICE_NS = 1000 * 1000,
};

static struct ext_site **sites;
static size_t n_sites;

// --- a site lives as long as the function that is called at its place ---

static PyObject *called(PyObject *self, PyObject *unused)
{
    struct ext_site *s = PyCapsule_GetPointer(self, NULL);
    if (s && !s->dead)
        ext_hit(s, &(struct ext_event){ .duration_ns = -1 });
    Py_RETURN_NONE;
}
static PyMethodDef called_def = { "clew_probe", called, METH_NOARGS, NULL };

#if PY_VERSION_HEX < 0x030C0000
static PyObject *began(PyObject *self, PyObject *unused)
{
    const struct ext_site *s = PyCapsule_GetPointer(self, NULL);
    if (s && !s->dead)
        ext_call_begin();
    Py_RETURN_NONE;
}

static PyObject *returned(PyObject *self, PyObject *value)
{
    struct ext_site *s = PyCapsule_GetPointer(self, NULL);
    if (s && !s->dead)
        ext_hit(s, &(struct ext_event){ .returned = value, .duration_ns = ext_call_end() });
    Py_RETURN_NONE;
}

static PyObject *raised(PyObject *self, PyObject *exception)
{
    struct ext_site *s = PyCapsule_GetPointer(self, NULL);
    struct ext_frame f;
    if (!s || s->dead || !PyExceptionInstance_Check(exception) || !ext_frame_first(PyThreadState_Get(), &f) ||
        (s->order.at == CLEW_AT_RAISE && !ext_exception_is(exception, ext_site_exception(s))))
        Py_RETURN_NONE;
    f.line = ext_frame_left(&f, exception);
    ext_hit(s, &(struct ext_event){ .exception = exception, .duration_ns = ext_call_end(), .frame = &f });
    Py_RETURN_NONE;
}

static PyObject *uncaught(PyObject *self, PyObject *unused)
{
    struct ext_site *s = PyCapsule_GetPointer(self, NULL);
    return s && !s->dead ? ext_uncaught_call(s) : Py_NewRef(Py_None);
}

static PyMethodDef uncaught_def = { "clew_probe", uncaught, METH_NOARGS, NULL };
static PyMethodDef began_def = { "clew_probe", began, METH_NOARGS, NULL };
static PyMethodDef returned_def = { "clew_probe", returned, METH_O, NULL };
static PyMethodDef raised_def = { "clew_probe", raised, METH_O, NULL };

static bool exits_make(struct ext_site *s, PyObject *capsule)
{
    if (s->order.at == CLEW_AT_UNCAUGHT) {
        Py_SETREF(s->callee, PyCFunction_New(&uncaught_def, capsule));
        return s->callee;
    }
    bool exit = s->order.at == CLEW_AT_EXIT, thrown = exit || s->order.at == CLEW_AT_THROW,
         any = thrown || s->order.at == CLEW_AT_RAISE;
    s->begins = thrown ? PyCFunction_New(&began_def, capsule) : NULL;
    s->returns = exit ? PyCFunction_New(&returned_def, capsule) : NULL;
    s->raises = any ? PyCFunction_New(&raised_def, capsule) : NULL;
    return (s->begins || !thrown) && (s->returns || !exit) && (s->raises || !any);
}
#else
static bool exits_make(struct ext_site *s, PyObject *capsule) { return true; }
#endif

static void site_free(PyObject *capsule)
{
    struct ext_site *s = PyCapsule_GetPointer(capsule, NULL);
    if (!s)
        return;
    ext_programs_free(s);
    PyMem_RawFree(s->texts);
    PyMem_RawFree(s);
}

// Of the texts behind an order.
static size_t texts_len(const struct clew_order *o)
{
    return (size_t)o->file_len + o->function_len + o->exception_len + o->service_len + o->host_len;
}
str ext_site_file(const struct ext_site *s) { return str_of(s->texts, s->order.file_len); }
str ext_site_function(const struct ext_site *s) { return str_of(s->texts + s->order.file_len, s->order.function_len); }
str ext_site_exception(const struct ext_site *s)
{
    return str_of(s->texts + s->order.file_len + s->order.function_len, s->order.exception_len);
}

struct ext_site *ext_site_new(const struct clew_order *order, const uint8_t *texts, size_t n)
{
    struct ext_site *s = PyMem_RawCalloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->order = *order;
    s->order.places = s->order.old_code = 0;
    memset(s->order.nearest, 0, sizeof s->order.nearest);
    s->texts = PyMem_RawMalloc(n + 1);
    PyObject *capsule = s->texts ? PyCapsule_New(s, NULL, site_free) : NULL;
    if (!capsule) {
        PyMem_RawFree(s->texts);
        PyMem_RawFree(s);
        return NULL;
    }
    memcpy(s->texts, texts, n);
    s->callee = PyCFunction_New(&called_def, capsule);
    bool made = s->callee && exits_make(s, capsule);
    if (!made)
        ext_site_drop(s);
    Py_DECREF(capsule); // the functions'
    return made ? s : NULL;
}

void ext_site_drop(struct ext_site *s)
{
    PyObject *callees[] = { s->callee, s->begins, s->returns, s->raises };
    s->dead = true;
    s->callee = s->begins = s->returns = s->raises = NULL;
    ext_codes_free(&s->codes);
    for (size_t i = 0; i < sizeof callees / sizeof *callees; i++)
        Py_XDECREF(callees[i]);
}

// --- orders ---

static void near_line(void *ctx, int line)
{
    struct clew_order *o = ctx;
    int away = line > o->line ? line - o->line : o->line - line;
    for (int i = 0; i < CLEW_NEAREST; i++) {
        if (o->nearest[i] == line)
            return;
        int other = o->nearest[i] > o->line ? o->nearest[i] - o->line : o->line - o->nearest[i];
        if (!o->nearest[i] || away < other) {
            memmove(&o->nearest[i + 1], &o->nearest[i], (size_t)(CLEW_NEAREST - 1 - i) * sizeof o->nearest[0]);
            o->nearest[i] = line;
            return;
        }
    }
}

static void site_resolve(struct ext_site *s)
{
    str function = ext_site_function(s);
    size_t at = (texts_len(&s->order) + 7) & ~(size_t)7;
    if (!ext_programs_read(s, s->texts + at, s->order.bytes - sizeof s->order - at)) {
        s->order.outcome = CLEW_BAD_PROGRAM;
        return;
    }
    if (!ext_place_names_code(s->order.at))
        return; // wherever it happens
    const struct ext_codes *all = ext_survey_file(ext_place_file(s));
    if (s->order.at == CLEW_AT_UNCAUGHT) {
        for (size_t i = 0; i < all->n; i++)
            if (ext_uncaught_stands_in(all->p[i]))
                ext_codes_add(&s->codes, all->p[i]);
        return; // also where there are no threads yet
    }
    for (size_t i = 0; i < all->n; i++)
        if (s->order.at == CLEW_AT_LINE ? ext_has_line(all->p[i], s->order.line) : ext_code_is(all->p[i], function))
            ext_codes_add(&s->codes, all->p[i]);
    if (!all->n)
        s->order.outcome = CLEW_NOT_LOADED;
    else if (s->order.at == CLEW_AT_LINE && !s->codes.n)
        s->order.outcome = CLEW_NO_LINE;
    else if (!s->codes.n)
        s->order.outcome = CLEW_NO_FUNCTION;
    for (size_t i = 0; i < all->n && s->order.outcome == CLEW_NO_LINE; i++)
        ext_lines(all->p[i], near_line, &s->order);
}

static int64_t unix_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static struct ext_site *before(const struct ext_site *s)
{
    for (size_t i = 0; i < n_sites; i++)
        if (sites[i]->order.id == s->order.id && sites[i]->order.stamp == s->order.stamp &&
            sites[i]->n_programs == s->n_programs)
            return sites[i];
    return NULL;
}

#if PY_VERSION_HEX < 0x030C0000
static void exchange(PyObject **a, PyObject **b)
{
    PyObject *was = *a;
    *a = *b, *b = was;
}

// The same probe stands there again: calls that are under way go on in the copy from before, and what that calls is the new site's from now on.
static void adopt(struct ext_site *s)
{
    struct ext_site *old = before(s);
    if (!old || !old->callee || !s->callee)
        return;
    PyCapsule_SetPointer(PyCFunction_GET_SELF(old->callee), s);
    PyCapsule_SetPointer(PyCFunction_GET_SELF(s->callee), old);
    exchange(&s->callee, &old->callee);
    exchange(&s->begins, &old->begins);
    exchange(&s->returns, &old->returns);
    exchange(&s->raises, &old->raises);
}
#else
static void adopt(struct ext_site *s) {}
#endif

// The same probe stands there again: it goes on from where it was.
static void remember(struct ext_site *s)
{
    const struct ext_site *old = before(s);
    if (s->order.flags & CLEW_SERIES) {
        s->series = (struct probe_series_table *)(ext.mem + CLEW_SERIES_AT) + s->order.slot;
        if (!old || old->series != s->series)
            probe_series_reset(s->series, clew_series_owner(s->order.id, s->order.stamp), unix_ns());
    }
    if (!old)
        return;
    s->passed = old->passed;
    for (size_t i = 0; i < s->n_programs; i++)
        if (s->programs[i].code.n_changed == old->programs[i].code.n_changed)
            memcpy(s->programs[i].changed, old->programs[i].changed, s->programs[i].code.n_changed * sizeof(uint64_t));
}

static void survey(struct ext_site *const *fresh, size_t n)
{
    static str files[2 * CLEW_SLOTS];
    size_t of_sites = 0;
    for (size_t i = 0; i < n && of_sites < CLEW_SLOTS; i++)
        files[of_sites++] = ext_place_file(fresh[i]);
    ext_survey(files, of_sites + ext_place_files(files + of_sites, CLEW_SLOTS));
}

// Orders whose code is still being looked for, or of which it is still counted what goes on in the code from before.
static struct {
    bool under_way, placed;
    uint64_t number;
    struct ext_site **sites;
    size_t n;
    int64_t begun;       // when they were handed over
    uint64_t longest_ns; // of the calls
} coming;

static void coming_drop(void)
{
    for (size_t i = 0; i < coming.n; i++)
        ext_site_drop(coming.sites[i]);
    PyMem_RawFree(coming.sites);
    ext_survey_end();
    ext_place_count_end();
    memset(&coming, 0, sizeof coming);
}

static void coming_begin(const struct clew_orders *orders, int64_t now)
{
    const uint8_t *p = (const uint8_t *)(orders + 1), *end = ext.mem + CLEW_SERIES_AT;
    struct ext_site **fresh = PyMem_RawCalloc(orders->n + 1u, sizeof *fresh);
    size_t n = 0;
    for (uint32_t i = 0; fresh && i < orders->n; i++) {
        struct clew_order o;
        if ((size_t)(end - p) < sizeof o)
            break;
        memcpy(&o, p, sizeof o);
        if (o.bytes < sizeof o || o.bytes > (size_t)(end - p) ||
            ((uint64_t)o.file_len + o.function_len + o.exception_len + o.service_len + o.host_len + 7) / 8 * 8 >
                o.bytes - sizeof o ||
            o.slot >= ext.ring.n_slots || o.slot >= CLEW_SLOTS)
            break;
        fresh[n] = ext_site_new(&o, p + sizeof o, o.bytes - sizeof o);
        if (!fresh[n])
            break;
        n++;
        p += o.bytes;
    }
    coming.under_way = true, coming.begun = now, coming.number = orders->number, coming.sites = fresh, coming.n = n;
    survey(fresh, n);
}

// All their code has been found: they take the place of those from before.
static void coming_place(void)
{
    struct ext_site **fresh = coming.sites;
    size_t n = coming.n;
    for (size_t i = 0; i < n; i++)
        site_resolve(fresh[i]);
    for (size_t i = 0; i < n; i++)
        adopt(fresh[i]);
    ext_place_all(fresh, n);
    for (size_t i = 0; i < n; i++)
        remember(fresh[i]);
    for (size_t i = 0; i < n_sites; i++)
        ext_site_drop(sites[i]);
    PyMem_RawFree(sites);
    sites = fresh, n_sites = n;
    coming.sites = NULL, coming.n = 0, coming.placed = true;
    ext_survey_end();
}

static void answer(struct clew_orders *orders)
{
    uint8_t *p = (uint8_t *)(orders + 1);
    for (size_t i = 0; i < n_sites; i++) {
        memcpy(p, &sites[i]->order, sizeof(struct clew_order));
        p += sites[i]->order.bytes;
    }
    orders->n = (uint32_t)n_sites;
}

// What is set aside while a call of the agent's runs inside the program. No collection begins: no finaliser of the program's runs meanwhile, what was
// found stays, and so do the lists that are walked through. (One that an object of ours began would move what we are at into another list, which has no
// end for us.)
struct aside {
    PyObject *type, *value, *traceback;
    int collects;
};

static void put_aside(struct aside *ret)
{
    PyErr_Fetch(&ret->type, &ret->value, &ret->traceback);
    ret->collects = PyGC_Disable();
}

static void put_back(const struct aside *a)
{
    if (a->collects)
        PyGC_Enable();
    PyErr_Clear();
    PyErr_Restore(a->type, a->value, a->traceback);
}

int64_t clew_python_apply(void)
{
    struct clew_orders *orders = (struct clew_orders *)(ext.mem + CLEW_ORDERS_AT);
    struct aside aside;
    int64_t begun = ext_own_ns(), now = ext_now_ns();
    put_aside(&aside);
    if (coming.under_way && coming.number != orders->number)
        coming_drop();
    if (!coming.under_way)
        coming_begin(orders, now);
    int64_t until = now + (now - coming.begun > LATE_NS ? LATE_SLICE_NS : SLICE_NS);
    if (!coming.placed && ext_survey_some(until))
        coming_place();
    bool done = coming.placed && ext_place_count(until);
    if (done)
        answer(orders);
    uint64_t ns = (uint64_t)(ext_own_ns() - begun);
    orders->ns = coming.longest_ns = ns > coming.longest_ns ? ns : coming.longest_ns;
    if (done)
        coming_drop();
    put_back(&aside);
    return done ? CLEW_APPLIED : CLEW_APPLY_MORE;
}

static int64_t start_with(const struct clew_start *start)
{
    if (PyInterpreterState_Next(PyInterpreterState_Head()))
        return CLEW_START_SUBINTERPRETERS;
    uint8_t *mem = mmap(NULL, start->size, PROT_READ | PROT_WRITE, MAP_SHARED, start->fd, 0);
    if (mem == MAP_FAILED)
        return CLEW_START_MEMORY;
    struct probe_ring ring;
    if (start->size <= CLEW_RING_AT || !probe_ring_open(&ring, mem + CLEW_RING_AT, start->size - CLEW_RING_AT)) {
        munmap(mem, start->size);
        return CLEW_START_MEMORY;
    }
    if (!ext.scratch) {
        void *own = mmap(NULL, OWN_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (own == MAP_FAILED) {
            munmap(mem, start->size);
            return CLEW_START_MEMORY;
        }
        ext.scratch = own;
        ext.policy_bytes = ext.scratch + CLEW_RECORD_MAX;
        ext.vm_scratch = ext.policy_bytes + 2 * PROBE_POLICY_ROOM;
    }
    if (!ext.mine) {
        void *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (page == MAP_FAILED || madvise(page, PAGE, MADV_WIPEONFORK) < 0) {
            munmap(mem, start->size);
            return CLEW_START_MEMORY;
        }
        ext.mine = page;
    }
    if (!ext_place_start()) {
        munmap(mem, start->size);
        return CLEW_START_MONITORING;
    }
    // What an agent from before had placed goes with its memory.
    coming_drop();
    survey(NULL, 0);
    while (!ext_survey_some(INT64_MAX))
        continue;
    ext_place_all(NULL, 0);
    ext_survey_end();
    for (size_t i = 0; i < n_sites; i++)
        ext_site_drop(sites[i]);
    PyMem_RawFree(sites);
    sites = NULL, n_sites = 0;
    if (ext.mem)
        munmap(ext.mem, ext.size);
    ext.mem = mem, ext.size = start->size, ext.ring = ring;
    ext.has_policy = false, ext.policy_generation = 0;
    ext.pid = (uint32_t)getpid();
    ext.starter = PyThreadState_Get(), ext.starter_id = (uint64_t)syscall(SYS_gettid);
    *ext.mine = 1;
    return CLEW_STARTED;
}

int64_t clew_python_start(const struct clew_start *start)
{
    struct aside aside;
    int64_t rc = CLEW_START_VERSION;
    put_aside(&aside);
    if (start->version == CLEW_VERSION)
        rc = start_with(start);
    close(start->fd);
    if (start->own_fd >= 0)
        close(start->own_fd);
    put_back(&aside);
    return rc;
}
