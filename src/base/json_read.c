#include "base/json.h"

#include "base/must.h"
#include "base/utf8.h"

#include <stdlib.h>

// What the grammar allows next. A name's colon is taken together with the name, so that after KEY a
// value is expected.
enum { EXPECT_VALUE, EXPECT_FIRST_ELEMENT, EXPECT_FIRST_MEMBER, EXPECT_MORE, EXPECT_END };

void json_reader_init(struct json_reader *r, str text, struct arena *arena, unsigned depth_max)
{
    must(depth_max <= JSON_DEPTH_MAX);
    static const char nothing[1];
    const char *p = text.ptr ? text.ptr : nothing;
    *r = (struct json_reader){
        .p = p, .end = p + text.len, .start = p, .arena = arena, .depth_max = (uint16_t)depth_max
    };
}

static int fail(struct json_reader *r, int code, const char *why)
{
    r->why = why;
    return code;
}

static void skip_space(struct json_reader *r)
{
    while (r->p < r->end && (*r->p == ' ' || *r->p == '\n' || *r->p == '\r' || *r->p == '\t'))
        r->p++;
}

static bool in_object(const struct json_reader *r)
{
    unsigned top = r->depth - 1u;
    return r->is_object[top / 64] >> (top % 64) & 1;
}

static int open_nested(struct json_reader *r, bool object)
{
    if (r->depth == r->depth_max)
        return fail(r, ERR_LIMIT, "nested too deeply");
    uint64_t bit = 1ull << (r->depth % 64);
    uint64_t *word = &r->is_object[r->depth / 64];
    *word = object ? *word | bit : *word & ~bit;
    r->depth++;
    r->p++;
    r->expect = object ? EXPECT_FIRST_MEMBER : EXPECT_FIRST_ELEMENT;
    return 0;
}

static void close_nested(struct json_reader *r)
{
    r->p++;
    r->depth--;
    r->expect = r->depth ? EXPECT_MORE : EXPECT_END;
}

static bool hex4(const char *p, uint32_t *ret_v)
{
    uint32_t v = 0;
    for (int i = 0; i < 4; i++) {
        char c = p[i], low = (char)(c | 0x20);
        if (c >= '0' && c <= '9')
            v = v << 4 | (uint32_t)(c - '0');
        else if (low >= 'a' && low <= 'f')
            v = v << 4 | (uint32_t)(low - 'a' + 10);
        else
            return false;
    }
    *ret_v = v;
    return true;
}

// Finds the end of a string that begins at p (after its quote), checking characters and escapes.
// *ret_escapes: it holds a backslash.
static int scan_string(struct json_reader *r, const char *p, const char **ret_close, bool *ret_escapes)
{
    const char *end = r->end;
    bool escapes = false;
    for (;;) {
        // Eight plain ASCII characters at a time: none is a quote, a backslash, a control or above 0x7f.
        while (end - p >= 8) {
            uint64_t v = le64_get(p), ones = 0x0101010101010101u, high = 0x8080808080808080u;
            uint64_t quote = v ^ ones * '"', slash = v ^ ones * '\\';
            uint64_t stops = ((v - ones * 0x20) | v | (quote - ones) | (slash - ones)) & high;
            if (stops) { // the lowest is exact: no borrow comes from below it
                p += (unsigned)__builtin_ctzll(stops) / 8;
                break;
            }
            p += 8;
        }
        r->p = p;
        if (p == end)
            return fail(r, ERR_TRUNCATED, "a string is not closed");
        unsigned char c = (unsigned char)*p;
        if (c == '"') {
            *ret_close = p;
            *ret_escapes = escapes;
            return 0;
        }
        if (c < 0x20)
            return fail(r, ERR_MALFORMED, "a control character in a string must be escaped");
        if (c == '\\') {
            uint32_t u;
            escapes = true;
            if (end - p < 2)
                return fail(r, ERR_TRUNCATED, "a string is not closed");
            if (p[1] == 'u') {
                if (end - p < 6)
                    return fail(r, ERR_TRUNCATED, "a string is not closed");
                if (!hex4(p + 2, &u))
                    return fail(r, ERR_MALFORMED, "\\u needs four hexadecimal digits");
                p += 6;
            } else if (p[1] && strchr("\"\\/bfnrt", p[1])) {
                p += 2;
            } else {
                return fail(r, ERR_MALFORMED, "unknown escape in a string");
            }
            continue;
        }
        size_t n = utf8_char_len((const uint8_t *)p, (const uint8_t *)end);
        if (n == 0)
            return fail(r, ERR_MALFORMED, "invalid UTF-8 in a string");
        p += n;
    }
}

