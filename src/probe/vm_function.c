// Functions of one argument, and `changed`.
#include "probe/vm_internal.h"

static int length_of(struct vm *m, const struct probe_val *a, uint64_t *ret)
{
    int r;
    switch (a->kind) {
    case PROBE_VAL_STR:
        if ((r = vm_spend_bytes(m, a->s.len)) != 0)
            return r;
        *ret = 0;
        for (size_t i = 0; i < a->s.len; i++)
            *ret += ((unsigned char)a->s.ptr[i] & 0xc0) != 0x80;
        return 0;
    case PROBE_VAL_BYTES:
        *ret = a->s.len;
        return 0;
    case PROBE_VAL_ITEMS:
        *ret = a->n;
        return 0;
    default:
        if (!vm_is_container(a))
            return PROBE_FAULT_TYPE;
        if ((r = vm_ask(m)) != 0)
            return r;
        r = vm_reason(m->run->host->length(m->run->ctx, a, ret));
        return r == 0 && *ret > INT64_MAX ? PROBE_FAULT_UNREADABLE : r;
    }
}

static int type_of(struct vm *m, const struct probe_val *a, str *ret)
{
    static const str names[] = { STR_INIT("null"),  STR_INIT("bool"), STR_INIT("int"),  STR_INIT("int"),
                                 STR_INIT("float"), STR_INIT("str"),  STR_INIT("bytes") };
    if (a->kind <= PROBE_VAL_BYTES) {
        *ret = names[a->kind];
        return 0;
    }
    if (a->kind == PROBE_VAL_ITEMS) {
        *ret = STR("list");
        return 0;
    }
    int r = vm_ask(m);
    return r ? r : vm_reason(m->run->host->type(m->run->ctx, a, ret));
}

// Digits of n in a base up to 16, behind a sign and a prefix.
static int put_int(struct vm *m, int64_t i, unsigned base, struct probe_val *ret)
{
    char tmp[24];
    unsigned n = sizeof tmp;
    uint64_t u = i < 0 ? 0 - (uint64_t)i : (uint64_t)i;
    do {
        tmp[--n] = "0123456789abcdef"[u % base];
        u /= base;
    } while (u);
    if (base == 16)
        tmp[--n] = 'x', tmp[--n] = '0';
    if (i < 0)
        tmp[--n] = '-';
    char *p = probe_scratch_take(m->run->scratch, sizeof tmp - n);
    if (!p)
        return PROBE_FAULT_SPACE;
    memcpy(p, tmp + n, sizeof tmp - n);
    *ret = vm_str(str_of(p, sizeof tmp - n));
    return 0;
}

// A float has no text that all runtimes agree on: it is compared as a number, or captured.
static int to_str(struct vm *m, const struct probe_val *a, struct probe_val *ret)
{
    switch (a->kind) {
    case PROBE_VAL_NULL:
        *ret = vm_str(STR("null"));
        return 0;
    case PROBE_VAL_BOOL:
        *ret = vm_str(a->b ? STR("true") : STR("false"));
        return 0;
    case PROBE_VAL_INT:
        return put_int(m, a->i, 10, ret);
    case PROBE_VAL_STR:
        *ret = *a;
        return 0;
    default:
        return PROBE_FAULT_UNSUPPORTED;
    }
}

