// What the files of the machine share. Not for other rooms.
#pragma once
#include "probe/code.h"
#include "probe/vm.h"

// Between `has` and what it asks after only: an operand that is not there.
enum { VM_ABSENT = PROBE_VAL_KINDS };

struct vm_items {
    struct probe_val *at;
    uint32_t n, cap;
};

struct vm_loop {
    uint8_t kind;
    bool decided;
    struct probe_val of, current, result;
    uint64_t cursor, passed;
    struct vm_items items;
};

struct vm {
    const struct probe_code *code;
    struct probe_run *run;
    uint32_t clock; // of the budget: when it is looked at again
};

// Takes steps from the budget.
static inline int vm_spend(struct vm *m, uint32_t n)
{
    struct probe_run *run = m->run;
    if (run->steps < n)
        return run->steps = 0, PROBE_FAULT_STEPS;
    run->steps -= n;
    if (__builtin_expect(run->steps < m->clock, 0)) {
        m->clock = run->steps > PROBE_VM_CLOCK ? run->steps - PROBE_VM_CLOCK : 0;
        if (run->host->late && run->host->late(run->ctx))
            return PROBE_FAULT_TIME;
    }
    return 0;
}
static inline int vm_spend_bytes(struct vm *m, size_t n)
{
    size_t steps = n / PROBE_VM_BYTES_STEP;
    return vm_spend(m, steps > UINT32_MAX ? UINT32_MAX : (uint32_t)steps);
}
static inline int vm_ask(struct vm *m) { return vm_spend(m, PROBE_VM_CALL_STEPS); }
// What a host says is a reason, or its mistake.
static inline int vm_reason(int r) { return r > 0 && r < PROBE_FAULT_COUNT ? r : r == 0 ? 0 : PROBE_FAULT_UNREADABLE; }
static inline bool vm_is_container(const struct probe_val *v)
{
    return v->kind >= PROBE_VAL_LIST && v->kind < PROBE_VAL_OTHER;
}
static inline bool vm_is_object(const struct probe_val *v)
{
    return v->kind >= PROBE_VAL_LIST && v->kind <= PROBE_VAL_OTHER;
}
static inline struct probe_val vm_bool(bool b) { return (struct probe_val){ .kind = PROBE_VAL_BOOL, .b = b }; }
static inline struct probe_val vm_int(int64_t i) { return (struct probe_val){ .kind = PROBE_VAL_INT, .i = i }; }
static inline struct probe_val vm_str(str s) { return (struct probe_val){ .kind = PROBE_VAL_STR, .s = s }; }

// Written where it is wanted: a copy of what was just put together from small pieces waits until they have left the core (10 ns).
static inline void vm_set_bool(struct probe_val *v, bool b)
{
    v->kind = PROBE_VAL_BOOL;
    v->b = b;
}
static inline void vm_set_int(struct probe_val *v, int64_t i)
{
    v->kind = PROBE_VAL_INT;
    v->i = i;
}

// All: 0 and the result, or a reason. a and *ret may be the same.
int vm_arith(struct vm *m, enum probe_op op, const struct probe_val *a, const struct probe_val *b,
             struct probe_val *ret);
int vm_negate(const struct probe_val *a, struct probe_val *ret);
int vm_equal(struct vm *m, const struct probe_val *a, const struct probe_val *b, bool *ret);
// *ret: -1, 0, 1, or 2 when one is NaN.
int vm_order(struct vm *m, const struct probe_val *a, const struct probe_val *b, int *ret);
int vm_in(struct vm *m, const struct probe_val *element, const struct probe_val *of, bool *ret);
int vm_function(struct vm *m, const struct probe_ins *ins, const struct probe_val *a, struct probe_val *ret);

int vm_push_item(struct vm *m, struct vm_items *items, const struct probe_val *v);
// Next of a container or a list of ours; -1 at the end. Of what has no keys, the key is the place.
int vm_next_item(struct vm *m, const struct probe_val *of, uint64_t *cursor, uint64_t passed, struct probe_val *ret_key,
                 struct probe_val *ret_value);
int vm_loop_begin(struct vm_loop *l, unsigned kind, const struct probe_val *of);
// Takes what the body has made; l->decided when no more is needed.
int vm_loop_take(struct vm *m, struct vm_loop *l, const struct probe_val *v);
void vm_loop_result(const struct vm_loop *l, struct probe_val *ret);
