// A checked tree to bytecode. What comes out is verified here, too: a mistake of the compiler must not travel.
#include "probe/code.h"
#include "probe/expr_internal.h"
#include "probe/regex.h"

enum { LOCALS_OF_LOOPS = 2 * PROBE_EXPR_LOOPS_MAX };

struct compiler {
    struct probe_ins ins[PROBE_CODE_INS_MAX];
    uint8_t lits[PROBE_CODE_LITS_MAX][12];
    uint8_t res[PROBE_CODE_RES_MAX][8];
    str names[PROBE_CODE_NAMES_MAX];
    unsigned n_ins, n_lits, n_res, n_names, n_slots, n_locals, n_loops;
    unsigned loops, lists; // open now
    struct buf pool;
    bool full;
};

static unsigned put(struct compiler *c, const struct probe_node *node, enum probe_op op, unsigned a, unsigned x)
{
    if (c->n_ins == PROBE_CODE_INS_MAX) {
        c->full = true;
        return 0;
    }
    c->ins[c->n_ins] =
        (struct probe_ins){ .op = (uint8_t)op, .a = (uint8_t)a, .x = (uint16_t)x, .at = node->at, .len = node->len };
    return c->n_ins++;
}

// A jump to what comes next.
static void land(struct compiler *c, unsigned jump) { c->ins[jump].x = (uint16_t)c->n_ins; }

static void local(struct compiler *c, unsigned last)
{
    c->n_locals = last + 1 > c->n_locals ? last + 1 : c->n_locals;
    c->full = c->full || c->n_locals > PROBE_CODE_LOCALS_MAX;
}

// Slots were collected first and stand first; other names may be one of them.
static unsigned name(struct compiler *c, str text)
{
    for (unsigned i = 0; i < c->n_names; i++)
        if (str_eq(c->names[i], text))
            return i;
    if (c->n_names == PROBE_CODE_NAMES_MAX) {
        c->full = true;
        return 0;
    }
    c->names[c->n_names] = text;
    return c->n_names++;
}

static void collect_slots(struct compiler *c, const struct probe_node *node)
{
    if (node->kind == PROBE_NODE_NAME)
        name(c, node->name);
    for (unsigned i = 0; i < node->n; i++)
        collect_slots(c, node->args[i]);
}

static void literal(struct compiler *c, const struct probe_node *node)
{
    const struct probe_val *v = &node->value;
    uint8_t *lit = c->lits[c->n_lits];
    if (c->n_lits == PROBE_CODE_LITS_MAX) {
        c->full = true;
        return;
    }
    memset(lit, 0, 12);
    lit[0] = v->kind;
    if (v->kind == PROBE_VAL_STR) {
        le32_put(lit + 4, (uint32_t)c->pool.len);
        le32_put(lit + 8, (uint32_t)v->s.len);
        buf_str(&c->pool, v->s);
    } else if (v->kind == PROBE_VAL_BOOL) {
        lit[4] = v->b;
    } else if (v->kind != PROBE_VAL_NULL) {
        le64_put(lit + 4, (uint64_t)v->i);
    }
    put(c, node, PROBE_OP_LIT, 0, c->n_lits++);
}

static void compile(struct compiler *c, const struct probe_node *node, unsigned soft);

static void both(struct compiler *c, const struct probe_node *node, enum probe_op op)
{
    compile(c, node->args[0], PROBE_SOFT_NOT);
    compile(c, node->args[1], PROBE_SOFT_NOT);
    put(c, node, op, 0, 0);
}

static void one(struct compiler *c, const struct probe_node *node, enum probe_op op, unsigned x)
{
    compile(c, node->args[0], PROBE_SOFT_NOT);
    put(c, node, op, 0, x);
}

// A value that has to be a bool: the fault of one that is none names itself.
static void truth(struct compiler *c, const struct probe_node *node)
{
    compile(c, node, PROBE_SOFT_NOT);
    if (node->type != PROBE_TYPE_BOOL)
        put(c, node, PROBE_OP_BOOL, 0, 0);
}

