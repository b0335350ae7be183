#include "query/row_id.h"

#include "base/hash.h"
#include "base/hex.h"

static uint64_t mix(uint64_t h, uint64_t v) { return hash64_int(h * 0x9e3779b97f4a7c15u + v); }

static void id_print(char out[ROW_ID_LEN], int64_t time, uint64_t h)
{
    uint8_t b[8];
    be64_put(b, (uint64_t)time);
    hex_encode(out, b, 8);
    out[16] = '-';
    be64_put(b, h);
    hex_encode(out + 17, b, 8);
}

bool row_id_time(str s, int64_t *ret_time)
{
    uint8_t b[8];
    if (s.len != ROW_ID_LEN || s.ptr[16] != '-' || !hex_decode(b, str_slice(s, 0, 16)))
        return false;
    *ret_time = (int64_t)be64_get(b);
    return hex_decode(b, str_slice(s, 17, 33));
}

// Columns that go into the hash of every row.
struct id_columns {
    struct vec time, resource, scope, trace, span, name, severity, kind, duration, shape;
};

static int id_columns_get(struct exec *x, struct exec_segment *s, struct id_columns *c)
{
    const struct {
        uint32_t col;
        struct vec *to;
    } all[] = { { COL_TIME, &c->time },         { COL_RESOURCE, &c->resource }, { COL_SCOPE, &c->scope },
                { COL_TRACE, &c->trace },       { COL_SPAN, &c->span },         { COL_NAME, &c->name },
                { COL_SEVERITY, &c->severity }, { COL_KIND, &c->kind },         { COL_DURATION, &c->duration },
                { COL_SHAPE, &c->shape } };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        int rc = exec_column(x, s, TABLE_ROWS, all[i].col, all[i].to);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static uint64_t hash_identity(const struct exec_segment *s, const struct id_columns *c, uint32_t i)
{
    uint8_t trace[16] = { 0 };
    if (c->trace.u32[i] != TRACE_NONE)
        segment_trace(s->seg, c->trace.u32[i], trace);
    uint64_t h = hash64(trace, 16);
    h = mix(h, c->span.u64[i]);
    h = mix(h, (uint64_t)c->time.i64[i]);
    return mix(h, segment_resource_hash(s->seg, c->resource.u32[i]));
}

static int hash_attr(struct exec *x, struct exec_segment *s, uint32_t col, uint32_t i, uint64_t *h)
{
    struct column c = segment_column(s->seg, TABLE_ROWS, col);
    struct vec v;
    int rc = exec_column(x, s, TABLE_ROWS, COL_FIXED + col, &v);
    if (rc < 0)
        return rc;
    *h = mix(*h, hash64_str(c.key) + c.level * 16u + c.type);
    if (c.type == VALUE_NULL || !vec_has(&v, i))
        return 0;
    switch (v.kind) {
    case VEC_STR:
        *h = mix(*h, hash64_str(dict_get(v.dict, v.ord[i])));
        return 0;
    case VEC_U8:
        *h = mix(*h, v.u8[i]);
        return 0;
    case VEC_U32:
        *h = mix(*h, v.u32[i]);
        return 0;
    default: // 8 bytes: i64, u64, f64
        *h = mix(*h, v.u64[i]);
        return 0;
    }
}

static int hash_row(struct exec *x, struct exec_segment *s, const struct id_columns *c, uint32_t i, uint64_t *ret)
{
    uint64_t h = hash_identity(s, c, i);
    if (s->source != QUERY_SPANS) {
        const struct record_entity *scope = segment_scope(s->seg, c->scope.u32[i]);
        struct shape shape = segment_shape(s->seg, TABLE_ROWS, c->shape.u32[i]);
        h = mix(h, hash64_str(scope->name) ^ hash64_str(scope->version) * 3);
        h = mix(h, hash64_str(dict_get(c->name.dict, c->name.ord[i])));
        h = mix(h, (uint64_t)c->severity.u8[i] << 8 | c->kind.u8[i]);
        h = mix(h, (uint64_t)c->duration.i64[i]);
        for (uint32_t k = 0; k < shape.n; k++) {
            int rc = hash_attr(x, s, shape.columns[k], i, &h);
            if (rc < 0)
                return rc;
        }
    }
    *ret = h;
    return 0;
}

int row_ids(struct exec *x, struct exec_segment *s, const uint64_t *sel, uint32_t n, struct cvec *ret)
{
    struct id_columns c;
    struct qval *any = exec_scratch(x, n, sizeof *any);
    char *texts = exec_scratch(x, bits_count(sel, n), ROW_ID_LEN);
    if (!any || !texts)
        return exec_nomem(x);
    memset(any, 0, n * sizeof *any);
    int rc = id_columns_get(x, s, &c);
    if (rc < 0)
        return rc;
    for (BITS_EACH(i, sel, n)) {
        uint64_t h;
        rc = hash_row(x, s, &c, i, &h);
        if (rc < 0)
            return rc;
        id_print(texts, c.time.i64[i], h);
        any[i] = qval_str(str_of(texts, ROW_ID_LEN));
        texts += ROW_ID_LEN;
    }
    *ret = (struct cvec){ .kind = CVEC_ANY, .any = any };
    return 0;
}

// ---- text ----

static bool value_strings(const struct value *v, bool (*fn)(void *ctx, str s), void *ctx)
{
    struct value_reader r;
    struct value e;
    uint64_t left;
    str key;
    if (v->type == VALUE_STR)
        return fn(ctx, v->s);
    if ((v->type != VALUE_LIST && v->type != VALUE_MAP) || value_open(v, &r, &left) < 0)
        return false;
    for (; left > 0; left--) {
        if ((v->type == VALUE_MAP && value_read_key(&r, &key) < 0) || value_read(&r, &e) < 0)
            return false;
        if (value_strings(&e, fn, ctx))
            return true;
    }
    return false;
}

bool qval_strings(const struct qval *v, bool (*fn)(void *ctx, str s), void *ctx)
{
    struct value nested;
    switch (v->type) {
    case QVAL_STR:
    case QVAL_ENUM:
        return fn(ctx, v->s);
    case QVAL_LIST:
    case QVAL_MAP:
        nested = (struct value){ .type = v->type == QVAL_LIST ? VALUE_LIST : VALUE_MAP, .s = v->s };
        return value_strings(&nested, fn, ctx);
    default:
        return false;
    }
}

struct joiner {
    struct buf text;
    bool any;
};

static bool join_one(void *ctx, str s)
{
    struct joiner *j = ctx;
    if (j->any)
        buf_byte(&j->text, '\n');
    j->any = true;
    buf_str(&j->text, s);
    return false;
}

int row_texts(struct exec *x, struct exec_segment *s, const uint64_t *sel, uint32_t n, struct cvec *ret)
{
    struct chain *c;
    int rc = chain_text(x, s, &c);
    if (rc < 0)
        return rc;
    if (c->n == 0) {
        *ret = (struct cvec){ .kind = CVEC_NONE };
        return 0;
    }
    if (c->n == 1 && c->places[0].kind == PLACE_STR && c->places[0].type == QVAL_STR)
        return place_vec(x, s, TABLE_ROWS, &c->places[0], sel, n, ret);
    struct cvec *parts = exec_scratch(x, c->n, sizeof *parts);
    struct qval *any = exec_scratch(x, n, sizeof *any);
    struct joiner j = { 0 };
    if (!parts || !any)
        return exec_nomem(x);
    memset(any, 0, n * sizeof *any);
    for (uint32_t k = 0; k < c->n && rc == 0; k++)
        rc = place_vec(x, s, TABLE_ROWS, &c->places[k], sel, n, &parts[k]);
    if (rc < 0)
        return rc;
    buf_init(&j.text, 64 << 20);
    for (BITS_EACH(i, sel, n)) {
        str kept;
        buf_clear(&j.text);
        j.any = false;
        for (uint32_t k = 0; k < c->n; k++) {
            struct qval q = cvec_get(&parts[k], i);
            qval_strings(&q, join_one, &j);
        }
        if (!j.any)
            continue;
        if (j.text.error || arena_dup(&x->scratch, buf_view(&j.text), &kept) < 0) {
            rc = exec_nomem(x);
            break;
        }
        any[i] = qval_str(kept);
    }
    buf_free(&j.text);
    *ret = (struct cvec){ .kind = CVEC_ANY, .any = any };
    return rc;
}
