#include "ext.h"

enum { NEST_MAX = 32, NAMES_CACHED = 512, NO_FILE = 0xffff };

bool ext_codes_add(struct ext_codes *c, PyCodeObject *code)
{
    for (size_t i = 0; i < c->n; i++)
        if (c->p[i] == code)
            return false;
    if (c->n == c->room) {
        size_t room = c->room ? c->room * 2 : 64;
        PyCodeObject **p = room <= EXT_CODES_MAX ? PyMem_RawRealloc(c->p, room * sizeof *p) : NULL;
        if (!p) {
            c->failed = true;
            return false;
        }
        c->p = p, c->room = room;
    }
    Py_INCREF(code);
    c->p[c->n++] = code;
    return true;
}

void ext_codes_free(struct ext_codes *c)
{
    for (size_t i = 0; i < c->n; i++)
        Py_DECREF(c->p[i]);
    PyMem_RawFree(c->p);
    *c = (struct ext_codes){ 0 };
}

bool ext_file_is(PyObject *file, str want)
{
    char room[4096];
    str path = ext_text(file, room, sizeof room);
    return want.len && str_ends(path, want) &&
           (path.len == want.len || path.ptr[path.len - want.len - 1] == '/' || want.ptr[0] == '/');
}

// --- one walk over everything, for all that is wanted of it: it costs more than all the rest of placing probes. Code may be kept while the program goes on;
// functions are remembered weakly (weak.c). ---

static struct survey {
    struct survey_file {
        str file;
        struct ext_codes codes;
    } * files;
    size_t n_files;
    struct ext_weak objects;
    // Names are compared once: all code of a module refers to one text.
    struct survey_name {
        PyObject *name; // borrowed: nothing is freed while a part of the walk lasts
        uint16_t first; // that matches
        uint16_t more;  // whether others do
    } names[NAMES_CACHED];
} survey;

static void name_read(struct survey_name *n, PyObject *name)
{
    *n = (struct survey_name){ .name = name, .first = NO_FILE };
    for (size_t i = 0; i < survey.n_files; i++)
        if (ext_file_is(name, survey.files[i].file)) {
            n->more = n->first != NO_FILE;
            if (n->more)
                return;
            n->first = (uint16_t)i;
        }
}

static void add_nested(struct ext_codes *codes, PyCodeObject *code, int depth)
{
    if (!ext_codes_add(codes, code) || depth == NEST_MAX)
        return;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(code->co_consts); i++)
        if (PyCode_Check(PyTuple_GET_ITEM(code->co_consts, i)))
            add_nested(codes, (PyCodeObject *)PyTuple_GET_ITEM(code->co_consts, i), depth + 1);
}

// Code of a wanted file?
static const struct survey_name *wanted(PyCodeObject *code)
{
    struct survey_name *n = &survey.names[((uintptr_t)code->co_filename >> 4) % NAMES_CACHED];
    if (n->name != code->co_filename)
        name_read(n, code->co_filename);
    return n->first == NO_FILE ? NULL : n;
}

static void met_function(PyObject *o)
{
    PyCodeObject *code = (PyCodeObject *)((PyFunctionObject *)o)->func_code;
    const struct survey_name *n = code ? wanted(code) : NULL;
    if (!n)
        return;
    ext_weak_add(&survey.objects, o);
    add_nested(&survey.files[n->first].codes, code, 0);
    for (size_t i = n->first + 1u; n->more && i < survey.n_files; i++)
        if (ext_file_is(code->co_filename, survey.files[i].file))
            add_nested(&survey.files[i].codes, code, 0);
}

static void met(void *ctx, PyObject *o)
{
    PyTypeObject *type = Py_TYPE(o);
    if (type == &PyFunction_Type)
        met_function(o);
    else if (type == &PyContextVar_Type)
        ext_trace_met(o);
}

void ext_survey(const str *files, size_t n)
{
    ext_survey_end();
    survey.files = PyMem_RawCalloc(n + 1, sizeof *survey.files);
    for (size_t i = 0; survey.files && i < n && survey.n_files < NO_FILE; i++) {
        bool told = false;
        for (size_t k = 0; k < survey.n_files && !told; k++)
            told = str_eq(survey.files[k].file, files[i]);
        if (!told && files[i].len)
            survey.files[survey.n_files++].file = files[i];
    }
}

bool ext_survey_some(int64_t until_ns)
{
    memset(survey.names, 0, sizeof survey.names);
    if (survey.n_files && !ext_objects_some(met, NULL, until_ns))
        return false;
    ext_trace_find();
    return true;
}

struct ext_codes *ext_survey_codes(size_t i) { return i < survey.n_files ? &survey.files[i].codes : NULL; }

const struct ext_codes *ext_survey_file(str file)
{
    static const struct ext_codes none;
    for (size_t i = 0; i < survey.n_files; i++)
        if (str_eq(survey.files[i].file, file))
            return &survey.files[i].codes;
    return &none;
}

const struct ext_weak *ext_survey_objects(void) { return &survey.objects; }

void ext_survey_end(void)
{
    ext_objects_end();
    for (size_t i = 0; i < survey.n_files; i++)
        ext_codes_free(&survey.files[i].codes);
    ext_weak_free(&survey.objects);
    PyMem_RawFree(survey.files);
    survey.files = NULL, survey.n_files = 0;
}
