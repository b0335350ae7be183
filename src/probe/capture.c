// Writes one capture into fixed memory: see capture.h. Part of the hit path: no allocation, mem* only.
#include "base/utf8.h"
#include "probe/capture_internal.h"

enum { PROMISE = 4 }; // bytes that a value needs at least (value.c)

static size_t room(const struct probe_capture *c)
{
    size_t left = (size_t)(c->w.end - c->w.p);
    return left > c->w.reserve ? left - c->w.reserve : 0;
}
static void put(struct probe_capture *c, uint8_t b) { *c->w.p++ = b; }
static void put_varint(struct probe_capture *c, uint64_t v)
{
    for (; v >= 0x80; v >>= 7)
        put(c, (uint8_t)(v | 0x80));
    put(c, (uint8_t)v);
}
static char *put_text(struct probe_capture *c, str s)
{
    char *at;
    put_varint(c, s.len);
    at = (char *)c->w.p;
    if (s.len)
        memcpy(at, s.ptr, s.len);
    c->w.p += s.len;
    return at;
}

static str cut_text(str s) { return utf8_cut(s, PROBE_CAPTURE_TEXT_MAX); }

// Ends the value before and looks whether a section of n bytes has room.
static bool section(struct probe_capture *c, enum capture_tag tag, size_t n)
{
    probe_value_finish(&c->w);
    if (room(c) < 1 + n) {
        c->w.cut = true;
        return false;
    }
    put(c, (uint8_t)tag);
    return true;
}

bool probe_capture_begin(struct probe_capture *c, void *mem, size_t cap, const struct probe_capture_start *start,
                         const struct probe_value_limits *limits, const struct probe_policy *policy,
                         struct probe_space *space)
{
    uint8_t *h = mem;
    str name = utf8_cut(start->thread_name, 64);
    if (cap < PROBE_CAPTURE_MIN)
        return false;
    if (cap > PROBE_CAPTURE_BYTES_MAX)
        cap = PROBE_CAPTURE_BYTES_MAX;
    c->frames = c->frames_cut = c->vars_cut = 0;
    probe_value_begin(&c->w, mem, cap - 1, limits, policy, space); // the last byte is for the end mark
    memset(h, 0, PROBE_CAPTURE_HEAD);
    le32_put(h, PROBE_CAPTURE_MAGIC);
    le32_put(h + 8, start->slot);
    le32_put(h + 12, start->revision);
    le32_put(h + 16, policy ? policy->generation : 0);
    le32_put(h + 20, (start->trace ? CAPTURE_HAS_TRACE : 0u) | (start->span ? CAPTURE_HAS_SPAN : 0u) |
                         (start->reporter == PROBE_REPORTER_NONE     ? CAPTURE_REPORTER_NONE
                          : start->reporter == PROBE_REPORTER_SENTRY ? CAPTURE_REPORTER_SENTRY
                                                                     : 0u));
    le64_put(h + 24, (uint64_t)start->time_ns);
    le64_put(h + 48, start->thread);
    if (start->trace)
        memcpy(h + 80, start->trace, 16);
    if (start->span)
        memcpy(h + 96, start->span, 8);
    c->w.p += PROBE_CAPTURE_HEAD;
    if (name.len) {
        put(c, CAPTURE_THREAD);
        put_text(c, name);
    }
    return true;
}

bool probe_capture_frame(struct probe_capture *c, str function, str file, uint32_t line, str module, bool in_app)
{
    bool secret = probe_redact_file(c->w.policy, file) != PROBE_RULE_NONE;
    function = cut_text(function);
    file = cut_text(file);
    module = cut_text(module);
    if (c->frames >= PROBE_CAPTURE_FRAMES_MAX ||
        !section(c, CAPTURE_FRAME, function.len + file.len + module.len + 3 * 2 + 5 + 1)) {
        c->frames_cut++;
        return false;
    }
    c->file_redacted[c->frames++] = secret;
    put_text(c, function);
    put_text(c, file);
    put_varint(c, line);
    put_text(c, module);
    put(c, in_app);
    return true;
}

bool probe_capture_var(struct probe_capture *c, uint32_t frame, enum probe_var_kind kind, str name)
{
    str kept = utf8_cut(name, PROBE_NAME_MAX);
    if (frame >= c->frames)
        return false;
    if (!section(c, CAPTURE_VAR, 2 + 1 + 2 + kept.len + PROMISE)) {
        c->vars_cut++;
        return false;
    }
    put_varint(c, frame);
    put(c, (uint8_t)kind);
    put_text(c, kept);
    probe_value_root(&c->w, name);
    if (c->file_redacted[frame] && !c->w.rule)
        c->w.rule = PROBE_RULE_CUSTOM_FILE;
    return true;
}

// A section that nothing but the number of its frame is missing of: that is one byte.
enum { NAME_TAG, NAME_FRAME, NAME_KIND, NAME_LEN, NAME_TEXT };
_Static_assert(PROBE_CAPTURE_FRAMES_MAX <= 128 && PROBE_CAPTURE_NAME_ROOM < 128, "varints of one byte");

