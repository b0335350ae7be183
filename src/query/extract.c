#include "query/extract.h"

#include "base/err.h"
#include "base/timefmt.h"
#include "query/literal.h"

static const str type_words[EXTRACT_TYPES] = { [EXTRACT_STRING] = STR_INIT("string"),
                                               [EXTRACT_INT] = STR_INIT("int"),
                                               [EXTRACT_FLOAT] = STR_INIT("float"),
                                               [EXTRACT_DURATION] = STR_INIT("duration"),
                                               [EXTRACT_TIME] = STR_INIT("time") };

static bool name_byte(unsigned char c, bool first)
{
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80;
    return letter || (!first && ((c >= '0' && c <= '9') || c == '.' || c == '-' || c == '/' || c == '@' || c == '$'));
}

// A place that begins at text[at] == '<': its name and what stands behind the colon (colon: 0 when there is none).
static bool place_at(str text, size_t at, size_t *ret_end, str *ret_name, str *ret_type)
{
    size_t i = at + 1, from = i;
    while (i < text.len && name_byte((unsigned char)text.ptr[i], i == from))
        i++;
    *ret_name = str_slice(text, from, i);
    *ret_type = (str){ NULL, 0 };
    if (i < text.len && text.ptr[i] == ':') {
        size_t type = ++i;
        while (i < text.len && text.ptr[i] >= 'a' && text.ptr[i] <= 'z')
            i++;
        *ret_type = str_slice(text, type, i);
    }
    *ret_end = i + 1;
    char last = ret_name->len ? ret_name->ptr[ret_name->len - 1] : '.';
    return i < text.len && text.ptr[i] == '>' && last != '.';
}

static int fault(struct extract_fault *f, enum query_code code, size_t off, size_t len, const char *message,
                 const char *hint)
{
    *f = (struct extract_fault){ code, message, hint, off, len };
    return ERR_INVALID;
}

static int type_read(str word, enum extract_type *ret)
{
    *ret = EXTRACT_STRING;
    if (!word.ptr)
        return 0;
    for (int t = 0; t < EXTRACT_TYPES; t++) {
        if (str_eq(word, type_words[t])) {
            *ret = (enum extract_type)t;
            return 0;
        }
    }
    return ERR_INVALID;
}

static bool name_taken(const struct extract_pattern *p, str name)
{
    for (uint32_t i = 0; i < p->count; i++) {
        if (name.len && str_eq(p->places[i].name, name))
            return true;
    }
    return false;
}

int extract_compile(struct arena *arena, str text, struct extract_pattern *ret, struct extract_fault *ret_fault)
{
    struct extract_pattern p = { .places = arena_alloc_array(arena, EXTRACT_PLACES_MAX, sizeof *p.places) };
    size_t literal = 0, end;
    bool named = false;
    str name, type;
    if (!p.places)
        return ERR_NOMEM;
    for (size_t at = 0; at < text.len;) {
        if (text.ptr[at] != '<' || !place_at(text, at, &end, &name, &type)) {
            at++;
            continue;
        }
        str between = str_slice(text, literal, at);
        if (p.count == EXTRACT_PLACES_MAX)
            return fault(ret_fault, QUERY_E_TOO_MANY_TERMS, at, end - at, "more than 64 places in one pattern", NULL);
        if (p.count && between.len == 0)
            return fault(ret_fault, QUERY_E_BAD_ARGUMENT, at, end - at,
                         "nothing tells where the place before this one ends",
                         "put the text between them, or use a regular expression: extract ~\"(?P<a>..)(?P<b>..)\"");
        *(p.count ? &p.places[p.count - 1].after : &p.before) = between;
        if (str_eq(name, STR("_")))
            name.len = 0;
        struct extract_place *place = &p.places[p.count];
        if (type_read(type, &place->type) < 0)
            return fault(ret_fault, QUERY_E_BAD_ARGUMENT, at, end - at, "a place has no such type",
                         "types are int, float, duration and time; without one it is text");
        if (name_taken(&p, name))
            return fault(ret_fault, QUERY_E_DUPLICATE_COLUMN, at, end - at, "the pattern has this name twice",
                         "`<_>` takes text and forgets it");
        place->name = name;
        place->after = STR("");
        named = named || name.len;
        p.count++;
        at = literal = end;
    }
    if (!named)
        return fault(ret_fault, QUERY_E_BAD_ARGUMENT, 0, text.len, "the pattern names nothing to extract",
                     "write a name where the text differs: \"paid <amount:float> to <who>\"");
    p.places[p.count - 1].after = str_slice(text, literal, text.len);
    *ret = p;
    return 0;
}

static struct qval convert(str s, enum extract_type type)
{
    int64_t i;
    double d;
    bool is_int, over;
    switch (type) {
    case EXTRACT_INT:
        return query_decimal_read(s, &i, &d, &is_int) && is_int ? qval_int(i) : qval_missing();
    case EXTRACT_FLOAT:
        return query_decimal_read(s, &i, &d, &is_int) ? qval_double(is_int ? (double)i : d) : qval_missing();
    case EXTRACT_DURATION:
        return query_duration_read(s, &i, &over) && !over ? qval_of(QVAL_DURATION, i) : qval_missing();
    case EXTRACT_TIME:
        return parse_rfc3339(s, &i) ? qval_of(QVAL_TIME, i) : qval_missing();
    default:
        return qval_str(s);
    }
}

// Where needle begins at or behind `from`; false: nowhere.
static bool find(str text, str needle, size_t from, size_t *ret)
{
    const char *hit = memmem(text.ptr + from, text.len - from, needle.ptr, needle.len);
    if (!hit)
        return false;
    *ret = (size_t)(hit - text.ptr);
    return true;
}

bool extract_match(const struct extract_pattern *p, str text, struct qval *ret_values)
{
    size_t at = 0, end;
    if (p->before.len) {
        if (text.len == 0 || !find(text, p->before, 0, &at))
            return false;
        at += p->before.len;
    }
    for (uint32_t i = 0; i < p->count; i++) {
        const struct extract_place *place = &p->places[i];
        end = text.len;
        if (place->after.len && (at == text.len || !find(text, place->after, at, &end)))
            return false;
        ret_values[i] = place->name.len ? convert(str_slice(text, at, end), place->type) : qval_missing();
        at = end + place->after.len;
    }
    return true;
}
