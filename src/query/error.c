#include "query/error.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/unicode.h"

#include <stdarg.h>
#include <stdio.h>

const char *query_code_slug(enum query_code code)
{
    switch (code) {
#define SLUG(id, slug, status) \
    case QUERY_E_##id:         \
        return slug;
        QUERY_CODES(SLUG)
#undef SLUG
    case QUERY_OK:
        break;
    }
    return "ok";
}

int query_code_status(enum query_code code)
{
    switch (code) {
#define STATUS(id, slug, status) \
    case QUERY_E_##id:           \
        return status;
        QUERY_CODES(STATUS)
#undef STATUS
    case QUERY_OK:
        break;
    }
    return 200;
}

static int result_of(enum query_code code)
{
    switch (code) {
    case QUERY_E_FORBIDDEN_FIELD:
    case QUERY_E_FORBIDDEN_PROJECT:
        return ERR_DENIED;
    case QUERY_E_NO_PROJECT:
        return ERR_NOENT;
    case QUERY_E_QUERY_TOO_LONG:
    case QUERY_E_TOO_DEEP:
    case QUERY_E_TOO_MANY_TERMS:
    case QUERY_E_TOO_MANY_STEPS:
    case QUERY_E_REGEX_TOO_BIG:
    case QUERY_E_TOO_MANY_GROUPS:
    case QUERY_E_TOO_MANY_ROWS:
    case QUERY_E_SET_TOO_BIG:
        return ERR_LIMIT;
    case QUERY_E_MEMORY:
        return ERR_NOMEM;
    case QUERY_E_BUSY:
        return ERR_BUSY;
    case QUERY_E_STOPPING:
        return ERR_STOPPING;
    case QUERY_E_TIMEOUT:
        return ERR_TIMEOUT;
    case QUERY_E_NOT_YET:
        return ERR_UNSUPPORTED;
    default:
        return ERR_INVALID;
    }
}

// vsnprintf may cut a character in two: the piece is dropped.
static void put_text(char *out, size_t size, const char *fmt, va_list ap)
{
    int n = vsnprintf(out, size, fmt, ap);
    size_t len = n < 0 ? 0 : (size_t)n < size ? (size_t)n : size - 1;
    out[len] = 0;
    if (n >= 0 && (size_t)n >= size) {
        while (len && ((unsigned char)out[len - 1] & 0xC0) == 0x80)
            len--;
        if (len && (unsigned char)out[len - 1] >= 0xC0)
            len--;
        out[len] = 0;
    }
}

int query_fail(struct query_error *err, enum query_code code, const char *fmt, ...)
{
    if (err) {
        memset(err, 0, sizeof *err);
        err->code = code;
        va_list ap;
        va_start(ap, fmt);
        put_text(err->message, sizeof err->message, fmt, ap);
        va_end(ap);
    }
    return result_of(code);
}

void query_error_at(struct query_error *err, str text, size_t off, size_t len)
{
    if (!err)
        return;
    if (off > text.len)
        off = text.len;
    if (len > text.len - off)
        len = text.len - off;
    size_t begin = off;
    while (begin > 0 && text.ptr[begin - 1] != '\n')
        begin--;
    int line = 1;
    for (size_t i = 0; i < begin; i++)
        line += text.ptr[i] == '\n';
    err->line = line;
    err->column = (int)utf8_count(str_slice(text, begin, off)) + 1;
    err->length = (int)utf8_count(str_slice(text, off, off + len));
    if (err->length == 0)
        err->length = 1; // the end of the text: something to underline
}

void query_error_hint(struct query_error *err, const char *fmt, ...)
{
    if (!err)
        return;
    va_list ap;
    va_start(ap, fmt);
    put_text(err->hint, sizeof err->hint, fmt, ap);
    va_end(ap);
}

void query_error_suggest(struct query_error *err, str text)
{
    if (!err || err->suggest_count == QUERY_SUGGEST_MAX || text.len == 0 || text.len >= sizeof err->suggest[0])
        return;
    for (int i = 0; i < err->suggest_count; i++)
        if (str_eq(str_z(err->suggest[i]), text))
            return;
    memcpy(err->suggest[err->suggest_count], text.ptr, text.len);
    err->suggest[err->suggest_count++][text.len] = 0;
}

int query_error_json(const struct query_error *err, struct buf *out)
{
    struct json_writer w;
    json_writer_init(&w, out);
    json_put_object(&w);
    json_put_key(&w, STR("code"));
    json_put_str(&w, str_z(query_code_slug(err->code)));
    json_put_key(&w, STR("message"));
    json_put_str(&w, str_z(err->message));
    json_put_key(&w, STR("line"));
    json_put_int(&w, err->line);
    json_put_key(&w, STR("column"));
    json_put_int(&w, err->column);
    json_put_key(&w, STR("length"));
    json_put_int(&w, err->length);
    json_put_key(&w, STR("hint"));
    json_put_str(&w, str_z(err->hint));
    json_put_key(&w, STR("suggest"));
    json_put_array(&w);
    for (int i = 0; i < err->suggest_count; i++)
        json_put_str(&w, str_z(err->suggest[i]));
    json_put_array_end(&w);
    json_put_object_end(&w);
    return out->error;
}
