// The copy of splice.h for 3.11, whose jumps are relative; its location and exception tables are told below.
//
// LINE inserts  PUSH_NULL; LOAD_CONST callee; PRECALL 0; CALL 0; POP_TOP : it leaves the stack as it found it. RETURN inserts the same with a COPY of
// the value that is about to be returned, which stays where it is. RAISE adds a handler behind the end, with the same of the exception and
// RERAISE 1, which gives the frame back the place it was raised at: it is entered for all of the body that no handler stands for yet, so the
// program's own come first, and traceback and lines are as they were.
#define Py_BUILD_CORE_MODULE 1
#include "splice.h"

#if PY_VERSION_HEX >= 0x030B0000 && PY_VERSION_HEX < 0x030C0000
#define NEED_OPCODE_TABLES
#include <internal/pycore_code.h>
#include <internal/pycore_opcode.h>
#include <opcode.h>
#include <stdbool.h>
#include <string.h>

enum { INSTRUCTIONS_MAX = 1 << 20, CHUNK_UNITS_MAX = 8 };

struct instruction {
    uint8_t op;
    uint8_t caches;
    uint8_t site;   // of an inserted one: 1 + its number; the first of a sequence only
    int32_t old_at; // units, where it (with its prefixes) began; -1: inserted
    int32_t new_at;
    int32_t target; // index of the instruction that it jumps to; -1
    int32_t line;
    uint32_t arg;
    bool backward;
    uint8_t prefixes; // EXTENDED_ARG in front of it
};

struct bytebuf {
    uint8_t *p;
    size_t n, room;
    bool failed;
};

static void put(struct bytebuf *b, uint8_t c)
{
    if (b->n == b->room) {
        size_t room = b->room ? b->room * 2 : 256;
        uint8_t *p = b->failed ? NULL : PyMem_RawRealloc(b->p, room);
        if (!p) {
            b->failed = true;
            return;
        }
        b->p = p, b->room = room;
    }
    b->p[b->n++] = c;
}

static bool is_relative(int op) { return _PyOpcode_RelativeJump[op >> 5] >> (op & 31) & 1; }

static bool is_backward(int op)
{
    switch (op) {
    case JUMP_BACKWARD:
    case JUMP_BACKWARD_NO_INTERRUPT:
    case POP_JUMP_BACKWARD_IF_FALSE:
    case POP_JUMP_BACKWARD_IF_TRUE:
    case POP_JUMP_BACKWARD_IF_NONE:
    case POP_JUMP_BACKWARD_IF_NOT_NONE:
        return true;
    default:
        return false;
    }
}

static uint8_t prefixes_of(uint32_t arg) { return arg > 0xffffff ? 3 : arg > 0xffff ? 2 : arg > 0xff ? 1 : 0; }

// The instruction that begins at this unit of the old code; n: the end. -1: none does.
static int32_t at_unit(const struct instruction *in, int32_t n, int32_t units, int32_t unit)
{
    if (unit == units)
        return n;
    int32_t low = 0, high = n - 1;
    while (low <= high) {
        int32_t mid = (low + high) / 2;
        if (in[mid].old_at == unit)
            return mid;
        if (in[mid].old_at < unit)
            low = mid + 1;
        else
            high = mid - 1;
    }
    return -1;
}

// --- the location table: entries of 1 to 8 units; 1 ccccnnn, then what the code c says (Objects/locations.md of 3.11) ---

static bool take_varint(const uint8_t **p, const uint8_t *end, uint32_t *ret)
{
    uint32_t v = 0;
    for (int shift = 0; shift < 32; shift += 6) {
        if (*p == end)
            return false;
        uint8_t c = *(*p)++;
        v |= (uint32_t)(c & 63) << shift;
        if (!(c & 64)) {
            *ret = v;
            return true;
        }
    }
    return false;
}

static const uint8_t *payload_end(const uint8_t *p, const uint8_t *end, int code)
{
    uint32_t v;
    int varints = code == 15 ? 0 : code == 14 ? 4 : code == 13 ? 1 : 0, bytes = code < 10 ? 1 : code < 13 ? 2 : 0;
    for (int k = 0; k < varints; k++)
        if (!take_varint(&p, end, &v))
            return NULL;
    return end - p < bytes ? NULL : p + bytes;
}

