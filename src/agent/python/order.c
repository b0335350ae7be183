#include "agent/python/order.h"
#include "agent/python/orders.h"
#include "probe/capture.h"
#include "probe/code.h"

enum { MINOR_MONITORING = 12 }; // sys.monitoring

static bool is_code(const struct probe_program *p)
{
    struct probe_code code;
    return probe_code_verify(p->code, &code, NULL) == 0;
}

// Verified here too: what the server sent is not taken on trust.
static bool codes_hold(const struct probe *p, size_t *ret_n)
{
    bool all = !p->has_condition || is_code(&p->condition);
    size_t n = p->n_exprs;
    for (size_t i = 0; i < p->n_exprs; i++)
        all = all && is_code(&p->exprs[i]);
    for (size_t i = 0; p->has_log && i < p->log.n_parts; i++) {
        all = all && (!p->log.parts[i].is_expr || is_code(&p->log.parts[i].expr));
        n += p->log.parts[i].is_expr;
    }
    if (probe_counts_only(p)) {
        all = all && (!p->metric.has_value || is_code(&p->metric.value));
        for (size_t i = 0; i < p->metric.n_by; i++)
            all = all && is_code(&p->metric.by[i].value);
    }
    *ret_n = n;
    return all;
}

static const char *place_refused(const struct probe_where *w, int minor, struct refusal *r)
{
    bool everywhere = w->kind == PROBE_AT_EXCEPTION && !w->uncaught && !(w->file.len && w->function.len);
    if (everywhere && minor < MINOR_MONITORING) {
        r->code = "runtime_unsupported";
        return "exceptions of a type are seen everywhere from Python 3.12 on; here where they leave a function: name "
               "it, with its file; or those that nobody catches";
    }
    if (w->kind == PROBE_AT_FUNCTION && !w->file.len) {
        r->state = "unresolvable", r->code = "no_such_function";
        return "a function of Python is named with its file";
    }
    return NULL;
}

bool order_refused(const struct probe *p, int minor, struct refusal *ret)
{
    size_t n;
    struct refusal r = { .state = "error", .code = "unsupported" };
    if (!codes_hold(p, &n))
        r.code = "code_invalid", r.message = "an expression is no code that may be run";
    else if (n > PROBE_CAPTURE_EXPRS_MAX)
        r.message = "there are too many expressions";
    else
        r.message = place_refused(&p->where, minor, &r);
    if (r.message)
        *ret = r;
    return r.message != NULL;
}

static uint32_t flags_of(const struct probe *p)
{
    uint32_t flags =
        (p->args ? CLEW_WITH_ARGS : 0u) | (p->locals ? CLEW_WITH_LOCALS : 0u) | (p->count_only ? CLEW_COUNT_ONLY : 0u);
    if (!probe_counts_only(p))
        return flags;
    return flags | CLEW_SERIES | (p->kind == PROBE_TIMER ? CLEW_DURATIONS : 0u) |
           (p->metric.kind == PROBE_METRIC_HISTOGRAM ? CLEW_BUCKETS : 0u) |
           (p->metric.kind == PROBE_METRIC_COUNT ? CLEW_RISING : 0u);
}

static enum clew_at at_of(const struct probe_where *w)
{
    static const enum clew_at points[] = { CLEW_AT_ENTRY, CLEW_AT_EXIT, CLEW_AT_THROW };
    if (w->kind == PROBE_AT_EXCEPTION)
        return w->uncaught ? CLEW_AT_UNCAUGHT : CLEW_AT_RAISE;
    return w->kind == PROBE_AT_LINE ? CLEW_AT_LINE : points[w->point];
}

struct writer {
    uint8_t *p, *end;
    bool full;
};

static void put(struct writer *w, const void *from, size_t n, size_t align)
{
    size_t size = (n + align - 1) / align * align;
    if (w->full || size > (size_t)(w->end - w->p)) {
        w->full = true;
        return;
    }
    if (n)
        memcpy(w->p, from, n);
    memset(w->p + n, 0, size - n);
    w->p += size;
}

static void put_program(struct writer *w, const struct probe_program *p, enum clew_role role, size_t index, uint32_t *n)
{
    struct clew_program head = {
        .role = role, .index = (uint32_t)index, .code_len = (uint32_t)p->code.len, .text_len = (uint32_t)p->text.len
    };
    put(w, &head, sizeof head, 8);
    put(w, p->code.ptr, p->code.len, 8);
    put(w, p->text.ptr, p->text.len, 8);
    ++*n;
}

size_t order_put(uint8_t *at, size_t room, const struct probe *p, int line, uint32_t slot, uint64_t id,
                 const char *host)
{
    str function = p->where.kind == PROBE_AT_LINE ? (str){ 0 } : p->where.function;
    str exception = p->where.kind == PROBE_AT_EXCEPTION ? p->where.exception : (str){ 0 };
    struct clew_order o = {
        .slot = slot,
        .stamp = clew_stamp(id, p->revision),
        .at = at_of(&p->where),
        .line = line ? line : (int32_t)p->where.line,
        .frames = p->frames,
        .frames_vars = p->frames_vars,
        .depth = p->depth,
        .items = p->items,
        .string = p->string,
        .capture_bytes = p->bytes,
        .flags = flags_of(p),
        .id = id,
        .file_len = (uint32_t)p->where.file.len,
        .function_len = (uint32_t)function.len,
        .exception_len = (uint32_t)exception.len,
        .service_len = (uint32_t)p->scope.service.len,
        .host_len = (uint32_t)strlen(host),
    };
    struct writer w = { at, at + room, false };
    put(&w, &o, sizeof o, 8);
    put(&w, p->where.file.ptr, o.file_len, 1);
    put(&w, function.ptr, o.function_len, 1);
    put(&w, exception.ptr, o.exception_len, 1);
    put(&w, p->scope.service.ptr, o.service_len, 1);
    put(&w, host, o.host_len, 1);
    size_t texts = (size_t)(w.p - at);
    if (!w.full && texts % 8)
        put(&w, "\0\0\0\0\0\0\0", 8 - texts % 8, 1);
    if (p->has_condition)
        put_program(&w, &p->condition, CLEW_CONDITION, 0, &o.n_programs);
    for (size_t i = 0; i < p->n_exprs; i++)
        put_program(&w, &p->exprs[i], CLEW_EXPR, i, &o.n_programs);
    size_t index = p->n_exprs;
    for (size_t i = 0; p->has_log && i < p->log.n_parts; i++)
        if (p->log.parts[i].is_expr)
            put_program(&w, &p->log.parts[i].expr, CLEW_EXPR, index++, &o.n_programs);
    for (size_t i = 0; probe_counts_only(p) && i < p->metric.n_by; i++)
        put_program(&w, &p->metric.by[i].value, CLEW_BY, i, &o.n_programs);
    if (probe_counts_only(p) && p->metric.has_value)
        put_program(&w, &p->metric.value, CLEW_VALUE, p->metric.n_by, &o.n_programs);
    if (w.full)
        return 0;
    o.bytes = (uint32_t)(w.p - at);
    memcpy(at, &o, sizeof o);
    return o.bytes;
}
