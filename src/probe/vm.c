// The machine: a stack, a switch, a budget.
#include "probe/vm.h"

#include "probe/regex.h"
#include "probe/vm_internal.h"

static void literal(const struct probe_code *code, unsigned n, struct probe_val *ret)
{
    const uint8_t *lit = code->lits + (size_t)n * 12;
    ret->kind = lit[0];
    if (ret->kind == PROBE_VAL_STR)
        ret->s = str_of(code->pool + le32_get(lit + 4), le32_get(lit + 8));
    else if (ret->kind == PROBE_VAL_BOOL)
        ret->b = lit[4];
    else
        ret->i = (int64_t)le64_get(lit + 4);
}

// What a host has given, or what the operand becomes when it is not there.
static int given(int r, unsigned soft, struct probe_val *v)
{
    r = vm_reason(r);
    if (r == 0)
        return v->kind < PROBE_VAL_ITEMS ? 0 : PROBE_FAULT_UNREADABLE;
    if (soft == PROBE_SOFT_NOT || !probe_fault_is_absence(r))
        return r;
    *v = (struct probe_val){ .kind = soft == PROBE_SOFT_NULL ? PROBE_VAL_NULL : VM_ABSENT };
    return 0;
}

static int field(struct vm *m, const struct probe_ins *ins, struct probe_val *v)
{
    if (v->kind == VM_ABSENT || v->kind == PROBE_VAL_NULL)
        return given(v->kind == VM_ABSENT ? PROBE_FAULT_MISSING : PROBE_FAULT_NULL, ins->a, v);
    if (!vm_is_object(v))
        return given(PROBE_FAULT_MISSING, ins->a, v);
    int r = vm_ask(m);
    if (r)
        return r;
    struct probe_val of = *v;
    return given(m->run->host->field(m->run->ctx, &of, probe_code_name(m->code, ins->x), v), ins->a, v);
}

// Of a text: the n-th character.
static int character(struct vm *m, str s, int64_t n, struct probe_val *ret)
{
    int r = vm_spend_bytes(m, s.len);
    if (r)
        return r;
    if (n < 0)
        return PROBE_FAULT_RANGE;
    size_t i = 0;
    for (; i < s.len; i++)
        if (((unsigned char)s.ptr[i] & 0xc0) != 0x80 && n-- == 0)
            break;
    if (i >= s.len)
        return PROBE_FAULT_RANGE;
    size_t end = i + 1;
    while (end < s.len && ((unsigned char)s.ptr[end] & 0xc0) == 0x80)
        end++;
    *ret = vm_str(str_slice(s, i, end));
    return 0;
}

static int element(struct vm *m, const struct probe_ins *ins, struct probe_val *v, const struct probe_val *key)
{
    if (key->kind > PROBE_VAL_BYTES)
        return key->kind == VM_ABSENT ? PROBE_FAULT_MISSING : PROBE_FAULT_TYPE;
    if (v->kind == VM_ABSENT || v->kind == PROBE_VAL_NULL)
        return given(v->kind == VM_ABSENT ? PROBE_FAULT_MISSING : PROBE_FAULT_NULL, ins->a, v);
    if (vm_is_object(v)) {
        int r = vm_ask(m);
        if (r)
            return r;
        struct probe_val of = *v;
        return given(m->run->host->index(m->run->ctx, &of, key, v), ins->a, v);
    }
    if (key->kind != PROBE_VAL_INT)
        return PROBE_FAULT_TYPE;
    switch (v->kind) {
    case PROBE_VAL_STR:
        return given(character(m, v->s, key->i, v), ins->a, v);
    case PROBE_VAL_BYTES:
        if (key->i < 0 || (uint64_t)key->i >= v->s.len)
            return given(PROBE_FAULT_RANGE, ins->a, v);
        *v = vm_int((unsigned char)v->s.ptr[key->i]);
        return 0;
    case PROBE_VAL_ITEMS:
        if (key->i < 0 || key->i >= v->n)
            return given(PROBE_FAULT_RANGE, ins->a, v);
        *v = v->items[key->i];
        return 0;
    default:
        return PROBE_FAULT_TYPE;
    }
}

