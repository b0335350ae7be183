// The copy of splice.h for 3.9 and 3.10: bytecode with absolute and relative jumps and a stack of blocks in place of a table of handlers.
//
// LINE inserts  LOAD_CONST callee; CALL_FUNCTION 0; POP_TOP : it leaves the stack as it found it. RETURN inserts
// DUP_TOP; LOAD_CONST callee; ROT_TWO; CALL_FUNCTION 1; POP_TOP  with the value that is about to be returned. RAISE lays a block around the whole body:
// SETUP_FINALLY  where it begins, POP_BLOCK before each RETURN_VALUE, and behind the end a handler that calls with the exception and raises it on. It is
// the outermost block, so the program's own handlers come first. From 3.10 on RERAISE 1 gives the frame back the place it was raised at; 3.9 has no such
// instruction, there the frame (not its entry in the traceback) stands at the function's end, as it does behind any `finally` of 3.9.
#define Py_BUILD_CORE_MODULE 1
#include "splice.h"

#if PY_VERSION_HEX < 0x030B0000
#include "lines_old.h"

#include <frameobject.h>
#include <opcode.h>
#include <string.h>

#if PY_VERSION_HEX >= 0x030A0000
enum { JUMP_SCALE = 1, PART_BYTES_MAX = 254 };
#else
enum { JUMP_SCALE = 2, PART_BYTES_MAX = 255 }; // 3.9 counts jumps in bytes
#endif
enum {
    INSTRUCTIONS_MAX = 1 << 20,
    STACK_MORE = 10, // the handler's six, and its call
};

struct instruction {
    uint8_t op;
    uint8_t prefixes; // EXTENDED_ARG in front of it
    uint32_t arg;
    int32_t old_at; // units, where it (with its prefixes) began; -1: inserted
    int32_t new_at;
    int32_t target; // index of the instruction that it jumps to; -1
    int32_t line;   // 0: none
};

struct copy {
    PyCodeObject *code;
    const struct splice_site *sites;
    size_t n_sites, places;
    struct instruction *old, *in;
    int32_t n_old, units_old, body;
    int32_t n, units;
    // Of each old instruction, and of the end: where what was inserted before it begins, and where jumps to it go. They differ where the body
    // begins: what happens at the entry is not done again by a loop.
    int32_t *place_of, *jump_of;
    int32_t handler; // index of its first instruction; -1
    bool wrapped;    // by a block
};

static bool is_setup(int op) { return op == SETUP_FINALLY || op == SETUP_WITH || op == SETUP_ASYNC_WITH; }
static bool is_relative(int op) { return op == JUMP_FORWARD || op == FOR_ITER || is_setup(op); }

static bool is_jump(int op)
{
    switch (op) {
    case JUMP_ABSOLUTE:
    case JUMP_IF_FALSE_OR_POP:
    case JUMP_IF_TRUE_OR_POP:
    case JUMP_IF_NOT_EXC_MATCH:
    case POP_JUMP_IF_FALSE:
    case POP_JUMP_IF_TRUE:
        return true;
    default:
        return is_relative(op);
    }
}

static uint8_t prefixes_of(uint32_t arg) { return arg > 0xffffff ? 3 : arg > 0xffff ? 2 : arg > 0xff ? 1 : 0; }

// --- the old code ---

// The instruction that begins at this unit; n_old: the end. -1: none does.
static int32_t at_unit(const struct copy *c, int32_t unit)
{
    if (unit == c->units_old)
        return c->n_old;
    int32_t low = 0, high = c->n_old - 1;
    while (low <= high) {
        int32_t mid = (low + high) / 2;
        if (c->old[mid].old_at == unit)
            return mid;
        if (c->old[mid].old_at < unit)
            low = mid + 1;
        else
            high = mid - 1;
    }
    return -1;
}

static bool decode_jump(struct instruction *i, int32_t next, int32_t units)
{
    if (i->arg % JUMP_SCALE || i->arg / JUMP_SCALE >= (uint32_t)units)
        return false;
    i->target = (int32_t)(i->arg / JUMP_SCALE) + (is_relative(i->op) ? next : 0); // a unit for now
    return i->target < units;
}

