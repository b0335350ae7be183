// What a condition costs at a hit, without what the runtime pays to get there: nanoseconds and steps of the machine of src/probe over a
// host that reads from tables, so that the host's own share is small.
#include "probe/expr.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/must.h"
#include "probe/code.h"

#include <stdio.h>

enum { ITEMS = 10, ROUNDS = 40, RUN_NS = 5000000, SLOTS = 8 };

struct field {
    str name;
    struct probe_val value;
};
struct object {
    const struct field *fields;
    unsigned n;
};

#define INT(v)                          \
    {                                   \
        .kind = PROBE_VAL_INT, .i = (v) \
    }
#define TEXT(t)                                          \
    {                                                    \
        .kind = PROBE_VAL_STR, .s = { t, sizeof(t) - 1 } \
    }

static const struct field customer_fields[] = { { STR_INIT("id"), INT(7) }, { STR_INIT("tier"), TEXT("silver") } };
static const struct object customer = { customer_fields, 2 };
static struct field item_fields[ITEMS][2];
static struct object items[ITEMS];
static const struct field order_fields[] = {
    { STR_INIT("id"), INT(1001) },
    { STR_INIT("total"), { .kind = PROBE_VAL_FLOAT, .f = 99.5 } },
    { STR_INIT("customer"), { .kind = PROBE_VAL_OBJECT, .object = &customer } },
    { STR_INIT("items"), { .kind = PROBE_VAL_LIST, .object = items } },
};
static const struct object order = { order_fields, 4 };
static const struct field variables[] = {
    { STR_INIT("order"), { .kind = PROBE_VAL_OBJECT, .object = &order } },
    { STR_INIT("status"), INT(200) },
    { STR_INIT("path"), TEXT("/api/v1/orders/1001/items?limit=50") },
};

struct context {
    struct probe_val slots[SLOTS]; // as a runtime finds them once, at install
};

static int get_name(void *ctx, unsigned slot, str name, struct probe_val *ret)
{
    *ret = ((struct context *)ctx)->slots[slot];
    return 0;
}
static int get_field(void *ctx, const struct probe_val *of, str name, struct probe_val *ret)
{
    const struct object *o = of->object;
    for (unsigned i = 0; i < o->n; i++) {
        if (str_eq(o->fields[i].name, name)) {
            *ret = o->fields[i].value;
            return 0;
        }
    }
    return PROBE_FAULT_MISSING;
}
static int get_item(void *ctx, const struct probe_val *of, uint64_t *cursor, struct probe_val *ret_key,
                    struct probe_val *ret_value)
{
    if (*cursor == ITEMS)
        return -1;
    *ret_value = (struct probe_val){ .kind = PROBE_VAL_OBJECT, .object = &items[(*cursor)++] };
    return 0;
}
static bool is_late(void *ctx) { return false; }

static const struct probe_host host = { .name = get_name, .field = get_field, .item = get_item, .late = is_late };

static double run(const struct probe_code *code, struct context *ctx, bool expected, uint32_t *ret_steps)
{
    static uint8_t memory[65536];
    uint64_t n = 0;
    int64_t start = clock_mono_ns(), end = start;
    while (end - start < RUN_NS) {
        for (unsigned i = 0; i < 100; i++) {
            struct probe_scratch scratch = { memory, memory + sizeof memory };
            struct probe_run r = { &host, ctx, &scratch, NULL, PROBE_VM_STEPS, { 0 } };
            bool yes = !expected;
            must(probe_vm_test(code, &r, &yes) == 0 && yes == expected);
            *ret_steps = PROBE_VM_STEPS - r.steps;
        }
        n += 100;
        end = clock_mono_ns();
    }
    return (double)(end - start) / (double)n;
}

static void measure(const char *text, bool expected)
{
    struct arena arena;
    struct probe_expr *e;
    struct probe_code code;
    struct buf bytecode;
    struct context ctx = { 0 };
    uint32_t steps = 0;
    double best = 1e9;
    arena_init(&arena, 1 << 20);
    buf_init(&bytecode, PROBE_CODE_SIZE_MAX);
    must(probe_condition_parse(str_z(text), &arena, &e, NULL) == 0);
    must(probe_expr_compile(e, &bytecode, NULL) == 0 && probe_code_verify(buf_bytes(&bytecode), &code, NULL) == 0);
    must(code.n_slots <= SLOTS);
    for (unsigned i = 0; i < code.n_slots; i++)
        for (size_t v = 0; v < sizeof variables / sizeof *variables; v++)
            if (str_eq(variables[v].name, probe_code_name(&code, i)))
                ctx.slots[i] = variables[v].value;
    for (unsigned i = 0; i < ROUNDS; i++) {
        double ns = run(&code, &ctx, expected, &steps);
        best = ns < best ? ns : best;
    }
    printf("%8.1f ns %6u steps  %-5s  %s\n", best, steps, expected ? "true" : "false", text);
    buf_free(&bytecode);
    arena_free(&arena);
}

int main(void)
{
    for (unsigned i = 0; i < ITEMS; i++) {
        item_fields[i][0] = (struct field){ STR_INIT("sku"), TEXT("B-2") };
        item_fields[i][1] = (struct field){ STR_INIT("price"), INT(10 + i) };
        items[i] = (struct object){ item_fields[i], 2 };
    }
    measure("status == 500", false);
    measure("status == 200", true);
    measure("order.total > 100 && order.customer.tier == 'gold'", false);
    measure("order.total < 100 && order.customer?.tier != 'gold'", true);
    measure("status in [500, 502, 503]", false);
    measure("any(order.items, x => x.price > 50)", false);
    measure("any(order.items, x => x.price > 18 and x.sku != 'A')", true);
    measure("path matches '^/api/v[0-9]+/users'", false);
    measure("path matches '/orders/[0-9]+/items'", true);
    measure("path matches 'limit=(1|10|100)$'", false);
    return 0;
}
