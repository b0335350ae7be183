// A value as JSON: see value.h and the VALUE form of the agent's protocol.
#include "base/err.h"
#include "base/json.h"
#include "probe/redact.h"

static const str kinds[] = {
    [PROBE_VALUE_NULL] = STR_INIT("null"),       [PROBE_VALUE_BOOL] = STR_INIT("bool"),
    [PROBE_VALUE_INT] = STR_INIT("int"),         [PROBE_VALUE_BIG] = STR_INIT("int"),
    [PROBE_VALUE_FLOAT] = STR_INIT("float"),     [PROBE_VALUE_STR] = STR_INIT("str"),
    [PROBE_VALUE_BYTES] = STR_INIT("bytes"),     [PROBE_VALUE_LIST] = STR_INIT("list"),
    [PROBE_VALUE_TUPLE] = STR_INIT("tuple"),     [PROBE_VALUE_SET] = STR_INIT("set"),
    [PROBE_VALUE_DICT] = STR_INIT("dict"),       [PROBE_VALUE_OBJECT] = STR_INIT("object"),
    [PROBE_VALUE_FUNC] = STR_INIT("func"),       [PROBE_VALUE_CLASS] = STR_INIT("class"),
    [PROBE_VALUE_MODULE] = STR_INIT("module"),   [PROBE_VALUE_REF] = STR_INIT("ref"),
    [PROBE_VALUE_MISSING] = STR_INIT("missing"),
};

static bool bit(const uint8_t *bits, uint64_t id) { return bits && id && bits[id >> 3] >> (id & 7) & 1; }

int probe_value_ids(bytes b, uint8_t *any, uint8_t *twice, size_t *ret_len)
{
    struct probe_value_reader r;
    struct probe_token t;
    int rc;
    probe_value_reader_init(&r, b);
    do {
        rc = probe_value_next(&r, &t);
        if (rc < 0)
            return rc;
        if ((t.type != PROBE_TOKEN_OPEN && t.type != PROBE_TOKEN_VALUE) || !t.id)
            continue;
        if (t.kind == PROBE_VALUE_REF || bit(any, t.id))
            twice[t.id >> 3] |= (uint8_t)(1 << (t.id & 7));
        any[t.id >> 3] |= (uint8_t)(1 << (t.id & 7));
    } while (t.type != PROBE_TOKEN_DONE);
    *ret_len = (size_t)(r.p - r.start);
    return 0;
}

// Whole numbers that every reader of JSON keeps exactly.
static bool is_safe(int64_t i) { return i <= 9007199254740991 && i >= -9007199254740991; }

static void put_scalar(struct json_writer *w, const struct probe_token *t)
{
    if (t->kind == PROBE_VALUE_NULL || t->flags & PROBE_FLAG_SHAPE)
        return;
    json_put_key(w, STR("v"));
    switch (t->kind) {
    case PROBE_VALUE_BOOL:
        json_put_bool(w, t->b);
        break;
    case PROBE_VALUE_INT:
        if (is_safe(t->i))
            json_put_int(w, t->i);
        else {
            char text[24];
            uint64_t u = t->i < 0 ? 0 - (uint64_t)t->i : (uint64_t)t->i;
            size_t at = sizeof(text);
            do
                text[--at] = (char)('0' + u % 10);
            while (u /= 10);
            if (t->i < 0)
                text[--at] = '-';
            json_put_str(w, str_of(text + at, sizeof(text) - at));
        }
        break;
    case PROBE_VALUE_FLOAT:
        json_put_double(w, t->d);
        break;
    case PROBE_VALUE_BYTES:
        json_put_base64(w, bytes_of_str(t->text));
        break;
    case PROBE_VALUE_REF:
        json_put_uint(w, t->id);
        break;
    default:
        json_put_str(w, t->text);
    }
}

static void put_head(struct json_writer *w, const struct probe_token *t, const uint8_t *twice)
{
    json_put_object(w);
    json_put_key(w, STR("k"));
    json_put_str(w, kinds[t->kind]);
    if (t->name.len) {
        json_put_key(w, STR("t"));
        json_put_str(w, t->name);
    }
    if (t->known_n) {
        json_put_key(w, STR("n"));
        json_put_uint(w, t->n);
    }
    if (t->type == PROBE_TOKEN_OPEN && bit(twice, t->id)) {
        json_put_key(w, STR("id"));
        json_put_uint(w, t->id);
    }
}

static void put_value(struct json_writer *w, const struct probe_token *t)
{
    put_head(w, t, NULL);
    if (t->kind == PROBE_VALUE_MISSING) {
        json_put_key(w, STR("why"));
        json_put_str(w, probe_why_name(t->why));
        if (t->why == PROBE_WHY_REDACTED && probe_rule_name(t->rule).len) {
            json_put_key(w, STR("rule"));
            json_put_str(w, probe_rule_name(t->rule));
        }
    } else
        put_scalar(w, t);
    if (t->flags & PROBE_FLAG_CUT) {
        json_put_key(w, STR("cut"));
        json_put_str(w, STR("bytes"));
    }
    json_put_object_end(w);
}

static void put_open(struct json_writer *w, const struct probe_token *t, const uint8_t *twice)
{
    put_head(w, t, twice);
    json_put_key(w, t->kind == PROBE_VALUE_DICT ? STR("e") : t->kind == PROBE_VALUE_OBJECT ? STR("f") : STR("i"));
    json_put_array(w);
}

int probe_value_json(bytes b, const uint8_t *seen_twice, struct json_writer *out, size_t *ret_len)
{
    struct probe_value_reader r;
    struct probe_token t;
    struct {
        bool pairs, second; // a dict's or object's; its second half comes next
    } levels[PROBE_NEST_MAX + 1] = { 0 };
    unsigned depth = 0;
    probe_value_reader_init(&r, b);
    for (;;) {
        int rc = probe_value_next(&r, &t);
        if (rc < 0)
            return rc;
        if (t.type == PROBE_TOKEN_DONE)
            break;
        if (t.type == PROBE_TOKEN_FIELD) {
            json_put_array(out);
            json_put_str(out, t.text);
            levels[depth].second = true;
            continue;
        }
        if (t.type == PROBE_TOKEN_END) {
            depth--;
            json_put_array_end(out);
            if (t.why) {
                json_put_key(out, STR("cut"));
                json_put_str(out, probe_why_name(t.why));
            }
            json_put_object_end(out);
        } else {
            if (t.key)
                json_put_array(out);
            if (t.type == PROBE_TOKEN_OPEN) {
                put_open(out, &t, seen_twice);
                depth++;
                levels[depth].pairs = t.kind == PROBE_VALUE_DICT || t.kind == PROBE_VALUE_OBJECT;
                levels[depth].second = false;
                continue;
            }
            put_value(out, &t);
        }
        // A value is complete: it was the first half of a pair, the second, or stands alone.
        if (!levels[depth].pairs)
            continue;
        if (levels[depth].second)
            json_put_array_end(out);
        levels[depth].second = !levels[depth].second;
    }
    *ret_len = (size_t)(r.p - r.start);
    return 0;
}