// The line of each unit (0: none); false when the table does not say what it should.
static bool lines_of(PyCodeObject *code, int32_t *line_of, int32_t units)
{
    const uint8_t *p = (const uint8_t *)PyBytes_AS_STRING(code->co_linetable),
                  *end = p + PyBytes_GET_SIZE(code->co_linetable);
    int32_t unit = 0, line = code->co_firstlineno;
    while (p < end) {
        int form = *p >> 3 & 15, n = (*p & 7) + 1;
        const uint8_t *payload = ++p;
        uint32_t delta = form >= 10 && form < 13 ? (uint32_t)(form - 10) << 1 : 0;
        p = payload_end(p, end, form);
        if (!p || unit + n > units || ((form == 13 || form == 14) && !take_varint(&payload, end, &delta)))
            return false;
        line += delta & 1 ? -(int32_t)(delta >> 1) : (int32_t)(delta >> 1);
        for (; n > 0; n--)
            line_of[unit++] = form == 15 ? 0 : line;
    }
    return unit == units;
}

// Returns the number of instructions or -1 (an instruction that this does not know how to move).
static int32_t decode_with(const int32_t *line_of, const uint8_t *bytes, int32_t units, struct instruction *out)
{
    int32_t n = 0;
    for (int32_t at = 0; at < units;) {
        struct instruction i = { .old_at = at, .target = -1, .line = line_of[at] };
        uint32_t arg = 0;
        while (at < units && bytes[2 * at] == EXTENDED_ARG) {
            arg = (arg | bytes[2 * at + 1]) << 8;
            i.prefixes++;
            at++;
        }
        if (at >= units || i.prefixes > 3)
            return -1;
        i.op = bytes[2 * at];
        i.arg = arg | bytes[2 * at + 1];
        i.caches = _PyOpcode_Caches[i.op];
        at += 1 + i.caches;
        if (at > units)
            return -1;
        if (is_relative(i.op)) {
            i.backward = is_backward(i.op);
            i.target = i.backward ? at - (int32_t)i.arg : at + (int32_t)i.arg; // a unit for now
            if (i.target < 0 || i.target >= units)
                return -1;
        }
        out[n++] = i;
    }
    for (int32_t k = 0; k < n; k++)
        if (out[k].target >= 0 && (out[k].target = at_unit(out, n, units, out[k].target)) < 0)
            return -1;
    return n;
}

static int32_t decode(PyCodeObject *code, const uint8_t *bytes, int32_t units, struct instruction *out)
{
    int32_t *line_of = PyMem_RawCalloc((size_t)units + 1, sizeof *line_of);
    int32_t n = line_of && lines_of(code, line_of, units) ? decode_with(line_of, bytes, units, out) : -1;
    PyMem_RawFree(line_of);
    return n;
}

// Where the body begins: behind the RESUME of the function's start.
static int32_t body_start(const struct instruction *in, int32_t n)
{
    for (int32_t k = 0; k < n; k++)
        if (in[k].op == RESUME && in[k].arg == 0)
            return k + 1;
    return 0;
}

static bool begins_line(const struct instruction *in, int32_t n, int32_t k, int32_t body, int line)
{
    if (line == 0)
        return k == body;
    if (k < body || in[k].line != line || (k > body && in[k - 1].line == line))
        return false;
    // These two are read together by the interpreter.
    return k == 0 || (in[k - 1].op != KW_NAMES && in[k - 1].op != PRECALL);
}

static const uint8_t sequence[] = { PUSH_NULL, LOAD_CONST, COPY, PRECALL, CALL, POP_TOP };
// The handler begins with nothing on the stack, and has place and exception, then the call.
enum { SEQUENCE = sizeof sequence, STACK_MORE = 5, COPIED = 3 };

static int32_t put_call(struct instruction *out, int32_t m, size_t site, const struct splice_site *s,
                        uint32_t const_first, int32_t line)
{
    bool takes = s->where != SPLICE_LINE;
    for (size_t q = 0; q < SEQUENCE; q++) {
        uint8_t op = sequence[q];
        if (op == COPY && !takes)
            continue;
        out[m++] = (struct instruction){
            .op = op,
            .caches = _PyOpcode_Caches[op],
            .site = q == 0 ? (uint8_t)(site + 1) : 0,
            .old_at = -1,
            .target = -1,
            .line = line,
            .arg = op == LOAD_CONST              ? const_first + (uint32_t)site
                   : op == COPY                  ? COPIED
                   : op == PRECALL || op == CALL ? takes
                                                 : 0,
        };
    }
    return m;
}

