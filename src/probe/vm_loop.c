// Containers: `in`, and the loops of any, all, count, filter, map, min, max.
#include "probe/vm_internal.h"

int vm_push_item(struct vm *m, struct vm_items *items, const struct probe_val *v)
{
    if (v->kind >= PROBE_VAL_KINDS)
        return PROBE_FAULT_MISSING;
    if (items->n == items->cap) {
        uint32_t cap = items->cap ? items->cap * 2 : 8;
        // What lies last in the memory grows where it is.
        bool last = items->n && (uint8_t *)(items->at + items->n) == m->run->scratch->p;
        if (cap > PROBE_VM_ITEMS_MAX)
            return PROBE_FAULT_SPACE;
        struct probe_val *at = probe_scratch_take(m->run->scratch, (last ? cap - items->n : cap) * sizeof *at);
        if (!at)
            return PROBE_FAULT_SPACE;
        if (items->n && !last)
            memcpy(at, items->at, items->n * sizeof *at);
        items->at = last ? items->at : at;
        items->cap = cap;
    }
    items->at[items->n++] = *v;
    return 0;
}

int vm_next_item(struct vm *m, const struct probe_val *of, uint64_t *cursor, uint64_t passed, struct probe_val *ret_key,
                 struct probe_val *ret_value)
{
    if (of->kind == PROBE_VAL_ITEMS) {
        if (*cursor >= of->n)
            return -1;
        vm_set_int(ret_key, (int64_t)passed);
        if (ret_value)
            *ret_value = of->items[*cursor];
        ++*cursor;
        return vm_spend(m, 1);
    }
    if (!vm_is_container(of))
        return PROBE_FAULT_TYPE;
    int r = vm_ask(m);
    if (r)
        return r;
    vm_set_int(ret_key, (int64_t)passed);
    r = m->run->host->item(m->run->ctx, of, cursor, ret_key, ret_value);
    if (r)
        return r == -1 ? -1 : vm_reason(r);
    // Lists of the machine's own are no host's to give.
    return ret_key->kind >= PROBE_VAL_ITEMS || (ret_value && ret_value->kind >= PROBE_VAL_ITEMS)
               ? PROBE_FAULT_UNREADABLE
               : 0;
}

// One text in another.
static int in_text(struct vm *m, str needle, str hay, bool *ret)
{
    int r = vm_spend_bytes(m, hay.len + needle.len);
    *ret = !r && str_find(hay, needle) >= 0;
    return r;
}

int vm_in(struct vm *m, const struct probe_val *element, const struct probe_val *of, bool *ret)
{
    if (of->kind == PROBE_VAL_STR || of->kind == PROBE_VAL_BYTES)
        return element->kind == of->kind ? in_text(m, element->s, of->s, ret) : PROBE_FAULT_TYPE;
    bool by_key = of->kind == PROBE_VAL_DICT || of->kind == PROBE_VAL_OBJECT;
    uint64_t cursor = 0;
    for (uint64_t passed = 0;; passed++) {
        struct probe_val key, value;
        int r = vm_next_item(m, of, &cursor, passed, &key, by_key ? NULL : &value);
        if (r == -1)
            return *ret = false, 0;
        if (r == 0)
            r = vm_equal(m, element, by_key ? &key : &value, ret);
        if (r || *ret)
            return r;
    }
}

int vm_loop_begin(struct vm_loop *l, unsigned kind, const struct probe_val *of)
{
    if (!vm_is_container(of) && of->kind != PROBE_VAL_ITEMS)
        return PROBE_FAULT_TYPE;
    *l = (struct vm_loop){ .kind = (uint8_t)kind, .of = *of };
    return 0;
}

static int take_extreme(struct vm *m, struct vm_loop *l, const struct probe_val *v)
{
    bool first = l->passed <= 1;
    int order = 0, r = 0;
    if (v->kind < PROBE_VAL_INT || v->kind > PROBE_VAL_BYTES)
        return PROBE_FAULT_TYPE;
    if (v->kind == PROBE_VAL_FLOAT && v->f != v->f)
        return PROBE_FAULT_UNSUPPORTED; // NaN is neither more nor less
    if (!first)
        r = vm_order(m, v, &l->result, &order);
    if (r == 0 && (first || (l->kind == PROBE_LOOP_MIN ? order == -1 : order == 1)))
        l->result = *v;
    return r;
}

int vm_loop_take(struct vm *m, struct vm_loop *l, const struct probe_val *v)
{
    switch (l->kind) {
    case PROBE_LOOP_MAP:
        return vm_push_item(m, &l->items, v);
    case PROBE_LOOP_MIN:
    case PROBE_LOOP_MAX:
        return take_extreme(m, l, v);
    default:
        break;
    }
    if (v->kind != PROBE_VAL_BOOL)
        return PROBE_FAULT_NOT_BOOL;
    switch (l->kind) {
    case PROBE_LOOP_ANY:
        l->decided = v->b;
        return 0;
    case PROBE_LOOP_ALL:
        l->decided = !v->b;
        return 0;
    case PROBE_LOOP_COUNT:
        l->items.n += v->b;
        return 0;
    default:
        return v->b ? vm_push_item(m, &l->items, &l->current) : 0;
    }
}

void vm_loop_result(const struct vm_loop *l, struct probe_val *ret)
{
    switch (l->kind) {
    case PROBE_LOOP_ANY:
        vm_set_bool(ret, l->decided);
        return;
    case PROBE_LOOP_ALL:
        vm_set_bool(ret, !l->decided);
        return;
    case PROBE_LOOP_COUNT:
        vm_set_int(ret, l->items.n);
        return;
    case PROBE_LOOP_MIN:
    case PROBE_LOOP_MAX:
        *ret = l->result; // of nothing: null
        return;
    default:
        ret->kind = PROBE_VAL_ITEMS;
        ret->n = l->items.n;
        ret->items = l->items.at;
    }
}
