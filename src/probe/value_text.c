// A value as text for people, in messages of logpoints: see value.h.
#include "base/buf.h"
#include "base/err.h"
#include "base/numfmt.h"
#include "probe/redact.h"

static void put_quoted(struct buf *out, str s)
{
    buf_byte(out, '"');
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (c == '"' || c == '\\')
            buf_byte(out, '\\');
        buf_byte(out, c == '\n' || c == '\r' || c == '\t' ? ' ' : (uint8_t)c);
    }
    buf_byte(out, '"');
}

static void put_text(struct buf *out, const struct probe_token *t, bool nested)
{
    if (t->kind == PROBE_VALUE_BYTES) {
        buf_str(out, STR("0x"));
        for (size_t i = 0; i < t->text.len; i++)
            buf_printf(out, "%02x", (unsigned)(uint8_t)t->text.ptr[i]);
    } else if (t->kind >= PROBE_VALUE_FUNC && t->kind <= PROBE_VALUE_MODULE) {
        buf_printf(out, "<%s %.*s>",
                   t->kind == PROBE_VALUE_FUNC    ? "func"
                   : t->kind == PROBE_VALUE_CLASS ? "class"
                                                  : "module",
                   STR_ARG(t->text));
    } else if (nested && t->kind == PROBE_VALUE_STR && !t->name.len) {
        put_quoted(out, t->text);
    } else {
        buf_str(out, t->text);
    }
    if (t->flags & PROBE_FLAG_CUT)
        buf_str(out, STR("..."));
}

static void put_value(struct buf *out, const struct probe_token *t, bool nested)
{
    static const char *const shapes[] = { "null", "bool", "int", "int", "float", "str", "bytes" };
    char number[32];
    if (t->flags & PROBE_FLAG_SHAPE && t->kind < sizeof shapes / sizeof shapes[0]) {
        buf_printf(out, "<%s>", shapes[t->kind]);
        return;
    }
    switch (t->kind) {
    case PROBE_VALUE_NULL:
        buf_str(out, STR("null"));
        break;
    case PROBE_VALUE_BOOL:
        buf_str(out, t->b ? STR("true") : STR("false"));
        break;
    case PROBE_VALUE_INT:
        buf_printf(out, "%lld", (long long)t->i);
        break;
    case PROBE_VALUE_FLOAT:
        buf_append(out, number, (size_t)fmt_double(number, t->d));
        break;
    case PROBE_VALUE_REF:
        buf_str(out, STR("<seen above>"));
        break;
    case PROBE_VALUE_MISSING:
        buf_printf(out, "<%.*s>", STR_ARG(probe_why_name(t->why)));
        break;
    default:
        put_text(out, t, nested);
    }
}

int probe_value_say(bytes b, struct buf *out)
{
    struct probe_value_reader r;
    struct probe_token t;
    struct {
        uint8_t kind;
        bool second; // of a pair: its value comes next
        uint32_t n;
    } levels[PROBE_NEST_MAX + 1] = { 0 };
    static const char *const ends[] = { "]", ")", "}", "}", "}" };
    unsigned depth = 0;
    probe_value_reader_init(&r, b);
    for (;;) {
        int rc = probe_value_next(&r, &t);
        if (rc < 0)
            return rc;
        if (t.type == PROBE_TOKEN_DONE)
            return out->error;
        if (t.type == PROBE_TOKEN_END) {
            if (t.why)
                buf_str(out, levels[depth].n ? STR(", ...") : STR("..."));
            buf_str(out, str_z(ends[levels[depth].kind - PROBE_VALUE_LIST]));
            depth--;
        } else {
            if (depth && !levels[depth].second && levels[depth].n++)
                buf_str(out, STR(", "));
            if (t.type == PROBE_TOKEN_FIELD) {
                buf_str(out, t.text), buf_str(out, STR(": "));
                levels[depth].second = true;
                continue;
            }
            if (t.type == PROBE_TOKEN_OPEN) {
                if (t.name.len)
                    buf_str(out, t.name);
                buf_byte(out, t.kind == PROBE_VALUE_LIST ? '[' : t.kind == PROBE_VALUE_TUPLE ? '(' : '{');
                depth++;
                levels[depth].kind = t.kind, levels[depth].n = 0, levels[depth].second = false;
                continue;
            }
            put_value(out, &t, depth > 0);
        }
        bool pairs = levels[depth].kind == PROBE_VALUE_DICT || levels[depth].kind == PROBE_VALUE_OBJECT;
        if (!depth || !pairs)
            continue;
        if (!levels[depth].second)
            buf_str(out, STR(": "));
        levels[depth].second = !levels[depth].second;
    }
}
