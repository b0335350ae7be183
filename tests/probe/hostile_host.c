#include "hostile_host.h"

#include "base/mem.h"
#include "base/must.h"
#include "probe/code.h"

static uint8_t next(struct hostile_host *h)
{
    h->calls++;
    return h->p < h->end ? *h->p++ : (uint8_t)(h->calls * 7);
}

static int answer(struct hostile_host *h, struct probe_val *ret)
{
    static const double floats[] = {
        0.0, -0.0, 1.5, 1e308, -1e308, 9223372036854775808.0, __builtin_nan(""), __builtin_inf()
    };
    static const int64_t ints[] = { 0, 1, -1, INT64_MAX, INT64_MIN, 7, 100, 3 };
    static const char *const texts[] = { "", "a", "abc", "\xC3\xA4", "\xff\xfe", "12", "a\nb", "\x80" };
    uint8_t kind = next(h) % 24, what = next(h) % 8;
    if (kind >= 20)
        return kind == 20 ? -5 : kind == 21 ? 1000 : 1 + what;
    *ret = (struct probe_val){ .kind = kind };
    switch (kind) {
    case PROBE_VAL_BOOL:
        ret->b = what & 1;
        break;
    case PROBE_VAL_INT:
        ret->i = ints[what];
        break;
    case PROBE_VAL_BIG:
    case PROBE_VAL_FLOAT:
        ret->f = floats[what];
        break;
    case PROBE_VAL_STR:
    case PROBE_VAL_BYTES:
        ret->s = (str){ texts[what], strlen(texts[what]) };
        break;
    default: // lists of the machine's own, too, which no host may claim to give
        ret->n = 100;
        ret->object = (const void *)(uintptr_t)(what + 1);
    }
    return 0;
}

static int get_name(void *ctx, unsigned slot, str name, struct probe_val *ret) { return answer(ctx, ret); }
static int get_field(void *ctx, const struct probe_val *of, str name, struct probe_val *ret)
{
    must(of->kind >= PROBE_VAL_LIST && of->kind <= PROBE_VAL_OTHER);
    return answer(ctx, ret);
}
static int get_index(void *ctx, const struct probe_val *of, const struct probe_val *key, struct probe_val *ret)
{
    must(of->kind >= PROBE_VAL_LIST && of->kind <= PROBE_VAL_OTHER && key->kind <= PROBE_VAL_BYTES);
    return answer(ctx, ret);
}
static int get_length(void *ctx, const struct probe_val *of, uint64_t *ret)
{
    *ret = next(ctx) & 1 ? UINT64_MAX : 3;
    return 0;
}
static int get_item(void *ctx, const struct probe_val *of, uint64_t *cursor, struct probe_val *ret_key,
                    struct probe_val *ret_value)
{
    must(of->kind >= PROBE_VAL_LIST && of->kind < PROBE_VAL_OTHER);
    ++*cursor;
    if (next(ctx) % 16 == 0)
        return -1;
    int r = next(ctx) % 4 == 0 ? answer(ctx, ret_key) : 0;
    return r == 0 && ret_value ? answer(ctx, ret_value) : r;
}
static int get_type(void *ctx, const struct probe_val *of, str *ret)
{
    *ret = STR("Order");
    return next(ctx) % 8 == 0 ? PROBE_FAULT_UNREADABLE : 0;
}
static int get_special(void *ctx, enum probe_special which, struct probe_val *ret)
{
    must(which < PROBE_SPECIALS);
    return answer(ctx, ret);
}
static int get_frame(void *ctx, unsigned n, str name, struct probe_val *ret) { return answer(ctx, ret); }
static int get_statics(void *ctx, str name, struct probe_val *ret) { return answer(ctx, ret); }
static bool is_late(void *ctx) { return next(ctx) == 255; }

const struct probe_host hostile_host = { get_name, get_field,   get_index, get_length,  get_item,
                                         get_type, get_special, get_frame, get_statics, is_late };

static void touch(const struct probe_val *v)
{
    static volatile uint8_t sink;
    if (v->kind == PROBE_VAL_STR || v->kind == PROBE_VAL_BYTES)
        for (size_t i = 0; i < v->s.len; i++)
            sink = (uint8_t)v->s.ptr[i];
    for (uint32_t i = 0; v->kind == PROBE_VAL_ITEMS && i < v->n; i++)
        if (v->items[i].kind != PROBE_VAL_ITEMS)
            touch(&v->items[i]);
    (void)sink;
}

void hostile_run(bytes program, bytes answers)
{
    struct probe_code code;
    // Its own memory, so that a read beyond it is seen.
    uint8_t *copy = mem_dup(program.ptr, program.len), *memory = mem_alloc(8192);
    const char *why = NULL;
    must(memory);
    if (copy && probe_code_verify(bytes_of(copy, program.len), &code, &why) == 0) {
        struct hostile_host host = { answers.ptr, answers.ptr + answers.len, 0 };
        struct probe_scratch scratch = { memory, memory + 8192 };
        uint64_t changed[PROBE_CODE_CHANGED_MAX] = { 0 };
        struct probe_run run = { &hostile_host, &host, &scratch, changed, 3000, { 0 } };
        struct probe_val v = { 0 };
        bool yes;
        char words[128];
        int r = probe_vm_run(&code, &run, &v);
        must(run.steps <= 3000 && host.calls <= 3000 * 4);
        must(r == run.fault.reason && r >= 0 && r < PROBE_FAULT_COUNT);
        must(r == 0 ? v.kind < PROBE_VAL_KINDS : probe_fault_text(&run.fault, STR("x + y"), words, sizeof words) > 0);
        if (r == 0)
            touch(&v);
        scratch.p = memory;
        run.steps = 3000;
        r = probe_vm_test(&code, &run, &yes);
        must(r == run.fault.reason && r >= 0 && r < PROBE_FAULT_COUNT);
    } else if (copy) {
        must(why != NULL);
    }
    mem_free(copy);
    mem_free(memory);
}