// [from, close) has been checked by scan_string(), so escapes are whole.
static int unescape(struct json_reader *r, const char *from, const char *close, str *ret_s)
{
    char *out = r->arena ? arena_alloc_bytes(r->arena, (size_t)(close - from)) : NULL;
    if (!out)
        return fail(r, ERR_NOMEM, NULL);
    char *q = out;
    for (const char *p = from; p < close;) {
        const char *slash = memchr(p, '\\', (size_t)(close - p));
        size_t plain = (size_t)((slash ? slash : close) - p);
        memcpy(q, p, plain);
        q += plain;
        p += plain;
        if (!slash)
            break;
        uint32_t c, low;
        switch (p[1]) {
        case 'b':
            *q++ = '\b';
            break;
        case 'f':
            *q++ = '\f';
            break;
        case 'n':
            *q++ = '\n';
            break;
        case 'r':
            *q++ = '\r';
            break;
        case 't':
            *q++ = '\t';
            break;
        case 'u':
            hex4(p + 2, &c);
            p += 4;
            if (c >= 0xd800 && c < 0xdc00 && close - p >= 8 && p[2] == '\\' && p[3] == 'u' && hex4(p + 4, &low) &&
                low >= 0xdc00 && low < 0xe000) {
                c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
                p += 6;
            } else if (c >= 0xd800 && c < 0xe000) {
                c = 0xfffd;
                r->lossy++;
            }
            q += utf8_put(q, c);
            break;
        default:
            *q++ = p[1];
        }
        p += 2;
    }
    *ret_s = (str){ out, (size_t)(q - out) };
    return 0;
}

static int read_string(struct json_reader *r, str *ret_s)
{
    const char *from = r->p + 1, *close;
    bool escapes;
    int rc = scan_string(r, from, &close, &escapes);
    if (rc < 0)
        return rc;
    if (escapes) {
        if ((rc = unescape(r, from, close, ret_s)) < 0)
            return rc;
    } else {
        *ret_s = (str){ from, (size_t)(close - from) };
    }
    r->p = close + 1;
    return 0;
}

static int read_literal(struct json_reader *r, str word, enum json_type type, struct json_token *ret_token)
{
    size_t left = (size_t)(r->end - r->p), n = left < word.len ? left : word.len;
    if (memcmp(r->p, word.ptr, n) != 0)
        return fail(r, ERR_MALFORMED, "unknown word");
    if (n < word.len)
        return fail(r, ERR_TRUNCATED, "the text ends inside a word");
    r->p += n;
    *ret_token = (struct json_token){ .type = type };
    return 0;
}

static int read_scalar(struct json_reader *r, struct json_token *ret_token)
{
    int rc;
    switch (*r->p) {
    case '"':
        ret_token->type = JSON_STRING;
        rc = read_string(r, &ret_token->text);
        break;
    case 't':
        rc = read_literal(r, STR("true"), JSON_TRUE, ret_token);
        break;
    case 'f':
        rc = read_literal(r, STR("false"), JSON_FALSE, ret_token);
        break;
    case 'n':
        rc = read_literal(r, STR("null"), JSON_NULL, ret_token);
        break;
    default: {
        size_t n = json_number_len(r->p, r->end);
        if (n == 0)
            return fail(r, ERR_MALFORMED, "expected a value");
        *ret_token = (struct json_token){ .type = JSON_NUMBER, .text = { r->p, n } };
        r->p += n;
        rc = 0;
    }
    }
    if (rc == 0)
        r->expect = r->depth ? EXPECT_MORE : EXPECT_END;
    return rc;
}

static int read_value(struct json_reader *r, struct json_token *ret_token)
{
    if (*r->p != '{' && *r->p != '[')
        return read_scalar(r, ret_token);
    bool object = *r->p == '{';
    *ret_token = (struct json_token){ .type = object ? JSON_OBJECT : JSON_ARRAY };
    return open_nested(r, object);
}

static int read_key(struct json_reader *r, struct json_token *ret_token)
{
    if (*r->p != '"')
        return fail(r, ERR_MALFORMED, "expected a member name in quotes");
    ret_token->type = JSON_KEY;
    int rc = read_string(r, &ret_token->text);
    if (rc < 0)
        return rc;
    skip_space(r);
    if (r->p == r->end)
        return fail(r, ERR_TRUNCATED, NULL);
    if (*r->p != ':')
        return fail(r, ERR_MALFORMED, "expected ':' after a member name");
    r->p++;
    r->expect = EXPECT_VALUE;
    return 0;
}