// False: there is an instruction that this does not know how to move.
static bool decode(struct copy *c, const uint8_t *bytes)
{
    struct lines_part part = lines_begin(c->code);
    for (int32_t at = 0; at < c->units_old;) {
        struct instruction i = { .old_at = at, .target = -1 };
        uint32_t arg = 0;
        while (part.to <= at)
            if (!lines_next(&part))
                return false;
        i.line = part.line;
        while (at < c->units_old && bytes[2 * at] == EXTENDED_ARG) {
            arg = (arg | bytes[2 * at + 1]) << 8;
            i.prefixes++;
            at++;
        }
        if (at >= c->units_old || i.prefixes > 3)
            return false;
        i.op = bytes[2 * at];
        i.arg = arg | bytes[2 * at + 1];
        at++;
        if (is_jump(i.op) && !decode_jump(&i, at, c->units_old))
            return false;
        c->old[c->n_old++] = i;
    }
    for (int32_t k = 0; k < c->n_old; k++)
        if (c->old[k].target >= 0 && (c->old[k].target = at_unit(c, c->old[k].target)) < 0)
            return false;
#ifdef GEN_START
    c->body = c->n_old > 0 && c->old[0].op == GEN_START; // which belongs to the call of a generator
#endif
    return true;
}

static bool falls_through(int op)
{
    return op != JUMP_FORWARD && op != JUMP_ABSOLUTE && op != RETURN_VALUE && op != RAISE_VARARGS && op != RERAISE;
}

// Whether a frame has room for one more block wherever the body is: the interpreter does not look when it pushes one. depth and todo: of n_old.
static bool room_for_block(const struct copy *c, int8_t *depth, int32_t *todo)
{
    int32_t n = 0;
    memset(depth, -1, (size_t)c->n_old);
    depth[0] = 0, todo[n++] = 0;
    while (n > 0) {
        int32_t k = todo[--n];
        const struct instruction *i = &c->old[k];
        int now = depth[k], popped = i->op == POP_BLOCK || i->op == POP_EXCEPT || i->op == END_ASYNC_FOR;
        int next = now + is_setup(i->op) - popped;
        if (next < 0 || next + 1 > CO_MAXBLOCKS)
            return false;
        // A handler has a block of its own in the place of the one that led to it.
        if (i->target >= 0 && depth[i->target] < 0)
            depth[i->target] = (int8_t)next, todo[n++] = i->target;
        if (!falls_through(i->op))
            continue;
        if (k + 1 == c->n_old)
            return false;
        if (depth[k + 1] < 0)
            depth[k + 1] = (int8_t)next, todo[n++] = k + 1;
    }
    return true;
}

static bool can_wrap(const struct copy *c)
{
    int8_t *depth = PyMem_RawMalloc((size_t)c->n_old);
    int32_t *todo = PyMem_RawMalloc((size_t)c->n_old * sizeof *todo);
    bool can = depth && todo && room_for_block(c, depth, todo);
    PyMem_RawFree(depth), PyMem_RawFree(todo);
    return can;
}

// --- what is inserted ---

static void put_one(struct copy *c, uint8_t op, uint32_t arg, int32_t line)
{
    if (c->in)
        c->in[c->n] = (struct instruction){ .op = op, .arg = arg, .old_at = -1, .target = -1, .line = line };
    c->n++;
}

static void put_call(struct copy *c, size_t site, int32_t line)
{
    uint32_t callee = (uint32_t)PyTuple_GET_SIZE(c->code->co_consts) + (uint32_t)site;
    bool takes = c->sites[site].where != SPLICE_LINE;
    if (c->sites[site].where == SPLICE_RETURN)
        put_one(c, DUP_TOP, 0, line);
    put_one(c, LOAD_CONST, callee, line);
    if (takes)
        put_one(c, ROT_TWO, 0, line);
    put_one(c, CALL_FUNCTION, takes, line);
    put_one(c, POP_TOP, 0, line);
    c->places++;
}

// On the stack are, from its top, type, exception and traceback, and three more of what was handled before.
static void put_handler(struct copy *c)
{
    c->handler = c->n;
    for (size_t s = 0; s < c->n_sites; s++)
        if (c->sites[s].where == SPLICE_RAISE) {
            put_one(c, DUP_TOP_TWO, 0, 0);
            put_one(c, POP_TOP, 0, 0);
            put_call(c, s, 0);
        }
    put_one(c, RERAISE, PY_VERSION_HEX >= 0x030A0000, 0);
}

static void put_head(struct copy *c, int32_t line)
{
    for (size_t s = 0; s < c->n_sites; s++)
        if (c->sites[s].where == SPLICE_LINE && c->sites[s].line == 0)
            put_call(c, s, line);
    if (c->wrapped)
        put_one(c, SETUP_FINALLY, 0, line); // its target is known later
}

static bool begins_line(const struct copy *c, int32_t k, int line)
{
    return line && k >= c->body && c->old[k].line == line && (k == c->body || c->old[k - 1].line != line);
}