static int compare(struct vm *m, unsigned op, struct probe_val *a, const struct probe_val *b)
{
    bool yes;
    int r, order;
    if (a->kind == PROBE_VAL_INT && b->kind == PROBE_VAL_INT) {
        yes = op == PROBE_OP_EQ   ? a->i == b->i
              : op == PROBE_OP_NE ? a->i != b->i
              : op == PROBE_OP_LT ? a->i < b->i
              : op == PROBE_OP_LE ? a->i <= b->i
              : op == PROBE_OP_GT ? a->i > b->i
                                  : a->i >= b->i;
        vm_set_bool(a, yes);
        return 0;
    }
    if (op == PROBE_OP_EQ || op == PROBE_OP_NE) {
        if ((r = vm_equal(m, a, b, &yes)) == 0)
            vm_set_bool(a, yes == (op == PROBE_OP_EQ));
        return r;
    }
    if ((r = vm_order(m, a, b, &order)) != 0)
        return r;
    yes = op == PROBE_OP_LT   ? order == -1
          : op == PROBE_OP_LE ? order == -1 || order == 0
          : op == PROBE_OP_GT ? order == 1
                              : order == 1 || order == 0;
    vm_set_bool(a, yes);
    return 0;
}

static int extreme(struct vm *m, unsigned op, struct probe_val *a, const struct probe_val *b)
{
    int order, r = vm_order(m, a, b, &order);
    if (r || order == 2)
        return r ? r : PROBE_FAULT_UNSUPPORTED;
    if (op == PROBE_OP_MIN ? order > 0 : order < 0)
        *a = *b;
    return 0;
}

static int ends(struct vm *m, unsigned op, struct probe_val *a, const struct probe_val *b)
{
    if (a->kind != b->kind || (a->kind != PROBE_VAL_STR && a->kind != PROBE_VAL_BYTES))
        return PROBE_FAULT_TYPE;
    int r = vm_spend_bytes(m, b->s.len);
    if (r == 0)
        vm_set_bool(a, op == PROBE_OP_STARTS ? str_starts(a->s, b->s) : str_ends(a->s, b->s));
    return r;
}

static int matches(struct vm *m, unsigned n, struct probe_val *v)
{
    if (v->kind != PROBE_VAL_STR)
        return PROBE_FAULT_TYPE;
    const uint8_t *ref = m->code->res + (size_t)n * 8;
    int r = probe_regex_test(bytes_of(m->code->pool + le32_get(ref), le32_get(ref + 4)), v->s, &m->run->steps);
    if (r < 0)
        return PROBE_FAULT_STEPS;
    vm_set_bool(v, r);
    return vm_spend(m, 1); // looks at the clock
}

static int next(struct vm *m, struct vm_loop *l, const struct probe_ins *ins, struct probe_val *locals)
{
    struct probe_val unused, *first = &locals[ins->y], *value = first + (ins->b == 2);
    int r = vm_next_item(m, &l->of, &l->cursor, l->passed, ins->b == 2 ? first : &unused, value);
    if (r)
        return r;
    l->passed++;
    if (l->kind == PROBE_LOOP_FILTER)
        l->current = *value;
    return 0;
}

