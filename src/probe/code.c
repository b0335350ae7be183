// The verifier. In-process part, so nothing but mem*.
#include "probe/code.h"

#include "base/err.h"
#include "probe/regex.h"
#include "probe/vm.h"

static const struct {
    uint8_t pops, pushes;
} effects[PROBE_OPS] = {
#define EFFECT(name, pops, pushes) [name] = { pops, pushes },
    PROBE_OP_TABLE(EFFECT)
#undef EFFECT
};

static struct probe_ins ins_at(const struct probe_code *code, unsigned n)
{
    struct probe_ins ins;
    memcpy(&ins, code->ins + (size_t)n * PROBE_CODE_INS, sizeof ins);
    return ins;
}

static bool in_pool(const uint8_t *ref, uint32_t pool)
{
    uint32_t at = le32_get(ref), len = le32_get(ref + 4);
    return at <= pool && len <= pool - at;
}

static bool tables_ok(const struct probe_code *code, uint32_t pool)
{
    for (unsigned i = 0; i < code->n_lits; i++) {
        const uint8_t *lit = code->lits + (size_t)i * 12;
        if (lit[0] > PROBE_VAL_STR || lit[0] == PROBE_VAL_BIG || lit[1] || lit[2] || lit[3] ||
            (lit[0] == PROBE_VAL_BOOL && lit[4] > 1) || (lit[0] == PROBE_VAL_STR && !in_pool(lit + 4, pool)))
            return false;
    }
    for (unsigned i = 0; i < code->n_names; i++)
        if (!in_pool(code->names + (size_t)i * 8, pool))
            return false;
    for (unsigned i = 0; i < code->n_res; i++) {
        const uint8_t *ref = code->res + (size_t)i * 8;
        if (!in_pool(ref, pool) || !probe_regex_verify(bytes_of(code->pool + le32_get(ref), le32_get(ref + 4))))
            return false;
    }
    return true;
}

// Everything but jumps and the stack.
static bool operands_ok(const struct probe_code *code, const struct probe_ins *i)
{
    switch (i->op) {
    case PROBE_OP_LIT:
        return i->x < code->n_lits;
    case PROBE_OP_NAME:
        return i->x < code->n_slots && i->a <= PROBE_SOFT_ABSENT;
    case PROBE_OP_LOCAL:
    case PROBE_OP_SET:
        return i->x < code->n_locals;
    case PROBE_OP_SPECIAL:
        return i->x < PROBE_SPECIALS && i->a <= PROBE_SOFT_ABSENT;
    case PROBE_OP_FRAME:
        return i->x < code->n_names && i->b <= PROBE_FRAME_MAX && i->a <= PROBE_SOFT_ABSENT;
    case PROBE_OP_STATIC:
    case PROBE_OP_FIELD:
        return i->x < code->n_names && i->a <= PROBE_SOFT_ABSENT;
    case PROBE_OP_INDEX:
        return i->a <= PROBE_SOFT_ABSENT;
    case PROBE_OP_IN:
    case PROBE_OP_LEN:
        return i->a <= 1;
    case PROBE_OP_MATCH:
        return i->x < code->n_res;
    case PROBE_OP_CHANGED:
        return i->x < code->n_changed;
    case PROBE_OP_LOOP:
        return i->a < code->n_loops && i->b < PROBE_LOOPS;
    case PROBE_OP_NEXT:
        return i->a < code->n_loops && (i->b == 1 || i->b == 2) && i->y + i->b <= code->n_locals;
    case PROBE_OP_EACH:
    case PROBE_OP_DONE:
        return i->a < code->n_loops;
    default:
        return true;
    }
}

// The only way back: from a loop's EACH to its NEXT, which leaves to the DONE behind that EACH.
static bool loop_ok(const struct probe_code *code, unsigned at, const struct probe_ins *each)
{
    if (each->x >= at || at + 1 >= code->n_ins)
        return false;
    struct probe_ins next = ins_at(code, each->x), done = ins_at(code, at + 1);
    return next.op == PROBE_OP_NEXT && next.a == each->a && next.x == at + 1 && done.op == PROBE_OP_DONE &&
           done.a == each->a;
}