static bool stands_before(const struct instruction *old, int32_t n, int32_t k, int32_t body,
                          const struct splice_site *s)
{
    if (s->where == SPLICE_RETURN)
        return k >= body && old[k].op == RETURN_VALUE;
    // A line that begins with the resumption of a generator: behind it, for nothing may stand between that and the yield.
    return s->where == SPLICE_LINE && begins_line(old, n, k, body, s->line) && old[k].op != RESUME;
}

static int32_t insert(const struct instruction *old, int32_t n, const struct splice_site *sites, size_t n_sites,
                      uint32_t const_first, struct instruction *out, int32_t *index_of, size_t *ret_places)
{
    int32_t body = body_start(old, n), m = 0;
    size_t places = 0;
    for (int32_t k = 0; k < n; k++) {
        index_of[k] = m;
        for (size_t s = 0; s < n_sites; s++) {
            if (!stands_before(old, n, k, body, &sites[s]))
                continue;
            places++;
            m = put_call(out, m, s, &sites[s], const_first, old[k].line);
        }
        out[m++] = old[k];
    }
    index_of[n] = m;
    for (size_t s = 0; s < n_sites; s++)
        if (sites[s].where == SPLICE_RAISE) {
            places++;
            m = put_call(out, m, s, &sites[s], const_first, 0);
        }
    if (m > index_of[n])
        out[m++] = (struct instruction){ .op = RERAISE, .arg = 1, .old_at = -1, .target = -1 };
    *ret_places = places;
    return m;
}

// Sizes depend on distances and these on sizes: they only grow, so it ends.
static void lay_out(struct instruction *in, int32_t n, const int32_t *index_of, int32_t *ret_units)
{
    for (int32_t k = 0; k < n; k++) {
        if (in[k].target >= 0)
            in[k].target = index_of[in[k].target];
        if (in[k].old_at < 0)
            in[k].prefixes = prefixes_of(in[k].arg);
    }
    for (bool changed = true; changed;) {
        int32_t at = 0;
        changed = false;
        for (int32_t k = 0; k < n; k++) {
            in[k].new_at = at;
            at += in[k].prefixes + 1 + in[k].caches;
        }
        *ret_units = at;
        for (int32_t k = 0; k < n; k++) {
            if (in[k].target < 0)
                continue;
            int32_t end = in[k].new_at + in[k].prefixes + 1 + in[k].caches,
                    to = in[k].target == n ? at : in[in[k].target].new_at;
            in[k].arg = (uint32_t)(in[k].backward ? end - to : to - end);
            uint8_t want = prefixes_of(in[k].arg);
            if (want > in[k].prefixes)
                in[k].prefixes = want, changed = true;
        }
    }
}

static void encode(const struct instruction *in, int32_t n, uint8_t *out)
{
    for (int32_t k = 0; k < n; k++) {
        for (int p = in[k].prefixes; p > 0; p--)
            *out++ = EXTENDED_ARG, *out++ = (uint8_t)(in[k].arg >> (8 * p));
        *out++ = in[k].op;
        *out++ = (uint8_t)in[k].arg;
        memset(out, 0, 2u * in[k].caches);
        out += 2u * in[k].caches;
    }
}

struct map { // old units -> new units
    const struct instruction *old, *in;
    const int32_t *index_of;
    int32_t n_old, n, units_old, units, handler; // in new units; at the end when there is none
};

static int32_t moved(const struct map *m, int32_t unit)
{
    int32_t k = at_unit(m->old, m->n_old, m->units_old, unit);
    if (k < 0)
        return -1;
    return m->index_of[k] == m->n ? m->units : m->in[m->index_of[k]].new_at;
}

// What follows an entry when it is continued: the same place, one line delta of zero.
static void put_continued(struct bytebuf *b, int code, const uint8_t *payload, const uint8_t *end, int units)
{
    uint32_t skipped;
    if (code == 14) {
        take_varint(&payload, end, &skipped);
        put(b, (uint8_t)(0x80 | 14 << 3 | (units - 1)));
        put(b, 0);
    } else if (code == 13) {
        put(b, (uint8_t)(0x80 | 13 << 3 | (units - 1)));
        put(b, 0);
        return;
    } else {
        put(b, (uint8_t)(0x80 | (code > 10 && code < 13 ? 10 : code) << 3 | (units - 1)));
    }
    for (; payload < end; payload++)
        put(b, *payload);
}