int json_next(struct json_reader *r, struct json_token *ret_token)
{
    skip_space(r);
    if (r->p == r->end) {
        if (r->expect != EXPECT_END)
            return fail(r, ERR_TRUNCATED, NULL);
        *ret_token = (struct json_token){ .type = JSON_END };
        return 0;
    }
    char c = *r->p;
    switch (r->expect) {
    case EXPECT_FIRST_ELEMENT:
        if (c == ']') {
            *ret_token = (struct json_token){ .type = JSON_ARRAY_END };
            close_nested(r);
            return 0;
        }
        return read_value(r, ret_token);
    case EXPECT_FIRST_MEMBER:
        if (c == '}') {
            *ret_token = (struct json_token){ .type = JSON_OBJECT_END };
            close_nested(r);
            return 0;
        }
        return read_key(r, ret_token);
    case EXPECT_MORE: {
        bool object = in_object(r);
        if (c == (object ? '}' : ']')) {
            *ret_token = (struct json_token){ .type = object ? JSON_OBJECT_END : JSON_ARRAY_END };
            close_nested(r);
            return 0;
        }
        if (c != ',')
            return fail(r, ERR_MALFORMED, object ? "expected ',' or '}'" : "expected ',' or ']'");
        r->p++;
        skip_space(r);
        if (r->p == r->end)
            return fail(r, ERR_TRUNCATED, NULL);
        return object ? read_key(r, ret_token) : read_value(r, ret_token);
    }
    case EXPECT_END:
        return fail(r, ERR_MALFORMED, "something follows the value");
    default:
        return read_value(r, ret_token);
    }
}

enum json_type json_peek(const struct json_reader *r)
{
    const char *p = r->p;
    int commas = r->expect == EXPECT_MORE;
    for (; p < r->end; p++) {
        switch (*p) {
        case ' ':
        case '\n':
        case '\r':
        case '\t':
            continue;
        case ',':
            if (commas-- > 0)
                continue;
            return JSON_END;
        case '{':
            return JSON_OBJECT;
        case '}':
            return JSON_OBJECT_END;
        case '[':
            return JSON_ARRAY;
        case ']':
            return JSON_ARRAY_END;
        case '"':
            return r->expect == EXPECT_FIRST_MEMBER || (r->expect == EXPECT_MORE && in_object(r)) ? JSON_KEY
                                                                                                  : JSON_STRING;
        case 't':
            return JSON_TRUE;
        case 'f':
            return JSON_FALSE;
        case 'n':
            return JSON_NULL;
        default:
            return *p == '-' || (*p >= '0' && *p <= '9') ? JSON_NUMBER : JSON_END;
        }
    }
    return JSON_END;
}

int json_skip(struct json_reader *r, str *ret_raw)
{
    struct json_token t;
    unsigned depth = r->depth;
    if (r->expect == EXPECT_MORE || r->expect == EXPECT_FIRST_ELEMENT) { // stand on the value itself
        skip_space(r);
        if (r->expect == EXPECT_MORE && r->p < r->end && *r->p == ',' && !in_object(r))
            r->p++, r->expect = EXPECT_VALUE;
    }
    skip_space(r);
    const char *from = r->p;
    // Texts are skipped, not kept: a walk without an arena would fail on escapes.
    struct arena *arena = r->arena;
    struct arena_mark mark = arena ? arena_mark(arena) : (struct arena_mark){ 0 };
    do {
        int rc = json_next(r, &t);
        if (rc < 0)
            return rc;
        if (t.type == JSON_END)
            return fail(r, ERR_INVALID, "expected a value");
        if (arena)
            arena_rewind(arena, mark);
    } while (r->depth > depth || t.type == JSON_KEY);
    if (r->depth < depth)
        return fail(r, ERR_INVALID, "expected a value");
    if (ret_raw)
        *ret_raw = (str){ from, (size_t)(r->p - from) };
    return 0;
}

// Behind the closing quote of a string that begins at p (after its quote), or end.
static const char *pass_string(const char *p, const char *end)
{
    while ((p = memchr(p, '"', (size_t)(end - p)))) {
        const char *slash = p;
        while (slash[-1] == '\\') // never before the opening quote
            slash--;
        p++;
        if ((p - 1 - slash) % 2 == 0)
            return p;
    }
    return end;
}

