// Up to 3.11: functions get a copy of their code in which the capture is called. What the copy cannot reach is counted: frames and generators
// that go on in the code from before. Taking it back puts the very objects back that were there.
#include "ext.h"
#include "splice.h"

#ifdef CLEW_SPLICE
enum { SITES_A_CODE_MAX = 64, SPLICES_A_SITE = 3 };

struct swap {
    PyCodeObject *original, *copy; // references
    struct ext_site *sites[SITES_A_CODE_MAX];
    size_t n_sites;
};

// A constant of an enclosing function that was exchanged, so that functions made from now on have the copy, too.
struct constant {
    PyObject *tuple; // reference
    Py_ssize_t at;
    PyCodeObject *original; // reference
};

static struct swap *swaps;
static struct constant *constants;
static size_t n_swaps, n_constants, constants_room;

bool ext_place_start(void) { return true; }

bool ext_place_names_code(enum clew_at at) { return true; }

str ext_place_file(const struct ext_site *s)
{
    return s->order.at == CLEW_AT_UNCAUGHT ? str_z("threading.py") : ext_site_file(s);
}

static void set_constant(PyObject *tuple, Py_ssize_t at, PyCodeObject *code)
{
    PyObject *before = PyTuple_GET_ITEM(tuple, at);
    Py_INCREF(code);
    PyTuple_SET_ITEM(tuple, at, (PyObject *)code);
    Py_DECREF(before);
}

struct exchange {
    const struct swap *swaps;
    size_t n;
    bool back;
};

static const struct swap *swap_of(const struct exchange *x, const void *code)
{
    for (size_t i = 0; i < x->n; i++)
        if ((x->back ? x->swaps[i].copy : x->swaps[i].original) == code)
            return &x->swaps[i];
    return NULL;
}

static bool goes_on(const PyGenObject *g)
{
#if PY_VERSION_HEX >= 0x030B0000
    return g->gi_frame_state < 1;
#else
    return g->gi_frame; // which it loses at its end
#endif
}

static void exchange_object(void *ctx, PyObject *o)
{
    const struct exchange *x = ctx;
    PyFunctionObject *f = (PyFunctionObject *)o;
    const struct swap *s = Py_TYPE(o) == &PyFunction_Type ? swap_of(x, f->func_code) : NULL;
    if (!s)
        return;
    PyObject *before = f->func_code, *to = (PyObject *)(x->back ? s->original : s->copy);
    f->func_code = Py_NewRef(to);
#if PY_VERSION_HEX >= 0x030B0000
    f->func_version = 0; // calls that were specialised for the code from before look again
#endif
    Py_DECREF(before); // never the last one: the swap has its own
}

static bool steps(const PyCodeObject *code)
{
    return code->co_flags & (CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR);
}

static void count_running(const struct exchange *x)
{
    PyInterpreterState *interp = PyThreadState_Get()->interp;
    for (PyThreadState *ts = PyInterpreterState_ThreadHead(interp); ts; ts = PyThreadState_Next(ts)) {
        struct ext_frame f;
        for (bool more = ext_frame_first(ts, &f); more; more = ext_frame_next(&f)) {
            const struct swap *s = steps(f.code) ? NULL : swap_of(x, f.code);
            for (size_t i = 0; s && i < s->n_sites; i++)
                s->sites[i]->order.old_code++;
        }
    }
}

static void exchange_all(struct exchange *x)
{
    const struct ext_weak *all = ext_survey_objects();
    PyObject *o;
    if (all->failed) { // rather a long stop than one that was forgotten
        ext_each_object(exchange_object, x);
        return;
    }
    for (size_t i = 0; (o = ext_weak_next(all, &i));)
        exchange_object(x, o);
}

// --- generators that go on in the code from before: none of that code begins any more, so that they are met in a walk of their own, part by part, each counted once ---

static struct ext_set counted; // addresses, of which nothing is read

static void count_object(void *ctx, PyObject *o)
{
    if (!PyGen_CheckExact(o) && !PyCoro_CheckExact(o) && !PyAsyncGen_CheckExact(o))
        return;
    const PyGenObject *g = (const PyGenObject *)o;
    const struct swap *s = goes_on(g) ? swap_of(ctx, g->gi_code) : NULL;
    if (!s || ext_set_add(&counted, o) == EXT_KNOWN)
        return;
    for (size_t i = 0; i < s->n_sites; i++)
        s->sites[i]->order.old_code++;
}

bool ext_place_count(int64_t until_ns)
{
    struct exchange x = { .swaps = swaps, .n = n_swaps };
    bool any = false;
    for (size_t i = 0; i < n_swaps; i++)
        any |= steps(swaps[i].original);
    if (any && !ext_objects_some(count_object, &x, until_ns))
        return false;
    ext_place_count_end();
    return true;
}

void ext_place_count_end(void) { ext_set_free(&counted); }

size_t ext_place_files(str *out, size_t most)
{
    static char room[1 << 14]; // of those that are not ASCII
    size_t n = 0, used = 0;
    for (size_t i = 0; i < n_swaps; i++) {
        PyObject *name = swaps[i].original->co_filename;
        bool told = false;
        for (size_t k = 0; k < i && !told; k++)
            told = swaps[k].original->co_filename == name;
        if (told || n == most)
            continue;
        out[n] = ext_text(name, room + used, sizeof room - used);
        used += out[n].ptr == room + used ? out[n].len : 0;
        n++;
    }
    return n;
}

