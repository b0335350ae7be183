// One section of a capture, from bytes that may be anything. Part of the hit path, for the sweep.
#include "probe/capture_internal.h"

struct cursor {
    const uint8_t *p, *end;
    bool bad;
};

static uint64_t get_varint(struct cursor *c)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 63; shift += 7) {
        uint8_t b;
        if (c->p == c->end)
            break;
        b = *c->p++;
        v |= (uint64_t)(b & 0x7f) << shift;
        if (b < 0x80)
            return v;
    }
    c->bad = true;
    return 0;
}

static uint32_t get_number(struct cursor *c, uint64_t max)
{
    uint64_t v = get_varint(c);
    if (v > max)
        c->bad = true;
    return (uint32_t)v;
}

static uint8_t get_byte(struct cursor *c, uint8_t max)
{
    if (c->p == c->end || *c->p > max) {
        c->bad = true;
        return 0;
    }
    return *c->p++;
}

static str get_text(struct cursor *c, size_t max)
{
    uint64_t n = get_varint(c);
    str s = { 0 };
    if (c->bad || n > max || n > (size_t)(c->end - c->p)) {
        c->bad = true;
        return s;
    }
    s = str_of(c->p, (size_t)n);
    c->p += n;
    return s;
}

static bytes get_value(struct cursor *c)
{
    struct probe_value_reader r;
    const uint8_t *start = c->p;
    if (c->bad)
        return (bytes){ 0 };
    probe_value_reader_init(&r, bytes_of(start, (size_t)(c->end - start)));
    if (probe_value_skip(&r) < 0) {
        c->bad = true;
        return (bytes){ 0 };
    }
    c->p = r.p;
    return bytes_of(start, (size_t)(r.p - start));
}

int capture_section_next(bytes record, size_t *at, struct capture_section *ret)
{
    struct cursor c = { record.ptr + *at, record.ptr + record.len, false };
    struct capture_section s = { 0 };
    if (*at >= record.len)
        return ERR_TRUNCATED;
    while (c.p < c.end && *c.p == PROBE_VALUE_PAD) // what a sweep left behind a value
        c.p++;
    if (c.p == c.end)
        return ERR_TRUNCATED;
    s.tag = (enum capture_tag) * c.p++;
    switch (s.tag) {
    case CAPTURE_END:
        break;
    case CAPTURE_THREAD:
        s.text[0] = get_text(&c, PROBE_CAPTURE_TEXT_MAX);
        break;
    case CAPTURE_FRAME:
        s.text[0] = get_text(&c, PROBE_CAPTURE_TEXT_MAX);
        s.text[1] = get_text(&c, PROBE_CAPTURE_TEXT_MAX);
        s.number = get_number(&c, UINT32_MAX);
        s.text[2] = get_text(&c, PROBE_CAPTURE_TEXT_MAX);
        s.kind = get_byte(&c, 1);
        break;
    case CAPTURE_VAR:
        s.number = get_number(&c, PROBE_CAPTURE_FRAMES_MAX - 1);
        s.kind = get_byte(&c, PROBE_VAR_CLOSURE);
        s.text[0] = get_text(&c, PROBE_NAME_MAX);
        s.value = get_value(&c);
        break;
    case CAPTURE_EXPR:
        s.number = get_number(&c, PROBE_CAPTURE_EXPRS_MAX - 1);
        s.value = get_value(&c);
        break;
    case CAPTURE_EXPR_ERROR:
        s.number = get_number(&c, PROBE_CAPTURE_EXPRS_MAX - 1);
        s.text[0] = get_text(&c, PROBE_CAPTURE_TEXT_MAX);
        break;
    case CAPTURE_RETURN:
        s.value = get_value(&c);
        break;
    case CAPTURE_EXCEPTION:
        s.text[0] = get_text(&c, PROBE_CAPTURE_TEXT_MAX);
        s.text[1] = get_text(&c, PROBE_CAPTURE_TEXT_MAX);
        s.value = get_value(&c);
        break;
    case CAPTURE_LOG:
        s.text[0] = get_text(&c, PROBE_CAPTURE_LOG_MAX);
        break;
    case CAPTURE_METRIC:
        if (c.end - c.p < 8)
            return ERR_TRUNCATED;
        memcpy(&s.metric, c.p, 8);
        c.p += 8;
        break;
    default:
        return ERR_MALFORMED;
    }
    if (c.bad)
        return c.p == c.end ? ERR_TRUNCATED : ERR_MALFORMED;
    *at = (size_t)(c.p - record.ptr);
    *ret = s;
    return 0;
}
