#include "ext.h"

#include "lines_old.h"

#if PY_VERSION_HEX < 0x030B0000
#include <opcode.h>

// Where the body begins: 3.10 has a first instruction of generators and coroutines that belongs to the call.
static int32_t body_unit(PyCodeObject *code)
{
#ifdef GEN_START
    return PyBytes_GET_SIZE(code->co_code) && (uint8_t)PyBytes_AS_STRING(code->co_code)[0] == GEN_START;
#else
    return 0;
#endif
}

void ext_lines(PyCodeObject *code, void (*each)(void *ctx, int line), void *ctx)
{
    struct lines_part p = lines_begin(code);
    int32_t body = body_unit(code);
    for (int told = 0; lines_next(&p);)
        if (p.line && p.line != told && p.to > p.from && p.to > body) {
            each(ctx, p.line);
            told = p.line;
        }
}
#endif