// c->in NULL: counts.
static void insert(struct copy *c)
{
    c->n = 0, c->places = 0;
    for (int32_t k = 0; k < c->n_old; k++) {
        const struct instruction *old = &c->old[k];
        c->place_of[k] = c->n;
        if (k == c->body)
            put_head(c, old->line);
        c->jump_of[k] = c->n;
        for (size_t s = 0; s < c->n_sites; s++) {
            const struct splice_site *site = &c->sites[s];
            if (site->where == SPLICE_LINE ? begins_line(c, k, site->line)
                                           : site->where == SPLICE_RETURN && old->op == RETURN_VALUE)
                put_call(c, s, old->line);
        }
        if (c->wrapped && old->op == RETURN_VALUE)
            put_one(c, POP_BLOCK, 0, old->line);
        if (c->in)
            c->in[c->n] = *old;
        c->n++;
    }
    c->place_of[c->n_old] = c->jump_of[c->n_old] = c->n;
    if (c->wrapped)
        put_handler(c);
}

// --- the new code ---

static int32_t unit_at(const struct copy *c, int32_t k) { return k == c->n ? c->units : c->in[k].new_at; }

// Sizes depend on distances and these on sizes: they only grow, so it ends.
static void lay_out(struct copy *c)
{
    for (int32_t k = 0; k < c->n; k++) {
        struct instruction *i = &c->in[k];
        if (i->target >= 0)
            i->target = c->jump_of[i->target];
        if (i->old_at < 0 && i->op == SETUP_FINALLY)
            i->target = c->handler;
        if (i->old_at < 0)
            i->prefixes = prefixes_of(i->arg);
    }
    for (bool changed = true; changed;) {
        c->units = 0;
        changed = false;
        for (int32_t k = 0; k < c->n; k++) {
            c->in[k].new_at = c->units;
            c->units += c->in[k].prefixes + 1;
        }
        for (int32_t k = 0; k < c->n; k++) {
            struct instruction *i = &c->in[k];
            if (i->target < 0)
                continue;
            int32_t from = is_relative(i->op) ? i->new_at + i->prefixes + 1 : 0;
            i->arg = (uint32_t)(unit_at(c, i->target) - from) * JUMP_SCALE;
            if (prefixes_of(i->arg) > i->prefixes)
                i->prefixes = prefixes_of(i->arg), changed = true;
        }
    }
}

static PyObject *encode(const struct copy *c)
{
    PyObject *text = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)c->units * 2);
    uint8_t *out = text ? (uint8_t *)PyBytes_AS_STRING(text) : NULL;
    for (int32_t k = 0; text && k < c->n; k++) {
        for (int p = c->in[k].prefixes; p > 0; p--)
            *out++ = EXTENDED_ARG, *out++ = (uint8_t)(c->in[k].arg >> (8 * p));
        *out++ = c->in[k].op;
        *out++ = (uint8_t)c->in[k].arg;
    }
    return text;
}

// A part of the table, of as many pairs as it takes. Returns their number; out NULL: nothing is written.
static size_t put_part(uint8_t *out, int32_t units, int8_t change)
{
    size_t n = 0, bytes = (size_t)units * 2;
    for (; bytes > PART_BYTES_MAX; bytes -= PART_BYTES_MAX, n++) {
        if (out) {
            out[2 * n] = PART_BYTES_MAX;
            out[2 * n + 1] = PY_VERSION_HEX >= 0x030A0000 ? (uint8_t)change : 0;
        }
        if (PY_VERSION_HEX >= 0x030A0000 && change != LINES_NONE)
            change = 0; // goes on in the same line
    }
    if (out)
        out[2 * n] = (uint8_t)bytes, out[2 * n + 1] = (uint8_t)change;
    return n + 1;
}

// Returns the number of pairs; 0: the table does not say what it should.
static size_t put_lines(const struct copy *c, const uint8_t *p, size_t pairs, uint8_t *out)
{
    size_t n = 0;
    int32_t unit = 0, from = 0;
    for (size_t i = 0; i < pairs; i++) {
        unit += p[2 * i] / 2;
        int32_t k = unit <= c->units_old ? at_unit(c, unit) : -1;
        if (k < 0)
            return 0;
        int32_t to = unit_at(c, c->place_of[k]);
        n += put_part(out ? out + 2 * n : NULL, to - from, (int8_t)p[2 * i + 1]);
        from = to;
    }
    if (PY_VERSION_HEX >= 0x030A0000 && c->wrapped)
        n += put_part(out ? out + 2 * n : NULL, c->units - from, LINES_NONE);
    return n;
}