static int run(struct vm *m, struct probe_ins *ins, struct probe_val *ret)
{
    const struct probe_code *code = m->code;
    const struct probe_host *host = m->run->host;
    void *ctx = m->run->ctx;
    struct probe_val stack[PROBE_CODE_STACK_MAX], *top = stack; // top: the next free place
    struct probe_val locals[PROBE_CODE_LOCALS_MAX];
    struct vm_loop loops[PROBE_CODE_LOOPS_MAX];
    memset(locals, 0, code->n_locals * sizeof locals[0]);
    memset(loops, 0, code->n_loops * sizeof loops[0]);
    for (unsigned at = 0;; at++) {
        memcpy(ins, code->ins + (size_t)at * PROBE_CODE_INS, sizeof *ins);
        int r = vm_spend(m, 1);
        if (r)
            return r;
        switch (ins->op) {
        case PROBE_OP_RETURN:
            if (top[-1].kind == VM_ABSENT)
                return PROBE_FAULT_MISSING;
            *ret = top[-1];
            return 0;
        case PROBE_OP_LIT:
            literal(code, ins->x, top++);
            break;
        case PROBE_OP_NAME:
            if ((r = vm_ask(m)) == 0)
                r = given(host->name(ctx, ins->x, probe_code_name(code, ins->x), top), ins->a, top);
            top++;
            break;
        case PROBE_OP_LOCAL:
            *top++ = locals[ins->x];
            break;
        case PROBE_OP_SET:
            locals[ins->x] = *--top;
            break;
        case PROBE_OP_SPECIAL:
            if ((r = vm_ask(m)) == 0)
                r = given(host->special(ctx, (enum probe_special)ins->x, top), ins->a, top);
            top++;
            break;
        case PROBE_OP_FRAME:
            if ((r = vm_ask(m)) == 0)
                r = given(host->frame(ctx, ins->b, probe_code_name(code, ins->x), top), ins->a, top);
            top++;
            break;
        case PROBE_OP_STATIC:
            if ((r = vm_ask(m)) == 0)
                r = given(host->statics(ctx, probe_code_name(code, ins->x), top), ins->a, top);
            top++;
            break;
        case PROBE_OP_FIELD:
            r = field(m, ins, top - 1);
            break;
        case PROBE_OP_INDEX:
            top--;
            r = element(m, ins, top - 1, top);
            break;
        case PROBE_OP_HAS:
            vm_set_bool(top - 1, top[-1].kind != VM_ABSENT);
            break;
        case PROBE_OP_NEG:
            r = vm_negate(top - 1, top - 1);
            break;
        case PROBE_OP_NOT:
            if (top[-1].kind != PROBE_VAL_BOOL)
                return PROBE_FAULT_NOT_BOOL;
            top[-1].b = !top[-1].b;
            break;
        case PROBE_OP_ADD:
        case PROBE_OP_SUB:
        case PROBE_OP_MUL:
        case PROBE_OP_DIV:
        case PROBE_OP_MOD:
            top--;
            r = vm_arith(m, (enum probe_op)ins->op, top - 1, top, top - 1);
            break;
        case PROBE_OP_EQ:
        case PROBE_OP_NE:
        case PROBE_OP_LT:
        case PROBE_OP_LE:
        case PROBE_OP_GT:
        case PROBE_OP_GE:
            top--;
            r = compare(m, ins->op, top - 1, top);
            break;
        case PROBE_OP_IN: {
            bool yes = false;
            top--;
            r = vm_in(m, ins->a ? top : top - 1, ins->a ? top - 1 : top, &yes);
            vm_set_bool(top - 1, yes);
            break;
        }
        case PROBE_OP_MATCH:
            r = matches(m, ins->x, top - 1);
            break;
        case PROBE_OP_BOOL:
            if (top[-1].kind != PROBE_VAL_BOOL)
                return PROBE_FAULT_NOT_BOOL;
            break;
        case PROBE_OP_JUMP:
            at = ins->x - 1u;
            break;
        case PROBE_OP_JUMP_NOT:
            if ((--top)->kind != PROBE_VAL_BOOL)
                return PROBE_FAULT_NOT_BOOL;
            if (!top->b)
                at = ins->x - 1u;
            break;
        case PROBE_OP_AND:
        case PROBE_OP_OR:
            if (top[-1].kind != PROBE_VAL_BOOL)
                return PROBE_FAULT_NOT_BOOL;
            if (top[-1].b == (ins->op == PROBE_OP_OR))
                at = ins->x - 1u;
            else
                top--;
            break;
        case PROBE_OP_STARTS:
        case PROBE_OP_ENDS:
            top--;
            r = ends(m, ins->op, top - 1, top);
            break;
        case PROBE_OP_MIN:
        case PROBE_OP_MAX:
            top--;
            r = extreme(m, ins->op, top - 1, top);
            break;
        case PROBE_OP_LOOP:
            r = vm_loop_begin(&loops[ins->a], ins->b, --top);
            break;
        case PROBE_OP_NEXT:
            r = next(m, &loops[ins->a], ins, locals);
            if (r == -1)
                at = ins->x - 1u, r = 0;
            break;
        case PROBE_OP_EACH:
            r = vm_loop_take(m, &loops[ins->a], --top);
            if (!loops[ins->a].decided)
                at = ins->x - 1u;
            break;
        case PROBE_OP_DONE:
            vm_loop_result(&loops[ins->a], top++);
            break;
        default:
            r = vm_function(m, ins, top - 1, top - 1);
        }
        if (__builtin_expect(r != 0, 0))
            return r;
    }
}

static int fault(struct probe_run *r, int reason, const struct probe_ins *ins)
{
    r->fault = (struct probe_fault){ .reason = (uint8_t)reason, .at = ins->at, .len = ins->len };
    return reason;
}

int probe_vm_run(const struct probe_code *code, struct probe_run *r, struct probe_val *ret_value)
{
    struct vm m = { .code = code, .run = r, .clock = r->steps > PROBE_VM_CLOCK ? r->steps - PROBE_VM_CLOCK : 0 };
    struct probe_ins ins;
    r->fault = (struct probe_fault){ 0 };
    int reason = run(&m, &ins, ret_value);
    return reason ? fault(r, reason, &ins) : 0;
}

int probe_vm_test(const struct probe_code *code, struct probe_run *r, bool *ret_true)
{
    struct vm m = { .code = code, .run = r, .clock = r->steps > PROBE_VM_CLOCK ? r->steps - PROBE_VM_CLOCK : 0 };
    struct probe_ins ins;
    struct probe_val v;
    r->fault = (struct probe_fault){ 0 };
    int reason = run(&m, &ins, &v);
    if (reason == 0 && v.kind != PROBE_VAL_BOOL)
        reason = PROBE_FAULT_NOT_BOOL;
    if (reason)
        return fault(r, reason, &ins);
    *ret_true = v.b;
    return 0;
}
