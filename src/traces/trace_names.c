#include "traces/trace_names.h"

#include "base/err.h"
#include "base/hash.h"
#include "base/mem.h"

int trace_names_init(struct trace_names *x, uint32_t most)
{
    *x = (struct trace_names){ .mask = 15 };
    while (x->mask / 2 < most)
        x->mask = x->mask * 2 + 1;
    x->name = mem_calloc(most, sizeof *x->name);
    x->slots = mem_calloc((size_t)x->mask + 1, sizeof *x->slots);
    return x->name && x->slots ? 0 : ERR_NOMEM;
}

void trace_names_free(struct trace_names *x)
{
    mem_free(x->name);
    mem_free(x->slots);
}

uint32_t trace_names_number(struct trace_names *x, str name)
{
    uint32_t at = (uint32_t)hash64_str(name) & x->mask;
    while (x->slots[at] && !str_eq(x->name[x->slots[at] - 1], name))
        at = (at + 1) & x->mask;
    if (!x->slots[at]) {
        x->name[x->n] = name;
        x->slots[at] = ++x->n;
    }
    return x->slots[at] - 1;
}