static void remove_all(void)
{
    struct exchange x = { .swaps = swaps, .n = n_swaps, .back = true };
    if (n_swaps)
        exchange_all(&x);
    for (size_t i = n_constants; i > 0; i--) {
        struct constant *c = &constants[i - 1];
        set_constant(c->tuple, c->at, c->original);
        Py_DECREF(c->tuple), Py_DECREF(c->original);
    }
    for (size_t i = 0; i < n_swaps; i++)
        Py_DECREF(swaps[i].original), Py_DECREF(swaps[i].copy);
    PyMem_RawFree(swaps), PyMem_RawFree(constants);
    swaps = NULL, constants = NULL;
    n_swaps = n_constants = constants_room = 0;
}

static void constants_exchange(PyCodeObject *in)
{
    struct exchange x = { .swaps = swaps, .n = n_swaps };
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(in->co_consts); i++) {
        const struct swap *s = swap_of(&x, PyTuple_GET_ITEM(in->co_consts, i));
        if (!s)
            continue;
        if (n_constants == constants_room) {
            size_t room = constants_room ? constants_room * 2 : 16;
            struct constant *p = PyMem_RawRealloc(constants, room * sizeof *p);
            if (!p)
                return;
            constants = p, constants_room = room;
        }
        Py_INCREF(in->co_consts), Py_INCREF(s->original);
        constants[n_constants++] = (struct constant){ in->co_consts, i, s->original };
        set_constant(in->co_consts, i, s->copy);
    }
}

static struct swap *swap_for(PyCodeObject *code)
{
    for (size_t i = 0; i < n_swaps; i++)
        if (swaps[i].original == code)
            return &swaps[i];
    struct swap *p = PyMem_RawRealloc(swaps, (n_swaps + 1) * sizeof *p);
    if (!p)
        return NULL;
    swaps = p;
    Py_INCREF(code);
    swaps[n_swaps] = (struct swap){ .original = code };
    return &swaps[n_swaps++];
}

static size_t splices_of(const struct ext_site *s, struct splice_site *out)
{
    size_t n = 0;
    if (s->order.at == CLEW_AT_LINE || s->order.at == CLEW_AT_ENTRY || s->order.at == CLEW_AT_UNCAUGHT)
        out[n++] = (struct splice_site){ s->order.at == CLEW_AT_LINE ? s->order.line : 0, s->callee, SPLICE_LINE };
    if (s->begins)
        out[n++] = (struct splice_site){ 0, s->begins, SPLICE_LINE };
    if (s->returns)
        out[n++] = (struct splice_site){ 0, s->returns, SPLICE_RETURN };
    if (s->raises)
        out[n++] = (struct splice_site){ 0, s->raises, SPLICE_RAISE };
    return n;
}

static void copy_make(struct swap *s)
{
    struct splice_site at[SITES_A_CODE_MAX * SPLICES_A_SITE];
    size_t n = 0, places = 0, fit = 0;
    bool room = splice_has_room(s->original);
    for (size_t i = 0; i < s->n_sites; i++) {
        if (s->sites[i]->raises && !room) {
            s->sites[i]->order.outcome = CLEW_NO_ROOM;
            continue;
        }
        s->sites[fit++] = s->sites[i];
        n += splices_of(s->sites[i], at + n);
    }
    s->n_sites = fit;
    s->copy = n ? splice_code(s->original, at, n, &places) : NULL;
    PyErr_Clear();
    for (size_t i = 0; i < s->n_sites; i++) {
        struct clew_order *o = &s->sites[i]->order;
        o->outcome = s->copy ? CLEW_INSTALLED : CLEW_FAILED;
        o->places += s->copy ? 1 : 0;
    }
}

// Sites are looked for while the copies from before still stand: what was found of those are their originals, once each.
static void to_originals(struct ext_codes *codes)
{
    struct exchange x = { .swaps = swaps, .n = n_swaps, .back = true };
    struct ext_codes all = { 0 };
    for (size_t i = 0; i < codes->n; i++) {
        const struct swap *s = swap_of(&x, codes->p[i]);
        ext_codes_add(&all, s ? s->original : codes->p[i]);
    }
    ext_codes_free(codes);
    *codes = all;
}

void ext_place_all(struct ext_site *const *sites, size_t n)
{
    struct ext_codes *file;
    for (size_t i = 0; i < n; i++)
        to_originals(&sites[i]->codes);
    for (size_t i = 0; (file = ext_survey_codes(i)); i++)
        to_originals(file);
    remove_all();
    ext_calls_forget();
    ext_names_forget();
    bool at_end = ext_uncaught_place(sites, n);
    for (size_t i = 0; i < n; i++)
        if (sites[i]->order.at == CLEW_AT_UNCAUGHT && !sites[i]->order.outcome)
            sites[i]->order.outcome = at_end ? CLEW_INSTALLED : CLEW_FAILED, sites[i]->order.places = 1;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < sites[i]->codes.n; k++) {
            struct swap *s = swap_for(sites[i]->codes.p[k]);
            if (s && s->n_sites < SITES_A_CODE_MAX)
                s->sites[s->n_sites++] = sites[i];
            else
                sites[i]->order.outcome = CLEW_FAILED;
        }
    size_t kept = 0;
    for (size_t i = 0; i < n_swaps; i++) {
        copy_make(&swaps[i]);
        if (swaps[i].copy)
            swaps[kept++] = swaps[i];
        else
            Py_DECREF(swaps[i].original);
    }
    n_swaps = kept;
    struct exchange x = { .swaps = swaps, .n = n_swaps };
    if (!n_swaps)
        return;
    count_running(&x);
    exchange_all(&x);
    // Enclosing functions, and copies of them.
    for (size_t i = 0; (file = ext_survey_codes(i)); i++)
        for (size_t k = 0; k < file->n; k++)
            constants_exchange(file->p[k]);
    for (size_t i = 0; i < n_swaps; i++)
        constants_exchange(swaps[i].copy);
}
#endif