static PyObject *lines(const struct copy *c)
{
#if PY_VERSION_HEX >= 0x030A0000
    PyObject *table = c->code->co_linetable;
#else
    PyObject *table = c->code->co_lnotab;
#endif
    const uint8_t *p = (const uint8_t *)PyBytes_AS_STRING(table);
    size_t pairs = (size_t)PyBytes_GET_SIZE(table) / 2, n = put_lines(c, p, pairs, NULL);
    if (!n && pairs) {
        PyErr_SetString(PyExc_ValueError, "lines that cannot be moved");
        return NULL;
    }
    PyObject *made = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)n * 2);
    if (made)
        put_lines(c, p, pairs, (uint8_t *)PyBytes_AS_STRING(made));
    return made;
}

static PyObject *constants(const struct copy *c)
{
    PyObject *were = c->code->co_consts;
    Py_ssize_t n = PyTuple_GET_SIZE(were);
    PyObject *made = PyTuple_New(n + (Py_ssize_t)c->n_sites);
    for (Py_ssize_t k = 0; made && k < n + (Py_ssize_t)c->n_sites; k++) {
        PyObject *o = k < n ? PyTuple_GET_ITEM(were, k) : c->sites[k - n].callee;
        Py_INCREF(o);
        PyTuple_SET_ITEM(made, k, o);
    }
    return made;
}

static PyCodeObject *make(const struct copy *c)
{
    PyCodeObject *code = c->code, *made = NULL;
    PyObject *text = encode(c), *table = lines(c), *consts = constants(c);
    if (text && table && consts)
        made = PyCode_NewWithPosOnlyArgs(
            code->co_argcount, code->co_posonlyargcount, code->co_kwonlyargcount, code->co_nlocals,
            code->co_stacksize + STACK_MORE, code->co_flags, text, consts, code->co_names, code->co_varnames,
            code->co_freevars, code->co_cellvars, code->co_filename, code->co_name, code->co_firstlineno, table);
    Py_XDECREF(text), Py_XDECREF(table), Py_XDECREF(consts);
    return made;
}

static bool read_code(struct copy *c, PyCodeObject *code)
{
    Py_ssize_t units = PyBytes_GET_SIZE(code->co_code) / 2;
    *c = (struct copy){ .code = code, .units_old = (int32_t)units, .handler = -1 };
    if (units == 0 || units > INSTRUCTIONS_MAX)
        return false;
    c->old = PyMem_RawCalloc((size_t)units, sizeof *c->old);
    return c->old && decode(c, (const uint8_t *)PyBytes_AS_STRING(code->co_code));
}

bool splice_has_room(PyCodeObject *code)
{
    struct copy c;
    bool has = read_code(&c, code) && can_wrap(&c);
    PyMem_RawFree(c.old);
    return has;
}

static PyCodeObject *copied(struct copy *c)
{
    if (c->wrapped && !can_wrap(c)) {
        PyErr_SetString(PyExc_ValueError, "blocks that have no room for one more");
        return NULL;
    }
    insert(c);
    if (!c->places)
        return NULL;
    c->in = PyMem_RawCalloc((size_t)c->n, sizeof *c->in);
    if (!c->in)
        return (PyCodeObject *)PyErr_NoMemory();
    insert(c);
    lay_out(c);
    return make(c);
}

PyCodeObject *splice_code(PyCodeObject *code, const struct splice_site *sites, size_t n, size_t *ret_places)
{
    struct copy c;
    PyCodeObject *made = NULL;
    *ret_places = 0;
    if (n == 0 || n > 255)
        return NULL;
    if (!read_code(&c, code)) {
        PyErr_SetString(PyExc_ValueError, "bytecode that cannot be moved");
    } else {
        c.sites = sites, c.n_sites = n;
        for (size_t s = 0; s < n; s++)
            c.wrapped |= sites[s].where == SPLICE_RAISE;
        c.place_of = PyMem_RawCalloc((size_t)c.n_old + 1, sizeof *c.place_of);
        c.jump_of = PyMem_RawCalloc((size_t)c.n_old + 1, sizeof *c.jump_of);
        made = c.place_of && c.jump_of ? copied(&c) : (PyCodeObject *)PyErr_NoMemory();
    }
    PyMem_RawFree(c.old), PyMem_RawFree(c.in), PyMem_RawFree(c.place_of), PyMem_RawFree(c.jump_of);
    *ret_places = made ? c.places : 0;
    return made;
}
#endif
