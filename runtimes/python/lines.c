#include "ext.h"

#if PY_VERSION_HEX >= 0x030B0000
#include <opcode.h>

// The location table of 3.11 and later (Objects/locations.md): entries of 1 to 8 units, the difference of the line in three of the forms.
static bool varint(const uint8_t **p, const uint8_t *end, uint32_t *ret)
{
    uint32_t v = 0;
    for (int shift = 0; shift < 32 && *p < end; shift += 6) {
        uint8_t c = *(*p)++;
        v |= (uint32_t)(c & 63) << shift;
        if (!(c & 64)) {
            *ret = v;
            return true;
        }
    }
    return false;
}

// The unit behind the RESUME with which the body of a function begins.
static Py_ssize_t body_unit(PyCodeObject *code)
{
    PyObject *text = PyCode_GetCode(code);
    Py_ssize_t at = 0;
    for (Py_ssize_t i = 0; text && i + 1 < PyBytes_GET_SIZE(text); i += 2)
        if ((uint8_t)PyBytes_AS_STRING(text)[i] == RESUME && PyBytes_AS_STRING(text)[i + 1] == 0) {
            at = i / 2 + 1;
            break;
        }
    Py_XDECREF(text);
    if (!text)
        PyErr_Clear();
    return at;
}

void ext_lines(PyCodeObject *code, void (*each)(void *ctx, int line), void *ctx)
{
    const uint8_t *p = (const uint8_t *)PyBytes_AS_STRING(code->co_linetable),
                  *end = p + PyBytes_GET_SIZE(code->co_linetable);
    Py_ssize_t unit = 0, body = body_unit(code);
    int line = code->co_firstlineno, told = -1;
    while (p < end) {
        int form = *p >> 3 & 15, units = (*p & 7) + 1, skip = form < 10 ? 1 : form < 13 ? 2 : 0;
        uint32_t delta = form >= 10 && form < 13 ? (uint32_t)(form - 10) << 1 : 0, ignored;
        p++;
        if (form == 13 || form == 14) {
            if (!varint(&p, end, &delta))
                return;
            for (int k = 0; form == 14 && k < 3; k++)
                if (!varint(&p, end, &ignored))
                    return;
        }
        p += skip;
        line += delta & 1 ? -(int)(delta >> 1) : (int)(delta >> 1);
        unit += units;
        if (form != 15 && unit > body && line != told) {
            each(ctx, line);
            told = line;
        }
    }
}
#endif

struct wanted {
    int line;
    bool found;
};

static void look(void *ctx, int line)
{
    struct wanted *w = ctx;
    w->found |= line == w->line;
}

bool ext_has_line(PyCodeObject *code, int line)
{
    struct wanted w = { .line = line };
    ext_lines(code, look, &w);
    return w.found;
}