static void either(struct compiler *c, const struct probe_node *node, enum probe_op op)
{
    truth(c, node->args[0]);
    unsigned jump = put(c, node, op, 0, 0);
    truth(c, node->args[1]);
    land(c, jump);
}

// x in [a, b]: x is kept, and compared until one is equal.
static void in_list(struct compiler *c, const struct probe_node *node)
{
    const struct probe_node *list = node->args[1];
    unsigned jumps[PROBE_EXPR_NODES_MAX], at = LOCALS_OF_LOOPS + c->lists;
    struct probe_node no = { .kind = PROBE_NODE_LITERAL, .at = node->at, .len = node->len };
    compile(c, node->args[0], PROBE_SOFT_NOT);
    no.value = (struct probe_val){ .kind = PROBE_VAL_BOOL };
    local(c, at);
    put(c, node, PROBE_OP_SET, 0, at);
    c->lists++;
    for (unsigned i = 0; i < list->n; i++) {
        put(c, node, PROBE_OP_LOCAL, 0, at);
        compile(c, list->args[i], PROBE_SOFT_NOT);
        put(c, node, PROBE_OP_EQ, 0, 0);
        jumps[i] = put(c, node, PROBE_OP_OR, 0, 0);
    }
    c->lists--;
    literal(c, &no);
    for (unsigned i = 0; i < list->n; i++)
        land(c, jumps[i]);
}

static void loop(struct compiler *c, const struct probe_node *node)
{
    static const uint8_t kinds[PROBE_FUNCTIONS] = {
        [PROBE_FN_ANY] = PROBE_LOOP_ANY,       [PROBE_FN_ALL] = PROBE_LOOP_ALL, [PROBE_FN_COUNT] = PROBE_LOOP_COUNT,
        [PROBE_FN_FILTER] = PROBE_LOOP_FILTER, [PROBE_FN_MAP] = PROBE_LOOP_MAP, [PROBE_FN_MIN] = PROBE_LOOP_MIN,
        [PROBE_FN_MAX] = PROBE_LOOP_MAX,
    };
    unsigned n = node->n_params ? node->n_params : 1, which = c->loops;
    compile(c, node->args[0], PROBE_SOFT_NOT);
    c->loops++;
    c->n_loops = c->loops > c->n_loops ? c->loops : c->n_loops;
    local(c, node->local + n - 1u);
    unsigned begin = put(c, node, PROBE_OP_LOOP, which, 0);
    unsigned head = put(c, node, PROBE_OP_NEXT, which, 0);
    c->ins[begin].b = kinds[node->function];
    c->ins[head].b = (uint8_t)n;
    c->ins[head].y = node->local;
    if (!node->n_params)
        put(c, node, PROBE_OP_LOCAL, 0, node->local);
    else if (expr_is_condition(node->function))
        truth(c, node->args[1]);
    else
        compile(c, node->args[1], PROBE_SOFT_NOT);
    put(c, node, PROBE_OP_EACH, which, head);
    land(c, head);
    put(c, node, PROBE_OP_DONE, which, 0);
    c->loops--;
}

static void call(struct compiler *c, const struct probe_node *node)
{
    static const uint8_t simple[PROBE_FUNCTIONS] = {
        [PROBE_FN_LEN] = PROBE_OP_LEN,   [PROBE_FN_EMPTY] = PROBE_OP_EMPTY, [PROBE_FN_TYPE] = PROBE_OP_TYPE,
        [PROBE_FN_STR] = PROBE_OP_STR,   [PROBE_FN_INT] = PROBE_OP_INT,     [PROBE_FN_LOWER] = PROBE_OP_LOWER,
        [PROBE_FN_COUNT] = PROBE_OP_LEN, [PROBE_FN_KEYS] = PROBE_OP_KEYS,   [PROBE_FN_HEX] = PROBE_OP_HEX,
    };
    switch (node->function) {
    case PROBE_FN_HAS:
        compile(c, node->args[0], PROBE_SOFT_ABSENT);
        put(c, node, PROBE_OP_HAS, 0, 0);
        return;
    case PROBE_FN_STARTS:
        both(c, node, PROBE_OP_STARTS);
        return;
    case PROBE_FN_ENDS:
        both(c, node, PROBE_OP_ENDS);
        return;
    case PROBE_FN_CONTAINS: // the first operand that is not there is the one that is written first
        compile(c, node->args[0], PROBE_SOFT_NOT);
        compile(c, node->args[1], PROBE_SOFT_NOT);
        put(c, node, PROBE_OP_IN, 1, 0);
        return;
    case PROBE_FN_CHANGED:
        one(c, node, PROBE_OP_CHANGED, node->local);
        return;
    default:
        break;
    }
    if (node->n_params || (node->n == 1 && !simple[node->function])) {
        loop(c, node);
        return;
    }
    compile(c, node->args[0], PROBE_SOFT_NOT);
    if (node->n == 1)
        put(c, node, simple[node->function], node->function == PROBE_FN_COUNT, 0);
    for (unsigned i = 1; i < node->n; i++) {
        compile(c, node->args[i], PROBE_SOFT_NOT);
        put(c, node, node->function == PROBE_FN_MIN ? PROBE_OP_MIN : PROBE_OP_MAX, 0, 0);
    }
}