static bool locations(const struct map *m, const uint8_t *table, size_t len, struct bytebuf *out)
{
    const uint8_t *p = table, *end = table + len;
    int32_t unit = 0;
    while (p < end) {
        int code = *p >> 3 & 15, units = (*p & 7) + 1;
        const uint8_t *payload = ++p;
        p = payload_end(p, end, code);
        if (!p || unit + units > m->units_old)
            return false;
        // Entries may end within an instruction (its caches): those belong to it.
        int32_t from = -1, to = -1;
        for (int32_t u = unit; u < unit + units && from < 0; u++)
            from = moved(m, u);
        for (int32_t u = unit + units; u <= m->units_old && to < 0; u++)
            to = moved(m, u);
        unit += units;
        if (to < 0)
            return false;
        if (from < 0)
            continue; // within one instruction: what was said of its beginning goes on
        bool first = true;
        for (int32_t left = to - from; left > 0;) {
            int chunk = left > CHUNK_UNITS_MAX ? CHUNK_UNITS_MAX : (int)left;
            if (first) {
                put(out, (uint8_t)(0x80 | code << 3 | (chunk - 1)));
                for (const uint8_t *q = payload; q < p; q++)
                    put(out, *q);
            } else {
                put_continued(out, code, payload, p, chunk);
            }
            first = false;
            left -= chunk;
        }
    }
    for (int32_t left = m->units - m->handler; left > 0; left -= CHUNK_UNITS_MAX) // of no line
        put(out, (uint8_t)(0x80 | 15 << 3 | ((left > CHUNK_UNITS_MAX ? CHUNK_UNITS_MAX : left) - 1)));
    return unit == m->units_old;
}

// --- the exception table: start, length, target, depth << 1 | lasti as big-endian groups of six bits; the first byte of an entry has bit 7 ---

static bool take_group(const uint8_t **p, const uint8_t *end, uint32_t *ret)
{
    uint32_t v = 0;
    for (int k = 0; k < 6; k++) {
        if (*p == end)
            return false;
        uint8_t c = *(*p)++;
        v = v << 6 | (c & 63);
        if (!(c & 64)) {
            *ret = v;
            return true;
        }
    }
    return false;
}

static void put_group(struct bytebuf *b, uint32_t v, uint8_t mark)
{
    int groups = 1;
    while (groups < 6 && v >> (6 * groups))
        groups++;
    for (int k = groups - 1; k >= 0; k--) {
        put(b, (uint8_t)(mark | (k ? 64 : 0) | (v >> (6 * k) & 63)));
        mark = 0;
    }
}

static void put_entry(struct bytebuf *b, int32_t from, int32_t to, int32_t handler, uint32_t depth)
{
    put_group(b, (uint32_t)from, 0x80);
    put_group(b, (uint32_t)(to - from), 0);
    put_group(b, (uint32_t)handler, 0);
    put_group(b, depth, 0);
}

// What no entry stands for goes to the handler behind the end, where there is one: entries are in the order of what they stand for.
static void put_gap(struct bytebuf *b, const struct map *m, int32_t from, int32_t to)
{
    if (m->handler < m->units && to > from)
        put_entry(b, from, to, m->handler, 1); // nothing on the stack; with the place
}

static bool exceptions(const struct map *m, const uint8_t *table, size_t len, struct bytebuf *out)
{
    const uint8_t *p = table, *end = table + len;
    int32_t done = m->in[m->index_of[body_start(m->old, m->n_old)]].new_at;
    while (p < end) {
        uint32_t start, size, target, depth;
        if (!take_group(&p, end, &start) || !take_group(&p, end, &size) || !take_group(&p, end, &target) ||
            !take_group(&p, end, &depth))
            return false;
        int32_t from = moved(m, (int32_t)start), to = moved(m, (int32_t)(start + size)),
                handler = moved(m, (int32_t)target);
        if (from < 0 || to < from || handler < 0)
            return false;
        put_gap(out, m, done, from);
        put_entry(out, from, to, handler, depth);
        done = to > done ? to : done;
    }
    put_gap(out, m, done, m->handler);
    return true;
}