bool probe_capture_name(const struct probe_capture *c, enum probe_var_kind kind, str name,
                        struct probe_capture_name *ret)
{
    if (name.len > sizeof ret->head - NAME_TEXT)
        return false;
    *ret = (struct probe_capture_name){ .len = (uint8_t)(NAME_TEXT + name.len),
                                        .rule = (uint8_t)probe_redact_name(c->w.policy, name) };
    ret->head[NAME_TAG] = CAPTURE_VAR;
    ret->head[NAME_KIND] = (uint8_t)kind;
    ret->head[NAME_LEN] = (uint8_t)name.len;
    if (name.len)
        memcpy(ret->head + NAME_TEXT, name.ptr, name.len);
    return true;
}

bool probe_capture_named(struct probe_capture *c, uint32_t frame, const struct probe_capture_name *name)
{
    struct probe_value_writer *w = &c->w;
    if (frame >= c->frames)
        return false;
    if (w->depth || w->pending)
        probe_value_finish(w);
    if (room(c) < sizeof name->head + 2 + PROMISE) // as much as the longest of them asks for there
        return probe_capture_var(c, frame, name->head[NAME_KIND],
                                 str_of((const char *)name->head + NAME_TEXT, name->head[NAME_LEN]));
    memcpy(w->p, name->head, sizeof name->head); // of a fixed size: what follows is written over its end
    w->p[NAME_FRAME] = (uint8_t)frame;
    w->p += name->len;
    w->pending = 1;
    w->reserve += PROMISE;
    w->rule = name->rule ? name->rule : c->file_redacted[frame] ? PROBE_RULE_CUSTOM_FILE : 0;
    return true;
}

bool probe_capture_expr(struct probe_capture *c, uint32_t index, str name)
{
    if (index >= PROBE_CAPTURE_EXPRS_MAX || !section(c, CAPTURE_EXPR, 1 + PROMISE))
        return false;
    put_varint(c, index);
    return probe_value_root(&c->w, name);
}

bool probe_capture_return(struct probe_capture *c)
{
    return section(c, CAPTURE_RETURN, PROMISE) && probe_value_root(&c->w, (str){ 0 });
}

bool probe_capture_exception(struct probe_capture *c, str type, str message)
{
    char *at;
    type = cut_text(type);
    message = probe_policy_shapes(c->w.policy) ? (str){ 0 } : cut_text(message);
    if (!section(c, CAPTURE_EXCEPTION, type.len + message.len + 4 + PROMISE))
        return false;
    put_text(c, type);
    at = put_text(c, message);
    c->w.redacted += probe_redact_line(c->w.policy, at, message.len);
    return probe_value_root(&c->w, (str){ 0 });
}

void probe_capture_expr_error(struct probe_capture *c, uint32_t index, str text)
{
    text = cut_text(text);
    if (index >= PROBE_CAPTURE_EXPRS_MAX || !section(c, CAPTURE_EXPR_ERROR, 1 + 2 + text.len))
        return;
    put_varint(c, index);
    put_text(c, text);
}

void probe_capture_log(struct probe_capture *c, str body)
{
    char *at;
    if (probe_policy_shapes(c->w.policy))
        return;
    body = utf8_cut(body, PROBE_CAPTURE_LOG_MAX);
    probe_value_finish(&c->w);
    if (room(c) < 16) {
        c->w.cut = true;
        return;
    }
    if (body.len > room(c) - 8) {
        body = utf8_cut(body, room(c) - 8);
        c->w.cut = true;
    }
    put(c, CAPTURE_LOG);
    at = put_text(c, body);
    c->w.redacted += probe_redact_line(c->w.policy, at, body.len);
}

void probe_capture_metric(struct probe_capture *c, double value)
{
    if (probe_policy_shapes(c->w.policy) || !section(c, CAPTURE_METRIC, 8))
        return;
    memcpy(c->w.p, &value, 8);
    c->w.p += 8;
}

static void sweep(struct probe_capture *c)
{
    bytes record = bytes_of(c->w.start, (size_t)(c->w.p - c->w.start));
    struct capture_section s;
    size_t at = PROBE_CAPTURE_HEAD;
    struct probe_space *space = c->w.space;
    while (capture_section_next(record, &at, &s) == 0 && s.tag != CAPTURE_END) {
        if (s.value.len)
            c->w.redacted += probe_redact_sweep(space, (uint8_t *)s.value.ptr, s.value.len);
        if (s.tag == CAPTURE_LOG || s.tag == CAPTURE_EXPR_ERROR)
            c->w.redacted += probe_redact_sweep_text(space, (char *)s.text[0].ptr, s.text[0].len);
        if (s.tag == CAPTURE_EXCEPTION)
            c->w.redacted += probe_redact_sweep_text(space, (char *)s.text[1].ptr, s.text[1].len);
    }
}

size_t probe_capture_end(struct probe_capture *c, uint64_t cost_ns, int64_t duration_ns, uint64_t dropped_before)
{
    uint8_t *h = c->w.start;
    uint32_t length;
    probe_value_finish(&c->w);
    put(c, CAPTURE_END);
    if (probe_redact_pending(c->w.space))
        sweep(c);
    length = (uint32_t)(c->w.p - c->w.start);
    le32_put(h + 4, length);
    le32_put(h + 20, le32_get(h + 20) | (c->w.cut ? CAPTURE_IS_CUT : 0u));
    le64_put(h + 32, (uint64_t)duration_ns);
    le64_put(h + PROBE_CAPTURE_COST_AT, cost_ns);
    le64_put(h + 56, dropped_before);
    le32_put(h + 64, c->w.redacted);
    le32_put(h + 68, c->frames_cut);
    le32_put(h + 72, c->vars_cut);
    return length;
}
