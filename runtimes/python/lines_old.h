// Up to 3.10: the table that says of which line each part of the bytecode is. Pairs of bytes: of 3.10 (PEP 626), how many bytes of code and by how much
// the line differs from the one before (-128: these are of no line); of 3.9, behind how many bytes the line changes, and by how much.
#pragma once
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#if PY_VERSION_HEX < 0x030B0000
#include <stdbool.h>
#include <stdint.h>

enum { LINES_NONE = -128 };

struct lines_part {
    int32_t from, to; // units of code
    int line;         // 0: none
    int change;       // as the table has it
    // Behind this part.
    const uint8_t *next, *end;
    int32_t units;
    int counted; // the line, whether this part has one or not
};

static inline struct lines_part lines_begin(PyCodeObject *code)
{
#if PY_VERSION_HEX >= 0x030A0000
    PyObject *table = code->co_linetable;
#else
    PyObject *table = code->co_lnotab;
#endif
    const uint8_t *p = (const uint8_t *)PyBytes_AS_STRING(table);
    return (struct lines_part){ .next = p,
                                .end = p + PyBytes_GET_SIZE(table) / 2 * 2,
                                .units = (int32_t)(PyBytes_GET_SIZE(code->co_code) / 2),
                                .counted = code->co_firstlineno };
}

// False: there are no more. Parts follow one another; one may be empty.
static inline bool lines_next(struct lines_part *p)
{
#if PY_VERSION_HEX >= 0x030A0000
    if (p->next == p->end)
        return false;
    p->from = p->to;
    p->to += p->next[0] / 2;
    p->change = (int8_t)p->next[1];
    p->counted += p->change == LINES_NONE ? 0 : p->change;
    p->line = p->change == LINES_NONE ? 0 : p->counted;
    p->next += 2;
    return p->to <= p->units;
#else
    if (p->to == p->units && p->next == p->end)
        return false;
    p->from = p->to;
    p->counted += p->change;
    p->line = p->counted;
    p->change = 0;
    p->to = p->units;
    if (p->next < p->end) {
        p->to = p->from + p->next[0] / 2;
        p->change = (int8_t)p->next[1]; // of the next part
        p->next += 2;
    }
    return p->to <= p->units;
#endif
}
#endif