static void match(struct compiler *c, const struct probe_node *node)
{
    struct err err = { 0 };
    if (c->n_res == PROBE_CODE_RES_MAX) {
        c->full = true;
        return;
    }
    size_t at = c->pool.len;
    if (probe_regex_compile(node->name, &c->pool, &err))
        c->full = true; // the check has compiled it before: only room can be wanting
    le32_put(c->res[c->n_res], (uint32_t)at);
    le32_put(c->res[c->n_res] + 4, (uint32_t)(c->pool.len - at));
    one(c, node, PROBE_OP_MATCH, c->n_res++);
}

static void condition(struct compiler *c, const struct probe_node *node)
{
    truth(c, node->args[0]);
    unsigned otherwise = put(c, node, PROBE_OP_JUMP_NOT, 0, 0);
    compile(c, node->args[1], PROBE_SOFT_NOT);
    unsigned end = put(c, node, PROBE_OP_JUMP, 0, 0);
    land(c, otherwise);
    compile(c, node->args[2], PROBE_SOFT_NOT);
    land(c, end);
}

// soft: what becomes of an operand that is not there; of the whole path.
static void path(struct compiler *c, const struct probe_node *node, unsigned soft)
{
    unsigned here = soft ? soft : node->soft ? PROBE_SOFT_NULL : PROBE_SOFT_NOT, at;
    switch (node->kind) {
    case PROBE_NODE_NAME:
        put(c, node, PROBE_OP_NAME, here, name(c, node->name));
        break;
    case PROBE_NODE_SPECIAL:
        put(c, node, PROBE_OP_SPECIAL, here, node->special);
        break;
    case PROBE_NODE_FRAME:
        at = put(c, node, PROBE_OP_FRAME, here, name(c, node->name));
        c->ins[at].b = node->frame;
        break;
    case PROBE_NODE_STATIC:
        put(c, node, PROBE_OP_STATIC, here, name(c, node->name));
        break;
    case PROBE_NODE_FIELD:
        compile(c, node->args[0], soft);
        put(c, node, PROBE_OP_FIELD, here, name(c, node->name));
        break;
    default:
        compile(c, node->args[0], soft);
        compile(c, node->args[1], PROBE_SOFT_NOT);
        put(c, node, PROBE_OP_INDEX, here, 0);
    }
}