static PyCodeObject *make(PyCodeObject *code, const uint8_t *bytes, int32_t units, const struct bytebuf *lines,
                          const struct bytebuf *handlers, const struct splice_site *sites, size_t n_sites)
{
    PyCodeObject *made = NULL;
    PyObject *text = PyBytes_FromStringAndSize((const char *)bytes, (Py_ssize_t)units * 2);
    PyObject *line_table = PyBytes_FromStringAndSize((const char *)lines->p, (Py_ssize_t)lines->n);
    PyObject *table = PyBytes_FromStringAndSize((const char *)handlers->p, (Py_ssize_t)handlers->n);
    Py_ssize_t n_consts = PyTuple_GET_SIZE(code->co_consts);
    PyObject *consts = PyTuple_New(n_consts + (Py_ssize_t)n_sites);
    PyObject *vars = PyCode_GetVarnames(code), *frees = PyCode_GetFreevars(code), *cells = PyCode_GetCellvars(code);
    if (text && line_table && table && consts && vars && frees && cells) {
        for (Py_ssize_t k = 0; k < n_consts; k++)
            PyTuple_SET_ITEM(consts, k, Py_NewRef(PyTuple_GET_ITEM(code->co_consts, k)));
        for (size_t k = 0; k < n_sites; k++)
            PyTuple_SET_ITEM(consts, n_consts + (Py_ssize_t)k, Py_NewRef(sites[k].callee));
        made = PyCode_NewWithPosOnlyArgs(code->co_argcount, code->co_posonlyargcount, code->co_kwonlyargcount,
                                         code->co_nlocals, code->co_stacksize + STACK_MORE, code->co_flags, text,
                                         consts, code->co_names, vars, frees, cells, code->co_filename, code->co_name,
                                         code->co_qualname, code->co_firstlineno, line_table, table);
    }
    Py_XDECREF(text), Py_XDECREF(line_table), Py_XDECREF(table), Py_XDECREF(consts);
    Py_XDECREF(vars), Py_XDECREF(frees), Py_XDECREF(cells);
    return made;
}

static PyCodeObject *splice_bytes(PyCodeObject *code, const uint8_t *bytes, int32_t units,
                                  const struct splice_site *sites, size_t n_sites, size_t *ret_places)
{
    PyCodeObject *made = NULL;
    struct bytebuf lines = { 0 }, handlers = { 0 };
    uint8_t *text = NULL;
    size_t room = ((size_t)units + 1) * (1 + n_sites * SEQUENCE);
    struct instruction *old = PyMem_RawCalloc((size_t)units + 1, sizeof *old), *in = PyMem_RawCalloc(room, sizeof *in);
    int32_t *index_of = PyMem_RawCalloc((size_t)units + 1, sizeof *index_of);
    if (!old || !in || !index_of) {
        PyErr_NoMemory();
        goto done;
    }
    struct map m = { .old = old, .in = in, .index_of = index_of, .units_old = units };
    m.n_old = decode(code, bytes, units, old);
    if (m.n_old < 0) {
        PyErr_SetString(PyExc_ValueError, "bytecode that cannot be moved");
        goto done;
    }
    m.n = insert(old, m.n_old, sites, n_sites, (uint32_t)PyTuple_GET_SIZE(code->co_consts), in, index_of, ret_places);
    if (!*ret_places)
        goto done;
    lay_out(in, m.n, index_of, &m.units);
    m.handler = index_of[m.n_old] == m.n ? m.units : in[index_of[m.n_old]].new_at;
    text = PyMem_RawMalloc((size_t)m.units * 2);
    if (!text) {
        PyErr_NoMemory();
        goto done;
    }
    encode(in, m.n, text);
    if (!locations(&m, (const uint8_t *)PyBytes_AS_STRING(code->co_linetable),
                   (size_t)PyBytes_GET_SIZE(code->co_linetable), &lines) ||
        !exceptions(&m, (const uint8_t *)PyBytes_AS_STRING(code->co_exceptiontable),
                    (size_t)PyBytes_GET_SIZE(code->co_exceptiontable), &handlers))
        PyErr_SetString(PyExc_ValueError, "tables that cannot be moved");
    else if (lines.failed || handlers.failed)
        PyErr_NoMemory();
    else
        made = make(code, text, m.units, &lines, &handlers, sites, n_sites);
done:
    PyMem_RawFree(old), PyMem_RawFree(in), PyMem_RawFree(index_of), PyMem_RawFree(text);
    PyMem_RawFree(lines.p), PyMem_RawFree(handlers.p);
    return made;
}

bool splice_has_room(PyCodeObject *code) { return true; }

PyCodeObject *splice_code(PyCodeObject *code, const struct splice_site *sites, size_t n, size_t *ret_places)
{
    *ret_places = 0;
    PyObject *text = PyCode_GetCode(code);
    if (!text)
        return NULL;
    PyCodeObject *made = NULL;
    Py_ssize_t units = PyBytes_GET_SIZE(text) / 2;
    if (n > 0 && n <= 255 && units <= INSTRUCTIONS_MAX)
        made = splice_bytes(code, (const uint8_t *)PyBytes_AS_STRING(text), (int32_t)units, sites, n, ret_places);
    Py_DECREF(text);
    return made;
}
#endif