int json_pass(struct json_reader *r)
{
    unsigned depth = 0;
    must(r->expect == EXPECT_VALUE && r->depth > 0);
    for (const char *p = r->p; p < r->end;) {
        switch (*p++) {
        case '"':
            p = pass_string(p, r->end);
            break;
        case '{':
        case '[':
            depth++;
            continue;
        case '}':
        case ']':
            depth--;
            break;
        default:
            continue;
        }
        if (depth == 0) {
            r->p = p;
            r->expect = EXPECT_MORE;
            return 0;
        }
        if (depth > UINT32_MAX / 2)
            break; // closed what was not open
    }
    return fail(r, ERR_TRUNCATED, NULL);
}

int json_reader_err(const struct json_reader *r, int code, struct err *err)
{
    int line = 1, column = 1;
    for (const char *p = r->start; p < r->p && p < r->end; p++) {
        if (*p == '\n')
            line++, column = 1;
        else if (((unsigned char)*p & 0xc0) != 0x80)
            column++;
    }
    const char *why = r->why ? r->why : code == ERR_TRUNCATED ? "the text ends too early" : err_text(code);
    err_set(err, code, code == ERR_INVALID ? "bad_value" : "bad_json", "JSON: %s", why);
    err_set_place(err, "line %d, column %d", line, column);
    if (err)
        err->line = line, err->column = column;
    return code;
}

static int take(struct json_reader *r, enum json_type type, const char *why, struct json_token *ret_token)
{
    struct json_reader before = *r;
    int rc = json_next(r, ret_token);
    if (rc < 0 || ret_token->type == type)
        return rc;
    skip_space(&before);
    *r = before; // the place of the value, not behind it
    return fail(r, ERR_INVALID, why);
}

int json_object(struct json_reader *r)
{
    struct json_token t;
    return take(r, JSON_OBJECT, "expected an object", &t);
}

int json_array(struct json_reader *r)
{
    struct json_token t;
    return take(r, JSON_ARRAY, "expected an array", &t);
}

int json_member(struct json_reader *r, str *ret_name)
{
    struct json_token t;
    int rc = json_next(r, &t);
    if (rc < 0)
        return rc;
    if (t.type == JSON_OBJECT_END)
        return 0;
    must(t.type == JSON_KEY); // the caller stands in an object and has taken the value before
    *ret_name = t.text;
    return 1;
}

int json_element(struct json_reader *r)
{
    skip_space(r);
    if (r->p < r->end && *r->p == ']' && (r->expect == EXPECT_FIRST_ELEMENT || r->expect == EXPECT_MORE) &&
        !in_object(r)) {
        close_nested(r);
        return 0;
    }
    if (r->expect == EXPECT_MORE) {
        if (r->p == r->end)
            return fail(r, ERR_TRUNCATED, NULL);
        if (*r->p != ',' || in_object(r))
            return fail(r, ERR_MALFORMED, "expected ',' or ']'");
        r->p++;
    }
    r->expect = EXPECT_VALUE;
    return 1;
}

int json_text(struct json_reader *r, str *ret_s)
{
    struct json_token t;
    int rc = take(r, JSON_STRING, "expected a string", &t);
    if (rc == 0)
        *ret_s = t.text;
    return rc;
}

int json_bool(struct json_reader *r, bool *ret_b)
{
    struct json_token t;
    int rc = take(r, json_peek(r) == JSON_FALSE ? JSON_FALSE : JSON_TRUE, "expected true or false", &t);
    if (rc == 0)
        *ret_b = t.type == JSON_TRUE;
    return rc;
}

int json_int(struct json_reader *r, int64_t *ret_i)
{
    struct json_reader before = *r;
    struct json_token t;
    int rc = take(r, JSON_NUMBER, "expected a whole number", &t);
    if (rc < 0)
        return rc;
    if (!json_number_int(t.text, ret_i)) {
        *r = before;
        return fail(r, ERR_INVALID, "expected a whole number of 64 bits");
    }
    return 0;
}

int json_double(struct json_reader *r, double *ret_d)
{
    struct json_token t;
    int rc = take(r, JSON_NUMBER, "expected a number", &t);
    if (rc == 0)
        json_number_double(t.text, ret_d);
    return rc;
}

bool json_null(struct json_reader *r)
{
    struct json_token t;
    return json_peek(r) == JSON_NULL && json_next(r, &t) == 0;
}

int json_done(struct json_reader *r)
{
    struct json_token t;
    int rc = json_next(r, &t);
    if (rc == 0 && t.type != JSON_END)
        rc = fail(r, ERR_INVALID, "expected the end");
    return rc;
}