static const char *flow_of(const struct probe_code *code)
{
    enum { UNKNOWN = 0xff };
    uint8_t depth[PROBE_CODE_INS_MAX + 1];
    memset(depth, UNKNOWN, sizeof depth);
    depth[0] = 0;
    for (unsigned at = 0; at < code->n_ins; at++) {
        struct probe_ins i = ins_at(code, at);
        if (i.op >= PROBE_OPS || !operands_ok(code, &i))
            return "an instruction with an operand that is not there";
        if (depth[at] == UNKNOWN)
            return "an instruction that is never reached";
        if (depth[at] < effects[i.op].pops ||
            depth[at] - effects[i.op].pops + effects[i.op].pushes > PROBE_CODE_STACK_MAX)
            return "a stack too shallow or too deep";
        unsigned after = (unsigned)(depth[at] - effects[i.op].pops + effects[i.op].pushes);
        unsigned there = after; // at the jump's target
        bool jumps = false, goes_on = true;
        switch (i.op) {
        case PROBE_OP_RETURN:
            goes_on = false;
            break;
        case PROBE_OP_JUMP:
            jumps = true, goes_on = false;
            break;
        case PROBE_OP_AND:
        case PROBE_OP_OR:
            jumps = true, after--;
            break;
        case PROBE_OP_JUMP_NOT:
        case PROBE_OP_NEXT:
            jumps = true;
            break;
        case PROBE_OP_EACH:
            if (!loop_ok(code, at, &i) || depth[i.x] != after)
                return "a loop without a head";
            break;
        default:
            break;
        }
        if (jumps) {
            if (i.x <= at || i.x >= code->n_ins || (depth[i.x] != UNKNOWN && depth[i.x] != there))
                return "a jump to where it may not go";
            depth[i.x] = (uint8_t)there;
        }
        if (goes_on) {
            if (at + 1 >= code->n_ins || (depth[at + 1] != UNKNOWN && depth[at + 1] != after))
                return "code without an end";
            depth[at + 1] = (uint8_t)after;
        }
    }
    return NULL;
}

static int refuse(const char **ret_why, const char *why)
{
    if (ret_why)
        *ret_why = why;
    return ERR_MALFORMED;
}

int probe_code_verify(bytes b, struct probe_code *ret, const char **ret_why)
{
    struct probe_code_header h;
    if (b.len < sizeof h || b.len > PROBE_CODE_SIZE_MAX)
        return refuse(ret_why, "not the size of a program");
    memcpy(&h, b.ptr, sizeof h);
    if (h.magic != PROBE_CODE_MAGIC || h.size != b.len || h.zero2 || h.zero[0] || h.zero[1] || h.zero[2])
        return refuse(ret_why, "no program of this version");
    if (h.n_ins == 0 || h.n_ins > PROBE_CODE_INS_MAX || h.n_lits > PROBE_CODE_LITS_MAX ||
        h.n_names > PROBE_CODE_NAMES_MAX || h.n_slots > h.n_names || h.n_res > PROBE_CODE_RES_MAX ||
        h.n_locals > PROBE_CODE_LOCALS_MAX || h.n_loops > PROBE_CODE_LOOPS_MAX || h.n_changed > PROBE_CODE_CHANGED_MAX)
        return refuse(ret_why, "a table that is too large");
    size_t tables = sizeof h + (size_t)h.n_ins * PROBE_CODE_INS + (size_t)h.n_lits * 12 + (size_t)h.n_names * 8 +
                    (size_t)h.n_res * 8;
    if (tables > b.len || h.pool_size != b.len - tables)
        return refuse(ret_why, "tables that do not fill it");
    struct probe_code code = {
        .ins = b.ptr + sizeof h,
        .n_ins = h.n_ins,
        .n_lits = h.n_lits,
        .n_names = h.n_names,
        .n_slots = h.n_slots,
        .n_res = h.n_res,
        .n_locals = h.n_locals,
        .n_loops = h.n_loops,
        .n_changed = h.n_changed,
    };
    code.lits = code.ins + (size_t)h.n_ins * PROBE_CODE_INS;
    code.names = code.lits + (size_t)h.n_lits * 12;
    code.res = code.names + (size_t)h.n_names * 8;
    code.pool = code.res + (size_t)h.n_res * 8;
    if (!tables_ok(&code, h.pool_size))
        return refuse(ret_why, "a table with an entry that leads outside");
    const char *why = flow_of(&code);
    if (why)
        return refuse(ret_why, why);
    *ret = code;
    return 0;
}

str probe_code_name(const struct probe_code *code, unsigned n)
{
    const uint8_t *ref = code->names + (size_t)n * 8;
    return str_of(code->pool + le32_get(ref), le32_get(ref + 4));
}