static int to_int(struct vm *m, const struct probe_val *a, struct probe_val *ret)
{
    switch (a->kind) {
    case PROBE_VAL_BOOL:
        *ret = vm_int(a->b);
        return 0;
    case PROBE_VAL_INT:
    case PROBE_VAL_BIG:
        *ret = *a;
        return 0;
    case PROBE_VAL_FLOAT:
        if (!(a->f < 0x1p63 && a->f >= -0x1p63))
            return PROBE_FAULT_UNSUPPORTED;
        *ret = vm_int((int64_t)a->f);
        return 0;
    case PROBE_VAL_STR: {
        int r = vm_spend_bytes(m, a->s.len);
        if (r)
            return r;
        str s = str_trim(a->s);
        bool negative = s.len && s.ptr[0] == '-';
        uint64_t u = 0;
        if (s.len == negative)
            return PROBE_FAULT_UNSUPPORTED;
        for (size_t i = negative; i < s.len; i++) {
            unsigned d = (unsigned)(unsigned char)s.ptr[i] - '0';
            if (d > 9 || __builtin_mul_overflow(u, 10, &u) || __builtin_add_overflow(u, d, &u))
                return PROBE_FAULT_UNSUPPORTED;
        }
        if (u > (uint64_t)INT64_MAX + negative)
            return PROBE_FAULT_UNSUPPORTED;
        *ret = vm_int(negative ? (int64_t)(0 - u) : (int64_t)u);
        return 0;
    }
    default:
        return PROBE_FAULT_TYPE;
    }
}

static int lower(struct vm *m, const struct probe_val *a, struct probe_val *ret)
{
    if (a->kind != PROBE_VAL_STR)
        return PROBE_FAULT_TYPE;
    if (a->s.len > PROBE_VM_TEXT_MAX)
        return PROBE_FAULT_SPACE;
    int r = vm_spend_bytes(m, a->s.len);
    if (r)
        return r;
    char *p = probe_scratch_take(m->run->scratch, a->s.len);
    if (!p)
        return PROBE_FAULT_SPACE;
    for (size_t i = 0; i < a->s.len; i++) {
        char c = a->s.ptr[i];
        p[i] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
    }
    *ret = vm_str(str_of(p, a->s.len));
    return 0;
}

static int hex(struct vm *m, const struct probe_val *a, struct probe_val *ret)
{
    if (a->kind == PROBE_VAL_INT)
        return put_int(m, a->i, 16, ret);
    if (a->kind != PROBE_VAL_BYTES)
        return PROBE_FAULT_TYPE;
    if (a->s.len > PROBE_VM_TEXT_MAX / 2)
        return PROBE_FAULT_SPACE;
    int r = vm_spend_bytes(m, a->s.len);
    if (r)
        return r;
    char *p = probe_scratch_take(m->run->scratch, 2 * a->s.len);
    if (!p)
        return PROBE_FAULT_SPACE;
    for (size_t i = 0; i < a->s.len; i++) {
        p[2 * i] = "0123456789abcdef"[(unsigned char)a->s.ptr[i] >> 4];
        p[2 * i + 1] = "0123456789abcdef"[a->s.ptr[i] & 15];
    }
    *ret = vm_str(str_of(p, 2 * a->s.len));
    return 0;
}

static int keys(struct vm *m, const struct probe_val *a, struct probe_val *ret)
{
    if (a->kind != PROBE_VAL_DICT && a->kind != PROBE_VAL_OBJECT)
        return PROBE_FAULT_TYPE;
    struct vm_items items = { 0 };
    uint64_t cursor = 0;
    for (;;) {
        struct probe_val key;
        int r = vm_next_item(m, a, &cursor, items.n, &key, NULL);
        if (r == -1)
            break;
        if (r == 0)
            r = vm_push_item(m, &items, &key);
        if (r)
            return r;
    }
    *ret = (struct probe_val){ .kind = PROBE_VAL_ITEMS, .n = items.n, .items = items.at };
    return 0;
}

static uint64_t mix(uint64_t h, uint64_t x)
{
    h = (h ^ x) * 0x9e3779b97f4a7c15u;
    return h ^ h >> 29;
}