static void compile(struct compiler *c, const struct probe_node *node, unsigned soft)
{
    static const uint8_t binary[PROBE_NODE_KINDS] = {
        [PROBE_NODE_EQ] = PROBE_OP_EQ,   [PROBE_NODE_NE] = PROBE_OP_NE,   [PROBE_NODE_LT] = PROBE_OP_LT,
        [PROBE_NODE_LE] = PROBE_OP_LE,   [PROBE_NODE_GT] = PROBE_OP_GT,   [PROBE_NODE_GE] = PROBE_OP_GE,
        [PROBE_NODE_ADD] = PROBE_OP_ADD, [PROBE_NODE_SUB] = PROBE_OP_SUB, [PROBE_NODE_MUL] = PROBE_OP_MUL,
        [PROBE_NODE_DIV] = PROBE_OP_DIV, [PROBE_NODE_MOD] = PROBE_OP_MOD, [PROBE_NODE_IN] = PROBE_OP_IN,
    };
    switch (node->kind) {
    case PROBE_NODE_LITERAL:
        literal(c, node);
        return;
    case PROBE_NODE_PARAM:
        put(c, node, PROBE_OP_LOCAL, 0, node->local);
        return;
    case PROBE_NODE_NOT:
        truth(c, node->args[0]);
        put(c, node, PROBE_OP_NOT, 0, 0);
        return;
    case PROBE_NODE_NEG:
        one(c, node, PROBE_OP_NEG, 0);
        return;
    case PROBE_NODE_MATCHES:
        match(c, node);
        return;
    case PROBE_NODE_AND:
        either(c, node, PROBE_OP_AND);
        return;
    case PROBE_NODE_OR:
        either(c, node, PROBE_OP_OR);
        return;
    case PROBE_NODE_IF:
        condition(c, node);
        return;
    case PROBE_NODE_CALL:
        call(c, node);
        return;
    case PROBE_NODE_IN:
        if (node->args[1]->kind == PROBE_NODE_LIST) {
            in_list(c, node);
            return;
        }
        break;
    default:
        break;
    }
    if (binary[node->kind])
        both(c, node, (enum probe_op)binary[node->kind]);
    else
        path(c, node, soft);
}

static void write_out(struct compiler *c, unsigned n_changed, struct buf *out)
{
    uint32_t texts = (uint32_t)c->pool.len;
    for (unsigned i = 0; i < c->n_names; i++)
        buf_str(&c->pool, c->names[i]);
    struct probe_code_header h = {
        .magic = PROBE_CODE_MAGIC,
        .n_ins = (uint16_t)c->n_ins,
        .n_lits = (uint16_t)c->n_lits,
        .n_names = (uint16_t)c->n_names,
        .n_slots = (uint16_t)c->n_slots,
        .n_res = (uint16_t)c->n_res,
        .n_locals = (uint8_t)c->n_locals,
        .n_loops = (uint8_t)c->n_loops,
        .n_changed = (uint8_t)n_changed,
        .pool_size = (uint32_t)c->pool.len,
    };
    h.size = (uint32_t)(sizeof h + c->n_ins * sizeof c->ins[0] + c->n_lits * sizeof c->lits[0] + c->n_names * 8 +
                        c->n_res * sizeof c->res[0] + c->pool.len);
    buf_append(out, &h, sizeof h);
    buf_append(out, c->ins, c->n_ins * sizeof c->ins[0]);
    buf_append(out, c->lits, c->n_lits * sizeof c->lits[0]);
    for (unsigned i = 0; i < c->n_names; i++) {
        buf_le32(out, texts);
        buf_le32(out, (uint32_t)c->names[i].len);
        texts += (uint32_t)c->names[i].len;
    }
    buf_append(out, c->res, c->n_res * sizeof c->res[0]);
    buf_append(out, c->pool.ptr, c->pool.len);
}

int probe_expr_compile(const struct probe_expr *e, struct buf *out, struct err *err)
{
    struct compiler c = { 0 };
    struct probe_code verified;
    const char *why = "its tables are full";
    size_t before = out->len;
    buf_init(&c.pool, PROBE_CODE_SIZE_MAX);
    collect_slots(&c, e->root);
    c.n_slots = c.n_names;
    compile(&c, e->root, PROBE_SOFT_NOT);
    put(&c, e->root, PROBE_OP_RETURN, 0, 0);
    if (!c.full)
        write_out(&c, e->n_changed, out);
    int r = c.full || c.pool.error ? ERR_LIMIT : out->error;
    buf_free(&c.pool);
    if (r == 0)
        r = probe_code_verify(bytes_of(out->ptr + before, out->len - before), &verified, &why);
    if (r == 0)
        return 0;
    if (!out->error)
        out->len = before;
    return err_set(err, r == ERR_NOMEM ? r : ERR_LIMIT, "too_many_terms",
                   "the expression is too large to be compiled: %s", why);
}