// Numbers that are equal have one fingerprint, and so has what is no number.
static uint64_t number_fingerprint(const struct probe_val *a)
{
    if (a->kind == PROBE_VAL_INT)
        return mix(PROBE_VAL_INT, (uint64_t)a->i);
    if (a->f != a->f)
        return mix(PROBE_VAL_FLOAT, UINT64_MAX);
    if (a->f >= -0x1p63 && a->f < 0x1p63 && (double)(int64_t)a->f == a->f)
        return mix(PROBE_VAL_INT, (uint64_t)(int64_t)a->f);
    uint64_t bits;
    memcpy(&bits, &a->f, 8);
    return mix(PROBE_VAL_FLOAT, bits);
}

// Of a container: which one it is and how long, not what it holds.
static int fingerprint(struct vm *m, const struct probe_val *a, uint64_t *ret)
{
    uint64_t h = mix(0x243f6a8885a308d3u, a->kind), n = 0;
    int r = 0;
    switch (a->kind) {
    case PROBE_VAL_NULL:
        break;
    case PROBE_VAL_BOOL:
        h = mix(h, a->b);
        break;
    case PROBE_VAL_INT:
    case PROBE_VAL_BIG:
    case PROBE_VAL_FLOAT:
        h = number_fingerprint(a);
        break;
    case PROBE_VAL_STR:
    case PROBE_VAL_BYTES:
        r = vm_spend_bytes(m, a->s.len);
        h = mix(h, a->s.len);
        for (size_t i = 0; !r && i < a->s.len; i += 8) {
            uint64_t word = 0;
            memcpy(&word, a->s.ptr + i, a->s.len - i < 8 ? a->s.len - i : 8);
            h = mix(h, word);
        }
        break;
    case PROBE_VAL_OTHER:
        h = mix(h, (uintptr_t)a->object);
        break;
    default:
        if (!vm_is_container(a))
            return PROBE_FAULT_TYPE;
        r = length_of(m, a, &n);
        if (probe_fault_is_absence(r) || r == PROBE_FAULT_TYPE || r == PROBE_FAULT_UNSUPPORTED)
            r = 0, n = 0; // an object without a length
        h = mix(mix(h, (uintptr_t)a->object), n);
    }
    *ret = h | 1;
    return r;
}

static int changed(struct vm *m, unsigned word, const struct probe_val *a, struct probe_val *ret)
{
    uint64_t now;
    int r = fingerprint(m, a, &now);
    if (r)
        return r;
    if (!m->run->changed)
        return PROBE_FAULT_CODE;
    uint64_t before = __atomic_exchange_n(&m->run->changed[word], now, __ATOMIC_RELAXED);
    *ret = vm_bool(before != 0 && before != now);
    return 0;
}

int vm_function(struct vm *m, const struct probe_ins *ins, const struct probe_val *a, struct probe_val *ret)
{
    uint64_t n;
    str s;
    int r;
    if (a->kind >= PROBE_VAL_KINDS)
        return PROBE_FAULT_MISSING;
    switch (ins->op) {
    case PROBE_OP_LEN:
    case PROBE_OP_EMPTY:
        if (ins->op == PROBE_OP_LEN && ins->a && a->kind < PROBE_VAL_LIST)
            return PROBE_FAULT_TYPE;
        if (ins->op == PROBE_OP_EMPTY && a->kind == PROBE_VAL_NULL)
            n = 0;
        else if ((r = length_of(m, a, &n)) != 0)
            return r;
        *ret = ins->op == PROBE_OP_LEN ? vm_int((int64_t)n) : vm_bool(n == 0);
        return 0;
    case PROBE_OP_TYPE:
        if ((r = type_of(m, a, &s)) != 0)
            return r;
        *ret = vm_str(s);
        return 0;
    case PROBE_OP_STR:
        return to_str(m, a, ret);
    case PROBE_OP_INT:
        return to_int(m, a, ret);
    case PROBE_OP_LOWER:
        return lower(m, a, ret);
    case PROBE_OP_HEX:
        return hex(m, a, ret);
    case PROBE_OP_KEYS:
        return keys(m, a, ret);
    default:
        return changed(m, ins->x, a, ret);
    }
}
